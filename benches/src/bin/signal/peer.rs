//! The published crate behind the shape of the benches: stores of one record that give it out and take it back, so
//! that no copy is counted against it.

use std::sync::Mutex;

use async_trait::async_trait;
use futures_executor::block_on;
use rand::rngs::StdRng;
use wacore_libsignal::protocol::error::Result;
use wacore_libsignal::protocol::{
    CiphertextMessage, Direction, GenericSignedPreKey, IdentityChange, IdentityKey, IdentityKeyPair,
    IdentityKeyStore, KeyPair, PreKeyBundle, PreKeyId, PreKeyRecord, PreKeySignalMessage, PreKeyStore,
    ProtocolAddress, SenderKeyRecord, SenderKeyStore, SessionRecord, SessionStore, SignalMessage,
    SignedPreKeyId, SignedPreKeyRecord, SignedPreKeyStore, Timestamp, UsePQRatchet,
    create_sender_key_distribution_message, group_decrypt, group_encrypt, message_decrypt, message_encrypt,
    process_prekey_bundle, process_sender_key_distribution_message,
};
use wacore_libsignal::store::sender_key_name::SenderKeyName;

pub struct Identity(IdentityKeyPair);
#[derive(Default)]
pub struct Sessions(Mutex<Option<SessionRecord>>);
#[derive(Default)]
pub struct SenderKeys(Mutex<Option<SenderKeyRecord>>);
pub struct PreKeys(PreKeyRecord);
pub struct SignedPreKeys(SignedPreKeyRecord);

#[async_trait]
impl IdentityKeyStore for Identity {
    async fn get_identity_key_pair(&self) -> Result<IdentityKeyPair> {
        Ok(self.0.clone())
    }
    async fn get_local_registration_id(&self) -> Result<u32> {
        Ok(77)
    }
    async fn save_identity(&mut self, _: &ProtocolAddress, _: &IdentityKey) -> Result<IdentityChange> {
        Ok(IdentityChange::from_changed(false))
    }
    async fn is_trusted_identity(&self, _: &ProtocolAddress, _: &IdentityKey, _: Direction) -> Result<bool> {
        Ok(true)
    }
    async fn get_identity(&self, _: &ProtocolAddress) -> Result<Option<IdentityKey>> {
        Ok(None)
    }
}
#[async_trait]
impl SessionStore for Sessions {
    async fn load_session(&self, _: &ProtocolAddress) -> Result<Option<SessionRecord>> {
        Ok(self.0.lock().unwrap().take())
    }
    async fn has_session(&self, _: &ProtocolAddress) -> Result<bool> {
        Ok(self.0.lock().unwrap().is_some())
    }
    async fn store_session(&mut self, _: &ProtocolAddress, record: SessionRecord) -> Result<()> {
        *self.0.get_mut().unwrap() = Some(record);
        Ok(())
    }
}
#[async_trait]
impl SenderKeyStore for SenderKeys {
    async fn store_sender_key(&mut self, _: &SenderKeyName, record: SenderKeyRecord) -> Result<()> {
        *self.0.get_mut().unwrap() = Some(record);
        Ok(())
    }
    async fn load_sender_key(&self, _: &SenderKeyName) -> Result<Option<SenderKeyRecord>> {
        Ok(self.0.lock().unwrap().take())
    }
}
#[async_trait]
impl PreKeyStore for PreKeys {
    async fn get_pre_key(&self, _: PreKeyId) -> Result<PreKeyRecord> {
        Ok(self.0.clone())
    }
    async fn save_pre_key(&mut self, _: PreKeyId, _: &PreKeyRecord) -> Result<()> {
        Ok(())
    }
    async fn remove_pre_key(&mut self, _: PreKeyId) -> Result<()> {
        Ok(())
    }
}
#[async_trait]
impl SignedPreKeyStore for SignedPreKeys {
    async fn get_signed_pre_key(&self, _: SignedPreKeyId) -> Result<SignedPreKeyRecord> {
        Ok(self.0.clone())
    }
    async fn save_signed_pre_key(&mut self, _: SignedPreKeyId, _: &SignedPreKeyRecord) -> Result<()> {
        Ok(())
    }
}

pub struct Peer {
    identity: Identity,
    sessions: Sessions,
    sender_keys: SenderKeys,
    pre_keys: PreKeys,
    signed: SignedPreKeys,
    pre_key: KeyPair,
    signed_pair: KeyPair,
    signature: Vec<u8>,
    address: ProtocolAddress,
    name: SenderKeyName,
    rng: StdRng,
}

impl Peer {
    pub fn new(seed: u64) -> Self {
        let mut rng = <StdRng as rand::SeedableRng>::seed_from_u64(seed);
        let pair = IdentityKeyPair::generate(&mut rng);
        let pre_key = KeyPair::generate(&mut rng);
        let signed_pair = KeyPair::generate(&mut rng);
        let signature = pair
            .private_key()
            .calculate_signature(&signed_pair.public_key.serialize(), &mut rng)
            .unwrap()
            .to_vec();
        Self {
            identity: Identity(pair),
            sessions: Sessions::default(),
            sender_keys: SenderKeys::default(),
            pre_keys: PreKeys(PreKeyRecord::new(1.into(), &pre_key)),
            signed: SignedPreKeys(SignedPreKeyRecord::new(
                2.into(),
                Timestamp::from_epoch_millis(0),
                &signed_pair,
                &signature,
            )),
            pre_key,
            signed_pair,
            signature,
            address: ProtocolAddress::new("someone", 1.into()),
            name: SenderKeyName::new("group@g.us".into(), "someone".into()),
            rng,
        }
    }
    pub fn bundle(&self) -> PreKeyBundle {
        PreKeyBundle::new(
            77,
            1.into(),
            Some((1.into(), self.pre_key.public_key)),
            2.into(),
            self.signed_pair.public_key,
            self.signature.clone(),
            *self.identity.0.identity_key(),
        )
        .unwrap()
    }
    pub fn initiate(&mut self, bundle: &PreKeyBundle) {
        block_on(process_prekey_bundle(
            &self.address,
            &mut self.sessions,
            &mut self.identity,
            bundle,
            &mut self.rng,
            UsePQRatchet::No,
        ))
        .unwrap();
    }
    pub fn encrypt(&mut self, text: &[u8]) -> CiphertextMessage {
        block_on(message_encrypt(text, &self.address, &mut self.sessions, &mut self.identity)).unwrap()
    }
    pub fn decrypt(&mut self, bytes: &[u8], pre_key: bool) -> Vec<u8> {
        let message = if pre_key {
            CiphertextMessage::PreKeySignalMessage(PreKeySignalMessage::try_from(bytes).unwrap())
        } else {
            CiphertextMessage::SignalMessage(SignalMessage::try_from(bytes).unwrap())
        };
        block_on(message_decrypt(
            &message,
            &self.address,
            &mut self.sessions,
            &mut self.identity,
            &mut self.pre_keys,
            &self.signed,
            &mut self.rng,
            UsePQRatchet::No,
        ))
        .unwrap()
        .plaintext
        .to_vec()
    }
    pub fn distribution(&mut self) -> Vec<u8> {
        block_on(create_sender_key_distribution_message(&self.name, &mut self.sender_keys, &mut self.rng))
            .unwrap()
            .serialized()
            .to_vec()
    }
    pub fn process(&mut self, bytes: &[u8]) {
        let m = wacore_libsignal::protocol::SenderKeyDistributionMessage::try_from(bytes).unwrap();
        block_on(process_sender_key_distribution_message(&self.name, &m, &mut self.sender_keys)).unwrap();
    }
    pub fn group_encrypt(&mut self, text: &[u8]) -> Vec<u8> {
        block_on(group_encrypt(&mut self.sender_keys, &self.name, text, &mut self.rng))
            .unwrap()
            .serialized()
            .to_vec()
    }
    pub fn group_decrypt(&mut self, bytes: &[u8]) -> Vec<u8> {
        block_on(group_decrypt(bytes, &mut self.sender_keys, &self.name)).unwrap().to_vec()
    }

    pub fn sign(&mut self, message: &[u8]) -> Vec<u8> {
        self.identity.0.private_key().calculate_signature(message, &mut self.rng).unwrap().to_vec()
    }
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.identity.0.identity_key().public_key().verify_signature(message, signature)
    }
    pub fn forget(&mut self) {
        *self.sessions.0.get_mut().unwrap() = None;
    }
    pub fn record(&self) -> SessionRecord {
        self.sessions.0.lock().unwrap().clone().unwrap()
    }
    pub fn take(&mut self) -> SessionRecord {
        self.sessions.0.get_mut().unwrap().take().unwrap()
    }
    pub fn put(&mut self, record: SessionRecord) {
        *self.sessions.0.get_mut().unwrap() = Some(record);
    }
    pub fn sender_key(&self) -> SenderKeyRecord {
        self.sender_keys.0.lock().unwrap().clone().unwrap()
    }
    pub fn put_sender_key(&mut self, record: SenderKeyRecord) {
        *self.sender_keys.0.get_mut().unwrap() = Some(record);
    }
}

/// Two devices whose session is answered.
pub fn pair() -> (Peer, Peer) {
    let (mut alice, mut bob) = (Peer::new(1), Peer::new(2));
    alice.initiate(&bob.bundle());
    bob.decrypt(alice.encrypt(b"one").serialize(), true);
    alice.decrypt(bob.encrypt(b"two").serialize(), false);
    (alice, bob)
}
