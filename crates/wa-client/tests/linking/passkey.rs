//! The passkey step: both screens show one code, and every way in which it can fail (chapter 02 §5).

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use wa_client::events::{EventStream, Kind};
use wa_client::health::{Cause, Status};
use wa_client::linking::{
    CodeCheck, LinkProblem, PasskeyAssertion, PasskeyAuthenticator, PasskeyProblem, PasskeyRequest,
};
use wa_client::{Client, Jid};

use crate::stage::{BOT, PATIENCE, Stage, healthy, next};

#[derive(Clone, Copy)]
enum Person {
    Agrees,
    HasNoKey,
    SeesAnotherCode,
}

struct Authenticator {
    person: Person,
    seen: Arc<Mutex<Vec<(String, CodeCheck)>>>,
}

#[async_trait]
impl PasskeyAuthenticator for Authenticator {
    async fn assert(&self, request: &PasskeyRequest) -> Result<PasskeyAssertion, String> {
        assert!(request.options.contains("\"rpId\""), "{}", request.options);
        match self.person {
            Person::HasNoKey => Err("no passkey here".to_owned()),
            _ => Ok(PasskeyAssertion { credential_id: vec![1, 2, 3], response: "{}".to_owned() }),
        }
    }

    async fn confirms(&self, code: &str, check: CodeCheck) -> bool {
        self.seen.lock().push((code.to_owned(), check));
        !matches!(self.person, Person::SeesAnotherCode)
    }
}

/// A client whose link is interrupted by the demand for a passkey.
async fn demanded(
    stage: &Stage,
    person: Option<Person>,
) -> (Client, EventStream, Arc<Mutex<Vec<(String, CodeCheck)>>>) {
    let seen = Arc::default();
    let mut builder = stage.builder();
    if let Some(person) = person {
        builder = builder.passkey(Authenticator { person, seen: Arc::clone(&seen) });
    }
    let (client, mut events) = builder.connect().await.expect("started");
    next(&mut events, "a QR code", |event| matches!(event.kind, Kind::LinkingQr(_)).then_some(())).await;
    let conn = stage.pending();
    stage
        .sim
        .world(|world, now_ms| {
            let account = world.find_pn(BOT);
            world.demand_passkey(now_ms, conn, account)
        })
        .expect("demanded");
    (client, events, seen)
}

async fn problem(events: &mut EventStream) -> PasskeyProblem {
    next(events, "the problem", |event| match &event.kind {
        Kind::LinkingProblem(LinkProblem::Passkey(problem)) => Some(problem.clone()),
        _ => None,
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_passkey_links_and_both_screens_show_one_code() {
    let stage = Stage::new(30).await;
    let (client, _events, seen) = demanded(&stage, Some(Person::Agrees)).await;
    client.wait_online(PATIENCE).await.expect("linked");
    assert_eq!(client.me().and_then(|me| me.pn), Some(Jid::pn(BOT)));
    let seen = seen.lock();
    let [(code, check)] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!(code.len(), 9);
    assert_eq!(*check, CodeCheck::Optional, "the handoff proof was sent");
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn without_an_authenticator_the_account_says_that_a_passkey_is_demanded() {
    let stage = Stage::new(31).await;
    let (client, mut events, _) = demanded(&stage, None).await;
    assert_eq!(problem(&mut events).await, PasskeyProblem::NoAuthenticator);
    assert_eq!(client.me(), None);
    // The QR code goes on: another account may scan it.
    healthy(&client, "the QR code", |health| matches!(health.status, Status::WaitingForQr { .. })).await;
}

#[tokio::test(start_paused = true)]
async fn a_person_without_a_passkey_or_with_another_code_does_not_link() {
    for (seed, person) in [(32, Person::HasNoKey), (33, Person::SeesAnotherCode)] {
        let stage = Stage::new(seed).await;
        let (client, mut events, _) = demanded(&stage, Some(person)).await;
        let expected = match person {
            Person::HasNoKey => PasskeyProblem::Refused("no passkey here".to_owned()),
            _ => PasskeyProblem::CodesDiffer,
        };
        assert_eq!(problem(&mut events).await, expected);
        assert_eq!(client.me(), None);
    }
}

struct Slow;

#[async_trait]
impl PasskeyAuthenticator for Slow {
    async fn assert(&self, _: &PasskeyRequest) -> Result<PasskeyAssertion, String> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn an_authenticator_that_never_answers_is_given_up_after_five_minutes() {
    let stage = Stage::with(34, |config| config.registration_ms = 3_600_000).await;
    let (client, mut events) = stage.builder().passkey(Slow).connect().await.expect("started");
    next(&mut events, "a QR code", |event| matches!(event.kind, Kind::LinkingQr(_)).then_some(())).await;
    let conn = stage.pending();
    stage.sim.world(|world, now_ms| world.demand_passkey(now_ms, conn, None)).expect("demanded");
    let health = healthy(&client, "the demand", |health| health.status == Status::PasskeyRequired).await;
    assert_eq!(health.cause, Cause::PasskeyDemanded);
    let deadline = health.deadline.expect("a deadline");
    assert_eq!(deadline.since(health.since).as_secs(), 300);
    let over = std::time::Duration::from_secs(301);
    let problem = crate::stage::next_within(&mut events, "the end", over, |event| match &event.kind {
        Kind::LinkingProblem(LinkProblem::Passkey(problem)) => Some(problem.clone()),
        _ => None,
    })
    .await;
    assert_eq!(problem, PasskeyProblem::TimedOut);
    healthy(&client, "the end of the codes", |health| health.cause == Cause::QrExpired).await;
}
