//! Records as the protobufs of the Signal libraries. Chain indices are those of the next message; skipped messages are
//! kept as expanded keys.

use wa_crypto::Secret;
use wa_crypto::curve::KeyPair;
use wa_proto::signal::session_structure::{Chain, chain::MessageKey};
use wa_proto::signal::{
    RecordStructure, SenderKeyRecordStructure, SenderKeyStateStructure, SessionStructure,
};
use wa_signal::import::{
    ImportedChain, ImportedKey, ImportedSenderKey, ImportedSession, ImportedUnacknowledged,
};
use wa_signal::ratchet::{ChainKey, RootKey};
use wa_signal::{LocalIdentity, OwnSenderKey, SenderKeyDistribution, SenderKeyRecord, SessionRecord};

use super::{ImportError, ImportedSenderKeys, key_pair, public_key, secret};

pub(super) fn session(
    record: &RecordStructure,
    local: &LocalIdentity,
    now: u64,
) -> Result<SessionRecord, ImportError> {
    // An archived record keeps an empty session in the first place, and may move it to the others.
    let is_begun = |session: &&SessionStructure| session.session_version() > 0;
    let current = record.current_session.as_deref().filter(is_begun);
    let mut known: Vec<Option<&[u8]>> = current.iter().map(|it| it.alice_base_key.as_deref()).collect();
    let mut archived = Vec::new();
    for session in record.previous_sessions.iter().filter(is_begun) {
        // A session that was promoted may stand among the others still: the newest copy is the one in use.
        let base_key = session.alice_base_key.as_deref();
        if !known.contains(&base_key) {
            known.push(base_key);
            archived.push(one_session(session, local, now)?);
        }
    }
    let current = current.map(|session| one_session(session, local, now)).transpose()?;
    Ok(SessionRecord::import(local, current, archived)?)
}

pub(super) fn sender_key(record: &SenderKeyRecordStructure) -> Result<ImportedSenderKeys, ImportError> {
    let own = record.sender_key_states.first().map(own_key).transpose()?.flatten();
    let mut received: Vec<ImportedSenderKey> = Vec::new();
    for state in &record.sender_key_states {
        // A key that was distributed again stands there twice: the newest is the one in use.
        if !received.iter().any(|known| Some(known.state.key_id) == state.sender_key_id) {
            received.push(one_key(state)?);
        }
    }
    Ok(ImportedSenderKeys { own, received: SenderKeyRecord::import(received)? })
}

fn one_session(
    session: &SessionStructure,
    local: &LocalIdentity,
    now: u64,
) -> Result<ImportedSession, ImportError> {
    match session.session_version() {
        3 => {}
        version => return Err(ImportError::Version(version)),
    }
    if let Some(own) = &session.local_identity_public
        && public_key(own, "local identity")? != *local.identity_key().public_key()
    {
        return Err(ImportError::ForeignRecord);
    }
    let sending = session.sender_chain.as_deref().ok_or(ImportError::Missing("sending chain"))?;
    let (sending_key, sending_index) = chain_key(sending)?;
    let base_key = given(session.alice_base_key.as_deref(), "base key")?;
    Ok(ImportedSession {
        remote_identity: super::identity(given(
            session.remote_identity_public.as_deref(),
            "remote identity",
        )?)?,
        remote_registration_id: session.remote_registration_id(),
        base_key: public_key(base_key, "base key")?,
        root_key: RootKey::new(
            *secret::<32>(given(session.root_key.as_deref(), "root key")?, "root key")?.expose(),
        ),
        // One library writes -1 for none.
        previous_counter: Some(session.previous_counter()).filter(|it| *it != u32::MAX).unwrap_or(0),
        ratchet: ratchet(sending)?,
        sending_key: sending_key.ok_or(ImportError::Missing("sending chain key"))?,
        sending_index,
        receiving: session.receiver_chains.iter().map(receiving).collect::<Result<_, _>>()?,
        unacknowledged: match session.pending_pre_key.as_deref() {
            Some(pending) => Some(ImportedUnacknowledged {
                signed_pre_key_id: u32::try_from(pending.signed_pre_key_id())
                    .map_err(|_| ImportError::Field("signed pre-key id"))?,
                pre_key_id: pending.pre_key_id,
                created: now,
            }),
            None => None,
        },
    })
}

fn ratchet(chain: &Chain) -> Result<KeyPair, ImportError> {
    key_pair(
        given(chain.sender_ratchet_key_private.as_deref(), "private ratchet key")?,
        given(chain.sender_ratchet_key.as_deref(), "ratchet key")?,
        "ratchet key",
    )
}

fn receiving(chain: &Chain) -> Result<ImportedChain, ImportError> {
    let (chain_key, next_index) = chain_key(chain)?;
    Ok(ImportedChain {
        ratchet_key: public_key(given(chain.sender_ratchet_key.as_deref(), "ratchet key")?, "ratchet key")?,
        chain_key,
        next_index,
        skipped: chain.message_keys.iter().map(skipped).collect::<Result<_, _>>()?,
    })
}

fn chain_key(chain: &Chain) -> Result<(Option<ChainKey>, u32), ImportError> {
    let stored = chain.chain_key.as_deref().ok_or(ImportError::Missing("chain key"))?;
    // Without its key a chain is closed.
    let key = match stored.key.as_deref() {
        None | Some([]) => None,
        Some(key) => Some(ChainKey::new(*secret::<32>(key, "chain key")?.expose())),
    };
    Ok((key, stored.index()))
}

fn skipped(key: &MessageKey) -> Result<(u32, ImportedKey), ImportError> {
    let expanded = [
        key.cipher_key.as_deref().unwrap_or_default(),
        key.mac_key.as_deref().unwrap_or_default(),
        key.iv.as_deref().unwrap_or_default(),
    ];
    if expanded.iter().map(|part| part.len()).ne([32, 32, 16]) {
        return Err(ImportError::Field("message key"));
    }
    let mut joined = Secret::<80>::new([0; 80]);
    for (place, byte) in joined.expose_mut().iter_mut().zip(expanded.into_iter().flatten()) {
        *place = *byte;
    }
    Ok((key.index(), ImportedKey::Expanded(joined)))
}

fn own_key(state: &SenderKeyStateStructure) -> Result<Option<OwnSenderKey>, ImportError> {
    let signing = state.sender_signing_key.as_deref().ok_or(ImportError::Missing("signing key"))?;
    // A received key has none, or one of zeros.
    let private = signing.private.as_deref().filter(|key| key.iter().any(|byte| *byte != 0));
    let Some(private) = private else { return Ok(None) };
    let pair = key_pair(private, given(signing.public.as_deref(), "signing key")?, "signing key")?;
    let chain = distribution(state)?;
    let key = ChainKey::new(*chain.chain_key.expose());
    Ok(Some(OwnSenderKey::from_parts(chain.key_id, chain.iteration, key, pair)))
}

fn one_key(state: &SenderKeyStateStructure) -> Result<ImportedSenderKey, ImportError> {
    let skipped = state.sender_message_keys.iter().map(|key| {
        let seed = secret(given(key.seed.as_deref(), "message seed")?, "message seed")?;
        Ok((key.iteration(), seed))
    });
    Ok(ImportedSenderKey {
        state: distribution(state)?,
        skipped: skipped.collect::<Result<_, ImportError>>()?,
    })
}

fn distribution(state: &SenderKeyStateStructure) -> Result<SenderKeyDistribution, ImportError> {
    let chain = state.sender_chain_key.as_deref().ok_or(ImportError::Missing("chain key"))?;
    let signing = state.sender_signing_key.as_deref().ok_or(ImportError::Missing("signing key"))?;
    Ok(SenderKeyDistribution {
        key_id: state.sender_key_id.ok_or(ImportError::Missing("key id"))?,
        iteration: chain.iteration(),
        chain_key: secret(given(chain.seed.as_deref(), "chain key")?, "chain key")?,
        signing_key: public_key(given(signing.public.as_deref(), "signing key")?, "signing key")?,
    })
}

fn given<'a>(bytes: Option<&'a [u8]>, what: &'static str) -> Result<&'a [u8], ImportError> {
    bytes.ok_or(ImportError::Missing(what))
}
