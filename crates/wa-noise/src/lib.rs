#![forbid(unsafe_code)]
//! WhatsApp's Noise: handshakes, certificate chain, frame codec and transport cipher for both roles.
//!
//! Everything follows chapter 01 §2–§4 of the protocol reference. No I/O: bytes and state in, bytes and state out;
//! time and randomness are arguments. What travels inside (login payload, stanzas) is opaque here.
//!
//! A client's connection, in order:
//!
//! ```
//! # fn main() -> Result<(), wa_noise::NoiseError> {
//! # use wa_noise::rand_core::{TryCryptoRng, TryRng};
//! # struct Counting(u8);
//! # impl TryRng for Counting {
//! #     type Error = core::convert::Infallible;
//! #     fn try_next_u32(&mut self) -> Result<u32, Self::Error> { Ok(7) }
//! #     fn try_next_u64(&mut self) -> Result<u64, Self::Error> { Ok(7) }
//! #     fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> { self.0 += 1; out.fill(self.0); Ok(()) }
//! # }
//! # impl TryCryptoRng for Counting {}
//! # let mut rng = Counting(0);
//! # let now = 1_800_000_000;
//! use wa_noise::{ClientHandshake, ClientParameters, FrameDecoder, Header, KeyPair, Opening, frame};
//! # use wa_noise::{CertificateDetails, HelloReply, IkPolicy, RootCa, ServerHandshake, ServerIdentity, build_chain};
//! # let (root, middle, server) = (KeyPair::generate(&mut rng), KeyPair::generate(&mut rng), KeyPair::generate(&mut rng));
//! # let details = |serial, issuer_serial, key| CertificateDetails { serial, issuer_serial, key, not_before: 0, not_after: u64::MAX };
//! # let chain = build_chain(root.private(), middle.private(), &details(1, 0, *middle.public()), &details(2, 1, *server.public()), &mut rng);
//! # let mut responder = ServerHandshake::new(ServerIdentity { noise_key: server, chain: chain.into() }, Header::CURRENT, IkPolicy::Accept);
//! # let trusted = RootCa { public_key: *root.public(), serial: 0 };
//!
//! let parameters = ClientParameters {
//!     noise_key: KeyPair::generate(&mut rng),
//!     root: trusted, // or RootCa::default() for the live service
//!     header: Header::CURRENT,
//!     payload: b"login payload".to_vec(),
//! };
//! let (mut handshake, hello) = ClientHandshake::start(parameters, Opening::Xx, &mut rng)?;
//! let mut wire = Vec::new();
//! frame::write_opening(&mut wire, Header::CURRENT, None, &hello)?;
//! # let HelloReply::AwaitFinish { server_hello: reply } = responder.read_client_hello(&hello, &mut rng)? else { panic!() };
//!
//! // ... the ServerHello arrives as one frame ...
//! let mut established = handshake.read_server_hello(&reply, now)?;
//! if let Some(finish) = &established.client_finish {
//!     frame::write(&mut wire, finish)?;
//! }
//! # let mut peer = responder.read_client_finish(established.client_finish.as_deref().unwrap())?;
//! # assert_eq!(peer.payload, b"login payload");
//! # wire.clear();
//! established.transport.sealer.seal(&mut wire, b"\0stanza")?;
//!
//! let mut decoder = FrameDecoder::new();
//! decoder.push(&wire);
//! while let Some(sealed) = decoder.next_frame()? {
//!     // The other end would open it; so would we with what comes from there.
//!     # assert_eq!(peer.transport.opener.open(sealed)?, b"\0stanza");
//! }
//! # Ok(())
//! # }
//! ```

mod cert;
mod client;
mod error;
pub mod frame;
mod message;
mod server;
mod symmetric;
mod transport;

pub use cert::{CertificateDetails, KnownCertificate, KnownServer, RootCa, build_chain, verify_chain};
pub use client::{ClientEstablished, ClientHandshake, ClientParameters, Opening};
pub use error::{CertificateFault, Field, Link, NoiseError};
pub use frame::{FrameDecoder, Header, Intro, MAX_FRAME};
pub use server::{HelloReply, IkPolicy, ServerEstablished, ServerHandshake, ServerIdentity};
pub use symmetric::{Pattern, SymmetricState, nonce};
pub use transport::{FrameOpener, FrameSealer, MAX_PLAINTEXT, Transport};
pub use wa_crypto::curve::{KeyPair, PrivateKey, PublicKey};
pub use wa_crypto::rand_core;
