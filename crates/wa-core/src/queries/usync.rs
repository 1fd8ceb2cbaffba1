//! Answers of the user directory (chapter 09a §1.3): users, what went wrong for a whole protocol, when to ask again.

use std::collections::BTreeMap;

use compact_str::CompactString;
use wa_binary::{Jid, NodeRef};

use super::{IqError, Mapping, QueryError, UsyncUser, reply};
use crate::fields::number;

/// Protocols whose error fails the whole call. Devices that did come are used.
const FAILING: [&str; 6] = ["contact", "lid", "business", "status", "picture", "username"];

/// The answer to a directory query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UsyncAnswer {
    /// Who was asked for.
    pub users: Vec<UsyncUser>,
    /// A second list, which nobody asks for.
    pub side_users: Vec<UsyncUser>,
    /// Seconds after which a protocol should be asked again, by protocol.
    pub refresh: BTreeMap<CompactString, u64>,
    /// Errors of whole protocols. A back-off there is for all users.
    pub errors: BTreeMap<CompactString, IqError>,
}

/// What a query by user name has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsernameLookup {
    /// One user.
    Found(Jid),
    /// There is one, but only who knows the key learns the address.
    KeyRequired,
    /// Nobody, or not one.
    NotFound,
}

impl UsyncAnswer {
    /// Reads an answer.
    ///
    /// # Errors
    /// When the server refused, and when the list of users is missing.
    pub fn parse(iq: NodeRef<'_>) -> Result<Self, QueryError> {
        let usync = reply(iq)?.required_child("usync")?;
        let users = |list: NodeRef<'_>| list.each("user").filter_map(UsyncUser::parse).collect();
        let mut answer = Self {
            users: users(usync.required_child("list")?),
            side_users: usync.optional_child("side_list").map(users).unwrap_or_default(),
            ..Self::default()
        };
        for protocol in usync.optional_child("result").into_iter().flat_map(NodeRef::each_child) {
            if let Some(error) = IqError::inside(protocol) {
                answer.errors.insert(protocol.tag().into(), error);
            }
            if let Some(seconds) = number(protocol, "refresh") {
                answer.refresh.insert(protocol.tag().into(), seconds);
            }
        }
        Ok(answer)
    }

    /// The error that fails the call, if a protocol has one that does.
    pub fn failure(&self) -> Option<&IqError> {
        FAILING.iter().find_map(|protocol| self.errors.get(*protocol))
    }

    /// The address pairs to keep.
    pub fn mappings(&self) -> Vec<Mapping> {
        self.users.iter().filter_map(UsyncUser::mapping).collect()
    }

    /// Reads the answer to a query by user name.
    pub fn username_lookup(&self) -> UsernameLookup {
        let [user] = &self.users[..] else { return UsernameLookup::NotFound };
        let refused = user.errors.contains_key("contact");
        match (&user.jid, user.registered()) {
            _ if refused => UsernameLookup::NotFound,
            (_, Some(false)) => UsernameLookup::NotFound,
            (Some(jid), _) => UsernameLookup::Found(jid.clone()),
            (None, _) => UsernameLookup::KeyRequired,
        }
    }
}

#[cfg(test)]
mod tests {
    use wa_binary::Node;

    use super::*;

    fn answer(users: Vec<Node>) -> Node {
        let list = Node::new("list").children(users);
        Node::new("iq").attr("type", "result").child(Node::new("usync").child(list))
    }

    fn user(jid: Option<&str>) -> Node {
        Node::new("user").maybe_attr("jid", jid)
    }

    #[test]
    fn a_lid_elsewhere_than_in_lid_space_is_an_error_of_that_user_alone() {
        let lid = |val: &str| Node::new("lid").attr("val", val);
        let node = answer(vec![
            user(Some("15550100001@s.whatsapp.net")).child(lid("15550100009@s.whatsapp.net")),
            user(Some("15550100002@s.whatsapp.net")).child(lid("200000000000002@lid")),
            user(None),
        ]);
        let answer = UsyncAnswer::parse(node.view()).unwrap();
        assert_eq!(answer.users.len(), 2, "who has neither address nor question is nobody");
        assert!(answer.users[0].errors.contains_key("lid"));
        let mappings = answer.mappings();
        assert_eq!(mappings.len(), 1);
        assert_eq!(mappings[0].lid.to_string(), "200000000000002@lid");
        assert_eq!(answer.failure(), None);
    }

    #[test]
    fn a_user_name_is_found_needs_a_key_or_is_nobodys() {
        let contact = |kind: &str| Node::new("contact").attr("type", kind);
        let lookup = |users: Vec<Node>| UsyncAnswer::parse(answer(users).view()).unwrap().username_lookup();
        let lid: Jid = "200000000000002@lid".parse().unwrap();
        let found = user(Some("200000000000002@lid")).child(contact("in"));
        assert_eq!(lookup(vec![found.clone()]), UsernameLookup::Found(lid));
        assert_eq!(lookup(vec![user(None).child(contact("in"))]), UsernameLookup::KeyRequired);
        let error = Node::new("contact").child(Node::new("error").attr("code", "404"));
        for nobody in
            [vec![], vec![user(None).child(contact("out"))], vec![user(None).child(error)], vec![found; 2]]
        {
            assert_eq!(lookup(nobody), UsernameLookup::NotFound);
        }
    }
}
