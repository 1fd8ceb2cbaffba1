//! What is uploaded: a file of the application, bytes in memory, or a stream that was sealed into a temporary file
//! (chapter 06 §4).
//!
//! The server wants the hash of the whole encrypted file before its first byte. A file is therefore read twice: once to
//! learn its hashes, throwing the ciphertext away, and once into the request, which must come to the same hashes. That
//! needs no disk, and a broken upload resumes by encrypting again up to where it broke. Only what can be read once is
//! sealed into a temporary file.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use wa_core::content::{Media, MediaKey, MediaKind};
use wa_media::{MediaKeys, SealedFile, Sealer, Sidecar};

use super::TransferError;
use super::sink::PIECE;
use super::spool::TemporaryFile;
use crate::shared::Shared;

/// Bytes that one trip to the disk brings.
const READ: usize = 256 << 10;

/// Where the bytes of a file are that is to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileSource {
    /// A file. It is read when it is sealed and again when it is uploaded, and must be there unchanged meanwhile.
    Path(PathBuf),
    /// Bytes in memory.
    Bytes(Bytes),
}

impl From<&Path> for FileSource {
    fn from(path: &Path) -> Self {
        Self::Path(path.to_owned())
    }
}

impl From<PathBuf> for FileSource {
    fn from(path: PathBuf) -> Self {
        Self::Path(path)
    }
}

impl From<&PathBuf> for FileSource {
    fn from(path: &PathBuf) -> Self {
        Self::Path(path.clone())
    }
}

/// A path.
impl From<&str> for FileSource {
    fn from(path: &str) -> Self {
        Self::Path(path.into())
    }
}

/// A path.
impl From<String> for FileSource {
    fn from(path: String) -> Self {
        Self::Path(path.into())
    }
}

impl From<Bytes> for FileSource {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Vec<u8>> for FileSource {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

/// Opens a source for one pass.
pub(super) enum Reader {
    File(tokio::fs::File),
    Bytes(Bytes),
}

impl Reader {
    pub(super) async fn open(source: &FileSource) -> io::Result<Self> {
        Ok(match source {
            FileSource::Path(path) => {
                let mut file = tokio::fs::File::open(path).await?;
                file.set_max_buf_size(READ);
                Self::File(file)
            }
            FileSource::Bytes(bytes) => Self::Bytes(bytes.clone()),
        })
    }

    /// The next piece; an empty one is the end.
    pub(super) async fn piece(&mut self, into: &mut Vec<u8>) -> io::Result<()> {
        into.clear();
        match self {
            Self::Bytes(bytes) => {
                let piece = bytes.split_to(bytes.len().min(PIECE));
                into.extend_from_slice(&piece);
            }
            Self::File(file) => {
                into.resize(READ, 0);
                let read = file.read(into).await?;
                into.truncate(read);
            }
        }
        Ok(())
    }
}

/// How a sealed file comes into a request.
#[derive(Debug, Clone)]
pub(super) enum Body {
    /// Encrypted again.
    Again { source: FileSource, keys: Box<MediaKeys>, sidecar: Sidecar },
    /// As it lies in a temporary file.
    Spooled(Arc<TemporaryFile>),
}

/// A file that is encrypted, or could be at any time with the same result, and not uploaded yet: encrypt ahead, upload
/// later.
#[derive(Debug, Clone)]
pub struct SealedUpload {
    pub(super) media: Media,
    pub(super) file: SealedFile,
    pub(super) body: Body,
}

impl SealedUpload {
    /// The file as a message will refer to it, but for its place on the hosts.
    pub const fn media(&self) -> &Media {
        &self.media
    }

    /// The sidecar, for kinds that have one: video and audio.
    pub fn sidecar(&self) -> Option<Bytes> {
        (!self.file.sidecar.is_empty()).then(|| Bytes::copy_from_slice(&self.file.sidecar))
    }
}

/// Which sidecar a kind has.
pub(super) const fn sidecar_of(kind: MediaKind) -> Sidecar {
    match kind {
        MediaKind::Video | MediaKind::VideoNote | MediaKind::Audio | MediaKind::VoiceNote => {
            Sidecar::Streaming
        }
        _ => Sidecar::None,
    }
}

/// The file as a message refers to it.
fn described(kind: MediaKind, key: MediaKey, file: &SealedFile, now_secs: u64) -> Media {
    let mut media = Media::new(kind);
    (media.key, media.key_timestamp) = (Some(key), Some(now_secs));
    (media.sha256, media.enc_sha256) = (Some(file.file_sha256), Some(file.file_enc_sha256));
    media.size = Some(file.file_length);
    media
}

/// The first pass over a source: learns the hashes under a new key.
pub(super) async fn seal(
    shared: &Shared,
    kind: MediaKind,
    source: FileSource,
    sidecar: Sidecar,
) -> Result<SealedUpload, TransferError> {
    let key = MediaKey::generate(&mut shared.rng());
    seal_under(shared, key, kind, source, sidecar).await
}

/// The same under a key that another file has, of another kind: then nothing of it is used twice.
pub(super) async fn seal_under(
    shared: &Shared,
    key: MediaKey,
    kind: MediaKind,
    source: FileSource,
    sidecar: Sidecar,
) -> Result<SealedUpload, TransferError> {
    let keys = key.derive(kind);
    let mut reader = Reader::open(&source).await.map_err(TransferError::Source)?;
    let mut sealer = Sealer::new(&keys, sidecar);
    let (mut piece, mut out) = (Vec::new(), Vec::with_capacity(PIECE + 32));
    loop {
        reader.piece(&mut piece).await.map_err(TransferError::Source)?;
        if piece.is_empty() {
            break;
        }
        sealer.update(&piece, &mut out);
        out.clear();
        // Bytes in memory never wait: others get their turn.
        tokio::task::yield_now().await;
    }
    let file = sealer.finish(&mut out);
    let media = described(kind, key, &file, shared.server_now().as_secs());
    Ok(SealedUpload { media, file, body: Body::Again { source, keys: Box::new(keys), sidecar } })
}

/// Seals what can be read once into a temporary file.
pub(super) async fn spool(
    shared: &Shared,
    kind: MediaKind,
    reader: &mut (dyn AsyncRead + Send + Unpin),
    folder: &Path,
) -> Result<SealedUpload, TransferError> {
    use tokio::io::AsyncWriteExt as _;
    let key = MediaKey::generate(&mut shared.rng());
    let keys = key.derive(kind);
    let created = TemporaryFile::create(shared, folder).await;
    let (temporary, file) = created.map_err(TransferError::Destination)?;
    let mut file = tokio::fs::File::from_std(file);
    file.set_max_buf_size(PIECE);
    let mut sealer = Sealer::new(&keys, sidecar_of(kind));
    let (mut piece, mut out) = (vec![0; PIECE], Vec::with_capacity(PIECE + 32));
    loop {
        let read = reader.read(&mut piece).await.map_err(TransferError::Source)?;
        if read == 0 {
            break;
        }
        sealer.update(&piece[..read], &mut out);
        file.write_all(&out).await.map_err(TransferError::Destination)?;
        out.clear();
    }
    let sealed = sealer.finish(&mut out);
    file.write_all(&out).await.map_err(TransferError::Destination)?;
    file.flush().await.map_err(TransferError::Destination)?;
    let media = described(kind, key, &sealed, shared.server_now().as_secs());
    Ok(SealedUpload { media, file: sealed, body: Body::Spooled(Arc::new(temporary)) })
}
