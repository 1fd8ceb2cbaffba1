//! The one error of the crate, with the faults of a certificate chain inside it (chapter 01 §2–§4).

use wa_crypto::CryptoError;

use crate::Pattern;

/// Why a connection cannot go on. After any of these the handshake, opener or decoder that gave it is dead; only
/// [`NoiseError::FrameTooLong`] and [`NoiseError::CounterExhausted`] of a sealer leave what was sealed before usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoiseError {
    /// A payload is longer than a frame or the configured limit allows.
    #[error("frame of {len} bytes is longer than {limit}")]
    FrameTooLong {
        /// Bytes announced or given.
        len: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The first bytes of a connection are not `WA` and the Noise magic.
    #[error("not a connection header: {0:02x?}")]
    Header([u8; 4]),
    /// A handshake message is no protobuf of its type.
    #[error("undecodable handshake message")]
    Protobuf(#[source] prost::DecodeError),
    /// A handshake message lacks a part.
    #[error("{pattern:?} handshake message without {field:?}")]
    Missing {
        /// The pattern that was running.
        pattern: Pattern,
        /// What is absent.
        field: Field,
    },
    /// A part of a handshake message has the wrong length.
    #[error("{field:?} of {len} bytes")]
    Length {
        /// Which part.
        field: Field,
        /// Its length in bytes.
        len: usize,
    },
    /// A tag does not fit: the peer has other keys, or bytes were changed on the way.
    #[error("authentication of {0:?} failed")]
    Authentication(Field),
    /// A Diffie-Hellman result is all zero.
    #[error("the peer sent a low-order point")]
    LowOrderPoint,
    /// The server's certificate chain is not acceptable.
    #[error("certificate chain: {0}")]
    Certificate(#[from] CertificateFault),
    /// The counter of a direction reached 2^32 - 1: reconnect.
    #[error("frame counter exhausted")]
    CounterExhausted,
    /// A call to something that failed or finished before.
    #[error("the handshake or cipher has ended")]
    Ended,
    /// A primitive refused its input: a programming error, not the peer's.
    #[error("primitive failed")]
    Crypto(#[source] CryptoError),
}

impl NoiseError {
    /// Whether the peer's bytes are at fault (tag, shape, lengths, certificates). Such an error while
    /// [`ClientHandshake::pattern`](crate::ClientHandshake::pattern) is still [`Pattern::Ik`] counts against the
    /// cached server key (chapter 01 §4.7); others leave counter and cache alone.
    pub const fn is_peer_fault(&self) -> bool {
        !matches!(self, Self::CounterExhausted | Self::Ended | Self::Crypto(_))
    }
}

/// A part of a handshake or transport message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The ClientHello itself.
    ClientHello,
    /// The ServerHello itself.
    ServerHello,
    /// The ClientFinish itself.
    ClientFinish,
    /// The ephemeral public key.
    Ephemeral,
    /// The encrypted static key.
    Static,
    /// The encrypted payload.
    Payload,
    /// A frame of the transport.
    Frame,
}

/// Which certificate of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// The one that names the server's static key.
    Leaf,
    /// The one that the root signed.
    Intermediate,
}

/// What is wrong with a certificate chain (chapter 01 §4.6).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateFault {
    /// The chain is no protobuf of its type.
    #[error("undecodable chain")]
    Chain(#[source] prost::DecodeError),
    /// A certificate is absent.
    #[error("{0:?} missing")]
    Missing(Link),
    /// A certificate has no details.
    #[error("{0:?} without details")]
    MissingDetails(Link),
    /// The details of a certificate are no protobuf of their type.
    #[error("undecodable details of {link:?}")]
    Details {
        /// Which certificate.
        link: Link,
        /// What the decoder said.
        source: prost::DecodeError,
    },
    /// A certificate has no signature.
    #[error("{0:?} without signature")]
    MissingSignature(Link),
    /// A signature is not 64 bytes long.
    #[error("signature of {link:?} has {len} bytes")]
    SignatureLength {
        /// Which certificate.
        link: Link,
        /// Length that was found.
        len: usize,
    },
    /// A key is not 32 bytes long.
    #[error("key of {link:?} has {len} bytes")]
    KeyLength {
        /// Which certificate.
        link: Link,
        /// Length that was found.
        len: usize,
    },
    /// The intermediate was not issued by the configured root.
    #[error("intermediate issued by serial {found}, root has {expected}")]
    RootSerial {
        /// Serial of the configured root.
        expected: u32,
        /// Issuer serial of the intermediate.
        found: u32,
    },
    /// The leaf was not issued by the intermediate.
    #[error("leaf issued by serial {found}, intermediate has {expected}")]
    IntermediateSerial {
        /// Serial of the intermediate.
        expected: u32,
        /// Issuer serial of the leaf.
        found: u32,
    },
    /// A signature does not verify under its issuer's key.
    #[error("signature of {0:?} does not verify")]
    Signature(Link),
    /// The leaf names another key than the server proved to own.
    #[error("the leaf's key is not the server's static key")]
    LeafKey,
    /// A certificate is not valid yet.
    #[error("{link:?} is not valid before {not_before}, now is {now}")]
    NotYetValid {
        /// Which certificate.
        link: Link,
        /// Start of its validity, Unix seconds.
        not_before: u64,
        /// The time it was checked at, Unix seconds.
        now: u64,
    },
    /// A certificate is no longer valid.
    #[error("{link:?} is not valid after {not_after}, now is {now}")]
    Expired {
        /// Which certificate.
        link: Link,
        /// End of its validity, Unix seconds.
        not_after: u64,
        /// The time it was checked at, Unix seconds.
        now: u64,
    },
}
