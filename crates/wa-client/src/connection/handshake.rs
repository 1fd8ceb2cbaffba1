//! From an open pipe to a sealed one: the Noise handshake with its cache rules (chapter 01 §4.7).

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use rand_core::CryptoRng;
use wa_noise::{
    ClientEstablished, ClientHandshake, ClientParameters, FrameDecoder, KnownServer, NoiseError, Opening,
    Pattern, frame,
};

use super::transport::{BoxTransport, TransportError};
use crate::health::Cause;

/// Why a handshake did not finish.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandshakeError {
    #[error("the handshake failed")]
    Noise(#[from] NoiseError),
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error("no answer within {0:?}")]
    Timeout(Duration),
}

impl HandshakeError {
    pub(crate) const fn cause(&self) -> Cause {
        match self {
            Self::Noise(NoiseError::Certificate(_)) => Cause::ServerNotTrusted,
            Self::Noise(_) | Self::Timeout(_) => Cause::HandshakeFailed,
            Self::Transport(_) => Cause::ConnectionLost,
        }
    }
}

/// What is remembered of the server between connections.
#[derive(Debug, Default)]
pub(crate) struct ServerMemory {
    /// The verified certificates; cleared when the short handshake failed for a cryptographic reason.
    pub(crate) known: Option<KnownServer>,
    /// Cryptographic failures of the short handshake in this process.
    failures: u32,
}

impl ServerMemory {
    pub(crate) fn opening(&self, registered: bool, now: u64) -> Opening {
        match &self.known {
            Some(known) if registered && self.failures == 0 && known.usable_at(now) => {
                Opening::Ik(known.leaf.key)
            }
            _ => Opening::Xx,
        }
    }

    fn finished(&mut self, established: &ClientEstablished, registered: bool) {
        self.failures = 0;
        if let Some(server) = established.server.filter(|_| registered) {
            self.known = Some(server);
        }
    }

    fn failed(&mut self, pattern: Pattern, error: &NoiseError) {
        // Only what the peer got wrong counts, and only in the short handshake itself.
        if pattern == Pattern::Ik && error.is_peer_fault() {
            self.failures += 1;
            self.known = None;
        }
    }
}

/// A pipe behind its handshake; frames that came along wait in the decoder.
pub(crate) struct Sealed {
    pub(crate) established: ClientEstablished,
    pub(crate) decoder: FrameDecoder,
}

/// What a handshake is run with.
pub(crate) struct Terms<'a> {
    pub(crate) parameters: ClientParameters,
    pub(crate) routing: Option<&'a [u8]>,
    /// Whether the device is linked.
    pub(crate) registered: bool,
    /// Unix seconds.
    pub(crate) now: u64,
    pub(crate) timeout: Duration,
}

/// Runs the handshake as the initiator.
pub(crate) async fn run(
    transport: &mut BoxTransport,
    terms: Terms<'_>,
    memory: &mut ServerMemory,
    mut rng: impl CryptoRng,
) -> Result<Sealed, HandshakeError> {
    let Terms { parameters, routing, registered, now, timeout } = terms;
    let header = parameters.header;
    let opening = memory.opening(registered, now);
    let (mut handshake, hello) = ClientHandshake::start(parameters, opening, &mut rng)?;
    let mut wire = Vec::new();
    frame::write_opening(&mut wire, header, routing, &hello)?;
    transport.send(Bytes::from(wire)).await?;

    let mut decoder = FrameDecoder::new();
    let reply = tokio::time::timeout(timeout, async {
        loop {
            if let Some(reply) = decoder.next_frame()? {
                return Ok::<_, HandshakeError>(reply.to_vec());
            }
            let chunk = transport.next().await.ok_or(TransportError::Closed)??;
            decoder.push(&chunk);
        }
    })
    .await
    .map_err(|_| HandshakeError::Timeout(timeout))??;

    let established = handshake
        .read_server_hello(&reply, now)
        .inspect_err(|error| memory.failed(handshake.pattern(), error))?;
    memory.finished(&established, registered);
    if let Some(finish) = &established.client_finish {
        let mut wire = Vec::new();
        frame::write(&mut wire, finish)?;
        transport.send(Bytes::from(wire)).await?;
    }
    Ok(Sealed { established, decoder })
}
