//! Group queries (chapter 09b §3).

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use wa_binary::{FieldError, Jid, Node, NodeRef};

use crate::connection::link::Request;
use crate::identity::Peer;

/// Which address family a group speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Addressing {
    /// Phone numbers.
    Pn,
    /// LIDs.
    Lid,
}

impl Addressing {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pn => "pn",
            Self::Lid => "lid",
        }
    }
}

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Role {
    /// A plain member.
    Member,
    /// May change the group.
    Admin,
    /// Made it.
    SuperAdmin,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Participant {
    /// The address in the group's family.
    pub jid: Jid,
    /// Both forms, as far as they are known.
    pub peer: Peer,
    /// What they may do.
    pub role: Role,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Group {
    /// Its address.
    pub jid: Jid,
    /// Its name.
    pub subject: CompactString,
    /// Family of its members' addresses.
    pub addressing: Addressing,
    /// Its members.
    pub participants: Vec<Participant>,
    /// Only admins may send.
    pub announcement: bool,
}

/// Asks for one group.
#[derive(Debug)]
pub(crate) struct GroupQuery<'g>(pub(crate) &'g Jid);

impl Request for GroupQuery<'_> {
    type Response = Group;

    fn node(&self, id: &str) -> Node {
        group_iq(id, self.0).child(Node::new("query").attr("request", "interactive"))
    }

    fn parse(&self, answer: NodeRef<'_>) -> Result<Group, FieldError> {
        Group::parse(answer.required_child("group")?)
    }
}

/// Asks for all groups of the account.
#[derive(Debug)]
pub(crate) struct JoinedQuery;

impl Request for JoinedQuery {
    type Response = Vec<Group>;

    fn node(&self, id: &str) -> Node {
        let children = [Node::new("participants"), Node::new("description")];
        group_iq(id, &Jid::GROUPS).child(Node::new("participating").children(children))
    }

    fn parse(&self, answer: NodeRef<'_>) -> Result<Vec<Group>, FieldError> {
        let Some(groups) = answer.optional_child("groups") else { return Ok(Vec::new()) };
        groups.each("group").map(Group::parse).collect()
    }
}

/// Makes a group.
#[derive(Debug)]
pub(crate) struct CreateQuery<'g> {
    pub(crate) subject: &'g str,
    /// Its members besides us, with their phone numbers where those are known.
    pub(crate) members: &'g [Peer],
    /// Under this name the server tells our other devices of the group that this one made.
    pub(crate) key: &'g str,
}

impl Request for CreateQuery<'_> {
    type Response = (Group, Vec<(Jid, u16)>);

    fn node(&self, id: &str) -> Node {
        let members = self.members.iter().filter_map(|member| {
            let jid = member.jid()?;
            let pn = member.pn.as_ref().filter(|_| jid.is_lid());
            Some(Node::new("participant").attr("jid", jid.clone()).maybe_attr("phone_number", pn.cloned()))
        });
        let create = Node::new("create")
            .attr("subject", self.subject.to_owned())
            .attr("key", self.key.to_owned())
            .children(members);
        Node::new("iq")
            .attr("id", id)
            .attr("to", Jid::GROUPS)
            .attr("type", "set")
            .attr("xmlns", "w:g2")
            .child(create)
    }

    fn parse(&self, answer: NodeRef<'_>) -> Result<Self::Response, FieldError> {
        let node = answer.required_child("group")?;
        let refused = |member: NodeRef<'_>| {
            let code = member.optional("error").u64().ok().flatten()?;
            Some((member.required("jid").jid().ok()?, u16::try_from(code).unwrap_or(u16::MAX)))
        };
        let not_added: Vec<(Jid, u16)> = node.each("participant").filter_map(refused).collect();
        let mut group = Group::parse(node)?;
        group.participants.retain(|member| !not_added.iter().any(|(jid, _)| *jid == member.jid));
        Ok((group, not_added))
    }
}

fn group_iq(id: &str, to: &Jid) -> Node {
    Node::new("iq").attr("id", id).attr("to", to.clone()).attr("type", "get").attr("xmlns", "w:g2")
}

impl Group {
    pub(crate) fn parse(node: NodeRef<'_>) -> Result<Self, FieldError> {
        let id = node.required("id").string()?;
        let jid = match id.parse::<Jid>() {
            Ok(jid) if jid.is_group() => jid,
            _ => format!("{id}@g.us")
                .parse()
                .map_err(|error| node.attr_error("id", wa_binary::Problem::NotAJid(error)))?,
        };
        let addressing = node.optional("addressing_mode").choose("lid or pn", |mode| match mode {
            "lid" => Some(Addressing::Lid),
            "pn" => Some(Addressing::Pn),
            _ => None,
        })?;
        Ok(Self {
            jid,
            subject: node.optional("subject").string()?.unwrap_or_default(),
            addressing: addressing.unwrap_or(Addressing::Pn),
            participants: node.each("participant").filter_map(participant).collect(),
            announcement: node.optional_child("announcement").is_some(),
        })
    }
}

/// One member; an unreadable one is left out.
pub(crate) fn participant(node: NodeRef<'_>) -> Option<Participant> {
    let jid = node.required("jid").jid().ok()?;
    let other_key = if jid.is_lid() { "phone_number" } else { "lid" };
    let other = node.optional(other_key).jid().ok().flatten();
    let role = match node.optional("type").string().ok().flatten().as_deref() {
        Some("admin") => Role::Admin,
        Some("superadmin") => Role::SuperAdmin,
        _ => Role::Member,
    };
    Some(Participant { peer: Peer::of(&jid, other.as_ref()), jid, role })
}
