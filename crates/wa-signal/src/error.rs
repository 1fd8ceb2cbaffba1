//! The one error of the crate, its classes and the order in which they win (chapter 04 §6.5, §6.7, §14.3, §24).

use wa_crypto::CryptoError;

/// Why a Signal operation was refused. The record it was tried on is as it was before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignalError {
    /// The record holds no session that could be used.
    #[error("no session")]
    NoSession,
    /// The message was processed before, or its key was dropped long ago. Not an error to tell the peer about.
    #[error("message {counter} was already processed")]
    Duplicate {
        /// Counter or iteration of the message.
        counter: u32,
    },
    /// The message is further ahead than the limit allows.
    #[error("message is {jump} steps ahead, at most {limit} are allowed")]
    TooFarInFuture {
        /// Steps between the chain and the message.
        jump: u32,
        /// The limit that applied.
        limit: u32,
    },
    /// No session of the record authenticates the message.
    #[error("the MAC does not belong to the message")]
    BadMac,
    /// The bytes are not what they should be.
    #[error("malformed: {0}")]
    Malformed(#[from] Malformed),
    /// The version byte names a version that is not spoken here. Version 4 means post-quantum: the retry receipt that
    /// follows carries a classic bundle, with which the peer can write (chapter 04 §8).
    #[error("unsupported message version (version byte {0:#04x})")]
    UnsupportedVersion(u8),
    /// The message names a signed pre-key that was not supplied.
    #[error("unknown signed pre-key {0}")]
    UnknownSignedPreKey(u32),
    /// The message names a one-time pre-key that was not supplied.
    #[error("unknown one-time pre-key {0}")]
    UnknownPreKey(u32),
    /// Strict trust only: the identity differs from the one that the application has confirmed.
    #[error("the identity has changed and is not confirmed")]
    UntrustedIdentity,
    /// A signed pre-key or sender-key message carries a signature that does not belong to it.
    #[error("bad signature")]
    BadSignature,
    /// No sender-key state has the key id of the message.
    #[error("no sender key with id {0}")]
    NoSenderKey(u32),
    /// A sending chain has no counter left.
    #[error("the sending chain is used up")]
    ChainUsedUp,
    /// The record belongs to another identity of this account than the one given.
    #[error("the record belongs to another local identity")]
    ForeignRecord,
    /// A stored record cannot be read.
    #[error("corrupt record: {0}")]
    CorruptRecord(#[from] Corruption),
}

/// What is wrong with bytes from the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// Too short to hold version byte, fields and MAC or signature.
    #[error("too short ({0} bytes)")]
    TooShort(usize),
    /// The protobuf cannot be parsed.
    #[error("not a protobuf")]
    Protobuf,
    /// A required field is missing.
    #[error("field {0} is missing")]
    Missing(&'static str),
    /// A field has the wrong wire type, length, key type or range.
    #[error("field {0} has the wrong form")]
    Field(&'static str),
    /// The ciphertext is empty or not a whole number of blocks.
    #[error("ciphertext of {0} bytes")]
    Ciphertext(usize),
    /// The padding behind the plaintext is wrong.
    #[error("bad block padding")]
    Padding,
    /// A public key is a low-order point: no honest peer sends one.
    #[error("low-order public key")]
    LowOrderKey,
}

/// What is wrong with the bytes of a stored record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Corruption {
    /// The record is of another kind.
    #[error("another kind of record")]
    Kind,
    /// The format version is newer than this crate.
    #[error("unknown format version {0}")]
    Version(u8),
    /// The checksum does not belong to the bytes.
    #[error("checksum mismatch")]
    Checksum,
    /// The record ends too early or has bytes left over.
    #[error("wrong length")]
    Length,
    /// A value breaks a limit or rule of the format.
    #[error("invalid {0}")]
    Value(&'static str),
}

/// The classes of chapter 04 §6.7, which decide what the peer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorClass {
    /// No session.
    NoSession,
    /// Already processed: acknowledge, no event, no retry.
    Duplicate,
    /// Beyond the jump limit.
    TooFarInFuture,
    /// Not authentic.
    BadMac,
    /// Not parseable, or not decryptable after authentication.
    Malformed,
    /// A version that is not spoken here.
    UnsupportedVersion,
    /// A one-time or signed pre-key that is not there.
    UnknownPreKey,
    /// An identity that is not confirmed (strict trust).
    UntrustedIdentity,
    /// A signature that does not fit.
    BadSignature,
    /// No sender key.
    NoSenderKey,
    /// A local fault: nothing the peer is told about as a message failure.
    Local,
}

impl SignalError {
    /// The class of the error.
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::NoSession => ErrorClass::NoSession,
            Self::Duplicate { .. } => ErrorClass::Duplicate,
            Self::TooFarInFuture { .. } => ErrorClass::TooFarInFuture,
            Self::BadMac => ErrorClass::BadMac,
            Self::Malformed(_) => ErrorClass::Malformed,
            Self::UnsupportedVersion(_) => ErrorClass::UnsupportedVersion,
            Self::UnknownSignedPreKey(_) | Self::UnknownPreKey(_) => ErrorClass::UnknownPreKey,
            Self::UntrustedIdentity => ErrorClass::UntrustedIdentity,
            Self::BadSignature => ErrorClass::BadSignature,
            Self::NoSenderKey(_) => ErrorClass::NoSenderKey,
            Self::ChainUsedUp | Self::ForeignRecord | Self::CorruptRecord(_) => ErrorClass::Local,
        }
    }

    /// Of two failed attempts on different sessions, the one to report: a duplicate wins, then a bad MAC, then the
    /// earlier. Asking for a retry of a message that was processed makes loops (chapter 04 §6.5).
    #[must_use]
    pub(crate) fn or_later(self, later: Self) -> Self {
        let rank = |error: &Self| match error.class() {
            ErrorClass::Duplicate => 0,
            ErrorClass::BadMac => 1,
            _ => 2,
        };
        if rank(&later) < rank(&self) { later } else { self }
    }
}

impl ErrorClass {
    /// The name that the chapter and the vectors use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoSession => "no-session",
            Self::Duplicate => "duplicate",
            Self::TooFarInFuture => "too-far-in-future",
            Self::BadMac => "bad-mac",
            Self::Malformed => "malformed",
            Self::UnsupportedVersion => "unsupported-version",
            Self::UnknownPreKey => "unknown-prekey",
            Self::UntrustedIdentity => "untrusted-identity",
            Self::BadSignature => "bad-signature",
            Self::NoSenderKey => "no-sender-key",
            Self::Local => "store-failure",
        }
    }

    /// Whether the answer is a retry receipt (chapter 04 §13). A duplicate is acknowledged like a message that was
    /// read, a local fault leaves the stanza unacknowledged.
    pub const fn asks_for_retry(self) -> bool {
        !matches!(self, Self::Duplicate | Self::Local)
    }

    /// The `error` code of a retry receipt (chapter 04 §14.3); 0 where there is none.
    pub const fn retry_code(self) -> u8 {
        match self {
            Self::NoSession | Self::NoSenderKey => 1,
            Self::UntrustedIdentity => 2,
            Self::UnknownPreKey => 3,
            Self::Malformed | Self::UnsupportedVersion => 4,
            Self::BadSignature => 5,
            Self::TooFarInFuture => 6,
            Self::BadMac => 7,
            Self::Local => 8,
            Self::Duplicate => 0,
        }
    }
}

impl std::fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A decryption that fails after authentication: the sender made nonsense.
pub(crate) fn cbc_error(error: CryptoError) -> SignalError {
    SignalError::Malformed(match error {
        CryptoError::BlockLength(len) => Malformed::Ciphertext(len),
        _ => Malformed::Padding,
    })
}

/// The only error of an agreement.
pub(crate) fn agreement_error(_: CryptoError) -> SignalError {
    SignalError::Malformed(Malformed::LowOrderKey)
}
