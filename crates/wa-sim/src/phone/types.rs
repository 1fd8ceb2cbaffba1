//! What goes into the phone and comes out of it: the present, the network behind it, deeds, turns and events.

use bytes::Bytes;
use serde::Serialize;
use wa_binary::{Jid, Node};
use wa_core::content::{Answer, Content};
use wa_media::MediaKind;

use super::{File, Manner, Received};
use crate::media::StoredFile;

/// The present, given with every call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now {
    /// Milliseconds since 1970.
    pub unix_ms: u64,
}

impl Now {
    /// Seconds since 1970, as stanzas and signatures have them.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.unix_ms / 1000
    }

    /// Milliseconds as protobuf fields have them.
    #[must_use]
    pub fn millis(self) -> i64 {
        i64::try_from(self.unix_ms).unwrap_or(i64::MAX)
    }
}

/// What the phone would otherwise fetch over its connection. The server implements it over its state without the phone
/// that is at work.
pub trait Network {
    /// All devices of a user, device 0 included, in the family (PN or LID) of `user`, which carries no device.
    /// Empty for an unknown user.
    fn devices(&mut self, user: &Jid) -> Vec<Jid>;
    /// The bundle of one device; consumes a one-time key of its stock. `None` for an unknown device.
    fn bundle(&mut self, device: &Jid) -> Option<wa_core::prekeys::Bundle>;
    /// The LID user of a PN user and the reverse; `None` when the account has no other form.
    fn alternate(&mut self, user: &Jid) -> Option<Jid>;
    /// Participants of a group in the family that the group is addressed in.
    fn group(&mut self, group: &Jid) -> Option<GroupView>;
    /// Accounts that see the status posts of `own`, without devices, by LID where there is one.
    fn audience(&mut self, own: &Jid) -> Vec<Jid>;
    /// Puts an encrypted file on the media host and gives its direct path.
    fn store_blob(&mut self, blob: Blob) -> String;
    /// The same under a path that nothing had before.
    fn store_blob_again(&mut self, blob: Blob) -> String;
    /// A file of the media host; `None` when it is not there, or no longer.
    fn fetch_blob(&mut self, direct_path: &str) -> Option<StoredFile>;
}

/// An encrypted file for the media host.
#[derive(Clone, Debug)]
pub struct Blob {
    /// What it is, which names it on the media host.
    pub kind: MediaKind,
    /// Ciphertext with its MAC.
    pub file: StoredFile,
    /// SHA-256 of `file`.
    pub enc_sha256: [u8; 32],
}

/// What the phone needs to know of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupView {
    /// Users without device, in the group's family.
    pub participants: Vec<Jid>,
    /// Family of the group.
    pub addressing: Addressing,
    /// After so many seconds messages disappear; 0 for never.
    pub ephemeral: u32,
}

/// Family of a group's participants (`addressing_mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressing {
    /// Phone numbers.
    Pn,
    /// LIDs.
    Lid,
}

impl Addressing {
    /// The attribute's value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pn => "pn",
            Self::Lid => "lid",
        }
    }
}

/// What the phone says in answer to one input.
#[derive(Clone, Debug, Default)]
pub struct Turn {
    /// Stanzas for the server, in order: `<message>`, `<receipt>`, `<ack>`, `<iq>`, `<chatstate>`.
    pub stanzas: Vec<Node>,
    /// What the phone learnt, for logs, the inbox endpoint and tests.
    pub events: Vec<PhoneEvent>,
}

impl Turn {
    pub(super) fn append(&mut self, mut other: Self) {
        self.stanzas.append(&mut other.stanzas);
        self.events.append(&mut other.events);
    }
}

/// How a new phone is set up.
#[derive(Clone, Debug)]
pub struct PhoneConfig {
    /// Phone number user, digits.
    pub pn: String,
    /// LID user, digits; `None` for an account of the old style.
    pub lid: Option<String>,
    /// Push name.
    pub name: String,
    /// e.g. `en_US`.
    pub locale: String,
    /// Seed of every random byte of this phone.
    pub seed: [u8; 32],
    /// One-time keys of an upload that the phone makes by itself, after a low notice.
    pub one_time_keys: u32,
    /// The first companion's key index is one more than this, so that key indexes are no device numbers.
    pub key_index_gap: u32,
}

/// A deed of the phone's user (chapter 10 §10). `chat` is a user or group without device.
#[derive(Clone, Debug)]
pub enum Action {
    /// A text, optionally as a reply.
    Text {
        /// Where to.
        chat: Jid,
        /// What.
        text: String,
        /// The message that it answers.
        quote: Option<MessageRef>,
    },
    /// A reaction; an empty one takes it back.
    React {
        /// To which message.
        target: MessageRef,
        /// One emoji, or nothing.
        emoji: String,
    },
    /// A new text for an own message.
    Edit {
        /// Which one.
        target: MessageRef,
        /// The new text.
        text: String,
    },
    /// Deletes an own message for everyone.
    Revoke {
        /// Which one.
        target: MessageRef,
    },
    /// Read receipts for everything unread in the chat.
    Read {
        /// Which one.
        chat: Jid,
    },
    /// `composing` or `paused`.
    Typing {
        /// Where.
        chat: Jid,
        /// Typing, or no longer.
        composing: bool,
    },
    /// Anything that a person can say: a text with colours, a place, a card, a poll, an event, a pin, a timer.
    Say {
        /// Where to; `status@broadcast` for a status.
        chat: Jid,
        /// What.
        content: Box<Content>,
        /// How.
        manner: Manner,
    },
    /// A file.
    File {
        /// Where to; `status@broadcast` for a status.
        chat: Jid,
        /// What.
        file: File,
        /// How.
        manner: Manner,
    },
    /// A vote in a poll; no options take it back.
    Vote {
        /// Which poll.
        poll: MessageRef,
        /// Texts of the options.
        options: Vec<String>,
    },
    /// An answer to an event.
    Respond {
        /// Which event.
        event: MessageRef,
        /// What.
        answer: Answer,
    },
    /// Any other content, as an encoded `Message`.
    Raw {
        /// Where to.
        chat: Jid,
        /// `Message` protobuf.
        message: Bytes,
        /// `type` of the stanza.
        stanza_type: String,
        /// `mediatype` of each `<enc>`.
        media_type: Option<String>,
    },
}

/// Names a message (chapter 05 §1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MessageRef {
    /// Chat without device.
    pub chat: Jid,
    /// Author without device.
    pub sender: Jid,
    /// Message id.
    pub id: String,
    /// This account wrote it.
    pub from_me: bool,
}

/// What the phone learnt.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum PhoneEvent {
    /// A message was decrypted.
    Message(Box<Received>),
    /// A message could not be decrypted.
    Undecryptable {
        /// Message id.
        id: String,
        /// Sending device.
        sender: Jid,
        /// Why.
        reason: String,
        /// Which retry receipt was sent; none when the limit is reached.
        retry: Option<u32>,
    },
    /// The same ciphertext again.
    Duplicate {
        /// Message id.
        id: String,
        /// Sending device.
        sender: Jid,
    },
    /// A receipt for own messages.
    Receipt {
        /// Message ids.
        ids: Vec<String>,
        /// From which device.
        from: Jid,
        /// Member of a group.
        participant: Option<Jid>,
        /// `delivery`, `read`, `inactive`, `peer_msg`, `hist_sync` and so on.
        kind: String,
    },
    /// A device asked for a message again and got it.
    Resent {
        /// Message id.
        id: String,
        /// The device.
        to: Jid,
        /// Which time.
        count: u32,
    },
    /// Somebody types or has stopped.
    Typing {
        /// Who, or in which group.
        chat: Jid,
        /// `composing` or `paused`.
        state: String,
    },
    /// A user's device 0 has another identity than before.
    IdentityChanged {
        /// The user.
        user: Jid,
    },
    /// A companion did what a well-behaved one does not (chapter 10 §15).
    Violation {
        /// The device.
        device: Jid,
        /// What.
        what: String,
    },
    /// A companion asked for sync keys and got an answer.
    KeysShared {
        /// The device.
        device: Jid,
        /// Keys that the phone did not have.
        unknown: usize,
    },
    /// A companion asked for sync keys and gets its answer later.
    KeysHeldBack {
        /// The device.
        device: Jid,
    },
    /// A companion declared collections broken.
    FatalAppState {
        /// The device.
        device: Jid,
        /// Wire names.
        collections: Vec<String>,
    },
    /// The server refused something.
    Refused {
        /// Stanza id.
        id: String,
        /// Code.
        code: u32,
    },
}
