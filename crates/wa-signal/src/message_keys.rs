//! What a message seed expands to: pairwise (chapter 04 §4.2) and for sender keys (§9.2).

use wa_crypto::Secret;
use wa_crypto::kdf::hkdf;

use crate::ratchet::MessageSeed;

/// Info of the pairwise expansion.
pub(crate) const INFO: &[u8] = b"WhisperMessageKeys";

/// Keys of one pairwise message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageKeys {
    /// AES-256 key.
    pub cipher_key: Secret<32>,
    /// HMAC key.
    pub mac_key: Secret<32>,
    /// CBC initialisation vector.
    pub iv: Secret<16>,
}

/// Keys of one sender-key message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderMessageKeys {
    /// AES-256 key.
    pub cipher_key: Secret<32>,
    /// CBC initialisation vector.
    pub iv: Secret<16>,
}

impl MessageKeys {
    /// Expands a seed.
    pub fn expand(seed: &MessageSeed) -> Self {
        let out: Secret<80> = hkdf(&[], seed.expose(), INFO);
        Self::from_expanded(out.expose())
    }

    /// From the 80 bytes that some stores keep instead of the seed: cipher key, MAC key, IV.
    pub fn from_expanded(bytes: &[u8; 80]) -> Self {
        Self {
            cipher_key: Secret::new(part(bytes, 0)),
            mac_key: Secret::new(part(bytes, 32)),
            iv: Secret::new(part(bytes, 64)),
        }
    }
}

impl SenderMessageKeys {
    /// Expands a seed.
    pub fn expand(seed: &MessageSeed) -> Self {
        let out: Secret<48> = hkdf(&[], seed.expose(), b"WhisperGroup");
        Self { iv: Secret::new(part(out.expose(), 0)), cipher_key: Secret::new(part(out.expose(), 16)) }
    }
}

/// `M` bytes of `bytes` from `at` on; callers stay inside.
fn part<const N: usize, const M: usize>(bytes: &[u8; N], at: usize) -> [u8; M] {
    let mut out = [0; M];
    out.copy_from_slice(&bytes[at..at + M]);
    out
}
