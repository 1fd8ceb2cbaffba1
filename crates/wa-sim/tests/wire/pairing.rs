//! Linking in all its turns, over the admin API too: refs and their ends, codes that expire or are refused, a phone that
//! declines, signatures that do not fit, passkeys (chapters 02 §3.6, §4.3, §5, 10 §2.2, §3).

use std::time::Duration;

use wa_binary::{Jid, Node};
use wa_core::passkey::{Companion, CompanionKeys};
use wa_crypto::Secret;
use wa_sim::{ListenOptions, Sim, SimConfig, SimHandle, Transports};

use crate::client::{Client, attr, sim, sim_with};
use crate::rest::http;
use crate::scene::child;

/// A simulator with both: connections in memory, and an admin API on a port.
async fn with_port() -> SimHandle {
    let options = ListenOptions { transports: Transports::PlainOnly, ..ListenOptions::default() };
    Sim::listen(SimConfig::default(), options).await.expect("a port")
}

async fn pending(sim: &SimHandle) -> Vec<serde_json::Value> {
    let (status, body) = http(sim, "GET", "/admin/mock-phone/pending", "").await;
    assert_eq!(status, 200);
    body["pending"].as_array().expect("a list").clone()
}

fn hello(client: &Client, number: &str) -> Node {
    Node::new("link_code_companion_reg")
        .attr("jid", number.parse::<Jid>().expect("an address"))
        .attr("stage", "companion_hello")
        .child(Node::new("link_code_pairing_wrapped_companion_ephemeral_pub").bytes(vec![5; 80]))
        .child(Node::new("companion_server_auth_key_pub").bytes(client.noise().public().as_bytes().to_vec()))
        .child(Node::new("companion_platform_id").text("1"))
        .child(Node::new("companion_platform_display").text("Chrome (Linux)"))
}

fn code_of(answer: &Node) -> String {
    attr(&child(answer, "error"), "code").expect("a code")
}

#[tokio::test]
async fn the_admin_api_scans_in_every_form_and_says_what_is_wrong() {
    let sim = with_port().await;
    let mut ada = Client::new(Some("Ada"), 1);
    let refs = ada.register(&sim).await;
    assert_eq!(refs.len(), 6);
    for text in &refs {
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b','), "{text}");
    }
    let shown = pending(&sim).await;
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0]["refs"].as_array().map(Vec::len), Some(6));
    assert_eq!((&shown[0]["push_name"], &shown[0]["platform"]), (&"Ada".into(), &"Linux".into()));
    assert!(shown[0]["age_ms"].is_u64() && shown[0]["code"].is_null());
    let scan = async |text: &str| http(&sim, "POST", "/admin/mock-phone/scan-qr", text).await;
    assert_eq!(scan("").await.0, 400);
    assert_eq!(scan("2@a,b,c").await.0, 400);
    assert_eq!(scan(&ada.qr("2@nobody's")).await.0, 404);
    // A comma inside the ref does not hurt: the other fields are taken from the right.
    assert_eq!(scan(&ada.qr("2@no,body's")).await.0, 404);
    // The last ref is as good as the first, white space is nothing, and the answer does not wait for the companion.
    let (status, linked) = scan(&format!("  {}\r\n", ada.qr(&refs[5]))).await;
    assert_eq!(status, 200, "{linked}");
    assert_eq!(scan(&ada.qr(&refs[5])).await.0, 409);
    ada.complete().await;
    assert_eq!(linked["jid"], ada.my_jid().to_string());
    assert_eq!(linked["lid"], ada.my_lid().to_string());
    assert_eq!(scan(&ada.qr(&refs[0])).await.0, 409);
    assert_eq!(pending(&sim).await.len(), 0);
    // A connection that went away before anybody scanned.
    let mut bea = Client::new(Some("Bea"), 2);
    let refs = bea.register(&sim).await;
    drop(bea.line.take());
    sim.until(Duration::from_secs(10), |world| world.pending().is_empty().then_some(())).await.expect("gone");
    assert_eq!(scan(&bea.qr(&refs[0])).await.0, 410);
}

#[tokio::test(start_paused = true)]
async fn a_ref_that_expired_is_unknown() {
    let sim = sim(970);
    let mut ada = Client::new(Some("Ada"), 1);
    let refs = ada.register(&sim).await;
    tokio::time::advance(Duration::from_secs(161)).await;
    assert!(ada.ended().await);
    match sim.scan_qr(&ada.qr(&refs[5]), None) {
        Err(wa_sim::SimError::Pairing(error)) => assert_eq!(error.status(), 404),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn names_numbers_and_indexes_are_given_as_the_account_goes_on() {
    let sim = sim_with(|config| config.first_device = 33, 971);
    let index = |client: &Client| {
        client.account.as_ref().expect("linked").device_details().expect("details").key_index
    };
    let mut first = Client::link_only(&sim, "Ada", 1).await;
    let second = Client::link_only(&sim, "Ada", 2).await;
    assert_eq!((first.my_jid().device(), second.my_jid().device()), (33, 34));
    assert!(index(&first) != 33 && index(&first) != 1, "an index is no number: {}", index(&first));
    assert_eq!(index(&second), index(&first) + 1);
    first.login(&sim).await;
    let own =
        Node::new("remove-companion-device").attr("jid", first.my_jid()).attr("reason", "user_initiated");
    first.set("md", own).await;
    let third = Client::link_only(&sim, "Ada", 3).await;
    assert_eq!(third.my_jid().device(), 33, "a number is free again once its device is gone");
    assert_eq!(index(&third), index(&second) + 1, "an index never is");
    // Without a name everybody is somebody new, whom the server names.
    let mut nameless = Vec::new();
    for seed in [4, 5] {
        let mut client = Client::new(None, seed);
        let refs = client.register(&sim).await;
        sim.scan_qr(&client.qr(&refs[0]), None).expect("a scan");
        client.complete().await;
        nameless.push(client);
    }
    assert_ne!(nameless[0].number(), nameless[1].number());
    for client in &nameless {
        let named = sim.world(|world, _| {
            let phone = world.phone(world.find_pn(client.number())?)?;
            let state = phone.app_state("critical_block").ok()?;
            state.into_iter().find(|change| change.index == ["setting_pushName"]).map(|change| change.shown)
        });
        assert!(named.as_deref().is_some_and(|shown| shown.contains("Guest ")), "{named:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_takes_four_companions_and_no_fifth() {
    let sim = sim(972);
    for seed in 1..=4 {
        Client::link_only(&sim, "Ada", seed).await;
    }
    let mut fifth = Client::new(Some("Ada"), 5);
    let refs = fifth.register(&sim).await;
    match sim.scan_qr(&fifth.qr(&refs[0]), None) {
        Err(wa_sim::SimError::Pairing(error)) => assert_eq!(error.status(), 419),
        other => panic!("{other:?}"),
    }
    assert!(fifth.next().await.is_none(), "the companion sees nothing of it");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_linked_by_a_signature_that_does_not_fit() {
    let sim = sim(973);
    let mut ada = Client::new(Some("Ada"), 1);
    let refs = ada.register(&sim).await;
    // A wrong index, a signature that is not the companion's, other content, and a refusal.
    for (round, reference) in refs.iter().enumerate().take(4) {
        sim.scan_qr(&ada.qr(reference), None).expect("a scan");
        let iq = ada.until(|node| node.optional_child("pair-success").is_some()).await;
        let good = ada.sign(&iq);
        let id = attr(&good, "id").expect("an id");
        let identity = good.required_child("pair-device-sign").expect("an answer");
        let identity = identity.required_child("device-identity").expect("an identity");
        let (index, bytes) =
            (attr(&identity.to_node(), "key-index").expect("an index"), identity.required_bytes());
        let mut bytes = bytes.expect("bytes").into_owned();
        let mut index: u32 = index.parse().expect("a number");
        match round {
            0 => index += 1,
            1 => *bytes.last_mut().expect("a signature") ^= 1,
            // Inside the details, which come first.
            2 => bytes[4] ^= 1,
            _ => {}
        }
        let answer = Node::new("iq").attr("to", Jid::SERVER).attr("id", id);
        let answer = if round == 3 {
            answer.attr("type", "error").child(Node::new("error").attr("code", "500"))
        } else {
            let identity = Node::new("device-identity").attr("key-index", index).bytes(bytes);
            answer.attr("type", "result").child(Node::new("pair-device-sign").child(identity))
        };
        ada.send(answer).await;
        assert!(ada.next().await.is_none(), "no 515");
        assert!(
            sim.world(|world, _| world.account(world.account_named("Ada").expect("Ada")).devices.len() == 1)
        );
    }
    // Its number is free all the same, and a good answer still links.
    sim.scan_qr(&ada.qr(&refs[5]), None).expect("a scan");
    let iq = ada.until(|node| node.optional_child("pair-success").is_some()).await;
    let success = iq.required_child("pair-success").expect("pair-success");
    assert!(success.optional_child("platform").is_some() && success.optional_child("biz").is_none());
    let answer = ada.sign(&iq);
    ada.send(answer).await;
    assert!(ada.until_tag("stream:error").await.attr_is("code", "515"));
    let begin = tokio::time::Instant::now();
    assert!(ada.ended().await);
    assert!(
        (250..400).contains(&begin.elapsed().as_millis()),
        "a moment to close by itself: {:?}",
        begin.elapsed()
    );
    assert_eq!(ada.my_jid().device(), 1);
}

#[tokio::test(start_paused = true)]
async fn codes_are_one_for_each_number_and_expire() {
    // The connection outlives its code.
    let sim = sim_with(|config| config.registration_ms = 600_000, 974);
    let mut ada = Client::new(Some("Ada"), 1);
    let mut bea = Client::new(Some("Bea"), 2);
    ada.register(&sim).await;
    bea.register(&sim).await;
    let country = Node::new("link_code_companion_reg").attr("stage", "get_country_code");
    let answer = ada.get("md", country).await;
    let stage = answer.required_child("link_code_companion_reg").expect("a stage");
    assert!(stage.required_child("country_code").expect("a country").attr_is("iso", "US"));
    let ask = hello(&ada, "15550100@s.whatsapp.net");
    assert!(ada.set("md", ask.clone()).await.attr_is("type", "result"));
    assert_eq!(sim.world(|world, _| world.pending()[0].code), Some("companion_hello"));
    let other = hello(&bea, "15550100@s.whatsapp.net");
    assert_eq!(code_of(&bea.set("md", other.clone()).await), "429", "one at a time for a number");
    let finish = Node::new("link_code_companion_reg")
        .attr("stage", "companion_finish")
        .child(Node::new("link_code_pairing_wrapped_key_bundle").bytes(vec![0; 156]))
        .child(Node::new("companion_identity_public").bytes(vec![1; 32]))
        .child(Node::new("link_code_pairing_ref").bytes(b"nobody's".to_vec()));
    assert_eq!(code_of(&ada.set("md", finish).await), "404");
    // Whoever may not be linked so: a name that no phone shows, keys of the wrong length, another's noise key.
    let mut wrong = hello(&ada, "15550100@s.whatsapp.net");
    wrong.set_attr("stage", "companion_goodbye");
    assert_eq!(code_of(&ada.set("md", wrong).await), "400");
    assert_eq!(code_of(&bea.set("md", hello(&ada, "15550101@s.whatsapp.net")).await), "400");
    let typed = |sim: &SimHandle| sim.enter_code(Some(15_550_100), "2222-2222");
    tokio::time::sleep(Duration::from_secs(175)).await;
    assert!(typed(&sim).is_ok());
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(matches!(typed(&sim), Err(wa_sim::SimError::Pairing(wa_sim::pairing::PairingError::Unknown))));
    // The number is free for another, who may ask for three.
    for number in ["15550100", "15550101", "15550102"] {
        let ask = hello(&bea, &format!("{number}@s.whatsapp.net"));
        assert!(bea.set("md", ask).await.attr_is("type", "result"), "{number}");
    }
    assert_eq!(code_of(&bea.set("md", hello(&bea, "15550103@s.whatsapp.net")).await), "429");
}

#[tokio::test]
async fn the_admin_api_types_codes_and_declines() {
    let sim = with_port().await;
    let mut ada = Client::new(Some("Ada"), 1);
    ada.register(&sim).await;
    let connection = pending(&sim).await[0]["connection"].as_u64().expect("a number");
    let ask = hello(&ada, "15550100@s.whatsapp.net");
    assert!(ada.set("md", ask).await.attr_is("type", "result"));
    assert_eq!(pending(&sim).await[0]["code"], "companion_hello");
    let enter = async |body: &str| http(&sim, "POST", "/admin/mock-phone/enter-code", body).await.0;
    assert_eq!(enter(r#"{"phone":"15550199","code":"2222-2222"}"#).await, 404);
    assert_eq!(enter("!").await, 400);
    for body in [r#"{"phone":"+1 555 0100","code":"2222-2222"}"#, "2222-2222", r#""2222-2222""#] {
        assert_eq!(enter(body).await, 200, "{body}");
        let primary = ada.until(|node| node.attr_is("type", "link_code_companion_reg")).await;
        let stage = primary.required_child("link_code_companion_reg").expect("a stage");
        assert!(stage.attr_is("stage", "primary_hello"), "{primary}");
    }
    let reject = async |how: &str| {
        let body = format!(r#"{{"connection":{connection},"how":"{how}"}}"#);
        http(&sim, "POST", "/admin/mock-phone/reject", &body).await.0
    };
    assert_eq!(reject("refresh").await, 200);
    let refresh = ada.until(|node| node.attr_is("type", "companion_reg_refresh")).await;
    assert!(refresh.optional_child("pair-device-rotate-qr").is_some(), "{refresh}");
    assert_eq!(reject("code").await, 200);
    let withdrawn = ada.until(|node| node.attr_is("type", "link_code_companion_reg")).await;
    let stage = withdrawn.required_child("link_code_companion_reg").expect("a stage");
    assert!(stage.attr_is("stage", "refresh_code"), "{withdrawn}");
    assert_eq!(reject("code").await, 404, "there is none any more");
    assert_eq!(reject("close").await, 200);
    assert!(ada.ended().await);
    assert_eq!(reject("close").await, 410);
}

#[tokio::test]
async fn the_admin_api_demands_a_passkey_of_a_link_for_a_person_that_it_names() {
    let sim = with_port().await;
    http(&sim, "POST", "/admin/seed", "[[account]]\nname = \"Bea\"\nnumber = 15550101\n").await;
    let mut client = Client::new(Some("Ada"), 1);
    client.register(&sim).await;
    let connection = &pending(&sim).await[0]["connection"];
    let body = format!(r#"{{"connection":{connection},"account":"Bea"}}"#);
    assert_eq!(http(&sim, "POST", "/admin/mock-phone/passkey", &body).await.0, 200);
    let nobody = format!(r#"{{"connection":{connection},"account":"Nobody"}}"#);
    assert_eq!(http(&sim, "POST", "/admin/mock-phone/passkey", &nobody).await.0, 404);
    assert_eq!(http(&sim, "POST", "/admin/mock-phone/passkey", r#"{"connection":999}"#).await.0, 410);
    client.until(|node| node.attr_is("type", "passkey_prologue_request")).await;
    let reference = client.get("md", Node::new("ref")).await;
    let reference =
        reference.required_child("ref").expect("a ref").required_text().expect("text").into_owned();
    client.set_adv_secret([44; 32]);
    let companion = Companion::new(1, reference, &mut client.rng);
    let prologue =
        Node::new("passkey_prologue").child(Node::new("prologue_payload").bytes(companion.prologue()));
    assert!(client.set("md", prologue).await.attr_is("type", "result"));
    let answer = client.until(|node| node.attr_is("type", "crsc_continuation")).await;
    let identity = answer.required_child("primary_ephemeral_identity").expect("an identity");
    let continued = companion.resume(&identity.required_bytes().expect("bytes")).expect("an answer");
    let nonce = Node::new("companion_nonce").bytes(continued.nonce().to_vec());
    assert!(client.set("md", nonce).await.attr_is("type", "result"));
    // The person compares what both ends show.
    assert_eq!(pending(&sim).await[0]["passkey_code"], continued.code().to_string());
    let keys = CompanionKeys {
        noise: *client.noise().public(),
        identity: *client.local.identity_key().public_key(),
        adv_secret: Secret::new([44; 32]),
    };
    let request = continued.request(&keys, [5; 12]).expect("a request");
    client.set("md", Node::new("encrypted_pairing_request").bytes(request)).await;
    client.complete().await;
    assert_eq!(client.number(), 15_550_101, "Bea's phone, whatever the push name says");
}

#[tokio::test(start_paused = true)]
async fn the_greeting_is_shaped_as_every_client_takes_it() {
    let sim = sim(975);
    let mut sibling = Client::linked(&sim, "Ada", 1).await;
    let mut ada = Client::link_only(&sim, "Ada", 2).await;
    ada.login(&sim).await;
    ada.upload(5).await;
    let greetings: Vec<Node> = ada.rest().await.into_iter().filter(|node| node.is("message")).collect();
    let mut histories = Vec::new();
    for (place, greeting) in greetings.iter().enumerate() {
        let from = greeting.required("from").jid().expect("an address");
        assert!(from.is_pn() && from.device() == 0 && from.same_user(&ada.my_jid()), "{greeting}");
        assert!(greeting.attr_is("type", "text") && greeting.attr_is("category", "peer"), "{greeting}");
        assert!(greeting.has_attr("t") && greeting.has_attr("id"), "{greeting}");
        let enc = greeting.required_child("enc").expect("a ciphertext");
        assert!(enc.attr_is("v", "2"));
        assert_eq!(greeting.each("enc").count(), 1);
        if place == 0 {
            assert!(enc.attr_is("type", "pkmsg"), "{greeting}");
            let bytes = enc.required_bytes().expect("bytes");
            let first = wa_signal::PreKeySignalMessage::parse(&bytes).expect("a first message");
            assert_eq!(first.pre_key_id(), Some(1), "against the oldest one-time key");
        }
        let message = ada.read_message(greeting).remove(0);
        let protocol = message.protocol_message.expect("a protocol message");
        assert_eq!(protocol.app_state_sync_key_share.is_some(), place == 0, "the keys come first");
        if protocol.history_sync_notification.is_some() {
            histories.push(attr(greeting, "id").expect("an id"));
        }
    }
    assert!(!histories.is_empty());
    for id in &histories {
        let receipt = Node::new("receipt").attr("id", id).attr("to", ada.my_jid().user_jid());
        ada.send(receipt.attr("type", "hist_sync")).await;
        let ack = ada.until(|node| node.is("ack") && node.attr_is("id", id)).await;
        assert!(ack.attr_is("class", "receipt"), "{ack}");
    }
    let heard = sibling.rest().await;
    assert!(!heard.iter().any(|node| node.is("receipt")), "delivered to nobody: {heard:#?}");
    assert!(sim.violations().is_empty(), "{:?}", sim.violations());
}
