//! What phones' users say beyond texts, seen by a companion and by the receiver's phone, in Rust and over the admin API
//! (chapter 10 §10).

use serde_json::{Value, json};
use wa_binary::{Jid, Node};
use wa_sim::phone::content::{
    Answer, Contact, Content, DisappearingSetting, Event, Location, Parsed, Pin, PinState, Poll, Target, Text,
};
use wa_sim::phone::{Action, Kind, Manner, MessageRef, Received};
use wa_sim::seed::SeedFile;
use wa_sim::{ListenOptions, Sim, SimConfig, SimHandle};

use crate::client::{Client, attr, sim};
use crate::rest::{http, http_bytes};

/// Two accounts with a companion each: who writes, and who is written to.
struct Pair {
    sim: SimHandle,
    ada: Client,
    bea: Client,
}

impl Pair {
    async fn new(seed: u64) -> Self {
        let sim = sim(seed);
        let (ada, bea) = (Client::linked(&sim, "Ada", 1).await, Client::linked(&sim, "Bea", 2).await);
        Self { sim, ada, bea }
    }

    /// Bea's phone does something; Ada's companion and Ada's phone see it.
    async fn done(&mut self, action: Action) -> (Node, Parsed, Received) {
        let id = self.sim.act(self.bea.number(), action).expect("a deed").expect("an id");
        let node = self.ada.until(|node| node.is("message") && node.attr_is("id", &id)).await;
        let message = self.ada.read_message(&node).pop().expect("a message");
        (node, Parsed::read(&message), self.seen(&id))
    }

    async fn said(&mut self, content: Content) -> (Node, Parsed, Received) {
        let chat = self.ada.my_lid().user_jid();
        self.done(Action::Say { chat, content: Box::new(content), manner: Manner::default() }).await
    }

    fn seen(&self, id: &str) -> Received {
        let inbox = self.sim.inbox(self.ada.number());
        inbox.into_iter().find(|received| received.id == id).expect("Ada's phone has it")
    }

    /// A message of Bea's as Bea's phone names it.
    fn hers(&self, id: &str) -> MessageRef {
        let (chat, sender) = (self.ada.my_lid().user_jid(), self.bea.my_lid().user_jid());
        MessageRef { chat, sender, id: id.to_owned(), from_me: true }
    }

    /// The same as Ada's phone names it.
    fn beas(&self, id: &str) -> MessageRef {
        let bea = self.bea.my_lid().user_jid();
        MessageRef { chat: bea.clone(), sender: bea, id: id.to_owned(), from_me: false }
    }
}

#[tokio::test(start_paused = true)]
async fn places_cards_and_pins() {
    let mut pair = Pair::new(720).await;
    let place = Content::Location(Location::new(1.5, -2.5).name("Pier"));
    let (node, parsed, seen) = pair.said(place.clone()).await;
    assert!(node.required_child("enc").expect("enc").attr_is("mediatype", "location"));
    assert_eq!(parsed.content, place);
    let wanted = Kind::Location { latitude: 1.5, longitude: -2.5, name: Some("Pier".into()), live: false };
    assert_eq!(seen.kind, wanted);

    let (node, _, card) = pair.said(Content::Contact(Contact::new("Cleo").phone("+1 555 0102"))).await;
    assert!(node.required_child("enc").expect("enc").attr_is("mediatype", "vcard"));
    let wanted = Kind::Contacts { names: vec!["Cleo".into()], numbers: vec!["15550102".into()] };
    assert_eq!(card.kind, wanted);

    let hers = pair.hers(&card.id);
    let target = Target::new(&*card.id, hers.chat, Some(hers.sender), true);
    let pin = Pin::new(target, PinState::Pinned(86_400), None);
    let (node, parsed, seen) = pair.said(Content::Pin(pin)).await;
    assert_eq!(attr(&node, "edit").as_deref(), Some("2"));
    assert!(matches!(parsed.content, Content::Pin(pin) if pin.state == PinState::Pinned(86_400)));
    assert_eq!(seen.kind, Kind::Pin { target: card.id, seconds: Some(86_400) });
    assert!(pair.sim.violations().is_empty(), "{:?}", pair.sim.violations());
}

#[tokio::test(start_paused = true)]
async fn polls_are_voted_on_and_events_answered() {
    let mut pair = Pair::new(721).await;
    let (node, _, poll) = pair.said(Content::Poll(Poll::new("Lunch?", ["Pizza", "Soup"]))).await;
    assert!(node.attr_is("type", "poll"));
    assert_eq!(
        attr(&node.required_child("meta").expect("meta").to_node(), "polltype").as_deref(),
        Some("creation")
    );
    let options = vec!["Pizza".to_owned(), "Soup".to_owned()];
    assert_eq!(poll.kind, Kind::Poll { question: "Lunch?".into(), options });
    // From either side; the other side's phone opens it.
    let vote = |poll, option: &str| Action::Vote { poll, options: vec![option.to_owned()] };
    let (node, parsed, seen) = pair.done(vote(pair.hers(&poll.id), "Soup")).await;
    assert_eq!(
        attr(&node.required_child("meta").expect("meta").to_node(), "polltype").as_deref(),
        Some("vote")
    );
    assert!(matches!(parsed.content, Content::Sealed(_)), "the companion has to open it");
    assert_eq!(seen.kind, Kind::Vote { target: poll.id.clone(), chosen: vec!["Soup".into()] });
    let id = pair.sim.act(pair.ada.number(), vote(pair.beas(&poll.id), "Pizza")).expect("a vote");
    let inbox = pair.sim.inbox(pair.bea.number());
    let seen = inbox.iter().find(|received| Some(&received.id) == id.as_ref()).expect("the vote");
    assert_eq!(seen.kind, Kind::Vote { target: poll.id, chosen: vec!["Pizza".into()] });

    let (node, _, event) = pair.said(Content::Event(Event::new("Party", 2_000_000_000))).await;
    assert!(node.attr_is("type", "event"));
    assert_eq!(event.kind, Kind::Event { name: "Party".into(), starts_at: Some(2_000_000_000) });
    let respond = Action::Respond { event: pair.beas(&event.id), answer: Answer::Maybe };
    let id = pair.sim.act(pair.ada.number(), respond).expect("an answer");
    let inbox = pair.sim.inbox(pair.bea.number());
    let seen = inbox.iter().find(|received| Some(&received.id) == id.as_ref()).expect("the answer");
    assert_eq!(seen.kind, Kind::EventResponse { target: event.id, answer: "maybe".into() });
    // Nobody votes on what they never saw.
    let nothing = pair.beas("3EB0NOTHING");
    assert!(pair.sim.act(pair.ada.number(), vote(nothing, "Pizza")).is_err());
    assert!(pair.sim.violations().is_empty(), "{:?}", pair.sim.violations());
}

#[tokio::test(start_paused = true)]
async fn a_timer_goes_with_every_message_until_it_is_taken_off() {
    let mut pair = Pair::new(722).await;
    let chat = pair.ada.my_lid().user_jid();
    let text = |text: &str| Action::Text { chat: chat.clone(), text: text.to_owned(), quote: None };
    let timer = |seconds| Action::Say {
        chat: chat.clone(),
        content: Box::new(Content::Disappearing(DisappearingSetting::new(seconds, None))),
        manner: Manner::default(),
    };
    assert_eq!(pair.done(text("before")).await.2.disappears, None);
    pair.sim.act(pair.bea.number(), timer(86_400)).expect("a deed");
    assert_eq!(pair.done(text("while")).await.2.disappears, Some(86_400));
    // The other side keeps to it.
    let bea = pair.bea.my_lid().user_jid();
    let action = Action::Text { chat: bea, text: "mine".to_owned(), quote: None };
    pair.sim.act(pair.ada.number(), action).expect("a deed");
    assert_eq!(pair.sim.inbox(pair.bea.number()).last().expect("a message").disappears, Some(86_400));
    pair.sim.act(pair.bea.number(), timer(0)).expect("a deed");
    assert_eq!(pair.done(text("after")).await.2.disappears, None);
}

#[tokio::test(start_paused = true)]
async fn a_status_reaches_everybody_who_knows_the_author() {
    let mut pair = Pair::new(723).await;
    for number in 0..2 {
        let content = Box::new(Content::Text(Text::new(format!("post {number}"))));
        let action = Action::Say { chat: Jid::STATUS, content, manner: Manner::default() };
        let id = pair.sim.act(pair.bea.number(), action).expect("a post").expect("an id");
        let node = pair.ada.until(|node| node.is("message") && node.attr_is("id", &id)).await;
        assert_eq!(attr(&node, "from").as_deref(), Some("status@broadcast"));
        assert!(
            attr(&node, "participant")
                .is_some_and(|author| author.contains(&pair.bea.my_lid().user().to_string()))
        );
        let meta = node.required_child("meta").expect("meta").to_node();
        assert_eq!(attr(&meta, "status_setting").as_deref(), Some("contacts"));
        // The key comes with the first one only.
        let keyed = node.each("enc").any(|enc| !enc.attr_is("type", "skmsg"));
        assert_eq!(keyed, number == 0, "{node}");
        let seen = pair.seen(&id);
        assert_eq!(seen.kind, Kind::Text { text: format!("post {number}"), quoted: None });
        assert_eq!(seen.chat, Jid::STATUS);
    }
    assert!(pair.sim.violations().is_empty(), "{:?}", pair.sim.violations());
}

#[tokio::test]
async fn the_admin_api_does_them_all() {
    let seed = SeedFile::parse(
        "[[account]]\nname = \"Ada\"\nnumber = 15550100\n[[account]]\nname = \"Bea\"\nnumber = 15550101\n",
    )
    .expect("a seed");
    let config = SimConfig { world: Some(seed), ..SimConfig::default() };
    let sim = Sim::listen(config, ListenOptions::default()).await.expect("a port");
    let deed = async |who: &str, what: &str, body: Value| {
        let (status, answer) =
            http(&sim, "POST", &format!("/admin/accounts/{who}/phone/{what}"), &body.to_string()).await;
        assert_eq!(status, 200, "{what}: {answer}");
        answer["id"].as_str().map(str::to_owned)
    };
    let last = async |who: &str| {
        let (_, inbox) = http(&sim, "GET", &format!("/admin/accounts/{who}/inbox"), "").await;
        inbox["inbox"].as_array().and_then(|inbox| inbox.last().cloned()).expect("a message")
    };
    // A file as the body of the call, whatever is in it.
    let path = "/admin/accounts/Ada/phone/file?chat=Bea&what=voice&seconds=3";
    let bytes = [0, 159, 146, 150, 255];
    let (status, answer) = http_bytes(&sim, "POST", path, &bytes).await;
    assert_eq!(status, 200);
    let answer: Value = serde_json::from_slice(&answer).expect("JSON");
    let id = answer["id"].as_str().expect("an id");
    let seen = last("Bea").await;
    assert_eq!((&seen["id"], &seen["kind"]["what"]), (&json!(id), &json!("ptt")));
    assert_eq!(seen["kind"]["download"]["state"], "done");
    let file = http_bytes(&sim, "GET", &format!("/admin/accounts/Bea/inbox/{id}/file"), b"").await;
    assert_eq!(file, (200, bytes.to_vec()));
    assert_eq!(http(&sim, "GET", "/admin/accounts/Bea/inbox/none/file", "").await.0, 404);
    deed("Ada", "forget-file", json!({ "id": id })).await;
    assert_eq!(http(&sim, "GET", &format!("/admin/accounts/Ada/inbox/{id}/file"), "").await.0, 404);

    let body = json!({ "chat": "Bea", "what": "image", "size": 3000, "caption": "sea", "view_once": true });
    deed("Ada", "file", body).await;
    let seen = last("Bea").await;
    assert_eq!(
        (&seen["kind"]["caption"], &seen["kind"]["size"], &seen["view_once"]),
        (&json!("sea"), &json!(3000), &json!(true))
    );
    deed("Ada", "file", json!({ "chat": "Bea", "data": "aGVsbG8=", "name": "hi.txt", "quote": id })).await;
    assert_eq!(last("Bea").await["kind"]["name"], "hi.txt");
    deed("Ada", "location", json!({ "chat": "Bea", "latitude": 1, "longitude": 2 })).await;
    assert_eq!(last("Bea").await["kind"]["latitude"], 1.0);
    deed("Ada", "card", json!({ "chat": "Bea", "name": "Cleo", "number": "+1 555 0102" })).await;
    assert_eq!(last("Bea").await["kind"]["numbers"], json!(["15550102"]));
    let poll =
        deed("Ada", "poll", json!({ "chat": "Bea", "question": "?", "options": ["a", "b"], "most": 1 }))
            .await;
    deed("Bea", "vote", json!({ "id": poll, "options": ["b"] })).await;
    assert_eq!(last("Ada").await["kind"]["chosen"], json!(["b"]));
    let event =
        deed("Ada", "event", json!({ "chat": "Bea", "name": "Party", "starts_at": 2_000_000_000 })).await;
    deed("Bea", "respond", json!({ "id": event, "answer": "not-going" })).await;
    assert_eq!(last("Ada").await["kind"]["answer"], "not-going");
    deed("Bea", "pin-message", json!({ "id": event })).await;
    assert_eq!(last("Ada").await["kind"]["seconds"], 604_800);
    deed("Ada", "status", json!({ "text": "a post" })).await;
    assert_eq!(last("Bea").await["chat"], "status@broadcast");
    deed("Ada", "timer", json!({ "chat": "Bea", "seconds": 604_800 })).await;
    deed("Bea", "text", json!({ "chat": "Ada", "text": "gone soon" })).await;
    assert_eq!(last("Ada").await["disappears"], 604_800);
    // What is asked of the server.
    deed("Ada", "about", json!({ "text": "At sea" })).await;
    assert_eq!(http(&sim, "GET", "/admin/accounts/Ada", "").await.1["about"], "At sea");
    deed("Ada", "block", json!({ "chat": "Bea" })).await;
    assert_eq!(http(&sim, "GET", "/admin/accounts/Ada", "").await.1["blocked"], 1);
    deed("Ada", "unblock", json!({ "chat": "Bea" })).await;
    deed("Ada", "picture", json!({ "data": "/9g=" })).await;
    let path = "/admin/accounts/Ada/phone/group-create";
    let body = json!({ "subject": "Circle", "members": ["Bea"] }).to_string();
    let (_, group) = http(&sim, "POST", path, &body).await;
    let group = group["jid"].as_str().expect("an address").to_owned();
    for (what, body) in [
        ("group-subject", json!({ "chat": group, "subject": "Reading" })),
        ("group-timer", json!({ "chat": group, "seconds": 86_400 })),
        ("group-announcement", json!({ "chat": group, "on": false })),
        ("group-locked", json!({ "chat": group })),
        ("group-promote", json!({ "chat": group, "members": ["Bea"] })),
        ("group-demote", json!({ "chat": group, "members": ["Bea"] })),
        ("picture", json!({ "chat": group, "data": "/9g=" })),
        ("text", json!({ "chat": group, "text": "to all" })),
    ] {
        deed("Ada", what, body).await;
    }
    let seen = last("Bea").await;
    assert_eq!((&seen["kind"]["text"], &seen["disappears"]), (&json!("to all"), &json!(86_400)));
    deed("Ada", "group-remove", json!({ "chat": group, "members": ["Bea"] })).await;
    deed("Ada", "group-add", json!({ "chat": group, "members": ["Bea"] })).await;
    deed("Bea", "group-leave", json!({ "chat": group })).await;
    let (_, groups) = http(&sim, "GET", "/admin/groups", "").await;
    assert_eq!(groups["groups"][0]["members"].as_array().map(Vec::len), Some(1));
    let taken = json!({ "number": "15550101" }).to_string();
    assert_eq!(http(&sim, "POST", "/admin/accounts/Ada/phone/change-number", &taken).await.0, 409);
    for how in ["answer", "not-found", "general-error", "decryption-error", "silence", "wrong-id", "bad-tag"]
    {
        deed("Ada", "media-retry", json!({ "how": how })).await;
    }
    deed("Ada", "media-retry", json!({ "how": { "error-code": 9 } })).await;
    for (what, body) in [
        ("file", json!({ "chat": "Bea", "what": "hologram" })),
        ("file", json!({ "chat": "Bea", "data": "***" })),
        ("vote", json!({ "id": "none", "chat": "Bea", "options": [] })),
        ("poll", json!({ "chat": "Bea", "question": "?", "options": [] })),
        ("timer", json!({ "chat": "Bea", "seconds": 5, "colour": "red" })),
        ("media-retry", json!({ "how": "sulk" })),
        ("location", json!({ "chat": "Bea", "latitude": 100, "longitude": 2 })),
    ] {
        let path = format!("/admin/accounts/Ada/phone/{what}");
        assert_eq!(http(&sim, "POST", &path, &body.to_string()).await.0, 400, "{what} {body}");
    }
    assert!(sim.violations().is_empty(), "{:?}", sim.violations());
}
