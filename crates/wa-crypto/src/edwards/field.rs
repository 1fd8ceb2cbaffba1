//! The field of 2^255 − 19 elements over fiat-crypto's formally verified arithmetic.
//!
//! Its two kinds of elements are two types here, so that a sum cannot be added to again before it is carried: the
//! bounds that the proofs need are the compiler's business.

use core::ops::{Add, Mul, Neg, Sub};

use fiat_crypto::curve25519_64 as fiat;

/// An element, its limbs below 2^51 and a little.
#[derive(Clone, Copy)]
pub(super) struct Field(fiat::fiat_25519_tight_field_element);

/// A sum or difference of two elements: to be multiplied or carried.
#[derive(Clone, Copy)]
pub(super) struct Sum(fiat::fiat_25519_loose_field_element);

/// Limbs of an element: 51 bits each.
#[cfg(target_arch = "x86_64")]
pub(super) const LIMBS: usize = 5;

impl Field {
    pub(super) const ZERO: Self = Self::small(0);
    pub(super) const ONE: Self = Self::small(1);

    pub(super) const fn small(number: u64) -> Self {
        Self(fiat::fiat_25519_tight_field_element([number, 0, 0, 0, 0]))
    }

    /// The limbs as they are, each at most 2^51.
    #[cfg(target_arch = "x86_64")]
    pub(super) const fn limbs(self) -> [u64; LIMBS] {
        self.0.0
    }

    /// From limbs of at most three times 2^51.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn from_limbs(limbs: [u64; LIMBS]) -> Self {
        Sum(fiat::fiat_25519_loose_field_element(limbs)).carried()
    }

    /// The number that 255 bits say, which may be the prime or a little more; the last bit is ignored.
    pub(super) const fn from_bytes(bytes: &[u8; 32]) -> Self {
        let mut masked = *bytes;
        masked[31] &= 0x7F;
        let mut out = Self::ZERO;
        fiat::fiat_25519_from_bytes(&mut out.0, &masked);
        out
    }

    /// The one canonical form; its last bit is clear.
    pub(super) fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        fiat::fiat_25519_to_bytes(&mut bytes, &self.0);
        bytes
    }

    pub(super) fn is_zero(self) -> bool {
        self.to_bytes() == [0; 32]
    }

    /// The sign of an x-coordinate: whether the canonical form is odd.
    pub(super) fn is_odd(self) -> bool {
        self.to_bytes()[0] & 1 == 1
    }

    pub(super) fn square(self) -> Self {
        Sum::from(self).square()
    }

    /// Squared `times` times.
    fn squared(self, times: usize) -> Self {
        (0..times).fold(self, |it, _| it.square())
    }

    /// The power (p − 5) / 8 = 2^252 − 3.
    fn power_p58(self) -> Self {
        let (ones_250, _) = self.power_ones();
        ones_250.squared(2) * self
    }

    /// The power p − 2 = 2^255 − 21: the inverse, and 0 of 0. In constant time.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn inverse(self) -> Self {
        let (ones_250, eleventh) = self.power_ones();
        ones_250.squared(5) * eleventh
    }

    /// The powers 2^250 − 1 and 11. Names say how many ones the exponent has.
    fn power_ones(self) -> (Self, Self) {
        let second = self.square();
        let ninth = second.squared(2) * self;
        let eleventh = ninth * second;
        let ones_5 = eleventh.square() * ninth;
        let ones_10 = ones_5.squared(5) * ones_5;
        let ones_20 = ones_10.squared(10) * ones_10;
        let ones_40 = ones_20.squared(20) * ones_20;
        let ones_50 = ones_40.squared(10) * ones_10;
        let ones_100 = ones_50.squared(50) * ones_50;
        let ones_200 = ones_100.squared(100) * ones_100;
        (ones_200.squared(50) * ones_50, eleventh)
    }

    /// A root of `above / below`, which must not be 0 below. `None` when there is none.
    pub(super) fn root_of_ratio(above: Self, below: Self) -> Option<Self> {
        let cubed = below.square() * below;
        let root = above * cubed * (above * cubed.square() * below).power_p58();
        let square = root.square() * below;
        if square == above {
            Some(root)
        } else if square == (-above).carried() {
            Some(root * ROOT_OF_MINUS_ONE)
        } else {
            None
        }
    }
}

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}

impl Sum {
    pub(super) fn carried(self) -> Field {
        let mut out = Field::ZERO;
        fiat::fiat_25519_carry(&mut out.0, &self.0);
        out
    }

    #[inline(always)]
    pub(super) fn square(self) -> Field {
        let mut out = Field::ZERO;
        fiat::fiat_25519_carry_square(&mut out.0, &self.0);
        out
    }
}

impl From<Field> for Sum {
    #[inline(always)]
    fn from(element: Field) -> Self {
        let mut out = ZERO_SUM;
        fiat::fiat_25519_relax(&mut out.0, &element.0);
        out
    }
}

impl Add for Field {
    type Output = Sum;

    #[inline(always)]
    fn add(self, other: Self) -> Sum {
        let mut out = ZERO_SUM;
        fiat::fiat_25519_add(&mut out.0, &self.0, &other.0);
        out
    }
}

impl Sub for Field {
    type Output = Sum;

    #[inline(always)]
    fn sub(self, other: Self) -> Sum {
        let mut out = ZERO_SUM;
        fiat::fiat_25519_sub(&mut out.0, &self.0, &other.0);
        out
    }
}

impl Neg for Field {
    type Output = Sum;

    fn neg(self) -> Sum {
        let mut out = ZERO_SUM;
        fiat::fiat_25519_opp(&mut out.0, &self.0);
        out
    }
}

impl<T: Into<Sum>> Mul<T> for Field {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: T) -> Self {
        Sum::from(self) * other
    }
}

impl<T: Into<Sum>> Mul<T> for Sum {
    type Output = Field;

    #[inline(always)]
    fn mul(self, other: T) -> Field {
        let mut out = Field::ZERO;
        fiat::fiat_25519_carry_mul(&mut out.0, &self.0, &other.into().0);
        out
    }
}

const ZERO_SUM: Sum = Sum(fiat::fiat_25519_loose_field_element([0; 5]));

/// A constant from the big-endian digits in which the papers print it.
pub(super) const fn constant(digits: [u128; 2]) -> Field {
    let (high, low) = (digits[0].to_le_bytes(), digits[1].to_le_bytes());
    let mut bytes = [0; 32];
    let mut at = 0;
    while at < 16 {
        bytes[at] = low[at];
        bytes[16 + at] = high[at];
        at += 1;
    }
    Field::from_bytes(&bytes)
}

/// The curve's d = −121665 / 121666.
pub(super) const D: Field =
    constant([0x5203_6cee_2b6f_fe73_8cc7_4079_7779_e898, 0x0070_0a4d_4141_d8ab_75eb_4dca_1359_78a3]);

/// Twice d.
#[cfg(target_arch = "x86_64")]
pub(super) const TWICE_D: Field =
    constant([0x2406_d9dc_56df_fce7_198e_80f2_eef3_d130, 0x00e0_149a_8283_b156_ebd6_9b94_26b2_f159]);

const ROOT_OF_MINUS_ONE: Field =
    constant([0x2b83_2480_4fc1_df0b_2b4d_0099_3dfb_d7a7, 0x2f43_1806_ad2f_e478_c4ee_1b27_4a0e_a0b0]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constants_are_what_they_are_called() {
        assert!(D * Field::small(121_666) == (-Field::small(121_665)).carried());
        assert!((D + D).carried() == TWICE_D);
        assert!(ROOT_OF_MINUS_ONE.square() == (-Field::ONE).carried());
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn inverses_are_what_they_are_called() {
        for number in 1..100 {
            let element = Field::small(number * number + 7);
            assert!(element * element.inverse() == Field::ONE);
        }
        assert!(Field::ZERO.inverse().is_zero());
    }

    #[test]
    fn roots_are_what_they_are_called() {
        let mut squares = 0;
        for number in 1..200 {
            let (element, other) = (Field::small(number), Field::small(number * number + 7));
            if let Some(root) = Field::root_of_ratio(element, other) {
                squares += 1;
                assert!(root.square() * other == element);
            }
            // Exactly one of a number and twice the number is a square: 2 is none.
            let twice = Field::root_of_ratio((element + element).carried(), other);
            assert_ne!(Field::root_of_ratio(element, other).is_some(), twice.is_some());
        }
        assert!((60..140).contains(&squares), "{squares}");
    }

    #[test]
    fn forms_that_are_not_canonical_are_read_modulo_the_prime() {
        let mut bytes = [0xFF; 32];
        bytes[0] = 0xED + 3;
        assert!(Field::from_bytes(&bytes) == Field::small(3));
        bytes[31] = 0x7F;
        assert_eq!(Field::from_bytes(&bytes).to_bytes()[0], 3);
        bytes[0] = 0xED;
        assert!(Field::from_bytes(&bytes).is_zero());
    }
}
