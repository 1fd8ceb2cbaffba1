//! Every state of an account, reached through the wire (or the store), with cause, deadline and what follows it; in
//! virtual time. Linking's own states are in `tests/linking`.

#[path = "../stage/mod.rs"]
mod stage;

mod absence;
mod connection;
mod login;
mod standing;
mod start;
mod store;
