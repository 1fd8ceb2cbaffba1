//! The media key and what is derived from it (chapter 06 §2 and §7).

use rand_core::CryptoRng;
use wa_crypto::{Secret, kdf};

use crate::{MediaError, MediaKind};

/// The 32 random bytes that travel in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaKey(Secret<32>);

impl MediaKey {
    /// Draws 32 bytes.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self(Secret::random(rng))
    }

    /// From the field of a message.
    ///
    /// # Errors
    /// [`MediaError::KeyLength`] unless 32 bytes are given.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, MediaError> {
        Secret::try_from(bytes).map(Self).map_err(|_| MediaError::KeyLength(bytes.len()))
    }

    /// The bytes, for the message.
    pub const fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// The keys of a kind of media. One media key must seal one file of a kind.
    pub fn derive(&self, kind: MediaKind) -> MediaKeys {
        self.derive_with(kind.hkdf_info())
    }

    /// The keys under another info.
    pub fn derive_with(&self, info: &str) -> MediaKeys {
        let all: Secret<112> = kdf::hkdf(&[], self.expose(), info.as_bytes());
        let (mut iv, [mut cipher, mut mac, mut reference]) = ([0; 16], [const { Secret::new([0; 32]) }; 3]);
        let (start, rest) = all.expose().split_at(16);
        iv.copy_from_slice(start);
        for (key, bytes) in [&mut cipher, &mut mac, &mut reference].into_iter().zip(rest.chunks_exact(32)) {
            key.expose_mut().copy_from_slice(bytes);
        }
        MediaKeys { iv, cipher, mac, reference }
    }

    /// The key of media retries.
    pub(crate) fn retry_key(&self) -> Secret<32> {
        kdf::hkdf(&[], self.expose(), b"WhatsApp Media Retry Notification")
    }

    /// The key of media retries, for comparison with a vector.
    #[doc(hidden)]
    pub fn expose_retry_key(&self) -> [u8; 32] {
        *self.retry_key().expose()
    }
}

/// The keys of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaKeys {
    iv: [u8; 16],
    cipher: Secret<32>,
    mac: Secret<32>,
    reference: Secret<32>,
}

impl MediaKeys {
    /// The initialisation vector of the file's first block.
    pub const fn iv(&self) -> &[u8; 16] {
        &self.iv
    }

    /// The key of AES-256-CBC.
    pub const fn cipher_key(&self) -> &[u8; 32] {
        self.cipher.expose()
    }

    /// The key of HMAC-SHA-256.
    pub const fn mac_key(&self) -> &[u8; 32] {
        self.mac.expose()
    }

    /// The last 32 bytes, which nothing is known to use.
    pub const fn reference_key(&self) -> &[u8; 32] {
        self.reference.expose()
    }
}
