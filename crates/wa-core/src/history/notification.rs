//! The notification that announces a blob: where its bytes are, and how the file is deleted (chapter 08 §1, §3, §6.3).

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use bytes::Bytes;
use wa_media::{Expected, MediaError, MediaKey, MediaKind};
use wa_proto::e2e_message::message::HistorySyncNotification;

use super::HistoryError;

/// Where a blob is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistorySource {
    /// In the notification.
    Inline(Bytes),
    /// On the media host.
    File(HistoryFile),
}

/// A reference to an encrypted file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryFile {
    /// The path on the media host.
    pub direct_path: String,
    /// The key, of 32 bytes when it is good.
    pub media_key: Bytes,
    /// SHA-256 of the encrypted file.
    pub enc_sha256: Bytes,
    /// SHA-256 of the decrypted file, which is still compressed.
    pub sha256: Bytes,
    /// Bytes of the decrypted file, when stated.
    pub length: Option<u64>,
}

impl HistorySource {
    /// Reads a notification.
    ///
    /// # Errors
    /// [`HistoryError::MissingReference`] when it neither carries the blob nor says all that opening the file needs.
    pub fn of(notification: &HistorySyncNotification) -> Result<Self, HistoryError> {
        let given = |bytes: &Option<Bytes>| bytes.clone().filter(|bytes| !bytes.is_empty());
        if let Some(inline) = given(&notification.initial_hist_bootstrap_inline_payload) {
            return Ok(Self::Inline(inline));
        }
        let file = || {
            Some(HistoryFile {
                direct_path: notification.direct_path.clone().filter(|path| !path.is_empty())?,
                media_key: given(&notification.media_key)?,
                enc_sha256: given(&notification.file_enc_sha256)?,
                sha256: given(&notification.file_sha256)?,
                length: notification.file_length,
            })
        };
        file().map(Self::File).ok_or(HistoryError::MissingReference)
    }
}

impl HistoryFile {
    /// Checks and decrypts the file; what comes out is for [`super::HistoryReader`].
    ///
    /// # Errors
    /// [`HistoryError::File`].
    pub fn open(&self, encrypted: &[u8]) -> Result<Vec<u8>, HistoryError> {
        let keys = MediaKey::from_slice(&self.media_key)?.derive(MediaKind::History);
        let expected = Expected {
            file_sha256: Some((&*self.sha256).try_into().map_err(|_| MediaError::PlaintextHash)?),
            file_enc_sha256: Some((&*self.enc_sha256).try_into().map_err(|_| MediaError::SealedHash)?),
            limit: None,
        };
        Ok(wa_media::open(&keys, &expected, encrypted)?)
    }
}

/// What the request that deletes a file says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryDeletion {
    /// Names the file, in the path and as `token`.
    pub token: String,
    /// `d_md`: the path on the media host, without its query.
    pub path: String,
    /// `e_handle`.
    pub handle: Option<String>,
}

impl HistoryDeletion {
    /// For the file of a notification; none when there is none.
    pub fn of(notification: &HistorySyncNotification) -> Option<Self> {
        let path = notification.direct_path.as_deref()?;
        Some(Self {
            token: URL_SAFE.encode(notification.file_enc_sha256.as_ref()?),
            path: URL_SAFE_NO_PAD.encode(path.split('?').next().unwrap_or(path)),
            handle: notification.enc_handle.clone(),
        })
    }
}
