//! The same primitive for many independent inputs at once: encrypting one message for hundreds of sessions.
//!
//! Results are those of the single calls; only the order of the work differs. Four lanes run interleaved, which hides
//! the latencies of the processor's AES and SHA units (about twice the speed for MACs and four times for CBC).

use crate::cbc::pad;
use crate::kernel::{Block, CbcKey, Word8, cbc_encrypt_lanes, compress, compress_lanes};
use crate::mac::HmacKey;
use crate::sha256::{bytes_of, close, key_blocks, outer_block};
use crate::{Secret, kdf};

/// How many inputs run interleaved.
const LANES: usize = 4;

/// Sets up an HMAC key for each of `keys`.
pub fn hmac_keys<'k>(keys: impl IntoIterator<Item = &'k [u8; 32]>) -> Vec<HmacKey> {
    let blocks: Vec<(Block, Block)> = keys.into_iter().map(|key| key_blocks(key)).collect();
    let mut ready =
        vec![HmacKey { inner: crate::sha256::INITIAL, outer: crate::sha256::INITIAL }; blocks.len()];
    let (ready_pairs, ready_rest) = ready.as_chunks_mut::<2>();
    let (block_pairs, block_rest) = blocks.as_chunks::<2>();
    for ([a, b], [(ai, ao), (bi, bo)]) in ready_pairs.iter_mut().zip(block_pairs) {
        compress_lanes(
            [&mut a.inner, &mut a.outer, &mut b.inner, &mut b.outer],
            [&[*ai], &[*ao], &[*bi], &[*bo]],
        );
    }
    for (key, (inner, outer)) in ready_rest.iter_mut().zip(block_rest) {
        compress_lanes([&mut key.inner, &mut key.outer], [&[*inner], &[*outer]]);
    }
    ready
}

/// HMAC-SHA-256 of each message, a concatenation of parts, under its own key.
pub fn hmac_sha256(jobs: &[(&HmacKey, &[&[u8]])]) -> Vec<[u8; 32]> {
    let mut tags = Vec::with_capacity(jobs.len());
    let mut messages: [Vec<Block>; LANES] = Default::default();
    for jobs in jobs.chunks(LANES) {
        let mut inner = [[0; 8]; LANES];
        let mut outer = [[0; 8]; LANES];
        for (((key, parts), message), (inner, outer)) in
            jobs.iter().zip(&mut messages).zip(inner.iter_mut().zip(&mut outer))
        {
            padded(message, parts);
            (*inner, *outer) = (key.inner, key.outer);
        }
        run(&mut inner[..jobs.len()], &messages);
        let closing = inner.map(|state| [outer_block(&state)]);
        match jobs.len() {
            LANES => compress_lanes(outer.each_mut(), closing.each_ref().map(<[_; 1]>::as_slice)),
            count => {
                for (state, block) in outer.iter_mut().zip(&closing).take(count) {
                    compress(state, block);
                }
            }
        }
        tags.extend(outer.iter().take(jobs.len()).map(bytes_of));
    }
    tags
}

/// HKDF-SHA-256: `N` bytes from each input under the same salt and info; see [`kdf::hkdf`].
pub fn hkdf<const N: usize>(salt: &[u8], inputs: &[&[u8]], info: &[u8]) -> Vec<Secret<N>> {
    const { assert!(N <= kdf::MAX_OUTPUT) };
    let salt = kdf::salt_key(salt);
    let jobs: Vec<[&[u8]; 1]> = inputs.iter().map(|input| [*input]).collect();
    let jobs: Vec<(&HmacKey, &[&[u8]])> = jobs.iter().map(|parts| (&salt, &parts[..])).collect();
    let extracted: Vec<Secret<32>> = hmac_sha256(&jobs).into_iter().map(Secret::new).collect();
    let keys = hmac_keys(extracted.iter().map(Secret::expose));

    let mut outputs: Vec<Secret<N>> = vec![Secret::new([0; N]); inputs.len()];
    let mut previous: Vec<Secret<32>> = Vec::new();
    for (counter, start) in (1..=u8::MAX).zip((0..N).step_by(32)) {
        let suffix = [counter];
        let parts: Vec<[&[u8]; 3]> = (0..inputs.len())
            .map(|index| [previous.get(index).map_or(&[][..], |block| block.expose()), info, &suffix])
            .collect();
        let jobs: Vec<(&HmacKey, &[&[u8]])> =
            keys.iter().zip(&parts).map(|(key, parts)| (key, &parts[..])).collect();
        let blocks: Vec<Secret<32>> = hmac_sha256(&jobs).into_iter().map(Secret::new).collect();
        for (output, block) in outputs.iter_mut().zip(&blocks) {
            for (place, byte) in output.expose_mut().iter_mut().skip(start).zip(block.expose()) {
                *place = *byte;
            }
        }
        previous = blocks;
    }
    outputs
}

/// One text to be encrypted by [`cbc_encrypt`].
#[derive(Debug)]
pub struct CbcJob<'j> {
    /// The key; every job has its own.
    pub key: &'j [u8; 32],
    /// The initialisation vector.
    pub iv: &'j [u8; 16],
    /// Holds the plaintext before and the padded ciphertext after.
    pub buffer: &'j mut Vec<u8>,
}

/// AES-256-CBC with PKCS#7 padding of each job in place; see [`cbc::encrypt`](crate::cbc::encrypt).
pub fn cbc_encrypt(jobs: &mut [CbcJob<'_>]) {
    let (groups, rest) = jobs.as_chunks_mut::<LANES>();
    for group in groups {
        let keys = group.each_ref().map(|job| CbcKey::new(job.key));
        let mut ivs = group.each_ref().map(|job| *job.iv);
        let mut lanes = group.each_mut().map(|job| {
            pad(job.buffer, 0);
            job.buffer.as_chunks_mut::<16>().0
        });
        let common = lanes.iter().map(|lane| lane.len()).min().unwrap_or(0);
        let heads = lanes.each_mut().map(|lane| &mut lane[..common]);
        cbc_encrypt_lanes(keys.each_ref(), ivs.each_mut(), heads);
        for ((key, iv), lane) in keys.iter().zip(&mut ivs).zip(&mut lanes) {
            key.encrypt(iv, &mut lane[common..]);
        }
    }
    for job in rest {
        crate::cbc::encrypt_in_place(job.key, job.iv, job.buffer, 0);
    }
}

/// A MAC's message behind its key block, as padded blocks in a kept buffer.
fn padded(message: &mut Vec<Block>, parts: &[&[u8]]) {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    message.clear();
    message.resize((len + 9).div_ceil(64), [0; 64]);
    let bytes = message.as_flattened_mut();
    let mut at = 0;
    for part in parts {
        bytes[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    }
    // `close` counts from the start of the message, whose blocks these are.
    close(bytes, len, 64 + len as u64);
}

/// Compresses every message into its state: in step as far as all of them go, then one by one.
fn run(states: &mut [Word8], messages: &[Vec<Block>; LANES]) {
    let common = messages.iter().take(states.len()).map(Vec::len).min().unwrap_or(0);
    let heads = |lane: usize| &messages[lane][..common];
    match &mut *states {
        [a, b, c, d] => compress_lanes([a, b, c, d], [heads(0), heads(1), heads(2), heads(3)]),
        [a, b, c] => compress_lanes([a, b, c], [heads(0), heads(1), heads(2)]),
        [a, b] => compress_lanes([a, b], [heads(0), heads(1)]),
        others => others.iter_mut().zip(messages).for_each(|(state, message)| {
            compress(state, &message[..common]);
        }),
    }
    for (state, message) in states.iter_mut().zip(messages) {
        compress(state, &message[common..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(seed: usize, len: usize) -> Vec<u8> {
        (0..len).map(|index| (seed * 31 + index * 7) as u8).collect()
    }

    fn key(seed: usize) -> [u8; 32] {
        bytes(seed, 32).try_into().unwrap()
    }

    #[test]
    fn macs_are_those_of_single_calls() {
        for count in 0..11 {
            let keys: Vec<[u8; 32]> = (0..count).map(key).collect();
            let ready = hmac_keys(&keys);
            // Equal lengths, and lengths that differ around the block boundary.
            for spread in [0, 1, 23] {
                let texts: Vec<Vec<u8>> = (0..count).map(|index| bytes(index, 50 + spread * index)).collect();
                let parts: Vec<[&[u8]; 2]> = texts.iter().map(|text| [&text[..9], &text[9..]]).collect();
                let jobs: Vec<(&HmacKey, &[&[u8]])> =
                    ready.iter().zip(&parts).map(|(key, parts)| (key, &parts[..])).collect();
                let expected: Vec<[u8; 32]> = keys
                    .iter()
                    .zip(&texts)
                    .map(|(key, text)| crate::mac::hmac_sha256(key, &[text]))
                    .collect();
                assert_eq!(hmac_sha256(&jobs), expected);
            }
        }
    }

    #[test]
    fn derivations_are_those_of_single_calls() {
        for count in 0..7 {
            let keys: Vec<[u8; 32]> = (0..count).map(key).collect();
            let inputs: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
            for salt in [&[][..], b"salt"] {
                let expected: Vec<Secret<80>> =
                    inputs.iter().map(|input| kdf::hkdf(salt, input, b"info")).collect();
                assert_eq!(hkdf::<80>(salt, &inputs, b"info"), expected);
            }
        }
    }

    #[test]
    fn ciphertexts_are_those_of_single_calls() {
        for count in 0..10 {
            for spread in [0, 1, 16, 37] {
                let keys: Vec<[u8; 32]> = (0..count).map(key).collect();
                let mut buffers: Vec<Vec<u8>> =
                    (0..count).map(|index| bytes(index, spread * index)).collect();
                let expected: Vec<Vec<u8>> = keys
                    .iter()
                    .zip(&buffers)
                    .map(|(key, text)| crate::cbc::encrypt(key, &[9; 16], text))
                    .collect();
                let mut jobs: Vec<CbcJob<'_>> = keys
                    .iter()
                    .zip(&mut buffers)
                    .map(|(key, buffer)| CbcJob { key, iv: &[9; 16], buffer })
                    .collect();
                cbc_encrypt(&mut jobs);
                assert_eq!(buffers, expected);
            }
        }
    }
}
