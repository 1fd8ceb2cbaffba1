//! Sync keys: their ids, their expansion and which one to write with (chapter 07 §2).

use core::cmp::Reverse;
use std::collections::HashMap;

use bytes::Bytes;
use wa_crypto::{Secret, kdf};

/// A key as the phone shares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncKey {
    /// Opaque for look-ups; see [`key_device_and_epoch`].
    pub id: Bytes,
    /// The secret itself.
    pub data: Secret<32>,
    /// When it was made, milliseconds.
    pub timestamp_ms: i64,
}

/// The five keys that one sync key expands to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpandedKeys {
    /// HMAC over an index.
    pub index: Secret<32>,
    /// AES-256-CBC of a value.
    pub value_encryption: Secret<32>,
    /// HMAC-SHA-512 over a value.
    pub value_mac: Secret<32>,
    /// HMAC over a collection's state.
    pub snapshot_mac: Secret<32>,
    /// HMAC over a patch.
    pub patch_mac: Secret<32>,
}

impl ExpandedKeys {
    /// Expands a key's 32 bytes.
    pub fn new(data: &Secret<32>) -> Self {
        let all: Secret<160> = kdf::hkdf(&[], data.expose(), b"WhatsApp Mutation Keys");
        let part = |index: usize| {
            let mut key = [0; 32];
            key.copy_from_slice(&all.expose()[32 * index..32 * (index + 1)]);
            Secret::new(key)
        };
        Self {
            index: part(0),
            value_encryption: part(1),
            value_mac: part(2),
            snapshot_mac: part(3),
            patch_mac: part(4),
        }
    }
}

/// Device and epoch of a 6-byte key id; `None` for an id of another length, which is only looked up.
pub fn key_device_and_epoch(id: &[u8]) -> Option<(u16, u32)> {
    let [d0, d1, epoch @ ..] = id else { return None };
    Some((u16::from_be_bytes([*d0, *d1]), u32::from_be_bytes(epoch.try_into().ok()?)))
}

/// A 6-byte key id.
pub fn key_id(device: u16, epoch: u32) -> Bytes {
    let mut id = Vec::with_capacity(6);
    id.extend_from_slice(&device.to_be_bytes());
    id.extend_from_slice(&epoch.to_be_bytes());
    id.into()
}

/// The key to write with: highest epoch, ties by the lower device; keys of `expired_epoch` or below are out. Ids without
/// an epoch come last, the newest first.
pub fn active_key<'k>(
    keys: impl IntoIterator<Item = &'k SyncKey>,
    expired_epoch: Option<u32>,
) -> Option<&'k SyncKey> {
    keys.into_iter()
        .filter_map(|key| match key_device_and_epoch(&key.id) {
            Some((_, epoch)) if expired_epoch.is_some_and(|expired| epoch <= expired) => None,
            Some((device, epoch)) => Some(((Some(epoch), Reverse(device), key.timestamp_ms), key)),
            None => Some(((None, Reverse(0), key.timestamp_ms), key)),
        })
        .max_by_key(|(rank, _)| *rank)
        .map(|(_, key)| key)
}

/// All keys of an account, expanded once each.
#[derive(Clone, Debug, Default)]
pub struct KeyRing {
    keys: HashMap<Bytes, (SyncKey, ExpandedKeys)>,
    expired_epoch: Option<u32>,
}

impl KeyRing {
    /// Takes a key in. One that is there already is replaced only by a newer timestamp; gives whether it was taken.
    pub fn insert(&mut self, key: SyncKey) -> bool {
        if self.keys.get(&key.id).is_some_and(|(known, _)| key.timestamp_ms <= known.timestamp_ms) {
            return false;
        }
        let expanded = ExpandedKeys::new(&key.data);
        self.keys.insert(key.id.clone(), (key, expanded));
        true
    }

    /// Marks all epochs up to this one as expired (the `sentinel` action): read with, never written with.
    pub fn expire(&mut self, epoch: u32) {
        self.expired_epoch = self.expired_epoch.max(Some(epoch));
    }

    /// The expansion of a key.
    pub fn expanded(&self, id: &[u8]) -> Option<&ExpandedKeys> {
        self.keys.get(id).map(|(_, expanded)| expanded)
    }

    /// The key itself, to share it.
    pub fn key(&self, id: &[u8]) -> Option<&SyncKey> {
        self.keys.get(id).map(|(key, _)| key)
    }

    /// The key to write with.
    pub fn active(&self) -> Option<(&SyncKey, &ExpandedKeys)> {
        let id = &active_key(self.keys.values().map(|(key, _)| key), self.expired_epoch)?.id;
        self.keys.get(id).map(|(key, expanded)| (key, expanded))
    }

    /// Keys in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &SyncKey> {
        self.keys.values().map(|(key, _)| key)
    }
}

impl FromIterator<SyncKey> for KeyRing {
    fn from_iter<I: IntoIterator<Item = SyncKey>>(keys: I) -> Self {
        let mut ring = Self::default();
        for key in keys {
            ring.insert(key);
        }
        ring
    }
}
