//! The one write: everything that one step changes, as one value, and the proof that it was committed.

use std::collections::HashMap;
use std::fmt;

use bytes::Bytes;

use crate::account::InboxEntry;
use crate::address::{Chat, InboxCursor, User};
use crate::backend::{AccountId, Batch, Op, Row, RowKey};
use crate::envelope::Cipher;
use crate::key::Key;
use crate::records::{Attempt, DeadLetter, LidRecord, MappingSource, PnRecord, Record};
use crate::tables::{
    DeadLetters, DistributionMarks, Entity, Inbox, InboxAttempts, Lids, OwnSenderKeys, Pns, Scope,
};
use crate::{StoreError, Table, UnixTime};

/// Everything that one step changes. Later operations on a row replace earlier ones.
///
/// ```
/// # use wa_store::{Changes, Address, Session, tables::{Sessions, PreKeys}};
/// let mut changes = Changes::new();
/// changes.put(Sessions, &Address::new("15550100@s.whatsapp.net", 2), &Session::new(b"record".as_slice().into()));
/// changes.delete(PreKeys, &17);
/// ```
#[derive(Default)]
pub struct Changes {
    drafts: Vec<Draft>,
}

#[derive(Clone)]
enum Draft {
    Put { key: RowKey, payload: Vec<u8>, expires: Option<UnixTime> },
    Delete(RowKey),
    Clear { table: Table, prefix: Bytes },
}

impl Draft {
    fn size(&self) -> usize {
        match self {
            Self::Put { key, payload, .. } => key.key.len() + payload.len(),
            Self::Delete(key) => key.key.len(),
            Self::Clear { prefix, .. } => prefix.len(),
        }
    }
}

impl Changes {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self { drafts: Vec::new() }
    }

    /// Writes a row.
    pub fn put<E: Entity>(&mut self, entity: E, key: &E::Key, value: &E::Value) -> &mut Self {
        self.write(entity, key, value, None)
    }

    /// Writes a row that is worthless from `expires` on: it is not read any more, and pruning deletes it.
    /// Rows that somebody still has to acknowledge have no such time, so this does not compile:
    ///
    /// ```compile_fail
    /// # use wa_store::{Changes, InboxCursor, InboxRow, UnixTime, tables::Inbox};
    /// # let row = InboxRow { received: UnixTime::from_secs(1), event: b"event".as_slice().into() };
    /// # let cursor = InboxCursor::from_number(1);
    /// Changes::new().put_until(Inbox, &cursor, &row, UnixTime::from_secs(2));
    /// ```
    pub fn put_until<E: Entity>(
        &mut self,
        entity: E,
        key: &E::Key,
        value: &E::Value,
        expires: UnixTime,
    ) -> &mut Self {
        const { assert!(E::TABLE.may_expire(), "rows of this table wait to be acknowledged: they never expire") };
        self.write(entity, key, value, Some(expires))
    }

    fn write<E: Entity>(
        &mut self,
        _: E,
        key: &E::Key,
        value: &E::Value,
        expires: Option<UnixTime>,
    ) -> &mut Self {
        let mut payload = Vec::new();
        value.to_stored(&mut payload);
        self.drafts.push(Draft::Put { key: row_key::<E>(key), payload, expires });
        self
    }

    /// Deletes a row; no error if there is none.
    pub fn delete<E: Entity>(&mut self, _: E, key: &E::Key) -> &mut Self {
        self.drafts.push(Draft::Delete(row_key::<E>(key)));
        self
    }

    /// Deletes all rows of a table that begin with `prefix`; `&()` means the whole table where the table has no prefix.
    pub fn clear<E: Entity>(&mut self, _: E, prefix: &E::Prefix) -> &mut Self {
        self.drafts.push(Draft::Clear { table: E::TABLE, prefix: prefix.to_bytes() });
        self
    }

    /// Deletes a whole table.
    pub fn clear_table(&mut self, table: Table) -> &mut Self {
        self.drafts.push(Draft::Clear { table, prefix: Bytes::new() });
        self
    }

    /// Writes a LID and a phone number that belong together, in both directions.
    pub fn link_lid(&mut self, lid: &User, pn: &User, source: MappingSource, learnt: UnixTime) -> &mut Self {
        self.put(Lids, pn, &LidRecord { lid: lid.clone(), source, learnt });
        self.put(Pns, lid, &PnRecord { pn: pn.clone(), source, learnt })
    }

    /// Forgets our own sender keys of a chat and who has them: the next send makes and distributes a new one (04 §17).
    pub fn rotate_sender_key(&mut self, chat: &Chat) -> &mut Self {
        self.clear(OwnSenderKeys, chat).clear(DistributionMarks, chat)
    }

    /// Counts one more delivery of an event: to be committed before the event is handed over, so that one that kills the
    /// process is known by its attempts.
    pub fn deliver(&mut self, entry: &InboxEntry) -> &mut Self {
        self.put(InboxAttempts, &entry.cursor, &entry.attempts.saturating_add(1))
    }

    /// The application has taken an event.
    pub fn acknowledge(&mut self, cursor: InboxCursor) -> &mut Self {
        self.delete(Inbox, &cursor).delete(InboxAttempts, &cursor)
    }

    /// The application cannot take an event: it leaves the inbox for the dead letters.
    pub fn bury(&mut self, entry: &InboxEntry, failure: Option<Attempt>) -> &mut Self {
        let letter = DeadLetter { row: entry.row.clone(), attempts: entry.attempts, failure };
        self.acknowledge(entry.cursor).put(DeadLetters, &entry.cursor, &letter)
    }

    /// Puts a dead letter back into the inbox under a new cursor.
    pub fn replay(&mut self, buried: InboxCursor, letter: &DeadLetter, cursor: InboxCursor) -> &mut Self {
        self.delete(DeadLetters, &buried).put(Inbox, &cursor, &letter.row)
    }

    /// Deletes everything that belongs to the linked number and keeps what belongs to the application: for unlinking
    /// and before linking another number. Rows put afterwards into the same `Changes` stay.
    pub fn forget_number(&mut self) -> &mut Self {
        for &table in Table::ALL {
            if table.scope() == Scope::Number {
                self.clear_table(table);
            }
        }
        self
    }

    pub(crate) fn put_payload(&mut self, key: RowKey, payload: Vec<u8>, expires: Option<UnixTime>) {
        self.drafts.push(Draft::Put { key, payload, expires });
    }

    pub(crate) fn delete_row(&mut self, key: RowKey) {
        self.drafts.push(Draft::Delete(key));
    }

    /// Appends the operations of `later`.
    pub fn merge(&mut self, later: Self) -> &mut Self {
        self.drafts.extend(later.drafts);
        self
    }

    /// Whether there is nothing to write.
    pub const fn is_empty(&self) -> bool {
        self.drafts.is_empty()
    }

    /// Number of operations.
    pub const fn len(&self) -> usize {
        self.drafts.len()
    }

    /// Bytes of all keys and values, before encryption.
    pub fn bytes(&self) -> usize {
        self.drafts.iter().map(Draft::size).sum()
    }

    /// Holds `outputs` (acks, stanzas, events) back until these changes are committed.
    pub const fn holding<T>(self, outputs: T) -> Pending<T> {
        Pending { changes: self, outputs, prepared: None }
    }

    /// Cuts into pieces of at most `rows` operations and about `bytes` bytes, in order. Not atomic any more.
    pub(crate) fn slices(self, rows: usize, bytes: usize) -> Vec<Self> {
        let mut slices = Vec::new();
        let (mut slice, mut size) = (Self::new(), 0);
        for draft in self.drafts {
            let step = draft.size();
            if !slice.is_empty() && (slice.len() >= rows || size + step > bytes) {
                slices.push(std::mem::take(&mut slice));
                size = 0;
            }
            size += step;
            slice.drafts.push(draft);
        }
        if !slice.is_empty() {
            slices.push(slice);
        }
        slices
    }

    /// Folds to one operation per row, clearings first, and closes the values.
    pub(crate) fn to_ops(&self, cipher: &Cipher, mut nonce: impl FnMut(&mut [u8])) -> Vec<Op> {
        let mut clears: Vec<Op> = Vec::new();
        let mut last: HashMap<&RowKey, usize> = HashMap::with_capacity(self.drafts.len());
        for (place, draft) in self.drafts.iter().enumerate() {
            match draft {
                Draft::Put { key, .. } | Draft::Delete(key) => {
                    last.insert(key, place);
                }
                Draft::Clear { table, prefix } => {
                    last.retain(|key, _| key.table != *table || !key.key.starts_with(prefix));
                    clears.push(Op::DeletePrefix { table: *table, prefix: prefix.clone() });
                }
            }
        }
        let mut places: Vec<usize> = last.into_values().collect();
        places.sort_unstable();
        let rows = places.into_iter().filter_map(|place| match &self.drafts[place] {
            Draft::Put { key, payload, expires } => {
                let value = cipher.close(key, payload, &mut nonce);
                Some(Op::Put(key.clone(), Row { value, expires: *expires }))
            }
            Draft::Delete(key) => Some(Op::Delete(key.clone())),
            Draft::Clear { .. } => None,
        });
        clears.extend(rows);
        clears
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Changes({} operations, {} bytes)", self.drafts.len(), self.bytes())
    }
}

pub(crate) fn row_key<E: Entity>(key: &E::Key) -> RowKey {
    RowKey { table: E::TABLE, key: key.to_bytes() }
}

/// Changes together with what may leave once they are committed, and not before: `T` cannot be reached from here.
///
/// After a failed commit it comes back inside [`Uncommitted`]; committing it again repeats exactly the same commit.
pub struct Pending<T> {
    pub(crate) changes: Changes,
    pub(crate) outputs: T,
    pub(crate) prepared: Option<(AccountId, Batch)>,
}

impl<T> Pending<T> {
    /// What would be written.
    pub const fn changes(&self) -> &Changes {
        &self.changes
    }
}

impl From<Changes> for Pending<()> {
    fn from(changes: Changes) -> Self {
        changes.holding(())
    }
}

impl<T> fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("changes", &self.changes).finish_non_exhaustive()
    }
}

/// Something that exists only because a commit has returned: what is inside may leave (acks, stanzas, events).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "what was committed may now leave"]
pub struct Committed<T>(T);

impl<T> Committed<T> {
    pub(crate) const fn new(outputs: T) -> Self {
        Self(outputs)
    }

    /// Takes the outputs out, to let them leave.
    pub fn release(self) -> T {
        self.0
    }

    /// The outputs under the same proof, in another form.
    pub fn map<U>(self, into: impl FnOnce(T) -> U) -> Committed<U> {
        Committed(into(self.0))
    }

    /// A look at the outputs.
    pub const fn peek(&self) -> &T {
        &self.0
    }
}

/// A commit that failed: nothing of it may leave. Repeat it with [`pending`](Self::pending) as it is.
#[derive(Debug, thiserror::Error)]
#[error("not committed")]
pub struct Uncommitted<T> {
    /// Why. Whether repeating can help: [`StoreError::retry`].
    #[source]
    pub error: StoreError,
    /// What was not committed, for exactly the same attempt again.
    pub pending: Box<Pending<T>>,
}

impl<T> From<Uncommitted<T>> for StoreError {
    fn from(failed: Uncommitted<T>) -> Self {
        failed.error
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::KeyValues;

    fn key(space: &str, key: &str) -> (compact_str::CompactString, Bytes) {
        (space.into(), Bytes::copy_from_slice(key.as_bytes()))
    }

    #[test]
    fn later_operations_win_and_rows_are_named_once() {
        let mut changes = Changes::new();
        changes.put(KeyValues, &key("a", "1"), &Bytes::from_static(b"old"));
        changes.put(KeyValues, &key("b", "1"), &Bytes::from_static(b"kept"));
        changes.put(KeyValues, &key("a", "2"), &Bytes::from_static(b"gone"));
        changes.clear(KeyValues, &"a".into());
        changes.put(KeyValues, &key("a", "1"), &Bytes::from_static(b"new"));
        changes.delete(KeyValues, &key("b", "1"));
        let ops = changes.to_ops(&Cipher::Plain, |_| {});
        let cipher = Cipher::Plain;
        assert_eq!(ops.len(), 3);
        assert!(matches!(&ops[0], Op::DeletePrefix { table: Table::KeyValues, .. }));
        let Op::Put(at, row) = &ops[1] else { panic!("{ops:?}") };
        assert_eq!(at.key, key("a", "1").to_bytes());
        assert_eq!(cipher.open(at, &row.value).unwrap(), "new");
        assert_eq!(ops[2], Op::Delete(row_key::<KeyValues>(&key("b", "1"))));
    }

    #[test]
    fn forgetting_the_number_touches_nothing_of_the_application() {
        let mut changes = Changes::new();
        changes.forget_number();
        for op in changes.to_ops(&Cipher::Plain, |_| {}) {
            let Op::DeletePrefix { table, prefix } = op else { panic!("{op:?}") };
            assert!(prefix.is_empty());
            assert_eq!(table.scope(), Scope::Number);
        }
    }

    #[test]
    fn slices_keep_order_and_limits() {
        let mut changes = Changes::new();
        for n in 0..100_u8 {
            changes.put(KeyValues, &key("a", &n.to_string()), &Bytes::from(vec![n; usize::from(n)]));
        }
        let slices = changes.slices(8, 300);
        let mut next = 0;
        for slice in &slices {
            assert!(slice.len() <= 8 && (slice.bytes() <= 300 || slice.len() == 1), "{slice:?}");
            for draft in &slice.drafts {
                let Draft::Put { payload, .. } = draft else { panic!() };
                assert_eq!(payload.len(), next);
                next += 1;
            }
        }
        assert_eq!(next, 100);
    }
}
