//! The router of messages (chapters 05 §5.8, 10 §5): acked first, then delivered device by device.

mod check;
mod direct;
mod fanout;
mod group;
mod list;
mod status;

use std::sync::Arc;

use bytes::Bytes;
use wa_binary::{Jid, Node};

use crate::stanza::{Read, el};
use crate::watch::Rule;
use crate::world::{DeviceKey, Origin, World};

pub(crate) use fanout::{Envelope, mode};

/// A message on its way: what is common to all its deliveries.
pub(crate) struct Sending<'a> {
    pub(crate) from: DeviceKey,
    pub(crate) origin: Origin,
    pub(crate) node: &'a Arc<Node>,
    pub(crate) id: String,
    pub(crate) to: Jid,
}

/// What becomes of a message.
pub(crate) enum Verdict {
    /// Accepted and delivered; the ack may carry the server's participant hash.
    Accepted { phash: Option<String> },
    /// Accepted, delivered to nobody.
    Swallowed,
    /// Refused.
    Refused(u32),
}

/// Routes one message.
pub(crate) fn route(world: &mut World, origin: Origin, node: &Arc<Node>) {
    let Some(from) = origin.device else { return };
    let Some(id) = node.text_of("id").filter(|id| !id.is_empty()) else {
        world.report_origin(origin, Rule::MissingId, "<message>".to_owned());
        return;
    };
    let Some(to) = node.jid_of("to") else {
        world.report_origin(origin, Rule::Malformed, format!("message {id} without to"));
        world.refuse(origin, node, 400);
        return;
    };
    if let Some(code) = world.answering.ack_error {
        acknowledge(world, origin, node, &id, &to, None, Some(code));
        return;
    }
    // A resend for one device repeats the id on purpose; a resend after a lost ack must not deliver again.
    let is_resend = node.kid("participants").is_none() && node.has_attr("participant")
        || to.device() != 0
        || node.attr_is("device_fanout", "false")
        || node.has_attr("recipient");
    if !is_resend && let Some(answer) = world.device(from).and_then(|device| device.seen.find(&id)) {
        let phash = String::from_utf8(answer.to_vec()).ok().filter(|phash| !phash.is_empty());
        acknowledge(world, origin, node, &id, &to, phash, None);
        return;
    }
    let sending = Sending { from, origin, node, id, to };
    let capping = world.capping(from.account);
    let (verdict, deliveries) = match check::check(world, &sending) {
        Some(verdict) => (verdict, Vec::new()),
        None => plan(world, &sending),
    };
    let (phash, error) = match verdict {
        Verdict::Accepted { phash } => (phash, None),
        Verdict::Swallowed => (None, None),
        Verdict::Refused(code) => (None, Some(code)),
    };
    if !is_resend
        && error.is_none()
        && let Some(device) = world.device_mut(from)
    {
        let answer = phash.clone().map_or_else(Bytes::new, |phash| phash.into_bytes().into());
        device.seen.insert(&sending.id, answer);
    }
    let phash = if world.answering.wrong_phash { Some("2:AAAAAAAA".to_owned()) } else { phash };
    acknowledge(world, origin, node, &sending.id, &sending.to, phash, error);
    if !world.config.load {
        say(world, &sending, deliveries.len());
    }
    for delivery in deliveries {
        world.deliver_shared(delivery.to, crate::offline::Class::Message, delivery.node, delivery.copy);
    }
    if world.capping(from.account) != capping {
        world.tell_cap(from.account);
    }
}

fn plan(world: &mut World, sending: &Sending<'_>) -> (Verdict, Vec<Envelope>) {
    if sending.to.is_group() {
        group::plan(world, sending)
    } else if sending.to.is_status() {
        status::plan(world, sending)
    } else if sending.to.is_broadcast_list() {
        list::plan(world, sending)
    } else if sending.to.family().is_some() && !sending.to.is_service() {
        direct::plan(world, sending)
    } else {
        // Channels and bots are not played.
        (Verdict::Refused(405), Vec::new())
    }
}

/// The line of the log. What phones and companions of one account tell each other is noise there.
fn say(world: &World, sending: &Sending<'_>, devices: usize) {
    let node = sending.node;
    let (from, to) = (world.who(sending.from), world.chat_name(&sending.to));
    let kind = match node.text_of("edit").as_deref() {
        Some("1") => "an edit".to_owned(),
        Some("7" | "8") => "a deletion".to_owned(),
        _ => node.text_of("type").unwrap_or_default(),
    };
    let id = &sending.id;
    let plural = if devices == 1 { "" } else { "s" };
    if node.attr_is("category", "peer") {
        tracing::debug!("{from} tells its companion {} something ({id})", sending.to.device());
    } else {
        tracing::info!("{from} writes to {to}: {kind}, for {devices} device{plural} ({id})");
    }
}

fn acknowledge(
    world: &mut World,
    origin: Origin,
    node: &Node,
    id: &str,
    to: &Jid,
    phash: Option<String>,
    error: Option<u32>,
) {
    let ack = el("ack")
        .attr("class", "message")
        .attr("id", id)
        .attr("from", to)
        .attr("t", world.now_s())
        .maybe_attr("participant", node.jid_of("participant"))
        .maybe_attr("phash", phash)
        .maybe_attr("error", error);
    if let Some(code) = error {
        tracing::info!("message {id} is refused: {code}");
    }
    world.answer(origin, ack);
}
