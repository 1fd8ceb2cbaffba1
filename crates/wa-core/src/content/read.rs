//! From the protobuf message to [`Content`]: one table from kind to type.

use wa_proto::e2e_message::message::protocol_message::Type;
use wa_proto::e2e_message::message::{ProtocolMessage, RequestPaymentMessage};
use wa_proto::e2e_message::message_association::AssociationType;
use wa_proto::e2e_message::{Message, MessageContextInfo};

use super::{
    Content, Context, DisappearingSetting, Edit, Event, Motion, Payment, PaymentKind, Pin, Poll, Protocol,
    Revoke, SealedAddOn, Target, Text, Video, Viewing, said, unsigned,
};
use crate::envelope::{ContentKind, Depth, Wrapper, unwrap};

/// A message with its wrappers off, as types.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Parsed {
    /// What it says.
    pub content: Content,
    /// Replies, mentions, forwarding, disappearing.
    pub context: Context,
    /// Whether it may be looked at more than once.
    pub viewing: Viewing,
    /// The head of the album that it belongs to.
    pub album: Option<Target>,
    /// The wrappers that were around it, from the outside in.
    pub wrappers: Vec<Wrapper>,
}

impl Parsed {
    /// Reads a message. What is not understood is [`Content::Other`], never an error.
    pub fn read(message: &Message) -> Self {
        let Ok(unwrapped) = unwrap(message, Depth::All) else {
            return Self {
                content: Content::Other(None),
                context: Context::default(),
                viewing: Viewing::Normal,
                album: None,
                wrappers: Vec::new(),
            };
        };
        let viewing = if unwrapped.is_view_once() { Viewing::Once } else { Viewing::Normal };
        let beside = unwrapped.context.as_deref();
        let mut content = content(&unwrapped.message, beside);
        if let Content::Sticker(sticker) = &mut content
            && unwrapped.wrappers.contains(&Wrapper::Lottie)
        {
            sticker.motion = Motion::Vector;
        }
        Self {
            context: Context::of(&unwrapped.message),
            viewing,
            album: beside.and_then(album),
            content,
            wrappers: unwrapped.wrappers,
        }
    }
}

/// Whether content of a kind names no other message and is no poll, so that nothing of it has to be known before it is
/// read. Most messages are of such a kind.
pub const fn stands_alone(kind: ContentKind) -> bool {
    use ContentKind as K;

    matches!(
        kind,
        K::Conversation
            | K::ExtendedText
            | K::Image
            | K::Video
            | K::Ptv
            | K::Audio
            | K::Document
            | K::Sticker
            | K::StickerPack
            | K::Album
            | K::Contact
            | K::ContactsArray
            | K::Location
            | K::LiveLocation
            | K::GroupInvite
    )
}

fn album(beside: &MessageContextInfo) -> Option<Target> {
    let association = beside.message_association.as_deref()?;
    let is_album = association.association_type() == AssociationType::MediaAlbum;
    is_album.then(|| Target::of(association.parent_message_key.as_deref()))
}

/// The content of a message without wrappers; `beside` is what belongs to it beside its content.
fn content(message: &Message, beside: Option<&MessageContextInfo>) -> Content {
    let Some(kind) = ContentKind::of(message) else { return Content::Other(None) };
    typed(message, kind, beside).unwrap_or_else(|| Content::Other(Some(kind.name())))
}

fn typed(message: &Message, kind: ContentKind, beside: Option<&MessageContextInfo>) -> Option<Content> {
    use ContentKind as K;

    Some(match kind {
        K::Conversation => Content::Text(Text::new(message.conversation.clone()?)),
        K::ExtendedText => Content::Text(message.extended_text_message.as_deref()?.into()),
        K::Image => Content::Image(message.image_message.as_deref()?.into()),
        K::Video => Content::Video(Video::read(message.video_message.as_deref()?, false)),
        K::Ptv => Content::Video(Video::read(message.ptv_message.as_deref()?, true)),
        K::Audio => {
            let audio = message.audio_message.as_deref()?;
            if audio.ptt() { Content::VoiceNote(audio.into()) } else { Content::Audio(audio.into()) }
        }
        K::Document => Content::Document(message.document_message.as_deref()?.into()),
        K::Sticker => Content::Sticker(message.sticker_message.as_deref()?.into()),
        K::StickerPack => Content::StickerPack(message.sticker_pack_message.as_deref()?.into()),
        K::Album => Content::Album(message.album_message.as_deref()?.into()),
        K::Contact => Content::Contact(message.contact_message.as_deref()?.into()),
        K::ContactsArray => Content::Contacts(message.contacts_array_message.as_deref()?.into()),
        K::Location => {
            let location = message.location_message.as_deref()?;
            match location.is_live() {
                true => Content::LiveLocation(location.into()),
                false => Content::Location(location.into()),
            }
        }
        K::LiveLocation => Content::LiveLocation(message.live_location_message.as_deref()?.into()),
        K::Reaction => Content::Reaction(message.reaction_message.as_deref()?.into()),
        K::EncReaction | K::EncComment | K::EncEventResponse | K::SecretEncrypted | K::PollUpdate => {
            Content::Sealed(SealedAddOn::read(message)?)
        }
        K::Protocol => protocol(message.protocol_message.as_deref()?),
        K::PollCreation | K::PollCreationV2 | K::PollCreationV3 | K::PollCreationV5 | K::PollCreationV6 => {
            Content::Poll(Poll::from(Poll::find(message)?))
        }
        K::PollResultSnapshot => {
            Content::PollSnapshot(message.poll_result_snapshot_message.as_deref()?.into())
        }
        K::PollResultSnapshotV3 => {
            Content::PollSnapshot(message.poll_result_snapshot_message_v3.as_deref()?.into())
        }
        K::PollAddOption => {
            let added = message.poll_add_option_message.as_deref()?;
            Content::PollOption(super::PollOption {
                poll: Target::of(added.poll_creation_message_key.as_deref()),
                option: added.add_option.as_deref()?.option_name().to_owned(),
            })
        }
        K::Event => Content::Event(Event::from(message.event_message.as_deref()?)),
        K::ScheduledCallCreation => {
            Content::ScheduledCall(message.scheduled_call_creation_message.as_deref()?.into())
        }
        K::ScheduledCallEdit => {
            Content::ScheduledCallChange(message.scheduled_call_edit_message.as_deref()?.into())
        }
        K::PinInChat => {
            let seconds = beside.and_then(|beside| beside.message_add_on_duration_in_secs).unwrap_or(0);
            Content::Pin(Pin::read(message.pin_in_chat_message.as_deref()?, seconds))
        }
        K::KeepInChat => Content::Keep(message.keep_in_chat_message.as_deref()?.into()),
        K::GroupInvite => Content::GroupInvite(message.group_invite_message.as_deref()?.into()),
        K::NewsletterAdminInvite => {
            Content::ChannelInvite(message.newsletter_admin_invite_message.as_deref()?.into())
        }
        K::NewsletterFollowerInviteV2 => {
            Content::ChannelInvite(message.newsletter_follower_invite_message_v2.as_deref()?.into())
        }
        K::Buttons => Content::Buttons(message.buttons_message.as_deref()?.into()),
        K::List => Content::List(message.list_message.as_deref()?.into()),
        K::Template => Content::Template(message.template_message.as_deref()?.into()),
        K::Interactive => Content::Interactive(Box::new(message.interactive_message.as_deref()?.into())),
        K::ButtonsResponse => Content::ButtonReply(message.buttons_response_message.as_deref()?.into()),
        K::ListResponse => Content::ButtonReply(message.list_response_message.as_deref()?.into()),
        K::TemplateButtonReply => {
            Content::ButtonReply(message.template_button_reply_message.as_deref()?.into())
        }
        K::InteractiveResponse => {
            Content::ButtonReply(message.interactive_response_message.as_deref()?.into())
        }
        K::Product => Content::Product(message.product_message.as_deref()?.into()),
        K::Order => Content::Order(message.order_message.as_deref()?.into()),
        K::Comment => {
            let comment = message.comment_message.as_deref()?;
            Content::Comment(super::Comment {
                target: Target::of(comment.target_message_key.as_deref()),
                content: Box::new(Parsed::read(comment.message.as_deref()?).content),
            })
        }
        K::CallLog => Content::CallLog(message.call_log_messsage.as_deref()?.into()),
        K::RequestPhoneNumber => Content::Protocol(Protocol::RequestPhoneNumber),
        K::Placeholder => Content::Placeholder,
        K::SendPayment => {
            let note = message.send_payment_message.as_deref()?.note_message.as_deref();
            Content::Payment(payment(PaymentKind::Sent, note))
        }
        K::RequestPayment => Content::Payment(requested(message.request_payment_message.as_deref()?)),
        K::DeclinePaymentRequest => Content::Payment(payment(PaymentKind::Declined, None)),
        K::CancelPaymentRequest => Content::Payment(payment(PaymentKind::Cancelled, None)),
        K::PaymentInvite => Content::Payment(payment(PaymentKind::Invited, None)),
        _ => return None,
    })
}

fn protocol(message: &ProtocolMessage) -> Content {
    let number = message.r#type.unwrap_or_default();
    match Type::try_from(number) {
        Ok(Type::Revoke) => Content::Revoke(Revoke { target: Target::of(message.key.as_deref()) }),
        Ok(Type::MessageEdit) => {
            let inner = message.edited_message.as_deref().map(|inner| Parsed::read(inner).content);
            Content::Edit(Edit {
                target: Target::of(message.key.as_deref()),
                content: Box::new(inner.unwrap_or(Content::Other(None))),
                at_ms: unsigned(message.timestamp_ms),
            })
        }
        Ok(Type::EphemeralSetting | Type::EphemeralSyncResponse) => {
            Content::Disappearing(DisappearingSetting {
                seconds: message.ephemeral_expiration(),
                set_at: unsigned(message.ephemeral_setting_timestamp),
            })
        }
        _ => Content::Protocol(Protocol::read(message)),
    }
}

fn payment(kind: PaymentKind, note: Option<&Message>) -> Payment {
    let note = note.and_then(|note| Parsed::read(note).content.text().map(ToOwned::to_owned));
    Payment { kind, note, currency: None, amount_1000: None }
}

fn requested(message: &RequestPaymentMessage) -> Payment {
    Payment {
        currency: said(message.currency_code_iso4217.as_ref()),
        amount_1000: message.amount1000,
        ..payment(PaymentKind::Requested, message.note_message.as_deref())
    }
}
