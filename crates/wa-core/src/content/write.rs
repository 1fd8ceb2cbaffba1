//! From [`Content`] to the protobuf message, for every kind that a linked device can send.

use wa_proto::e2e_message::message::protocol_message::Type;
use wa_proto::e2e_message::message::{
    AlbumMessage, FutureProofMessage, ProtocolMessage, RequestPhoneNumberMessage,
};
use wa_proto::e2e_message::message_association::AssociationType;
use wa_proto::e2e_message::{Message, MessageAssociation, MessageContextInfo};

use super::{
    Content, Context, Disappearing, DisappearingSetting, Limits, Motion, Protocol, Target, Unsendable,
    VideoKind, Viewing, limits, signed,
};

impl Content {
    /// The message, without what accompanies it.
    ///
    /// # Errors
    /// [`Unsendable::ReceiveOnly`] for kinds that a linked device does not send, or that have to be encrypted first
    /// ([`Content::seal`]).
    pub fn to_message(&self) -> Result<Message, Unsendable> {
        let message = Message::default();
        Ok(match self {
            Self::Text(text) if text.is_plain() => {
                Message { conversation: Some(text.body.clone()), ..message }
            }
            Self::Text(text) => Message { extended_text_message: Some(Box::new(text.into())), ..message },
            Self::Image(image) => Message { image_message: Some(Box::new(image.into())), ..message },
            Self::Video(video) if video.kind == VideoKind::Round => {
                Message { ptv_message: Some(Box::new(video.into())), ..message }
            }
            Self::Video(video) => Message { video_message: Some(Box::new(video.into())), ..message },
            Self::Audio(audio) => Message { audio_message: Some(Box::new(audio.into())), ..message },
            Self::VoiceNote(note) => Message { audio_message: Some(Box::new(note.into())), ..message },
            Self::Document(document) => {
                let inner = Message { document_message: Some(Box::new(document.into())), ..message };
                match document.caption {
                    // Clients that do not know captions of documents show the wrapper's fallback.
                    Some(_) => {
                        Message { document_with_caption_message: Some(wrapped(inner)), ..Message::default() }
                    }
                    None => inner,
                }
            }
            Self::Sticker(sticker) => {
                let inner = Message { sticker_message: Some(Box::new(sticker.into())), ..message };
                match sticker.motion {
                    Motion::Vector => {
                        Message { lottie_sticker_message: Some(wrapped(inner)), ..Message::default() }
                    }
                    _ => inner,
                }
            }
            Self::StickerPack(pack) => {
                Message { sticker_pack_message: Some(Box::new(pack.into())), ..message }
            }
            Self::Album(album) => Message {
                album_message: Some(Box::new(AlbumMessage {
                    expected_image_count: Some(album.images),
                    expected_video_count: Some(album.videos),
                    ..AlbumMessage::default()
                })),
                ..message
            },
            Self::Contact(contact) => Message { contact_message: Some(Box::new(contact.into())), ..message },
            Self::Contacts(contacts) => {
                Message { contacts_array_message: Some(Box::new(contacts.into())), ..message }
            }
            Self::Location(location) => {
                Message { location_message: Some(Box::new(location.into())), ..message }
            }
            Self::LiveLocation(live) => {
                Message { live_location_message: Some(Box::new(live.into())), ..message }
            }
            Self::Reaction(reaction) => {
                Message { reaction_message: Some(Box::new(reaction.into())), ..message }
            }
            Self::Edit(edit) => {
                let edited = ProtocolMessage {
                    key: Some(Box::new(edit.target.key())),
                    r#type: Some(Type::MessageEdit.into()),
                    edited_message: Some(Box::new(edit.content.to_message()?)),
                    timestamp_ms: signed(edit.at_ms),
                    ..ProtocolMessage::default()
                };
                Message { edited_message: Some(wrapped(with_protocol(edited))), ..message }
            }
            Self::Revoke(revoke) => with_protocol(ProtocolMessage {
                key: Some(Box::new(revoke.target.key())),
                r#type: Some(Type::Revoke.into()),
                ..ProtocolMessage::default()
            }),
            Self::Poll(poll) => poll.write(),
            Self::Event(event) => Message { event_message: Some(Box::new(event.into())), ..message },
            Self::Pin(pin) => Message {
                pin_in_chat_message: Some(Box::new(pin.into())),
                message_context_info: Some(Box::new(MessageContextInfo {
                    message_add_on_duration_in_secs: Some(pin.seconds()),
                    ..MessageContextInfo::default()
                })),
                ..message
            },
            Self::Keep(keep) => Message { keep_in_chat_message: Some(Box::new(keep.into())), ..message },
            Self::Disappearing(DisappearingSetting { seconds, set_at }) => with_protocol(ProtocolMessage {
                r#type: Some(Type::EphemeralSetting.into()),
                ephemeral_expiration: Some(*seconds),
                ephemeral_setting_timestamp: signed(*set_at),
                ..ProtocolMessage::default()
            }),
            Self::GroupInvite(invite) => {
                Message { group_invite_message: Some(Box::new(invite.into())), ..message }
            }
            Self::ButtonReply(reply) => reply.write(),
            Self::Protocol(Protocol::RequestPhoneNumber) => Message {
                request_phone_number_message: Some(Box::new(RequestPhoneNumberMessage::default())),
                ..message
            },
            Self::Protocol(protocol) => with_protocol(protocol.write().ok_or(Unsendable::ReceiveOnly)?),
            Self::Sealed(sealed) => sealed.write(),
            Self::PollVote(_)
            | Self::PollOption(_)
            | Self::PollSnapshot(_)
            | Self::EventResponse(_)
            | Self::ScheduledCall(_)
            | Self::ScheduledCallChange(_)
            | Self::ChannelInvite(_)
            | Self::Buttons(_)
            | Self::List(_)
            | Self::Template(_)
            | Self::Interactive(_)
            | Self::Product(_)
            | Self::Order(_)
            | Self::Comment(_)
            | Self::CallLog(_)
            | Self::Payment(_)
            | Self::Placeholder
            | Self::Other(_) => return Err(Unsendable::ReceiveOnly),
        })
    }

    /// The whole message: content within its limits, what accompanies it, whether it may be looked at once, and the
    /// album that it belongs to. The message secret is the caller's to add, where [`Content::takes_secret`] says so.
    ///
    /// # Errors
    /// [`Unsendable`].
    pub fn compose(
        &self,
        context: &Context,
        viewing: Viewing,
        album: Option<&Target>,
        limits: &Limits,
    ) -> Result<Message, Unsendable> {
        self.check(limits)?;
        if let Some(Disappearing { seconds, .. }) = context.disappearing {
            limits::timer(seconds)?;
        }
        let mut message = self.to_message()?;
        let accompanied =
            match (&mut message.document_with_caption_message, &mut message.lottie_sticker_message) {
                (Some(wrapper), _) | (None, Some(wrapper)) => wrapper.message.as_deref_mut(),
                _ => None,
            };
        let placed = match accompanied {
            Some(inner) => context.put(inner),
            None => context.put(&mut message),
        };
        if !placed {
            return Err(Unsendable::NoContext);
        }
        if viewing == Viewing::Once {
            look_once(&mut message)?;
        }
        if let Some(head) = album {
            let beside = message.message_context_info.get_or_insert_default();
            beside.message_association = Some(Box::new(MessageAssociation {
                association_type: Some(AssociationType::MediaAlbum.into()),
                parent_message_key: Some(Box::new(head.key())),
                ..MessageAssociation::default()
            }));
        }
        Ok(message)
    }
}

/// New clients say so inside the content.
fn look_once(message: &mut Message) -> Result<(), Unsendable> {
    if let Some(image) = &mut message.image_message {
        image.view_once = Some(true);
    } else if let Some(video) = &mut message.video_message {
        video.view_once = Some(true);
    } else if let Some(audio) = &mut message.audio_message {
        audio.view_once = Some(true);
    } else {
        return Err(Unsendable::NotViewOnce);
    }
    Ok(())
}

fn wrapped(inner: Message) -> Box<FutureProofMessage> {
    Box::new(FutureProofMessage { message: Some(Box::new(inner)) })
}

fn with_protocol(protocol: ProtocolMessage) -> Message {
    Message { protocol_message: Some(Box::new(protocol)), ..Message::default() }
}
