//! What a message is to the phone that reads it: the kinds of chapter 05 §11, as the inbox shows them.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use wa_binary::Jid;
use wa_core::content::{Answer, Content, Parsed, PinState, Viewing};
use wa_media::MediaKind;

/// One decrypted message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Received {
    /// Message id.
    pub id: String,
    /// Chat without device; LID where known.
    pub chat: Jid,
    /// The sending device, as the stanza named it.
    pub sender: Jid,
    /// A copy of what another device of this account sent.
    pub from_me: bool,
    /// Push name in the stanza.
    pub push_name: Option<String>,
    /// Server time, seconds.
    pub timestamp: u64,
    /// What it is.
    pub kind: Kind,
    /// It may be looked at once.
    pub view_once: bool,
    /// It disappears after so many seconds.
    pub disappears: Option<u32>,
    /// The `Message` that was decrypted, unwrapped from a device-sent one.
    pub message: Bytes,
}

impl Received {
    /// As the admin API shows it: what kind it is, and what came of a download, are named in fields beside the others.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let mut shown = serde_json::to_value(self).unwrap_or_default();
        let Some(fields) = shown.as_object_mut() else { return shown };
        fields.remove("message");
        if let Some(kind) = fields.get_mut("kind") {
            name_inside(kind, "kind");
            if let Some(download) = kind.get_mut("download") {
                name_inside(download, "state");
            }
        }
        shown
    }
}

/// Moves the name of a variant from outside of its fields to a field of theirs.
fn name_inside(value: &mut serde_json::Value, field: &str) {
    let (name, mut fields) = match value.take() {
        serde_json::Value::Object(outer) => outer.into_iter().next().unwrap_or_default(),
        name => (name.as_str().unwrap_or_default().to_owned(), serde_json::json!({})),
    };
    fields[field] = name.into();
    *value = fields;
}

/// What a message is to its reader.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A text, or a reply with what it quotes.
    Text {
        /// The text.
        text: String,
        /// Id of the quoted message.
        quoted: Option<String>,
    },
    /// A file. The phone has downloaded it, or says why not.
    File(FileSeen),
    /// A reaction to a message; empty when taken back.
    Reaction {
        /// The message's id.
        target: String,
        /// The emoji.
        emoji: String,
    },
    /// A new text for an earlier message.
    Edit {
        /// The message's id.
        target: String,
        /// The new text.
        text: String,
    },
    /// An earlier message is deleted for everyone.
    Revoke {
        /// The message's id.
        target: String,
    },
    /// A place.
    Location {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
        /// Its name, or the words beside a live one.
        name: Option<String>,
        /// It moves.
        live: bool,
    },
    /// Contact cards.
    Contacts {
        /// Names on the cards.
        names: Vec<String>,
        /// Digits of their WhatsApp accounts.
        numbers: Vec<String>,
    },
    /// A poll or a quiz.
    Poll {
        /// The question.
        question: String,
        /// What can be chosen.
        options: Vec<String>,
    },
    /// A vote in a poll that the phone knows; options without a known text are left out.
    Vote {
        /// The poll's id.
        target: String,
        /// What was chosen; nothing takes the vote back.
        chosen: Vec<String>,
    },
    /// An event.
    Event {
        /// What it is called.
        name: String,
        /// When it begins, seconds.
        starts_at: Option<u64>,
    },
    /// An answer to an event.
    EventResponse {
        /// The event's id.
        target: String,
        /// `going`, `not-going`, `maybe` or `unknown`.
        answer: String,
    },
    /// A message is pinned, or no longer.
    Pin {
        /// The message's id.
        target: String,
        /// For so many seconds; `None` when it is unpinned.
        seconds: Option<u32>,
    },
    /// An add-on to a message whose secret the phone does not know, or that does not open.
    Sealed {
        /// The message's id.
        target: String,
    },
    /// An invitation to a group.
    GroupInvite {
        /// The code.
        code: String,
    },
    /// Anything else.
    Other,
}

/// A file as its message describes it, and what the phone found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSeen {
    /// `image`, `video`, `gif`, `ptv`, `audio`, `ptt`, `document`, `sticker`, `sticker_pack`.
    pub what: String,
    /// The words beside it.
    pub caption: Option<String>,
    /// Name of a document.
    pub name: Option<String>,
    /// MIME type.
    pub mime: Option<String>,
    /// SHA-256 of the file as the message has it, hex.
    pub sha256: Option<String>,
    /// Bytes of the file as the message has it.
    pub size: Option<u64>,
    /// Path on the media host.
    pub direct_path: Option<String>,
    /// What came of the download.
    pub download: Download,
}

/// What came of the download of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Download {
    /// Everything fits: hashes, MAC, padding.
    Done {
        /// SHA-256 of what was decrypted, hex.
        sha256: String,
        /// Its length.
        size: u64,
    },
    /// The media host does not have it, or no longer.
    Missing,
    /// It is larger than 64 MiB: kept, and not opened.
    TooLarge,
    /// It is not what the message says.
    Broken {
        /// Why.
        why: String,
    },
}

impl Kind {
    /// What a message is. Downloads are the phone's to make: a file is `Missing` here.
    pub(super) fn of(parsed: &Parsed) -> Self {
        if let Some(media) = parsed.content.media().filter(|_| !matches!(parsed.content, Content::Edit(_))) {
            return Self::File(FileSeen {
                what: media.kind.mediatype().unwrap_or("document").to_owned(),
                caption: parsed.content.text().map(str::to_owned),
                name: match &parsed.content {
                    Content::Document(document) => document.file_name.clone(),
                    Content::StickerPack(pack) => Some(pack.name.clone()),
                    _ => None,
                },
                mime: media.mime.clone(),
                sha256: media.sha256.map(hex::encode),
                size: media.size,
                direct_path: media.direct_path.clone(),
                download: Download::Missing,
            });
        }
        let target = || parsed.content.target().map(|target| target.id.clone()).unwrap_or_default();
        match &parsed.content {
            Content::Text(text) => Self::Text {
                text: text.body.clone(),
                quoted: parsed.context.reply_to.as_ref().map(|quoted| quoted.id.clone()),
            },
            Content::Reaction(reaction) => {
                Self::Reaction { target: target(), emoji: reaction.emoji.clone().unwrap_or_default() }
            }
            Content::Edit(edit) => {
                Self::Edit { target: target(), text: edit.content.text().unwrap_or_default().to_owned() }
            }
            Content::Revoke(_) => Self::Revoke { target: target() },
            Content::Location(place) => Self::Location {
                latitude: place.latitude,
                longitude: place.longitude,
                name: place.name.clone(),
                live: false,
            },
            Content::LiveLocation(place) => Self::Location {
                latitude: place.latitude,
                longitude: place.longitude,
                name: place.caption.clone(),
                live: true,
            },
            Content::Contact(card) => contacts(core::slice::from_ref(card)),
            Content::Contacts(contacts_) => contacts(&contacts_.cards),
            Content::Poll(poll) => {
                Self::Poll { question: poll.question.clone(), options: poll.options.clone() }
            }
            Content::PollVote(vote) => Self::Vote {
                target: target(),
                chosen: vote.chosen.iter().filter_map(|voted| voted.option.clone()).collect(),
            },
            Content::Event(event) => Self::Event { name: event.name.clone(), starts_at: event.starts_at },
            Content::EventResponse(response) => {
                Self::EventResponse { target: target(), answer: answer_name(response.answer).to_owned() }
            }
            Content::Pin(pin) => Self::Pin {
                target: target(),
                seconds: if let PinState::Pinned(seconds) = pin.state { Some(seconds) } else { None },
            },
            Content::Sealed(_) => Self::Sealed { target: target() },
            Content::GroupInvite(invite) => Self::GroupInvite { code: invite.code.clone() },
            _ => Self::Other,
        }
    }

    /// Whether it is a message of its own in its chat: not a change of another one.
    pub(super) const fn stands_alone(&self) -> bool {
        !matches!(
            self,
            Self::Reaction { .. }
                | Self::Edit { .. }
                | Self::Revoke { .. }
                | Self::Vote { .. }
                | Self::EventResponse { .. }
                | Self::Pin { .. }
                | Self::Sealed { .. }
        )
    }
}

fn contacts(cards: &[wa_core::content::Contact]) -> Kind {
    let numbers = cards.iter().flat_map(|card| &card.phones).filter_map(|phone| phone.wa_id.clone());
    Kind::Contacts { names: cards.iter().map(|card| card.name.clone()).collect(), numbers: numbers.collect() }
}

/// The name of an answer to an event, as the inbox and the admin API have it.
pub(crate) const fn answer_name(answer: Answer) -> &'static str {
    match answer {
        Answer::Going => "going",
        Answer::NotGoing => "not-going",
        Answer::Maybe => "maybe",
        _ => "unknown",
    }
}

/// Whether a message may be looked at once.
pub(super) fn is_once(parsed: &Parsed) -> bool {
    parsed.viewing == Viewing::Once
}

/// The MIME type that a kind of file has unless its sender says another.
pub(super) const fn usual_mime(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image/jpeg",
        MediaKind::Sticker => "image/webp",
        MediaKind::Video | MediaKind::Gif | MediaKind::VideoNote => "video/mp4",
        MediaKind::Audio => "audio/mpeg",
        MediaKind::VoiceNote => "audio/ogg; codecs=opus",
        _ => "application/octet-stream",
    }
}
