//! What a setting does to the account's own rows, and the event that tells of it (chapter 07 §8, §10).

use std::collections::HashMap;

use wa_binary::Jid;
use wa_core::app_state::{Collection, Mutation, Operation};
use wa_proto::sync_action::SyncActionValue;
use wa_store::{Bytes, ChatKey, MappingSource, StoreError, UnixTime, tables};

use super::keys;
use super::push::Pending;
use super::types::{ChatState, Mute, Setting, SettingChanged, Source};
use crate::broadcasts::Lists;
use crate::events::StoredEvent;
use crate::identity::{Peer, user_row};
use crate::privacy::NCT_SALT;
use crate::shared::Shared;
use crate::vault::{After, Step};

/// Name of the setting that holds the push name.
pub(super) const PUSH_NAME: &str = "setting_pushName";

/// The stored state of a chat.
pub(super) async fn chat_state(shared: &Shared, chat: ChatKey) -> Result<ChatState, StoreError> {
    let row = shared.store.one(tables::ChatStates, &chat).await?;
    Ok(row.and_then(|row| postcard::from_bytes(&row).ok()).unwrap_or_default())
}

/// What changes in one commit.
pub(crate) struct Effects {
    collection: Option<Collection>,
    /// Own changes that wait: what is older does not undo them.
    waiting: HashMap<Bytes, i64>,
    chats: HashMap<ChatKey, ChatState>,
    lists: Option<Lists>,
}

impl Effects {
    pub(super) fn new(collection: Collection, waiting: &[Pending]) -> Self {
        let waiting = waiting.iter().map(|pending| (pending.index.clone(), pending.timestamp())).collect();
        Self { collection: Some(collection), waiting, chats: HashMap::new(), lists: None }
    }

    /// For what the phone tells of chats in its history.
    pub(crate) fn of_history() -> Self {
        Self { collection: None, waiting: HashMap::new(), chats: HashMap::new(), lists: None }
    }

    /// Writes what was gathered.
    pub(crate) fn finish(self, step: &mut Step<'_>) {
        for (chat, state) in self.chats {
            // Writing to memory cannot fail.
            let row = Bytes::from(postcard::to_allocvec(&state).unwrap_or_default());
            step.changes.put(tables::ChatStates, &chat, &row);
        }
        if let Some(lists) = self.lists {
            lists.store(step);
        }
    }

    /// The state of a chat, to be changed.
    pub(crate) async fn chat(
        &mut self,
        step: &Step<'_>,
        chat: ChatKey,
    ) -> Result<&mut ChatState, StoreError> {
        if let std::collections::hash_map::Entry::Vacant(place) = self.chats.entry(chat) {
            place.insert(chat_state(step.shared, chat).await?);
        }
        Ok(self.chats.entry(chat).or_default())
    }

    /// Applies one mutation.
    pub(super) async fn apply(
        &mut self,
        step: &mut Step<'_>,
        source: Source,
        mutation: &Mutation,
    ) -> Result<(), StoreError> {
        let value = mutation.action().unwrap_or_default();
        if let Some(ours) = self.waiting.get(&mutation.index) {
            if *ours >= value.timestamp.unwrap_or(0) {
                return Ok(());
            }
            // Another device was later: ours is out of date.
            if let Some(collection) = self.collection {
                step.changes
                    .delete(tables::PendingMutations, &(super::row(collection), mutation.index.clone()));
            }
        }
        let index = mutation.index_parts().unwrap_or_default();
        let is_set = mutation.operation == Operation::Set;
        let Some(setting) = self.setting(step, &index, is_set, mutation, &value).await? else {
            return Ok(());
        };
        let at = value.timestamp.and_then(|at| u64::try_from(at).ok()).map(UnixTime::from_millis);
        step.event(StoredEvent::Setting(Box::new(SettingChanged {
            setting,
            source,
            at,
            collection: self.collection.map(super::row).unwrap_or_default(),
            index,
            original: mutation.value.clone(),
        })));
        Ok(())
    }

    /// What a setting means; none for what concerns the library alone.
    async fn setting(
        &mut self,
        step: &mut Step<'_>,
        index: &[String],
        is_set: bool,
        mutation: &Mutation,
        value: &SyncActionValue,
    ) -> Result<Option<Setting>, StoreError> {
        let other = Setting::Other { is_set, version: mutation.version };
        let name = index.first().map_or("", String::as_str);
        let about: Option<Jid> = index.get(1).and_then(|jid| jid.parse().ok());
        Ok(match (name, is_set, about) {
            (PUSH_NAME, true, _) => {
                match value.push_name_setting.as_deref().and_then(|it| it.name.as_ref()) {
                    Some(name) if !name.is_empty() => {
                        push_name(step, name);
                        Some(Setting::PushName(name.clone()))
                    }
                    _ => Some(other),
                }
            }
            ("setting_locale", true, _) => {
                let locale = value.locale_setting.as_deref().and_then(|it| it.locale.clone());
                Some(locale.map_or(other, Setting::Locale))
            }
            ("nct_salt_sync", ..) => {
                let salt = value.nct_salt_sync_action.as_deref().and_then(|it| it.salt.clone());
                match salt.filter(|salt| !salt.is_empty()) {
                    Some(salt) if is_set => {
                        step.changes.put(tables::NumberState, &NCT_SALT.into(), &salt);
                    }
                    None if !is_set => {
                        step.changes.delete(tables::NumberState, &NCT_SALT.into());
                    }
                    _ => {}
                }
                None
            }
            ("sentinel", true, _) => {
                if let Some(epoch) = value.key_expiration.as_deref().and_then(|it| it.expired_key_epoch) {
                    let epoch = Bytes::copy_from_slice(&epoch.cast_unsigned().to_be_bytes());
                    step.changes.put(tables::NumberState, &keys::EXPIRED.into(), &epoch);
                }
                Some(other)
            }
            ("contact" | "lid_contact", _, Some(who)) => Some(contact(step, &who, is_set, value).await?),
            ("pnForLidChat", true, Some(lid)) => {
                let pn = value.pn_for_lid_chat_action.as_deref().and_then(|it| it.pn_jid.as_deref());
                if let Some(Ok(pn)) = pn.map(str::parse::<Jid>) {
                    step.learn(&lid, &pn, MappingSource::History).await?;
                }
                Some(other)
            }
            ("business_broadcast_list", ..) => {
                let Some(name) = index.get(1) else { return Ok(Some(other)) };
                let lists = match &mut self.lists {
                    Some(lists) => lists,
                    None => self.lists.insert(Lists::load(step.shared).await?),
                };
                let list = value.business_broadcast_list_action.as_deref().filter(|_| is_set);
                lists.change(name, list)
            }
            (_, true, Some(about)) => self.of_chat(step, name, &about, value).await?.or(Some(other)),
            _ => Some(other),
        })
    }

    async fn of_chat(
        &mut self,
        step: &mut Step<'_>,
        name: &str,
        jid: &Jid,
        value: &SyncActionValue,
    ) -> Result<Option<Setting>, StoreError> {
        let at = value
            .timestamp
            .and_then(|at| u64::try_from(at).ok())
            .map_or(step.shared.now(), UnixTime::from_millis);
        Ok(match name {
            "mute" => {
                let Some(mute) = value.mute_action.as_deref() else { return Ok(None) };
                let until = match (mute.muted(), mute.mute_end_timestamp()) {
                    (false, _) => Mute::Not,
                    (true, end) if end <= 0 => Mute::Always,
                    (true, end) => Mute::Until(UnixTime::from_millis(end.unsigned_abs())),
                };
                let chat = step.chat(jid).await?;
                self.chat(step, chat.key).await?.muted = until;
                Some(Setting::Muted { chat, until })
            }
            "pin_v1" | "pin" => {
                let Some(pin) = value.pin_action.as_deref() else { return Ok(None) };
                let (chat, pinned) = (step.chat(jid).await?, pin.pinned());
                self.chat(step, chat.key).await?.pinned = pinned.then_some(at);
                Some(Setting::Pinned { chat, pinned })
            }
            "archive" => {
                let Some(archive) = value.archive_chat_action.as_deref() else { return Ok(None) };
                let (chat, archived) = (step.chat(jid).await?, archive.archived());
                self.chat(step, chat.key).await?.archived = archived;
                Some(Setting::Archived { chat, archived })
            }
            "markChatAsRead" | "mark_chat_as_read" => {
                let Some(mark) = value.mark_chat_as_read_action.as_deref() else { return Ok(None) };
                let (chat, read) = (step.chat(jid).await?, mark.read());
                let state = self.chat(step, chat.key).await?;
                state.marked_unread = !read;
                if read {
                    state.unread = 0;
                }
                Some(Setting::MarkedRead { chat, read })
            }
            _ => None,
        })
    }
}

/// The name that the account shows, as another device has set it.
fn push_name(step: &mut Step<'_>, name: &str) {
    let mut device = (*step.device).clone();
    if device.push_name == name {
        return;
    }
    if device.push_name.is_empty() {
        step.outputs.after.push(After::ShowPresence);
    }
    device.push_name = name.into();
    step.changes.put(tables::Devices, &(), &device);
    step.device = std::sync::Arc::new(device.clone());
    step.outputs.device = Some(device);
}

/// Somebody in the address book. The names of a person who is taken out of it are forgotten.
async fn contact(
    step: &mut Step<'_>,
    who: &Jid,
    is_set: bool,
    value: &SyncActionValue,
) -> Result<Setting, StoreError> {
    let (full, first, other) = match (value.contact_action.as_deref(), value.lid_contact_action.as_deref()) {
        (Some(contact), _) => {
            let other = if who.is_lid() { &contact.pn_jid } else { &contact.lid_jid };
            (contact.full_name.clone(), contact.first_name.clone(), other.clone())
        }
        (None, Some(contact)) => (contact.full_name.clone(), contact.first_name.clone(), None),
        (None, None) => (None, None, None),
    };
    let other: Option<Jid> = other.and_then(|other| other.parse().ok());
    if let Some(other) = &other {
        step.learn(who, other, MappingSource::History).await?;
    }
    let at = step.address_of(&who.user_jid()).await?.user;
    let mut row = step.shared.store.one(tables::Contacts, &at).await?.unwrap_or_default();
    let peer = Peer::of(who, other.as_ref());
    row.lid = row.lid.or_else(|| peer.lid.as_ref().map(user_row));
    row.pn = row.pn.or_else(|| peer.pn.as_ref().map(user_row));
    let filled = |name: Option<String>| name.filter(|name| is_set && !name.is_empty());
    let (full, first) = (filled(full), filled(first));
    row.names.full = full.as_deref().map(Into::into);
    row.names.first = first.as_deref().map(Into::into);
    step.changes.put(tables::Contacts, &at, &row);
    // A name that was noted under the person's other address, before the two were known to be one, is out of date.
    let whole = step.whole_peer(&peer).await?;
    for alias in whole.lid.iter().chain(&whole.pn).map(user_row).filter(|alias| *alias != at) {
        if let Some(mut row) = step.shared.store.one(tables::Contacts, &alias).await?
            && (row.names.full.is_some() || row.names.first.is_some())
        {
            (row.names.full, row.names.first) = (None, None);
            step.changes.put(tables::Contacts, &alias, &row);
        }
    }
    Ok(if is_set { Setting::Contact { peer, full, first } } else { Setting::ContactRemoved(peer) })
}
