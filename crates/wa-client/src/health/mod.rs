//! What is wrong with an account and what to do about it (chapters 01 §6, §12 and 09c §5).
//!
//! [`Health`] is a snapshot: the least healthy condition first, the others beside it, the last attempts to connect
//! with the stage that each reached, and a calendar of deadlines. Nothing in it holds a phone number or a text.

pub(crate) mod board;
mod cause;
mod status;

use core::fmt;
use wa_store::{Durability, UnixTime};

pub use cause::{Cause, Healing, Language, Remedy};
pub use status::{LinkOffer, LoggedOutBy, Status};

/// What was seen on the wire or heard from the system: for a report, not for a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Evidence {
    /// A stanza of the server, as text with its contents left out.
    Stanza(String),
    /// An error of the network, the store or the system.
    Error(String),
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stanza(text) | Self::Error(text) => f.write_str(text),
        }
    }
}

/// One thing that holds for an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The state.
    pub status: Status,
    /// Why.
    pub cause: Cause,
    /// What was seen.
    pub evidence: Option<Evidence>,
    /// Since when.
    pub since: UnixTime,
    /// When it gets worse or ends.
    pub deadline: Option<UnixTime>,
    /// When the client tries again by itself.
    pub next_attempt: Option<UnixTime>,
}

impl Condition {
    pub(crate) const fn new(status: Status, cause: Cause, since: UnixTime) -> Self {
        Self { status, cause, evidence: None, since, deadline: None, next_attempt: None }
    }

    pub(crate) fn evidence(mut self, evidence: Evidence) -> Self {
        self.evidence = Some(evidence);
        self
    }

    pub(crate) const fn next_attempt(mut self, at: UnixTime) -> Self {
        self.next_attempt = Some(at);
        self
    }
}

/// How far an attempt to connect came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Name resolution, proxy, TCP.
    Dial,
    /// TLS.
    Tls,
    /// The WebSocket upgrade.
    Upgrade,
    /// The Noise handshake and the check of the certificate chain.
    Handshake,
    /// The server's first stanza.
    Login,
    /// The backlog.
    CatchingUp,
    /// Everything.
    Online,
}

/// One attempt to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub at: UnixTime,
    /// The last stage that it reached.
    pub stage: Stage,
    /// Why it ended; `None` while it goes on.
    pub failure: Option<Cause>,
}

/// What a date in the calendar means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeadlineKind {
    /// The phone must have been online by then (14 days).
    PhoneMustAppear,
    /// This device must have been online by then (30 days).
    DeviceMustAppear,
    /// A temporary ban ends.
    BanEnds,
    /// New chats are allowed again.
    NewChatsAllowed,
    /// The cycle of the new-chat cap ends.
    CapCycleEnds,
    /// The server refuses this client version from then on.
    ClientExpires,
    /// The signed pre-key is rotated.
    SignedPreKeyRotation,
    /// The QR code or pairing code that is shown ends.
    LinkOfferEnds,
}

/// A date in the calendar of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    /// What happens.
    pub kind: DeadlineKind,
    /// When.
    pub at: UnixTime,
}

/// A snapshot of an account's health.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// The state of the least healthy condition.
    pub status: Status,
    /// Why it is so.
    pub cause: Cause,
    /// What was seen.
    pub evidence: Option<Evidence>,
    /// Since when.
    pub since: UnixTime,
    /// When it gets worse or ends.
    pub deadline: Option<UnixTime>,
    /// When the client tries again by itself.
    pub next_attempt: Option<UnixTime>,
    /// Whether it ends without anybody acting.
    pub healing: Healing,
    /// What to do; prints in English.
    pub remedy: Remedy,
    /// Other conditions that hold at the same time, worst first.
    pub also: Vec<Condition>,
    /// The last attempts to connect, oldest first (at most 16).
    pub attempts: Vec<Attempt>,
    /// Dates to know, soonest first.
    pub calendar: Vec<Deadline>,
    /// What a commit to the account's store survives; [`storage_warning`](Self::storage_warning) says what that means.
    pub durability: Durability,
    /// Frames of the server that were decrypted and could not be read, since the client was made: each was passed over.
    /// More than none means that the service has changed, or that something damages what it sends.
    pub garbled: u64,
}

impl Health {
    /// Whether messages flow in both directions.
    pub fn is_online(&self) -> bool {
        self.status.severity() <= Status::ApplicationBehind { waiting: 0 }.severity()
    }
}

impl Health {
    /// What an operator has to know of a store that does not survive everything.
    pub const fn storage_warning(&self) -> Option<&'static str> {
        match self.durability {
            Durability::Power => None,
            Durability::Process => Some(
                "after a power cut the store may lack its last commits and use message keys a second time",
            ),
            Durability::None => Some("the store is gone when the process ends"),
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.status, self.cause, self.remedy)?;
        self.storage_warning().map_or(Ok(()), |warning| write!(f, " [{warning}]"))
    }
}
