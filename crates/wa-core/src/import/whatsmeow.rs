//! whatsmeow's store: addresses as `user[_domain]:device`; records as the JSON that its Signal library writes for its
//! structures, or as the protobufs of the Signal libraries. Either is read; the first byte tells them apart.

use bytes::Bytes;
use prost::Message as _;
use serde::Deserialize;
use wa_binary::DeviceJid;
use wa_proto::signal::sender_key_state_structure::{SenderChainKey, SenderMessageKey, SenderSigningKey};
use wa_proto::signal::session_structure::{Chain, PendingPreKey, chain};
use wa_proto::signal::{
    RecordStructure, SenderKeyRecordStructure, SenderKeyStateStructure, SessionStructure,
};
use wa_signal::{LocalIdentity, SessionRecord};

use super::json::{Blob, read};
use super::{ImportError, ImportedSenderKeys, protobuf};

/// The device that an address names.
///
/// # Errors
/// [`ImportError::Address`].
pub fn address(text: &str) -> Result<DeviceJid, ImportError> {
    super::device(text, ":")
}

/// A session record. `now` is when unanswered sessions are taken to have begun, in seconds; the store does not say.
///
/// # Errors
/// [`ImportError`], when anything in it is missing, malformed, or of another account.
pub fn session(bytes: &[u8], local: &LocalIdentity, now: u64) -> Result<SessionRecord, ImportError> {
    let record = if is_json(bytes) {
        read::<StoredRecord>(bytes)?.into()
    } else {
        RecordStructure::decode(bytes).map_err(|_| ImportError::Protobuf)?
    };
    protobuf::session(&record, local, now)
}

/// A sender-key record.
///
/// # Errors
/// [`ImportError`], when anything in it is missing or malformed.
pub fn sender_key(bytes: &[u8]) -> Result<ImportedSenderKeys, ImportError> {
    let record = if is_json(bytes) {
        read::<StoredSenderKeys>(bytes)?.into()
    } else {
        SenderKeyRecordStructure::decode(bytes).map_err(|_| ImportError::Protobuf)?
    };
    protobuf::sender_key(&record)
}

/// No protobuf record begins with a brace: it would be a group, which these have none of.
fn is_json(bytes: &[u8]) -> bool {
    bytes.first() == Some(&b'{')
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StoredRecord {
    session_state: Option<StoredSession>,
    previous_states: Option<Vec<StoredSession>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StoredSession {
    local_identity_public: Option<Blob>,
    pending_pre_key: Option<StoredPending>,
    previous_counter: u32,
    receiver_chains: Option<Vec<StoredChain>>,
    remote_identity_public: Option<Blob>,
    #[serde(rename = "RemoteRegistrationID")]
    remote_registration_id: u32,
    root_key: Option<Blob>,
    sender_base_key: Option<Blob>,
    sender_chain: Option<StoredChain>,
    session_version: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StoredChain {
    sender_ratchet_key_public: Option<Blob>,
    sender_ratchet_key_private: Option<Blob>,
    chain_key: Option<StoredChainKey>,
    message_keys: Option<Vec<StoredMessageKey>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StoredChainKey {
    key: Option<Blob>,
    index: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StoredMessageKey {
    cipher_key: Blob,
    mac_key: Blob,
    #[serde(rename = "IV")]
    iv: Blob,
    index: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StoredPending {
    #[serde(rename = "PreKeyID")]
    pre_key_id: Option<StoredNumber>,
    #[serde(rename = "SignedPreKeyID")]
    signed_pre_key_id: u32,
    base_key: Option<Blob>,
}

/// A number that may be absent.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StoredNumber {
    value: u32,
    is_empty: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StoredSenderKeys {
    sender_key_states: Option<Vec<StoredSenderKey>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StoredSenderKey {
    keys: Option<Vec<StoredSenderMessageKey>>,
    #[serde(rename = "KeyID")]
    key_id: u32,
    sender_chain_key: StoredSenderChain,
    signing_key_private: Option<Blob>,
    signing_key_public: Option<Blob>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StoredSenderChain {
    iteration: u32,
    chain_key: Option<Blob>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StoredSenderMessageKey {
    iteration: u32,
    seed: Option<Blob>,
}

impl From<StoredRecord> for RecordStructure {
    fn from(stored: StoredRecord) -> Self {
        Self {
            current_session: stored.session_state.map(|session| Box::new(session.into())),
            previous_sessions: stored.previous_states.into_iter().flatten().map(Into::into).collect(),
        }
    }
}

impl From<StoredSession> for SessionStructure {
    fn from(stored: StoredSession) -> Self {
        Self {
            session_version: Some(stored.session_version),
            local_identity_public: given(stored.local_identity_public),
            remote_identity_public: given(stored.remote_identity_public),
            root_key: given(stored.root_key),
            previous_counter: Some(stored.previous_counter),
            sender_chain: stored.sender_chain.map(|chain| Box::new(chain.into())),
            receiver_chains: stored.receiver_chains.into_iter().flatten().map(Into::into).collect(),
            pending_pre_key: stored.pending_pre_key.map(|pending| Box::new(pending.into())),
            remote_registration_id: Some(stored.remote_registration_id),
            alice_base_key: given(stored.sender_base_key),
            ..Self::default()
        }
    }
}

impl From<StoredChain> for Chain {
    fn from(stored: StoredChain) -> Self {
        let message_keys = stored.message_keys.into_iter().flatten().map(|key| chain::MessageKey {
            index: Some(key.index),
            cipher_key: Some(key.cipher_key.0.into()),
            mac_key: Some(key.mac_key.0.into()),
            iv: Some(key.iv.0.into()),
        });
        Self {
            sender_ratchet_key: given(stored.sender_ratchet_key_public),
            sender_ratchet_key_private: given(stored.sender_ratchet_key_private),
            chain_key: stored.chain_key.map(|stored| {
                Box::new(chain::ChainKey { index: Some(stored.index), key: given(stored.key) })
            }),
            message_keys: message_keys.collect(),
        }
    }
}

impl From<StoredPending> for PendingPreKey {
    fn from(stored: StoredPending) -> Self {
        Self {
            pre_key_id: stored.pre_key_id.filter(|id| !id.is_empty).map(|id| id.value),
            // A number past the type's range is refused where it is read.
            signed_pre_key_id: Some(i32::try_from(stored.signed_pre_key_id).unwrap_or(-1)),
            base_key: given(stored.base_key),
            ..Default::default()
        }
    }
}

impl From<StoredSenderKeys> for SenderKeyRecordStructure {
    fn from(stored: StoredSenderKeys) -> Self {
        Self { sender_key_states: stored.sender_key_states.into_iter().flatten().map(Into::into).collect() }
    }
}

impl From<StoredSenderKey> for SenderKeyStateStructure {
    fn from(stored: StoredSenderKey) -> Self {
        // What an older version expanded without keeping the seed cannot be carried over: the messages will be asked
        // for again.
        let keys = stored.keys.into_iter().flatten().filter_map(|key| {
            Some(SenderMessageKey { iteration: Some(key.iteration), seed: Some(key.seed?.0.into()) })
        });
        Self {
            sender_key_id: Some(stored.key_id),
            sender_chain_key: Some(Box::new(SenderChainKey {
                iteration: Some(stored.sender_chain_key.iteration),
                seed: given(stored.sender_chain_key.chain_key),
            })),
            sender_signing_key: Some(Box::new(SenderSigningKey {
                public: given(stored.signing_key_public),
                private: given(stored.signing_key_private),
            })),
            sender_message_keys: keys.collect(),
        }
    }
}

fn given(blob: Option<Blob>) -> Option<Bytes> {
    blob.map(|blob| blob.0.into())
}
