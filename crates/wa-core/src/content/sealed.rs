//! Add-ons that travel encrypted under the secret of the message that they belong to (chapter 05 §11, §12): votes,
//! event responses, and in announcement groups reactions, comments and edits.

use bytes::Bytes;
use prost::Message as _;
use wa_binary::Jid;
use wa_crypto::rand_core::CryptoRng;
use wa_proto::e2e_message::Message;
use wa_proto::e2e_message::message::secret_encrypted_message::SecretEncType;
use wa_proto::e2e_message::message::{
    EncCommentMessage, EncEventResponseMessage, EncReactionMessage, EventResponseMessage, PollEncValue,
    PollUpdateMessage, PollVoteMessage, ReactionMessage, SecretEncryptedMessage,
};

use super::{Comment, Content, Edit, EventResponse, Parsed, PollOption, PollVote, Reaction, Target};
use super::{signed, unsigned};
use crate::secrets::{AddOn, MessageSecret, SealedAddOn as Sealed, SecretError, UseCase};

/// An encrypted add-on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SealedAddOn {
    /// The message that it belongs to.
    pub target: Target,
    /// What is inside.
    pub kind: SealedUse,
    /// The nonce.
    pub iv: Bytes,
    /// Ciphertext and tag.
    pub payload: Bytes,
    /// When, in milliseconds, where that stands outside.
    pub at_ms: Option<u64>,
}

/// What is inside of an encrypted add-on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SealedUse {
    /// A vote in a poll.
    PollVote,
    /// An answer to an event.
    EventResponse,
    /// A reaction.
    Reaction,
    /// A comment.
    Comment,
    /// New content of a message.
    MessageEdit,
    /// New content of an event.
    EventEdit,
    /// New content of a poll.
    PollEdit,
    /// A further option of a poll.
    PollAddOption,
    /// Something that is not known, or planned for later.
    Unknown,
}

impl SealedUse {
    /// What the key is derived for.
    pub const fn use_case(self) -> Option<UseCase> {
        Some(match self {
            Self::PollVote => UseCase::PollVote,
            Self::EventResponse => UseCase::EventResponse,
            Self::Reaction => UseCase::Reaction,
            Self::Comment => UseCase::Comment,
            Self::MessageEdit => UseCase::MessageEdit,
            Self::EventEdit => UseCase::EventEdit,
            Self::PollEdit => UseCase::PollEdit,
            Self::PollAddOption => UseCase::PollAddOption,
            Self::Unknown => return None,
        })
    }
}

impl Content {
    /// What is encrypted of this content when it is an add-on: only votes, event responses, reactions, comments and
    /// edits are.
    fn to_seal(&self) -> Option<(SealedUse, Vec<u8>)> {
        Some(match self {
            Self::PollVote(vote) => (SealedUse::PollVote, vote.sealed().encode_to_vec()),
            Self::EventResponse(response) => (SealedUse::EventResponse, response.sealed().encode_to_vec()),
            Self::Reaction(reaction) => (SealedUse::Reaction, reaction.sealed().encode_to_vec()),
            Self::Comment(comment) => {
                (SealedUse::Comment, comment.content.to_message().ok()?.encode_to_vec())
            }
            Self::Edit(edit) => {
                let kind = match *edit.content {
                    Self::Event(_) => SealedUse::EventEdit,
                    Self::Poll(_) => SealedUse::PollEdit,
                    _ => SealedUse::MessageEdit,
                };
                (kind, edit.content.to_message().ok()?.encode_to_vec())
            }
            _ => return None,
        })
    }

    /// Encrypts an add-on under the secret of its message. `author` wrote the message, `me` the add-on: both in the
    /// family of the chat. One draw of 12 bytes.
    ///
    /// `None` for content that is no add-on.
    ///
    /// # Errors
    /// [`SecretError::Seal`].
    pub fn seal(
        &self,
        secret: &MessageSecret,
        author: &Jid,
        me: &Jid,
        rng: &mut impl CryptoRng,
    ) -> Result<Option<SealedAddOn>, SecretError> {
        let (Some((kind, plaintext)), Some(target)) = (self.to_seal(), self.target()) else {
            return Ok(None);
        };
        let Some(use_case) = kind.use_case() else { return Ok(None) };
        let add_on =
            AddOn { use_case, parent_id: &target.id, parent_sender: author, modification_sender: me };
        let Sealed { iv, payload } = add_on.key(secret).seal(&plaintext, rng)?;
        let at_ms = match self {
            Self::PollVote(vote) => vote.at_ms,
            _ => None,
        };
        let iv = Bytes::copy_from_slice(&iv);
        Ok(Some(SealedAddOn { target: target.clone(), kind, iv, payload: payload.into(), at_ms }))
    }
}

impl SealedAddOn {
    /// What an opened add-on says; `None` when the plaintext is not what it should be.
    pub fn content(&self, plaintext: &[u8]) -> Option<Content> {
        let target = self.target.clone();
        let message = || Message::decode(plaintext).ok();
        Some(match self.kind {
            SealedUse::PollVote => {
                let vote = PollVoteMessage::decode(plaintext).ok()?;
                Content::PollVote(PollVote::read(target, &vote, self.at_ms))
            }
            SealedUse::EventResponse => {
                let response = EventResponseMessage::decode(plaintext).ok()?;
                Content::EventResponse(EventResponse::read(target, &response))
            }
            SealedUse::Reaction => {
                let reaction = ReactionMessage::decode(plaintext).ok()?;
                Content::Reaction(Reaction { target, ..Reaction::from(&reaction) })
            }
            SealedUse::Comment => {
                let content = Box::new(Parsed::read(&message()?).content);
                Content::Comment(Comment { target, content })
            }
            SealedUse::MessageEdit | SealedUse::EventEdit | SealedUse::PollEdit => {
                edited(target, Parsed::read(&message()?).content, self.at_ms)
            }
            SealedUse::PollAddOption => {
                let added = message()?.poll_add_option_message?;
                let option = added.add_option.as_deref()?.option_name().to_owned();
                Content::PollOption(PollOption { poll: target, option })
            }
            SealedUse::Unknown => return None,
        })
    }

    /// Some clients seal the new content, others the whole edit.
    pub(super) fn read(message: &Message) -> Option<Self> {
        let bytes = |bytes: &Option<Bytes>| bytes.clone().unwrap_or_default();
        if let Some(update) = &message.poll_update_message {
            let vote = update.vote.as_deref();
            return Some(Self {
                target: Target::of(update.poll_creation_message_key.as_deref()),
                kind: SealedUse::PollVote,
                iv: vote.map(|vote| bytes(&vote.enc_iv)).unwrap_or_default(),
                payload: vote.map(|vote| bytes(&vote.enc_payload)).unwrap_or_default(),
                at_ms: unsigned(update.sender_timestamp_ms),
            });
        }
        let (key, kind, iv, payload) = if let Some(it) = &message.enc_reaction_message {
            (&it.target_message_key, SealedUse::Reaction, &it.enc_iv, &it.enc_payload)
        } else if let Some(it) = &message.enc_comment_message {
            (&it.target_message_key, SealedUse::Comment, &it.enc_iv, &it.enc_payload)
        } else if let Some(it) = &message.enc_event_response_message {
            (&it.event_creation_message_key, SealedUse::EventResponse, &it.enc_iv, &it.enc_payload)
        } else if let Some(it) = &message.secret_encrypted_message {
            let kind = match it.secret_enc_type() {
                SecretEncType::EventEdit => SealedUse::EventEdit,
                SecretEncType::MessageEdit => SealedUse::MessageEdit,
                SecretEncType::PollEdit => SealedUse::PollEdit,
                SecretEncType::PollAddOption => SealedUse::PollAddOption,
                SecretEncType::MessageSchedule | SecretEncType::Unknown => SealedUse::Unknown,
            };
            (&it.target_message_key, kind, &it.enc_iv, &it.enc_payload)
        } else {
            return None;
        };
        let target = Target::of(key.as_deref());
        Some(Self { target, kind, iv: bytes(iv), payload: bytes(payload), at_ms: None })
    }

    pub(super) fn write(&self) -> Message {
        let key = Some(Box::new(self.target.key()));
        let (enc_iv, enc_payload) = (Some(self.iv.clone()), Some(self.payload.clone()));
        let message = Message::default();
        let secret = match self.kind {
            SealedUse::PollVote => {
                let vote = PollUpdateMessage {
                    poll_creation_message_key: key,
                    vote: Some(Box::new(PollEncValue { enc_payload, enc_iv })),
                    sender_timestamp_ms: signed(self.at_ms),
                    ..PollUpdateMessage::default()
                };
                return Message { poll_update_message: Some(Box::new(vote)), ..message };
            }
            SealedUse::EventResponse => {
                let response =
                    EncEventResponseMessage { event_creation_message_key: key, enc_payload, enc_iv };
                return Message { enc_event_response_message: Some(Box::new(response)), ..message };
            }
            SealedUse::Reaction => {
                let reaction = EncReactionMessage { target_message_key: key, enc_payload, enc_iv };
                return Message { enc_reaction_message: Some(Box::new(reaction)), ..message };
            }
            SealedUse::Comment => {
                let comment = EncCommentMessage { target_message_key: key, enc_payload, enc_iv };
                return Message { enc_comment_message: Some(Box::new(comment)), ..message };
            }
            SealedUse::MessageEdit => SecretEncType::MessageEdit,
            SealedUse::EventEdit => SecretEncType::EventEdit,
            SealedUse::PollEdit => SecretEncType::PollEdit,
            SealedUse::PollAddOption => SecretEncType::PollAddOption,
            SealedUse::Unknown => SecretEncType::Unknown,
        };
        let sealed = SecretEncryptedMessage {
            target_message_key: key,
            enc_payload,
            enc_iv,
            secret_enc_type: Some(secret.into()),
            ..SecretEncryptedMessage::default()
        };
        Message { secret_encrypted_message: Some(Box::new(sealed)), ..message }
    }
}

fn edited(target: Target, content: Content, at_ms: Option<u64>) -> Content {
    match content {
        Content::Edit(inner) => {
            Content::Edit(Edit { target, content: inner.content, at_ms: inner.at_ms.or(at_ms) })
        }
        content => Content::Edit(Edit { target, content: Box::new(content), at_ms }),
    }
}
