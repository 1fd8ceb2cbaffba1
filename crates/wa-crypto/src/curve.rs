//! X25519 keys and agreement (chapter 04 §1). One 32-byte draw makes one key pair.
//!
//! The provider is chosen when the crate is built: `aws-lc`, else pure Rust. Results are the same.

use core::fmt;

use rand_core::CryptoRng;

use crate::{CryptoError, Secret};

/// Type byte in front of a serialized public key.
pub const KEY_TYPE: u8 = 5;

/// A raw X25519 public key: 32 bytes, little-endian Montgomery u.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

/// What two key pairs agree on.
pub type SharedSecret = Secret<32>;

impl PublicKey {
    /// From the raw form of stanzas and ADV blobs.
    pub const fn from_bytes(raw: [u8; 32]) -> Self {
        Self(raw)
    }

    /// From a raw slice.
    ///
    /// # Errors
    /// [`CryptoError::Length`] unless 32 bytes are given.
    pub fn from_raw(raw: &[u8]) -> Result<Self, CryptoError> {
        let raw = raw.try_into().map_err(|_| CryptoError::Length { expected: 32, found: raw.len() })?;
        Ok(Self(raw))
    }

    /// From the 33-byte form of Signal messages.
    ///
    /// # Errors
    /// [`CryptoError::PublicKeyForm`] unless it is the byte 5 and 32 more.
    pub fn from_serialized(bytes: &[u8]) -> Result<Self, CryptoError> {
        let bad = CryptoError::PublicKeyForm { len: bytes.len(), type_byte: bytes.first().copied() };
        match bytes.split_first() {
            Some((&KEY_TYPE, raw)) => Ok(Self(raw.try_into().map_err(|_| bad)?)),
            _ => Err(bad),
        }
    }

    /// The raw 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 33-byte form: type byte 5, then the raw key.
    pub fn serialized(&self) -> [u8; 33] {
        let mut out = [KEY_TYPE; 33];
        out[1..].copy_from_slice(&self.0);
        out
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(")?;
        for byte in &self.0[..4] {
            write!(f, "{byte:02x}")?;
        }
        f.write_str("..)")
    }
}

/// An X25519 private key. The bytes are kept as given and clamped on use, so stored bytes round-trip.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateKey(Secret<32>);

impl PrivateKey {
    /// Takes the bytes over.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// Draws 32 bytes.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self(Secret::random(rng))
    }

    /// The bytes, for the store.
    pub const fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// The public half.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(provider::public_key(self.expose()))
    }

    /// X25519 with a peer's key.
    ///
    /// # Errors
    /// [`CryptoError::LowOrderPoint`] when the result is all zero: no honest peer causes it.
    pub fn agree(&self, theirs: &PublicKey) -> Result<SharedSecret, CryptoError> {
        let shared = provider::agree(self.expose(), &theirs.0);
        // Checked here for every provider, whatever it checks itself.
        if shared == Secret::new([0; 32]) {
            return Err(CryptoError::LowOrderPoint);
        }
        Ok(shared)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey([redacted])")
    }
}

/// A private key with its public half computed once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPair {
    private: PrivateKey,
    public: PublicKey,
}

impl KeyPair {
    /// Draws a new pair: one draw of 32 bytes.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        PrivateKey::generate(rng).into()
    }

    /// A pair whose two halves were stored together, without computing the public one again. The caller vouches
    /// that they belong together.
    pub const fn from_parts(private: PrivateKey, public: PublicKey) -> Self {
        Self { private, public }
    }

    /// The private half.
    pub const fn private(&self) -> &PrivateKey {
        &self.private
    }

    /// The public half.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// X25519 with a peer's key; see [`PrivateKey::agree`].
    ///
    /// # Errors
    /// [`CryptoError::LowOrderPoint`] when the result is all zero.
    pub fn agree(&self, theirs: &PublicKey) -> Result<SharedSecret, CryptoError> {
        self.private.agree(theirs)
    }
}

impl From<PrivateKey> for KeyPair {
    fn from(private: PrivateKey) -> Self {
        let public = private.public_key();
        Self { private, public }
    }
}

/// The portable provider, and the twin that tests hold the other one to.
#[cfg(any(test, not(feature = "aws-lc")))]
mod portable {
    use curve25519_dalek::scalar::clamp_integer;
    use zeroize::Zeroizing;

    use crate::Secret;
    use crate::edwards::{base_multiple_montgomery, montgomery_multiple};

    pub(super) fn public_key(private: &[u8; 32]) -> [u8; 32] {
        let clamped = Zeroizing::new(clamp_integer(*private));
        base_multiple_montgomery(&clamped)
    }

    pub(super) fn agree(private: &[u8; 32], theirs: &[u8; 32]) -> Secret<32> {
        let clamped = Zeroizing::new(clamp_integer(*private));
        Secret::new(montgomery_multiple(&clamped, theirs))
    }
}

#[cfg(not(feature = "aws-lc"))]
use portable as provider;

#[cfg(feature = "aws-lc")]
#[path = "curve_aws_lc.rs"]
mod provider;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::unhex;

    fn array(hex: &str) -> [u8; 32] {
        unhex(hex).try_into().unwrap()
    }

    /// RFC 7748 §5.2 and §6.1.
    #[test]
    fn published_agreements_hold() {
        for (private, theirs, shared) in [
            (
                "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
                "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
            ),
            (
                "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
                "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
            ),
        ] {
            let theirs = PublicKey::from_bytes(array(theirs));
            let found = PrivateKey::from_bytes(array(private)).agree(&theirs).unwrap();
            assert_eq!(found.expose(), &array(shared));
        }
    }

    #[test]
    fn the_provider_agrees_with_its_portable_twin() {
        let mut key = crate::digest::sha256(&[b"seed"]);
        for _ in 0..64 {
            let private = key;
            key = crate::digest::sha256(&[&key]);
            assert_eq!(provider::public_key(&private), portable::public_key(&private));
            // Any 32 bytes are a peer's key: twist points and non-canonical ones too.
            for theirs in [key, [0xFF; 32], [0; 32], portable::public_key(&key)] {
                assert_eq!(provider::agree(&private, &theirs), portable::agree(&private, &theirs));
            }
        }
    }

    #[test]
    fn a_low_order_point_is_refused() {
        let key = PrivateKey::from_bytes([0x42; 32]);
        for point in [[0; 32], {
            let mut one = [0; 32];
            one[0] = 1;
            one
        }] {
            assert_eq!(key.agree(&PublicKey::from_bytes(point)), Err(CryptoError::LowOrderPoint));
        }
    }

    #[test]
    fn both_sides_agree_and_stored_bytes_round_trip() {
        let (a, b) = (PrivateKey::from_bytes([1; 32]), PrivateKey::from_bytes([2; 32]));
        assert_eq!(a.agree(&b.public_key()), b.agree(&a.public_key()));
        assert_eq!(a.expose(), &[1; 32]);
    }

    #[test]
    fn a_serialized_key_needs_its_type_byte_and_length() {
        let key = PrivateKey::from_bytes([3; 32]).public_key();
        assert_eq!(PublicKey::from_serialized(&key.serialized()), Ok(key));
        let mut wrong = key.serialized();
        wrong[0] = 6;
        assert!(PublicKey::from_serialized(&wrong).is_err());
        assert!(PublicKey::from_serialized(&key.serialized()[..32]).is_err());
        assert!(PublicKey::from_serialized(&[]).is_err());
    }
}
