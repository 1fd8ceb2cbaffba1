//! The initiator: XX, IK with its fallback (chapter 01 §4.2–§4.4 and §4.7).

use rand_core::CryptoRng;
use wa_crypto::curve::{KeyPair, PublicKey};

use crate::cert::{KnownServer, RootCa, verify_chain};
use crate::message::{self, Hello};
use crate::{Field, Header, NoiseError, Pattern, SymmetricState, Transport};

/// How a client opens the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// Without knowing the server's key.
    Xx,
    /// With the server key of an earlier, verified connection: see [`KnownServer::usable_at`].
    Ik(PublicKey),
}

/// What a client brings to a handshake.
#[derive(Debug, Clone)]
pub struct ClientParameters {
    /// The long-lived noise key of the credentials.
    pub noise_key: KeyPair,
    /// Whose certificates are trusted.
    pub root: RootCa,
    /// The header that opens the connection; it is the prologue.
    pub header: Header,
    /// The encoded login payload.
    pub payload: Vec<u8>,
}

/// A handshake that waits for the ServerHello.
#[derive(Debug)]
pub struct ClientHandshake {
    parameters: ClientParameters,
    ephemeral: KeyPair,
    pattern: Pattern,
    /// `None` once the handshake has failed or finished.
    state: Option<SymmetricState>,
}

/// A finished handshake.
#[derive(Debug)]
pub struct ClientEstablished {
    /// The ClientFinish, to be sent as a frame before anything else; `None` after IK.
    pub client_finish: Option<Vec<u8>>,
    /// Seals and opens frames from here on.
    pub transport: Transport,
    /// The pattern that led here.
    pub pattern: Pattern,
    /// The verified server, to be cached for IK when the device is registered; `None` after IK, where the cached one
    /// stays.
    pub server: Option<KnownServer>,
    /// Names the session; equal on both ends.
    pub handshake_hash: [u8; 32],
}

impl ClientHandshake {
    /// Draws an ephemeral key (one draw of 32 bytes) and gives the ClientHello, to go out behind the header.
    ///
    /// # Errors
    /// [`NoiseError::LowOrderPoint`] when the key of [`Opening::Ik`] is no honest one.
    pub fn start(
        parameters: ClientParameters,
        opening: Opening,
        rng: &mut impl CryptoRng,
    ) -> Result<(Self, Vec<u8>), NoiseError> {
        Self::start_with(parameters, opening, KeyPair::generate(rng))
    }

    /// [`start`](Self::start) with a given ephemeral key: what vectors need. Never use one for two connections.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with(
        parameters: ClientParameters,
        opening: Opening,
        ephemeral: KeyPair,
    ) -> Result<(Self, Vec<u8>), NoiseError> {
        let (pattern, state, hello) = match opening {
            Opening::Xx => {
                let state = begin(Pattern::Xx, &parameters, &ephemeral);
                (Pattern::Xx, state, message::client_hello(ephemeral.public(), None))
            }
            Opening::Ik(server) => {
                let mut state = SymmetricState::new(Pattern::Ik);
                state.mix_hash(parameters.header.as_bytes());
                state.mix_hash(server.as_bytes());
                state.mix_hash(ephemeral.public().as_bytes());
                state.mix_agreement(&ephemeral, &server)?;
                let sealed_static = state.encrypt(parameters.noise_key.public().as_bytes())?;
                state.mix_agreement(&parameters.noise_key, &server)?;
                let sealed_payload = state.encrypt(&parameters.payload)?;
                let hello = message::client_hello(ephemeral.public(), Some((sealed_static, sealed_payload)));
                (Pattern::Ik, state, hello)
            }
        };
        Ok((Self { parameters, ephemeral, pattern, state: Some(state) }, hello))
    }

    /// Reads the ServerHello at `now` (Unix seconds) and finishes, falling back from IK where the server asks for it.
    ///
    /// # Errors
    /// Every way in which the answer can be wrong; the handshake is over then and answers [`NoiseError::Ended`]. Ask
    /// [`pattern`](Self::pattern) which of the patterns failed.
    pub fn read_server_hello(&mut self, message: &[u8], now: u64) -> Result<ClientEstablished, NoiseError> {
        let mut state = self.state.take().ok_or(NoiseError::Ended)?;
        let hello = message::parse_server_hello(message, self.pattern)?;
        if self.pattern == Pattern::Ik {
            if hello.sealed_static.is_none() {
                return self.finish_ik(state, &hello);
            }
            self.pattern = Pattern::XxFallback;
            state = begin(Pattern::XxFallback, &self.parameters, &self.ephemeral);
        }
        self.finish_xx(state, &hello, now)
    }

    /// The pattern that runs or ran: XXfallback from the moment the server declined IK.
    pub const fn pattern(&self) -> Pattern {
        self.pattern
    }

    fn finish_xx(
        &self,
        mut state: SymmetricState,
        hello: &Hello,
        now: u64,
    ) -> Result<ClientEstablished, NoiseError> {
        let missing = |field| NoiseError::Missing { pattern: self.pattern, field };
        let sealed_static = hello.sealed_static.as_deref().ok_or(missing(Field::Static))?;
        let sealed_payload = hello.sealed_payload.as_deref().ok_or(missing(Field::Payload))?;

        state.mix_hash(hello.ephemeral.as_bytes());
        state.mix_agreement(&self.ephemeral, &hello.ephemeral)?;
        let server_key = message::parse_static(&state.decrypt(Field::Static, sealed_static)?)?;
        state.mix_agreement(&self.ephemeral, &server_key)?;
        let chain = state.decrypt(Field::Payload, sealed_payload)?;
        let server = verify_chain(&chain, &server_key, &self.parameters.root, now)?;

        let noise_key = &self.parameters.noise_key;
        let sealed_static = state.encrypt(noise_key.public().as_bytes())?;
        state.mix_agreement(noise_key, &hello.ephemeral)?;
        let sealed_payload = state.encrypt(&self.parameters.payload)?;
        let finish = message::client_finish(sealed_static, sealed_payload);
        Ok(self.established(&state, Some(finish), Some(server)))
    }

    fn finish_ik(&self, mut state: SymmetricState, hello: &Hello) -> Result<ClientEstablished, NoiseError> {
        let missing = NoiseError::Missing { pattern: Pattern::Ik, field: Field::Payload };
        let sealed_payload = hello.sealed_payload.as_deref().ok_or(missing)?;
        state.mix_hash(hello.ephemeral.as_bytes());
        state.mix_agreement(&self.ephemeral, &hello.ephemeral)?;
        state.mix_agreement(&self.parameters.noise_key, &hello.ephemeral)?;
        // The tag proves the server; what the payload says was verified when the key was cached.
        state.decrypt(Field::Payload, sealed_payload)?;
        Ok(self.established(&state, None, None))
    }

    fn established(
        &self,
        state: &SymmetricState,
        client_finish: Option<Vec<u8>>,
        server: Option<KnownServer>,
    ) -> ClientEstablished {
        let (to_server, to_client) = state.split();
        ClientEstablished {
            client_finish,
            transport: Transport::new(&to_server, &to_client),
            pattern: self.pattern,
            server,
            handshake_hash: *state.hash(),
        }
    }
}

/// XX and XXfallback start alike: WhatsApp's XX does not mix the empty payload of its first message in.
fn begin(pattern: Pattern, parameters: &ClientParameters, ephemeral: &KeyPair) -> SymmetricState {
    let mut state = SymmetricState::new(pattern);
    state.mix_hash(parameters.header.as_bytes());
    state.mix_hash(ephemeral.public().as_bytes());
    state
}
