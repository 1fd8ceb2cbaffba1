//! The sync iq: asking for collections, pushing patches, reading the answer (chapter 07 §6, §9.2).

use std::collections::BTreeMap;

use bytes::Bytes;
use wa_binary::{Jid, Node, NodeRef};

use super::Collection;

/// What is asked of one collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectionRequest {
    /// Which one; each at most once in a request.
    pub collection: Collection,
    /// Read, rebuild or push.
    pub ask: Ask,
}

/// One of the three things that a device asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Patches after this version.
    Since(u64),
    /// Everything: never synced, or rebuilding.
    Snapshot,
    /// Takes a patch on top of this version.
    Push {
        /// The local version, before the patch.
        base: u64,
        /// `SyncdPatch` bytes.
        patch: Bytes,
    },
}

/// The request. Always of type `set`, also for reading.
pub fn request(id: &str, collections: &[CollectionRequest]) -> Node {
    let collections = collections.iter().map(|asked| {
        let node = Node::new("collection").attr("name", asked.collection.name());
        match &asked.ask {
            Ask::Since(version) => node.attr("version", version.to_string()).attr("return_snapshot", "false"),
            Ask::Snapshot => node.attr("return_snapshot", "true"),
            Ask::Push { base, patch } => node
                .attr("version", base.to_string())
                .attr("return_snapshot", "false")
                .child(Node::new("patch").bytes(patch.clone())),
        }
    });
    Node::new("iq")
        .attr("id", id)
        .attr("to", Jid::SERVER)
        .attr("type", "set")
        .attr("xmlns", "w:sync:app:state")
        .child(Node::new("sync").children(collections))
}

/// What the server says of one collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Apply what came; ask again from the new version when there is more.
    Ok {
        /// `has_more_patches`.
        more: bool,
    },
    /// The version moved: apply what came, then rebuild the own patch. A reader is done.
    Conflict {
        /// `has_more_patches`.
        more: bool,
    },
    /// Do not repeat the request.
    Fatal(u16),
    /// Try again later; without a code the server said nothing of it.
    Retry(Option<u16>),
}

/// The answer for one collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectionReply {
    /// What to do.
    pub verdict: Verdict,
    /// Of the collection element, which real servers leave out at will.
    pub version: Option<u64>,
    /// `ExternalBlobReference` of a snapshot.
    pub snapshot: Option<Bytes>,
    /// `SyncdPatch` bytes in the server's order.
    pub patches: Vec<Bytes>,
}

/// The whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// One entry for each collection that was asked for; what the server left out is [`Verdict::Retry`].
    Collections(BTreeMap<Collection, CollectionReply>),
    /// The iq itself failed with this code (0 when unreadable): 503 and time-outs are tried again, others fail the run.
    Error(u16),
}

/// Reads the answer. Repeated, unasked and unknown collections are dropped.
pub fn parse_reply(iq: NodeRef<'_>, requested: &[Collection]) -> Reply {
    if iq.attr_is("type", "error") {
        return Reply::Error(error_code(iq).unwrap_or_default());
    }
    let mut replies = BTreeMap::new();
    for node in iq.optional_child("sync").into_iter().flat_map(|sync| sync.each("collection")) {
        let name = node.required("name").string().unwrap_or_default();
        let Some(collection) = Collection::from_name(&name).filter(|it| requested.contains(it)) else {
            continue;
        };
        replies.entry(collection).or_insert_with(|| parse_collection(node));
    }
    for collection in requested {
        replies.entry(*collection).or_insert_with(|| CollectionReply {
            verdict: Verdict::Retry(None),
            version: None,
            snapshot: None,
            patches: Vec::new(),
        });
    }
    Reply::Collections(replies)
}

fn parse_collection(node: NodeRef<'_>) -> CollectionReply {
    let more = node.attr_is("has_more_patches", "true");
    let verdict = match node.attr_is("type", "error") {
        false => Verdict::Ok { more },
        true => match error_code(node) {
            Some(409) => Verdict::Conflict { more },
            Some(code @ (400 | 404 | 405 | 406)) => Verdict::Fatal(code),
            code => Verdict::Retry(code),
        },
    };
    let bytes = |node: NodeRef<'_>| node.optional_bytes().map(|bytes| Bytes::copy_from_slice(&bytes));
    let nested = node.optional_child("patches");
    let patches = nested.into_iter().chain([node]).flat_map(|parent| parent.each("patch"));
    CollectionReply {
        verdict,
        version: node.optional("version").u64().ok().flatten(),
        snapshot: node.optional_child("snapshot").and_then(bytes),
        patches: patches.filter_map(bytes).collect(),
    }
}

fn error_code(node: NodeRef<'_>) -> Option<u16> {
    node.optional_child("error")?.optional("code").parse("a code").ok().flatten()
}
