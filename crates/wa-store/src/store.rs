//! A store: one backend, one holder of leases with one heartbeat, one encryption key, many accounts.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use rand::SeedableRng;
use rand::rand_core::{CryptoRng, Rng};

use crate::account::{AccountStore, Glance};
use crate::backend::{AccountInfo, Backend, Batch, Deletion, Durability, Op, Row, RowKey, Urgency};
use crate::cache::Cache;
use crate::clock::{Clock, SystemClock, UnixTime};
use crate::envelope::{AccountKey, Cipher, StoreKey, corrupt};
use crate::error::{Damage, StoreError, cause};
use crate::key::{Key, KeyWriter};
use crate::lease::{Acquired, Intent};
use crate::sabotage::Promises;
use crate::{AccountId, HolderId, Table};

/// Heartbeats are valid this long by default, and renewed three times as often.
const LEASE: Duration = Duration::from_secs(30);
/// Rows that are kept in memory by default, in bytes.
const CACHE: usize = 16 << 20;
/// Format of the store's own rows.
const FORMAT: u8 = 1;

/// Many accounts behind one backend. Clones are the same store.
#[derive(Clone)]
pub struct Store(pub(crate) Arc<StoreInner>);

pub(crate) struct StoreInner {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) clock: Arc<dyn Clock>,
    holder: HolderId,
    lease: Duration,
    /// The current key first, then those that a rotation may still meet; empty: not encrypted.
    pub(crate) keys: Vec<StoreKey>,
    rng: Mutex<Box<dyn CryptoRng + Send>>,
    beating: AtomicBool,
    pub(crate) cache: Cache,
}

/// How a store is opened. Everything has a safe default.
#[must_use]
pub struct StoreBuilder {
    backend: Arc<dyn Backend>,
    clock: Arc<dyn Clock>,
    holder: Option<HolderId>,
    lease: Duration,
    keys: Vec<StoreKey>,
    rng: Option<Box<dyn CryptoRng + Send>>,
    cache: Option<usize>,
    promises: Promises,
}

impl StoreBuilder {
    /// Where wall time comes from; the client uses the same. Default: the operating system.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Name of this process as a holder of leases. A process that comes back under its old name takes its accounts
    /// over at once; two that run under one name take them from each other. Default: a random name.
    pub fn holder(mut self, holder: impl Into<HolderId>) -> Self {
        self.holder = Some(holder.into());
        self
    }

    /// How long a silent holder keeps its accounts. Default 30 s; at least 1 s.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.max(Duration::from_secs(1));
        self
    }

    /// Encrypts all values with this key. Addresses, and everything else in a row's key, stay readable.
    pub fn encryption(mut self, key: StoreKey) -> Self {
        self.keys.insert(0, key);
        self
    }

    /// A key that the store was encrypted with before; see [`Store::rotate_key`].
    pub fn previous_key(mut self, key: StoreKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Bytes of rows that are kept in memory to be read again, over all accounts; 0 for none. Default: 16 MiB, and none
    /// over a backend that is itself memory.
    pub fn cache_bytes(mut self, bytes: usize) -> Self {
        self.cache = Some(bytes);
        self
    }

    /// Breaks a promise of the store's own rows in memory on purpose.
    #[cfg(feature = "sabotage")]
    pub fn sabotage(mut self, sabotage: crate::sabotage::Sabotage) -> Self {
        self.promises = Promises::without(sabotage);
        self
    }

    /// Randomness for nonces, account keys and the holder's name. Default: seeded by the operating system.
    pub fn randomness(mut self, rng: impl CryptoRng + Send + 'static) -> Self {
        self.rng = Some(Box::new(rng));
        self
    }

    /// Opens the store.
    ///
    /// # Errors
    /// [`StoreError::WrongKey`], [`StoreError::KeyRequired`], [`StoreError::NotEncrypted`],
    /// [`StoreError::NewerSchema`], and what the backend says.
    pub async fn open(self) -> Result<Store, StoreError> {
        let mut rng = match self.rng {
            Some(rng) => rng,
            None => Box::new(
                rand::rngs::StdRng::try_from_rng(&mut rand::rngs::SysRng)
                    .map_err(|error| StoreError::Randomness(cause(error)))?,
            ),
        };
        let holder = self
            .holder
            .unwrap_or_else(|| HolderId::from(format!("{:016x}{:016x}", rng.next_u64(), rng.next_u64())));
        let default = if self.backend.durability() == Durability::None { 0 } else { CACHE };
        let store = Store(Arc::new(StoreInner {
            cache: Cache::new(self.cache.unwrap_or(default), self.promises),
            backend: self.backend,
            clock: self.clock,
            holder,
            lease: self.lease,
            keys: self.keys,
            rng: Mutex::new(rng),
            beating: AtomicBool::new(false),
        }));
        store.check_format().await?;
        Ok(store)
    }
}

impl Store {
    /// Prepares to open a store over any backend.
    pub fn builder(backend: Arc<dyn Backend>) -> StoreBuilder {
        StoreBuilder {
            backend,
            clock: Arc::new(SystemClock),
            holder: None,
            lease: LEASE,
            keys: Vec::new(),
            rng: None,
            cache: None,
            promises: Promises::default(),
        }
    }

    /// The account of this name. Nothing happens before it is opened.
    pub fn account(&self, name: impl Into<AccountId>) -> Account {
        Account { store: self.clone(), id: name.into() }
    }

    /// Accounts by name, ascending, after `after`, at most `limit`.
    ///
    /// # Errors
    /// What the backend says.
    pub async fn accounts(
        &self,
        after: Option<&AccountId>,
        limit: usize,
    ) -> Result<Vec<AccountInfo>, StoreError> {
        self.0.backend.accounts(after, limit).await
    }

    /// What a commit survives; health shows it.
    pub fn durability(&self) -> Durability {
        self.0.backend.durability()
    }

    /// Whether values are encrypted at rest.
    pub fn is_encrypted(&self) -> bool {
        !self.0.keys.is_empty()
    }

    /// Name of this process as a holder of leases.
    pub fn holder(&self) -> &HolderId {
        &self.0.holder
    }

    /// The clock that everything above shares.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// The backend below.
    pub fn backend(&self) -> &Arc<dyn Backend> {
        &self.0.backend
    }

    /// Gives the leases back, finishes what is queued, and closes the backend.
    ///
    /// # Errors
    /// What the backend says; the store is closed all the same.
    pub async fn close(&self) -> Result<(), StoreError> {
        let retired = if self.0.beating.swap(false, Ordering::SeqCst) {
            self.0.backend.retire(&self.0.holder).await
        } else {
            Ok(())
        };
        self.0.backend.close().await.and(retired)
    }

    /// Wraps all account keys with the current key, so that previous ones are not needed any more. Open the store with
    /// [`StoreBuilder::encryption`] (the new key) and [`StoreBuilder::previous_key`] (the old one) first. Rows are not
    /// rewritten, accounts may be in use; an interrupted rotation is simply repeated. Gives the number of accounts.
    ///
    /// # Errors
    /// [`StoreError::NotEncrypted`] without a key, [`StoreError::WrongKey`] for an account that none of the keys opens.
    pub async fn rotate_key(&self) -> Result<u64, StoreError> {
        let Some(current) = self.0.keys.first() else { return Err(StoreError::NotEncrypted) };
        let (mut rotated, mut after) = (0, None);
        loop {
            let page = self.accounts(after.as_ref(), 256).await?;
            for info in &page {
                let row = account_key_row(&info.account);
                let Some(stored) = self.system_row(&row).await? else { continue };
                let (key, place) = AccountKey::unwrap(&info.account, &stored, &self.0.keys)?;
                if place > 0 {
                    let wrapped = key.wrap(&info.account, current, &mut **self.0.rng.lock());
                    self.swap_system_row(row, Some(stored), wrapped).await?;
                    rotated += 1;
                }
            }
            match page.last() {
                Some(last) => after = Some(last.account.clone()),
                None => break,
            }
        }
        let stored = self.system_row(&format_row()).await?;
        self.swap_system_row(format_row(), stored, format_value(Some(current))).await?;
        Ok(rotated)
    }

    /// Makes the store's own rows, or compares them with the keys that were given.
    async fn check_format(&self) -> Result<(), StoreError> {
        let wanted = format_value(self.0.keys.first());
        let mut found = self.system_row(&format_row()).await?;
        if found.is_none() {
            self.swap_system_row(format_row(), None, wanted).await?;
            found = self.system_row(&format_row()).await?;
        }
        let found = found.unwrap_or_default();
        match (&found[..], self.0.keys.is_empty()) {
            ([FORMAT, 0], true) => Ok(()),
            ([FORMAT, 0], false) => Err(StoreError::NotEncrypted),
            ([FORMAT, 1, ..], true) => Err(StoreError::KeyRequired),
            ([FORMAT, 1, id @ ..], false) if self.0.keys.iter().any(|key| key.id() == *id) => Ok(()),
            ([FORMAT, 1, ..], false) => Err(StoreError::WrongKey),
            ([version, ..], _) => {
                Err(StoreError::NewerSchema { found: (*version).into(), known: FORMAT.into() })
            }
            ([], _) => Err(corrupt(&format_row(), Damage::CutOff)),
        }
    }

    async fn system_row(&self, key: &RowKey) -> Result<Option<Bytes>, StoreError> {
        let rows = self.0.backend.get_many(&AccountId::system(), vec![key.clone()]).await?;
        Ok(rows.into_iter().next().flatten().map(|row| row.value))
    }

    async fn swap_system_row(
        &self,
        key: RowKey,
        expected: Option<Bytes>,
        value: Bytes,
    ) -> Result<(), StoreError> {
        self.system_commit(Op::Swap { key, expected, row: Row { value, expires: None } }).await
    }

    async fn system_commit(&self, op: Op) -> Result<(), StoreError> {
        let batch =
            Batch { account: AccountId::system(), fence: None, ops: Arc::new([op]), urgency: Urgency::Live };
        let results = self.0.backend.commit(vec![batch]).await;
        results.into_iter().next().unwrap_or(Err(StoreError::Closed)).map(drop)
    }

    /// Acquires the lease with a heartbeat behind it.
    pub(crate) async fn acquire(&self, account: &AccountId, intent: Intent) -> Result<Acquired, StoreError> {
        account.check()?;
        self.start_heartbeat().await?;
        self.0.backend.acquire(account, &self.0.holder, intent, self.now()).await
    }

    /// How values of the account are closed. The first opening makes its key.
    pub(crate) async fn cipher(&self, account: &AccountId) -> Result<Cipher, StoreError> {
        let Some(current) = self.0.keys.first() else { return Ok(Cipher::Plain) };
        let row = account_key_row(account);
        if let Some(stored) = self.system_row(&row).await? {
            return Ok(AccountKey::unwrap(account, &stored, &self.0.keys)?.0.cipher());
        }
        let wrapped = {
            let mut rng = self.0.rng.lock();
            AccountKey::random(&mut **rng).wrap(account, current, &mut **rng)
        };
        self.swap_system_row(row.clone(), None, wrapped).await?;
        let stored = self.system_row(&row).await?.ok_or(StoreError::WrongKey)?;
        Ok(AccountKey::unwrap(account, &stored, &self.0.keys)?.0.cipher())
    }

    pub(crate) fn now(&self) -> UnixTime {
        self.0.clock.now()
    }

    pub(crate) fn fill(&self, bytes: &mut [u8]) {
        self.0.rng.lock().fill_bytes(bytes);
    }

    /// The first opening writes the heartbeat row and starts its renewal: one row and one task, for all accounts.
    async fn start_heartbeat(&self) -> Result<(), StoreError> {
        if self.0.beating.load(Ordering::SeqCst) {
            return Ok(());
        }
        self.0.backend.heartbeat(&self.0.holder, self.now(), self.0.lease).await?;
        if self.0.beating.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(beat(Arc::downgrade(&self.0)))),
            Err(_) => tracing::warn!("no Tokio runtime: the lease is not renewed and expires"),
        }
        Ok(())
    }
}

/// Renews the heartbeat until the store is dropped or closed. A failure is repeated at the next beat: leases outlast two.
async fn beat(store: Weak<StoreInner>) {
    loop {
        let Some(pause) = store.upgrade().map(|store| store.lease / 3) else { return };
        tokio::time::sleep(pause).await;
        let Some(store) = store.upgrade().filter(|store| store.beating.load(Ordering::SeqCst)) else {
            return;
        };
        if let Err(error) = store.backend.heartbeat(&store.holder, store.clock.now(), store.lease).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the lease was not renewed");
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("backend", &self.0.backend)
            .field("holder", &self.0.holder)
            .field("encrypted", &self.is_encrypted())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for StoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreBuilder").field("backend", &self.backend).finish_non_exhaustive()
    }
}

fn format_row() -> RowKey {
    RowKey { table: Table::Meta, key: Bytes::from_static(b"format") }
}

fn format_value(key: Option<&StoreKey>) -> Bytes {
    match key {
        None => Bytes::from_static(&[FORMAT, 0]),
        Some(key) => [&[FORMAT, 1][..], &key.id()].concat().into(),
    }
}

fn account_key_row(account: &AccountId) -> RowKey {
    let mut key = KeyWriter::default();
    compact_str::CompactString::from("account-key").write(&mut key);
    compact_str::CompactString::from(account.as_str()).write(&mut key);
    RowKey { table: Table::Meta, key: key.finish() }
}

/// An account by name, not opened.
#[derive(Debug, Clone)]
pub struct Account {
    pub(crate) store: Store,
    pub(crate) id: AccountId,
}

impl Account {
    /// The name.
    pub const fn id(&self) -> &AccountId {
        &self.id
    }

    /// The store that it belongs to.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Takes the lease and opens the account; makes it if there is none.
    ///
    /// # Errors
    /// [`StoreError::Held`] while another process has it, [`StoreError::Moved`] after an export,
    /// [`StoreError::NeedsRestore`] for a backup or an import, and what the backend says.
    pub async fn open(&self) -> Result<AccountStore, StoreError> {
        let acquired = self.store.acquire(&self.id, Intent::Open).await?;
        self.opened(acquired).await
    }

    /// Opens it and looks at much at once, in one turn of the backend if that can: as [`AccountStore::glance`] right behind.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_with(&self, glance: &Glance) -> Result<(AccountStore, Vec<Table>), StoreError> {
        let StoreInner { backend, cache, holder, .. } = &*self.store.0;
        self.id.check()?;
        self.store.start_heartbeat().await?;
        let (kept, tables) = (glance.kept(cache), glance.tables.clone());
        let now = self.store.now();
        let (acquired, (rows, occupied)) =
            backend.acquire_and_glance(&self.id, holder, Intent::Open, now, kept.clone(), tables).await?;
        let account = self.opened(acquired).await?;
        account.found(&kept, &rows);
        let tables = glance.tables.iter().zip(occupied);
        let tables = tables.filter_map(|(table, is_occupied)| is_occupied.then_some(*table));
        Ok((account, tables.collect()))
    }

    pub(crate) async fn opened(&self, acquired: Acquired) -> Result<AccountStore, StoreError> {
        match self.store.cipher(&self.id).await {
            Ok(cipher) => Ok(AccountStore::new(self.store.clone(), self.id.clone(), acquired.epoch, cipher)),
            Err(error) => {
                let _ = self.store.0.backend.release(&self.id, acquired.epoch).await;
                Err(error)
            }
        }
    }

    /// Deletes the account with everything in it, the application's rows included. Safe to repeat.
    ///
    /// # Errors
    /// [`StoreError::Held`], [`StoreError::UnknownAccount`], and what the backend says.
    pub async fn delete(&self) -> Result<(), StoreError> {
        let acquired = self.store.acquire(&self.id, Intent::Delete).await?;
        // First: without it what remains on the disk cannot be read, also when the deletion stops half-way.
        if self.store.is_encrypted() {
            self.store.system_commit(Op::Delete(account_key_row(&self.id))).await?;
        }
        while self.store.0.backend.delete_account(&self.id, acquired.epoch).await? == Deletion::More {
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}
