#![forbid(unsafe_code)]
//! What both ends of the protocol compute, pure and synchronous: no sockets, no storage, no tasks.
//!
//! Time and randomness are arguments, state is returned. The client and the simulator stand on the same functions, so
//! every module here is held to vectors that independent implementations made.
//!
//! | module | chapter |
//! | --- | --- |
//! | [`login`] | 01 §5, 02 §3.3: login payload, version, QR text |
//! | [`adv`] | 02 §2, §3: who vouches for which device |
//! | [`pairing_code`] | 02 §4: linking by a typed code |
//! | [`passkey`] | 02 §5: the passkey step |
//! | [`prekeys`] | 02 §6, 04 §11: bundles, uploads, digest, ids |
//! | [`app_state`] | 07: records, patches, snapshots |
//! | [`history`] | 08: history blobs as a stream |
//! | [`content`] | 05 §11, 06 §8: what messages say, read and written |
//! | [`envelope`] | 05, 04 §12: what stands around a message |
//! | [`queries`] | 09: what the server answers |
//! | [`notifications`] | 09: what the server says unasked |
//! | [`import`] | 04 §22.3: the Signal state of other libraries' stores |
//! | [`secrets`] | 04 §18: message secrets, encrypted add-ons, bots |
//! | [`tokens`] | 04 §19, §20: reporting and privacy tokens |

pub mod adv;
pub mod app_state;
pub mod content;
pub mod envelope;
mod fields;
pub mod history;
pub mod import;
pub mod login;
pub mod notifications;
pub mod pairing_code;
pub mod passkey;
pub mod prekeys;
pub mod queries;
mod sabotage;
pub mod secrets;
#[cfg(test)]
mod testing;
pub mod tokens;
