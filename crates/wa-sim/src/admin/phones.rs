//! Linking and the deeds of phones' users (chapter 10 §3, §10).

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use wa_binary::{Family, Jid};

use super::{Call, Outcome, address, find_in};
use crate::net::Hub;
use crate::pairing::{PairingError, Reject};
use crate::phone::{Action, AppAction, MessageRef, Misbehaviour};
use crate::world::{AccountId, ConnId, DeviceKey, World};

fn refused(error: &PairingError) -> (u16, String) {
    (error.status(), error.to_string())
}

/// `/admin/mock-phone/..`
pub(super) fn mock(hub: &Arc<Hub>, call: &Call, action: &str) -> Outcome {
    match action {
        "pending" => Ok(hub.look(|world| json!({ "pending": world.pending() }))),
        "scan-qr" => scan(hub, call),
        "enter-code" => enter(hub, call),
        "reject" => {
            #[derive(Deserialize)]
            struct Body {
                connection: u64,
                #[serde(default)]
                how: Option<Reject>,
            }
            let body: Body = call.body_as()?;
            let how = body.how.unwrap_or(Reject::Refresh);
            hub.with(|world, now_ms| world.reject(now_ms, ConnId(body.connection), how))
                .map_err(|error| refused(&error))?;
            Ok(json!({}))
        }
        "passkey" => {
            #[derive(Deserialize)]
            struct Body {
                connection: u64,
                #[serde(default)]
                account: Option<String>,
            }
            let body: Body = call.body_as()?;
            hub.with(|world, now_ms| {
                let account = body.account.as_deref().and_then(|name| find_in(world, name));
                world.demand_passkey(now_ms, ConnId(body.connection), account)
            })
            .map_err(|error| refused(&error))?;
            Ok(json!({}))
        }
        _ => Err((404, format!("no mock-phone/{action}"))),
    }
}

fn scan(hub: &Arc<Hub>, call: &Call) -> Outcome {
    let text = String::from_utf8_lossy(&call.body).into_owned();
    hub.with(|world, now_ms| {
        let account = match call.parameter("account") {
            Some(name) => Some(find_in(world, &name).ok_or_else(|| (404, format!("no account {name}")))?),
            None => None,
        };
        let linked = world.scan_qr(now_ms, &text, account).map_err(|error| refused(&error))?;
        serde_json::to_value(linked).map_err(|error| (500, error.to_string()))
    })
}

fn enter(hub: &Arc<Hub>, call: &Call) -> Outcome {
    let text = String::from_utf8_lossy(&call.body).trim().to_owned();
    let parsed: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    // An object with phone and code, or the code alone, quoted or not.
    let code = parsed["code"].as_str().or_else(|| parsed.as_str()).map_or(text, str::to_owned);
    let digits = |value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.chars().filter(char::is_ascii_digit).collect::<String>().parse::<u64>().ok()
    };
    let number = if parsed["phone"].is_null() { None } else { digits(&parsed["phone"]) };
    hub.with(|world, now_ms| {
        let linked = world.enter_code(now_ms, number, &code).map_err(|error| refused(&error))?;
        serde_json::to_value(linked).map_err(|error| (500, error.to_string()))
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
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
    how: Option<String>,
    /// Pinned, archived, starred, read; taken back with `false`.
    on: Option<bool>,
    /// End of a mute, milliseconds since 1970; -1 is for ever.
    until_ms: Option<i64>,
}

/// `POST /admin/accounts/{pn}/phone/{action}`
pub(super) fn deed(hub: &Arc<Hub>, call: &Call, account: AccountId, action: &str) -> Outcome {
    let deed: Deed = if call.body.is_empty() { Deed::default() } else { call.body_as()? };
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
                let how = misbehaviour(deed.how.as_deref().unwrap_or_default())?;
                world.misbehave(account, how);
                return Ok(json!({}));
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
        let action = act(world, account, &deed, action)?;
        world.act(now_ms, account, action).map_err(|error| (400, error.to_string()))?;
        Ok(json!({}))
    })
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

fn act(world: &World, account: AccountId, deed: &Deed, action: &str) -> Result<Action, (u16, String)> {
    let chat = || chat_of(world, deed);
    let text = || deed.text.clone().ok_or_else(|| missing("text"));
    let target = |id: &str| target(world, account, deed, id);
    let named = || deed.id.as_deref().ok_or_else(|| missing("id")).and_then(target);
    Ok(match action {
        "text" => {
            let quote = deed.quote.as_deref().map(target).transpose()?;
            Action::Text { chat: chat()?, text: text()?, quote }
        }
        "react" => Action::React { target: named()?, emoji: deed.emoji.clone().unwrap_or_default() },
        "edit" => Action::Edit { target: named()?, text: text()? },
        "revoke" => Action::Revoke { target: named()? },
        "read" => Action::Read { chat: chat()? },
        "typing" => Action::Typing { chat: chat()?, composing: deed.composing.unwrap_or(true) },
        _ => return Err((501, format!("a phone that can {action} is not played"))),
    })
}
