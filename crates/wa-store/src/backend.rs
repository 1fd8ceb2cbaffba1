//! The lower layer: rows, one commit, a lease. Small enough that somebody writes their own in an evening
//! (`docs/writing-a-backend.md`); everything typed stands above it and is written once.
//! Rules that every backend must keep are said here and proved by `wa_store::conformance` (feature `conformance`).

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::lease::{AccountState, Acquired, Fence, Intent};
use crate::{StoreError, Table, UnixTime};

/// Most bytes (keys and values) of one batch: above the largest frame of the wire (16 MiB) and its message.
pub const MAX_BATCH_BYTES: usize = 32 * 1024 * 1024;
/// Most operations of one batch.
pub const MAX_BATCH_ROWS: usize = 65_536;

/// The name of an account, chosen by the application. It exists before linking and outlives unlinking.
///
/// 1 to 128 bytes without control characters; checked when the account is opened.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(Arc<str>);

impl AccountId {
    /// The account of the store itself: format, key check, wrapped account keys. It has no lease.
    pub const SYSTEM_NAME: &'static str = "";

    /// The account of the store itself.
    pub fn system() -> Self {
        Self(Arc::from(Self::SYSTEM_NAME))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Refuses names that an application may not use.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let fits = (1..=128).contains(&self.0.len()) && !self.0.chars().any(char::is_control);
        if fits { Ok(()) } else { Err(StoreError::InvalidAccountName(self.clone())) }
    }
}

impl<T: AsRef<str>> From<T> for AccountId {
    fn from(name: T) -> Self {
        Self(Arc::from(name.as_ref()))
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The name of a holder of leases: one process, or one opened store.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HolderId(Arc<str>);

impl HolderId {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: AsRef<str>> From<T> for HolderId {
    fn from(name: T) -> Self {
        Self(Arc::from(name.as_ref()))
    }
}

impl fmt::Display for HolderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for HolderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Where a row stands inside its account. Keys are bytes and compare as bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    /// The table.
    pub table: Table,
    /// At most 2 KiB; the typed layer folds longer parts into a digest.
    pub key: Bytes,
}

impl fmt::Debug for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}[{} bytes]", self.table, self.key.len())
    }
}

/// What a row holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// Opaque to the backend.
    pub value: Bytes,
    /// From this time on the row is worthless and [`Backend::prune`] may delete it. A backend may still return it:
    /// the typed layer looks at the time.
    pub expires: Option<UnixTime>,
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row({} bytes, expires {:?})", self.value.len(), self.expires)
    }
}

/// What a glance finds: the rows, and for each table whether it holds any.
pub type Glanced = (Vec<Option<Row>>, Vec<bool>);

/// One operation of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Writes a row, whether it exists or not.
    Put(RowKey, Row),
    /// Deletes a row if it exists.
    Delete(RowKey),
    /// Deletes all rows of a table whose key begins with `prefix`; the empty prefix means the whole table.
    DeletePrefix {
        /// The table.
        table: Table,
        /// First bytes of the keys.
        prefix: Bytes,
    },
    /// Writes a row only if its value is now exactly `expected` (`None`: only if there is no row). Otherwise
    /// nothing happens, and that is no error: maintenance beside live traffic.
    Swap {
        /// The row.
        key: RowKey,
        /// What must be there.
        expected: Option<Bytes>,
        /// What is there afterwards.
        row: Row,
    },
}

impl Op {
    /// The table that it changes.
    pub const fn table(&self) -> Table {
        match self {
            Self::Put(key, _) | Self::Delete(key) | Self::Swap { key, .. } => key.table,
            Self::DeletePrefix { table, .. } => *table,
        }
    }

    /// Bytes that count against [`MAX_BATCH_BYTES`].
    pub fn size(&self) -> usize {
        match self {
            Self::Put(key, row) => key.key.len() + row.value.len(),
            Self::Delete(key) => key.key.len(),
            Self::DeletePrefix { prefix, .. } => prefix.len(),
            Self::Swap { key, expected, row } => {
                key.key.len() + row.value.len() + expected.as_ref().map_or(0, Bytes::len)
            }
        }
    }
}

/// Who goes first when a backend has more work than one transaction should take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// A message waits for it.
    Live,
    /// A slice of an import or of maintenance: yields to live traffic.
    Bulk,
}

/// All changes of one account in one commit. Atomic: all of it or nothing.
///
/// The typed layer promises: `DeletePrefix` operations stand first, and no two other operations name one row. (So a
/// backend may write with one statement per table.)
#[derive(Debug, Clone)]
pub struct Batch {
    /// The account.
    pub account: AccountId,
    /// Who writes, in which epoch, as which commit. `None` only for the store's own rows ([`AccountId::system`]).
    pub fence: Option<Fence>,
    /// In this order.
    pub ops: Arc<[Op]>,
    /// Live traffic or bulk.
    pub urgency: Urgency,
}

impl Batch {
    /// Bytes of all operations.
    pub fn size(&self) -> usize {
        self.ops.iter().map(Op::size).sum()
    }
}

/// What a commit that succeeded did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It was written now.
    Now,
    /// It had been written before: this was a repetition of a commit whose answer was lost.
    Before,
}

/// Which rows a scan wants, in ascending order of the key.
#[derive(Debug, Clone)]
pub struct Scan {
    /// The table.
    pub table: Table,
    /// Only keys that begin so.
    pub prefix: Bytes,
    /// Only keys after this one (the last of the page before).
    pub after: Option<Bytes>,
    /// Most rows of the page; at least 1. A backend may give fewer and say `more`.
    pub limit: usize,
}

/// The first key behind all that begin with `prefix`, for a scan or a deletion between two keys; `None` if no key is
/// behind them.
pub fn upper_bound(prefix: &[u8]) -> Option<Vec<u8>> {
    let kept = prefix.iter().rposition(|byte| *byte != 0xFF)?;
    let mut upper = prefix.get(..=kept)?.to_vec();
    *upper.last_mut()? += 1;
    Some(upper)
}

/// One page of a scan.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Keys and rows, ascending.
    pub rows: Vec<(Bytes, Row)>,
    /// Whether there may be more after the last row.
    pub more: bool,
}

/// What an account row says, without opening it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountInfo {
    /// The name.
    pub account: AccountId,
    /// Who holds it, if anybody.
    pub holder: Option<HolderId>,
    /// How often it was opened.
    pub epoch: u64,
    /// Whether it can be opened.
    pub state: AccountState,
}

/// Whether a deletion has finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// Rows are left: call again.
    More,
    /// Nothing of the account is left.
    Done,
}

/// What a commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// A power cut, on a disk that honours flushes.
    Power,
    /// The death of the process (SIGKILL) only. After a power cut the last commits may be missing, and then message
    /// keys may be used twice.
    Process,
    /// Nothing: the rows live in memory.
    None,
}

/// Storage for rows of many accounts. Object safe; share it as `Arc<dyn Backend>`.
///
/// Rules beyond the signatures:
///
/// - **Reads** see every commit that has returned before they began.
/// - **`commit`** gives one result per batch, in order. Each batch is atomic and succeeds or fails alone; only a
///   failure of the medium may fail all. When it returns `Ok` the batch survives what [`durability`](Self::durability)
///   says. The decision whether a batch may be applied is not the backend's: read the account's
///   [`AccountRow`](crate::lease::AccountRow), ask [`admit`](crate::lease::AccountRow::admit), and write the row back
///   in the same transaction as the operations.
/// - **Dropping a future** of `commit` may leave the batch applied or not, never half.
/// - A batch without a fence is only for [`AccountId::system`] and applies without a question.
#[async_trait]
pub trait Backend: fmt::Debug + Send + Sync + 'static {
    /// What a commit survives.
    fn durability(&self) -> Durability;

    /// The rows under `keys`, in the order of the keys, from one consistent view.
    async fn get_many(&self, account: &AccountId, keys: Vec<RowKey>) -> Result<Vec<Option<Row>>, StoreError>;

    /// One page of rows in ascending order.
    async fn scan(&self, account: &AccountId, scan: Scan) -> Result<Page, StoreError>;

    /// The rows under `keys` as [`get_many`](Self::get_many) gives them, and for each of `tables` whether the account has
    /// a row in it, expired ones included. One view if the backend can.
    async fn glance(
        &self,
        account: &AccountId,
        keys: Vec<RowKey>,
        tables: Vec<Table>,
    ) -> Result<Glanced, StoreError> {
        let rows = self.get_many(account, keys).await?;
        let mut occupied = Vec::with_capacity(tables.len());
        for table in tables {
            let scan = Scan { table, prefix: Bytes::new(), after: None, limit: 1 };
            occupied.push(!self.scan(account, scan).await?.rows.is_empty());
        }
        Ok((rows, occupied))
    }

    /// Applies the batches; one result each. What arrives together from many callers should share one sync.
    async fn commit(&self, batches: Vec<Batch>) -> Vec<Result<Applied, StoreError>>;

    /// Writes or renews the one heartbeat row of `holder`: alive until `now + ttl`. A backend with a clock of its own
    /// (a server's) uses that in place of `now`, here and in `acquire`.
    async fn heartbeat(&self, holder: &HolderId, now: UnixTime, ttl: Duration) -> Result<(), StoreError>;

    /// Takes the heartbeat row away. Accounts that name the holder are free at once.
    async fn retire(&self, holder: &HolderId) -> Result<(), StoreError>;

    /// Opens an account for `holder`, made on the spot unless `intent` needs an existing one: decided by
    /// [`AccountRow::acquire`](crate::lease::AccountRow::acquire), written in one transaction.
    async fn acquire(
        &self,
        account: &AccountId,
        holder: &HolderId,
        intent: Intent,
        now: UnixTime,
    ) -> Result<Acquired, StoreError>;

    /// What [`acquire`](Self::acquire) gives, and what [`glance`](Self::glance) finds once the lease is there: in one turn
    /// if the backend can.
    async fn acquire_and_glance(
        &self,
        account: &AccountId,
        holder: &HolderId,
        intent: Intent,
        now: UnixTime,
        keys: Vec<RowKey>,
        tables: Vec<Table>,
    ) -> Result<(Acquired, Glanced), StoreError> {
        let acquired = self.acquire(account, holder, intent, now).await?;
        match self.glance(account, keys, tables).await {
            Ok(found) => Ok((acquired, found)),
            Err(error) => {
                let _ = self.release(account, acquired.epoch).await;
                Err(error)
            }
        }
    }

    /// Gives an account back if it still has this epoch; otherwise nothing happens.
    async fn release(&self, account: &AccountId, epoch: u64) -> Result<(), StoreError>;

    /// Changes an account's state if it still has this epoch.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] otherwise.
    async fn set_state(&self, account: &AccountId, epoch: u64, state: AccountState)
    -> Result<(), StoreError>;

    /// Accounts by name, ascending, after `after`, at most `limit`. Without [`AccountId::system`].
    async fn accounts(&self, after: Option<&AccountId>, limit: usize)
    -> Result<Vec<AccountInfo>, StoreError>;

    /// Deletes some thousand rows of an account that was acquired with [`Intent::Delete`], and with the last of them
    /// the account itself.
    async fn delete_account(&self, account: &AccountId, epoch: u64) -> Result<Deletion, StoreError>;

    /// Deletes at most `limit` rows of any account whose `expires` is not after `now`; gives their number.
    async fn prune(&self, now: UnixTime, limit: usize) -> Result<u64, StoreError>;

    /// Gives unused space back, if the backend can.
    async fn vacuum(&self) -> Result<(), StoreError> {
        Err(StoreError::Unsupported("vacuum"))
    }

    /// Checks the medium itself; each text names one finding. (Rows are checked above, by decoding them.)
    async fn check(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }

    /// Writes a consistent copy of everything to a new file while the store is in use. In the copy every account is in
    /// state [`AccountState::NeedsRestore`].
    async fn backup(&self, _to: &Path) -> Result<(), StoreError> {
        Err(StoreError::Unsupported("backup"))
    }

    /// Finishes what is queued and frees threads and files. Later calls give [`StoreError::Closed`].
    async fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
