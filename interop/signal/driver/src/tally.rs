//! What happened in a run, for its last line and for the checks that it was a run worth having.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::model::Refusal;
use crate::process::{Stranger, number, text};

/// Counts of one conversation.
#[derive(Default)]
pub struct Tally {
    pub sent: [u64; 2],
    pub opened: [u64; 2],
    pub refused: [BTreeMap<Refusal, u64>; 2],
    pub sessions: u64,
    pub reinstalled: u64,
    /// Plaintexts that the stranger must have opened, in order.
    digest: Sha256,
}

impl Tally {
    /// Side 1 is the stranger.
    pub fn note(&mut self, side: usize, expected: Result<(), Refusal>, plaintext: &[u8]) {
        match expected {
            Ok(()) => {
                self.opened[side] += 1;
                if side == 1 {
                    self.digest.update(plaintext);
                }
            }
            Err(refusal) => *self.refused[side].entry(refusal).or_default() += 1,
        }
    }

    /// The stranger's own account of what it opened must be ours.
    pub fn close(&self, stranger: &mut Stranger) -> Result<()> {
        let summary = stranger.must("summary", json!({}))?;
        println!("    the stranger says: {summary}");
        ensure!(u64::from(number(&summary, "opened")?) == self.opened[1], "it opened another number");
        ensure!(
            text(&summary, "digest")? == hex::encode(self.digest.clone().finalize()),
            "it opened other texts"
        );
        Ok(())
    }

    /// A run in which little was opened, or nothing refused, proves little.
    pub fn is_worth_having(&self, least_opened: u64, refusals: &[Refusal]) -> Result<()> {
        for side in 0..2 {
            ensure!(
                self.opened[side] * 100 >= self.sent[1 - side] * least_opened,
                "side {side} opened only {} of {}",
                self.opened[side],
                self.sent[1 - side]
            );
            for refusal in refusals {
                ensure!(self.refused[side].contains_key(refusal), "side {side} never refused as {refusal:?}");
            }
        }
        Ok(())
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (side, name) in ["we", "the stranger"].into_iter().enumerate() {
            writeln!(
                f,
                "    {name}: sent {}, opened {}, refused {:?}",
                self.sent[side], self.opened[side], self.refused[side]
            )?;
        }
        write!(f, "    {} sessions started, {} reinstallations", self.sessions, self.reinstalled)
    }
}
