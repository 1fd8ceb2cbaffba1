//! Whom a row is about: users, devices, chats, as the protocol writes them (chapters 03 and 04 §10).
//! The store does not interpret them beyond equality and order; who makes them has parsed a JID before.

use std::fmt;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(CompactString);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<T: Into<CompactString>> From<T> for $name {
            fn from(text: T) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.0.as_str(), f)
            }
        }
    };
}

text_type! {
    /// A person or bot without a device: `user@server`, the server being `s.whatsapp.net`, `lid`, `hosted`,
    /// `hosted.lid` or `bot`.
    User
}

text_type! {
    /// A chat as the wire names it: a [`User`], a group, a broadcast list, a newsletter.
    Chat
}

/// A device of a user: the Signal address (chapter 04 §10), purely local.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Address {
    /// Whose device.
    pub user: User,
    /// Its number; 0 is the phone.
    pub device: u16,
}

impl Address {
    /// The address of `device` of `user`.
    pub fn new(user: impl Into<User>, device: u16) -> Self {
        Self { user: user.into(), device }
    }
}

impl fmt::Display for Address {
    /// `user:device@server`, the protocol's own form; device 0 is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.user.0.split_once('@') {
            Some((user, server)) if self.device != 0 => write!(f, "{user}:{}@{server}", self.device),
            _ => f.write_str(&self.user.0),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// A chat as the application knows it: opaque, local, stable when the chat's addresses change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChatKey(u64);

impl ChatKey {
    /// From the number that [`AccountStore::next_chat_key`](crate::AccountStore::next_chat_key) gave.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number. An older chat has the smaller one.
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// Where an event stands in the account's inbox. Rises with every event, is never used again, survives everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InboxCursor(u64);

impl InboxCursor {
    /// From a number that [`number`](Self::number) gave.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number: the opening's epoch above, the event's place in it below.
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// Where a message stands in the account's outbox: sends go out in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OutboxOrder(u64);

impl OutboxOrder {
    /// From a number that [`number`](Self::number) gave.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number, built like that of an [`InboxCursor`].
    pub const fn number(self) -> u64 {
        self.0
    }
}

macro_rules! number_key {
    ($($name:ident),+) => {$(
        impl crate::key::Key for $name {
            fn write(&self, key: &mut crate::key::KeyWriter) {
                self.0.write(key);
            }
            fn read(key: &mut crate::key::KeyReader<'_>) -> Option<Self> {
                crate::key::Key::read(key).map(Self)
            }
        }
    )+};
}
number_key!(ChatKey, InboxCursor, OutboxOrder);
