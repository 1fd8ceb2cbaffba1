//! The code itself: 40 random bits as eight characters (chapter 02 §4).

use core::fmt;

use rand_core::CryptoRng;
use wa_crypto::{Secret, kdf};

use super::{PairingCodeError, ROUNDS};

/// Characters of a code, five bits each: no 0, I, O, U.
pub const ALPHABET: &[u8; 32] = b"123456789ABCDEFGHJKLMNPQRSTVWXYZ";

/// Eight characters of [`ALPHABET`]. `Display` writes `ABCD-1234`, `Debug` nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct PairingCode([u8; 8]);

impl PairingCode {
    /// Draws a code.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; 5];
        rng.fill_bytes(&mut bytes);
        Self::from_bytes(bytes)
    }

    /// From 40 bits, the most significant first.
    pub fn from_bytes(bytes: [u8; 5]) -> Self {
        let bits = bytes.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        let mut code = [0; 8];
        for (index, slot) in code.iter_mut().enumerate() {
            let five = bits >> (35 - 5 * index) & 31;
            *slot = ALPHABET.get(five as usize).copied().unwrap_or_default();
        }
        Self(code)
    }

    /// From a custom or typed code: dashes are dropped and letters raised.
    ///
    /// # Errors
    /// [`PairingCodeError::CodeLength`] or [`PairingCodeError::CodeCharacter`].
    pub fn parse(text: &str) -> Result<Self, PairingCodeError> {
        let characters = || text.chars().filter(|character| *character != '-');
        let found = characters().count();
        if found != 8 {
            return Err(PairingCodeError::CodeLength(found));
        }
        let mut code = [0; 8];
        for (slot, character) in code.iter_mut().zip(characters()) {
            let raised = character.to_ascii_uppercase();
            *slot = u8::try_from(raised)
                .ok()
                .filter(|byte| ALPHABET.contains(byte))
                .ok_or(PairingCodeError::CodeCharacter(character))?;
        }
        Ok(Self(code))
    }

    /// The eight characters without the dash, as PBKDF2 takes them.
    pub fn as_str(&self) -> &str {
        // Only characters of the alphabet get in.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The key that wraps the ephemeral keys: one PBKDF2 run.
    pub fn key(&self, salt: &[u8; 32]) -> Secret<32> {
        kdf::pbkdf2(&self.0, salt, ROUNDS)
    }
}

impl fmt::Display for PairingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = self.as_str().split_at(4);
        write!(f, "{first}-{second}")
    }
}

impl fmt::Debug for PairingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairingCode([redacted])")
    }
}
