//! Properties that the server sets for the client (chapter 09d §12).

use std::collections::BTreeMap;

use compact_str::CompactString;
use wa_binary::NodeRef;

use super::{QueryError, reply};
use crate::fields::{flag, number, text};

/// Seconds between two queries: at least ten minutes, at most a week, a day when the server does not say.
const REFRESH: std::ops::RangeInclusive<u64> = 600..=604_800;
const DEFAULT_REFRESH: u64 = 86_400;

/// How much a sampling weight may be.
const WEIGHTS: std::ops::RangeInclusive<i64> = -10_000..=10_000;

/// An answer to the properties query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Props {
    /// To be named by the next query.
    pub hash: Option<CompactString>,
    /// To be named by the next query.
    pub refresh_id: Option<u64>,
    /// Seconds until the next query.
    pub refresh: u64,
    /// Whether the values are to be merged with the known ones, which they replace otherwise.
    pub delta: bool,
    /// Values by their code.
    pub set: BTreeMap<u32, CompactString>,
    /// Sampling weights by the code of their event.
    pub sampling: BTreeMap<u32, i32>,
}

impl Props {
    /// Reads an answer to a query that named `known_hash`. None when nothing has changed.
    ///
    /// # Errors
    /// When the server refused, and when the list is missing.
    pub fn parse(iq: NodeRef<'_>, known_hash: Option<&str>) -> Result<Option<Self>, QueryError> {
        let node = reply(iq)?.required_child("props")?;
        let hash = text(node, "hash");
        if node.optional_child("prop").is_none() && known_hash.is_some() && hash.as_deref() == known_hash {
            return Ok(None);
        }
        let refresh = number(node, "refresh").unwrap_or(DEFAULT_REFRESH);
        let mut props = Self {
            hash,
            refresh_id: number(node, "refresh_id"),
            refresh: refresh.clamp(*REFRESH.start(), *REFRESH.end()),
            delta: flag(node, "delta_update"),
            set: BTreeMap::new(),
            sampling: BTreeMap::new(),
        };
        let code = |prop: NodeRef<'_>, name| {
            number(prop, name).and_then(|code| u32::try_from(code).ok()).filter(|code| *code > 0)
        };
        for prop in node.each("prop") {
            match (prop.has_attr("config_code"), prop.has_attr("event_code")) {
                (true, false) => {
                    if let (Some(code), Some(value)) = (code(prop, "config_code"), text(prop, "config_value"))
                    {
                        props.set.insert(code, value);
                    }
                }
                (false, true) => {
                    let weight = prop.optional("sampling_weight").i64().ok().flatten();
                    let weight = weight.filter(|weight| WEIGHTS.contains(weight));
                    if let (Some(code), Some(weight)) = (code(prop, "event_code"), weight) {
                        props.sampling.insert(code, weight as i32);
                    }
                }
                _ => {}
            }
        }
        Ok(Some(props))
    }
}

#[cfg(test)]
mod tests {
    use wa_binary::Node;

    use super::*;

    fn parse(props: Node, known: Option<&str>) -> Option<Props> {
        Props::parse(Node::new("iq").attr("type", "result").child(props).view(), known).unwrap()
    }

    #[test]
    fn what_says_too_much_or_too_little_is_skipped() {
        let prop = |attrs: &[(&'static str, &'static str)]| Node::new("prop").attrs(attrs.iter().copied());
        let props = Node::new("props").attr("refresh", "99999999").children([
            prop(&[("config_code", "1"), ("config_value", "a")]),
            prop(&[("config_code", "2")]),
            prop(&[
                ("config_code", "3"),
                ("config_value", "a"),
                ("event_code", "3"),
                ("sampling_weight", "1"),
            ]),
            prop(&[("config_value", "a")]),
            prop(&[("event_code", "4"), ("sampling_weight", "-10000")]),
            prop(&[("event_code", "5"), ("sampling_weight", "10001")]),
        ]);
        let read = parse(props, None).unwrap();
        assert_eq!(read.set, BTreeMap::from([(1, "a".into())]));
        assert_eq!(read.sampling, BTreeMap::from([(4, -10_000)]));
        assert_eq!(read.refresh, 604_800);
    }

    #[test]
    fn an_equal_hash_and_no_values_are_no_change() {
        let props = || Node::new("props").attr("hash", "h");
        assert_eq!(parse(props(), Some("h")), None);
        assert!(parse(props(), Some("g")).is_some());
        assert!(parse(props(), None).is_some());
    }
}
