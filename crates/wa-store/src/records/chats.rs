//! People and chats as the application sees them (chapters 08 §5, 09a).

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::record;
use crate::UnixTime;
use crate::address::{Chat, ChatKey, User};

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Contact {
    /// LID, if known.
    pub lid: Option<User>,
    /// Phone number, if known.
    pub pn: Option<User>,
    /// User name, if known.
    pub username: Option<CompactString>,
    /// Names.
    pub names: ContactNames,
    /// Whether the number is registered, and when that was asked; `None` for never.
    pub registered: Option<(bool, UnixTime)>,
}

/// Names of a person, by who gave them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ContactNames {
    /// What they call themselves.
    pub push: Option<CompactString>,
    /// Full name in the phone's address book.
    pub full: Option<CompactString>,
    /// First name in the phone's address book.
    pub first: Option<CompactString>,
    /// Verified business name.
    pub business: Option<CompactString>,
}

/// A chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatRecord {
    /// Names that the wire uses or used for it, the one for sending first.
    pub names: Vec<Chat>,
    /// Title, if the chat has one of its own.
    pub title: Option<CompactString>,
    /// When it was first seen.
    pub created: UnixTime,
    /// Set when the chat turned out to be another one: this key is an alias of the older.
    pub merged_into: Option<ChatKey>,
}

record!(Contact, ChatRecord);
