//! The fused multiply-add in software, by integers: a processor without the instruction may be one without `f64`, through
//! which the runtime's function goes.
//!
//! A finite value is ±significand·2^exponent.
//!
//! 1. The product of two significands of 24 bits is exact in 64.
//! 2. Product and sum are shifted up so that their first bits stand in the same place, below one bit for a carry. The
//!    smaller one is then shifted down by the difference of the exponents. If bits that are 1 fall off, its last bit is
//!    set: it has 62 bits of room and 48 at most are used, so the sum stays on the right side of every tie.
//! 3. The sum or difference is rounded to 24 bits, or to fewer for a denormal, from three more: half a unit, and whether
//!    anything follows.

/// `a·b + c`, rounded once.
pub(in crate::backend) fn mul_add(a: f32, b: f32, c: f32) -> f32 {
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

    use super::mul_add;

    fn check(a: f32, b: f32, c: f32) {
        let (actual, expected) = (mul_add(a, b, c), a.mul_add(b, c));
        assert!(
            actual.to_bits() == expected.to_bits() || actual.is_nan() && expected.is_nan(),
            "{a:e}·{b:e} + {c:e} is {actual:e}, expected {expected:e}"
        );
    }

    #[test]
    fn sums_of_special_values() {
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
    fn sums_of_random_values() {
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
