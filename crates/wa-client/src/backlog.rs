//! What waits for the end of the backlog: the receipts of its messages, which then leave as one for each chat and author
//! (chapter 05 §10), and the dirty bits that only then are worth looking into (chapter 01 §6). Nothing of it is stored:
//! what is not receipted when the connection ends is offered by the server again.

use std::sync::Arc;

use wa_binary::Node;

use crate::connection::link::Link;
use crate::shared::Shared;

/// Ids in one receipt.
const MOST_IDS: usize = 256;
/// Receipts that are held at most; more leave before the end.
const MOST_HELD: usize = 2_048;

/// What one connection holds back.
#[derive(Debug, Default)]
pub(crate) struct Held {
    generation: u64,
    is_done: bool,
    receipts: Vec<Node>,
    dirty: Vec<(String, String)>,
}

impl Held {
    /// Of this connection: what an earlier one has left behind goes.
    fn of(&mut self, link: &Link) -> &mut Self {
        if self.generation != link.generation() {
            *self = Self { generation: link.generation(), ..Self::default() };
        }
        self
    }

    fn let_out(&mut self, link: &Link) {
        for receipt in aggregate(std::mem::take(&mut self.receipts)) {
            // Without a connection the server offers the messages again.
            let _ = link.send(&receipt);
        }
    }
}

/// Takes receipts of the backlog's messages. They are let out when it is done, or at once when it already is.
pub(crate) fn hold_receipts(shared: &Shared, link: &Link, receipts: Vec<Node>) {
    let mut held = shared.held.lock();
    let held = held.of(link);
    held.receipts.extend(receipts);
    if held.is_done || held.receipts.len() >= MOST_HELD {
        held.let_out(link);
    }
}

/// Takes a dirty bit; says whether it waits for the backlog.
pub(crate) fn hold_dirty(shared: &Shared, link: &Link, kind: &str, timestamp: &str) -> bool {
    let mut held = shared.held.lock();
    let held = held.of(link);
    let waits = !held.is_done && matches!(kind, "groups" | "newsletter_metadata");
    if waits {
        held.dirty.push((kind.to_owned(), timestamp.to_owned()));
    }
    waits
}

/// The backlog is done: lets out what was held.
pub(crate) fn release(shared: &Arc<Shared>, link: &Link) {
    let mut held = shared.held.lock();
    let held = held.of(link);
    held.is_done = true;
    held.let_out(link);
    for (kind, timestamp) in held.dirty.drain(..) {
        crate::startup::refresh_and_clean(shared, link, kind, timestamp);
    }
}

/// Receipts that differ in nothing but the id become one, in the order in which the first of each came.
fn aggregate(receipts: Vec<Node>) -> Vec<Node> {
    let mut groups: Vec<(String, Node, Vec<Node>)> = Vec::new();
    for mut receipt in receipts {
        let id = receipt.remove_attr("id");
        let address = receipt.to_string();
        let Some(id) = id else { continue };
        match groups.iter_mut().find(|(of, _, more)| *of == address && more.len() + 1 < MOST_IDS) {
            Some((.., more)) => more.push(Node::new("item").attr("id", id)),
            None => groups.push((address, receipt.attr("id", id), Vec::new())),
        }
    }
    let whole = |(_, receipt, more): (String, Node, Vec<Node>)| {
        if more.is_empty() { receipt } else { receipt.child(Node::new("list").children(more)) }
    };
    groups.into_iter().map(whole).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(id: &str, to: &'static str) -> Node {
        Node::new("receipt").attr("id", id).attr("to", to)
    }

    #[test]
    fn receipts_become_one_for_each_address_and_never_too_long() {
        let mut all = vec![receipt("A", "1@g.us"), receipt("B", "2@g.us"), receipt("C", "1@g.us")];
        all.push(receipt("D", "1@g.us").attr("type", "inactive"));
        let sent: Vec<String> = aggregate(all).iter().map(ToString::to_string).collect();
        assert_eq!(sent.len(), 3, "{sent:?}");
        assert!(sent[0].contains("A") && sent[0].contains(r#"<list><item id="C"/></list>"#), "{sent:?}");
        assert!(!sent[1].contains("list") && sent[2].contains("inactive"));
        let many = aggregate((0..600).map(|number| receipt(&number.to_string(), "1@g.us")).collect());
        let ids = |node: &Node| {
            1 + node.optional_child("list").into_iter().flat_map(|list| list.each("item")).count()
        };
        assert_eq!(many.iter().map(ids).collect::<Vec<_>>(), [256, 256, 88]);
    }
}
