//! One step in memory: what was read, what changes, and what may leave once that is committed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use compact_str::CompactString;
use wa_binary::{Jid, Node};
use wa_core::history::requests::PeerAnswer;
use wa_signal::{IdentityKey, LocalIdentity, SenderKeyRecord, SessionRecord};
use wa_store::{
    Address, Bytes, Changes, Chat, ChatKey, ChatRecord, Device, MappingSource, Sending, Session, StoreError,
    User, tables,
};

use crate::credentials::Own;
use crate::events::{ROW, Stored, StoredEvent};
use crate::identity::{ChatRef, Peer, address, chat_row, user_row};
use crate::messages::add_ons::Learnt;
use crate::messages::status::{StoredDelivery, StoredStatus};
use crate::shared::Shared;

/// What leaves after the commit.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    /// Acks, receipts and the like, in order.
    pub(crate) stanzas: Vec<Node>,
    /// Receipts of messages that came with the backlog: they may wait for its end.
    pub(crate) backlog: Vec<Node>,
    /// Rows that come into the inbox.
    pub(crate) events: Vec<Stored>,
    /// Credentials that the commit stores.
    pub(crate) device: Option<Device>,
    /// Deeds for after the commit.
    pub(crate) after: Vec<After>,
}

/// What is begun after a commit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum After {
    /// A person's device list is out of date.
    RefreshDevices(Jid),
    /// Keys of the shared settings came: what waits for them is read.
    SyncSettings,
    /// Another own device asks for such keys.
    ShareKeys(Jid, Vec<Bytes>),
    /// The phone has answered a question.
    Answered(PeerAnswer),
    /// A piece of history lies on the media hosts.
    FetchHistory,
    /// Messages are missing that the phone may have.
    AskPhone,
    /// The account has a name to show now.
    ShowPresence,
}

/// A step over the store: reads go through what was changed before in the same step.
pub(crate) struct Step<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) device: Arc<Device>,
    pub(crate) local: LocalIdentity,
    pub(crate) changes: Changes,
    pub(crate) outputs: Outputs,
    sessions: HashMap<Address, Loaded>,
    sender_keys: HashMap<(Chat, Address), (SenderKeyRecord, bool)>,
    events: Vec<StoredEvent>,
    lids: HashMap<User, Option<User>>,
    retries: HashMap<CompactString, u8>,
    chats: HashMap<Chat, ChatKey>,
    pns: HashMap<User, Option<User>>,
    /// LIDs by phone number that are known to be one person: every message says so again.
    one_person: HashMap<Jid, Jid>,
    /// What people call themselves, of those who wrote in this step.
    pub(crate) push_names: HashMap<User, CompactString>,
    /// What is known of deliveries of own messages, as far as it was read or changed.
    pub(crate) deliveries: HashMap<(CompactString, User), Option<StoredDelivery>>,
    /// Of own messages themselves.
    pub(crate) statuses: HashMap<CompactString, Option<StoredStatus>>,
    /// What add-ons need, of messages of this step.
    pub(crate) learnt: Learnt,
}

/// A session record of this step.
pub(crate) struct Loaded {
    pub(crate) record: SessionRecord,
    pub(crate) sending: Sending,
    /// Written with the step.
    is_changed: bool,
}

impl<'a> Step<'a> {
    pub(crate) fn new(shared: &'a Shared) -> Self {
        let device = shared.device();
        Self {
            shared,
            local: device.identity(),
            device,
            changes: Changes::new(),
            outputs: Outputs::default(),
            sessions: HashMap::new(),
            sender_keys: HashMap::new(),
            events: Vec::new(),
            lids: HashMap::new(),
            retries: HashMap::new(),
            chats: HashMap::new(),
            pns: HashMap::new(),
            one_person: HashMap::new(),
            push_names: HashMap::new(),
            deliveries: HashMap::new(),
            statuses: HashMap::new(),
            learnt: Learnt::default(),
        }
    }

    /// Everything for one commit. What many messages of the step have changed is written once.
    pub(super) fn finish(mut self) -> wa_store::Pending<Outputs> {
        for (at, loaded) in self.sessions.iter().filter(|(_, loaded)| loaded.is_changed) {
            let record = Bytes::copy_from_slice(&loaded.record.encode());
            self.changes.put(tables::Sessions, at, &Session { record, sending: loaded.sending });
        }
        for (at, (record, _)) in self.sender_keys.iter().filter(|(_, (_, is_changed))| *is_changed) {
            self.changes.put(tables::SenderKeys, at, &Bytes::copy_from_slice(&record.encode()));
        }
        self.learnt.write_secrets(&mut self.changes);
        let mut events = self.events.into_iter().peekable();
        while events.peek().is_some() {
            let row: Vec<StoredEvent> = events.by_ref().take(ROW).collect();
            self.outputs.events.push(self.shared.event_row(&mut self.changes, row));
        }
        self.changes.holding(self.outputs)
    }

    /// Puts an event into the inbox.
    pub(crate) fn event(&mut self, event: StoredEvent) {
        self.events.push(event);
    }

    /// The session with a device; an empty record if there is none. A damaged one is moved out of the way: the retry
    /// that follows builds a new one.
    pub(crate) async fn session(&mut self, at: &Address) -> Result<&mut Loaded, StoreError> {
        if !self.sessions.contains_key(at) {
            let loaded = match self.shared.store.one(tables::Sessions, at).await? {
                Some(row) => match SessionRecord::decode(&row.record) {
                    Ok(record) => Loaded { record, sending: row.sending, is_changed: false },
                    Err(error) => {
                        tracing::error!(%error, "a session record is damaged and is replaced");
                        Loaded::empty()
                    }
                },
                None => Loaded::empty(),
            };
            self.sessions.insert(at.clone(), loaded);
        }
        Ok(self.sessions.entry(at.clone()).or_insert_with(Loaded::empty))
    }

    /// Loads many sessions at once.
    pub(crate) async fn load_sessions(&mut self, wanted: &[Address]) -> Result<(), StoreError> {
        let missing: Vec<Address> =
            wanted.iter().filter(|at| !self.sessions.contains_key(*at)).cloned().collect();
        let rows = self.shared.store.many(tables::Sessions, &missing).await?;
        for (at, row) in missing.into_iter().zip(rows) {
            let loaded = row.and_then(|row| {
                let record = SessionRecord::decode(&row.record).ok()?;
                Some(Loaded { record, sending: row.sending, is_changed: false })
            });
            self.sessions.insert(at, loaded.unwrap_or_else(Loaded::empty));
        }
        Ok(())
    }

    /// Writes a session as the step leaves it.
    pub(crate) fn store_session(&mut self, at: &Address) {
        if let Some(loaded) = self.sessions.get_mut(at) {
            loaded.is_changed = true;
        }
    }

    /// Forgets a session: the next message to the device builds a new one.
    pub(crate) fn delete_session(&mut self, at: &Address) {
        self.sessions.insert(at.clone(), Loaded::empty());
        self.changes.delete(tables::Sessions, at);
    }

    /// The sender keys that a device gave us for a chat.
    pub(crate) async fn sender_key(
        &mut self,
        at: &(Chat, Address),
    ) -> Result<&mut SenderKeyRecord, StoreError> {
        if !self.sender_keys.contains_key(at) {
            let row = self.shared.store.one(tables::SenderKeys, at).await?;
            let record = row.and_then(|row| SenderKeyRecord::decode(&row).ok()).unwrap_or_default();
            self.sender_keys.insert(at.clone(), (record, false));
        }
        Ok(&mut self.sender_keys.entry(at.clone()).or_default().0)
    }

    /// Writes a sender key as the step leaves it.
    pub(crate) fn store_sender_key(&mut self, at: &(Chat, Address)) {
        if let Some((_, is_changed)) = self.sender_keys.get_mut(at) {
            *is_changed = true;
        }
    }

    /// How often a message was asked for, if it was.
    pub(crate) async fn retries(&mut self, name: &CompactString) -> Result<Option<u8>, StoreError> {
        if let Some(known) = self.retries.get(name) {
            return Ok(Some(*known));
        }
        let stored = self.shared.store.one(tables::NumberState, name).await?;
        Ok(stored.as_deref().and_then(|bytes| bytes.first().copied()))
    }

    /// Notes how often a message was asked for.
    pub(crate) fn set_retries(&mut self, name: CompactString, retries: u8, kept: Duration) {
        let until = self.shared.now().after(kept);
        self.changes.put_until(tables::NumberState, &name, &Bytes::copy_from_slice(&[retries]), until);
        self.retries.insert(name, retries);
    }

    /// Saves an identity that has proven itself; says whether it replaces another one.
    pub(crate) async fn save_identity(
        &mut self,
        at: &Address,
        key: &IdentityKey,
    ) -> Result<bool, StoreError> {
        let stored = self.shared.store.one(tables::Identities, at).await?;
        let seen = key.as_bytes().as_slice();
        if stored.as_deref() == Some(seen) {
            return Ok(false);
        }
        self.changes.put(tables::Identities, at, &Bytes::copy_from_slice(seen));
        Ok(stored.is_some())
    }

    /// The LID of a phone number, if known.
    pub(crate) async fn lid_of(&mut self, pn: &User) -> Result<Option<User>, StoreError> {
        if let Some(known) = self.lids.get(pn) {
            return Ok(known.clone());
        }
        let lid = self.shared.store.lid_of(pn).await?;
        self.lids.insert(pn.clone(), lid.clone());
        Ok(lid)
    }

    /// The phone number of a LID, if known.
    pub(crate) async fn pn_of(&mut self, lid: &User) -> Result<Option<User>, StoreError> {
        if let Some(known) = self.pns.get(lid) {
            return Ok(known.clone());
        }
        let pn = self.shared.store.pn_of(lid).await?;
        self.pns.insert(lid.clone(), pn.clone());
        Ok(pn)
    }

    /// A person with both forms, as far as they are known.
    pub(crate) async fn whole_peer(&mut self, peer: &Peer) -> Result<Peer, StoreError> {
        let other = match peer {
            Peer { lid: Some(lid), pn: None, .. } => self.pn_of(&user_row(lid)).await?,
            Peer { lid: None, pn: Some(pn), .. } => self.lid_of(&user_row(pn)).await?,
            _ => None,
        };
        let other: Option<Jid> = other.and_then(|other| other.as_str().parse().ok());
        let whole = peer.jid().map(|jid| Peer::of(jid, other.as_ref()));
        Ok(Peer { username: peer.username.clone(), ..whole.unwrap_or_default() })
    }

    /// Learns that two addresses are one person. State that was kept under the phone number moves to the LID.
    pub(crate) async fn learn(
        &mut self,
        one: &Jid,
        other: &Jid,
        source: MappingSource,
    ) -> Result<(), StoreError> {
        let (lid, pn) = match (one.is_lid(), other.is_lid()) {
            (true, false) if other.is_pn() => (one.user_jid(), other.user_jid()),
            (false, true) if one.is_pn() => (other.user_jid(), one.user_jid()),
            _ => return Ok(()),
        };
        if self.one_person.get(&pn) == Some(&lid) {
            return Ok(());
        }
        self.link(&user_row(&lid), &user_row(&pn), source).await?;
        self.one_person.insert(pn, lid);
        Ok(())
    }

    async fn link(&mut self, lid: &User, pn: &User, source: MappingSource) -> Result<(), StoreError> {
        if self.lid_of(pn).await?.as_ref() == Some(lid) {
            return Ok(());
        }
        self.changes.link_lid(lid, pn, source, self.shared.now());
        self.lids.insert(pn.clone(), Some(lid.clone()));
        self.pns.insert(lid.clone(), Some(pn.clone()));
        self.migrate(pn, lid).await?;
        self.merge_chats(pn, lid).await
    }

    /// Moves sessions and identities of a phone number to its LID (chapter 04 §10.2): of two sessions the phone
    /// number's wins, of two identities the LID's.
    async fn migrate(&mut self, pn: &User, lid: &User) -> Result<(), StoreError> {
        for (from, row) in self.shared.store.all(tables::Sessions, pn).await? {
            let to = Address { user: lid.clone(), device: from.device };
            self.sessions.remove(&to);
            self.changes.put(tables::Sessions, &to, &row);
            self.changes.delete(tables::Sessions, &from);
            // As this step may have changed it already.
            let moved = self.sessions.remove(&from);
            let stored = || {
                Some(Loaded {
                    record: SessionRecord::decode(&row.record).ok()?,
                    sending: row.sending,
                    is_changed: false,
                })
            };
            if let Some(loaded) = moved.or_else(stored) {
                self.sessions.insert(to, loaded);
            }
        }
        for (from, row) in self.shared.store.all(tables::Identities, pn).await? {
            let to = Address { user: lid.clone(), device: from.device };
            if self.shared.store.one(tables::Identities, &to).await?.is_none() {
                self.changes.put(tables::Identities, &to, &row);
            }
            self.changes.delete(tables::Identities, &from);
        }
        Ok(())
    }

    /// Where the state of a device is kept: under the LID whenever that is known.
    pub(crate) async fn address_of(&mut self, device: &Jid) -> Result<Address, StoreError> {
        let at = address(device);
        if !device.is_pn() {
            return Ok(at);
        }
        Ok(match self.lid_of(&at.user).await? {
            Some(lid) => Address { user: lid, device: at.device },
            None => at,
        })
    }

    /// The local key of a chat; a chat that is new gets one.
    pub(crate) async fn chat(&mut self, jid: &Jid) -> Result<ChatRef, StoreError> {
        let jid = jid.user_jid();
        let name = chat_row(&jid);
        if let Some(key) = self.chats.get(&name) {
            return Ok(ChatRef { key: *key, jid });
        }
        let key = match self.shared.store.one(tables::ChatNames, &name).await? {
            Some(key) => key,
            None => self.new_chat(&jid, &name).await?,
        };
        self.chats.insert(name, key);
        Ok(ChatRef { key, jid })
    }

    async fn new_chat(&mut self, jid: &Jid, name: &Chat) -> Result<ChatKey, StoreError> {
        // A person that is known under the other form already has a chat.
        let other = if jid.is_lid() {
            self.pn_of(&user_row(jid)).await?
        } else if jid.is_pn() {
            self.lid_of(&user_row(jid)).await?
        } else {
            None
        };
        if let Some(other) = other.map(|user| Chat::from(user.as_str())) {
            let key = match self.chats.get(&other) {
                Some(key) => Some(*key),
                None => self.shared.store.one(tables::ChatNames, &other).await?,
            };
            if let Some(key) = key {
                self.changes.put(tables::ChatNames, name, &key);
                return Ok(key);
            }
        }
        let key = self.shared.store.next_chat_key();
        let record = ChatRecord {
            names: vec![name.clone()],
            title: None,
            created: self.shared.now(),
            merged_into: None,
        };
        self.changes.put(tables::Chats, &key, &record);
        self.changes.put(tables::ChatNames, name, &key);
        Ok(key)
    }

    /// Two names turned out to be one chat: the older key stays, the other becomes its alias.
    async fn merge_chats(&mut self, pn: &User, lid: &User) -> Result<(), StoreError> {
        let names = [Chat::from(pn.as_str()), Chat::from(lid.as_str())];
        let keys = self.shared.store.many(tables::ChatNames, &names).await?;
        let [Some(one), Some(other)] = keys[..] else { return Ok(()) };
        if one == other {
            return Ok(());
        }
        let (kept, alias) = (one.min(other), one.max(other));
        for name in &names {
            self.changes.put(tables::ChatNames, name, &kept);
            self.chats.insert(name.clone(), kept);
        }
        if let Some(record) = self.shared.store.one(tables::Chats, &alias).await? {
            self.changes.put(tables::Chats, &alias, &ChatRecord { merged_into: Some(kept), ..record });
        }
        if let Ok(jid) = lid.as_str().parse() {
            self.event(StoredEvent::ChatsMerged { kept: ChatRef { key: kept, jid }, alias });
        }
        Ok(())
    }
}

impl Loaded {
    fn empty() -> Self {
        Self { record: SessionRecord::new(), sending: Sending::Allowed, is_changed: false }
    }
}
