//! What clients deposit with the service, and what the admin API shows of an account and of the run (chapters 09c §4.4, 09d §5,
//! §13, 10 §8, §14).

use serde_json::{Value, json};
use wa_binary::{Jid, Node};
use wa_sim::seed::SeedFile;
use wa_sim::{ListenOptions, Sim, SimConfig, SimHandle};

use crate::client::{Client, attr, opaque};
use crate::rest::http;
use crate::scene::child;

async fn listening() -> SimHandle {
    let seed =
        "[[account]]\nname = \"Ada\"\nnumber = 15550100\n[[account]]\nname = \"Bea\"\nnumber = 15550101\n";
    let world = Some(SeedFile::parse(seed).expect("a seed"));
    let config = SimConfig { world, ..SimConfig::default() };
    Sim::listen(config, ListenOptions::default()).await.expect("a port")
}

/// A companion that has been greeted: time is real here, so silence is not waited for.
pub(crate) async fn linked(sim: &SimHandle, name: &str, seed: u64) -> Client {
    let mut client = Client::link_only(sim, name, seed).await;
    client.login(sim).await;
    client.upload(30).await;
    // Keys, then three pieces of history.
    for _ in 0..4 {
        client.until(|node| node.attr_is("category", "peer")).await;
    }
    client.get("encrypt", Node::new("count")).await;
    client
}

async fn shown(sim: &SimHandle, path: &str) -> Value {
    let (status, value) = http(sim, "GET", path, "").await;
    assert_eq!(status, 200, "{path}: {value}");
    value
}

async fn patch(sim: &SimHandle, body: &Value) -> Value {
    let (status, value) = http(sim, "PATCH", "/admin/accounts/Ada", &body.to_string()).await;
    assert_eq!(status, 200, "{value}");
    value
}

fn only(answer: &Node, tag: &str) -> Node {
    assert!(answer.attr_is("type", "result"), "{answer}");
    child(answer, tag)
}

#[tokio::test]
async fn push_settings_notices_and_reports_are_kept_and_shown() {
    let sim = listening().await;
    let mut ada = linked(&sim, "Ada", 1).await;
    let before = shown(&sim, "/admin/accounts/Ada").await;
    assert_eq!(
        (&before["push"], &before["notices"], &before["reports"]),
        (&Value::Null, &json!({}), &json!([]))
    );

    let settings = ada.get("urn:xmpp:whatsapp:push", Node::new("settings")).await;
    assert!(only(&settings, "settings").optional_child("config").is_none());
    let config = Node::new("config").attr("platform", "gcm").attr("id", "a token").attr("num_acc", "1");
    assert!(ada.set("urn:xmpp:whatsapp:push", config).await.attr_is("type", "result"));
    let settings = ada.get("urn:xmpp:whatsapp:push", Node::new("settings")).await;
    let config = only(&settings, "settings").required_child("config").expect("config").to_node();
    assert!(config.attr_is("platform", "gcm") && config.attr_is("id", "a token"), "{config}");

    let ask = |ids: &[&str]| {
        Node::new("request").children(ids.iter().map(|id| Node::new("notice").attr("id", *id)))
    };
    let states = |answer: &Node| -> Vec<(String, String)> {
        let tos = only(answer, "tos");
        assert!(tos.has_attr("refresh"));
        let pair = |node: Node| (attr(&node, "id").expect("an id"), attr(&node, "state").expect("a state"));
        tos.each("notice").map(|node| pair(node.to_node())).collect()
    };
    let state = |id: &str, state: &str| (id.to_owned(), state.to_owned());
    let answer = ada.get("tos", ask(&["20601218"])).await;
    assert_eq!(states(&answer), [state("20601218", "false")]);
    let accept = ask(&["20601218"]).attr("type", "session_update");
    assert!(ada.set("tos", accept).await.attr_is("type", "result"));
    // As it used to be said.
    let older = Node::new("notice").attr("id", "20601217").attr("stage", "5");
    assert!(ada.set("tos", older).await.attr_is("type", "result"));
    let answer = ada.get("tos", ask(&["20601218", "20601217", "1"])).await;
    let all = [state("20601218", "true"), state("20601217", "true"), state("1", "false")];
    assert_eq!(states(&answer), all);
    // A notice that waits is told, and accepted no longer.
    patch(&sim, &json!({ "notice": "20601218" })).await;
    let note = ada.until(|node| node.attr_is("type", "account_sync")).await;
    let notice =
        note.required_child("tos").expect("tos").required_child("notice").expect("a notice").to_node();
    assert!(notice.attr_is("id", "20601218"));

    let message = Node::new("message").attr("id", "M1").attr("t", "1").attr("from", Jid::pn(15_550_101));
    let list = Node::new("spam_list").attr("spam_flow", "ContactInfo").child(message);
    let answer = ada.set("spam", list).await;
    let id = only(&answer, "report_id").required_text().expect("an id").into_owned();

    let after = shown(&sim, "/admin/accounts/Ada").await;
    assert_eq!(after["push"], json!({ "platform": "gcm", "id": "a token", "num_acc": "1" }));
    assert_eq!(after["notices"], json!({ "20601218": false, "20601217": true }));
    let report = &after["reports"][0];
    assert_eq!((&report["id"], &report["flow"]), (&json!(id), &json!("ContactInfo")));
    assert_eq!(report["messages"], json!([["M1", "15550101@s.whatsapp.net"]]));
    // The address for mail is the phone's to ask about.
    let email = ada.get("urn:xmpp:whatsapp:account", Node::new("email")).await;
    assert_eq!(attr(&child(&email, "error"), "code").as_deref(), Some("403"));
    assert!(sim.violations().is_empty(), "{:?}", sim.violations());
}

/// Every way to another about text tells the same people.
#[tokio::test]
async fn an_about_text_is_told_to_contacts_whoever_changed_it() {
    let sim = listening().await;
    let (mut ada, mut bea) = (linked(&sim, "Ada", 1).await, linked(&sim, "Bea", 2).await);
    let variables = json!({ "variables": { "input": { "text": "by mex" } } }).to_string();
    for text in ["by hand", "by the phone", "by the companion", "by mex"] {
        match text {
            "by hand" => drop(patch(&sim, &json!({ "about": text })).await),
            "by the phone" => {
                let body = json!({ "text": text }).to_string();
                http(&sim, "POST", "/admin/accounts/Ada/phone/about", &body).await;
            }
            "by the companion" => {
                assert!(ada.set("status", Node::new("status").text(text)).await.attr_is("type", "result"));
            }
            _ => {
                let query = Node::new("query").attr("query_id", "9152604461510864");
                let answer = ada.get("w:mex", query.bytes(variables.clone().into_bytes())).await;
                let json = only(&answer, "result").required_bytes().expect("bytes").into_owned();
                let json: Value = serde_json::from_slice(&json).expect("JSON");
                assert_eq!(json["data"]["xwa2_update_text_status"]["result"], "SUCCESS");
            }
        }
        let note = bea.until(|node| node.is("notification") && node.attr_is("type", "status")).await;
        assert_eq!(note.required("from").jid().expect("an address"), ada.my_lid().user_jid());
        assert_eq!(child(&note, "set").required_text().expect("text"), text);
        assert_eq!(shown(&sim, "/admin/accounts/Ada").await["about"], text);
        // The account's other devices look for themselves; the one that changed it knows.
        let own = !text.ends_with("companion") && text != "by mex";
        if own {
            let sync = ada.until(|node| node.attr_is("type", "account_sync")).await;
            assert!(sync.optional_child("status").is_some(), "{sync}");
        }
    }
    // Read back the way it was written.
    let user = json!({ "variables": { "user": { "user_id": ada.my_lid().user().as_str() } } }).to_string();
    let query = Node::new("query").attr("query_id", "24535500086059408").bytes(user.into_bytes());
    let json = only(&bea.get("w:mex", query).await, "result").required_bytes().expect("bytes").into_owned();
    let json: Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(json["data"]["xwa2_users_updates_since"][0]["updates"][0]["text"], "by mex");
}

#[tokio::test]
async fn limits_are_set_over_the_admin_api() {
    let sim = listening().await;
    let mut ada = linked(&sim, "Ada", 1).await;
    let bea = linked(&sim, "Bea", 2).await;
    let to = bea.my_lid();
    let mut number = 0;
    for (limits, error) in [
        (json!({ "lock": { "seconds": 600 } }), Some("463")),
        (json!({ "lock": null, "cap": { "total": 5, "used": 5 } }), Some("475")),
        (json!({ "cap": null }), None),
    ] {
        patch(&sim, &limits).await;
        number += 1;
        let id = format!("M{number}");
        ada.send(opaque(&id, &to.user_jid(), std::slice::from_ref(&to))).await;
        let ack = ada.until(|node| node.is("ack") && node.attr_is("id", &id)).await;
        assert_eq!(attr(&ack, "error").as_deref(), error, "{limits}");
    }
    for bad in [json!({ "lock": 5 }), json!({ "cap": {} }), json!({ "cap": { "total": 1, "colour": 2 } })] {
        assert_eq!(http(&sim, "PATCH", "/admin/accounts/Ada", &bad.to_string()).await.0, 400, "{bad}");
    }
}

/// Every counter that chapter 10 §14 names, and that each moves.
#[tokio::test]
async fn the_counters_count() {
    let sim = listening().await;
    let mut ada = linked(&sim, "Ada", 1).await;
    let mut bea = linked(&sim, "Bea", 2).await;
    let to = bea.my_lid();
    let before = shown(&sim, "/admin/stats").await;
    let (ada_name, bea_name) = ("15550100:1", "15550101:1");
    // One key of Bea's goes; Bea leaves a message unanswered; Ada says what nobody knows.
    let user = Node::new("key").child(Node::new("user").attr("jid", &to));
    ada.get("encrypt", user).await;
    bea.polite = false;
    ada.send(opaque("M1", &to.user_jid(), std::slice::from_ref(&to))).await;
    ada.until(|node| node.is("ack") && node.attr_is("id", "M1")).await;
    bea.until(|node| node.is("message") && node.attr_is("id", "M1")).await;
    ada.get("w:weather", Node::new("rain")).await;
    let after = shown(&sim, "/admin/stats").await;
    let moved = |pointer: &str| {
        let read = |value: &Value| value.pointer(pointer).and_then(Value::as_i64);
        read(&after).unwrap_or_else(|| panic!("no {pointer}: {after}")) - read(&before).unwrap_or_default()
    };
    assert_eq!(moved("/counters/frames_received"), 3);
    assert_eq!(moved("/counters/frames_sent"), 4, "two results, an ack, a message");
    assert_eq!((moved("/counters/received/iq"), moved("/counters/received/message")), (2, 1));
    assert_eq!((moved("/counters/sent/ack"), moved("/counters/sent/message")), (1, 1));
    assert_eq!((moved("/acks_pending"), moved("/queued")), (1, 1));
    assert_eq!(moved(&format!("/queues/{bea_name}")), 1);
    assert_eq!(moved(&format!("/prekeys/{bea_name}")), -1);
    assert_eq!(moved(&format!("/prekeys/{ada_name}")), 0);
    assert_eq!(moved("/violations"), 1);
    assert_eq!(moved("/counters/connections"), 0);
    assert_eq!(after["open_connections"], 2);
    ada.login(&sim).await;
    let again = shown(&sim, "/admin/stats").await;
    let connections = |value: &Value| value["counters"]["connections"].as_u64().expect("a count");
    assert_eq!(connections(&again), connections(&after) + 1);
}

/// Every call of the table in chapter 10 §14, with the status that it is answered with.
#[tokio::test]
async fn every_call_of_the_table_is_answered() {
    let sim = listening().await;
    let mut ada = linked(&sim, "Ada", 1).await;
    let fault = r#"{"match": {"tag": "weather"}, "action": {"do": "lose"}}"#;
    let calls = [
        ("GET", "/info", "", 200),
        ("GET", "/stats", "", 200),
        ("GET", "/accounts", "", 200),
        ("GET", "/accounts/Ada", "", 200),
        ("PATCH", "/accounts/Ada", r#"{"props": {"7": "x"}}"#, 200),
        ("GET", "/accounts/Ada/devices/1", "", 200),
        ("GET", "/accounts/Ada/devices/1/queue", "", 200),
        ("GET", "/accounts/Ada/devices/1/prekeys", "", 200),
        ("POST", "/accounts/Ada/devices/1/prekeys", r#"{"left": 1}"#, 200),
        ("GET", "/accounts/Ada/inbox", "", 200),
        ("GET", "/accounts/Ada/appstate", "", 200),
        ("POST", "/accounts/Ada/phone/text", r#"{"chat": "Bea", "text": "x"}"#, 200),
        ("POST", "/accounts/Ada/devices/1/send", r#"{"tag": "ib", "attrs": {"mark": "here"}}"#, 200),
        ("GET", "/accounts/Ada/devices/9/queue", "", 404),
        ("GET", "/groups", "", 200),
        ("POST", "/groups", r#"{"subject": "x", "creator": "Ada", "members": ["Bea"]}"#, 200),
        ("GET", "/newsletters", "", 501),
        ("POST", "/newsletters", "{}", 501),
        ("POST", "/seed", "[[account]]\nname = \"Cleo\"\n", 200),
        ("POST", "/faults", fault, 200),
        ("GET", "/faults", "", 200),
        ("POST", "/faults/release", "", 200),
        ("DELETE", "/faults/1", "", 200),
        ("DELETE", "/faults", "", 200),
        ("POST", "/clock", r#"{"advance_ms": 1}"#, 200),
        ("GET", "/trace?since=0&tag=ib", "", 200),
        ("GET", "/wait?tag=success&timeout_ms=10", "", 200),
        ("GET", "/connections", "", 200),
        ("GET", "/violations", "", 200),
        ("DELETE", "/violations", "", 200),
        ("GET", "/mock-phone/pending", "", 200),
        ("POST", "/media", "{}", 200),
        ("GET", "/state", "", 200),
        ("DELETE", "/accounts/Bea", "", 200),
        ("POST", "/outage", "{}", 200),
        ("POST", "/reset", "", 200),
        ("GET", "/nothing", "", 404),
    ];
    for (method, path, body, status) in calls {
        let (seen, answer) = http(&sim, method, &format!("/admin{path}"), body).await;
        assert_eq!(seen, status, "{method} {path}: {answer}");
        match path {
            "/accounts/Ada/devices/1/prekeys" if method == "GET" => {
                assert_eq!(answer["one_time_ids"].as_array().map(Vec::len), Some(29));
            }
            // What is pushed comes to the device as it was written.
            "/accounts/Ada/devices/1/send" => {
                ada.until(|node| node.is("ib") && node.attr_is("mark", "here")).await;
            }
            "/seed" => assert_eq!(answer["accounts"].as_array().map(Vec::len), Some(3)),
            _ => {}
        }
    }
    ada.polite = false;
    assert!(ada.ended().await, "the reset closes connections");
}
