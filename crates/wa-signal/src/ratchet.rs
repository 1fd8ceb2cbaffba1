//! The two steps of the double ratchet: root and chain (chapter 04 §4).

use wa_crypto::Secret;
use wa_crypto::curve::{PrivateKey, PublicKey};
use wa_crypto::kdf::hkdf;
use wa_crypto::mac::HmacKey;

use crate::SignalError;
use crate::error::agreement_error;

/// What a chain key MACs to give a message seed.
pub(crate) const SEED: [u8; 1] = [1];
/// What it MACs to give the next chain key.
pub(crate) const NEXT: [u8; 1] = [2];

/// A root key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootKey(Secret<32>);

/// A chain key, without its index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainKey(Secret<32>);

/// The seed of one message: all that must be kept for a skipped one.
pub type MessageSeed = Secret<32>;

impl RootKey {
    /// From stored bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// The bytes, for the store.
    pub const fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// One root step: the next root key and the chain key of the new chain.
    ///
    /// # Errors
    /// [`crate::Malformed::LowOrderKey`].
    pub fn step(&self, ours: &PrivateKey, theirs: &PublicKey) -> Result<(Self, ChainKey), SignalError> {
        let shared = ours.agree(theirs).map_err(agreement_error)?;
        let out: Secret<64> = hkdf(self.expose(), shared.expose(), b"WhisperRatchet");
        Ok(split(&out))
    }
}

impl ChainKey {
    /// From stored bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// The bytes, for the store.
    pub const fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// One chain step: the seed of the message at this place, and the next chain key.
    pub fn step(&self) -> (MessageSeed, Self) {
        let keyed = HmacKey::new(self.expose());
        (Secret::new(keyed.mac(&[&SEED])), Self(Secret::new(keyed.mac(&[&NEXT]))))
    }

    /// The next chain key, when the message at this place is not wanted.
    #[must_use]
    pub fn skip(&self) -> Self {
        Self(Secret::new(HmacKey::new(self.expose()).mac(&[&NEXT])))
    }
}

/// Root key and chain key out of 64 derived bytes.
pub(crate) fn split(out: &Secret<64>) -> (RootKey, ChainKey) {
    let (mut root, mut chain) = ([0; 32], [0; 32]);
    root.copy_from_slice(&out.expose()[..32]);
    chain.copy_from_slice(&out.expose()[32..]);
    (RootKey::new(root), ChainKey::new(chain))
}
