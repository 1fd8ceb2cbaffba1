//! What was sent, what was delivered, what was answered: the promises are checked against it.

use std::collections::{BTreeMap, BTreeSet};

use wa_client::Jid;
use wa_sim::SimHandle;
use wa_sim::faults::Direction;
use wa_sim::phone::{Download, Kind};
use wa_sim::trace::Filter;
use wa_sim::watch::Rule;

/// The account whose messages are numbered.
pub(crate) const PEER: u64 = 15_550_101;

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Texts in the order in which they were sent.
    sent: Vec<String>,
    /// For each text how it was delivered: true for a redelivery that was marked.
    delivered: BTreeMap<String, Vec<bool>>,
    /// Ids of answers that the peer asked for again although it had them.
    asked_again: BTreeSet<String>,
}

impl Ledger {
    pub(crate) fn sent(&mut self, text: String) {
        self.sent.push(text);
    }

    pub(crate) fn messages(&self) -> usize {
        self.sent.len()
    }

    pub(crate) fn redeliveries(&self) -> usize {
        self.delivered.values().flatten().filter(|again| **again).count()
    }

    /// A line of the process: `event first|again <text>`.
    pub(crate) fn delivered(&mut self, line: &str) {
        let (how, text) = line.split_once(' ').expect("how and what");
        self.delivered.entry(text.to_owned()).or_default().push(how == "again");
    }

    /// Notes which answers the peer asks for again; the trace forgets.
    pub(crate) fn note_retries(&mut self, sim: &SimHandle) {
        let asked = Filter {
            direction: Some(Direction::Out),
            tag: Some("receipt".into()),
            kind: Some("retry".into()),
            ..Filter::default()
        };
        let ids =
            sim.trace(&asked).into_iter().filter_map(|passed| passed.node.optional("id").string().ok()?);
        self.asked_again.extend(ids.map(Into::into));
    }

    /// Texts without an answer at the peer.
    pub(crate) fn unanswered(&self, sim: &SimHandle) -> Vec<String> {
        let answers = answers(sim);
        self.sent.iter().filter(|text| !answers.contains_key(&answer(text))).cloned().collect()
    }

    /// Every promise that was broken, as a sentence.
    pub(crate) fn broken(&self, sim: &SimHandle) -> Vec<String> {
        let mut broken = Vec::new();
        let answers = answers(sim);
        for text in &self.sent {
            match self.delivered.get(text).map(Vec::as_slice) {
                None => {
                    broken.push(format!("{text:?} was lost: acknowledged or not, it was never delivered"));
                }
                // An application that skips what is marked and known sees it once; what is unmarked is new to it.
                Some([_, rest @ ..]) if rest.contains(&false) => {
                    broken.push(format!("{text:?} came again without a mark"));
                }
                Some(_) => {}
            }
            match answers.get(&answer(text)).map(Vec::as_slice) {
                None => broken.push(format!("the answer to {text:?} never came")),
                Some([_]) => {}
                Some([first, rest @ ..])
                    if self.asked_again.contains(first) && rest.iter().all(|id| id == first) => {}
                Some(ids) => broken.push(format!("the answer to {text:?} came as {ids:?}")),
            }
        }
        for violation in sim.violations() {
            // Processes that are started anew as fast as they die know of no back-off.
            if violation.rule != Rule::EagerReconnect {
                broken.push(format!("{:?}: {}", violation.rule, violation.detail));
            }
        }
        broken
    }
}

fn answer(text: &str) -> String {
    format!("answer to {text}")
}

/// Texts and captions that the peer's phone has decrypted, with the ids under which they came.
fn answers(sim: &SimHandle) -> BTreeMap<String, Vec<String>> {
    let mut answers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for received in sim.inbox(PEER) {
        let text = match received.kind {
            Kind::Text { text, .. } => Some(text),
            // A file that the peer could not download is no answer.
            Kind::File(file) if matches!(file.download, Download::Done { .. }) => file.caption,
            _ => None,
        };
        if let Some(text) = text.filter(|text| text.starts_with("answer to")) {
            answers.entry(text).or_default().push(received.id);
        }
    }
    answers
}

/// Where a numbered text goes: every other one into the group.
pub(crate) fn chat(number: u64, bot: u64, group: &Jid) -> Jid {
    if number.is_multiple_of(2) { Jid::pn(bot) } else { group.clone() }
}
