//! Which stanza goes where: one table for tags, one for the namespaces of iqs (chapters 01, 05, 09).

use std::sync::Arc;

use wa_binary::Node;

use crate::calls;
use crate::iq;
use crate::message;
use crate::presence;
use crate::receipts;
use crate::stanza::{Read, el};
use crate::watch::Rule;
use crate::world::{Asked, Origin, World};

type Handler = fn(&mut World, Origin, &Arc<Node>);

/// Tags that clients and phones send.
const TAGS: [(&str, Handler); 8] = [
    ("message", message::route),
    ("receipt", receipts::receipt),
    ("ack", receipts::ack),
    ("iq", iq::route),
    ("presence", presence::presence),
    ("chatstate", presence::chatstate),
    ("call", calls::route),
    ("ib", bulletin),
];

/// Routes one stanza.
pub(crate) fn stanza(world: &mut World, origin: Origin, node: &Arc<Node>) {
    let handler = TAGS.iter().find(|(tag, _)| node.is(tag)).map(|(_, handler)| *handler);
    let Some(handler) = handler else {
        // A client that leaves may say so.
        if !node.is("xmlstreamend") {
            world.report_origin(origin, Rule::UnknownStanza, format!("<{}>", node.tag()));
            refuse(world, origin, node, 488);
        }
        return;
    };
    let paired_only = !matches!(node.tag(), "iq" | "ack" | "ib" | "receipt");
    if origin.device.is_none() && paired_only {
        world.report_origin(origin, Rule::Malformed, format!("<{}> before the link", node.tag()));
        if matches!(node.tag(), "message" | "call") {
            refuse(world, origin, node, 401);
        }
        return;
    }
    handler(world, origin, node);
}

/// Acks a stanza with an error.
pub(crate) fn refuse(world: &mut World, origin: Origin, node: &Node, code: u32) {
    if let Some(id) = node.text_of("id") {
        let ack = el("ack")
            .attr("class", node.tag())
            .attr("id", id)
            .maybe_attr("from", node.jid_of("to"))
            .attr("error", code);
        world.answer(origin, ack);
    }
}

/// `<ib>` of a client: nothing is answered.
fn bulletin(world: &mut World, origin: Origin, node: &Arc<Node>) {
    for child in node.kids() {
        if child.is("offline_batch")
            && let (Some(conn), Some(_)) = (origin.conn, origin.device)
        {
            let count = child.number_of("count").and_then(|count| u32::try_from(count).ok()).unwrap_or(200);
            if !world.offline_batch(conn, count) {
                world.report_origin(origin, Rule::BatchWithoutPreview, format!("{count} asked for"));
            }
        }
    }
}

/// The answer to an iq of the server.
pub(crate) fn answered(world: &mut World, origin: Origin, iq: &Node) {
    let Some(conn) = origin.conn else { return };
    let id = iq.text_of("id").unwrap_or_default();
    let asked: Option<Asked> = world.take_asked(conn, &id);
    match (asked, origin.device) {
        (Some(what), None) => world.registration_answer(conn, what, iq),
        (Some(_), Some(_)) => {}
        (None, _) => world.report_origin(origin, Rule::AnswerToNothing, format!("iq result {id}")),
    }
}
