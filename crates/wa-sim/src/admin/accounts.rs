//! Accounts, devices and groups as the admin API shows and changes them (chapter 10 §14).

use std::collections::BTreeMap;
use std::sync::Arc;

use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use wa_binary::Family;

use super::{Call, Outcome, deeds};
use crate::group::Group;
use crate::net::Hub;
use crate::seed::{SeedFile, SeedGroup};
use crate::stanza::{from_json, to_json};
use crate::world::{Account, AccountId, Cap, DeviceKey, Standing, TimeLock, Username, World};

/// All accounts, short.
pub(super) fn list(world: &World) -> Value {
    let accounts = world.accounts().iter().filter(|account| !account.devices.is_empty());
    json!({ "accounts": accounts.map(view).collect::<Vec<_>>() })
}

fn view(account: &Account) -> Value {
    let devices = account.devices.values().map(|device| {
        json!({
            "number": device.number,
            "key_index": device.key_index,
            "platform": device.platform,
            "connection": device.connection.map(|conn| conn.0),
            "active": device.active,
            "queue": device.queue.len(),
            "queue_overflowed": device.queue.overflowed,
            "one_time_keys": device.keys.len(),
            "last_seen": device.last_seen,
            "logins": device.logins,
        })
    });
    json!({
        "number": account.pn.to_string(),
        "lid": account.lid.map(|lid| lid.to_string()),
        "jid": account.jid(Family::Pn).to_string(),
        "lid_jid": account.lid.map(|_| account.jid(Family::Lid).to_string()),
        "name": account.name,
        "push_name": account.key,
        "about": account.about.0,
        "username": account.username,
        "switches": account.switches,
        "standing": account.standing.0,
        "lock": account.new_chats.lock,
        "cap": account.new_chats.cap,
        "props": account.props,
        "privacy": account.privacy,
        "denied": account.deny.iter().map(|(name, list)| (name, list.len())).collect::<BTreeMap<_, _>>(),
        "blocked": account.blocked.len(),
        "disappearing": account.disappearing.0,
        "push": account.kept.push,
        "notices": account.kept.notices,
        "reports": account.kept.reports,
        "app_state": account.app_state.versions(),
        "available": account.presence.available,
        "devices": devices.collect::<Vec<_>>(),
    })
}

/// `/admin/accounts/{pn}/..`
pub(super) fn handle(hub: &Arc<Hub>, call: &Call, account: AccountId, rest: &[&str]) -> Outcome {
    match (&call.method, rest) {
        (&Method::GET, []) => Ok(hub.look(|world| view(world.account(account)))),
        (&Method::PATCH, []) => change(hub, call, account),
        (&Method::DELETE, []) => {
            hub.with(|world, now_ms| world.delete_account(now_ms, account));
            Ok(json!({}))
        }
        (&Method::GET, ["inbox"]) => Ok(hub.look(|world| {
            let inbox = world.phone(account).map(crate::phone::Phone::inbox).unwrap_or_default();
            json!({ "inbox": inbox.iter().map(crate::phone::Received::to_json).collect::<Vec<_>>() })
        })),
        (&Method::GET, ["appstate"]) => Ok(hub.look(|world| app_state(world, account))),
        (&Method::POST, ["phone", action]) => deeds::deed(hub, call, account, action),
        (method, ["devices", number, rest @ ..]) => {
            let device = number.parse().map_err(|_| (400, format!("no device number {number}")))?;
            let key = DeviceKey { account, device };
            if hub.look(|world| world.device(key).is_none()) {
                return Err((404, format!("no device {number}")));
            }
            device_call(hub, call, method, key, rest)
        }
        _ => Err((404, format!("no {} of an account", rest.join("/")))),
    }
}

/// The file of a message that a phone sent or received, decrypted.
pub(super) fn file(hub: &Hub, account: AccountId, id: &str) -> Result<Vec<u8>, (u16, String)> {
    let file = hub.look(|world| world.phone(account).and_then(|phone| phone.file(id)));
    file.ok_or_else(|| (404, format!("no file of {id}")))
}

fn app_state(world: &World, account: AccountId) -> Value {
    let Some(phone) = world.phone(account) else { return Value::Null };
    let collections = world.account(account).app_state.versions();
    let plain: serde_json::Map<String, Value> = collections
        .iter()
        .map(|(name, version)| {
            let actions = phone.app_state(name).map(|actions| json!(actions)).unwrap_or_default();
            ((*name).to_owned(), json!({ "version": version, "actions": actions }))
        })
        .collect();
    plain.into()
}

fn device_call(hub: &Arc<Hub>, call: &Call, method: &Method, key: DeviceKey, rest: &[&str]) -> Outcome {
    match (method, rest) {
        (&Method::GET, []) => Ok(hub.look(|world| {
            let shown = view(world.account(key.account));
            let devices = shown["devices"].as_array().cloned().unwrap_or_default();
            devices.into_iter().find(|device| device["number"] == key.device).unwrap_or_default()
        })),
        (&Method::GET, ["queue"]) => Ok(hub.look(|world| {
            let queue = world.device(key).map(|device| {
                let queued = device.queue.iter().map(|queued| {
                    json!({
                        "class": queued.class, "id": queued.id, "sender": queued.sender, "at_ms": queued.at_ms,
                        "sent_on": queued.sent_on.map(|conn| conn.0), "node": to_json(&queued.node),
                    })
                });
                queued.collect::<Vec<_>>()
            });
            json!({ "queue": queue })
        })),
        (&Method::GET, ["prekeys"]) => Ok(hub.look(|world| {
            let Some(keys) = world.stock(key) else { return Value::Null };
            json!({
                "registration_id": keys.registration_id,
                "identity_hex": hex::encode(keys.identity),
                "signed_id": keys.signed.id,
                "one_time_ids": keys.one_time().map(|(id, _)| *id).collect::<Vec<_>>(),
                "uploads": keys.uploads,
            })
        })),
        (&Method::POST, ["prekeys"]) => {
            let left = call.json()?["left"].as_u64().ok_or((400, "left is needed".to_owned()))?;
            let left = usize::try_from(left).unwrap_or(usize::MAX);
            hub.with(|world, _| world.exhaust_keys(key, left));
            Ok(json!({}))
        }
        (&Method::POST, ["send"]) => {
            let node = from_json(&call.json()?).map_err(|words| (400, words))?;
            let sent = hub.with(|world, now_ms| world.push(now_ms, key, node));
            if sent { Ok(json!({})) } else { Err((409, "the device is not connected".to_owned())) }
        }
        _ => Err((404, format!("no {} of a device", rest.join("/")))),
    }
}

/// A lock on new chats, as a call gives it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LockForm {
    /// How long it holds; without, nobody says.
    seconds: Option<u64>,
    kind: Option<String>,
}

impl LockForm {
    fn from(self, now_s: u64) -> TimeLock {
        TimeLock {
            until: self.seconds.map(|seconds| now_s.saturating_add(seconds)),
            kind: self.kind.unwrap_or_else(|| "DEFAULT".to_owned()),
        }
    }
}

/// A cap on new chats, as a call gives it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CapForm {
    total: u32,
    #[serde(default)]
    used: u32,
    /// How long the cycle lasts; thirty days unless given.
    seconds: Option<u64>,
}

impl CapForm {
    fn from(self, now_s: u64) -> Cap {
        let end = now_s.saturating_add(self.seconds.unwrap_or(30 * 86_400));
        Cap { total: self.total, used: self.used, cycle: (now_s, end) }
    }
}

/// Switches, standing, limits, props and a few settings.
fn change(hub: &Arc<Hub>, call: &Call, account: AccountId) -> Outcome {
    let body = call.json()?;
    let Value::Object(fields) = body else { return Err((400, "an object is needed".to_owned())) };
    hub.with(|world, now_ms| {
        for (field, value) in fields {
            let bad = |error: serde_json::Error| (400, format!("{field}: {error}"));
            match field.as_str() {
                "switches" => {
                    let mut switches = serde_json::to_value(&world.account(account).switches).map_err(bad)?;
                    if let (Value::Object(present), Value::Object(given)) = (&mut switches, value) {
                        present.extend(given);
                    }
                    let switches = serde_json::from_value(switches).map_err(bad)?;
                    world.set_switches(account, switches);
                }
                "standing" => {
                    let standing: Standing = serde_json::from_value(value).map_err(bad)?;
                    world.set_standing(now_ms, account, standing);
                }
                "lock" => {
                    let lock: Option<LockForm> = serde_json::from_value(value).map_err(bad)?;
                    let lock = lock.map(|lock| lock.from(now_ms / 1000));
                    world.set_time_lock(now_ms, account, lock);
                }
                "cap" => {
                    let cap: Option<CapForm> = serde_json::from_value(value).map_err(bad)?;
                    world.set_cap(now_ms, account, cap.map(|cap| cap.from(now_ms / 1000)));
                }
                "notice" => {
                    let notice: String = serde_json::from_value(value).map_err(bad)?;
                    world.set_notice(now_ms, account, &notice);
                }
                "props" => {
                    let props: BTreeMap<u32, String> = serde_json::from_value(value).map_err(bad)?;
                    world.set_props(account, props);
                }
                "about" => {
                    let about: String = serde_json::from_value(value).map_err(bad)?;
                    world.set_about(now_ms, account, &about);
                }
                "username" => {
                    // A name alone, or name and key; null takes it away.
                    let username: Option<Username> = match value {
                        Value::Null => None,
                        Value::String(name) => Some(Username { name, key: None }),
                        other => Some(serde_json::from_value(other).map_err(bad)?),
                    };
                    if !world.set_username(now_ms, account, username) {
                        return Err((409, "another account has this username".to_owned()));
                    }
                }
                "lid" => {
                    let lid: String = serde_json::from_value(value).map_err(bad)?;
                    if lid != "revealed" || !world.reveal_lid(now_ms, account) {
                        return Err((400, "\"revealed\", for an account without LID".to_owned()));
                    }
                }
                "dirty" => {
                    let kind: String = serde_json::from_value(value).map_err(bad)?;
                    world.set_dirty(now_ms, account, &kind);
                }
                _ => return Err((400, format!("no switch {field}"))),
            }
        }
        Ok(view(world.account(account)))
    })
}

/// `/admin/groups`
pub(super) fn groups(hub: &Arc<Hub>, call: &Call) -> Outcome {
    match call.method {
        Method::GET => Ok(hub.look(|world| {
            let groups = world.groups().map(|group| group_view(world, group));
            json!({ "groups": groups.collect::<Vec<_>>() })
        })),
        Method::POST => {
            let group: SeedGroup = call.body_as()?;
            let problems =
                hub.with(|world, _| world.plant(&SeedFile { groups: vec![group], ..SeedFile::default() }));
            if problems.is_empty() { Ok(json!({})) } else { Err((400, problems.join("; "))) }
        }
        _ => Err((405, "GET or POST".to_owned())),
    }
}

fn group_view(world: &World, group: &Group) -> Value {
    let members = group
        .members
        .iter()
        .map(|(account, role)| json!({ "number": world.account(*account).pn.to_string(), "role": role }));
    json!({
        "jid": group.jid().to_string(),
        "subject": group.subject.0,
        "announcement": group.announcement,
        "locked": group.locked,
        "ephemeral": group.ephemeral,
        "invite": group.invite,
        "community": group.parent.is_some(),
        "linked_parent": group.linked_parent.map(|parent| format!("{parent}@g.us")),
        "members": members.collect::<Vec<_>>(),
    })
}

/// `POST /admin/seed`: TOML, or the same as JSON.
pub(super) fn plant(hub: &Arc<Hub>, call: &Call) -> Outcome {
    let text = String::from_utf8_lossy(&call.body);
    let seed: SeedFile = if text.trim_start().starts_with('{') {
        call.body_as()?
    } else {
        SeedFile::parse(&text).map_err(|error| (400, error.to_string()))?
    };
    let problems = hub.with(|world, _| world.plant(&seed));
    if problems.is_empty() { Ok(hub.look(list)) } else { Err((400, problems.join("; "))) }
}
