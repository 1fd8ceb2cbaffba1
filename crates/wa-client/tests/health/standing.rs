//! The account's standing: no new chats for a time, and the cap of messages to new chats (chapter 09c §5).

use std::time::Duration;

use serde_json::{Value, json};
use wa_binary::{Jid, Node};
use wa_client::events::Kind;
use wa_client::health::{Cause, DeadlineKind, Status};
use wa_client::messages::sending::{Refusal, SendError, SendOptions, SendReport};
use wa_sim::faults::{Action, Direction, Fault, Match};
use wa_sim::trace::Filter;
use wa_store::UnixTime;

use crate::stage::{ADA, BOT, Stage, healthy, healthy_within, next};

const TIME_LOCK: &str = "23983697327930364";
const MESSAGE_CAP: &str = "27910975521856601";

/// Answers an operation of `w:mex` as long as `answer` gives something.
fn answers(
    stage: &Stage,
    operation: &'static str,
    mut answer: impl FnMut() -> Option<Value> + Send + 'static,
) {
    let filter = Filter { tag: Some("iq".into()), xmlns: Some("w:mex".into()), ..Filter::default() };
    stage.sim.intercept(filter, move |iq| {
        if !iq.optional_child("query")?.attr_is("query_id", operation) {
            return None;
        }
        let id = iq.optional("id").string().ok()??;
        let result = Node::new("result").bytes(answer()?.to_string().into_bytes());
        let reply = Node::new("iq").attr("from", Jid::SERVER).attr("type", "result").attr("id", id);
        Some(vec![reply.child(result)])
    });
}

fn lock(until: u64) -> Value {
    json!({ "data": { "xwa2_fetch_account_reachout_timelock":
        { "is_active": true, "enforcement_type": "DEFAULT", "time_enforcement_ends": until.to_string() } } })
}

fn cap(status: &str, used: u32, until: u64) -> Value {
    json!({ "data": { "xwa2_message_capping_info":
        { "capping_status": status, "total_quota": "50", "used_quota": used, "cycle_end_timestamp": until } } })
}

#[tokio::test(start_paused = true)]
async fn a_lock_of_new_chats_is_shown_until_it_ends() {
    let stage = Stage::new(300).await;
    let until = stage.store.clock().now().after(Duration::from_secs(1800));
    let mut locked = true;
    answers(&stage, TIME_LOCK, move || {
        // Locked once; asked again after its end, it is gone.
        let answer = if locked {
            lock(until.as_secs())
        } else {
            json!({ "data": { "xwa2_fetch_account_reachout_timelock": { "is_active": false } } })
        };
        locked = false;
        Some(answer)
    });
    let (client, _events) = stage.linked().await;
    let until = UnixTime::from_secs(until.as_secs());
    let health = healthy(&client, "the lock", |health| health.cause == Cause::NewChatsLocked).await;
    assert_eq!(health.status, Status::RestrictedFromNewChats { until: Some(until) });
    assert_eq!(health.deadline, Some(until));
    assert!(health.is_online(), "existing chats go on");
    let entry = |health: &wa_client::health::Health| {
        health.calendar.iter().any(|entry| entry.kind == DeadlineKind::NewChatsAllowed)
    };
    assert!(entry(&health));
    let health = healthy_within(&client, "the end", Duration::from_secs(1900), |health| {
        health.status == Status::Online
    })
    .await;
    assert!(!entry(&health));
    assert!(stage.store.clock().now() >= until);
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_cap_is_shown_with_what_is_used_and_what_is_allowed() {
    let stage = Stage::new(301).await;
    let until = stage.store.clock().now().as_secs() + 86_400;
    let mut used = 0;
    answers(&stage, MESSAGE_CAP, move || {
        used += 25;
        Some(cap(if used < 50 { "FIRST_WARNING" } else { "capped" }, used, until))
    });
    let (client, _events) = stage.linked().await;
    let health = healthy(&client, "the warning", |health| health.cause == Cause::NewChatCap).await;
    assert_eq!(health.status, Status::MessageCap { used: 25, total: 50 });
    assert_eq!(health.deadline, Some(UnixTime::from_secs(until)));
    // Asked again after an hour.
    healthy_within(&client, "the cap", Duration::from_secs(3700), |health| {
        health.status == Status::MessageCap { used: 50, total: 50 }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_speaks_of_a_restriction_is_looked_into() {
    for (seed, code, operation, refusal) in
        [(302, 463, TIME_LOCK, Refusal::Restricted), (303, 475, MESSAGE_CAP, Refusal::Capped)]
    {
        let stage = Stage::new(seed).await;
        let (client, _events) = stage.linked().await;
        let now = stage.store.clock().now().as_secs();
        answers(&stage, operation, move || {
            Some(if operation == TIME_LOCK { lock(now + 3600) } else { cap("CAPPED", 50, now + 3600) })
        });
        stage.sim.fault(Fault::once(Match::stanza(Direction::In, "message"), Action::AckError { code }));
        let sent = client.messages().send(&Jid::pn(ADA), "a first word").await.expect("taken").await;
        assert_eq!(sent, SendReport::Refused(refusal));
        let cause = if operation == TIME_LOCK { Cause::NewChatsLocked } else { Cause::NewChatCap };
        healthy(&client, "the restriction", |health| health.cause == cause).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_server_tells_by_itself_is_shown_and_taken_back() {
    let stage = Stage::new(304).await;
    let (client, _events) = stage.linked().await;
    let until = stage.store.clock().now().as_secs() + 600;
    let push = |id: &str, operation: &str, data: &Value| {
        let update = Node::new("update")
            .attr("op_name", operation)
            .bytes(json!({ "data": data }).to_string().into_bytes());
        let notification =
            Node::new("notification").attr("from", Jid::SERVER).attr("type", "mex").attr("id", id);
        assert!(stage.sim.send(BOT, 1, notification.child(update)));
    };
    let lock = "NotificationUserReachoutTimelockUpdate";
    let field = "xwa2_notify_account_reachout_timelock";
    push("m1", lock, &json!({ field: { "is_active": true, "time_enforcement_ends": until } }));
    healthy(&client, "the lock", |health| health.cause == Cause::NewChatsLocked).await;
    push("m2", lock, &json!({ field: { "is_active": false } }));
    healthy(&client, "the end", |health| health.status == Status::Online).await;
    let field = "xwa2_notify_new_chat_messages_capping_info_update";
    push(
        "m3",
        "MessageCappingInfoNotification",
        &json!({ field: { "capping_status": "SECOND_WARNING", "used_quota": 45, "total_quota": 50, "cycle_end_timestamp": until } }),
    );
    healthy(&client, "the cap", |health| health.status == Status::MessageCap { used: 45, total: 50 }).await;
    // Rubbish changes nothing and is acknowledged all the same.
    push("m4", "MessageCappingInfoNotification", &json!({ field: 7 }));
    let ack = Filter { tag: Some("ack".into()), id: Some("m4".into()), ..Filter::default() };
    stage.sim.expect(&ack, Duration::from_secs(5)).await.expect("acknowledged");
    assert_eq!(client.health().cause, Cause::NewChatCap);
}

#[tokio::test(start_paused = true)]
async fn new_chats_are_refused_here_while_the_account_may_start_none() {
    for (seed, operation, expected) in
        [(305, TIME_LOCK, Refusal::Restricted), (306, MESSAGE_CAP, Refusal::Capped)]
    {
        let stage = Stage::new(seed).await;
        let end = UnixTime::from_secs(stage.store.clock().now().as_secs() + 1800);
        answers(&stage, operation, move || {
            Some(if operation == TIME_LOCK { lock(end.as_secs()) } else { cap("CAPPED", 50, end.as_secs()) })
        });
        let (client, mut events) = stage.linked().await;
        let cause = if operation == TIME_LOCK { Cause::NewChatsLocked } else { Cause::NewChatCap };
        healthy(&client, "the restriction", |health| health.cause == cause).await;
        let sent = |stage: &Stage| {
            let filter =
                Filter { direction: Some(Direction::In), tag: Some("message".into()), ..Filter::default() };
            stage.sim.trace(&filter).len()
        };
        let before = sent(&stage);
        match client.messages().send(&Jid::pn(ADA), "a first word").await {
            Err(SendError::Guarded { why, until }) => assert_eq!((why, until), (expected, Some(end))),
            other => panic!("{other:?}"),
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(sent(&stage), before, "the server never saw it");
        // To oneself.
        let me = client.messages().send(&Jid::pn(BOT), "a note").await.expect("taken").await;
        assert!(matches!(me, SendReport::Accepted(_)), "{me:?}");
        // A chat in which the other side has spoken is not new.
        let hello = wa_sim::phone::Action::Text { chat: Jid::pn(BOT), text: "hello".into(), quote: None };
        stage.sim.act(ADA, hello).expect("Ada writes");
        next(&mut events, "hello", |event| matches!(event.kind, Kind::Message(_)).then_some(())).await;
        let sent = client.messages().send(&Jid::pn(ADA), "an answer").await.expect("taken").await;
        assert!(matches!(sent, SendReport::Accepted(_)), "{sent:?}");
        // Nobody wrote from there; whoever wants to ask the server all the same can.
        let unheard = Jid::pn(15_550_102);
        let refused = client.messages().send(&unheard, "a word").await;
        assert!(matches!(refused, Err(SendError::Guarded { .. })), "{refused:?}");
        let open = SendOptions::default().unguarded();
        client.messages().send_with(&unheard, "a word", open).await.expect("taken");
    }
}

/// Nothing is answered by hand here: the simulator's own lock and cap, asked for, told and counted.
#[tokio::test(start_paused = true)]
async fn the_simulators_lock_and_cap_are_what_the_client_shows() {
    use wa_sim::world::{AccountId, Cap, TimeLock, World};
    let stage = Stage::new(307).await;
    let change = |change: &dyn Fn(&mut World, u64, AccountId)| {
        stage.sim.world(|world, now_ms| {
            let bot = world.find_pn(BOT).expect("the bot's account");
            change(world, now_ms, bot);
        });
    };
    let now = stage.sim.now_ms() / 1000;
    change(&|world, now_ms, bot| {
        let lock = TimeLock { until: Some(now + 1800), kind: "DEFAULT".to_owned() };
        world.set_time_lock(now_ms, bot, Some(lock));
    });
    let (client, _events) = stage.linked().await;
    let health = healthy(&client, "the lock", |health| health.cause == Cause::NewChatsLocked).await;
    assert_eq!(health.deadline, Some(UnixTime::from_secs(now + 1800)));
    let refused = client.messages().send(&Jid::pn(ADA), "a word").await;
    assert!(matches!(refused, Err(SendError::Guarded { why: Refusal::Restricted, .. })), "{refused:?}");
    change(&|world, now_ms, bot| world.set_time_lock(now_ms, bot, None));
    healthy(&client, "the end of the lock", |health| health.status == Status::Online).await;

    change(&|world, now_ms, bot| {
        world.set_cap(now_ms, bot, Some(Cap { total: 1, used: 0, cycle: (now, now + 86_400) }));
    });
    let sent = client.messages().send(&Jid::pn(ADA), "a first word").await.expect("taken").await;
    assert!(matches!(sent, SendReport::Accepted(_)), "{sent:?}");
    let full = Status::MessageCap { used: 1, total: 1 };
    let health = healthy(&client, "the cap", |health| health.status == full).await;
    assert_eq!(health.deadline, Some(UnixTime::from_secs(now + 86_400)));
    let other = Jid::pn(15_550_102);
    let refused = client.messages().send(&other, "a word").await;
    assert!(matches!(refused, Err(SendError::Guarded { why: Refusal::Capped, .. })), "{refused:?}");
    stage.sim.world(|world, now_ms| {
        let seed = "[[account]]\nname = \"Cleo\"\nnumber = 15550102\n";
        assert!(world.plant(&wa_sim::seed::SeedFile::parse(seed).expect("a seed")).is_empty());
        world.tick(now_ms);
    });
    // The server says the same to whoever asks it.
    let open = SendOptions::default().unguarded();
    let sent = client.messages().send_with(&other, "a word", open).await.expect("taken").await;
    assert_eq!(sent, SendReport::Refused(Refusal::Capped));
    change(&|world, now_ms, bot| world.set_cap(now_ms, bot, None));
    healthy(&client, "the end of the cap", |health| health.status == Status::Online).await;
}
