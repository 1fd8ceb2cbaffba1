//! Conditions of the store: it fails for a while or for good, another process holds or takes the account, the
//! application falls behind.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::timeout;
use wa_client::config::InboxLimit;
use wa_client::events::Kind;
use wa_client::health::{Cause, Evidence, Healing, Health, Status};
use wa_client::sabotage::Sabotage;
use wa_client::{ConnectError, Jid, LeaseWait};
use wa_sim::phone::Action;
use wa_store::conformance::Unreliable;
use wa_store::{MemoryBackend, Store, StoreError};

use crate::stage::{ADA, BOT, PATIENCE, Stage, healthy, healthy_within, next};

/// A stage whose store fails as it is told to.
pub(crate) async fn unreliable(seed: u64) -> (Stage, Arc<Unreliable>) {
    let mut stage = Stage::new(seed).await;
    let backend = Arc::new(Unreliable::new(Arc::new(MemoryBackend::default())));
    let clock = Arc::clone(stage.store.clock());
    stage.store =
        Store::builder(backend.clone()).clock(clock).cache_bytes(1 << 20).open().await.expect("a store");
    (stage, backend)
}

fn why() -> wa_store::Cause {
    Arc::new(std::io::Error::other("as the test wants"))
}

pub(crate) fn writes(stage: &Stage, text: &str) {
    stage.sim.act(ADA, Action::Text { chat: Jid::pn(BOT), text: text.into(), quote: None }).expect("written");
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_is_waited_out_and_nothing_is_lost() {
    let (stage, backend) = unreliable(500).await;
    let (client, mut events) = stage.linked().await;
    backend.refuse(StoreError::DiskFull(why()));
    writes(&stage, "while the disk was full");
    let health = healthy(&client, "the trouble", |health| health.status == Status::StoreFailing).await;
    assert_eq!((health.cause, health.healing), (Cause::StoreFailing, Healing::ByItself));
    assert!(matches!(&health.evidence, Some(Evidence::Error(text)) if text.contains("full")));
    assert!(health.next_attempt.is_some());
    backend.heal();
    healthy_within(&client, "all well", Duration::from_secs(60), |health| health.status == Status::Online)
        .await;
    next(&mut events, "the message", |event| match &event.kind {
        Kind::Message(message) => (message.text() == Some("while the disk was full")).then_some(()),
        _ => None,
    })
    .await;
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_store_that_refuses_for_good_is_not_called_a_lost_lease() {
    let (stage, backend) = unreliable(501).await;
    let (client, mut events) = stage.linked().await;
    backend.refuse(StoreError::Database(why()));
    writes(&stage, "never stored");
    let health = healthy(&client, "the end", |health| health.cause == Cause::StoreBroken).await;
    assert_eq!((health.status, health.healing), (Status::StoreFailing, Healing::NeedsAction));
    assert!(matches!(&health.evidence, Some(Evidence::Error(text)) if text.contains("statement")));
    while events.next().await.is_some() {}
    drop((client, events));
    // Nothing was acknowledged: it comes again.
    backend.heal();
    let (_client, mut events) = stage.start().await;
    next(&mut events, "the message", |event| match &event.kind {
        Kind::Message(message) => (message.text() == Some("never stored")).then_some(()),
        _ => None,
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_went_to_somebody_else_stays_to_be_seen() {
    let stage = Stage::new(502).await;
    let (client, mut events) = stage.linked().await;
    let _other = stage.store.account("main").open().await.expect("taken over");
    writes(&stage, "whose is this?");
    let health = healthy(&client, "the loss", |health| health.status == Status::LeaseLost).await;
    assert_eq!((health.cause, health.healing), (Cause::LeaseLost, Healing::NeedsAction));
    // The stream ends; the state is not painted over.
    while events.next().await.is_some() {}
    assert_eq!(client.health().status, Status::LeaseLost);
}

struct Told(Arc<Mutex<Vec<Health>>>, usize);

impl LeaseWait for Told {
    fn held(&mut self, health: &Health) -> bool {
        self.0.lock().push(health.clone());
        self.0.lock().len() < self.1
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_that_another_process_holds_is_waited_for_and_says_who_has_it() {
    let stage = Stage::new(503).await;
    let clock = Arc::clone(stage.store.clock());
    let backend = Arc::clone(stage.store.backend());
    let other =
        Store::builder(backend).clock(clock).holder("the other process").open().await.expect("a store");
    let held = other.account("main").open().await.expect("opened");

    assert!(matches!(stage.builder().connect().await, Err(ConnectError::Store(StoreError::Held { .. }))));
    let told = Arc::new(Mutex::new(Vec::new()));
    let gives_up = stage.builder().wait_for_lease(Told(Arc::clone(&told), 3)).connect().await;
    assert!(matches!(gives_up, Err(ConnectError::Store(StoreError::Held { .. }))));
    assert_eq!(told.lock().len(), 3);

    told.lock().clear();
    let waiting = tokio::spawn(stage.builder().wait_for_lease(Told(Arc::clone(&told), 1000)).connect());
    tokio::time::sleep(Duration::from_secs(30)).await;
    let health = told.lock().last().cloned().expect("told");
    let Status::HeldByAnotherProcess { holder, until } = &health.status else { panic!("{health}") };
    assert!(holder.contains("the other process"), "{holder}");
    assert_eq!((health.cause, health.deadline), (Cause::HeldElsewhere, Some(*until)));
    assert!(health.next_attempt.is_some());
    held.release().await.expect("given back");
    let (client, _events) = waiting.await.expect("no panic").expect("connected");
    healthy(&client, "a QR code", |health| matches!(health.status, Status::WaitingForQr { .. })).await;
}

#[tokio::test(start_paused = true)]
async fn an_application_that_falls_behind_is_told_and_the_server_keeps_the_rest() {
    let stage = Stage::new(504).await;
    let (client, mut events) =
        stage.builder().inbox_limit(InboxLimit { rows: 10 }).connect().await.expect("started");
    stage.link(&client, &mut events).await;
    for number in 0..20 {
        writes(&stage, &format!("number {number}"));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let health = healthy(&client, "the jam", |health| health.cause == Cause::ApplicationBehind).await;
    assert!(matches!(health.status, Status::ApplicationBehind { waiting: 11.. }), "{health}");
    let mut seen = Vec::new();
    while seen.len() < 20 {
        let text = next(&mut events, "the next message", |event| match &event.kind {
            Kind::Message(message) => message.text().map(str::to_owned),
            _ => None,
        })
        .await;
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    healthy(&client, "all well", |health| health.status == Status::Online).await;
}

/// A new life cannot count the deliveries of what was left over, and its call for them is given up meanwhile. Gives the
/// texts that come once the store is well, up to one that is written then.
async fn texts_after_giving_up(seed: u64, sabotage: Sabotage) -> Vec<String> {
    let (stage, backend) = unreliable(seed).await;
    let (client, events) = stage.linked().await;
    for text in ["first", "second", "third"] {
        writes(&stage, text);
    }
    // Time passes when nothing is left to do: they are stored.
    tokio::time::sleep(Duration::from_secs(1)).await;
    client.shutdown(PATIENCE).await;
    drop((client, events));

    let (client, mut events) = stage.builder().sabotage(sabotage).connect().await.expect("it starts");
    client.wait_online(PATIENCE).await.expect("online");
    backend.refuse(StoreError::DiskFull(why()));
    while let Ok(some) = timeout(Duration::from_millis(100), events.next_several(8)).await {
        assert!(some.iter().all(|event| event.cursor.is_none()), "handed out uncounted: {some:?}");
    }
    backend.heal();
    writes(&stage, "last");
    let mut texts = Vec::new();
    next(&mut events, "the last message", |event| {
        if let Kind::Message(message) = &event.kind {
            texts.extend(message.text().map(String::from));
        }
        texts.last().is_some_and(|text| text == "last").then_some(())
    })
    .await;
    texts
}

#[tokio::test(start_paused = true)]
async fn a_call_for_events_that_is_given_up_loses_none() {
    let texts = texts_after_giving_up(505, Sabotage::None).await;
    assert_eq!(texts, ["first", "second", "third", "last"]);
}

#[tokio::test(start_paused = true)]
async fn sabotage_events_that_count_as_taken_before_they_are_returned_are_missed() {
    let texts = texts_after_giving_up(506, Sabotage::TakenUnseen).await;
    assert_eq!(texts, ["last"]);
}
