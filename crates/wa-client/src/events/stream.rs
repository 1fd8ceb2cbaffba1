//! The stream of one account's events: pages of the inbox with transient events in between.

use std::collections::VecDeque;
use std::time::Duration;

use compact_str::CompactString;
use wa_store::tables::{DeadLetters, Inbox, InboxAttempts, InboxTaken};
use wa_store::{AccountStore, Attempt, Changes, DeadLetter, InboxCursor, InboxEntry, InboxRow, StoreError};

use super::inbox::{bits, nth};
use super::{Event, Kind, StoredEvent};
use crate::client::Client;
use crate::vault::together::{self, Gone};

/// Rows that one look into the store takes: they may have several events each.
const PAGE: usize = 32;
/// Wait before a delivery is counted again that could not be.
const AGAIN: Duration = Duration::from_secs(1);
/// After this many deliveries that nobody acknowledged an event becomes a dead letter.
const MOST_ATTEMPTS: u32 = 5;

/// Whether an event may have been seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// The first time.
    First,
    /// It was stored before the client started, and may have been handled then.
    Again,
}

/// The events of an account, in order. There is one; fan-out is the application's.
///
/// Taking the next event acknowledges the one before it. An event that was taken but not acknowledged when the
/// process ended comes again, marked [`Delivery::Again`].
pub struct EventStream {
    client: Client,
    page: VecDeque<Loaded>,
    /// Up to where events were handed over or read.
    loaded: Option<InboxCursor>,
    /// The last event that was there before the client started: up to it deliveries are counted.
    left: Option<InboxCursor>,
    /// Taken and not yet acknowledged.
    taken: Vec<Taken>,
    /// Acknowledged: handed back with the next page, or when there is nothing to do.
    done: Vec<Taken>,
}

/// An event that the application has not got yet.
struct Loaded {
    cursor: InboxCursor,
    event: StoredEvent,
    delivery: Delivery,
    /// Deliveries that are counted, of one that was there before the client started; the coming one is not.
    attempts: u32,
}

/// An event that the application has got.
struct Taken {
    cursor: InboxCursor,
    /// Whether its deliveries are counted in a row of their own.
    is_counted: bool,
}

/// Why the stream cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl EventStream {
    /// Finds what was left over. Its deliveries are counted from now on, before each: a message that kills the process
    /// ends among the dead letters.
    pub(crate) async fn open(client: Client, has_rows: bool) -> Result<Self, StoreError> {
        let shared = &client.shared;
        let (mut after, mut events) = (None, 0);
        let mut has_more = has_rows;
        while has_more {
            let page = shared.store.inbox(after, 256).await?;
            has_more = !page.is_empty();
            for entry in &page {
                let count = StoredEvent::split(&entry.row.event).len();
                let taken = match count {
                    0 | 1 => 0,
                    _ => shared.store.one(InboxTaken, &entry.cursor).await?.as_deref().map_or(0, bits),
                };
                events += shared.inbox.left_over(entry.cursor, count, taken);
                after = Some(nth(entry.cursor, count.saturating_sub(1)));
            }
        }
        shared.inbox_grew(events);
        if !has_rows && let Some(look) = shared.inbox.look() {
            look.saw_all();
        }
        let (page, taken, done) = (VecDeque::new(), Vec::new(), Vec::new());
        Ok(Self { client, page, loaded: None, left: after, taken, done })
    }

    /// The next event; `None` after the client has stopped and everything was taken.
    ///
    /// Cancel-safe: an event that was not returned comes with the next call.
    pub async fn next(&mut self) -> Option<Event> {
        self.next_several(1).await.pop()
    }

    /// The next event and whatever else is there already, at most `most` (at least one): for applications that work on
    /// several at once, whose answers then share a commit. Taking more acknowledges all of them. Empty after the client
    /// has stopped and everything was taken. What is not stored, such as presence, comes alone.
    ///
    /// Cancel-safe as [`next`](Self::next) is.
    pub async fn next_several(&mut self, most: usize) -> Vec<Event> {
        self.done.append(&mut self.taken);
        loop {
            if let Some(kind) = self.client.shared.transients.take() {
                return vec![self.event(None, Delivery::First, kind)];
            }
            match self.hand_out(most.max(1)).await {
                Ok(events) if !events.is_empty() => return events,
                Ok(_) => {}
                Err(error) if error.retry() == wa_store::Retry::Never => {
                    tracing::warn!(%error, "a delivery cannot be counted");
                    return Vec::new();
                }
                Err(error) => {
                    tracing::warn!(%error, "a delivery cannot be counted yet");
                    tokio::time::sleep(AGAIN).await;
                    continue;
                }
            }
            match self.load().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%error, "the inbox cannot be read");
                    if error.retry() == wa_store::Retry::Never {
                        return Vec::new();
                    }
                }
            }
            if self.client.shared.is_stopped() {
                let _ = together::finish(&self.client.shared).await;
                return Vec::new();
            }
            // Most accounts are idle most of the time: then they hold no room for pages.
            self.page.shrink_to_fit();
            self.done.shrink_to_fit();
            self.taken.shrink_to_fit();
            // A ring between the look and the wait is kept by the bell.
            self.client.shared.transients.bell.notified().await;
        }
    }

    /// Acknowledges everything taken so far, durably.
    ///
    /// # Errors
    /// What the store says; the events come again then.
    pub async fn acknowledge(&mut self) -> Result<(), StreamError> {
        self.done.append(&mut self.taken);
        self.hand_back();
        together::finish(&self.client.shared).await.map_err(|Gone| StreamError::Store(StoreError::Closed))
    }

    /// The event that was taken last cannot be handled: it becomes a dead letter at once.
    ///
    /// # Errors
    /// What the store says; the event comes again then.
    pub async fn fail(&mut self, error: &str) -> Result<(), StreamError> {
        let Some(Taken { cursor, .. }) = self.taken.pop() else { return Ok(()) };
        let place = self.client.shared.inbox.place(cursor);
        let row = self.store().one(Inbox, &place.map_or(cursor, |(first, _)| first)).await?;
        let Some(mut row) = row else { return Ok(()) };
        if let Some((_, place)) = place
            && let Some(event) = StoredEvent::split(&row.event).into_iter().nth(place)
        {
            row.event = event;
        }
        let attempts = self.store().one(InboxAttempts, &cursor).await?.unwrap_or(0);
        let failure = Attempt { at: self.client.shared.now(), error: CompactString::from(error) };
        Ok(self.bury(cursor, row, attempts, Some(failure)).await?)
    }

    /// Puts all dead letters back into the inbox; gives their number.
    ///
    /// # Errors
    /// What the store says; nothing is lost then.
    pub async fn replay_dead_letters(&mut self) -> Result<usize, StreamError> {
        let store = self.store().clone();
        let letters = store.whole(DeadLetters).await?;
        let mut changes = Changes::new();
        for (cursor, letter) in &letters {
            changes.delete(DeadLetters, cursor);
            changes.put(Inbox, &store.next_cursor(), &letter.row);
        }
        let _ = store.commit(changes).await.map_err(StoreError::from)?;
        self.client.shared.inbox.fell_behind();
        self.client.shared.inbox_grew(letters.len() as u64);
        Ok(letters.len())
    }

    fn store(&self) -> &AccountStore {
        &self.client.shared.store
    }

    fn event(&self, cursor: Option<InboxCursor>, delivery: Delivery, kind: Kind) -> Event {
        Event { account: self.store().id().clone(), cursor, delivery, kind, client: self.client.clone() }
    }

    /// Hands out what is loaded, at most `most`. What was there before the client started is counted first.
    async fn hand_out(&mut self, most: usize) -> Result<Vec<Event>, StoreError> {
        let most = most.min(self.page.len());
        let mut changes = Changes::new();
        for one in self.page.iter().take(most).filter(|one| one.delivery == Delivery::Again) {
            changes.put(InboxAttempts, &one.cursor, &(one.attempts + 1));
        }
        let too_early = sabotaged!(self.client.shared, TakenUnseen).then(|| self.take(most));
        let _ = self.store().commit(changes).await?;
        // From here on the call cannot be given up: what is taken is returned.
        Ok(too_early.unwrap_or_else(|| self.take(most)))
    }

    fn take(&mut self, most: usize) -> Vec<Event> {
        let mut events = Vec::with_capacity(most);
        for Loaded { cursor, event, delivery, .. } in self.page.drain(..most) {
            self.taken.push(Taken { cursor, is_counted: delivery == Delivery::Again });
            kill_point!(self.client.shared, EventTaken);
            let account = self.client.shared.store.id().clone();
            let client = self.client.clone();
            events.push(Event { account, cursor: Some(cursor), delivery, kind: event.into(), client });
        }
        events
    }

    /// What was acknowledged goes with the next commit, or with one a moment later.
    fn hand_back(&mut self) {
        if !self.done.is_empty() {
            kill_point!(self.client.shared, EventsAcknowledged);
            let done = self.done.drain(..).map(|taken| (taken.cursor, taken.is_counted));
            together::done_with(&self.client.shared, done.collect());
        }
    }

    /// Takes what was handed over, or loads a page; says whether there was anything.
    async fn load(&mut self) -> Result<bool, StoreError> {
        self.hand_back();
        let shared = &self.client.shared;
        let handed = shared.inbox.fresh(self.loaded);
        if let Some((last, _)) = handed.last() {
            self.loaded = Some(*last);
            kill_point!(shared, EventsLoaded);
            self.page.extend(handed.into_iter().map(|(cursor, event)| Loaded {
                cursor,
                event,
                delivery: Delivery::First,
                attempts: 0,
            }));
            return Ok(true);
        }
        let Some(look) = shared.inbox.look() else { return Ok(false) };
        let rows = shared.store.inbox(self.loaded, PAGE).await?;
        let saw_all = rows.len() < PAGE;
        kill_point!(shared, EventsLoaded);
        let (mut page, mut loaded) = (Vec::new(), self.loaded);
        for InboxEntry { cursor: first, row, .. } in rows {
            let events = StoredEvent::split(&row.event);
            let cursors: Vec<InboxCursor> = (0..events.len()).map(|place| nth(first, place)).collect();
            loaded = Some(cursors.last().copied().unwrap_or(first));
            let is_left = loaded <= self.left;
            let attempts = match is_left {
                true => shared.store.many(InboxAttempts, &cursors).await?,
                false => vec![None; cursors.len()],
            };
            let events = cursors.into_iter().zip(events).zip(attempts);
            // Before anything of the row is buried: with its last event it is forgotten.
            let events: Vec<_> = events.filter(|((cursor, _), _)| !shared.inbox.was_taken(*cursor)).collect();
            for ((cursor, event), attempts) in events {
                let attempts = attempts.unwrap_or(0);
                if attempts >= MOST_ATTEMPTS {
                    self.bury(cursor, InboxRow { received: row.received, event }, attempts, None).await?;
                    continue;
                }
                let delivery = if is_left { Delivery::Again } else { Delivery::First };
                match StoredEvent::decode(&event) {
                    Ok(event) => page.push(Loaded { cursor, event, delivery, attempts }),
                    // It stays in the inbox for the version that wrote it.
                    Err(error) => tracing::error!(%error, "an event of the inbox was passed over"),
                }
            }
        }
        // From here on nobody's giving up leaves anything half-done.
        if saw_all {
            look.saw_all();
        } else {
            drop(look);
        }
        let found_any = loaded != self.loaded;
        self.loaded = loaded;
        self.page.extend(page);
        Ok(found_any)
    }

    /// Puts an event among the dead letters.
    async fn bury(
        &self,
        cursor: InboxCursor,
        row: InboxRow,
        attempts: u32,
        failure: Option<Attempt>,
    ) -> Result<(), StoreError> {
        let shared = &self.client.shared;
        let _order = shared.inbox.order.lock().await;
        let mut changes = Changes::new();
        let taking = shared.inbox.take(std::iter::once((cursor, attempts > 0)), &mut changes);
        changes.put(DeadLetters, &cursor, &DeadLetter { row, attempts, failure });
        let _ = shared.store.commit(changes).await?;
        shared.inbox.took(taking);
        shared.inbox_taken(1);
        Ok(())
    }
}

impl std::fmt::Debug for EventStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventStream").field("account", self.store().id()).finish_non_exhaustive()
    }
}
