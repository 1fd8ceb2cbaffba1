//! Status updates: to every user that the sender lists (chapters 05 §5.5, 10 §5).

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use wa_binary::{Family, Node};

use super::check::recipients;
use super::fanout::{alternate, body, head};
use super::{Envelope, Sending, Verdict};
use crate::stanza::Read;
use crate::world::{Copy, DeviceKey, World};

pub(super) fn plan(world: &mut World, sending: &Sending<'_>) -> (Verdict, Vec<Envelope>) {
    let own = sending.from.account;
    let mut users = BTreeSet::from([own]);
    let mut own_encs: HashMap<DeviceKey, &Node> = HashMap::new();
    let mut family = None;
    for to in recipients(sending.node) {
        let Some(jid) = to.jid_of("jid") else { continue };
        family = family.or(jid.family());
        if let Some(user) = world.find(&jid) {
            users.insert(user);
        }
        if let Some(device) = world.find_device(&jid) {
            own_encs.insert(device, to);
        }
    }
    let family = family.unwrap_or(Family::Lid);
    let head =
        head(world, sending).attr("from", &sending.to).attr("participant", world.jid(sending.from, family));
    let head = alternate(world, head, "participant", own, family);
    let common = || sending.node.kids_of("enc");
    if let Some(requester) = sending.node.jid_of("participant") {
        let Some(device) = world.find_device(&requester) else { return (Verdict::Refused(404), Vec::new()) };
        let encs: Vec<&Node> = match own_encs.get(&device) {
            Some(to) => to.kids_of("enc").chain(common()).collect(),
            None => common().collect(),
        };
        let node = head.children(body(sending, encs.into_iter()));
        let copy = if device.account == own { Copy::Own } else { Copy::Others };
        return (
            Verdict::Accepted { phash: None },
            vec![Envelope { to: device, node: Arc::new(node), copy }],
        );
    }
    let mut envelopes = Vec::new();
    for user in users {
        if world.account(user).blocked.contains(&own) {
            continue;
        }
        for device in world.device_keys(user).into_iter().filter(|device| *device != sending.from) {
            let encs: Vec<&Node> = match own_encs.get(&device) {
                Some(to) => to.kids_of("enc").chain(common()).collect(),
                None => common().collect(),
            };
            let node = Arc::new(head.clone().children(body(sending, encs.into_iter())));
            let copy = if user == own { Copy::Own } else { Copy::Others };
            envelopes.push(Envelope { to: device, node, copy });
        }
    }
    (Verdict::Accepted { phash: None }, envelopes)
}
