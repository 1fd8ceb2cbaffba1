//! `appstate-keys`: expansion of sync keys, the structure of their ids, the choice of the active one (chapter 07 §2).

use anyhow::Result;
use bytes::Bytes;
use wa_core::app_state::{ExpandedKeys, SyncKey, active_key, key_device_and_epoch};
use wa_crypto::Secret;

use crate::{Reader, VectorFile, same, same_bytes};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("expansion", expansion)?;
    file.section("key_ids", key_id)?;
    file.section("active_key_choice", choice)
}

fn expansion(case: &Reader<'_>) -> Result<()> {
    case.prose("name")?;
    case.prose("note")?;
    let keys = ExpandedKeys::new(&Secret::new(case.hex_array("key_data_hex")?));
    same_bytes("index key", keys.index.expose(), case.hex("index_key_hex")?)?;
    same_bytes("value key", keys.value_encryption.expose(), case.hex("value_encryption_key_hex")?)?;
    same_bytes("value MAC key", keys.value_mac.expose(), case.hex("value_mac_key_hex")?)?;
    same_bytes("snapshot MAC key", keys.snapshot_mac.expose(), case.hex("snapshot_mac_key_hex")?)?;
    same_bytes("patch MAC key", keys.patch_mac.expose(), case.hex("patch_mac_key_hex")?)
}

fn key_id(case: &Reader<'_>) -> Result<()> {
    case.prose("name")?;
    case.prose("note")?;
    let found = key_device_and_epoch(&case.hex("key_id_hex")?);
    same("device", found.map(|(device, _)| u64::from(device)), case.opt_u64("device")?)?;
    same("epoch", found.map(|(_, epoch)| u64::from(epoch)), case.opt_u64("epoch")?)
}

fn choice(case: &Reader<'_>) -> Result<()> {
    case.prose("name")?;
    case.prose("note")?;
    let keys = case
        .list("keys")?
        .iter()
        .map(|key| {
            let data = key.opt_hex("key_data_hex")?.unwrap_or_else(|| vec![0; 32]);
            Ok(SyncKey {
                id: key.hex("key_id_hex")?.into(),
                data: Secret::try_from(data.as_slice())?,
                timestamp_ms: key.i64("timestamp_ms")?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let expired = case.opt_u64("expired_key_epoch")?.map(u32::try_from).transpose()?;
    let found = active_key(&keys, expired).map(|key| key.id.clone());
    same("active key", found, case.opt_hex("expect_active_key_id_hex")?.map(Bytes::from))
}
