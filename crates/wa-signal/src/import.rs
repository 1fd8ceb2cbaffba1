//! Records made of parts that another library's store kept (chapter 04 §22.3), so that an account can move without
//! linking again. Parsing those stores is not done here.

use wa_crypto::Secret;
use wa_crypto::curve::{KeyPair, PublicKey};

use crate::limits::{MAX_ARCHIVED_SESSIONS, MAX_RECEIVING_CHAINS, MAX_SENDER_KEY_STATES, MAX_SKIPPED_KEYS};
use crate::ratchet::{ChainKey, RootKey};
use crate::session::{Pending, RatchetId, ReceivingChain, Sending, SendingChain, Session};
use crate::skipped::SkippedKeys;
use crate::{
    Corruption, IdentityKey, LocalIdentity, MessageSeed, SenderKeyDistribution, SenderKeyRecord, SessionId,
    SessionRecord, SignalError,
};

/// One session of another store.
#[derive(Debug, Clone)]
pub struct ImportedSession {
    /// The peer's identity in this session.
    pub remote_identity: IdentityKey,
    /// The peer's registration id, 0 when unknown.
    pub remote_registration_id: u32,
    /// The initiator's base key.
    pub base_key: PublicKey,
    /// Root key after the last step.
    pub root_key: RootKey,
    /// Counter of the last message of the sending chain before the present one, or 0.
    pub previous_counter: u32,
    /// Own ratchet key pair.
    pub ratchet: KeyPair,
    /// Sending chain key.
    pub sending_key: ChainKey,
    /// Counter of the next message to send.
    pub sending_index: u32,
    /// Receiving chains, oldest first. Of more than five the oldest are dropped.
    pub receiving: Vec<ImportedChain>,
    /// Present while the peer has not answered.
    pub unacknowledged: Option<ImportedUnacknowledged>,
}

/// One receiving chain of another store.
#[derive(Debug, Clone)]
pub struct ImportedChain {
    /// The peer's ratchet key.
    pub ratchet_key: PublicKey,
    /// Chain key; absent when the store closed the chain.
    pub chain_key: Option<ChainKey>,
    /// Counter of the next message. (Some stores keep the last used counter: one less.)
    pub next_index: u32,
    /// Keys of skipped messages, in any order. Of more than 2,000 the lowest are dropped.
    pub skipped: Vec<(u32, ImportedKey)>,
}

/// A skipped message's key.
#[derive(Debug, Clone)]
pub enum ImportedKey {
    /// The seed.
    Seed(MessageSeed),
    /// Cipher key (32), MAC key (32), IV (16).
    Expanded(Secret<80>),
}

/// What an unanswered initiator repeats.
#[derive(Debug, Clone, Copy)]
pub struct ImportedUnacknowledged {
    /// Id of the peer's signed pre-key.
    pub signed_pre_key_id: u32,
    /// Id of the peer's one-time pre-key, if one was used.
    pub pre_key_id: Option<u32>,
    /// When the session was started, in seconds.
    pub created: u64,
}

/// One received sender key of another store.
#[derive(Debug, Clone)]
pub struct ImportedSenderKey {
    /// Id, next iteration, chain key and signing key.
    pub state: SenderKeyDistribution,
    /// Skipped seeds by iteration, in any order.
    pub skipped: Vec<(u32, MessageSeed)>,
}

impl SessionRecord {
    /// A record of sessions with one peer device; `archived` newest first, of which at most 40 are kept.
    ///
    /// # Errors
    /// [`SignalError::CorruptRecord`] when the parts contradict each other.
    pub fn import(
        local: &LocalIdentity,
        current: Option<ImportedSession>,
        archived: impl IntoIterator<Item = ImportedSession>,
    ) -> Result<Self, SignalError> {
        let mut oldest_first = archived.into_iter().take(MAX_ARCHIVED_SESSIONS).collect::<Vec<_>>();
        oldest_first.reverse();
        let mut record = Self::new();
        for session in oldest_first {
            record.install(local, session.try_into()?);
        }
        record.archive_current();
        if let Some(session) = current {
            record.install(local, session.try_into()?);
        }
        Ok(record)
    }
}

impl SenderKeyRecord {
    /// A record of the keys of one sender, newest first, of which at most five are kept.
    ///
    /// # Errors
    /// [`SignalError::CorruptRecord`] when the parts contradict each other.
    pub fn import(keys: impl IntoIterator<Item = ImportedSenderKey>) -> Result<Self, SignalError> {
        let mut record = Self::new();
        let mut oldest_first = keys.into_iter().take(MAX_SENDER_KEY_STATES).collect::<Vec<_>>();
        oldest_first.reverse();
        for key in oldest_first {
            let skipped = sorted(key.skipped, key.state.iteration)?;
            record.adopt(&key.state, skipped);
        }
        Ok(record)
    }
}

impl TryFrom<ImportedSession> for Session {
    type Error = SignalError;

    fn try_from(parts: ImportedSession) -> Result<Self, SignalError> {
        let surplus = parts.receiving.len().saturating_sub(MAX_RECEIVING_CHAINS);
        let mut receiving: Vec<ReceivingChain> = Vec::with_capacity(MAX_RECEIVING_CHAINS);
        for chain in parts.receiving.into_iter().skip(surplus) {
            let chain = ReceivingChain::try_from(chain)?;
            if receiving.iter().any(|other| other.ratchet == chain.ratchet) {
                return Err(Corruption::Value("receiving chain").into());
            }
            receiving.push(chain);
        }
        Ok(Self {
            remote_identity: parts.remote_identity,
            remote_registration_id: parts.remote_registration_id,
            id: SessionId::of(&parts.base_key),
            root: parts.root_key,
            previous_counter: parts.previous_counter,
            sending: Sending::Ready(SendingChain {
                pair: parts.ratchet,
                key: parts.sending_key,
                index: parts.sending_index,
            }),
            pending: parts.unacknowledged.map(|pending| Pending {
                base_key: parts.base_key,
                signed_pre_key_id: pending.signed_pre_key_id,
                pre_key_id: pending.pre_key_id,
                created: pending.created,
            }),
            receiving,
        })
    }
}

impl TryFrom<ImportedChain> for ReceivingChain {
    type Error = SignalError;

    fn try_from(parts: ImportedChain) -> Result<Self, SignalError> {
        let (mut seeds, mut expanded) = (Vec::new(), Vec::new());
        for (counter, key) in parts.skipped {
            match key {
                ImportedKey::Seed(seed) => seeds.push((counter, seed)),
                ImportedKey::Expanded(keys) => expanded.push((counter, keys)),
            }
        }
        Ok(Self {
            ratchet: RatchetId::of(&parts.ratchet_key),
            key: parts.chain_key,
            index: parts.next_index,
            seeds: sorted(seeds, parts.next_index)?,
            expanded: sorted(expanded, parts.next_index)?,
        })
    }
}

fn sorted<const KEY: usize>(
    mut keys: Vec<(u32, Secret<KEY>)>,
    next: u32,
) -> Result<SkippedKeys<KEY>, SignalError> {
    keys.sort_by_key(|(counter, _)| *counter);
    let surplus = keys.len().saturating_sub(MAX_SKIPPED_KEYS);
    let mut sorted = SkippedKeys::with_capacity(keys.len() - surplus);
    let mut last = None;
    for (counter, key) in &keys[surplus..] {
        if Some(*counter) == last || *counter >= next {
            return Err(Corruption::Value("counter of a skipped key").into());
        }
        sorted.push(*counter, key.expose());
        last = Some(*counter);
    }
    Ok(sorted)
}
