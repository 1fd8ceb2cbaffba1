//! What a message says, in the words that all drivers share (`docs/interop.md`): `shown` for what our client decrypted,
//! `composed` for what its builder makes of a command. Everything goes through the typed `Content`, nothing through
//! the protobuf messages.

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};
use wa_client::Jid;
use wa_client::identity::Peer;
use wa_client::messages::builder::{DisappearAfter, Message, PinFor};
use wa_client::messages::content::{
    Album, Answer, Button, ButtonAction, ButtonReply, Choice, Contact, Context, Event, Font, Forwarded,
    GroupInvite, Image, KeepState, LimitSharing, LinkPreview, LiveLocation, Location, Media, PackedSticker,
    PinState, Poll, PollKind, Protocol, ReplyTo, StickerPack, Target, VideoKind, Viewing,
};
use wa_client::messages::types::{Content, ReceivedMessage};

/// Fonts of a status by their number on the wire.
const FONTS: [(u64, Font); 8] = [
    (0, Font::System),
    (1, Font::SystemText),
    (2, Font::Script),
    (6, Font::Bold),
    (7, Font::MorningBreeze),
    (8, Font::Calistoga),
    (9, Font::Exo2),
    (10, Font::CourierPrime),
];

/// What messages refer to: those that were received, and names of those that were sent.
pub(crate) trait Known {
    /// A message that was received.
    ///
    /// # Errors
    /// There was none with this id.
    fn received(&self, id: &str) -> Result<ReceivedMessage>;

    /// The name of any message.
    ///
    /// # Errors
    /// There was none with this id.
    fn target(&self, id: &str) -> Result<Target>;
}

fn text<'v>(it: &'v Value, key: &str) -> Result<&'v str> {
    it[key].as_str().with_context(|| format!("no {key}"))
}

fn number(it: &Value, key: &str) -> Result<u64> {
    it[key].as_u64().with_context(|| format!("no {key}"))
}

fn texts(it: &Value, key: &str) -> Vec<String> {
    it[key].as_array().into_iter().flatten().filter_map(|one| one.as_str().map(ToOwned::to_owned)).collect()
}

/// A message with a file: what it is and what the message says beside it is found in the file, unless it is given.
fn with_file(kind: &str, it: &Value) -> Result<Message> {
    let path = text(it, "path")?;
    let mut message = match kind {
        "image" => Message::image(path),
        "video" => Message::video(path),
        "gif" => Message::gif(path),
        "round-video" => Message::round_video(path),
        "audio" => Message::audio(path),
        "voice-note" => Message::voice_note(path),
        "document" => Message::document(path),
        "sticker" => Message::sticker(path),
        other => bail!("unknown kind {other:?}"),
    };
    if let Some(caption) = it["text"].as_str() {
        message = message.caption(caption);
    }
    if let Some(name) = it["file_name"].as_str() {
        message = message.file_name(name);
    }
    if let Some(seconds) = it["seconds"].as_u64() {
        message = message.seconds(u32::try_from(seconds)?);
    }
    if let Some(bars) = it["waveform"].as_str() {
        message = message.waveform(hex::decode(bars)?);
    }
    Ok(message)
}

/// The message that a command describes; `uploaded` is the file of an edit or a pack.
pub(crate) fn composed(
    kind: &str,
    it: &Value,
    uploaded: Option<Media>,
    known: &impl Known,
) -> Result<Message> {
    let target = || known.target(text(it, "target")?);
    let place = || -> Result<(f64, f64)> {
        Ok((
            it["latitude"].as_f64().context("no latitude")?,
            it["longitude"].as_f64().context("no longitude")?,
        ))
    };
    let mut message = match kind {
        "text" => Message::text(text(it, "text")?),
        "forward" => Message::forward(&known.received(text(it, "target")?)?),
        "album" => {
            let count = |key| Ok::<_, anyhow::Error>(u32::try_from(it[key].as_u64().unwrap_or(0))?);
            Message::content(Content::Album(Album::new(count("images")?, count("videos")?)))
        }
        "contact" | "contacts" => {
            let cards = it["cards"].as_array().context("no cards")?.iter();
            let cards = cards.map(|card| Ok(Contact::new(text(card, "name")?).phone(text(card, "number")?)));
            Message::contacts(cards.collect::<Result<Vec<_>>>()?)
        }
        "location" => {
            let (latitude, longitude) = place()?;
            let location = Location::new(latitude, longitude);
            Message::location(location.name(text(it, "name")?).address(text(it, "address")?))
        }
        "live-location" => {
            let mut live = LiveLocation::default();
            (live.latitude, live.longitude) = place()?;
            live.caption = it["text"].as_str().map(ToOwned::to_owned);
            live.accuracy = Some(u32::try_from(number(it, "accuracy")?)?);
            live.sequence = it["sequence"].as_i64();
            Message::content(Content::LiveLocation(live))
        }
        "reaction" => Message::reaction(target()?, text(it, "text")?),
        "sticker-pack" => {
            let media = uploaded.context("no file")?;
            let mut pack = StickerPack::new(media, text(it, "code")?, text(it, "name")?);
            pack.stickers.push(PackedSticker::new("leaf.webp"));
            Message::sticker_pack(pack).caption(text(it, "text")?)
        }
        "edit" => match uploaded {
            Some(mut media) => {
                media.mime = it["mime"].as_str().map(ToOwned::to_owned);
                let mut image = Image::new(media);
                image.caption = it["text"].as_str().map(ToOwned::to_owned);
                Message::edit_content(target()?, Content::Image(image))
            }
            None => Message::edit(target()?, text(it, "text")?),
        },
        "revoke" => Message::revoke(target()?),
        "comment" => Message::comment(target()?, text(it, "text")?),
        "poll" => {
            let poll = Poll::new(text(it, "question")?, texts(it, "options"));
            let poll = if let Some(answer) = it["quiz"].as_str() { poll.quiz(answer) } else { poll };
            Message::poll(match u32::try_from(number(it, "choices")?)? {
                0 => poll,
                1 => poll.single_choice(),
                most => poll.at_most(most),
            })
        }
        "vote" => Message::vote(target()?, texts(it, "chosen")),
        "event" => {
            let event =
                Event::new(text(it, "name")?, number(it, "starts_at")?).description(text(it, "text")?);
            Message::event(event.location(Location::new(0.0, 0.0).name(text(it, "place")?)))
        }
        "event-response" => Message::respond(
            target()?,
            match text(it, "answer")? {
                "going" => Answer::Going,
                "not-going" => Answer::NotGoing,
                _ => Answer::Maybe,
            },
        ),
        "pin" => {
            let period = match number(it, "seconds")? {
                86_400 => PinFor::Day,
                604_800 => PinFor::Week,
                _ => PinFor::Month,
            };
            Message::pin(target()?, period)
        }
        "unpin" => Message::unpin(target()?),
        "keep" => Message::keep(target()?),
        "unkeep" => Message::unkeep(target()?),
        "disappearing" => Message::disappearing(period(number(it, "seconds")?)),
        "group-invite" => {
            let mut invite = GroupInvite::new(text(it, "group")?.parse()?, text(it, "code")?);
            invite.name = it["name"].as_str().map(ToOwned::to_owned);
            invite.caption = it["text"].as_str().map(ToOwned::to_owned);
            invite.expires_at = it["expires_at"].as_u64();
            Message::group_invite(invite)
        }
        "button-reply" | "list-reply" | "template-reply" | "flow-reply" => {
            let to = match kind {
                "button-reply" => ReplyTo::Buttons,
                "list-reply" => ReplyTo::List,
                "flow-reply" => ReplyTo::Flow(text(it, "params")?.to_owned()),
                _ => ReplyTo::Template(u32::try_from(number(it, "index")?)?),
            };
            let reply = ButtonReply::new(text(it, "choice")?, it["text"].as_str().map(ToOwned::to_owned), to);
            Message::content(Content::ButtonReply(reply))
        }
        "limit-sharing" => {
            let mut sharing = LimitSharing::default();
            sharing.on = it["on"] == true;
            Message::content(Content::Protocol(Protocol::LimitSharing(sharing)))
        }
        "phone-number-request" => Message::content(Content::Protocol(Protocol::RequestPhoneNumber)),
        "phone-number" => Message::content(Content::Protocol(Protocol::SharePhoneNumber)),
        other => with_file(other, it)?,
    };
    if let Some(quoted) = it["quote"].as_str() {
        message = message.reply_to(&known.received(quoted)?);
    }
    for jid in texts(it, "mentions") {
        message = message.mention(&Peer::from(&jid.parse::<Jid>()?));
    }
    if it["everyone"] == true {
        message = message.mention_everyone();
    }
    if let Some(seconds) = it["expires"].as_u64() {
        message = message.disappears(period(seconds), None);
    }
    if let Some(link) = it["link"].as_str() {
        let mut preview = LinkPreview::default();
        link.clone_into(&mut preview.link);
        preview.title = it["title"].as_str().map(ToOwned::to_owned);
        preview.description = it["description"].as_str().map(ToOwned::to_owned);
        message = message.preview(preview);
    }
    if let Some(argb) = it["background"].as_u64() {
        message = message.background(u32::try_from(argb)?);
    }
    if let Some(font) = it["font"].as_u64() {
        let (_, font) = FONTS.iter().find(|(number, _)| *number == font).context("unknown font")?;
        message = message.font(*font);
    }
    if it["view_once"] == true {
        message = message.view_once();
    }
    if let Some(head) = it["album"].as_str() {
        message = message.in_album(known.target(head)?);
    }
    Ok(message)
}

const fn period(seconds: u64) -> DisappearAfter {
    match seconds {
        0 => DisappearAfter::Never,
        86_400 => DisappearAfter::Day,
        604_800 => DisappearAfter::Week,
        _ => DisappearAfter::Quarter,
    }
}

/// What is printed of a message.
pub(crate) fn shown(message: &ReceivedMessage) -> Map<String, Value> {
    let mut out = said(&message.content);
    around(&message.context, &mut out);
    if let Some(target) = message.content.target() {
        out["target"] = json!(target.id);
        out["target_mine"] = json!(target.from_me);
    }
    if message.viewing == Viewing::Once {
        out["view_once"] = json!(true);
    }
    if let Some(head) = &message.album {
        out["album"] = json!(head.id);
    }
    if let Some(media) = message.content.media() {
        out["mime"] = json!(media.mime);
    }
    match out {
        Value::Object(out) => out,
        _ => Map::new(),
    }
}

fn around(context: &Context, out: &mut Value) {
    if let Some(quoted) = &context.reply_to {
        out["quoted"] = json!(quoted.id);
    }
    if !context.mentions.is_empty() {
        out["mentions"] = context.mentions.iter().map(ToString::to_string).collect();
    }
    if context.mentions_everyone {
        out["everyone"] = json!(true);
    }
    match context.forwarded {
        Forwarded::Times(score) => out["forwarded"] = json!(score),
        Forwarded::Often => out["forwarded"] = json!("often"),
        _ => {}
    }
    if let Some(disappearing) = &context.disappearing {
        out["expires"] = json!(disappearing.seconds);
    }
}

fn cards<'c>(cards: impl IntoIterator<Item = &'c Contact>) -> Value {
    let number = |card: &Contact| card.phones.first().and_then(|phone| phone.wa_id.clone());
    cards.into_iter().map(|card| json!({ "name": card.name, "number": number(card) })).collect()
}

fn said(content: &Content) -> Value {
    match content {
        Content::Text(it) => {
            let preview = it.preview.as_ref();
            let font = |font| FONTS.iter().find(|(_, one)| *one == font).map(|(number, _)| *number);
            json!({
                "kind": "text", "text": it.body,
                "link": preview.map(|preview| &preview.link),
                "title": preview.and_then(|preview| preview.title.as_ref()),
                "description": preview.and_then(|preview| preview.description.as_ref()),
                "background": it.style.and_then(|style| style.background),
                "font": it.style.and_then(|style| font(style.font)),
            })
        }
        Content::Image(it) => json!({ "kind": "image", "text": it.caption }),
        Content::Video(it) => {
            let kind = match it.kind {
                VideoKind::Gif => "gif",
                VideoKind::Round => "round-video",
                _ => "video",
            };
            json!({ "kind": kind, "text": it.caption, "seconds": it.seconds })
        }
        Content::Audio(it) => json!({ "kind": "audio", "seconds": it.seconds }),
        Content::VoiceNote(it) => {
            json!({ "kind": "voice-note", "seconds": it.seconds, "waveform": it.waveform.as_ref().map(hex::encode) })
        }
        Content::Document(it) => json!({ "kind": "document", "text": it.caption, "file_name": it.file_name }),
        Content::Sticker(_) => json!({ "kind": "sticker" }),
        Content::Album(it) => json!({ "kind": "album", "images": it.images, "videos": it.videos }),
        Content::Contact(it) => json!({ "kind": "contact", "cards": cards([it]) }),
        Content::Contacts(it) => json!({ "kind": "contacts", "cards": cards(&it.cards) }),
        Content::Location(it) => json!({
            "kind": "location", "latitude": it.latitude, "longitude": it.longitude, "name": it.name, "address": it.address,
        }),
        Content::LiveLocation(it) => json!({
            "kind": "live-location", "latitude": it.latitude, "longitude": it.longitude, "text": it.caption,
            "accuracy": it.accuracy, "sequence": it.sequence,
        }),
        Content::Poll(it) => {
            let choices = match it.choice {
                Choice::One => 1,
                Choice::AtMost(most) => most,
                _ => 0,
            };
            let quiz = if let PollKind::Quiz(answer) = &it.kind { answer.as_deref() } else { None };
            json!({
                "kind": "poll", "question": it.question, "options": it.options, "choices": choices, "quiz": quiz,
            })
        }
        Content::Event(it) => json!({
            "kind": "event", "name": it.name, "text": it.description, "starts_at": it.starts_at,
            "place": it.location.as_ref().and_then(|location| location.name.as_ref()),
        }),
        Content::GroupInvite(it) => json!({
            "kind": "group-invite", "group": it.group.as_ref().map(ToString::to_string), "code": it.code, "name": it.name,
            "text": it.caption, "expires_at": it.expires_at,
        }),
        Content::Disappearing(it) => json!({ "kind": "disappearing", "seconds": it.seconds }),
        Content::Buttons(it) => {
            json!({ "kind": "buttons", "text": it.text, "buttons": buttons(&it.buttons) })
        }
        Content::List(it) => {
            let rows = it.sections.iter().flat_map(|section| &section.rows);
            let rows: Value = rows.map(|row| json!({ "id": row.id, "text": row.title })).collect();
            json!({ "kind": "list", "text": it.text, "button": it.button, "buttons": rows })
        }
        Content::ButtonReply(it) => {
            let mut out = json!({ "choice": it.id, "text": it.text });
            match &it.to {
                ReplyTo::Buttons => out["kind"] = json!("button-reply"),
                ReplyTo::List => out["kind"] = json!("list-reply"),
                ReplyTo::Template(index) => {
                    out["kind"] = json!("template-reply");
                    out["index"] = json!(index);
                }
                ReplyTo::Flow(params) => {
                    out["kind"] = json!("flow-reply");
                    out["params"] = json!(params);
                }
                _ => {}
            }
            out
        }
        Content::Protocol(Protocol::LimitSharing(it)) => json!({ "kind": "limit-sharing", "on": it.on }),
        Content::Protocol(Protocol::RequestPhoneNumber) => json!({ "kind": "phone-number-request" }),
        Content::Protocol(Protocol::SharePhoneNumber) => json!({ "kind": "phone-number" }),
        about => added(about),
    }
}

fn buttons(buttons: &[Button]) -> Value {
    let action = |action: &ButtonAction| match action {
        ButtonAction::Reply(id) => id.clone(),
        ButtonAction::Open(page) => page.clone(),
        ButtonAction::Flow { name, .. } => name.clone(),
        _ => String::new(),
    };
    buttons.iter().map(|button| json!({ "id": action(&button.action), "text": button.text })).collect()
}

/// What a linked device receives and does not send.
fn received(content: &Content) -> Value {
    match content {
        Content::Template(it) => json!({
            "kind": "template", "title": it.title, "text": it.text, "footer": it.footer, "buttons": buttons(&it.buttons),
        }),
        Content::Interactive(it) => json!({
            "kind": "interactive", "title": it.title, "text": it.text, "footer": it.footer, "buttons": buttons(&it.buttons),
        }),
        Content::Product(it) => json!({
            "kind": "product", "choice": it.id, "title": it.title, "description": it.description, "currency": it.currency,
            "price": it.price_1000, "text": it.text, "business": it.business.as_ref().map(ToString::to_string),
        }),
        Content::Order(it) => json!({
            "kind": "order", "choice": it.id, "title": it.title, "text": it.text, "items": it.items,
            "price": it.total_1000, "currency": it.currency,
        }),
        Content::ChannelInvite(it) => json!({
            "kind": "channel-invite", "channel": it.channel.as_ref().map(ToString::to_string), "name": it.name,
            "text": it.caption, "admin_until": it.admin_until,
        }),
        Content::StickerPack(it) => {
            json!({ "kind": "sticker-pack", "name": it.name, "code": it.id, "text": it.caption })
        }
        Content::PollSnapshot(it) => {
            json!({ "kind": "poll-result", "question": it.question, "counts": it.counts })
        }
        Content::ScheduledCall(it) => json!({ "kind": "scheduled-call", "title": it.title, "at": it.at_ms }),
        Content::CallLog(it) => {
            json!({ "kind": "call-log", "outcome": format!("{:?}", it.outcome), "video": it.is_video })
        }
        Content::Payment(it) => json!({
            "kind": "payment", "what": format!("{:?}", it.kind), "price": it.amount_1000, "currency": it.currency,
            "text": it.note,
        }),
        Content::Placeholder => json!({ "kind": "placeholder" }),
        Content::Protocol(Protocol::MemberLabel(it)) => json!({ "kind": "member-label", "text": it.label }),
        other => json!({ "kind": "other", "what": format!("{other:?}") }),
    }
}

/// What is about another message.
fn added(content: &Content) -> Value {
    match content {
        // One that takes a reaction back has no text.
        Content::Reaction(it) => {
            json!({ "kind": "reaction", "text": it.emoji.as_deref().unwrap_or_default() })
        }
        Content::Edit(it) => json!({ "kind": "edit", "text": it.content.text() }),
        Content::Revoke(_) => json!({ "kind": "revoke" }),
        Content::Comment(it) => json!({ "kind": "comment", "text": it.content.text() }),
        Content::PollVote(it) => {
            let chosen: Vec<_> = it.chosen.iter().map(|voted| &voted.option).collect();
            json!({ "kind": "vote", "chosen": chosen })
        }
        Content::EventResponse(it) => {
            let answer = match it.answer {
                Answer::Going => "going",
                Answer::NotGoing => "not-going",
                Answer::Maybe => "maybe",
                _ => "unknown",
            };
            json!({ "kind": "event-response", "answer": answer })
        }
        Content::Pin(it) => match it.state {
            PinState::Pinned(seconds) => json!({ "kind": "pin", "seconds": seconds }),
            _ => json!({ "kind": "unpin" }),
        },
        Content::Keep(it) => json!({ "kind": if it.state == KeepState::Kept { "keep" } else { "unkeep" } }),
        Content::Sealed(it) => json!({ "kind": "sealed", "what": format!("{:?}", it.kind) }),
        other => received(other),
    }
}
