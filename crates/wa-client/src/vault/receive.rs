//! Messages in: decrypt, understand, store, and only then acknowledge (chapters 04 §13 and 05 §7).

use std::sync::Arc;

use prost::Message as _;
use wa_binary::{Jid, NodeRef, Stanza};
use wa_core::envelope::padding::unpad;
use wa_core::envelope::{
    self, Activity, EncType, Encrypted, MessageStanza, Nack, device_sent_original, has_content, message_ack,
};
use wa_proto::view::View as _;
use wa_proto::view::e2e_message::{MessageView, message::DeviceSentMessageView};
use wa_signal::{
    Distributed, ErrorClass, OwnPreKeys, PreKeySignalMessage, Sender, SenderKeyDistribution,
    SenderKeyMessage, SessionUse, SignalError, SignalMessage,
};
use wa_store::{Bytes, MappingSource, StoreError, UnixTime, tables};

use super::step::{After, Outputs, Step};
use super::together::{commit_with, take_along};
use crate::connection::link::Link;
use crate::connection::outcome::Ended;
use crate::credentials::{Own, from_row, signed_from_row};
use crate::events::StoredEvent;
use crate::health::board::Place;
use crate::health::{Cause, Condition, Status};
use crate::identity::{Peer, chat_row};
use crate::messages::types::StoredMessage;
use crate::messages::{FromBot, receipts, retry};
use crate::shared::Shared;

/// Takes a batch of messages and receipts in one step and one commit.
///
/// # Errors
/// The connection has to end: the store cannot be read, or the lease is gone. Nothing was acknowledged then.
pub(crate) async fn receive(shared: &Arc<Shared>, link: &Link, stanzas: Vec<Stanza>) -> Result<(), Ended> {
    if shared.inbox_waiting() > shared.config.inbox.rows {
        // Neither decrypted nor acknowledged: the server keeps them.
        let waiting = shared.inbox_waiting();
        let condition =
            Condition::new(Status::ApplicationBehind { waiting }, Cause::ApplicationBehind, shared.now());
        shared.report(|board| board.raise(Place::Application, condition));
        return Ok(());
    }
    let mut vault = shared.vault.lock().await;
    let mut step = Step::new(shared);
    let own = step.device.own();
    let mut read = Vec::new();
    if let Some(own) = &own {
        read = receipts::prepare(&mut step, own, &stanzas).await?;
    }
    let mut read = read.into_iter();
    for stanza in stanzas.iter().map(Stanza::root) {
        match &own {
            _ if !stanza.is("message") => {
                receipts::take(&mut step, read.next().flatten(), stanza).await?;
            }
            Some(own) => step.message(own, stanza).await?,
            // Before the link there are no messages.
            None => {}
        }
    }
    if sabotaged!(shared, AckBeforeCommit) {
        for stanza in step.outputs.stanzas.drain(..).chain(step.outputs.backlog.drain(..)) {
            let _ = link.send(&stanza);
        }
        crate::sabotage::let_others_run().await;
    }
    kill_point!(shared, BatchOpened);
    // What waits for a commit to share.
    let along = take_along(&mut step, shared.together.later()).await;
    let committed = commit_with(&mut vault, shared, step, along, Vec::new()).await?;
    kill_point!(shared, BatchStored);
    publish(shared, link, committed);
    kill_point!(shared, BatchPublished);
    Ok(())
}

/// Lets out what a commit has allowed.
pub(crate) fn publish(shared: &Arc<Shared>, link: &Link, outputs: wa_store::Committed<Outputs>) {
    let outputs = outputs.release();
    if let Some(device) = outputs.device {
        shared.set_device(device);
    }
    // Without a connection the server sends again, and what is a duplicate then is answered again.
    let _ = link.send_several(outputs.stanzas);
    if !outputs.backlog.is_empty() {
        crate::backlog::hold_receipts(shared, link, outputs.backlog);
    }
    for after in outputs.after {
        match after {
            After::RefreshDevices(user) => crate::devices::forget_later(shared, user),
            After::SyncSettings => crate::app_state::keys_came(shared),
            After::ShareKeys(to, ids) => crate::app_state::share_later(shared, link, to, ids),
            After::Answered(answer) => {
                if !shared.questions.answered(answer) {
                    tracing::debug!("the phone answers what nobody asks any more");
                }
            }
            After::FetchHistory => crate::history::fetch_later(shared, link),
            After::AskPhone => crate::messages::placeholder::ask_later(shared),
            After::ShowPresence if shared.is_logged_in() => crate::presence::on_connect(shared, link),
            // Shown when the backlog is done.
            After::ShowPresence => {}
        }
    }
}

/// What became of the ciphertexts of a stanza.
enum Opened {
    /// A plaintext, padding removed: a message that says something.
    Message(Bytes),
    /// Only keys or things between own devices came.
    Nothing,
    /// It was processed before.
    Duplicate,
    /// It cannot be opened; a retry may help.
    Failed(SignalError),
    /// It was opened, but is no message.
    NoMessage,
    /// A bot answers what is not known here.
    NoSecret,
    /// Nothing in it is known.
    Unknown,
}

impl Step<'_> {
    async fn message(&mut self, own: &envelope::Own, stanza: NodeRef<'_>) -> Result<(), StoreError> {
        let incoming = match MessageStanza::parse(stanza, own) {
            Ok(incoming) => incoming,
            Err(error) => {
                tracing::warn!(%error, "a message's envelope cannot be read");
                self.outputs.stanzas.extend(error.nack(stanza));
                return Ok(());
            }
        };
        if incoming.from_me && incoming.sender.device() == 0 {
            crate::absence::phone_seen(self.shared);
        }
        if let Some(alt) = &incoming.sender_alt {
            self.learn(&incoming.sender, alt, MappingSource::Live).await?;
        }
        if let Some(alt) = &incoming.recipient_alt {
            self.learn(&incoming.chat, alt, MappingSource::Live).await?;
        }
        if let Some(kind) = incoming.unavailable {
            self.unavailable(&incoming, kind).await?;
            self.answer(&incoming);
            return Ok(());
        }
        let encrypted = MessageStanza::encrypted(stanza, own);
        match self.open(&incoming, &encrypted).await? {
            Opened::Message(bytes) => {
                let is_new = !retry::arrives(self, &incoming).await?;
                if is_new && !self.understand(&incoming, &bytes).await? {
                    retry::note_arrival(self, &incoming).await?;
                }
                self.answer(&incoming);
            }
            Opened::Nothing | Opened::Duplicate => self.answer(&incoming),
            // A part of a known sort without bytes.
            Opened::Unknown if incoming.is_decryptable() => {
                self.outputs.stanzas.push(message_ack(&incoming, Some(Nack::UnknownStanza)));
            }
            Opened::Unknown => self.answer(&incoming),
            Opened::NoSecret => {
                self.outputs.stanzas.push(message_ack(&incoming, Some(Nack::MissingMessageSecret)));
            }
            Opened::Failed(error) => self.failed(&incoming, &error).await?,
            Opened::NoMessage => {
                self.outputs.stanzas.push(message_ack(&incoming, Some(Nack::InvalidProtobuf)));
            }
        }
        Ok(())
    }

    /// What a message that was handled is owed: a receipt, an ack, or a refusal of what nobody knows.
    fn answer(&mut self, incoming: &MessageStanza) {
        let activity = if self.shared.is_active() { Activity::Active } else { Activity::Inactive };
        let answer = incoming.answer(activity);
        if incoming.offline && answer.is("receipt") {
            self.outputs.backlog.push(answer);
        } else {
            self.outputs.stanzas.push(answer);
        }
    }

    /// Opens every ciphertext, pairwise ones first: they may bring the key for the others.
    async fn open(
        &mut self,
        incoming: &MessageStanza,
        encrypted: &[Encrypted<'_>],
    ) -> Result<Opened, StoreError> {
        let mut result = Opened::Unknown;
        for one in encrypted {
            let opened = match one.kind {
                EncType::PkMsg | EncType::Msg => self.open_pairwise(incoming, one).await?,
                EncType::SkMsg if !incoming.is_direct() => self.open_shared(incoming, one).await?,
                EncType::MsMsg => {
                    return Ok(match self.open_from_bot(incoming, one).await? {
                        FromBot::Opened(bytes) if MessageView::parse(&bytes).is_ok() => {
                            Opened::Message(bytes.into())
                        }
                        FromBot::Opened(_) => Opened::NoMessage,
                        FromBot::NoSecret => Opened::NoSecret,
                    });
                }
                EncType::SkMsg | EncType::Other(_) => continue,
            };
            let mut plaintext = match opened {
                Ok(plaintext) => plaintext,
                Err(error) if error.class() == ErrorClass::Duplicate => {
                    result = Opened::Duplicate;
                    continue;
                }
                // The resend will bring both ciphertexts.
                Err(error) => return Ok(Opened::Failed(error)),
            };
            let Ok(text) = unpad(&plaintext) else { return Ok(Opened::NoMessage) };
            let Ok(message) = MessageView::parse(text) else { return Ok(Opened::NoMessage) };
            self.take_sender_key(incoming, &message).await?;
            result = if has_content(&message) {
                let length = text.len();
                plaintext.truncate(length);
                Opened::Message(plaintext.into())
            } else {
                Opened::Nothing
            };
        }
        Ok(result)
    }

    async fn open_pairwise(
        &mut self,
        incoming: &MessageStanza,
        one: &Encrypted<'_>,
    ) -> Result<Result<Vec<u8>, SignalError>, StoreError> {
        let at = self.address_of(&incoming.sender).await?;
        let local = self.local.clone();
        let sender = if incoming.from_me { Sender::OwnDevice } else { Sender::Other };
        let mut rng = self.shared.rng();
        let received = if one.kind == EncType::PkMsg {
            let message = match PreKeySignalMessage::parse(&one.bytes) {
                Ok(message) => message,
                Err(error) => return Ok(Err(error)),
            };
            let (signed, one_time) = if self.session(&at).await?.record.knows(&message) {
                (None, None)
            } else {
                self.own_keys(&message).await?
            };
            let keys = OwnPreKeys { signed: signed.as_ref(), one_time: one_time.as_ref() };
            self.session(&at).await?.record.decrypt_pre_key(&local, &message, keys, sender, &mut rng)
        } else {
            match SignalMessage::parse(&one.bytes) {
                Ok(message) => self.session(&at).await?.record.decrypt(&local, &message, sender, &mut rng),
                Err(error) => Err(error),
            }
        };
        let received = match received {
            Ok(received) => received,
            Err(error) => return Ok(Err(error)),
        };
        if received.session == SessionUse::Created {
            // A session that the peer began is one that the original of a restored copy never used.
            self.session(&at).await?.sending = wa_store::Sending::Allowed;
            if self.save_identity(&at, &received.identity_key).await? && at.device == 0 {
                self.event(StoredEvent::IdentityChanged(Peer::of(
                    &incoming.sender,
                    incoming.sender_alt.as_ref(),
                )));
                self.outputs.after.push(After::RefreshDevices(incoming.sender.user_jid()));
            }
        }
        if let Some(id) = received.consumed_pre_key {
            self.changes.delete(tables::PreKeys, &id);
        }
        self.store_session(&at);
        Ok(Ok(received.plaintext))
    }

    /// Our pre-keys that a message names.
    async fn own_keys(
        &mut self,
        message: &PreKeySignalMessage<'_>,
    ) -> Result<(Option<wa_signal::SignedPreKey>, Option<wa_signal::PreKey>), StoreError> {
        let id = message.signed_pre_key_id();
        let signed = self.shared.store.one(tables::SignedPreKeys, &id).await?;
        let signed = signed.and_then(|row| signed_from_row(id, &row));
        let one_time = match message.pre_key_id() {
            Some(id) => {
                let row = self.shared.store.one(tables::PreKeys, &id).await?;
                row.map(|row| wa_signal::PreKey { id, pair: from_row(&row.key) })
            }
            None => None,
        };
        Ok((signed, one_time))
    }

    async fn open_shared(
        &mut self,
        incoming: &MessageStanza,
        one: &Encrypted<'_>,
    ) -> Result<Result<Vec<u8>, SignalError>, StoreError> {
        let at = (chat_row(&incoming.chat), self.address_of(&incoming.sender).await?);
        let opened = match SenderKeyMessage::parse(&one.bytes) {
            Ok(message) => self.sender_key(&at).await?.decrypt(&message),
            Err(error) => Err(error),
        };
        if opened.is_ok() {
            self.store_sender_key(&at);
        }
        Ok(opened)
    }

    async fn take_sender_key(
        &mut self,
        incoming: &MessageStanza,
        message: &MessageView<'_>,
    ) -> Result<(), StoreError> {
        let Some(distribution) = message.sender_key_distribution_message() else { return Ok(()) };
        let bytes = distribution.axolotl_sender_key_distribution_message().unwrap_or_default();
        let group: Option<Jid> = distribution.group_id().and_then(|id| id.parse().ok());
        match (SenderKeyDistribution::parse(bytes), group) {
            (Ok(distribution), Some(group)) => {
                let at = (chat_row(&group), self.address_of(&incoming.sender).await?);
                let what: Distributed = self.sender_key(&at).await?.process(&distribution);
                tracing::trace!(?what, "a sender key came");
                self.store_sender_key(&at);
            }
            (Err(error), _) => tracing::warn!(%error, "a sender key cannot be read"),
            (_, None) => tracing::warn!("a sender key without a group"),
        }
        Ok(())
    }

    /// Stores what a message means: an event for the application, or state between own devices. Says whether what is
    /// stored tells that this message has come.
    async fn understand(&mut self, incoming: &MessageStanza, bytes: &Bytes) -> Result<bool, StoreError> {
        // Never otherwise: whoever opened it has looked at it.
        let Ok(message) = MessageView::parse(bytes) else { return Ok(false) };
        // Only our own devices may speak about our own messages and keys.
        let own_copy = message.device_sent_message().filter(|_| incoming.from_me);
        let copied = own_copy.as_ref().and_then(DeviceSentMessageView::message);
        let chat = own_copy
            .and_then(|copy| copy.destination_jid())
            .and_then(|jid| jid.parse::<Jid>().ok())
            .filter(|_| incoming.is_direct())
            .unwrap_or_else(|| incoming.chat.clone());
        // As the other device encoded it: a later version may know more of it.
        let original = match &copied {
            Some(inner) => device_sent_original(bytes)
                .unwrap_or_else(|| inner.decode().unwrap_or_default().encode_to_vec().into()),
            None => bytes.clone(),
        };
        let inner = copied.as_ref().unwrap_or(&message);
        if incoming.from_me
            && let Some(Ok(protocol)) = inner.protocol_message().map(|protocol| protocol.decode())
            && crate::history::keep(self, incoming, &protocol).await?
        {
            return Ok(false);
        }
        if let Some(name) = incoming.push_name.as_ref().filter(|_| !incoming.from_me) {
            crate::contacts::learn_push_name(self, &incoming.sender, name).await?;
        }
        let is_kept = self.keep_for_add_ons(&chat, &incoming.sender, &incoming.id, &message).await?;
        let chat = self.chat(&chat).await?;
        let timestamp = incoming.timestamp.map_or_else(|| self.shared.now(), UnixTime::from_secs);
        let sender = Peer::of(&incoming.sender, incoming.sender_alt.as_ref());
        let stored = StoredMessage {
            id: incoming.id.clone(),
            chat,
            sender,
            from_me: incoming.from_me,
            timestamp,
            push_name: incoming.push_name.clone(),
            was_offline: incoming.offline,
            original,
        };
        self.message_event(stored, inner).await?;
        // An own copy may be kept under the chat that it went to.
        Ok(is_kept && !incoming.from_me)
    }

    async fn failed(&mut self, incoming: &MessageStanza, error: &SignalError) -> Result<(), StoreError> {
        if retry::has_arrived(self, incoming).await? {
            self.answer(incoming);
            return Ok(());
        }
        tracing::warn!(%error, "a message cannot be opened");
        if !error.class().asks_for_retry() {
            // A fault of our own: unacknowledged, so that the server keeps it.
            return Ok(());
        }
        if retry::ask(self, incoming, error.class()).await? == retry::Asked::First {
            self.undecryptable(incoming).await?;
        }
        // Behind the retry receipt: the stanza then leaves the server's queue.
        self.outputs.stanzas.push(message_ack(incoming, None));
        Ok(())
    }
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::LeaseLost { .. } => Self::LeaseLost,
            other => Self::Closed(Some(format!("the store cannot be read: {other}"))),
        }
    }
}
