//! Message secrets and what is encrypted with them (chapter 04 §18, chapter 05 §12): poll votes, event responses,
//! reactions and comments in announcement groups, encrypted edits, messages of bots.
//!
//! Every content message carries 32 random bytes. Whoever has them can read and write add-ons to that message; the
//! authors' addresses enter the key, so that nobody can pass an add-on off as another's.

mod add_on;
mod bot;

use thiserror::Error;
use wa_crypto::{Secret, rand_core::CryptoRng};

pub use add_on::{AddOn, AddOnKey, KnownAs, SealedAddOn, UseCase, open_any, poll_option_hash};
pub use bot::{BotMessageSecret, BotReply};

/// Bytes of the GCM nonce that travels beside an add-on.
pub const IV_LEN: usize = 12;

/// The secret of one message (`messageContextInfo.messageSecret`).
///
/// It is drawn once, goes to every recipient and into the sender's own copies, and is kept for resends and edits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageSecret(Secret<32>);

impl MessageSecret {
    /// A fresh secret: one draw of 32 bytes.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        Self(Secret::random(rng))
    }

    /// Takes the bytes over.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// The bytes: for the message itself or the store, never for a log.
    pub const fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }
}

impl TryFrom<&[u8]> for MessageSecret {
    type Error = SecretError;

    fn try_from(bytes: &[u8]) -> Result<Self, SecretError> {
        Secret::try_from(bytes).map(Self).map_err(|_| SecretError::SecretLength(bytes.len()))
    }
}

/// Why an add-on or a bot's message cannot be opened. The application gets the raw add-on; no retry receipt follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SecretError {
    /// The message secret is not 32 bytes long.
    #[error("a message secret of {0} bytes")]
    SecretLength(usize),
    /// The nonce is not 12 bytes long.
    #[error("a nonce of {0} bytes")]
    IvLength(usize),
    /// The payload is shorter than its tag.
    #[error("a payload of {0} bytes")]
    PayloadLength(usize),
    /// The tag does not fit: another secret, other authors, another use, or changed bytes.
    #[error("the add-on does not open with this secret and these authors")]
    Authentication,
    /// Longer than the cipher takes, or the provider failed.
    #[error("the add-on cannot be sealed")]
    Seal,
}
