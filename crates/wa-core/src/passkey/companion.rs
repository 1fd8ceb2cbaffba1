//! The companion's steps of the passkey exchange (chapter 02 §5 steps 5–9).

use bytes::Bytes;
use prost::Message as _;
use rand_core::CryptoRng;
use wa_crypto::Secret;
use wa_crypto::aead::Aes256Gcm;
use wa_crypto::curve::{KeyPair, PublicKey};
use wa_proto::companion_reg::{
    CompanionCommitment, EncryptedPairingRequest, PairingRequest, PrimaryEphemeralIdentity, ProloguePayload,
};

use super::{PasskeyError, commitment, companion_identity, request_key, sized, verification_code};
use crate::pairing_code::PairingCode;

/// An open prologue: the companion has committed to a nonce and waits for the phone.
#[derive(Clone, Debug)]
pub struct Companion {
    device_type: i32,
    reference: String,
    ephemeral: KeyPair,
    nonce: Secret<32>,
}

/// The phone has answered: the nonce may be revealed and the code be shown.
#[derive(Clone, Debug)]
pub struct Continued {
    key: Secret<32>,
    nonce: Secret<32>,
    code: PairingCode,
}

/// What the pairing request hands to the phone.
#[derive(Clone, Debug)]
pub struct CompanionKeys {
    /// Public noise key.
    pub noise: PublicKey,
    /// Public identity.
    pub identity: PublicKey,
    /// The new ADV secret.
    pub adv_secret: Secret<32>,
}

impl Companion {
    /// Opens a prologue for the ref that the server gave. `device_type` is the number of `DeviceProps.platformType`.
    pub fn new(device_type: i32, reference: String, rng: &mut impl CryptoRng) -> Self {
        Self::with_secrets(device_type, reference, KeyPair::generate(rng), Secret::random(rng))
    }

    /// [`Self::new`] with given secrets: what vectors need.
    pub const fn with_secrets(
        device_type: i32,
        reference: String,
        ephemeral: KeyPair,
        nonce: Secret<32>,
    ) -> Self {
        Self { device_type, reference, ephemeral, nonce }
    }

    /// `CompanionEphemeralIdentity`.
    pub fn identity(&self) -> Bytes {
        companion_identity(self.ephemeral.public(), self.device_type, &self.reference)
    }

    /// The hash that fixes the nonce before the phone has chosen its own.
    pub fn commitment(&self) -> [u8; 32] {
        commitment(&self.identity(), self.nonce.expose())
    }

    /// `prologue_payload`.
    pub fn prologue(&self) -> Bytes {
        let commitment = CompanionCommitment { hash: Some(Bytes::copy_from_slice(&self.commitment())) };
        ProloguePayload {
            companion_ephemeral_identity: Some(self.identity()),
            commitment: Some(commitment.into()),
        }
        .encode_to_vec()
        .into()
    }

    /// Takes `primary_ephemeral_identity` of `crsc_continuation`.
    ///
    /// # Errors
    /// [`PasskeyError`]; the prologue stays open.
    pub fn resume(&self, primary_identity: &[u8]) -> Result<Continued, PasskeyError> {
        let primary = PrimaryEphemeralIdentity::decode(primary_identity)
            .map_err(|_| PasskeyError::Undecodable("PrimaryEphemeralIdentity"))?;
        let public = PublicKey::from_bytes(sized("primary public key", primary.public_key.as_ref())?);
        let nonce = sized("primary nonce", primary.nonce.as_ref())?;
        Ok(Continued {
            key: request_key(&self.ephemeral, &public, self.device_type, &self.reference)?,
            nonce: self.nonce.clone(),
            code: verification_code(&nonce, self.nonce.expose(), &public),
        })
    }
}

impl Continued {
    /// `companion_nonce`: sent only now.
    pub const fn nonce(&self) -> &[u8; 32] {
        self.nonce.expose()
    }

    /// What the user compares with the phone's screen.
    pub const fn code(&self) -> &PairingCode {
        &self.code
    }

    /// The key of the pairing request.
    pub const fn key(&self) -> &Secret<32> {
        &self.key
    }

    /// `encrypted_pairing_request`, once the user has confirmed.
    ///
    /// # Errors
    /// [`PasskeyError::Request`] never with keys of this size.
    pub fn request(&self, keys: &CompanionKeys, iv: [u8; 12]) -> Result<Bytes, PasskeyError> {
        let mut sealed = keys.encode();
        Aes256Gcm::new(self.key.expose())
            .seal(&iv, &[], &mut sealed, 0)
            .map_err(|_| PasskeyError::Request)?;
        let request = EncryptedPairingRequest {
            encrypted_payload: Some(sealed.into()),
            iv: Some(Bytes::copy_from_slice(&iv)),
        };
        Ok(request.encode_to_vec().into())
    }
}

impl CompanionKeys {
    /// `PairingRequest`.
    pub fn encode(&self) -> Vec<u8> {
        PairingRequest {
            companion_public_key: Some(Bytes::copy_from_slice(self.noise.as_bytes())),
            companion_identity_key: Some(Bytes::copy_from_slice(self.identity.as_bytes())),
            adv_secret: Some(Bytes::copy_from_slice(self.adv_secret.expose())),
        }
        .encode_to_vec()
    }
}
