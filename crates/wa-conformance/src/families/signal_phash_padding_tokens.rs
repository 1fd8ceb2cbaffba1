//! `signal-phash-padding-tokens`: participant hash, padding, and the ages of privacy tokens (chapter 04 §12, §20).

use anyhow::{Context, Result};
use wa_binary::Jid;
use wa_core::envelope::padding::{self, PaddingError};
use wa_core::envelope::phash;
use wa_core::tokens::privacy::{Buckets, cs_token};

use crate::{Reader, VectorFile, same, same_bytes};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("phash", |case| participant_hash(case, "phash"))?;
    file.section("padding.valid", valid_padding)?;
    file.section("padding.invalid", |case| {
        case.prose("why")?;
        refused_padding(&case.hex("padded")?)
    })?;
    file.section("cstoken", |case| {
        let recipient = case.str("recipient_lid")?.parse()?;
        same_bytes("cstoken", cs_token(&case.hex("nct_salt")?, &recipient), case.hex("cstoken")?)
    })?;
    file.section("tctoken", |case| {
        let (now, time) = (case.u64("now")?, case.opt_u64("timestamp")?);
        let buckets = Buckets::default();
        same("expired", buckets.is_expired(time, now), case.bool("token_expired")?)?;
        same("issue", buckets.is_issue_due(time, now), case.bool("issue_new")?)
    })
}

/// The hash of a case's devices, in the given order and reversed.
pub(super) fn participant_hash(case: &Reader<'_>, expect: &str) -> Result<()> {
    let mut devices = Vec::new();
    for device in case.list("devices")? {
        devices.push(device.as_str()?.parse::<Jid>()?);
    }
    let expect = case.str(expect)?;
    same("phash", &*phash(&devices), expect)?;
    same("phash of the reversed list", &*phash(devices.iter().rev()), expect)
}

/// Padding that is refused, for the reason that the bytes show.
pub(super) fn refused_padding(padded: &[u8]) -> Result<()> {
    let expected = match padded.last().copied() {
        None => PaddingError::Empty,
        Some(stated) if stated == 0 || usize::from(stated) > padded.len() => {
            PaddingError::Length { stated, length: padded.len() }
        }
        Some(_) => PaddingError::Unequal,
    };
    same("outcome", padding::unpad(padded), Err(expected))
}

fn valid_padding(case: &Reader<'_>) -> Result<()> {
    let (plaintext, expected) = (case.hex("plaintext")?, case.hex("padded")?);
    let length = u8::try_from(case.u64("pad_length")?)?;
    let mut padded = plaintext.clone();
    padding::pad_by(&mut padded, padding::PadLength::new(length).context("padding of no bytes")?);
    same_bytes("padded", &padded, &expected)?;
    same_bytes("plaintext", padding::unpad(&expected)?, plaintext)
}
