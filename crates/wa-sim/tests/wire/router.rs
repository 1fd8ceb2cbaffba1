//! What the router promises beside reaching the right devices: order, copies, hashes, states that are kept (chapters 05 §5.8,
//! §10.3, 10 §5).

use std::time::Duration;

use wa_binary::{Jid, Node};
use wa_sim::faults::Direction;
use wa_sim::trace::Filter;

use crate::client::{Client, attr, opaque, sim, sim_with};

#[tokio::test(start_paused = true)]
async fn own_devices_get_copies_that_name_the_chat_and_the_ack_leaves_before_them() {
    let sim = sim(980);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let mut sibling = Client::linked(&sim, "Ada", 2).await;
    let mut bea = Client::linked(&sim, "Bea", 3).await;
    let to = bea.my_lid();
    let message = opaque("M1", &to.user_jid(), &[to.clone(), sibling.my_lid()]);
    ada.send(message.attr("edit", "1").child(Node::new("meta").attr("mark", "kept"))).await;
    let delivered = bea.until(|node| node.attr_is("id", "M1")).await;
    let copy = sibling.until(|node| node.attr_is("id", "M1")).await;
    for node in [&delivered, &copy] {
        assert_eq!(node.required("from").jid().expect("an address"), ada.my_lid());
        assert_eq!(node.required("sender_pn").jid().expect("an address"), ada.my_jid().user_jid());
        assert!(node.attr_is("type", "text") && node.attr_is("edit", "1") && node.attr_is("notify", "Ada"));
        assert!(node.optional_child("meta").is_some_and(|meta| meta.attr_is("mark", "kept")));
        assert_eq!(node.each("enc").count(), 1);
    }
    assert_eq!(copy.required("recipient").jid().expect("an address"), to.user_jid());
    assert_eq!(copy.required("peer_recipient_pn").jid().expect("an address"), bea.my_jid().user_jid());
    assert!(!delivered.has_attr("recipient"));
    let ack = ada.until(|node| node.is("ack") && node.attr_is("id", "M1")).await;
    assert_eq!(attr(&ack, "t"), attr(&delivered, "t"), "the server's time");
    let out = Filter { direction: Some(Direction::Out), id: Some("M1".into()), ..Filter::default() };
    let order: Vec<String> = sim.trace(&out).iter().map(|passed| passed.node.tag().to_owned()).collect();
    assert_eq!(order, ["ack", "message", "message"]);
}

#[tokio::test(start_paused = true)]
async fn a_group_message_reaches_devices_that_were_left_out_and_a_wrong_hash_is_answered_with_the_servers() {
    let sim = sim(981);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let mut bea = Client::linked(&sim, "Bea", 2).await;
    let mut cleo = Client::linked(&sim, "Cleo", 3).await;
    let member = |client: &Client| Node::new("participant").attr("jid", client.my_lid().user_jid());
    let create = Node::new("create").attr("subject", "Circle").child(member(&bea)).child(member(&cleo));
    let answer = ada.iq("w:g2", "set", Jid::GROUPS, Some(create)).await;
    let id = attr(&answer.required_child("group").expect("a group").to_node(), "id").expect("an id");
    let group: Jid = format!("{id}@g.us").parse().expect("an address");
    let own = Node::new("enc").attr("v", "2").attr("type", "msg").bytes(vec![1; 20]);
    let to = Node::new("to").attr("jid", bea.my_lid()).child(own);
    let common = Node::new("enc").attr("v", "2").attr("type", "skmsg");
    let message = |id: &str, hash: &str| {
        Node::new("message")
            .attr("id", id)
            .attr("to", &group)
            .attr("type", "text")
            .attr("phash", hash)
            .child(Node::new("participants").child(to.clone()))
            .child(common.clone().bytes(vec![0x33, 8, 1, 16, 1, 26, 1, 1]))
    };
    ada.send(message("G1", "2:nonsense")).await;
    let ack = ada.until(|node| node.is("ack") && node.attr_is("id", "G1")).await;
    let everybody = [&ada, &bea, &cleo].map(|client| [client.my_lid().user_jid(), client.my_lid()]).concat();
    let hash = wa_core::envelope::phash(&everybody);
    assert_eq!(attr(&ack, "phash").as_ref(), Some(&hash));
    let kinds = |node: &Node| -> Vec<Option<String>> {
        node.each("enc").map(|enc| attr(&enc.to_node(), "type")).collect()
    };
    let kind = |kind: &str| Some(kind.to_owned());
    let seen = bea.until(|node| node.attr_is("id", "G1")).await;
    assert_eq!(kinds(&seen), [kind("msg"), kind("skmsg")], "its own first");
    let seen = cleo.until(|node| node.attr_is("id", "G1")).await;
    assert_eq!(kinds(&seen), [kind("skmsg")]);
    ada.send(message("G2", &hash)).await;
    assert!(!ada.until(|node| node.is("ack") && node.attr_is("id", "G2")).await.has_attr("phash"));
}

#[tokio::test(start_paused = true)]
async fn inactive_receipts_are_passed_on_as_such_and_own_kinds_stay_at_home() {
    let sim = sim(982);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let mut bea = Client::linked(&sim, "Bea", 2).await;
    let mut sibling = Client::linked(&sim, "Bea", 3).await;
    bea.polite = false;
    let to = bea.my_lid();
    ada.send(opaque("M1", &to.user_jid(), std::slice::from_ref(&to))).await;
    bea.until(|node| node.attr_is("id", "M1")).await;
    let receipt =
        |kind: &str| Node::new("receipt").attr("id", "M1").attr("to", ada.my_lid()).attr("type", kind);
    bea.send(receipt("inactive")).await;
    assert!(bea.until(|node| node.is("ack")).await.attr_is("type", "inactive"));
    bea.send(receipt("read-self")).await;
    let seen = ada.until(|node| node.is("receipt") && node.attr_is("id", "M1")).await;
    assert!(seen.attr_is("type", "inactive") && seen.has_attr("t"), "{seen}");
    assert_eq!(seen.required("from").jid().expect("an address"), to);
    let own = sibling.until(|node| node.is("receipt") && node.attr_is("type", "read-self")).await;
    assert_eq!(own.required("recipient").jid().expect("an address"), ada.my_lid().user_jid());
    assert!(!ada.rest().await.iter().any(|node| node.attr_is("type", "read-self")));
}

#[tokio::test(start_paused = true)]
async fn of_a_presence_that_changed_meanwhile_only_the_latest_state_is_told() {
    let sim = sim(983);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let mut bea = Client::linked(&sim, "Bea", 2).await;
    let payload = ada.login_payload(true);
    ada.open(&sim, payload, wa_noise::Opening::Xx).await.expect("a connection");
    ada.until_tag("success").await;
    ada.send(Node::new("presence").attr("type", "subscribe").attr("to", bea.my_lid().user_jid())).await;
    ada.get("w:p", Node::new("ping")).await;
    for kind in ["available", "unavailable", "available"] {
        bea.send(Node::new("presence").attr("type", kind).attr("name", "Bea")).await;
        bea.get("encrypt", Node::new("count")).await;
    }
    assert!(
        !ada.rest().await.iter().any(|node| node.is("presence")),
        "nothing but answers before it is active"
    );
    ada.set("passive", Node::new("active")).await;
    let seen: Vec<Node> = ada.rest().await.into_iter().filter(|node| node.is("presence")).collect();
    assert!(matches!(&seen[..], [one] if one.attr_is("type", "available")), "{seen:?}");
    // Once it listens, every change is told; and the end of the connection ends the subscription.
    bea.send(Node::new("presence").attr("type", "unavailable").attr("name", "Bea")).await;
    assert!(ada.until_tag("presence").await.attr_is("type", "unavailable"));
    ada.line = None;
    bea.get("encrypt", Node::new("count")).await;
    bea.send(Node::new("presence").attr("type", "available").attr("name", "Bea")).await;
    bea.get("encrypt", Node::new("count")).await;
    ada.login(&sim).await;
    assert!(!ada.rest().await.iter().any(|node| node.is("presence")));
}

#[tokio::test(start_paused = true)]
async fn typing_waits_its_time_in_the_order_of_arrival_and_no_longer() {
    for (seed, ttl, later, kept) in [(984, 3, 2, true), (985, 3, 4, false), (986, 0, 0, false)] {
        let sim = sim_with(|config| config.chatstate_ttl_s = ttl, seed);
        let mut ada = Client::linked(&sim, "Ada", 1).await;
        let mut bea = Client::linked(&sim, "Bea", 2).await;
        let to = bea.my_lid();
        bea.line = None;
        ada.rest().await;
        let message = |id: &str| opaque(id, &to.user_jid(), std::slice::from_ref(&to));
        ada.send(message("M1")).await;
        ada.send(Node::new("chatstate").attr("to", to.user_jid()).child(Node::new("composing"))).await;
        ada.send(message("M2")).await;
        ada.until(|node| node.is("ack") && node.attr_is("id", "M2")).await;
        sim.advance(Duration::from_secs(later));
        bea.login(&sim).await;
        let seen = bea.rest().await;
        let order: Vec<&str> =
            seen.iter().map(Node::tag).filter(|tag| matches!(*tag, "message" | "chatstate")).collect();
        let wanted: &[&str] =
            if kept { &["message", "chatstate", "message"] } else { &["message", "message"] };
        assert_eq!(order, wanted, "ttl {ttl}, {later} s later");
    }
}
