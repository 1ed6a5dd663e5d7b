//! One element at a time.

use wide::f32x4;

use super::native;
use super::portable::{HAS_FMA, HAS_SIMD};
use crate::lanes::{Kernel, Lanes};

/// Lanes of one `f32`, on every target.
#[derive(Clone, Copy)]
pub(crate) struct Scalar;

impl Scalar {
    /// Runs a kernel. On bare metal, where it is the only backend, it is inlined, so that the compiler drops what constant
    /// hyper-parameters turn off. Elsewhere it is not, or callers that run on other backends save registers for it.
    #[cfg_attr(target_os = "none", inline(always))]
    #[cfg_attr(not(target_os = "none"), inline(never))]
    pub(crate) fn enter<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }
}

impl Lanes<1> for Scalar {
    type Vector = f32;

    #[inline(always)]
    fn splat(self, x: f32) -> f32 {
        x
    }

    #[inline(always)]
    fn load(self, &[x]: &[f32; 1]) -> f32 {
        x
    }

    #[inline(always)]
    fn store(self, v: f32, to: &mut [f32; 1]) {
        *to = [v];
    }

    #[inline(always)]
    fn add(self, a: f32, b: f32) -> f32 {
        a + b
    }

    #[inline(always)]
    fn sub(self, a: f32, b: f32) -> f32 {
        a - b
    }

    #[inline(always)]
    fn mul(self, a: f32, b: f32) -> f32 {
        a * b
    }

    #[inline(always)]
    fn div(self, a: f32, b: f32) -> f32 {
        a / b
    }

    #[inline(always)]
    fn sqrt(self, a: f32) -> f32 {
        sqrt(a)
    }

    #[inline(always)]
    fn mul_add(self, a: f32, b: f32, c: f32) -> f32 {
        mul_add(a, b, c)
    }

    #[inline(always)]
    fn min(self, a: f32, b: f32) -> f32 {
        if a < b { a } else { b }
    }

    #[inline(always)]
    fn max(self, a: f32, b: f32) -> f32 {
        if a > b { a } else { b }
    }

    #[inline(always)]
    fn if_zero(self, test: f32, zero: f32, other: f32) -> f32 {
        if test == 0.0 { zero } else { other }
    }

    #[inline(always)]
    fn if_finite(self, test: f32, finite: f32, other: f32) -> f32 {
        if test.is_finite() { finite } else { other }
    }

    #[inline(always)]
    fn count_non_finite(self, a: f32) -> usize {
        usize::from(!a.is_finite())
    }
}

/// The square root: an instruction where there is one that stable Rust can reach, else software.
#[inline(always)]
fn sqrt(a: f32) -> f32 {
    if HAS_SIMD { f32x4::splat(a).sqrt().to_array()[0] } else { native::sqrtf(a) }
}

/// `a·b + c`, rounded once: an instruction where there is one that stable Rust can reach, else software.
#[inline(always)]
pub(super) fn mul_add(a: f32, b: f32, c: f32) -> f32 {
    if HAS_FMA {
        f32x4::splat(a).mul_add(f32x4::splat(b), f32x4::splat(c)).to_array()[0]
    } else if let Some(sum) = native::mul_add(a, b, c) {
        sum
    } else {
        software_mul_add(a, b, c)
    }
}

/// `a·b + c`, rounded once, by integers: a processor without fused multiply-add may be one without `f64`, through which
/// the runtime's function goes.
fn software_mul_add(a: f32, b: f32, c: f32) -> f32 {
    // In two operations each of these is exact, or rounded once.
    let product = a * b;
    if !a.is_finite() || !b.is_finite() || a == 0.0 || b == 0.0 {
        return product + c;
    }
    if !c.is_finite() {
        return c;
    }
    if c == 0.0 {
        return product;
    }

    // A product of two significands has 48 bits at most, so nothing is lost.
    let (a, b) = (Term::new(a), Term::new(b));
    let product = Term {
        negative: a.negative != b.negative,
        significand: a.significand * b.significand,
        exponent: a.exponent + b.exponent,
    };
    let (product, c) = (product.normalized(), Term::new(c).normalized());
    let product_is_larger = (product.exponent, product.significand) >= (c.exponent, c.significand);
    let (large, small) = if product_is_larger { (product, c) } else { (c, product) };

    let moved = jammed_shift(small.significand, (large.exponent - small.exponent) as u32);
    let significand =
        if large.negative == small.negative { large.significand + moved } else { large.significand - moved };
    if significand == 0 { 0.0 } else { Term { significand, ..large }.rounded() }
}

/// `±significand·2^exponent`.
#[derive(Clone, Copy)]
struct Term {
    negative: bool,
    significand: u64,
    exponent: i32,
}

impl Term {
    /// The exponent of the last bit of a denormal.
    const LEAST: i32 = -149;

    /// A finite value.
    fn new(x: f32) -> Self {
        let (fraction, exponent) = (x.to_bits() & 0x007F_FFFF, (x.to_bits() >> 23 & 0xFF) as i32);
        let (significand, exponent) =
            if exponent == 0 { (fraction, Self::LEAST) } else { (fraction | 0x0080_0000, Self::LEAST - 1 + exponent) };
        Self { negative: x.is_sign_negative(), significand: significand.into(), exponent }
    }

    /// The same value, not 0, with its first bit below one bit of room for a carry.
    fn normalized(self) -> Self {
        let shift = self.significand.leading_zeros() - 1;
        Self { significand: self.significand << shift, exponent: self.exponent - shift as i32, ..self }
    }

    /// The nearest `f32`, to even at a tie.
    fn rounded(self) -> f32 {
        // The place of the last bit that stays: it is the 24th, or an earlier one in a denormal.
        let last = (40 - self.significand.leading_zeros() as i32).max(Self::LEAST - self.exponent);
        // The bits that stay, then half a unit, then one bit for all that follow.
        let bits = match last - 2 {
            shift @ 0.. => jammed_shift(self.significand, shift as u32),
            shift => self.significand << -shift,
        };
        let kept = (bits >> 2) + u64::from(matches!(bits & 0b111, 0b011 | 0b110 | 0b111));
        let exponent = (self.exponent + last - Self::LEAST) as u32;
        // A significand's first bit adds one to the exponent's field, as it should; so does a carry.
        let bits = ((exponent << 23) + kept as u32).min(f32::INFINITY.to_bits());
        f32::from_bits(bits | u32::from(self.negative) << 31)
    }
}

/// `significand >> shift`, with the last bit set if any bit that is 1 falls off. So the difference from other values
/// stays on the right side of every tie.
fn jammed_shift(significand: u64, shift: u32) -> u64 {
    match significand.checked_shr(shift) {
        Some(shifted) => shifted | u64::from(shifted << shift != significand),
        None => u64::from(significand != 0),
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::software_mul_add;

    fn check(a: f32, b: f32, c: f32) {
        let (actual, expected) = (software_mul_add(a, b, c), a.mul_add(b, c));
        assert!(
            actual.to_bits() == expected.to_bits() || actual.is_nan() && expected.is_nan(),
            "{a:e}·{b:e} + {c:e} is {actual:e}, expected {expected:e}"
        );
    }

    #[test]
    fn software_mul_add_of_special_values() {
        let mut values = std::vec![0.0, 1.0, 1.5, 3.0, f32::MAX, f32::MIN_POSITIVE, f32::INFINITY, f32::NAN];
        values.extend([1, 2, 3, 0x007F_FFFF, 0x0080_0001, 0x3F80_0001, 0x3F7F_FFFF, 0x7F7F_FFFE].map(f32::from_bits));
        values.extend((0..255).step_by(5).map(|e| f32::from_bits(e << 23)));
        let values: std::vec::Vec<f32> = values.into_iter().flat_map(|x| [x, -x]).collect();
        for &a in &values {
            for &b in &values {
                for &c in &values {
                    check(a, b, c);
                }
            }
        }
    }

    /// Random bits, and terms near in size, where bits cancel and ties are met.
    #[test]
    fn software_mul_add_of_random_values() {
        let mut state = 1_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 32) as u32
        };
        for _ in 0..2_000_000 {
            let (a, b, c) = (f32::from_bits(random()), f32::from_bits(random()), f32::from_bits(random()));
            check(a, b, c);
            let near = f32::from_bits((-(a * b)).to_bits().wrapping_add(random() % 64).wrapping_sub(32));
            check(a, b, near);
            // Few bits set: exact ties.
            let [short_a, short_b] = [a, b].map(|x| f32::from_bits(x.to_bits() & 0xFFFF_F000));
            check(short_a, short_b, f32::from_bits((short_a * short_b).to_bits().wrapping_add((random() % 48) << 23)));
        }
    }
}
