//! `appstate-mutations`: single records encrypted with a given IV, and read back (chapter 07 §4).

use anyhow::{Context, Result, ensure};
use prost::Message as _;
use wa_core::app_state::mutation::{self, index_mac};
use wa_core::app_state::{ExpandedKeys, KeyRing, Mutation, Operation};
use wa_proto::app_state::SyncdMutation;

use super::appstate_fields::{key, operation, value};
use crate::{Reader, VectorFile, same, same_bytes};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("cases", case)
}

fn case(case: &Reader<'_>) -> Result<()> {
    case.prose("name")?;
    case.prose("note")?;
    let key = key(&case.field("key")?)?;
    let keys = ExpandedKeys::new(&key.data);
    let mutation = Mutation {
        operation: operation(case, "operation")?,
        index: case.str("index_utf8")?.as_bytes().to_vec().into(),
        value: case.opt("value_b64")?.map(|field| field.as_base64()).transpose()?.map(Into::into),
        version: i32::try_from(case.i64("action_version")?)?,
        padding: case.hex("padding_hex")?.into(),
    };
    value(mutation.value.as_ref(), case)?;
    let expect = case.field("expect")?;
    same_bytes("plaintext", mutation.plaintext(), expect.hex("plaintext_hex")?)?;
    same_bytes("index MAC", index_mac(&keys, &mutation.index), expect.hex("index_mac_hex")?)?;
    let encrypted = mutation.encrypt(&key.id, &keys, &case.hex_array("iv_hex")?);
    let blob = blob_of(&encrypted)?;
    same_bytes("value blob", &blob, expect.base64("value_blob_b64")?)?;

    let ring: KeyRing = [key.clone()].into_iter().collect();
    let read = mutation::read(&encrypted, &ring)?;
    same("read back", &read.mutation, &mutation)?;
    same_bytes("value MAC", read.value_mac, expect.hex("value_mac_hex")?)?;
    same_bytes("key id", &read.key_id, &key.id)?;

    // The MAC covers the operation: the same record under the other one must fail.
    let mut other = encrypted;
    other.operation = Some(i32::from(mutation.operation == Operation::Set));
    ensure!(mutation::read(&other, &ring).is_err(), "the operation is not covered");
    Ok(())
}

fn blob_of(mutation: &SyncdMutation) -> Result<Vec<u8>> {
    let record = mutation.record.as_ref().context("no record")?;
    let value = record.value.as_ref().and_then(|value| value.blob.clone()).context("no value")?;
    ensure!(mutation.encoded_len() > value.len(), "a record of nothing");
    Ok(value.to_vec())
}
