//! What the store has promised, as heard from outside, and whether a file keeps it: after a SIGKILL, after a power cut.

use std::collections::BTreeMap;
use std::sync::Arc;

use wa_store::backend::{Applied, Batch};
use wa_store::lease::Intent;
use wa_store::tables::{Identities, KeyValues, Sessions};
use wa_store::{AccountId, AccountStore, Backend, Clock, SqliteOptions, Store, StoreError};

use super::{LANES, LOG, Note, RAW, TYPED, address, body, number, raw_batch, raw_steps, step_of, typed_step};

/// A promise that a store has broken.
#[derive(Debug)]
pub enum Violation {
    /// The file does not open or cannot be read.
    Unreadable(StoreError),
    /// The integrity check finds something.
    Damaged(Vec<String>),
    /// A commit is there in part.
    Torn { account: String, lane: u8, found: String },
    /// A commit that was answered is missing.
    Lost { account: String, lane: u8, answered: u64, found: u64 },
    /// A commit is there that nobody made.
    Invented { account: String, lane: u8, answered: u64, found: u64 },
    /// Opening an account again did not raise its epoch.
    EpochStands { account: String, known: u64, found: u64 },
    /// A repeated commit was applied twice, or not at all.
    Repeated { expected: Applied, found: Applied },
    /// A commit of an epoch that is over was applied.
    StaleCommit,
    /// The process ended by itself.
    Died(String),
}

impl From<StoreError> for Violation {
    fn from(error: StoreError) -> Self {
        Self::Unreadable(error)
    }
}

/// What must survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// Every commit that was answered.
    EveryCommit,
    /// Whole commits, of which the last may be missing.
    WholeCommits,
}

/// What a check has seen, for the counts.
#[derive(Debug, Default, Clone, Copy)]
pub struct Seen {
    /// Commits in flight of which all is there.
    pub there: u64,
    /// Commits in flight of which nothing is there.
    pub absent: u64,
    /// Commits that were answered and are missing: only where that is allowed.
    pub lost: u64,
    /// Commits that were repeated.
    pub repeated: u64,
}

impl Seen {
    pub fn add(&mut self, other: Self) {
        self.there += other.there;
        self.absent += other.absent;
        self.lost += other.lost;
        self.repeated += other.repeated;
    }
}

/// Everything heard so far.
#[derive(Debug, Default)]
pub struct Ledger {
    done: BTreeMap<(String, u8), u64>,
    epochs: BTreeMap<String, u64>,
    /// The last commit of each raw lane: epoch, sequence, step.
    tried: BTreeMap<u8, (u64, u64, u64)>,
    highest: u64,
    /// Commits that were answered.
    pub answered: u64,
}

impl Ledger {
    /// Takes a note down.
    pub fn hear(&mut self, note: &Note) {
        match note {
            Note::Opened { account, epoch } => {
                self.epochs.insert(account.clone(), *epoch);
                if account == RAW {
                    (self.tried, self.highest) = (BTreeMap::new(), 0);
                }
            }
            Note::Tried { epoch, sequence, lane, step } => {
                self.tried.insert(*lane, (*epoch, *sequence, *step));
                self.highest = self.highest.max(*sequence);
            }
            Note::Done { account, lane, step } => {
                self.done.insert((account.clone(), *lane), *step);
                self.answered += 1;
            }
            Note::Upkeep | Note::At(_) | Note::Failed(_) => {}
        }
    }

    /// Opens the file as a new process would, and holds it to everything heard. Afterwards the ledger knows where the
    /// file stands, so that the next round goes on from there.
    pub async fn check(
        &mut self,
        options: SqliteOptions,
        clock: Arc<dyn Clock>,
        promise: Promise,
    ) -> Result<Seen, Violation> {
        let backend: Arc<dyn Backend> = Arc::new(options.open().await?);
        let outcome = self.check_backend(&backend, clock, promise).await;
        backend.close().await?;
        outcome
    }

    async fn check_backend(
        &mut self,
        backend: &Arc<dyn Backend>,
        clock: Arc<dyn Clock>,
        promise: Promise,
    ) -> Result<Seen, Violation> {
        let findings = backend.check().await?;
        if !findings.is_empty() {
            return Err(Violation::Damaged(findings));
        }
        let mut seen = Seen::default();
        for lane in 0..LANES {
            let rows = raw_steps(&**backend, lane).await?;
            if rows.iter().any(|row| *row != rows[0] || *row == u64::MAX) {
                return Err(Violation::Torn { account: RAW.to_owned(), lane, found: format!("{rows:?}") });
            }
            self.compare(RAW, lane, rows[0], promise, &mut seen)?;
        }
        if promise == Promise::EveryCommit {
            self.repeat_unknown(&**backend, &mut seen).await?;
        }
        let store = Store::builder(Arc::clone(backend)).clock(clock).open().await?;
        for name in TYPED {
            let account = store.account(name).open().await?;
            self.rises(name, account.epoch(), promise)?;
            let report = account.check().await?;
            if !report.damaged.is_empty() {
                return Err(Violation::Damaged(vec![format!("{:?}", report.damaged)]));
            }
            for lane in 0..LANES {
                let step = whole_step(&account, lane).await?;
                self.compare(name, lane, step, promise, &mut seen)?;
            }
        }
        self.refuses_stale(&store, promise).await?;
        store.close().await?;
        Ok(seen)
    }

    /// The file against what was answered: each lane makes one commit at a time.
    fn compare(
        &mut self,
        account: &str,
        lane: u8,
        found: u64,
        promise: Promise,
        seen: &mut Seen,
    ) -> Result<(), Violation> {
        let answered = self.done.entry((account.to_owned(), lane)).or_default();
        let (account, heard) = (account.to_owned(), *answered);
        if found > heard + 1 {
            return Err(Violation::Invented { account, lane, answered: heard, found });
        }
        if found < heard {
            if promise == Promise::EveryCommit {
                return Err(Violation::Lost { account, lane, answered: heard, found });
            }
            seen.lost += heard - found;
        } else {
            *(if found > heard { &mut seen.there } else { &mut seen.absent }) += 1;
        }
        *answered = found;
        Ok(())
    }

    /// Repeats, from another process, the commits whose answer nobody has heard: each is applied once.
    async fn repeat_unknown(&mut self, backend: &dyn Backend, seen: &mut Seen) -> Result<(), Violation> {
        let Some(&known) = self.epochs.get(RAW) else { return Ok(()) };
        let infos = backend.accounts(None, 64).await?;
        let stored = infos.iter().find(|info| info.account.as_str() == RAW).map_or(0, |info| info.epoch);
        if stored < known {
            return Err(Violation::EpochStands { account: RAW.to_owned(), known, found: stored });
        }
        for (lane, (epoch, sequence, step)) in self.tried.clone() {
            if epoch != stored {
                continue;
            }
            let lost_answer = raw_batch(epoch, sequence, lane, step);
            let there = self.done[&(RAW.to_owned(), lane)] == step;
            expect(backend, &lost_answer, if there { Applied::Before } else { Applied::Now }).await?;
            expect(backend, &lost_answer, Applied::Before).await?;
            self.highest += 1;
            let next = raw_batch(epoch, self.highest, lane, step + 1);
            expect(backend, &next, Applied::Now).await?;
            // Applied again, it would take the row back.
            expect(backend, &lost_answer, Applied::Before).await?;
            let rows = raw_steps(backend, lane).await?;
            if rows != [step + 1; 3] {
                return Err(Violation::Torn { account: RAW.to_owned(), lane, found: format!("{rows:?}") });
            }
            self.done.insert((RAW.to_owned(), lane), step + 1);
            seen.repeated += 1;
        }
        Ok(())
    }

    fn rises(&mut self, account: &str, found: u64, promise: Promise) -> Result<(), Violation> {
        let known = self.epochs.insert(account.to_owned(), found).unwrap_or(0);
        if found <= known && promise == Promise::EveryCommit {
            return Err(Violation::EpochStands { account: account.to_owned(), known, found });
        }
        Ok(())
    }

    /// Opens the raw account anew; what the process before would still like to write is refused.
    async fn refuses_stale(&mut self, store: &Store, promise: Promise) -> Result<(), Violation> {
        let raw = AccountId::from(RAW);
        let before = self.epochs.get(RAW).copied();
        let now = store.clock().now();
        let acquired = store.backend().acquire(&raw, store.holder(), Intent::Open, now).await?;
        self.rises(RAW, acquired.epoch, promise)?;
        let (tried, highest) = (std::mem::take(&mut self.tried), std::mem::take(&mut self.highest));
        let Some(old) = before.filter(|old| *old < acquired.epoch) else { return Ok(()) };
        for lane in tried.into_keys() {
            let late = raw_batch(old, highest + 1, lane, 1_000_000);
            match store.backend().commit(vec![late]).await.remove(0) {
                Err(StoreError::LeaseLost { .. }) => {}
                Ok(_) => return Err(Violation::StaleCommit),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

async fn expect(backend: &dyn Backend, batch: &Batch, expected: Applied) -> Result<(), Violation> {
    let found = backend.commit(vec![batch.clone()]).await.remove(0)?;
    if found == expected { Ok(()) } else { Err(Violation::Repeated { expected, found }) }
}

/// The step of a typed lane, if all its rows say the same one.
pub async fn whole_step(account: &AccountStore, lane: u8) -> Result<u64, Violation> {
    let step = typed_step(account, lane).await?;
    let address = address(lane);
    let session = account.one(Sessions, &address).await?.map(|session| session.record);
    let identity = account.one(Identities, &address).await?;
    let log = account.all(KeyValues, &format!("log-{lane}").as_str().into()).await?;
    let steps: Vec<u64> = log.iter().map(|((_, key), _)| step_of(key)).collect();
    let wanted: Vec<u64> = (step.saturating_sub(LOG) + 1..=step).collect();
    let whole = session == (step > 0).then(|| body(lane, step))
        && identity == (step > 0).then(|| number(step))
        && steps == wanted
        && log.iter().all(|((_, key), value)| *value == body(lane, step_of(key)));
    if whole {
        return Ok(step);
    }
    let account = account.id().as_str().to_owned();
    let found = format!(
        "lane row {step}, session {:?} bytes, identity {:?}, log {steps:?}",
        session.map(|session| session.len()),
        identity.map(|identity| step_of(&identity))
    );
    Err(Violation::Torn { account, lane, found })
}
