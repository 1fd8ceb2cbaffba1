//! The hash behind the token look-up: a fingerprint of the first, middle and last eight bytes, spread over a
//! two-level perfect table. The generator of `generated/tokens.rs` includes this very file, so that both always agree.

/// Number of first-level buckets.
pub(crate) const BUCKETS: usize = 512;
/// Number of second-level slots.
pub(crate) const SLOTS: usize = 2048;

/// The telling bytes of a text in one word. Texts of up to eight bytes and equal length have equal
/// fingerprints only when they are equal.
#[inline]
pub(crate) fn fingerprint(text: &[u8]) -> u64 {
    let len = text.len();
    if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        if len == 8 {
            return u64::from_le_bytes(*first);
        }
        let middle = text.get(len / 2 - 4..).and_then(|rest| rest.first_chunk::<8>());
        let middle = u64::from_le_bytes(*middle.unwrap_or(first)).rotate_left(11);
        return u64::from_le_bytes(*first) ^ middle ^ u64::from_le_bytes(*last).rotate_left(29);
    }
    if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        let (low, high) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return u64::from(low) | u64::from(high) << (8 * (len - 4));
    }
    match *text {
        [a] => u64::from(a),
        [a, b] => u64::from(a) | u64::from(b) << 8,
        [a, b, c] => u64::from(a) | u64::from(b) << 8 | u64::from(c) << 16,
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
