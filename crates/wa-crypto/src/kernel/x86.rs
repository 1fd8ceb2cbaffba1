//! SHA-256 and AES-256-CBC by the SHA and AES instructions, several independent streams interleaved.
//!
//! Both instruction sets have long latencies and short reciprocal throughputs: one stream leaves most of the unit
//! idle. Streams that do not depend on each other fill it. Each function here has a portable twin in `portable.rs`.
#![allow(
    clippy::needless_range_loop,
    clippy::needless_pass_by_value,
    reason = "one index runs over several lanes"
)]

use core::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_aesdec_si128, _mm_aesdeclast_si128, _mm_aesenc_si128, _mm_aesenclast_si128,
    _mm_aesimc_si128, _mm_aeskeygenassist_si128, _mm_alignr_epi8, _mm_blend_epi16, _mm_loadu_si128,
    _mm_set_epi64x, _mm_setzero_si128, _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32,
    _mm_shuffle_epi8, _mm_shuffle_epi32, _mm_slli_si128, _mm_storeu_si128, _mm_xor_si128,
};

use super::{Block, RoundKeys, Word8};

/// The SHA-256 round constants (FIPS 180-4 §4.2.2).
static K: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

/// State of one stream in the order that the instructions want.
#[derive(Clone, Copy)]
struct Sha {
    abef: __m128i,
    cdgh: __m128i,
}

impl Sha {
    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn load(state: &Word8) -> Self {
        let at: *const __m128i = state.as_ptr().cast();
        // SAFETY: eight words are two unaligned vectors.
        let (dcba, hgfe) = unsafe { (_mm_loadu_si128(at), _mm_loadu_si128(at.add(1))) };
        let cdab = _mm_shuffle_epi32(dcba, 0xB1);
        let efgh = _mm_shuffle_epi32(hgfe, 0x1B);
        Self { abef: _mm_alignr_epi8(cdab, efgh, 8), cdgh: _mm_blend_epi16(efgh, cdab, 0xF0) }
    }

    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn store(self, state: &mut Word8) {
        let feba = _mm_shuffle_epi32(self.abef, 0x1B);
        let dchg = _mm_shuffle_epi32(self.cdgh, 0xB1);
        let at: *mut __m128i = state.as_mut_ptr().cast();
        // SAFETY: eight words are two unaligned vectors.
        unsafe {
            _mm_storeu_si128(at, _mm_blend_epi16(feba, dchg, 0xF0));
            _mm_storeu_si128(at.add(1), _mm_alignr_epi8(dchg, feba, 8));
        }
    }

    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn load_block(block: &Block) -> [__m128i; 4] {
        let swap = _mm_set_epi64x(0x0C0D_0E0F_0809_0A0B, 0x0405_0607_0001_0203);
        let at: *const __m128i = block.as_ptr().cast();
        core::array::from_fn(|i| {
            // SAFETY: 64 bytes are four unaligned vectors.
            let word = unsafe { _mm_loadu_si128(at.add(i)) };
            _mm_shuffle_epi8(word, swap)
        })
    }

    /// The words of the `group`th of sixteen groups of four rounds.
    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn schedule(group: usize, w: &mut [__m128i; 4]) -> __m128i {
        let i = group % 4;
        if group >= 4 {
            let (next, before, last) = (w[(i + 1) % 4], w[(i + 2) % 4], w[(i + 3) % 4]);
            let sum = _mm_add_epi32(_mm_sha256msg1_epu32(w[i], next), _mm_alignr_epi8(last, before, 4));
            w[i] = _mm_sha256msg2_epu32(sum, last);
        }
        // SAFETY: `group` is below 16, so four constants follow.
        let k = unsafe { _mm_loadu_si128(K.as_ptr().add(4 * group).cast()) };
        _mm_add_epi32(w[i], k)
    }

    /// Four rounds with the words of their group.
    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn rounds(&mut self, words: __m128i) {
        self.cdgh = _mm_sha256rnds2_epu32(self.cdgh, self.abef, words);
        self.abef = _mm_sha256rnds2_epu32(self.abef, self.cdgh, _mm_shuffle_epi32(words, 0x0E));
    }

    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn add(self, before: Self) -> Self {
        Self { abef: _mm_add_epi32(self.abef, before.abef), cdgh: _mm_add_epi32(self.cdgh, before.cdgh) }
    }
}

/// Compresses the same number of blocks into each of `N` states.
#[target_feature(enable = "sha,sse4.1,ssse3")]
pub(super) fn compress<const N: usize>(states: [&mut Word8; N], blocks: [&[Block]; N]) {
    let count = blocks.iter().map(|lane| lane.len()).min().unwrap_or(0);
    let mut lanes: [Sha; N] = core::array::from_fn(|lane| Sha::load(&*states[lane]));
    for at in 0..count {
        let before = lanes;
        let mut w: [[__m128i; 4]; N] = core::array::from_fn(|lane| Sha::load_block(&blocks[lane][at]));
        for group in 0..16 {
            for lane in 0..N {
                let words = Sha::schedule(group, &mut w[lane]);
                lanes[lane].rounds(words);
            }
        }
        for lane in 0..N {
            lanes[lane] = lanes[lane].add(before[lane]);
        }
    }
    for (lane, state) in lanes.into_iter().zip(states) {
        lane.store(state);
    }
}

/// Expands a key into its fifteen round keys.
#[target_feature(enable = "aes,sse2")]
pub(super) fn expand(key: &[u8; 32]) -> RoundKeys {
    #[inline]
    #[target_feature(enable = "sse2")]
    fn fold(mut word: __m128i, assist: __m128i) -> __m128i {
        word = _mm_xor_si128(word, _mm_slli_si128(word, 4));
        word = _mm_xor_si128(word, _mm_slli_si128(word, 8));
        _mm_xor_si128(word, assist)
    }
    let at: *const __m128i = key.as_ptr().cast();
    // SAFETY: 32 bytes are two unaligned vectors.
    let (mut even, mut odd) = unsafe { (_mm_loadu_si128(at), _mm_loadu_si128(at.add(1))) };
    let mut keys = [_mm_setzero_si128(); 15];
    keys[0] = even;
    keys[1] = odd;
    macro_rules! step {
        ($index:literal, $rcon:literal) => {
            even = fold(even, _mm_shuffle_epi32(_mm_aeskeygenassist_si128(odd, $rcon), 0xFF));
            keys[$index] = even;
            if $index < 14 {
                odd = fold(odd, _mm_shuffle_epi32(_mm_aeskeygenassist_si128(even, 0), 0xAA));
                keys[$index + usize::from($index < 14)] = odd;
            }
        };
    }
    step!(2, 0x01);
    step!(4, 0x02);
    step!(6, 0x04);
    step!(8, 0x08);
    step!(10, 0x10);
    step!(12, 0x20);
    step!(14, 0x40);
    let mut out = RoundKeys::default();
    for (key, place) in keys.iter().zip(out.0.iter_mut()) {
        // SAFETY: a round key is one unaligned vector.
        unsafe { _mm_storeu_si128(place.as_mut_ptr().cast(), *key) };
    }
    out
}

#[inline]
#[target_feature(enable = "sse2")]
fn load16(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: 16 bytes are one unaligned vector.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "sse2")]
fn store16(bytes: &mut [u8; 16], value: __m128i) {
    // SAFETY: 16 bytes are one unaligned vector.
    unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), value) };
}

/// CBC-encrypts in place the same number of blocks in each of `N` lanes, each under its own key; `ivs` move on.
#[target_feature(enable = "aes,sse2")]
pub(super) fn cbc_encrypt<const N: usize>(
    keys: [&RoundKeys; N],
    ivs: [&mut [u8; 16]; N],
    blocks: [&mut [[u8; 16]]; N],
) {
    let count = blocks.iter().map(|lane| lane.len()).min().unwrap_or(0);
    let mut chain: [__m128i; N] = core::array::from_fn(|lane| load16(&*ivs[lane]));
    for at in 0..count {
        for lane in 0..N {
            let text = _mm_xor_si128(load16(&blocks[lane][at]), load16(&keys[lane].0[0]));
            chain[lane] = _mm_xor_si128(chain[lane], text);
        }
        for round in 1..14 {
            for lane in 0..N {
                chain[lane] = _mm_aesenc_si128(chain[lane], load16(&keys[lane].0[round]));
            }
        }
        for lane in 0..N {
            chain[lane] = _mm_aesenclast_si128(chain[lane], load16(&keys[lane].0[14]));
            store16(&mut blocks[lane][at], chain[lane]);
        }
    }
    for (iv, chain) in ivs.into_iter().zip(chain) {
        store16(iv, chain);
    }
}

/// One step of sealing: CBC-encrypts the 64 bytes of `text` into `out` and compresses one block into each of `N` hash
/// states. The cipher's chain and the hashes do not depend on each other. With `TWIN` the last lane hashes what the one
/// before it does, and its own entry in `blocks` is not looked at.
#[target_feature(enable = "aes,sha,sse4.1,ssse3")]
pub(super) fn cbc_encrypt_and_compress<const N: usize, const TWIN: bool>(
    keys: &RoundKeys,
    iv: &mut [u8; 16],
    text: &[Block],
    out: &mut [Block],
    states: [&mut Word8; N],
    blocks: [&[Block]; N],
) {
    let count =
        blocks.iter().map(|lane| lane.len()).min().unwrap_or(usize::MAX).min(text.len()).min(out.len());
    let mut lanes: [Sha; N] = core::array::from_fn(|lane| Sha::load(&*states[lane]));
    let keys: [__m128i; 15] = core::array::from_fn(|round| load16(&keys.0[round]));
    let mut chain = load16(iv);
    for at in 0..count {
        let before = lanes;
        let mut w: [[__m128i; 4]; N] = core::array::from_fn(|lane| Sha::load_block(&blocks[lane][at]));
        let source: *const __m128i = text[at].as_ptr().cast();
        let target: *mut __m128i = out[at].as_mut_ptr().cast();
        // Sixteen groups of four hash rounds; four of them to one block of the cipher.
        for quarter in 0..4 {
            // SAFETY: 64 bytes are four unaligned vectors.
            let word = unsafe { _mm_loadu_si128(source.add(quarter)) };
            chain = _mm_xor_si128(chain, _mm_xor_si128(word, keys[0]));
            for part in 0..4 {
                let group = 4 * quarter + part;
                let mut words = _mm_setzero_si128();
                for lane in 0..N {
                    // Two last lanes with one input share its schedule.
                    if !(TWIN && lane == N - 1) {
                        words = Sha::schedule(group, &mut w[lane]);
                    }
                    lanes[lane].rounds(words);
                }
                if part < 3 {
                    for round in 0..4 {
                        chain = _mm_aesenc_si128(chain, keys[1 + 4 * part + round]);
                    }
                } else {
                    chain = _mm_aesenc_si128(chain, keys[13]);
                    chain = _mm_aesenclast_si128(chain, keys[14]);
                }
            }
            // SAFETY: as above.
            unsafe { _mm_storeu_si128(target.add(quarter), chain) };
        }
        for lane in 0..N {
            lanes[lane] = lanes[lane].add(before[lane]);
        }
    }
    store16(iv, chain);
    for (lane, state) in lanes.into_iter().zip(states) {
        lane.store(state);
    }
}

/// Turns the round keys of encryption into those of decryption (FIPS 197 §5.3.5).
#[target_feature(enable = "aes,sse2")]
pub(super) fn invert(keys: &RoundKeys) -> RoundKeys {
    let mut out = RoundKeys::default();
    for round in 0..15 {
        let key = load16(&keys.0[14 - round]);
        let key = if round == 0 || round == 14 { key } else { _mm_aesimc_si128(key) };
        store16(&mut out.0[round], key);
    }
    out
}

/// One step of opening: CBC-decrypts `sealed` into `out`, under the round keys of decryption, and compresses one block
/// into each of `N` hash states for every 64 bytes. `iv` moves on.
#[target_feature(enable = "aes,sha,sse4.1,ssse3")]
pub(super) fn cbc_decrypt_and_compress<const N: usize>(
    keys: &RoundKeys,
    iv: &mut [u8; 16],
    sealed: &[Block],
    out: &mut [Block],
    states: [&mut Word8; N],
    blocks: [&[Block]; N],
) {
    let count =
        blocks.iter().map(|lane| lane.len()).min().unwrap_or(usize::MAX).min(sealed.len()).min(out.len());
    let mut lanes: [Sha; N] = core::array::from_fn(|lane| Sha::load(&*states[lane]));
    let keys: [__m128i; 15] = core::array::from_fn(|round| load16(&keys.0[round]));
    let mut before = load16(iv);
    for at in 0..count {
        let start = lanes;
        let mut w: [[__m128i; 4]; N] = core::array::from_fn(|lane| Sha::load_block(&blocks[lane][at]));
        let source: *const __m128i = sealed[at].as_ptr().cast();
        let target: *mut __m128i = out[at].as_mut_ptr().cast();
        // SAFETY: 64 bytes are four unaligned vectors.
        let sealed: [__m128i; 4] = core::array::from_fn(|i| unsafe { _mm_loadu_si128(source.add(i)) });
        let mut text = sealed;
        for word in &mut text {
            *word = _mm_xor_si128(*word, keys[0]);
        }
        // Four independent blocks of the cipher, a round of each to every four hash rounds.
        for group in 0..16 {
            for lane in 0..N {
                let words = Sha::schedule(group, &mut w[lane]);
                lanes[lane].rounds(words);
            }
            if group < 13 {
                for word in &mut text {
                    *word = _mm_aesdec_si128(*word, keys[group + 1]);
                }
            }
        }
        for i in 0..4 {
            let plain = _mm_xor_si128(_mm_aesdeclast_si128(text[i], keys[14]), before);
            // SAFETY: as above.
            unsafe { _mm_storeu_si128(target.add(i), plain) };
            before = sealed[i];
        }
        for lane in 0..N {
            lanes[lane] = lanes[lane].add(start[lane]);
        }
    }
    store16(iv, before);
    for (lane, state) in lanes.into_iter().zip(states) {
        lane.store(state);
    }
}
