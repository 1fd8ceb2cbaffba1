//! The last stanzas in both directions, decrypted, and the recording of a run (chapter 10 §12, §14).

use std::collections::VecDeque;
use std::io::Write;
use std::sync::Arc;

use serde::Serialize;
use wa_binary::Node;

use crate::faults::Direction;
use crate::stanza::{Read, to_json};
use crate::world::ConnId;

/// A stanza that passed.
#[derive(Clone, Debug)]
pub struct Passed {
    /// Running number from 1.
    pub seq: u64,
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// The connection.
    pub conn: ConnId,
    /// Which way.
    pub direction: Direction,
    /// The stanza.
    pub node: Arc<Node>,
}

/// Picks stanzas out of the trace.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct Filter {
    /// Only later than this number.
    pub since: u64,
    /// Which way.
    pub direction: Option<Direction>,
    /// One connection.
    pub conn: Option<u64>,
    /// Tag.
    pub tag: Option<String>,
    /// `xmlns`.
    pub xmlns: Option<String>,
    /// `type`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// `id`.
    pub id: Option<String>,
    /// Tag of a child.
    pub child: Option<String>,
}

impl Filter {
    /// Whether the stanza is meant.
    #[must_use]
    pub fn fits(&self, passed: &Passed) -> bool {
        let node = &passed.node;
        let attr =
            |key: &str, want: &Option<String>| want.as_ref().is_none_or(|want| node.attr_is(key, want));
        passed.seq > self.since
            && self.direction.is_none_or(|want| want == passed.direction)
            && self.conn.is_none_or(|want| want == passed.conn.0)
            && self.tag.as_ref().is_none_or(|want| node.is(want))
            && attr("xmlns", &self.xmlns)
            && attr("type", &self.kind)
            && attr("id", &self.id)
            && self.child.as_ref().is_none_or(|want| node.kid(want).is_some())
    }
}

#[derive(Serialize)]
struct Line {
    t: u64,
    conn: u64,
    dir: Direction,
    node: serde_json::Value,
}

impl Passed {
    fn line(&self) -> Line {
        Line { t: self.at_ms, conn: self.conn.0, dir: self.direction, node: to_json(&self.node) }
    }

    /// As the admin API shows it.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let mut value = serde_json::to_value(self.line()).unwrap_or_default();
        value["seq"] = self.seq.into();
        value
    }
}

enum Recording {
    /// Writes.
    Write(Box<dyn Write + Send>),
    /// Compares with what was written before.
    Check { expected: VecDeque<String>, line: u64, difference: Option<String> },
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Write(_) => "Write",
            Self::Check { .. } => "Check",
        })
    }
}

/// Ring of the last stanzas, and a recording if one is wanted.
#[derive(Debug)]
pub struct Trace {
    ring: VecDeque<Passed>,
    length: usize,
    seq: u64,
    recording: Option<Recording>,
}

impl Trace {
    /// A ring of this length.
    #[must_use]
    pub fn new(length: usize) -> Self {
        Self { ring: VecDeque::new(), length, seq: 0, recording: None }
    }

    /// Writes every stanza as a line of JSON from here on.
    pub fn record(&mut self, to: Box<dyn Write + Send>) {
        self.recording = Some(Recording::Write(to));
    }

    /// Compares every stanza with a recording from here on.
    pub fn check(&mut self, recording: &str) {
        let expected = recording.lines().map(str::to_owned).collect();
        self.recording = Some(Recording::Check { expected, line: 0, difference: None });
    }

    /// The first difference to the recording that is checked, if there is one.
    #[must_use]
    pub fn difference(&self) -> Option<&str> {
        match &self.recording {
            Some(Recording::Check { difference, .. }) => difference.as_deref(),
            _ => None,
        }
    }

    /// Writes out what a recording still buffers.
    pub fn flush(&mut self) {
        if let Some(Recording::Write(to)) = &mut self.recording
            && let Err(error) = to.flush()
        {
            tracing::error!(%error, "the recording cannot be written");
        }
    }

    /// Whether anything looks at stanzas here.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.length == 0 && self.recording.is_none()
    }

    /// Takes note of a stanza.
    pub fn note(&mut self, at_ms: u64, conn: ConnId, direction: Direction, node: &Arc<Node>) {
        self.seq += 1;
        if self.is_idle() {
            return;
        }
        let passed = Passed { seq: self.seq, at_ms, conn, direction, node: node.clone() };
        if let Some(recording) = &mut self.recording {
            let line = serde_json::to_string(&passed.line()).unwrap_or_default();
            match recording {
                Recording::Write(to) => {
                    if let Err(error) = writeln!(to, "{line}") {
                        tracing::error!(%error, "the recording cannot be written");
                    }
                }
                Recording::Check { expected, line: number, difference } => {
                    *number += 1;
                    let wanted = expected.pop_front();
                    if difference.is_none() && wanted.as_deref() != Some(&line) {
                        let wanted = wanted.unwrap_or_else(|| "nothing more".to_owned());
                        *difference = Some(format!("line {number}: expected {wanted}, found {line}"));
                    }
                }
            }
        }
        if self.length > 0 {
            if self.ring.len() >= self.length {
                self.ring.pop_front();
            }
            self.ring.push_back(passed);
        }
    }

    /// Number of the last stanza.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.seq
    }

    /// The stanzas that fit, oldest first.
    pub fn find<'a>(&'a self, filter: &'a Filter) -> impl Iterator<Item = &'a Passed> {
        self.ring.iter().filter(|passed| filter.fits(passed))
    }
}
