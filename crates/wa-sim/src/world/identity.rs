//! Phone numbers and LIDs of new accounts: a pure function of the seed and the push name (chapter 10 §2.2).

use crate::random::Seed;

/// Number and LID of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Phone number user.
    pub pn: u64,
    /// LID user, 15 digits, never equal to any number.
    pub lid: u64,
}

/// The identity of the account with this push name. `attempt` counts collisions with other names, from 0.
#[must_use]
pub fn assign(seed: Seed, prefix: u32, push_name: &str, attempt: u8) -> Identity {
    let counter = [attempt];
    let tail: &[u8] = if attempt == 0 { &[] } else { &counter };
    let digest = wa_crypto::digest::sha256(&[&seed.0.to_be_bytes(), &[0], push_name.as_bytes(), tail]);
    let word = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&digest[at..at + 8]);
        u64::from_be_bytes(bytes)
    };
    let pn = u64::from(prefix) * 1_000_000_000 + word(0) % 1_000_000_000;
    // A leading digit from 1 to 9 keeps all 15 digits when a client stores the user as a number; numbers have fewer.
    let lid = 100_000_000_000_000 + word(8) % 900_000_000_000_000;
    Identity { pn, lid }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_gives_the_same_account_and_another_name_another() {
        let ada = assign(Seed(1), 1555, "Ada", 0);
        assert_eq!(ada, assign(Seed(1), 1555, "Ada", 0));
        assert_ne!(ada, assign(Seed(1), 1555, "Bea", 0));
        assert_ne!(ada, assign(Seed(2), 1555, "Ada", 0));
        assert_ne!(ada, assign(Seed(1), 1555, "Ada", 1));
        assert_eq!(ada.pn.to_string().len(), 13);
        assert_eq!(ada.lid.to_string().len(), 15);
    }
}
