//! The user directory query for device lists and LIDs (chapter 09a §1).

use prost::Message as _;
use wa_binary::{FieldError, Jid, Node, NodeRef};
use wa_core::adv::KeyIndexList;
use wa_crypto::curve::PublicKey;
use wa_proto::adv::AdvSignedKeyIndexList;
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

/// A device list as the server says it is, with the phone's signed list of key indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AnsweredList {
    devices: Vec<DeviceEntry>,
    hash: Option<String>,
    signed: Option<Vec<u8>>,
}

/// What of a device list is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BelievedList {
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

    fn parse(&self, answer: NodeRef<'_>) -> Result<Self::Response, FieldError> {
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

/// `<devices>` as it stands.
pub(crate) fn device_list(devices: NodeRef<'_>) -> Option<AnsweredList> {
    let list = devices.optional_child("device-list")?;
    let signed = devices.optional_child("key-index-list").and_then(NodeRef::optional_bytes);
    Some(AnsweredList {
        devices: list.each("device").filter_map(device).collect(),
        hash: list.optional("hash").string().ok().flatten().map(Into::into),
        signed: signed.map(std::borrow::Cow::into_owned),
    })
}

impl AnsweredList {
    /// Filtered by the signed key-index list (chapter 09a §1.4). It is checked against the identity of the phone where
    /// that is known; without its bytes no companion is believed. `None` when nothing is left.
    pub(crate) fn believe(&self, phone: Option<&PublicKey>) -> Option<BelievedList> {
        let signed = self.signed.as_deref().and_then(|blob| match phone {
            Some(_) => KeyIndexList::verify(blob, phone).ok(),
            None => KeyIndexList::decode(&AdvSignedKeyIndexList::decode(blob).ok()?.details?).ok(),
        });
        let keeps = |entry: &&DeviceEntry| match &signed {
            Some(signed) => signed.keeps(entry.id, entry.key_index),
            None => entry.id == 0,
        };
        let devices: Vec<DeviceEntry> = self.devices.iter().filter(keeps).copied().collect();
        (!devices.is_empty()).then(|| BelievedList {
            devices,
            hash: self.hash.clone().filter(|_| signed.is_some()),
            raw_id: signed.map(|signed| signed.raw_id),
        })
    }
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
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use wa_crypto::curve::KeyPair;

    use super::*;

    #[test]
    fn companions_without_the_phones_signature_are_not_believed() {
        let answer = answered(None).believe(None).unwrap();
        assert_eq!(ids(&answer), [0]);
        assert_eq!(answer.hash, None, "a conditional query would lose the companions for good");
    }

    #[test]
    fn the_signature_counts_once_the_phones_identity_is_known() {
        let mut rng = StdRng::seed_from_u64(1);
        let (phone, other) = (KeyPair::generate(&mut rng), KeyPair::generate(&mut rng));
        let signed = KeyIndexList {
            raw_id: 5,
            timestamp: 1,
            current_index: 1,
            valid_indexes: vec![0, 1],
            account_type: wa_core::adv::Hosting::EndToEnd,
        }
        .sign(&phone, &mut rng)
        .encode();
        let list = answered(Some(&signed));
        // A stranger at the first contact: there is nothing yet to check against.
        assert_eq!(ids(&list.believe(None).unwrap()), [0, 7]);
        assert_eq!(list.believe(Some(phone.public())).unwrap().raw_id, Some(5));
        assert_eq!(ids(&list.believe(Some(other.public())).unwrap()), [0]);
    }

    fn answered(signed: Option<&[u8]>) -> AnsweredList {
        let list = Node::new("device-list").attr("hash", "2:abcdefgh").children([
            Node::new("device").attr("id", "0"),
            Node::new("device").attr("id", "7").attr("key-index", "1"),
        ]);
        let signed = signed.map(|bytes| Node::new("key-index-list").attr("ts", "1").bytes(bytes.to_vec()));
        let devices = Node::new("devices").child(list).children(signed);
        device_list(devices.view()).unwrap()
    }

    fn ids(list: &BelievedList) -> Vec<u16> {
        list.devices.iter().map(|device| device.id).collect()
    }
}
