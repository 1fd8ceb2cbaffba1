//! Broadcast lists: to every device that the sender lists, each with a ciphertext of its own; own devices are told who
//! else got it (chapters 04 §12.5, 05 §5.5 and §7.1).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wa_binary::{Family, Node};

use super::check::recipients;
use super::fanout::{alternate, body, head};
use super::{Envelope, Sending, Verdict};
use crate::stanza::{Read, el};
use crate::watch::Rule;
use crate::world::{AccountId, Copy, DeviceKey, World};

pub(super) fn plan(world: &mut World, sending: &Sending<'_>) -> (Verdict, Vec<Envelope>) {
    let own = sending.from.account;
    let listed = recipients(sending.node).filter_map(|to| Some((to.jid_of("jid")?, to)));
    let mut family = None;
    let mut devices: BTreeMap<DeviceKey, &Node> = BTreeMap::new();
    for (jid, to) in listed {
        family = family.or(jid.family());
        if let Some(device) = world.find_device(&jid) {
            devices.insert(device, to);
        }
    }
    let requester = sending.node.jid_of("participant");
    let family = family.or_else(|| requester.as_ref()?.family()).unwrap_or(Family::Lid);
    let head =
        head(world, sending).attr("from", &sending.to).attr("participant", world.jid(sending.from, family));
    let head = alternate(world, head, "participant", own, family);
    if let Some(requester) = requester {
        let Some(device) = world.find_device(&requester) else { return (Verdict::Refused(404), Vec::new()) };
        let node = Arc::new(head.children(body(sending, sending.node.kids_of("enc"))));
        let envelope = Envelope { to: device, node, copy: copy(own, device) };
        return (Verdict::Accepted { phash: None }, vec![envelope]);
    }
    let people: BTreeSet<AccountId> = devices.keys().map(|device| device.account).collect();
    if !people.iter().any(|person| *person != own) {
        return (Verdict::Refused(400), Vec::new());
    }
    let phash = phash(world, sending, family, &devices, &people);
    let named = people.iter().filter(|person| **person != own).map(|person| {
        let user = el("to").attr("jid", world.account(*person).jid(family));
        alternate(world, user, "peer_recipient", *person, family)
    });
    let named = el("participants").children(named);
    let envelopes = devices.iter().filter(|(device, _)| {
        **device != sending.from && !world.account(device.account).blocked.contains(&own)
    });
    let envelopes = envelopes.map(|(device, to)| {
        let mut node = head.clone().children(body(sending, to.kids_of("enc")));
        if device.account == own {
            node.push(named.clone());
        }
        Envelope { to: *device, node: Arc::new(node), copy: copy(own, *device) }
    });
    (Verdict::Accepted { phash }, envelopes.collect())
}

/// The server's hash when it is not the sender's: of all devices of those who are named, and of the sender's.
fn phash(
    world: &mut World,
    sending: &Sending<'_>,
    family: Family,
    devices: &BTreeMap<DeviceKey, &Node>,
    people: &BTreeSet<AccountId>,
) -> Option<String> {
    let given = sending.node.text_of("phash");
    let hash = |world: &World, keys: &BTreeSet<DeviceKey>| {
        crate::world::phash(keys.iter().map(|device| world.jid(*device, family)))
    };
    let covered = devices.keys().copied().chain([sending.from]).collect();
    let said = hash(world, &covered);
    if given.as_ref() != Some(&said) {
        let detail = format!("message {}: {given:?}, its recipients give {said}", sending.id);
        world.report_origin(sending.origin, Rule::WrongPhash, detail);
    }
    let own = world.device_keys(sending.from.account);
    let all = people.iter().flat_map(|person| world.device_keys(*person)).chain(own).collect();
    let whole = hash(world, &all);
    (given.as_ref() != Some(&whole)).then_some(whole)
}

fn copy(own: AccountId, to: DeviceKey) -> Copy {
    if own == to.account { Copy::Own } else { Copy::Others }
}
