//! Every kind that can be sent comes back as it was; every kind that can only be received is read; nothing panics.

use bytes::Bytes;
use prost::Message as _;
use wa_binary::Jid;
use wa_media::{MediaKey, MediaKind};
use wa_proto::common::MessageKey;
use wa_proto::e2e_message::message::protocol_message::Type;
use wa_proto::e2e_message::message::{self as wire, FutureProofMessage, ProtocolMessage};
use wa_proto::e2e_message::{ContextInfo, Message, MessageContextInfo, hydrated_template_button as template};

use super::*;
use crate::envelope::{StanzaType, classify};
use crate::secrets::{KnownAs, MessageSecret, open_any, poll_option_hash};
use crate::testing::rng;

static ADA: Jid = Jid::pn(15_550_100_001);
static ME: Jid = Jid::pn(15_550_100_002);
static GROUP: &str = "120363000000000001@g.us";

fn media(kind: MediaKind) -> Media {
    let mut media = Media::new(kind);
    media.direct_path = Some("/v/t62.7118-24/1?ccb=11-4&oh=1".into());
    media.key = MediaKey::from_slice(&[7; 32]).ok();
    media.key_timestamp = Some(1_700_000_000);
    (media.sha256, media.enc_sha256) = (Some([1; 32]), Some([2; 32]));
    media.size = Some(1234);
    media.mime = Some("application/x".into());
    media
}

fn target() -> Target {
    Target::new("3EB0AA", GROUP.parse().unwrap(), Some(ADA.clone()), false)
}

/// Every kind that can be sent as it is, with the type and the media type of its stanza.
fn sendable() -> Vec<(Content, StanzaType, Option<&'static str>)> {
    use StanzaType as S;

    let styled = Text {
        style: Some(TextStyle { background: Some(0xFF00_1122), color: Some(u32::MAX), font: Font::Exo2 }),
        ..Text::new("status")
    };
    let mut preview =
        LinkPreview { link: "https://example.org".into(), is_video: true, ..LinkPreview::default() };
    (preview.title, preview.thumbnail) = (Some("Title".into()), Some(Bytes::from_static(b"jpeg")));
    let mut picture = media(MediaKind::LinkThumbnail);
    (picture.size, picture.mime) = (None, None);
    (preview.picture, preview.dimensions) = (Some(picture), Some(Dimensions::new(192, 100)));
    let linked = Text { preview: Some(preview), ..Text::new("see https://example.org") };

    let mut image = Image::new(media(MediaKind::Image));
    (image.caption, image.dimensions) = (Some("caption".into()), Some(Dimensions::new(640, 480)));
    image.preview = Some(Bytes::from_static(b"jpeg"));
    image.thumbnail = Some(Thumbnail::new("/thumb", [3; 32], [4; 32]));
    let video = |kind, media_kind| {
        let mut video = Video::new(media(media_kind), kind);
        (video.seconds, video.sidecar) = (Some(12), Some(Bytes::from_static(b"sidecar")));
        Content::Video(video)
    };
    let mut note = VoiceNote::new(media(MediaKind::VoiceNote));
    (note.waveform, note.background) = (Some(Bytes::from_static(&[50; 64])), Some(0xFF11_2233));
    let mut document = Document::new(media(MediaKind::Document));
    (document.file_name, document.pages) = (Some("a.pdf".into()), Some(3));
    let captioned = Document { caption: Some("read this".into()), ..document.clone() };
    let sticker = |motion| Content::Sticker(Sticker { motion, ..Sticker::new(media(MediaKind::Sticker)) });
    let animated = Motion::Animated { first_frame: Some(9), sidecar: Some(Bytes::from_static(b"s")) };
    let poll = |poll: Poll| (Content::Poll(poll), S::Poll, None);
    let live = LiveLocation { sequence: Some(7), speed: Some(1.5), ..LiveLocation::default() };
    let mut event = Event::new("Party", 1_800_000_000).description("all night").ends_at(1_800_003_600);
    (event.location, event.reminder) = (Some(Location::new(1.0, 2.0)), Some(3600));
    let reply = |to| Content::ButtonReply(ButtonReply::new("id", Some("Yes".into()), to));
    let edit = |content| Content::Edit(Edit::new(target(), content, Some(5)));
    let pin = |state| Content::Pin(Pin::new(target(), state, Some(5)));
    let invite = GroupInvite::new(GROUP.parse().unwrap(), "CODE").name("Friends").expires_at(9);
    vec![
        (Content::Text(Text::new("hi")), S::Text, None),
        (Content::Text(styled), S::Text, None),
        (Content::Text(linked), S::Media, Some("url")),
        (Content::Image(image), S::Media, Some("image")),
        (video(VideoKind::Video, MediaKind::Video), S::Media, Some("video")),
        (video(VideoKind::Gif, MediaKind::Gif), S::Media, Some("gif")),
        (video(VideoKind::Round, MediaKind::VideoNote), S::Media, Some("ptv")),
        (Content::Audio(Audio::new(media(MediaKind::Audio))), S::Media, Some("audio")),
        (Content::VoiceNote(note), S::Media, Some("ptt")),
        (Content::Document(document), S::Media, Some("document")),
        (Content::Document(captioned), S::Media, Some("document")),
        (sticker(Motion::Still), S::Media, Some("sticker")),
        (sticker(animated), S::Media, Some("sticker")),
        (sticker(Motion::Vector), S::Media, Some("sticker")),
        (Content::Album(Album::new(2, 1)), S::Text, None),
        (Content::Location(Location::new(52.5, 13.4).name("Berlin")), S::Media, Some("location")),
        (Content::LiveLocation(live), S::Media, Some("livelocation")),
        (Content::Reaction(Reaction::new(target(), "👍", Some(5))), S::Reaction, None),
        (Content::Reaction(Reaction::new(target(), "", Some(5))), S::Reaction, None),
        (edit(Content::Text(Text::new("new"))), S::Text, None),
        (edit(Content::Image(Image::new(media(MediaKind::Image)))), S::Text, None),
        (Content::Revoke(Revoke::new(target())), S::Text, None),
        poll(Poll::new("?", ["a", "b", "c"])),
        poll(Poll::new("?", ["a", "b", "c"]).single_choice()),
        poll(Poll::new("?", ["a", "b", "c"]).at_most(2).ends_at(9)),
        poll(Poll::new("?", ["a", "b"]).hide_voters()),
        poll(Poll::new("?", ["a", "b"]).quiz("b")),
        (Content::Event(event), S::Event, None),
        (pin(PinState::Pinned(86_400)), S::Text, None),
        (pin(PinState::Unpinned), S::Text, None),
        (Content::Keep(Keep::new(target(), KeepState::Kept, Some(5))), S::Text, None),
        (Content::Keep(Keep::new(target(), KeepState::Undone, Some(5))), S::Text, None),
        (Content::Disappearing(DisappearingSetting::new(604_800, Some(5))), S::Text, None),
        (Content::GroupInvite(invite), S::Media, Some("url")),
        (reply(ReplyTo::Buttons), S::Media, Some("buttons_response")),
        (reply(ReplyTo::List), S::Media, Some("list_response")),
        (reply(ReplyTo::Template(2)), S::Text, None),
        (reply(ReplyTo::Flow("{}".into())), S::Media, Some("native_flow_response")),
        (Content::Protocol(Protocol::RequestPhoneNumber), S::Text, None),
        (Content::Protocol(Protocol::SharePhoneNumber), S::Text, None),
        (Content::Protocol(Protocol::MemberLabel(MemberLabel::new("boss", Some(5)))), S::Text, None),
        (Content::Protocol(Protocol::LimitSharing(LimitSharing { on: true, at_ms: Some(5) })), S::Text, None),
    ]
}

#[test]
fn what_is_sent_is_read_as_it_was() {
    for (content, stanza_type, media_type) in sendable() {
        content.check(&Limits::default()).unwrap_or_else(|error| panic!("{content:?}: {error}"));
        let bytes = content.to_message().unwrap().encode_to_vec();
        let message = Message::decode(&*bytes).unwrap();
        assert_eq!(Parsed::read(&message).content, content);
        let classified = classify(&message).unwrap();
        assert_eq!((classified.stanza_type, classified.media_type), (stanza_type, media_type), "{content:?}");
        assert!(!classified.is_dropped());
    }
}

#[test]
fn a_card_names_its_whatsapp_accounts_and_survives_odd_characters() {
    let contact = Contact::new("Ada; Love\\lace, Countess").phone("+1 555 0100").plain_phone("+1 555 0101");
    let contact = contact.organization("Engines, Inc.");
    let card = contact.to_vcard();
    assert!(card.contains("\nTEL;type=CELL;type=VOICE;waid=15550100:+1 555 0100\n"), "{card}");
    assert!(card.contains("\nTEL;type=CELL;type=VOICE:+1 555 0101\n"), "{card}");
    let read = Contact::from_vcard(None, &card);
    assert_eq!(Contact { vcard: None, ..read }, contact);
    let cards = Contacts { cards: vec![contact.clone(), Contact::new("Bob")], title: None };
    let message = Content::Contacts(cards).to_message().unwrap();
    let Content::Contacts(read) = Parsed::read(&message).content else { panic!() };
    assert_eq!((read.title.as_deref(), read.cards.len()), (Some("2 contacts"), 2));
    assert_eq!(read.cards[0].phones, contact.phones);
    let folded = "BEGIN:VCARD\r\nFN:Ada\r\nitem1.TEL;waid=15550\r\n 100:+1\r\nEND:VCARD";
    assert_eq!(Contact::from_vcard(Some(""), folded).phones[0].wa_id.as_deref(), Some("15550100"));
}

#[test]
fn what_accompanies_content_is_read_as_it_was() {
    let quoted = Message { conversation: Some("first".into()), ..Message::default() }.encode_to_vec();
    let context = Context {
        reply_to: Some(Quoted::new("3EB0", Some(ADA.clone()), Some(quoted.into()))),
        mentions: vec![ADA.clone()],
        mentions_everyone: true,
        group_mentions: vec![GroupMention { group: GROUP.parse().unwrap(), subject: Some("Friends".into()) }],
        forwarded: Forwarded::Times(3),
        channel: None,
        disappearing: Some(Disappearing::after(86_400, Some(1_700_000_000))),
    };
    let limits = Limits::default();
    for (content, ..) in sendable() {
        let composed = content.compose(&context, Viewing::Normal, None, &limits);
        let has_place = !matches!(
            content,
            Content::Reaction(_)
                | Content::Edit(_)
                | Content::Revoke(_)
                | Content::Pin(_)
                | Content::Keep(_)
                | Content::Disappearing(_)
                | Content::Protocol(
                    Protocol::SharePhoneNumber | Protocol::MemberLabel(_) | Protocol::LimitSharing(_)
                )
        );
        match composed {
            Ok(message) => {
                let parsed = Parsed::read(&message);
                assert_eq!((parsed.context, parsed.content), (context.clone(), content));
            }
            Err(error) => assert!(!has_place && error == Unsendable::NoContext, "{content:?}: {error}"),
        }
    }
    let Some(Content::Text(said)) = context.reply_to.unwrap().content() else { panic!() };
    assert_eq!(said.body, "first");
}

#[test]
fn looking_once_and_albums_stand_inside_the_message() {
    let (context, limits) = (Context::default(), Limits::default());
    let image = Content::Image(Image::new(media(MediaKind::Image)));
    let message = image.compose(&context, Viewing::Once, Some(&target()), &limits).unwrap();
    let parsed = Parsed::read(&message);
    assert_eq!((parsed.viewing, parsed.album), (Viewing::Once, Some(target())));
    assert!(classify(&message).unwrap().meta.view_once);
    let text = Content::Text(Text::new("hi")).compose(&context, Viewing::Once, None, &limits);
    assert_eq!(text, Err(Unsendable::NotViewOnce));
    let wrapper = FutureProofMessage { message: Some(Box::new(image.to_message().unwrap())) };
    let old = Message { view_once_message_v2: Some(Box::new(wrapper)), ..Message::default() };
    assert_eq!(Parsed::read(&old).viewing, Viewing::Once);
}

#[test]
fn what_would_be_refused_is_said_before() {
    let limits = Limits::default();
    let poll = |options: &[&str]| Content::Poll(Poll::new("?", options.iter().copied()));
    let many: Vec<String> = (0..13).map(|number| number.to_string()).collect();
    let mut no_hash = media(MediaKind::Image);
    no_hash.enc_sha256 = None;
    let count = |part, is, least, most| Unsendable::Count { part, is, least, most };
    let cases = [
        (Content::Text(Text::new(" \n")), Unsendable::Empty(Part::Text)),
        (
            Content::Text(Text::new("é".repeat(4097))),
            Unsendable::TooLong { part: Part::Text, is: 4097, most: 4096 },
        ),
        (Content::Image(Image::new(no_hash)), Unsendable::NotUploaded),
        (Content::Audio(Audio::new(Media::new(MediaKind::Audio))), Unsendable::NotUploaded),
        (poll(&["a"]), count(Part::PollOptions, 1, 2, 12)),
        (Content::Poll(Poll::new("?", many)), count(Part::PollOptions, 13, 2, 12)),
        (poll(&["a", "b", "a"]), Unsendable::Duplicate("a".into())),
        (poll(&["a", " "]), Unsendable::Empty(Part::PollOption)),
        (Content::Poll(Poll::new("", ["a", "b"])), Unsendable::Empty(Part::Question)),
        (Content::Poll(Poll::new("?", ["a", "b"]).at_most(3)), Unsendable::Choices(3)),
        (Content::Poll(Poll::new("?", ["a", "b"]).quiz("c")), Unsendable::Answer("c".into())),
        (Content::Event(Event::new("", 1)), Unsendable::Empty(Part::EventName)),
        (Content::Event(Event::new("x", 5).ends_at(4)), Unsendable::Ends),
        (Content::Location(Location::new(91.0, 0.0)), Unsendable::Coordinates),
        (Content::Location(Location::new(f64::NAN, 0.0)), Unsendable::Coordinates),
        (Content::Album(Album::new(1, 0)), count(Part::Album, 1, 2, 30)),
        (Content::Album(Album::new(u32::MAX, 2)), count(Part::Album, u32::MAX as usize, 2, 30)),
        (Content::Contact(Contact::new("")), Unsendable::Empty(Part::ContactName)),
        (Content::Pin(Pin::new(target(), PinState::Pinned(1), None)), Unsendable::Duration(1)),
        (Content::Disappearing(DisappearingSetting::new(5, None)), Unsendable::Duration(5)),
        (Content::Reaction(Reaction::new(Target::default(), "x", None)), Unsendable::Empty(Part::TargetId)),
        (
            Content::Edit(Edit::new(target(), Content::Text(Text::new("")), None)),
            Unsendable::Empty(Part::Text),
        ),
    ];
    for (content, refused) in cases {
        assert_eq!(content.check(&limits), Err(refused), "{content:?}");
    }
    assert_eq!(Content::Text(Text::new("é".repeat(4096))).check(&limits), Ok(()));
}

#[test]
fn a_reference_is_understood_from_here() {
    let group: Jid = GROUP.parse().unwrap();
    let key = |from_me, participant: Option<&Jid>| MessageKey {
        remote_jid: Some("somewhere@g.us".into()),
        from_me: Some(from_me),
        id: Some("1".into()),
        participant: participant.map(ToString::to_string),
    };
    // (chat, sender, key) → author, whether it is mine
    let cases = [
        (&ADA, &ADA, key(true, None), &ADA, false),
        (&ADA, &ADA, key(false, None), &ME, true),
        (&ADA, &ME, key(true, None), &ME, true),
        (&ADA, &ME, key(false, None), &ADA, false),
        (&group, &ADA, key(true, None), &ADA, false),
        (&group, &ADA, key(false, Some(&ME)), &ME, true),
        (&group, &ME, key(false, Some(&ADA)), &ADA, false),
    ];
    for (chat, sender, key, author, mine) in cases {
        let mut target = Target::of(Some(&key));
        target.seen_from(Viewpoint { chat, sender, me: &ME, also_me: None });
        assert_eq!(target, Target::new("1", chat.clone(), Some(author.clone()), mine), "{chat} {sender}");
    }
}

#[test]
fn add_ons_open_to_what_was_sealed() {
    let mut rng = rng(5);
    let secret = MessageSecret::random(&mut rng);
    let vote = PollVote::new(target(), ["a", "c"], Some(9));
    let add_ons = [
        Content::PollVote(vote.clone()),
        Content::PollVote(PollVote::new(target(), [""; 0], Some(10))),
        Content::EventResponse(EventResponse::new(target(), Answer::Maybe, Some(9))),
        Content::Reaction(Reaction::new(target(), "👍", Some(9))),
        Content::Comment(Comment::new(target(), Content::Text(Text::new("well")))),
        Content::Edit(Edit::new(target(), Content::Text(Text::new("new")), None)),
        Content::Edit(Edit::new(target(), Content::Event(Event::new("Party", 9)), None)),
        Content::Edit(Edit::new(target(), Content::Poll(Poll::new("?", ["a", "b"])), None)),
    ];
    for mut add_on in add_ons {
        let sealed = add_on.seal(&secret, &ADA, &ME, &mut rng).unwrap().unwrap();
        let message = Content::Sealed(sealed).to_message().unwrap();
        let Content::Sealed(read) = Parsed::read(&message).content else { panic!("{message:?}") };
        let (parent, modifier) = (KnownAs::only(&ADA), KnownAs::only(&ME));
        let use_case = read.kind.use_case().unwrap();
        let open = |parent| {
            open_any(&secret, use_case, &read.target.id, parent, modifier, (&read.iv, &read.payload))
        };
        let opened = read.content(&open(parent).unwrap()).unwrap();
        if let Content::PollVote(vote) = &mut add_on {
            vote.name_options(&[]);
        }
        assert_eq!(opened, add_on);
        assert!(open(KnownAs::only(&ME)).is_err(), "another author's secret opens it");
    }
    let text = Content::Text(Text::new("no add-on"));
    assert_eq!(text.seal(&secret, &ADA, &ME, &mut rng), Ok(None));
}

#[test]
fn the_newest_vote_of_each_voter_counts() {
    let hash = poll_option_hash;
    let mut tally = Tally::new(["a".to_owned(), "b".to_owned()]);
    assert!(tally.vote(&ADA, 5, [hash("a")]));
    assert!(!tally.vote(&ADA, 4, [hash("b")]), "an older vote replaces nothing");
    assert!(tally.vote(&ADA, 5, [hash("b")]), "of two at the same time the later counts");
    assert!(tally.vote(&ME, 1, [hash("a"), hash("b"), hash("zzz")]));
    let lines: Vec<(Option<String>, usize)> =
        tally.lines().into_iter().map(|line| (line.option, line.voters.len())).collect();
    assert_eq!(lines, [(Some("a".into()), 1), (Some("b".into()), 2), (None, 1)]);
    assert!(tally.vote(&ME, 6, []));
    assert_eq!(tally.voters(), 1);
    tally.add_option("c".into());
    assert_eq!(tally.lines().len(), 3);
}

#[test]
fn forwarding_counts_and_keeps_the_file() {
    let secret = MessageContextInfo { message_secret: Some(vec![1; 32].into()), ..Default::default() };
    let reply = Quoted::new("1", None, None);
    let context = Context { reply_to: Some(reply), ..Context::default() };
    let image = Content::Image(Image::new(media(MediaKind::Image)));
    let mut message = image.compose(&context, Viewing::Normal, None, &Limits::default()).unwrap();
    message.message_context_info = Some(Box::new(secret));
    let mut scores = Vec::new();
    for _ in 0..6 {
        message = forwarded(&message);
        let parsed = Parsed::read(&message);
        assert_eq!((&parsed.content, parsed.context.reply_to), (&image, None));
        scores.push(parsed.context.forwarded);
    }
    assert_eq!(message.message_context_info, None);
    let times = Forwarded::Times;
    assert_eq!(scores, [times(1), times(2), times(3), times(4), Forwarded::Often, Forwarded::Often]);
}

#[test]
fn a_file_with_a_broken_key_or_hash_cannot_be_had() {
    let path = Some("/v/1".to_owned());
    let with = |key: usize, hash: usize| wire::ImageMessage {
        direct_path: path.clone(),
        media_key: Some(vec![1; key].into()),
        file_sha256: Some(vec![1; hash].into()),
        file_enc_sha256: Some(vec![1; 32].into()),
        ..wire::ImageMessage::default()
    };
    for (key, hash, there) in [(32, 32, true), (31, 32, false), (32, 33, false)] {
        let image = Image::from(&with(key, hash));
        assert_eq!(image.media.direct_path.is_some(), there, "{key} {hash}");
    }
    assert!(format!("{:?}", Image::from(&with(32, 32))).contains("[redacted]"));
}

#[test]
fn what_is_only_received_is_read() {
    let button =
        template::HydratedQuickReplyButton { display_text: Some("Yes".into()), id: Some("y".into()) };
    let hydrated = wire::template_message::HydratedFourRowTemplate {
        hydrated_content_text: Some("Well?".into()),
        hydrated_buttons: vec![wa_proto::e2e_message::HydratedTemplateButton {
            hydrated_button: Some(template::HydratedButton::QuickReplyButton(Box::new(button))),
            index: None,
        }],
        ..Default::default()
    };
    let template =
        wire::TemplateMessage { hydrated_template: Some(Box::new(hydrated)), ..Default::default() };
    let message = Message { template_message: Some(Box::new(template)), ..Message::default() };
    let Content::Template(read) = Parsed::read(&message).content else { panic!() };
    assert_eq!((read.text.as_str(), read.buttons[0].text.as_str()), ("Well?", "Yes"));
    assert_eq!(read.buttons[0].action, ButtonAction::Reply("y".into()));

    let row =
        wire::list_message::Row { row_id: Some("r".into()), title: Some("Row".into()), description: None };
    let section = wire::list_message::Section { title: None, rows: vec![row] };
    let list = wire::ListMessage { sections: vec![section], ..Default::default() };
    let message = Message { list_message: Some(Box::new(list)), ..Message::default() };
    let Content::List(read) = Parsed::read(&message).content else { panic!() };
    assert_eq!(read.sections[0].rows[0].id, "r");

    let log = wire::CallLogMessage {
        is_video: Some(true),
        call_outcome: Some(wire::call_log_message::CallOutcome::Missed.into()),
        duration_secs: Some(-1),
        ..Default::default()
    };
    let message = Message { call_log_messsage: Some(Box::new(log)), ..Message::default() };
    let Content::CallLog(read) = Parsed::read(&message).content else { panic!() };
    assert_eq!((read.is_video, read.outcome, read.seconds), (true, CallOutcome::Missed, None));

    let context = ContextInfo { is_forwarded: Some(true), forwarding_score: Some(127), ..Default::default() };
    let order = wire::OrderMessage {
        order_id: Some("o".into()),
        item_count: Some(-3),
        context_info: Some(Box::new(context)),
        ..Default::default()
    };
    let message = Message { order_message: Some(Box::new(order)), ..Message::default() };
    let parsed = Parsed::read(&message);
    let Content::Order(read) = parsed.content else { panic!() };
    assert_eq!((read.items, parsed.context.forwarded), (0, Forwarded::Often));
}

#[test]
fn every_kind_is_read_from_nothing_and_unknown_ones_stay_raw() {
    // An empty field of every number: tag with wire type 2, length 0.
    for number in 1_u32..=140 {
        let mut bytes = Vec::new();
        prost::encoding::encode_key(number, prost::encoding::WireType::LengthDelimited, &mut bytes);
        bytes.push(0);
        let message = Message::decode(&*bytes).unwrap();
        let parsed = Parsed::read(&message);
        // Reading it again from what was written must not lose the kind.
        if let Ok(again) = parsed.content.to_message() {
            assert!(crate::envelope::ContentKind::of(&again).is_some(), "field {number}");
        }
    }
    let song = Message { music_message: Some(Box::default()), ..Message::default() };
    assert_eq!(Parsed::read(&song).content, Content::Other(Some("musicMessage")));
    let protocol = ProtocolMessage { r#type: Some(12), ..ProtocolMessage::default() };
    let message = Message { protocol_message: Some(Box::new(protocol)), ..Message::default() };
    assert_eq!(Parsed::read(&message).content, Content::Protocol(Protocol::Other(12)));
    let bare = ProtocolMessage { r#type: Some(Type::MessageEdit.into()), ..ProtocolMessage::default() };
    let message = Message { protocol_message: Some(Box::new(bare)), ..Message::default() };
    assert!(
        matches!(Parsed::read(&message).content, Content::Edit(edit) if *edit.content == Content::Other(None))
    );
}
