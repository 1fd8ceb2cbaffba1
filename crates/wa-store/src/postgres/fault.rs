//! What Postgres or the connection to it says, as the crate's own errors.

use deadpool_postgres::PoolError;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::StoreError;
use crate::error::cause;

/// Why a database cannot be used as it is.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("the server is on another machine: give a TLS configuration, or say sslmode=disable in the URL")]
    PlainOverNetwork,
    #[error("sslmode=require needs a TLS configuration")]
    NoTlsConfiguration,
    #[error("the database's encoding is {0}, but must be UTF8")]
    Encoding(String),
    #[error("the name of the schema must have 1 to 63 bytes and no NUL")]
    SchemaName,
}

impl From<Unusable> for StoreError {
    fn from(unusable: Unusable) -> Self {
        Self::Settings(cause(unusable))
    }
}

pub(super) fn pool_error(error: PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) => store_error(error),
        PoolError::Closed => StoreError::Closed,
        error => StoreError::ConnectionLost(cause(error)),
    }
}

pub(super) fn store_error(error: Error) -> StoreError {
    match error.code() {
        Some(state) => kind(&state.clone())(cause(error)),
        None => without_answer(error),
    }
}

/// By the code of the server's answer.
fn kind(state: &SqlState) -> fn(crate::Cause) -> StoreError {
    match state.code().as_bytes() {
        b"25006" => StoreError::ReadOnly,
        b"53100" => StoreError::DiskFull,
        b"3D000" => StoreError::UnknownDatabase,
        b"42501" => StoreError::AccessDenied,
        b"58030" => StoreError::Io,
        b"XX001" | b"XX002" => StoreError::CorruptFile,
        // Cancelled, shut down, crashed, starting; a transaction in which we fell silent.
        b"25P03" | b"25P04" | [b'5', b'7', ..] => StoreError::ServerUnavailable,
        [b'5', b'3', ..] => StoreError::ServerFull,
        [b'2', b'8', ..] => StoreError::AccessDenied,
        [b'0', b'8', ..] => StoreError::ConnectionLost,
        // Deadlocks, failed serializations, locks that were not to be had in time: all of them pass.
        [b'4', b'0', ..] | [b'5', b'5', ..] => StoreError::Locked,
        _ => StoreError::Database,
    }
}

/// Without an answer of the server: mostly the connection broke or was never there. The kind of the error is private,
/// its text is not.
fn without_answer(error: Error) -> StoreError {
    let text = error.to_string();
    let is = |begin: &str| text.starts_with(begin);
    if is("error performing TLS handshake") {
        StoreError::Tls(cause(error))
    } else if is("authentication error") {
        StoreError::AccessDenied(cause(error))
    } else if is("invalid con") {
        StoreError::Settings(cause(error))
    } else if is("error deserializing") {
        StoreError::CorruptFile(cause(error))
    } else if is("error serializing") || is("expected ") || is("error encoding") {
        StoreError::Database(cause(error))
    } else {
        StoreError::ConnectionLost(cause(error))
    }
}
