//! The stored form of a durable event: a version byte, then postcard. Old versions load for ever.

use serde::{Deserialize, Serialize};
use wa_store::{Bytes, ChatKey};

use super::Kind;
use crate::app_state::SettingChanged;
use crate::calls::CallEvent;
use crate::identity::{ChatRef, Peer};
use crate::media::LateFile;
use crate::messages::placeholder::Missing;
use crate::messages::types::{Receipt, StoredAddOn, StoredMessage};

const VERSION: u8 = 1;

/// A durable event. Variants are only added at the end: their order is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum StoredEvent {
    Linked(Peer),
    AccountChanged { before: Peer, now: Peer },
    LoggedOut,
    Message(Box<StoredMessage>),
    Undecryptable { chat: ChatRef, sender: Peer, id: String },
    Receipt(Receipt),
    ChatsMerged { kept: ChatRef, alias: ChatKey },
    IdentityChanged(Peer),
    AddOn(Box<StoredAddOn>),
    Call(CallEvent),
    Setting(Box<SettingChanged>),
    Missing { chat: ChatRef, sender: Peer, id: String, why: Missing },
    LateFile(Box<LateFile>),
}

/// A stored event cannot be read: it was written by a newer version, or it is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stored event of version {version:?} cannot be read")]
pub(crate) struct UnreadableEvent {
    version: Option<u8>,
}

impl StoredEvent {
    pub(crate) fn encode(&self) -> Bytes {
        // Writing to memory cannot fail; a text as long as memory would have failed before.
        postcard::to_extend(self, vec![VERSION]).unwrap_or_default().into()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, UnreadableEvent> {
        match bytes.split_first() {
            Some((&VERSION, rest)) => {
                postcard::from_bytes(rest).map_err(|_| UnreadableEvent { version: Some(VERSION) })
            }
            other => Err(UnreadableEvent { version: other.map(|(version, _)| *version) }),
        }
    }
}

impl From<StoredEvent> for Kind {
    fn from(event: StoredEvent) -> Self {
        match event {
            StoredEvent::Linked(me) => Self::Linked(me),
            StoredEvent::AccountChanged { before, now } => Self::AccountChanged { before, now },
            StoredEvent::LoggedOut => Self::LoggedOut,
            StoredEvent::Message(message) => Self::Message(Box::new((*message).into())),
            StoredEvent::Undecryptable { chat, sender, id } => Self::Undecryptable { chat, sender, id },
            StoredEvent::Receipt(receipt) => Self::Receipt(receipt),
            StoredEvent::ChatsMerged { kept, alias } => Self::ChatsMerged { kept, alias },
            StoredEvent::IdentityChanged(peer) => Self::IdentityChanged(peer),
            StoredEvent::AddOn(add_on) => Self::Message(Box::new((*add_on).into())),
            StoredEvent::Call(call) => Self::Call(call),
            StoredEvent::Missing { chat, sender, id, why } => Self::Missing { chat, sender, id, why },
            StoredEvent::LateFile(late) => Self::LateFile(late),
            StoredEvent::Setting(setting) => Self::Setting(setting),
        }
    }
}
