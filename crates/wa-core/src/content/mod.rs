//! What messages say, as types (chapter 05 §3, §8, §11; chapter 06 §8): read from the protobuf message and, where a
//! linked device can send it, written back. One file for each family of kinds.
//!
//! Reading never fails: what is not known is [`Content::Other`], and whoever needs more has the original bytes.

mod business;
mod change;
mod contact;
mod context;
mod event;
mod limits;
mod media;
mod notice;
mod place;
mod poll;
mod read;
mod sealed;
mod sticker_pack;
mod text;
mod write;

pub use business::{
    Button, ButtonAction, ButtonReply, Buttons, Interactive, List, Order, Product, ReplyTo, Row, Section,
    Template,
};
pub use change::{Comment, Edit, Keep, KeepState, Pin, PinState, Reaction, Revoke, Target, Viewpoint};
pub use contact::{Contact, Contacts, Phone};
pub use context::{
    ChannelOrigin, Context, Disappearing, Forwarded, GroupMention, MANY_TIMES, Quoted, forwarded, quotable,
};
pub use event::{Answer, Event, EventResponse, EventState, ScheduledCall, ScheduledCallChange};
pub use limits::{Limits, Part, Unsendable};
pub use media::{
    Album, Audio, Dimensions, Document, Image, Media, Motion, Sticker, Thumbnail, Video, VideoKind, VoiceNote,
};
pub use notice::{
    CallLog, CallOutcome, ChannelInvite, DisappearingSetting, GroupInvite, LimitSharing, MemberLabel,
    Payment, PaymentKind, Protocol,
};
pub use place::{LiveLocation, Location};
pub use poll::{Choice, Poll, PollKind, PollOption, PollSnapshot, PollVote, Tally, TallyLine, Voted, Voters};
pub use read::{Parsed, stands_alone};
pub use sealed::{SealedAddOn, SealedUse};
pub use sticker_pack::{COVER_EDGE, PackedSticker, StickerPack};
pub use text::{Font, LinkPreview, Text, TextStyle};
pub use wa_media::{MediaKey, MediaKind};

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// A text, with a preview of a link or the colours of a status.
    Text(Text),
    /// An image.
    Image(Image),
    /// A video, a GIF or a round video.
    Video(Video),
    /// An audio file.
    Audio(Audio),
    /// A voice note.
    VoiceNote(VoiceNote),
    /// A document.
    Document(Document),
    /// A sticker.
    Sticker(Sticker),
    /// A pack of stickers.
    StickerPack(StickerPack),
    /// The head of an album: its items follow as messages of their own ([`Parsed::album`]).
    Album(Album),
    /// One contact card.
    Contact(Contact),
    /// Several contact cards.
    Contacts(Contacts),
    /// A place.
    Location(Location),
    /// Where somebody is now.
    LiveLocation(LiveLocation),
    /// A reaction to a message.
    Reaction(Reaction),
    /// New content of an earlier message.
    Edit(Edit),
    /// An earlier message is deleted for everyone.
    Revoke(Revoke),
    /// A poll or a quiz.
    Poll(Poll),
    /// A vote in a poll, opened.
    PollVote(PollVote),
    /// An option that was added to a poll, opened.
    PollOption(PollOption),
    /// The result of a poll, forwarded.
    PollSnapshot(PollSnapshot),
    /// An event.
    Event(Event),
    /// An answer to an event, opened.
    EventResponse(EventResponse),
    /// A planned call.
    ScheduledCall(ScheduledCall),
    /// A change of a planned call.
    ScheduledCallChange(ScheduledCallChange),
    /// A message is pinned or unpinned.
    Pin(Pin),
    /// A disappearing message is kept, or no longer.
    Keep(Keep),
    /// Messages of the chat disappear from now on, or no longer.
    Disappearing(DisappearingSetting),
    /// An invitation to a group.
    GroupInvite(GroupInvite),
    /// An invitation to a channel.
    ChannelInvite(ChannelInvite),
    /// A text with buttons.
    Buttons(Buttons),
    /// A list to choose from.
    List(List),
    /// A template of a business.
    Template(Template),
    /// Native-flow buttons, cards, shops.
    Interactive(Box<Interactive>),
    /// What somebody chose of buttons or a list.
    ButtonReply(ButtonReply),
    /// A product of a catalogue.
    Product(Product),
    /// An order.
    Order(Order),
    /// A comment on a message of an announcement group, opened.
    Comment(Comment),
    /// A call that is over, as a record in the chat.
    CallLog(CallLog),
    /// Money.
    Payment(Payment),
    /// An encrypted add-on that could not be opened: the secret of its message is not known.
    Sealed(SealedAddOn),
    /// Something between clients.
    Protocol(Protocol),
    /// "This message is on your phone": nothing that a linked device may see.
    Placeholder,
    /// A kind without a type of its own; the name of its field in the schema, where that is known.
    Other(Option<&'static str>),
}

/// Whether something may be looked at more than once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Viewing {
    /// As often as one likes.
    #[default]
    Normal,
    /// Once.
    Once,
}

impl Content {
    /// The text that a person reads: of a text, or the caption of a file.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(&text.body),
            Self::Image(image) => image.caption.as_deref(),
            Self::Video(video) => video.caption.as_deref(),
            Self::Document(document) => document.caption.as_deref(),
            Self::Edit(edit) => edit.content.text(),
            Self::Comment(comment) => comment.content.text(),
            _ => None,
        }
    }

    /// The file, if there is one to download.
    pub fn media(&self) -> Option<&Media> {
        match self {
            Self::Image(image) => Some(&image.media),
            Self::Video(video) => Some(&video.media),
            Self::Audio(audio) => Some(&audio.media),
            Self::VoiceNote(note) => Some(&note.media),
            Self::Document(document) => Some(&document.media),
            Self::Sticker(sticker) => Some(&sticker.media),
            Self::StickerPack(pack) => Some(&pack.media),
            Self::Edit(edit) => edit.content.media(),
            _ => None,
        }
    }

    /// The message that this one is about: reactions, edits, votes and the like.
    pub fn target(&self) -> Option<&Target> {
        match self {
            Self::Reaction(reaction) => Some(&reaction.target),
            Self::Edit(edit) => Some(&edit.target),
            Self::Revoke(revoke) => Some(&revoke.target),
            Self::PollVote(vote) => Some(&vote.poll),
            Self::PollOption(option) => Some(&option.poll),
            Self::EventResponse(response) => Some(&response.event),
            Self::ScheduledCallChange(change) => Some(&change.target),
            Self::Pin(pin) => Some(&pin.target),
            Self::Keep(keep) => Some(&keep.target),
            Self::Comment(comment) => Some(&comment.target),
            Self::Sealed(sealed) => Some(&sealed.target),
            _ => None,
        }
    }

    /// The same, to change it.
    pub fn target_mut(&mut self) -> Option<&mut Target> {
        match self {
            Self::Reaction(reaction) => Some(&mut reaction.target),
            Self::Edit(edit) => Some(&mut edit.target),
            Self::Revoke(revoke) => Some(&mut revoke.target),
            Self::PollVote(vote) => Some(&mut vote.poll),
            Self::PollOption(option) => Some(&mut option.poll),
            Self::EventResponse(response) => Some(&mut response.event),
            Self::ScheduledCallChange(change) => Some(&mut change.target),
            Self::Pin(pin) => Some(&mut pin.target),
            Self::Keep(keep) => Some(&mut keep.target),
            Self::Comment(comment) => Some(&mut comment.target),
            Self::Sealed(sealed) => Some(&mut sealed.target),
            _ => None,
        }
    }

    /// Whether a message of this kind carries a message secret (chapter 05 §3).
    pub const fn takes_secret(&self) -> bool {
        !matches!(
            self,
            Self::Reaction(_) | Self::Revoke(_) | Self::Disappearing(_) | Self::Protocol(_) | Self::Sealed(_)
        )
    }
}

/// A text that is there and not empty.
fn said(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

/// A time or number that the schema has signed.
fn unsigned(number: Option<i64>) -> Option<u64> {
    number.and_then(|number| u64::try_from(number).ok())
}

/// The reverse; what does not fit is left out.
fn signed(number: Option<u64>) -> Option<i64> {
    number.and_then(|number| i64::try_from(number).ok())
}

/// An address; `None` for what is none.
fn jid(text: Option<&String>) -> Option<wa_binary::Jid> {
    text.and_then(|text| text.parse().ok())
}

#[cfg(test)]
mod tests;
