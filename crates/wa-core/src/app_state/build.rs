//! What a device sends: a patch on top of its own state, and the phone's snapshot (chapter 07 §9.1, §12).

use bytes::Bytes;
use prost::Message as _;
use rand_core::CryptoRng;
use wa_proto::app_state::{KeyId, SyncdPatch, SyncdRecord, SyncdSnapshot, SyncdVersion};

use super::apply::Sum;
use super::lthash::patch_mac;
use super::mutation::{ReadMutation, Sized};
use super::{
    AppStateError, Applied, Collection, ExpandedKeys, Head, LtHash, Mutation, Operation, RecordMacs,
};

/// A patch with the state that holds once the server has accepted it. Commit that state only then.
#[derive(Clone, Debug)]
pub struct BuiltPatch {
    /// `SyncdPatch` without a version, which the server sets.
    pub bytes: Bytes,
    /// State and mutations after acceptance.
    pub applied: Applied,
    /// The encrypted records that the SETs made, for a phone that keeps them for snapshots.
    pub records: Vec<SyncdRecord>,
}

/// A snapshot with its place in the version order.
#[derive(Clone, Debug)]
pub struct BuiltSnapshot {
    /// `SyncdSnapshot`: goes into an encrypted file.
    pub bytes: Bytes,
    /// Sum over its records.
    pub hash: LtHash,
}

/// Builds a patch with fresh IVs. All mutations belong to one collection; one index occurs once, or as REMOVE then SET.
///
/// # Errors
/// [`AppStateError::DuplicateIndex`].
pub fn build_patch(
    collection: Collection,
    head: &Head,
    records: &impl RecordMacs,
    key: (&Bytes, &ExpandedKeys),
    mutations: &[Mutation],
    rng: &mut impl CryptoRng,
) -> Result<BuiltPatch, AppStateError> {
    let ivs: Vec<[u8; 16]> = mutations
        .iter()
        .map(|_| {
            let mut iv = [0; 16];
            rng.fill_bytes(&mut iv);
            iv
        })
        .collect();
    build_patch_with(collection, head, records, key, mutations, &ivs)
}

/// [`build_patch`] with the given IVs, one per mutation: what vectors need.
///
/// # Errors
/// As [`build_patch`], and [`AppStateError::MalformedRecord`] when an IV is missing.
pub fn build_patch_with(
    collection: Collection,
    head: &Head,
    records: &impl RecordMacs,
    (key_id, keys): (&Bytes, &ExpandedKeys),
    mutations: &[Mutation],
    ivs: &[[u8; 16]],
) -> Result<BuiltPatch, AppStateError> {
    if ivs.len() != mutations.len() {
        return Err(AppStateError::MalformedRecord("no iv"));
    }
    let encrypted: Vec<_> =
        mutations.iter().zip(ivs).map(|(mutation, iv)| mutation.encrypt(key_id, keys, iv)).collect();
    let sized = mutations
        .iter()
        .zip(&encrypted)
        .map(|(mutation, encrypted)| Sized::new(mutation.operation, encrypted.record.as_deref()))
        .collect::<Result<Vec<_>, _>>()?;
    let sum = Sum::sequential(&head.hash, records, &sized);
    let version = head.version.saturating_add(1);
    let snapshot_mac = sum.hash.snapshot_mac(keys, version, collection);
    let value_macs = sized.iter().map(|mutation| &mutation.value_mac);
    let mac = patch_mac(keys, &snapshot_mac, value_macs, version, collection);
    let read = mutations
        .iter()
        .zip(&sized)
        .map(|(mutation, sized)| ReadMutation {
            mutation: mutation.clone(),
            index_mac: sized.index_mac,
            value_mac: sized.value_mac,
            key_id: key_id.clone(),
        })
        .collect();
    let set_records = mutations
        .iter()
        .zip(&encrypted)
        .filter(|(mutation, _)| mutation.operation == Operation::Set)
        .filter_map(|(_, encrypted)| encrypted.record.as_deref().cloned())
        .collect();
    let patch = SyncdPatch {
        mutations: encrypted,
        snapshot_mac: Some(Bytes::copy_from_slice(&snapshot_mac)),
        patch_mac: Some(Bytes::copy_from_slice(&mac)),
        key_id: Some(Box::new(KeyId { id: Some(key_id.clone()) })),
        ..Default::default()
    };
    Ok(BuiltPatch {
        bytes: patch.encode_to_vec().into(),
        applied: Applied {
            head: Head { version, hash: sum.hash, diverged: head.diverged },
            records: sum.records,
            mutations: read,
            missing_removes: sum.missing_removes,
        },
        records: set_records,
    })
}

/// Puts live records into a snapshot at a version: the phone's job.
///
/// # Errors
/// [`AppStateError::MalformedRecord`] or [`AppStateError::ValueBlobTooShort`] for a record that is none.
pub fn build_snapshot(
    collection: Collection,
    version: u64,
    records: Vec<SyncdRecord>,
    (key_id, keys): (&Bytes, &ExpandedKeys),
) -> Result<BuiltSnapshot, AppStateError> {
    let mut hash = LtHash::EMPTY;
    for record in &records {
        hash.add(&Sized::new(Operation::Set, Some(record))?.value_mac);
    }
    let mac = hash.snapshot_mac(keys, version, collection);
    let snapshot = SyncdSnapshot {
        version: Some(Box::new(SyncdVersion { version: Some(version) })),
        records,
        mac: Some(Bytes::copy_from_slice(&mac)),
        key_id: Some(Box::new(KeyId { id: Some(key_id.clone()) })),
    };
    Ok(BuiltSnapshot { bytes: snapshot.encode_to_vec().into(), hash })
}
