//! The responder: XX, IK, and XXfallback for an IK it cannot or will not answer (chapters 01 §4.2–§4.4, 10 §1.2).

use bytes::Bytes;
use rand_core::CryptoRng;
use wa_crypto::curve::{KeyPair, PublicKey};

use crate::message::{self, Hello};
use crate::{Field, Header, NoiseError, Pattern, SymmetricState, Transport};

/// Who the server is. Cheap to clone; all connections share one.
#[derive(Debug, Clone)]
pub struct ServerIdentity {
    /// The static key pair, which the leaf certificate names.
    pub noise_key: KeyPair,
    /// The encoded certificate chain: see [`build_chain`](crate::build_chain).
    pub chain: Bytes,
}

/// What becomes of a ClientHello that opens IK.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IkPolicy {
    /// Answered when it decrypts; XXfallback otherwise.
    #[default]
    Accept,
    /// Always XXfallback.
    Refuse,
}

/// The server's half of one handshake.
#[derive(Debug)]
pub struct ServerHandshake {
    identity: ServerIdentity,
    header: Header,
    ik: IkPolicy,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    AwaitHello,
    AwaitFinish { state: SymmetricState, ephemeral: KeyPair, pattern: Pattern },
    Ended,
}

/// What the server does after a ClientHello: send the ServerHello, then wait or go on.
#[derive(Debug)]
pub enum HelloReply {
    /// XX or XXfallback: the ClientFinish must follow.
    AwaitFinish {
        /// To be sent as a frame.
        server_hello: Vec<u8>,
    },
    /// IK: the connection stands once the ServerHello is out.
    Established {
        /// To be sent as a frame, before any other.
        server_hello: Vec<u8>,
        /// The client and its transport.
        established: Box<ServerEstablished>,
    },
}

/// A finished handshake.
#[derive(Debug)]
pub struct ServerEstablished {
    /// Seals and opens frames from here on.
    pub transport: Transport,
    /// The pattern that led here.
    pub pattern: Pattern,
    /// The client's long-lived noise key.
    pub client_key: PublicKey,
    /// The login payload as the client encoded it.
    pub payload: Vec<u8>,
    /// Names the session; equal on both ends.
    pub handshake_hash: [u8; 32],
}

impl ServerHandshake {
    /// Waits for a ClientHello. `header` is what the client really sent: it is the prologue.
    pub const fn new(identity: ServerIdentity, header: Header, ik: IkPolicy) -> Self {
        Self { identity, header, ik, stage: Stage::AwaitHello }
    }

    /// Reads the ClientHello and answers with a fresh ephemeral key (one draw of 32 bytes).
    ///
    /// # Errors
    /// Malformed messages and low-order points; an IK that does not decrypt is no error but falls back.
    pub fn read_client_hello(
        &mut self,
        message: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<HelloReply, NoiseError> {
        self.read_client_hello_with(message, KeyPair::generate(rng))
    }

    /// [`read_client_hello`](Self::read_client_hello) with a given ephemeral key: what vectors need.
    ///
    /// # Errors
    /// As [`read_client_hello`](Self::read_client_hello).
    pub fn read_client_hello_with(
        &mut self,
        message: &[u8],
        ephemeral: KeyPair,
    ) -> Result<HelloReply, NoiseError> {
        let Stage::AwaitHello = std::mem::replace(&mut self.stage, Stage::Ended) else {
            return Err(NoiseError::Ended);
        };
        let hello = message::parse_client_hello(message)?;
        let missing = |field| NoiseError::Missing { pattern: Pattern::Ik, field };
        let (sealed_static, sealed_payload) = match (&hello.sealed_static, &hello.sealed_payload) {
            (None, None) => return self.answer_xx(Pattern::Xx, &hello, ephemeral),
            (Some(sealed_static), Some(sealed_payload)) => (sealed_static, sealed_payload),
            (None, Some(_)) => return Err(missing(Field::Static)),
            (Some(_), None) => return Err(missing(Field::Payload)),
        };
        if self.ik == IkPolicy::Accept
            && let Ok(opened) = self.open_ik(&hello.ephemeral, sealed_static, sealed_payload)
        {
            return self.answer_ik(opened, &hello.ephemeral, &ephemeral);
        }
        self.answer_xx(Pattern::XxFallback, &hello, ephemeral)
    }

    /// Reads the ClientFinish of XX and XXfallback.
    ///
    /// # Errors
    /// Malformed messages, tags that do not fit, low-order points; [`NoiseError::Ended`] when none is awaited.
    pub fn read_client_finish(&mut self, message: &[u8]) -> Result<ServerEstablished, NoiseError> {
        let (mut state, ephemeral, pattern) = match std::mem::replace(&mut self.stage, Stage::Ended) {
            Stage::AwaitFinish { state, ephemeral, pattern } => (state, ephemeral, pattern),
            Stage::AwaitHello | Stage::Ended => return Err(NoiseError::Ended),
        };
        let (sealed_static, sealed_payload) = message::parse_client_finish(message, pattern)?;
        let client_key = message::parse_static(&state.decrypt(Field::Static, &sealed_static)?)?;
        state.mix_agreement(&ephemeral, &client_key)?;
        let payload = state.decrypt(Field::Payload, &sealed_payload)?;
        Ok(established(&state, pattern, client_key, payload))
    }

    fn answer_xx(
        &mut self,
        pattern: Pattern,
        hello: &Hello,
        ephemeral: KeyPair,
    ) -> Result<HelloReply, NoiseError> {
        let mut state = SymmetricState::new(pattern);
        state.mix_hash(self.header.as_bytes());
        state.mix_hash(hello.ephemeral.as_bytes());
        state.mix_hash(ephemeral.public().as_bytes());
        state.mix_agreement(&ephemeral, &hello.ephemeral)?;
        let sealed_static = state.encrypt(self.identity.noise_key.public().as_bytes())?;
        state.mix_agreement(&self.identity.noise_key, &hello.ephemeral)?;
        let sealed_payload = state.encrypt(&self.identity.chain)?;
        let server_hello = message::server_hello(ephemeral.public(), Some(sealed_static), sealed_payload);
        self.stage = Stage::AwaitFinish { state, ephemeral, pattern };
        Ok(HelloReply::AwaitFinish { server_hello })
    }

    fn open_ik(
        &self,
        client_ephemeral: &PublicKey,
        sealed_static: &[u8],
        sealed_payload: &[u8],
    ) -> Result<OpenedIk, NoiseError> {
        let noise_key = &self.identity.noise_key;
        let mut state = SymmetricState::new(Pattern::Ik);
        state.mix_hash(self.header.as_bytes());
        state.mix_hash(noise_key.public().as_bytes());
        state.mix_hash(client_ephemeral.as_bytes());
        state.mix_agreement(noise_key, client_ephemeral)?;
        let client_key = message::parse_static(&state.decrypt(Field::Static, sealed_static)?)?;
        state.mix_agreement(noise_key, &client_key)?;
        let payload = state.decrypt(Field::Payload, sealed_payload)?;
        Ok(OpenedIk { state, client_key, payload })
    }

    fn answer_ik(
        &self,
        opened: OpenedIk,
        client_ephemeral: &PublicKey,
        ephemeral: &KeyPair,
    ) -> Result<HelloReply, NoiseError> {
        let OpenedIk { mut state, client_key, payload } = opened;
        state.mix_hash(ephemeral.public().as_bytes());
        state.mix_agreement(ephemeral, client_ephemeral)?;
        state.mix_agreement(ephemeral, &client_key)?;
        let sealed_payload = state.encrypt(&self.identity.chain)?;
        let server_hello = message::server_hello(ephemeral.public(), None, sealed_payload);
        let established = Box::new(established(&state, Pattern::Ik, client_key, payload));
        Ok(HelloReply::Established { server_hello, established })
    }
}

/// An IK hello that decrypted under the present static key.
struct OpenedIk {
    state: SymmetricState,
    client_key: PublicKey,
    payload: Vec<u8>,
}

fn established(
    state: &SymmetricState,
    pattern: Pattern,
    client_key: PublicKey,
    payload: Vec<u8>,
) -> ServerEstablished {
    let (to_server, to_client) = state.split();
    ServerEstablished {
        transport: Transport::new(&to_client, &to_server),
        pattern,
        client_key,
        payload,
        handshake_hash: *state.hash(),
    }
}
