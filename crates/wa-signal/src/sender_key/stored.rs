//! The stored forms of sender keys, format version 1.
//!
//! Own key: key id · iteration · chain key (32) · signing private (32) · signing public (32) ·
//! its Edwards form (32).
//! Record: number of states · each, newest first: key id · iteration · chain key (32) · signing key (32) · number of
//! skipped seeds · seeds.

use wa_crypto::curve::{KeyPair, PrivateKey, PublicKey};
use wa_crypto::xeddsa::SigningKey;
use zeroize::Zeroizing;

use super::{OwnSenderKey, SenderKeyRecord, SenderKeyState};
use crate::encoding::{Kind, Reader, Writer};
use crate::limits::MAX_SENDER_KEY_STATES;
use crate::ratchet::ChainKey;
use crate::skipped::SkippedKeys;
use crate::{Corruption, SignalError};

impl OwnSenderKey {
    /// The key's bytes for the store.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut writer = Writer::record(Kind::OwnSenderKey, 5 + 5 + 128);
        writer.number(self.key_id.into());
        writer.number(self.iteration.into());
        writer.bytes(self.chain.expose());
        writer.bytes(self.signing.private().expose());
        writer.bytes(self.signing.public().as_bytes());
        writer.bytes(self.signer.edwards_public());
        writer.seal()
    }

    /// Reads what [`Self::encode`] made, now or in any earlier version of the format.
    ///
    /// # Errors
    /// [`SignalError::CorruptRecord`] for anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, SignalError> {
        let mut reader = Reader::record(bytes, Kind::OwnSenderKey)?;
        let (key_id, iteration) = (reader.u32()?, reader.u32()?);
        let chain = ChainKey::new(*reader.array()?);
        let private = PrivateKey::from_bytes(*reader.array()?);
        let signing = KeyPair::from_parts(private, PublicKey::from_bytes(*reader.array()?));
        let signer = SigningKey::from_parts(signing.private(), *reader.array()?);
        reader.finish()?;
        Ok(Self { key_id, iteration, chain, signing, signer })
    }
}

impl SenderKeyRecord {
    /// The record's bytes for the store.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let len = self.states.iter().map(|state| 74 + state.skipped.encoded_len()).sum::<usize>();
        let mut writer = Writer::record(Kind::SenderKey, 1 + len);
        writer.byte(self.states.len() as u8);
        for state in &self.states {
            writer.number(state.key_id.into());
            writer.number(state.iteration.into());
            writer.bytes(state.chain.expose());
            writer.bytes(state.signing_key.as_bytes());
            state.skipped.encode(&mut writer);
        }
        writer.seal()
    }

    /// Reads what [`Self::encode`] made, now or in any earlier version of the format.
    ///
    /// # Errors
    /// [`SignalError::CorruptRecord`] for anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, SignalError> {
        let mut reader = Reader::record(bytes, Kind::SenderKey)?;
        let count = usize::from(reader.byte()?);
        if count > MAX_SENDER_KEY_STATES {
            return Err(Corruption::Value("number of sender keys").into());
        }
        let mut states: Vec<SenderKeyState> = Vec::with_capacity(count);
        for _ in 0..count {
            let (key_id, iteration) = (reader.u32()?, reader.u32()?);
            let chain = ChainKey::new(*reader.array()?);
            let signing_key = PublicKey::from_bytes(*reader.array()?);
            let skipped = SkippedKeys::decode(&mut reader, iteration)?;
            if states.iter().any(|other| other.key_id == key_id) {
                return Err(Corruption::Value("sender key id").into());
            }
            states.push(SenderKeyState { key_id, iteration, chain, signing_key, skipped, verifier: None });
        }
        reader.finish()?;
        Ok(Self { states })
    }
}
