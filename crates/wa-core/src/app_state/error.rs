//! Every way in which app state can be unacceptable (chapter 07 §11), and what to do about it.

use bytes::Bytes;
use thiserror::Error;

/// An app-state failure. Nothing has changed when one is returned.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AppStateError {
    /// Keys that are not known: the collection is blocked until the phone shares them.
    #[error("{} sync keys are missing", .0.len())]
    KeyMissing(Vec<Bytes>),
    /// A record without index, value or key id, or with an index MAC of a wrong length.
    #[error("a record is malformed: {0}")]
    MalformedRecord(&'static str),
    /// A value blob shorter than 64 bytes or with a broken last block.
    #[error("a value blob of {0} bytes")]
    ValueBlobTooShort(usize),
    /// A record's value was altered.
    #[error("a value MAC does not fit")]
    ValueMacMismatch,
    /// A record's index was altered.
    #[error("an index MAC does not fit")]
    IndexMacMismatch,
    /// Bad padding under a good MAC.
    #[error("a value cannot be decrypted")]
    DecryptionFailed,
    /// The decrypted value is no `SyncActionData` or has no version.
    #[error("a value is no action")]
    ActionDecodeFailed,
    /// The patch is not a protobuf message.
    #[error("the patch cannot be decoded")]
    PatchDecodeFailed,
    /// The snapshot is not a protobuf message.
    #[error("the snapshot cannot be decoded")]
    SnapshotDecodeFailed,
    /// The snapshot's MAC differs.
    #[error("the snapshot's MAC does not fit")]
    SnapshotMacMismatch,
    /// The snapshot has no MAC or names no key.
    #[error("the snapshot has no MAC")]
    SnapshotMacMissing,
    /// The hash after the patch is not the one that its writer had.
    #[error("the collection differs from the patch writer's")]
    PatchSnapshotMacMismatch,
    /// The patch lacks the MAC over the collection.
    #[error("the patch has no snapshot MAC")]
    PatchSnapshotMacMissing,
    /// The patch was altered, or belongs to another collection or version.
    #[error("the patch's MAC does not fit")]
    PatchMacMismatch,
    /// The patch has no MAC.
    #[error("the patch has no MAC")]
    PatchMacMissing,
    /// A patch further ahead than the next one.
    #[error("patch {found} after version {}", .expected - 1)]
    PatchVersionGap {
        /// The local version + 1.
        expected: u64,
        /// Of the patch.
        found: u64,
    },
    /// An empty collection can only start with a snapshot or with patch 1.
    #[error("patch {0} on an empty collection")]
    GenesisRequired(u64),
    /// Two SETs or two REMOVEs of one index in one patch.
    #[error("one index is changed twice in a patch")]
    DuplicateIndex,
    /// An operation that can be neither added nor subtracted.
    #[error("operation {0}")]
    UnsupportedOperation(i32),
    /// The writer declared the collection broken.
    #[error("exit code {code}: {text}")]
    TerminalExitCode {
        /// Non-zero.
        code: u64,
        /// The writer's words.
        text: String,
    },
    /// A referenced file could not be fetched, opened or used.
    #[error("external blob: {0}")]
    ExternalBlob(&'static str),
    /// More than [`super::MAX_RECORDS`] records or an index over [`super::MAX_INDEX`] bytes.
    #[error("{0} over the limit")]
    TooLarge(&'static str),
    /// A recovery blob that cannot be used.
    #[error("the recovery blob is unusable: {0}")]
    RecoveryInvalid(&'static str),
    /// No key to encrypt with.
    #[error("no sync key to write with")]
    NoActiveKey,
}

impl AppStateError {
    /// The name that chapter 07 §11 gives.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::KeyMissing(_) => "KeyMissing",
            Self::MalformedRecord(_) => "MalformedRecord",
            Self::ValueBlobTooShort(_) => "ValueBlobTooShort",
            Self::ValueMacMismatch => "ValueMacMismatch",
            Self::IndexMacMismatch => "IndexMacMismatch",
            Self::DecryptionFailed => "DecryptionFailed",
            Self::ActionDecodeFailed => "ActionDecodeFailed",
            Self::PatchDecodeFailed => "PatchDecodeFailed",
            Self::SnapshotDecodeFailed => "SnapshotDecodeFailed",
            Self::SnapshotMacMismatch => "SnapshotMacMismatch",
            Self::SnapshotMacMissing => "SnapshotMacMissing",
            Self::PatchSnapshotMacMismatch => "PatchSnapshotMacMismatch",
            Self::PatchSnapshotMacMissing => "PatchSnapshotMacMissing",
            Self::PatchMacMismatch => "PatchMacMismatch",
            Self::PatchMacMissing => "PatchMacMissing",
            Self::PatchVersionGap { .. } => "PatchVersionGap",
            Self::GenesisRequired(_) => "GenesisRequired",
            Self::DuplicateIndex => "DuplicateIndex",
            Self::UnsupportedOperation(_) => "UnsupportedOperation",
            Self::TerminalExitCode { .. } => "TerminalExitCode",
            Self::ExternalBlob(_) => "ExternalBlob",
            Self::TooLarge(_) => "TooLarge",
            Self::RecoveryInvalid(_) => "RecoveryInvalid",
            Self::NoActiveKey => "NoActiveKey",
        }
    }
}
