//! Each rule of the watch has a client that breaks it (chapter 10 §15); the well-behaved ones of the other files break
//! none.

use std::time::Duration;

use wa_binary::{Jid, Node};
use wa_noise::Opening;
use wa_sim::SimHandle;
use wa_sim::watch::Rule;

use crate::client::{Client, opaque, sim, sim_with};
use crate::scene;

#[track_caller]
fn only(sim: &SimHandle, rule: Rule) {
    let found: Vec<Rule> = sim.violations().iter().map(|violation| violation.rule).collect();
    assert!(
        !found.is_empty() && found.iter().all(|other| *other == rule),
        "{rule:?}: {:?}",
        sim.violations()
    );
}

async fn pair(seed: u64) -> (SimHandle, Client, Client) {
    let (sim, ada, bea) = scene::pair(seed).await;
    assert!(sim.violations().is_empty(), "{:?}", sim.violations());
    (sim, ada, bea)
}

fn ping(id: &str) -> Node {
    Node::new("iq").attr("id", id).attr("to", Jid::SERVER).attr("type", "get").attr("xmlns", "w:p")
}

#[tokio::test(start_paused = true)]
async fn never_answered() {
    let (sim, mut ada, mut bea) = pair(100).await;
    bea.polite = false;
    ada.send(opaque("M1", &bea.my_lid().user_jid(), &[bea.my_lid()])).await;
    bea.until(|node| node.attr_is("id", "M1")).await;
    for number in 0..8 {
        tokio::time::advance(Duration::from_secs(20)).await;
        bea.send(ping(&format!("p{number}"))).await;
        ada.send(ping(&format!("p{number}"))).await;
        bea.rest().await;
        ada.rest().await;
    }
    only(&sim, Rule::NeverAnswered);
}

#[tokio::test(start_paused = true)]
async fn answer_to_nothing() {
    let (sim, mut ada, bea) = pair(101).await;
    ada.send(Node::new("ack").attr("class", "message").attr("id", "ghost").attr("to", bea.my_lid())).await;
    ada.send(Node::new("receipt").attr("id", "ghost").attr("to", bea.my_lid())).await;
    ada.send(Node::new("iq").attr("id", "ghost").attr("type", "result").attr("to", Jid::SERVER)).await;
    ada.rest().await;
    only(&sim, Rule::AnswerToNothing);
    assert_eq!(sim.violations().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn missing_and_reused_ids() {
    let (sim, mut ada, bea) = pair(102).await;
    ada.send(Node::new("iq").attr("type", "get").attr("xmlns", "w:p")).await;
    let mut message = opaque("M1", &bea.my_lid().user_jid(), &[bea.my_lid()]);
    message.remove_attr("id");
    ada.send(message).await;
    ada.send(Node::new("receipt").attr("to", bea.my_lid())).await;
    ada.rest().await;
    only(&sim, Rule::MissingId);
    let (sim, mut ada, _) = pair(103).await;
    for _ in 0..2 {
        ada.send(Node::new("iq").attr("id", "same").attr("type", "get").attr("xmlns", "blocklist")).await;
    }
    ada.rest().await;
    only(&sim, Rule::IdReused);
}

#[tokio::test(start_paused = true)]
async fn unknown_iqs_and_stanzas() {
    let (sim, mut ada, _) = pair(104).await;
    ada.get("w:weather", Node::new("rain")).await;
    only(&sim, Rule::UnknownIq);
    let (sim, mut ada, _) = pair(105).await;
    ada.send(Node::new("weather").attr("id", "1")).await;
    assert!(ada.until_tag("ack").await.attr_is("error", "488"));
    only(&sim, Rule::UnknownStanza);
}

#[tokio::test(start_paused = true)]
async fn messages_that_are_refused() {
    let (sim, mut ada, bea) = pair(106).await;
    let (lid, pn) = (bea.my_lid(), bea.my_jid());
    ada.send(opaque("M1", &lid.user_jid(), &[lid.clone(), pn])).await;
    assert!(ada.until_tag("ack").await.attr_is("error", "400"));
    only(&sim, Rule::MixedFamilies);

    let (sim, mut ada, bea) = pair(106).await;
    let lid = bea.my_lid();
    ada.send(opaque("M1", &lid.user_jid(), &[lid.clone(), lid.clone()])).await;
    assert!(ada.until_tag("ack").await.attr_is("error", "400"));
    only(&sim, Rule::DuplicateRecipient);

    let (sim, mut ada, _) = pair(106).await;
    let peer = Node::new("message")
        .attr("id", "P1")
        .attr("to", ada.my_lid().user_jid())
        .attr("type", "text")
        .attr("category", "peer")
        .child(Node::new("enc").attr("v", "2").attr("type", "msg").bytes(vec![1]))
        .child(Node::new("tctoken").bytes(vec![1]));
    ada.send(peer).await;
    assert!(ada.until_tag("ack").await.attr_is("error", "479"));
    only(&sim, Rule::TokenOnPeerMessage);

    let (sim, mut ada, bea) = pair(106).await;
    let lid = bea.my_lid();
    ada.send(opaque("M1", &lid.user_jid(), std::slice::from_ref(&lid)).attr("type", "telegram")).await;
    assert!(ada.until_tag("ack").await.attr_is("error", "479"));
    // Media without mediatype is acked, and delivered to nobody.
    ada.send(opaque("M2", &lid.user_jid(), std::slice::from_ref(&lid)).attr("type", "media")).await;
    assert!(!ada.until(|node| node.attr_is("id", "M2")).await.has_attr("error"));
    only(&sim, Rule::RefusedMessage);
}

#[tokio::test(start_paused = true)]
async fn a_pre_key_message_without_identity() {
    let (sim, mut ada, mut bea) = pair(107).await;
    let lid = bea.my_lid();
    let message = wa_proto::e2e_message::Message { conversation: Some("x".into()), ..Default::default() };
    let enc = ada.enc(&lid, &message).await;
    let stanza = Node::new("message")
        .attr("id", "M1")
        .attr("to", lid.user_jid())
        .attr("type", "text")
        .child(Node::new("participants").child(Node::new("to").attr("jid", &lid).child(enc)));
    ada.send(stanza).await;
    ada.until_tag("ack").await;
    bea.until(|node| node.attr_is("id", "M1")).await;
    only(&sim, Rule::MissingDeviceIdentity);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_participant_hash() {
    let (sim, mut ada, bea) = pair(108).await;
    let create = Node::new("create")
        .attr("subject", "Circle")
        .child(Node::new("participant").attr("jid", bea.my_lid().user_jid()));
    let answer = ada.iq("w:g2", "set", Jid::GROUPS, Some(create)).await;
    let id: u64 = answer.required_child("group").expect("a group").required("id").u64().expect("a number");
    let group = Jid::numbered(id, wa_binary::Server::Group);
    let message = |id: &str| {
        Node::new("message")
            .attr("id", id)
            .attr("to", &group)
            .attr("type", "text")
            .attr("phash", "2:AAAAAAAA")
            .child(Node::new("enc").attr("v", "2").attr("type", "skmsg").bytes(vec![0x33]))
    };
    ada.send(message("G1")).await;
    assert!(ada.until(|node| node.is("ack") && node.attr_is("id", "G1")).await.has_attr("phash"));
    assert!(sim.violations().is_empty(), "just after a change an old hash is no fault");
    sim.advance(Duration::from_secs(300));
    ada.send(message("G2")).await;
    ada.until(|node| node.is("ack") && node.attr_is("id", "G2")).await;
    let found: Vec<Rule> = sim.violations().iter().map(|violation| violation.rule).collect();
    assert!(found.contains(&Rule::WrongPhash), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_names_somebody_else() {
    let (sim, mut ada, mut bea) = pair(109).await;
    let create = Node::new("create")
        .attr("subject", "Circle")
        .child(Node::new("participant").attr("jid", bea.my_lid().user_jid()));
    let answer = ada.iq("w:g2", "set", Jid::GROUPS, Some(create)).await;
    let id: u64 = answer.required_child("group").expect("a group").required("id").u64().expect("a number");
    let group = Jid::numbered(id, wa_binary::Server::Group);
    bea.rest().await;
    bea.polite = false;
    let message = Node::new("message")
        .attr("id", "G1")
        .attr("to", &group)
        .attr("type", "text")
        .child(Node::new("enc").attr("v", "2").attr("type", "skmsg").bytes(vec![0x33]));
    ada.send(message).await;
    bea.until(|node| node.attr_is("id", "G1")).await;
    let own = bea.my_lid();
    bea.send(Node::new("receipt").attr("id", "G1").attr("to", &group).attr("participant", own)).await;
    bea.rest().await;
    only(&sim, Rule::ReceiptParticipant);
}

#[tokio::test(start_paused = true)]
async fn pre_keys_that_come_back_or_are_lost() {
    let (sim, mut ada, _) = pair(110).await;
    // The ids begin anew, with other keys.
    let mut twin = Client::new(Some("Ada"), 77);
    std::mem::swap(&mut ada.one_time, &mut twin.one_time);
    ada.restart_key_ids();
    assert!(ada.upload(3).await.attr_is("type", "result"));
    only(&sim, Rule::PreKeyReused);

    let (sim, mut ada, _) = pair(111).await;
    let mut bea = Client::linked(&sim, "Bea", 9).await;
    bea.polite = false;
    let lid = bea.my_lid();
    let id = ada.text(&lid.user_jid(), std::slice::from_ref(&lid), "hello").await;
    bea.until(|node| node.attr_is("id", &id)).await;
    let retry = Node::new("retry")
        .attr("v", "1")
        .attr("count", "1")
        .attr("id", &id)
        .attr("t", "1")
        .attr("error", "3");
    let receipt =
        Node::new("receipt").attr("id", &id).attr("to", ada.my_lid()).attr("type", "retry").child(retry);
    bea.send(receipt).await;
    bea.rest().await;
    only(&sim, Rule::PreKeyLost);
}

#[tokio::test(start_paused = true)]
async fn a_chain_counter_for_two_ciphertexts() {
    let (sim, mut ada, bea) = pair(112).await;
    let lid = bea.my_lid();
    let message =
        |text: &str| wa_proto::e2e_message::Message { conversation: Some(text.into()), ..Default::default() };
    let first = ada.enc(&lid, &message("one")).await;
    let before = ada.sessions[&lid].clone();
    let stanza = |ada: &Client, id: &str, enc: Node| {
        Node::new("message")
            .attr("id", id)
            .attr("to", lid.user_jid())
            .attr("type", "text")
            .child(Node::new("participants").child(Node::new("to").attr("jid", &lid).child(enc)))
            .child(ada.device_identity())
    };
    let one = stanza(&ada, "M1", first);
    ada.send(one).await;
    let second = ada.enc(&lid, &message("two")).await;
    let two = stanza(&ada, "M2", second);
    ada.send(two).await;
    ada.rest().await;
    assert!(sim.violations().is_empty(), "{:?}", sim.violations());
    // Rolled back, as from a backup: the same counter for another text.
    ada.sessions.insert(lid.clone(), before);
    let third = ada.enc(&lid, &message("three")).await;
    let three = stanza(&ada, "M3", third);
    ada.send(three).await;
    ada.rest().await;
    only(&sim, Rule::CounterReused);
}

#[tokio::test(start_paused = true)]
async fn pings_too_often_and_silence_too_long() {
    let (sim, mut ada, _) = pair(113).await;
    ada.send(ping("p1")).await;
    ada.send(ping("p2")).await;
    ada.rest().await;
    only(&sim, Rule::Keepalive);
    let (sim, mut ada, _) = pair(114).await;
    sim.world(|world, _| world.clear_violations());
    tokio::time::advance(Duration::from_secs(200)).await;
    ada.rest().await;
    only(&sim, Rule::Keepalive);
}

#[tokio::test(start_paused = true)]
async fn a_second_header_and_broken_frames() {
    let (sim, mut ada, _) = pair(115).await;
    ada.send_raw(b"WA\x06\x03").await;
    assert!(ada.ended().await);
    only(&sim, Rule::SecondHeader);
    let (sim, mut ada, _) = pair(116).await;
    ada.send_raw(&[0, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]).await;
    assert!(ada.ended().await);
    only(&sim, Rule::BadFrame);
    let (sim, mut ada, _) = pair(117).await;
    ada.send_frame(&[0, 0xf8, 9, 9]).await;
    assert!(ada.until_tag("stream:error").await.optional_child("xml-not-well-formed").is_some());
    only(&sim, Rule::BadXml);
}

#[tokio::test(start_paused = true)]
async fn traffic_after_failure_and_eager_reconnects() {
    let sim = sim(118);
    let mut ada = Client::new(None, 1);
    ada.jid = Some("15550100:1@s.whatsapp.net".parse().expect("an address"));
    assert!(ada.login(&sim).await.is("failure"));
    ada.send(ping("p1")).await;
    ada.ended().await;
    only(&sim, Rule::TrafficAfterFailure);
    sim.world(|world, _| world.clear_violations());
    for _ in 0..10 {
        ada.login(&sim).await;
    }
    only(&sim, Rule::EagerReconnect);
}

#[tokio::test(start_paused = true)]
async fn a_batch_request_without_a_preview() {
    let (sim, mut ada, _) = pair(119).await;
    let payload = ada.login_payload(true);
    ada.open(&sim, payload, Opening::Xx).await.expect("a connection");
    ada.until_tag("success").await;
    ada.send(Node::new("ib").child(Node::new("offline_batch").attr("count", "100"))).await;
    ada.rest().await;
    only(&sim, Rule::BatchWithoutPreview);
}

#[tokio::test(start_paused = true)]
async fn app_state_on_a_version_that_never_was_and_patches_that_do_not_verify() {
    let (sim, mut ada, _) = pair(120).await;
    let push = |version: &str| {
        let patch = Node::new("patch").bytes(vec![]);
        Node::new("sync")
            .child(Node::new("collection").attr("name", "regular").attr("version", version).child(patch))
    };
    ada.set("w:sync:app:state", push("7")).await;
    only(&sim, Rule::AppStateBase);
    sim.world(|world, _| world.clear_violations());
    let answer = ada.set("w:sync:app:state", push("0")).await;
    assert!(answer.attr_is("type", "result"));
    only(&sim, Rule::AppStateMac);
}

#[tokio::test(start_paused = true)]
async fn presence_without_a_name_and_stanzas_that_lack_something() {
    let (sim, mut ada, _) = pair(121).await;
    ada.send(Node::new("presence").attr("type", "available")).await;
    ada.rest().await;
    only(&sim, Rule::PresenceWithoutName);
    let (sim, mut ada, _) = pair(122).await;
    ada.send(Node::new("message").attr("id", "M1").attr("type", "text")).await;
    assert!(ada.until_tag("ack").await.attr_is("error", "400"));
    only(&sim, Rule::Malformed);
}

#[tokio::test(start_paused = true)]
async fn what_only_the_phone_can_see() {
    let (sim, mut ada, bea) = pair(123).await;
    // Padding that is none: the server cannot see it.
    let phone = bea.my_lid().user_jid();
    let message = wa_proto::e2e_message::Message { conversation: Some("x".into()), ..Default::default() };
    ada.enc(&phone, &message).await;
    let enc = ada.seal(&phone, &[10, 1, 120, 0]);
    let stanza = Node::new("message")
        .attr("id", "M1")
        .attr("to", &phone)
        .attr("type", "text")
        .child(Node::new("participants").child(Node::new("to").attr("jid", &phone).child(enc)))
        .child(ada.device_identity());
    ada.send(stanza).await;
    ada.rest().await;
    only(&sim, Rule::SeenByPhone);
}

#[tokio::test(start_paused = true)]
async fn idle_clients_can_be_closed() {
    let sim = sim_with(|config| config.idle_kill_ms = Some(30_000), 124);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    tokio::time::advance(Duration::from_secs(31)).await;
    assert!(ada.ended().await);
}
