//! Call signalling (chapter 05 §13): what a `<call>` says, the one answer that it gets, and refusing a call. The media
//! of calls is no part of this library.

use compact_str::CompactString;
use thiserror::Error;
use wa_binary::{Jid, Node, NodeRef};

use super::stanza::{jid, number, text};

/// A call stanza.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Id of the stanza, not of the call.
    pub id: CompactString,
    /// The device that it comes from.
    pub from: Jid,
    /// Seconds.
    pub timestamp: Option<u64>,
    /// Whether it waited in the offline queue.
    pub offline: bool,
    /// What happened.
    pub action: CallAction,
    /// Names the call.
    pub call_id: Option<CompactString>,
    /// Who started it.
    pub call_creator: Option<Jid>,
    /// The caller's phone number.
    pub caller_pn: Option<Jid>,
    /// The group that is called.
    pub group_jid: Option<Jid>,
    /// Whether several people are called.
    pub is_group: bool,
    /// Whether it is a video call.
    pub is_video: bool,
    /// Why it ended or was refused, as the stanza says.
    pub reason: Option<CompactString>,
    /// Seconds that it lasted.
    pub duration: Option<u64>,
    /// The stanza itself, for what is not read here.
    pub raw: Node,
}

/// What happens in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallAction {
    /// It rings.
    Offer,
    /// A group call has started.
    OfferNotice,
    /// Another device rings.
    PreAccept,
    /// Accepted.
    Accept,
    /// Refused.
    Reject,
    /// Over.
    Terminate,
    /// Where media can be sent.
    Transport,
    /// How far the relays are.
    RelayLatency,
    /// Muted or not.
    Mute,
    /// Video on or off.
    Video,
    /// Still there.
    Heartbeat,
    /// Who takes part.
    GroupUpdate,
    /// New keys.
    EncRekey,
    /// Something that a participant did.
    UserAction,
    /// The waiting room.
    WaitingRoomUpdate,
    /// Unknown, no child or several, or a call without name or creator.
    Unknown,
}

impl CallAction {
    fn of(tag: &str) -> Self {
        Self::NAMED.into_iter().find(|(_, name)| *name == tag).map_or(Self::Unknown, |(action, _)| action)
    }

    const NAMED: [(Self, &'static str); 15] = [
        (Self::Offer, "offer"),
        (Self::OfferNotice, "offer_notice"),
        (Self::PreAccept, "preaccept"),
        (Self::Accept, "accept"),
        (Self::Reject, "reject"),
        (Self::Terminate, "terminate"),
        (Self::Transport, "transport"),
        (Self::RelayLatency, "relaylatency"),
        (Self::Mute, "mute_v2"),
        (Self::Video, "video"),
        (Self::Heartbeat, "heartbeat"),
        (Self::GroupUpdate, "group_update"),
        (Self::EncRekey, "enc_rekey"),
        (Self::UserAction, "user_action"),
        (Self::WaitingRoomUpdate, "waiting_room_update"),
    ];

    /// The tag of the stanza's child, or `unknown`.
    pub fn name(self) -> &'static str {
        Self::NAMED.into_iter().find(|(action, _)| *action == self).map_or("unknown", |(_, name)| name)
    }
}

/// Why a stanza is no call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CallError {
    /// No id, or an empty one.
    #[error("a call stanza without an id")]
    MissingId,
    /// `from` is missing or no address.
    #[error("a call from nobody")]
    MissingFrom,
}

impl Call {
    /// Reads a `<call>`.
    ///
    /// # Errors
    /// When it lacks an id or an origin.
    pub fn parse(stanza: NodeRef<'_>) -> Result<Self, CallError> {
        let id = text(stanza, "id").filter(|id| !id.is_empty()).ok_or(CallError::MissingId)?;
        let from = jid(stanza, "from").ok_or(CallError::MissingFrom)?;
        let mut children = stanza.each_child();
        let child = children.next().filter(|_| children.next().is_none());
        let of_child = |name| child.and_then(|child| text(child, name));
        let jid_of_child = |name| child.and_then(|child| jid(child, name));
        let (call_id, call_creator) = (of_child("call-id"), jid_of_child("call-creator"));
        let action = match child {
            Some(child) if call_id.is_some() && call_creator.is_some() => CallAction::of(child.tag()),
            _ => CallAction::Unknown,
        };
        let group_jid = jid_of_child("group-jid");
        let has = |tag| child.is_some_and(|child| child.optional_child(tag).is_some());
        let child_is = |name, value| child.is_some_and(|child| child.attr_is(name, value));
        Ok(Self {
            id,
            from,
            timestamp: number(stanza, "t"),
            offline: stanza.has_attr("offline"),
            action,
            call_id,
            call_creator,
            caller_pn: jid_of_child("caller_pn"),
            is_group: group_jid.is_some() || has("group_info") || child_is("type", "group"),
            group_jid,
            is_video: has("video") || child_is("media", "video"),
            reason: of_child("reason"),
            duration: child.and_then(|child| number(child, "duration")),
            raw: stanza.to_node(),
        })
    }

    /// The stanza's one answer. Some kinds get a receipt (for an offer it says that this device rings), which names
    /// the own address in the family of the caller: the device by LID, the user by phone number.
    pub fn answer(&self, own: &super::Own) -> Node {
        let tag = self.raw.each_child().next().map_or("", NodeRef::tag);
        let receipted = matches!(
            self.action,
            CallAction::Offer | CallAction::Accept | CallAction::Reject | CallAction::EncRekey
        );
        if !receipted {
            let kind = Some(tag).filter(|tag| !tag.is_empty());
            return Node::new("ack")
                .attr("class", "call")
                .attr("id", &self.id)
                .attr("to", &self.from)
                .maybe_attr("type", kind);
        }
        let from = if self.from.is_lid() { own.lid.clone() } else { Some(own.pn.user_jid()) };
        Node::new("receipt")
            .attr("to", &self.from)
            .attr("id", &self.id)
            .maybe_attr("from", from)
            .child(named(tag, self.call_id.as_deref(), self.call_creator.as_ref()))
    }

    /// Refuses the call. `id` is a fresh stanza id.
    pub fn reject(&self, id: &str, own: &super::Own) -> Node {
        reject_call(id, self.call_id.as_deref(), self.call_creator.as_ref().unwrap_or(&self.from), own)
    }
}

/// Refuses a call by its name and its creator. `id` is a fresh stanza id.
pub fn reject_call(id: &str, call_id: Option<&str>, creator: &Jid, own: &super::Own) -> Node {
    let from = if creator.is_lid() { own.lid.as_ref() } else { Some(&own.pn) };
    Node::new("call")
        .attr("id", id)
        .attr("to", creator.user_jid())
        .maybe_attr("from", from.map(Jid::user_jid))
        .child(named("reject", call_id, Some(creator)).attr("count", "0"))
}

fn named(tag: &str, call_id: Option<&str>, creator: Option<&Jid>) -> Node {
    Node::new(tag).maybe_attr("call-id", call_id).maybe_attr("call-creator", creator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Own;

    fn own() -> Own {
        Own { pn: "15550100001:7@s.whatsapp.net".parse().unwrap(), lid: "100000000000001:7@lid".parse().ok() }
    }

    fn stanza(children: Vec<Node>) -> Node {
        Node::new("call").attr("from", "200000000000002:3@lid").attr("id", "1").children(children)
    }

    fn offer() -> Node {
        Node::new("offer").attr("call-id", "C").attr("call-creator", "200000000000002@lid")
    }

    #[test]
    fn an_offer_is_answered_with_a_receipt_and_refused_by_name() {
        let call = Call::parse(stanza(vec![offer()]).view()).unwrap();
        let named = r#"call-id="C" call-creator="200000000000002@lid""#;
        assert_eq!(
            call.answer(&own()).to_string(),
            format!(
                r#"<receipt to="200000000000002:3@lid" id="1" from="100000000000001:7@lid"><offer {named}/></receipt>"#
            )
        );
        assert_eq!(
            call.reject("9", &own()).to_string(),
            format!(
                r#"<call id="9" to="200000000000002@lid" from="100000000000001@lid"><reject {named} count="0"/></call>"#
            )
        );
    }

    #[test]
    fn no_child_several_and_nameless_ones_are_unknown() {
        for children in [vec![], vec![offer(), offer()], vec![Node::new("offer")], vec![Node::new("new")]] {
            let call = Call::parse(stanza(children).view()).unwrap();
            assert_eq!(call.action, CallAction::Unknown);
            assert_eq!(call.answer(&own()).tag(), "ack");
        }
        assert_eq!(Call::parse(Node::new("call").view()), Err(CallError::MissingId));
    }
}
