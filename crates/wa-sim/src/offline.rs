//! The queue of one device: what it has not answered for (chapter 10 §6, 01 §14, 05 §14).
//!
//! A stanza enters when it is delivered and leaves when the device acks or receipts it; what is left is sent again,
//! with `offline`, at the next login. Bounded: the oldest go first, and are counted.

use std::collections::VecDeque;
use std::sync::Arc;

use wa_binary::Node;

use crate::world::ConnId;

/// Class of a queued stanza: its tag, and the counters of the preview.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// `<message>`
    Message,
    /// `<receipt>`
    Receipt,
    /// `<notification>`
    Notification,
    /// `<call>`
    Call,
    /// `<chatstate>`: dropped when older than its time to live, never acked.
    ChatState,
    /// `<presence>`: only the latest of a user is kept, never acked.
    Presence,
}

impl Class {
    /// The tag, which is also the `class` of the ack.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Receipt => "receipt",
            Self::Notification => "notification",
            Self::Call => "call",
            Self::ChatState => "chatstate",
            Self::Presence => "presence",
        }
    }

    /// The class of a tag.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        Some(match tag {
            "message" => Self::Message,
            "receipt" => Self::Receipt,
            "notification" => Self::Notification,
            "call" => Self::Call,
            _ => return None,
        })
    }

    /// Whether the device has to answer it.
    #[must_use]
    pub fn is_answered(self) -> bool {
        !matches!(self, Self::ChatState | Self::Presence)
    }
}

/// A stanza that waits for an answer or for a connection.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Queued {
    /// What it is.
    pub class: Class,
    /// `id` of the stanza.
    pub id: String,
    /// `from`, and `participant` if there is one, as text: an id alone is not unique across senders (05 §1).
    pub sender: String,
    /// An own fan-out copy, which only a `sender` receipt takes out (05 §10.3).
    pub own_copy: bool,
    /// The stanza as it was, without `offline`.
    #[serde(with = "crate::state::foreign::one")]
    pub node: Arc<Node>,
    /// When it arrived (ms).
    pub at_ms: u64,
    /// The connection that it was last written to.
    #[serde(skip)]
    pub sent_on: Option<ConnId>,
    /// Running number on that connection, so that an answer can be told from an invention.
    #[serde(skip)]
    pub replays: u32,
}

/// The queue.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Queue {
    waiting: VecDeque<Queued>,
    /// Stanzas lost to the bound.
    pub overflowed: u64,
}

impl Queue {
    /// Adds a stanza; past `limit` the oldest goes.
    pub fn push(&mut self, queued: Queued, limit: usize) {
        if queued.class == Class::Presence {
            self.waiting.retain(|other| other.class != Class::Presence || other.sender != queued.sender);
        }
        self.waiting.push_back(queued);
        while self.waiting.len() > limit {
            self.waiting.pop_front();
            self.overflowed += 1;
        }
    }

    /// Takes out what an answer names; `true` when there was such a stanza.
    pub fn answer(&mut self, class: Class, id: &str, sender: &str) -> Option<Queued> {
        let found = |queued: &Queued| queued.class == class && queued.id == id;
        let exact = self.waiting.iter().position(|queued| found(queued) && queued.sender == sender);
        // Clients answer with the address in a form of their choice (device left out, other family): the id decides.
        let at = exact.or_else(|| self.waiting.iter().position(found))?;
        self.waiting.remove(at)
    }

    /// Whether a stanza with this class and id waits.
    #[must_use]
    pub fn find(&self, class: Class, id: &str) -> Option<&Queued> {
        self.waiting.iter().find(|queued| queued.class == class && queued.id == id)
    }

    /// Everything that waits, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Queued> {
        self.waiting.iter()
    }

    /// The same, to be marked.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Queued> {
        self.waiting.iter_mut()
    }

    /// Keeps what the predicate wants.
    pub fn retain(&mut self, keep: impl FnMut(&Queued) -> bool) {
        self.waiting.retain(keep);
    }

    /// Stanzas that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}
