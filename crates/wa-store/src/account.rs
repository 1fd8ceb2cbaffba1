//! An opened account: typed reads, and the one commit. Reads filter what has expired and check every row.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use crate::address::{ChatKey, InboxCursor, OutboxOrder, User};
use crate::backend::{Applied, Batch, Op, Row, RowKey, Scan, Urgency};
use crate::cache::{Cache, Opening};
use crate::changes::{Changes, Committed, Pending, Uncommitted, row_key};
use crate::clock::UnixTime;
use crate::envelope::{Cipher, corrupt};
use crate::error::Damage;
use crate::key::Key;
use crate::lease::Fence;
use crate::records::{InboxRow, Record};
use crate::store::Store;
use crate::tables::{Entity, Inbox, InboxAttempts, Lids, Pns, Quarantine};
use crate::{AccountId, StoreError, Table};

/// Rows of one slice of an import.
const SLICE_ROWS: usize = 512;
/// Bytes of one slice of an import.
const SLICE_BYTES: usize = 256 * 1024;

/// An opened account: the lease is ours until another holder takes it. Clones are the same opening.
///
/// Dropping it is as safe as a crash: the same process opens it again at once, others after the lease has expired.
#[derive(Clone)]
pub struct AccountStore(Arc<Opened>);

struct Opened {
    store: Store,
    id: AccountId,
    epoch: u64,
    cipher: Cipher,
    sequence: AtomicU64,
    number: AtomicU64,
    /// Tables, as bits, into which a commit of this opening has put rows, or may have.
    written: AtomicU64,
    cached: Opening,
}

/// What is to be looked at together: see [`AccountStore::glance`].
#[derive(Debug, Clone, Default)]
pub struct Glance {
    rows: Vec<RowKey>,
    pub(crate) tables: Vec<Table>,
}

impl Glance {
    /// A row that will be asked for.
    #[must_use]
    pub fn row<E: Entity>(mut self, _: E, key: &E::Key) -> Self {
        self.rows.push(row_key::<E>(key));
        self
    }

    /// The rows that a store keeps in memory.
    pub(crate) fn kept(&self, cache: &Cache) -> Vec<RowKey> {
        self.rows.iter().filter(|key| cache.keeps(key.table)).cloned().collect()
    }

    /// A table that may be empty.
    #[must_use]
    pub fn table<E: Entity>(mut self, _: E) -> Self {
        self.tables.push(E::TABLE);
        self
    }
}

/// One page of typed rows.
#[derive(Debug, Clone)]
pub struct Records<K, V> {
    /// Keys and values, ascending.
    pub rows: Vec<(K, V)>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<PageMark>,
}

/// The end of a page.
#[derive(Debug, Clone)]
pub struct PageMark(Bytes);

/// An event in the inbox with the number of its deliveries so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxEntry {
    /// Its place.
    pub cursor: InboxCursor,
    /// How often it was delivered before: 0 for a new one, more for a redelivery.
    pub attempts: u32,
    /// The event.
    pub row: InboxRow,
}

impl AccountStore {
    /// Bytes that an opened account keeps, without its name and, when encrypted, its key schedule (about 1 KiB).
    pub const FOOTPRINT: usize = size_of::<Opened>();

    pub(crate) fn new(store: Store, id: AccountId, epoch: u64, cipher: Cipher) -> Self {
        let number = AtomicU64::new(epoch << 32);
        let cached = store.0.cache.opening();
        let (sequence, written) = (AtomicU64::new(0), AtomicU64::new(0));
        Self(Arc::new(Opened { store, id, epoch, cipher, sequence, number, written, cached }))
    }

    /// Keeps in memory what was found when the lease was taken.
    pub(crate) fn found(&self, keys: &[RowKey], rows: &[Option<Row>]) {
        let Opened { store, cached, .. } = &*self.0;
        let look = store.0.cache.look(cached, &[]);
        store.0.cache.fill(cached, &look, keys, rows);
    }

    /// Whether this opening has put rows into a table, or may have. One that was empty when the account was opened is
    /// empty for as long as it has not.
    pub fn has_written(&self, table: Table) -> bool {
        self.0.written.load(Ordering::SeqCst) & bit(table) != 0
    }

    /// The account's name.
    pub fn id(&self) -> &AccountId {
        &self.0.id
    }

    /// The store that it belongs to.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// Epoch of this opening. Rises with every opening.
    pub fn epoch(&self) -> u64 {
        self.0.epoch
    }

    /// The value under a key.
    ///
    /// # Errors
    /// [`StoreError::CorruptRow`], and what the backend says.
    pub async fn one<E: Entity>(&self, entity: E, key: &E::Key) -> Result<Option<E::Value>, StoreError> {
        Ok(self.many(entity, std::slice::from_ref(key)).await?.pop().flatten())
    }

    /// The values under many keys, in their order, from one consistent view.
    ///
    /// # Errors
    /// As [`one`](Self::one).
    pub async fn many<E: Entity>(&self, _: E, keys: &[E::Key]) -> Result<Vec<Option<E::Value>>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<RowKey> = keys.iter().map(row_key::<E>).collect();
        let rows = self.rows(E::TABLE, &keys).await?;
        let now = self.0.store.now();
        let values = keys.iter().zip(rows).map(|(key, row)| match row.filter(|row| is_live(row, now)) {
            Some(row) => self.value::<E::Value>(key, &row).map(Some),
            None => Ok(None),
        });
        values.collect()
    }

    /// Looks at much at once, in one turn of the backend: the tables of the glance that hold rows of the account (expired
    /// ones count) come back, and its small rows are in memory for whoever asks for them next. What the store keeps no
    /// memory of is read when it is asked for.
    ///
    /// # Errors
    /// What the backend says.
    pub async fn glance(&self, glance: &Glance) -> Result<Vec<Table>, StoreError> {
        let Opened { store, id, cached, .. } = &*self.0;
        let (backend, cache) = (&store.0.backend, &store.0.cache);
        let kept = glance.kept(cache);
        let look = cache.look(cached, &kept);
        let missing: Vec<RowKey> =
            kept.into_iter().zip(&look.rows).filter_map(|(key, row)| row.is_none().then_some(key)).collect();
        if missing.is_empty() && glance.tables.is_empty() {
            return Ok(Vec::new());
        }
        let (rows, occupied) = backend.glance(id, missing.clone(), glance.tables.clone()).await?;
        cache.fill(cached, &look, &missing, &rows);
        let tables = glance.tables.iter().zip(occupied);
        Ok(tables.filter_map(|(table, is_occupied)| is_occupied.then_some(*table)).collect())
    }

    /// Rows of one table in one consistent view, those that are known from memory.
    async fn rows(&self, table: Table, keys: &[RowKey]) -> Result<Vec<Option<Row>>, StoreError> {
        let Opened { store, id, cached, .. } = &*self.0;
        let (backend, cache) = (&store.0.backend, &store.0.cache);
        if !cache.keeps(table) {
            return backend.get_many(id, keys.to_vec()).await;
        }
        let mut look = cache.look(cached, keys);
        let missing: Vec<RowKey> = keys
            .iter()
            .zip(&look.rows)
            .filter(|(_, row)| row.is_none())
            .map(|(key, _)| key.clone())
            .collect();
        if !missing.is_empty() {
            let read = backend.get_many(id, missing.clone()).await?;
            let is_one_view = cache.fill(cached, &look, &missing, &read) || missing.len() == keys.len();
            if !is_one_view {
                return backend.get_many(id, keys.to_vec()).await;
            }
            let mut read = read.into_iter();
            for row in look.rows.iter_mut().filter(|row| row.is_none()) {
                *row = read.next();
            }
        }
        Ok(look.rows.into_iter().map(Option::flatten).collect())
    }

    /// A page of at most `limit` rows whose keys begin with `prefix`, after the mark of the page before.
    ///
    /// # Errors
    /// As [`one`](Self::one).
    pub async fn page<E: Entity>(
        &self,
        _: E,
        prefix: &E::Prefix,
        after: Option<&PageMark>,
        limit: usize,
    ) -> Result<Records<E::Key, E::Value>, StoreError> {
        let scan = Scan {
            table: E::TABLE,
            prefix: prefix.to_bytes(),
            after: after.map(|mark| mark.0.clone()),
            limit: limit.max(1),
        };
        self.scan::<E>(scan).await
    }

    /// A page of at most `limit` rows of the whole table, whatever their prefix.
    ///
    /// # Errors
    /// As [`one`](Self::one).
    pub async fn page_of_table<E: Entity>(
        &self,
        _: E,
        after: Option<&PageMark>,
        limit: usize,
    ) -> Result<Records<E::Key, E::Value>, StoreError> {
        let after = after.map(|mark| mark.0.clone());
        self.scan::<E>(Scan { table: E::TABLE, prefix: Bytes::new(), after, limit: limit.max(1) }).await
    }

    /// All rows whose keys begin with `prefix`. For tables of bounded size; use [`page`](Self::page) for the others.
    ///
    /// # Errors
    /// As [`one`](Self::one).
    pub async fn all<E: Entity>(
        &self,
        _: E,
        prefix: &E::Prefix,
    ) -> Result<Vec<(E::Key, E::Value)>, StoreError> {
        self.all_under::<E>(prefix.to_bytes()).await
    }

    /// All rows of a table, whatever their prefix. For tables of bounded size.
    ///
    /// # Errors
    /// As [`one`](Self::one).
    pub async fn whole<E: Entity>(&self, _: E) -> Result<Vec<(E::Key, E::Value)>, StoreError> {
        self.all_under::<E>(Bytes::new()).await
    }

    async fn all_under<E: Entity>(&self, prefix: Bytes) -> Result<Vec<(E::Key, E::Value)>, StoreError> {
        let mut scan = Scan { table: E::TABLE, prefix, after: None, limit: 512 };
        let mut all = Vec::new();
        loop {
            let page = self.scan::<E>(scan.clone()).await?;
            all.extend(page.rows);
            match page.next {
                Some(mark) => scan.after = Some(mark.0),
                None => return Ok(all),
            }
        }
    }

    async fn scan<E: Entity>(&self, scan: Scan) -> Result<Records<E::Key, E::Value>, StoreError> {
        let page = self.0.store.0.backend.scan(&self.0.id, scan).await?;
        let now = self.0.store.now();
        let next = page.rows.last().filter(|_| page.more).map(|(key, _)| PageMark(key.clone()));
        let mut rows = Vec::with_capacity(page.rows.len());
        for (key, row) in page.rows.into_iter().filter(|(_, row)| is_live(row, now)) {
            let key = RowKey { table: E::TABLE, key };
            let typed = E::Key::from_bytes(&key.key).ok_or_else(|| corrupt(&key, Damage::Key))?;
            rows.push((typed, self.value::<E::Value>(&key, &row)?));
        }
        Ok(Records { rows, next })
    }

    fn value<V: Record>(&self, key: &RowKey, row: &Row) -> Result<V, StoreError> {
        let payload = self.0.cipher.open(key, &row.value)?;
        V::from_stored(&payload).map_err(|damage| corrupt(key, damage))
    }

    /// The LID of a phone number, if known.
    ///
    /// # Errors
    /// As [`one`](Self::one).
    pub async fn lid_of(&self, pn: &User) -> Result<Option<User>, StoreError> {
        Ok(self.one(Lids, pn).await?.map(|record| record.lid))
    }

    /// The phone number of a LID, if known.
    ///
    /// # Errors
    /// As [`one`](Self::one).
    pub async fn pn_of(&self, lid: &User) -> Result<Option<User>, StoreError> {
        Ok(self.one(Pns, lid).await?.map(|record| record.pn))
    }

    /// A page of the inbox after a cursor, with the attempts of each event.
    ///
    /// # Errors
    /// As [`one`](Self::one).
    pub async fn inbox(
        &self,
        after: Option<InboxCursor>,
        limit: usize,
    ) -> Result<Vec<InboxEntry>, StoreError> {
        let mark = after.map(|cursor| PageMark(cursor.to_bytes()));
        let page = self.page(Inbox, &(), mark.as_ref(), limit).await?;
        let cursors: Vec<InboxCursor> = page.rows.iter().map(|(cursor, _)| *cursor).collect();
        let attempts = self.many(InboxAttempts, &cursors).await?;
        let entries = page.rows.into_iter().zip(attempts);
        Ok(entries
            .map(|((cursor, row), attempts)| InboxEntry { cursor, attempts: attempts.unwrap_or(0), row })
            .collect())
    }

    /// A cursor above every one before, in this opening and in all earlier ones. Nothing is written.
    pub fn next_cursor(&self) -> InboxCursor {
        self.next_cursors(1)
    }

    /// The first of `count` cursors that follow each other, all above every one before. Nothing is written.
    pub fn next_cursors(&self, count: u32) -> InboxCursor {
        InboxCursor::from_number(self.0.number.fetch_add(count.into(), Ordering::SeqCst) + 1)
    }

    /// A place in the outbox behind every one before. Nothing is written.
    pub fn next_order(&self) -> OutboxOrder {
        OutboxOrder::from_number(self.next_number())
    }

    /// A chat key above every one before. Nothing is written.
    pub fn next_chat_key(&self) -> ChatKey {
        ChatKey::from_number(self.next_number())
    }

    fn next_number(&self) -> u64 {
        // Four thousand million numbers for one opening; the epoch above makes them unique over openings.
        self.0.number.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Writes all changes at once, durably, if the lease is still ours; then what they held back may leave.
    ///
    /// Commits may run side by side; each is atomic. Dropping the future leaves the outcome unknown, as a crash does.
    ///
    /// # Errors
    /// [`Uncommitted`]: nothing may leave. Its `pending` repeats the same commit, which is applied once however
    /// often it is repeated: do so after a pause if [`StoreError::retry`] says [`Same`](crate::Retry::Same).
    pub async fn commit<T>(&self, pending: impl Into<Pending<T>>) -> Result<Committed<T>, Uncommitted<T>> {
        self.commit_as(pending.into(), Urgency::Live).await
    }

    async fn commit_as<T>(
        &self,
        mut pending: Pending<T>,
        urgency: Urgency,
    ) -> Result<Committed<T>, Uncommitted<T>> {
        if pending.changes.is_empty() {
            return Ok(Committed::new(pending.outputs));
        }
        match self.apply(&mut pending, urgency).await {
            Ok(_) => Ok(Committed::new(pending.outputs)),
            Err(error) => Err(Uncommitted { error, pending: Box::new(pending) }),
        }
    }

    async fn apply<T>(&self, pending: &mut Pending<T>, urgency: Urgency) -> Result<Applied, StoreError> {
        let batch = match &pending.prepared {
            Some((account, batch)) if *account == self.0.id => batch.clone(),
            Some(_) => return Err(StoreError::ForeignChanges(self.0.id.clone())),
            None => {
                let batch = self
                    .batch(pending.changes.to_ops(&self.0.cipher, |nonce| self.0.store.fill(nonce)), urgency);
                // A batch that can never be applied takes no place in the order.
                crate::lease::check_size(&batch)?;
                pending.prepared = Some((self.0.id.clone(), batch.clone()));
                batch
            }
        };
        let ops = Arc::clone(&batch.ops);
        let puts = ops.iter().filter(|op| matches!(op, Op::Put(..) | Op::Swap { .. }));
        self.0.written.fetch_or(puts.fold(0, |bits, op| bits | bit(op.table())), Ordering::SeqCst);
        let cache = &self.0.store.0.cache;
        // What changes nothing that is kept is nothing to the cache: the application's acknowledgements, mostly.
        let writing = cache.concerns(&ops).then(|| cache.write(&self.0.cached, batch.urgency));
        let results = self.0.store.0.backend.commit(vec![batch]).await;
        let applied = results.into_iter().next().unwrap_or(Err(StoreError::Closed))?;
        if let Some(writing) = writing {
            writing.succeeded(&ops, applied);
        }
        Ok(applied)
    }

    fn batch(&self, ops: Vec<Op>, urgency: Urgency) -> Batch {
        let sequence = match urgency {
            Urgency::Live => self.0.sequence.fetch_add(1, Ordering::SeqCst) + 1,
            Urgency::Bulk => 0,
        };
        let fence = Some(Fence { epoch: self.0.epoch, sequence });
        Batch { account: self.0.id.clone(), fence, ops: ops.into(), urgency }
    }

    /// Writes a large import in slices that yield to live traffic. Not atomic: after a failure or a crash a part of it
    /// is there, so imports must be repeatable. `progress` hears rows done and rows in all.
    ///
    /// # Errors
    /// The error of the slice that failed.
    pub async fn commit_in_slices(
        &self,
        changes: Changes,
        mut progress: impl FnMut(usize, usize) + Send,
    ) -> Result<Committed<()>, StoreError> {
        let (mut done, all) = (0, changes.len());
        for slice in changes.slices(SLICE_ROWS, SLICE_BYTES) {
            done += slice.len();
            let _ = self.commit_as(slice.holding(()), Urgency::Bulk).await?;
            progress(done, all);
            tokio::task::yield_now().await;
        }
        Ok(Committed::new(()))
    }

    /// Moves a row that does not decode out of the way, raw, in one commit; see [`StoreError::CorruptRow`].
    ///
    /// # Errors
    /// As [`commit`](Self::commit); [`StoreError::CorruptFile`] never comes from here.
    pub async fn quarantine(&self, table: Table, key: &Bytes) -> Result<Committed<()>, StoreError> {
        let at = RowKey { table, key: key.clone() };
        let row = self.0.store.0.backend.get_many(&self.0.id, vec![at.clone()]).await?.pop().flatten();
        let mut changes = Changes::new();
        if let Some(row) = row {
            changes.put(Quarantine, &(u32::from(table.number()), key.clone()), &row.value);
        }
        changes.delete_row(at);
        Ok(self.commit(changes).await?)
    }

    /// Gives the lease back: others may open the account at once, and late commits of this opening fail.
    ///
    /// # Errors
    /// What the backend says.
    pub async fn release(&self) -> Result<(), StoreError> {
        self.0.store.0.backend.release(&self.0.id, self.0.epoch).await
    }

    /// Rows of a page, expired ones too, each opened or with what is wrong with it. Empty at the end.
    pub(crate) async fn raw_page(&self, scan: Scan) -> Result<Vec<(RowKey, OpenedRow)>, StoreError> {
        let table = scan.table;
        let page = self.0.store.0.backend.scan(&self.0.id, scan).await?;
        let rows = page.rows.into_iter().map(|(key, row)| {
            let key = RowKey { table, key };
            let opened = self.0.cipher.open_value(&key, &row.value).map(|payload| (payload, row.expires));
            (key, opened)
        });
        Ok(rows.collect())
    }
}

/// Numbers of tables stay below 64, as the first row of another one would show.
const fn bit(table: Table) -> u64 {
    1 << table.number()
}

/// Payload and expiry of a row, or what is wrong with it.
pub(crate) type OpenedRow = Result<(Bytes, Option<UnixTime>), Damage>;

fn is_live(row: &Row, now: UnixTime) -> bool {
    row.expires.is_none_or(|expires| expires > now)
}

impl fmt::Debug for AccountStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountStore")
            .field("id", &self.0.id)
            .field("epoch", &self.0.epoch)
            .finish_non_exhaustive()
    }
}
