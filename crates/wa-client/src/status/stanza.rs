//! The question to whom status posts go (chapter 09a §9).

use serde::{Deserialize, Serialize};
use wa_binary::{FieldError, Jid, Node, NodeRef};

use crate::connection::link::{Request, iq};

/// How the audience is made up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StatusList {
    /// Everybody in the address book.
    #[default]
    Contacts,
    /// The address book without some.
    Except,
    /// Some alone.
    Only,
}

impl StatusList {
    /// The value of `status_setting`.
    pub(super) const fn setting(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Except => "denylist",
            Self::Only => "allowlist",
        }
    }
}

/// To whom posts go as the account is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusPrivacy {
    /// Which list is in force.
    pub list: StatusList,
    /// Who is on it.
    pub people: Vec<Jid>,
}

/// Asks for it.
#[derive(Debug)]
pub(crate) struct StatusPrivacyQuery;

impl Request for StatusPrivacyQuery {
    type Response = StatusPrivacy;

    fn node(&self, id: &str) -> Node {
        iq(id, "get", "status").child(Node::new("privacy"))
    }

    fn parse(&self, answer: NodeRef<'_>) -> Result<StatusPrivacy, FieldError> {
        let Some(privacy) = answer.optional_child("privacy") else { return Ok(StatusPrivacy::default()) };
        let lists = || privacy.each("list");
        // The default one is in force; one alone needs no mark.
        let Some(list) = lists().find(|list| list.attr_is("default", "true")).or_else(|| lists().next())
        else {
            return Ok(StatusPrivacy::default());
        };
        let kind = match () {
            () if list.attr_is("type", "whitelist") => StatusList::Only,
            () if list.attr_is("type", "blacklist") => StatusList::Except,
            () => StatusList::Contacts,
        };
        let people = list.each("user").map(|user| user.required("jid").jid()).collect::<Result<_, _>>()?;
        Ok(StatusPrivacy { list: kind, people })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_in_force_is_the_default_one() {
        let user = |jid: &'static str| Node::new("user").attr("jid", jid.parse::<Jid>().unwrap());
        let list = |kind: &'static str| Node::new("list").attr("type", kind);
        let read = |privacy: Node| StatusPrivacyQuery.parse(Node::new("iq").child(privacy).view()).unwrap();
        let privacy = Node::new("privacy")
            .child(list("blacklist").child(user("15550101@s.whatsapp.net")))
            .child(list("whitelist").attr("default", "true").child(user("15550102@s.whatsapp.net")));
        let found = read(privacy);
        assert_eq!((found.list, found.people.len()), (StatusList::Only, 1));
        assert_eq!(found.people[0].user(), "15550102");
        assert_eq!(read(Node::new("privacy")), StatusPrivacy::default());
        assert_eq!(read(Node::new("privacy").child(list("contacts"))).list, StatusList::Contacts);
    }
}
