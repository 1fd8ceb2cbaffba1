//! Twenty-four hours of random faults while people write in both directions: at the end everything has arrived, once.
//! `WA_DAY_SEED` repeats a day; `cargo xtask soak client-day` runs many.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::{Instant, sleep, timeout};
use wa_client::events::{Delivery, EventStream, Kind};
use wa_client::{Client, Jid};
use wa_sim::faults::{
    Action as Deed, CloseHow, Damage, Direction, Fault, FreezeMode, HandshakeFault, Match, Phase,
    StreamFault, StreamForm,
};
use wa_sim::phone::{Action, Kind as Content};
use wa_sim::seed::SeedGroup;
use wa_sim::watch::Rule;

use crate::stage::{ADA, BOT, Stage};

const DAY: Duration = Duration::from_secs(86_400);
/// How long everything may take to arrive after the last fault.
const AFTERWARDS: Duration = Duration::from_secs(3_600);

type Heard = Arc<Mutex<BTreeMap<String, Vec<Delivery>>>>;

#[tokio::test(start_paused = true)]
async fn a_day_of_random_faults_loses_nothing_and_repeats_nothing() {
    let first = std::env::var("WA_DAY_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let days = if std::env::var_os("WA_SOAK").is_some() { 30 } else { 1 };
    for seed in first..first + days {
        day(seed).await;
    }
}

fn listen(mut events: EventStream) -> Heard {
    let heard = Heard::default();
    let notes = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            if let Kind::Message(message) = &event.kind
                && let Some(text) = message.text()
            {
                notes.lock().entry(text.to_owned()).or_default().push(event.delivery);
            }
        }
    });
    heard
}

async fn day(seed: u64) {
    let stage = Stage::with(seed, |config| {
        if let Some(world) = &mut config.world {
            world.groups.push(SeedGroup {
                subject: "Day".into(),
                creator: "Ada".into(),
                members: vec!["Bot".into()],
                ..SeedGroup::default()
            });
        }
    })
    .await;
    let (client, events) = stage.linked().await;
    let heard = listen(events);
    let group = stage.sim.world(|world, _| world.groups().next().expect("the group").jid());
    let mut rng = StdRng::seed_from_u64(seed);
    let (mut theirs, mut ours, mut faults) = (0, 0, 0);
    let end = Instant::now() + DAY;
    let mut next_fault = Instant::now();
    while Instant::now() < end {
        sleep(Duration::from_secs(rng.random_range(5..120))).await;
        if Instant::now() >= next_fault {
            faults += 1;
            strike(&stage, &mut rng);
            next_fault = Instant::now() + Duration::from_secs(rng.random_range(60..900));
        }
        let in_group = rng.random_bool(0.5);
        if rng.random_bool(0.5) {
            theirs += 1;
            let chat = if in_group { group.clone() } else { Jid::pn(BOT) };
            let text = format!("theirs {theirs}");
            stage.sim.act(ADA, Action::Text { chat, text, quote: None }).expect("Ada writes");
        } else {
            ours += 1;
            let to = if in_group { group.clone() } else { Jid::pn(ADA) };
            client.messages().send(&to, format!("ours {ours}")).await.expect("the message is taken");
        }
    }
    stage.sim.heal();
    stage.sim.set_clock_offset(0);
    client.wait_online(AFTERWARDS).await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    // What was lost on a connection that stands comes with the next one.
    client.reconnect_now();
    arrived(&stage, &client, &heard, seed, (theirs, ours)).await;
    println!(
        "WA_DAY_SEED={seed}: {theirs} messages received, {ours} sent, {faults} faults, {} connections",
        stage.sim.stats().connections
    );
    check(&stage, &heard, seed, ours);
}

/// Waits until both sides have everything.
async fn arrived(stage: &Stage, client: &Client, heard: &Heard, seed: u64, (theirs, ours): (u32, u32)) {
    let missing = || {
        let heard = heard.lock();
        let received = (1..=theirs).map(|number| format!("theirs {number}"));
        let read = answers(stage);
        let mut missing: Vec<String> = received.filter(|text| !heard.contains_key(text)).collect();
        missing.extend(
            (1..=ours).map(|number| format!("ours {number}")).filter(|text| !read.contains_key(text)),
        );
        missing
    };
    let all = timeout(AFTERWARDS, async {
        while !missing().is_empty() {
            sleep(Duration::from_secs(1)).await;
        }
    });
    assert!(all.await.is_ok(), "seed {seed}: {:?} never arrived; {}", missing(), client.health());
}

/// Texts of ours at Ada's, with the ids under which they came.
fn answers(stage: &Stage) -> BTreeMap<String, Vec<String>> {
    let mut answers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for received in stage.sim.inbox(ADA) {
        if let Content::Text { text, .. } = received.kind
            && text.starts_with("ours")
        {
            answers.entry(text).or_default().push(received.id);
        }
    }
    answers
}

fn check(stage: &Stage, heard: &Heard, seed: u64, ours: u32) {
    for (text, deliveries) in &*heard.lock() {
        assert_eq!(deliveries, &[Delivery::First], "seed {seed}: {text:?}");
    }
    let answers = answers(stage);
    assert_eq!(answers.len(), ours as usize);
    for (text, ids) in answers {
        assert_eq!(ids.len(), 1, "seed {seed}: {text:?} came as {ids:?}");
    }
    // What the faults themselves keep from being answered or heard.
    let of_the_faults = [Rule::NeverAnswered, Rule::Keepalive, Rule::BadFrame];
    let noted: Vec<_> =
        stage.sim.violations().into_iter().filter(|one| !of_the_faults.contains(&one.rule)).collect();
    assert!(noted.is_empty(), "seed {seed}: {noted:#?}");
}

/// Something goes wrong, for once or for a while.
fn strike(stage: &Stage, rng: &mut StdRng) {
    let pick = rng.random_range(0..12);
    match pick {
        0 => return stage.sim.outage(Duration::from_secs(rng.random_range(1..900))),
        1 => return stage.sim.set_clock_offset(rng.random_range(-7_200_000..7_200_000)),
        2 => return stage.sim.heal(),
        _ => {}
    }
    let (matching, action) = if pick < 5 { while_connecting(rng) } else { while_conversing(rng) };
    stage.sim.fault(Fault::once(matching, action));
}

fn one_of<T: Clone>(rng: &mut StdRng, choice: &[T]) -> T {
    choice[rng.random_range(0..choice.len())].clone()
}

fn while_connecting(rng: &mut StdRng) -> (Match, Deed) {
    let handshake = |fault| (Match::phase(Phase::Hello), Deed::Handshake { fault });
    let choice = [
        handshake(HandshakeFault::MissingEphemeral),
        handshake(HandshakeFault::Undecodable),
        handshake(HandshakeFault::BadTag),
        handshake(HandshakeFault::LowOrder),
        handshake(HandshakeFault::RefuseIk),
        handshake(HandshakeFault::RotateStatic),
        (Match::phase(Phase::Finish), Deed::Close { how: CloseHow::Fin, after: false }),
        (Match::phase(Phase::Hello), Deed::Freeze { mode: FreezeMode::Both }),
    ];
    one_of(rng, &choice)
}

fn while_conversing(rng: &mut StdRng) -> (Match, Deed) {
    let direction = one_of(rng, &[Direction::In, Direction::Out]);
    let tag = one_of(rng, &["message", "receipt", "ack", "iq"]);
    let bare = |code| Deed::StreamError(StreamFault { code: Some(code), form: StreamForm::Bare });
    let damage = |damage| Deed::Damage { damage };
    let choice = [
        Deed::Close { how: CloseHow::Fin, after: false },
        Deed::Close { how: CloseHow::Rst, after: true },
        Deed::Freeze {
            mode: one_of(rng, &[FreezeMode::Both, FreezeMode::NeverRead, FreezeMode::NeverWrite]),
        },
        Deed::Delay { ms: 10_000, jitter_ms: 20_000 },
        Deed::Throttle { bytes_per_second: 500 },
        Deed::Duplicate,
        Deed::Reorder { by: rng.random_range(1..4) },
        Deed::Hold,
        Deed::Lose,
        Deed::LoseAck,
        Deed::AnswerTwice,
        damage(Damage::Ciphertext),
        damage(Damage::LengthHeader),
        damage(Damage::Oversize),
        damage(Damage::ZeroLength),
        damage(Damage::TruncatePlaintext),
        damage(Damage::Split),
        damage(Damage::Merge),
        damage(Damage::EncMac),
        damage(Damage::EncVersion),
        Deed::AckError { code: 500 },
        Deed::IqError { code: 503, text: String::new() },
        Deed::RateOverlimit { backoff: Some(60) },
        bare(500),
        bare(503),
        bare(515),
        Deed::SecondSuccess,
        Deed::StreamEnd,
    ];
    match (one_of(rng, &choice), direction, tag) {
        // The server would note it as a question that was asked twice.
        (Deed::Duplicate, Direction::In, "iq") => (Match::stanza(Direction::Out, tag), Deed::Duplicate),
        (deed, ..) => (Match::stanza(direction, tag), deed),
    }
}
