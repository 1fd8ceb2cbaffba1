//! The device's own identity and credentials (chapters 01 §5, 02 §1, §3 step 9, §6).

use bytes::Bytes;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use wa_crypto::Secret;

use super::record;
use crate::UnixTime;
use crate::address::{Address, User};

/// An X25519 key pair, both halves as stored by the protocol (no type byte).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPair {
    /// The public half.
    pub public: [u8; 32],
    /// The private half.
    #[serde(with = "super::secret")]
    pub private: Secret<32>,
}

/// Identity and credentials: made before the first connect, completed by linking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Static key of the Noise handshake.
    pub noise_key: KeyPair,
    /// Identity key of all sessions.
    pub identity_key: KeyPair,
    /// Non-zero.
    pub registration_id: u32,
    /// Proves to us that the phone has seen our QR code (02 §3).
    #[serde(with = "super::secret")]
    pub adv_secret: Secret<32>,
    /// Id of the signed pre-key that the server has.
    pub signed_prekey_id: u32,
    /// When that one was put there; `None` before the first rotation check.
    pub signed_prekey_since: Option<UnixTime>,
    /// Next one-time pre-key id to generate: 1 to 16 777 215, then 1 again.
    pub next_prekey_id: u32,
    /// First one-time pre-key id that was never offered to the server.
    pub first_unuploaded_prekey_id: u32,
    /// Whether the server has our pre-keys.
    pub server_has_prekeys: bool,
    /// Successful logins since linking (`lc`, 01 §5).
    pub login_counter: u32,
    /// Own push name; empty if unknown.
    pub push_name: CompactString,
    /// What linking brought; `None` while not linked.
    pub registration: Option<Registration>,
}

/// What linking brings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Own phone-number address with the device number.
    pub pn: Address,
    /// Own LID; its device number is that of `pn`.
    pub lid: Option<User>,
    /// ADVSignedDeviceIdentity as protobuf bytes, device signature included (02 §2).
    pub device_identity: Bytes,
    /// Key index of the ADV details.
    pub key_index: u32,
    /// Platform of the phone, as the server names it.
    pub platform: CompactString,
    /// Business name, if the account is one.
    pub business_name: Option<CompactString>,
    /// Whether the account's chats are keyed by LID.
    pub lid_migrated: bool,
    /// When the device was linked.
    pub linked_at: UnixTime,
}

record!(Device);
