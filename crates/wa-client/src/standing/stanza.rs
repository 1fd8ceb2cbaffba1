//! Account health over `w:mex`: the question as JSON in a stanza, and what the answers and notices say (chapter 09c §1,
//! §2, §5). Numbers come as numbers or as decimal strings; enums in either case.

use serde_json::{Value, json};
use wa_binary::{FieldError, Node, NodeRef};

use crate::connection::link::{Request, iq};

/// A named operation of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operation {
    /// Id of the stored query; it changes with releases of the service's own web client.
    pub(crate) id: &'static str,
    /// Field of `data` that holds the answer.
    pub(crate) field: &'static str,
}

pub(crate) const TIME_LOCK: Operation =
    Operation { id: "23983697327930364", field: "xwa2_fetch_account_reachout_timelock" };
pub(crate) const MESSAGE_CAP: Operation =
    Operation { id: "27910975521856601", field: "xwa2_message_capping_info" };

/// Asks an operation.
pub(crate) struct Mex {
    pub(crate) operation: Operation,
    pub(crate) variables: Value,
}

impl Mex {
    pub(crate) fn time_lock() -> Self {
        Self { operation: TIME_LOCK, variables: json!({}) }
    }

    pub(crate) fn message_cap() -> Self {
        let variables = json!({ "input": { "type": "INDIVIDUAL_NEW_CHAT_THREAD" } });
        Self { operation: MESSAGE_CAP, variables }
    }
}

/// Why an operation gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MexError {
    #[error("the answer is no JSON object")]
    NotJson,
    #[error("the answer comes in the form {0:?}, which only native clients read")]
    Format(String),
    #[error("the server refused: {code} {message}")]
    Refused { code: i64, message: String },
    #[error("the answer holds nothing")]
    Empty,
}

impl Request for Mex {
    type Response = Result<Value, MexError>;

    fn node(&self, id: &str) -> Node {
        let body = json!({ "variables": self.variables }).to_string();
        let query = Node::new("query").attr("query_id", self.operation.id).bytes(body.into_bytes());
        iq(id, "get", "w:mex").child(query)
    }

    fn parse(&self, answer: NodeRef<'_>) -> Result<Self::Response, FieldError> {
        let result = answer.required_child("result")?;
        if let Ok(Some(format)) = result.optional("format").string()
            && format != "json"
        {
            return Ok(Err(MexError::Format(format.into())));
        }
        Ok(data(&result.required_bytes()?, self.operation.field))
    }
}

/// The field of an answer's `data`. An error beside data is still an error.
fn data(json: &[u8], field: &str) -> Result<Value, MexError> {
    let Ok(Value::Object(mut answer)) = serde_json::from_slice(json) else { return Err(MexError::NotJson) };
    if let Some(Value::Array(errors)) = answer.get("errors")
        && let Some(first) = errors.first()
    {
        let with = |what: &str| errors.iter().find(|error| error["extensions"].get(what).is_some());
        let summary = errors.iter().find(|error| error["extensions"]["is_summary"] == true);
        let error = summary.or_else(|| with("error_code")).unwrap_or(first);
        return Err(MexError::Refused {
            code: error["extensions"]["error_code"].as_i64().unwrap_or(500),
            message: error["message"].as_str().unwrap_or_default().to_owned(),
        });
    }
    match answer.get_mut("data").and_then(|data| data.get_mut(field)).map(Value::take) {
        None | Some(Value::Null) => Err(MexError::Empty),
        Some(value) => Ok(value),
    }
}

/// The reach-out time-lock: no new chats for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeLock {
    Clear,
    /// Until a time in seconds, if the server says when.
    Locked(Option<u64>),
}

impl TimeLock {
    pub(crate) fn read(value: &Value) -> Self {
        match value["is_active"].as_bool() {
            Some(true) => Self::Locked(number(&value["time_enforcement_ends"]).filter(|ends| *ends > 0)),
            _ => Self::Clear,
        }
    }
}

/// The cap of messages to new chats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cap {
    /// Whether the server warns of it, or enforces it.
    pub(crate) warns: bool,
    pub(crate) used: u32,
    pub(crate) total: u32,
    /// End of the cycle, seconds.
    pub(crate) ends: Option<u64>,
}

impl Cap {
    /// `None` for what is no such object: that is not "no cap".
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let object = value.as_object()?;
        let status = object.get("capping_status").and_then(Value::as_str).unwrap_or("NONE");
        let count = |name| {
            let count = object.get(name).and_then(number).unwrap_or(0);
            u32::try_from(count).unwrap_or(u32::MAX)
        };
        Some(Self {
            warns: !status.eq_ignore_ascii_case("none"),
            used: count("used_quota"),
            total: count("total_quota"),
            ends: object.get("cycle_end_timestamp").and_then(number),
        })
    }
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// What a `mex` notification says about the account's standing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    TimeLock(TimeLock),
    Cap(Cap),
}

impl Notice {
    /// Of one `<update>`; `None` for an operation that is another room's, or cannot be read.
    pub(crate) fn read(update: NodeRef<'_>) -> Option<Self> {
        let bytes = update.optional_bytes()?;
        let read = |field| data(&bytes, field).ok();
        match update.optional("op_name").string().ok()??.as_str() {
            "NotificationUserReachoutTimelockUpdate" => {
                let value = read("xwa2_notify_account_reachout_timelock")?;
                Some(Self::TimeLock(TimeLock::read(&value)))
            }
            "MessageCappingInfoNotification" => {
                let value = read("xwa2_notify_new_chat_messages_capping_info_update")?;
                Cap::read(&value).map(Self::Cap)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_enums_are_read_in_either_form() {
        let locked = json!({ "is_active": true, "time_enforcement_ends": "1700000000" });
        assert_eq!(TimeLock::read(&locked), TimeLock::Locked(Some(1_700_000_000)));
        assert_eq!(
            TimeLock::read(&json!({ "is_active": true, "time_enforcement_ends": "0" })),
            TimeLock::Locked(None)
        );
        assert_eq!(TimeLock::read(&json!({ "is_active": false })), TimeLock::Clear);
        assert_eq!(TimeLock::read(&Value::Null), TimeLock::Clear);
        let cap = json!({ "capping_status": "first_warning", "used_quota": "40", "total_quota": 50 });
        assert_eq!(Cap::read(&cap), Some(Cap { warns: true, used: 40, total: 50, ends: None }));
        assert_eq!(Cap::read(&Value::Null), None);
    }

    #[test]
    fn an_error_beside_data_is_an_error_and_the_summary_speaks() {
        let json = br#"{"data":{"x":{}},"errors":[{"message":"a"},{"message":"b","extensions":{"error_code":7,"is_summary":true}}]}"#;
        assert_eq!(data(json, "x"), Err(MexError::Refused { code: 7, message: "b".to_owned() }));
        assert_eq!(data(br#"{"data":{"x":null}}"#, "x"), Err(MexError::Empty));
        assert_eq!(data(br#"{"data":null}"#, "x"), Err(MexError::Empty));
        assert_eq!(data(b"[]", "x"), Err(MexError::NotJson));
        assert_eq!(data(br#"{"data":{"x":1}}"#, "x"), Ok(json!(1)));
    }
}
