//! The one connection that writes: takes everything that waits, one transaction, one sync, then answers all.

use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::oneshot;

use super::fault::{Fault, concerns_one_job, store_error};
use super::holder::{self, HolderLock};
use super::read::account_row;
use crate::backend::{AccountId, Applied, Batch, Deletion, Op, upper_bound};
use crate::columns::{millis, signed, time};
use crate::lease::{AccountRow, AccountState, Acquired, Intent, Liveness};
use crate::sabotage::Promises;
use crate::{HolderId, StoreError, UnixTime};

/// Rows that one call of a deletion takes.
const DELETED_AT_ONCE: i64 = 5_000;

/// What the writing thread owns.
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    /// One per holder that beats here: almost always one.
    pub(super) locks: Vec<(HolderId, HolderLock)>,
    /// Holders whose heartbeat row the open transaction deletes: their files go once that is committed. Before, a file
    /// that is gone beside a row that is not would leave nobody able to prove the death.
    pub(super) gone: Vec<HolderId>,
    pub(super) promises: Promises,
    #[cfg(feature = "sabotage")]
    pub(super) points: Option<crate::sabotage::Points>,
}

/// Work for the writing thread.
pub(super) enum Job {
    /// Shares a transaction with others.
    Grouped(Box<dyn Grouped>),
    /// Runs between transactions.
    Alone(Box<dyn FnOnce(&mut Writer) + Send>),
}

/// A piece of a group: runs inside the transaction, is answered after its commit. It runs again when the transaction was
/// given up because of another piece.
pub(super) trait Grouped: Send {
    fn run(&mut self, writer: &mut Writer) -> Result<(), rusqlite::Error>;
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);
}

/// A [`Grouped`] made of a closure and the one who waits for it.
pub(super) struct Piece<F, T> {
    work: F,
    result: Result<T, StoreError>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Piece<F, T> {
    pub(super) const fn new(work: F, reply: oneshot::Sender<Result<T, StoreError>>) -> Self {
        Self { work, result: Err(StoreError::Closed), reply }
    }
}

impl<F, T> Grouped for Piece<F, T>
where
    F: FnMut(&mut Writer) -> Result<T, Fault> + Send,
    T: Send,
{
    fn run(&mut self, writer: &mut Writer) -> Result<(), rusqlite::Error> {
        match (self.work)(writer) {
            Ok(done) => self.result = Ok(done),
            Err(Fault::Refused(error)) => self.result = Err(error),
            Err(Fault::Sqlite(error)) => return Err(error),
        }
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        // Who waited may be gone: then the outcome is unknown to them, as after a crash.
        let _ = self.reply.send(match outcome {
            Ok(()) => self.result,
            // A refusal holds whatever became of the others.
            Err(error) => {
                Err(self.result.err().filter(|error| !matches!(error, StoreError::Closed)).unwrap_or(error))
            }
        });
    }
}

impl Writer {
    /// Does all jobs in order, neighbouring grouped ones in one transaction.
    pub(super) fn work(&mut self, jobs: Vec<Job>) {
        let mut group = Vec::new();
        for job in jobs {
            match job {
                Job::Grouped(piece) => group.push(piece),
                Job::Alone(work) => {
                    self.group(std::mem::take(&mut group));
                    work(self);
                }
            }
        }
        self.group(group);
    }

    fn group(&mut self, mut pieces: Vec<Box<dyn Grouped>>) {
        if pieces.is_empty() {
            return;
        }
        self.at(Point::Begin);
        let ran = self.run_all(&mut pieces);
        self.at(Point::Written);
        if pieces.len() > 1 && ran.as_ref().is_err_and(concerns_one_job) && self.roll_back() {
            // Seldom enough that no piece pays for a savepoint: each has its own transaction, and one of them fails.
            pieces.into_iter().for_each(|piece| self.group(vec![piece]));
            return;
        }
        if self.promises.answers_early() {
            for piece in std::mem::take(&mut pieces) {
                piece.answer(Ok(()));
            }
            self.at(Point::Answered);
        }
        let outcome = ran.and_then(|()| self.statement("COMMIT")).map_err(store_error);
        if outcome.is_err() {
            // One that fails leaves the transaction open and the next BEGIN fails: nothing is answered as done.
            self.roll_back();
        }
        let gone = std::mem::take(&mut self.gone);
        if outcome.is_ok() {
            gone.iter().for_each(|holder| self.forget_holder(holder));
        }
        self.at(Point::Committed);
        for piece in pieces {
            piece.answer(outcome.clone());
        }
        self.at(Point::Answered);
    }

    fn run_all(&mut self, pieces: &mut [Box<dyn Grouped>]) -> rusqlite::Result<()> {
        self.statement("BEGIN IMMEDIATE")?;
        pieces.iter_mut().try_for_each(|piece| piece.run(self))
    }

    /// Takes back what the open transaction did, if one is open; says whether none is any more.
    fn roll_back(&mut self) -> bool {
        self.gone.clear();
        self.connection.is_autocommit() || self.statement("ROLLBACK").is_ok()
    }

    fn statement(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }

    #[cfg_attr(
        not(feature = "sabotage"),
        expect(clippy::unused_self, reason = "a test build tells its hook")
    )]
    fn at(&self, point: Point) {
        #[cfg(feature = "sabotage")]
        if let Some(points) = &self.points {
            points.at(point);
        }
        #[cfg(not(feature = "sabotage"))]
        let _ = point;
    }

    fn account(&self, account: &AccountId) -> rusqlite::Result<Option<(i64, AccountRow)>> {
        self.connection
            .prepare_cached("SELECT id, holder, epoch, high, window, state FROM accounts WHERE name = ?1")?
            .query_row([account.as_str()], |row| Ok((row.get(0)?, account_row(row, 1)?)))
            .optional()
    }

    fn known_account(&self, account: &AccountId) -> Result<(i64, AccountRow), Fault> {
        self.account(account)?.ok_or_else(|| StoreError::UnknownAccount(account.clone()).into())
    }

    fn write_account(&self, id: i64, row: &AccountRow) -> rusqlite::Result<()> {
        let mut update = self.connection.prepare_cached(
            "UPDATE accounts SET holder = ?2, epoch = ?3, high = ?4, window = ?5, state = ?6 WHERE id = ?1",
        )?;
        let holder = row.holder.as_ref().map(HolderId::as_str);
        update
            .execute(params![
                id,
                holder,
                signed(row.epoch),
                signed(row.high),
                row.window.to_be_bytes(),
                row.state as u8
            ])
            .map(drop)
    }

    pub(super) fn commit(&self, batch: &Batch) -> Result<Applied, Fault> {
        let (id, mut row) = self.known_account(&batch.account)?;
        let applied = row.admit_with(batch, self.promises.fencing())?;
        if applied == Applied::Now {
            for op in batch.ops.iter() {
                self.apply(id, op)?;
            }
            if batch.fence.is_some() {
                let mut update = self
                    .connection
                    .prepare_cached("UPDATE accounts SET high = ?2, window = ?3 WHERE id = ?1")?;
                update.execute(params![id, signed(row.high), row.window.to_be_bytes()])?;
            }
        }
        Ok(applied)
    }

    fn apply(&self, account: i64, op: &Op) -> rusqlite::Result<()> {
        let statement = |sql| self.connection.prepare_cached(sql);
        let done = match op {
            Op::Put(key, row) => statement(
                "INSERT INTO rows (account, tab, key, value, expires) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (account, tab, key) DO UPDATE SET value = excluded.value, expires = excluded.expires",
            )?
            .execute(params![account, key.table.number(), &key.key[..], &row.value[..], millis(row.expires)]),
            Op::Delete(key) => statement("DELETE FROM rows WHERE account = ?1 AND tab = ?2 AND key = ?3")?
                .execute(params![account, key.table.number(), &key.key[..]]),
            Op::DeletePrefix { table, prefix } => match upper_bound(prefix) {
                Some(upper) => {
                    statement("DELETE FROM rows WHERE account = ?1 AND tab = ?2 AND key >= ?3 AND key < ?4")?
                        .execute(params![account, table.number(), &prefix[..], upper])
                }
                None => statement("DELETE FROM rows WHERE account = ?1 AND tab = ?2 AND key >= ?3")?
                    .execute(params![account, table.number(), &prefix[..]]),
            },
            Op::Swap { key, expected: None, row } => statement(
                "INSERT INTO rows (account, tab, key, value, expires) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (account, tab, key) DO NOTHING",
            )?
            .execute(params![account, key.table.number(), &key.key[..], &row.value[..], millis(row.expires)]),
            Op::Swap { key, expected: Some(expected), row } => statement(
                "UPDATE rows SET value = ?4, expires = ?5
                 WHERE account = ?1 AND tab = ?2 AND key = ?3 AND value = ?6",
            )?
            .execute(params![
                account,
                key.table.number(),
                &key.key[..],
                &row.value[..],
                millis(row.expires),
                &expected[..]
            ]),
        };
        done.map(drop)
    }

    pub(super) fn heartbeat(&mut self, holder: &HolderId, until: UnixTime) -> Result<(), Fault> {
        if !self.locks.iter().any(|(locked, _)| locked == holder)
            && let Some(lock) = HolderLock::take(&self.path, holder)
        {
            self.locks.push((holder.clone(), lock));
        }
        self.connection
            .prepare_cached(
                "INSERT INTO holders (name, expires) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET expires = excluded.expires",
            )?
            .execute(params![holder.as_str(), signed(until.as_millis())])?;
        Ok(())
    }

    pub(super) fn retire(&mut self, holder: &HolderId) -> Result<(), Fault> {
        self.connection.prepare_cached("DELETE FROM holders WHERE name = ?1")?.execute([holder.as_str()])?;
        self.gone.push(holder.clone());
        Ok(())
    }

    fn forget_holder(&mut self, holder: &HolderId) {
        match self.locks.iter().position(|(locked, _)| locked == holder) {
            Some(place) => self.locks.swap_remove(place).1.give_up(),
            None => holder::clear(&self.path, holder),
        }
    }

    fn liveness(&self, holder: &HolderId) -> Result<Liveness, StoreError> {
        let expires: Option<i64> = self
            .connection
            .prepare_cached("SELECT expires FROM holders WHERE name = ?1")
            .and_then(|mut select| select.query_row([holder.as_str()], |row| row.get(0)).optional())
            .map_err(store_error)?;
        let Some(expires) = expires else { return Ok(Liveness::Dead) };
        if holder::is_proven_dead(&self.path, holder) {
            return Ok(Liveness::Dead);
        }
        Ok(Liveness::Until(time(expires)))
    }

    pub(super) fn acquire(
        &mut self,
        account: &AccountId,
        holder: &HolderId,
        intent: Intent,
        now: UnixTime,
    ) -> Result<Acquired, Fault> {
        let (id, stored) = self.account(account)?.unzip();
        let before = stored.as_ref().and_then(|row| row.holder.clone());
        let floor = self.known_account(&AccountId::system())?.1.epoch;
        let (row, acquired) =
            AccountRow::acquire(stored, floor, account, holder, intent, now, |holder| self.liveness(holder))?;
        let id = match id {
            Some(id) => id,
            None => {
                let mut insert = self.connection.prepare_cached(
                    "INSERT INTO accounts (name, epoch, high, window, state) VALUES (?1, 0, 0, zeroblob(16), 0)",
                )?;
                insert.insert([account.as_str()])?
            }
        };
        self.write_account(id, &row)?;
        if let Some(before) =
            before.filter(|before| before != holder && holder::is_proven_dead(&self.path, before))
        {
            // The last account that a dead holder kept takes its heartbeat and its file away.
            let mut select =
                self.connection.prepare_cached("SELECT count(*) FROM accounts WHERE holder = ?1 LIMIT 1")?;
            if select.query_row([before.as_str()], |row| row.get::<_, i64>(0))? == 0 {
                self.connection
                    .prepare_cached("DELETE FROM holders WHERE name = ?1")?
                    .execute([before.as_str()])?;
                self.gone.push(before);
            }
        }
        Ok(acquired)
    }

    pub(super) fn release(&self, account: &AccountId, epoch: u64) -> Result<(), Fault> {
        if let Some((id, mut row)) = self.account(account)?
            && row.release(epoch)
        {
            self.write_account(id, &row)?;
        }
        Ok(())
    }

    pub(super) fn set_state(
        &self,
        account: &AccountId,
        epoch: u64,
        state: AccountState,
    ) -> Result<(), Fault> {
        let (id, mut row) = self.known_account(account)?;
        row.expect_epoch(account, epoch)?;
        row.state = state;
        Ok(self.write_account(id, &row)?)
    }

    pub(super) fn delete_account(&self, account: &AccountId, epoch: u64) -> Result<Deletion, Fault> {
        let (id, row) = self.known_account(account)?;
        row.expect_epoch(account, epoch)?;
        let mut delete = self.connection.prepare_cached(
            "DELETE FROM rows WHERE rowid IN (SELECT rowid FROM rows WHERE account = ?1 LIMIT ?2)",
        )?;
        let deleted = delete.execute(params![id, DELETED_AT_ONCE])?;
        if i64::try_from(deleted).is_ok_and(|deleted| deleted >= DELETED_AT_ONCE) {
            return Ok(Deletion::More);
        }
        self.connection.prepare_cached("DELETE FROM accounts WHERE id = ?1")?.execute([id])?;
        let (system, mut floor) = self.known_account(&AccountId::system())?;
        floor.deleted(epoch);
        self.write_account(system, &floor)?;
        Ok(Deletion::Done)
    }

    pub(super) fn prune(&self, now: UnixTime, limit: usize) -> Result<u64, Fault> {
        let mut delete = self.connection.prepare_cached(
            "DELETE FROM rows WHERE rowid IN (SELECT rowid FROM rows WHERE expires <= ?1 LIMIT ?2)",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        Ok(delete.execute(params![signed(now.as_millis()), limit])? as u64)
    }
}

/// Where a group commit stands: the named points at which the crash tests kill the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Point {
    /// Nothing was written yet.
    Begin,
    /// All is written, nothing is committed.
    Written,
    /// Committed (or failed), nobody knows yet.
    Committed,
    /// Everybody was answered.
    Answered,
}
