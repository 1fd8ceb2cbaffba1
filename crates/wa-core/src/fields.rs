//! Lenient reading of stanzas (chapter 09 §1): what is absent or of another form reads as absent, since one bad part
//! of a stanza must not spoil the rest.

use bytes::Bytes;
use compact_str::CompactString;
use wa_binary::{Jid, NodeRef};

/// An attribute as text.
pub(crate) fn text(node: NodeRef<'_>, name: &str) -> Option<CompactString> {
    node.value(name).map(|value| value.to_compact())
}

/// An attribute that is a JID, also as text.
pub(crate) fn jid(node: NodeRef<'_>, name: &str) -> Option<Jid> {
    node.optional(name).jid().ok().flatten()
}

/// An attribute that is a decimal number.
pub(crate) fn number(node: NodeRef<'_>, name: &str) -> Option<u64> {
    node.optional(name).u64().ok().flatten()
}

/// An attribute that is `true` or `1`.
pub(crate) fn flag(node: NodeRef<'_>, name: &str) -> bool {
    node.optional(name).bool().ok().flatten().unwrap_or(false)
}

/// The content as text.
pub(crate) fn content(node: NodeRef<'_>) -> Option<CompactString> {
    node.optional_text().ok().flatten().map(|text| CompactString::from(&*text))
}

/// The content of a child as text.
pub(crate) fn child_text(node: NodeRef<'_>, tag: &str) -> Option<CompactString> {
    node.optional_child(tag).and_then(content)
}

/// The content as bytes of its own.
pub(crate) fn bytes(node: NodeRef<'_>) -> Option<Bytes> {
    node.optional_bytes().map(|bytes| Bytes::from(bytes.into_owned()))
}

/// Whether a child is there.
pub(crate) fn has(node: NodeRef<'_>, tag: &str) -> bool {
    node.optional_child(tag).is_some()
}
