//! Call signalling between devices (chapters 05 §13, 10 §5.1). Media is out of scope.

use std::sync::Arc;

use wa_binary::{Family, Node};

use crate::offline::Class;
use crate::stanza::{Read, el};
use crate::watch::Rule;
use crate::world::{AccountId, Copy, DeviceKey, Origin, Timer, World};

/// How long a call rings.
const RINGING_MS: u64 = 45_000;

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
    let Some(target) = world.find(&to) else {
        world.answer(origin, ack.attr("error", 404_u32));
        return;
    };
    world.answer(origin, ack);
    let family = to.family().unwrap_or(Family::Pn);
    let call_id = action.text_of("call-id").unwrap_or_default();
    let call = |world: &World, action: &Node| {
        let account = world.account(from.account);
        el("call")
            .attr("from", account.device_jid(family, from.device))
            .attr("id", &id)
            .attr("t", world.now_s())
            .attr("notify", account.name.as_str())
            .maybe_attr(
                "sender_lid",
                account.lid.filter(|_| family == Family::Pn).map(|_| account.jid(Family::Lid)),
            )
            .child(action.clone())
    };
    let one = (to.device() != 0).then(|| world.find_device(&to)).flatten();
    let targets = match one {
        Some(device) => vec![device],
        None => world.device_keys(target),
    };
    for device in targets {
        let node = call(world, action);
        world.deliver(device, Class::Call, node, Copy::Others);
    }
    match action.tag() {
        "offer" => {
            let ringing = Ringing { id: call_id, from, to: target };
            world.at(world.now_ms + RINGING_MS, Timer::CallTimeout { call: ringing.clone() });
            world.ringing.insert(ringing.id.clone(), ringing);
        }
        "accept" | "reject" if world.ringing.remove(&call_id).is_some() => {
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
