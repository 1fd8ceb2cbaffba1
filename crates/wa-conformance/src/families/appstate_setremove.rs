//! `appstate-setremove`: SET and REMOVE of one index in one patch, by both kinds of writers (chapter 07 §5.4).

use anyhow::{Context, Result, bail};
use wa_core::app_state::{Operation, PatchPolicy};

use super::appstate_fields::{Device, collection, keys};
use crate::{Reader, VectorFile, same};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("cases", case)
}

fn case(case: &Reader<'_>) -> Result<()> {
    case.prose("name")?;
    case.prose("note")?;
    case.prose("writer_rule")?;
    let mut device = Device::new(collection(case)?, keys(&case.list("keys")?)?);
    for step in case.list("setup")? {
        device.step(&step)?;
    }
    let expect = case.field("expect")?;
    let outcome = device.patch(&case.base64("patch_b64")?, None, PatchPolicy::Strict);
    let error = outcome.as_ref().err().map(wa_core::app_state::AppStateError::name);
    same("error", error, expect.opt_str("error")?)?;
    let Ok(applied) = outcome else { return Ok(()) };
    let applied = applied.context("the patch was skipped")?;
    let order: Vec<&str> = applied
        .mutations
        .iter()
        .map(|mutation| match mutation.mutation.operation {
            Operation::Set => "SET",
            Operation::Remove => "REMOVE",
        })
        .collect();
    same("order", order.join(",").as_str(), case.str("order")?)?;
    device.commit(&applied, false);
    device.compare(&expect)?;
    let Some(mutation) = applied.mutations.first() else { bail!("no mutation") };
    same("record lives", device.rows.contains_key(&mutation.index_mac), expect.bool("record_lives")?)
}
