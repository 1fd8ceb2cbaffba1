//! Receipts and acks of clients (chapters 05 §10.3, 10 §5.1): they empty queues, and receipts go on to the author.

use std::sync::Arc;

use wa_binary::{Family, Jid, Node};

use crate::offline::{Class, Queued};
use crate::route::refuse;
use crate::stanza::{Read, el};
use crate::watch::Rule;
use crate::world::{Copy, DeviceKey, Origin, World};

/// `<ack>`: takes the stanza out of the sender's queue.
pub(crate) fn ack(world: &mut World, origin: Origin, node: &Arc<Node>) {
    let (Some(class), Some(id)) = (node.text_of("class"), node.text_of("id")) else {
        world.report_origin(origin, Rule::Malformed, "<ack> without class or id".to_owned());
        return;
    };
    let Some(device) = origin.device else {
        // Notifications of a link are acked, and were never queued.
        return;
    };
    let Some(class) = Class::of_tag(&class) else {
        if class != "status" {
            world.report_origin(origin, Rule::Malformed, format!("<ack class=\"{class}\">"));
        }
        return;
    };
    // A plain ack does not do for a copy from an own device, but a client that sends one means well.
    let error = node.has_attr("error");
    if let Some(code) = node.text_of("error") {
        tracing::info!("{} cannot take {id}: {code}", world.who(device));
    }
    settle(world, origin, device, class, &id, &sender(node), |queued| error || !queued.own_copy);
}

/// `to` and `participant` of an answer: the sender that it names.
fn sender(node: &Node) -> String {
    let mut sender = node.text_of("to").unwrap_or_default();
    if let Some(participant) = node.text_of("participant") {
        sender.push(' ');
        sender.push_str(&participant);
    }
    sender
}

fn settle(
    world: &mut World,
    origin: Origin,
    device: DeviceKey,
    class: Class,
    id: &str,
    sender: &str,
    settles: impl Fn(&Queued) -> bool,
) {
    let Some(state) = world.device_mut(device) else { return };
    match state.queue.find(class, id) {
        Some(queued) if settles(queued) => {
            state.queue.answer(class, id, sender);
        }
        Some(_) => {}
        // Receipt and ack for the same message, in either order, are accepted: the second finds nothing.
        None if state.settled.contains(id) => {}
        None => {
            if device.device != 0 {
                world.report_origin(origin, Rule::AnswerToNothing, format!("{} {id}", class.tag()));
            }
            return;
        }
    }
    if let Some(state) = world.device_mut(device) {
        state.settled.insert(id);
    }
}

/// `<receipt>`: acked, then delivered to the author.
pub(crate) fn receipt(world: &mut World, origin: Origin, node: &Arc<Node>) {
    let (Some(id), Some(to)) = (node.text_of("id"), node.jid_of("to")) else {
        world.report_origin(origin, Rule::MissingId, "<receipt> without id or to".to_owned());
        return;
    };
    let kind = node.text_of("type");
    let ack = el("ack")
        .attr("class", "receipt")
        .attr("id", &id)
        .attr("from", &to)
        .maybe_attr("type", kind.clone())
        .maybe_attr("participant", node.jid_of("participant"))
        .attr("t", world.now_s());
    world.answer(origin, ack);
    let Some(device) = origin.device else { return };
    let mut ids = vec![id.clone()];
    ids.extend(node.kid("list").into_iter().flat_map(Read::kids).filter_map(|item| item.text_of("id")));
    let kind = kind.as_deref();
    let call = node.kids().iter().any(|child| child.has_attr("call-id"));
    if call {
        settle_quietly(world, device, Class::Call, &id);
    } else if kind != Some("retry") {
        check_participant(world, origin, device, node, &to, &id);
        for id in &ids {
            settle_message(world, origin, device, node, id, kind);
        }
    } else {
        note_lost_key(world, origin, device, node, &id);
    }
    forward(world, device, node, &to, kind);
}

fn settle_quietly(world: &mut World, device: DeviceKey, class: Class, id: &str) {
    if let Some(state) = world.device_mut(device) {
        state.queue.answer(class, id, "");
        state.settled.insert(id);
    }
}

/// Delivery receipts (of whatever kind) take messages out of the queue; read receipts may name any message.
fn settle_message(
    world: &mut World,
    origin: Origin,
    device: DeviceKey,
    node: &Node,
    id: &str,
    kind: Option<&str>,
) {
    let sender = sender(node);
    match kind {
        Some("read" | "read-self" | "played" | "played-self" | "hist_sync" | "server-error" | "view") => {
            if let Some(state) = world.device_mut(device)
                && state.queue.find(Class::Message, id).is_some_and(|queued| !queued.own_copy)
            {
                settle_quietly(world, device, Class::Message, id);
            }
        }
        Some("sender" | "peer_msg") => settle(world, origin, device, Class::Message, id, &sender, |_| true),
        _ => settle(world, origin, device, Class::Message, id, &sender, |queued| !queued.own_copy),
    }
}

fn check_participant(world: &mut World, origin: Origin, device: DeviceKey, node: &Node, to: &Jid, id: &str) {
    if !to.is_group() {
        return;
    }
    let author = world
        .device(device)
        .and_then(|state| state.queue.find(Class::Message, id))
        .and_then(|queued| queued.node.jid_of("participant"));
    let named = node.jid_of("participant");
    if let Some(author) = author
        && named.as_ref().is_none_or(|named| world.find(named) != world.find(&author))
    {
        let detail = format!("receipt for {id} names {named:?}, the author is {author}");
        world.report_origin(origin, Rule::ReceiptParticipant, detail);
    }
}

/// A retry receipt that says "unknown pre-key id" about a key that this device uploaded (chapter 04 §14.3).
fn note_lost_key(world: &mut World, origin: Origin, device: DeviceKey, node: &Node, id: &str) {
    let says_unknown = node.kid("retry").is_some_and(|retry| retry.attr_is("error", "3"));
    if !says_unknown {
        return;
    }
    let lost = world.device(device).and_then(|state| {
        let queued = state.queue.find(Class::Message, id)?;
        let enc = queued.node.kids().iter().find(|child| child.attr_is("type", "pkmsg"))?;
        let key = crate::watch::one_time_key(enc.body()?)?;
        state.keys.was_spent(key).then_some(key)
    });
    if let Some(key) = lost {
        world.report_origin(origin, Rule::PreKeyLost, format!("one-time key {key} of message {id}"));
    }
}

/// Delivers a receipt to whom it concerns.
fn forward(world: &mut World, from: DeviceKey, node: &Arc<Node>, to: &Jid, kind: Option<&str>) {
    let own_only = matches!(kind, Some("read-self" | "played-self" | "sender" | "peer_msg" | "hist_sync"));
    let participant = node.jid_of("participant");
    let recipient = node.jid_of("recipient");
    let author = participant.as_ref().and_then(|jid| world.find(jid)).or_else(|| world.find(to));
    if matches!(kind, Some("peer_msg" | "hist_sync")) {
        // Acked, delivered to nobody (chapter 10 §3). What is confirmed, the phone need not keep.
        if kind == Some("hist_sync") {
            let items = node.kid("list").into_iter().flat_map(|list| list.each("item"));
            let listed = items.filter_map(|item| item.required("id").string().ok().map(String::from));
            let ids: Vec<String> = node.text_of("id").into_iter().chain(listed).collect();
            world.with_phone(from.account, |phone, _| phone.history_taken(&ids));
        }
        return;
    }
    if kind == Some("retry") {
        let target = match &participant {
            Some(participant) if is_of_many(to) => world.find_device(participant),
            _ => world.find_device(to),
        };
        if let Some(target) = target {
            let receipt = addressed(world, from, node, to, target);
            world.deliver(target, Class::Receipt, receipt, copy_of(from, target));
        }
        return;
    }
    let family = to.family().or_else(|| participant.as_ref().and_then(Jid::family)).unwrap_or(Family::Pn);
    let mut targets = Vec::new();
    if own_only {
        targets.extend(
            world.device_keys(from.account).into_iter().filter(|key| *key != from && key.device != 0),
        );
    } else if let Some(author) = author {
        targets.extend(world.device_keys(author).into_iter().filter(|key| *key != from));
        // Own devices learn what was read elsewhere.
        if author != from.account && matches!(kind, Some("read" | "played")) {
            targets.extend(world.device_keys(from.account).into_iter().filter(|key| *key != from));
        }
    }
    for target in targets {
        let mut receipt = addressed(world, from, node, to, target);
        if target.account == from.account && author != Some(from.account) {
            // A copy for own devices names the chat as the recipient.
            if !to.is_group() && recipient.is_none() {
                receipt.set_attr("recipient", to.user_jid());
            }
            if !to.is_group() {
                receipt.set_attr("from", world.jid(from, family));
            }
        }
        world.deliver(target, Class::Receipt, receipt, Copy::Others);
    }
}

/// Whether the author of a message there is named beside the chat.
fn is_of_many(chat: &Jid) -> bool {
    chat.is_group() || chat.is_status() || chat.is_broadcast_list()
}

fn copy_of(from: DeviceKey, to: DeviceKey) -> Copy {
    if from.account == to.account { Copy::Own } else { Copy::Others }
}

/// The receipt as the target sees it: `to` becomes `from`.
fn addressed(world: &World, from: DeviceKey, node: &Node, to: &Jid, target: DeviceKey) -> Node {
    let mut receipt = node.clone();
    receipt.remove_attr("to");
    receipt.remove_attr("from");
    receipt.set_attr("t", world.now_s());
    if is_of_many(to) {
        let family = match world.find_group(to) {
            Some(group) => group.addressing,
            None => node.jid_of("participant").and_then(|jid| jid.family()).unwrap_or(Family::Lid),
        };
        receipt.set_attr("from", to);
        receipt.set_attr("participant", world.jid(from, family));
    } else {
        receipt.set_attr("from", world.jid(from, to.family().unwrap_or(Family::Pn)));
        if target.account != from.account {
            receipt.remove_attr("recipient");
        }
        receipt.remove_attr("participant");
    }
    receipt
}

impl World {
    /// Answers anything that nobody else answers: used by handlers that refuse a stanza.
    pub(crate) fn refuse(&mut self, origin: Origin, node: &Node, code: u32) {
        refuse(self, origin, node, code);
    }
}
