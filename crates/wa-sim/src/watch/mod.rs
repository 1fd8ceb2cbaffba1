//! The conformance watch: what a well-behaved client must not do (chapter 10 §15).
//!
//! A violation is written down and answered as the live service would; it never ends a run by itself. A test harness
//! fails on a list that is not empty.

mod counters;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::world::ConnId;

pub use counters::Counters;
pub(crate) use counters::one_time_key;

/// What was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// A stanza that must be acked or receipted was not, within the time allowed.
    NeverAnswered,
    /// An ack or receipt for something that was not sent.
    AnswerToNothing,
    /// An iq, message or receipt without id.
    MissingId,
    /// An iq id used twice on one connection.
    IdReused,
    /// An iq of a namespace, or with a child, that is not known.
    UnknownIq,
    /// A stanza with an unknown tag.
    UnknownStanza,
    /// A message whose addresses are of both families.
    MixedFamilies,
    /// A message with two entries for one device.
    DuplicateRecipient,
    /// A `pkmsg` without `<device-identity>`.
    MissingDeviceIdentity,
    /// A group message whose `phash` is not that of its devices.
    WrongPhash,
    /// A privacy token on a peer message.
    TokenOnPeerMessage,
    /// Any other message that the live service refuses.
    RefusedMessage,
    /// A receipt whose `participant` does not name who wrote the message.
    ReceiptParticipant,
    /// A pre-key id uploaded again with another key.
    PreKeyReused,
    /// The client no longer had a one-time key that it had uploaded.
    PreKeyLost,
    /// A chain counter used for two ciphertexts towards one device.
    CounterReused,
    /// Pings too often, or silence for too long.
    Keepalive,
    /// The connection header again, in front of a later frame.
    SecondHeader,
    /// Traffic after `<failure>`.
    TrafficAfterFailure,
    /// Connections faster than any back-off.
    EagerReconnect,
    /// An offline batch request although no preview was sent.
    BatchWithoutPreview,
    /// An app-state patch on a version that the server never had.
    AppStateBase,
    /// An app-state patch that the phone cannot verify.
    AppStateMac,
    /// A companion did to its phone what a well-behaved one does not.
    SeenByPhone,
    /// A WebSocket text message.
    TextFrame,
    /// `<presence>` of a kind that needs a name, without one.
    PresenceWithoutName,
    /// A frame that does not decrypt, or bytes that are no frame.
    BadFrame,
    /// A frame that is no stanza.
    BadXml,
    /// A stanza that decodes but lacks what it must have.
    Malformed,
    /// An upload whose token is not the hash of its body.
    UploadToken,
    /// A request to the media host without `Origin`.
    MediaWithoutOrigin,
}

impl Rule {
    /// Its name, as the admin API has it.
    fn name(self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        value.as_str().unwrap_or_default().to_owned()
    }
}

/// One thing that went wrong.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Violation {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// Connection, if there was one.
    pub connection: Option<u64>,
    /// `number:device`, once known.
    pub device: Option<String>,
    /// Which rule.
    pub rule: Rule,
    /// What was seen, for people.
    pub detail: String,
}

/// The log of violations, bounded: the first ones are the telling ones.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Watch {
    violations: VecDeque<Violation>,
    /// Violations past the bound.
    pub unlisted: u64,
}

impl Watch {
    const LIMIT: usize = 10_000;

    /// Writes one down.
    pub fn report(
        &mut self,
        at_ms: u64,
        connection: Option<ConnId>,
        device: Option<String>,
        rule: Rule,
        detail: String,
    ) {
        let who = device.as_deref().unwrap_or("somebody");
        tracing::warn!("violation by {who}: {}: {detail}", rule.name());
        if self.violations.len() >= Self::LIMIT {
            self.unlisted += 1;
            return;
        }
        let connection = connection.map(|conn| conn.0);
        self.violations.push_back(Violation { at_ms, connection, device, rule, detail });
    }

    /// All of them, oldest first.
    pub fn violations(&self) -> impl ExactSizeIterator<Item = &Violation> {
        self.violations.iter()
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        self.violations.clear();
        self.unlisted = 0;
    }
}
