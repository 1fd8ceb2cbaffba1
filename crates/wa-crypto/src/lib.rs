//! The cryptographic primitives of the protocol behind plain functions and secret types.
//!
//! Nothing here knows a wire format. Randomness is an argument, secrets zeroize on drop, compare in
//! constant time and print as `[redacted]`. Chapters 01 §4 and 04 §1–§2 of the protocol say who uses what.
//!
//! The default provider is pure Rust. The additive features `ring` (AES-GCM) and `aws-lc` (AES-GCM and
//! X25519; wins when both are on) change speed, never results.

pub mod aead;
pub mod batch;
pub mod cbc;
pub mod ctr;
pub mod curve;
pub mod digest;
mod edwards;
mod error;
pub mod etm;
pub mod kdf;
mod kernel;
pub mod mac;
pub mod pass;
mod secret;
mod sha256;
#[cfg(test)]
mod testing;
pub mod xeddsa;

pub use error::CryptoError;
pub use rand_core;
pub use secret::{Secret, ct_eq};
