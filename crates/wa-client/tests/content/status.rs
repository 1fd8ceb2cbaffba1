//! How far our own messages have come, step by step, and after a restart.

use wa_client::Client;
use wa_client::messages::builder::Message;
use wa_client::messages::sending::{Refusal, SendOptions, SendReport};
use wa_client::messages::status::{MessageStatus, Progress, Stage as Sent};

use super::*;

pub(super) async fn reaches(client: &Client, id: &str, progress: Progress) -> MessageStatus {
    let waits = async {
        loop {
            let status = client.messages().status_of(id).await.unwrap().expect("it was sent");
            if status.progress() == progress {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, waits).await.unwrap_or_else(|_| panic!("{id} never was {progress:?}"))
}

#[tokio::test(start_paused = true)]
async fn a_message_is_delivered_and_read_and_that_survives_a_restart() {
    let stage = stage(91).await;
    let (client, mut events) = stage.linked().await;
    let group = client.groups().joined().await.expect("the groups")[0].jid.clone();
    let mut ids = Vec::new();
    for to in [ada(), group] {
        let sent = client.messages().send(&to, "hello").await.unwrap();
        let id = sent.id.clone();
        assert!(matches!(sent.await, SendReport::Accepted(_)));
        let status = reaches(&client, &id, Progress::Delivered).await;
        assert_eq!((status.expected, status.recipients.len()), (1, 1));
        stage.sim.act(ADA, Action::Read { chat: if to.is_group() { to } else { bot() } }).unwrap();
        let status = reaches(&client, &id, Progress::Read).await;
        let reader = status.reached(Progress::Read).next().expect("a reader");
        assert_eq!(reader.pn, Some(ada()), "{status:?}");
        ids.push(id);
    }
    events.acknowledge().await.unwrap();
    client.shutdown(PATIENCE).await;
    drop((client, events));
    let (client, _events) = stage.start().await;
    for id in ids {
        let status = client.messages().status_of(&id).await.unwrap().expect("it is remembered");
        assert_eq!(status.progress(), Progress::Read);
    }
    assert_eq!(client.messages().status_of("3EB0UNKNOWN").await.unwrap(), None);
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_queued_and_what_waited_too_long_is_refused() {
    let stage = stage(92).await;
    let (client, _events) = stage.linked().await;
    stage.sim.outage(Duration::from_secs(30));
    stage::healthy(&client, "the outage", |health| !health.is_online()).await;
    let sent = client.messages().send(&ada(), "later").await.unwrap();
    let stays = sent.id.clone();
    let brief = SendOptions::default().expires(Duration::from_millis(1));
    let sent = client.messages().send_with(&ada(), Message::text("brief"), brief).await.unwrap();
    let expires = sent.id.clone();
    let withdrawn = client.messages().send(&ada(), "withdrawn").await.unwrap();
    let cancelled = withdrawn.id.clone();
    let status = client.messages().status_of(&cancelled).await.unwrap().unwrap();
    assert_eq!((status.stage.clone(), status.progress()), (Sent::Queued, Progress::Pending));
    assert!(client.messages().cancel(&cancelled).await.unwrap());
    let status = client.messages().status_of(&cancelled).await.unwrap().unwrap();
    assert_eq!(status.stage, Sent::Failed(Refusal::Cancelled));
    reaches_within(&client, &stays, Progress::Delivered).await;
    let status = reaches_within(&client, &expires, Progress::Failed).await;
    assert_eq!(status.stage, Sent::Failed(Refusal::Expired));
    stage.assert_clean();
}

async fn reaches_within(client: &Client, id: &str, progress: Progress) -> MessageStatus {
    client.wait_online(Duration::from_secs(120)).await.expect("online again");
    reaches(client, id, progress).await
}
