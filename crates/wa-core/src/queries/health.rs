//! What the server says of the account's standing (chapter 09c §5): the time-lock on new chats and the cap on them. The
//! answer to a query and the notification carry the same object.

use compact_str::CompactString;
use serde_json::{Map, Value};
use wa_binary::NodeRef;

use super::mex::{data, number, text};
use super::{MexError, QueryError};

/// Seconds that a lock without an end is taken to last.
const UNSTATED_END: u64 = 60;

/// Whether the account is barred from starting new chats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timelock {
    /// Until when, seconds; none when it is not barred.
    pub until: Option<u64>,
    /// Why, in the server's words: `DEFAULT`, `WEB_COMPANION_ONLY`, `BIZ_QUALITY` and others.
    pub kind: CompactString,
}

impl Timelock {
    const QUERY: &'static str = "xwa2_fetch_account_reachout_timelock";
    pub(crate) const PUSH: &'static str = "xwa2_notify_account_reachout_timelock";

    /// Reads the answer to the query. `now` is for a lock that does not say when it ends: a minute from now, when to
    /// ask again.
    ///
    /// # Errors
    /// When the operation failed, and when its field is missing or null.
    pub fn parse(iq: NodeRef<'_>, now: u64) -> Result<Self, QueryError> {
        Ok(Self::of(&data(iq)?, Self::QUERY, now)?)
    }

    pub(crate) fn of(data: &Map<String, Value>, field: &'static str, now: u64) -> Result<Self, MexError> {
        let info = object(data, field)?;
        let kind = info.get("enforcement_type").and_then(text);
        if info.get("is_active").and_then(Value::as_bool) != Some(true) {
            return Ok(Self { until: None, kind: "DEFAULT".into() });
        }
        let end = info.get("time_enforcement_ends").and_then(number).filter(|end| *end > 0);
        let until = end.unwrap_or_else(|| now.saturating_add(UNSTATED_END));
        Ok(Self { until: Some(until), kind: kind.unwrap_or_else(|| "DEFAULT".into()) })
    }
}

/// How many new chats the account may still start. Nothing of it needs to be stated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capping {
    /// `NONE`, `FIRST_WARNING`, `SECOND_WARNING`, `CAPPED`.
    pub status: Option<CompactString>,
    /// Whether the cap can be lifted once.
    pub one_time_extension: Option<CompactString>,
    /// Whether a paid verification lifts it.
    pub verification: Option<CompactString>,
    /// New chats a cycle.
    pub total: Option<u64>,
    /// Of these used.
    pub used: Option<u64>,
    /// When the cycle began, seconds.
    pub cycle_start: Option<u64>,
    /// When it ends, seconds; the cap is over then.
    pub cycle_end: Option<u64>,
    /// When the server said so, seconds.
    pub stated_at: Option<u64>,
}

impl Capping {
    const QUERY: &'static str = "xwa2_message_capping_info";
    pub(crate) const PUSH: &'static str = "xwa2_notify_new_chat_messages_capping_info_update";

    /// Reads the answer to the query.
    ///
    /// # Errors
    /// When the operation failed, and when its field is missing or null: that is no word about the cap.
    pub fn parse(iq: NodeRef<'_>) -> Result<Self, QueryError> {
        Ok(Self::of(&data(iq)?, Self::QUERY)?)
    }

    pub(crate) fn of(data: &Map<String, Value>, field: &'static str) -> Result<Self, MexError> {
        let info = object(data, field)?;
        let word = |name: &str| info.get(name).and_then(text);
        let count = |name: &str| info.get(name).and_then(number);
        Ok(Self {
            status: word("capping_status"),
            one_time_extension: word("ote_status"),
            verification: word("mv_status"),
            total: count("total_quota"),
            used: count("used_quota"),
            cycle_start: count("cycle_start_timestamp"),
            cycle_end: count("cycle_end_timestamp"),
            stated_at: count("server_sent_timestamp"),
        })
    }

    /// New chats that are left, when both counts are known.
    pub fn remaining(&self) -> Option<u64> {
        Some(self.total?.saturating_sub(self.used?))
    }
}

fn object<'d>(data: &'d Map<String, Value>, field: &'static str) -> Result<&'d Map<String, Value>, MexError> {
    data.get(field).and_then(Value::as_object).ok_or(MexError::MissingField(field))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lock(info: &Value) -> Result<Timelock, MexError> {
        let data = json!({ Timelock::QUERY: info });
        Timelock::of(data.as_object().unwrap(), Timelock::QUERY, 1000)
    }

    #[test]
    fn a_lock_without_an_end_lasts_a_minute_and_null_is_no_answer() {
        for ends in [json!({}), json!({"time_enforcement_ends": "0"})] {
            let mut info = ends;
            info["is_active"] = json!(true);
            assert_eq!(lock(&info).unwrap().until, Some(1060));
        }
        let info = json!({"is_active": true, "time_enforcement_ends": 5000, "enforcement_type": "NEW"});
        assert_eq!(lock(&info).unwrap(), Timelock { until: Some(5000), kind: "NEW".into() });
        let clear = json!({"is_active": false, "enforcement_type": "NEW", "time_enforcement_ends": "5000"});
        assert_eq!(lock(&clear).unwrap(), Timelock { until: None, kind: "DEFAULT".into() });
        assert_eq!(lock(&Value::Null), Err(MexError::MissingField(Timelock::QUERY)));
    }

    #[test]
    fn more_used_than_there_are_leaves_none() {
        let capping = Capping { total: Some(5), used: Some(9), ..Capping::default() };
        assert_eq!(capping.remaining(), Some(0));
        assert_eq!(Capping { total: Some(5), ..Capping::default() }.remaining(), None);
    }
}
