//! The deeds of phones' users: `POST /admin/accounts/{number}/phone/{action}` (chapter 10 §10).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use wa_binary::{Family, Jid};

use super::{Call, Outcome, address, find_in};
use crate::net::Hub;
use crate::phone::content::{
    Answer, Contact, Content, DisappearingSetting, Event, Location, Pin, PinState, Poll, Target, Text,
    Viewing,
};
use crate::phone::seen::answer_name;
use crate::phone::{Action, AppAction, File, FileBytes, Manner, MessageRef, Misbehaviour, kind_named};
use crate::world::{AccountId, DeedError, DeviceKey, GroupChange, World};

/// What a deed may say; each takes of it what it needs.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Deed {
    chat: Option<String>,
    text: Option<String>,
    emoji: Option<String>,
    name: Option<String>,
    id: Option<String>,
    sender: Option<String>,
    quote: Option<String>,
    composing: Option<bool>,
    device: Option<u16>,
    online: Option<bool>,
    how: Value,
    /// Pinned, archived, starred, read; taken back with `false`.
    on: Option<bool>,
    /// End of a mute, milliseconds since 1970; -1 is for ever.
    until_ms: Option<i64>,
    /// Kind of a file: `image`, `video`, `gif`, `round`, `audio`, `voice`, `document`, `sticker`.
    what: Option<String>,
    /// A file's bytes in base64.
    data: Option<String>,
    /// So many bytes of the phone's own making.
    size: Option<usize>,
    caption: Option<String>,
    mime: Option<String>,
    seconds: Option<u32>,
    view_once: bool,
    latitude: Option<f64>,
    longitude: Option<f64>,
    number: Option<String>,
    question: Option<String>,
    options: Vec<String>,
    /// How many options of a poll may be chosen; any unless given.
    most: Option<u32>,
    /// Seconds since 1970.
    starts_at: Option<u64>,
    answer: Option<String>,
    subject: Option<String>,
    members: Vec<String>,
}

impl Deed {
    /// From a body of JSON, or from the query with a file as the body.
    fn of(call: &Call) -> Result<Self, (u16, String)> {
        if call.query.is_empty() {
            return if call.body.is_empty() { Ok(Self::default()) } else { call.body_as() };
        }
        Ok(Self {
            chat: call.parameter("chat"),
            what: call.parameter("what"),
            caption: call.parameter("caption"),
            name: call.parameter("name"),
            mime: call.parameter("mime"),
            quote: call.parameter("quote"),
            seconds: call.parameter("seconds").and_then(|seconds| seconds.parse().ok()),
            view_once: call.parameter("view_once").is_some_and(|once| once != "false"),
            ..Self::default()
        })
    }

    fn viewing(&self) -> Viewing {
        if self.view_once { Viewing::Once } else { Viewing::Normal }
    }
}

/// `POST /admin/accounts/{pn}/phone/{action}`
pub(super) fn deed(hub: &Arc<Hub>, call: &Call, account: AccountId, action: &str) -> Outcome {
    let deed = Deed::of(call)?;
    hub.with(|world, now_ms| {
        match action {
            "online" => {
                world.set_phone_online(now_ms, account, deed.online.unwrap_or(true));
                return Ok(json!({}));
            }
            "offline" => {
                world.set_phone_online(now_ms, account, false);
                return Ok(json!({}));
            }
            "reinstall" => {
                world.reinstall_phone(now_ms, account);
                return Ok(json!({}));
            }
            "unlink" => {
                let devices = match deed.device {
                    Some(device) => vec![device],
                    None => {
                        world.account(account).devices.keys().copied().filter(|device| *device != 0).collect()
                    }
                };
                for device in devices {
                    world.unlink_from_phone(now_ms, DeviceKey { account, device });
                }
                return Ok(json!({}));
            }
            "misbehave" => {
                let how = misbehaviour(deed.how.as_str().unwrap_or_default())?;
                world.misbehave(account, how);
                return Ok(json!({}));
            }
            _ if ASKED.contains(&action) => return ask(world, now_ms, account, &deed, action, &call.body),
            "media-retry" => {
                let how = serde_json::from_value(deed.how).map_err(|error| (400, error.to_string()))?;
                world.set_media_retry(account, how);
                return Ok(json!({}));
            }
            "forget-file" => {
                let id = deed.id.as_deref().ok_or_else(|| missing("id"))?;
                return match world.forget_file(account, id) {
                    true => Ok(json!({})),
                    false => Err((404, format!("no file of {id}"))),
                };
            }
            "rename" | "name" => {
                let name = deed.name.ok_or((400, "a name is needed".to_owned()))?;
                world.rename(now_ms, account, &name).map_err(|error| (400, error.to_string()))?;
                return Ok(json!({}));
            }
            _ => {}
        }
        if let Some(setting) = setting(world, account, &deed, action)? {
            world.change_app_state(now_ms, account, &setting).map_err(|error| (400, error.to_string()))?;
            return Ok(json!({}));
        }
        let action = act(world, account, &deed, action, &call.body)?;
        let id = world.act(now_ms, account, action).map_err(|error| (400, error.to_string()))?;
        Ok(json!({ "id": id }))
    })
}

/// Deeds that are requests to the server.
const ASKED: &[&str] = &[
    "block",
    "unblock",
    "about",
    "picture",
    "group-create",
    "group-add",
    "group-remove",
    "group-promote",
    "group-demote",
    "group-leave",
    "group-subject",
    "group-timer",
    "group-announcement",
    "group-locked",
    "change-number",
];

fn ask(
    world: &mut World,
    now_ms: u64,
    account: AccountId,
    deed: &Deed,
    action: &str,
    body: &Bytes,
) -> Outcome {
    let refused = |error: DeedError| {
        let status = match error {
            DeedError::Refused(_) => 400,
            DeedError::Offline | DeedError::Taken(_) => 409,
        };
        (status, error.to_string())
    };
    let on = deed.on.unwrap_or(true);
    let change = match action {
        "block" | "unblock" => {
            let other = chat_of(world, deed)?;
            let other = world.find(&other).ok_or_else(|| (404, format!("no account {other}")))?;
            world.block(now_ms, account, other, action == "block").map_err(refused)?;
            return Ok(json!({}));
        }
        "about" => {
            let text = deed.text.as_deref().unwrap_or_default();
            world.say_about(now_ms, account, text).map_err(refused)?;
            return Ok(json!({}));
        }
        "picture" => {
            let bytes = match &deed.data {
                Some(data) => STANDARD.decode(data).map_err(|error| (400, error.to_string()))?.into(),
                // With a query the body is the picture; else it is the deed itself.
                None if deed.what.is_some() => body.clone(),
                None => Bytes::new(),
            };
            let group = deed.chat.as_ref().map(|_| chat_of(world, deed)).transpose()?;
            let bytes = (!bytes.is_empty()).then_some(bytes);
            world.set_picture(now_ms, account, group.as_ref(), bytes).map_err(refused)?;
            return Ok(json!({}));
        }
        "group-create" => {
            let subject = deed.subject.as_deref().ok_or_else(|| missing("subject"))?;
            let members = members(world, deed)?;
            let group = world.create_group(now_ms, account, subject, &members).map_err(refused)?;
            return Ok(json!({ "jid": group.to_string() }));
        }
        "change-number" => {
            let digits = deed.number.iter().flat_map(|number| number.chars()).filter(char::is_ascii_digit);
            let number = digits.collect::<String>().parse().map_err(|_| missing("number"))?;
            world.change_number(now_ms, account, number).map_err(refused)?;
            return Ok(json!({}));
        }
        "group-add" => GroupChange::Add(members(world, deed)?),
        "group-remove" => GroupChange::Remove(members(world, deed)?),
        "group-promote" => GroupChange::Promote(members(world, deed)?),
        "group-demote" => GroupChange::Demote(members(world, deed)?),
        "group-subject" => GroupChange::Subject(deed.subject.clone().ok_or_else(|| missing("subject"))?),
        "group-timer" => GroupChange::Timer(deed.seconds.ok_or_else(|| missing("seconds"))?),
        "group-announcement" => GroupChange::Announcement(on),
        "group-locked" => GroupChange::Locked(on),
        _ => GroupChange::Leave,
    };
    let group = chat_of(world, deed)?;
    world.change_group(now_ms, account, &group, change).map_err(refused)?;
    Ok(json!({}))
}

fn members(world: &World, deed: &Deed) -> Result<Vec<AccountId>, (u16, String)> {
    let find = |name: &String| find_in(world, name).ok_or_else(|| (404, format!("no account {name}")));
    deed.members.iter().map(find).collect()
}

/// Ways in which a phone's next send goes wrong.
fn misbehaviour(name: &str) -> Result<Misbehaviour, (u16, String)> {
    Ok(match name {
        "wrong-padding" => Misbehaviour::WrongPadding,
        "unknown-version" => Misbehaviour::UnknownVersion,
        "bent-ciphertext" => Misbehaviour::BentCiphertext,
        "replay" => Misbehaviour::Replay,
        "duplicate" => Misbehaviour::Duplicate,
        "unknown-pre-key" => Misbehaviour::UnknownPreKey,
        "out-of-order" => Misbehaviour::OutOfOrder(20),
        "withheld-sender-key" => Misbehaviour::WithheldSenderKey,
        "retry-storm" => Misbehaviour::RetryStorm(20),
        _ => return Err((400, format!("a phone cannot {name}"))),
    })
}

fn missing(what: &str) -> (u16, String) {
    (400, format!("{what} is needed"))
}

/// The chat that a call names.
fn chat_of(world: &World, deed: &Deed) -> Result<Jid, (u16, String)> {
    let chat = deed.chat.as_deref().ok_or_else(|| missing("chat"))?;
    address(world, chat).ok_or_else(|| (404, format!("no chat {chat}")))
}

/// A message of the inbox, or one of the phone's own.
fn target(world: &World, account: AccountId, deed: &Deed, id: &str) -> Result<MessageRef, (u16, String)> {
    let phone = world.phone(account).ok_or((409, "the phone is busy".to_owned()))?;
    if let Some(received) = phone.inbox().iter().find(|received| received.id == id) {
        return Ok(MessageRef {
            chat: received.chat.clone(),
            sender: received.sender.user_jid(),
            id: id.to_owned(),
            from_me: received.from_me,
        });
    }
    let own = phone.lid().unwrap_or_else(|| phone.pn()).clone();
    let sender = match &deed.sender {
        Some(sender) => address(world, sender).ok_or_else(|| (404, format!("no sender {sender}")))?,
        None => own.clone(),
    };
    let from_me = sender == own || sender == world.account(account).jid(Family::Pn);
    Ok(MessageRef { chat: chat_of(world, deed)?, sender, id: id.to_owned(), from_me })
}

/// What changes the app state; `None` for every other deed.
fn setting(
    world: &World,
    account: AccountId,
    deed: &Deed,
    action: &str,
) -> Result<Option<AppAction>, (u16, String)> {
    let on = deed.on.unwrap_or(true);
    let chat = || chat_of(world, deed);
    Ok(Some(match action {
        "mute" => AppAction::Mute { chat: chat()?, until_ms: on.then_some(deed.until_ms.unwrap_or(-1)) },
        "pin" => AppAction::Pin { chat: chat()?, pinned: on },
        "archive" => AppAction::Archive { chat: chat()?, archived: on },
        "mark-read" => AppAction::MarkRead { chat: chat()?, read: on },
        "fill-app-state" => {
            AppAction::Filler { records: deed.size.and_then(|size| u32::try_from(size).ok()).unwrap_or(1000) }
        }
        "remove-nothing" => AppAction::RemoveNothing,
        "star" => {
            let id = deed.id.as_deref().ok_or_else(|| missing("id"))?;
            AppAction::Star { target: target(world, account, deed, id)?, starred: on }
        }
        // The address book goes by phone number.
        "contact" => {
            let user = chat()?;
            let number = world.find(&user).map(|account| world.account(account).jid(Family::Pn));
            AppAction::Contact { user: number.unwrap_or(user), name: deed.name.clone() }
        }
        _ => return Ok(None),
    }))
}

fn act(
    world: &World,
    account: AccountId,
    deed: &Deed,
    action: &str,
    body: &Bytes,
) -> Result<Action, (u16, String)> {
    let chat = || chat_of(world, deed);
    let text = || deed.text.clone().ok_or_else(|| missing("text"));
    let target = |id: &str| target(world, account, deed, id);
    let named = || deed.id.as_deref().ok_or_else(|| missing("id")).and_then(target);
    let quote = || deed.quote.as_deref().map(target).transpose();
    let manner = || Ok::<_, (u16, String)>(Manner { quote: quote()?, viewing: deed.viewing() });
    let say = |chat: Jid, content: Content| {
        Ok::<_, (u16, String)>(Action::Say { chat, content: Box::new(content), manner: manner()? })
    };
    Ok(match action {
        "text" => Action::Text { chat: chat()?, text: text()?, quote: quote()? },
        "status" => say(Jid::STATUS, Content::Text(Text::new(text()?)))?,
        "file" => Action::File { chat: chat()?, file: file(deed, body)?, manner: manner()? },
        "location" => {
            let (Some(latitude), Some(longitude)) = (deed.latitude, deed.longitude) else {
                return Err(missing("latitude and longitude"));
            };
            let mut place = Location::new(latitude, longitude);
            place.name.clone_from(&deed.name);
            say(chat()?, Content::Location(place))?
        }
        "card" => {
            let card = Contact::new(deed.name.clone().ok_or_else(|| missing("name"))?);
            let card = card.phone(deed.number.clone().ok_or_else(|| missing("number"))?);
            say(chat()?, Content::Contact(card))?
        }
        "poll" => {
            let question = deed.question.clone().ok_or_else(|| missing("question"))?;
            let poll = Poll::new(question, deed.options.clone());
            let poll = match deed.most {
                None => poll,
                Some(1) => poll.single_choice(),
                Some(most) => poll.at_most(most),
            };
            say(chat()?, Content::Poll(poll))?
        }
        "vote" => Action::Vote { poll: named()?, options: deed.options.clone() },
        "event" => {
            let name = deed.name.clone().ok_or_else(|| missing("name"))?;
            let starts_at = deed.starts_at.ok_or_else(|| missing("starts_at"))?;
            say(chat()?, Content::Event(Event::new(name, starts_at)))?
        }
        "respond" => {
            let answers = [Answer::Going, Answer::NotGoing, Answer::Maybe];
            let answer = deed.answer.as_deref().unwrap_or("going");
            let answer = answers.into_iter().find(|known| answer_name(*known) == answer);
            let answer = answer.ok_or((400, "an answer is going, not-going or maybe".to_owned()))?;
            Action::Respond { event: named()?, answer }
        }
        "pin-message" => {
            let of = named()?;
            let state = match deed.on.unwrap_or(true) {
                true => PinState::Pinned(deed.seconds.unwrap_or(604_800)),
                false => PinState::Unpinned,
            };
            let chat = of.chat.clone();
            let target = Target::new(of.id, of.chat, Some(of.sender), of.from_me);
            say(chat, Content::Pin(Pin::new(target, state, None)))?
        }
        "timer" => {
            let seconds = deed.seconds.ok_or_else(|| missing("seconds"))?;
            say(chat()?, Content::Disappearing(DisappearingSetting::new(seconds, None)))?
        }
        "react" => Action::React { target: named()?, emoji: deed.emoji.clone().unwrap_or_default() },
        "edit" => Action::Edit { target: named()?, text: text()? },
        "revoke" => Action::Revoke { target: named()? },
        "read" => Action::Read { chat: chat()? },
        "typing" => Action::Typing { chat: chat()?, composing: deed.composing.unwrap_or(true) },
        _ => return Err((501, format!("a phone that can {action} is not played"))),
    })
}

/// A file: its bytes in base64, as the body of the call, or of the phone's making.
fn file(deed: &Deed, body: &Bytes) -> Result<File, (u16, String)> {
    let what = deed.what.as_deref().unwrap_or("document");
    let kind = kind_named(what).ok_or_else(|| (400, format!("no kind of file {what:?}")))?;
    let bytes = match (&deed.data, deed.size) {
        (Some(data), _) => {
            let bytes = STANDARD.decode(data).map_err(|error| (400, error.to_string()))?;
            FileBytes::Given(bytes.into())
        }
        (None, Some(size)) => FileBytes::MadeUp(size),
        (None, None) => FileBytes::Given(body.clone()),
    };
    let (caption, name, mime) = (deed.caption.clone(), deed.name.clone(), deed.mime.clone());
    Ok(File { kind, bytes, caption, name, mime, seconds: deed.seconds })
}
