//! Nodes as vector files write them, in any of four notations, and their equality with decoded ones (chapter 03 §11).
//!
//! Attributes are pairs in order, `[key, value]` or `[key, value, "jid"]`, or a map. Content is `content` (null, a
//! list of nodes, or one of `bytes`, `hex`, `b64`, `text`, `fill` with `count`, `nodes`), `content_b64`,
//! `content_hex`, `children`, `text` or `bytes_hex`. A child may stand for several with `repeat`.

use std::borrow::Cow;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use wa_binary::{AttrValue, Content, ContentRef, Jid, Node, NodeRef};

use crate::reader::Reader;

/// Reads a node. Values are JIDs where they are marked so, else text.
pub fn read_node(reader: &Reader<'_>) -> Result<Node> {
    let mut node = Node::new(reader.str("tag")?).attrs(read_attrs(reader)?);
    node.set_content(read_content(reader)?);
    Ok(node)
}

/// Fails when `actual` is not `expected`, attributes in order. Values are equal by their text, in which device 0 and a
/// leading `@` do not count; text content equals its bytes, an empty list of children no content.
pub fn same_node(what: &str, actual: NodeRef<'_>, expected: &Node) -> Result<()> {
    compare(actual, expected.view(), Order::Kept).with_context(|| what.to_owned())
}

/// The same for notations that do not keep the order of attributes.
pub fn same_stanza(what: &str, actual: NodeRef<'_>, expected: &Node) -> Result<()> {
    compare(actual, expected.view(), Order::Free).with_context(|| what.to_owned())
}

#[derive(Clone, Copy, PartialEq)]
enum Order {
    Kept,
    Free,
}

fn read_attrs(reader: &Reader<'_>) -> Result<Vec<(String, AttrValue)>> {
    let Some(attrs) = reader.opt("attrs")? else { return Ok(Vec::new()) };
    if attrs.peek().is_object() {
        let entries = attrs.entries()?;
        return entries.into_iter().map(|(key, value)| Ok((key.to_owned(), read_value(&value)?))).collect();
    }
    let pairs = attrs.items()?;
    let pairs = pairs.iter().map(|pair| {
        let parts = pair.items()?;
        match &parts[..] {
            [key, value] => Ok((key.as_str()?.to_owned(), read_value(value)?)),
            [key, value, mark] => {
                ensure!(mark.as_str()? == "jid", "unknown mark of an attribute: {}", mark.peek());
                let text = value.as_str()?;
                let jid: Jid = text.parse().with_context(|| format!("JID {text:?}"))?;
                Ok((key.as_str()?.to_owned(), jid.into()))
            }
            _ => bail!("an attribute of {} parts", parts.len()),
        }
    });
    pairs.collect()
}

fn read_value(value: &Reader<'_>) -> Result<AttrValue> {
    match value.peek() {
        Value::Number(number) => {
            let text = number.to_string();
            value.raw();
            Ok(text.into())
        }
        Value::Bool(_) => Ok(value.as_bool()?.into()),
        Value::Object(_) => Ok(value.str("jid")?.parse::<Jid>()?.into()),
        _ => Ok(value.as_str()?.into()),
    }
}

fn read_content(reader: &Reader<'_>) -> Result<Content> {
    let mut found = Vec::new();
    if let Some(content) = reader.opt("content")? {
        found.push(match content.peek() {
            Value::Array(_) => read_nodes(&content)?,
            Value::String(_) => text(content.as_str()?),
            _ => read_content_object(&content)?,
        });
    }
    if reader.has("content_b64") {
        found.push(Content::Bytes(reader.base64("content_b64")?.into()));
    }
    for name in ["content_hex", "bytes_hex"] {
        if let Some(bytes) = reader.opt_hex(name)? {
            found.push(Content::Bytes(bytes.into()));
        }
    }
    if let Some(own) = reader.opt_str("text")? {
        found.push(text(own));
    }
    if let Some(children) = reader.opt("children")? {
        found.push(read_nodes(&children)?);
    }
    ensure!(found.len() <= 1, "a node with {} contents", found.len());
    Ok(found.pop().unwrap_or_default())
}

fn read_content_object(content: &Reader<'_>) -> Result<Content> {
    if let Some(nodes) = content.opt("nodes")? {
        return read_nodes(&nodes);
    }
    if let Some(fill) = content.opt_hex("fill")? {
        let count = usize::try_from(content.u64("count")?)?;
        return Ok(Content::Bytes(fill.repeat(count).into()));
    }
    if let Some(own) = content.opt_str("text")? {
        return Ok(text(own));
    }
    for name in ["bytes", "hex"] {
        if let Some(bytes) = content.opt_hex(name)? {
            return Ok(Content::Bytes(bytes.into()));
        }
    }
    if content.has("b64") {
        return Ok(Content::Bytes(content.base64("b64")?.into()));
    }
    bail!("unknown content: {}", content.peek())
}

fn text(text: &str) -> Content {
    Content::Bytes(text.as_bytes().to_vec().into())
}

fn read_nodes(list: &Reader<'_>) -> Result<Content> {
    let mut nodes = Vec::new();
    for item in list.items()? {
        let node = read_node(&item)?;
        let times = usize::try_from(item.opt_u64("repeat")?.unwrap_or(1))?;
        nodes.extend(std::iter::repeat_n(node, times));
    }
    Ok(if nodes.is_empty() { Content::None } else { Content::Nodes(nodes) })
}

fn compare(actual: NodeRef<'_>, expected: NodeRef<'_>, order: Order) -> Result<()> {
    let at = expected.path();
    ensure!(actual.tag() == expected.tag(), "{at}: got tag {:?}", actual.tag());
    let mut own = attr_texts(actual);
    let mut wanted = attr_texts(expected);
    if order == Order::Free {
        own.sort();
        wanted.sort();
    }
    ensure!(own == wanted, "{at}: got attributes {own:?}, expected {wanted:?}");
    match (actual.content_ref(), expected.content_ref()) {
        (ContentRef::Nodes(own), ContentRef::Nodes(wanted)) => {
            ensure!(own.len() == wanted.len(), "{at}: got {} children, expected {}", own.len(), wanted.len());
            own.zip(wanted).try_for_each(|(own, wanted)| compare_child(own, wanted, order))
        }
        (ContentRef::Nodes(_), _) | (_, ContentRef::Nodes(_)) => {
            bail!("{at}: got {actual}, expected {expected}")
        }
        _ => {
            let (own, wanted) = (actual.optional_bytes(), expected.optional_bytes());
            ensure!(own == wanted, "{at}: got content {own:?}, expected {wanted:?}");
            Ok(())
        }
    }
}

/// Children in a row are mostly equal: the path, which is searched for, is only asked for when they are not.
fn compare_child(own: NodeRef<'_>, wanted: NodeRef<'_>, order: Order) -> Result<()> {
    if own == wanted { Ok(()) } else { compare(own, wanted, order) }
}

fn attr_texts(node: NodeRef<'_>) -> Vec<(String, String)> {
    node.each_attr().map(|(key, value)| (key.to_owned(), plain(&value.to_string()).into_owned())).collect()
}

/// A text without a leading `@` and without device 0.
fn plain(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('@').unwrap_or(text);
    match text.split_once(":0@") {
        Some((user, server)) => format!("{user}@{server}").into(),
        None => text.into(),
    }
}
