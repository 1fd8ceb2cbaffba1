//! The one task that reads and pushes: asks for what is wanted, checks and applies what comes, and climbs the ladder of
//! repair when something does not fit (chapter 07 §6, §7).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use prost::Message as _;
use wa_core::app_state::wire::{Ask, CollectionReply, CollectionRequest, Reply, Verdict};
use wa_core::app_state::{
    AppStateError, Applied, Collection, Head, LtHash, Operation, PatchPolicy, apply_patch,
    mutation::ReadMutation, recovery,
};
use wa_core::history::requests::PeerRequest;
use wa_proto::app_state::SyncdPatch;
use wa_proto::e2e_message::message::PeerDataOperationRequestType;
use wa_store::{Bytes, Changes, CollectionState, RecordMac, StoreError, tables};

use super::effects::Effects;
use super::stanza::SyncQuery;
use super::{Source, announced_row, keys, push, row, want, want_push};
use crate::connection::link::Link;
use crate::connection::outcome::Ended;
use crate::peer::{self, Push};
use crate::shared::Shared;
use crate::vault::{Step, publish};

/// Pages of one collection in one go.
const PAGES: u32 = 500;
/// Attempts in one connection while the server is busy, and the waits between them.
const ATTEMPTS: u32 = 8;
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LAST_WAIT: Duration = Duration::from_secs(3_600);
/// How long the phone may take to send its plain copy.
const RECOVERY: Duration = Duration::from_secs(60);
/// How often it is asked for one.
const RECOVERY_AGAIN: Duration = Duration::from_secs(86_400);

/// What went wrong with a collection since it was last in order.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Trouble {
    pages: u32,
    busy: u32,
    /// It was read from the beginning already.
    rebuilt: bool,
}

/// What came of a reply.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Everything that the server has is applied.
    Done,
    /// There is more to ask for.
    More,
    /// Keys are missing: they were asked for, and the collection waits for them.
    Blocked,
    /// Something does not fit.
    Broken(AppStateError),
    /// The server or a file is not to be had now.
    Busy,
    /// The server will not give it.
    Refused(u16),
}

/// Where a reply begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// At the state that is stored.
    Known,
    /// At nothing: a first reading, or one that replaces what is stored.
    Nothing,
}

/// A collection as it is stored.
pub(super) struct View {
    pub(super) head: Head,
    pub(super) macs: BTreeMap<[u8; 32], [u8; 32]>,
}

impl View {
    /// `None` when it was never read.
    pub(super) async fn load(shared: &Shared, collection: Collection) -> Result<Option<Self>, StoreError> {
        let Some(stored) = shared.store.one(tables::Collections, &row(collection)).await? else {
            return Ok(None);
        };
        let head = Head {
            version: stored.version,
            hash: LtHash::from_bytes(stored.hash.0),
            diverged: stored.state == CollectionState::Diverged,
        };
        let rows = shared.store.all(tables::RecordMacs, &row(collection)).await?;
        let macs = rows
            .into_iter()
            .filter_map(|((_, index_mac), row)| Some((index_mac.as_ref().try_into().ok()?, row.value_mac)))
            .collect();
        Ok(Some(Self { head, macs }))
    }

    const fn empty() -> Self {
        Self { head: Head { version: 0, hash: LtHash::EMPTY, diverged: false }, macs: BTreeMap::new() }
    }

    fn advance(&mut self, applied: &Applied) {
        self.head = applied.head.clone();
        for change in &applied.records {
            match &change.live {
                Some((value_mac, _)) => self.macs.insert(change.index_mac, *value_mac),
                None => self.macs.remove(&change.index_mac),
            };
        }
    }
}

enum Task {
    Read(Vec<Collection>),
    Push(Collection),
}

/// Works until nothing is wanted any more or the connection is gone; what is announced stays noted.
pub(super) async fn run(shared: Arc<Shared>) {
    loop {
        let (link, task) = {
            let mut queue = shared.app_state.queue.lock();
            let Ok(link) = shared.link() else {
                queue.is_running = false;
                return;
            };
            if queue.generation != link.generation() {
                queue.generation = link.generation();
                queue.trouble.clear();
            }
            let critical = |collection: &Collection| {
                matches!(collection, Collection::CriticalBlock | Collection::CriticalUnblockLow)
            };
            // The critical pair first: the name that the account shows is in it.
            let first: Vec<Collection> = queue.wanted.iter().copied().filter(critical).collect();
            let next = if first.is_empty() { queue.wanted.iter().copied().collect() } else { first };
            for collection in &next {
                queue.wanted.remove(collection);
            }
            let task = if next.is_empty() {
                queue.pushes.pop_first().map(Task::Push)
            } else {
                Some(Task::Read(next))
            };
            let Some(task) = task else {
                queue.is_running = false;
                return;
            };
            (link, task)
        };
        let ended = match task {
            Task::Read(collections) => read(&shared, &link, collections).await,
            Task::Push(collection) => match push::flush(&shared, &link, collection).await {
                Ok(push::Pushed::Done) => Ok(()),
                Ok(push::Pushed::Later) => {
                    busy(&shared, collection, want_push);
                    Ok(())
                }
                Err(ended) => Err(ended),
            },
        };
        if let Err(ended) = ended {
            shared.app_state.queue.lock().is_running = false;
            link.end(ended);
            return;
        }
    }
}

async fn read(shared: &Arc<Shared>, link: &Link, collections: Vec<Collection>) -> Result<(), Ended> {
    let mut asks = Vec::with_capacity(collections.len());
    let mut from = BTreeMap::new();
    for collection in &collections {
        let known = shared.store.one(tables::Collections, &row(*collection)).await?;
        let version = known.map_or(0, |known| known.version);
        let rebuild = shared.app_state.queue.lock().rebuild.contains(collection);
        let is_new = version == 0 || rebuild;
        from.insert(*collection, if is_new { From::Nothing } else { From::Known });
        let ask = if is_new { Ask::Snapshot } else { Ask::Since(version) };
        asks.push(CollectionRequest { collection: *collection, ask });
    }
    let replies = match link.query(&SyncQuery(asks)).await {
        Ok(Reply::Collections(replies)) => replies,
        Ok(Reply::Error(503)) => {
            for collection in collections {
                busy(shared, collection, |shared, collection| want(shared, [collection]));
            }
            return Ok(());
        }
        Ok(Reply::Error(code)) => {
            tracing::warn!(code, "the settings cannot be read");
            return Ok(());
        }
        Err(error) => {
            tracing::debug!(%error, "the settings were not read");
            if error.is_temporary() {
                for collection in collections {
                    busy(shared, collection, |shared, collection| want(shared, [collection]));
                }
            }
            return Ok(());
        }
    };
    for (collection, reply) in replies {
        let from = from.get(&collection).copied().unwrap_or(From::Known);
        let outcome = take(shared, link, collection, reply, from).await?;
        follow(shared, link, collection, outcome).await?;
    }
    Ok(())
}

/// What follows for a collection.
async fn follow(
    shared: &Arc<Shared>,
    link: &Link,
    collection: Collection,
    outcome: Outcome,
) -> Result<(), Ended> {
    match outcome {
        Outcome::Done => {
            shared.app_state.queue.lock().trouble.remove(&collection);
            if !push::pending(shared, collection).await?.is_empty() {
                want_push(shared, collection);
            }
        }
        Outcome::More => {
            let pages = {
                let mut queue = shared.app_state.queue.lock();
                let trouble = queue.trouble.entry(collection).or_default();
                trouble.pages += 1;
                trouble.pages
            };
            if pages < PAGES {
                want(shared, [collection]);
            } else {
                busy(shared, collection, |shared, collection| want(shared, [collection]));
            }
        }
        Outcome::Blocked => {}
        Outcome::Busy => busy(shared, collection, |shared, collection| want(shared, [collection])),
        Outcome::Refused(code) => {
            tracing::warn!(%collection, code, "a collection of settings is refused");
            forget_announcement(shared, collection).await?;
        }
        Outcome::Broken(error) => repair(shared, link, collection, &error).await?,
    }
    Ok(())
}

/// Once more later, with growing waits, until there were too many in this connection.
fn busy(shared: &Arc<Shared>, collection: Collection, again: fn(&Arc<Shared>, Collection)) {
    let attempt = {
        let mut queue = shared.app_state.queue.lock();
        let trouble = queue.trouble.entry(collection).or_default();
        trouble.busy += 1;
        trouble.busy
    };
    if attempt >= ATTEMPTS {
        return;
    }
    let wait = (FIRST_WAIT * 2_u32.saturating_pow(attempt - 1)).min(LAST_WAIT);
    let shared = Arc::downgrade(shared);
    tokio::spawn(async move {
        tokio::time::sleep(wait).await;
        if let Some(shared) = shared.upgrade() {
            again(&shared, collection);
        }
    });
}

/// The ladder (chapter 07 §7.6): everything from the beginning, then the phone's plain copy, then as it is, marked.
async fn repair(
    shared: &Arc<Shared>,
    link: &Link,
    collection: Collection,
    error: &AppStateError,
) -> Result<(), Ended> {
    tracing::warn!(%collection, %error, "a collection of settings does not fit");
    if matches!(error, AppStateError::UnsupportedOperation(_) | AppStateError::TerminalExitCode { .. }) {
        forget_announcement(shared, collection).await?;
        return Ok(());
    }
    let rebuild = {
        let mut queue = shared.app_state.queue.lock();
        let trouble = queue.trouble.entry(collection).or_default();
        let rebuild = !std::mem::replace(&mut trouble.rebuilt, true);
        if rebuild {
            queue.rebuild.insert(collection);
        } else {
            queue.rebuild.remove(&collection);
        }
        rebuild
    };
    if rebuild {
        want(shared, [collection]);
        return Ok(());
    }
    if recover(shared, link, collection).await? {
        return Ok(());
    }
    // As it is: what was applied stays, and what comes on top is taken without comparing the sums.
    let mut changes = Changes::new();
    if let Some(row_now) = shared.store.one(tables::Collections, &row(collection)).await? {
        let marked = wa_store::Collection { state: CollectionState::Diverged, ..row_now };
        changes.put(tables::Collections, &row(collection), &marked);
    }
    changes.delete(tables::NumberState, &announced_row(collection));
    let _ = shared.vault.lock().await.commit(shared, changes).await?;
    Ok(())
}

/// Asks the phone for its plain copy, at most once a day; says whether that helped.
async fn recover(shared: &Arc<Shared>, link: &Link, collection: Collection) -> Result<bool, Ended> {
    let asked = format!("app-state/recovery/{collection}").into();
    if shared.store.one(tables::NumberState, &asked).await?.is_some() {
        return Ok(false);
    }
    let mut changes = Changes::new();
    let until = shared.now().after(RECOVERY_AGAIN);
    changes.put_until(tables::NumberState, &asked, &Bytes::new(), until);
    let _ = shared.vault.lock().await.commit(shared, changes).await?;
    let timestamp = i64::try_from(shared.server_now().as_secs()).unwrap_or(0);
    let request = PeerRequest::CollectionRecovery { collection, timestamp };
    let answer = match peer::ask(shared, link, &request.message(), Push::High, RECOVERY).await {
        Ok(Some(answer)) => answer,
        Ok(None) => {
            tracing::warn!(%collection, "the phone does not send its copy of the settings");
            return Ok(false);
        }
        Err(error) => {
            tracing::debug!(%error, "the phone was not asked for its copy of the settings");
            return Ok(false);
        }
    };
    if answer.kind != PeerDataOperationRequestType::CompanionSyncdSnapshotFatalRecovery as i32 {
        return Ok(false);
    }
    let copies = answer.results.iter().filter_map(|it| it.syncd_snapshot_fatal_recovery_response.as_deref());
    let Some(copy) = copies.into_iter().next() else { return Ok(false) };
    let bytes = copy.collection_snapshot.as_deref().unwrap_or_default();
    let ring = keys::ring(shared).await?;
    // What is stored does not fit, so its version counts for nothing.
    match recovery::read(bytes, copy.is_compressed.unwrap_or(false), 0, &ring) {
        Ok(Some(recovered)) if recovered.collection == collection.name() => {
            if !recovered.hash_fits {
                tracing::warn!(%collection, "the phone's copy does not add up; its own sum counts");
            }
            let batches = [(Source::Recovery, recovered.applied)];
            store(shared, link, collection, &batches, From::Nothing, true).await?;
            shared.app_state.queue.lock().trouble.remove(&collection);
            Ok(true)
        }
        Ok(_) => Ok(false),
        Err(error) => {
            tracing::warn!(%collection, %error, "the phone's copy cannot be read");
            Ok(false)
        }
    }
}

async fn forget_announcement(shared: &Arc<Shared>, collection: Collection) -> Result<(), Ended> {
    let mut changes = Changes::new();
    changes.delete(tables::NumberState, &announced_row(collection));
    let _ = shared.vault.lock().await.commit(shared, changes).await?;
    Ok(())
}

/// Checks and applies the answer for one collection.
pub(super) async fn take(
    shared: &Arc<Shared>,
    link: &Link,
    collection: Collection,
    reply: CollectionReply,
    from: From,
) -> Result<Outcome, Ended> {
    let more = match reply.verdict {
        Verdict::Ok { more } | Verdict::Conflict { more } => more,
        Verdict::Fatal(code) => return Ok(Outcome::Refused(code)),
        Verdict::Retry(_) => return Ok(Outcome::Busy),
    };
    let ring = keys::ring(shared).await?;
    let mut view = match from {
        From::Known => View::load(shared, collection).await?.unwrap_or_else(View::empty),
        From::Nothing => View::empty(),
    };
    let source = if from == From::Nothing { Source::Full } else { Source::Change };
    let mut batches: Vec<(Source, Applied)> = Vec::new();
    let mut trouble = None;
    if let Some(reference) = reply.snapshot.filter(|_| from == From::Nothing) {
        match super::files::snapshot(shared, collection, &reference, &ring).await {
            Ok(Some(applied)) => {
                view.advance(&applied);
                batches.push((Source::Full, applied));
            }
            Ok(None) => {}
            Err(error) => trouble = Some(error),
        }
    }
    let was_diverged = view.head.diverged;
    for patch in by_version(reply.patches) {
        if trouble.is_some() {
            break;
        }
        let external = match super::files::external(shared, &patch).await {
            Ok(external) => external,
            Err(error) => {
                trouble = Some(error);
                break;
            }
        };
        let applied = apply_patch(
            collection,
            &view.head,
            &view.macs,
            &patch,
            // The version of the element is the newest one, not that of each patch.
            None,
            external.as_deref(),
            &ring,
            PatchPolicy::Tolerant,
        );
        match applied {
            Ok(Some(applied)) => {
                view.advance(&applied);
                batches.push((source, applied));
            }
            Ok(None) => {}
            Err(error) => trouble = Some(error),
        }
    }
    // An empty collection is read, too.
    let is_whole = trouble.is_none() && !more;
    if !batches.is_empty() || is_whole {
        store(shared, link, collection, &batches, from, is_whole).await?;
        shared.app_state.queue.lock().rebuild.remove(&collection);
    }
    match trouble {
        None if view.head.diverged && !was_diverged => {
            // The writer of the patch had another sum: ours will not fit again by itself.
            Ok(Outcome::Broken(AppStateError::PatchSnapshotMacMismatch))
        }
        None if more => Ok(Outcome::More),
        None => Ok(Outcome::Done),
        Some(AppStateError::KeyMissing(ids)) => {
            keep_announced(shared, collection).await?;
            keys::ask(shared, link, ids).await?;
            Ok(Outcome::Blocked)
        }
        Some(AppStateError::ExternalBlob(_)) => Ok(Outcome::Busy),
        Some(error) => Ok(Outcome::Broken(error)),
    }
}

/// A collection that waits for a key is read when one comes, also after a restart.
async fn keep_announced(shared: &Arc<Shared>, collection: Collection) -> Result<(), Ended> {
    super::note(shared, &[collection]).await
}

/// Patches in the order of their versions; those without one keep their place.
fn by_version(patches: Vec<Bytes>) -> Vec<Bytes> {
    let mut numbered: Vec<(u64, Bytes)> = Vec::with_capacity(patches.len());
    let mut last = 0;
    for patch in patches {
        let version = SyncdPatch::decode(patch.clone()).ok().and_then(|patch| patch.version?.version);
        last = version.unwrap_or(last);
        numbered.push((last, patch));
    }
    numbered.sort_by_key(|(version, _)| *version);
    numbered.into_iter().map(|(_, patch)| patch).collect()
}

/// Writes what was applied, with everything that follows from it, in one commit.
async fn store(
    shared: &Arc<Shared>,
    link: &Link,
    collection: Collection,
    batches: &[(Source, Applied)],
    from: From,
    is_whole: bool,
) -> Result<(), Ended> {
    let waiting = push::pending(shared, collection).await?;
    let mut vault = shared.vault.lock().await;
    let mut step = Step::new(shared);
    if from == From::Nothing {
        step.changes.clear(tables::RecordMacs, &row(collection));
        step.changes.clear(tables::RecordActions, &row(collection));
        if batches.is_empty() {
            put(&mut step, collection, &empty());
        }
    }
    let mut effects = Effects::new(collection, &waiting);
    for (source, applied) in batches {
        put(&mut step, collection, applied);
        for read in removes_first(&applied.mutations) {
            effects.apply(&mut step, *source, &read.mutation).await?;
        }
    }
    effects.finish(&mut step);
    if is_whole {
        step.changes.delete(tables::NumberState, &announced_row(collection));
    }
    kill_point!(shared, SettingsRead);
    let committed = vault.commit_step(shared, step).await?;
    kill_point!(shared, SettingsStored);
    publish(shared, link, committed);
    Ok(())
}

const fn empty() -> Applied {
    Applied {
        head: Head { version: 0, hash: LtHash::EMPTY, diverged: false },
        records: Vec::new(),
        mutations: Vec::new(),
        missing_removes: 0,
    }
}

/// A record that changed its key is taken out before it is put in.
fn removes_first(mutations: &[ReadMutation]) -> impl Iterator<Item = &ReadMutation> {
    let of = |operation| mutations.iter().filter(move |read| read.mutation.operation == operation);
    of(Operation::Remove).chain(of(Operation::Set))
}

/// The rows of a patch or snapshot: version, sum, MACs and actions.
pub(super) fn put(step: &mut Step<'_>, collection: Collection, applied: &Applied) {
    let name = row(collection);
    let state = if applied.head.diverged { CollectionState::Diverged } else { CollectionState::Synced };
    let hash = wa_store::LtHash(*applied.head.hash.as_bytes());
    let head = wa_store::Collection { version: applied.head.version, hash, state };
    step.changes.put(tables::Collections, &name, &head);
    let written: BTreeMap<[u8; 32], &ReadMutation> = applied
        .mutations
        .iter()
        .filter(|read| read.mutation.operation == Operation::Set)
        .map(|read| (read.index_mac, read))
        .collect();
    for change in &applied.records {
        let at = (name.clone(), Bytes::copy_from_slice(&change.index_mac));
        match &change.live {
            Some((value_mac, key_id)) => {
                let mac = RecordMac {
                    value_mac: *value_mac,
                    key_id: key_id.clone(),
                    version: applied.head.version,
                };
                step.changes.put(tables::RecordMacs, &at, &mac);
                if let Some(read) = written.get(&change.index_mac) {
                    let action = Bytes::from(read.mutation.plaintext());
                    step.changes.put(tables::RecordActions, &at, &action);
                }
            }
            None => {
                step.changes.delete(tables::RecordMacs, &at).delete(tables::RecordActions, &at);
            }
        }
    }
}
