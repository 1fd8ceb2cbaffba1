//! Linking by QR, by code, by passkey; login by XX and IK; what every login asks (chapter 10 §1.2, §2, §3).

use prost::Message as _;
use wa_binary::{Jid, Node};
use wa_core::pairing_code::{BundleRandom, Companion, PairingCode, WrapRandom};
use wa_noise::Opening;
use wa_sim::pairing::PairingError;
use wa_sim::{SimError, Switches};

use crate::client::{Client, attr, sim, sim_with};

#[tokio::test(start_paused = true)]
async fn a_client_links_by_qr_and_logs_in_by_xx_and_by_ik() {
    let sim = sim(1);
    let mut client = Client::new(Some("Ada"), 1);
    let refs = client.register(&sim).await;
    assert_eq!(refs.len(), 6);
    let linked = sim.scan_qr(&client.qr(&refs[3]), None).expect("a scan");
    client.complete().await;
    assert_eq!(linked.jid, client.my_jid().to_string());
    assert_eq!(linked.lid, client.lid.as_ref().map(ToString::to_string));

    let success = client.login(&sim).await;
    assert_eq!(success.required("lid").jid().expect("a LID"), client.my_lid());
    client
        .until(|node| node.optional_child("offline").is_some_and(|offline| offline.attr_is("count", "0")))
        .await;

    let server = client.server.expect("a verified server");
    let payload = client.login_payload(false);
    client.server = None;
    client.open(&sim, payload, Opening::Ik(server.leaf.key)).await.expect("IK");
    assert!(client.server.is_none(), "IK keeps the cached server");
    client.until_tag("success").await;
    assert_eq!(sim.violations().len(), 0, "{:?}", sim.violations());
}

#[tokio::test(start_paused = true)]
async fn scanning_answers_by_what_is_wrong() {
    let sim = sim(2);
    let mut client = Client::new(Some("Ada"), 1);
    let refs = client.register(&sim).await;
    let status = |error: SimError| match error {
        SimError::Pairing(error) => error.status(),
        other => panic!("{other}"),
    };
    assert_eq!(status(sim.scan_qr("nonsense", None).expect_err("unreadable")), 400);
    assert_eq!(status(sim.scan_qr(&client.qr("2@unknown"), None).expect_err("unknown")), 404);
    let url = format!("https://wa.me/settings/linked_devices#{}\n", client.qr(&refs[0]));
    sim.scan_qr(&url, None).expect("the deep-link form");
    assert_eq!(status(sim.scan_qr(&client.qr(&refs[1]), None).expect_err("used")), 409);
    client.complete().await;
    assert_eq!(status(sim.scan_qr(&client.qr(&refs[1]), None).expect_err("used")), 409);
    assert!(matches!(sim.enter_code(None, "ABCD-EFGH"), Err(SimError::Pairing(PairingError::Unknown))));
}

#[tokio::test(start_paused = true)]
async fn the_same_push_name_gives_the_next_device_of_the_same_account() {
    let sim = sim(3);
    let first = Client::linked(&sim, "Ada", 1).await;
    let second = Client::linked(&sim, "Ada", 2).await;
    let other = Client::linked(&sim, "Bea", 3).await;
    assert!(first.my_jid().same_user(&second.my_jid()) && !first.my_jid().same_user(&other.my_jid()));
    assert_eq!((first.my_jid().device(), second.my_jid().device()), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn refs_run_out_and_the_connection_ends() {
    let sim = sim(4);
    let mut client = Client::new(None, 1);
    client.register(&sim).await;
    tokio::time::advance(std::time::Duration::from_millis(159_000)).await;
    assert!(sim.world(|world, _| world.pending().len()) == 1);
    tokio::time::advance(std::time::Duration::from_millis(2_000)).await;
    assert!(client.ended().await);
}

#[tokio::test(start_paused = true)]
async fn a_bad_payload_is_refused_with_400_and_an_unknown_device_with_401() {
    let sim = sim(5);
    let mut client = Client::new(None, 1);
    client.open(&sim, vec![], Opening::Xx).await.expect("a connection");
    assert!(client.until_tag("failure").await.attr_is("reason", "400"));
    assert!(client.ended().await);
    client.jid = Some("15550100:1@s.whatsapp.net".parse().expect("an address"));
    assert!(client.login(&sim).await.attr_is("reason", "401"));
    // A signature that is not the identity's.
    client.signed.signature[0] ^= 1;
    let payload = client.registration();
    client.open(&sim, payload, Opening::Xx).await.expect("a connection");
    assert!(client.until_tag("failure").await.attr_is("reason", "400"));
}

#[tokio::test(start_paused = true)]
async fn a_second_login_replaces_the_first() {
    let sim = sim(6);
    let mut client = Client::linked(&sim, "Ada", 1).await;
    let mut first = client.line.take();
    client.login(&sim).await;
    std::mem::swap(&mut client.line, &mut first);
    let error = client.until_tag("stream:error").await;
    assert!(error.required_child("conflict").expect("conflict").attr_is("type", "replaced"));
    assert!(client.ended().await);
}

#[tokio::test(start_paused = true)]
async fn a_client_links_by_code_and_a_wrong_code_is_answered_by_silence() {
    let sim = sim(7);
    let mut client = Client::new(Some("Ada"), 1);
    client.register(&sim).await;
    let code = PairingCode::generate(&mut client.rng);
    let companion = Companion::new(code.clone(), &mut client.rng);
    let random = WrapRandom::draw(&mut client.rng);
    let hello = companion.hello(&random);
    let number: Jid = "15550100@s.whatsapp.net".parse().expect("an address");
    let request = Node::new("link_code_companion_reg")
        .attr("jid", &number)
        .attr("stage", "companion_hello")
        .attr("should_show_push_notification", "true")
        .child(Node::new("link_code_pairing_wrapped_companion_ephemeral_pub").bytes(hello.to_vec()))
        .child(Node::new("companion_server_auth_key_pub").bytes(client.noise().public().as_bytes().to_vec()))
        .child(Node::new("companion_platform_id").text("1"))
        .child(Node::new("companion_platform_display").text("Chrome (Linux)"))
        .child(Node::new("link_code_pairing_nonce").bytes(vec![0]));
    let answer = client.set("md", request.clone()).await;
    let stage = answer.required_child("link_code_companion_reg").expect("a stage");
    let reference =
        stage.required_child("link_code_pairing_ref").expect("a ref").required_bytes().expect("bytes");
    let reference = reference.into_owned();

    sim.enter_code(Some(15_550_100), "2222-2222").expect("a code is a code");
    let primary = client.until(|node| node.attr_is("type", "link_code_companion_reg")).await;
    // The companion finds the wrong code out: what it unwraps is not the phone's key, and so the bundle is not either.
    finish(&mut client, &companion, &primary, &number, &reference).await;
    assert!(client.next().await.is_none(), "no pair-success after a wrong code");

    sim.enter_code(None, code.as_str()).expect("the right code");
    let primary = client.until(|node| node.attr_is("type", "link_code_companion_reg")).await;
    let secret = finish(&mut client, &companion, &primary, &number, &reference).await;
    client.set_adv_secret(secret);
    client.complete().await;
    assert_eq!(client.number(), 15_550_100);
    assert!(client.login(&sim).await.is("success"));
}

/// Answers `primary_hello` and gives the ADV secret of the exchange.
async fn finish(
    client: &mut Client,
    companion: &Companion,
    primary: &Node,
    number: &Jid,
    reference: &[u8],
) -> [u8; 32] {
    let stage = primary.required_child("link_code_companion_reg").expect("a stage");
    assert!(stage.attr_is("stage", "primary_hello"));
    let field =
        |tag| stage.required_child(tag).expect("a field").required_bytes().expect("bytes").into_owned();
    let wrapped = field("link_code_pairing_wrapped_primary_ephemeral_pub");
    let identity = field("primary_identity_pub");
    let random = BundleRandom::draw(&mut client.rng);
    let pair = client.local.pair().key_pair().clone();
    let finish = companion.finish(&pair, &wrapped, &identity, &random).expect("a bundle");
    let request = Node::new("link_code_companion_reg")
        .attr("jid", number)
        .attr("stage", "companion_finish")
        .child(Node::new("link_code_pairing_wrapped_key_bundle").bytes(finish.wrapped_bundle.to_vec()))
        .child(Node::new("companion_identity_public").bytes(pair.public().as_bytes().to_vec()))
        .child(Node::new("link_code_pairing_ref").bytes(reference.to_vec()));
    let answer = client.set("md", request).await;
    assert!(answer.attr_is("type", "result"), "{answer}");
    *finish.adv_secret.expose()
}

#[tokio::test(start_paused = true)]
async fn every_iq_of_a_login_is_answered_and_an_unknown_one_is_501() {
    let sim = sim(8);
    let mut client = Client::linked(&sim, "Ada", 1).await;
    let usync = Node::new("usync")
        .attr("sid", "1")
        .attr("mode", "query")
        .attr("last", "true")
        .attr("index", "0")
        .attr("context", "message")
        .child(Node::new("query").child(Node::new("devices").attr("version", "2")))
        .child(Node::new("list").child(Node::new("user").attr("jid", client.my_jid().user_jid())));
    let sync = Node::new("sync").children(["critical_block", "regular"].map(|name| {
        Node::new("collection").attr("name", name).attr("version", "0").attr("return_snapshot", "true")
    }));
    let clean = Node::new("clean").attr("type", "groups").attr("timestamp", "1");
    let cases = [
        ("passive", "set", Node::new("active")),
        ("encrypt", "get", Node::new("count")),
        ("encrypt", "get", Node::new("digest")),
        ("abt", "get", Node::new("props").attr("protocol", "1")),
        ("privacy", "get", Node::new("privacy")),
        ("usync", "get", usync),
        ("w:sync:app:state", "set", sync),
        ("w:m", "set", Node::new("media_conn")),
        ("urn:xmpp:whatsapp:dirty", "set", clean),
        ("w:stats", "set", Node::new("add").bytes(vec![1])),
        ("tos", "get", Node::new("request")),
        ("urn:xmpp:whatsapp:push", "set", Node::new("config")),
        ("w:mex", "get", Node::new("query").attr("query_id", "1").text("{}")),
        ("w:g2", "get", Node::new("participating")),
    ];
    for (xmlns, kind, child) in cases {
        let to = if xmlns == "w:g2" { Jid::GROUPS } else { Jid::SERVER };
        let answer = client.iq(xmlns, kind, to, Some(child)).await;
        assert!(answer.attr_is("type", "result"), "{xmlns}: {answer}");
    }
    assert!(client.iq("blocklist", "get", Jid::SERVER, None).await.attr_is("type", "result"));
    assert!(client.iq("w:p", "get", Jid::SERVER, None).await.attr_is("type", "result"));
    assert_eq!(sim.violations().len(), 0, "{:?}", sim.violations());
    let answer = client.get("w:weather", Node::new("rain")).await;
    assert_eq!(
        attr(&answer.required_child("error").expect("an error").to_node(), "code").as_deref(),
        Some("501")
    );
    assert_eq!(sim.violations().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_phone_greets_with_keys_and_history_once_the_companion_has_keys() {
    let sim = sim(9);
    let mut client = Client::link_only(&sim, "Ada", 1).await;
    client.login(&sim).await;
    client.until(|node| node.optional_child("offline").is_some()).await;
    assert!(!client.rest().await.iter().any(|node| node.is("message")), "nothing before the keys are there");
    client.upload(5).await;
    let greetings: Vec<Node> = client
        .rest()
        .await
        .into_iter()
        .filter(|node| node.is("message") && node.attr_is("category", "peer"))
        .collect();
    let mut shared = 0;
    let mut history = 0;
    for greeting in &greetings {
        assert_eq!(greeting.required("from").jid().expect("an address").device(), 0);
        for message in client.read_message(greeting) {
            let protocol = message.protocol_message.expect("a protocol message");
            shared += usize::from(protocol.app_state_sync_key_share.is_some());
            history += usize::from(protocol.history_sync_notification.is_some());
        }
    }
    assert_eq!(shared, 1);
    assert!(history >= 1, "{greetings:?}");
    // The keys that were used are gone from the store, in the order in which they came.
    let count = client.get("encrypt", Node::new("count")).await;
    let left: u32 = attr(&count.required_child("count").expect("count").to_node(), "value")
        .expect("a value")
        .parse()
        .expect("a number");
    assert_eq!(left, 4, "one session, one key");
}

#[tokio::test(start_paused = true)]
async fn name_and_locale_stand_in_critical_block() {
    let sim = sim(10);
    let mut client = Client::linked(&sim, "Ada", 1).await;
    let sync = Node::new("sync").child(
        Node::new("collection")
            .attr("name", "critical_block")
            .attr("version", "0")
            .attr("return_snapshot", "true"),
    );
    let answer = client.set("w:sync:app:state", sync).await;
    let collection = answer
        .required_child("sync")
        .expect("sync")
        .required_child("collection")
        .expect("a collection")
        .to_node();
    let patches = collection.required_child("patches").expect("patches");
    assert!(patches.each("patch").count() >= 1);
    for patch in patches.each("patch") {
        let bytes = patch.required_bytes().expect("bytes").into_owned();
        let patch = wa_proto::app_state::SyncdPatch::decode(&bytes[..]).expect("a patch");
        assert!(patch.version.and_then(|version| version.version).is_some());
    }
    let shown = sim.world(|world, _| {
        let phone = world.phone(world.find_pn(client.number()).expect("Ada")).expect("a phone");
        phone
            .app_state("critical_block")
            .expect("a collection")
            .into_iter()
            .map(|change| change.index)
            .collect::<Vec<_>>()
    });
    assert!(
        shown.iter().any(|index| index.first().map(String::as_str) == Some("setting_pushName")),
        "{shown:?}"
    );
    assert!(
        shown.iter().any(|index| index.first().map(String::as_str) == Some("setting_locale")),
        "{shown:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn logging_out_unlinks_and_unlinking_logs_out() {
    let sim = sim(11);
    let mut one = Client::linked(&sim, "Ada", 1).await;
    let mut two = Client::linked(&sim, "Ada", 2).await;
    let foreign =
        Node::new("remove-companion-device").attr("jid", two.my_jid()).attr("reason", "user_initiated");
    assert!(one.set("md", foreign).await.attr_is("type", "error"), "a companion removes only itself");
    let own = Node::new("remove-companion-device").attr("jid", one.my_jid()).attr("reason", "user_initiated");
    assert!(one.set("md", own).await.attr_is("type", "result"));
    assert!(one.until_tag("stream:error").await.attr_is("code", "401"));
    assert!(one.ended().await);
    assert!(one.login(&sim).await.attr_is("reason", "401"));
    two.until(|node| node.attr_is("type", "account_sync") && node.optional_child("devices").is_some()).await;
}

#[tokio::test(start_paused = true)]
async fn auto_pair_needs_no_hand() {
    let secret = [9; 32];
    let sim = sim_with(
        |config| config.auto_pair = Some(wa_sim::config::AutoPair { after_ms: 500, adv_secret: secret }),
        12,
    );
    let mut client = Client::new(Some("Ada"), 1);
    client.set_adv_secret(secret);
    client.register(&sim).await;
    client.complete().await;
    assert!(client.login(&sim).await.is("success"));
}

#[tokio::test(start_paused = true)]
async fn directives_in_the_push_name_set_switches() {
    let sim = sim(13);
    let client = Client::linked(&sim, "scenario:no_lid,biz:Ada", 1).await;
    assert!(client.lid.is_none());
    sim.world(|world, _| {
        let account = world.account(world.find_pn(client.number()).expect("Ada"));
        assert_eq!(account.switches, Switches { no_lid: true, biz: true, ..Switches::default() });
        assert_eq!(account.name, "Ada");
    });
}
