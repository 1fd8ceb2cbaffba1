//! Invitations, records, settings and what clients say to each other (chapter 05 §6.2, §11.17, §11.19, §11.22, §13).

use bytes::Bytes;
use wa_binary::Jid;
use wa_proto::e2e_message::message::call_log_message::CallOutcome as WireOutcome;
use wa_proto::e2e_message::message::protocol_message::Type;
use wa_proto::e2e_message::message::{
    CallLogMessage, GroupInviteMessage, NewsletterAdminInviteMessage, NewsletterFollowerInviteMessage,
    ProtocolMessage,
};

use super::{Target, jid, said, signed, unsigned};

/// Messages of the chat disappear from now on, or no longer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct DisappearingSetting {
    /// After so many seconds: 86,400, 604,800 or 7,776,000; 0 for no longer.
    pub seconds: u32,
    /// When it was set, in seconds.
    pub set_at: Option<u64>,
}

/// An invitation to a group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupInvite {
    /// The group.
    pub group: Option<Jid>,
    /// What one joins with.
    pub code: String,
    /// Until when, in seconds.
    pub expires_at: Option<u64>,
    /// What the group is called.
    pub name: Option<String>,
    /// What is written with it.
    pub caption: Option<String>,
    /// A small JPEG.
    pub preview: Option<Bytes>,
}

/// An invitation to a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelInvite {
    /// The channel.
    pub channel: Option<Jid>,
    /// What it is called.
    pub name: Option<String>,
    /// What is written with it.
    pub caption: Option<String>,
    /// Until when, in seconds, an invitation to administrate it holds; `None` for one to follow it.
    pub admin_until: Option<u64>,
}

/// A call that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallLog {
    /// Whether it was a video call.
    pub is_video: bool,
    /// How it ended.
    pub outcome: CallOutcome,
    /// How long it was.
    pub seconds: Option<u64>,
    /// Who took part.
    pub participants: Vec<Jid>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallOutcome {
    /// People spoke.
    Connected,
    /// Nobody took it.
    Missed,
    /// It failed.
    Failed,
    /// It was refused.
    Rejected,
    /// Another device took it.
    AcceptedElsewhere,
    /// It goes on.
    Ongoing,
    /// Silenced: the person wants no calls now.
    SilencedByPerson,
    /// Silenced: the caller is not known.
    SilencedUnknownCaller,
}

/// Money. Received only, and only what is said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Payment {
    /// What happens.
    pub kind: PaymentKind,
    /// What is written with it.
    pub note: Option<String>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// Thousandths of the currency.
    pub amount_1000: Option<u64>,
}

/// What happens with money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PaymentKind {
    /// It is sent.
    Sent,
    /// It is asked for.
    Requested,
    /// A request is refused.
    Declined,
    /// A request is withdrawn.
    Cancelled,
    /// Somebody is invited to pay this way.
    Invited,
}

/// Something between clients.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// Please show me your phone number.
    RequestPhoneNumber,
    /// Here is my phone number: the envelope holds it.
    SharePhoneNumber,
    /// Advanced chat privacy.
    LimitSharing(LimitSharing),
    /// A member of the group has another label.
    MemberLabel(MemberLabel),
    /// The chat was mentioned in a status.
    StatusMention(Target),
    /// A business hands the chat over.
    ThreadControl,
    /// Another one, by its number.
    Other(i32),
}

/// Advanced chat privacy: what is said may not leave the chat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct LimitSharing {
    /// Whether it is on.
    pub on: bool,
    /// When it was set, in milliseconds.
    pub at_ms: Option<u64>,
}

/// What a member is called in a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberLabel {
    /// At most 30 characters; `None` for none any more.
    pub label: Option<String>,
    /// When, in the sender's unit of time.
    pub at: Option<u64>,
}

impl DisappearingSetting {
    /// Messages disappear after so many seconds; 0 for no longer.
    pub const fn new(seconds: u32, set_at: Option<u64>) -> Self {
        Self { seconds, set_at }
    }
}

impl GroupInvite {
    /// An invitation to a group with its code.
    pub fn new(group: Jid, code: impl Into<String>) -> Self {
        Self {
            group: Some(group),
            code: code.into(),
            expires_at: None,
            name: None,
            caption: None,
            preview: None,
        }
    }

    /// What the group is called.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What is written with it.
    #[must_use]
    pub fn caption(mut self, caption: impl Into<String>) -> Self {
        self.caption = Some(caption.into());
        self
    }

    /// Until when, in seconds.
    #[must_use]
    pub const fn expires_at(mut self, seconds: u64) -> Self {
        self.expires_at = Some(seconds);
        self
    }
}

impl MemberLabel {
    /// A label; an empty one takes it away.
    pub fn new(label: impl Into<String>, at: Option<u64>) -> Self {
        Self { label: Some(label.into()).filter(|label| !label.is_empty()), at }
    }
}

impl Protocol {
    pub(super) fn read(message: &ProtocolMessage) -> Self {
        let number = message.r#type.unwrap_or_default();
        match Type::try_from(number) {
            Ok(Type::SharePhoneNumber) => Self::SharePhoneNumber,
            Ok(Type::LimitSharing) => {
                let sharing = message.limit_sharing.as_deref();
                Self::LimitSharing(LimitSharing {
                    on: sharing.is_some_and(wa_proto::common::LimitSharing::sharing_limited),
                    at_ms: sharing.and_then(|it| unsigned(it.limit_sharing_setting_timestamp)),
                })
            }
            Ok(Type::GroupMemberLabelChange) => {
                let label = message.member_label.as_deref();
                Self::MemberLabel(MemberLabel {
                    label: label.and_then(|it| said(it.label.as_ref())),
                    at: label.and_then(|it| unsigned(it.label_timestamp)),
                })
            }
            Ok(Type::StatusMentionMessage) => Self::StatusMention(Target::of(message.key.as_deref())),
            Ok(Type::CloudApiThreadControlNotification) => Self::ThreadControl,
            _ => Self::Other(number),
        }
    }

    /// `None` for what a linked device does not send.
    pub(super) fn write(&self) -> Option<ProtocolMessage> {
        let message = ProtocolMessage::default();
        Some(match self {
            Self::SharePhoneNumber => {
                ProtocolMessage { r#type: Some(Type::SharePhoneNumber.into()), ..message }
            }
            Self::MemberLabel(label) => ProtocolMessage {
                r#type: Some(Type::GroupMemberLabelChange.into()),
                member_label: Some(Box::new(wa_proto::e2e_message::MemberLabel {
                    label: Some(label.label.clone().unwrap_or_default()),
                    label_timestamp: signed(label.at),
                })),
                ..message
            },
            Self::LimitSharing(sharing) => ProtocolMessage {
                r#type: Some(Type::LimitSharing.into()),
                limit_sharing: Some(Box::new(wa_proto::common::LimitSharing {
                    sharing_limited: Some(sharing.on),
                    limit_sharing_setting_timestamp: signed(sharing.at_ms),
                    initiated_by_me: Some(true),
                    ..wa_proto::common::LimitSharing::default()
                })),
                ..message
            },
            Self::RequestPhoneNumber | Self::StatusMention(_) | Self::ThreadControl | Self::Other(_) => {
                return None;
            }
        })
    }
}

impl From<&GroupInviteMessage> for GroupInvite {
    fn from(message: &GroupInviteMessage) -> Self {
        Self {
            group: jid(message.group_jid.as_ref()),
            code: message.invite_code().to_owned(),
            expires_at: unsigned(message.invite_expiration).filter(|at| *at > 0),
            name: said(message.group_name.as_ref()),
            caption: said(message.caption.as_ref()),
            preview: message.jpeg_thumbnail.clone(),
        }
    }
}

impl From<&GroupInvite> for GroupInviteMessage {
    fn from(invite: &GroupInvite) -> Self {
        Self {
            group_jid: invite.group.as_ref().map(ToString::to_string),
            invite_code: Some(invite.code.clone()),
            invite_expiration: signed(invite.expires_at),
            group_name: invite.name.clone(),
            caption: invite.caption.clone(),
            jpeg_thumbnail: invite.preview.clone(),
            ..Self::default()
        }
    }
}

impl From<&NewsletterAdminInviteMessage> for ChannelInvite {
    fn from(message: &NewsletterAdminInviteMessage) -> Self {
        Self {
            channel: jid(message.newsletter_jid.as_ref()),
            name: said(message.newsletter_name.as_ref()),
            caption: said(message.caption.as_ref()),
            admin_until: Some(unsigned(message.invite_expiration).unwrap_or(0)),
        }
    }
}

impl From<&NewsletterFollowerInviteMessage> for ChannelInvite {
    fn from(message: &NewsletterFollowerInviteMessage) -> Self {
        Self {
            channel: jid(message.newsletter_jid.as_ref()),
            name: said(message.newsletter_name.as_ref()),
            caption: said(message.caption.as_ref()),
            admin_until: None,
        }
    }
}

impl From<&CallLogMessage> for CallLog {
    fn from(message: &CallLogMessage) -> Self {
        let outcome = match message.call_outcome() {
            WireOutcome::Connected => CallOutcome::Connected,
            WireOutcome::Missed => CallOutcome::Missed,
            WireOutcome::Failed => CallOutcome::Failed,
            WireOutcome::Rejected => CallOutcome::Rejected,
            WireOutcome::AcceptedElsewhere => CallOutcome::AcceptedElsewhere,
            WireOutcome::Ongoing => CallOutcome::Ongoing,
            WireOutcome::SilencedByDnd => CallOutcome::SilencedByPerson,
            WireOutcome::SilencedUnknownCaller => CallOutcome::SilencedUnknownCaller,
        };
        let person = |jid: &Option<String>| super::jid(jid.as_ref());
        Self {
            is_video: message.is_video(),
            outcome,
            seconds: unsigned(message.duration_secs).filter(|seconds| *seconds > 0),
            participants: message.participants.iter().filter_map(|it| person(&it.jid)).collect(),
        }
    }
}
