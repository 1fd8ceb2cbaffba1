//! Sticker packs of our own (chapter 06 §6): a zip of WebP files with a tray icon, and a cover under the same key.

use bytes::Bytes;
use rand_core::Rng as _;
use wa_core::content::{COVER_EDGE, Limits, MediaKind, PackedSticker, Part, StickerPack, Unsendable};
use wa_media::sticker_pack::{PackFile, sticker_name, tray_icon_name, write};
use wa_media::webp;

use super::inspect::{STICKER, square, square_webp, turn};
use super::spool::blocking;
use super::{FileFault, MediaError, MediaRoom, TransferError};

/// Edge of the icon in the list of packs, in pixels.
const TRAY_EDGE: u32 = 96;
const WEBP: &str = "image/webp";

/// A pack that is to be uploaded.
///
/// ```
/// # fn pack(smile: Vec<u8>, wave: Vec<u8>) -> wa_client::media::NewStickerPack {
/// use wa_client::media::NewStickerPack;
///
/// NewStickerPack::new("Moods").publisher("Ada").sticker(smile, ["😀"]).sticker(wave, ["👋", "🙋"])
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a pack is uploaded by MediaRoom::upload_sticker_pack"]
pub struct NewStickerPack {
    name: String,
    publisher: Option<String>,
    description: Option<String>,
    stickers: Vec<(Bytes, Vec<String>)>,
    tray_icon: Option<Bytes>,
    cover: Option<Bytes>,
}

/// Why a pack was not uploaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// What the pack says, or how many stickers it has.
    #[error(transparent)]
    Unsendable(#[from] Unsendable),
    /// This sticker, counted from 0, is no WebP, or larger than 1 MiB.
    #[error("sticker {place} of the pack")]
    Sticker {
        /// Which.
        place: usize,
        /// Why.
        #[source]
        fault: FileFault,
    },
    /// The icon or the cover is no image.
    #[error("the icon or the cover of the pack is no image, or one that is too large")]
    Picture,
    /// The zip.
    #[error(transparent)]
    Zip(#[from] MediaError),
    /// The way to the hosts.
    #[error(transparent)]
    Transfer(#[from] TransferError),
}

impl NewStickerPack {
    /// A pack under this name, without stickers yet.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            publisher: None,
            description: None,
            stickers: Vec::new(),
            tray_icon: None,
            cover: None,
        }
    }

    /// Who made it.
    pub fn publisher(mut self, publisher: impl Into<String>) -> Self {
        self.publisher = Some(publisher.into());
        self
    }

    /// What it says of itself.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// One more sticker, a WebP of 512 pixels an edge and at most 1 MiB, and the emojis that it stands for. One that is in
    /// the pack already counts once.
    pub fn sticker(
        mut self,
        webp: impl Into<Bytes>,
        emojis: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.stickers.push((webp.into(), emojis.into_iter().map(Into::into).collect()));
        self
    }

    /// The icon in the list of packs: any JPEG, PNG or WebP, made 96 pixels an edge. Unless given it is the first sticker.
    pub fn tray_icon(mut self, image: impl Into<Bytes>) -> Self {
        self.tray_icon = Some(image.into());
        self
    }

    /// What the message shows of the pack: any JPEG, PNG or WebP, made a JPEG of 252 pixels an edge. Unless given it is the
    /// first sticker.
    pub fn cover(mut self, image: impl Into<Bytes>) -> Self {
        self.cover = Some(image.into());
        self
    }

    /// The files, and what the message says of the stickers among them.
    fn packed(&self, id: &str) -> Result<Packed, PackError> {
        let mut files: Vec<PackFile> = Vec::with_capacity(self.stickers.len() + 1);
        let mut stickers = Vec::with_capacity(self.stickers.len());
        for (place, (sticker, emojis)) in self.stickers.iter().enumerate() {
            let fits = sticker.len() as u64 <= STICKER && webp::is_webp(sticker);
            if !fits || square_webp(sticker, TRAY_EDGE).is_none() {
                return Err(PackError::Sticker { place, fault: FileFault::NotASticker });
            }
            let name = sticker_name(sticker);
            if files.iter().any(|file| file.name == name) {
                continue;
            }
            let mut packed = PackedSticker::new(name.as_str());
            packed.animated = webp::is_animated(sticker);
            packed.emojis.clone_from(emojis);
            packed.mime = Some(WEBP.to_owned());
            stickers.push(packed);
            files.push(PackFile { name, content: sticker.to_vec() });
        }
        let first = self.stickers.first().map(|(sticker, _)| sticker);
        let of = |given: &Option<Bytes>| given.clone().or_else(|| first.cloned()).ok_or(PackError::Picture);
        let icon = square_webp(&of(&self.tray_icon)?, TRAY_EDGE).ok_or(PackError::Picture)?;
        let cover = square(&of(&self.cover)?, COVER_EDGE).ok_or(PackError::Picture)?;
        let tray_icon = tray_icon_name(id);
        files.push(PackFile { name: tray_icon.clone(), content: icon.to_vec() });
        Ok(Packed { zip: write(&files)?, stickers, tray_icon, cover })
    }
}

struct Packed {
    zip: Vec<u8>,
    stickers: Vec<PackedSticker>,
    tray_icon: String,
    cover: Bytes,
}

impl MediaRoom<'_> {
    /// Uploads a pack of 1 to 60 stickers with its cover; the result goes into messages
    /// ([`Message::sticker_pack`](crate::messages::builder::Message::sticker_pack)), as often as one likes.
    ///
    /// # Errors
    /// [`PackError`].
    pub async fn upload_sticker_pack(self, pack: NewStickerPack) -> Result<StickerPack, PackError> {
        let (limits, is) = (Limits::default(), pack.stickers.len());
        if !(1..=limits.stickers).contains(&is) {
            let (part, most) = (Part::Stickers, limits.stickers);
            return Err(Unsendable::Count { part, is, least: 1, most }.into());
        }
        if pack.name.trim().is_empty() {
            return Err(Unsendable::Empty(Part::PackName).into());
        }
        let mut id = [0; 16];
        self.0.shared.rng().fill_bytes(&mut id);
        let id = format!("{:032x}", u128::from_be_bytes(id));
        let (made, named) = (pack.clone(), id.clone());
        let _turn = turn().await;
        let packed = blocking(move || Ok(made.packed(&named))).await.map_err(TransferError::Source)??;
        let zip = self.upload(MediaKind::StickerPack, packed.zip).await?;
        let cover = self.upload_thumbnail(&zip, packed.cover).await?;
        let mut done = StickerPack::new(zip, id, pack.name);
        (done.publisher, done.description) = (pack.publisher, pack.description);
        (done.stickers, done.tray_icon) = (packed.stickers, Some(packed.tray_icon));
        done.cover = Some(cover);
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use wa_media::sticker_pack::{PackLimits, read};

    use super::*;

    fn picture(shade: u8) -> Vec<u8> {
        let mut bytes = Vec::new();
        let image = image::RgbaImage::from_pixel(512, 512, image::Rgba([shade, 90, 200, 128]));
        image.write_to(&mut Cursor::new(&mut bytes), image::ImageFormat::WebP).unwrap();
        bytes
    }

    #[test]
    fn a_sticker_is_in_the_zip_once_and_the_icon_beside_it() {
        let pack = NewStickerPack::new("x").sticker(picture(1), ["a"]).sticker(picture(2), ["b"]);
        let packed = pack.sticker(picture(1), ["c"]).packed("id").unwrap();
        let files = read(&packed.zip, PackLimits::default()).unwrap();
        let names: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, [sticker_name(&picture(1)), sticker_name(&picture(2)), "id.webp".to_owned()]);
        let listed: Vec<_> = packed.stickers.iter().map(|sticker| sticker.file.as_str()).collect();
        assert_eq!(listed, names[..2]);
        assert_eq!(packed.tray_icon, names[2]);
        let icon = image::load_from_memory(&files[2].content).unwrap();
        assert_eq!(
            (icon.width(), image::guess_format(&packed.cover).unwrap()),
            (96, image::ImageFormat::Jpeg)
        );
        assert_eq!(image::load_from_memory(&packed.cover).unwrap().width(), 252);
    }

    #[test]
    fn what_no_client_could_show_is_refused() {
        let text = NewStickerPack::new("x").sticker(picture(1), [""; 0]).sticker(&b"a text"[..], [""; 0]);
        assert!(matches!(text.packed("id"), Err(PackError::Sticker { place: 1, .. })));
        let damaged = picture(1)[..40].to_vec();
        let damaged = NewStickerPack::new("x").sticker(damaged, [""; 0]);
        assert!(matches!(damaged.packed("id"), Err(PackError::Sticker { place: 0, .. })));
        let cover = NewStickerPack::new("x").sticker(picture(1), [""; 0]).cover(&b"a text"[..]);
        assert!(matches!(cover.packed("id"), Err(PackError::Picture)));
    }
}
