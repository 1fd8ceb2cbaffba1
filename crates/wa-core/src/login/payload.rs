//! The payload of the last handshake message (chapter 01 §5): a login with a known account, or the registration of a
//! new companion.

use bytes::Bytes;
use prost::Message as _;
use wa_crypto::curve::PublicKey;
use wa_proto::handshake::{
    self as wire,
    client_payload::{
        ConnectReason, ConnectType, DevicePairingRegistrationData, UserAgent as WireUserAgent, WebInfo,
        user_agent::{Platform, ReleaseChannel},
        web_info::WebSubPlatform,
    },
};

use super::{ClientVersion, LoginError};
use crate::prekeys::SignedKey;

/// The key type of everything: Curve25519.
const KEY_TYPE: u8 = 5;

/// What the client says it is. The default is the web client, as current peers describe it. Keep it constant: values
/// that change from one connection to the next look like a stolen session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAgent {
    /// The version of the official client.
    pub version: ClientVersion,
    /// The platform's number; unknown ones are kept.
    pub platform: i32,
    /// The sub-platform's number; `None` for clients that are not the web client.
    pub web_sub_platform: Option<i32>,
    /// Mobile country code, three digits.
    pub mcc: String,
    /// Mobile network code, three digits.
    pub mnc: String,
    /// Version of the operating system.
    pub os_version: String,
    /// Empty for the web client.
    pub manufacturer: String,
    /// Name of the device.
    pub device: String,
    /// Build of the operating system.
    pub os_build_number: String,
    /// Two letters, lower case.
    pub language: String,
    /// Two letters, upper case.
    pub country: String,
}

impl UserAgent {
    /// The web client in a version.
    pub fn web(version: ClientVersion) -> Self {
        Self {
            version,
            platform: Platform::Web.into(),
            web_sub_platform: Some(WebSubPlatform::WebBrowser.into()),
            mcc: "000".to_owned(),
            mnc: "000".to_owned(),
            os_version: "0.1".to_owned(),
            manufacturer: String::new(),
            device: "Desktop".to_owned(),
            os_build_number: "0.1".to_owned(),
            language: "en".to_owned(),
            country: "US".to_owned(),
        }
    }

    fn to_wire(&self) -> WireUserAgent {
        WireUserAgent {
            platform: Some(self.platform),
            app_version: Some(Box::new(self.version.to_proto())),
            mcc: Some(self.mcc.clone()),
            mnc: Some(self.mnc.clone()),
            os_version: Some(self.os_version.clone()),
            manufacturer: Some(self.manufacturer.clone()),
            device: Some(self.device.clone()),
            os_build_number: Some(self.os_build_number.clone()),
            release_channel: Some(ReleaseChannel::Release.into()),
            locale_language_iso6391: Some(self.language.clone()),
            locale_country_iso31661_alpha2: Some(self.country.clone()),
            ..WireUserAgent::default()
        }
    }

    /// Absent fields read as empty: the description of a client is not what makes a payload valid.
    fn from_wire(payload: &wire::ClientPayload) -> Self {
        let agent = payload.user_agent.clone().unwrap_or_default();
        Self {
            version: ClientVersion::from_proto(&agent.app_version.unwrap_or_default()),
            platform: agent.platform.unwrap_or_default(),
            web_sub_platform: payload.web_info.as_ref().map(|info| info.web_sub_platform.unwrap_or_default()),
            mcc: agent.mcc.unwrap_or_default(),
            mnc: agent.mnc.unwrap_or_default(),
            os_version: agent.os_version.unwrap_or_default(),
            manufacturer: agent.manufacturer.unwrap_or_default(),
            device: agent.device.unwrap_or_default(),
            os_build_number: agent.os_build_number.unwrap_or_default(),
            language: agent.locale_language_iso6391.unwrap_or_default(),
            country: agent.locale_country_iso31661_alpha2.unwrap_or_default(),
        }
    }
}

impl Default for UserAgent {
    fn default() -> Self {
        Self::web(ClientVersion::BUILT_IN)
    }
}

/// A linked device comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// What the client says it is.
    pub agent: UserAgent,
    /// The digits of the own phone number.
    pub username: u64,
    /// The own device number; 0 is the phone.
    pub device: u32,
    /// 0 when linked, one more after each success.
    pub login_counter: i32,
    /// Asks the server to hold offline messages back until `active`.
    pub passive: bool,
    /// Whether sessions are kept under LIDs.
    pub lid_migrated: bool,
    /// The name shown to others, if it is sent at all.
    pub push_name: Option<String>,
}

/// A new companion wants to be linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// What the client says it is.
    pub agent: UserAgent,
    /// A random non-zero number of 31 bits; every number of 32 bits is accepted.
    pub registration_id: u32,
    /// The identity key.
    pub identity: PublicKey,
    /// The signed pre-key.
    pub signed_pre_key: SignedKey,
    /// An encoded `DeviceProps`.
    pub device_props: Bytes,
    /// The name shown to others, if it is sent at all.
    pub push_name: Option<String>,
}

/// What arrives at a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientPayload {
    /// A known account.
    Login(Box<Login>),
    /// A new companion.
    Registration(Box<Registration>),
}

impl Login {
    /// The payload's bytes.
    pub fn encode(&self) -> Vec<u8> {
        wire::ClientPayload {
            username: Some(self.username),
            passive: Some(self.passive),
            device: Some(self.device),
            lc: Some(self.login_counter),
            pull: Some(true),
            lid_db_migrated: Some(self.lid_migrated),
            ..common(&self.agent, self.push_name.as_ref())
        }
        .encode_to_vec()
    }
}

impl Registration {
    /// The payload's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let data = DevicePairingRegistrationData {
            e_regid: Some(Bytes::copy_from_slice(&self.registration_id.to_be_bytes())),
            e_keytype: Some(Bytes::from_static(&[KEY_TYPE])),
            e_ident: Some(Bytes::copy_from_slice(self.identity.as_bytes())),
            e_skey_id: Some(Bytes::copy_from_slice(&self.signed_pre_key.id.to_be_bytes()[1..])),
            e_skey_val: Some(Bytes::copy_from_slice(self.signed_pre_key.public.as_bytes())),
            e_skey_sig: Some(Bytes::copy_from_slice(&self.signed_pre_key.signature)),
            build_hash: Some(Bytes::copy_from_slice(&self.agent.version.build_hash())),
            device_props: Some(self.device_props.clone()),
        };
        wire::ClientPayload {
            passive: Some(false),
            pull: Some(false),
            device_pairing_data: Some(Box::new(data)),
            ..common(&self.agent, self.push_name.as_ref())
        }
        .encode_to_vec()
    }

    /// Whether the identity signed the pre-key. A server answers a wrong signature like a malformed payload.
    ///
    /// # Errors
    /// [`LoginError::Signature`].
    pub fn verify(&self) -> Result<(), LoginError> {
        if self.signed_pre_key.is_signed_by(&self.identity) { Ok(()) } else { Err(LoginError::Signature) }
    }

    fn from_wire(
        payload: &wire::ClientPayload,
        data: &DevicePairingRegistrationData,
    ) -> Result<Self, LoginError> {
        if field::<1>(data.e_keytype.as_ref(), "key type")? != [KEY_TYPE] {
            return Err(LoginError::Field("key type"));
        }
        let [a, b, c] = field(data.e_skey_id.as_ref(), "signed pre-key id")?;
        field::<16>(data.build_hash.as_ref(), "build hash")?;
        Ok(Self {
            agent: UserAgent::from_wire(payload),
            registration_id: u32::from_be_bytes(field(data.e_regid.as_ref(), "registration id")?),
            identity: PublicKey::from_bytes(field(data.e_ident.as_ref(), "identity key")?),
            signed_pre_key: SignedKey {
                id: u32::from_be_bytes([0, a, b, c]),
                public: PublicKey::from_bytes(field(data.e_skey_val.as_ref(), "signed pre-key")?),
                signature: field(data.e_skey_sig.as_ref(), "signature")?,
            },
            device_props: data.device_props.clone().ok_or(LoginError::Missing("device properties"))?,
            push_name: payload.push_name.clone(),
        })
    }
}

impl ClientPayload {
    /// The payload's bytes.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Login(login) => login.encode(),
            Self::Registration(registration) => registration.encode(),
        }
    }

    /// Reads what a client sent. The signature of a registration is checked by [`Registration::verify`].
    ///
    /// # Errors
    /// [`LoginError`] for bytes that are no payload, a registration without one of its eight fields or with one of
    /// the wrong length, and a payload that is neither registration nor login.
    pub fn decode(bytes: &[u8]) -> Result<Self, LoginError> {
        let payload = wire::ClientPayload::decode(bytes)?;
        if let Some(data) = &payload.device_pairing_data {
            return Ok(Self::Registration(Box::new(Registration::from_wire(&payload, data)?)));
        }
        Ok(Self::Login(Box::new(Login {
            agent: UserAgent::from_wire(&payload),
            username: payload.username.ok_or(LoginError::Neither)?,
            device: payload.device.unwrap_or_default(),
            login_counter: payload.lc.unwrap_or_default(),
            passive: payload.passive.unwrap_or_default(),
            lid_migrated: payload.lid_db_migrated.unwrap_or_default(),
            push_name: payload.push_name,
        })))
    }
}

fn common(agent: &UserAgent, push_name: Option<&String>) -> wire::ClientPayload {
    wire::ClientPayload {
        user_agent: Some(Box::new(agent.to_wire())),
        web_info: agent
            .web_sub_platform
            .map(|platform| Box::new(WebInfo { web_sub_platform: Some(platform), ..WebInfo::default() })),
        push_name: push_name.cloned(),
        connect_type: Some(ConnectType::WifiUnknown.into()),
        connect_reason: Some(ConnectReason::UserActivated.into()),
        ..wire::ClientPayload::default()
    }
}

fn field<const N: usize>(value: Option<&Bytes>, name: &'static str) -> Result<[u8; N], LoginError> {
    let bytes = value.ok_or(LoginError::Missing(name))?;
    bytes[..].try_into().map_err(|_| LoginError::Field(name))
}

#[cfg(test)]
mod tests {
    use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};
    use wa_crypto::{curve::KeyPair, xeddsa};

    use super::*;

    fn registration() -> Registration {
        let mut rng = ChaCha12Rng::seed_from_u64(1);
        let (identity, key) = (KeyPair::generate(&mut rng), KeyPair::generate(&mut rng));
        let signature = xeddsa::sign(identity.private(), &[&key.public().serialized()], &mut rng);
        Registration {
            agent: UserAgent::default(),
            registration_id: 0x8000_0001,
            identity: *identity.public(),
            signed_pre_key: SignedKey { id: 0x01_0203, public: *key.public(), signature },
            device_props: Bytes::from_static(b"props"),
            push_name: Some("Ada".to_owned()),
        }
    }

    #[test]
    fn both_kinds_come_back() {
        let registration = registration();
        let decoded = ClientPayload::decode(&registration.encode()).unwrap();
        assert_eq!(decoded, ClientPayload::Registration(Box::new(registration.clone())));
        registration.verify().unwrap();
        let login = Login {
            agent: UserAgent { web_sub_platform: None, ..UserAgent::default() },
            username: 15_550_100,
            device: 3,
            login_counter: 7,
            passive: true,
            lid_migrated: false,
            push_name: None,
        };
        assert_eq!(ClientPayload::decode(&login.encode()), Ok(ClientPayload::Login(Box::new(login))));
    }

    #[test]
    fn a_registration_without_any_of_its_eight_fields_is_refused() {
        type Drop = fn(&mut DevicePairingRegistrationData);
        let drops: [Drop; 8] = [
            |data| data.e_regid = None,
            |data| data.e_keytype = None,
            |data| data.e_ident = None,
            |data| data.e_skey_id = None,
            |data| data.e_skey_val = None,
            |data| data.e_skey_sig = None,
            |data| data.build_hash = None,
            |data| data.device_props = None,
        ];
        for drop in drops {
            let mut payload = wire::ClientPayload::decode(registration().encode().as_slice()).unwrap();
            drop(payload.device_pairing_data.as_mut().unwrap());
            let refused = ClientPayload::decode(&payload.encode_to_vec());
            assert!(matches!(refused, Err(LoginError::Missing(_))), "{refused:?}");
        }
    }

    #[test]
    fn wrong_lengths_types_and_signatures_are_refused() {
        let mut payload = wire::ClientPayload::decode(registration().encode().as_slice()).unwrap();
        let data = payload.device_pairing_data.as_mut().unwrap();
        data.e_skey_sig = Some(Bytes::from_static(&[1; 63]));
        assert_eq!(ClientPayload::decode(&payload.encode_to_vec()), Err(LoginError::Field("signature")));
        payload.device_pairing_data.as_mut().unwrap().e_keytype = Some(Bytes::from_static(&[4]));
        assert_eq!(ClientPayload::decode(&payload.encode_to_vec()), Err(LoginError::Field("key type")));
        let mut forged = registration();
        forged.signed_pre_key.signature[40] ^= 1;
        assert_eq!(forged.verify(), Err(LoginError::Signature));
        assert_eq!(ClientPayload::decode(&[]), Err(LoginError::Neither));
        assert!(matches!(ClientPayload::decode(&[0xff]), Err(LoginError::Protobuf(_))));
    }
}
