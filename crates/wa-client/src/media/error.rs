//! Why a file could not be brought up or down (chapter 06 §10): what a caller must be able to tell apart. None of it ends
//! the connection.

use std::io;
use std::time::Duration;

use wa_media::{MediaError, RetryResult};

use crate::connection::link::RequestError;
use crate::egress::EgressError;

/// Why a transfer failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The message refers to no file, or names no place where it could be.
    #[error("there is no file to download")]
    NoFile,
    /// The file has neither a key nor a hash, so nothing could be checked.
    #[error("nothing says what the file must be")]
    NoHash,
    /// The server named no media host.
    #[error("there is no media host")]
    NoHosts,
    /// The media hosts could not be asked for.
    #[error("the media hosts are not known: {0}")]
    Hosts(#[from] RequestError),
    /// Proxy or TLS settings.
    #[error(transparent)]
    Egress(#[from] EgressError),
    /// No host could be reached, or each connection broke.
    #[error("no media host could be reached")]
    Network(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Nothing moved for this long.
    #[error("nothing moved for {0:?}")]
    Stalled(Duration),
    /// The hosts answered with this status.
    #[error("the media hosts answered with HTTP status {0}")]
    Status(u16),
    /// The reference to the file is not accepted (401, 403), also after the hosts were asked for anew.
    #[error("the media hosts do not accept the reference (HTTP status {0})")]
    Rejected(u16),
    /// The hosts no longer have the file (404, 410). The phone may have it: see [`Download`](super::Download).
    #[error("the media hosts no longer have the file")]
    Expired,
    /// The file is larger than the caller allows.
    #[error("the file is larger than {limit} bytes")]
    TooLarge {
        /// What was allowed, in bytes.
        limit: u64,
    },
    /// What arrived is not what was sealed: wrong length, hash, MAC or padding; or the reference itself is broken.
    #[error(transparent)]
    File(#[from] MediaError),
    /// The host took the file and answered something unreadable.
    #[error("the media host's answer to an upload cannot be read")]
    Answer,
    /// What is to be uploaded cannot be read.
    #[error("the file cannot be read")]
    Source(#[source] io::Error),
    /// What is to be uploaded was changed since it was hashed.
    #[error("the file was changed while it was sent")]
    SourceChanged,
    /// What was downloaded cannot be written: a full disk, for example. Nothing is left behind.
    #[error("the file cannot be written")]
    Destination(#[source] io::Error),
    /// The caller cancelled it.
    #[error("cancelled")]
    Cancelled,
    /// The phone was asked for the file and has said no.
    #[error("the phone does not bring the file back: {0:?}")]
    Retry(RetryResult),
    /// The phone was asked for the file and said nothing for this long.
    #[error("the phone did not answer within {0:?}")]
    RetryTimeout(Duration),
    /// The phone's answer does not open under the file's key.
    #[error("the phone's answer cannot be opened")]
    RetrySeal(#[source] MediaError),
    /// Too many files are being asked for at the same time.
    #[error("too many files are being asked for")]
    RetryBusy,
}

/// What to do about a failed transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransferAdvice {
    /// Try again later, unchanged.
    Later,
    /// Wait until the phone is online, then try again.
    PhoneOnline,
    /// Ask the sender for the file: nobody else has it.
    AskSender,
    /// Make room, or choose another place.
    OtherPlace,
    /// Allow more bytes, or do without the file.
    RaiseLimit,
    /// Change proxy or TLS settings.
    Settings,
    /// Nothing helps: the file or the reference is broken.
    GiveUp,
}

impl TransferError {
    /// What to do about it.
    pub const fn advice(&self) -> TransferAdvice {
        match self {
            Self::Hosts(_) | Self::NoHosts | Self::Network(_) | Self::Stalled(_) | Self::Answer => {
                TransferAdvice::Later
            }
            Self::Status(408 | 429 | 500..) | Self::Cancelled | Self::RetryBusy => TransferAdvice::Later,
            Self::RetryTimeout(_) => TransferAdvice::PhoneOnline,
            Self::Expired | Self::Rejected(_) | Self::Retry(_) => TransferAdvice::AskSender,
            Self::Destination(_) | Self::Source(_) | Self::SourceChanged => TransferAdvice::OtherPlace,
            Self::TooLarge { .. } => TransferAdvice::RaiseLimit,
            Self::Egress(_) => TransferAdvice::Settings,
            Self::File(error) if error.another_host_can_help() => TransferAdvice::Later,
            Self::NoFile | Self::NoHash | Self::Status(_) | Self::File(_) | Self::RetrySeal(_) => {
                TransferAdvice::GiveUp
            }
        }
    }

    /// Whether the same again, later, can succeed without anybody doing anything.
    pub const fn can_try_again(&self) -> bool {
        matches!(self.advice(), TransferAdvice::Later)
    }
}
