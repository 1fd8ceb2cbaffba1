//! The registration check (chapter 09a §1, §2): which numbers are on the service, and under which LID.

use compact_str::CompactString;
use wa_binary::{FieldError, Jid, Node, NodeRef};

use crate::connection::link::{Request, iq};

/// Asks about phone numbers, given as digits.
pub(crate) struct LookupQuery<'n> {
    pub(crate) numbers: &'n [CompactString],
    /// Whether the account's chats are keyed by LID.
    pub(crate) by_lid: bool,
}

/// What the server said of one number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answered {
    /// The digits that were asked about.
    pub(crate) number: CompactString,
    /// `None` when the server could not say.
    pub(crate) registered: Option<bool>,
    pub(crate) jid: Option<Jid>,
    /// The other address of the same person.
    pub(crate) other: Option<Jid>,
}

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LookupAnswer {
    Users(Vec<Answered>),
    /// The directory refuses this sort of question for now.
    Refused {
        code: u16,
        /// Seconds.
        backoff: Option<u64>,
    },
}

impl Request for LookupQuery<'_> {
    type Response = LookupAnswer;

    fn node(&self, id: &str) -> Node {
        let users = self
            .numbers
            .iter()
            .map(|number| Node::new("user").child(Node::new("contact").text(format!("+{number}"))));
        let contact = Node::new("contact").maybe_attr("addressing_mode", self.by_lid.then_some("lid"));
        let business = Node::new("business").child(Node::new("verified_name"));
        let usync = Node::new("usync")
            .attr("sid", id)
            .attr("mode", "query")
            .attr("context", "interactive")
            .attr("index", "0")
            .attr("last", "true")
            .child(Node::new("query").children([contact, Node::new("lid"), business]))
            .child(Node::new("list").children(users));
        iq(id, "get", "usync").child(usync)
    }

    fn parse(&self, answer: NodeRef<'_>) -> Result<LookupAnswer, FieldError> {
        let usync = answer.required_child("usync")?;
        if let Some(error) = usync
            .optional_child("result")
            .and_then(|result| result.optional_child("contact")?.optional_child("error"))
        {
            return Ok(LookupAnswer::Refused {
                code: error.optional("code").u16().ok().flatten().unwrap_or(0),
                backoff: error.optional("backoff").u64().ok().flatten(),
            });
        }
        let list = usync.required_child("list")?;
        Ok(LookupAnswer::Users(list.each("user").filter_map(answered).collect()))
    }
}

fn answered(user: NodeRef<'_>) -> Option<Answered> {
    let contact = user.optional_child("contact")?;
    let echo = contact.optional_text().ok()??;
    let number = echo.split('@').next().unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
    let registered = match contact.optional("type").string().ok().flatten().as_deref() {
        Some("in") => Some(true),
        Some("out" | "invalid") if contact.optional_child("error").is_none() => Some(false),
        _ => None,
    };
    let jid = user.optional("jid").jid().ok().flatten();
    let lid = user.optional_child("lid").and_then(|lid| lid.optional("val").jid().ok()?);
    Some(Answered {
        number,
        registered,
        other: user.optional("pn_jid").jid().ok().flatten().or(lid.filter(Jid::is_lid)),
        jid,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_in_either_form_finds_its_question_and_an_error_is_no_no() {
        let user = |kind: Option<&str>, echo: &str| {
            let contact = Node::new("contact").maybe_attr("type", kind).text(echo);
            Node::new("user").child(contact)
        };
        let answer = answered(user(Some("out"), "15550100@c.us").view()).unwrap();
        assert_eq!((answer.number.as_str(), answer.registered), ("15550100", Some(false)));
        assert_eq!(answered(user(Some("in"), "+15550100").view()).unwrap().registered, Some(true));
        assert_eq!(answered(user(None, "+15550100").view()).unwrap().registered, None);
        assert_eq!(answered(Node::new("user").view()), None);
    }

    #[test]
    fn a_refusal_of_the_directory_keeps_its_backoff() {
        let error = Node::new("error").attr("code", "429").attr("backoff", "120");
        let result = Node::new("result").child(Node::new("contact").child(error));
        let answer = Node::new("iq").child(Node::new("usync").child(result).child(Node::new("list")));
        let query = LookupQuery { numbers: &[], by_lid: false };
        assert_eq!(query.parse(answer.view()), Ok(LookupAnswer::Refused { code: 429, backoff: Some(120) }));
    }
}
