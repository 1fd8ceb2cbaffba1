//! Messages that this device was not given or cannot open: the phone is asked, and what comes of that is told
//! (chapters 04 §15, 05 §8.3).

use std::time::Duration;

use wa_binary::Node;
use wa_client::Jid;
use wa_client::events::{EventStream, Kind};
use wa_client::messages::placeholder::Missing;
use wa_sim::faults::{Action, Direction, Fault, Match};
use wa_sim::phone::{Action as Deed, Misbehaviour};
use wa_sim::trace::Filter;

use crate::stage::{ADA, BOT, PATIENCE, Stage, next, next_within};

fn ada_writes(stage: &Stage, text: &str) {
    stage
        .sim
        .act(ADA, Deed::Text { chat: Jid::pn(BOT), text: text.into(), quote: None })
        .expect("Ada writes");
}

/// Ada's next message comes without a ciphertext.
fn withhold(stage: &Stage) {
    let message = Match { device: Some(1), ..Match::stanza(Direction::Out, "message") };
    stage.sim.fault(Fault::once(message, Action::Unavailable));
}

async fn undecryptable(events: &mut EventStream) -> String {
    next(events, "that it is not there", |event| match &event.kind {
        Kind::Undecryptable { id, .. } => Some(id.clone()),
        _ => None,
    })
    .await
}

async fn missing(events: &mut EventStream, within: Duration) -> (String, Missing) {
    next_within(events, "that it will not come", within, |event| match &event.kind {
        Kind::Missing { id, why, .. } => Some((id.clone(), *why)),
        _ => None,
    })
    .await
}

async fn text(events: &mut EventStream, text: &str) -> String {
    next_within(events, text, Duration::from_secs(100), |event| match &event.kind {
        Kind::Message(message) if message.text() == Some(text) => Some(message.id.to_string()),
        _ => None,
    })
    .await
}

fn questions(stage: &Stage) -> usize {
    let filter = Filter { direction: Some(Direction::In), tag: Some("message".into()), ..Filter::default() };
    let asked = stage.sim.trace(&filter);
    asked.iter().filter(|it| it.node.attr_is("push_priority", "high_force")).count()
}

#[tokio::test(start_paused = true)]
async fn what_this_device_was_not_given_comes_from_the_phone() {
    let stage = Stage::new(1_300).await;
    let (_client, mut events) = stage.linked().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    withhold(&stage);
    ada_writes(&stage, "hidden");
    let id = undecryptable(&mut events).await;
    assert_eq!(text(&mut events, "hidden").await, id);
    assert_eq!(questions(&stage), 1);
    // The next one comes as always, and nothing more is asked.
    ada_writes(&stage, "plain");
    text(&mut events, "plain").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(questions(&stage), 1);
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn what_its_sender_brings_again_is_not_asked_of_the_phone() {
    let stage = Stage::new(1_301).await;
    let (_client, mut events) = stage.linked().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    ada_writes(&stage, "first");
    text(&mut events, "first").await;
    stage.sim.misbehave(ADA, Misbehaviour::BentCiphertext).expect("Ada is there");
    ada_writes(&stage, "bent");
    let id = undecryptable(&mut events).await;
    assert_eq!(text(&mut events, "bent").await, id);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(questions(&stage), 0);
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_is_away_is_told_of_and_its_late_answer_counts() {
    let stage = Stage::new(1_302).await;
    let (_client, mut events) = stage.linked().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let online = |online: bool| {
        stage.sim.world(|world, now| {
            let bot = world.find_pn(BOT).expect("Bot");
            world.set_phone_online(now, bot, online);
        });
    };
    withhold(&stage);
    ada_writes(&stage, "hidden");
    online(false);
    let id = undecryptable(&mut events).await;
    let told = missing(&mut events, Duration::from_secs(120)).await;
    assert_eq!(told, (id.clone(), Missing::PhoneSilent));
    online(true);
    assert_eq!(text(&mut events, "hidden").await, id);
    assert_eq!(questions(&stage), 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_phone_does_not_have_is_told_of() {
    let stage = Stage::new(1_303).await;
    let (_client, mut events) = stage.linked().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let stanza = |id: &'static str, kind: Option<&'static str>| {
        Node::new("message")
            .attr("id", id)
            .attr("from", Jid::pn(ADA))
            .attr("type", "text")
            .attr("t", (stage.sim.now_ms() / 1000).to_string())
            .child(Node::new("unavailable").maybe_attr("type", kind))
    };
    stage.sim.send(BOT, 1, stanza("NEVER", None));
    assert_eq!(undecryptable(&mut events).await, "NEVER");
    let told = missing(&mut events, Duration::from_secs(120)).await;
    assert_eq!(told, ("NEVER".to_owned(), Missing::PhoneHasNot));
    // View-once files never come to linked devices: nobody is asked.
    stage.sim.send(BOT, 1, stanza("ONCE", Some("view_once")));
    assert_eq!(missing(&mut events, PATIENCE).await, ("ONCE".to_owned(), Missing::ViewOnce));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(questions(&stage), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stopped_before_it_asked_asks_when_it_is_back() {
    let stage = Stage::new(1_304).await;
    let (client, mut events) = stage.linked().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    withhold(&stage);
    ada_writes(&stage, "hidden");
    let id = undecryptable(&mut events).await;
    client.shutdown(PATIENCE).await;
    drop((client, events));
    assert_eq!(questions(&stage), 0);
    let (_client, mut events) = stage.start().await;
    assert_eq!(text(&mut events, "hidden").await, id);
    assert_eq!(questions(&stage), 1);
}
