//! AES-256-CBC with PKCS#7 padding (messages and media). Authentication is the caller's: check the MAC first.

use aes::Aes256;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, KeyIvInit};

use crate::CryptoError;
use crate::kernel::CbcKey;

/// Encrypts; the result is the next multiple of 16 bytes (a full block more when already aligned).
pub fn encrypt(key: &[u8; 32], iv: &[u8; 16], plaintext: &[u8]) -> Vec<u8> {
    let mut buffer = Vec::with_capacity(plaintext.len() + 16);
    buffer.extend_from_slice(plaintext);
    encrypt_in_place(key, iv, &mut buffer, 0);
    buffer
}

/// Encrypts `buffer[from..]` in place; it grows by the padding. What stands before `from` stays. A `from` behind the
/// end counts as the end.
pub fn encrypt_in_place(key: &[u8; 32], iv: &[u8; 16], buffer: &mut Vec<u8>, from: usize) {
    let from = from.min(buffer.len());
    pad(buffer, from);
    let (blocks, _) = buffer[from..].as_chunks_mut();
    CbcKey::new(key).encrypt(&mut { *iv }, blocks);
}

/// Decrypts and removes the padding.
///
/// # Errors
/// [`CryptoError::BlockLength`] when the input is empty or no multiple of 16, [`CryptoError::Padding`] when the
/// padding is wrong.
pub fn decrypt(key: &[u8; 32], iv: &[u8; 16], ciphertext: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut buffer = ciphertext.to_vec();
    let len = decrypt_in_place(key, iv, &mut buffer)?.len();
    buffer.truncate(len);
    Ok(buffer)
}

/// Decrypts in place and gives the plaintext's part of `buffer`.
///
/// # Errors
/// As [`decrypt`]; after [`CryptoError::Padding`] the buffer holds what came out.
pub fn decrypt_in_place<'b>(
    key: &[u8; 32],
    iv: &[u8; 16],
    buffer: &'b mut [u8],
) -> Result<&'b mut [u8], CryptoError> {
    if buffer.is_empty() || !buffer.len().is_multiple_of(16) {
        return Err(CryptoError::BlockLength(buffer.len()));
    }
    let len = cbc::Decryptor::<Aes256>::new(key.into(), iv.into())
        .decrypt_padded::<Pkcs7>(buffer)
        .map_err(|_| CryptoError::Padding)?
        .len();
    Ok(&mut buffer[..len])
}

/// Decrypts whole blocks in pieces, without looking at any padding: a part from the middle of a file.
pub struct BlockDecryptor(cbc::Decryptor<Aes256>);

impl BlockDecryptor {
    /// Starts behind the ciphertext block `iv`, or at the start with the IV itself.
    pub fn new(key: &[u8; 32], iv: &[u8; 16]) -> Self {
        Self(cbc::Decryptor::new(key.into(), iv.into()))
    }

    /// Decrypts the next blocks in place.
    ///
    /// # Errors
    /// [`CryptoError::BlockLength`] when they are not whole; nothing is decrypted then.
    pub fn decrypt(&mut self, buffer: &mut [u8]) -> Result<(), CryptoError> {
        let len = buffer.len();
        let (blocks, rest) = buffer.as_chunks_mut::<16>();
        if !rest.is_empty() {
            return Err(CryptoError::BlockLength(len));
        }
        self.0.decrypt_blocks(aes::cipher::Array::cast_slice_from_core_mut(blocks));
        Ok(())
    }
}

impl core::fmt::Debug for BlockDecryptor {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("BlockDecryptor([redacted])")
    }
}

/// Appends the padding that makes `buffer[from..]` whole blocks.
pub(crate) fn pad(buffer: &mut Vec<u8>, from: usize) {
    let count = 16 - (buffer.len() - from) % 16;
    buffer.resize(buffer.len() + count, count as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::unhex;

    /// NIST SP 800-38A §F.2.5, with the padding block that follows.
    #[test]
    fn a_published_ciphertext_holds() {
        let key =
            unhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4").try_into().unwrap();
        let iv = unhex("000102030405060708090a0b0c0d0e0f").try_into().unwrap();
        let text = unhex(
            "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
             30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
        );
        let sealed = encrypt(&key, &iv, &text);
        assert_eq!(
            sealed[..64],
            unhex(
                "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d\
                 39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b"
            )
        );
        assert_eq!(sealed.len(), 80);
        assert_eq!(decrypt(&key, &iv, &sealed).unwrap(), text);
    }

    #[test]
    fn every_length_comes_back_and_is_padded() {
        for len in 0..70 {
            let text: Vec<u8> = (0..len).collect();
            let mut buffer = [b"head".to_vec(), text.clone()].concat();
            encrypt_in_place(&[1; 32], &[2; 16], &mut buffer, 4);
            assert_eq!(&buffer[..4], b"head");
            assert_eq!(buffer.len() - 4, (usize::from(len) / 16 + 1) * 16);
            assert_eq!(decrypt_in_place(&[1; 32], &[2; 16], &mut buffer[4..]).unwrap(), text);
        }
    }

    #[test]
    fn a_part_from_the_middle_decrypts_behind_its_previous_block() {
        let text: Vec<u8> = (0..160).collect();
        let sealed = encrypt(&[1; 32], &[2; 16], &text);
        let mut part = sealed[48..112].to_vec();
        let mut decryptor = BlockDecryptor::new(&[1; 32], sealed[32..48].first_chunk().unwrap());
        let (head, tail) = part.split_at_mut(16);
        decryptor.decrypt(head).unwrap();
        assert_eq!(decryptor.decrypt(&mut tail[..17]), Err(CryptoError::BlockLength(17)));
        decryptor.decrypt(tail).unwrap();
        assert_eq!(part, text[48..112]);
    }

    #[test]
    fn lengths_and_padding_are_checked() {
        for len in [0, 1, 15, 17, 31] {
            assert_eq!(decrypt(&[1; 32], &[2; 16], &vec![0; len]), Err(CryptoError::BlockLength(len)));
        }
        // A last block that ends in no padding: zero, more than a block, and unequal bytes.
        for end in [[0, 0], [17, 17], [1, 2]] {
            let mut blocks = [[0; 16]];
            blocks[0][14..].copy_from_slice(&end);
            CbcKey::new(&[1; 32]).encrypt(&mut [2; 16], &mut blocks);
            assert_eq!(decrypt(&[1; 32], &[2; 16], blocks.as_flattened()), Err(CryptoError::Padding));
        }
    }
}
