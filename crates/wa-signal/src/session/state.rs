//! One session: its chains, and how a message is opened on it (chapter 04 §4.3, §6.5 step 3). Opening computes
//! everything first and changes the session only when the message has authenticated and decrypted.

use rand_core::CryptoRng;
use wa_crypto::cbc;
use wa_crypto::ct_eq;
use wa_crypto::curve::{KeyPair, PrivateKey, PublicKey};
use wa_crypto::mac::HmacKey;

use super::{Attempt, SessionId, short_digest};
use crate::error::cbc_error;
use crate::limits::{MAX_RECEIVING_CHAINS, MAX_SKIPPED_KEYS};
use crate::ratchet::{ChainKey, MessageSeed, RootKey};
use crate::sabotage::{self, Rule};
use crate::skipped::SkippedKeys;
use crate::{IdentityKey, MessageKeys, SignalError};

/// One session.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) remote_identity: IdentityKey,
    pub(crate) remote_registration_id: u32,
    pub(crate) id: SessionId,
    /// After the last root step that was made; an owed one is still missing.
    pub(crate) root: RootKey,
    /// Counter of the last message sent on the chain before, or 0.
    pub(crate) previous_counter: u32,
    pub(crate) sending: Sending,
    pub(crate) pending: Option<Pending>,
    /// Oldest first.
    pub(crate) receiving: Vec<ReceivingChain>,
}

/// The sending side.
#[derive(Clone)]
pub(crate) enum Sending {
    Ready(SendingChain),
    /// The ratchet key is drawn, but its public half and root step wait until something is sent: a device that only
    /// listens, or a session that is replaced before it answers, never pays for them.
    Owed {
        private: PrivateKey,
        theirs: PublicKey,
    },
}

#[derive(Clone)]
pub(crate) struct SendingChain {
    pub(crate) pair: KeyPair,
    pub(crate) key: ChainKey,
    pub(crate) index: u32,
}

/// What a pre-key message must repeat until the peer has answered.
#[derive(Clone)]
pub(crate) struct Pending {
    pub(crate) base_key: PublicKey,
    pub(crate) signed_pre_key_id: u32,
    pub(crate) pre_key_id: Option<u32>,
    pub(crate) created: u64,
}

#[derive(Clone)]
pub(crate) struct ReceivingChain {
    pub(crate) ratchet: RatchetId,
    /// Absent when every message of the chain is received or skipped: the sender said so when it turned.
    pub(crate) key: Option<ChainKey>,
    pub(crate) index: u32,
    pub(crate) seeds: SkippedKeys<32>,
    /// Keys from a store that did not keep the seeds.
    pub(crate) expanded: SkippedKeys<80>,
}

/// Names a ratchet key inside a session. The key itself is not needed once its agreement is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RatchetId(pub(super) [u8; 8]);

impl RatchetId {
    pub(crate) fn of(key: &PublicKey) -> Self {
        Self(short_digest(key))
    }
}

/// What a message that was opened does to its session.
enum Change {
    /// A skipped seed is used up.
    Seed { chain: usize, place: usize },
    /// A skipped expanded key is used up.
    Expanded { chain: usize, place: usize },
    /// A chain moves on.
    Advance { chain: usize, step: Advanced },
    /// The peer has turned the ratchet.
    Turn { root: RootKey, step: Advanced },
}

/// A chain, moved on past one message.
struct Advanced {
    key: ChainKey,
    index: u32,
    skipped: SkippedKeys<32>,
}

impl Session {
    /// Whether a receiving chain has this ratchet key.
    pub(super) fn knows(&self, ratchet: RatchetId) -> bool {
        self.place_of(ratchet).is_some()
    }

    /// Opens a message and changes the session accordingly; on an error nothing has changed.
    pub(super) fn open(
        &mut self,
        attempt: &Attempt<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, SignalError> {
        let (keys, change) = self.select(attempt)?;
        let plaintext = match self.authenticate(attempt, &keys).and_then(|()| decrypt(attempt, &keys)) {
            Ok(plaintext) => plaintext,
            Err(error) => {
                if sabotage::on(Rule::FailUntouched) {
                    self.apply(attempt, change, rng);
                }
                return Err(error);
            }
        };
        self.apply(attempt, change, rng);
        Ok(plaintext)
    }

    /// Finds the message's keys and what using them would change.
    fn select(&self, attempt: &Attempt<'_>) -> Result<(MessageKeys, Change), SignalError> {
        let message = attempt.message;
        let Some(place) = self.place_of(attempt.ratchet) else {
            return self.select_turn(attempt);
        };
        let chain = &self.receiving[place];
        if message.counter < chain.index {
            if let Some(found) = chain.seeds.find(message.counter)
                && let Some(seed) = chain.seeds.seed(found)
            {
                return Ok((MessageKeys::expand(&seed), Change::Seed { chain: place, place: found }));
            }
            if let Some(found) = chain.expanded.find(message.counter)
                && let Some(keys) = chain.expanded.key(found)
            {
                return Ok((
                    MessageKeys::from_expanded(keys),
                    Change::Expanded { chain: place, place: found },
                ));
            }
            return Err(SignalError::Duplicate { counter: message.counter });
        }
        check_jump(chain.index, message.counter, attempt.limit)?;
        // The sender has said that nothing more comes on a closed chain.
        let key = chain.key.as_ref().ok_or(SignalError::BadMac)?;
        let (seed, step) = advance(key, chain.index, attempt)?;
        Ok((MessageKeys::expand(&seed), Change::Advance { chain: place, step }))
    }

    fn place_of(&self, ratchet: RatchetId) -> Option<usize> {
        self.receiving.iter().rposition(|chain| chain.ratchet == ratchet)
    }

    fn authenticate(&self, attempt: &Attempt<'_>, keys: &MessageKeys) -> Result<(), SignalError> {
        let mac = mac(keys, &self.remote_identity, &attempt.local, attempt.message.body);
        if ct_eq(&mac, attempt.message.mac) || sabotage::on(Rule::Mac) {
            Ok(())
        } else {
            Err(SignalError::BadMac)
        }
    }

    /// Keys of a message with a ratchet key that the session does not know.
    fn select_turn(&self, attempt: &Attempt<'_>) -> Result<(MessageKeys, Change), SignalError> {
        let message = attempt.message;
        check_jump(0, message.counter, attempt.limit)?;
        let settled;
        let (root, ours) = match &self.sending {
            Sending::Ready(chain) => (&self.root, chain.pair.private()),
            Sending::Owed { private, theirs } => {
                settled = self.root.step(private, theirs)?.0;
                (&settled, private)
            }
        };
        let (root, key) = root.step(ours, &message.ratchet_key)?;
        let (seed, step) = advance(&key, 0, attempt)?;
        Ok((MessageKeys::expand(&seed), Change::Turn { root, step }))
    }

    fn apply(&mut self, attempt: &Attempt<'_>, change: Change, rng: &mut impl CryptoRng) {
        match change {
            Change::Seed { chain, place } => self.receiving[chain].seeds.remove(place),
            Change::Expanded { chain, place } => self.receiving[chain].expanded.remove(place),
            Change::Advance { chain, step } => {
                let chain = &mut self.receiving[chain];
                if !sabotage::on(Rule::UseKeyOnce) {
                    chain.seeds.append(&step.skipped);
                    chain.key = Some(step.key);
                    chain.index = step.index;
                }
            }
            Change::Turn { root, step } => self.turn(attempt, root, step, rng),
        }
        self.pending = None;
    }

    fn turn(&mut self, attempt: &Attempt<'_>, root: RootKey, step: Advanced, rng: &mut impl CryptoRng) {
        // The new root key follows from the last one, so the newest chain is the one the sender just left. When all
        // of it is received or skipped its key has no more use; its counters still tell duplicates.
        let sent = attempt.message.previous_counter.and_then(|last| last.checked_add(1));
        if let Some(newest) = self.receiving.last_mut()
            && sent == Some(newest.index)
        {
            newest.key = None;
        }
        self.receiving.push(ReceivingChain {
            ratchet: attempt.ratchet,
            key: Some(step.key),
            index: step.index,
            seeds: step.skipped,
            expanded: SkippedKeys::default(),
        });
        if self.receiving.len() > MAX_RECEIVING_CHAINS && !sabotage::on(Rule::Bounds) {
            self.receiving.remove(0);
        }
        self.previous_counter = match &self.sending {
            Sending::Ready(chain) => chain.index.saturating_sub(1),
            Sending::Owed { .. } => 0,
        };
        self.root = root;
        self.sending =
            Sending::Owed { private: PrivateKey::generate(rng), theirs: *attempt.message.ratchet_key() };
    }

    /// The chain to send on; makes the root step that is owed.
    pub(super) fn sending_chain(&mut self) -> Result<&mut SendingChain, SignalError> {
        if let Sending::Owed { private, theirs } = &self.sending {
            let (root, key) = self.root.step(private, theirs)?;
            let pair = KeyPair::from(private.clone());
            self.root = root;
            self.sending = Sending::Ready(SendingChain { pair, key, index: 0 });
        }
        match &mut self.sending {
            Sending::Ready(chain) => Ok(chain),
            Sending::Owed { .. } => Err(SignalError::NoSession),
        }
    }
}

fn check_jump(index: u32, counter: u32, limit: u32) -> Result<(), SignalError> {
    let jump = counter.saturating_sub(index);
    // The highest counter has no index behind it.
    if (jump > limit && !sabotage::on(Rule::JumpLimit)) || counter == u32::MAX {
        return Err(SignalError::TooFarInFuture { jump, limit });
    }
    Ok(())
}

/// Moves a chain from `index` past the message, which is at or ahead of it.
fn advance(
    key: &ChainKey,
    index: u32,
    attempt: &Attempt<'_>,
) -> Result<(MessageSeed, Advanced), SignalError> {
    let counter = attempt.message.counter;
    check_jump(index, counter, attempt.limit)?;
    let (seed, key, skipped) = run_chain(key, index, counter);
    Ok((seed, Advanced { key, index: counter + 1, skipped }))
}

/// Steps a chain from `index` to `counter` and past it: the seed at `counter`, the next chain key, and the seeds
/// between, of which only as many are made as are kept.
pub(crate) fn run_chain(
    key: &ChainKey,
    index: u32,
    counter: u32,
) -> (MessageSeed, ChainKey, SkippedKeys<32>) {
    let jump = counter.saturating_sub(index);
    let unkept = jump.saturating_sub(MAX_SKIPPED_KEYS as u32);
    let mut skipped = SkippedKeys::with_capacity((jump - unkept) as usize);
    let mut key = key.clone();
    for step in 0..jump {
        if step < unkept {
            key = key.skip();
        } else {
            let (seed, next) = key.step();
            skipped.push(index + step, seed.expose());
            key = next;
        }
    }
    let (seed, next) = key.step();
    (seed, next, skipped)
}

/// The eight bytes of a message's MAC that travel (chapter 04 §5).
pub(super) fn mac(keys: &MessageKeys, sender: &IdentityKey, receiver: &IdentityKey, body: &[u8]) -> [u8; 8] {
    let key = HmacKey::new(keys.mac_key.expose());
    let [a, b, c, d, e, f, g, h, ..] = key.mac(&[&sender.serialized(), &receiver.serialized(), body]);
    [a, b, c, d, e, f, g, h]
}

fn decrypt(attempt: &Attempt<'_>, keys: &MessageKeys) -> Result<Vec<u8>, SignalError> {
    cbc::decrypt(keys.cipher_key.expose(), keys.iv.expose(), attempt.message.ciphertext).map_err(cbc_error)
}
