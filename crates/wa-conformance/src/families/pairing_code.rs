//! `pairing-code`: the code's alphabet and normalisation, and both sides of the exchange behind it (chapter 02 §4).

use anyhow::{Result, ensure};
use wa_core::pairing_code::{
    ALPHABET, BundleRandom, Companion, PairingCode, Primary, WrapRandom, unwrap_key,
};
use wa_crypto::Secret;
use wa_crypto::curve::{KeyPair, PrivateKey};
use wa_crypto::kdf;

use crate::{Reader, VectorFile, same, same_bytes};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    if let Some(alphabet) = file.top().opt_str("alphabet")? {
        same_bytes("alphabet", ALPHABET, alphabet)?;
    }
    file.section("encoding", encoding)?;
    file.section("normalisation_of_custom_codes", normalisation)?;
    file.section("cases", exchange)
}

fn encoding(case: &Reader<'_>) -> Result<()> {
    case.prose("name")?;
    same("code", PairingCode::from_bytes(case.hex_array("bytes")?).as_str(), case.str("code")?)
}

fn normalisation(case: &Reader<'_>) -> Result<()> {
    case.prose("name")?;
    case.prose("note")?;
    let found = PairingCode::parse(case.str("input")?);
    let found = found.as_ref().map_or("error", PairingCode::as_str);
    same("code", found, case.str("expect")?)
}

fn exchange(case: &Reader<'_>) -> Result<()> {
    case.prose("name")?;
    case.prose("note")?;
    let code = PairingCode::parse(case.str("code")?)?;
    same("display", code.to_string().as_str(), case.str("display")?)?;
    // Says where the code came from; it changes nothing.
    case.opt_bool("custom")?;

    let companion_ephemeral = pair(case, "companion_ephemeral")?;
    let companion_identity = pair(case, "companion_identity")?;
    let primary_ephemeral = pair(case, "primary_ephemeral")?;
    let primary_identity = pair(case, "primary_identity")?;
    let companion_wrap =
        WrapRandom { salt: case.hex_array("companion_salt")?, iv: case.hex_array("companion_iv")? };
    let primary_wrap =
        WrapRandom { salt: case.hex_array("primary_salt")?, iv: case.hex_array("primary_iv")? };
    same_bytes(
        "companion code key",
        code.key(&companion_wrap.salt).expose(),
        case.hex("companion_code_key")?,
    )?;
    same_bytes("primary code key", code.key(&primary_wrap.salt).expose(), case.hex("primary_code_key")?)?;

    let companion = Companion::with_ephemeral(code.clone(), companion_ephemeral.clone());
    let wrapped_companion = case.hex("wrapped_companion_ephemeral_pub")?;
    same_bytes("wrapped companion key", companion.hello(&companion_wrap), &wrapped_companion)?;
    same("unwrapped companion key", unwrap_key(&code, &wrapped_companion)?, *companion_ephemeral.public())?;

    let primary = Primary::new(&code, &wrapped_companion, &primary_ephemeral, &primary_wrap)?;
    let wrapped_primary = case.hex("wrapped_primary_ephemeral_pub")?;
    same_bytes("wrapped primary key", primary.hello(), &wrapped_primary)?;

    let ephemeral_shared = companion_ephemeral.agree(primary_ephemeral.public())?;
    same_bytes("ephemeral agreement", ephemeral_shared.expose(), case.hex("ephemeral_shared")?)?;
    let identity_shared = companion_identity.agree(primary_identity.public())?;
    same_bytes("identity agreement", identity_shared.expose(), case.hex("identity_shared")?)?;

    let random = BundleRandom {
        salt: case.hex_array("bundle_salt")?,
        iv: case.hex_array("bundle_iv")?,
        part: Secret::new(case.hex_array("bundle_random")?),
    };
    let bundle_key: Secret<32> =
        kdf::hkdf(&random.salt, ephemeral_shared.expose(), b"link_code_pairing_key_bundle_encryption_key");
    same_bytes("bundle key", bundle_key.expose(), case.hex("bundle_key")?)?;
    let plaintext = [
        &companion_identity.public().as_bytes()[..],
        primary_identity.public().as_bytes(),
        random.part.expose(),
    ]
    .concat();
    same_bytes("bundle", plaintext, case.hex("bundle_plaintext")?)?;

    let finish = companion.finish(
        &companion_identity,
        &wrapped_primary,
        primary_identity.public().as_bytes(),
        &random,
    )?;
    let wrapped_bundle = case.hex("wrapped_key_bundle")?;
    same_bytes("wrapped bundle", finish.wrapped_bundle, &wrapped_bundle)?;
    let secret = case.hex("adv_secret")?;
    same_bytes("the companion's ADV secret", finish.adv_secret.expose(), &secret)?;

    let identity = companion_identity.public().as_bytes();
    let opened = primary.finish(&primary_identity, identity, &wrapped_bundle)?;
    same_bytes("the phone's ADV secret", opened.expose(), &secret)?;
    let mut bent = wrapped_bundle;
    bent[50] ^= 1;
    ensure!(primary.finish(&primary_identity, identity, &bent).is_err(), "a bent bundle opened");
    Ok(())
}

fn pair(case: &Reader<'_>, name: &str) -> Result<KeyPair> {
    let pair = KeyPair::from(PrivateKey::from_bytes(case.hex_array(&format!("{name}_private"))?));
    same_bytes(name, pair.public().as_bytes(), case.hex(&format!("{name}_public"))?)?;
    Ok(pair)
}
