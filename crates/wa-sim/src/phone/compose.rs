//! From what the phone's user says to the message and its stanza's attributes (chapter 05 §4, §11): the shared types of
//! `wa-core` do the writing, the phone adds what it knows of the chat.

use bytes::Bytes;
use prost::Message as _;
use wa_binary::Jid;
use wa_core::content::{
    Answer, Content, Context, Disappearing, EventResponse, Limits, PollVote, Quoted, Target, Unsendable,
    Viewing,
};
use wa_core::envelope::{ContentKind, DecryptFail, Depth, classify, unwrap};
use wa_core::secrets::{KnownAs, MessageSecret, open_any};
use wa_proto::e2e_message::Message;

use super::chats::Shape;
use super::receive::Envelope;
use super::send::Draft;
use super::{MessageRef, Network, Now, Phone, PhoneError};

/// What accompanies something that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// The message that it answers.
    pub quote: Option<MessageRef>,
    /// Whether it may be looked at more than once.
    pub viewing: Viewing,
}

impl Shape {
    /// The attributes that follow from a message.
    pub(super) fn of(message: &Message) -> Self {
        let Ok(class) = classify(message) else { return Self::default() };
        Self {
            stanza_type: class.stanza_type.as_str().to_owned(),
            media_type: class.media_type.map(str::to_owned),
            edit: class.edit.map(|edit| edit.as_str().to_owned()),
            hide: class.decrypt_fail == DecryptFail::Hide,
            meta: class.meta,
        }
    }
}

/// Whether a message is one of its own in its chat: what changes another one is not kept beside it.
pub(super) fn stands_alone(message: &Message) -> bool {
    use ContentKind as K;
    let kind = unwrap(message, Depth::KeepEdits).ok().and_then(|unwrapped| unwrapped.kind());
    !matches!(
        kind,
        None | Some(
            K::Reaction
                | K::EncReaction
                | K::EncComment
                | K::EncEventResponse
                | K::SecretEncrypted
                | K::PollUpdate
                | K::PinInChat
                | K::KeepInChat
                | K::Edited
                | K::Protocol
        )
    )
}

impl Phone {
    /// What is said in a chat, as a message to be sent.
    pub(super) fn draft(
        &mut self,
        chat: &Jid,
        content: &Content,
        manner: &Manner,
        network: &mut dyn Network,
    ) -> Result<Draft, PhoneError> {
        let mut context = Context::default();
        context.disappearing = self.timer(chat, network);
        if let Some(quote) = &manner.quote {
            context.reply_to = Some(self.quoted(chat, quote, network)?);
        }
        // What is too long for a client is the receiver's to judge.
        let mut limits = Limits::default();
        (limits.text, limits.caption) = (usize::MAX, usize::MAX);
        let message = match content.compose(&context, manner.viewing, None, &limits) {
            Err(Unsendable::NoContext) if manner.quote.is_none() => {
                content.compose(&Context::default(), manner.viewing, None, &limits)
            }
            outcome => outcome,
        }?;
        Ok(Draft { shape: Shape::of(&message), message, secret: content.takes_secret() })
    }

    fn quoted(
        &mut self,
        chat: &Jid,
        quote: &MessageRef,
        network: &mut dyn Network,
    ) -> Result<Quoted, PhoneError> {
        let of = self.chat_key(&quote.chat, network);
        let stored = self.chats.find(&of, &quote.id);
        let stored = stored.ok_or_else(|| PhoneError::UnknownMessage(quote.id.clone()))?;
        let original = Some(stored.message.clone());
        let mut quoted = Quoted::new(quote.id.clone(), Some(quote.sender.user_jid()), original);
        if of != self.chat_key(chat, network) {
            quoted.chat = Some(of);
        }
        Ok(quoted)
    }

    /// The timer of a chat: a group's own, or what was agreed with a person.
    fn timer(&mut self, chat: &Jid, network: &mut dyn Network) -> Option<Disappearing> {
        if chat.is_group() {
            let seconds = network.group(chat)?.ephemeral;
            return (seconds > 0).then(|| Disappearing::after(seconds, None));
        }
        let chat = self.chat_key(chat, network);
        let (seconds, at) = self.chats.timer(&chat)?;
        Some(Disappearing::after(seconds, Some(at)))
    }

    /// A vote in a poll.
    pub(super) fn vote(
        &mut self,
        poll: &MessageRef,
        options: Vec<String>,
        network: &mut dyn Network,
        now: Now,
    ) -> Result<Content, PhoneError> {
        let vote = PollVote::new(target_of(poll), options, Some(now.unix_ms));
        self.add_on(poll, &Content::PollVote(vote), network)
    }

    /// An answer to an event.
    pub(super) fn respond(
        &mut self,
        event: &MessageRef,
        answer: Answer,
        network: &mut dyn Network,
        now: Now,
    ) -> Result<Content, PhoneError> {
        let response = EventResponse::new(target_of(event), answer, Some(now.unix_ms));
        self.add_on(event, &Content::EventResponse(response), network)
    }

    /// Seals an add-on under the secret of its message.
    fn add_on(
        &mut self,
        of: &MessageRef,
        content: &Content,
        network: &mut dyn Network,
    ) -> Result<Content, PhoneError> {
        let chat = self.chat_key(&of.chat, network);
        let me = self.own_in(&chat, network);
        let unknown = || PhoneError::UnknownMessage(of.id.clone());
        let stored = self.chats.find(&chat, &of.id).ok_or_else(unknown)?;
        let secret = secret_of(&stored.message).ok_or_else(unknown)?;
        let author = match stored.from_me {
            true => me.clone(),
            false if chat.is_group() => stored.sender.user_jid(),
            false => chat,
        };
        let sealed = content.seal(&secret, &author, &me, &mut self.rng).map_err(|_| unknown())?;
        sealed.map(Content::Sealed).ok_or_else(unknown)
    }

    /// Opens an add-on with the secret of its message, where the phone has that.
    pub(super) fn open_add_on(&self, chat: &Jid, envelope: &Envelope, content: Content) -> Content {
        let Content::Sealed(sealed) = &content else { return content };
        let opened = || {
            let stored = self.chats.find(chat, &sealed.target.id)?;
            let secret = secret_of(&stored.message)?;
            let parent = if stored.from_me { self.own() } else { &stored.sender };
            let (parent_lid, parent_pn) = self.forms_of(parent);
            let sender = envelope.sender.user_jid();
            let (lid, pn) = self.forms_of(&sender);
            let plain = open_any(
                &secret,
                sealed.kind.use_case()?,
                &sealed.target.id,
                KnownAs { lid: parent_lid.as_ref(), pn: parent_pn.as_ref(), seen: parent },
                KnownAs { lid: lid.as_ref(), pn: pn.as_ref(), seen: &sender },
                (&sealed.iv, &sealed.payload),
            );
            let mut content = sealed.content(&plain.ok()?)?;
            if let Content::PollVote(vote) = &mut content
                && let Content::Poll(poll) = read(&stored.message)?.content
            {
                vote.name_options(&poll.options);
            }
            Some(content)
        };
        opened().unwrap_or(content)
    }

    /// Both addresses of a person, as far as they are known.
    fn forms_of(&self, user: &Jid) -> (Option<Jid>, Option<Jid>) {
        if self.is_own(user) {
            return (self.lid.clone(), Some(self.pn.clone()));
        }
        match user.is_lid() {
            true => (Some(user.user_jid()), self.peers.pn_of(user).cloned()),
            false => (self.peers.lid_of(user).cloned(), Some(user.user_jid())),
        }
    }
}

/// A message as its owner names it.
pub(super) fn target_of(of: &MessageRef) -> Target {
    Target::new(&*of.id, of.chat.user_jid(), Some(of.sender.user_jid()), of.from_me)
}

fn read(message: &Bytes) -> Option<wa_core::content::Parsed> {
    Some(wa_core::content::Parsed::read(&Message::decode(message.clone()).ok()?))
}

fn secret_of(message: &Bytes) -> Option<MessageSecret> {
    let message = Message::decode(message.clone()).ok()?;
    MessageSecret::try_from(&message.message_context_info?.message_secret?[..]).ok()
}
