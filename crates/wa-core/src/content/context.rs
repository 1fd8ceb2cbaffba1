//! What accompanies content (`ContextInfo`, chapter 05 §11.1, §11.2, §11.7, §11.17): replies, mentions, forwarding,
//! disappearing. One table says where each kind keeps it.

use bytes::Bytes;
use prost::Message as _;
use wa_binary::Jid;
use wa_proto::e2e_message::context_info::ForwardedNewsletterMessageInfo;
use wa_proto::e2e_message::disappearing_mode::{Initiator, Trigger};
use wa_proto::e2e_message::message::ExtendedTextMessage;
use wa_proto::e2e_message::{ContextInfo, DisappearingMode, Message};

use super::{jid, said, signed, unsigned};
use crate::envelope::{Depth, unwrap};

/// From this score on a message is shown as forwarded many times.
pub const MANY_TIMES: u32 = 127;

/// Forwarding a message with this score or more makes it one forwarded many times.
const OFTEN: u32 = 5;

/// Above this a time is in milliseconds, whatever the schema says.
const MOST_SECONDS: u64 = 10_000_000_000;

/// What accompanies content.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Context {
    /// The message that it replies to.
    pub reply_to: Option<Quoted>,
    /// Who is mentioned.
    pub mentions: Vec<Jid>,
    /// Whether the whole group is mentioned.
    pub mentions_everyone: bool,
    /// Groups that are mentioned.
    pub group_mentions: Vec<GroupMention>,
    /// Whether it was said elsewhere before.
    pub forwarded: Forwarded,
    /// The channel that it was forwarded from.
    pub channel: Option<ChannelOrigin>,
    /// When it disappears.
    pub disappearing: Option<Disappearing>,
}

/// The message that a reply quotes.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Quoted {
    /// Its id.
    pub id: String,
    /// Who said it.
    pub author: Option<Jid>,
    /// Its chat, when that is another one.
    pub chat: Option<Jid>,
    /// The quoted message as protobuf bytes.
    pub original: Option<Bytes>,
}

/// A group that a text names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupMention {
    /// The group.
    pub group: Jid,
    /// What it was called.
    pub subject: Option<String>,
}

/// Whether a message was said elsewhere before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Forwarded {
    /// It is said here for the first time.
    #[default]
    No,
    /// Forwarded, with its score.
    Times(u32),
    /// So often that clients warn of it.
    Often,
}

/// The channel that a message was forwarded from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelOrigin {
    /// The channel.
    pub channel: Jid,
    /// The post.
    pub server_id: Option<u64>,
    /// What the channel was called.
    pub name: Option<String>,
}

/// When a message disappears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Disappearing {
    /// Seconds after it was sent.
    pub seconds: u32,
    /// When the chat was set so, in seconds.
    pub set_at: Option<u64>,
    /// Whether the account's default said so, and not the chat.
    pub by_default: bool,
}

impl Quoted {
    /// A message to quote; `original` is its protobuf form.
    pub fn new(id: impl Into<String>, author: Option<Jid>, original: Option<Bytes>) -> Self {
        Self { id: id.into(), author, chat: None, original }
    }

    /// Says what the quoted message says.
    pub fn content(&self) -> Option<super::Content> {
        let message = Message::decode(self.original.clone()?).ok()?;
        Some(super::Parsed::read(&message).content)
    }
}

impl Disappearing {
    /// After so many seconds.
    pub const fn after(seconds: u32, set_at: Option<u64>) -> Self {
        Self { seconds, set_at, by_default: false }
    }
}

impl Forwarded {
    const fn of(context: &ContextInfo) -> Self {
        match (context.is_forwarded, context.forwarding_score) {
            (_, Some(MANY_TIMES..)) => Self::Often,
            (Some(true), score) => Self::Times(match score {
                Some(score) => score,
                None => 0,
            }),
            (_, Some(score)) if score > 0 => Self::Times(score),
            _ => Self::No,
        }
    }

    /// What it becomes when it is forwarded once more.
    pub const fn once_more(self) -> Self {
        match self {
            Self::No => Self::Times(1),
            Self::Times(OFTEN..) | Self::Often => Self::Often,
            Self::Times(score) => {
                if score + 1 >= OFTEN {
                    Self::Often
                } else {
                    Self::Times(score + 1)
                }
            }
        }
    }

    const fn score(self) -> Option<u32> {
        match self {
            Self::No => None,
            Self::Times(score) => Some(score),
            Self::Often => Some(MANY_TIMES),
        }
    }
}

impl Context {
    /// What a message carries.
    pub fn of(message: &Message) -> Self {
        info(message).map_or_else(Self::default, Self::from)
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Puts it into a message that has a place for it; a bare text gets one. Says whether it had.
    pub(super) fn put(&self, message: &mut Message) -> bool {
        if self.is_empty() {
            return true;
        }
        if let Some(text) = message.conversation.take() {
            let text = ExtendedTextMessage { text: Some(text), ..ExtendedTextMessage::default() };
            message.extended_text_message = Some(Box::new(text));
        }
        let Some(place) = place(message) else { return false };
        *place = Some(Box::new(ContextInfo::from(self)));
        true
    }
}

impl From<&ContextInfo> for Context {
    fn from(context: &ContextInfo) -> Self {
        let set_at = unsigned(context.ephemeral_setting_timestamp)
            .map(|at| if at > MOST_SECONDS { at / 1000 } else { at });
        let by_account = |mode: &DisappearingMode| mode.trigger() == Trigger::AccountSetting;
        Self {
            reply_to: context.stanza_id.as_ref().filter(|id| !id.is_empty()).map(|id| Quoted {
                id: id.clone(),
                author: jid(context.participant.as_ref()),
                chat: jid(context.remote_jid.as_ref()),
                original: context.quoted_message.as_ref().map(|message| message.encode_to_vec().into()),
            }),
            mentions: context.mentioned_jid.iter().filter_map(|jid| jid.parse().ok()).collect(),
            mentions_everyone: context.non_jid_mentions() > 0,
            group_mentions: context
                .group_mentions
                .iter()
                .filter_map(|mention| {
                    let group = jid(mention.group_jid.as_ref())?;
                    Some(GroupMention { group, subject: said(mention.group_subject.as_ref()) })
                })
                .collect(),
            forwarded: Forwarded::of(context),
            channel: context.forwarded_newsletter_message_info.as_deref().and_then(|origin| {
                Some(ChannelOrigin {
                    channel: jid(origin.newsletter_jid.as_ref())?,
                    server_id: origin.server_message_id.and_then(|id| u64::try_from(id).ok()),
                    name: said(origin.newsletter_name.as_ref()),
                })
            }),
            disappearing: context.expiration.filter(|seconds| *seconds > 0).map(|seconds| Disappearing {
                seconds,
                set_at,
                by_default: context.disappearing_mode.as_deref().is_some_and(by_account),
            }),
        }
    }
}

impl From<&Context> for ContextInfo {
    fn from(context: &Context) -> Self {
        let mut info = Self {
            mentioned_jid: context.mentions.iter().map(ToString::to_string).collect(),
            non_jid_mentions: context.mentions_everyone.then_some(1),
            group_mentions: context
                .group_mentions
                .iter()
                .map(|mention| wa_proto::e2e_message::GroupMention {
                    group_jid: Some(mention.group.to_string()),
                    group_subject: mention.subject.clone(),
                })
                .collect(),
            is_forwarded: context.forwarded.score().map(|_| true),
            forwarding_score: context.forwarded.score(),
            ..Self::default()
        };
        if let Some(reply) = &context.reply_to {
            info.stanza_id = Some(reply.id.clone());
            info.participant = reply.author.as_ref().map(|author| author.user_jid().to_string());
            info.remote_jid = reply.chat.as_ref().map(|chat| chat.user_jid().to_string());
            let original = reply.original.clone().and_then(|bytes| Message::decode(bytes).ok());
            info.quoted_message = original.map(|message| Box::new(quotable(&message)));
        }
        if let Some(origin) = &context.channel {
            info.forwarded_newsletter_message_info = Some(Box::new(ForwardedNewsletterMessageInfo {
                newsletter_jid: Some(origin.channel.to_string()),
                server_message_id: origin.server_id.and_then(|id| i32::try_from(id).ok()),
                newsletter_name: origin.name.clone(),
                ..ForwardedNewsletterMessageInfo::default()
            }));
        }
        if let Some(disappearing) = &context.disappearing {
            let trigger =
                if disappearing.by_default { Trigger::AccountSetting } else { Trigger::ChatSetting };
            info.expiration = Some(disappearing.seconds);
            info.ephemeral_setting_timestamp = signed(disappearing.set_at);
            info.disappearing_mode = Some(Box::new(DisappearingMode {
                initiator: Some(Initiator::ChangedInChat.into()),
                trigger: Some(trigger.into()),
                ..DisappearingMode::default()
            }));
        }
        info
    }
}

/// A message as a reply quotes it: its content alone, without the chain of what it quotes itself.
pub fn quotable(message: &Message) -> Message {
    let mut bare = bare(message);
    if let Some(place) = place(&mut bare) {
        *place = None;
    }
    bare
}

/// A message as it is forwarded: its content with the same keys and files, and the score of one forwarding more.
pub fn forwarded(message: &Message) -> Message {
    let mut bare = bare(message);
    let before = Context::of(&bare);
    let forwarded = before.forwarded.once_more();
    if let Some(place) = place(&mut bare) {
        *place = None;
    }
    Context { forwarded, channel: before.channel, ..Context::default() }.put(&mut bare);
    bare
}

/// The content alone.
fn bare(message: &Message) -> Message {
    let mut bare = unwrap(message, Depth::All)
        .map_or_else(|_| message.clone(), |unwrapped| unwrapped.message.into_owned());
    bare.message_context_info = None;
    bare.sender_key_distribution_message = None;
    bare.fast_ratchet_key_sender_key_distribution_message = None;
    bare
}

macro_rules! places {
    ($($field:ident)+) => {
        /// Where a message keeps it.
        fn info(message: &Message) -> Option<&ContextInfo> {
            $(
                if let Some(content) = &message.$field {
                    return content.context_info.as_deref();
                }
            )+
            None
        }

        /// The place itself; `None` for kinds that have none.
        fn place(message: &mut Message) -> Option<&mut Option<Box<ContextInfo>>> {
            $(
                if message.$field.is_some() {
                    return message.$field.as_mut().map(|content| &mut content.context_info);
                }
            )+
            None
        }
    };
}

places! {
    image_message contact_message location_message extended_text_message document_message audio_message video_message
    contacts_array_message live_location_message template_message sticker_message group_invite_message
    template_button_reply_message product_message list_message order_message list_response_message buttons_message
    buttons_response_message interactive_message interactive_response_message poll_creation_message
    poll_creation_message_v2 poll_creation_message_v3 poll_creation_message_v5 poll_creation_message_v6
    request_phone_number_message ptv_message event_message newsletter_admin_invite_message album_message
    sticker_pack_message poll_result_snapshot_message poll_result_snapshot_message_v3
    newsletter_follower_invite_message_v2 event_invite_message message_history_bundle message_history_notice
}
