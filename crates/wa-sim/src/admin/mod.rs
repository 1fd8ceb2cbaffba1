//! The admin API: JSON over HTTP on the same port, under `/admin` (chapter 10 §3, §14).

mod accounts;
mod deeds;
mod observe;
mod phones;

use std::sync::Arc;

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};
use wa_binary::Jid;

use crate::net::{Hub, Info, Reply, file as file_reply, json as reply};
use crate::state::{SavedState, StateError};
use crate::world::{AccountId, World};

/// One call.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Behind `/admin/`, without slashes at the ends.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: Bytes,
}

/// An answer: status and JSON.
pub(crate) type Outcome = Result<Value, (u16, String)>;

impl Call {
    /// A parameter of the query string, `+` and percent signs decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        parameter(&self.query, name)
    }

    /// The body as JSON; an empty one is `null`.
    pub(crate) fn json(&self) -> Result<Value, (u16, String)> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&self.body).map_err(|error| (400, error.to_string()))
    }

    /// The body as a type of its own.
    pub(crate) fn body_as<T: serde::de::DeserializeOwned>(&self) -> Result<T, (u16, String)> {
        serde_json::from_slice(&self.body).map_err(|error| (400, error.to_string()))
    }
}

/// A parameter of a query string, decoded.
pub(crate) fn parameter(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then(|| percent_decoded(value))
    })
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, left)) = rest.split_first() {
        rest = left;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = left.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
                match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                    Some(byte) => {
                        bytes.push(byte);
                        rest = &left[2..];
                    }
                    None => bytes.push(b'%'),
                }
            }
            byte => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Answers one call.
pub(crate) async fn handle(hub: &Arc<Hub>, info: &Info, call: Call) -> Reply {
    let path: Vec<&str> = call.path.split('/').filter(|part| !part.is_empty()).collect();
    let get = call.method == Method::GET;
    let post = call.method == Method::POST;
    if let ["accounts", number, "inbox", id, "file"] = path[..]
        && get
    {
        return match find(hub, number).and_then(|account| accounts::file(hub, account, id)) {
            Ok(bytes) => file_reply(bytes),
            Err((status, words)) => reply(status, &json!({ "error": words })),
        };
    }
    let outcome = match path[..] {
        [] | ["info"] if get => Ok(info.to_json()),
        ["stats"] if get => Ok(hub.look(observe::stats)),
        ["mock-phone", action] => phones::mock(hub, &call, action),
        ["accounts"] if get => Ok(hub.look(accounts::list)),
        ["accounts", number, ref rest @ ..] => match find(hub, number) {
            Ok(account) => accounts::handle(hub, &call, account, rest),
            Err(error) => Err(error),
        },
        ["groups"] => accounts::groups(hub, &call),
        ["seed"] if post => accounts::plant(hub, &call),
        ["newsletters", ..] => Err((501, "channels are not played".to_owned())),
        ["faults", ref rest @ ..] => observe::faults(hub, &call, rest),
        ["outage"] if post => observe::outage(hub, &call),
        ["clock"] => observe::clock(hub, &call),
        ["trace"] if get => observe::trace(hub, &call).await,
        ["wait"] if get => observe::wait(hub, &call).await,
        ["violations"] => observe::violations(hub, &call),
        ["connections"] if get => Ok(hub.look(observe::connections)),
        ["media"] if post => media(hub, &call),
        ["state"] => return state(hub, info, &call),
        ["reset"] if post => {
            hub.reset();
            Ok(json!({}))
        }
        _ => Err((404, format!("no {} /admin/{}", call.method, call.path))),
    };
    match outcome {
        Ok(value) => reply(200, &value),
        Err((status, words)) => reply(status, &json!({ "error": words })),
    }
}

/// `/admin/state`: GET gives the run as a state file, PUT goes on from one, POST saves it to the file of `--state`.
fn state(hub: &Arc<Hub>, info: &Info, call: &Call) -> Reply {
    let failed = |error: &StateError| {
        let status = match error {
            StateError::OtherSeed { .. } | StateError::NoFile => 409,
            StateError::Io { .. } | StateError::Unwritable(_) => 500,
            _ => 400,
        };
        reply(status, &json!({ "error": error.to_string() }))
    };
    let done = match call.method {
        Method::GET => {
            let mut bytes = Vec::new();
            return match hub.save().and_then(|saved| saved.write(&mut bytes)) {
                Ok(()) => file_reply(bytes),
                Err(error) => failed(&error),
            };
        }
        Method::PUT => SavedState::read(&call.body[..]).and_then(|saved| hub.load(&saved)),
        Method::POST => match &info.state_file {
            Some(path) => hub.save().and_then(|saved| saved.save(path)),
            None => Err(StateError::NoFile),
        },
        _ => return reply(405, &json!({ "error": "GET, PUT or POST" })),
    };
    match done {
        Ok(()) => reply(200, &json!({ "file": info.state_file })),
        Err(error) => failed(&error),
    }
}

/// `POST /admin/media`: tokens and files that are no longer valid, and what `media_conn` says.
fn media(hub: &Arc<Hub>, call: &Call) -> Outcome {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(default)]
        renew_auth: bool,
        #[serde(default)]
        expire: Option<String>,
        #[serde(default)]
        ttl: Option<u32>,
        #[serde(default)]
        auth_ttl: Option<u32>,
        #[serde(default)]
        hosts: Option<Vec<String>>,
    }
    let body: Body = call.body_as()?;
    hub.with(|world, _| {
        if body.renew_auth {
            world.renew_media_auth();
        }
        let (ttl, auth_ttl) = world.media.ttl_s;
        world.set_media_ttl(body.ttl.unwrap_or(ttl), body.auth_ttl.unwrap_or(auth_ttl));
        if let Some(hosts) = body.hosts {
            world.media_hosts = hosts;
        }
        match body.expire {
            Some(path) if !world.expire_file(&path) => Err((404, format!("no file {path}"))),
            _ => Ok(json!({})),
        }
    })
}

/// An account by number, by `lid:<digits>`, or by push name.
pub(crate) fn find(hub: &Hub, name: &str) -> Result<AccountId, (u16, String)> {
    let name = percent_decoded(name);
    hub.look(|world| find_in(world, &name)).ok_or_else(|| (404, format!("no account {name}")))
}

pub(crate) fn find_in(world: &World, name: &str) -> Option<AccountId> {
    if let Some(lid) = name.strip_prefix("lid:") {
        return world.find(&Jid::lid(lid.parse().ok()?));
    }
    let by_number = name.trim_start_matches('+').parse().ok().and_then(|number| world.find_pn(number));
    by_number.or_else(|| world.account_named(name))
}

/// An address in a call: a JID, or the name of an account.
pub(crate) fn address(world: &World, text: &str) -> Option<Jid> {
    if text.contains('@') {
        return text.parse().ok();
    }
    let account = world.account(find_in(world, text)?);
    Some(account.jid(account.best_family()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_signs_are_decoded_where_they_mean_something() {
        assert_eq!(percent_decoded("a%20b+c%2f%zz%"), "a b c/%zz%");
    }
}
