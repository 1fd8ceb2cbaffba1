//! A backend that fails as it is told to, over any other one: for the suite, and for tests of what stands above a store.
//! It loses the connection before or after a commit, refuses every commit or holds the answers of reads back until it is
//! healed; it counts heartbeats, and notes which turns were taken.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::backend::{
    AccountId, AccountInfo, Applied, Backend, Batch, Deletion, Durability, Glanced, HolderId, Op, Page, Row,
    RowKey, Scan,
};
use crate::error::cause;
use crate::lease::{AccountState, Acquired, Intent};
use crate::{StoreError, Table, UnixTime};

/// When the connection is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The commit does not arrive.
    Before,
    /// The commit arrives, its answer does not.
    After,
}

/// A call that reads or writes rows of an account, with the tables that it concerns, each named once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// The lease, with a glance or without.
    Acquire,
    /// Rows by their keys.
    Read(Vec<Table>),
    /// A page of rows.
    Scan(Table),
    /// Rows by their keys, and which tables hold any.
    Glance,
    /// A commit of one account.
    Commit(Vec<Table>),
}

/// A backend over another one that fails as it is told to. Everything that it is not told to fail goes through.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use std::sync::Arc;
/// use wa_store::conformance::Unreliable;
/// use wa_store::{Changes, MemoryBackend, Store, StoreError, tables::Settings};
/// let backend = Arc::new(Unreliable::new(Arc::new(MemoryBackend::default())));
/// let account = Store::builder(backend.clone()).open().await?.account("main").open().await?;
/// let mut changes = Changes::new();
/// changes.put(Settings, &"language".into(), &"de".into());
/// backend.refuse(StoreError::DiskFull(Arc::new(std::io::Error::other("the test wants it so"))));
/// let failed = account.commit(changes).await.expect_err("no space");
/// backend.heal();
/// account.commit(*failed.pending).await?.release();
/// # Ok::<(), wa_store::StoreError>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Unreliable {
    inner: Arc<dyn Backend>,
    trouble: Mutex<Option<Trouble>>,
    holds_reads: watch::Sender<bool>,
    beats: AtomicU64,
    turns: Mutex<Vec<Turn>>,
}

#[derive(Debug, Clone)]
enum Trouble {
    /// Of the next commit alone.
    Cut(Cut),
    /// Of every commit until it is healed.
    Refused(StoreError),
}

impl Unreliable {
    /// Over a backend, with no trouble yet.
    pub fn new(inner: Arc<dyn Backend>) -> Self {
        let holds_reads = watch::Sender::new(false);
        let (beats, turns) = (AtomicU64::new(0), Mutex::default());
        Self { inner, trouble: Mutex::new(None), holds_reads, beats, turns }
    }

    /// The next call of `commit` fails with [`StoreError::ConnectionLost`]; the one after it goes through.
    pub fn cut_next(&self, cut: Cut) {
        *self.trouble.lock() = Some(Trouble::Cut(cut));
    }

    /// From now on every commit fails with this error, and nothing is written, until it is healed.
    pub fn refuse(&self, error: StoreError) {
        *self.trouble.lock() = Some(Trouble::Refused(error));
    }

    /// From now on `get_many` and the glances read, and give what they have read only when this is healed: older by then than
    /// what was committed meanwhile.
    pub fn hold_reads(&self) {
        self.holds_reads.send_replace(true);
    }

    /// Everything goes through again.
    pub fn heal(&self) {
        *self.trouble.lock() = None;
        self.holds_reads.send_replace(false);
    }

    /// How many heartbeats were written.
    pub fn heartbeats(&self) -> u64 {
        self.beats.load(Ordering::SeqCst)
    }

    /// The turns since the last call, of all accounts, in the order in which they were asked for.
    pub fn turns(&self) -> Vec<Turn> {
        std::mem::take(&mut *self.turns.lock())
    }

    fn note(&self, turn: Turn) {
        self.turns.lock().push(turn);
    }

    /// Waits while reads are held.
    async fn read_is_given(&self) {
        // Fails only without a sender, which is here.
        let _ = self.holds_reads.subscribe().wait_for(|holds| !holds).await;
    }

    /// What happens to a commit that comes now.
    fn strike(&self) -> Option<Trouble> {
        let mut trouble = self.trouble.lock();
        match &*trouble {
            Some(Trouble::Refused(_)) => trouble.clone(),
            _ => trouble.take(),
        }
    }
}

fn once(tables: impl Iterator<Item = Table>) -> Vec<Table> {
    let mut tables: Vec<Table> = tables.collect();
    tables.sort_unstable();
    tables.dedup();
    tables
}

#[async_trait]
impl Backend for Unreliable {
    fn durability(&self) -> Durability {
        self.inner.durability()
    }

    async fn get_many(&self, account: &AccountId, keys: Vec<RowKey>) -> Result<Vec<Option<Row>>, StoreError> {
        self.note(Turn::Read(once(keys.iter().map(|key| key.table))));
        let rows = self.inner.get_many(account, keys).await;
        self.read_is_given().await;
        rows
    }

    async fn scan(&self, account: &AccountId, scan: Scan) -> Result<Page, StoreError> {
        self.note(Turn::Scan(scan.table));
        self.inner.scan(account, scan).await
    }

    async fn glance(
        &self,
        account: &AccountId,
        keys: Vec<RowKey>,
        tables: Vec<Table>,
    ) -> Result<Glanced, StoreError> {
        self.note(Turn::Glance);
        let found = self.inner.glance(account, keys, tables).await;
        self.read_is_given().await;
        found
    }

    async fn commit(&self, batches: Vec<Batch>) -> Vec<Result<Applied, StoreError>> {
        for batch in &batches {
            self.note(Turn::Commit(once(batch.ops.iter().map(Op::table))));
        }
        let (arrives, error) = match self.strike() {
            None => return self.inner.commit(batches).await,
            Some(Trouble::Refused(error)) => (false, error),
            Some(Trouble::Cut(cut)) => {
                let lost = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
                (cut == Cut::After, StoreError::ConnectionLost(cause(lost)))
            }
        };
        let refused = vec![Err(error); batches.len()];
        if arrives {
            self.inner.commit(batches).await;
        }
        refused
    }

    async fn heartbeat(&self, holder: &HolderId, now: UnixTime, ttl: Duration) -> Result<(), StoreError> {
        self.beats.fetch_add(1, Ordering::SeqCst);
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
        self.note(Turn::Acquire);
        self.inner.acquire(account, holder, intent, now).await
    }

    async fn acquire_and_glance(
        &self,
        account: &AccountId,
        holder: &HolderId,
        intent: Intent,
        now: UnixTime,
        keys: Vec<RowKey>,
        tables: Vec<Table>,
    ) -> Result<(Acquired, Glanced), StoreError> {
        self.note(Turn::Acquire);
        let found = self.inner.acquire_and_glance(account, holder, intent, now, keys, tables).await;
        self.read_is_given().await;
        found
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
