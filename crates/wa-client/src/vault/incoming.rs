//! The envelope of a received message (chapter 05 §7.1): who, where, when, and the ciphertexts in their order.

use bytes::Bytes;
use compact_str::CompactString;
use wa_binary::{FieldError, Jid, Node};

use crate::credentials::Own;

/// What stands around a message.
#[derive(Debug, Clone)]
pub(crate) struct Incoming {
    pub(crate) id: CompactString,
    /// `from` as it stands.
    pub(crate) from: Jid,
    pub(crate) participant: Option<Jid>,
    /// The chat, without device.
    pub(crate) chat: Jid,
    /// The sending device.
    pub(crate) sender: Jid,
    /// The sender in the other family.
    pub(crate) sender_alt: Option<Jid>,
    /// The other person of a chat with an own copy, in the other family.
    pub(crate) recipient_alt: Option<Jid>,
    pub(crate) from_me: bool,
    /// Between own devices: keys, history, settings.
    pub(crate) is_peer: bool,
    pub(crate) timestamp: Option<u64>,
    pub(crate) push_name: Option<CompactString>,
    pub(crate) was_offline: bool,
    pub(crate) encrypted: Vec<Encrypted>,
    pub(crate) unavailable: bool,
}

/// One ciphertext.
#[derive(Debug, Clone)]
pub(crate) struct Encrypted {
    pub(crate) kind: EncryptedKind,
    pub(crate) bytes: Bytes,
    /// Number of the retry that it answers.
    pub(crate) count: u32,
}

/// The sort of a ciphertext; pairwise ones come first in their stanza.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum EncryptedKind {
    PreKey,
    Message,
    SenderKey,
    /// A bot's answer.
    BotMessage,
}

impl Incoming {
    pub(crate) fn parse(stanza: &Node, own: &impl Own) -> Result<Self, FieldError> {
        let from = stanza.required("from").jid()?;
        let participant = stanza.optional("participant").jid()?;
        let is_shared = from.is_group() || from.is_status() || from.is_broadcast_list();
        let sender = if is_shared { stanza.required("participant").jid()? } else { from.clone() };
        let from_me = own.is_me(&sender);
        let recipient = stanza.optional("recipient").jid()?;
        let chat = match &recipient {
            Some(recipient) if from_me && !is_shared => recipient.account(),
            _ => from.account(),
        };
        let alt = |lid: &str, pn: &str| {
            let key = if sender.is_lid() { pn } else { lid };
            stanza.optional(key).jid()
        };
        let sender_alt = if is_shared {
            alt("participant_lid", "participant_pn")?
        } else {
            alt("sender_lid", "sender_pn")?
        };
        let recipient_key = if chat.is_lid() { "peer_recipient_pn" } else { "peer_recipient_lid" };
        let mut encrypted: Vec<Encrypted> = stanza.each("enc").filter_map(Encrypted::parse).collect();
        encrypted.sort_by_key(|one| one.kind == EncryptedKind::SenderKey);
        Ok(Self {
            id: stanza.required("id").string()?,
            participant,
            chat,
            sender_alt,
            recipient_alt: stanza.optional(recipient_key).jid()?.filter(|_| from_me),
            from_me,
            is_peer: stanza.attr_is("category", "peer"),
            timestamp: stanza.optional("t").u64().ok().flatten(),
            push_name: stanza
                .optional("notify")
                .string()
                .ok()
                .flatten()
                .filter(|name| !name.is_empty() && name != "-"),
            was_offline: stanza.has_attr("offline"),
            unavailable: encrypted.is_empty() && stanza.optional_child("unavailable").is_some(),
            encrypted,
            from,
            sender,
        })
    }

    /// Whether the chat is a person's.
    pub(crate) fn is_direct(&self) -> bool {
        !(self.from.is_group() || self.from.is_status() || self.from.is_broadcast_list())
    }
}

impl Encrypted {
    /// `None` for a sort that is not known: it is skipped.
    fn parse(enc: wa_binary::NodeRef<'_>) -> Option<Self> {
        let kind = match enc.optional("type").string().ok()??.as_str() {
            "pkmsg" => EncryptedKind::PreKey,
            "msg" => EncryptedKind::Message,
            "skmsg" => EncryptedKind::SenderKey,
            "msmsg" => EncryptedKind::BotMessage,
            _ => return None,
        };
        let bytes = Bytes::from(enc.required_bytes().ok()?.into_owned());
        let count = enc.optional("count").u32().ok().flatten().unwrap_or(0);
        Some(Self { kind, bytes, count })
    }
}
