//! Every kind that can be sent, both ways; reactions, edits, revokes, replies and forwards.

use wa_client::messages::builder::{DisappearAfter, Message, PinFor, Unsendable};
use wa_client::messages::content::{
    Album, Contact, Content, Event, Forwarded, GroupInvite, Location, Media, MediaKey, MediaKind, Poll,
    Target, Viewing,
};
use wa_client::messages::sending::{Refusal, SendError, SendReport};
use wa_sim::phone::{Action, MessageRef};

use super::*;

fn media(kind: MediaKind) -> Media {
    let mut media = Media::new(kind);
    media.direct_path = Some("/v/t62.7118-24/1?ccb=11-4&oh=1".into());
    media.key = MediaKey::from_slice(&[7; 32]).ok();
    (media.sha256, media.enc_sha256) = (Some([1; 32]), Some([2; 32]));
    (media.size, media.mime) = (Some(1234), Some("application/x".into()));
    media
}

/// A message of every kind that stands alone.
fn said() -> Vec<Message> {
    vec![
        Message::image(media(MediaKind::Image)).caption("an image"),
        Message::image(media(MediaKind::Image)).view_once(),
        Message::video(media(MediaKind::Video)).caption("a video"),
        Message::gif(media(MediaKind::Gif)),
        Message::round_video(media(MediaKind::VideoNote)),
        Message::audio(media(MediaKind::Audio)),
        Message::voice_note(media(MediaKind::VoiceNote)),
        Message::document(media(MediaKind::Document)).file_name("a.pdf"),
        Message::document(media(MediaKind::Document)).file_name("b.pdf").caption("read this"),
        Message::sticker(media(MediaKind::Sticker)),
        Message::content(Content::Album(Album::new(1, 1))),
        Message::contacts([Contact::new("Ada").phone("+1 555 0101"), Contact::new("Bob")]),
        Message::location(Location::new(52.5, 13.4).name("Berlin")),
        Message::poll(Poll::new("Lunch?", ["Pizza", "Soup"]).single_choice()),
        Message::event(Event::new("Party", 2_000_100_000)),
        Message::group_invite(GroupInvite::new("120363000000000001@g.us".parse().unwrap(), "CODE")),
        Message::disappearing(DisappearAfter::Week),
        Message::text("mentions all").mention_everyone().disappears(DisappearAfter::Day, None),
    ]
}

#[tokio::test(start_paused = true)]
async fn every_kind_arrives_at_a_person_and_in_a_group() {
    let stage = stage(71).await;
    let (client, _events) = stage.linked().await;
    let group = client.groups().joined().await.expect("the groups")[0].jid.clone();
    for to in [ada(), group] {
        for message in said() {
            let report = client.messages().send(&to, message.clone()).await.expect("it is taken").await;
            assert!(matches!(report, SendReport::Accepted(_)), "{message:?}: {report:?}");
        }
    }
    ada_gets(&stage, "the last message", |received, parsed| {
        received.chat.is_group() && parsed.context.mentions_everyone
    })
    .await;
    let inbox = stage.sim.inbox(ADA);
    // A setting of the chat is nothing that a phone shows as a message.
    assert_eq!(inbox.len(), 2 * (said().len() - 1), "{inbox:#?}");
    let once = inbox.iter().filter(|received| parsed(&received.message).viewing == Viewing::Once);
    assert_eq!(once.count(), 2);
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn every_kind_is_received_with_its_type() {
    let stage = stage(72).await;
    let (_client, mut events) = stage.linked().await;
    let contents = [
        Content::Image(wa_client::messages::content::Image::new(media(MediaKind::Image))),
        Content::Document(wa_client::messages::content::Document::new(media(MediaKind::Document))),
        Content::Contact(Contact::new("Ada").phone("+1 555 0101")),
        Content::Location(Location::new(1.0, 2.0)),
        Content::Poll(Poll::new("Lunch?", ["Pizza", "Soup"])),
        Content::Event(Event::new("Party", 2_000_100_000)),
    ];
    for content in contents {
        ada_says(&stage, &bot(), &content);
        let kind = std::mem::discriminant(&content);
        let what = format!("{content:?}");
        let (_, got) =
            message(&mut events, &what, |message| std::mem::discriminant(&message.content) == kind).await;
        if let Content::Contact(card) = &got.content {
            assert_eq!(card.phones[0].wa_id.as_deref(), Some("15550101"));
        } else {
            assert_eq!(got.content, content);
        }
        assert!(!got.original.is_empty());
    }
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn a_person_reacts_edits_and_deletes_and_it_is_named_from_here() {
    let stage = stage(73).await;
    let (client, mut events) = stage.linked().await;
    stage.sim.act(ADA, Action::Text { chat: bot(), text: "firts".into(), quote: None }).unwrap();
    let first = text(&mut events, "firts").await;
    let sent = client.messages().send(&first, "hello").await.unwrap();
    let ours = Target::from(&sent);
    assert!(matches!(sent.await, SendReport::Accepted(_)));
    let (hello, _) = ada_gets(&stage, "hello", |_, parsed| parsed.content.text() == Some("hello")).await;

    let theirs =
        MessageRef { chat: hello.chat.clone(), sender: ada(), id: first.id.to_string(), from_me: true };
    let answered =
        MessageRef { chat: hello.chat.clone(), sender: hello.sender.clone(), id: hello.id, from_me: false };
    stage.sim.act(ADA, Action::React { target: answered, emoji: "👍".into() }).unwrap();
    stage.sim.act(ADA, Action::Edit { target: theirs.clone(), text: "first".into() }).unwrap();
    stage.sim.act(ADA, Action::Revoke { target: theirs }).unwrap();

    let is = |content: &Content, id: &str, mine: bool| {
        content.target().is_some_and(|target| target.id == id && target.from_me == mine)
    };
    let (_, reaction) = message(
        &mut events,
        "a reaction",
        |message| matches!(&message.content, Content::Reaction(it) if it.emoji.as_deref() == Some("👍")),
    )
    .await;
    assert!(is(&reaction.content, &ours.id, true), "{reaction:?}");
    let (_, edit) =
        message(&mut events, "an edit", |message| matches!(message.content, Content::Edit(_))).await;
    assert!(is(&edit.content, &first.id, false), "{edit:?}");
    assert_eq!((edit.content.text(), edit.text()), (Some("first"), None));
    let (_, revoke) =
        message(&mut events, "a revoke", |message| matches!(message.content, Content::Revoke(_))).await;
    assert!(is(&revoke.content, &first.id, false), "{revoke:?}");
    assert_eq!(revoke.content.target().unwrap().author.as_ref(), first.sender.jid());
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn we_react_edit_delete_pin_reply_and_forward() {
    let stage = stage(74).await;
    let (client, mut events) = stage.linked().await;
    let messages = client.messages();
    stage.sim.act(ADA, Action::Text { chat: bot(), text: "question".into(), quote: None }).unwrap();
    let question = text(&mut events, "question").await;
    let sent = messages.send(&question, Message::text("answr").reply_to(&question)).await.unwrap();
    let ours = Target::from(&sent);
    let (_, reply) = ada_gets(&stage, "a reply", |_, parsed| parsed.content.text() == Some("answr")).await;
    let quoted = reply.context.reply_to.expect("it quotes");
    assert_eq!(quoted.id, question.id.as_str());
    assert_eq!(quoted.content().unwrap().text(), Some("question"));

    messages.react(&question, "👍").await.unwrap();
    messages.edit(ours.clone(), "answer").await.unwrap();
    messages.send(&question, Message::pin(&question, PinFor::Week)).await.unwrap();
    messages.send(&question, Message::forward(&question)).await.unwrap();
    let last = messages.revoke(ours.clone()).await.unwrap();
    assert!(matches!(last.await, SendReport::Accepted(_)));

    use wa_sim::phone::Kind as Seen;
    let seen = |what: &'static str, fits: fn(&Seen) -> Option<&String>, id: String| {
        let stage = &stage;
        async move { ada_gets(stage, what, move |received, _| fits(&received.kind) == Some(&id)).await }
    };
    let reaction: fn(&Seen) -> Option<&String> =
        |kind| if let Seen::Reaction { target, .. } = kind { Some(target) } else { None };
    seen("a reaction", reaction, question.id.to_string()).await;
    let edit: fn(&Seen) -> Option<&String> =
        |kind| if let Seen::Edit { target, .. } = kind { Some(target) } else { None };
    seen("an edit", edit, ours.id.clone()).await;
    let revoke: fn(&Seen) -> Option<&String> =
        |kind| if let Seen::Revoke { target } = kind { Some(target) } else { None };
    seen("a revoke", revoke, ours.id.clone()).await;
    let (_, pin) = ada_gets(&stage, "a pin", |_, parsed| matches!(parsed.content, Content::Pin(_))).await;
    let Content::Pin(pin) = pin.content else { unreachable!("only pins fit") };
    assert_eq!(pin.state, wa_client::messages::content::PinState::Pinned(604_800));
    let forwarded = |_: &Received, parsed: &Parsed| parsed.context.forwarded == Forwarded::Times(1);
    let (_, forwarded) = ada_gets(&stage, "a forward", forwarded).await;
    assert_eq!(forwarded.content.text(), Some("question"));
    stage.assert_clean();
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_is_refused_before_it_is_stored() {
    let stage = stage(75).await;
    let (client, _events) = stage.linked().await;
    let twice = Message::poll(Poll::new("?", ["a", "a"]));
    let refused = client.messages().send(&ada(), twice).await.unwrap_err();
    assert!(matches!(refused, SendError::Unsendable(Unsendable::Duplicate(option)) if option == "a"));
    let unknown = Target::new("3EB0UNKNOWN", ada(), Some(ada()), false);
    let refused = client.messages().send(&ada(), Message::vote(unknown, ["a"])).await.unwrap_err();
    assert!(matches!(refused, SendError::Unsendable(Unsendable::NoSecret)), "{refused:?}");
    let channel = "120363000000000009@newsletter".parse::<wa_client::Jid>().unwrap();
    let refused = client.messages().send(&channel, "hi").await.unwrap_err();
    assert!(matches!(refused, SendError::Unsendable(Unsendable::Address)));
    // Whether somebody exists the server alone knows: it is asked, and no message leaves.
    let nobody = client.messages().send(&wa_client::Jid::pn(15_550_199), "hi").await.unwrap();
    let id = nobody.id.to_string();
    assert_eq!(nobody.await, SendReport::Refused(Refusal::BadAddress));
    let left = wa_sim::trace::Filter { id: Some(id), ..wa_sim::trace::Filter::default() };
    assert!(stage.sim.trace(&left).is_empty());
    assert!(stage.sim.inbox(ADA).is_empty());
}
