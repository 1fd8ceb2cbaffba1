//! Sticker packs (chapter 06 §6): a zip of stickers and, under the same key, its cover.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wa_media::MediaKind;
use wa_proto::e2e_message::message::StickerPackMessage;
use wa_proto::e2e_message::message::sticker_pack_message::{Sticker as StickerEntry, StickerPackOrigin};

use super::media::hash;
use super::{Media, Thumbnail, said, signed, unsigned};

/// Edge of the cover, in pixels.
pub const COVER_EDGE: u32 = 252;

/// A pack of stickers: a zip of them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StickerPack {
    /// The zip.
    pub media: Media,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Who made it.
    pub publisher: Option<String>,
    /// What it says of itself.
    pub description: Option<String>,
    /// What is written below it.
    pub caption: Option<String>,
    /// The stickers in it, in their order.
    pub stickers: Vec<PackedSticker>,
    /// Name of the icon among the files of the zip.
    pub tray_icon: Option<String>,
    /// The cover, sealed with the zip's key.
    pub cover: Option<Thumbnail>,
}

/// A sticker of a pack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PackedSticker {
    /// Name of its file in the zip.
    pub file: String,
    /// Whether it moves.
    pub animated: bool,
    /// Whether it is a vector animation.
    pub vector: bool,
    /// The emojis that it stands for.
    pub emojis: Vec<String>,
    /// What it shows, for those who cannot see it.
    pub label: Option<String>,
    /// MIME type of the file.
    pub mime: Option<String>,
}

impl StickerPack {
    /// A pack with nothing in it yet.
    pub fn new(media: Media, id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            media,
            id: id.into(),
            name: name.into(),
            publisher: None,
            description: None,
            caption: None,
            stickers: Vec::new(),
            tray_icon: None,
            cover: None,
        }
    }
}

impl PackedSticker {
    /// A sticker under the name of its file.
    pub fn new(file: impl Into<String>) -> Self {
        Self { file: file.into(), ..Self::default() }
    }
}

impl From<&StickerPackMessage> for StickerPack {
    fn from(message: &StickerPackMessage) -> Self {
        let mut media = Media::new(MediaKind::StickerPack);
        media.direct_path = said(message.direct_path.as_ref());
        media.size = message.file_length;
        media.key_timestamp = unsigned(message.media_key_timestamp);
        media.take_secrets(
            message.media_key.as_ref(),
            message.file_sha256.as_ref(),
            message.file_enc_sha256.as_ref(),
        );
        Self {
            media,
            id: message.sticker_pack_id.clone().unwrap_or_default(),
            name: message.name.clone().unwrap_or_default(),
            publisher: said(message.publisher.as_ref()),
            description: said(message.pack_description.as_ref()),
            caption: said(message.caption.as_ref()),
            stickers: message.stickers.iter().map(PackedSticker::from).collect(),
            tray_icon: said(message.tray_icon_file_name.as_ref()),
            cover: Thumbnail::of(
                message.thumbnail_direct_path.as_ref(),
                message.thumbnail_sha256.as_ref(),
                message.thumbnail_enc_sha256.as_ref(),
            ),
        }
    }
}

impl From<&StickerEntry> for PackedSticker {
    fn from(entry: &StickerEntry) -> Self {
        Self {
            file: entry.file_name.clone().unwrap_or_default(),
            animated: entry.is_animated(),
            vector: entry.is_lottie(),
            emojis: entry.emojis.clone(),
            label: said(entry.accessibility_label.as_ref()),
            mime: said(entry.mimetype.as_ref()),
        }
    }
}

impl From<&PackedSticker> for StickerEntry {
    fn from(sticker: &PackedSticker) -> Self {
        Self {
            file_name: Some(sticker.file.clone()),
            is_animated: Some(sticker.animated),
            emojis: sticker.emojis.clone(),
            accessibility_label: sticker.label.clone(),
            is_lottie: Some(sticker.vector),
            mimetype: sticker.mime.clone(),
            ..Self::default()
        }
    }
}

impl From<&StickerPack> for StickerPackMessage {
    fn from(pack: &StickerPack) -> Self {
        let media = &pack.media;
        let mut message = Self {
            sticker_pack_id: Some(pack.id.clone()),
            name: Some(pack.name.clone()),
            publisher: pack.publisher.clone(),
            stickers: pack.stickers.iter().map(StickerEntry::from).collect(),
            file_length: media.size,
            file_sha256: hash(media.sha256),
            file_enc_sha256: hash(media.enc_sha256),
            media_key: media.key_bytes(),
            direct_path: media.direct_path.clone(),
            caption: pack.caption.clone(),
            pack_description: pack.description.clone(),
            media_key_timestamp: signed(media.key_timestamp),
            tray_icon_file_name: pack.tray_icon.clone(),
            sticker_pack_size: media.size,
            sticker_pack_origin: Some(StickerPackOrigin::UserCreated.into()),
            ..Self::default()
        };
        if let Some(cover) = &pack.cover {
            message.thumbnail_direct_path = Some(cover.direct_path.clone());
            message.thumbnail_sha256 = hash(cover.sha256);
            message.thumbnail_enc_sha256 = hash(cover.enc_sha256);
            (message.thumbnail_height, message.thumbnail_width) = (Some(COVER_EDGE), Some(COVER_EDGE));
            message.image_data_hash = cover.sha256.map(|sha256| STANDARD.encode(sha256));
        }
        message
    }
}
