//! Exact roots, some of them from estimates of `1/√x`, so that products share the work with the divider.

use super::blocks::GROUP;
use crate::backend::lanes::{Lanes, map, zip};

/// `√x`, correctly rounded. Of a full group of blocks the first are made of products, all others by the divider.
///
/// One guard serves the group. The estimates of `1/(2√x)` are added up: the sum is NaN or too large if any `x` is 0,
/// infinite, NaN, negative or below 2⁻⁶⁴. Then all roots of the group go to the divider.
#[inline(always)]
pub(super) fn roots<const W: usize, L: Lanes<W>, const N: usize>(lanes: L, x: [L::Vector; N]) -> [L::Vector; N] {
    if N < GROUP {
        return map(
            x,
            #[inline(always)]
            |x| lanes.sqrt(x),
        );
    }
    // Loops over all blocks of which each iteration asks whether it is for its block: the compiler unrolls them, and drops
    // what is for none. Where an iterator skips blocks it may not.
    let mut roots = x;
    for (index, root) in roots.iter_mut().enumerate() {
        if index >= L::ROOTS_OF_PRODUCTS {
            *root = lanes.sqrt(*root);
        }
    }
    if L::ROOTS_OF_PRODUCTS == 0 {
        return roots;
    }
    let y = refined(
        lanes,
        x,
        map(
            x,
            #[inline(always)]
            |x| lanes.rsqrt(x),
        ),
    );
    let (s, h) = root_and_half_reciprocal(lanes, x, y);
    let mut sum = h[0];
    for (index, h) in h.iter().enumerate() {
        if 0 < index && index < L::ROOTS_OF_PRODUCTS {
            sum = lanes.add(sum, *h);
        }
    }
    let corrected = corrected_root(lanes, x, s, h);
    let good = lanes.all(lanes.at_most(sum, lanes.splat(GREATEST_HALF_RECIPROCAL)));
    for (index, (root, corrected)) in roots.iter_mut().zip(corrected).enumerate() {
        if index < L::ROOTS_OF_PRODUCTS {
            *root = if good { corrected } else { lanes.sqrt(*root) };
        }
    }
    roots
}

/// `1/(2√x)` of the least `x` whose root is made of products, 2⁻⁶⁴: with it `x − s²`, whose last bit is worth `2⁻⁴⁸·x`,
/// is exact.
const GREATEST_HALF_RECIPROCAL: f32 = f32::from_bits((127 + 31) << 23);

/// An estimate with a relative error of at most 2⁻¹⁴ from one within [`Lanes::ESTIMATE_ERROR`]: by one step of Newton, if
/// that is coarser.
#[inline(always)]
fn refined<const W: usize, L: Lanes<W>, const N: usize>(
    lanes: L,
    x: [L::Vector; N],
    y: [L::Vector; N],
) -> [L::Vector; N] {
    if L::ESTIMATE_ERROR <= FINE {
        return y;
    }
    newton(lanes, x, y)
}

/// `y·(1 + (½ − x/2·y·y))`.
#[inline(always)]
fn newton<const W: usize, L: Lanes<W>, const N: usize>(
    lanes: L,
    x: [L::Vector; N],
    y: [L::Vector; N],
) -> [L::Vector; N] {
    let half = lanes.splat(0.5);
    let t = zip(
        x,
        y,
        #[inline(always)]
        |x, y| lanes.mul(lanes.half(x), y),
    );
    let e = zip(
        t,
        y,
        #[inline(always)]
        |t, y| minus_product(lanes, half, t, y),
    );
    zip(
        y,
        e,
        #[inline(always)]
        |y, e| lanes.mul_add(y, e, y),
    )
}

/// 2⁻¹⁴.
pub(super) const FINE: f32 = 1.0 / 16384.0;

/// `√x` and `1/(2√x)`, nearly: one step of Goldschmidt from an estimate of `1/√x`.
#[inline(always)]
fn root_and_half_reciprocal<const W: usize, L: Lanes<W>, const N: usize>(
    lanes: L,
    x: [L::Vector; N],
    y: [L::Vector; N],
) -> ([L::Vector; N], [L::Vector; N]) {
    let half = lanes.splat(0.5);
    let s = zip(
        x,
        y,
        #[inline(always)]
        |x, y| lanes.mul(x, y),
    );
    let h = map(
        y,
        #[inline(always)]
        |y| lanes.half(y),
    );
    let r = zip(
        s,
        h,
        #[inline(always)]
        |s, h| minus_product(lanes, half, s, h),
    );
    (
        zip(
            s,
            r,
            #[inline(always)]
            |s, r| lanes.mul_add(s, r, s),
        ),
        zip(
            h,
            r,
            #[inline(always)]
            |h, r| lanes.mul_add(h, r, h),
        ),
    )
}

/// `s + (x − s²)·h`, where the remainder is exact.
///
/// So `√x` is correctly rounded, from an estimate `y` of `1/√x` with a relative error of at most 2⁻¹⁴, for finite `x`
/// from 2⁻⁶⁴ on; an estimate within 1.5·2⁻¹² is one within 2⁻¹⁴ after [`newton`]'s step. That needs no divider, which
/// is what a step waits for inside the caches.
///
/// Proof. Multiplying `x` by 4 multiplies `s` by 2 and divides `y` and `h` by 2, all exactly, since nothing over- or
/// underflows: it is enough to look at the 2²⁴ values of `x` in `[1, 4)`.
/// The step of Goldschmidt leaves an `s` that is less than half a unit in the last place from `√x` before its last rounding:
/// `1.5·2⁻²⁸` of it for the estimate, and half of the rounding of `s` before the step. So `s` is one of the two neighbours
/// of `√x`, and `h = 1/(2√x)` is within 8 units in the last place. `proofs/root.g` has that machine-checked, but for the two
/// ends of `[1, 4)`, where a test tries all estimates.
/// For each `x`, each such `s` and each such `h` a test computes the last two operations: the result is correct but for
/// fifteen `x`; and for these it is correct from every `y` that is an `f32` within the error (tests in this file).
/// Newton's step leaves `1.5·δ² ≤ 1.5·(1.5·2⁻¹²)² < 2⁻²²` of an error `δ`, and three roundings (`proofs/newton.g`).
#[inline(always)]
fn corrected_root<const W: usize, L: Lanes<W>, const N: usize>(
    lanes: L,
    x: [L::Vector; N],
    s: [L::Vector; N],
    h: [L::Vector; N],
) -> [L::Vector; N] {
    let mut roots = zip(
        x,
        s,
        #[inline(always)]
        |x, s| minus_product(lanes, x, s, s),
    );
    for ((root, s), h) in roots.iter_mut().zip(s).zip(h) {
        *root = lanes.mul_add(*root, h, s);
    }
    roots
}

/// `c − a·b`, rounded once.
#[inline(always)]
pub(super) fn minus_product<const W: usize, L: Lanes<W>>(
    lanes: L,
    c: L::Vector,
    a: L::Vector,
    b: L::Vector,
) -> L::Vector {
    lanes.mul_add(a, lanes.sub(lanes.splat(-0.0), b), c)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::{GROUP, corrected_root, newton, root_and_half_reciprocal, roots};
    use crate::backend::Scalar;
    use crate::backend::lanes::{Lanes, SliceKernel};
    use crate::kernel::Rule;
    use crate::kernel::all_values::{all_values, assert_same};
    use crate::{Adagrad, Backend};

    /// The greatest errors of the estimates of AVX-512, which are taken as they are, and of AVX2, which are refined.
    const ERRORS: [f64; 2] = [1.0 / 16384.0, 1.5 / 4096.0];

    /// `s` and `h` from an estimate.
    fn near(x: f32, y: f32, error: f64) -> (f32, f32) {
        let [y] = if error > ERRORS[0] { newton(Scalar, [x], [y]) } else { [y] };
        let ([s], [h]) = root_and_half_reciprocal(Scalar, [x], [y]);
        (s, h)
    }

    /// `√x` from an estimate.
    fn root_of_products(x: f32, y: f32, error: f64) -> f32 {
        let (s, h) = near(x, y, error);
        corrected(x, s, h)
    }

    fn corrected(x: f32, s: f32, h: f32) -> f32 {
        let [root] = corrected_root(Scalar, [x], [s], [h]);
        root
    }

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
            for error in ERRORS {
                for part in [-1.0, -0.9, -0.4, 0.0, 0.3, 0.7, 1.0] {
                    let y = ((1.0 + 0.9999 * part * error) / root) as f32;
                    let (s, h) = near(x, y, error);
                    let (below, above) = neighbours(root);
                    assert!(s == below || s == above, "√{x:e} from {y:e}: {s:e}");
                    assert!(h.to_bits().abs_diff(((0.5 / root) as f32).to_bits()) <= 8, "1/2√{x:e} from {y:e}: {h:e}");
                    assert_eq!(corrected(x, s, h), x.sqrt(), "√{x:e} from {y:e}");
                }
            }
        });
    }

    /// What `proofs/root.g` leaves out: √1, and roots that times 1 + 2⁻¹⁴ are above 2. From every estimate.
    #[test]
    fn roots_at_the_ends_of_two_binades() {
        for x in core::iter::once(1.0).chain(between(4.0 * (1.0 - 2.0 * ERRORS[0]), f64::from(4.0_f32.next_down()))) {
            let root = f64::from(x).sqrt();
            let (below, above) = neighbours(root);
            let nearest_h = ((0.5 / root) as f32).to_bits();
            for y in between((1.0 - ERRORS[0]) / root, (1.0 + ERRORS[0]) / root) {
                let (s, h) = near(x, y, ERRORS[0]);
                assert!(s == below || s == above, "√{x:e} from {y:e}: {s:e}");
                assert!(h.to_bits().abs_diff(nearest_h) <= 8, "1/2√{x:e} from {y:e}: {h:e}");
                assert_eq!(corrected(x, s, h), x.sqrt(), "√{x:e} from {y:e}");
            }
        }
    }

    /// The second half: from any such `s` and `h` the result is correct, or else from any estimate.
    fn root_is_correct(step: usize) {
        let mut exceptions = Vec::new();
        each(step, |x, root| {
            let h = ((0.5 / root) as f32).to_bits();
            let (below, above) = neighbours(root);
            let wrong = [below, above]
                .into_iter()
                .any(|s| (h - 8..=h + 8).any(|h| corrected(x, s, f32::from_bits(h)) != x.sqrt()));
            if wrong {
                exceptions.push(x);
            }
        });
        assert!(exceptions.len() <= 15, "{exceptions:?}");
        for x in exceptions {
            let y = 1.0 / f64::from(x).sqrt();
            for error in ERRORS {
                for y in between(y * (1.0 - error), y * (1.0 + error)) {
                    assert_eq!(root_of_products(x, y, error), x.sqrt(), "√{x:e} from {y:e}");
                }
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
    #[ignore = "all values: minutes; .ci/exhaustive"]
    fn all_roots_of_products() {
        root_is_near(1);
        root_is_correct(1);
    }

    /// [`roots`] of whole groups.
    enum Roots {}

    impl SliceKernel for Roots {
        fn run<const W: usize, L: Lanes<W>>(
            lanes: L,
            _: &Rule<f32>,
            to: &mut [f32],
            from: &[f32],
            _: &mut [f32],
        ) -> usize {
            let groups = to.as_chunks_mut::<W>().0.as_chunks_mut::<GROUP>().0;
            for (to, from) in groups.iter_mut().zip(from.as_chunks::<W>().0.as_chunks::<GROUP>().0) {
                let roots = roots(lanes, from.each_ref().map(|block| lanes.load(block)));
                for (to, root) in to.iter_mut().zip(roots) {
                    lanes.store(root, to);
                }
            }
            0
        }
    }

    #[test]
    #[ignore = "all values: minutes; .ci/exhaustive"]
    fn all_values_through_roots() {
        let rule = Adagrad::new(1.0).rule;
        all_values("roots", |values| {
            let expected: Vec<f32> = values.iter().map(|x| x.sqrt()).collect();
            for backend in Backend::available() {
                let (mut roots, mut none) = (values.to_vec(), values.to_vec());
                backend.run_slices::<Roots>(&rule, &mut roots, values, &mut none).expect("available");
                assert_same(&roots, &expected, values, "roots");
            }
        });
    }

    #[test]
    fn roots_of_products_at_the_ends_of_the_range() {
        let least = f32::from_bits((127 - 64) << 23);
        for x in [least, least.next_up(), f32::MAX, f32::MAX.next_down()] {
            for error in ERRORS {
                let y = (1.0 / f64::from(x).sqrt()) as f32;
                assert_eq!(root_of_products(x, y, error), x.sqrt(), "{x:e}");
            }
        }
    }
}
