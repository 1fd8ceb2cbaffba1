//! What others are told about an account: devices, identity, settings (chapters 09a §4, 09d §6, 10 §4).

use std::collections::BTreeSet;

use wa_binary::{Family, Node};
use wa_core::notifications::ContactHash;

use crate::offline::Class;
use crate::stanza::{el, notification};
use crate::world::{AccountId, Copy, DeviceKey, World};

/// A change of a device list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Linked.
    Added(u16),
    /// Unlinked.
    Removed(u16),
}

impl World {
    /// An id for a stanza of the server that belongs to no connection.
    pub(crate) fn fresh_id(&mut self) -> String {
        use rand_core::Rng as _;
        format!("{:016X}", self.streams.ids.next_u64())
    }

    /// A notification to all devices of an account but `except`. Each gets an id of its own.
    pub(crate) fn notify(
        &mut self,
        account: AccountId,
        except: Option<DeviceKey>,
        make: impl Fn(&World, &str) -> Node,
    ) {
        for device in self.device_keys(account) {
            if Some(device) != except {
                let id = self.fresh_id();
                let node = make(self, &id);
                self.deliver(device, Class::Notification, node, Copy::Others);
            }
        }
    }

    /// `account_sync` to the account's companions but `except`.
    pub(crate) fn account_sync(&mut self, account: AccountId, except: Option<DeviceKey>, child: &Node) {
        let own = self.account(account).jid(self.account(account).best_family());
        for device in self.device_keys(account) {
            if device.device != 0 && Some(device) != except {
                let id = self.fresh_id();
                let node = notification("account_sync", &own, &id, self.now_s()).child(child.clone());
                self.deliver(device, Class::Notification, node, Copy::Others);
            }
        }
    }

    /// Accounts that have something to do with this one: wrote, were written to, share a group, or follow its presence.
    pub(crate) fn acquaintances(&self, own: AccountId) -> Vec<AccountId> {
        let account = self.account(own);
        let following: BTreeSet<AccountId> = account
            .subscribers
            .iter()
            .filter_map(|conn| self.device_of(*conn))
            .map(|viewer| viewer.account)
            .collect();
        self.accounts
            .iter()
            .filter(|other| other.id != own)
            .filter(|other| {
                account.wrote_to.contains(&other.id)
                    || following.contains(&other.id)
                    || other.wrote_to.contains(&own)
                    || self.groups.values().any(|group| {
                        group.members.contains_key(&own) && group.members.contains_key(&other.id)
                    })
            })
            .map(|other| other.id)
            .collect()
    }

    /// Tells own devices and acquaintances of a linked or unlinked companion.
    pub(crate) fn announce_devices(&mut self, own: AccountId, change: Change) {
        let (Change::Added(number) | Change::Removed(number)) = change;
        let key = DeviceKey { account: own, device: number };
        let account = self.account(own);
        let list = account.devices.values().map(|device| {
            let node = el("device").attr("jid", account.device_jid(Family::Pn, device.number));
            if device.number == 0 { node } else { node.attr("key-index", device.key_index) }
        });
        let devices = el("devices")
            .attr("dhash", self.device_hash(own, Family::Pn))
            .children(list)
            .child(self.key_index_list(own));
        self.account_sync(own, Some(key), &devices);
        let account = self.account(own);
        let device = el("device")
            .attr("jid", account.device_jid(Family::Pn, number))
            .maybe_attr("lid", account.lid.map(|_| account.device_jid(Family::Lid, number)));
        let index = account.devices.get(&number).map(|device| device.key_index);
        let (tag, key_list) = match change {
            Change::Added(_) => ("add", self.key_index_list(own)),
            // Removal names only the time of the new list.
            Change::Removed(_) => ("remove", el("key-index-list").attr("ts", account.key_index_list.1)),
        };
        let operation = el(tag)
            .attr("device_hash", self.device_hash(own, Family::Pn))
            .attr("device_lid_hash", self.device_hash(own, Family::Lid))
            .child(device.maybe_attr("key-index", index))
            .child(key_list);
        let from = account.jid(Family::Pn);
        let lid = account.lid.map(|_| account.jid(Family::Lid));
        // The account's own companions hear it as well: some clients keep their own list only by this notification.
        for other in self.acquaintances(own).into_iter().chain([own]) {
            self.notify(other, Some(key), |world, id| {
                notification("devices", &from, id, world.now_s())
                    .maybe_attr("lid", lid.clone())
                    .child(operation.clone())
            });
        }
    }

    /// Tells acquaintances that the phone has a new identity, and that what they know of its devices is void.
    pub(crate) fn announce_identity(&mut self, own: AccountId) {
        let account = self.account(own);
        let from = account.jid(Family::Pn);
        let lid = account.lid.map(|_| account.jid(Family::Lid));
        let hash = ContactHash::of(lid.as_ref().unwrap_or(&from));
        for other in self.acquaintances(own) {
            self.notify(other, None, |world, id| {
                notification("encrypt", &from, id, world.now_s())
                    .maybe_attr("lid", lid.clone())
                    .child(el("identity"))
            });
            self.notify(other, None, |world, id| {
                notification("devices", &from, id, world.now_s())
                    .maybe_attr("lid", lid.clone())
                    .child(el("update").attr("hash", hash.as_str()))
            });
        }
    }
}
