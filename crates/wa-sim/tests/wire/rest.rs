//! Replayable runs, limits, the admin API and the seed file (chapter 10 §12, §14, §16).

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wa_binary::{Jid, Node};
use wa_sim::faults::{Action, Direction, Fault, Match};
use wa_sim::seed::SeedFile;
use wa_sim::trace::Filter;
use wa_sim::{ListenOptions, Sim, SimConfig, SimHandle};

use crate::client::{Client, opaque, sim, sim_with};

#[derive(Clone, Default)]
struct Tape(Arc<Mutex<Vec<u8>>>);

impl Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a tape").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A story with everything that draws randomness: linking, phones, faults.
async fn story(sim: &SimHandle) {
    sim.fault(Fault {
        probability: 0.4,
        ..Fault::new(Match::stanza(Direction::Out, "message"), Action::Delay { ms: 50, jitter_ms: 400 })
    });
    let mut ada = Client::linked(sim, "Ada", 1).await;
    let mut bea = Client::linked(sim, "Bea", 2).await;
    let chat = bea.my_lid().user_jid();
    for number in 0..5 {
        ada.text(&chat, &[chat.clone(), bea.my_lid()], &format!("text {number}")).await;
        ada.rest().await;
        bea.rest().await;
    }
    let to = ada.my_lid().user_jid();
    let action = wa_sim::phone::Action::Text { chat: to, text: "from the phone".to_owned(), quote: None };
    sim.act(bea.number(), action).expect("a deed");
    ada.rest().await;
    let create =
        Node::new("create").attr("subject", "Circle").child(Node::new("participant").attr("jid", chat));
    ada.iq("w:g2", "set", Jid::GROUPS, Some(create)).await;
    bea.rest().await;
}

async fn recorded(seed: u64) -> Vec<u8> {
    let tape = Tape::default();
    let sim = sim(seed);
    let writer = tape.clone();
    sim.world(|world, _| world.trace().record(Box::new(writer)));
    story(&sim).await;
    tape.0.lock().expect("a tape").clone()
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_and_input_give_byte_identical_recordings() {
    let first = recorded(200).await;
    assert!(first.iter().filter(|byte| **byte == b'\n').count() > 100);
    let second = recorded(200).await;
    let lines = |bytes: &[u8]| {
        String::from_utf8(bytes.to_vec()).expect("text").lines().map(str::to_owned).collect::<Vec<_>>()
    };
    for (one, two) in lines(&first).iter().zip(&lines(&second)) {
        assert_eq!(one, two);
    }
    assert!(first == second);
    assert!(first != recorded(201).await, "the proof that the comparison can fail");
}

#[tokio::test(start_paused = true)]
async fn a_recording_checks_a_run_and_names_the_first_difference() {
    let first = String::from_utf8(recorded(202).await).expect("text");
    for (seed, same) in [(202, true), (203, false)] {
        let sim = sim(seed);
        sim.world(|world, _| world.trace().check(&first));
        story(&sim).await;
        let difference = sim.world(|world, _| world.trace().difference().map(str::to_owned));
        assert_eq!(difference.is_none(), same, "{difference:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn pending_registrations_of_one_address_are_bounded() {
    let sim = sim_with(|config| config.registrations_per_address = 3, 204);
    let mut clients = Vec::new();
    for seed in 0..3 {
        let mut client = Client::new(None, seed + 1);
        client.register(&sim).await;
        clients.push(client);
    }
    let mut client = Client::new(None, 9);
    let payload = client.registration();
    client.open(&sim, payload, wa_noise::Opening::Xx).await.expect("a connection");
    assert!(client.until_tag("failure").await.attr_is("reason", "503"));
    drop(clients.pop());
    tokio::task::yield_now().await;
    client.register(&sim).await;
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_does_not_come_is_given_up() {
    let sim = sim(205);
    let mut stream = sim.connect();
    stream.write_all(b"WA\x06").await.expect("a write");
    let begin = tokio::time::Instant::now();
    let mut seen = Vec::new();
    stream.read_to_end(&mut seen).await.expect("an end");
    assert!(seen.is_empty() && begin.elapsed() >= Duration::from_secs(20));
    // And one that makes no sense at once.
    let mut stream = sim.connect();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("a write");
    stream.read_to_end(&mut seen).await.expect("an end");
    assert!(begin.elapsed() < Duration::from_secs(21));
}

#[tokio::test(start_paused = true)]
async fn expect_waits_and_sees_what_passed() {
    let sim = sim(206);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let bea = Client::linked(&sim, "Bea", 2).await;
    let filter = Filter {
        tag: Some("message".into()),
        id: Some("M1".into()),
        direction: Some(Direction::In),
        ..Filter::default()
    };
    let waited = sim.expect(&filter, Duration::from_millis(100)).await;
    assert!(matches!(waited, Err(wa_sim::SimError::Timeout(100))));
    ada.send(opaque("M1", &bea.my_lid().user_jid(), &[bea.my_lid()])).await;
    let passed = sim.expect(&filter, Duration::from_secs(1)).await.expect("the message");
    assert!(passed.node.attr_is("id", "M1"));
    // A stanza answered by hand.
    let filter = Filter { xmlns: Some("w:weather".into()), ..Filter::default() };
    let number = sim.intercept(filter, |iq| {
        let id = iq.required("id").string().ok()?.to_string();
        Some(vec![Node::new("iq").attr("id", id).attr("type", "result").child(Node::new("sunny"))])
    });
    assert!(ada.get("w:weather", Node::new("ask")).await.optional_child("sunny").is_some());
    assert!(sim.world(|world, _| world.stop_intercepting(number)));
    assert!(ada.get("w:weather", Node::new("ask")).await.optional_child("error").is_some());
    sim.reset();
    assert!(ada.ended().await);
    assert_eq!(sim.world(|world, _| world.accounts().len()), 0);
}

pub(crate) async fn http(sim: &SimHandle, method: &str, path: &str, body: &str) -> (u16, serde_json::Value) {
    let (status, body) = http_bytes(sim, method, path, body.as_bytes()).await;
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

pub(crate) async fn http_bytes(sim: &SimHandle, method: &str, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(sim.address().expect("a port")).await.expect("a connection");
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[request.as_bytes(), body].concat()).await.expect("a write");
    let mut seen = Vec::new();
    stream.read_to_end(&mut seen).await.expect("an answer");
    let end = seen.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let head = String::from_utf8_lossy(&seen[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, seen[end..].to_vec())
}

#[tokio::test]
async fn the_admin_api_shows_and_changes_the_world() {
    let seed =
        SeedFile::parse("[[account]]\nname = \"Ada\"\nnumber = 15550100\n[[account]]\nname = \"Bea\"\n")
            .expect("a seed");
    let config = SimConfig { world: Some(seed), ..SimConfig::default() };
    let sim = Sim::listen(config, ListenOptions::default()).await.expect("a port");
    assert_eq!(http(&sim, "GET", "/", "").await.0, 200);
    let (status, info) = http(&sim, "GET", "/admin/info", "").await;
    assert_eq!(status, 200);
    assert_eq!(info["noise_root"]["public_key_hex"], hex::encode(sim.noise_root()));
    assert_eq!(info["noise_root"]["serial"], 0);
    assert!(info["tls_cert_pem"].as_str().is_some_and(|pem| pem.starts_with("-----BEGIN CERTIFICATE")));
    let (_, accounts) = http(&sim, "GET", "/admin/accounts", "").await;
    assert_eq!(accounts["accounts"].as_array().map(Vec::len), Some(2));
    let (status, ada) =
        http(&sim, "PATCH", "/admin/accounts/15550100", r#"{"switches":{"restricted":true},"about":"Busy"}"#)
            .await;
    assert_eq!((status, &ada["switches"]["restricted"], &ada["about"]), (200, &true.into(), &"Busy".into()));
    assert_eq!(http(&sim, "PATCH", "/admin/accounts/15550100", r#"{"wings":2}"#).await.0, 400);
    assert_eq!(http(&sim, "GET", "/admin/accounts/99", "").await.0, 404);

    let text = r#"{"chat":"Bea","text":"hello"}"#;
    assert_eq!(http(&sim, "POST", "/admin/accounts/Ada/phone/text", text).await.0, 200);
    let (_, inbox) = http(&sim, "GET", "/admin/accounts/Bea/inbox", "").await;
    assert_eq!(inbox["inbox"][0]["kind"]["text"], "hello", "{inbox}");
    assert_eq!(http(&sim, "POST", "/admin/accounts/Ada/phone/fly", "{}").await.0, 501);
    for how in [
        "wrong-padding",
        "unknown-version",
        "bent-ciphertext",
        "replay",
        "duplicate",
        "unknown-pre-key",
        "out-of-order",
        "withheld-sender-key",
        "retry-storm",
    ] {
        let body = format!(r#"{{"how":"{how}"}}"#);
        assert_eq!(http(&sim, "POST", "/admin/accounts/Bea/phone/misbehave", &body).await.0, 200, "{how}");
    }
    assert_eq!(http(&sim, "POST", "/admin/accounts/Bea/phone/misbehave", r#"{"how":"sulk"}"#).await.0, 400);
    let id = inbox["inbox"][0]["id"].as_str().expect("an id");
    for (setting, body, collection) in [
        ("mute", r#"{"chat":"Ada"}"#.to_owned(), "regular_high"),
        ("pin", r#"{"chat":"Ada"}"#.to_owned(), "regular_low"),
        ("archive", r#"{"chat":"Ada","on":false}"#.to_owned(), "regular_low"),
        ("mark-read", r#"{"chat":"Ada"}"#.to_owned(), "regular_low"),
        ("star", format!(r#"{{"id":"{id}"}}"#), "regular_high"),
        ("contact", r#"{"chat":"Ada","name":"Ada A"}"#.to_owned(), "critical_unblock_low"),
    ] {
        let version = |state: &serde_json::Value| state[collection]["version"].as_u64().unwrap_or_default();
        let (_, before) = http(&sim, "GET", "/admin/accounts/Bea/appstate", "").await;
        let path = format!("/admin/accounts/Bea/phone/{setting}");
        assert_eq!(http(&sim, "POST", &path, &body).await.0, 200, "{setting}");
        let (_, after) = http(&sim, "GET", "/admin/accounts/Bea/appstate", "").await;
        assert_eq!(version(&after), version(&before) + 1, "{setting}: {after}");
    }
    assert_eq!(http(&sim, "POST", "/admin/accounts/Bea/phone/mute", "{}").await.0, 400);
    let (_, state) = http(&sim, "GET", "/admin/accounts/Ada/appstate", "").await;
    assert!(state["critical_block"]["version"].as_u64().is_some_and(|version| version > 0), "{state}");

    assert_eq!(http(&sim, "POST", "/admin/mock-phone/scan-qr", "nonsense").await.0, 400);
    assert_eq!(http(&sim, "POST", "/admin/mock-phone/scan-qr", "2@x,AA==,AA==,AA==,1").await.0, 404);
    let (_, fault) = http(&sim, "POST", "/admin/faults", r#"{"action":{"do":"duplicate"},"count":1}"#).await;
    assert_eq!(fault["id"], 1);
    assert_eq!(http(&sim, "GET", "/admin/faults", "").await.1["faults"].as_array().map(Vec::len), Some(1));
    assert_eq!(http(&sim, "DELETE", "/admin/faults/1", "").await.0, 200);
    assert_eq!(http(&sim, "DELETE", "/admin/faults/1", "").await.0, 404);
    assert_eq!(
        http(&sim, "POST", "/admin/groups", r#"{"subject":"Circle","creator":"Ada","members":["Bea"]}"#)
            .await
            .0,
        200
    );
    assert_eq!(http(&sim, "GET", "/admin/groups", "").await.1["groups"][0]["subject"], "Circle");
    let (_, before) = http(&sim, "GET", "/admin/clock", "").await;
    let (_, after) = http(&sim, "POST", "/admin/clock", r#"{"advance_ms":60000}"#).await;
    assert!(after["now_ms"].as_u64() >= before["now_ms"].as_u64().map(|now| now + 60_000));
    assert_eq!(http(&sim, "GET", "/admin/wait?tag=message&timeout_ms=1", "").await.0, 408);
    assert_eq!(http(&sim, "GET", "/admin/violations", "").await.1["violations"], serde_json::json!([]));
    assert_eq!(http(&sim, "GET", "/admin/newsletters", "").await.0, 501);
    assert_eq!(http(&sim, "GET", "/admin/weather", "").await.0, 404);
    assert_eq!(http(&sim, "POST", "/mms/image", "x").await.0, 404);
    assert_eq!(http(&sim, "POST", "/admin/reset", "").await.0, 200);
    assert_eq!(http(&sim, "GET", "/admin/stats", "").await.1["accounts"], 2);
}

#[tokio::test]
async fn others_are_not_let_in_unless_allowed() {
    let options =
        ListenOptions { address: "0.0.0.0:0".parse().expect("an address"), ..ListenOptions::default() };
    let refused = Sim::listen(SimConfig::default(), options).await;
    assert!(matches!(refused, Err(wa_sim::SimError::Remote(_))));
}
