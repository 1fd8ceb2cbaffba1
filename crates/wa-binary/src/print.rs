//! Nodes as text, for logs and tests: compact XML-like notation (chapter 03 §3).

use std::fmt::{self, Write as _};

use crate::token::Token;
use crate::value::Value;
use crate::view::{ContentRef, NodeRef};

/// Longest content that is shown whole, in bytes; of longer ones the beginning and the length are shown.
const SHOWN: usize = 64;

impl fmt::Display for NodeRef<'_> {
    /// `<iq id="1"><ping/></iq>`; text in quotes, other bytes in hex. It shows everything: for logs see
    /// [`NodeRef::redacted`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(*self, f, Detail::Full)
    }
}

impl fmt::Debug for NodeRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<'a> NodeRef<'a> {
    /// For logs above trace level: contents as their length, phone numbers hidden, and of other values only words of
    /// the dictionary and ids are shown.
    pub const fn redacted(self) -> RedactedNode<'a> {
        RedactedNode(self)
    }
}

impl crate::Node {
    /// For logs above trace level; see [`NodeRef::redacted`].
    pub fn redacted(&self) -> RedactedNode<'_> {
        self.view().redacted()
    }
}

/// Prints a node without what is private. See [`NodeRef::redacted`].
#[derive(Clone, Copy)]
pub struct RedactedNode<'a>(NodeRef<'a>);

impl fmt::Display for RedactedNode<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(self.0, f, Detail::Redacted)
    }
}

impl fmt::Debug for RedactedNode<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Detail {
    Full,
    Redacted,
}

fn print(node: NodeRef<'_>, f: &mut fmt::Formatter<'_>, detail: Detail) -> fmt::Result {
    write!(f, "<{}", Escaped(node.tag()))?;
    for (key, value) in node.each_attr() {
        write!(f, " {}=\"", Escaped(key))?;
        match detail {
            Detail::Full => print_value(&value, f)?,
            Detail::Redacted => print_redacted(key, &value, f)?,
        }
        f.write_char('"')?;
    }
    match node.content_ref() {
        ContentRef::None => return f.write_str("/>"),
        ContentRef::Nodes(children) => {
            f.write_char('>')?;
            for child in children {
                print(child, f, detail)?;
            }
        }
        _ => {
            let bytes = node.optional_bytes().unwrap_or_default();
            f.write_char('>')?;
            match detail {
                Detail::Redacted => write!(f, "[{} bytes]", bytes.len())?,
                Detail::Full => print_content(&bytes, f)?,
            }
        }
    }
    write!(f, "</{}>", Escaped(node.tag()))
}

fn print_value(value: &Value<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        Value::Jid(jid) => write!(f, "{jid}"),
        Value::Text(text) => text.with_str(|text| write!(f, "{}", Escaped(text))),
    }
}

fn print_redacted(key: &str, value: &Value<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let text = match value {
        Value::Jid(jid) => return write!(f, "{}", jid.redacted()),
        Value::Text(text) => text.to_compact(),
    };
    if let Ok(jid) = text.parse::<crate::Jid>() {
        return write!(f, "{}", jid.redacted());
    }
    let open = matches!(key, "id" | "t" | "v" | "xmlns" | "type" | "class" | "code" | "reason" | "count");
    if open || Token::of(&text).is_some() {
        return write!(f, "{}", Escaped(&text));
    }
    write!(f, "[{} characters]", text.chars().count())
}

fn print_content(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let printable = |text: &&str| !text.is_empty() && !text.chars().any(char::is_control);
    if let Some(text) = std::str::from_utf8(bytes).ok().filter(printable) {
        return write!(f, "{}", Escaped(text));
    }
    f.write_str("0x")?;
    for byte in bytes.iter().take(SHOWN) {
        write!(f, "{byte:02x}")?;
    }
    if bytes.len() > SHOWN { write!(f, "… [{} bytes]", bytes.len()) } else { Ok(()) }
}

struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                c if c.is_control() => write!(f, "&#{};", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}
