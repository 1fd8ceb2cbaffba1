//! What a device sends: a patch on top of its own state, and the phone's snapshot (chapter 07 §9.1, §12).

use bytes::Bytes;
use prost::Message as _;
use rand_core::CryptoRng;
use wa_proto::app_state::{KeyId, SyncdMutation, SyncdPatch, SyncdRecord, SyncdSnapshot, SyncdVersion};

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

/// A record that was written with an older key and is written anew in the same patch (chapter 07 §5.6): its old form is
/// taken out under that key, else it would stay beside the new one.
#[derive(Clone, Debug)]
pub struct Replaced<'k> {
    /// The index, as the old record has it.
    pub index: Bytes,
    /// Version of its action.
    pub version: i32,
    /// Id of the older key.
    pub key_id: &'k Bytes,
    /// The older key.
    pub keys: &'k ExpandedKeys,
}

/// Builds a patch with fresh IVs. All mutations belong to one collection; one index occurs once, or as REMOVE then SET.
///
/// # Errors
/// [`AppStateError::ValueBlobTooShort`] never for what this crate encrypts.
pub fn build_patch(
    collection: Collection,
    head: &Head,
    records: &impl RecordMacs,
    key: (&Bytes, &ExpandedKeys),
    mutations: &[Mutation],
    rng: &mut impl CryptoRng,
) -> Result<BuiltPatch, AppStateError> {
    build_patch_replacing(collection, head, records, key, &[], mutations, rng)
}

/// [`build_patch`] that first takes records of older keys out.
///
/// # Errors
/// As [`build_patch`].
pub fn build_patch_replacing(
    collection: Collection,
    head: &Head,
    records: &impl RecordMacs,
    key: (&Bytes, &ExpandedKeys),
    replaced: &[Replaced<'_>],
    mutations: &[Mutation],
    rng: &mut impl CryptoRng,
) -> Result<BuiltPatch, AppStateError> {
    let mut iv = || {
        let mut iv = [0; 16];
        rng.fill_bytes(&mut iv);
        iv
    };
    let mut entries = Vec::with_capacity(replaced.len() + mutations.len());
    for old in replaced {
        let removal = Mutation {
            operation: Operation::Remove,
            index: old.index.clone(),
            value: None,
            version: old.version,
            padding: Bytes::new(),
        };
        entries.push(Entry::new(removal, (old.key_id, old.keys), &iv())?);
    }
    for mutation in mutations {
        entries.push(Entry::new(mutation.clone(), key, &iv())?);
    }
    Ok(assemble(collection, head, records, key, entries))
}

/// [`build_patch`] with the given IVs, one per mutation: what vectors need.
///
/// # Errors
/// As [`build_patch`], and [`AppStateError::MalformedRecord`] when an IV is missing.
pub fn build_patch_with(
    collection: Collection,
    head: &Head,
    records: &impl RecordMacs,
    key: (&Bytes, &ExpandedKeys),
    mutations: &[Mutation],
    ivs: &[[u8; 16]],
) -> Result<BuiltPatch, AppStateError> {
    if ivs.len() != mutations.len() {
        return Err(AppStateError::MalformedRecord("no iv"));
    }
    let entries = mutations
        .iter()
        .zip(ivs)
        .map(|(mutation, iv)| Entry::new(mutation.clone(), key, iv))
        .collect::<Result<_, _>>()?;
    Ok(assemble(collection, head, records, key, entries))
}

/// A mutation in plain and encrypted.
struct Entry {
    mutation: Mutation,
    encrypted: SyncdMutation,
    sized: Sized,
}

impl Entry {
    fn new(
        mutation: Mutation,
        (key_id, keys): (&Bytes, &ExpandedKeys),
        iv: &[u8; 16],
    ) -> Result<Self, AppStateError> {
        let encrypted = mutation.encrypt(key_id, keys, iv);
        let sized = Sized::new(mutation.operation, encrypted.record.as_deref())?;
        Ok(Self { mutation, encrypted, sized })
    }
}

fn assemble(
    collection: Collection,
    head: &Head,
    records: &impl RecordMacs,
    (key_id, keys): (&Bytes, &ExpandedKeys),
    entries: Vec<Entry>,
) -> BuiltPatch {
    let sized: Vec<Sized> = entries.iter().map(|entry| entry.sized.clone()).collect();
    let sum = Sum::sequential(&head.hash, records, &sized);
    let version = head.version.saturating_add(1);
    let snapshot_mac = sum.hash.snapshot_mac(keys, version, collection);
    let value_macs = sized.iter().map(|mutation| &mutation.value_mac);
    let mac = patch_mac(keys, &snapshot_mac, value_macs, version, collection);
    let mut patch = SyncdPatch {
        snapshot_mac: Some(Bytes::copy_from_slice(&snapshot_mac)),
        patch_mac: Some(Bytes::copy_from_slice(&mac)),
        key_id: Some(Box::new(KeyId { id: Some(key_id.clone()) })),
        ..Default::default()
    };
    let mut mutations = Vec::with_capacity(entries.len());
    let mut set_records = Vec::with_capacity(entries.len());
    for Entry { mutation, encrypted, sized } in entries {
        if mutation.operation == Operation::Set {
            set_records.extend(encrypted.record.as_deref().cloned());
        }
        patch.mutations.push(encrypted);
        mutations.push(ReadMutation {
            mutation,
            index_mac: sized.index_mac,
            value_mac: sized.value_mac,
            key_id: sized.key_id,
        });
    }
    BuiltPatch {
        bytes: patch.encode_to_vec().into(),
        applied: Applied {
            head: Head { version, hash: sum.hash, diverged: head.diverged },
            records: sum.records,
            mutations,
            missing_removes: sum.missing_removes,
        },
        records: set_records,
    }
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
