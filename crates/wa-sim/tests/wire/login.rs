//! What comes with a login and in which order, devices that are passive, and the backlog (chapter 10 §2.3, §2.4, §6).

use std::time::Duration;

use wa_binary::{Jid, Node};
use wa_noise::Opening;
use wa_sim::faults::{Action, CloseHow, Direction, Fault, Match};
use wa_sim::world::DeviceKey;
use wa_sim::{ClockKind, SimHandle};

use crate::client::{Client, attr, opaque, sim, sim_with};
use crate::scene::pair;

/// What each stanza is, in short; acks of what the client answered left out.
fn kinds(nodes: &[Node]) -> Vec<String> {
    let kind = |node: &Node| match node.view().first_child() {
        Some(child) if node.is("ib") => format!("ib {}", child.tag()),
        _ => node.tag().to_owned(),
    };
    nodes.iter().filter(|node| !node.is("ack")).map(kind).collect()
}

#[tokio::test(start_paused = true)]
async fn a_login_is_told_who_it_is_and_then_what_waits_in_order() {
    let (sim, mut ada, mut bea) = pair(960).await;
    let mut fresh = Client::link_only(&sim, "Cleo", 3).await;
    let payload = fresh.login_payload(false);
    fresh.open(&sim, payload, Opening::Xx).await.expect("a connection");
    let first = fresh.rest().await;
    assert_eq!(kinds(&first)[..3], ["success", "ib edge_routing", "ib offline"], "{first:#?}");
    let success = &first[0];
    for name in ["t", "lid", "display_name", "props", "abprops", "group_abprops", "location", "creation"] {
        assert!(success.has_attr(name), "{name}: {success}");
    }
    assert!(success.attr_is("companion_enc_static", "NULL") && success.attr_is("display_name", "Cleo"));
    assert_eq!(success.required("lid").jid().expect("a LID"), fresh.my_lid());
    assert!(first[2].required_child("offline").expect("the end").attr_is("count", "0"));

    let to = bea.my_lid();
    drop(bea.line.take());
    ada.rest().await;
    ada.send(opaque("M1", &to.user_jid(), std::slice::from_ref(&to))).await;
    ada.until_tag("ack").await;
    sim.world(|world, now_ms| {
        let id = world.find_pn(bea.number()).expect("Bea");
        world.set_dirty(now_ms, id, "groups");
    });
    let payload = bea.login_payload(false);
    bea.open(&sim, payload, Opening::Xx).await.expect("a connection");
    let all = bea.rest().await;
    // Where to connect is told once in a run.
    assert_eq!(
        kinds(&all),
        ["success", "ib dirty", "ib offline_preview", "message", "ib offline"],
        "{all:#?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_passive_device_gets_nothing_but_answers_whenever_it_is_passive() {
    let (sim, mut ada, mut bea) = pair(961).await;
    let number = bea.number();
    let dirty = |sim: &SimHandle| {
        sim.world(|world, now_ms| {
            let id = world.find_pn(number).expect("Bea");
            world.set_dirty(now_ms, id, "groups");
        });
    };
    dirty(&sim);
    bea.login_passively(&sim).await;
    let to = bea.my_lid();
    let say = |id: &str| opaque(id, &to.user_jid(), std::slice::from_ref(&to));
    ada.send(say("M1")).await;
    dirty(&sim);
    assert_eq!(bea.rest().await, [], "neither messages nor bulletins");
    assert!(bea.iq("w:p", "get", Jid::SERVER, None).await.attr_is("type", "result"));
    bea.set("passive", Node::new("active")).await;
    let woken = kinds(&bea.rest().await);
    assert_eq!(woken, ["ib dirty", "ib offline_preview", "message", "ib offline"]);
    // The other way round, on the same connection.
    bea.set("passive", Node::new("passive")).await;
    ada.send(say("M2")).await;
    ada.rest().await;
    assert_eq!(bea.rest().await, []);
    bea.set("passive", Node::new("active")).await;
    let woken = bea.rest().await;
    let preview = woken.iter().find_map(|node| node.optional_child("offline_preview")).expect("a preview");
    assert!(preview.attr_is("count", "1"), "{preview}");
    assert!(woken.iter().any(|node| node.attr_is("id", "M2")), "{woken:#?}");
    ada.send(say("M3")).await;
    bea.until(|node| node.attr_is("id", "M3")).await;
    assert!(sim.violations().is_empty(), "{:?}", sim.violations());
}

#[tokio::test(start_paused = true)]
async fn old_versions_and_standings_are_refused_each_with_its_reason() {
    let sim = sim_with(|config| config.version_floor = u32::MAX, 962);
    let mut client = Client::new(None, 1);
    let payload = client.registration();
    client.open(&sim, payload, Opening::Xx).await.expect("a connection");
    let failure = client.until_tag("failure").await;
    assert!(failure.attr_is("reason", "405") && failure.has_attr("location"), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn everything_a_start_may_ask_is_answered() {
    let (sim, mut ada, bea) = pair(963).await;
    let users = Node::new("users").child(Node::new("user").attr("jid", bea.my_jid().user_jid()));
    let identity = Node::new("identity").child(Node::new("user").attr("jid", bea.my_lid()));
    let key = wa_signal::SignedPreKey::generate(2, ada.local.pair(), &mut ada.rng.clone());
    let skey = Node::new("skey")
        .child(Node::new("id").bytes(vec![0, 0, 2]))
        .child(Node::new("value").bytes(key.pair.public().as_bytes().to_vec()))
        .child(Node::new("signature").bytes(key.signature.to_vec()));
    for (xmlns, kind, child) in [
        ("fbid:devices", "get", users),
        ("encrypt", "get", identity),
        ("encrypt", "set", Node::new("rotate").child(skey)),
        ("w:biz", "get", Node::new("verified_name").attr("jid", bea.my_jid().user_jid())),
        ("bot", "get", Node::new("bot").attr("v", "2")),
        ("disappearing_mode", "get", Node::new("disappearing_mode")),
        ("urn:xmpp:whatsapp:push", "get", Node::new("settings")),
        ("status", "get", Node::new("privacy")),
    ] {
        let answer = ada.iq(xmlns, kind, Jid::SERVER, Some(child)).await;
        assert!(answer.attr_is("type", "result"), "{xmlns}: {answer}");
    }
    assert!(sim.violations().is_empty(), "{:?}", sim.violations());
    for (xmlns, child) in [("newsletter", "my_newsletters"), ("fbid:weather", "rain"), ("md", "pair-device")]
    {
        let answer = ada.get(xmlns, Node::new(child)).await;
        let error = answer.required_child("error").expect("an error");
        assert!(error.attr_is("code", "501") && error.attr_is("text", "feature-not-implemented"), "{answer}");
    }
    // Bulletins of a client need no answer, and are no fault.
    ada.send(Node::new("ib").child(Node::new("unified_session").attr("id", "1"))).await;
    assert_eq!(ada.rest().await, []);
}

#[tokio::test(start_paused = true)]
async fn requests_that_lack_something_are_answered_all_the_same() {
    let sim = sim(964);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let refused = |node: &Node| {
        let error = node.required_child("error").expect("an error");
        assert!(node.attr_is("type", "error") && error.attr_is("code", "400"), "{node}");
    };
    ada.send(Node::new("iq").attr("type", "get").attr("xmlns", "w:p")).await;
    refused(&ada.until_tag("iq").await);
    for kind in [None, Some("ask")] {
        let id = ada.id();
        ada.send(Node::new("iq").attr("id", &id).attr("xmlns", "w:p").maybe_attr("type", kind)).await;
        refused(&ada.until(|node| node.attr_is("id", &id)).await);
    }
    // Nobody is linked yet: what would be acked is refused.
    let mut stranger = Client::new(None, 2);
    stranger.register(&sim).await;
    let jid: Jid = "15550199@s.whatsapp.net".parse().expect("an address");
    stranger.send(Node::new("message").attr("id", "M1").attr("to", jid).attr("type", "text")).await;
    let ack = stranger.until_tag("ack").await;
    assert!(ack.attr_is("class", "message") && ack.attr_is("id", "M1") && ack.has_attr("error"), "{ack}");
    let answer = stranger.get("usync", Node::new("usync")).await;
    assert!(answer.attr_is("type", "error"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn the_preview_counts_by_class_and_a_drain_that_broke_off_is_taken_up() {
    let (sim, mut ada, mut bea) = pair(965).await;
    let (to, own) = (bea.my_lid(), ada.my_lid());
    let read = ada.text(&to.user_jid(), std::slice::from_ref(&to), "first").await;
    bea.until(|node| node.is("message") && node.attr_is("id", &read)).await;
    let sent = {
        let chat = own.user_jid();
        bea.text(&chat, std::slice::from_ref(&own), "mine").await
    };
    ada.until(|node| node.is("message") && node.attr_is("id", &sent)).await;
    bea.rest().await;
    drop(bea.line.take());
    ada.rest().await;
    for number in 0..8 {
        ada.send(opaque(&format!("M{number}"), &to.user_jid(), std::slice::from_ref(&to))).await;
    }
    let receipt = Node::new("receipt").attr("id", &sent).attr("to", to.user_jid()).attr("type", "read");
    ada.send(receipt).await;
    ada.set("status", Node::new("status").text("Busy")).await;
    let offer = Node::new("offer").attr("call-id", "C1").attr("call-creator", &own);
    ada.send(Node::new("call").attr("id", "C1").attr("to", to.user_jid()).child(offer)).await;
    ada.rest().await;

    // The connection breaks within the backlog; what was not answered comes again, under its id.
    let cut = Match { frame: Some(7), ..Match { direction: Some(Direction::Out), ..Match::default() } };
    sim.fault(Fault::once(cut, Action::Close { how: CloseHow::Fin, after: true }));
    bea.polite = false;
    bea.login(&sim).await;
    let begun: Vec<_> =
        bea.rest().await.iter().filter(|node| node.is("message")).map(|it| attr(it, "id")).collect();
    assert!(bea.line().ended && (1..8).contains(&begun.len()), "{begun:?}");
    bea.polite = true;
    bea.login(&sim).await;
    let all = bea.rest().await;
    let preview = all.iter().find_map(|node| node.optional_child("offline_preview")).expect("a preview");
    let count = |tag: &str| all.iter().filter(|node| node.is(tag) && node.has_attr("offline")).count();
    let said =
        |name: &str| attr(&preview.to_node(), name).expect("a counter").parse::<usize>().expect("a number");
    for class in ["message", "receipt", "notification", "call"] {
        assert!(count(class) > 0 && said(class) == count(class), "{class}: {preview}");
    }
    assert_eq!(
        (said("message"), said("count")),
        (8, all.iter().filter(|node| node.has_attr("offline")).count())
    );
    let numbers: Vec<_> = all.iter().filter_map(|node| attr(node, "offline")).collect();
    let running: Vec<_> = (1..=numbers.len()).map(|number| number.to_string()).collect();
    assert_eq!(numbers, running);
    assert!(begun.iter().all(|id| all.iter().any(|node| attr(node, "id") == *id)));
}

#[tokio::test(start_paused = true)]
async fn a_backlog_that_nobody_asks_for_comes_after_a_moment_and_ages_away() {
    let (sim, mut ada, mut bea) = pair(966).await;
    let to = bea.my_lid();
    let key = DeviceKey {
        account: sim.world(|world, _| world.find_pn(bea.number()).expect("Bea")),
        device: to.device(),
    };
    drop(bea.line.take());
    ada.rest().await;
    for number in 0..9 {
        ada.send(opaque(&format!("M{number}"), &to.user_jid(), std::slice::from_ref(&to))).await;
    }
    ada.rest().await;
    bea.login(&sim).await;
    let begin = tokio::time::Instant::now();
    bea.until(|node| node.attr_is("id", "M4")).await;
    assert!(begin.elapsed() < Duration::from_millis(100), "the first handful at once");
    bea.until(|node| node.attr_is("id", "M5")).await;
    assert!((300..400).contains(&begin.elapsed().as_millis()), "{:?}", begin.elapsed());
    drop(bea.line.take());
    ada.rest().await;
    ada.send(opaque("old", &to.user_jid(), std::slice::from_ref(&to))).await;
    ada.rest().await;
    sim.advance(Duration::from_secs(30 * 86_400 + 1));
    ada.send(opaque("new", &to.user_jid(), std::slice::from_ref(&to))).await;
    ada.rest().await;
    assert!(sim.world(|world, _| world.device(key).is_some_and(|device| device.queue.len() >= 2)));
    bea.login(&sim).await;
    let ids: Vec<_> =
        bea.rest().await.iter().filter(|node| node.is("message")).filter_map(|it| attr(it, "id")).collect();
    assert!(ids.contains(&"new".to_owned()) && !ids.contains(&"old".to_owned()), "{ids:?}");
}

#[tokio::test(start_paused = true)]
async fn time_may_run_faster_and_by_hand() {
    // A hundred times as fast: the refs of a connection, good for 160 seconds, are over after 1.6.
    let fast = sim_with(|config| config.clock = ClockKind::Scaled(100), 967);
    let mut client = Client::new(None, 1);
    client.register(&fast).await;
    let begin = tokio::time::Instant::now();
    assert!(client.ended().await);
    assert!((1_500..1_800).contains(&begin.elapsed().as_millis()), "{:?}", begin.elapsed());
    // By hand: nothing happens until it is told.
    let manual = sim_with(|config| config.clock = ClockKind::Manual, 968);
    let mut client = Client::new(None, 1);
    client.register(&manual).await;
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert!(client.iq("w:p", "get", Jid::SERVER, None).await.attr_is("type", "result"));
    manual.advance(Duration::from_secs(161));
    assert!(client.ended().await);
}

#[tokio::test(start_paused = true)]
async fn draws_for_one_purpose_do_not_move_those_for_another() {
    let refs = |faults: bool| async move {
        let sim = sim(969);
        if faults {
            let matching = Match::stanza(Direction::Out, "iq");
            let action = Action::Delay { ms: 1, jitter_ms: 5 };
            sim.fault(Fault { probability: 0.5, ..Fault::new(matching, action) });
        }
        let mut ada = Client::new(Some("Ada"), 1);
        ada.register(&sim).await;
        let mut bea = Client::new(Some("Bea"), 2);
        (bea.register(&sim).await, sim.noise_root())
    };
    assert_eq!(refs(false).await, refs(true).await);
}
