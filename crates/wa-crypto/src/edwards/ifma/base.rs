//! Secret multiples of the base point, in constant time: the same instructions and the same places of memory whatever
//! the scalar is. The twin that the tests hold it against is `curve25519-dalek`, whose method it is (64 signed digits of
//! four bits, a table of small multiples for every second one), on the vectors of this kernel.

use core::arch::x86_64::{
    __m256i, _mm256_and_si256, _mm256_andnot_si256, _mm256_cmpeq_epi64, _mm256_or_si256, _mm256_set1_epi64x,
};
use std::sync::OnceLock;

use curve25519_dalek::constants::ED25519_BASEPOINT_COMPRESSED;
use zeroize::Zeroizing;

use super::{Addend, Coordinates, Four, Point};
use crate::edwards::field::Field;

/// Multiples of one to eight times a power of 256.
type Row = [Addend; 8];

/// The multiple of a scalar below 2^255: X, Y and Z.
#[target_feature(enable = "avx2,avx512ifma,avx512vl")]
pub(in crate::edwards) fn multiple(scalar: &[u8; 32]) -> [Field; 3] {
    let digits = Zeroizing::new(digits(scalar));
    let table = table();
    let mut sum = Coordinates::of(Point::IDENTITY);
    for (row, pair) in table.iter().zip(digits.as_chunks::<2>().0) {
        sum = sum.plus(chosen(row, pair[1]));
    }
    for _ in 0..4 {
        sum = sum.doubled();
    }
    for (row, pair) in table.iter().zip(digits.as_chunks::<2>().0) {
        sum = sum.plus(chosen(row, pair[0]));
    }
    let [x, y, z, _] = sum.0.fields();
    [x, y, z]
}

/// Digits from −8 to 8, the lowest first.
fn digits(scalar: &[u8; 32]) -> [i8; 64] {
    let mut digits = [0; 64];
    for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(scalar) {
        *pair = [(byte & 15) as i8, (byte >> 4) as i8];
    }
    let mut carry = 0;
    for digit in &mut digits[..63] {
        *digit += carry;
        carry = (*digit + 8) >> 4;
        *digit -= carry << 4;
    }
    // The last one takes the carry and stays at 8 or less, since the scalar is below 2^255.
    digits[63] += carry;
    digits
}

/// The multiple of a digit. All of them are read.
#[inline]
#[target_feature(enable = "avx2,avx512ifma,avx512vl")]
fn chosen(row: &Row, digit: i8) -> Addend {
    let sign = i64::from(digit >> 7);
    let size = (i64::from(digit) ^ sign) - sign;
    let wanted = _mm256_set1_epi64x(size);
    let mut chosen = Addend::nothing();
    for (number, multiple) in (1..).zip(row) {
        let this = _mm256_cmpeq_epi64(wanted, _mm256_set1_epi64x(number));
        chosen = chosen.or(this, *multiple);
    }
    chosen.or(_mm256_set1_epi64x(sign), chosen.negated())
}

impl Addend {
    /// The identity: Y − X and Y + X are 1, twice Z is 2.
    #[inline]
    #[target_feature(enable = "avx2,avx512ifma,avx512vl")]
    fn nothing() -> Self {
        const TWO: Field = Field::small(2);
        Self(Four::new([Field::ONE, Field::ONE, TWO, Field::ZERO]))
    }

    /// The other one where the mask is ones, this one where it is zeros.
    #[inline]
    #[target_feature(enable = "avx2,avx512ifma,avx512vl")]
    fn or(self, mask: __m256i, other: Self) -> Self {
        let mut out = self.0;
        for (limb, other) in out.0.iter_mut().zip(other.0.0) {
            *limb = _mm256_or_si256(_mm256_andnot_si256(mask, *limb), _mm256_and_si256(mask, other));
        }
        Self(out)
    }
}

/// 40 KB, made at first use.
#[target_feature(enable = "avx2,avx512ifma,avx512vl")]
fn table() -> &'static [Row; 32] {
    static TABLE: OnceLock<Box<[Row; 32]>> = OnceLock::new();
    TABLE.get_or_init(|| {
        // Never the fallback: the constant is a point.
        let point = Point::decompress(ED25519_BASEPOINT_COMPRESSED.as_bytes()).unwrap_or(Point::IDENTITY);
        let mut power = Coordinates::of(point);
        let mut table = Box::new([[power.addend(); 8]; 32]);
        for row in table.iter_mut() {
            let (mut last, once) = (power, power.addend());
            row[0] = once;
            for addend in &mut row[1..] {
                last = last.plus(once);
                *addend = last.addend();
            }
            for _ in 0..8 {
                power = power.doubled();
            }
        }
        table
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_give_the_scalar_again() {
        for scalar in [[0; 32], [0xFF; 32], [0x88; 32], [0x77; 32], [0x78; 32], [1; 32]] {
            let mut scalar: [u8; 32] = scalar;
            scalar[31] &= 0x7F;
            let digits = digits(&scalar);
            assert!(digits.iter().all(|digit| (-8..=8).contains(digit)), "{digits:?}");
            // From the top: sixteen times what is there, plus the digit, in bytes that may borrow.
            let mut sum = [0_i32; 33];
            for digit in digits.iter().rev() {
                sum.iter_mut().for_each(|byte| *byte *= 16);
                sum[0] += i32::from(*digit);
                for at in 0..32 {
                    sum[at + 1] += sum[at] >> 8;
                    sum[at] &= 0xFF;
                }
            }
            assert_eq!(sum[..32], scalar.map(i32::from));
            assert_eq!(sum[32], 0);
        }
    }
}
