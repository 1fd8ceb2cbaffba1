//! Downloads: of a message's file or thumbnail, whole or in part, into a file, a writer or memory (chapter 06 §5, §7).

use std::ops::Range;
use std::path::Path;

use tokio::io::AsyncWrite;
use wa_core::content::{Content, Media, MediaKind, Target, Thumbnail};
use wa_media::{ByteRange, Expected, MediaError, Part};

use super::fetch::{Wanted, fetch};
use super::sink::{Lock, Memory, Sink, ToFile, ToWriter};
use super::stanza::Place;
use super::{Monitor, TransferError, retry};
use crate::client::Client;
use crate::messages::types::ReceivedMessage;
use crate::shared::Shared;

/// Largest file that is downloaded unless the caller says otherwise, in bytes: the largest document that clients send.
pub const LARGEST: u64 = 2 << 30;
/// Longest range that is read into memory at once, in bytes.
pub const LONGEST_RANGE: u64 = 16 << 20;

/// A file to download, and the message that it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct FileRef {
    media: Option<Media>,
    sidecar: Option<bytes::Bytes>,
    place: Option<Place>,
}

/// Without its message: the phone cannot be asked for it.
impl From<&Media> for FileRef {
    fn from(media: &Media) -> Self {
        Self { media: Some(media.clone()), sidecar: None, place: None }
    }
}

impl From<&ReceivedMessage> for FileRef {
    fn from(message: &ReceivedMessage) -> Self {
        let place = Place {
            id: message.id.as_str().to_owned(),
            chat: Some(message.chat.jid.clone()),
            from_me: message.from_me,
            author: message.sender.jid().cloned(),
        };
        let sidecar = match &message.content {
            Content::Video(video) => video.sidecar.clone(),
            Content::Audio(audio) => audio.sidecar.clone(),
            Content::VoiceNote(note) => note.sidecar.clone(),
            _ => None,
        };
        Self { media: message.content.media().cloned(), sidecar, place: Some(place) }
    }
}

impl FileRef {
    /// The file of a message of which only that much is known: of a history, for example.
    pub fn in_message(media: &Media, message: &Target) -> Self {
        let place = Place {
            id: message.id.clone(),
            chat: message.chat.clone(),
            from_me: message.from_me,
            author: message.author.clone(),
        };
        Self { place: Some(place).filter(|place| place.chat.is_some()), ..Self::from(media) }
    }

    /// A file without its message, whose parts can be verified.
    pub fn with_sidecar(media: &Media, sidecar: impl Into<bytes::Bytes>) -> Self {
        Self { sidecar: Some(sidecar.into()), ..Self::from(media) }
    }

    /// The larger thumbnail that a message has beside its file, on the media host: of an image, a video, a document, a
    /// link or a sticker pack. A download of one without it fails as [`TransferError::NoFile`].
    pub fn thumbnail(message: &ReceivedMessage) -> Self {
        let of = |kind, media: &Media, thumbnail: &Option<Thumbnail>| {
            let thumbnail = thumbnail.as_ref()?;
            let mut found = Media::new(kind);
            found.direct_path = Some(thumbnail.direct_path.clone());
            found.key.clone_from(&media.key);
            (found.sha256, found.enc_sha256) = (thumbnail.sha256, thumbnail.enc_sha256);
            Some(found)
        };
        let media = match &message.content {
            Content::Image(image) => of(MediaKind::ImageThumbnail, &image.media, &image.thumbnail),
            Content::Video(video) => of(MediaKind::VideoThumbnail, &video.media, &video.thumbnail),
            Content::Document(document) => {
                of(MediaKind::DocumentThumbnail, &document.media, &document.thumbnail)
            }
            Content::StickerPack(pack) => of(MediaKind::StickerPackCover, &pack.media, &pack.cover),
            Content::Text(text) => text.preview.as_ref().and_then(|preview| preview.picture.clone()),
            _ => None,
        };
        Self { media, sidecar: None, place: None }
    }
}

/// What was downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Downloaded {
    /// The path under which the phone has brought the file back, when the hosts had forgotten it.
    pub direct_path: Option<String>,
}

/// A download that is about to begin. Dropping one that runs cancels it; nothing is left behind.
///
/// When the hosts have forgotten the file of a message, the phone is asked for it and the download goes on in the same
/// call; the phone must be online for that.
#[derive(Debug)]
#[must_use = "a download begins with one of its last methods"]
pub struct Download<'c> {
    client: &'c Client,
    file: FileRef,
    monitor: Monitor,
    limit: u64,
    asks_phone: bool,
}

impl<'c> Download<'c> {
    pub(super) fn new(client: &'c Client, file: FileRef) -> Self {
        Self { client, file, monitor: Monitor::new(), limit: LARGEST, asks_phone: true }
    }

    /// Watches and cancels it.
    pub fn monitor(mut self, monitor: &Monitor) -> Self {
        self.monitor = monitor.clone();
        self
    }

    /// Takes at most so many bytes, 2 GiB unless set. What a sender says about a size is not believed.
    pub const fn limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// Does not ask the phone for a file that the hosts have forgotten.
    pub const fn without_phone(mut self) -> Self {
        self.asks_phone = false;
        self
    }

    /// Into a file, which appears complete and checked or not at all: it is written under a temporary name in the same
    /// folder (for this user alone, 0600), and takes the place of a file that has the name. Constant memory.
    ///
    /// # Errors
    /// [`TransferError`]; nothing is left behind.
    pub async fn to_path(self, path: impl AsRef<Path>) -> Result<Downloaded, TransferError> {
        let shared = &self.client.shared;
        let (media, lock) = self.lock()?;
        let mut sink = ToFile::create(shared, lock, path.as_ref()).await?;
        self.run(media, &mut sink).await
    }

    /// Into memory, at most `limit` bytes.
    ///
    /// # Errors
    /// [`TransferError`].
    pub async fn to_bytes(mut self, limit: u64) -> Result<Vec<u8>, TransferError> {
        self.limit = limit;
        let (media, lock) = self.lock()?;
        let mut sink = Memory::new(lock);
        self.run(media, &mut sink).await?;
        Ok(sink.file)
    }

    /// Into a writer, in one pass and with constant memory. **What the writer gets is not verified until this has
    /// returned `Ok`**: on any error whatever was written must be thrown away.
    ///
    /// # Errors
    /// [`TransferError`].
    pub async fn to_writer(
        self,
        writer: &mut (impl AsyncWrite + Send + Unpin),
    ) -> Result<Downloaded, TransferError> {
        let (media, lock) = self.lock()?;
        let mut sink = ToWriter::new(lock, writer);
        self.run(media, &mut sink).await
    }

    /// Bytes `range` of the file, at most 16 MiB, each part of 64 KiB verified by the message's sidecar: a video plays
    /// while it loads, from anywhere.
    ///
    /// # Errors
    /// [`TransferError`]; [`MediaError::SidecarMissing`] for a message without one, [`MediaError::Range`] outside the
    /// file.
    pub async fn range(self, range: Range<u64>) -> Result<Vec<u8>, TransferError> {
        self.part(range, true).await
    }

    /// The same for files without a sidecar: **nothing is verified**, since the MAC is over the whole file.
    ///
    /// # Errors
    /// [`TransferError`].
    pub async fn range_unverified(self, range: Range<u64>) -> Result<Vec<u8>, TransferError> {
        self.part(range, false).await
    }

    async fn part(self, range: Range<u64>, verified: bool) -> Result<Vec<u8>, TransferError> {
        let media = self.file.media.clone().ok_or(TransferError::NoFile)?;
        let (Some(key), Some(size)) = (&media.key, media.size) else { return Err(TransferError::NoFile) };
        if range.end.saturating_sub(range.start) > LONGEST_RANGE.min(self.limit) {
            return Err(TransferError::TooLarge { limit: LONGEST_RANGE.min(self.limit) });
        }
        let whole = ByteRange::new(range.clone(), size)?;
        let keys = key.derive(media.kind);
        let reading = if verified {
            let last = (range.end - 1) / wa_media::PART_LEN;
            let parts = range.start / wa_media::PART_LEN..=last;
            let parts = parts.map(|index| Part::new(index, size)).collect::<Result<Vec<_>, _>>()?;
            let sidecar = self.file.sidecar.clone().ok_or(MediaError::SidecarMissing(0))?;
            Reading::Verified { parts, sidecar }
        } else {
            Reading::Unverified(whole)
        };
        let fetched = reading.fetch();
        let mut sink = RangeSink { keys, reading, fetched: Vec::new(), file: Vec::new() };
        let start = sink.reading.start();
        self.run_range(media, Some(fetched), &mut sink).await?;
        let from = usize::try_from(range.start - start).unwrap_or(usize::MAX);
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        Ok(sink.file.get(from..from.saturating_add(length)).ok_or(MediaError::Range)?.to_vec())
    }

    /// The file, and how its bytes are checked and opened.
    fn lock(&self) -> Result<(Media, Lock), TransferError> {
        let media = self.file.media.clone().ok_or(TransferError::NoFile)?;
        let lock = lock(&media, self.limit)?;
        Ok((media, lock))
    }

    async fn run(self, media: Media, sink: &mut dyn Sink) -> Result<Downloaded, TransferError> {
        self.run_range(media, None, sink).await
    }

    async fn run_range(
        self,
        mut media: Media,
        range: Option<Range<u64>>,
        sink: &mut dyn Sink,
    ) -> Result<Downloaded, TransferError> {
        let shared = &self.client.shared;
        let place = self.file.place.as_ref().filter(|_| self.asks_phone);
        let all = async {
            let wanted = Wanted { media: &media, range: range.clone() };
            self.monitor.total(wanted.length());
            let error = match fetch(shared, &wanted, sink, &self.monitor).await {
                Ok(()) => return Ok(Downloaded { direct_path: None }),
                Err(error) => error,
            };
            let is_lost = matches!(error, TransferError::Expired | TransferError::Rejected(403));
            let (Some(place), Some(key), true) = (place, media.key.clone(), is_lost) else {
                return Err(error);
            };
            let path = retry::ask(shared, place, &key).await?;
            (media.direct_path, media.url, media.static_url) = (Some(path.clone()), None, None);
            if !sink.restart().await? {
                return Err(error);
            }
            fetch(shared, &Wanted { media: &media, range }, sink, &self.monitor).await?;
            Ok(Downloaded { direct_path: Some(path) })
        };
        self.monitor.run(all).await.map_err(|error| within(self.limit, error))
    }
}

/// How a file is checked and opened; refuses what cannot be right before anything is asked for.
fn lock(media: &Media, limit: u64) -> Result<Lock, TransferError> {
    if media.size.is_some_and(|size| size > limit) {
        return Err(TransferError::TooLarge { limit });
    }
    let (file_sha256, file_enc_sha256) = (media.sha256, media.enc_sha256);
    match &media.key {
        Some(key) => {
            let limit = Some(wa_media::sealed_len(limit));
            let expected = Expected { file_sha256, file_enc_sha256, limit };
            Ok(Lock::Sealed(Box::new(key.derive(media.kind)), expected))
        }
        None if file_sha256.is_none() => Err(TransferError::NoHash),
        None => Ok(Lock::Plain(Expected { file_sha256, file_enc_sha256: None, limit: Some(limit) })),
    }
}

/// A file in the clear that the server itself has named, at most `limit` bytes, in memory. Its hash is checked where the
/// server says one.
pub(super) async fn download_plain(
    shared: &Shared,
    media: &Media,
    limit: u64,
) -> Result<Vec<u8>, TransferError> {
    let expected = Expected { file_sha256: media.sha256, file_enc_sha256: None, limit: Some(limit) };
    let mut sink = Memory::new(Lock::Plain(expected));
    let wanted = Wanted { media, range: None };
    fetch(shared, &wanted, &mut sink, &Monitor::new()).await.map_err(|error| within(limit, error))?;
    Ok(sink.file)
}

/// More bytes than the caller allows are named so.
fn within(limit: u64, error: TransferError) -> TransferError {
    match error {
        TransferError::File(MediaError::TooLong { .. }) => TransferError::TooLarge { limit },
        other => other,
    }
}

/// How a range is read.
enum Reading {
    Verified { parts: Vec<Part>, sidecar: bytes::Bytes },
    Unverified(ByteRange),
}

impl Reading {
    /// Bytes of the encrypted file.
    fn fetch(&self) -> Range<u64> {
        match self {
            Self::Unverified(range) => range.fetch(),
            Self::Verified { parts, .. } => {
                let start = parts.first().map_or(0, |part| part.fetch().start);
                start..parts.last().map_or(start, |part| part.fetch().end)
            }
        }
    }

    /// Where what is opened begins in the file.
    fn start(&self) -> u64 {
        match self {
            Self::Unverified(range) => range.start(),
            Self::Verified { parts, .. } => parts.first().map_or(0, |part| part.plaintext().start),
        }
    }
}

struct RangeSink {
    keys: wa_media::MediaKeys,
    reading: Reading,
    fetched: Vec<u8>,
    file: Vec<u8>,
}

#[async_trait::async_trait]
impl Sink for RangeSink {
    async fn take(&mut self, piece: &[u8]) -> Result<(), TransferError> {
        self.fetched.extend_from_slice(piece);
        Ok(())
    }

    async fn finish(&mut self) -> Result<(), TransferError> {
        let begin = self.reading.fetch().start;
        match &self.reading {
            Reading::Unverified(range) => self.file = range.open(&self.keys, &self.fetched)?,
            Reading::Verified { parts, sidecar } => {
                for part in parts {
                    let Range { start, end } = part.fetch();
                    let window = (start - begin) as usize..(end - begin) as usize;
                    let window = self.fetched.get(window).ok_or(MediaError::Range)?;
                    self.file.extend(part.open(&self.keys, window, sidecar)?);
                }
            }
        }
        Ok(())
    }

    async fn restart(&mut self) -> Result<bool, TransferError> {
        self.fetched.clear();
        self.file.clear();
        Ok(true)
    }
}

/// Tells the hosts that a history chunk is stored and may go. That it fails is only logged.
#[expect(dead_code, reason = "for history")]
pub(crate) async fn forget_history(shared: &Shared, media: &Media, enc_handle: Option<&str>) {
    let (Some(path), Some(sha256)) = (&media.direct_path, &media.enc_sha256) else { return };
    let Ok(conn) = shared.media.hosts.known(shared, None).await else { return };
    let Some(host) = conn.hosts.first() else { return };
    let gone = match wa_media::url::delete_history(host, path, sha256, &conn.auth, enc_handle) {
        Ok(url) => shared.media.http.delete(&url).await,
        Err(error) => Err(error.into()),
    };
    if let Err(error) = gone {
        tracing::debug!(%error, "a history chunk stays on its host");
    }
}

/// A whole file that refers to no message (a history chunk, a collection of app state), at most `limit` bytes, in
/// memory and checked. The hosts alone are asked for it.
///
/// # Errors
/// [`TransferError`].
pub(crate) async fn download_blob(
    shared: &Shared,
    media: &Media,
    limit: u64,
) -> Result<Vec<u8>, TransferError> {
    let mut sink = Memory::new(lock(media, limit)?);
    let wanted = Wanted { media, range: None };
    fetch(shared, &wanted, &mut sink, &Monitor::new()).await.map_err(|error| within(limit, error))?;
    Ok(sink.file)
}
