//! What changing a group's people has led to (chapter 09b §4, §5): a result for each, joins, requests to join.

use compact_str::CompactString;
use wa_binary::{FieldError, Jid, NodeRef};

use super::{Mapping, QueryError, reply};
use crate::fields::{jid, number, text};

/// What became of one participant of an add, remove, promotion or demotion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParticipantResult {
    /// Whom.
    pub jid: Jid,
    /// Both addresses, when the answer holds both.
    pub mapping: Option<Mapping>,
    /// 200 when done; chapter 09b §4 says what the others mean.
    pub code: u32,
    /// The invitation to send instead, when their privacy settings forbid adding them.
    pub invite: Option<InviteToken>,
}

/// An invitation for one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviteToken {
    /// The code.
    pub code: CompactString,
    /// When it ends, seconds.
    pub expiration: u64,
}

/// Reads the answer to `action`: `add`, `remove`, `promote`, `demote` and their kin.
///
/// # Errors
/// When the server refused, when the action is missing, and for an invitation that cannot be read: it must not get
/// lost unseen.
pub fn participant_results(iq: NodeRef<'_>, action: &str) -> Result<Vec<ParticipantResult>, QueryError> {
    let list = reply(iq)?.required_child(action)?;
    let read = |participant: NodeRef<'_>| {
        let jid = jid(participant, "jid")?;
        let invite = participant.optional_child("add_request").map(InviteToken::parse).transpose();
        let other = self::jid(participant, if jid.is_lid() { "phone_number" } else { "lid" });
        Some(invite.map(|invite| ParticipantResult {
            mapping: other.and_then(|other| Mapping::of(&jid, &other)),
            code: participant.optional("error").u32().ok().flatten().unwrap_or(200),
            invite,
            jid,
        }))
    };
    Ok(list.each("participant").filter_map(read).collect::<Result<_, FieldError>>()?)
}

impl InviteToken {
    fn parse(node: NodeRef<'_>) -> Result<Self, FieldError> {
        Ok(Self { code: node.required("code").string()?, expiration: node.required("expiration").u64()? })
    }
}

/// What came of joining.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupJoin {
    /// A member now. The group is none when the answer was empty: the one that was asked.
    Joined(Option<Jid>),
    /// An admin has to approve.
    Pending(Jid),
}

impl GroupJoin {
    /// Reads the answer to a link or an invitation.
    ///
    /// # Errors
    /// When the server refused, and for a group that cannot be read.
    pub fn parse(iq: NodeRef<'_>) -> Result<Self, QueryError> {
        let answer = reply(iq)?;
        for child in answer.each_child() {
            match child.tag() {
                "group" | "community" => return Ok(Self::Joined(Some(child.required("jid").jid()?))),
                "membership_approval_request" => return Ok(Self::Pending(child.required("jid").jid()?)),
                _ => {}
            }
        }
        Ok(Self::Joined(jid(answer, "from").filter(Jid::is_group)))
    }
}

/// Somebody who wants to join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinRequest {
    /// Who.
    pub jid: Jid,
    /// Since when, seconds.
    pub requested_at: Option<u64>,
    /// `invite_link`, `linked_group_join`, `non_admin_add`.
    pub method: CompactString,
    /// Who asked for them, when it was somebody else.
    pub requestor: Option<Jid>,
    /// The community through which they came.
    pub parent: Option<Jid>,
}

/// Reads the list of requests to join.
///
/// # Errors
/// When the server refused, and when the list is missing.
pub fn join_requests(iq: NodeRef<'_>) -> Result<Vec<JoinRequest>, QueryError> {
    let list = reply(iq)?.required_child("membership_approval_requests")?;
    let read = |request: NodeRef<'_>| {
        Some(JoinRequest {
            jid: jid(request, "jid")?,
            requested_at: number(request, "request_time"),
            method: text(request, "request_method").unwrap_or_else(|| "invite_link".into()),
            requestor: jid(request, "requestor"),
            parent: jid(request, "parent_group_jid"),
        })
    };
    Ok(list.each("membership_approval_request").filter_map(read).collect())
}

#[cfg(test)]
mod tests {
    use wa_binary::Node;

    use super::*;

    #[test]
    fn an_unreadable_invitation_fails_the_call() {
        let answer = |request: Node| {
            let participant = Node::new("participant")
                .attr("jid", "200000000000002@lid")
                .attr("error", "403")
                .child(request);
            Node::new("iq").attr("type", "result").child(Node::new("add").child(participant))
        };
        let request = Node::new("add_request").attr("code", "c");
        let good = answer(request.clone().attr("expiration", "5"));
        let read = participant_results(good.view(), "add").unwrap();
        assert_eq!(read[0].invite, Some(InviteToken { code: "c".into(), expiration: 5 }));
        for bad in [request.clone(), request.attr("expiration", "x"), Node::new("add_request")] {
            assert!(matches!(participant_results(answer(bad).view(), "add"), Err(QueryError::Malformed(_))));
        }
    }

    #[test]
    fn an_empty_answer_is_a_join() {
        let iq = Node::new("iq").attr("type", "result").attr("from", "120363000000000001@g.us");
        let joined = GroupJoin::Joined("120363000000000001@g.us".parse().ok());
        assert_eq!(GroupJoin::parse(iq.view()), Ok(joined));
    }
}
