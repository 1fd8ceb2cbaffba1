//! The phone's Signal state towards every other device: addresses, sessions, identities, sender keys (chapter 04 §6, §7,
//! §9, §10, §11.3, §16, §17).

use std::collections::{BTreeMap, BTreeSet};

use wa_binary::{Hosting, Jid};
use wa_core::adv::check_device;
use wa_crypto::curve::PublicKey;
use wa_signal::{
    Ciphertext, IdentityKey, OwnPreKeys, OwnSenderKey, PreKeySignalMessage, Sender, SenderKeyDistribution,
    SenderKeyMessage, SenderKeyRecord, SessionRecord, SessionUse, SignalError, SignalMessage,
};

use super::{Network, Now, Phone, PhoneError, PhoneEvent};

/// All state by Signal address: a device's JID, in the LID family where the user's LID is known.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Peers {
    #[serde(with = "crate::state::foreign::values")]
    sessions: BTreeMap<Jid, SessionRecord>,
    #[serde(with = "crate::state::foreign::values")]
    identities: BTreeMap<Jid, IdentityKey>,
    #[serde(with = "crate::state::foreign::values")]
    sender_keys: BTreeMap<(/* group */ Jid, /* address */ Jid), SenderKeyRecord>,
    own_keys: BTreeMap<Jid, GroupKey>,
    lids: BTreeMap<Jid, Jid>,
    pns: BTreeMap<Jid, Jid>,
}

/// The own sender key of one group and who has it.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct GroupKey {
    #[serde(with = "crate::state::foreign::one")]
    pub(super) key: OwnSenderKey,
    /// Addresses of the devices that were given this key.
    pub(super) holders: BTreeSet<Jid>,
}

/// Why a ciphertext did not open.
#[derive(Debug)]
pub(super) enum Unopened {
    Signal(SignalError),
    /// A pre-key message whose sender is not vouched for.
    Adv(String),
}

impl From<SignalError> for Unopened {
    fn from(error: SignalError) -> Self {
        Self::Signal(error)
    }
}

impl core::fmt::Display for Unopened {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Signal(error) => error.fmt(f),
            Self::Adv(why) => f.write_str(why),
        }
    }
}

impl Peers {
    pub(super) fn learn(&mut self, a: &Jid, b: &Jid) {
        let (pn, lid) = if a.is_pn() { (a, b) } else { (b, a) };
        if pn.is_pn() && lid.is_lid() {
            self.pns.insert(lid.account(), pn.account());
            self.lids.insert(pn.account(), lid.account());
        }
    }

    pub(super) fn pn_of(&self, lid: &Jid) -> Option<&Jid> {
        self.pns.get(&lid.account())
    }

    pub(super) fn lid_of(&self, pn: &Jid) -> Option<&Jid> {
        self.lids.get(&pn.account())
    }

    pub(super) fn mappings(&self) -> impl Iterator<Item = (&Jid, &Jid)> {
        self.lids.iter()
    }

    pub(super) fn forget_everything(&mut self) {
        let (lids, pns) = (core::mem::take(&mut self.lids), core::mem::take(&mut self.pns));
        *self = Self { lids, pns, ..Self::default() };
    }

    fn forget(&mut self, mut gone: impl FnMut(&Jid) -> bool) {
        self.sessions.retain(|address, _| !gone(address));
        self.identities.retain(|address, _| !gone(address));
        self.sender_keys.retain(|(_, address), _| !gone(address));
        for group in self.own_keys.values_mut() {
            group.holders.retain(|address| !gone(address));
        }
    }

    pub(super) fn drop_session(&mut self, address: &Jid) {
        self.sessions.remove(address);
    }

    pub(super) fn session(&self, address: &Jid) -> Option<&SessionRecord> {
        self.sessions.get(address)
    }

    pub(super) fn unmark(&mut self, group: &Jid, address: &Jid) {
        if let Some(key) = self.own_keys.get_mut(group) {
            key.holders.remove(address);
        }
    }

    pub(super) fn own_key(&mut self, group: &Jid) -> Option<&mut GroupKey> {
        self.own_keys.get_mut(group)
    }

    pub(super) fn set_own_key(&mut self, group: Jid, key: OwnSenderKey) -> &mut GroupKey {
        let fresh = GroupKey { key, holders: BTreeSet::new() };
        match self.own_keys.entry(group) {
            std::collections::btree_map::Entry::Occupied(mut entry) => {
                entry.insert(fresh);
                entry.into_mut()
            }
            std::collections::btree_map::Entry::Vacant(entry) => entry.insert(fresh),
        }
    }

    pub(super) fn drop_own_key(&mut self, group: &Jid) {
        self.own_keys.remove(group);
    }

    pub(super) fn drop_member(&mut self, group: &Jid, user: &Jid) {
        let had_it = |key: &GroupKey| key.holders.iter().any(|address| address.same_user(user));
        if self.own_keys.get(group).is_some_and(had_it) {
            self.own_keys.remove(group);
        }
    }
}

impl Phone {
    /// The Signal address of a device. State under the phone number moves to the LID as soon as that is known.
    pub(super) fn address(&mut self, device: &Jid, network: &mut dyn Network) -> Jid {
        let device = device.account().with_device(device.device(), Hosting::Own);
        if !device.is_pn() {
            return device;
        }
        let user = device.user_jid();
        let lid = match self.peers.lids.get(&user) {
            Some(lid) => Some(lid.clone()),
            None if user == self.pn => self.lid.clone(),
            None => network.alternate(&user),
        };
        let Some(lid) = lid else { return device };
        self.peers.learn(&user, &lid);
        let address = lid.with_device(device.device(), Hosting::Own);
        if let Some(record) = self.peers.sessions.remove(&device) {
            self.peers.sessions.insert(address.clone(), record);
        }
        if let Some(identity) = self.peers.identities.remove(&device) {
            self.peers.identities.entry(address.clone()).or_insert(identity);
        }
        address
    }

    /// The chat that a user or group is kept under: the LID where known.
    pub(super) fn chat_key(&mut self, chat: &Jid, network: &mut dyn Network) -> Jid {
        if chat.is_pn() { self.address(&chat.user_jid(), network).user_jid() } else { chat.user_jid() }
    }

    /// The account key that vouches for a device's companions, where it is known.
    fn account_key_of(&self, address: &Jid) -> Option<PublicKey> {
        if self.is_own(address) {
            return Some(*self.local.identity_key().public_key());
        }
        self.peers.identities.get(&address.user_jid()).map(|identity| *identity.public_key())
    }

    /// Makes sure that there is a session, from a fetched bundle if need be.
    pub(super) fn ensure_session(
        &mut self,
        device: &Jid,
        network: &mut dyn Network,
        now: Now,
    ) -> Result<Jid, PhoneError> {
        let address = self.address(device, network);
        if self.peers.session(&address).is_some_and(SessionRecord::has_current) {
            return Ok(address);
        }
        let bundle = network.bundle(device).ok_or_else(|| PhoneError::Unreachable(device.clone()))?;
        self.start_session(&address, &bundle, now)?;
        Ok(address)
    }

    /// Starts a session from a bundle. A companion's bundle whose device identity does not hold is refused.
    pub(super) fn start_session(
        &mut self,
        address: &Jid,
        bundle: &wa_core::prekeys::Bundle,
        now: Now,
    ) -> Result<(), PhoneError> {
        if address.device() != 0 {
            let account_key = self.account_key_of(address);
            bundle
                .check_device_identity(account_key.as_ref())
                .map_err(|_| PhoneError::Unreachable(address.clone()))?;
        }
        let record = self.peers.sessions.entry(address.clone()).or_default();
        record.initiate(&self.local, &bundle.to_signal(), now.seconds(), &mut self.rng)?;
        self.peers.identities.insert(address.clone(), bundle.identity.into());
        Ok(())
    }

    /// Encrypts a padded text for one device.
    pub(super) fn seal(
        &mut self,
        device: &Jid,
        padded: &[u8],
        network: &mut dyn Network,
        now: Now,
    ) -> Result<Ciphertext, PhoneError> {
        let address = self.ensure_session(device, network, now)?;
        let record = self.peers.sessions.entry(address).or_default();
        Ok(record.encrypt(&self.local, padded)?)
    }

    /// Opens a `msg`.
    pub(super) fn open_message(&mut self, address: &Jid, bytes: &[u8]) -> Result<Vec<u8>, Unopened> {
        let message = SignalMessage::parse(bytes)?;
        let sender = self.sender(address);
        let record = self.peers.sessions.get_mut(address).ok_or(SignalError::NoSession)?;
        Ok(record.decrypt(&self.local, &message, sender, &mut self.rng)?.plaintext)
    }

    /// Opens a `pkmsg`. Its identity must be the one that was linked (own companions) or be vouched for by the
    /// account key (`device_identity`).
    pub(super) fn open_pre_key_message(
        &mut self,
        address: &Jid,
        bytes: &[u8],
        device_identity: Option<&[u8]>,
        events: &mut Vec<PhoneEvent>,
    ) -> Result<Vec<u8>, Unopened> {
        let message = PreKeySignalMessage::parse(bytes)?;
        self.vouch(address, message.identity_key().public_key(), device_identity, events)?;
        let sender = self.sender(address);
        let record = self.peers.sessions.entry(address.clone()).or_default();
        let keys = if record.knows(&message) {
            OwnPreKeys { signed: None, one_time: None }
        } else {
            self.keys.named_by(&message)
        };
        let received = record.decrypt_pre_key(&self.local, &message, keys, sender, &mut self.rng)?;
        if let Some(id) = received.consumed_pre_key {
            self.keys.consume(id);
        }
        if received.session == SessionUse::Created {
            let known = self.peers.identities.insert(address.clone(), received.identity_key);
            if address.device() == 0 && known.is_some_and(|known| known != received.identity_key) {
                events.push(PhoneEvent::IdentityChanged { user: address.user_jid() });
            }
        }
        Ok(received.plaintext)
    }

    fn vouch(
        &self,
        address: &Jid,
        identity: &PublicKey,
        device_identity: Option<&[u8]>,
        events: &mut Vec<PhoneEvent>,
    ) -> Result<(), Unopened> {
        if address.device() == 0 {
            return Ok(());
        }
        if self.is_own(address) {
            return match self.links.companions().get(&address.device()) {
                Some(companion) if companion.identity == *identity => Ok(()),
                Some(_) => Err(Unopened::Adv("another identity than the linked one".to_owned())),
                None => Err(Unopened::Adv("not a linked device".to_owned())),
            };
        }
        let Some(blob) = device_identity else {
            let what = "pkmsg without device-identity".to_owned();
            events.push(PhoneEvent::Violation { device: address.clone(), what });
            return Ok(());
        };
        match check_device(blob, identity, self.account_key_of(address).as_ref()) {
            Ok(_) => Ok(()),
            Err(error) => Err(Unopened::Adv(error.to_string())),
        }
    }

    /// Opens a `skmsg`.
    pub(super) fn open_group_message(
        &mut self,
        group: &Jid,
        address: &Jid,
        bytes: &[u8],
    ) -> Result<Vec<u8>, Unopened> {
        let message = SenderKeyMessage::parse(bytes)?;
        let record = self
            .peers
            .sender_keys
            .get_mut(&(group.clone(), address.clone()))
            .ok_or(SignalError::NoSenderKey(message.key_id()))?;
        Ok(record.decrypt(&message)?)
    }

    /// Takes a sender key in. Only what came in a pairwise message of that very device may get here.
    pub(super) fn take_sender_key(&mut self, group: &Jid, address: &Jid, bytes: &[u8]) {
        if let Ok(distribution) = SenderKeyDistribution::parse(bytes) {
            let key = (group.clone(), address.clone());
            self.peers.sender_keys.entry(key).or_default().process(&distribution);
        }
    }

    fn sender(&self, address: &Jid) -> Sender {
        if self.is_own(address) { Sender::OwnDevice } else { Sender::Other }
    }

    /// Drops everything towards a companion of this account.
    pub(super) fn forget_own_device(&mut self, device: u16) {
        let own = [Some(self.pn.clone()), self.lid.clone()];
        self.peers.forget(|address| {
            address.device() == device && own.iter().flatten().any(|own| address.same_user(own))
        });
    }

    /// The server says that a user re-registered (chapter 04 §16).
    pub(super) fn identity_changed(&mut self, user: &Jid, network: &mut dyn Network) {
        let user = self.chat_key(user, network);
        self.peers.forget(|address| address.same_user(&user));
    }
}
