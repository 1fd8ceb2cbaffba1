//! The one order in which an account's cryptographic state changes, and the one way: a step in memory, a commit, and
//! only then what the step lets leave (chapter 04 §21).

mod receive;
mod step;
pub(crate) mod together;

use std::time::Duration;

use wa_store::{Changes, Committed, Device, Pending, Retry, StoreError, Uncommitted, tables};

use crate::connection::outcome::Ended;
use crate::health::board::Place;
use crate::health::{Cause, Condition, Evidence, Status};
use crate::shared::Shared;

pub(crate) use receive::{publish, receive};
pub(crate) use step::{After, Outputs, Step};

/// First wait before a failed commit is repeated; doubles up to the last.
const FIRST_REPEAT: Duration = Duration::from_millis(100);
const LAST_REPEAT: Duration = Duration::from_secs(30);

/// Whoever holds it, holds the order. It is locked for a step and its commit, never for the network.
#[derive(Debug, Default)]
pub(crate) struct Vault {}

impl Vault {
    pub(crate) const fn new() -> Self {
        Self {}
    }

    /// Commits a step and hands its events over; what else it lets leave is the caller's.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    pub(crate) async fn commit_step(
        &mut self,
        shared: &Shared,
        mut step: Step<'_>,
    ) -> Result<Committed<Outputs>, Ended> {
        let counted = shared.counted().filter(|_| step.outputs.device.is_none());
        if let Some(device) = &counted {
            step.changes.put(tables::Devices, &(), device);
        }
        let committed = self.commit(shared, step.finish()).await?;
        if counted.is_some() {
            shared.stored_count();
        }
        Ok(committed.map(|mut outputs| {
            shared.inbox_came(std::mem::take(&mut outputs.events));
            outputs
        }))
    }

    /// Commits, repeating exactly the same commit until it succeeds. While it fails nobody else gets the vault, so no
    /// chain goes on from a state that is not stored.
    ///
    /// # Errors
    /// Only when repeating is useless: the lease is gone, or the store is closed for good.
    pub(crate) async fn commit<T>(
        &mut self,
        shared: &Shared,
        pending: impl Into<Pending<T>>,
    ) -> Result<Committed<T>, Ended> {
        let mut pending = pending.into();
        let mut wait = FIRST_REPEAT;
        loop {
            match shared.store.commit(pending).await {
                Ok(committed) => {
                    shared.clear(Place::Store);
                    return Ok(committed);
                }
                Err(Uncommitted { error, pending: again }) => {
                    if error.retry() != Retry::Same {
                        tracing::error!(%error, "a commit can never succeed");
                        // Whoever commits may be another task than the connection's.
                        if let Ok(link) = shared.link() {
                            link.end(fatal(&error));
                        }
                        return Err(fatal(&error));
                    }
                    tracing::error!(%error, "a commit failed and is repeated");
                    let condition = Condition::new(Status::StoreFailing, Cause::StoreFailing, shared.now())
                        .evidence(Evidence::Error(error.to_string()))
                        .next_attempt(shared.now().after(wait));
                    shared.report(|board| board.raise(Place::Store, condition));
                    pending = *again;
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(LAST_REPEAT);
                }
            }
        }
    }
}

fn fatal(error: &StoreError) -> Ended {
    match error {
        StoreError::LeaseLost { .. } => Ended::LeaseLost,
        other => Ended::StoreBroken(other.to_string()),
    }
}

/// Changes the credentials as they are now, in the vault's order, with whatever has to be stored together with them. A
/// copy of the credentials that was made before a wait is out of date after it, and must not be stored.
pub(crate) async fn change_device(
    shared: &Shared,
    change: impl FnOnce(&mut Device, &mut Changes),
) -> Result<(), Ended> {
    let mut vault = shared.vault.lock().await;
    let mut device = (*shared.device()).clone();
    let mut changes = Changes::new();
    change(&mut device, &mut changes);
    changes.put(tables::Devices, &(), &device);
    let _ = vault.commit(shared, changes).await?;
    shared.set_device(device);
    Ok(())
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use wa_store::MemoryStore;

    use super::*;
    use crate::config::Config;

    #[tokio::test]
    async fn changes_of_the_credentials_side_by_side_lose_none() {
        let store = MemoryStore::open().await.unwrap();
        let account = store.account("main").open().await.unwrap();
        let mut rng = StdRng::seed_from_u64(1);
        let (device, _) = crate::credentials::create(store.clock().now(), &mut rng);
        let (tell, _control) = tokio::sync::mpsc::unbounded_channel();
        let shared = Shared::new(Config::default(), account, device, Box::new(rng), tell, Vec::new());
        // All have begun before the first ends, as a rotation that waits for the server and a retry receipt do.
        let holder = shared.vault.lock().await;
        let mut all = Box::pin(join_all(
            (0..20).map(|_| change_device(&shared, |device, _| device.login_counter += 1)),
        ));
        assert!(futures_util::FutureExt::now_or_never(&mut all).is_none());
        drop(holder);
        assert!(all.await.iter().all(Result::is_ok));
        assert_eq!(shared.device().login_counter, 20);
        let stored = shared.store.one(tables::Devices, &()).await.unwrap().unwrap();
        assert_eq!(stored.login_counter, 20);
    }
}
