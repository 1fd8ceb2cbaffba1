//! The facts of a received `<message>` (chapter 05 §2, §7.1): chat, author, addresses in the other family, what is
//! encrypted how. Nothing here needs the content.

use std::borrow::Cow;

use compact_str::CompactString;
use prost::Message as _;
use thiserror::Error;
use wa_binary::{Family, Hosting, Jid, Node, NodeRef, Server, Value};
use wa_proto::business_cert::{VerifiedNameCertificate, verified_name_certificate};

use super::newsletter::{self, NewsletterUpdate};
pub(super) use crate::fields::{jid, number, text};

/// Who we are: an address belongs to the account when its user is one of these.
#[derive(Clone, Debug)]
pub struct Own {
    /// The own device by phone number.
    pub pn: Jid,
    /// The own device by LID, once known.
    pub lid: Option<Jid>,
}

impl Own {
    /// Whether the address is one of the account's, on any device.
    pub fn owns(&self, jid: &Jid) -> bool {
        self.pn.same_user(jid) || self.lid.as_ref().is_some_and(|lid| lid.same_user(jid))
    }

    /// The own device in a family.
    pub fn device(&self, family: Family) -> Option<&Jid> {
        match family {
            Family::Pn => Some(&self.pn),
            Family::Lid => self.lid.as_ref(),
        }
    }
}

/// A received message before it is decrypted.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageStanza {
    /// The id, not empty.
    pub id: CompactString,
    /// Where it belongs. For a broadcast list the list, also when it is shown in the chat with its author.
    pub chat: Jid,
    /// The author, with device.
    pub sender: Jid,
    /// The author in the other family.
    pub sender_alt: Option<Jid>,
    /// The chat partner of an own message in the other family.
    pub recipient_alt: Option<Jid>,
    /// Whether the account wrote it.
    pub from_me: bool,
    /// Stated family of the addresses.
    pub addressing_mode: Option<Family>,
    /// Server time in seconds; none when it was not given.
    pub timestamp: Option<u64>,
    /// The author's name for himself. Neither empty nor `-`.
    pub push_name: Option<CompactString>,
    /// `category`: `peer` is between own devices.
    pub category: Option<CompactString>,
    /// `type`.
    pub stanza_type: Option<CompactString>,
    /// `edit`.
    pub edit: Option<Edit>,
    /// Whether it waited in the offline queue.
    pub offline: bool,
    /// Number of a channel's post.
    pub server_id: Option<u64>,
    /// Store time of the server in microseconds.
    pub server_timestamp_us: Option<u64>,
    /// What is encrypted, in order; none for a part whose type is missing.
    pub enc_types: Vec<Option<EncType>>,
    /// `mediatype` of the first part that has one.
    pub media_type: Option<CompactString>,
    /// Whether nothing shall be shown when it cannot be decrypted.
    pub decrypt_fail_hide: bool,
    /// How often it was sent again.
    pub retry_count: u32,
    /// Why there is nothing to decrypt.
    pub unavailable: Option<Unavailable>,
    /// Streaming of a bot's answer.
    pub bot: Option<BotInfo>,
    /// Attributes of all `<meta>` children, in order. `polltype` only on polls.
    pub meta: Vec<(CompactString, CompactString)>,
    /// Version of the reporting token beside it.
    pub reporting_token_version: Option<u32>,
    /// Who else got an own broadcast.
    pub broadcast_recipients: Vec<BroadcastRecipient>,
    /// Serial number of a business's verified name.
    pub verified_name_serial: Option<CompactString>,
    /// How well the name was verified.
    pub verified_level: Option<CompactString>,
    /// The verified name itself.
    pub verified_name: Option<String>,
    /// Whether it was marked `<multicast/>`.
    pub multicast: bool,
    /// What a channel's stanza holds.
    pub newsletter: Option<NewsletterUpdate>,
    /// As received, for the answer.
    pub(super) from: Jid,
    pub(super) participant: Option<Jid>,
    pub(super) recipient: Option<Jid>,
}

/// Value of `edit`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Edit {
    /// An edit.
    Edit,
    /// A pin.
    Pin,
    /// An edit by a channel's admin.
    NewsletterEdit,
    /// A revoke by the author.
    SenderRevoke,
    /// A revoke by an admin.
    AdminRevoke,
    /// Anything else, kept as it is.
    Other(CompactString),
}

impl Edit {
    /// Reads the attribute.
    pub fn of(value: &str) -> Self {
        match value {
            "1" => Self::Edit,
            "2" => Self::Pin,
            "3" => Self::NewsletterEdit,
            "7" => Self::SenderRevoke,
            "8" => Self::AdminRevoke,
            other => Self::Other(other.into()),
        }
    }

    /// The attribute's value.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Edit => "1",
            Self::Pin => "2",
            Self::NewsletterEdit => "3",
            Self::SenderRevoke => "7",
            Self::AdminRevoke => "8",
            Self::Other(value) => value,
        }
    }
}

/// How a part is encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EncType {
    /// Pairwise.
    Msg,
    /// Pairwise, starting a session.
    PkMsg,
    /// With a sender key.
    SkMsg,
    /// With a message secret.
    MsMsg,
    /// Unknown.
    Other(CompactString),
}

impl EncType {
    /// Reads the attribute.
    pub fn of(value: &str) -> Self {
        match value {
            "msg" => Self::Msg,
            "pkmsg" => Self::PkMsg,
            "skmsg" => Self::SkMsg,
            "msmsg" => Self::MsMsg,
            other => Self::Other(other.into()),
        }
    }

    /// The attribute's value.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Msg => "msg",
            Self::PkMsg => "pkmsg",
            Self::SkMsg => "skmsg",
            Self::MsMsg => "msmsg",
            Self::Other(value) => value,
        }
    }
}

/// One ciphertext of a stanza.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encrypted<'a> {
    /// How it is encrypted.
    pub kind: EncType,
    /// Itself.
    pub bytes: Cow<'a, [u8]>,
}

/// Why there is no ciphertext for this device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unavailable {
    /// A bot's message.
    Bot,
    /// Only for the business's cloud.
    Hosted,
    /// View-once media, which linked devices never get.
    ViewOnce,
    /// No reason given: the phone can be asked for it.
    Other,
}

impl Unavailable {
    /// Short name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Hosted => "hosted",
            Self::ViewOnce => "view_once",
            Self::Other => "other",
        }
    }

    fn of(node: NodeRef<'_>, is_beside_bot: bool) -> Self {
        let kind = node.value("type").map(|value| value.to_compact());
        match kind.as_deref() {
            Some("view_once" | "view_once_unavailable_fanout") => Self::ViewOnce,
            Some("hosted_unavailable_fanout") => Self::Hosted,
            Some("bot_unavailable_fanout") => Self::Bot,
            _ if node.attr_is("hosted", "true") || node.attr_is("hosted", "1") => Self::Hosted,
            _ if is_beside_bot => Self::Bot,
            _ => Self::Other,
        }
    }
}

/// What a bot's stanza says about the stream that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotInfo {
    /// `first`, `inner` or `last`.
    pub edit: Option<CompactString>,
    /// Id of the first piece.
    pub edit_target_id: Option<CompactString>,
    /// Milliseconds.
    pub sender_timestamp_ms: Option<u64>,
}

/// One recipient of an own broadcast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BroadcastRecipient {
    /// By LID.
    pub lid: Option<Jid>,
    /// By phone number.
    pub pn: Option<Jid>,
}

/// Why a stanza names no message. Answered with error 487 when it names an id and an origin, else dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StanzaError {
    /// No id, or an empty one.
    #[error("a message without an id")]
    MissingId,
    /// No `from`.
    #[error("a message from nobody")]
    MissingFrom,
    /// `from` is no address.
    #[error("a message whose origin is no address")]
    InvalidFrom,
    /// A group or list message without its author.
    #[error("a group message without an author")]
    MissingParticipant,
    /// `participant` is no address.
    #[error("a group message whose author is no address")]
    InvalidParticipant,
}

impl StanzaError {
    /// Short name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MissingId => "missing_id",
            Self::MissingFrom => "missing_from",
            Self::InvalidFrom => "invalid_from",
            Self::MissingParticipant => "missing_participant",
            Self::InvalidParticipant => "invalid_participant",
        }
    }

    /// The ack that ends the matter; none when the stanza cannot be named.
    pub fn nack(self, stanza: NodeRef<'_>) -> Option<Node> {
        let id = text(stanza, "id").filter(|id| !id.is_empty())?;
        let from = stanza.value("from").filter(|_| !stanza.attr_is("from", ""))?;
        let mut ack = Node::new("ack").attr("class", "message").attr("id", id);
        ack.set_attr("to", from);
        for name in ["participant", "recipient", "type"] {
            if let Some(value) = stanza.value(name) {
                ack.set_attr(name, value);
            }
        }
        Some(ack.attr("error", "487"))
    }
}

impl MessageStanza {
    /// Reads a stanza. Attributes that are not understood are left out, never an error.
    ///
    /// # Errors
    /// When it cannot be said which message of whom it is.
    pub fn parse(stanza: NodeRef<'_>, own: &Own) -> Result<Self, StanzaError> {
        let attrs = Attributes::of(stanza);
        let id = as_text(attrs.id.as_ref()).filter(|id| !id.is_empty()).ok_or(StanzaError::MissingId)?;
        let from = attrs.from.as_ref().ok_or(StanzaError::MissingFrom)?;
        let from = from.to_jid().map_err(|_| StanzaError::InvalidFrom)?;
        let participant = match attrs.participant.as_ref().map(Value::to_jid).transpose() {
            Ok(participant) => participant,
            Err(_) if in_group(&from) => return Err(StanzaError::InvalidParticipant),
            Err(_) => None,
        };
        let recipient = as_jid(attrs.recipient.as_ref());
        let inside = Inside::of(stanza);
        let stanza_type = as_text(attrs.kind.as_ref());
        let meta = meta(&inside.meta, stanza_type.as_deref() == Some("poll"));
        let named = Named::read(&attrs, own, &from, participant.as_ref(), recipient.as_ref(), &meta)?;

        let encs: Vec<NodeRef<'_>> = inside.encs(own).collect();
        let certificate = inside
            .verified_name
            .and_then(|node| node.optional_bytes().map(Cow::into_owned))
            .and_then(|bytes| VerifiedNameCertificate::decode(&*bytes).ok())
            .and_then(|certificate| certificate.details)
            .and_then(|details| verified_name_certificate::Details::decode(&*details).ok());
        let is_newsletter = from.is_newsletter();
        Ok(Self {
            id,
            chat: named.chat,
            sender: named.sender,
            sender_alt: named.sender_alt,
            recipient_alt: named.recipient_alt,
            from_me: named.from_me,
            addressing_mode: as_text(attrs.addressing_mode.as_ref()).and_then(|word| match &*word {
                "pn" => Some(Family::Pn),
                "lid" => Some(Family::Lid),
                _ => None,
            }),
            timestamp: as_number(attrs.timestamp.as_ref()),
            push_name: as_text(attrs.push_name.as_ref()).filter(|name| !name.is_empty() && name != "-"),
            category: as_text(attrs.category.as_ref()),
            stanza_type,
            edit: as_text(attrs.edit.as_ref()).map(|value| Edit::of(&value)),
            offline: attrs.offline.is_some(),
            server_id: as_number(attrs.server_id.as_ref()),
            server_timestamp_us: as_number(attrs.server_timestamp.as_ref()),
            enc_types: encs.iter().map(|enc| text(*enc, "type").map(|value| EncType::of(&value))).collect(),
            media_type: encs.iter().copied().chain(inside.plaintext).find_map(|enc| text(enc, "mediatype")),
            decrypt_fail_hide: encs.iter().any(|enc| enc.attr_is("decrypt-fail", "hide")),
            retry_count: encs
                .iter()
                .filter_map(|enc| number(*enc, "count"))
                .max()
                .map_or(0, |count| u32::try_from(count).unwrap_or(u32::MAX)),
            unavailable: inside
                .unavailable
                .filter(|_| encs.is_empty())
                .map(|node| Unavailable::of(node, inside.bot.is_some())),
            bot: inside.bot.and_then(bot),
            meta,
            reporting_token_version: inside
                .reporting
                .and_then(|node| node.optional_child("reporting_token"))
                .map(|token| token.optional("v").u32().ok().flatten().unwrap_or(1)),
            broadcast_recipients: if named.from_me && from.server() == Server::Broadcast {
                broadcast_recipients(inside.participants)
            } else {
                Vec::new()
            },
            verified_name_serial: as_text(attrs.verified_name.as_ref()),
            verified_level: as_text(attrs.verified_level.as_ref()),
            verified_name: certificate.and_then(|details| details.verified_name),
            multicast: inside.is_multicast,
            newsletter: is_newsletter.then(|| newsletter::read(stanza)),
            from,
            participant,
            recipient,
        })
    }

    /// The ciphertexts for this device, pairwise ones first: they may bring the key for the others. A part without a
    /// type or without bytes is left out.
    pub fn encrypted<'a>(stanza: NodeRef<'a>, own: &Own) -> Vec<Encrypted<'a>> {
        let inside = Inside::of(stanza);
        let parts = inside.encs(own).filter_map(|enc| {
            let kind = EncType::of(&text(enc, "type")?);
            Some(Encrypted { kind, bytes: enc.optional_bytes()? })
        });
        let mut all: Vec<Encrypted<'a>> = parts.collect();
        all.sort_by_key(|one| one.kind == EncType::SkMsg);
        all
    }

    /// `from` as it stands: where the answer goes.
    pub const fn from(&self) -> &Jid {
        &self.from
    }

    /// `participant` as it stands.
    pub const fn participant(&self) -> Option<&Jid> {
        self.participant.as_ref()
    }

    /// Whether it was said to one person.
    pub fn is_direct(&self) -> bool {
        !in_group(&self.from)
    }

    /// Whether it was said in a group.
    pub fn is_group(&self) -> bool {
        self.chat.is_group()
    }

    /// Whether it went to the status list or a broadcast list.
    pub fn is_broadcast(&self) -> bool {
        self.chat.server() == Server::Broadcast
    }

    /// Whether it is a status post.
    pub fn is_status(&self) -> bool {
        self.chat.is_status()
    }

    /// Whether it is between own devices.
    pub fn is_peer(&self) -> bool {
        self.category.as_deref() == Some("peer")
    }

    /// The chat in which it is shown: that with the author for a list message of somebody else.
    pub fn display_chat(&self) -> Jid {
        if self.chat.is_broadcast_list() && !self.from_me { self.sender.account() } else { self.chat.clone() }
    }

    /// An attribute of `<meta>`.
    pub fn meta(&self, name: &str) -> Option<&str> {
        self.meta.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether something is there that can be decrypted: a known type, and no sender-key part outside of groups.
    pub fn is_decryptable(&self) -> bool {
        self.enc_types.iter().flatten().any(|kind| match kind {
            EncType::SkMsg => in_group(&self.from),
            EncType::Other(_) => false,
            _ => true,
        })
    }
}

/// The attributes of a stanza that mean something: one look at each that is there.
#[derive(Default)]
struct Attributes<'a> {
    id: Option<Value<'a>>,
    from: Option<Value<'a>>,
    participant: Option<Value<'a>>,
    recipient: Option<Value<'a>>,
    kind: Option<Value<'a>>,
    timestamp: Option<Value<'a>>,
    push_name: Option<Value<'a>>,
    sender_pn: Option<Value<'a>>,
    sender_lid: Option<Value<'a>>,
    participant_pn: Option<Value<'a>>,
    participant_lid: Option<Value<'a>>,
    peer_recipient_pn: Option<Value<'a>>,
    peer_recipient_lid: Option<Value<'a>>,
    addressing_mode: Option<Value<'a>>,
    offline: Option<Value<'a>>,
    category: Option<Value<'a>>,
    edit: Option<Value<'a>>,
    is_sender: Option<Value<'a>>,
    server_id: Option<Value<'a>>,
    server_timestamp: Option<Value<'a>>,
    verified_name: Option<Value<'a>>,
    verified_level: Option<Value<'a>>,
}

impl<'a> Attributes<'a> {
    fn of(stanza: NodeRef<'a>) -> Self {
        let mut all = Self::default();
        for (key, value) in stanza.each_attr() {
            let place = match key {
                "id" => &mut all.id,
                "from" => &mut all.from,
                "type" => &mut all.kind,
                "t" => &mut all.timestamp,
                "notify" => &mut all.push_name,
                "sender_pn" => &mut all.sender_pn,
                "sender_lid" => &mut all.sender_lid,
                "addressing_mode" => &mut all.addressing_mode,
                "participant" => &mut all.participant,
                "participant_pn" => &mut all.participant_pn,
                "participant_lid" => &mut all.participant_lid,
                "recipient" => &mut all.recipient,
                "peer_recipient_pn" => &mut all.peer_recipient_pn,
                "peer_recipient_lid" => &mut all.peer_recipient_lid,
                "offline" => &mut all.offline,
                "category" => &mut all.category,
                "edit" => &mut all.edit,
                "is_sender" => &mut all.is_sender,
                "server_id" => &mut all.server_id,
                "sts" => &mut all.server_timestamp,
                "verified_name" => &mut all.verified_name,
                "verified_level" => &mut all.verified_level,
                _ => continue,
            };
            *place = Some(value);
        }
        all
    }
}

/// The children that mean something; of those that stand alone the first.
#[derive(Default)]
struct Inside<'a> {
    encs: Vec<NodeRef<'a>>,
    meta: Vec<NodeRef<'a>>,
    participants: Option<NodeRef<'a>>,
    plaintext: Option<NodeRef<'a>>,
    unavailable: Option<NodeRef<'a>>,
    bot: Option<NodeRef<'a>>,
    reporting: Option<NodeRef<'a>>,
    verified_name: Option<NodeRef<'a>>,
    is_multicast: bool,
}

impl<'a> Inside<'a> {
    fn of(stanza: NodeRef<'a>) -> Self {
        let mut all = Self::default();
        for child in stanza.each_child() {
            let place = match child.tag() {
                "enc" => {
                    all.encs.push(child);
                    continue;
                }
                "meta" => {
                    all.meta.push(child);
                    continue;
                }
                "multicast" => {
                    all.is_multicast = true;
                    continue;
                }
                "participants" => &mut all.participants,
                "plaintext" => &mut all.plaintext,
                "unavailable" => &mut all.unavailable,
                "bot" => &mut all.bot,
                "reporting" => &mut all.reporting,
                "verified_name" => &mut all.verified_name,
                _ => continue,
            };
            place.get_or_insert(child);
        }
        all
    }

    /// The parts to decrypt: direct ones, then those listed for this device.
    fn encs(&self, own: &Own) -> impl Iterator<Item = NodeRef<'a>> {
        let listed = self.participants.into_iter().flat_map(|list| list.each("to"));
        let ours = listed
            .filter(|to| jid(*to, "jid").is_some_and(|jid| jid == own.pn || Some(&jid) == own.lid.as_ref()));
        self.encs.iter().copied().chain(ours.flat_map(|to| to.each("enc")))
    }
}

fn as_text(value: Option<&Value<'_>>) -> Option<CompactString> {
    value.map(Value::to_compact)
}

fn as_jid(value: Option<&Value<'_>>) -> Option<Jid> {
    value?.to_jid().ok()
}

fn as_number(value: Option<&Value<'_>>) -> Option<u64> {
    value?.to_u64()
}

/// Chat and authors.
struct Named {
    chat: Jid,
    sender: Jid,
    sender_alt: Option<Jid>,
    recipient_alt: Option<Jid>,
    from_me: bool,
}

impl Named {
    fn read(
        attrs: &Attributes<'_>,
        own: &Own,
        from: &Jid,
        participant: Option<&Jid>,
        recipient: Option<&Jid>,
        meta: &[(CompactString, CompactString)],
    ) -> Result<Self, StanzaError> {
        if in_group(from) {
            let sender = plain(participant.ok_or(StanzaError::MissingParticipant)?);
            let alt = if sender.is_lid() { &attrs.participant_pn } else { &attrs.participant_lid };
            return Ok(Self {
                chat: from.clone(),
                sender_alt: as_jid(alt.as_ref()).map(|alt| on_device(&alt, &sender)),
                from_me: own.owns(&sender),
                sender,
                recipient_alt: None,
            });
        }
        if from.is_newsletter() {
            let from_me = attrs.is_sender.as_ref().is_some_and(|value| value.is("true"));
            let (chat, sender) = (from.clone(), from.clone());
            return Ok(Self { chat, sender, sender_alt: None, recipient_alt: None, from_me });
        }
        let sender = plain(from);
        let alt = if sender.is_lid() { &attrs.sender_pn } else { &attrs.sender_lid };
        let sender_alt = as_jid(alt.as_ref()).map(|alt| on_device(&alt, &sender));
        if own.owns(from) {
            let chat = recipient.unwrap_or(from).account();
            let alt = if chat.is_lid() { &attrs.peer_recipient_pn } else { &attrs.peer_recipient_lid };
            return Ok(Self { recipient_alt: as_jid(alt.as_ref()), chat, sender, sender_alt, from_me: true });
        }
        let target = meta.iter().find(|(name, _)| from.is_bot() && name == "target_chat_jid");
        let chat = target.and_then(|(_, chat)| chat.parse().ok()).unwrap_or_else(|| from.account());
        Ok(Self { chat, sender, sender_alt, recipient_alt: None, from_me: false })
    }
}

fn in_group(from: &Jid) -> bool {
    from.is_group() || from.server() == Server::Broadcast
}

/// A hosted address as the plain one of its family; the device stays.
fn plain(jid: &Jid) -> Jid {
    jid.account().with_device(jid.device(), Hosting::Own)
}

/// An address without a device takes that of the other one.
fn on_device(alt: &Jid, sender: &Jid) -> Jid {
    let device = if alt.device() == 0 { sender.device() } else { alt.device() };
    alt.account().with_device(device, Hosting::Own)
}

fn meta(nodes: &[NodeRef<'_>], is_poll: bool) -> Vec<(CompactString, CompactString)> {
    let mut all: Vec<(CompactString, CompactString)> = Vec::new();
    for (key, value) in nodes.iter().flat_map(|node| node.each_attr()) {
        let known = all.iter().any(|(name, _)| name == key);
        if !known && (is_poll || key != "polltype") {
            all.push((key.into(), value.to_compact()));
        }
    }
    all
}

fn bot(node: NodeRef<'_>) -> Option<BotInfo> {
    let info = BotInfo {
        edit: text(node, "edit"),
        edit_target_id: text(node, "edit_target_id"),
        sender_timestamp_ms: number(node, "sender_timestamp_ms"),
    };
    (info.edit.is_some() || info.edit_target_id.is_some() || info.sender_timestamp_ms.is_some())
        .then_some(info)
}

fn broadcast_recipients(list: Option<NodeRef<'_>>) -> Vec<BroadcastRecipient> {
    let recipients = list.into_iter().flat_map(|list| list.each("to")).filter_map(|to| {
        let address = jid(to, "jid")?.account();
        let alt = |name| jid(to, name).map(|alt| alt.account());
        Some(if address.is_lid() {
            BroadcastRecipient { lid: Some(address), pn: alt("peer_recipient_pn") }
        } else {
            BroadcastRecipient { pn: Some(address), lid: alt("peer_recipient_lid") }
        })
    });
    recipients.collect()
}
