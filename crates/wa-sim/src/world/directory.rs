//! Who is who: accounts by number and LID, addresses in either family, device lists (chapter 10 §2.2, §4).

use wa_binary::{Family, Hosting, Jid, Node};

use super::account::Account;
use super::{AccountId, Device, DeviceKey, NewChats, Presence, Standing, Switches, World, assign};
use crate::iq::app_state::Collections;
use crate::iq::kept::Kept;
use crate::phone::{Phone, PhoneConfig};
use crate::prekeys::Stock;
use crate::stanza::el;

impl Account {
    /// The account's address without device. A LID-less account has only its number.
    #[must_use]
    pub fn jid(&self, family: Family) -> Jid {
        match (family, self.lid) {
            (Family::Lid, Some(lid)) => Jid::lid(lid),
            _ => Jid::pn(self.pn),
        }
    }

    /// The account's other address, if it has one.
    #[must_use]
    pub fn alternate(&self, family: Family) -> Option<Jid> {
        match family {
            Family::Lid => (!self.switches.hide_pn).then(|| Jid::pn(self.pn)),
            Family::Pn => self.lid.map(Jid::lid),
        }
    }

    /// The family that names it best.
    #[must_use]
    pub fn best_family(&self) -> Family {
        if self.lid.is_some() { Family::Lid } else { Family::Pn }
    }

    /// Address of one device.
    #[must_use]
    pub fn device_jid(&self, family: Family, device: u16) -> Jid {
        let hosting = if device == 99 { Hosting::Hosted } else { Hosting::Own };
        self.jid(family).with_device(device, hosting)
    }
}

/// How a new account comes to be.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewAccount {
    pub(crate) key: Option<String>,
    pub(crate) pn: Option<u64>,
    pub(crate) lid: Option<u64>,
    pub(crate) switches: Switches,
    pub(crate) name: String,
    pub(crate) locale: Option<String>,
}

impl World {
    /// The account behind an address, whatever its device.
    #[must_use]
    pub fn find(&self, jid: &Jid) -> Option<AccountId> {
        self.by_user.get(&(jid.family()?, jid.user_number()?)).copied()
    }

    /// The account with this number.
    #[must_use]
    pub fn find_pn(&self, pn: u64) -> Option<AccountId> {
        self.by_user.get(&(Family::Pn, pn)).copied()
    }

    /// The registered device behind an address.
    #[must_use]
    pub fn find_device(&self, jid: &Jid) -> Option<DeviceKey> {
        let key = DeviceKey { account: self.find(jid)?, device: jid.device() };
        self.device(key).is_some().then_some(key)
    }

    /// Address of a device in a family.
    pub(crate) fn jid(&self, key: DeviceKey, family: Family) -> Jid {
        self.account(key.account).device_jid(family, key.device)
    }

    /// `number:device`, for people.
    pub(crate) fn label(&self, key: DeviceKey) -> String {
        format!("{}:{}", self.account(key.account).pn, key.device)
    }

    /// All devices of an account, the phone first.
    pub(crate) fn device_keys(&self, account: AccountId) -> Vec<DeviceKey> {
        self.account(account).devices.keys().map(|device| DeviceKey { account, device: *device }).collect()
    }

    /// The account with this push name, made when it does not exist yet (chapter 10 §2.2).
    pub(crate) fn account_of_push_name(&mut self, push_name: Option<&str>) -> AccountId {
        let Some(push_name) = push_name.filter(|name| !name.is_empty()) else {
            let number = self.next_fresh;
            self.next_fresh += 1;
            let name = format!("Guest {}", number + 1);
            let fresh = NewAccount { name: name.clone(), ..NewAccount::default() };
            return self.add_account(fresh, &format!("\u{0}{name}"));
        };
        if let Some(known) = self.by_key.get(push_name) {
            return *known;
        }
        let (switches, unknown) = Switches::from_push_name(push_name);
        for flag in unknown {
            tracing::warn!(%flag, "unknown directive in a push name");
        }
        let fresh = NewAccount {
            key: Some(push_name.to_owned()),
            switches,
            name: Switches::display_name(push_name).to_owned(),
            ..NewAccount::default()
        };
        self.add_account(fresh, push_name)
    }

    /// Makes an account with its phone. Number and LID follow from `identity` unless given.
    pub(crate) fn add_account(&mut self, new: NewAccount, identity: &str) -> AccountId {
        let id = AccountId(u32::try_from(self.accounts.len()).unwrap_or(u32::MAX));
        let (pn, lid) = (0..=u8::MAX)
            .map(|attempt| assign(self.config.seed, self.config.number_prefix, identity, attempt))
            .map(|assigned| (new.pn.unwrap_or(assigned.pn), new.lid.unwrap_or(assigned.lid)))
            .find(|(pn, lid)| {
                let taken = |family, user: u64| self.by_user.contains_key(&(family, user));
                !taken(Family::Pn, *pn) && !taken(Family::Lid, *lid) && !taken(Family::Pn, *lid)
            })
            .unwrap_or((new.pn.unwrap_or(0), new.lid.unwrap_or(0)));
        let lid = (!new.switches.no_lid).then_some(lid);
        let mut phone = Phone::new(
            PhoneConfig {
                pn: pn.to_string(),
                lid: lid.map(|lid| lid.to_string()),
                name: new.name.clone(),
                locale: new.locale.unwrap_or_else(|| "en_US".to_owned()),
                seed: self.config.seed.bytes("phone", pn),
                one_time_keys: new.switches.prekeys.unwrap_or(self.config.phone_one_time_keys),
                key_index_gap: self.config.key_index_gap,
            },
            self.now(),
        );
        let keys = self.config.phone_one_time_keys;
        let stock = Stock::of(&phone.upload(new.switches.prekeys.unwrap_or(keys)));
        let list = phone.key_index_list(self.now());
        let mut account = Account {
            id,
            pn,
            lid,
            key: new.key.clone(),
            name: new.name,
            created: self.now_s(),
            devices: [(0, Device::new(0, 0, stock))].into(),
            stale_key_index_list: (list.clone(), self.now_s()),
            key_index_list: (list, self.now_s()),
            props: props(&new.switches, &self.config.props),
            switches: new.switches,
            privacy: default_privacy(),
            deny: std::collections::BTreeMap::new(),
            blocked: std::collections::BTreeSet::new(),
            about: (String::new(), 0),
            username: None,
            disappearing: (0, self.now_s()),
            picture: None,
            contacts: None,
            app_state: Collections::default(),
            presence: Presence::default(),
            subscribers: std::collections::BTreeSet::new(),
            wrote_to: std::collections::BTreeSet::new(),
            issued: std::collections::BTreeMap::new(),
            dirty: std::collections::BTreeMap::new(),
            standing: (Standing::default(), self.now_s()),
            new_chats: NewChats::default(),
            kept: Kept::default(),
            nct_salt: [0; 32],
            block_version: 0,
        };
        account.nct_salt = *phone.nct_salt();
        instruct(&mut phone, &account.switches);
        for push in phone.initial_app_state(self.now()) {
            account.app_state.seed(push.collection, push.patch);
        }
        self.by_user.insert((Family::Pn, pn), id);
        if let Some(lid) = lid {
            self.by_user.insert((Family::Lid, lid), id);
        }
        if let Some(key) = new.key {
            self.by_key.insert(key, id);
        }
        self.accounts.push(account);
        self.phones.push(Some(phone));
        self.join_open_groups(id);
        id
    }

    /// `2:` hash over the devices of an account in a family (chapter 09a §4).
    pub(crate) fn device_hash(&self, account: AccountId, family: Family) -> String {
        let account = self.account(account);
        phash(account.devices.keys().map(|device| account.device_jid(family, *device)))
    }

    /// The list before the present one.
    pub(crate) fn stale_key_index_list(&self, account: AccountId) -> Node {
        let (bytes, ts) = &self.account(account).stale_key_index_list;
        el("key-index-list").attr("ts", *ts).bytes(bytes.clone())
    }

    /// `<key-index-list ts>` with its bytes.
    pub(crate) fn key_index_list(&self, account: AccountId) -> Node {
        let (bytes, ts) = &self.account(account).key_index_list;
        el("key-index-list").attr("ts", *ts).bytes(bytes.clone())
    }
}

/// Hands the switches on that concern the phone.
pub(crate) fn instruct(phone: &mut Phone, switches: &Switches) {
    phone.set_history(crate::phone::HistoryPlan {
        chats: !switches.empty_history,
        nct_salt_in_history: switches.nct_history_delivery,
        nct_salt_in_app_state: switches.nct_syncd_delivery,
        made_up_chats: switches.big_history,
        fault: switches.history_fault,
        ..crate::phone::HistoryPlan::default()
    });
    phone.ignore_peer_data(switches.peer_data_ignored);
    phone.set_app_state_fault(switches.app_state_fault.clone());
    if switches.hosted {
        phone.set_hosted();
    }
}

/// The participant hash of chapter 05 §5.4.
pub(crate) fn phash(devices: impl IntoIterator<Item = Jid>) -> String {
    let devices: Vec<Jid> = devices.into_iter().collect();
    wa_core::envelope::phash(&devices)
}

fn default_privacy() -> std::collections::BTreeMap<String, String> {
    const DEFAULT: [(&str, &str); 11] = [
        ("calladd", "all"),
        ("defense", "off"),
        ("groupadd", "all"),
        ("last", "all"),
        ("messages", "all"),
        ("online", "all"),
        ("profile", "all"),
        ("readreceipts", "all"),
        ("status", "all"),
        ("stickers", "contacts"),
        ("linked_profiles", "all"),
    ];
    DEFAULT.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// AB props of a new account (chapter 10 §8).
fn props(
    switches: &Switches,
    extra: &std::collections::BTreeMap<u32, String>,
) -> std::collections::BTreeMap<u32, String> {
    let flag = |on: bool| if on { "1" } else { "0" }.to_owned();
    let mut props: std::collections::BTreeMap<u32, String> = [
        (10518, flag(true)),
        (9435, flag(true)),
        (24941, flag(switches.nct_send_ab)),
        (25189, flag(switches.nct_history_ab)),
        (25253, flag(switches.nct_syncd_ab)),
    ]
    .into();
    props.extend(extra.iter().map(|(code, value)| (*code, value.clone())));
    props
}
