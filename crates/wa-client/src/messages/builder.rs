//! What can be said, built the way it is read aloud: `Message::text("hi").reply_to(&theirs).mention(&peer)`.

use prost::Message as _;
use wa_binary::Jid;
use wa_core::secrets::MessageSecret;
use wa_proto::e2e_message::{self as proto, ContextInfo, MessageContextInfo, message::ExtendedTextMessage};
use wa_store::Bytes;

use super::types::ReceivedMessage;
use crate::identity::{ChatRef, Peer};

/// A message to send.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a message is sent by Messages::send"]
pub struct Message {
    body: String,
    mentions: Vec<Jid>,
    reply: Option<Reply>,
}

#[derive(Debug, Clone, PartialEq)]
struct Reply {
    id: String,
    author: Option<Jid>,
    original: Bytes,
}

/// Longest text in characters.
pub const MAX_TEXT: usize = 4096;

/// Why a message cannot be sent as it is: said before anything leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsendable {
    /// Nothing is in it.
    #[error("the message is empty")]
    Empty,
    /// More than [`MAX_TEXT`] characters.
    #[error("the text has {0} characters; {MAX_TEXT} are allowed")]
    TooLong(usize),
    /// The address is no person, group or list.
    #[error("messages cannot be sent to this kind of address")]
    Address,
}

impl Message {
    /// A text of at most [`MAX_TEXT`] characters.
    pub fn text(body: impl Into<String>) -> Self {
        Self { body: body.into(), mentions: Vec::new(), reply: None }
    }

    /// Quotes a received message.
    pub fn reply_to(mut self, message: &ReceivedMessage) -> Self {
        self.reply = Some(Reply {
            id: message.id.to_string(),
            author: message.sender.jid().cloned(),
            original: message.original.clone(),
        });
        self
    }

    /// Mentions somebody; the text itself should hold `@` and their number.
    pub fn mention(mut self, peer: &Peer) -> Self {
        self.mentions.extend(peer.jid().cloned());
        self
    }

    /// The protobuf form with a fresh message secret.
    pub(crate) fn build(&self, secret: &MessageSecret) -> Result<proto::Message, Unsendable> {
        let characters = self.body.chars().count();
        if self.body.trim().is_empty() {
            return Err(Unsendable::Empty);
        }
        if characters > MAX_TEXT {
            return Err(Unsendable::TooLong(characters));
        }
        let mut message = proto::Message {
            message_context_info: Some(Box::new(MessageContextInfo {
                message_secret: Some(Bytes::copy_from_slice(secret.expose())),
                ..MessageContextInfo::default()
            })),
            ..proto::Message::default()
        };
        if self.mentions.is_empty() && self.reply.is_none() {
            message.conversation = Some(self.body.clone());
            return Ok(message);
        }
        let mut context = ContextInfo {
            mentioned_jid: self.mentions.iter().map(ToString::to_string).collect(),
            ..ContextInfo::default()
        };
        if let Some(reply) = &self.reply {
            context.stanza_id = Some(reply.id.clone());
            context.participant = reply.author.as_ref().map(ToString::to_string);
            // What a reply shows of the quoted message: its content without what stands around it.
            context.quoted_message = proto::Message::decode(reply.original.clone()).ok().map(|mut quoted| {
                quoted.message_context_info = None;
                Box::new(quoted)
            });
        }
        message.extended_text_message = Some(Box::new(ExtendedTextMessage {
            text: Some(self.body.clone()),
            context_info: Some(Box::new(context)),
            ..ExtendedTextMessage::default()
        }));
        Ok(message)
    }
}

impl<T: Into<String>> From<T> for Message {
    fn from(text: T) -> Self {
        Self::text(text)
    }
}

/// To whom a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient(pub(crate) Jid);

impl From<&Jid> for Recipient {
    fn from(jid: &Jid) -> Self {
        Self(jid.user_jid())
    }
}

impl From<&ChatRef> for Recipient {
    fn from(chat: &ChatRef) -> Self {
        Self(chat.jid.user_jid())
    }
}

impl From<&ReceivedMessage> for Recipient {
    fn from(message: &ReceivedMessage) -> Self {
        Self::from(&message.chat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_would_refuse_is_said_before_anything_leaves() {
        let secret = MessageSecret::new([1; 32]);
        assert_eq!(Message::text(" \n").build(&secret), Err(Unsendable::Empty));
        assert_eq!(Message::text("é".repeat(4097)).build(&secret), Err(Unsendable::TooLong(4097)));
        assert!(Message::text("é".repeat(4096)).build(&secret).is_ok());
    }

    #[test]
    fn a_plain_text_is_a_conversation_and_a_mention_makes_it_extended() {
        let secret = MessageSecret::new([1; 32]);
        let plain = Message::text("hi").build(&secret).unwrap();
        assert_eq!(plain.conversation.as_deref(), Some("hi"));
        let peer = Peer::from(&"15550100@s.whatsapp.net".parse::<Jid>().unwrap());
        let extended = Message::text("hi").mention(&peer).build(&secret).unwrap();
        let text = extended.extended_text_message.unwrap();
        assert_eq!(text.context_info.unwrap().mentioned_jid, ["15550100@s.whatsapp.net"]);
    }
}
