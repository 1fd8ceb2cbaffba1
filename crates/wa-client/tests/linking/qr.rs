//! QR codes: their deadlines, their end, their renewal, and the check of the account (chapter 02 §3).

use std::time::Duration;

use async_trait::async_trait;
use wa_client::events::{EventStream, Kind};
use wa_client::health::{Cause, DeadlineKind, LinkOffer, Status};
use wa_client::linking::qr::LinkingQr;
use wa_client::linking::{Candidate, LinkCheck, LinkProblem};
use wa_sim::pairing::Reject;

use crate::stage::{BOT, PATIENCE, Stage, healthy, next, next_within};

async fn qr(events: &mut EventStream) -> LinkingQr {
    next_within(events, "a QR code", Duration::from_secs(61), |event| match &event.kind {
        Kind::LinkingQr(qr) => Some(qr.clone()),
        _ => None,
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn codes_follow_one_another_until_they_run_out_and_come_again_when_asked_for() {
    let stage = Stage::new(1).await;
    let (client, mut events) = stage.start().await;
    let mut shown = Vec::new();
    for number in 0..6 {
        let code = qr(&mut events).await;
        let left = code.until().since(stage.store.clock().now());
        let span = if number == 0 { 60 } else { 20 };
        assert_eq!(left.as_millis().div_ceil(1000), span, "code {number}");
        let health = client.health();
        assert!(matches!(health.status, Status::WaitingForQr { .. }), "{health}");
        assert_eq!(health.deadline, Some(code.until()));
        let entry = health.calendar.iter().find(|entry| entry.kind == DeadlineKind::LinkOfferEnds);
        assert_eq!(entry.map(|entry| entry.at), Some(code.until()));
        assert!(!shown.contains(&code.plain()));
        shown.push(code.plain());
    }
    let health = healthy_at_the_end(&client).await;
    assert_eq!(health.cause, Cause::QrExpired);
    // No code is asked for behind a person's back.
    let before = stage.sim.stats().connections;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(stage.sim.stats().connections, before);
    client.reconnect_now();
    let code = qr(&mut events).await;
    assert!(!shown.contains(&code.plain()));
    stage.sim.scan_qr(&code.plain(), Some(BOT)).expect("the plain form is as good");
    client.wait_online(PATIENCE).await.expect("linked");
    stage.assert_clean();
}

async fn healthy_at_the_end(client: &wa_client::Client) -> wa_client::health::Health {
    crate::stage::healthy_within(client, "the end of the codes", Duration::from_secs(30), |health| {
        health.status == Status::LinkExpired(LinkOffer::Qr)
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn codes_run_out_as_well_when_the_server_closes_first() {
    let stage = Stage::with(2, |config| config.registration_ms = 150_000).await;
    let (client, mut events) = stage.start().await;
    for _ in 0..6 {
        qr(&mut events).await;
    }
    assert_eq!(healthy_at_the_end(&client).await.cause, Cause::QrExpired);
    assert_eq!(stage.sim.stats().connections, 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_secret_redraws_the_code_without_extending_it() {
    let stage = Stage::new(3).await;
    let (client, mut events) = stage.start().await;
    let first = qr(&mut events).await;
    tokio::time::sleep(Duration::from_secs(15)).await;
    let conn = stage.pending();
    stage.sim.world(|world, now_ms| world.reject(now_ms, conn, Reject::Refresh)).expect("the phone declines");
    let second = qr(&mut events).await;
    assert_ne!(first.plain(), second.plain());
    assert_eq!(first.plain().split(',').next(), second.plain().split(',').next(), "the same ref");
    assert_eq!(first.until(), second.until());
    assert!(stage.sim.scan_qr(&second.url(), Some(BOT)).is_ok());
    client.wait_online(PATIENCE).await.expect("the new secret counts");
    stage.assert_clean();
}

struct Refuses;

#[async_trait]
impl LinkCheck for Refuses {
    async fn accepts(&self, candidate: &Candidate) -> bool {
        assert_eq!(candidate.account.pn, Some(wa_client::Jid::pn(BOT)));
        assert_eq!(candidate.platform, "android");
        false
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_that_the_application_refuses_is_not_linked() {
    let stage = Stage::new(4).await;
    let (client, mut events) = stage.builder().link_check(Refuses).connect().await.expect("started");
    let code = qr(&mut events).await;
    stage.sim.scan_qr(&code.url(), Some(BOT)).expect("scanned");
    let health = healthy(&client, "the refusal", |health| health.cause == Cause::LinkRefused).await;
    assert_eq!(health.status, Status::Refused);
    let why = next(&mut events, "the problem", |event| match &event.kind {
        Kind::LinkingProblem(LinkProblem::Refused(why)) => Some(why.clone()),
        _ => None,
    })
    .await;
    assert_eq!(why, "refused by the application");
    assert_eq!(client.me(), None);
    let devices = stage.sim.world(|world, _| world.account(world.find_pn(BOT).expect("Bot")).devices.len());
    assert_eq!(devices, 1, "the phone alone");
    client.reconnect_now();
    qr(&mut events).await;
}
