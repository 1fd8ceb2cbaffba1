//! Presence and chat states (chapters 09a §10, 10 §5.1).

use std::sync::Arc;

use wa_binary::{Jid, Node};

use crate::offline::Class;
use crate::stanza::{Read, el};
use crate::watch::Rule;
use crate::world::{AccountId, ConnId, Copy, DeviceKey, Origin, World};

/// `<presence>`: own state, or a subscription. Never answered.
pub(crate) fn presence(world: &mut World, origin: Origin, node: &Arc<Node>) {
    let (Some(device), kind) = (origin.device, node.text_of("type")) else { return };
    match kind.as_deref() {
        Some("subscribe") => subscribe(world, origin, device, node),
        Some("unsubscribe") => {
            if let (Some(target), Some(conn)) =
                (node.jid_of("to").and_then(|jid| world.find(&jid)), origin.conn)
            {
                world.account_mut(target).subscribers.remove(&conn);
            }
        }
        None | Some("available" | "unavailable") => {
            let name = node.text_of("name").filter(|name| !name.is_empty());
            match name {
                Some(name) => name.clone_into(&mut world.account_mut(device.account).name),
                None if device.device != 0 => {
                    world.report_origin(origin, Rule::PresenceWithoutName, format!("{kind:?}"));
                }
                None => {}
            }
            if let Some(state) = world.device_mut(device) {
                state.available = kind.as_deref() != Some("unavailable");
            }
            world.presence_changed(device.account);
        }
        Some(other) => world.report_origin(origin, Rule::Malformed, format!("<presence type=\"{other}\">")),
    }
}

fn subscribe(world: &mut World, origin: Origin, device: DeviceKey, node: &Node) {
    let (Some(to), Some(conn)) = (node.jid_of("to"), origin.conn) else { return };
    let Some(target) = world.find(&to) else { return };
    let token = node.kid("tctoken").and_then(Read::body).cloned();
    if !world.token_opens(target, device.account, token) {
        // Silently no updates: the token is what gives the right to them.
        return;
    }
    world.account_mut(target).subscribers.insert(conn);
    let presence = state_for(world, target, device.account, &to);
    world.deliver(device, Class::Presence, presence, Copy::Others);
}

/// What a viewer may see of an account, addressed as the viewer asked.
fn state_for(world: &World, target: AccountId, viewer: AccountId, named: &Jid) -> Node {
    let account = world.account(target);
    let node = el("presence").attr("from", named.user_jid());
    let may = |category| account.shows(category, viewer) && !account.blocked.contains(&viewer);
    let sees_last = may("last");
    let sees_online = match account.privacy.get("online").map(String::as_str) {
        Some("match_last_seen") => sees_last,
        _ => !account.blocked.contains(&viewer),
    };
    if account.presence.available && sees_online {
        return node.attr("type", "available");
    }
    let last = match (sees_last, account.presence.last_seen) {
        (false, _) => "deny".to_owned(),
        (true, Some(seen)) => seen.to_string(),
        (true, None) => "none".to_owned(),
    };
    node.attr("type", "unavailable").attr("last", last)
}

/// `<chatstate>`: to the devices that are there; kept shortly for the others.
pub(crate) fn chatstate(world: &mut World, origin: Origin, node: &Arc<Node>) {
    let (Some(device), Some(to)) = (origin.device, node.jid_of("to")) else {
        world.report_origin(origin, Rule::Malformed, "<chatstate> without to".to_owned());
        return;
    };
    let mut targets = Vec::new();
    let mut state = (**node).clone();
    state.remove_attr("to");
    if let Some(group) = world.find_group(&to) {
        let members: Vec<AccountId> = group.members.keys().copied().collect();
        let family = group.addressing;
        if !members.contains(&device.account) {
            return;
        }
        state.set_attr("from", to.user_jid());
        state.set_attr("participant", world.jid(device, family).user_jid());
        targets.extend(members.into_iter().filter(|member| *member != device.account));
    } else if let Some(target) = world.find(&to) {
        if world.account(target).blocked.contains(&device.account) {
            return;
        }
        state.set_attr("from", world.jid(device, to.family().unwrap_or(wa_binary::Family::Pn)).user_jid());
        targets.push(target);
    }
    let queues = world.config.chatstate_ttl_s > 0;
    for target in targets {
        for key in world.device_keys(target) {
            let connected = world.device(key).is_some_and(|device| device.connection.is_some());
            if connected || (queues && key.device != 0) {
                world.deliver(key, Class::ChatState, state.clone(), Copy::Others);
            }
        }
    }
}

impl World {
    /// Works out an account's presence from its devices, and tells subscribers when it changed.
    pub(crate) fn presence_changed(&mut self, account: AccountId) {
        let now_s = self.now_s();
        let owner = self.account_mut(account);
        let available = owner.devices.values().any(|device| device.available && device.connection.is_some());
        if available == owner.presence.available {
            return;
        }
        owner.presence.available = available;
        if !available {
            owner.presence.last_seen = Some(now_s);
        }
        let subscribers: Vec<ConnId> = owner.subscribers.iter().copied().collect();
        for conn in subscribers {
            let Some(viewer) = self.device_of(conn) else { continue };
            let named = self.visible_jid(account);
            let presence = state_for(self, account, viewer.account, &named);
            // While the device is told what it missed, only the latest state is kept for it.
            self.deliver(viewer, Class::Presence, presence, Copy::Others);
        }
    }
}
