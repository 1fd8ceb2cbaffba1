//! What the application hears of the account's shared settings (chapter 07 §8, §10).

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use wa_store::{Bytes, UnixTime};

use crate::broadcasts::BroadcastList;
use crate::identity::{ChatRef, Peer};

/// A setting that another device of the account has changed, or that was there when this one was linked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SettingChanged {
    /// What it is now.
    pub setting: Setting,
    /// Where this comes from.
    pub source: Source,
    /// When the setting was made, as the device that made it says.
    pub at: Option<UnixTime>,
    /// Wire name of the collection.
    pub collection: CompactString,
    /// Name and arguments of the setting as they stand on the wire; empty when they cannot be read.
    pub index: Vec<String>,
    /// `SyncActionValue` as it came; none for a setting that was taken back without one.
    pub original: Option<Bytes>,
}

/// Where news about a setting come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Source {
    /// All settings were read: this one may have been so for long.
    Full,
    /// It was changed just now, or while this device was away.
    Change,
    /// The phone has sent all settings in plain, because this device's own copy was damaged.
    Recovery,
}

/// A setting. More of them get a form of their own with time; until then they are [`Other`](Self::Other).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Setting {
    /// What the account calls itself.
    PushName(String),
    /// Language and country of the phone, e.g. `en_GB`.
    Locale(String),
    /// Somebody is in the address book, under these names.
    Contact {
        /// Who.
        peer: Peer,
        /// Full name.
        full: Option<String>,
        /// First name.
        first: Option<String>,
    },
    /// Somebody was taken out of the address book.
    ContactRemoved(Peer),
    /// A chat is muted until a time, or not muted any more.
    Muted {
        /// Which.
        chat: ChatRef,
        /// Until when.
        until: Mute,
    },
    /// A chat is pinned, or not any more.
    Pinned {
        /// Which.
        chat: ChatRef,
        /// Whether it is.
        pinned: bool,
    },
    /// A chat is archived, or not any more.
    Archived {
        /// Which.
        chat: ChatRef,
        /// Whether it is.
        archived: bool,
    },
    /// A chat was read on another device, or marked as unread there.
    MarkedRead {
        /// Which.
        chat: ChatRef,
        /// False for marked as unread.
        read: bool,
    },
    /// Anything else: see [`index`](SettingChanged::index) and [`original`](SettingChanged::original).
    Other {
        /// False when it was taken back.
        is_set: bool,
        /// Version of the action.
        version: i32,
    },
    /// A broadcast list of a business account was made or changed.
    BroadcastList(BroadcastList),
    /// A broadcast list was deleted, under this name in the settings.
    BroadcastListRemoved(String),
}

/// How long a chat is muted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Mute {
    /// It is not.
    #[default]
    Not,
    /// Until then.
    Until(UnixTime),
    /// For ever.
    Always,
}

/// What the phone keeps of a chat, as far as this device was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatState {
    /// Whether it is archived.
    pub archived: bool,
    /// When it was pinned; none when it is not.
    pub pinned: Option<UnixTime>,
    /// Whether it is muted.
    pub muted: Mute,
    /// Somebody marked it as unread by hand.
    pub marked_unread: bool,
    /// Unread messages when the device was linked, as the phone counted them; 0 once the chat was read.
    pub unread: u32,
}

/// How a collection of settings stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CollectionStatus {
    /// Wire name.
    pub name: &'static str,
    /// Version of the last change that was read; 0 when it was never read.
    pub version: u64,
    /// Whether it can be trusted.
    pub state: CollectionState,
}

/// Whether a collection of settings can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CollectionState {
    /// It was not read yet, or there is nothing in it.
    Unread,
    /// Everything that was told is in it.
    InOrder,
    /// Something was announced that was not read yet: a key is missing, the server is busy, or it is being read.
    Behind,
    /// Its sum does not agree with that of the other devices; it is repaired when the phone allows.
    Diverged,
}
