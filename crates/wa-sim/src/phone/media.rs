//! The phone's files: sealed and uploaded when they are sent, downloaded and checked when they come, kept to be uploaded
//! again when a companion asks (chapter 06, chapter 10 §10).

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use prost::Message as _;
use rand_core::Rng as _;
use serde::{Deserialize, Serialize};
use wa_binary::{Jid, Node};
use wa_core::content::{
    Audio, Content, Document, Image, Media, Parsed, Sticker, Video, VideoKind, VoiceNote,
};
use wa_media::{
    Expected, MediaKey, MediaKind, RetryOutcome, RetryResult, Sidecar, open_retry_request,
    seal_retry_notification,
};
use wa_proto::e2e_message::Message;

use super::seen::{Download, usual_mime};
use super::{Blob, Network, Now, Phone, Turn};
use crate::media::StoredFile;

/// Bytes of sealed files that a phone keeps; past that the oldest go. They are shared with the media host's.
const MOST_HELD: u64 = 8 << 30;
/// Largest sealed file that a phone opens by itself: the world waits for it.
const MOST_OPENED: u64 = 64 << 20;
/// Largest file that a phone makes up.
const MOST_MADE_UP: usize = 64 << 20;

/// A file to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Image, sticker, video, GIF, round video, audio, voice note or document; anything else goes as a document.
    pub kind: MediaKind,
    /// What is in it.
    pub bytes: FileBytes,
    /// Words beside it, where the kind has them.
    pub caption: Option<String>,
    /// Name of a document.
    pub name: Option<String>,
    /// MIME type, instead of the usual one.
    pub mime: Option<String>,
    /// Length of a video or a recording.
    pub seconds: Option<u32>,
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileBytes {
    /// These bytes.
    Given(Bytes),
    /// So many bytes from the phone's seed, at most 64 MiB.
    MadeUp(usize),
}

/// How the phone answers when a companion asks for a file again (chapter 06 §9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MediaRetry {
    /// Uploads it under a new path, if it has it.
    #[default]
    Answer,
    /// Has it no longer.
    NotFound,
    /// Something went wrong.
    GeneralError,
    /// Could not open the request.
    DecryptionError,
    /// `<error code>` instead of a sealed answer.
    ErrorCode(i32),
    /// Says nothing.
    Silence,
    /// An answer that names another message inside.
    WrongId,
    /// An answer that does not open.
    BadTag,
}

impl File {
    /// A file without anything beside it.
    #[must_use]
    pub const fn new(kind: MediaKind, bytes: Bytes) -> Self {
        Self { kind, bytes: FileBytes::Given(bytes), caption: None, name: None, mime: None, seconds: None }
    }

    /// A file of so many bytes that follow from the phone's seed.
    #[must_use]
    pub fn made_up(kind: MediaKind, size: usize) -> Self {
        Self { bytes: FileBytes::MadeUp(size), ..Self::new(kind, Bytes::new()) }
    }

    /// With words beside it.
    #[must_use]
    pub fn caption(self, caption: &str) -> Self {
        Self { caption: Some(caption.to_owned()), ..self }
    }

    /// With a name.
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..self }
    }
}

/// Sealed files by message.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Files {
    held: BTreeMap<String, Held>,
    order: VecDeque<String>,
    bytes: u64,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Held {
    #[serde(with = "crate::state::foreign::one")]
    key: MediaKey,
    #[serde(with = "crate::state::foreign::one")]
    kind: MediaKind,
    enc_sha256: [u8; 32],
    sealed: StoredFile,
}

impl Files {
    fn hold(&mut self, id: &str, held: Held) {
        self.bytes += held.sealed.length();
        if let Some(before) = self.held.insert(id.to_owned(), held) {
            self.bytes -= before.sealed.length();
        } else {
            self.order.push_back(id.to_owned());
        }
        while self.bytes > MOST_HELD
            && let Some(oldest) = self.order.pop_front()
        {
            let gone = self.held.remove(&oldest);
            self.bytes -= gone.map_or(0, |gone| gone.sealed.length());
        }
    }
}

impl Phone {
    /// The sealed files that it keeps.
    pub(crate) fn files(&self) -> impl Iterator<Item = &StoredFile> {
        self.files.held.values().map(|held| &held.sealed)
    }

    /// The same, to be put in their places.
    pub(crate) fn files_mut(&mut self) -> impl Iterator<Item = &mut StoredFile> {
        self.files.held.values_mut().map(|held| &mut held.sealed)
    }

    /// The file of a message, decrypted; `None` when the phone does not have it.
    #[must_use]
    pub fn file(&self, id: &str) -> Option<Vec<u8>> {
        let held = self.files.held.get(id)?;
        let sealed = held.sealed.whole().ok()?;
        wa_media::open(&held.key.derive(held.kind), &Expected::default(), &sealed).ok()
    }

    /// The phone no longer has the file of a message: it was deleted there.
    pub fn forget_file(&mut self, id: &str) -> bool {
        let gone = self.files.held.remove(id);
        self.files.order.retain(|known| known != id);
        self.files.bytes -= gone.as_ref().map_or(0, |gone| gone.sealed.length());
        gone.is_some()
    }

    /// How it answers from now on when a companion asks for a file again.
    pub fn set_media_retry(&mut self, how: MediaRetry) {
        self.media_retry = how;
    }

    /// Seals a file, uploads it, and gives what a message says about it.
    pub(super) fn upload_file(
        &mut self,
        id: &str,
        file: File,
        network: &mut dyn Network,
        now: Now,
    ) -> Content {
        let plain = match file.bytes {
            FileBytes::Given(bytes) => bytes,
            FileBytes::MadeUp(size) => {
                let mut bytes = vec![0; size.min(MOST_MADE_UP)];
                self.rng.fill_bytes(&mut bytes);
                bytes.into()
            }
        };
        let kind = file.kind;
        let plays = matches!(
            kind,
            MediaKind::Video
                | MediaKind::Gif
                | MediaKind::VideoNote
                | MediaKind::Audio
                | MediaKind::VoiceNote
        );
        let key = MediaKey::generate(&mut self.rng);
        let sidecar = if plays { Sidecar::Streaming } else { Sidecar::None };
        let (sealed, about) = wa_media::seal(&key.derive(kind), &plain, sidecar);
        let sealed = StoredFile::from(Bytes::from(sealed));
        let blob = Blob { kind, file: sealed.clone(), enc_sha256: about.file_enc_sha256 };
        let mut media = Media::new(kind);
        media.direct_path = Some(network.store_blob(blob));
        media.key = Some(key.clone());
        media.key_timestamp = Some(now.seconds());
        media.sha256 = Some(about.file_sha256);
        media.enc_sha256 = Some(about.file_enc_sha256);
        media.size = Some(about.file_length);
        media.mime = Some(file.mime.unwrap_or_else(|| usual_mime(kind).to_owned()));
        self.files.hold(id, Held { key, kind, enc_sha256: about.file_enc_sha256, sealed });
        let sidecar = plays.then(|| Bytes::from(about.sidecar));
        let video = |kind| {
            let mut video = Video::new(media.clone(), kind);
            (video.caption, video.seconds) = (file.caption.clone(), file.seconds);
            video.sidecar.clone_from(&sidecar);
            Content::Video(video)
        };
        match kind {
            MediaKind::Image => {
                let mut image = Image::new(media);
                image.caption = file.caption;
                Content::Image(image)
            }
            MediaKind::Sticker => Content::Sticker(Sticker::new(media)),
            MediaKind::Video => video(VideoKind::Video),
            MediaKind::Gif => video(VideoKind::Gif),
            MediaKind::VideoNote => video(VideoKind::Round),
            MediaKind::Audio => {
                let mut audio = Audio::new(media);
                (audio.seconds, audio.sidecar) = (file.seconds, sidecar);
                Content::Audio(audio)
            }
            MediaKind::VoiceNote => {
                let mut note = VoiceNote::new(media);
                (note.seconds, note.sidecar) = (file.seconds, sidecar);
                Content::VoiceNote(note)
            }
            _ => {
                let mut document = Document::new(media);
                document.file_name = Some(file.name.unwrap_or_else(|| "file.bin".to_owned()));
                document.caption = file.caption;
                Content::Document(document)
            }
        }
    }

    /// Downloads what a message refers to and checks all of it.
    pub(super) fn download(&mut self, id: &str, media: &Media, network: &mut dyn Network) -> Download {
        let (Some(path), Some(key)) = (&media.direct_path, &media.key) else { return Download::Missing };
        let Some(sealed) = network.fetch_blob(path) else { return Download::Missing };
        let (key, kind) = (key.clone(), media.kind);
        if sealed.length() > MOST_OPENED {
            if let Some(enc_sha256) = media.enc_sha256 {
                self.files.hold(id, Held { key, kind, enc_sha256, sealed });
            }
            return Download::TooLarge;
        }
        let expected = Expected { file_sha256: media.sha256, file_enc_sha256: media.enc_sha256, limit: None };
        let Ok(bytes) = sealed.whole() else { return Download::Missing };
        let plain = match wa_media::open(&key.derive(kind), &expected, &bytes) {
            Ok(plain) => plain,
            Err(error) => return Download::Broken { why: error.to_string() },
        };
        let size = plain.len() as u64;
        if let Some(said) = media.size.filter(|said| *said != size) {
            return Download::Broken { why: format!("{size} bytes, not {said}") };
        }
        let enc_sha256 = wa_crypto::digest::sha256(&[&bytes]);
        self.files.hold(id, Held { key, kind, enc_sha256, sealed });
        Download::Done { sha256: hex::encode(wa_crypto::digest::sha256(&[&plain])), size }
    }

    /// A companion cannot get a file (chapter 06 §7): it is uploaded again under another path, and the companion told.
    pub(super) fn answer_media_retry(&mut self, receipt: &Node, network: &mut dyn Network, now: Now) -> Turn {
        self.try_answer_media_retry(receipt, network, now)
            .map(|notification| Turn { stanzas: vec![notification], ..Turn::default() })
            .unwrap_or_default()
    }

    fn try_answer_media_retry(
        &mut self,
        receipt: &Node,
        network: &mut dyn Network,
        now: Now,
    ) -> Option<Node> {
        let id = receipt.required("id").string().ok()?.to_string();
        let from = receipt.required("from").jid().ok()?;
        let rmr = receipt.optional_child("rmr")?;
        let chat = rmr.required("jid").jid().ok()?;
        if self.media_retry == MediaRetry::Silence {
            return None;
        }
        let head = Node::new("notification")
            .attr("type", "mediaretry")
            .attr("id", &id)
            .attr("to", &from)
            .attr("from", self.own_in_family_of(&from).clone())
            .attr("t", now.seconds().to_string())
            .child(rmr.to_node());
        let failed = |code: RetryResult| Some(error(head.clone(), code.code()));
        let chat = self.chat_key(&chat, network);
        let Some(key) = self.chats.find(&chat, &id).and_then(|stored| key_in(&stored.message)) else {
            return failed(RetryResult::NotFound);
        };
        let sealed = receipt.optional_child("encrypt");
        let part = |tag| sealed.and_then(|sealed| sealed.optional_child(tag)?.optional_bytes());
        let (ciphertext, iv) = (part("enc_p").unwrap_or_default(), part("enc_iv").unwrap_or_default());
        if open_retry_request(&key, &id, &iv, &ciphertext).is_err() {
            // With which key the companion would open an answer is not known.
            return failed(RetryResult::DecryptionError);
        }
        let only = |result| RetryOutcome { result, direct_path: None, message_secret: None };
        let (mut named, mut bent) = (id.as_str(), false);
        let outcome = match self.media_retry {
            MediaRetry::NotFound => only(RetryResult::NotFound),
            MediaRetry::GeneralError => only(RetryResult::GeneralError),
            MediaRetry::DecryptionError => only(RetryResult::DecryptionError),
            MediaRetry::ErrorCode(code) => return Some(error(head, code)),
            how => {
                if how == MediaRetry::WrongId {
                    named = "3EB0ANOTHERMESSAGE";
                }
                bent = how == MediaRetry::BadTag;
                match self.files.held.get(&id) {
                    Some(held) => RetryOutcome {
                        result: RetryResult::Success,
                        direct_path: Some(network.store_blob_again(Blob {
                            kind: held.kind,
                            file: held.sealed.clone(),
                            enc_sha256: held.enc_sha256,
                        })),
                        message_secret: None,
                    },
                    None => only(RetryResult::NotFound),
                }
            }
        };
        let mut answer = seal_retry_notification(&key, named, &outcome, &mut self.rng).ok()?;
        if let (true, Some(last)) = (bent, answer.ciphertext.last_mut()) {
            *last ^= 1;
        }
        let encrypt = Node::new("encrypt")
            .child(Node::new("enc_p").bytes(answer.ciphertext))
            .child(Node::new("enc_iv").bytes(answer.iv.to_vec()));
        Some(head.child(encrypt))
    }
}

fn error(head: Node, code: i32) -> Node {
    head.child(Node::new("error").attr("code", code.to_string()))
}

/// The media key in a stored message.
fn key_in(message: &Bytes) -> Option<MediaKey> {
    let message = Message::decode(message.clone()).ok()?;
    Parsed::read(&message).content.media()?.key.clone()
}

/// Whether a user's word names a kind of file that people send.
pub(crate) fn kind_named(name: &str) -> Option<MediaKind> {
    Some(match name {
        "voice" => MediaKind::VoiceNote,
        "round" => MediaKind::VideoNote,
        _ => MediaKind::from_name(name).filter(|kind| kind.mediatype() == Some(name))?,
    })
}

impl Phone {
    /// The own address that a chat's add-ons are sealed for: in the family of the chat.
    pub(super) fn own_in(&self, chat: &Jid, network: &mut dyn Network) -> Jid {
        let by_number = match chat.is_group() {
            true => network.group(chat).is_some_and(|view| view.addressing == super::Addressing::Pn),
            false => chat.is_pn(),
        };
        if by_number { self.pn.clone() } else { self.own().clone() }
    }
}
