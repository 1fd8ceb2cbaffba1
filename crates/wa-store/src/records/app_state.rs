//! App state: keys, collections, record MACs (chapter 07 §1.2).

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use wa_crypto::Secret;

use super::record;
use crate::UnixTime;

/// A sync key as the phone shared it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppStateKey {
    /// The key data.
    #[serde(with = "super::secret")]
    pub key: Secret<32>,
    /// The phone's time of it; a newer one replaces the stored key.
    pub timestamp: UnixTime,
    /// AppStateSyncKeyFingerprint as protobuf bytes; empty if there was none.
    pub fingerprint: Bytes,
    /// Order of arrival, as a tie-breaker.
    pub arrival: u64,
}

/// The aggregate hash of a collection: 128 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct LtHash(pub [u8; 128]);

impl std::fmt::Debug for LtHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LtHash({:02x}{:02x}..)", self.0[0], self.0[1])
    }
}

impl Serialize for LtHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for LtHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Bytes::deserialize(deserializer)?;
        let array = <[u8; 128]>::try_from(&bytes[..]);
        array.map(Self).map_err(|_| serde::de::Error::invalid_length(bytes.len(), &"128 bytes"))
    }
}

/// Where a collection stands. Written in one commit with the record MACs of the same patch or snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collection {
    /// Version of the last patch that was applied.
    pub version: u64,
    /// Hash over all records.
    pub hash: LtHash,
    /// Whether it can be trusted.
    pub state: CollectionState,
}

/// Whether a collection can be trusted (07 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CollectionState {
    /// Never synchronized.
    New,
    /// In order.
    Synced,
    /// The hash does not agree with the server's.
    Diverged,
}

/// The MAC of one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordMac {
    /// The record's value MAC.
    pub value_mac: [u8; 32],
    /// Id of its key.
    pub key_id: Bytes,
    /// The version that it came with.
    pub version: u64,
}

record!(AppStateKey, Collection, RecordMac);
