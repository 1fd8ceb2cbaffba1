//! What the app-state families share: a device that applies the steps of a file (snapshots and patches with their
//! encrypted files) and is compared with the state and mutations that the file expects (chapter 07).

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use prost::Message as _;
use wa_core::app_state::mutation::ReadMutation;
use wa_core::app_state::{
    AppStateError, Applied, Collection, Head, KeyRing, LtHash, Operation, PatchPolicy, SnapshotPolicy,
    SyncKey, apply_patch, apply_snapshot,
};
use wa_crypto::Secret;
use wa_media::{Expected, MediaKey, MediaKind};
use wa_proto::app_state::{ExternalBlobReference, SyncdPatch, SyncdSnapshot};

use crate::proto_json::{self, Style};
use crate::{Reader, same, same_bytes};

/// One device's copy of a collection.
#[derive(Clone)]
pub(super) struct Device {
    pub(super) collection: Collection,
    pub(super) ring: KeyRing,
    pub(super) head: Head,
    pub(super) rows: Rows,
}

pub(super) fn collection(reader: &Reader<'_>) -> Result<Collection> {
    let name = reader.str("collection")?;
    Collection::from_name(name).with_context(|| format!("unknown collection {name}"))
}

pub(super) fn key(reader: &Reader<'_>) -> Result<SyncKey> {
    Ok(SyncKey {
        id: reader.hex("key_id_hex")?.into(),
        data: Secret::new(reader.hex_array("key_data_hex")?),
        timestamp_ms: reader.i64("timestamp_ms")?,
    })
}

pub(super) fn keys(readers: &[Reader<'_>]) -> Result<Vec<SyncKey>> {
    readers.iter().map(key).collect()
}

/// A case that is a list of steps from an empty collection to a `final` state.
pub(super) fn chain(case: &Reader<'_>) -> Result<()> {
    case.prose("name")?;
    case.prose("note")?;
    let mut device = Device::new(collection(case)?, keys(&case.list("keys")?)?);
    for step in case.nonempty_list("steps")? {
        device.step(&step)?;
    }
    device.compare(&case.field("final")?)
}

impl Device {
    pub(super) fn new(collection: Collection, keys: impl IntoIterator<Item = SyncKey>) -> Self {
        Self { collection, ring: keys.into_iter().collect(), head: Head::default(), rows: BTreeMap::new() }
    }

    pub(super) fn commit(&mut self, applied: &Applied, replaces: bool) {
        if replaces {
            self.rows.clear();
        }
        self.head = applied.head.clone();
        for change in &applied.records {
            match &change.live {
                Some((value_mac, _)) => self.rows.insert(change.index_mac, *value_mac),
                None => self.rows.remove(&change.index_mac),
            };
        }
    }

    pub(super) fn patch(
        &self,
        patch: &[u8],
        external: Option<&[u8]>,
        policy: PatchPolicy,
    ) -> Result<Option<Applied>, AppStateError> {
        apply_patch(self.collection, &self.head, &self.rows, patch, None, external, &self.ring, policy)
    }

    pub(super) fn snapshot(&self, snapshot: &[u8]) -> Result<Option<Applied>, AppStateError> {
        apply_snapshot(self.collection, self.head.version, snapshot, &self.ring, SnapshotPolicy::Strict)
    }

    /// Applies one step and compares the outcome with its `expect`.
    pub(super) fn step(&mut self, step: &Reader<'_>) -> Result<()> {
        step.prose("note")?;
        step.prose("name")?;
        let expect = step.field("expect")?;
        let applied = match step.str("kind")? {
            "snapshot" => {
                let plain = step.base64("snapshot_plain_b64")?;
                let content = match step.has("external_blob") {
                    true => external(step, Some(&step.base64("snapshot_ref_b64")?))?,
                    false => plain.clone(),
                };
                same_bytes("snapshot file", &content, plain)?;
                let applied = self.snapshot(&content)?.context("the snapshot was skipped")?;
                let snapshot = SyncdSnapshot::decode(content.as_slice())?;
                let mac = snapshot.mac.unwrap_or_default();
                same_bytes("snapshot MAC", mac, expect.hex("snapshot_mac_hex")?)?;
                self.commit(&applied, true);
                applied
            }
            "patch" => {
                let bytes = step.base64("patch_b64")?;
                let patch = SyncdPatch::decode(bytes.as_slice())?;
                let content = match &patch.external_mutations {
                    Some(reference) => Some(external(step, Some(&reference.encode_to_vec()))?),
                    None => None,
                };
                if let Some(content) = &content {
                    same_bytes("external mutations", content, step.base64("external_plain_b64")?)?;
                }
                let applied = self
                    .patch(&bytes, content.as_deref(), PatchPolicy::Strict)?
                    .context("the patch was skipped")?;
                let mac = patch.snapshot_mac.unwrap_or_default();
                same_bytes("snapshot MAC", mac, expect.hex("snapshot_mac_hex")?)?;
                same_bytes("patch MAC", patch.patch_mac.unwrap_or_default(), expect.hex("patch_mac_hex")?)?;
                same("missing removes", applied.missing_removes as u64, expect.u64("missing_remove")?)?;
                self.commit(&applied, false);
                applied
            }
            other => bail!("unknown step {other}"),
        };
        self.compare(&expect)?;
        if let Some(live) = expect.opt_u64("live_records")? {
            same("live records", self.rows.len() as u64, live)?;
        }
        let expected = expect.list("mutations")?;
        same("number of mutations", applied.mutations.len(), expected.len())?;
        applied.mutations.iter().zip(&expected).try_for_each(|(found, expected)| mutation(found, expected))
    }

    /// Compares version and hash, and the rows where the file lists them.
    pub(super) fn compare(&self, expect: &Reader<'_>) -> Result<()> {
        same("version", self.head.version, expect.u64("version")?)?;
        same_bytes("hash", self.head.hash.as_bytes(), expect.hex("lthash_hex")?)?;
        if let Some(diverged) = expect.opt_bool("diverged")? {
            same("diverged", self.head.diverged, diverged)?;
        }
        if expect.has("records") {
            same("records", self.rows.clone(), rows(expect)?)?;
        }
        Ok(())
    }
}

/// `records` of a state: index MAC to value MAC.
pub(super) fn rows(state: &Reader<'_>) -> Result<Rows> {
    state
        .field("records")?
        .entries()?
        .into_iter()
        .map(|(index_mac, value_mac)| {
            let index_mac = hex::decode(index_mac)?;
            let index_mac = index_mac.try_into().ok().context("an index MAC is not 32 bytes")?;
            Ok((index_mac, value_mac.as_hex_array()?))
        })
        .collect()
}

/// Value MACs by index MAC.
pub(super) type Rows = BTreeMap<[u8; 32], [u8; 32]>;

/// `state_before` of a case as a head and rows.
pub(super) fn state(reader: &Reader<'_>) -> Result<(Head, Rows)> {
    let hash = LtHash::from_bytes(reader.hex_array("lthash_hex")?);
    let head = Head { version: reader.u64("version")?, hash, diverged: false };
    Ok((head, if reader.has("records") { rows(reader)? } else { BTreeMap::new() }))
}

/// Opens `external_blob` of a step by the reference's keys and hashes.
pub(super) fn external(step: &Reader<'_>, reference: Option<&[u8]>) -> Result<Vec<u8>> {
    let file = step.field("external_blob")?;
    let reference = ExternalBlobReference::decode(reference.unwrap_or_default())?;
    same("direct path", reference.direct_path(), file.str("direct_path")?)?;
    let media_key = reference.media_key.unwrap_or_default();
    same_bytes("media key", &media_key, file.hex("media_key_hex")?)?;
    let sha256 = reference.file_sha256.unwrap_or_default();
    let enc_sha256 = reference.file_enc_sha256.unwrap_or_default();
    same_bytes("file hash", &sha256, file.hex("file_sha256_hex")?)?;
    same_bytes("encrypted hash", &enc_sha256, file.hex("file_enc_sha256_hex")?)?;
    let length = file.u64("plain_len")?;
    let encrypted = file.base64("encrypted_b64")?;
    let keys = MediaKey::from_slice(&media_key)?.derive(MediaKind::AppState);
    let expected = Expected {
        file_sha256: Some((&*sha256).try_into()?),
        file_enc_sha256: Some((&*enc_sha256).try_into()?),
        limit: None,
    };
    let content = wa_media::open(&keys, &expected, &encrypted)
        .map_err(|_| AppStateError::ExternalBlob("it cannot be opened"))?;
    same("content length", content.len() as u64, length)?;
    Ok(content)
}

/// Compares one mutation with what a file expects of it.
pub(super) fn mutation(found: &ReadMutation, expected: &Reader<'_>) -> Result<()> {
    expected.prose("note")?;
    same("operation", found.mutation.operation, operation(expected, "op")?)?;
    same_bytes("key id", &found.key_id, expected.hex("key_id_hex")?)?;
    let index: Vec<String> = expected.list("index")?.iter().map(scalar).collect::<Result<_>>()?;
    same("index", found.mutation.index_parts().unwrap_or_default(), index)?;
    same("action version", i64::from(found.mutation.version), expected.i64("action_version")?)?;
    value(found.mutation.value.as_ref(), expected)?;
    if expected.has("index_mac_hex") {
        same_bytes("index MAC", found.index_mac, expected.hex("index_mac_hex")?)?;
    }
    if expected.has("value_mac_hex") {
        same_bytes("value MAC", found.value_mac, expected.hex("value_mac_hex")?)?;
    }
    Ok(())
}

/// Compares a value's bytes and its fields with `value_b64` and `value`.
pub(super) fn value(found: Option<&Bytes>, expected: &Reader<'_>) -> Result<()> {
    let bytes = expected.opt("value_b64")?.map(|field| field.as_base64()).transpose()?;
    same("value present", found.is_some(), bytes.is_some())?;
    let fields = expected.opt("value")?;
    if let (Some(found), Some(bytes)) = (found, bytes) {
        same_bytes("value", found, bytes)?;
        let fields = fields.context("no value fields")?;
        let json = proto_json::decode("sync_action.SyncActionValue", found, Style::Standard)?;
        let expected = fields.raw();
        if &json != expected {
            same("value fields", &known_to_writer(&json, expected), expected)?;
        }
    } else {
        ensure!(fields.is_none(), "value fields without a value");
    }
    Ok(())
}

/// A file whose writer did not know an action's field shows the bytes whole and the fields without it. Such a value shows
/// no action at all; one that shows an action shows all of it.
fn known_to_writer(found: &serde_json::Value, expected: &serde_json::Value) -> serde_json::Value {
    let shows_action =
        expected.as_object().is_some_and(|fields| fields.keys().any(|name| name != "timestamp"));
    let mut found = found.clone();
    if let (false, Some(fields)) = (shows_action, found.as_object_mut()) {
        fields.retain(|name, _| name == "timestamp");
    }
    found
}

pub(super) fn operation(reader: &Reader<'_>, field: &str) -> Result<Operation> {
    match reader.str(field)? {
        "SET" => Ok(Operation::Set),
        "REMOVE" => Ok(Operation::Remove),
        other => bail!("unknown operation {other}"),
    }
}

/// An index part; numbers and truth values count as their text.
fn scalar(part: &Reader<'_>) -> Result<String> {
    Ok(match part.raw() {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}
