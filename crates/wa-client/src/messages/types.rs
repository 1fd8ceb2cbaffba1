//! What the application sees of a message (chapter 05 §7, §8).

use bytes::Bytes;
use compact_str::CompactString;
use prost::Message as _;
use serde::{Deserialize, Serialize};
use wa_binary::Jid;
use wa_core::envelope::{Depth, unwrap};
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
    /// What was said.
    pub content: Content,
    /// The decrypted message as it came, unpadded.
    pub original: Bytes,
}

impl ReceivedMessage {
    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(&text.body),
            Content::Other => None,
        }
    }
}

/// What a message says.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// A text.
    Text(Text),
    /// Something that this version does not type yet: read [`ReceivedMessage::original`].
    Other,
}

/// A text message.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Text {
    /// The text itself.
    pub body: String,
    /// Who is mentioned in it.
    pub mentions: Vec<Jid>,
    /// The message that it replies to.
    pub reply_to: Option<Quoted>,
}

/// The message that a reply quotes.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Quoted {
    /// Its id.
    pub id: String,
    /// Who said it.
    pub author: Option<Jid>,
    /// The quoted message as it came.
    pub original: Option<Bytes>,
}

impl Content {
    /// Reads an unwrapped message. What is not understood is [`Content::Other`], never an error.
    pub(crate) fn of(message: &proto::Message) -> Self {
        if let Some(body) = &message.conversation {
            return Self::Text(Text { body: body.clone(), ..Text::default() });
        }
        let Some(extended) = &message.extended_text_message else { return Self::Other };
        let context = extended.context_info.as_deref();
        let mentions = context.map_or(&[][..], |context| &context.mentioned_jid);
        Self::Text(Text {
            body: extended.text.clone().unwrap_or_default(),
            mentions: mentions.iter().filter_map(|jid| jid.parse().ok()).collect(),
            reply_to: context.and_then(quoted),
        })
    }
}

fn quoted(context: &proto::ContextInfo) -> Option<Quoted> {
    Some(Quoted {
        id: context.stanza_id.clone()?,
        author: context.participant.as_deref().and_then(|jid| jid.parse().ok()),
        original: context.quoted_message.as_ref().map(|message| message.encode_to_vec().into()),
    })
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

impl From<StoredMessage> for ReceivedMessage {
    fn from(stored: StoredMessage) -> Self {
        let content = match proto::Message::decode(stored.original.clone()) {
            Ok(message) => {
                unwrap(&message, Depth::All).map_or(Content::Other, |inner| Content::of(&inner.message))
            }
            Err(_) => Content::Other,
        };
        Self {
            id: stored.id,
            chat: stored.chat,
            sender: stored.sender,
            from_me: stored.from_me,
            timestamp: stored.timestamp,
            push_name: stored.push_name,
            was_offline: stored.was_offline,
            content,
            original: stored.original,
        }
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
