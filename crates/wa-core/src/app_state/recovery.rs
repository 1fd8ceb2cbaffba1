//! The phone's plain snapshot, the answer to a recovery request (chapter 07 §7.6). It carries no MAC over the whole:
//! trust rests on the Signal session with device 0, which the caller has checked.

use std::collections::BTreeMap;
use std::io::Read as _;

use bytes::Bytes;
use prost::Message as _;

use super::mutation::{ReadMutation, index_mac};
use super::{AppStateError, Applied, Head, KeyRing, LtHash, MAX_RECORDS, Mutation, Operation, RecordChange};

/// Largest inflated blob, bytes.
pub const MAX_INFLATED: u64 = 64 << 20;

/// A recovery blob that was read.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// Wire name of the collection it is for: compare it with the one that was asked about.
    pub collection: String,
    /// The new state; all rows are listed.
    pub applied: Applied,
    /// The records add up to the hash that the phone gave. When not: log it, the given hash wins.
    pub hash_fits: bool,
}

/// Reads `SyncdSnapshotFatalRecoveryResponse.collectionSnapshot`, gzipped or not. `Ok(None)` when it is not newer than
/// the local version.
///
/// # Errors
/// [`AppStateError::RecoveryInvalid`], [`AppStateError::KeyMissing`], [`AppStateError::TooLarge`].
pub fn read(
    snapshot: &[u8],
    compressed: bool,
    local_version: u64,
    ring: &KeyRing,
) -> Result<Option<Recovered>, AppStateError> {
    let inflated;
    let bytes = if compressed {
        inflated = inflate(snapshot)?;
        inflated.as_slice()
    } else {
        snapshot
    };
    let message = Recovery::decode(Bytes::copy_from_slice(bytes))
        .map_err(|_| AppStateError::RecoveryInvalid("no protobuf"))?;
    let version = message
        .version
        .and_then(|version| version.version)
        .ok_or(AppStateError::RecoveryInvalid("no version"))?;
    let hash: [u8; LtHash::LEN] = message
        .collection_lthash
        .as_deref()
        .unwrap_or_default()
        .try_into()
        .map_err(|_| AppStateError::RecoveryInvalid("hash length"))?;
    if message.mutation_records.len() > MAX_RECORDS {
        return Err(AppStateError::TooLarge("recovery"));
    }
    if version <= local_version {
        return Ok(None);
    }
    let mut missing = Vec::new();
    let mut sum = LtHash::EMPTY;
    let mut read = Vec::with_capacity(message.mutation_records.len());
    for record in message.mutation_records {
        let key_id = record.key_id.unwrap_or_default();
        let value_mac = record
            .mac
            .as_deref()
            .unwrap_or_default()
            .try_into()
            .map_err(|_| AppStateError::RecoveryInvalid("value MAC length"))?;
        let data = record.value.ok_or(AppStateError::RecoveryInvalid("record without value"))?;
        let index = data.index.unwrap_or_default();
        let Some(keys) = ring.expanded(&key_id) else {
            if !missing.contains(&key_id) {
                missing.push(key_id);
            }
            continue;
        };
        sum.add(&value_mac);
        read.push(ReadMutation {
            index_mac: index_mac(keys, &index),
            value_mac,
            key_id,
            mutation: Mutation {
                operation: Operation::Set,
                index,
                value: data.value,
                version: data.version.unwrap_or_default(),
                padding: data.padding.unwrap_or_default(),
            },
        });
    }
    if !missing.is_empty() {
        return Err(AppStateError::KeyMissing(missing));
    }
    let live: BTreeMap<_, _> = read
        .iter()
        .map(|mutation| (mutation.index_mac, (mutation.value_mac, mutation.key_id.clone())))
        .collect();
    let hash = LtHash::from_bytes(hash);
    Ok(Some(Recovered {
        collection: message.collection_name.unwrap_or_default(),
        hash_fits: hash == sum,
        applied: Applied {
            head: Head { version, hash, diverged: false },
            records: live
                .into_iter()
                .map(|(index_mac, live)| RecordChange { index_mac, live: Some(live) })
                .collect(),
            mutations: read,
            missing_removes: 0,
        },
    }))
}

fn inflate(bytes: &[u8]) -> Result<Vec<u8>, AppStateError> {
    let mut content = Vec::new();
    let mut reader = flate2::read::GzDecoder::new(bytes).take(MAX_INFLATED + 1);
    reader.read_to_end(&mut content).map_err(|_| AppStateError::RecoveryInvalid("no gzip"))?;
    match content.len() as u64 > MAX_INFLATED {
        true => Err(AppStateError::TooLarge("recovery")),
        false => Ok(content),
    }
}

/// `SyncdSnapshotRecovery` with the values as the bytes that travelled.
#[derive(Clone, PartialEq, prost::Message)]
struct Recovery {
    #[prost(message, optional, tag = "1")]
    version: Option<wa_proto::app_state::SyncdVersion>,
    #[prost(string, optional, tag = "2")]
    collection_name: Option<String>,
    #[prost(message, repeated, tag = "3")]
    mutation_records: Vec<PlainRecord>,
    #[prost(bytes = "bytes", optional, tag = "4")]
    collection_lthash: Option<Bytes>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PlainRecord {
    #[prost(message, optional, tag = "1")]
    value: Option<super::mutation::ActionData>,
    #[prost(bytes = "bytes", optional, tag = "2")]
    key_id: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "3")]
    mac: Option<Bytes>,
}
