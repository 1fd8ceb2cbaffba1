//! The companion's side of a link: check what `pair-success` carries, then sign it (chapter 02 §3.4 steps 3–8).

use bytes::Bytes;
use prost::Message as _;
use rand_core::CryptoRng;
use wa_crypto::curve::{KeyPair, PrivateKey, PublicKey};
use wa_crypto::{Secret, ct_eq, mac, xeddsa};
use wa_proto::adv::AdvSignedDeviceIdentityHmac;

use crate::sabotage::{self, Rule};

use super::{
    AdvError, DeviceDetails, HOSTED_HMAC_PREFIX, Hosting, MAX_DEVICE_IDENTITY, OWN_DEVICE_PREFIX,
    SignedDevice, parse_signed, signature, verify_account,
};

/// A container whose HMAC and account signature hold for this companion: the account may be shown to the user, who may
/// still refuse. [`AcceptedLink::sign`] completes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedLink {
    details_bytes: Bytes,
    details: DeviceDetails,
    account_key: PublicKey,
    account_signature: [u8; 64],
}

/// Checks the container of `pair-success`.
///
/// The account key comes out of the same blob, so only HMAC and signature together bind it: both are always checked.
///
/// # Errors
/// [`AdvError`]; [`AdvError::reply`] gives the answer to the server. Never continue after one.
pub fn accept_link(
    container: &[u8],
    adv_secret: &Secret<32>,
    identity: &PublicKey,
) -> Result<AcceptedLink, AdvError> {
    if container.is_empty() || container.len() > MAX_DEVICE_IDENTITY {
        return Err(AdvError::Size(container.len()));
    }
    let container = AdvSignedDeviceIdentityHmac::decode(container)
        .map_err(|_| AdvError::Undecodable("ADVSignedDeviceIdentityHMAC"))?;
    let signed = container.details.ok_or(AdvError::Missing("container details"))?;
    let expected = container_hmac(adv_secret, Hosting::from_wire(container.account_type), &signed);
    let fits = ct_eq(&expected, container.hmac.as_deref().unwrap_or_default());
    if !fits && !sabotage::on(Rule::LinkHmac) {
        return Err(AdvError::Hmac);
    }

    let parts = parse_signed(&signed)?;
    let details_bytes = parts.details.ok_or(AdvError::Missing("details"))?;
    let details = DeviceDetails::decode(&details_bytes)?;
    let account_key = PublicKey::from_raw(parts.account_signature_key.as_deref().unwrap_or_default())
        .map_err(|_| AdvError::AccountSignature)?;
    // Anybody can sign for a low-order key, and every later agreement with it would be all zero.
    if PrivateKey::from_bytes([0x40; 32]).agree(&account_key).is_err() {
        return Err(AdvError::AccountSignature);
    }
    let account_signature =
        signature(parts.account_signature.as_deref()).ok_or(AdvError::AccountSignature)?;
    verify_account(details.device_type, &details_bytes, identity, &account_key, &account_signature)
        .map_err(|_| AdvError::AccountSignature)?;
    Ok(AcceptedLink { details_bytes, details, account_key, account_signature })
}

pub(super) fn container_hmac(adv_secret: &Secret<32>, account_type: Hosting, signed: &[u8]) -> [u8; 32] {
    match account_type {
        Hosting::EndToEnd => mac::hmac_sha256(adv_secret.expose(), &[signed]),
        Hosting::Hosted => mac::hmac_sha256(adv_secret.expose(), &[&HOSTED_HMAC_PREFIX, signed]),
    }
}

impl AcceptedLink {
    /// What the phone signed.
    pub const fn details(&self) -> &DeviceDetails {
        &self.details
    }

    /// The phone's identity: stored as the identity of the own account's device 0.
    pub const fn account_key(&self) -> &PublicKey {
        &self.account_key
    }

    /// Signs with the companion's identity.
    pub fn sign(self, identity: &KeyPair, rng: &mut impl CryptoRng) -> SignedDevice {
        self.sign_with(identity, &Secret::random(rng))
    }

    /// [`Self::sign`] with the given 64 random bytes: what vectors need.
    pub fn sign_with(self, identity: &KeyPair, random: &Secret<64>) -> SignedDevice {
        let message: [&[u8]; 4] = [
            &OWN_DEVICE_PREFIX,
            &self.details_bytes,
            identity.public().as_bytes(),
            self.account_key.as_bytes(),
        ];
        let device_signature = xeddsa::sign_with(identity.private(), &message, random);
        SignedDevice {
            details: self.details_bytes,
            account_key: Some(self.account_key),
            account_signature: self.account_signature,
            device_signature,
        }
    }
}
