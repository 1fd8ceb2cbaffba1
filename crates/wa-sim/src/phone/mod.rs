//! The simulated phone: device 0 of an account, without sockets, clock or randomness of its own.
//!
//! Chapter 10 §2.1, §3, §9, §10 of the protocol, with chapter 02 §3.6 and §4.3 (linking), 04 §10–§17 (Signal),
//! 05 (messages), 07 §12.2 (app state) and 08 §11 (history). Stanzas in, stanzas out: the server hands the phone
//! what arrives for device 0 and routes what a [`Turn`] carries as if it came from the phone's connection. What a
//! real phone would ask the server for in between is the [`Network`] trait.

use bytes::Bytes;
use wa_binary::{Jid, Node};

/// The present, given with every call. Seconds of stanzas and signatures, milliseconds of app state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now {
    /// Milliseconds since 1970.
    pub unix_ms: u64,
}

/// What the phone would otherwise fetch over its connection. The server implements it over its state minus the
/// phones (which it splits off for the call).
pub trait Network {
    /// All devices of a user, device 0 included, in the family (PN or LID) of `user`, which carries no device.
    /// Empty for an unknown user.
    fn devices(&mut self, user: &Jid) -> Vec<Jid>;
    /// The bundle of one device; consumes a one-time key of its stock. `None` for an unknown device.
    fn bundle(&mut self, device: &Jid) -> Option<wa_core::prekeys::Bundle>;
    /// The LID user of a PN user and the reverse; `None` when the account has no other form.
    fn alternate(&mut self, user: &Jid) -> Option<Jid>;
    /// Participants of a group (users without device) in the family that the group is addressed in.
    fn group(&mut self, group: &Jid) -> Option<GroupView>;
    /// Puts an encrypted file on the media host and gives its direct path.
    fn store_blob(&mut self, blob: Blob) -> String;
}

/// An encrypted file for the media host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Kind as in the media URL: `md-msg-hist` or `md-app-state`.
    pub kind: &'static str,
    /// Ciphertext with its MAC.
    pub bytes: Bytes,
    /// SHA-256 of `bytes`.
    pub enc_sha256: [u8; 32],
}

/// What the phone needs to know of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupView {
    /// Users without device, in the group's family.
    pub participants: Vec<Jid>,
    /// Family of the group.
    pub addressing: Addressing,
}

/// Family of a group's participants (`addressing_mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressing {
    /// Phone numbers.
    Pn,
    /// LIDs.
    Lid,
}

/// What the phone says in answer to one input.
#[derive(Clone, Debug, Default)]
pub struct Turn {
    /// Stanzas for the server, in order: `<message>`, `<receipt>`, `<ack>`, `<iq>`.
    pub stanzas: Vec<Node>,
    /// What the phone learnt, for logs, the inbox endpoint and tests.
    pub events: Vec<PhoneEvent>,
}

/// How a new phone is set up.
#[derive(Clone, Debug)]
pub struct PhoneConfig {
    /// Phone number user, digits.
    pub pn: String,
    /// LID user, digits; `None` for an account of the old style.
    pub lid: Option<String>,
    /// Push name.
    pub name: String,
    /// e.g. `en_US`.
    pub locale: String,
    /// Seed of every random byte of this phone.
    pub seed: [u8; 32],
    /// One-time keys in the first upload.
    pub one_time_keys: u32,
}

/// A link that the phone has signed (chapter 02 §3.6 step 6), for the server to carry out.
#[derive(Clone, Debug)]
pub struct LinkRequest {
    /// The ref that names the waiting connection.
    pub reference: String,
    /// The companion's noise key, which must be that of the waiting connection.
    pub noise_key: [u8; 32],
    /// The companion's identity.
    pub identity: [u8; 32],
    /// `ADVSignedDeviceIdentityHMAC` for `pair-success`.
    pub container: Bytes,
    /// The key index that `pair-device-sign` must repeat.
    pub key_index: u32,
    /// `ADVSignedKeyIndexList` of the set with the new device.
    pub key_index_list: Bytes,
}

/// `link_code_companion_reg` stage `companion_hello` as it reaches the phone (chapter 02 §4.3 step 1).
#[derive(Clone, Debug)]
pub struct CompanionHello {
    /// The server's ref of this attempt.
    pub reference: Bytes,
    /// 80 bytes.
    pub wrapped_ephemeral: Bytes,
    /// `companion_server_auth_key_pub`.
    pub noise_key: [u8; 32],
}

/// What the phone answers to a typed code: goes to the companion as `primary_hello`.
#[derive(Clone, Debug)]
pub struct PrimaryHello {
    /// The ref of the attempt.
    pub reference: Bytes,
    /// 80 bytes.
    pub wrapped_ephemeral: Bytes,
    /// The account key.
    pub identity: [u8; 32],
}

/// What a re-installation changes for the server.
#[derive(Clone, Debug)]
pub struct Reinstalled {
    /// New keys of device 0.
    pub upload: wa_core::prekeys::Upload,
    /// Companions that are no longer linked.
    pub dropped: Vec<u16>,
    /// The new, empty key-index list.
    pub key_index_list: Bytes,
}

/// A change of one app-state collection, to be stored by the server as one push of device 0.
#[derive(Clone, Debug)]
pub struct AppStatePush {
    /// Wire name, e.g. `critical_block`.
    pub collection: &'static str,
    /// Version before the push.
    pub base_version: u64,
    /// `SyncdPatch` without version.
    pub patch: Bytes,
}

/// A deed of the phone's user (chapter 10 §10). `chat` is a user or group without device.
#[derive(Clone, Debug)]
pub enum Action {
    /// A text, optionally as a reply.
    Text { chat: Jid, text: String, quote: Option<MessageRef> },
    /// A reaction; empty text takes it back.
    React { target: MessageRef, emoji: String },
    /// A new text for an own message.
    Edit { target: MessageRef, text: String },
    /// Deletes an own message for everyone.
    Revoke { target: MessageRef },
    /// Read receipts for everything unread in the chat.
    Read { chat: Jid },
    /// `composing` or `paused`.
    Typing { chat: Jid, composing: bool },
}

/// Names a message (chapter 05 §1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRef {
    /// Chat without device.
    pub chat: Jid,
    /// Author without device.
    pub sender: Jid,
    /// Message id.
    pub id: String,
    /// True when this account wrote it.
    pub from_me: bool,
}

impl Phone {
    pub fn new(config: PhoneConfig, now: Now) -> Self;
    /// Identity, registration id, signed pre-key and one-time keys for the server's key store.
    pub fn upload(&mut self, one_time_keys: u32) -> wa_core::prekeys::Upload;
    pub fn account_key(&self) -> [u8; 32];
    pub fn raw_id(&self) -> u32;
    pub fn pn(&self) -> &Jid;
    pub fn lid(&self) -> Option<&Jid>;
    pub fn name(&self) -> &str;
    pub fn inbox(&self) -> &[Received];
    pub fn is_online(&self) -> bool; // the server queues for an offline phone as for any device
    pub fn set_online(&mut self, online: bool);

    // Linking
    pub fn scan_qr(&mut self, text: &str, now: Now) -> Result<LinkRequest, PhoneError>;
    pub fn enter_code(&mut self, hello: &CompanionHello, code: &str) -> Result<PrimaryHello, PhoneError>;
    pub fn companion_finish(&mut self, reference: &[u8], wrapped_bundle: &[u8], identity: &[u8], now: Now) -> Result<LinkRequest, PhoneError>;
    pub fn passkey_prologue(&mut self, prologue: &[u8]) -> Result<Bytes, PhoneError>; // primary_ephemeral_identity
    pub fn passkey_reveal(&mut self, nonce: &[u8]) -> Result<String, PhoneError>;     // the code to compare
    pub fn passkey_request(&mut self, encrypted: &[u8], reference: &str, now: Now) -> Result<LinkRequest, PhoneError>;
    /// After the server has checked `pair-device-sign` (wa_core::adv::check_device_reply).
    pub fn link_completed(&mut self, key_index: u32, device: u16) -> Result<(), PhoneError>;
    pub fn link_failed(&mut self, key_index: u32);
    pub fn unlink(&mut self, device: u16, now: Now) -> Result<Bytes, PhoneError>; // new key-index list
    pub fn key_index_list(&mut self, now: Now) -> Bytes;
    /// Key share, bootstrap history and the rest of the script: once the companion has uploaded pre-keys.
    pub fn welcome(&mut self, device: u16, network: &mut dyn Network, now: Now) -> Result<Turn, PhoneError>;
    pub fn reinstall(&mut self, now: Now) -> Reinstalled;

    // Messages
    pub fn receive(&mut self, stanza: &Node, network: &mut dyn Network, now: Now) -> Turn;
    pub fn act(&mut self, action: Action, network: &mut dyn Network, now: Now) -> Result<Turn, PhoneError>;

    // App state
    /// First patches of a new account: name and locale in `critical_block`.
    pub fn initial_app_state(&mut self, now: Now) -> Vec<AppStatePush>;
    pub fn set_name(&mut self, name: &str, now: Now) -> Result<AppStatePush, PhoneError>;
    pub fn app_state_accepted(&mut self, collection: &str, version: u64, patch: &[u8]) -> Result<Vec<AppStateChange>, PhoneError>;
    pub fn app_state_snapshot(&mut self, collection: &str, network: &mut dyn Network) -> Result<Bytes, PhoneError>; // ExternalBlobReference
}
