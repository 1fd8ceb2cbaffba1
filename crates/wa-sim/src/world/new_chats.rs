//! What stands against an account's new chats: a lock for a time, and a cap on how many (chapters 05 §5.7, 09c §5).
//!
//! Both are kept beside the account's standing, since an account may have either or both and still log in. The
//! account's companions are told of every change by `mex`, and learn it from their own questions (`iq::mex`).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wa_binary::Jid;

use super::{AccountId, DeviceKey, World};
use crate::stanza::{el, notification};

/// The lock that the phone does not have.
const COMPANIONS_ONLY: &str = "WEB_COMPANION_ONLY";

/// First contacts are answered 463.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeLock {
    /// Ends then (seconds since 1970); without, nobody says when.
    pub until: Option<u64>,
    /// `enforcement_type`, such as `DEFAULT`.
    pub kind: String,
}

/// So many new chats in a cycle; then they are answered 475.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cap {
    /// New chats that the cycle allows.
    pub total: u32,
    /// New chats that were begun.
    pub used: u32,
    /// The cycle (seconds since 1970): its begin and its end, after which nothing is capped.
    pub cycle: (u64, u64),
}

/// What `capping_status` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Capping {
    #[default]
    None,
    /// Half is used.
    FirstWarning,
    /// Nine tenths are used.
    SecondWarning,
    Capped,
}

impl Capping {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::FirstWarning => "FIRST_WARNING",
            Self::SecondWarning => "SECOND_WARNING",
            Self::Capped => "CAPPED",
        }
    }
}

/// Both, of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewChats {
    /// The lock.
    pub lock: Option<TimeLock>,
    /// The cap.
    pub cap: Option<Cap>,
}

impl NewChats {
    /// The lock, while it holds.
    pub(crate) fn locked(&self, now_s: u64) -> Option<&TimeLock> {
        self.lock.as_ref().filter(|lock| lock.until.is_none_or(|until| now_s < until))
    }

    /// The cap, while its cycle lasts, and how far it is used up.
    pub(crate) fn capped(&self, now_s: u64) -> Option<(Cap, Capping)> {
        let cap = self.cap.filter(|cap| now_s < cap.cycle.1)?;
        let (used, total) = (u64::from(cap.used), u64::from(cap.total));
        let status = if used >= total {
            Capping::Capped
        } else if used * 10 >= total * 9 {
            Capping::SecondWarning
        } else if used * 2 >= total {
            Capping::FirstWarning
        } else {
            Capping::None
        };
        Some((cap, status))
    }

    /// What the question for the lock is answered with.
    pub(crate) fn lock_json(&self, now_s: u64) -> Value {
        match self.locked(now_s) {
            None => {
                json!({ "is_active": false, "enforcement_type": "DEFAULT", "time_enforcement_ends": "0" })
            }
            Some(TimeLock { until: None, kind }) => json!({ "is_active": true, "enforcement_type": kind }),
            Some(TimeLock { until: Some(until), kind }) => json!({
                "is_active": true, "enforcement_type": kind, "time_enforcement_ends": until.to_string(),
            }),
        }
    }

    /// What the question for the cap is answered with.
    pub(crate) fn cap_json(&self, now_s: u64) -> Value {
        let Some((cap, status)) = self.capped(now_s) else {
            return json!({
                "capping_status": "NONE", "ote_status": "NOT_ELIGIBLE", "mv_status": "NOT_ELIGIBLE",
                "server_sent_timestamp": now_s,
            });
        };
        json!({
            "capping_status": status.name(),
            "ote_status": "NOT_ELIGIBLE",
            "mv_status": "NOT_ELIGIBLE",
            "total_quota": cap.total,
            "used_quota": cap.used,
            "cycle_start_timestamp": cap.cycle.0,
            "cycle_end_timestamp": cap.cycle.1,
            "server_sent_timestamp": now_s,
        })
    }
}

impl World {
    /// Bars an account from new chats, or no longer; its companions are told.
    pub fn set_time_lock(&mut self, now_ms: u64, id: AccountId, lock: Option<TimeLock>) {
        self.now_ms = now_ms;
        self.account_mut(id).new_chats.lock = lock;
        let json = self.account(id).new_chats.lock_json(self.now_s());
        let field = "xwa2_notify_account_reachout_timelock";
        self.tell_mex(id, "NotificationUserReachoutTimelockUpdate", field, &json);
    }

    /// Caps an account's new chats, or no longer; its companions are told.
    pub fn set_cap(&mut self, now_ms: u64, id: AccountId, cap: Option<Cap>) {
        self.now_ms = now_ms;
        self.account_mut(id).new_chats.cap = cap;
        self.tell_cap(id);
    }

    /// Why a first contact is refused, if it is.
    pub(crate) fn new_chat_refusal(&self, from: DeviceKey) -> Option<u32> {
        let (new_chats, now_s) = (&self.account(from.account).new_chats, self.now_s());
        let spared = |kind: &str| kind == COMPANIONS_ONLY && from.device == 0;
        if new_chats.locked(now_s).is_some_and(|lock| !spared(&lock.kind)) {
            return Some(463);
        }
        let full = new_chats.capped(now_s).is_some_and(|(_, status)| status == Capping::Capped);
        full.then_some(475)
    }

    /// A new chat was begun.
    pub(crate) fn count_new_chat(&mut self, id: AccountId) {
        if let Some(cap) = &mut self.account_mut(id).new_chats.cap {
            cap.used = cap.used.saturating_add(1);
        }
    }

    pub(crate) fn capping(&self, id: AccountId) -> Capping {
        self.account(id).new_chats.capped(self.now_s()).map(|(_, status)| status).unwrap_or_default()
    }

    pub(crate) fn tell_cap(&mut self, id: AccountId) {
        let json = self.account(id).new_chats.cap_json(self.now_s());
        let field = "xwa2_notify_new_chat_messages_capping_info_update";
        self.tell_mex(id, "MessageCappingInfoNotification", field, &json);
    }

    /// `<notification type="mex">` to the account's companions.
    fn tell_mex(&mut self, id: AccountId, operation: &str, field: &str, value: &Value) {
        let json = json!({ "data": { field: value } }).to_string();
        for device in self.device_keys(id).into_iter().filter(|device| device.device != 0) {
            let note = self.fresh_id();
            let update = el("update").attr("op_name", operation).bytes(json.clone().into_bytes());
            let node = notification("mex", &Jid::SERVER, &note, self.now_s()).child(update);
            self.deliver(device, crate::offline::Class::Notification, node, super::Copy::Others);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_warns_at_half_and_at_nine_tenths_and_ends_with_its_cycle() {
        let status = |used, now_s| {
            let new_chats = NewChats { cap: Some(Cap { total: 20, used, cycle: (0, 100) }), lock: None };
            new_chats.capped(now_s).map(|(_, status)| status)
        };
        let seen: Vec<_> = [0, 9, 10, 17, 18, 19, 20, 21].map(|used| status(used, 99)).into();
        let all = [Capping::None, Capping::FirstWarning, Capping::SecondWarning, Capping::Capped];
        assert_eq!(seen, [0, 0, 1, 1, 2, 2, 3, 3].map(|at| Some(all[at])));
        assert_eq!(status(20, 100), None);
    }
}
