//! App state: the settings that all devices of an account share, end-to-end encrypted (chapter 07). What the server
//! announces is noted in the store before it is acknowledged, then read, checked and applied by one task at a time;
//! what this device changes itself waits among the pending mutations until the server has taken it.

pub(crate) mod effects;
mod files;
mod keys;
mod push;
mod run;
mod stanza;
mod types;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use compact_str::CompactString;
use parking_lot::Mutex;
use wa_binary::Node;
use wa_core::app_state::Collection;
use wa_proto::sync_action::SyncActionValue;
use wa_proto::sync_action::sync_action_value::PushNameSetting;
use wa_store::{Bytes, Changes, Glance, StoreError, UnixTime, tables};

pub use types::{ChatState, CollectionState, CollectionStatus, Mute, Setting, SettingChanged, Source};

pub(crate) use keys::{keep as keep_keys, share_later};

use crate::client::Client;
use crate::connection::link::Link;
use crate::connection::outcome::Ended;
use crate::identity::ChatRef;
use crate::shared::Shared;

/// How long the phone may take to share its keys by itself before they are asked for.
const KEYS_BY_THEMSELVES: Duration = Duration::from_secs(10);

/// The account's shared settings.
#[derive(Debug, Clone, Copy)]
pub struct AppState<'c>(&'c Client);

impl Client {
    /// The account's shared settings.
    pub const fn app_state(&self) -> AppState<'_> {
        AppState(self)
    }
}

/// How much is read anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resync {
    /// What has changed since the last reading.
    Changes,
    /// Everything, from the beginning: the settings come once more, marked [`Source::Full`].
    Everything,
}

impl AppState<'_> {
    /// How each collection stands.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn collections(&self) -> Result<Vec<CollectionStatus>, StoreError> {
        let shared = &self.0.shared;
        let mut all = Vec::with_capacity(Collection::ALL.len());
        for collection in Collection::ALL {
            let row = shared.store.one(tables::Collections, &row(collection)).await?;
            let is_announced = is_announced(shared, collection).await?;
            let state = match row.as_ref().map(|row| row.state) {
                _ if is_announced => CollectionState::Behind,
                None | Some(wa_store::CollectionState::New) => CollectionState::Unread,
                Some(wa_store::CollectionState::Synced) => CollectionState::InOrder,
                Some(wa_store::CollectionState::Diverged) => CollectionState::Diverged,
            };
            let version = row.map_or(0, |row| row.version);
            all.push(CollectionStatus { name: collection.name(), version, state });
        }
        Ok(all)
    }

    /// Reads the settings again: now, or with the next connection.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn resync(&self, how: Resync) -> Result<(), StoreError> {
        let shared = &self.0.shared;
        let mut changes = Changes::new();
        for collection in Collection::ALL {
            announce(&mut changes, collection);
        }
        let _ = shared.store.commit(changes).await.map_err(StoreError::from)?;
        if how == Resync::Everything {
            shared.app_state.queue.lock().rebuild.extend(Collection::ALL);
        }
        want(shared, Collection::ALL);
        Ok(())
    }

    /// What the phone keeps of a chat: muted, pinned, archived, read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn chat(&self, chat: &ChatRef) -> Result<ChatState, StoreError> {
        effects::chat_state(&self.0.shared, chat.key).await
    }
}

/// What is to be read and pushed. One task works through it.
#[derive(Debug, Default)]
pub(crate) struct Room {
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    wanted: BTreeSet<Collection>,
    /// To be read from the beginning.
    rebuild: BTreeSet<Collection>,
    /// Has mutations of our own that wait.
    pushes: BTreeSet<Collection>,
    is_running: bool,
    /// Failures since the last success, of this connection.
    trouble: HashMap<Collection, run::Trouble>,
    generation: u64,
}

/// The store's name of a collection.
fn row(collection: Collection) -> CompactString {
    CompactString::const_new(collection.name())
}

/// Where it is noted that there is something to read.
fn announced_row(collection: Collection) -> CompactString {
    format!("app-state/announced/{collection}").into()
}

/// What is asked for after a login.
pub(crate) fn glance(glance: Glance) -> Glance {
    Collection::ALL.into_iter().fold(glance, |glance, collection| {
        glance.row(tables::NumberState, &announced_row(collection)).row(tables::Collections, &row(collection))
    })
}

fn announce(changes: &mut Changes, collection: Collection) {
    changes.put(tables::NumberState, &announced_row(collection), &Bytes::new());
}

async fn is_announced(shared: &Shared, collection: Collection) -> Result<bool, StoreError> {
    Ok(shared.store.one(tables::NumberState, &announced_row(collection)).await?.is_some())
}

/// Has collections read, as soon as there is a connection.
fn want(shared: &Arc<Shared>, collections: impl IntoIterator<Item = Collection>) {
    let mut queue = shared.app_state.queue.lock();
    queue.wanted.extend(collections);
    start(shared, &mut queue);
}

/// Has pending mutations pushed.
fn want_push(shared: &Arc<Shared>, collection: Collection) {
    let mut queue = shared.app_state.queue.lock();
    queue.pushes.insert(collection);
    start(shared, &mut queue);
}

fn start(shared: &Arc<Shared>, queue: &mut Queue) {
    if queue.is_running || (queue.wanted.is_empty() && queue.pushes.is_empty()) {
        return;
    }
    queue.is_running = true;
    tokio::spawn(run::run(Arc::clone(shared)));
}

/// After a login: takes up what was announced before, what was never read, and what was never pushed.
pub(crate) async fn on_connect(shared: &Arc<Shared>, link: &Link, has_pending: bool) {
    if let Err(error) = take_up(shared, link, has_pending).await {
        tracing::error!(%error, "the shared settings cannot be looked at");
    }
}

async fn take_up(shared: &Arc<Shared>, link: &Link, has_pending: bool) -> Result<(), StoreError> {
    let mut unread = Vec::new();
    for collection in Collection::ALL {
        if is_announced(shared, collection).await? {
            want(shared, [collection]);
        }
        if shared.store.one(tables::Collections, &row(collection)).await?.is_none() {
            unread.push(collection);
        }
        if has_pending && !shared.store.all(tables::PendingMutations, &row(collection)).await?.is_empty() {
            want_push(shared, collection);
        }
    }
    if unread.is_empty() {
        return Ok(());
    }
    if shared.store.whole(tables::AppStateKeys).await?.is_empty() {
        // The phone shares its keys by itself; when it does not, reading tells which are missing.
        tokio::time::sleep(KEYS_BY_THEMSELVES).await;
    }
    if link.is_open() {
        unread_only(shared).await?;
    }
    Ok(())
}

async fn unread_only(shared: &Arc<Shared>) -> Result<(), StoreError> {
    for collection in Collection::ALL {
        if shared.store.one(tables::Collections, &row(collection)).await?.is_none() {
            want(shared, [collection]);
        }
    }
    Ok(())
}

/// Keys came: what was never read or waits for a key is read now.
pub(crate) fn keys_came(shared: &Arc<Shared>) {
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        for collection in Collection::ALL {
            if matches!(is_announced(&shared, collection).await, Ok(true)) {
                want(&shared, [collection]);
            }
        }
        if let Err(error) = unread_only(&shared).await {
            tracing::error!(%error, "the shared settings cannot be looked at");
        }
    });
}

/// `server_sync`: what it names and is not read yet is noted, then read.
pub(crate) async fn notification(shared: &Arc<Shared>, stanza: &Node) -> Result<(), Ended> {
    let mut named = Vec::new();
    for (collection, version) in stanza::announced(stanza) {
        let known = shared.store.one(tables::Collections, &row(collection)).await?;
        if version.zip(known).is_some_and(|(announced, known)| announced <= known.version) {
            continue;
        }
        named.push(collection);
    }
    if named.is_empty() {
        return Ok(());
    }
    note(shared, &named).await?;
    want(shared, named);
    Ok(())
}

/// The dirty bit: everything is noted as announced, which is as good as read; then the bit can be cleaned.
pub(crate) async fn dirty(shared: &Arc<Shared>) -> Result<(), Ended> {
    note(shared, &Collection::ALL).await?;
    want(shared, Collection::ALL);
    Ok(())
}

async fn note(shared: &Arc<Shared>, collections: &[Collection]) -> Result<(), Ended> {
    let mut changes = Changes::new();
    for collection in collections {
        announce(&mut changes, *collection);
    }
    let _ = shared.vault.lock().await.commit(shared, changes).await?;
    Ok(())
}

/// Puts the push name among the pending mutations, in the commit that changes it here.
pub(crate) fn pend_push_name(changes: &mut Changes, name: &str, now: UnixTime) {
    let value = SyncActionValue {
        timestamp: i64::try_from(now.as_millis()).ok(),
        push_name_setting: Some(Box::new(PushNameSetting { name: Some(name.to_owned()) })),
        ..SyncActionValue::default()
    };
    push::pend(changes, Collection::CriticalBlock, &[effects::PUSH_NAME], &value, 1);
}

/// Pushes what was pended.
pub(crate) fn push_pending(shared: &Arc<Shared>) {
    want_push(shared, Collection::CriticalBlock);
}
