//! `passkey`: both sides of the passkey step (chapter 02 §5).

use anyhow::{Context, Result, ensure};
use wa_core::passkey::{Companion, CompanionKeys, Primary, handoff_key, handoff_proof, request_salt};
use wa_crypto::Secret;
use wa_crypto::curve::{KeyPair, PrivateKey, PublicKey};

use crate::{Reader, VectorFile, same, same_bytes};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("cases", exchange)
}

fn exchange(case: &Reader<'_>) -> Result<()> {
    case.prose("name")?;
    case.prose("note")?;
    let device_type = i32::try_from(case.i64("device_type")?).context("device type")?;
    let reference = case.str("ref")?;
    let companion_ephemeral = pair(case, "companion_ephemeral")?;
    let primary_ephemeral = pair(case, "primary_ephemeral")?;
    let companion_nonce: [u8; 32] = case.hex_array("companion_nonce")?;
    let primary_nonce: [u8; 32] = case.hex_array("primary_nonce")?;

    let companion = Companion::with_secrets(
        device_type,
        reference.to_owned(),
        companion_ephemeral,
        Secret::new(companion_nonce),
    );
    same_bytes("companion identity", companion.identity(), case.hex("companion_ephemeral_identity")?)?;
    same_bytes("commitment", companion.commitment(), case.hex("commitment_hash")?)?;
    let prologue = case.hex("prologue_payload")?;
    same_bytes("prologue", companion.prologue(), &prologue)?;

    let handoff = handoff_key(&Secret::new(case.hex_array("old_adv_secret")?));
    same_bytes("handoff key", handoff.expose(), case.hex("handoff_key")?)?;
    same_bytes("handoff proof", handoff_proof(&handoff, &prologue), case.hex("pairing_handoff_proof")?)?;

    let primary = Primary::with_secrets(&prologue, primary_ephemeral, Secret::new(primary_nonce))?;
    let primary_identity = case.hex("primary_ephemeral_identity")?;
    same_bytes("primary identity", primary.identity(), &primary_identity)?;

    let continued = companion.resume(&primary_identity)?;
    let revealed = primary.reveal(continued.nonce())?;
    let code = case.str("verification_code")?;
    same("the companion's code", continued.code().as_str(), code)?;
    same("the phone's code", revealed.code().as_str(), code)?;
    let display = case.str("verification_code_display")?;
    same("display", continued.code().to_string().as_str(), display)?;
    same("salt", request_salt(device_type, reference).as_str(), case.str("hkdf_salt_text")?)?;
    same_bytes("key", continued.key().expose(), case.hex("encryption_key")?)?;

    let keys = CompanionKeys {
        noise: PublicKey::from_bytes(case.hex_array("noise_public")?),
        identity: PublicKey::from_bytes(case.hex_array("identity_public")?),
        adv_secret: Secret::new(case.hex_array("new_adv_secret")?),
    };
    same_bytes("request", keys.encode(), case.hex("pairing_request")?)?;
    let sealed = case.hex("encrypted_pairing_request")?;
    same_bytes("sealed request", continued.request(&keys, case.hex_array("iv")?)?, &sealed)?;
    let opened = revealed.open(&sealed)?;
    same("ref", opened.reference.as_str(), reference)?;
    same_bytes("opened request", opened.keys.encode(), keys.encode())?;

    let mut other = companion_nonce;
    other[0] ^= 1;
    ensure!(primary.reveal(&other).is_err(), "a nonce without commitment was accepted");
    Ok(())
}

fn pair(case: &Reader<'_>, name: &str) -> Result<KeyPair> {
    let pair = KeyPair::from(PrivateKey::from_bytes(case.hex_array(&format!("{name}_private"))?));
    same_bytes(name, pair.public().as_bytes(), case.hex(&format!("{name}_public"))?)?;
    Ok(pair)
}
