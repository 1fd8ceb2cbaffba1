//! Messages to groups: each device gets its own ciphertext, if there is one, and the common one (chapters 05 §5.3,
//! 10 §5).

use std::collections::HashMap;
use std::sync::Arc;

use wa_binary::Node;

use super::check::recipients;
use super::fanout::{alternate, body, head, mode};
use super::{Envelope, Sending, Verdict};
use crate::stanza::Read;
use crate::watch::Rule;
use crate::world::{Copy, DeviceKey, World};

/// After a change a hash of the state before it is no one's fault.
const SETTLING_S: u64 = 120;

pub(super) fn plan(world: &mut World, sending: &Sending<'_>) -> (Verdict, Vec<Envelope>) {
    let own = sending.from.account;
    let Some(group) = world.find_group(&sending.to) else { return (Verdict::Refused(404), Vec::new()) };
    let Some(role) = group.members.get(&own) else { return (Verdict::Refused(403), Vec::new()) };
    if group.announcement && !role.is_admin() {
        return (Verdict::Refused(403), Vec::new());
    }
    let family = group.addressing;
    if sending.node.text_of("addressing_mode").is_some_and(|given| given != mode(family)) {
        return (Verdict::Refused(421), Vec::new());
    }
    let changed_s = group.changed_s;
    let members: Vec<_> = group.members.keys().copied().collect();
    let head = head(world, sending)
        .attr("from", sending.to.user_jid())
        .attr("participant", world.jid(sending.from, family))
        .attr("addressing_mode", mode(family));
    let head = alternate(world, head, "participant", own, family);
    if let Some(requester) = sending.node.jid_of("participant") {
        // A resend to the device that asked.
        let Some(device) = world.find_device(&requester) else { return (Verdict::Refused(404), Vec::new()) };
        if !members.contains(&device.account) {
            return (Verdict::Refused(403), Vec::new());
        }
        let node = head.children(body(sending, sending.node.kids_of("enc")));
        let envelope = Envelope { to: device, node: Arc::new(node), copy: copy(sending.from, device) };
        return (Verdict::Accepted { phash: None }, vec![envelope]);
    }
    let devices: Vec<DeviceKey> = members
        .iter()
        .flat_map(|member| world.device_keys(*member))
        .filter(|device| device.device != 99)
        .collect();
    let phash = wrong_phash(world, sending, family, &devices, changed_s);
    let mut own_encs: HashMap<DeviceKey, &Node> = HashMap::new();
    for to in recipients(sending.node) {
        if let Some(device) = to.jid_of("jid").and_then(|jid| world.find_device(&jid)) {
            own_encs.insert(device, to);
        }
    }
    let common = || sending.node.kids_of("enc");
    let plain = Arc::new(head.clone().children(body(sending, common())));
    let envelopes = devices.into_iter().filter(|device| *device != sending.from).map(|device| {
        let node = match own_encs.get(&device) {
            Some(to) => Arc::new(head.clone().children(body(sending, to.kids_of("enc").chain(common())))),
            None => plain.clone(),
        };
        Envelope { to: device, node, copy: copy(sending.from, device) }
    });
    (Verdict::Accepted { phash }, envelopes.collect())
}

fn copy(from: DeviceKey, to: DeviceKey) -> Copy {
    if from.account == to.account { Copy::Own } else { Copy::Others }
}

/// The server's hash when it is not the sender's.
fn wrong_phash(
    world: &mut World,
    sending: &Sending<'_>,
    family: wa_binary::Family,
    devices: &[DeviceKey],
    changed_s: u64,
) -> Option<String> {
    let given = sending.node.text_of("phash")?;
    let own = crate::world::phash(devices.iter().map(|device| world.jid(*device, family)));
    if given == own {
        return None;
    }
    let now_s = world.now_s();
    let fresh = |at: u64| now_s < at + SETTLING_S;
    let settling = fresh(changed_s)
        || devices.iter().any(|device| fresh(world.account(device.account).key_index_list.1));
    if !settling {
        let detail = format!("message {}: {given}, the devices give {own}", sending.id);
        world.report_origin(sending.origin, Rule::WrongPhash, detail);
    }
    Some(own)
}
