//! The borrowed node: one small view over a decoded frame or over an owned node, with the typed access that parsers
//! of stanzas are written with (chapter 03 §3).

use std::borrow::Cow;

use bytes::Bytes;

use crate::error::{FieldError, Problem};
use crate::node::{Content, Node};
use crate::read::{Optional, Required};
use crate::tape::Tape;
use crate::value::{AttrValue, Value};
use crate::wire::{content_bytes, value_at};
use crate::word::Word;

/// A node to be read; copying it costs nothing. It stands for a node in a decoded frame, of which nothing is copied,
/// or for an owned [`Node`].
///
/// ```
/// # use wa_binary::{Decoder, FieldError, NodeRef};
/// fn newest(receipt: NodeRef<'_>) -> Result<(String, Option<u64>), FieldError> {
///     Ok((receipt.required("id").string()?.into(), receipt.optional("t").u64()?))
/// }
/// let mut decoder = Decoder::new();
/// let receipt = decoder.decode(&[0, 0xf8, 3, 7, 8, 0xff, 1, 0x12])?;
/// assert_eq!(newest(receipt)?, ("12".into(), None));
/// # Ok::<(), wa_binary::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct NodeRef<'a>(Source<'a>);

#[derive(Clone, Copy)]
enum Source<'a> {
    Tape {
        tape: &'a Tape,
        data: &'a [u8],
        at: u32,
    },
    /// The root is kept for the path in errors.
    Tree {
        root: &'a Node,
        node: &'a Node,
    },
}

impl<'a> NodeRef<'a> {
    #[inline]
    pub(crate) fn of_tape(tape: &'a Tape, data: &'a [u8], at: usize) -> Self {
        Self(Source::Tape { tape, data, at: at as u32 })
    }

    pub(crate) fn of_tree(root: &'a Node) -> Self {
        Self(Source::Tree { root, node: root })
    }

    /// The tag.
    #[inline]
    pub fn tag(self) -> &'a str {
        match self.0 {
            Source::Tape { tape, data, at } => tape.tag(data, at as usize),
            Source::Tree { node, .. } => node.tag(),
        }
    }

    /// Whether the tag is `tag`.
    #[inline]
    pub fn is(self, tag: &str) -> bool {
        self.tag() == tag
    }

    /// The attributes in order. Of a repeated key only the last value is seen.
    #[inline]
    pub fn each_attr(self) -> Attrs<'a> {
        match self.0 {
            Source::Tape { tape, data, at } => {
                Attrs { words: tape.attrs(at as usize).iter(), tape: Some((tape, data)), tree: [].iter() }
            }
            Source::Tree { node, .. } => {
                Attrs { words: [].iter(), tape: None, tree: node.attr_values().iter() }
            }
        }
    }

    /// The value of an attribute.
    #[inline]
    pub fn value(self, key: &str) -> Option<Value<'a>> {
        match self.0 {
            Source::Tape { tape, data, at } => {
                let words = tape.attrs(at as usize);
                words.iter().find_map(|&word| {
                    let (own, value) = tape.key(data, word);
                    (own == key).then(|| value_at(data, value))
                })
            }
            Source::Tree { node, .. } => node
                .attr_values()
                .iter()
                .find(|(own, _)| own.as_str() == key)
                .map(|(_, value)| value.as_value()),
        }
    }

    /// Whether an attribute is there.
    pub fn has_attr(self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// Whether an attribute is there and reads `value`.
    pub fn attr_is(self, key: &str, value: &str) -> bool {
        self.value(key).is_some_and(|own| own.is(value))
    }

    /// An attribute that must be there: `node.required("t").unix_time()?`.
    #[inline]
    pub fn required<'k>(self, key: &'k str) -> Required<'a, 'k> {
        Required::new(self, key)
    }

    /// An attribute that may be there: `node.optional("lid").jid()?` gives an `Option`. What is there in the wrong form
    /// is an error nevertheless.
    #[inline]
    pub fn optional<'k>(self, key: &'k str) -> Optional<'a, 'k> {
        Optional::new(self, key)
    }

    /// The content: nothing, bytes or text, or children.
    #[inline]
    pub fn content_ref(self) -> ContentRef<'a> {
        match self.0 {
            Source::Tape { tape, data, at } => tape.content(data, at as usize),
            Source::Tree { root, node } => match node.content() {
                Content::None => ContentRef::None,
                Content::Bytes(bytes) => ContentRef::Bytes(bytes),
                Content::Nodes(nodes) => ContentRef::Nodes(Children::of_tree(root, nodes)),
            },
        }
    }

    /// The children, in order.
    #[inline]
    pub fn each_child(self) -> Children<'a> {
        match self.content_ref() {
            ContentRef::Nodes(children) => children,
            _ => Children(ChildSource::Tree { root: None, nodes: [].iter() }),
        }
    }

    /// The children with the tag `tag`: `for user in list.each("user")`.
    #[inline]
    pub fn each<'k>(self, tag: &'k str) -> ChildrenBy<'a, 'k> {
        ChildrenBy { children: self.each_child(), tag }
    }

    /// This node and everything below it, each node before its children: the fastest way through all of a stanza.
    #[inline]
    pub fn descendants(self) -> Descendants<'a> {
        Descendants(match self.0 {
            Source::Tape { tape, data, at } => {
                DescendantSource::Tape { tape, data, at: at as usize, end: tape.end(at as usize) }
            }
            Source::Tree { root, node } => {
                DescendantSource::Tree { root, open: vec![std::slice::from_ref(node).iter()] }
            }
        })
    }

    /// The first child with the tag `tag`.
    #[inline]
    pub fn optional_child(self, tag: &str) -> Option<NodeRef<'a>> {
        self.each_child().find(|child| child.is(tag))
    }

    /// The first child with the tag `tag`.
    ///
    /// # Errors
    /// When there is none.
    pub fn required_child(self, tag: &str) -> Result<NodeRef<'a>, FieldError> {
        self.optional_child(tag).ok_or_else(|| {
            let path = format!("{}/{tag}", self.path());
            FieldError { path: path.into(), problem: Problem::Missing }
        })
    }

    /// The first child, whatever its tag.
    pub fn first_child(self) -> Option<NodeRef<'a>> {
        self.each_child().next()
    }

    /// This node, when its tag is `tag`.
    ///
    /// # Errors
    /// When it is another.
    pub fn expect_tag(self, tag: &str) -> Result<Self, FieldError> {
        if self.is(tag) { Ok(self) } else { Err(self.error(Problem::WrongTag { wanted: tag.into() })) }
    }

    /// The content as bytes, whatever form it has; none for no content and for children.
    #[inline]
    pub fn optional_bytes(self) -> Option<Cow<'a, [u8]>> {
        match self.content_ref() {
            ContentRef::Bytes(bytes) => Some(Cow::Borrowed(bytes)),
            ContentRef::Value(Value::Text(text)) => Some(text.to_bytes()),
            ContentRef::Value(jid) => Some(Cow::Owned(jid.to_string().into_bytes())),
            ContentRef::None | ContentRef::Nodes(_) => None,
        }
    }

    /// The content as bytes.
    ///
    /// # Errors
    /// Without content, or with children.
    pub fn required_bytes(self) -> Result<Cow<'a, [u8]>, FieldError> {
        self.optional_bytes().ok_or_else(|| self.error(Problem::Missing))
    }

    /// The content as exactly `N` bytes: keys, signatures.
    ///
    /// # Errors
    /// Without content, or when it has another length.
    pub fn required_array<const N: usize>(self) -> Result<[u8; N], FieldError> {
        let bytes = self.required_bytes()?;
        <[u8; N]>::try_from(&bytes[..])
            .map_err(|_| self.error(Problem::WrongLength { wanted: N, found: bytes.len() }))
    }

    /// The content as a big-endian number of exactly `len` bytes, at most 8: key ids, registration ids.
    ///
    /// # Errors
    /// Without content, or when it has another length.
    pub fn required_be(self, len: usize) -> Result<u64, FieldError> {
        let bytes = self.required_bytes()?;
        if bytes.len() != len || len > 8 {
            return Err(self.error(Problem::WrongLength { wanted: len, found: bytes.len() }));
        }
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// The content as text; none for no content and for children.
    ///
    /// # Errors
    /// When the content is not UTF-8.
    pub fn optional_text(self) -> Result<Option<Cow<'a, str>>, FieldError> {
        let text = match self.optional_bytes() {
            None => return Ok(None),
            Some(Cow::Borrowed(bytes)) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Some(Cow::Owned(bytes)) => String::from_utf8(bytes).ok().map(Cow::Owned),
        };
        text.map(Some).ok_or_else(|| self.error(Problem::NotUtf8))
    }

    /// The content as text.
    ///
    /// # Errors
    /// Without content, with children, or when it is not UTF-8.
    pub fn required_text(self) -> Result<Cow<'a, str>, FieldError> {
        self.optional_text()?.ok_or_else(|| self.error(Problem::Missing))
    }

    /// An error about this node, with its path: for parsers of stanzas.
    pub fn error(self, problem: Problem) -> FieldError {
        FieldError { path: self.path().into(), problem }
    }

    /// An error about an attribute of this node, with its path.
    pub fn attr_error(self, key: &str, problem: Problem) -> FieldError {
        FieldError { path: format!("{}@{key}", self.path()).into(), problem }
    }

    /// Tags from the root down to this node, with slashes between.
    pub fn path(self) -> String {
        let mut tags = Vec::new();
        match self.0 {
            Source::Tape { tape, data, at } => {
                tape.ancestors(at as usize, |node| tags.push(tape.tag(data, node)));
            }
            Source::Tree { root, node } => {
                if !find(root, node, &mut tags) {
                    tags.push(node.tag());
                }
            }
        }
        tags.join("/")
    }

    /// An owned copy.
    pub fn to_node(self) -> Node {
        if let Source::Tree { node, .. } = self.0 {
            return node.clone();
        }
        let attrs = self.each_attr().map(|(key, value)| (Word::from(key), AttrValue::from(value))).collect();
        let content = match self.content_ref() {
            ContentRef::None => Content::None,
            ContentRef::Nodes(children) => Content::Nodes(children.map(NodeRef::to_node).collect()),
            ContentRef::Bytes(bytes) => Content::Bytes(Bytes::copy_from_slice(bytes)),
            ContentRef::Value(value) => Content::Bytes(value.to_string().into_bytes().into()),
        };
        Node::from_parts(self.tag().into(), attrs, content)
    }
}

/// Pushes the tags from `at` down to `wanted`, which is told by its place in memory.
fn find<'a>(at: &'a Node, wanted: &Node, tags: &mut Vec<&'a str>) -> bool {
    tags.push(at.tag());
    if std::ptr::eq(at, wanted) {
        return true;
    }
    if let Content::Nodes(nodes) = at.content()
        && nodes.iter().any(|child| find(child, wanted, tags))
    {
        return true;
    }
    tags.pop();
    false
}

impl PartialEq for NodeRef<'_> {
    /// Equal tags, attributes in order, and contents.
    fn eq(&self, other: &Self) -> bool {
        if self.tag() != other.tag() || !self.each_attr().eq(other.each_attr()) {
            return false;
        }
        match (self.content_ref(), other.content_ref()) {
            (ContentRef::Nodes(own), ContentRef::Nodes(others)) => own.eq(others),
            (ContentRef::Nodes(_), _) | (_, ContentRef::Nodes(_)) => false,
            _ => self.optional_bytes() == other.optional_bytes(),
        }
    }
}

impl Eq for NodeRef<'_> {}

impl PartialEq<Node> for NodeRef<'_> {
    fn eq(&self, other: &Node) -> bool {
        *self == other.view()
    }
}

/// What a node holds, as it is read. [`NodeRef::optional_bytes`] and its kin hide the difference between bytes and
/// text.
#[derive(Clone)]
pub enum ContentRef<'a> {
    /// Nothing.
    None,
    /// Bytes.
    Bytes(&'a [u8]),
    /// A text that was written as a token or packed, or a JID: its text.
    Value(Value<'a>),
    /// Children; at least one.
    Nodes(Children<'a>),
}

/// The attributes of a node. See [`NodeRef::each_attr`].
#[derive(Clone)]
pub struct Attrs<'a> {
    words: std::slice::Iter<'a, u32>,
    tape: Option<(&'a Tape, &'a [u8])>,
    tree: std::slice::Iter<'a, (Word, AttrValue)>,
}

impl<'a> Iterator for Attrs<'a> {
    type Item = (&'a str, Value<'a>);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let Some(word) = self.words.next() else {
            return self.tree.next().map(|(key, value)| (key.as_str(), value.as_value()));
        };
        let (tape, data) = self.tape?;
        let (key, value) = tape.key(data, *word);
        Some((key, value_at(data, value)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.words.len() + self.tree.len();
        (len, Some(len))
    }
}

impl ExactSizeIterator for Attrs<'_> {}

/// The children of a node. See [`NodeRef::each_child`].
#[derive(Clone)]
pub struct Children<'a>(ChildSource<'a>);

#[derive(Clone)]
enum ChildSource<'a> {
    Tape { tape: &'a Tape, data: &'a [u8], at: usize, left: usize },
    Tree { root: Option<&'a Node>, nodes: std::slice::Iter<'a, Node> },
}

impl<'a> Children<'a> {
    #[inline]
    pub(crate) fn of_tape(tape: &'a Tape, data: &'a [u8], at: usize, left: usize) -> Self {
        Self(ChildSource::Tape { tape, data, at, left })
    }

    fn of_tree(root: &'a Node, nodes: &'a [Node]) -> Self {
        Self(ChildSource::Tree { root: Some(root), nodes: nodes.iter() })
    }
}

impl<'a> Iterator for Children<'a> {
    type Item = NodeRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<NodeRef<'a>> {
        match &mut self.0 {
            ChildSource::Tape { tape, data, at, left } => {
                *left = left.checked_sub(1)?;
                let child = *at;
                *at = tape.end(child);
                Some(NodeRef::of_tape(tape, data, child))
            }
            ChildSource::Tree { root, nodes } => {
                let node = nodes.next()?;
                Some(NodeRef(Source::Tree { root: root.unwrap_or(node), node }))
            }
        }
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.0 {
            ChildSource::Tape { left, .. } => (*left, Some(*left)),
            ChildSource::Tree { nodes, .. } => nodes.size_hint(),
        }
    }
}

impl ExactSizeIterator for Children<'_> {}

/// A node and everything below it. See [`NodeRef::descendants`].
#[derive(Clone)]
pub struct Descendants<'a>(DescendantSource<'a>);

#[derive(Clone)]
enum DescendantSource<'a> {
    Tape { tape: &'a Tape, data: &'a [u8], at: usize, end: usize },
    Tree { root: &'a Node, open: Vec<std::slice::Iter<'a, Node>> },
}

impl<'a> Iterator for Descendants<'a> {
    type Item = NodeRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<NodeRef<'a>> {
        match &mut self.0 {
            DescendantSource::Tape { tape, data, at, end } => {
                let node = *at;
                if node >= *end {
                    return None;
                }
                *at = tape.own_end(node);
                Some(NodeRef::of_tape(tape, data, node))
            }
            DescendantSource::Tree { root, open } => loop {
                let Some(node) = open.last_mut()?.next() else {
                    open.pop();
                    continue;
                };
                if let Content::Nodes(nodes) = node.content() {
                    open.push(nodes.iter());
                }
                return Some(NodeRef(Source::Tree { root, node }));
            },
        }
    }
}

/// The children of a node with one tag. See [`NodeRef::each`].
#[derive(Clone)]
pub struct ChildrenBy<'a, 'k> {
    children: Children<'a>,
    tag: &'k str,
}

impl<'a> Iterator for ChildrenBy<'a, '_> {
    type Item = NodeRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<NodeRef<'a>> {
        let tag = self.tag;
        self.children.by_ref().find(|child| child.is(tag))
    }
}

/// Reads the content at `at`.
#[inline]
pub(crate) fn content_at(data: &[u8], at: usize) -> ContentRef<'_> {
    match content_bytes(data, at) {
        Some(bytes) => ContentRef::Bytes(bytes),
        None => ContentRef::Value(value_at(data, at)),
    }
}
