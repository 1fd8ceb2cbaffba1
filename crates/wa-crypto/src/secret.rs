//! Byte arrays that must not leak: zeroized on drop, redacted in print, compared in constant time.

use core::fmt;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, optimization_barrier};

use crate::CryptoError;

/// `N` secret bytes.
#[derive(Clone)]
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Zeroize for Secret<N> {
    fn zeroize(&mut self) {
        // One fill that the compiler may not leave out: cheaper than a volatile store for every byte.
        self.0 = [0; N];
        optimization_barrier(self);
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl<const N: usize> ZeroizeOnDrop for Secret<N> {}

impl<const N: usize> Secret<N> {
    /// Takes the bytes over.
    pub const fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// Draws `N` bytes.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; N];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// The bytes themselves: for the next primitive or the store, never for a log.
    pub const fn expose(&self) -> &[u8; N] {
        &self.0
    }

    /// The bytes to be written, for a primitive that fills them.
    pub const fn expose_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }
}

impl<const N: usize> From<[u8; N]> for Secret<N> {
    fn from(bytes: [u8; N]) -> Self {
        Self(bytes)
    }
}

impl<const N: usize> TryFrom<&[u8]> for Secret<N> {
    type Error = CryptoError;

    fn try_from(bytes: &[u8]) -> Result<Self, CryptoError> {
        let bytes = bytes.try_into().map_err(|_| CryptoError::Length { expected: N, found: bytes.len() })?;
        Ok(Self(bytes))
    }
}

impl<const N: usize> PartialEq for Secret<N> {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl<const N: usize> Eq for Secret<N> {}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Compares in constant time for equal lengths; a different length is `false` at once.
pub fn ct_eq(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints_its_bytes() {
        assert_eq!(format!("{:?}", Secret::new([0xAB; 32])), "[redacted]");
    }

    #[test]
    fn equality_looks_at_every_byte() {
        let a = Secret::new([7; 32]);
        for index in 0..32 {
            let mut bytes = [7; 32];
            bytes[index] ^= 1;
            assert_ne!(a, Secret::new(bytes));
        }
        assert_eq!(a, Secret::new([7; 32]));
        assert!(!ct_eq(b"ab", b"abc"));
    }
}
