//! Messages: what is received, what is sent, and how far it has come (chapters 04 §12–§17 and 05).

pub(crate) mod add_ons;
mod bots;
pub mod builder;
pub(crate) mod files;
pub(crate) mod outbox;
pub mod placeholder;
pub(crate) mod receipts;
pub(crate) mod retry;
pub(crate) mod seal;
pub mod sending;
pub mod status;
pub mod types;

pub(crate) use bots::FromBot;
pub use wa_core::content;
