//! A backend that loses its connection before or after a commit: what callers see of a crash of the medium.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::backend::{
    AccountId, AccountInfo, Applied, Backend, Batch, Deletion, Durability, HolderId, Page, Row, RowKey, Scan,
};
use crate::error::cause;
use crate::lease::{AccountState, Acquired, Intent};
use crate::{StoreError, UnixTime};

/// When the connection is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The commit does not arrive.
    Before,
    /// The commit arrives, its answer does not.
    After,
}

#[derive(Debug)]
pub(super) struct Flaky {
    inner: Arc<dyn Backend>,
    next: Mutex<Option<Fault>>,
}

impl Flaky {
    pub(super) fn new(inner: Arc<dyn Backend>) -> Self {
        Self { inner, next: Mutex::new(None) }
    }

    pub(super) fn fail_next(&self, fault: Fault) {
        *self.next.lock() = Some(fault);
    }
}

#[async_trait]
impl Backend for Flaky {
    fn durability(&self) -> Durability {
        self.inner.durability()
    }

    async fn get_many(&self, account: &AccountId, keys: Vec<RowKey>) -> Result<Vec<Option<Row>>, StoreError> {
        self.inner.get_many(account, keys).await
    }

    async fn scan(&self, account: &AccountId, scan: Scan) -> Result<Page, StoreError> {
        self.inner.scan(account, scan).await
    }

    async fn commit(&self, batches: Vec<Batch>) -> Vec<Result<Applied, StoreError>> {
        let fault = self.next.lock().take();
        let many = batches.len();
        let done = if fault == Some(Fault::Before) { Vec::new() } else { self.inner.commit(batches).await };
        if fault.is_none() {
            return done;
        }
        let lost =
            StoreError::ConnectionLost(cause(std::io::Error::from(std::io::ErrorKind::ConnectionReset)));
        vec![Err(lost); many]
    }

    async fn heartbeat(&self, holder: &HolderId, now: UnixTime, ttl: Duration) -> Result<(), StoreError> {
        self.inner.heartbeat(holder, now, ttl).await
    }

    async fn retire(&self, holder: &HolderId) -> Result<(), StoreError> {
        self.inner.retire(holder).await
    }

    async fn acquire(
        &self,
        account: &AccountId,
        holder: &HolderId,
        intent: Intent,
        now: UnixTime,
    ) -> Result<Acquired, StoreError> {
        self.inner.acquire(account, holder, intent, now).await
    }

    async fn release(&self, account: &AccountId, epoch: u64) -> Result<(), StoreError> {
        self.inner.release(account, epoch).await
    }

    async fn set_state(
        &self,
        account: &AccountId,
        epoch: u64,
        state: AccountState,
    ) -> Result<(), StoreError> {
        self.inner.set_state(account, epoch, state).await
    }

    async fn accounts(
        &self,
        after: Option<&AccountId>,
        limit: usize,
    ) -> Result<Vec<AccountInfo>, StoreError> {
        self.inner.accounts(after, limit).await
    }

    async fn delete_account(&self, account: &AccountId, epoch: u64) -> Result<Deletion, StoreError> {
        self.inner.delete_account(account, epoch).await
    }

    async fn prune(&self, now: UnixTime, limit: usize) -> Result<u64, StoreError> {
        self.inner.prune(now, limit).await
    }

    async fn vacuum(&self) -> Result<(), StoreError> {
        self.inner.vacuum().await
    }

    async fn check(&self) -> Result<Vec<String>, StoreError> {
        self.inner.check().await
    }

    async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        self.inner.backup(to).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner.close().await
    }
}
