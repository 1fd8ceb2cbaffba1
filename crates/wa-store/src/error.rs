//! The one error of the crate. Every variant says whether the same call may succeed later and what a person can do.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::{AccountId, HolderId, Table, UnixTime};

/// What went wrong below, kept for `source()`; shared because one failed group commit answers many callers.
pub type Cause = Arc<dyn Error + Send + Sync>;

/// Whether trying the same call again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Yes, exactly the same call, after a pause: the store may recover by itself or by an operator's hand.
    Same,
    /// Not this call: the account must be opened again first, and state read anew.
    Reopen,
    /// No: the input, the file or the configuration has to change.
    Never,
}

/// Why the store refused or failed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another holder has taken the account over (or this handle was released): nothing was written.
    #[error("the lease of account {account} is lost: epoch {held}, now {current}")]
    LeaseLost {
        /// The account.
        account: AccountId,
        /// Epoch of the commit that was refused.
        held: u64,
        /// Epoch of the account now.
        current: u64,
    },
    /// The account is in use by another holder whose heartbeat has not expired.
    #[error("account {account} is held by {holder} until {until:?}")]
    Held {
        /// The account.
        account: AccountId,
        /// Who holds it.
        holder: HolderId,
        /// When the holder's heartbeat expires unless it is renewed.
        until: UnixTime,
    },
    /// The account was exported; another store owns its keys now.
    #[error("account {0} was moved to another store")]
    Moved(AccountId),
    /// The account comes from a backup or an import: open it with `restore()`.
    #[error("account {0} is a restored copy and must be opened with restore()")]
    NeedsRestore(AccountId),
    /// The account is being deleted.
    #[error("account {0} is being deleted")]
    Deleting(AccountId),
    /// No account of this name exists.
    #[error("there is no account {0}")]
    UnknownAccount(AccountId),
    /// An import meets an account of the same name.
    #[error("account {0} exists already")]
    AccountExists(AccountId),
    /// An account name is empty, longer than 128 bytes, or holds control characters.
    #[error("not an account name: {0:?}")]
    InvalidAccountName(AccountId),
    /// One commit is larger than the limit; nothing of it was written. Imports go through `commit_in_slices`.
    #[error("a commit of {bytes} bytes in {rows} rows is past the limit of {limit} bytes, {row_limit} rows")]
    TooLarge {
        /// Bytes of all keys and values.
        bytes: usize,
        /// Number of rows.
        rows: usize,
        /// Largest number of bytes.
        limit: usize,
        /// Largest number of rows.
        row_limit: usize,
    },
    /// A commit of unknown outcome was repeated so late that the store cannot tell any more whether it was applied.
    #[error("commit {sequence} of account {account} is too old to be repeated")]
    OutcomeUnknown {
        /// The account.
        account: AccountId,
        /// Sequence of the commit.
        sequence: u64,
    },
    /// A `Changes` was begun on one opening of an account and committed on another.
    #[error("the changes belong to another opening of account {0}")]
    ForeignChanges(AccountId),
    /// A stored row does not decode. The other rows are not affected; `quarantine` moves it out of the way.
    #[error("a row of table {table:?} is damaged: {damage}")]
    CorruptRow {
        /// Table of the row.
        table: Table,
        /// Its key; it may contain an address, so it is not printed.
        key: RedactedKey,
        /// What does not fit.
        damage: Damage,
    },
    /// The database file itself is damaged.
    #[error("the database file is damaged")]
    CorruptFile(#[source] Cause),
    /// The file is not one of this library's stores.
    #[error("not a store of this library: {0}")]
    ForeignFile(PathBuf),
    /// The file was written by a newer version of the library.
    #[error("the store has schema {found}, this version knows up to {known}")]
    NewerSchema {
        /// Schema version of the file.
        found: u32,
        /// Newest schema that this version knows.
        known: u32,
    },
    /// Another process keeps the file locked.
    #[error("the database is locked by another process")]
    Locked(#[source] Cause),
    /// The file or its folder cannot be written.
    #[error("the database is read-only")]
    ReadOnly(#[source] Cause),
    /// The file or its folder cannot be opened or created.
    #[error("cannot open {path}")]
    CannotOpen {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: Cause,
    },
    /// No space is left; nothing was written.
    #[error("the disk is full")]
    DiskFull(#[source] Cause),
    /// Reading or writing failed.
    #[error("input or output failed")]
    Io(#[source] Cause),
    /// There is no connection to the database server (any more); the outcome of a commit in flight is unknown.
    #[error("no connection to the database server")]
    ConnectionLost(#[source] Cause),
    /// The database server is starting or stopping, or ended the connection or the statement; the outcome of a commit
    /// in flight is unknown.
    #[error("the database server serves nobody just now")]
    ServerUnavailable(#[source] Cause),
    /// The connection is there, but the database server did not answer in time; the outcome of a commit in flight is
    /// unknown.
    #[error("the database server did not answer within {waited:?}")]
    NoAnswer {
        /// How long was waited.
        waited: Duration,
    },
    /// The database server has no connections or no memory left.
    #[error("the database server is out of connections or memory")]
    ServerFull(#[source] Cause),
    /// The database server refused the login, or the role may not do what is needed.
    #[error("the database server refuses access")]
    AccessDenied(#[source] Cause),
    /// The database server has no database of this name.
    #[error("there is no such database")]
    UnknownDatabase(#[source] Cause),
    /// No encrypted connection to the database server could be made.
    #[error("no TLS connection to the database server")]
    Tls(#[source] Cause),
    /// The address or the settings of the database cannot be used.
    #[error("the settings of the database connection cannot be used")]
    Settings(#[source] Cause),
    /// The schema of the database holds another program's tables.
    #[error("the schema {0} does not belong to a store of this library")]
    ForeignSchema(String),
    /// The database refused a statement: a fault of this library or of a foreign change to the tables.
    #[error("the database refused a statement")]
    Database(#[source] Cause),
    /// The key does not belong to this store or to this account.
    #[error("the encryption key does not fit this store")]
    WrongKey,
    /// The store is encrypted and was opened without a key.
    #[error("the store is encrypted and no key was given")]
    KeyRequired,
    /// A key was given, but the store holds plain rows.
    #[error("a key was given, but the store is not encrypted")]
    NotEncrypted,
    /// An export file is damaged or cut off.
    #[error("the export file is damaged: {0}")]
    BadExport(ExportDamage),
    /// An export file was written by a newer version of the library.
    #[error("the export file has version {found}, this version knows up to {known}")]
    NewerExport {
        /// Version of the file.
        found: u16,
        /// Newest version known.
        known: u16,
    },
    /// The backend does not offer this operation.
    #[error("the backend does not support {0}")]
    Unsupported(&'static str),
    /// The store was closed or its worker has ended.
    #[error("the store is closed")]
    Closed,
    /// The operating system gave no randomness.
    #[error("no randomness from the operating system")]
    Randomness(#[source] Cause),
}

impl StoreError {
    /// Whether the same call can succeed later.
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Locked(_)
            | Self::ReadOnly(_)
            | Self::CannotOpen { .. }
            | Self::DiskFull(_)
            | Self::Io(_)
            | Self::ConnectionLost(_)
            | Self::ServerUnavailable(_)
            | Self::NoAnswer { .. }
            | Self::ServerFull(_)
            | Self::AccessDenied(_)
            | Self::UnknownDatabase(_)
            | Self::Tls(_)
            | Self::Held { .. }
            | Self::Randomness(_) => Retry::Same,
            Self::LeaseLost { .. } | Self::OutcomeUnknown { .. } | Self::ForeignChanges(_) | Self::Closed => {
                Retry::Reopen
            }
            _ => Retry::Never,
        }
    }

    /// What an operator can do, in one sentence.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::LeaseLost { .. } => {
                "Another process opened this account; stop one of the two, then open the account again."
            }
            Self::Held { .. } => {
                "Stop the other process, or wait until its lease has expired; the account then opens by itself."
            }
            Self::Moved(_) => {
                "Use the store that imported the export file; only if that copy was never used, call restore() here."
            }
            Self::NeedsRestore(_) => {
                "Make sure that the original is not running any more, then call restore()."
            }
            Self::Deleting(_) => "Repeat the deletion until it has finished; then the name is free.",
            Self::UnknownAccount(_) => "Check the name of the account.",
            Self::AccountExists(_) => "Import under another name, or delete the account first.",
            Self::InvalidAccountName(_) => "Use 1 to 128 bytes without control characters.",
            Self::TooLarge { .. } => "Commit less at once; imports go through commit_in_slices.",
            Self::OutcomeUnknown { .. } | Self::ForeignChanges(_) => {
                "Open the account again and read its state anew."
            }
            Self::CorruptRow { .. } => {
                "Run an integrity check; move the row to quarantine, or restore a backup if there are many."
            }
            Self::CorruptFile(_) => "Stop all users of the file and restore the last backup with restore().",
            Self::ForeignFile(_) => {
                "Check the path: this file belongs to another program and was not touched."
            }
            Self::NewerSchema { .. } | Self::NewerExport { .. } => {
                "Use the library version that wrote it, or a newer one."
            }
            Self::Locked(_) => {
                "Find the process that keeps the database locked (a shell, a copy job) and end it."
            }
            Self::ReadOnly(_) => {
                "Give the process write permission to the file and its folder, or remount the disk; \
                 of a database server use the primary."
            }
            Self::CannotOpen { .. } => "Check that the folder exists and that the process may write there.",
            Self::DiskFull(_) => "Free some space; nothing was lost and the commit is repeated by itself.",
            Self::Io(_) => "Check the disk and the system log; the commit is repeated by itself.",
            Self::ConnectionLost(_) => {
                "Check the database server and the network; the commit is repeated by itself."
            }
            Self::ServerUnavailable(_) => {
                "Start the database server or wait until it is up again; the commit is repeated by itself."
            }
            Self::NoAnswer { .. } => {
                "Look for what holds the database server up (stopped processes, its disk, locks) or give it more time; \
                 the commit is repeated by itself."
            }
            Self::ServerFull(_) => {
                "Raise the server's limits (max_connections, memory) or give the store fewer connections."
            }
            Self::AccessDenied(_) => {
                "Check user, password, pg_hba.conf, and that the role may create and use the schema."
            }
            Self::UnknownDatabase(_) => "Create the database, or correct its name in the URL.",
            Self::Tls(_) => {
                "Check that the server has TLS on and that its certificate fits the host and the given roots."
            }
            Self::Settings(_) => "Correct the URL or the options; the cause says what is wrong.",
            Self::ForeignSchema(_) => "Give the store a schema of its own; this one was not touched.",
            Self::Database(_) => {
                "Check that nobody changed the tables by hand, and report this with the log."
            }
            Self::WrongKey => {
                "Give the key that the store was last opened with; a rotation keeps the old one beside it."
            }
            Self::KeyRequired => "Give the encryption key when opening the store.",
            Self::NotEncrypted => {
                "Open without a key, or export the accounts and import them into an encrypted store."
            }
            Self::BadExport(_) => "Export again; the file was damaged on its way.",
            Self::Unsupported(_) => "Use the database's own tools for this.",
            Self::Closed => "Open the store again.",
            Self::Randomness(_) => "Check the operating system's random device.",
        }
    }
}

/// What is wrong with a stored row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// Too short for its header.
    #[error("cut off")]
    CutOff,
    /// The envelope has a form that this version does not know.
    #[error("unknown envelope {0}")]
    Envelope(u8),
    /// The checksum does not belong to the content.
    #[error("checksum mismatch")]
    Checksum,
    /// The row does not authenticate under the account's key.
    #[error("authentication failed")]
    Authentication,
    /// The record has a version that this version of the library does not know.
    #[error("unknown record version {0}")]
    Version(u8),
    /// The record's fields do not decode.
    #[error("undecodable record")]
    Record,
    /// The key does not decode.
    #[error("undecodable key")]
    Key,
}

/// What is wrong with an export file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExportDamage {
    /// It does not begin like one.
    #[error("not an export file")]
    Magic,
    /// It ends too early.
    #[error("cut off")]
    CutOff,
    /// A piece does not decode or announces an impossible length.
    #[error("undecodable")]
    Malformed,
    /// A piece does not authenticate, or the digest at the end does not fit.
    #[error("digest mismatch")]
    Digest,
}

/// A row key inside an error. It may hold an address, so it prints as its length only.
#[derive(Clone, PartialEq, Eq)]
pub struct RedactedKey(pub bytes::Bytes);

impl std::fmt::Debug for RedactedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{} bytes]", self.0.len())
    }
}

/// Wraps any error as a shared cause.
pub(crate) fn cause(error: impl Error + Send + Sync + 'static) -> Cause {
    Arc::new(error)
}
