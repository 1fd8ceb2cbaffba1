//! XEdDSA: signatures with X25519 keys, in Signal's variant (chapter 04 §2).
//!
//! Half of signing and a quarter of verifying depends on the key alone. Who signs or verifies more than once under one
//! key keeps a [`SigningKey`] or a [`VerifyingKey`].

use core::fmt;

use curve25519_dalek::scalar::{Scalar, clamp_integer};
use rand_core::CryptoRng;
use zeroize::Zeroize;

use crate::curve::{PrivateKey, PublicKey};
use crate::edwards::{Key, Sign, base_multiple};
use crate::{CryptoError, Secret};

/// Length of a signature in bytes.
pub const SIGNATURE_LEN: usize = 64;

/// Signs with a fresh 64-byte draw.
pub fn sign(key: &PrivateKey, message: &[&[u8]], rng: &mut impl CryptoRng) -> [u8; SIGNATURE_LEN] {
    SigningKey::new(key).sign(message, rng)
}

/// Signs with the given 64 random bytes: what vectors need. Never use the same bytes for two messages.
pub fn sign_with(key: &PrivateKey, message: &[&[u8]], random: &Secret<64>) -> [u8; SIGNATURE_LEN] {
    SigningKey::new(key).sign_with(message, random)
}

/// Checks a signature of 64 bytes over the concatenation of `message`.
///
/// # Errors
/// [`CryptoError::Authentication`] for anything but a valid signature, a key without an Edwards form or of small
/// order included; [`CryptoError::Length`] when the signature is not 64 bytes long.
pub fn verify(key: &PublicKey, message: &[&[u8]], signature: &[u8]) -> Result<(), CryptoError> {
    VerifyingKey::new(key)?.verify(message, signature)
}

/// A private key made ready for signing.
#[derive(Clone)]
pub struct SigningKey {
    clamped: Secret<32>,
    scalar: Scalar,
    /// The Edwards form of the public key, compressed.
    public: [u8; 32],
}

impl SigningKey {
    /// Computes the Edwards form of the public key: one multiplication, as dear as the rest of a signature.
    pub fn new(key: &PrivateKey) -> Self {
        let clamped = Secret::new(clamp_integer(*key.expose()));
        let scalar = Scalar::from_bytes_mod_order(*clamped.expose());
        let public = base_multiple(&scalar);
        Self { clamped, scalar, public }
    }

    /// Takes what [`edwards_public`](Self::edwards_public) gave for the same key. A wrong one makes signatures that
    /// do not verify, and must not come from outside.
    pub fn from_parts(key: &PrivateKey, edwards_public: [u8; 32]) -> Self {
        let clamped = Secret::new(clamp_integer(*key.expose()));
        let scalar = Scalar::from_bytes_mod_order(*clamped.expose());
        Self { clamped, scalar, public: edwards_public }
    }

    /// The compressed Edwards form of the public key, to be stored beside the private one.
    pub const fn edwards_public(&self) -> &[u8; 32] {
        &self.public
    }

    /// Signs with a fresh 64-byte draw.
    pub fn sign(&self, message: &[&[u8]], rng: &mut impl CryptoRng) -> [u8; SIGNATURE_LEN] {
        self.sign_with(message, &Secret::random(rng))
    }

    /// Signs with the given 64 random bytes. Never use the same bytes for two messages.
    pub fn sign_with(&self, message: &[&[u8]], random: &Secret<64>) -> [u8; SIGNATURE_LEN] {
        // The prefix keeps this hash apart from every other use of SHA-512 with the key.
        let mut prefix = [0xFF; 32];
        prefix[0] = 0xFE;
        let mut r = hash_to_scalar(&[&prefix, self.clamped.expose()], message, &[random.expose()]);
        let big_r = base_multiple(&r);
        let h = hash_to_scalar(&[&big_r, &self.public], message, &[]);

        let mut signature = [0; SIGNATURE_LEN];
        signature[..32].copy_from_slice(&big_r);
        signature[32..].copy_from_slice((r + h * self.scalar).as_bytes());
        signature[63] = (signature[63] & 0x7F) | (self.public[31] & 0x80);
        r.zeroize();
        signature
    }
}

impl Drop for SigningKey {
    fn drop(&mut self) {
        self.scalar.zeroize();
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey([redacted])")
    }
}

/// A public key made ready for verification: about 200 bytes.
#[derive(Clone, Copy)]
pub struct VerifyingKey(Key);

impl VerifyingKey {
    /// Finds the Edwards point.
    ///
    /// # Errors
    /// [`CryptoError::Authentication`] when there is none, or it is of small order: no signature verifies under it.
    pub fn new(key: &PublicKey) -> Result<Self, CryptoError> {
        Key::from_montgomery(key.as_bytes()).map(Self).ok_or(CryptoError::Authentication)
    }

    /// Checks a signature of 64 bytes over the concatenation of `message`.
    ///
    /// # Errors
    /// [`CryptoError::Authentication`] for anything but a valid signature, [`CryptoError::Length`] when it is not 64
    /// bytes long.
    pub fn verify(&self, message: &[&[u8]], signature: &[u8]) -> Result<(), CryptoError> {
        let signature: &[u8; SIGNATURE_LEN] = signature
            .try_into()
            .map_err(|_| CryptoError::Length { expected: SIGNATURE_LEN, found: signature.len() })?;
        let (big_r, s) = split(signature);
        // The sign of the Edwards point travels in the signature.
        let (mut s, sign) = (*s, s[31] & 0x80);
        s[31] &= 0x7F;
        // A non-canonical s is refused: no honest signer makes one.
        let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(s)).ok_or(CryptoError::Authentication)?;
        let mut compressed = *self.0.compressed();
        compressed[31] |= sign;
        let h = hash_to_scalar(&[big_r, &compressed], message, &[]);
        let sign = if sign == 0 { Sign::Even } else { Sign::Odd };
        if self.0.equation_holds(&s, big_r, &h, sign) { Ok(()) } else { Err(CryptoError::Authentication) }
    }
}

/// R and s.
fn split(signature: &[u8; SIGNATURE_LEN]) -> (&[u8; 32], &[u8; 32]) {
    // Never the fallback: 64 bytes are two times 32.
    match signature.as_chunks::<32>().0 {
        [big_r, s] => (big_r, s),
        _ => (&[0; 32], &[0xFF; 32]),
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyingKey(..)")
    }
}

fn hash_to_scalar(before: &[&[u8]], message: &[&[u8]], after: &[&[u8]]) -> Scalar {
    use sha2::Digest;
    let mut state = sha2::Sha512::new();
    for part in before.iter().chain(message).chain(after) {
        state.update(part);
    }
    Scalar::from_bytes_mod_order_wide(&state.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_keys_sign_and_verify_like_fresh_ones() {
        for seed in 0..32_u8 {
            let key = PrivateKey::from_bytes(crate::digest::sha256(&[&[seed]]));
            let random = Secret::new([seed; 64]);
            let signature = sign_with(&key, &[b"mess", b"age"], &random);
            let kept = SigningKey::from_parts(&key, *SigningKey::new(&key).edwards_public());
            assert_eq!(kept.sign_with(&[b"message"], &random), signature);
            let public = VerifyingKey::new(&key.public_key()).unwrap();
            assert_eq!(public.verify(&[b"me", b"ssage"], &signature), Ok(()));
            assert_eq!(verify(&key.public_key(), &[b"message"], &signature), Ok(()));
            for bit in 0..512 {
                let mut changed = signature;
                changed[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(
                    public.verify(&[b"message"], &changed),
                    Err(CryptoError::Authentication),
                    "bit {bit}"
                );
            }
        }
    }

    #[test]
    fn keys_without_an_honest_edwards_form_verify_nothing() {
        let mut one = [0; 32];
        one[0] = 1;
        // u = -1 has no Edwards form; 0 and 1 are of small order.
        let mut minus_one = [0xFF; 32];
        (minus_one[0], minus_one[31]) = (0xEC, 0x7F);
        for u in [[0; 32], one, minus_one] {
            let found = verify(&PublicKey::from_bytes(u), &[b""], &[0; 64]);
            assert_eq!(found, Err(CryptoError::Authentication));
        }
        let found = verify(&PrivateKey::from_bytes([9; 32]).public_key(), &[], &[0; 63]);
        assert_eq!(found, Err(CryptoError::Length { expected: 64, found: 63 }));
    }
}
