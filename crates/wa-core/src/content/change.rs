//! What refers to an earlier message (chapter 05 §8.2, §11.4–§11.6, §11.15, §11.16, §11.21), and how the name of that
//! message is understood.

use wa_binary::Jid;
use wa_proto::common::MessageKey;
use wa_proto::e2e_message::KeepType;
use wa_proto::e2e_message::message::pin_in_chat_message::Type as PinType;
use wa_proto::e2e_message::message::{KeepInChatMessage, PinInChatMessage, ReactionMessage};

use super::{Content, jid, said, signed, unsigned};

/// The name of a message: chat, author and id together. An id alone names nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Target {
    /// Its id.
    pub id: String,
    /// Its chat.
    pub chat: Option<Jid>,
    /// Who wrote it; in a chat with a person that is known from [`from_me`](Self::from_me).
    pub author: Option<Jid>,
    /// Whether this account wrote it. As read from the wire: whether the sender of the reference did, until
    /// [`seen_from`](Self::seen_from).
    pub from_me: bool,
}

/// Where a reference to a message was made.
#[derive(Clone, Copy, Debug)]
pub struct Viewpoint<'a> {
    /// The chat, as this account names it.
    pub chat: &'a Jid,
    /// Who made the reference.
    pub sender: &'a Jid,
    /// This account, in the family of the chat.
    pub me: &'a Jid,
    /// Other forms of this account.
    pub also_me: Option<&'a Jid>,
}

/// A reaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reaction {
    /// To which message.
    pub target: Target,
    /// One emoji; `None` takes the reaction back.
    pub emoji: Option<String>,
    /// When, in milliseconds.
    pub at_ms: Option<u64>,
}

/// New content of an earlier message.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Edit {
    /// Which message.
    pub target: Target,
    /// What it says now.
    pub content: Box<Content>,
    /// When, in milliseconds.
    pub at_ms: Option<u64>,
}

/// An earlier message is deleted for everyone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revoke {
    /// Which message.
    pub target: Target,
}

/// A message is pinned or unpinned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pin {
    /// Which message.
    pub target: Target,
    /// What happens.
    pub state: PinState,
    /// When, in milliseconds.
    pub at_ms: Option<u64>,
}

/// Whether a message is pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PinState {
    /// It is, for so many seconds: 86,400, 604,800 or 2,592,000. Receivers ignore a pin without them.
    Pinned(u32),
    /// It is not any more.
    Unpinned,
    /// Something that is not known.
    Unknown,
}

/// A disappearing message is kept, or no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Keep {
    /// Which message.
    pub target: Target,
    /// What happens.
    pub state: KeepState,
    /// When, in milliseconds.
    pub at_ms: Option<u64>,
}

/// Whether a disappearing message is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeepState {
    /// For everyone.
    Kept,
    /// No longer.
    Undone,
    /// Something that is not known.
    Unknown,
}

/// A comment on a message.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Comment {
    /// On which message.
    pub target: Target,
    /// What it says.
    pub content: Box<Content>,
}

impl Target {
    /// Names a message of this account's point of view.
    pub fn new(id: impl Into<String>, chat: Jid, author: Option<Jid>, from_me: bool) -> Self {
        Self { id: id.into(), chat: Some(chat), author, from_me }
    }

    /// As the wire has it.
    pub(super) fn of(key: Option<&MessageKey>) -> Self {
        let Some(key) = key else { return Self::default() };
        Self {
            id: key.id().to_owned(),
            chat: jid(key.remote_jid.as_ref()),
            author: jid(key.participant.as_ref()),
            from_me: key.from_me(),
        }
    }

    /// The key of the message, from this account's point of view: the author is named in groups and lists, unless it is
    /// this account.
    pub(super) fn key(&self) -> MessageKey {
        let shared = self.chat.as_ref().is_some_and(|chat| !(chat.is_pn() || chat.is_lid()));
        MessageKey {
            remote_jid: self.chat.as_ref().map(|chat| chat.user_jid().to_string()),
            from_me: Some(self.from_me),
            id: Some(self.id.clone()),
            participant: self
                .author
                .as_ref()
                .filter(|_| shared && !self.from_me)
                .map(|author| author.user_jid().to_string()),
        }
    }

    /// Turns what a sender wrote into this account's point of view (chapter 05 §8.2): the chat is the local one, the
    /// author is named, and `from_me` means this account.
    pub fn seen_from(&mut self, view: Viewpoint<'_>) {
        let mine = |jid: &Jid| view.me.same_user(jid) || view.also_me.is_some_and(|me| me.same_user(jid));
        let direct = view.chat.is_pn() || view.chat.is_lid();
        let author = match (self.author.take(), self.from_me) {
            (Some(author), _) if !direct => Some(author.user_jid()),
            (_, true) => Some(view.sender.user_jid()),
            // In a chat of two, whoever did not write the reference.
            (_, false) if direct && mine(view.sender) => Some(view.chat.user_jid()),
            (_, false) if direct => Some(view.me.user_jid()),
            _ => None,
        };
        self.from_me = author.as_ref().is_some_and(mine);
        self.author = author;
        self.chat = Some(view.chat.user_jid());
    }
}

impl Revoke {
    /// Of a message.
    pub const fn new(target: Target) -> Self {
        Self { target }
    }
}

impl Edit {
    /// A message gets new content.
    pub fn new(target: Target, content: Content, at_ms: Option<u64>) -> Self {
        Self { target, content: Box::new(content), at_ms }
    }
}

impl Reaction {
    /// With an emoji; an empty one takes the reaction back.
    pub fn new(target: Target, emoji: impl Into<String>, at_ms: Option<u64>) -> Self {
        Self { target, emoji: Some(emoji.into()).filter(|emoji| !emoji.is_empty()), at_ms }
    }

    /// What is sealed in announcement groups: the reaction without its target.
    pub(super) fn sealed(&self) -> ReactionMessage {
        ReactionMessage { key: None, ..self.into() }
    }
}

impl Pin {
    /// Pins a message for so many seconds, or unpins it.
    pub const fn new(target: Target, state: PinState, at_ms: Option<u64>) -> Self {
        Self { target, state, at_ms }
    }

    /// `seconds` stands beside the content, in the message's context.
    pub(super) fn read(message: &PinInChatMessage, seconds: u32) -> Self {
        let state = match message.r#type() {
            PinType::PinForAll => PinState::Pinned(seconds),
            PinType::UnpinForAll => PinState::Unpinned,
            PinType::UnknownType => PinState::Unknown,
        };
        let target = Target::of(message.key.as_deref());
        Self { target, state, at_ms: unsigned(message.sender_timestamp_ms) }
    }

    /// Seconds for the message's context.
    pub(super) const fn seconds(&self) -> u32 {
        match self.state {
            PinState::Pinned(seconds) => seconds,
            PinState::Unpinned | PinState::Unknown => 0,
        }
    }
}

impl Comment {
    /// On a message.
    pub fn new(target: Target, content: Content) -> Self {
        Self { target, content: Box::new(content) }
    }
}

impl Keep {
    /// Keeps a disappearing message, or no longer.
    pub const fn new(target: Target, state: KeepState, at_ms: Option<u64>) -> Self {
        Self { target, state, at_ms }
    }
}

impl From<&ReactionMessage> for Reaction {
    fn from(message: &ReactionMessage) -> Self {
        Self {
            target: Target::of(message.key.as_deref()),
            emoji: said(message.text.as_ref()),
            at_ms: unsigned(message.sender_timestamp_ms),
        }
    }
}

impl From<&Reaction> for ReactionMessage {
    fn from(reaction: &Reaction) -> Self {
        Self {
            key: Some(Box::new(reaction.target.key())),
            text: Some(reaction.emoji.clone().unwrap_or_default()),
            sender_timestamp_ms: signed(reaction.at_ms),
            ..Self::default()
        }
    }
}

impl From<&Pin> for PinInChatMessage {
    fn from(pin: &Pin) -> Self {
        let kind = match pin.state {
            PinState::Pinned(_) => PinType::PinForAll,
            PinState::Unpinned => PinType::UnpinForAll,
            PinState::Unknown => PinType::UnknownType,
        };
        Self {
            key: Some(Box::new(pin.target.key())),
            r#type: Some(kind.into()),
            sender_timestamp_ms: signed(pin.at_ms),
        }
    }
}

impl From<&KeepInChatMessage> for Keep {
    fn from(message: &KeepInChatMessage) -> Self {
        let state = match message.keep_type() {
            KeepType::KeepForAll => KeepState::Kept,
            KeepType::UndoKeepForAll => KeepState::Undone,
            KeepType::Unknown => KeepState::Unknown,
        };
        let target = Target::of(message.key.as_deref());
        Self { target, state, at_ms: unsigned(message.timestamp_ms) }
    }
}

impl From<&Keep> for KeepInChatMessage {
    fn from(keep: &Keep) -> Self {
        let kind = match keep.state {
            KeepState::Kept => KeepType::KeepForAll,
            KeepState::Undone => KeepType::UndoKeepForAll,
            KeepState::Unknown => KeepType::Unknown,
        };
        Self {
            key: Some(Box::new(keep.target.key())),
            keep_type: Some(kind.into()),
            timestamp_ms: signed(keep.at_ms),
        }
    }
}
