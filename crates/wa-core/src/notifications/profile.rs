//! Somebody changed what others see of them: picture, about text, default timer (chapter 09a §6.3, §7, §11).

use compact_str::CompactString;
use wa_binary::{Jid, NodeRef};

use super::ContactHash;
use crate::fields::{content, jid, number, text};
use crate::queries::DisappearingMode;

/// A `picture` notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureChange {
    /// Whose picture: of a person or a group. The sender when a hash stands for somebody that is not known.
    pub jid: Jid,
    /// Who changed a group's.
    pub author: Option<Jid>,
    /// The new picture; none when it was removed.
    pub picture_id: Option<CompactString>,
    /// Whether there is none any more.
    pub removed: bool,
    /// Seconds.
    pub timestamp: Option<u64>,
}

impl PictureChange {
    /// Reads a notification; `contacts` are those that a hash may stand for. None for what asks for a picture rather
    /// than telling of one, and without an address.
    pub fn parse<'c>(node: NodeRef<'_>, contacts: impl IntoIterator<Item = &'c Jid>) -> Option<Self> {
        let from = jid(node, "from")?;
        let timestamp = number(node, "t");
        let Some(child) = node.first_child() else {
            return Some(Self { jid: from, author: None, picture_id: None, removed: true, timestamp });
        };
        let removed = match child.tag() {
            "set" | "add" => false,
            "delete" => true,
            _ => return None,
        };
        let hashed = || text(child, "hash").and_then(|hash| ContactHash::parse(&hash));
        let whose = jid(child, "jid").or_else(|| hashed()?.resolve(contacts).cloned());
        Some(Self {
            jid: whose.unwrap_or(from),
            author: jid(child, "author"),
            picture_id: text(child, "id").filter(|_| !removed),
            removed,
            timestamp,
        })
    }
}

/// A `status` notification: a new about text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AboutChange {
    /// Whose.
    pub jid: Jid,
    /// The text; empty when it was removed.
    pub text: CompactString,
    /// Seconds.
    pub timestamp: Option<u64>,
}

impl AboutChange {
    /// Reads a notification. None when it sets nothing.
    pub fn parse(node: NodeRef<'_>) -> Option<Self> {
        let set = node.optional_child("set")?;
        let text = if set.optional_bytes().is_some() { content(set)? } else { CompactString::default() };
        Some(Self { jid: jid(node, "from")?, text, timestamp: number(node, "t") })
    }
}

/// A `disappearing_mode` notification: a contact's default timer. Applies when newer than what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimerChange {
    /// Whose.
    pub jid: Jid,
    /// The timer.
    pub mode: DisappearingMode,
}

impl TimerChange {
    /// Reads a notification. None without a time, which orders changes.
    pub fn parse(node: NodeRef<'_>) -> Option<Self> {
        let mode = node.optional_child("disappearing_mode").and_then(DisappearingMode::parse)?;
        Some(Self { jid: jid(node, "from")?, mode })
    }
}

#[cfg(test)]
mod tests {
    use wa_binary::Node;

    use super::*;

    #[test]
    fn a_hash_stands_for_a_known_contact_or_for_the_sender() {
        let lid: Jid = "200000000000002@lid".parse().unwrap();
        let set = Node::new("set").attr("id", "1").attr("hash", ContactHash::of(&lid).as_str().to_owned());
        let node = Node::new("notification").attr("from", "15550100001@s.whatsapp.net").child(set);
        assert_eq!(PictureChange::parse(node.view(), [&lid]).unwrap().jid, lid);
        assert_eq!(
            PictureChange::parse(node.view(), []).unwrap().jid.to_string(),
            "15550100001@s.whatsapp.net"
        );
        let request =
            Node::new("notification").attr("from", "15550100001@s.whatsapp.net").child(Node::new("request"));
        assert_eq!(PictureChange::parse(request.view(), []), None);
    }

    #[test]
    fn an_empty_about_text_is_a_removal_and_none_is_nothing() {
        let node = || Node::new("notification").attr("from", "15550100001@s.whatsapp.net");
        assert_eq!(AboutChange::parse(node().view()), None);
        assert_eq!(AboutChange::parse(node().child(Node::new("set")).view()).unwrap().text, "");
        assert_eq!(AboutChange::parse(node().child(Node::new("set").bytes(vec![0xff])).view()), None);
    }
}
