//! Files in messages (chapter 05 §11.8, §11.9; chapter 06 §8): where the file is, how it opens, and what each kind says
//! beside it.

use bytes::Bytes;
use wa_media::{MediaKey, MediaKind};
use wa_proto::e2e_message::message::{
    AlbumMessage, AudioMessage, DocumentMessage, ImageMessage, StickerMessage, VideoMessage,
};

use super::{said, signed, unsigned};

/// A file: everything that a download needs. The key prints as `[redacted]`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Media {
    /// What it is: decides how its keys are derived and where it lies on the media host.
    pub kind: MediaKind,
    /// Path on the media hosts. A file whose key or hashes have an impossible length is read without its paths: it
    /// cannot be had.
    pub direct_path: Option<String>,
    /// Address of the file; only of use without a path.
    pub url: Option<String>,
    /// Address of a file in the clear (channels).
    pub static_url: Option<String>,
    /// The key; `None` for files in the clear (channels).
    pub key: Option<MediaKey>,
    /// When the key was made, in seconds.
    pub key_timestamp: Option<u64>,
    /// SHA-256 of the file.
    pub sha256: Option<[u8; 32]>,
    /// SHA-256 of the encrypted file with its MAC.
    pub enc_sha256: Option<[u8; 32]>,
    /// Bytes of the file, as its sender says.
    pub size: Option<u64>,
    /// MIME type, as its sender says.
    pub mime: Option<String>,
}

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Dimensions {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// A larger thumbnail on the media host, opened with the key of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Thumbnail {
    /// Path on the media hosts.
    pub direct_path: String,
    /// SHA-256 of the thumbnail.
    pub sha256: Option<[u8; 32]>,
    /// SHA-256 of the encrypted thumbnail.
    pub enc_sha256: Option<[u8; 32]>,
}

/// An image.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Image {
    /// The file.
    pub media: Media,
    /// What is written below it.
    pub caption: Option<String>,
    /// Its size.
    pub dimensions: Option<Dimensions>,
    /// A small JPEG.
    pub preview: Option<Bytes>,
    /// A larger thumbnail.
    pub thumbnail: Option<Thumbnail>,
}

/// A video.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Video {
    /// The file.
    pub media: Media,
    /// How it is shown.
    pub kind: VideoKind,
    /// What is written below it.
    pub caption: Option<String>,
    /// Its size.
    pub dimensions: Option<Dimensions>,
    /// How long it is.
    pub seconds: Option<u32>,
    /// A small JPEG.
    pub preview: Option<Bytes>,
    /// A larger thumbnail.
    pub thumbnail: Option<Thumbnail>,
    /// What parts of it are verified by, to play it while it loads.
    pub sidecar: Option<Bytes>,
}

/// How a video is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VideoKind {
    /// With its controls.
    #[default]
    Video,
    /// Silent, over and over.
    Gif,
    /// Round, at most 60 seconds.
    Round,
}

/// An audio file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Audio {
    /// The file.
    pub media: Media,
    /// How long it is.
    pub seconds: Option<u32>,
    /// What parts of it are verified by.
    pub sidecar: Option<Bytes>,
}

/// A voice note: Opus in Ogg.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct VoiceNote {
    /// The file.
    pub media: Media,
    /// How long it is.
    pub seconds: Option<u32>,
    /// 64 amplitudes from 0 to 100.
    pub waveform: Option<Bytes>,
    /// Background of a status, 0xAARRGGBB.
    pub background: Option<u32>,
    /// What parts of it are verified by.
    pub sidecar: Option<Bytes>,
}

/// A document.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Document {
    /// The file.
    pub media: Media,
    /// Name of the file.
    pub file_name: Option<String>,
    /// Title.
    pub title: Option<String>,
    /// What is written below it.
    pub caption: Option<String>,
    /// Pages.
    pub pages: Option<u32>,
    /// A small JPEG.
    pub preview: Option<Bytes>,
    /// A larger thumbnail.
    pub thumbnail: Option<Thumbnail>,
}

/// A sticker: WebP, 512 pixels wide and high, or a vector animation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Sticker {
    /// The file.
    pub media: Media,
    /// Its size.
    pub dimensions: Option<Dimensions>,
    /// Whether it moves.
    pub motion: Motion,
    /// A small PNG.
    pub preview: Option<Bytes>,
    /// The emojis that it stands for.
    pub emojis: Option<String>,
    /// When it was sent, in milliseconds.
    pub sent_at_ms: Option<u64>,
}

/// Whether a sticker moves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Motion {
    /// It does not.
    #[default]
    Still,
    /// Animated WebP.
    Animated {
        /// Bytes up to the end of the first frame.
        first_frame: Option<u32>,
        /// What the first frame is verified by.
        sidecar: Option<Bytes>,
    },
    /// A vector animation (Lottie).
    Vector,
}

/// The head of an album.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Album {
    /// Images that belong to it.
    pub images: u32,
    /// Videos that belong to it.
    pub videos: u32,
}

impl Album {
    /// An album of so many items.
    pub const fn new(images: u32, videos: u32) -> Self {
        Self { images, videos }
    }
}

impl Image {
    /// An image without anything beside it.
    pub const fn new(media: Media) -> Self {
        Self { media, caption: None, dimensions: None, preview: None, thumbnail: None }
    }
}

impl Video {
    /// A video, a GIF or a round video without anything beside it.
    pub const fn new(media: Media, kind: VideoKind) -> Self {
        let (caption, dimensions, seconds) = (None, None, None);
        Self { media, kind, caption, dimensions, seconds, preview: None, thumbnail: None, sidecar: None }
    }
}

impl Audio {
    /// An audio file without anything beside it.
    pub const fn new(media: Media) -> Self {
        Self { media, seconds: None, sidecar: None }
    }
}

impl VoiceNote {
    /// A voice note without anything beside it.
    pub const fn new(media: Media) -> Self {
        Self { media, seconds: None, waveform: None, background: None, sidecar: None }
    }
}

impl Document {
    /// A document without anything beside it.
    pub const fn new(media: Media) -> Self {
        let (file_name, title, caption) = (None, None, None);
        Self { media, file_name, title, caption, pages: None, preview: None, thumbnail: None }
    }
}

impl Sticker {
    /// A still sticker without anything beside it.
    pub const fn new(media: Media) -> Self {
        let (dimensions, preview, emojis) = (None, None, None);
        Self { media, dimensions, motion: Motion::Still, preview, emojis, sent_at_ms: None }
    }
}

impl Dimensions {
    /// Pixels.
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    /// From two fields; `None` unless both say something.
    pub(super) fn of(width: Option<u32>, height: Option<u32>) -> Option<Self> {
        let (width, height) = (width.filter(|it| *it > 0)?, height.filter(|it| *it > 0)?);
        Some(Self { width, height })
    }
}

impl Thumbnail {
    /// A thumbnail that was uploaded.
    pub fn new(direct_path: impl Into<String>, sha256: [u8; 32], enc_sha256: [u8; 32]) -> Self {
        Self { direct_path: direct_path.into(), sha256: Some(sha256), enc_sha256: Some(enc_sha256) }
    }

    pub(super) fn of(
        path: Option<&String>,
        sha256: Option<&Bytes>,
        enc_sha256: Option<&Bytes>,
    ) -> Option<Self> {
        let digest = |bytes: Option<&Bytes>| bytes.and_then(|bytes| <[u8; 32]>::try_from(&bytes[..]).ok());
        Some(Self { direct_path: said(path)?, sha256: digest(sha256), enc_sha256: digest(enc_sha256) })
    }
}

impl Media {
    /// A file of which nothing is known yet.
    pub const fn new(kind: MediaKind) -> Self {
        Self {
            kind,
            direct_path: None,
            url: None,
            static_url: None,
            key: None,
            key_timestamp: None,
            sha256: None,
            enc_sha256: None,
            size: None,
            mime: None,
        }
    }

    /// Whether a message can refer to it: there is a path, and the key and hashes of an encrypted file.
    pub const fn is_uploaded(&self) -> bool {
        self.direct_path.is_some()
            && self.sha256.is_some()
            && (self.key.is_none() == self.enc_sha256.is_none())
    }

    /// Takes key and hashes; one of an impossible length takes the paths away.
    pub(super) fn take_secrets(
        &mut self,
        key: Option<&Bytes>,
        sha256: Option<&Bytes>,
        enc_sha256: Option<&Bytes>,
    ) {
        let mut broken = false;
        let mut digest = |bytes: Option<&Bytes>| {
            let bytes = bytes.filter(|bytes| !bytes.is_empty())?;
            let digest = <[u8; 32]>::try_from(&bytes[..]).ok();
            broken |= digest.is_none();
            digest
        };
        self.sha256 = digest(sha256);
        self.enc_sha256 = digest(enc_sha256);
        if let Some(key) = key.filter(|key| !key.is_empty()) {
            self.key = MediaKey::from_slice(key).ok();
            broken |= self.key.is_none();
        }
        if broken {
            (self.direct_path, self.url, self.static_url) = (None, None, None);
        }
    }

    /// The key as a message carries it.
    pub(super) fn key_bytes(&self) -> Option<Bytes> {
        self.key.as_ref().map(|key| Bytes::copy_from_slice(key.expose()))
    }
}

pub(super) fn hash(digest: Option<[u8; 32]>) -> Option<Bytes> {
    digest.map(|digest| Bytes::copy_from_slice(&digest))
}

/// The fields that all kinds share, read.
macro_rules! media {
    ($message:ident, $kind:expr) => {{
        let mut media = Media::new($kind);
        media.direct_path = said($message.direct_path.as_ref());
        media.url = said($message.url.as_ref());
        media.mime = said($message.mimetype.as_ref());
        media.size = $message.file_length;
        media.key_timestamp = unsigned($message.media_key_timestamp);
        media
    }};
}

/// The fields that all kinds share, written.
macro_rules! write_media {
    ($message:ident, $media:expr) => {{
        let media: &Media = $media;
        $message.direct_path.clone_from(&media.direct_path);
        $message.url.clone_from(&media.url);
        $message.mimetype.clone_from(&media.mime);
        $message.file_length = media.size;
        $message.media_key = media.key_bytes();
        $message.media_key_timestamp = signed(media.key_timestamp);
        $message.file_sha256 = hash(media.sha256);
        $message.file_enc_sha256 = hash(media.enc_sha256);
    }};
}

/// A thumbnail on the media host, written.
macro_rules! write_thumbnail {
    ($message:ident, $thumbnail:expr) => {{
        if let Some(thumbnail) = $thumbnail {
            $message.thumbnail_direct_path = Some(thumbnail.direct_path.clone());
            $message.thumbnail_sha256 = hash(thumbnail.sha256);
            $message.thumbnail_enc_sha256 = hash(thumbnail.enc_sha256);
        }
    }};
}

macro_rules! secrets {
    ($media:ident, $message:ident) => {
        $media.take_secrets(
            $message.media_key.as_ref(),
            $message.file_sha256.as_ref(),
            $message.file_enc_sha256.as_ref(),
        )
    };
}

macro_rules! thumbnail {
    ($message:ident) => {
        Thumbnail::of(
            $message.thumbnail_direct_path.as_ref(),
            $message.thumbnail_sha256.as_ref(),
            $message.thumbnail_enc_sha256.as_ref(),
        )
    };
}

impl From<&ImageMessage> for Image {
    fn from(message: &ImageMessage) -> Self {
        let mut media = media!(message, MediaKind::Image);
        media.static_url = said(message.static_url.as_ref());
        secrets!(media, message);
        Self {
            media,
            caption: said(message.caption.as_ref()),
            dimensions: Dimensions::of(message.width, message.height),
            preview: message.jpeg_thumbnail.clone(),
            thumbnail: thumbnail!(message),
        }
    }
}

impl From<&Image> for ImageMessage {
    fn from(image: &Image) -> Self {
        let mut message = Self {
            caption: image.caption.clone(),
            jpeg_thumbnail: image.preview.clone(),
            static_url: image.media.static_url.clone(),
            width: image.dimensions.map(|size| size.width),
            height: image.dimensions.map(|size| size.height),
            ..Self::default()
        };
        write_media!(message, &image.media);
        write_thumbnail!(message, &image.thumbnail);
        message
    }
}

impl Video {
    /// `round` is the field that it stood in: `ptvMessage`.
    pub(super) fn read(message: &VideoMessage, round: bool) -> Self {
        let (kind, media_kind) = match (round, message.gif_playback()) {
            (true, _) => (VideoKind::Round, MediaKind::VideoNote),
            (false, true) => (VideoKind::Gif, MediaKind::Gif),
            (false, false) => (VideoKind::Video, MediaKind::Video),
        };
        let mut media = media!(message, media_kind);
        media.static_url = said(message.static_url.as_ref());
        secrets!(media, message);
        Self {
            media,
            kind,
            caption: said(message.caption.as_ref()),
            dimensions: Dimensions::of(message.width, message.height),
            seconds: message.seconds,
            preview: message.jpeg_thumbnail.clone(),
            thumbnail: thumbnail!(message),
            sidecar: message.streaming_sidecar.clone(),
        }
    }
}

impl From<&Video> for VideoMessage {
    fn from(video: &Video) -> Self {
        let mut message = Self {
            caption: video.caption.clone(),
            jpeg_thumbnail: video.preview.clone(),
            static_url: video.media.static_url.clone(),
            width: video.dimensions.map(|size| size.width),
            height: video.dimensions.map(|size| size.height),
            seconds: video.seconds,
            gif_playback: (video.kind == VideoKind::Gif).then_some(true),
            streaming_sidecar: video.sidecar.clone(),
            ..Self::default()
        };
        write_media!(message, &video.media);
        write_thumbnail!(message, &video.thumbnail);
        message
    }
}

impl From<&AudioMessage> for Audio {
    fn from(message: &AudioMessage) -> Self {
        let mut media = media!(message, MediaKind::Audio);
        secrets!(media, message);
        Self { media, seconds: message.seconds, sidecar: message.streaming_sidecar.clone() }
    }
}

impl From<&Audio> for AudioMessage {
    fn from(audio: &Audio) -> Self {
        let mut message =
            Self { seconds: audio.seconds, streaming_sidecar: audio.sidecar.clone(), ..Self::default() };
        write_media!(message, &audio.media);
        message
    }
}

impl From<&AudioMessage> for VoiceNote {
    fn from(message: &AudioMessage) -> Self {
        let mut media = media!(message, MediaKind::VoiceNote);
        secrets!(media, message);
        Self {
            media,
            seconds: message.seconds,
            waveform: message.waveform.clone(),
            background: message.background_argb,
            sidecar: message.streaming_sidecar.clone(),
        }
    }
}

impl From<&VoiceNote> for AudioMessage {
    fn from(note: &VoiceNote) -> Self {
        let mut message = Self {
            ptt: Some(true),
            seconds: note.seconds,
            waveform: note.waveform.clone(),
            background_argb: note.background,
            streaming_sidecar: note.sidecar.clone(),
            ..Self::default()
        };
        write_media!(message, &note.media);
        message
    }
}

impl From<&DocumentMessage> for Document {
    fn from(message: &DocumentMessage) -> Self {
        let mut media = media!(message, MediaKind::Document);
        secrets!(media, message);
        Self {
            media,
            file_name: said(message.file_name.as_ref()),
            title: said(message.title.as_ref()),
            caption: said(message.caption.as_ref()),
            pages: message.page_count,
            preview: message.jpeg_thumbnail.clone(),
            thumbnail: thumbnail!(message),
        }
    }
}

impl From<&Document> for DocumentMessage {
    fn from(document: &Document) -> Self {
        let mut message = Self {
            file_name: document.file_name.clone(),
            title: document.title.clone(),
            caption: document.caption.clone(),
            page_count: document.pages,
            jpeg_thumbnail: document.preview.clone(),
            ..Self::default()
        };
        write_media!(message, &document.media);
        write_thumbnail!(message, &document.thumbnail);
        message
    }
}

impl From<&StickerMessage> for Sticker {
    fn from(message: &StickerMessage) -> Self {
        let mut media = media!(message, MediaKind::Sticker);
        secrets!(media, message);
        let motion = if message.is_lottie() {
            Motion::Vector
        } else if message.is_animated() {
            let (first_frame, sidecar) = (message.first_frame_length, message.first_frame_sidecar.clone());
            Motion::Animated { first_frame, sidecar }
        } else {
            Motion::Still
        };
        Self {
            media,
            dimensions: Dimensions::of(message.width, message.height),
            motion,
            preview: message.png_thumbnail.clone(),
            emojis: said(message.emojis.as_ref()),
            sent_at_ms: unsigned(message.sticker_sent_ts),
        }
    }
}

impl From<&Sticker> for StickerMessage {
    fn from(sticker: &Sticker) -> Self {
        let mut message = Self {
            width: sticker.dimensions.map(|size| size.width),
            height: sticker.dimensions.map(|size| size.height),
            png_thumbnail: sticker.preview.clone(),
            emojis: sticker.emojis.clone(),
            sticker_sent_ts: signed(sticker.sent_at_ms),
            ..Self::default()
        };
        match &sticker.motion {
            Motion::Still => {}
            Motion::Animated { first_frame, sidecar } => {
                message.is_animated = Some(true);
                message.first_frame_length = *first_frame;
                message.first_frame_sidecar.clone_from(sidecar);
            }
            Motion::Vector => {
                message.is_animated = Some(true);
                message.is_lottie = Some(true);
            }
        }
        write_media!(message, &sticker.media);
        message
    }
}

impl From<&AlbumMessage> for Album {
    fn from(message: &AlbumMessage) -> Self {
        Self { images: message.expected_image_count(), videos: message.expected_video_count() }
    }
}
