//! Metadata: one, many, all mine, and what belongs to a community (chapter 09b §3, §7).

use wa_binary::Node;

use super::Group;
use crate::iq::{Answer, Request};
use crate::stanza::{Read, el};
use crate::world::World;

/// One group; nothing when the member hash given is the present one.
pub(super) fn one(world: &mut World, request: &Request<'_>, id: u64, child: &Node) -> Answer {
    let Some(group) = world.groups.get(&id) else { return Answer::error(404) };
    let own = request.from.account;
    if let Some(invite) = child.kid("add_request") {
        let code = invite.text_of("code").unwrap_or_default();
        let now_s = world.now_s();
        return match group.personal_invites.get(&own) {
            Some((known, expiration)) if *known == code && *expiration >= now_s => {
                Answer::one(world.group_sample(group))
            }
            Some(_) => Answer::error(410),
            None => Answer::error(404),
        };
    }
    if group.role(own).is_none() {
        return Answer::error(403);
    }
    if child.text_of("phash").is_some_and(|given| given == member_hash(world, group)) {
        return Answer::empty();
    }
    Answer::one(world.group_node(group))
}

fn member_hash(world: &World, group: &Group) -> String {
    crate::world::phash(group.members.keys().map(|member| world.account(*member).jid(group.addressing)))
}

pub(super) fn many(world: &mut World, request: &Request<'_>, child: &Node) -> Answer {
    let own = request.from.account;
    let groups = child.kids_of("group").filter_map(|group| group.jid_of("jid")).map(|jid| {
        match world.find_group(&jid) {
            Some(group) if group.role(own).is_some() => world.group_node(group),
            Some(_) => el("group").attr("id", jid.user().as_str()).attr("error", 403_u32),
            None => el("group").attr("id", jid.user().as_str()).attr("error", 404_u32),
        }
    });
    let groups: Vec<Node> = groups.collect();
    Answer::one(el("groups").children(groups))
}

pub(super) fn participating(world: &mut World, request: &Request<'_>, child: &Node) -> Answer {
    let own = request.from.account;
    let (with_members, with_description) =
        (child.kid("participants").is_some(), child.kid("description").is_some());
    let groups = world.groups.values().filter(|group| group.role(own).is_some()).map(|group| {
        let mut shown = group.clone();
        if !with_members {
            shown.members.clear();
        }
        if !with_description {
            shown.description = None;
        }
        world.group_node(&shown).attr("size", group.members.len())
    });
    let groups: Vec<Node> = groups.collect();
    Answer::one(el("groups").children(groups))
}

pub(super) fn sub_groups(world: &mut World, id: u64) -> Answer {
    let groups = world.groups.values().filter(|group| group.linked_parent == Some(id)).map(|group| {
        el("group")
            .attr("id", group.id)
            .attr("subject", group.subject.0.as_str())
            .attr("s_t", group.subject.1)
            .attr("creation", group.created)
            .attr("creator", world.account(group.creator).jid(group.addressing))
            .attr("size", group.members.len())
            .maybe_child(group.default_sub_group.then(|| el("default_sub_group")))
    });
    let groups: Vec<Node> = groups.collect();
    Answer::one(el("sub_groups").children(groups))
}

pub(super) fn linked_participants(world: &mut World, id: u64) -> Answer {
    let Some(community) = world.groups.get(&id) else { return Answer::error(404) };
    let mut members = community.members.clone();
    for group in world.groups.values().filter(|group| group.linked_parent == Some(id)) {
        for (account, role) in &group.members {
            members.entry(*account).or_insert(*role);
        }
    }
    let shown = members.keys().map(|account| world.participant(community.addressing, *account, None));
    Answer::one(el("linked_groups_participants").children(shown))
}

pub(super) fn linked(world: &mut World, _: &Request<'_>, child: &Node) -> Answer {
    match child.jid_of("jid").and_then(|jid| world.find_group(&jid).cloned()) {
        Some(group) => Answer::one(el("linked_group").child(world.group_sample(&group))),
        None => Answer::error(404),
    }
}

pub(super) fn pictures(world: &mut World, child: &Node) -> Answer {
    let mut pictures = Vec::new();
    for picture in child.kids_of("picture") {
        let Some(jid) = picture.jid_of("jid").or_else(|| picture.jid_of("parent_group_jid")) else {
            continue;
        };
        let node = el("picture").attr("jid", &jid);
        let found = world.find_group(&jid).and_then(|group| group.picture.clone());
        pictures.push(match found {
            Some((id, bytes)) => {
                let hash = wa_crypto::digest::sha256(&[&bytes]);
                node.attr("id", id).attr("direct_path", world.keep_file("pps", bytes.into(), &hash))
            }
            None => node,
        });
    }
    Answer::one(el("pictures").children(pictures))
}
