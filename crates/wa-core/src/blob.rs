//! Encrypted files that app state and history refer to: one small file in memory, sealed and opened whole.
//!
//! Chapter 06 §2 and §3 of the protocol give the layout (AES-256-CBC, a cut HMAC behind it, both hashes in the
//! reference); chapter 07 §6.3 and chapter 08 §3 say what travels this way. Media of messages have their own crate.

use thiserror::Error;
use wa_crypto::digest::sha256;
use wa_crypto::{Secret, cbc, ct_eq, kdf, mac};

/// Bytes of the MAC behind the ciphertext.
const MAC_LEN: usize = 10;

/// What a file is, which decides the key derivation and the path on the media host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlobKind {
    /// A snapshot or the mutations of a patch.
    AppState,
    /// A history chunk.
    History,
}

impl BlobKind {
    /// HKDF info.
    pub const fn info(self) -> &'static str {
        match self {
            Self::AppState => "WhatsApp App State Keys",
            Self::History => "WhatsApp History Keys",
        }
    }

    /// Name on the media host.
    pub const fn mms_type(self) -> &'static str {
        match self {
            Self::AppState => "md-app-state",
            Self::History => "md-msg-hist",
        }
    }
}

/// Why an encrypted file could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BlobError {
    /// The media key is not 32 bytes long.
    #[error("a media key of {0} bytes")]
    MediaKey(usize),
    /// Shorter than a MAC and one block.
    #[error("an encrypted file of {0} bytes")]
    Length(usize),
    /// SHA-256 of the encrypted bytes differs.
    #[error("the encrypted file has another hash")]
    EncryptedHash,
    /// The MAC differs.
    #[error("the file's MAC does not fit")]
    Mac,
    /// Bad padding under a good MAC.
    #[error("the file cannot be decrypted")]
    Decryption,
    /// SHA-256 of the content differs.
    #[error("the content has another hash")]
    ContentHash,
}

/// A sealed file with what its reference needs.
#[derive(Clone, Debug)]
pub struct SealedBlob {
    /// For the media host.
    pub bytes: Vec<u8>,
    /// For the reference.
    pub media_key: Secret<32>,
    /// SHA-256 of `bytes`.
    pub enc_sha256: [u8; 32],
    /// SHA-256 of the content.
    pub sha256: [u8; 32],
}

/// Encrypts `content` under a fresh media key.
pub fn seal(kind: BlobKind, content: &[u8], media_key: Secret<32>) -> SealedBlob {
    let keys = expand(kind, &media_key);
    let mut bytes = cbc::encrypt(keys.cipher(), keys.iv(), content);
    let tag = mac::hmac_sha256(keys.mac(), &[keys.iv(), &bytes]);
    bytes.extend_from_slice(&tag[..MAC_LEN]);
    SealedBlob { enc_sha256: sha256(&[&bytes]), sha256: sha256(&[content]), bytes, media_key }
}

/// Checks and decrypts a file. A hash that the reference lacks (empty slice) is not compared; the MAC always is.
///
/// # Errors
/// [`BlobError`].
pub fn open(
    kind: BlobKind,
    bytes: &[u8],
    media_key: &[u8],
    enc_sha256: &[u8],
    content_sha256: &[u8],
) -> Result<Vec<u8>, BlobError> {
    let media_key = Secret::try_from(media_key).map_err(|_| BlobError::MediaKey(media_key.len()))?;
    let split =
        bytes.len().checked_sub(MAC_LEN).filter(|len| *len >= 16).ok_or(BlobError::Length(bytes.len()))?;
    if !enc_sha256.is_empty() && !ct_eq(enc_sha256, &sha256(&[bytes])) {
        return Err(BlobError::EncryptedHash);
    }
    let (ciphertext, tag) = bytes.split_at(split);
    let keys = expand(kind, &media_key);
    let expected = mac::hmac_sha256(keys.mac(), &[keys.iv(), ciphertext]);
    if !ct_eq(tag, &expected[..MAC_LEN]) {
        return Err(BlobError::Mac);
    }
    let content = cbc::decrypt(keys.cipher(), keys.iv(), ciphertext).map_err(|_| BlobError::Decryption)?;
    if !content_sha256.is_empty() && !ct_eq(content_sha256, &sha256(&[&content])) {
        return Err(BlobError::ContentHash);
    }
    Ok(content)
}

struct Keys {
    iv: [u8; 16],
    cipher: Secret<32>,
    mac: Secret<32>,
}

impl Keys {
    const fn iv(&self) -> &[u8; 16] {
        &self.iv
    }
    const fn cipher(&self) -> &[u8; 32] {
        self.cipher.expose()
    }
    const fn mac(&self) -> &[u8; 32] {
        self.mac.expose()
    }
}

fn expand(kind: BlobKind, media_key: &Secret<32>) -> Keys {
    let all: Secret<80> = kdf::hkdf(&[], media_key.expose(), kind.info().as_bytes());
    let (mut iv, mut cipher, mut mac) = ([0; 16], [0; 32], [0; 32]);
    iv.copy_from_slice(&all.expose()[..16]);
    cipher.copy_from_slice(&all.expose()[16..48]);
    mac.copy_from_slice(&all.expose()[48..]);
    Keys { iv, cipher: Secret::new(cipher), mac: Secret::new(mac) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_file_opens_under_its_own_kind_and_hashes_only() {
        let sealed = seal(BlobKind::History, b"content", Secret::new([7; 32]));
        let open_as = |kind, bytes: &[u8], enc: &[u8], plain: &[u8]| open(kind, bytes, &[7; 32], enc, plain);
        let (enc, plain) = (sealed.enc_sha256.as_slice(), sealed.sha256.as_slice());
        assert_eq!(open_as(BlobKind::History, &sealed.bytes, enc, plain).unwrap(), b"content");
        assert_eq!(open_as(BlobKind::AppState, &sealed.bytes, enc, plain), Err(BlobError::Mac));
        assert_eq!(open_as(BlobKind::History, &sealed.bytes, &[0; 32], plain), Err(BlobError::EncryptedHash));
        assert_eq!(open_as(BlobKind::History, &sealed.bytes, enc, &[0; 32]), Err(BlobError::ContentHash));
        let mut flipped = sealed.bytes.clone();
        flipped[0] ^= 1;
        assert_eq!(open_as(BlobKind::History, &flipped, &[], &[]), Err(BlobError::Mac));
        assert_eq!(open_as(BlobKind::History, &[0; 25], &[], &[]), Err(BlobError::Length(25)));
    }
}
