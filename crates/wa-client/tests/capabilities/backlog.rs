//! What waits for the end of the backlog: one receipt for many messages, and the dirty bits of groups.

use std::time::Duration;

use wa_client::Jid;
use wa_client::events::Kind;
use wa_client::health::Status;
use wa_sim::faults::{Action, Direction, Fault, Match};
use wa_sim::phone;
use wa_sim::seed::SeedGroup;
use wa_sim::trace::{Filter, Passed};

use crate::stage::{ADA, BOT, PATIENCE, Stage, healthy, next};

const HELD_BACK: Duration = Duration::from_secs(8);

async fn with_group(seed: u64) -> (Stage, Jid) {
    let stage = Stage::with(seed, |config| {
        if let Some(world) = &mut config.world {
            world.groups.push(SeedGroup {
                subject: "Backlog".into(),
                creator: "Ada".into(),
                members: vec!["Bot".into()],
                ..SeedGroup::default()
            });
        }
    })
    .await;
    let group = stage.sim.world(|world, _| world.groups().next().expect("the group").jid());
    (stage, group)
}

/// The end of the backlog reaches the client this much later.
fn hold_the_end_back(stage: &Stage) {
    let end = Match { child: Some("offline".into()), ..Match::stanza(Direction::Out, "ib") };
    let ms = u64::try_from(HELD_BACK.as_millis()).expect("small");
    stage.sim.fault(Fault::once(end, Action::Delay { ms, jitter_ms: 0 }));
}

fn came(stage: &Stage, tag: &str, since: u64) -> Vec<Passed> {
    let filter = Filter { since, direction: Some(Direction::In), tag: Some(tag.into()), ..Filter::default() };
    stage.sim.trace(&filter)
}

fn passed(stage: &Stage) -> u64 {
    stage.sim.trace(&Filter::default()).last().map_or(0, |last| last.seq)
}

fn write(stage: &Stage, chat: &Jid, text: String) {
    stage.sim.act(ADA, phone::Action::Text { chat: chat.clone(), text, quote: None }).expect("Ada writes");
}

async fn heard(events: &mut wa_client::events::EventStream, text: &str) {
    next(events, text, |event| match &event.kind {
        Kind::Message(message) if message.text() == Some(text) => Some(()),
        _ => None,
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn messages_of_the_backlog_are_receipted_together_once_it_is_done() {
    let (stage, group) = with_group(720).await;
    let (client, mut events) = stage.linked().await;
    // Sessions and sender keys exist, so that all of the backlog is of one kind.
    write(&stage, &Jid::pn(BOT), "direct".into());
    write(&stage, &group, "group".into());
    heard(&mut events, "group").await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    stage.unreachable();
    healthy(&client, "the outage", |health| matches!(health.status, Status::Reconnecting { .. })).await;
    for number in 0..20 {
        write(&stage, &Jid::pn(BOT), format!("direct {number}"));
        write(&stage, &group, format!("group {number}"));
    }
    let before = passed(&stage);
    stage.sim.heal();
    hold_the_end_back(&stage);
    heard(&mut events, "group 19").await;
    let status = client.health().status;
    assert!(
        matches!(status, Status::CatchingUp { .. }),
        "delivered before the end of the backlog: {status:?}"
    );
    assert!(came(&stage, "receipt", before).is_empty(), "but not yet receipted");
    healthy(&client, "the end of the backlog", |health| health.status == Status::Online).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let receipts = came(&stage, "receipt", before);
    let ids = |receipt: &Passed| {
        1 + receipt.node.optional_child("list").into_iter().flat_map(|list| list.each("item")).count()
    };
    assert_eq!(receipts.iter().map(ids).collect::<Vec<_>>(), [20, 20], "{receipts:?}");
    // The server has let go of all: nothing comes again.
    let after = passed(&stage);
    client.reconnect_now();
    client.wait_online(PATIENCE).await.expect("online");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(came(&stage, "receipt", after).is_empty());
    // What comes afterwards is receipted by itself.
    write(&stage, &Jid::pn(BOT), "live".into());
    heard(&mut events, "live").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(came(&stage, "receipt", after).len(), 1);
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn what_was_not_receipted_before_the_connection_ended_is_receipted_on_the_next() {
    let (stage, _) = with_group(721).await;
    let (client, mut events) = stage.linked().await;
    stage.unreachable();
    healthy(&client, "the outage", |health| matches!(health.status, Status::Reconnecting { .. })).await;
    for number in 0..10 {
        write(&stage, &Jid::pn(BOT), format!("direct {number}"));
    }
    stage.sim.heal();
    hold_the_end_back(&stage);
    let before = passed(&stage);
    heard(&mut events, "direct 9").await;
    client.reconnect_now();
    stage.sim.outage(Duration::from_millis(1));
    tokio::time::sleep(HELD_BACK * 2).await;
    client.wait_online(PATIENCE).await.expect("online again");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let receipts = came(&stage, "receipt", before);
    let of_all = receipts.iter().any(|receipt| {
        receipt.node.optional_child("list").is_some_and(|list| list.each("item").count() == 9)
    });
    assert!(of_all, "{receipts:?}");
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_dirty_bit_of_groups_waits_for_the_backlog_and_others_do_not() {
    let (stage, group) = with_group(722).await;
    let (client, _events) = stage.linked().await;
    client.messages().send(&group, "the group is known now").await.expect("taken").await;
    let asked = |stage: &Stage, since| {
        came(stage, "iq", since).iter().filter(|passed| passed.node.attr_is("xmlns", "w:g2")).count()
    };
    let before = passed(&stage);
    client.messages().send(&group, "again").await.expect("taken").await;
    assert_eq!(asked(&stage, before), 0, "kept");
    let cleaned = |stage: &Stage, kind: &str| {
        came(stage, "iq", before).iter().any(|passed| {
            passed.node.optional_child("clean").is_some_and(|clean| clean.attr_is("type", kind))
        })
    };
    stage.unreachable();
    healthy(&client, "the outage", |health| matches!(health.status, Status::Reconnecting { .. })).await;
    stage.sim.world(|world, now_ms| {
        let bot = world.find_pn(BOT).expect("Bot");
        for kind in ["groups", "account_sync"] {
            world.set_dirty(now_ms, bot, kind);
        }
    });
    stage.sim.heal();
    hold_the_end_back(&stage);
    healthy(&client, "the backlog", |health| matches!(health.status, Status::CatchingUp { .. })).await;
    tokio::time::sleep(HELD_BACK / 2).await;
    assert!(cleaned(&stage, "account_sync"));
    assert!(!cleaned(&stage, "groups"), "not before the backlog is done");
    healthy(&client, "the end of the backlog", |health| health.status == Status::Online).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(cleaned(&stage, "groups"));
    client.messages().send(&group, "the group is asked for again").await.expect("taken").await;
    assert_eq!(asked(&stage, before), 1, "what was kept of groups is forgotten");
    stage.assert_clean();
}
