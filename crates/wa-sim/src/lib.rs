#![forbid(unsafe_code)]
//! A simulated WhatsApp server with simulated phones, for tests, demos and the CI of applications.
//!
//! Chapter 10 of the protocol. Everything that happens is in [`World`], deterministic and synchronous; [`Sim`] puts
//! sockets, handshakes and timers around it. The phones are [`phone::Phone`]s, which also work without a server. The
//! binary `wa-sim` is [`Sim::listen`] with a command line.

mod admin;
mod calls;
pub mod clock;
pub mod config;
mod devices;
pub mod faults;
pub mod group;
mod iq;
mod media;
mod message;
mod net;
pub mod offline;
pub mod pairing;
pub mod phone;
mod prekeys;
mod presence;
mod random;
mod receipts;
mod route;
pub mod seed;
mod stanza;
pub mod state;
mod tokens;
pub mod trace;
pub mod watch;
pub mod world;

pub use clock::ClockKind;
pub use config::SimConfig;
pub use iq::app_state::Collections;
pub use media::StoredFile;
pub(crate) use message::mode as message_mode;
pub use net::{ListenOptions, Sim, SimError, SimHandle, TlsFiles, Transports};
pub use prekeys::Stock;
pub use random::Seed;
pub use state::{SavedState, StateError};
pub use world::{Switches, World};
