//! Call signalling between devices (chapters 05 §13, 10 §5.1). Media is out of scope.

use std::sync::Arc;

use rand_core::Rng as _;
use wa_binary::{Family, Jid, Node};

use crate::offline::Class;
use crate::stanza::{Read, el};
use crate::watch::Rule;
use crate::world::{AccountId, Copy, DeviceKey, Origin, Timer, World};

/// A call that rings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(crate) struct Ringing {
    /// Call id.
    pub(crate) id: String,
    /// The calling device.
    pub(crate) from: DeviceKey,
    /// The called account.
    pub(crate) to: AccountId,
}

/// `<call>`: acked, and handed on.
pub(crate) fn route(world: &mut World, origin: Origin, node: &Arc<Node>) {
    let (Some(from), Some(to), Some(id)) = (origin.device, node.jid_of("to"), node.text_of("id")) else {
        world.report_origin(origin, Rule::MissingId, "<call> without id or to".to_owned());
        return;
    };
    let Some(action) = node.kids().first() else {
        world.report_origin(origin, Rule::Malformed, "<call> without action".to_owned());
        world.refuse(origin, node, 439);
        return;
    };
    let ack = el("ack")
        .attr("class", "call")
        .attr("id", &id)
        .attr("from", &to)
        .attr("type", action.tag())
        .attr("t", world.now_s());
    if to.server() == wa_binary::Server::Call {
        // Links for calls are not played.
        world.answer(origin, ack.attr("error", 501_u32));
        return;
    }
    let (targets, family) = match world.call_targets(from, &to) {
        Ok(found) => found,
        Err(code) => return world.answer(origin, ack.attr("error", code)),
    };
    world.answer(origin, ack);
    let call_id = action.text_of("call-id").unwrap_or_default();
    let shown = world.shown_action(from, family, action);
    for device in targets {
        let account = world.account(from.account);
        let node = el("call")
            .attr("from", account.device_jid(family, from.device))
            .attr("id", &id)
            .attr("t", world.now_s())
            .attr("notify", account.name.as_str())
            .maybe_attr(
                "sender_lid",
                account.lid.filter(|_| family == Family::Pn).map(|_| account.jid(Family::Lid)),
            )
            .child(shown.clone());
        world.deliver(device, Class::Call, node, Copy::Others);
    }
    // A device that is busy speaks for itself; the others go on ringing.
    let for_all = !(action.is("reject") && action.attr_is("reason", "busy"));
    match action.tag() {
        "offer" => {
            // Calls to groups end by themselves.
            let Some(target) = world.find(&to) else { return };
            let ringing = Ringing { id: call_id, from, to: target };
            let due = world.now_ms + world.config.ringing_ms;
            world.at(due, Timer::CallTimeout { call: ringing.clone() });
            world.ringing.insert(ringing.id.clone(), ringing);
        }
        "accept" | "reject" if for_all && world.ringing.remove(&call_id).is_some() => {
            let reason = if action.is("accept") { "accepted_elsewhere" } else { "rejected_elsewhere" };
            for device in world.device_keys(from.account).into_iter().filter(|device| *device != from) {
                world.terminate(device, action, reason);
            }
        }
        "terminate" => {
            world.ringing.remove(&call_id);
        }
        _ => {}
    }
}

impl World {
    /// The devices that a call stanza goes to, and the family that it is addressed in.
    fn call_targets(&self, from: DeviceKey, to: &Jid) -> Result<(Vec<DeviceKey>, Family), u32> {
        if let Some(group) = self.find_group(to) {
            if group.role(from.account).is_none() {
                return Err(403);
            }
            let members = group.members.keys().flat_map(|member| self.device_keys(*member));
            return Ok((members.filter(|device| *device != from).collect(), group.addressing));
        }
        let family = to.family().unwrap_or(Family::Pn);
        let target = self.find(to).ok_or(404_u32)?;
        // Whoever is blocked is answered as usual, and heard by nobody.
        if self.account(target).blocked.contains(&from.account) {
            return Ok((Vec::new(), family));
        }
        let one = (to.device() != 0).then(|| self.find_device(to)).flatten();
        Ok((one.map_or_else(|| self.device_keys(target), |device| vec![device]), family))
    }

    /// The action as others see it: its creator in their family, and an offer with a relay, which nobody could use.
    fn shown_action(&mut self, from: DeviceKey, family: Family, action: &Node) -> Node {
        let mut shown = action.clone();
        let offer = matches!(action.tag(), "offer" | "offer_notice");
        let creator = match action.jid_of("call-creator").and_then(|creator| self.find_device(&creator)) {
            Some(creator) if !offer => creator,
            _ => from,
        };
        if offer || action.has_attr("call-creator") {
            shown.set_attr("call-creator", self.jid(creator, family));
        }
        if action.is("offer") && action.kid("relay").is_none() {
            let mut bytes = |length| {
                let mut bytes = vec![0; length];
                self.streams.ids.fill_bytes(&mut bytes);
                bytes
            };
            let relay = el("relay")
                .attr("uuid", hex::encode(bytes(8)))
                .attr("self_pid", "1")
                .attr("peer_pid", "3")
                .child(el("key").bytes(bytes(16)))
                .child(el("token").attr("id", "0").bytes(bytes(64)))
                .child(
                    el("te2").attr("relay_id", "0").attr("relay_name", "sim").attr("token_id", "0").bytes(
                        // 127.0.0.1 and a port where nothing listens.
                        vec![127, 0, 0, 1, 0, 9],
                    ),
                );
            shown.push(relay);
        }
        shown
    }

    fn terminate(&mut self, device: DeviceKey, like: &Node, reason: &str) {
        let id = self.fresh_id();
        let terminate = el("terminate")
            .maybe_attr("call-id", like.text_of("call-id"))
            .maybe_attr("call-creator", like.jid_of("call-creator"))
            .attr("reason", reason);
        let from = like.jid_of("call-creator").unwrap_or_else(|| self.visible_jid(device.account));
        let call = el("call").attr("from", from).attr("id", id).attr("t", self.now_s()).child(terminate);
        self.deliver(device, Class::Call, call, Copy::Others);
    }

    pub(crate) fn call_timeout(&mut self, call: &Ringing) {
        if self.ringing.remove(&call.id).is_none() {
            return;
        }
        let creator = self.jid(call.from, Family::Pn);
        let like = el("offer").attr("call-id", &call.id).attr("call-creator", creator);
        for device in self.device_keys(call.to) {
            self.terminate(device, &like, "timeout");
        }
        self.terminate(call.from, &like, "timeout");
    }
}
