//! Pre-keys, sessions and sender-key distribution (chapter 04 §11, §17, §22; 02 §6).

use bytes::Bytes;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::device::KeyPair;
use super::record;
use crate::UnixTime;

/// An own one-time pre-key. It is deleted in the commit that stores the session it opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreKey {
    /// The key.
    pub key: KeyPair,
    /// Whether the server may have it.
    pub state: PreKeyState,
}

/// How far a one-time pre-key has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PreKeyState {
    /// Never offered.
    Generated,
    /// Offered in an upload or a retry receipt: never offer it again.
    Offered,
}

/// An own signed pre-key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedPreKey {
    /// The key.
    pub key: KeyPair,
    /// 64 bytes: XEdDSA by the identity key over the serialized public half.
    pub signature: Bytes,
    /// When it was made.
    pub created: UnixTime,
    /// Whether the server has it.
    pub state: SignedPreKeyState,
}

/// How far a signed pre-key has come (02 §6.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignedPreKeyState {
    /// Sent in a rotation whose answer is not known.
    Staged,
    /// The one that the server gives out.
    Current,
    /// Kept for late messages.
    Old,
}

/// A session record with the store's own mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The record, encoded by the Signal crate.
    pub record: Bytes,
    /// Whether its sending chain may be used.
    pub sending: Sending,
}

impl Session {
    /// A session in normal use.
    pub const fn new(record: Bytes) -> Self {
        Self { record, sending: Sending::Allowed }
    }
}

/// Whether a session's sending chain may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sending {
    /// Yes.
    Allowed,
    /// Never: the record comes from a restored copy, and the original may have sent with the same chain since. It may
    /// still decrypt what is on its way; before anything is sent, a new session is built from a fetched bundle.
    Discarded,
}

/// That a device has (or will have) our sender key of a chat. Bound to a key id: a new key clears all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DistributionMark {
    /// Id of the sender key.
    pub key_id: u32,
    /// Whether the distribution has arrived at the server.
    pub state: MarkState,
}

/// How far a distribution has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MarkState {
    /// It stands in the sealed stanza of this message id; dropped when that one is refused or discarded.
    Pending(CompactString),
    /// The server has acknowledged that stanza.
    Confirmed,
}

record!(PreKey, SignedPreKey, Session, DistributionMark);
