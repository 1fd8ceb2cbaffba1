//! What can be known to be refused before anything is sent (chapter 05 §11, "Limits").

use core::fmt;

use thiserror::Error;

use super::{Choice, Content, DisappearingSetting, KeepState, Media, PinState, Poll, PollKind, Protocol};

/// Longest texts and largest numbers. The defaults are those of the server's flags, where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Characters of a text.
    pub text: usize,
    /// Characters of a caption.
    pub caption: usize,
    /// Options of a poll.
    pub poll_options: usize,
    /// Characters of a poll's question.
    pub poll_question: usize,
    /// Characters of an option.
    pub poll_option: usize,
    /// Characters of an event's name.
    pub event_name: usize,
    /// Characters of an event's description.
    pub event_description: usize,
    /// Cards of one message.
    pub contacts: usize,
    /// Items of an album.
    pub album: usize,
    /// Characters of a member's label.
    pub label: usize,
    /// People of a broadcast list.
    pub recipients: usize,
    /// Stickers of a pack.
    pub stickers: usize,
    /// Bytes of an image, a video, a sound or a sticker.
    pub media: u64,
    /// Bytes of a document.
    pub document: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            text: 4096,
            caption: 4096,
            poll_options: 12,
            poll_question: 255,
            poll_option: 100,
            event_name: 100,
            event_description: 2048,
            contacts: 257,
            album: 30,
            label: 30,
            recipients: 256,
            stickers: 60,
            media: 100 << 20,
            document: 2048 << 20,
        }
    }
}

/// A part of a message that has a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// The text.
    Text,
    /// The caption of a file.
    Caption,
    /// The question of a poll.
    Question,
    /// An option of a poll.
    PollOption,
    /// The options of a poll.
    PollOptions,
    /// The name of an event.
    EventName,
    /// The description of an event.
    EventDescription,
    /// The name on a contact card.
    ContactName,
    /// The cards of a message.
    Contacts,
    /// The items of an album.
    Album,
    /// The label of a member.
    Label,
    /// The id of a message that another one is about.
    TargetId,
    /// The code of an invitation.
    InviteCode,
    /// The id of what was chosen.
    ChoiceId,
    /// The people of a broadcast list.
    Recipients,
    /// The stickers of a pack.
    Stickers,
    /// The name of a sticker pack.
    PackName,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "the text",
            Self::Caption => "the caption",
            Self::Question => "the poll's question",
            Self::PollOption => "an option of the poll",
            Self::PollOptions => "the poll's options",
            Self::EventName => "the event's name",
            Self::EventDescription => "the event's description",
            Self::ContactName => "the contact's name",
            Self::Contacts => "the contact cards",
            Self::Album => "the album",
            Self::Label => "the label",
            Self::TargetId => "the id of the message that it is about",
            Self::InviteCode => "the invitation's code",
            Self::ChoiceId => "the id of the choice",
            Self::Recipients => "the people of the broadcast list",
            Self::Stickers => "the stickers of the pack",
            Self::PackName => "the name of the sticker pack",
        })
    }
}

/// Why a message cannot be sent as it is: said before anything leaves. Trying again cannot help.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Unsendable {
    /// Nothing is in it.
    #[error("{0} is empty")]
    Empty(Part),
    /// Too many characters.
    #[error("{part} has {is} characters; {most} are allowed")]
    TooLong {
        /// What is too long.
        part: Part,
        /// How long it is.
        is: usize,
        /// What is allowed.
        most: usize,
    },
    /// Too many or too few of something.
    #[error("{part}: {is} of them; {least} to {most} are allowed")]
    Count {
        /// What there are too many or too few of.
        part: Part,
        /// How many there are.
        is: usize,
        /// The least that is allowed.
        least: usize,
        /// The most that is allowed.
        most: usize,
    },
    /// Two options are the same: votes could not tell them apart.
    #[error("two options are {0:?}")]
    Duplicate(String),
    /// The right answer of a quiz is none of its options.
    #[error("the quiz's answer {0:?} is none of its options")]
    Answer(String),
    /// More options may be chosen than there are.
    #[error("{0} options may be chosen, but there are fewer")]
    Choices(u32),
    /// The event ends before it begins.
    #[error("the event ends before it begins")]
    Ends,
    /// No place on earth.
    #[error("no place on earth has these coordinates")]
    Coordinates,
    /// Not one of the times that clients know.
    #[error("{0} seconds is none of the times that can be set")]
    Duration(u32),
    /// The file was not uploaded: it has no path or no hashes.
    #[error("the file was not uploaded")]
    NotUploaded,
    /// The kind can be received, but not sent.
    #[error("this kind of message can be received, but not sent")]
    ReceiveOnly,
    /// What goes with the message has no place in this kind: a reply or a mention with a reaction, for example.
    #[error("a reply, mention or timer has no place in this kind of message")]
    NoContext,
    /// Only images, videos and audio can be looked at once.
    #[error("this kind of message cannot be looked at once")]
    NotViewOnce,
    /// Only images and videos belong into an album.
    #[error("only images and videos belong into an album")]
    NotInAlbum,
    /// The file has more bytes than the server takes.
    #[error("the file has {is} bytes; {most} are allowed")]
    TooLarge {
        /// Bytes of the file.
        is: u64,
        /// What is allowed.
        most: u64,
    },
    /// Only texts can be split.
    #[error("only texts can be split")]
    NotSplittable,
    /// The address is no person, group or list.
    #[error("messages cannot be sent to this kind of address")]
    Address,
    /// The secret of the message that it belongs to is not known, so it cannot be encrypted.
    #[error("the secret of the message that it belongs to is not known")]
    NoSecret,
    /// The original cannot be forwarded: it has no content.
    #[error("there is nothing to forward")]
    NothingToForward,
}

impl Content {
    /// Checks what can be checked before sending.
    ///
    /// # Errors
    /// [`Unsendable`].
    pub fn check(&self, limits: &Limits) -> Result<(), Unsendable> {
        if self.target().is_some_and(|target| target.id.is_empty()) {
            return Err(Unsendable::Empty(Part::TargetId));
        }
        if let Some(media) = self.media() {
            uploaded(media)?;
            let most = if matches!(self, Self::Document(_)) { limits.document } else { limits.media };
            if let Some(is) = media.size.filter(|is| *is > most) {
                return Err(Unsendable::TooLarge { is, most });
            }
        }
        match self {
            Self::Text(text) => required(Part::Text, &text.body, limits.text),
            Self::Image(image) => optional(Part::Caption, image.caption.as_ref(), limits.caption),
            Self::Video(video) => optional(Part::Caption, video.caption.as_ref(), limits.caption),
            Self::Document(document) => optional(Part::Caption, document.caption.as_ref(), limits.caption),
            Self::Album(album) => {
                let items = usize::try_from(album.images.saturating_add(album.videos)).unwrap_or(usize::MAX);
                counted(Part::Album, items, 2, limits.album)
            }
            Self::StickerPack(pack) => {
                required(Part::PackName, &pack.name, usize::MAX)?;
                counted(Part::Stickers, pack.stickers.len(), 1, limits.stickers)
            }
            Self::Contact(contact) => required(Part::ContactName, &contact.name, usize::MAX),
            Self::Contacts(contacts) => {
                counted(Part::Contacts, contacts.cards.len(), 2, limits.contacts)?;
                contacts.cards.iter().try_for_each(|card| required(Part::ContactName, &card.name, usize::MAX))
            }
            Self::Location(location) if !location.is_on_earth() => Err(Unsendable::Coordinates),
            Self::LiveLocation(live) => {
                let place = super::Location::new(live.latitude, live.longitude);
                if place.is_on_earth() { Ok(()) } else { Err(Unsendable::Coordinates) }
            }
            Self::Edit(edit) => edit.content.check(limits),
            Self::Comment(comment) => comment.content.check(limits),
            Self::Poll(poll) => check_poll(poll, limits),
            Self::Event(event) => {
                required(Part::EventName, &event.name, limits.event_name)?;
                optional(Part::EventDescription, event.description.as_ref(), limits.event_description)?;
                if event.location.as_ref().is_some_and(|location| !location.is_on_earth()) {
                    return Err(Unsendable::Coordinates);
                }
                match (event.starts_at, event.ends_at) {
                    (Some(start), Some(end)) if end < start => Err(Unsendable::Ends),
                    _ => Ok(()),
                }
            }
            Self::Pin(pin) => match pin.state {
                PinState::Pinned(86_400 | 604_800 | 2_592_000) | PinState::Unpinned => Ok(()),
                PinState::Pinned(seconds) => Err(Unsendable::Duration(seconds)),
                PinState::Unknown => Err(Unsendable::ReceiveOnly),
            },
            Self::Keep(keep) if keep.state == KeepState::Unknown => Err(Unsendable::ReceiveOnly),
            Self::Disappearing(DisappearingSetting { seconds, .. }) => timer(*seconds),
            Self::GroupInvite(invite) => required(Part::InviteCode, &invite.code, usize::MAX),
            Self::ButtonReply(reply) => required(Part::ChoiceId, &reply.id, usize::MAX),
            Self::Protocol(Protocol::MemberLabel(label)) => {
                optional(Part::Label, label.label.as_ref(), limits.label)
            }
            _ => Ok(()),
        }
    }
}

/// The times after which messages disappear.
pub(super) const fn timer(seconds: u32) -> Result<(), Unsendable> {
    match seconds {
        0 | 86_400 | 604_800 | 7_776_000 => Ok(()),
        other => Err(Unsendable::Duration(other)),
    }
}

fn check_poll(poll: &Poll, limits: &Limits) -> Result<(), Unsendable> {
    required(Part::Question, &poll.question, limits.poll_question)?;
    counted(Part::PollOptions, poll.options.len(), 2, limits.poll_options)?;
    for (place, option) in poll.options.iter().enumerate() {
        required(Part::PollOption, option, limits.poll_option)?;
        if poll.options.iter().take(place).any(|before| before == option) {
            return Err(Unsendable::Duplicate(option.clone()));
        }
    }
    if let Choice::AtMost(count) = poll.choice
        && usize::try_from(count).map_or(true, |count| count > poll.options.len())
    {
        return Err(Unsendable::Choices(count));
    }
    match &poll.kind {
        PollKind::Quiz(Some(answer)) if !poll.options.contains(answer) => {
            Err(Unsendable::Answer(answer.clone()))
        }
        _ => Ok(()),
    }
}

const fn uploaded(media: &Media) -> Result<(), Unsendable> {
    if media.is_uploaded() { Ok(()) } else { Err(Unsendable::NotUploaded) }
}

fn required(part: Part, text: &str, most: usize) -> Result<(), Unsendable> {
    if text.trim().is_empty() {
        return Err(Unsendable::Empty(part));
    }
    short_enough(part, text, most)
}

fn optional(part: Part, text: Option<&String>, most: usize) -> Result<(), Unsendable> {
    text.map_or(Ok(()), |text| short_enough(part, text, most))
}

fn short_enough(part: Part, text: &str, most: usize) -> Result<(), Unsendable> {
    let is = text.chars().count();
    if is > most { Err(Unsendable::TooLong { part, is, most }) } else { Ok(()) }
}

const fn counted(part: Part, is: usize, least: usize, most: usize) -> Result<(), Unsendable> {
    if is < least || is > most { Err(Unsendable::Count { part, is, least, most }) } else { Ok(()) }
}
