//! Files to send, one for each kind: what stands at the beginning of such a file, and bytes of no meaning up to a length
//! that no block and no piece of an encryption divides.

use std::path::{Path, PathBuf};

use anyhow::Result;
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

    const fn head(self) -> &'static [u8] {
        match self {
            Self::Jpeg => b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0",
            Self::Mp4 => b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
            Self::Mp3 => b"ID3\x03\0\0\0\0\0\0\xff\xfb\x90\0",
            Self::Ogg => b"OggS\0\x02",
            Self::Pdf => b"%PDF-1.4\n",
            Self::Webp => b"RIFF\0\0\x01\0WEBPVP8L",
            Self::Zip => b"PK\x03\x04",
        }
    }

    /// Bytes of the file; each kind has another length.
    pub fn bytes(self) -> Vec<u8> {
        let mut bytes = self.head().to_vec();
        let mut state = 7_u32 + self as u32;
        while bytes.len() < 150_001 + 4_099 * self as usize {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            bytes.extend_from_slice(&state.to_be_bytes()[..3]);
        }
        bytes
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
