//! The token dictionary: which byte, or pair of bytes, stands for which text (chapter 03 §2, §4.1, §9).
//!
//! The tables are generated from `docs/data/tokens.tsv` by `cargo xtask tokens` and checked in.

use crate::generated::tokens::{DISPLACEMENTS, SLOT_TOKENS, TEXTS};
use crate::token_hash::{bucket, fingerprint, mix, slot};

/// Version of the dictionary: the fourth byte of the stream header.
pub const DICTIONARY_VERSION: u8 = 3;
/// Length in bytes of the longest token.
pub const LONGEST_TOKEN: usize = 48;

/// First byte of a token from dictionary 0.
pub(crate) const DICTIONARY_0: u8 = 236;
/// One past the last single-byte token.
pub(crate) const SINGLE_END: u8 = 236;
/// Numbers from here on are no tokens: no token of digits is longer than four.
pub(crate) const DIGIT_TOKENS_END: u64 = 10_000;

/// Fingerprint of every token, by its number.
static PRINTS: [u64; TEXTS.len()] = {
    let mut prints = [0; TEXTS.len()];
    let mut number = 0;
    while number < TEXTS.len() {
        prints[number] = fingerprint(TEXTS[number].as_bytes());
        number += 1;
    }
    prints
};

/// One entry of the dictionary, numbered as on the wire: single-byte tokens 1–235, then 256 for each of the four
/// dictionaries.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Token(u16);

impl Token {
    /// The token that `text` is, if it is one: exact and case-sensitive.
    #[inline]
    pub fn of(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let print = fingerprint(bytes);
        let hash = mix(print, bytes.len());
        let displacement = DISPLACEMENTS[bucket(hash)];
        let number = SLOT_TOKENS[slot(hash, displacement)];
        let candidate = TEXTS[usize::from(number)];
        let equal = PRINTS[usize::from(number)] == print
            && candidate.len() == bytes.len()
            && (bytes.len() <= 8 || candidate.as_bytes() == bytes)
            && number != 0;
        equal.then_some(Self(number))
    }

    /// The single-byte token `byte`; `None` for bytes that are none.
    pub fn single(byte: u8) -> Option<Self> {
        (1..SINGLE_END).contains(&byte).then_some(Self(u16::from(byte)))
    }

    /// Entry `index` of dictionary 0–3; `None` for other dictionaries.
    pub fn in_dictionary(dictionary: u8, index: u8) -> Option<Self> {
        (dictionary < 4)
            .then(|| Self(u16::from(DICTIONARY_0) + u16::from(dictionary) * 256 + u16::from(index)))
    }

    /// The text.
    pub fn text(self) -> &'static str {
        TEXTS[usize::from(self.0)]
    }

    /// The bytes on the wire: one, or a dictionary byte and an index.
    pub fn wire(self) -> (u8, Option<u8>) {
        match self.0.checked_sub(u16::from(DICTIONARY_0)) {
            None => (self.0 as u8, None),
            Some(rest) => (DICTIONARY_0 + (rest >> 8) as u8, Some(rest as u8)),
        }
    }
}

/// Text of the single-byte token `byte` (1–235; empty for others).
#[inline]
pub(crate) fn single_text(byte: u8) -> &'static str {
    if byte < SINGLE_END { TEXTS[usize::from(byte)] } else { "" }
}

/// Text of a dictionary token given its two bytes (236–239 and any; empty for others).
#[inline]
pub(crate) fn dictionary_text(byte: u8, index: u8) -> &'static str {
    let number = 236 + (usize::from(byte) - 236) * 256 + usize::from(index);
    TEXTS.get(number).copied().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/data/tokens.tsv");

    #[test]
    fn the_generated_dictionary_equals_the_table() {
        // A packaged crate stands without the table of the repository.
        let Ok(table) = std::fs::read_to_string(TABLE) else { return };
        let mut rows = 0;
        for line in table.lines().skip(1) {
            let mut columns = line.split('\t');
            let (dict, index, text) = (
                columns.next().unwrap(),
                columns.next().unwrap().parse::<u8>().unwrap(),
                columns.next().unwrap(),
            );
            let token = match dict {
                "single" => Token::single(index),
                number => Token::in_dictionary(number.parse().unwrap(), index),
            }
            .unwrap();
            assert_eq!(token.text(), text);
            assert_eq!(Token::of(text), Some(token));
            rows += 1;
        }
        assert_eq!(rows, 1259);
    }

    #[test]
    fn every_token_is_found_and_nothing_near_it() {
        for text in TEXTS.iter().skip(1) {
            assert_eq!(Token::of(text).map(Token::text), Some(*text));
            for near in [
                format!("{text}\0"),
                format!("\0{text}"),
                text.to_uppercase() + "~",
                text[1..].to_owned() + "\u{1}",
            ] {
                assert_eq!(Token::of(&near), None, "{near:?}");
            }
        }
        assert_eq!(Token::of(""), None);
        assert_eq!(Token::of("constructor"), None);
    }

    #[test]
    fn numbers_past_the_digit_tokens_are_no_tokens() {
        assert!(
            TEXTS
                .iter()
                .filter(|t| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit()))
                .all(|t| t.len() <= 4)
        );
    }
}
