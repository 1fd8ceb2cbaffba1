//! `signal-xeddsa`: signing with given randomness, and verification of genuine and bent signatures (chapter 04 §2).

use anyhow::Result;
use wa_crypto::{Secret, curve::{PrivateKey, PublicKey}, xeddsa};

use crate::{Reader, VectorFile, same, same_bytes};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("sign", sign)?;
    file.section("verify", verify)
}

fn sign(case: &Reader<'_>) -> Result<()> {
    let private = PrivateKey::from_bytes(case.hex_array("private")?);
    let message = case.hex("message")?;
    let random = Secret::new(case.hex_array("random")?);
    same_bytes("public key", private.public_key().as_bytes(), case.hex("public")?)?;
    let signature = xeddsa::sign_with(&private, &[&message], &random);
    same_bytes("signature", signature, case.hex("signature")?)?;
    Ok(xeddsa::verify(&private.public_key(), &[&message], &signature)?)
}

fn verify(case: &Reader<'_>) -> Result<()> {
    let (message, signature) = (case.hex("message")?, case.hex("signature")?);
    let valid = PublicKey::from_raw(&case.hex("public")?)
        .is_ok_and(|public| xeddsa::verify(&public, &[&message], &signature).is_ok());
    case.prose("note")?;
    same("valid", valid, case.bool("valid")?)
}
