//! The symmetric state that all three patterns share, and their names (chapter 01 §4.1).

use wa_crypto::aead::{Aes256Gcm, TAG_LEN};
use wa_crypto::curve::{KeyPair, PublicKey};
use wa_crypto::digest::sha256;
use wa_crypto::kdf::hkdf;
use wa_crypto::{CryptoError, Secret};

use crate::{Field, NoiseError};

/// Which handshake runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// First connection, pairing, or no usable cached key: three messages.
    Xx,
    /// Reconnection with a cached server key: two messages, the login travels in the first.
    Ik,
    /// The server declined IK: XX goes on with the ephemeral already sent.
    XxFallback,
}

impl Pattern {
    /// The protocol name as it is mixed in: 32 bytes for XX and IK (padded), 36 for XXfallback.
    pub const fn protocol_name(self) -> &'static [u8] {
        match self {
            Self::Xx => b"Noise_XX_25519_AESGCM_SHA256\0\0\0\0",
            Self::Ik => b"Noise_IK_25519_AESGCM_SHA256\0\0\0\0",
            Self::XxFallback => b"Noise_XXfallback_25519_AESGCM_SHA256",
        }
    }
}

/// The 12-byte nonce of counter `n`: eight zero bytes, then `n` big-endian.
pub const fn nonce(n: u32) -> [u8; 12] {
    let [a, b, c, d] = n.to_be_bytes();
    [0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d]
}

/// Transcript hash, chaining key, message key and counter of a running handshake.
///
/// [`ClientHandshake`](crate::ClientHandshake) and [`ServerHandshake`](crate::ServerHandshake) drive it; it is public
/// because the vectors trace its every step.
pub struct SymmetricState {
    h: [u8; 32],
    ck: Secret<32>,
    k: Secret<32>,
    n: u32,
}

impl SymmetricState {
    /// Starts with the name of a pattern. The prologue is mixed in next, by [`mix_hash`](Self::mix_hash).
    pub fn new(pattern: Pattern) -> Self {
        let name = pattern.protocol_name();
        let h = <[u8; 32]>::try_from(name).unwrap_or_else(|_| sha256(&[name]));
        Self { h, ck: Secret::new(h), k: Secret::new(h), n: 0 }
    }

    /// Adds public bytes to the transcript.
    pub fn mix_hash(&mut self, data: &[u8]) {
        self.h = sha256(&[&self.h, data]);
    }

    /// Draws a new chaining key and message key from secret input; the counter starts again.
    pub fn mix_key(&mut self, input: &[u8]) {
        (self.ck, self.k) = self.derive(input);
        self.n = 0;
    }

    /// Mixes in what two keys agree on.
    ///
    /// # Errors
    /// [`NoiseError::LowOrderPoint`] when the result is all zero.
    pub fn mix_agreement(&mut self, ours: &KeyPair, theirs: &PublicKey) -> Result<(), NoiseError> {
        let shared = ours.agree(theirs).map_err(|error| match error {
            CryptoError::LowOrderPoint => NoiseError::LowOrderPoint,
            other => NoiseError::Crypto(other),
        })?;
        self.mix_key(shared.expose());
        Ok(())
    }

    /// Encrypts under the transcript and adds the ciphertext to it: 16 bytes longer than `plaintext`.
    ///
    /// # Errors
    /// [`NoiseError::CounterExhausted`], [`NoiseError::Crypto`]: neither happens within a handshake.
    pub fn encrypt(&mut self, plaintext: &[u8]) -> Result<Vec<u8>, NoiseError> {
        let next = self.n.checked_add(1).ok_or(NoiseError::CounterExhausted)?;
        let mut buffer = Vec::with_capacity(plaintext.len() + TAG_LEN);
        buffer.extend_from_slice(plaintext);
        Aes256Gcm::new(self.k.expose())
            .seal(&nonce(self.n), &self.h, &mut buffer, 0)
            .map_err(NoiseError::Crypto)?;
        self.n = next;
        self.mix_hash(&buffer);
        Ok(buffer)
    }

    /// The reverse of [`encrypt`](Self::encrypt); `field` names the part in an error. The transcript takes the
    /// ciphertext only after success; after a failure the handshake is over.
    ///
    /// # Errors
    /// [`NoiseError::Length`] when shorter than a tag, [`NoiseError::Authentication`] when the tag does not fit.
    pub fn decrypt(&mut self, field: Field, ciphertext: &[u8]) -> Result<Vec<u8>, NoiseError> {
        if ciphertext.len() < TAG_LEN {
            return Err(NoiseError::Length { field, len: ciphertext.len() });
        }
        let next = self.n.checked_add(1).ok_or(NoiseError::CounterExhausted)?;
        let mut buffer = ciphertext.to_vec();
        let len = Aes256Gcm::new(self.k.expose())
            .open(&nonce(self.n), &self.h, &mut buffer)
            .map_err(|_| NoiseError::Authentication(field))?
            .len();
        buffer.truncate(len);
        self.n = next;
        self.mix_hash(ciphertext);
        Ok(buffer)
    }

    /// The two transport keys: client to server, server to client.
    pub fn split(&self) -> (Secret<32>, Secret<32>) {
        self.derive(&[])
    }

    /// The transcript hash. After the last message it names the session on both ends.
    pub const fn hash(&self) -> &[u8; 32] {
        &self.h
    }

    /// Chaining key, message key and counter, for comparison with a traced vector. Never log them.
    #[doc(hidden)]
    pub const fn reveal(&self) -> (&[u8; 32], &[u8; 32], u32) {
        (self.ck.expose(), self.k.expose(), self.n)
    }

    fn derive(&self, input: &[u8]) -> (Secret<32>, Secret<32>) {
        let out = hkdf::<64>(self.ck.expose(), input, &[]);
        let (mut first, mut second) = (Secret::new([0; 32]), Secret::new([0; 32]));
        let (low, high) = out.expose().split_at(32);
        first.expose_mut().copy_from_slice(low);
        second.expose_mut().copy_from_slice(high);
        (first, second)
    }
}

impl core::fmt::Debug for SymmetricState {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SymmetricState([redacted])")
    }
}
