//! What a token opens besides messages, which proofs a receiver takes, and a queue that is full (chapter 10 §6, §8).

use wa_binary::{Jid, Node};
use wa_sim::SimHandle;
use wa_sim::world::DeviceKey;

use crate::client::{Client, attr, opaque, sim, sim_with};

/// Presence, picture and a message: which of them Ada gets at Bea's, with this proof.
async fn opened(ada: &mut Client, bea: &Client, proof: Option<Node>, round: u32) -> [bool; 3] {
    let to = bea.my_lid().user_jid();
    let subscribe =
        Node::new("presence").attr("type", "subscribe").attr("to", &to).maybe_child(proof.clone());
    ada.send(subscribe).await;
    let id = ada.id();
    let picture =
        Node::new("picture").attr("type", "preview").attr("query", "url").maybe_child(proof.clone());
    let iq = Node::new("iq").attr("id", &id).attr("to", Jid::SERVER).attr("type", "get");
    ada.send(iq.attr("xmlns", "w:profile:picture").attr("target", &to).child(picture)).await;
    let message = format!("M{round}");
    ada.send(opaque(&message, &to, &[bea.my_lid()]).maybe_child(proof)).await;
    let nodes = ada.rest().await;
    let find = |fits: &dyn Fn(&Node) -> bool| nodes.iter().find(|node| fits(node));
    let answer = find(&|node| node.is("iq") && node.attr_is("id", &id)).expect("an answer");
    let ack = find(&|node| node.is("ack") && node.attr_is("id", &message)).expect("an ack");
    let presence = find(&|node| node.is("presence")).is_some();
    assert!(ack.attr_is("error", "463") || !ack.has_attr("error"), "{ack}");
    [presence, answer.optional_child("picture").is_some(), !ack.has_attr("error")]
}

fn switch(sim: &SimHandle, bea: &Client, change: impl FnOnce(&mut wa_sim::Switches)) {
    sim.world(|world, _| {
        let id = world.find_pn(bea.number()).expect("Bea");
        let mut switches = world.account(id).switches.clone();
        change(&mut switches);
        world.set_switches(id, switches);
    });
}

#[tokio::test(start_paused = true)]
async fn a_token_opens_presence_and_picture_and_the_computed_proof_only_messages() {
    let sim = sim(940);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let mut bea = Client::linked(&sim, "restricted:Bea", 2).await;
    let picture = Node::new("picture").attr("type", "image").bytes(b"\xff\xd8 a picture".to_vec());
    bea.set("w:profile:picture", picture).await;
    let token = Node::new("token")
        .attr("jid", ada.my_lid().user_jid())
        .attr("t", sim.now_ms() / 1000)
        .attr("type", "trusted_contact");
    bea.set("privacy", Node::new("tokens").child(token)).await;
    let notice = ada.until(|node| node.attr_is("type", "privacy_token")).await;
    let given = notice.required_child("tokens").expect("tokens").required_child("token").expect("a token");
    let given = Node::new("tctoken").bytes(given.required_bytes().expect("bytes").into_owned());
    let salt = sim.world(|world, _| {
        *world.phone(world.find_pn(ada.number()).expect("Ada")).expect("a phone").nct_salt()
    });
    let computed = wa_core::tokens::privacy::cs_token(&salt, &bea.my_lid().user_jid());
    let computed = Node::new("cstoken").bytes(computed.to_vec());
    let invented = Node::new("tctoken").bytes(vec![7; 16]);

    assert_eq!(opened(&mut ada, &bea, None, 1).await, [false; 3]);
    assert_eq!(opened(&mut ada, &bea, Some(invented), 2).await, [false; 3]);
    assert_eq!(opened(&mut ada, &bea, Some(computed.clone()), 3).await, [false, false, true]);
    assert_eq!(opened(&mut ada, &bea, Some(given.clone()), 4).await, [true; 3]);
    // A receiver that takes only one kind of proof takes it everywhere, and the other nowhere.
    switch(&sim, &bea, |switches| switches.tc_enabled = false);
    assert_eq!(opened(&mut ada, &bea, Some(given.clone()), 5).await, [false; 3]);
    assert_eq!(opened(&mut ada, &bea, Some(computed.clone()), 6).await, [false, false, true]);
    switch(&sim, &bea, |switches| (switches.tc_enabled, switches.cs_enabled) = (true, false));
    assert_eq!(opened(&mut ada, &bea, Some(computed), 7).await, [false; 3]);
    assert_eq!(opened(&mut ada, &bea, Some(given), 8).await, [true; 3]);
    switch(&sim, &bea, |switches| switches.restricted = false);
    assert_eq!(opened(&mut ada, &bea, None, 9).await, [true; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_full_loses_the_oldest_and_counts_them() {
    let sim = sim_with(|config| config.queue_limit = 3, 941);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let mut bea = Client::linked(&sim, "Bea", 2).await;
    bea.line = None;
    let to = bea.my_lid();
    // The server has to see the end of the connection, and what was under way is no part of this.
    ada.rest().await;
    let key = DeviceKey {
        account: sim.world(|world, _| world.find_pn(bea.number()).expect("Bea")),
        device: to.device(),
    };
    let lost = || sim.world(|world, _| world.device(key).expect("a device").queue.overflowed);
    let before = lost();
    for number in 0..5 {
        ada.send(opaque(&format!("M{number}"), &to.user_jid(), std::slice::from_ref(&to))).await;
        ada.until(|node| node.is("ack")).await;
    }
    assert_eq!(lost() - before, 2);
    bea.login(&sim).await;
    let ids: Vec<_> =
        bea.rest().await.iter().filter(|node| node.is("message")).map(|it| attr(it, "id")).collect();
    assert_eq!(ids, ["M2", "M3", "M4"].map(|id| Some(id.to_owned())));
}
