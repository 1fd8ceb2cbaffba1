//! What stands around a message (chapter 05, chapter 04 §12): padding, participant hash, ids, the attributes of the
//! outgoing stanza, the facts of an incoming one, receipts, calls and server acks.

pub mod padding;
mod phash;

pub use phash::phash;
