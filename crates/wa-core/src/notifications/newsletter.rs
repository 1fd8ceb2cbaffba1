//! Live updates of a channel (chapter 09c §4.3).

use wa_binary::{FieldError, Jid, NodeRef};

use crate::fields::{jid, number};
use crate::queries::NewsletterPost;

/// New posts and counts of a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveUpdate {
    /// The channel.
    pub jid: Jid,
    /// Seconds.
    pub timestamp: Option<u64>,
    /// What is new.
    pub posts: Vec<NewsletterPost>,
}

impl LiveUpdate {
    /// Reads a `newsletter` notification. None when it holds something else.
    ///
    /// # Errors
    /// When no channel is named.
    pub fn parse(node: NodeRef<'_>) -> Result<Option<Self>, FieldError> {
        let Some(live) = node.optional_child("live_updates") else { return Ok(None) };
        let (named, posts) = NewsletterPost::list(live);
        let jid = match named.or_else(|| jid(node, "from")) {
            Some(jid) => jid,
            None => node.required("from").jid()?,
        };
        let of_list = live.optional_child("messages").and_then(|list| number(list, "t"));
        Ok(Some(Self { jid, timestamp: of_list.or_else(|| number(node, "t")), posts }))
    }
}

#[cfg(test)]
mod tests {
    use wa_binary::Node;

    use super::*;

    #[test]
    fn posts_may_stand_directly_in_the_update() {
        let post = || Node::new("message").attr("server_id", "4");
        let node =
            |live: Node| Node::new("notification").attr("from", "120363000000000001@newsletter").child(live);
        let direct = node(Node::new("live_updates").child(post()));
        let listed = node(Node::new("live_updates").child(Node::new("messages").child(post())));
        let read = |node: &Node| LiveUpdate::parse(node.view()).unwrap().unwrap();
        assert_eq!(read(&direct), read(&listed));
        assert_eq!(read(&direct).posts.len(), 1);
        assert_eq!(LiveUpdate::parse(node(Node::new("other")).view()), Ok(None));
    }
}
