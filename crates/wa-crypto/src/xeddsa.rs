//! XEdDSA: signatures with X25519 keys, in Signal's variant (chapter 04 §2).

use curve25519_dalek::constants::ED25519_BASEPOINT_TABLE;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::montgomery::MontgomeryPoint;
use curve25519_dalek::scalar::{Scalar, clamp_integer};
use rand_core::CryptoRng;

use crate::curve::{PrivateKey, PublicKey};
use crate::digest::sha512;
use crate::{CryptoError, Secret, ct_eq};

/// Length of a signature in bytes.
pub const SIGNATURE_LEN: usize = 64;

/// Signs with a fresh 64-byte draw.
pub fn sign(key: &PrivateKey, message: &[&[u8]], rng: &mut impl CryptoRng) -> [u8; SIGNATURE_LEN] {
    sign_with(key, message, &Secret::random(rng))
}

/// Signs with the given 64 random bytes: what vectors need. Never use the same bytes for two messages.
pub fn sign_with(key: &PrivateKey, message: &[&[u8]], random: &Secret<64>) -> [u8; SIGNATURE_LEN] {
    let clamped = Secret::new(clamp_integer(*key.expose()));
    let a = Scalar::from_bytes_mod_order(*clamped.expose());
    let public = (&a * ED25519_BASEPOINT_TABLE).compress();

    // The prefix keeps this hash apart from every other use of SHA-512 with the key.
    let mut prefix = [0xFF; 32];
    prefix[0] = 0xFE;
    let r = hash_to_scalar(&[&prefix, clamped.expose()], message, &[random.expose()]);
    let big_r = (&r * ED25519_BASEPOINT_TABLE).compress();
    let h = hash_to_scalar(&[big_r.as_bytes(), public.as_bytes()], message, &[]);

    let mut signature = [0; SIGNATURE_LEN];
    signature[..32].copy_from_slice(big_r.as_bytes());
    signature[32..].copy_from_slice((r + h * a).as_bytes());
    signature[63] = (signature[63] & 0x7F) | (public.as_bytes()[31] & 0x80);
    signature
}

/// Checks a signature of 64 bytes over the concatenation of `message`.
///
/// # Errors
/// [`CryptoError::Authentication`] for anything but a valid signature, a key without an Edwards form included;
/// [`CryptoError::Length`] when the signature is not 64 bytes long.
pub fn verify(key: &PublicKey, message: &[&[u8]], signature: &[u8]) -> Result<(), CryptoError> {
    let signature: &[u8; SIGNATURE_LEN] = signature
        .try_into()
        .map_err(|_| CryptoError::Length { expected: SIGNATURE_LEN, found: signature.len() })?;
    let (big_r, s) = signature.split_at(32);
    let sign = signature[63] >> 7;
    let mut s: [u8; 32] = s.try_into().map_err(|_| CryptoError::Authentication)?;
    s[31] &= 0x7F;
    // A non-canonical s is refused: no honest signer makes one.
    let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(s)).ok_or(CryptoError::Authentication)?;
    let a = MontgomeryPoint(*key.as_bytes()).to_edwards(sign).ok_or(CryptoError::Authentication)?;
    let h = hash_to_scalar(&[big_r, a.compress().as_bytes()], message, &[]);
    let expected = EdwardsPoint::vartime_double_scalar_mul_basepoint(&-h, &a, &s);
    if ct_eq(expected.compress().as_bytes(), big_r) { Ok(()) } else { Err(CryptoError::Authentication) }
}

fn hash_to_scalar(before: &[&[u8]], message: &[&[u8]], after: &[&[u8]]) -> Scalar {
    let parts: Vec<&[u8]> = before.iter().chain(message).chain(after).copied().collect();
    Scalar::from_bytes_mod_order_wide(&sha512(&parts))
}
