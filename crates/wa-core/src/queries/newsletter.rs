//! Posts of a channel as lists hold them (chapter 09c §4.3): its history, updates of counts, live updates.

use std::collections::BTreeMap;

use bytes::Bytes;
use compact_str::CompactString;
use prost::Message as _;
use wa_binary::{Jid, NodeRef};
use wa_proto::e2e_message::Message;

use super::{QueryError, reply};
use crate::fields::{bytes, flag, jid, number, text};

/// A post, or what became of its counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewsletterPost {
    /// Its message id.
    pub id: Option<CompactString>,
    /// Its number in the channel.
    pub server_id: u64,
    /// When it was made, seconds.
    pub timestamp: Option<u64>,
    /// `text`, `media`, `poll`.
    pub kind: Option<CompactString>,
    /// Whether the account made it.
    pub own: bool,
    /// The content, a serialized `Message`; none when there is none or it does not decode.
    pub content: Option<Bytes>,
    /// How often it was seen.
    pub views: Option<u64>,
    /// How often it was forwarded.
    pub forwards: Option<u64>,
    /// Reactions with their counts, which replace what was known; none when they are not stated.
    pub reactions: Option<BTreeMap<CompactString, u64>>,
}

impl NewsletterPost {
    /// Reads a `<message>` of a list. None without a number.
    pub fn parse(node: NodeRef<'_>) -> Option<Self> {
        let count = |tag: &str| node.optional_child(tag).and_then(|child| number(child, "count"));
        let reactions = node.optional_child("reactions").map(|list| {
            let one = |reaction| {
                let code = text(reaction, "code").filter(|code| !code.is_empty())?;
                Some((code, number(reaction, "count")?))
            };
            list.each("reaction").filter_map(one).collect()
        });
        Some(Self {
            id: text(node, "id"),
            server_id: number(node, "server_id")?,
            timestamp: number(node, "t"),
            kind: text(node, "type"),
            own: flag(node, "is_sender"),
            content: node
                .optional_child("plaintext")
                .and_then(bytes)
                .filter(|content| !content.is_empty() && Message::decode(content.clone()).is_ok()),
            views: count("views_count"),
            forwards: count("forwards_count"),
            reactions,
        })
    }

    /// All posts below a node that holds them directly or inside `<messages>`, with the channel that the list names.
    pub(crate) fn list(node: NodeRef<'_>) -> (Option<Jid>, Vec<Self>) {
        let list = node.optional_child("messages").unwrap_or(node);
        (jid(list, "jid"), list.each("message").filter_map(Self::parse).collect())
    }
}

/// Reads the answer to a query for a channel's posts or for updates of them.
///
/// # Errors
/// When the server refused, and when there is no list.
pub fn posts(iq: NodeRef<'_>) -> Result<Vec<NewsletterPost>, QueryError> {
    let answer = reply(iq)?;
    let around = answer.optional_child("message_updates").unwrap_or(answer);
    around.required_child("messages")?;
    Ok(NewsletterPost::list(around).1)
}

#[cfg(test)]
mod tests {
    use wa_binary::Node;

    use super::*;

    #[test]
    fn content_that_does_not_decode_keeps_the_counts() {
        let post = |content: Vec<u8>| {
            let views = Node::new("views_count").attr("count", "3");
            Node::new("message")
                .attr("server_id", "1")
                .child(Node::new("plaintext").bytes(content))
                .child(views)
        };
        let text = Message { conversation: Some("hello".into()), ..Message::default() }.encode_to_vec();
        let read = NewsletterPost::parse(post(text.clone()).view()).unwrap();
        assert_eq!((read.content.as_deref(), read.views), (Some(&text[..]), Some(3)));
        let read = NewsletterPost::parse(post(vec![0x0a, 5]).view()).unwrap();
        assert_eq!((read.content, read.views), (None, Some(3)));
    }
}
