//! Sending as the application sees it: a message is safe once [`Messages::send`] has returned; what became of it is
//! the [`SendReport`].

use std::collections::HashMap;
use std::time::Duration;

use compact_str::CompactString;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use wa_binary::Jid;
use wa_core::content::{Content, Target};
use wa_core::envelope::message_id;
use wa_core::secrets::MessageSecret;
use wa_store::{
    Bytes, Changes, InboxCursor, OutboxOrder, OutboxRow, OutboxState, SendRecord, StoreError, UnixTime,
    tables,
};

use super::add_ons;
use super::builder::{Message, Recipient, Unsendable};
use super::status::{self, Stage};
use crate::client::Client;
use crate::identity::chat_row;
use crate::media::outgoing::{self, Attached, StoredSource};
use crate::media::{FileFault, TransferError};
use crate::shared::Shared;
use crate::status::StoredAudience;
use crate::vault::together;

/// Messages of an account.
#[derive(Debug, Clone, Copy)]
pub struct Messages<'c>(pub(super) &'c Client);

impl Client {
    /// Messages.
    pub const fn messages(&self) -> Messages<'_> {
        Messages(self)
    }
}

/// Options of a send.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SendOptions {
    /// The application's own name for this send. The same name again sends nothing and gives the first send's report,
    /// also after a restart.
    pub key: Option<CompactString>,
    /// How long the message may wait to be encrypted; then it is refused as [`Refusal::Expired`]. `None`: for ever.
    pub expires: Option<Duration>,
    /// Sends to a new chat also while the account may start none or its cap is used up. Off: such a send is refused
    /// here as [`SendError::Guarded`], since each refusal of the server makes the account's standing worse.
    pub unguarded: bool,
    /// Who gets a status post, or a message to a broadcast list.
    pub(crate) audience: Option<StoredAudience>,
}

impl SendOptions {
    /// With an idempotency key.
    pub fn key(key: impl Into<CompactString>) -> Self {
        Self { key: Some(key.into()), ..Self::default() }
    }

    /// Refused when it could not be encrypted within this time.
    #[must_use]
    pub const fn expires(mut self, within: Duration) -> Self {
        self.expires = Some(within);
        self
    }

    /// Goes to the server whatever the account's standing is.
    #[must_use]
    pub const fn unguarded(mut self) -> Self {
        self.unguarded = true;
        self
    }
}

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The message itself.
    #[error(transparent)]
    Unsendable(#[from] Unsendable),
    /// The file.
    #[error(transparent)]
    File(#[from] FileFault),
    /// The file could not be read for its hashes.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The account may not write to this new chat now: asking the server would only make it worse. See
    /// [`SendOptions::unguarded`].
    #[error("the account may not write to new chats now")]
    Guarded {
        /// [`Refusal::Restricted`] or [`Refusal::Capped`].
        why: Refusal,
        /// When that should end.
        until: Option<UnixTime>,
    },
    /// The account is not linked.
    #[error("the account is not linked")]
    NotLinked,
    /// The lease is gone.
    #[error("the account belongs to another process now")]
    LeaseLost,
}

/// Why the server or the client refused a message for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Refusal {
    /// No new chats may be started, or the privacy token is missing (463).
    Restricted,
    /// The cap of messages to new chats is reached (475).
    Capped,
    /// Not a member, or not allowed (401, 403).
    NotAllowed,
    /// No such recipient (404, 406), or none of their devices has a key.
    BadAddress,
    /// The stanza was malformed or failed validation (400, 479).
    Invalid,
    /// Too many messages (429), after three attempts.
    RateLimited,
    /// Withdrawn by the application.
    Cancelled,
    /// Another code.
    Other(u16),
    /// It waited longer than its options allow.
    Expired,
    /// The file that it refers to was not there any more when it was uploaded.
    FileMissing,
    /// The file was changed between send and upload.
    FileChanged,
    /// The media hosts do not take the file, with this HTTP status: 413 is too large.
    FileRefused(u16),
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SendReport {
    /// The server has it; at the server's time.
    Accepted(UnixTime),
    /// The server has it, but some devices were left without a key.
    AcceptedWithShortfall {
        /// The server's time.
        at: UnixTime,
        /// Devices that could not be encrypted for.
        devices: u32,
    },
    /// It will not be sent.
    Refused(Refusal),
    /// Not decided yet: it stays in the outbox and goes out when it can.
    Pending,
}

/// A message on its way. Dropping it withdraws nothing.
#[derive(Debug)]
pub struct Sending {
    /// Id on the wire.
    pub id: CompactString,
    /// Where it goes.
    pub chat: Jid,
    report: watch::Receiver<Option<SendReport>>,
    limit: Duration,
}

/// Names the message, for edits, reactions and the like.
impl From<&Sending> for Target {
    fn from(sending: &Sending) -> Self {
        Self::new(sending.id.as_str(), sending.chat.clone(), None, true)
    }
}

impl Sending {
    /// Waits for the report, at most for the configured time: then [`SendReport::Pending`].
    pub async fn report(mut self) -> SendReport {
        match tokio::time::timeout(self.limit, self.report.wait_for(Option::is_some)).await {
            Ok(Ok(report)) => report.clone().unwrap_or(SendReport::Pending),
            _ => SendReport::Pending,
        }
    }
}

impl IntoFuture for Sending {
    type Output = SendReport;
    type IntoFuture = std::pin::Pin<Box<dyn Future<Output = SendReport> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.report())
    }
}

/// Who waits for which report.
#[derive(Debug, Default)]
pub(crate) struct Reports(Mutex<HashMap<CompactString, watch::Sender<Option<SendReport>>>>);

impl Reports {
    fn wait(&self, id: &CompactString) -> watch::Receiver<Option<SendReport>> {
        self.0.lock().entry(id.clone()).or_insert_with(|| watch::Sender::new(None)).subscribe()
    }

    /// Gives a final report to all who wait.
    pub(crate) fn settle(&self, id: &CompactString, report: SendReport) {
        if let Some(sender) = self.0.lock().remove(id) {
            sender.send_replace(Some(report));
        }
    }
}

/// What is stored of a send beside its plaintext.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredOptions {
    pub(crate) key: Option<CompactString>,
    /// Devices that could not be encrypted for.
    pub(crate) shortfall: u32,
    /// Hash over the devices that it was encrypted for.
    pub(crate) phash: Option<String>,
    /// Answers of the server that asked for another attempt.
    pub(crate) attempts: u32,
    /// Until when it may wait to be encrypted.
    pub(crate) expires: Option<UnixTime>,
    /// A file that has to be uploaded first.
    pub(crate) upload: Option<StoredSource>,
    /// Who gets a status post, or a message to a broadcast list.
    pub(crate) audience: Option<StoredAudience>,
    /// Whom it was encrypted for.
    pub(crate) sealed: Option<SealedFor>,
}

/// Whom a message was encrypted for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SealedFor {
    /// The chat as it stands in the stanza.
    pub(crate) to: Jid,
    /// People, besides this account.
    pub(crate) people: u32,
    /// Some of their devices get our key of the chat with it.
    pub(crate) gives_key: bool,
}

impl StoredOptions {
    pub(crate) fn encode(&self) -> Bytes {
        // Writing to memory cannot fail.
        postcard::to_allocvec(self).unwrap_or_default().into()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Self {
        postcard::from_bytes(bytes).unwrap_or_else(|_| {
            // An earlier form ends sooner. A zero stands for each later field as it is by default.
            postcard::from_bytes(&[bytes, &[0; 8]].concat()).unwrap_or_default()
        })
    }
}

impl Messages<'_> {
    /// Takes a message: when this returns it is stored and will be sent, now or after a restart.
    ///
    /// # Errors
    /// [`SendError`]: nothing was taken.
    pub async fn send(
        &self,
        to: impl Into<Recipient>,
        message: impl Into<Message>,
    ) -> Result<Sending, SendError> {
        self.send_with(to, message, SendOptions::default()).await
    }

    /// The same with options.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_with(
        &self,
        to: impl Into<Recipient>,
        message: impl Into<Message>,
        options: SendOptions,
    ) -> Result<Sending, SendError> {
        let shared = &self.0.shared;
        if let Some(first) = match &options.key {
            Some(key) => shared.store.one(tables::SendKeys, key).await?,
            None => None,
        } {
            return Ok(repeated(shared, &first));
        }
        let mut changes = Changes::new();
        let to = to.into().0;
        let queued = take(shared, &mut changes, &to, message.into(), options).await?;
        self.commit(changes, None, queued, to).await
    }

    async fn commit(
        &self,
        changes: Changes,
        event: Option<(InboxCursor, bool)>,
        queued: Queued,
        to: Jid,
    ) -> Result<Sending, SendError> {
        let shared = &self.0.shared;
        let Queued { row, order } = queued;
        let (id, chat) = (row.id.clone(), row.chat.clone());
        let report = shared.reports.wait(&id);
        kill_point!(shared, SendAccepted);
        let message = together::NewMessage { order, row, changes, event };
        let sealed = together::take(shared, message).await.map_err(|_| SendError::LeaseLost)?;
        kill_point!(shared, SendQueued);
        super::outbox::queued(shared, chat, order, sealed);
        Ok(Sending { id, chat: to, report, limit: shared.config.timeouts.send })
    }

    /// Answers an event: the answer and the acknowledgement of the event are one commit.
    pub(crate) async fn answer(
        &self,
        to: impl Into<Recipient>,
        message: impl Into<Message>,
        event: Option<(InboxCursor, bool)>,
    ) -> Result<Sending, SendError> {
        let shared = &self.0.shared;
        let mut changes = Changes::new();
        let to = to.into().0;
        let queued = take(shared, &mut changes, &to, message.into(), SendOptions::default()).await?;
        self.commit(changes, event, queued, to).await
    }

    /// Reacts to a message with an emoji; an empty one takes the reaction back.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`Unsendable::Address`] for a message whose chat is not known.
    pub async fn react(&self, to: impl Into<Target>, emoji: impl Into<String>) -> Result<Sending, SendError> {
        let target = to.into();
        let chat = chat_of(&target)?;
        self.send(&chat, Message::reaction(target, emoji)).await
    }

    /// Gives an own message a new text.
    ///
    /// # Errors
    /// As [`react`](Self::react).
    pub async fn edit(
        &self,
        message: impl Into<Target>,
        text: impl Into<String>,
    ) -> Result<Sending, SendError> {
        let target = message.into();
        let chat = chat_of(&target)?;
        self.send(&chat, Message::edit(target, text)).await
    }

    /// Deletes a message for everyone.
    ///
    /// # Errors
    /// As [`react`](Self::react).
    pub async fn revoke(&self, message: impl Into<Target>) -> Result<Sending, SendError> {
        let target = message.into();
        let chat = chat_of(&target)?;
        self.send(&chat, Message::revoke(target)).await
    }

    /// Withdraws a message that was not sealed yet; says whether it did.
    ///
    /// # Errors
    /// [`SendError::Store`], [`SendError::LeaseLost`].
    pub async fn cancel(&self, id: &str) -> Result<bool, SendError> {
        let shared = &self.0.shared;
        let mut vault = shared.vault.lock().await;
        for (order, row) in shared.store.whole(tables::Outbox).await? {
            if row.id != id || row.state != OutboxState::Queued {
                continue;
            }
            let mut changes = Changes::new();
            changes.delete(tables::Outbox, &order);
            if let Some(upload) = StoredOptions::decode(&row.options).upload {
                upload.forget(&mut changes);
            }
            if let Ok(chat) = row.chat.as_str().parse() {
                let stage = Stage::Failed(Refusal::Cancelled);
                status::reached(&mut changes, shared.now(), &row.id, &chat, stage, 0);
            }
            let _ = vault.commit(shared, changes).await.map_err(|_| SendError::LeaseLost)?;
            shared.media.running.cancel(&row.id);
            shared.reports.settle(&row.id, SendReport::Refused(Refusal::Cancelled));
            return Ok(true);
        }
        Ok(false)
    }
}

fn repeated(shared: &Shared, first: &SendRecord) -> Sending {
    let limit = shared.config.timeouts.send;
    let report = match postcard::from_bytes::<SendReport>(&first.report) {
        Ok(report) => watch::Sender::new(Some(report)).subscribe(),
        // Still on its way: wait together with the first.
        Err(_) => shared.reports.wait(&first.id),
    };
    let chat = first.chat.as_str().parse().unwrap_or(Jid::SERVER);
    Sending { id: first.id.clone(), chat, report, limit }
}

fn chat_of(target: &Target) -> Result<Jid, SendError> {
    target.chat.clone().ok_or(SendError::Unsendable(Unsendable::Address))
}

/// Takes a message into the outbox, as part of somebody's commit: what belongs to another message is sealed first, and
/// an own vote counts at once.
async fn take(
    shared: &Shared,
    changes: &mut Changes,
    to: &Jid,
    message: Message,
    options: SendOptions,
) -> Result<Queued, SendError> {
    if !options.unguarded
        && let Some((why, until)) = crate::standing::guard(shared, to).await?
    {
        return Err(SendError::Guarded { why, until });
    }
    let mut options = options;
    if to.is_broadcast_list() && options.audience.is_none() {
        // What is about a message of ours goes to those who got it.
        options.audience = match message.about() {
            Some(id) => audience_of(shared, to, id).await?,
            None => None,
        };
    }
    let (message, attached) = outgoing::prepare(shared, message).await?;
    let message = message.dated(shared.server_now());
    let Some(add_on) = message.to_seal() else {
        return enqueue(shared, changes, to, &message, attached.as_ref(), options);
    };
    let limits = wa_core::content::Limits::default();
    add_on.check(&limits)?;
    let sealed: Content = add_ons::seal(shared, add_on).await?;
    add_ons::count_own(shared, changes, add_on).await?;
    let message = message.clone().with(sealed);
    enqueue(shared, changes, to, &message, None, options)
}

/// Who got a status post or a message to a broadcast list, of the last week.
pub(crate) async fn audience_of(
    shared: &Shared,
    chat: &Jid,
    id: &str,
) -> Result<Option<StoredAudience>, StoreError> {
    let sent = shared.store.one(tables::Sent, &(chat_row(chat), id.into())).await?;
    Ok(sent.and_then(|sent| StoredOptions::decode(&sent.details).audience))
}

/// A row of the outbox that the next commit is to store.
pub(crate) struct Queued {
    row: OutboxRow,
    order: OutboxOrder,
}

/// Puts a message into the outbox, as part of somebody's commit.
fn enqueue(
    shared: &Shared,
    changes: &mut Changes,
    to: &Jid,
    message: &Message,
    attached: Option<&Attached>,
    options: SendOptions,
) -> Result<Queued, SendError> {
    use prost::Message as _;
    let is_to_many = (to.is_status() || to.is_broadcast_list()) && options.audience.is_some();
    if !(to.is_pn() || to.is_lid() || to.is_group() || is_to_many) || to.is_service() {
        return Err(Unsendable::Address.into());
    }
    let (own, _) = crate::startup::own(shared).ok_or(SendError::NotLinked)?;
    let secret = MessageSecret::random(&mut shared.rng());
    let plaintext = message.build(&secret)?.encode_to_vec();
    let id = CompactString::from(message_id::generate(shared.now().as_secs(), &own, &mut shared.rng()));
    let now = shared.now();
    let row = OutboxRow {
        chat: chat_row(to),
        id: id.clone(),
        queued: now,
        plaintext: plaintext.into(),
        options: StoredOptions {
            key: options.key.clone(),
            expires: options.expires.map(|within| now.after(within)),
            upload: attached.map(|attached| attached.source.clone()),
            audience: options.audience.clone(),
            ..StoredOptions::default()
        }
        .encode(),
        state: OutboxState::Queued,
    };
    let order = shared.store.next_order();
    if let Some(attached) = attached {
        attached.store(changes);
    }
    if let Some(key) = options.key {
        let record = SendRecord { chat: row.chat.clone(), id, report: Bytes::new() };
        changes.put(tables::SendKeys, &key, &record);
    }
    Ok(Queued { row, order })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_earlier_versions_are_read() {
        let expires = Some(UnixTime::from_secs(7));
        let known = StoredOptions {
            key: Some("k".into()),
            shortfall: 2,
            phash: Some("2:abc".to_owned()),
            attempts: 1,
            ..StoredOptions::default()
        };
        let first = (Some("k"), 2_u32, Some("2:abc"), 1_u32);
        let with_expiry = StoredOptions { expires, ..known.clone() };
        let none: Option<u8> = None;
        for (earlier, options) in [
            (postcard::to_allocvec(&first).unwrap(), known),
            (postcard::to_allocvec(&(first, expires)).unwrap(), with_expiry.clone()),
            (postcard::to_allocvec(&(first, expires, none, none)).unwrap(), with_expiry.clone()),
            (with_expiry.encode().to_vec(), with_expiry),
        ] {
            assert_eq!(StoredOptions::decode(&earlier), options);
        }
        assert_eq!(StoredOptions::decode(b"\xff"), StoredOptions::default());
    }
}
