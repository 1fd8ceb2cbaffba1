//! The cipher behind the handshake: one frame, one counter, one direction (chapter 01 §4.8).

use wa_crypto::Secret;
use wa_crypto::aead::{Aes256Gcm, TAG_LEN};

use crate::frame::{self, HEADER_LEN, MAX_FRAME};
use crate::{Field, NoiseError, nonce};

/// The longest plaintext of one frame in bytes.
pub const MAX_PLAINTEXT: usize = MAX_FRAME - TAG_LEN;

/// Both directions of an established connection. Take them apart when a reader and a writer run on their own.
#[derive(Debug)]
pub struct Transport {
    /// Seals what this end sends.
    pub sealer: FrameSealer,
    /// Opens what the peer sends.
    pub opener: FrameOpener,
}

impl Transport {
    pub(crate) fn new(send: &Secret<32>, receive: &Secret<32>) -> Self {
        Self { sealer: FrameSealer::new(send), opener: FrameOpener::new(receive) }
    }
}

/// Encrypts frames in the order in which they go out. One key, one sealer: it is not `Clone`, and the order on the
/// wire must be the order of the calls, so hold it and the writing half of the connection under one lock.
#[derive(Debug)]
pub struct FrameSealer {
    cipher: Aes256Gcm,
    counter: Counter,
}

impl FrameSealer {
    /// Starts at counter 0. A key must go to one sealer only.
    pub fn new(key: &Secret<32>) -> Self {
        Self { cipher: Aes256Gcm::new(key.expose()), counter: Counter(0) }
    }

    /// Appends one frame to `out`: length, ciphertext, tag.
    ///
    /// # Errors
    /// [`NoiseError::FrameTooLong`] past [`MAX_PLAINTEXT`], [`NoiseError::CounterExhausted`] at the end of the
    /// counter. `out` is then as it was and no counter was spent.
    pub fn seal(&mut self, out: &mut Vec<u8>, plaintext: &[u8]) -> Result<(), NoiseError> {
        out.reserve(HEADER_LEN + plaintext.len() + TAG_LEN);
        self.seal_with(out, |out| out.extend_from_slice(plaintext))
    }

    /// Appends one frame whose plaintext `encode` appends to the buffer, without a copy between encoder and cipher.
    ///
    /// # Errors
    /// As [`seal`](Self::seal).
    pub fn seal_with(
        &mut self,
        out: &mut Vec<u8>,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), NoiseError> {
        let start = out.len();
        out.extend_from_slice(&[0; HEADER_LEN]);
        encode(out);
        let sealed = self.finish(out, start);
        if sealed.is_err() {
            out.truncate(start);
        }
        sealed
    }

    /// How many frames were sealed, which is the counter of the next one.
    pub const fn frames(&self) -> u32 {
        self.counter.0
    }

    fn finish(&mut self, out: &mut Vec<u8>, start: usize) -> Result<(), NoiseError> {
        let body = start + HEADER_LEN;
        let len = out.len().saturating_sub(body);
        if len > MAX_PLAINTEXT {
            return Err(NoiseError::FrameTooLong { len, limit: MAX_PLAINTEXT });
        }
        // The counter is spent before the cipher runs: whatever happens there, this nonce never comes again.
        let n = self.counter.take()?;
        self.cipher.seal(&nonce(n), &[], out, body).map_err(NoiseError::Crypto)?;
        let header = frame::length_bytes(len + TAG_LEN);
        if let Some(place) = out.get_mut(start..body) {
            place.copy_from_slice(&header);
        }
        Ok(())
    }
}

/// Decrypts frames in the order in which they came. The first that fails ends it: from then on the counters of the
/// two ends are out of step and the connection is lost.
#[derive(Debug)]
pub struct FrameOpener {
    cipher: Aes256Gcm,
    counter: Counter,
    ended: bool,
}

impl FrameOpener {
    /// Starts at counter 0.
    pub fn new(key: &Secret<32>) -> Self {
        Self { cipher: Aes256Gcm::new(key.expose()), counter: Counter(0), ended: false }
    }

    /// Decrypts one frame's payload in place and gives the plaintext's part of it.
    ///
    /// # Errors
    /// [`NoiseError::Length`] when shorter than a tag, [`NoiseError::Authentication`] when changed, repeated, lost or
    /// out of order, [`NoiseError::CounterExhausted`]; afterwards [`NoiseError::Ended`].
    pub fn open<'f>(&mut self, frame: &'f mut [u8]) -> Result<&'f mut [u8], NoiseError> {
        if self.ended {
            return Err(NoiseError::Ended);
        }
        // Set until the tag has been checked, so that no path out leaves it usable.
        self.ended = true;
        if frame.len() < TAG_LEN {
            return Err(NoiseError::Length { field: Field::Frame, len: frame.len() });
        }
        let n = self.counter.take()?;
        let plaintext =
            self.cipher.open(&nonce(n), &[], frame).map_err(|_| NoiseError::Authentication(Field::Frame))?;
        self.ended = false;
        Ok(plaintext)
    }

    /// How many frames were opened, which is the counter of the next one.
    pub const fn frames(&self) -> u32 {
        self.counter.0
    }
}

/// Gives every number once: 0 up to 2^32 - 2.
#[derive(Debug)]
struct Counter(u32);

impl Counter {
    fn take(&mut self) -> Result<u32, NoiseError> {
        let n = self.0;
        self.0 = n.checked_add(1).ok_or(NoiseError::CounterExhausted)?;
        Ok(n)
    }
}
