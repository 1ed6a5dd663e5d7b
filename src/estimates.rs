//! Roots and quotients from estimates of reciprocals: the exact root of AVX-512, and the quotient of
//! [`Arithmetic::Fast`](crate::Arithmetic::Fast).

use crate::lanes::Lanes;

/// `√x`, correctly rounded.
#[inline(always)]
pub(crate) fn root<const W: usize, L: Lanes<W>>(lanes: L, x: L::Vector) -> L::Vector {
    if L::ROOT_OF_PRODUCTS
        && lanes.all_zero_or_at_least(x, LEAST_PRODUCT)
        && let Some((y, _)) = lanes.rsqrt_and_half(x)
    {
        root_of_products(lanes, x, lanes.if_zero(x, x, y))
    } else {
        lanes.sqrt(x)
    }
}

/// The least value that [`root_of_products`] takes: with it `x − s²`, whose last bit is worth `2⁻⁴⁸·x`, is exact.
const LEAST_PRODUCT: f32 = f32::from_bits((127 - 64) << 23);

/// `√x`, correctly rounded, from an estimate `y` of `1/√x` with a relative error of at most 2⁻¹⁴, for finite `x` from
/// [`LEAST_PRODUCT`] on, and for `x = y = 0`. It needs no divider, which is what the step waits for inside the caches.
///
/// Proof. Multiplying `x` by 4 multiplies `s` by 2 and divides `y` and `h` by 2, all exactly, since nothing over- or
/// underflows: it is enough to look at the 2²⁴ values of `x` in `[1, 4)`.
/// The Newton step of Goldschmidt leaves `s = √x·(1+δ)` with `|δ| ≤ 1.5·2⁻²⁸ + 2⁻²⁵ + 2⁻²⁴`, the terms being those of the
/// estimate, of the rounding of `s` before the step, half of which remains, and of that after it; the same holds for
/// `h = 1/(2√x)`. So `s` is one of the two neighbours of `√x`, and `h` is within 8 units in the last place.
/// For each `x`, each such `s` and each such `h` a test computes the last two operations: the result is correct but for
/// fifteen `x`; and for these it is correct from every `y` that is an `f32` within the error (tests in this file).
#[inline(always)]
fn root_of_products<const W: usize, L: Lanes<W>>(lanes: L, x: L::Vector, y: L::Vector) -> L::Vector {
    let (s, h) = root_and_half_reciprocal(lanes, x, y);
    corrected_root(lanes, x, s, h)
}

/// `√x` and `1/(2√x)`, nearly: one step of Goldschmidt from an estimate of `1/√x`.
#[inline(always)]
fn root_and_half_reciprocal<const W: usize, L: Lanes<W>>(
    lanes: L,
    x: L::Vector,
    y: L::Vector,
) -> (L::Vector, L::Vector) {
    let half = lanes.splat(0.5);
    let (s, h) = (lanes.mul(x, y), lanes.mul(half, y));
    let r = minus_product(lanes, half, s, h);
    (lanes.mul_add(s, r, s), lanes.mul_add(h, r, h))
}

/// `s + (x − s²)·h`, where the remainder is exact.
#[inline(always)]
fn corrected_root<const W: usize, L: Lanes<W>>(lanes: L, x: L::Vector, s: L::Vector, h: L::Vector) -> L::Vector {
    lanes.mul_add(minus_product(lanes, x, s, s), h, s)
}

/// `a/√x`, nearly, from `x/2` and an estimate `y` of `1/√x` with a relative error of at most `error`: `a·y` and one Newton
/// step. Where `y` is 0 because `x` is infinite, and `half` is anything finite, the result is 0.
///
/// The step leaves a relative error between `−1.5·error²` and 0; half of that is added. What remains, with the roundings
/// of `p`, of `half·y` and of the result, and those of a correctly rounded root and quotient, adds up to at most
/// [`FAST_ULPS`](crate::Arithmetic::FAST_ULPS), whatever the estimate: see the test.
#[inline(always)]
pub(crate) fn times_rsqrt<const W: usize, L: Lanes<W>>(
    lanes: L,
    a: L::Vector,
    half: L::Vector,
    y: L::Vector,
    error: f32,
) -> L::Vector {
    let e = minus_product(lanes, lanes.splat(0.5 + 0.75 * (error * error)), lanes.mul(half, y), y);
    let p = lanes.mul(a, y);
    lanes.mul_add(p, e, p)
}

/// `a/d`, nearly, from an estimate `y` of `1/d`: as [`times_rsqrt`], but for an error of the step between `−error²` and 0.
#[inline(always)]
pub(crate) fn times_reciprocal<const W: usize, L: Lanes<W>>(
    lanes: L,
    a: L::Vector,
    d: L::Vector,
    y: L::Vector,
    error: f32,
) -> L::Vector {
    // Finite where `d` is infinite and `y` is 0. NaN stays NaN.
    let d = lanes.min(lanes.splat(f32::MAX), d);
    let e = minus_product(lanes, lanes.splat(1.0 + 0.5 * (error * error)), d, y);
    let p = lanes.mul(a, y);
    lanes.mul_add(p, e, p)
}

/// `c − a·b`, rounded once.
#[inline(always)]
fn minus_product<const W: usize, L: Lanes<W>>(lanes: L, c: L::Vector, a: L::Vector, b: L::Vector) -> L::Vector {
    lanes.mul_add(a, lanes.sub(lanes.splat(-0.0), b), c)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::{corrected_root, root_and_half_reciprocal, root_of_products, times_reciprocal, times_rsqrt};
    use crate::Arithmetic;
    use crate::backend::Scalar;

    const ESTIMATE_ERROR: f64 = 1.0 / 16384.0;

    /// Calls `f` for each `step`th `x` in `[1, 4)`, with its root.
    fn each(step: usize, mut f: impl FnMut(f32, f64)) {
        for bits in (1.0_f32.to_bits()..4.0_f32.to_bits()).step_by(step) {
            let x = f32::from_bits(bits);
            f(x, f64::from(x).sqrt());
        }
    }

    /// All `f32` from `from` to `to`, both positive.
    fn between(from: f64, to: f64) -> impl Iterator<Item = f32> {
        let first = (from as f32).to_bits();
        (first..=(to as f32).to_bits()).map(f32::from_bits)
    }

    /// The first half of the proof: `s` and `h` are as near as it says, for estimates over the whole of their error.
    fn root_is_near(step: usize) {
        each(step, |x, root| {
            for part in [-1.0, -0.9, -0.4, 0.0, 0.3, 0.7, 1.0] {
                let y = ((1.0 + 0.9999 * part * ESTIMATE_ERROR) / root) as f32;
                let (s, h) = root_and_half_reciprocal(Scalar, x, y);
                let (below, above) = neighbours(root);
                assert!(s == below || s == above, "√{x:e} from {y:e}: {s:e}");
                assert!(h.to_bits().abs_diff(((0.5 / root) as f32).to_bits()) <= 8, "1/2√{x:e} from {y:e}: {h:e}");
                assert_eq!(root_of_products(Scalar, x, y), x.sqrt(), "√{x:e} from {y:e}");
            }
        });
    }

    /// The second half: from any such `s` and `h` the result is correct, or else from any estimate.
    fn root_is_correct(step: usize) {
        let mut exceptions = Vec::new();
        each(step, |x, root| {
            let h = ((0.5 / root) as f32).to_bits();
            let (below, above) = neighbours(root);
            let wrong = [below, above]
                .into_iter()
                .any(|s| (h - 8..=h + 8).any(|h| corrected_root(Scalar, x, s, f32::from_bits(h)) != x.sqrt()));
            if wrong {
                exceptions.push(x);
            }
        });
        assert!(exceptions.len() <= 15, "{exceptions:?}");
        for x in exceptions {
            let y = 1.0 / f64::from(x).sqrt();
            for y in between(y * (1.0 - ESTIMATE_ERROR), y * (1.0 + ESTIMATE_ERROR)) {
                assert_eq!(root_of_products(Scalar, x, y), x.sqrt(), "√{x:e} from {y:e}");
            }
        }
    }

    /// The `f32` at or below a root, and the one at or above it.
    fn neighbours(root: f64) -> (f32, f32) {
        let nearest = root as f32;
        match f64::from(nearest).total_cmp(&root) {
            core::cmp::Ordering::Less => (nearest, nearest.next_up()),
            core::cmp::Ordering::Equal => (nearest, nearest),
            core::cmp::Ordering::Greater => (nearest.next_down(), nearest),
        }
    }

    #[test]
    fn roots_of_products() {
        root_is_near(61);
        root_is_correct(61);
    }

    #[test]
    #[ignore = "all values: minutes without optimization; cargo test --release -- --ignored"]
    fn all_roots_of_products() {
        root_is_near(1);
        root_is_correct(1);
    }

    #[test]
    fn roots_of_products_at_the_ends_of_the_range() {
        for x in [super::LEAST_PRODUCT, super::LEAST_PRODUCT.next_up(), f32::MAX, f32::MAX.next_down()] {
            let y = (1.0 / f64::from(x).sqrt()) as f32;
            assert_eq!(root_of_products(Scalar, x, y), x.sqrt(), "{x:e}");
        }
        assert_eq!(root_of_products(Scalar, 0.0, 0.0).to_bits(), 0);
    }

    /// Quotients from estimates of any error that is allowed, the greatest among them.
    fn quotients_are_near(count: usize) {
        let mut state = 1_u64;
        for error in [1.5 / 4096.0, 1.0 / 16384.0] {
            for number in 0..count {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let x = f32::from_bits(1.0_f32.to_bits() + (state >> 40) as u32);
                let a = f32::from_bits(1.0_f32.to_bits() + (state >> 17) as u32 % (1 << 23));
                let y = |exact: f64| {
                    let part = [-1.0, 1.0, 0.0, (state % 1024) as f64 / 512.0 - 1.0][number % 4];
                    (exact * (1.0 + f64::from(error) * part)) as f32
                };
                let (root, exact) = (x.sqrt(), a / x.sqrt());
                let fast = times_rsqrt(Scalar, a, x / 2.0, y(1.0 / f64::from(x).sqrt()), error);
                assert!(fast.to_bits().abs_diff(exact.to_bits()) <= Arithmetic::FAST_ULPS, "{a:e}/√{x:e}: {fast:e}");
                let fast = times_reciprocal(Scalar, a, root, y(1.0 / f64::from(root)), error);
                assert!(fast.to_bits().abs_diff(exact.to_bits()) <= Arithmetic::FAST_ULPS, "{a:e}/{root:e}: {fast:e}");
            }
        }
    }

    #[test]
    fn quotients_from_any_estimate() {
        quotients_are_near(2_500_000);
    }

    #[test]
    #[ignore = "10⁹ pairs: minutes; cargo test --release -- --ignored"]
    fn many_quotients_from_any_estimate() {
        quotients_are_near(250_000_000);
    }
}
