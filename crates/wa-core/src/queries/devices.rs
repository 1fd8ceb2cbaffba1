//! Device lists and what the phone's signature allows of them (chapter 09a §1.4).

use bytes::Bytes;
use compact_str::CompactString;
use prost::Message as _;
use wa_binary::{Hosting, Jid, NodeRef};
use wa_crypto::curve::PublicKey;
use wa_proto::adv::AdvSignedKeyIndexList;

use crate::adv::KeyIndexList;
use crate::fields::{bytes, flag, text};

/// A device as a list names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListedDevice {
    /// 0 is the phone.
    pub id: u16,
    /// Its place in the signed list.
    pub key_index: Option<u32>,
    /// Whether it runs at a provider's; its address is at the hosted server then.
    pub hosted: bool,
}

impl ListedDevice {
    /// Its address.
    pub fn jid(&self, user: &Jid) -> Jid {
        user.with_device(self.id, if self.hosted { Hosting::Hosted } else { Hosting::Own })
    }
}

/// A device list as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceList {
    /// Everything that is listed; whom to believe [`Self::accept`] says.
    pub devices: Vec<ListedDevice>,
    /// Hash of the list at the server.
    pub hash: Option<CompactString>,
    /// `ADVSignedKeyIndexList`.
    pub signed: Option<Bytes>,
}

/// A device list after the rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AcceptedDevices {
    /// The phone and what the phone vouches for.
    pub kept: Vec<ListedDevice>,
    /// Listed, but not vouched for.
    pub dropped: Vec<ListedDevice>,
    /// To be kept for conditional queries. None when companions were left out for want of a signed list: the next
    /// answer would say "unchanged" and lose them for good.
    pub hash: Option<CompactString>,
    /// Epoch of the account. Another than the stored one: it was registered anew, and what is known of its
    /// companions is void.
    pub raw_id: Option<u32>,
}

impl DeviceList {
    /// Reads `<devices>`. Entries without a readable id are left out.
    pub fn parse(devices: NodeRef<'_>) -> Option<Self> {
        let list = devices.optional_child("device-list")?;
        let device = |node: NodeRef<'_>| {
            Some(ListedDevice {
                id: node.required("id").u16().ok()?,
                key_index: node.optional("key-index").u32().ok().flatten(),
                hosted: flag(node, "is_hosted"),
            })
        };
        Some(Self {
            devices: list.each("device").filter_map(device).collect(),
            hash: text(list, "hash"),
            signed: devices.optional_child("key-index-list").and_then(bytes),
        })
    }

    /// Keeps the phone, and of the companions what the signed list holds or is newer than it. `identity` is the
    /// phone's key; while it is unknown the signature is not checked. None when nothing is left to send to.
    pub fn accept(&self, identity: Option<&PublicKey>) -> Option<AcceptedDevices> {
        let signed = self.signed.as_deref().and_then(|bytes| key_indexes(bytes, identity));
        let is_kept = |device: &ListedDevice| match &signed {
            Some(signed) => signed.keeps(device.id, device.key_index),
            None => device.id == 0,
        };
        let (kept, dropped): (Vec<_>, Vec<_>) = self.devices.iter().copied().partition(is_kept);
        if kept.is_empty() {
            return None;
        }
        let complete = signed.is_some() || dropped.is_empty();
        Some(AcceptedDevices {
            kept,
            dropped,
            hash: self.hash.clone().filter(|_| complete),
            raw_id: signed.map(|signed| signed.raw_id),
        })
    }
}

impl AcceptedDevices {
    /// The addresses of the kept devices.
    pub fn jids(&self, user: &Jid) -> Vec<Jid> {
        self.kept.iter().map(|device| device.jid(user)).collect()
    }
}

/// The list inside `ADVSignedKeyIndexList`; none when it does not decode or its signature is not the phone's.
pub(crate) fn key_indexes(signed: &[u8], identity: Option<&PublicKey>) -> Option<KeyIndexList> {
    match identity {
        Some(identity) => KeyIndexList::verify(signed, Some(identity)).ok(),
        None => KeyIndexList::decode(&AdvSignedKeyIndexList::decode(signed).ok()?.details?).ok(),
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
    use wa_crypto::curve::KeyPair;

    use super::*;
    use crate::adv;

    fn listed(id: u16, key_index: Option<u32>) -> ListedDevice {
        ListedDevice { id, key_index, hosted: false }
    }

    #[test]
    fn a_list_signed_by_somebody_else_vouches_for_nobody() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (phone, other) = (KeyPair::generate(&mut rng), KeyPair::generate(&mut rng));
        let indexes = KeyIndexList {
            raw_id: 9,
            timestamp: 1,
            current_index: 2,
            valid_indexes: vec![0, 2],
            account_type: adv::Hosting::EndToEnd,
        };
        let list = DeviceList {
            devices: vec![listed(0, None), listed(3, Some(2)), listed(4, Some(1)), listed(5, Some(7))],
            hash: Some("2:abcdefgh".into()),
            signed: Some(indexes.sign(&phone, &mut rng).encode()),
        };
        let kept = |identity: Option<&PublicKey>| {
            let accepted = list.accept(identity).unwrap();
            (accepted.kept.iter().map(|device| device.id).collect::<Vec<_>>(), accepted.hash.is_some())
        };
        assert_eq!(kept(Some(phone.public())), (vec![0, 3, 5], true));
        assert_eq!(kept(None), (vec![0, 3, 5], true));
        assert_eq!(kept(Some(other.public())), (vec![0], false));
        let companions = DeviceList { devices: vec![listed(3, Some(2))], ..DeviceList::default() };
        assert_eq!(companions.accept(None), None, "neither a phone nor a signed list");
    }
}
