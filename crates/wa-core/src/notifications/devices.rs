//! Somebody's devices have changed (chapter 09a §4.1). A partial list must never look complete: without a stored list
//! an addition is no more than a reason to ask.

use wa_binary::{FieldError, Jid, NodeRef, Problem};
use wa_crypto::curve::PublicKey;

use super::ContactHash;
use crate::envelope::phash;
use crate::fields::{bytes, jid, text};
use crate::queries::{ListedDevice, Mapping, key_indexes};

/// A `devices` notification.
#[derive(Clone, Debug, PartialEq)]
pub struct DevicesNotification {
    /// Whose devices; for an update the one in whose name it came.
    pub user: Jid,
    /// Both addresses, when the stanza holds both.
    pub mapping: Option<Mapping>,
    /// What happened.
    pub change: DeviceChange,
}

/// What happened to the devices. Of several operations in a stanza only one counts: remove before add before update.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceChange {
    /// New devices.
    Add {
        /// Which.
        devices: Vec<ListedDevice>,
        /// `ADVSignedKeyIndexList`.
        signed: Option<bytes::Bytes>,
        /// Hash of the list that results, over addresses as in [`DevicesNotification::user`].
        hash: Option<compact_str::CompactString>,
    },
    /// Devices that are gone.
    Remove {
        /// Which.
        devices: Vec<ListedDevice>,
        /// As in [`Self::Add`].
        hash: Option<compact_str::CompactString>,
    },
    /// The list of a contact that the hash stands for has changed. None for a hash that says nothing.
    Update(Option<ContactHash>),
}

/// A stored list of devices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceRecord {
    /// The devices, the phone among them.
    pub devices: Vec<ListedDevice>,
    /// Epoch of the account.
    pub raw_id: Option<u32>,
}

/// What a notification makes of a stored list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppliedDevices {
    /// The new list; none where there was none.
    pub record: Option<DeviceRecord>,
    /// Devices whose sessions and sender-key marks must go, in both families and hosted or not, before the list is
    /// stored.
    pub gone: Vec<u16>,
    /// Whether the result is what the server has. Otherwise, mark the list as stale. None without a hash or a list.
    pub hash_matches: Option<bool>,
}

impl DevicesNotification {
    /// Reads a notification.
    ///
    /// # Errors
    /// Without an operation, or when one lacks what it needs: what is known of the user is to be forgotten then. Also
    /// when a device's two addresses name different devices.
    pub fn parse(node: NodeRef<'_>) -> Result<Self, FieldError> {
        let user = node.required("from").jid()?;
        let mapping = jid(node, "lid").and_then(|lid| Mapping::of(&user, &lid));
        let change = if let Some(remove) = node.optional_child("remove") {
            let list = remove.required_child("key-index-list")?;
            if list.required("ts").u64()? == 0 {
                return Err(list.attr_error("ts", Problem::NotANumber));
            }
            DeviceChange::Remove { devices: devices(remove)?, hash: text(remove, "device_hash") }
        } else if let Some(add) = node.optional_child("add") {
            let list = add.required_child("key-index-list")?;
            DeviceChange::Add { devices: devices(add)?, signed: bytes(list), hash: text(add, "device_hash") }
        } else {
            let update = node.required_child("update")?;
            DeviceChange::Update(ContactHash::parse(&update.required("hash").string()?))
        };
        Ok(Self { user: user.user_jid(), mapping, change })
    }

    /// What becomes of the stored list. `identity` is the key of the user's phone, with which a signed list is
    /// checked once it is known.
    pub fn apply(&self, stored: Option<&DeviceRecord>, identity: Option<&PublicKey>) -> AppliedDevices {
        let Some(stored) = stored else {
            let gone = match &self.change {
                DeviceChange::Remove { devices, .. } => companions(devices),
                _ => Vec::new(),
            };
            return AppliedDevices { gone, ..AppliedDevices::default() };
        };
        let mut record = stored.clone();
        let (mut gone, hash) = match &self.change {
            DeviceChange::Update(_) => {
                return AppliedDevices { record: Some(record), ..AppliedDevices::default() };
            }
            DeviceChange::Remove { devices, hash } => {
                record.devices.retain(|own| own.id == 0 || devices.iter().all(|device| device.id != own.id));
                (companions(devices), hash)
            }
            DeviceChange::Add { devices, signed, hash } => {
                (add(&mut record, devices, signed.as_deref(), identity), hash)
            }
        };
        if record.devices.iter().all(|device| device.id != 0) {
            record.devices.insert(0, ListedDevice { id: 0, key_index: None, hosted: false });
        }
        gone.sort_unstable();
        gone.dedup();
        let all: Vec<Jid> = record.devices.iter().map(|device| device.jid(&self.user)).collect();
        let hash_matches = hash.as_ref().map(|hash| phash(&all) == *hash);
        AppliedDevices { record: Some(record), gone, hash_matches }
    }
}

/// Adds what the signed list vouches for, drops what it no longer does; gives the ids that are gone.
fn add(
    record: &mut DeviceRecord,
    devices: &[ListedDevice],
    signed: Option<&[u8]>,
    identity: Option<&PublicKey>,
) -> Vec<u16> {
    let Some(signed) = signed.and_then(|bytes| key_indexes(bytes, identity)) else { return Vec::new() };
    let before = record.devices.clone();
    if record.raw_id.is_some_and(|raw_id| raw_id != signed.raw_id) {
        // Registered anew: nothing that is known of the companions holds.
        record.devices.retain(|device| device.id == 0);
    }
    record.raw_id = Some(signed.raw_id);
    // A device whose index was never stored stays; who stored it knew the list of that time.
    record.devices.retain(|device| device.key_index.is_none() || signed.keeps(device.id, device.key_index));
    let mut gone: Vec<u16> = companions(&before);
    gone.retain(|id| record.devices.iter().all(|device| device.id != *id));
    for device in devices.iter().filter(|device| signed.keeps(device.id, device.key_index)) {
        record.devices.retain(|own| own.id != device.id);
        record.devices.push(*device);
    }
    gone
}

fn companions(devices: &[ListedDevice]) -> Vec<u16> {
    devices.iter().map(|device| device.id).filter(|id| *id != 0).collect()
}

/// The devices of an operation. Entries without an address are left out.
fn devices(operation: NodeRef<'_>) -> Result<Vec<ListedDevice>, FieldError> {
    let mut devices = Vec::new();
    for node in operation.each("device") {
        let Some(own) = jid(node, "jid") else { continue };
        if node.optional("lid").jid()?.is_some_and(|lid| lid.device() != own.device()) {
            return Err(node.attr_error("lid", Problem::Unexpected { wanted: "the same device" }));
        }
        devices.push(ListedDevice {
            id: own.device(),
            key_index: node.optional("key-index").u32().ok().flatten(),
            hosted: own.is_hosted(),
        });
    }
    Ok(devices)
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use wa_binary::Node;
    use wa_proto::adv::{AdvKeyIndexList, AdvSignedKeyIndexList};

    use super::*;

    fn signed(raw_id: u32, valid: &[u32]) -> Vec<u8> {
        let list = AdvKeyIndexList {
            raw_id: Some(raw_id),
            current_index: valid.iter().max().copied(),
            valid_indexes: valid.to_vec(),
            ..AdvKeyIndexList::default()
        };
        AdvSignedKeyIndexList { details: Some(list.encode_to_vec().into()), ..Default::default() }
            .encode_to_vec()
    }

    fn add(id: u16, key_index: &str, list: Vec<u8>) -> DevicesNotification {
        let device = Node::new("device")
            .attr("jid", format!("15550100001:{id}@s.whatsapp.net"))
            .attr("key-index", key_index);
        let list = Node::new("key-index-list").attr("ts", "1").bytes(list);
        let node = Node::new("notification")
            .attr("from", "15550100001@s.whatsapp.net")
            .child(Node::new("add").children([device, list]));
        DevicesNotification::parse(node.view()).unwrap()
    }

    fn record(raw_id: u32, devices: &[(u16, Option<u32>)]) -> DeviceRecord {
        let device = |(id, key_index): &(u16, Option<u32>)| ListedDevice {
            id: *id,
            key_index: *key_index,
            hosted: false,
        };
        DeviceRecord { devices: devices.iter().map(device).collect(), raw_id: Some(raw_id) }
    }

    fn applied(notification: &DevicesNotification, stored: &DeviceRecord) -> (Vec<u16>, Vec<u16>) {
        let applied = notification.apply(Some(stored), None);
        let ids = applied.record.unwrap().devices.iter().map(|device| device.id).collect();
        (ids, applied.gone)
    }

    #[test]
    fn a_device_that_the_phone_does_not_vouch_for_is_not_added() {
        let stored = record(1, &[(0, None), (2, Some(1))]);
        assert_eq!(applied(&add(3, "2", signed(1, &[0, 1, 2])), &stored), (vec![0, 2, 3], vec![]));
        assert_eq!(applied(&add(3, "2", signed(1, &[0, 1, 3])), &stored), (vec![0, 2], vec![]));
        assert_eq!(applied(&add(3, "2", Vec::new()), &stored).0, [0, 2]);
        assert_eq!(add(3, "2", signed(1, &[0, 2])).apply(None, None), AppliedDevices::default());
    }

    #[test]
    fn companions_of_an_earlier_registration_are_gone() {
        let stored = record(1, &[(0, None), (2, Some(1))]);
        assert_eq!(applied(&add(3, "1", signed(9, &[0, 1])), &stored), (vec![0, 3], vec![2]));
        assert_eq!(applied(&add(3, "2", signed(1, &[0, 2])), &stored), (vec![0, 3], vec![2]));
    }

    #[test]
    fn an_operation_without_what_it_needs_is_an_error() {
        let notification = |child: Node| {
            let node = Node::new("notification").attr("from", "15550100001@s.whatsapp.net").child(child);
            DevicesNotification::parse(node.view())
        };
        let list = |ts: &str| Node::new("key-index-list").attr("ts", ts.to_owned());
        assert!(notification(Node::new("add")).is_err());
        assert!(notification(Node::new("remove").child(list("0"))).is_err());
        assert!(notification(Node::new("remove").child(list("5"))).is_ok());
        assert!(notification(Node::new("update")).is_err());
        assert!(notification(Node::new("other")).is_err());
        let useless = notification(Node::new("update").attr("hash", "toolong")).unwrap();
        assert_eq!(useless.change, DeviceChange::Update(None));
    }
}
