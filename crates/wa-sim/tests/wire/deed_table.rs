//! Every row of the table "What a phone does" in `docs/simulator.md`, done over the admin API and seen by a companion
//! (chapter 10 §10, §14).

use serde_json::{Value, json};
use wa_binary::{Jid, Node};
use wa_media::{MediaKey, RetryResult};
use wa_sim::phone::content::{Content, Parsed, PinState};
use wa_sim::seed::SeedFile;
use wa_sim::{ListenOptions, Sim, SimConfig, SimHandle};

use crate::client::{Client, attr};
use crate::files::{ask_again, outcome};
use crate::kept::linked;
use crate::rest::http;

const DOCS: &str = include_str!("../../../../docs/simulator.md");

/// The deeds that the table names, in its order.
fn rows() -> Vec<&'static str> {
    let table = DOCS.split("### What a phone does").nth(1).expect("the section");
    let table = table.split("\n### ").next().expect("the section");
    let firsts = table.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    firsts.flat_map(|first| first.split(',')).map(|name| name.trim_matches([' ', '`'])).collect()
}

/// Bea's phone does what the table says; Ada, and Bea's and Cleo's own companions, look on.
struct Stage {
    sim: SimHandle,
    ada: Client,
    bea: Client,
    cleo: Client,
    /// Address of the group that was made.
    group: String,
    /// The last message, poll, event and file that Bea's phone sent.
    text: String,
    poll: String,
    event: String,
    file: (String, Option<MediaKey>),
}

impl Stage {
    async fn new() -> Self {
        let people = [("Ada", 15_550_100), ("Bea", 15_550_101), ("Cleo", 15_550_102)];
        let accounts =
            people.map(|(name, number)| format!("[[account]]\nname = \"{name}\"\nnumber = {number}\n"));
        let world = Some(SeedFile::parse(&accounts.concat()).expect("a seed"));
        let config = SimConfig { world, ..SimConfig::default() };
        let sim = Sim::listen(config, ListenOptions::default()).await.expect("a port");
        let ada = linked(&sim, "Ada", 1).await;
        let bea = linked(&sim, "Bea", 2).await;
        let cleo = linked(&sim, "Cleo", 3).await;
        let none = String::new;
        Self {
            sim,
            ada,
            bea,
            cleo,
            group: none(),
            text: none(),
            poll: none(),
            event: none(),
            file: (none(), None),
        }
    }

    async fn deed(&self, who: &str, what: &str, body: &Value) -> Value {
        let path = format!("/admin/accounts/{who}/phone/{what}");
        let (status, answer) = http(&self.sim, "POST", &path, &body.to_string()).await;
        assert_eq!(status, 200, "{what}: {answer}");
        answer
    }

    /// Bea's phone does it; the message that Ada's companion gets, its content, and its id.
    async fn said(&mut self, what: &str, body: Value) -> (Node, Content, String) {
        let answer = self.deed("Bea", what, &body).await;
        let id = answer["id"].as_str().unwrap_or_else(|| panic!("{what}: {answer}")).to_owned();
        let node = self.ada.until(|node| node.is("message") && node.attr_is("id", &id)).await;
        let message = self.ada.read_message(&node).pop().expect("a message");
        (node, Parsed::read(&message).content, id)
    }

    /// Bea's phone changes a setting; her companion is told to look at this collection.
    async fn set(&mut self, what: &str, body: Value, collection: &str) {
        self.deed("Bea", what, &body).await;
        let of = |node: &Node| {
            node.attr_is("type", "server_sync")
                && node.each("collection").any(|it| it.attr_is("name", collection))
        };
        self.bea.until(|node| node.is("notification") && of(node)).await;
    }

    /// Somebody changes the group; Ada's companion is told with this child.
    async fn group(&mut self, who: &str, what: &str, mut body: Value, child: &str) -> Node {
        body["chat"] = json!(self.group);
        self.deed(who, what, &body).await;
        let told = |node: &Node| node.attr_is("type", "w:gp2") && node.optional_child(child).is_some();
        let node = self.ada.until(told).await;
        node.required_child(child).expect("the change").to_node()
    }

    fn notified(kind: &str) -> impl Fn(&Node) -> bool {
        move |node| node.is("notification") && node.attr_is("type", kind)
    }

    async fn done(&mut self, row: &'static str) {
        // Boxed: together they are more than a test's stack holds.
        let known = Box::pin(self.message(row)).await
            || Box::pin(self.change(row)).await
            || Box::pin(self.setting(row)).await
            || Box::pin(self.group_change(row)).await
            || Box::pin(self.fate(row)).await;
        assert!(known, "the table has a row without a case here: {row}");
    }

    /// Messages that stand alone.
    async fn message(&mut self, row: &'static str) -> bool {
        match row {
            "text" => {
                let (_, content, id) = self.said(row, json!({ "chat": "Ada", "text": "hello" })).await;
                assert!(matches!(content, Content::Text(text) if text.body == "hello"));
                self.text = id;
            }
            "file" => {
                let body = json!({ "chat": "Ada", "what": "image", "size": 900, "caption": "sea" });
                let (node, content, id) = self.said(row, body).await;
                assert!(node.required_child("enc").expect("enc").attr_is("mediatype", "image"));
                self.file = (id, content.media().and_then(|media| media.key.clone()));
            }
            "location" => {
                let body = json!({ "chat": "Ada", "latitude": 1, "longitude": 2, "name": "Pier" });
                assert!(matches!(self.said(row, body).await.1, Content::Location(_)));
            }
            "card" => {
                let body = json!({ "chat": "Ada", "name": "Cleo", "number": "+1 555 0102" });
                assert!(matches!(self.said(row, body).await.1, Content::Contact(_)));
            }
            "poll" => {
                let body = json!({ "chat": "Ada", "question": "?", "options": ["a", "b"], "most": 1 });
                let (node, content, id) = self.said(row, body).await;
                assert!(node.attr_is("type", "poll") && matches!(content, Content::Poll(_)));
                self.poll = id;
            }
            "vote" => {
                let body = json!({ "id": self.poll, "chat": "Ada", "options": ["b"] });
                let (node, content, _) = self.said(row, body).await;
                assert!(node.required_child("meta").expect("meta").attr_is("polltype", "vote"));
                assert!(matches!(content, Content::Sealed(_)), "the companion has to open it");
            }
            "event" => {
                let body = json!({ "chat": "Ada", "name": "Party", "starts_at": 2_000_000_000 });
                let (_, content, id) = self.said(row, body).await;
                assert!(matches!(content, Content::Event(_)));
                self.event = id;
            }
            "respond" => {
                let body = json!({ "id": self.event, "chat": "Ada", "answer": "maybe" });
                assert!(matches!(self.said(row, body).await.1, Content::Sealed(_)));
            }
            "status" => {
                let answer = self.deed("Bea", row, &json!({ "text": "a post" })).await;
                let id = answer["id"].as_str().expect("an id");
                let node = self.ada.until(|node| node.is("message") && node.attr_is("id", id)).await;
                assert_eq!(attr(&node, "from").as_deref(), Some("status@broadcast"));
                self.ada.read_message(&node);
            }
            _ => return false,
        }
        true
    }

    /// What refers to a message, or to what was seen.
    async fn change(&mut self, row: &'static str) -> bool {
        match row {
            "react" => {
                let body = json!({ "id": self.text, "chat": "Ada", "emoji": "👍" });
                let (node, content, _) = self.said(row, body).await;
                assert!(node.attr_is("type", "reaction") && matches!(content, Content::Reaction(_)));
            }
            "edit" => {
                let body = json!({ "id": self.text, "chat": "Ada", "text": "hello again" });
                let (node, content, _) = self.said(row, body).await;
                assert!(node.attr_is("edit", "1") && matches!(content, Content::Edit(_)));
            }
            "revoke" => {
                let (node, content, _) = self.said(row, json!({ "id": self.text, "chat": "Ada" })).await;
                assert!(node.attr_is("edit", "7") && matches!(content, Content::Revoke(_)));
            }
            "pin-message" => {
                let body = json!({ "id": self.event, "chat": "Ada", "seconds": 86_400 });
                let (node, content, _) = self.said(row, body).await;
                assert!(node.attr_is("edit", "2"));
                assert!(matches!(content, Content::Pin(pin) if pin.state == PinState::Pinned(86_400)));
            }
            "timer" => {
                let (_, content, _) = self.said(row, json!({ "chat": "Ada", "seconds": 86_400 })).await;
                assert!(matches!(content, Content::Disappearing(_)));
            }
            "read" => {
                let sent = self.deed("Ada", "text", &json!({ "chat": "Bea", "text": "read me" })).await;
                self.deed("Bea", row, &json!({ "chat": "Ada" })).await;
                let read = self.ada.until(|node| node.is("receipt") && node.attr_is("type", "read")).await;
                assert_eq!(attr(&read, "id").as_deref(), sent["id"].as_str());
            }
            "typing" => {
                self.deed("Bea", row, &json!({ "chat": "Ada" })).await;
                let state = self.ada.until_tag("chatstate").await;
                assert!(state.optional_child("composing").is_some(), "{state}");
            }
            _ => return false,
        }
        true
    }

    /// Settings of the account.
    async fn setting(&mut self, row: &'static str) -> bool {
        match row {
            "mute" => self.set(row, json!({ "chat": "Ada" }), "regular_high").await,
            "pin" | "archive" | "mark-read" => self.set(row, json!({ "chat": "Ada" }), "regular_low").await,
            "star" => self.set(row, json!({ "id": self.event, "chat": "Ada" }), "regular_high").await,
            "contact" => {
                self.set(row, json!({ "chat": "Ada", "name": "Ada A" }), "critical_unblock_low").await;
            }
            "rename" => {
                self.set(row, json!({ "name": "Beatrix" }), "critical_block").await;
                let (node, ..) = self.said("text", json!({ "chat": "Ada", "text": "it is me" })).await;
                assert!(node.attr_is("notify", "Beatrix"), "{node}");
            }
            "fill-app-state" => self.set(row, json!({ "size": 20 }), "regular").await,
            "remove-nothing" => self.set(row, json!({}), "regular").await,
            "block" | "unblock" => {
                self.deed("Bea", row, &json!({ "chat": "Ada" })).await;
                let node = self.bea.until(|node| node.optional_child("blocklist").is_some()).await;
                let list = node.required_child("blocklist").expect("the list").to_node();
                assert!(list.required_child("item").expect("an item").attr_is("action", row), "{node}");
            }
            "about" => {
                self.deed("Bea", row, &json!({ "text": "At sea" })).await;
                let node = self.ada.until(Self::notified("status")).await;
                let text = node.required_child("set").expect("the text").to_node();
                assert_eq!(text.required_text().expect("text"), "At sea");
            }
            "picture" => {
                for (data, child) in [(json!("/9g="), "set"), (Value::Null, "delete")] {
                    self.deed("Bea", row, &json!({ "data": data })).await;
                    let node = self.ada.until(Self::notified("picture")).await;
                    assert!(node.optional_child(child).is_some(), "{node}");
                }
            }
            _ => return false,
        }
        true
    }

    /// Groups.
    async fn group_change(&mut self, row: &'static str) -> bool {
        match row {
            "group-create" => {
                let body = json!({ "subject": "Circle", "members": ["Ada", "Cleo"] });
                let answer = self.deed("Bea", row, &body).await;
                self.group = answer["jid"].as_str().expect("an address").to_owned();
                let node = self.ada.until(Self::notified("w:gp2")).await;
                assert_eq!(attr(&node, "from").as_deref(), Some(&*self.group));
                assert!(node.required_child("create").expect("create").optional_child("group").is_some());
            }
            "group-add" => {
                self.group("Bea", "group-remove", json!({ "members": ["Cleo"] }), "remove").await;
                let add = self.group("Bea", row, json!({ "members": ["Cleo"] }), "add").await;
                assert!(add.required_child("participant").is_ok());
            }
            "group-remove" => {
                let remove = self.group("Bea", row, json!({ "members": ["Cleo"] }), "remove").await;
                assert!(remove.required_child("participant").is_ok());
            }
            "group-promote" => drop(self.group("Bea", row, json!({ "members": ["Ada"] }), "promote").await),
            "group-demote" => drop(self.group("Bea", row, json!({ "members": ["Ada"] }), "demote").await),
            "group-leave" => {
                self.group("Bea", "group-add", json!({ "members": ["Cleo"] }), "add").await;
                let remove = self.group("Cleo", row, json!({}), "remove").await;
                let who = remove.required_child("participant").expect("who").to_node();
                assert_eq!(who.required("jid").jid().expect("an address"), self.cleo.my_lid().user_jid());
            }
            "group-subject" => {
                let subject = self.group("Bea", row, json!({ "subject": "Reading" }), "subject").await;
                assert!(subject.attr_is("subject", "Reading"));
            }
            "group-timer" => {
                let timer = self.group("Bea", row, json!({ "seconds": 86_400 }), "ephemeral").await;
                assert!(timer.attr_is("expiration", "86400"));
                self.group("Bea", row, json!({ "seconds": 0 }), "not_ephemeral").await;
            }
            "group-announcement" => {
                self.group("Bea", row, json!({}), "announcement").await;
                self.group("Bea", row, json!({ "on": false }), "not_announcement").await;
            }
            "group-locked" => {
                self.group("Bea", row, json!({}), "locked").await;
                self.group("Bea", row, json!({ "on": false }), "unlocked").await;
            }
            _ => return false,
        }
        true
    }

    /// What happens to the phone.
    async fn fate(&mut self, row: &'static str) -> bool {
        match row {
            "online" | "offline" => {
                self.deed("Bea", "offline", &json!({})).await;
                let to = self.bea.my_lid().user_jid();
                let id = self.ada.text(&to, std::slice::from_ref(&to), "are you there").await;
                self.ada.until(|node| node.is("ack") && node.attr_is("id", &id)).await;
                let (_, stats) = http(&self.sim, "GET", "/admin/stats", "").await;
                assert_eq!(stats["queues"]["15550101:0"], 1, "it waits for the phone");
                self.deed("Bea", "online", &json!({})).await;
                let receipt = self.ada.until(|node| node.is("receipt") && node.attr_is("id", &id)).await;
                assert_eq!(receipt.required("from").jid().expect("an address").device(), 0);
            }
            "reinstall" => {
                self.deed("Bea", row, &json!({})).await;
                let node = self.ada.until(Self::notified("encrypt")).await;
                assert!(node.optional_child("identity").is_some(), "{node}");
                self.bea.polite = false;
                assert!(self.bea.until_tag("stream:error").await.attr_is("code", "401"));
                // What stands between the two is of the old phone.
                self.ada.sessions.clear();
            }
            "unlink" => {
                self.deed("Cleo", row, &json!({ "device": self.cleo.my_lid().device() })).await;
                self.cleo.polite = false;
                assert!(self.cleo.until_tag("stream:error").await.attr_is("code", "401"));
            }
            "misbehave" => {
                self.deed("Bea", row, &json!({ "how": "bent-ciphertext" })).await;
                let answer = self.deed("Bea", "text", &json!({ "chat": "Ada", "text": "bent" })).await;
                let id = answer["id"].as_str().expect("an id");
                let node = self.ada.until(|node| node.is("message") && node.attr_is("id", id)).await;
                let from = node.required("from").jid().expect("an address");
                let enc = node.required_child("enc").expect("enc").to_node();
                let bytes = enc.required_bytes().expect("bytes");
                let opened = self.ada.open_enc(&from, enc.attr_is("type", "pkmsg"), &bytes);
                assert!(opened.is_err());
            }
            "change-number" => {
                self.deed("Bea", row, &json!({ "number": "15550109" })).await;
                let node = self.ada.until(Self::notified("contacts")).await;
                let modify = node.required_child("modify").expect("modify").to_node();
                assert_eq!(modify.required("new").jid().expect("an address"), Jid::pn(15_550_109));
            }
            "media-retry" => {
                self.deed("Ada", row, &json!({ "how": "general-error" })).await;
                assert_eq!(self.retried().await, RetryResult::GeneralError);
                self.deed("Ada", row, &json!({ "how": "answer" })).await;
                assert_eq!(self.retried().await, RetryResult::Success);
            }
            "forget-file" => {
                self.deed("Ada", row, &json!({ "id": self.file.0 })).await;
                assert_eq!(self.retried().await, RetryResult::NotFound);
            }
            _ => return false,
        }
        true
    }

    /// What Ada's phone answers when her companion asks it for the file again.
    async fn retried(&mut self) -> RetryResult {
        let (id, key) = self.file.clone();
        let (key, chat) = (key.expect("a key"), self.bea.my_lid().user_jid());
        ask_again(&mut self.ada, &id, &chat, &key).await;
        let node = self.ada.until(Self::notified("mediaretry")).await;
        outcome(&node, &id, &key).expect("it opens").result
    }
}

#[tokio::test]
async fn every_row_of_the_table_is_done_over_http_and_seen_by_a_companion() {
    let rows = rows();
    assert!(rows.len() > 45, "{rows:?}");
    let mut stage = Stage::new().await;
    for row in &rows {
        stage.done(row).await;
    }
    assert!(stage.sim.violations().is_empty(), "{:?}", stage.sim.violations());
}

#[tokio::test]
#[should_panic(expected = "a row without a case here: fly")]
async fn a_row_without_a_case_is_seen() {
    Stage::new().await.done("fly").await;
}
