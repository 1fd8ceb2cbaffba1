//! The phone's steps of the passkey exchange (chapter 02 §5, "Primary").

use bytes::Bytes;
use prost::Message as _;
use rand_core::CryptoRng;
use wa_crypto::aead::Aes256Gcm;
use wa_crypto::curve::{KeyPair, PublicKey};
use wa_crypto::{Secret, ct_eq};
use wa_proto::companion_reg::{
    CompanionEphemeralIdentity, EncryptedPairingRequest, PairingRequest, PrimaryEphemeralIdentity,
    ProloguePayload,
};

use super::companion::CompanionKeys;
use super::{PasskeyError, commitment, request_key, sized, verification_code};
use crate::pairing_code::PairingCode;
use crate::sabotage::{self, Rule};

/// The phone has a prologue and waits for the companion's nonce.
#[derive(Clone, Debug)]
pub struct Primary {
    identity: Bytes,
    companion: PublicKey,
    device_type: i32,
    reference: String,
    commitment: [u8; 32],
    ephemeral: KeyPair,
    nonce: Secret<32>,
}

/// The nonce fitted its commitment: the code may be compared.
#[derive(Clone, Debug)]
pub struct Revealed {
    key: Secret<32>,
    code: PairingCode,
    reference: String,
}

/// A pairing request that opened: the phone goes on as after a scanned QR code.
#[derive(Clone, Debug)]
pub struct OpenedRequest {
    /// The ref that the link belongs to.
    pub reference: String,
    /// The companion's keys and its new ADV secret.
    pub keys: CompanionKeys,
}

impl Primary {
    /// Takes `prologue_payload`.
    ///
    /// # Errors
    /// [`PasskeyError::Undecodable`] or [`PasskeyError::Length`].
    pub fn new(prologue: &[u8], rng: &mut impl CryptoRng) -> Result<Self, PasskeyError> {
        Self::with_secrets(prologue, KeyPair::generate(rng), Secret::random(rng))
    }

    /// [`Self::new`] with given secrets: what vectors need.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_secrets(
        prologue: &[u8],
        ephemeral: KeyPair,
        nonce: Secret<32>,
    ) -> Result<Self, PasskeyError> {
        let prologue =
            ProloguePayload::decode(prologue).map_err(|_| PasskeyError::Undecodable("ProloguePayload"))?;
        let identity = prologue.companion_ephemeral_identity.unwrap_or_default();
        let parsed = CompanionEphemeralIdentity::decode(identity.clone())
            .map_err(|_| PasskeyError::Undecodable("CompanionEphemeralIdentity"))?;
        let hash = prologue.commitment.and_then(|commitment| commitment.hash);
        Ok(Self {
            companion: PublicKey::from_bytes(sized("companion public key", parsed.public_key.as_ref())?),
            device_type: parsed.device_type.unwrap_or_default(),
            reference: parsed.r#ref.unwrap_or_default(),
            commitment: sized("commitment", hash.as_ref())?,
            identity,
            ephemeral,
            nonce,
        })
    }

    /// `PrimaryEphemeralIdentity`.
    pub fn identity(&self) -> Bytes {
        PrimaryEphemeralIdentity {
            public_key: Some(Bytes::copy_from_slice(self.ephemeral.public().as_bytes())),
            nonce: Some(Bytes::copy_from_slice(self.nonce.expose())),
        }
        .encode_to_vec()
        .into()
    }

    /// Takes the revealed nonce.
    ///
    /// # Errors
    /// [`PasskeyError::Commitment`] for another nonce than the one committed to: someone chose it afterwards.
    pub fn reveal(&self, nonce: &[u8]) -> Result<Revealed, PasskeyError> {
        let nonce: [u8; 32] = nonce.try_into().map_err(|_| PasskeyError::Length {
            what: "companion nonce",
            expected: 32,
            found: nonce.len(),
        })?;
        let fits = ct_eq(&commitment(&self.identity, &nonce), &self.commitment);
        if !fits && !sabotage::on(Rule::Commitment) {
            return Err(PasskeyError::Commitment);
        }
        Ok(Revealed {
            key: request_key(&self.ephemeral, &self.companion, self.device_type, &self.reference)?,
            code: verification_code(self.nonce.expose(), &nonce, self.ephemeral.public()),
            reference: self.reference.clone(),
        })
    }
}

impl Revealed {
    /// What the user compares with the companion's screen.
    pub const fn code(&self) -> &PairingCode {
        &self.code
    }

    /// Opens `encrypted_pairing_request`.
    ///
    /// # Errors
    /// [`PasskeyError::Request`] when it does not open, and the errors of its parts.
    pub fn open(&self, request: &[u8]) -> Result<OpenedRequest, PasskeyError> {
        let sealed = EncryptedPairingRequest::decode(request)
            .map_err(|_| PasskeyError::Undecodable("EncryptedPairingRequest"))?;
        let iv = sized("request iv", sealed.iv.as_ref())?;
        let mut payload = sealed.encrypted_payload.unwrap_or_default().to_vec();
        let opened = Aes256Gcm::new(self.key.expose())
            .open(&iv, &[], &mut payload)
            .map_err(|_| PasskeyError::Request)?;
        let request =
            PairingRequest::decode(&*opened).map_err(|_| PasskeyError::Undecodable("PairingRequest"))?;
        Ok(OpenedRequest {
            reference: self.reference.clone(),
            keys: CompanionKeys {
                noise: PublicKey::from_bytes(sized("noise key", request.companion_public_key.as_ref())?),
                identity: PublicKey::from_bytes(sized("identity", request.companion_identity_key.as_ref())?),
                adv_secret: Secret::new(sized("ADV secret", request.adv_secret.as_ref())?),
            },
        })
    }
}
