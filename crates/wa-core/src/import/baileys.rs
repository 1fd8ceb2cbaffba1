//! Baileys' store: addresses as `user[_domain].device`, JSON values. Chain counters are those of the last message, -1
//! for none; a chain without its key is closed; of sender keys the newest comes last. Bytes may be base64 text, lists
//! of numbers, or either of them inside `{"type":"Buffer","data":..}`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use wa_binary::DeviceJid;
use wa_signal::import::{
    ImportedChain, ImportedKey, ImportedSenderKey, ImportedSession, ImportedUnacknowledged,
};
use wa_signal::ratchet::{ChainKey, RootKey};
use wa_signal::{
    IdentityKey, LocalIdentity, OwnSenderKey, PreKey, SenderKeyDistribution, SenderKeyRecord, SessionRecord,
    SignedPreKey,
};

use super::json::{Blob, Ordered, read};
use super::{ImportError, ImportedSenderKeys, key_pair, public_key, secret};

/// The device that an address names.
///
/// # Errors
/// [`ImportError::Address`].
pub fn address(text: &str) -> Result<DeviceJid, ImportError> {
    super::device(text, ".")
}

/// Group and sender that the name of a sender key holds: `group::user[_domain]::device`.
///
/// # Errors
/// [`ImportError::Address`].
pub fn sender_key_name(text: &str) -> Result<(wa_binary::Jid, DeviceJid), ImportError> {
    let (group, sender) = text.split_once("::").ok_or(ImportError::Address)?;
    let group = group.parse().map_err(|_| ImportError::Address)?;
    Ok((group, super::device(sender, "::")?))
}

/// A session record (`session`).
///
/// # Errors
/// [`ImportError`], when anything in it is missing or malformed.
pub fn session(json: &[u8], local: &LocalIdentity) -> Result<SessionRecord, ImportError> {
    let record: StoredRecord = read(json)?;
    let (mut current, mut archived) = (None, Vec::new());
    for (_, session) in record.sessions.0 {
        let closed = session.index_info.closed;
        let converted = one_session(session)?;
        // Only one is open; what else says so was closed last.
        if closed < 0 && current.is_none() {
            current = Some(converted);
        } else {
            archived.push((if closed < 0 { i64::MAX } else { closed }, converted));
        }
    }
    archived.sort_by_key(|(closed, _)| std::cmp::Reverse(*closed));
    Ok(SessionRecord::import(local, current, archived.into_iter().map(|(_, session)| session))?)
}

/// A sender-key record (`sender-key`).
///
/// # Errors
/// [`ImportError`], when anything in it is missing or malformed.
pub fn sender_key(json: &[u8]) -> Result<ImportedSenderKeys, ImportError> {
    let states: Vec<StoredSenderKey> = read(json)?;
    let own = states.last().map(own_key).transpose()?.flatten();
    let mut received: Vec<ImportedSenderKey> = Vec::with_capacity(states.len().min(8));
    for state in &states {
        // Of a repeated key the oldest is the one in use.
        if !received.iter().any(|known| known.state.key_id == state.sender_key_id) {
            received.push(one_key(state)?);
        }
    }
    received.reverse();
    Ok(ImportedSenderKeys { own, received: SenderKeyRecord::import(received)? })
}

/// The identity of a peer (`identity-key`).
///
/// # Errors
/// [`ImportError`].
pub fn identity(json: &[u8]) -> Result<IdentityKey, ImportError> {
    super::identity(&read::<Blob>(json)?.0)
}

/// The own identity and signed pre-key from the credentials (`creds`).
///
/// # Errors
/// [`ImportError`].
pub fn credentials(json: &[u8]) -> Result<(LocalIdentity, SignedPreKey), ImportError> {
    let creds: StoredCredentials = read(json)?;
    let pair = &creds.signed_identity_key;
    key_pair(&pair.private.0, &pair.public.0, "identity")?;
    let local = super::local_identity(&pair.private.0, creds.registration_id)?;
    let signed = &creds.signed_pre_key;
    key_pair(&signed.key_pair.private.0, &signed.key_pair.public.0, "signed pre-key")?;
    let signed =
        super::signed_pre_key(&local, signed.key_id, &signed.key_pair.private.0, &signed.signature.0)?;
    Ok((local, signed))
}

/// An own one-time pre-key (`pre-key`).
///
/// # Errors
/// [`ImportError`].
pub fn pre_key(id: u32, json: &[u8]) -> Result<PreKey, ImportError> {
    let pair: StoredPair = read(json)?;
    key_pair(&pair.private.0, &pair.public.0, "pre-key")?;
    super::pre_key(id, &pair.private.0)
}

fn one_session(session: StoredSession) -> Result<ImportedSession, ImportError> {
    let ratchet = session.current_ratchet;
    let info = session.index_info;
    let pair = key_pair(&ratchet.ephemeral.private.0, &ratchet.ephemeral.public.0, "ratchet key")?;
    let newest = ratchet.last_remote.0;
    let (mut sending, mut receiving) = (None, Vec::new());
    for (key, chain) in session.chains.0 {
        let key = STANDARD.decode(key).map_err(|_| ImportError::Field("ratchet key"))?;
        let next_index = next(chain.chain_key.counter)?;
        let chain_key = match &chain.chain_key.key {
            Some(key) => Some(ChainKey::new(*secret::<32>(&key.0, "chain key")?.expose())),
            None => None,
        };
        if public_key(&key, "ratchet key")? == *pair.public() {
            let chain_key = chain_key.ok_or(ImportError::Missing("sending chain key"))?;
            sending = Some((chain_key, next_index));
            continue;
        }
        let skipped = chain.message_keys.0.into_iter().map(|(counter, seed)| {
            let counter = counter.parse().map_err(|_| ImportError::Field("message counter"))?;
            Ok((counter, ImportedKey::Seed(secret(&seed.0, "message seed")?)))
        });
        let chain = ImportedChain {
            ratchet_key: public_key(&key, "ratchet key")?,
            chain_key,
            next_index,
            skipped: skipped.collect::<Result<_, ImportError>>()?,
        };
        receiving.push((key == newest, chain));
    }
    // The order in which they were made is that of the text; the newest is named besides.
    receiving.sort_by_key(|(newest, _)| *newest);
    let (sending_key, sending_index) = sending.ok_or(ImportError::Missing("sending chain"))?;
    Ok(ImportedSession {
        remote_identity: super::identity(&info.remote_identity.0)?,
        remote_registration_id: session.registration_id.unwrap_or(0),
        base_key: public_key(&info.base_key.0, "base key")?,
        root_key: RootKey::new(*secret::<32>(&ratchet.root_key.0, "root key")?.expose()),
        previous_counter: u32::try_from(ratchet.previous_counter.max(0))
            .map_err(|_| ImportError::Field("previous counter"))?,
        ratchet: pair,
        sending_key,
        sending_index,
        receiving: receiving.into_iter().map(|(_, chain)| chain).collect(),
        unacknowledged: session.pending_pre_key.map(|pending| ImportedUnacknowledged {
            signed_pre_key_id: pending.signed_key_id,
            pre_key_id: pending.pre_key_id,
            created: u64::try_from(info.created).unwrap_or(0) / 1000,
        }),
    })
}

/// The counter after the last used one.
fn next(counter: i64) -> Result<u32, ImportError> {
    counter
        .checked_add(1)
        .and_then(|next| u32::try_from(next).ok())
        .ok_or(ImportError::Field("chain counter"))
}

fn own_key(state: &StoredSenderKey) -> Result<Option<OwnSenderKey>, ImportError> {
    let signing = &state.sender_signing_key;
    let Some(private) = signing.private.as_ref().filter(|key| !key.0.is_empty()) else { return Ok(None) };
    let pair = key_pair(&private.0, &signing.public.0, "signing key")?;
    let chain = &state.sender_chain_key;
    let key = ChainKey::new(*secret::<32>(&chain.seed.0, "chain key")?.expose());
    Ok(Some(OwnSenderKey::from_parts(state.sender_key_id, chain.iteration, key, pair)))
}

fn one_key(state: &StoredSenderKey) -> Result<ImportedSenderKey, ImportError> {
    let skipped = state
        .sender_message_keys
        .iter()
        .map(|key| Ok((key.iteration, secret(&key.seed.0, "message seed")?)))
        .collect::<Result<_, ImportError>>()?;
    Ok(ImportedSenderKey {
        state: SenderKeyDistribution {
            key_id: state.sender_key_id,
            iteration: state.sender_chain_key.iteration,
            chain_key: secret(&state.sender_chain_key.seed.0, "chain key")?,
            signing_key: public_key(&state.sender_signing_key.public.0, "signing key")?,
        },
        skipped,
    })
}

#[derive(Deserialize)]
struct StoredRecord {
    #[serde(rename = "_sessions")]
    sessions: Ordered<StoredSession>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredSession {
    registration_id: Option<u32>,
    current_ratchet: StoredRatchet,
    index_info: StoredInfo,
    #[serde(rename = "_chains")]
    chains: Ordered<StoredChain>,
    pending_pre_key: Option<StoredPending>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredRatchet {
    #[serde(rename = "ephemeralKeyPair")]
    ephemeral: StoredRatchetPair,
    #[serde(rename = "lastRemoteEphemeralKey")]
    last_remote: Blob,
    previous_counter: i64,
    root_key: Blob,
}

#[derive(Deserialize)]
struct StoredRatchetPair {
    #[serde(rename = "pubKey")]
    public: Blob,
    #[serde(rename = "privKey")]
    private: Blob,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredInfo {
    base_key: Blob,
    closed: i64,
    #[serde(default)]
    created: i64,
    #[serde(rename = "remoteIdentityKey")]
    remote_identity: Blob,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredChain {
    chain_key: StoredChainKey,
    message_keys: Ordered<Blob>,
}

#[derive(Deserialize)]
struct StoredChainKey {
    counter: i64,
    key: Option<Blob>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredPending {
    signed_key_id: u32,
    pre_key_id: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredSenderKey {
    sender_key_id: u32,
    sender_chain_key: StoredSenderChain,
    sender_signing_key: StoredSigningKey,
    #[serde(default)]
    sender_message_keys: Vec<StoredSenderChain>,
}

#[derive(Deserialize)]
struct StoredSenderChain {
    iteration: u32,
    seed: Blob,
}

#[derive(Deserialize)]
struct StoredSigningKey {
    public: Blob,
    private: Option<Blob>,
}

#[derive(Deserialize)]
struct StoredPair {
    public: Blob,
    private: Blob,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredCredentials {
    signed_identity_key: StoredPair,
    signed_pre_key: StoredSignedPreKey,
    registration_id: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredSignedPreKey {
    key_id: u32,
    key_pair: StoredPair,
    signature: Blob,
}
