//! A message as one device sees it: attributes and children of a delivery (chapter 05 §2).

use std::sync::Arc;

use wa_binary::{Family, Node};

use super::Sending;
use crate::stanza::{Read, el};
use crate::world::{Copy, DeviceKey, World};

/// A delivery.
pub(crate) struct Envelope {
    pub(crate) to: DeviceKey,
    pub(crate) node: Arc<Node>,
    pub(crate) copy: Copy,
}

/// Attributes that the server passes on as they are.
const PASSED: [&str; 4] = ["type", "edit", "category", "push_priority"];

/// Children that every recipient gets.
const SHARED: [&str; 5] = ["meta", "biz", "bot", "reporting", "franking"];

/// The head of a delivery, without `from`.
pub(super) fn head(world: &World, sending: &Sending<'_>) -> Node {
    let mut node = el("message").attr("id", &sending.id).attr("t", world.now_s());
    for key in PASSED {
        if let Some(value) = sending.node.text_of(key) {
            node.set_attr(key, value);
        }
    }
    let name = &world.account(sending.from.account).name;
    if !name.is_empty() {
        node.set_attr("notify", name.as_str());
    }
    node
}

/// The children of a delivery: its ciphertexts, the identity if one of them needs it, and what everybody gets.
pub(super) fn body<'a>(sending: &Sending<'a>, encs: impl Iterator<Item = &'a Node>) -> Vec<Node> {
    let mut children: Vec<Node> = encs.cloned().collect();
    let needs_identity = children.iter().any(|enc| enc.attr_is("type", "pkmsg"));
    let node = sending.node;
    if needs_identity && let Some(identity) = node.kid("device-identity") {
        children.push(identity.clone());
    }
    children.extend(node.kids().iter().filter(|child| SHARED.contains(&child.tag())).cloned());
    children
}

/// Adds the author's other address: `sender_pn`, `participant_lid` and so on.
pub(super) fn alternate(
    world: &World,
    node: Node,
    role: &str,
    who: crate::world::AccountId,
    family: Family,
) -> Node {
    let suffix = match family {
        Family::Pn => "lid",
        Family::Lid => "pn",
    };
    node.maybe_attr(format!("{role}_{suffix}"), world.account(who).alternate(family))
}

/// Name of a family in `addressing_mode`.
pub(crate) const fn mode(family: Family) -> &'static str {
    match family {
        Family::Pn => "pn",
        Family::Lid => "lid",
    }
}
