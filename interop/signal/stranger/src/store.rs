//! Stores in memory that hold serialized records, as a database would.

use std::collections::HashMap;

use async_trait::async_trait;
use wacore_libsignal::protocol::error::Result;
use wacore_libsignal::protocol::{
    Direction, GenericSignedPreKey, IdentityChange, IdentityKey, IdentityKeyPair, IdentityKeyStore, PreKeyId,
    PreKeyRecord, PreKeyStore, ProtocolAddress, SenderKeyName, SenderKeyRecord, SenderKeyStore,
    SessionRecord, SessionStore, SignalProtocolError, SignedPreKeyId, SignedPreKeyRecord, SignedPreKeyStore,
};

/// Own identity, and every change of a peer's accepted.
pub struct Identities {
    own: IdentityKeyPair,
    registration_id: u32,
    known: HashMap<ProtocolAddress, IdentityKey>,
}

impl Identities {
    pub fn new(own: IdentityKeyPair, registration_id: u32) -> Self {
        Self { own, registration_id, known: HashMap::new() }
    }

    pub const fn own(&self) -> &IdentityKeyPair {
        &self.own
    }

    pub const fn registration_id(&self) -> u32 {
        self.registration_id
    }
}

#[async_trait]
impl IdentityKeyStore for Identities {
    async fn get_identity_key_pair(&self) -> Result<IdentityKeyPair> {
        Ok(self.own.clone())
    }

    async fn get_local_registration_id(&self) -> Result<u32> {
        Ok(self.registration_id)
    }

    async fn save_identity(
        &mut self,
        address: &ProtocolAddress,
        key: &IdentityKey,
    ) -> Result<IdentityChange> {
        let before = self.known.insert(address.clone(), *key);
        Ok(IdentityChange::from_changed(before.is_some_and(|before| before != *key)))
    }

    async fn is_trusted_identity(&self, _: &ProtocolAddress, _: &IdentityKey, _: Direction) -> Result<bool> {
        Ok(true)
    }

    async fn get_identity(&self, address: &ProtocolAddress) -> Result<Option<IdentityKey>> {
        Ok(self.known.get(address).copied())
    }
}

#[derive(Default)]
pub struct PreKeys(HashMap<PreKeyId, Vec<u8>>);

#[async_trait]
impl PreKeyStore for PreKeys {
    async fn get_pre_key(&self, id: PreKeyId) -> Result<PreKeyRecord> {
        PreKeyRecord::deserialize(self.0.get(&id).ok_or(SignalProtocolError::InvalidPreKeyId)?)
    }

    async fn save_pre_key(&mut self, id: PreKeyId, record: &PreKeyRecord) -> Result<()> {
        self.0.insert(id, record.serialize()?);
        Ok(())
    }

    async fn remove_pre_key(&mut self, id: PreKeyId) -> Result<()> {
        self.0.remove(&id);
        Ok(())
    }
}

#[derive(Default)]
pub struct SignedPreKeys(HashMap<SignedPreKeyId, Vec<u8>>);

#[async_trait]
impl SignedPreKeyStore for SignedPreKeys {
    async fn get_signed_pre_key(&self, id: SignedPreKeyId) -> Result<SignedPreKeyRecord> {
        SignedPreKeyRecord::deserialize(self.0.get(&id).ok_or(SignalProtocolError::InvalidSignedPreKeyId)?)
    }

    async fn save_signed_pre_key(&mut self, id: SignedPreKeyId, record: &SignedPreKeyRecord) -> Result<()> {
        self.0.insert(id, record.serialize()?);
        Ok(())
    }
}

#[derive(Default)]
pub struct Sessions(HashMap<ProtocolAddress, Vec<u8>>);

impl Sessions {
    pub fn stored(&self, address: &ProtocolAddress) -> Option<&[u8]> {
        self.0.get(address).map(Vec::as_slice)
    }
}

#[async_trait]
impl SessionStore for Sessions {
    async fn load_session(&self, address: &ProtocolAddress) -> Result<Option<SessionRecord>> {
        let Some(bytes) = self.0.get(address) else { return Ok(None) };
        let mut record = SessionRecord::deserialize(bytes)?;
        // This store writes before anything leaves, so no counters need to be set aside.
        record.waive_counter_lease();
        Ok(Some(record))
    }

    async fn has_session(&self, address: &ProtocolAddress) -> Result<bool> {
        Ok(self.0.contains_key(address))
    }

    async fn store_session(&mut self, address: &ProtocolAddress, record: SessionRecord) -> Result<()> {
        let mut record = record;
        record.waive_counter_lease();
        self.0.insert(address.clone(), record.serialize()?);
        Ok(())
    }
}

#[derive(Default)]
pub struct SenderKeys(HashMap<String, Vec<u8>>);

impl SenderKeys {
    pub fn stored(&self, name: &SenderKeyName) -> Option<&[u8]> {
        self.0.get(name.cache_key()).map(Vec::as_slice)
    }

    pub fn remove(&mut self, name: &SenderKeyName) {
        self.0.remove(name.cache_key());
    }
}

#[async_trait]
impl SenderKeyStore for SenderKeys {
    async fn store_sender_key(&mut self, name: &SenderKeyName, record: SenderKeyRecord) -> Result<()> {
        let mut record = record;
        record.waive_counter_lease()?;
        self.0.insert(name.cache_key().to_owned(), record.serialize()?);
        Ok(())
    }

    async fn load_sender_key(&self, name: &SenderKeyName) -> Result<Option<SenderKeyRecord>> {
        let Some(bytes) = self.0.get(name.cache_key()) else { return Ok(None) };
        let mut record = SenderKeyRecord::deserialize(bytes)?;
        record.waive_counter_lease()?;
        Ok(Some(record))
    }
}
