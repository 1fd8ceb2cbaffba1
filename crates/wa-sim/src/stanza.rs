//! Small words for reading owned stanzas, and the shapes that many answers share (chapters 03, 09 §2).

use bytes::Bytes;
use wa_binary::{Content, Jid, Node};

/// Lenient reading of what a client sent: what is absent or of the wrong form is `None`, and the caller decides.
pub(crate) trait Read {
    /// An attribute as text.
    fn text_of(&self, key: &str) -> Option<String>;
    /// An attribute as an address; text forms are parsed.
    fn jid_of(&self, key: &str) -> Option<Jid>;
    /// An attribute as a number.
    fn number_of(&self, key: &str) -> Option<u64>;
    /// The children.
    fn kids(&self) -> &[Node];
    /// The first child with this tag.
    fn kid(&self, tag: &str) -> Option<&Node>;
    /// The children with this tag.
    fn kids_of<'a>(&'a self, tag: &'a str) -> impl Iterator<Item = &'a Node>;
    /// The content as bytes.
    fn body(&self) -> Option<&Bytes>;
    /// The content as text.
    fn words(&self) -> Option<&str>;
    /// The content as exactly `N` bytes.
    fn array<const N: usize>(&self) -> Option<[u8; N]>;
}

impl Read for Node {
    fn text_of(&self, key: &str) -> Option<String> {
        self.view().value(key).map(|value| value.to_compact().into())
    }

    fn jid_of(&self, key: &str) -> Option<Jid> {
        match self.attr_values().iter().find(|(own, _)| own == key)? {
            (_, wa_binary::AttrValue::Jid(jid)) => Some(jid.clone()),
            (_, wa_binary::AttrValue::Text(text)) => text.parse().ok(),
        }
    }

    fn number_of(&self, key: &str) -> Option<u64> {
        self.view().value(key)?.to_compact().parse().ok()
    }

    fn kids(&self) -> &[Node] {
        match self.content() {
            Content::Nodes(nodes) => nodes,
            _ => &[],
        }
    }

    fn kid(&self, tag: &str) -> Option<&Node> {
        self.kids().iter().find(|node| node.is(tag))
    }

    fn kids_of<'a>(&'a self, tag: &'a str) -> impl Iterator<Item = &'a Node> {
        self.kids().iter().filter(move |node| node.is(tag))
    }

    fn body(&self) -> Option<&Bytes> {
        match self.content() {
            Content::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    fn words(&self) -> Option<&str> {
        self.body().and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    fn array<const N: usize>(&self) -> Option<[u8; N]> {
        self.body().and_then(|bytes| <[u8; N]>::try_from(&bytes[..]).ok())
    }
}

/// A node, short.
pub(crate) fn el(tag: &str) -> Node {
    Node::new(tag)
}

/// `<error code text/>`.
pub(crate) fn error(code: u32, text: &str) -> Node {
    el("error").attr("code", code).attr("text", text)
}

/// `<notification>` from the server itself or from a user or group.
pub(crate) fn notification(kind: &str, from: &Jid, id: &str, now_s: u64) -> Node {
    el("notification").attr("from", from).attr("type", kind).attr("id", id).attr("t", now_s)
}

/// The text that goes with an error code (chapter 01 §7).
pub(crate) fn error_text(code: u32) -> &'static str {
    match code {
        304 => "not-modified",
        401 => "not-authorized",
        403 => "forbidden",
        404 => "item-not-found",
        405 => "not-allowed",
        406 => "not-acceptable",
        408 => "request-timeout",
        409 => "conflict",
        410 => "gone",
        412 => "precondition-failed",
        419 => "resource-limit",
        423 => "locked",
        429 => "rate-overlimit",
        452 => "feature-not-available",
        500 => "internal-server-error",
        501 => "feature-not-implemented",
        503 => "service-unavailable",
        _ => "bad-request",
    }
}

/// A stanza as JSON, for people, recordings and the admin API: `{"tag", "attrs", "children"}` or, for a leaf,
/// `"text"` (printable) or `"hex"`. Addresses are written `{"jid": ".."}`, so that nothing is lost.
pub(crate) fn to_json(node: &Node) -> serde_json::Value {
    use serde_json::{Map, Value, json};
    let mut object = Map::new();
    object.insert("tag".into(), node.tag().into());
    let attrs = node.attr_values().iter().map(|(key, value)| {
        let value = match value {
            wa_binary::AttrValue::Text(text) => Value::from(text.as_str()),
            wa_binary::AttrValue::Jid(jid) => json!({ "jid": jid.to_string() }),
        };
        (key.to_string(), value)
    });
    let attrs: Map<String, Value> = attrs.collect();
    if !attrs.is_empty() {
        object.insert("attrs".into(), attrs.into());
    }
    match node.content() {
        Content::None => {}
        Content::Nodes(nodes) => {
            object.insert("children".into(), nodes.iter().map(to_json).collect());
        }
        Content::Bytes(bytes) => {
            match std::str::from_utf8(bytes) {
                Ok(text) if !text.is_empty() && text.chars().all(|c| !c.is_control()) => {
                    object.insert("text".into(), text.into());
                }
                _ => {
                    object.insert("hex".into(), hex::encode(bytes).into());
                }
            };
        }
    }
    object.into()
}

/// The reverse of [`to_json`]; plain strings for addresses are accepted where they are given as such.
///
/// # Errors
/// What is wrong, for people.
pub(crate) fn from_json(value: &serde_json::Value) -> Result<Node, String> {
    nested(value, 0)
}

fn nested(value: &serde_json::Value, depth: usize) -> Result<Node, String> {
    if depth > 64 {
        return Err("nested deeper than 64".into());
    }
    let tag = value["tag"].as_str().filter(|tag| !tag.is_empty()).ok_or("a stanza needs a tag")?;
    let mut node = Node::new(tag);
    if let Some(attrs) = value["attrs"].as_object() {
        for (key, value) in attrs {
            match value {
                serde_json::Value::Object(_) => {
                    let jid = value["jid"].as_str().ok_or("an attribute is text or {\"jid\": ..}")?;
                    let jid: Jid = jid.parse().map_err(|error| format!("{jid}: {error}"))?;
                    node.set_attr(key.as_str(), jid);
                }
                serde_json::Value::String(text) => node.set_attr(key.as_str(), text.as_str()),
                other => node.set_attr(key.as_str(), other.to_string()),
            }
        }
    }
    if let Some(children) = value["children"].as_array() {
        for child in children {
            node.push(nested(child, depth + 1)?);
        }
    } else if let Some(text) = value["text"].as_str() {
        node = node.text(text);
    } else if let Some(digits) = value["hex"].as_str() {
        node = node.bytes(hex::decode(digits).map_err(|error| error.to_string())?);
    }
    Ok(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_what_a_stanza_says() {
        let node = el("message")
            .attr("to", Jid::pn(15_550_100))
            .attr("id", "A1")
            .child(el("enc").attr("v", "2").bytes(vec![0, 1, 2]))
            .child(el("meta").text("words"));
        let shown = to_json(&node);
        // Attributes come back in the order of their names.
        assert_eq!(to_json(&from_json(&shown).expect("a stanza")), shown);
        assert_eq!(shown["attrs"]["to"]["jid"], "15550100@s.whatsapp.net");
        assert_eq!(
            (&shown["children"][0]["hex"], &shown["children"][1]["text"]),
            (&"000102".into(), &"words".into())
        );
        assert!(from_json(&serde_json::json!({"attrs": {}})).is_err());
    }
}
