//! The sync question (chapter 07 §6), and the notification that makes us ask it (§7.7).

use wa_binary::{FieldError, Node, NodeRef};
use wa_core::app_state::Collection;
use wa_core::app_state::wire::{CollectionRequest, Reply, parse_reply, request};

use crate::connection::link::Request;

/// Reads collections, or pushes to them.
#[derive(Debug)]
pub(super) struct SyncQuery(pub(super) Vec<CollectionRequest>);

impl Request for SyncQuery {
    type Response = Reply;

    fn node(&self, id: &str) -> Node {
        request(id, &self.0)
    }

    fn parse(&self, answer: NodeRef<'_>) -> Result<Reply, FieldError> {
        let asked: Vec<Collection> = self.0.iter().map(|asked| asked.collection).collect();
        Ok(parse_reply(answer, &asked))
    }
}

/// What a `server_sync` notification names: collections with their versions, as far as those are given.
pub(super) fn announced(stanza: &Node) -> Vec<(Collection, Option<u64>)> {
    let named = stanza.each_child().filter(|child| child.is("collection"));
    named
        .filter_map(|child| {
            let name = child.required("name").string().ok()?;
            let Some(collection) = Collection::from_name(&name) else {
                tracing::warn!("an unknown collection was announced");
                return None;
            };
            Some((collection, child.optional("version").u64().ok().flatten()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_announced_is_read_and_what_is_unknown_passed_over() {
        let collection = |name: &'static str| Node::new("collection").attr("name", name);
        let stanza = Node::new("notification")
            .child(collection("regular").attr("version", "588"))
            .child(collection("critical_block"))
            .child(collection("unheard_of").attr("version", "1"));
        let read = announced(&stanza);
        assert_eq!(read, [(Collection::Regular, Some(588)), (Collection::CriticalBlock, None)]);
    }
}
