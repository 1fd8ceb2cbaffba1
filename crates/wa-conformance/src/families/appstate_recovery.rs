//! `appstate-recovery`: the phone's plain snapshots (chapter 07 §7.6).

use anyhow::{Context, Result, ensure};
use wa_core::app_state::{Collection, recovery};

use super::appstate_fields::{Device, keys};
use crate::{Reader, VectorFile, same};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("cases", case)
}

fn case(case: &Reader<'_>) -> Result<()> {
    case.prose("name")?;
    case.prose("note")?;
    // Which collection it is comes out of the blob; no MAC depends on it.
    let mut device = Device::new(Collection::Regular, keys(&case.list("keys")?)?);
    let local = case.u64("local_version")?;
    let blob = case.base64("collection_snapshot_b64")?;
    let outcome = recovery::read(&blob, case.bool("is_compressed")?, local, &device.ring);
    let expect = case.field("expect")?;
    let error = outcome.as_ref().err().map(wa_core::app_state::AppStateError::name);
    same("error", error, expect.opt_str("error")?)?;
    let Ok(recovered) = outcome else { return Ok(()) };
    let recovered = recovered.context("the snapshot was skipped")?;
    ensure!(recovered.hash_fits, "the records do not add up to the hash");
    ensure!(Collection::from_name(&recovered.collection).is_some(), "unknown collection");
    device.commit(&recovered.applied, true);
    device.compare(&expect)
}
