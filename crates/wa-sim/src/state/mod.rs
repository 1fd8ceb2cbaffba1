//! A run saved to a file and taken up again (chapter 10 §11 "stop").
//!
//! Saved is what a server and its phones keep: accounts, keys, sessions, queues, groups, app state, chats, files, the
//! log of violations, the streams of randomness. Connections end with a run, and so do links that were under way,
//! faults, the trace and the counters.
//!
//! Layout, numbers big endian: magic ‖ version u16 ‖ head ‖ world ‖ files ‖ SHA-256 of all before. Head and world are
//! `length u64 ‖ bytes`, the files `count u64` and for each `length u64 ‖ SHA-256 ‖ bytes`, in the order of their hashes.

pub(crate) mod foreign;
mod world;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use wa_crypto::digest::Sha256;

use crate::clock::SavedClock;
use crate::media::{Spool, StoredFile};
use crate::random::Seed;

const MAGIC: &[u8] = b"wa-sim state\n";
/// Goes up whenever anything that is saved changes its form.
const VERSION: u16 = 3;
const PIECE: usize = 64 << 10;

/// Why a state was not saved or taken up.
#[derive(Debug, Error)]
pub enum StateError {
    /// The disk.
    #[error("{name}: {source}")]
    Io {
        /// Which file.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// Something else lies there.
    #[error("this is no state of wa-sim; name another file, or remove this one to start anew")]
    Foreign,
    /// Another form.
    #[error(
        "the state has format {found} and this wa-sim reads format {VERSION}; take it up with the wa-sim that \
         wrote it, or remove it to start anew"
    )]
    Version {
        /// Of the file.
        found: u16,
    },
    /// The end is missing.
    #[error(
        "the state ends too early: it was not saved or copied whole; take another copy, or remove it to start anew"
    )]
    Truncated,
    /// Bytes changed since it was saved.
    #[error("the state is damaged: {0}; take another copy, or remove it to start anew")]
    Damaged(String),
    /// The run has another seed, and so another Noise root, than the state.
    #[error(
        "the state belongs to seed {saved}, and the run has seed {given} or another root seed; leave the seed away, or \
         take up another state"
    )]
    OtherSeed {
        /// Of the state.
        saved: u64,
        /// Of the run.
        given: u64,
    },
    /// A value that has no saved form.
    #[error("the state cannot be written: {0}")]
    Unwritable(String),
    /// There is no file to save to.
    #[error("no file was named to save to: start with --state FILE")]
    NoFile,
}

/// What stands in front of the world.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) seed: u64,
    pub(crate) root_seed: Option<[u8; 32]>,
    /// How often the Noise static key was changed.
    pub(crate) rotations: u64,
    pub(crate) clock: SavedClock,
}

/// A saved run. Copies share its bytes.
#[derive(Clone, Debug)]
pub struct SavedState {
    pub(crate) head: Head,
    world: Bytes,
    files: BTreeMap<[u8; 32], StoredFile>,
}

impl SavedState {
    /// The seed of the run, which it needs to be taken up.
    #[must_use]
    pub const fn seed(&self) -> Seed {
        Seed(self.head.seed)
    }

    /// Reads a state file.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let named = |source| StateError::Io { name: path.display().to_string(), source };
        Self::read(BufReader::new(File::open(path).map_err(named)?))
    }

    /// Reads a state.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn read(from: impl Read) -> Result<Self, StateError> {
        let mut source = Source { from, hash: Sha256::new() };
        let mut magic = Vec::new();
        source.piece(MAGIC.len() as u64, |bytes| magic.extend_from_slice(bytes)).map_err(|error| {
            if magic.is_empty() || !MAGIC.starts_with(&magic) { StateError::Foreign } else { error }
        })?;
        if magic != MAGIC {
            return Err(StateError::Foreign);
        }
        let found = u16::from_be_bytes(source.array()?);
        if found != VERSION {
            return Err(StateError::Version { found });
        }
        let head = source.block()?;
        let world = source.block()?;
        let mut files = BTreeMap::new();
        for _ in 0..u64::from_be_bytes(source.array()?) {
            let length = u64::from_be_bytes(source.array()?);
            let name: [u8; 32] = source.array()?;
            let mut spool = Spool::default();
            let mut written = Ok(());
            source.piece(length, |bytes| {
                if written.is_ok() {
                    written = spool.write(bytes);
                }
            })?;
            written.map_err(|source| StateError::Io { name: "a file of the state".to_owned(), source })?;
            files.insert(name, spool.finish());
        }
        let digest = source.hash.clone().finalize();
        if source.array()? != digest {
            return Err(StateError::Damaged("its checksum does not fit".to_owned()));
        }
        let head = decode(&head)?;
        Ok(Self { head, world: world.into(), files })
    }

    /// Writes the state.
    ///
    /// # Errors
    /// [`StateError::Io`], [`StateError::Unwritable`].
    pub fn write(&self, to: impl Write) -> Result<(), StateError> {
        let io = |source| StateError::Io { name: "the state".to_owned(), source };
        let mut sink = Sink { to, hash: Sha256::new() };
        sink.write_all(MAGIC).map_err(io)?;
        sink.write_all(&VERSION.to_be_bytes()).map_err(io)?;
        for block in [&encode(&self.head)?[..], &self.world] {
            sink.write_all(&(block.len() as u64).to_be_bytes()).map_err(io)?;
            sink.write_all(block).map_err(io)?;
        }
        sink.write_all(&(self.files.len() as u64).to_be_bytes()).map_err(io)?;
        for (name, file) in &self.files {
            sink.write_all(&file.length().to_be_bytes()).map_err(io)?;
            sink.write_all(name).map_err(io)?;
            for piece in file.pieces() {
                sink.write_all(&piece.map_err(io)?).map_err(io)?;
            }
        }
        let Sink { mut to, hash } = sink;
        to.write_all(&hash.finalize()).map_err(io)?;
        to.flush().map_err(io)
    }

    /// Writes the state to a file, whole or not at all: what was there stays until the new one is safe on the disk.
    ///
    /// # Errors
    /// [`StateError::Io`], [`StateError::Unwritable`].
    pub fn save(&self, path: &Path) -> Result<(), StateError> {
        let named = |source| StateError::Io { name: path.display().to_string(), source };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(named)?;
        self.write(BufWriter::new(file.as_file_mut()))?;
        file.as_file().sync_all().map_err(named)?;
        file.persist(path).map_err(|error| named(error.error))?;
        Ok(())
    }
}

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, StateError> {
    postcard::to_allocvec(value).map_err(|error| StateError::Unwritable(error.to_string()))
}

/// Reads a value that must be all of the bytes.
fn decode<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, StateError> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok(_) => Err(StateError::Damaged("something is left over".to_owned())),
        Err(error) => Err(StateError::Damaged(error.to_string())),
    }
}

/// Reads and hashes.
struct Source<R> {
    from: R,
    hash: Sha256,
}

impl<R: Read> Source<R> {
    /// So many bytes, in pieces. The length is only believed as far as bytes come.
    fn piece(&mut self, mut left: u64, mut take: impl FnMut(&[u8])) -> Result<(), StateError> {
        let mut buffer = [0; PIECE];
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            let read = match self.from.read(&mut buffer[..most]) {
                Ok(0) => return Err(StateError::Truncated),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(StateError::Io { name: "the state".to_owned(), source }),
            };
            self.hash.update(&buffer[..read]);
            take(&buffer[..read]);
            left -= read as u64;
        }
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], StateError> {
        let mut all = Vec::with_capacity(N);
        self.piece(N as u64, |bytes| all.extend_from_slice(bytes))?;
        all.try_into().map_err(|_| StateError::Truncated)
    }

    fn block(&mut self) -> Result<Vec<u8>, StateError> {
        let length = u64::from_be_bytes(self.array()?);
        let mut all = Vec::new();
        self.piece(length, |bytes| all.extend_from_slice(bytes))?;
        Ok(all)
    }
}

/// Writes and hashes.
struct Sink<W> {
    to: W,
    hash: Sha256,
}

impl<W: Write> Sink<W> {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.to.write_all(bytes)
    }
}
