//! HKDF-SHA-256 (RFC 5869) and PBKDF2-HMAC-SHA-256.

use crate::{CryptoError, Secret};

/// HKDF-SHA-256: `N` bytes from `ikm`. An empty `salt` equals 32 zero bytes (chapter 04 "salt none").
///
/// `N` is at most 255 * 32 bytes; every use of the protocol asks for at most 112.
pub fn hkdf<const N: usize>(salt: &[u8], ikm: &[u8], info: &[u8]) -> Secret<N> {
    const { assert!(N <= 255 * 32) };
    let mut out = [0; N];
    // The only error of `expand` is a too long output, which the assertion above excludes at compile time.
    let _ = hkdf::Hkdf::<sha2::Sha256>::new(Some(salt), ikm).expand(info, &mut out);
    Secret::new(out)
}

/// HKDF-SHA-256 with a length that is known at run time only.
///
/// # Errors
/// [`CryptoError::TooLong`] for more than 8,160 bytes of output.
pub fn hkdf_into(salt: &[u8], ikm: &[u8], info: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
    let len = out.len();
    hkdf::Hkdf::<sha2::Sha256>::new(Some(salt), ikm).expand(info, out).map_err(|_| CryptoError::TooLong(len))
}

/// PBKDF2-HMAC-SHA-256: 32 bytes from a password (pairing code, chapter 02 §4).
pub fn pbkdf2(password: &[u8], salt: &[u8], rounds: u32) -> Secret<32> {
    let mut out = [0; 32];
    pbkdf2::pbkdf2_hmac::<sha2::Sha256>(password, salt, rounds, &mut out);
    Secret::new(out)
}
