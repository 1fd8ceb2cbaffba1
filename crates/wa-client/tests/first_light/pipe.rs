//! The simulator's in-memory stream as a transport: no sockets, no ports.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use wa_client::egress::Egress;
use wa_client::media::{ByteStream, MediaConnector};
use wa_client::{BoxTransport, Connector, DialError, DialRequest, RootCa, TransportError};
use wa_sim::SimHandle;

/// Connects to a simulator of this process.
pub(crate) struct Pipe(pub(crate) Arc<SimHandle>);

#[async_trait]
impl MediaConnector for Pipe {
    async fn connect(&self, _: &hyper::Uri, _: &Egress) -> Result<Box<dyn ByteStream>, DialError> {
        Ok(Box::new(self.0.http()))
    }
}

/// The root of trust of a simulator.
pub(crate) fn root(sim: &SimHandle) -> RootCa {
    RootCa::new(sim.noise_root(), 0)
}

#[async_trait]
impl Connector for Pipe {
    async fn connect(&self, _: &DialRequest) -> Result<BoxTransport, DialError> {
        Ok(Box::pin(Duplex { stream: self.0.connect(), unwritten: Bytes::new() }))
    }
}

struct Duplex {
    stream: DuplexStream,
    unwritten: Bytes,
}

fn failed(error: std::io::Error) -> TransportError {
    TransportError::Failed(error.into())
}

impl Stream for Duplex {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut buffer = [0; 4096];
        let mut read = ReadBuf::new(&mut buffer);
        std::task::ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read)).map_err(failed)?;
        let bytes = Bytes::copy_from_slice(read.filled());
        Poll::Ready((!bytes.is_empty()).then_some(Ok(bytes)))
    }
}

impl Sink<Bytes> for Duplex {
    type Error = TransportError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.poll_flush(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, bytes: Bytes) -> Result<(), TransportError> {
        self.unwritten = bytes;
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        let this = &mut *self;
        while !this.unwritten.is_empty() {
            let written = std::task::ready!(Pin::new(&mut this.stream).poll_write(cx, &this.unwritten));
            let written = written.map_err(failed)?;
            drop(this.unwritten.split_to(written));
        }
        Pin::new(&mut this.stream).poll_flush(cx).map_err(failed)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Pin::new(&mut self.stream).poll_shutdown(cx).map_err(failed)
    }
}
