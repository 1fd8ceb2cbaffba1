//! Messages: what is received, what is sent, and how far it has come (chapters 04 §12–§17 and 05).

pub(crate) mod add_ons;
pub mod builder;
pub(crate) mod files;
pub(crate) mod outbox;
pub(crate) mod receipts;
pub(crate) mod retry;
pub(crate) mod seal;
pub mod sending;
pub mod status;
pub mod types;

pub use wa_core::content;
use wa_proto::e2e_message as proto;

/// Whether anything but keys is in a message.
pub(crate) fn has_content(message: &proto::Message) -> bool {
    let bare = proto::Message {
        sender_key_distribution_message: message.sender_key_distribution_message.clone(),
        fast_ratchet_key_sender_key_distribution_message: message
            .fast_ratchet_key_sender_key_distribution_message
            .clone(),
        message_context_info: message.message_context_info.clone(),
        ..proto::Message::default()
    };
    *message != bare
}
