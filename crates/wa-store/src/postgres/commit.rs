//! Group commit: what waits together goes in one transaction and two round trips, however many accounts it is. One
//! `unnest` statement writes all rows that are put, one deletes. Each batch is admitted alone; if the group fails for what
//! may be the fault of one batch, each goes alone.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};
use tokio_postgres::{Error, Statement};

use super::fault::{pool_error, store_error};
use super::lease;
use super::schema::Sql;
use super::within;
use crate::backend::{Applied, Batch, Op, Row, Urgency, upper_bound};
use crate::columns::{millis, signed};
use crate::lease::{AccountRow, Fencing};
use crate::sabotage::Promises;
use crate::{Bytes, StoreError};

/// Most batches of one transaction.
const GROUP: usize = 512;
/// A group takes no further batch once it has so many bytes.
const GROUP_BYTES: usize = 8 * 1024 * 1024;

type Outcome = Result<Applied, StoreError>;
type Answer = oneshot::Sender<Outcome>;
type Running<'f, T> = Pin<Box<dyn Future<Output = T> + Send + 'f>>;

/// The task that commits, and what waits for it.
pub(super) struct Committer {
    queue: Arc<Queue>,
    ended: Mutex<Option<oneshot::Receiver<()>>>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    woken: Notify,
}

#[derive(Default)]
struct Waiting {
    live: VecDeque<(Batch, Answer)>,
    bulk: VecDeque<(Batch, Answer)>,
    closed: bool,
}

/// Batches of one transaction with those who wait for them.
#[derive(Default)]
struct Group {
    batches: Vec<Batch>,
    answers: Vec<Option<Answer>>,
}

impl Waiting {
    /// The next group: all live ones that fit, and at most one slice of bulk work.
    fn group(&mut self) -> Group {
        let (mut group, mut size) = (Group::default(), 0);
        while let Some((batch, answer)) = self.live.pop_front().or_else(|| self.bulk.pop_front()) {
            size += batch.size();
            let bulk = batch.urgency == Urgency::Bulk;
            group.batches.push(batch);
            group.answers.push(Some(answer));
            if bulk || size >= GROUP_BYTES || group.batches.len() >= GROUP {
                break;
            }
        }
        group
    }
}

impl Group {
    fn answer(&mut self, outcomes: Vec<Outcome>) {
        for (answer, outcome) in self.answers.iter_mut().zip(outcomes) {
            if let Some(answer) = answer.take() {
                // Who waited may be gone: then the outcome is unknown to them, as after a crash.
                let _ = answer.send(outcome);
            }
        }
    }
}

impl Committer {
    pub(super) fn start(pool: Pool, sql: Arc<Sql>, patience: Duration, promises: Promises) -> Self {
        let queue = Arc::new(Queue::default());
        let (alive, ended) = oneshot::channel();
        let mut worker = Worker { pool, sql, patience, session: None, promises };
        // Made here: should the runtime never run the task, those who wait hear of it all the same.
        let end = End(Arc::clone(&queue), Some(alive));
        tokio::spawn(async move { worker.work(&end.0).await });
        Self { queue, ended: Mutex::new(Some(ended)) }
    }

    pub(super) async fn commit(&self, batches: Vec<Batch>) -> Vec<Outcome> {
        let mut answers = Vec::with_capacity(batches.len());
        {
            let mut waiting = self.queue.waiting.lock();
            for batch in batches {
                let (reply, answer) = oneshot::channel();
                answers.push(answer);
                match batch.urgency {
                    _ if waiting.closed => {}
                    Urgency::Live => waiting.live.push_back((batch, reply)),
                    Urgency::Bulk => waiting.bulk.push_back((batch, reply)),
                }
            }
        }
        self.queue.woken.notify_one();
        let mut outcomes = Vec::with_capacity(answers.len());
        for answer in answers {
            outcomes.push(answer.await.unwrap_or(Err(StoreError::Closed)));
        }
        outcomes
    }

    /// Ends the task after what waits.
    pub(super) async fn close(&self) {
        self.queue.close();
        let ended = self.ended.lock().take();
        if let Some(ended) = ended {
            let _ = ended.await;
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Queue {
    fn close(&self) {
        self.waiting.lock().closed = true;
        self.woken.notify_one();
    }
}

/// Lives as long as the task: should it panic or its runtime end, everybody who waits hears of it.
struct End(Arc<Queue>, Option<oneshot::Sender<()>>);

impl Drop for End {
    fn drop(&mut self) {
        let abandoned = {
            let mut waiting = self.0.waiting.lock();
            waiting.closed = true;
            (std::mem::take(&mut waiting.live), std::mem::take(&mut waiting.bulk))
        };
        drop((abandoned, self.1.take()));
    }
}

/// The connection that commits, with its statements. It is kept: commits never stand in line behind reads.
struct Session {
    client: Object,
    lock: Statement,
    upsert: Statement,
    delete: Statement,
    delete_prefix: Statement,
    swap_absent: Statement,
    swap: Statement,
    applied: Statement,
}

impl Session {
    async fn open(pool: &Pool, sql: &Sql) -> Result<Self, StoreError> {
        let client = pool.get().await.map_err(pool_error)?;
        let texts = [
            &sql.lock_accounts,
            &sql.upsert,
            &sql.delete,
            &sql.delete_prefix,
            &sql.swap_absent,
            &sql.swap,
            &sql.applied,
        ];
        let mut prepared = Vec::with_capacity(texts.len());
        for text in texts {
            prepared.push(client.prepare_cached(text).await.map_err(store_error)?);
        }
        let Ok([lock, upsert, delete, delete_prefix, swap_absent, swap, applied]) =
            <[Statement; 7]>::try_from(prepared)
        else {
            return Err(StoreError::Closed);
        };
        Ok(Self { client, lock, upsert, delete, delete_prefix, swap_absent, swap, applied })
    }

    /// After a failure: ready for the next transaction, or `None` if the connection has to go.
    async fn recovered(self, from: &StoreError, patience: Duration) -> Option<Self> {
        let is_silent = matches!(from, StoreError::NoAnswer { .. });
        let rollback = async || self.client.batch_execute("ROLLBACK").await.map_err(store_error);
        if is_silent || within(patience, rollback()).await.is_err() {
            drop(Object::take(self.client));
            return None;
        }
        Some(self)
    }
}

struct Worker {
    pool: Pool,
    sql: Arc<Sql>,
    patience: Duration,
    session: Option<Session>,
    promises: Promises,
}

impl Worker {
    async fn work(&mut self, queue: &Queue) {
        loop {
            let (mut group, closed) = {
                let mut waiting = queue.waiting.lock();
                (waiting.group(), waiting.closed)
            };
            if !group.batches.is_empty() {
                let outcomes = self.commit(&mut group).await;
                group.answer(outcomes);
            } else if closed {
                return;
            } else {
                queue.woken.notified().await;
            }
        }
    }

    async fn commit(&mut self, group: &mut Group) -> Vec<Outcome> {
        let Group { batches, answers } = group;
        match self.together(batches, answers).await {
            Ok(outcomes) => outcomes,
            // Nothing was written; whose fault it was shows when each goes alone.
            Err(StoreError::Database(_) | StoreError::CorruptFile(_) | StoreError::Locked(_))
                if batches.len() > 1 =>
            {
                let mut outcomes: Vec<Outcome> = Vec::with_capacity(batches.len());
                for (batch, answer) in batches.iter().zip(answers) {
                    // Who waits behind one that had no answer would wait as long again, and again.
                    if let Some(Err(silent @ StoreError::NoAnswer { .. })) = outcomes.last() {
                        outcomes.push(Err(silent.clone()));
                        continue;
                    }
                    let alone = std::slice::from_ref(batch);
                    let outcome = self.together(alone, std::slice::from_mut(answer)).await;
                    outcomes.push(outcome.and_then(|mut one| one.pop().unwrap_or(Err(StoreError::Closed))));
                }
                outcomes
            }
            Err(error) => batches.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    /// All of them in one transaction. An error is that of the transaction; then nothing was written, or, if the
    /// connection is lost or silent, the outcome is unknown.
    async fn together(
        &mut self,
        batches: &[Batch],
        answers: &mut [Option<Answer>],
    ) -> Result<Vec<Outcome>, StoreError> {
        let mut session = self.session.take().filter(|session| !session.client.is_closed());
        let done = within(self.patience, async {
            let session = match &mut session {
                Some(session) => session,
                none => none.insert(Session::open(&self.pool, &self.sql).await?),
            };
            self.transaction(session, batches, answers).await
        });
        let done = done.await;
        self.session = match (&done, session) {
            (Err(error), Some(session)) => session.recovered(error, self.patience).await,
            (_, session) => session,
        };
        done
    }

    async fn transaction(
        &self,
        session: &Session,
        batches: &[Batch],
        answers: &mut [Option<Answer>],
    ) -> Result<Vec<Outcome>, StoreError> {
        let client = &session.client;
        let names: Vec<&str> = batches.iter().map(|batch| batch.account.as_str()).collect();
        let begun = async { client.batch_execute(&self.sql.begin).await.map(|()| Vec::new()) };
        let locked = async { client.query(&session.lock, &[&names]).await };
        let mut found = pipelined(vec![Box::pin(begun), Box::pin(locked)]).await;
        let rows = found.pop().transpose().map_err(store_error)?.unwrap_or_default();
        found.pop().transpose().map_err(store_error)?;
        let mut accounts = HashMap::with_capacity(rows.len());
        for row in &rows {
            accounts.insert(lease::name(row)?, lease::account_row(row));
        }
        let mut writes = Writes::default();
        let mut applied = BTreeMap::new();
        let mut outcomes = Vec::with_capacity(batches.len());
        for batch in batches {
            let admitted = admit(accounts.get_mut(batch.account.as_str()), batch, self.promises.fencing());
            if let Ok((id, Applied::Now, row)) = &admitted {
                batch.ops.iter().for_each(|op| writes.take(*id, op));
                if batch.fence.is_some() {
                    applied.insert(*id, (signed(row.high), row.window.to_be_bytes()));
                }
            }
            outcomes.push(admitted.map(|(_, applied, _)| applied));
        }
        if self.promises.answers_early() {
            for (answer, outcome) in answers.iter_mut().zip(&outcomes) {
                answer.take().map(|answer| answer.send(outcome.clone()));
            }
        }
        writes.flush();
        let windows = Windows::of(&applied);
        let mut steps: Vec<Running<'_, Result<(), Error>>> =
            writes.steps.iter().map(|step| step.run(session)).collect();
        steps.push(windows.run(session));
        // Should a write fail, the server makes a rollback of it.
        steps.push(Box::pin(client.batch_execute("COMMIT")));
        let results = pipelined(steps).await;
        results.into_iter().collect::<Result<(), Error>>().map_err(store_error)?;
        Ok(outcomes)
    }
}

/// Runs the futures side by side, each begun in its place: a request to the server is on its way when its future was
/// polled once, so the server gets them in this order without a wait between.
async fn pipelined<T>(mut futures: Vec<Running<'_, T>>) -> Vec<T> {
    let mut results: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, result) in futures.iter_mut().zip(&mut results) {
            if result.is_none()
                && let Poll::Ready(ready) = future.as_mut().poll(context)
            {
                *result = Some(ready);
            }
        }
        if results.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    results.into_iter().flatten().collect()
}

type Known = Result<(i64, AccountRow), StoreError>;

fn admit<'r>(
    known: Option<&'r mut Known>,
    batch: &Batch,
    fencing: Fencing,
) -> Result<(i64, Applied, &'r AccountRow), StoreError> {
    let known = known.ok_or_else(|| StoreError::UnknownAccount(batch.account.clone()))?;
    let (id, row) = known.as_mut().map_err(|damaged| damaged.clone())?;
    let applied = row.admit_with(batch, fencing)?;
    Ok((*id, applied, row))
}

/// The operations of all batches, folded into few statements.
#[derive(Default)]
struct Writes<'b> {
    /// Puts and deletes by their place since the last step: the last one of each place counts.
    folded: BTreeMap<(i64, i16, &'b [u8]), Option<&'b Row>>,
    steps: Vec<Step<'b>>,
}

/// One statement.
enum Step<'b> {
    Upsert { places: Places<'b>, values: Vec<&'b [u8]>, expires: Vec<Option<i64>> },
    Delete { places: Places<'b> },
    DeletePrefix { account: i64, table: i16, prefix: &'b [u8], end: Option<Vec<u8>> },
    Swap { account: i64, table: i16, key: &'b [u8], expected: Option<&'b Bytes>, row: &'b Row },
}

#[derive(Default)]
struct Places<'b> {
    accounts: Vec<i64>,
    tables: Vec<i16>,
    keys: Vec<&'b [u8]>,
}

impl<'b> Places<'b> {
    fn push(&mut self, (account, table, key): (i64, i16, &'b [u8])) {
        self.accounts.push(account);
        self.tables.push(table);
        self.keys.push(key);
    }
}

impl<'b> Writes<'b> {
    fn take(&mut self, account: i64, op: &'b Op) {
        match op {
            Op::Put(key, row) => {
                self.folded.insert((account, key.table.number().into(), &key.key), Some(row));
            }
            Op::Delete(key) => {
                self.folded.insert((account, key.table.number().into(), &key.key), None);
            }
            Op::DeletePrefix { table, prefix } => {
                self.flush();
                let (table, end) = (table.number().into(), upper_bound(prefix));
                self.steps.push(Step::DeletePrefix { account, table, prefix, end });
            }
            Op::Swap { key, expected, row } => {
                self.flush();
                let (table, expected) = (key.table.number().into(), expected.as_ref());
                self.steps.push(Step::Swap { account, table, key: &key.key, expected, row });
            }
        }
    }

    /// Makes statements of what is folded.
    fn flush(&mut self) {
        let (mut put, mut gone) = (Places::default(), Places::default());
        let (mut values, mut expires) = (Vec::new(), Vec::new());
        for (place, row) in std::mem::take(&mut self.folded) {
            match row {
                Some(row) => {
                    put.push(place);
                    values.push(&row.value[..]);
                    expires.push(millis(row.expires));
                }
                None => gone.push(place),
            }
        }
        if !gone.keys.is_empty() {
            self.steps.push(Step::Delete { places: gone });
        }
        if !put.keys.is_empty() {
            self.steps.push(Step::Upsert { places: put, values, expires });
        }
    }
}

impl Step<'_> {
    fn run<'s>(&'s self, session: &'s Session) -> Running<'s, Result<(), Error>> {
        let client = &session.client;
        Box::pin(async move {
            let done = match self {
                Self::Upsert { places: Places { accounts, tables, keys }, values, expires } => {
                    client.execute(&session.upsert, &[accounts, tables, keys, values, expires]).await
                }
                Self::Delete { places: Places { accounts, tables, keys } } => {
                    client.execute(&session.delete, &[accounts, tables, keys]).await
                }
                Self::DeletePrefix { account, table, prefix, end } => {
                    client.execute(&session.delete_prefix, &[account, table, prefix, end]).await
                }
                Self::Swap { account, table, key, expected, row } => {
                    let (value, expires) = (&row.value[..], millis(row.expires));
                    match expected.map(|expected| &expected[..]) {
                        None => {
                            let values: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
                                [account, table, key, &value, &expires];
                            client.execute(&session.swap_absent, &values).await
                        }
                        Some(expected) => {
                            let values: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
                                [account, table, key, &value, &expires, &expected];
                            client.execute(&session.swap, &values).await
                        }
                    }
                }
            };
            done.map(drop)
        })
    }
}

/// Which commits of which accounts are applied now.
struct Windows<'b> {
    ids: Vec<i64>,
    highs: Vec<i64>,
    windows: Vec<&'b [u8]>,
}

impl<'b> Windows<'b> {
    fn of(applied: &'b BTreeMap<i64, (i64, [u8; 16])>) -> Self {
        Self {
            ids: applied.keys().copied().collect(),
            highs: applied.values().map(|(high, _)| *high).collect(),
            windows: applied.values().map(|(_, window)| &window[..]).collect(),
        }
    }

    fn run<'s>(&'s self, session: &'s Session) -> Running<'s, Result<(), Error>> {
        Box::pin(async move {
            if self.ids.is_empty() {
                return Ok(());
            }
            let values: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
                [&self.ids, &self.highs, &self.windows];
            session.client.execute(&session.applied, &values).await.map(drop)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AccountId;

    #[test]
    fn an_import_goes_along_one_slice_at_a_time_behind_what_is_live() {
        let mut waiting = Waiting::default();
        let push = |waiting: &mut Waiting, account: &str, urgency| {
            let batch = Batch { account: AccountId::from(account), fence: None, ops: Arc::new([]), urgency };
            let queue = if urgency == Urgency::Live { &mut waiting.live } else { &mut waiting.bulk };
            queue.push_back((batch, oneshot::channel().0));
        };
        let names = |group: Group| -> Vec<String> {
            group.batches.iter().map(|batch| batch.account.as_str().to_owned()).collect()
        };
        for slice in ["slice 1", "slice 2"] {
            push(&mut waiting, slice, Urgency::Bulk);
        }
        for live in ["a", "b", "c"] {
            push(&mut waiting, live, Urgency::Live);
        }
        assert_eq!(names(waiting.group()), ["a", "b", "c", "slice 1"]);
        push(&mut waiting, "d", Urgency::Live);
        assert_eq!(names(waiting.group()), ["d", "slice 2"]);
        for _ in 0..GROUP + 1 {
            push(&mut waiting, "many", Urgency::Live);
        }
        assert_eq!((waiting.group().batches.len(), waiting.group().batches.len()), (GROUP, 1));
        assert!(waiting.group().batches.is_empty());
    }
}
