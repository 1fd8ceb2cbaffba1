//! What a device does with a patch or a snapshot (chapter 07 §5.4, §5.5, §7.2–§7.5). The stored records are asked for
//! by index MAC, so that a large collection need not be in memory; the result names what to write.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use prost::Message as _;
use wa_crypto::ct_eq;
use wa_proto::app_state::{SyncdMutation, SyncdMutations, SyncdPatch, SyncdSnapshot};

use super::lthash::patch_mac;
use super::mutation::{ReadMutation, Sized};
use super::{AppStateError, Collection, KeyRing, LtHash, MAX_RECORDS, Operation};
use crate::sabotage::{self, Rule};

/// Where a collection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// 0 = never synced.
    pub version: u64,
    /// Sum over all live records.
    pub hash: LtHash,
    /// The own sum is known to differ from the writers': it is not compared until the next snapshot.
    pub diverged: bool,
}

impl Default for Head {
    fn default() -> Self {
        Self { version: 0, hash: LtHash::EMPTY, diverged: false }
    }
}

/// The stored records of one collection.
pub trait RecordMacs {
    /// The value MAC of a live record.
    fn value_mac(&self, index_mac: &[u8; 32]) -> Option<[u8; 32]>;
}

impl RecordMacs for BTreeMap<[u8; 32], [u8; 32]> {
    fn value_mac(&self, index_mac: &[u8; 32]) -> Option<[u8; 32]> {
        self.get(index_mac).copied()
    }
}

impl RecordMacs for HashMap<[u8; 32], [u8; 32]> {
    fn value_mac(&self, index_mac: &[u8; 32]) -> Option<[u8; 32]> {
        self.get(index_mac).copied()
    }
}

/// What to do with a patch whose writer had another sum (§7.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PatchPolicy {
    /// Apply it and mark the collection as diverged.
    #[default]
    Tolerant,
    /// Refuse it.
    Strict,
}

/// What to do with a snapshot whose sum does not fit (§7.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SnapshotPolicy {
    /// Refuse it.
    #[default]
    Strict,
    /// Keep the records that verify and mark the collection as diverged: the last step of the recovery ladder.
    Degraded,
}

/// One row to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordChange {
    /// Names the record.
    pub index_mac: [u8; 32],
    /// The new value MAC and key id; `None` deletes the row.
    pub live: Option<(/* value MAC */ [u8; 32], /* key id */ Bytes)>,
}

/// A new state, to be written in one commit with whatever the mutations change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The new head.
    pub head: Head,
    /// Rows to write, one per index MAC. After a snapshot or recovery these are *all* rows: delete the others first.
    pub records: Vec<RecordChange>,
    /// What changed, in the writer's order.
    pub mutations: Vec<ReadMutation>,
    /// REMOVEs of records that were not there: counted only.
    pub missing_removes: usize,
}

/// Applies one patch. `collection_version` is the version of the enclosing `<collection>`, used when the patch has none.
/// `external` is the decrypted content of `externalMutations`, which replaces inline mutations. `Ok(None)` means that
/// the patch had been applied before.
///
/// # Errors
/// [`AppStateError`]; the caller's state is untouched.
#[expect(clippy::too_many_arguments, reason = "one patch has this many inputs, and no two belong together")]
pub fn apply_patch(
    collection: Collection,
    head: &Head,
    records: &impl RecordMacs,
    patch: &[u8],
    collection_version: Option<u64>,
    external: Option<&[u8]>,
    ring: &KeyRing,
    policy: PatchPolicy,
) -> Result<Option<Applied>, AppStateError> {
    let patch =
        SyncdPatch::decode(Bytes::copy_from_slice(patch)).map_err(|_| AppStateError::PatchDecodeFailed)?;
    if let Some(exit) = patch.exit_code.as_ref().filter(|exit| exit.code() != 0) {
        let text = exit.text().to_owned();
        return Err(AppStateError::TerminalExitCode { code: exit.code(), text });
    }
    let next = head.version.saturating_add(1);
    let version = patch
        .version
        .as_ref()
        .and_then(|version| version.version)
        .or(collection_version.map(|version| version.saturating_add(1)))
        .unwrap_or(next);
    if version < next {
        return Ok(None);
    }
    if version > next {
        return Err(match head.version {
            0 => AppStateError::GenesisRequired(version),
            _ => AppStateError::PatchVersionGap { expected: next, found: version },
        });
    }

    let listed = match (external, &patch.external_mutations) {
        (Some(content), _) => decode_mutations(content)?,
        (None, Some(_)) => return Err(AppStateError::ExternalBlob("content not given")),
        (None, None) => patch.mutations,
    };
    let mutations = sized(&listed)?;
    let key_id = patch.key_id.and_then(|key| key.id).ok_or(AppStateError::MalformedRecord("no patch key"))?;
    require_keys(ring, mutations.iter().map(|mutation| &mutation.key_id).chain([&key_id]))?;
    let keys = ring.expanded(&key_id).ok_or_else(|| AppStateError::KeyMissing(vec![key_id.clone()]))?;

    let carried_mac = patch.patch_mac.ok_or(AppStateError::PatchMacMissing)?;
    let snapshot_mac = patch.snapshot_mac.as_deref().unwrap_or_default();
    let value_macs = mutations.iter().map(|mutation| &mutation.value_mac);
    let fits = ct_eq(&patch_mac(keys, snapshot_mac, value_macs, version, collection), &carried_mac);
    if !fits && !sabotage::on(Rule::PatchMac) {
        return Err(AppStateError::PatchMacMismatch);
    }
    if snapshot_mac.is_empty() {
        return Err(AppStateError::PatchSnapshotMacMissing);
    }

    let fits = |sum: &Sum| ct_eq(&sum.hash.snapshot_mac(keys, version, collection), snapshot_mac);
    let mut sum = Sum::sequential(&head.hash, records, &mutations);
    let mut diverged = head.diverged;
    if !diverged && !fits(&sum) {
        // Writers disagree about SET before REMOVE of one index; the sum tells which rule this one followed.
        let other = Sum::removes_first(&head.hash, records, &mutations);
        if fits(&other) {
            sum = other;
        } else if policy == PatchPolicy::Strict {
            return Err(AppStateError::PatchSnapshotMacMismatch);
        } else {
            diverged = true;
        }
    }
    refuse_duplicates(&mutations)?;
    let read = mutations.iter().map(|mutation| mutation.read(ring)).collect::<Result<_, _>>()?;
    Ok(Some(Applied {
        head: Head { version, hash: sum.hash, diverged },
        records: sum.records,
        mutations: read,
        missing_removes: sum.missing_removes,
    }))
}

/// Applies a snapshot. `Ok(None)` means that it is not newer than `local_version` (0 when rebuilding).
///
/// # Errors
/// [`AppStateError`].
pub fn apply_snapshot(
    collection: Collection,
    local_version: u64,
    snapshot: &[u8],
    ring: &KeyRing,
    policy: SnapshotPolicy,
) -> Result<Option<Applied>, AppStateError> {
    let snapshot = SyncdSnapshot::decode(Bytes::copy_from_slice(snapshot))
        .map_err(|_| AppStateError::SnapshotDecodeFailed)?;
    let version = snapshot.version.as_ref().and_then(|version| version.version).unwrap_or_default();
    if snapshot.records.len() > MAX_RECORDS {
        return Err(AppStateError::TooLarge("snapshot"));
    }
    let degraded = policy == SnapshotPolicy::Degraded;
    let mut records = Vec::with_capacity(snapshot.records.len());
    for record in &snapshot.records {
        match Sized::new(Operation::Set, Some(record)) {
            Ok(record) => records.push(record),
            Err(_) if degraded => {}
            Err(error) => return Err(error),
        }
    }
    let key_id = snapshot.key_id.and_then(|key| key.id);
    if degraded {
        records.retain(|record| ring.expanded(&record.key_id).is_some());
    } else {
        require_keys(ring, records.iter().map(|record| &record.key_id).chain(&key_id))?;
    }
    let (Some(key_id), Some(mac)) = (key_id, snapshot.mac) else {
        return Err(AppStateError::SnapshotMacMissing);
    };
    if version <= local_version {
        return Ok(None);
    }

    let mut hash = LtHash::EMPTY;
    let mut read: Vec<ReadMutation> = Vec::with_capacity(records.len());
    for record in &records {
        match record.read(ring) {
            Ok(mutation) => {
                hash.add(&record.value_mac);
                read.push(mutation);
            }
            Err(_) if degraded => {}
            Err(error) => {
                // A wrong sum is the more telling error: look at it before the record's own.
                verify_sum(collection, version, &records, ring, &key_id, &mac)?;
                return Err(error);
            }
        }
    }
    let fits =
        ring.expanded(&key_id).is_some_and(|keys| ct_eq(&hash.snapshot_mac(keys, version, collection), &mac));
    if !fits && !degraded && !sabotage::on(Rule::SnapshotMac) {
        return Err(AppStateError::SnapshotMacMismatch);
    }
    let live: BTreeMap<_, _> = read
        .iter()
        .map(|mutation| (mutation.index_mac, (mutation.value_mac, mutation.key_id.clone())))
        .collect();
    Ok(Some(Applied {
        head: Head { version, hash, diverged: !fits },
        records: live
            .into_iter()
            .map(|(index_mac, live)| RecordChange { index_mac, live: Some(live) })
            .collect(),
        mutations: read,
        missing_removes: 0,
    }))
}

fn verify_sum(
    collection: Collection,
    version: u64,
    records: &[Sized],
    ring: &KeyRing,
    key_id: &Bytes,
    mac: &[u8],
) -> Result<(), AppStateError> {
    let keys = ring.expanded(key_id).ok_or_else(|| AppStateError::KeyMissing(vec![key_id.clone()]))?;
    let mut hash = LtHash::EMPTY;
    for record in records {
        hash.add(&record.value_mac);
    }
    match ct_eq(&hash.snapshot_mac(keys, version, collection), mac) {
        true => Ok(()),
        false => Err(AppStateError::SnapshotMacMismatch),
    }
}

/// Reads the content of `externalMutations`.
///
/// # Errors
/// [`AppStateError::ExternalBlob`] for an empty list or no protobuf.
pub fn decode_mutations(content: &[u8]) -> Result<Vec<SyncdMutation>, AppStateError> {
    let mutations = SyncdMutations::decode(Bytes::copy_from_slice(content))
        .map_err(|_| AppStateError::ExternalBlob("content cannot be decoded"))?
        .mutations;
    if mutations.is_empty() {
        return Err(AppStateError::ExternalBlob("empty"));
    }
    Ok(mutations)
}

fn sized(mutations: &[SyncdMutation]) -> Result<Vec<Sized>, AppStateError> {
    if mutations.len() > MAX_RECORDS {
        return Err(AppStateError::TooLarge("patch"));
    }
    // An unknown operation makes the whole patch unusable, whatever its records look like.
    let operations = mutations
        .iter()
        .map(|mutation| Operation::from_wire(mutation.operation))
        .collect::<Result<Vec<_>, _>>()?;
    operations
        .into_iter()
        .zip(mutations)
        .map(|(operation, mutation)| Sized::new(operation, mutation.record.as_deref()))
        .collect()
}

fn require_keys<'k>(ring: &KeyRing, ids: impl Iterator<Item = &'k Bytes>) -> Result<(), AppStateError> {
    let missing: BTreeSet<&Bytes> = ids.filter(|id| ring.expanded(id).is_none()).collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(AppStateError::KeyMissing(missing.into_iter().cloned().collect())),
    }
}

fn refuse_duplicates(mutations: &[Sized]) -> Result<(), AppStateError> {
    let mut seen = BTreeSet::new();
    let fresh = mutations
        .iter()
        .all(|mutation| seen.insert((mutation.operation == Operation::Set, mutation.index_mac)));
    match fresh {
        true => Ok(()),
        false => Err(AppStateError::DuplicateIndex),
    }
}

/// A collection's sum after a patch.
pub(super) struct Sum {
    pub(super) hash: LtHash,
    pub(super) records: Vec<RecordChange>,
    pub(super) missing_removes: usize,
}

impl Sum {
    /// Mutation after mutation.
    pub(super) fn sequential(hash: &LtHash, records: &impl RecordMacs, mutations: &[Sized]) -> Self {
        Self::of(hash, records, mutations.iter())
    }

    /// All REMOVEs, then all SETs: what a writer does that works by index.
    fn removes_first(hash: &LtHash, records: &impl RecordMacs, mutations: &[Sized]) -> Self {
        let of = |operation| mutations.iter().filter(move |mutation| mutation.operation == operation);
        Self::of(hash, records, of(Operation::Remove).chain(of(Operation::Set)))
    }

    fn of<'m>(hash: &LtHash, records: &impl RecordMacs, mutations: impl Iterator<Item = &'m Sized>) -> Self {
        let mut hash = hash.clone();
        let mut changed: BTreeMap<[u8; 32], Option<([u8; 32], Bytes)>> = BTreeMap::new();
        let mut missing_removes = 0;
        for mutation in mutations {
            let old = match changed.get(&mutation.index_mac) {
                Some(live) => live.as_ref().map(|(value_mac, _)| *value_mac),
                None => records.value_mac(&mutation.index_mac),
            };
            if let Some(old) = &old {
                hash.subtract(old);
            }
            let live = match mutation.operation {
                Operation::Set => {
                    hash.add(&mutation.value_mac);
                    Some((mutation.value_mac, mutation.key_id.clone()))
                }
                Operation::Remove => {
                    missing_removes += usize::from(old.is_none());
                    None
                }
            };
            changed.insert(mutation.index_mac, live);
        }
        let records = changed.into_iter().map(|(index_mac, live)| RecordChange { index_mac, live }).collect();
        Self { hash, records, missing_removes }
    }
}
