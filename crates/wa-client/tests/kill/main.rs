//! Nothing lost, nothing repeated (chapter 04 §21): the client's process is killed with SIGKILL at every named commit and
//! publication point and at random, while a peer sends numbered messages that the client answers. The simulator
//! outlives it. `WA_KILL_SEED` repeats a run's plans; `cargo xtask soak client-kill` runs the big numbers.
#![allow(clippy::print_stdout)]

mod arena;
mod ledger;
mod victim;

use std::time::Duration;

use arena::{Arena, At, Plan};
use wa_client::sabotage::{Point, Sabotage};

/// The process that is killed, started by [`Arena`]: not a test when it is run as one.
#[test]
fn victim_process() {
    if let Some(orders) = victim::Orders::from_environment() {
        victim::live(orders);
    }
}

/// Points of linking and of the first login: they are passed once, so they come first.
const LINKING: [Point; 5] = [
    Point::LinkChecked,
    Point::LinkStored,
    Point::LinkAnswered,
    Point::PreKeysStored,
    Point::PreKeysUploaded,
];
/// Points of a commit of the store.
const STORE: [&str; 4] = ["Begin", "Written", "Committed", "Answered"];

/// Lives in which a point is tried to be reached, and rounds in which a sabotage is tried to be caught.
const TRIES: u32 = 6;

fn conversing() -> Vec<At> {
    let points = Point::ALL.iter().filter(|point| !LINKING.contains(point));
    points.map(|point| At::client(*point)).chain(STORE.map(At::store)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_every_point_and_at_random_nothing_is_lost_and_nothing_repeated() {
    let (rounds, random) = if std::env::var_os("WA_SOAK").is_some() { (12, 25) } else { (1, 12) };
    let mut arena = Arena::start(Sabotage::None).await;
    for point in LINKING {
        arena.live(Plan::Kill(At::client(point), 1), 0).await;
    }
    arena.link().await;
    // The first commits of a process are those that take the lease over from the dead one.
    for at in STORE.map(At::store) {
        for nth in 1..=4 {
            arena.live(Plan::Kill(at.clone(), nth), 1).await;
        }
        arena.live(Plan::Quiet, 0).await;
    }
    for round in 0..rounds {
        for at in conversing() {
            // Later rounds strike at later passings; not every life comes that far.
            let wanted = arena.kills(&at) + 1;
            for _ in 0..TRIES {
                let nth = if round == 0 { 1 } else { arena.draw(1, 4) };
                let messages = u32::try_from(arena.draw(2, 4)).unwrap_or(2);
                arena.live(Plan::Kill(at.clone(), nth), messages).await;
                if arena.kills(&at) >= wanted {
                    break;
                }
            }
            arena.rest().await;
        }
        for _ in 0..random {
            let after = arena.draw(1, 60);
            arena.live(Plan::Random(Duration::from_millis(after)), 3).await;
            arena.rest().await;
        }
    }
    let broken = arena.finish().await;
    println!("{}", arena.summary());
    assert!(broken.is_empty(), "seed {}: {broken:#?}", arena.seed());
    for at in LINKING.map(At::client).into_iter().chain(conversing()) {
        assert!(arena.kills(&at) > 0, "seed {}: nobody was killed at {at}", arena.seed());
    }
}

/// The same with a broken promise: it must be noticed. What left too early may die on the wire with its process, so
/// there are several deaths.
async fn caught(sabotage: Sabotage, point: Point, what: &str) {
    let mut arena = Arena::start(sabotage).await;
    arena.link().await;
    let mut broken = Vec::new();
    for _ in 0..TRIES {
        for nth in 1..=3 {
            arena.live(Plan::Kill(At::client(point), nth), 2).await;
        }
        broken = arena.finish().await;
        if broken.iter().any(|one| one.contains(what)) {
            println!("{sabotage:?} was caught, {}: {broken:#?}", arena.summary());
            return;
        }
    }
    panic!("{sabotage:?} was not caught, {}: {broken:#?}", arena.summary());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ack_before_its_commit_is_caught() {
    caught(Sabotage::AckBeforeCommit, Point::BatchOpened, "was lost").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_row_of_the_outbox_is_caught() {
    caught(Sabotage::LostOutboxRow, Point::StanzaLeaves, "never came").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_counter_that_is_used_twice_is_caught() {
    caught(Sabotage::ReusedCounter, Point::StanzaSealed, "CounterReused").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swallowed_retry_is_caught() {
    caught(Sabotage::SwallowedRetry, Point::BatchStored, "was lost").await;
}
