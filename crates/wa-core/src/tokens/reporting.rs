//! Reporting tokens, version 2 (chapter 04 §19, chapter 05 §5.6): 16 bytes over the reportable part of a message,
//! keyed by its secret. They go beside messages to people and groups, never beside resends or messages to the own
//! devices.

use wa_binary::{Jid, Node};
use wa_crypto::{Secret, mac};

use super::filter;
use crate::secrets::{AddOn, MessageSecret, UseCase};

/// The version that is computed here, for the node and `messageContextInfo.reportingTokenVersion`.
pub const VERSION: u32 = 2;

/// Fields of `Message` that never get a token: reactions, poll votes, encrypted reactions, encrypted event responses.
const NEVER: [u32; 4] = [46, 50, 56, 76];

/// The part of a serialized, unpadded message that the token covers; `None` when the message gets no token.
pub fn content(message: &[u8]) -> Option<Vec<u8>> {
    if filter::field_numbers(message)?.iter().any(|number| NEVER.contains(number)) {
        return None;
    }
    filter::covered(message).filter(|content| !content.is_empty())
}

/// The key of a token.
///
/// `sender` is the own user in the family of the chat, `remote` the chat; devices are disregarded.
pub fn key(secret: &MessageSecret, stanza_id: &str, sender: &Jid, remote: &Jid) -> Secret<32> {
    AddOn {
        use_case: UseCase::ReportToken,
        parent_id: stanza_id,
        parent_sender: sender,
        modification_sender: remote,
    }
    .key(secret)
    .secret()
    .clone()
}

/// A token over the covered part of a message.
pub fn token(key: &Secret<32>, content: &[u8]) -> [u8; 16] {
    let tag = mac::hmac_sha256(key.expose(), &[content]);
    let mut token = [0; 16];
    token.copy_from_slice(&tag[..16]);
    token
}

/// The child of `<message>` for a message about to be sent; `None` when it gets no token.
pub fn node(message: &[u8], secret: &MessageSecret, id: &str, sender: &Jid, remote: &Jid) -> Option<Node> {
    let token = token(&key(secret, id, sender, remote), &content(message)?);
    let token = Node::new("reporting_token").attr("v", VERSION.to_string()).bytes(token.to_vec());
    Some(Node::new("reporting").child(token))
}
