//! Bulletins (chapter 09 §4): short news from the server, several in one stanza, never acknowledged.

use bytes::Bytes;
use compact_str::CompactString;
use wa_binary::{Node, NodeRef};

use crate::fields::{bytes, number, text};

/// One bulletin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bulletin {
    /// Something changed while nobody listened: fetch it, then say so with [`Bulletin::clean`].
    Dirty {
        /// `account_sync`, `groups` and the like.
        kind: CompactString,
        /// To be given back.
        timestamp: u64,
        /// What of it; none listed is all of it.
        protocols: Vec<CompactString>,
    },
    /// What waits in the offline queue.
    OfflinePreview(OfflinePreview),
    /// The offline queue is empty.
    OfflineDone {
        /// How many came.
        count: Option<u64>,
    },
    /// Where to connect the next time.
    RoutingInfo(Bytes),
    /// The date from which this version of the client is refused, seconds; none when it was withdrawn.
    ClientExpiration(Option<u64>),
    /// Notices that wait to be accepted.
    Notices(Vec<CompactString>),
    /// Something that is not known or needs nothing, by its tag.
    Other(CompactString),
}

/// How much waits in the offline queue. Every count may be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfflinePreview {
    /// All stanzas.
    pub total: Option<u64>,
    /// Messages.
    pub messages: Option<u64>,
    /// Notifications.
    pub notifications: Option<u64>,
    /// Receipts.
    pub receipts: Option<u64>,
    /// Calls.
    pub calls: Option<u64>,
    /// Status posts.
    pub statuses: Option<u64>,
    /// App-state news.
    pub app_data: Option<u64>,
}

impl Bulletin {
    /// Reads an `<ib>`. What cannot be read is left out: a date that is none is not a withdrawal.
    pub fn parse(ib: NodeRef<'_>) -> Vec<Self> {
        ib.each_child().filter_map(Self::read).collect()
    }

    fn read(node: NodeRef<'_>) -> Option<Self> {
        Some(match node.tag() {
            "dirty" => Self::Dirty {
                kind: text(node, "type")?,
                timestamp: number(node, "timestamp")?,
                protocols: node.each_child().map(|protocol| protocol.tag().into()).collect(),
            },
            "offline_preview" => Self::OfflinePreview(OfflinePreview {
                total: number(node, "count"),
                messages: number(node, "message"),
                notifications: number(node, "notification"),
                receipts: number(node, "receipt"),
                calls: number(node, "call"),
                statuses: number(node, "status"),
                app_data: number(node, "appdata"),
            }),
            "offline" => Self::OfflineDone { count: number(node, "count") },
            "edge_routing" => Self::RoutingInfo(node.optional_child("routing_info").and_then(bytes)?),
            "client_expiration" if node.has_attr("t") => Self::ClientExpiration(Some(number(node, "t")?)),
            "client_expiration" => Self::ClientExpiration(None),
            "tos" => {
                let own = text(node, "id");
                let below = node.each_child().filter_map(|notice| text(notice, "id"));
                Self::Notices(own.into_iter().chain(below).collect())
            }
            other => Self::Other(other.into()),
        })
    }

    /// The node that clears a dirty bit, for a query in `urn:xmpp:whatsapp:dirty`. None for other bulletins.
    pub fn clean(&self) -> Option<Node> {
        let Self::Dirty { kind, timestamp, .. } = self else { return None };
        Some(Node::new("clean").attr("type", kind).attr("timestamp", timestamp.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_that_is_none_is_not_a_withdrawal() {
        let read = |attrs: Vec<(&'static str, &'static str)>| {
            let child = Node::new("client_expiration").attrs(attrs);
            Bulletin::parse(Node::new("ib").child(child).view())
        };
        assert_eq!(read(vec![]), [Bulletin::ClientExpiration(None)]);
        assert_eq!(read(vec![("t", "5")]), [Bulletin::ClientExpiration(Some(5))]);
        assert_eq!(read(vec![("t", "-5")]), []);
    }

    #[test]
    fn each_child_stands_for_itself() {
        let ib = Node::new("ib").children([
            Node::new("dirty").attr("type", "groups"),
            Node::new("offline").attr("count", "3"),
            Node::new("priority_offline_complete"),
        ]);
        assert_eq!(
            Bulletin::parse(ib.view()),
            [Bulletin::OfflineDone { count: Some(3) }, Bulletin::Other("priority_offline_complete".into())]
        );
    }
}
