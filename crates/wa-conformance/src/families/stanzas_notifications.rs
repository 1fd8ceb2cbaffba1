//! `stanzas-notifications`: what the server answers and what it says unasked, and the facts that must be found in it
//! (chapter 09 §9). Each stanza is read twice: as it stands, and as it comes over the wire with its JIDs typed.

use anyhow::{Context, Result};
use wa_binary::{AttrValue, Content, Jid, Node, NodeRef, Stanza};

use super::facts_fields::Record;
use super::{stanzas_answers_fields as answers, stanzas_notices_fields as notices};
use crate::node_reader::read_node;
use crate::{Reader, VectorFile};

pub(super) fn check(file: &mut VectorFile<'_>) -> Result<()> {
    file.section("cases", |case| {
        case.prose("name")?;
        case.prose("note")?;
        let parser = case.str("parser")?;
        let node = read_node(&case.field("node")?)?;
        let context = case.opt("context")?;
        let expect = case.field("expect")?;
        let plain = outcome(parser, node.view(), context.as_ref())?;
        plain.check(&expect)?;
        let wired = Stanza::decode(typed(&node).encode()?.into())?;
        let wired = outcome(parser, wired.root(), context.as_ref())?;
        wired.check(&expect).context("with typed JIDs")
    })
}

/// What a parser has made of a stanza.
pub(super) enum Outcome {
    /// Facts.
    Facts(Record),
    /// Nothing happens.
    Ignored,
    /// An error, with what is known of it.
    Failed(Record),
}

impl Outcome {
    fn check(self, expect: &Reader<'_>) -> Result<()> {
        let (facts, error, ignored) = match self {
            Self::Facts(facts) => (facts, false, false),
            Self::Ignored => (Record::new(), false, true),
            Self::Failed(facts) => (facts, true, false),
        };
        facts.with("error", error).with("ignored", ignored).check(expect)
    }
}

fn outcome(parser: &str, node: NodeRef<'_>, context: Option<&Reader<'_>>) -> Result<Outcome> {
    match answers::read(parser, node, context).or_else(|| notices::read(parser, node, context)) {
        Some(outcome) => outcome,
        None => anyhow::bail!("unknown parser {parser}"),
    }
}

/// The same with every attribute that reads as a JID as one.
fn typed(node: &Node) -> Node {
    let attrs = node.each_attr().map(|(key, value)| {
        let text = value.to_string();
        // A leading @ belongs to a user name.
        let jid = Some(&text).filter(|text| text.find('@').is_some_and(|at| at > 0));
        let value = match jid.and_then(|text| text.parse::<Jid>().ok()) {
            Some(jid) => AttrValue::from(jid),
            None => AttrValue::from(text),
        };
        (key.to_owned(), value)
    });
    let mut typed_node = Node::new(node.tag()).attrs(attrs);
    typed_node.set_content(match node.content() {
        Content::Nodes(nodes) => Content::Nodes(nodes.iter().map(typed).collect()),
        content => content.clone(),
    });
    typed_node
}
