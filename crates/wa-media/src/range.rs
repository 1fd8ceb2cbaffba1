//! A range of the plaintext from a ranged fetch of the sealed file (chapter 06 §3). **The MAC cannot be checked**: for
//! callers who accept that; others read parts through the sidecar.

use std::ops::Range;

use wa_crypto::cbc::BlockDecryptor;

use crate::{MediaError, MediaKeys};

/// Bytes of a file's plaintext.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByteRange {
    wanted: Range<u64>,
}

impl ByteRange {
    /// The bytes from `wanted.start` up to `wanted.end`, which is not included.
    ///
    /// # Errors
    /// [`MediaError::Range`] when empty or past the end of the file.
    pub fn new(wanted: Range<u64>, file_length: u64) -> Result<Self, MediaError> {
        if wanted.is_empty() || wanted.end > file_length {
            return Err(MediaError::Range);
        }
        Ok(Self { wanted })
    }

    /// The bytes of the sealed file to fetch.
    pub const fn fetch(&self) -> Range<u64> {
        let start = if self.previous_block_is_iv() { self.first_block() - 16 } else { 0 };
        start..self.wanted.end.div_ceil(16).saturating_mul(16)
    }

    /// Where the range begins in the file.
    pub const fn start(&self) -> u64 {
        self.wanted.start
    }

    /// Whether the first 16 fetched bytes are only the initialisation vector; at the start of a file the derived one
    /// serves.
    pub const fn previous_block_is_iv(&self) -> bool {
        self.first_block() > 0
    }

    /// Starts decrypting what was fetched.
    pub fn read(&self, keys: &MediaKeys) -> RangeReader {
        RangeReader {
            key: keys.clone(),
            decryptor: (!self.previous_block_is_iv())
                .then(|| BlockDecryptor::new(keys.cipher_key(), keys.iv())),
            pending: Vec::with_capacity(16),
            skip: self.wanted.start - self.first_block(),
            left: self.wanted.end - self.wanted.start,
        }
    }

    /// Decrypts what was fetched, all at once.
    ///
    /// # Errors
    /// [`MediaError::Range`] when it is not what [`fetch`](Self::fetch) names.
    pub fn open(&self, keys: &MediaKeys, fetched: &[u8]) -> Result<Vec<u8>, MediaError> {
        let mut reader = self.read(keys);
        let mut out = Vec::with_capacity(fetched.len());
        reader.update(fetched, &mut out)?;
        reader.finish()?;
        Ok(out)
    }

    const fn first_block(&self) -> u64 {
        self.wanted.start / 16 * 16
    }
}

/// Decrypts a range in pieces.
#[derive(Debug)]
pub struct RangeReader {
    key: MediaKeys,
    /// `None` until the block before the range has come.
    decryptor: Option<BlockDecryptor>,
    pending: Vec<u8>,
    skip: u64,
    left: u64,
}

impl RangeReader {
    /// Takes a piece of what was fetched and appends the plaintext that is ready to `out`.
    ///
    /// # Errors
    /// [`MediaError::Range`] when more comes than the range has.
    pub fn update(&mut self, fetched: &[u8], out: &mut Vec<u8>) -> Result<(), MediaError> {
        let mut rest = fetched;
        while !self.pending.is_empty() || self.decryptor.is_none() {
            let (head, tail) = rest.split_at(rest.len().min(16 - self.pending.len()));
            self.pending.extend_from_slice(head);
            rest = tail;
            let Ok(block) = <[u8; 16]>::try_from(&self.pending[..]) else { return Ok(()) };
            self.pending.clear();
            if self.decryptor.is_some() {
                self.blocks(&block, out)?;
            } else {
                self.decryptor = Some(BlockDecryptor::new(self.key.cipher_key(), &block));
            }
        }
        let (blocks, tail) = rest.split_at(rest.len() / 16 * 16);
        self.blocks(blocks, out)?;
        self.pending.extend_from_slice(tail);
        Ok(())
    }

    /// Says that everything was fetched.
    ///
    /// # Errors
    /// [`MediaError::Range`] when bytes of the range are missing.
    pub fn finish(self) -> Result<(), MediaError> {
        if self.left == 0 && self.pending.is_empty() { Ok(()) } else { Err(MediaError::Range) }
    }

    fn blocks(&mut self, blocks: &[u8], out: &mut Vec<u8>) -> Result<(), MediaError> {
        if blocks.is_empty() {
            return Ok(());
        }
        let decryptor = self.decryptor.as_mut().ok_or(MediaError::Range)?;
        if self.left == 0 {
            return Err(MediaError::Range);
        }
        let start = out.len();
        out.extend_from_slice(blocks);
        decryptor.decrypt(&mut out[start..]).map_err(MediaError::Crypto)?;
        // The range starts within its first block and ends within its last one.
        let skip = self.skip as usize;
        out.drain(start..start + skip);
        self.skip = 0;
        let found = (blocks.len() - skip) as u64;
        if found > self.left + 15 {
            return Err(MediaError::Range);
        }
        let kept = found.min(self.left);
        out.truncate(start + kept as usize);
        self.left -= kept;
        Ok(())
    }
}
