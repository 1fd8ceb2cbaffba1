//! How far our own messages have come (chapter 05 §10.2): one status for the message, one for each recipient. It is
//! stored with every step and survives a restart.

use std::collections::BTreeSet;
use std::time::Duration;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use wa_binary::Jid;
use wa_store::{Bytes, Changes, OutboxRow, OutboxState, StoreError, UnixTime, User, tables};

use super::outbox;
use super::sending::{Messages, Refusal, SealedFor, StoredOptions};
use super::types::ReceiptKind;
use crate::identity::{Peer, user_row};
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

/// What is stored of a message: one row while it goes to one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredStatus {
    chat: Jid,
    pub(crate) stage: Stage,
    expected: u32,
    pub(crate) deliveries: Deliveries,
}

/// Where the deliveries of a message stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Deliveries {
    /// In rows of their own, one for each person.
    Apart,
    /// Here: it goes to one person.
    Here(Option<StoredDelivery>),
}

/// The form in which every delivery had a row of its own.
#[derive(Deserialize)]
struct FirstStoredStatus {
    chat: Jid,
    stage: Stage,
    expected: u32,
}

impl StoredStatus {
    fn new(chat: &Jid, stage: Stage, expected: u32) -> Self {
        let deliveries = if expected > 1 { Deliveries::Apart } else { Deliveries::Here(None) };
        Self { chat: chat.clone(), stage, expected, deliveries }
    }

    /// What a row of the outbox says.
    pub(crate) fn of(row: &OutboxRow) -> Option<Self> {
        let chat = row.chat.as_str().parse().ok()?;
        Some(match (&row.state, StoredOptions::decode(&row.options).sealed) {
            (OutboxState::Sealed { .. }, Some(SealedFor { to, people, .. })) => {
                Self::new(&to, Stage::Sealed, people)
            }
            (OutboxState::Sealed { .. }, None) => Self::new(&chat, Stage::Sealed, 0),
            (OutboxState::Queued, _) => Self::new(&chat, Stage::Queued, 0),
        })
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok().or_else(|| {
            let FirstStoredStatus { chat, stage, expected } = postcard::from_bytes(bytes).ok()?;
            Some(Self { chat, stage, expected, deliveries: Deliveries::Apart })
        })
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredDelivery {
    who: Peer,
    pub(crate) delivered: Option<UnixTime>,
    read: Option<UnixTime>,
    played: Option<UnixTime>,
}

fn encoded(value: &impl Serialize) -> Bytes {
    // Writing to memory cannot fail.
    postcard::to_allocvec(value).unwrap_or_default().into()
}

/// Notes a stage, as part of somebody's commit.
pub(crate) fn reached(
    changes: &mut Changes,
    now: UnixTime,
    id: &CompactString,
    chat: &Jid,
    stage: Stage,
    expected: u32,
) {
    let row = StoredStatus::new(chat, stage, expected);
    changes.put_until(tables::SendStatus, id, &encoded(&row), now.after(KEPT));
}

/// The end of a message's way to the server, to be noted in a step: what recipients have said meanwhile stays.
#[derive(Debug)]
pub(crate) struct Reached {
    pub(crate) id: CompactString,
    pub(crate) chat: Jid,
    pub(crate) stage: Stage,
    pub(crate) expected: u32,
}

/// Notes a stage behind everything that is known by then.
pub(crate) async fn advance(step: &mut Step<'_>, reached: Reached) -> Result<(), StoreError> {
    let Reached { id, chat, stage, expected } = reached;
    let row = match status(step, &id).await? {
        // Sealed once more it may go to others than before.
        Some(known) => StoredStatus { stage, expected: expected.max(known.expected), ..known.clone() },
        None => StoredStatus::new(&chat, stage, expected),
    };
    note(step, id, row);
    Ok(())
}

/// The status of a message as the step has it.
async fn status<'s>(
    step: &'s mut Step<'_>,
    id: &CompactString,
) -> Result<Option<&'s StoredStatus>, StoreError> {
    if !step.statuses.contains_key(id) {
        load(step, std::slice::from_ref(id)).await?;
    }
    Ok(step.statuses.get(id).and_then(Option::as_ref))
}

/// Reads what is stored of messages. Of one that is on its way the outbox speaks, as long as it has no row of its own.
async fn load(step: &mut Step<'_>, ids: &[CompactString]) -> Result<(), StoreError> {
    let mut unknown = Vec::new();
    for id in ids {
        match outbox::left(step.shared, id).await? {
            Some(left) if !left.is_stored => {
                step.statuses.insert(id.clone(), Some(left.status));
            }
            left => unknown.push((id.clone(), left)),
        }
    }
    let (ids, left): (Vec<_>, Vec<_>) = unknown.into_iter().unzip();
    let rows = step.shared.store.many(tables::SendStatus, &ids).await?;
    for ((id, left), row) in ids.into_iter().zip(left).zip(rows) {
        let row = row.and_then(|row| StoredStatus::decode(&row));
        step.statuses.insert(id, row.or(left.map(|left| left.status)));
    }
    Ok(())
}

fn note(step: &mut Step<'_>, id: CompactString, row: StoredStatus) {
    step.changes.put_until(tables::SendStatus, &id, &encoded(&row), step.shared.now().after(KEPT));
    step.shared.workers.status_is_stored(&id);
    step.statuses.insert(id, Some(row));
}

/// Reads at once what is stored of messages and their deliveries.
pub(crate) async fn prepare(step: &mut Step<'_>, said: &[(CompactString, Peer)]) -> Result<(), StoreError> {
    // Everybody in a group speaks of the same message.
    let ids: BTreeSet<&CompactString> = said.iter().map(|(id, _)| id).collect();
    let ids: Vec<CompactString> =
        ids.into_iter().filter(|id| !step.statuses.contains_key(*id)).cloned().collect();
    load(step, &ids).await?;
    let apart = |id| {
        let status: Option<&StoredStatus> = step.statuses.get(id).and_then(Option::as_ref);
        status.is_some_and(|status| status.deliveries == Deliveries::Apart)
    };
    let keys = said.iter().filter(|(id, _)| apart(id));
    let keys = keys.filter_map(|(id, by)| Some((id.clone(), user_row(by.jid()?))));
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
    if matches!(kind, ReceiptKind::ReadElsewhere | ReceiptKind::PlayedElsewhere) {
        return Ok(());
    }
    for id in ids {
        let Some(status) = status(step, id).await? else { continue };
        match &status.deliveries {
            // Nobody yet, or the same person, under whichever address.
            Deliveries::Here(known) if known.as_ref().is_none_or(|known| known.is_of(by)) => {
                let mut status = status.clone();
                let row = known.clone().unwrap_or_default().said(by, kind, at);
                status.deliveries = Deliveries::Here(Some(row));
                note(step, id.clone(), status);
            }
            _ => apart(step, (id.clone(), who.clone()), by, kind, at).await?,
        }
    }
    Ok(())
}

/// The same in a row of its own.
async fn apart(
    step: &mut Step<'_>,
    key: (CompactString, User),
    by: &Peer,
    kind: ReceiptKind,
    at: UnixTime,
) -> Result<(), StoreError> {
    let row = match step.deliveries.remove(&key) {
        Some(row) => row,
        None => {
            let row = step.shared.store.one(tables::Deliveries, &key).await?;
            row.and_then(|row| postcard::from_bytes(&row).ok())
        }
    };
    let row = row.unwrap_or_default().said(by, kind, at);
    step.changes.put_until(tables::Deliveries, &key, &encoded(&row), step.shared.now().after(KEPT));
    step.deliveries.insert(key, Some(row));
    Ok(())
}

impl StoredDelivery {
    fn is_of(&self, by: &Peer) -> bool {
        by.lid.iter().chain(&by.pn).any(|jid| self.who.is(jid))
    }

    /// With what somebody says; the first time of each stays.
    fn said(mut self, by: &Peer, kind: ReceiptKind, at: UnixTime) -> Self {
        self.who = by.clone();
        match kind {
            ReceiptKind::Delivered => self.delivered.get_or_insert(at),
            ReceiptKind::Read => self.read.get_or_insert(at),
            ReceiptKind::Played => self.played.get_or_insert(at),
            // Of nobody but ourselves.
            ReceiptKind::ReadElsewhere | ReceiptKind::PlayedElsewhere => return self,
        };
        self
    }
}

impl Messages<'_> {
    /// How far a message of ours has come; kept for 90 days. `None` for an id that this client has not sent.
    ///
    /// # Errors
    /// What the store says.
    pub async fn status_of(&self, id: &str) -> Result<Option<MessageStatus>, StoreError> {
        let shared = &self.0.shared;
        let id = CompactString::from(id);
        let mut row = shared.store.one(tables::SendStatus, &id).await?;
        let mut queued = None;
        if row.is_none() {
            queued = outbox::find(shared, &id).await?;
        }
        if row.is_none() && queued.is_none() {
            // It may have come to its end between the two looks.
            row = shared.store.one(tables::SendStatus, &id).await?;
        }
        let row = match row {
            Some(row) => StoredStatus::decode(&row),
            None => queued.and_then(|row| StoredStatus::of(&row)),
        };
        let Some(StoredStatus { chat, stage, expected, deliveries }) = row else { return Ok(None) };
        let rows = shared.store.all(tables::Deliveries, &id).await?;
        let apart = rows.into_iter().filter_map(|(_, row)| postcard::from_bytes(&row).ok());
        let here = match deliveries {
            Deliveries::Here(here) => here,
            Deliveries::Apart => None,
        };
        let recipients = here
            .into_iter()
            .chain(apart)
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

    #[test]
    fn a_row_from_before_says_that_its_deliveries_stand_apart() {
        let chat = Jid::pn(15_550_101);
        // Address, sent at a second, one recipient.
        let first = encoded(&(chat.clone(), Stage::Sent(UnixTime::from_secs(1)), 1_u32));
        let row = StoredStatus::decode(&first).unwrap();
        assert_eq!((&row.chat, row.expected, &row.deliveries), (&chat, 1, &Deliveries::Apart));
        let now = StoredStatus::new(&chat, Stage::Sealed, 1);
        assert_eq!(StoredStatus::decode(&encoded(&now)), Some(now.clone()));
        assert_eq!(now.deliveries, Deliveries::Here(None));
        assert_eq!(StoredStatus::new(&chat, Stage::Sealed, 2).deliveries, Deliveries::Apart);
        assert_eq!(StoredStatus::decode(b"?"), None);
    }

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
