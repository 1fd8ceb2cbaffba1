//! What SQLite says, as the crate's own errors.

use rusqlite::ffi::{self, ErrorCode};

use crate::StoreError;
use crate::error::cause;

/// Why a job of a group did not succeed.
#[derive(Debug)]
pub(super) enum Fault {
    /// This job alone; it has written nothing.
    Refused(StoreError),
    /// A statement failed.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(error) => error,
            Fault::Sqlite(error) => store_error(error),
        }
    }
}

/// Whether the failure is that of one job's data or of one account's row, so that the rest of the group can go on.
pub(super) fn concerns_one_job(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        // Not SQLite but its answer: a column that does not hold what it should.
        None => true,
        Some(code) => {
            matches!(code, ErrorCode::TooBig | ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch)
        }
    }
}

pub(super) fn store_error(error: rusqlite::Error) -> StoreError {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType};
    if matches!(error, FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..)) {
        return StoreError::CorruptFile(cause(error));
    }
    let extended = error.sqlite_error().map_or(0, |error| error.extended_code);
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
            StoreError::Locked(cause(error))
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => StoreError::ReadOnly(cause(error)),
        Some(ErrorCode::DiskFull) => StoreError::DiskFull(cause(error)),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::CorruptFile(cause(error)),
        // A write that the disk has no room for can also come back as an I/O error.
        Some(ErrorCode::SystemIoFailure) if extended == ffi::SQLITE_IOERR_WRITE && disk_is_full(&error) => {
            StoreError::DiskFull(cause(error))
        }
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => StoreError::Io(cause(error)),
        _ => StoreError::Database(cause(error)),
    }
}

fn disk_is_full(error: &rusqlite::Error) -> bool {
    error.to_string().contains("full")
}
