//! History blobs, read as a stream: one chat at a time, messages as slices of it (chapter 08 §3, §4).
//!
//! A blob inflates to tens of megabytes, and most of what is in it is never looked at. So nothing is decoded that
//! nobody asks for: [`HistoryReader`] inflates into one window and hands out a chat as borrowed bytes, [`Chat`] and
//! [`StoredMessage`] find the facts that a client keeps and give the types of `wa-proto` on demand. Memory is the
//! largest chat, never the blob.

mod chat;
mod learned;
mod migration;
mod notification;
mod reader;
pub mod requests;
#[cfg(test)]
mod tests;

pub use chat::{Chat, Messages, StoredMessage};
pub use learned::{Learned, StoredSecret, StoredToken};
pub use migration::{LidMigration, MigratedUser};
pub use notification::{HistoryDeletion, HistoryFile, HistorySource};
pub use reader::{HistoryLimits, HistoryReader, Inflater, Part};

use std::io;

use wa_media::MediaError;
use wa_proto::WireError;

/// Why a blob cannot be read on. What was handed out before stays true.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// No bytes, and no reference to any.
    #[error("a history notification without a payload")]
    MissingReference,
    /// The file that a notification refers to is not the one that it describes.
    #[error("the file of a history notification cannot be opened")]
    File(#[from] MediaError),
    /// Neither zlib nor gzip, a bad checksum, or cut short.
    #[error("the blob cannot be inflated")]
    Inflate(#[source] io::Error),
    /// The blob, or one field of it, is larger than its limit in bytes.
    #[error("{what} of more than {limit} bytes")]
    TooLarge {
        /// `blob`, `field` or `record`.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// Not protobuf.
    #[error("the blob is not a history")]
    Malformed(#[from] WireError),
}
