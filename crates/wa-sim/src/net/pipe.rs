//! What carries the bytes of a connection: WebSocket messages, or a plain stream (chapter 10 §1).

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::faults::CloseHow;

/// Something arrived.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// Bytes of the stream.
    Bytes(Vec<u8>),
    /// A WebSocket text message.
    Text,
    /// The end.
    Closed,
}

/// A connection's transport.
pub(crate) trait Pipe: Send {
    /// Waits for what comes next; may be dropped and called again.
    fn read(&mut self) -> impl Future<Output = Incoming> + Send;
    /// Writes one piece.
    fn write(&mut self, piece: Vec<u8>) -> impl Future<Output = io::Result<()>> + Send;
    /// Asks for a sign of life in the transport's own way; nothing where it has none.
    fn ping(&mut self) -> impl Future<Output = io::Result<()>> + Send {
        std::future::ready(Ok(()))
    }
    /// Ends the connection.
    fn close(&mut self, how: CloseHow) -> impl Future<Output = ()> + Send;
}

/// WebSocket messages.
pub(crate) struct WebSocket<S> {
    pub(crate) stream: WebSocketStream<S>,
    pub(crate) reset: ResetSwitch,
}

/// Set before the socket is dropped, it makes the end of the connection a reset.
pub(crate) type ResetSwitch = Arc<AtomicBool>;

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Pipe for WebSocket<S> {
    async fn read(&mut self) -> Incoming {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Binary(bytes))) => return Incoming::Bytes(bytes.into()),
                Some(Ok(Message::Text(_))) => return Incoming::Text,
                // Pongs are written by the library with the next write; this makes it now.
                Some(Ok(Message::Ping(_))) => {
                    if self.stream.flush().await.is_err() {
                        return Incoming::Closed;
                    }
                }
                Some(Ok(Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Incoming::Closed,
            }
        }
    }

    async fn write(&mut self, piece: Vec<u8>) -> io::Result<()> {
        self.stream.send(Message::Binary(piece.into())).await.map_err(|error| match error {
            Error::Io(error) => error,
            other => io::Error::other(other),
        })
    }

    async fn ping(&mut self) -> io::Result<()> {
        self.stream.send(Message::Ping(Bytes::new())).await.map_err(io::Error::other)
    }

    async fn close(&mut self, how: CloseHow) {
        let code = match how {
            CloseHow::Code(code) => code,
            // Dropping the stream closes the socket without a close frame.
            CloseHow::Fin => return,
            CloseHow::Rst => return self.reset.store(true, Ordering::Release),
        };
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        if self.stream.close(Some(frame)).await.is_ok() {
            // The other side may read it before the socket goes.
            while let Some(Ok(message)) = self.stream.next().await {
                if message.is_close() {
                    break;
                }
            }
        }
    }
}

/// A plain stream.
pub(crate) struct Raw<S> {
    pub(crate) stream: S,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Pipe for Raw<S> {
    async fn read(&mut self) -> Incoming {
        let mut chunk = vec![0; 16 << 10];
        match self.stream.read(&mut chunk).await {
            Ok(0) | Err(_) => Incoming::Closed,
            Ok(read) => {
                chunk.truncate(read);
                Incoming::Bytes(chunk)
            }
        }
    }

    async fn write(&mut self, piece: Vec<u8>) -> io::Result<()> {
        self.stream.write_all(&piece).await?;
        self.stream.flush().await
    }

    async fn close(&mut self, how: CloseHow) {
        if how != CloseHow::Rst {
            // An error here means that it is closed already.
            let _ = self.stream.shutdown().await;
        }
    }
}
