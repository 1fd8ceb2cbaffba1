//! The twins of `x86.rs` in plain Rust, one stream after the other.

use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes256Dec, Aes256Enc};

use super::{Block, Word8};

pub(super) fn compress<const N: usize>(states: [&mut Word8; N], blocks: [&[Block]; N]) {
    let count = blocks.iter().map(|lane| lane.len()).min().unwrap_or(0);
    for (state, lane) in states.into_iter().zip(blocks) {
        sha2::block_api::compress256(state, lane.get(..count).unwrap_or_default());
    }
}

pub(super) fn expand(key: &[u8; 32]) -> Aes256Enc {
    Aes256Enc::new(key.into())
}

pub(super) fn cbc_encrypt(key: &Aes256Enc, iv: &mut [u8; 16], blocks: &mut [[u8; 16]]) {
    for block in blocks {
        for (byte, chained) in block.iter_mut().zip(&*iv) {
            *byte ^= chained;
        }
        key.encrypt_block(block.into());
        *iv = *block;
    }
}

pub(super) fn cbc_encrypt_and_compress<const N: usize>(
    key: &Aes256Enc,
    iv: &mut [u8; 16],
    text: &[Block],
    out: &mut [Block],
    states: [&mut Word8; N],
    blocks: [&[Block]; N],
) {
    let count =
        blocks.iter().map(|lane| lane.len()).min().unwrap_or(usize::MAX).min(text.len()).min(out.len());
    for (text, out) in text.iter().zip(out.iter_mut()).take(count) {
        *out = *text;
        cbc_encrypt(key, iv, out.as_chunks_mut().0);
    }
    compress(states, blocks.map(|lane| lane.get(..count).unwrap_or_default()));
}

pub(super) fn expand_inverse(key: &[u8; 32]) -> Aes256Dec {
    Aes256Dec::new(key.into())
}

pub(super) fn cbc_decrypt_and_compress<const N: usize>(
    key: &Aes256Dec,
    iv: &mut [u8; 16],
    sealed: &[Block],
    out: &mut [Block],
    states: [&mut Word8; N],
    blocks: [&[Block]; N],
) {
    let count =
        blocks.iter().map(|lane| lane.len()).min().unwrap_or(usize::MAX).min(sealed.len()).min(out.len());
    let (sealed, _) = sealed[..count].as_flattened().as_chunks::<16>();
    let (out, _) = out[..count].as_flattened_mut().as_chunks_mut::<16>();
    for (sealed, out) in sealed.iter().zip(out) {
        *out = *sealed;
        key.decrypt_block(out.into());
        for (byte, chained) in out.iter_mut().zip(&*iv) {
            *byte ^= chained;
        }
        *iv = *sealed;
    }
    compress(states, blocks.map(|lane| lane.get(..count).unwrap_or_default()));
}
