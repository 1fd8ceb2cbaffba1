//! A phone that is away, and a device that is idle: warned of in time, and taken back.

use std::time::Duration;

use wa_client::Jid;
use wa_client::config::Timeouts;
use wa_client::health::{Cause, DeadlineKind, Health, Status};
use wa_sim::phone::Action;

use crate::stage::{ADA, BOT, Stage, healthy, healthy_within};

const DAY: Duration = Duration::from_secs(86_400);

fn date(health: &Health, kind: DeadlineKind) -> Option<wa_store::UnixTime> {
    health.calendar.iter().find(|entry| entry.kind == kind).map(|entry| entry.at)
}

/// Weeks of keepalives would only cost time.
fn rarely() -> Timeouts {
    let mut timeouts = Timeouts::default();
    timeouts.keepalive = (Duration::from_secs(6 * 3600), Duration::from_secs(7 * 3600));
    timeouts
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_is_away_is_warned_of_two_days_before_the_end_and_taken_back_when_it_appears() {
    let stage = Stage::new(400).await;
    let (client, mut events) = stage.builder().timeouts(rarely()).connect().await.expect("started");
    stage.link(&client, &mut events).await;
    let limit = date(&client.health(), DeadlineKind::PhoneMustAppear).expect("in the calendar");
    let left = limit.since(stage.store.clock().now());
    assert!(left <= 14 * DAY && left > 14 * DAY - Duration::from_secs(3600), "{left:?}");
    tokio::time::sleep(11 * DAY).await;
    assert_eq!(client.health().status, Status::Online);
    let health =
        healthy_within(&client, "the warning", 2 * DAY, |health| health.cause == Cause::PhoneAway).await;
    let left = limit.since(stage.store.clock().now());
    assert!(left <= 2 * DAY && left > 47 * DAY / 24, "{left:?}");
    assert_eq!(health.deadline, Some(limit));
    assert!(matches!(health.status, Status::PhoneAway { .. }) && health.is_online());

    // The dates survive a restart.
    client.shutdown(Duration::from_secs(5)).await;
    while events.next().await.is_some() {}
    drop((client, events));
    let (client, _events) = stage.builder().timeouts(rarely()).connect().await.expect("started");
    healthy(&client, "the warning again", |health| health.cause == Cause::PhoneAway).await;

    stage
        .sim
        .act(BOT, Action::Text { chat: Jid::pn(ADA), text: "here I am".into(), quote: None })
        .expect("written");
    let health = healthy(&client, "all well", |health| health.status == Status::Online).await;
    assert!(date(&health, DeadlineKind::PhoneMustAppear) > Some(limit));
}

#[tokio::test(start_paused = true)]
async fn a_device_that_cannot_connect_is_warned_of_five_days_before_the_end() {
    let stage = Stage::new(401).await;
    let (client, _events) = stage.linked().await;
    let limit = date(&client.health(), DeadlineKind::DeviceMustAppear).expect("in the calendar");
    stage.unreachable();
    let health = healthy_within(&client, "the warning", 27 * DAY, |health| {
        health.also.iter().any(|condition| condition.cause == Cause::DeviceIdle)
    })
    .await;
    assert!(matches!(health.status, Status::Reconnecting { .. }), "{health}");
    let condition =
        health.also.iter().find(|condition| condition.cause == Cause::DeviceIdle).expect("beside it");
    let deadline = condition.deadline.expect("a deadline");
    assert!(deadline >= limit && deadline.since(stage.store.clock().now()) <= 5 * DAY);
}
