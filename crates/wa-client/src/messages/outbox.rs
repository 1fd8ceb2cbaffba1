//! The outbox: what is queued is sealed, what is sealed is sent (again, byte for byte) until the server answers, in
//! order for each chat (chapter 05 §5.1, §5.7). Sealed messages of a chat leave behind each other without waiting for the
//! server; after an answer that is no yes nothing of the chat leaves before all answers are in.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use compact_str::CompactString;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use parking_lot::Mutex;
use tokio::sync::Notify;
use wa_binary::{Jid, Stanza};
use wa_core::envelope::{AckOutcome, Refused, Remedy, ServerAck};
use wa_store::{
    Changes, Chat, DistributionMark, MarkState, OutboxOrder, OutboxRow, OutboxState, SendRecord, SentRow,
    StoreError, Table, UnixTime, tables,
};

use super::seal::{self, SealError};
use super::sending::{Refusal, SendReport, StoredOptions};
use super::status::{Reached, Stage, StoredStatus};
use crate::connection::link::{Begun, Link, RequestError};
use crate::media::outgoing::{NotUp, bring_up};
use crate::shared::Shared;
use crate::status::StoredAudience;
use crate::vault::together;

/// How long the plaintext of a message is kept for retry receipts.
const KEPT: Duration = Duration::from_secs(7 * 86_400);
/// How long an idempotency key is kept after its report.
const KEY_KEPT: Duration = Duration::from_secs(30 * 86_400);
/// Attempts for one message when the server says that it is busy.
const ATTEMPTS: u32 = 3;
/// Wait before a row is taken up again that could not be sealed or stored.
const AGAIN: Duration = Duration::from_secs(5);
/// The longest wait that the server can ask for.
const LONGEST: Duration = Duration::from_secs(3_600);
/// Wait before each of them, times its number.
const BUSY: Duration = Duration::from_millis(750);

/// Messages of one chat that are on their way to the server at most.
const FLYING: usize = 64;

/// What waits, by chat: a send looks at its own chat's row and at no other.
#[derive(Debug, Default)]
pub(crate) struct Workers {
    lines: Mutex<HashMap<Chat, Line>>,
    left: Mutex<HashMap<CompactString, Left>>,
    /// What an earlier life left in the outbox is among the lines, and what of it may have left the client.
    is_taken_up: AtomicBool,
}

/// A message that has left, or may have, and whose end is not stored: its recipients may speak of it.
#[derive(Debug, Clone)]
pub(crate) struct Left {
    pub(crate) status: StoredStatus,
    /// There may be a row of it, which knows more.
    pub(crate) is_stored: bool,
}

/// The rows of one chat that are not settled.
#[derive(Debug, Default)]
struct Line {
    rows: BTreeMap<OutboxOrder, Place>,
    is_worked_on: bool,
    /// Rung for a new row.
    bell: Arc<Notify>,
}

/// Where a row of a line stands.
#[derive(Debug)]
enum Place {
    /// In the store, in whatever state.
    Stored,
    /// Sealed for the connection of this number, as it was stored.
    Sealed(u64, Box<OutboxRow>),
    /// Sent.
    Flying,
}

impl Workers {
    /// Whether something of a chat may still have to be sealed.
    pub(crate) fn is_unsealed(&self, chat: &Chat) -> bool {
        let lines = self.lines.lock();
        lines.get(chat).is_some_and(|line| line.rows.values().any(|place| matches!(place, Place::Stored)))
    }

    /// A row is settled, withdrawn, or gone with its number.
    fn is_done(&self, chat: &Chat, order: OutboxOrder) {
        if let Some(line) = self.lines.lock().get_mut(chat) {
            line.rows.remove(&order);
        }
    }

    /// A row is about to leave, or may have left.
    pub(crate) fn leaves(&self, row: &OutboxRow, is_stored: bool) {
        if let Some(status) = StoredStatus::of(row) {
            let mut left = self.left.lock();
            let is_stored = is_stored || left.get(&row.id).is_some_and(|left| left.is_stored);
            left.insert(row.id.clone(), Left { status, is_stored });
        }
    }

    /// A commit stores how far a message has come.
    pub(crate) fn status_is_stored(&self, id: &str) {
        if let Some(left) = self.left.lock().get_mut(id) {
            left.is_stored = true;
        }
    }

    /// A row has to be looked at again.
    fn is_back(&self, chat: &Chat, order: OutboxOrder) {
        if let Some(line) = self.lines.lock().get_mut(chat) {
            line.rows.insert(order, Place::Stored);
        }
    }
}

/// The connection is back: everything that the store holds is taken up.
pub(crate) fn wake(shared: &Arc<Shared>) {
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        match shared.store.whole(tables::Outbox).await {
            Ok(rows) => {
                for (order, row) in rows {
                    if matches!(row.state, OutboxState::Sealed { .. }) {
                        shared.workers.leaves(&row, true);
                    }
                    queued(&shared, row.chat, order, None);
                }
                shared.workers.is_taken_up.store(true, Ordering::Release);
            }
            Err(error) => tracing::error!(%error, "the outbox cannot be read"),
        }
    });
}

/// A message in the outbox, by its id.
pub(crate) async fn find(shared: &Shared, id: &str) -> Result<Option<OutboxRow>, StoreError> {
    let rows = shared.store.whole(tables::Outbox).await?;
    Ok(rows.into_iter().map(|(_, row)| row).find(|row| row.id == id))
}

/// A message that has left, or may have, and whose end is not stored.
pub(crate) async fn left(shared: &Shared, id: &CompactString) -> Result<Option<Left>, StoreError> {
    if let Some(left) = shared.workers.left.lock().get(id) {
        return Ok(Some(left.clone()));
    }
    if !shared.occupied.contains(&Table::Outbox) || shared.workers.is_taken_up.load(Ordering::Acquire) {
        return Ok(None);
    }
    let row = find(shared, id).await?.filter(|row| matches!(row.state, OutboxState::Sealed { .. }));
    Ok(row.and_then(|row| StoredStatus::of(&row)).map(|status| Left { status, is_stored: true }))
}

/// A row is in the outbox; as it was sealed, if it was.
pub(crate) fn queued(shared: &Arc<Shared>, chat: Chat, order: OutboxOrder, sealed: Option<OutboxRow>) {
    let mut lines = shared.workers.lines.lock();
    // Under the lock: a worker that saw no connection has said so by now.
    let link = shared.sending_link();
    let line = lines.entry(chat.clone()).or_default();
    let place = match (sealed, &link) {
        (Some(row), Some(link)) => Place::Sealed(link.generation(), Box::new(row)),
        _ => Place::Stored,
    };
    line.rows.entry(order).or_insert(place);
    line.bell.notify_one();
    if line.is_worked_on || link.is_none() {
        return;
    }
    line.is_worked_on = true;
    let bell = Arc::clone(&line.bell);
    drop(lines);
    let shared = Arc::clone(shared);
    tokio::spawn(async move { work(&shared, &chat, &bell).await });
}

/// What is next to do in a line.
enum Next {
    /// The row leaves.
    Fly(OutboxOrder, Box<OutboxRow>, Link),
    /// The row is brought as far as it goes, alone.
    One(OutboxOrder, Link),
    Wait,
    Done,
}

/// Works through the rows of one chat until there is none left or the connection is gone.
async fn work(shared: &Arc<Shared>, chat: &Chat, bell: &Notify) {
    let mut flying = FuturesUnordered::new();
    // Something went wrong: what flies comes down first.
    let mut is_held = false;
    loop {
        is_held &= !flying.is_empty();
        match next(shared, chat, flying.len(), is_held) {
            Next::Done => return,
            Next::Fly(order, row, link) => match leave(shared, &link, order, &row).await {
                Ok(begun) => flying.push(land(shared, link, order, row, begun)),
                Err(stop) => {
                    shared.workers.is_back(chat, order);
                    is_held = true;
                    pause(&link, stop).await;
                }
            },
            Next::One(order, link) => {
                let row = shared.store.one(tables::Outbox, &order).await.map_err(Stop::Store);
                let done = match row {
                    Ok(None) => {
                        shared.workers.is_done(chat, order);
                        Ok(())
                    }
                    Ok(Some(row)) => one(shared, &link, order, row).await,
                    Err(stop) => Err(stop),
                };
                if let Err(stop) = done {
                    pause(&link, stop).await;
                }
            }
            Next::Wait => {
                tokio::select! {
                    Some((order, link, fate)) = flying.next() => match fate {
                        Ok(Fate::Settled) => shared.workers.is_done(chat, order),
                        Ok(Fate::Again) => {
                            shared.workers.is_back(chat, order);
                            is_held = true;
                        }
                        Err(stop) => {
                            shared.workers.is_back(chat, order);
                            is_held = true;
                            pause(&link, stop).await;
                        }
                    },
                    () = bell.notified() => {}
                }
            }
        }
    }
}

fn next(shared: &Arc<Shared>, chat: &Chat, flying: usize, is_held: bool) -> Next {
    let mut lines = shared.workers.lines.lock();
    let Some(line) = lines.get_mut(chat) else { return Next::Done };
    let link = shared.sending_link();
    let waiting = line.rows.iter_mut().find(|(_, place)| !matches!(place, Place::Flying));
    let Some(((order, place), link)) = waiting.zip(link) else {
        if flying > 0 {
            return Next::Wait;
        }
        // Under the same lock: what comes now begins anew.
        line.is_worked_on = false;
        if line.rows.is_empty() {
            lines.remove(chat);
        }
        return Next::Done;
    };
    if is_held || flying >= FLYING {
        return Next::Wait;
    }
    match std::mem::replace(place, Place::Stored) {
        Place::Sealed(generation, row) if generation == link.generation() => {
            *place = Place::Flying;
            Next::Fly(*order, row, link)
        }
        _ if flying > 0 => Next::Wait,
        _ => Next::One(*order, link),
    }
}

/// Without a connection the next look ends the work; on one that stands the server or the store needs a moment.
async fn pause(link: &Link, stop: Stop) {
    let wait = match stop {
        Stop::Store(error) => {
            tracing::error!(%error, "a message waits for the store");
            AGAIN
        }
        Stop::Told(wait) => wait.min(LONGEST),
        Stop::Disconnected => AGAIN,
    };
    if link.is_open() {
        tokio::time::sleep(wait).await;
    }
}

/// What the server's answer made of a row.
enum Fate {
    Settled,
    /// It is to be looked at again.
    Again,
}

/// Sends a sealed row.
async fn leave(
    shared: &Arc<Shared>,
    link: &Link,
    order: OutboxOrder,
    row: &OutboxRow,
) -> Result<Begun, Stop> {
    let OutboxState::Sealed { stanza, .. } = &row.state else { return Err(Stop::Disconnected) };
    if sabotaged!(shared, LostOutboxRow) {
        let mut changes = Changes::new();
        changes.delete(tables::Outbox, &order);
        let _ = shared.vault.lock().await.commit(shared, changes).await.map_err(|_| Stop::Disconnected)?;
    }
    kill_point!(shared, StanzaLeaves);
    shared.workers.leaves(row, false);
    link.begin(&row.id, stanza.clone()).map_err(|_| Stop::Disconnected)
}

/// Waits for the server's answer and does what it asks for.
async fn land(
    shared: &Arc<Shared>,
    link: Link,
    order: OutboxOrder,
    row: Box<OutboxRow>,
    begun: Begun,
) -> (OutboxOrder, Link, Result<Fate, Stop>) {
    let fate = match begun.answer().await {
        Ok(ack) => {
            kill_point!(shared, StanzaAnswered);
            answered(shared, &link, order, *row, &ack).await
        }
        Err(_) => Err(Stop::Disconnected),
    };
    (order, link, fate)
}

enum Stop {
    Disconnected,
    Store(StoreError),
    /// The server said how long to wait before the question is asked again.
    Told(Duration),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Brings one row as far as it goes.
async fn one(shared: &Arc<Shared>, link: &Link, order: OutboxOrder, mut row: OutboxRow) -> Result<(), Stop> {
    if row.state == OutboxState::Queued {
        let options = StoredOptions::decode(&row.options);
        if options.expires.is_some_and(|at| at < shared.now()) {
            return settle(shared, order, &row, SendReport::Refused(Refusal::Expired)).await;
        }
        if let Some(upload) = options.upload {
            match bring_up(shared, order, &row, &upload).await {
                Ok(placed) => row = placed,
                Err(NotUp::Withdrawn) => return Ok(()),
                Err(NotUp::Later) => return Err(Stop::Disconnected),
                Err(NotUp::Refused(refusal)) => {
                    return settle(shared, order, &row, SendReport::Refused(refusal)).await;
                }
                Err(NotUp::Store(error)) => return Err(Stop::Store(error)),
                Err(NotUp::Ended) => return Err(Stop::Disconnected),
            }
        }
        match seal::seal(shared, link, order, &row).await {
            Ok(sealed) => row = sealed,
            Err(SealError::Withdrawn) => return Ok(()),
            Err(SealError::Unreachable) => {
                return settle(shared, order, &row, SendReport::Refused(Refusal::BadAddress)).await;
            }
            Err(SealError::Request(error)) if error.is_temporary() => {
                return Err(match error {
                    RequestError::Refused { backoff: Some(wait), .. } => Stop::Told(wait),
                    _ => Stop::Disconnected,
                });
            }
            Err(SealError::Request(RequestError::Refused { code, .. })) => {
                return settle(shared, order, &row, SendReport::Refused(refusal(code))).await;
            }
            Err(SealError::Request(_) | SealError::Unwritable) => {
                return settle(shared, order, &row, SendReport::Refused(Refusal::Invalid)).await;
            }
            Err(SealError::Store(error)) => return Err(Stop::Store(error)),
            Err(SealError::Ended) => return Err(Stop::Disconnected),
        }
    }
    let begun = leave(shared, link, order, &row).await?;
    let chat = row.chat.clone();
    let (.., fate) = land(shared, link.clone(), order, Box::new(row), begun).await;
    if let Fate::Settled = fate? {
        shared.workers.is_done(&chat, order);
    }
    Ok(())
}

/// The server's ack (chapter 05 §5.7).
async fn answered(
    shared: &Arc<Shared>,
    link: &Link,
    order: OutboxOrder,
    row: OutboxRow,
    ack: &Stanza,
) -> Result<Fate, Stop> {
    let mut options = StoredOptions::decode(&row.options);
    let chat: Option<Jid> = row.chat.as_str().parse().ok();
    let Some(ack) = ServerAck::parse(ack.root()) else { return Err(Stop::Disconnected) };
    let AckOutcome::Refused(refused) = ack.outcome else {
        if let Some(chat) = &chat
            && options.phash.as_deref().is_some_and(|ours| ack.differs_from(ours))
        {
            stale(shared, chat, &options).await;
        }
        let at = ack.timestamp.map_or_else(|| shared.now(), UnixTime::from_secs);
        let report = match options.shortfall {
            0 => SendReport::Accepted(at),
            devices => SendReport::AcceptedWithShortfall { at, devices },
        };
        settle(shared, order, &row, report).await?;
        if let (Some(chat), Some((pn, lid))) = (chat, crate::startup::own(shared)) {
            let own: Vec<Jid> = std::iter::once(pn).chain(lid).collect();
            crate::privacy::issue_later(shared, link, &chat, &own).await;
        }
        return Ok(Fate::Settled);
    };
    options.attempts += 1;
    match refused.remedy() {
        // The group speaks another family now: encrypted anew, once, under the same id.
        Remedy::RefreshGroup if options.attempts == 1 => {
            if let Some(chat) = &chat {
                stale(shared, chat, &options).await;
            }
            requeue(shared, order, row, &options, OutboxState::Queued).await?;
            Ok(Fate::Again)
        }
        Remedy::Retry if options.attempts < ATTEMPTS => {
            let attempts = options.attempts;
            let state = row.state.clone();
            requeue(shared, order, row, &options, state).await?;
            tokio::time::sleep(BUSY * attempts).await;
            Ok(Fate::Again)
        }
        remedy => {
            if let Some(chat) = chat.as_ref().filter(|_| remedy != Remedy::Surface) {
                stale(shared, chat, &options).await;
            }
            if matches!(refused, Refused::Code(463 | 475)) {
                crate::standing::check_later(shared, link);
            }
            let code = match refused {
                Refused::Code(code) => u16::try_from(code).unwrap_or(u16::MAX),
                Refused::Unparsable => 0,
            };
            settle(shared, order, &row, SendReport::Refused(refusal(code))).await?;
            Ok(Fate::Settled)
        }
    }
}

fn refusal(code: u16) -> Refusal {
    match code {
        400 | 479 => Refusal::Invalid,
        401 | 403 => Refusal::NotAllowed,
        404..=406 => Refusal::BadAddress,
        429 => Refusal::RateLimited,
        463 => Refusal::Restricted,
        475 => Refusal::Capped,
        other => Refusal::Other(other),
    }
}

/// The server knows other devices than we do.
async fn stale(shared: &Arc<Shared>, chat: &Jid, options: &StoredOptions) {
    // A lease that is gone is seen by whoever commits next.
    let _ = if chat.is_group() {
        if let Ok(Some(group)) = shared.store.one(tables::Groups, &crate::identity::chat_row(chat)).await
            && let Ok(group) = postcard::from_bytes::<crate::groups::Group>(&group)
        {
            let users: Vec<Jid> = group.participants.into_iter().map(|participant| participant.jid).collect();
            let _ = crate::devices::forget(shared, &users).await;
        }
        crate::groups::forget(shared, chat).await
    } else {
        crate::devices::forget_own(shared).await;
        let people = options.audience.as_ref().map_or(std::slice::from_ref(chat), StoredAudience::people);
        crate::devices::forget(shared, people).await
    };
}

async fn requeue(
    shared: &Arc<Shared>,
    order: OutboxOrder,
    row: OutboxRow,
    options: &StoredOptions,
    state: OutboxState,
) -> Result<(), Stop> {
    let row = OutboxRow { options: options.encode(), state, ..row };
    let mut changes = Changes::new();
    changes.put(tables::Outbox, &order, &row);
    let mut vault = shared.vault.lock().await;
    let _ = vault.commit(shared, changes).await.map_err(|_| Stop::Disconnected)?;
    Ok(())
}

/// The end of a message: out of the outbox, its plaintext kept for retry receipts, its report stored and given.
async fn settle(
    shared: &Arc<Shared>,
    order: OutboxOrder,
    row: &OutboxRow,
    report: SendReport,
) -> Result<(), Stop> {
    let options = StoredOptions::decode(&row.options);
    let now = shared.now();
    let mut changes = Changes::new();
    changes.delete(tables::Outbox, &order);
    if let Some(upload) = &options.upload {
        upload.forget(&mut changes);
    }
    let accepted = match &report {
        SendReport::Accepted(at) | SendReport::AcceptedWithShortfall { at, .. } => Some(*at),
        _ => None,
    };
    if let Some(at) = accepted {
        let sent =
            SentRow { plaintext: row.plaintext.clone(), details: row.options.clone(), acknowledged: at };
        changes.put_until(tables::Sent, &(row.chat.clone(), row.id.clone()), &sent, now.after(KEPT));
    }
    let mut reached = None;
    if let Ok(chat) = row.chat.as_str().parse() {
        let stage = match (&report, accepted) {
            (SendReport::Refused(refusal), _) => Some(Stage::Failed(refusal.clone())),
            (_, Some(at)) => Some(Stage::Sent(at)),
            _ => None,
        };
        let expected = options.sealed.as_ref().map_or(0, |sealed| sealed.people);
        reached = stage.map(|stage| Reached { id: row.id.clone(), chat, stage, expected });
    }
    if let Some(key) = &options.key {
        // Writing to memory cannot fail.
        let bytes = postcard::to_allocvec(&report).unwrap_or_default().into();
        let record = SendRecord { chat: row.chat.clone(), id: row.id.clone(), report: bytes };
        changes.put_until(tables::SendKeys, key, &record, now.after(KEY_KEPT));
    }
    // Marks of this message are nobody else's.
    let marks = match options.sealed.as_ref().is_none_or(|sealed| sealed.gives_key) {
        true => shared.store.all(tables::DistributionMarks, &row.chat).await?,
        false => Vec::new(),
    };
    for (at, mark) in marks {
        if mark.state != MarkState::Pending(row.id.clone()) {
            continue;
        }
        match accepted {
            Some(_) => {
                let mark = DistributionMark { state: MarkState::Confirmed, ..mark };
                changes.put(tables::DistributionMarks, &at, &mark);
            }
            None => {
                changes.delete(tables::DistributionMarks, &at);
            }
        }
    }
    together::commit_later(shared, changes, reached).await.map_err(|_| Stop::Disconnected)?;
    shared.workers.left.lock().remove(&row.id);
    kill_point!(shared, ReportStored);
    shared.reports.settle(&row.id, report);
    Ok(())
}
