//! `adv`: key-index lists, the check of other devices' identities, and the companion's side of a link (chapter 02 §2,
//! §3.4, §3.7).

use anyhow::{Result, bail, ensure};
use wa_core::adv::IssuedLink;
use wa_core::adv::{
    DeviceCheck, DeviceDetails, Hosting, KeyIndexList, SignedDevice, accept_link, check_device,
    check_link_answer,
};
use wa_crypto::Secret;
use wa_crypto::curve::{KeyPair, PrivateKey, PublicKey};

use crate::{Reader, VectorFile, same, same_bytes};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("key_index_lists", key_index_list)?;
    file.section("bundle_checks", bundle_check)?;
    file.section("cases", link)
}

fn key_index_list(case: &Reader<'_>) -> Result<()> {
    case.prose("name")?;
    case.prose("note")?;
    let account = KeyPair::from(PrivateKey::from_bytes(case.hex_array("account_private")?));
    same_bytes("account key", account.public().as_bytes(), case.hex("account_public")?)?;
    let list = KeyIndexList {
        raw_id: case.u32("raw_id")?,
        timestamp: case.u64("timestamp")?,
        current_index: case.u32("current_index")?,
        valid_indexes: case
            .list("valid_indexes")?
            .iter()
            .map(|index| Ok(u32::try_from(index.as_u64()?)?))
            .collect::<Result<_>>()?,
        account_type: if case.bool("hosted")? { Hosting::Hosted } else { Hosting::EndToEnd },
    };
    let signed = list.sign_with(&account, &Secret::new(case.hex_array("random")?));
    same_bytes("details", &signed.details, case.hex("details")?)?;
    same_bytes("signature", signed.signature, case.hex("signature")?)?;
    let blob = case.hex("signed_key_index_list")?;
    same_bytes("signed list", signed.encode(), &blob)?;
    same("verified list", KeyIndexList::verify(&blob, Some(account.public()))?, list.clone())?;

    // The same list under another key or with a changed byte must not pass.
    let other = PrivateKey::from_bytes([0x55; 32]).public_key();
    ensure!(KeyIndexList::verify(&blob, Some(&other)).is_err(), "verified under another account key");
    let mut bent = blob.clone();
    if let Some(last) = bent.last_mut() {
        *last ^= 1;
    }
    ensure!(KeyIndexList::verify(&bent, Some(account.public())).is_err(), "verified with a bent signature");
    Ok(())
}

fn bundle_check(case: &Reader<'_>) -> Result<()> {
    case.prose("name")?;
    case.prose("note")?;
    let blob = case.hex("signed_device_identity")?;
    let identity = PublicKey::from_raw(&case.hex("identity_key")?)?;
    let account_key = case.opt_hex("account_key")?.map(|key| PublicKey::from_raw(&key)).transpose()?;
    let found = match check_device(&blob, &identity, account_key.as_ref()) {
        Ok(DeviceCheck::Valid { account_key: by }) => {
            if let Some(stored) = account_key {
                same("account key", by, stored)?;
            }
            "valid"
        }
        Ok(DeviceCheck::Unverifiable) => "unverifiable",
        Err(_) => "invalid",
    };
    same("outcome", found, case.str("expect")?)
}

fn link(case: &Reader<'_>) -> Result<()> {
    case.prose("name")?;
    case.prose("note")?;
    let container = case.hex("container")?;
    let secret = Secret::new(case.hex_array("adv_secret")?);
    let companion = KeyPair::from(PrivateKey::from_bytes(case.hex_array("companion_identity_private")?));
    same_bytes("companion identity", companion.public().as_bytes(), case.hex("companion_identity_public")?)?;
    let accepted = accept_link(&container, &secret, companion.public());
    match case.str("expect")? {
        "ok" => {}
        "error" => {
            let Err(error) = accepted else { bail!("accepted, expected an error") };
            let (code, text) = error.reply();
            same("error code", u64::from(code), case.u64("error_code")?)?;
            return same("error text", text, case.str("error_text")?);
        }
        other => bail!("unknown expectation {other}"),
    }

    let accepted = accepted?;
    let key_index = case.u32("key_index")?;
    same("key index", accepted.details().key_index, key_index)?;
    let account_key: [u8; 32] = case.hex_array("account_signature_key")?;
    same_bytes("account key", accepted.account_key().as_bytes(), account_key)?;
    let random = Secret::new(case.hex_array("device_signature_random")?);
    let signed = accepted.sign_with(&companion, &random);
    same_bytes("details", &signed.details, case.hex("details")?)?;
    same_bytes("account signature", signed.account_signature, case.hex("account_signature")?)?;
    same_bytes("device signature", signed.device_signature, case.hex("device_signature")?)?;
    let answer = case.hex("pair_device_sign_payload")?;
    same_bytes("answer", signed.encode_without_account_key(), &answer)?;
    let stored = case.hex("stored_account")?;
    same_bytes("stored account", signed.encode(), &stored)?;
    same("stored account read back", SignedDevice::decode(&stored)?, signed.clone())?;
    same("details", signed.device_details()?, DeviceDetails::decode(&signed.details)?)?;

    // The server's side of the same link.
    let issued = IssuedLink {
        container: container.into(),
        details: signed.details.clone(),
        account_key: PublicKey::from_bytes(account_key),
        account_signature: signed.account_signature,
        identity: *companion.public(),
        key_index,
    };
    same("the server's check", check_link_answer(&issued, key_index, &answer)?, signed)
}
