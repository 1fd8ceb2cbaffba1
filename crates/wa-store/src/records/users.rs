//! Who is who, and with which devices: LID and phone number, device lists, privacy tokens (chapters 04 §10, §20; 09a).

use bytes::Bytes;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::record;
use crate::UnixTime;
use crate::address::User;

/// Where a LID and a phone number were seen together. What was learnt live is never replaced by history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum MappingSource {
    /// A history blob or a migration list.
    History,
    /// An answer to our question.
    Query,
    /// A stanza of the person.
    Live,
    /// Our own account, from linking or login.
    Own,
}

/// The LID of a phone number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LidRecord {
    /// The LID.
    pub lid: User,
    /// Where it was learnt.
    pub source: MappingSource,
    /// When.
    pub learnt: UnixTime,
}

/// The phone number of a LID.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PnRecord {
    /// The phone number as a user.
    pub pn: User,
    /// Where it was learnt.
    pub source: MappingSource,
    /// When.
    pub learnt: UnixTime,
}

/// The devices of a user as last heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceList {
    /// The devices, phone included.
    pub devices: Vec<DeviceEntry>,
    /// The server's hash of the list, sent with a conditional query.
    pub hash: Option<CompactString>,
    /// ADV raw id: another one means that the person has registered anew.
    pub raw_id: Option<u32>,
    /// The list's own timestamp.
    pub timestamp: Option<UnixTime>,
    /// When it was fetched or confirmed.
    pub fetched: UnixTime,
    /// Rises with every change; a plan that was made with another version is stale.
    pub version: u64,
}

/// One device of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceEntry {
    /// Its number.
    pub id: u16,
    /// Its ADV key index.
    pub key_index: Option<u32>,
    /// Whether it is hosted (the cloud of a business).
    pub hosted: bool,
}

/// A trusted-contact token (04 §20.1).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PrivacyToken {
    /// What they gave us; empty if nothing yet.
    pub token: Bytes,
    /// Its time.
    pub timestamp: Option<UnixTime>,
    /// When we last gave them one.
    pub issued: Option<UnixTime>,
}

record!(LidRecord, PnRecord, DeviceList, PrivacyToken);
