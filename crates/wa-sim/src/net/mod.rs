//! The async shell around the world: sockets, handshakes, tasks, timers (chapter 10 §1, §12).

mod frames;
mod handle;
mod http;
mod hub;
mod keys;
mod listener;
mod pipe;
mod session;

use std::io;

use thiserror::Error;

pub use handle::{ListenOptions, Sim, SimHandle};
pub(crate) use http::{Info, Reply, file, json, text};
pub(crate) use hub::Hub;
pub use listener::{TlsFiles, Transports};

/// Why a simulator could not be started, or did not do what it was asked.
#[derive(Debug, Error)]
pub enum SimError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which address.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// The address is not of this machine, and nobody allowed that.
    #[error("{0} is not a loopback address; it needs --allow-remote")]
    Remote(String),
    /// The self-signed certificate.
    #[error("cannot make a certificate: {0}")]
    Certificate(rcgen::Error),
    /// Certificate or key given by file.
    #[error("unusable TLS files: {0}")]
    TlsFiles(String),
    /// TLS configuration.
    #[error("TLS: {0}")]
    Tls(rustls::Error),
    /// A recording.
    #[error("recording: {0}")]
    Recording(#[source] io::Error),
    /// No such account, device or group.
    #[error("there is no {0}")]
    Unknown(String),
    /// Linking.
    #[error(transparent)]
    Pairing(#[from] crate::pairing::PairingError),
    /// The phone.
    #[error(transparent)]
    Phone(#[from] crate::phone::PhoneError),
    /// A saved run.
    #[error(transparent)]
    State(#[from] crate::state::StateError),
    /// Nothing fitting came in time.
    #[error("no fitting stanza within {0} ms")]
    Timeout(u64),
}
