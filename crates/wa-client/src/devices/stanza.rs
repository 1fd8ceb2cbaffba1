//! The user directory query for device lists and LIDs (chapter 09a §1).

use wa_binary::{FieldError, Jid, Node, NodeRef};
use wa_core::adv::KeyIndexList;
use wa_store::DeviceEntry;

use crate::connection::link::{Request, iq};

/// Asks for the devices of users, and for the LIDs of those that are given by phone number.
#[derive(Debug)]
pub(crate) struct DeviceQuery<'u> {
    pub(crate) users: &'u [Jid],
}

/// What the server said of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserDevices {
    /// As the server names them.
    pub(crate) user: Jid,
    /// The same person's other address, if the answer holds it.
    pub(crate) other: Option<Jid>,
    /// The list; `None` when the answer has none for this user.
    pub(crate) list: Option<AnsweredList>,
}

/// A device list with what the phone's signature allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AnsweredList {
    pub(crate) devices: Vec<DeviceEntry>,
    pub(crate) hash: Option<String>,
    pub(crate) raw_id: Option<u32>,
}

impl Request for DeviceQuery<'_> {
    type Response = Vec<UserDevices>;

    fn node(&self, id: &str) -> Node {
        let users = self.users.iter().map(|user| Node::new("user").attr("jid", user.user_jid()));
        let usync = Node::new("usync")
            .attr("sid", id)
            .attr("mode", "query")
            .attr("context", "message")
            .attr("index", "0")
            .attr("last", "true")
            .child(Node::new("query").children([Node::new("devices").attr("version", "2"), Node::new("lid")]))
            .child(Node::new("list").children(users));
        iq(id, "get", "usync").child(usync)
    }

    fn parse(&self, answer: &Node) -> Result<Self::Response, FieldError> {
        let list = answer.required_child("usync")?.required_child("list")?;
        let users = list.each("user").filter_map(|user| {
            let jid = user.optional("jid").jid().ok()??;
            let lid = user.optional_child("lid").and_then(|lid| lid.optional("val").jid().ok()?);
            let other = user.optional("pn_jid").jid().ok().flatten().or(lid);
            Some(UserDevices { user: jid, other, list: user.optional_child("devices").and_then(device_list) })
        });
        Ok(users.collect())
    }
}

/// `<devices>`, filtered by the signed key-index list (chapter 09a §1.4): without its bytes no companion is believed.
pub(crate) fn device_list(devices: NodeRef<'_>) -> Option<AnsweredList> {
    let list = devices.optional_child("device-list")?;
    let all: Vec<DeviceEntry> = list.each("device").filter_map(device).collect();
    let signed = devices
        .optional_child("key-index-list")
        .and_then(NodeRef::optional_bytes)
        .and_then(|bytes| KeyIndexList::verify(&bytes, None).ok());
    let hash = list.optional("hash").string().ok().flatten().filter(|_| signed.is_some());
    let raw_id = signed.as_ref().map(|signed| signed.raw_id);
    let kept: Vec<DeviceEntry> = all
        .into_iter()
        .filter(|entry| match &signed {
            Some(signed) => signed.keeps(entry.id, entry.key_index),
            None => entry.id == 0,
        })
        .collect();
    (!kept.is_empty()).then(|| AnsweredList { devices: kept, hash: hash.map(Into::into), raw_id })
}

fn device(node: NodeRef<'_>) -> Option<DeviceEntry> {
    Some(DeviceEntry {
        id: node.required("id").u16().ok()?,
        key_index: node.optional("key-index").u32().ok().flatten(),
        hosted: node.attr_is("is_hosted", "true"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn companions_without_the_phones_signature_are_not_believed() {
        let list =
            Node::new("devices").child(Node::new("device-list").attr("hash", "2:abcdefgh").children([
                Node::new("device").attr("id", "0"),
                Node::new("device").attr("id", "7").attr("key-index", "1"),
            ]));
        let answer = device_list(list.view()).unwrap();
        assert_eq!(answer.devices.iter().map(|device| device.id).collect::<Vec<_>>(), [0]);
        assert_eq!(answer.hash, None, "a conditional query would lose the companions for good");
    }
}
