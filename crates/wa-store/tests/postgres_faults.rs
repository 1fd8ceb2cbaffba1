//! The Postgres backend when things go wrong: all processes of the server are killed in the middle of commits and the
//! server is started again; they are stopped and go on later; two holders want one account; leases follow the server's
//! clock. What is promised is broken on purpose as well, to show that the tests see it. `WA_SOAK=1` kills more often.

#![cfg(all(feature = "postgres", target_os = "linux"))]
#![allow(clippy::print_stdout)] // seeds and counts

mod served;

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use served::{Reach, Server};
use tokio::sync::mpsc;
use wa_store::backend::{Applied, Batch, Op, Row, RowKey, Urgency};
use wa_store::lease::{Fence, Intent};
use wa_store::sabotage::Sabotage;
use wa_store::{Backend, HolderId, PostgresBackend, PostgresOptions, Retry, StoreError, Table, UnixTime};

const LANES: u8 = 8;
const ACCOUNT: &str = "main";
const TTL: Duration = Duration::from_secs(60);
/// A commit stands still for 20 ms between its writes and its sync: most kills fall there.
const SLOW_COMMITS: &str = "commit_delay = 20000\ncommit_siblings = 0\nrecovery_init_sync_method = syncfs";

async fn backend(server: &Server, sabotage: Sabotage) -> Arc<PostgresBackend> {
    let options = PostgresOptions::new(server.url()).expect("a URL").sabotage(sabotage);
    Arc::new(options.open().await.expect("a database"))
}

fn batch(epoch: u64, sequence: u64, lane: u8, step: u64) -> Batch {
    let row = Row { value: step.to_be_bytes().to_vec().into(), expires: None };
    let ops: Vec<Op> = keys(lane).into_iter().map(|key| Op::Put(key, row.clone())).collect();
    let fence = Some(Fence { epoch, sequence });
    Batch { account: ACCOUNT.into(), fence, ops: ops.into(), urgency: Urgency::Live }
}

fn keys(lane: u8) -> Vec<RowKey> {
    (0..3).map(|row| RowKey { table: Table::KeyValues, key: vec![lane, row].into() }).collect()
}

async fn one(backend: &PostgresBackend, batch: Batch) -> Result<Applied, StoreError> {
    backend.commit(vec![batch]).await.remove(0)
}

/// The step that the three rows of a lane say; an error if they do not agree.
async fn step_of(backend: &PostgresBackend, lane: u8) -> Result<u64, String> {
    let rows = backend.get_many(&ACCOUNT.into(), keys(lane)).await.map_err(|error| format!("{error:?}"))?;
    let steps: Vec<u64> = rows
        .iter()
        .map(|row| row.as_ref().map_or(0, |row| u64::from_be_bytes((&row.value[..]).try_into().unwrap())))
        .collect();
    if steps.iter().any(|step| *step != steps[0]) {
        return Err(format!("lane {lane} is torn: {steps:?}"));
    }
    Ok(steps[0])
}

/// Where a lane stood when the server went: the last step that was answered, and the sequence of the one after it.
struct Ended {
    lane: u8,
    answered: u64,
    unknown: u64,
    error: StoreError,
}

async fn lane(
    backend: Arc<PostgresBackend>,
    epoch: u64,
    lane: u8,
    mut answered: u64,
    sequences: Arc<AtomicU64>,
    told: mpsc::UnboundedSender<()>,
) -> Ended {
    loop {
        let unknown = sequences.fetch_add(1, Ordering::Relaxed);
        match one(&backend, batch(epoch, unknown, lane, answered + 1)).await {
            Ok(applied) => assert_eq!(applied, Applied::Now),
            Err(error) => return Ended { lane, answered, unknown, error },
        }
        answered += 1;
        let _ = told.send(());
    }
}

/// A signal for the server's first process and all its children, with one command.
fn signal(server: &Server, name: &str) {
    let first = server.process().expect("a running server");
    let mut all = vec![first.clone()];
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1).map(str::to_owned));
        if parent.as_ref() == Some(&first) {
            all.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    // One that has ended by itself is not an error.
    Command::new("kill").arg(format!("-{name}")).args(&all).output().expect("kill");
}

/// The memory of killed processes is freed some moments later; until then the server does not start.
fn restart(server: &Server) {
    let mut last = String::new();
    for _ in 0..20 {
        match server.restart() {
            Ok(()) => return,
            Err(error) => last = error,
        }
    }
    panic!("{last}");
}

async fn control(server: &Server) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(server.url(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// From now on commits become durable, and then wait for a standby that does not exist before they are answered.
/// Returns when one does.
async fn hold_answers(server: &Server) {
    let client = control(server).await;
    client.batch_execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'").await.unwrap();
    client.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    let waiting = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep')";
    while !client.query_one(waiting, &[]).await.unwrap().get::<_, bool>(0) {}
}

async fn release_answers(server: &Server) {
    let client = control(server).await;
    client.batch_execute("ALTER SYSTEM RESET synchronous_standby_names").await.unwrap();
    client.batch_execute("SELECT pg_reload_conf()").await.unwrap();
}

#[derive(Debug, Default)]
struct Seen {
    answered: u64,
    there: u64,
    absent: u64,
}

/// Kills the server so often; the first broken promise ends it.
async fn kills(rounds: u64, seed: u64, sabotage: Sabotage) -> Result<Seen, String> {
    let server = served::start(Reach::Socket, SLOW_COMMITS);
    let backend = backend(&server, sabotage).await;
    let (account, holder) = (ACCOUNT.into(), HolderId::from("here"));
    backend.heartbeat(&holder, UnixTime::from_secs(0), TTL).await.unwrap();
    let acquired = backend.acquire(&account, &holder, Intent::Open, UnixTime::from_secs(0)).await.unwrap();
    let epoch = acquired.epoch;
    let sequences = Arc::new(AtomicU64::new(1));
    let mut steps = [0; LANES as usize];
    let mut rng = StdRng::seed_from_u64(seed);
    let mut seen = Seen::default();
    for round in 0..rounds {
        let (told, mut hear) = mpsc::unbounded_channel();
        let lanes: Vec<_> = (0..LANES)
            .map(|number| {
                let step = steps[usize::from(number)];
                let sequences = Arc::clone(&sequences);
                tokio::spawn(lane(Arc::clone(&backend), epoch, number, step, sequences, told.clone()))
            })
            .collect();
        drop(told);
        let durable = round % 2 == 1 && sabotage == Sabotage::None;
        for _ in 0..rng.random_range(1..60) {
            hear.recv().await.ok_or("the lanes ended before the kill")?;
        }
        if durable {
            hold_answers(&server).await;
        }
        signal(&server, "KILL");
        let mut ended = Vec::new();
        for lane in lanes {
            ended.push(lane.await.expect("a lane"));
        }
        restart(&server);
        if durable {
            release_answers(&server).await;
        }
        for Ended { lane, answered, unknown, error } in ended {
            if error.retry() != Retry::Same {
                return Err(format!("lane {lane}: not to be repeated: {error:?}"));
            }
            let found = step_of(&backend, lane).await?;
            let expected = match found.checked_sub(answered) {
                Some(0) => Applied::Now,
                Some(1) => Applied::Before,
                _ => return Err(format!("lane {lane}: {answered} was answered, {found} is there")),
            };
            // What is there or not is repeated: once it is the first time, from then on it is not.
            for expected in [expected, Applied::Before] {
                let repeated = one(&backend, batch(epoch, unknown, lane, answered + 1)).await;
                if !matches!(&repeated, Ok(applied) if *applied == expected) {
                    return Err(format!("lane {lane}: the repetition is {repeated:?}, not {expected:?}"));
                }
            }
            let after = step_of(&backend, lane).await?;
            if after != answered + 1 {
                return Err(format!("lane {lane}: {after} after the repetition of {}", answered + 1));
            }
            seen.answered += answered - steps[usize::from(lane)];
            *(if expected == Applied::Now { &mut seen.absent } else { &mut seen.there }) += 1;
            steps[usize::from(lane)] = after;
        }
    }
    backend.close().await.unwrap();
    Ok(seen)
}

fn seed() -> u64 {
    std::env::var("WA_STORE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_in_the_middle_of_commits_loses_nothing_answered_and_tears_nothing() {
    let rounds = if std::env::var_os("WA_SOAK").is_some() { 200 } else { 4 };
    println!("WA_STORE_SEED={}, {rounds} kills", seed());
    let seen = kills(rounds, seed(), Sabotage::None).await.unwrap();
    println!("{seen:?}");
    assert_eq!(seen.there + seen.absent, rounds * u64::from(LANES));
    assert!(seen.absent > 0 && seen.there > 0, "not every kind of outcome: {seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_test_above_sees_a_store_that_answers_before_the_commit() {
    let broken = kills(30, seed(), Sabotage::AckBeforeCommit).await.expect_err("it was not seen");
    assert!(broken.contains("was answered"), "{broken}");
}

/// A server on a port of this machine with one account, and the epoch of its lease.
async fn opened(patience: Duration) -> (Server, Arc<PostgresBackend>, u64) {
    let server = served::start(Reach::Port, "fsync = off");
    let options = PostgresOptions::new(server.url()).expect("a URL").patience(patience);
    let backend = Arc::new(options.open().await.expect("a database"));
    let (account, holder) = (ACCOUNT.into(), HolderId::from("here"));
    backend.heartbeat(&holder, UnixTime::from_secs(0), TTL).await.unwrap();
    let acquired = backend.acquire(&account, &holder, Intent::Open, UnixTime::from_secs(0)).await.unwrap();
    (server, backend, acquired.epoch)
}

/// The server's processes are stopped (the system keeps their connections) until this is dropped, also by a failed test.
struct Stopped<'s>(&'s Server);

impl<'s> Stopped<'s> {
    fn new(server: &'s Server) -> Self {
        signal(server, "STOP");
        Self(server)
    }
}

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        signal(self.0, "CONT");
    }
}

/// Stops the server and lets virtual time run while `work` waits for it: an hour at most. It goes on before this returns.
async fn frozen<T>(server: &Server, work: impl Future<Output = T>) -> Option<T> {
    let _stopped = Stopped::new(server);
    tokio::time::pause();
    let done = tokio::time::timeout(Duration::from_secs(3600), work).await;
    tokio::time::resume();
    done.ok()
}

#[tokio::test]
async fn a_frozen_server_is_given_up_and_the_same_commits_are_applied_once_when_it_goes_on() {
    let patience = Duration::from_secs(30);
    let (server, backend, epoch) = opened(patience).await;
    // One commit is durable, and its answer is held back; one is asked for while nobody hears; one waits behind it.
    let (told, _hear) = mpsc::unbounded_channel();
    let sequences = Arc::new(AtomicU64::new(1));
    let durable = tokio::spawn(lane(Arc::clone(&backend), epoch, 0, 0, sequences, told));
    hold_answers(&server).await;
    // Its connection is there for the next one.
    step_of(&backend, 1).await.unwrap();
    let read = async {
        let begun = tokio::time::Instant::now();
        (backend.get_many(&ACCOUNT.into(), keys(0)).await.unwrap_err(), begun.elapsed())
    };
    let beat = async { backend.heartbeat(&"here".into(), UnixTime::from_secs(0), TTL).await };
    let queued = one(&backend, batch(epoch, 10_001, 1, 1));
    let all = frozen(&server, async { tokio::join!(durable, read, beat, queued) }).await;
    let (durable, (read, waited), beat, queued) = all.expect("every call ends by itself");
    let durable = durable.unwrap();
    for error in [&durable.error, &read] {
        assert!(matches!(error, StoreError::NoAnswer { waited } if *waited == patience), "{error:?}");
        assert_eq!(error.retry(), Retry::Same);
        assert!(error.remedy().contains("holds the database server up"), "{}", error.remedy());
    }
    assert_eq!(waited.as_secs(), patience.as_secs());
    for error in [beat.unwrap_err(), queued.unwrap_err()] {
        // They found no connection, and got no new one.
        assert!(matches!(error, StoreError::ConnectionLost(_)), "{error:?}");
        assert_eq!(error.retry(), Retry::Same);
    }
    release_answers(&server).await;
    let again = batch(epoch, durable.unknown, 0, durable.answered + 1);
    assert_eq!(one(&backend, again).await.unwrap(), Applied::Before);
    assert_eq!(step_of(&backend, 0).await, Ok(durable.answered + 1));

    let unheard =
        frozen(&server, one(&backend, batch(epoch, 10_002, 2, 1))).await.expect("it ends by itself");
    assert!(matches!(unheard, Err(StoreError::NoAnswer { .. })), "{unheard:?}");
    for (sequence, lane) in [(10_001, 1), (10_002, 2)] {
        assert_eq!(step_of(&backend, lane).await, Ok(0));
        for expected in [Applied::Now, Applied::Before] {
            assert_eq!(one(&backend, batch(epoch, sequence, lane, 1)).await.unwrap(), expected);
        }
        assert_eq!(step_of(&backend, lane).await, Ok(1));
    }
    backend.close().await.unwrap();
}

#[tokio::test]
async fn the_test_above_sees_a_store_that_waits_for_ever() {
    let (server, backend, _) = opened(Duration::MAX).await;
    let read = frozen(&server, backend.get_many(&ACCOUNT.into(), keys(0))).await;
    assert!(read.is_none(), "{read:?}");
}

/// Two processes' worth of backends on one server; what becomes of a commit of the first after the second took over.
async fn late_commit(sabotage: Sabotage) -> (Result<Applied, StoreError>, u64) {
    let server = served::start(Reach::Socket, "fsync = off");
    let (first, second) = (backend(&server, sabotage).await, backend(&server, Sabotage::None).await);
    let (account, one_holder, other) = (ACCOUNT.into(), HolderId::from("first"), HolderId::from("second"));
    // Whatever the clocks of the processes say, the server's counts.
    let (early, late) = (UnixTime::from_secs(1), UnixTime::from_secs(9_000_000_000));
    first.heartbeat(&one_holder, early, TTL).await.unwrap();
    second.heartbeat(&other, late, TTL).await.unwrap();
    let held = first.acquire(&account, &one_holder, Intent::Open, early).await.unwrap();
    assert_eq!(one(&first, batch(held.epoch, 1, 0, 1)).await.unwrap(), Applied::Now);
    let refused = second.acquire(&account, &other, Intent::Open, late).await;
    assert!(
        matches!(&refused, Err(StoreError::Held { holder, .. }) if holder.as_str() == "first"),
        "{refused:?}"
    );
    // A heartbeat that is over as soon as it is written.
    first.heartbeat(&one_holder, late, Duration::ZERO).await.unwrap();
    let taken = second.acquire(&account, &other, Intent::Open, early).await.unwrap();
    assert_eq!(taken.epoch, held.epoch + 1);
    assert_eq!(one(&second, batch(taken.epoch, 1, 0, 2)).await.unwrap(), Applied::Now);
    let outcome = one(&first, batch(held.epoch, 2, 0, 3)).await;
    let found = step_of(&second, 0).await.unwrap();
    (outcome, found)
}

#[tokio::test]
async fn a_second_holder_waits_by_the_servers_clock_and_then_fences_the_first() {
    let (outcome, found) = late_commit(Sabotage::None).await;
    assert!(matches!(outcome, Err(StoreError::LeaseLost { .. })), "{outcome:?}");
    assert_eq!(found, 2);
}

#[tokio::test]
async fn the_test_above_sees_a_store_that_does_not_look_at_the_fence() {
    let (outcome, found) = late_commit(Sabotage::NoFenceCheck).await;
    assert_eq!((outcome.unwrap(), found), (Applied::Now, 3));
}
