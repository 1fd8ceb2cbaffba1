//! AES-256-CBC with PKCS#7 padding (messages and media). Authentication is the caller's: check the MAC first.

use aes::Aes256;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};

use crate::CryptoError;

/// Encrypts; the result is the next multiple of 16 bytes (a full block more when already aligned).
pub fn encrypt(key: &[u8; 32], iv: &[u8; 16], plaintext: &[u8]) -> Vec<u8> {
    cbc::Encryptor::<Aes256>::new(key.into(), iv.into()).encrypt_padded_vec::<Pkcs7>(plaintext)
}

/// Decrypts and removes the padding.
///
/// # Errors
/// [`CryptoError::BlockLength`] when the input is empty or no multiple of 16, [`CryptoError::Padding`] when the
/// padding is wrong.
pub fn decrypt(key: &[u8; 32], iv: &[u8; 16], ciphertext: &[u8]) -> Result<Vec<u8>, CryptoError> {
    if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(16) {
        return Err(CryptoError::BlockLength(ciphertext.len()));
    }
    cbc::Decryptor::<Aes256>::new(key.into(), iv.into())
        .decrypt_padded_vec::<Pkcs7>(ciphertext)
        .map_err(|_| CryptoError::Padding)
}
