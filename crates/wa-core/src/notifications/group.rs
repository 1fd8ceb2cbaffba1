//! Something happened in a group (chapter 09b §8): one notification, one event for each child, in their order.

use compact_str::CompactString;
use wa_binary::{Family, FieldError, Jid, NodeRef};

use super::GroupAction;
use crate::fields::{jid, number, text};
use crate::queries::{Mapping, family};

/// The child that says that some identities are withheld.
const INCOMPLETE: &str = "missing_participant_identification";

/// A `w:gp2` notification.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupNotification {
    /// Which group.
    pub group: Jid,
    /// Who did it.
    pub actor: Option<Jid>,
    /// Their phone number.
    pub actor_pn: Option<Jid>,
    /// Their name for themselves.
    pub push_name: Option<CompactString>,
    /// Seconds.
    pub timestamp: Option<u64>,
    /// Family of the addresses, when the stanza says so.
    pub addressing: Option<Family>,
    /// Whether some identities are withheld: what is known of the group is to be fetched.
    pub incomplete: bool,
    /// What happened, in order.
    pub actions: Vec<GroupAction>,
    /// Version of the list of participants afterwards.
    pub participant_version: Option<CompactString>,
    /// And before. When it is not the stored one, something was missed: fetch rather than patch.
    pub previous_version: Option<CompactString>,
}

impl GroupNotification {
    /// Reads a notification. Children that cannot be read are left out.
    ///
    /// # Errors
    /// When it comes from nowhere.
    pub fn parse(node: NodeRef<'_>) -> Result<Self, FieldError> {
        let group = node.required("from").jid()?;
        let actor = jid(node, "participant");
        let addressing = family(node).ok().flatten();
        let children = || node.each_child().filter(|child| !child.is(INCOMPLETE));
        // A switch for announcements has a version of its own.
        let is_list =
            |child: &NodeRef<'_>| matches!(child.tag(), "add" | "remove" | "promote" | "demote" | "modify");
        let version = |name: &str| children().filter(is_list).filter_map(|child| text(child, name)).last();
        Ok(Self {
            actions: children()
                .filter_map(|child| GroupAction::parse(child, actor.as_ref(), addressing))
                .collect(),
            participant_version: version("v_id"),
            previous_version: children().filter(is_list).find_map(|child| text(child, "prev_v_id")),
            incomplete: node.optional_child(INCOMPLETE).is_some(),
            actor_pn: jid(node, "participant_pn"),
            push_name: text(node, "notify"),
            timestamp: number(node, "t"),
            addressing,
            group,
            actor,
        })
    }

    /// The actor's two addresses, when the stanza holds both.
    pub fn actor_mapping(&self) -> Option<Mapping> {
        Mapping::of(self.actor.as_ref()?, self.actor_pn.as_ref()?)
    }

    /// Whether the own sender key must change before the next message.
    pub fn rotates_sender_key(&self) -> bool {
        self.actions.iter().any(GroupAction::rotates_sender_key)
    }
}

#[cfg(test)]
mod tests {
    use wa_binary::Node;

    use super::*;

    fn notification(children: Vec<Node>) -> GroupNotification {
        let node = Node::new("notification")
            .attr("from", "120363000000000001@g.us")
            .attr("participant", "200000000000002@lid")
            .attr("addressing_mode", "lid")
            .children(children);
        GroupNotification::parse(node.view()).unwrap()
    }

    fn participant(jid: &str) -> Node {
        Node::new("participant").attr("jid", jid.to_owned())
    }

    #[test]
    fn a_child_that_lacks_what_it_needs_spoils_no_sibling() {
        let read = notification(vec![
            Node::new("create"),
            Node::new("link").attr("link_type", "sub_group"),
            Node::new("description").attr("id", "1"),
            Node::new("subject"),
            Node::new("unlocked"),
        ]);
        assert_eq!(read.actions, [GroupAction::Switch { name: "locked", on: false }]);
        assert!(GroupNotification::parse(Node::new("notification").view()).is_err());
    }

    #[test]
    fn who_removes_only_himself_has_left() {
        let remove = |who: &[&str]| {
            let read =
                notification(vec![Node::new("remove").children(who.iter().map(|jid| participant(jid)))]);
            assert!(read.rotates_sender_key());
            matches!(&read.actions[0], GroupAction::Remove { left_voluntarily: true, .. })
        };
        assert!(remove(&["200000000000002@lid"]));
        assert!(!remove(&["200000000000003@lid"]));
        assert!(!remove(&["200000000000002@lid", "200000000000003@lid"]));
        assert!(
            !notification(vec![Node::new("add").child(participant("200000000000002@lid"))])
                .rotates_sender_key()
        );
    }

    #[test]
    fn a_created_group_takes_the_addressing_of_its_notification() {
        let create = Node::new("create").child(Node::new("group").attr("id", "120363000000000001"));
        let read = notification(vec![create]);
        assert!(
            matches!(&read.actions[0], GroupAction::Create { group, .. } if group.addressing == Family::Lid)
        );
    }
}
