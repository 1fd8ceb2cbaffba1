//! Points whose four coordinates are computed side by side with the 52-bit multiplications of AVX-512 (IFMA), and the
//! verification equation on them; agreement likewise (`ladder`). The twin that the tests hold it against is `curve25519-dalek`.
//!
//! The formulas are those of Hisil, Wong, Carter and Dawson for extended coordinates, which fall into four products at
//! a time. A coordinate is five limbs of 51 bits; a product wants its limbs below 2^52 and leaves them so.

mod base;
#[cfg(any(test, not(feature = "aws-lc")))]
mod ladder;

use core::arch::x86_64::{
    __m256i, _mm256_add_epi64, _mm256_and_si256, _mm256_blend_epi32, _mm256_extract_epi64,
    _mm256_madd52hi_epu64, _mm256_madd52lo_epu64, _mm256_mul_epu32, _mm256_permute4x64_epi64,
    _mm256_set_epi64x, _mm256_set1_epi64x, _mm256_setzero_si256, _mm256_slli_epi64, _mm256_srli_epi64,
    _mm256_sub_epi64,
};
use std::sync::OnceLock;

use curve25519_dalek::constants::ED25519_BASEPOINT_COMPRESSED;
use curve25519_dalek::scalar::Scalar;

use super::Point;
use super::field::{Field, LIMBS, TWICE_D};
use super::halves::{DIGITS, Wide, digits, halve};

pub(super) use base::multiple;
#[cfg(any(test, not(feature = "aws-lc")))]
pub(super) use ladder::ladder;

/// Width of the digits by which points of the moment are multiplied.
const WIDTH: u32 = 5;
/// The same for the base point, whose multiples are kept.
const BASE_WIDTH: u32 = 8;

/// Whether the instructions are there.
pub(super) fn available() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("avx512ifma")
        && is_x86_feature_detected!("avx512vl")
}

/// Whether s·B = R + h·A.
///
/// Multiplied by `right` of the halves of h: right·s·B − right·R ∓ left·A = 0.
#[target_feature(enable = "avx2,avx512ifma,avx512vl")]
pub(super) fn equation_holds(s: &Scalar, r: Point, h: &Scalar, a: Point) -> bool {
    let halves = halve(h);
    let a = if halves.negative { a } else { a.negated() };
    let points: [[Addend; 8]; 2] = [multiples(Coordinates::of(r.negated())), multiples(Coordinates::of(a))];
    let [upper, lower] = Wide::from_scalar(&(Scalar::from(halves.right) * s)).halves();

    let mut steps = [[0; DIGITS]; 4];
    let [of_r, of_a, of_upper, of_lower] = &mut steps;
    let length = digits(halves.right.into(), WIDTH, of_r)
        .max(digits(halves.left, WIDTH, of_a))
        .max(digits(upper, BASE_WIDTH, of_upper))
        .max(digits(lower, BASE_WIDTH, of_lower));
    let base = base_multiples();
    let mut sum = Coordinates::of(Point::IDENTITY);
    for place in (0..length).rev() {
        sum = sum.doubled();
        for (table, digits) in points.iter().zip([&*of_r, &*of_a]) {
            if digits[place] != 0 {
                sum = sum.plus(of(table, digits[place]));
            }
        }
        for (table, digits) in base.iter().zip([&*of_upper, &*of_lower]) {
            if digits[place] != 0 {
                sum = sum.plus(of(table, digits[place]));
            }
        }
    }
    sum.are_the_identity()
}

/// The first odd multiples of a point, ready to be added.
#[target_feature(enable = "avx2,avx512ifma,avx512vl")]
fn multiples<const N: usize>(point: Coordinates) -> [Addend; N] {
    let (mut last, twice) = (point, point.doubled().addend());
    let mut out = [last.addend(); N];
    for addend in &mut out[1..] {
        last = last.plus(twice);
        *addend = last.addend();
    }
    out
}

/// The multiple of a digit, which is odd.
#[inline]
#[target_feature(enable = "avx2,avx512ifma,avx512vl")]
fn of<const N: usize>(table: &[Addend; N], digit: i8) -> Addend {
    let multiple = table[usize::from(digit.unsigned_abs() / 2) % N];
    if digit < 0 { multiple.negated() } else { multiple }
}

/// The first 64 odd multiples of 2^128·B and of B.
#[target_feature(enable = "avx2,avx512ifma,avx512vl")]
fn base_multiples() -> &'static [[Addend; 64]; 2] {
    static MULTIPLES: OnceLock<[[Addend; 64]; 2]> = OnceLock::new();
    MULTIPLES.get_or_init(|| {
        // Never the fallback: the constant is a point.
        let point = Point::decompress(ED25519_BASEPOINT_COMPRESSED.as_bytes()).unwrap_or(Point::IDENTITY);
        let base = Coordinates::of(point);
        let mut upper = base;
        for _ in 0..128 {
            upper = upper.doubled();
        }
        [multiples(upper), multiples(base)]
    })
}

/// X, Y, Z and T: x = X/Z, y = Y/Z, x·y = T/Z.
#[derive(Clone, Copy)]
struct Coordinates(Four);

/// A point ready to be added: Y − X, Y + X, 2·Z and 2·d·T.
#[derive(Clone, Copy)]
struct Addend(Four);

impl Coordinates {
    #[target_feature(enable = "avx2,avx512ifma,avx512vl")]
    fn of(point: Point) -> Self {
        Self(Four::new([point.x, point.y, Field::ONE, point.x * point.y]))
    }

    #[inline]
    #[target_feature(enable = "avx2,avx512ifma,avx512vl")]
    fn doubled(self) -> Self {
        // The squares of X, Y, Z and X + Y.
        let mut input = self.0;
        for limb in &mut input.0 {
            let turned = _mm256_permute4x64_epi64::<ORDER_1032>(*limb);
            let sum = _mm256_permute4x64_epi64::<0>(_mm256_add_epi64(*limb, turned));
            *limb = _mm256_blend_epi32::<LANE_3>(*limb, sum);
        }
        let input = input.carried();
        let squares = input.times(&input);
        // With a, b, c, d for them: (2c + a − b, a + b, 2c + a − b, a + b) · (a + b − d, a − b, a − b, a + b − d).
        let (mut left, mut right) = (squares, squares);
        for ((left, right), twice_p) in left.0.iter_mut().zip(&mut right.0).zip(TWICE_P) {
            let twice_p = _mm256_set1_epi64x(twice_p);
            let a = _mm256_permute4x64_epi64::<ALL_0>(*left);
            let b = _mm256_permute4x64_epi64::<ALL_1>(*left);
            let c = _mm256_permute4x64_epi64::<ALL_2>(*left);
            let d = _mm256_permute4x64_epi64::<ALL_3>(*left);
            let (zero, minus_b) = (_mm256_setzero_si256(), _mm256_sub_epi64(twice_p, b));
            let twice_c = _mm256_blend_epi32::<{ LANE_1 | LANE_3 }>(_mm256_add_epi64(c, c), zero);
            let minus_d = _mm256_blend_epi32::<{ LANE_1 | LANE_2 }>(_mm256_sub_epi64(twice_p, d), zero);
            let of_left = _mm256_blend_epi32::<{ LANE_1 | LANE_3 }>(minus_b, b);
            let of_right = _mm256_blend_epi32::<{ LANE_1 | LANE_2 }>(b, minus_b);
            *left = _mm256_add_epi64(_mm256_add_epi64(a, of_left), twice_c);
            *right = _mm256_add_epi64(_mm256_add_epi64(a, of_right), minus_d);
        }
        Self(left.carried().times(&right.carried()))
    }

    #[inline]
    #[target_feature(enable = "avx2,avx512ifma,avx512vl")]
    fn plus(self, other: Addend) -> Self {
        let products = self.sums().times(&other.0);
        // With a, b, c, d for them: (b − a, c + d, c − d, b − a) · (c − d, b + a, c + d, b + a).
        let (mut left, mut right) = (products, products);
        for ((left, right), twice_p) in left.0.iter_mut().zip(&mut right.0).zip(TWICE_P) {
            let (all, twice_p) = (*left, _mm256_set1_epi64x(twice_p));
            let first = _mm256_permute4x64_epi64::<ORDER_1221>(all);
            let second = _mm256_permute4x64_epi64::<ORDER_0330>(all);
            let minus = _mm256_sub_epi64(twice_p, second);
            *left = _mm256_add_epi64(first, _mm256_blend_epi32::<LANE_1>(minus, second));
            let first = _mm256_permute4x64_epi64::<ORDER_2121>(all);
            let second = _mm256_permute4x64_epi64::<ORDER_3030>(all);
            let minus = _mm256_sub_epi64(twice_p, second);
            *right = _mm256_add_epi64(first, _mm256_blend_epi32::<LANE_0>(second, minus));
        }
        Self(left.carried().times(&right.carried()))
    }

    /// Y − X, Y + X, Z and T.
    #[inline]
    #[target_feature(enable = "avx2,avx512ifma,avx512vl")]
    fn sums(self) -> Four {
        let mut out = self.0;
        for (limb, twice_p) in out.0.iter_mut().zip(TWICE_P) {
            let x = _mm256_permute4x64_epi64::<ALL_0>(*limb);
            let y = _mm256_permute4x64_epi64::<ORDER_1123>(*limb);
            let minus = _mm256_sub_epi64(_mm256_set1_epi64x(twice_p), x);
            let x = _mm256_blend_epi32::<LANE_0>(x, minus);
            let x = _mm256_blend_epi32::<{ LANE_2 | LANE_3 }>(x, _mm256_setzero_si256());
            *limb = _mm256_add_epi64(y, x);
        }
        out.carried()
    }

    #[target_feature(enable = "avx2,avx512ifma,avx512vl")]
    fn addend(self) -> Addend {
        let factors = [Field::ONE, Field::ONE, (Field::ONE + Field::ONE).carried(), TWICE_D];
        Addend(self.sums().times(&Four::new(factors)))
    }

    /// The point of order 2 has x = 0 as well, and another y.
    #[target_feature(enable = "avx2,avx512ifma,avx512vl")]
    fn are_the_identity(self) -> bool {
        let [x, y, z, _] = self.0.fields();
        x.is_zero() && y == z
    }
}

impl Addend {
    #[inline]
    #[target_feature(enable = "avx2,avx512ifma,avx512vl")]
    fn negated(self) -> Self {
        let mut out = self.0;
        for (limb, twice_p) in out.0.iter_mut().zip(TWICE_P) {
            let turned = _mm256_permute4x64_epi64::<ORDER_1023>(*limb);
            let minus = _mm256_sub_epi64(_mm256_set1_epi64x(twice_p), turned);
            *limb = _mm256_blend_epi32::<LANE_3>(turned, minus);
        }
        Self(out)
    }
}

/// Four elements of the field: the same limb of each in one vector.
#[derive(Clone, Copy)]
struct Four([__m256i; LIMBS]);

/// The limbs of twice the prime, so large that no difference with it falls below zero.
const TWICE_P: [i64; LIMBS] = [(1 << 52) - 38, (1 << 52) - 2, (1 << 52) - 2, (1 << 52) - 2, (1 << 52) - 2];

/// Lanes for `_mm256_blend_epi32`, which counts halves of them.
const LANE_0: i32 = 0b0000_0011;
const LANE_1: i32 = 0b0000_1100;
const LANE_2: i32 = 0b0011_0000;
const LANE_3: i32 = 0b1100_0000;

/// Orders for `_mm256_permute4x64_epi64`: from which lane each lane comes, the lowest named first.
const fn order(from: [i32; 4]) -> i32 {
    from[0] | from[1] << 2 | from[2] << 4 | from[3] << 6
}
const ALL_0: i32 = order([0; 4]);
const ALL_1: i32 = order([1; 4]);
const ALL_2: i32 = order([2; 4]);
const ALL_3: i32 = order([3; 4]);
const ORDER_1032: i32 = order([1, 0, 3, 2]);
const ORDER_1023: i32 = order([1, 0, 2, 3]);
const ORDER_1123: i32 = order([1, 1, 2, 3]);
const ORDER_1221: i32 = order([1, 2, 2, 1]);
const ORDER_0330: i32 = order([0, 3, 3, 0]);
const ORDER_2121: i32 = order([2, 1, 2, 1]);
const ORDER_3030: i32 = order([3, 0, 3, 0]);

impl Four {
    #[target_feature(enable = "avx2,avx512ifma,avx512vl")]
    fn new(elements: [Field; 4]) -> Self {
        let [a, b, c, d] = elements.map(Field::limbs);
        let mut out = [_mm256_setzero_si256(); LIMBS];
        for (at, limb) in out.iter_mut().enumerate() {
            *limb = _mm256_set_epi64x(d[at] as i64, c[at] as i64, b[at] as i64, a[at] as i64);
        }
        Self(out)
    }

    #[target_feature(enable = "avx2,avx512ifma,avx512vl")]
    fn fields(self) -> [Field; 4] {
        let mut out = [[0; LIMBS]; 4];
        for (at, limb) in self.0.into_iter().enumerate() {
            out[0][at] = _mm256_extract_epi64::<0>(limb) as u64;
            out[1][at] = _mm256_extract_epi64::<1>(limb) as u64;
            out[2][at] = _mm256_extract_epi64::<2>(limb) as u64;
            out[3][at] = _mm256_extract_epi64::<3>(limb) as u64;
        }
        out.map(Field::from_limbs)
    }

    /// What is above 51 bits of a limb moves into the next. Limbs below 2^63 come out below 2^51 + 2^17.
    #[inline]
    #[target_feature(enable = "avx2,avx512ifma,avx512vl")]
    fn carried(self) -> Self {
        let mask = _mm256_set1_epi64x((1 << 51) - 1);
        let [a, b, c, d, e] = self.0;
        // Written out: a closure is a function of its own where the compiler does not look across crates.
        let high = [
            _mm256_srli_epi64::<51>(a),
            _mm256_srli_epi64::<51>(b),
            _mm256_srli_epi64::<51>(c),
            _mm256_srli_epi64::<51>(d),
            _mm256_srli_epi64::<51>(e),
        ];
        let nineteen = _mm256_set1_epi64x(19);
        Self([
            _mm256_add_epi64(_mm256_and_si256(a, mask), _mm256_mul_epu32(high[4], nineteen)),
            _mm256_add_epi64(_mm256_and_si256(b, mask), high[0]),
            _mm256_add_epi64(_mm256_and_si256(c, mask), high[1]),
            _mm256_add_epi64(_mm256_and_si256(d, mask), high[2]),
            _mm256_add_epi64(_mm256_and_si256(e, mask), high[3]),
        ])
    }

    /// The four products. Limbs below 2^52.
    #[inline]
    #[target_feature(enable = "avx2,avx512ifma,avx512vl")]
    fn times(&self, other: &Self) -> Self {
        // Bits 0 to 51 and 52 to 103 of the products, by place. Sums of five stay below 2^55.
        let (mut low, mut high) = ([_mm256_setzero_si256(); 9], [_mm256_setzero_si256(); 9]);
        for i in 0..LIMBS {
            for j in 0..LIMBS {
                low[i + j] = _mm256_madd52lo_epu64(low[i + j], self.0[i], other.0[j]);
                high[i + j] = _mm256_madd52hi_epu64(high[i + j], self.0[i], other.0[j]);
            }
        }
        // A high part counts twice in the next place: 52 bits are one more than a limb. Below 2^57 then.
        let mut places = [_mm256_setzero_si256(); 10];
        places[0] = low[0];
        for at in 1..9 {
            places[at] = _mm256_add_epi64(low[at], _mm256_slli_epi64::<1>(high[at - 1]));
        }
        places[9] = _mm256_slli_epi64::<1>(high[8]);
        // 2^255 is 19. Below 2^62.
        let mut out = [_mm256_setzero_si256(); LIMBS];
        for at in 0..LIMBS {
            let over = places[at + 5];
            let sixteen = _mm256_slli_epi64::<4>(over);
            let three = _mm256_add_epi64(_mm256_slli_epi64::<1>(over), over);
            out[at] = _mm256_add_epi64(places[at], _mm256_add_epi64(sixteen, three));
        }
        Self(out).carried()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[target_feature(enable = "avx2,avx512ifma,avx512vl")]
    fn product(left: [u64; LIMBS], right: [u64; LIMBS]) -> [[u8; 32]; 4] {
        let vector = |limbs: [u64; LIMBS]| Four(limbs.map(|limb| _mm256_set1_epi64x(limb as i64)));
        vector(left).times(&vector(right)).fields().map(Field::to_bytes)
    }

    #[test]
    fn products_of_the_largest_limbs_are_those_of_the_field() {
        if !available() {
            return;
        }
        let largest = (1 << 52) - 1;
        for left in [[largest; 5], [largest, 0, largest, 0, largest], [1; 5], [0, 0, 0, 0, largest]] {
            for right in [[largest; 5], [0, largest, 0, largest, 0], [0; 5], [largest, 0, 0, 0, 0]] {
                let expected = (Field::from_limbs(left) * Field::from_limbs(right)).to_bytes();
                // SAFETY: the instructions were just found.
                assert_eq!(unsafe { product(left, right) }, [expected; 4]);
            }
        }
    }
}
