//! The attributes that a message gives its stanza (chapter 05 §4): `type`, `mediatype`, `edit`, `decrypt-fail` and
//! `<meta>`. The one place that chooses them.

use wa_binary::Node;
use wa_proto::common::MessageKey;
use wa_proto::e2e_message::message::protocol_message::Type as ProtocolType;
use wa_proto::e2e_message::message::secret_encrypted_message::SecretEncType;
use wa_proto::e2e_message::message::{
    AudioMessage, LocationMessage, PollCreationMessage, PollType, SecretEncryptedMessage, VideoMessage,
};
use wa_proto::e2e_message::{KeepType, Message};

use super::unwrap::{Depth, TooManyWrappers, Unwrapped, unwrap};
use super::{ContentKind, Edit};

/// What a message gives its stanza.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classified {
    /// `type` of `<message>`.
    pub stanza_type: StanzaType,
    /// `mediatype` of `<enc>`: on every one of a message to a person, on the sender-key one in groups. A message of
    /// type `media` without it is dropped by the server: see [`Self::is_dropped`].
    pub media_type: Option<&'static str>,
    /// `edit` of `<message>`.
    pub edit: Option<Edit>,
    /// `decrypt-fail` of every `<enc>`.
    pub decrypt_fail: DecryptFail,
    /// Attributes of `<meta>`.
    pub meta: Meta,
}

/// `type` of a message stanza.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StanzaType {
    /// Text, and everything without its own type.
    Text,
    /// Media and rich content.
    Media,
    /// Polls, votes, edits of polls.
    Poll,
    /// Reactions.
    Reaction,
    /// Events, responses, edits of events.
    Event,
}

impl StanzaType {
    /// The attribute's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Media => "media",
            Self::Poll => "poll",
            Self::Reaction => "reaction",
            Self::Event => "event",
        }
    }
}

/// What a recipient who cannot decrypt shall show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DecryptFail {
    /// A placeholder.
    Show,
    /// Nothing (`decrypt-fail="hide"`).
    Hide,
}

/// Attributes of `<meta>`, all in one node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// `polltype`.
    pub poll_type: Option<&'static str>,
    /// `event_type`.
    pub event_type: Option<&'static str>,
    /// `view_once`.
    pub view_once: bool,
    /// `tag_reason`, with `appdata="member_tag"`.
    pub tag_reason: Option<&'static str>,
}

impl Meta {
    /// The attributes in order.
    pub fn attrs(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        [
            self.poll_type.map(|value| ("polltype", value)),
            self.event_type.map(|value| ("event_type", value)),
            self.view_once.then_some(("view_once", "true")),
            self.tag_reason.map(|_| ("appdata", "member_tag")),
            self.tag_reason.map(|value| ("tag_reason", value)),
        ]
        .into_iter()
        .flatten()
    }

    /// The node; `None` without attributes.
    pub fn node(&self) -> Option<Node> {
        let mut attrs = self.attrs().peekable();
        attrs.peek()?;
        Some(Node::new("meta").attrs(attrs))
    }
}

impl Classified {
    /// Whether the live server would drop the message silently.
    pub fn is_dropped(&self) -> bool {
        self.stanza_type == StanzaType::Media && self.media_type.is_none()
    }
}

/// Classifies a message that is about to be sent.
///
/// # Errors
/// [`TooManyWrappers`].
pub fn classify(message: &Message) -> Result<Classified, TooManyWrappers> {
    let unwrapped = unwrap(message, Depth::KeepEdits)?;
    let kind = unwrapped.kind();
    let secret =
        unwrapped.message.secret_encrypted_message.as_deref().map(SecretEncryptedMessage::secret_enc_type);
    let (stanza_type, media_type) = stanza_type(&unwrapped, kind, secret);
    let edit = edit(&unwrapped.message, secret);
    Ok(Classified {
        stanza_type,
        media_type,
        edit,
        decrypt_fail: decrypt_fail(&unwrapped.message, kind, secret),
        meta: meta(&unwrapped, kind, secret),
    })
}

fn stanza_type(
    unwrapped: &Unwrapped<'_>,
    kind: Option<ContentKind>,
    secret: Option<SecretEncType>,
) -> (StanzaType, Option<&'static str>) {
    use ContentKind as K;

    let message = &unwrapped.message;
    let Some(kind) = kind else { return (StanzaType::Media, None) };
    let media = match kind {
        K::Reaction | K::EncReaction => return (StanzaType::Reaction, None),
        K::Event | K::EncEventResponse => return (StanzaType::Event, None),
        K::PollCreation
        | K::PollCreationV2
        | K::PollCreationV3
        | K::PollCreationV5
        | K::PollCreationV6
        | K::PollUpdate => return (StanzaType::Poll, None),
        K::SecretEncrypted => {
            return match secret {
                Some(SecretEncType::EventEdit) => (StanzaType::Event, None),
                Some(SecretEncType::PollEdit | SecretEncType::PollAddOption) => (StanzaType::Poll, None),
                Some(SecretEncType::MessageEdit | SecretEncType::MessageSchedule) => (StanzaType::Text, None),
                _ => (StanzaType::Media, None),
            };
        }
        K::Conversation
        | K::Protocol
        | K::KeepInChat
        | K::Edited
        | K::PinInChat
        | K::Interactive
        | K::TemplateButtonReply
        | K::RequestPhoneNumber
        | K::EncComment
        | K::NewsletterAdminInvite
        | K::NewsletterFollowerInviteV2
        | K::MessageHistoryNotice
        | K::Album
        | K::PollResultSnapshot
        | K::PollResultSnapshotV3
        | K::SendPayment
        | K::RequestPayment
        | K::DeclinePaymentRequest
        | K::CancelPaymentRequest
        | K::PaymentInvite => return (StanzaType::Text, None),
        K::ExtendedText => {
            let text = message.extended_text_message.as_deref();
            if text.is_none_or(|text| text.matched_text().trim().is_empty()) {
                return (StanzaType::Text, None);
            }
            Some("url")
        }
        K::Image => Some("image"),
        K::Video if message.video_message.as_deref().is_some_and(VideoMessage::gif_playback) => Some("gif"),
        K::Video => Some("video"),
        K::Ptv => Some("ptv"),
        K::Audio if message.audio_message.as_deref().is_some_and(AudioMessage::ptt) => Some("ptt"),
        K::Audio => Some("audio"),
        K::Document => Some("document"),
        K::Sticker => Some("sticker"),
        K::StickerPack => Some("sticker_pack"),
        K::Location if message.location_message.as_deref().is_some_and(LocationMessage::is_live) => {
            Some("livelocation")
        }
        K::Location => Some("location"),
        K::LiveLocation => Some("livelocation"),
        K::Contact => Some("vcard"),
        K::ContactsArray => Some("contact_array"),
        K::GroupInvite => Some("url"),
        K::List => Some("list"),
        K::ListResponse => Some("list_response"),
        K::ButtonsResponse => Some("buttons_response"),
        K::Order => Some("order"),
        K::Product => Some("product"),
        K::InteractiveResponse => Some("native_flow_response"),
        K::MessageHistoryBundle => Some("group_history"),
        _ => None,
    };
    (StanzaType::Media, media)
}

fn edit(message: &Message, secret: Option<SecretEncType>) -> Option<Edit> {
    if message.pin_in_chat_message.is_some() {
        return Some(Edit::Pin);
    }
    if message.edited_message.is_some()
        || matches!(secret, Some(SecretEncType::MessageEdit | SecretEncType::EventEdit))
    {
        return Some(Edit::Edit);
    }
    if let Some(protocol) = &message.protocol_message {
        // An unset type reads as the default, a revoke; a number that is not known is neither.
        return match protocol.r#type.map_or(Some(ProtocolType::Revoke), |it| ProtocolType::try_from(it).ok())
        {
            Some(ProtocolType::Revoke) if protocol.key.as_deref().is_some_and(MessageKey::from_me) => {
                Some(Edit::SenderRevoke)
            }
            Some(ProtocolType::Revoke) => Some(Edit::AdminRevoke),
            Some(ProtocolType::MessageEdit) => Some(Edit::Edit),
            _ => None,
        };
    }
    if message.reaction_message.as_deref().is_some_and(|it| it.text().is_empty()) {
        return Some(Edit::SenderRevoke);
    }
    let keep = message.keep_in_chat_message.as_deref()?;
    let undone = keep.keep_type() == KeepType::UndoKeepForAll;
    (undone && keep.key.as_deref().is_some_and(MessageKey::from_me)).then_some(Edit::SenderRevoke)
}

/// Never on revokes: the server drops such messages.
fn decrypt_fail(message: &Message, kind: Option<ContentKind>, secret: Option<SecretEncType>) -> DecryptFail {
    use ContentKind as K;

    let hide = match kind {
        Some(
            K::Reaction
            | K::EncReaction
            | K::PinInChat
            | K::Edited
            | K::KeepInChat
            | K::EncEventResponse
            | K::PollUpdate
            | K::MessageHistoryNotice,
        ) => true,
        Some(K::SecretEncrypted) => matches!(
            secret,
            Some(SecretEncType::EventEdit | SecretEncType::PollEdit | SecretEncType::PollAddOption)
        ),
        Some(K::Protocol) => message.protocol_message.as_deref().is_some_and(|protocol| {
            protocol.edited_message.is_some()
                || matches!(
                    protocol.r#type(),
                    ProtocolType::EphemeralSyncResponse
                        | ProtocolType::RequestWelcomeMessage
                        | ProtocolType::GroupMemberLabelChange
                )
        }),
        _ => false,
    };
    if hide { DecryptFail::Hide } else { DecryptFail::Show }
}

fn meta(unwrapped: &Unwrapped<'_>, kind: Option<ContentKind>, secret: Option<SecretEncType>) -> Meta {
    use ContentKind as K;

    let message = &unwrapped.message;
    let created = |poll: Option<&PollCreationMessage>| match poll.map(PollCreationMessage::poll_type) {
        Some(PollType::Quiz) => Some("quiz_creation"),
        _ => Some("creation"),
    };
    let poll_type = match kind {
        Some(K::PollCreation) => created(message.poll_creation_message.as_deref()),
        Some(K::PollCreationV2) => created(message.poll_creation_message_v2.as_deref()),
        Some(K::PollCreationV3) => created(message.poll_creation_message_v3.as_deref()),
        Some(K::PollCreationV5) => created(message.poll_creation_message_v5.as_deref()),
        Some(K::PollCreationV6) => created(message.poll_creation_message_v6.as_deref()),
        Some(K::PollUpdate) => Some("vote"),
        Some(K::SecretEncrypted)
            if matches!(secret, Some(SecretEncType::PollEdit | SecretEncType::PollAddOption)) =>
        {
            Some("edit")
        }
        _ => None,
    };
    let event_type = match kind {
        Some(K::Event) => Some("creation"),
        Some(K::EncEventResponse) => Some("response"),
        Some(K::SecretEncrypted) if secret == Some(SecretEncType::EventEdit) => Some("edit"),
        _ => None,
    };
    let label = message
        .protocol_message
        .as_deref()
        .filter(|protocol| protocol.r#type() == ProtocolType::GroupMemberLabelChange);
    let tag_reason = label.map(|protocol| {
        let named = protocol.member_label.as_deref().is_some_and(|label| !label.label().is_empty());
        if named { "user_update" } else { "user_delete" }
    });
    Meta { poll_type, event_type, view_once: unwrapped.is_view_once(), tag_reason }
}
