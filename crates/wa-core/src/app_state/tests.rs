//! Two devices of one account exchange patches; each rule of chapter 07 with the damage that it must catch.

use std::collections::BTreeMap;

use prost::Message as _;
use wa_crypto::Secret;
use wa_proto::sync_action::SyncActionValue;

use super::*;
use crate::sabotage::{Rule, broken};
use crate::testing::rng;

const COLLECTION: Collection = Collection::RegularLow;

/// One device's view: head and rows.
#[derive(Default)]
struct Device {
    head: Head,
    rows: BTreeMap<[u8; 32], [u8; 32]>,
}

impl Device {
    fn commit(&mut self, applied: &Applied) {
        self.head = applied.head.clone();
        for change in &applied.records {
            match &change.live {
                Some((value_mac, _)) => self.rows.insert(change.index_mac, *value_mac),
                None => self.rows.remove(&change.index_mac),
            };
        }
    }

    fn apply(&self, patch: &[u8], ring: &KeyRing) -> Result<Option<Applied>, AppStateError> {
        apply_patch(COLLECTION, &self.head, &self.rows, patch, None, None, ring, PatchPolicy::Tolerant)
    }
}

fn ring() -> KeyRing {
    [SyncKey { id: keys::key_id(0, 1), data: Secret::new([3; 32]), timestamp_ms: 1 }].into_iter().collect()
}

fn set(name: &str) -> Mutation {
    Mutation::new(Operation::Set, &["pin_v1", name], &SyncActionValue::default(), 5)
}

fn remove(name: &str) -> Mutation {
    Mutation { operation: Operation::Remove, ..set(name) }
}

fn build(device: &Device, ring: &KeyRing, mutations: &[Mutation]) -> BuiltPatch {
    let (key, expanded) = ring.active().unwrap();
    build_patch(COLLECTION, &device.head, &device.rows, (&key.id, expanded), mutations, &mut rng(5)).unwrap()
}

#[test]
fn a_patch_leads_both_devices_to_one_state() {
    let ring = ring();
    let (mut writer, mut reader) = (Device::default(), Device::default());
    for mutations in [vec![set("a"), set("b")], vec![remove("a"), set("a")], vec![remove("b")], vec![]] {
        let built = build(&writer, &ring, &mutations);
        writer.commit(&built.applied);
        let applied = reader.apply(&built.bytes, &ring).unwrap().unwrap();
        assert_eq!(applied, built.applied);
        reader.commit(&applied);
    }
    assert_eq!((reader.head.version, reader.rows.len()), (4, 1));
}

#[test]
fn a_patch_is_applied_once_and_in_order() {
    let ring = ring();
    let mut writer = Device::default();
    let first = build(&writer, &ring, &[set("a")]);
    writer.commit(&first.applied);
    let second = build(&writer, &ring, &[set("b")]);
    // Without a version field the next one is assumed, so the MAC over the version tells them apart.
    assert_eq!(Device::default().apply(&second.bytes, &ring), Err(AppStateError::PatchMacMismatch));
    let mut stamped = wa_proto::app_state::SyncdPatch::decode(first.bytes.clone()).unwrap();
    stamped.version = Some(Box::new(wa_proto::app_state::SyncdVersion { version: Some(1) }));
    assert_eq!(writer.apply(&stamped.encode_to_vec(), &ring), Ok(None));
    stamped.version = Some(Box::new(wa_proto::app_state::SyncdVersion { version: Some(3) }));
    let gap = writer.apply(&stamped.encode_to_vec(), &ring);
    assert_eq!(gap, Err(AppStateError::PatchVersionGap { expected: 2, found: 3 }));
    let genesis = Device::default().apply(&stamped.encode_to_vec(), &ring);
    assert_eq!(genesis, Err(AppStateError::GenesisRequired(3)));
}

#[test]
fn every_flipped_bit_of_a_patch_is_noticed() {
    let ring = ring();
    let patch = build(&Device::default(), &ring, &[set("a")]).bytes;
    let good = Device::default().apply(&patch, &ring).unwrap();
    for index in 0..patch.len() {
        for bit in [0, 4] {
            let mut damaged = patch.to_vec();
            damaged[index] ^= 1 << bit;
            // A changed field number of an optional part may leave the content as it was; anything else must fail.
            if let Ok(applied) = Device::default().apply(&damaged, &ring) {
                assert!(applied == good, "byte {index} bit {bit}");
            }
        }
    }
}

/// Each damage that must be noticed goes unnoticed when its check is skipped: the tests would see that.
#[test]
fn a_skipped_mac_lets_its_damage_through() {
    use wa_proto::app_state::{SyncdPatch, SyncdSnapshot};
    let ring = ring();
    let built = build(&Device::default(), &ring, &[set("a")]);
    let apply = |patch: &SyncdPatch| Device::default().apply(&patch.encode_to_vec(), &ring);
    let patch = SyncdPatch::decode(built.bytes.clone()).unwrap();

    let mut bent = patch.clone();
    let record = bent.mutations[0].record.as_mut().unwrap();
    let blob = record.value.as_mut().unwrap();
    let mut bytes = blob.blob.clone().unwrap().to_vec();
    // The version of the action, in the last block: it decrypts to something else, and the MACs over the MACs hold.
    let place = bytes.len() - 32 - 32;
    bytes[place] ^= 1;
    blob.blob = Some(bytes.into());
    assert_eq!(apply(&bent), Err(AppStateError::ValueMacMismatch));
    assert_ne!(broken(Rule::ValueMac, || apply(&bent)), Err(AppStateError::ValueMacMismatch));

    let mut renamed = patch.clone();
    let record = renamed.mutations[0].record.as_mut().unwrap();
    record.index.as_mut().unwrap().blob = Some(vec![9; 32].into());
    assert_eq!(apply(&renamed), Err(AppStateError::IndexMacMismatch));
    assert!(broken(Rule::IndexMac, || apply(&renamed)).is_ok());

    let mut unsigned = patch;
    unsigned.patch_mac = Some(vec![0; 32].into());
    assert_eq!(apply(&unsigned), Err(AppStateError::PatchMacMismatch));
    assert!(broken(Rule::PatchMac, || apply(&unsigned)).is_ok());

    let (key, expanded) = ring.active().unwrap();
    let snapshot = build_snapshot(COLLECTION, 9, built.records, (&key.id, expanded)).unwrap();
    let mut older = SyncdSnapshot::decode(snapshot.bytes).unwrap();
    older.version.as_mut().unwrap().version = Some(8);
    let bytes = older.encode_to_vec();
    let apply = || apply_snapshot(COLLECTION, 0, &bytes, &ring, SnapshotPolicy::Strict);
    assert_eq!(apply(), Err(AppStateError::SnapshotMacMismatch));
    assert!(broken(Rule::SnapshotMac, apply).is_ok());
}

#[test]
fn a_diverged_collection_goes_on_and_a_strict_one_stops() {
    let ring = ring();
    let mut writer = Device::default();
    writer.commit(&build(&writer, &ring, &[set("a")]).applied);
    let patch = build(&writer, &ring, &[set("b")]).bytes;
    let mut lost = Device { head: Head { version: 1, ..Head::default() }, ..Device::default() };
    let applied = lost.apply(&patch, &ring).unwrap().unwrap();
    assert!(applied.head.diverged);
    let strict =
        apply_patch(COLLECTION, &lost.head, &lost.rows, &patch, None, None, &ring, PatchPolicy::Strict);
    assert_eq!(strict, Err(AppStateError::PatchSnapshotMacMismatch));
    lost.commit(&applied);
    assert_eq!(lost.head.version, 2);
}

#[test]
fn a_snapshot_replaces_everything_and_damage_is_refused_or_left_out() {
    let ring = ring();
    let built = build(&Device::default(), &ring, &[set("a"), set("b")]);
    let (key, expanded) = ring.active().unwrap();
    let snapshot = build_snapshot(COLLECTION, 9, built.records.clone(), (&key.id, expanded)).unwrap();
    let apply = |bytes: &[u8], policy| apply_snapshot(COLLECTION, 0, bytes, &ring, policy);
    let applied = apply(&snapshot.bytes, SnapshotPolicy::Strict).unwrap().unwrap();
    assert_eq!((applied.head.version, applied.records.len()), (9, 2));
    assert_eq!(applied.head.hash, built.applied.head.hash);
    assert_eq!(apply_snapshot(COLLECTION, 9, &snapshot.bytes, &ring, SnapshotPolicy::Strict), Ok(None));

    let mut damaged = built.records;
    let blob = damaged[0].value.as_mut().unwrap();
    let mut bytes = blob.blob.clone().unwrap().to_vec();
    bytes[20] ^= 1;
    blob.blob = Some(bytes.into());
    let snapshot = build_snapshot(COLLECTION, 9, damaged, (&key.id, expanded)).unwrap();
    assert_eq!(apply(&snapshot.bytes, SnapshotPolicy::Strict), Err(AppStateError::ValueMacMismatch));
    let kept = apply(&snapshot.bytes, SnapshotPolicy::Degraded).unwrap().unwrap();
    assert!(kept.head.diverged);
    assert_eq!(kept.records.len(), 1);
}

#[test]
fn an_unknown_key_blocks_and_names_itself() {
    let patch = build(&Device::default(), &ring(), &[set("a")]).bytes;
    let missing = Device::default().apply(&patch, &KeyRing::default());
    assert_eq!(missing, Err(AppStateError::KeyMissing(vec![keys::key_id(0, 1)])));
}

#[test]
fn a_key_ring_keeps_the_newer_key_and_writes_with_the_highest_epoch() {
    let mut ring = ring();
    let key = |epoch, timestamp_ms| SyncKey {
        id: keys::key_id(0, epoch),
        data: Secret::new([9; 32]),
        timestamp_ms,
    };
    assert!(!ring.insert(key(1, 1)));
    assert!(ring.insert(key(1, 2)) && ring.insert(key(7, 0)));
    assert_eq!(ring.active().unwrap().0.id, keys::key_id(0, 7));
    ring.expire(7);
    assert!(ring.active().is_none());
    assert!(ring.expanded(&keys::key_id(0, 7)).is_some());
}
