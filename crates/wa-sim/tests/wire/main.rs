//! The simulator seen from the wire: a small client links, converses and is put through every fault (chapter 10).

mod app_state;
mod binary;
mod calls;
mod client;
mod deeds;
mod directory;
mod encryption;
mod faults;
mod files;
mod groups;
mod history;
mod kept;
mod limits;
mod linking;
mod media;
mod messages;
mod passkey;
mod proofs;
mod rest;
mod restrictions;
mod state;
mod watch;
