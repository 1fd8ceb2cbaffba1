//! What the directory says of people when it is told to say something else, numbers that change or stay hidden, and what
//! phones ask of the server (chapter 10 §4, §5, §10).

use std::time::Duration;

use wa_binary::{Jid, Node};
use wa_core::adv::KeyIndexList;
use wa_sim::SimHandle;
use wa_sim::phone::content::{Content, Text};
use wa_sim::phone::{Action, Kind, Manner};
use wa_sim::world::{DeedError, DeviceListing, GroupChange, Switches};

use crate::client::{Client, attr};
use crate::scene::{self, account, child, pair};

fn switch(sim: &SimHandle, client: &Client, change: impl FnOnce(&mut Switches)) {
    let id = account(sim, client);
    sim.world(|world, _| {
        let mut switches = world.account(id).switches.clone();
        change(&mut switches);
        world.set_switches(id, switches);
    });
}

/// The `<user>` of a usync answer, if it is there.
async fn asked(client: &mut Client, protocol: &str, user: &Jid) -> Option<Node> {
    let protocol = Node::new(protocol.to_owned()).attr("version", "2");
    let user = Node::new("user").attr("jid", user);
    let answer = client.get("usync", scene::usync(vec![protocol], vec![user])).await;
    let list = child(&child(&answer, "usync"), "list");
    list.optional_child("user").map(wa_binary::NodeRef::to_node)
}

#[tokio::test(start_paused = true)]
async fn the_directory_lies_about_devices_when_told_to() {
    let (sim, mut ada, bea) = pair(740).await;
    let user = bea.my_lid().user_jid();
    let id = account(&sim, &bea);
    let key = sim.world(|world, _| world.phone(id).expect("a phone").account_key());
    let key = wa_crypto::curve::PublicKey::from_bytes(key);
    let devices =
        |user: Option<Node>| user.expect("a user").required_child("devices").expect("devices").to_node();
    let count =
        |devices: &Node| devices.required_child("device-list").expect("a list").each("device").count();
    let listed = |devices: &Node| {
        let bytes = devices.optional_child("key-index-list")?.optional_bytes()?.to_vec();
        Some(KeyIndexList::verify(&bytes, Some(&key)).expect("a list").valid_indexes.len())
    };
    let truth = devices(asked(&mut ada, "devices", &user).await);
    assert_eq!((count(&truth), listed(&truth)), (2, Some(2)));
    for listing in [
        DeviceListing::NoKeyIndex,
        DeviceListing::StaleKeyIndex,
        DeviceListing::Empty,
        DeviceListing::Omitted,
        DeviceListing::Whole,
    ] {
        switch(&sim, &bea, |switches| switches.device_list = listing);
        let answer = asked(&mut ada, "devices", &user).await;
        match listing {
            DeviceListing::NoKeyIndex => {
                let answer = devices(answer);
                assert_eq!((count(&answer), listed(&answer)), (2, None));
            }
            DeviceListing::StaleKeyIndex => {
                let answer = devices(answer);
                assert_eq!(count(&answer), 2);
                assert!(listed(&answer) < listed(&truth));
            }
            DeviceListing::Empty => assert_eq!(count(&devices(answer)), 0),
            DeviceListing::Omitted => assert_eq!(answer, None),
            DeviceListing::Whole => assert_eq!(devices(answer), truth),
        }
    }
    // One protocol fails for this person, with a time to come back; the others do not.
    switch(&sim, &bea, |switches| switches.usync_error = Some(("status".to_owned(), 429, Some(60))));
    let status = asked(&mut ada, "status", &user).await.expect("a user");
    let error = status.required_child("status").expect("status").required_child("error").expect("an error");
    assert!(error.attr_is("code", "429") && error.attr_is("backoff", "60"));
    assert_eq!(devices(asked(&mut ada, "devices", &user).await), truth);
}

#[tokio::test(start_paused = true)]
async fn a_number_may_be_hidden_and_a_lid_revealed_late() {
    let (sim, mut ada, bea) = pair(741).await;
    let says = |sim: &SimHandle| {
        let chat = ada_lid(sim);
        let text = Action::Text { chat, text: "hi".to_owned(), quote: None };
        sim.act(bea.number(), text).expect("a deed").expect("an id")
    };
    let id = says(&sim);
    let node = ada.until(|node| node.is("message") && node.attr_is("id", &id)).await;
    assert!(attr(&node, "sender_pn").is_some(), "{node}");
    switch(&sim, &bea, |switches| switches.hide_pn = true);
    let id = says(&sim);
    let node = ada.until(|node| node.is("message") && node.attr_is("id", &id)).await;
    assert_eq!(attr(&node, "sender_pn"), None, "{node}");
    let user = asked(&mut ada, "devices", &bea.my_lid().user_jid()).await.expect("a user");
    assert_eq!(attr(&user, "pn_jid"), None, "{user}");

    let cleo = Client::linked(&sim, "scenario:no_lid:Cleo", 3).await;
    assert_eq!(cleo.lid, None);
    let number = cleo.my_jid().user_jid();
    assert!(asked(&mut ada, "lid", &number).await.expect("a user").optional_child("lid").is_none());
    let id = account(&sim, &cleo);
    assert!(sim.world(|world, now_ms| world.reveal_lid(now_ms, id)));
    assert!(!sim.world(|world, now_ms| world.reveal_lid(now_ms, id)), "once");
    assert!(asked(&mut ada, "lid", &number).await.expect("a user").optional_child("lid").is_some());
}

fn ada_lid(sim: &SimHandle) -> Jid {
    sim.world(|world, _| {
        let ada = world.account(world.account_named("Ada").expect("Ada"));
        ada.jid(wa_binary::Family::Lid)
    })
}

#[tokio::test(start_paused = true)]
async fn an_account_moves_to_another_number_and_keeps_its_lid() {
    let (sim, mut ada, mut bea) = pair(742).await;
    let (id, lid, before) = (account(&sim, &bea), bea.my_lid().user_jid(), bea.my_jid().user_jid());
    ada.text(&lid, std::slice::from_ref(&lid), "hello").await;
    ada.rest().await;
    let taken = sim.world(|world, now_ms| world.change_number(now_ms, id, ada.number()));
    assert_eq!(taken, Err(DeedError::Taken(ada.number())));
    sim.world(|world, now_ms| world.change_number(now_ms, id, 15_550_177)).expect("a number");
    let note = ada.until(|node| node.is("notification") && node.attr_is("type", "contacts")).await;
    let modify = note.required_child("modify").expect("modify").to_node();
    assert_eq!(attr(&modify, "old"), Some(before.to_string()));
    assert_eq!(attr(&modify, "new").as_deref(), Some("15550177@s.whatsapp.net"));
    assert_eq!(attr(&modify, "new_lid"), Some(lid.to_string()));
    assert!(bea.ended().await, "its companions are unlinked");
    // It still writes, under the new number.
    let text = Action::Text { chat: ada.my_lid().user_jid(), text: "new".to_owned(), quote: None };
    let id = sim.act(15_550_177, text).expect("a deed").expect("an id");
    let node = ada.until(|node| node.is("message") && node.attr_is("id", &id)).await;
    assert_eq!(attr(&node, "sender_pn").as_deref(), Some("15550177@s.whatsapp.net"));
}

#[tokio::test(start_paused = true)]
async fn a_status_is_gone_after_a_day() {
    let (sim, ada, mut bea) = pair(743).await;
    let post = |text: &str| {
        let content = Box::new(Content::Text(Text::new(text)));
        let action = Action::Say { chat: Jid::STATUS, content, manner: Manner::default() };
        sim.act(ada.number(), action).expect("a post").expect("an id")
    };
    drop(bea.line.take());
    tokio::task::yield_now().await;
    let old = post("old");
    sim.advance(Duration::from_secs(86_401));
    let new = post("new");
    bea.login(&sim).await;
    let seen = bea.rest().await;
    let came = |id: &str| seen.iter().any(|node| node.is("message") && node.attr_is("id", id));
    assert!(!came(&old) && came(&new), "{seen:#?}");
}

#[tokio::test(start_paused = true)]
async fn phones_block_make_groups_and_change_them() {
    let (sim, mut ada, mut bea) = pair(744).await;
    let (a, b) = (account(&sim, &ada), account(&sim, &bea));
    sim.world(|world, now_ms| world.block(now_ms, a, b, true)).expect("blocked");
    let note = ada.until(|node| node.is("notification") && node.optional_child("blocklist").is_some()).await;
    assert!(note.attr_is("type", "account_sync"), "{note}");
    let text = |text: &str| Action::Text { chat: ada_lid(&sim), text: text.to_owned(), quote: None };
    sim.act(bea.number(), text("unheard")).expect("a deed");
    sim.world(|world, now_ms| world.block(now_ms, a, b, false)).expect("unblocked");
    sim.act(bea.number(), text("heard")).expect("a deed");
    let heard: Vec<Kind> = sim.inbox(ada.number()).into_iter().map(|received| received.kind).collect();
    assert_eq!(heard, [Kind::Text { text: "heard".into(), quoted: None }]);

    let group = sim.world(|world, now_ms| world.create_group(now_ms, a, "Circle", &[b])).expect("a group");
    for client in [&mut ada, &mut bea] {
        let note = client.until(|node| node.attr_is("type", "w:gp2")).await;
        assert!(note.optional_child("create").is_some(), "{note}");
    }
    let change = |who, change| sim.world(|world, now_ms| world.change_group(now_ms, who, &group, change));
    assert!(matches!(change(b, GroupChange::Promote(vec![b])), Err(DeedError::Refused(403 | 401))));
    for (what, child) in [
        (GroupChange::Subject("Reading".into()), "subject"),
        (GroupChange::Timer(86_400), "ephemeral"),
        (GroupChange::Timer(0), "not_ephemeral"),
        (GroupChange::Announcement(true), "announcement"),
        (GroupChange::Announcement(false), "not_announcement"),
        (GroupChange::Locked(true), "locked"),
        (GroupChange::Promote(vec![b]), "promote"),
        (GroupChange::Demote(vec![b]), "demote"),
        (GroupChange::Remove(vec![b]), "remove"),
    ] {
        change(a, what).expect(child);
        bea.until(|node| node.attr_is("type", "w:gp2") && node.optional_child(child).is_some()).await;
    }
    change(a, GroupChange::Add(vec![b])).expect("added");
    change(b, GroupChange::Leave).expect("left");
    let members = sim.world(|world, _| world.find_group(&group).expect("the group").members.len());
    assert_eq!(members, 1);
    // A phone that is switched off asks for nothing.
    sim.world(|world, now_ms| world.set_phone_online(now_ms, a, false));
    assert_eq!(change(a, GroupChange::Leave), Err(DeedError::Offline));
}
