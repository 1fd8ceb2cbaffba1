//! AES-256-GCM with a 12-byte nonce and a 16-byte tag behind the ciphertext (frames, ADV, app-state keys).

use aes_gcm::KeyInit;
use aes_gcm::aead::AeadInOut;

use crate::CryptoError;

/// Bytes that sealing adds.
pub const TAG_LEN: usize = 16;

/// A key with its schedule set up: keep it for the life of a connection.
pub struct Aes256Gcm(aes_gcm::Aes256Gcm);

impl Aes256Gcm {
    /// Sets the key up.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(aes_gcm::Aes256Gcm::new(key.into()))
    }

    /// Encrypts `buffer[from..]` in place and appends the tag. What stands before `from` (a frame header) stays.
    ///
    /// # Errors
    /// [`CryptoError::TooLong`] past the 64 GiB of GCM or when `from` lies behind the end.
    pub fn seal(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut Vec<u8>,
        from: usize,
    ) -> Result<(), CryptoError> {
        let len = buffer.len();
        let text = buffer.get_mut(from..).ok_or(CryptoError::TooLong(from))?;
        let tag = self
            .0
            .encrypt_inout_detached(nonce.into(), aad, text.into())
            .map_err(|_| CryptoError::TooLong(len))?;
        buffer.extend_from_slice(&tag);
        Ok(())
    }

    /// Decrypts in place and gives the plaintext's part of `buffer`.
    ///
    /// # Errors
    /// [`CryptoError::Authentication`] when the tag does not fit or the input is shorter than a tag; the buffer
    /// then holds nothing of the plaintext.
    pub fn open<'b>(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &'b mut [u8],
    ) -> Result<&'b mut [u8], CryptoError> {
        let split = buffer.len().checked_sub(TAG_LEN).ok_or(CryptoError::Authentication)?;
        let (text, tag) = buffer.split_at_mut(split);
        let tag: [u8; TAG_LEN] = (&*tag).try_into().map_err(|_| CryptoError::Authentication)?;
        self.0
            .decrypt_inout_detached(nonce.into(), aad, (&mut *text).into(), &tag.into())
            .map_err(|_| CryptoError::Authentication)?;
        Ok(text)
    }
}

impl core::fmt::Debug for Aes256Gcm {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Aes256Gcm([redacted])")
    }
}
