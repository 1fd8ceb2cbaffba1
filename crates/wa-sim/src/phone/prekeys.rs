//! The phone's own pre-keys (chapter 02 §6, chapter 04 §11.4).

use std::collections::BTreeMap;

use rand_chacha::ChaCha12Rng;
use wa_core::prekeys::{DirectKey, SignedKey, Upload, Watermarks};
use wa_crypto::curve::PublicKey;
use wa_signal::{LocalIdentity, OwnPreKeys, PreKey, PreKeySignalMessage, SignedPreKey};

use super::Phone;

/// Signed and one-time pre-keys that may still be used by somebody.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct OwnKeys {
    #[serde(with = "crate::state::foreign::one")]
    signed: SignedPreKey,
    #[serde(with = "crate::state::foreign::values")]
    one_time: BTreeMap<u32, PreKey>,
    #[serde(with = "crate::state::foreign::one")]
    marks: Watermarks,
    /// Keys in an upload after a low notice.
    pub(super) upload_size: u32,
}

impl OwnKeys {
    pub(super) fn new(local: &LocalIdentity, rng: &mut ChaCha12Rng) -> Self {
        Self {
            signed: SignedPreKey::generate(1, local.pair(), rng),
            one_time: BTreeMap::new(),
            marks: Watermarks::default(),
            upload_size: 100,
        }
    }

    pub(super) fn upload(&mut self, local: &LocalIdentity, count: u32, rng: &mut ChaCha12Rng) -> Upload {
        let plan = self.marks.plan(count, |id| self.one_time.contains_key(&id));
        for id in &plan.fresh {
            self.one_time.insert(*id, PreKey::generate(*id, rng));
        }
        self.marks = plan.after;
        let one_time = plan.again.iter().chain(&plan.fresh);
        Upload {
            registration_id: local.registration_id(),
            identity: *local.identity_key().public_key(),
            signed: self.signed(),
            one_time: one_time
                .filter_map(|id| self.one_time.get(id))
                .map(|key| (key.id, *key.pair.public()))
                .collect(),
        }
    }

    pub(super) fn signed(&self) -> SignedKey {
        SignedKey { id: self.signed.id, public: *self.signed.pair.public(), signature: self.signed.signature }
    }

    /// A key that goes to one peer in a retry receipt.
    pub(super) fn direct(&mut self, rng: &mut ChaCha12Rng) -> (u32, PublicKey) {
        let (direct, after) = self.marks.take_direct(|id| self.one_time.contains_key(&id));
        self.marks = after;
        let (DirectKey::Made(id) | DirectKey::Fresh(id)) = direct;
        let key = self.one_time.entry(id).or_insert_with(|| PreKey::generate(id, rng));
        (id, *key.pair.public())
    }

    /// The keys that a message names, as far as they are here.
    pub(super) fn named_by(&self, message: &PreKeySignalMessage<'_>) -> OwnPreKeys<'_> {
        OwnPreKeys {
            signed: Some(&self.signed).filter(|key| key.id == message.signed_pre_key_id()),
            one_time: message.pre_key_id().and_then(|id| self.one_time.get(&id)),
        }
    }

    pub(super) fn consume(&mut self, id: u32) {
        self.one_time.remove(&id);
    }
}

impl Phone {
    /// Identity, registration id, signed pre-key and `one_time_keys` new one-time keys for the server's key store.
    pub fn upload(&mut self, one_time_keys: u32) -> Upload {
        self.keys.upload(&self.local, one_time_keys, &mut self.rng)
    }
}
