//! What the application sees of a message (chapter 05 §7, §8).

use bytes::Bytes;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use wa_binary::Jid;
pub use wa_core::content::{Content, Quoted, Text, Viewing};
use wa_core::content::{Context, Parsed, PollVote, Target};
use wa_proto::e2e_message as proto;
use wa_store::UnixTime;

use crate::identity::{ChatRef, Peer};

/// A message that was received, or that another own device has sent.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ReceivedMessage {
    /// Id on the wire, unique for chat and sender.
    pub id: CompactString,
    /// Where it was said.
    pub chat: ChatRef,
    /// Who said it.
    pub sender: Peer,
    /// Whether this account said it, on another of its devices.
    pub from_me: bool,
    /// The server's time.
    pub timestamp: UnixTime,
    /// What the sender calls themselves.
    pub push_name: Option<CompactString>,
    /// Whether it waited on the server while the client was away.
    pub was_offline: bool,
    /// What was said. What it refers to is named as this account sees it.
    pub content: Content,
    /// Replies, mentions, forwarding, disappearing.
    pub context: Context,
    /// Whether it may be looked at more than once.
    pub viewing: Viewing,
    /// The head of the album that it belongs to.
    pub album: Option<Target>,
    /// After a vote in a poll that this client has seen: how the poll stands now.
    pub poll: Option<PollResult>,
    /// The decrypted message as it came, unpadded.
    pub original: Bytes,
}

/// How a poll stands after a vote. Who voted for what: [`poll_result`](super::sending::Messages::poll_result).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PollResult {
    /// The options with their votes, in the order of the poll.
    pub lines: Vec<PollLine>,
    /// People with a vote.
    pub voters: u32,
}

/// An option of a poll with its votes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PollLine {
    /// The option; `None` for votes on options that are not known.
    pub option: Option<String>,
    /// Its votes.
    pub votes: u32,
}

impl ReceivedMessage {
    /// The text that a person reads: of a text, or the caption of a file. Not that of an edit: an edit is no new
    /// message.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Edit(_) => None,
            content => content.text(),
        }
    }

    /// The chat in which a person sees it and answers: what somebody says to a broadcast list is in the chat with them.
    pub fn shown_in(&self) -> &Jid {
        let author = self.sender.jid().filter(|_| self.chat.jid.is_broadcast_list() && !self.from_me);
        author.unwrap_or(&self.chat.jid)
    }

    /// The message that it replies to.
    pub const fn reply_to(&self) -> Option<&Quoted> {
        self.context.reply_to.as_ref()
    }
}

/// Names a received message, for reactions, edits and the like.
impl From<&ReceivedMessage> for Target {
    fn from(message: &ReceivedMessage) -> Self {
        let author = message.sender.jid().cloned();
        Self::new(message.id.as_str(), message.shown_in().clone(), author, message.from_me)
    }
}

/// The facts of a message that are stored beside its bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredMessage {
    pub(crate) id: CompactString,
    pub(crate) chat: ChatRef,
    pub(crate) sender: Peer,
    pub(crate) from_me: bool,
    pub(crate) timestamp: UnixTime,
    pub(crate) push_name: Option<CompactString>,
    pub(crate) was_offline: bool,
    pub(crate) original: Bytes,
}

/// A message that refers to another one: as whom this account was known when it came, and what was sealed in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredAddOn {
    pub(crate) message: StoredMessage,
    /// This account.
    pub(crate) me: Peer,
    /// The opened add-on.
    pub(crate) opened: Option<Bytes>,
    /// Options of the poll that was voted in.
    pub(crate) options: Vec<String>,
    /// How the poll stands.
    pub(crate) poll: Option<PollResult>,
}

impl From<StoredMessage> for ReceivedMessage {
    fn from(stored: StoredMessage) -> Self {
        let parsed = Parsed::read(&wa_proto::decode::<proto::Message>(&stored.original).unwrap_or_default());
        Self {
            id: stored.id,
            chat: stored.chat,
            sender: stored.sender,
            from_me: stored.from_me,
            timestamp: stored.timestamp,
            push_name: stored.push_name,
            was_offline: stored.was_offline,
            content: parsed.content,
            context: parsed.context,
            viewing: parsed.viewing,
            album: parsed.album,
            poll: None,
            original: stored.original,
        }
    }
}

impl From<StoredAddOn> for ReceivedMessage {
    fn from(stored: StoredAddOn) -> Self {
        let mut message = Self::from(stored.message);
        if let (Content::Sealed(sealed), Some(opened)) = (&message.content, &stored.opened)
            && let Some(content) = sealed.content(opened)
        {
            message.content = content;
        }
        if let Content::PollVote(vote) = &mut message.content {
            PollVote::name_options(vote, &stored.options);
        }
        if let Some(target) = message.content.target_mut() {
            super::add_ons::localize(target, &message.chat.jid, &message.sender, &stored.me);
        }
        message.poll = stored.poll;
        message
    }
}

/// How far a message has come on its way to a recipient (chapter 05 §10.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ReceiptKind {
    /// The recipient's device has it.
    Delivered,
    /// The recipient has read it.
    Read,
    /// The recipient has played it.
    Played,
    /// An own device has read it.
    ReadElsewhere,
    /// An own device has played it.
    PlayedElsewhere,
}

/// News about messages that were sent, or read on another own device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Receipt {
    /// Where the messages are.
    pub chat: ChatRef,
    /// Who received or read them.
    pub by: Peer,
    /// What happened.
    pub kind: ReceiptKind,
    /// Ids of the messages.
    pub ids: Vec<CompactString>,
    /// When.
    pub at: UnixTime,
}
