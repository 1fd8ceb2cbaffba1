//! What fails on demand: which operation, how, and for how long.

use std::ffi::c_int;

use rusqlite::ffi;

/// An operation of the disk that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// Opening or making a file.
    Open,
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Making durable.
    Sync,
    /// Cutting or extending.
    Truncate,
    /// Removing a file.
    Delete,
    /// Asking for the size.
    Size,
    /// Mapping the index of the log that all connections share.
    Map,
}

impl Operation {
    /// All operations.
    pub const ALL: [Self; 8] = [
        Self::Open,
        Self::Read,
        Self::Write,
        Self::Sync,
        Self::Truncate,
        Self::Delete,
        Self::Size,
        Self::Map,
    ];

    pub(crate) const fn error(self) -> c_int {
        match self {
            Self::Open => ffi::SQLITE_CANTOPEN,
            Self::Read => ffi::SQLITE_IOERR_READ,
            Self::Write => ffi::SQLITE_IOERR_WRITE,
            Self::Sync => ffi::SQLITE_IOERR_FSYNC,
            Self::Truncate => ffi::SQLITE_IOERR_TRUNCATE,
            Self::Delete => ffi::SQLITE_IOERR_DELETE,
            Self::Size => ffi::SQLITE_IOERR_FSTAT,
            Self::Map => ffi::SQLITE_IOERR_SHMMAP,
        }
    }

    /// Whether it changes what is on the disk: these are counted for a power cut.
    pub(crate) const fn changes(self) -> bool {
        matches!(self, Self::Write | Self::Sync | Self::Truncate | Self::Delete)
    }
}

/// How an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Failure {
    /// An input or output error (EIO). A sync that fails so forgets what was to be made durable, as systems do.
    Io,
    /// No space (ENOSPC).
    Full,
    /// A write ends in the middle for want of space; other operations fail as with [`Io`](Self::Io).
    Short,
}

/// For how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasting {
    /// One operation.
    Once,
    /// All operations of the kind from that one on, until [`Disk::heal`](crate::Disk::heal).
    UntilHealed,
}

/// An order to fail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    /// `None`: any operation.
    pub(crate) operation: Option<Operation>,
    /// Operations of the kind that still succeed.
    pub(crate) left: u64,
    pub(crate) failure: Failure,
    pub(crate) lasting: Lasting,
    /// Whether it has struck.
    pub(crate) struck: bool,
}

impl Fault {
    /// Hears of every operation before it is done; says how it fails.
    pub(crate) fn meets(&mut self, operation: Operation) -> Option<Failure> {
        if self.operation.is_some_and(|only| only != operation)
            || (self.lasting == Lasting::Once && self.struck)
        {
            return None;
        }
        if self.left > 0 {
            self.left -= 1;
            return None;
        }
        self.struck = true;
        Some(self.failure)
    }
}
