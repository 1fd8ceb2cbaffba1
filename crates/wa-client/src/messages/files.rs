//! Messages with a file, as a person means them: `Message::file("report.pdf")`, `Message::image(path).caption("..")`. The
//! file is looked at when the message is taken for sending, and what was found fills whatever the message leaves open
//! (chapter 06 §8).

use bytes::Bytes;
use std::path::PathBuf;

use wa_core::content::{
    Album, Audio, Content, Dimensions, Document, Image, Media, MediaKind, Motion, Sticker, StickerPack,
    Target, Thumbnail, Video, VideoKind, VoiceNote,
};
use wa_media::Sidecar;

use super::builder::{Body, Message, Recipient, Unsendable};
use super::sending::{Messages, SendError, Sending};
use crate::media::{As, FileSource, Found};

/// A file for a message: one that was uploaded, or one that will be.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum MessageFile {
    /// Uploaded already ([`MediaRoom::upload`](crate::media::MediaRoom::upload)), or of a message that was received.
    Uploaded(Media),
    /// Looked at, encrypted and uploaded when the message is sent.
    New(FileSource),
}

impl From<Media> for MessageFile {
    fn from(media: Media) -> Self {
        Self::Uploaded(media)
    }
}

impl From<&Media> for MessageFile {
    fn from(media: &Media) -> Self {
        Self::Uploaded(media.clone())
    }
}

macro_rules! new_files {
    ($($source:ty),+) => {
        $(impl From<$source> for MessageFile {
            fn from(source: $source) -> Self {
                Self::New(source.into())
            }
        })+
    };
}

new_files!(FileSource, &std::path::Path, PathBuf, &PathBuf, &str, String, Bytes, Vec<u8>);

/// A file that is still to be looked at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Attachment {
    pub(crate) source: FileSource,
    /// As what it is to be sent; `None` for whatever it is.
    pub(crate) wish: Option<As>,
    details: Vec<Detail>,
}

/// What the application says about a file.
#[derive(Debug, Clone, PartialEq)]
enum Detail {
    Caption(String),
    FileName(String),
    Title(String),
    Pages(u32),
    Mime(String),
    Dimensions(Dimensions),
    Seconds(u32),
    Preview(Bytes),
    Waveform(Bytes),
    Emojis(String),
    Larger(Thumbnail),
}

impl Attachment {
    /// Name of the file, as far as there is one.
    pub(crate) fn name(&self) -> Option<String> {
        let said = self.details.iter().rev().find_map(|detail| match detail {
            Detail::FileName(name) => Some(name.clone()),
            _ => None,
        });
        said.or_else(|| match &self.source {
            FileSource::Path(path) => Some(path.file_name()?.to_string_lossy().into_owned()),
            FileSource::Bytes(_) => None,
        })
    }
}

fn empty(sent_as: As, media: Media) -> Content {
    match sent_as {
        As::Image => Content::Image(Image::new(media)),
        As::Video => Content::Video(Video::new(media, VideoKind::Video)),
        As::Gif => Content::Video(Video::new(media, VideoKind::Gif)),
        As::Round => Content::Video(Video::new(media, VideoKind::Round)),
        As::Audio => Content::Audio(Audio::new(media)),
        As::Voice => Content::VoiceNote(VoiceNote::new(media)),
        As::Document => Content::Document(Document::new(media)),
        As::Sticker => Content::Sticker(Sticker::new(media)),
    }
}

impl As {
    pub(crate) const fn kind(self) -> MediaKind {
        match self {
            Self::Image => MediaKind::Image,
            Self::Video => MediaKind::Video,
            Self::Gif => MediaKind::Gif,
            Self::Round => MediaKind::VideoNote,
            Self::Audio => MediaKind::Audio,
            Self::Voice => MediaKind::VoiceNote,
            Self::Document => MediaKind::Document,
            Self::Sticker => MediaKind::Sticker,
        }
    }
}

/// Kinds with a file.
impl Message {
    /// A file as whatever it is: by its content, then by its name, one of image, video, audio file or document. What
    /// is larger than 16 MiB, or what phones do not show, goes as a document under its name.
    pub fn file(file: impl Into<FileSource>) -> Self {
        Self::attach(None, MessageFile::New(file.into()))
    }

    /// An image: JPEG or PNG.
    pub fn image(file: impl Into<MessageFile>) -> Self {
        Self::attach(Some(As::Image), file.into())
    }

    /// A video: MP4.
    pub fn video(file: impl Into<MessageFile>) -> Self {
        Self::attach(Some(As::Video), file.into())
    }

    /// A video without sound that plays over and over: MP4 as well.
    pub fn gif(file: impl Into<MessageFile>) -> Self {
        Self::attach(Some(As::Gif), file.into())
    }

    /// A round video of at most 60 seconds.
    pub fn round_video(file: impl Into<MessageFile>) -> Self {
        Self::attach(Some(As::Round), file.into())
    }

    /// An audio file.
    pub fn audio(file: impl Into<MessageFile>) -> Self {
        Self::attach(Some(As::Audio), file.into())
    }

    /// A voice note: Opus in Ogg, one channel. Its waveform is estimated unless it is [set](Self::waveform).
    pub fn voice_note(file: impl Into<MessageFile>) -> Self {
        Self::attach(Some(As::Voice), file.into())
    }

    /// A document: any file.
    pub fn document(file: impl Into<MessageFile>) -> Self {
        Self::attach(Some(As::Document), file.into())
    }

    /// A sticker: WebP, 512 pixels wide and high, still or moving.
    pub fn sticker(file: impl Into<MessageFile>) -> Self {
        Self::attach(Some(As::Sticker), file.into())
    }

    /// A pack of stickers that was [uploaded](crate::media::MediaRoom::upload_sticker_pack), or came from somebody.
    pub fn sticker_pack(pack: StickerPack) -> Self {
        Self::content(Content::StickerPack(pack))
    }

    fn attach(wish: Option<As>, file: MessageFile) -> Self {
        let sent_as = wish.unwrap_or(As::Document);
        match file {
            MessageFile::Uploaded(media) => Self::content(empty(sent_as, media)),
            MessageFile::New(source) => {
                let mut message = Self::content(empty(sent_as, Media::new(sent_as.kind())));
                message.attachment = Some(Box::new(Attachment { source, wish, details: Vec::new() }));
                message
            }
        }
    }
}

/// What goes with a file. Each replaces what was found in it; a kind that has no place for it keeps none.
impl Message {
    /// What is written below an image, a video, a document or a sticker pack.
    pub fn caption(self, caption: impl Into<String>) -> Self {
        self.detail(Detail::Caption(caption.into()))
    }

    /// Name of a document's file.
    pub fn file_name(self, name: impl Into<String>) -> Self {
        self.detail(Detail::FileName(name.into()))
    }

    /// Title of a document.
    pub fn title(self, title: impl Into<String>) -> Self {
        self.detail(Detail::Title(title.into()))
    }

    /// Pages of a document.
    pub fn pages(self, pages: u32) -> Self {
        self.detail(Detail::Pages(pages))
    }

    /// MIME type of the file.
    pub fn mime(self, mime: impl Into<String>) -> Self {
        self.detail(Detail::Mime(mime.into()))
    }

    /// Width and height of an image, a video or a sticker.
    pub fn dimensions(self, width: u32, height: u32) -> Self {
        self.detail(Detail::Dimensions(Dimensions::new(width, height)))
    }

    /// How long a video or a sound is.
    pub fn seconds(self, seconds: u32) -> Self {
        self.detail(Detail::Seconds(seconds))
    }

    /// A small JPEG of an image, a video or a document; a small PNG of a sticker. At most 64 KiB are sent. That of an
    /// image or a sticker is made when none is given; that of a video is the application's to give: no film is decoded
    /// here.
    pub fn thumbnail(self, bytes: impl Into<Bytes>) -> Self {
        self.detail(Detail::Preview(bytes.into()))
    }

    /// A larger thumbnail on the media host, [uploaded](crate::media::MediaRoom::upload_thumbnail) for this very file,
    /// which has to be uploaded as well: of an image, a video or a document.
    pub fn large_thumbnail(self, thumbnail: Thumbnail) -> Self {
        self.detail(Detail::Larger(thumbnail))
    }

    /// The bars of a voice note: 64 from 0 to 100. From samples: [`waveform`](crate::media::waveform).
    pub fn waveform(self, bars: impl Into<Bytes>) -> Self {
        self.detail(Detail::Waveform(bars.into()))
    }

    /// The emojis that a sticker stands for.
    pub fn emojis(self, emojis: impl Into<String>) -> Self {
        self.detail(Detail::Emojis(emojis.into()))
    }

    fn detail(mut self, detail: Detail) -> Self {
        if let Body::Content(content) = &mut self.body {
            apply(content, &detail);
        }
        if let Some(attachment) = &mut self.attachment {
            attachment.details.push(detail);
        }
        self
    }

    /// Takes the file that is still to be looked at.
    pub(crate) fn take_attachment(&mut self) -> Option<Box<Attachment>> {
        self.attachment.take()
    }

    /// Fills in what was found, below what the application has said.
    pub(crate) fn found(self, attachment: &Attachment, found: Found) -> Self {
        let mut media = Media::new(found.sent_as.kind());
        media.mime = Some(found.mime);
        let mut content = empty(found.sent_as, media);
        match &mut content {
            Content::Image(image) => (image.dimensions, image.preview) = (found.dimensions, found.preview),
            Content::Video(video) => (video.dimensions, video.seconds) = (found.dimensions, found.seconds),
            Content::Audio(audio) => audio.seconds = found.seconds,
            Content::VoiceNote(note) => (note.seconds, note.waveform) = (found.seconds, found.waveform),
            Content::Document(document) => document.file_name = attachment.name(),
            Content::Sticker(sticker) => {
                (sticker.dimensions, sticker.preview) = (found.dimensions, found.preview);
                if let Some(end) = found.first_frame {
                    let first_frame = u32::try_from(end).ok();
                    sticker.motion = Motion::Animated { first_frame, sidecar: None };
                }
            }
            _ => {}
        }
        if let (Body::Content(before), Content::VoiceNote(note)) = (&self.body, &mut content)
            && let Content::VoiceNote(before) = &**before
        {
            note.background = before.background;
        }
        for detail in &attachment.details {
            apply(&mut content, detail);
        }
        self.with(content)
    }

    /// Refers to the file: key and hashes, and the sidecar of its kind.
    pub(crate) fn sealed(&mut self, sealed: Media, sidecar: Option<Bytes>) {
        let Body::Content(content) = &mut self.body else { return };
        let Some(media) = media_mut(content) else { return };
        let mime = media.mime.take();
        *media = sealed;
        media.mime = mime;
        match &mut **content {
            Content::Video(video) => video.sidecar = sidecar,
            Content::Audio(audio) => audio.sidecar = sidecar,
            Content::VoiceNote(note) => note.sidecar = sidecar,
            Content::Sticker(sticker) => {
                if let Motion::Animated { sidecar: place, .. } = &mut sticker.motion {
                    *place = sidecar;
                }
            }
            _ => {}
        }
    }

    /// Refuses a file of so many bytes before they are read.
    pub(crate) fn refuse_size(&self, is: u64) -> Result<(), Unsendable> {
        let is_document =
            matches!(&self.body, Body::Content(content) if matches!(**content, Content::Document(_)));
        let most = if is_document { self.limits.document } else { self.limits.media };
        if is > most { Err(Unsendable::TooLarge { is, most }) } else { Ok(()) }
    }

    /// Which sidecar its file needs.
    pub(crate) fn sidecar(&self) -> Sidecar {
        let Body::Content(content) = &self.body else { return Sidecar::None };
        match &**content {
            Content::Video(_) | Content::Audio(_) | Content::VoiceNote(_) => Sidecar::Streaming,
            Content::Sticker(sticker) => match sticker.motion {
                Motion::Animated { first_frame: Some(end), .. } => Sidecar::FirstFrame { len: end.into() },
                _ => Sidecar::None,
            },
            _ => Sidecar::None,
        }
    }

    /// What kind of file it has.
    pub(crate) fn media_kind(&self) -> Option<MediaKind> {
        let Body::Content(content) = &self.body else { return None };
        content.media().map(|media| media.kind)
    }

    /// Images and videos count in an album.
    const fn is_in_album_as(&self) -> Option<bool> {
        let Body::Content(content) = &self.body else { return None };
        match **content {
            Content::Image(_) => Some(true),
            Content::Video(_) => Some(false),
            _ => None,
        }
    }
}

fn media_mut(content: &mut Content) -> Option<&mut Media> {
    match content {
        Content::Image(image) => Some(&mut image.media),
        Content::Video(video) => Some(&mut video.media),
        Content::Audio(audio) => Some(&mut audio.media),
        Content::VoiceNote(note) => Some(&mut note.media),
        Content::Document(document) => Some(&mut document.media),
        Content::Sticker(sticker) => Some(&mut sticker.media),
        _ => None,
    }
}

fn apply(content: &mut Content, detail: &Detail) {
    use Content as C;
    match (detail, content) {
        (Detail::Caption(text), C::Image(it)) => it.caption = Some(text.clone()),
        (Detail::Caption(text), C::Video(it)) => it.caption = Some(text.clone()),
        (Detail::Caption(text), C::StickerPack(it)) => it.caption = Some(text.clone()),
        (Detail::Larger(larger), C::Image(it)) => it.thumbnail = Some(larger.clone()),
        (Detail::Larger(larger), C::Video(it)) => it.thumbnail = Some(larger.clone()),
        (Detail::Larger(larger), C::Document(it)) => it.thumbnail = Some(larger.clone()),
        (Detail::Caption(text), C::Document(it)) => it.caption = Some(text.clone()),
        (Detail::FileName(name), C::Document(it)) => it.file_name = Some(name.clone()),
        (Detail::Title(title), C::Document(it)) => it.title = Some(title.clone()),
        (Detail::Pages(pages), C::Document(it)) => it.pages = Some(*pages),
        (Detail::Dimensions(size), C::Image(it)) => it.dimensions = Some(*size),
        (Detail::Dimensions(size), C::Video(it)) => it.dimensions = Some(*size),
        (Detail::Dimensions(size), C::Sticker(it)) => it.dimensions = Some(*size),
        (Detail::Seconds(seconds), C::Video(it)) => it.seconds = Some(*seconds),
        (Detail::Seconds(seconds), C::Audio(it)) => it.seconds = Some(*seconds),
        (Detail::Seconds(seconds), C::VoiceNote(it)) => it.seconds = Some(*seconds),
        (Detail::Preview(bytes), C::Image(it)) => it.preview = Some(bytes.clone()),
        (Detail::Preview(bytes), C::Video(it)) => it.preview = Some(bytes.clone()),
        (Detail::Preview(bytes), C::Document(it)) => it.preview = Some(bytes.clone()),
        (Detail::Preview(bytes), C::Sticker(it)) => it.preview = Some(bytes.clone()),
        (Detail::Waveform(bars), C::VoiceNote(it)) => it.waveform = Some(bars.clone()),
        (Detail::Emojis(emojis), C::Sticker(it)) => it.emojis = Some(emojis.clone()),
        (Detail::Mime(mime), content) => {
            if let Some(media) = media_mut(content) {
                media.mime = Some(mime.clone());
            }
        }
        _ => {}
    }
}

impl Messages<'_> {
    /// Sends images and videos that belong together: the head of an album, then each of them. Each is a message of its
    /// own, with its own report; the first of the result is the head.
    ///
    /// # Errors
    /// [`Unsendable::Count`] for fewer than two or too many, [`Unsendable::NotInAlbum`] for anything but images and
    /// videos; otherwise as [`send`](Self::send), and what was taken before stays taken.
    pub async fn send_album(
        &self,
        to: impl Into<Recipient>,
        items: Vec<Message>,
    ) -> Result<Vec<Sending>, SendError> {
        let to = to.into();
        let kinds: Option<Vec<bool>> = items.iter().map(Message::is_in_album_as).collect();
        let kinds = kinds.ok_or(Unsendable::NotInAlbum)?;
        let images = u32::try_from(kinds.iter().filter(|is_image| **is_image).count()).unwrap_or(u32::MAX);
        let videos = u32::try_from(kinds.len()).unwrap_or(u32::MAX) - images;
        let head =
            self.send(to.clone(), Message::content(Content::Album(Album::new(images, videos)))).await?;
        let target = Target::from(&head);
        let mut all = vec![head];
        for item in items {
            all.push(self.send(to.clone(), item.in_album(target.clone())).await?);
        }
        Ok(all)
    }
}
