//! Group messages of one sender over a network that loses, reorders, duplicates and damages, with rotation and
//! repeated distributions, against a model of chapter 04 §9 that knows no cryptography.

#![allow(clippy::print_stdout)] // seeds and counts

mod support;

use std::collections::{BTreeSet, HashMap, VecDeque};

use rand_chacha::ChaCha12Rng;
use support::{below, run_seeds, run_size};
use wa_signal::limits::{MAX_SENDER_KEY_JUMP, MAX_SENDER_KEY_STATES, MAX_SKIPPED_KEYS};
use wa_signal::sabotage::{self, Rule};
use wa_signal::{
    Distributed, ErrorClass, OwnSenderKey, SenderKeyDistribution, SenderKeyMessage, SenderKeyRecord,
    SignalError,
};

#[derive(Default)]
struct ModelState {
    key_id: u32,
    next: u32,
    skipped: BTreeSet<u32>,
}

struct Sent {
    bytes: Vec<u8>,
    text: Vec<u8>,
    accepted: bool,
}

struct World {
    rng: ChaCha12Rng,
    sender: OwnSenderKey,
    receiver: SenderKeyRecord,
    /// Newest first.
    model: VecDeque<ModelState>,
    distributions: Vec<SenderKeyDistribution>,
    sent: Vec<Sent>,
    used: HashMap<(u32, u32), Vec<u8>>,
    accepted: usize,
    refused: usize,
}

type Verdict = Result<(), String>;

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = support::rng(seed);
        let sender = OwnSenderKey::generate(&mut rng);
        Self {
            rng,
            sender,
            receiver: SenderKeyRecord::new(),
            model: VecDeque::new(),
            distributions: Vec::new(),
            sent: Vec::new(),
            used: HashMap::new(),
            accepted: 0,
            refused: 0,
        }
    }

    fn step(&mut self) -> Verdict {
        match below(&mut self.rng, 100) {
            0..35 => self.send()?,
            35..65 => self.deliver_recent()?,
            65..80 => self.deliver_any()?,
            80..85 => self.deliver_damaged()?,
            85..88 => self.sender = OwnSenderKey::generate(&mut self.rng),
            88..92 => self.distribute(self.sender.distribution())?,
            92..94 => self.distribute_again()?,
            94..95 => {
                for _ in 0..[2, 30, MAX_SKIPPED_KEYS + 100][below(&mut self.rng, 3)] {
                    self.advance()?;
                }
            }
            _ => self.reload()?,
        }
        let ids = self.receiver.key_ids().collect::<Vec<_>>();
        check(ids == self.model.iter().map(|state| state.key_id).collect::<Vec<_>>(), || {
            "other keys".into()
        })?;
        check(ids.len() <= MAX_SENDER_KEY_STATES, || "too many keys".into())
    }

    fn send(&mut self) -> Verdict {
        let text = format!("group message {}", self.sent.len()).into_bytes();
        let place = (self.sender.key_id(), self.sender.iteration());
        let bytes = self.sender.encrypt(&text, &mut self.rng).map_err(|error| error.to_string())?;
        check(self.used.insert(place, text.clone()).is_none(), || {
            format!("key {place:?} used for a second text")
        })?;
        self.sent.push(Sent { bytes, text, accepted: false });
        Ok(())
    }

    /// Moves the sender on without the cost of a signature.
    fn advance(&mut self) -> Verdict {
        let at = self.sender.distribution();
        let pair = self.sender.signing_pair().clone();
        let next = wa_signal::ratchet::ChainKey::new(*at.chain_key.expose()).skip();
        self.sender = OwnSenderKey::from_parts(at.key_id, at.iteration + 1, next, pair);
        Ok(())
    }

    fn deliver_recent(&mut self) -> Verdict {
        if self.sent.is_empty() {
            return Ok(());
        }
        let back = below(&mut self.rng, self.sent.len().min(6));
        self.deliver(self.sent.len() - 1 - back)
    }

    fn deliver_any(&mut self) -> Verdict {
        if self.sent.is_empty() {
            return Ok(());
        }
        let message = below(&mut self.rng, self.sent.len());
        self.deliver(message)
    }

    fn deliver(&mut self, place: usize) -> Verdict {
        let sent = &mut self.sent[place];
        let message = SenderKeyMessage::parse(&sent.bytes).map_err(|error| error.to_string())?;
        let predicted = predict(&self.model, &message);
        let before = self.receiver.encode();
        match (self.receiver.decrypt(&message), predicted) {
            (Ok(text), None) => {
                check(text == sent.text, || format!("message {place}: another text"))?;
                check(!sent.accepted, || format!("message {place}: accepted twice"))?;
                sent.accepted = true;
                self.accepted += 1;
                accept(&mut self.model, &message);
                Ok(())
            }
            (Err(error), Some(class)) if error.class() == class => {
                self.refused += 1;
                check(self.receiver.encode() == before, || "a failure changed the record".into())
            }
            (result, predicted) => {
                Err(format!("message {place}: {result:?}, predicted refusal {predicted:?}"))
            }
        }
    }

    fn deliver_damaged(&mut self) -> Verdict {
        let Some(sent) = self.sent.last() else { return Ok(()) };
        let mut bytes = sent.bytes.clone();
        let bit = below(&mut self.rng, bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        let before = self.receiver.encode();
        let result = SenderKeyMessage::parse(&bytes).and_then(|message| self.receiver.decrypt(&message));
        check(result.is_err(), || format!("a message damaged at bit {bit} was accepted"))?;
        check(self.receiver.encode() == before, || format!("damage at bit {bit} changed the record"))
    }

    fn distribute(&mut self, distribution: SenderKeyDistribution) -> Verdict {
        let parsed =
            SenderKeyDistribution::parse(&distribution.encode()).map_err(|error| error.to_string())?;
        let outcome = self.receiver.process(&parsed);
        let known = self.model.iter().position(|state| state.key_id == parsed.key_id);
        let (state, predicted) = match known.and_then(|place| self.model.remove(place)) {
            Some(old) if parsed.iteration.saturating_sub(old.next) > MAX_SENDER_KEY_JUMP => {
                (ModelState { next: parsed.iteration, ..old }, Distributed::MovedOn)
            }
            Some(old) => (old, Distributed::Known),
            None => (
                ModelState { key_id: parsed.key_id, next: parsed.iteration, ..ModelState::default() },
                Distributed::Added,
            ),
        };
        self.model.push_front(state);
        self.model.truncate(MAX_SENDER_KEY_STATES);
        self.distributions.push(distribution);
        check(outcome == predicted, || format!("distribution: {outcome:?} instead of {predicted:?}"))
    }

    /// An old distribution of a key that is still known arrives once more, as after a retry or a reordering. (One of a
    /// key that was dropped cannot: it came inside a pairwise message, which is not accepted twice.)
    fn distribute_again(&mut self) -> Verdict {
        let known = |distribution: &&SenderKeyDistribution| {
            self.model.iter().any(|state| state.key_id == distribution.key_id)
        };
        let old = self.distributions.iter().filter(known).cloned().collect::<Vec<_>>();
        if old.is_empty() {
            return Ok(());
        }
        let place = below(&mut self.rng, old.len());
        self.distribute(old[place].clone())
    }

    fn reload(&mut self) -> Verdict {
        let bytes = self.receiver.encode();
        let reloaded = SenderKeyRecord::decode(&bytes).map_err(|error| error.to_string())?;
        check(reloaded == self.receiver, || "a reloaded record differs".into())?;
        let own = OwnSenderKey::decode(&self.sender.encode()).map_err(|error| error.to_string())?;
        check(own == self.sender, || "a reloaded own key differs".into())?;
        for bytes in [bytes, self.sender.encode()] {
            let mut bad = bytes.to_vec();
            let bit = below(&mut self.rng, bad.len() * 8);
            bad[bit / 8] ^= 1 << (bit % 8);
            let read = SenderKeyRecord::decode(&bad).is_ok() || OwnSenderKey::decode(&bad).is_ok();
            check(!read, || format!("a record damaged at bit {bit} was read"))?;
        }
        Ok(())
    }
}

/// The class that the message is refused with, if any.
fn predict(model: &VecDeque<ModelState>, message: &SenderKeyMessage<'_>) -> Option<ErrorClass> {
    let Some(state) = model.iter().find(|state| state.key_id == message.key_id()) else {
        return Some(ErrorClass::NoSenderKey);
    };
    let iteration = message.iteration();
    if state.skipped.contains(&iteration) {
        None
    } else if iteration < state.next {
        Some(ErrorClass::Duplicate)
    } else if iteration - state.next > MAX_SENDER_KEY_JUMP {
        Some(ErrorClass::TooFarInFuture)
    } else {
        None
    }
}

fn accept(model: &mut VecDeque<ModelState>, message: &SenderKeyMessage<'_>) {
    let Some(state) = model.iter_mut().find(|state| state.key_id == message.key_id()) else { return };
    if !state.skipped.remove(&message.iteration()) {
        state.skipped.extend(state.next..message.iteration());
        state.next = message.iteration() + 1;
        while state.skipped.len() > MAX_SKIPPED_KEYS {
            state.skipped.pop_first();
        }
    }
}

fn check(holds: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(otherwise()) }
}

fn chat(seed: u64, steps: usize) -> Result<(usize, usize), String> {
    let mut world = World::new(seed);
    for step in 0..steps {
        world.step().map_err(|what| format!("seed {seed}, step {step}: {what}"))?;
    }
    Ok((world.accepted, world.refused))
}

#[test]
fn every_outcome_of_a_random_group_chat_is_the_predicted_one() {
    let (seeds, steps) = run_size(12, 600);
    let (accepted, refused) = run_seeds(seeds, |seed| chat(seed, steps));
    println!("{accepted} accepted, {refused} refused");
    assert!(accepted > 0 && refused > 0);
}

#[test]
fn a_broken_rule_is_seen() {
    for rule in [
        Rule::AdvanceOnEncrypt,
        Rule::UseKeyOnce,
        Rule::Bounds,
        Rule::Checksum,
        Rule::Signature,
        Rule::NeverRewind,
    ] {
        let seen = (0..40).find_map(|seed| sabotage::broken(rule, || chat(seed, 600).err()));
        println!("{rule:?}: {}", seen.as_deref().unwrap_or("not seen"));
        assert!(seen.is_some(), "{rule:?} was broken and nothing noticed");
    }
}

/// A sender at `iteration` of a chain that the receiver knows from the start.
fn ahead(jump: u32) -> Result<Vec<u8>, SignalError> {
    let mut rng = support::rng(7);
    let start = OwnSenderKey::generate(&mut rng);
    let mut receiver = SenderKeyRecord::new();
    receiver.process(&start.distribution());
    let mut chain = wa_signal::ratchet::ChainKey::new(*start.distribution().chain_key.expose());
    for _ in 0..jump {
        chain = chain.skip();
    }
    let mut later = OwnSenderKey::from_parts(start.key_id(), jump, chain, start.signing_pair().clone());
    let bytes = later.encrypt(b"ahead", &mut rng)?;
    receiver.decrypt(&SenderKeyMessage::parse(&bytes)?)
}

#[test]
fn a_jump_is_accepted_up_to_the_limit_only() {
    assert_eq!(ahead(MAX_SENDER_KEY_JUMP), Ok(b"ahead".to_vec()));
    let beyond = MAX_SENDER_KEY_JUMP + 1;
    let refused = Err(SignalError::TooFarInFuture { jump: beyond, limit: MAX_SENDER_KEY_JUMP });
    assert_eq!(ahead(beyond), refused);
    assert_ne!(sabotage::broken(Rule::JumpLimit, || ahead(beyond)), refused);
}

#[test]
fn a_distribution_beyond_the_limit_moves_a_known_key_on_and_keeps_its_skipped_keys() {
    let mut rng = support::rng(8);
    let mut sender = OwnSenderKey::generate(&mut rng);
    let mut receiver = SenderKeyRecord::new();
    receiver.process(&sender.distribution());
    let skipped = sender.encrypt(b"skipped", &mut rng).expect("encrypt");
    let second = sender.encrypt(b"second", &mut rng).expect("encrypt");
    receiver.decrypt(&SenderKeyMessage::parse(&second).expect("parse")).expect("decrypt");
    let mut chain = wa_signal::ratchet::ChainKey::new(*sender.distribution().chain_key.expose());
    for _ in 0..MAX_SENDER_KEY_JUMP + 1 {
        chain = chain.skip();
    }
    let iteration = sender.iteration() + MAX_SENDER_KEY_JUMP + 1;
    let mut sender =
        OwnSenderKey::from_parts(sender.key_id(), iteration, chain, sender.signing_pair().clone());
    assert_eq!(receiver.process(&sender.distribution()), Distributed::MovedOn);
    let late = sender.encrypt(b"late", &mut rng).expect("encrypt");
    for (bytes, text) in [(late, &b"late"[..]), (skipped, b"skipped")] {
        assert_eq!(receiver.decrypt(&SenderKeyMessage::parse(&bytes).expect("parse")).as_deref(), Ok(text));
    }
}

#[test]
fn the_same_id_with_another_signing_key_replaces_the_old_key() {
    let mut rng = support::rng(9);
    let (first, other) = (OwnSenderKey::generate(&mut rng), OwnSenderKey::generate(&mut rng));
    let mut second = OwnSenderKey::from_parts(
        first.key_id(),
        0,
        wa_signal::ratchet::ChainKey::new([1; 32]),
        other.signing_pair().clone(),
    );
    let mut receiver = SenderKeyRecord::new();
    assert_eq!(receiver.process(&first.distribution()), Distributed::Added);
    assert_eq!(receiver.process(&second.distribution()), Distributed::Replaced);
    let old = first.clone().encrypt(b"old", &mut rng).expect("encrypt");
    let new = second.encrypt(b"new", &mut rng).expect("encrypt");
    assert_eq!(
        receiver.decrypt(&SenderKeyMessage::parse(&old).expect("parse")),
        Err(SignalError::BadSignature)
    );
    assert_eq!(receiver.decrypt(&SenderKeyMessage::parse(&new).expect("parse")).as_deref(), Ok(&b"new"[..]));
}
