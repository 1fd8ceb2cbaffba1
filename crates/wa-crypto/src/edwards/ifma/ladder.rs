//! X25519 by a Montgomery ladder (RFC 7748 §5) whose two points are one vector, in constant time: the same instructions
//! and the same places of memory whatever the scalar is. The twin that the tests hold it against is `x25519-dalek`.
//!
//! A step is three times four products: the four squares and products of the sums and differences; then what the next
//! points are made of, with a24 times the difference of the squares beside it; then the last factor of each coordinate.

use core::arch::x86_64::{
    __m256i, _mm256_add_epi64, _mm256_and_si256, _mm256_andnot_si256, _mm256_blend_epi32, _mm256_or_si256,
    _mm256_permute4x64_epi64, _mm256_set1_epi64x, _mm256_setzero_si256, _mm256_sub_epi64,
};

use super::{Four, LANE_0, LANE_1, LANE_2, LANE_3, LIMBS, ORDER_1032, TWICE_P, order};
use crate::edwards::field::Field;

/// (486662 − 2) / 4.
const A24: i64 = 121_665;

const ORDER_0110: i32 = order([0, 1, 1, 0]);
const ORDER_0022: i32 = order([0, 0, 2, 2]);
const ORDER_1133: i32 = order([1, 1, 3, 3]);
const ORDER_2301: i32 = order([2, 3, 0, 1]);

/// X and Z of the multiple of the point u by a clamped scalar.
#[target_feature(enable = "avx2,avx512ifma,avx512vl")]
pub(in crate::edwards) fn ladder(clamped: &[u8; 32], u: Field) -> [Field; 2] {
    // The factors of X2, X3 and Z3; that of Z2 is of the step.
    let last = Four::new([Field::ONE, Field::ZERO, Field::ONE, u]);
    // X2, Z2, X3, Z3.
    let mut pair = Four::new([Field::ONE, Field::ZERO, u, Field::ONE]);
    let mut swapped = 0;
    for place in (0..255).rev() {
        let bit = i64::from(clamped[place / 8] >> (place % 8) & 1);
        pair = pair.turned(_mm256_set1_epi64x(-(bit ^ swapped))).stepped(&last);
        swapped = bit;
    }
    let [x, z, ..] = pair.turned(_mm256_set1_epi64x(-swapped)).fields();
    [x, z]
}

impl Four {
    /// The two points change places where the mask is ones.
    #[inline]
    #[target_feature(enable = "avx2,avx512ifma,avx512vl")]
    fn turned(self, mask: __m256i) -> Self {
        let mut out = self;
        for limb in &mut out.0 {
            let turned = _mm256_permute4x64_epi64::<ORDER_2301>(*limb);
            *limb = _mm256_or_si256(_mm256_andnot_si256(mask, *limb), _mm256_and_si256(mask, turned));
        }
        out
    }

    /// The first point doubled, and the sum of both, whose difference is in `last`.
    #[inline]
    #[target_feature(enable = "avx2,avx512ifma,avx512vl")]
    fn stepped(self, last: &Self) -> Self {
        // A = X2 + Z2, B = X2 − Z2, C = X3 + Z3, D = X3 − Z3.
        let mut sums = self;
        for (limb, twice_p) in sums.0.iter_mut().zip(TWICE_P) {
            let minus = _mm256_sub_epi64(_mm256_set1_epi64x(twice_p), *limb);
            let signed = _mm256_blend_epi32::<{ LANE_1 | LANE_3 }>(*limb, minus);
            *limb = _mm256_add_epi64(_mm256_permute4x64_epi64::<ORDER_1032>(*limb), signed);
        }
        let sums = sums.carried();
        let mut factors = sums;
        for limb in &mut factors.0 {
            *limb = _mm256_permute4x64_epi64::<ORDER_0110>(*limb);
        }
        // A², B², C·B, D·A.
        let products = sums.times(&factors);
        // B², A² − B², C·B + D·A, C·B − D·A; and A² twice.
        let (mut right, mut squares) = (products, products);
        for ((limb, square), twice_p) in right.0.iter_mut().zip(&mut squares.0).zip(TWICE_P) {
            let first = _mm256_permute4x64_epi64::<ORDER_0022>(*limb);
            let second = _mm256_permute4x64_epi64::<ORDER_1133>(*limb);
            let minus = _mm256_sub_epi64(_mm256_set1_epi64x(twice_p), second);
            let signed = _mm256_blend_epi32::<{ LANE_1 | LANE_3 }>(second, minus);
            *square = first;
            *limb = _mm256_add_epi64(signed, _mm256_blend_epi32::<LANE_0>(first, _mm256_setzero_si256()));
        }
        let right = right.carried();
        let mut left = right;
        for (at, limb) in left.0.iter_mut().enumerate() {
            let a24 = if at == 0 { _mm256_set1_epi64x(A24) } else { _mm256_setzero_si256() };
            *limb = _mm256_blend_epi32::<LANE_0>(*limb, squares.0[at]);
            *limb = _mm256_blend_epi32::<LANE_1>(*limb, a24);
        }
        // A²·B², a24·(A² − B²), and the two squares of the sum.
        let mut made = left.times(&right);
        let mut factors = *last;
        for at in 0..LIMBS {
            let square =
                _mm256_blend_epi32::<{ LANE_0 | LANE_2 | LANE_3 }>(squares.0[at], _mm256_setzero_si256());
            made.0[at] = _mm256_add_epi64(made.0[at], square);
            factors.0[at] = _mm256_blend_epi32::<LANE_1>(factors.0[at], right.0[at]);
        }
        made.carried().times(&factors)
    }
}
