//! The stored form of a session record, format version 1. Everything lies as it is used: loading derives nothing.
//!
//! Record: owner (4) · number of sessions << 1 | has current · each: length, session.
//! Session: head (version in the low nibble, 16 pending, 32 owed) · id (8) · root (32) · remote identity (32) · remote
//! registration id · previous counter · sending · pending, if any · number of chains · chains, oldest first.

use wa_crypto::curve::{KeyPair, PrivateKey, PublicKey};
use zeroize::Zeroizing;

use super::state::RatchetId;
use super::{Pending, ReceivingChain, Sending, SendingChain, Session, SessionId, SessionRecord};
use crate::encoding::{Kind, Reader, Writer};
use crate::limits::{MAX_ARCHIVED_SESSIONS, MAX_RECEIVING_CHAINS, MESSAGE_VERSION};
use crate::ratchet::{ChainKey, RootKey};
use crate::skipped::SkippedKeys;
use crate::{Corruption, SignalError};

const HAS_PENDING: u8 = 16;
const OWES_STEP: u8 = 32;

const CHAIN_OPEN: u64 = 1;
const CHAIN_SEEDS: u64 = 2;
const CHAIN_EXPANDED: u64 = 4;

/// Upper bound of everything in a session but its chains.
const SESSION_LEN: usize = 1 + 8 + 32 + 32 + 5 + 5 + 96 + 5 + 32 + 5 + 6 + 10 + 1;
/// Upper bound of a chain without skipped keys.
const CHAIN_LEN: usize = 8 + 6 + 32;

impl SessionRecord {
    /// The record's bytes for the store.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let current = self.current.as_ref().map(Session::to_bytes);
        let sessions = current.iter().chain(&self.archived);
        let len = sessions.clone().map(|bytes| bytes.len() + 5).sum::<usize>();
        let mut writer = Writer::record(Kind::Session, 4 + 2 + len);
        writer.bytes(&self.owner);
        let count = self.archived.len() + usize::from(self.current.is_some());
        writer.number((count as u64) << 1 | u64::from(self.current.is_some()));
        for bytes in sessions {
            writer.number(bytes.len() as u64);
            writer.bytes(bytes);
        }
        writer.seal()
    }

    /// Reads what [`Self::encode`] made, now or in any earlier version of the format.
    ///
    /// # Errors
    /// [`SignalError::CorruptRecord`] for anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, SignalError> {
        let mut reader = Reader::record(bytes, Kind::Session)?;
        let owner = *reader.array()?;
        let head = reader.count(MAX_ARCHIVED_SESSIONS << 1 | 3, "number of sessions")?;
        let (count, has_current) = (head >> 1, head & 1 == 1);
        if count - usize::from(has_current && count > 0) > MAX_ARCHIVED_SESSIONS
            || (has_current && count == 0)
        {
            return Err(Corruption::Value("number of sessions").into());
        }
        let mut current = None;
        let mut archived = Vec::with_capacity(count);
        for place in 0..count {
            let len = reader.count(usize::MAX, "length of a session")?;
            let bytes = reader.slice(len)?;
            let session = Session::from_bytes(bytes)?;
            if place == 0 && has_current {
                current = Some(session);
            } else {
                archived.push(Zeroizing::new(bytes.to_vec()));
            }
        }
        reader.finish()?;
        Ok(Self { owner, current, archived })
    }
}

impl Session {
    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let chains = self.receiving.iter();
        let chains = chains.map(|chain| CHAIN_LEN + chain.seeds.encoded_len() + chain.expanded.encoded_len());
        let mut writer = Writer::with_capacity(SESSION_LEN + chains.sum::<usize>());
        let mut head = MESSAGE_VERSION;
        if self.pending.is_some() {
            head |= HAS_PENDING;
        }
        if matches!(self.sending, Sending::Owed { .. }) {
            head |= OWES_STEP;
        }
        writer.byte(head);
        writer.bytes(&self.id.0);
        writer.bytes(self.root.expose());
        writer.bytes(self.remote_identity.as_bytes());
        writer.number(self.remote_registration_id.into());
        writer.number(self.previous_counter.into());
        match &self.sending {
            Sending::Owed { private, theirs } => {
                writer.bytes(private.expose());
                writer.bytes(theirs.as_bytes());
            }
            Sending::Ready(chain) => {
                writer.bytes(chain.pair.private().expose());
                writer.bytes(chain.pair.public().as_bytes());
                writer.bytes(chain.key.expose());
                writer.number(chain.index.into());
            }
        }
        if let Some(pending) = &self.pending {
            writer.bytes(pending.base_key.as_bytes());
            writer.number(pending.signed_pre_key_id.into());
            writer.number(pending.pre_key_id.map_or(0, |id| u64::from(id) + 1));
            writer.number(pending.created);
        }
        writer.byte(self.receiving.len() as u8);
        for chain in &self.receiving {
            chain.encode(&mut writer);
        }
        writer.into_bytes()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, Corruption> {
        let mut reader = Reader::new(bytes);
        let head = reader.byte()?;
        if head & 0x0F != MESSAGE_VERSION || head & !(0x0F | HAS_PENDING | OWES_STEP) != 0 {
            return Err(Corruption::Value("session head"));
        }
        let id = SessionId(*reader.array()?);
        let root = RootKey::new(*reader.array()?);
        let remote_identity = PublicKey::from_bytes(*reader.array()?).into();
        let remote_registration_id = reader.u32()?;
        let previous_counter = reader.u32()?;
        let private = PrivateKey::from_bytes(*reader.array()?);
        let public = PublicKey::from_bytes(*reader.array()?);
        let sending = if head & OWES_STEP != 0 {
            Sending::Owed { private, theirs: public }
        } else {
            let key = ChainKey::new(*reader.array()?);
            let index = reader.u32()?;
            Sending::Ready(SendingChain { pair: KeyPair::from_parts(private, public), key, index })
        };
        let pending = if head & HAS_PENDING == 0 { None } else { Some(Pending::decode(&mut reader)?) };
        let chains = usize::from(reader.byte()?);
        if chains > MAX_RECEIVING_CHAINS {
            return Err(Corruption::Value("number of receiving chains"));
        }
        let mut receiving: Vec<ReceivingChain> = Vec::with_capacity(chains);
        for _ in 0..chains {
            let chain = ReceivingChain::decode(&mut reader)?;
            if receiving.iter().any(|other| other.ratchet == chain.ratchet) {
                return Err(Corruption::Value("receiving chain"));
            }
            receiving.push(chain);
        }
        reader.finish()?;
        Ok(Self {
            remote_identity,
            remote_registration_id,
            id,
            root,
            previous_counter,
            sending,
            pending,
            receiving,
        })
    }

    /// The id of a session without reading the rest.
    pub(super) fn id_of(bytes: &[u8]) -> Option<SessionId> {
        bytes.get(1..)?.first_chunk().map(|id| SessionId(*id))
    }
}

impl Pending {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Corruption> {
        let base_key = PublicKey::from_bytes(*reader.array()?);
        let signed_pre_key_id = reader.u32()?;
        let pre_key_id = match reader.number()? {
            0 => None,
            id => Some(u32::try_from(id - 1).map_err(|_| Corruption::Value("pre-key id"))?),
        };
        Ok(Self { base_key, signed_pre_key_id, pre_key_id, created: reader.number()? })
    }
}

impl ReceivingChain {
    fn encode(&self, writer: &mut Writer) {
        writer.bytes(&self.ratchet.0);
        let mut head = u64::from(self.index) << 3;
        for (bit, set) in [
            (CHAIN_OPEN, self.key.is_some()),
            (CHAIN_SEEDS, !self.seeds.is_empty()),
            (CHAIN_EXPANDED, !self.expanded.is_empty()),
        ] {
            if set {
                head |= bit;
            }
        }
        writer.number(head);
        if let Some(key) = &self.key {
            writer.bytes(key.expose());
        }
        if !self.seeds.is_empty() {
            self.seeds.encode(writer);
        }
        if !self.expanded.is_empty() {
            self.expanded.encode(writer);
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Corruption> {
        let ratchet = RatchetId(*reader.array()?);
        let head = reader.number()?;
        let index = u32::try_from(head >> 3).map_err(|_| Corruption::Value("chain index"))?;
        let key = if head & CHAIN_OPEN == 0 { None } else { Some(ChainKey::new(*reader.array()?)) };
        let seeds = skipped(reader, head & CHAIN_SEEDS != 0, index)?;
        let expanded = skipped(reader, head & CHAIN_EXPANDED != 0, index)?;
        Ok(Self { ratchet, key, index, seeds, expanded })
    }
}

fn skipped<const KEY: usize>(
    reader: &mut Reader<'_>,
    present: bool,
    index: u32,
) -> Result<SkippedKeys<KEY>, Corruption> {
    if !present {
        return Ok(SkippedKeys::default());
    }
    let keys = SkippedKeys::decode(reader, index)?;
    // An empty list is written by leaving it out.
    if keys.is_empty() { Err(Corruption::Value("number of skipped keys")) } else { Ok(keys) }
}
