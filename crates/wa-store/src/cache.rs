//! Rows that were read or written lately, of all opened accounts of a store, under one limit of bytes. Only this process
//! writes an opened account, so what a commit has written is what a read would find; what became of a commit is not
//! always known, and then an account goes without until one has succeeded again.

use std::sync::atomic::{AtomicU64, Ordering};

use hashlink::LruCache;
use parking_lot::Mutex;

use crate::Table;
use crate::backend::{Applied, Op, Row, RowKey, Urgency};
use crate::sabotage::Promises;

/// What a row costs beside its key and value, roughly.
const OVERHEAD: usize = 160;

/// Small rows that are read again and again. Not what is read once (the inbox, pre-keys), nor the application's own rows.
const fn is_kept(table: Table) -> bool {
    matches!(
        table,
        Table::Devices
            | Table::Sessions
            | Table::Identities
            | Table::SenderKeys
            | Table::OwnSenderKeys
            | Table::DistributionMarks
            | Table::Lids
            | Table::Pns
            | Table::DeviceLists
            | Table::PrivacyTokens
            | Table::Outbox
            | Table::Contacts
            | Table::ChatNames
            | Table::Groups
            | Table::SendStatus
            | Table::Collections
            | Table::NumberState
            | Table::Settings
            | Table::MessageSecrets
    )
}

/// Small state has all sizes; what is large is not kept.
const SMALL: usize = 1024;

fn is_large(key: &RowKey, row: Option<&Row>) -> bool {
    matches!(key.table, Table::NumberState | Table::Settings)
        && row.is_some_and(|row| row.value.len() > SMALL)
}

/// The rows of all accounts; the least lately used go first.
pub(crate) struct Cache {
    limit: usize,
    next: AtomicU64,
    rows: Mutex<Rows>,
    promises: Promises,
}

struct Rows {
    /// By opening and place. `None`: there is no such row.
    order: LruCache<(u64, RowKey), Option<Row>>,
    bytes: usize,
}

/// One opening of an account as the cache knows it.
pub(crate) struct Opening {
    number: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Commits that have not returned.
    in_flight: u32,
    /// Rises with each beginning of a commit.
    begun: u64,
    /// Rises with each beginning and each end.
    version: u64,
    /// The commit with this number, or one before, has an unknown outcome: nothing is kept until a later one succeeds.
    doubtful: Option<u64>,
}

/// What a read found, and whether what it has yet to find may be kept.
pub(crate) struct Look {
    /// In the order of the keys; `None` for what is not kept.
    pub(crate) rows: Vec<Option<Option<Row>>>,
    version: Option<u64>,
}

/// A commit on its way. One that is dropped has an unknown outcome.
pub(crate) struct Writing<'a> {
    cache: &'a Cache,
    opening: &'a Opening,
    number: u64,
    urgency: Urgency,
    beside_another: bool,
    is_over: bool,
}

impl Cache {
    /// Keeps about `limit` bytes; 0 keeps nothing.
    pub(crate) fn new(limit: usize, promises: Promises) -> Self {
        let rows = Rows { order: LruCache::new_unbounded(), bytes: 0 };
        Self { limit, next: AtomicU64::new(0), rows: Mutex::new(rows), promises }
    }

    /// A new opening, of which nothing is known.
    pub(crate) fn opening(&self) -> Opening {
        let step = u64::from(self.promises.cache_ends_with_the_opening());
        Opening { number: self.next.fetch_add(step, Ordering::Relaxed), state: Mutex::default() }
    }

    pub(crate) const fn keeps(&self, table: Table) -> bool {
        self.limit > 0 && is_kept(table)
    }

    /// Whether a commit changes rows that may be kept.
    pub(crate) fn concerns(&self, ops: &[Op]) -> bool {
        ops.iter().any(|op| self.keeps(op.table()))
    }

    /// What is known of these rows.
    pub(crate) fn look(&self, opening: &Opening, keys: &[RowKey]) -> Look {
        let state = opening.state.lock();
        if state.doubtful.is_some() {
            return Look { rows: vec![None; keys.len()], version: None };
        }
        // While a commit is on its way, what is read beside it may be of either side.
        let version = (state.in_flight == 0).then_some(state.version);
        let mut rows = self.rows.lock();
        let found = keys.iter().map(|key| rows.order.get(&(opening.number, key.clone())).cloned());
        Look { rows: found.collect(), version }
    }

    /// Keeps what was read, unless a commit has begun or ended since the look. Says whether both are one view.
    pub(crate) fn fill(&self, opening: &Opening, look: &Look, keys: &[RowKey], read: &[Option<Row>]) -> bool {
        let state = opening.state.lock();
        if look.version != Some(state.version) && self.promises.cache_refuses_late_reads() {
            return false;
        }
        let mut rows = self.rows.lock();
        for (key, row) in keys.iter().zip(read) {
            rows.put(opening.number, key, row.clone());
        }
        rows.shrink(self.limit);
        true
    }

    /// A commit begins. Bulk may be overtaken by what is begun later.
    pub(crate) fn write<'a>(&'a self, opening: &'a Opening, urgency: Urgency) -> Writing<'a> {
        let mut state = opening.state.lock();
        let beside_another = state.in_flight > 0;
        state.in_flight += 1;
        state.begun += 1;
        state.version += 1;
        Writing { cache: self, opening, number: state.begun, urgency, beside_another, is_over: false }
    }
}

impl Writing<'_> {
    /// It has returned: what it wrote now is what there is. What it wrote before, as the repetition of one that had arrived,
    /// others may have replaced since; and of two that were on their way at the same time nobody knows which came last.
    pub(crate) fn succeeded(mut self, ops: &[Op], applied: Applied) {
        self.is_over = true;
        let mut state = self.opening.state.lock();
        state.in_flight -= 1;
        state.version += 1;
        if state.doubtful.is_some_and(|doubtful| self.number > doubtful) {
            state.doubtful = None;
        }
        if !self.cache.promises.cache_follows_commits() {
            return;
        }
        let is_last = applied == Applied::Now
            && !self.beside_another
            && state.begun == self.number
            && state.doubtful.is_none();
        let mut rows = self.cache.rows.lock();
        for op in ops {
            match op {
                Op::Put(key, row) if self.cache.keeps(key.table) => {
                    rows.written(self.opening.number, key, is_last.then(|| Some(row.clone())));
                }
                Op::Delete(key) if self.cache.keeps(key.table) => {
                    rows.written(self.opening.number, key, is_last.then_some(None));
                }
                Op::Swap { key, .. } => rows.written(self.opening.number, key, None),
                Op::DeletePrefix { table, prefix } if self.cache.keeps(*table) => {
                    let number = self.opening.number;
                    rows.remove(|at| at.0 == number && at.1.table == *table && at.1.key.starts_with(prefix));
                }
                Op::Put(..) | Op::Delete(_) | Op::DeletePrefix { .. } => {}
            }
        }
        rows.shrink(self.cache.limit);
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let mut state = self.opening.state.lock();
        state.in_flight -= 1;
        state.version += 1;
        if !self.cache.promises.cache_gives_up_in_doubt() {
            return;
        }
        // What was begun meanwhile proves nothing about what comes after this one.
        state.doubtful = Some(match self.urgency {
            Urgency::Live => state.begun.max(state.doubtful.unwrap_or(0)),
            Urgency::Bulk => u64::MAX,
        });
        let number = self.opening.number;
        self.cache.rows.lock().remove(|at| at.0 == number);
    }
}

impl Rows {
    fn put(&mut self, opening: u64, key: &RowKey, row: Option<Row>) {
        if is_large(key, row.as_ref()) {
            return self.forget(opening, key);
        }
        self.bytes += cost(key, row.as_ref());
        if let Some(before) = self.order.insert((opening, key.clone()), row) {
            self.bytes -= cost(key, before.as_ref());
        }
    }

    /// A commit wrote the row; `None` where its value is not known.
    fn written(&mut self, opening: u64, key: &RowKey, row: Option<Option<Row>>) {
        match row {
            Some(row) => self.put(opening, key, row),
            None => self.forget(opening, key),
        }
    }

    fn forget(&mut self, opening: u64, key: &RowKey) {
        if let Some(before) = self.order.remove(&(opening, key.clone())) {
            self.bytes -= cost(key, before.as_ref());
        }
    }

    fn remove(&mut self, which: impl Fn(&(u64, RowKey)) -> bool) {
        let mut freed = 0;
        self.order.retain(|at, row| {
            let goes = which(at);
            if goes {
                freed += cost(&at.1, row.as_ref());
            }
            !goes
        });
        self.bytes -= freed;
    }

    fn shrink(&mut self, limit: usize) {
        while self.bytes > limit
            && let Some(((_, key), row)) = self.order.remove_lru()
        {
            self.bytes -= cost(&key, row.as_ref());
        }
    }
}

fn cost(key: &RowKey, row: Option<&Row>) -> usize {
    OVERHEAD + key.key.len() + row.map_or(0, |row| row.value.len())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn key(number: u8) -> RowKey {
        RowKey { table: Table::Sessions, key: Bytes::from(vec![number]) }
    }

    fn row(number: u8) -> Row {
        Row { value: Bytes::from(vec![number; 100]), expires: None }
    }

    fn write<'a>(cache: &'a Cache, opening: &'a Opening) -> Writing<'a> {
        cache.write(opening, Urgency::Live)
    }

    fn known(cache: &Cache, opening: &Opening, number: u8) -> Option<Option<Row>> {
        cache.look(opening, &[key(number)]).rows.remove(0)
    }

    #[test]
    fn what_was_written_is_known_and_what_was_read_before_is_not_put_over_it() {
        let (cache, mut openings) = (Cache::new(1 << 20, Promises::default()), Vec::new());
        openings.extend([cache.opening(), cache.opening()]);
        let [opening, other] = &openings[..] else { panic!() };
        let look = cache.look(opening, &[key(1)]);
        write(&cache, opening).succeeded(&[Op::Put(key(1), row(2))], Applied::Now);
        assert!(!cache.fill(opening, &look, &[key(1)], &[Some(row(1))]), "read before the commit");
        assert_eq!(known(&cache, opening, 1), Some(Some(row(2))));
        assert_eq!(known(&cache, other, 1), None, "another account");
        write(&cache, opening).succeeded(&[Op::Delete(key(1))], Applied::Now);
        assert_eq!(known(&cache, opening, 1), Some(None), "known to be absent");
        write(&cache, opening).succeeded(&[Op::Put(key(1), row(3)), Op::Put(key(2), row(3))], Applied::Now);
        let clear = Op::DeletePrefix { table: Table::Sessions, prefix: Bytes::from_static(&[1]) };
        write(&cache, opening).succeeded(&[clear], Applied::Now);
        assert_eq!((known(&cache, opening, 1), known(&cache, opening, 2)), (None, Some(Some(row(3)))));
    }

    #[test]
    fn of_two_commits_at_the_same_time_neither_counts() {
        let cache = Cache::new(1 << 20, Promises::default());
        let opening = cache.opening();
        let (first, second) = (write(&cache, &opening), write(&cache, &opening));
        let look = cache.look(&opening, &[key(1)]);
        second.succeeded(&[Op::Put(key(1), row(2))], Applied::Now);
        assert!(!cache.fill(&opening, &look, &[key(1)], &[None]));
        first.succeeded(&[Op::Put(key(1), row(1))], Applied::Now);
        assert_eq!(known(&cache, &opening, 1), None);
    }

    #[test]
    fn after_a_commit_of_unknown_outcome_nothing_is_known_until_a_later_one_succeeded() {
        let cache = Cache::new(1 << 20, Promises::default());
        let opening = cache.opening();
        write(&cache, &opening).succeeded(&[Op::Put(key(1), row(1))], Applied::Now);
        let beside = write(&cache, &opening);
        drop(write(&cache, &opening));
        assert_eq!(known(&cache, &opening, 1), None);
        beside.succeeded(&[Op::Put(key(1), row(2))], Applied::Now);
        let look = cache.look(&opening, &[key(1)]);
        assert!(!cache.fill(&opening, &look, &[key(1)], &[Some(row(2))]), "begun before the doubt");
        write(&cache, &opening).succeeded(&[Op::Put(key(2), row(3))], Applied::Now);
        assert_eq!(known(&cache, &opening, 2), Some(Some(row(3))));
        drop(cache.write(&opening, Urgency::Bulk));
        write(&cache, &opening).succeeded(&[Op::Put(key(2), row(3))], Applied::Now);
        assert_eq!(known(&cache, &opening, 2), None, "bulk that was given up may still come");
    }

    #[test]
    fn small_state_is_kept_and_large_state_is_not() {
        let cache = Cache::new(1 << 20, Promises::default());
        let opening = cache.opening();
        let at = RowKey { table: Table::NumberState, key: Bytes::from_static(b"x") };
        let sized = |bytes| Row { value: Bytes::from(vec![1; bytes]), expires: None };
        write(&cache, &opening).succeeded(&[Op::Put(at.clone(), sized(SMALL))], Applied::Now);
        let known = || cache.look(&opening, std::slice::from_ref(&at)).rows.remove(0);
        assert_eq!(known(), Some(Some(sized(SMALL))));
        write(&cache, &opening).succeeded(&[Op::Put(at.clone(), sized(SMALL + 1))], Applied::Now);
        assert_eq!(known(), None, "what was there before is not what there is now");
        let look = cache.look(&opening, std::slice::from_ref(&at));
        assert!(cache.fill(&opening, &look, std::slice::from_ref(&at), &[Some(sized(SMALL + 1))]));
        assert_eq!(known(), None);
        assert_eq!(cache.rows.lock().bytes, 0);
    }

    #[test]
    fn what_is_not_kept_is_none_of_its_concern() {
        let cache = Cache::new(1 << 20, Promises::default());
        let inbox = RowKey { table: Table::Inbox, key: Bytes::from_static(b"1") };
        assert!(!cache.concerns(&[Op::Put(inbox.clone(), row(1)), Op::Delete(inbox.clone())]));
        assert!(cache.concerns(&[Op::Delete(inbox), Op::Put(key(1), row(1))]));
        let clear = |table| Op::DeletePrefix { table, prefix: Bytes::new() };
        assert!(cache.concerns(&[clear(Table::Sessions)]) && !cache.concerns(&[clear(Table::PreKeys)]));
    }

    #[test]
    fn the_limit_holds_over_all_accounts() {
        let cache = Cache::new(10 * (OVERHEAD + 101), Promises::default());
        let openings: Vec<Opening> = (0..5).map(|_| cache.opening()).collect();
        for number in 0..100 {
            for opening in &openings {
                write(&cache, opening).succeeded(&[Op::Put(key(number), row(number))], Applied::Now);
            }
        }
        let rows = cache.rows.lock();
        assert_eq!((rows.order.len(), rows.bytes), (10, 10 * (OVERHEAD + 101)));
        drop(rows);
        assert!(known(&cache, &openings[0], 99).is_some() && known(&cache, &openings[0], 97).is_none());
        let none = Cache::new(0, Promises::default());
        let opening = none.opening();
        write(&none, &opening).succeeded(&[Op::Put(key(1), row(1))], Applied::Now);
        assert_eq!(known(&none, &opening, 1), None);
    }
}
