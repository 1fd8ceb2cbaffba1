//! Progress and cancellation of a transfer, and what the media hosts are.

use tokio::sync::watch;

use super::TransferError;

/// How far a transfer has come, in bytes of the encrypted file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes that have moved. Starts anew when a host delivered something else than the file.
    pub done: u64,
    /// Bytes in all, once that is known. For a download it is what the sender says.
    pub total: Option<u64>,
}

/// Watches a transfer and can cancel it. Clones are the same monitor; one monitor serves one transfer.
#[derive(Debug, Clone)]
pub struct Monitor {
    progress: watch::Sender<Progress>,
    cancelled: watch::Sender<bool>,
}

impl Default for Monitor {
    fn default() -> Self {
        Self::new()
    }
}

impl Monitor {
    /// A monitor for one transfer.
    pub fn new() -> Self {
        Self { progress: watch::Sender::new(Progress::default()), cancelled: watch::Sender::new(false) }
    }

    /// How far the transfer is now.
    pub fn progress(&self) -> Progress {
        *self.progress.borrow()
    }

    /// Waits until the transfer is further than `last`. Steps that nobody waited for are skipped.
    pub async fn further(&self, last: Progress) -> Progress {
        let mut changes = self.progress.subscribe();
        // The sender lives as long as `self`.
        changes.wait_for(|now| *now != last).await.map_or(last, |now| *now)
    }

    /// Ends the transfer: it fails as [`TransferError::Cancelled`] and leaves nothing behind. Dropping the future of a
    /// transfer does the same.
    pub fn cancel(&self) {
        self.cancelled.send_replace(true);
    }

    pub(super) fn total(&self, total: Option<u64>) {
        self.progress.send_replace(Progress { done: 0, total });
    }

    pub(super) fn moved(&self, bytes: u64) {
        self.progress.send_modify(|progress| progress.done = progress.done.saturating_add(bytes));
    }

    pub(super) fn at(&self, done: u64) {
        self.progress.send_modify(|progress| progress.done = done);
    }

    /// Runs a transfer until it ends or is cancelled.
    pub(super) async fn run<T>(
        &self,
        transfer: impl Future<Output = Result<T, TransferError>>,
    ) -> Result<T, TransferError> {
        let mut cancelled = self.cancelled.subscribe();
        tokio::select! {
            biased;
            _ = cancelled.wait_for(|cancelled| *cancelled) => Err(TransferError::Cancelled),
            done = transfer => done,
        }
    }
}
