//! What the server knows of an account and its devices (chapter 10 §2.1).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;

use super::directives::Switches;
use super::new_chats::NewChats;
use super::{AccountId, ConnId, DeviceKey};
use crate::iq::app_state::Collections;
use crate::iq::kept::Kept;
use crate::offline::Queue;
use crate::prekeys::Stock;

/// One phone number with its LID.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Account {
    /// Place in the world's list.
    pub id: AccountId,
    /// Phone number user.
    pub pn: u64,
    /// LID user.
    pub lid: Option<u64>,
    /// The push name at registration, directives included: names the account for later registrations.
    pub key: Option<String>,
    /// What others see as `notify`.
    pub name: String,
    /// Seconds since 1970.
    pub created: u64,
    /// Device 0 is the phone.
    pub devices: BTreeMap<u16, Device>,
    /// `ADVSignedKeyIndexList`, and when it was signed (s).
    pub key_index_list: (Bytes, u64),
    /// The list before that one.
    pub stale_key_index_list: (Bytes, u64),
    /// Switches and directives.
    pub switches: Switches,
    /// AB props by code.
    pub props: BTreeMap<u32, String>,
    /// Privacy categories.
    pub privacy: BTreeMap<String, String>,
    /// Deny lists of `contact_blacklist` categories.
    pub deny: BTreeMap<String, BTreeSet<AccountId>>,
    /// Blocked accounts.
    pub blocked: BTreeSet<AccountId>,
    /// About text and when it was set (s).
    pub about: (String, u64),
    /// Name under which others find the account without its number.
    pub username: Option<Username>,
    /// Default timer of new chats in seconds and when it was set (s).
    pub disappearing: (u32, u64),
    /// Picture id and bytes.
    pub picture: Option<(u64, Bytes)>,
    /// Accounts in the address book; `None` means every other account.
    pub contacts: Option<BTreeSet<AccountId>>,
    /// App state as the server sees it.
    pub app_state: Collections,
    /// Presence that others may see.
    pub presence: Presence,
    /// Connections subscribed to this account's presence.
    #[serde(skip)]
    pub subscribers: BTreeSet<ConnId>,
    /// Accounts that this one has written to.
    pub wrote_to: BTreeSet<AccountId>,
    /// Privacy tokens that this account issued, by receiver.
    pub issued: BTreeMap<AccountId, Token>,
    /// Dirty bits: type and timestamp (s), sent at each login until cleaned.
    pub dirty: BTreeMap<String, u64>,
    /// What the service refuses this account, and since when (s).
    #[serde(with = "crate::state::foreign::json")]
    pub standing: (Standing, u64),
    /// What stands against its new chats.
    pub new_chats: NewChats,
    /// What its clients deposited.
    pub kept: Kept,
    /// Salt behind `cstoken`.
    pub nct_salt: [u8; 32],
    /// Version of the block list, part of its `dhash`.
    pub block_version: u64,
}

/// A username (chapter 09a §8).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Username {
    /// Without `@`.
    pub name: String,
    /// Four digits that a stranger must give as well.
    #[serde(default)]
    pub key: Option<String>,
}

/// A privacy token (chapter 10 §8).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Token {
    /// Opaque bytes.
    pub bytes: Bytes,
    /// When it was issued (s).
    pub t: u64,
}

/// Presence of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Presence {
    /// Any device said `available`.
    pub available: bool,
    /// When the last one went away (s).
    pub last_seen: Option<u64>,
}

/// What the service refuses an account at its logins (chapter 01 §6.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Standing {
    /// Nothing.
    #[default]
    Good,
    /// `<failure reason="402">` with the code and the seconds that are left, until they have passed.
    TemporaryBan {
        /// Ban code, 101 to 106.
        code: u32,
        /// Seconds that it lasts.
        expire: u32,
    },
    /// `<failure reason="403">`.
    Locked,
    /// `<failure reason="406">`.
    Banned,
}

/// One device of an account.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Device {
    /// 0 is the phone.
    pub number: u16,
    /// Index in the key-index list; 0 for the phone.
    pub key_index: u32,
    /// Noise static key; zero for the phone, which has no connection.
    pub noise_key: [u8; 32],
    /// Identity, signed pre-key, one-time pre-keys.
    pub keys: Stock,
    /// `ADVSignedDeviceIdentity` as completed by the companion.
    pub signed_identity: Option<Bytes>,
    /// Name of the platform, for people.
    pub platform: String,
    /// The live connection.
    pub connection: Option<ConnId>,
    /// False from a passive login until `<active/>`.
    pub active: bool,
    /// Stanzas that were not yet answered for.
    pub queue: Queue,
    /// When the device was last connected (s).
    pub last_seen: Option<u64>,
    /// The phone has sent key share and history.
    pub welcomed: bool,
    /// Logins so far.
    pub logins: u32,
    /// It was told where to connect next time.
    pub routed: bool,
    /// Stanza ids seen from this device lately.
    pub seen: SeenIds,
    /// Ids of stanzas that it answered lately.
    pub settled: SettledIds,
    /// The device said `<presence type="available">` on this connection.
    pub available: bool,
}

impl Device {
    /// A device without connection.
    #[must_use]
    pub fn new(number: u16, key_index: u32, keys: Stock) -> Self {
        Self {
            number,
            key_index,
            noise_key: [0; 32],
            keys,
            signed_identity: None,
            platform: String::new(),
            connection: None,
            active: true,
            queue: Queue::default(),
            last_seen: None,
            welcomed: false,
            logins: 0,
            routed: false,
            seen: SeenIds::default(),
            settled: SettledIds::default(),
            available: false,
        }
    }
}

impl Account {
    /// The phone signed a new list of key indexes.
    pub(crate) fn renew_key_index_list(&mut self, list: Bytes, now_s: u64) {
        self.stale_key_index_list = core::mem::replace(&mut self.key_index_list, (list, now_s));
    }

    /// The address of one of its devices.
    #[must_use]
    pub fn device_key(&self, number: u16) -> DeviceKey {
        DeviceKey { account: self.id, device: number }
    }

    /// The next free device number from `first` up; 99 is reserved for hosted companions (chapter 10 §2.2).
    #[must_use]
    pub fn free_device_number(&self, first: u16) -> u16 {
        (first.max(1)..)
            .find(|number| *number != 99 && !self.devices.contains_key(number))
            .unwrap_or(u16::MAX)
    }

    /// Whether `other` counts as a contact.
    #[must_use]
    pub fn knows(&self, other: AccountId) -> bool {
        self.contacts.as_ref().is_none_or(|contacts| contacts.contains(&other))
    }

    /// Whether `viewer` may see what a privacy category protects.
    #[must_use]
    pub fn shows(&self, category: &str, viewer: AccountId) -> bool {
        if viewer == self.id {
            return true;
        }
        match self.privacy.get(category).map(String::as_str) {
            Some("none") => false,
            Some("contacts") => self.knows(viewer),
            Some("contact_blacklist") => {
                self.knows(viewer) && !self.deny.get(category).is_some_and(|deny| deny.contains(&viewer))
            }
            _ => true,
        }
    }
}

/// Ids of the last stanzas from one device, to answer a repetition without a second delivery (05 §5.8).
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(from = "Vec<(Box<str>, Bytes)>", into = "Vec<(Box<str>, Bytes)>")]
pub struct SeenIds {
    order: VecDeque<Box<str>>,
    known: std::collections::HashMap<Box<str>, Bytes>,
}

impl From<Vec<(Box<str>, Bytes)>> for SeenIds {
    fn from(seen: Vec<(Box<str>, Bytes)>) -> Self {
        let order = seen.iter().map(|(id, _)| id.clone()).collect();
        Self { order, known: seen.into_iter().collect() }
    }
}

impl From<SeenIds> for Vec<(Box<str>, Bytes)> {
    fn from(seen: SeenIds) -> Self {
        let SeenIds { order, mut known } = seen;
        order.into_iter().filter_map(|id| known.remove_entry(&id)).collect()
    }
}

impl SeenIds {
    const LIMIT: usize = 4096;

    /// Remembers the id with what identifies the ack (its `phash`, or nothing). Gives what was remembered if the id
    /// is a repetition.
    pub fn insert(&mut self, id: &str, answer: Bytes) -> Option<Bytes> {
        if let Some(earlier) = self.known.get(id) {
            return Some(earlier.clone());
        }
        if self.order.len() >= Self::LIMIT
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(id.into());
        self.known.insert(id.into(), answer);
        None
    }

    /// What was remembered of an id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<Bytes> {
        self.known.get(id).cloned()
    }
}

/// Ids that a device answered lately: a second answer to the same stanza is no invention.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct SettledIds {
    order: VecDeque<Box<str>>,
}

impl SettledIds {
    const LIMIT: usize = 256;

    /// Remembers an id.
    pub fn insert(&mut self, id: &str) {
        if self.order.len() >= Self::LIMIT {
            self.order.pop_front();
        }
        self.order.push_back(id.into());
    }

    /// Whether the id was answered lately.
    #[must_use]
    pub fn contains(&self, id: &str) -> bool {
        self.order.iter().rev().any(|known| &**known == id)
    }
}
