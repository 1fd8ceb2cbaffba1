//! The zip of a sticker pack: stored entries, each sticker once, and the tray icon (chapter 06 §6).

use std::collections::HashSet;
use std::io::{Cursor, Read, Write};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use wa_crypto::digest::sha256;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::MediaError;

/// The most stickers of a pack; the tray icon comes on top.
pub const MAX_STICKERS: usize = 60;

/// The longest name of an entry in bytes.
const MAX_NAME: usize = 128;

/// A file of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackFile {
    /// The name: see [`sticker_name`] and [`tray_icon_name`].
    pub name: String,
    /// The WebP itself.
    pub content: Vec<u8>,
}

/// What a reader takes at most, in bytes of unpacked content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackLimits {
    /// Of one file.
    pub file: u64,
    /// Of all files together.
    pub total: u64,
}

impl Default for PackLimits {
    /// 1 MiB a file, 32 MiB a pack.
    fn default() -> Self {
        Self { file: 1 << 20, total: 32 << 20 }
    }
}

/// Which rule a pack breaks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StickerPackFault {
    /// Too few or too many files.
    #[error("{0} files")]
    Count(usize),
    /// A name is empty, too long, or leads out of the pack.
    #[error("bad file name {0:?}")]
    Name(String),
    /// Two files have one name.
    #[error("two files named {0:?}")]
    Duplicate(String),
    /// A file or the whole is larger than the limits.
    #[error("{name:?} is larger than the limit of {limit} bytes")]
    Size {
        /// The file at which the limit was passed.
        name: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// No zip, or one that cannot be read.
    #[error("not a readable zip")]
    Zip(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The name of a sticker: base64url without padding of its SHA-256, and `.webp`.
pub fn sticker_name(sticker: &[u8]) -> String {
    format!("{}.webp", URL_SAFE_NO_PAD.encode(sha256(&[sticker])))
}

/// The name of the tray icon.
pub fn tray_icon_name(pack_id: &str) -> String {
    format!("{pack_id}.webp")
}

/// Writes the zip. The same files give the same bytes.
///
/// # Errors
/// [`MediaError::StickerPack`] when the files break a rule: between 1 and 61, names that are single path parts and
/// differ.
pub fn write(files: &[PackFile]) -> Result<Vec<u8>, MediaError> {
    check_count(files.len())?;
    let mut names = HashSet::new();
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    // The default time is the fixed start of the format's calendar.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default());
    for file in files {
        check_name(&file.name, &mut names)?;
        archive.start_file(file.name.as_str(), options).map_err(unreadable)?;
        archive.write_all(&file.content).map_err(unreadable)?;
    }
    Ok(archive.finish().map_err(unreadable)?.into_inner())
}

/// Reads a zip of whoever made it, stored or deflated.
///
/// # Errors
/// [`MediaError::StickerPack`] when it breaks a rule or a limit.
pub fn read(archive: &[u8], limits: PackLimits) -> Result<Vec<PackFile>, MediaError> {
    let mut archive = ZipArchive::new(Cursor::new(archive)).map_err(unreadable)?;
    check_count(archive.len())?;
    // The library keeps one of two entries with one name.
    if archive.has_duplicate_names() {
        return Err(StickerPackFault::Duplicate(String::new()).into());
    }
    let mut names = HashSet::new();
    let mut files = Vec::with_capacity(archive.len());
    let mut total = 0;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(unreadable)?;
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        check_name(&name, &mut names)?;
        let limit = limits.file.min(limits.total - total);
        let mut content = Vec::new();
        // The sizes in the zip are the sender's word; what counts is what comes out.
        entry.take(limit + 1).read_to_end(&mut content).map_err(unreadable)?;
        if content.len() as u64 > limit {
            return Err(StickerPackFault::Size { name, limit }.into());
        }
        total += content.len() as u64;
        files.push(PackFile { name, content });
    }
    Ok(files)
}

fn check_count(count: usize) -> Result<(), StickerPackFault> {
    if (1..=MAX_STICKERS + 1).contains(&count) { Ok(()) } else { Err(StickerPackFault::Count(count)) }
}

fn check_name(name: &str, names: &mut HashSet<String>) -> Result<(), StickerPackFault> {
    let fine = !name.is_empty()
        && name.len() <= MAX_NAME
        && !matches!(name, "." | "..")
        && !name.chars().any(|char| matches!(char, '/' | '\\' | ':') || char.is_control());
    if !fine {
        return Err(StickerPackFault::Name(name.chars().take(MAX_NAME).collect()));
    }
    if !names.insert(name.to_owned()) {
        return Err(StickerPackFault::Duplicate(name.to_owned()));
    }
    Ok(())
}

fn unreadable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> MediaError {
    StickerPackFault::Zip(error.into()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, len: usize) -> PackFile {
        PackFile { name: name.into(), content: vec![7; len] }
    }

    #[test]
    fn what_was_written_is_read() {
        let files = vec![file(&sticker_name(b"x"), 100), file(&tray_icon_name("pack"), 0)];
        let archive = write(&files).unwrap();
        assert_eq!(read(&archive, PackLimits::default()).unwrap(), files);
        assert_eq!(write(&files).unwrap(), archive);
    }

    #[test]
    fn the_rules_hold_for_writers_and_readers() {
        for name in ["", ".", "..", "a/b", "a\\b", "C:x", "a\nb", &"x".repeat(129)] {
            assert!(matches!(
                write(&[file(name, 1)]),
                Err(MediaError::StickerPack(StickerPackFault::Name(_)))
            ));
        }
        let twice = [file("a.webp", 1), file("a.webp", 2)];
        assert!(matches!(write(&twice), Err(MediaError::StickerPack(StickerPackFault::Duplicate(_)))));
        assert!(matches!(write(&[]), Err(MediaError::StickerPack(StickerPackFault::Count(0)))));
        let many: Vec<PackFile> = (0..62).map(|index| file(&format!("{index}.webp"), 1)).collect();
        assert!(write(&many[..61]).is_ok());
        assert!(matches!(write(&many), Err(MediaError::StickerPack(StickerPackFault::Count(62)))));
    }

    #[test]
    fn limits_hold_for_what_comes_out() {
        let archive = write(&[file("a.webp", 100), file("b.webp", 100)]).unwrap();
        assert!(read(&archive, PackLimits { file: 100, total: 200 }).is_ok());
        for limits in [PackLimits { file: 99, total: 200 }, PackLimits { file: 100, total: 199 }] {
            assert!(matches!(
                read(&archive, limits),
                Err(MediaError::StickerPack(StickerPackFault::Size { .. }))
            ));
        }
    }

    #[test]
    fn a_deflated_pack_is_read_and_a_bomb_stops_at_the_limit() {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        archive.start_file("a.webp", options).unwrap();
        archive.write_all(&vec![0; 4 << 20]).unwrap();
        let archive = archive.finish().unwrap().into_inner();
        assert!(archive.len() < 100_000);
        assert!(read(&archive, PackLimits { file: 4 << 20, total: 4 << 20 }).is_ok());
        assert!(read(&archive, PackLimits::default()).is_err());
    }

    #[test]
    fn broken_zips_are_errors() {
        let archive = write(&[file("a.webp", 100)]).unwrap();
        for len in 0..archive.len() {
            assert!(read(&archive[..len], PackLimits::default()).is_err(), "{len}");
        }
        for index in 0..archive.len() {
            let mut changed = archive.clone();
            changed[index] ^= 0x41;
            // Any outcome but a panic; the content is what the CRC says.
            let _ = read(&changed, PackLimits::default());
        }
    }
}
