//! Received receipts (chapter 05 §10.2): what happened to which messages at whom. Every one of them is acked.

use compact_str::CompactString;
use thiserror::Error;
use wa_binary::{Hosting, Jid, Node, NodeRef};

use super::Own;
use super::stanza::{jid, number, text};

/// A receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Id of the stanza, which mostly is that of a message as well.
    pub id: CompactString,
    /// The chat of the messages.
    pub chat: Jid,
    /// Whose receipt it is, with device.
    pub sender: Jid,
    /// Who wrote the messages, where an own device names them.
    pub message_author: Option<Jid>,
    /// Whether an own device sent it.
    pub from_me: bool,
    /// The messages, in no order.
    pub ids: Vec<CompactString>,
    /// Channel posts that were seen.
    pub server_ids: Vec<u64>,
    /// What happened to them.
    pub status: ReceiptStatus,
    /// Seconds.
    pub timestamp: Option<u64>,
    /// What happened at several people, instead of [`Self::ids`].
    pub users: Vec<UserReceipt>,
}

/// One person's part of a receipt of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserReceipt {
    /// The message.
    pub id: CompactString,
    /// The person.
    pub sender: Jid,
    /// The person in the other family.
    pub sender_alt: Option<Jid>,
    /// What happened.
    pub status: ReceiptStatus,
    /// Seconds.
    pub timestamp: Option<u64>,
}

/// What a receipt says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReceiptStatus {
    /// Arrived at a device.
    Delivered,
    /// Arrived at a device that nobody looks at.
    Inactive,
    /// A device cannot read it: the message stays as sent.
    SentOnly,
    /// Read.
    Read,
    /// Listened to, or looked at once.
    Played,
    /// Read on another own device.
    ReadSelf,
    /// Played on another own device.
    PlayedSelf,
    /// A channel post was seen.
    View,
    /// An own device has its copy.
    Sender,
    /// An own device has a message between own devices.
    PeerMsg,
    /// An own device has a history chunk.
    HistSync,
    /// A device could not decrypt and wants it again.
    Retry,
    /// A device could not read a call's keys.
    EncRekeyRetry,
    /// The media is no longer on the server.
    ServerError,
    /// Anything else.
    Other(CompactString),
}

impl ReceiptStatus {
    fn of(kind: Option<&str>, from_me: bool) -> Self {
        match kind {
            None | Some("" | "delivery") => Self::Delivered,
            Some("inactive") => Self::Inactive,
            Some("read") if from_me => Self::ReadSelf,
            Some("played") if from_me => Self::PlayedSelf,
            Some("read") => Self::Read,
            Some("played") => Self::Played,
            Some("read-self") => Self::ReadSelf,
            Some("played-self") => Self::PlayedSelf,
            Some("view") => Self::View,
            Some("sender") => Self::Sender,
            Some("peer_msg") => Self::PeerMsg,
            Some("hist_sync") => Self::HistSync,
            Some("retry") => Self::Retry,
            Some("enc_rekey_retry") => Self::EncRekeyRetry,
            Some("server-error") => Self::ServerError,
            Some(other) => Self::Other(other.into()),
        }
    }

    /// Short name; an unknown type as it stands.
    pub fn name(&self) -> &str {
        match self {
            Self::Delivered => "delivered",
            Self::Inactive => "inactive",
            Self::SentOnly => "sent_only",
            Self::Read => "read",
            Self::Played => "played",
            Self::ReadSelf => "read_self",
            Self::PlayedSelf => "played_self",
            Self::View => "view",
            Self::Sender => "sender",
            Self::PeerMsg => "peer_msg",
            Self::HistSync => "hist_sync",
            Self::Retry => "retry",
            Self::EncRekeyRetry => "enc_rekey_retry",
            Self::ServerError => "server_error",
            Self::Other(kind) => kind,
        }
    }
}

/// Why a stanza is no receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ReceiptError {
    /// No id, or an empty one.
    #[error("a receipt without an id")]
    MissingId,
    /// `from` is missing or no address.
    #[error("a receipt from nobody")]
    MissingFrom,
}

impl Receipt {
    /// Reads a receipt.
    ///
    /// # Errors
    /// When it lacks an id or an origin.
    pub fn parse(stanza: NodeRef<'_>, own: &Own) -> Result<Self, ReceiptError> {
        let id = text(stanza, "id").filter(|id| !id.is_empty()).ok_or(ReceiptError::MissingId)?;
        let from = jid(stanza, "from").ok_or(ReceiptError::MissingFrom)?;
        let participant = jid(stanza, "participant");
        let recipient = jid(stanza, "recipient");
        let in_group = from.is_group() || from.server() == wa_binary::Server::Broadcast;
        let sender = participant.as_ref().filter(|_| in_group).unwrap_or(&from);
        let sender = sender.account().with_device(sender.device(), Hosting::Own);
        let from_me = own.owns(&sender);
        let chat = match &recipient {
            _ if in_group => from.clone(),
            Some(recipient) if from_me => recipient.account(),
            _ => from.account(),
        };
        let kind = text(stanza, "type");
        let mut status = ReceiptStatus::of(kind.as_deref(), from_me);
        let incapable = stanza.each("error").any(|error| error.attr_is("type", "feature-incapable"));
        if incapable && matches!(status, ReceiptStatus::Delivered | ReceiptStatus::Inactive) {
            status = ReceiptStatus::SentOnly;
        }
        let items = || stanza.optional_child("list").into_iter().flat_map(|list| list.each("item"));
        let is_view = status == ReceiptStatus::View;
        let mut ids: Vec<CompactString> = items().filter_map(|item| text(item, "id")).collect();
        if !is_view && !ids.contains(&id) {
            ids.push(id.clone());
        }
        let timestamp = number(stanza, "t");
        let users = users(stanza, own, kind.as_deref(), timestamp);
        if !users.is_empty() {
            ids.clear();
        }
        Ok(Self {
            id,
            chat,
            sender,
            message_author: recipient.filter(|_| in_group && from_me),
            from_me,
            ids,
            server_ids: if is_view {
                items().filter_map(|item| number(item, "server_id")).collect()
            } else {
                Vec::new()
            },
            status,
            timestamp,
            users,
        })
    }

    /// Whether an application hears of it. The others are for the library, or say nothing new.
    pub fn is_surfaced(&self) -> bool {
        match self.status {
            ReceiptStatus::Sender
            | ReceiptStatus::PeerMsg
            | ReceiptStatus::HistSync
            | ReceiptStatus::Retry
            | ReceiptStatus::EncRekeyRetry => false,
            ReceiptStatus::ReadSelf | ReceiptStatus::PlayedSelf | ReceiptStatus::ServerError => true,
            _ => !self.from_me,
        }
    }
}

/// The parts of all `<participants>`.
fn users(stanza: NodeRef<'_>, own: &Own, kind: Option<&str>, time: Option<u64>) -> Vec<UserReceipt> {
    let mut users = Vec::new();
    for list in stanza.each("participants") {
        let Some(id) = text(list, "message_id").or_else(|| text(list, "key")).filter(|id| !id.is_empty())
        else {
            continue;
        };
        for user in list.each("user") {
            let Some(sender) = jid(user, "jid") else { continue };
            let own_kind = text(user, "type");
            users.push(UserReceipt {
                id: id.clone(),
                status: ReceiptStatus::of(own_kind.as_deref().or(kind), own.owns(&sender)),
                sender_alt: jid(user, "participant_pn"),
                sender,
                timestamp: number(user, "t").or(time),
            });
        }
    }
    users
}

/// The ack that every receipt gets; none when it cannot be named.
pub fn receipt_ack(stanza: NodeRef<'_>) -> Option<Node> {
    let mut ack = Node::new("ack").attr("class", "receipt").attr("id", stanza.value("id")?);
    ack.set_attr("to", stanza.value("from")?);
    for name in ["type", "participant", "recipient"] {
        if let Some(value) = stanza.value(name) {
            ack.set_attr(name, value);
        }
    }
    Some(ack)
}
