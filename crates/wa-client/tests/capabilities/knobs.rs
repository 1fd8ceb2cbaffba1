//! Each knob of the builder changes what goes over the wire, or when (chapter 01 §1, §5, §11, §12). The way out and its
//! headers stand in `egress`, the version and its look-up in `tests/health/login.rs`, the lease in `tests/health/store.rs`.

use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::time::Instant;
use wa_client::config::{BackOff, ClientVersion, InboxLimit, Timeouts};
use wa_client::contacts::{LookupBudget, LookupError};
use wa_client::events::Kind;
use wa_client::health::{Cause, Status};
use wa_client::messages::sending::SendReport;
use wa_client::presence::OnConnect;
use wa_client::{Client, ConnectError, Jid, RequestError, RootCa};
use wa_sim::faults::{Action, Direction, Fault, FreezeMode, Match, Phase};
use wa_sim::phone::Action as Deed;
use wa_sim::trace::Filter;

use crate::stage::{ADA, BOT, PATIENCE, Stage, healthy, healthy_within, next};

fn timeouts(change: impl FnOnce(&mut Timeouts)) -> Timeouts {
    let mut timeouts = Timeouts::default();
    change(&mut timeouts);
    timeouts
}

/// How long an attempt lasts that ends for this cause.
async fn lasts(stage: &Stage, client: &Client, cause: Cause) -> Duration {
    let began = Instant::now();
    client.reconnect_now();
    healthy(client, "the end of the attempt", |health| health.cause == cause).await;
    let lasted = began.elapsed();
    stage.sim.heal();
    lasted
}

#[tokio::test(start_paused = true)]
async fn a_url_that_is_none_is_refused_at_once() {
    let stage = Stage::new(1_400).await;
    for url in ["http://example.com/ws/chat", "/ws/chat"] {
        let refused = stage.builder().url(url.parse().expect("a URI")).connect().await;
        assert!(matches!(refused, Err(ConnectError::Url(_))), "{url}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_of_another_root_of_trust_is_not_spoken_to() {
    let stage = Stage::new(1_401).await;
    let (client, _events) = stage.builder().root(RootCa::new([7; 32], 0)).connect().await.expect("started");
    let health = healthy(&client, "distrust", |health| health.cause == Cause::ServerNotTrusted).await;
    assert!(health.next_attempt.is_none(), "{health}");
    assert!(stage.sim.world(|world, _| world.pending()).is_empty(), "nothing was registered");
}

#[tokio::test(start_paused = true)]
async fn an_older_version_than_the_service_takes_is_refused() {
    let stage = Stage::with(1_402, |config| config.version_floor = 1_999_999_999).await;
    let (client, events) =
        stage.builder().version(ClientVersion::new(2, 3000, 2_000_000_000)).connect().await.expect("started");
    healthy(&client, "a QR code", |health| matches!(health.status, Status::WaitingForQr { .. })).await;
    client.shutdown(PATIENCE).await;
    drop((client, events));
    let old = stage.builder().version(ClientVersion::new(2, 3000, 1)).connect().await.expect("started");
    healthy(&old.0, "the refusal", |health| health.status == Status::ClientOutdated).await;
}

#[tokio::test(start_paused = true)]
async fn the_handshake_and_the_first_stanza_have_their_times() {
    let stage = Stage::new(1_403).await;
    let limits = timeouts(|limits| {
        limits.handshake = Duration::from_secs(7);
        limits.first_stanza = Duration::from_secs(11);
    });
    let (client, mut events) = stage.builder().timeouts(limits.clone()).connect().await.expect("started");
    stage.link(&client, &mut events).await;
    let freeze = Action::Freeze { mode: FreezeMode::Both };
    stage.sim.fault(Fault::new(Match::phase(Phase::Hello), freeze));
    let lasted = lasts(&stage, &client, Cause::HandshakeFailed).await;
    assert!((7..8).contains(&lasted.as_secs()), "{lasted:?}");
    client.wait_online(PATIENCE).await.expect("back");
    client.shutdown(PATIENCE).await;
    // A device that is not linked yet: its handshake is done, and then nothing comes.
    let stage = Stage::new(1_411).await;
    let silent = Action::Freeze { mode: FreezeMode::Both };
    stage.sim.fault(Fault::new(Match::phase(Phase::Finish), silent));
    let began = Instant::now();
    let (client, _events) = stage.builder().timeouts(limits).connect().await.expect("started");
    // The next attempt follows at once, so the state is the same: the attempt itself is what tells.
    healthy(&client, "the end of the attempt", |health| {
        health.attempts.iter().any(|one| one.failure == Some(Cause::KeepaliveLost))
    })
    .await;
    let lasted = began.elapsed();
    assert!((11..12).contains(&lasted.as_secs()), "{lasted:?}");
}

#[tokio::test(start_paused = true)]
async fn a_question_waits_as_long_as_it_may() {
    let stage = Stage::new(1_404).await;
    let limits = timeouts(|limits| limits.request = Duration::from_secs(3));
    let (client, mut events) = stage.builder().timeouts(limits).connect().await.expect("started");
    stage.link(&client, &mut events).await;
    let ping = Match { xmlns: Some("w:p".into()), ..Match::stanza(Direction::In, "iq") };
    stage.sim.fault(Fault::new(ping, Action::Lose));
    let began = Instant::now();
    assert_eq!(client.probe().await, Err(RequestError::Timeout(Duration::from_secs(3))));
    assert_eq!(began.elapsed().as_secs(), 3);
}

/// Whether all keepalive questions that a simulator has seen came a whole number of beats after the first.
fn are_on_one_beat(stage: &Stage) -> bool {
    const BEAT: u64 = 1_000;
    let pings = Filter { direction: Some(Direction::In), xmlns: Some("w:p".into()), ..Filter::default() };
    let moments: Vec<u64> = stage.sim.trace(&pings).iter().map(|passed| passed.at_ms).collect();
    assert!(moments.len() > 60, "seed {}: {moments:?}", stage.seed);
    // Timers have a millisecond of play.
    moments.iter().all(|at| matches!((at - moments[0] + 2) % BEAT, 0..=4))
}

#[tokio::test(start_paused = true)]
async fn the_questions_of_all_accounts_leave_on_one_beat() {
    let stage = Stage::new(1_406).await;
    let (_client, _events) = stage.linked().await;
    let (_other, _its_events) = stage.another("other", ADA).await;
    tokio::time::sleep(Duration::from_secs(1_800)).await;
    assert!(are_on_one_beat(&stage));

    // Bounds that leave no room for a beat: the test would see questions that keep none.
    let stage = Stage::new(1_407).await;
    let limits = timeouts(|limits| {
        limits.keepalive = (Duration::from_secs(15), Duration::from_millis(15_900));
    });
    let (client, mut events) = stage.builder().timeouts(limits).connect().await.expect("started");
    stage.link(&client, &mut events).await;
    tokio::time::sleep(Duration::from_secs(1_800)).await;
    assert!(!are_on_one_beat(&stage));
}

#[tokio::test(start_paused = true)]
async fn silence_is_asked_about_and_ends_as_set() {
    let stage = Stage::new(1_405).await;
    let limits = timeouts(|limits| {
        limits.keepalive = (Duration::from_secs(4), Duration::from_secs(5));
        limits.dead_after = Duration::from_secs(6);
    });
    let (client, mut events) = stage.builder().timeouts(limits).connect().await.expect("started");
    stage.link(&client, &mut events).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let pings = Filter { direction: Some(Direction::In), xmlns: Some("w:p".into()), ..Filter::default() };
    let asked = stage.sim.trace(&pings).len();
    assert!((9..=16).contains(&asked), "{asked} in a minute");
    stage.sim.fault(Fault::new(
        Match { xmlns: Some("w:p".into()), ..Match::stanza(Direction::In, "iq") },
        Action::Freeze { mode: FreezeMode::NeverWrite },
    ));
    let began = Instant::now();
    healthy(&client, "the loss", |health| {
        health.attempts.iter().any(|one| one.failure == Some(Cause::KeepaliveLost))
    })
    .await;
    // At most one wait for the question, and one for the answer.
    assert!(began.elapsed() <= Duration::from_millis(11_100), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_backlog_and_a_report_are_given_up_as_set() {
    let stage = Stage::with(1_406, |config| config.strict_batches = true).await;
    let limits = timeouts(|limits| {
        limits.backlog = Duration::from_secs(9);
        limits.send = Duration::from_secs(2);
    });
    let (client, mut events) = stage.builder().timeouts(limits.clone()).connect().await.expect("started");
    stage.link(&client, &mut events).await;
    stage.unreachable();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let began = Instant::now();
    let sending = client.messages().send(&Jid::pn(ADA), "later").await.expect("taken");
    assert!(matches!(sending.await, SendReport::Pending));
    assert_eq!(began.elapsed().as_secs(), 2);
    client.shutdown(PATIENCE).await;
    drop((client, events));
    for number in 0..20 {
        let text = format!("waiting {number}");
        stage.sim.act(ADA, Deed::Text { chat: Jid::pn(BOT), text, quote: None }).expect("Ada writes");
    }
    stage.sim.heal();
    let batch = Match { child: Some("offline_batch".into()), ..Match::stanza(Direction::In, "ib") };
    stage.sim.fault(Fault::new(batch, Action::Lose));
    let (client, _events) = stage.builder().timeouts(limits).connect().await.expect("started");
    healthy(&client, "the backlog", |health| matches!(health.status, Status::CatchingUp { .. })).await;
    let began = Instant::now();
    healthy_within(&client, "online", Duration::from_secs(30), |health| health.status == Status::Online)
        .await;
    assert!((8..=10).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn waits_between_attempts_begin_and_end_as_set() {
    let stage = Stage::new(1_407).await;
    let back_off = BackOff { first: Duration::from_secs(10), longest: Duration::from_secs(40) };
    let (client, mut events) = stage.builder().back_off(back_off).connect().await.expect("started");
    stage.link(&client, &mut events).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    stage.unreachable();
    tokio::time::sleep(Duration::from_secs(240)).await;
    let attempts = client.health().attempts;
    let failed: Vec<_> = attempts.iter().filter(|one| one.failure.is_some()).map(|one| one.at).collect();
    let waits: Vec<u64> = failed.windows(2).map(|pair| pair[1].since(pair[0]).as_secs()).collect();
    // Ten, ten, twenty, thirty, forty, forty: a tenth more or less.
    let last = waits.last().copied().unwrap_or(0);
    assert!(waits.iter().skip(2).all(|wait| (9..=41).contains(wait)), "{waits:?}");
    assert!((35..=41).contains(&last), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn the_clock_is_the_stores_and_the_randomness_the_seeds() {
    let mut pictures = Vec::new();
    for seed in [5, 5, 6] {
        let stage = Stage::new(1_408).await;
        let builder = stage.builder().randomness(StdRng::seed_from_u64(seed));
        let (client, mut events) = builder.connect().await.expect("started");
        let qr = next(&mut events, "a QR code", |event| match &event.kind {
            Kind::LinkingQr(qr) => Some(qr.url()),
            _ => None,
        })
        .await;
        pictures.push(qr);
        // Years from the machine's own time.
        let health = client.health();
        assert!(stage.store.clock().now().since(health.since) < PATIENCE, "{health}");
        assert!(health.since.as_secs() >= 2_000_000_000, "{health}");
    }
    assert_eq!(pictures[0], pictures[1], "the same draws");
    assert_ne!(pictures[0], pictures[2]);
}

#[tokio::test(start_paused = true)]
async fn an_account_is_shown_as_it_wants_to_be() {
    for (presence, shown) in [(OnConnect::Available, "available"), (OnConnect::Unavailable, "unavailable")] {
        let stage = Stage::new(1_409).await;
        let (client, mut events) = stage.builder().mark_online(presence).connect().await.expect("started");
        stage.link(&client, &mut events).await;
        let filter =
            Filter { direction: Some(Direction::In), tag: Some("presence".into()), ..Filter::default() };
        let passed = stage.sim.expect(&filter, PATIENCE).await.expect("shown");
        assert!(passed.node.attr_is("type", shown), "{}", passed.node);
        stage.assert_clean();
    }
}

#[tokio::test(start_paused = true)]
async fn limits_of_the_inbox_and_of_look_ups_hold() {
    let stage = Stage::new(1_410).await;
    let budget = LookupBudget { numbers: 2, per: Duration::from_secs(60) };
    let builder = stage.builder().inbox_limit(InboxLimit { rows: 5 }).lookup_budget(budget);
    let (client, mut events) = builder.connect().await.expect("started");
    stage.link(&client, &mut events).await;
    let asked = client.contacts().lookup(&["+1 555 0101", "+1 555 0102", "+1 555 0103"]).await;
    assert!(matches!(asked, Err(LookupError::TooMany { .. })), "{asked:?}");
    for number in 0..20 {
        let text = format!("number {number}");
        stage.sim.act(ADA, Deed::Text { chat: Jid::pn(BOT), text, quote: None }).expect("Ada writes");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    healthy(&client, "that it is behind", |health| matches!(health.status, Status::ApplicationBehind { .. }))
        .await;
}
