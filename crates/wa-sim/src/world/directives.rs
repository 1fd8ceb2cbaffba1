//! Account switches, and the directives inside a push name that set them (chapter 10 §8.1).
//!
//! A client whose only influence is its push name asks with `restricted:<name>` or `scenario:<flag>,<flag>:<name>`.
//! The admin API sets the same switches.

use serde::{Deserialize, Serialize};

use crate::phone::{AppStateFault, HistoryFault};

/// Switches of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// A first contact needs a valid token (§8).
    pub restricted: bool,
    /// As a receiver, accepts a `tctoken` that it issued.
    pub tc_enabled: bool,
    /// As a receiver, accepts a `cstoken` made from the sender's salt.
    pub cs_enabled: bool,
    /// AB prop 24941.
    pub nct_send_ab: bool,
    /// AB prop 25189.
    pub nct_history_ab: bool,
    /// AB prop 25253.
    pub nct_syncd_ab: bool,
    /// The phone sends the salt in the bootstrap history.
    pub nct_history_delivery: bool,
    /// The phone sends the salt by app state.
    pub nct_syncd_delivery: bool,
    /// Old style: the account has no LID.
    pub no_lid: bool,
    /// Business account.
    pub biz: bool,
    /// The companion is hosted (device 99).
    pub hosted: bool,
    /// No chats in the bootstrap history.
    pub empty_history: bool,
    /// Made-up chats of 50 messages each in the history.
    pub big_history: u32,
    /// One-time keys that the phone uploads.
    pub prekeys: Option<u32>,
    /// Nobody learns the number behind the LID.
    pub hide_pn: bool,
    /// What `usync` says of the devices.
    pub device_list: DeviceListing,
    /// `usync` answers this protocol of the account with an error, and says when to come back (s).
    pub usync_error: Option<(String, u32, Option<u32>)>,
    /// What goes wrong with the history of its companions.
    pub history_fault: Option<HistoryFault>,
    /// The phone answers none of its companions' requests (history on demand, lost messages, recovery of app state).
    pub peer_data_ignored: bool,
    /// What goes wrong with its app state.
    pub app_state_fault: Option<AppStateFault>,
    /// In which form `w:mex` answers it.
    pub mex_form: MexForm,
}

/// In which form an account gets the answers of `w:mex` (chapter 09c §1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MexForm {
    /// Numbers as the operation usually has them.
    #[default]
    Usual,
    /// Every number as a number.
    Numbers,
    /// Every number as text.
    Strings,
    /// Said to be in the binary form that only native clients read.
    Argo,
    /// An error with this code.
    Error(u32),
}

/// How `usync` answers for the devices of an account (chapter 10 §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceListing {
    /// As it is.
    #[default]
    Whole,
    /// Without the signed key-index list.
    NoKeyIndex,
    /// With the signed list before the last one.
    StaleKeyIndex,
    /// No device at all.
    Empty,
    /// The account is left out of the answer.
    Omitted,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            restricted: false,
            tc_enabled: true,
            cs_enabled: true,
            nct_send_ab: true,
            nct_history_ab: true,
            nct_syncd_ab: true,
            nct_history_delivery: true,
            nct_syncd_delivery: true,
            no_lid: false,
            biz: false,
            hosted: false,
            empty_history: false,
            big_history: 0,
            prekeys: None,
            hide_pn: false,
            device_list: DeviceListing::default(),
            usync_error: None,
            history_fault: None,
            peer_data_ignored: false,
            app_state_fault: None,
            mex_form: MexForm::Usual,
        }
    }
}

impl Switches {
    /// Reads the directives of a push name; also the flags that it did not know, for the log.
    #[must_use]
    pub fn from_push_name(push_name: &str) -> (Self, Vec<String>) {
        let mut switches = Self::default();
        let mut unknown = Vec::new();
        if push_name.strip_prefix("restricted:").is_some() {
            switches.restricted = true;
        } else if let Some((flags, _)) =
            push_name.strip_prefix("scenario:").and_then(|rest| rest.split_once(':'))
        {
            for flag in flags.split(',').map(str::trim).filter(|flag| !flag.is_empty()) {
                if !switches.set(flag) {
                    unknown.push(flag.to_owned());
                }
            }
        }
        (switches, unknown)
    }

    /// The name that people see: the push name without its directives.
    #[must_use]
    pub fn display_name(push_name: &str) -> &str {
        if let Some(name) = push_name.strip_prefix("restricted:") {
            return name;
        }
        match push_name.strip_prefix("scenario:").and_then(|rest| rest.split_once(':')) {
            Some((_, name)) => name,
            None => push_name,
        }
    }

    fn set(&mut self, flag: &str) -> bool {
        let (name, value) = flag.split_once('=').unwrap_or((flag, "1"));
        let Ok(number) = value.parse::<u32>() else { return false };
        let on = number != 0;
        match name {
            "restricted" => self.restricted = on,
            "tc_enabled" => self.tc_enabled = on,
            "cs_enabled" => self.cs_enabled = on,
            "nct_send_ab" => self.nct_send_ab = on,
            "nct_history_ab" => self.nct_history_ab = on,
            "nct_syncd_ab" => self.nct_syncd_ab = on,
            "nct_history_delivery" => self.nct_history_delivery = on,
            "nct_syncd_delivery" => self.nct_syncd_delivery = on,
            "no_lid" => self.no_lid = on,
            "biz" => self.biz = on,
            "hosted" => self.hosted = on,
            "hide_pn" => self.hide_pn = on,
            "empty_history" => self.empty_history = on,
            "big_history" => self.big_history = number,
            "prekeys" => self.prekeys = Some(number),
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_set_switches_and_unknown_flags_are_reported() {
        let (switches, unknown) = Switches::from_push_name("scenario:restricted,cs_enabled=0,moon:Ada");
        assert!(switches.restricted && !switches.cs_enabled && switches.tc_enabled);
        assert_eq!(unknown, ["moon"]);
        assert!(Switches::from_push_name("restricted:Ada").0.restricted);
        assert_eq!(Switches::from_push_name("Ada: the first").0, Switches::default());
        assert_eq!(Switches::display_name("scenario:no_lid:Ada"), "Ada");
        assert_eq!(Switches::display_name("scenario:Ada"), "scenario:Ada");
    }
}
