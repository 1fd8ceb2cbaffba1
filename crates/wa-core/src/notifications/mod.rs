//! What the server says unasked (chapter 09 §3, §4 and its parts): notifications, bulletins, presence, typing. One file
//! per kind, parsers without state; what needs state takes it as an argument and says what becomes of it.
//!
//! A notification that cannot be read is acknowledged all the same, else it comes back for ever.

mod account_sync;
mod business;
mod contact_hash;
mod contacts;
mod devices;
mod encrypt;
mod group;
mod group_action;
mod ib;
mod mex;
mod newsletter;
mod presence;
mod privacy_token;
mod profile;
mod registration;
mod server_sync;

pub use account_sync::{AccountChange, AccountSync, BlockAction};
pub use business::BusinessChange;
pub use contact_hash::ContactHash;
pub use contacts::ContactsChange;
pub use devices::{AppliedDevices, DeviceChange, DeviceRecord, DevicesNotification};
pub use encrypt::EncryptNotification;
pub use group::GroupNotification;
pub use group_action::{GroupAction, LinkedGroup};
pub use ib::{Bulletin, OfflinePreview};
pub use mex::{MexUpdate, mex_updates};
pub use newsletter::LiveUpdate;
pub use presence::{ChatState, LastSeen, Presence, Typing};
pub use privacy_token::PrivacyToken;
pub use profile::{AboutChange, PictureChange, TimerChange};
pub use registration::RegistrationNotice;
pub use server_sync::{SyncPlan, VersionedCollection, collections};
