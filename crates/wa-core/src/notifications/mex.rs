//! News of the graph (chapter 09c §2): JSON, told apart by the operation's name or else by its field.

use compact_str::CompactString;
use serde_json::{Map, Value};
use wa_binary::{Jid, NodeRef};

use crate::fields::text;
use crate::queries::{Capping, Mapping, MexError, Timelock, json_number, json_text, mex_payload};

/// One update.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum MexUpdate {
    /// Whether new chats are barred.
    Timelock(Timelock),
    /// How many new chats are left.
    Capping(Capping),
    /// Somebody's hidden id is another one now.
    LidChanged {
        /// Before.
        old: Jid,
        /// Now.
        new: Jid,
    },
    /// Somebody has another user name; none when they have none any more.
    Username {
        /// Whose.
        lid: Jid,
        /// The name.
        username: Option<CompactString>,
    },
    /// Somebody's about line.
    TextStatus {
        /// Whose.
        jid: Jid,
        /// The text.
        text: Option<CompactString>,
        /// The emoji in front.
        emoji: Option<CompactString>,
        /// Seconds that it lasts.
        duration: Option<u64>,
        /// When it was set, seconds.
        set_at: Option<u64>,
    },
    /// Addresses that belong together.
    LinkedProfiles(Vec<Mapping>),
    /// Anything else.
    Other {
        /// The operation; empty when it has no name.
        operation: CompactString,
        /// Its data.
        data: Map<String, Value>,
    },
}

/// Reads the updates of a notification, each with its own outcome. `now`, in seconds, is for a lock without an end.
pub fn mex_updates(node: NodeRef<'_>, now: u64) -> Vec<Result<MexUpdate, MexError>> {
    let updates = node.each_child().filter(|child| matches!(child.tag(), "update" | "mex"));
    updates.map(|update| MexUpdate::parse(update, now)).collect()
}

impl MexUpdate {
    fn parse(node: NodeRef<'_>, now: u64) -> Result<Self, MexError> {
        let body = node.optional_bytes().unwrap_or_default();
        let operation = text(node, "op_name").unwrap_or_default();
        if node.is("mex") {
            // The older form names its operation inside and is handed on as it is.
            let Ok(Value::Object(data)) = serde_json::from_slice(&body) else {
                return Err(MexError::NotAnObject);
            };
            let operation = data.get("operation").and_then(json_text).unwrap_or_default();
            return Ok(Self::Other { operation, data });
        }
        let data = mex_payload(&body)?;
        if data.get(Timelock::PUSH).is_some() {
            return Timelock::of(&data, Timelock::PUSH, now).map(Self::Timelock);
        }
        if data.get(Capping::PUSH).is_some() {
            return Capping::of(&data, Capping::PUSH).map(Self::Capping);
        }
        Ok(Self::about_somebody(&data).unwrap_or(Self::Other { operation, data }))
    }

    /// None when a field that is needed is missing: the data is handed on as it is.
    fn about_somebody(data: &Map<String, Value>) -> Option<Self> {
        let (field, info) =
            data.iter().find_map(|(field, info)| Some((field.as_str(), info.as_object()?)))?;
        let jid = |name: &str| info.get(name)?.as_str()?.parse::<Jid>().ok();
        let word = |name: &str| info.get(name).and_then(json_text);
        let count = |name: &str| info.get(name).and_then(json_number);
        Some(match field {
            "xwa2_notify_lid_change" => Self::LidChanged { old: jid("old")?, new: jid("new")? },
            "xwa2_notify_username_on_change" => {
                Self::Username { lid: jid("lid")?, username: Some(word("username")?) }
            }
            "xwa2_notify_username_delete" => Self::Username { lid: jid("lid")?, username: None },
            "xwa2_notify_text_status_on_update" => Self::TextStatus {
                jid: jid("jid")?,
                text: word("text"),
                emoji: info.get("emoji").and_then(|emoji| json_text(emoji.get("content")?)),
                duration: count("ephemeral_duration_sec"),
                set_at: count("last_update_time"),
            },
            "xwa2_notify_linked_profiles" => {
                let lid = jid("jid")?;
                let profiles = info.get("added_profiles")?.as_array()?;
                let other = |profile: &Value| {
                    let named = ["pn", "jid"].iter().find_map(|name| profile.get(name));
                    let other: Jid = named.unwrap_or(profile).as_str()?.parse().ok()?;
                    Mapping::of(&lid, &other)
                };
                Self::LinkedProfiles(profiles.iter().filter_map(other).collect())
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use wa_binary::Node;

    use super::*;

    fn updates(bodies: &[&str]) -> Vec<Result<MexUpdate, MexError>> {
        let children = bodies.iter().map(|body| Node::new("update").attr("op_name", "O").text(*body));
        mex_updates(Node::new("notification").children(children).view(), 0)
    }

    #[test]
    fn each_update_has_its_own_outcome() {
        let read = updates(&[
            r#"{"data":{"xwa2_notify_lid_change":{"old":"200000000000002@lid","new":"200000000000003@lid"}}}"#,
            "nonsense",
            r#"{"data":{"xwa2_notify_lid_change":{"old":"200000000000002@lid"}}}"#,
            r#"{"data":{"xwa2_notify_account_reachout_timelock":null}}"#,
        ]);
        assert!(matches!(read[0], Ok(MexUpdate::LidChanged { .. })));
        assert_eq!(read[1], Err(MexError::NotAnObject));
        assert!(matches!(&read[2], Ok(MexUpdate::Other { operation, .. }) if operation == "O"));
        assert_eq!(read[3], Err(MexError::MissingField(Timelock::PUSH)));
    }

    #[test]
    fn profiles_come_as_text_or_as_objects() {
        let body = r#"{"data":{"xwa2_notify_linked_profiles":{"jid":"200000000000002@lid","added_profiles":
            ["15550100002@s.whatsapp.net",{"pn":"15550100003@s.whatsapp.net"},{"other":1}]}}}"#;
        let read = updates(&[body]).remove(0).unwrap();
        assert!(matches!(read, MexUpdate::LinkedProfiles(mappings) if mappings.len() == 2));
    }
}
