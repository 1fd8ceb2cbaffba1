//! How far our own messages have come (chapter 05 §10.2): one status for the message, one for each recipient. It is
//! stored with every step and survives a restart.

use std::time::Duration;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use wa_binary::Jid;
use wa_store::{Bytes, Changes, StoreError, UnixTime, tables};

use super::sending::{Messages, Refusal};
use super::types::ReceiptKind;
use crate::identity::{Peer, user_row};
use crate::shared::Shared;
use crate::vault::Step;

/// How long the status of a message is kept after its last change.
const KEPT: Duration = Duration::from_secs(90 * 86_400);

/// How far a message has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Stage {
    /// Stored; nothing was encrypted yet.
    Queued,
    /// Encrypted; it is on its way, or will be when there is a connection.
    Sealed,
    /// The server has it, at the server's time.
    Sent(UnixTime),
    /// It was refused.
    Failed(Refusal),
}

/// How far a message has come with everybody: what the least advanced recipient says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Progress {
    /// It was refused.
    Failed,
    /// The server does not have it yet.
    Pending,
    /// The server has it.
    Sent,
    /// Every recipient has it.
    Delivered,
    /// Every recipient has read it.
    Read,
    /// Every recipient has played it.
    Played,
}

/// The status of a message that this client has sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageStatus {
    /// Where it went.
    pub chat: Jid,
    /// How far it has come on its way to the server.
    pub stage: Stage,
    /// People that it was encrypted for, besides this account.
    pub expected: u32,
    /// What is known of each recipient, of those who have answered.
    pub recipients: Vec<RecipientStatus>,
}

/// What is known of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecipientStatus {
    /// Who.
    pub who: Peer,
    /// When a device of theirs had it.
    pub delivered: Option<UnixTime>,
    /// When they read it.
    pub read: Option<UnixTime>,
    /// When they played it.
    pub played: Option<UnixTime>,
}

impl RecipientStatus {
    /// How far it has come with them. What was read was delivered, even when nobody said so.
    pub const fn progress(&self) -> Progress {
        match self {
            Self { played: Some(_), .. } => Progress::Played,
            Self { read: Some(_), .. } => Progress::Read,
            Self { delivered: Some(_), .. } => Progress::Delivered,
            _ => Progress::Sent,
        }
    }
}

impl MessageStatus {
    /// How far it has come with everybody.
    pub fn progress(&self) -> Progress {
        let answered = u32::try_from(self.recipients.len()).unwrap_or(u32::MAX);
        match self.stage {
            Stage::Failed(_) => Progress::Failed,
            Stage::Queued | Stage::Sealed => Progress::Pending,
            Stage::Sent(_) if answered < self.expected => Progress::Sent,
            Stage::Sent(_) => {
                self.recipients.iter().map(RecipientStatus::progress).min().unwrap_or(Progress::Sent)
            }
        }
    }

    /// Who has come at least so far.
    pub fn reached(&self, progress: Progress) -> impl Iterator<Item = &Peer> {
        self.recipients.iter().filter(move |one| one.progress() >= progress).map(|one| &one.who)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct StoredStatus {
    chat: Jid,
    stage: Stage,
    expected: u32,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct StoredDelivery {
    who: Peer,
    delivered: Option<UnixTime>,
    read: Option<UnixTime>,
    played: Option<UnixTime>,
}

fn encoded(value: &impl Serialize) -> Bytes {
    // Writing to memory cannot fail.
    postcard::to_allocvec(value).unwrap_or_default().into()
}

/// Notes a stage, as part of somebody's commit. `expected` is known once it is sealed.
pub(crate) fn reached(
    changes: &mut Changes,
    now: UnixTime,
    id: &CompactString,
    chat: &Jid,
    stage: Stage,
    expected: u32,
) {
    let row = StoredStatus { chat: chat.clone(), stage, expected };
    changes.put_until(tables::SendStatus, id, &encoded(&row), now.after(KEPT));
}

/// The number of recipients that an earlier stage noted.
pub(crate) async fn expected(shared: &Shared, id: &CompactString) -> Result<u32, StoreError> {
    Ok(stored(shared, id).await?.map_or(0, |status| status.expected))
}

async fn stored(shared: &Shared, id: &CompactString) -> Result<Option<StoredStatus>, StoreError> {
    let row = shared.store.one(tables::SendStatus, id).await?;
    Ok(row.and_then(|row| postcard::from_bytes(&row).ok()))
}

/// Reads at once what is stored of deliveries.
pub(crate) async fn prepare(step: &mut Step<'_>, said: &[(CompactString, Peer)]) -> Result<(), StoreError> {
    let keys = said.iter().filter_map(|(id, by)| Some((id.clone(), user_row(by.jid()?))));
    let keys: Vec<_> = keys.filter(|key| !step.deliveries.contains_key(key)).collect();
    let rows = step.shared.store.many(tables::Deliveries, &keys).await?;
    for (key, row) in keys.into_iter().zip(rows) {
        let row = row.and_then(|row| postcard::from_bytes(&row).ok());
        step.deliveries.insert(key, row);
    }
    Ok(())
}

/// Notes a receipt for messages of ours, as part of somebody's commit; ids that are not ours are passed over. A status
/// only rises: the first time of each step stays.
pub(crate) async fn receipt(
    step: &mut Step<'_>,
    by: &Peer,
    kind: ReceiptKind,
    ids: &[CompactString],
    at: UnixTime,
) -> Result<(), StoreError> {
    let Some(who) = by.jid().map(user_row) else { return Ok(()) };
    let shared = step.shared;
    for id in ids {
        let key = (id.clone(), who.clone());
        let mut row = match step.deliveries.remove(&key) {
            Some(Some(row)) => row,
            _ if stored(shared, id).await?.is_none() => continue,
            Some(None) => StoredDelivery::default(),
            None => {
                let row = shared.store.one(tables::Deliveries, &key).await?;
                row.and_then(|row| postcard::from_bytes(&row).ok()).unwrap_or_default()
            }
        };
        row.who = by.clone();
        let known = match kind {
            ReceiptKind::Delivered => &mut row.delivered,
            ReceiptKind::Read => &mut row.read,
            ReceiptKind::Played => &mut row.played,
            ReceiptKind::ReadElsewhere | ReceiptKind::PlayedElsewhere => continue,
        };
        known.get_or_insert(at);
        step.changes.put_until(tables::Deliveries, &key, &encoded(&row), shared.now().after(KEPT));
        step.deliveries.insert(key, Some(row));
    }
    Ok(())
}

impl Messages<'_> {
    /// How far a message of ours has come; kept for 90 days. `None` for an id that this client has not sent.
    ///
    /// # Errors
    /// What the store says.
    pub async fn status_of(&self, id: &str) -> Result<Option<MessageStatus>, StoreError> {
        let shared = &self.0.shared;
        let id = CompactString::from(id);
        let Some(StoredStatus { chat, stage, expected }) = stored(shared, &id).await? else {
            return Ok(None);
        };
        let rows = shared.store.all(tables::Deliveries, &id).await?;
        let recipients = rows
            .into_iter()
            .filter_map(|(_, row)| postcard::from_bytes::<StoredDelivery>(&row).ok())
            .map(|StoredDelivery { who, delivered, read, played }| RecipientStatus {
                who,
                delivered,
                read,
                played,
            })
            .collect();
        Ok(Some(MessageStatus { chat, stage, expected, recipients }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(stage: Stage, expected: u32, recipients: Vec<RecipientStatus>) -> MessageStatus {
        MessageStatus { chat: Jid::pn(15_550_101), stage, expected, recipients }
    }

    fn recipient(delivered: bool, read: bool) -> RecipientStatus {
        let at = |it: bool| it.then(|| UnixTime::from_secs(1));
        RecipientStatus { who: Peer::default(), delivered: at(delivered), read: at(read), played: None }
    }

    #[test]
    fn the_least_advanced_recipient_decides() {
        let sent = Stage::Sent(UnixTime::from_secs(1));
        let both = vec![recipient(true, true), recipient(true, false)];
        assert_eq!(status(sent.clone(), 2, both.clone()).progress(), Progress::Delivered);
        assert_eq!(status(sent.clone(), 3, both).progress(), Progress::Sent);
        assert_eq!(status(sent.clone(), 1, vec![recipient(false, true)]).progress(), Progress::Read);
        assert_eq!(status(sent, 0, Vec::new()).progress(), Progress::Sent);
        assert_eq!(status(Stage::Sealed, 1, Vec::new()).progress(), Progress::Pending);
        let failed = Stage::Failed(Refusal::NotAllowed);
        assert_eq!(status(failed, 1, vec![recipient(true, true)]).progress(), Progress::Failed);
    }
}
