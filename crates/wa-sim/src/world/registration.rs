//! Connections that wait to be linked: payload, refs, and the end of the link (chapters 01 §5, 02 §3, 10 §2.2, §3).

use std::sync::Arc;

use base64::Engine as _;
use bytes::Bytes;
use prost::Message as _;
use rand_core::Rng as _;
use wa_binary::{Jid, Node};
use wa_core::adv::IssuedLink;
use wa_core::prekeys::SignedKey;
use wa_crypto::curve::PublicKey;
use wa_proto::companion_reg::DeviceProps;
use wa_proto::handshake::ClientPayload;
use wa_proto::handshake::client_payload::DevicePairingRegistrationData;

use super::account::Device;
use super::timers::Timer;
use super::{AccountId, Asked, ConnId, DeviceKey, Stage, World};
use crate::faults::{Action, CloseHow, FailureReason, Phase, StreamFault, StreamForm};
use crate::pairing::{PairingError, Passkey};
use crate::prekeys::Stock;
use crate::stanza::{Read, el};

/// A connection that waits to be linked.
#[derive(Debug)]
pub struct Registration {
    /// Push name of the payload, directives included.
    pub push_name: Option<String>,
    /// What the phone's device list would show.
    pub os: String,
    /// Companion's noise key, proven by the handshake.
    pub noise_key: [u8; 32],
    /// Identity, signed pre-key.
    pub keys: Stock,
    /// Refs that are valid.
    pub refs: Vec<String>,
    /// The client answered `pair-device`.
    pub acknowledged: bool,
    /// A link that the companion has yet to sign.
    pub link: Option<PendingLink>,
    /// State of a passkey link.
    pub passkey: Option<Passkey>,
    /// What the client last did about a pairing code, for people.
    pub code_stage: Option<&'static str>,
    /// Its refs ran out.
    pub expired: bool,
}

/// A link on its way.
#[derive(Debug)]
pub struct PendingLink {
    /// The account.
    pub account: AccountId,
    /// The number that the device gets.
    pub device: u16,
    /// What the phone signed.
    pub issued: IssuedLink,
    /// The new key-index list.
    pub key_index_list: Bytes,
}

/// A pending registration as the admin API shows it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Pending {
    /// The connection.
    pub connection: u64,
    /// Refs.
    pub refs: Vec<String>,
    /// Push name.
    pub push_name: Option<String>,
    /// Age in milliseconds.
    pub age_ms: u64,
    /// Platform.
    pub platform: String,
    /// Stage of a pairing code.
    pub code: Option<&'static str>,
    /// Code that a passkey link shows on both ends.
    pub passkey_code: Option<String>,
}

/// A link that was begun.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Linked {
    /// Address of the new device by number.
    pub jid: String,
    /// The same by LID.
    pub lid: Option<String>,
}

impl World {
    /// Registration payload: `pair-device` or `<failure>`.
    pub(super) fn register(&mut self, conn: ConnId, noise_key: [u8; 32], payload: &ClientPayload) {
        let Some(data) = payload.device_pairing_data.as_deref() else { return };
        let Some((keys, os)) = registration_keys(data) else {
            self.fail(conn, &FailureReason { reason: 400, code: None, expire: None, logout_message: None });
            return;
        };
        let remote = self.conns.get(&conn).map(|state| state.remote.clone()).unwrap_or_default();
        let pending =
            |state: &super::Conn| state.remote == remote && matches!(state.stage, Stage::Registering(_));
        if self.conns.values().filter(|state| pending(state)).count() >= self.config.registrations_per_address
        {
            self.fail(conn, &FailureReason { reason: 503, code: None, expire: None, logout_message: None });
            return;
        }
        let refs: Vec<String> = (0..self.config.refs).map(|_| self.new_ref()).collect();
        let registration = Registration {
            push_name: payload.push_name.clone(),
            os,
            noise_key,
            keys,
            refs: refs.clone(),
            acknowledged: false,
            link: None,
            passkey: None,
            code_stage: None,
            expired: false,
        };
        let name = registration.push_name.as_deref().unwrap_or("somebody without a name");
        tracing::info!("connection {} wants to be linked: {name}, on {}", conn.0, registration.os);
        if let Some(state) = self.conns.get_mut(&conn) {
            state.stage = Stage::Registering(Box::new(registration));
            state.phase = Phase::Steady;
        }
        let refs = refs.into_iter().map(|text| el("ref").bytes(text.into_bytes()));
        self.ask(conn, Asked::PairDevice, "md", el("pair-device").children(refs));
        self.at(self.now_ms + self.config.registration_ms, Timer::RegistrationOver { conn });
        if let Some(auto) = &self.config.auto_pair {
            self.at(self.now_ms + auto.after_ms, Timer::AutoPair { conn });
        }
    }

    fn new_ref(&mut self) -> String {
        let mut random = [0; 48];
        self.streams.refs.fill_bytes(&mut random);
        format!("2@{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random))
    }

    /// Sends an iq of the server.
    pub(crate) fn ask(&mut self, conn: ConnId, what: Asked, xmlns: &str, child: Node) {
        let now_s = self.now_s();
        let Some(state) = self.conns.get_mut(&conn) else { return };
        let id = state.next_id();
        state.asked.insert(id.clone(), what);
        let kind = if what == Asked::Ping { "get" } else { "set" };
        let iq = el("iq")
            .attr("from", Jid::SERVER)
            .attr("type", kind)
            .attr("id", id)
            .attr("xmlns", xmlns)
            .attr("t", now_s);
        self.write(conn, if what == Asked::Ping { iq } else { iq.child(child) });
    }

    /// Pending registrations, oldest first.
    #[must_use]
    pub fn pending(&self) -> Vec<Pending> {
        let show = |state: &super::Conn| match &state.stage {
            Stage::Registering(registration) => Some(Pending {
                connection: state.id.0,
                refs: registration.refs.clone(),
                push_name: registration.push_name.clone(),
                age_ms: self.now_ms.saturating_sub(state.opened_ms),
                platform: registration.os.clone(),
                code: registration.code_stage,
                passkey_code: registration.passkey.as_ref().and_then(|passkey| passkey.code.clone()),
            }),
            _ => None,
        };
        self.conns.values().filter_map(show).collect()
    }

    /// The registration of a connection.
    pub(crate) fn registration(&mut self, conn: ConnId) -> Option<&mut Registration> {
        match &mut self.conns.get_mut(&conn)?.stage {
            Stage::Registering(registration) => Some(registration),
            _ => None,
        }
    }

    /// Carries out what the phone signed: `pair-success` to the companion (chapter 02 §3.6 step 7).
    pub(crate) fn begin_link(
        &mut self,
        account: AccountId,
        conn: ConnId,
        request: crate::phone::LinkRequest,
    ) -> Result<Linked, PairingError> {
        let refusals = self.stage(Some(conn), Phase::Login);
        let (first, limit) = (self.config.first_device, self.config.companion_limit);
        let owner = self.account(account);
        let companions = owner.devices.len().saturating_sub(1);
        let device = if owner.switches.hosted && !owner.devices.contains_key(&99) {
            99
        } else {
            owner.free_device_number(first)
        };
        if companions >= limit || refusals.contains(&Action::ResourceLimit) {
            self.phone_link_failed(account, request.issued.key_index);
            return Err(PairingError::ResourceLimit);
        }
        let owner = self.account(account);
        let (jid, lid) = (
            owner.device_jid(wa_binary::Family::Pn, device),
            owner.lid.map(|_| owner.device_jid(wa_binary::Family::Lid, device)),
        );
        let biz = owner.switches.biz.then(|| el("biz").attr("name", &owner.name));
        let Some(registration) = self.registration(conn) else { return Err(PairingError::Gone) };
        if registration.link.is_some() {
            return Err(PairingError::Used);
        }
        if registration.noise_key != request.noise_key {
            return Err(PairingError::Unknown);
        }
        let container = request.issued.container.clone();
        registration.link = Some(PendingLink {
            account,
            device,
            issued: request.issued,
            key_index_list: request.key_index_list,
        });
        let success = el("pair-success")
            .child(el("device-identity").bytes(container))
            .child(el("device").attr("jid", &jid).maybe_attr("lid", lid.clone()))
            .child(el("platform").attr("name", "android"))
            .maybe_child(biz);
        self.ask(conn, Asked::PairSuccess, "md", success);
        Ok(Linked { jid: jid.to_string(), lid: lid.map(|lid| lid.to_string()) })
    }

    /// The client's answer to an iq of the server, on a connection that registers.
    pub(crate) fn registration_answer(&mut self, conn: ConnId, what: Asked, iq: &Node) {
        match what {
            Asked::Ping => {}
            Asked::PairDevice => {
                if let Some(registration) = self.registration(conn) {
                    registration.acknowledged = true;
                }
            }
            Asked::PairSuccess => self.finish_link(conn, iq),
        }
    }

    /// A connection went away before it was linked: its refs are known as such, its number and key index are free again.
    pub(super) fn lose_registration(&mut self, registration: Registration) {
        const MANY: usize = 4096;
        if let Some(link) = registration.link {
            self.phone_link_failed(link.account, link.issued.key_index);
        }
        if !registration.expired {
            self.gone_refs.extend(registration.refs);
            let excess = self.gone_refs.len().saturating_sub(MANY);
            self.gone_refs.drain(..excess);
        }
    }

    /// The refs of a connection ran out: they are unknown from now on.
    pub(super) fn registration_over(&mut self, conn: ConnId) {
        let Some(registration) = self.registration(conn) else { return };
        registration.refs.clear();
        registration.expired = true;
        self.close(conn, CloseHow::Fin);
    }

    fn finish_link(&mut self, conn: ConnId, iq: &Node) {
        let Some(registration) = self.registration(conn) else { return };
        let Some(link) = registration.link.take() else { return };
        let signed =
            iq.kid("pair-device-sign").and_then(|sign| sign.kid("device-identity")).and_then(|identity| {
                let key_index = u32::try_from(identity.number_of("key-index")?).ok()?;
                wa_core::adv::check_link_answer(&link.issued, key_index, identity.body()?).ok()
            });
        let (Some(signed), true) = (signed, iq.attr_is("type", "result")) else {
            let why = iq.kid("error").map_or_else(|| "not a valid signature".to_owned(), ToString::to_string);
            tracing::warn!("connection {} did not complete the link: {why}", conn.0);
            self.report(Some(conn), crate::watch::Rule::Malformed, format!("pair-device-sign: {why}"));
            self.phone_link_failed(link.account, link.issued.key_index);
            return;
        };
        let refs = registration.refs.clone();
        let (noise_key, keys, os) =
            (registration.noise_key, registration.keys.clone(), registration.os.clone());
        self.used_refs.extend(refs);
        let now_s = self.now_s();
        let mut device = Device::new(link.device, link.issued.key_index, keys);
        device.noise_key = noise_key;
        device.signed_identity = Some(signed.encode());
        device.platform = os;
        let account = self.account_mut(link.account);
        account.devices.insert(link.device, device);
        account.renew_key_index_list(link.key_index_list, now_s);
        self.phone_link_completed(link.account, link.issued.key_index, link.device);
        let key = DeviceKey { account: link.account, device: link.device };
        tracing::info!("{} is linked, as {}", self.who(key), self.label(key));
        self.announce_devices(link.account, crate::devices::Change::Added(link.device));
        let restart = StreamFault { code: Some(515), form: StreamForm::Bare };
        let node = el("stream:error").attr("code", restart.code.unwrap_or(515));
        self.write(conn, Arc::new(node));
        self.end(conn, false);
        self.at(self.now_ms + self.config.restart_grace_ms, Timer::Close { conn });
    }
}

/// Checks the registration payload: all eight fields, their lengths, and the signature (chapter 01 §5).
fn registration_keys(data: &DevicePairingRegistrationData) -> Option<(Stock, String)> {
    let registration_id = u32::from_be_bytes(data.e_regid.as_deref()?.try_into().ok()?);
    let keytype = data.e_keytype.as_deref()?;
    let identity: [u8; 32] = data.e_ident.as_deref()?.try_into().ok()?;
    let id: [u8; 3] = data.e_skey_id.as_deref()?.try_into().ok()?;
    let signed = SignedKey {
        id: u32::from_be_bytes([0, id[0], id[1], id[2]]),
        public: PublicKey::from_bytes(data.e_skey_val.as_deref()?.try_into().ok()?),
        signature: data.e_skey_sig.as_deref()?.try_into().ok()?,
    };
    let build = data.build_hash.as_deref()?;
    let props = DeviceProps::decode(data.device_props.as_deref()?).ok()?;
    let sound = keytype == [5] && build.len() == 16 && signed.is_signed_by(&PublicKey::from_bytes(identity));
    sound.then(|| (Stock::new(registration_id, identity, signed), props.os.unwrap_or_default()))
}
