//! AES-256-CTR with a 128-bit big-endian counter (pairing code, chapter 02 §4).

use aes::Aes256;
use aes::cipher::{KeyIvInit, StreamCipher};

/// Encrypts or decrypts in place: the two are the same.
pub fn apply(key: &[u8; 32], iv: &[u8; 16], buffer: &mut [u8]) {
    ctr::Ctr128BE::<Aes256>::new(key.into(), iv.into()).apply_keystream(buffer);
}
