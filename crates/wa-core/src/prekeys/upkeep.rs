//! When keys are made and uploaded, and under which ids (chapter 02 §6.2–§6.4).

use core::ops::Range;
use core::time::Duration;

/// Keys of the first upload and of one after a low notice.
pub const FIRST_UPLOAD: u32 = 812;
/// Highest key id; ids then start again at 1.
pub const MAX_ID: u32 = 0xFF_FFFF;
/// Age at which the signed pre-key is replaced, seconds.
pub const ROTATION_SECONDS: u64 = 27 * 86_400;
/// Wait after a rotation that the server answered with 5xx, seconds.
pub const ROTATION_AGAIN_SECONDS: u64 = 86_400;

/// The id after `id`: grows to [`MAX_ID`], then wraps to 1. Never 0.
pub const fn next_id(id: u32) -> u32 {
    if id >= MAX_ID { 1 } else { id + 1 }
}

/// Where key making and uploading stand. Between the two marks lie keys that were made and never offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermarks {
    next: u32,
    first_not_uploaded: u32,
}

impl Default for Watermarks {
    fn default() -> Self {
        Self { next: 1, first_not_uploaded: 1 }
    }
}

/// Which ids one upload offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadPlan {
    /// Made before and not offered yet.
    pub again: Vec<u32>,
    /// To be made.
    pub fresh: Vec<u32>,
    /// To be stored with the new keys *before* the upload is sent: an upload whose answer was lost then never offers
    /// the same id twice.
    pub after: Watermarks,
}

/// A key that one peer is given directly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectKey {
    /// Stored already.
    Made(u32),
    /// To be made and stored.
    Fresh(u32),
}

impl Watermarks {
    /// From the store; ids outside 1..=[`MAX_ID`] start at 1.
    pub const fn new(next: u32, first_not_uploaded: u32) -> Self {
        const fn in_range(id: u32) -> u32 {
            if id == 0 || id > MAX_ID { 1 } else { id }
        }
        Self { next: in_range(next), first_not_uploaded: in_range(first_not_uploaded) }
    }

    /// The next id to make.
    pub const fn next(self) -> u32 {
        self.next
    }

    /// The first id that was made and not offered; equal to [`Self::next`] when there is none.
    pub const fn first_not_uploaded(self) -> u32 {
        self.first_not_uploaded
    }

    /// How many keys are made and not offered.
    pub const fn pending(self) -> u32 {
        // Ids run in a ring of MAX_ID.
        if self.next >= self.first_not_uploaded {
            self.next - self.first_not_uploaded
        } else {
            MAX_ID - self.first_not_uploaded + self.next
        }
    }

    /// Plans an upload of `count` keys. An id for which `in_use` is true is still stored from the last round of the ring
    /// and is passed over.
    pub fn plan(self, count: u32, mut in_use: impl FnMut(u32) -> bool) -> UploadPlan {
        let mut after = self;
        let mut again = Vec::new();
        while again.len() < count as usize && after.first_not_uploaded != after.next {
            again.push(after.first_not_uploaded);
            after.first_not_uploaded = next_id(after.first_not_uploaded);
        }
        let mut fresh = Vec::new();
        let tries: Range<u32> = 0..MAX_ID;
        for _ in tries {
            if again.len() + fresh.len() >= count as usize {
                break;
            }
            if !in_use(after.next) {
                fresh.push(after.next);
            }
            after.next = next_id(after.next);
        }
        if !fresh.is_empty() {
            after.first_not_uploaded = after.next;
        }
        UploadPlan { again, fresh, after }
    }

    /// Takes one key that is handed to a peer directly, in a retry receipt, and must never be uploaded: the first one that
    /// was made and not offered, else a new one. The marks are stored before the receipt is sent.
    pub fn take_direct(self, mut in_use: impl FnMut(u32) -> bool) -> (DirectKey, Self) {
        if self.first_not_uploaded != self.next {
            let after = Self { first_not_uploaded: next_id(self.first_not_uploaded), ..self };
            return (DirectKey::Made(self.first_not_uploaded), after);
        }
        let mut id = self.next;
        for _ in 0..MAX_ID {
            if !in_use(id) {
                break;
            }
            id = next_id(id);
        }
        let next = next_id(id);
        (DirectKey::Fresh(id), Self { next, first_not_uploaded: next })
    }
}

/// Wait before upload attempt `attempt` (1 is the first repetition): Fibonacci seconds, at most 610.
pub fn retry_delay(attempt: u32) -> Duration {
    let (mut now, mut next) = (1_u64, 2_u64);
    for _ in 1..attempt.min(15) {
        (now, next) = (next, now + next);
    }
    Duration::from_secs(now.min(610))
}
