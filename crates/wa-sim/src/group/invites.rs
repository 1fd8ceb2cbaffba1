//! Ways into a group: links, personal invites, requests (chapter 09b §5).

use wa_binary::{Family, Node};

use super::{JoinMethod, JoinRequest, Role, named};
use crate::iq::{Answer, Request};
use crate::stanza::{Read, el};
use crate::world::World;

/// The invite code of a group.
pub(super) fn code(world: &mut World, request: &Request<'_>, id: u64) -> Answer {
    let Some(group) = world.groups.get(&id) else { return Answer::error(404) };
    let admin = group.role(request.from.account).is_some_and(Role::is_admin);
    if !admin && group.setting("member_link_mode") != Some("all_member_link") {
        return Answer::error(401);
    }
    Answer::one(el("invite").attr("code", group.invite.as_str()))
}

/// A new invite code.
pub(super) fn revoke(world: &mut World, request: &Request<'_>, id: u64) -> Answer {
    let admin =
        world.groups.get(&id).and_then(|group| group.role(request.from.account)).is_some_and(Role::is_admin);
    if !admin {
        return Answer::error(401);
    }
    let code = world.invite_code();
    if let Some(group) = world.group_mut(id) {
        group.invite.clone_from(&code);
    }
    let from = request.from;
    Answer::one(el("invite").attr("code", code.as_str()))
        .after(move |world| world.group_changed(id, from, &[], &el("invite").attr("code", code.as_str())))
}

fn by_code(world: &World, code: &str) -> Option<u64> {
    world.groups.values().find(|group| group.invite == code).map(|group| group.id)
}

pub(super) fn info_by_link(world: &mut World, _: &Request<'_>, child: &Node) -> Answer {
    match child.text_of("code").and_then(|code| by_code(world, &code)) {
        Some(id) => Answer::one(world.group_sample(&world.groups[&id])),
        None => Answer::error(406),
    }
}

pub(super) fn join_by_link(world: &mut World, request: &Request<'_>, child: &Node) -> Answer {
    match child.text_of("code").and_then(|code| by_code(world, &code)) {
        Some(id) => join(world, request, id, JoinMethod::InviteLink),
        None => Answer::error(406),
    }
}

/// Joins, or asks to.
fn join(world: &mut World, request: &Request<'_>, id: u64, method: JoinMethod) -> Answer {
    let own = request.from.account;
    let (limit, now_s) = (world.config.group_limit, world.now_s());
    let Some(group) = world.group_mut(id) else { return Answer::error(404) };
    let jid = group.jid();
    if group.members.contains_key(&own) {
        return Answer::error(304);
    }
    if group.removed.contains(&own) {
        return Answer::error(405);
    }
    if group.members.len() >= limit {
        return Answer::error(419);
    }
    if group.approval {
        if group.requests.contains_key(&own) {
            return Answer::error(409);
        }
        group.requests.insert(own, JoinRequest { t: now_s, method, by: own });
        let from = request.from;
        return Answer::one(el("membership_approval_request").attr("jid", jid)).after(move |world| {
            let change = el("membership_approval_request").attr("request_method", method.name());
            world.tell_admins(id, from, &change);
        });
    }
    let tag = if group.parent.is_some() { "community" } else { "group" };
    Answer::one(el(tag).attr("jid", jid)).after(move |world| {
        world.admit(id, own, own, Some("invite"));
    })
}

/// Joins with a personal invite.
pub(super) fn accept(world: &mut World, request: &Request<'_>, id: u64, child: &Node) -> Answer {
    let (own, now_s) = (request.from.account, world.now_s());
    let code = child.text_of("code").unwrap_or_default();
    let Some(group) = world.group_mut(id) else { return Answer::error(404) };
    match group.personal_invites.get(&own) {
        Some((known, expiration)) if *known == code => {
            if *expiration < now_s {
                return Answer::error(410);
            }
            group.personal_invites.remove(&own);
        }
        _ => return Answer::error(404),
    }
    let jid = group.jid();
    Answer::one(el("group").attr("jid", jid)).after(move |world| {
        world.admit(id, own, own, Some("invite"));
    })
}

pub(super) fn revoke_personal(world: &mut World, request: &Request<'_>, id: u64, child: &Node) -> Answer {
    let admin =
        world.groups.get(&id).and_then(|group| group.role(request.from.account)).is_some_and(Role::is_admin);
    if !admin {
        return Answer::error(403);
    }
    let mut answers = Vec::new();
    for (jid, account) in named(world, child) {
        let removed = account.and_then(|account| world.group_mut(id)?.personal_invites.remove(&account));
        let node = el("participant").attr("jid", jid);
        answers.push(if removed.is_some() { node } else { node.attr("error", 404_u32) });
    }
    Answer::one(el("revoke").children(answers))
}

pub(super) fn requests(world: &mut World, request: &Request<'_>, id: u64) -> Answer {
    let Some(group) = world.groups.get(&id) else { return Answer::error(404) };
    if !group.role(request.from.account).is_some_and(Role::is_admin) {
        return Answer::error(403);
    }
    let family = group.addressing;
    let list = group.requests.iter().map(|(account, asked)| {
        let requestor = world.account(asked.by);
        el("membership_approval_request")
            .attr("jid", world.account(*account).jid(family))
            .attr("request_time", asked.t)
            .attr("request_method", asked.method.name())
            .attr("requestor", requestor.jid(family))
            .maybe_attr("requestor_pn", (family == Family::Lid).then(|| requestor.jid(Family::Pn)))
    });
    Answer::one(el("membership_approval_requests").children(list))
}

pub(super) fn act(world: &mut World, request: &Request<'_>, id: u64, child: &Node) -> Answer {
    let admin =
        world.groups.get(&id).and_then(|group| group.role(request.from.account)).is_some_and(Role::is_admin);
    if !admin {
        return Answer::error(403);
    }
    let mut answers = Vec::new();
    let mut approved = Vec::new();
    let mut rejected = Vec::new();
    for verdict in child.kids() {
        let mut shown = Vec::new();
        for (jid, account) in named(world, verdict) {
            let asked = account.and_then(|account| world.group_mut(id)?.requests.remove(&account));
            let node = el("participant").attr("jid", jid);
            match (account, asked) {
                (Some(account), Some(_)) => {
                    if verdict.is("approve") {
                        approved.push(account);
                    } else {
                        rejected.push(account);
                    }
                    shown.push(node);
                }
                _ => shown.push(node.attr("error", 404_u32)),
            }
        }
        answers.push(el(verdict.tag()).children(shown));
    }
    let from = request.from;
    Answer::one(el("membership_requests_action").children(answers)).after(move |world| {
        for account in approved {
            world.admit(id, account, from.account, Some("invite"));
        }
        if !rejected.is_empty() {
            let family = world.groups.get(&id).map_or(Family::Lid, |group| group.addressing);
            let shown: Vec<Node> =
                rejected.iter().map(|account| world.participant(family, *account, None)).collect();
            let change = el("revoked_membership_requests").children(shown);
            world.group_changed(id, from, &rejected, &change);
        }
    })
}

pub(super) fn cancel(world: &mut World, request: &Request<'_>, id: u64, child: &Node) -> Answer {
    let own = request.from.account;
    let asked = world.group_mut(id).and_then(|group| group.requests.remove(&own));
    let shown: Vec<Node> = named(world, child)
        .into_iter()
        .map(|(jid, _)| {
            let node = el("participant").attr("jid", jid);
            if asked.is_some() { node } else { node.attr("error", 404_u32) }
        })
        .collect();
    let from = request.from;
    Answer::one(el("cancel_membership_requests").children(shown)).after(move |world| {
        if asked.is_some() {
            let family = world.groups.get(&id).map_or(Family::Lid, |group| group.addressing);
            let withdrawn = world.participant(family, own, None);
            world.tell_admins(id, from, &el("revoked_membership_requests").child(withdrawn));
        }
    })
}

/// Joins a group of a community that one is a member of.
pub(super) fn join_linked(world: &mut World, request: &Request<'_>, id: u64, child: &Node) -> Answer {
    let own = request.from.account;
    if world.groups.get(&id).is_none_or(|community| community.role(own).is_none()) {
        return Answer::error(403);
    }
    let target = child
        .jid_of("jid")
        .and_then(|jid| world.find_group(&jid))
        .map(|group| (group.id, group.linked_parent));
    match target {
        Some((target, Some(parent))) if parent == id => join(world, request, target, JoinMethod::LinkedGroup),
        _ => Answer::error(404),
    }
}

impl World {
    pub(super) fn tell_admins(&mut self, id: u64, from: crate::world::DeviceKey, change: &Node) {
        let Some(group) = self.groups.get(&id) else { return };
        let admins: Vec<_> =
            group.members.iter().filter(|(_, role)| role.is_admin()).map(|(account, _)| *account).collect();
        for admin in admins {
            self.tell(id, admin, from, change);
        }
    }
}
