//! SHA-256 and HMAC-SHA-256 over the block function itself: short inputs cost their blocks and little more, and the
//! one-pass and batch kernels can reach the state.

use zeroize::optimization_barrier;

use crate::kernel::{Block, Word8, compress, compress_lanes};

/// The longest message that fits two blocks with its padding, in bytes.
pub(crate) const SHORT: usize = 128 - 9;

/// The initial chaining value (FIPS 180-4 §5.3.3).
pub(crate) const INITIAL: Word8 =
    [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

/// SHA-256 in pieces.
#[derive(Clone)]
pub(crate) struct Hasher {
    pub(crate) state: Word8,
    buffer: Block,
    /// Bytes taken so far, those in `buffer` and those before the chaining value included.
    len: u64,
}

impl Drop for Hasher {
    fn drop(&mut self) {
        (self.state, self.buffer) = ([0; 8], [0; 64]);
        optimization_barrier(self);
    }
}

impl Hasher {
    pub(crate) const fn new() -> Self {
        Self::resume(INITIAL, 0)
    }

    /// Goes on behind `len` bytes, a whole number of blocks.
    pub(crate) const fn resume(state: Word8, len: u64) -> Self {
        Self { state, buffer: [0; 64], len }
    }

    /// Bytes that wait for their block to fill.
    pub(crate) const fn pending(&self) -> usize {
        (self.len % 64) as usize
    }

    /// Says that `count` blocks went into `state` past this hasher, which holds nothing pending.
    pub(crate) const fn skip_blocks(&mut self, count: usize) {
        debug_assert!(self.pending() == 0);
        self.len += 64 * count as u64;
    }

    pub(crate) fn update(&mut self, mut data: &[u8]) {
        let pending = self.pending();
        self.len += data.len() as u64;
        if pending > 0 {
            let (head, tail) = data.split_at(data.len().min(64 - pending));
            if let Some(place) = self.buffer.get_mut(pending..pending + head.len()) {
                place.copy_from_slice(head);
            }
            if pending + head.len() < 64 {
                return;
            }
            compress(&mut self.state, &[self.buffer]);
            data = tail;
        }
        let (blocks, rest) = data.as_chunks();
        if !blocks.is_empty() {
            compress(&mut self.state, blocks);
        }
        if let Some(place) = self.buffer.get_mut(..rest.len()) {
            place.copy_from_slice(rest);
        }
    }

    pub(crate) fn finalize(mut self) -> [u8; 32] {
        self.finish()
    }

    /// The digest; the hasher is used up.
    pub(crate) fn finish(&mut self) -> [u8; 32] {
        let pending = self.pending();
        let mut last = [[0; 64]; 2];
        let bytes = last.as_flattened_mut();
        if let (Some(place), Some(kept)) = (bytes.get_mut(..pending), self.buffer.get(..pending)) {
            place.copy_from_slice(kept);
        }
        let count = close(bytes, pending, self.len);
        compress(&mut self.state, last.get(..count).unwrap_or_default());
        bytes_of(&self.state)
    }
}

/// Writes the padding behind `used` bytes of a message's last blocks; `len` is the message's length in bytes. Gives
/// the number of blocks.
pub(crate) fn close(tail: &mut [u8], used: usize, len: u64) -> usize {
    let count = (used + 9).div_ceil(64);
    if let Some(place) = tail.get_mut(used) {
        *place = 0x80;
    }
    if let Some(place) = tail.get_mut(count * 64 - 8..count * 64) {
        place.copy_from_slice(&(len * 8).to_be_bytes());
    }
    count
}

/// The chaining value as a digest.
pub(crate) fn bytes_of(state: &Word8) -> [u8; 32] {
    let mut out = [0; 32];
    for (place, word) in out.as_chunks_mut().0.iter_mut().zip(state) {
        *place = word.to_be_bytes();
    }
    out
}

/// The block in which a digest is hashed by the outer half of HMAC.
pub(crate) fn outer_block(inner: &Word8) -> Block {
    let mut block = [0; 64];
    if let Some(place) = block.first_chunk_mut() {
        *place = bytes_of(inner);
    }
    close(&mut block, 32, 64 + 32);
    block
}

/// A key of HMAC-SHA-256 with both its key blocks hashed: half the cost of a short MAC. Keep it where one key makes
/// several.
#[derive(Clone)]
pub struct HmacKey {
    pub(crate) inner: Word8,
    pub(crate) outer: Word8,
}

impl Drop for HmacKey {
    fn drop(&mut self) {
        (self.inner, self.outer) = ([0; 8], [0; 8]);
        optimization_barrier(self);
    }
}

impl HmacKey {
    /// Sets up a key of any length.
    pub fn new(key: &[u8]) -> Self {
        let (inner, outer) = key_blocks(key);
        let mut ready = Self { inner: INITIAL, outer: INITIAL };
        compress_lanes([&mut ready.inner, &mut ready.outer], [&[inner], &[outer]]);
        ready
    }

    /// The tag over the concatenation of `parts`.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let len = parts.iter().fold(0_usize, |len, part| len.saturating_add(part.len()));
        if len <= SHORT {
            return self.mac_short(parts, len);
        }
        let mut inner = Hasher::resume(self.inner, 64);
        for part in parts {
            inner.update(part);
        }
        self.close(&mut inner)
    }

    /// Derivations MAC a few bytes at a time: straight into the padded blocks, without a hasher to fill and to wipe.
    fn mac_short(&self, parts: &[&[u8]], len: usize) -> [u8; 32] {
        let mut blocks = [[0; 64]; 2];
        let mut rest = blocks.as_flattened_mut();
        for part in parts {
            let Some((place, behind)) = rest.split_at_mut_checked(part.len()) else { break };
            place.copy_from_slice(part);
            rest = behind;
        }
        let count = close(blocks.as_flattened_mut(), len, 64 + len as u64);
        let (mut inner, mut outer) = (self.inner, self.outer);
        compress(&mut inner, blocks.get(..count).unwrap_or_default());
        compress(&mut outer, &[outer_block(&inner)]);
        bytes_of(&outer)
    }

    /// Starts a tag whose message comes in pieces: [`HmacSha256::from_key`](crate::mac::HmacSha256::from_key).
    pub(crate) const fn begin(&self) -> Hasher {
        Hasher::resume(self.inner, 64)
    }

    pub(crate) fn close(&self, inner: &mut Hasher) -> [u8; 32] {
        inner.finish();
        let mut outer = self.outer;
        compress(&mut outer, &[outer_block(&inner.state)]);
        bytes_of(&outer)
    }
}

impl core::fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("HmacKey([redacted])")
    }
}

/// The inner and the outer key block (RFC 2104 §2); a key longer than a block is hashed first.
pub(crate) fn key_blocks(key: &[u8]) -> (Block, Block) {
    let mut padded = [0; 64];
    if key.len() > 64 {
        let mut hasher = Hasher::new();
        hasher.update(key);
        if let Some(place) = padded.first_chunk_mut() {
            *place = hasher.finalize();
        }
    } else if let Some(place) = padded.get_mut(..key.len()) {
        place.copy_from_slice(key);
    }
    let (mut inner, mut outer) = ([0x36; 64], [0x5C; 64]);
    // A loop over both is a few wide instructions; `map` of an array may be a call for each byte.
    for ((inner, outer), byte) in inner.iter_mut().zip(&mut outer).zip(padded) {
        *inner ^= byte;
        *outer ^= byte;
    }
    (inner, outer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::unhex;

    /// Against the library's own hash, for every length around the block boundary and every split.
    #[test]
    fn pieces_hash_as_the_whole() {
        use sha2::Digest;
        let data: Vec<u8> = (0..=255).cycle().take(300).collect();
        for len in 0..300 {
            let expected: [u8; 32] = sha2::Sha256::digest(&data[..len]).into();
            for split in [0, 1, len / 2, len.saturating_sub(1), len] {
                let split = split.min(len);
                let mut hasher = Hasher::new();
                hasher.update(&data[..split]);
                hasher.update(&data[split..len]);
                assert_eq!(hasher.finalize(), expected, "{len} bytes split at {split}");
            }
        }
    }

    /// RFC 4231: test cases 1 to 4, 6 and 7.
    #[test]
    fn published_macs_hold() {
        let cases: [(&[u8], &[u8], &str); 6] = [
            (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            (
                &unhex("0102030405060708090a0b0c0d0e0f10111213141516171819"),
                &[0xcd; 50],
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
            ),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (
                &[0xaa; 131],
                b"This is a test using a larger than block-size key and a larger than block-size data. The key \
                  needs to be hashed before being used by the HMAC algorithm.",
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
            ),
        ];
        for (key, message, tag) in cases {
            assert_eq!(HmacKey::new(key).mac(&[message])[..], unhex(tag));
            assert_eq!(crate::mac::hmac_sha256(key, &[&message[..3], &message[3..]])[..], unhex(tag));
        }
    }
}
