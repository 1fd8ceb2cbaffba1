//! Random conversations over a network that loses, reorders, duplicates and damages, against a model of the rules of
//! chapter 04 §6 that knows no cryptography. The model predicts every outcome; each broken rule is seen.

#![allow(clippy::print_stdout)] // seeds and counts

mod support;

use std::collections::{BTreeSet, HashMap, VecDeque};

use rand_chacha::ChaCha12Rng;
use support::{Device, below, run_seeds, run_size};
use wa_signal::limits::{MAX_ARCHIVED_SESSIONS, MAX_JUMP, MAX_RECEIVING_CHAINS, MAX_SKIPPED_KEYS};
use wa_signal::sabotage::{self, Rule};
use wa_signal::{
    CiphertextKind, ErrorClass, PreKeySignalMessage, Sender, SessionId, SessionRecord, SessionUse,
    SignalMessage,
};

const ALICE: usize = 0;
const BOB: usize = 1;

/// A chain as its receiver should see it.
#[derive(Default)]
struct Chain {
    ratchet: [u8; 32],
    next: u32,
    skipped: BTreeSet<u32>,
}

/// A session as its receiver should see it. `dropped` holds chains past the limit.
#[derive(Default)]
struct ModelSession {
    chains: VecDeque<Chain>,
    dropped: BTreeSet<[u8; 32]>,
}

/// A record as its owner should see it: ids of sessions, current first, and what was received on each.
#[derive(Default)]
struct ModelRecord {
    current: Option<SessionId>,
    archived: VecDeque<SessionId>,
    sessions: HashMap<SessionId, ModelSession>,
}

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Outcome {
    Accepted,
    Refused(ErrorClass),
}

struct Sent {
    from: usize,
    pre_key: bool,
    bytes: Vec<u8>,
    text: Vec<u8>,
    session: SessionId,
    accepted: bool,
}

struct World {
    rng: ChaCha12Rng,
    devices: [Device; 2],
    records: [SessionRecord; 2],
    /// The encoded records, while they are as they were: what a failure must leave untouched.
    encoded: [Option<Vec<u8>>; 2],
    models: [ModelRecord; 2],
    sent: Vec<Sent>,
    /// Which text every message key was used for.
    used: HashMap<(usize, [u8; 32], u32), Vec<u8>>,
    in_flight: Vec<usize>,
    accepted: usize,
    refused: usize,
}

type Verdict = Result<(), String>;

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = support::rng(seed);
        let devices = [Device::new(&mut rng), Device::new(&mut rng)];
        Self {
            rng,
            devices,
            records: Default::default(),
            encoded: Default::default(),
            models: Default::default(),
            sent: Vec::new(),
            used: HashMap::new(),
            in_flight: Vec::new(),
            accepted: 0,
            refused: 0,
        }
    }

    fn step(&mut self) -> Verdict {
        let who = below(&mut self.rng, 2);
        match below(&mut self.rng, 100) {
            0..35 => self.send(who)?,
            35..75 => self.deliver_new()?,
            75..85 => self.deliver_again()?,
            85..90 => self.deliver_damaged()?,
            90..94 => self.lose(),
            94..96 => self.initiate(who)?,
            96..97 => self.burn(who)?,
            97..98 => {
                self.change(who).archive_current();
                self.models[who].archive_current();
            }
            _ => self.reload(who)?,
        }
        for (record, model) in self.records.iter().zip(&self.models) {
            check(record.session_id() == model.current, || "another current session".into())?;
            check(record.archived_len() == model.archived.len(), || {
                "another number of archived sessions".into()
            })?;
            check(record.archived_len() <= MAX_ARCHIVED_SESSIONS, || "too many archived sessions".into())?;
        }
        Ok(())
    }

    /// A record that is about to change.
    fn change(&mut self, who: usize) -> &mut SessionRecord {
        self.encoded[who] = None;
        &mut self.records[who]
    }

    /// Encodes a record, unless it was encoded since its last change.
    fn remember(&mut self, who: usize) {
        if self.encoded[who].is_none() {
            self.encoded[who] = Some(self.records[who].encode().to_vec());
        }
    }

    /// Whether a record is what it was when it was remembered.
    fn is_untouched(&self, who: usize) -> bool {
        self.encoded[who].as_deref() == Some(&self.records[who].encode()[..])
    }

    fn initiate(&mut self, who: usize) -> Verdict {
        let with_one_time = below(&mut self.rng, 4) != 0;
        let bundle = self.devices[1 - who].bundle(with_one_time, &mut self.rng);
        self.encoded[who] = None;
        let local = &self.devices[who].local;
        self.records[who].initiate(local, &bundle, 0, &mut self.rng).map_err(|error| error.to_string())?;
        let id = self.records[who].session_id().ok_or("no session after initiating")?;
        self.models[who].start(id);
        Ok(())
    }

    fn send(&mut self, who: usize) -> Verdict {
        if !self.records[who].has_current() {
            self.initiate(who)?;
        }
        let text = format!("{} from {who}", self.sent.len()).into_bytes();
        self.encoded[who] = None;
        let sealed = self.records[who]
            .encrypt(&self.devices[who].local, &text)
            .map_err(|error| format!("encrypt: {error}"))?;
        let pre_key = sealed.kind == CiphertextKind::PreKeyMessage;
        let (ratchet, counter) = place(&sealed.bytes, pre_key);
        let earlier = self.used.insert((who, ratchet, counter), text.clone());
        check(earlier.is_none(), || format!("key {counter} of {who} used for a second text"))?;
        let session = self.records[who].session_id().ok_or("no session")?;
        self.in_flight.push(self.sent.len());
        self.sent.push(Sent { from: who, pre_key, bytes: sealed.bytes, text, session, accepted: false });
        Ok(())
    }

    /// Advances the sending chain as if messages had been lost, now and then past the limit.
    fn burn(&mut self, who: usize) -> Verdict {
        if !self.records[who].has_current() {
            return Ok(());
        }
        let count = [3, 40, MAX_JUMP as usize - 2, MAX_JUMP as usize + 40][below(&mut self.rng, 4)];
        self.encoded[who] = None;
        for _ in 0..count {
            self.records[who]
                .encrypt(&self.devices[who].local, &[])
                .map_err(|error| format!("burn: {error}"))?;
        }
        Ok(())
    }

    fn deliver_new(&mut self) -> Verdict {
        if self.in_flight.is_empty() {
            return Ok(());
        }
        let place = below(&mut self.rng, self.in_flight.len());
        let message = self.in_flight.swap_remove(place);
        self.deliver(message)
    }

    fn deliver_again(&mut self) -> Verdict {
        if self.sent.is_empty() {
            return Ok(());
        }
        let message = below(&mut self.rng, self.sent.len());
        self.in_flight.retain(|other| *other != message);
        self.deliver(message)
    }

    fn deliver(&mut self, message: usize) -> Verdict {
        let sent = &self.sent[message];
        let who = 1 - sent.from;
        let (ratchet, counter) = place(&sent.bytes, sent.pre_key);
        let model = &self.models[who];
        // Without a one-time pre-key nothing but the session itself knows that a pre-key message was read. Once forty
        // newer sessions have pushed it out it would start anew; telling that replay is the message id's task.
        if model.has_lost(sent.session) && sent.pre_key && !names_one_time_key(&sent.bytes) {
            return Ok(());
        }
        let usable = !sent.pre_key || pre_keys_there(&self.devices[who], &sent.bytes);
        let predicted = model.predict(sent, ratchet, counter, usable);
        // Records grow to megabytes. One that is to change need not be encoded: a refusal would not be as predicted.
        match predicted {
            Outcome::Accepted => self.encoded[who] = None,
            Outcome::Refused(_) => self.remember(who),
        }
        let sent = &mut self.sent[message];
        let result = self.devices[who].decrypt(
            &mut self.records[who],
            sent.pre_key,
            &sent.bytes,
            Sender::Other,
            &mut self.rng,
        );
        let model = &mut self.models[who];
        let outcome = match &result {
            Ok(received) => {
                check(received.plaintext == sent.text, || format!("message {message}: another text"))?;
                check(!sent.accepted, || format!("message {message}: accepted twice"))?;
                check(received.identity_key == self.devices[1 - who].local.identity_key(), || {
                    "another identity".into()
                })?;
                let expected = match (model.current == Some(sent.session), model.knows(sent.session)) {
                    (true, _) => SessionUse::Current,
                    (false, true) => SessionUse::Promoted,
                    (false, false) => SessionUse::Created,
                };
                check(received.session == expected, || format!("session {:?}", received.session))?;
                Outcome::Accepted
            }
            Err(error) => Outcome::Refused(error.class()),
        };
        check(outcome == predicted, || {
            format!("message {message} ({}): {outcome:?} instead of {predicted:?}, {result:?}", sent.pre_key)
        })?;
        if outcome == Outcome::Accepted {
            sent.accepted = true;
            self.accepted += 1;
            model.accept(sent.session, ratchet, counter);
            return Ok(());
        }
        self.refused += 1;
        check(self.is_untouched(who), || "a failure changed the record".into())
    }

    /// One flipped bit: never accepted with another text, never a change. (Fields that nothing authenticates, such as
    /// the registration id, may be damaged without harm to the text.)
    fn deliver_damaged(&mut self) -> Verdict {
        if self.in_flight.is_empty() {
            return Ok(());
        }
        let place = below(&mut self.rng, self.in_flight.len());
        let message = &self.sent[self.in_flight[place]];
        let mut bytes = message.bytes.clone();
        // The tail of a pre-key message is not authenticated; the MAC's message is.
        let end = bytes.len() - if message.pre_key { 16 } else { 0 };
        let start = if message.pre_key { 120 } else { 0 };
        let bit = start * 8 + below(&mut self.rng, (end - start) * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        let (who, pre_key) = (1 - message.from, message.pre_key);
        self.remember(who);
        let pre_keys = self.devices[who].one_time.len();
        let result =
            self.devices[who].decrypt(&mut self.records[who], pre_key, &bytes, Sender::Other, &mut self.rng);
        match result {
            // The low nibble of the version byte may rise: but it is under the MAC.
            Ok(_) => Err(format!("a message damaged at bit {bit} was accepted")),
            Err(error) => {
                check(self.is_untouched(who), || {
                    format!("damage at bit {bit} changed the record ({error})")
                })?;
                check(self.devices[who].one_time.len() == pre_keys, || "damage consumed a pre-key".into())
            }
        }
    }

    fn lose(&mut self) {
        if !self.in_flight.is_empty() {
            let place = below(&mut self.rng, self.in_flight.len());
            self.in_flight.swap_remove(place);
        }
    }

    fn reload(&mut self, who: usize) -> Verdict {
        let bytes = self.records[who].encode();
        let reloaded = SessionRecord::decode(&bytes).map_err(|error| error.to_string())?;
        check(reloaded.encode() == bytes, || "a reloaded record differs".into())?;
        self.records[who] = reloaded;
        let mut bad = bytes.to_vec();
        let bit = below(&mut self.rng, bad.len() * 8);
        bad[bit / 8] ^= 1 << (bit % 8);
        check(SessionRecord::decode(&bad).is_err(), || format!("a record damaged at bit {bit} was read"))
    }
}

impl ModelRecord {
    fn knows(&self, id: SessionId) -> bool {
        self.current == Some(id) || self.archived.contains(&id)
    }

    fn has_lost(&self, id: SessionId) -> bool {
        self.sessions.contains_key(&id) && !self.knows(id)
    }

    fn archive_current(&mut self) {
        if let Some(id) = self.current.take() {
            self.archived.push_front(id);
            self.archived.truncate(MAX_ARCHIVED_SESSIONS);
        }
    }

    fn start(&mut self, id: SessionId) {
        self.archive_current();
        self.current = Some(id);
        self.sessions.insert(id, ModelSession::default());
    }

    fn predict(&self, sent: &Sent, ratchet: [u8; 32], counter: u32, pre_keys: bool) -> Outcome {
        if !self.knows(sent.session) {
            return match (sent.pre_key, pre_keys) {
                (true, true) if counter > MAX_JUMP => Outcome::Refused(ErrorClass::TooFarInFuture),
                (true, true) => Outcome::Accepted,
                (true, false) => Outcome::Refused(ErrorClass::UnknownPreKey),
                (false, _) if self.current.is_none() && self.archived.is_empty() => {
                    Outcome::Refused(ErrorClass::NoSession)
                }
                (false, _) if counter > MAX_JUMP => Outcome::Refused(ErrorClass::TooFarInFuture),
                (false, _) => Outcome::Refused(ErrorClass::BadMac),
            };
        }
        let session = &self.sessions[&sent.session];
        let Some(chain) = session.chains.iter().find(|chain| chain.ratchet == ratchet) else {
            return if counter > MAX_JUMP {
                Outcome::Refused(ErrorClass::TooFarInFuture)
            } else if session.dropped.contains(&ratchet) {
                Outcome::Refused(ErrorClass::BadMac)
            } else {
                Outcome::Accepted
            };
        };
        if chain.skipped.contains(&counter) {
            Outcome::Accepted
        } else if counter < chain.next {
            Outcome::Refused(ErrorClass::Duplicate)
        } else if counter - chain.next > MAX_JUMP {
            Outcome::Refused(ErrorClass::TooFarInFuture)
        } else {
            Outcome::Accepted
        }
    }

    fn accept(&mut self, id: SessionId, ratchet: [u8; 32], counter: u32) {
        if !self.knows(id) {
            self.start(id);
        } else if self.current != Some(id) {
            self.archived.retain(|other| *other != id);
            self.archive_current();
            self.current = Some(id);
        }
        let session = self.sessions.entry(id).or_default();
        if !session.chains.iter().any(|chain| chain.ratchet == ratchet) {
            session.chains.push_back(Chain { ratchet, ..Chain::default() });
            if session.chains.len() > MAX_RECEIVING_CHAINS {
                let oldest = session.chains.pop_front().expect("more than none");
                session.dropped.insert(oldest.ratchet);
            }
        }
        let chain = session.chains.iter_mut().find(|chain| chain.ratchet == ratchet).expect("just there");
        if !chain.skipped.remove(&counter) {
            chain.skipped.extend(chain.next..counter);
            chain.next = counter + 1;
            while chain.skipped.len() > MAX_SKIPPED_KEYS {
                chain.skipped.pop_first();
            }
        }
    }
}

fn names_one_time_key(bytes: &[u8]) -> bool {
    PreKeySignalMessage::parse(bytes).expect("an own message").pre_key_id().is_some()
}

fn pre_keys_there(device: &Device, bytes: &[u8]) -> bool {
    let message = PreKeySignalMessage::parse(bytes).expect("an own message");
    message.pre_key_id().is_none_or(|id| device.one_time.contains_key(&id))
}

/// Ratchet key and counter of a message: they name its key.
fn place(bytes: &[u8], pre_key: bool) -> ([u8; 32], u32) {
    if pre_key {
        let message = PreKeySignalMessage::parse(bytes).expect("an own message");
        return (*message.message().ratchet_key().as_bytes(), message.message().counter());
    }
    let message = SignalMessage::parse(bytes).expect("an own message");
    (*message.ratchet_key().as_bytes(), message.counter())
}

fn check(holds: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// Runs one conversation; the first broken rule ends it.
fn converse(seed: u64, steps: usize) -> Result<(usize, usize), String> {
    let mut world = World::new(seed);
    for step in 0..steps {
        world.step().map_err(|what| format!("seed {seed}, step {step}: {what}"))?;
    }
    while !world.in_flight.is_empty() {
        world.deliver_new().map_err(|what| format!("seed {seed}, at the end: {what}"))?;
    }
    Ok((world.accepted, world.refused))
}

#[test]
fn every_outcome_of_a_random_conversation_is_the_predicted_one() {
    let (seeds, steps) = run_size(12, 600);
    let (accepted, refused) = run_seeds(seeds, |seed| converse(seed, steps));
    println!("{accepted} accepted, {refused} refused");
    assert!(accepted > 0 && refused > 0);
}

#[test]
fn a_broken_rule_is_seen() {
    for rule in [
        Rule::AdvanceOnEncrypt,
        Rule::UseKeyOnce,
        Rule::JumpLimit,
        Rule::Checksum,
        Rule::Mac,
        Rule::FailUntouched,
    ] {
        let seen = (0..40).find_map(|seed| sabotage::broken(rule, || converse(seed, 600).err()));
        println!("{rule:?}: {}", seen.as_deref().unwrap_or("not seen"));
        assert!(seen.is_some(), "{rule:?} was broken and nothing noticed");
    }
}

#[test]
fn broken_bounds_are_seen() {
    let grows = |steps: usize| {
        let mut world = World::new(1);
        for _ in 0..steps {
            world.initiate(ALICE)?;
            world.send(ALICE)?;
            world.deliver(world.sent.len() - 1)?;
            world.in_flight.clear();
            let records = [&world.records[ALICE], &world.records[BOB]];
            check(records.iter().all(|record| record.archived_len() <= MAX_ARCHIVED_SESSIONS), || {
                "grows".into()
            })?;
        }
        Verdict::Ok(())
    };
    assert_eq!(grows(60), Ok(()));
    assert!(sabotage::broken(Rule::Bounds, || grows(60)).is_err());
}
