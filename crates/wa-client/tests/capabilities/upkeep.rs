//! What the client sees to by itself after a login: pre-keys that the server lost, routing bytes, its own clock.

use std::time::Duration;

use wa_client::Jid;
use wa_client::events::Kind;
use wa_client::health::Status;
use wa_sim::faults::{Action, Direction, Fault, HandshakeFault, Match, Phase};
use wa_sim::trace::Filter;
use wa_sim::world::DeviceKey;

use crate::stage::{ADA, BOT, PATIENCE, Stage, healthy, next};

fn uploads(stage: &Stage) -> u64 {
    stage.sim.world(|world, _| {
        let key = DeviceKey { account: world.find_pn(BOT).expect("Bot"), device: 1 };
        u64::from(world.stock(key).expect("a stock").uploads)
    })
}

fn digests(stage: &Stage) -> usize {
    let filter = Filter {
        direction: Some(Direction::In),
        xmlns: Some("encrypt".into()),
        child: Some("digest".into()),
        ..Filter::default()
    };
    stage.sim.trace(&filter).len()
}

/// Reconnects and waits until the digest was asked.
async fn again(stage: &Stage, client: &wa_client::Client) {
    let before = digests(stage);
    client.reconnect_now();
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if digests(stage) > before {
            break;
        }
    }
    assert_eq!(digests(stage), before + 1, "once a connection");
    client.wait_online(PATIENCE).await.expect("online");
    tokio::time::sleep(Duration::from_secs(2)).await;
}

#[tokio::test(start_paused = true)]
async fn keys_of_ours_that_the_server_does_not_have_right_are_uploaded_again() {
    let stage = Stage::new(700).await;
    let (client, _events) = stage.linked().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let first = uploads(&stage);
    again(&stage, &client).await;
    assert_eq!(uploads(&stage), first, "a digest that fits changes nothing");
    let digest = Match {
        xmlns: Some("encrypt".into()),
        child: Some("digest".into()),
        ..Match::stanza(Direction::In, "iq")
    };
    stage
        .sim
        .fault(Fault::once(digest.clone(), Action::IqError { code: 404, text: "item-not-found".into() }));
    again(&stage, &client).await;
    assert_eq!(uploads(&stage), first + 1, "the server has nothing");
    stage.sim.fault(Fault::once(digest, Action::IqError { code: 503, text: String::new() }));
    again(&stage, &client).await;
    assert_eq!(uploads(&stage), first + 1, "no answer is no reason");
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn properties_are_asked_for_when_they_are_due() {
    let stage = Stage::with(702, |config| {
        config.props.insert(18_967, "50".to_owned());
    })
    .await;
    let (client, _events) = stage.linked().await;
    let asked = |stage: &Stage| {
        let filter =
            Filter { direction: Some(Direction::In), xmlns: Some("abt".into()), ..Filter::default() };
        stage.sim.trace(&filter).iter().map(|passed| passed.node.to_string()).collect::<Vec<_>>()
    };
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(asked(&stage).len(), 1);
    client.reconnect_now();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(asked(&stage).len(), 1, "good for a day");
    tokio::time::sleep(Duration::from_secs(86_400)).await;
    client.reconnect_now();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let asked = asked(&stage);
    // A day of pings has pushed the first one out of the trace.
    assert!(asked.last().is_some_and(|last| last.contains("hash=")), "{asked:?}");
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn the_servers_clock_is_learnt_again_with_every_answer() {
    let stage = Stage::new(703).await;
    let (client, mut events) = stage.linked().await;
    let text = wa_sim::phone::Action::Text { chat: Jid::pn(BOT), text: "late".into(), quote: None };
    stage.sim.act(ADA, text).expect("Ada writes");
    let message = next(&mut events, "the text", |event| match &event.kind {
        Kind::Message(message) => Some(message.clone()),
        _ => None,
    })
    .await;
    stage.sim.set_clock_offset(3_600_000);
    tokio::time::sleep(Duration::from_secs(60)).await;
    client.mark_read(&[&message]).expect("connected");
    let read = Filter {
        direction: Some(Direction::In),
        tag: Some("receipt".into()),
        kind: Some("read".into()),
        ..Filter::default()
    };
    let read = stage.sim.expect(&read, PATIENCE).await.expect("read");
    let t = read.node.required("t").u64().expect("a time");
    assert!(t.abs_diff(stage.sim.now_ms() / 1000) <= 1, "{t}");
}

#[tokio::test(start_paused = true)]
async fn routing_bytes_that_lead_nowhere_are_given_up() {
    let stage = Stage::new(701).await;
    let (client, _events) = stage.linked().await;
    let row = async || {
        let account = stage.store.account("main").open().await.expect("opened");
        account.one(wa_store::tables::NumberState, &"edge-routing".into()).await.expect("read")
    };
    stage.sim.fault(Fault::once(
        Match::phase(Phase::Hello),
        Action::Handshake { fault: HandshakeFault::Undecodable },
    ));
    client.reconnect_now();
    healthy(&client, "the failure", |health| matches!(health.status, Status::Reconnecting { .. })).await;
    client.wait_online(PATIENCE).await.expect("the next attempt goes without");
    client.shutdown(PATIENCE).await;
    assert_eq!(row().await, None);
}

#[tokio::test(start_paused = true)]
async fn the_salt_of_the_first_history_is_kept_and_makes_the_tokens_of_first_messages() {
    let stage = Stage::new(704).await;
    let (client, _events) = stage.linked().await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let (salt, ada) = stage.sim.world(|world, _| {
        let bot = world.account(world.find_pn(BOT).expect("Bot")).nct_salt;
        let ada = Jid::lid(world.account(world.find_pn(ADA).expect("Ada")).lid.expect("a LID"));
        (bot, ada)
    });
    let sent = client.messages().send(&Jid::pn(ADA), "a first word").await.expect("taken").await;
    assert!(matches!(sent, wa_client::messages::sending::SendReport::Accepted(_)), "{sent:?}");
    let message = Filter { direction: Some(Direction::In), tag: Some("message".into()), ..Filter::default() };
    let trace = stage.sim.trace(&message);
    let token = trace.last().and_then(|last| last.node.optional_child("cstoken")?.optional_bytes());
    assert_eq!(token.as_deref(), Some(&wa_core::tokens::privacy::cs_token(&salt, &ada)[..]));
    client.shutdown(PATIENCE).await;
    let account = stage.store.account("main").open().await.expect("opened");
    let kept = account.one(wa_store::tables::NumberState, &"nct-salt".into()).await.expect("read");
    assert_eq!(kept.as_deref(), Some(&salt[..]));
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_message_waits_as_long_as_the_server_says_that_its_questions_must() {
    let stage = Stage::new(705).await;
    let (client, _events) = stage.linked().await;
    let question = Match { xmlns: Some("usync".into()), ..Match::stanza(Direction::In, "iq") };
    stage.sim.fault(Fault::once(question, Action::RateOverlimit { backoff: Some(45) }));
    let begun = tokio::time::Instant::now();
    let sending = client.messages().send(&Jid::pn(ADA), "patience").await.expect("taken");
    let filter = Filter { direction: Some(Direction::In), tag: Some("message".into()), ..Filter::default() };
    stage.sim.expect(&filter, Duration::from_secs(60)).await.expect("sent in the end");
    let waited = begun.elapsed();
    assert!((Duration::from_secs(45)..Duration::from_secs(47)).contains(&waited), "{waited:?}");
    let report = sending.await;
    assert!(matches!(report, wa_client::messages::sending::SendReport::Accepted(_)), "{report:?}");
    stage.assert_clean();
}
