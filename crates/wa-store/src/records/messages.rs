//! Messages between wire and application: inbox, outbox, what was sent, dead letters, message secrets
//! (chapters 04 §18, §21; 05 §5).

use bytes::Bytes;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::record;
use crate::UnixTime;
use crate::address::Chat;

/// An event that waits for the application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxRow {
    /// When it was stored.
    pub received: UnixTime,
    /// The event, encoded by the client.
    pub event: Bytes,
}

/// One failed delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When the application gave up.
    pub at: UnixTime,
    /// What it said.
    pub error: CompactString,
}

/// An event that the application failed to take. It can be replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The row as it was.
    pub row: InboxRow,
    /// How often it was delivered.
    pub attempts: u32,
    /// Why it is here; `None` after a crash.
    pub failure: Option<Attempt>,
}

/// A message on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxRow {
    /// Where it goes.
    pub chat: Chat,
    /// Its id on the wire.
    pub id: CompactString,
    /// When the application gave it.
    pub queued: UnixTime,
    /// The message as protobuf bytes: needed until the server has it, and for retry receipts after.
    pub plaintext: Bytes,
    /// Options of the send, encoded by the client.
    pub options: Bytes,
    /// How far it has come.
    pub state: OutboxState,
}

/// How far a message has come. There is no way back from `Sealed` to `Queued` under the same ratchet step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutboxState {
    /// No ratchet was used for it.
    Queued,
    /// Encrypted in the commit that advanced the ratchets: to be sent, and sent again, byte for byte.
    Sealed {
        /// The stanza.
        stanza: Bytes,
        /// When it was sealed.
        at: UnixTime,
    },
}

/// A message that the server has taken. Kept with an expiry of at least 24 hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentRow {
    /// The message as protobuf bytes.
    pub plaintext: Bytes,
    /// Options of the send and the report, encoded by the client.
    pub details: Bytes,
    /// The server's time of it.
    pub acknowledged: UnixTime,
}

/// What became of a send with an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendRecord {
    /// Where it went.
    pub chat: Chat,
    /// Its id.
    pub id: CompactString,
    /// The report, encoded by the client; empty while pending.
    pub report: Bytes,
}

/// A message secret: 32 bytes that add-ons of the message are encrypted with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageSecret {
    /// Whose.
    pub id: CompactString,
    /// The secret.
    #[serde(with = "super::secret")]
    pub secret: wa_crypto::Secret<32>,
    /// Where it was learnt.
    pub source: SecretSource,
}

/// Secrets of messages that one person wrote in one chat, oldest first. A row for each message would make every commit
/// rewrite a page of the disk for each: what comes goes into the open page, number 0; one that is full is put
/// aside under the number that [`number`](Self::number) gives, so that newer pages are read first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretPage {
    /// Full pages that were put aside before this one.
    pub before: u32,
    /// The secrets, at most [`FULL`](Self::FULL).
    pub secrets: Vec<MessageSecret>,
}

impl SecretPage {
    /// Secrets of a full page.
    pub const FULL: usize = 32;

    /// Number of the page once it is full.
    pub const fn number(&self) -> u32 {
        u32::MAX - self.before
    }

    /// The secret of a message.
    pub fn of(&self, id: &str) -> Option<&MessageSecret> {
        self.secrets.iter().rev().find(|secret| secret.id == id)
    }
}

/// Where a message secret was learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SecretSource {
    /// A message that came or went live.
    Live,
    /// A history blob.
    History,
}

record!(InboxRow, DeadLetter, OutboxRow, SentRow, SendRecord, SecretPage);
