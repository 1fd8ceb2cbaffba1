//! Linking by a typed code: custom, cancelled, refreshed, expired, mistyped, refused (chapter 02 §4).

use std::time::Duration;

use wa_binary::{Jid, Node};
use wa_client::Client;
use wa_client::events::{EventStream, Kind};
use wa_client::health::{Cause, LinkOffer, Status};
use wa_client::linking::{CodeEnd, CodeError, CodeOptions, LinkProblem};
use wa_sim::faults::{Action, Direction, Fault, Match};
use wa_sim::pairing::Reject;
use wa_sim::trace::Filter;

use crate::stage::{BOT, PATIENCE, Stage, healthy, next_within};

const NUMBER: &str = "+1 555-0100";

async fn ended(events: &mut EventStream) -> CodeEnd {
    next_within(events, "the end of the code", Duration::from_secs(200), |event| match &event.kind {
        Kind::LinkingProblem(LinkProblem::Code(end)) => Some(end.clone()),
        _ => None,
    })
    .await
}

async fn code(client: &Client) -> wa_client::linking::LinkingCode {
    client.linking().code(NUMBER, CodeOptions::default()).await.expect("a code")
}

#[tokio::test(start_paused = true)]
async fn a_typed_code_links_and_the_event_shows_it() {
    let stage = Stage::new(10).await;
    let (client, mut events) = stage.start().await;
    // Asked for before the server has offered anything: the request waits for the offer.
    let asked = code(&client).await;
    let shown = next_within(&mut events, "the code", PATIENCE, |event| match &event.kind {
        Kind::LinkingCode(code) => Some(code.clone()),
        _ => None,
    })
    .await;
    assert_eq!(shown, asked);
    assert_eq!(shown.to_string().len(), 9);
    let health = client.health();
    assert_eq!(
        (health.status, health.cause),
        (Status::WaitingForCode { until: shown.until }, Cause::CodeShown)
    );
    assert_eq!(shown.until.since(stage.store.clock().now()).as_secs().next_multiple_of(10), 180);
    stage.sim.enter_code(Some(BOT), asked.characters()).expect("typed");
    client.wait_online(PATIENCE).await.expect("linked");
    assert_eq!(client.me().and_then(|me| me.pn), Some(Jid::pn(BOT)));
    assert_eq!(client.linking().code(NUMBER, CodeOptions::default()).await, Err(CodeError::AlreadyLinked));
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_custom_code_is_taken_and_a_bad_one_or_a_bad_number_is_refused_at_once() {
    let stage = Stage::new(11).await;
    let (client, _events) = stage.start().await;
    let linking = client.linking();
    for bad in ["ABCD", "ABCD-EFGO", "ABCD-EFGHJ"] {
        let error = linking.code(NUMBER, CodeOptions::custom(bad)).await.expect_err(bad);
        assert!(matches!(error, CodeError::Custom(_)), "{error:?}");
    }
    for bad in ["12345", "0155 501 00", "no number"] {
        let error = linking.code(bad, CodeOptions::default()).await.expect_err(bad);
        assert!(matches!(error, CodeError::Number(_)) && !error.is_temporary(), "{error:?}");
    }
    let code = linking.code(NUMBER, CodeOptions::custom("abcd-efgh").silent()).await.expect("a code");
    assert_eq!(code.to_string(), "ABCD-EFGH");
    stage.sim.enter_code(Some(BOT), "ABCD-EFGH").expect("typed");
    client.wait_online(PATIENCE).await.expect("linked");
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn one_code_is_outstanding_until_it_is_cancelled_or_refreshed() {
    let stage = Stage::new(12).await;
    let (client, mut events) = stage.start().await;
    let linking = client.linking();
    assert_eq!(linking.refresh_code(CodeOptions::default()).await, Err(CodeError::NothingToRefresh));
    assert!(!linking.cancel_code().await);
    let first = code(&client).await;
    let second = linking.code(NUMBER, CodeOptions::default()).await;
    assert_eq!(second, Err(CodeError::AlreadyOutstanding { until: Some(first.until) }));

    let second = linking.refresh_code(CodeOptions::default()).await.expect("another code");
    assert_ne!(second.characters(), first.characters());
    assert_eq!(ended(&mut events).await, CodeEnd::Cancelled);
    // The old code is worth nothing any more.
    stage.sim.enter_code(Some(BOT), first.characters()).expect("typed");
    assert_eq!(ended(&mut events).await, CodeEnd::WrongCode);
    assert_eq!(client.me(), None);

    let third = code(&client).await;
    assert!(linking.cancel_code().await);
    assert_eq!(ended(&mut events).await, CodeEnd::Cancelled);
    healthy(&client, "the QR code again", |health| matches!(health.status, Status::WaitingForQr { .. }))
        .await;
    // What is typed after it was cancelled is ignored.
    stage.sim.enter_code(Some(BOT), third.characters()).expect("typed");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(client.me(), None);
}

#[tokio::test(start_paused = true)]
async fn a_mistyped_code_ends_after_a_minute_of_silence_and_the_next_one_links() {
    let stage = Stage::new(13).await;
    let (client, mut events) = stage.start().await;
    code(&client).await;
    let typed_at = stage.store.clock().now();
    stage.sim.enter_code(Some(BOT), "2222-2222").expect("a code is a code");
    assert_eq!(ended(&mut events).await, CodeEnd::WrongCode);
    assert_eq!(stage.store.clock().now().since(typed_at).as_secs(), 60);
    let health = client.health();
    assert_eq!(health.status, Status::LinkExpired(LinkOffer::Code), "{health}");
    let next = code(&client).await;
    stage.sim.enter_code(Some(BOT), next.characters()).expect("typed");
    client.wait_online(PATIENCE).await.expect("linked");
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_code_that_is_typed_again_after_a_slip_still_links() {
    let stage = Stage::new(14).await;
    let (client, _events) = stage.start().await;
    let code = code(&client).await;
    for wrong in ["2222-2222", "3333-3333"] {
        stage.sim.enter_code(Some(BOT), wrong).expect("a code is a code");
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    stage.sim.enter_code(Some(BOT), code.characters()).expect("typed");
    client.wait_online(PATIENCE).await.expect("the third attempt counts");
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn the_fourth_attempt_for_one_code_is_not_answered() {
    let stage = Stage::new(15).await;
    let (client, mut events) = stage.start().await;
    let code = code(&client).await;
    for wrong in ["2222-2222", "3333-3333", "4444-4444"] {
        stage.sim.enter_code(Some(BOT), wrong).expect("a code is a code");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    stage.sim.enter_code(Some(BOT), code.characters()).expect("typed");
    assert_eq!(ended(&mut events).await, CodeEnd::WrongCode);
    assert_eq!(client.me(), None);
}

#[tokio::test(start_paused = true)]
async fn a_code_expires_after_three_minutes_and_with_it_the_offer() {
    let stage = Stage::with(16, |config| {
        config.registration_ms = 3_600_000;
        config.code_ms = 3_600_000;
    })
    .await;
    let (client, mut events) = stage.start().await;
    let code = code(&client).await;
    assert_eq!(ended(&mut events).await, CodeEnd::Expired);
    assert_eq!(stage.store.clock().now().as_secs(), code.until.as_secs());
    let health =
        healthy(&client, "the end", |health| health.status == Status::LinkExpired(LinkOffer::Code)).await;
    assert_eq!(health.cause, Cause::CodeExpired);
    assert!(stage.sim.enter_code(Some(BOT), code.characters()).is_err(), "the connection is gone");
    client.reconnect_now();
    let code = self::code(&client).await;
    stage.sim.enter_code(Some(BOT), code.characters()).expect("typed");
    client.wait_online(PATIENCE).await.expect("linked");
}

#[tokio::test(start_paused = true)]
async fn a_code_that_the_server_withdraws_is_over() {
    let stage = Stage::new(17).await;
    let (client, mut events) = stage.start().await;
    code(&client).await;
    let conn = stage.pending();
    stage.sim.world(|world, now_ms| world.reject(now_ms, conn, Reject::Code)).expect("withdrawn");
    assert_eq!(ended(&mut events).await, CodeEnd::Withdrawn { by_hand: false });
    assert!(client.linking().code(NUMBER, CodeOptions::default()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_code_is_lost_with_its_connection() {
    let stage = Stage::new(18).await;
    let (client, mut events) = stage.start().await;
    code(&client).await;
    let conn = stage.pending();
    stage.sim.world(|world, now_ms| world.reject(now_ms, conn, Reject::Close)).expect("closed");
    assert_eq!(ended(&mut events).await, CodeEnd::ConnectionLost);
    healthy(&client, "a QR code again", |health| matches!(health.status, Status::WaitingForQr { .. })).await;
    assert!(client.linking().code(NUMBER, CodeOptions::default()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn every_refusal_of_the_server_has_its_type() {
    let stage = Stage::new(19).await;
    let (client, mut events) = stage.start().await;
    let hello =
        || Match { child: Some("link_code_companion_reg".into()), ..Match::stanza(Direction::In, "iq") };
    type Fits = fn(&CodeError) -> bool;
    let cases: [(Action, Fits, bool); 6] = [
        (Action::IqError { code: 400, text: "bad-request".into() }, |e| *e == CodeError::BadRequest, false),
        (Action::IqError { code: 403, text: "forbidden".into() }, |e| *e == CodeError::Forbidden, false),
        (
            Action::RateOverlimit { backoff: Some(30) },
            |e| *e == CodeError::RateLimited { backoff: Some(Duration::from_secs(30)) },
            true,
        ),
        (Action::RateOverlimit { backoff: None }, |e| *e == CodeError::RateLimited { backoff: None }, true),
        (Action::IqError { code: 452, text: String::new() }, |e| *e == CodeError::NotAvailable, false),
        (Action::IqError { code: 500, text: String::new() }, |e| matches!(e, CodeError::Request(_)), true),
    ];
    for (action, fits, temporary) in cases {
        stage.sim.fault(Fault::once(hello(), action.clone()));
        let error = client.linking().code(NUMBER, CodeOptions::default()).await.expect_err("refused");
        assert!(fits(&error), "{action:?}: {error:?}");
        assert_eq!(error.is_temporary(), temporary, "{error:?}");
        assert!(error.remedy().ends_with('.'));
    }
    // Nothing of it stands in the way of the next one.
    let code = code(&client).await;
    // The phone's answer meets a refusal as well.
    let refusal = Action::IqError { code: 403, text: "forbidden".into() };
    stage.sim.fault(Fault::once(hello(), refusal));
    stage.sim.enter_code(Some(BOT), code.characters()).expect("typed");
    assert_eq!(ended(&mut events).await, CodeEnd::Refused { code: 403, backoff: None });
}

/// The ref that the server gave to the code.
fn reference(stage: &Stage) -> Vec<u8> {
    let answer = Filter {
        direction: Some(Direction::Out),
        child: Some("link_code_companion_reg".into()),
        ..Filter::default()
    };
    let answers = stage.sim.trace(&answer);
    let child =
        answers.last().expect("an answer").node.required_child("link_code_companion_reg").expect("a stage");
    child
        .required_child("link_code_pairing_ref")
        .expect("a ref")
        .required_bytes()
        .expect("bytes")
        .into_owned()
}

#[tokio::test(start_paused = true)]
async fn an_answer_for_a_code_that_nobody_asked_for_changes_nothing() {
    let stage = Stage::new(20).await;
    let (client, mut events) = stage.start().await;
    let code = code(&client).await;
    let conn = stage.pending();
    let hello = |id: &str, reference: &[u8], wrapped: usize, identity: usize| {
        let bytes = |tag: &'static str, bytes: &[u8]| Node::new(tag).bytes(bytes.to_vec());
        Node::new("notification")
            .attr("from", Jid::SERVER)
            .attr("type", "link_code_companion_reg")
            .attr("id", id)
            .child(
                Node::new("link_code_companion_reg")
                    .attr("stage", "primary_hello")
                    .child(bytes("link_code_pairing_ref", reference))
                    .child(bytes("link_code_pairing_wrapped_primary_ephemeral_pub", &vec![0; wrapped]))
                    .child(bytes("primary_identity_pub", &vec![0; identity])),
            )
    };
    let finish = Filter {
        direction: Some(Direction::In),
        child: Some("link_code_companion_reg".into()),
        ..Filter::default()
    };
    let before = stage.sim.trace(&finish).len();
    let mut ids = Vec::new();
    // Another ref, keys of a wrong length, keys that no honest phone has: acknowledged, and not answered.
    let reference = reference(&stage);
    let cases = [(&b"another"[..], 80, 32), (&reference, 79, 32), (&reference, 81, 31), (&reference, 80, 32)];
    for (number, (reference, wrapped, identity)) in cases.into_iter().enumerate() {
        let id = format!("hello-{number}");
        stage
            .sim
            .world(|world, now_ms| world.push_to(now_ms, conn, hello(&id, reference, wrapped, identity)));
        ids.push(id);
    }
    for id in ids {
        let ack = Filter { tag: Some("ack".into()), id: Some(id), ..Filter::default() };
        stage.sim.expect(&ack, PATIENCE).await.expect("acknowledged");
    }
    assert_eq!(stage.sim.trace(&finish).len(), before);
    assert_eq!(ended(&mut events).await, CodeEnd::WrongCode);
    drop(code);
    assert_eq!(client.me(), None);
}
