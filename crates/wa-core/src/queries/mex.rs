//! The envelope of queries to the graph (chapter 09c §1): JSON inside an answer, with errors of its own.

use compact_str::CompactString;
use serde_json::{Map, Value};
use thiserror::Error;
use wa_binary::NodeRef;

use super::{QueryError, reply};
use crate::fields::text as attr;

/// Why an operation has no data.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MexError {
    /// The server refused or could not.
    #[error("the operation failed: {code} {message}")]
    Failed {
        /// The code; 500 when the server gave none.
        code: u32,
        /// In words.
        message: CompactString,
        /// Whether the server says that trying again may help.
        retriable: Option<bool>,
        /// Whether the id of the operation is no longer known: it came from an older web client.
        stale: bool,
    },
    /// An encoding that web clients do not get.
    #[error("an answer in the format {0:?}")]
    UnsupportedFormat(CompactString),
    /// Neither JSON nor an object.
    #[error("an answer that is no JSON object")]
    NotAnObject,
    /// The field that the operation answers with is missing or null.
    #[error("an answer without {0}")]
    MissingField(&'static str),
}

/// The data of an answer.
///
/// # Errors
/// When the server refused the query or the operation, also when it gave data beside the error.
pub fn data(iq: NodeRef<'_>) -> Result<Map<String, Value>, QueryError> {
    let result = reply(iq)?.required_child("result")?;
    if let Some(format) = attr(result, "format").filter(|format| format != "json") {
        return Err(MexError::UnsupportedFormat(format).into());
    }
    let body = result.required_bytes()?;
    Ok(payload(&body)?)
}

/// The data of a JSON body.
pub(crate) fn payload(body: &[u8]) -> Result<Map<String, Value>, MexError> {
    let Ok(Value::Object(mut body)) = serde_json::from_slice(body) else { return Err(MexError::NotAnObject) };
    if let Some(Value::Array(errors)) = body.get("errors")
        && let Some(error) = failure(errors)
    {
        return Err(error);
    }
    match body.remove("data") {
        Some(Value::Object(data)) => Ok(data),
        _ => Err(MexError::MissingField("data")),
    }
}

/// The error that speaks for all: the summary, else one with a code, else the first.
fn failure(errors: &[Value]) -> Option<MexError> {
    let extension = |error: &Value, name: &str| error.get("extensions")?.get(name).cloned();
    let code = |error: &Value| extension(error, "error_code").as_ref().and_then(number);
    let chosen = errors
        .iter()
        .find(|error| extension(error, "is_summary") == Some(Value::Bool(true)))
        .or_else(|| errors.iter().find(|error| code(error).is_some()))
        .or_else(|| errors.first())?;
    let message = |error: &Value| error.get("message").and_then(text).unwrap_or_default();
    Some(MexError::Failed {
        code: code(chosen).and_then(|code| u32::try_from(code).ok()).unwrap_or(500),
        message: message(chosen),
        retriable: extension(chosen, "is_retryable").and_then(|flag| flag.as_bool()),
        stale: errors.iter().any(|error| is_stale(&message(error))),
    })
}

/// Whether the words are those for an operation that is not known.
fn is_stale(message: &str) -> bool {
    let plain: String =
        message.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    ["docid", "persistedquery", "documentnotfound", "unknownquery"].iter().any(|words| plain.contains(words))
}

/// A number, as such or as decimal text.
pub(crate) fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// A text.
pub(crate) fn text(value: &Value) -> Option<CompactString> {
    value.as_str().map(CompactString::from)
}

#[cfg(test)]
mod tests {
    use wa_binary::Node;

    use super::*;

    fn answer(body: &str) -> Result<Map<String, Value>, QueryError> {
        let result = Node::new("result").text(body);
        data(Node::new("iq").attr("type", "result").child(result).view())
    }

    fn failed(body: &str) -> (u32, String, bool) {
        match answer(body) {
            Err(QueryError::Mex(MexError::Failed { code, message, stale, .. })) => {
                (code, message.into(), stale)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_summary_speaks_for_all_then_the_one_with_a_code_then_the_first() {
        let plain = r#"{"message":"first"}"#;
        let coded = r#"{"message":"coded","extensions":{"error_code":"404"}}"#;
        let summary = r#"{"message":"summary","extensions":{"is_summary":true}}"#;
        let body = |errors: &[&str]| format!(r#"{{"data":{{}},"errors":[{}]}}"#, errors.join(","));
        assert_eq!(failed(&body(&[plain, coded, summary])), (500, "summary".into(), false));
        assert_eq!(failed(&body(&[plain, coded])), (404, "coded".into(), false));
        assert_eq!(failed(&body(&[plain])), (500, "first".into(), false));
        assert!(failed(&body(&[r#"{"message":"Unknown query 1"}"#])).2);
        assert!(answer(&body(&[])).is_ok());
    }

    #[test]
    fn what_is_no_object_is_an_error() {
        for body in ["", "[]", "null", "{", r#"{"data":null}"#, "{}"] {
            assert!(matches!(answer(body), Err(QueryError::Mex(_) | QueryError::Malformed(_))), "{body}");
        }
        let result = Node::new("result").attr("format", "argo").text("{}");
        let iq = Node::new("iq").attr("type", "result").child(result);
        assert_eq!(data(iq.view()), Err(MexError::UnsupportedFormat("argo".into()).into()));
    }
}
