//! HKDF-SHA-256 (RFC 5869) and PBKDF2-HMAC-SHA-256.

use crate::kernel::Word8;
use crate::mac::HmacKey;
use crate::{CryptoError, Secret};

/// The longest output of HKDF in bytes.
pub(crate) const MAX_OUTPUT: usize = 255 * 32;

/// The key "32 zero bytes" after its two key blocks: what HKDF without salt starts with.
pub(crate) const NO_SALT: (Word8, Word8) = (
    [0xf454dead, 0x9725214f, 0x90daf2a0, 0xdf1228ea, 0x64e5750f, 0xa3924181, 0x824a932b, 0xf8e04e32],
    [0xd385480f, 0x7abb6477, 0x37c9c538, 0x5dd82467, 0x8e043a72, 0x753434b0, 0xdeb82818, 0x361d45a6],
);

/// HKDF-SHA-256: `N` bytes from `ikm`. An empty `salt` equals 32 zero bytes (chapter 04 "salt none").
///
/// `N` is at most 255 * 32 bytes; every use of the protocol asks for at most 112.
pub fn hkdf<const N: usize>(salt: &[u8], ikm: &[u8], info: &[u8]) -> Secret<N> {
    const { assert!(N <= MAX_OUTPUT) };
    let mut out = Secret::new([0; N]);
    expand(&extract(salt, ikm), info, out.expose_mut());
    out
}

/// HKDF-SHA-256 with a length that is known at run time only.
///
/// # Errors
/// [`CryptoError::TooLong`] for more than 8,160 bytes of output.
pub fn hkdf_into(salt: &[u8], ikm: &[u8], info: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
    if out.len() > MAX_OUTPUT {
        return Err(CryptoError::TooLong(out.len()));
    }
    expand(&extract(salt, ikm), info, out);
    Ok(())
}

/// PBKDF2-HMAC-SHA-256: 32 bytes from a password (pairing code, chapter 02 §4).
pub fn pbkdf2(password: &[u8], salt: &[u8], rounds: u32) -> Secret<32> {
    let mut out = [0; 32];
    pbkdf2::pbkdf2_hmac::<sha2::Sha256>(password, salt, rounds, &mut out);
    Secret::new(out)
}

/// The key of the salt, ready made for the salt that nearly everyone uses.
pub(crate) fn salt_key(salt: &[u8]) -> HmacKey {
    if salt.iter().all(|&byte| byte == 0) && salt.len() <= 64 {
        HmacKey { inner: NO_SALT.0, outer: NO_SALT.1 }
    } else {
        HmacKey::new(salt)
    }
}

fn extract(salt: &[u8], ikm: &[u8]) -> HmacKey {
    HmacKey::new(Secret::new(salt_key(salt).mac(&[ikm])).expose())
}

fn expand(key: &HmacKey, info: &[u8], out: &mut [u8]) {
    let mut previous = Secret::new([0; 32]);
    let mut chained: &[u8] = &[];
    for (counter, place) in (1..=u8::MAX).zip(out.chunks_mut(32)) {
        *previous.expose_mut() = key.mac(&[chained, info, &[counter]]);
        place.copy_from_slice(&previous.expose()[..place.len()]);
        chained = previous.expose();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::unhex;

    #[test]
    fn the_ready_made_key_is_that_of_zeros() {
        for len in [0, 1, 32, 64, 65] {
            let (made, ready) = (HmacKey::new(&vec![0; len]), salt_key(&vec![0; len]));
            assert_eq!((made.inner, made.outer), (ready.inner, ready.outer), "{len} zero bytes");
        }
    }

    /// RFC 5869 §A.1 to §A.3.
    #[test]
    fn published_derivations_hold() {
        let range = |from: u8, to: u8| (from..=to).collect::<Vec<u8>>();
        let cases = [
            (
                range(0, 12),
                vec![0x0b; 22],
                range(0xf0, 0xf9),
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
            ),
            (
                range(0x60, 0xaf),
                range(0, 0x4f),
                range(0xb0, 0xff),
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09\
                 da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
            ),
            (
                vec![],
                vec![0x0b; 22],
                vec![],
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
            ),
        ];
        for (salt, ikm, info, output) in cases {
            let output = unhex(output);
            let mut out = vec![0; output.len()];
            hkdf_into(&salt, &ikm, &info, &mut out).unwrap();
            assert_eq!(out, output);
            assert_eq!(hkdf::<42>(&salt, &ikm, &info).expose()[..], output[..42]);
        }
        assert_eq!(hkdf_into(&[], &[], &[], &mut vec![0; 8161]), Err(CryptoError::TooLong(8161)));
        assert!(hkdf_into(&[], &[], &[], &mut vec![0; 8160]).is_ok());
    }

    /// RFC 7914 §11, the first 32 of its 64 bytes.
    #[test]
    fn published_password_derivations_hold() {
        let found = pbkdf2(b"passwd", b"salt", 1);
        assert_eq!(
            found.expose()[..],
            unhex("55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc")
        );
    }
}
