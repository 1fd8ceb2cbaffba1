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

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Secret<32> {
        Secret::new([3; 32])
    }

    #[test]
    fn the_last_counter_is_used_once_and_none_comes_after() {
        let mut sealer = FrameSealer::new(&key());
        sealer.counter = Counter(u32::MAX - 1);
        let mut opener = FrameOpener::new(&key());
        opener.counter = Counter(u32::MAX - 1);
        let mut wire = Vec::new();
        sealer.seal(&mut wire, b"last").unwrap();
        assert_eq!(opener.open(&mut wire.clone()[HEADER_LEN..]).unwrap(), b"last");
        let before = wire.clone();
        for _ in 0..3 {
            assert_eq!(sealer.seal(&mut wire, b"more"), Err(NoiseError::CounterExhausted));
            assert_eq!(wire, before);
        }
        assert_eq!(opener.open(&mut wire[HEADER_LEN..]), Err(NoiseError::CounterExhausted));
    }

    /// Seals `texts` and says whether some nonce was used for two of them.
    fn repeats_a_nonce(texts: &[&[u8]], mut seal: impl FnMut(&mut Vec<u8>, &[u8])) -> bool {
        let mut streams = std::collections::HashSet::new();
        texts.iter().any(|text| {
            let mut wire = Vec::new();
            seal(&mut wire, text);
            let body = wire.get(HEADER_LEN..HEADER_LEN + text.len()).unwrap_or_default();
            let stream: Vec<u8> = body.iter().zip(*text).map(|(sealed, plain)| sealed ^ plain).collect();
            !body.is_empty() && !streams.insert(stream)
        })
    }

    #[test]
    fn no_counter_comes_twice_even_around_refused_frames() {
        let long = vec![0; MAX_PLAINTEXT + 1];
        let texts: [&[u8]; 5] = [&[1; 16], &[2; 16], &long, &[3; 16], &[4; 16]];
        let mut sealer = FrameSealer::new(&key());
        assert!(!repeats_a_nonce(&texts, |out, text| {
            let refused = sealer.seal(out, text).is_err();
            assert_eq!(refused, text.len() > MAX_PLAINTEXT);
        }));
        // Sabotage: a sealer that starts anew after a refusal is caught.
        let mut sealer = FrameSealer::new(&key());
        assert!(repeats_a_nonce(&texts, |out, text| {
            if sealer.seal(out, text).is_err() {
                sealer = FrameSealer::new(&key());
            }
        }));
    }

    #[test]
    fn an_encoder_writes_straight_into_the_frame() {
        let (mut direct, mut copied) = (b"before".to_vec(), b"before".to_vec());
        FrameSealer::new(&key()).seal_with(&mut direct, |out| out.extend_from_slice(b"stanza")).unwrap();
        FrameSealer::new(&key()).seal(&mut copied, b"stanza").unwrap();
        assert_eq!(direct, copied);
    }
}
