//! Identity keys, pre-keys and bundles (chapter 04 §1, §11). One draw of 32 bytes makes one key pair.

use rand_core::CryptoRng;
use wa_crypto::curve::{KeyPair, PublicKey};
use wa_crypto::digest::sha256;
use wa_crypto::{CryptoError, Secret, xeddsa};

use crate::limits::MAX_PRE_KEY_ID;
use crate::{Malformed, SignalError};

/// The long-term public key of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdentityKey(PublicKey);

impl IdentityKey {
    /// From the 33-byte form of Signal messages.
    ///
    /// # Errors
    /// [`Malformed::Field`] unless it is the byte 5 and 32 more.
    pub fn from_serialized(bytes: &[u8]) -> Result<Self, SignalError> {
        Ok(Self(PublicKey::from_serialized(bytes).map_err(|_| Malformed::Field("identity key"))?))
    }

    /// The key itself.
    pub const fn public_key(&self) -> &PublicKey {
        &self.0
    }

    /// The raw 32 bytes of stanzas.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The 33-byte form.
    pub fn serialized(&self) -> [u8; 33] {
        self.0.serialized()
    }
}

impl From<PublicKey> for IdentityKey {
    fn from(key: PublicKey) -> Self {
        Self(key)
    }
}

/// The long-term key pair of the own device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityKeyPair(KeyPair);

impl IdentityKeyPair {
    /// Draws a new pair.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self(KeyPair::generate(rng))
    }

    /// The pair itself.
    pub const fn key_pair(&self) -> &KeyPair {
        &self.0
    }

    /// The public half.
    pub const fn identity_key(&self) -> IdentityKey {
        IdentityKey(*self.0.public())
    }
}

impl From<KeyPair> for IdentityKeyPair {
    fn from(pair: KeyPair) -> Self {
        Self(pair)
    }
}

/// Who we are in every session: identity key pair and registration id.
///
/// Records do not repeat the local identity; they carry four bytes of its digest, so that a record that was made under
/// another identity is refused instead of used.
#[derive(Debug, Clone)]
pub struct LocalIdentity {
    pair: IdentityKeyPair,
    registration_id: u32,
    tag: [u8; 4],
}

impl LocalIdentity {
    /// From the stored credentials.
    pub fn new(pair: IdentityKeyPair, registration_id: u32) -> Self {
        let [a, b, c, d, ..] = sha256(&[pair.0.public().as_bytes()]);
        Self { pair, registration_id, tag: [a, b, c, d] }
    }

    /// The key pair.
    pub const fn pair(&self) -> &IdentityKeyPair {
        &self.pair
    }

    /// The public half.
    pub const fn identity_key(&self) -> IdentityKey {
        self.pair.identity_key()
    }

    /// The registration id that pre-key messages carry.
    pub const fn registration_id(&self) -> u32 {
        self.registration_id
    }

    pub(crate) fn serialized_key(&self) -> [u8; 33] {
        self.pair.0.public().serialized()
    }

    pub(crate) const fn tag(&self) -> [u8; 4] {
        self.tag
    }
}

/// An own one-time pre-key. Delete it only together with the session record that consumed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreKey {
    /// Id, 1..=0xFFFFFF.
    pub id: u32,
    /// The pair.
    pub pair: KeyPair,
}

impl PreKey {
    /// Draws a new pair.
    pub fn generate(id: u32, rng: &mut impl CryptoRng) -> Self {
        Self { id, pair: KeyPair::generate(rng) }
    }
}

/// An own signed pre-key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedPreKey {
    /// Id, 1..=0xFFFFFF.
    pub id: u32,
    /// The pair.
    pub pair: KeyPair,
    /// The identity's signature over the 33-byte public key.
    pub signature: [u8; 64],
}

impl SignedPreKey {
    /// Draws a new pair (32 bytes), then signs it (64 bytes).
    pub fn generate(id: u32, identity: &IdentityKeyPair, rng: &mut impl CryptoRng) -> Self {
        let pair = KeyPair::generate(rng);
        let random = Secret::random(rng);
        let signature = xeddsa::sign_with(identity.0.private(), &[&pair.public().serialized()], &random);
        Self { id, pair, signature }
    }
}

/// The own pre-keys that a received pre-key message names, as far as the store has them.
#[derive(Debug, Clone, Copy, Default)]
pub struct OwnPreKeys<'a> {
    /// The signed pre-key with the message's signed pre-key id.
    pub signed: Option<&'a SignedPreKey>,
    /// The one-time pre-key with the message's pre-key id.
    pub one_time: Option<&'a PreKey>,
}

/// What a peer publishes so that others can write to it first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreKeyBundle {
    /// Registration id of the peer's device.
    pub registration_id: u32,
    /// Its identity.
    pub identity_key: IdentityKey,
    /// Id of its signed pre-key.
    pub signed_pre_key_id: u32,
    /// Its signed pre-key.
    pub signed_pre_key: PublicKey,
    /// Its identity's signature over the 33-byte signed pre-key.
    pub signature: [u8; 64],
    /// A one-time pre-key, when the pool had one.
    pub one_time_pre_key: Option<(u32, PublicKey)>,
}

impl PreKeyBundle {
    /// Checks the signature of the signed pre-key.
    ///
    /// # Errors
    /// [`SignalError::BadSignature`].
    pub fn verify(&self) -> Result<(), SignalError> {
        let message = self.signed_pre_key.serialized();
        xeddsa::verify(self.identity_key.public_key(), &[&message], &self.signature)
            .map_err(|_: CryptoError| SignalError::BadSignature)
    }
}

/// The pre-key id after `id`: ids grow and wrap from 0xFFFFFF back to 1.
pub const fn next_pre_key_id(id: u32) -> u32 {
    if id >= MAX_PRE_KEY_ID { 1 } else { id + 1 }
}
