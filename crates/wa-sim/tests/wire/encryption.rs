//! What a phone does wrong with its ciphertexts, seen by the companion that gets them (chapter 10 §11, "encryption").

use wa_binary::{Jid, Node};
use wa_core::envelope::padding;
use wa_signal::{ErrorClass, PreKeySignalMessage};
use wa_sim::SimHandle;
use wa_sim::phone::{Action, Misbehaviour};

use crate::client::{Client, attr, sim};

/// Bea's phone writes to Ada's companion; `first` words have gone through unless the session must be new.
async fn written(seed: u64, acquainted: bool) -> (SimHandle, Client, Client) {
    let sim = sim(seed);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let bea = Client::linked(&sim, "Bea", 2).await;
    if acquainted {
        say(&sim, &ada, &bea, "first");
        let first = ada.until(|node| node.is("message")).await;
        assert_eq!(texts(&mut ada, &[first]), ["first"]);
        // What the other side answered is needed for an established session.
        let phone = bea.my_lid().user_jid();
        ada.text(&phone, std::slice::from_ref(&phone), "answer").await;
        ada.rest().await;
    }
    (sim, ada, bea)
}

fn say(sim: &SimHandle, ada: &Client, bea: &Client, words: &str) {
    let text = Action::Text { chat: ada.my_lid().user_jid(), text: words.to_owned(), quote: None };
    sim.act(bea.number(), text).expect("a deed");
}

fn misbehave(sim: &SimHandle, bea: &Client, how: Misbehaviour) {
    sim.misbehave(bea.number(), how).expect("Bea");
}

async fn messages(client: &mut Client) -> Vec<Node> {
    client.rest().await.into_iter().filter(|node| node.is("message")).collect()
}

fn texts(client: &mut Client, nodes: &[Node]) -> Vec<String> {
    nodes
        .iter()
        .flat_map(|node| client.read_message(node))
        .filter_map(|message| message.conversation)
        .collect()
}

/// The one ciphertext of a message: sender, whether it opens a session, bytes.
fn ciphertext(node: &Node) -> (Jid, bool, Vec<u8>) {
    let enc = node.required_child("enc").expect("enc");
    let sender = node.required("from").jid().expect("an address");
    (sender, enc.attr_is("type", "pkmsg"), enc.required_bytes().expect("bytes").into_owned())
}

#[tokio::test(start_paused = true)]
async fn wrong_padding_decrypts_and_is_no_text() {
    let (sim, mut ada, bea) = written(400, true).await;
    misbehave(&sim, &bea, Misbehaviour::WrongPadding);
    say(&sim, &ada, &bea, "padded wrongly");
    let message = ada.until(|node| node.is("message")).await;
    let (sender, first, bytes) = ciphertext(&message);
    let padded = ada.open_enc(&sender, first, &bytes).expect("an authentic ciphertext");
    assert_eq!(padded.last(), Some(&0));
    assert!(padding::unpad(&padded).is_err());
    ada.rest().await;
    say(&sim, &ada, &bea, "good again");
    let next = messages(&mut ada).await;
    assert_eq!(texts(&mut ada, &next), ["good again"], "one send only");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_version_and_a_bent_ciphertext_do_not_open() {
    let cases = [
        (Misbehaviour::UnknownVersion, ErrorClass::UnsupportedVersion),
        (Misbehaviour::BentCiphertext, ErrorClass::BadMac),
    ];
    for (how, class) in cases {
        let (sim, mut ada, bea) = written(401, true).await;
        misbehave(&sim, &bea, how);
        say(&sim, &ada, &bea, "unreadable");
        let message = ada.until(|node| node.is("message")).await;
        let (sender, first, bytes) = ciphertext(&message);
        assert_eq!(bytes[0] == 0x55, how == Misbehaviour::UnknownVersion);
        let error = ada.open_enc(&sender, first, &bytes).expect_err("no way to open it");
        assert_eq!(error.class(), class, "{how:?}: {error}");
        ada.rest().await;
        say(&sim, &ada, &bea, "good again");
        let next = messages(&mut ada).await;
        assert_eq!(texts(&mut ada, &next), ["good again"], "{how:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_replay_has_old_counters_under_a_new_id() {
    let (sim, mut ada, bea) = written(402, true).await;
    misbehave(&sim, &bea, Misbehaviour::Replay);
    say(&sim, &ada, &bea, "once");
    let got = messages(&mut ada).await;
    assert_eq!(got.len(), 2);
    assert_ne!(attr(&got[0], "id"), attr(&got[1], "id"));
    assert_eq!(ciphertext(&got[0]), ciphertext(&got[1]));
    assert_eq!(texts(&mut ada, &got[..1]), ["once"]);
    let (sender, first, bytes) = ciphertext(&got[1]);
    let error = ada.open_enc(&sender, first, &bytes).expect_err("a counter that was used");
    assert_eq!(error.class(), ErrorClass::Duplicate);
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_is_acked_twice_and_delivered_once() {
    let (sim, mut ada, bea) = written(403, true).await;
    let acks = || {
        let filter = wa_sim::trace::Filter { tag: Some("message".into()), ..Default::default() };
        sim.trace(&filter).len()
    };
    let before = acks();
    misbehave(&sim, &bea, Misbehaviour::Duplicate);
    say(&sim, &ada, &bea, "twice");
    let got = messages(&mut ada).await;
    // The server knows an id again (chapter 05 §14): what comes twice is acked twice and delivered once.
    assert_eq!(texts(&mut ada, &got), ["twice"]);
    assert!(acks() > before);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_pre_key_is_named_by_a_first_message() {
    let (sim, mut ada, bea) = written(404, false).await;
    misbehave(&sim, &bea, Misbehaviour::UnknownPreKey);
    say(&sim, &ada, &bea, "to a key that never was");
    let message = ada.until(|node| node.is("message")).await;
    let (_, first, bytes) = ciphertext(&message);
    assert!(first);
    let named = PreKeySignalMessage::parse(&bytes).expect("a pre-key message").pre_key_id();
    assert_eq!(named, Some(wa_core::prekeys::MAX_ID));
    assert!(!ada.one_time.contains_key(&wa_core::prekeys::MAX_ID));
}

#[tokio::test(start_paused = true)]
async fn out_of_order_comes_newest_first_and_decrypts_all_the_same() {
    let (sim, mut ada, bea) = written(405, true).await;
    misbehave(&sim, &bea, Misbehaviour::OutOfOrder(3));
    for words in ["one", "two"] {
        say(&sim, &ada, &bea, words);
        assert!(messages(&mut ada).await.is_empty(), "held back");
    }
    say(&sim, &ada, &bea, "three");
    let got = messages(&mut ada).await;
    assert_eq!(texts(&mut ada, &got), ["three", "two", "one"]);
}

#[tokio::test(start_paused = true)]
async fn a_withheld_sender_key_comes_with_the_next_message() {
    let (sim, mut ada, bea) = written(406, true).await;
    let create = Node::new("create")
        .attr("subject", "Circle")
        .child(Node::new("participant").attr("jid", bea.my_lid().user_jid()));
    let answer = ada.iq("w:g2", "set", Jid::GROUPS, Some(create)).await;
    let id: u64 = answer.required_child("group").expect("a group").required("id").u64().expect("a number");
    let group = Jid::numbered(id, wa_binary::Server::Group);
    ada.rest().await;
    let kinds = |node: &Node| -> Vec<String> {
        node.each("enc").map(|enc| enc.required("type").string().expect("a type").to_string()).collect()
    };
    misbehave(&sim, &bea, Misbehaviour::WithheldSenderKey);
    let mut seen = Vec::new();
    for words in ["unreadable", "readable"] {
        let text = Action::Text { chat: group.clone(), text: words.to_owned(), quote: None };
        sim.act(bea.number(), text).expect("a deed");
        let got = messages(&mut ada).await;
        assert_eq!(got.len(), 1);
        seen.push(kinds(&got[0]));
    }
    assert_eq!(seen[0], ["skmsg"]);
    assert!(seen[1].len() == 2 && seen[1].contains(&"skmsg".to_owned()), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn a_retry_storm_asks_for_the_same_message_again_and_again() {
    let (sim, mut ada, bea) = written(407, true).await;
    let phone = bea.my_lid().user_jid();
    let id = ada.text(&phone, std::slice::from_ref(&phone), "wanted").await;
    ada.rest().await;
    misbehave(&sim, &bea, Misbehaviour::RetryStorm(7));
    say(&sim, &ada, &bea, "and now the storm");
    let storm = ada.rest().await;
    let retries = storm.iter().filter(|node| node.is("receipt") && node.attr_is("type", "retry"));
    let retries: Vec<&Node> = retries.collect();
    assert_eq!(retries.len(), 7);
    for retry in retries {
        assert!(retry.attr_is("id", &id));
        assert!(retry.required_child("retry").expect("retry").attr_is("count", "1"));
        assert!(retry.optional_child("registration").is_some());
    }
}
