//! Linking, and what else is asked of phones as such (chapter 10 §3).

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Outcome, find_in};
use crate::net::Hub;
use crate::pairing::{PairingError, Reject};
use crate::world::ConnId;

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
                let known =
                    |name: &str| find_in(world, name).ok_or_else(|| (404, format!("no account {name}")));
                let account = body.account.as_deref().map(known).transpose()?;
                world
                    .demand_passkey(now_ms, ConnId(body.connection), account)
                    .map_err(|error| refused(&error))
            })?;
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
