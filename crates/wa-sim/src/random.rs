//! All randomness of the simulator, split by purpose (chapter 10 §12).
//!
//! One 64-bit seed. Each purpose draws from a ChaCha stream of its own, so one more draw in one place does not move
//! the others, and the same seed with the same input gives the same bytes.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

/// The seed of a run, and the streams made from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// 32 bytes for one purpose; `index` tells instances of it apart (an account, a connection).
    #[must_use]
    pub fn bytes(self, purpose: &str, index: u64) -> [u8; 32] {
        wa_crypto::digest::sha256(&[&self.0.to_be_bytes(), purpose.as_bytes(), &[0], &index.to_be_bytes()])
    }

    /// A generator for one purpose.
    #[must_use]
    pub fn stream(self, purpose: &str, index: u64) -> ChaCha12Rng {
        ChaCha12Rng::from_seed(self.bytes(purpose, index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_and_indexes_draw_from_different_streams() {
        let seed = Seed(7);
        assert_eq!(seed.bytes("refs", 0), seed.bytes("refs", 0));
        assert_ne!(seed.bytes("refs", 0), seed.bytes("refs", 1));
        assert_ne!(seed.bytes("refs", 0), seed.bytes("ids", 0));
        assert_ne!(seed.bytes("refs", 0), Seed(8).bytes("refs", 0));
    }
}
