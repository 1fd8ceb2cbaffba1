//! Padding of version-2 plaintexts (chapter 04 §12.1, chapter 05 §3): n bytes of value n behind the message.

use thiserror::Error;
use wa_crypto::rand_core::CryptoRng;

/// Why a decrypted plaintext is no padded message. Answered with error 491, never with a retry receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PaddingError {
    /// No bytes at all, where at least one byte of padding stands.
    #[error("an empty plaintext has no padding")]
    Empty,
    /// The last byte is 0 or says more than there is.
    #[error("padding of {stated} bytes in a plaintext of {length}")]
    Length {
        /// What the last byte says.
        stated: u8,
        /// Bytes of the plaintext with its padding.
        length: usize,
    },
    /// The bytes of the padding are not all equal to their number.
    #[error("padding bytes that differ")]
    Unequal,
}

/// Appends 1 to 16 bytes of padding, their number drawn from `rng` (one byte).
pub fn pad(plaintext: &mut Vec<u8>, rng: &mut impl CryptoRng) {
    let mut drawn = [0];
    rng.fill_bytes(&mut drawn);
    pad_by(plaintext, PadLength((drawn[0] & 15) + 1));
}

/// Appends exactly `length` bytes of padding.
pub fn pad_by(plaintext: &mut Vec<u8>, length: PadLength) {
    plaintext.resize(plaintext.len() + usize::from(length.0), length.0);
}

/// The plaintext without its padding; 1 to 255 bytes of it are accepted.
///
/// # Errors
/// When the padding is absent, longer than the plaintext, or not made of equal bytes.
pub fn unpad(padded: &[u8]) -> Result<&[u8], PaddingError> {
    let stated = *padded.last().ok_or(PaddingError::Empty)?;
    let wrong = PaddingError::Length { stated, length: padded.len() };
    if stated == 0 {
        return Err(wrong);
    }
    let (plaintext, padding) =
        padded.split_at_checked(padded.len().wrapping_sub(stated.into())).ok_or(wrong)?;
    if padding.iter().any(|byte| *byte != stated) {
        return Err(PaddingError::Unequal);
    }
    Ok(plaintext)
}

/// A number of padding bytes: 1 to 255, of which senders use 1 to 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PadLength(u8);

impl PadLength {
    /// `None` for 0.
    pub const fn new(length: u8) -> Option<Self> {
        if length == 0 { None } else { Some(Self(length)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rng;

    #[test]
    fn what_was_padded_comes_back_for_every_length() {
        let mut seen = [false; 17];
        let mut rng = rng(5);
        for length in 0..400 {
            let text: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let mut padded = text.clone();
            pad(&mut padded, &mut rng);
            seen[padded.len() - text.len()] = true;
            assert_eq!(unpad(&padded), Ok(&*text));
        }
        assert!(!seen[0] && seen[1..].iter().all(|seen| *seen));
    }

    #[test]
    fn every_changed_padding_byte_is_seen() {
        let mut padded = b"text".to_vec();
        pad_by(&mut padded, PadLength::new(16).unwrap());
        for at in 4..19 {
            let mut changed = padded.clone();
            changed[at] ^= 1;
            assert_eq!(unpad(&changed), Err(PaddingError::Unequal));
        }
        assert_eq!(unpad(&[]), Err(PaddingError::Empty));
        assert_eq!(unpad(&[7, 0]), Err(PaddingError::Length { stated: 0, length: 2 }));
        assert_eq!(unpad(&[3, 3]), Err(PaddingError::Length { stated: 3, length: 2 }));
        assert_eq!(unpad(&[255; 255]), Ok(&[][..]));
    }
}
