//! Getting connected and staying so (chapter 01): transports, login, requests, keepalive, reconnect.

pub(crate) mod acks;
mod backoff;
pub(crate) mod beat;
mod handshake;
pub(crate) mod link;
pub(crate) mod outcome;
mod router;
mod session;
pub(crate) mod supervisor;
pub(crate) mod transport;
pub(crate) mod websocket;
