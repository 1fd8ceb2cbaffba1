//! Changes of our own: pended in the store, built on the newest state, pushed, and committed only when the server has
//! taken them (chapter 07 §9).

use std::sync::Arc;

use compact_str::CompactString;
use prost::Message as _;
use wa_core::app_state::wire::{Ask, CollectionRequest, Reply, Verdict};
use wa_core::app_state::{
    Applied, Collection, KeyRing, Mutation, Operation, Replaced, build_patch_replacing, mutation,
};
use wa_proto::sync_action::{SyncActionData, SyncActionValue};
use wa_store::{Bytes, Changes, StoreError, tables};

use super::run::{self, View};
use super::stanza::SyncQuery;
use super::{Source, keys, row, want};
use crate::connection::link::Link;
use crate::connection::outcome::Ended;
use crate::shared::Shared;

/// How often a push is built anew because others were faster.
const ATTEMPTS: u32 = 5;

/// Notes a SET that waits to be pushed; a newer one of the same index replaces it.
pub(super) fn pend(
    changes: &mut Changes,
    collection: Collection,
    index: &[&str],
    value: &SyncActionValue,
    version: i32,
) {
    let mutation = Mutation::new(Operation::Set, index, value, version);
    let data = Bytes::from(mutation.plaintext());
    changes.put(tables::PendingMutations, &(row(collection), mutation.index), &data);
}

/// A pending mutation, as it is stored.
pub(super) struct Pending {
    pub(super) index: Bytes,
    stored: Bytes,
    value: SyncActionValue,
    version: i32,
}

impl Pending {
    /// Milliseconds.
    pub(super) fn timestamp(&self) -> i64 {
        self.value.timestamp.unwrap_or(0)
    }
}

/// What waits for a collection.
pub(super) async fn pending(shared: &Shared, collection: Collection) -> Result<Vec<Pending>, StoreError> {
    let rows = shared.store.all(tables::PendingMutations, &row(collection)).await?;
    let read = rows.into_iter().filter_map(|((_, index), stored)| {
        let data = SyncActionData::decode(stored.clone()).ok()?;
        Some(Pending { index, stored, value: *data.value?, version: data.version.unwrap_or(0) })
    });
    Ok(read.collect())
}

/// What came of a push.
pub(super) enum Pushed {
    /// There is nothing left to push, or nothing can be done now.
    Done,
    /// The server is busy: again later.
    Later,
}

/// Pushes what is pending for a collection that was read before.
pub(super) async fn flush(
    shared: &Arc<Shared>,
    link: &Link,
    collection: Collection,
) -> Result<Pushed, Ended> {
    for _ in 0..ATTEMPTS {
        let waiting = pending(shared, collection).await?;
        if waiting.is_empty() {
            return Ok(Pushed::Done);
        }
        let ring = keys::ring(shared).await?;
        let Some(view) = View::load(shared, collection).await?.filter(|_| ring.active().is_some()) else {
            // Read first: what is read looks for pending mutations itself.
            want(shared, [collection]);
            return Ok(Pushed::Done);
        };
        let Some((applied, patch)) = build(shared, collection, &view, &ring, &waiting) else {
            return Ok(Pushed::Done);
        };
        let ask = Ask::Push { base: view.head.version, patch };
        let query = SyncQuery(vec![CollectionRequest { collection, ask }]);
        let reply = match link.query(&query).await {
            Ok(Reply::Collections(mut replies)) => replies.remove(&collection),
            Ok(Reply::Error(503)) => return Ok(Pushed::Later),
            Ok(Reply::Error(code)) => {
                tracing::warn!(code, "a change of the settings was refused");
                return Ok(Pushed::Done);
            }
            Err(error) if error.is_temporary() => return Ok(Pushed::Later),
            Err(error) => {
                tracing::warn!(%error, "a change of the settings was refused");
                return Ok(Pushed::Done);
            }
        };
        let Some(reply) = reply else { return Ok(Pushed::Later) };
        match reply.verdict {
            Verdict::Ok { .. } if reply.patches.is_empty() => {
                taken(shared, link, collection, &applied, &waiting).await?;
                if reply.version.is_some_and(|version| version != applied.head.version) {
                    want(shared, [collection]);
                }
                return Ok(Pushed::Done);
            }
            Verdict::Ok { .. } => {
                // Ours is among them and verifies like any other.
                run::take(shared, link, collection, reply, run::From::Known).await?;
                forget(shared, collection, &waiting).await?;
                return Ok(Pushed::Done);
            }
            Verdict::Conflict { .. } => {
                let outcome = run::take(shared, link, collection, reply, run::From::Known).await?;
                if !matches!(outcome, run::Outcome::Done) {
                    want(shared, [collection]);
                    return Ok(Pushed::Done);
                }
            }
            Verdict::Fatal(code) => {
                tracing::warn!(code, "a change of the settings was refused for good");
                forget(shared, collection, &waiting).await?;
                return Ok(Pushed::Done);
            }
            Verdict::Retry(_) => return Ok(Pushed::Later),
        }
    }
    tracing::warn!("others change the settings faster than this device");
    Ok(Pushed::Later)
}

fn build(
    shared: &Shared,
    collection: Collection,
    view: &View,
    ring: &KeyRing,
    waiting: &[Pending],
) -> Option<(Applied, Bytes)> {
    let (key, expanded) = ring.active()?;
    let mutations: Vec<Mutation> = waiting
        .iter()
        .map(|pending| Mutation {
            operation: Operation::Set,
            index: pending.index.clone(),
            value: Some(pending.value.encode_to_vec().into()),
            version: pending.version,
            padding: Bytes::new(),
        })
        .collect();
    // A record of an older key has another name: it is taken out, else it would stay beside the new one.
    let mut replaced = Vec::new();
    for mutation in &mutations {
        for old in ring.iter().filter(|old| old.id != key.id) {
            let keys = ring.expanded(&old.id)?;
            if view.macs.contains_key(&mutation::index_mac(keys, &mutation.index)) {
                replaced.push(Replaced {
                    index: mutation.index.clone(),
                    version: mutation.version,
                    key_id: &old.id,
                    keys,
                });
            }
        }
    }
    let built = build_patch_replacing(
        collection,
        &view.head,
        &view.macs,
        (&key.id, expanded),
        &replaced,
        &mutations,
        &mut shared.rng(),
    );
    match built {
        Ok(built) => Some((built.applied, built.bytes)),
        Err(error) => {
            tracing::error!(%error, "a change of the settings cannot be written");
            None
        }
    }
}

/// The server has taken a push: its state is ours now.
async fn taken(
    shared: &Arc<Shared>,
    link: &Link,
    collection: Collection,
    applied: &Applied,
    sent: &[Pending],
) -> Result<(), Ended> {
    let mut vault = shared.vault.lock().await;
    let mut step = crate::vault::Step::new(shared);
    run::put(&mut step, collection, applied);
    drop_sent(shared, &mut step.changes, collection, sent).await?;
    let committed = vault.commit_step(shared, step).await?;
    crate::vault::publish(shared, link, committed);
    tracing::debug!(%collection, source = ?Source::Change, "a change of the settings was taken");
    Ok(())
}

/// Forgets what was sent, unless something newer waits in its place.
async fn drop_sent(
    shared: &Shared,
    changes: &mut Changes,
    collection: Collection,
    sent: &[Pending],
) -> Result<(), StoreError> {
    for pending in sent {
        let at: (CompactString, Bytes) = (row(collection), pending.index.clone());
        if shared.store.one(tables::PendingMutations, &at).await?.as_ref() == Some(&pending.stored) {
            changes.delete(tables::PendingMutations, &at);
        }
    }
    Ok(())
}

async fn forget(shared: &Arc<Shared>, collection: Collection, sent: &[Pending]) -> Result<(), Ended> {
    let mut vault = shared.vault.lock().await;
    let mut changes = Changes::new();
    drop_sent(shared, &mut changes, collection, sent).await?;
    let _ = vault.commit(shared, changes).await?;
    Ok(())
}
