//! Groups and communities: `w:g2` and the `w:gp2` notifications (chapters 09b, 10 §7).

mod create;
mod invites;
mod node;
mod notify;
mod participants;
mod query;
mod settings;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use rand_core::Rng as _;
use wa_binary::{Family, Jid, Server};

use crate::iq::{Answer, Request, unknown};
use crate::stanza::Read;
use crate::world::{AccountId, World};

/// Rank of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Without rights.
    Member,
    /// May change things.
    Admin,
    /// Made the group.
    SuperAdmin,
}

impl Role {
    /// May change things.
    #[must_use]
    pub const fn is_admin(self) -> bool {
        matches!(self, Self::Admin | Self::SuperAdmin)
    }

    /// Value of `type`; a member has none.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Member => None,
            Self::Admin => Some("admin"),
            Self::SuperAdmin => Some("superadmin"),
        }
    }
}

/// A group's description.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Description {
    /// Names this version.
    pub id: String,
    /// Text.
    pub text: String,
    /// Who wrote it.
    pub by: AccountId,
    /// When (s).
    pub t: u64,
}

/// In which way somebody wants to join (`request_method`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum JoinMethod {
    /// By the group's invite link.
    InviteLink,
    /// As a member of the community.
    LinkedGroup,
    /// A member without rights added them.
    NonAdminAdd,
}

impl JoinMethod {
    /// The attribute's value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InviteLink => "invite_link",
            Self::LinkedGroup => "linked_group_join",
            Self::NonAdminAdd => "non_admin_add",
        }
    }
}

/// A request to join.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct JoinRequest {
    /// When (s).
    pub t: u64,
    /// In which way.
    pub method: JoinMethod,
    /// Who asked for it.
    pub by: AccountId,
}

/// One group or community.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Group {
    /// User part of its address.
    pub id: u64,
    /// Subject, when it was set (s), by whom.
    pub subject: (String, u64, AccountId),
    /// When it was made (s).
    pub created: u64,
    /// Who made it.
    pub creator: AccountId,
    /// Family of its members.
    #[serde(with = "crate::state::foreign::one")]
    pub addressing: Family,
    /// Members.
    pub members: BTreeMap<AccountId, Role>,
    /// Who was removed: an invite link does not let them in again.
    pub removed: BTreeSet<AccountId>,
    /// Description.
    pub description: Option<Description>,
    /// Only admins change its info.
    pub locked: bool,
    /// Only admins send.
    pub announcement: bool,
    /// Timer in seconds; 0 is off.
    pub ephemeral: u32,
    /// Admins approve who joins.
    pub approval: bool,
    /// Requests to join.
    pub requests: BTreeMap<AccountId, JoinRequest>,
    /// Switches that are either there or not, and texts, as children of `<group>`.
    pub settings: BTreeMap<String, Option<String>>,
    /// Invite code.
    pub invite: String,
    /// Invites given to persons: code and expiration (s).
    pub personal_invites: BTreeMap<AccountId, (String, u64)>,
    /// Picture id and bytes.
    pub picture: Option<(u64, Bytes)>,
    /// Counts changes of members.
    pub version: u64,
    /// When members last changed (s).
    pub changed_s: u64,
    /// A community.
    pub parent: Option<Parent>,
    /// The community that it belongs to.
    pub linked_parent: Option<u64>,
    /// Announcement group of its community.
    pub default_sub_group: bool,
    /// Every new account becomes a member.
    pub auto_join: bool,
}

/// What makes a group a community.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Parent {
    /// `request_required`, if it is closed.
    pub approval: Option<String>,
}

impl Group {
    /// Its address.
    #[must_use]
    pub fn jid(&self) -> Jid {
        Jid::numbered(self.id, Server::Group)
    }

    /// The role of a member.
    #[must_use]
    pub fn role(&self, account: AccountId) -> Option<Role> {
        self.members.get(&account).copied()
    }

    pub(crate) fn changed(&mut self, now_s: u64) {
        self.version += 1;
        self.changed_s = now_s;
    }

    fn setting(&self, name: &str) -> Option<&str> {
        self.settings.get(name).and_then(Option::as_deref)
    }
}

impl World {
    /// The group with this address.
    #[must_use]
    pub fn find_group(&self, jid: &Jid) -> Option<&Group> {
        if jid.server() == Server::Group { self.groups.get(&jid.user_number()?) } else { None }
    }

    pub(crate) fn group_mut(&mut self, id: u64) -> Option<&mut Group> {
        self.groups.get_mut(&id)
    }

    /// All groups.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values()
    }

    /// A fresh group, not yet announced.
    pub(crate) fn new_group(&mut self, creator: AccountId, subject: &str) -> Group {
        let now_s = self.now_s();
        let id = loop {
            let id = 120_363_000_000_000_000 + self.streams.groups.next_u64() % 999_999_999_999;
            if !self.groups.contains_key(&id) {
                break id;
            }
        };
        Group {
            id,
            subject: (subject.to_owned(), now_s, creator),
            created: now_s,
            creator,
            addressing: Family::Lid,
            members: BTreeMap::from([(creator, Role::SuperAdmin)]),
            removed: BTreeSet::new(),
            description: None,
            locked: false,
            announcement: false,
            ephemeral: 0,
            approval: false,
            requests: BTreeMap::new(),
            settings: BTreeMap::from([
                ("member_add_mode".to_owned(), Some("all_member_add".to_owned())),
                ("member_link_mode".to_owned(), Some("admin_link".to_owned())),
            ]),
            invite: self.invite_code(),
            personal_invites: BTreeMap::new(),
            picture: None,
            version: 1,
            changed_s: now_s,
            parent: None,
            linked_parent: None,
            default_sub_group: false,
            auto_join: false,
        }
    }

    fn invite_code(&mut self) -> String {
        use base64::Engine as _;
        let mut bytes = [0; 16];
        self.streams.groups.fill_bytes(&mut bytes);
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
    }

    /// A new account becomes a member of the groups that are open to everyone.
    pub(crate) fn join_open_groups(&mut self, account: AccountId) {
        let open: Vec<u64> =
            self.groups.values().filter(|group| group.auto_join).map(|group| group.id).collect();
        for id in open {
            self.admit(id, account, account, None);
        }
    }
}

/// Answers `w:g2`.
pub(crate) fn handle(world: &mut World, request: &Request<'_>) -> Answer {
    let Some(child) = request.child else { return unknown(world, request) };
    let to = request.iq.jid_of("to").unwrap_or(Jid::GROUPS);
    if to.is_service() {
        return match (request.set, child.tag()) {
            (true, "create") => create::create(world, request, child),
            (true, "leave") => participants::leave(world, request, child),
            (true, "invite") => invites::join_by_link(world, request, child),
            (false, "invite") => invites::info_by_link(world, request, child),
            (false, "participating") => query::participating(world, request, child),
            (false, "query") => query::many(world, request, child),
            (false, "pictures") => query::pictures(world, child),
            _ => unknown(world, request),
        };
    }
    let Some(group) = world.find_group(&to) else { return Answer::error(404) };
    let (id, role) = (group.id, group.role(request.from.account));
    let open = matches!(child.tag(), "query" | "accept" | "join_linked_group")
        || child.is("cancel_membership_requests");
    if role.is_none() && !open {
        return Answer::error(403);
    }
    if !request.set {
        return match child.tag() {
            "query" => query::one(world, request, id, child),
            "invite" => invites::code(world, request, id),
            "membership_approval_requests" => invites::requests(world, request, id),
            "sub_groups" => query::sub_groups(world, id),
            "linked_groups_participants" => query::linked_participants(world, id),
            "query_linked" => query::linked(world, request, child),
            "pictures" => query::pictures(world, child),
            "reports" => Answer::one(crate::stanza::el("reports")),
            _ => unknown(world, request),
        };
    }
    match child.tag() {
        "add" => participants::add(world, request, id, child),
        "remove" => participants::remove(world, request, id, child),
        "promote" | "demote" => participants::rank(world, request, id, child),
        "invite" => invites::revoke(world, request, id),
        "accept" => invites::accept(world, request, id, child),
        "revoke" => invites::revoke_personal(world, request, id, child),
        "membership_requests_action" => invites::act(world, request, id, child),
        "cancel_membership_requests" => invites::cancel(world, request, id, child),
        "links" => create::link(world, request, id, child),
        "unlink" => create::unlink(world, request, id, child),
        "delete_parent" => create::deactivate(world, request, id),
        "join_linked_group" => invites::join_linked(world, request, id, child),
        "ack" => Answer::empty(),
        "reports" => Answer::empty(),
        _ => settings::set(world, request, id, child),
    }
}

/// Participants named by the children of a node.
fn named(world: &World, list: &wa_binary::Node) -> Vec<(Jid, Option<AccountId>)> {
    list.kids_of("participant")
        .filter_map(|participant| participant.jid_of("jid"))
        .map(|jid| {
            let account = world.find(&jid);
            (jid, account)
        })
        .collect()
}
