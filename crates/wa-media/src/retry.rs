//! Media retry: asking the phone to upload a file again, sealed under the media key (chapter 06 §7). Both ends: the
//! companion seals the request and opens the notification, the phone the reverse.

use prost::Message;
use rand_core::CryptoRng;
use wa_crypto::aead::Aes256Gcm;
use wa_proto::media_retry::{MediaRetryNotification, ServerErrorReceipt};

use crate::{MediaError, MediaKey};

/// The two fields of an `encrypt` node: `enc_iv` and `enc_p`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRetry {
    /// The initialisation vector.
    pub iv: [u8; 12],
    /// Ciphertext and tag.
    pub ciphertext: Vec<u8>,
}

/// How the phone answered. The numbers are also those of `<error code>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RetryResult {
    /// Something went wrong there.
    GeneralError,
    /// The file lies under a new path.
    Success,
    /// The phone no longer has it.
    NotFound,
    /// The phone could not open the request: another media key.
    DecryptionError,
    /// A number that is not known.
    Unknown(i32),
}

impl RetryResult {
    /// From the number.
    pub const fn from_code(code: i32) -> Self {
        match code {
            0 => Self::GeneralError,
            1 => Self::Success,
            2 => Self::NotFound,
            3 => Self::DecryptionError,
            other => Self::Unknown(other),
        }
    }

    /// The number.
    pub const fn code(self) -> i32 {
        match self {
            Self::GeneralError => 0,
            Self::Success => 1,
            Self::NotFound => 2,
            Self::DecryptionError => 3,
            Self::Unknown(code) => code,
        }
    }
}

/// What a notification says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryOutcome {
    /// How it went; an absent number counts as 0, [`RetryResult::GeneralError`].
    pub result: RetryResult,
    /// The new direct path, after success.
    pub direct_path: Option<String>,
    /// The secret of the message, where the phone sends it.
    pub message_secret: Option<Vec<u8>>,
}

/// Seals the request for a message's file: one draw of 12 bytes.
///
/// # Errors
/// [`MediaError::Crypto`]: does not happen with such short texts.
pub fn seal_retry_request(
    key: &MediaKey,
    message_id: &str,
    rng: &mut impl CryptoRng,
) -> Result<SealedRetry, MediaError> {
    let receipt = ServerErrorReceipt { stanza_id: Some(message_id.to_owned()) };
    seal(key, message_id, draw(rng), receipt.encode_to_vec())
}

/// The same with a given initialisation vector, which vectors need and which must never be used twice.
#[doc(hidden)]
pub fn seal_retry_plaintext(
    key: &MediaKey,
    message_id: &str,
    iv: [u8; 12],
    plaintext: Vec<u8>,
) -> Result<SealedRetry, MediaError> {
    seal(key, message_id, iv, plaintext)
}

/// Opens a request: the phone's side. Success means that the sender holds the media key of this message.
///
/// # Errors
/// [`MediaError::RetryIv`], [`MediaError::RetrySeal`], [`MediaError::RetryProtobuf`],
/// [`MediaError::RetryMessageId`].
pub fn open_retry_request(
    key: &MediaKey,
    message_id: &str,
    iv: &[u8],
    ciphertext: &[u8],
) -> Result<(), MediaError> {
    let plaintext = open(key, message_id, iv, ciphertext)?;
    let receipt = ServerErrorReceipt::decode(&plaintext[..]).map_err(MediaError::RetryProtobuf)?;
    if receipt.stanza_id() == message_id { Ok(()) } else { Err(MediaError::RetryMessageId) }
}

/// Seals the phone's answer: one draw of 12 bytes.
///
/// # Errors
/// [`MediaError::Crypto`]: does not happen with such short texts.
pub fn seal_retry_notification(
    key: &MediaKey,
    message_id: &str,
    outcome: &RetryOutcome,
    rng: &mut impl CryptoRng,
) -> Result<SealedRetry, MediaError> {
    let notification = MediaRetryNotification {
        stanza_id: Some(message_id.to_owned()),
        direct_path: outcome.direct_path.clone(),
        result: Some(outcome.result.code()),
        message_secret: outcome.message_secret.clone().map(Into::into),
    };
    seal(key, message_id, draw(rng), notification.encode_to_vec())
}

/// Opens the phone's answer.
///
/// # Errors
/// [`MediaError::RetryIv`], [`MediaError::RetrySeal`], [`MediaError::RetryProtobuf`],
/// [`MediaError::RetryMessageId`].
pub fn open_retry_notification(
    key: &MediaKey,
    message_id: &str,
    iv: &[u8],
    ciphertext: &[u8],
) -> Result<RetryOutcome, MediaError> {
    let plaintext = open(key, message_id, iv, ciphertext)?;
    let notification = MediaRetryNotification::decode(&plaintext[..]).map_err(MediaError::RetryProtobuf)?;
    if notification.stanza_id() != message_id {
        return Err(MediaError::RetryMessageId);
    }
    Ok(RetryOutcome {
        result: RetryResult::from_code(notification.result.unwrap_or_default()),
        direct_path: notification.direct_path,
        message_secret: notification.message_secret.map(Into::into),
    })
}

fn draw(rng: &mut impl CryptoRng) -> [u8; 12] {
    let mut iv = [0; 12];
    rng.fill_bytes(&mut iv);
    iv
}

fn seal(
    key: &MediaKey,
    message_id: &str,
    iv: [u8; 12],
    plaintext: Vec<u8>,
) -> Result<SealedRetry, MediaError> {
    let mut ciphertext = plaintext;
    Aes256Gcm::new(key.retry_key().expose())
        .seal(&iv, message_id.as_bytes(), &mut ciphertext, 0)
        .map_err(MediaError::Crypto)?;
    Ok(SealedRetry { iv, ciphertext })
}

fn open(key: &MediaKey, message_id: &str, iv: &[u8], ciphertext: &[u8]) -> Result<Vec<u8>, MediaError> {
    let iv = iv.try_into().map_err(|_| MediaError::RetryIv(iv.len()))?;
    let mut plaintext = ciphertext.to_vec();
    let len = Aes256Gcm::new(key.retry_key().expose())
        .open(iv, message_id.as_bytes(), &mut plaintext)
        .map_err(|_| MediaError::RetrySeal)?
        .len();
    plaintext.truncate(len);
    Ok(plaintext)
}
