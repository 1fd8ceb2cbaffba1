//! Sender keys, as their sender and their receivers must see them (chapter 04 §9).

use std::collections::{BTreeSet, VecDeque};

use super::Refusal;

/// A group message or, with the iteration of the next one, a distribution.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    pub key_id: u32,
    pub iteration: u32,
    pub damaged: bool,
}

/// Whose rules a side follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    Ours,
    Wacore,
    Baileys,
}

/// The own key: where its chain stands.
pub struct Sending {
    pub key_id: u32,
    pub next: u32,
    rules: Rules,
}

impl Sending {
    pub const fn new(rules: Rules, key_id: u32) -> Self {
        Self { key_id, next: 0, rules }
    }

    pub const fn distribution(&self) -> Position {
        Position { key_id: self.key_id, iteration: self.next, damaged: false }
    }

    pub fn encrypt(&mut self) -> Position {
        // Baileys leaves every second iteration out.
        let iteration = if self.rules == Rules::Baileys && self.next > 0 { self.next + 1 } else { self.next };
        self.next = iteration + 1;
        Position { key_id: self.key_id, iteration, damaged: false }
    }
}

/// The keys received from the other side.
pub struct Receiving {
    rules: Rules,
    /// The newest first; Baileys looks a key up from the other end.
    states: VecDeque<State>,
}

struct State {
    key_id: u32,
    next: u32,
    skipped: BTreeSet<u32>,
}

const MOST_STATES: usize = 5;

impl Receiving {
    pub const fn new(rules: Rules) -> Self {
        Self { rules, states: VecDeque::new() }
    }

    const fn most_ahead(&self) -> u32 {
        if matches!(self.rules, Rules::Ours) { 20_000 } else { 2000 }
    }

    pub fn distribute(&mut self, position: Position) {
        let mut state = State { key_id: position.key_id, next: position.iteration, skipped: BTreeSet::new() };
        let known = self.states.iter().position(|state| state.key_id == position.key_id);
        if self.rules != Rules::Baileys
            && let Some(known) = known.and_then(|place| self.states.remove(place))
        {
            let gap = position.iteration.saturating_sub(known.next);
            if self.rules == Rules::Ours && gap > self.most_ahead() {
                state.skipped = known.skipped;
            } else {
                state = known;
            }
        }
        self.states.push_front(state);
        self.states.truncate(MOST_STATES);
    }

    pub fn decrypt(&mut self, message: Position) -> Result<(), Refusal> {
        let (rules, most_ahead) = (self.rules, self.most_ahead());
        let mut states = self.states.iter_mut().filter(|state| state.key_id == message.key_id);
        let state = if rules == Rules::Baileys { states.last() } else { states.next() };
        let state = state.ok_or(Refusal::NoSenderKey)?;
        if message.damaged {
            return Err(Refusal::BadSignature);
        }
        if message.iteration < state.next {
            // Baileys writes the keys of skipped messages in a form that it does not read back: they are lost.
            let kept = state.skipped.remove(&message.iteration) && rules != Rules::Baileys;
            return if kept { Ok(()) } else { Err(Refusal::Duplicate) };
        }
        if message.iteration - state.next > most_ahead {
            return Err(Refusal::TooFar);
        }
        let (prune_past, keep) = if rules == Rules::Wacore { (2050, 2000) } else { (2000, 2000) };
        for skipped in state.next..message.iteration {
            state.skipped.insert(skipped);
            if state.skipped.len() > prune_past {
                while state.skipped.len() > keep {
                    state.skipped.pop_first();
                }
            }
        }
        state.next = message.iteration + 1;
        Ok(())
    }
}
