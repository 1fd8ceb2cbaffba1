#![forbid(unsafe_code)]
//! The Signal protocol as WhatsApp speaks it (protocol chapter 04 §1–§9): X3DH, double ratchet, sender keys, their
//! wire messages and their stored records.
//!
//! Pure and synchronous: a record and bytes in, a changed record and bytes out. Nothing here stores, sends or looks at
//! a clock; randomness is an argument. **An operation that fails leaves the record untouched.**
//!
//! The order of a received pre-key message, since it names keys that only the store has:
//!
//! ```
//! use wa_signal::{LocalIdentity, OwnPreKeys, PreKeySignalMessage, Received, Sender, SessionRecord, SignalError};
//! # use wa_signal::{PreKey, SignedPreKey};
//! # use wa_crypto::rand_core::CryptoRng;
//! # trait Store { fn signed(&self, id: u32) -> Option<SignedPreKey>; fn one_time(&self, id: u32) -> Option<PreKey>; }
//! fn receive(
//!     record: &mut SessionRecord,
//!     local: &LocalIdentity,
//!     bytes: &[u8],
//!     store: &impl Store,
//!     rng: &mut impl CryptoRng,
//! ) -> Result<Received, SignalError> {
//!     let message = PreKeySignalMessage::parse(bytes)?;
//!     // A strict application compares message.identity_key() with the stored one here (see `trust`).
//!     let (signed, one_time) = if record.knows(&message) {
//!         (None, None) // no pre-key is loaded or consumed
//!     } else {
//!         (store.signed(message.signed_pre_key_id()), message.pre_key_id().and_then(|id| store.one_time(id)))
//!     };
//!     let keys = OwnPreKeys { signed: signed.as_ref(), one_time: one_time.as_ref() };
//!     let received = record.decrypt_pre_key(local, &message, keys, Sender::Other, rng)?;
//!     // In one commit: record.encode(), the plaintext, the identity, the deletion of received.consumed_pre_key.
//!     Ok(received)
//! }
//! ```
//!
//! | chapter | module |
//! | --- | --- |
//! | §3 X3DH | [`x3dh`] |
//! | §4 ratchet | [`ratchet`] |
//! | §5, §9.1 wire messages | [`SignalMessage`], [`PreKeySignalMessage`], [`SenderKeyMessage`], [`SenderKeyDistribution`] |
//! | §6 sessions | [`SessionRecord`] |
//! | §7 trust | [`trust`] |
//! | §22.3 import | [`import`] |
//! | §9 sender keys | [`OwnSenderKey`], [`SenderKeyRecord`] |

mod encoding;
mod error;
pub mod import;
mod keys;
pub mod limits;
mod message_keys;
pub mod ratchet;
#[cfg(feature = "sabotage")]
pub mod sabotage;
#[cfg(not(feature = "sabotage"))]
#[allow(dead_code, unreachable_pub, reason = "only builds with the feature set the switches")]
mod sabotage;
mod sender_key;
mod session;
mod skipped;
pub mod trust;
mod wire;
pub mod x3dh;

pub use error::{Corruption, ErrorClass, Malformed, SignalError};
pub use keys::{
    IdentityKey, IdentityKeyPair, LocalIdentity, OwnPreKeys, PreKey, PreKeyBundle, SignedPreKey,
    next_pre_key_id,
};
pub use message_keys::{MessageKeys, SenderMessageKeys};
pub use ratchet::MessageSeed;
pub use sender_key::{Distributed, OwnSenderKey, SenderKeyRecord};
pub use session::{Ciphertext, CiphertextKind, Received, Sender, SessionId, SessionRecord, SessionUse};
pub use wire::{PreKeySignalMessage, SenderKeyDistribution, SenderKeyMessage, SignalMessage};
