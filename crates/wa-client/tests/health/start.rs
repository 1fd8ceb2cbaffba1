//! What a start asks of the store. Each turn is a way to another thread and back, or to a server: of an account that was
//! online before, a start takes these and no more.

use std::time::Duration;

use wa_client::Jid;
use wa_client::events::Kind;
use wa_client::messages::sending::SendReport;
use wa_client::messages::status::Progress;
use wa_store::Table;
use wa_store::conformance::{Turn, Unreliable};

use crate::stage::{ADA, PATIENCE, Stage, next};
use crate::store::{unreliable, writes};

/// What one start, and what a login begins, ask of the store when nobody writes; and what the end asks.
async fn started(stage: &Stage, backend: &Unreliable) -> (Vec<Turn>, Vec<Turn>) {
    backend.turns();
    let (client, mut events) = stage.start().await;
    let listening = tokio::spawn(async move { while events.next().await.is_some() {} });
    client.wait_online(PATIENCE).await.unwrap();
    // In virtual time: all that is ever going to be asked.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let turns = backend.turns();
    client.shutdown(PATIENCE).await;
    drop(client);
    listening.await.unwrap();
    (turns, backend.turns())
}

#[tokio::test(start_paused = true)]
async fn a_start_takes_one_turn_of_the_store() {
    let (stage, backend) = unreliable(520).await;
    let (client, events) = stage.linked().await;
    // Long enough for all that a link starts.
    tokio::time::sleep(Duration::from_secs(60)).await;
    client.shutdown(PATIENCE).await;
    drop((client, events));
    // The first one has events to hand out, some taken, and history and keys to look at: what the later ones leave out
    // because there is nothing.
    let (first, _) = started(&stage, &backend).await;
    for looked_at in [Table::Inbox, Table::HistoryJobs] {
        assert!(first.contains(&Turn::Scan(looked_at)), "{first:?}");
    }
    for read in [Table::InboxTaken, Table::PreKeys] {
        assert!(first.contains(&Turn::Read(vec![read])), "{first:?}");
    }
    for _ in 0..3 {
        // The lease with all that is asked for; the count of logins waits for somebody's commit, or for the end.
        let (turns, at_end) = started(&stage, &backend).await;
        assert_eq!(turns, [Turn::Acquire]);
        assert!(at_end.contains(&Turn::Commit(vec![Table::Devices])), "{at_end:?}");
    }
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn what_was_written_since_the_start_is_looked_at() {
    let (stage, backend) = unreliable(521).await;
    let (client, events) = stage.linked().await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    client.shutdown(PATIENCE).await;
    drop((client, events));
    started(&stage, &backend).await;
    stage.unreachable();
    let (client, mut events) = stage.start().await;
    // Into an outbox that was empty at the start, before there was a connection.
    let sending = client.messages().send(&Jid::pn(ADA), "early").await.unwrap();
    stage.sim.heal();
    client.reconnect_now();
    client.wait_online(PATIENCE).await.unwrap();
    stage.inbox_of(ADA, 1, |one| one.id == sending.id.as_str()).await;
    writes(&stage, "late");
    next(&mut events, "the message", |event| match &event.kind {
        Kind::Message(message) => (message.text() == Some("late")).then_some(()),
        _ => None,
    })
    .await;
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_message_to_a_person_who_is_known_reads_nothing() {
    let (stage, backend) = unreliable(522).await;
    let (client, _events) = stage.linked().await;
    let ada = Jid::pn(ADA);
    // The first message asks for devices and keys, the answer to it ends what a first message has to carry.
    client.messages().send(&ada, "first").await.unwrap().await;
    writes(&stage, "answer");
    tokio::time::sleep(Duration::from_secs(60)).await;
    backend.turns();
    let sending = client.messages().send(&ada, "second").await.unwrap();
    let id = sending.id.to_string();
    assert!(matches!(sending.await, SendReport::Accepted(_)));
    tokio::time::sleep(Duration::from_secs(10)).await;
    let turns = backend.turns();
    // Taken, its receipt, its answer: none waits for a row that is not in memory.
    assert!(turns.len() <= 3 && turns.iter().all(|turn| matches!(turn, Turn::Commit(_))), "{turns:?}");
    let status = client.messages().status_of(&id).await.unwrap().unwrap();
    assert_eq!(status.progress(), Progress::Delivered);
    stage.assert_clean();
}
