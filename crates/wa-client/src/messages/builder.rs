//! What can be said, built the way it is read aloud: `Message::text("hi").reply_to(&theirs).mention(&peer)`.

use prost::Message as _;
use wa_binary::Jid;
use wa_core::content::{
    Answer, Comment, Contact, Contacts, Content, Context, Disappearing, DisappearingSetting, Edit, Event,
    EventResponse, Font, GroupInvite, Keep, KeepState, Limits, LinkPreview, Location, Pin, PinState, Poll,
    PollVote, Quoted, Reaction, Revoke, Target, Text, TextStyle, Viewing, forwarded,
};
pub use wa_core::content::{Part, Unsendable};
use wa_core::secrets::MessageSecret;
use wa_proto::e2e_message as proto;
use wa_store::{Bytes, UnixTime};

use super::files::Attachment;
use super::types::ReceivedMessage;
use crate::identity::{ChatRef, Peer};

/// A message to send.
///
/// ```
/// use wa_client::messages::builder::Message;
/// use wa_client::messages::content::{Contact, Location, Poll};
///
/// Message::text("See you at eight").split_at(4096);
/// Message::contact(Contact::new("Ada Lovelace").phone("+1 555 0100"));
/// Message::location(Location::new(52.52, 13.405).name("Berlin"));
/// Message::poll(Poll::new("Lunch?", ["Pizza", "Soup"]).single_choice());
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a message is sent by Messages::send"]
pub struct Message {
    pub(super) body: Body,
    context: Context,
    viewing: Viewing,
    album: Option<Target>,
    pub(crate) limits: Limits,
    /// A file that is still to be looked at and uploaded.
    pub(super) attachment: Option<Box<Attachment>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Body {
    Content(Box<Content>),
    /// A message of somebody, to be forwarded.
    Forward(Bytes),
}

/// Longest text in characters, unless [`Message::limits`] says otherwise.
pub const MAX_TEXT: usize = 4096;

/// How long a message stays pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PinFor {
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
    /// 30 days.
    Month,
}

/// After which time messages disappear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DisappearAfter {
    /// They stay.
    Never,
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
    /// 90 days.
    Quarter,
}

impl DisappearAfter {
    const fn seconds(self) -> u32 {
        match self {
            Self::Never => 0,
            Self::Day => 86_400,
            Self::Week => 604_800,
            Self::Quarter => 7_776_000,
        }
    }
}

/// Kinds.
impl Message {
    /// Any content.
    pub fn content(content: Content) -> Self {
        Self::of(Body::Content(Box::new(content)))
    }

    fn of(body: Body) -> Self {
        let (context, limits) = (Context::default(), Limits::default());
        Self { body, context, viewing: Viewing::Normal, album: None, limits, attachment: None }
    }

    /// A text of at most [`MAX_TEXT`] characters. A longer one is refused, or [split](Self::split_at).
    pub fn text(body: impl Into<String>) -> Self {
        Self::content(Content::Text(Text::new(body)))
    }

    /// A contact card.
    pub fn contact(contact: Contact) -> Self {
        Self::content(Content::Contact(contact))
    }

    /// Several contact cards; one becomes a single card.
    pub fn contacts(cards: impl IntoIterator<Item = Contact>) -> Self {
        let mut cards: Vec<Contact> = cards.into_iter().collect();
        match (cards.len(), cards.pop()) {
            (1, Some(only)) => Self::contact(only),
            (_, last) => {
                cards.extend(last);
                let mut contacts = Contacts::default();
                contacts.cards = cards;
                Self::content(Content::Contacts(contacts))
            }
        }
    }

    /// A place.
    pub fn location(location: Location) -> Self {
        Self::content(Content::Location(location))
    }

    /// A poll.
    pub fn poll(poll: Poll) -> Self {
        Self::content(Content::Poll(poll))
    }

    /// A vote in a poll, by the texts of its options; none takes the vote back. Replaces an earlier vote.
    pub fn vote(poll: impl Into<Target>, options: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::content(Content::PollVote(PollVote::new(poll.into(), options, None)))
    }

    /// An event.
    pub fn event(event: Event) -> Self {
        Self::content(Content::Event(event))
    }

    /// An answer to an event.
    pub fn respond(event: impl Into<Target>, answer: Answer) -> Self {
        Self::content(Content::EventResponse(EventResponse::new(event.into(), answer, None)))
    }

    /// A reaction with an emoji; an empty one takes it back.
    pub fn reaction(to: impl Into<Target>, emoji: impl Into<String>) -> Self {
        Self::content(Content::Reaction(Reaction::new(to.into(), emoji, None)))
    }

    /// New text of an own message, up to 20 minutes after it.
    pub fn edit(of: impl Into<Target>, text: impl Into<String>) -> Self {
        Self::edit_content(of, Content::Text(Text::new(text)))
    }

    /// New content of an own message: the same file with another caption, for example.
    pub fn edit_content(of: impl Into<Target>, content: Content) -> Self {
        Self::content(Content::Edit(Edit::new(of.into(), content, None)))
    }

    /// Deletes a message for everyone: an own one, or as an admin that of a member.
    pub fn revoke(of: impl Into<Target>) -> Self {
        Self::content(Content::Revoke(Revoke::new(of.into())))
    }

    /// Pins a message.
    pub fn pin(message: impl Into<Target>, period: PinFor) -> Self {
        let seconds = match period {
            PinFor::Day => 86_400,
            PinFor::Week => 604_800,
            PinFor::Month => 2_592_000,
        };
        Self::content(Content::Pin(Pin::new(message.into(), PinState::Pinned(seconds), None)))
    }

    /// Unpins a message.
    pub fn unpin(message: impl Into<Target>) -> Self {
        Self::content(Content::Pin(Pin::new(message.into(), PinState::Unpinned, None)))
    }

    /// Keeps a disappearing message, for everyone.
    pub fn keep(message: impl Into<Target>) -> Self {
        Self::content(Content::Keep(Keep::new(message.into(), KeepState::Kept, None)))
    }

    /// Keeps it no longer.
    pub fn unkeep(message: impl Into<Target>) -> Self {
        Self::content(Content::Keep(Keep::new(message.into(), KeepState::Undone, None)))
    }

    /// A comment on a message of an announcement group.
    pub fn comment(on: impl Into<Target>, text: impl Into<String>) -> Self {
        Self::content(Content::Comment(Comment::new(on.into(), Content::Text(Text::new(text)))))
    }

    /// From now on the messages of a chat with a person disappear. Groups have a setting of their own.
    pub fn disappearing(after: DisappearAfter) -> Self {
        Self::content(Content::Disappearing(DisappearingSetting::new(after.seconds(), None)))
    }

    /// An invitation to a group.
    pub fn group_invite(invite: GroupInvite) -> Self {
        Self::content(Content::GroupInvite(invite))
    }

    /// Says what somebody else has said, with the same files; clients show that it was forwarded.
    pub fn forward(message: &ReceivedMessage) -> Self {
        Self::of(Body::Forward(message.original.clone()))
    }
}

/// What goes with it.
impl Message {
    /// Quotes a received message.
    pub fn reply_to(mut self, message: &ReceivedMessage) -> Self {
        let author = message.sender.jid().cloned();
        self.context.reply_to =
            Some(Quoted::new(message.id.as_str(), author, Some(message.original.clone())));
        self
    }

    /// Mentions somebody; the text itself should hold `@` and their number.
    pub fn mention(mut self, peer: &Peer) -> Self {
        self.context.mentions.extend(peer.jid().cloned());
        self
    }

    /// Mentions everybody in the group.
    pub const fn mention_everyone(mut self) -> Self {
        self.context.mentions_everyone = true;
        self
    }

    /// The message itself disappears: in a chat that is set so, every message says it.
    pub const fn disappears(mut self, after: DisappearAfter, set_at: Option<UnixTime>) -> Self {
        let set_at = match set_at {
            Some(at) => Some(at.as_secs()),
            None => None,
        };
        self.context.disappearing = match after {
            DisappearAfter::Never => None,
            _ => Some(Disappearing::after(after.seconds(), set_at)),
        };
        self
    }

    /// Can be looked at once: an image, a video or a voice note.
    pub const fn view_once(mut self) -> Self {
        self.viewing = Viewing::Once;
        self
    }

    /// Belongs to an album whose head was sent before.
    pub fn in_album(mut self, head: impl Into<Target>) -> Self {
        self.album = Some(head.into());
        self
    }

    /// Other limits than the defaults.
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The preview of a link in a text.
    pub fn preview(mut self, preview: LinkPreview) -> Self {
        if let Some(text) = self.text_mut() {
            text.preview = Some(preview);
        }
        self
    }

    /// Background of a status, text or voice, 0xAARRGGBB.
    pub fn background(mut self, argb: u32) -> Self {
        if let Body::Content(content) = &mut self.body
            && let Content::VoiceNote(note) = &mut **content
        {
            note.background = Some(argb);
        }
        if let Some(style) = self.style_mut() {
            style.background = Some(argb);
        }
        self
    }

    /// Colour of a status' text, 0xAARRGGBB.
    pub fn color(mut self, argb: u32) -> Self {
        if let Some(style) = self.style_mut() {
            style.color = Some(argb);
        }
        self
    }

    /// Font of a status.
    pub fn font(mut self, font: Font) -> Self {
        if let Some(style) = self.style_mut() {
            style.font = font;
        }
        self
    }

    /// Cuts a long text into messages of at most so many characters, at the end of a line or a word where there is
    /// one. The first keeps what goes with the message: its reply, mentions and preview.
    ///
    /// # Errors
    /// [`Unsendable::NotSplittable`] for anything but a text.
    pub fn split_at(self, most: usize) -> Result<Vec<Self>, Unsendable> {
        let Body::Content(content) = &self.body else { return Err(Unsendable::NotSplittable) };
        let Content::Text(text) = &**content else { return Err(Unsendable::NotSplittable) };
        let mut pieces = pieces(&text.body, most.max(1)).into_iter();
        let mut first = self.clone();
        if let (Some(text), Some(piece)) = (first.text_mut(), pieces.next()) {
            text.body = piece.to_owned();
        }
        let rest = pieces.map(|piece| Self { limits: self.limits, ..Self::text(piece) });
        Ok(std::iter::once(first).chain(rest).collect())
    }

    /// As a status shows it: a text there is never bare.
    pub(crate) fn styled(mut self) -> Self {
        if let Some(text) = self.text_mut() {
            text.style.get_or_insert_default();
        }
        self
    }

    fn text_mut(&mut self) -> Option<&mut Text> {
        let Body::Content(content) = &mut self.body else { return None };
        match &mut **content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    fn style_mut(&mut self) -> Option<&mut TextStyle> {
        Some(self.text_mut()?.style.get_or_insert_default())
    }
}

impl Message {
    /// Id of the message that it is about.
    pub(crate) fn about(&self) -> Option<&str> {
        let Body::Content(content) = &self.body else { return None };
        content.target().map(|target| target.id.as_str())
    }

    /// What has to be sealed under the secret of another message before it can be built.
    pub(crate) fn to_seal(&self) -> Option<&Content> {
        let Body::Content(content) = &self.body else { return None };
        match &**content {
            it @ (Content::PollVote(_) | Content::EventResponse(_) | Content::Comment(_)) => Some(it),
            _ => None,
        }
    }

    /// The same with other content.
    pub(crate) fn with(self, content: Content) -> Self {
        Self { body: Body::Content(Box::new(content)), ..self }
    }

    /// Gives reactions, edits, votes and settings the time at which they happen.
    pub(crate) fn dated(mut self, now: UnixTime) -> Self {
        let Body::Content(content) = &mut self.body else { return self };
        let (seconds, millis) = (Some(now.as_secs()), Some(now.as_millis()));
        match &mut **content {
            Content::Reaction(it) => it.at_ms = it.at_ms.or(millis),
            Content::Edit(it) => it.at_ms = it.at_ms.or(millis),
            Content::PollVote(it) => it.at_ms = it.at_ms.or(millis),
            Content::EventResponse(it) => it.at_ms = it.at_ms.or(millis),
            Content::Pin(it) => it.at_ms = it.at_ms.or(millis),
            Content::Keep(it) => it.at_ms = it.at_ms.or(millis),
            Content::Sticker(it) => it.sent_at_ms = it.sent_at_ms.or(millis),
            Content::Disappearing(it) => it.set_at = it.set_at.or(seconds),
            _ => {}
        }
        self
    }

    /// The protobuf form, with a fresh message secret where the kind has one.
    pub(crate) fn build(&self, secret: &MessageSecret) -> Result<proto::Message, Unsendable> {
        let (mut message, takes_secret) = match &self.body {
            Body::Content(content) => (
                content.compose(&self.context, self.viewing, self.album.as_ref(), &self.limits)?,
                content.takes_secret(),
            ),
            Body::Forward(original) => {
                let original =
                    proto::Message::decode(original.clone()).map_err(|_| Unsendable::NothingToForward)?;
                let message = forwarded(&original);
                if wa_core::envelope::ContentKind::of(&message).is_none() {
                    return Err(Unsendable::NothingToForward);
                }
                (message, true)
            }
        };
        if takes_secret {
            let beside = message.message_context_info.get_or_insert_default();
            beside.message_secret = Some(Bytes::copy_from_slice(secret.expose()));
        }
        Ok(message)
    }
}

/// Pieces of at most `most` characters, cut behind a line break or a blank if one is in the second half.
fn pieces(text: &str, most: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((end, _)) = rest.char_indices().nth(most) {
        let (head, _) = rest.split_at(end);
        let half = head.len() / 2;
        let cut = [head.rfind('\n'), head.rfind(' ')].into_iter().flatten().find(|at| *at >= half);
        let (piece, tail) = rest.split_at(cut.map_or(end, |at| at + 1));
        pieces.push(piece.trim_end());
        rest = tail;
    }
    pieces.push(rest);
    pieces.retain(|piece| !piece.trim().is_empty());
    pieces
}

impl<T: Into<String>> From<T> for Message {
    fn from(text: T) -> Self {
        Self::text(text)
    }
}

/// To whom a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient(pub(crate) Jid);

impl From<&Jid> for Recipient {
    fn from(jid: &Jid) -> Self {
        Self(jid.user_jid())
    }
}

impl From<&ChatRef> for Recipient {
    fn from(chat: &ChatRef) -> Self {
        Self(chat.jid.user_jid())
    }
}

impl From<&ReceivedMessage> for Recipient {
    fn from(message: &ReceivedMessage) -> Self {
        Self::from(message.shown_in())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_would_refuse_is_said_before_anything_leaves() {
        let secret = MessageSecret::new([1; 32]);
        assert_eq!(Message::text(" \n").build(&secret), Err(Unsendable::Empty(Part::Text)));
        let long = Unsendable::TooLong { part: Part::Text, is: 4097, most: MAX_TEXT };
        assert_eq!(Message::text("é".repeat(4097)).build(&secret), Err(long));
        assert!(Message::text("é".repeat(4096)).build(&secret).is_ok());
        assert_eq!(Message::text("hi").view_once().build(&secret), Err(Unsendable::NotViewOnce));
    }

    #[test]
    fn a_plain_text_is_a_conversation_and_a_mention_makes_it_extended() {
        let secret = MessageSecret::new([1; 32]);
        let plain = Message::text("hi").build(&secret).unwrap();
        assert_eq!(plain.conversation.as_deref(), Some("hi"));
        let peer = Peer::from(&"15550100@s.whatsapp.net".parse::<Jid>().unwrap());
        let extended = Message::text("hi").mention(&peer).build(&secret).unwrap();
        let text = extended.extended_text_message.unwrap();
        assert_eq!(text.context_info.unwrap().mentioned_jid, ["15550100@s.whatsapp.net"]);
    }

    #[test]
    fn only_what_needs_one_carries_a_secret() {
        let secret = MessageSecret::new([1; 32]);
        let chat = Jid::pn(15_550_100);
        let target = Target::new("3EB0", chat, None, true);
        let has = |message: Message| {
            let built = message.build(&secret).unwrap();
            built.message_context_info.is_some_and(|beside| beside.message_secret.is_some())
        };
        assert!(has(Message::text("hi")));
        assert!(has(Message::edit(target.clone(), "new")));
        assert!(!has(Message::reaction(target.clone(), "x")));
        assert!(!has(Message::revoke(target)));
    }

    #[test]
    fn a_long_text_is_cut_between_words_and_loses_none() {
        let words: Vec<String> = (0..500).map(|number| format!("word{number}")).collect();
        let text = words.join(" ");
        let messages = Message::text(text).mention_everyone().split_at(100).unwrap();
        let secret = MessageSecret::new([1; 32]);
        let mut read = Vec::new();
        for (place, message) in messages.iter().enumerate() {
            let built = message.build(&secret).unwrap();
            let parsed = wa_core::content::Parsed::read(&built);
            assert_eq!(parsed.context.mentions_everyone, place == 0);
            let body = parsed.content.text().unwrap().to_owned();
            assert!(body.chars().count() <= 100);
            read.extend(body.split(' ').map(ToOwned::to_owned));
        }
        assert_eq!(read, words);
        let unbroken = Message::text("é".repeat(250)).split_at(100).unwrap();
        assert_eq!(unbroken.len(), 3);
        let revoke = Message::revoke(Target::default()).split_at(5);
        assert_eq!(revoke, Err(Unsendable::NotSplittable));
    }
}
