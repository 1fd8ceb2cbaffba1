//! Who somebody is: one person under two addresses (chapter 04 §10), one chat under one local key.

use core::fmt;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use wa_binary::Jid;
use wa_store::{Address, Chat, ChatKey, User};

/// A person, bot or business: one identity, with every form in which it is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Peer {
    /// LID without device.
    pub lid: Option<Jid>,
    /// Phone number without device.
    pub pn: Option<Jid>,
    /// User name.
    pub username: Option<CompactString>,
}

impl Peer {
    /// From one or two addresses of the same person, in any order, with or without device.
    pub(crate) fn of(jid: &Jid, other: Option<&Jid>) -> Self {
        let mut peer = Self::default();
        for jid in core::iter::once(jid).chain(other) {
            let user = jid.account();
            if user.is_lid() {
                peer.lid = Some(user);
            } else if peer.pn.is_none() || user.is_pn() {
                peer.pn = Some(user);
            }
        }
        peer
    }

    /// The address to speak to: the LID where it is known.
    pub fn jid(&self) -> Option<&Jid> {
        self.lid.as_ref().or(self.pn.as_ref())
    }

    /// Whether `jid` is one of the forms of this person, whatever its device.
    pub fn is(&self, jid: &Jid) -> bool {
        let user = jid.account();
        self.lid.as_ref() == Some(&user) || self.pn.as_ref() == Some(&user)
    }
}

/// Prints the phone number if known: not for logs.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pn.as_ref().or(self.lid.as_ref()) {
            Some(jid) => f.write_str(&jid.user()),
            None => f.write_str("?"),
        }
    }
}

impl From<&Jid> for Peer {
    fn from(jid: &Jid) -> Self {
        Self::of(jid, None)
    }
}

/// A chat: the local key that never changes, and the address that the wire uses now.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ChatRef {
    /// Opaque, stored, stable.
    pub key: ChatKey,
    /// A person, group, list or channel.
    pub jid: Jid,
}

/// The store's name of a user.
pub(crate) fn user_row(jid: &Jid) -> User {
    User::from(jid.user_jid().to_text())
}

/// The store's name of a chat.
pub(crate) fn chat_row(jid: &Jid) -> Chat {
    Chat::from(jid.user_jid().to_text())
}

/// The Signal address of a device.
pub(crate) fn address(device: &Jid) -> Address {
    Address::new(user_row(device), device.device())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_named_as_addresses_print() {
        let all = [
            "15550100:3@s.whatsapp.net",
            "100000000000001:7@lid",
            "0@s.whatsapp.net",
            "1555-0100@g.us",
            "status@broadcast",
            "7-15550100@interop",
            "15550100@c.us",
            "15550100.1:2@hosted",
            "12@somewhere.else",
            "g.us",
        ];
        for jid in all.iter().map(|text| text.parse::<Jid>().unwrap()) {
            assert_eq!(user_row(&jid).as_str(), jid.user_jid().to_string());
            assert_eq!(chat_row(&jid).as_str(), jid.user_jid().to_string());
        }
    }
}
