//! AES-256-GCM with a 12-byte nonce and a 16-byte tag behind the ciphertext (frames, ADV, app-state keys).
//!
//! The provider is chosen when the crate is built: `aws-lc` before `ring` before pure Rust. Results are the same.

use crate::CryptoError;

/// Bytes that sealing adds.
pub const TAG_LEN: usize = 16;

/// A key with its schedule set up: keep it for the life of a connection.
pub struct Aes256Gcm(provider::Key);

impl Aes256Gcm {
    /// Sets the key up.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(provider::Key::new(key))
    }

    /// Encrypts `buffer[from..]` in place and appends the tag. What stands before `from` (a frame header) stays.
    ///
    /// # Errors
    /// [`CryptoError::TooLong`] past the 64 GiB of GCM or when `from` lies behind the end,
    /// [`CryptoError::Provider`] when the provider could not set the key up.
    pub fn seal(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut Vec<u8>,
        from: usize,
    ) -> Result<(), CryptoError> {
        buffer.reserve(TAG_LEN);
        let text = buffer.get_mut(from..).ok_or(CryptoError::TooLong(from))?;
        let tag = self.0.seal(nonce, aad, text)?;
        buffer.extend_from_slice(&tag);
        Ok(())
    }

    /// Decrypts in place and gives the plaintext's part of `buffer`.
    ///
    /// # Errors
    /// [`CryptoError::Authentication`] when the tag does not fit or the input is shorter than a tag; the buffer
    /// then holds nothing of the plaintext. [`CryptoError::Provider`] when the provider could not set the key up.
    pub fn open<'b>(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &'b mut [u8],
    ) -> Result<&'b mut [u8], CryptoError> {
        if buffer.len() < TAG_LEN {
            return Err(CryptoError::Authentication);
        }
        self.0.open(nonce, aad, buffer)
    }
}

impl core::fmt::Debug for Aes256Gcm {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Aes256Gcm([redacted])")
    }
}

#[cfg(not(any(feature = "ring", feature = "aws-lc")))]
mod provider {
    use aes_gcm::KeyInit;
    use aes_gcm::aead::AeadInOut;

    use super::TAG_LEN;
    use crate::CryptoError;

    pub(super) struct Key(aes_gcm::Aes256Gcm);

    impl Key {
        pub(super) fn new(key: &[u8; 32]) -> Self {
            Self(aes_gcm::Aes256Gcm::new(key.into()))
        }

        pub(super) fn seal(
            &self,
            nonce: &[u8; 12],
            aad: &[u8],
            text: &mut [u8],
        ) -> Result<[u8; TAG_LEN], CryptoError> {
            let len = text.len();
            let tag = self
                .0
                .encrypt_inout_detached(nonce.into(), aad, text.into())
                .map_err(|_| CryptoError::TooLong(len))?;
            Ok(tag.into())
        }

        pub(super) fn open<'b>(
            &self,
            nonce: &[u8; 12],
            aad: &[u8],
            buffer: &'b mut [u8],
        ) -> Result<&'b mut [u8], CryptoError> {
            let (text, tag) = buffer.split_last_chunk_mut::<TAG_LEN>().ok_or(CryptoError::Authentication)?;
            let tag = (*tag).into();
            self.0
                .decrypt_inout_detached(nonce.into(), aad, (&mut *text).into(), &tag)
                .map_err(|_| CryptoError::Authentication)?;
            Ok(text)
        }
    }
}

#[cfg(any(feature = "ring", feature = "aws-lc"))]
mod provider {
    #[cfg(feature = "aws-lc")]
    use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    #[cfg(not(feature = "aws-lc"))]
    use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

    use super::TAG_LEN;
    use crate::CryptoError;

    /// `None` when the provider had no memory for the key: 32 bytes are always a key.
    pub(super) struct Key(Option<LessSafeKey>);

    impl Key {
        pub(super) fn new(key: &[u8; 32]) -> Self {
            Self(UnboundKey::new(&AES_256_GCM, key).ok().map(LessSafeKey::new))
        }

        pub(super) fn seal(
            &self,
            nonce: &[u8; 12],
            aad: &[u8],
            text: &mut [u8],
        ) -> Result<[u8; TAG_LEN], CryptoError> {
            let len = text.len();
            let tag = self
                .key()?
                .seal_in_place_separate_tag(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), text)
                .map_err(|_| CryptoError::TooLong(len))?;
            tag.as_ref().try_into().map_err(|_| CryptoError::Provider)
        }

        pub(super) fn open<'b>(
            &self,
            nonce: &[u8; 12],
            aad: &[u8],
            buffer: &'b mut [u8],
        ) -> Result<&'b mut [u8], CryptoError> {
            self.key()?
                .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), buffer)
                .map_err(|_| CryptoError::Authentication)
        }

        fn key(&self) -> Result<&LessSafeKey, CryptoError> {
            self.0.as_ref().ok_or(CryptoError::Provider)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::unhex;

    /// "The Galois/Counter Mode of Operation (GCM)", test cases 13 to 16: AES-256 with 96-bit nonces.
    #[test]
    fn published_cases_hold() {
        let long_key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
        let long_text = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255";
        let long_sealed = "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad";
        let zero_key = "00".repeat(32);
        let cases = [
            (&*zero_key, "00".repeat(12), "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"),
            (
                &zero_key,
                "00".repeat(12),
                "",
                "00000000000000000000000000000000",
                "cea7403d4d606b6e074ec5d3baf39d18",
                "d0d1c8a799996bf0265b98b5d48ab919",
            ),
            (
                long_key,
                "cafebabefacedbaddecaf888".into(),
                "",
                long_text,
                long_sealed,
                "b094dac5d93471bdec1a502270e3cc6c",
            ),
            (
                long_key,
                "cafebabefacedbaddecaf888".into(),
                "feedfacedeadbeeffeedfacedeadbeefabaddad2",
                &long_text[..120],
                &long_sealed[..120],
                "76fc6ece0f4e1768cddf8853bb2d551b",
            ),
        ];
        for (key, nonce, aad, text, sealed, tag) in cases {
            let key = Aes256Gcm::new(&unhex(key).try_into().unwrap());
            let (nonce, aad) = (unhex(&nonce).try_into().unwrap(), unhex(aad));
            let mut buffer = [b"head".to_vec(), unhex(text)].concat();
            key.seal(&nonce, &aad, &mut buffer, 4).unwrap();
            assert_eq!(buffer, [b"head".to_vec(), unhex(sealed), unhex(tag)].concat());
            assert_eq!(key.open(&nonce, &aad, &mut buffer[4..]).unwrap(), unhex(text));
        }
    }

    #[test]
    fn a_refused_ciphertext_leaves_no_plaintext_behind() {
        let key = Aes256Gcm::new(&[1; 32]);
        let text = [0x77; 200];
        let mut sealed = text.to_vec();
        key.seal(&[2; 12], b"aad", &mut sealed, 0).unwrap();
        for (nonce, aad, flip) in
            [([3; 12], &b"aad"[..], None), ([2; 12], b"add", None), ([2; 12], b"aad", Some(210))]
        {
            let mut changed = sealed.clone();
            if let Some(at) = flip {
                changed[at] ^= 1;
            }
            assert_eq!(key.open(&nonce, aad, &mut changed), Err(CryptoError::Authentication));
            assert!(!changed.windows(16).any(|window| window == &text[..16]));
        }
        assert_eq!(key.open(&[2; 12], b"", &mut [0; 15]), Err(CryptoError::Authentication));
        assert_eq!(key.seal(&[2; 12], b"", &mut vec![0; 3], 4), Err(CryptoError::TooLong(4)));
    }
}
