//! What stands around a message (chapter 05, chapter 04 §12): padding, participant hash, ids, wrappers, the attributes
//! of an outgoing stanza, the facts of an incoming one and what answers it, receipts, calls, acks of the server.

mod ack;
mod call;
mod classify;
mod device_copy;
mod glance;
mod kind;
pub mod message_id;
mod newsletter;
pub mod padding;
mod phash;
mod receipt;
mod reply;
mod stanza;
mod unwrap;

pub use ack::{AckOutcome, Refused, Remedy, ServerAck};
pub use call::{Call, CallAction, CallError, reject_call};
pub use classify::{Classified, DecryptFail, Meta, StanzaType, classify};
pub use device_copy::device_sent_original;
pub use glance::{Glance, glance, has_content};
pub use kind::ContentKind;
pub use newsletter::{NewsletterItem, NewsletterUpdate};
pub use phash::phash;
pub use receipt::{Receipt, ReceiptError, ReceiptStatus, UserReceipt, receipt_ack};
pub use reply::{Activity, Nack, message_ack};
pub use stanza::{
    BotInfo, BroadcastRecipient, Edit, EncType, Encrypted, MessageStanza, Own, StanzaError, Unavailable,
};
pub use unwrap::{Depth, DeviceSent, MAX_WRAPPERS, TooManyWrappers, Unwrapped, Wrapper, device_sent, unwrap};

#[cfg(test)]
mod tests;
