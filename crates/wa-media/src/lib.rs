#![forbid(unsafe_code)]
//! WhatsApp's media files: keys, streaming encryption and decryption, sidecars, ranges, media retry, and the small
//! formats around them. Chapter 06 of the protocol reference is followed throughout.
//!
//! No HTTP and no files: bytes in, bytes out, in pieces of any length, with constant memory.
//!
//! ```
//! use wa_media::{Expected, MediaKey, MediaKind, Opener, Sealer, Sidecar};
//! # use wa_media::rand_core::{TryCryptoRng, TryRng};
//! # struct Fixed;
//! # impl TryRng for Fixed {
//! #     type Error = core::convert::Infallible;
//! #     fn try_next_u32(&mut self) -> Result<u32, Self::Error> { Ok(7) }
//! #     fn try_next_u64(&mut self) -> Result<u64, Self::Error> { Ok(7) }
//! #     fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> { out.fill(7); Ok(()) }
//! # }
//! # impl TryCryptoRng for Fixed {}
//! # let mut rng = Fixed;
//!
//! let key = MediaKey::generate(&mut rng);
//! let keys = key.derive(MediaKind::Image);
//! let mut sealer = Sealer::new(&keys, Sidecar::None);
//! let mut sealed = Vec::new();
//! for piece in [&b"the file, "[..], b"piece by piece"] {
//!     sealer.update(piece, &mut sealed); // append to a file or a request body, and clear
//! }
//! let file = sealer.finish(&mut sealed); // hashes and lengths for the message
//!
//! let mut opener = Opener::new(&keys, &Expected::from(&file));
//! let mut opened = Vec::new();
//! opener.update(&sealed, &mut opened)?; // unverified until `finish` has returned
//! opener.finish(&mut opened)?;
//! assert_eq!(opened, b"the file, piece by piece");
//! # Ok::<(), wa_media::MediaError>(())
//! ```

mod error;
mod keys;
mod kind;
mod open;
mod range;
mod retry;
mod seal;
mod sidecar;
pub mod sticker_pack;
pub mod url;
mod waveform;
pub mod webp;

pub use error::MediaError;
pub use keys::{MediaKey, MediaKeys};
pub use kind::{MediaKind, PlainKind};
pub use open::{Expected, Opener, PlainVerifier, Verifier, open};
pub use range::ByteRange;
#[doc(hidden)]
pub use retry::seal_retry_plaintext;
pub use retry::{
    RetryOutcome, RetryResult, SealedRetry, open_retry_notification, open_retry_request,
    seal_retry_notification, seal_retry_request,
};
pub use seal::{SealedFile, Sealer, Sidecar, seal, sealed_len};
pub use sidecar::{PART_LEN, Part, first_frame_sidecar};
pub use wa_crypto::rand_core;
pub use waveform::{WAVEFORM_LEN, waveform};
