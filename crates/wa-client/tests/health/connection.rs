//! The states of a connection: from the start over the backlog to the stop.

use std::time::Duration;

use wa_client::events::Kind;
use wa_client::health::{Cause, Healing, Stage as Reached, Status};
use wa_client::{Jid, RequestError};
use wa_sim::faults::{Action, Direction, Fault, FreezeMode, Match};
use wa_sim::phone::Action as Deed;

use crate::stage::{ADA, BOT, PATIENCE, Stage, healthy, healthy_within, next};

#[tokio::test(start_paused = true)]
async fn an_account_starts_links_catches_up_and_stops() {
    let stage = Stage::with(200, |config| config.strict_batches = true).await;
    let (client, mut events) = stage.start().await;
    let health = client.health();
    assert_eq!((health.status, health.cause), (Status::Starting, Cause::Started));
    stage.link(&client, &mut events).await;
    assert_eq!(client.health().cause, Cause::Working);
    client.shutdown(PATIENCE).await;
    let health = client.health();
    assert_eq!((health.status, health.cause), (Status::Stopped, Cause::Stopped));
    while events.next().await.is_some() {}
    drop((client, events));

    for number in 0..20 {
        let text = format!("meanwhile {number}");
        stage.sim.act(ADA, Deed::Text { chat: Jid::pn(BOT), text, quote: None }).expect("Ada writes");
    }
    let batch = Match { child: Some("offline_batch".into()), ..Match::stanza(Direction::In, "ib") };
    stage.sim.fault(Fault::new(batch, Action::Lose));
    let (client, mut events) = stage.start().await;
    let health = healthy(&client, "the backlog", |health| {
        matches!(health.status, Status::CatchingUp { received: 1.., announced: 20.. })
    })
    .await;
    assert_eq!((health.cause, health.healing), (Cause::OfflineBacklog, Healing::ByItself));
    // A backlog that makes no progress is taken as complete after a minute.
    healthy_within(&client, "online", Duration::from_secs(61), |health| health.status == Status::Online)
        .await;
    next(&mut events, "a message of the backlog", |event| match &event.kind {
        Kind::Message(message) => message.was_offline.then_some(()),
        _ => None,
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_waited_out_with_growing_pauses_and_each_attempt_is_kept() {
    let stage = Stage::new(201).await;
    let (client, _events) = stage.linked().await;
    stage.unreachable();
    let health = healthy(&client, "the outage", |health| {
        matches!(health.status, Status::Reconnecting { attempt: 3.., .. })
    })
    .await;
    assert_eq!(health.healing, Healing::ByItself);
    assert!(health.next_attempt.is_some_and(|at| at > stage.store.clock().now()));
    assert_eq!(client.probe().await, Err(RequestError::Disconnected));
    let waited = client.wait_online(Duration::from_secs(1)).await.expect_err("still away");
    assert_eq!(waited.health.cause, client.health().cause);
    stage.sim.heal();
    healthy_within(&client, "online again", Duration::from_secs(60), |health| {
        health.status == Status::Online
    })
    .await;
    let attempts = client.health().attempts;
    let failed: Vec<_> = attempts.iter().filter(|one| one.stage < Reached::Login).collect();
    assert!(failed.len() >= 2, "{attempts:?}");
    assert!(attempts.iter().any(|one| one.stage == Reached::Online), "{attempts:?}");
    assert!(client.probe().await.is_ok());
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_when_the_application_wants_a_connection_now() {
    let stage = Stage::new(202).await;
    let (client, _events) = stage.linked().await;
    stage.unreachable();
    healthy_within(&client, "long pauses", Duration::from_secs(700), |health| {
        matches!(health.status, Status::Reconnecting { attempt: 12.., .. })
    })
    .await;
    stage.sim.heal();
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(!client.health().is_online());
    client.reconnect_now();
    client.wait_online(Duration::from_secs(2)).await.expect("at once, not after minutes");
}

#[tokio::test(start_paused = true)]
async fn a_silent_socket_is_noticed_within_a_minute() {
    let stage = Stage::new(203).await;
    let (client, _events) = stage.linked().await;
    let pong = Match { xmlns: Some("w:p".into()), ..Match::stanza(Direction::In, "iq") };
    stage.sim.fault(Fault::once(pong, Action::Freeze { mode: FreezeMode::Both }));
    let before = client.health().attempts.len();
    healthy_within(&client, "another connection", Duration::from_secs(60), |health| {
        health.attempts.len() > before && health.status == Status::Online
    })
    .await;
    let attempts = client.health().attempts;
    assert_eq!(attempts.last().and_then(|one| one.failure), Some(Cause::KeepaliveLost));
}

#[tokio::test(start_paused = true)]
async fn a_day_without_traffic_keeps_one_connection() {
    let stage = Stage::new(204).await;
    let (client, _events) = stage.linked().await;
    let before = stage.sim.stats().connections;
    tokio::time::sleep(Duration::from_secs(86_400)).await;
    assert_eq!(stage.sim.stats().connections, before);
    assert_eq!(client.health().status, Status::Online);
    stage.assert_clean();
}
