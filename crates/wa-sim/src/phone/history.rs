//! What a new companion is sent: sync keys, then history (chapter 08 §11, chapter 10 §3, §10).

use std::io::Write as _;

use bytes::Bytes;
use prost::Message as _;
use serde::{Deserialize, Serialize};
use wa_binary::{Jid, Node};
use wa_media::{MediaKey, MediaKind, Sidecar};
use wa_proto::common::MessageKey;
use wa_proto::e2e_message::Message;
use wa_proto::e2e_message::message::protocol_message::Type;
use wa_proto::e2e_message::message::{HistorySyncNotification, ProtocolMessage};
use wa_proto::history::history_sync::HistorySyncType;
use wa_proto::history::{
    Conversation, HistorySync, HistorySyncMsg, PhoneNumberToLidMapping, Pushname, conversation,
};
use wa_proto::web_message::WebMessageInfo;

use super::chats::Stored;
use super::{Blob, Network, Now, Phone, PhoneError, Turn};

/// What companions get after linking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryPlan {
    /// A bootstrap is sent at all. Official clients unlink themselves without one.
    pub bootstrap: bool,
    /// Chats are in it; without, the account looks new.
    pub chats: bool,
    /// Largest compressed chunk that travels inside the message, bytes; larger ones become files.
    pub inline_up_to: usize,
    /// Newest messages of each chat in the bootstrap; the rest follows as `RECENT`.
    pub bootstrap_messages: usize,
    /// A `PUSH_NAME` chunk follows.
    pub push_names: bool,
    /// `RECENT` chunks follow, with this many messages each; the last has progress 100.
    pub recent_chunk: Option<usize>,
    /// The salt of `cstoken`s is in the bootstrap.
    pub nct_salt_in_history: bool,
    /// The salt of `cstoken`s is in the first app state.
    pub nct_salt_in_app_state: bool,
    /// History goes out before the keys, as an official phone does it.
    pub before_keys: bool,
    /// So many made-up chats of [`MADE_UP_MESSAGES`] messages each follow as `RECENT` chunks. They are made chunk by chunk.
    pub made_up_chats: u32,
    /// What goes wrong with it.
    pub fault: Option<HistoryFault>,
}

/// How history goes wrong (chapter 10 §10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HistoryFault {
    /// There is none at all.
    Nothing,
    /// It comes a minute after the keys.
    Late,
    /// Every chunk comes twice.
    DuplicateChunk,
    /// Chunks are files that the media host does not have.
    MissingFile,
    /// Chunks are files of another hash.
    WrongHash,
    /// Chunks are no zlib streams.
    BadZlib,
}

impl Default for HistoryPlan {
    fn default() -> Self {
        Self {
            bootstrap: true,
            chats: true,
            inline_up_to: 64 << 10,
            bootstrap_messages: 10,
            push_names: true,
            recent_chunk: Some(500),
            nct_salt_in_history: true,
            nct_salt_in_app_state: true,
            before_keys: false,
            made_up_chats: 0,
            fault: None,
        }
    }
}

/// Messages of each chat that [`HistoryPlan::made_up_chats`] asks for.
pub const MADE_UP_MESSAGES: u32 = 50;
/// Made-up chats in one chunk.
const MADE_UP_CHATS: u32 = 50;

/// A notification that the companion has not confirmed with `hist_sync`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Notice {
    id: String,
    device: u16,
    #[serde(with = "crate::state::foreign::one")]
    chunk: HistorySync,
    session: Option<String>,
}

impl Phone {
    /// Sync keys and history for a companion: once, as soon as it has uploaded pre-keys.
    ///
    /// # Errors
    /// [`PhoneError::UnknownCompanion`], [`PhoneError::Unreachable`] without a bundle.
    pub fn welcome(&mut self, device: u16, network: &mut dyn Network, now: Now) -> Result<Turn, PhoneError> {
        if !self.links.companions().contains_key(&device) {
            return Err(PhoneError::UnknownCompanion(device));
        }
        let mut turn = Turn::default();
        if !self.history.before_keys {
            turn.stanzas.push(self.key_share(device, network, now)?);
        }
        if !matches!(self.history.fault, Some(HistoryFault::Nothing | HistoryFault::Late)) {
            turn.append(self.tell_history(device, network, now)?);
        }
        if self.history.before_keys {
            turn.stanzas.push(self.key_share(device, network, now)?);
        }
        Ok(turn)
    }

    /// The whole history for a companion.
    pub(crate) fn tell_history(
        &mut self,
        device: u16,
        network: &mut dyn Network,
        now: Now,
    ) -> Result<Turn, PhoneError> {
        let mut turn = Turn::default();
        let times = if self.history.fault == Some(HistoryFault::DuplicateChunk) { 2 } else { 1 };
        for chunk in self.script() {
            for _ in 0..times {
                turn.stanzas.push(self.history_stanza(device, chunk.clone(), None, network, now)?);
            }
        }
        for place in 0..self.made_up_chunks() {
            let chunk = self.made_up(place, now);
            turn.stanzas.push(self.history_stanza(device, chunk, None, network, now)?);
        }
        Ok(turn)
    }

    /// Whether the history comes after the greeting.
    pub(crate) const fn is_history_late(&self) -> bool {
        matches!(self.history.fault, Some(HistoryFault::Late))
    }

    fn script(&self) -> Vec<HistorySync> {
        let plan = self.history;
        let mut chunks = Vec::new();
        if plan.bootstrap {
            chunks.push(self.bootstrap());
        }
        if plan.push_names {
            chunks.push(HistorySync {
                sync_type: Some(HistorySyncType::PushName as i32),
                pushnames: self.push_names(),
                progress: Some(100),
                ..Default::default()
            });
        }
        if let Some(size) = plan.recent_chunk {
            chunks.extend(self.recent(size.max(1)));
        }
        chunks
    }

    fn bootstrap(&self) -> HistorySync {
        let plan = self.history;
        let mut mappings: Vec<PhoneNumberToLidMapping> = self
            .peers
            .mappings()
            .map(|(pn, lid)| PhoneNumberToLidMapping {
                pn_jid: Some(pn.to_string()),
                lid_jid: Some(lid.to_string()),
            })
            .collect();
        let own = (Some(self.pn.to_string()), self.lid.as_ref().map(ToString::to_string));
        if own.1.is_some() && !mappings.iter().any(|mapping| mapping.pn_jid == own.0) {
            mappings.insert(0, PhoneNumberToLidMapping { pn_jid: own.0, lid_jid: own.1 });
        }
        let conversations = self
            .chats
            .iter()
            .filter(|_| plan.chats)
            .map(|(chat, messages)| {
                let newest = messages.iter().rev().take(plan.bootstrap_messages);
                let more = messages.len() > plan.bootstrap_messages;
                self.conversation(chat, messages, newest, more)
            })
            .collect();
        HistorySync {
            sync_type: Some(HistorySyncType::InitialBootstrap as i32),
            conversations,
            chunk_order: Some(0),
            progress: Some(100),
            phone_number_to_lid_mappings: mappings,
            companion_meta_nonce: Some(self.meta_nonce.clone()),
            nct_salt: plan.nct_salt_in_history.then(|| Bytes::copy_from_slice(&self.nct_salt)),
            ..Default::default()
        }
    }

    fn push_names(&self) -> Vec<Pushname> {
        let own = Pushname { id: Some(self.own().to_string()), pushname: Some(self.name.clone()) };
        let others = self
            .chats
            .names()
            .iter()
            .map(|(user, name)| Pushname { id: Some(user.to_string()), pushname: Some(name.clone()) });
        core::iter::once(own).chain(others).collect()
    }

    /// What the bootstrap left out, in chunks; at least one, so that a companion sees the end.
    fn recent(&self, size: usize) -> Vec<HistorySync> {
        let mut pages: Vec<Vec<(&Jid, &[Stored])>> = vec![Vec::new()];
        let mut room = size;
        for (chat, messages) in self.chats.iter().filter(|_| self.history.chats) {
            let mut rest = &messages[..messages.len().saturating_sub(self.history.bootstrap_messages)];
            while !rest.is_empty() {
                let (older, newer) = rest.split_at(rest.len().saturating_sub(room));
                if let Some(page) = pages.last_mut() {
                    page.push((chat, newer));
                }
                room -= newer.len();
                rest = older;
                if room == 0 {
                    pages.push(Vec::new());
                    room = size;
                }
            }
        }
        if pages.len() > 1 && pages.last().is_some_and(Vec::is_empty) {
            pages.pop();
        }
        let count = pages.len() + self.made_up_chunks() as usize;
        pages
            .into_iter()
            .enumerate()
            .map(|(place, page)| HistorySync {
                sync_type: Some(HistorySyncType::Recent as i32),
                conversations: page
                    .into_iter()
                    .map(|(chat, messages)| self.conversation(chat, messages, messages.iter().rev(), false))
                    .collect(),
                chunk_order: u32::try_from(place + 1).ok(),
                progress: u32::try_from((place + 1) * 100 / count).ok(),
                ..Default::default()
            })
            .collect()
    }

    fn made_up_chunks(&self) -> u32 {
        match self.history.recent_chunk {
            Some(_) => self.history.made_up_chats.div_ceil(MADE_UP_CHATS),
            None => 0,
        }
    }

    /// The chunk of this place among the made-up ones: chats with people whom only the LID names.
    fn made_up(&self, place: u32, now: Now) -> HistorySync {
        let chats = self.history.made_up_chats;
        let chunks = self.made_up_chunks();
        let shown = place * MADE_UP_CHATS..chats.min((place + 1) * MADE_UP_CHATS);
        let mut conversations = Vec::with_capacity(shown.len());
        for number in shown {
            let chat = Jid::lid(900_000_000_000_000 + u64::from(number));
            let messages: Vec<Stored> = (0..MADE_UP_MESSAGES)
                .map(|count| {
                    let from_me = count % 3 == 2;
                    // As hard to compress as people's words, so that chunks are files as real ones are.
                    let digest = wa_crypto::digest::sha256(&[&number.to_be_bytes(), &count.to_be_bytes()]);
                    let words = format!("chat {number}, message {count}, {}", hex::encode(digest));
                    let message = Message { conversation: Some(words), ..Default::default() };
                    Stored {
                        id: format!("3EB0{number:010X}{count:08X}"),
                        sender: if from_me { self.own().clone() } else { chat.clone() },
                        from_me,
                        timestamp: now
                            .seconds()
                            .saturating_sub(u64::from((chats - number) * 3_600 - count * 60)),
                        message: message.encode_to_vec().into(),
                        push_name: (!from_me).then(|| format!("Person {number}")),
                        unread: false,
                    }
                })
                .collect();
            conversations.push(self.conversation(&chat, &messages, messages.iter().rev(), false));
        }
        // The chunks of the real chats were counted with these.
        let before = self.recent(self.history.recent_chunk.unwrap_or(1).max(1)).len() as u32;
        HistorySync {
            sync_type: Some(HistorySyncType::Recent as i32),
            conversations,
            chunk_order: Some(before + place + 1),
            progress: Some((before + place + 1) * 100 / (before + chunks)),
            ..Default::default()
        }
    }

    fn conversation<'m>(
        &self,
        chat: &Jid,
        all: &[Stored],
        shown: impl Iterator<Item = &'m Stored>,
        more: bool,
    ) -> Conversation {
        use conversation::EndOfHistoryTransferType as End;
        let newest = all.last().map(|message| message.timestamp);
        let unread = all.iter().filter(|message| message.unread).count();
        let end = match more {
            true => End::CompleteButMoreMessagesRemainOnPrimary,
            false => End::CompleteAndNoMoreMessageRemainOnPrimary,
        };
        let pn = if chat.is_lid() { self.peers.pn_of(chat).map(ToString::to_string) } else { None };
        let lid = chat.is_lid().then(|| chat.to_string());
        Conversation {
            id: Some(chat.to_string()),
            messages: shown.map(|message| self.history_message(chat, message)).collect(),
            last_msg_timestamp: newest,
            conversation_timestamp: newest,
            unread_count: u32::try_from(unread).ok(),
            end_of_history_transfer: Some(true),
            end_of_history_transfer_type: Some(end as i32),
            name: self.chats.names().get(chat).cloned(),
            pn_jid: pn,
            lid_jid: lid,
            ..Default::default()
        }
    }

    fn history_message(&self, chat: &Jid, message: &Stored) -> HistorySyncMsg {
        HistorySyncMsg { message: Some(Box::new(self.web_message(chat, message))), msg_order_id: None }
    }

    /// A stored message as history and placeholder answers carry it.
    pub(super) fn web_message(&self, chat: &Jid, stored: &Stored) -> WebMessageInfo {
        let message = Message::decode(stored.message.clone()).ok();
        let secret = message
            .as_ref()
            .and_then(|message| message.message_context_info.as_ref())
            .and_then(|context| context.message_secret.clone());
        let participant = (chat.is_group() && !stored.from_me).then(|| stored.sender.to_string());
        WebMessageInfo {
            key: Some(Box::new(MessageKey {
                remote_jid: Some(chat.to_string()),
                from_me: Some(stored.from_me),
                id: Some(stored.id.clone()),
                participant: participant.clone(),
            })),
            message: message.map(Box::new),
            message_timestamp: Some(stored.timestamp),
            participant,
            push_name: stored.push_name.clone(),
            message_secret: secret,
            ..Default::default()
        }
    }

    /// Announces one chunk to a companion, inline or as a file.
    pub(super) fn history_stanza(
        &mut self,
        device: u16,
        chunk: HistorySync,
        session: Option<String>,
        network: &mut dyn Network,
        now: Now,
    ) -> Result<Node, PhoneError> {
        let mut stream = deflate(&chunk.encode_to_vec());
        let fault = self.history.fault;
        if let (Some(HistoryFault::BadZlib), Some(first)) = (fault, stream.first_mut()) {
            *first ^= 0xFF;
        }
        let as_file = matches!(fault, Some(HistoryFault::MissingFile | HistoryFault::WrongHash));
        let mut notification = HistorySyncNotification {
            // The two enums share their values 0 to 6.
            sync_type: chunk.sync_type,
            chunk_order: chunk.chunk_order,
            progress: chunk.progress,
            peer_data_request_session_id: session.clone(),
            ..Default::default()
        };
        if stream.len() <= self.history.inline_up_to && !as_file {
            notification.initial_hist_bootstrap_inline_payload = Some(stream.into());
        } else {
            let media_key = MediaKey::generate(&mut self.rng);
            let (bytes, file) = wa_media::seal(&media_key.derive(MediaKind::History), &stream, Sidecar::None);
            notification.file_length = Some(file.file_length);
            notification.file_sha256 = Some(Bytes::copy_from_slice(&file.file_sha256));
            notification.file_enc_sha256 = Some(Bytes::copy_from_slice(&file.file_enc_sha256));
            notification.media_key = Some(Bytes::copy_from_slice(media_key.expose()));
            notification.enc_handle = Some(format!("h{:08x}", self.draw()));
            if fault == Some(HistoryFault::WrongHash) {
                notification.file_enc_sha256 = Some(Bytes::copy_from_slice(&file.file_sha256));
            }
            let blob = Blob {
                kind: MediaKind::History,
                enc_sha256: file.file_enc_sha256,
                file: Bytes::from(bytes).into(),
            };
            notification.direct_path = Some(match fault {
                Some(HistoryFault::MissingFile) => "/v/md-msg-hist/gone?ccb=11-4&oh=gone".to_owned(),
                _ => network.store_blob(blob),
            });
        }
        let protocol = ProtocolMessage {
            r#type: Some(Type::HistorySyncNotification as i32),
            history_sync_notification: Some(Box::new(notification)),
            ..Default::default()
        };
        let message = Message { protocol_message: Some(Box::new(protocol)), ..Default::default() };
        let (id, stanza) = self.peer_stanza(device, &message, "high", network, now)?;
        self.waiting_history.push(Notice { id, device, chunk, session });
        Ok(stanza)
    }

    /// Chunks that a companion has not confirmed yet.
    #[must_use]
    pub fn unconfirmed_history(&self) -> usize {
        self.waiting_history.len()
    }

    /// A companion confirmed notices with `hist_sync` receipts. A server delivers those to nobody, and so tells it here.
    pub fn history_taken(&mut self, ids: &[String]) {
        self.waiting_history.retain(|notice| !ids.contains(&notice.id));
    }

    /// A `server-error` receipt: the companion could not get the file; it is made and announced again.
    pub(super) fn history_again(&mut self, receipt: &Node, network: &mut dyn Network, now: Now) -> Turn {
        let Ok(id) = receipt.required("id").string() else { return Turn::default() };
        let Some(place) = self.waiting_history.iter().position(|notice| notice.id == id) else {
            return Turn::default();
        };
        let notice = self.waiting_history.remove(place);
        let stanza = self.history_stanza(notice.device, notice.chunk, notice.session, network, now);
        Turn { stanzas: stanza.into_iter().collect(), ..Turn::default() }
    }
}

/// A zlib stream at level 1, as phones make them.
fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    // Writing into a Vec cannot fail; an empty stream would be noticed by its reader.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}
