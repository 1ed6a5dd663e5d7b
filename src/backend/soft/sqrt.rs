//! The square root in software, by products of 32 bits: the small processors that need it have no longer ones, and for
//! products of 64 bits, which the usual algorithms take, the runtime calls a function six times.
//!
//! The value is x·4ᵏ with x in 1..4; its root is √x·2ᵏ. A number with n bits after the binary point is written qn.
//!
//! 1. A table gives 1/√x in q8, for x in the middle of each 32nd of 1..4.
//! 2. One of Newton's steps, y·(3 − x·y²)/2, makes 1/√x in q16.
//! 3. x·(1/√x) is √x in q16. It is too small by about (x − root²)/(2·root), that is (x − root²)·(1/√x)/2; added, that
//!    leaves √x in q23, rounded, or one less.
//! 4. With root + ½ the remainder x − (root + ½)² = x − root² − root − ¼ tells whether the root is to be rounded up.
//!
//! The tests try every x, and so show that nothing overflows and that the rounding is right.

/// `√a`, correctly rounded.
pub(in crate::backend) fn sqrt(a: f32) -> f32 {
    let bits = a.to_bits();
    let normal = f32::MIN_POSITIVE.to_bits()..f32::INFINITY.to_bits();
    if normal.contains(&bits) {
        root_of_normal(bits)
    } else if a > 0.0 && a.is_finite() {
        // Denormal. Products with powers of 2 are exact.
        root_of_normal((a * 16_777_216.0).to_bits()) * (1.0 / 4096.0)
    } else if a < 0.0 {
        f32::NAN
    } else {
        a
    }
}

/// The root of a positive normal value, given its bits.
///
/// See the top of this file.
fn root_of_normal(bits: u32) -> f32 {
    /// 1/√x in q8, for x in the middle of each 32nd of 1..4.
    const SEEDS: [u8; 128] = {
        let mut seeds = [0; 128];
        let mut i = 32;
        while i < seeds.len() {
            seeds[i] = ((1_u32 << 24) / (2 * i as u32 + 1)).isqrt().div_ceil(2) as u8;
            i += 1;
        }
        seeds
    };
    let significand = bits & 0x007F_FFFF | 0x0080_0000;
    // q30.
    let x = if bits & 0x0080_0000 == 0 { significand << 8 } else { significand << 7 };
    // One of Newton's steps, y·(3 − x·y²)/2, makes 1/√x in q16.
    let seed = u32::from(SEEDS[(x >> 25) as usize]);
    let error = (3 << 30) - (x >> 16) * (seed * seed);
    let inverse = (seed * (error >> 8)) >> 15;
    // √x in q16 is too small by about (x − root²)/(2·root), of which only the low 32 bits, in q32, are not 0.
    let root = ((x >> 16) * inverse) >> 14;
    let rest = (x << 2).wrapping_sub(root.wrapping_mul(root));
    let root = (root << 7) + (((rest >> 8) * inverse) >> 18);
    // √x in q23, rounded, or one less: x − root² in q46 decides.
    let rest = (x << 16).wrapping_sub(root.wrapping_mul(root)) as i32;
    let root = root + u32::from(rest > root as i32);
    // The root's first bit adds one to the exponent's field.
    f32::from_bits((((bits >> 23) + 125) >> 1 << 23) + root)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::sqrt;

    fn check_sqrt(a: f32) {
        let (actual, expected) = (sqrt(a), a.sqrt());
        assert!(
            actual.to_bits() == expected.to_bits() || actual.is_nan() && expected.is_nan(),
            "√{a:e} is {actual:e}, expected {expected:e}"
        );
    }

    /// Of every significand, with an even and an odd exponent.
    #[test]
    fn roots_of_every_significand() {
        for bits in 1.0_f32.to_bits()..4.0_f32.to_bits() {
            check_sqrt(f32::from_bits(bits));
        }
    }

    #[test]
    fn roots_of_every_exponent() {
        for high in 0..1 << 16 {
            for low in [0, 1, 2, 0x5555, 0xFFFE, 0xFFFF] {
                check_sqrt(f32::from_bits(high << 16 | low));
            }
        }
        for shift in 0..23 {
            check_sqrt(f32::from_bits(1 << shift));
        }
    }
}
