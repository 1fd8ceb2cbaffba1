//! A group of two senders over the same bad network: sender keys are distributed late, repeatedly or not at all, and
//! rotated. Every outcome is the model's.

use std::collections::VecDeque;

use anyhow::{Context, Result, ensure};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::json;
use wa_signal::{OwnSenderKey, SenderKeyDistribution, SenderKeyMessage, SenderKeyRecord, SignalError};

use crate::model::group::{Position, Receiving, Rules, Sending};
use crate::pairwise::agree;
use crate::process::{Kind, Stranger, bytes};
use crate::sides::{Answer, answer, class};
use crate::tally::Tally;

#[derive(Clone)]
struct Travelling {
    to: usize,
    bytes: Vec<u8>,
    position: Position,
    /// None for a distribution.
    text: Option<Vec<u8>>,
}

const MOST_IN_FLIGHT: usize = 60;
const MOST_DELIVERED: usize = 40;

struct World {
    rng: ChaCha20Rng,
    own: Vec<u8>,
    received: Vec<u8>,
    stranger: Stranger,
    rules: [Rules; 2],
    sending: [Sending; 2],
    receiving: [Receiving; 2],
    in_flight: VecDeque<Travelling>,
    delivered: VecDeque<Travelling>,
    counted: u64,
    tally: Tally,
}

/// Runs a group.
pub fn run(kind: Kind, seed: u64, steps: u64, lies_after: Option<u64>) -> Result<Tally> {
    let mut stranger = Stranger::start(kind, lies_after)?;
    let hello = stranger.hello(seed)?;
    println!("  group with {}, seed {seed}, {steps} steps", hello["name"]);
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let rules = [Rules::Ours, if kind == Kind::Node { Rules::Baileys } else { Rules::Wacore }];
    let own = OwnSenderKey::generate(&mut rng);
    let mut world = World {
        rng,
        own: own.encode().to_vec(),
        received: SenderKeyRecord::new().encode().to_vec(),
        stranger,
        rules,
        sending: [Sending::new(rules[0], own.key_id()), Sending::new(rules[1], 0)],
        receiving: rules.map(Receiving::new),
        in_flight: VecDeque::new(),
        delivered: VecDeque::new(),
        counted: 0,
        tally: Tally::default(),
    };
    world.distribute(0, true)?;
    world.distribute(1, true)?;
    for step in 0..steps {
        world.step(step).with_context(|| format!("step {step} of seed {seed}"))?;
    }
    world.tally.close(&mut world.stranger)?;
    Ok(world.tally)
}

impl World {
    fn below(&mut self, end: usize) -> usize {
        (self.rng.next_u64() % end as u64) as usize
    }

    fn step(&mut self, step: u64) -> Result<()> {
        let side = self.below(2);
        if step % 2500 == 1200 {
            self.in_flight.clear();
            // Too far for the stranger, not for us. Baileys rewrites every key it left out with every message, which
            // makes long runs of it slow.
            let count = match (side, self.rules[1]) {
                (1, Rules::Baileys) => 40,
                _ if self.below(2) == 0 => 2003,
                _ => 300,
            };
            return self.send(side, count);
        }
        match self.below(1000) {
            0..440 => self.send(side, 1),
            440..890 => self.deliver(),
            890..920 => match self.below(self.delivered.len().max(1)) {
                place if place < self.delivered.len() => {
                    let again = self.delivered[place].clone();
                    self.hand_over(again)
                }
                _ => Ok(()),
            },
            920..950 => self.damage(),
            950..970 => {
                let lost = self.below(self.in_flight.len().max(1));
                drop(self.in_flight.remove(lost));
                Ok(())
            }
            970..990 => self.distribute(side, false),
            _ => self.distribute(side, true),
        }
    }

    /// Sends the own key at its present place, or a new one.
    fn distribute(&mut self, side: usize, rotate: bool) -> Result<()> {
        let bytes = if side == 0 {
            let own =
                if rotate { OwnSenderKey::generate(&mut self.rng) } else { OwnSenderKey::decode(&self.own)? };
            self.own = own.encode().to_vec();
            own.distribution().encode()
        } else {
            bytes(&self.stranger.must("sender_key", json!({ "rotate": rotate }))?, "distribution")?
        };
        let parsed = SenderKeyDistribution::parse(&bytes)?;
        if rotate {
            self.sending[side] = Sending::new(self.rules[side], parsed.key_id);
            self.tally.sessions += 1;
        }
        let position = self.sending[side].distribution();
        ensure!(
            (parsed.key_id, parsed.iteration) == (position.key_id, position.iteration),
            "{parsed:?} is not at {position:?}"
        );
        self.enqueue(Travelling { to: 1 - side, bytes, position, text: None });
        Ok(())
    }

    fn send(&mut self, side: usize, count: usize) -> Result<()> {
        let mut texts = Vec::with_capacity(count);
        let mut position = None;
        for _ in 0..count {
            self.counted += 1;
            let length = if count > 1 { 0 } else { self.below(200) };
            let mut text = format!("{} from {side} ", self.counted).into_bytes();
            text.resize(text.len() + length, self.counted as u8);
            texts.push(text);
            position = Some(self.sending[side].encrypt());
        }
        let position = position.context("a position")?;
        let bytes = if side == 0 {
            let mut own = OwnSenderKey::decode(&self.own)?;
            let mut last = Vec::new();
            for text in &texts {
                last = own.encrypt(text, &mut self.rng)?;
            }
            self.own = own.encode().to_vec();
            last
        } else {
            let plaintexts: Vec<String> = texts.iter().map(hex::encode).collect();
            bytes(&self.stranger.must("group_encrypt", json!({ "plaintexts": plaintexts }))?, "bytes")?
        };
        let parsed = SenderKeyMessage::parse(&bytes)?;
        ensure!(
            (parsed.key_id(), parsed.iteration()) == (position.key_id, position.iteration),
            "{parsed:?} is not at {position:?}"
        );
        self.tally.sent[side] += 1;
        self.enqueue(Travelling { to: 1 - side, bytes, position, text: texts.pop() });
        Ok(())
    }

    fn enqueue(&mut self, travelling: Travelling) {
        self.in_flight.push_back(travelling);
        if self.in_flight.len() > MOST_IN_FLIGHT {
            self.in_flight.pop_front();
        }
    }

    fn deliver(&mut self) -> Result<()> {
        if self.in_flight.is_empty() {
            return Ok(());
        }
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
        if travelling.text.is_none() {
            return Ok(());
        }
        let ciphertext = SenderKeyMessage::parse(&travelling.bytes)?.ciphertext().as_ptr() as usize;
        let at = ciphertext - travelling.bytes.as_ptr() as usize;
        *travelling.bytes.get_mut(at).context("an empty ciphertext")? ^= 0x10;
        travelling.position.damaged = true;
        self.hand_over(travelling)
    }

    fn hand_over(&mut self, travelling: Travelling) -> Result<()> {
        let Travelling { to, bytes, position, text } = travelling;
        let Some(text) = text else {
            self.receiving[to].distribute(position);
            return self.take_distribution(to, &bytes);
        };
        let expected = self.receiving[to].decrypt(position);
        let outcome = if to == 0 {
            self.open(&bytes)?
        } else {
            answer(self.stranger.open("group_decrypt", json!({ "bytes": hex::encode(&bytes) }))?)
        };
        self.tally.note(to, expected, &text);
        agree(expected, &outcome, &text, false).with_context(|| format!("side {to}, {position:?}"))
    }

    fn take_distribution(&mut self, to: usize, bytes: &[u8]) -> Result<()> {
        if to == 1 {
            return self.stranger.must("distribute", json!({ "distribution": hex::encode(bytes) })).map(drop);
        }
        let mut record = SenderKeyRecord::decode(&self.received)?;
        record.process(&SenderKeyDistribution::parse(bytes)?);
        self.received = record.encode().to_vec();
        Ok(())
    }

    fn open(&mut self, bytes: &[u8]) -> Result<Answer> {
        let mut record = SenderKeyRecord::decode(&self.received)?;
        let outcome: Result<_, SignalError> =
            SenderKeyMessage::parse(bytes).and_then(|message| record.decrypt(&message));
        self.received = record.encode().to_vec();
        Ok(match outcome {
            Ok(plaintext) => Answer::Opened(plaintext),
            Err(error) => Answer::Refused(class(&error), error.to_string()),
        })
    }
}
