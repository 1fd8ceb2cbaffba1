//! Whether the media hosts can be reached at all, as the account's health tells it: messages go on without them, files
//! do not.

use std::sync::atomic::{AtomicBool, Ordering};

use super::TransferError;
use crate::health::board::Place;
use crate::health::{Cause, Condition, Evidence, Status};
use crate::shared::Shared;

/// Whether the last transfer found no host that works.
#[derive(Debug, Default)]
pub(super) struct Outage(AtomicBool);

/// What the end of a transfer says about the hosts. What is wrong with one file says nothing bad about them.
pub(super) fn told<T>(shared: &Shared, ended: &Result<T, TransferError>) {
    match ended {
        Err(error) if is_outage(error) => {
            shared.media.outage.0.store(true, Ordering::Relaxed);
            let evidence = std::error::Error::source(error)
                .map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
            let condition = Condition::new(Status::MediaUnreachable, Cause::MediaHostsDown, shared.now())
                .evidence(Evidence::Error(evidence));
            shared.report(|board| board.raise(Place::Media, condition));
        }
        Ok(_) | Err(TransferError::Expired | TransferError::Rejected(_)) => forget(shared),
        Err(_) => {}
    }
}

/// A new connection, or a host that answers: what was is not known to be so any more.
pub(crate) fn forget(shared: &Shared) {
    if shared.media.outage.0.swap(false, Ordering::Relaxed) {
        shared.report(|board| {
            board.clear(Place::Media);
        });
    }
}

const fn is_outage(error: &TransferError) -> bool {
    use TransferError as T;
    matches!(error, T::NoHosts | T::Network(_) | T::Stalled(_) | T::Answer | T::Status(408 | 429 | 500..))
}
