//! What stands on the wire: the attributes of each kind, receipts of people in one stanza, calls.

use wa_binary::Node;
use wa_client::calls::{CallEnd, CallMedia, CallState};
use wa_client::messages::builder::Message;
use wa_client::messages::content::Poll;
use wa_client::messages::sending::SendReport;
use wa_sim::trace::Filter;

use super::*;

/// To the one companion of Bot.
fn to_client(stage: &Stage, node: &Node) -> bool {
    (1..100).any(|device| stage.sim.send(BOT, device, node.clone()))
}

fn of_client(tag: &str, id: &str) -> Filter {
    Filter { tag: Some(tag.into()), id: Some(id.into()), ..Filter::default() }
}

#[tokio::test(start_paused = true)]
async fn each_kind_has_its_attributes() {
    let stage = stage(95).await;
    let (client, mut events) = stage.linked().await;
    stage.sim.act(ADA, Action::Text { chat: bot(), text: "hi".into(), quote: None }).unwrap();
    let theirs = text(&mut events, "hi").await;
    let poll = Message::poll(Poll::new("?", ["a", "b"]));
    // (message, type, edit, decrypt-fail of <enc>, <meta polltype>)
    let cases = [
        (poll, "poll", None, None, Some("creation")),
        (Message::reaction(&theirs, "👍"), "reaction", None, Some("hide"), None),
        (Message::reaction(&theirs, ""), "reaction", Some("7"), Some("hide"), None),
        (Message::edit(&theirs, "x"), "text", Some("1"), Some("hide"), None),
        (Message::unpin(&theirs), "text", Some("2"), Some("hide"), None),
    ];
    for (message, kind, edit, hide, poll_type) in cases {
        let sent = client.messages().send(&theirs, message).await.unwrap();
        let id = sent.id.to_string();
        assert!(matches!(sent.await, SendReport::Accepted(_)));
        let passed = stage.sim.expect(&of_client("message", &id), PATIENCE).await.expect("it passed");
        let stanza = &passed.node;
        let value = |node: &Node, name: &str| node.optional(name).string().unwrap().map(String::from);
        assert_eq!(value(stanza, "type").as_deref(), Some(kind));
        assert_eq!(value(stanza, "edit").as_deref(), edit, "{stanza}");
        let to = stanza.optional_child("participants").expect("participants").to_node();
        let enc = to.each("to").next().expect("a device").optional_child("enc").expect("an enc").to_node();
        assert_eq!(value(&enc, "decrypt-fail").as_deref(), hide, "{stanza}");
        let meta = stanza.optional_child("meta").map(wa_binary::NodeRef::to_node);
        assert_eq!(meta.and_then(|meta| value(&meta, "polltype")).as_deref(), poll_type);
    }
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_call_is_told_answered_and_refused() {
    let stage = stage(96).await;
    let (client, mut events) = stage.linked().await;
    let ada = "15550101@s.whatsapp.net";
    let call = |id: &str, child: Node| {
        Node::new("call").attr("from", ada).attr("id", id).attr("t", "2000000001").child(child)
    };
    let named = |tag: &str| Node::new(tag).attr("call-id", "CALL1").attr("call-creator", ada);
    let offer = named("offer").child(Node::new("audio")).child(Node::new("video"));
    assert!(to_client(&stage, &call("A1", offer)));
    let offered = next_call(&mut events).await;
    assert_eq!((offered.action.clone(), offered.media), (CallState::Offered, CallMedia::Video));
    assert_eq!(offered.from.pn, Some(super::ada()));
    let ringing = stage.sim.expect(&of_client("receipt", "A1"), PATIENCE).await.expect("the device rings");
    assert!(ringing.node.optional_child("offer").is_some(), "{}", ringing.node);

    client.calls().reject(&offered).unwrap();
    let rejected = Filter { tag: Some("call".into()), child: Some("reject".into()), ..Filter::default() };
    let rejected = stage.sim.expect(&rejected, PATIENCE).await.expect("it is refused").node;
    let reject = rejected.optional_child("reject").unwrap();
    assert!(reject.attr_is("call-id", "CALL1") && rejected.attr_is("to", ada), "{rejected}");

    for (id, reason, end) in [
        ("A2", Some("timeout"), CallEnd::Missed),
        ("A3", Some("accepted_elsewhere"), CallEnd::AcceptedElsewhere),
        ("A4", None, CallEnd::HungUp(None)),
    ] {
        let over = call(id, named("terminate").maybe_attr("reason", reason));
        assert!(to_client(&stage, &over));
        assert_eq!(next_call(&mut events).await.action, CallState::Ended(end));
        stage.sim.expect(&of_client("ack", id), PATIENCE).await.expect("it is acknowledged");
    }
    // Nothing that rings: told to nobody, but answered.
    assert!(to_client(&stage, &call("A5", named("transport"))));
    stage.sim.expect(&of_client("ack", "A5"), PATIENCE).await.expect("it is acknowledged");
}

async fn next_call(events: &mut EventStream) -> wa_client::calls::CallEvent {
    stage::next(events, "a call", |event| match &event.kind {
        Kind::Call(call) => Some(call.clone()),
        _ => None,
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn receipts_of_several_people_in_one_stanza_are_told_apart() {
    let stage = stage(97).await;
    let (client, mut events) = stage.linked().await;
    let group = client.groups().joined().await.expect("the groups")[0].jid.clone();
    let sent = client.messages().send(&group, "hello").await.unwrap();
    let id = sent.id.clone();
    assert!(matches!(sent.await, SendReport::Accepted(_)));
    let user = |jid: &str| Node::new("user").attr("jid", jid).attr("t", "2000000009");
    let users = [user("900000000000001@lid"), user("900000000000002@lid")];
    let list = Node::new("participants").attr("message_id", id.as_str()).children(users);
    let receipt = Node::new("receipt").attr("from", group).attr("id", "R1").attr("type", "read").child(list);
    assert!(to_client(&stage, &receipt));
    let mut readers = Vec::new();
    while readers.len() < 2 {
        let by = stage::next(&mut events, "a receipt", |event| match &event.kind {
            Kind::Receipt(receipt)
                if receipt.by.lid.as_ref().is_some_and(|lid| lid.to_string().starts_with('9')) =>
            {
                Some(receipt.by.clone())
            }
            _ => None,
        })
        .await;
        readers.push(by.lid.unwrap().to_string());
    }
    assert_eq!(readers, ["900000000000001@lid", "900000000000002@lid"]);
    let status = client.messages().status_of(&id).await.unwrap().unwrap();
    use wa_client::messages::status::Progress;
    assert_eq!(status.reached(Progress::Read).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_read_played_or_being_typed_is_told_in_both_directions() {
    use wa_client::events::TypingState;
    use wa_client::messages::status::Progress;
    let stage = stage(98).await;
    let (client, mut events) = stage.linked().await;
    stage.sim.act(ADA, Action::Text { chat: bot(), text: "hi".into(), quote: None }).unwrap();
    let theirs = text(&mut events, "hi").await;
    let sent = client.messages().send(&theirs, "hello").await.unwrap();
    let id = sent.id.clone();
    assert!(matches!(sent.await, SendReport::Accepted(_)));
    let ada = theirs.sender.jid().expect("Ada").clone();
    for (kind, progress) in [("read", Progress::Read), ("played", Progress::Played)] {
        let receipt = Node::new("receipt").attr("from", ada.clone()).attr("id", id.as_str());
        assert!(to_client(&stage, &receipt.attr("type", kind).attr("t", "2000000009")));
        let status = status::reaches(&client, &id, progress).await;
        assert_eq!(status.reached(progress).count(), 1, "{status:?}");
    }
    client.mark_read(&[&theirs]).unwrap();
    client.mark_played(&[&theirs]).unwrap();
    for kind in ["read", "played"] {
        let left = Filter { kind: Some(kind.into()), ..of_client("receipt", &theirs.id) };
        let left = stage.sim.expect(&left, PATIENCE).await.expect("it left").node;
        assert!(left.has_attr("t") && !left.has_attr("participant"), "{left}");
    }
    // Typing, recording, and neither.
    for (state, child) in [
        (TypingState::Typing, "composing"),
        (TypingState::Recording, "composing"),
        (TypingState::Paused, "paused"),
    ] {
        let since = stage.sim.world(|world, _| world.trace().last_seq());
        client.presence().typing(&ada, state).unwrap();
        let shown =
            Node::new(child).maybe_attr("media", (state == TypingState::Recording).then_some("audio"));
        assert!(to_client(&stage, &Node::new("chatstate").attr("from", ada.clone()).child(shown)));
        let told = stage::next(&mut events, child, |event| match &event.kind {
            Kind::Typing { who, state, .. } => Some((who.clone(), *state)),
            _ => None,
        })
        .await;
        assert!(told.0.is(&ada) && told.1 == state, "{told:?}");
        let of_ours = Filter {
            direction: Some(wa_sim::faults::Direction::In),
            tag: Some("chatstate".into()),
            child: Some(child.into()),
            since,
            ..Filter::default()
        };
        stage.sim.expect(&of_ours, PATIENCE).await.expect("the other side is told");
    }
}
