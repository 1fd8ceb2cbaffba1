//! Where a download goes, with every check of chapter 06 §5.1 on the way: memory, a file, a writer.
//!
//! Into memory and a file nothing is decrypted before hash and MAC are checked; a writer gets bytes that are good only
//! once everything has ended well.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use wa_media::{Expected, MediaError, MediaKeys, Opener, PlainVerifier, Verifier};

use super::TransferError;
use super::spool::{TemporaryFile, blocking};
use crate::shared::Shared;

/// Pieces in which files are sealed and opened.
pub(super) const PIECE: usize = 64 << 10;
/// Bytes that one trip to the disk takes.
const WRITE: usize = 256 << 10;

/// How the bytes of a host become a file.
#[derive(Clone)]
pub(super) enum Lock {
    /// Encrypted.
    Sealed(Box<MediaKeys>, Expected),
    /// In the clear, with or without a hash.
    Plain(Expected),
}

/// Takes the body of a download, piece by piece.
#[async_trait]
pub(super) trait Sink: Send {
    /// Takes a piece.
    async fn take(&mut self, piece: &[u8]) -> Result<(), TransferError>;

    /// Everything has come: checks it.
    async fn finish(&mut self) -> Result<(), TransferError>;

    /// Throws away what came. False where that cannot be done any more.
    async fn restart(&mut self) -> Result<bool, TransferError>;
}

/// The checks that run along.
enum Check {
    Sealed(Box<Verifier>),
    Plain(Box<PlainVerifier>),
}

impl Check {
    fn new(lock: &Lock) -> Self {
        match lock {
            Lock::Sealed(keys, expected) => Self::Sealed(Box::new(Verifier::new(keys, expected))),
            Lock::Plain(expected) => Self::Plain(Box::new(plain(expected))),
        }
    }

    fn update(&mut self, piece: &[u8]) -> Result<(), MediaError> {
        match self {
            Self::Sealed(check) => check.update(piece),
            Self::Plain(check) => check.update(piece),
        }
    }

    fn finish(self) -> Result<(), MediaError> {
        match self {
            Self::Sealed(check) => check.finish(),
            Self::Plain(check) => check.finish().map(drop),
        }
    }
}

fn plain(expected: &Expected) -> PlainVerifier {
    match expected.file_sha256 {
        Some(sha256) => PlainVerifier::new(sha256, expected.limit),
        None => PlainVerifier::unchecked(expected.limit),
    }
}

/// Into memory.
pub(super) struct Memory {
    lock: Lock,
    check: Option<Check>,
    sealed: Vec<u8>,
    /// The file, once it is checked.
    pub(super) file: Vec<u8>,
}

impl Memory {
    pub(super) fn new(lock: Lock) -> Self {
        let check = Some(Check::new(&lock));
        Self { lock, check, sealed: Vec::new(), file: Vec::new() }
    }
}

#[async_trait]
impl Sink for Memory {
    async fn take(&mut self, piece: &[u8]) -> Result<(), TransferError> {
        if let Some(check) = &mut self.check {
            check.update(piece)?;
        }
        self.sealed.extend_from_slice(piece);
        Ok(())
    }

    async fn finish(&mut self) -> Result<(), TransferError> {
        if let Some(check) = self.check.take() {
            check.finish()?;
        }
        let sealed = std::mem::take(&mut self.sealed);
        self.file = match &self.lock {
            Lock::Plain(_) => sealed,
            Lock::Sealed(keys, expected) => {
                let mut opener = Opener::new(keys, expected);
                let mut file = Vec::with_capacity(sealed.len());
                opener.update(&sealed, &mut file)?;
                opener.finish(&mut file)?;
                file
            }
        };
        Ok(())
    }

    async fn restart(&mut self) -> Result<bool, TransferError> {
        self.sealed.clear();
        self.check = Some(Check::new(&self.lock));
        Ok(true)
    }
}

/// Into a file: encrypted into a temporary one beside it, decrypted there once hash and MAC are right, renamed once
/// the hash of the plaintext is.
pub(super) struct ToFile {
    lock: Lock,
    check: Option<Check>,
    file: tokio::fs::File,
    temporary: Option<TemporaryFile>,
    to: PathBuf,
    /// Sabotage: what does not fit is handed out all the same.
    unchecked: bool,
}

impl ToFile {
    pub(super) async fn create(shared: &Shared, lock: Lock, to: &Path) -> Result<Self, TransferError> {
        let folder = match to.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let created = TemporaryFile::create(shared, folder).await;
        let (temporary, file) = created.map_err(TransferError::Destination)?;
        let mut file = tokio::fs::File::from_std(file);
        file.set_max_buf_size(WRITE);
        let check = Some(Check::new(&lock));
        let unchecked = sabotaged!(shared, UncheckedMedia);
        Ok(Self { lock, check, file, temporary: Some(temporary), to: to.to_owned(), unchecked })
    }

    async fn open(&mut self) -> Result<(), TransferError> {
        let Lock::Sealed(keys, expected) = self.lock.clone() else { return Ok(()) };
        let file = self.file.try_clone().await.map_err(TransferError::Destination)?.into_std().await;
        let unchecked = self.unchecked;
        let opened = blocking(move || decrypt(file, &keys, &expected, unchecked)).await;
        opened.map_err(TransferError::Destination)?.map_err(TransferError::File)
    }
}

/// Decrypts a file in place: what is written never reaches what is still to be read.
fn decrypt(
    mut file: File,
    keys: &MediaKeys,
    expected: &Expected,
    unchecked: bool,
) -> io::Result<Result<(), MediaError>> {
    let mut opener = Opener::new(keys, expected);
    let (mut piece, mut out) = (vec![0; PIECE], Vec::with_capacity(PIECE + 16));
    let (mut read_to, mut written) = (0, 0);
    loop {
        file.seek(SeekFrom::Start(read_to))?;
        let read = file.read(&mut piece)?;
        if read == 0 {
            break;
        }
        read_to += read as u64;
        if let Err(error) = opener.update(&piece[..read], &mut out) {
            return Ok(Err(error));
        }
        write_at(&mut file, &mut written, &mut out)?;
    }
    let end = opener.finish(&mut out);
    if let Err(error) = end
        && !unchecked
    {
        return Ok(Err(error));
    }
    write_at(&mut file, &mut written, &mut out)?;
    file.set_len(written)?;
    file.sync_all()?;
    Ok(Ok(()))
}

fn write_at(file: &mut File, at: &mut u64, bytes: &mut Vec<u8>) -> io::Result<()> {
    file.seek(SeekFrom::Start(*at))?;
    file.write_all(bytes)?;
    *at += bytes.len() as u64;
    bytes.clear();
    Ok(())
}

#[async_trait]
impl Sink for ToFile {
    async fn take(&mut self, piece: &[u8]) -> Result<(), TransferError> {
        if let Some(check) = &mut self.check {
            check.update(piece)?;
        }
        self.file.write_all(piece).await.map_err(TransferError::Destination)
    }

    async fn finish(&mut self) -> Result<(), TransferError> {
        // A full disk may show only here.
        self.file.flush().await.map_err(TransferError::Destination)?;
        if let Some(check) = self.check.take().filter(|_| !self.unchecked) {
            check.finish()?;
        }
        self.open().await?;
        self.file.sync_all().await.map_err(TransferError::Destination)?;
        match self.temporary.take() {
            Some(temporary) => temporary.rename(self.to.clone()).await.map_err(TransferError::Destination),
            None => Ok(()),
        }
    }

    async fn restart(&mut self) -> Result<bool, TransferError> {
        use tokio::io::AsyncSeekExt as _;
        self.check = Some(Check::new(&self.lock));
        self.file.set_len(0).await.map_err(TransferError::Destination)?;
        self.file.rewind().await.map_err(TransferError::Destination)?;
        Ok(true)
    }
}

/// Into a writer, in one pass.
pub(super) struct ToWriter<'w> {
    to: &'w mut (dyn AsyncWrite + Send + Unpin),
    lock: Lock,
    opener: Option<Pass>,
    out: Vec<u8>,
    /// Whether the writer has got anything.
    begun: bool,
}

enum Pass {
    Sealed(Box<Opener>),
    Plain(Box<PlainVerifier>),
}

impl Pass {
    fn new(lock: &Lock) -> Self {
        match lock {
            Lock::Sealed(keys, expected) => Self::Sealed(Box::new(Opener::new(keys, expected))),
            Lock::Plain(expected) => Self::Plain(Box::new(plain(expected))),
        }
    }
}

impl<'w> ToWriter<'w> {
    pub(super) fn new(lock: Lock, to: &'w mut (dyn AsyncWrite + Send + Unpin)) -> Self {
        let opener = Some(Pass::new(&lock));
        Self { to, lock, opener, out: Vec::new(), begun: false }
    }

    async fn write(&mut self) -> Result<(), TransferError> {
        self.begun |= !self.out.is_empty();
        self.to.write_all(&self.out).await.map_err(TransferError::Destination)?;
        self.out.clear();
        Ok(())
    }
}

#[async_trait]
impl Sink for ToWriter<'_> {
    async fn take(&mut self, piece: &[u8]) -> Result<(), TransferError> {
        match &mut self.opener {
            Some(Pass::Sealed(opener)) => opener.update(piece, &mut self.out)?,
            Some(Pass::Plain(check)) => {
                check.update(piece)?;
                self.out.extend_from_slice(piece);
            }
            None => {}
        }
        self.write().await
    }

    async fn finish(&mut self) -> Result<(), TransferError> {
        match self.opener.take() {
            Some(Pass::Sealed(opener)) => drop(opener.finish(&mut self.out)?),
            Some(Pass::Plain(check)) => drop(check.finish()?),
            None => {}
        }
        self.write().await?;
        self.to.flush().await.map_err(TransferError::Destination)
    }

    async fn restart(&mut self) -> Result<bool, TransferError> {
        self.out.clear();
        self.opener = Some(Pass::new(&self.lock));
        Ok(!self.begun)
    }
}
