//! Sender keys, both ends of a group chat (chapter 04 §9): the own key that messages are sent with, and the record of
//! keys received from one sender device.

mod stored;

use rand_core::CryptoRng;
use wa_crypto::curve::{KeyPair, PublicKey};
use wa_crypto::xeddsa::{SigningKey, VerifyingKey};
use wa_crypto::{Secret, cbc};

use crate::error::cbc_error;
use crate::limits::{MAX_SENDER_KEY_JUMP, MAX_SENDER_KEY_STATES, VERSION_BYTE};
use crate::ratchet::ChainKey;
use crate::sabotage::{self, Rule};
use crate::session::run_chain;
use crate::skipped::SkippedKeys;
use crate::wire::{MAX_NUMBER_FIELD, SIGNATURE_LEN, put_bytes_header, put_number};
use crate::{SenderKeyDistribution, SenderKeyMessage, SenderMessageKeys, SignalError};

/// The sender key of the own device in one chat. Rotating means making a new one, which every device must be given
/// before it can read on.
#[derive(Clone)]
pub struct OwnSenderKey {
    key_id: u32,
    iteration: u32,
    chain: ChainKey,
    signing: KeyPair,
    /// The signing key made ready; its Edwards form is stored, since finding it costs as much as a signature.
    signer: SigningKey,
}

impl OwnSenderKey {
    /// Draws a new key: 4 bytes for the id (31 bits of them), 32 for the chain key, 32 for the signing pair.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let key_id = rng.next_u32() >> 1;
        let chain = Secret::<32>::random(rng);
        Self::from_parts(key_id, 0, ChainKey::new(*chain.expose()), KeyPair::generate(rng))
    }

    /// From its parts, as other stores keep them. `iteration` is the next one.
    pub fn from_parts(key_id: u32, iteration: u32, chain: ChainKey, signing: KeyPair) -> Self {
        let signer = SigningKey::new(signing.private());
        Self { key_id, iteration, chain, signing, signer }
    }

    /// Id of the key: marks of who has it belong to this id.
    pub const fn key_id(&self) -> u32 {
        self.key_id
    }

    /// Iteration of the next message.
    pub const fn iteration(&self) -> u32 {
        self.iteration
    }

    /// The pair that messages are signed with.
    pub const fn signing_pair(&self) -> &KeyPair {
        &self.signing
    }

    /// What to give to devices that lack the key, at the current place of the chain. Make it before encrypting the
    /// message that goes with it.
    pub fn distribution(&self) -> SenderKeyDistribution {
        SenderKeyDistribution {
            key_id: self.key_id,
            iteration: self.iteration,
            chain_key: Secret::new(*self.chain.expose()),
            signing_key: *self.signing.public(),
        }
    }

    /// Encrypts a padded text for the whole chat; draws 64 bytes for the signature. Store the key before the bytes
    /// leave.
    ///
    /// # Errors
    /// [`SignalError::ChainUsedUp`].
    pub fn encrypt(&mut self, plaintext: &[u8], rng: &mut impl CryptoRng) -> Result<Vec<u8>, SignalError> {
        let next = self.iteration.checked_add(1).ok_or(SignalError::ChainUsedUp)?;
        let (seed, chain) = self.chain.step();
        let keys = SenderMessageKeys::expand(&seed);
        let ciphertext_len = plaintext.len() / 16 * 16 + 16;
        let mut out = Vec::with_capacity(1 + 2 * MAX_NUMBER_FIELD + 11 + ciphertext_len + SIGNATURE_LEN);
        out.push(VERSION_BYTE);
        put_number(&mut out, 1, self.key_id);
        put_number(&mut out, 2, self.iteration);
        put_bytes_header(&mut out, 3, ciphertext_len);
        let text = out.len();
        out.extend_from_slice(plaintext);
        cbc::encrypt_in_place(keys.cipher_key.expose(), keys.iv.expose(), &mut out, text);
        let signature = self.signer.sign(&[&out], rng);
        out.extend_from_slice(&signature);
        if !sabotage::on(Rule::AdvanceOnEncrypt) {
            self.chain = chain;
            self.iteration = next;
        }
        Ok(out)
    }
}

/// The sender keys received from one device in one chat, newest first, at most five.
///
/// An operation that fails leaves the record as it was.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SenderKeyRecord {
    states: Vec<SenderKeyState>,
}

#[derive(Clone)]
struct SenderKeyState {
    key_id: u32,
    iteration: u32,
    chain: ChainKey,
    signing_key: PublicKey,
    skipped: SkippedKeys<32>,
    /// The signing key made ready by the first message that needed it. Not stored.
    verifier: Option<Box<VerifyingKey>>,
}

/// What a distribution changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distributed {
    /// A new key.
    Added,
    /// The key was known: its place in the chain and its skipped keys stay.
    Known,
    /// The key was known, but so far behind that no message could have bridged the gap: it continues at the
    /// distribution's place, its skipped keys stay.
    MovedOn,
    /// A key with the same id and another signing key was replaced.
    Replaced,
}

impl SenderKeyRecord {
    /// A record without a key.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether no key is known.
    pub fn is_empty(&self) -> bool {
        self.states.is_empty()
    }

    /// Ids of the known keys, newest first.
    pub fn key_ids(&self) -> impl Iterator<Item = u32> + '_ {
        self.states.iter().map(|state| state.key_id)
    }

    /// Takes a distribution in. Accept one only from a decrypted pairwise payload of the sender device itself.
    /// A known key is never rewound.
    pub fn process(&mut self, distribution: &SenderKeyDistribution) -> Distributed {
        let known = self.states.iter().position(|state| state.key_id == distribution.key_id);
        let mut outcome = Distributed::Added;
        let mut state = SenderKeyState::from(distribution);
        if let Some(place) = known {
            let old = self.states.remove(place);
            outcome = Distributed::Replaced;
            if old.signing_key == distribution.signing_key {
                (state, outcome) = old.merge(state);
            }
        }
        self.states.insert(0, state);
        if !sabotage::on(Rule::Bounds) {
            self.states.truncate(MAX_SENDER_KEY_STATES);
        }
        outcome
    }

    /// Puts a key from another store in front, replacing one of the same id.
    pub(crate) fn adopt(&mut self, distribution: &SenderKeyDistribution, skipped: SkippedKeys<32>) {
        self.states.retain(|state| state.key_id != distribution.key_id);
        self.states.insert(0, SenderKeyState { skipped, ..distribution.into() });
    }

    /// Decrypts a group message. The signature is checked before anything else is computed.
    ///
    /// # Errors
    /// [`SignalError::NoSenderKey`], [`SignalError::BadSignature`], [`SignalError::Duplicate`],
    /// [`SignalError::TooFarInFuture`], [`SignalError::Malformed`].
    pub fn decrypt(&mut self, message: &SenderKeyMessage<'_>) -> Result<Vec<u8>, SignalError> {
        let state = self.states.iter_mut().find(|state| state.key_id == message.key_id);
        let state = state.ok_or(SignalError::NoSenderKey(message.key_id))?;
        if !state.verifies(message) && !sabotage::on(Rule::Signature) {
            return Err(SignalError::BadSignature);
        }
        state.open(message)
    }
}

impl SenderKeyState {
    fn verifies(&mut self, message: &SenderKeyMessage<'_>) -> bool {
        let verifier = match self.verifier.take() {
            Some(verifier) => verifier,
            None => match VerifyingKey::new(&self.signing_key) {
                Ok(verifier) => Box::new(verifier),
                Err(_) => return false,
            },
        };
        self.verifier.insert(verifier).verify(&[message.body], message.signature).is_ok()
    }

    fn open(&mut self, message: &SenderKeyMessage<'_>) -> Result<Vec<u8>, SignalError> {
        let counter = message.iteration;
        if counter < self.iteration {
            let place = self.skipped.find(counter).ok_or(SignalError::Duplicate { counter })?;
            let seed = self.skipped.seed(place).ok_or(SignalError::Duplicate { counter })?;
            let plaintext = decrypt(&SenderMessageKeys::expand(&seed), message)?;
            self.skipped.remove(place);
            return Ok(plaintext);
        }
        let (jump, limit) = (counter - self.iteration, MAX_SENDER_KEY_JUMP);
        if jump > limit && !sabotage::on(Rule::JumpLimit) {
            return Err(SignalError::TooFarInFuture { jump, limit });
        }
        let next = counter.checked_add(1).ok_or(SignalError::TooFarInFuture { jump, limit })?;
        let (seed, chain, skipped) = run_chain(&self.chain, self.iteration, counter);
        let plaintext = decrypt(&SenderMessageKeys::expand(&seed), message)?;
        if !sabotage::on(Rule::UseKeyOnce) {
            self.skipped.append(&skipped);
            self.chain = chain;
            self.iteration = next;
        }
        Ok(plaintext)
    }

    /// The same key, distributed again.
    fn merge(self, newer: Self) -> (Self, Distributed) {
        if sabotage::on(Rule::NeverRewind) {
            return (newer, Distributed::MovedOn);
        }
        if newer.iteration.saturating_sub(self.iteration) <= MAX_SENDER_KEY_JUMP {
            return (self, Distributed::Known);
        }
        (Self { skipped: self.skipped.clone(), ..newer }, Distributed::MovedOn)
    }
}

impl From<&SenderKeyDistribution> for SenderKeyState {
    fn from(distribution: &SenderKeyDistribution) -> Self {
        Self {
            key_id: distribution.key_id,
            iteration: distribution.iteration,
            chain: ChainKey::new(*distribution.chain_key.expose()),
            signing_key: distribution.signing_key,
            skipped: SkippedKeys::default(),
            verifier: None,
        }
    }
}

impl PartialEq for SenderKeyState {
    fn eq(&self, other: &Self) -> bool {
        (self.key_id, self.iteration, &self.chain, self.signing_key, &self.skipped)
            == (other.key_id, other.iteration, &other.chain, other.signing_key, &other.skipped)
    }
}

impl Eq for SenderKeyState {}

impl PartialEq for OwnSenderKey {
    fn eq(&self, other: &Self) -> bool {
        (self.key_id, self.iteration, &self.chain, &self.signing)
            == (other.key_id, other.iteration, &other.chain, &other.signing)
    }
}

impl Eq for OwnSenderKey {}

fn decrypt(keys: &SenderMessageKeys, message: &SenderKeyMessage<'_>) -> Result<Vec<u8>, SignalError> {
    cbc::decrypt(keys.cipher_key.expose(), keys.iv.expose(), message.ciphertext).map_err(cbc_error)
}

impl std::fmt::Debug for OwnSenderKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnSenderKey")
            .field("key_id", &self.key_id)
            .field("iteration", &self.iteration)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SenderKeyRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.states.iter().map(|state| (state.key_id, state.iteration))).finish()
    }
}
