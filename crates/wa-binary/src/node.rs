//! The owned node: built like the stanza reads, and the source of the encoder (chapter 03 §3).

use std::fmt;

use bytes::Bytes;

use crate::error::FieldError;
use crate::read::{Optional, Required};
use crate::value::AttrValue;
use crate::view::{Attrs, Children, ChildrenBy, ContentRef, Descendants, NodeRef};
use crate::word::Word;

/// A stanza or a part of one: tag, attributes in order, content.
///
/// Building takes and gives the node; reading goes through the same methods as on [`NodeRef`].
///
/// ```
/// use wa_binary::{Jid, Node};
/// let iq = Node::new("iq")
///     .attr("id", "1.2-3")
///     .attr("to", Jid::SERVER)
///     .attr("type", "get")
///     .attr("xmlns", "w:p")
///     .child(Node::new("ping"));
/// assert_eq!(iq.to_string(), r#"<iq id="1.2-3" to="s.whatsapp.net" type="get" xmlns="w:p"><ping/></iq>"#);
/// assert_eq!(iq.required("to").jid()?, Jid::SERVER);
/// # Ok::<(), wa_binary::FieldError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Node {
    tag: Word,
    attrs: Vec<(Word, AttrValue)>,
    content: Content,
}

/// What a node holds. Text is bytes: a reader may meet either form (chapter 03 §3).
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub enum Content {
    /// Nothing; also an empty list of children.
    #[default]
    None,
    /// Bytes, or a text as its UTF-8 bytes.
    Bytes(Bytes),
    /// Child nodes; not empty.
    Nodes(Vec<Node>),
}

/// Building.
impl Node {
    /// A node without attributes and content.
    pub fn new(tag: impl Into<Word>) -> Self {
        Self { tag: tag.into(), attrs: Vec::new(), content: Content::None }
    }

    /// Adds an attribute, or replaces the value of one that is there. A [`Jid`](crate::Jid) is written as a JID,
    /// everything else as text.
    #[must_use]
    pub fn attr(mut self, key: impl Into<Word>, value: impl Into<AttrValue>) -> Self {
        self.set_attr(key, value);
        self
    }

    /// Adds an attribute when there is a value.
    #[must_use]
    pub fn maybe_attr(self, key: impl Into<Word>, value: Option<impl Into<AttrValue>>) -> Self {
        match value {
            Some(value) => self.attr(key, value),
            None => self,
        }
    }

    /// Adds many attributes, in their order; of equal keys the last value wins.
    #[must_use]
    pub fn attrs<K, V>(mut self, attrs: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<Word>,
        V: Into<AttrValue>,
    {
        let attrs: Vec<(Word, AttrValue)> =
            attrs.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        if self.attrs.is_empty() && !has_repeats(&attrs) {
            self.attrs = attrs;
        } else {
            for (key, value) in attrs {
                self.set_attr(key, value);
            }
        }
        self
    }

    /// Adds a child.
    #[must_use]
    pub fn child(mut self, child: Node) -> Self {
        self.push(child);
        self
    }

    /// Adds a child when there is one.
    #[must_use]
    pub fn maybe_child(self, child: Option<Node>) -> Self {
        match child {
            Some(child) => self.child(child),
            None => self,
        }
    }

    /// Adds many children.
    #[must_use]
    pub fn children(mut self, children: impl IntoIterator<Item = Node>) -> Self {
        let mut nodes = match self.content {
            Content::Nodes(nodes) => nodes,
            _ => Vec::new(),
        };
        nodes.extend(children);
        self.content = if nodes.is_empty() { Content::None } else { Content::Nodes(nodes) };
        self
    }

    /// Sets bytes as content.
    #[must_use]
    pub fn bytes(mut self, bytes: impl Into<Bytes>) -> Self {
        self.content = Content::Bytes(bytes.into());
        self
    }

    /// Sets a text as content, which is its UTF-8 bytes.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        self.bytes(text.into().into_bytes())
    }

    /// Adds an attribute, or replaces its value.
    pub fn set_attr(&mut self, key: impl Into<Word>, value: impl Into<AttrValue>) {
        let (key, value) = (key.into(), value.into());
        match self.attrs.iter_mut().find(|(present, _)| *present == key) {
            Some((_, present)) => *present = value,
            None => self.attrs.push((key, value)),
        }
    }

    /// Takes an attribute away.
    pub fn remove_attr(&mut self, key: &str) -> Option<AttrValue> {
        let at = self.attrs.iter().position(|(present, _)| present.as_str() == key)?;
        Some(self.attrs.remove(at).1)
    }

    /// Adds a child. Bytes that were there are replaced.
    pub fn push(&mut self, child: Node) {
        match &mut self.content {
            Content::Nodes(nodes) => nodes.push(child),
            content => *content = Content::Nodes(vec![child]),
        }
    }

    /// Replaces the content.
    pub fn set_content(&mut self, content: Content) {
        self.content = match content {
            Content::Nodes(nodes) if nodes.is_empty() => Content::None,
            content => content,
        };
    }

    /// The content alone.
    pub fn into_content(self) -> Content {
        self.content
    }

    /// The attributes are known to have different keys.
    pub(crate) fn from_parts(tag: Word, attrs: Vec<(Word, AttrValue)>, content: Content) -> Self {
        Self { tag, attrs, content }
    }
}

/// Reading: the same as on [`NodeRef`], where each method is described.
impl Node {
    /// This node, to be read.
    pub fn view(&self) -> NodeRef<'_> {
        NodeRef::of_tree(self)
    }

    /// The tag.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// Whether the tag is `tag`.
    pub fn is(&self, tag: &str) -> bool {
        self.tag.as_str() == tag
    }

    /// The tag as it is held.
    pub(crate) fn tag_word(&self) -> &Word {
        &self.tag
    }

    /// The attributes in order, as they are held.
    pub fn attr_values(&self) -> &[(Word, AttrValue)] {
        &self.attrs
    }

    /// The content as it is held.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// The attributes in order.
    pub fn each_attr(&self) -> Attrs<'_> {
        self.view().each_attr()
    }

    /// The content.
    pub fn content_ref(&self) -> ContentRef<'_> {
        self.view().content_ref()
    }

    /// Whether an attribute is there.
    pub fn has_attr(&self, key: &str) -> bool {
        self.view().has_attr(key)
    }

    /// Whether an attribute is there and reads `value`.
    pub fn attr_is(&self, key: &str, value: &str) -> bool {
        self.view().attr_is(key, value)
    }

    /// An attribute that must be there.
    pub fn required<'k>(&self, key: &'k str) -> Required<'_, 'k> {
        self.view().required(key)
    }

    /// An attribute that may be there.
    pub fn optional<'k>(&self, key: &'k str) -> Optional<'_, 'k> {
        self.view().optional(key)
    }

    /// The children.
    pub fn each_child(&self) -> Children<'_> {
        self.view().each_child()
    }

    /// The children with the tag `tag`.
    pub fn each<'k>(&self, tag: &'k str) -> ChildrenBy<'_, 'k> {
        self.view().each(tag)
    }

    /// This node and everything below it, each node before its children.
    pub fn descendants(&self) -> Descendants<'_> {
        self.view().descendants()
    }

    /// The first child with the tag `tag`, which must be there.
    pub fn required_child(&self, tag: &str) -> Result<NodeRef<'_>, FieldError> {
        self.view().required_child(tag)
    }

    /// The first child with the tag `tag`.
    pub fn optional_child(&self, tag: &str) -> Option<NodeRef<'_>> {
        self.view().optional_child(tag)
    }

    /// The content as bytes, which must be there.
    pub fn required_bytes(&self) -> Result<std::borrow::Cow<'_, [u8]>, FieldError> {
        self.view().required_bytes()
    }

    /// The content as bytes.
    pub fn optional_bytes(&self) -> Option<std::borrow::Cow<'_, [u8]>> {
        self.view().optional_bytes()
    }

    /// The content as text, which must be there.
    pub fn required_text(&self) -> Result<std::borrow::Cow<'_, str>, FieldError> {
        self.view().required_text()
    }

    /// The content as text.
    pub fn optional_text(&self) -> Result<Option<std::borrow::Cow<'_, str>>, FieldError> {
        self.view().optional_text()
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.view(), f)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.view(), f)
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Bytes(bytes) => write!(f, "{bytes:?}"),
            Self::Nodes(nodes) => write!(f, "{nodes:?}"),
        }
    }
}

fn has_repeats(attrs: &[(Word, AttrValue)]) -> bool {
    if attrs.len() <= 16 {
        return attrs.iter().enumerate().any(|(i, (key, _))| attrs.iter().skip(i + 1).any(|(k, _)| k == key));
    }
    let mut keys = std::collections::HashSet::with_capacity(attrs.len());
    attrs.iter().any(|(key, _)| !keys.insert(key))
}
