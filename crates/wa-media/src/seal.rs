//! Sealing: AES-256-CBC, a truncated MAC behind it, both hashes and the sidecar in one pass (chapter 06 §3 and §4).

use wa_crypto::mac::HmacSha256;
use wa_crypto::pass::{EncryptPass, TAG_LEN, Windows};

use crate::MediaKeys;

/// Which tags over the ciphertext a message carries beside the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sidecar {
    /// None.
    #[default]
    None,
    /// One tag per 64 KiB, for video and audio that play while they load: 10 bytes for every 65,536 of the file.
    Streaming,
    /// One tag over the first frame of an animated sticker.
    FirstFrame {
        /// Where the first frame ends in the plaintext, in bytes: see [`webp`](crate::webp).
        len: u64,
    },
}

/// What a message says about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedFile {
    /// SHA-256 of the plaintext.
    pub file_sha256: [u8; 32],
    /// SHA-256 of the sealed file, MAC included. Its base64url form is the upload token.
    pub file_enc_sha256: [u8; 32],
    /// Length of the plaintext in bytes.
    pub file_length: u64,
    /// Length of the sealed file in bytes.
    pub sealed_length: u64,
    /// The streaming or first-frame sidecar; empty for [`Sidecar::None`].
    pub sidecar: Vec<u8>,
}

/// Length of a sealed file in bytes.
pub const fn sealed_len(file_length: u64) -> u64 {
    (file_length / 16 + 1) * 16 + TAG_LEN as u64
}

/// Seals in pieces. For an upload without a temporary file, run it twice over the same source: once to learn the
/// hashes, throwing the output away, once into the request; the second must give an equal [`SealedFile`], or the
/// source has changed.
#[derive(Debug)]
pub struct Sealer {
    pass: EncryptPass,
    file_length: u64,
    first_frame: Option<FirstFrame>,
}

impl Sealer {
    /// Starts a file.
    pub fn new(keys: &MediaKeys, sidecar: Sidecar) -> Self {
        let windows = if sidecar == Sidecar::Streaming { Windows::Tagged } else { Windows::Untagged };
        let first_frame = match sidecar {
            Sidecar::FirstFrame { len } => Some(FirstFrame::new(keys, len)),
            Sidecar::None | Sidecar::Streaming => None,
        };
        Self {
            pass: EncryptPass::new(keys.cipher_key(), keys.iv(), keys.mac_key(), windows),
            file_length: 0,
            first_frame,
        }
    }

    /// Takes a piece of the plaintext and appends what is ready of the sealed file to `out`. Pieces of 64 KiB are
    /// fastest.
    pub fn update(&mut self, plaintext: &[u8], out: &mut Vec<u8>) {
        let before = out.len();
        self.pass.update(plaintext, out);
        self.file_length += plaintext.len() as u64;
        if let Some(frame) = &mut self.first_frame {
            frame.update(&out[before..]);
        }
    }

    /// Appends the end of the sealed file to `out`.
    pub fn finish(mut self, out: &mut Vec<u8>) -> SealedFile {
        let before = out.len();
        let end = self.pass.finish(out);
        let sidecar = match &mut self.first_frame {
            Some(frame) => {
                let ciphertext = out.len() - TAG_LEN;
                frame.update(&out[before..ciphertext]);
                self.first_frame.map(FirstFrame::finish).unwrap_or_default()
            }
            None => end.window_tags,
        };
        SealedFile {
            file_sha256: end.plaintext_sha256,
            file_enc_sha256: end.stream_sha256,
            file_length: self.file_length,
            sealed_length: sealed_len(self.file_length),
            sidecar,
        }
    }
}

/// Seals a file that is in memory.
pub fn seal(keys: &MediaKeys, plaintext: &[u8], sidecar: Sidecar) -> (Vec<u8>, SealedFile) {
    let mut out = Vec::with_capacity(plaintext.len() + 16 + TAG_LEN);
    let mut sealer = Sealer::new(keys, sidecar);
    sealer.update(plaintext, &mut out);
    let file = sealer.finish(&mut out);
    (out, file)
}

/// The MAC over IV and ciphertext up to the block in which the first frame ends.
pub(crate) struct FirstFrame {
    mac: HmacSha256,
    left: u64,
}

impl FirstFrame {
    pub(crate) fn new(keys: &MediaKeys, len: u64) -> Self {
        let mut mac = HmacSha256::new(keys.mac_key());
        mac.update(keys.iv());
        Self { mac, left: len.div_ceil(16).saturating_mul(16) }
    }

    pub(crate) fn update(&mut self, ciphertext: &[u8]) {
        let count = usize::try_from(self.left).map_or(ciphertext.len(), |left| left.min(ciphertext.len()));
        self.mac.update(&ciphertext[..count]);
        self.left -= count as u64;
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.mac.finalize()[..TAG_LEN].to_vec()
    }
}

impl std::fmt::Debug for FirstFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FirstFrame([redacted])")
    }
}
