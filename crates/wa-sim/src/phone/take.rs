//! What a decrypted message means to the phone: text and what refers to texts, sender keys, protocol messages
//! (chapter 05 §6.2, §8).

use bytes::Bytes;
use prost::Message as _;
use wa_binary::Jid;
use wa_core::content::{Content, Parsed};
use wa_proto::e2e_message::Message;
use wa_proto::e2e_message::message::ProtocolMessage;
use wa_proto::e2e_message::message::protocol_message::Type;

use super::chats::Stored;
use super::receive::Envelope;
use super::retry::shared;
use super::seen::is_once;
use super::{Download, Kind, Network, Now, Phone, PhoneEvent, Received, Turn};

impl Phone {
    /// Takes an unpadded text; `None` when it is no `Message`.
    pub(super) fn take_content(
        &mut self,
        envelope: &Envelope,
        text: &Bytes,
        network: &mut dyn Network,
        now: Now,
    ) -> Option<Turn> {
        let outer = Message::decode(text.clone()).ok()?;
        let mut turn = Turn::default();
        let (chat, mut message, bytes) = match outer.device_sent_message {
            // Only an own device may speak for this account.
            Some(_) if !envelope.from_me => {
                let what = "deviceSentMessage from a stranger".to_owned();
                turn.events.push(PhoneEvent::Violation { device: envelope.sender.clone(), what });
                return Some(turn);
            }
            Some(sent) => {
                let chat = sent.destination_jid().parse().ok();
                let chat = chat.or_else(|| envelope.recipient.clone()).unwrap_or(envelope.from.user_jid());
                let mut inner = *sent.message.unwrap_or_default();
                if inner.message_context_info.is_none() {
                    inner.message_context_info = outer.message_context_info;
                }
                let bytes = inner.encode_to_vec().into();
                (chat, inner, bytes)
            }
            None => (self.chat_of(envelope), outer, text.clone()),
        };
        if let Some(distribution) = message.sender_key_distribution_message.take()
            && shared(&envelope.from)
        {
            let key = distribution.axolotl_sender_key_distribution_message.unwrap_or_default();
            self.take_sender_key(&envelope.from, &envelope.address, &key);
        }
        message.fast_ratchet_key_sender_key_distribution_message = None;
        let protocol = message.protocol_message.as_deref();
        let changes_text = |it: &&ProtocolMessage| matches!(it.r#type(), Type::Revoke | Type::MessageEdit);
        if let Some(protocol) = protocol.filter(|it| !changes_text(it)) {
            turn.append(self.take_protocol(envelope, protocol, network, now));
            return Some(turn);
        }
        let mut content = message.clone();
        content.message_context_info = None;
        if content == Message::default() {
            return Some(turn);
        }
        let chat = self.chat_key(&chat, network);
        let mut parsed = Parsed::read(&message);
        parsed.content = self.open_add_on(&chat, envelope, parsed.content);
        self.change(&chat, envelope, &parsed.content);
        let mut kind = Kind::of(&parsed);
        if let (Kind::File(file), Some(media)) = (&mut kind, parsed.content.media()) {
            file.download = self.download(&envelope.id, media, network);
            if let Download::Broken { why } = &file.download {
                let what = format!("the file of message {}: {why}", envelope.id);
                turn.events.push(PhoneEvent::Violation { device: envelope.sender.clone(), what });
            }
        }
        if kind.stands_alone() {
            let stored = Stored {
                id: envelope.id.clone(),
                sender: if envelope.from_me { self.own().clone() } else { envelope.sender.user_jid() },
                from_me: envelope.from_me,
                timestamp: envelope.timestamp,
                message: bytes.clone(),
                push_name: envelope.push_name.clone().filter(|_| !envelope.from_me),
                unread: !envelope.from_me,
            };
            self.chats.store(&chat, stored);
        }
        let received = Received {
            id: envelope.id.clone(),
            chat,
            sender: envelope.sender.clone(),
            from_me: envelope.from_me,
            push_name: envelope.push_name.clone(),
            timestamp: envelope.timestamp,
            kind,
            view_once: is_once(&parsed),
            disappears: parsed.context.disappearing.map(|disappearing| disappearing.seconds),
            message: bytes,
        };
        if self.inbox.len() >= 2 * super::MOST_IN_INBOX {
            self.inbox.drain(..super::MOST_IN_INBOX);
        }
        self.inbox.push(received.clone());
        turn.events.push(PhoneEvent::Message(Box::new(received)));
        Some(turn)
    }

    fn chat_of(&self, envelope: &Envelope) -> Jid {
        match &envelope.recipient {
            Some(recipient) if envelope.from_me => recipient.user_jid(),
            // What came by a broadcast list is in the chat with its author.
            _ if envelope.from.is_broadcast_list() && !envelope.from_me => envelope.sender.user_jid(),
            _ => envelope.from.user_jid(),
        }
    }

    /// An edit or revoke by its author changes the stored message.
    fn change(&mut self, chat: &Jid, envelope: &Envelope, content: &Content) {
        let Some(target) = content.target() else { return };
        let by_author = self.chats.find(chat, &target.id).is_some_and(|stored| {
            stored.from_me == envelope.from_me
                && (stored.from_me || self.same_person(&stored.sender, &envelope.sender))
        });
        match content {
            Content::Edit(edit) if by_author => {
                if let Ok(edited) = edit.content.to_message() {
                    self.chats.replace(chat, &target.id, edited.encode_to_vec().into());
                }
            }
            Content::Revoke(_) if by_author => self.chats.remove(chat, &target.id),
            _ => {}
        }
    }

    /// Whether two addresses are one person's, also across the families.
    fn same_person(&self, a: &Jid, b: &Jid) -> bool {
        a.same_user(b)
            || self.peers.pn_of(a).is_some_and(|pn| pn.same_user(b))
            || self.peers.pn_of(b).is_some_and(|pn| pn.same_user(a))
    }

    fn take_protocol(
        &mut self,
        envelope: &Envelope,
        protocol: &ProtocolMessage,
        network: &mut dyn Network,
        now: Now,
    ) -> Turn {
        let own_only = matches!(
            protocol.r#type(),
            Type::HistorySyncNotification
                | Type::AppStateSyncKeyShare
                | Type::AppStateSyncKeyRequest
                | Type::AppStateFatalExceptionNotification
                | Type::PeerDataOperationRequestMessage
                | Type::PeerDataOperationRequestResponseMessage
        );
        if own_only && !envelope.from_me {
            let what = format!("{} from a stranger", protocol.r#type().as_str_name());
            let device = envelope.sender.clone();
            return Turn { events: vec![PhoneEvent::Violation { device, what }], ..Turn::default() };
        }
        match protocol.r#type() {
            Type::AppStateSyncKeyRequest => self.answer_key_request(envelope, protocol, network, now),
            Type::AppStateFatalExceptionNotification => {
                let named = protocol.app_state_fatal_exception_notification.as_deref();
                let collections = named.map(|it| it.collection_names.clone()).unwrap_or_default();
                let device = envelope.sender.clone();
                let events = vec![PhoneEvent::FatalAppState { device, collections }];
                Turn { events, ..Turn::default() }
            }
            // A group's timer is the server's to know.
            Type::EphemeralSetting if !envelope.from.is_group() => {
                let chat = self.chat_of(envelope);
                let chat = self.chat_key(&chat, network);
                self.chats.set_timer(&chat, protocol.ephemeral_expiration(), envelope.timestamp);
                Turn::default()
            }
            Type::PeerDataOperationRequestMessage => self.answer_peer_data(envelope, protocol, network, now),
            _ => Turn::default(),
        }
    }
}
