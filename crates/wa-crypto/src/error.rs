//! The one error of the crate.

/// What a primitive can refuse. None of them says more about a secret than that it did not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CryptoError {
    /// An authentication tag, MAC or signature does not belong to the data.
    #[error("authentication failed")]
    Authentication,
    /// A Diffie-Hellman result is all zero: the peer sent a low-order point.
    #[error("the peer's public key is a low-order point")]
    LowOrderPoint,
    /// A serialized public key is not 33 bytes that start with the type byte 5.
    #[error("not a serialized public key ({len} bytes, type byte {type_byte:?})")]
    PublicKeyForm {
        /// Length that was given.
        len: usize,
        /// First byte that was given, if any.
        type_byte: Option<u8>,
    },
    /// A value has another length than the field asks for.
    #[error("expected {expected} bytes, found {found}")]
    Length {
        /// Length of the field in bytes.
        expected: usize,
        /// Length that was given.
        found: usize,
    },
    /// A ciphertext is not a whole, non-zero number of blocks.
    #[error("ciphertext of {0} bytes is not a whole number of 16-byte blocks")]
    BlockLength(usize),
    /// The padding behind a decrypted text is wrong.
    #[error("bad padding")]
    Padding,
    /// Input is longer than the primitive allows.
    #[error("input of {0} bytes is too long")]
    TooLong(usize),
    /// The cryptographic provider failed on valid input: out of memory.
    #[error("the cryptographic provider failed")]
    Provider,
}
