//! The passkey step of linking: an ephemeral agreement that the user confirms by comparing a code, after a commitment
//! has fixed the companion's part.
//!
//! Chapter 02 §5 of the protocol. [`Companion`] is the device that is linked, [`Primary`] the phone. The WebAuthn
//! assertion itself comes from the application; nothing here looks into it.

mod companion;
mod primary;

use bytes::Bytes;
use prost::Message as _;
use thiserror::Error;
use wa_crypto::curve::{KeyPair, PublicKey};
use wa_crypto::digest::sha256;
use wa_crypto::{Secret, kdf, mac};
use wa_proto::companion_reg::CompanionEphemeralIdentity;

use crate::pairing_code::PairingCode;

pub use companion::{Companion, CompanionKeys, Continued};
pub use primary::{OpenedRequest, Primary, Revealed};

/// How long a handoff key may be used, seconds. It is used once.
pub const HANDOFF_VALIDITY_SECONDS: u64 = 300;

/// Why a passkey step failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PasskeyError {
    /// A part is not the protobuf message that it must be.
    #[error("{0} cannot be decoded")]
    Undecodable(&'static str),
    /// A part has a wrong length.
    #[error("{what} of {found} bytes; it has {expected}")]
    Length {
        /// Which part.
        what: &'static str,
        /// By the protocol.
        expected: usize,
        /// As received.
        found: usize,
    },
    /// A public key that no honest peer sends.
    #[error("the peer's public key is unusable")]
    Key,
    /// The revealed nonce is not the one that was committed to.
    #[error("the companion's nonce does not fit its commitment")]
    Commitment,
    /// The pairing request does not open under the agreed key.
    #[error("the pairing request does not open")]
    Request,
}

/// `shortcake-passkey-handoff-v1`: proves to the server that the prologue comes from the device that was being linked.
/// Derive it before the ADV secret is replaced.
pub fn handoff_key(adv_secret: &Secret<32>) -> Secret<32> {
    kdf::hkdf(&[], adv_secret.expose(), b"shortcake-passkey-handoff-v1")
}

/// `pairing_handoff_proof` over the prologue. A sent proof makes the code comparison optional (`skip_code`).
pub fn handoff_proof(key: &Secret<32>, prologue: &[u8]) -> [u8; 32] {
    mac::hmac_sha256(key.expose(), &[prologue])
}

fn commitment(identity: &[u8], nonce: &[u8; 32]) -> [u8; 32] {
    sha256(&[identity, nonce])
}

fn verification_code(
    primary_nonce: &[u8; 32],
    companion_nonce: &[u8; 32],
    primary: &PublicKey,
) -> PairingCode {
    let mask = sha256(&[companion_nonce, primary.as_bytes()]);
    let mut bytes = [0; 5];
    for (byte, (nonce, mask)) in bytes.iter_mut().zip(primary_nonce.iter().zip(mask)) {
        *byte = nonce ^ mask;
    }
    PairingCode::from_bytes(bytes)
}

/// HKDF's salt for the pairing request: a text that names device type and ref.
pub fn request_salt(device_type: i32, reference: &str) -> String {
    format!("Companion Pairing {device_type} with ref {reference}")
}

fn request_key(
    ours: &KeyPair,
    theirs: &PublicKey,
    device_type: i32,
    reference: &str,
) -> Result<Secret<32>, PasskeyError> {
    let shared = ours.agree(theirs).map_err(|_| PasskeyError::Key)?;
    let salt = request_salt(device_type, reference);
    Ok(kdf::hkdf(salt.as_bytes(), shared.expose(), b"Pairing Information Encryption Key"))
}

fn companion_identity(public: &PublicKey, device_type: i32, reference: &str) -> Bytes {
    CompanionEphemeralIdentity {
        public_key: Some(Bytes::copy_from_slice(public.as_bytes())),
        device_type: Some(device_type),
        r#ref: Some(reference.to_owned()),
    }
    .encode_to_vec()
    .into()
}

fn sized<const N: usize>(what: &'static str, bytes: Option<&Bytes>) -> Result<[u8; N], PasskeyError> {
    let bytes = bytes.map(|bytes| &**bytes).unwrap_or_default();
    bytes.try_into().map_err(|_| PasskeyError::Length { what, expected: N, found: bytes.len() })
}

#[cfg(test)]
mod tests;
