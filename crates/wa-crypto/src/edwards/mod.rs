//! The verification equation of signatures on edwards25519, in variable time since all of it is public, and multiples
//! of the base point, and of a peer's, by secrets, in constant time.
//!
//! Where the processor multiplies 52 bits in vectors (`ifma`), all are computed with them; the equation s·B = R + h·A is multiplied by a suitable
//! odd number of 128 bits first: every point whose multiples are not kept then has a scalar of half the length, which
//! saves half the doublings (`halves`). Elsewhere `curve25519-dalek`'s are the faster ones. Tests hold the two together.

mod field;
#[cfg(target_arch = "x86_64")]
mod halves;
#[cfg(target_arch = "x86_64")]
mod ifma;

use curve25519_dalek::constants::ED25519_BASEPOINT_TABLE;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
#[cfg(any(test, not(feature = "aws-lc")))]
use curve25519_dalek::montgomery::MontgomeryPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::BasepointTable as _;

use field::{D, Field, constant};

/// The compressed multiple of the base point by a secret scalar, in constant time.
pub(crate) fn base_multiple(scalar: &Scalar) -> [u8; 32] {
    #[cfg(target_arch = "x86_64")]
    if ifma::available() {
        // SAFETY: the instructions were just found.
        let [x, y, z] = unsafe { ifma::multiple(scalar.as_bytes()) };
        let inverse = z.inverse();
        let mut compressed = (y * inverse).to_bytes();
        compressed[31] |= u8::from((x * inverse).is_odd()) << 7;
        return compressed;
    }
    ED25519_BASEPOINT_TABLE.mul_base(scalar).compress().to_bytes()
}

/// The Montgomery u of the multiple of the base point by a clamped secret, in constant time.
#[cfg(any(test, not(feature = "aws-lc")))]
pub(crate) fn base_multiple_montgomery(clamped: &[u8; 32]) -> [u8; 32] {
    #[cfg(target_arch = "x86_64")]
    if ifma::available() {
        // SAFETY: the instructions were just found.
        let [_, y, z] = unsafe { ifma::multiple(clamped) };
        return ((z + y).carried() * (z - y).carried().inverse()).to_bytes();
    }
    EdwardsPoint::mul_base_clamped(*clamped).to_montgomery().to_bytes()
}

/// X25519 with a clamped secret, in constant time; all zero for a point of low order.
#[cfg(any(test, not(feature = "aws-lc")))]
pub(crate) fn montgomery_multiple(clamped: &[u8; 32], u: &[u8; 32]) -> [u8; 32] {
    #[cfg(target_arch = "x86_64")]
    if ifma::available() {
        // SAFETY: the instructions were just found.
        let [x, z] = unsafe { ifma::ladder(clamped, Field::from_bytes(u)) };
        return (x * z.inverse()).to_bytes();
    }
    // It clamps once more, which changes nothing.
    MontgomeryPoint(*u).mul_clamped(*clamped).to_bytes()
}

/// A public key on the curve: of its two points the one with an even x.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    form: Form,
    /// y; the sign's bit is clear.
    compressed: [u8; 32],
}

/// What the equation is computed with.
#[derive(Clone, Copy)]
enum Form {
    #[cfg(target_arch = "x86_64")]
    Ifma(Point),
    Dalek(EdwardsPoint),
}

impl Key {
    /// Finds the point of a Montgomery u. `None` when there is none, or it is of small order.
    pub(crate) fn from_montgomery(u: &[u8; 32]) -> Option<Self> {
        let point = Point::from_montgomery(u)?;
        let compressed = point.y.to_bytes();
        #[cfg(target_arch = "x86_64")]
        if ifma::available() {
            return Some(Self { form: Form::Ifma(point), compressed });
        }
        Self::with_dalek(compressed)
    }

    fn with_dalek(compressed: [u8; 32]) -> Option<Self> {
        Some(Self { form: Form::Dalek(CompressedEdwardsY(compressed).decompress()?), compressed })
    }

    /// The compressed form; the last bit, the sign, is clear.
    pub(crate) const fn compressed(&self) -> &[u8; 32] {
        &self.compressed
    }

    /// Whether s·B = R + h·A: R in its canonical compressed form, A the key's point with the sign wanted.
    pub(crate) fn equation_holds(&self, s: &Scalar, r: &[u8; 32], h: &Scalar, sign: Sign) -> bool {
        match &self.form {
            #[cfg(target_arch = "x86_64")]
            Form::Ifma(point) => {
                let a = if sign == Sign::Even { *point } else { point.negated() };
                // SAFETY: this variant is made only where the instructions were found.
                Point::decompress(r).is_some_and(|r| unsafe { ifma::equation_holds(s, r, h, a) })
            }
            Form::Dalek(point) => {
                let minus_a = if sign == Sign::Even { -point } else { *point };
                EdwardsPoint::vartime_double_scalar_mul_basepoint(h, &minus_a, s).compress().as_bytes() == r
            }
        }
    }
}

/// Which of the two points with one y.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// The one with an even x.
    Even,
    /// The one with an odd x.
    Odd,
}

/// A point, affine.
#[derive(Clone, Copy)]
struct Point {
    #[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "dalek finds it again"))]
    x: Field,
    y: Field,
}

/// The u of the points of order 8; those of order 1, 2 and 4 have none, 0 and 1.
const ORDER_8: [Field; 2] = [
    constant([0x00b8_495f_1605_6286_fdb1_329c_eb8d_09da, 0x6ac4_9ff1_fae3_5616_aeb8_413b_7c7a_ebe0]),
    constant([0x5711_9fd0_dd4e_22d8_868e_1c58_c45c_4404, 0x5bef_839c_55b1_d0b1_248c_50a3_bc95_9c5f]),
];

impl Point {
    /// The point with an even x whose Montgomery form is u. `None` when there is none, or it is of small order.
    fn from_montgomery(u: &[u8; 32]) -> Option<Self> {
        let u = Field::from_bytes(u);
        if u == Field::ONE || ORDER_8.contains(&u) {
            return None;
        }
        // y = above / below; x² = (y² − 1) / (d·y² + 1).
        let (above, below) = ((u - Field::ONE).carried(), (u + Field::ONE).carried());
        let (above_square, below_square) = (above.square(), below.square());
        let numerator = (above_square - below_square).carried();
        let ratio = numerator * (D * above_square + below_square);
        // One exponentiation gives the root of the ratio and the inverse of `below`; there is none for 0 and −1.
        let root = Field::root_of_ratio(Field::ONE, ratio * below_square)?;
        let (x, y) = (numerator * below * root, above * below * ratio * root.square());
        Some(Self { x: if x.is_odd() { (-x).carried() } else { x }, y })
    }
}

#[cfg(target_arch = "x86_64")]
impl Point {
    const IDENTITY: Self = Self { x: Field::ZERO, y: Field::ONE };

    /// Reads the canonical form: y, and the sign of x in the last bit.
    fn decompress(bytes: &[u8; 32]) -> Option<Self> {
        let (y, sign) = (Field::from_bytes(bytes), bytes[31] >> 7 == 1);
        let mut canonical = y.to_bytes();
        canonical[31] |= bytes[31] & 0x80;
        if canonical != *bytes {
            return None;
        }
        let square = y.square();
        let (above, below) = ((square - Field::ONE).carried(), (D * square + Field::ONE).carried());
        let x = Field::root_of_ratio(above, below)?;
        if x.is_zero() && sign {
            return None;
        }
        Some(Self { x: if x.is_odd() == sign { x } else { (-x).carried() }, y })
    }

    fn negated(self) -> Self {
        Self { x: (-self.x).carried(), y: self.y }
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::{ED25519_BASEPOINT_TABLE, EIGHT_TORSION};
    use curve25519_dalek::edwards::EdwardsPoint;
    use curve25519_dalek::montgomery::MontgomeryPoint;
    use curve25519_dalek::scalar::clamp_integer;

    use super::*;
    use crate::digest::{sha256, sha512};

    fn scalar(parts: &[&[u8]]) -> Scalar {
        Scalar::from_bytes_mod_order_wide(&sha512(parts))
    }

    /// What the equation is elsewhere: R computed and compared byte for byte.
    fn oracle(s: &Scalar, r: &[u8; 32], h: &Scalar, a: &EdwardsPoint) -> bool {
        EdwardsPoint::vartime_double_scalar_mul_basepoint(h, &-a, s).compress().as_bytes() == r
    }

    /// The answer of every form that this processor can compute with.
    fn both(s: &Scalar, r: &[u8; 32], h: &Scalar, a: &EdwardsPoint) -> bool {
        let mut compressed = a.compress().to_bytes();
        let sign = if compressed[31] >> 7 == 0 { Sign::Even } else { Sign::Odd };
        compressed[31] &= 0x7F;
        let expected = oracle(s, r, h, a);
        let mut keys = vec![Key::with_dalek(compressed).unwrap()];
        #[cfg(target_arch = "x86_64")]
        if ifma::available() {
            keys.push(Key { form: Form::Ifma(Point::decompress(&compressed).unwrap()), compressed });
        }
        for key in keys {
            let found = key.equation_holds(s, r, h, sign);
            assert_eq!(found, expected, "s {s:?} r {r:02x?} h {h:?} a {a:?}");
        }
        expected
    }

    #[test]
    fn multiples_of_the_base_point_are_those_of_dalek() {
        let edges = [[0; 32], [0xFF; 32], [0x88; 32], [0x77; 32], [0x78; 32], [0x80; 32]];
        let powers = (0..256).map(|bit| {
            let mut bytes = [0; 32];
            bytes[bit / 8] = 1 << (bit % 8);
            bytes
        });
        let random = (0..2000_u32).map(|seed| sha256(&[b"multiple", &seed.to_le_bytes()]));
        for bytes in edges.into_iter().chain(powers).chain(random) {
            let scalar = Scalar::from_bytes_mod_order(bytes);
            let expected = &scalar * ED25519_BASEPOINT_TABLE;
            assert_eq!(base_multiple(&scalar), expected.compress().to_bytes(), "{bytes:02x?}");
            let clamped = clamp_integer(bytes);
            let expected = EdwardsPoint::mul_base_clamped(clamped).to_montgomery().to_bytes();
            assert_eq!(base_multiple_montgomery(&clamped), expected, "{bytes:02x?}");
            let secret = x25519_dalek::StaticSecret::from(bytes);
            assert_eq!(x25519_dalek::PublicKey::from(&secret).to_bytes(), expected, "{bytes:02x?}");
        }
    }

    #[test]
    fn agreements_are_those_of_dalek() {
        // The points of small order, those around the prime, and one whose ignored bit is set.
        let small = EIGHT_TORSION.map(|point| point.to_montgomery().to_bytes());
        let high = (0xE0..=0xFF_u8).flat_map(|first| {
            [0x7F, 0xFF].map(|last| {
                let mut u = [0xFF; 32];
                (u[0], u[31]) = (first, last);
                u
            })
        });
        let points: Vec<[u8; 32]> =
            small.into_iter().chain(high).chain([[0; 32], [0xFF; 32], [0x88; 32]]).collect();
        let random = (0..2000_u32).map(|seed| sha256(&[b"point", &seed.to_le_bytes()]));
        for (seed, u) in
            (0..3_u32).flat_map(|seed| points.iter().map(move |u| (seed, *u))).chain((3..).zip(random))
        {
            let secret = match seed {
                0 => [0; 32],
                1 => [0xFF; 32],
                seed => sha256(&[b"secret", &seed.to_le_bytes()]),
            };
            let expected = x25519_dalek::StaticSecret::from(secret)
                .diffie_hellman(&x25519_dalek::PublicKey::from(u))
                .to_bytes();
            let found = montgomery_multiple(&clamp_integer(secret), &u);
            assert_eq!(found, expected, "{secret:02x?} {u:02x?}");
        }
    }

    #[test]
    fn keys_are_those_that_dalek_finds() {
        let mut found = 0;
        let special = [0, 1, 2, 9].map(|first| {
            let mut u = [0; 32];
            u[0] = first;
            u
        });
        // Around the prime, with the ignored bit set and clear.
        let high = (0xE0..=0xFF_u8).flat_map(|first| {
            [0x7F, 0xFF].map(|last| {
                let mut u = [0xFF; 32];
                (u[0], u[31]) = (first, last);
                u
            })
        });
        let small = EIGHT_TORSION.map(|point| point.to_montgomery().to_bytes());
        let random = (0..2000_u32).map(|seed| sha256(&[b"u", &seed.to_le_bytes()]));
        for u in special.into_iter().chain(high).chain(small).chain(random) {
            let expected = MontgomeryPoint(u).to_edwards(0).filter(|point| !point.is_small_order());
            let ours = Key::from_montgomery(&u);
            assert_eq!(ours.map(|it| it.compressed), expected.map(|it| it.compress().to_bytes()), "{u:02x?}");
            let Some(ours) = Point::from_montgomery(&u) else { continue };
            found += 1;
            // On the curve: y² − x² = 1 + d·x²·y².
            let (xx, yy) = (ours.x.square(), ours.y.square());
            assert!(!ours.x.is_odd() && (yy - xx).carried() == (D * xx * yy + Field::ONE).carried());
        }
        assert!((900..1200).contains(&found), "{found}");
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn points_are_read_as_dalek_reads_them_and_only_in_their_canonical_form() {
        let mut read = 0;
        for seed in 0..1000_u32 {
            let bytes = sha256(&[b"y", &seed.to_le_bytes()]);
            let expected = CompressedEdwardsY(bytes).decompress();
            let ours = Point::decompress(&bytes);
            assert_eq!(ours.is_some(), expected.is_some());
            let Some(ours) = ours else { continue };
            read += 1;
            let mut written = ours.y.to_bytes();
            written[31] |= u8::from(ours.x.is_odd()) << 7;
            assert_eq!(written, bytes);
        }
        assert!((400..600).contains(&read), "{read}");
    }

    #[test]
    fn the_equation_holds_where_dalek_says_so() {
        let mut accepted = 0;
        for seed in 0..600_u32 {
            let seed = seed.to_le_bytes();
            let (secret, r) = (scalar(&[b"a", &seed]), scalar(&[b"r", &seed]));
            let (a, big_r) = (&secret * ED25519_BASEPOINT_TABLE, &r * ED25519_BASEPOINT_TABLE);
            let h = match seed[0] % 8 {
                0 => Scalar::from(u64::from(seed[0])),
                1 => -Scalar::from(u64::from(seed[0])),
                _ => scalar(&[b"h", &seed]),
            };
            let s = r + h * secret;
            let r = big_r.compress().to_bytes();
            assert!(both(&s, &r, &h, &a));
            for (s, h, a) in [(s + Scalar::ONE, h, a), (s, h + Scalar::ONE, a), (s, h, -a), (-s, h, a)] {
                accepted += u32::from(both(&s, &r, &h, &a));
            }
            let mut flipped = r;
            flipped[usize::from(seed[0]) % 32] ^= 1 << (seed[1] % 8);
            assert!(!both(&s, &flipped, &h, &a));
        }
        // Only where h is 0 the sign of the key does not matter.
        assert!(accepted <= 3, "{accepted}");
    }

    #[test]
    fn parts_of_small_order_count() {
        let mut accepted = [0_u32; 2];
        for seed in 0..40_u32 {
            let seed = seed.to_le_bytes();
            let (secret, r) = (scalar(&[b"a", &seed]), scalar(&[b"r", &seed]));
            for (of_a, torsion) in EIGHT_TORSION.iter().enumerate() {
                let a = &secret * ED25519_BASEPOINT_TABLE + torsion;
                for (of_r, other) in EIGHT_TORSION.iter().enumerate() {
                    let h = scalar(&[b"h", &seed, &[of_a as u8, of_r as u8]]);
                    let big_r = &r * ED25519_BASEPOINT_TABLE + other;
                    let holds = both(&(r + h * secret), &big_r.compress().to_bytes(), &h, &a);
                    accepted[usize::from(of_a != 0)] += u32::from(holds);
                }
            }
        }
        // Without a small part in the key one of eight R fits, always; with one the same on average.
        assert_eq!(accepted[0], 40);
        assert!((200..360).contains(&accepted[1]), "{accepted:?}");
    }

    #[test]
    fn an_r_that_is_not_canonical_is_refused() {
        let secret = scalar(&[b"a"]);
        let (a, h) = (&secret * ED25519_BASEPOINT_TABLE, scalar(&[b"h"]));
        // R is the identity: y = 1, x = 0.
        let mut identity = [0; 32];
        identity[0] = 1;
        assert!(both(&(h * secret), &identity, &h, &a));
        let mut with_sign = identity;
        with_sign[31] = 0x80;
        let mut over_the_prime = [0xFF; 32];
        (over_the_prime[0], over_the_prime[31]) = (0xEE, 0x7F);
        for form in [with_sign, over_the_prime] {
            assert!(!both(&(h * secret), &form, &h, &a));
        }
    }
}
