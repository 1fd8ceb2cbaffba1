//! One record: encrypting a mutation and reading it back (chapter 07 §4).

use bytes::Bytes;
use prost::Message as _;
use wa_crypto::{cbc, ct_eq, mac};
use wa_proto::app_state::{KeyId, SyncdIndex, SyncdMutation, SyncdRecord, SyncdValue};
use wa_proto::sync_action::SyncActionValue;

use super::{AppStateError, ExpandedKeys, KeyRing, MAX_INDEX, index};
use crate::sabotage::{self, Rule};

/// What a mutation does to its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Writes it.
    Set,
    /// Deletes it.
    Remove,
}

impl Operation {
    /// # Errors
    /// [`AppStateError::UnsupportedOperation`]; absent means SET.
    pub(super) fn from_wire(value: Option<i32>) -> Result<Self, AppStateError> {
        match value.unwrap_or_default() {
            0 => Ok(Self::Set),
            1 => Ok(Self::Remove),
            other => Err(AppStateError::UnsupportedOperation(other)),
        }
    }

    const fn to_wire(self) -> i32 {
        match self {
            Self::Set => 0,
            Self::Remove => 1,
        }
    }

    /// First byte of the MAC's associated data.
    const fn mac_byte(self) -> u8 {
        match self {
            Self::Set => 1,
            Self::Remove => 2,
        }
    }
}

/// A change of one record in plain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutation {
    /// SET or REMOVE.
    pub operation: Operation,
    /// The index's JSON bytes, verbatim.
    pub index: Bytes,
    /// `SyncActionValue` bytes, verbatim; a REMOVE may have none.
    pub value: Option<Bytes>,
    /// The action's version.
    pub version: i32,
    /// Filler that hides the length; writers leave it empty.
    pub padding: Bytes,
}

/// A mutation that was read, with what the store keeps of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadMutation {
    /// The change.
    pub mutation: Mutation,
    /// Names the record.
    pub index_mac: [u8; 32],
    /// Its part in the hash.
    pub value_mac: [u8; 32],
    /// The key that it was written with.
    pub key_id: Bytes,
}

impl Mutation {
    /// A SET or REMOVE by index parts, with empty padding.
    pub fn new<S: AsRef<str>>(
        operation: Operation,
        index_parts: &[S],
        value: &SyncActionValue,
        version: i32,
    ) -> Self {
        Self {
            operation,
            index: index::write(index_parts).into(),
            value: Some(value.encode_to_vec().into()),
            version,
            padding: Bytes::new(),
        }
    }

    /// The index as text parts; `None` when it is not readable: surface the mutation raw.
    pub fn index_parts(&self) -> Option<Vec<String>> {
        index::parse(&self.index)
    }

    /// The value as a message; `None` without one or when it does not decode.
    pub fn action(&self) -> Option<SyncActionValue> {
        SyncActionValue::decode(self.value.clone()?).ok()
    }

    /// `SyncActionData`.
    pub fn plaintext(&self) -> Vec<u8> {
        ActionData {
            index: Some(self.index.clone()),
            value: self.value.clone(),
            padding: Some(self.padding.clone()),
            version: Some(self.version),
        }
        .encode_to_vec()
    }

    /// Encrypts with the given IV, which must be random and used once.
    pub fn encrypt(&self, key_id: &Bytes, keys: &ExpandedKeys, iv: &[u8; 16]) -> SyncdMutation {
        let mut blob = iv.to_vec();
        blob.extend(cbc::encrypt(keys.value_encryption.expose(), iv, &self.plaintext()));
        let value_mac = value_mac(keys, self.operation, key_id, &blob);
        blob.extend_from_slice(&value_mac);
        let record = SyncdRecord {
            index: Some(Box::new(SyncdIndex {
                blob: Some(Bytes::copy_from_slice(&index_mac(keys, &self.index))),
            })),
            value: Some(Box::new(SyncdValue { blob: Some(blob.into()) })),
            key_id: Some(Box::new(KeyId { id: Some(key_id.clone()) })),
        };
        SyncdMutation { operation: Some(self.operation.to_wire()), record: Some(Box::new(record)) }
    }
}

/// The parts of a record whose sizes are right; nothing is verified yet.
#[derive(Clone, Debug)]
pub(super) struct Sized {
    pub(super) operation: Operation,
    pub(super) index_mac: [u8; 32],
    pub(super) value_mac: [u8; 32],
    pub(super) key_id: Bytes,
    blob: Bytes,
}

impl Sized {
    pub(super) fn new(operation: Operation, record: Option<&SyncdRecord>) -> Result<Self, AppStateError> {
        let record = record.ok_or(AppStateError::MalformedRecord("no record"))?;
        let index = record.index.as_ref().and_then(|index| index.blob.as_deref()).unwrap_or_default();
        let index_mac = index.try_into().map_err(|_| AppStateError::MalformedRecord("index"))?;
        let blob = record
            .value
            .as_ref()
            .and_then(|value| value.blob.clone())
            .ok_or(AppStateError::MalformedRecord("no value"))?;
        let key_id = record
            .key_id
            .as_ref()
            .and_then(|key| key.id.clone())
            .ok_or(AppStateError::MalformedRecord("no key id"))?;
        let value_mac = match blob.last_chunk() {
            Some(mac) if blob.len() >= 64 && blob.len() % 16 == 0 => *mac,
            _ => return Err(AppStateError::ValueBlobTooShort(blob.len())),
        };
        Ok(Self { operation, index_mac, value_mac, key_id, blob })
    }

    /// Verifies and decrypts.
    pub(super) fn read(&self, ring: &KeyRing) -> Result<ReadMutation, AppStateError> {
        let keys = ring
            .expanded(&self.key_id)
            .ok_or_else(|| AppStateError::KeyMissing(vec![self.key_id.clone()]))?;
        let body = &self.blob[..self.blob.len() - 32];
        let fits = ct_eq(&value_mac(keys, self.operation, &self.key_id, body), &self.value_mac);
        if !fits && !sabotage::on(Rule::ValueMac) {
            return Err(AppStateError::ValueMacMismatch);
        }
        let (iv, ciphertext) =
            body.split_first_chunk().ok_or(AppStateError::ValueBlobTooShort(body.len()))?;
        let plaintext = cbc::decrypt(keys.value_encryption.expose(), iv, ciphertext)
            .map_err(|_| AppStateError::DecryptionFailed)?;
        let data =
            ActionData::decode(Bytes::from(plaintext)).map_err(|_| AppStateError::ActionDecodeFailed)?;
        let version = data.version.ok_or(AppStateError::ActionDecodeFailed)?;
        let index = data.index.unwrap_or_default();
        if index.len() > MAX_INDEX {
            return Err(AppStateError::TooLarge("index"));
        }
        if !ct_eq(&index_mac(keys, &index), &self.index_mac) && !sabotage::on(Rule::IndexMac) {
            return Err(AppStateError::IndexMacMismatch);
        }
        Ok(ReadMutation {
            mutation: Mutation {
                operation: self.operation,
                index,
                value: data.value,
                version,
                padding: data.padding.unwrap_or_default(),
            },
            index_mac: self.index_mac,
            value_mac: self.value_mac,
            key_id: self.key_id.clone(),
        })
    }
}

/// Reads one mutation of a patch, or one record of a snapshot (as SET).
///
/// # Errors
/// [`AppStateError`].
pub fn read(mutation: &SyncdMutation, ring: &KeyRing) -> Result<ReadMutation, AppStateError> {
    Sized::new(Operation::from_wire(mutation.operation)?, mutation.record.as_deref())?.read(ring)
}

/// The name of a record under one key.
pub fn index_mac(keys: &ExpandedKeys, index: &[u8]) -> [u8; 32] {
    mac::hmac_sha256(keys.index.expose(), &[index])
}

/// Over operation, key id, iv and ciphertext; the length byte counts the first two.
fn value_mac(keys: &ExpandedKeys, operation: Operation, key_id: &[u8], body: &[u8]) -> [u8; 32] {
    let mut length = [0; 8];
    length[7] = (key_id.len() as u8).wrapping_add(1);
    let full = mac::hmac_sha512(keys.value_mac.expose(), &[&[operation.mac_byte()], key_id, body, &length]);
    let mut cut = [0; 32];
    cut.copy_from_slice(&full[..32]);
    cut
}

/// `SyncActionData` with the value as the bytes that travelled: prost would drop what it does not know.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ActionData {
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub(super) index: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub(super) value: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub(super) padding: Option<Bytes>,
    #[prost(int32, optional, tag = "4")]
    pub(super) version: Option<i32>,
}
