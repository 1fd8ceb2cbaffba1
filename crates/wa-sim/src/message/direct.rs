//! Messages between two people, copies for own devices, resends and peer messages (chapters 05 §5.2, §6, 10 §5).

use std::collections::BTreeSet;
use std::sync::Arc;

use wa_binary::{Family, Node};

use super::check::recipients;
use super::fanout::{alternate, body, head, mode};
use super::{Envelope, Sending, Verdict};
use crate::stanza::Read;
use crate::tokens::Proofs;
use crate::world::{AccountId, Copy, DeviceKey, World};

pub(super) fn plan(world: &mut World, sending: &Sending<'_>) -> (Verdict, Vec<Envelope>) {
    let Some(chat) = world.find(&sending.to) else { return (Verdict::Refused(404), Vec::new()) };
    let family = sending.to.family().unwrap_or(Family::Pn);
    if sending.node.kid("participants").is_none() {
        return one_device(world, sending, chat, family);
    }
    let own = sending.from.account;
    if let Some(code) = refusal(world, sending, chat) {
        return (Verdict::Refused(code), Vec::new());
    }
    let swallowed = world.account(chat).blocked.contains(&own);
    let mut covered = BTreeSet::from([sending.from]);
    let mut envelopes = Vec::new();
    for to in recipients(sending.node) {
        let Some(device) = to.jid_of("jid").and_then(|jid| world.find_device(&jid)) else { continue };
        if device.account != chat && device.account != own {
            continue;
        }
        covered.insert(device);
        if device == sending.from || (swallowed && device.account == chat) {
            continue;
        }
        envelopes.push(envelope(world, sending, chat, family, device, to.kids_of("enc")));
    }
    let mut all = world.device_keys(chat);
    if chat != own {
        all.extend(world.device_keys(own));
        note_chat(world, own, chat);
    }
    // Devices that the sender does not know: it learns so from the hash of all of them.
    let phash = all.iter().any(|device| !covered.contains(device)).then(|| {
        crate::world::phash(all.iter().filter(|key| **key != sending.from).map(|key| world.jid(*key, family)))
    });
    (Verdict::Accepted { phash }, envelopes)
}

/// Why the service refuses the message, if it does.
fn refusal(world: &World, sending: &Sending<'_>, chat: AccountId) -> Option<u32> {
    let own = sending.from.account;
    if chat == own {
        return None;
    }
    if is_new(world, own, chat)
        && let Some(code) = world.new_chat_refusal(sending.from)
    {
        return Some(code);
    }
    (!world.lets_in(chat, own, &Proofs::of(sending.node))).then_some(463)
}

/// Whether neither has written to the other.
fn is_new(world: &World, own: AccountId, chat: AccountId) -> bool {
    !world.account(chat).wrote_to.contains(&own) && !world.account(own).wrote_to.contains(&chat)
}

/// The account has written there.
fn note_chat(world: &mut World, own: AccountId, chat: AccountId) {
    if is_new(world, own, chat) {
        world.count_new_chat(own);
    }
    world.account_mut(own).wrote_to.insert(chat);
}

/// A bare `<enc>`: a resend, a peer message, or a message to a phone alone.
fn one_device(
    world: &mut World,
    sending: &Sending<'_>,
    chat: AccountId,
    family: Family,
) -> (Verdict, Vec<Envelope>) {
    let device = DeviceKey { account: chat, device: sending.to.device() };
    if sending.node.attr_is("category", "peer") && chat != sending.from.account {
        return (Verdict::Refused(403), Vec::new());
    }
    if world.device(device).is_none() {
        return (Verdict::Refused(404), Vec::new());
    }
    if device == sending.from || world.account(chat).blocked.contains(&sending.from.account) {
        return (Verdict::Swallowed, Vec::new());
    }
    if chat != sending.from.account {
        let resend = sending.to.device() != 0 || sending.node.attr_is("device_fanout", "false");
        if !resend && let Some(code) = refusal(world, sending, chat) {
            return (Verdict::Refused(code), Vec::new());
        }
        note_chat(world, sending.from.account, chat);
    }
    let partner = sending.node.jid_of("recipient").and_then(|jid| world.find(&jid)).unwrap_or(chat);
    let envelope = envelope(world, sending, partner, family, device, sending.node.kids_of("enc"));
    (Verdict::Accepted { phash: None }, vec![envelope])
}

fn envelope<'a>(
    world: &World,
    sending: &Sending<'a>,
    chat: AccountId,
    family: Family,
    device: DeviceKey,
    encs: impl Iterator<Item = &'a Node>,
) -> Envelope {
    let from = sending.from;
    let mut node = head(world, sending).attr("from", world.jid(from, family));
    let own = device.account == from.account;
    let peer = sending.node.attr_is("category", "peer");
    if own && !peer {
        // The copy names its chat; without a partner of its own it is the note to oneself.
        node.set_attr("recipient", world.account(chat).jid(family));
        node = alternate(world, node, "peer_recipient", chat, family);
    }
    if !peer {
        node = alternate(world, node, "sender", from.account, family).attr("addressing_mode", mode(family));
    }
    let node = node.children(body(sending, encs));
    // Peer messages are answered with a receipt of their own kind, which settles them like any other.
    let copy = if own && !peer { Copy::Own } else { Copy::Others };
    Envelope { to: device, node: Arc::new(node), copy }
}
