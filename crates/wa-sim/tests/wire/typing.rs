//! The form of what the simulator writes: addresses typed as such, leaves as bytes, numbers in decimal, times and ids on
//! everything that is delivered (chapters 03, 10 §1.3).

use std::collections::BTreeSet;

use wa_binary::{AttrValue, Content, Jid, Node};
use wa_noise::Opening;

use crate::client::{Client, attr, opaque, sim};

/// What is wrong with one stanza, as a strict reader sees it.
fn faults(node: &Node, path: &str) -> Vec<String> {
    let path = format!("{path}/{}", node.tag());
    let mut wrong = Vec::new();
    for (key, value) in node.attr_values() {
        match value {
            AttrValue::Text(text) => {
                let text = text.as_str();
                let address = text.contains('@') || text == "s.whatsapp.net" || text == "g.us";
                // A ref of the QR is no address; addresses in tokens and names are none either.
                if address && text.parse::<Jid>().is_ok() {
                    wrong.push(format!("{path} {key}: an address as text, {text}"));
                }
                let number = matches!(&**key, "t" | "count" | "offline" | "expiration" | "creation" | "ts");
                if number && !text.bytes().all(|byte| byte.is_ascii_digit()) {
                    wrong.push(format!("{path} {key}: no decimal number, {text}"));
                }
            }
            AttrValue::Jid(_) => {}
        }
    }
    if let Content::Nodes(children) = node.content() {
        wrong.extend(children.iter().flat_map(|child| faults(child, &path)));
    }
    wrong
}

/// Everything that a connection was sent, and what is wrong with it.
fn judge(nodes: &[Node]) -> Vec<String> {
    let mut wrong: Vec<String> = nodes.iter().flat_map(|node| faults(node, "")).collect();
    let mut ids = BTreeSet::new();
    for node in nodes {
        if matches!(node.tag(), "message" | "receipt" | "notification" | "call") {
            for needed in ["id", "t", "from"] {
                if !node.has_attr(needed) {
                    wrong.push(format!("no {needed}: {node}"));
                }
            }
            let place = (node.tag().to_owned(), attr(node, "id"), attr(node, "from"), attr(node, "type"));
            if !ids.insert(place) {
                wrong.push(format!("the id comes twice: {node}"));
            }
        }
    }
    wrong
}

#[tokio::test(start_paused = true)]
async fn addresses_are_addresses_and_everything_delivered_has_a_time_and_an_id_of_its_own() {
    let sim = sim(990);
    let mut ada = Client::new(Some("Ada"), 1);
    let payload = ada.registration();
    ada.open(&sim, payload, Opening::Xx).await.expect("a connection");
    let mut heard = vec![ada.until_tag("iq").await];
    let refs = heard[0].required_child("pair-device").expect("refs");
    let text = refs.each("ref").next().expect("a ref").required_text().expect("text").into_owned();
    sim.scan_qr(&ada.qr(&text), None).expect("a scan");
    let success = ada.until(|node| node.optional_child("pair-success").is_some()).await;
    let answer = ada.sign(&success);
    heard.push(success);
    ada.send(answer).await;
    heard.extend(ada.rest().await);
    assert_eq!(judge(&heard), Vec::<String>::new());

    // A connection of its own: a login and whatever a day brings.
    let mut bea = Client::linked(&sim, "Bea", 2).await;
    let mut heard = vec![ada.login(&sim).await];
    heard.push(ada.upload(20).await);
    heard.extend(ada.rest().await);
    let (mine, hers) = (ada.my_lid().user_jid(), bea.my_lid().user_jid());
    ada.text(&hers, &[hers.clone(), bea.my_lid()], "hello").await;
    bea.text(&mine, &[mine.clone(), ada.my_lid()], "hello yourself").await;
    let numbers = (ada.my_jid(), bea.my_jid());
    bea.send(opaque("P1", &numbers.0.user_jid(), std::slice::from_ref(&numbers.0))).await;
    heard.extend(ada.rest().await);
    let create =
        Node::new("create").attr("subject", "Circle").child(Node::new("participant").attr("jid", &hers));
    heard.push(ada.iq("w:g2", "set", Jid::GROUPS, Some(create)).await);
    heard.push(ada.iq("w:g2", "get", Jid::GROUPS, Some(Node::new("participating"))).await);
    bea.set("w:profile:picture", Node::new("picture").attr("type", "image").bytes(vec![1, 2, 3])).await;
    bea.set("status", Node::new("status").text("Busy")).await;
    bea.send(Node::new("presence").attr("type", "available").attr("name", "Bea")).await;
    ada.send(Node::new("presence").attr("type", "subscribe").attr("to", &hers)).await;
    bea.send(Node::new("chatstate").attr("to", &mine).child(Node::new("composing"))).await;
    let offer = Node::new("offer").attr("call-id", "C1").attr("call-creator", bea.my_lid());
    bea.send(Node::new("call").attr("id", "K1").attr("to", &mine).child(offer)).await;
    let second = Client::link_only(&sim, "Bea", 3).await;
    heard.extend(ada.rest().await);
    let key = Node::new("key")
        .children([&hers, &bea.my_lid(), &second.my_jid()].map(|jid| Node::new("user").attr("jid", jid)));
    heard.push(ada.get("encrypt", key).await);
    heard.push(ada.get("encrypt", Node::new("digest")).await);
    for (xmlns, child) in [
        ("privacy", Node::new("privacy")),
        ("abt", Node::new("props").attr("protocol", "1")),
        ("bot", Node::new("bot").attr("v", "2")),
    ] {
        heard.push(ada.get(xmlns, child).await);
    }
    heard.push(ada.set("w:m", Node::new("media_conn")).await);
    heard.push(ada.iq("blocklist", "get", Jid::SERVER, None).await);
    let item = Node::new("item").attr("action", "block").attr("jid", &hers);
    heard.push(ada.set("blocklist", item).await);
    heard.push(ada.iq("blocklist", "get", Jid::SERVER, None).await);
    assert!(heard.len() > 25, "{}", heard.len());
    assert_eq!(judge(&heard), Vec::<String>::new());
    // The server's own name is an address without user, and not the word.
    let from_server =
        heard.iter().filter(|node| node.is("ib") || attr(node, "type").as_deref() == Some("encrypt"));
    for node in from_server {
        assert!(node.attr_values().iter().any(|(key, value)| {
            key == "from" && matches!(value, AttrValue::Jid(jid) if *jid == Jid::SERVER)
        }));
    }
}

#[test]
fn a_stanza_of_a_lax_server_is_seen() {
    let lax = Node::new("ib").attr("from", "s.whatsapp.net").child(Node::new("item").attr("jid", "1@lid"));
    assert_eq!(faults(&lax, "").len(), 2);
    assert_eq!(judge(&[Node::new("message").attr("t", "soon")]).len(), 3);
    let twice = Node::new("receipt").attr("id", "A").attr("t", "1").attr("from", Jid::pn(15_550_100));
    assert_eq!(judge(&[twice.clone(), twice]).len(), 1);
}

/// The bytes of a stanza as they were sealed.
#[tokio::test(start_paused = true)]
async fn refs_are_bytes_and_the_server_is_written_as_a_pair_with_an_empty_user() {
    let sim = sim(991);
    let mut ada = Client::new(None, 1);
    let payload = ada.registration();
    ada.open(&sim, payload, Opening::Xx).await.expect("a connection");
    let frame = ada.next_frame().await;
    let server = wa_binary::Token::of("s.whatsapp.net").expect("a token").wire().0;
    let pair = [0xfa, 0x00, server];
    assert!(frame.windows(3).any(|three| three == pair), "{}", hex::encode(&frame));
    assert!(!frame.windows(2).any(|two| two[1] == server && two[0] != 0x00), "never as a word");
    let refs = wa_binary::decode(&frame).expect("a stanza");
    let refs = refs.required_child("pair-device").expect("refs");
    let mut count = 0;
    for text in refs.each("ref") {
        let text = text.required_bytes().expect("bytes").into_owned();
        // BINARY_8, the length, the bytes.
        let wanted = [&[0xfc, u8::try_from(text.len()).expect("short")][..], &text].concat();
        assert!(frame.windows(wanted.len()).any(|bytes| bytes == wanted));
        count += 1;
    }
    assert_eq!(count, 6);
}

#[tokio::test(start_paused = true)]
async fn numbers_among_keys_have_their_lengths() {
    let sim = sim(992);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let bea = Client::linked(&sim, "Bea", 2).await;
    let answer =
        ada.get("encrypt", Node::new("key").child(Node::new("user").attr("jid", bea.my_lid()))).await;
    let user =
        answer.required_child("list").expect("a list").required_child("user").expect("a user").to_node();
    let length = |node: &Node, tag: &str| {
        node.required_child(tag)
            .unwrap_or_else(|_| panic!("{tag}: {node}"))
            .required_bytes()
            .expect("bytes")
            .len()
    };
    assert_eq!((length(&user, "registration"), length(&user, "type"), length(&user, "identity")), (4, 1, 32));
    let kind = user.required_child("type").expect("a type").required_bytes().expect("bytes").into_owned();
    assert_eq!(kind, [5]);
    for (tag, signed) in [("skey", true), ("key", false)] {
        let key = user.required_child(tag).expect("a key").to_node();
        assert_eq!((length(&key, "id"), length(&key, "value")), (3, 32), "{tag}");
        assert_eq!(key.optional_child("signature").is_some(), signed);
    }
}
