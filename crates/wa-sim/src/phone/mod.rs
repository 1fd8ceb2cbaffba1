//! The simulated phone: device 0 of an account, without sockets, clock or randomness of its own.
//!
//! Chapter 10 §2.1, §3, §9, §10 of the protocol, with chapter 02 §3.6 and §4.3 (linking), 04 §10–§17 (Signal),
//! 05 (messages), 07 §12.2 (app state) and 08 §11 (history). Stanzas in, stanzas out: the server hands the phone
//! what arrives for device 0 and routes what a [`Turn`] carries as if it came from the phone's connection. What a
//! real phone would ask the server for in between is the [`Network`] trait.

mod app_state;
mod app_state_fault;
mod chats;
mod compose;
mod history;
mod link;
mod media;
mod peer_data;
mod prekeys;
mod receive;
mod retry;
pub(crate) mod seen;
mod send;
mod sessions;
mod take;
mod tokens;
mod types;

use bytes::Bytes;
use prost::Message as _;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_core::Rng as _;
use thiserror::Error;
use wa_binary::{Jid, Node};
use wa_proto::business_cert::VerifiedNameCertificate;
use wa_proto::e2e_message::message::{ProtocolMessage, protocol_message};
use wa_proto::e2e_message::{LidMigrationMappingSyncMessage, Message};
use wa_proto::lid_migration::{LidMigrationMapping, LidMigrationMappingSyncPayload};
use wa_signal::{IdentityKeyPair, LocalIdentity};

pub use app_state::{AppAction, AppStateChange, AppStatePush};
pub use app_state_fault::AppStateFault;
pub use compose::Manner;
pub use history::{HistoryFault, HistoryPlan, MADE_UP_MESSAGES};
pub use link::{CompanionHello, LinkRequest, PrimaryHello, Reinstalled};
pub(crate) use media::kind_named;
pub use media::{File, FileBytes, MediaRetry};
pub use seen::{Download, FileSeen, Kind, Received};
pub use send::Misbehaviour;
pub use types::{
    Action, Addressing, Blob, GroupView, MessageRef, Network, Now, PhoneConfig, PhoneEvent, Turn,
};
pub use wa_core::content;
pub use wa_media::MediaKind;

use app_state::AppState;
use chats::Chats;
use link::Links;
use media::Files;
use prekeys::OwnKeys;
use retry::Retries;
use sessions::Peers;
use tokens::Tokens;

/// Why the phone refused.
#[derive(Debug, Error)]
pub enum PhoneError {
    /// The scanned text is no linking code.
    #[error("no linking code: {0}")]
    Qr(#[from] wa_core::login::LoginError),
    /// The typed code or the exchange behind it.
    #[error(transparent)]
    Code(#[from] wa_core::pairing_code::PairingCodeError),
    /// The passkey exchange.
    #[error(transparent)]
    Passkey(#[from] wa_core::passkey::PasskeyError),
    /// No such step is open.
    #[error("no {0} is open")]
    NotOpen(&'static str),
    /// No companion with this number.
    #[error("no companion {0}")]
    UnknownCompanion(u16),
    /// Nobody could be encrypted for.
    #[error("no device of {0} could be reached")]
    Unreachable(Jid),
    /// The group is unknown to the server.
    #[error("no group {0}")]
    UnknownGroup(Jid),
    /// The message that an action names is not here or not the phone's own.
    #[error("no message {0} to act on")]
    UnknownMessage(String),
    /// What is said cannot be sent.
    #[error(transparent)]
    Unsendable(#[from] content::Unsendable),
    /// The Signal layer.
    #[error(transparent)]
    Signal(#[from] wa_signal::SignalError),
    /// App state.
    #[error(transparent)]
    AppState(#[from] wa_core::app_state::AppStateError),
    /// Not one of the five collections.
    #[error("no collection {0}")]
    UnknownCollection(String),
    /// The phone is switched off.
    #[error("the phone is offline")]
    Offline,
}

/// Messages that the inbox keeps at least; older ones are dropped in one go once there are twice as many.
const MOST_IN_INBOX: usize = 20_000;

/// Device 0 of an account. See the module's introduction.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Phone {
    #[serde(with = "crate::state::foreign::one")]
    rng: ChaCha12Rng,
    pn: Jid,
    lid: Option<Jid>,
    name: String,
    locale: String,
    online: bool,
    #[serde(with = "crate::state::foreign::one")]
    local: LocalIdentity,
    keys: OwnKeys,
    links: Links,
    peers: Peers,
    retries: Retries,
    chats: Chats,
    inbox: Vec<Received>,
    app: AppState,
    app_fault: Option<AppStateFault>,
    /// Requests for keys that are answered late: the device, and the keys' ids.
    late_keys: Vec<(Jid, Vec<Bytes>)>,
    ignores_peer_data: bool,
    history: HistoryPlan,
    waiting_history: Vec<history::Notice>,
    meta_nonce: String,
    nct_salt: [u8; 32],
    tokens: Tokens,
    misbehaviour: Vec<Misbehaviour>,
    files: Files,
    media_retry: MediaRetry,
    /// Sends that are still to be held back, and those that are.
    hold: u32,
    #[serde(with = "crate::state::foreign::list")]
    held: Vec<Node>,
}

impl Phone {
    /// Sets a phone up: identity, keys, the first app-state key. Everything random follows from the seed.
    ///
    /// `pn` and `lid` are decimal users; a user that is not is taken as text.
    #[must_use]
    pub fn new(config: PhoneConfig, now: Now) -> Self {
        let mut rng = ChaCha12Rng::from_seed(config.seed);
        let jid = |user: &str, server| format!("{user}@{server}").parse().unwrap_or(Jid::SERVER);
        let local = identity(&mut rng);
        let mut keys = OwnKeys::new(&local, &mut rng);
        keys.upload_size = config.one_time_keys;
        let links = Links::new(&mut rng, config.key_index_gap);
        let mut nct_salt = [0; 32];
        rng.fill_bytes(&mut nct_salt);
        let mut nonce = [0; 16];
        rng.fill_bytes(&mut nonce);
        let app = AppState::new(&mut rng, now);
        Self {
            pn: jid(&config.pn, "s.whatsapp.net"),
            lid: config.lid.as_deref().map(|lid| jid(lid, "lid")),
            name: config.name,
            locale: config.locale,
            online: true,
            local,
            keys,
            links,
            peers: Peers::default(),
            retries: Retries::default(),
            chats: Chats::default(),
            inbox: Vec::new(),
            app,
            app_fault: None,
            late_keys: Vec::new(),
            ignores_peer_data: false,
            history: HistoryPlan::default(),
            waiting_history: Vec::new(),
            meta_nonce: hex::encode(nonce),
            nct_salt,
            tokens: Tokens::default(),
            misbehaviour: Vec::new(),
            files: Files::default(),
            media_retry: MediaRetry::default(),
            hold: 0,
            held: Vec::new(),
            rng,
        }
    }

    /// The certificate of a business name: the details as they are, signed with the account key.
    pub(crate) fn certify_name(&self, details: &[u8], random: &mut ChaCha12Rng) -> Vec<u8> {
        let signature = wa_crypto::xeddsa::sign(self.local.pair().key_pair().private(), &[details], random);
        let certificate = VerifiedNameCertificate {
            details: Some(Bytes::copy_from_slice(details)),
            signature: Some(Bytes::copy_from_slice(&signature)),
            server_signature: None,
        };
        certificate.encode_to_vec()
    }

    /// The phone-number address, without device.
    #[must_use]
    pub const fn pn(&self) -> &Jid {
        &self.pn
    }

    /// The LID address, without device; none for an account of the old style.
    #[must_use]
    pub const fn lid(&self) -> Option<&Jid> {
        self.lid.as_ref()
    }

    /// The push name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The ADV account key, which is the identity of device 0.
    #[must_use]
    pub fn account_key(&self) -> [u8; 32] {
        *self.local.identity_key().as_bytes()
    }

    /// Number of the account's epoch; changes with a re-installation.
    #[must_use]
    pub const fn raw_id(&self) -> u32 {
        self.links.raw_id()
    }

    /// What the phone decrypted, oldest first; at least the last 20,000.
    #[must_use]
    pub fn inbox(&self) -> &[Received] {
        &self.inbox
    }

    /// Whether the phone answers. While it does not, the server queues for it as for any device.
    #[must_use]
    pub const fn is_online(&self) -> bool {
        self.online
    }

    /// Switches the phone on or off.
    pub fn set_online(&mut self, online: bool) {
        self.online = online;
    }

    /// The key behind this account's `cstoken`s, which its companions learn from history and app state.
    #[must_use]
    pub const fn nct_salt(&self) -> &[u8; 32] {
        &self.nct_salt
    }

    /// The account has another number from now on; the LID stays (chapter 10 §4, number change). `user` is digits.
    pub fn change_number(&mut self, user: &str) {
        if let Ok(pn) = format!("{user}@s.whatsapp.net").parse() {
            self.pn = pn;
        }
    }

    /// The account's LID becomes known late, or is taken away. `user` is digits.
    pub fn set_lid(&mut self, user: Option<&str>) {
        self.lid = user.and_then(|user| format!("{user}@lid").parse().ok());
    }

    /// Tells every companion which LIDs belong to these numbers: the mapping-sync message (chapter 08 §5.1). Users are
    /// numbers: the phone number, then the LID.
    ///
    /// # Errors
    /// [`PhoneError`] when a companion cannot be encrypted for.
    pub fn tell_mappings(
        &mut self,
        mappings: &[(u64, u64)],
        network: &mut dyn Network,
        now: Now,
    ) -> Result<Turn, PhoneError> {
        let mapping = |&(pn, lid): &(u64, u64)| LidMigrationMapping {
            pn: Some(pn),
            assigned_lid: Some(lid),
            latest_lid: Some(lid),
        };
        let payload = LidMigrationMappingSyncPayload {
            pn_to_lid_mappings: mappings.iter().map(mapping).collect(),
            chat_db_migration_timestamp: Some(now.seconds()),
        };
        let sync =
            LidMigrationMappingSyncMessage { encoded_mapping_payload: Some(payload.encode_to_vec().into()) };
        let protocol = ProtocolMessage {
            r#type: Some(protocol_message::Type::LidMigrationMappingSync as i32),
            lid_migration_mapping_sync_message: Some(Box::new(sync)),
            ..Default::default()
        };
        let message = Message { protocol_message: Some(Box::new(protocol)), ..Default::default() };
        let mut turn = Turn::default();
        for device in self.companions().collect::<Vec<_>>() {
            turn.stanzas.push(self.peer_stanza(device, &message, "high", network, now)?.1);
        }
        Ok(turn)
    }

    /// What companions are sent as history.
    pub fn set_history(&mut self, plan: HistoryPlan) {
        self.history = plan;
    }

    /// Whether requests of companions for data stay without answer.
    pub fn ignore_peer_data(&mut self, ignores: bool) {
        self.ignores_peer_data = ignores;
    }

    /// What goes wrong with app state, as far as it is the phone's to do.
    pub fn set_app_state_fault(&mut self, fault: Option<AppStateFault>) {
        self.app_fault = fault;
    }

    /// Makes the next sends wrong in a given way (chapter 10 §11 "encryption"); each is used once, in order.
    pub fn misbehave(&mut self, how: Misbehaviour) {
        self.misbehaviour.push(how);
    }

    /// Whether `jid` is this account, in either family, whatever the device.
    fn is_own(&self, jid: &Jid) -> bool {
        jid.same_user(&self.pn) || self.lid.as_ref().is_some_and(|lid| jid.same_user(lid))
    }

    /// The own address in the family of `of`, PN where there is no LID.
    fn own_in_family_of(&self, of: &Jid) -> &Jid {
        match &self.lid {
            Some(lid) if of.is_lid() => lid,
            _ => &self.pn,
        }
    }

    /// The address that sessions and chats go by: the LID where there is one.
    fn own(&self) -> &Jid {
        self.lid.as_ref().unwrap_or(&self.pn)
    }

    /// An id as Android phones make them: 32 hexadecimal digits, the first byte `AC`.
    fn message_id(&mut self) -> String {
        let mut bytes = [0; 16];
        self.rng.fill_bytes(&mut bytes);
        bytes[0] = 0xAC;
        hex::encode_upper(bytes)
    }

    fn stanza_id(&mut self) -> String {
        let mut bytes = [0; 4];
        self.rng.fill_bytes(&mut bytes);
        format!("p.{}", hex::encode(bytes))
    }
}

impl core::fmt::Debug for Phone {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Phone").field("pn", &self.pn).field("lid", &self.lid).finish_non_exhaustive()
    }
}

fn identity(rng: &mut ChaCha12Rng) -> LocalIdentity {
    let pair = IdentityKeyPair::generate(rng);
    // Registration ids are non-zero and at most 14 bits on phones (chapter 01 §5).
    let registration_id = rng.next_u32() % 16_380 + 1;
    LocalIdentity::new(pair, registration_id)
}

/// The content of a child element, if it has one.
fn child_bytes(node: &Node, tag: &str) -> Option<Bytes> {
    node.optional_child(tag)?.optional_bytes().map(|bytes| Bytes::copy_from_slice(&bytes))
}

#[cfg(test)]
mod tests;
