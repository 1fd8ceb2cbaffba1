//! The stream of one account's events: pages of the inbox with transient events in between.

use std::collections::VecDeque;

use compact_str::CompactString;
use wa_store::tables::{DeadLetters, Inbox, InboxAttempts, InboxTaken};
use wa_store::{AccountStore, Attempt, Changes, DeadLetter, InboxCursor, InboxEntry, InboxRow, StoreError};

use super::inbox::{bits, nth};
use super::{Event, Kind, StoredEvent};
use crate::client::Client;

/// Rows that one look into the store takes: they may have several events each.
const PAGE: usize = 32;
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
    /// Taken and not yet acknowledged.
    taken: Vec<Taken>,
    /// Acknowledged, but not yet deleted: deleted with the next page, or when there is nothing to do.
    done: Vec<Taken>,
}

/// An event that the application has not got yet.
struct Loaded {
    cursor: InboxCursor,
    attempts: u32,
    event: StoredEvent,
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
    /// Raises the attempts of all events that were left over, before anything is delivered: a message that kills the
    /// process ends among the dead letters. Each gets a row of its own for that.
    pub(crate) async fn open(client: Client, has_rows: bool) -> Result<Self, StoreError> {
        let store = &client.shared.store;
        let mut changes = Changes::new();
        let mut after = None;
        let mut left = 0;
        let mut has_more = has_rows;
        while has_more {
            let page = store.inbox(after, 256).await?;
            has_more = !page.is_empty();
            after = page.last().map(|entry| entry.cursor);
            for entry in &page {
                if entry.attempts >= MOST_ATTEMPTS {
                    bury(&mut changes, entry.cursor, entry, None);
                    continue;
                }
                let events = StoredEvent::split(&entry.row.event);
                if events.len() > 1 {
                    let taken = store.one(InboxTaken, &entry.cursor).await?;
                    left += unfold(&mut changes, entry, events, taken.as_deref().map_or(0, bits));
                } else {
                    changes.put(InboxAttempts, &entry.cursor, &(entry.attempts + 1));
                    left += 1;
                }
            }
        }
        let _ = store.commit(changes).await?;
        client.shared.inbox_grew(left);
        if !has_rows && let Some(look) = client.shared.inbox.look() {
            look.saw_all();
        }
        Ok(Self { client, page: VecDeque::new(), loaded: None, taken: Vec::new(), done: Vec::new() })
    }

    /// The next event; `None` after the client has stopped and everything was taken.
    ///
    /// Cancel-safe: an event that was not returned comes with the next call.
    pub async fn next(&mut self) -> Option<Event> {
        self.done.append(&mut self.taken);
        loop {
            if let Some(kind) = self.client.shared.transients.take() {
                return Some(self.event(None, Delivery::First, kind));
            }
            if let Some(event) = self.take_row() {
                return Some(event);
            }
            match self.load().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%error, "the inbox cannot be read");
                    if error.retry() == wa_store::Retry::Never {
                        return None;
                    }
                }
            }
            if self.client.shared.is_stopped() {
                return None;
            }
            // Most accounts are idle most of the time: then they hold no room for pages.
            self.page.shrink_to_fit();
            self.done.shrink_to_fit();
            self.taken.shrink_to_fit();
            // A ring between the look and the wait is kept by the bell.
            self.client.shared.transients.bell.notified().await;
        }
    }

    /// The next event and whatever else is there already, at most `most` (at least one): for applications that work on
    /// several at once, whose answers then share a commit. Taking more acknowledges all of them. Empty after the client
    /// has stopped and everything was taken.
    ///
    /// Cancel-safe as [`next`](Self::next) is.
    pub async fn next_several(&mut self, most: usize) -> Vec<Event> {
        let mut events: Vec<Event> = self.next().await.into_iter().collect();
        while !events.is_empty()
            && events.len() < most
            && let Some(event) = self.take_row()
        {
            events.push(event);
        }
        events
    }

    /// Acknowledges everything taken so far, durably.
    ///
    /// # Errors
    /// What the store says; the events come again then.
    pub async fn acknowledge(&mut self) -> Result<(), StreamError> {
        self.done.append(&mut self.taken);
        Ok(self.flush().await?)
    }

    /// The event that was taken last cannot be handled: it becomes a dead letter at once.
    ///
    /// # Errors
    /// What the store says; the event comes again then.
    pub async fn fail(&mut self, error: &str) -> Result<(), StreamError> {
        let Some(Taken { cursor, is_counted }) = self.taken.pop() else { return Ok(()) };
        let store = self.store();
        let inbox = &self.client.shared.inbox;
        let _order = inbox.order.lock().await;
        let place = inbox.place(cursor);
        let Some(mut row) = store.one(Inbox, &place.map_or(cursor, |(first, _)| first)).await? else {
            return Ok(());
        };
        if let Some((_, place)) = place
            && let Some(event) = StoredEvent::split(&row.event).into_iter().nth(place)
        {
            row.event = event;
        }
        let attempts = store.one(InboxAttempts, &cursor).await?.unwrap_or(0);
        let failure = Attempt { at: self.client.shared.now(), error: CompactString::from(error) };
        let mut changes = Changes::new();
        let taking = inbox.take(std::iter::once((cursor, is_counted)), &mut changes);
        changes.put(DeadLetters, &cursor, &DeadLetter { row, attempts, failure: Some(failure) });
        let _ = store.commit(changes).await.map_err(StoreError::from)?;
        inbox.took(taking);
        Ok(())
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

    fn take_row(&mut self) -> Option<Event> {
        let Loaded { cursor, attempts, event } = self.page.pop_front()?;
        let delivery = if attempts == 0 { Delivery::First } else { Delivery::Again };
        self.taken.push(Taken { cursor, is_counted: attempts > 0 });
        kill_point!(self.client.shared, EventTaken);
        Some(self.event(Some(cursor), delivery, event.into()))
    }

    /// Takes what was handed over, or loads a page; says whether there was anything.
    async fn load(&mut self) -> Result<bool, StoreError> {
        self.flush().await?;
        let shared = &self.client.shared;
        let handed = shared.inbox.fresh(self.loaded);
        if let Some((last, _)) = handed.back() {
            self.loaded = Some(*last);
            kill_point!(shared, EventsLoaded);
            self.page.extend(handed.into_iter().map(|(cursor, event)| Loaded { cursor, attempts: 0, event }));
            return Ok(true);
        }
        let Some(look) = shared.inbox.look() else { return Ok(false) };
        let page = shared.store.inbox(self.loaded, PAGE).await?;
        if page.len() < PAGE {
            look.saw_all();
        } else {
            drop(look);
        }
        kill_point!(shared, EventsLoaded);
        let found_any = !page.is_empty();
        for InboxEntry { cursor: first, attempts, row } in page {
            let events = StoredEvent::split(&row.event);
            self.loaded = Some(nth(first, events.len().saturating_sub(1)));
            for (place, event) in events.iter().enumerate() {
                match StoredEvent::decode(event) {
                    Ok(event) => self.page.push_back(Loaded { cursor: nth(first, place), attempts, event }),
                    // It stays in the inbox for the version that wrote it.
                    Err(error) => tracing::error!(%error, "an event of the inbox was passed over"),
                }
            }
        }
        Ok(found_any)
    }

    async fn flush(&mut self) -> Result<(), StoreError> {
        if self.done.is_empty() {
            return Ok(());
        }
        let shared = &self.client.shared;
        let _order = shared.inbox.order.lock().await;
        let mut changes = Changes::new();
        let done = self.done.iter().map(|taken| (taken.cursor, taken.is_counted));
        let taking = shared.inbox.take(done, &mut changes);
        kill_point!(shared, EventsAcknowledged);
        let _ = shared.store.commit(changes).await.map_err(StoreError::from)?;
        kill_point!(shared, EventsDeleted);
        shared.inbox.took(taking);
        shared.inbox_taken(self.done.len() as u64);
        self.done.clear();
        Ok(())
    }
}

/// Gives each event of a row that was not taken a row of its own, with one attempt; says how many those are.
fn unfold(changes: &mut Changes, entry: &InboxEntry, events: Vec<wa_store::Bytes>, taken: u64) -> u64 {
    changes.delete(Inbox, &entry.cursor).delete(InboxTaken, &entry.cursor);
    let mut left = 0;
    for (place, event) in events.into_iter().enumerate() {
        if taken.checked_shr(u32::try_from(place).unwrap_or(u32::MAX)).is_some_and(|bits| bits & 1 == 1) {
            continue;
        }
        let cursor = nth(entry.cursor, place);
        changes.put(Inbox, &cursor, &InboxRow { received: entry.row.received, event });
        changes.put(InboxAttempts, &cursor, &1);
        left += 1;
    }
    left
}

fn bury(changes: &mut Changes, cursor: InboxCursor, entry: &InboxEntry, failure: Option<Attempt>) {
    let letter = DeadLetter { row: entry.row.clone(), attempts: entry.attempts, failure };
    changes.delete(Inbox, &cursor).delete(InboxAttempts, &cursor).put(DeadLetters, &cursor, &letter);
}

impl std::fmt::Debug for EventStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventStream").field("account", self.store().id()).finish_non_exhaustive()
    }
}
