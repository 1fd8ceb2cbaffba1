//! Encrypt-then-MAC over long streams in one pass: cipher, MAC and digests of both sides run interleaved, so that the
//! serial chain of CBC hides the hashes (chapter 06 §3 is what it is for).
//!
//! A stream is the CBC ciphertext with PKCS#7 padding and behind it a truncated HMAC-SHA-256 over IV and ciphertext.
//! Memory is constant: less than two blocks are held back between calls.

use crate::cbc::{decrypt_in_place, pad};
use crate::kernel::{Block, CbcInverseKey, CbcKey, Word8, compress, compress_lanes};
use crate::mac::HmacKey;
use crate::sha256::{Hasher, INITIAL};
use crate::{CryptoError, Secret, ct_eq};

/// Bytes of the truncated MAC at the end of a stream, and of every window tag.
pub const TAG_LEN: usize = 10;

/// Distance between the starts of two windows in bytes.
pub const WINDOW: usize = 65_536;

/// Bytes by which a window reaches into the next one.
pub const WINDOW_OVERLAP: usize = 16;

/// Blocks of 64 bytes in a window.
const WINDOW_BLOCKS: usize = WINDOW / 64;

/// Blocks of a step, and by which a hash of what the cipher makes runs behind it.
const LAG: usize = 16;

/// Whether an encryption also tags every window of IV, ciphertext and MAC, for readers that start in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Windows {
    /// One truncated HMAC per started window.
    Tagged,
    /// None.
    Untagged,
}

/// An encryption in progress.
pub struct EncryptPass {
    cipher: CbcKey,
    /// The last ciphertext block, which is also what the MAC has taken but not yet compressed.
    chain: [u8; 16],
    lanes: Lanes,
    mac_key: HmacKey,
    tags: Option<WindowTags>,
    pending: Vec<u8>,
}

/// What an encryption leaves behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encrypted {
    /// SHA-256 of the plaintext.
    pub plaintext_sha256: [u8; 32],
    /// SHA-256 of the whole stream, MAC included.
    pub stream_sha256: [u8; 32],
    /// The tags of all windows, one behind the other; empty when none were asked for.
    pub window_tags: Vec<u8>,
}

/// The three hash states, which always stand at the same number of blocks.
struct Lanes {
    plaintext: Word8,
    ciphertext: Word8,
    mac: Word8,
    blocks: u64,
}

/// The tags of the windows that are finished, and the state of the current one.
struct WindowTags {
    state: Word8,
    finished: Vec<u8>,
}

impl EncryptPass {
    /// Starts a stream. Key and IV must never encrypt another.
    pub fn new(key: &[u8; 32], iv: &[u8; 16], mac_key: &[u8], windows: Windows) -> Self {
        let mac_key = HmacKey::new(mac_key);
        let tags = match windows {
            Windows::Tagged => Some(WindowTags { state: mac_key.inner, finished: Vec::new() }),
            Windows::Untagged => None,
        };
        Self {
            cipher: CbcKey::new(key),
            chain: *iv,
            lanes: Lanes::new(&mac_key),
            mac_key,
            tags,
            pending: Vec::with_capacity(64),
        }
    }

    /// Encrypts a piece of any length; what is ready of the stream is appended to `out`. Pieces of 64 KiB are fastest.
    pub fn update(&mut self, plaintext: &[u8], out: &mut Vec<u8>) {
        let mut rest = plaintext;
        if !self.pending.is_empty() {
            let (head, tail) = rest.split_at(rest.len().min(64 - self.pending.len()));
            self.pending.extend_from_slice(head);
            rest = tail;
            let Ok(block) = Block::try_from(&self.pending[..]) else { return };
            self.blocks(&[block], out);
            self.pending.clear();
        }
        let (blocks, tail) = rest.as_chunks();
        self.blocks(blocks, out);
        self.pending.extend_from_slice(tail);
    }

    /// Appends padding and MAC to `out`.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Encrypted {
        let mut plaintext = Hasher::resume(self.lanes.plaintext, 64 * self.lanes.blocks);
        plaintext.update(&self.pending);

        let before = self.chain;
        let mut tail = std::mem::take(&mut self.pending);
        pad(&mut tail, 0);
        self.cipher.encrypt(&mut self.chain, tail.as_chunks_mut().0);

        let mut mac = Hasher::resume(self.lanes.mac, 64 * self.lanes.blocks + 64);
        mac.update(&before);
        mac.update(&tail);
        let tag = self.mac_key.close(&mut mac);
        tail.extend_from_slice(&tag[..TAG_LEN]);

        let mut stream = Hasher::resume(self.lanes.ciphertext, 64 * self.lanes.blocks);
        stream.update(&tail);
        out.extend_from_slice(&tail);

        let window_tags = self.tags.map_or_else(Vec::new, |tags| {
            tags.finish(&self.mac_key, self.lanes.blocks, &[&before[..], &tail].concat())
        });
        Encrypted { plaintext_sha256: plaintext.finalize(), stream_sha256: stream.finalize(), window_tags }
    }

    /// Encrypts whole blocks. The hash of the plaintext runs with the cipher, those of the ciphertext [`LAG`] behind.
    fn blocks(&mut self, text: &[Block], out: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        let base = out.len();
        out.resize(base + 64 * text.len(), 0);
        let (target, _) = out[base..].as_chunks_mut::<64>();
        let before = self.chain;

        let first = text.len().min(LAG);
        let (head, rest) = text.split_at(first);
        self.cipher.encrypt_and_compress::<1, false>(
            &mut self.chain,
            head,
            target,
            [&mut self.lanes.plaintext],
            [head],
        );
        // The MAC's blocks straddle those of the ciphertext by the IV; the first starts in the previous piece.
        let straddling = straddle(&before, &target[0]);
        self.hash(&[straddling], &target[..1]);
        self.close_window(&target[0]);

        let (mut hashed, mut encrypted, mut rest) = (1, first, rest);
        while !rest.is_empty() {
            let step = rest.len().min(encrypted - hashed).min(self.blocks_to_window_end());
            let (done, target) = target.split_at_mut(encrypted);
            let (now, later) = rest.split_at(step);
            self.encrypt_and_hash(now, target, shifted(done, hashed, step), &done[hashed..hashed + step]);
            (hashed, encrypted, rest) = (hashed + step, encrypted + step, later);
            self.close_window(&done[hashed - 1]);
        }
        while hashed < encrypted {
            let step = (encrypted - hashed).min(self.blocks_to_window_end());
            self.hash(shifted(target, hashed, step), &target[hashed..hashed + step]);
            hashed += step;
            self.close_window(&target[hashed - 1]);
        }
    }

    /// Encrypts `text` while hashing as many earlier blocks.
    fn encrypt_and_hash(&mut self, text: &[Block], out: &mut [Block], shifted: &[Block], behind: &[Block]) {
        let Lanes { plaintext, ciphertext, mac, blocks } = &mut self.lanes;
        match &mut self.tags {
            // MAC and window tag take the same blocks.
            Some(tags) => self.cipher.encrypt_and_compress::<4, true>(
                &mut self.chain,
                text,
                out,
                [plaintext, ciphertext, mac, &mut tags.state],
                [text, behind, shifted, shifted],
            ),
            None => self.cipher.encrypt_and_compress::<3, false>(
                &mut self.chain,
                text,
                out,
                [plaintext, ciphertext, mac],
                [text, behind, shifted],
            ),
        }
        *blocks += behind.len() as u64;
    }

    /// Hashes ciphertext blocks that nothing is left to encrypt beside.
    fn hash(&mut self, shifted: &[Block], behind: &[Block]) {
        let Lanes { ciphertext, mac, blocks, .. } = &mut self.lanes;
        match &mut self.tags {
            Some(tags) => {
                compress_lanes([ciphertext, mac, &mut tags.state], [behind, shifted, shifted]);
            }
            None => compress_lanes([ciphertext, mac], [behind, shifted]),
        }
        *blocks += behind.len() as u64;
    }

    fn blocks_to_window_end(&self) -> usize {
        WINDOW_BLOCKS - self.lanes.blocks as usize % WINDOW_BLOCKS
    }

    /// After the last block of a window: tags it with the overlap, which is the end of the `last` ciphertext block.
    fn close_window(&mut self, last: &Block) {
        if let Some(tags) = &mut self.tags
            && self.lanes.blocks.is_multiple_of(WINDOW_BLOCKS as u64)
        {
            let mut window = Hasher::resume(tags.state, (64 + WINDOW) as u64);
            window.update(&last[64 - WINDOW_OVERLAP..]);
            tags.push(&self.mac_key.close(&mut window));
            tags.state = self.mac_key.inner;
        }
    }
}

impl core::fmt::Debug for EncryptPass {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("EncryptPass([redacted])")
    }
}

impl WindowTags {
    /// Tags what is left behind the last whole block of the stream.
    fn finish(mut self, key: &HmacKey, blocks: u64, rest: &[u8]) -> Vec<u8> {
        let inside = 64 * (blocks as usize % WINDOW_BLOCKS);
        let mut window = Hasher::resume(self.state, (64 + inside) as u64);
        let (last, next) = (WINDOW + WINDOW_OVERLAP - inside, WINDOW - inside);
        if rest.len() > last {
            window.update(&rest[..last]);
            self.push(&key.close(&mut window));
            window = key.begin();
            window.update(&rest[next..]);
        } else {
            window.update(rest);
        }
        self.push(&key.close(&mut window));
        self.finished
    }

    fn push(&mut self, tag: &[u8; 32]) {
        self.finished.extend_from_slice(&tag[..TAG_LEN]);
    }
}

impl Lanes {
    const fn new(mac_key: &HmacKey) -> Self {
        Self { plaintext: INITIAL, ciphertext: INITIAL, mac: mac_key.inner, blocks: 0 }
    }
}

/// The tag of one window, for a reader that has it whole: `window` is its part of IV, ciphertext and MAC.
pub fn window_tag(mac_key: &[u8], window: &[u8]) -> [u8; TAG_LEN] {
    let mut tag = [0; TAG_LEN];
    tag.copy_from_slice(&HmacKey::new(mac_key).mac(&[window])[..TAG_LEN]);
    tag
}

/// What a decryption does with the plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Gives it out as it comes, before anything is verified.
    Decrypt,
    /// Only verifies the stream; no plaintext and no digest of it.
    Verify,
}

/// A decryption in progress.
pub struct DecryptPass {
    cipher: Option<(Secret<32>, CbcInverseKey)>,
    chain: [u8; 16],
    lanes: Lanes,
    mac_key: HmacKey,
    pending: Vec<u8>,
}

/// How a stream ended. What [`DecryptPass::update`] gave out is good only if `authentic` is set and `plaintext_sha256`
/// is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decrypted {
    /// SHA-256 of the whole stream, MAC included.
    pub stream_sha256: [u8; 32],
    /// Whether the MAC is right.
    pub authentic: bool,
    /// SHA-256 of the plaintext: `None` when the MAC or the padding is wrong, and after [`Reading::Verify`].
    pub plaintext_sha256: Option<[u8; 32]>,
}

impl DecryptPass {
    /// Bytes held back at least: the last block, which is padded, and the MAC.
    const HELD: usize = 16 + TAG_LEN;

    /// Starts a stream.
    pub fn new(key: &[u8; 32], iv: &[u8; 16], mac_key: &[u8], reading: Reading) -> Self {
        let mac_key = HmacKey::new(mac_key);
        Self {
            cipher: (reading == Reading::Decrypt).then(|| (Secret::new(*key), CbcInverseKey::new(key))),
            chain: *iv,
            lanes: Lanes::new(&mac_key),
            mac_key,
            pending: Vec::with_capacity(64 + Self::HELD),
        }
    }

    /// Takes a piece of any length; the plaintext that is ready is appended to `out`, unverified.
    pub fn update(&mut self, stream: &[u8], out: &mut Vec<u8>) {
        let mut rest = stream;
        let mut ready = (self.pending.len() + rest.len()).saturating_sub(Self::HELD) / 64;
        // Blocks that came in part go through `pending`, the others are hashed where they stand.
        while ready > 0 && !self.pending.is_empty() {
            let (head, tail) = rest.split_at(64_usize.saturating_sub(self.pending.len()));
            self.pending.extend_from_slice(head);
            rest = tail;
            if let Some(block) = self.pending.first_chunk::<64>().copied() {
                self.blocks(&[block], out);
                self.pending.drain(..64);
            }
            ready -= 1;
        }
        let (blocks, tail) = rest.split_at(64 * ready);
        self.blocks(blocks.as_chunks().0, out);
        self.pending.extend_from_slice(tail);
    }

    /// Checks the end of the stream and appends the last plaintext to `out` if it is authentic.
    ///
    /// # Errors
    /// [`CryptoError::BlockLength`] when no stream is that long: shorter than 26 bytes, or not whole blocks and a MAC.
    pub fn finish(self, out: &mut Vec<u8>) -> Result<Decrypted, CryptoError> {
        let len = (64 * self.lanes.blocks) as usize + self.pending.len();
        let Some((tail, tag)) = self.pending.split_last_chunk::<TAG_LEN>() else {
            return Err(CryptoError::BlockLength(len));
        };
        if tail.is_empty() || !tail.len().is_multiple_of(16) {
            return Err(CryptoError::BlockLength(len));
        }
        let mut mac = Hasher::resume(self.lanes.mac, 64 * self.lanes.blocks + 64);
        mac.update(&self.chain);
        mac.update(tail);
        let authentic = ct_eq(&self.mac_key.close(&mut mac)[..TAG_LEN], tag);
        let mut stream = Hasher::resume(self.lanes.ciphertext, 64 * self.lanes.blocks);
        stream.update(&self.pending);

        let mut plaintext_sha256 = None;
        if authentic && let Some((key, _)) = &self.cipher {
            let mut last = tail.to_vec();
            if let Ok(text) = decrypt_in_place(key.expose(), &self.chain, &mut last) {
                let mut plaintext = Hasher::resume(self.lanes.plaintext, 64 * self.lanes.blocks);
                plaintext.update(text);
                out.extend_from_slice(text);
                plaintext_sha256 = Some(plaintext.finalize());
            }
        }
        Ok(Decrypted { stream_sha256: stream.finalize(), authentic, plaintext_sha256 })
    }

    fn blocks(&mut self, stream: &[Block], out: &mut Vec<u8>) {
        let (Some(first), Some(last)) = (stream.first(), stream.last()) else { return };
        let straddling = [straddle(&self.chain, first)];
        self.lanes.blocks += stream.len() as u64;
        let Lanes { plaintext, ciphertext, mac, .. } = &mut self.lanes;
        let (head, rest) = stream.split_at(1);
        let Some((_, cipher)) = &self.cipher else {
            compress_lanes([ciphertext, mac], [head, &straddling]);
            compress_lanes([ciphertext, mac], [rest, shifted(stream, 1, rest.len())]);
            if let Some(chain) = last.last_chunk() {
                self.chain = *chain;
            }
            return;
        };
        let base = out.len();
        out.resize(base + 64 * stream.len(), 0);
        let (target, _) = out[base..].as_chunks_mut::<64>();
        cipher.decrypt_and_compress(&mut self.chain, head, target, [ciphertext, mac], [head, &straddling]);
        // The plaintext is hashed up to two steps behind: the second step finds too little of it yet.
        let (mut decrypted, mut hashed) = (1, 0);
        while decrypted < stream.len() {
            let step = (stream.len() - decrypted).min(LAG);
            let (done, target) = target.split_at_mut(decrypted);
            let (now, shifted) = (&stream[decrypted..decrypted + step], shifted(stream, decrypted, step));
            if decrypted - hashed < step {
                cipher.decrypt_and_compress(&mut self.chain, now, target, [ciphertext, mac], [now, shifted]);
            } else {
                let behind = &done[hashed..hashed + step];
                let states = [&mut *ciphertext, &mut *mac, &mut *plaintext];
                cipher.decrypt_and_compress(&mut self.chain, now, target, states, [now, shifted, behind]);
                hashed += step;
            }
            decrypted += step;
        }
        compress(plaintext, &target[hashed..]);
    }
}

impl core::fmt::Debug for DecryptPass {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("DecryptPass([redacted])")
    }
}

/// The block of the MAC that starts with the last 16 bytes before `next`.
fn straddle(before: &[u8; 16], next: &Block) -> Block {
    let mut block = [0; 64];
    block[..16].copy_from_slice(before);
    block[16..].copy_from_slice(&next[..48]);
    block
}

/// `count` blocks from block `at` on, all 16 bytes earlier; `at` is at least 1.
fn shifted(blocks: &[Block], at: usize, count: usize) -> &[Block] {
    blocks.as_flattened()[64 * at - 16..64 * (at + count) - 16].as_chunks().0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::sha256;
    use crate::mac::hmac_sha256;

    const KEY: [u8; 32] = [1; 32];
    const IV: [u8; 16] = [2; 16];
    const MAC_KEY: [u8; 32] = [3; 32];

    fn text(len: usize) -> Vec<u8> {
        (0..len).map(|index| (index * 131 + index / 251) as u8).collect()
    }

    /// The same step by step, from the crate's single-purpose functions.
    fn expected(text: &[u8]) -> (Vec<u8>, Encrypted) {
        let mut stream = crate::cbc::encrypt(&KEY, &IV, text);
        stream.extend_from_slice(&hmac_sha256(&MAC_KEY, &[&IV, &stream])[..TAG_LEN]);
        let tagged = [&IV[..], &stream].concat();
        let window_tags = (0..)
            .map(|window| window * WINDOW)
            .take_while(|&start| start == 0 || start + WINDOW_OVERLAP < tagged.len())
            .flat_map(|start| {
                let end = (start + WINDOW + WINDOW_OVERLAP).min(tagged.len());
                window_tag(&MAC_KEY, &tagged[start..end])
            })
            .collect();
        let digests =
            Encrypted { plaintext_sha256: sha256(&[text]), stream_sha256: sha256(&[&stream]), window_tags };
        (stream, digests)
    }

    fn encrypt(text: &[u8], piece: usize, windows: Windows) -> (Vec<u8>, Encrypted) {
        let mut pass = EncryptPass::new(&KEY, &IV, &MAC_KEY, windows);
        let mut out = Vec::new();
        for piece in text.chunks(piece) {
            pass.update(piece, &mut out);
        }
        let digests = pass.finish(&mut out);
        (out, digests)
    }

    fn decrypt(stream: &[u8], piece: usize, reading: Reading) -> (Vec<u8>, Result<Decrypted, CryptoError>) {
        let mut pass = DecryptPass::new(&KEY, &IV, &MAC_KEY, reading);
        let mut out = Vec::new();
        for piece in stream.chunks(piece) {
            pass.update(piece, &mut out);
        }
        let end = pass.finish(&mut out);
        (out, end)
    }

    /// Around blocks, around the lag and around window ends, where the last window is one block long.
    fn lengths() -> impl Iterator<Item = usize> {
        let near = |at: usize| at.saturating_sub(70)..at + 70;
        (0..200)
            .chain(near(16 * 64))
            .chain(near(33 * 64))
            .chain(near(WINDOW).step_by(3))
            .chain([2 * WINDOW + 5])
    }

    #[test]
    fn one_pass_is_the_same_as_step_by_step() {
        for len in lengths() {
            let text = text(len);
            let (stream, digests) = expected(&text);
            for piece in [len.max(1), 1 + len / 3, 65_536] {
                assert_eq!(
                    encrypt(&text, piece, Windows::Tagged),
                    (stream.clone(), digests.clone()),
                    "{len}"
                );
                let (untagged, found) = encrypt(&text, piece, Windows::Untagged);
                assert_eq!((untagged, found.plaintext_sha256), (stream.clone(), digests.plaintext_sha256));
                assert_eq!((found.stream_sha256, found.window_tags.len()), (digests.stream_sha256, 0));

                let (opened, end) = decrypt(&stream, piece, Reading::Decrypt);
                let good = Decrypted {
                    stream_sha256: digests.stream_sha256,
                    authentic: true,
                    plaintext_sha256: Some(digests.plaintext_sha256),
                };
                assert_eq!((opened, end), (text.clone(), Ok(good.clone())), "{len} in pieces of {piece}");
                let (nothing, end) = decrypt(&stream, piece, Reading::Verify);
                assert_eq!((nothing, end), (vec![], Ok(Decrypted { plaintext_sha256: None, ..good })));
            }
        }
    }

    #[test]
    fn every_piece_length_gives_the_same_stream() {
        let text = text(1000);
        let (stream, digests) = expected(&text);
        for piece in 1..200 {
            assert_eq!(encrypt(&text, piece, Windows::Tagged), (stream.clone(), digests.clone()));
            assert_eq!(decrypt(&stream, piece, Reading::Decrypt).0, text);
        }
    }

    #[test]
    fn a_changed_bit_is_never_authentic() {
        for len in [0, 15, 16, 100, 300] {
            let (stream, _) = expected(&text(len));
            for bit in 0..stream.len() * 8 {
                let mut changed = stream.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                let (_, end) = decrypt(&changed, 64, Reading::Decrypt);
                let end = end.unwrap();
                assert!(!end.authentic && end.plaintext_sha256.is_none(), "bit {bit} of {len} bytes");
            }
        }
    }

    #[test]
    fn impossible_lengths_are_errors() {
        let (stream, _) = expected(&text(100));
        for len in 0..stream.len() {
            let (_, end) = decrypt(&stream[..len], 7, Reading::Verify);
            match end {
                Err(CryptoError::BlockLength(found)) => assert_eq!(found, len),
                Ok(end) => assert!(len >= 26 && len % 16 == 10 && !end.authentic, "{len}"),
                Err(other) => panic!("{other}"),
            }
        }
    }

    #[test]
    fn wrong_padding_under_a_right_mac_gives_no_digest() {
        let mut block = [[0x11; 16]];
        CbcKey::new(&KEY).encrypt(&mut { IV }, &mut block);
        let mut stream = block.as_flattened().to_vec();
        stream.extend_from_slice(&hmac_sha256(&MAC_KEY, &[&IV, &stream])[..TAG_LEN]);
        let (out, end) = decrypt(&stream, 5, Reading::Decrypt);
        let end = end.unwrap();
        assert!(out.is_empty() && end.authentic && end.plaintext_sha256.is_none());
    }
}
