//! Packed strings: two characters a byte, from `0-9 - .` or from `0-9 A-F` (chapter 03 §4.3).

use std::fmt;

/// Longest string that a writer packs, in characters.
pub(crate) const LONGEST_PACKED: usize = 127;

/// Which characters a packed string is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alphabet {
    Nibble,
    Hex,
}

/// A packed string as it lies in the frame; valid by construction.
#[derive(Clone, Copy)]
pub(crate) struct Packed<'a> {
    /// The frame from the first packed byte on: what follows is read along and cut off, which saves copies.
    rest: &'a [u8],
    /// The length byte as it stands in the frame, and above it whether the alphabet is hex: one number, so that
    /// moving the whole about stays cheap.
    form: u32,
}

const HEX_FORM: u32 = 0x100;

/// Room for an unpacked string of `PACKED` bytes and twice as many characters; aligned, so that checking it goes word
/// by word.
#[repr(align(16))]
struct Room<const PACKED: usize, const CHARACTERS: usize>([u8; CHARACTERS]);

impl<const PACKED: usize, const CHARACTERS: usize> Room<PACKED, CHARACTERS> {
    /// All the room filled with characters: first those of the string, then whatever follows in the frame.
    #[inline]
    fn filled(packed: Packed<'_>) -> Self {
        let bytes = match packed.rest.first_chunk::<PACKED>() {
            Some(bytes) => *bytes,
            None => padded(packed.rest),
        };
        let mut room = [0; CHARACTERS];
        let (eights, fours) = (room.as_chunks_mut::<8>().0, bytes.as_chunks::<4>().0);
        if packed.form & HEX_FORM != 0 {
            for (eight, four) in eights.iter_mut().zip(fours) {
                let (halves, above_9) = half_bytes(*four);
                // From behind the 9 up to the A.
                *eight = (halves + ONES * 0x30 + ((above_9 << 3) - above_9)).to_le_bytes();
            }
        } else {
            for (eight, four) in eights.iter_mut().zip(fours) {
                let (halves, above_9) = half_bytes(*four);
                // From behind the 9 down to hyphen and dot.
                *eight = (halves + ONES * 0x30 - ((above_9 << 4) - (above_9 << 1) - above_9)).to_le_bytes();
            }
        }
        Self(room)
    }

    /// The first `len` characters; all of them are ASCII.
    #[inline]
    fn cut(&self, len: usize) -> &str {
        std::str::from_utf8(&self.0).ok().and_then(|text| text.get(..len)).unwrap_or("")
    }
}

/// `rest`, which is short, with zeros behind it.
#[inline(never)]
fn padded<const N: usize>(rest: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    bytes
}

impl<'a> Packed<'a> {
    /// `field` is the length byte, `rest` the frame behind it.
    #[inline]
    pub(crate) fn new(rest: &'a [u8], field: u8, alphabet: Alphabet) -> Self {
        Self { rest, form: u32::from(field) | if alphabet == Alphabet::Hex { HEX_FORM } else { 0 } }
    }

    /// Packed bytes, at most 127.
    #[inline]
    fn bytes(self) -> usize {
        (self.form & 0x7f) as usize
    }

    #[inline]
    fn is_odd(self) -> bool {
        self.form & 0x80 != 0
    }

    /// Characters.
    #[inline]
    pub(crate) fn len(self) -> usize {
        (2 * self.bytes()).saturating_sub(usize::from(self.is_odd()))
    }

    /// Calls `with` with the text, unpacked on the stack.
    #[inline(never)] // rather than in the midst of every loop over attributes
    pub(crate) fn with_str<R>(self, with: impl FnOnce(&str) -> R) -> R {
        let len = self.len();
        match self.bytes() {
            0..=8 => with(Room::<8, 16>::filled(self).cut(len)),
            9..=16 => with(Room::<16, 32>::filled(self).cut(len)),
            _ => with(Room::<128, 256>::filled(self).cut(len)),
        }
    }

    /// The number that it writes, without leading zeros.
    #[inline]
    pub(crate) fn canonical_number(self) -> Option<u64> {
        let bytes = self.bytes();
        let len = self.len();
        if bytes <= 8
            && len > 0
            && let Some(eight) = self.rest.first_chunk::<8>()
        {
            let digits = (u64::from_be_bytes(*eight) >> (64 - 8 * bytes)) >> (4 * u32::from(self.is_odd()));
            let first = digits >> (4 * (len - 1));
            if not_digits(digits) || (first == 0 && len > 1) {
                return None;
            }
            return Some(sixteen_digits(digits));
        }
        self.long_number(len)
    }

    fn long_number(self, len: usize) -> Option<u64> {
        if len == 0 || len > 19 {
            return if len == 20 {
                self.with_str(|s| crate::jid::canonical_number(s.as_bytes()))
            } else {
                None
            };
        }
        let bytes = self.rest.get(..self.bytes()).unwrap_or(&[]);
        let digits = bytes.iter().fold(0u128, |digits, byte| digits << 8 | u128::from(*byte));
        digits_to_number(digits >> (4 * u32::from(self.is_odd())), len)
    }
}

/// The eight half bytes of four bytes in their order, each in a byte of its own, and a 1 for each above 9.
#[inline]
fn half_bytes(four: [u8; 4]) -> (u64, u64) {
    let x = u64::from(u32::from_le_bytes(four));
    let x = (x | x << 16) & 0x0000_ffff_0000_ffff;
    let x = (x | x << 8) & 0x00ff_00ff_00ff_00ff;
    let halves = (x >> 4 | x << 8) & (ONES * 0x0f);
    (halves, ((halves + ONES * 6) >> 4) & ONES)
}

/// `len` (1–19) binary-coded digits as a number; none for other characters or a leading zero.
#[inline]
pub(crate) fn digits_to_number(digits: u128, len: usize) -> Option<u64> {
    let (high, low) = ((digits >> 64) as u64, digits as u64);
    let first = (digits >> (4 * (len - 1))) as u8 & 15;
    if not_digits(low) || not_digits(high) || (first == 0 && len > 1) {
        return None;
    }
    let low = sixteen_digits(low);
    if high == 0 {
        return Some(low);
    }
    Some(sixteen_digits(high) * 10_000_000_000_000_000 + low)
}

/// Whether a half byte of `x` is above 9.
#[inline]
fn not_digits(x: u64) -> bool {
    x & 0x8888_8888_8888_8888 & (x << 1 | x << 2) != 0
}

/// Whether a half byte of `x` is above 11.
#[inline]
pub(crate) fn not_nibbles(x: u64) -> bool {
    x & 0x8888_8888_8888_8888 & (x << 1) != 0
}

/// Sixteen binary-coded digits as a number, all places at once.
#[inline]
fn sixteen_digits(x: u64) -> u64 {
    let x = (x & 0x0f0f_0f0f_0f0f_0f0f) + 10 * ((x >> 4) & 0x0f0f_0f0f_0f0f_0f0f);
    let x = (x & 0x00ff_00ff_00ff_00ff) + 100 * ((x >> 8) & 0x00ff_00ff_00ff_00ff);
    let x = (x & 0x0000_ffff_0000_ffff) + 10_000 * ((x >> 16) & 0x0000_ffff_0000_ffff);
    (x & 0xffff_ffff) + 100_000_000 * (x >> 32)
}

impl fmt::Display for Packed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_str(|text| f.write_str(text))
    }
}

/// The alphabet that holds every character of `text`, digits preferring nibbles; none when no alphabet does, or
/// when it is too long to pack.
#[inline]
pub(crate) fn alphabet_of(text: &[u8]) -> Option<Alphabet> {
    if text.is_empty() || text.len() > LONGEST_PACKED {
        return None;
    }
    let (words, rest) = text.as_chunks::<8>();
    let mut all = Membership::EMPTY;
    for word in words {
        all = all.and(Membership::of(u64::from_be_bytes(*word)));
        if all.is_none() {
            return None;
        }
    }
    if !rest.is_empty() {
        all = all.and(Membership::of(last_word(text, rest)));
    }
    all.alphabet()
}

/// Whether characters belong to the alphabets, in the top bit of each byte.
#[derive(Clone, Copy)]
struct Membership {
    nibbles: u64,
    hex: u64,
}

impl Membership {
    const EMPTY: Self = Self { nibbles: u64::MAX, hex: u64::MAX };

    /// Of eight characters.
    #[inline]
    fn of(word: u64) -> Self {
        // The top bit of each byte says whether it is at least `limit`; bytes above ASCII are seen to at the end.
        let low = word & !TOP_BITS;
        let at_least = |limit: u8| (low | TOP_BITS) - ONES * u64::from(limit);
        let digits = at_least(b'0') & !at_least(b'9' + 1);
        let marks = at_least(b'-') & !at_least(b'.' + 1);
        let letters = at_least(b'A') & !at_least(b'F' + 1);
        Self { nibbles: (digits | marks) & !word, hex: (digits | letters) & !word }
    }

    #[inline]
    fn and(self, other: Self) -> Self {
        Self { nibbles: self.nibbles & other.nibbles, hex: self.hex & other.hex }
    }

    #[inline]
    fn is_none(self) -> bool {
        !self.nibbles & TOP_BITS != 0 && !self.hex & TOP_BITS != 0
    }

    #[inline]
    fn alphabet(self) -> Option<Alphabet> {
        if !self.nibbles & TOP_BITS == 0 {
            Some(Alphabet::Nibble)
        } else if !self.hex & TOP_BITS == 0 {
            Some(Alphabet::Hex)
        } else {
            None
        }
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const TOP_BITS: u64 = 0x8080_8080_8080_8080;

/// The characters of `rest`, fewer than eight at the end of `text`, with zeros (the digit) behind them.
#[inline]
fn last_word(text: &[u8], rest: &[u8]) -> u64 {
    let bits = 8 * rest.len() as u32;
    let zeros = (ONES * u64::from(b'0')) >> bits;
    match text.last_chunk::<8>() {
        Some(last) => (u64::from_be_bytes(*last) << (64 - bits)) | zeros,
        None => {
            let word = rest.iter().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
            (word << (64 - bits)) | zeros
        }
    }
}

/// Writes `text`, whose characters are all of `alphabet`, without the leading tag: length, then half bytes.
#[inline]
pub(crate) fn pack(text: &[u8], alphabet: Alphabet, out: &mut Vec<u8>) {
    // Behind the letters' bit, A is 1; without the digits' bit, the hyphen is 13.
    let halves = |word: u64| match alphabet {
        Alphabet::Hex => (word & (ONES * 0x0f)) + 9 * ((word >> 6) & ONES),
        Alphabet::Nibble => (word & (ONES * 0x0f)) - 3 * (!(word >> 4) & ONES),
    };
    let four_bytes = |word: u64| {
        let x = halves(word);
        let x = (x | x >> 4) & 0x00ff_00ff_00ff_00ff;
        let x = (x | x >> 8) & 0x0000_ffff_0000_ffff;
        ((x | x >> 16) as u32).to_be_bytes()
    };
    let odd = text.len() % 2 == 1;
    let bytes = text.len().div_ceil(2);
    out.push(u8::from(odd) << 7 | bytes as u8);
    let end = out.len() + bytes;
    let (words, rest) = text.as_chunks::<8>();
    for word in words {
        out.extend_from_slice(&four_bytes(u64::from_be_bytes(*word)));
    }
    if !rest.is_empty() {
        out.extend_from_slice(&four_bytes(last_word(text, rest)));
        out.truncate(end);
    }
    if odd && let Some(last) = out.last_mut() {
        *last |= 15;
    }
}
