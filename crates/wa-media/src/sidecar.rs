//! Reading a part of a file through its streaming sidecar, verified, and the sidecar of a first frame (chapter 06 §3).
//!
//! With s = IV ‖ sealed file, part k is tagged over s from 65,536·k for 65,552 bytes or to the end: 16 bytes of
//! initialisation vector and 65,536 of ciphertext.

use std::ops::Range;

use wa_crypto::cbc::BlockDecryptor;
use wa_crypto::ct_eq;
use wa_crypto::mac::HmacKey;
use wa_crypto::pass::{TAG_LEN, WINDOW, WINDOW_OVERLAP};

use crate::seal::{FirstFrame, sealed_len};
use crate::{MediaError, MediaKeys};

/// Bytes of plaintext in a part; the last one has fewer, or none.
pub const PART_LEN: u64 = WINDOW as u64;

/// A part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    index: u64,
    file_length: u64,
}

impl Part {
    /// How many parts, and sidecar entries, a file has: at least one.
    pub const fn count(file_length: u64) -> u64 {
        let tagged = 16 + sealed_len(file_length);
        1 + tagged.saturating_sub(PART_LEN + WINDOW_OVERLAP as u64).div_ceil(PART_LEN)
    }

    /// The part with this index, from 0.
    ///
    /// # Errors
    /// [`MediaError::Range`] when the file has fewer.
    pub const fn new(index: u64, file_length: u64) -> Result<Self, MediaError> {
        if index >= Self::count(file_length) {
            return Err(MediaError::Range);
        }
        Ok(Self { index, file_length })
    }

    /// The bytes of the plaintext that it holds; the last part may hold none.
    pub fn plaintext(&self) -> Range<u64> {
        let start = self.index * PART_LEN;
        start.min(self.file_length)..(start + PART_LEN).min(self.file_length)
    }

    /// The bytes of the sealed file to fetch for it.
    pub fn fetch(&self) -> Range<u64> {
        let start = self.index * PART_LEN;
        start.saturating_sub(16)..(start + PART_LEN).min(sealed_len(self.file_length))
    }

    /// Verifies what was fetched against the whole sidecar and decrypts it.
    ///
    /// # Errors
    /// [`MediaError::Range`] when other bytes were fetched than [`fetch`](Self::fetch) names,
    /// [`MediaError::SidecarMissing`] when the sidecar has another number of entries than the file has parts,
    /// [`MediaError::Sidecar`] when the bytes are not what was sealed, [`MediaError::Padding`].
    pub fn open(&self, keys: &MediaKeys, fetched: &[u8], sidecar: &[u8]) -> Result<Vec<u8>, MediaError> {
        let fetch = self.fetch();
        if fetched.len() as u64 != fetch.end - fetch.start {
            return Err(MediaError::Range);
        }
        let (entries, rest) = sidecar.as_chunks::<TAG_LEN>();
        if entries.len() as u64 != Self::count(self.file_length) || !rest.is_empty() {
            return Err(MediaError::SidecarMissing(self.index));
        }
        let entry = usize::try_from(self.index).ok().and_then(|index| entries.get(index));
        let entry = entry.ok_or(MediaError::SidecarMissing(self.index))?;

        // In front of the first part stands the derived vector, in front of the others the previous block.
        let (iv, body) = match fetched.split_first_chunk::<16>() {
            Some((previous, body)) if self.index > 0 => (previous, body),
            _ => (keys.iv(), fetched),
        };
        let tag = HmacKey::new(keys.mac_key()).mac(&[iv, body]);
        if !ct_eq(&tag[..TAG_LEN], entry) {
            return Err(MediaError::Sidecar(self.index));
        }

        let start = self.index * PART_LEN;
        let ciphertext_len = sealed_len(self.file_length) - TAG_LEN as u64;
        let ciphertext = (ciphertext_len - start.min(ciphertext_len)).min(body.len() as u64) as usize;
        let mut text = body[..ciphertext].to_vec();
        BlockDecryptor::new(keys.cipher_key(), iv).decrypt(&mut text).map_err(MediaError::Crypto)?;
        let wanted = self.plaintext();
        let padding = text.split_off((wanted.end - wanted.start) as usize);
        // Seen only where the file ends; the file's length says how much of it there is.
        let expected = ciphertext_len - self.file_length;
        if padding.iter().any(|&byte| u64::from(byte) != expected) {
            return Err(MediaError::Padding);
        }
        Ok(text)
    }
}

/// The sidecar of a first frame, from the start of the sealed file: at least `first_frame_length` rounded up to 16.
///
/// # Errors
/// [`MediaError::Range`] when there are fewer bytes.
pub fn first_frame_sidecar(
    keys: &MediaKeys,
    sealed: &[u8],
    first_frame_length: u64,
) -> Result<[u8; TAG_LEN], MediaError> {
    let aligned =
        usize::try_from(first_frame_length.div_ceil(16).saturating_mul(16)).map_err(|_| MediaError::Range)?;
    let ciphertext = sealed.get(..aligned).ok_or(MediaError::Range)?;
    let mut frame = FirstFrame::new(keys, first_frame_length);
    frame.update(ciphertext);
    frame.finish().try_into().map_err(|_| MediaError::Range)
}
