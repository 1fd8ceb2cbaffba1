//! What a store does while it is killed, cut off from power or hit by errors: several accounts with several committers
//! each, whose every commit writes rows that must agree, beside leases, prunes, vacuums, imports and deletions.
//! Everything that was answered is told as a [`Note`]; [`ledger`] holds the file to it.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]
#![allow(clippy::print_stdout, reason = "seeds and counts")]

pub mod ledger;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::task::JoinSet;
use wa_store::backend::{Batch, Op, Row, RowKey, Urgency};
use wa_store::lease::{Fence, Intent};
use wa_store::tables::{Identities, KeyValues, Sessions};
use wa_store::{
    AccountId, AccountStore, Address, Backend, Changes, Retry, Session, Store, StoreError, Table, UnixTime,
};

/// Accounts that are used through the typed layer.
pub const TYPED: [&str; 3] = ["alpha", "beta", "gamma"];
/// The account that is used below it, with fences of our own, so that a commit can be repeated by another process.
pub const RAW: &str = "raw";
/// Committers of each account.
pub const LANES: u8 = 3;
/// Steps of a lane whose log rows are kept.
pub const LOG: u64 = 8;

/// What happened, as the one who works tells the one who checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// An account was opened.
    Opened { account: String, epoch: u64 },
    /// A commit of the raw account is about to be made.
    Tried { epoch: u64, sequence: u64, lane: u8, step: u64 },
    /// A commit was answered as done.
    Done { account: String, lane: u8, step: u64 },
    /// A piece of upkeep was answered.
    Upkeep,
    /// The writing thread stands still here.
    At(String),
    /// Something failed that should not.
    Failed(String),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened { account, epoch } => write!(f, "opened {account} {epoch}"),
            Self::Tried { epoch, sequence, lane, step } => {
                write!(f, "tried {epoch} {sequence} {lane} {step}")
            }
            Self::Done { account, lane, step } => write!(f, "done {account} {lane} {step}"),
            Self::Upkeep => write!(f, "upkeep"),
            Self::At(point) => write!(f, "at {point}"),
            Self::Failed(error) => write!(f, "failed {}", error.replace('\n', " ")),
        }
    }
}

impl FromStr for Note {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, ()> {
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        let words: Vec<&str> = rest.split(' ').collect();
        let number = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok()).ok_or(());
        let lane = |at| number(at).and_then(|lane| u8::try_from(lane).map_err(|_| ()));
        Ok(match kind {
            "opened" => Self::Opened { account: words[0].to_owned(), epoch: number(1)? },
            "tried" => {
                Self::Tried { epoch: number(0)?, sequence: number(1)?, lane: lane(2)?, step: number(3)? }
            }
            "done" => Self::Done { account: words[0].to_owned(), lane: lane(1)?, step: number(2)? },
            "upkeep" => Self::Upkeep,
            "at" => Self::At(rest.to_owned()),
            "failed" => Self::Failed(rest.to_owned()),
            _ => return Err(()),
        })
    }
}

/// Where notes go.
pub type Notes = Arc<dyn Fn(Note) + Send + Sync>;

/// Works until something fails; gives every failure.
pub async fn work(store: Store, notes: Notes) -> Vec<StoreError> {
    let mut tasks = JoinSet::new();
    for name in TYPED {
        let account = match store.account(name).open().await {
            Ok(account) => account,
            Err(error) => return vec![error],
        };
        notes(Note::Opened { account: name.to_owned(), epoch: account.epoch() });
        for lane in 0..LANES {
            tasks.spawn(typed_lane(account.clone(), lane, Arc::clone(&notes)));
        }
    }
    let raw = AccountId::from(RAW);
    let acquired = store.backend().acquire(&raw, store.holder(), Intent::Open, store.clock().now()).await;
    let epoch = match acquired {
        Ok(acquired) => acquired.epoch,
        Err(error) => return vec![error],
    };
    notes(Note::Opened { account: RAW.to_owned(), epoch });
    let sequences = Arc::new(std::sync::atomic::AtomicU64::new(1));
    for lane in 0..LANES {
        let (backend, notes) = (Arc::clone(store.backend()), Arc::clone(&notes));
        tasks.spawn(raw_lane(backend, epoch, lane, Arc::clone(&sequences), notes));
    }
    tasks.spawn(upkeep(store, notes));
    let mut failures = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        let Err(error) = ended.expect("a task ends without a panic");
        failures.push(error);
    }
    failures
}

/// What never succeeds: a lane ends with an error only.
type Endless = Result<std::convert::Infallible, StoreError>;

async fn typed_lane(account: AccountStore, lane: u8, notes: Notes) -> Endless {
    let mut step = typed_step(&account, lane).await?;
    loop {
        step += 1;
        let mut pending = typed_changes(lane, step).holding(());
        for attempt in 1.. {
            match account.commit(pending).await {
                Ok(done) => {
                    done.release();
                    break;
                }
                Err(failed) if may_repeat(&failed.error, attempt) => pending = *failed.pending,
                Err(failed) => return Err(failed.error),
            }
        }
        notes(Note::Done { account: account.id().as_str().to_owned(), lane, step });
    }
}

/// A failed commit is repeated as it is, some times.
fn may_repeat(error: &StoreError, attempt: u32) -> bool {
    attempt < 4 && error.retry() == Retry::Same
}

async fn raw_lane(
    backend: Arc<dyn Backend>,
    epoch: u64,
    lane: u8,
    sequences: Arc<std::sync::atomic::AtomicU64>,
    notes: Notes,
) -> Endless {
    let mut step = raw_steps(&*backend, lane).await?[0];
    loop {
        step += 1;
        let sequence = sequences.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        notes(Note::Tried { epoch, sequence, lane, step });
        let batch = raw_batch(epoch, sequence, lane, step);
        for attempt in 1.. {
            match backend.commit(vec![batch.clone()]).await.remove(0) {
                Ok(_) => break,
                Err(error) if may_repeat(&error, attempt) => {}
                Err(error) => return Err(error),
            }
        }
        notes(Note::Done { account: RAW.to_owned(), lane, step });
    }
}

/// Leases, prunes, vacuums, imports, deletions.
async fn upkeep(store: Store, notes: Notes) -> Endless {
    let mut turn = 0_u64;
    loop {
        turn += 1;
        let visitor = store.account(format!("visitor-{}", turn % 3));
        let opened = match visitor.open().await {
            // The end came in the middle of its deletion.
            Err(StoreError::Deleting(_)) => {
                visitor.delete().await?;
                visitor.open().await?
            }
            opened => opened?,
        };
        opened.commit(typed_changes(0, turn)).await?.release();
        if turn.is_multiple_of(5) {
            let mut import = Changes::new();
            for row in 0..600_u64 {
                let key = ("import".into(), Bytes::copy_from_slice(&row.to_be_bytes()));
                import.put(KeyValues, &key, &body(1, turn + row));
            }
            opened.commit_in_slices(import, |_, _| ()).await?.release();
        }
        opened.release().await?;
        notes(Note::Upkeep);
        store.backend().heartbeat(store.holder(), store.clock().now(), Duration::from_secs(30)).await?;
        store.prune().await?;
        notes(Note::Upkeep);
        if turn.is_multiple_of(4) {
            visitor.delete().await?;
        }
        if turn.is_multiple_of(3) {
            store.vacuum().await?;
        }
        notes(Note::Upkeep);
    }
}

/// The rows of one step: all of them say the same step.
pub fn typed_changes(lane: u8, step: u64) -> Changes {
    let mut changes = Changes::new();
    let address = address(lane);
    changes.put(Sessions, &address, &Session::new(body(lane, step)));
    changes.put(Identities, &address, &number(step));
    changes.put(KeyValues, &("lane".into(), vec![lane].into()), &number(step));
    let log = |step: u64| (format!("log-{lane}").into(), number(step));
    changes.put(KeyValues, &log(step), &body(lane, step));
    if step > LOG {
        changes.delete(KeyValues, &log(step - LOG));
    }
    // Worthless since long: for the pruning.
    let brief = (format!("brief-{lane}").into(), number(step));
    changes.put_until(KeyValues, &brief, &body(lane, step), UnixTime::from_secs(1));
    changes
}

/// The step that a lane has reached, by one of its rows.
pub async fn typed_step(account: &AccountStore, lane: u8) -> Result<u64, StoreError> {
    let stored = account.one(KeyValues, &("lane".into(), vec![lane].into())).await?;
    Ok(stored.map_or(0, |stored| step_of(&stored)))
}

/// A batch of the raw account: three rows of one step.
pub fn raw_batch(epoch: u64, sequence: u64, lane: u8, step: u64) -> Batch {
    let mut value = number(step).to_vec();
    value.extend_from_slice(&body(lane, step));
    let row = Row { value: value.into(), expires: None };
    let ops: Vec<Op> = raw_keys(lane).into_iter().map(|key| Op::Put(key, row.clone())).collect();
    Batch {
        account: RAW.into(),
        fence: Some(Fence { epoch, sequence }),
        ops: ops.into(),
        urgency: Urgency::Live,
    }
}

fn raw_keys(lane: u8) -> Vec<RowKey> {
    (0..3).map(|row| RowKey { table: Table::KeyValues, key: vec![lane, row].into() }).collect()
}

/// The steps that the rows of a raw lane say; 0 for no row, `u64::MAX` for one that is not as it was written.
pub async fn raw_steps(backend: &dyn Backend, lane: u8) -> Result<[u64; 3], StoreError> {
    let rows = backend.get_many(&RAW.into(), raw_keys(lane)).await?;
    let steps: Vec<u64> = rows
        .iter()
        .map(|row| {
            let Some(row) = row else { return 0 };
            let step = step_of(&row.value);
            if row.value[8..] == body(lane, step) { step } else { u64::MAX }
        })
        .collect();
    Ok([steps[0], steps[1], steps[2]])
}

pub fn address(lane: u8) -> Address {
    Address::new(format!("155501{lane:02}@s.whatsapp.net").as_str(), lane.into())
}

pub fn number(step: u64) -> Bytes {
    Bytes::copy_from_slice(&step.to_be_bytes())
}

/// The first eight bytes.
pub fn step_of(bytes: &[u8]) -> u64 {
    bytes.get(..8).map_or(u64::MAX, |bytes| u64::from_be_bytes(bytes.try_into().expect("eight bytes")))
}

/// Some hundred bytes, other ones at every step.
pub fn body(lane: u8, step: u64) -> Bytes {
    let length = 100 + (step * 37 + u64::from(lane) * 11) % 1_400;
    let mut word = step.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (u64::from(lane) << 56);
    let bytes = (0..length).map(|_| {
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (word >> 56) as u8
    });
    bytes.collect()
}

/// The seed of a test: `WA_STORE_SEED`, or the same one always.
pub fn seed() -> u64 {
    std::env::var("WA_STORE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7)
}

/// How many rounds: as `WA_STORE_ROUNDS` says, else the promised number in a soak run (`WA_SOAK`), else a reduced one.
pub fn rounds(promised: u64, reduced: u64) -> u64 {
    let wanted = std::env::var("WA_STORE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    wanted.unwrap_or(if std::env::var_os("WA_SOAK").is_some() { promised } else { reduced })
}

/// Shows in a long run that it goes on.
pub fn progress(done: u64, all: u64) {
    if done > 0 && done.is_multiple_of(500) {
        println!("{done} of {all}");
    }
}
