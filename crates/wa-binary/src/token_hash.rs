//! The hash behind the token look-up: a fingerprint of the first, middle and last eight bytes, spread over a
//! two-level perfect table. The generator of `generated/tokens.rs` includes this very file, so that both always agree.

/// Number of first-level buckets.
pub(crate) const BUCKETS: usize = 512;
/// Number of second-level slots.
pub(crate) const SLOTS: usize = 2048;

/// The telling bytes of a text in one word. Texts of up to eight bytes and equal length have equal
/// fingerprints only when they are equal.
#[inline]
pub(crate) const fn fingerprint(text: &[u8]) -> u64 {
    let len = text.len();
    if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        if len == 8 {
            return u64::from_le_bytes(*first);
        }
        let (_, behind) = text.split_at(len / 2 - 4);
        let middle = match behind.first_chunk::<8>() {
            Some(middle) => middle,
            None => first,
        };
        return u64::from_le_bytes(*first)
            ^ u64::from_le_bytes(*middle).rotate_left(11)
            ^ u64::from_le_bytes(*last).rotate_left(29);
    }
    if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        let (low, high) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return low as u64 | (high as u64) << (8 * (len - 4));
    }
    match *text {
        [a] => a as u64,
        [a, b] => a as u64 | (b as u64) << 8,
        [a, b, c] => a as u64 | (b as u64) << 8 | (c as u64) << 16,
        _ => 0,
    }
}

/// The mixed hash of a fingerprint and a length.
#[inline]
pub(crate) fn mix(fingerprint: u64, len: usize) -> u64 {
    let h =
        (fingerprint ^ (len as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    h ^ (h >> 32)
}

/// First-level bucket of a hash.
#[inline]
pub(crate) fn bucket(hash: u64) -> usize {
    (hash & (BUCKETS as u64 - 1)) as usize
}

/// Second-level slot of a hash under the displacement of its bucket.
#[inline]
pub(crate) fn slot(hash: u64, displacement: u16) -> usize {
    let h = ((hash >> 9) ^ u64::from(displacement)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (h >> (64 - SLOTS.ilog2())) as usize
}
