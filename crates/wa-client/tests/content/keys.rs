//! Sender keys of groups: once to each device, to a new one when it comes, anew to all when somebody leaves.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use wa_binary::Node;
use wa_client::Jid;
use wa_client::messages::sending::SendReport;
use wa_client::sabotage::Sabotage;
use wa_sim::faults::Direction;
use wa_sim::seed::SeedAccount;
use wa_sim::trace::Filter;

use super::*;

const BEA: u64 = 15_550_102;

async fn stage_of_three(seed: u64) -> Stage {
    Stage::with(seed, |config| {
        let world = config.world.as_mut().expect("a world");
        let bea = SeedAccount { name: "Bea".into(), number: Some(BEA), ..SeedAccount::default() };
        world.accounts.push(bea);
        world.groups.push(SeedGroup {
            subject: "Friends".into(),
            creator: "Ada".into(),
            members: vec!["Bea".into(), "Bot".into()],
            ..SeedGroup::default()
        });
    })
    .await
}

/// Says something in the group; gives the devices that got our key with it.
async fn keys(stage: &Stage, client: &wa_client::Client, group: &Jid, text: &str) -> usize {
    let sent = client.messages().send(group, text).await.expect("it is taken");
    let id = sent.id.to_string();
    let report = sent.await;
    assert!(matches!(report, SendReport::Accepted(_)), "{report:?}");
    let of_client = Filter {
        direction: Some(Direction::In),
        tag: Some("message".into()),
        id: Some(id),
        ..Filter::default()
    };
    let stanza = stage.sim.expect(&of_client, PATIENCE).await.expect("it passed").node;
    assert_eq!(stanza.each("enc").count(), 1, "one ciphertext for all: {stanza}");
    stanza.optional_child("participants").map_or(0, |list| list.to_node().each("to").count())
}

/// Waits until the client has taken a notification of this kind.
async fn noticed(stage: &Stage, since: u64, kind: &str) {
    let acks = Filter {
        since,
        direction: Some(Direction::In),
        tag: Some("ack".into()),
        kind: Some(kind.into()),
        ..Filter::default()
    };
    stage.sim.expect(&acks, PATIENCE).await.expect("it is acknowledged");
}

async fn story(seed: u64, sabotage: Sabotage) {
    let stage = stage_of_three(seed).await;
    let (client, mut events) = stage.builder().sabotage(sabotage).connect().await.expect("it starts");
    stage.link(&client, &mut events).await;
    let group = client.groups().joined().await.expect("the groups")[0].jid.clone();
    let now = || stage.sim.world(|world, _| world.trace().last_seq());

    // Cold: the phones of three people. Warm: nobody.
    assert_eq!(keys(&stage, &client, &group, "first").await, 3);
    for text in ["second", "third"] {
        assert_eq!(keys(&stage, &client, &group, text).await, 0, "{text}");
    }
    // A new device alone gets the key.
    let before = now();
    let (_theirs, mut their_events) = stage.another("ada", ADA).await;
    noticed(&stage, before, "devices").await;
    assert_eq!(keys(&stage, &client, &group, "fourth").await, 1);
    text(&mut their_events, "fourth").await;
    assert_eq!(keys(&stage, &client, &group, "fifth").await, 0);
    // Who is gone must not read on: a new key for those who stay, Ada's two devices and our phone.
    let before = now();
    stage.sim.world(|world, now| {
        let (ada, bea) = (world.find_pn(ADA).expect("Ada"), world.find_pn(BEA).expect("Bea"));
        let who = world.account(bea).jid(wa_binary::Family::Lid);
        let remove = Node::new("remove").child(Node::new("participant").attr("jid", who));
        world.phone_asks(now, ada, "w:g2", &group, Some(remove)).expect("she may");
    });
    noticed(&stage, before, "w:gp2").await;
    assert_eq!(keys(&stage, &client, &group, "sixth").await, 3);
    text(&mut their_events, "sixth").await;
    assert_eq!(keys(&stage, &client, &group, "seventh").await, 0);
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_warm_group_gets_no_key_again_a_new_device_does_and_all_do_when_somebody_leaves() {
    story(106, Sabotage::None).await;
}

#[tokio::test(start_paused = true)]
async fn sabotage_a_client_that_sends_its_key_with_every_message_is_noticed() {
    let seen = AssertUnwindSafe(story(107, Sabotage::RepeatedKeys)).catch_unwind().await;
    assert!(seen.is_err(), "the test would not notice");
}
