//! Broadcast lists: who gets a message, how it stands on the wire, what is about it, where it is seen and answered.

use wa_client::app_state::Setting;
use wa_client::broadcasts::BroadcastList;
use wa_client::messages::builder::{Message, Part, Unsendable};
use wa_client::messages::content::Target;
use wa_client::messages::sending::{SendError, SendReport};
use wa_client::messages::status::Progress;
use wa_client::messages::types::ReceivedMessage;
use wa_client::{Client, Jid};
use wa_sim::faults::{Action as Deed, Damage, Direction, Fault, Match};
use wa_sim::phone::{AppAction, Kind as Seen};
use wa_sim::seed::SeedAccount;
use wa_sim::trace::Filter;

use super::*;

const BEA: u64 = 15_550_102;
const CY: u64 = 15_550_103;

/// With Bea, who is on the list as Ada is, and Cy, who is not.
async fn stage_of_four(seed: u64) -> Stage {
    Stage::with(seed, |config| {
        let world = config.world.as_mut().expect("a world");
        for (name, number) in [("Bea", BEA), ("Cy", CY)] {
            let account = SeedAccount { name: name.into(), number: Some(number), ..SeedAccount::default() };
            world.accounts.push(account);
        }
    })
    .await
}

fn address() -> Jid {
    "1700000001@broadcast".parse().expect("an address")
}

fn list() -> BroadcastList {
    BroadcastList::new(address(), [Jid::pn(ADA), Jid::pn(BEA), Jid::pn(ADA)])
}

/// What a phone got that says this.
async fn gets(stage: &Stage, who: u64, text: &str) -> Received {
    let found = stage.sim.received(who, PATIENCE, |received| {
        (parsed(&received.message).content.text() == Some(text)).then(|| received.clone())
    });
    found.await.unwrap_or_else(|_| panic!("{who} never got {text}"))
}

#[tokio::test(start_paused = true)]
async fn a_message_to_a_list_is_encrypted_for_each_device_and_seen_in_the_chat_with_us() {
    let stage = stage_of_four(101).await;
    let (client, _events) = stage.linked().await;
    let sent = client.broadcasts().send(&list(), "to all of you").await.expect("it is taken");
    let (id, ours) = (sent.id.clone(), Target::from(&sent));
    let report = sent.await;
    assert!(matches!(report, SendReport::Accepted(_)), "{report:?}");
    for who in [ADA, BEA] {
        let received = gets(&stage, who, "to all of you").await;
        assert!(received.chat.same_user(&received.sender.user_jid()) && !received.from_me, "{received:?}");
    }
    // Our own phone has it in the list.
    let own = gets(&stage, BOT, "to all of you").await;
    assert!(own.from_me && own.chat == address(), "{own:?}");

    let of_client = Filter {
        direction: Some(Direction::In),
        tag: Some("message".into()),
        id: Some(id.to_string()),
        ..Filter::default()
    };
    let stanza = stage.sim.expect(&of_client, PATIENCE).await.expect("it passed").node;
    assert!(stanza.attr_is("to", "1700000001@broadcast") && stanza.has_attr("phash"), "{stanza}");
    assert!(stanza.each("enc").next().is_none() && !stanza.has_attr("addressing_mode"), "{stanza}");
    let listed = stanza.optional_child("participants").expect("participants").to_node();
    assert_eq!(listed.each("to").count(), 3, "two phones and our own: {stanza}");
    assert!(listed.each("to").all(|to| to.optional_child("enc").is_some()), "{stanza}");

    let status = status::reaches(&client, &id, Progress::Delivered).await;
    assert_eq!((status.expected, status.recipients.len()), (2, 2), "{status:?}");

    // What is about it goes to the same people.
    client.messages().edit(ours.clone(), "to both of you").await.expect("an edit").await;
    client.messages().revoke(ours).await.expect("a revoke").await;
    for who in [ADA, BEA] {
        let revoked = |received: &Received| {
            matches!(&received.kind, Seen::Revoke { target } if *target == id.as_str()).then_some(())
        };
        stage.sim.received(who, PATIENCE, revoked).await.expect("it is taken back");
        let edited =
            stage.sim.inbox(who).into_iter().any(
                |received| matches!(&received.kind, Seen::Edit { target, .. } if *target == id.as_str()),
            );
        assert!(edited);
    }
    assert!(stage.sim.inbox(CY).is_empty(), "who is not on the list gets nothing");
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_list_is_refused_before_anything_leaves_and_who_is_unknown_is_a_shortfall() {
    let stage = stage_of_four(102).await;
    let (client, _events) = stage.linked().await;
    let refused = |people: Vec<Jid>, jid: Jid| {
        let client = &client;
        async move {
            match client.broadcasts().send(&BroadcastList::new(jid, people), "x").await {
                Err(SendError::Unsendable(why)) => why,
                other => panic!("{other:?}"),
            }
        }
    };
    let count = |is| Unsendable::Count { part: Part::Recipients, is, least: 1, most: 256 };
    assert_eq!(refused(Vec::new(), address()).await, count(0));
    let many: Vec<Jid> = (0..257).map(|n| Jid::pn(15_550_000_000 + n)).collect();
    assert_eq!(refused(many, address()).await, count(257));
    let group: Jid = "120363000000000001@g.us".parse().unwrap();
    assert_eq!(refused(vec![group.clone()], address()).await, Unsendable::Address);
    assert_eq!(refused(vec![ada()], group).await, Unsendable::Address);
    let status: Jid = "status@broadcast".parse().unwrap();
    assert_eq!(refused(vec![ada()], status).await, Unsendable::Address);
    // Without people nothing goes to a list.
    let bare = client.messages().send(&address(), "x").await;
    assert!(matches!(bare, Err(SendError::Unsendable(Unsendable::Address))), "{bare:?}");

    let nobody = Jid::pn(15_550_199);
    let partly = BroadcastList::new(address(), [ada(), nobody.clone()]);
    let report = client.broadcasts().send(&partly, "partly").await.unwrap().await;
    assert!(matches!(report, SendReport::AcceptedWithShortfall { devices: 1, .. }), "{report:?}");
    gets(&stage, ADA, "partly").await;
    let nobody = BroadcastList::new(address(), [nobody]);
    let report = client.broadcasts().send(&nobody, "to nobody").await.unwrap().await;
    assert!(matches!(report, SendReport::Refused(_)), "{report:?}");
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn each_of_many_gets_a_message_of_their_own() {
    let stage = stage_of_four(103).await;
    let (client, _events) = stage.linked().await;
    let all = client.broadcasts().send_each([ada(), Jid::pn(BEA), ada()], "one by one").await.unwrap();
    assert_eq!(all.len(), 2);
    assert_ne!(all[0].id, all[1].id);
    for sent in all {
        assert!(matches!(sent.await, SendReport::Accepted(_)));
    }
    for who in [ADA, BEA] {
        gets(&stage, who, "one by one").await;
        assert_eq!(stage.sim.inbox(who).len(), 1);
    }
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn what_comes_by_a_list_is_answered_in_the_chat_with_its_author_and_asked_for_again_when_it_is_damaged()
{
    let stage = stage_of_four(104).await;
    let (client, mut events) = stage.linked().await;
    let (_second, mut own_events) = stage.another("second", BOT).await;
    let (theirs, mut their_events) = stage.another("ada", ADA).await;
    // Both have written: from now on no message carries pre-keys.
    client.messages().send(&ada(), "knock").await.unwrap().await;
    let (_, knock) = message(&mut their_events, "a knock", |it| it.text() == Some("knock")).await;
    theirs.messages().send(&knock, "come in").await.unwrap().await;
    text(&mut events, "come in").await;
    // The copy for Ada's client is damaged once: it asks for it again, by way of the list.
    let damaged =
        Match { device: Some(1), account: Some(ADA.to_string()), ..Match::stanza(Direction::Out, "message") };
    stage.sim.fault(Fault::once(damaged, Deed::Damage { damage: Damage::EncMac }));
    let sent = client.broadcasts().send(&list(), "hello everybody").await.unwrap();
    let id = sent.id.clone();
    sent.await;
    let (_, got) = message(&mut their_events, "the message", |it| it.id == id).await;
    assert_eq!((got.text(), &got.chat.jid), (Some("hello everybody"), &address()));
    assert!(!got.from_me && got.sender.is(&bot()), "{got:?}");
    assert!(got.sender.is(got.shown_in()), "{got:?}");
    let retries = Filter {
        direction: Some(Direction::In),
        tag: Some("receipt".into()),
        id: Some(id.to_string()),
        ..Filter::default()
    };
    let asked = stage.sim.trace(&retries).into_iter().filter(|it| it.node.attr_is("type", "retry")).count();
    assert_eq!(asked, 1);

    // Our other device sees it in the list, as ours.
    let (_, own) = message(&mut own_events, "the copy", |it| it.id == id).await;
    assert!(own.from_me && own.chat.jid == address() && own.shown_in() == &address(), "{own:?}");

    answer(&theirs, &got).await;
    gets(&stage, BOT, "hello yourself").await;
    let reaction = |received: &Received| matches!(received.kind, Seen::Reaction { .. }).then_some(());
    stage.sim.received(BOT, PATIENCE, reaction).await.expect("a reaction");
    theirs.mark_read(&[&got]).expect("a receipt leaves");
    let status = status::reaches(&client, &id, Progress::Delivered).await;
    assert_eq!(status.expected, 2);
    stage.assert_clean();
}

async fn answer(client: &Client, to: &ReceivedMessage) {
    let reply = Message::text("hello yourself").reply_to(to);
    let report = client.messages().send(to, reply).await.expect("a reply").await;
    assert!(matches!(report, SendReport::Accepted(_)), "{report:?}");
    let report = client.messages().react(to, "👋").await.expect("a reaction").await;
    assert!(matches!(report, SendReport::Accepted(_)), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn the_lists_of_the_phone_are_known_and_forgotten_with_it() {
    let stage = stage_of_four(105).await;
    let (client, mut events) = stage.linked().await;
    assert!(client.broadcasts().known().await.unwrap().is_empty());
    let lid = |who| {
        stage.sim.world(|world, _| world.account(world.find_pn(who).unwrap()).jid(wa_binary::Family::Lid))
    };
    let people = vec![lid(ADA), lid(BEA)];
    let made = |people: Vec<Jid>| AppAction::BroadcastList {
        id: "1700000001".into(),
        name: "Friends".into(),
        people,
    };
    stage.sim.change_app_state(BOT, &made(people.clone())).unwrap();
    let told = stage::next(&mut events, "the list", |event| match &event.kind {
        Kind::Setting(setting) => match &setting.setting {
            Setting::BroadcastList(list) => Some(list.clone()),
            _ => None,
        },
        _ => None,
    })
    .await;
    assert_eq!((told.jid.clone(), told.name.as_deref()), (address(), Some("Friends")));
    let known = client.broadcasts().known().await.unwrap();
    assert_eq!(known, [told]);
    client.broadcasts().send(&known[0], "by the phone's list").await.unwrap().await;
    for who in [ADA, BEA] {
        gets(&stage, who, "by the phone's list").await;
    }
    stage.sim.change_app_state(BOT, &made(Vec::new())).unwrap();
    stage::next(&mut events, "that it is gone", |event| match &event.kind {
        Kind::Setting(setting) => {
            matches!(&setting.setting, Setting::BroadcastListRemoved(id) if id == "1700000001").then_some(())
        }
        _ => None,
    })
    .await;
    assert!(client.broadcasts().known().await.unwrap().is_empty());
    stage.assert_clean();
}
