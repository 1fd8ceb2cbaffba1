//! The pre-key store of one device (chapters 02 §6.5, 10 §4): strict first in, first out.

use std::collections::{BTreeMap, VecDeque};

use wa_core::prekeys::{Bundle, SignedKey, Upload};
use wa_crypto::curve::PublicKey;

/// Identity, signed pre-key and one-time pre-keys of a device.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Stock {
    /// Registration id.
    pub registration_id: u32,
    /// Identity key without type byte.
    pub identity: [u8; 32],
    /// The present signed pre-key.
    #[serde(with = "crate::state::foreign::one")]
    pub signed: SignedKey,
    one_time: VecDeque<(u32, [u8; 32])>,
    /// The start of each key that was handed out, to notice an id that comes back with another key.
    spent: BTreeMap<u32, [u8; 4]>,
    /// A low notice went out since the last upload.
    pub low_notice_sent: bool,
    /// Uploads so far.
    pub uploads: u32,
}

/// What fetching a bundle leaves to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Enough keys.
    Full,
    /// The low notice is due.
    Low(usize),
}

impl Stock {
    /// A stock without one-time keys, as a registration gives it.
    #[must_use]
    pub fn new(registration_id: u32, identity: [u8; 32], signed: SignedKey) -> Self {
        Self {
            registration_id,
            identity,
            signed,
            one_time: VecDeque::new(),
            spent: BTreeMap::new(),
            low_notice_sent: false,
            uploads: 0,
        }
    }

    /// A stock from what a device uploads.
    #[must_use]
    pub fn of(upload: &Upload) -> Self {
        let mut stock = Self::new(upload.registration_id, *upload.identity.as_bytes(), upload.signed);
        stock.upload(&upload.one_time);
        stock
    }

    /// The bundle with this one-time key.
    #[must_use]
    pub fn bundle(&self, one_time: Option<(u32, [u8; 32])>, device_identity: Option<bytes::Bytes>) -> Bundle {
        Bundle {
            registration_id: self.registration_id,
            identity: PublicKey::from_bytes(self.identity),
            signed: self.signed,
            one_time: one_time.map(|(id, key)| (id, PublicKey::from_bytes(key))),
            device_identity,
        }
    }

    /// Appends keys; a known id is replaced where it stands. Gives the ids that came back with another key.
    pub fn upload(&mut self, keys: &[(u32, PublicKey)]) -> Vec<u32> {
        let mut reused = Vec::new();
        let mut places: BTreeMap<u32, usize> =
            self.one_time.iter().enumerate().map(|(at, (id, _))| (*id, at)).collect();
        for (id, key) in keys {
            let key = key.as_bytes();
            if self.spent.get(id).is_some_and(|start| start[..] != key[..4]) {
                reused.push(*id);
            }
            if let Some(at) = places.get(id) {
                let slot = &mut self.one_time[*at];
                if slot.1 != *key {
                    reused.push(*id);
                }
                slot.1 = *key;
            } else {
                places.insert(*id, self.one_time.len());
                self.one_time.push_back((*id, *key));
            }
        }
        self.low_notice_sent = false;
        self.uploads += 1;
        reused
    }

    /// Takes the oldest one-time key.
    pub fn take(&mut self) -> Option<(u32, [u8; 32])> {
        let (id, key) = self.one_time.pop_front()?;
        self.spent.insert(id, [key[0], key[1], key[2], key[3]]);
        Some((id, key))
    }

    /// Forgets all one-time keys but `left` (the exhaustion fault).
    pub fn truncate(&mut self, left: usize) {
        self.one_time.truncate(left);
    }

    /// Whether a one-time key with this id was handed out.
    #[must_use]
    pub fn was_spent(&self, id: u32) -> bool {
        self.spent.contains_key(&id)
    }

    /// One-time keys left, oldest first.
    pub fn one_time(&self) -> impl ExactSizeIterator<Item = &(u32, [u8; 32])> {
        self.one_time.iter()
    }

    /// Number of one-time keys left.
    #[must_use]
    pub fn len(&self) -> usize {
        self.one_time.len()
    }

    /// Whether none is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.one_time.is_empty()
    }

    /// Whether the low notice is due; marks it as sent.
    pub fn level(&mut self, threshold: usize) -> Level {
        if self.one_time.len() < threshold && !self.low_notice_sent && self.uploads > 0 {
            self.low_notice_sent = true;
            return Level::Low(self.one_time.len());
        }
        Level::Full
    }

    /// The digest of chapter 02 §6.3: SHA-1 over identity, signed pre-key, its signature and the one-time keys.
    #[must_use]
    pub fn digest(&self) -> [u8; 20] {
        let mut parts: Vec<&[u8]> =
            vec![&self.identity, self.signed.public.as_bytes(), &self.signed.signature];
        parts.extend(self.one_time.iter().map(|(_, key)| &key[..]));
        wa_crypto::digest::sha1(&parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stock() -> Stock {
        Stock::new(
            1,
            [1; 32],
            SignedKey { id: 1, public: PublicKey::from_bytes([2; 32]), signature: [0; 64] },
        )
    }

    fn keys(pairs: &[(u32, u8)]) -> Vec<(u32, PublicKey)> {
        pairs.iter().map(|(id, byte)| (*id, PublicKey::from_bytes([*byte; 32]))).collect()
    }

    #[test]
    fn one_time_keys_leave_in_the_order_they_came() {
        let mut stock = stock();
        assert!(stock.upload(&keys(&[(1, 1), (2, 2)])).is_empty());
        assert!(stock.upload(&keys(&[(3, 3)])).is_empty());
        assert_eq!(stock.take(), Some((1, [1; 32])));
        assert_eq!(stock.take(), Some((2, [2; 32])));
        assert_eq!(stock.take(), Some((3, [3; 32])));
        assert_eq!(stock.take(), None);
    }

    #[test]
    fn an_id_that_comes_back_with_another_key_is_reported() {
        let mut stock = stock();
        stock.upload(&keys(&[(1, 1), (2, 2)]));
        stock.take();
        assert_eq!(stock.upload(&keys(&[(1, 9), (2, 8)])), [1, 2]);
        assert!(stock.upload(&keys(&[(2, 8)])).is_empty());
    }

    #[test]
    fn the_low_notice_is_due_once_per_upload() {
        let mut stock = stock();
        assert_eq!(stock.level(10), Level::Full);
        stock.upload(&keys(&[(1, 1)]));
        assert_eq!(stock.level(10), Level::Low(1));
        assert_eq!(stock.level(10), Level::Full);
        stock.upload(&keys(&[(2, 1)]));
        assert_eq!(stock.level(10), Level::Low(2));
    }
}
