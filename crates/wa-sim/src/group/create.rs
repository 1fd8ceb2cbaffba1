//! Groups come into being, and communities with their links (chapters 09b §2, §7, 10 §7).

use wa_binary::{Jid, Node, Server};

use super::{Description, Parent, Role, named};
use crate::iq::{Answer, Request};
use crate::stanza::{Read, el};
use crate::world::{AccountId, DeviceKey, World};

pub(super) fn create(world: &mut World, request: &Request<'_>, child: &Node) -> Answer {
    let own = request.from.account;
    let subject = child.text_of("subject").unwrap_or_default();
    if subject.is_empty() || subject.chars().count() > 100 {
        return Answer::error(406);
    }
    let (found, limit) = (named(world, child), world.config.group_limit);
    if found.len() + 1 > limit {
        return Answer::error(419);
    }
    tracing::info!("{} makes the group {subject:?}", world.who(request.from));
    let mut group = world.new_group(own, &subject);
    let id = group.id;
    for name in ["member_link_mode", "member_add_mode"] {
        if let Some(text) = child.kid(name).and_then(Read::words) {
            group.settings.insert(name.to_owned(), Some(text.to_owned()));
        }
    }
    group.locked = child.kid("locked").is_some();
    group.announcement = child.kid("announcement").is_some();
    let timer = child.kid("ephemeral").and_then(|ephemeral| ephemeral.number_of("expiration"));
    group.ephemeral = timer.and_then(|timer| u32::try_from(timer).ok()).unwrap_or(0);
    group.approval = child.kid("membership_approval_mode").is_some_and(is_on);
    if let Some(description) = child.kid("description") {
        group.description = Some(Description {
            id: description.text_of("id").unwrap_or_else(|| world.fresh_id()),
            text: description.kid("body").and_then(Read::words).unwrap_or_default().to_owned(),
            by: own,
            t: world.now_s(),
        });
    }
    if let Some(parent) = child.kid("parent") {
        group.parent = Some(Parent { approval: parent.text_of("default_membership_approval_mode") });
        if child.kid("allow_non_admin_sub_group_creation").is_some() {
            group.settings.insert("allow_non_admin_sub_group_creation".to_owned(), None);
        }
    }
    if let Some(parent) = child.kid("linked_parent").and_then(|parent| parent.jid_of("jid")) {
        let Some(community) = world.find_group(&parent) else { return Answer::error(404) };
        let open = community.settings.contains_key("allow_non_admin_sub_group_creation");
        if !community.role(own).is_some_and(|role| role.is_admin() || open) {
            return Answer::error(403);
        }
        group.linked_parent = parent.user_number();
    }
    let family = group.addressing;
    let mut failed = Vec::new();
    for (jid, account) in found {
        match account {
            Some(account) if account == own => {}
            Some(account) => match refusal(world, own, account) {
                None => {
                    group.members.insert(account, Role::Member);
                }
                Some(code) => failed.push(world.participant(family, account, None).attr("error", code)),
            },
            None => failed.push(el("participant").attr("jid", jid).attr("error", 404_u32)),
        }
    }
    let is_community = group.parent.is_some();
    let general = child.kid("create_general_chat").is_some();
    world.put_group(group);
    let mut node = world.groups.get(&id).map(|group| world.group_node(group)).unwrap_or_else(|| el("group"));
    node = node.children(failed);
    let (from, key) = (request.from, child.text_of("key"));
    Answer::one(node).after(move |world| {
        let members: Vec<AccountId> =
            world.groups.get(&id).map(|group| group.members.keys().copied().collect()).unwrap_or_default();
        for member in members {
            world.welcome_member(id, member, from, key.as_deref());
        }
        if is_community {
            world.announcement_group(id, from, &subject);
            if general {
                world.sub_group(id, from, "General", false);
            }
        }
    })
}

/// Whether `<membership_approval_mode>` says on.
pub(super) fn is_on(mode: &Node) -> bool {
    mode.kid("group_join").is_some_and(|join| join.attr_is("state", "on"))
}

/// Why an account cannot be added by another, if so.
pub(super) fn refusal(world: &World, actor: AccountId, account: AccountId) -> Option<u32> {
    let target = world.account(account);
    if target.blocked.contains(&actor) {
        return Some(401);
    }
    (!target.shows("groupadd", actor)).then_some(403)
}

impl World {
    fn announcement_group(&mut self, community: u64, from: DeviceKey, subject: &str) {
        self.sub_group(community, from, subject, true);
    }

    fn sub_group(&mut self, community: u64, from: DeviceKey, subject: &str, default: bool) {
        let Some(members) = self.groups.get(&community).map(|group| group.members.clone()) else { return };
        let mut group = self.new_group(from.account, subject);
        group.members = members;
        group.linked_parent = Some(community);
        group.default_sub_group = default;
        group.announcement = default;
        if !default {
            group.settings.insert("general_chat".to_owned(), None);
        }
        let members: Vec<AccountId> = group.members.keys().copied().collect();
        let id = self.put_group(group);
        for member in members {
            // The maker learns of these groups by notification only, so no device is left out.
            self.welcome_member(id, member, DeviceKey { account: from.account, device: u16::MAX }, None);
        }
    }
}

fn may_change(world: &World, request: &Request<'_>, id: u64) -> bool {
    world.groups.get(&id).and_then(|group| group.role(request.from.account)).is_some_and(Role::is_admin)
}

/// Links groups to a community.
pub(super) fn link(world: &mut World, request: &Request<'_>, id: u64, child: &Node) -> Answer {
    if !may_change(world, request, id) {
        return Answer::error(403);
    }
    let mut links = Vec::new();
    let mut changed = Vec::new();
    for link in child.kids_of("link") {
        let mut groups = Vec::new();
        for group in link.kids_of("group") {
            let jid = group.jid_of("jid");
            let target = jid.as_ref().and_then(|jid| world.find_group(jid)).map(|group| group.id);
            let answer = el("group").maybe_attr("jid", jid);
            let admin = target.is_some_and(|target| may_change(world, request, target));
            match target.and_then(|target| world.group_mut(target)) {
                Some(target) if admin && target.linked_parent.is_none() && target.parent.is_none() => {
                    target.linked_parent = Some(id);
                    changed.push(target.id);
                    groups.push(answer);
                }
                Some(_) => groups.push(answer.attr("error", if admin { 409_u32 } else { 403 })),
                None => groups.push(answer.attr("error", 404_u32)),
            }
        }
        links.push(el("link").attr("link_type", "sub_group").children(groups));
    }
    let from = request.from;
    Answer::one(el("links").children(links)).after(move |world| {
        for group in changed {
            let linked = reference(world, group);
            world.group_changed(id, from, &[], &el("link").attr("link_type", "sub_group").child(linked));
            let parent = reference(world, id);
            world.group_changed(
                group,
                from,
                &[],
                &el("link").attr("link_type", "parent_group").child(parent),
            );
        }
    })
}

fn reference(world: &World, id: u64) -> Node {
    let jid = Jid::numbered(id, Server::Group);
    let node = el("group").attr("jid", jid);
    match world.groups.get(&id) {
        Some(group) => node.attr("subject", group.subject.0.as_str()).attr("s_t", group.subject.1),
        None => node,
    }
}

/// Takes groups out of a community.
pub(super) fn unlink(world: &mut World, request: &Request<'_>, id: u64, child: &Node) -> Answer {
    if !may_change(world, request, id) {
        return Answer::error(403);
    }
    let mut groups = Vec::new();
    let mut changed = Vec::new();
    for group in child.kids_of("group") {
        let jid = group.jid_of("jid");
        let answer = el("group").maybe_attr("jid", jid.clone());
        let target = jid.and_then(|jid| world.group_mut(jid.user_number()?));
        match target {
            Some(target) if target.linked_parent == Some(id) && !target.default_sub_group => {
                target.linked_parent = None;
                changed.push(target.id);
                groups.push(answer);
            }
            _ => groups.push(answer.attr("error", 404_u32)),
        }
    }
    let from = request.from;
    Answer::one(el("unlink").attr("unlink_type", "sub_group").children(groups)).after(move |world| {
        for group in changed {
            announce_unlink(world, id, group, from, "unlink_group");
        }
    })
}

fn announce_unlink(world: &mut World, community: u64, group: u64, from: DeviceKey, reason: &str) {
    let unlink = |kind: &str, other: Node| {
        el("unlink").attr("unlink_type", kind).attr("unlink_reason", reason).child(other)
    };
    let (child, parent) = (reference(world, group), reference(world, community));
    world.group_changed(community, from, &[], &unlink("sub_group", child));
    world.group_changed(group, from, &[], &unlink("parent_group", parent));
}

/// Ends a community: its groups live on by themselves, its announcement group does not.
pub(super) fn deactivate(world: &mut World, request: &Request<'_>, id: u64) -> Answer {
    let superadmin = world.groups.get(&id).and_then(|group| group.role(request.from.account));
    if superadmin != Some(Role::SuperAdmin)
        || world.groups.get(&id).is_none_or(|group| group.parent.is_none())
    {
        return Answer::error(403);
    }
    let from = request.from;
    Answer::empty().after(move |world| {
        let linked: Vec<(u64, bool)> = world
            .groups
            .values()
            .filter(|group| group.linked_parent == Some(id))
            .map(|group| (group.id, group.default_sub_group))
            .collect();
        for (group, default) in linked {
            announce_unlink(world, id, group, from, "delete_parent");
            if default {
                world.group_changed(group, from, &[], &el("delete"));
                world.groups.remove(&group);
            } else if let Some(group) = world.group_mut(group) {
                group.linked_parent = None;
            }
        }
        world.group_changed(id, from, &[], &el("delete"));
        world.groups.remove(&id);
    })
}
