//! What the server answers (chapter 09 and its parts): one file per kind of query, parsers without state. A bad element
//! of a list is left out, the rest survives; what the text marks as all-or-nothing is an error.

mod business;
mod devices;
mod group;
mod group_results;
mod health;
mod iq;
mod links;
mod mapping;
mod mex;
mod newsletter;
mod picture;
mod privacy;
mod props;
mod usync;
mod usync_user;

pub use business::VerifiedName;
pub use devices::{AcceptedDevices, DeviceList, ListedDevice};
pub use group::{GroupAnswer, GroupDescription, GroupInfo, GroupKind, GroupMember, Role};
pub use group_results::{
    GroupJoin, InviteToken, JoinRequest, ParticipantResult, join_requests, participant_results,
};
pub use health::{Capping, Timelock};
pub use iq::{IqError, reply};
pub use links::{CallLink, CallMedia, ContactLink};
pub use mapping::Mapping;
pub use mex::{MexError, data as mex_data};
pub use newsletter::{NewsletterPost, posts};
pub use picture::Picture;
pub use privacy::{Blocked, Blocklist, PrivacySetting, PrivacySettings};
pub use props::Props;
pub use usync::{UsernameLookup, UsyncAnswer};
pub use usync_user::{About, BotProfile, Contact, DisappearingMode, TextStatus, UsyncUser};

pub(crate) use devices::key_indexes;
pub(crate) use group::{approval, family};
pub(crate) use mex::{number as json_number, payload as mex_payload, text as json_text};

use compact_str::CompactString;
use thiserror::Error;
use wa_binary::FieldError;

/// Why a query has no answer.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The server refused.
    #[error(transparent)]
    Refused(#[from] IqError),
    /// The operation on the graph failed.
    #[error(transparent)]
    Mex(#[from] MexError),
    /// Something that must be there is missing or of another form.
    #[error(transparent)]
    Malformed(#[from] FieldError),
    /// Neither a result nor an error.
    #[error("a reply of type {0:?}")]
    UnexpectedType(CompactString),
}

impl QueryError {
    /// The server's code, when it gave one.
    pub fn code(&self) -> Option<u32> {
        match self {
            Self::Refused(error) => Some(error.code),
            Self::Mex(MexError::Failed { code, .. }) => Some(*code),
            _ => None,
        }
    }
}
