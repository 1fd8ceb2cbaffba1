//! Small files of every kind.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, RgbImage};

/// Bytes that no pattern repeats.
pub(crate) fn noise(length: usize, seed: u64) -> Vec<u8> {
    use rand::{RngExt as _, SeedableRng as _};
    let mut bytes = vec![0; length];
    rand::rngs::StdRng::seed_from_u64(seed).fill(&mut bytes[..]);
    bytes
}

pub(crate) fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let image = RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, (x ^ y) as u8]));
    let mut bytes = Vec::new();
    DynamicImage::from(image).write_to(&mut Cursor::new(&mut bytes), format).unwrap();
    bytes
}

fn boxed(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(body.len() + 8).unwrap();
    [&size.to_be_bytes()[..], name, body].concat()
}

/// An MP4 whose headers say this, with so many bytes of film.
pub(crate) fn film(width: u32, height: u32, seconds: u32, bytes: usize) -> Vec<u8> {
    let mut mvhd = vec![0; 100];
    mvhd[12..16].copy_from_slice(&1000_u32.to_be_bytes());
    mvhd[16..20].copy_from_slice(&(seconds * 1000).to_be_bytes());
    let mut tkhd = vec![0; 84];
    tkhd[40..44].copy_from_slice(&0x1_0000_u32.to_be_bytes());
    tkhd[76..80].copy_from_slice(&(width << 16).to_be_bytes());
    tkhd[80..84].copy_from_slice(&(height << 16).to_be_bytes());
    let trak = boxed(b"trak", &boxed(b"tkhd", &tkhd));
    let moov = boxed(b"moov", &[boxed(b"mvhd", &mvhd), trak].concat());
    [boxed(b"ftyp", b"isom\0\0\x02\0isomiso2avc1mp41"), boxed(b"mdat", &noise(bytes, 9)), moov].concat()
}

fn page(granule: u64, packet: &[u8]) -> Vec<u8> {
    let mut page = b"OggS\0\0".to_vec();
    page.extend(granule.to_le_bytes());
    page.extend([0; 12]);
    page.extend([1, u8::try_from(packet.len()).unwrap()]);
    page.extend(packet);
    page
}

/// A voice note of so many packets of 20 ms.
pub(crate) fn voice(packets: u64) -> Vec<u8> {
    let head = [&b"OpusHead\x01\x01\x38\x01"[..], &[0x80, 0x3E, 0, 0, 0, 0, 0]].concat();
    let mut file = [page(0, &head), page(0, b"OpusTags")].concat();
    for number in 0..packets {
        let size = 20 + usize::try_from(number % 100).unwrap();
        file.extend(page(312 + 960 * (number + 1), &noise(size, number)));
    }
    file
}

/// An MP3 of 128 kbit/s.
pub(crate) fn song(seconds: usize) -> Vec<u8> {
    let mut file = vec![0xFF, 0xFB, 0x90, 0x00];
    file.resize(seconds * 16_000, 0);
    file
}
