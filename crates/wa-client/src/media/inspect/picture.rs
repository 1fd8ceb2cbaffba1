//! Images: their size and a small preview (chapter 06 §8). What a file announces is limited before it is decoded.

use std::io::{BufRead, Cursor, Seek};

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};
use wa_core::content::Dimensions;

/// Longest edge of an image that is decoded, in pixels.
const LONGEST_EDGE: u32 = 16_384;
/// Memory that decoding may take, in bytes: 40 megapixels and what the decoder needs.
const MEMORY: u64 = 160 << 20;
/// Longest edge of a preview, in pixels, and its quality.
const PREVIEW: u32 = 100;
const QUALITY: u8 = 50;
/// Largest preview that a message carries, in bytes.
pub(super) const LARGEST_PREVIEW: usize = 64 << 10;
/// Images that are decoded at the same time in one process.
static DECODING: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(2);

/// Waits for its turn to decode.
pub(crate) async fn turn() -> Option<tokio::sync::SemaphorePermit<'static>> {
    // It is never closed.
    DECODING.acquire().await.ok()
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) dimensions: Dimensions,
    /// `None` for one that is too large to be decoded, or damaged behind its header.
    pub(super) preview: Option<Bytes>,
}

/// As what a preview is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Preview {
    Jpeg,
    Png,
}

/// Reads an image; `None` for what is none.
pub(super) fn read(file: impl BufRead + Seek, format: ImageFormat, preview: Preview) -> Option<Picture> {
    let mut reader = ImageReader::with_format(file, format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MEMORY);
    (limits.max_image_width, limits.max_image_height) = (Some(LONGEST_EDGE), Some(LONGEST_EDGE));
    reader.limits(limits);
    let mut decoder = reader.into_decoder().ok()?;
    let (width, height) = decoder.dimensions();
    let orientation = decoder.orientation().ok();
    let is_turned = orientation.is_some_and(|turn| {
        use image::metadata::Orientation as O;
        matches!(turn, O::Rotate90 | O::Rotate270 | O::Rotate90FlipH | O::Rotate270FlipH)
    });
    let dimensions = if is_turned { Dimensions::new(height, width) } else { Dimensions::new(width, height) };
    let decoded = DynamicImage::from_decoder(decoder).ok();
    let small = decoded.map(|image| {
        let mut small = image.thumbnail(PREVIEW.min(image.width()), PREVIEW.min(image.height()));
        if let Some(turn) = orientation {
            small.apply_orientation(turn);
        }
        small
    });
    Some(Picture { dimensions, preview: small.and_then(|small| write(&small, preview)) })
}

fn write(small: &DynamicImage, preview: Preview) -> Option<Bytes> {
    let mut bytes = Vec::new();
    match preview {
        Preview::Jpeg => {
            let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
            small.to_rgb8().write_with_encoder(encoder).ok()?;
        }
        Preview::Png => small.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).ok()?,
    }
    Some(bytes.into()).filter(|bytes: &Bytes| bytes.len() <= LARGEST_PREVIEW)
}

/// Makes a square JPEG with an edge of so many pixels; `None` for what is no image.
pub(crate) fn square(bytes: &[u8], edge: u32) -> Option<Bytes> {
    let image = squared(bytes, edge)?;
    let mut out = Vec::new();
    image.to_rgb8().write_with_encoder(JpegEncoder::new_with_quality(&mut out, 80)).ok()?;
    Some(out.into())
}

/// Makes a square WebP.
pub(crate) fn square_webp(bytes: &[u8], edge: u32) -> Option<Bytes> {
    let image = DynamicImage::from(squared(bytes, edge)?.to_rgba8());
    let mut out = Vec::new();
    image.write_to(&mut Cursor::new(&mut out), ImageFormat::WebP).ok()?;
    Some(out.into())
}

fn squared(bytes: &[u8], edge: u32) -> Option<DynamicImage> {
    let format = image::guess_format(bytes).ok()?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits);
    let image = reader.decode().ok()?;
    Some(image.resize_to_fill(edge, edge, image::imageops::FilterType::Triangle))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let image = image::RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([u8::try_from(x % 256).unwrap_or(0), u8::try_from(y % 256).unwrap_or(0), 90])
        });
        let mut bytes = Vec::new();
        image.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
        bytes
    }

    #[test]
    fn a_preview_is_small_and_keeps_its_proportions() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png] {
            let file = picture(400, 200, format);
            let found = read(Cursor::new(&file), format, Preview::Jpeg).unwrap();
            assert_eq!(found.dimensions, Dimensions::new(400, 200));
            let preview = image::load_from_memory(&found.preview.unwrap()).unwrap();
            assert_eq!((preview.width(), preview.height()), (100, 50));
        }
        let tiny =
            read(Cursor::new(picture(3, 2, ImageFormat::Png)), ImageFormat::Png, Preview::Png).unwrap();
        assert_eq!(image::load_from_memory(&tiny.preview.unwrap()).unwrap().width(), 3);
    }

    #[test]
    fn what_is_damaged_or_too_large_has_no_preview() {
        let file = picture(200, 200, ImageFormat::Png);
        let found = read(Cursor::new(&file[..file.len() / 2]), ImageFormat::Png, Preview::Jpeg);
        assert_eq!(found.and_then(|found| found.preview), None);
        assert_eq!(read(Cursor::new(b"no image"), ImageFormat::Jpeg, Preview::Jpeg), None);
        // A bomb: a header that announces 60,000 by 60,000 pixels.
        let mut bomb = file;
        bomb[16..24].copy_from_slice(&[0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60]);
        assert_eq!(read(Cursor::new(&bomb), ImageFormat::Png, Preview::Jpeg).and_then(|it| it.preview), None);
    }

    #[test]
    fn a_profile_picture_is_square() {
        let square = square(&picture(900, 300, ImageFormat::Png), 640).unwrap();
        let read = image::load_from_memory(&square).unwrap();
        assert_eq!((read.width(), read.height()), (640, 640));
        assert_eq!(super::square(b"no image", 640), None);
    }
}
