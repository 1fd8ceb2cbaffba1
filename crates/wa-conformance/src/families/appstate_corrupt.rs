//! `appstate-corrupt`: damaged patches and snapshots, each with the error it must give and the state it must leave
//! (chapter 07 §11).

use anyhow::{Result, bail, ensure};
use prost::Message as _;
use wa_core::app_state::{AppStateError, Applied, LtHash, PatchPolicy};
use wa_proto::app_state::SyncdPatch;

use super::appstate_fields::{Device, collection, external, keys};
use crate::{Reader, VectorFile, same};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    let top = file.top();
    let empty = Device::new(collection(&top)?, keys(&top.list("keys")?)?);
    for key in keys(&top.list("absent_keys")?)? {
        ensure!(empty.ring.key(&key.id).is_none(), "an absent key is present");
    }
    let mut device = empty.clone();
    for step in top.list("setup")? {
        device.step(&step)?;
    }
    device.compare(&top.field("state_before")?)?;
    let valid = device.patch(&top.base64("valid_patch_b64")?, None, PatchPolicy::Strict)?;
    let mut after = device.clone();
    after.commit(&valid.ok_or_else(|| anyhow::anyhow!("the valid patch was skipped"))?, false);
    after.compare(&top.field("valid_state")?)?;

    file.section("patch_cases", |case| patch(case, &device, &after))?;
    file.section("snapshot_cases", |case| snapshot(case, &empty))?;
    file.section("genesis_cases", |case| genesis(case, &empty))
}

fn patch(case: &Reader<'_>, device: &Device, valid: &Device) -> Result<()> {
    case.prose("name")?;
    case.prose("note")?;
    let input = case.field("input")?;
    same("kind", input.str("kind")?, "patch")?;
    let strict = apply(&input, device, PatchPolicy::Strict)?;
    let tolerant = apply(&input, device, PatchPolicy::Tolerant)?;
    named(case, strict.as_ref().err())?;
    let after = case.field("state_after")?;
    if after.has("default") {
        left(&after.field("strict")?, device, strict)?;
        return diverged(&after.field("default")?, device, valid, tolerant);
    }
    named(case, tolerant.as_ref().err())?;
    left(&after, device, strict)?;
    left(&after, device, tolerant)
}

type Outcome = Result<Option<Applied>, AppStateError>;

fn apply(input: &Reader<'_>, device: &Device, policy: PatchPolicy) -> Result<Outcome> {
    let bytes = input.base64("patch_b64")?;
    let reference = SyncdPatch::decode(bytes.as_slice()).ok().and_then(|patch| patch.external_mutations);
    let content = match reference {
        None => None,
        Some(reference) => match external(input, Some(&reference.encode_to_vec())) {
            Ok(content) => Some(content),
            Err(error) => match error.downcast::<AppStateError>() {
                Ok(error) => return Ok(Err(error)),
                Err(error) => return Err(error),
            },
        },
    };
    Ok(device.patch(&bytes, content.as_deref(), policy))
}

fn snapshot(case: &Reader<'_>, empty: &Device) -> Result<()> {
    case.prose("name")?;
    case.prose("note")?;
    let outcome = empty.snapshot(&case.base64("snapshot_plain_b64")?);
    named(case, outcome.as_ref().err())?;
    left(&case.field("state_after")?, empty, outcome)
}

fn genesis(case: &Reader<'_>, empty: &Device) -> Result<()> {
    case.prose("name")?;
    case.prose("note")?;
    let outcome = empty.patch(&case.base64("patch_b64")?, None, PatchPolicy::Tolerant);
    named(case, outcome.as_ref().err())?;
    if let Some(after) = case.opt("state_after")? {
        left(&after, empty, outcome)?;
    }
    Ok(())
}

/// A patch that was applied although its writer had another sum. The sum must be the one over the own records. A file may
/// give the sum of the undamaged patch instead: its damaged one is encrypted anew and adds up differently.
fn diverged(expect: &Reader<'_>, before: &Device, valid: &Device, outcome: Outcome) -> Result<()> {
    let Some(applied) = outcome? else { bail!("the patch was skipped") };
    let mut device = before.clone();
    device.commit(&applied, false);
    let mut sum = LtHash::EMPTY;
    device.rows.values().for_each(|value_mac| sum.add(value_mac));
    same("sum over the records", &device.head.hash, &sum)?;
    let stated = LtHash::from_bytes(expect.hex_array("lthash_hex")?);
    ensure!(stated == sum || stated == valid.head.hash, "got {sum:?}, expected {stated:?}");
    same("version", device.head.version, expect.u64("version")?)?;
    same("diverged", device.head.diverged, expect.bool("diverged")?)
}

/// The error must bear one of the names; "None" stands for no error.
fn named(case: &Reader<'_>, error: Option<&AppStateError>) -> Result<()> {
    let found = error.map_or("None", AppStateError::name);
    let names = case.nonempty_list("expect_error_any_of")?;
    let names = names.iter().map(Reader::as_str).collect::<Result<Vec<_>>>()?;
    ensure!(names.contains(&found), "got {found}, expected one of {names:?}");
    Ok(())
}

/// The state that the outcome leaves.
fn left(after: &Reader<'_>, before: &Device, outcome: Outcome) -> Result<()> {
    let changed = outcome.ok().flatten();
    if let Some(text) = after.peek().as_str() {
        after.as_str()?;
        ensure!(text.starts_with("unchanged"), "unknown state {text}");
        if changed.is_some() {
            bail!("the state changed");
        }
        return Ok(());
    }
    let mut device = before.clone();
    if let Some(applied) = changed {
        device.commit(&applied, false);
    }
    device.compare(after)
}
