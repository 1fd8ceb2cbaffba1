//! The byte pipe under a connection. The client speaks to whatever implements it: a WebSocket in production, an
//! in-memory pipe in deterministic tests.

use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{Sink, Stream};
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, Uri};

use crate::egress::{Egress, EgressError};
use crate::health::{Cause, Stage};

/// An open pipe: binary messages in both directions, not aligned with frames.
pub trait Transport:
    Stream<Item = Result<Bytes, TransportError>> + Sink<Bytes, Error = TransportError> + Send + Unpin
{
}

impl<T> Transport for T where
    T: Stream<Item = Result<Bytes, TransportError>> + Sink<Bytes, Error = TransportError> + Send + Unpin
{
}

/// An open pipe of whichever kind.
pub type BoxTransport = Pin<Box<dyn Transport>>;

/// Opens pipes.
#[async_trait]
pub trait Connector: Send + Sync {
    /// Opens one pipe. Cancelling it leaves nothing behind.
    ///
    /// # Errors
    /// What failed and at which stage.
    async fn connect(&self, request: &DialRequest) -> Result<BoxTransport, DialError>;
}

/// Where and how to connect.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DialRequest {
    /// `wss://` or `ws://` URL.
    pub url: Uri,
    /// `Origin` header; `None` sends none.
    pub origin: Option<HeaderValue>,
    /// Further headers of the upgrade.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Proxy and TLS.
    pub egress: Egress,
    /// Limit for everything up to the open WebSocket.
    pub timeout: Duration,
}

/// Why no pipe was opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// Proxy, name or address.
    #[error(transparent)]
    Egress(#[from] EgressError),
    /// The TLS handshake.
    #[error("TLS handshake failed")]
    Tls(#[source] std::io::Error),
    /// The server answered the upgrade with another HTTP status.
    #[error("the server answered the WebSocket upgrade with HTTP status {0}")]
    Status(u16),
    /// The upgrade failed otherwise.
    #[error("the WebSocket upgrade failed")]
    Upgrade(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It took too long.
    #[error("no connection within {0:?}")]
    Timeout(Duration),
}

impl DialError {
    /// The stage that was reached.
    pub const fn stage(&self) -> Stage {
        match self {
            Self::Egress(_) | Self::Timeout(_) => Stage::Dial,
            Self::Tls(_) => Stage::Tls,
            Self::Status(_) | Self::Upgrade(_) => Stage::Upgrade,
        }
    }

    /// The cause for the board. A final HTTP status needs somebody; 408, 500, 501, 502, 503 and 504 are worth a
    /// retry (chapter 01 §1).
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Tls(_) => Cause::TlsFailed,
            Self::Status(408 | 500..=504) => Cause::ServerTrouble,
            Self::Status(_) => Cause::UpgradeRefused,
            Self::Egress(EgressError::ProxyUrl(_) | EgressError::Root(_)) => Cause::UpgradeRefused,
            _ => Cause::NetworkUnreachable,
        }
    }
}

/// Why an open pipe broke.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The other side or the network closed it.
    #[error("the connection was closed")]
    Closed,
    /// Anything else of the socket.
    #[error("the connection failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}
