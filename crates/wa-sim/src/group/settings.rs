//! Settings of a group, each an empty result and a notification (chapter 09b §6).

use wa_binary::{Jid, Node};

use super::{Description, Group, Role, create};
use crate::iq::{Answer, Request, unknown};
use crate::stanza::{Read, el, notification};
use crate::world::World;

/// Switches that are there or not: name of the child, and the one that takes it away.
const SWITCHES: [(&str, &str); 5] = [
    ("allow_admin_reports", "not_allow_admin_reports"),
    ("allow_non_admin_sub_group_creation", "not_allow_non_admin_sub_group_creation"),
    ("group_history", "no_group_history"),
    ("no_frequently_forwarded", "frequently_forwarded_ok"),
    ("auto_add_disabled", "auto_add_enabled"),
];

/// Texts with the values that they take.
const TEXTS: [(&str, [&str; 2]); 3] = [
    ("member_add_mode", ["admin_add", "all_member_add"]),
    ("member_link_mode", ["admin_link", "all_member_link"]),
    ("member_share_group_history_mode", ["admin_share", "all_member_share"]),
];

pub(super) fn set(world: &mut World, request: &Request<'_>, id: u64, child: &Node) -> Answer {
    let Some(role) = world.groups.get(&id).and_then(|group| group.role(request.from.account)) else {
        return Answer::error(403);
    };
    let info = matches!(child.tag(), "subject" | "description" | "ephemeral" | "not_ephemeral");
    let locked = world.groups.get(&id).is_some_and(|group| group.locked);
    if !role.is_admin() && (!info || locked) {
        return if known(child) { Answer::error(403) } else { unknown(world, request) };
    }
    match change(world, request, id, child) {
        Some(Ok(shown)) => {
            let from = request.from;
            Answer::empty().after(move |world| world.group_changed(id, from, &[], &shown))
        }
        Some(Err(code)) => Answer::error(code),
        None => unknown(world, request),
    }
}

fn known(child: &Node) -> bool {
    let tag = child.tag();
    matches!(tag, "locked" | "unlocked" | "announcement" | "not_announcement" | "membership_approval_mode")
        || SWITCHES.iter().any(|(on, off)| tag == *on || tag == *off)
        || TEXTS.iter().any(|(name, _)| tag == *name)
}

/// Changes the group and gives the child of the notification; `None` for a setting that is not known.
fn change(world: &mut World, request: &Request<'_>, id: u64, child: &Node) -> Option<Result<Node, u32>> {
    let (own, now_s) = (request.from.account, world.now_s());
    let family = world.groups.get(&id)?.addressing;
    let (author, author_pn) = (world.account(own).jid(family), world.account(own).jid(wa_binary::Family::Pn));
    let group = world.groups.get_mut(&id)?;
    let shown = match child.tag() {
        "subject" => {
            let subject = child.words().unwrap_or_default().to_owned();
            if subject.is_empty() || subject.chars().count() > 100 {
                return Some(Err(406));
            }
            group.subject = (subject.clone(), now_s, own);
            el("subject")
                .attr("subject", subject)
                .attr("s_t", now_s)
                .attr("s_o", author)
                .attr("s_o_pn", author_pn)
        }
        "description" => return Some(describe(group, child, own, now_s)),
        "locked" => {
            group.locked = true;
            el("locked")
        }
        "unlocked" => {
            group.locked = false;
            el("unlocked")
        }
        "announcement" => {
            group.announcement = true;
            el("announcement").attr("v_id", group.version)
        }
        "not_announcement" => {
            group.announcement = false;
            el("not_announcement").attr("v_id", group.version)
        }
        "ephemeral" => {
            let timer = child.number_of("expiration").and_then(|timer| u32::try_from(timer).ok());
            let Some(timer) = timer else { return Some(Err(400)) };
            group.ephemeral = timer;
            if timer == 0 { el("not_ephemeral") } else { el("ephemeral").attr("expiration", timer) }
        }
        "not_ephemeral" => {
            group.ephemeral = 0;
            el("not_ephemeral")
        }
        "membership_approval_mode" => {
            group.approval = create::is_on(child);
            let state = if group.approval { "on" } else { "off" };
            el("membership_approval_mode").child(el("group_join").attr("state", state))
        }
        tag => {
            if let Some((on, off)) = SWITCHES.iter().find(|(on, off)| tag == *on || tag == *off) {
                if tag == *on {
                    group.settings.insert((*on).to_owned(), None);
                } else {
                    group.settings.remove(*on);
                }
                el(if tag == *on { on } else { off })
            } else {
                let (name, values) = TEXTS.iter().find(|(name, _)| tag == *name)?;
                let text = child.words().unwrap_or_default();
                if !values.contains(&text) {
                    return Some(Err(400));
                }
                group.settings.insert((*name).to_owned(), Some(text.to_owned()));
                el(name).text(text)
            }
        }
    };
    Some(Ok(shown))
}

fn describe(group: &mut Group, child: &Node, own: crate::world::AccountId, now_s: u64) -> Result<Node, u32> {
    let present = group.description.as_ref().map(|description| description.id.clone());
    if child.text_of("prev") != present {
        return Err(409);
    }
    if child.attr_is("delete", "true") {
        group.description = None;
        return Ok(el("description").maybe_attr("id", child.text_of("id")).child(el("delete")));
    }
    let Some(id) = child.text_of("id") else { return Err(400) };
    let text = child.kid("body").and_then(Read::words).unwrap_or_default().to_owned();
    if text.chars().count() > 2048 {
        return Err(406);
    }
    group.description = Some(Description { id: id.clone(), text: text.clone(), by: own, t: now_s });
    Ok(el("description").attr("id", id).attr("t", now_s).child(el("body").text(text)))
}

impl World {
    /// `w:profile:picture` with the group as its target.
    pub(crate) fn set_group_picture(&mut self, request: &Request<'_>, jid: &Jid) -> Answer {
        let own = request.from.account;
        let Some(group) = self.find_group(jid) else { return Answer::error(404) };
        let id = group.id;
        match group.role(own) {
            Some(role) if role.is_admin() || !group.locked => {}
            _ => return Answer::error(401),
        }
        let picture = group.picture.as_ref().map_or(self.now_s(), |(id, _)| *id) + 1;
        let bytes = match request.child {
            None => None,
            Some(child) => match child.body() {
                Some(bytes) if child.is("picture") && !bytes.is_empty() => Some(bytes.clone()),
                _ => return Answer::error(406),
            },
        };
        let set = bytes.is_some();
        if let Some(group) = self.group_mut(id) {
            group.picture = bytes.map(|bytes| (picture, bytes));
        }
        let result = set.then(|| el("picture").attr("id", picture)).into_iter().collect();
        let (from, jid) = (request.from, jid.clone());
        Answer::result(result).after(move |world| {
            let members: Vec<_> = world
                .groups
                .get(&id)
                .map(|group| group.members.keys().copied().collect())
                .unwrap_or_default();
            let author = world.visible_jid(from.account);
            for member in members {
                world.notify(member, None, |world, id| {
                    let child = if set { el("set").attr("id", picture) } else { el("delete") };
                    notification("picture", &jid, id, world.now_s())
                        .child(child.attr("jid", &jid).attr("author", &author))
                });
            }
        })
    }

    /// The role of an account in a group, for tests and the admin API.
    #[must_use]
    pub fn role(&self, jid: &Jid, account: crate::world::AccountId) -> Option<Role> {
        self.find_group(jid)?.role(account)
    }
}
