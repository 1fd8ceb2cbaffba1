//! A file of the media host: small ones in memory, large ones in a temporary file that nobody else sees (chapter 10 §16).

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use wa_crypto::digest::Sha256;

/// Larger files lie on disk.
const MOST_IN_MEMORY: usize = 8 << 20;
/// Pieces in which a file is read.
const PIECE: usize = 64 << 10;

/// What lies on the media host. A copy shares it.
#[derive(Clone, Debug)]
pub struct StoredFile(Content);

#[derive(Clone, Debug)]
enum Content {
    Memory(Bytes),
    Disk {
        file: Arc<Mutex<File>>,
        length: u64,
    },
    /// Known by its SHA-256 alone, until a saved state has put its bytes in.
    Absent([u8; 32]),
}

impl From<Bytes> for StoredFile {
    fn from(bytes: Bytes) -> Self {
        Self(Content::Memory(bytes))
    }
}

impl StoredFile {
    /// A file of which only the SHA-256 is known yet.
    pub(crate) const fn known_by(sha256: [u8; 32]) -> Self {
        Self(Content::Absent(sha256))
    }

    /// The SHA-256, while that is all there is.
    pub(crate) const fn absent(&self) -> Option<[u8; 32]> {
        if let Content::Absent(sha256) = self.0 { Some(sha256) } else { None }
    }

    /// Its length.
    #[must_use]
    pub fn length(&self) -> u64 {
        match &self.0 {
            Content::Memory(bytes) => bytes.len() as u64,
            Content::Disk { length, .. } => *length,
            Content::Absent(_) => 0,
        }
    }

    /// Some bytes from a place on; fewer at the end.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn read(&self, from: u64, most: usize) -> io::Result<Bytes> {
        match &self.0 {
            Content::Memory(bytes) => {
                let from = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
                Ok(bytes.slice(from..bytes.len().min(from.saturating_add(most))))
            }
            Content::Disk { file, length } => {
                let left = usize::try_from(length.saturating_sub(from)).unwrap_or(usize::MAX);
                let mut piece = vec![0; most.min(left)];
                let mut file = file.lock();
                file.seek(SeekFrom::Start(from))?;
                file.read_exact(&mut piece)?;
                Ok(piece.into())
            }
            Content::Absent(_) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Its pieces in order.
    pub fn pieces(&self) -> impl Iterator<Item = io::Result<Bytes>> + '_ {
        (0..self.length()).step_by(PIECE).map(|from| self.read(from, PIECE))
    }

    /// All of it.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn whole(&self) -> io::Result<Bytes> {
        match &self.0 {
            Content::Memory(bytes) => Ok(bytes.clone()),
            Content::Disk { length, .. } => self.read(0, usize::try_from(*length).unwrap_or(usize::MAX)),
            Content::Absent(_) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// SHA-256 of it.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn sha256(&self) -> io::Result<[u8; 32]> {
        let mut hash = Sha256::new();
        for piece in self.pieces() {
            hash.update(&piece?);
        }
        Ok(hash.finalize())
    }
}

/// A file that is still coming in.
#[derive(Debug, Default)]
pub(crate) struct Spool {
    memory: Vec<u8>,
    disk: Option<File>,
    length: u64,
}

impl Spool {
    pub(crate) const fn length(&self) -> u64 {
        self.length
    }

    /// Forgets what comes after a place.
    pub(crate) fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.length = self.length.min(length);
        match &mut self.disk {
            Some(file) => {
                file.set_len(self.length)?;
                file.seek(SeekFrom::Start(self.length)).map(drop)
            }
            None => {
                self.memory.truncate(usize::try_from(self.length).unwrap_or(usize::MAX));
                Ok(())
            }
        }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.length += bytes.len() as u64;
        if let Some(file) = &mut self.disk {
            return file.write_all(bytes);
        }
        self.memory.extend_from_slice(bytes);
        if self.memory.len() > MOST_IN_MEMORY {
            let mut file = tempfile::tempfile()?;
            file.write_all(&core::mem::take(&mut self.memory))?;
            self.disk = Some(file);
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> StoredFile {
        StoredFile(match self.disk {
            Some(file) => Content::Disk { file: Arc::new(Mutex::new(file)), length: self.length },
            None => Content::Memory(self.memory.into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_large_files_read_alike() {
        let piece: Vec<u8> = (0..=250).collect();
        for pieces in [10, 40_000] {
            let mut spool = Spool::default();
            for _ in 0..pieces {
                spool.write(&piece).expect("room");
            }
            spool.write(b"too much").expect("room");
            spool.truncate(251 * pieces).expect("a file");
            spool.write(b"end").expect("room");
            assert_eq!(spool.length(), 251 * pieces + 3);
            let file = spool.finish();
            assert_eq!(matches!(file.0, Content::Disk { .. }), pieces == 40_000);
            assert_eq!(file.length(), 251 * pieces + 3);
            assert_eq!(file.read(251 * pieces - 1, 99).expect("a file"), Bytes::from_static(b"\xfaend"));
            assert!(file.read(file.length() + 5, 9).expect("nothing").is_empty());
            let whole = file.whole().expect("a file");
            assert_eq!(whole.len() as u64, file.length());
            assert_eq!(file.sha256().expect("a file"), wa_crypto::digest::sha256(&[&whole]));
            let joined: Vec<u8> = file.pieces().flat_map(|piece| piece.expect("a piece")).collect();
            assert!(joined == whole);
        }
    }
}
