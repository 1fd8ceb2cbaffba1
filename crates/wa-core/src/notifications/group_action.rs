//! What one child of a `w:gp2` notification says (chapter 09b §8).

use compact_str::CompactString;
use wa_binary::{Family, Jid, Node, NodeRef};

use crate::fields::{content, has, jid, number, text};
use crate::queries::{GroupDescription, GroupInfo, GroupMember, approval};

/// What happened in a group.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum GroupAction {
    /// People joined or were added.
    Add {
        /// Who.
        members: Vec<GroupMember>,
        /// How: `invite`, `linked_group_join` and others.
        reason: Option<CompactString>,
    },
    /// People left or were removed.
    Remove {
        /// Who.
        members: Vec<GroupMember>,
        /// Why, if it says.
        reason: Option<CompactString>,
        /// Whether the one who is gone went by himself.
        left_voluntarily: bool,
    },
    /// People are admins now.
    Promote(Vec<GroupMember>),
    /// People are no longer.
    Demote(Vec<GroupMember>),
    /// People have another address.
    Modify(Vec<GroupMember>),
    /// The account is in a new group.
    Create {
        /// The group.
        group: Box<GroupInfo>,
        /// Why, if it says.
        reason: Option<CompactString>,
    },
    /// The group is gone.
    Delete {
        /// Why, if it says.
        reason: Option<CompactString>,
    },
    /// Another name.
    Subject {
        /// The name.
        subject: CompactString,
        /// Who gave it.
        by: Option<Jid>,
        /// When, seconds.
        at: Option<u64>,
    },
    /// Another topic; without text it was deleted.
    Description(GroupDescription),
    /// Messages disappear after this many seconds; 0 is never.
    Ephemeral {
        /// Seconds.
        expiration: u64,
    },
    /// Whether admins let people in.
    MembershipApproval {
        /// Whether.
        on: bool,
    },
    /// Who may do something: `member_add_mode` and its kin.
    Mode {
        /// The tag.
        name: &'static str,
        /// The mode.
        mode: CompactString,
    },
    /// A switch, named by the tag that turns it on.
    Switch {
        /// The tag that turns it on.
        name: &'static str,
        /// Whether it is on.
        on: bool,
    },
    /// The actor wants to join.
    MembershipRequest {
        /// How they came.
        method: Option<CompactString>,
        /// Through which community.
        parent: Option<Jid>,
    },
    /// People want to join, as admins see it.
    CreatedRequests {
        /// How they came.
        method: Option<CompactString>,
        /// Through which community.
        parent: Option<Jid>,
        /// Who.
        users: Vec<GroupMember>,
    },
    /// Requests to join are gone.
    RevokedRequests {
        /// Whose.
        users: Vec<GroupMember>,
        /// Whether the one who asked took it back; an admin refused otherwise.
        withdrawn: bool,
    },
    /// A new invitation link.
    Invite {
        /// Its code.
        code: Option<CompactString>,
    },
    /// The link, or the invitations of people, no longer hold.
    Revoke(Vec<GroupMember>),
    /// Links are off for a time.
    GrowthLocked {
        /// Why.
        kind: Option<CompactString>,
        /// Until when, seconds.
        expiration: Option<u64>,
    },
    /// Groups were linked: `parent_group`, `sub_group`, `sibling_group`.
    Link {
        /// Of which kind the groups are.
        kind: Option<CompactString>,
        /// The groups.
        groups: Vec<LinkedGroup>,
    },
    /// Groups are no longer linked.
    Unlink {
        /// Of which kind the groups were.
        kind: Option<CompactString>,
        /// Why.
        reason: Option<CompactString>,
        /// The groups.
        groups: Vec<LinkedGroup>,
    },
    /// People became admins of the community, or ceased to be.
    CommunityAdmins {
        /// Who.
        members: Vec<GroupMember>,
        /// Which of the two.
        promoted: bool,
    },
    /// Admins have new reports to read.
    Reports,
    /// Groups were suggested to the community, or no longer are.
    Suggestions {
        /// Which groups.
        groups: Vec<Jid>,
        /// Which of the two.
        created: bool,
    },
    /// The owner, who was the actor, is somebody else now.
    OwnerChanged {
        /// Who.
        owner: Jid,
    },
    /// Something that is not known.
    Unknown(Node),
}

/// A group in a community.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedGroup {
    /// Its address.
    pub jid: Jid,
    /// Its name.
    pub subject: Option<CompactString>,
    /// Whether it is the announcement group.
    pub is_announcements: bool,
    /// Whether it is hidden.
    pub is_hidden: bool,
}

/// Switches: the tag that turns one on, and the one that turns it off.
const SWITCHES: [(&str, &str); 13] = [
    ("locked", "unlocked"),
    ("announcement", "not_announcement"),
    ("no_frequently_forwarded", "frequently_forwarded_ok"),
    ("suspended", "unsuspended"),
    ("allow_admin_reports", "not_allow_admin_reports"),
    ("allow_non_admin_sub_group_creation", "not_allow_non_admin_sub_group_creation"),
    ("group_history", "no_group_history"),
    ("auto_add_disabled", ""),
    ("is_capi_hosted_group", ""),
    ("group_safety_check", ""),
    ("limit_sharing_enabled", ""),
    ("growth_locked", "growth_unlocked"),
    ("support", ""),
];

/// Settings with a word as value.
const MODES: [&str; 3] = ["member_add_mode", "member_link_mode", "member_share_group_history_mode"];

impl GroupAction {
    /// Reads a child. None when it lacks what it needs; its siblings stand.
    pub(super) fn parse(node: NodeRef<'_>, actor: Option<&Jid>, addressing: Option<Family>) -> Option<Self> {
        let members = || -> Vec<_> { node.each("participant").filter_map(GroupMember::parse).collect() };
        let reason = || text(node, "reason");
        let is_actor = |members: &[GroupMember]| match (members, actor) {
            ([member], Some(actor)) => {
                let other = member.mapping();
                member.jid.same_user(actor)
                    || other.is_some_and(|pair| pair.lid.same_user(actor) || pair.pn.same_user(actor))
            }
            _ => false,
        };
        Some(match node.tag() {
            "add" => Self::Add { members: members(), reason: reason() },
            "remove" => {
                let members = members();
                Self::Remove { left_voluntarily: is_actor(&members), members, reason: reason() }
            }
            "promote" => Self::Promote(members()),
            "demote" => Self::Demote(members()),
            "modify" => Self::Modify(members()),
            "create" => {
                let group = GroupInfo::parse(node.optional_child("group")?, addressing).ok()?;
                Self::Create { group: Box::new(group), reason: reason() }
            }
            "delete" => Self::Delete { reason: reason() },
            "subject" => Self::Subject {
                subject: text(node, "subject")?,
                by: jid(node, "s_o"),
                at: number(node, "s_t"),
            },
            "description" => {
                let description = GroupDescription::parse(node);
                (description.text.is_some() || has(node, "delete"))
                    .then_some(Self::Description(description))?
            }
            "ephemeral" => Self::Ephemeral { expiration: number(node, "expiration")? },
            "not_ephemeral" => Self::Ephemeral { expiration: 0 },
            "membership_approval_mode" => Self::MembershipApproval { on: approval(node) },
            "membership_approval_request" => Self::MembershipRequest {
                method: text(node, "request_method"),
                parent: jid(node, "parent_group_jid"),
            },
            "created_membership_requests" => Self::CreatedRequests {
                method: text(node, "request_method"),
                parent: jid(node, "parent_group_jid"),
                users: node.each("requested_user").filter_map(GroupMember::parse).collect(),
            },
            "revoked_membership_requests" => {
                let users = members();
                Self::RevokedRequests { withdrawn: is_actor(&users), users }
            }
            "invite" => Self::Invite { code: text(node, "code") },
            "revoke" => Self::Revoke(members()),
            "growth_locked" => {
                Self::GrowthLocked { kind: text(node, "type"), expiration: number(node, "expiration") }
            }
            "link" => Self::Link { kind: text(node, "link_type"), groups: linked(node)? },
            "unlink" => Self::Unlink {
                kind: text(node, "unlink_type"),
                reason: text(node, "unlink_reason"),
                groups: linked(node)?,
            },
            "linked_group_promote" => Self::CommunityAdmins { members: members(), promoted: true },
            "linked_group_demote" => Self::CommunityAdmins { members: members(), promoted: false },
            "reports" => Self::Reports,
            "created_sub_group_suggestion" => Self::Suggestions { groups: suggested(node), created: true },
            "revoked_sub_group_suggestions" => Self::Suggestions { groups: suggested(node), created: false },
            "change_number" => Self::OwnerChanged { owner: jid(node, "jid")? },
            tag => return Self::setting(node, tag),
        })
    }

    fn setting(node: NodeRef<'_>, tag: &str) -> Option<Self> {
        if let Some(name) = MODES.into_iter().find(|name| *name == tag) {
            return Some(Self::Mode { name, mode: content(node)? });
        }
        let switch = SWITCHES.into_iter().find(|(on, off)| *on == tag || *off == tag);
        Some(match switch {
            Some((name, _)) => Self::Switch { name, on: name == tag },
            None => Self::Unknown(node.to_node()),
        })
    }

    /// The tag of the child; of a switch or timer the one that turns it on.
    pub fn name(&self) -> &str {
        match self {
            Self::Add { .. } => "add",
            Self::Remove { .. } => "remove",
            Self::Promote(_) => "promote",
            Self::Demote(_) => "demote",
            Self::Modify(_) => "modify",
            Self::Create { .. } => "create",
            Self::Delete { .. } => "delete",
            Self::Subject { .. } => "subject",
            Self::Description(_) => "description",
            Self::Ephemeral { .. } => "ephemeral",
            Self::MembershipApproval { .. } => "membership_approval_mode",
            Self::Mode { name, .. } | Self::Switch { name, .. } => name,
            Self::MembershipRequest { .. } => "membership_approval_request",
            Self::CreatedRequests { .. } => "created_membership_requests",
            Self::RevokedRequests { .. } => "revoked_membership_requests",
            Self::Invite { .. } => "invite",
            Self::Revoke(_) => "revoke",
            Self::GrowthLocked { .. } => "growth_locked",
            Self::Link { .. } => "link",
            Self::Unlink { .. } => "unlink",
            Self::CommunityAdmins { promoted: true, .. } => "linked_group_promote",
            Self::CommunityAdmins { .. } => "linked_group_demote",
            Self::Reports => "reports",
            Self::Suggestions { created: true, .. } => "created_sub_group_suggestion",
            Self::Suggestions { .. } => "revoked_sub_group_suggestions",
            Self::OwnerChanged { .. } => "change_number",
            Self::Unknown(node) => node.tag(),
        }
    }

    /// Whether the own sender key must change before the next message: somebody holds it who should not.
    pub const fn rotates_sender_key(&self) -> bool {
        matches!(self, Self::Remove { .. } | Self::Modify(_))
    }
}

/// The groups of a link. None without any.
fn linked(node: NodeRef<'_>) -> Option<Vec<LinkedGroup>> {
    let read = |group: NodeRef<'_>| {
        let named = jid(group, "jid").or_else(|| jid(group, "id"));
        let numbered = || format!("{}@g.us", text(group, "id")?).parse().ok();
        Some(LinkedGroup {
            jid: named.filter(Jid::is_group).or_else(numbered)?,
            subject: text(group, "subject"),
            is_announcements: has(group, "default_sub_group"),
            is_hidden: has(group, "hidden_group"),
        })
    };
    let groups: Vec<_> = node.each("group").filter_map(read).collect();
    (!groups.is_empty()).then_some(groups)
}

fn suggested(node: NodeRef<'_>) -> Vec<Jid> {
    node.each("sub_group_suggestion").filter_map(|group| jid(group, "jid")).collect()
}
