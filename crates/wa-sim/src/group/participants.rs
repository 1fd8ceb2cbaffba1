//! Members: add, remove, rank, leave (chapters 09b §4, 10 §7).

use wa_binary::{Family, Jid, Node, Server};

use super::create::refusal;
use super::{Role, named};
use crate::iq::{Answer, Request};
use crate::stanza::{Read, el};
use crate::world::{AccountId, World};

/// An invite given to a person who could not be added is good for this long.
const PERSONAL_INVITE_S: u64 = 3 * 86_400;

pub(super) fn add(world: &mut World, request: &Request<'_>, id: u64, child: &Node) -> Answer {
    let own = request.from.account;
    let Some(group) = world.groups.get(&id) else { return Answer::error(404) };
    let admin = group.role(own).is_some_and(Role::is_admin);
    if !admin && group.setting("member_add_mode") == Some("admin_add") {
        return Answer::error(403);
    }
    let (family, limit) = (group.addressing, world.config.group_limit);
    let mut answers = Vec::new();
    let mut added = Vec::new();
    let mut requested = Vec::new();
    for (jid, account) in named(world, child) {
        let Some(account) = account else {
            answers.push(el("participant").attr("jid", jid).attr("error", 404_u32));
            continue;
        };
        let group = &world.groups[&id];
        let node = world.participant(family, account, None);
        if group.members.contains_key(&account) {
            answers.push(node.attr("error", 409_u32));
        } else if group.members.len() + added.len() >= limit {
            answers.push(node.attr("error", 419_u32));
        } else if let Some(code) = refusal(world, own, account) {
            let node = node.attr("error", code);
            answers.push(if code == 403 { node.child(world.personal_invite(id, account)) } else { node });
        } else if !admin && group.approval {
            let request =
                super::JoinRequest { t: world.now_s(), method: super::JoinMethod::NonAdminAdd, by: own };
            if let Some(group) = world.group_mut(id) {
                group.requests.insert(account, request);
            }
            let owner = world.account(account);
            requested.push(
                el("requested_user")
                    .attr("jid", owner.jid(family))
                    .maybe_attr("phone_number", owner.alternate(family).filter(|_| family == Family::Lid)),
            );
            answers.push(node.attr("error", 202_u32));
        } else {
            answers.push(node.attr("type", "200"));
            added.push(account);
        }
    }
    let from = request.from;
    Answer::one(el("add").children(answers)).after(move |world| {
        for account in added {
            world.admit_by(id, account, from);
        }
        if !requested.is_empty() {
            let method = super::JoinMethod::NonAdminAdd.name();
            let change = el("created_membership_requests").attr("request_method", method);
            world.tell_admins(id, from, &change.children(requested));
        }
    })
}

pub(super) fn remove(world: &mut World, request: &Request<'_>, id: u64, child: &Node) -> Answer {
    let own = request.from.account;
    let Some(group) = world.groups.get(&id) else { return Answer::error(404) };
    if !group.role(own).is_some_and(Role::is_admin) {
        return Answer::error(403);
    }
    let family = group.addressing;
    let linked = child.attr_is("linked_groups", "true");
    let mut answers = Vec::new();
    let mut removed = Vec::new();
    for (jid, account) in named(world, child) {
        let role = account.and_then(|account| world.groups[&id].role(account));
        match (account, role) {
            (Some(account), Some(Role::SuperAdmin)) => {
                answers.push(world.participant(family, account, None).attr("error", 405_u32));
            }
            (Some(account), Some(_)) => {
                answers.push(world.participant(family, account, None).attr("type", "200"));
                removed.push(account);
            }
            _ => answers.push(el("participant").attr("jid", jid).attr("error", 404_u32)),
        }
    }
    let from = request.from;
    Answer::one(el("remove").children(answers)).after(move |world| {
        let mut groups = vec![id];
        if linked {
            groups.extend(
                world.groups.values().filter(|group| group.linked_parent == Some(id)).map(|group| group.id),
            );
        }
        for group in groups {
            world.take_out(group, &removed, from, None);
        }
    })
}

pub(super) fn rank(world: &mut World, request: &Request<'_>, id: u64, child: &Node) -> Answer {
    let Some(group) = world.groups.get(&id) else { return Answer::error(404) };
    if !group.role(request.from.account).is_some_and(Role::is_admin) {
        return Answer::error(403);
    }
    let (family, up) = (group.addressing, child.is("promote"));
    let mut answers = Vec::new();
    let mut changed = Vec::new();
    for (jid, account) in named(world, child) {
        let role = account.and_then(|account| world.groups[&id].role(account));
        match (account, role) {
            (Some(account), Some(Role::SuperAdmin)) if !up => {
                answers.push(world.participant(family, account, None).attr("error", 405_u32));
            }
            (Some(account), Some(role)) => {
                answers.push(world.participant(family, account, None).attr("type", "200"));
                let now = match (up, role) {
                    (true, Role::Member) => Role::Admin,
                    (false, Role::Admin) => Role::Member,
                    (_, role) => role,
                };
                if now != role {
                    changed.push((account, now));
                }
            }
            _ => answers.push(el("participant").attr("jid", jid).attr("error", 404_u32)),
        }
    }
    let (from, tag) = (request.from, if up { "promote" } else { "demote" });
    Answer::one(el(tag).children(answers)).after(move |world| {
        let now_s = world.now_s();
        let mut shown = Vec::new();
        for (account, role) in changed {
            shown.push(world.participant(family, account, Some(role)));
            if let Some(group) = world.group_mut(id) {
                group.members.insert(account, role);
                group.changed(now_s);
            }
        }
        if !shown.is_empty() {
            world.group_changed(id, from, &[], &el(tag).children(shown));
        }
    })
}

/// Leaves groups, or a community with everything that is linked to it.
pub(super) fn leave(world: &mut World, request: &Request<'_>, child: &Node) -> Answer {
    let own = request.from.account;
    let mut answers = Vec::new();
    let mut left = Vec::new();
    for entry in child.kids() {
        let Some(jid) = entry.jid_of("id").or_else(|| entry.jid_of("jid")).or_else(|| bare(entry)) else {
            return Answer::error(400);
        };
        let answer = el(entry.tag()).attr("id", &jid);
        let member = world.find_group(&jid).filter(|group| group.role(own).is_some()).map(|group| group.id);
        match member {
            Some(id) => {
                left.push(id);
                if entry.is("community") || entry.is("linked_groups") {
                    left.extend(
                        world
                            .groups
                            .values()
                            .filter(|group| group.linked_parent == Some(id) && group.role(own).is_some())
                            .map(|group| group.id),
                    );
                }
                answers.push(answer);
            }
            None => answers.push(answer.attr("error", 404_u32)),
        }
    }
    if answers.is_empty() {
        return Answer::error(400);
    }
    let from = request.from;
    Answer::one(el("leave").children(answers)).after(move |world| {
        for group in left {
            world.take_out(group, &[own], from, None);
        }
    })
}

fn bare(entry: &Node) -> Option<Jid> {
    entry.number_of("id").map(|id| Jid::numbered(id, Server::Group))
}

impl World {
    fn admit_by(&mut self, id: u64, account: AccountId, from: crate::world::DeviceKey) {
        let now_s = self.now_s();
        let Some(group) = self.groups.get_mut(&id) else { return };
        let before = group.version;
        group.members.insert(account, Role::Member);
        group.requests.remove(&account);
        group.removed.remove(&account);
        group.changed(now_s);
        let (after, family) = (group.version, group.addressing);
        let others: Vec<AccountId> =
            group.members.keys().copied().filter(|member| *member != account).collect();
        let add = el("add")
            .attr("prev_v_id", before)
            .attr("v_id", after)
            .child(self.participant(family, account, None));
        for other in others {
            self.tell(id, other, from, &add);
        }
        self.welcome_member(id, account, from, None);
    }

    /// Takes members out and tells everyone, them included.
    pub(super) fn take_out(
        &mut self,
        id: u64,
        accounts: &[AccountId],
        from: crate::world::DeviceKey,
        reason: Option<&'static str>,
    ) {
        let now_s = self.now_s();
        let Some(group) = self.groups.get_mut(&id) else { return };
        let before = group.version;
        let gone: Vec<AccountId> =
            accounts.iter().copied().filter(|account| group.members.remove(account).is_some()).collect();
        if gone.is_empty() {
            return;
        }
        if gone != [from.account] {
            group.removed.extend(gone.iter().copied());
        }
        group.changed(now_s);
        // A group is never without somebody who may change it.
        if !group.members.values().any(|role| role.is_admin())
            && let Some(role) = group.members.values_mut().next()
        {
            *role = Role::Admin;
        }
        let (after, family) = (group.version, group.addressing);
        let shown: Vec<Node> = gone.iter().map(|account| self.participant(family, *account, None)).collect();
        let remove = el("remove")
            .maybe_attr("reason", reason)
            .attr("prev_v_id", before)
            .attr("v_id", after)
            .children(shown);
        self.group_changed(id, from, &gone, &remove);
    }

    /// Takes an account out that no longer exists.
    pub(crate) fn take_out_of_group(&mut self, id: u64, account: AccountId) {
        let nobody = crate::world::DeviceKey { account, device: u16::MAX };
        self.take_out(id, &[account], nobody, None);
    }

    fn personal_invite(&mut self, id: u64, account: AccountId) -> Node {
        let code = self.fresh_id();
        let expiration = self.now_s() + PERSONAL_INVITE_S;
        if let Some(group) = self.group_mut(id) {
            group.personal_invites.insert(account, (code.clone(), expiration));
        }
        el("add_request").attr("code", code).attr("expiration", expiration)
    }
}
