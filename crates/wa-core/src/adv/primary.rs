//! The phone's side of a link and the server's check of the companion's answer (chapter 02 §3.6 steps 3, 4 and 7).

use bytes::Bytes;
use prost::Message as _;
use rand_core::CryptoRng;
use wa_crypto::curve::{KeyPair, PublicKey};
use wa_crypto::{Secret, xeddsa};
use wa_proto::adv::{AdvSignedDeviceIdentity, AdvSignedDeviceIdentityHmac};

use crate::sabotage::{self, Rule};

use super::companion::container_hmac;
use super::{
    AdvError, DeviceDetails, MAX_DEVICE_IDENTITY, OWN_DEVICE_PREFIX, SignedDevice, parse_signed, signature,
    verify_own_device,
};

/// A link that the phone has signed and the companion has not yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedLink {
    /// `ADVSignedDeviceIdentityHMAC`, for `pair-success`.
    pub container: Bytes,
    /// `ADVDeviceIdentity` as signed.
    pub details: Bytes,
    /// The phone's identity.
    pub account_key: PublicKey,
    /// Over the details and the companion's identity.
    pub account_signature: [u8; 64],
    /// The companion's identity.
    pub identity: PublicKey,
    /// What `pair-device-sign` must repeat.
    pub key_index: u32,
}

/// Signs a companion's identity with the account key and seals it for the holder of the ADV secret.
pub fn issue_link(
    account: &KeyPair,
    details: &DeviceDetails,
    identity: &PublicKey,
    adv_secret: &Secret<32>,
    rng: &mut impl CryptoRng,
) -> IssuedLink {
    let details_bytes = details.encode();
    let prefix = details.device_type.account_prefix();
    let account_signature =
        xeddsa::sign(account.private(), &[&prefix, &details_bytes, identity.as_bytes()], rng);
    let signed: Bytes = AdvSignedDeviceIdentity {
        details: Some(details_bytes.clone()),
        account_signature_key: Some(Bytes::copy_from_slice(account.public().as_bytes())),
        account_signature: Some(Bytes::copy_from_slice(&account_signature)),
        device_signature: None,
    }
    .encode_to_vec()
    .into();
    let hmac = container_hmac(adv_secret, details.account_type, &signed);
    let container = AdvSignedDeviceIdentityHmac {
        details: Some(signed),
        hmac: Some(Bytes::copy_from_slice(&hmac)),
        account_type: details.account_type.to_wire(),
    };
    IssuedLink {
        container: container.encode_to_vec().into(),
        details: details_bytes,
        account_key: *account.public(),
        account_signature,
        identity: *identity,
        key_index: details.key_index,
    }
}

/// Checks `pair-device-sign`: key index, unchanged details and account signature, device signature. Gives the complete
/// identity, account key included, for bundles and messages of the device.
///
/// # Errors
/// [`AdvError`]: the link must not be completed.
pub fn check_link_answer(
    issued: &IssuedLink,
    key_index: u32,
    device_identity: &[u8],
) -> Result<SignedDevice, AdvError> {
    let content_counts = !sabotage::on(Rule::IssuedContent);
    if key_index != issued.key_index && content_counts {
        return Err(AdvError::KeyIndex { expected: issued.key_index, found: key_index });
    }
    if device_identity.is_empty() || device_identity.len() > MAX_DEVICE_IDENTITY {
        return Err(AdvError::Size(device_identity.len()));
    }
    let parts = parse_signed(device_identity)?;
    if parts.details.as_ref() != Some(&issued.details) && content_counts {
        return Err(AdvError::Altered("details"));
    }
    if parts.account_signature.as_deref() != Some(issued.account_signature.as_slice()) && content_counts {
        return Err(AdvError::Altered("the account signature"));
    }
    let device_signature = signature(parts.device_signature.as_deref()).ok_or(AdvError::DeviceSignature)?;
    verify_own_device(
        OWN_DEVICE_PREFIX,
        &issued.details,
        &issued.identity,
        &issued.account_key,
        &device_signature,
    )
    .map_err(|_| AdvError::DeviceSignature)?;
    Ok(SignedDevice {
        details: issued.details.clone(),
        account_key: Some(issued.account_key),
        account_signature: issued.account_signature,
        device_signature,
    })
}
