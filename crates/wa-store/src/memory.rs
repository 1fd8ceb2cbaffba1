//! The memory backend: for tests, deterministic runs and throw-away bots. Every call is ready at once.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;

use crate::backend::{
    AccountId, AccountInfo, Applied, Backend, Batch, Deletion, Durability, HolderId, Op, Page, Row, RowKey,
    Scan,
};
use crate::lease::{AccountRow, AccountState, Acquired, Fencing, Intent, Liveness};
use crate::sabotage::Promises;
use crate::store::{Store, StoreBuilder};
use crate::{StoreError, UnixTime};

/// Opens stores in memory.
#[derive(Debug)]
pub struct MemoryStore;

impl MemoryStore {
    /// A new, empty store with the defaults.
    ///
    /// # Errors
    /// [`StoreError::Randomness`] only.
    pub async fn open() -> Result<Store, StoreError> {
        Self::builder().open().await
    }

    /// A new, empty store with knobs. Use [`Store::builder`] with a shared [`MemoryBackend`] to open one twice.
    pub fn builder() -> StoreBuilder {
        Store::builder(Arc::new(MemoryBackend::default()))
    }
}

/// Rows in memory.
#[derive(Default)]
pub struct MemoryBackend {
    state: Mutex<State>,
    promises: Promises,
}

#[derive(Default)]
struct State {
    accounts: BTreeMap<AccountId, Entry>,
    holders: BTreeMap<HolderId, UnixTime>,
}

#[derive(Default)]
struct Entry {
    row: AccountRow,
    rows: BTreeMap<RowKey, Row>,
}

impl MemoryBackend {
    /// A backend that breaks a promise, for the tests of the tests.
    #[cfg(feature = "sabotage")]
    pub fn sabotaged(sabotage: crate::sabotage::Sabotage) -> Self {
        Self { promises: Promises::without(sabotage), ..Self::default() }
    }
}

impl State {
    fn commit(&mut self, batch: &Batch, fencing: Fencing) -> Result<Applied, StoreError> {
        if batch.account == AccountId::system() {
            self.accounts.entry(AccountId::system()).or_default();
        }
        let entry = self
            .accounts
            .get_mut(&batch.account)
            .ok_or_else(|| StoreError::UnknownAccount(batch.account.clone()))?;
        let applied = entry.row.admit_with(batch, fencing)?;
        if applied == Applied::Now {
            for op in batch.ops.iter() {
                apply(&mut entry.rows, op);
            }
        }
        Ok(applied)
    }

    fn row_of(&mut self, account: &AccountId, epoch: u64) -> Result<&mut AccountRow, StoreError> {
        let entry =
            self.accounts.get_mut(account).ok_or_else(|| StoreError::UnknownAccount(account.clone()))?;
        entry.row.expect_epoch(account, epoch)?;
        Ok(&mut entry.row)
    }
}

fn apply(rows: &mut BTreeMap<RowKey, Row>, op: &Op) {
    match op {
        Op::Put(key, row) => {
            rows.insert(key.clone(), row.clone());
        }
        Op::Delete(key) => {
            rows.remove(key);
        }
        Op::DeletePrefix { table, prefix } => {
            let start = RowKey { table: *table, key: prefix.clone() };
            let doomed: Vec<RowKey> = rows
                .range(start..)
                .map(|(key, _)| key)
                .take_while(|key| key.table == *table && key.key.starts_with(prefix))
                .cloned()
                .collect();
            for key in doomed {
                rows.remove(&key);
            }
        }
        Op::Swap { key, expected, row } => {
            if rows.get(key).map(|row| &row.value) == expected.as_ref() {
                rows.insert(key.clone(), row.clone());
            }
        }
    }
}

#[async_trait]
impl Backend for MemoryBackend {
    fn durability(&self) -> Durability {
        Durability::None
    }

    async fn get_many(&self, account: &AccountId, keys: Vec<RowKey>) -> Result<Vec<Option<Row>>, StoreError> {
        let state = self.state.lock();
        let rows = state.accounts.get(account).map(|entry| &entry.rows);
        Ok(keys.iter().map(|key| rows.and_then(|rows| rows.get(key)).cloned()).collect())
    }

    async fn scan(&self, account: &AccountId, scan: Scan) -> Result<Page, StoreError> {
        let state = self.state.lock();
        let Some(entry) = state.accounts.get(account) else { return Ok(Page::default()) };
        let start = match scan.after {
            Some(after) => Bound::Excluded(RowKey { table: scan.table, key: after.max(scan.prefix.clone()) }),
            None => Bound::Included(RowKey { table: scan.table, key: scan.prefix.clone() }),
        };
        let mut found = entry
            .rows
            .range((start, Bound::Unbounded))
            .take_while(|(key, _)| key.table == scan.table && key.key.starts_with(&scan.prefix));
        let rows: Vec<(Bytes, Row)> =
            found.by_ref().take(scan.limit).map(|(key, row)| (key.key.clone(), row.clone())).collect();
        let more = found.next().is_some();
        Ok(Page { rows, more })
    }

    async fn commit(&self, batches: Vec<Batch>) -> Vec<Result<Applied, StoreError>> {
        let mut state = self.state.lock();
        batches.iter().map(|batch| state.commit(batch, self.promises.fencing())).collect()
    }

    async fn heartbeat(&self, holder: &HolderId, now: UnixTime, ttl: Duration) -> Result<(), StoreError> {
        self.state.lock().holders.insert(holder.clone(), now.after(ttl));
        Ok(())
    }

    async fn retire(&self, holder: &HolderId) -> Result<(), StoreError> {
        self.state.lock().holders.remove(holder);
        Ok(())
    }

    async fn acquire(
        &self,
        account: &AccountId,
        holder: &HolderId,
        intent: Intent,
        now: UnixTime,
    ) -> Result<Acquired, StoreError> {
        let state = &mut *self.state.lock();
        let stored = state.accounts.get(account).map(|entry| entry.row.clone());
        let liveness = |holder: &HolderId| {
            Ok(state.holders.get(holder).map_or(Liveness::Dead, |until| Liveness::Until(*until)))
        };
        let floor = state.accounts.get(&AccountId::system()).map_or(0, |entry| entry.row.epoch);
        let (row, acquired) = AccountRow::acquire(stored, floor, account, holder, intent, now, liveness)?;
        state.accounts.entry(account.clone()).or_default().row = row;
        Ok(acquired)
    }

    async fn release(&self, account: &AccountId, epoch: u64) -> Result<(), StoreError> {
        if let Some(entry) = self.state.lock().accounts.get_mut(account) {
            entry.row.release(epoch);
        }
        Ok(())
    }

    async fn set_state(&self, account: &AccountId, epoch: u64, to: AccountState) -> Result<(), StoreError> {
        self.state.lock().row_of(account, epoch)?.state = to;
        Ok(())
    }

    async fn accounts(
        &self,
        after: Option<&AccountId>,
        limit: usize,
    ) -> Result<Vec<AccountInfo>, StoreError> {
        let system = AccountId::system();
        let start = Bound::Excluded(after.unwrap_or(&system));
        let state = self.state.lock();
        let accounts = state.accounts.range::<AccountId, _>((start, Bound::Unbounded)).take(limit);
        Ok(accounts
            .map(|(account, entry)| AccountInfo {
                account: account.clone(),
                holder: entry.row.holder.clone(),
                epoch: entry.row.epoch,
                state: entry.row.state,
            })
            .collect())
    }

    async fn delete_account(&self, account: &AccountId, epoch: u64) -> Result<Deletion, StoreError> {
        let mut state = self.state.lock();
        state.row_of(account, epoch)?;
        state.accounts.remove(account);
        state.accounts.entry(AccountId::system()).or_default().row.deleted(epoch);
        Ok(Deletion::Done)
    }

    async fn prune(&self, now: UnixTime, limit: usize) -> Result<u64, StoreError> {
        let mut left = limit;
        for entry in self.state.lock().accounts.values_mut() {
            entry.rows.retain(|_, row| {
                let kept = left == 0 || row.expires.is_none_or(|expires| expires > now);
                left -= usize::from(!kept);
                kept
            });
        }
        Ok((limit - left) as u64)
    }
}

impl fmt::Debug for MemoryBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBackend").field("accounts", &self.state.lock().accounts.len()).finish()
    }
}
