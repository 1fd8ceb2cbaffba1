//! WebSocket over TLS over TCP (chapter 01 §1): binary messages, no extensions, small buffers.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::header::ORIGIN;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig, frame::coding::CloseCode};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::transport::{BoxTransport, Connector, DialError, DialRequest, TransportError};
use crate::egress::EgressError;

/// Largest WebSocket message that is read: the largest frame and its header.
const MAX_MESSAGE: usize = (1 << 24) + 3;

/// The connector of production.
#[derive(Debug, Clone, Copy, Default)]
pub struct WebSocketConnector;

#[async_trait]
impl Connector for WebSocketConnector {
    async fn connect(&self, request: &DialRequest) -> Result<BoxTransport, DialError> {
        tokio::time::timeout(request.timeout, dial(request))
            .await
            .map_err(|_| DialError::Timeout(request.timeout))?
    }
}

async fn dial(request: &DialRequest) -> Result<BoxTransport, DialError> {
    let tcp = request.egress.open(&request.url).await?;
    if request.url.scheme_str() != Some("wss") {
        return upgrade(request, tcp).await;
    }
    let host = request.url.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let name = rustls::pki_types::ServerName::try_from(host.clone())
        .map_err(|error| EgressError::Unreachable { host, source: error.into() })?;
    let connector = tokio_rustls::TlsConnector::from(Arc::clone(&request.egress.tls()?));
    let tls = connector.connect(name, tcp).await.map_err(DialError::Tls)?;
    upgrade(request, tls).await
}

async fn upgrade<S>(request: &DialRequest, stream: S) -> Result<BoxTransport, DialError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut upgrade =
        request.url.clone().into_client_request().map_err(|error| DialError::Upgrade(error.into()))?;
    if let Some(origin) = &request.origin {
        upgrade.headers_mut().insert(ORIGIN, origin.clone());
    }
    for (name, value) in &request.headers {
        upgrade.headers_mut().insert(name.clone(), value.clone());
    }
    let config = WebSocketConfig::default()
        .read_buffer_size(4096)
        .write_buffer_size(0)
        .max_write_buffer_size(2 * MAX_MESSAGE)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    match client_async_with_config(upgrade, stream, Some(config)).await {
        Ok((socket, _)) => Ok(Box::pin(WebSocket { socket })),
        Err(WsError::Http(response)) => Err(DialError::Status(response.status().as_u16())),
        Err(error) => Err(DialError::Upgrade(error.into())),
    }
}

struct WebSocket<S> {
    socket: WebSocketStream<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for WebSocket<S> {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            return Poll::Ready(match std::task::ready!(self.socket.poll_next_unpin(cx)) {
                Some(Ok(Message::Binary(bytes))) => Some(Ok(bytes)),
                // Text is no part of the protocol; pings are answered below us.
                Some(Ok(Message::Text(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {
                    continue;
                }
                Some(Ok(Message::Close(_))) | None => None,
                Some(Err(error)) => Some(Err(failed(error))),
            });
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Bytes> for WebSocket<S> {
    type Error = TransportError;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.socket.poll_ready_unpin(cx).map_err(failed)
    }

    fn start_send(mut self: Pin<&mut Self>, bytes: Bytes) -> Result<(), TransportError> {
        self.socket.start_send_unpin(Message::Binary(bytes)).map_err(failed)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.socket.poll_flush_unpin(cx).map_err(failed)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        let close = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        // A second close is answered by `ConnectionClosed`, which is what is wanted.
        let _ = self.socket.start_send_unpin(Message::Close(Some(close)));
        self.socket.poll_close_unpin(cx).map_err(failed)
    }
}

fn failed(error: WsError) -> TransportError {
    match error {
        WsError::ConnectionClosed | WsError::AlreadyClosed => TransportError::Closed,
        other => TransportError::Failed(other.into()),
    }
}
