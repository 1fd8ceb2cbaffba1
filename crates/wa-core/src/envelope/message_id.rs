//! Message ids (chapter 05 §1): opaque texts that the sender chooses. An id alone names no message: chat, id, sender and
//! direction do together.

use wa_binary::Jid;
use wa_crypto::digest::sha256;
use wa_crypto::rand_core::CryptoRng;

/// A fresh id in the form of linked devices: `3EB0` and 18 hexadecimal digits in upper case.
///
/// `unix_seconds` and the own phone user only spread the 16 bytes drawn from `rng`.
pub fn generate(unix_seconds: u64, own: &Jid, rng: &mut impl CryptoRng) -> String {
    let mut random = [0; 16];
    rng.fill_bytes(&mut random);
    from_random(unix_seconds, &own.user(), &random)
}

/// The id that given randomness leads to.
pub fn from_random(unix_seconds: u64, own_user: &str, random: &[u8; 16]) -> String {
    use std::fmt::Write as _;

    let digest = sha256(&[&unix_seconds.to_be_bytes(), own_user.as_bytes(), b"@c.us", random]);
    let mut id = String::from("3EB0");
    for byte in &digest[..9] {
        // Writing to a String cannot fail.
        let _ = write!(id, "{byte:02X}");
    }
    id
}

/// The sort of client that chose an id, guessed from its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Platform {
    /// An iPhone.
    Ios,
    /// A linked device.
    Web,
    /// An Android phone.
    Android,
    /// An old desktop client.
    Desktop,
    /// None of these forms.
    Unknown,
}

impl Platform {
    /// Guesses. The first form that fits wins.
    pub fn of_id(id: &str) -> Self {
        match id.chars().count() {
            20 if id.starts_with("3A") => Self::Ios,
            22 if id.starts_with("3E") => Self::Web,
            21 | 32 => Self::Android,
            18 => Self::Desktop,
            _ if id.starts_with("3F") => Self::Desktop,
            _ => Self::Unknown,
        }
    }

    /// The name in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ios => "ios",
            Self::Web => "web",
            Self::Android => "android",
            Self::Desktop => "desktop",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rng;

    #[test]
    fn an_own_id_looks_like_one_of_a_linked_device_and_never_repeats() {
        let mut rng = rng(7);
        let own = Jid::pn(15_550_100_001);
        let one = generate(1_754_000_000, &own, &mut rng);
        let two = generate(1_754_000_000, &own, &mut rng);
        assert_ne!(one, two);
        assert_eq!(Platform::of_id(&one), Platform::Web);
        assert_eq!(one.len(), 22);
    }
}
