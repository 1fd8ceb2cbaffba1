//! The same primitive for many independent inputs at once: encrypting one message for hundreds of sessions.
//!
//! Results are those of the single calls; only the order of the work differs. Four lanes run interleaved, which hides
//! the latencies of the processor's AES and SHA units (about twice the speed for MACs and four times for CBC).

use std::slice::from_ref;

use crate::cbc::pad;
use crate::kernel::{Block, CbcKey, Word8, cbc_encrypt_lanes, compress, compress_lanes};
use crate::mac::HmacKey;
use crate::sha256::{INITIAL, SHORT, bytes_of, close, key_blocks, outer_block};
use crate::{Secret, kdf};

/// How many inputs run interleaved.
const LANES: usize = 4;

/// Sets up an HMAC key for each of `keys`.
pub fn hmac_keys<'k>(keys: impl IntoIterator<Item = &'k [u8; 32]>) -> Vec<HmacKey> {
    let blocks: Vec<(Block, Block)> = keys.into_iter().map(|key| key_blocks(key)).collect();
    let mut ready = vec![HmacKey { inner: INITIAL, outer: INITIAL }; blocks.len()];
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
pub fn hkdf<const N: usize>(salt: &[u8], inputs: &[&[u8; 32]], info: &[u8]) -> Vec<Secret<N>> {
    const { assert!(N <= kdf::MAX_OUTPUT) };
    let salt = kdf::salt_key(salt);
    let mut outputs = Vec::with_capacity(inputs.len());
    let (groups, rest) = inputs.as_chunks::<LANES>();
    for group in groups {
        outputs.extend(hkdf_lanes::<N, LANES>(&salt, *group, info));
    }
    for input in rest {
        outputs.extend(hkdf_lanes::<N, 1>(&salt, [input], info));
    }
    outputs
}

fn hkdf_lanes<const N: usize, const L: usize>(
    salt: &HmacKey,
    inputs: [&[u8; 32]; L],
    info: &[u8],
) -> [Secret<N>; L] {
    let extracted = mac_lanes([salt; L], inputs.map(|input| &input[..]), &[]).map(Secret::new);
    let blocks = extracted.each_ref().map(|key| key_blocks(key.expose()));
    let mut keys: [HmacKey; L] = core::array::from_fn(|_| HmacKey { inner: INITIAL, outer: INITIAL });
    compress_lanes(
        keys.each_mut().map(|key| &mut key.inner),
        blocks.each_ref().map(|(inner, _)| from_ref(inner)),
    );
    compress_lanes(
        keys.each_mut().map(|key| &mut key.outer),
        blocks.each_ref().map(|(_, outer)| from_ref(outer)),
    );

    let mut outputs: [Secret<N>; L] = core::array::from_fn(|_| Secret::new([0; N]));
    let mut previous: [Secret<32>; L] = core::array::from_fn(|_| Secret::new([0; 32]));
    let mut suffix = Vec::with_capacity(info.len() + 1);
    for (counter, start) in (1..=u8::MAX).zip((0..N).step_by(32)) {
        suffix.clear();
        suffix.extend_from_slice(info);
        suffix.push(counter);
        let kept = if start == 0 { 0 } else { 32 };
        let chained = previous.each_ref().map(|block| &block.expose()[..kept]);
        previous = mac_lanes(keys.each_ref(), chained, &suffix).map(Secret::new);
        for (output, block) in outputs.iter_mut().zip(&previous) {
            let end = N.min(start + 32);
            output.expose_mut()[start..end].copy_from_slice(&block.expose()[..end - start]);
        }
    }
    outputs
}

/// One MAC in each lane, over that lane's head and the tail that all share; the heads are equally long.
fn mac_lanes<const L: usize>(keys: [&HmacKey; L], heads: [&[u8]; L], tail: &[u8]) -> [[u8; 32]; L] {
    let len = heads.first().map_or(0, |head| head.len()) + tail.len();
    if len > SHORT {
        let mut lanes = keys.iter().zip(&heads);
        return core::array::from_fn(|_| lanes.next().map_or([0; 32], |(key, head)| key.mac(&[head, tail])));
    }
    let mut messages = [[[0; 64]; 2]; L];
    let mut count = 0;
    for (message, head) in messages.iter_mut().zip(heads) {
        let bytes = message.as_flattened_mut();
        bytes[..head.len()].copy_from_slice(head);
        bytes[head.len()..len].copy_from_slice(tail);
        count = close(bytes, len, 64 + len as u64);
    }
    let mut inner = keys.map(|key| key.inner);
    compress_lanes(inner.each_mut(), messages.each_ref().map(|message| &message[..count]));
    let mut outer = keys.map(|key| key.outer);
    let closing = inner.each_ref().map(outer_block);
    compress_lanes(outer.each_mut(), closing.each_ref().map(from_ref));
    outer.each_ref().map(bytes_of)
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
            let inputs: Vec<&[u8; 32]> = keys.iter().collect();
            // The longer info does not fit the lanes.
            for (salt, info) in [(&[][..], &b"info"[..]), (b"salt", b""), (b"", &[7; 120])] {
                let expected: Vec<Secret<80>> =
                    inputs.iter().map(|input| kdf::hkdf(salt, &input[..], info)).collect();
                assert_eq!(hkdf::<80>(salt, &inputs, info), expected);
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
