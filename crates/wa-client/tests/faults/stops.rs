//! Stops of the whole server (chapter 10 §11): it comes back with what it knew, or has forgotten everything.

use std::time::Duration;

use wa_client::Jid;
use wa_client::events::Kind;
use wa_client::health::{Cause, Status};
use wa_sim::phone::Action;

use crate::stage::{ADA, BOT, PATIENCE, Stage, healthy_within, next};

async fn conversation(
    stage: &Stage,
    client: &wa_client::Client,
    events: &mut wa_client::events::EventStream,
) {
    stage
        .sim
        .act(ADA, Action::Text { chat: Jid::pn(BOT), text: "again".into(), quote: None })
        .expect("Ada writes");
    next(events, "again", |event| match &event.kind {
        Kind::Message(message) if message.text() == Some("again") => Some(()),
        _ => None,
    })
    .await;
    let sending = client.messages().send(&Jid::pn(ADA), "and back").await.expect("taken");
    assert!(matches!(sending.await, wa_client::messages::sending::SendReport::Accepted(_)));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_restarts_with_its_state_is_waited_for() {
    let stage = Stage::new(1_500).await;
    let (client, mut events) = stage.linked().await;
    stage.sim.outage(Duration::from_secs(300));
    healthy_within(&client, "the outage", PATIENCE, |health| {
        matches!(health.status, Status::Reconnecting { .. })
    })
    .await;
    client.wait_online(Duration::from_secs(1_000)).await.expect("back by itself");
    conversation(&stage, &client, &mut events).await;
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_restarts_without_its_state_is_linked_anew() {
    let stage = Stage::new(1_501).await;
    let (client, mut events) = stage.linked().await;
    stage.sim.reset();
    let health = healthy_within(&client, "the end of the link", Duration::from_secs(300), |health| {
        matches!(health.status, Status::LoggedOut(_))
    })
    .await;
    assert_eq!(health.cause, Cause::UnlinkedByPhone, "{health}");
    assert_eq!(client.me(), None);
    client.reconnect_now();
    stage.link(&client, &mut events).await;
    conversation(&stage, &client, &mut events).await;
    stage.assert_clean();
}
