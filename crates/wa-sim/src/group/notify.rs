//! `w:gp2`: one notification for each change, to all devices of all members (chapter 09b §8).

use wa_binary::{Family, Node};

use super::Group;
use crate::message_mode as mode;
use crate::offline::Class;
use crate::stanza::{el, notification};
use crate::world::{AccountId, Copy, DeviceKey, World};

impl World {
    /// Tells the members of a change, and `also`, who may be none of them. The acting device hears nothing: it has its
    /// answer.
    pub(super) fn group_changed(&mut self, id: u64, actor: DeviceKey, also: &[AccountId], child: &Node) {
        let Some(group) = self.groups.get(&id) else { return };
        let mut told: Vec<AccountId> = group.members.keys().copied().collect();
        told.extend(also.iter().filter(|account| !group.members.contains_key(account)));
        for account in told {
            self.tell(id, account, actor, child);
        }
    }

    /// Tells one account.
    pub(super) fn tell(&mut self, id: u64, account: AccountId, actor: DeviceKey, child: &Node) {
        let Some(group) = self.groups.get(&id) else { return };
        let (jid, family) = (group.jid(), group.addressing);
        for device in self.device_keys(account).into_iter().filter(|device| *device != actor) {
            let note = self.fresh_id();
            let author = self.account(actor.account);
            let node = notification("w:gp2", &jid, &note, self.now_s())
                .attr("participant", author.jid(family))
                .maybe_attr("participant_pn", author.alternate(family).filter(|_| family == Family::Lid))
                .attr("notify", author.name.as_str())
                .attr("addressing_mode", mode(family))
                .child(child.clone());
            self.deliver(device, Class::Notification, node, Copy::Others);
        }
    }

    /// Tells an account that it is a member now: the whole group.
    pub(super) fn welcome_member(
        &mut self,
        id: u64,
        account: AccountId,
        actor: DeviceKey,
        key: Option<&str>,
    ) {
        let Some(group) = self.groups.get(&id) else { return };
        let node = self.group_node(group);
        let create = el("create")
            .attr("type", "new")
            .maybe_attr("key", key.map(str::to_owned))
            .attr("reason", "invite")
            .child(node);
        self.tell(id, account, actor, &create);
    }

    /// Makes an account a member: it gets the group, the others an `<add>`. `false` when it is one already.
    pub(crate) fn admit(
        &mut self,
        id: u64,
        account: AccountId,
        actor: AccountId,
        reason: Option<&'static str>,
    ) -> bool {
        let now_s = self.now_s();
        let Some(group) = self.groups.get_mut(&id) else { return false };
        if group.members.contains_key(&account) {
            return false;
        }
        let before = group.version;
        group.members.insert(account, super::Role::Member);
        group.requests.remove(&account);
        group.removed.remove(&account);
        group.changed(now_s);
        let (after, family) = (group.version, group.addressing);
        let others: Vec<AccountId> =
            group.members.keys().copied().filter(|member| *member != account).collect();
        // Nobody's device acts: whoever joins or is added hears of it on all devices.
        let author = DeviceKey { account: actor, device: u16::MAX };
        let add = el("add")
            .maybe_attr("reason", reason)
            .attr("prev_v_id", before)
            .attr("v_id", after)
            .child(self.participant(family, account, None));
        for other in others {
            self.tell(id, other, author, &add);
        }
        self.welcome_member(id, account, author, None);
        true
    }

    /// The group with its members in a test or seed file.
    pub(crate) fn put_group(&mut self, group: Group) -> u64 {
        let id = group.id;
        self.groups.insert(id, group);
        id
    }
}
