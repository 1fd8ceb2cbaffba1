//! ADV: who vouches for which device. The account key (the phone's identity) signs each companion's identity, the
//! companion signs back, and the phone signs the list of key indexes that are still valid.
//!
//! Chapter 02 §2, §3.4, §3.6, §3.7 and chapter 04 §11.3 of the protocol. `companion` is the side that is linked,
//! `primary` the phone and the server's check of the answer, `key_index` the list, and this file holds what
//! both sides share. Nested messages are signed and compared as the bytes that travelled, never re-encoded.

mod companion;
mod key_index;
mod primary;

use bytes::Bytes;
use prost::Message as _;
use thiserror::Error;
use wa_crypto::curve::PublicKey;
use wa_crypto::{CryptoError, xeddsa};
use wa_proto::adv::{AdvDeviceIdentity, AdvEncryptionType, AdvSignedDeviceIdentity};

use crate::sabotage::{self, Rule};

pub use companion::{AcceptedLink, accept_link};
pub use key_index::{KeyIndexList, SignedKeyIndexList};
pub use primary::{IssuedLink, check_link_answer, issue_link};

/// Longest `<device-identity>` that is looked at (chapter 02 §3.4 step 3).
pub const MAX_DEVICE_IDENTITY: usize = 500;

/// What made an ADV blob unacceptable.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AdvError {
    /// A part is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A part is not the protobuf message that it must be.
    #[error("{0} cannot be decoded")]
    Undecodable(&'static str),
    /// The container is empty or longer than [`MAX_DEVICE_IDENTITY`].
    #[error("a device identity of {0} bytes")]
    Size(usize),
    /// The container's HMAC does not fit the ADV secret.
    #[error("the HMAC does not fit the ADV secret")]
    Hmac,
    /// The account key or signature has a wrong length, or the signature does not verify.
    #[error("the account signature does not verify")]
    AccountSignature,
    /// The device signature is missing or does not verify.
    #[error("the device signature does not verify")]
    DeviceSignature,
    /// The answer to `pair-success` names another key index.
    #[error("key index {found} instead of {expected}")]
    KeyIndex {
        /// Of the issued link.
        expected: u32,
        /// Of the answer.
        found: u32,
    },
    /// The answer to `pair-success` carries other details or another account signature than were issued.
    #[error("{0} differs from what was issued")]
    Altered(&'static str),
    /// The signature of a key-index list does not verify.
    #[error("the key-index list's signature does not verify")]
    ListSignature,
}

impl AdvError {
    /// Code and text of the error answer to `pair-success` (chapter 02 §3.4).
    pub const fn reply(&self) -> (u16, &'static str) {
        match self {
            Self::Hmac => (401, "hmac-mismatch"),
            Self::AccountSignature | Self::DeviceSignature | Self::ListSignature => {
                (401, "signature-mismatch")
            }
            Self::Missing(_)
            | Self::Undecodable(_)
            | Self::Size(_)
            | Self::KeyIndex { .. }
            | Self::Altered(_) => (500, "internal-error"),
        }
    }
}

/// Who holds the keys of a device: the person, or a business provider ("hosted").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Hosting {
    /// End to end between people's devices.
    #[default]
    EndToEnd,
    /// A hosted business device.
    Hosted,
}

impl Hosting {
    const fn from_wire(value: Option<i32>) -> Self {
        match value {
            Some(value) if value == AdvEncryptionType::Hosted as i32 => Self::Hosted,
            _ => Self::EndToEnd,
        }
    }

    /// Zero enums are left out on the wire.
    const fn to_wire(self) -> Option<i32> {
        match self {
            Self::EndToEnd => None,
            Self::Hosted => Some(AdvEncryptionType::Hosted as i32),
        }
    }

    const fn account_prefix(self) -> [u8; 2] {
        match self {
            Self::EndToEnd => [6, 0],
            Self::Hosted => [6, 5],
        }
    }

    const fn device_prefix(self) -> [u8; 2] {
        match self {
            Self::EndToEnd => OWN_DEVICE_PREFIX,
            Self::Hosted => [6, 6],
        }
    }

    const fn list_prefix(self) -> [u8; 2] {
        match self {
            Self::EndToEnd => [6, 2],
            Self::Hosted => [6, 7],
        }
    }
}

/// A companion signs its own identity with this prefix, also on hosted accounts.
const OWN_DEVICE_PREFIX: [u8; 2] = [6, 1];
/// In front of the details in the HMAC of a container whose account type is hosted.
const HOSTED_HMAC_PREFIX: [u8; 2] = [6, 5];

/// `ADVDeviceIdentity` as read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceDetails {
    /// Number of the account's epoch; another one means that the account re-registered.
    pub raw_id: u32,
    /// When the phone signed, seconds.
    pub timestamp: u64,
    /// Index of the device in the key-index list; 0 is the phone itself.
    pub key_index: u32,
    /// Selects the prefix of the account signature.
    pub device_type: Hosting,
    /// Of the account.
    pub account_type: Hosting,
}

impl DeviceDetails {
    /// Reads `ADVDeviceIdentity`.
    ///
    /// # Errors
    /// [`AdvError::Undecodable`].
    pub fn decode(details: &[u8]) -> Result<Self, AdvError> {
        let message =
            AdvDeviceIdentity::decode(details).map_err(|_| AdvError::Undecodable("ADVDeviceIdentity"))?;
        Ok(Self {
            raw_id: message.raw_id.unwrap_or_default(),
            timestamp: message.timestamp.unwrap_or_default(),
            key_index: message.key_index.unwrap_or_default(),
            device_type: Hosting::from_wire(message.device_type),
            account_type: Hosting::from_wire(message.account_type),
        })
    }

    /// Writes `ADVDeviceIdentity`; zero enums are left out.
    pub fn encode(&self) -> Bytes {
        AdvDeviceIdentity {
            raw_id: Some(self.raw_id),
            timestamp: Some(self.timestamp),
            key_index: Some(self.key_index),
            account_type: self.account_type.to_wire(),
            device_type: self.device_type.to_wire(),
        }
        .encode_to_vec()
        .into()
    }
}

/// `ADVSignedDeviceIdentity` with both signatures: what a companion stores of its link, sends in
/// `<device-identity>` beside every `pkmsg`, and what a bundle carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedDevice {
    /// `ADVDeviceIdentity` as it travelled.
    pub details: Bytes,
    /// The phone's identity; absent where the server strips it.
    pub account_key: Option<PublicKey>,
    /// By the account key over prefix, details and device identity.
    pub account_signature: [u8; 64],
    /// By the device identity over prefix, details, device identity and account key.
    pub device_signature: [u8; 64],
}

impl SignedDevice {
    /// All four fields: the stored form and `<device-identity>` of messages.
    pub fn encode(&self) -> Bytes {
        self.to_message(self.account_key).encode_to_vec().into()
    }

    /// Without the account key: the answer to `pair-success`.
    pub fn encode_without_account_key(&self) -> Bytes {
        self.to_message(None).encode_to_vec().into()
    }

    fn to_message(&self, account_key: Option<PublicKey>) -> AdvSignedDeviceIdentity {
        AdvSignedDeviceIdentity {
            details: Some(self.details.clone()),
            account_signature_key: account_key.map(|key| Bytes::copy_from_slice(key.as_bytes())),
            account_signature: Some(Bytes::copy_from_slice(&self.account_signature)),
            device_signature: Some(Bytes::copy_from_slice(&self.device_signature)),
        }
    }

    /// Reads a complete identity; no signature is checked.
    ///
    /// # Errors
    /// [`AdvError::Undecodable`], [`AdvError::Missing`] without details, and the signature errors for wrong lengths.
    pub fn decode(blob: &[u8]) -> Result<Self, AdvError> {
        let parts = parse_signed(blob)?;
        let account_key = match parts.account_signature_key.as_deref() {
            None | Some([]) => None,
            Some(key) => Some(PublicKey::from_raw(key).map_err(|_| AdvError::AccountSignature)?),
        };
        Ok(Self {
            account_key,
            account_signature: signature(parts.account_signature.as_deref())
                .ok_or(AdvError::AccountSignature)?,
            device_signature: signature(parts.device_signature.as_deref())
                .ok_or(AdvError::DeviceSignature)?,
            details: parts.details.ok_or(AdvError::Missing("details"))?,
        })
    }

    /// The details inside.
    ///
    /// # Errors
    /// [`AdvError::Undecodable`].
    pub fn device_details(&self) -> Result<DeviceDetails, AdvError> {
        DeviceDetails::decode(&self.details)
    }
}

/// What the check of another device's identity found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceCheck {
    /// Both signatures hold under this account key. It came out of the blob itself if the blob had one: compare it
    /// with the stored identity of the user's device 0 where one is known.
    Valid {
        /// The key that signed.
        account_key: PublicKey,
    },
    /// No account key is known to check with: log and go on.
    Unverifiable,
}

/// Checks the `<device-identity>` of a fetched companion bundle or retry receipt against the identity that came with
/// it (chapter 02 §3.7). `stored_account_key` is the known identity of the user's device 0, used when the blob has none.
///
/// # Errors
/// Any [`AdvError`] means: reject the bundle.
pub fn check_device(
    blob: &[u8],
    identity: &PublicKey,
    stored_account_key: Option<&PublicKey>,
) -> Result<DeviceCheck, AdvError> {
    let parts = parse_signed(blob)?;
    let account_key = match parts.account_signature_key.as_deref() {
        None | Some([]) => stored_account_key.copied(),
        Some(key) => Some(PublicKey::from_raw(key).map_err(|_| AdvError::AccountSignature)?),
    };
    let Some(account_key) = account_key else {
        return Ok(DeviceCheck::Unverifiable);
    };
    let details = parts.details.ok_or(AdvError::Missing("details"))?;
    let account = parts.account_signature.ok_or(AdvError::AccountSignature)?;
    let device = parts.device_signature.ok_or(AdvError::DeviceSignature)?;

    // One family of prefixes must hold for both signatures: a mixture is a forgery out of two genuine parts.
    let mut refusal = AdvError::AccountSignature;
    for family in [Hosting::EndToEnd, Hosting::Hosted] {
        if verify_account(family, &details, identity, &account_key, &account).is_err() {
            continue;
        }
        match verify_own_device(family.device_prefix(), &details, identity, &account_key, &device) {
            Ok(()) => return Ok(DeviceCheck::Valid { account_key }),
            Err(_) => refusal = AdvError::DeviceSignature,
        }
    }
    Err(refusal)
}

fn parse_signed(blob: &[u8]) -> Result<AdvSignedDeviceIdentity, AdvError> {
    AdvSignedDeviceIdentity::decode(blob).map_err(|_| AdvError::Undecodable("ADVSignedDeviceIdentity"))
}

fn signature(bytes: Option<&[u8]>) -> Option<[u8; 64]> {
    bytes?.try_into().ok()
}

fn verify_account(
    family: Hosting,
    details: &[u8],
    identity: &PublicKey,
    account_key: &PublicKey,
    signature: &[u8],
) -> Result<(), CryptoError> {
    if sabotage::on(Rule::AccountSignature) {
        return Ok(());
    }
    xeddsa::verify(account_key, &[&family.account_prefix(), details, identity.as_bytes()], signature)
}

fn verify_own_device(
    prefix: [u8; 2],
    details: &[u8],
    identity: &PublicKey,
    account_key: &PublicKey,
    signature: &[u8],
) -> Result<(), CryptoError> {
    if sabotage::on(Rule::DeviceSignature) {
        return Ok(());
    }
    xeddsa::verify(identity, &[&prefix, details, identity.as_bytes(), account_key.as_bytes()], signature)
}

#[cfg(test)]
mod tests;
