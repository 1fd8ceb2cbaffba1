//! A group as the server describes it (chapter 09b §3): to a query, after its creation, and in the notification that
//! one was joined.

use std::collections::BTreeSet;

use compact_str::CompactString;
use wa_binary::{Family, FieldError, Jid, NodeRef, Problem};

use super::{Mapping, QueryError, reply};
use crate::fields::{child_text, content, has, jid, number, text};

/// The answer to a query for one group.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupAnswer {
    /// The group.
    Found(Box<GroupInfo>),
    /// The hash that was sent is still that of the participants.
    NotModified,
}

/// A group.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupInfo {
    /// Its address.
    pub jid: Jid,
    /// Name.
    pub subject: CompactString,
    /// Who named it, and when in seconds.
    pub subject_by: Option<Jid>,
    /// See [`Self::subject_by`].
    pub subject_at: Option<u64>,
    /// Who made it.
    pub creator: Option<Jid>,
    /// When, seconds.
    pub created_at: Option<u64>,
    /// Family of the addresses that messages to it use.
    pub addressing: Family,
    /// Number of participants, which an answer may list in part.
    pub size: Option<u64>,
    /// Version of the list of participants.
    pub participant_version: Option<CompactString>,
    /// Version of who may announce.
    pub admin_version: Option<CompactString>,
    /// Participants.
    pub participants: Vec<GroupMember>,
    /// Whether some participants were withheld: ask again later.
    pub incomplete: bool,
    /// Topic.
    pub description: Option<GroupDescription>,
    /// Seconds after which messages disappear; 0 is never.
    pub ephemeral: u64,
    /// Whether admins let people in.
    pub approval: bool,
    /// `admin_add` or `all_member_add`.
    pub member_add_mode: Option<CompactString>,
    /// `admin_link` or `all_member_link`.
    pub member_link_mode: Option<CompactString>,
    /// `admin_share` or `all_member_share`.
    pub member_history_mode: Option<CompactString>,
    /// What it is to a community.
    pub kind: GroupKind,
    /// The community that it belongs to.
    pub linked_parent: Option<Jid>,
    /// Whether people ask before they join: a closed community.
    pub closed: bool,
    /// Switches that are on, by the tag of their child: `locked`, `announcement`, `suspended` and the like.
    pub switches: BTreeSet<CompactString>,
    /// Addresses that stand beside each other in it.
    pub mappings: Vec<Mapping>,
}

/// What a group is to a community.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupKind {
    /// Nothing.
    Plain,
    /// The community itself.
    Community,
    /// Its announcement group.
    Announcements,
    /// Its general chat.
    General,
    /// Another group in it.
    Subgroup,
}

/// The topic of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupDescription {
    /// To be named by the next change.
    pub id: Option<CompactString>,
    /// The topic; none after it was deleted.
    pub text: Option<CompactString>,
    /// Who wrote it.
    pub author: Option<Jid>,
    /// When, seconds.
    pub set_at: Option<u64>,
}

/// A participant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMember {
    /// The address in the group's family.
    pub jid: Jid,
    /// The phone number beside a LID.
    pub pn: Option<Jid>,
    /// The LID beside a phone number.
    pub lid: Option<Jid>,
    /// What they may do.
    pub role: Role,
    /// User name.
    pub username: Option<CompactString>,
    /// The masked phone number that stands for somebody who is no contact.
    pub display_name: Option<CompactString>,
    /// When they joined, seconds.
    pub joined_at: Option<u64>,
    /// Why they could not be added; none when they were.
    pub error: Option<u32>,
}

/// What a participant may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// A plain member.
    Member,
    /// May change the group.
    Admin,
    /// Made it, and cannot be removed.
    SuperAdmin,
}

impl Role {
    /// The value of `type`; `member` stands for its absence.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::SuperAdmin => "superadmin",
        }
    }
}

impl GroupAnswer {
    /// Reads the answer to a query, which named the participants' hash or not.
    ///
    /// # Errors
    /// When the server refused; when there is no group though no hash was sent; see [`GroupInfo::parse`].
    pub fn parse(iq: NodeRef<'_>, sent_hash: Option<&str>) -> Result<Self, QueryError> {
        let answer = reply(iq)?;
        let group = match answer.each_child().find(|child| matches!(child.tag(), "group" | "community")) {
            Some(group) => group,
            None if sent_hash.is_some() => return Ok(Self::NotModified),
            None => answer.required_child("group")?,
        };
        Ok(Self::Found(Box::new(GroupInfo::parse(group, None)?)))
    }
}

impl GroupInfo {
    /// Children without content that switch something on.
    pub const SWITCHES: [&'static str; 16] = [
        "locked",
        "announcement",
        "no_frequently_forwarded",
        "hidden_group",
        "allow_non_admin_sub_group_creation",
        "auto_add_disabled",
        "growth_locked",
        "suspended",
        "support",
        "incognito",
        "capi",
        "group_safety_check",
        "participant_label_enabled",
        "group_history",
        "allow_admin_reports",
        "limit_sharing_enabled",
    ];

    /// Reads `<group>`. `addressing` is what stands around it, for when it does not say itself.
    ///
    /// # Errors
    /// A missing id or one that is no group's, an addressing mode that is not known, a size out of range.
    pub fn parse(node: NodeRef<'_>, addressing: Option<Family>) -> Result<Self, FieldError> {
        let id = node.required("id").string()?;
        let jid =
            group_jid(&id).ok_or_else(|| node.attr_error("id", Problem::Unexpected { wanted: "a group" }))?;
        let child = |tag: &str| node.optional_child(tag);
        let participants: Vec<GroupMember> =
            node.each("participant").filter_map(GroupMember::parse).collect();
        let mut mappings: Vec<Mapping> = participants.iter().filter_map(GroupMember::mapping).collect();
        for (name, other) in [("creator", "creator_pn"), ("s_o", "s_o_pn")] {
            mappings.extend(pair(node, name, other).filter(|pair| !mappings.contains(pair)));
        }
        let linked_parent = child("linked_parent").and_then(|parent| self::jid(parent, "jid"));
        let kind = match () {
            () if has(node, "default_sub_group") => GroupKind::Announcements,
            () if has(node, "general_chat") => GroupKind::General,
            () if linked_parent.is_some() => GroupKind::Subgroup,
            () if has(node, "parent") => GroupKind::Community,
            () => GroupKind::Plain,
        };
        let size = node.optional("size").u64()?;
        if size.is_some_and(|size| size > 19_999) {
            return Err(node.attr_error("size", Problem::NotANumber));
        }
        Ok(Self {
            jid,
            subject: text(node, "subject").unwrap_or_default(),
            subject_by: self::jid(node, "s_o"),
            subject_at: number(node, "s_t"),
            creator: self::jid(node, "creator"),
            created_at: number(node, "creation"),
            addressing: family(node)?.or(addressing).unwrap_or(Family::Pn),
            size,
            participant_version: text(node, "p_v_id"),
            admin_version: text(node, "a_v_id"),
            participants,
            incomplete: has(node, "missing_participant_identification"),
            description: child("description").map(GroupDescription::parse),
            ephemeral: child("ephemeral").and_then(|timer| number(timer, "expiration")).unwrap_or(0),
            approval: child("membership_approval_mode").is_some_and(approval),
            member_add_mode: child_text(node, "member_add_mode"),
            member_link_mode: child_text(node, "member_link_mode"),
            member_history_mode: child_text(node, "member_share_group_history_mode"),
            kind,
            linked_parent,
            closed: child("parent")
                .is_some_and(|parent| parent.attr_is("default_membership_approval_mode", "request_required")),
            switches: Self::SWITCHES
                .into_iter()
                .filter(|tag| has(node, tag))
                .map(CompactString::from)
                .collect(),
            mappings,
        })
    }

    /// Whether a switch is on.
    pub fn is(&self, switch: &str) -> bool {
        self.switches.contains(switch)
    }
}

impl GroupMember {
    /// Reads `<participant>` and its kin. None without an address.
    pub fn parse(node: NodeRef<'_>) -> Option<Self> {
        let jid = jid(node, "jid")?;
        let role = match text(node, "type").as_deref() {
            Some("admin") => Role::Admin,
            Some("superadmin") => Role::SuperAdmin,
            _ => Role::Member,
        };
        let other = |name| self::jid(node, name).filter(|_| name != "lid" || !jid.is_lid());
        Some(Self {
            pn: other("phone_number").filter(|_| jid.is_lid()),
            lid: other("lid"),
            role,
            username: text(node, "username").or_else(|| text(node, "participant_username")),
            display_name: text(node, "display_name"),
            joined_at: number(node, "join_time"),
            error: node.optional("error").u32().ok().flatten(),
            jid,
        })
    }

    /// Both addresses, when the node holds both.
    pub fn mapping(&self) -> Option<Mapping> {
        Mapping::of(&self.jid, self.pn.as_ref().or(self.lid.as_ref())?)
    }
}

impl GroupDescription {
    /// Reads `<description>`; one that says neither text nor deletion has no text.
    pub(crate) fn parse(node: NodeRef<'_>) -> Self {
        Self {
            id: text(node, "id"),
            text: node.optional_child("body").and_then(content),
            author: jid(node, "participant"),
            set_at: number(node, "t"),
        }
    }
}

/// Whether `<membership_approval_mode>` is on: its state says so, not that it is there.
pub(crate) fn approval(node: NodeRef<'_>) -> bool {
    node.optional_child("group_join").is_some_and(|join| join.attr_is("state", "on"))
}

/// The `addressing_mode` of a node.
pub(crate) fn family(node: NodeRef<'_>) -> Result<Option<Family>, FieldError> {
    node.optional("addressing_mode").choose("lid or pn", |mode| match mode {
        "lid" => Some(Family::Lid),
        "pn" => Some(Family::Pn),
        _ => None,
    })
}

/// Two attributes of a node that are one person's addresses.
pub(crate) fn pair(node: NodeRef<'_>, name: &str, other: &str) -> Option<Mapping> {
    Mapping::of(&jid(node, name)?, &jid(node, other)?)
}

/// A group by its bare number or its whole address.
fn group_jid(id: &str) -> Option<Jid> {
    let whole = if id.contains('@') { id.parse() } else { format!("{id}@g.us").parse() };
    whole.ok().filter(Jid::is_group)
}

#[cfg(test)]
mod tests {
    use wa_binary::Node;

    use super::*;

    fn group() -> Node {
        Node::new("group").attr("id", "120363000000000001")
    }

    fn parse(node: &Node) -> Result<GroupInfo, FieldError> {
        GroupInfo::parse(node.view(), None)
    }

    #[test]
    fn only_what_is_all_or_nothing_fails_the_group() {
        assert!(parse(&Node::new("group")).is_err());
        assert!(parse(&Node::new("group").attr("id", "15550100001@s.whatsapp.net")).is_err());
        assert!(parse(&group().attr("addressing_mode", "other")).is_err());
        assert!(parse(&group().attr("size", "20000")).is_err());
        let broken = Node::new("participant").attr("jid", "@@");
        let good = Node::new("participant").attr("jid", "200000000000002@lid");
        let read = parse(&group().attr("creation", "x").children([broken, good])).unwrap();
        assert_eq!((read.participants.len(), read.created_at, read.addressing), (1, None, Family::Pn));
        assert_eq!(GroupInfo::parse(group().view(), Some(Family::Lid)).unwrap().addressing, Family::Lid);
    }

    #[test]
    fn approval_is_what_its_state_says() {
        let mode = |state: &str| {
            let join = Node::new("group_join").attr("state", state);
            parse(&group().child(Node::new("membership_approval_mode").child(join))).unwrap().approval
        };
        assert!(mode("on"));
        assert!(!mode("off"));
    }

    #[test]
    fn an_answer_without_a_group_is_unchanged_only_when_a_hash_was_sent() {
        let iq = Node::new("iq").attr("type", "result");
        assert_eq!(GroupAnswer::parse(iq.view(), Some("2:abcdefgh")), Ok(GroupAnswer::NotModified));
        assert!(matches!(GroupAnswer::parse(iq.view(), None), Err(QueryError::Malformed(_))));
    }
}
