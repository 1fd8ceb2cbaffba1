//! The world's part of a saved state: which of its fields are kept, and what becomes of those that are not.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wa_binary::Family;

use super::foreign::keys;
use super::{Head, SavedState, StateError, decode, encode};
use crate::calls::Ringing;
use crate::clock::SavedClock;
use crate::config::SimConfig;
use crate::group::Group;
use crate::media::{MediaHost, StoredFile};
use crate::phone::Phone;
use crate::watch::{Counters, Watch};
use crate::world::{Account, AccountId, DeviceKey, SavedTimer, Streams, World};

/// What is written. Its fields are those of [`Read`], in the same order.
#[derive(Serialize)]
struct Written<'w> {
    now_ms: u64,
    accounts: &'w [Account],
    #[serde(with = "keys")]
    by_user: BTreeMap<User, AccountId>,
    by_key: BTreeMap<&'w str, AccountId>,
    phones: Vec<&'w Phone>,
    groups: &'w BTreeMap<u64, Group>,
    used_refs: &'w BTreeSet<String>,
    ringing: &'w BTreeMap<String, Ringing>,
    media: &'w MediaHost,
    watch: &'w Watch,
    counters: &'w Counters,
    streams: &'w Streams,
    timers: Vec<((u64, u64), SavedTimer)>,
    next: (u64, u64, u64),
}

#[derive(Deserialize)]
struct Read {
    now_ms: u64,
    accounts: Vec<Account>,
    #[serde(with = "keys")]
    by_user: BTreeMap<User, AccountId>,
    by_key: BTreeMap<String, AccountId>,
    phones: Vec<Phone>,
    groups: BTreeMap<u64, Group>,
    used_refs: BTreeSet<String>,
    ringing: BTreeMap<String, Ringing>,
    media: MediaHost,
    watch: Watch,
    counters: Counters,
    streams: Streams,
    timers: Vec<((u64, u64), SavedTimer)>,
    next: (u64, u64, u64),
}

/// A family and a user in it.
type User = (Family, u64);

impl super::foreign::Foreign for User {
    fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let mut bytes = self.0.to_bytes()?;
        bytes.extend(self.1.to_be_bytes());
        Ok(bytes)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (family, user) = bytes.split_at_checked(1)?;
        Some((Family::from_bytes(family)?, u64::from_be_bytes(user.try_into().ok()?)))
    }
}

impl Read {
    /// Whether every account that anything names is there: they are looked up without asking.
    fn is_consistent(&self) -> bool {
        let count = self.accounts.len();
        let fits = |id: &AccountId| (id.0 as usize) < count;
        let device = |key: &DeviceKey| fits(&key.account);
        let account = |(at, account): (usize, &Account)| {
            account.id.0 as usize == at
                && account.contacts.iter().flatten().all(fits)
                && account.deny.values().flatten().all(fits)
                && account.blocked.iter().chain(&account.wrote_to).chain(account.issued.keys()).all(fits)
        };
        let group = |group: &Group| {
            fits(&group.subject.2)
                && fits(&group.creator)
                && group.description.iter().all(|description| fits(&description.by))
                && group.requests.values().all(|request| fits(&request.by))
                && group.members.keys().chain(&group.removed).all(fits)
                && group.requests.keys().chain(group.personal_invites.keys()).all(fits)
        };
        let timer = |(_, timer): &((u64, u64), SavedTimer)| match timer {
            SavedTimer::Welcome { device: key } | SavedTimer::LateHistory { device: key } => device(key),
            SavedTimer::LateKeys { account } => fits(account),
            SavedTimer::CallTimeout { call } => device(&call.from) && fits(&call.to),
        };
        self.phones.len() == count
            && self.accounts.iter().enumerate().all(account)
            && self.by_user.values().chain(self.by_key.values()).all(fits)
            && self.groups.values().all(group)
            && self.ringing.values().all(|call| device(&call.from) && fits(&call.to))
            && self.timers.iter().all(timer)
    }
}

impl World {
    /// The world as it is, to be written to a file. Connections are not part of it: who takes it up finds them ended.
    ///
    /// # Errors
    /// [`StateError::Unwritable`], or [`StateError::Io`] when a file of the media host cannot be read.
    pub fn save(&self) -> Result<SavedState, StateError> {
        let mut files = BTreeMap::new();
        for file in self.media.files().chain(self.phones.iter().flatten().flat_map(Phone::files)) {
            let unreadable = |source| StateError::Io { name: "a file of the media host".to_owned(), source };
            files.insert(file.sha256().map_err(unreadable)?, file.clone());
        }
        let written = Written {
            now_ms: self.now_ms,
            accounts: &self.accounts,
            by_user: self.by_user.iter().map(|(user, id)| (*user, *id)).collect(),
            by_key: self.by_key.iter().map(|(key, id)| (&**key, *id)).collect(),
            phones: self.phones.iter().flatten().collect(),
            groups: &self.groups,
            used_refs: &self.used_refs,
            ringing: &self.ringing,
            media: &self.media,
            watch: &self.watch,
            counters: &self.counters,
            streams: &self.streams,
            timers: self.lasting_timers(),
            next: self.next_numbers(),
        };
        let head = Head {
            seed: self.config.seed.0,
            root_seed: self.config.root_seed,
            rotations: 0,
            clock: SavedClock { base_ms: self.now_ms, offset_ms: 0, drift_ppm: 0 },
        };
        Ok(SavedState { head, world: encode(&written)?.into(), files })
    }

    /// A world as it was saved. The seed file of the configuration is not planted again; its faults hold.
    ///
    /// # Errors
    /// [`StateError::OtherSeed`], [`StateError::Damaged`].
    pub fn load(config: SimConfig, saved: &SavedState) -> Result<Self, StateError> {
        if (saved.head.seed, saved.head.root_seed) != (config.seed.0, config.root_seed) {
            return Err(StateError::OtherSeed { saved: saved.head.seed, given: config.seed.0 });
        }
        let read: Read = decode(&saved.world)?;
        if !read.is_consistent() {
            return Err(StateError::Damaged("it names accounts that are not in it".to_owned()));
        }
        let mut world = Self::empty(config, read.now_ms);
        world.accounts = read.accounts;
        world.by_user = read.by_user.into_iter().collect();
        world.by_key = read.by_key.into_iter().collect();
        world.phones = read.phones.into_iter().map(Some).collect();
        world.groups = read.groups;
        world.used_refs = read.used_refs;
        world.ringing = read.ringing;
        world.media = read.media;
        world.watch = read.watch;
        world.counters = read.counters;
        world.streams = read.streams;
        world.go_on(read.timers, read.next);
        let phones = world.phones.iter_mut().flatten().flat_map(Phone::files_mut);
        for file in world.media.files_mut().chain(phones) {
            let whole = file.absent().and_then(|name| saved.files.get(&name)).cloned();
            *file = whole.ok_or_else(|| StateError::Damaged("a file is missing".to_owned()))?;
        }
        world.all_gone();
        Ok(world)
    }

    /// The connections that there were when the state was saved have ended.
    fn all_gone(&mut self) {
        let now_s = self.now_s();
        let ids: Vec<AccountId> = self.accounts.iter().map(|account| account.id).collect();
        for id in ids {
            for device in self.account_mut(id).devices.values_mut() {
                device.available = false;
                if device.connection.take().is_some() {
                    device.last_seen = Some(now_s);
                }
            }
            self.presence_changed(id);
        }
    }
}

impl Serialize for StoredFile {
    /// Its hash: the bytes stand apart, once for all who share them.
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.sha256().map_err(serde::ser::Error::custom)?.serialize(to)
    }
}

impl<'de> Deserialize<'de> for StoredFile {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        <[u8; 32]>::deserialize(from).map(Self::known_by)
    }
}
