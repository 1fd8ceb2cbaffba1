//! The SQLite backend, the default: one file for many accounts, one thread that writes with group commit, a few that read.
//! Copying the file by hand while it is in use, or using a copy without `restore()`, is unsafe: keys would be used twice.

mod fault;
mod holder;
mod queue;
mod read;
mod schema;
mod write;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::oneshot;

use self::fault::{Fault, store_error};
use self::queue::Queue;
use self::schema::File;
pub use self::write::Point;
use self::write::{Job, Piece, Writer};
use crate::backend::{
    AccountId, AccountInfo, Applied, Backend, Batch, Deletion, Durability, Glanced, HolderId, Page, Row,
    RowKey, Scan, Urgency,
};
use crate::error::cause;
use crate::export::sync_folder;
use crate::lease::{AccountState, Acquired, Intent};
use crate::sabotage::Promises;
use crate::store::{Store, StoreBuilder};
use crate::{StoreError, Table, UnixTime};

/// Most pieces that share one transaction.
const GROUP: usize = 1024;
/// Pages that one step of a vacuum gives back.
const VACUUMED_AT_ONCE: i64 = 512;

/// Opens stores in SQLite files.
#[derive(Debug)]
pub struct SqliteStore;

impl SqliteStore {
    /// Opens or makes the file with safe defaults.
    ///
    /// # Errors
    /// [`StoreError::CannotOpen`], [`StoreError::ForeignFile`], [`StoreError::NewerSchema`], [`StoreError::Locked`],
    /// [`StoreError::ReadOnly`], [`StoreError::KeyRequired`].
    pub async fn open(path: impl AsRef<Path>) -> Result<Store, StoreError> {
        Self::builder(path).await?.open().await
    }

    /// Opens or makes the file; the store's own knobs follow.
    ///
    /// # Errors
    /// As [`open`](Self::open), without the key.
    pub async fn builder(path: impl AsRef<Path>) -> Result<StoreBuilder, StoreError> {
        Ok(Store::builder(Arc::new(SqliteOptions::new(path).open().await?)))
    }
}

/// Where the threads come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Threads {
    /// Threads of our own: one that writes, a few that read.
    #[default]
    Own,
    /// The runtime's blocking pool: while a call is under way, a paused Tokio clock does not run on. For tests in
    /// virtual time.
    BlockingPool,
}

/// Knobs of the SQLite backend.
#[derive(Debug, Clone)]
#[must_use]
pub struct SqliteOptions {
    file: File,
    readers: usize,
    threads: Threads,
    promises: Promises,
    #[cfg(feature = "sabotage")]
    points: Option<crate::sabotage::Points>,
}

impl SqliteOptions {
    /// The defaults: [`Durability::Power`], two readers, 5 s of patience with a locked file, 4 MiB of cache each.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            file: File {
                path: path.as_ref().to_owned(),
                vfs: None,
                durability: Durability::Power,
                busy: Duration::from_secs(5),
                cache_kib: 4096,
                max_pages: None,
            },
            readers: 2,
            threads: Threads::Own,
            promises: Promises::default(),
            #[cfg(feature = "sabotage")]
            points: None,
        }
    }

    /// [`Durability::Power`] syncs every group commit. [`Durability::Process`] survives SIGKILL only: after a power cut
    /// the last commits may be missing, and message keys may be used twice. [`Durability::None`] counts as `Process`.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.file.durability = if durability == Durability::Power { durability } else { Durability::Process };
        self
    }

    /// Number of reading connections, at least 1.
    pub fn readers(mut self, readers: usize) -> Self {
        self.readers = readers.max(1);
        self
    }

    /// How long to wait for a file that another process keeps locked.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.file.busy = patience;
        self
    }

    /// Page cache of each connection in KiB.
    pub fn cache_kib(mut self, kib: u32) -> Self {
        self.file.cache_kib = kib;
        self
    }

    /// Largest size of the file in pages of 4 KiB; a commit past it fails as on a full disk. Default: none.
    pub fn max_pages(mut self, pages: u32) -> Self {
        self.file.max_pages = Some(pages);
        self
    }

    /// Where the threads come from.
    pub fn threads(mut self, threads: Threads) -> Self {
        self.threads = threads;
        self
    }

    /// Name of a registered SQLite VFS to use in place of the default one: for tests of power cuts and failing disks.
    pub fn vfs(mut self, name: impl Into<String>) -> Self {
        self.file.vfs = Some(name.into());
        self
    }

    /// Breaks a promise on purpose.
    #[cfg(feature = "sabotage")]
    pub fn sabotage(mut self, sabotage: crate::sabotage::Sabotage) -> Self {
        self.promises = Promises::without(sabotage);
        self
    }

    /// Hears where each group commit stands, on the writing thread.
    #[cfg(feature = "sabotage")]
    pub fn points(mut self, points: crate::sabotage::Points) -> Self {
        self.points = Some(points);
        self
    }

    /// Opens or makes the file.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub async fn open(self) -> Result<SqliteBackend, StoreError> {
        let (reply, opened) = oneshot::channel();
        let threads = self.threads;
        run(threads, "wa-store-open", move || drop(reply.send(self.open_now())))?;
        opened.await.unwrap_or(Err(StoreError::Closed))
    }

    fn open_now(self) -> Result<SqliteBackend, StoreError> {
        let path = std::path::absolute(&self.file.path)
            .map_err(|error| StoreError::CannotOpen { path: self.file.path.clone(), source: cause(error) })?;
        let file = File { path, ..self.file };
        let writer = Writer {
            connection: schema::open_writer(&file)?,
            path: file.path.clone(),
            locks: Vec::new(),
            gone: Vec::new(),
            promises: self.promises,
            #[cfg(feature = "sabotage")]
            points: self.points,
        };
        let readers = if self.threads == Threads::Own { self.readers } else { 1 };
        let readers = (0..readers).map(|_| schema::open_reader(&file)).collect::<Result<Vec<_>, _>>()?;
        SqliteBackend::start(file, self.threads, writer, readers)
    }
}

type Read = Box<dyn FnOnce(&mut Connection) + Send>;

/// The connections, when the blocking pool works with them; empty after closing.
struct Pool {
    writer: Mutex<Option<Writer>>,
    reader: Mutex<Option<Connection>>,
}

/// Rows in a SQLite file.
pub struct SqliteBackend {
    file: File,
    threads: Threads,
    writes: Arc<Queue<Job>>,
    reads: Arc<Queue<Read>>,
    /// Set when the blocking pool does the work.
    pool: Option<Arc<Pool>>,
    /// Ends when the threads have ended and all files are closed.
    ended: Mutex<Option<oneshot::Receiver<()>>>,
}

impl SqliteBackend {
    fn start(
        file: File,
        threads: Threads,
        writer: Writer,
        mut readers: Vec<Connection>,
    ) -> Result<Self, StoreError> {
        let mut backend = Self {
            file,
            threads,
            writes: Arc::new(Queue::new()),
            reads: Arc::new(Queue::new()),
            pool: None,
            ended: Mutex::new(None),
        };
        if threads == Threads::BlockingPool {
            backend.pool =
                Some(Arc::new(Pool { writer: Mutex::new(Some(writer)), reader: Mutex::new(readers.pop()) }));
            return Ok(backend);
        }
        let mut readers_ended: Vec<oneshot::Receiver<()>> = Vec::with_capacity(readers.len());
        for mut connection in readers {
            let (alive, ended) = oneshot::channel();
            let reads = Arc::clone(&backend.reads);
            run(threads, "wa-store-read", move || {
                let _end = reads.end_with_me();
                while let Some(jobs) = reads.wait(1) {
                    jobs.into_iter().for_each(|job| job(&mut connection));
                }
                drop(connection);
                drop(alive);
            })?;
            readers_ended.push(ended);
        }
        let (alive, ended) = oneshot::channel();
        let writes = Arc::clone(&backend.writes);
        let mut writer = writer;
        run(threads, "wa-store-write", move || {
            let _end = writes.end_with_me();
            while let Some(jobs) = writes.wait(GROUP) {
                writer.work(jobs);
            }
            // SQLite removes its log with the last connection, unless two of them close at once.
            for reader in readers_ended {
                let _ = reader.blocking_recv();
            }
            drop(writer);
            drop(alive);
        })?;
        *backend.ended.get_mut() = Some(ended);
        Ok(backend)
    }

    /// The file, as an absolute path.
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job: Read = Box::new(move |connection| drop(reply.send(work(connection))));
        self.reads.push(job, Urgency::Live).map_err(|_| StoreError::Closed)?;
        if let Some(pool) = self.pool.clone() {
            let reads = Arc::clone(&self.reads);
            run(self.threads, "", move || {
                if let Some(connection) = &mut *pool.reader.lock() {
                    while let Some(jobs) = reads.take(1) {
                        jobs.into_iter().for_each(|job| job(connection));
                    }
                }
            })?;
        }
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    fn submit(&self, job: Job, urgency: Urgency) -> Result<(), StoreError> {
        self.writes.push(job, urgency).map_err(|_| StoreError::Closed)?;
        if let Some(pool) = self.pool.clone() {
            let writes = Arc::clone(&self.writes);
            run(self.threads, "", move || {
                if let Some(writer) = &mut *pool.writer.lock() {
                    while let Some(jobs) = writes.take(GROUP) {
                        writer.work(jobs);
                    }
                }
            })?;
        }
        Ok(())
    }

    fn queue<T: Send + 'static>(
        &self,
        urgency: Urgency,
        work: impl FnMut(&mut Writer) -> Result<T, Fault> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T, StoreError>>, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.submit(Job::Grouped(Box::new(Piece::new(work, reply))), urgency)?;
        Ok(answer)
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Writer) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.queue(Urgency::Live, work)?.await.unwrap_or(Err(StoreError::Closed))
    }

    async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writer) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.submit(Job::Alone(Box::new(move |writer| drop(reply.send(work(writer))))), Urgency::Live)?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }
}

impl Drop for SqliteBackend {
    fn drop(&mut self) {
        self.writes.close();
        self.reads.close();
    }
}

fn run(threads: Threads, name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
    match threads {
        Threads::Own => {
            let thread = std::thread::Builder::new().name(name.to_owned());
            thread.spawn(work).map(drop).map_err(|error| StoreError::Io(cause(error)))
        }
        Threads::BlockingPool => match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                drop(runtime.spawn_blocking(work));
                Ok(())
            }
            Err(error) => Err(StoreError::Io(cause(error))),
        },
    }
}

#[async_trait]
impl Backend for SqliteBackend {
    fn durability(&self) -> Durability {
        self.file.durability
    }

    async fn get_many(&self, account: &AccountId, keys: Vec<RowKey>) -> Result<Vec<Option<Row>>, StoreError> {
        let account = account.clone();
        self.read(move |connection| read::get_many(connection, &account, &keys)).await
    }

    async fn scan(&self, account: &AccountId, scan: Scan) -> Result<Page, StoreError> {
        let account = account.clone();
        self.read(move |connection| read::scan(connection, &account, &scan)).await
    }

    async fn glance(
        &self,
        account: &AccountId,
        keys: Vec<RowKey>,
        tables: Vec<Table>,
    ) -> Result<Glanced, StoreError> {
        let account = account.clone();
        self.read(move |connection| read::glance(connection, &account, &keys, &tables)).await
    }

    async fn commit(&self, batches: Vec<Batch>) -> Vec<Result<Applied, StoreError>> {
        let answers: Vec<_> = batches
            .into_iter()
            .map(|batch| self.queue(batch.urgency, move |writer: &mut Writer| writer.commit(&batch)))
            .collect();
        let mut results = Vec::with_capacity(answers.len());
        for answer in answers {
            results.push(match answer {
                Ok(answer) => answer.await.unwrap_or(Err(StoreError::Closed)),
                Err(error) => Err(error),
            });
        }
        results
    }

    async fn heartbeat(&self, holder: &HolderId, now: UnixTime, ttl: Duration) -> Result<(), StoreError> {
        let holder = holder.clone();
        self.write(move |writer| writer.heartbeat(&holder, now.after(ttl))).await
    }

    async fn retire(&self, holder: &HolderId) -> Result<(), StoreError> {
        let holder = holder.clone();
        self.write(move |writer| writer.retire(&holder)).await
    }

    async fn acquire(
        &self,
        account: &AccountId,
        holder: &HolderId,
        intent: Intent,
        now: UnixTime,
    ) -> Result<Acquired, StoreError> {
        let (account, holder) = (account.clone(), holder.clone());
        self.write(move |writer| writer.acquire(&account, &holder, intent, now)).await
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
        let (account, holder) = (account.clone(), holder.clone());
        self.write(move |writer| {
            let acquired = writer.acquire(&account, &holder, intent, now)?;
            Ok((acquired, read::look(&writer.connection, &account, &keys, &tables)?))
        })
        .await
    }

    async fn release(&self, account: &AccountId, epoch: u64) -> Result<(), StoreError> {
        let account = account.clone();
        self.write(move |writer| writer.release(&account, epoch)).await
    }

    async fn set_state(
        &self,
        account: &AccountId,
        epoch: u64,
        state: AccountState,
    ) -> Result<(), StoreError> {
        let account = account.clone();
        self.write(move |writer| writer.set_state(&account, epoch, state)).await
    }

    async fn accounts(
        &self,
        after: Option<&AccountId>,
        limit: usize,
    ) -> Result<Vec<AccountInfo>, StoreError> {
        let after = after.cloned();
        self.read(move |connection| read::accounts(connection, after.as_ref(), limit)).await
    }

    async fn delete_account(&self, account: &AccountId, epoch: u64) -> Result<Deletion, StoreError> {
        let account = account.clone();
        self.write(move |writer| writer.delete_account(&account, epoch)).await
    }

    async fn prune(&self, now: UnixTime, limit: usize) -> Result<u64, StoreError> {
        self.write(move |writer| writer.prune(now, limit)).await
    }

    async fn vacuum(&self) -> Result<(), StoreError> {
        // In steps, so that commits go on between them.
        loop {
            let left: i64 = self
                .alone(|writer| {
                    let steps = || -> rusqlite::Result<i64> {
                        let sql = format!("PRAGMA incremental_vacuum({VACUUMED_AT_ONCE})");
                        let mut vacuum = writer.connection.prepare(&sql)?;
                        let mut rows = vacuum.query([])?;
                        while rows.next()?.is_some() {}
                        writer.connection.pragma_query_value(None, "freelist_count", |row| row.get(0))
                    };
                    steps().map_err(store_error)
                })
                .await?;
            if left == 0 {
                break;
            }
        }
        self.alone(|writer| {
            // Busy readers leave a part to the next checkpoint: no error.
            let done = writer.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            done.map_err(store_error)
        })
        .await
    }

    async fn check(&self) -> Result<Vec<String>, StoreError> {
        self.read(read::check).await
    }

    async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let (file, to) = (self.file.clone(), to.to_owned());
        let (reply, answer) = oneshot::channel();
        run(self.threads, "wa-store-backup", move || drop(reply.send(backup(&file, &to))))?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.writes.close();
        self.reads.close();
        if let Some(pool) = &self.pool {
            if let Some(mut connection) = pool.reader.lock().take() {
                while let Some(jobs) = self.reads.take(1) {
                    jobs.into_iter().for_each(|job| job(&mut connection));
                }
            }
            if let Some(mut writer) = pool.writer.lock().take() {
                while let Some(jobs) = self.writes.take(GROUP) {
                    writer.work(jobs);
                }
            }
        }
        let ended = self.ended.lock().take();
        if let Some(ended) = ended {
            let _ = ended.await;
        }
        Ok(())
    }
}

/// A consistent copy beside live traffic: one snapshot, marked as a copy before it gets its name.
fn backup(file: &File, to: &Path) -> Result<(), StoreError> {
    let failed = |error| StoreError::CannotOpen { path: to.into(), source: cause(error) };
    if fs::exists(to).map_err(failed)? {
        return Err(failed(std::io::ErrorKind::AlreadyExists.into()));
    }
    let mut partial = to.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    match fs::remove_file(&partial) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let copied = (|| {
        let source = schema::open_reader(file)?;
        let copy = || -> rusqlite::Result<()> {
            source.pragma_update(None, "query_only", false)?;
            source.execute("VACUUM INTO ?1", [partial.to_string_lossy()])?;
            let target = Connection::open(&partial)?;
            target.execute_batch(&format!(
                "BEGIN; UPDATE accounts SET state = {restore}, holder = NULL WHERE id != 0 AND state != {deleting};
                 DELETE FROM holders; COMMIT;",
                restore = AccountState::NeedsRestore as u8,
                deleting = AccountState::Deleting as u8,
            ))
        };
        copy().map_err(store_error)?;
        let written = fs::File::open(&partial).and_then(|file| file.sync_all());
        written.and_then(|()| fs::rename(&partial, to)).map_err(|error| StoreError::Io(cause(error)))?;
        sync_folder(to);
        Ok(())
    })();
    if copied.is_err() {
        let _ = fs::remove_file(&partial);
    }
    copied
}

impl fmt::Debug for SqliteBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteBackend").field("path", &self.file.path).finish_non_exhaustive()
    }
}
