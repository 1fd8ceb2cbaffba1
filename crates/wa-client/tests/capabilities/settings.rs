//! The account's shared settings (chapter 07): what the phone has is read, its changes come, ours reach it, and what is
//! damaged or missing is repaired.

use std::time::Duration;

use bytes::Bytes;
use wa_binary::Node;
use wa_client::app_state::{CollectionState, Mute, Resync, Setting, SettingChanged, Source};
use wa_client::events::{EventStream, Kind};
use wa_client::{Client, Jid};
use wa_sim::faults::{Action, Direction, Fault, Match};
use wa_sim::phone::AppAction;
use wa_sim::trace::Filter;

use crate::stage::{ADA, BOT, PATIENCE, Stage, next};

async fn setting<T>(
    events: &mut EventStream,
    what: &str,
    mut fits: impl FnMut(&SettingChanged) -> Option<T>,
) -> T {
    next(events, what, |event| match &event.kind {
        Kind::Setting(setting) => fits(setting),
        _ => None,
    })
    .await
}

fn named(setting: &SettingChanged) -> Option<(String, Source)> {
    match &setting.setting {
        Setting::PushName(name) => Some((name.clone(), setting.source)),
        _ => None,
    }
}

fn change(stage: &Stage, action: &AppAction) {
    stage.sim.change_app_state(BOT, action).expect("the phone's user may");
}

/// Waits until all collections are in order.
async fn in_order(client: &Client) {
    for _ in 0..200 {
        let all = client.app_state().collections().await.expect("the store reads");
        if all.iter().all(|one| one.state == CollectionState::InOrder) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("never in order: {:?}", client.app_state().collections().await);
}

fn phone_name(stage: &Stage) -> String {
    stage.sim.world(|world, _| {
        let bot = world.find_pn(BOT).expect("Bot");
        world.phone(bot).expect("a phone").name().to_owned()
    })
}

/// Waits, in virtual time, until the phone has taken the name from the settings.
async fn named_by_phone(stage: &Stage, name: &str) {
    for _ in 0..100 {
        if phone_name(stage) == name {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the phone is still called {:?}", phone_name(stage));
}

fn syncs(direction: Direction) -> Filter {
    Filter { direction: Some(direction), xmlns: Some("w:sync:app:state".into()), ..Filter::default() }
}

#[tokio::test(start_paused = true)]
async fn what_the_phone_has_is_read_after_the_link_and_its_changes_come() {
    let stage = Stage::new(1_200).await;
    let (client, mut events) = stage.linked().await;
    let first = setting(&mut events, "the name", named).await;
    assert_eq!(first, ("Bot".to_owned(), Source::Full));
    assert_eq!(client.push_name().as_deref(), Some("Bot"));
    in_order(&client).await;

    change(&stage, &AppAction::Name("Robot".into()));
    assert_eq!(setting(&mut events, "a new name", named).await, ("Robot".to_owned(), Source::Change));
    assert_eq!(client.push_name().as_deref(), Some("Robot"));

    change(&stage, &AppAction::Contact { user: Jid::pn(ADA), name: Some("Ada Lovelace".into()) });
    let ada = setting(&mut events, "a contact", |setting| match &setting.setting {
        Setting::Contact { peer, full, first } => Some((peer.clone(), full.clone(), first.clone())),
        _ => None,
    })
    .await;
    assert_eq!((ada.1.as_deref(), ada.2.as_deref()), (Some("Ada Lovelace"), Some("Ada")));
    let names = client.contacts().names(&ada.0).await.expect("the store reads");
    assert_eq!(names.full.as_deref(), Some("Ada Lovelace"));
    change(&stage, &AppAction::Contact { user: Jid::pn(ADA), name: None });
    setting(&mut events, "no contact", |it| matches!(it.setting, Setting::ContactRemoved(_)).then_some(()))
        .await;
    let names = client.contacts().names(&ada.0).await.expect("the store reads");
    assert_eq!(names.full, None);
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn how_chats_stand_on_the_phone_is_known_here() {
    let stage = Stage::new(1_201).await;
    let (client, mut events) = stage.linked().await;
    in_order(&client).await;
    let chat = Jid::pn(ADA);
    change(&stage, &AppAction::Mute { chat: chat.clone(), until_ms: Some(-1) });
    let chat_ref = setting(&mut events, "a mute", |it| match &it.setting {
        Setting::Muted { chat, until: Mute::Always } => Some(chat.clone()),
        _ => None,
    })
    .await;
    change(&stage, &AppAction::Archive { chat: chat.clone(), archived: true });
    change(&stage, &AppAction::MarkRead { chat: chat.clone(), read: false });
    setting(&mut events, "unread", |it| {
        matches!(it.setting, Setting::MarkedRead { read: false, .. }).then_some(())
    })
    .await;
    let state = client.app_state().chat(&chat_ref).await.expect("the store reads");
    assert_eq!(
        (state.muted, state.archived, state.pinned, state.marked_unread),
        (Mute::Always, true, None, true)
    );
    // A pin takes the chat out of the archive: two mutations of one patch.
    change(&stage, &AppAction::Pin { chat: chat.clone(), pinned: true });
    change(&stage, &AppAction::MarkRead { chat: chat.clone(), read: true });
    change(&stage, &AppAction::Mute { chat, until_ms: None });
    setting(&mut events, "loud", |it| {
        matches!(it.setting, Setting::Muted { until: Mute::Not, .. }).then_some(())
    })
    .await;
    in_order(&client).await;
    let state = client.app_state().chat(&chat_ref).await.expect("the store reads");
    assert!(state.pinned.is_some() && !state.archived && !state.marked_unread, "{state:?}");
    assert_eq!(state.muted, Mute::Not);
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_set_here_is_set_on_the_phone() {
    let stage = Stage::new(1_202).await;
    let (client, _events) = stage.linked().await;
    in_order(&client).await;
    client.set_push_name("Bender").await.expect("stored");
    stage
        .sim
        .expect(
            &Filter { child: Some("sync".into()), tag: Some("iq".into()), ..syncs(Direction::In) },
            PATIENCE,
        )
        .await
        .expect("a push");
    named_by_phone(&stage, "Bender").await;
    // Every MAC of the patch holds: the phone looks at it, and would complain.
    stage.assert_clean();
}

/// The newer of two names wins, and it is that of whoever was slower.
#[tokio::test(start_paused = true)]
async fn a_push_that_comes_second_is_built_anew_on_what_was_first() {
    let stage = Stage::new(1_203).await;
    let (client, mut events) = stage.linked().await;
    in_order(&client).await;
    // The client does not hear of what the phone does.
    let silence = Match { kind: Some("server_sync".into()), ..Match::stanza(Direction::Out, "notification") };
    stage.sim.fault(Fault::new(silence, Action::Lose));
    change(&stage, &AppAction::Locale("de_DE".into()));
    client.set_push_name("Bender").await.expect("stored");
    setting(&mut events, "the locale", |it| {
        matches!(&it.setting, Setting::Locale(locale) if locale == "de_DE").then_some(())
    })
    .await;
    named_by_phone(&stage, "Bender").await;
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn what_changed_while_the_client_was_away_is_read_when_it_is_back() {
    let stage = Stage::with(1_204, |config| config.patch_page = 2).await;
    let (client, events) = stage.linked().await;
    in_order(&client).await;
    client.shutdown(PATIENCE).await;
    drop((client, events));
    for minute in 0..9 {
        change(&stage, &AppAction::Name(format!("Bot {minute}")));
    }
    let (client, mut events) = stage.start().await;
    // Pages of two: the last of them is the ninth.
    setting(&mut events, "the last name", |it| named(it).filter(|(name, _)| name == "Bot 8")).await;
    in_order(&client).await;
    assert_eq!(client.push_name().as_deref(), Some("Bot 8"));
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_name_that_was_set_without_a_connection_is_pushed_with_the_next() {
    let stage = Stage::new(1_205).await;
    let (client, _events) = stage.linked().await;
    in_order(&client).await;
    stage.unreachable();
    tokio::time::sleep(Duration::from_secs(1)).await;
    client.set_push_name("Bender").await.expect("stored");
    stage.sim.heal();
    client.wait_online(PATIENCE).await.expect("back");
    named_by_phone(&stage, "Bender").await;
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn keys_that_do_not_come_are_asked_for() {
    let stage = Stage::new(1_206).await;
    // The first message of the phone is the one with the keys.
    let first = Match { device: Some(1), ..Match::stanza(Direction::Out, "message") };
    stage.sim.fault(Fault::once(first, Action::Lose));
    let (client, mut events) = stage.linked().await;
    assert_eq!(client.push_name(), None);
    let (name, _) = setting(&mut events, "the name", named).await;
    assert_eq!(name, "Bot");
    in_order(&client).await;
    stage.assert_clean();
}

/// Bends the patches in the answers to the first questions.
fn bend(stage: &Stage, times: usize) {
    let mut left = times;
    let patches = stage.sim.trace(&syncs(Direction::Out));
    assert!(patches.is_empty() || times > 0);
    stage.sim.intercept(syncs(Direction::In), move |question| {
        let is_name = question
            .optional_child("sync")
            .into_iter()
            .flat_map(|sync| sync.each("collection"))
            .any(|collection| collection.attr_is("name", "critical_block"));
        if left == 0 || !is_name {
            return None;
        }
        left -= 1;
        let id = question.required("id").string().expect("an id");
        // A patch that no key opens: its key is known, its MAC is not.
        let patch = Bytes::from_static(&[0x0A, 0x02, 0x08, 0x01, 0x2A, 0x02, 0x00, 0x00]);
        let collection = Node::new("collection")
            .attr("name", "critical_block")
            .attr("version", "1")
            .child(Node::new("patches").child(Node::new("patch").bytes(patch)));
        let iq = Node::new("iq")
            .attr("from", Jid::SERVER)
            .attr("id", id)
            .attr("type", "result")
            .child(Node::new("sync").child(collection));
        Some(vec![iq])
    });
}

#[tokio::test(start_paused = true)]
async fn a_damaged_answer_is_read_again_from_the_beginning() {
    let stage = Stage::new(1_207).await;
    bend(&stage, 1);
    let (client, mut events) = stage.linked().await;
    assert_eq!(setting(&mut events, "the name", named).await, ("Bot".to_owned(), Source::Full));
    in_order(&client).await;
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn what_stays_damaged_is_taken_from_the_phone_in_plain() {
    let stage = Stage::new(1_208).await;
    bend(&stage, usize::MAX);
    let (client, mut events) = stage.linked().await;
    assert_eq!(setting(&mut events, "the name", named).await, ("Bot".to_owned(), Source::Recovery));
    in_order(&client).await;
    assert_eq!(client.push_name().as_deref(), Some("Bot"));
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn everything_is_read_anew_when_the_application_asks() {
    let stage = Stage::new(1_209).await;
    let (client, mut events) = stage.linked().await;
    in_order(&client).await;
    setting(&mut events, "the name", named).await;
    client.app_state().resync(Resync::Everything).await.expect("noted");
    assert_eq!(setting(&mut events, "the name again", named).await, ("Bot".to_owned(), Source::Full));
    in_order(&client).await;
    // The dirty bit does the same for what is new, and is cleaned.
    stage.sim.world(|world, now| {
        let bot = world.find_pn(BOT).expect("Bot");
        world.set_dirty(now, bot, "syncd_app_state");
    });
    let clean = Filter { xmlns: Some("urn:xmpp:whatsapp:dirty".into()), ..Filter::default() };
    stage.sim.expect(&clean, PATIENCE).await.expect("the bit is cleaned");
    in_order(&client).await;
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_busy_server_is_asked_again_and_one_that_refuses_is_not() {
    let stage = Stage::new(1_210).await;
    let question = Match { xmlns: Some("w:sync:app:state".into()), ..Match::stanza(Direction::In, "iq") };
    stage.sim.fault(Fault::once(question.clone(), Action::IqError { code: 503, text: String::new() }));
    let (client, mut events) = stage.linked().await;
    setting(&mut events, "the name", named).await;
    in_order(&client).await;
    stage.sim.fault(Fault::new(question, Action::IqError { code: 400, text: "bad-request".into() }));
    let before = stage.sim.trace(&syncs(Direction::In)).len();
    change(&stage, &AppAction::Name("Robot".into()));
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(stage.sim.trace(&syncs(Direction::In)).len(), before + 1, "not asked again");
    // It stays noted: the next connection reads it.
    stage.sim.heal();
    client.reconnect_now();
    setting(&mut events, "the new name", |it| named(it).filter(|(name, _)| name == "Robot")).await;
    stage.assert_clean();
}
