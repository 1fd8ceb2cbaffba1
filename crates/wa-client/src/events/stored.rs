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
/// Of a row with several events, each behind its length and with its own version byte.
const SEVERAL: u8 = 2;
/// Bytes of such a length.
const LENGTH: usize = 4;
/// What most events fit in.
const ROOM: usize = 256;

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
        self.append_to(Vec::with_capacity(ROOM)).into()
    }

    fn append_to(&self, mut out: Vec<u8>) -> Vec<u8> {
        out.push(VERSION);
        // Writing to memory cannot fail; a text as long as memory would have failed before.
        postcard::to_extend(self, out).unwrap_or_default()
    }

    /// The events of a row; one alone stands as it is.
    pub(crate) fn encode_all(events: &[Self]) -> Bytes {
        if let [one] = events {
            return one.encode();
        }
        let mut row = Vec::with_capacity(events.len() * ROOM);
        row.push(SEVERAL);
        for event in events {
            let at = row.len();
            row.extend_from_slice(&[0; LENGTH]);
            row = event.append_to(row);
            let length = u32::try_from(row.len().saturating_sub(at + LENGTH)).unwrap_or(u32::MAX);
            if let Some(place) = row.get_mut(at..at + LENGTH) {
                place.copy_from_slice(&length.to_le_bytes());
            }
        }
        row.into()
    }

    /// The events of a row, each still encoded. A length past the end takes what there is.
    pub(crate) fn split(row: &Bytes) -> Vec<Bytes> {
        if row.first() != Some(&SEVERAL) {
            return vec![row.clone()];
        }
        let (mut events, mut at) = (Vec::new(), 1);
        while let Some((length, rest)) = row.get(at..).and_then(|rest| rest.split_first_chunk::<LENGTH>()) {
            let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX).min(rest.len());
            at += LENGTH;
            events.push(row.slice(at..at + length));
            at += length;
        }
        events
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_gives_its_events_one_by_one() {
        let call = || StoredEvent::LoggedOut;
        let alone = StoredEvent::encode_all(&[call()]);
        assert_eq!(StoredEvent::split(&alone), [call().encode()]);
        let row = StoredEvent::encode_all(&[call(), StoredEvent::Linked(Peer::default()), call()]);
        let events = StoredEvent::split(&row);
        assert_eq!(events.len(), 3);
        assert_eq!(StoredEvent::decode(&events[1]), Ok(StoredEvent::Linked(Peer::default())));
        for cut in 0..row.len() {
            assert!(StoredEvent::split(&row.slice(..cut)).len() <= 3);
        }
    }
}
