//! What a channel's stanza holds (chapter 05 §9): a post, its edit or revoke, new counts of reactions, votes, views.
//! One stanza may carry several.

use bytes::Bytes;
use compact_str::CompactString;
use wa_binary::NodeRef;

use super::stanza::{number, text};

/// Everything that one stanza says about one post.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewsletterUpdate {
    /// In the order of the chapter.
    pub items: Vec<NewsletterItem>,
}

/// One update of a post.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum NewsletterItem {
    /// A new post: a serialized `Message`.
    Post(Bytes),
    /// The post's new content: a serialized `Message`.
    Edit {
        /// The content.
        message: Bytes,
        /// When it was edited, in milliseconds.
        edited_ms: Option<u64>,
        /// When the post was made, in seconds.
        original: Option<u64>,
    },
    /// The post is gone.
    Revoke,
    /// All reactions with their counts, replacing what was known. An own reaction has no count.
    Reactions(Vec<(CompactString, Option<u64>)>),
    /// All votes with their counts: hashes of the options.
    Votes(Vec<([u8; 32], Option<u64>)>),
    /// How often it was seen.
    Views(u64),
    /// How often it was forwarded.
    Forwards(u64),
    /// How many answered.
    Responses(u64),
}

impl NewsletterItem {
    /// Short name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Post(_) => "message",
            Self::Edit { .. } => "edit",
            Self::Revoke => "revoke",
            Self::Reactions(_) => "reactions",
            Self::Votes(_) => "votes",
            Self::Views(_) => "views",
            Self::Forwards(_) => "forwards",
            Self::Responses(_) => "responses",
        }
    }
}

/// Reads a `<message>`, from a stanza or from a notification of live updates. Malformed parts are left out.
pub(super) fn read(stanza: NodeRef<'_>) -> NewsletterUpdate {
    let mut items = Vec::new();
    if let Some(plaintext) = stanza.optional_child("plaintext") {
        let message = Bytes::from(plaintext.optional_bytes().unwrap_or_default().into_owned());
        items.push(if stanza.attr_is("edit", "8") {
            NewsletterItem::Revoke
        } else if stanza.attr_is("edit", "3") {
            let time = |name| stanza.each("meta").find_map(|meta| number(meta, name));
            NewsletterItem::Edit { message, edited_ms: time("msg_edit_t"), original: time("original_msg_t") }
        } else {
            NewsletterItem::Post(message)
        });
    } else if stanza.attr_is("edit", "8") {
        items.push(NewsletterItem::Revoke);
    }
    items.extend(reactions(stanza));
    items.extend(votes(stanza));
    let count = |tag| stanza.optional_child(tag).and_then(|node| number(node, "count"));
    items.extend(count("views_count").map(NewsletterItem::Views));
    items.extend(count("forwards_count").map(NewsletterItem::Forwards));
    items.extend(count("responses_count").map(NewsletterItem::Responses));
    NewsletterUpdate { items }
}

/// Counts of at least one each; an own reaction stands alone, without a count.
fn reactions(stanza: NodeRef<'_>) -> Option<NewsletterItem> {
    if let Some(own) = stanza.optional_child("reaction") {
        return Some(NewsletterItem::Reactions(
            text(own, "code").map(|code| (code, None)).into_iter().collect(),
        ));
    }
    let list = stanza.optional_child("reactions")?;
    let counted = list.each("reaction").map(|reaction| {
        let count = number(reaction, "count").filter(|count| *count > 0)?;
        Some((text(reaction, "code").filter(|code| !code.is_empty())?, Some(count)))
    });
    counted.collect::<Option<Vec<_>>>().map(NewsletterItem::Reactions)
}

/// Counts on all votes or on none.
fn votes(stanza: NodeRef<'_>) -> Option<NewsletterItem> {
    let list = stanza.optional_child("votes")?;
    let votes = list
        .each("vote")
        .map(|vote| Some((vote.required_array().ok()?, number(vote, "count"))))
        .collect::<Option<Vec<([u8; 32], Option<u64>)>>>()?;
    let counted = votes.iter().filter(|(_, count)| count.is_some()).count();
    (counted == 0 || counted == votes.len()).then_some(NewsletterItem::Votes(votes))
}

#[cfg(test)]
mod tests {
    use wa_binary::Node;

    use super::*;

    fn items(stanza: &Node) -> Vec<NewsletterItem> {
        read(stanza.view()).items
    }

    #[test]
    fn counts_that_do_not_fit_together_are_left_out() {
        let reaction = |count: &str| Node::new("reaction").attr("code", "a").attr("count", count);
        let list = |all: Vec<Node>| Node::new("message").child(Node::new("reactions").children(all));
        assert_eq!(
            items(&list(vec![reaction("2")])),
            [NewsletterItem::Reactions(vec![("a".into(), Some(2))])]
        );
        for wrong in ["0", "-1", "x", "99999999999999999999999"] {
            assert_eq!(items(&list(vec![reaction("2"), reaction(wrong)])), []);
        }
        let vote = |count: Option<&str>| Node::new("vote").maybe_attr("count", count).bytes(vec![7; 32]);
        let votes = |all: Vec<Node>| Node::new("message").child(Node::new("votes").children(all));
        assert_eq!(items(&votes(vec![vote(None), vote(None)])).len(), 1);
        assert_eq!(items(&votes(vec![vote(Some("1")), vote(None)])), []);
        assert_eq!(items(&votes(vec![Node::new("vote").bytes(vec![7; 31])])), []);
    }

    #[test]
    fn one_stanza_may_say_several_things() {
        let stanza = Node::new("message")
            .attr("edit", "3")
            .child(Node::new("plaintext").bytes(vec![1]))
            .child(Node::new("meta").attr("msg_edit_t", "5000").attr("original_msg_t", "4"))
            .child(Node::new("views_count").attr("count", "9"));
        let edit = NewsletterItem::Edit {
            message: Bytes::from_static(&[1]),
            edited_ms: Some(5000),
            original: Some(4),
        };
        assert_eq!(items(&stanza), [edit, NewsletterItem::Views(9)]);
    }
}
