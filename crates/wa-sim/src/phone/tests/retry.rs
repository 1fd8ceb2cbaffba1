//! Retry receipts from both ends, and each way in which a phone can be told to send wrongly.

use super::model::Companion;
use super::*;
use crate::phone::{Kind, Misbehaviour};

fn texts(wire: &Wire, account: usize) -> Vec<String> {
    wire.inbox(account)
        .iter()
        .filter_map(|received| match &received.kind {
            Kind::Text { text, .. } => Some(text.clone()),
            _ => None,
        })
        .collect()
}

fn undecryptable(wire: &Wire, account: usize) -> usize {
    let events = &wire.accounts[account].events;
    events.iter().filter(|event| matches!(event, PhoneEvent::Undecryptable { .. })).count()
}

#[test]
fn a_bent_message_is_asked_for_again_and_arrives_once() {
    for how in [Misbehaviour::BentCiphertext, Misbehaviour::UnknownVersion] {
        let mut wire = Wire::new();
        let bob = wire.user(BOB);
        wire.say(ALICE, &bob, "good");
        wire.phone(ALICE).misbehave(how);
        wire.say(ALICE, &bob, "bent");
        assert_eq!(texts(&wire, BOB), ["good", "bent"], "{how:?}");
        assert_eq!(undecryptable(&wire, BOB), 1);
        let resent = |event: &PhoneEvent| matches!(event, PhoneEvent::Resent { count: 1, .. });
        assert!(wire.accounts[ALICE].events.iter().any(resent), "{how:?}");
    }
}

#[test]
fn a_message_that_never_opens_is_asked_for_four_times() {
    let mut wire = Wire::new();
    let bob = wire.user(BOB);
    wire.tamper = Some(Box::new(|to, node| {
        if to.account == BOB && node.is("message") {
            let enc = node.optional_child("enc").unwrap();
            let mut bytes = enc.required_bytes().unwrap().into_owned();
            *bytes.last_mut().unwrap() ^= 1;
            let enc = enc.to_node().bytes(bytes);
            node.set_content(wa_binary::Content::Nodes(vec![enc]));
        }
        Delivery::Pass
    }));
    wire.say(ALICE, &bob, "never");
    assert!(texts(&wire, BOB).is_empty());
    let counts: Vec<Option<u32>> = wire.accounts[BOB]
        .events
        .iter()
        .filter_map(|event| match event {
            PhoneEvent::Undecryptable { retry, .. } => Some(*retry),
            _ => None,
        })
        .collect();
    assert_eq!(counts, [Some(1), Some(2), Some(3), Some(4), None]);
    let keys = wire.log.iter().filter(|line| line.contains("<keys>")).count();
    assert_eq!(keys, 3, "keys from the second receipt on");
}

#[test]
fn a_companion_that_lost_its_sessions_recovers() {
    let mut wire = Wire::new();
    wire.link(ALICE, Companion::new(31), 7);
    let (alice, bob) = (wire.user(ALICE), wire.user(BOB));
    wire.say(BOB, &alice, "one");
    wire.companion_says(ALICE, 7, &bob, "mine");
    wire.say(BOB, &alice, "two");
    wire.companion(ALICE, 7).lose_sessions();
    wire.say(BOB, &alice, "three");
    let companion = wire.companion(ALICE, 7);
    assert!(!companion.failures.is_empty(), "nothing was lost");
    let seen: Vec<&str> = companion.texts.iter().map(|(_, _, text)| text.as_str()).collect();
    assert!(seen.contains(&"one") && seen.contains(&"two"), "{seen:?}");
}

#[test]
fn a_withheld_sender_key_is_repaired_by_a_retry() {
    let mut wire = Wire::new();
    let group: Jid = "120363000000000001@g.us".parse().unwrap();
    let participants = vec![wire.user(ALICE), wire.user(BOB)];
    wire.groups.insert(group.clone(), GroupView { participants, addressing: Addressing::Lid, ephemeral: 0 });
    wire.phone(ALICE).misbehave(Misbehaviour::WithheldSenderKey);
    wire.say(ALICE, &group, "locked");
    wire.say(ALICE, &group, "open");
    assert_eq!(texts(&wire, BOB), ["locked", "open"]);
    assert_eq!(undecryptable(&wire, BOB), 1);
}

#[test]
fn wrong_padding_is_nacked_and_a_duplicate_is_seen_once() {
    let mut wire = Wire::new();
    let bob = wire.user(BOB);
    wire.phone(ALICE).misbehave(Misbehaviour::WrongPadding);
    wire.say(ALICE, &bob, "padded");
    assert!(wire.log.iter().any(|line| line.starts_with("<ack") && line.contains("error=\"491\"")));
    for how in [Misbehaviour::Duplicate, Misbehaviour::Replay] {
        wire.phone(ALICE).misbehave(how);
        wire.say(ALICE, &bob, "twice");
    }
    assert_eq!(texts(&wire, BOB), ["twice", "twice"]);
    let duplicates = wire.accounts[BOB].events.iter();
    let duplicates = duplicates.filter(|event| matches!(event, PhoneEvent::Duplicate { .. })).count();
    assert_eq!(duplicates, 2);
    assert_eq!(undecryptable(&wire, BOB), 0, "a duplicate is never asked for again");
}

#[test]
fn a_retry_storm_is_answered_a_limited_number_of_times() {
    let mut wire = Wire::new();
    let (alice, bob) = (wire.user(ALICE), wire.user(BOB));
    wire.say(ALICE, &bob, "target");
    wire.phone(BOB).misbehave(Misbehaviour::RetryStorm(50));
    wire.say(BOB, &alice, "storm");
    let resent = wire.accounts[ALICE].events.iter();
    let resent = resent.filter(|event| matches!(event, PhoneEvent::Resent { .. })).count();
    assert_eq!(resent, 10);
}

#[test]
fn an_unknown_pre_key_is_repaired_by_a_retry() {
    let mut wire = Wire::new();
    let bob = wire.user(BOB);
    wire.phone(ALICE).misbehave(Misbehaviour::UnknownPreKey);
    wire.say(ALICE, &bob, "first");
    assert_eq!(texts(&wire, BOB), ["first"]);
    assert_eq!(undecryptable(&wire, BOB), 1);
    assert!(wire.log.iter().any(|line| line.contains("<retry") && line.contains("error=\"3\"")));
}

#[test]
fn messages_out_of_order_are_all_read() {
    let mut wire = Wire::new();
    let (alice, bob) = (wire.user(ALICE), wire.user(BOB));
    wire.say(ALICE, &bob, "0");
    wire.say(BOB, &alice, "ok");
    wire.phone(ALICE).misbehave(Misbehaviour::OutOfOrder(4));
    for number in 1..=4 {
        wire.say(ALICE, &bob, &number.to_string());
    }
    assert_eq!(texts(&wire, BOB), ["0", "4", "3", "2", "1"]);
    assert_eq!(undecryptable(&wire, BOB), 0);
}

/// `WA_SIM_PHONE_MESSAGES` makes it long; it prints what live encryption reaches.
#[test]
fn a_long_conversation_stays_whole() {
    let count =
        std::env::var("WA_SIM_PHONE_MESSAGES").ok().and_then(|count| count.parse().ok()).unwrap_or(60);
    let mut wire = Wire::new();
    let users = [wire.user(ALICE), wire.user(BOB)];
    let started = std::time::Instant::now();
    for number in 0..count {
        // Three in a row, then the other side.
        let from = (number / 3) % 2;
        wire.say(from, &users[1 - from], &number.to_string());
        wire.log.clear();
    }
    let rate = count as f64 / started.elapsed().as_secs_f64();
    eprintln!("{count} messages between two phones, with receipts: {rate:.0} a second");
    let read = texts(&wire, ALICE).len() + texts(&wire, BOB).len();
    assert_eq!(read, count.min(20_000));
    assert_eq!(undecryptable(&wire, ALICE) + undecryptable(&wire, BOB), 0);
}

#[test]
fn a_low_notice_makes_the_phone_upload() {
    let mut wire = Wire::new();
    let notice = Node::new("notification")
        .attr("id", "n1")
        .attr("from", Jid::SERVER)
        .attr("type", "encrypt")
        .child(Node::new("count").attr("value", "2"));
    let turn = wire.with(ALICE, |phone, wire, now| phone.receive(&notice, wire, now));
    let upload = turn.stanzas.iter().find(|stanza| stanza.is("iq")).unwrap();
    let upload = Upload::parse(upload.view()).unwrap();
    let ids: Vec<u32> = upload.one_time.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, [6, 7, 8, 9, 10], "ids go on where the first upload ended");
}

#[test]
fn what_is_not_a_message_never_panics_and_is_acked() {
    let mut wire = Wire::new();
    let bob = wire.user(BOB);
    let stanzas = [
        Node::new("message"),
        Node::new("message").attr("id", "1"),
        Node::new("message").attr("id", "1").attr("from", &bob),
        Node::new("message").attr("id", "1").attr("from", "120363000000000001@g.us"),
        Node::new("message").attr("id", "1").attr("from", &bob).child(Node::new("enc")),
        Node::new("message")
            .attr("id", "1")
            .attr("from", &bob)
            .child(Node::new("enc").attr("type", "pkmsg").bytes(vec![0x33; 40])),
        Node::new("receipt").attr("id", "1").attr("from", &bob).attr("type", "retry"),
        Node::new("receipt").attr("type", "retry").child(Node::new("retry")),
        Node::new("notification").attr("id", "1"),
        Node::new("chatstate"),
        Node::new("ack"),
    ];
    for stanza in stanzas {
        wire.with(ALICE, |phone, wire, now| phone.receive(&stanza, wire, now));
    }
}
