//! X3DH, the first agreement of a session, for both roles (chapter 04 §3).

use wa_crypto::Secret;
use wa_crypto::curve::{KeyPair, PublicKey};
use wa_crypto::kdf::hkdf;

use crate::SignalError;
use crate::error::agreement_error;
use crate::ratchet::{ChainKey, RootKey};

const PREFIX: [u8; 32] = [0xFF; 32];

/// The input of the key derivation: 32 bytes 0xFF, then three or four agreements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterSecret {
    bytes: Secret<160>,
    len: usize,
}

impl MasterSecret {
    /// The 128 bytes (without a one-time pre-key) or 160 bytes (with one).
    pub fn expose(&self) -> &[u8] {
        &self.bytes.expose()[..self.len]
    }

    /// The first root key and chain key.
    pub fn derive(&self) -> (RootKey, ChainKey) {
        let out: Secret<64> = hkdf(&[], self.expose(), b"WhisperText");
        crate::ratchet::split(&out)
    }

    fn new(agreements: &[&Secret<32>]) -> Self {
        let mut bytes = [0; 160];
        bytes[..32].copy_from_slice(&PREFIX);
        let mut len = 32;
        for (agreement, place) in agreements.iter().zip(bytes[32..].chunks_exact_mut(32)) {
            place.copy_from_slice(agreement.expose());
            len += 32;
        }
        Self { bytes: Secret::new(bytes), len }
    }
}

/// The initiator's side: own identity and base key against the peer's identity, signed and one-time pre-key.
///
/// # Errors
/// [`crate::Malformed::LowOrderKey`].
pub fn initiator(
    identity: &KeyPair,
    base: &KeyPair,
    their_identity: &PublicKey,
    their_signed: &PublicKey,
    their_one_time: Option<&PublicKey>,
) -> Result<MasterSecret, SignalError> {
    let dh1 = identity.agree(their_signed).map_err(agreement_error)?;
    let dh2 = base.agree(their_identity).map_err(agreement_error)?;
    let dh3 = base.agree(their_signed).map_err(agreement_error)?;
    let Some(their_one_time) = their_one_time else {
        return Ok(MasterSecret::new(&[&dh1, &dh2, &dh3]));
    };
    let dh4 = base.agree(their_one_time).map_err(agreement_error)?;
    Ok(MasterSecret::new(&[&dh1, &dh2, &dh3, &dh4]))
}

/// The responder's side: own identity, signed and one-time pre-key against the initiator's identity and base key.
///
/// # Errors
/// [`crate::Malformed::LowOrderKey`].
pub fn responder(
    identity: &KeyPair,
    signed: &KeyPair,
    one_time: Option<&KeyPair>,
    their_identity: &PublicKey,
    their_base: &PublicKey,
) -> Result<MasterSecret, SignalError> {
    let dh1 = signed.agree(their_identity).map_err(agreement_error)?;
    let dh2 = identity.agree(their_base).map_err(agreement_error)?;
    let dh3 = signed.agree(their_base).map_err(agreement_error)?;
    let Some(one_time) = one_time else {
        return Ok(MasterSecret::new(&[&dh1, &dh2, &dh3]));
    };
    let dh4 = one_time.agree(their_base).map_err(agreement_error)?;
    Ok(MasterSecret::new(&[&dh1, &dh2, &dh3, &dh4]))
}
