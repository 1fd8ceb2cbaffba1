//! The simulator seen from the wire: a small client links, converses and is put through every fault (chapter 10).

mod client;
mod faults;
mod groups;
mod linking;
mod messages;
mod rest;
mod watch;
