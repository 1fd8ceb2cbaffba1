//! Skipped message keys as they are stored: fixed-size entries sorted by counter, in one piece of memory, so that a
//! record with thousands of them loads and saves with one copy.

use zeroize::Zeroizing;

use crate::encoding::{Reader, Writer};
use crate::limits::MAX_SKIPPED_KEYS;
use crate::sabotage::{self, Rule};
use crate::{Corruption, MessageSeed};

/// Counter in front of an entry, little-endian.
const COUNTER_LEN: usize = 4;

/// Entries of `KEY` bytes with their counters.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct SkippedKeys<const KEY: usize>(Zeroizing<Vec<u8>>);

impl<const KEY: usize> SkippedKeys<KEY> {
    const ENTRY: usize = COUNTER_LEN + KEY;

    pub(crate) fn len(&self) -> usize {
        self.0.len() / Self::ENTRY
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The place of the entry with `counter`.
    pub(crate) fn find(&self, counter: u32) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.counter(middle)?.cmp(&counter) {
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    pub(crate) fn counter(&self, place: usize) -> Option<u32> {
        let entry = self.0.get(place * Self::ENTRY..)?;
        entry.first_chunk::<COUNTER_LEN>().map(|bytes| u32::from_le_bytes(*bytes))
    }

    pub(crate) fn key(&self, place: usize) -> Option<&[u8; KEY]> {
        self.0.get(place * Self::ENTRY + COUNTER_LEN..)?.first_chunk::<KEY>()
    }

    pub(crate) fn remove(&mut self, place: usize) {
        if sabotage::on(Rule::UseKeyOnce) {
            return;
        }
        let (start, end) = (place * Self::ENTRY, (place + 1) * Self::ENTRY);
        if end > self.0.len() {
            return;
        }
        let len = self.0.len();
        self.0.copy_within(end.., start);
        // What moved away is overwritten before it is cut off.
        self.0[len - Self::ENTRY..].fill(0);
        self.0.truncate(len - Self::ENTRY);
    }

    /// Adds entries whose counters are all above the present ones; beyond the limit the lowest are dropped.
    pub(crate) fn append(&mut self, newer: &Self) {
        if newer.is_empty() {
            return;
        }
        let keep = if sabotage::on(Rule::Bounds) { usize::MAX } else { MAX_SKIPPED_KEYS };
        let total = self.len() + newer.len();
        let drop = total.saturating_sub(keep) * Self::ENTRY;
        let mut joined = Zeroizing::new(Vec::with_capacity(total * Self::ENTRY - drop));
        let from_old = drop.min(self.0.len());
        joined.extend_from_slice(&self.0[from_old..]);
        joined.extend_from_slice(&newer.0[(drop - from_old).min(newer.0.len())..]);
        self.0 = joined;
    }

    /// Room for `entries` more without growing.
    pub(crate) fn with_capacity(entries: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(entries * Self::ENTRY)))
    }

    /// Adds one entry; counters must come in rising order.
    pub(crate) fn push(&mut self, counter: u32, key: &[u8; KEY]) {
        self.0.extend_from_slice(&counter.to_le_bytes());
        self.0.extend_from_slice(key);
    }

    pub(crate) fn encoded_len(&self) -> usize {
        self.0.len() + 2
    }

    pub(crate) fn encode(&self, writer: &mut Writer) {
        writer.number(self.len() as u64);
        writer.bytes(&self.0);
    }

    /// Reads entries with rising counters below `next`.
    pub(crate) fn decode(reader: &mut Reader<'_>, next: u32) -> Result<Self, Corruption> {
        let count = reader.count(MAX_SKIPPED_KEYS, "number of skipped keys")?;
        let keys = Self(Zeroizing::new(reader.slice(count * Self::ENTRY)?.to_vec()));
        let mut floor = None;
        for place in 0..count {
            let counter = keys.counter(place);
            if counter <= floor || counter >= Some(next) {
                return Err(Corruption::Value("counter of a skipped key"));
            }
            floor = counter;
        }
        Ok(keys)
    }
}

impl SkippedKeys<32> {
    /// The seed at `place`.
    pub(crate) fn seed(&self, place: usize) -> Option<MessageSeed> {
        self.key(place).map(|bytes| MessageSeed::new(*bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(counters: std::ops::Range<u32>) -> SkippedKeys<32> {
        let mut keys = SkippedKeys::default();
        for counter in counters {
            keys.push(counter, &[counter as u8; 32]);
        }
        keys
    }

    #[test]
    fn a_key_is_found_until_it_is_removed() {
        let mut keys = keys(5..25);
        for counter in [5, 24, 11] {
            let place = keys.find(counter).expect("is there");
            assert_eq!(keys.key(place), Some(&[counter as u8; 32]));
            keys.remove(place);
            assert_eq!(keys.find(counter), None);
        }
        assert_eq!(keys.len(), 17);
        assert_eq!((keys.find(4), keys.find(25)), (None, None));
    }

    #[test]
    fn beyond_the_limit_the_lowest_are_dropped() {
        let mut all = keys(0..1500);
        all.append(&keys(1500..2400));
        assert_eq!((all.len(), all.counter(0), all.counter(1999)), (2000, Some(400), Some(2399)));
        all.append(&keys(2400..5000));
        assert_eq!((all.len(), all.counter(0)), (2000, Some(3000)));
    }
}
