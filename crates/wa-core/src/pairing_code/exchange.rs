//! The exchange behind the code: two ephemeral keys wrapped with it, then a bundle that proves the identities and
//! carries the third part of the ADV secret (chapter 02 §4.1–§4.3).

use rand_core::CryptoRng;
use wa_crypto::aead::{Aes256Gcm, TAG_LEN};
use wa_crypto::curve::{KeyPair, PublicKey, SharedSecret};
use wa_crypto::{Secret, ct_eq, ctr, kdf};

use super::{PairingCode, PairingCodeError};
use crate::sabotage::{self, Rule};

/// salt 32, iv 16, encrypted public key 32.
pub const WRAPPED_KEY_LEN: usize = 80;
/// salt 32, iv 12, two identities and a random part 96, tag 16.
pub const BUNDLE_LEN: usize = 156;

const BUNDLE_INFO: &[u8] = b"link_code_pairing_key_bundle_encryption_key";
const SECRET_INFO: &[u8] = b"adv_secret";

/// The random part of a wrapped key.
#[derive(Clone, Debug)]
pub struct WrapRandom {
    /// Of PBKDF2.
    pub salt: [u8; 32],
    /// First counter block.
    pub iv: [u8; 16],
}

impl WrapRandom {
    /// Draws salt, then iv.
    pub fn draw(rng: &mut impl CryptoRng) -> Self {
        let mut random = Self { salt: [0; 32], iv: [0; 16] };
        rng.fill_bytes(&mut random.salt);
        rng.fill_bytes(&mut random.iv);
        random
    }
}

/// The random part of a key bundle.
#[derive(Clone, Debug)]
pub struct BundleRandom {
    /// Of HKDF.
    pub salt: [u8; 32],
    /// Nonce of the seal.
    pub iv: [u8; 12],
    /// Third part of the ADV secret.
    pub part: Secret<32>,
}

impl BundleRandom {
    /// Draws salt, iv and the secret part.
    pub fn draw(rng: &mut impl CryptoRng) -> Self {
        let mut random = Self { salt: [0; 32], iv: [0; 12], part: Secret::random(rng) };
        rng.fill_bytes(&mut random.salt);
        rng.fill_bytes(&mut random.iv);
        random
    }
}

/// Wraps an ephemeral public key with the code. Runs PBKDF2.
pub fn wrap_key(code: &PairingCode, key: &PublicKey, random: &WrapRandom) -> [u8; WRAPPED_KEY_LEN] {
    let mut text = *key.as_bytes();
    ctr::apply(code.key(&random.salt).expose(), &random.iv, &mut text);
    let mut wrapped = [0; WRAPPED_KEY_LEN];
    wrapped[..32].copy_from_slice(&random.salt);
    wrapped[32..48].copy_from_slice(&random.iv);
    wrapped[48..].copy_from_slice(&text);
    wrapped
}

/// Opens what [`wrap_key`] made. A wrong code gives another key, not an error. Runs PBKDF2.
///
/// # Errors
/// [`PairingCodeError::Length`] unless 80 bytes are given.
pub fn unwrap_key(code: &PairingCode, wrapped: &[u8]) -> Result<PublicKey, PairingCodeError> {
    let wrapped: &[u8; WRAPPED_KEY_LEN] = sized("wrapped key", wrapped)?;
    let (salt, rest) = split::<32>("wrapped key", wrapped)?;
    let (iv, text) = split::<16>("wrapped key", rest)?;
    let mut key: [u8; 32] = *sized("wrapped key", text)?;
    ctr::apply(code.key(salt).expose(), iv, &mut key);
    Ok(PublicKey::from_bytes(key))
}

/// The companion between `companion_hello` and `pair-success`.
#[derive(Clone, Debug)]
pub struct Companion {
    code: PairingCode,
    ephemeral: KeyPair,
}

/// What the companion sends in `companion_finish` and keeps.
#[derive(Clone, Debug)]
pub struct CompanionFinish {
    /// `link_code_pairing_wrapped_key_bundle`.
    pub wrapped_bundle: [u8; BUNDLE_LEN],
    /// Replaces the ADV secret; persist it before sending and redraw the QR code.
    pub adv_secret: Secret<32>,
}

impl Companion {
    /// Starts with a drawn ephemeral key.
    pub fn new(code: PairingCode, rng: &mut impl CryptoRng) -> Self {
        Self::with_ephemeral(code, KeyPair::generate(rng))
    }

    /// Starts with a given ephemeral key: what vectors need.
    pub const fn with_ephemeral(code: PairingCode, ephemeral: KeyPair) -> Self {
        Self { code, ephemeral }
    }

    /// The code to show.
    pub const fn code(&self) -> &PairingCode {
        &self.code
    }

    /// `link_code_pairing_wrapped_companion_ephemeral_pub` of `companion_hello`. Runs PBKDF2.
    pub fn hello(&self, random: &WrapRandom) -> [u8; WRAPPED_KEY_LEN] {
        wrap_key(&self.code, self.ephemeral.public(), random)
    }

    /// Answers `primary_hello`. Runs PBKDF2. A repeated hello is answered again with fresh randomness.
    ///
    /// # Errors
    /// [`PairingCodeError::Length`] for wrong sizes, [`PairingCodeError::Key`] for a key that no honest phone sends.
    pub fn finish(
        &self,
        identity: &KeyPair,
        wrapped_primary: &[u8],
        primary_identity: &[u8],
        random: &BundleRandom,
    ) -> Result<CompanionFinish, PairingCodeError> {
        let primary_identity = PublicKey::from_bytes(*sized("primary identity", primary_identity)?);
        let primary_ephemeral = unwrap_key(&self.code, wrapped_primary)?;
        let ephemeral_shared = agree(&self.ephemeral, &primary_ephemeral)?;
        let identity_shared = agree(identity, &primary_identity)?;

        let mut sealed = Vec::with_capacity(BUNDLE_LEN);
        sealed.extend_from_slice(&random.salt);
        sealed.extend_from_slice(&random.iv);
        sealed.extend_from_slice(identity.public().as_bytes());
        sealed.extend_from_slice(primary_identity.as_bytes());
        sealed.extend_from_slice(random.part.expose());
        Aes256Gcm::new(bundle_key(&ephemeral_shared, &random.salt).expose())
            .seal(&random.iv, &[], &mut sealed, 44)
            .map_err(|_| PairingCodeError::Key)?;
        Ok(CompanionFinish {
            wrapped_bundle: *sized("key bundle", &sealed)?,
            adv_secret: adv_secret(&ephemeral_shared, &identity_shared, &random.part),
        })
    }
}

/// The phone between the typed code and `companion_finish`.
#[derive(Clone, Debug)]
pub struct Primary {
    ephemeral_shared: SharedSecret,
    wrapped: [u8; WRAPPED_KEY_LEN],
}

impl Primary {
    /// Takes the typed code and the companion's wrapped key. Runs PBKDF2 twice.
    ///
    /// # Errors
    /// [`PairingCodeError::Length`], or [`PairingCodeError::Key`] for a key that cannot be the companion's.
    pub fn new(
        code: &PairingCode,
        wrapped_companion: &[u8],
        ephemeral: &KeyPair,
        random: &WrapRandom,
    ) -> Result<Self, PairingCodeError> {
        let companion = unwrap_key(code, wrapped_companion)?;
        Ok(Self {
            ephemeral_shared: agree(ephemeral, &companion)?,
            wrapped: wrap_key(code, ephemeral.public(), random),
        })
    }

    /// `link_code_pairing_wrapped_primary_ephemeral_pub` of `primary_hello`.
    pub const fn hello(&self) -> &[u8; WRAPPED_KEY_LEN] {
        &self.wrapped
    }

    /// Opens `companion_finish` and derives the ADV secret.
    ///
    /// # Errors
    /// [`PairingCodeError::WrongCode`] when the bundle does not open, [`PairingCodeError::Foreign`] when it names
    /// other identities, [`PairingCodeError::Length`] and [`PairingCodeError::Key`].
    pub fn finish(
        &self,
        identity: &KeyPair,
        companion_identity: &[u8],
        wrapped_bundle: &[u8],
    ) -> Result<Secret<32>, PairingCodeError> {
        let companion_identity = PublicKey::from_bytes(*sized("companion identity", companion_identity)?);
        let bundle: &[u8; BUNDLE_LEN] = sized("key bundle", wrapped_bundle)?;
        let (salt, rest) = split::<32>("key bundle", bundle)?;
        let (iv, sealed) = split::<12>("key bundle", rest)?;
        let mut sealed: [u8; 96 + TAG_LEN] = *sized("key bundle", sealed)?;
        let opened = Aes256Gcm::new(bundle_key(&self.ephemeral_shared, salt).expose())
            .open(iv, &[], &mut sealed)
            .map_err(|_| PairingCodeError::WrongCode)?;
        let (theirs, rest) = split::<32>("key bundle", opened)?;
        let (ours, part) = split::<32>("key bundle", rest)?;
        let identities_count = !sabotage::on(Rule::BundleIdentities);
        if identities_count && !ct_eq(theirs, companion_identity.as_bytes()) {
            return Err(PairingCodeError::Foreign("companion"));
        }
        if identities_count && !ct_eq(ours, identity.public().as_bytes()) {
            return Err(PairingCodeError::Foreign("phone"));
        }
        let part = Secret::new(*sized("key bundle", part)?);
        Ok(adv_secret(&self.ephemeral_shared, &agree(identity, &companion_identity)?, &part))
    }
}

fn agree(ours: &KeyPair, theirs: &PublicKey) -> Result<SharedSecret, PairingCodeError> {
    ours.agree(theirs).map_err(|_| PairingCodeError::Key)
}

fn bundle_key(ephemeral_shared: &SharedSecret, salt: &[u8; 32]) -> Secret<32> {
    kdf::hkdf(salt, ephemeral_shared.expose(), BUNDLE_INFO)
}

fn adv_secret(ephemeral: &SharedSecret, identity: &SharedSecret, part: &Secret<32>) -> Secret<32> {
    let mut material = [0; 96];
    material[..32].copy_from_slice(ephemeral.expose());
    material[32..64].copy_from_slice(identity.expose());
    material[64..].copy_from_slice(part.expose());
    let material = Secret::new(material);
    kdf::hkdf(&[], material.expose(), SECRET_INFO)
}

fn sized<'b, const N: usize>(what: &'static str, bytes: &'b [u8]) -> Result<&'b [u8; N], PairingCodeError> {
    bytes.try_into().map_err(|_| PairingCodeError::Length { what, expected: N, found: bytes.len() })
}

fn split<'b, const N: usize>(
    what: &'static str,
    bytes: &'b [u8],
) -> Result<(&'b [u8; N], &'b [u8]), PairingCodeError> {
    bytes.split_first_chunk().ok_or(PairingCodeError::Length { what, expected: N, found: bytes.len() })
}
