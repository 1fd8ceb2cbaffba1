//! What the application sees of a link, and what it is asked.

use core::fmt;
use std::time::Duration;

use async_trait::async_trait;
use wa_binary::Jid;
use wa_core::pairing_code::{PairingCode, PairingCodeError};
use wa_store::UnixTime;

use crate::connection::link::RequestError;
use crate::identity::Peer;

/// What is known of an account before it is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Candidate {
    /// Who would be linked.
    pub account: Peer,
    /// Platform of the phone, as the server names it.
    pub platform: String,
    /// Business name, if it is one.
    pub business_name: Option<String>,
}

/// The application's check of an account before it is linked: the right number?
#[async_trait]
pub trait LinkCheck: Send + Sync {
    /// Whether the account may be linked. A refusal is told to the phone.
    async fn accepts(&self, candidate: &Candidate) -> bool;
}

/// A pairing code that a person types into the phone. Prints as `ABCD-1234`.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkingCode {
    /// Until when the phone takes it: 180 seconds.
    pub until: UnixTime,
    /// The number that it was asked for, as an address.
    pub number: Jid,
    pub(super) code: PairingCode,
}

impl LinkingCode {
    /// The eight characters without the dash.
    pub fn characters(&self) -> &str {
        self.code.as_str()
    }
}

impl fmt::Display for LinkingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code.fmt(f)
    }
}

// Whoever knows the code while it is valid can link the device to another phone.
impl fmt::Debug for LinkingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkingCode").field("until", &self.until).finish_non_exhaustive()
    }
}

/// How a pairing code is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CodeOptions {
    /// A code of the application's own choice; drawn when absent.
    pub custom: Option<String>,
    /// Whether the phone shows a notification.
    pub notice: PhoneNotice,
}

impl CodeOptions {
    /// With a code of eight characters out of `123456789ABCDEFGHJKLMNPQRSTVWXYZ`; dashes and case do not matter.
    pub fn custom(code: impl Into<String>) -> Self {
        Self { custom: Some(code.into()), ..Self::default() }
    }

    /// Without a notification on the phone.
    #[must_use]
    pub const fn silent(mut self) -> Self {
        self.notice = PhoneNotice::None;
        self
    }
}

/// Whether the phone is told that a device wants to be linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PhoneNotice {
    /// A push notification that leads to the place where the code is typed.
    #[default]
    Push,
    /// Nothing.
    None,
}

/// Why there is no pairing code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodeError {
    /// The phone number: too short, or without its country code.
    #[error("not a phone number: {0}")]
    Number(#[source] PairingCodeError),
    /// The custom code: not eight characters, or one that does not occur in codes.
    #[error("not a pairing code: {0}")]
    Custom(#[source] PairingCodeError),
    /// The account is linked already, or is just being linked.
    #[error("the account is linked already")]
    AlreadyLinked,
    /// Another code is still valid: cancel it first, or ask for it to be refreshed.
    #[error("another code is outstanding")]
    AlreadyOutstanding {
        /// Until when; `None` while the server is still being asked.
        until: Option<UnixTime>,
    },
    /// There was no code to refresh.
    #[error("no code was asked for")]
    NothingToRefresh,
    /// It was cancelled while the server was asked.
    #[error("cancelled")]
    Cancelled,
    /// The server offered no link within the limit: see the health.
    #[error("the server has offered no link")]
    NoOffer,
    /// The server limits codes for this number or this connection (429).
    #[error("too many codes were asked for")]
    RateLimited {
        /// How long the server wants us to wait, if it said so.
        backoff: Option<Duration>,
    },
    /// The number is not on the service or cannot take codes, or too many codes were asked for it (400).
    #[error("the server does not take the request for this number")]
    BadRequest,
    /// The server forbids it (403).
    #[error("codes are forbidden for this number")]
    Forbidden,
    /// Linking by code is not enabled for the account (452): use the QR code.
    #[error("linking by code is not available for this account")]
    NotAvailable,
    /// The account has as many linked devices as it may have (419).
    #[error("the account has as many linked devices as it may")]
    DeviceLimit,
    /// Anything else.
    #[error(transparent)]
    Request(RequestError),
}

impl CodeError {
    /// Whether asking again later can help.
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::AlreadyOutstanding { .. } | Self::NoOffer | Self::Cancelled => {
                true
            }
            Self::Request(error) => error.is_temporary(),
            _ => false,
        }
    }

    /// What a person can do, in one sentence.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Number(_) => "Give the number with its country code, digits only.",
            Self::Custom(_) => "Use eight characters out of 1-9 and A-Z without I, O and U.",
            Self::AlreadyLinked => "Log the account out first.",
            Self::AlreadyOutstanding { .. } => "Type the code that is shown, or cancel it first.",
            Self::NothingToRefresh | Self::Cancelled => "Ask for a code.",
            Self::NoOffer => "Check the health of the account: it is not connected.",
            Self::RateLimited { .. } => "Wait before asking again, or use the QR code.",
            Self::BadRequest => "Check the number; after several codes wait an hour, or use the QR code.",
            Self::Forbidden | Self::NotAvailable => "Use the QR code.",
            Self::DeviceLimit => "Remove a linked device on the phone and try again.",
            Self::Request(_) => "Try again, or use the QR code.",
        }
    }
}

impl From<RequestError> for CodeError {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Refused { code: 429, backoff, .. } => Self::RateLimited { backoff },
            RequestError::Refused { code: 400, .. } => Self::BadRequest,
            RequestError::Refused { code: 403, .. } => Self::Forbidden,
            RequestError::Refused { code: 419, .. } => Self::DeviceLimit,
            RequestError::Refused { code: 452, .. } => Self::NotAvailable,
            other => Self::Request(other),
        }
    }
}

/// How a pairing code ended without a link.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodeEnd {
    /// Nobody typed it within 180 seconds.
    Expired,
    /// Something was typed, but not this code: the phone fell silent.
    WrongCode,
    /// The server withdrew it.
    Withdrawn {
        /// Whether a person has to ask for the next one.
        by_hand: bool,
    },
    /// The server refused the answer to the phone.
    Refused {
        /// The server's code.
        code: u16,
        /// How long it wants us to wait.
        backoff: Option<Duration>,
    },
    /// The application cancelled it.
    Cancelled,
    /// The connection that it hung on is gone.
    ConnectionLost,
}

/// Something that went wrong about a link while it was still wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkProblem {
    /// The pairing code is over.
    Code(CodeEnd),
    /// The passkey step failed.
    Passkey(PasskeyProblem),
    /// The link was refused: a proof of the phone did not hold, or the application said no.
    Refused(String),
    /// The server offered nothing to scan.
    NoRefs,
    /// The phone is too old for linked devices. What is shown stays valid.
    PhoneTooOld,
}

/// Why the passkey step failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasskeyProblem {
    /// The application set no authenticator.
    NoAuthenticator,
    /// The authenticator refused.
    Refused(String),
    /// The person said that the codes differ.
    CodesDiffer,
    /// It took longer than five minutes.
    TimedOut,
    /// The phone's part does not fit, or came at the wrong time.
    Protocol(String),
    /// The server refused, or did not answer.
    Request(RequestError),
}

/// What an authenticator is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PasskeyRequest {
    /// `PublicKeyCredentialRequestOptions` as JSON; binary fields are base64url without padding.
    pub options: String,
}

/// An authenticator's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyAssertion {
    /// `rawId`, decoded.
    pub credential_id: Vec<u8>,
    /// The whole response (`id`, `rawId`, `type`, `response`) as JSON, binary fields base64url without padding.
    pub response: String,
}

/// Whether the comparison of codes is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeCheck {
    /// Nothing else proves that the phone is the right one.
    Needed,
    /// The server has seen a proof that both sides belong together.
    Optional,
}

/// The application's part of a link that demands a passkey (chapter 02 §5): WebAuthn, and the comparison of codes.
#[async_trait]
pub trait PasskeyAuthenticator: Send + Sync {
    /// Signs the server's challenge with a passkey of the account.
    ///
    /// # Errors
    /// A text for the application's own event; the link goes on without the passkey then.
    async fn assert(&self, request: &PasskeyRequest) -> Result<PasskeyAssertion, String>;

    /// Both screens show this code: whether they are equal. By default yes where that is optional, else no.
    async fn confirms(&self, code: &str, check: CodeCheck) -> bool {
        let _ = code;
        check == CodeCheck::Optional
    }
}
