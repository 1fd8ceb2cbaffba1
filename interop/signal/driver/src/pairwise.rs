//! A conversation of two over a network that loses, reorders, repeats and damages; sessions are started anew, by both
//! at once as well, and sides are reinstalled. Every outcome is the model's.

use std::collections::{HashMap, VecDeque};

use anyhow::{Context, Result, bail, ensure};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::model::{Bounds, Fresh, Message, Party, Refusal, Symbol};
use crate::process::{Kind, Stranger, number};
use crate::sides::{Answer, Ours, Sealed, Theirs};
use crate::tally::Tally;

/// What is on its way.
#[derive(Clone)]
struct Travelling {
    to: usize,
    sealed: Sealed,
    message: Message,
    text: Vec<u8>,
}

const MOST_IN_FLIGHT: usize = 60;
const MOST_DELIVERED: usize = 40;

struct World {
    rng: ChaCha20Rng,
    ours: Ours,
    theirs: Theirs,
    parties: [Party; 2],
    fresh: Fresh,
    in_flight: VecDeque<Travelling>,
    delivered: VecDeque<Travelling>,
    /// Which real key the model's number stands for.
    keys: HashMap<Symbol, [u8; 32]>,
    counted: u64,
    tally: Tally,
}

/// Runs a conversation.
pub fn run(kind: Kind, seed: u64, steps: u64, lies_after: Option<u64>) -> Result<Tally> {
    let mut stranger = Stranger::start(kind, lies_after)?;
    let hello = stranger.hello(seed)?;
    println!("  1:1 with {}, seed {seed}, {steps} steps", hello["name"]);
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut fresh = Fresh::default();
    let ours = Ours::new(ChaCha20Rng::seed_from_u64(rng.next_u64()));
    let other = match kind {
        Kind::Wacore | Kind::Whatsmeow => Party::chapter(Bounds::WACORE, &mut fresh),
        Kind::Node => Party::node(&mut fresh),
    };
    let mut world = World {
        rng,
        ours,
        theirs: Theirs::new(stranger, hello),
        parties: [Party::chapter(Bounds::OURS, &mut fresh), other],
        fresh,
        in_flight: VecDeque::new(),
        delivered: VecDeque::new(),
        keys: HashMap::new(),
        counted: 0,
        tally: Tally::default(),
    };
    // Both start at once.
    world.initiate(0)?;
    world.initiate(1)?;
    for step in 0..steps {
        world.step(step).with_context(|| format!("step {step} of seed {seed}"))?;
    }
    world.tally.close(&mut world.theirs.stranger)?;
    Ok(world.tally)
}

impl World {
    fn below(&mut self, end: usize) -> usize {
        (self.rng.next_u64() % end as u64) as usize
    }

    fn step(&mut self, step: u64) -> Result<()> {
        let side = self.below(2);
        if step % 2500 == 1200 {
            // Far ahead: past the bound of all, or just within that of all.
            let count = if self.below(2) == 0 { 2003 } else { 1990 };
            self.in_flight.clear();
            return self.send(side, count);
        }
        match self.below(1000) {
            0..440 => self.send(side, 1),
            440..900 => self.deliver(),
            900..930 => match self.below(self.delivered.len().max(1)) {
                place if place < self.delivered.len() => {
                    let again = self.delivered[place].clone();
                    self.hand_over(again)
                }
                _ => Ok(()),
            },
            930..965 => self.damage(),
            965..975 => {
                let lost = self.below(self.in_flight.len().max(1));
                drop(self.in_flight.remove(lost));
                Ok(())
            }
            975..990 => self.initiate(side),
            990..996 => {
                self.initiate(side)?;
                self.send(side, 1)?;
                self.initiate(1 - side)?;
                self.send(1 - side, 1)
            }
            996..998 => self.reinstall(side),
            _ => Ok(()),
        }
    }

    /// `side` starts a session with a fresh bundle of the other.
    fn initiate(&mut self, side: usize) -> Result<()> {
        let one_time = self.below(5) > 0;
        let bundle = if side == 0 { self.theirs.bundle(one_time)? } else { self.ours.bundle(one_time) };
        let id = if one_time { Some(number(&bundle, "one_time_id")?) } else { None };
        let modelled = self.parties[1 - side].bundle(number(&bundle, "signed_id")?, id, &mut self.fresh);
        self.parties[side].initiate(&modelled, &mut self.fresh);
        self.tally.sessions += 1;
        if side == 0 { self.ours.initiate(&bundle) } else { self.theirs.initiate(&bundle) }
    }

    fn reinstall(&mut self, side: usize) -> Result<()> {
        self.parties[side].reinstall(&mut self.fresh);
        self.tally.reinstalled += 1;
        if side == 0 {
            self.ours.reinstall();
            Ok(())
        } else {
            self.theirs.reinstall()
        }
    }

    /// Encrypts `count` messages, of which the last one is sent.
    fn send(&mut self, side: usize, count: usize) -> Result<()> {
        if !self.parties[side].has_session() {
            self.initiate(side)?;
        }
        let mut texts = Vec::with_capacity(count);
        for _ in 0..count {
            self.counted += 1;
            let length = if count > 1 { 0 } else { self.below(200) };
            let mut text = format!("{} from {side} ", self.counted).into_bytes();
            text.resize(text.len() + length, self.counted as u8);
            texts.push(text);
        }
        let mut message = None;
        for _ in 0..count {
            message = self.parties[side].encrypt();
        }
        let message = message.context("the model has no session")?;
        let sealed = if side == 0 { self.ours.encrypt(&texts)? } else { self.theirs.encrypt(&texts)? };
        self.compare(&sealed, &message)?;
        self.tally.sent[side] += 1;
        let text = texts.pop().context("a text")?;
        self.in_flight.push_back(Travelling { to: 1 - side, sealed, message, text });
        if self.in_flight.len() > MOST_IN_FLIGHT {
            self.in_flight.pop_front();
        }
        Ok(())
    }

    /// What stands on the wire is what the model says, and a number of the model always is the same key.
    fn compare(&mut self, sealed: &Sealed, message: &Message) -> Result<()> {
        ensure!(sealed.pre_key == message.header.is_some(), "{sealed:?} is of another kind than {message:?}");
        let (base, ratchet, counter, previous, one_time) = sealed.read(|outer, inner| {
            (
                outer.map(|outer| *outer.base_key().as_bytes()),
                *inner.ratchet_key().as_bytes(),
                inner.counter(),
                inner.previous_counter(),
                outer.and_then(|outer| outer.pre_key_id()),
            )
        })?;
        ensure!(counter == message.counter, "counter {counter}, the model says {}", message.counter);
        ensure!(previous == Some(message.previous), "previous {previous:?}, model {}", message.previous);
        self.is_same_key(message.ratchet, ratchet)?;
        if let (Some(base), Some(header)) = (base, message.header) {
            self.is_same_key(header.base, base)?;
            ensure!(one_time == header.one_time, "one-time pre-key {one_time:?} for {header:?}");
        }
        Ok(())
    }

    fn is_same_key(&mut self, symbol: Symbol, key: [u8; 32]) -> Result<()> {
        let known = *self.keys.entry(symbol).or_insert(key);
        ensure!(
            known == key,
            "key {symbol} of the model was {} and now is {}",
            hex::encode(known),
            hex::encode(key)
        );
        Ok(())
    }

    fn deliver(&mut self) -> Result<()> {
        if self.in_flight.is_empty() {
            return Ok(());
        }
        // Mostly in order.
        let place = if self.below(10) < 6 { 0 } else { self.below(self.in_flight.len().min(30)) };
        let Some(travelling) = self.in_flight.remove(place) else { return Ok(()) };
        if self.below(12) == 0 {
            self.in_flight.push_back(travelling.clone());
        }
        self.delivered.push_back(travelling.clone());
        if self.delivered.len() > MOST_DELIVERED {
            self.delivered.pop_front();
        }
        self.hand_over(travelling)
    }

    fn damage(&mut self) -> Result<()> {
        let place = self.below(self.in_flight.len().max(1));
        let Some(mut travelling) = self.in_flight.get(place).cloned() else { return Ok(()) };
        travelling.sealed = travelling.sealed.damaged()?;
        travelling.message.damaged = true;
        self.hand_over(travelling)
    }

    fn hand_over(&mut self, travelling: Travelling) -> Result<()> {
        let Travelling { to, sealed, message, text } = travelling;
        let sessions = self.parties[to].sessions();
        let expected = self.parties[to].decrypt(&message, &mut self.fresh);
        let answer = if to == 0 { self.ours.decrypt(&sealed)? } else { self.theirs.decrypt(&sealed)? };
        self.tally.note(to, expected, &text);
        agree(expected, &answer, &text, sessions > 1).with_context(|| format!("side {to}, {message:?}"))
    }
}

/// The outcome must be the expected one. With several sessions a refusal may name what either of them said, but
/// never a duplicate for something else or the reverse.
pub fn agree(
    expected: Result<(), Refusal>,
    answer: &Answer,
    text: &[u8],
    several_sessions: bool,
) -> Result<()> {
    match (expected, answer) {
        (Ok(()), Answer::Opened(plaintext)) => {
            ensure!(plaintext == text, "opened as {}, sent as {}", hex::encode(plaintext), hex::encode(text));
            Ok(())
        }
        (Err(expected), Answer::Refused(class, words)) => {
            let Some(class) = *class else { return Ok(()) };
            let either = |refusal| matches!(refusal, Refusal::BadMac | Refusal::TooFar);
            if class == expected || (several_sessions && either(class) && either(expected)) {
                return Ok(());
            }
            bail!("refused as {class:?} ({words}), the model says {expected:?}")
        }
        (Ok(()), Answer::Refused(_, words)) => bail!("refused ({words}), the model says it opens"),
        (Err(expected), Answer::Opened(_)) => bail!("opened, the model says {expected:?}"),
    }
}
