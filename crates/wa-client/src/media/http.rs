//! The HTTP client of transfers: one for all accounts with the same way out, over the same [`Egress`] as the socket
//! (chapter 06 §4 and §5).
//!
//! Always https; plain http only to the loopback, and only for an account whose own URL is `ws://`: a simulator.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{
    CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, ORIGIN, RANGE, REFERER, RETRY_AFTER,
};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tower::Service;

use super::TransferError;
use crate::connection::transport::DialError;
use crate::egress::{Egress, EgressError};

/// Both headers of the web client.
const WEB: HeaderValue = HeaderValue::from_static("https://web.whatsapp.com");
const WEB_PAGE: HeaderValue = HeaderValue::from_static("https://web.whatsapp.com/");
/// Buffer of a connection.
const BUFFER: usize = 64 << 10;
/// How long an unused connection stays open, and how many of them for each host.
const IDLE: Duration = Duration::from_secs(30);
const IDLE_CONNECTIONS: usize = 4;
/// Redirections of an upload that are followed.
const REDIRECTS: usize = 5;
/// Longest answer to an upload that is read.
const MOST_ANSWER: usize = 64 << 10;

/// An open stream of bytes to a media host.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// Opens the streams over which media are transferred. The one of production opens TCP through the account's proxy and
/// speaks TLS.
#[async_trait]
pub trait MediaConnector: Send + Sync {
    /// Opens a stream to `url`'s host on which HTTP/1.1 is spoken.
    ///
    /// # Errors
    /// What failed and at which stage.
    async fn connect(&self, url: &Uri, egress: &Egress) -> Result<Box<dyn ByteStream>, DialError>;
}

/// The connector of production.
#[derive(Debug, Clone, Copy, Default)]
pub struct TlsConnector;

#[async_trait]
impl MediaConnector for TlsConnector {
    async fn connect(&self, url: &Uri, egress: &Egress) -> Result<Box<dyn ByteStream>, DialError> {
        let tcp = egress.open(url).await?;
        if url.scheme_str() != Some("https") {
            return Ok(Box::new(tcp));
        }
        let host = url.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let name = rustls::pki_types::ServerName::try_from(host.clone())
            .map_err(|error| EgressError::Unreachable { host, source: error.into() })?;
        let connector = tokio_rustls::TlsConnector::from(egress.tls()?);
        Ok(Box::new(connector.connect(name, tcp).await.map_err(DialError::Tls)?))
    }
}

/// What a client is made of.
pub(crate) struct HttpSettings {
    pub(crate) egress: Egress,
    /// Another connector than [`TlsConnector`].
    pub(crate) connector: Option<Arc<dyn MediaConnector>>,
    /// Limit for opening a stream.
    pub(crate) connect: Duration,
    /// Whether the account's own URL is plain.
    pub(crate) plain: bool,
}

/// Speaks HTTP for an account.
pub(crate) struct Http {
    pool: Arc<Pool>,
    plain: bool,
}

struct Pool {
    client: Client<Dialer, Payload>,
}

/// Pools with what they are shared by.
static SHARED: Mutex<Vec<(Egress, Weak<Pool>)>> = Mutex::new(Vec::new());

impl Http {
    pub(crate) fn new(settings: HttpSettings) -> Self {
        let HttpSettings { egress, connector, connect, plain } = settings;
        let Some(connector) = connector else { return Self { pool: Pool::shared(egress, connect), plain } };
        Self { pool: Arc::new(Pool::new(Dialer { egress, connector, connect })), plain }
    }

    /// The address as it is asked: https, or http where that may be.
    fn address(&self, url: &str) -> Result<Uri, TransferError> {
        let uri: Uri = url.parse().map_err(|error| TransferError::Network(Box::new(error)))?;
        let host = uri.host().unwrap_or_default();
        let is_loopback = host == "localhost"
            || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
        match (uri.scheme_str(), self.plain && is_loopback) {
            (Some("https"), true) => {
                let mut parts = uri.into_parts();
                parts.scheme = Some(hyper::http::uri::Scheme::HTTP);
                Uri::from_parts(parts).map_err(|error| TransferError::Network(Box::new(error)))
            }
            (Some("https"), false) | (Some("http"), true) => Ok(uri),
            _ => Err(TransferError::Network("an address of a media host is not https".into())),
        }
    }

    async fn send(
        &self,
        method: &Method,
        url: &str,
        headers: impl IntoIterator<Item = (hyper::header::HeaderName, HeaderValue)>,
        body: Payload,
    ) -> Result<Response<Incoming>, TransferError> {
        let mut request = Request::new(body);
        *request.method_mut() = method.clone();
        *request.uri_mut() = self.address(url)?;
        request.headers_mut().insert(ORIGIN, WEB);
        request.headers_mut().insert(REFERER, WEB_PAGE);
        request.headers_mut().extend(headers);
        self.pool.client.request(request).await.map_err(|error| TransferError::Network(Box::new(error)))
    }

    /// Downloads from `from` on; the answer as it comes.
    pub(super) async fn get(
        &self,
        url: &str,
        from: u64,
        to: Option<u64>,
    ) -> Result<Response<Incoming>, TransferError> {
        let range = match to {
            Some(to) => Some(format!("bytes={from}-{}", to.saturating_sub(1))),
            None if from > 0 => Some(format!("bytes={from}-")),
            None => None,
        };
        let range = range.and_then(|range| HeaderValue::from_str(&range).ok()).map(|range| (RANGE, range));
        self.send(&Method::GET, url, range, Payload::Empty).await
    }

    /// Uploads what `body` makes, again for each redirection; gives status, headers and a short answer.
    pub(super) async fn post(
        &self,
        url: &str,
        length: u64,
        mut body: impl FnMut() -> Payload,
    ) -> Result<(StatusCode, Bytes), TransferError> {
        let mut url = url.to_owned();
        for _ in 0..=REDIRECTS {
            let headers = [
                (CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
                (CONTENT_LENGTH, HeaderValue::from(length)),
            ];
            let answer = self.send(&Method::POST, &url, headers, body()).await?;
            let status = answer.status();
            if status.is_redirection()
                && let Some(next) = answer.headers().get(LOCATION).and_then(|next| next.to_str().ok())
            {
                url = next.to_owned();
                continue;
            }
            return Ok((status, short(answer.into_body()).await?));
        }
        Err(TransferError::Network("too many redirections".into()))
    }

    /// Deletes what lies there; only the status counts.
    pub(super) async fn delete(&self, url: &str) -> Result<StatusCode, TransferError> {
        Ok(self.send(&Method::DELETE, url, None, Payload::Empty).await?.status())
    }
}

/// How long an answer wants us to wait.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

async fn short(mut body: Incoming) -> Result<Bytes, TransferError> {
    use http_body_util::BodyExt as _;
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| TransferError::Network(Box::new(error)))?;
        if let Some(data) = frame.data_ref() {
            if bytes.len() + data.len() > MOST_ANSWER {
                return Err(TransferError::Answer);
            }
            bytes.extend_from_slice(data);
        }
    }
    Ok(bytes.into())
}

impl Pool {
    fn new(dialer: Dialer) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .http1_max_buf_size(BUFFER)
            .build(dialer);
        Self { client }
    }

    fn shared(egress: Egress, connect: Duration) -> Arc<Self> {
        let mut shared = SHARED.lock();
        shared.retain(|(_, pool)| pool.strong_count() > 0);
        let found = shared.iter().find(|(other, _)| *other == egress).and_then(|(_, pool)| pool.upgrade());
        if let Some(pool) = found {
            return pool;
        }
        let dialer = Dialer { egress: egress.clone(), connector: Arc::new(TlsConnector), connect };
        let pool = Arc::new(Self::new(dialer));
        shared.push((egress, Arc::downgrade(&pool)));
        pool
    }
}

/// Opens streams for the pool.
#[derive(Clone)]
struct Dialer {
    egress: Egress,
    connector: Arc<dyn MediaConnector>,
    connect: Duration,
}

impl Service<Uri> for Dialer {
    type Response = Stream;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, DialError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, url: Uri) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let open = tokio::time::timeout(this.connect, this.connector.connect(&url, &this.egress));
            let stream = open.await.map_err(|_| DialError::Timeout(this.connect))??;
            Ok(Stream(TokioIo::new(Plain(stream))))
        })
    }
}

struct Plain(Box<dyn ByteStream>);

impl AsyncRead for Plain {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_read(cx, into)
    }
}

impl AsyncWrite for Plain {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_shutdown(cx)
    }
}

/// A stream as the pool wants it.
struct Stream(TokioIo<Plain>);

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl hyper::rt::Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, into)
    }
}

impl hyper::rt::Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// Body of a request.
pub(super) enum Payload {
    /// None.
    Empty,
    /// Pieces that somebody makes meanwhile. Whoever makes them says where they end by going away, and an error before
    /// `left` bytes have come breaks the request.
    Pieces {
        /// Where they come from.
        from: mpsc::Receiver<Result<Bytes, TransferError>>,
        /// Bytes that are still to come.
        left: u64,
    },
}

impl Body for Payload {
    type Data = Bytes;
    type Error = TransferError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransferError>>> {
        let Self::Pieces { from, left } = &mut *self else { return Poll::Ready(None) };
        match std::task::ready!(from.poll_recv(cx)) {
            Some(Ok(piece)) => {
                *left = left.saturating_sub(piece.len() as u64);
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            Some(Err(error)) => Poll::Ready(Some(Err(error))),
            None if *left > 0 => Poll::Ready(Some(Err(TransferError::SourceChanged))),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Pieces { left, .. } => *left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Pieces { left, .. } => SizeHint::with_exact(*left),
        }
    }
}
