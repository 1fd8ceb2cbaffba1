//! Scalars of half the length for the verification equation (Antipa and others, "Accelerated Verification of ECDSA
//! Signatures", 2005), and signed digits.

use curve25519_dalek::scalar::Scalar;

/// Eight times the order of the base point, the order of the whole curve: high and low half.
const CURVE_ORDER: Wide =
    Wide { high: 0x8000_0000_0000_0000_0000_0000_0000_0000, low: 0xa6f7_cef5_17bc_e6b2_c093_18d2_e7ae_9f68 };

/// A number of 256 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wide {
    // The order of the fields is that of the derived comparison.
    high: u128,
    low: u128,
}

impl Wide {
    pub(super) fn from_scalar(scalar: &Scalar) -> Self {
        let (halves, _) = scalar.as_bytes().as_chunks::<16>();
        match halves {
            [low, high] => Self { high: u128::from_le_bytes(*high), low: u128::from_le_bytes(*low) },
            _ => Self { high: 0, low: 0 },
        }
    }

    /// The upper and the lower 128 bits.
    pub(super) const fn halves(self) -> [Self; 2] {
        [Self { high: 0, low: self.high }, Self { high: 0, low: self.low }]
    }

    const fn bits(self) -> u32 {
        if self.high == 0 { 128 - self.low.leading_zeros() } else { 256 - self.high.leading_zeros() }
    }

    /// Shifted left; nothing may fall off.
    const fn shifted(self, by: u32) -> Self {
        match by {
            0 => self,
            1..128 => Self { high: self.high << by | self.low >> (128 - by), low: self.low << by },
            _ => Self { high: self.low << (by - 128), low: 0 },
        }
    }

    /// Minus a number that is not larger.
    const fn minus(self, other: Self) -> Self {
        let (low, borrow) = self.low.overflowing_sub(other.low);
        Self { high: self.high.wrapping_sub(other.high).wrapping_sub(borrow as u128), low }
    }
}

impl From<u128> for Wide {
    fn from(low: u128) -> Self {
        Self { high: 0, low }
    }
}

/// `left` ≡ ± `right` · h modulo the order of the whole curve, `right` odd.
#[derive(Debug, Clone, Copy)]
pub(super) struct Halves {
    /// Of about 128 bits, almost always.
    pub(super) left: Wide,
    pub(super) right: u128,
    /// Whether the sign is a minus.
    pub(super) negative: bool,
}

/// Finds them with the first half of Euclid's algorithm.
///
/// The order of the whole curve, not of the base point, since keys may have a part of small order; and an odd `right`,
/// so that multiplying an equation by it hides no such part.
pub(super) fn halve(h: &Scalar) -> Halves {
    // Each remainder is ± factor · h; signs alternate, of two factors in a row one is odd.
    let (mut before, mut now) = ((CURVE_ORDER, 0_u128), (Wide::from_scalar(h), 1_u128));
    let mut negative = false;
    while now.0.high != 0 {
        while before.0 >= now.0 {
            let mut by = before.0.bits() - now.0.bits();
            if now.0.shifted(by) > before.0 {
                by -= 1;
            }
            before.0 = before.0.minus(now.0.shifted(by));
            // The factor stays below the curve's order divided by `now`, so below 2^128.
            before.1 += now.1 << by;
        }
        (before, now) = (now, before);
        negative = !negative;
    }
    let (left, right) = if now.1 & 1 == 1 {
        now
    } else {
        negative = !negative;
        before
    };
    Halves { left, right, negative }
}

/// One more than the bits of the longest number: a carry may go beyond.
pub(super) const DIGITS: usize = 257;

/// The signed digits of a number in base 2: odd or 0, below 2^(width−1), at least width − 1 zeros behind each other
/// one. Returns how many digits there are.
pub(super) fn digits(number: Wide, width: u32, out: &mut [i8; DIGITS]) -> usize {
    let (modulus, mask) = (1_u64 << width, (1_u64 << width) - 1);
    let (mut place, mut carry, mut end) = (0, 0, 0);
    let bits = number.bits();
    while place < bits || carry != 0 {
        let rest = if place < 128 {
            (number.low >> place) as u64 | if place > 64 { (number.high << (128 - place)) as u64 } else { 0 }
        } else if place < 256 {
            (number.high >> (place - 128)) as u64
        } else {
            0
        };
        let window = carry + (rest & mask);
        if window & 1 == 0 {
            place += 1;
            continue;
        }
        carry = u64::from(window >= modulus / 2);
        end = place as usize + 1;
        if let Some(digit) = out.get_mut(place as usize) {
            *digit = (window as i64 - (carry * modulus) as i64) as i8;
        }
        place += width;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(seed: u64) -> Scalar {
        let bytes = crate::digest::sha512(&[&seed.to_le_bytes()]);
        Scalar::from_bytes_mod_order_wide(&bytes)
    }

    fn value(number: Wide) -> Scalar {
        Scalar::from(number.high) * Scalar::from(1_u128 << 127) * Scalar::from(2_u8)
            + Scalar::from(number.low)
    }

    /// number · factor modulo 8.
    fn modulo_8(number: Wide, factor: u128) -> u8 {
        ((number.low as u8 & 7) * (factor as u8 & 7)) & 7
    }

    #[test]
    fn halves_are_short_odd_and_congruent_modulo_the_whole_order() {
        let special = [Scalar::ZERO, Scalar::ONE, -Scalar::ONE, Scalar::from(2_u8), Scalar::from(u128::MAX)];
        let (mut long, mut negative) = (0, 0);
        for h in special.into_iter().chain((0..3000).map(scalar)) {
            let halves = halve(&h);
            assert_eq!(halves.right & 1, 1);
            let right = Scalar::from(halves.right) * h;
            assert_eq!(value(halves.left), if halves.negative { -right } else { right });
            let (left, right) = (halves.left.low as u8 & 7, modulo_8(Wide::from_scalar(&h), halves.right));
            assert_eq!(left, if halves.negative { (8 - right) & 7 } else { right });
            long += u32::from(halves.left.bits() > 136);
            negative += u32::from(halves.negative);
        }
        assert!(long < 30, "{long} of 3005 longer than 136 bits");
        assert!((1000..2000).contains(&negative), "{negative}");
    }

    #[test]
    fn the_order_is_that_of_the_curve() {
        assert_eq!(value(CURVE_ORDER), Scalar::ZERO);
        assert_eq!(Wide::from_scalar(&-Scalar::ONE).shifted(3), CURVE_ORDER.minus(Wide::from(8)));
    }

    #[test]
    fn digits_give_the_number_back() {
        let wide = [Wide { high: u128::MAX, low: u128::MAX }, Wide { high: 1 << 127, low: 0 }, Wide::from(0)];
        let random = (0..300).map(|seed| Wide::from_scalar(&scalar(seed)));
        for number in wide.into_iter().chain(random) {
            for width in [5, 8] {
                let mut out = [0; DIGITS];
                let end = digits(number, width, &mut out);
                let (mut sum, mut power, mut last) = (Scalar::ZERO, Scalar::ONE, None);
                for (place, digit) in out.into_iter().enumerate() {
                    if digit != 0 {
                        assert!(digit & 1 == 1 && i32::from(digit).abs() < 1 << (width - 1));
                        assert!(last.is_none_or(|last| place - last >= width as usize));
                        last = Some(place);
                        let size = power * Scalar::from(digit.unsigned_abs());
                        sum += if digit < 0 { -size } else { size };
                    }
                    power += power;
                }
                assert_eq!(sum, value(number));
                assert_eq!(end, last.map_or(0, |last| last + 1));
            }
        }
    }
}
