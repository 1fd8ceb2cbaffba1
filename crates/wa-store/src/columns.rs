//! Numbers and times as databases keep them: in signed columns of 64 bits.

use crate::UnixTime;

/// Epochs, sequences and times never come near the end.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A time that may be missing, as milliseconds.
pub(crate) fn millis(time: Option<UnixTime>) -> Option<i64> {
    time.map(|time| signed(time.as_millis()))
}

/// A time back; one before 1970 is the first moment of it.
pub(crate) fn time(millis: i64) -> UnixTime {
    UnixTime::from_millis(u64::try_from(millis).unwrap_or(0))
}
