//! Presence and typing (chapter 09a §10.2).

use wa_binary::{Jid, NodeRef};

use crate::fields::{jid, number, text};

/// A `<presence>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// Who, or which group.
    pub jid: Jid,
    /// Whether they are online.
    pub available: bool,
    /// When they were last; none when the stanza does not say.
    pub last_seen: Option<LastSeen>,
    /// How many of a group are online.
    pub group_online: Option<u64>,
}

/// When somebody was last online.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastSeen {
    /// Seconds.
    At(u64),
    /// Their privacy settings hide it.
    Hidden,
    /// Never.
    Never,
    /// The server does not know.
    Unknown,
}

impl Presence {
    /// Reads a stanza. None without an address.
    pub fn parse(node: NodeRef<'_>) -> Option<Self> {
        let jid = jid(node, "from")?;
        let available = !node.attr_is("type", "unavailable");
        let last_seen = text(node, "last").map(|last| match &*last {
            "deny" => LastSeen::Hidden,
            "none" => LastSeen::Never,
            _ => number(node, "last").map_or(LastSeen::Unknown, LastSeen::At),
        });
        let left = || (jid.is_group() && !available).then_some(0);
        Some(Self { group_online: number(node, "count").or_else(left), jid, available, last_seen })
    }
}

/// Somebody types, records or has stopped. Nothing is sent when a connection ends: both expire by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatState {
    /// Where.
    pub chat: Jid,
    /// Who.
    pub sender: Jid,
    /// What.
    pub typing: Typing,
}

/// What somebody does in a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Typing {
    /// Types.
    Typing,
    /// Records a voice message.
    Recording,
    /// Neither, or something that is not known.
    Paused,
}

impl ChatState {
    /// Reads a `<chatstate>`. None for the echo of the account's own typing, which comes from nobody.
    pub fn parse(node: NodeRef<'_>) -> Option<Self> {
        let chat = jid(node, "from")?;
        let typing = match node.first_child() {
            Some(child) if child.is("composing") && child.attr_is("media", "audio") => Typing::Recording,
            Some(child) if child.is("composing") => Typing::Typing,
            _ => Typing::Paused,
        };
        Some(Self { sender: jid(node, "participant").unwrap_or_else(|| chat.clone()), chat, typing })
    }
}

#[cfg(test)]
mod tests {
    use wa_binary::Node;

    use super::*;

    #[test]
    fn a_last_time_that_is_none_is_unknown() {
        let last = |last: &str| {
            let node = Node::new("presence").attr("from", "15550100001@s.whatsapp.net").attr("last", last);
            Presence::parse(node.view()).unwrap().last_seen
        };
        assert_eq!(last("5"), Some(LastSeen::At(5)));
        assert_eq!(last("none"), Some(LastSeen::Never));
        assert_eq!(last("error"), Some(LastSeen::Unknown));
        assert_eq!(last("-5"), Some(LastSeen::Unknown));
    }

    #[test]
    fn a_group_that_nobody_is_in_has_nobody_online() {
        let node = |jid: &str| Node::new("presence").attr("from", jid).attr("type", "unavailable");
        let online = |jid: &str| Presence::parse(node(jid).view()).unwrap().group_online;
        assert_eq!(online("120363000000000001@g.us"), Some(0));
        assert_eq!(online("15550100001@s.whatsapp.net"), None);
    }

    #[test]
    fn what_is_not_known_is_a_pause() {
        let state = |child: Option<Node>| {
            let node = Node::new("chatstate").attr("from", "15550100001@s.whatsapp.net").maybe_child(child);
            ChatState::parse(node.view()).unwrap().typing
        };
        assert_eq!(state(None), Typing::Paused);
        assert_eq!(state(Some(Node::new("dancing"))), Typing::Paused);
        assert_eq!(state(Some(Node::new("composing"))), Typing::Typing);
    }
}
