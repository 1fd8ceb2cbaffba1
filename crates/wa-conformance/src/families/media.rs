//! `media`: sealed files, sidecars, ranges, media retry, sticker packs, addresses, waveforms (chapter 06).

use anyhow::{Context, Result, bail, ensure};
use wa_crypto::digest::sha256;
use wa_media::{
    ByteRange, Expected, MediaError, MediaKey, MediaKeys, MediaKind, Opener, Part, RetryResult, Sealer,
    Sidecar, first_frame_sidecar, open, open_retry_notification, open_retry_request, seal,
    seal_retry_plaintext, sticker_pack, url, waveform,
};

use crate::{Reader, VectorFile, same, same_bytes};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("media", media)?;
    file.section("first_frame", first_frame)?;
    file.section("media_bad", media_bad)?;
    file.section("range", range)?;
    file.section("media_retry", media_retry)?;
    file.section("media_retry_bad", media_retry_bad)?;
    file.section("sticker_pack_zip", sticker_pack_zip)?;
    file.section("upload_url", upload_url)?;
    file.section("waveform", waveform_case)
}

/// The fields that every case has for its reader's eyes.
fn head(case: &Reader<'_>) -> Result<()> {
    case.prose("id")?;
    case.prose("note")?;
    case.prose("checked_with")
}

fn kind(case: &Reader<'_>) -> Result<MediaKind> {
    let name = case.str("media_type")?;
    MediaKind::from_name(name).with_context(|| format!("unknown media type {name}"))
}

fn keys(case: &Reader<'_>) -> Result<MediaKeys> {
    Ok(MediaKey::from_slice(&case.hex("media_key")?)?.derive(kind(case)?))
}

/// A file's content: given, or made by the generator that the file describes.
fn content(source: &Reader<'_>) -> Result<Vec<u8>> {
    if let Some(bytes) = source.opt_hex("bytes")? {
        return Ok(bytes);
    }
    if let Some(generator) = source.opt_str("generator")? {
        ensure!(generator == "lcg32", "unknown generator {generator}");
    }
    let mut state = source.u32("seed")?;
    let content: Vec<u8> = (0..source.u64("length")?)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    if let Some(hash) = source.opt_hex("sha256")? {
        same_bytes("hash of the generated content", sha256(&[&content]), hash)?;
    }
    Ok(content)
}

fn media(case: &Reader<'_>) -> Result<()> {
    head(case)?;
    let kind = kind(case)?;
    same("HKDF info", kind.hkdf_info(), case.str("hkdf_info")?)?;
    let keys = keys(case)?;
    let derived = case.field("derived")?;
    same_bytes("iv", keys.iv(), derived.hex("iv")?)?;
    same_bytes("cipher key", keys.cipher_key(), derived.hex("cipher_key")?)?;
    same_bytes("MAC key", keys.mac_key(), derived.hex("mac_key")?)?;
    same_bytes("reference key", keys.reference_key(), derived.hex("ref_key")?)?;

    let plaintext = content(&case.field("plaintext")?)?;
    let (sealed, file) = seal(&keys, &plaintext, Sidecar::Streaming);
    let enc = case.field("enc")?;
    same("sealed length", sealed.len() as u64, enc.u64("length")?)?;
    same("announced length", file.sealed_length, sealed.len() as u64)?;
    same("file length", file.file_length, plaintext.len() as u64)?;
    let (first, last) = (enc.hex("first32")?, enc.hex("last32")?);
    same_bytes("first bytes", &sealed[..first.len().min(sealed.len())], &first)?;
    same_bytes("last bytes", &sealed[sealed.len() - last.len().min(sealed.len())..], &last)?;
    same_bytes("MAC", &sealed[sealed.len() - 10..], enc.hex("mac10")?)?;
    same_bytes("hash of the sealed file", sha256(&[&sealed]), enc.hex("sha256")?)?;
    if let Some(bytes) = enc.opt_hex("bytes")? {
        same_bytes("sealed file", &sealed, bytes)?;
    }
    same_bytes("fileSha256", file.file_sha256, case.hex("file_sha256")?)?;
    same_bytes("fileEncSha256", file.file_enc_sha256, case.hex("file_enc_sha256")?)?;
    same("token", url::token(&file.file_enc_sha256).as_str(), case.str("file_enc_sha256_b64url")?)?;
    same_bytes("sidecar", &file.sidecar, case.hex("streaming_sidecar")?)?;
    same("sidecar entries", file.sidecar.len() as u64 / 10, case.u64("sidecar_entries")?)?;

    // In uneven pieces, both ways, and part by part.
    let (mut sealer, mut in_pieces) = (Sealer::new(&keys, Sidecar::Streaming), Vec::new());
    plaintext.chunks(4999).for_each(|piece| sealer.update(piece, &mut in_pieces));
    same("what the pieces say", &sealer.finish(&mut in_pieces), &file)?;
    same_bytes("sealed in pieces", &in_pieces, &sealed)?;
    let expected = Expected::from(&file);
    same_bytes("opened", open(&keys, &expected, &sealed)?, &plaintext)?;
    let (mut opener, mut opened) = (Opener::new(&keys, &expected), Vec::new());
    sealed.chunks(3001).try_for_each(|piece| opener.update(piece, &mut opened))?;
    opener.finish(&mut opened)?;
    same_bytes("opened in pieces", opened, &plaintext)?;
    let mut parts = Vec::new();
    for index in 0..Part::count(file.file_length) {
        let part = Part::new(index, file.file_length)?;
        let fetch = part.fetch();
        let fetched = &sealed[fetch.start as usize..fetch.end as usize];
        parts.extend(part.open(&keys, fetched, &file.sidecar)?);
    }
    same_bytes("opened by parts", parts, &plaintext)
}

fn first_frame(case: &Reader<'_>) -> Result<()> {
    head(case)?;
    let (keys, plaintext) = (keys(case)?, content(&case.field("plaintext")?)?);
    let len = case.u64("first_frame_length")?;
    same("aligned length", len.div_ceil(16) * 16, case.u64("aligned_length")?)?;
    let expected = case.hex("first_frame_sidecar")?;
    let (sealed, file) = seal(&keys, &plaintext, Sidecar::FirstFrame { len });
    same_bytes("sidecar", file.sidecar, &expected)?;
    same_bytes("sidecar of the sealed file", first_frame_sidecar(&keys, &sealed, len)?, &expected)
}

fn media_bad(case: &Reader<'_>) -> Result<()> {
    head(case)?;
    let class = case.str("expect_error")?;
    let kind = kind(case)?;
    let sealed = case.hex("enc")?;
    let hash = |name| case.opt(name)?.map(|it| it.as_hex_array::<32>()).transpose();
    let expected = Expected {
        file_sha256: hash("expected_file_sha256")?,
        file_enc_sha256: hash("expected_file_enc_sha256")?,
        limit: None,
    };
    let found = MediaKey::from_slice(&case.hex("media_key")?)
        .and_then(|key| open(&key.derive(kind), &expected, &sealed));
    let Err(error) = found else { bail!("opened in spite of {class}") };
    let found = match error {
        MediaError::Mac => "mac",
        MediaError::TooShort(_) => "too_short",
        MediaError::BlockLength(_) => "not_block_multiple",
        MediaError::Padding => "padding",
        MediaError::SealedHash => "enc_hash",
        MediaError::PlaintextHash => "plain_hash",
        MediaError::KeyLength(_) => "key_length",
        other => bail!("unexpected error {other}"),
    };
    // Who checks the MAC first may report it where the named fault comes with a wrong MAC.
    ensure!(found == class || found == "mac", "refused as {found} instead of {class}");
    Ok(())
}

fn range(case: &Reader<'_>) -> Result<()> {
    head(case)?;
    let (keys, plaintext) = (keys(case)?, content(&case.field("plaintext")?)?);
    let (sealed, _) = seal(&keys, &plaintext, Sidecar::None);
    let range = ByteRange::new(case.u64("start")?..case.u64("end_exclusive")?, plaintext.len() as u64)?;
    let fetch = range.fetch();
    same("start of the fetch", fetch.start, case.u64("fetch_from_cipher_offset")?)?;
    same("previous block is the IV", range.previous_block_is_iv(), case.bool("iv_is_previous_block")?)?;
    let opened = range.open(&keys, &sealed[fetch.start as usize..fetch.end as usize])?;
    same_bytes("hash of the range", sha256(&[&opened]), case.hex("expect_sha256")?)
}

fn media_retry(case: &Reader<'_>) -> Result<()> {
    head(case)?;
    let key = MediaKey::from_slice(&case.hex("media_key")?)?;
    same_bytes("retry key", key.expose_retry_key(), case.hex("retry_key")?)?;
    let id = case.str("message_id")?;
    let request = case.field("request")?;
    let (iv, ciphertext) = retry_seal(&request, &key, id)?;
    open_retry_request(&key, id, &iv, &ciphertext)?;

    let notification = case.field("notification")?;
    let (iv, ciphertext) = retry_seal(&notification, &key, id)?;
    let outcome = open_retry_notification(&key, id, &iv, &ciphertext)?;
    let code = i32::try_from(notification.i64("result")?)?;
    same("result", outcome.result, RetryResult::from_code(code))?;
    same("result code", outcome.result.code(), code)?;
    notification.prose("result_name")?;
    same("direct path", outcome.direct_path.as_deref(), notification.opt_str("direct_path")?)
}

/// Seals the case's plaintext and compares; gives what was sealed.
fn retry_seal(part: &Reader<'_>, key: &MediaKey, id: &str) -> Result<([u8; 12], Vec<u8>)> {
    let iv = part.hex_array("iv")?;
    let sealed = seal_retry_plaintext(key, id, iv, part.hex("plaintext")?)?;
    let expected = part.hex("ciphertext_and_tag")?;
    same_bytes("sealed retry", sealed.ciphertext, &expected)?;
    Ok((iv, expected))
}

fn media_retry_bad(case: &Reader<'_>) -> Result<()> {
    head(case)?;
    let key = MediaKey::from_slice(&case.hex("media_key")?)?;
    let id = case.str("message_id")?;
    let (iv, ciphertext) = (case.hex("iv")?, case.hex("ciphertext_and_tag")?);
    let class = case.str("expect_error")?;
    match open_retry_notification(&key, id, &iv, &ciphertext) {
        Ok(_) => bail!("opened in spite of {class}"),
        Err(MediaError::RetryIv(_)) => same("class", "iv_length", class),
        Err(MediaError::RetrySeal) => same("class", "aead", class),
        Err(_) => Ok(()),
    }
}

fn sticker_pack_zip(case: &Reader<'_>) -> Result<()> {
    head(case)?;
    let archive = case.hex("zip")?;
    same_bytes("hash of the zip", sha256(&[&archive]), case.hex("sha256")?)?;
    let expected = case
        .nonempty_list("entries")?
        .iter()
        .map(|entry| {
            Ok(sticker_pack::PackFile { name: entry.str("file_name")?.to_owned(), content: content(entry)? })
        })
        .collect::<Result<Vec<_>>>()?;
    let limits = sticker_pack::PackLimits::default();
    same("files of the zip", &sticker_pack::read(&archive, limits)?, &expected)?;
    same("files of our own zip", &sticker_pack::read(&sticker_pack::write(&expected)?, limits)?, &expected)
}

fn upload_url(case: &Reader<'_>) -> Result<()> {
    head(case)?;
    let found = url::upload(
        case.str("host")?,
        case.str("path")?,
        case.str("auth")?,
        &case.hex_array("hash")?,
        url::UploadStep::Whole,
        None,
    );
    same("address", found.as_str(), case.str("url")?)
}

fn waveform_case(case: &Reader<'_>) -> Result<()> {
    head(case)?;
    let samples = case.field("samples")?;
    let len = samples.u64("length")?;
    let samples: Vec<f32> = match samples.str("kind")? {
        "zero" => vec![0.0; usize::try_from(len)?],
        "ramp i/len" => (0..len).map(|index| index as f32 / len as f32).collect(),
        other => bail!("unknown samples {other}"),
    };
    let expected = case.hex("waveform")?;
    let tolerance = u8::try_from(case.u64("tolerance")?)?;
    let found = waveform(&samples).context("no waveform")?;
    same("number of bars", found.len(), expected.len())?;
    for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
        ensure!(found.abs_diff(*expected) <= tolerance, "bar {at}: {found}, expected {expected}");
    }
    Ok(())
}
