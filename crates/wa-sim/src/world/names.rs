//! How the log names people, devices and chats: one line for each event that a person understands (chapter 10 §1).

use wa_binary::Jid;

use super::{DeviceKey, World};

impl World {
    /// `Ada's phone`, `Ada's companion 2`.
    pub(crate) fn who(&self, key: DeviceKey) -> String {
        let account = self.account(key.account);
        let name = if account.name.is_empty() { format!("+{}", account.pn) } else { account.name.clone() };
        match key.device {
            0 => format!("{name}'s phone"),
            device => format!("{name}'s companion {device}"),
        }
    }

    /// A person by name, a group by its subject.
    pub(crate) fn chat_name(&self, jid: &Jid) -> String {
        if jid.is_status() {
            return "the status".to_owned();
        }
        if let Some(group) = self.find_group(jid) {
            return format!("the group {:?}", group.subject.0);
        }
        match self.find(jid).map(|account| self.account(account)) {
            Some(account) if !account.name.is_empty() => account.name.clone(),
            _ => jid.to_string(),
        }
    }
}
