//! Looking on, and interfering: counters, trace, violations, faults, clock (chapter 10 §11, §12, §14).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde_json::{Value, json};

use super::{Call, Outcome};
use crate::faults::Fault;
use crate::net::Hub;
use crate::trace::Filter;
use crate::world::{Device, Stage, World};

/// Longest wait of a long poll.
const LONGEST_WAIT_MS: u64 = 600_000;

pub(super) fn stats(world: &World) -> Value {
    let devices = || world.accounts().iter().flat_map(|account| account.devices.values());
    let named = || {
        world.accounts().iter().flat_map(|account| {
            account.devices.values().map(|device| (format!("{}:{}", account.pn, device.number), device))
        })
    };
    let unanswered = |device: &Device| device.queue.iter().filter(|queued| queued.sent_on.is_some()).count();
    json!({
        "counters": world.stats(),
        "open_connections": world.connections().count(),
        "accounts": world.accounts().len(),
        "groups": world.groups().count(),
        "acks_pending": devices().map(unanswered).sum::<usize>(),
        "queues": named().map(|(name, device)| (name, device.queue.len())).collect::<BTreeMap<_, _>>(),
        "prekeys": named().map(|(name, device)| (name, device.keys.len())).collect::<BTreeMap<_, _>>(),
        "queued": devices().map(|device| device.queue.len()).sum::<usize>(),
        "overflowed": devices().map(|device| device.queue.overflowed).sum::<u64>(),
        "violations": world.watch().violations().len(),
    })
}

pub(super) fn connections(world: &World) -> Value {
    let list = world.connections().map(|conn| {
        let what = match &conn.stage {
            Stage::Opened => json!("opened"),
            Stage::Registering(_) => json!("registering"),
            Stage::Device(key) => json!(format!("{}:{}", world.account(key.account).pn, key.device)),
            Stage::Ending { .. } => json!("ending"),
        };
        json!({ "id": conn.id.0, "remote": conn.remote, "is": what, "received": conn.received, "sent": conn.sent })
    });
    json!({ "connections": list.collect::<Vec<_>>() })
}

/// `/admin/faults`
pub(super) fn faults(hub: &Arc<Hub>, call: &Call, rest: &[&str]) -> Outcome {
    match (&call.method, rest) {
        (&Method::GET, []) => Ok(hub.with(|world, _| json!({ "faults": world.faults().entries() }))),
        (&Method::POST, []) => {
            let fault: Fault = call.body_as()?;
            Ok(json!({ "id": hub.with(|world, _| world.faults().add(fault)) }))
        }
        (&Method::POST, ["release"]) => Ok(json!({ "released": hub.with(World::release_held) })),
        (&Method::DELETE, []) => {
            hub.with(|world, now_ms| {
                world.faults().clear();
                world.release_held(now_ms);
            });
            Ok(json!({}))
        }
        (&Method::DELETE, [id]) => {
            let id = id.parse().map_err(|_| (400, format!("no fault {id}")))?;
            if hub.with(|world, _| world.faults().remove(id)) {
                Ok(json!({}))
            } else {
                Err((404, format!("no fault {id}")))
            }
        }
        _ => Err((405, "GET, POST or DELETE".to_owned())),
    }
}

/// `POST /admin/outage {"down_ms": 1000, "forget": false}`: everything is cut, and refused for a while; with `forget` the
/// seed state is what comes back.
pub(super) fn outage(hub: &Arc<Hub>, call: &Call) -> Outcome {
    #[derive(Default, serde::Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Body {
        down_ms: u64,
        forget: bool,
    }
    let body: Body = if call.body.is_empty() { Body::default() } else { call.body_as()? };
    hub.refuse_for(body.down_ms);
    if body.forget {
        hub.reset();
    } else {
        hub.with(|world, now_ms| world.drop_all(now_ms, crate::faults::CloseHow::Fin));
    }
    Ok(json!({}))
}

/// `/admin/clock`
pub(super) fn clock(hub: &Arc<Hub>, call: &Call) -> Outcome {
    if call.method == Method::POST {
        let body = call.json()?;
        hub.clock(|clock| {
            clock.advance(body["advance_ms"].as_u64().unwrap_or(0));
            if let Some(offset) = body["offset_ms"].as_i64() {
                clock.set_offset(offset);
            }
            if let Some(drift) = body["drift_ppm"].as_i64() {
                clock.set_drift(i32::try_from(drift).unwrap_or(0));
            }
        });
    }
    Ok(json!({ "now_ms": hub.now_ms() }))
}

/// The filter of a query string.
fn filter(call: &Call) -> Result<Filter, (u16, String)> {
    let pairs =
        call.query.split('&').filter_map(|pair| pair.split_once('=')).filter(|(key, _)| *key != "timeout_ms");
    let mut object = serde_json::Map::new();
    for (key, _) in pairs {
        let value = call.parameter(key).unwrap_or_default();
        let number = matches!(key, "since" | "conn");
        let value = match value.parse::<u64>() {
            Ok(number_value) if number => number_value.into(),
            _ => Value::from(value),
        };
        object.insert(key.to_owned(), value);
    }
    Filter::deserialize(Value::Object(object).into_deserializer()).map_err(|error| (400, error.to_string()))
}

fn patience(call: &Call, default: u64) -> Duration {
    let ms = call.parameter("timeout_ms").and_then(|ms| ms.parse().ok()).unwrap_or(default);
    Duration::from_millis(ms.min(LONGEST_WAIT_MS))
}

/// `GET /admin/trace?since=..&tag=..`: with `timeout_ms` it waits for the first.
pub(super) async fn trace(hub: &Arc<Hub>, call: &Call) -> Outcome {
    let filter = filter(call)?;
    let wait = patience(call, 0);
    if !wait.is_zero() {
        // Nothing in time is an empty list.
        let _ = hub.expect(&filter, wait).await;
    }
    Ok(hub.with(|world, _| {
        let last = world.trace().last_seq();
        let stanzas: Vec<Value> = world.trace().find(&filter).map(crate::trace::Passed::to_json).collect();
        json!({ "last": last, "stanzas": stanzas })
    }))
}

/// `GET /admin/wait?tag=message&timeout_ms=5000`: the first stanza that fits.
pub(super) async fn wait(hub: &Arc<Hub>, call: &Call) -> Outcome {
    let filter = filter(call)?;
    match hub.expect(&filter, patience(call, 30_000)).await {
        Ok(passed) => Ok(passed.to_json()),
        Err(error) => Err((408, error.to_string())),
    }
}

/// `/admin/violations`
pub(super) fn violations(hub: &Arc<Hub>, call: &Call) -> Outcome {
    if call.method == Method::DELETE {
        hub.with(|world, _| world.clear_violations());
    }
    Ok(hub.look(|world| {
        let list: Vec<_> = world.watch().violations().collect();
        json!({ "violations": list, "unlisted": world.watch().unlisted })
    }))
}
