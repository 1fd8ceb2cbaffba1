//! Calls: rung on every device, over when they are answered, refused or left alone (chapters 05 §13, 10 §5.1).

use std::time::Duration;

use wa_binary::{Jid, Node};
use wa_sim::SimHandle;

use crate::client::{Client, attr, sim, sim_with};

/// Ada with two devices calls Bea, who has two as well.
struct Stage {
    sim: SimHandle,
    ada: Client,
    sibling: Client,
    bea: Client,
    other: Client,
}

impl Stage {
    async fn new(sim: SimHandle) -> Self {
        Self {
            ada: Client::linked(&sim, "Ada", 1).await,
            sibling: Client::linked(&sim, "Ada", 2).await,
            bea: Client::linked(&sim, "Bea", 3).await,
            other: Client::linked(&sim, "Bea", 4).await,
            sim,
        }
    }

    /// Ada's first device calls; everybody's first sight of it.
    async fn ring(&mut self, id: &str) -> Node {
        let offer = action("offer", id, &self.ada.my_lid()).child(Node::new("audio").attr("enc", "opus"));
        let stanza = Node::new("call").attr("id", id).attr("to", self.bea.my_lid().user_jid());
        self.ada.send(stanza.child(offer)).await;
        let ack = self.ada.until(|node| node.is("ack") && node.attr_is("class", "call")).await;
        assert!(ack.attr_is("type", "offer") && !ack.has_attr("error"), "{ack}");
        self.other.until(|node| node.is("call") && node.attr_is("id", id)).await;
        self.bea.until(|node| node.is("call") && node.attr_is("id", id)).await
    }

    async fn answer(&mut self, id: &str, answer: Node) {
        let to = self.ada.my_lid();
        self.bea.send(Node::new("call").attr("id", id).attr("to", to).child(answer)).await;
    }
}

fn action(tag: &str, id: &str, creator: &Jid) -> Node {
    Node::new(tag).attr("call-id", format!("C{id}")).attr("call-creator", creator)
}

/// Reasons of the ends that a client is told.
async fn ends(client: &mut Client) -> Vec<(String, String)> {
    let nodes = client.rest().await;
    let terminates = nodes.iter().filter(|node| node.is("call")).filter_map(|call| {
        let terminate = call.optional_child("terminate")?.to_node();
        Some((attr(&terminate, "call-id")?, attr(&terminate, "reason")?))
    });
    terminates.collect()
}

#[tokio::test(start_paused = true)]
async fn an_offer_names_its_device_and_comes_with_a_relay() {
    let mut stage = Stage::new(sim(970)).await;
    let call = stage.ring("1").await;
    assert_eq!(call.required("from").jid().expect("an address"), stage.ada.my_lid());
    assert!(call.has_attr("t") && call.attr_is("notify", "Ada"), "{call}");
    let offer = call.required_child("offer").expect("offer").to_node();
    assert!(offer.optional_child("audio").is_some(), "what the caller said is passed on");
    let relay = offer.required_child("relay").expect("a relay").to_node();
    for part in ["key", "token", "te2"] {
        assert!(relay.optional_child(part).is_some(), "{relay}");
    }
    // Whoever says that somebody else made the offer is corrected.
    let forged = action("offer", "2", &stage.bea.my_lid());
    let to = stage.bea.my_lid().user_jid();
    stage.ada.send(Node::new("call").attr("id", "2").attr("to", to).child(forged)).await;
    let call = stage.bea.until(|node| node.is("call") && node.attr_is("id", "2")).await;
    let offer = call.required_child("offer").expect("offer").to_node();
    assert_eq!(offer.required("call-creator").jid().expect("an address"), stage.ada.my_lid());
    // In the other family everybody is named in it.
    let offer = action("offer", "3", &stage.ada.my_lid());
    let to = stage.bea.my_jid().user_jid();
    stage.ada.send(Node::new("call").attr("id", "3").attr("to", to).child(offer)).await;
    let call = stage.bea.until(|node| node.is("call") && node.attr_is("id", "3")).await;
    let offer = call.required_child("offer").expect("offer").to_node();
    assert_eq!(offer.required("call-creator").jid().expect("an address"), stage.ada.my_jid());
    assert_eq!(call.required("from").jid().expect("an address"), stage.ada.my_jid());
    assert_eq!(call.required("sender_lid").jid().expect("an address"), stage.ada.my_lid().user_jid());
}

#[tokio::test(start_paused = true)]
async fn accepted_and_rejected_elsewhere_reach_the_siblings_only() {
    for (seed, tag, reason) in [(971, "accept", "accepted_elsewhere"), (972, "reject", "rejected_elsewhere")]
    {
        let mut stage = Stage::new(sim(seed)).await;
        stage.ring("1").await;
        let answer = action(tag, "1", &stage.ada.my_lid());
        stage.answer("2", answer).await;
        let told = stage.ada.until(|node| node.is("call") && node.optional_child(tag).is_some()).await;
        assert_eq!(told.required("from").jid().expect("an address"), stage.bea.my_lid());
        assert_eq!(ends(&mut stage.other).await, [("C1".to_owned(), reason.to_owned())]);
        for client in [&mut stage.ada, &mut stage.bea, &mut stage.sibling] {
            assert!(ends(client).await.is_empty());
        }
        // It rings no longer: nothing runs out.
        stage.sim.advance(Duration::from_secs(60));
        assert!(ends(&mut stage.ada).await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_busy_device_leaves_the_others_ringing() {
    let mut stage = Stage::new(sim(973)).await;
    stage.ring("1").await;
    let busy = action("reject", "1", &stage.ada.my_lid()).attr("reason", "busy");
    stage.answer("2", busy).await;
    stage.ada.until(|node| node.is("call") && node.optional_child("reject").is_some()).await;
    assert!(ends(&mut stage.other).await.is_empty());
    stage.sim.advance(Duration::from_secs(60));
    assert_eq!(ends(&mut stage.other).await, [("C1".to_owned(), "timeout".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_nobody_takes_rings_for_so_long_and_no_longer() {
    let mut stage = Stage::new(sim_with(|config| config.ringing_ms = 20_000, 974)).await;
    stage.ring("1").await;
    let begin = tokio::time::Instant::now();
    for client in [&mut stage.bea, &mut stage.other, &mut stage.ada] {
        let mut ended = Vec::new();
        while ended.is_empty() {
            assert!(begin.elapsed() < Duration::from_secs(60), "it rings on");
            ended = ends(client).await;
        }
        assert_eq!(ended, [("C1".to_owned(), "timeout".to_owned())]);
    }
    assert!(begin.elapsed() >= Duration::from_secs(20));
    assert!(ends(&mut stage.sibling).await.is_empty());
    // A caller who gives up is heard, and nothing runs out afterwards.
    stage.ring("2").await;
    let to = stage.bea.my_lid().user_jid();
    let end = action("terminate", "2", &stage.ada.my_lid());
    stage.ada.send(Node::new("call").attr("id", "3").attr("to", to).child(end)).await;
    stage.bea.until(|node| node.is("call") && node.optional_child("terminate").is_some()).await;
    stage.bea.rest().await;
    stage.sim.advance(Duration::from_secs(60));
    assert!(ends(&mut stage.bea).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn every_action_is_acked_and_relayed_also_to_groups_and_blocked_callers_are_heard_by_nobody() {
    let mut stage = Stage::new(sim(975)).await;
    let (to, creator) = (stage.bea.my_lid(), stage.ada.my_lid());
    let tags = ["offer_notice", "preaccept", "transport", "relaylatency", "mute_v2", "heartbeat"];
    for tag in tags {
        let stanza = Node::new("call").attr("id", tag).attr("to", &to).child(action(tag, "1", &creator));
        stage.ada.send(stanza).await;
        let ack = stage.ada.until(|node| node.is("ack") && node.attr_is("id", tag)).await;
        assert!(ack.attr_is("type", tag) && !ack.has_attr("error"), "{ack}");
        let call = stage.bea.until(|node| node.is("call") && node.attr_is("id", tag)).await;
        assert!(call.optional_child(tag).is_some(), "{call}");
    }
    assert!(!stage.other.rest().await.iter().any(|node| node.is("call")), "to one device");
    // A group's members, all their devices and one's own others.
    let participant = Node::new("participant").attr("jid", to.user_jid());
    let create = Node::new("create").attr("subject", "Circle").child(participant);
    let answer = stage.ada.iq("w:g2", "set", Jid::GROUPS, Some(create)).await;
    let id = attr(&answer.required_child("group").expect("a group").to_node(), "id").expect("an id");
    let group: Jid = format!("{id}@g.us").parse().expect("an address");
    let offer =
        |id: &str| Node::new("call").attr("id", id).attr("to", &group).child(action("offer", id, &creator));
    stage.ada.send(offer("G1")).await;
    assert!(!stage.ada.until(|node| node.is("ack") && node.attr_is("id", "G1")).await.has_attr("error"));
    for client in [&mut stage.bea, &mut stage.other, &mut stage.sibling] {
        client.until(|node| node.is("call") && node.attr_is("id", "G1")).await;
    }
    let mut cleo = Client::linked(&stage.sim, "Cleo", 5).await;
    cleo.send(offer("G2")).await;
    assert!(cleo.until(|node| node.is("ack") && node.attr_is("id", "G2")).await.attr_is("error", "403"));
    let item = Node::new("item").attr("action", "block").attr("jid", creator.user_jid());
    let item = item.attr("pn_jid", stage.ada.my_jid().user_jid());
    assert!(stage.bea.set("blocklist", item).await.attr_is("type", "result"));
    stage.bea.rest().await;
    let offer = action("offer", "9", &creator);
    stage.ada.send(Node::new("call").attr("id", "9").attr("to", to.user_jid()).child(offer)).await;
    assert!(!stage.ada.until(|node| node.is("ack") && node.attr_is("id", "9")).await.has_attr("error"));
    assert!(!stage.bea.rest().await.iter().any(|node| node.is("call")));
}
