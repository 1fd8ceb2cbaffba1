//! Every way to link, and every way in which a link can fail, against the simulator in virtual time.

#[path = "../stage/mod.rs"]
mod stage;

mod code;
mod passkey;
mod qr;
mod relink;
