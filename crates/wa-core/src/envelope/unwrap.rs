//! Wrappers around content and how they are taken off (chapter 05 §3, §8.1): one after the other, at most 16, without
//! recursion. What was taken off stays known.

use std::borrow::Cow;

use thiserror::Error;
use wa_proto::e2e_message::{Message, MessageContextInfo};
use wa_proto::view::e2e_message::MessageView;

use super::ContentKind;
use super::glance::Present;

/// Most wrappers of one message.
pub const MAX_WRAPPERS: usize = 16;

/// A message with its wrappers off.
#[derive(Clone, Debug)]
pub struct Unwrapped<'a> {
    /// The wrappers, from the outside in.
    pub wrappers: Vec<Wrapper>,
    /// The innermost message. Empty when a wrapper held nothing.
    pub message: Cow<'a, Message>,
    /// What belongs to the message beside its content: its own, completed from the outside.
    pub context: Option<Cow<'a, MessageContextInfo>>,
    /// Where an own device sent it, with the hash of the recipients of a broadcast.
    pub device_sent: Option<DeviceSent<'a>>,
}

/// What the copy for an own device says about where the message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceSent<'a> {
    /// The chat, as text.
    pub destination: Option<&'a str>,
    /// Hash of the recipients of a broadcast list.
    pub phash: Option<&'a str>,
}

/// More than [`MAX_WRAPPERS`] wrappers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a message in more than 16 wrappers")]
pub struct TooManyWrappers;

/// Which wrappers are taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// All: to read a message.
    All,
    /// All but the one of edits: to choose the attributes of a stanza.
    KeepEdits,
}

/// Takes the wrappers off.
///
/// # Errors
/// [`TooManyWrappers`].
pub fn unwrap(message: &Message, depth: Depth) -> Result<Unwrapped<'_>, TooManyWrappers> {
    let mut unwrapped = Unwrapped {
        wrappers: Vec::new(),
        message: Cow::Borrowed(message),
        context: message.message_context_info.as_deref().map(Cow::Borrowed),
        device_sent: None,
    };
    let mut at = message;
    while let Some((wrapper, inner)) = Wrapper::of(at) {
        if wrapper == Wrapper::Edited && depth == Depth::KeepEdits {
            break;
        }
        if unwrapped.wrappers.len() == MAX_WRAPPERS {
            return Err(TooManyWrappers);
        }
        unwrapped.wrappers.push(wrapper);
        if wrapper == Wrapper::DeviceSent
            && let Some(sent) = &at.device_sent_message
        {
            unwrapped.device_sent = Some(DeviceSent {
                destination: sent.destination_jid.as_deref(),
                phash: sent.phash.as_deref(),
            });
        }
        let Some(inner) = inner else {
            unwrapped.message = Cow::Owned(Message::default());
            break;
        };
        let own = inner.message_context_info.as_deref();
        unwrapped.context = match (own, unwrapped.context) {
            (Some(own), Some(outer)) if wrapper == Wrapper::DeviceSent => {
                Some(Cow::Owned(completed(own, &outer)))
            }
            (Some(own), _) => Some(Cow::Borrowed(own)),
            (None, outer) => outer,
        };
        unwrapped.message = Cow::Borrowed(inner);
        at = inner;
    }
    Ok(unwrapped)
}

impl Unwrapped<'_> {
    /// The kind of what is left.
    pub fn kind(&self) -> Option<ContentKind> {
        ContentKind::of(&self.message)
    }

    /// Whether it may be looked at once: old clients say so with a wrapper, new ones inside the content.
    pub fn is_view_once(&self) -> bool {
        let message = &self.message;
        self.wrappers.iter().any(|wrapper| wrapper.is_view_once())
            || message.image_message.as_ref().is_some_and(|it| it.view_once())
            || message.video_message.as_ref().is_some_and(|it| it.view_once())
            || message.audio_message.as_ref().is_some_and(|it| it.view_once())
            || message.extended_text_message.as_ref().is_some_and(|it| it.view_once())
    }
}

/// The copy for an own device: the context is moved outside.
pub fn device_sent(mut message: Message, destination: String, phash: Option<String>) -> Message {
    let message_context_info = message.message_context_info.take();
    Message {
        device_sent_message: Some(Box::new(wa_proto::e2e_message::message::DeviceSentMessage {
            destination_jid: Some(destination),
            message: Some(Box::new(message)),
            phash,
        })),
        message_context_info,
        ..Message::default()
    }
}

/// The context of a copy for an own device, completed with what stands outside.
fn completed(own: &MessageContextInfo, outer: &MessageContextInfo) -> MessageContextInfo {
    let mut context = own.clone();
    if context.message_secret.is_none() {
        context.message_secret.clone_from(&outer.message_secret);
    }
    if context.message_association.is_none() {
        context.message_association.clone_from(&outer.message_association);
    }
    if context.bot_metadata.is_none() {
        context.bot_metadata.clone_from(&outer.bot_metadata);
    }
    if context.thread_id.is_empty() {
        context.thread_id.clone_from(&outer.thread_id);
    }
    context.limit_sharing_v2.clone_from(&outer.limit_sharing_v2);
    context
}

macro_rules! wrappers {
    ($($(#[doc = $doc:literal])+ $wrapper:ident $field:ident $number:literal $name:literal,)+) => {
        /// A wrapper around content.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Wrapper {
            /// A copy for an own device.
            DeviceSent,
            $($(#[doc = $doc])+ $wrapper,)+
        }

        impl Wrapper {
            /// Short name.
            pub const fn name(self) -> &'static str {
                match self {
                    Self::DeviceSent => "device_sent",
                    $(Self::$wrapper => $name,)+
                }
            }

            /// The outermost wrapper and what it holds.
            fn of(message: &Message) -> Option<(Self, Option<&Message>)> {
                if let Some(wrapper) = &message.device_sent_message {
                    return Some((Self::DeviceSent, wrapper.message.as_deref()));
                }
                $(
                    if let Some(wrapper) = &message.$field {
                        return Some((Self::$wrapper, wrapper.message.as_deref()));
                    }
                )+
                None
            }

            /// The outermost wrapper of a message with these fields.
            pub(super) fn among(present: &Present) -> Option<Self> {
                const ALL: &[(u32, Wrapper)] = &[(31, Wrapper::DeviceSent), $(($number, Wrapper::$wrapper),)+];
                ALL.iter().find(|(number, _)| present.has(*number)).map(|(_, wrapper)| *wrapper)
            }

            /// What it holds.
            pub(super) fn inner<'a>(self, message: &MessageView<'a>) -> Option<MessageView<'a>> {
                match self {
                    Self::DeviceSent => message.device_sent_message()?.message(),
                    $(Self::$wrapper => message.$field()?.message(),)+
                }
            }
        }
    };
}

wrappers! {
    /// For an invoked bot.
    BotInvoke bot_invoke_message 67 "bot_invoke",
    /// Disappearing, in the old way.
    Ephemeral ephemeral_message 40 "ephemeral",
    /// To be looked at once, first form.
    ViewOnce view_once_message 37 "view_once",
    /// To be looked at once, second form.
    ViewOnceV2 view_once_message_v2 55 "view_once",
    /// To be looked at once, voice notes.
    ViewOnceV2Extension view_once_message_v2_extension 59 "view_once",
    /// An animated vector sticker.
    Lottie lottie_sticker_message 74 "lottie",
    /// A document with a caption.
    DocumentWithCaption document_with_caption_message 53 "document_with_caption",
    /// An edit.
    Edited edited_message 58 "edited",
    /// Mentions a whole group.
    GroupMentioned group_mentioned_message 62 "group_mentioned",
    /// A status for a group, first form.
    GroupStatus group_status_message 96 "group_status",
    /// A status for a group, second form.
    GroupStatusV2 group_status_message_v2 103 "group_status",
    /// Mentions a group in a status.
    GroupStatusMention group_status_mention_message 92 "group_status_mention",
    /// Mentions a person in a status.
    StatusMention status_mention_message 87 "status_mention",
    /// An answer to an "add yours" status.
    StatusAddYours status_add_yours 95 "status_add_yours",
    /// Part of an album or the like.
    AssociatedChild associated_child_message 91 "associated_child",
    /// The image of a poll's option.
    PollOptionImage poll_creation_option_image_message 90 "poll_option_image",
    /// A poll, fourth form.
    PollV4 poll_creation_message_v4 93 "poll_v4",
    /// The cover of an event.
    EventCoverImage event_cover_image 85 "event_cover_image",
    /// A question to an audience.
    Question question_message 101 "question",
    /// A reply to such a question.
    QuestionReply question_reply_message 106 "question_reply",
    /// Hidden until tapped.
    Spoiler spoiler_message 118 "spoiler",
    /// Advanced chat privacy.
    LimitSharing limit_sharing_message 99 "limit_sharing",
    /// The profile of a channel's admin, first form.
    NewsletterAdminProfile newsletter_admin_profile_message 116 "newsletter_admin_profile",
    /// The profile of a channel's admin, second form.
    NewsletterAdminProfileV2 newsletter_admin_profile_message_v2 117 "newsletter_admin_profile",
    /// The profile of a channel's admin in a status.
    NewsletterAdminProfileStatus newsletter_admin_profile_status_message 126 "newsletter_admin_profile",
    /// A task of a bot.
    BotTask bot_task_message 100 "bot_task",
    /// Forwarded from a bot.
    BotForwarded bot_forwarded_message 104 "bot_forwarded",
}

impl Wrapper {
    /// Whether it is one of the view-once wrappers.
    pub const fn is_view_once(self) -> bool {
        matches!(self, Self::ViewOnce | Self::ViewOnceV2 | Self::ViewOnceV2Extension)
    }
}

#[cfg(test)]
mod tests {
    use wa_proto::e2e_message::message::FutureProofMessage;

    use super::*;

    fn text(secret: Option<u8>) -> Message {
        let context = secret.map(|byte| {
            Box::new(MessageContextInfo { message_secret: Some(vec![byte; 32].into()), ..Default::default() })
        });
        Message { conversation: Some("hi".to_owned()), message_context_info: context, ..Default::default() }
    }

    fn ephemeral(message: Option<Message>) -> Message {
        let wrapper = FutureProofMessage { message: message.map(Box::new) };
        Message { ephemeral_message: Some(Box::new(wrapper)), ..Default::default() }
    }

    #[test]
    fn sixteen_wrappers_come_off_and_seventeen_are_refused() {
        let mut message = text(None);
        for _ in 0..16 {
            message = ephemeral(Some(message));
        }
        let unwrapped = unwrap(&message, Depth::All).unwrap();
        assert_eq!((unwrapped.wrappers.len(), unwrapped.kind()), (16, Some(ContentKind::Conversation)));
        let message = ephemeral(Some(message));
        assert_eq!(unwrap(&message, Depth::All).err(), Some(TooManyWrappers));
    }

    #[test]
    fn an_empty_wrapper_holds_no_content() {
        let message = ephemeral(None);
        let unwrapped = unwrap(&message, Depth::All).unwrap();
        assert_eq!((unwrapped.wrappers.as_slice(), unwrapped.kind()), (&[Wrapper::Ephemeral][..], None));
    }

    #[test]
    fn the_context_of_a_device_copy_is_completed_from_outside() {
        let secret = |message: &Message| {
            unwrap(message, Depth::All)
                .unwrap()
                .context
                .and_then(|it| it.message_secret.clone().map(|it| it[0]))
        };
        let copy = device_sent(text(Some(7)), "200000000000002@lid".to_owned(), None);
        assert!(
            copy.device_sent_message
                .as_ref()
                .unwrap()
                .message
                .as_ref()
                .unwrap()
                .message_context_info
                .is_none()
        );
        assert_eq!(secret(&copy), Some(7));
        let mut both = copy;
        both.device_sent_message.as_mut().unwrap().message = Some(Box::new(text(Some(9))));
        assert_eq!(secret(&both), Some(9));
        let sent = unwrap(&both, Depth::All).unwrap().device_sent.unwrap();
        assert_eq!(sent.destination, Some("200000000000002@lid"));
    }

    #[test]
    fn an_edit_stays_wrapped_for_the_choice_of_attributes() {
        let edit = FutureProofMessage { message: Some(Box::new(text(None))) };
        let message = Message { edited_message: Some(Box::new(edit)), ..Default::default() };
        assert_eq!(unwrap(&message, Depth::KeepEdits).unwrap().kind(), Some(ContentKind::Edited));
        assert_eq!(unwrap(&message, Depth::All).unwrap().kind(), Some(ContentKind::Conversation));
    }
}
