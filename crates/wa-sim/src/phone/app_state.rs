//! The phone's app state: the keys, all five collections in plain, its own patches and snapshots, and the check of every
//! patch that a companion pushes (chapter 07 §12.2, chapter 10 §9).

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message as _;
use rand_chacha::ChaCha12Rng;
use rand_core::Rng as _;
use serde::Serialize;
use wa_binary::Jid;
use wa_core::app_state::{
    Applied, Collection, Head, KeyRing, Mutation, Operation, PatchPolicy, Replaced, SyncKey, apply_patch,
    build_patch_replacing, build_snapshot, keys,
};
use wa_crypto::Secret;
use wa_media::{MediaKey, MediaKind, Sidecar};
use wa_proto::app_state::{ExternalBlobReference, SyncdPatch, SyncdRecord, SyncdSnapshot};
use wa_proto::e2e_message::Message;
use wa_proto::e2e_message::message::protocol_message::Type;
use wa_proto::e2e_message::message::{
    AppStateSyncKey, AppStateSyncKeyData, AppStateSyncKeyFingerprint, AppStateSyncKeyId,
    AppStateSyncKeyShare, ProtocolMessage,
};
use wa_proto::sync_action::sync_action_value::{
    ArchiveChatAction, BroadcastListParticipant, BusinessBroadcastListAction, ContactAction, LocaleSetting,
    MarkChatAsReadAction, MuteAction, NctSaltSyncAction, PinAction, PushNameSetting, StarAction,
    SyncActionMessage, SyncActionMessageRange,
};
use wa_proto::sync_action::{SyncActionData, SyncActionValue};

use super::app_state_fault::{AppStateFault, bent};
use super::peer_data::PlainRecord;
use super::receive::Envelope;
use super::{Blob, MessageRef, Network, Now, Phone, PhoneError, PhoneEvent, Turn};

/// A change of one collection, to be stored by the server as one push of device 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppStatePush {
    /// Wire name, e.g. `critical_block`.
    pub collection: &'static str,
    /// Version before the push.
    pub base_version: u64,
    /// `SyncdPatch` without version, which the server sets.
    pub patch: Bytes,
}

/// One changed record in plain, as the admin API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AppStateChange {
    /// Wire name.
    pub collection: &'static str,
    /// False for a REMOVE.
    pub set: bool,
    /// The index's parts; empty when it is not readable.
    pub index: Vec<String>,
    /// Version of the action.
    pub action_version: i32,
    /// `SyncActionValue` bytes.
    #[serde(skip)]
    pub value: Option<Bytes>,
    /// The value for people.
    pub shown: String,
}

/// A setting that the phone's user changes.
#[derive(Clone, Debug)]
pub enum AppAction {
    /// The push name.
    Name(String),
    /// e.g. `en_US`.
    Locale(String),
    /// Mutes a chat until a time in milliseconds, for ever, or not at all.
    Mute {
        /// Which chat.
        chat: Jid,
        /// `None` unmutes, -1 is for ever.
        until_ms: Option<i64>,
    },
    /// Pins or unpins a chat.
    Pin {
        /// Which chat.
        chat: Jid,
        /// Pinned or not.
        pinned: bool,
    },
    /// Archives a chat or takes it back.
    Archive {
        /// Which chat.
        chat: Jid,
        /// Archived or not.
        archived: bool,
    },
    /// Marks a chat as read or unread.
    MarkRead {
        /// Which chat.
        chat: Jid,
        /// Read or not.
        read: bool,
    },
    /// Stars a message or takes the star back.
    Star {
        /// Which message.
        target: MessageRef,
        /// Starred or not.
        starred: bool,
    },
    /// Saves a contact in the address book; no name removes it.
    Contact {
        /// Phone-number address.
        user: Jid,
        /// Full name.
        name: Option<String>,
    },
    /// Makes or changes a broadcast list; without people it is deleted.
    BroadcastList {
        /// Digits of its address.
        id: String,
        /// What it is called.
        name: String,
        /// Who is on it, by LID.
        people: Vec<Jid>,
    },
    /// Gives the salt of `cstoken`s to the companions.
    NctSalt,
    /// So many records that no client knows: what makes a snapshot huge.
    Filler {
        /// How many.
        records: u32,
    },
    /// Removes a record that never was.
    RemoveNothing,
}

#[derive(Serialize, serde::Deserialize)]
pub(super) struct AppState {
    #[serde(with = "crate::state::foreign::one")]
    ring: KeyRing,
    fingerprint: u32,
    #[serde(with = "crate::state::foreign::keys")]
    collections: BTreeMap<Collection, Stored>,
}

#[derive(Default, Serialize, serde::Deserialize)]
struct Stored {
    #[serde(with = "crate::state::foreign::one")]
    head: Head,
    rows: BTreeMap<[u8; 32], [u8; 32]>,
    #[serde(with = "crate::state::foreign::values")]
    records: BTreeMap<[u8; 32], SyncdRecord>,
    #[serde(with = "crate::state::foreign::values")]
    plain: BTreeMap<[u8; 32], Mutation>,
}

impl AppState {
    /// Makes the first key: device 0, a random epoch.
    pub(super) fn new(rng: &mut ChaCha12Rng, now: Now) -> Self {
        let epoch = rng.next_u32() % 65_536 + 1;
        let key =
            SyncKey { id: keys::key_id(0, epoch), data: Secret::random(rng), timestamp_ms: now.millis() };
        let ring = [key].into_iter().collect();
        Self { ring, fingerprint: rng.next_u32(), collections: BTreeMap::new() }
    }

    fn push(
        &mut self,
        collection: Collection,
        mutations: &[Mutation],
        rng: &mut ChaCha12Rng,
    ) -> Result<AppStatePush, PhoneError> {
        let stored = self.collections.entry(collection).or_default();
        let (key, expanded) = self.ring.active().ok_or(wa_core::app_state::AppStateError::NoActiveKey)?;
        let ring = &self.ring;
        let replaced: Vec<Replaced<'_>> = mutations
            .iter()
            .flat_map(|mutation| stored.older(mutation, &key.id))
            .filter_map(|(old, key_id)| {
                let keys = ring.expanded(key_id)?;
                Some(Replaced { index: old.index.clone(), version: old.version, key_id, keys })
            })
            .collect();
        let built = build_patch_replacing(
            collection,
            &stored.head,
            &stored.rows,
            (&key.id, expanded),
            &replaced,
            mutations,
            rng,
        )?;
        let base_version = stored.head.version;
        stored.commit(&built.applied, built.records);
        Ok(AppStatePush { collection: collection.name(), base_version, patch: built.bytes })
    }
}

impl Stored {
    /// Records of the mutation's index that other keys wrote, with those keys' ids.
    fn older<'s>(
        &'s self,
        mutation: &'s Mutation,
        key_id: &'s Bytes,
    ) -> impl Iterator<Item = (&'s Mutation, &'s Bytes)> {
        self.plain.iter().filter(|(_, old)| old.index == mutation.index).filter_map(
            move |(index_mac, old)| {
                let by = self.records.get(index_mac)?.key_id.as_ref()?.id.as_ref()?;
                (by != key_id).then_some((old, by))
            },
        )
    }

    fn commit(&mut self, applied: &Applied, records: Vec<SyncdRecord>) {
        self.head = applied.head.clone();
        for change in &applied.records {
            match &change.live {
                Some((value_mac, _)) => {
                    self.rows.insert(change.index_mac, *value_mac);
                }
                None => {
                    self.rows.remove(&change.index_mac);
                    self.records.remove(&change.index_mac);
                    self.plain.remove(&change.index_mac);
                }
            }
        }
        for read in &applied.mutations {
            if self.rows.contains_key(&read.index_mac) && read.mutation.operation == Operation::Set {
                self.plain.insert(read.index_mac, read.mutation.clone());
            }
        }
        for record in records {
            let index = record.index.as_ref().and_then(|index| index.blob.as_deref()).unwrap_or_default();
            if let Ok(index_mac) = index.try_into()
                && self.rows.contains_key(&index_mac)
            {
                self.records.insert(index_mac, record);
            }
        }
    }
}

impl Phone {
    /// First patches of a new account: name and locale in `critical_block` and, unless switched off, the salt of
    /// `cstoken`s.
    pub fn initial_app_state(&mut self, now: Now) -> Vec<AppStatePush> {
        let mut critical = Vec::new();
        critical.extend(self.mutations(&AppAction::Locale(self.locale.clone()), now).1);
        critical.extend(self.mutations(&AppAction::Name(self.name.clone()), now).1);
        let mut pushes = vec![(Collection::CriticalBlock, critical)];
        if self.history.nct_salt_in_app_state {
            pushes.push(self.mutations(&AppAction::NctSalt, now));
        }
        pushes
            .into_iter()
            .filter_map(|(collection, mutations)| self.app.push(collection, &mutations, &mut self.rng).ok())
            .collect()
    }

    /// Changes the push name.
    ///
    /// # Errors
    /// [`PhoneError::AppState`].
    pub fn set_name(&mut self, name: &str, now: Now) -> Result<AppStatePush, PhoneError> {
        self.change_app_state(&AppAction::Name(name.to_owned()), now)
    }

    /// Changes a setting: gives the patch for the server, which must accept it.
    ///
    /// # Errors
    /// [`PhoneError::AppState`].
    pub fn change_app_state(&mut self, action: &AppAction, now: Now) -> Result<AppStatePush, PhoneError> {
        let (collection, mutations) = self.mutations(action, now);
        match action {
            AppAction::Name(name) => self.name.clone_from(name),
            AppAction::Locale(locale) => self.locale.clone_from(locale),
            _ => {}
        }
        self.app.push(collection, &mutations, &mut self.rng)
    }

    /// A record of any kind, for tests of what this library does not know.
    ///
    /// # Errors
    /// [`PhoneError::UnknownCollection`], [`PhoneError::AppState`].
    pub fn push_raw(&mut self, collection: &str, mutations: &[Mutation]) -> Result<AppStatePush, PhoneError> {
        let collection = Collection::from_name(collection)
            .ok_or_else(|| PhoneError::UnknownCollection(collection.to_owned()))?;
        self.app.push(collection, mutations, &mut self.rng)
    }

    /// A companion pushed a patch that the server accepted under `version`. Every MAC is checked.
    ///
    /// # Errors
    /// [`PhoneError::AppState`]: the companion did something wrong, or the phone missed an earlier patch.
    pub fn app_state_accepted(
        &mut self,
        collection: &str,
        version: u64,
        patch: &[u8],
    ) -> Result<Vec<AppStateChange>, PhoneError> {
        let known = Collection::from_name(collection)
            .ok_or_else(|| PhoneError::UnknownCollection(collection.to_owned()))?;
        let stored = self.app.collections.entry(known).or_default();
        let applied = apply_patch(
            known,
            &stored.head,
            &stored.rows,
            patch,
            Some(version.saturating_sub(1)),
            None,
            &self.app.ring,
            PatchPolicy::Strict,
        )?;
        let Some(applied) = applied else { return Ok(Vec::new()) };
        let records = SyncdPatch::decode(patch).map(|patch| patch.mutations).unwrap_or_default();
        let records =
            records.into_iter().filter_map(|mutation| mutation.record.map(|record| *record)).collect();
        stored.commit(&applied, records);
        let changes: Vec<AppStateChange> =
            applied.mutations.iter().map(|read| change(known, &read.mutation)).collect();
        for read in &applied.mutations {
            if let Some(name) = read.mutation.action().and_then(|value| value.push_name_setting) {
                self.name = name.name().to_owned();
            }
        }
        Ok(changes)
    }

    /// All live records of a collection in plain.
    ///
    /// # Errors
    /// [`PhoneError::UnknownCollection`].
    pub fn app_state(&self, collection: &str) -> Result<Vec<AppStateChange>, PhoneError> {
        let known = Collection::from_name(collection)
            .ok_or_else(|| PhoneError::UnknownCollection(collection.to_owned()))?;
        let stored = self.app.collections.get(&known);
        Ok(stored.into_iter().flat_map(|stored| stored.plain.values()).map(|it| change(known, it)).collect())
    }

    /// A snapshot of a collection as an encrypted file; gives the `ExternalBlobReference` for `<snapshot>` and its version.
    /// `None` for an empty collection, which has none.
    ///
    /// # Errors
    /// [`PhoneError::UnknownCollection`], [`PhoneError::AppState`].
    pub fn app_state_snapshot(
        &mut self,
        collection: &str,
        network: &mut dyn Network,
    ) -> Result<Option<(u64, Bytes)>, PhoneError> {
        let known = Collection::from_name(collection)
            .ok_or_else(|| PhoneError::UnknownCollection(collection.to_owned()))?;
        let Some(stored) = self.app.collections.get(&known).filter(|stored| stored.head.version > 0) else {
            return Ok(None);
        };
        let (key, expanded) = self.app.ring.active().ok_or(wa_core::app_state::AppStateError::NoActiveKey)?;
        let version = stored.head.version;
        let records = stored.records.values().cloned().collect();
        let snapshot = build_snapshot(known, version, records, (&key.id, expanded))?;
        let media_key = MediaKey::generate(&mut self.rng);
        let keys = media_key.derive(MediaKind::AppState);
        let mut plain = snapshot.bytes;
        if self.app_fault == Some(AppStateFault::SnapshotMac)
            && let Ok(mut spoiled) = SyncdSnapshot::decode(plain.clone())
        {
            spoiled.mac = spoiled.mac.as_deref().map(bent);
            plain = spoiled.encode_to_vec().into();
        }
        let (bytes, file) = wa_media::seal(&keys, &plain, Sidecar::None);
        let direct_path = network.store_blob(Blob {
            kind: MediaKind::AppState,
            enc_sha256: file.file_enc_sha256,
            file: Bytes::from(bytes).into(),
        });
        let reference = ExternalBlobReference {
            media_key: Some(Bytes::copy_from_slice(media_key.expose())),
            direct_path: Some(direct_path),
            file_size_bytes: Some(file.file_length),
            file_sha256: Some(Bytes::copy_from_slice(&file.file_sha256)),
            file_enc_sha256: Some(Bytes::copy_from_slice(&file.file_enc_sha256)),
            ..Default::default()
        };
        Ok(Some((version, reference.encode_to_vec().into())))
    }

    /// Makes a new key with the next epoch, which is written with from now on. Every companion is sent it.
    ///
    /// # Errors
    /// [`PhoneError`] when a companion cannot be encrypted for.
    pub fn rotate_app_state_key(&mut self, network: &mut dyn Network, now: Now) -> Result<Turn, PhoneError> {
        let epochs = self.app.ring.iter().filter_map(|key| keys::key_device_and_epoch(&key.id));
        let epoch = epochs.map(|(_, epoch)| epoch).max().unwrap_or_default().wrapping_add(1);
        let key = SyncKey {
            id: keys::key_id(0, epoch),
            data: Secret::random(&mut self.rng),
            timestamp_ms: now.millis(),
        };
        self.app.ring.insert(key);
        let mut turn = Turn::default();
        for device in self.companions().collect::<Vec<_>>() {
            turn.stanzas.push(self.key_share(device, network, now)?);
        }
        Ok(turn)
    }

    /// All keys for one companion.
    pub(super) fn key_share(
        &mut self,
        device: u16,
        network: &mut dyn Network,
        now: Now,
    ) -> Result<wa_binary::Node, PhoneError> {
        let mut known: Vec<&SyncKey> = self.app.ring.iter().collect();
        known.sort_by(|a, b| a.id.cmp(&b.id));
        let keys = known.into_iter().map(|key| self.shared_key(key)).collect();
        Ok(self.peer_stanza(device, &share_message(keys), "high", network, now)?.1)
    }

    fn shared_key(&self, key: &SyncKey) -> AppStateSyncKey {
        AppStateSyncKey {
            key_id: Some(Box::new(AppStateSyncKeyId { key_id: Some(key.id.clone()) })),
            key_data: Some(Box::new(AppStateSyncKeyData {
                key_data: Some(Bytes::copy_from_slice(key.data.expose())),
                fingerprint: Some(Box::new(AppStateSyncKeyFingerprint {
                    raw_id: Some(self.app.fingerprint),
                    current_index: Some(0),
                    device_indexes: vec![0],
                })),
                timestamp: Some(key.timestamp_ms),
            })),
        }
    }

    /// Known keys complete, unknown ones with their id only (chapter 07 §2.2).
    pub(super) fn answer_key_request(
        &mut self,
        envelope: &Envelope,
        protocol: &ProtocolMessage,
        network: &mut dyn Network,
        now: Now,
    ) -> Turn {
        if self.app_fault == Some(AppStateFault::KeysIgnored) {
            return Turn::default();
        }
        let mut asked: Vec<Bytes> = Vec::new();
        for id in protocol.app_state_sync_key_request.iter().flat_map(|request| &request.key_ids) {
            let id = id.key_id.clone().unwrap_or_default();
            if !asked.contains(&id) {
                asked.push(id);
            }
        }
        let device = envelope.sender.clone();
        if self.app_fault == Some(AppStateFault::KeysLate) {
            self.late_keys.push((device.clone(), asked));
            let events = vec![PhoneEvent::KeysHeldBack { device }];
            return Turn { stanzas: Vec::new(), events };
        }
        self.share_keys(device, asked, network, now)
    }

    /// The oldest request for keys that was held back.
    pub fn share_late_keys(&mut self, network: &mut dyn Network, now: Now) -> Turn {
        if self.late_keys.is_empty() {
            return Turn::default();
        }
        let (device, asked) = self.late_keys.remove(0);
        self.share_keys(device, asked, network, now)
    }

    fn share_keys(&mut self, device: Jid, asked: Vec<Bytes>, network: &mut dyn Network, now: Now) -> Turn {
        let orphaned = self.app_fault == Some(AppStateFault::KeysOrphaned);
        let mut unknown = 0;
        let keys = asked
            .into_iter()
            .map(|id| match self.app.ring.key(&id).filter(|_| !orphaned) {
                Some(key) => self.shared_key(key),
                None => {
                    unknown += 1;
                    let key_id = Some(Box::new(AppStateSyncKeyId { key_id: Some(id) }));
                    AppStateSyncKey { key_id, key_data: None }
                }
            })
            .collect();
        match self.peer_stanza(device.device(), &share_message(keys), "high", network, now) {
            Ok((_, stanza)) => {
                let event = PhoneEvent::KeysShared { device, unknown };
                Turn { stanzas: vec![stanza], events: vec![event] }
            }
            Err(error) => {
                tracing::debug!(%error, "no answer to a key request");
                Turn::default()
            }
        }
    }

    fn mutations(&self, action: &AppAction, now: Now) -> (Collection, Vec<Mutation>) {
        let value = SyncActionValue { timestamp: Some(now.millis()), ..Default::default() };
        let set = |index: &[&str], value: &SyncActionValue, version| {
            Mutation::new(Operation::Set, index, value, version)
        };
        match action {
            AppAction::Name(name) => {
                let setting = PushNameSetting { name: Some(name.clone()) };
                let value = SyncActionValue { push_name_setting: Some(Box::new(setting)), ..value };
                (Collection::CriticalBlock, vec![set(&["setting_pushName"], &value, 1)])
            }
            AppAction::Locale(locale) => {
                let setting = LocaleSetting { locale: Some(locale.clone()) };
                let value = SyncActionValue { locale_setting: Some(Box::new(setting)), ..value };
                (Collection::CriticalBlock, vec![set(&["setting_locale"], &value, 3)])
            }
            AppAction::Mute { chat, until_ms } => {
                let mute = MuteAction {
                    muted: Some(until_ms.is_some()),
                    mute_end_timestamp: Some(until_ms.unwrap_or(0)),
                    ..Default::default()
                };
                let value = SyncActionValue { mute_action: Some(Box::new(mute)), ..value };
                (Collection::RegularHigh, vec![set(&["mute", &bare(chat)], &value, 2)])
            }
            AppAction::Pin { chat, pinned } => {
                let mut mutations = vec![set(&["pin_v1", &bare(chat)], &pin(&value, *pinned), 5)];
                if *pinned {
                    let archive = self.archive(&value, chat, false);
                    mutations.push(set(&["archive", &bare(chat)], &archive, 3));
                }
                (Collection::RegularLow, mutations)
            }
            AppAction::Archive { chat, archived } => {
                let archive = self.archive(&value, chat, *archived);
                let mut mutations = vec![set(&["archive", &bare(chat)], &archive, 3)];
                if *archived {
                    mutations.push(set(&["pin_v1", &bare(chat)], &pin(&value, false), 5));
                }
                (Collection::RegularLow, mutations)
            }
            AppAction::MarkRead { chat, read } => {
                let mark = MarkChatAsReadAction { read: Some(*read), message_range: self.range(chat) };
                let value = SyncActionValue { mark_chat_as_read_action: Some(Box::new(mark)), ..value };
                (Collection::RegularLow, vec![set(&["markChatAsRead", &bare(chat)], &value, 3)])
            }
            AppAction::Star { target, starred } => {
                let star = StarAction { starred: Some(*starred) };
                let value = SyncActionValue { star_action: Some(Box::new(star)), ..value };
                let from_me = if target.from_me { "1" } else { "0" };
                let participant = match target.chat.is_group() && !target.from_me {
                    true => bare(&target.sender),
                    false => "0".to_owned(),
                };
                let index = ["star", &bare(&target.chat), &target.id, from_me, &participant];
                (Collection::RegularHigh, vec![set(&index, &value, 2)])
            }
            AppAction::Contact { user, name } => {
                let contact = ContactAction {
                    full_name: name.clone(),
                    first_name: name.as_ref().and_then(|name| name.split(' ').next().map(str::to_owned)),
                    ..Default::default()
                };
                let value = SyncActionValue { contact_action: Some(Box::new(contact)), ..value };
                let operation = if name.is_some() { Operation::Set } else { Operation::Remove };
                let index = ["contact", &bare(user)];
                (Collection::CriticalUnblockLow, vec![Mutation::new(operation, &index, &value, 2)])
            }
            AppAction::BroadcastList { id, name, people } => {
                let participant = |lid: &Jid| BroadcastListParticipant {
                    lid_jid: Some(bare(lid)),
                    ..BroadcastListParticipant::default()
                };
                let list = BusinessBroadcastListAction {
                    participants: people.iter().map(participant).collect(),
                    list_name: Some(name.clone()),
                    ..Default::default()
                };
                let value = SyncActionValue { business_broadcast_list_action: Some(Box::new(list)), ..value };
                let operation = if people.is_empty() { Operation::Remove } else { Operation::Set };
                let index = ["business_broadcast_list", id];
                (Collection::Regular, vec![Mutation::new(operation, &index, &value, 1)])
            }
            AppAction::Filler { records } => {
                let filler = |at: u32| set(&["sim_filler", &at.to_string()], &value, 1);
                (Collection::Regular, (0..*records).map(filler).collect())
            }
            AppAction::RemoveNothing => {
                let index = ["sim_filler", "nothing"];
                (Collection::Regular, vec![Mutation::new(Operation::Remove, &index, &value, 1)])
            }
            AppAction::NctSalt => {
                let salt = NctSaltSyncAction { salt: Some(Bytes::copy_from_slice(&self.nct_salt)) };
                let value = SyncActionValue { nct_salt_sync_action: Some(Box::new(salt)), ..value };
                (Collection::RegularHigh, vec![set(&["nct_salt_sync"], &value, 1)])
            }
        }
    }

    /// Version, hash and live records of a collection in plain.
    pub(super) fn plain_records(&self, collection: Collection) -> (u64, Bytes, Vec<PlainRecord>) {
        let empty = Stored::default();
        let stored = self.app.collections.get(&collection).unwrap_or(&empty);
        let records = stored.plain.iter().filter_map(|(index_mac, mutation)| {
            let record = stored.records.get(index_mac)?;
            let key_id = record.key_id.as_ref()?.id.clone()?;
            let data = SyncActionData::decode(mutation.plaintext().as_slice()).ok()?;
            Some((data, key_id, *stored.rows.get(index_mac)?))
        });
        let hash = Bytes::copy_from_slice(stored.head.hash.as_bytes());
        (stored.head.version, hash, records.collect())
    }

    fn archive(&self, value: &SyncActionValue, chat: &Jid, archived: bool) -> SyncActionValue {
        let archive = ArchiveChatAction { archived: Some(archived), message_range: self.range(chat) };
        SyncActionValue { archive_chat_action: Some(Box::new(archive)), ..value.clone() }
    }

    /// What the user had seen of a chat (chapter 07 §9.5): its newest message.
    fn range(&self, chat: &Jid) -> Option<Box<SyncActionMessageRange>> {
        let newest = self.chats.chat(&chat.user_jid()).last()?;
        let timestamp = i64::try_from(newest.timestamp).ok();
        let in_group = chat.is_group();
        let key = wa_proto::common::MessageKey {
            remote_jid: Some(bare(chat)),
            from_me: Some(newest.from_me),
            id: Some(newest.id.clone()),
            participant: (in_group && !newest.from_me).then(|| bare(&newest.sender)),
        };
        let message = SyncActionMessage { key: Some(Box::new(key)), timestamp };
        Some(Box::new(SyncActionMessageRange {
            last_message_timestamp: timestamp,
            messages: vec![message],
            ..Default::default()
        }))
    }
}

fn pin(value: &SyncActionValue, pinned: bool) -> SyncActionValue {
    let pin = PinAction { pinned: Some(pinned) };
    SyncActionValue { pin_action: Some(Box::new(pin)), ..value.clone() }
}

fn bare(jid: &Jid) -> String {
    jid.user_jid().to_string()
}

fn share_message(keys: Vec<AppStateSyncKey>) -> Message {
    let protocol = ProtocolMessage {
        r#type: Some(Type::AppStateSyncKeyShare as i32),
        app_state_sync_key_share: Some(Box::new(AppStateSyncKeyShare { keys })),
        ..Default::default()
    };
    Message { protocol_message: Some(Box::new(protocol)), ..Default::default() }
}

fn change(collection: Collection, mutation: &Mutation) -> AppStateChange {
    AppStateChange {
        collection: collection.name(),
        set: mutation.operation == Operation::Set,
        index: mutation.index_parts().unwrap_or_default(),
        action_version: mutation.version,
        value: mutation.value.clone(),
        shown: mutation.action().map(|value| format!("{value:?}")).unwrap_or_default(),
    }
}
