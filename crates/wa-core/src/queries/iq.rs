//! The envelope of every answer (chapter 09 §2): a result, or the error that the server gave instead.

use compact_str::CompactString;
use thiserror::Error;
use wa_binary::NodeRef;

use super::QueryError;
use crate::fields::{number, text};

/// The answer itself, when it is a result.
///
/// # Errors
/// [`QueryError::Refused`], [`QueryError::UnexpectedType`].
pub fn reply(iq: NodeRef<'_>) -> Result<NodeRef<'_>, QueryError> {
    match text(iq, "type").as_deref() {
        Some("result") => Ok(iq),
        Some("error") => Err(IqError::inside(iq).unwrap_or_else(IqError::malformed).into()),
        other => Err(QueryError::UnexpectedType(other.unwrap_or_default().into())),
    }
}

/// An error of the server: for a whole query, or inside an answer for one item.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the server refused: {code} {text}")]
pub struct IqError {
    /// The code of chapter 09 §2; 0 when the error itself was malformed.
    pub code: u32,
    /// The code in words, as the server writes it.
    pub text: CompactString,
    /// `wait`: trying again may help whatever the code. `cancel`, `modify`, `auth`: it will not.
    pub class: Option<CompactString>,
    /// Seconds during which queries of this family must not be sent.
    pub backoff: Option<u64>,
}

impl IqError {
    /// The `<error>` among the children of a node.
    pub fn inside(node: NodeRef<'_>) -> Option<Self> {
        let error = node.optional_child("error")?;
        Some(Self {
            code: error.optional("code").u32().ok().flatten().unwrap_or_default(),
            text: text(error, "text").unwrap_or_default(),
            class: text(error, "type"),
            backoff: number(error, "backoff"),
        })
    }

    /// What stands for an error that says nothing.
    pub(super) fn malformed() -> Self {
        Self { code: 0, text: "malformed error".into(), class: None, backoff: None }
    }

    /// Whether the same query may succeed later.
    pub fn is_retriable(&self) -> bool {
        match self.class.as_deref() {
            Some("wait") => true,
            Some("cancel" | "modify" | "auth") => false,
            _ => matches!(self.code, 408 | 429 | 436 | 500 | 503 | 530),
        }
    }
}

#[cfg(test)]
mod tests {
    use wa_binary::Node;

    use super::*;

    #[test]
    fn an_error_without_its_child_and_another_type_are_told_apart() {
        let iq = |kind: &str| Node::new("iq").attr("type", kind);
        assert_eq!(reply(iq("error").view()), Err(IqError::malformed().into()));
        assert_eq!(reply(iq("get").view()), Err(QueryError::UnexpectedType("get".into())));
        assert!(reply(iq("result").view()).is_ok());
    }

    #[test]
    fn the_class_decides_before_the_code() {
        let error = |class: Option<&str>, code: u32| {
            let child = Node::new("error").attr("code", code.to_string()).maybe_attr("type", class);
            IqError::inside(Node::new("iq").child(child).view()).unwrap()
        };
        assert!(error(Some("wait"), 400).is_retriable());
        assert!(!error(Some("cancel"), 503).is_retriable());
        assert!(error(None, 503).is_retriable());
        assert!(!error(None, 404).is_retriable());
    }
}
