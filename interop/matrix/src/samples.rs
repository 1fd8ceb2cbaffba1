//! Files to send, one for each kind: real as far as somebody looks into them, and most of a length that no block and no
//! piece of an encryption divides.

use std::path::{Path, PathBuf};

use anyhow::Result;
use image::codecs::{jpeg::JpegEncoder, webp::WebPEncoder};
use image::{ExtendedColorType, Rgb, RgbImage};
use sha2::{Digest, Sha256};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample {
    Jpeg,
    Mp4,
    Mp3,
    Ogg,
    Pdf,
    Webp,
    Zip,
}

impl Sample {
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Mp4 => "video/mp4",
            Self::Mp3 => "audio/mpeg",
            Self::Ogg => "audio/ogg; codecs=opus",
            Self::Pdf => "application/pdf",
            Self::Webp => "image/webp",
            Self::Zip => "application/zip",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "sample.jpg",
            Self::Mp4 => "sample.mp4",
            Self::Mp3 => "sample.mp3",
            Self::Ogg => "sample.ogg",
            Self::Pdf => "sample.pdf",
            Self::Webp => "sample.webp",
            Self::Zip => "sample.zip",
        }
    }

    /// Bytes of the file.
    pub fn bytes(self) -> Vec<u8> {
        match self {
            Self::Jpeg => jpeg(),
            Self::Mp4 => mp4(),
            Self::Mp3 => noisy(b"\xff\xfb\x90\0", 158_203),
            Self::Ogg => ogg(),
            Self::Pdf => noisy(b"%PDF-1.4\n", 166_397),
            Self::Webp => webp(),
            Self::Zip => noisy(b"PK\x03\x04", 170_497),
        }
    }

    /// SHA-256 of the file, in hex.
    pub fn sha256(self) -> String {
        Sha256::digest(self.bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The file in a folder.
    pub fn write(self, folder: &Path) -> Result<PathBuf> {
        let path = folder.join(self.name());
        std::fs::write(&path, self.bytes())?;
        Ok(path)
    }
}

/// Bytes without a pattern, always the same.
fn noise() -> impl Iterator<Item = u8> {
    let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    std::iter::successors(Some(7), next).map(|state| state.to_be_bytes()[0])
}

fn noisy(head: &[u8], length: usize) -> Vec<u8> {
    head.iter().copied().chain(noise()).take(length).collect()
}

fn jpeg() -> Vec<u8> {
    let mut noise = noise();
    let picture = RgbImage::from_fn(400, 300, |_, _| Rgb([(); 3].map(|()| noise.next().unwrap_or(0))));
    let mut bytes = Vec::new();
    // Memory takes everything, and the encoder any picture.
    let _ = JpegEncoder::new_with_quality(&mut bytes, 95).encode_image(&picture);
    bytes
}

/// A sticker has 512 pixels each way.
fn webp() -> Vec<u8> {
    let picture = RgbImage::from_fn(512, 512, |x, y| Rgb([x.to_le_bytes()[0], y.to_le_bytes()[0], 90]));
    let mut bytes = Vec::new();
    let _ = WebPEncoder::new_lossless(&mut bytes).encode(&picture, 512, 512, ExtendedColorType::Rgb8);
    bytes
}

/// Headers of a film of three seconds, 640 by 360, and nothing to see.
fn mp4() -> Vec<u8> {
    let boxed = |name: &[u8; 4], body: &[u8]| {
        let length = u32::try_from(body.len() + 8).unwrap_or(u32::MAX);
        [&length.to_be_bytes()[..], name, body].concat()
    };
    let mut movie = [0; 100];
    movie[12..16].copy_from_slice(&1_000_u32.to_be_bytes());
    movie[16..20].copy_from_slice(&3_000_u32.to_be_bytes());
    let mut track = [0; 84];
    track[40..44].copy_from_slice(&0x1_0000_u32.to_be_bytes());
    track[76..80].copy_from_slice(&(640_u32 << 16).to_be_bytes());
    track[80..84].copy_from_slice(&(360_u32 << 16).to_be_bytes());
    let headers = [boxed(b"mvhd", &movie), boxed(b"trak", &boxed(b"tkhd", &track))].concat();
    [boxed(b"ftyp", b"mp42\0\0\0\0mp42isom"), boxed(b"mdat", &noisy(&[], 154_001)), boxed(b"moov", &headers)]
        .concat()
}

/// Four seconds of one channel, a packet of 20 ms to each page.
fn ogg() -> Vec<u8> {
    let page = |position: u64, packet: &[u8]| {
        let mut page = b"OggS\0\0".to_vec();
        page.extend(position.to_le_bytes());
        // Serial number, sequence and checksum, which nobody here looks at.
        page.extend([0; 12]);
        let laces = packet.len() / 255;
        page.push(u8::try_from(laces + 1).unwrap_or(u8::MAX));
        page.extend(std::iter::repeat_n(255, laces));
        page.push(u8::try_from(packet.len() % 255).unwrap_or(0));
        page.extend(packet);
        page
    };
    let mut bytes = page(0, b"OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0");
    bytes.extend(page(0, b"OpusTags\0\0\0\0\0\0\0\0"));
    for packet in 1..=200 {
        bytes.extend(page(312 + 960 * packet, &noisy(&[], 333)));
    }
    bytes
}
