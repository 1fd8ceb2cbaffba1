//! What the phone's user does: texts, replies, reactions, edits, revokes, read receipts, typing; to a person, to a
//! group, to one own companion (chapter 05 §4–§6, chapter 04 §12).

use std::collections::BTreeSet;

use bytes::Bytes;
use prost::Message as _;
use rand_core::Rng as _;
use wa_binary::{Hosting, Jid, Node};
use wa_core::content::{Content, Edit, Reaction, Revoke, Text};
use wa_core::envelope::{padding, phash};
use wa_core::secrets::MessageSecret;
use wa_core::tokens::reporting;
use wa_proto::e2e_message::message::{DeviceSentMessage, SenderKeyDistributionMessage};
use wa_proto::e2e_message::{Message, MessageContextInfo};
use wa_signal::{CiphertextKind, OwnSenderKey};

use super::chats::{Sent, Shape, Stored};
use super::compose::{stands_alone, target_of};
use super::retry::shared;
use super::{Action, Addressing, Manner, MessageRef, Network, Now, Phone, PhoneError, Turn};

/// A way in which one send goes wrong on purpose (chapter 10 §11 "encryption").
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Misbehaviour {
    /// The padding's last byte is 0.
    WrongPadding,
    /// The version byte names version 5.
    UnknownVersion,
    /// A bit of the ciphertext is flipped.
    BentCiphertext,
    /// The stanza goes out twice, the second time under another id: the counters are old ones.
    Replay,
    /// The stanza goes out twice, byte for byte.
    Duplicate,
    /// A group message without the sender key that it needs.
    WithheldSenderKey,
    /// A first message that names a one-time pre-key which the receiver never made.
    UnknownPreKey,
    /// This and the following sends, so many in all, are held back and then go out newest first.
    OutOfOrder(u32),
    /// The same retry receipt many times, for the last message received.
    RetryStorm(u32),
}

/// A message about to be sent.
pub(super) struct Draft {
    pub(super) message: Message,
    pub(super) shape: Shape,
    /// Takes a message secret and a reporting token.
    pub(super) secret: bool,
}

impl Phone {
    /// Carries out a deed of the user.
    ///
    /// # Errors
    /// [`PhoneError`]; nothing was sent then.
    pub fn act(&mut self, action: Action, network: &mut dyn Network, now: Now) -> Result<Turn, PhoneError> {
        if !self.online {
            return Err(PhoneError::Offline);
        }
        match action {
            Action::Text { chat, text, quote } => {
                let manner = Manner { quote, ..Manner::default() };
                self.say(&chat, &Content::Text(Text::new(text)), &manner, network, now)
            }
            Action::Say { chat, content, manner } => {
                let turn = self.say(&chat, &content, &manner, network, now)?;
                if let (Content::Disappearing(setting), false) = (&*content, chat.is_group()) {
                    let chat = self.chat_key(&chat, network);
                    self.chats.set_timer(&chat, setting.seconds, now.seconds());
                }
                Ok(turn)
            }
            Action::File { chat, file, manner } => {
                let id = self.message_id();
                let content = self.upload_file(&id, file, network, now);
                let draft = self.draft(&chat, &content, &manner, network)?;
                self.send(id, &chat, draft, network, now)
            }
            Action::Vote { poll, options } => {
                let vote = self.vote(&poll, options, network, now)?;
                self.say(&poll.chat, &vote, &Manner::default(), network, now)
            }
            Action::Respond { event, answer } => {
                let response = self.respond(&event, answer, network, now)?;
                self.say(&event.chat, &response, &Manner::default(), network, now)
            }
            Action::React { target, emoji } => {
                let reaction = Reaction::new(target_of(&target), emoji, Some(now.unix_ms));
                self.say(&target.chat, &Content::Reaction(reaction), &Manner::default(), network, now)
            }
            Action::Edit { target, text } => {
                self.require_own(&target, network)?;
                let text = Content::Text(Text::new(text));
                let edited = text.to_message()?.encode_to_vec().into();
                let edit = Content::Edit(Edit::new(target_of(&target), text, Some(now.unix_ms)));
                let turn = self.say(&target.chat, &edit, &Manner::default(), network, now)?;
                let chat = self.chat_key(&target.chat, network);
                self.chats.replace(&chat, &target.id, edited);
                Ok(turn)
            }
            Action::Revoke { target } => {
                self.require_own(&target, network)?;
                let revoke = Content::Revoke(Revoke::new(target_of(&target)));
                let turn = self.say(&target.chat, &revoke, &Manner::default(), network, now)?;
                let chat = self.chat_key(&target.chat, network);
                self.chats.remove(&chat, &target.id);
                Ok(turn)
            }
            Action::Read { chat } => Ok(self.read(&chat, network, now)),
            Action::Typing { chat, composing } => {
                let state = Node::new(if composing { "composing" } else { "paused" });
                let stanza = Node::new("chatstate").attr("to", chat).child(state);
                Ok(Turn { stanzas: vec![stanza], ..Turn::default() })
            }
            Action::Raw { chat, message, stanza_type, media_type } => {
                let message = Message::decode(message)
                    .map_err(|_| PhoneError::UnknownMessage("not a Message".to_owned()))?;
                let shape = Shape { stanza_type, media_type, ..Shape::default() };
                let id = self.message_id();
                self.send(id, &chat, Draft { message, shape, secret: true }, network, now)
            }
        }
    }

    fn say(
        &mut self,
        chat: &Jid,
        content: &Content,
        manner: &Manner,
        network: &mut dyn Network,
        now: Now,
    ) -> Result<Turn, PhoneError> {
        let draft = self.draft(chat, content, manner, network)?;
        let id = self.message_id();
        self.send(id, chat, draft, network, now)
    }

    fn require_own(&mut self, target: &MessageRef, network: &mut dyn Network) -> Result<(), PhoneError> {
        let chat = self.chat_key(&target.chat, network);
        match self.chats.find(&chat, &target.id) {
            Some(stored) if stored.from_me => Ok(()),
            _ => Err(PhoneError::UnknownMessage(target.id.clone())),
        }
    }

    fn read(&mut self, chat: &Jid, network: &mut dyn Network, now: Now) -> Turn {
        let key = self.chat_key(chat, network);
        let mut turn = Turn::default();
        for (author, ids) in self.chats.take_unread(&key) {
            for ids in ids.chunks(256) {
                let [first, rest @ ..] = ids else { continue };
                let list = (!rest.is_empty()).then(|| {
                    Node::new("list").children(rest.iter().map(|id| Node::new("item").attr("id", id)))
                });
                let to = if shared(chat) { chat } else { &author };
                let receipt = Node::new("receipt")
                    .attr("id", first)
                    .attr("to", to)
                    .attr("type", "read")
                    .maybe_attr("participant", shared(chat).then(|| author.clone()))
                    .attr("t", now.seconds().to_string())
                    .maybe_child(list);
                turn.stanzas.push(receipt);
            }
        }
        turn
    }

    /// Sends to a person, a group or the status audience, and keeps the message.
    fn send(
        &mut self,
        id: String,
        chat: &Jid,
        mut draft: Draft,
        network: &mut dyn Network,
        now: Now,
    ) -> Result<Turn, PhoneError> {
        let secret = draft.secret.then(|| MessageSecret::random(&mut self.rng));
        if let Some(secret) = &secret {
            let context = draft.message.message_context_info.get_or_insert_default();
            context.message_secret.get_or_insert_with(|| Bytes::copy_from_slice(secret.expose()));
            context.reporting_token_version = Some(2);
        }
        let wrong = if self.misbehaviour.is_empty() { None } else { Some(self.misbehaviour.remove(0)) };
        let mut stanza = match shared(chat) {
            true => self.group_stanza(chat, &id, &draft, wrong, network, now)?,
            false => self.direct_stanza(chat, &id, &draft, wrong, network, now)?,
        };
        let (to, own) = (stanza.required("to").jid().unwrap_or(Jid::SERVER), self.own().clone());
        let plain: Bytes = draft.message.encode_to_vec().into();
        if let Some(secret) = &secret {
            let sender = self.own_in_family_of(&to).clone();
            if let Some(token) = reporting::node(&plain, secret, &id, &sender, &to) {
                stanza.push(token);
            }
        }
        let issued = self.attach_token(&mut stanza, &to, now);
        let shape = draft.shape;
        self.chats.keep_sent(&id, Sent { to, message: plain.clone(), shape, peer: false });
        let key = self.chat_key(chat, network);
        if stands_alone(&draft.message) {
            let stored = Stored {
                id,
                sender: own,
                from_me: true,
                timestamp: now.seconds(),
                message: plain,
                push_name: None,
                unread: false,
            };
            self.chats.store(&key, stored);
        }
        if let Some(Misbehaviour::OutOfOrder(count)) = wrong {
            self.hold = count;
        }
        if self.hold > 0 {
            self.hold -= 1;
            self.held.push(stanza);
            let stanzas = if self.hold == 0 { self.held.drain(..).rev().collect() } else { Vec::new() };
            return Ok(Turn { stanzas, ..Turn::default() });
        }
        let mut turn = Turn { stanzas: vec![stanza.clone()], ..Turn::default() };
        turn.stanzas.extend(issued);
        match wrong {
            Some(Misbehaviour::Duplicate) => turn.stanzas.push(stanza),
            Some(Misbehaviour::Replay) => {
                stanza.set_attr("id", self.message_id());
                turn.stanzas.push(stanza);
            }
            Some(Misbehaviour::RetryStorm(count)) => turn.append(self.retry_storm(count)),
            _ => {}
        }
        Ok(turn)
    }

    /// Pads as every `v="2"` text is padded.
    pub(super) fn padded(&mut self, message: &Message, wrong: Option<Misbehaviour>) -> Vec<u8> {
        let mut text = message.encode_to_vec();
        padding::pad(&mut text, &mut self.rng);
        if let (Some(Misbehaviour::WrongPadding), Some(last)) = (wrong, text.last_mut()) {
            *last = 0;
        }
        text
    }

    fn direct_stanza(
        &mut self,
        chat: &Jid,
        id: &str,
        draft: &Draft,
        wrong: Option<Misbehaviour>,
        network: &mut dyn Network,
        now: Now,
    ) -> Result<Node, PhoneError> {
        // One family for everything: LID where both sides have one.
        let partner = self.chat_key(chat, network);
        let alternate = network.alternate(&partner);
        let (to, own) = match (&self.lid, partner.is_lid()) {
            (Some(lid), true) => (partner, lid.clone()),
            (None, true) => (alternate.clone().unwrap_or(partner), self.pn.clone()),
            (_, false) => (partner, self.pn.clone()),
        };
        let to_self = self.is_own(&to);
        let mut targets = network.devices(&own);
        targets.retain(|device| device.device() != 0);
        let copies = targets.len();
        if !to_self {
            targets.extend(network.devices(&to));
        }
        if targets.len() == copies && !to_self {
            return Err(PhoneError::Unreachable(to));
        }

        let theirs = self.padded(&draft.message, wrong);
        let copy = device_sent(&to, &draft.message);
        let ours = self.padded(&copy, wrong);
        let mut entries = Vec::with_capacity(targets.len());
        let mut reached = 0;
        // The partner's devices first: an own copy is worth nothing when nobody else can be reached.
        targets.rotate_left(copies);
        let partners = targets.len() - copies;
        for (place, device) in targets.into_iter().enumerate() {
            let text = if place < partners { &theirs } else { &ours };
            match self.seal(&device, text, network, now) {
                Ok(mut sealed) => {
                    bend(&mut sealed.bytes, wrong);
                    if wrong == Some(Misbehaviour::UnknownPreKey)
                        && sealed.kind == CiphertextKind::PreKeyMessage
                    {
                        sealed.bytes = with_unknown_pre_key(&sealed.bytes);
                    }
                    reached += usize::from(place < partners);
                    let enc = enc_node(sealed.kind.as_str(), sealed.bytes, &draft.shape);
                    entries.push(Node::new("to").attr("jid", device).child(enc));
                }
                Err(error) => tracing::debug!(%device, %error, "no copy for this device"),
            }
        }
        if reached == 0 && !to_self {
            return Err(PhoneError::Unreachable(to));
        }
        let peer_pn = alternate.filter(|alternate| to.is_lid() && alternate.is_pn() && !to_self);
        Ok(Node::new("message")
            .attr("id", id)
            .attr("to", to)
            .attr("type", &draft.shape.stanza_type)
            .maybe_attr("edit", draft.shape.edit.as_deref())
            .maybe_attr("peer_recipient_pn", peer_pn)
            .maybe_child(draft.shape.meta.node())
            .child(Node::new("participants").children(entries)))
    }

    fn group_stanza(
        &mut self,
        group: &Jid,
        id: &str,
        draft: &Draft,
        wrong: Option<Misbehaviour>,
        network: &mut dyn Network,
        now: Now,
    ) -> Result<Node, PhoneError> {
        let audience = self.audience(group, network)?;
        let own = audience.own;
        let mut members = audience.members;
        if !members.iter().any(|member| self.is_own(member)) {
            members.push(own.clone());
        }
        let mut devices: Vec<Jid> = members.iter().flat_map(|member| network.devices(member)).collect();
        devices.retain(|device| {
            let this = device.device() == 0 && self.is_own(device);
            !this && !device.is_hosted()
        });
        let status = group.is_status();
        let hash = (!status).then(|| phash(devices.iter().chain([&own])));

        let addresses: Vec<Jid> = devices.iter().map(|device| self.address(device, network)).collect();
        self.rotate_if_somebody_left(group, &addresses);
        let mut entries = Vec::new();
        let distribution = self.distribution(group);
        let wrapped = self.padded(&distribution_message(group, distribution), None);
        for (device, address) in devices.iter().zip(&addresses) {
            // Own companions are given the key each time, others once.
            let holds = self.peers.own_key(group).is_some_and(|key| key.holders.contains(address));
            let withheld = wrong == Some(Misbehaviour::WithheldSenderKey);
            if (holds && !self.is_own(address)) || withheld {
                continue;
            }
            match self.seal(device, &wrapped, network, now) {
                Ok(sealed) => {
                    let enc = enc_node(sealed.kind.as_str(), sealed.bytes, &Shape::default());
                    entries.push(Node::new("to").attr("jid", device).child(enc));
                    if let Some(key) = self.peers.own_key(group) {
                        key.holders.insert(address.clone());
                    }
                }
                Err(error) => tracing::debug!(%device, %error, "no sender key for this device"),
            }
        }
        let text = self.padded(&draft.message, wrong);
        let mut sealed = match self.peers.own_key(group) {
            Some(key) => key.key.encrypt(&text, &mut self.rng)?,
            None => return Err(PhoneError::UnknownGroup(group.clone())),
        };
        bend(&mut sealed, wrong);
        if status {
            // The server is told everybody who is to see it, also those who have the key.
            let listed: BTreeSet<Jid> = entries
                .iter()
                .filter_map(|entry| entry.required("jid").jid().ok().map(|jid| jid.user_jid()))
                .collect();
            let missing = members.iter().filter(|member| !listed.contains(member));
            entries.extend(missing.map(|member| Node::new("to").attr("jid", member)));
        }
        let participants = (!entries.is_empty()).then(|| Node::new("participants").children(entries));
        let post = status && stands_alone(&draft.message);
        let meta = match (draft.shape.meta.node(), post) {
            (meta, false) => meta,
            (meta, true) => {
                let meta = meta.unwrap_or_else(|| Node::new("meta"));
                Some(meta.attr("status_setting", "contacts"))
            }
        };
        Ok(Node::new("message")
            .attr("id", id)
            .attr("to", group)
            .attr("type", &draft.shape.stanza_type)
            .maybe_attr("edit", draft.shape.edit.as_deref())
            .maybe_attr("phash", hash)
            .maybe_attr("addressing_mode", audience.addressing.map(Addressing::name))
            .maybe_child(participants)
            .maybe_child(meta)
            .child(enc_node("skmsg", sealed, &draft.shape)))
    }

    /// Who gets a message to a group or a status post.
    fn audience(&mut self, chat: &Jid, network: &mut dyn Network) -> Result<Audience, PhoneError> {
        if chat.is_status() {
            let own = self.own().clone();
            return Ok(Audience { members: network.audience(&own), own, addressing: None });
        }
        let view = network.group(chat).ok_or_else(|| PhoneError::UnknownGroup(chat.clone()))?;
        let own = match view.addressing {
            Addressing::Lid => self.own().clone(),
            Addressing::Pn => self.pn.clone(),
        };
        Ok(Audience { members: view.participants, own, addressing: Some(view.addressing) })
    }

    /// A device that had the key and is no longer among the group's devices: nobody keeps the old key.
    fn rotate_if_somebody_left(&mut self, group: &Jid, present: &[Jid]) {
        let present: BTreeSet<&Jid> = present.iter().collect();
        let left =
            |key: &&mut super::sessions::GroupKey| key.holders.iter().any(|holder| !present.contains(holder));
        if self.peers.own_key(group).as_ref().is_some_and(left) {
            self.peers.drop_own_key(group);
        }
    }

    /// The present place of the own sender key, which is made if there is none.
    pub(super) fn distribution(&mut self, group: &Jid) -> Vec<u8> {
        if self.peers.own_key(group).is_none() {
            let key = OwnSenderKey::generate(&mut self.rng);
            return self.peers.set_own_key(group.clone(), key).key.distribution().encode();
        }
        self.peers.own_key(group).map(|key| key.key.distribution().encode()).unwrap_or_default()
    }

    /// A protocol message to one own companion (chapter 05 §6).
    pub(super) fn peer_stanza(
        &mut self,
        device: u16,
        message: &Message,
        priority: &str,
        network: &mut dyn Network,
        now: Now,
    ) -> Result<(String, Node), PhoneError> {
        // Every family of clients accepts the phone number here; the session is the LID's all the same.
        let to = self.pn.with_device(device, Hosting::Own);
        let text = self.padded(message, None);
        let sealed = self.seal(&to, &text, network, now)?;
        let id = self.message_id();
        let shape = Shape { stanza_type: "text".to_owned(), ..Shape::default() };
        let stanza = Node::new("message")
            .attr("id", &id)
            .attr("to", &to)
            .attr("type", "text")
            .attr("category", "peer")
            .attr("push_priority", priority)
            .child(Node::new("meta").attr("appdata", "default"))
            .child(enc_node(sealed.kind.as_str(), sealed.bytes, &shape));
        let message = message.encode_to_vec().into();
        self.chats.keep_sent(&id, Sent { to, message, shape, peer: true });
        Ok((id, stanza))
    }

    fn retry_storm(&mut self, count: u32) -> Turn {
        let Some(last) = self.inbox.last() else { return Turn::default() };
        let registration = self.local.registration_id().to_be_bytes().to_vec();
        let (to, participant) = match last.chat.is_group() {
            true => (last.chat.clone(), Some(last.sender.clone())),
            false => (last.sender.clone(), None),
        };
        let retry = Node::new("retry")
            .attr("v", "1")
            .attr("count", "1")
            .attr("id", &last.id)
            .attr("t", last.timestamp.to_string());
        let receipt = Node::new("receipt")
            .attr("id", &last.id)
            .attr("to", to)
            .attr("type", "retry")
            .maybe_attr("participant", participant)
            .child(retry)
            .child(Node::new("registration").bytes(registration));
        let count = count.min(10_000) as usize;
        Turn { stanzas: vec![receipt; count], ..Turn::default() }
    }

    /// A random number for jitter and the like.
    pub(super) fn draw(&mut self) -> u32 {
        self.rng.next_u32()
    }
}

/// Who gets a message that one sender key is for.
struct Audience {
    members: Vec<Jid>,
    /// This account, in the family of the others.
    own: Jid,
    /// Groups name it, the status does not.
    addressing: Option<Addressing>,
}

/// What own companions get: the message in an envelope that names the chat; its context moves to the outside.
pub(super) fn device_sent(chat: &Jid, message: &Message) -> Message {
    let mut inner = message.clone();
    let context: Option<Box<MessageContextInfo>> = inner.message_context_info.take();
    let sent = DeviceSentMessage {
        destination_jid: Some(chat.user_jid().to_string()),
        message: Some(Box::new(inner)),
        phash: None,
    };
    Message { device_sent_message: Some(Box::new(sent)), message_context_info: context, ..Default::default() }
}

pub(super) fn distribution_message(group: &Jid, distribution: Vec<u8>) -> Message {
    let distribution = SenderKeyDistributionMessage {
        group_id: Some(group.to_string()),
        axolotl_sender_key_distribution_message: Some(distribution.into()),
    };
    Message { sender_key_distribution_message: Some(Box::new(distribution)), ..Default::default() }
}

pub(super) fn enc_node(kind: &str, bytes: Vec<u8>, shape: &Shape) -> Node {
    Node::new("enc")
        .attr("v", "2")
        .attr("type", kind)
        .maybe_attr("mediatype", shape.media_type.as_deref())
        .maybe_attr("decrypt-fail", shape.hide.then_some("hide"))
        .bytes(bytes)
}

/// The highest id that is never given out in a test of reasonable length.
fn with_unknown_pre_key(bytes: &[u8]) -> Vec<u8> {
    let Some((version, body)) = bytes.split_first() else { return Vec::new() };
    let mut message = wa_proto::signal::PreKeySignalMessage::decode(body).unwrap_or_default();
    message.pre_key_id = Some(wa_core::prekeys::MAX_ID);
    let mut bytes = vec![*version];
    bytes.extend(message.encode_to_vec());
    bytes
}

fn bend(bytes: &mut [u8], wrong: Option<Misbehaviour>) {
    match wrong {
        Some(Misbehaviour::UnknownVersion) => {
            if let Some(version) = bytes.first_mut() {
                *version = 0x55;
            }
        }
        Some(Misbehaviour::BentCiphertext) => {
            // Close to the end stands what authenticates, in all three kinds of messages.
            let place = bytes.len().saturating_sub(12);
            if let Some(byte) = bytes.get_mut(place) {
                *byte ^= 1;
            }
        }
        _ => {}
    }
}
