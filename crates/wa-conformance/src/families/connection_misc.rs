//! `connection-misc`: key-bundle digests, QR texts, unified session ids, build hashes and connection headers
//! (chapters 01 §3, §5, §10.1; 02 §3.3, §6.3).

use anyhow::{Result, ensure};
use wa_core::{
    login::{ClientVersion, PlatformId, QrCode, unified_session_id},
    prekeys::{SignedKey, digest},
};
use wa_crypto::{
    Secret,
    curve::{PrivateKey, PublicKey},
    xeddsa,
};
use wa_noise::{FrameDecoder, Header, frame};

use crate::{Reader, VectorFile, same, same_bytes};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("key_bundle_digest", key_bundle_digest)?;
    file.section("qr", qr)?;
    file.section("unified_session", |case| {
        let id = unified_session_id(case.i64("now_ms")?, case.i64("server_offset_ms")?);
        same("id", id.to_string().as_str(), case.str("id")?)
    })?;
    file.section("build_hash", |case| {
        let version: ClientVersion = case.str("version")?.parse()?;
        same_bytes("build hash", version.build_hash(), case.hex("build_hash")?)
    })?;
    file.section("connection_header", connection_header)?;
    file.empty_section("cases")
}

fn key_bundle_digest(case: &Reader<'_>) -> Result<()> {
    case.prose("name")?;
    let identity = PrivateKey::from_bytes(case.hex_array("identity_private")?);
    same_bytes("identity", identity.public_key().as_bytes(), case.hex("identity_public")?)?;
    let signed = SignedKey {
        id: case.u32("signed_prekey_id")?,
        public: PublicKey::from_bytes(case.hex_array("signed_prekey_public")?),
        signature: case.hex_array("signed_prekey_signature")?,
    };
    let random = Secret::new(case.hex_array("signature_random")?);
    let signature = xeddsa::sign_with(&identity, &[&signed.public.serialized()], &random);
    same_bytes("signature", signature, signed.signature)?;
    let mut keys = Vec::new();
    for key in case.list("prekeys")? {
        ensure!(key.u32("id")? > 0, "pre-key id 0");
        keys.push(PublicKey::from_bytes(key.hex_array("public")?));
    }
    same_bytes("digest", digest(&identity.public_key(), &signed, &keys), case.hex("sha1")?)
}

fn qr(case: &Reader<'_>) -> Result<()> {
    case.prose("name")?;
    let platform = case.str("platform")?;
    let code = QrCode {
        reference: case.str("ref")?.to_owned(),
        noise_key: PublicKey::from_bytes(case.hex_array("noise_public")?),
        identity_key: PublicKey::from_bytes(case.hex_array("identity_public")?),
        adv_secret: Secret::new(case.hex_array("adv_secret")?),
        platform: PlatformId::parse(platform)
            .ok_or_else(|| anyhow::anyhow!("unknown platform {platform}"))?,
    };
    let (plain, url) = (case.str("plain")?, case.str("url")?);
    same("plain", code.plain().as_str(), plain)?;
    same("url", code.url().as_str(), url)?;
    same("parsed plain", &QrCode::parse(plain)?, &code)?;
    same("parsed url", &QrCode::parse(url)?, &code)
}

/// The header has no frame behind it in the vector: an empty one is added, and must come out again.
fn connection_header(case: &Reader<'_>) -> Result<()> {
    let routing = case.opt_hex("routing_info")?;
    let header = case.hex("header")?;
    let mut opening = Vec::new();
    frame::write_opening(&mut opening, Header::CURRENT, routing.as_deref(), b"")?;
    same_bytes("header", &opening, [&header[..], &[0, 0, 0]].concat())?;
    let mut decoder = FrameDecoder::new();
    decoder.push(&opening);
    let Some(intro) = decoder.next_intro()? else { anyhow::bail!("the header is not complete") };
    same("parsed header", intro.header, Header::CURRENT)?;
    same("parsed routing bytes", intro.routing_info, routing)?;
    same("frame behind the header", decoder.next_frame()?.map(|frame| frame.to_vec()), Some(Vec::new()))
}
