//! Kinds of media with their key derivation, paths and names (chapter 06 §2).

/// What is encrypted under a media key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MediaKind {
    /// An image.
    Image,
    /// A sticker.
    Sticker,
    /// A video.
    Video,
    /// A video that plays as a GIF.
    Gif,
    /// A round video note.
    VideoNote,
    /// An audio file.
    Audio,
    /// A voice note.
    VoiceNote,
    /// A document.
    Document,
    /// The large thumbnail of a link preview.
    LinkThumbnail,
    /// The uploaded thumbnail of a document.
    DocumentThumbnail,
    /// The uploaded thumbnail of an image.
    ImageThumbnail,
    /// The uploaded thumbnail of a video.
    VideoThumbnail,
    /// The zip of a sticker pack.
    StickerPack,
    /// The cover of a sticker pack; it shares the zip's media key.
    StickerPackCover,
    /// A chunk of history sync.
    History,
    /// An external blob of app state.
    AppState,
    /// The bundle of a group's history.
    GroupHistory,
    /// The background of a payment; nothing is known of how one is uploaded.
    PaymentBackground,
}

impl MediaKind {
    /// Every kind.
    pub const ALL: [Self; 18] = [
        Self::Image,
        Self::Sticker,
        Self::Video,
        Self::Gif,
        Self::VideoNote,
        Self::Audio,
        Self::VoiceNote,
        Self::Document,
        Self::LinkThumbnail,
        Self::DocumentThumbnail,
        Self::ImageThumbnail,
        Self::VideoThumbnail,
        Self::StickerPack,
        Self::StickerPackCover,
        Self::History,
        Self::AppState,
        Self::GroupHistory,
        Self::PaymentBackground,
    ];

    /// The info of the key derivation.
    pub const fn hkdf_info(self) -> &'static str {
        match self {
            Self::Image | Self::Sticker => "WhatsApp Image Keys",
            Self::Video | Self::Gif | Self::VideoNote => "WhatsApp Video Keys",
            Self::Audio | Self::VoiceNote => "WhatsApp Audio Keys",
            Self::Document => "WhatsApp Document Keys",
            Self::LinkThumbnail => "WhatsApp Link Thumbnail Keys",
            Self::DocumentThumbnail => "WhatsApp Document Thumbnail Keys",
            Self::ImageThumbnail => "WhatsApp Image Thumbnail Keys",
            Self::VideoThumbnail => "WhatsApp Video Thumbnail Keys",
            Self::StickerPack => "WhatsApp Sticker Pack Keys",
            Self::StickerPackCover => "WhatsApp Sticker Pack Thumbnail Keys",
            Self::History => "WhatsApp History Keys",
            Self::AppState => "WhatsApp App State Keys",
            Self::GroupHistory => "Group History",
            Self::PaymentBackground => "WhatsApp Payment Background Keys",
        }
    }

    /// The name on the media host: the last part of the upload path and the `mms-type` of a download. `None` for
    /// [`PaymentBackground`](Self::PaymentBackground).
    pub const fn mms_type(self) -> Option<&'static str> {
        Some(match self {
            Self::Image | Self::Sticker => "image",
            Self::Video | Self::Gif | Self::VideoNote => "video",
            Self::Audio | Self::VoiceNote => "audio",
            Self::Document => "document",
            Self::LinkThumbnail => "thumbnail-link",
            Self::DocumentThumbnail => "thumbnail-document",
            Self::ImageThumbnail => "thumbnail-image",
            Self::VideoThumbnail => "thumbnail-video",
            Self::StickerPack => "sticker-pack",
            Self::StickerPackCover => "thumbnail-sticker-pack",
            Self::History => "md-msg-hist",
            Self::AppState => "md-app-state",
            Self::GroupHistory => "group-history",
            Self::PaymentBackground => return None,
        })
    }

    /// The path of an upload, without a trailing slash.
    pub fn upload_path(self) -> Option<String> {
        self.mms_type().map(|name| format!("/mms/{name}"))
    }

    /// The `mediatype` of the `enc` node that carries such a message; `None` for what no message carries.
    pub const fn mediatype(self) -> Option<&'static str> {
        Some(match self {
            Self::Image => "image",
            Self::Sticker => "sticker",
            Self::Video => "video",
            Self::Gif => "gif",
            Self::VideoNote => "ptv",
            Self::Audio => "audio",
            Self::VoiceNote => "ptt",
            Self::Document => "document",
            Self::StickerPack => "sticker_pack",
            Self::GroupHistory => "group_history",
            _ => return None,
        })
    }

    /// The kind by the name that messages and vectors use: a `mediatype` or an `mms-type`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.mediatype() == Some(name))
            .or_else(|| Self::ALL.into_iter().find(|kind| kind.mms_type() == Some(name)))
    }
}

/// What is uploaded in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PlainKind {
    /// An image in a newsletter.
    NewsletterImage,
    /// A video in a newsletter.
    NewsletterVideo,
    /// An audio file in a newsletter.
    NewsletterAudio,
    /// A document in a newsletter.
    NewsletterDocument,
    /// A sticker in a newsletter.
    NewsletterSticker,
    /// A sticker pack in a newsletter.
    NewsletterStickerPack,
    /// A GIF in a newsletter.
    NewsletterGif,
    /// A voice note in a newsletter.
    NewsletterVoiceNote,
    /// A round video note in a newsletter.
    NewsletterVideoNote,
    /// The thumbnail of a link preview in a newsletter.
    NewsletterLinkThumbnail,
    /// An image of a product catalogue.
    ProductImage,
    /// A profile photo.
    ProfilePhoto,
    /// The cover photo of a business.
    BusinessCover,
}

impl PlainKind {
    /// The path of an upload, without a trailing slash.
    pub const fn upload_path(self) -> &'static str {
        match self {
            Self::NewsletterImage => "/newsletter/newsletter-image",
            Self::NewsletterVideo => "/newsletter/newsletter-video",
            Self::NewsletterAudio => "/newsletter/newsletter-audio",
            Self::NewsletterDocument => "/newsletter/newsletter-document",
            Self::NewsletterSticker => "/newsletter/newsletter-sticker",
            Self::NewsletterStickerPack => "/newsletter/newsletter-sticker-pack",
            Self::NewsletterGif => "/newsletter/newsletter-gif",
            Self::NewsletterVoiceNote => "/newsletter/newsletter-ptt",
            Self::NewsletterVideoNote => "/newsletter/newsletter-ptv",
            Self::NewsletterLinkThumbnail => "/newsletter/newsletter-thumbnail-link",
            Self::ProductImage => "/product/image",
            Self::ProfilePhoto => "/pps/photo",
            Self::BusinessCover => "/pps/biz-cover-photo",
        }
    }

    /// The `mms-type` of a download.
    pub fn mms_type(self) -> &'static str {
        match self {
            Self::ProductImage => "product-catalog-image",
            other => other.upload_path().rsplit('/').next().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_kinds_that_derive_alike() {
        for kind in MediaKind::ALL {
            for name in [kind.mediatype(), kind.mms_type()].into_iter().flatten() {
                let found = MediaKind::from_name(name).unwrap();
                assert_eq!(found.hkdf_info(), kind.hkdf_info(), "{name}");
            }
        }
        assert_eq!(MediaKind::from_name("ptt"), Some(MediaKind::VoiceNote));
        assert_eq!(MediaKind::from_name("md-msg-hist"), Some(MediaKind::History));
        assert_eq!(MediaKind::from_name("nothing"), None);
        assert_eq!(PlainKind::NewsletterImage.mms_type(), "newsletter-image");
        assert_eq!(MediaKind::Sticker.upload_path().as_deref(), Some("/mms/image"));
    }
}
