//! Linking again: what belongs to the number goes, what belongs to the application stays (chapter 02 §3.4, DESIGN).

use wa_client::events::Kind;
use wa_client::health::{LoggedOutBy, Status};
use wa_store::{Bytes, Changes, tables};

use crate::stage::{ADA, BOT, PATIENCE, Stage, healthy, next};

#[tokio::test(start_paused = true)]
async fn another_number_keeps_the_applications_data_and_tells_of_the_change() {
    let stage = Stage::new(40).await;
    let (client, mut events) = stage.linked().await;
    let before = client.me().expect("linked");
    client.logout().await.expect("told the server");
    healthy(&client, "the logout", |health| health.status == Status::LoggedOut(LoggedOutBy::User)).await;
    client.shutdown(PATIENCE).await;
    while events.next().await.is_some() {}

    let key = ("notes".into(), Bytes::from_static(b"ada"));
    let kept = Bytes::from_static(b"likes tea");
    let account = stage.store.account("main").open().await.expect("opened");
    let mut changes = Changes::new();
    changes.put(tables::KeyValues, &key, &kept);
    let _ = account.commit(changes).await.expect("stored");
    assert!(account.whole(tables::Sessions).await.expect("read").is_empty(), "the number's state is gone");
    account.release().await.expect("released");

    let (client, mut events) = stage.start().await;
    let qr = next(&mut events, "a QR code", |event| match &event.kind {
        Kind::LinkingQr(qr) => Some(qr.clone()),
        _ => None,
    })
    .await;
    stage.sim.scan_qr(&qr.url(), Some(ADA)).expect("Ada's phone scans");
    client.wait_online(PATIENCE).await.expect("linked");
    let (was, is) = next(&mut events, "the change", |event| match &event.kind {
        Kind::AccountChanged { before, now } => Some((before.clone(), now.clone())),
        _ => None,
    })
    .await;
    assert_eq!(was, before);
    assert_eq!(is.pn, Some(wa_client::Jid::pn(ADA)));
    client.shutdown(PATIENCE).await;
    drop((client, events));
    let account = stage.store.account("main").open().await.expect("opened");
    assert_eq!(account.one(tables::KeyValues, &key).await.expect("read"), Some(kept));
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn the_same_number_again_is_no_change() {
    let stage = Stage::new(41).await;
    let (client, mut events) = stage.linked().await;
    client.logout().await.expect("told the server");
    healthy(&client, "the logout", |health| health.status == Status::LoggedOut(LoggedOutBy::User)).await;
    client.reconnect_now();
    stage.link(&client, &mut events).await;
    assert_eq!(client.me().and_then(|me| me.pn), Some(wa_client::Jid::pn(BOT)));
    let mut linked = 0;
    while let Ok(Some(event)) = tokio::time::timeout(PATIENCE, events.next()).await {
        linked += usize::from(matches!(event.kind, Kind::Linked(_)));
        assert!(!matches!(event.kind, Kind::AccountChanged { .. }));
    }
    assert!(linked >= 1);
}
