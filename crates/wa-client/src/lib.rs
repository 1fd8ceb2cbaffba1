//! One linked WhatsApp account: link it, stay connected, converse, know what is wrong.
//!
//! [`Client::builder`] opens an account of a store and connects in the background; the [`EventStream`](events::EventStream)
//! tells what happens; [`Client::health`] tells how the account is and what to do about it. Everything that must not be
//! lost passes through the store before anybody hears of it (chapter 04 §21).
#![forbid(unsafe_code)]

// First: its macros are used everywhere.
#[cfg(not(feature = "sabotage"))]
#[macro_use]
mod sabotage;
#[cfg(feature = "sabotage")]
#[macro_use]
pub mod sabotage;

mod absence;
pub mod app_state;
mod backlog;
pub mod broadcasts;
pub mod calls;
mod client;
pub mod config;
mod connection;
pub mod contacts;
mod credentials;
pub mod data;
mod devices;
pub mod egress;
pub mod events;
pub mod groups;
pub mod health;
mod history;
pub mod identity;
pub mod linking;
mod login;
pub mod media;
pub mod messages;
mod own_files;
mod peer;
mod prekeys;
pub mod presence;
mod privacy;
mod properties;
mod shared;
mod standing;
mod startup;
mod state;
pub mod status;
mod vault;

pub use client::{Builder, Client, ConnectError, HealthChanges, LeaseWait, NotOnline, PushNameError};
pub use connection::link::RequestError;
pub use connection::transport::{BoxTransport, Connector, DialError, DialRequest, Transport, TransportError};
pub use connection::websocket::WebSocketConnector;
pub use wa_binary::Jid;
pub use wa_noise::RootCa;
