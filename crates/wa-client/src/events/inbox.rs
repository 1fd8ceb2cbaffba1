//! The inbox between commit and application. What one step brings is one row, or a few; it is handed over in memory as
//! long as the application keeps up, and read from the store when it does not. A row with several events goes when the
//! last of them was taken; until then bits beside it say which were, also to the next start.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use wa_store::tables::{Inbox as Row, InboxAttempts, InboxTaken};
use wa_store::{Bytes, Changes, InboxCursor};

use super::StoredEvent;

/// Events in one row.
pub(crate) const ROW: usize = 64;
/// Events that wait in memory for the application; what comes beyond them is read from the store.
const MOST_EVENTS: usize = 512;
/// Bytes of them.
const MOST_BYTES: usize = 256 << 10;

/// One account's inbox.
#[derive(Debug)]
pub(crate) struct Inbox {
    fresh: Mutex<Fresh>,
    rows: Mutex<BTreeMap<InboxCursor, Several>>,
    /// Held while events are noted as taken: the bits of a row are written in one order.
    pub(crate) order: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Fresh {
    rows: Vec<Stored>,
    /// Events and bytes of them.
    events: usize,
    bytes: usize,
    /// There are rows in the store that are not among the events here.
    is_behind: bool,
}

/// A row with several events.
#[derive(Debug)]
struct Several {
    count: usize,
    taken: u64,
}

/// A row that a commit has stored.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) first: InboxCursor,
    pub(crate) events: Vec<StoredEvent>,
    pub(crate) bytes: usize,
}

/// Bits that a commit writes, to be noted once it has succeeded.
#[must_use = "noted after the commit"]
pub(crate) struct Taking(Vec<(InboxCursor, u64)>);

/// The cursor of an event of a row.
pub(crate) fn nth(first: InboxCursor, place: usize) -> InboxCursor {
    InboxCursor::from_number(first.number() + place as u64)
}

/// Which events of a row were taken.
pub(crate) fn bits(row: &[u8]) -> u64 {
    row.try_into().map_or(0, u64::from_le_bytes)
}

impl Default for Inbox {
    fn default() -> Self {
        let fresh = Fresh { rows: Vec::new(), events: 0, bytes: 0, is_behind: true };
        Self { fresh: Mutex::new(fresh), rows: Mutex::default(), order: tokio::sync::Mutex::default() }
    }
}

impl Inbox {
    /// A row is about to be committed: whoever finds it in the store knows what it is.
    pub(crate) fn comes(&self, first: InboxCursor, count: usize) {
        self.left_over(first, count, 0);
    }

    /// Rows were committed.
    pub(crate) fn came(&self, rows: Vec<Stored>) {
        let mut fresh = self.fresh.lock();
        for row in rows {
            if fresh.is_behind || fresh.events >= MOST_EVENTS || fresh.bytes >= MOST_BYTES {
                fresh.is_behind = true;
                return;
            }
            fresh.events += row.events.len();
            fresh.bytes += row.bytes;
            fresh.rows.push(row);
        }
    }

    /// A row was there before the client started, so many of its events taken; says how many were not.
    pub(crate) fn left_over(&self, first: InboxCursor, count: usize, taken: u64) -> u64 {
        // Rows that we wrote have no more.
        let count = count.min(ROW);
        if count > 1 {
            self.rows.lock().insert(first, Several { count, taken });
        }
        count as u64 - u64::from(taken.count_ones()).min(count as u64)
    }

    /// Whether an event of a row with several was taken.
    pub(crate) fn was_taken(&self, cursor: InboxCursor) -> bool {
        let Some((first, place)) = self.place(cursor) else { return false };
        self.rows.lock().get(&first).is_some_and(|row| row.taken >> place & 1 == 1)
    }

    /// There may be rows that nobody handed over.
    pub(crate) fn fell_behind(&self) {
        self.fresh.lock().is_behind = true;
    }

    /// What was handed over after `loaded`, all of it.
    pub(crate) fn fresh(&self, loaded: Option<InboxCursor>) -> Vec<(InboxCursor, StoredEvent)> {
        let (rows, count) = self.fresh.lock().take();
        let mut events = Vec::with_capacity(count);
        for row in rows {
            let named =
                row.events.into_iter().enumerate().map(|(place, event)| (nth(row.first, place), event));
            // What a page of the store has brought already is left out.
            events.extend(named.filter(|(cursor, _)| Some(*cursor) > loaded));
        }
        events
    }

    /// Whether the store has to be looked into. What comes from now on is handed over again, unless the look is given
    /// up or finds more than it takes.
    pub(crate) fn look(&self) -> Option<Look<'_>> {
        let was_behind = std::mem::replace(&mut self.fresh.lock().is_behind, false);
        was_behind.then(|| Look(self))
    }

    /// The row that an event stands in, and its place there.
    pub(crate) fn place(&self, cursor: InboxCursor) -> Option<(InboxCursor, usize)> {
        let rows = self.rows.lock();
        let (first, row) = rows.range(..=cursor).next_back()?;
        let place = usize::try_from(cursor.number() - first.number()).ok()?;
        (place < row.count).then_some((*first, place))
    }

    /// Events were taken: the changes that note it. Each with whether its deliveries are counted in a row of their own.
    pub(crate) fn take(
        &self,
        cursors: impl Iterator<Item = (InboxCursor, bool)>,
        changes: &mut Changes,
    ) -> Taking {
        let mut several: BTreeMap<InboxCursor, u64> = BTreeMap::new();
        for (cursor, is_counted) in cursors {
            match self.place(cursor) {
                Some((first, place)) => *several.entry(first).or_default() |= 1 << place,
                None => {
                    changes.delete(Row, &cursor);
                }
            }
            if is_counted {
                changes.delete(InboxAttempts, &cursor);
            }
        }
        let rows = self.rows.lock();
        several.retain(|first, taken| {
            let Some(row) = rows.get(first) else { return false };
            let before = row.taken;
            *taken |= before;
            if taken.count_ones() as usize == row.count {
                changes.delete(Row, first);
                if before != 0 {
                    changes.delete(InboxTaken, first);
                }
            } else if *taken != before {
                changes.put(InboxTaken, first, &Bytes::copy_from_slice(&taken.to_le_bytes()));
            }
            *taken != before
        });
        drop(rows);
        Taking(several.into_iter().collect())
    }

    /// The commit has succeeded.
    pub(crate) fn took(&self, taking: Taking) {
        let mut rows = self.rows.lock();
        for (first, taken) in taking.0 {
            if let Some(row) = rows.get_mut(&first) {
                row.taken |= taken;
                if row.taken.count_ones() as usize == row.count {
                    rows.remove(&first);
                }
            }
        }
    }
}

impl Fresh {
    /// The rows, and the number of their events.
    fn take(&mut self) -> (Vec<Stored>, usize) {
        self.bytes = 0;
        (std::mem::take(&mut self.rows), std::mem::take(&mut self.events))
    }
}

/// A look into the store.
pub(crate) struct Look<'a>(&'a Inbox);

impl Look<'_> {
    /// It found everything that there was.
    pub(crate) fn saw_all(self) {
        std::mem::forget(self);
    }
}

/// There is more, or nobody knows.
impl Drop for Look<'_> {
    fn drop(&mut self) {
        let mut fresh = self.0.fresh.lock();
        fresh.is_behind = true;
        fresh.take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: InboxCursor = InboxCursor::from_number(10);

    fn stored(inbox: &Inbox, first: u64, count: usize) -> Stored {
        inbox.comes(InboxCursor::from_number(first), count);
        let events = (0..count).map(|_| StoredEvent::LoggedOut).collect();
        Stored { first: InboxCursor::from_number(first), events, bytes: count }
    }

    fn take(inbox: &Inbox, numbers: impl IntoIterator<Item = u64>) -> (usize, usize) {
        let mut changes = Changes::new();
        let cursors = numbers.into_iter().map(|number| (InboxCursor::from_number(number), false));
        let taking = inbox.take(cursors, &mut changes);
        let written = changes.bytes();
        inbox.took(taking);
        (changes.len(), written)
    }

    #[test]
    fn a_row_goes_with_the_last_of_its_events() {
        let inbox = Inbox::default();
        inbox.came(vec![stored(&inbox, 10, 3), stored(&inbox, 13, 1)]);
        assert_eq!(inbox.place(nth(FIRST, 2)), Some((FIRST, 2)));
        assert_eq!(inbox.place(nth(FIRST, 3)), None, "alone in its row");
        assert_eq!(take(&inbox, [11]), (1, 16), "the bits");
        assert_eq!(take(&inbox, [11]), (0, 0), "noted before");
        assert_eq!(take(&inbox, [13]), (1, 8), "a row of its own");
        assert_eq!(take(&inbox, [12, 10]), (2, 16), "the row and its bits");
        assert_eq!(inbox.place(FIRST), None);
        let mut changes = Changes::new();
        let _ = inbox.take([(FIRST, true)].into_iter(), &mut changes);
        assert_eq!(changes.len(), 2, "a row of its own, with its attempts");
    }

    #[test]
    fn what_a_failed_commit_would_have_noted_is_not_noted() {
        let inbox = Inbox::default();
        inbox.came(vec![stored(&inbox, 10, 2)]);
        let _ = inbox.take([(FIRST, false)].into_iter(), &mut Changes::new());
        assert_eq!(take(&inbox, [11]), (1, 16), "the other one is still there");
    }

    #[test]
    fn what_is_not_handed_over_is_looked_for() {
        let inbox = Inbox::default();
        inbox.came(vec![stored(&inbox, 10, 2)]);
        assert!(inbox.fresh(None).is_empty(), "behind: nobody has looked yet");
        let look = inbox.look().unwrap();
        inbox.came(vec![stored(&inbox, 12, 2)]);
        look.saw_all();
        assert!(inbox.look().is_none());
        // The page had the first of them as well.
        assert_eq!(inbox.fresh(Some(InboxCursor::from_number(12))).len(), 1);
        for row in 0..20 {
            inbox.came(vec![stored(&inbox, 100 + row * 64, 64)]);
        }
        let handed = inbox.fresh(None);
        assert_eq!(handed.len(), MOST_EVENTS);
        drop(inbox.look().unwrap());
        inbox.came(vec![stored(&inbox, 9_000, 1)]);
        assert!(inbox.fresh(None).is_empty() && inbox.look().is_some(), "a look that was given up");
    }
}
