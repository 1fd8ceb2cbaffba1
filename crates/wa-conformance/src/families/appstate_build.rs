//! `appstate-build`: patches and the push iq, byte for byte (chapter 07 §9.1, §9.2).

use anyhow::Result;
use wa_core::app_state::wire::{Ask, CollectionRequest, request};
use wa_core::app_state::{ExpandedKeys, Mutation, PatchPolicy, build_patch_with, index};

use super::appstate_fields::{Device, collection, key, operation, state, value};
use crate::node_reader::{read_node, same_stanza};
use crate::{Reader, VectorFile, same, same_bytes};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("cases", case)
}

fn case(case: &Reader<'_>) -> Result<()> {
    case.prose("name")?;
    case.prose("note")?;
    let collection = collection(case)?;
    let key = key(&case.field("key")?)?;
    let mut device = Device::new(collection, [key.clone()]);
    (device.head, device.rows) = state(&case.field("state_before")?)?;
    let mut mutations = Vec::new();
    let mut ivs = Vec::new();
    for mutation in case.list("mutations")? {
        mutation.prose("note")?;
        let parts = mutation.list("index")?.iter().map(Reader::as_str).collect::<Result<Vec<_>>>()?;
        let value_bytes = mutation.opt("value_b64")?.map(|field| field.as_base64()).transpose()?;
        let value_bytes = value_bytes.map(bytes::Bytes::from);
        value(value_bytes.as_ref(), &mutation)?;
        ivs.push(mutation.hex_array("iv_hex")?);
        mutations.push(Mutation {
            operation: operation(&mutation, "op")?,
            index: index::write(&parts).into(),
            value: value_bytes,
            version: i32::try_from(mutation.i64("action_version")?)?,
            padding: bytes::Bytes::new(),
        });
    }
    let keys = ExpandedKeys::new(&key.data);
    let built = build_patch_with(collection, &device.head, &device.rows, (&key.id, &keys), &mutations, &ivs)?;
    let expect = case.field("expect")?;
    same_bytes("patch", &built.bytes, expect.base64("patch_b64")?)?;

    let ask = Ask::Push { base: device.head.version, patch: built.bytes.clone() };
    let mut iq = request("1", &[CollectionRequest { collection, ask }]);
    let expected = read_node(&expect.field("iq")?)?;
    if !expected.has_attr("id") {
        iq.remove_attr("id");
    }
    same_stanza("iq", iq.view(), &expected)?;

    // What we write, a reader accepts under the strict policy.
    let read = device.patch(&built.bytes, None, PatchPolicy::Strict)?;
    same("read back", read.as_ref(), Some(&built.applied))?;
    device.commit(&built.applied, false);
    device.compare(&expect.field("state_after")?)
}
