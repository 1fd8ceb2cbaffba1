//! A token that lets the account write to somebody (chapter 09a §12).

use bytes::Bytes;
use wa_binary::{Jid, NodeRef};

use crate::fields::{bytes, jid, number};

/// A token for trusted contacts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivacyToken {
    /// Under whom to keep it: the LID where the stanza names one.
    pub user: Jid,
    /// The token.
    pub token: Bytes,
    /// When it was issued, seconds. An older one does not replace a newer one.
    pub timestamp: u64,
}

impl PrivacyToken {
    /// Reads a notification. Tokens of other kinds, without time or content, are left out.
    pub fn parse(node: NodeRef<'_>) -> Vec<Self> {
        let Some(user) = jid(node, "sender_lid").or_else(|| jid(node, "from")) else { return Vec::new() };
        let Some(list) = node.optional_child("tokens") else { return Vec::new() };
        let read = |token: NodeRef<'_>| {
            let content = bytes(token).filter(|content| !content.is_empty())?;
            token.attr_is("type", "trusted_contact").then_some(())?;
            Some(Self { user: user.user_jid(), token: content, timestamp: number(token, "t")? })
        };
        list.each("token").filter_map(read).collect()
    }
}
