//! The main job against the simulator: link, converse, heal. The simulator's watch must note nothing of ours.

mod pipe;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use wa_client::events::{Delivery, Event, EventStream, Kind};
use wa_client::health::Status;
use wa_client::messages::sending::SendReport;
use wa_client::{Client, Jid};
use wa_sim::phone::Action;
use wa_sim::seed::{SeedAccount, SeedFile, SeedGroup};
use wa_sim::{Sim, SimConfig, SimHandle};
use wa_store::MemoryStore;

const BOT: u64 = 15_550_100;
const ADA: u64 = 15_550_101;
/// How long an event may take before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(30);

fn simulator() -> Arc<SimHandle> {
    let account =
        |name: &str, number| SeedAccount { name: name.into(), number: Some(number), ..Default::default() };
    let world = SeedFile {
        accounts: vec![account("Bot", BOT), account("Ada", ADA)],
        groups: vec![SeedGroup {
            subject: "Friends".into(),
            creator: "Ada".into(),
            members: vec!["Bot".into()],
            ..Default::default()
        }],
        ..SeedFile::default()
    };
    Arc::new(Sim::start(SimConfig { world: Some(world), ..SimConfig::default() }))
}

async fn start(sim: &Arc<SimHandle>, store: &wa_store::Store) -> (Client, EventStream) {
    Client::builder(store.account("main"))
        .connector(pipe::Pipe(Arc::clone(sim)))
        .root(pipe::root(sim))
        .connect()
        .await
        .expect("the client starts")
}

/// Takes events until one fits.
async fn next<T>(events: &mut EventStream, what: &str, mut fits: impl FnMut(&Event) -> Option<T>) -> T {
    timeout(PATIENCE, async {
        loop {
            let event = events.next().await.expect("the stream goes on");
            if let Some(found) = fits(&event) {
                return found;
            }
        }
    })
    .await
    .unwrap_or_else(|_| panic!("never saw {what}"))
}

/// Starts a client and links it through the QR code that it shows.
async fn linked(sim: &Arc<SimHandle>, store: &wa_store::Store) -> (Client, EventStream) {
    let (client, mut events) = start(sim, store).await;
    let qr = next(&mut events, "a QR code", |event| match &event.kind {
        Kind::LinkingQr(qr) => Some(qr.clone()),
        _ => None,
    })
    .await;
    sim.scan_qr(&qr.url(), Some(BOT)).expect("the phone scans");
    client.wait_online(PATIENCE).await.expect("the account comes online");
    (client, events)
}

async fn message(events: &mut EventStream, text: &str) -> Event {
    next(events, text, |event| match &event.kind {
        Kind::Message(message) if message.text() == Some(text) => Some(event.clone()),
        _ => None,
    })
    .await
}

fn writes(sim: &SimHandle, chat: Jid, text: &str) {
    sim.act(ADA, Action::Text { chat, text: text.into(), quote: None }).expect("Ada writes");
}

/// Waits until Ada's phone holds a text.
async fn ada_reads(sim: &SimHandle, text: &str) {
    timeout(PATIENCE, async {
        while !sim.inbox(ADA).iter().any(|received| format!("{:?}", received.kind).contains(text)) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap_or_else(|_| panic!("Ada never got {text:?}"));
}

fn assert_clean(sim: &SimHandle) {
    let violations = sim.violations();
    assert!(violations.is_empty(), "{violations:#?}");
}

#[tokio::test]
async fn a_linked_account_receives_a_text_and_its_answer_arrives() {
    let sim = simulator();
    let store = MemoryStore::open().await.unwrap();
    let (client, mut events) = linked(&sim, &store).await;
    assert_eq!(client.me().unwrap().pn, Some(Jid::pn(BOT)));

    writes(&sim, Jid::pn(BOT), "ping");
    let event = message(&mut events, "ping").await;
    assert_eq!(event.delivery, Delivery::First);
    let sending = event.answer("pong").await.expect("the answer is taken");
    assert!(matches!(sending.await, SendReport::Accepted(_)));
    ada_reads(&sim, "pong").await;
    assert_clean(&sim);
}

#[tokio::test]
async fn a_group_is_spoken_to_and_heard() {
    let sim = simulator();
    let store = MemoryStore::open().await.unwrap();
    let (client, mut events) = linked(&sim, &store).await;
    let groups = client.groups().joined().await.expect("the groups");
    assert_eq!(groups.len(), 1);
    let group = groups[0].jid.clone();

    for round in 0..3 {
        let there = format!("to the group {round}");
        writes(&sim, group.clone(), &there);
        let event = message(&mut events, &there).await;
        let back = format!("back to the group {round}");
        let sending = event.answer(back.as_str()).await.expect("the answer is taken");
        assert!(matches!(sending.await, SendReport::Accepted(_)));
        ada_reads(&sim, &back).await;
    }
    assert_clean(&sim);
}

#[tokio::test]
async fn a_cut_connection_heals_and_what_waited_arrives_once() {
    let sim = simulator();
    let store = MemoryStore::open().await.unwrap();
    let (client, mut events) = linked(&sim, &store).await;
    writes(&sim, Jid::pn(BOT), "before");
    message(&mut events, "before").await;

    sim.outage(Duration::from_millis(200));
    for number in 0..5 {
        writes(&sim, Jid::pn(BOT), &format!("meanwhile {number}"));
    }
    for number in 0..5 {
        let event = message(&mut events, &format!("meanwhile {number}")).await;
        assert_eq!(event.delivery, Delivery::First);
    }
    client.wait_online(PATIENCE).await.expect("online again");
    let report = client.messages().send(&Jid::pn(ADA), "after").await.expect("taken").await;
    assert!(matches!(report, SendReport::Accepted(_)), "{report:?}");
    ada_reads(&sim, "after").await;
    assert_clean(&sim);
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again_marked_after_a_restart() {
    let sim = simulator();
    let store = MemoryStore::open().await.unwrap();
    let (client, mut events) = linked(&sim, &store).await;
    writes(&sim, Jid::pn(BOT), "handled");
    writes(&sim, Jid::pn(BOT), "taken but not handled");
    message(&mut events, "taken but not handled").await;
    // As in a crash: nothing says goodbye.
    drop((client, events));

    let (client, mut events) = start(&sim, &store).await;
    let event = message(&mut events, "taken but not handled").await;
    assert_eq!(event.delivery, Delivery::Again);
    events.acknowledge().await.unwrap();
    client.shutdown(PATIENCE).await;
    assert_eq!(client.health().status, Status::Stopped);
    assert_clean(&sim);
}
