//! Opening: every check of chapter 06 §5.1, in pieces and with constant memory.
//!
//! Three ways: [`open`] for what is in memory, [`Verifier`] then [`Opener`] over a temporary file so that no plaintext
//! exists before the MAC is checked, and [`Opener`] alone in one pass, whose output is good only once
//! [`finish`](Opener::finish) has returned.

use wa_crypto::digest::Sha256;
use wa_crypto::pass::{DecryptPass, Decrypted, Reading, TAG_LEN};
use wa_crypto::{CryptoError, ct_eq};

use crate::seal::sealed_len;
use crate::{MediaError, MediaKeys, SealedFile};

/// The shortest sealed file: an empty one.
const SHORTEST: u64 = 16 + TAG_LEN as u64;

/// What a message says about the file that it refers to. What it leaves out is not checked; the MAC always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expected {
    /// SHA-256 of the plaintext.
    pub file_sha256: Option<[u8; 32]>,
    /// SHA-256 of the sealed file.
    pub file_enc_sha256: Option<[u8; 32]>,
    /// The most bytes of the sealed file that are taken. The announced length is the sender's word: to hold a file to
    /// it, set [`sealed_len`] of it.
    pub limit: Option<u64>,
}

impl From<&SealedFile> for Expected {
    fn from(file: &SealedFile) -> Self {
        Self {
            file_sha256: Some(file.file_sha256),
            file_enc_sha256: Some(file.file_enc_sha256),
            limit: Some(sealed_len(file.file_length)),
        }
    }
}

/// Decrypts in pieces. **What it appends is unverified until [`finish`](Self::finish) has returned**: on any error
/// everything it gave must be thrown away.
#[derive(Debug)]
pub struct Opener(Reader);

impl Opener {
    /// Starts a file.
    pub fn new(keys: &MediaKeys, expected: &Expected) -> Self {
        Self(Reader::new(keys, expected, Reading::Decrypt))
    }

    /// Takes a piece of the sealed file and appends the plaintext that is ready to `out`.
    ///
    /// # Errors
    /// [`MediaError::TooLong`] past the limit.
    pub fn update(&mut self, sealed: &[u8], out: &mut Vec<u8>) -> Result<(), MediaError> {
        self.0.update(sealed, out)
    }

    /// Appends the end of the plaintext to `out`, checks everything and gives the plaintext's hash.
    ///
    /// # Errors
    /// The first of these that applies: [`MediaError::TooShort`], [`MediaError::BlockLength`],
    /// [`MediaError::SealedHash`], [`MediaError::Mac`], [`MediaError::Padding`], [`MediaError::PlaintextHash`].
    pub fn finish(self, out: &mut Vec<u8>) -> Result<[u8; 32], MediaError> {
        let expected = self.0.expected.file_sha256;
        let found = self.0.finish(out)?.plaintext_sha256.ok_or(MediaError::Padding)?;
        match expected {
            Some(expected) if !ct_eq(&expected, &found) => Err(MediaError::PlaintextHash),
            _ => Ok(found),
        }
    }
}

/// Checks a sealed file in pieces without decrypting it.
#[derive(Debug)]
pub struct Verifier(Reader);

impl Verifier {
    /// Starts a file.
    pub fn new(keys: &MediaKeys, expected: &Expected) -> Self {
        Self(Reader::new(keys, expected, Reading::Verify))
    }

    /// Takes a piece of the sealed file.
    ///
    /// # Errors
    /// [`MediaError::TooLong`] past the limit.
    pub fn update(&mut self, sealed: &[u8]) -> Result<(), MediaError> {
        self.0.update(sealed, &mut Vec::new())
    }

    /// Checks length, hash and MAC. Padding and the plaintext's hash are left to an [`Opener`].
    ///
    /// # Errors
    /// [`MediaError::TooShort`], [`MediaError::BlockLength`], [`MediaError::SealedHash`], [`MediaError::Mac`].
    pub fn finish(self) -> Result<(), MediaError> {
        self.0.finish(&mut Vec::new()).map(drop)
    }
}

/// Opens a file that is in memory. Nothing is decrypted before the MAC is checked.
///
/// # Errors
/// As [`Opener::finish`], and [`MediaError::TooLong`] past the limit.
pub fn open(keys: &MediaKeys, expected: &Expected, sealed: &[u8]) -> Result<Vec<u8>, MediaError> {
    let mut verifier = Verifier::new(keys, expected);
    verifier.update(sealed)?;
    verifier.finish()?;
    let mut opener = Opener::new(keys, expected);
    let mut out = Vec::with_capacity(sealed.len());
    opener.update(sealed, &mut out)?;
    opener.finish(&mut out)?;
    Ok(out)
}

/// Checks an unencrypted file (newsletters, profile photos) in pieces.
#[derive(Debug)]
pub struct PlainVerifier {
    hash: Hash,
    expected: Option<[u8; 32]>,
    limit: Option<u64>,
    len: u64,
}

impl PlainVerifier {
    /// Starts a file that must have this SHA-256.
    pub fn new(file_sha256: [u8; 32], limit: Option<u64>) -> Self {
        Self { hash: Hash(Sha256::new()), expected: Some(file_sha256), limit, len: 0 }
    }

    /// Starts a file that nothing says the hash of: only when the caller allows that.
    pub fn unchecked(limit: Option<u64>) -> Self {
        Self { hash: Hash(Sha256::new()), expected: None, limit, len: 0 }
    }

    /// Takes a piece.
    ///
    /// # Errors
    /// [`MediaError::TooLong`] past the limit.
    pub fn update(&mut self, piece: &[u8]) -> Result<(), MediaError> {
        count(&mut self.len, piece, self.limit)?;
        self.hash.0.update(piece);
        Ok(())
    }

    /// Gives the hash.
    ///
    /// # Errors
    /// [`MediaError::PlaintextHash`] when it is another.
    pub fn finish(self) -> Result<[u8; 32], MediaError> {
        let found = self.hash.0.finalize();
        match self.expected {
            Some(expected) if !ct_eq(&expected, &found) => Err(MediaError::PlaintextHash),
            _ => Ok(found),
        }
    }
}

struct Hash(Sha256);

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hash")
    }
}

#[derive(Debug)]
struct Reader {
    pass: DecryptPass,
    expected: Expected,
    len: u64,
}

impl Reader {
    fn new(keys: &MediaKeys, expected: &Expected, reading: Reading) -> Self {
        let pass = DecryptPass::new(keys.cipher_key(), keys.iv(), keys.mac_key(), reading);
        Self { pass, expected: *expected, len: 0 }
    }

    fn update(&mut self, sealed: &[u8], out: &mut Vec<u8>) -> Result<(), MediaError> {
        count(&mut self.len, sealed, self.expected.limit)?;
        self.pass.update(sealed, out);
        Ok(())
    }

    fn finish(self, out: &mut Vec<u8>) -> Result<Decrypted, MediaError> {
        if self.len < SHORTEST {
            return Err(MediaError::TooShort(self.len));
        }
        let end = self.pass.finish(out).map_err(|error| match error {
            CryptoError::BlockLength(_) => MediaError::BlockLength(self.len),
            other => MediaError::Crypto(other),
        })?;
        if let Some(expected) = self.expected.file_enc_sha256
            && !ct_eq(&expected, &end.stream_sha256)
        {
            return Err(MediaError::SealedHash);
        }
        if !end.authentic {
            return Err(MediaError::Mac);
        }
        Ok(end)
    }
}

fn count(len: &mut u64, piece: &[u8], limit: Option<u64>) -> Result<(), MediaError> {
    *len = len.saturating_add(piece.len() as u64);
    match limit {
        Some(limit) if *len > limit => Err(MediaError::TooLong { limit }),
        _ => Ok(()),
    }
}
