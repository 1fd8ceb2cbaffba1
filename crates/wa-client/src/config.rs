//! Everything that can be set about a client, with safe defaults (chapter 01 §1, §5, §11, §12).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, Uri};
use wa_noise::RootCa;

use crate::connection::transport::{Connector, DialRequest};
use crate::connection::websocket::WebSocketConnector;
use crate::egress::Egress;
use crate::linking::{LinkCheck, PasskeyAuthenticator};
use crate::presence::OnConnect;
use crate::shared::Rng;

pub use wa_core::login::ClientVersion;
pub use wa_proto::companion_reg::device_props::PlatformType;

/// The live service.
const LIVE_URL: &str = "wss://web.whatsapp.com/ws/chat";
/// `Origin` of the web client: sent whatever the URL is.
const ORIGIN: HeaderValue = HeaderValue::from_static("https://web.whatsapp.com");

/// How the device presents itself in the phone's list of linked devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceName {
    /// Operating system or product, as the phone shows it.
    pub os: String,
    /// Sort of client.
    pub platform: PlatformType,
}

impl Default for DeviceName {
    fn default() -> Self {
        Self { os: "Linux".to_owned(), platform: PlatformType::Chrome }
    }
}

/// Looks the current client version up when the server has refused ours. Nothing does so by default: no byte leaves
/// for it unless the application asks.
#[async_trait]
pub trait VersionSource: Send + Sync + fmt::Debug {
    /// The version that the service's own web client has now.
    ///
    /// # Errors
    /// A text for the log; the built-in version stays in use.
    async fn current(&self, egress: &Egress) -> Result<ClientVersion, String>;
}

/// Limits of time. All can be shortened in tests.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// Everything up to the open WebSocket: 20 s.
    pub connect: Duration,
    /// Each awaited handshake message: 20 s.
    pub handshake: Duration,
    /// The server's first stanza after the handshake: 20 s.
    pub first_stanza: Duration,
    /// Answer to a request, ack of a message: 75 s.
    pub request: Duration,
    /// Silence after which a keepalive goes out, drawn anew each time between the two: 15 to 30 s.
    pub keepalive: (Duration, Duration),
    /// The socket is dead when nothing came for this long after a send: 20 s.
    pub dead_after: Duration,
    /// The backlog is taken as complete after this long without progress: 60 s.
    pub backlog: Duration,
    /// A `Sending` that is awaited gives [`Pending`](crate::messages::sending::SendReport::Pending) after this long: 90 s.
    pub send: Duration,
    /// A transfer of a file in which nothing moves for this long has stalled: 30 s.
    pub media: Duration,
    /// How long the phone may take to bring a file back: 60 s.
    pub media_retry: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let secs = Duration::from_secs;
        Self {
            connect: secs(20),
            handshake: secs(20),
            first_stanza: secs(20),
            request: secs(75),
            keepalive: (secs(15), secs(30)),
            dead_after: secs(20),
            backlog: secs(60),
            send: secs(90),
            media: secs(30),
            media_retry: secs(60),
        }
    }
}

/// How long to wait before another attempt to connect: Fibonacci steps of the first wait, each 10 % more or less, up to
/// the longest. The steps begin anew after a connection that held for half a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackOff {
    /// First wait: 1 s.
    pub first: Duration,
    /// Longest wait: 15 minutes.
    pub longest: Duration,
}

impl Default for BackOff {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), longest: Duration::from_secs(900) }
    }
}

/// How much may wait for the application before the client stops acknowledging to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InboxLimit {
    /// Rows.
    pub rows: u64,
}

impl Default for InboxLimit {
    fn default() -> Self {
        Self { rows: 100_000 }
    }
}

/// Settings of one client.
pub(crate) struct Config {
    pub(crate) url: Uri,
    pub(crate) origin: Option<HeaderValue>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) root: RootCa,
    pub(crate) egress: Egress,
    pub(crate) connector: Arc<dyn Connector>,
    /// Another way to the media hosts than TCP and TLS through `egress`.
    pub(crate) media_connector: Option<Arc<dyn crate::media::MediaConnector>>,
    pub(crate) device: DeviceName,
    pub(crate) version: ClientVersion,
    pub(crate) version_source: Option<Arc<dyn VersionSource>>,
    pub(crate) timeouts: Timeouts,
    pub(crate) back_off: BackOff,
    pub(crate) presence: OnConnect,
    pub(crate) link_check: Option<Arc<dyn LinkCheck>>,
    pub(crate) passkey: Option<Arc<dyn PasskeyAuthenticator>>,
    pub(crate) inbox: InboxLimit,
    pub(crate) randomness: Option<Rng>,
    pub(crate) lookups: crate::contacts::LookupBudget,
    #[cfg(feature = "sabotage")]
    pub(crate) sabotage: crate::sabotage::Sabotage,
    #[cfg(feature = "sabotage")]
    pub(crate) points: crate::sabotage::Points,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: Uri::from_static(LIVE_URL),
            origin: Some(ORIGIN),
            headers: Vec::new(),
            root: RootCa::default(),
            egress: Egress::default(),
            connector: Arc::new(WebSocketConnector),
            media_connector: None,
            device: DeviceName::default(),
            version: ClientVersion::BUILT_IN,
            version_source: None,
            timeouts: Timeouts::default(),
            back_off: BackOff::default(),
            presence: OnConnect::default(),
            link_check: None,
            passkey: None,
            inbox: InboxLimit::default(),
            randomness: None,
            lookups: crate::contacts::LookupBudget::default(),
            #[cfg(feature = "sabotage")]
            sabotage: crate::sabotage::Sabotage::None,
            #[cfg(feature = "sabotage")]
            points: crate::sabotage::Points::default(),
        }
    }
}

impl Config {
    pub(crate) fn http(&self) -> crate::media::HttpSettings {
        crate::media::HttpSettings {
            egress: self.egress.clone(),
            connector: self.media_connector.clone(),
            connect: self.timeouts.connect,
            plain: self.url.scheme_str() == Some("ws"),
        }
    }

    pub(crate) fn dial_request(&self) -> DialRequest {
        DialRequest {
            url: self.url.clone(),
            origin: self.origin.clone(),
            headers: self.headers.clone(),
            egress: self.egress.clone(),
            timeout: self.timeouts.connect,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("url", &self.url)
            .field("egress", &self.egress)
            .field("device", &self.device)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
