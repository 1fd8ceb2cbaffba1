//! Faults: what goes wrong on purpose (chapter 10 §11).
//!
//! A fault is `{match, action, count, probability}`. The world draws from the book at every point where something
//! can go wrong, in one order, from one stream of randomness, so that a run with faults is as replayable as one
//! without. What an action does to stanzas is carried out by the world, what it does to frames and sockets by the
//! shell.

mod action;
mod matching;

use rand_chacha::ChaCha12Rng;
use rand_core::Rng;
use serde::{Deserialize, Serialize};

pub use action::{
    Action, Chain, CloseHow, Damage, FailureReason, FreezeMode, HandshakeFault, MediaFault, StreamFault,
    StreamForm,
};
pub use matching::{Direction, Match, Phase, Point};

/// A fault as it is set over the admin API, in a seed file or by a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// When it strikes; empty means always.
    #[serde(default, rename = "match")]
    pub matching: Match,
    /// What it does.
    pub action: Action,
    /// How often; `None` means without end.
    #[serde(default)]
    pub count: Option<u32>,
    /// From 0 to 1; 1 unless said otherwise.
    #[serde(default = "always")]
    pub probability: f64,
}

const fn always() -> f64 {
    1.0
}

impl Fault {
    /// A fault that strikes every time.
    #[must_use]
    pub fn new(matching: Match, action: Action) -> Self {
        Self { matching, action, count: None, probability: 1.0 }
    }

    /// A fault that strikes once.
    #[must_use]
    pub fn once(matching: Match, action: Action) -> Self {
        Self { count: Some(1), ..Self::new(matching, action) }
    }
}

/// A fault in the book.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Names it for removal.
    pub id: u64,
    /// The fault, with what is left of its count.
    #[serde(flatten)]
    pub fault: Fault,
    /// How often it struck.
    pub struck: u64,
}

/// All faults of a run.
#[derive(Debug)]
pub struct Book {
    entries: Vec<Entry>,
    next: u64,
    draws: ChaCha12Rng,
}

impl Book {
    /// An empty book that draws from the given stream.
    #[must_use]
    pub fn new(draws: ChaCha12Rng) -> Self {
        Self { entries: Vec::new(), next: 1, draws }
    }

    /// Adds a fault and gives its id.
    pub fn add(&mut self, fault: Fault) -> u64 {
        let id = self.next;
        self.next += 1;
        self.entries.push(Entry { id, fault, struck: 0 });
        id
    }

    /// Removes a fault; `false` when there is none with this id.
    pub fn remove(&mut self, id: u64) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.id != id);
        before != self.entries.len()
    }

    /// Removes all faults.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// All faults, struck out or not.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether there is nothing to draw: the fast way past the book.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The actions that strike at this point, in the order in which they were set.
    pub fn strike(&mut self, point: &Point<'_>) -> Vec<Action> {
        let mut struck = Vec::new();
        for entry in &mut self.entries {
            if entry.fault.count == Some(0) || !entry.fault.action.applies_at(point) {
                continue;
            }
            if !entry.fault.matching.fits(point) || !draw(&mut self.draws, entry.fault.probability) {
                continue;
            }
            if let Some(count) = &mut entry.fault.count {
                *count -= 1;
            }
            entry.struck += 1;
            let (what, at) = (entry.fault.action.name(), point.tag.unwrap_or("a connection"));
            tracing::info!("fault {} strikes at {at}: {what}", entry.id);
            struck.push(entry.fault.action.clone());
        }
        struck
    }

    /// A number below `bound` from the stream of fault draws, for jitter and positions.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.draws.next_u64() % bound }
    }
}

/// A certain event takes no randomness: adding a fault with probability 1 moves no other draw.
fn draw(rng: &mut ChaCha12Rng, probability: f64) -> bool {
    if probability >= 1.0 {
        return true;
    }
    let roll = f64::from(rng.next_u32()) / f64::from(u32::MAX);
    roll < probability
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    fn point() -> Point<'static> {
        Point {
            tag: Some("message"),
            direction: Some(Direction::Out),
            phase: Phase::Steady,
            ..Point::default()
        }
    }

    #[test]
    fn a_fault_strikes_as_often_as_its_count_says() {
        let mut book = Book::new(Seed(1).stream("faults", 0));
        book.add(Fault { count: Some(2), ..Fault::new(Match::default(), Action::Duplicate) });
        assert_eq!(book.strike(&point()).len(), 1);
        assert_eq!(book.strike(&point()).len(), 1);
        assert_eq!(book.strike(&point()).len(), 0);
        assert_eq!(book.entries()[0].struck, 2);
    }

    #[test]
    fn probability_draws_from_the_seed() {
        let run = |seed| {
            let mut book = Book::new(Seed(seed).stream("faults", 0));
            book.add(Fault { probability: 0.5, ..Fault::new(Match::default(), Action::Duplicate) });
            (0..64).map(|_| book.strike(&point()).len()).collect::<Vec<_>>()
        };
        assert_eq!(run(3), run(3));
        assert_ne!(run(3), run(4));
        let struck = run(3).iter().sum::<usize>();
        assert!((16..48).contains(&struck), "{struck}");
    }

    #[test]
    fn faults_are_read_from_json() {
        let fault: Fault = serde_json::from_str(
            r#"{"match":{"tag":"iq","xmlns":"encrypt"},"action":{"do":"rate-overlimit","backoff":30},"count":1}"#,
        )
        .expect("a fault");
        assert_eq!(fault.matching.xmlns.as_deref(), Some("encrypt"));
        assert_eq!(fault.action, Action::RateOverlimit { backoff: Some(30) });
        assert!(serde_json::from_str::<Fault>(r#"{"action":{"do":"explode"}}"#).is_err());
    }
}
