//! Two phones and a companion converse: persons, a group, replies, reactions, edits, receipts, being away,
//! re-installation.

use super::model::Companion;
use super::*;
use crate::phone::{Kind, MessageRef};

fn texts(inbox: &[Received]) -> Vec<&str> {
    inbox
        .iter()
        .filter_map(|received| match &received.kind {
            Kind::Text { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

fn last_ref(inbox: &[Received]) -> MessageRef {
    let last = inbox.last().unwrap();
    MessageRef {
        chat: last.chat.clone(),
        sender: last.sender.user_jid(),
        id: last.id.clone(),
        from_me: last.from_me,
    }
}

#[test]
fn two_phones_write_to_each_other() {
    let mut wire = Wire::new();
    let (alice, bob) = (wire.user(ALICE), wire.user(BOB));
    let id = wire.say(ALICE, &bob, "hello");
    assert!(id.starts_with("AC") && id.len() == 32);
    wire.say(BOB, &alice, "hi");
    wire.say(ALICE, &bob, "how are you");
    assert_eq!(texts(wire.inbox(BOB)), ["hello", "how are you"]);
    assert_eq!(texts(wire.inbox(ALICE)), ["hi"]);
    assert_eq!(wire.inbox(BOB)[0].id, id);
    assert!(!wire.inbox(BOB)[0].from_me);
    let delivered = |event: &PhoneEvent| matches!(event, PhoneEvent::Receipt { kind, ids, .. } if kind == "delivery" && ids.contains(&id));
    assert!(wire.accounts[ALICE].events.iter().any(delivered));
}

#[test]
fn the_first_message_is_a_pkmsg_until_the_other_side_has_answered() {
    let mut wire = Wire::new();
    let (alice, bob) = (wire.user(ALICE), wire.user(BOB));
    wire.say(ALICE, &bob, "1");
    wire.say(ALICE, &bob, "2");
    wire.say(BOB, &alice, "3");
    wire.say(ALICE, &bob, "4");
    let kinds: Vec<bool> = wire
        .log
        .iter()
        .filter(|line| line.starts_with("<message"))
        .map(|line| line.contains("type=\"pkmsg\""))
        .collect();
    assert_eq!(kinds, [true, true, false, false]);
    assert_eq!(texts(wire.inbox(BOB)), ["1", "2", "4"]);
}

#[test]
fn companions_get_copies_and_write_too() {
    let mut wire = Wire::new();
    wire.link(ALICE, Companion::new(31), 7);
    let (alice, bob) = (wire.user(ALICE), wire.user(BOB));
    wire.say(ALICE, &bob, "from the phone");
    wire.say(BOB, &alice, "to all of yours");
    wire.companion_says(ALICE, 7, &bob, "from the computer");
    let companion = wire.companion(ALICE, 7);
    let seen: Vec<&str> = companion.texts.iter().map(|(_, _, text)| text.as_str()).collect();
    assert_eq!(seen, ["from the phone", "to all of yours"]);
    assert_eq!(companion.texts[0].0, bob, "an own copy names the chat");
    assert!(companion.failures.is_empty());
    assert_eq!(texts(wire.inbox(BOB)), ["from the phone", "from the computer"]);
    // The phone has the companion's copy in the right chat.
    let copy = wire.inbox(ALICE).last().unwrap();
    assert!(copy.from_me && copy.chat == bob);
    let receipt =
        wire.log.iter().rfind(|line| line.starts_with("<receipt") && line.contains("sender")).unwrap();
    assert!(receipt.contains("recipient="), "{receipt}");
}

#[test]
fn a_pkmsg_of_a_companion_with_a_forged_identity_is_refused() {
    let mut wire = Wire::new();
    wire.link(ALICE, Companion::new(31), 7);
    let bob = wire.user(BOB);
    wire.tamper = Some(Box::new(|to, node| {
        if to.account == BOB && node.is("message") {
            let children: Vec<Node> = node
                .each_child()
                .map(|child| match child.tag() {
                    "device-identity" => {
                        let mut blob = child.required_bytes().unwrap().into_owned();
                        *blob.last_mut().unwrap() ^= 1;
                        Node::new("device-identity").bytes(blob)
                    }
                    _ => child.to_node(),
                })
                .collect();
            node.set_content(wa_binary::Content::Nodes(children));
        }
        Delivery::Pass
    }));
    wire.companion_says(ALICE, 7, &bob, "forged");
    assert!(texts(wire.inbox(BOB)).is_empty());
    let noticed = |event: &PhoneEvent| matches!(event, PhoneEvent::Undecryptable { retry: Some(1), .. });
    assert!(wire.accounts[BOB].events.iter().any(noticed));
}

#[test]
fn accounts_without_lid_converse_by_number() {
    let mut wire = Wire::of(&[config(1, false), config(2, true)]);
    let (alice, bob) = (wire.accounts[ALICE].pn.clone(), wire.accounts[BOB].pn.clone());
    wire.say(ALICE, &bob, "by number");
    wire.say(BOB, &alice, "same here");
    assert_eq!(texts(wire.inbox(BOB)), ["by number"]);
    assert_eq!(texts(wire.inbox(ALICE)), ["same here"]);
}

#[test]
fn a_lid_that_shows_up_later_keeps_the_session() {
    let mut wire = Wire::of(&[config(1, true), config(2, true)]);
    let bob_lid = wire.accounts[BOB].lid.take();
    let bob_pn = wire.accounts[BOB].pn.clone();
    wire.say(ALICE, &bob_pn, "by number");
    wire.accounts[BOB].lid = bob_lid;
    wire.say(ALICE, &bob_pn, "by lid");
    assert_eq!(texts(wire.inbox(BOB)), ["by number", "by lid"]);
    let fetched = wire.accounts[BOB].keys[&0].upload.one_time.len();
    assert_eq!(fetched, 4, "one session only");
}

fn group(wire: &mut Wire, members: &[usize], addressing: Addressing) -> Jid {
    let group: Jid = "120363000000000001@g.us".parse().unwrap();
    let participants = members
        .iter()
        .map(|member| match addressing {
            Addressing::Lid => wire.accounts[*member].lid.clone().unwrap(),
            Addressing::Pn => wire.accounts[*member].pn.clone(),
        })
        .collect();
    wire.groups.insert(group.clone(), GroupView { participants, addressing, ephemeral: 0 });
    group
}

#[test]
fn a_group_reads_what_its_members_write() {
    for addressing in [Addressing::Lid, Addressing::Pn] {
        let mut wire = Wire::of(&[config(1, true), config(2, true), config(3, true)]);
        wire.link(ALICE, Companion::new(31), 7);
        let group = group(&mut wire, &[ALICE, BOB, 2], addressing);
        wire.say(ALICE, &group, "one");
        wire.say(BOB, &group, "two");
        wire.say(ALICE, &group, "three");
        assert_eq!(texts(wire.inbox(2)), ["one", "two", "three"]);
        assert_eq!(texts(wire.inbox(BOB)), ["one", "three"]);
        let companion = wire.companion(ALICE, 7);
        assert_eq!(companion.texts.len(), 3);
        assert!(companion.failures.is_empty(), "{:?}", companion.failures);
        // The second message of one sender needs no new keys but for the own companion.
        let sends: Vec<&String> = wire.log.iter().filter(|line| line.contains("skmsg")).collect();
        assert_eq!(sends[2].matches("<to ").count(), 1, "{}", sends[2]);
    }
}

#[test]
fn who_leaves_a_group_cannot_read_on() {
    let mut wire = Wire::of(&[config(1, true), config(2, true), config(3, true)]);
    let group = group(&mut wire, &[ALICE, BOB, 2], Addressing::Lid);
    wire.say(ALICE, &group, "all");
    let before = wire.log.iter().rfind(|line| line.contains("skmsg")).unwrap().clone();
    let gone = wire.accounts[2].lid.clone().unwrap();
    wire.groups.get_mut(&group).unwrap().participants.retain(|member| *member != gone);
    wire.say(ALICE, &group, "us two");
    let after = wire.log.iter().rfind(|line| line.contains("skmsg")).unwrap();
    assert!(after.contains("<to "), "a new key for who is left: {before} {after}");
    assert_eq!(texts(wire.inbox(BOB)), ["all", "us two"]);
}

#[test]
fn replies_reactions_edits_and_revokes_refer_to_their_message() {
    let mut wire = Wire::new();
    let (alice, bob) = (wire.user(ALICE), wire.user(BOB));
    wire.say(ALICE, &bob, "first");
    let target = last_ref(wire.inbox(BOB));
    let reply = Action::Text { chat: alice, text: "re".to_owned(), quote: Some(target.clone()) };
    wire.act(BOB, reply);
    let quoted = Some(target.id.clone());
    assert_eq!(wire.inbox(ALICE).last().unwrap().kind, Kind::Text { text: "re".to_owned(), quoted });

    wire.act(BOB, Action::React { target: target.clone(), emoji: "👍".to_owned() });
    let reaction = Kind::Reaction { target: target.id.clone(), emoji: "👍".to_owned() };
    assert_eq!(wire.inbox(ALICE).last().unwrap().kind, reaction);

    let own = MessageRef { chat: bob, from_me: true, ..target.clone() };
    wire.act(ALICE, Action::Edit { target: own.clone(), text: "better".to_owned() });
    let edit = Kind::Edit { target: target.id.clone(), text: "better".to_owned() };
    assert_eq!(wire.inbox(BOB).last().unwrap().kind, edit);
    wire.act(ALICE, Action::Revoke { target: own.clone() });
    assert_eq!(wire.inbox(BOB).last().unwrap().kind, Kind::Revoke { target: target.id.clone() });

    let (now, foreign) = (wire.now, MessageRef { id: "unknown".to_owned(), ..own });
    let refused = wire.with(ALICE, |phone, wire, _| phone.act(Action::Revoke { target: foreign }, wire, now));
    assert!(refused.is_err());
}

#[test]
fn reading_sends_one_receipt_per_author() {
    let mut wire = Wire::new();
    let (alice, bob) = (wire.user(ALICE), wire.user(BOB));
    let ids = [wire.say(ALICE, &bob, "1"), wire.say(ALICE, &bob, "2")];
    wire.act(BOB, Action::Read { chat: alice.clone() });
    wire.act(BOB, Action::Read { chat: alice });
    let reads: Vec<&PhoneEvent> = wire.accounts[ALICE]
        .events
        .iter()
        .filter(|event| matches!(event, PhoneEvent::Receipt { kind, .. } if kind == "read"))
        .collect();
    let [PhoneEvent::Receipt { ids: read, .. }] = reads[..] else { panic!("{reads:?}") };
    assert_eq!(read[..], ids);
}

#[test]
fn a_phone_that_is_off_refuses_to_act() {
    let mut wire = Wire::new();
    let bob = wire.user(BOB);
    wire.phone(ALICE).set_online(false);
    let now = wire.now;
    let action = Action::Text { chat: bob, text: "no".to_owned(), quote: None };
    let refused = wire.with(ALICE, |phone, wire, _| phone.act(action, wire, now));
    assert!(matches!(refused, Err(crate::phone::PhoneError::Offline)));
}

#[test]
fn after_a_re_installation_both_sides_find_each_other_again() {
    let mut wire = Wire::new();
    wire.link(ALICE, Companion::new(31), 7);
    let (alice, bob) = (wire.user(ALICE), wire.user(BOB));
    wire.say(ALICE, &bob, "before");
    wire.say(BOB, &alice, "before too");
    let (raw_id, key) = (wire.phone(ALICE).raw_id(), wire.phone(ALICE).account_key());
    let now = wire.now;
    let fresh = wire.phone(ALICE).reinstall(now);
    assert_ne!(raw_id, wire.phone(ALICE).raw_id());
    assert_ne!(key, wire.phone(ALICE).account_key());
    assert_eq!(fresh.dropped, [7]);
    wire.accounts[ALICE].keys = [(0, Stock { upload: fresh.upload, device_identity: None })].into();
    wire.accounts[ALICE].companions.clear();

    // Bob does not know yet: his message cannot be read, the retry brings a new session.
    wire.say(BOB, &alice, "are you there");
    assert_eq!(texts(wire.inbox(ALICE)).last(), Some(&"are you there"));
    wire.say(ALICE, &bob, "a new phone");
    assert_eq!(texts(wire.inbox(BOB)).last(), Some(&"a new phone"));
    // A new link starts over with index 1.
    wire.link(ALICE, Companion::new(32), 7);
    assert!(wire.companion(ALICE, 7).ring.active().is_some());
}

#[test]
fn an_identity_notification_drops_the_old_sessions() {
    let mut wire = Wire::new();
    let (alice, bob) = (wire.user(ALICE), wire.user(BOB));
    wire.say(BOB, &alice, "before");
    let now = wire.now;
    let fresh = wire.phone(ALICE).reinstall(now);
    wire.accounts[ALICE].keys = [(0, Stock { upload: fresh.upload, device_identity: None })].into();
    let notice = Node::new("notification")
        .attr("id", "n1")
        .attr("from", &alice)
        .attr("type", "encrypt")
        .child(Node::new("identity"));
    let turn = wire.with(BOB, |phone, wire, now| phone.receive(&notice, wire, now));
    assert_eq!(turn.events, [PhoneEvent::IdentityChanged { user: alice.clone() }]);
    wire.say(BOB, &alice, "after");
    let events = &wire.accounts[ALICE].events;
    assert!(!events.iter().any(|event| matches!(event, PhoneEvent::Undecryptable { .. })), "{events:?}");
    assert_eq!(texts(wire.inbox(ALICE)), ["before", "after"]);
    wire.say(ALICE, &bob, "fine");
    assert_eq!(texts(wire.inbox(BOB)), ["fine"]);
}

#[test]
fn a_first_message_carries_a_proof_and_issues_a_token_once_a_week() {
    let mut wire = Wire::new();
    let (alice, bob) = (wire.user(ALICE), wire.user(BOB));
    wire.say(ALICE, &bob, "first");
    assert!(wire.log[0].contains("<cstoken"), "{}", wire.log[0]);
    let issued = |wire: &Wire| wire.log.iter().filter(|line| line.contains("trusted_contact")).count();
    assert_eq!(issued(&wire), 1);
    wire.say(ALICE, &bob, "second");
    assert_eq!(issued(&wire), 1);
    wire.now.unix_ms += 8 * 86_400_000;
    wire.say(ALICE, &bob, "next week");
    assert_eq!(issued(&wire), 2);

    let token = |t: u64, byte: u8| {
        let token = Node::new("token").attr("type", "trusted_contact").attr("t", t.to_string());
        Node::new("notification")
            .attr("id", "t1")
            .attr("from", &alice)
            .attr("type", "privacy_token")
            .child(Node::new("tokens").child(token.bytes(vec![byte; 4])))
    };
    let t = wire.now.seconds();
    for (t, byte) in [(t, 0xAB), (t - 5, 0xCD)] {
        let notice = token(t, byte);
        wire.with(BOB, |phone, wire, now| phone.receive(&notice, wire, now));
    }
    wire.say(BOB, &alice, "with a token");
    let line = wire.log.iter().rfind(|line| line.starts_with("<message")).unwrap();
    assert!(line.contains("<tctoken") && !line.contains("<cstoken"), "{line}");
}
