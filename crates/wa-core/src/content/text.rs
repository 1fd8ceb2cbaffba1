//! Texts (chapter 05 §11.1, §11.3, §11.18): plain, with the preview of a link, with the colours of a status.

use bytes::Bytes;
use wa_media::MediaKind;
use wa_proto::e2e_message::message::ExtendedTextMessage;
use wa_proto::e2e_message::message::extended_text_message::{FontType, PreviewType};

use super::media::{Dimensions, Media, hash};
use super::{said, signed, unsigned};

/// A text.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Text {
    /// The text itself.
    pub body: String,
    /// The preview of a link in it.
    pub preview: Option<LinkPreview>,
    /// How a status shows it.
    pub style: Option<TextStyle>,
}

/// The preview of a link.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct LinkPreview {
    /// The link, exactly as it stands in the text.
    pub link: String,
    /// Title of the page.
    pub title: Option<String>,
    /// Description of the page.
    pub description: Option<String>,
    /// A small JPEG, at most 64 KiB.
    pub thumbnail: Option<Bytes>,
    /// The large picture, uploaded as [`MediaKind::LinkThumbnail`].
    pub picture: Option<Media>,
    /// Its size.
    pub dimensions: Option<Dimensions>,
    /// Whether a video is behind the link.
    pub is_video: bool,
}

/// How a status shows its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TextStyle {
    /// 0xAARRGGBB.
    pub background: Option<u32>,
    /// 0xAARRGGBB.
    pub color: Option<u32>,
    /// The font.
    pub font: Font,
}

macro_rules! fonts {
    ($($(#[$doc:meta])* $font:ident $wire:ident,)+) => {
        /// Fonts of a status.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Font {
            /// The system's.
            #[default]
            System,
            $($(#[$doc])* $font,)+
        }

        impl Font {
            const fn of(font: FontType) -> Self {
                match font {
                    FontType::System => Self::System,
                    $(FontType::$wire => Self::$font,)+
                }
            }

            const fn wire(self) -> FontType {
                match self {
                    Self::System => FontType::System,
                    $(Self::$font => FontType::$wire,)+
                }
            }
        }
    };
}

fonts! {
    /// The system's, for texts.
    SystemText SystemText,
    /// A script.
    Script FbScript,
    /// The system's, bold.
    Bold SystemBold,
    /// Morning Breeze.
    MorningBreeze MorningbreezeRegular,
    /// Calistoga.
    Calistoga CalistogaRegular,
    /// Exo 2, extra bold.
    Exo2 Exo2Extrabold,
    /// Courier Prime, bold.
    CourierPrime CourierprimeBold,
}

impl Text {
    /// A plain text.
    pub fn new(body: impl Into<String>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }

    /// Whether it can travel as a bare `conversation`.
    pub(super) const fn is_plain(&self) -> bool {
        self.preview.is_none() && self.style.is_none()
    }
}

impl From<&ExtendedTextMessage> for Text {
    fn from(text: &ExtendedTextMessage) -> Self {
        let styled = text.background_argb.is_some() || text.text_argb.is_some() || text.font.is_some();
        Self {
            body: text.text.clone().unwrap_or_default(),
            preview: preview(text),
            style: styled.then(|| TextStyle {
                background: text.background_argb,
                color: text.text_argb,
                font: Font::of(text.font()),
            }),
        }
    }
}

fn preview(text: &ExtendedTextMessage) -> Option<LinkPreview> {
    let link = said(text.matched_text.as_ref())?;
    let mut picture = Media::new(MediaKind::LinkThumbnail);
    picture.direct_path.clone_from(&text.thumbnail_direct_path);
    picture.key_timestamp = unsigned(text.media_key_timestamp);
    picture.take_secrets(
        text.media_key.as_ref(),
        text.thumbnail_sha256.as_ref(),
        text.thumbnail_enc_sha256.as_ref(),
    );
    Some(LinkPreview {
        link,
        title: said(text.title.as_ref()),
        description: said(text.description.as_ref()),
        thumbnail: text.jpeg_thumbnail.clone(),
        picture: picture.direct_path.is_some().then_some(picture),
        dimensions: Dimensions::of(text.thumbnail_width, text.thumbnail_height),
        is_video: text.preview_type() == PreviewType::Video,
    })
}

impl From<&Text> for ExtendedTextMessage {
    fn from(text: &Text) -> Self {
        let mut message = Self { text: Some(text.body.clone()), ..Self::default() };
        if let Some(style) = &text.style {
            message.background_argb = style.background;
            message.text_argb = style.color;
            message.font = Some(style.font.wire().into());
        }
        let Some(preview) = &text.preview else { return message };
        message.matched_text = Some(preview.link.clone());
        message.title.clone_from(&preview.title);
        message.description.clone_from(&preview.description);
        message.jpeg_thumbnail.clone_from(&preview.thumbnail);
        let kind = if preview.is_video { PreviewType::Video } else { PreviewType::None };
        message.preview_type = Some(kind.into());
        if let Some(picture) = &preview.picture {
            message.thumbnail_direct_path.clone_from(&picture.direct_path);
            message.media_key = picture.key_bytes();
            message.media_key_timestamp = signed(picture.key_timestamp);
            message.thumbnail_sha256 = hash(picture.sha256);
            message.thumbnail_enc_sha256 = hash(picture.enc_sha256);
        }
        if let Some(size) = preview.dimensions {
            (message.thumbnail_width, message.thumbnail_height) = (Some(size.width), Some(size.height));
        }
        message
    }
}
