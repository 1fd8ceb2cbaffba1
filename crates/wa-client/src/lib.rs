//! One linked WhatsApp account: link it, stay connected, converse, know what is wrong.
#![forbid(unsafe_code)]

pub mod health;

mod connection;
pub mod egress;

pub use connection::transport::{BoxTransport, Connector, DialError, DialRequest, Transport, TransportError};
pub use connection::websocket::WebSocketConnector;
