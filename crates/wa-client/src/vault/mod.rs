//! The one order in which an account's cryptographic state changes, and the one way: a step in memory, a commit, and
//! only then what the step lets leave (chapter 04 §21).

pub(crate) mod incoming;
mod receive;
mod step;

use std::time::Duration;

use wa_store::{Committed, Pending, Retry, StoreError, Uncommitted};

use crate::connection::outcome::Ended;
use crate::health::board::Place;
use crate::health::{Cause, Condition, Evidence, Status};
use crate::shared::Shared;

pub(crate) use receive::{publish, receive};
pub(crate) use step::Step;

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
                    shared.report(|board| {
                        board.clear(Place::Store);
                    });
                    return Ok(committed);
                }
                Err(Uncommitted { error, pending: again }) => {
                    if matches!(error, StoreError::LeaseLost { .. }) || error.retry() != Retry::Same {
                        tracing::error!(%error, "a commit can never succeed");
                        return Err(Ended::LeaseLost);
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
