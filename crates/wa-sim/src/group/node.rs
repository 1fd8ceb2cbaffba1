//! The `<group>` node (chapter 09b §3.2).

use wa_binary::{Family, Node};

use super::{Group, Role};
use crate::message_mode as mode;
use crate::stanza::el;
use crate::world::{AccountId, World};

impl World {
    /// `<participant>` in the family of a group, with the other address beside it.
    pub(super) fn participant(&self, family: Family, account: AccountId, role: Option<Role>) -> Node {
        let owner = self.account(account);
        let node = el("participant").attr("jid", owner.jid(family));
        let node = match family {
            Family::Lid if owner.lid.is_some() => node.maybe_attr("phone_number", owner.alternate(family)),
            Family::Lid => node,
            Family::Pn => node.maybe_attr("lid", owner.lid.map(|_| owner.jid(Family::Lid))),
        };
        node.maybe_attr("type", role.and_then(Role::name))
    }

    /// The complete `<group>`.
    pub(crate) fn group_node(&self, group: &Group) -> Node {
        let family = group.addressing;
        let by = |account: AccountId| self.account(account).jid(family);
        let pn =
            |account: AccountId| self.account(account).alternate(family).filter(|_| family == Family::Lid);
        let (subject, s_t, s_o) = (&group.subject.0, group.subject.1, group.subject.2);
        let mut node = el("group")
            .attr("id", group.id)
            .attr("subject", subject.as_str())
            .attr("s_t", s_t)
            .attr("s_o", by(s_o))
            .maybe_attr("s_o_pn", pn(s_o))
            .attr("creation", group.created)
            .attr("creator", by(group.creator))
            .maybe_attr("creator_pn", pn(group.creator))
            .attr("addressing_mode", mode(family))
            .attr("size", group.members.len())
            .attr("p_v_id", group.version)
            .attr("a_v_id", group.version);
        for (account, role) in &group.members {
            node.push(self.participant(family, *account, Some(*role)));
        }
        self.group_settings(group, node)
    }

    /// The same without its members, for those who are only invited: a sample of the admins.
    pub(super) fn group_sample(&self, group: &Group) -> Node {
        let mut sample = group.clone();
        sample.members.retain(|_, role| role.is_admin());
        self.group_node(&sample).attr("size", group.members.len())
    }

    fn group_settings(&self, group: &Group, mut node: Node) -> Node {
        let family = group.addressing;
        let by = |account: AccountId| self.account(account).jid(family);
        let pn =
            |account: AccountId| self.account(account).alternate(family).filter(|_| family == Family::Lid);
        if let Some(description) = &group.description {
            node.push(
                el("description")
                    .attr("id", &description.id)
                    .attr("participant", by(description.by))
                    .maybe_attr("participant_pn", pn(description.by))
                    .attr("t", description.t)
                    .child(el("body").text(description.text.clone())),
            );
        }
        if group.locked {
            node.push(el("locked"));
        }
        if group.announcement {
            node.push(el("announcement"));
        }
        if group.ephemeral > 0 {
            node.push(el("ephemeral").attr("expiration", group.ephemeral));
        }
        if group.approval {
            node.push(el("membership_approval_mode").child(el("group_join").attr("state", "on")));
        }
        for (name, text) in &group.settings {
            let child = el(name);
            node.push(match text {
                Some(text) => child.text(text.clone()),
                None => child,
            });
        }
        if let Some(parent) = &group.parent {
            node.push(el("parent").maybe_attr("default_membership_approval_mode", parent.approval.clone()));
        }
        if let Some(parent) = group.linked_parent {
            node.push(
                el("linked_parent").attr("jid", wa_binary::Jid::numbered(parent, wa_binary::Server::Group)),
            );
        }
        if group.default_sub_group {
            node.push(el("default_sub_group"));
        }
        node
    }
}
