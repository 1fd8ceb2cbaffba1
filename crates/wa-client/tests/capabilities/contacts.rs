//! Look-up of numbers, push names, what the phone has read, own copies (chapter 09a §2, §7, chapter 05 §10).

use std::time::Duration;

use futures_util::future::join_all;
use wa_client::contacts::{LookupBudget, LookupError, Registered};
use wa_client::events::Kind;
use wa_client::messages::types::ReceiptKind;
use wa_client::{Jid, PushNameError};
use wa_sim::faults::{Action, Direction, Fault, Match};
use wa_sim::phone::Action as Deed;
use wa_sim::trace::Filter;

use crate::stage::{ADA, BOT, PATIENCE, Stage, next};

/// Questions to the directory so far that were not about devices.
fn questions(stage: &Stage) -> usize {
    let filter = Filter { direction: Some(Direction::In), xmlns: Some("usync".into()), ..Filter::default() };
    let interactive = |node: &wa_binary::Node| {
        node.optional_child("usync").is_some_and(|usync| usync.attr_is("context", "interactive"))
    };
    stage.sim.trace(&filter).iter().filter(|passed| interactive(&passed.node)).count()
}

#[tokio::test(start_paused = true)]
async fn numbers_are_looked_up_once_and_remembered_for_a_day_or_an_hour() {
    let stage = Stage::new(600).await;
    let (client, _events) = stage.linked().await;
    let contacts = client.contacts();
    let asked = ["+1 555 01 01", "15550199", "1-555-0101"];
    // Two who want the same at once ask one question.
    let both = join_all([contacts.lookup(&asked), contacts.lookup(&asked)]).await;
    for answers in both {
        let answers = answers.expect("answered");
        assert_eq!(answers.iter().map(|one| one.query.as_str()).collect::<Vec<_>>(), asked);
        assert_eq!(
            answers.iter().map(|one| one.registered).collect::<Vec<_>>(),
            [Registered::Yes, Registered::No, Registered::Yes]
        );
        let peer = answers[0].peer.as_ref().expect("somebody");
        assert_eq!(peer.pn, Some(Jid::pn(ADA)));
        assert!(peer.lid.as_ref().is_some_and(Jid::is_lid));
        assert_eq!(answers[1].peer, None);
    }
    assert_eq!(questions(&stage), 1);
    tokio::time::sleep(Duration::from_secs(2 * 3600)).await;
    contacts.lookup(&asked).await.expect("answered");
    assert_eq!(questions(&stage), 2, "only the no was forgotten");
    tokio::time::sleep(Duration::from_secs(600)).await;
    contacts.lookup(&["15550101"]).await.expect("answered");
    assert_eq!(questions(&stage), 2);
    let bad = contacts.lookup(&["15550101", "12"]).await;
    assert!(matches!(bad, Err(LookupError::Number { number, .. }) if number == "12"));
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_budget_and_a_refusal_stop_the_questions_and_say_until_when() {
    let stage = Stage::new(601).await;
    let budget = LookupBudget { numbers: 3, per: Duration::from_secs(1800) };
    let (client, mut events) = stage.builder().lookup_budget(budget).connect().await.expect("started");
    stage.link(&client, &mut events).await;
    let contacts = client.contacts();
    contacts.lookup(&["15550101", "15550191"]).await.expect("within the budget");
    let first = stage.store.clock().now();
    let Err(LookupError::TooMany { until }) = contacts.lookup(&["15550192", "15550193"]).await else {
        panic!("past the budget")
    };
    assert!(until.since(first) <= budget.per && until > first);
    assert_eq!(questions(&stage), 1, "nothing was asked");
    contacts.lookup(&["15550101"]).await.expect("what is known costs nothing");

    tokio::time::sleep(budget.per).await;
    let usync = Match { xmlns: Some("usync".into()), ..Match::stanza(Direction::In, "iq") };
    stage.sim.fault(Fault::once(usync, Action::RateOverlimit { backoff: Some(120) }));
    let Err(LookupError::TooMany { until }) = contacts.lookup(&["15550194"]).await else { panic!("refused") };
    assert_eq!(until.since(stage.store.clock().now()).as_secs(), 120);
    assert!(matches!(contacts.lookup(&["15550194"]).await, Err(LookupError::TooMany { .. })));
    tokio::time::sleep(Duration::from_secs(121)).await;
    contacts.lookup(&["15550194"]).await.expect("answered after the pause");
}

#[tokio::test(start_paused = true)]
async fn names_are_learnt_from_messages_and_the_own_name_is_shown() {
    let stage = Stage::new(602).await;
    let (client, mut events) = stage.linked().await;
    stage
        .sim
        .act(ADA, Deed::Text { chat: Jid::pn(BOT), text: "hello".into(), quote: None })
        .expect("Ada writes");
    let message = next(&mut events, "hello", |event| match &event.kind {
        Kind::Message(message) => Some(message.clone()),
        _ => None,
    })
    .await;
    assert!(message.push_name.is_some());
    let names = client.contacts().names(&message.sender).await.expect("read");
    assert_eq!(names.push.as_deref(), message.push_name.as_deref());

    assert_eq!(client.set_push_name("  ").await, Err(PushNameError::Empty));
    client.set_push_name("Echo").await.expect("set");
    assert_eq!(client.push_name().as_deref(), Some("Echo"));
    let presence =
        Filter { direction: Some(Direction::In), tag: Some("presence".into()), ..Filter::default() };
    // The name of the phone was shown before.
    let before =
        Filter { since: stage.sim.expect(&presence, PATIENCE).await.expect("shown").seq, ..presence };
    let shown = stage.sim.expect(&before, PATIENCE).await.expect("shown again");
    assert!(shown.node.attr_is("name", "Echo"), "{}", shown.node);
    client.shutdown(PATIENCE).await;
    drop((client, events));
    let (client, _events) = stage.start().await;
    assert_eq!(client.push_name().as_deref(), Some("Echo"));
    client.wait_online(PATIENCE).await.expect("online");
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn what_the_phone_reads_and_writes_is_heard() {
    let stage = Stage::new(603).await;
    let (client, mut events) = stage.linked().await;
    stage
        .sim
        .act(ADA, Deed::Text { chat: Jid::pn(BOT), text: "read me".into(), quote: None })
        .expect("Ada writes");
    let message = next(&mut events, "the text", |event| match &event.kind {
        Kind::Message(message) => Some(message.clone()),
        _ => None,
    })
    .await;
    stage.sim.act(BOT, Deed::Read { chat: Jid::pn(ADA) }).expect("the phone reads");
    let receipt = next(&mut events, "the receipt of the phone", |event| match &event.kind {
        Kind::Receipt(receipt) if receipt.kind == ReceiptKind::ReadElsewhere => Some(receipt.clone()),
        _ => None,
    })
    .await;
    assert!(receipt.ids.contains(&message.id), "{receipt:?}");

    stage
        .sim
        .act(BOT, Deed::Text { chat: Jid::pn(ADA), text: "from the phone".into(), quote: None })
        .expect("the phone writes");
    let copy = next(&mut events, "the own copy", |event| match &event.kind {
        Kind::Message(message) if message.from_me => Some(message.clone()),
        _ => None,
    })
    .await;
    assert_eq!(copy.text(), Some("from the phone"));
    assert_eq!(copy.chat.key, message.chat.key, "the same chat");
    drop(client);
    stage.assert_clean();
}
