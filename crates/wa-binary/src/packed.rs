//! Packed strings: two characters a byte, from `0-9 - .` or from `0-9 A-F` (chapter 03 §4.3).

use std::fmt;

/// Longest string that a writer packs, in characters.
pub(crate) const LONGEST_PACKED: usize = 127;

/// Characters of one packed byte, by alphabet.
static NIBBLES: [[u8; 2]; 256] = pairs(*b"0123456789-.\0\0\0\0");
static HEX: [[u8; 2]; 256] = pairs(*b"0123456789ABCDEF");

const fn pairs(alphabet: [u8; 16]) -> [[u8; 2]; 256] {
    let mut table = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = [alphabet[byte >> 4], alphabet[byte & 15]];
        byte += 1;
    }
    table
}

/// Which characters a packed string is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alphabet {
    Nibble,
    Hex,
}

/// A packed string as it lies in the frame; valid by construction.
#[derive(Clone, Copy)]
pub(crate) struct Packed<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) odd: bool,
    pub(crate) alphabet: Alphabet,
}

impl<'a> Packed<'a> {
    #[inline]
    pub(crate) fn new(bytes: &'a [u8], odd: bool, alphabet: Alphabet) -> Self {
        Self { bytes, odd, alphabet }
    }

    /// Characters.
    #[inline]
    pub(crate) fn len(self) -> usize {
        2 * self.bytes.len() - usize::from(self.odd && !self.bytes.is_empty())
    }

    /// Calls `with` with the text, unpacked on the stack.
    #[inline]
    pub(crate) fn with_str<R>(self, with: impl FnOnce(&str) -> R) -> R {
        if self.bytes.len() <= 16 {
            let mut buffer = [0u8; 32];
            with(self.unpack(&mut buffer))
        } else {
            let mut buffer = [0u8; 254];
            with(self.unpack(&mut buffer))
        }
    }

    #[inline]
    fn unpack(self, buffer: &mut [u8]) -> &str {
        let table = match self.alphabet {
            Alphabet::Nibble => &NIBBLES,
            Alphabet::Hex => &HEX,
        };
        for (out, byte) in buffer.chunks_exact_mut(2).zip(self.bytes) {
            out.copy_from_slice(&table[usize::from(*byte)]);
        }
        let text = buffer.get(..self.len()).unwrap_or(&[]);
        std::str::from_utf8(text).unwrap_or("")
    }

    /// The number that it writes, without leading zeros.
    #[inline]
    pub(crate) fn canonical_number(self) -> Option<u64> {
        let len = self.len();
        if len == 0 || len > 19 {
            return if len == 20 {
                self.with_str(|s| crate::jid::canonical_number(s.as_bytes()))
            } else {
                None
            };
        }
        let mut digits = 0u128;
        for byte in self.bytes {
            digits = digits << 8 | u128::from(*byte);
        }
        if self.odd {
            digits >>= 4;
        }
        digits_to_number(digits, len)
    }
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
    let mut classes = 0;
    for byte in text {
        classes |= CLASSES[usize::from(*byte)];
        if classes >= 3 {
            return None;
        }
    }
    Some(if classes & 2 == 0 { Alphabet::Nibble } else { Alphabet::Hex })
}

/// 0 digits, 1 nibble alphabet only, 2 hex alphabet only, 4 neither.
static CLASSES: [u8; 256] = {
    let mut table = [4; 256];
    let mut byte = 0;
    while byte < 256 {
        match byte as u8 {
            b'0'..=b'9' => table[byte] = 0,
            b'-' | b'.' => table[byte] = 1,
            b'A'..=b'F' => table[byte] = 2,
            _ => {}
        }
        byte += 1;
    }
    table
};

/// Writes `text`, whose characters are all of `alphabet`, without the leading tag: length, then half bytes.
#[inline]
pub(crate) fn pack(text: &[u8], alphabet: Alphabet, out: &mut Vec<u8>) {
    let value = |byte: u8| match byte {
        b'-' => 10,
        b'.' => 11,
        b'A'..=b'F' if alphabet == Alphabet::Hex => byte - b'A' + 10,
        digit => digit & 15,
    };
    let odd = text.len() % 2 == 1;
    out.push(u8::from(odd) << 7 | text.len().div_ceil(2) as u8);
    let mut pairs = text.chunks_exact(2);
    out.extend(pairs.by_ref().map(|pair| value(pair[0]) << 4 | value(pair[1])));
    if let [last] = pairs.remainder() {
        out.push(value(*last) << 4 | 15);
    }
}
