//! Block functions that keep several independent streams in flight, chosen at run time.
//!
//! On x86-64 with the AES and SHA instructions `x86.rs` runs, everywhere else its twin `portable.rs`; tests hold the
//! two against each other. Nothing outside this module knows which one ran.

mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

/// A block of SHA-256.
pub(crate) type Block = [u8; 64];

/// The chaining value of SHA-256.
pub(crate) type Word8 = [u32; 8];

/// The fifteen round keys of AES-256.
#[cfg(target_arch = "x86_64")]
#[derive(Default)]
struct RoundKeys([[u8; 16]; 15]);

#[cfg(target_arch = "x86_64")]
impl Drop for RoundKeys {
    fn drop(&mut self) {
        self.0 = Default::default();
        zeroize::optimization_barrier(self);
    }
}

/// Whether the instructions of `x86.rs` are there. The answer is cached by the standard library.
#[cfg(target_arch = "x86_64")]
fn has_instructions() -> bool {
    is_x86_feature_detected!("aes")
        && is_x86_feature_detected!("sha")
        && is_x86_feature_detected!("sse4.1")
        && is_x86_feature_detected!("ssse3")
}

/// Compresses blocks into one state.
pub(crate) fn compress(state: &mut Word8, blocks: &[Block]) {
    sha2::block_api::compress256(state, blocks);
}

/// Compresses into each of `N` states as many blocks as the shortest lane has.
pub(crate) fn compress_lanes<const N: usize>(states: [&mut Word8; N], blocks: [&[Block]; N]) {
    #[cfg(target_arch = "x86_64")]
    if N > 1 && has_instructions() {
        // SAFETY: the instructions that the function needs were just found.
        return unsafe { x86::compress(states, blocks) };
    }
    portable::compress(states, blocks);
}

/// An expanded AES-256 key for CBC encryption.
pub(crate) struct CbcKey(Schedule);

enum Schedule {
    #[cfg(target_arch = "x86_64")]
    Instructions(RoundKeys),
    Portable(aes::Aes256Enc),
}

impl CbcKey {
    /// Expands the key.
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        #[cfg(target_arch = "x86_64")]
        if has_instructions() {
            // SAFETY: the instructions that the function needs were just found.
            return Self(Schedule::Instructions(unsafe { x86::expand(key) }));
        }
        Self(Schedule::Portable(portable::expand(key)))
    }

    /// Encrypts whole 16-byte blocks in place; `iv` moves on to the last ciphertext block.
    pub(crate) fn encrypt(&self, iv: &mut [u8; 16], blocks: &mut [[u8; 16]]) {
        match &self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: this variant is made only where the instructions were found.
            Schedule::Instructions(keys) => unsafe { x86::cbc_encrypt([keys], [iv], [blocks]) },
            Schedule::Portable(key) => portable::cbc_encrypt(key, iv, blocks),
        }
    }

    /// Encrypts `text` into `out` while compressing one block into each of `N` states for every 64 bytes: as many as
    /// the shortest of all these slices holds. `iv` moves on. `TWIN` says that the last two lanes hash the same blocks.
    pub(crate) fn encrypt_and_compress<const N: usize, const TWIN: bool>(
        &self,
        iv: &mut [u8; 16],
        text: &[Block],
        out: &mut [Block],
        states: [&mut Word8; N],
        blocks: [&[Block]; N],
    ) {
        match &self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: this variant is made only where the instructions were found.
            Schedule::Instructions(keys) => unsafe {
                x86::cbc_encrypt_and_compress::<N, TWIN>(keys, iv, text, out, states, blocks);
            },
            Schedule::Portable(key) => {
                portable::cbc_encrypt_and_compress(key, iv, text, out, states, blocks);
            }
        }
    }
}

/// An expanded AES-256 key for CBC decryption.
pub(crate) struct CbcInverseKey(InverseSchedule);

enum InverseSchedule {
    #[cfg(target_arch = "x86_64")]
    Instructions(RoundKeys),
    Portable(aes::Aes256Dec),
}

impl CbcInverseKey {
    /// Expands the key.
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        #[cfg(target_arch = "x86_64")]
        if has_instructions() {
            // SAFETY: the instructions that the functions need were just found.
            return Self(InverseSchedule::Instructions(unsafe { x86::invert(&x86::expand(key)) }));
        }
        Self(InverseSchedule::Portable(portable::expand_inverse(key)))
    }

    /// Decrypts `sealed` into `out` while compressing one block into each of `N` states for every 64 bytes: as many
    /// as the shortest of all these slices holds. `iv` moves on.
    pub(crate) fn decrypt_and_compress<const N: usize>(
        &self,
        iv: &mut [u8; 16],
        sealed: &[Block],
        out: &mut [Block],
        states: [&mut Word8; N],
        blocks: [&[Block]; N],
    ) {
        match &self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: this variant is made only where the instructions were found.
            InverseSchedule::Instructions(keys) => unsafe {
                x86::cbc_decrypt_and_compress(keys, iv, sealed, out, states, blocks);
            },
            InverseSchedule::Portable(key) => {
                portable::cbc_decrypt_and_compress(key, iv, sealed, out, states, blocks);
            }
        }
    }
}

/// Encrypts in place under `N` keys at once as many blocks as the shortest lane has; the IVs move on.
pub(crate) fn cbc_encrypt_lanes<const N: usize>(
    keys: [&CbcKey; N],
    ivs: [&mut [u8; 16]; N],
    blocks: [&mut [[u8; 16]]; N],
) {
    #[cfg(target_arch = "x86_64")]
    {
        let mut schedules: [Option<&RoundKeys>; N] = [None; N];
        for (place, key) in schedules.iter_mut().zip(keys) {
            if let Schedule::Instructions(keys) = &key.0 {
                *place = Some(keys);
            }
        }
        if let Some(first) = schedules.first().copied().flatten()
            && schedules.iter().all(Option::is_some)
        {
            // SAFETY: these schedules are made only where the instructions were found.
            return unsafe { x86::cbc_encrypt(schedules.map(|keys| keys.unwrap_or(first)), ivs, blocks) };
        }
    }
    let count = blocks.iter().map(|lane| lane.len()).min().unwrap_or(0);
    for ((key, iv), lane) in keys.into_iter().zip(ivs).zip(blocks) {
        key.encrypt(iv, lane.get_mut(..count).unwrap_or_default());
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    /// Pseudo-random bytes that depend on `seed`.
    fn bytes<const N: usize>(seed: u64) -> [u8; N] {
        let mut out = [0; N];
        for (index, chunk) in out.chunks_mut(32).enumerate() {
            let digest = crate::digest::sha256(&[&seed.to_le_bytes(), &index.to_le_bytes()]);
            chunk.copy_from_slice(&digest[..chunk.len()]);
        }
        out
    }

    fn states<const N: usize>(seed: u64) -> [Word8; N] {
        std::array::from_fn(|lane| {
            let raw: [u8; 32] = bytes(seed * 100 + lane as u64);
            std::array::from_fn(|word| u32::from_le_bytes(raw[4 * word..4 * word + 4].try_into().unwrap()))
        })
    }

    fn blocks(seed: u64, count: usize) -> Vec<Block> {
        (0..count).map(|index| bytes(seed * 1000 + index as u64)).collect()
    }

    /// Without the instructions there is nothing to compare; CI machines have them.
    fn compressed<const N: usize>(seed: u64) {
        if !has_instructions() {
            return;
        }
        let lanes: [Vec<Block>; N] =
            std::array::from_fn(|lane| blocks(seed + lane as u64, lane + seed as usize % 7));
        let lanes = lanes.each_ref().map(Vec::as_slice);
        let (mut by_instruction, mut by_twin) = (states::<N>(seed), states::<N>(seed));
        // SAFETY: the instructions were just found.
        unsafe { x86::compress(by_instruction.each_mut(), lanes) };
        portable::compress(by_twin.each_mut(), lanes);
        assert_eq!(by_instruction, by_twin);
    }

    fn encrypted<const N: usize>(seed: u64) {
        if !has_instructions() {
            return;
        }
        let keys: [[u8; 32]; N] = std::array::from_fn(|lane| bytes(seed + lane as u64));
        let text: [Vec<[u8; 16]>; N] = std::array::from_fn(|lane| {
            (0..lane + seed as usize % 9).map(|index| bytes(seed + index as u64)).collect()
        });
        let count = text.iter().map(Vec::len).min().unwrap_or(0);
        let (mut first, mut second) = (text.clone(), text);
        let mut first_ivs: [[u8; 16]; N] = std::array::from_fn(|lane| bytes(seed + 7 * lane as u64));
        let mut second_ivs = first_ivs;
        // SAFETY: the instructions were just found.
        let round_keys = keys.each_ref().map(|key| unsafe { x86::expand(key) });
        // SAFETY: as above.
        unsafe {
            x86::cbc_encrypt(
                round_keys.each_ref(),
                first_ivs.each_mut(),
                first.each_mut().map(Vec::as_mut_slice),
            );
        }
        for lane in 0..N {
            portable::cbc_encrypt(
                &portable::expand(&keys[lane]),
                &mut second_ivs[lane],
                &mut second[lane][..count],
            );
        }
        assert_eq!((first, first_ivs), (second, second_ivs));
    }

    fn sealed<const N: usize, const TWIN: bool>(seed: u64) {
        if !has_instructions() {
            return;
        }
        let key = bytes(seed);
        let text = blocks(seed, 1 + seed as usize % 6);
        let source = |lane: usize| if TWIN && lane == N - 1 { lane - 1 } else { lane };
        let hashed: [Vec<Block>; N] =
            std::array::from_fn(|lane| blocks(seed + 50 + source(lane) as u64, text.len()));
        let hashed = hashed.each_ref().map(Vec::as_slice);
        let run = |by_instruction: bool| {
            let (mut iv, mut out, mut states) =
                (bytes(seed + 1), vec![[0; 64]; text.len()], states::<N>(seed));
            if by_instruction {
                // SAFETY: the instructions were just found.
                unsafe {
                    let keys = x86::expand(&key);
                    let states = states.each_mut();
                    x86::cbc_encrypt_and_compress::<N, TWIN>(&keys, &mut iv, &text, &mut out, states, hashed);
                }
            } else {
                let key = portable::expand(&key);
                portable::cbc_encrypt_and_compress(&key, &mut iv, &text, &mut out, states.each_mut(), hashed);
            }
            (iv, out, states)
        };
        assert_eq!(run(true), run(false));
    }

    fn opened<const N: usize>(seed: u64) {
        if !has_instructions() {
            return;
        }
        let key = bytes(seed);
        let sealed = blocks(seed, 1 + seed as usize % 6);
        let hashed: [Vec<Block>; N] =
            std::array::from_fn(|lane| blocks(seed + 50 + lane as u64, sealed.len()));
        let hashed = hashed.each_ref().map(Vec::as_slice);
        let run = |by_instruction: bool| {
            let (mut iv, mut out, mut states) =
                (bytes(seed + 1), vec![[0; 64]; sealed.len()], states::<N>(seed));
            let lanes = states.each_mut();
            if by_instruction {
                // SAFETY: the instructions were just found.
                unsafe {
                    let keys = x86::invert(&x86::expand(&key));
                    x86::cbc_decrypt_and_compress(&keys, &mut iv, &sealed, &mut out, lanes, hashed);
                }
            } else {
                let key = portable::expand_inverse(&key);
                portable::cbc_decrypt_and_compress(&key, &mut iv, &sealed, &mut out, lanes, hashed);
            }
            (iv, out, states)
        };
        assert_eq!(run(true), run(false));
    }

    #[test]
    fn the_instructions_agree_with_their_portable_twins() {
        for seed in 0..100 {
            compressed::<1>(seed);
            compressed::<2>(seed);
            compressed::<3>(seed);
            compressed::<4>(seed);
            encrypted::<1>(seed);
            encrypted::<4>(seed);
            sealed::<0, false>(seed);
            sealed::<1, false>(seed);
            sealed::<3, false>(seed);
            sealed::<4, false>(seed);
            sealed::<4, true>(seed);
            opened::<0>(seed);
            opened::<2>(seed);
            opened::<3>(seed);
        }
    }
}
