//! What the login says about this client (chapter 01 §5), and which version it says.

use prost::Message as _;
use wa_core::login::{ClientPayload, ClientVersion, Login, Registration, UserAgent, browser_props};
use wa_crypto::curve::PublicKey;
use wa_store::Device;
use wa_store::tables::{NumberState, SignedPreKeys};

use crate::credentials::{Own, signed_from_row, signed_key};
use crate::shared::Shared;

/// The payload for the handshake: a login when linked, else a registration.
pub(crate) async fn payload(shared: &Shared, device: &Device) -> Vec<u8> {
    let agent = UserAgent::web(shared.version());
    let push_name = Some(device.push_name.to_string()).filter(|name| !name.is_empty());
    if let (Some(registration), Some(pn)) = (&device.registration, device.pn()) {
        let login = Login {
            agent,
            username: pn.user_number().unwrap_or_default(),
            device: u32::from(registration.pn.device),
            login_counter: i32::try_from(device.login_counter).unwrap_or(i32::MAX),
            passive: false,
            lid_migrated: registration.lid_migrated,
            push_name: None,
        };
        return ClientPayload::Login(Box::new(login)).encode();
    }
    let Some(signed) = shared.current_signed().await else { return Vec::new() };
    let name = &shared.config.device;
    let registration = Registration {
        agent,
        registration_id: device.registration_id,
        identity: PublicKey::from_bytes(device.identity_key.public),
        signed_pre_key: signed_key(&signed),
        device_props: browser_props(&name.os, name.platform).encode_to_vec().into(),
        push_name,
    };
    ClientPayload::Registration(Box::new(registration)).encode()
}

/// What a look-up of the client version brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LookUp {
    /// Another version than the refused one.
    Newer,
    /// The same, or none.
    NothingNew,
    /// The application has set no source.
    NoSource,
}

/// Asks the configured source for the current version.
pub(crate) async fn look_up_version(shared: &Shared) -> LookUp {
    let Some(source) = &shared.config.version_source else { return LookUp::NoSource };
    match source.current(&shared.config.egress).await {
        Ok(version) if shared.set_version(version) => {
            crate::state::store_version(shared, version).await;
            LookUp::Newer
        }
        Ok(_) => LookUp::NothingNew,
        Err(error) => {
            tracing::warn!(error, "the client version could not be looked up");
            LookUp::NothingNew
        }
    }
}

impl Shared {
    /// The version that logins name.
    pub(crate) fn version(&self) -> ClientVersion {
        *self.version.lock()
    }

    /// Takes a version over; says whether it differs.
    fn set_version(&self, version: ClientVersion) -> bool {
        let mut current = self.version.lock();
        let differs = *current != version;
        *current = version;
        differs
    }

    /// The signed pre-key that the server has.
    pub(crate) async fn current_signed(&self) -> Option<wa_signal::SignedPreKey> {
        let id = self.device().signed_prekey_id;
        let row = self.store.one(SignedPreKeys, &id).await.ok().flatten()?;
        signed_from_row(id, &row)
    }

    /// Small state by name.
    pub(crate) async fn small_state(&self, name: &str) -> Option<wa_store::Bytes> {
        self.store.one(NumberState, &name.into()).await.ok().flatten()
    }
}
