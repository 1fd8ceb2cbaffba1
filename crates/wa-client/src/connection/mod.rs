//! Getting connected and staying so (chapter 01): transports, login, requests, keepalive, reconnect.

pub(crate) mod transport;
pub(crate) mod websocket;
