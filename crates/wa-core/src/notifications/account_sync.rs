//! What another device of the account has changed (chapter 09d §6).

use std::collections::BTreeMap;

use compact_str::CompactString;
use wa_binary::{Jid, NodeRef};

use crate::envelope::{Own, phash};
use crate::fields::{jid, text};
use crate::queries::{DisappearingMode, ListedDevice, PrivacySettings};

/// An `account_sync` notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSync {
    /// In the order of the stanza.
    pub changes: Vec<AccountChange>,
}

/// One thing that has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountChange {
    /// The own push name.
    PushName(CompactString),
    /// The own devices, all of them.
    Devices {
        /// The list, which replaces the stored one for both addresses.
        devices: Vec<ListedDevice>,
        /// Whether the server's hash is that of the list; otherwise, ask. None without one.
        hash_matches: Option<bool>,
    },
    /// Privacy settings: fetch them and their deny lists after a quiet second.
    Privacy {
        /// Categories that the notification names, with their new value.
        changed: BTreeMap<CompactString, CompactString>,
    },
    /// The block list.
    Blocklist {
        /// What to apply to a list whose stamp is `prev_dhash`; none when the list has to be fetched.
        changes: Option<Vec<(Jid, BlockAction)>>,
        /// Stamp of the new list.
        dhash: Option<CompactString>,
        /// Stamp of the list before.
        prev_dhash: Option<CompactString>,
    },
    /// The own picture: fetch its id.
    Picture,
    /// The own about text: fetch it.
    About,
    /// The own default timer.
    DisappearingMode(DisappearingMode),
    /// The own user name was set; none when it was deleted.
    Username(Option<CompactString>),
    /// The own user name was changed: fetch it.
    UsernameChanged,
    /// Notices that wait to be accepted.
    Notices(Vec<CompactString>),
    /// Something that is not known, by its tag.
    Other(CompactString),
}

/// What happened to somebody on the block list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlockAction {
    /// Blocked.
    Block,
    /// No longer.
    Unblock,
}

impl BlockAction {
    /// The word in stanzas.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Unblock => "unblock",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [Self::Block, Self::Unblock].into_iter().find(|action| action.name() == word)
    }
}

impl AccountSync {
    /// Reads a notification. None when it does not come from the account itself: warn, and do nothing.
    pub fn parse(node: NodeRef<'_>, own: &Own) -> Option<Self> {
        let from = jid(node, "from").filter(|from| own.owns(from))?;
        let mut changes: Vec<AccountChange> =
            text(node, "pushname").map(AccountChange::PushName).into_iter().collect();
        changes.extend(node.each_child().filter_map(|child| AccountChange::parse(child, &from)));
        Some(Self { changes })
    }
}

impl AccountChange {
    fn parse(node: NodeRef<'_>, from: &Jid) -> Option<Self> {
        Some(match node.tag() {
            "devices" => devices(node, from),
            "privacy" => {
                let settings = PrivacySettings::of(node);
                let changed =
                    settings.known.into_iter().map(|(name, setting)| (name, setting.value)).collect();
                Self::Privacy { changed }
            }
            "blocklist" => blocklist(node),
            "picture" => Self::Picture,
            "status" => Self::About,
            "disappearing_mode" => Self::DisappearingMode(DisappearingMode::parse(node)?),
            "username" if node.attr_is("action", "modify") => Self::UsernameChanged,
            "username" => Self::Username(text(node, "username").filter(|name| !name.is_empty())),
            "tos" | "notice" => {
                let own = if node.is("notice") { text(node, "id") } else { None };
                let below = node.each("notice").filter_map(|notice| text(notice, "id"));
                Self::Notices(own.into_iter().chain(below).collect())
            }
            other => Self::Other(other.into()),
        })
    }
}

fn devices(node: NodeRef<'_>, from: &Jid) -> AccountChange {
    let mut all = Vec::new();
    let mut devices = Vec::new();
    for device in node.each("device") {
        let Some(own) = jid(device, "jid").filter(|device| device.family() == from.family()) else {
            continue;
        };
        devices.push(ListedDevice {
            id: own.device(),
            key_index: device.optional("key-index").u32().ok().flatten(),
            hosted: own.is_hosted(),
        });
        all.push(own);
    }
    AccountChange::Devices { devices, hash_matches: text(node, "dhash").map(|hash| phash(&all) == hash) }
}

fn blocklist(node: NodeRef<'_>) -> AccountChange {
    let change = |item: NodeRef<'_>| {
        let action = text(item, "action").and_then(|word| BlockAction::of(&word));
        Some((jid(item, "jid")?, action?))
    };
    let prev_dhash = text(node, "prev_dhash");
    let changes = node.each("item").map(change).collect::<Option<Vec<_>>>();
    let is_delta = prev_dhash.is_some() && !node.attr_is("action", "modify");
    AccountChange::Blocklist { changes: changes.filter(|_| is_delta), dhash: text(node, "dhash"), prev_dhash }
}

#[cfg(test)]
mod tests {
    use wa_binary::Node;

    use super::*;

    fn own() -> Own {
        Own { pn: "15550100001:7@s.whatsapp.net".parse().unwrap(), lid: "100000000000001:7@lid".parse().ok() }
    }

    fn sync(from: &str, children: Vec<Node>) -> Option<Vec<AccountChange>> {
        let node = Node::new("notification").attr("from", from).children(children);
        AccountSync::parse(node.view(), &own()).map(|sync| sync.changes)
    }

    #[test]
    fn only_the_account_itself_speaks_for_the_account() {
        let picture = || vec![Node::new("picture"), Node::new("new")];
        let expected = vec![AccountChange::Picture, AccountChange::Other("new".into())];
        assert_eq!(sync("100000000000001@lid", picture()), Some(expected.clone()));
        assert_eq!(sync("15550100001@s.whatsapp.net", picture()), Some(expected));
        assert_eq!(sync("15550100002@s.whatsapp.net", picture()), None);
    }

    #[test]
    fn a_block_list_with_an_item_that_cannot_be_read_is_fetched() {
        let item = |action: &str| {
            Node::new("item").attr("jid", "200000000000002@lid").attr("action", action.to_owned())
        };
        let list = |items: Vec<Node>| {
            let node = Node::new("blocklist").attr("dhash", "2").attr("prev_dhash", "1").children(items);
            match sync("100000000000001@lid", vec![node]).unwrap().remove(0) {
                AccountChange::Blocklist { changes, .. } => changes.map(|changes| changes.len()),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(list(vec![item("block"), item("unblock")]), Some(2));
        assert_eq!(list(vec![item("block"), item("ignore")]), None);
    }

    #[test]
    fn the_own_list_is_held_against_its_hash() {
        let device = |jid: &str| Node::new("device").attr("jid", jid.to_owned());
        let all = ["15550100001@s.whatsapp.net", "15550100001:7@s.whatsapp.net"];
        let hash = phash(&all.map(|jid| jid.parse().unwrap()));
        let list = |hash: &str| {
            let node = Node::new("devices").attr("dhash", hash.to_owned()).children(all.map(device));
            match sync(all[0], vec![node]).unwrap().remove(0) {
                AccountChange::Devices { devices, hash_matches } => (devices.len(), hash_matches),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(list(&hash), (2, Some(true)));
        assert_eq!(list("2:abcdefgh"), (2, Some(false)));
    }
}
