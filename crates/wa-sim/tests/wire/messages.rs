//! The router of messages, receipts and the offline queue (chapter 10 §5, §6).

use std::time::Duration;

use wa_binary::{Jid, Node};
use wa_sim::phone::{Action, Kind};

use crate::client::{Client, attr, opaque, sim, sim_with};

#[tokio::test(start_paused = true)]
async fn companions_and_phones_converse_end_to_end() {
    let sim = sim(20);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let mut bea = Client::linked(&sim, "Bea", 2).await;
    let (bea_lid, ada_lid) = (bea.my_lid(), ada.my_lid());
    let devices = [bea_lid.user_jid(), bea_lid.clone(), ada_lid.user_jid()];
    let id = ada.text(&bea_lid.user_jid(), &devices, "hello Bea").await;
    let ack = ada.until(|node| node.is("ack") && node.attr_is("id", &id)).await;
    assert!(ack.attr_is("class", "message") && !ack.has_attr("error") && !ack.has_attr("phash"), "{ack}");

    let delivered = bea.until(|node| node.is("message") && node.attr_is("id", &id)).await;
    assert_eq!(delivered.required("from").jid().expect("an address"), ada_lid);
    assert_eq!(delivered.required("sender_pn").jid().expect("an address"), ada.my_jid().user_jid());
    assert!(delivered.attr_is("notify", "Ada") && delivered.attr_is("addressing_mode", "lid"));
    assert_eq!(bea.read_message(&delivered)[0].conversation.as_deref(), Some("hello Bea"));
    let receipt = ada
        .until(|node| {
            node.is("receipt")
                && node.attr_is("id", &id)
                && node.required("from").jid().is_ok_and(|from| from == bea_lid)
        })
        .await;
    assert!(!receipt.has_attr("type"));

    // Bea's phone read it too, and answers; Ada's companion and phone see the answer.
    let inbox = sim.inbox(bea.number());
    assert!(
        inbox.iter().any(|received| matches!(&received.kind, Kind::Text { text, .. } if text == "hello Bea")),
        "{inbox:?}"
    );
    let chat = ada_lid.user_jid();
    sim.act(bea.number(), Action::Text { chat, text: "hello Ada".to_owned(), quote: None }).expect("a deed");
    let answer = ada.until(|node| node.is("message") && !node.attr_is("category", "peer")).await;
    assert_eq!(ada.read_message(&answer)[0].conversation.as_deref(), Some("hello Ada"));
    assert!(
        sim.inbox(ada.number())
            .iter()
            .any(|received| matches!(&received.kind, Kind::Text { text, .. } if text == "hello Ada"))
    );
    // And Bea's own companion gets the copy, which names the chat.
    let copy = bea.until(|node| node.is("message") && node.has_attr("recipient")).await;
    assert_eq!(copy.required("recipient").jid().expect("an address"), ada_lid.user_jid());
    assert_eq!(sim.violations().len(), 0, "{:?}", sim.violations());
}

#[tokio::test(start_paused = true)]
async fn the_family_of_a_delivery_is_the_senders_choice() {
    let sim = sim(21);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let mut bea = Client::linked(&sim, "Bea", 2).await;
    let to = bea.my_jid();
    ada.send(opaque("M1", &to.user_jid(), &[to])).await;
    let delivered = bea.until(|node| node.attr_is("id", "M1")).await;
    assert_eq!(delivered.required("from").jid().expect("an address"), ada.my_jid());
    assert_eq!(delivered.required("sender_lid").jid().expect("an address"), ada.my_lid().user_jid());
}

#[tokio::test(start_paused = true)]
async fn a_device_that_the_sender_missed_shows_in_the_acks_phash() {
    let sim = sim(22);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let bea = Client::linked(&sim, "Bea", 2).await;
    let to = bea.my_lid();
    ada.send(opaque("M1", &to.user_jid(), &[to])).await;
    assert!(attr(&ada.until_tag("ack").await, "phash").is_some_and(|phash| phash.starts_with("2:")));
}

#[tokio::test(start_paused = true)]
async fn the_same_id_again_is_acked_again_and_delivered_once() {
    let sim = sim(23);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let mut bea = Client::linked(&sim, "Bea", 2).await;
    let to = bea.my_lid();
    for _ in 0..2 {
        ada.send(opaque("M1", &to.user_jid(), std::slice::from_ref(&to))).await;
        ada.until(|node| node.is("ack") && node.attr_is("id", "M1")).await;
    }
    let delivered =
        bea.rest().await.iter().filter(|node| node.is("message") && node.attr_is("id", "M1")).count();
    assert_eq!(delivered, 1);
}

#[tokio::test(start_paused = true)]
async fn what_waited_comes_with_a_preview_and_goes_when_it_is_answered() {
    let sim = sim(24);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let mut bea = Client::linked(&sim, "Bea", 2).await;
    let to = bea.my_lid();
    bea.line = None;
    for number in 0..12 {
        ada.send(opaque(&format!("M{number}"), &to.user_jid(), std::slice::from_ref(&to))).await;
    }
    ada.rest().await;
    // Not polite: nothing is answered, so everything comes again.
    bea.polite = false;
    for _ in 0..2 {
        bea.login(&sim).await;
        let preview = bea.until(|node| node.optional_child("offline_preview").is_some()).await;
        assert!(preview.required_child("offline_preview").expect("a preview").attr_is("message", "12"));
        bea.send(Node::new("ib").child(Node::new("offline_batch").attr("count", "3"))).await;
        let rest = bea.rest().await;
        let messages: Vec<&Node> = rest.iter().filter(|node| node.is("message")).collect();
        assert_eq!(messages.len(), 12);
        for (place, message) in messages.iter().enumerate() {
            assert!(message.attr_is("id", &format!("M{place}")) && message.has_attr("offline"), "{message}");
        }
        assert!(rest.last().is_some_and(|node| node.optional_child("offline").is_some()));
        bea.line = None;
        tokio::task::yield_now().await;
    }
    bea.polite = true;
    bea.login(&sim).await;
    bea.rest().await;
    bea.line = None;
    bea.login(&sim).await;
    let again = bea.rest().await;
    assert!(!again.iter().any(|node| node.is("message")), "{again:?}");
    assert_eq!(sim.violations().len(), 0, "{:?}", sim.violations());
}

#[tokio::test(start_paused = true)]
async fn strict_batches_wait_to_be_asked() {
    let sim = sim_with(|config| config.strict_batches = true, 25);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let mut bea = Client::linked(&sim, "Bea", 2).await;
    let to = bea.my_lid();
    bea.line = None;
    for number in 0..20 {
        ada.send(opaque(&format!("M{number}"), &to.user_jid(), std::slice::from_ref(&to))).await;
    }
    ada.rest().await;
    bea.login(&sim).await;
    assert_eq!(bea.rest().await.iter().filter(|node| node.is("message")).count(), 5, "the primer");
    bea.send(Node::new("ib").child(Node::new("offline_batch").attr("count", "4"))).await;
    assert_eq!(bea.rest().await.iter().filter(|node| node.is("message")).count(), 4);
    bea.send(Node::new("ib").child(Node::new("offline_batch").attr("count", "200"))).await;
    let rest = bea.rest().await;
    assert_eq!(rest.iter().filter(|node| node.is("message")).count(), 11);
    assert!(rest.iter().any(|node| node.optional_child("offline").is_some()));
}

#[tokio::test(start_paused = true)]
async fn a_passive_login_is_told_nothing_until_it_is_active() {
    let sim = sim(26);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let mut bea = Client::linked(&sim, "Bea", 2).await;
    let payload = bea.login_payload(true);
    bea.open(&sim, payload, wa_noise::Opening::Xx).await.expect("a connection");
    bea.until_tag("success").await;
    let to = bea.my_lid();
    ada.send(opaque("M1", &to.user_jid(), &[to])).await;
    ada.until_tag("ack").await;
    assert!(bea.next().await.is_none());
    bea.set("passive", Node::new("active")).await;
    bea.until(|node| node.is("message") && node.attr_is("id", "M1")).await;
}

#[tokio::test(start_paused = true)]
async fn the_queue_is_bounded_and_ages() {
    let sim = sim_with(|config| config.queue_limit = 3, 27);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let mut bea = Client::linked(&sim, "Bea", 2).await;
    let to = bea.my_lid();
    bea.line = None;
    for number in 0..5 {
        ada.send(opaque(&format!("M{number}"), &to.user_jid(), std::slice::from_ref(&to))).await;
    }
    ada.rest().await;
    bea.polite = false;
    bea.login(&sim).await;
    let kept: Vec<_> = bea
        .rest()
        .await
        .iter()
        .filter(|node| node.is("message"))
        .filter_map(|node| attr(node, "id"))
        .collect();
    assert_eq!(kept, ["M2", "M3", "M4"]);
    bea.line = None;
    tokio::task::yield_now().await;
    sim.advance(Duration::from_secs(31 * 86_400));
    bea.login(&sim).await;
    assert!(!bea.rest().await.iter().any(|node| node.is("message")));
}

#[tokio::test(start_paused = true)]
async fn a_retry_receipt_reaches_the_one_device_and_the_resend_comes_back_to_one() {
    let sim = sim(28);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let mut bea = Client::linked(&sim, "Bea", 2).await;
    let mut other = Client::linked(&sim, "Bea", 3).await;
    let (to, from) = (bea.my_lid(), ada.my_lid());
    ada.send(opaque("M1", &to.user_jid(), &[to.clone(), other.my_lid()])).await;
    bea.until(|node| node.attr_is("id", "M1")).await;
    let retry = Node::new("receipt")
        .attr("id", "M1")
        .attr("to", &from)
        .attr("type", "retry")
        .child(Node::new("retry").attr("v", "1").attr("count", "1").attr("id", "M1").attr("t", "1"))
        .child(Node::new("registration").bytes(vec![0, 0, 0, 1]));
    bea.send(retry).await;
    let arrived = ada.until(|node| node.is("receipt") && node.attr_is("type", "retry")).await;
    assert_eq!(arrived.required("from").jid().expect("an address"), to);
    assert!(arrived.optional_child("registration").is_some());
    other.rest().await;
    let resend = Node::new("message")
        .attr("id", "M1")
        .attr("to", &to)
        .attr("type", "text")
        .attr("device_fanout", "false")
        .child(Node::new("enc").attr("v", "2").attr("type", "msg").attr("count", "1").bytes(vec![1, 2, 3]));
    ada.send(resend).await;
    let again = bea.until(|node| node.is("message") && node.attr_is("id", "M1")).await;
    assert!(again.required_child("enc").expect("enc").attr_is("count", "1"));
    assert!(!other.rest().await.iter().any(|node| node.is("message")));
}

#[tokio::test(start_paused = true)]
async fn blocked_senders_are_acked_and_not_delivered() {
    let sim = sim(29);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let mut bea = Client::linked(&sim, "Bea", 2).await;
    let item = Node::new("item")
        .attr("action", "block")
        .attr("jid", ada.my_lid().user_jid())
        .attr("pn_jid", ada.my_jid().user_jid());
    assert!(bea.set("blocklist", item).await.attr_is("type", "result"));
    let to = bea.my_lid();
    ada.send(opaque("M1", &to.user_jid(), &[to])).await;
    assert!(!ada.until_tag("ack").await.has_attr("error"));
    assert!(!bea.rest().await.iter().any(|node| node.is("message")));
}

#[tokio::test(start_paused = true)]
async fn a_restricted_account_wants_a_token() {
    let sim = sim(30);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let mut bea = Client::linked(&sim, "restricted:Bea", 2).await;
    let to = bea.my_lid();
    let message = |id: &str, token: Option<Node>| {
        opaque(id, &to.user_jid(), std::slice::from_ref(&to)).maybe_child(token)
    };
    ada.send(message("M1", None)).await;
    assert!(ada.until_tag("ack").await.attr_is("error", "463"));

    let salt = sim.world(|world, _| {
        *world.phone(world.find_pn(ada.number()).expect("Ada")).expect("a phone").nct_salt()
    });
    let computed = wa_core::tokens::privacy::cs_token(&salt, &to.user_jid());
    ada.send(message("M2", Some(Node::new("cstoken").bytes(computed.to_vec())))).await;
    assert!(!ada.until_tag("ack").await.has_attr("error"));
    bea.until(|node| node.attr_is("id", "M2")).await;

    let token = Node::new("token")
        .attr("jid", ada.my_lid().user_jid())
        .attr("t", sim.now_ms() / 1000)
        .attr("type", "trusted_contact");
    bea.set("privacy", Node::new("tokens").child(token)).await;
    let notice = ada.until(|node| node.attr_is("type", "privacy_token")).await;
    let tokens = notice.required_child("tokens").expect("tokens");
    let bytes =
        tokens.required_child("token").expect("a token").required_bytes().expect("bytes").into_owned();
    let given = || Some(Node::new("tctoken").bytes(bytes.clone()));
    ada.send(message("M3", given())).await;
    assert!(!ada.until_tag("ack").await.has_attr("error"));
    sim.advance(Duration::from_secs(40 * 86_400));
    ada.send(message("M4", given())).await;
    assert!(ada.until_tag("ack").await.attr_is("error", "463"), "four buckets of seven days later");
}

#[tokio::test(start_paused = true)]
async fn standings_refuse_logins() {
    use wa_sim::world::Standing;
    let sim = sim(31);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let stands = |ada: &Client, standing| {
        sim.world(|world, now_ms| {
            let id = world.find_pn(ada.number()).expect("Ada");
            world.set_standing(now_ms, id, standing);
        });
    };
    for (standing, reason) in [(Standing::Locked, "403"), (Standing::Banned, "406")] {
        stands(&ada, standing);
        assert!(ada.login(&sim).await.attr_is("reason", reason));
    }
    // A ban for a time says how long it lasts yet, and ends by itself.
    stands(&ada, Standing::TemporaryBan { code: 101, expire: 3600 });
    for (later, left) in [(0, "3600"), (3000, "600")] {
        sim.advance(Duration::from_secs(later));
        let failure = ada.login(&sim).await;
        assert!(failure.attr_is("reason", "402") && failure.attr_is("code", "101"), "{failure}");
        assert!(failure.attr_is("expire", left), "{failure}");
    }
    sim.advance(Duration::from_secs(600));
    assert!(ada.login(&sim).await.is("success"));
}

#[tokio::test(start_paused = true)]
async fn presence_and_typing_reach_those_who_are_there() {
    let sim = sim(32);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let mut bea = Client::linked(&sim, "Bea", 2).await;
    ada.send(Node::new("presence").attr("type", "subscribe").attr("to", bea.my_lid().user_jid())).await;
    let state = ada.until_tag("presence").await;
    assert!(state.attr_is("type", "unavailable") && state.attr_is("last", "none"), "{state}");
    bea.send(Node::new("presence").attr("type", "available").attr("name", "Bea B.")).await;
    assert!(ada.until_tag("presence").await.attr_is("type", "available"));
    ada.send(Node::new("chatstate").attr("to", bea.my_lid().user_jid()).child(Node::new("composing"))).await;
    let typing = bea.until_tag("chatstate").await;
    assert_eq!(typing.required("from").jid().expect("an address"), ada.my_lid().user_jid());
    let to = ada.my_lid();
    bea.send(opaque("M1", &to.user_jid(), &[to])).await;
    assert!(
        ada.until(|node| node.attr_is("id", "M1")).await.attr_is("notify", "Bea B."),
        "the name of the last presence"
    );
    bea.line = None;
    let gone = ada.until_tag("presence").await;
    assert!(
        gone.attr_is("type", "unavailable")
            && attr(&gone, "last").is_some_and(|last| last.parse::<u64>().is_ok())
    );
    // Typing for a device that is away is kept for three seconds.
    ada.send(Node::new("chatstate").attr("to", bea.my_lid().user_jid()).child(Node::new("composing"))).await;
    ada.get("encrypt", Node::new("count")).await;
    tokio::time::advance(Duration::from_secs(4)).await;
    bea.login(&sim).await;
    assert!(!bea.rest().await.iter().any(|node| node.is("chatstate")));
}

#[tokio::test(start_paused = true)]
async fn status_goes_to_those_who_are_listed() {
    let sim = sim(33);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let mut bea = Client::linked(&sim, "Bea", 2).await;
    let mut cleo = Client::linked(&sim, "Cleo", 3).await;
    let status = Node::new("message")
        .attr("id", "S1")
        .attr("to", Jid::STATUS)
        .attr("type", "text")
        .child(Node::new("participants").child(Node::new("to").attr("jid", bea.my_lid().user_jid())))
        .child(Node::new("enc").attr("v", "2").attr("type", "skmsg").bytes(vec![0x33, 8, 1, 16, 1]))
        .child(Node::new("meta").attr("status_setting", "contacts"));
    ada.send(status).await;
    ada.until_tag("ack").await;
    let seen = bea.until(|node| node.attr_is("id", "S1")).await;
    assert_eq!(seen.required("participant").jid().expect("an address"), ada.my_lid());
    assert!(!cleo.rest().await.iter().any(|node| node.attr_is("id", "S1")));
}

#[tokio::test(start_paused = true)]
async fn a_reinstalled_phone_drops_its_companions_and_tells_its_friends() {
    let sim = sim(35);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let mut bea = Client::linked(&sim, "Bea", 2).await;
    let to = bea.my_lid();
    ada.send(opaque("M1", &to.user_jid(), &[to])).await;
    bea.until(|node| node.attr_is("id", "M1")).await;
    sim.world(|world, now_ms| {
        let id = world.find_pn(bea.number()).expect("Bea");
        world.reinstall_phone(now_ms, id);
    });
    assert!(bea.until_tag("stream:error").await.attr_is("code", "401"));
    let notice = ada.until(|node| node.attr_is("type", "encrypt")).await;
    assert!(notice.optional_child("identity").is_some());
    // The companion links anew, with the same name, to the same account.
    let again = Client::linked(&sim, "Bea", 4).await;
    assert!(again.my_jid().same_user(&bea.my_jid()));
}

#[tokio::test(start_paused = true)]
async fn an_offline_phone_gets_what_waited() {
    let sim = sim(36);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let bea = Client::linked(&sim, "Bea", 2).await;
    let id = |sim: &wa_sim::SimHandle| sim.world(|world, _| world.find_pn(bea.number()).expect("Bea"));
    let account = id(&sim);
    sim.world(|world, now_ms| world.set_phone_online(now_ms, account, false));
    let to = bea.my_lid().user_jid();
    ada.text(&to, std::slice::from_ref(&to), "later").await;
    ada.until_tag("ack").await;
    assert!(sim.inbox(bea.number()).is_empty());
    sim.world(|world, now_ms| world.set_phone_online(now_ms, account, true));
    assert_eq!(sim.inbox(bea.number()).len(), 1);
}

/// A revoke gets through however its sender marks it; a message that is no longer kept looks the same from outside.
#[tokio::test(start_paused = true)]
async fn revokes_that_hide_what_does_not_open_get_through_unless_the_service_is_told_to_drop_them() {
    for drops in [false, true] {
        let sim = sim_with(|config| config.drop_hidden_revokes = drops, 160);
        let (mut ada, mut bea) = (Client::linked(&sim, "Ada", 1).await, Client::linked(&sim, "Bea", 2).await);
        let lid = bea.my_lid();
        for (id, edit, kind) in [("R7", "7", "text"), ("R8", "8", "text"), ("R9", "7", "reaction")] {
            let enc = Node::new("enc").attr("v", "2").attr("type", "msg").attr("decrypt-fail", "hide");
            let to = Node::new("to").attr("jid", &lid).child(enc.bytes(id.as_bytes().to_vec()));
            let stanza = Node::new("message")
                .attr("id", id)
                .attr("to", lid.user_jid())
                .attr("type", kind)
                .attr("edit", edit)
                .child(Node::new("participants").child(to));
            ada.send(stanza).await;
            let ack = ada.until(|node| node.is("ack") && node.attr_is("id", id)).await;
            assert!(!ack.has_attr("error"), "{ack}");
            let got = bea.rest().await.into_iter().find(|node| node.is("message") && node.attr_is("id", id));
            assert_eq!(got.is_none(), drops && kind == "text", "{id}");
            if let Some(node) = got {
                let enc = node.required_child("enc").expect("enc");
                assert!(node.attr_is("edit", edit) && enc.attr_is("decrypt-fail", "hide"), "{node}");
            }
        }
        let noted =
            sim.violations().iter().filter(|it| it.rule == wa_sim::watch::Rule::RefusedMessage).count();
        assert_eq!(noted, if drops { 2 } else { 0 }, "{:?}", sim.violations());
    }
}
