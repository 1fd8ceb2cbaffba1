//! The phone's message store: what it sent and received, by chat, for history, quotes, resends and read receipts.

use std::collections::BTreeMap;

use bytes::Bytes;
use wa_binary::Jid;
use wa_core::envelope::Meta;

/// Messages that are kept per chat at least; older ones are dropped in one go once there are twice as many.
const MOST_PER_CHAT: usize = 10_000;
/// Sent messages that can be sent again.
const MOST_SENT: usize = 20_000;

/// One message of a chat.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Stored {
    pub(super) id: String,
    /// Author without device, as the stanza named it.
    pub(super) sender: Jid,
    pub(super) from_me: bool,
    /// Seconds.
    pub(super) timestamp: u64,
    /// `Message` protobuf.
    pub(super) message: Bytes,
    pub(super) push_name: Option<String>,
    pub(super) unread: bool,
}

/// What is needed to send a message again (chapter 04 §14.2).
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Sent {
    /// `to` of the stanza.
    pub(super) to: Jid,
    pub(super) message: Bytes,
    pub(super) shape: Shape,
    /// Peer messages go to one own device, unwrapped.
    pub(super) peer: bool,
}

/// Attributes of a message stanza that follow from its content (chapter 05 §4).
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Shape {
    pub(super) stanza_type: String,
    pub(super) media_type: Option<String>,
    pub(super) edit: Option<String>,
    /// `decrypt-fail="hide"`.
    pub(super) hide: bool,
    /// `<meta>`.
    #[serde(with = "crate::state::foreign::one")]
    pub(super) meta: Meta,
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Chats {
    chats: BTreeMap<Jid, Vec<Stored>>,
    sent: BTreeMap<String, Sent>,
    sent_order: std::collections::VecDeque<String>,
    names: BTreeMap<Jid, String>,
    /// Timers of chats with people: seconds, and when they were set (s).
    timers: BTreeMap<Jid, (u32, u64)>,
}

impl Chats {
    pub(super) fn store(&mut self, chat: &Jid, message: Stored) {
        if let Some(name) = message.push_name.as_ref().filter(|name| !name.is_empty() && *name != "-") {
            self.names.insert(message.sender.clone(), name.clone());
        }
        let messages = self.chats.entry(chat.clone()).or_default();
        if messages.len() >= 2 * MOST_PER_CHAT {
            messages.drain(..MOST_PER_CHAT);
        }
        messages.push(message);
    }

    pub(super) fn find(&self, chat: &Jid, id: &str) -> Option<&Stored> {
        self.chats.get(chat)?.iter().rev().find(|message| message.id == id)
    }

    /// A message by its id alone, in whatever chat.
    pub(super) fn find_anywhere(&self, id: &str) -> Option<(&Jid, &Stored)> {
        self.chats.iter().find_map(|(chat, messages)| {
            messages.iter().rev().find(|message| message.id == id).map(|message| (chat, message))
        })
    }

    pub(super) fn remove(&mut self, chat: &Jid, id: &str) {
        if let Some(messages) = self.chats.get_mut(chat) {
            messages.retain(|message| message.id != id);
        }
    }

    pub(super) fn replace(&mut self, chat: &Jid, id: &str, message: Bytes) {
        let stored = self.chats.get_mut(chat).and_then(|messages| messages.iter_mut().find(|it| it.id == id));
        if let Some(stored) = stored {
            stored.message = message;
        }
    }

    /// Unread messages of others by author, oldest first; they count as read from now on.
    pub(super) fn take_unread(&mut self, chat: &Jid) -> BTreeMap<Jid, Vec<String>> {
        let mut unread: BTreeMap<Jid, Vec<String>> = BTreeMap::new();
        for message in self.chats.get_mut(chat).into_iter().flatten().filter(|message| message.unread) {
            message.unread = false;
            unread.entry(message.sender.clone()).or_default().push(message.id.clone());
        }
        unread
    }

    /// The timer of a chat with a person, if it has one.
    pub(super) fn timer(&self, chat: &Jid) -> Option<(u32, u64)> {
        self.timers.get(chat).copied().filter(|(seconds, _)| *seconds > 0)
    }

    pub(super) fn set_timer(&mut self, chat: &Jid, seconds: u32, at_s: u64) {
        self.timers.insert(chat.clone(), (seconds, at_s));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Jid, &Vec<Stored>)> {
        self.chats.iter()
    }

    pub(super) fn chat(&self, chat: &Jid) -> &[Stored] {
        self.chats.get(chat).map_or(&[], Vec::as_slice)
    }

    /// Push names seen on messages, by author.
    pub(super) const fn names(&self) -> &BTreeMap<Jid, String> {
        &self.names
    }

    pub(super) fn keep_sent(&mut self, id: &str, sent: Sent) {
        if self.sent.insert(id.to_owned(), sent).is_none() {
            self.sent_order.push_back(id.to_owned());
        }
        if self.sent_order.len() > MOST_SENT
            && let Some(oldest) = self.sent_order.pop_front()
        {
            self.sent.remove(&oldest);
        }
    }

    pub(super) fn sent(&self, id: &str) -> Option<&Sent> {
        self.sent.get(id)
    }
}
