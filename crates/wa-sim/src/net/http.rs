//! HTTP on the one port: the upgrade, the admin API, the media host (chapter 10 §1).

use std::convert::Infallible;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, CONTENT_TYPE, HeaderValue, LOCATION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE,
};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::hub::Hub;
use super::pipe::{ResetSwitch, WebSocket};
use super::session;
use crate::admin;
use crate::faults::{Action, CloseHow, Phase};
use crate::media;

/// The head of a request must be there within this; a connection that waits for its next request ends then too.
const HEAD: Duration = Duration::from_secs(20);
/// Largest body of an admin call.
const ADMIN_BODY: usize = 16 << 20;
/// Buffers of a WebSocket: small, since there may be thousands.
const BUFFER: usize = 4 << 10;

/// What a simulator says about itself.
#[derive(Clone, Debug)]
pub(crate) struct Info {
    pub(crate) address: String,
    /// The port without WebSocket framing, if there is one.
    pub(crate) raw: Option<String>,
    pub(crate) seed: u64,
    pub(crate) root_public: [u8; 32],
    pub(crate) certificate_pem: String,
    pub(crate) secure: bool,
    /// Where the run is saved when somebody asks for it.
    pub(crate) state_file: Option<PathBuf>,
}

impl Info {
    /// The line on stdout, and `GET /admin/info`.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let (ws, http) = if self.secure { ("wss", "https") } else { ("ws", "http") };
        serde_json::json!({
            "ws": format!("{ws}://{}/ws/chat", self.address),
            "admin": format!("{http}://{}/admin", self.address),
            "media": format!("{http}://{}", self.address),
            "raw": self.raw,
            "plain": { "ws": format!("ws://{}/ws/chat", self.address), "admin": format!("http://{}/admin", self.address) },
            "noise_root": { "public_key_hex": hex::encode(self.root_public), "serial": 0 },
            "tls_cert_pem": self.certificate_pem,
            "seed": self.seed,
            "version": env!("CARGO_PKG_VERSION"),
        })
    }
}

/// An answer; its body may be a stream that breaks.
pub(crate) type Reply = Response<UnsyncBoxBody<Bytes, io::Error>>;

fn body(bytes: impl Into<Bytes>) -> UnsyncBoxBody<Bytes, io::Error> {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// Serves one connection.
pub(crate) async fn serve<S>(
    hub: Arc<Hub>,
    info: Arc<Info>,
    io: TokioIo<S>,
    remote: String,
    reset: ResetSwitch,
) -> io::Result<()>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let (hub, info, remote, reset) = (hub.clone(), info.clone(), remote.clone(), reset.clone());
        async move { Ok::<_, Infallible>(answer(hub, info, request, remote, reset).await) }
    });
    hyper::server::conn::http1::Builder::new()
        .max_buf_size(64 << 10)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(io, service)
        .with_upgrades()
        .await
        .map_err(io::Error::other)
}

async fn answer(
    hub: Arc<Hub>,
    info: Arc<Info>,
    request: Request<Incoming>,
    remote: String,
    reset: ResetSwitch,
) -> Reply {
    let path = request.uri().path().to_owned();
    if path == "/ws/chat" || path == "/ws/chat/" {
        return upgrade(hub, request, remote, reset).await;
    }
    if path == "/admin" || path.starts_with("/admin/") {
        let (parts, body) = request.into_parts();
        let body = match Limited::new(body, ADMIN_BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => return text(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 16 MiB"),
        };
        let call = admin::Call {
            method: parts.method,
            path: path.trim_start_matches("/admin").trim_matches('/').to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            body,
        };
        return admin::handle(&hub, &info, call).await;
    }
    if path == "/" {
        return text(StatusCode::OK, "wa-sim\n");
    }
    media::answer(&hub, request).await
}

async fn upgrade(hub: Arc<Hub>, request: Request<Incoming>, remote: String, reset: ResetSwitch) -> Reply {
    if hub.refuses() {
        return text(StatusCode::SERVICE_UNAVAILABLE, "stopped for a while");
    }
    let mut garbage = false;
    for action in hub.early_stage(Phase::Upgrade) {
        match action {
            Action::HttpStatus { status } => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let mut reply = text(status, "a fault");
                if status.is_redirection() {
                    reply
                        .headers_mut()
                        .insert(LOCATION, HeaderValue::from_static("https://localhost:9/ws/chat"));
                }
                return reply;
            }
            Action::HttpGarbage => garbage = true,
            Action::Close { how, .. } => {
                reset.store(how == CloseHow::Rst, std::sync::atomic::Ordering::Release);
                garbage = true;
            }
            Action::Freeze { .. } => std::future::pending().await,
            _ => {}
        }
    }
    let is_upgrade = request
        .headers()
        .get(UPGRADE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
    let key = request.headers().get(SEC_WEBSOCKET_KEY).cloned();
    let (true, Some(key)) = (is_upgrade, key) else {
        return text(StatusCode::UPGRADE_REQUIRED, "a WebSocket lives here");
    };
    let accept = derive_accept_key(key.as_bytes());
    tokio::spawn(async move {
        let upgraded = match hyper::upgrade::on(request).await {
            Ok(upgraded) => upgraded,
            Err(error) => {
                tracing::debug!(%error, "upgrade");
                return;
            }
        };
        let mut io = TokioIo::new(upgraded);
        if garbage {
            // Whoever reads it sees a broken stream, which is the point.
            let _ = io.write_all(b"this is no websocket").await;
            return;
        }
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(32 << 20))
            .max_frame_size(Some(32 << 20));
        let stream = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        session::run(hub, WebSocket { stream, reset }, remote).await;
    });
    let mut reply = Response::new(body(Bytes::new()));
    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = reply.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(value) = HeaderValue::from_str(&accept) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, value);
    }
    reply
}

/// A short text.
pub(crate) fn text(status: StatusCode, words: &'static str) -> Reply {
    let mut reply = Response::new(body(words));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    reply
}

/// Bytes as they are.
pub(crate) fn file(bytes: Vec<u8>) -> Reply {
    let mut reply = Response::new(body(bytes));
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    reply
}

/// JSON.
pub(crate) fn json(status: u16, value: &serde_json::Value) -> Reply {
    let mut reply = Response::new(body(value.to_string()));
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}
