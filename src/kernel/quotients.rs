//! The quotient of [`Arithmetic::Fast`](crate::Arithmetic::Fast), from an estimate of `1/√x` and products.

use super::roots::{FINE, minus_product};
use super::{Flags, Rule};
use crate::backend::lanes::{Lanes, map, zip};

/// `scaled/d`, nearly, where `d` is `√G + ε` or `√(G + ε)`.
///
/// With `y ≈ 1/√x`, where `x` is `G`, or `G + ε` if ε stands inside, and `ε` is 0 if it does:
///
/// ```text
/// p = scaled·y
/// e = ½ − y·(x/2·y + ε)
/// q = p + p·(e + e²)
/// ```
///
/// It is within [`FAST_ULPS`](crate::Arithmetic::FAST_ULPS) units in the last place of the exact step's quotient, for
/// any estimate within [`Lanes::ESTIMATE_ERROR`], which is `E`.
///
/// Proof. Let `y = (1+δ)/√x` and `u = ε/√x`. Then `1 − e = (1+δ)(1+u) + δ²/2`, and so `q` is the true quotient times
/// `1 − e³ − δ²/2·(1 + e + e²)`, but for roundings. Where estimates are coarse `δ²/2` is below 1.13·2⁻²⁴, and where they are
/// fine below 0.04·2⁻²⁴. With `u` up to 2⁻⁹, `e³` is below 0.22·2⁻²⁴.
///
/// In units of the last place of the exact quotient: the roundings of `q` and of the exact division are half a unit each, and
/// that of `p` one, as `p` may be above a power of two that the quotients are below. The others are relative errors, of which
/// 2⁻²⁴ is a unit at most: 2⁻²⁴ for the exact root, 2⁻²⁴ for its sum with ε, half of 2⁻²⁴ for `x/2·y + ε`, a hundredth for the
/// roundings of what is as small as `e`, and the two above. That makes less than 2 + 1 + 1 + 0.5 + 0.01 + 1.13 + 0.22 = 5.9
/// units, and so five at most, since it is a whole number; with fine estimates less than 4.8, and so four. Below a power of two
/// units are half as large, but so are most of the errors. `proofs/quotient.g` has all of this machine-checked. Five do
/// occur: see the tests.
///
/// If ε stands inside, `u = 0`, and on lanes with fine estimates `e²` is left out, too: there remains `3/2·δ²`, below
/// 0.1·2⁻²⁴, while the sum with ε is one rounding that both have.
///
/// Estimates within 2⁻⁸, which are too coarse for that, first take a step of Newton. It leaves `3/2·δ² + δ³/2` of an error
/// `δ`, which is below 1.51·2⁻¹⁶, and a few roundings: together less than 2⁻¹⁴, so they are fine then. The guard is asked
/// before that step; with an estimate 2⁻⁸ too small `u` is up to 2⁻⁹·(1 + 2⁻⁷), and `e³` still below 0.22·2⁻²⁴.
///
/// A lane with `u` above 2⁻⁹, or `x` below 2⁻⁶⁴, is computed exactly, unless its `scaled` is 0.
#[inline(always)]
pub(super) fn fast_quotients<const W: usize, L: Lanes<W>, const N: usize>(
    lanes: L,
    rule: &Rule<L::Vector>,
    scaled: [L::Vector; N],
    sums: [L::Vector; N],
) -> [L::Vector; N] {
    let mut x = sums;
    if rule.flags.any(Flags::EPSILON_INSIDE) {
        x = map(
            x,
            #[inline(always)]
            |sum| lanes.add(sum, rule.epsilon_inside),
        );
    }
    let mut y = map(
        x,
        #[inline(always)]
        |x| lanes.rsqrt(x),
    );
    let mut greatest = y[0];
    for y in y.into_iter().skip(1) {
        // A NaN is no maximum, since it stands first.
        greatest = lanes.max(y, greatest);
    }
    if lanes.all(lanes.at_most(greatest, rule.greatest_estimate)) {
        return products(lanes, rule, scaled, x, y);
    }
    let (zero, one) = (lanes.splat(0.0), lanes.splat(1.0));
    let mut fine_x = x;
    for (x, y) in fine_x.iter_mut().zip(&mut y) {
        let fine = lanes.at_most(*y, rule.greatest_estimate);
        (*x, *y) = (lanes.select(fine, *x, one), lanes.select(fine, *y, zero));
    }
    let mut quotients = products(lanes, rule, scaled, fine_x, y);
    for (((quotient, y), scaled), x) in quotients.iter_mut().zip(y).zip(scaled).zip(x) {
        // An estimate of 0 is that of infinity, or was taken away. Then the quotient is 0, which is right for infinity, and
        // where `scaled` is 0 and `x` is not negative or NaN.
        let taken = lanes.at_most(y, zero);
        let of_zero = lanes.and(lanes.at_most(scaled, zero), lanes.at_most(zero, scaled));
        let right = lanes.and(of_zero, lanes.at_most(zero, x));
        let wrong = lanes.select(taken, lanes.select(right, zero, one), zero);
        if !lanes.all(lanes.at_most(wrong, zero)) {
            let d = lanes.add(lanes.sqrt(x), rule.epsilon_outside);
            *quotient = lanes.select(taken, lanes.div(scaled, d), *quotient);
        }
    }
    quotients
}

/// The greatest estimate of `1/√x` with which a fast quotient is made: that of an `x` of 2⁻⁶⁴, or of a `u = ε/√x` of 2⁻⁹.
pub(crate) const fn greatest_estimate(epsilon_outside: f32) -> f32 {
    const LARGEST: f32 = 4_294_967_296.0;
    const U: f32 = 1.0 / 512.0;
    let estimate = U / epsilon_outside;
    if estimate > 0.0 && estimate < LARGEST { estimate } else { LARGEST }
}

/// The quotients from estimates as they come from an instruction.
#[inline(always)]
fn products<const W: usize, L: Lanes<W>, const N: usize>(
    lanes: L,
    rule: &Rule<L::Vector>,
    scaled: [L::Vector; N],
    x: [L::Vector; N],
    y: [L::Vector; N],
) -> [L::Vector; N] {
    if L::ESTIMATE_ERROR > USABLE {
        let refined = zip(
            x,
            y,
            #[inline(always)]
            |x, y| lanes.refined(x, y),
        );
        corrected_products(lanes, rule, scaled, x, refined, FINE)
    } else {
        corrected_products(lanes, rule, scaled, x, y, L::ESTIMATE_ERROR)
    }
}

/// 1.5·2⁻¹²: the greatest error of estimates that need no step of Newton.
const USABLE: f32 = 1.5 / 4096.0;

/// `p + p·(e + e²)`, or `p + p·e`.
#[inline(always)]
fn corrected_products<const W: usize, L: Lanes<W>, const N: usize>(
    lanes: L,
    rule: &Rule<L::Vector>,
    scaled: [L::Vector; N],
    x: [L::Vector; N],
    y: [L::Vector; N],
    error: f32,
) -> [L::Vector; N] {
    let mut e = x;
    for (e, y) in e.iter_mut().zip(y) {
        let t = lanes.mul_add(lanes.half(*e), y, rule.epsilon_outside);
        *e = minus_product(lanes, lanes.splat(0.5), t, y);
    }
    if error > FINE || !rule.flags.any(Flags::EPSILON_INSIDE) {
        e = map(
            e,
            #[inline(always)]
            |e| lanes.mul_add(e, e, e),
        );
    }
    let p = zip(
        scaled,
        y,
        #[inline(always)]
        |scaled, y| lanes.mul(scaled, y),
    );
    zip(
        p,
        e,
        #[inline(always)]
        |p, e| lanes.mul_add(p, e, p),
    )
}

#[cfg(test)]
mod tests {
    use super::{FINE, Flags, Rule, USABLE, corrected_products};
    use crate::backend::Scalar;
    use crate::backend::lanes::Lanes;
    use crate::{Adagrad, Arithmetic};

    /// The greatest errors of the estimates of AVX-512, of AVX2 and of NEON.
    const ERRORS: [f64; 3] = [1.0 / 16384.0, 1.5 / 4096.0, 1.0 / 256.0];

    /// Quotients from estimates of any error that is allowed, the greatest among them, and any `u` up to the guard.
    fn quotients_are_near(count: usize) {
        let mut state = 1_u64;
        for (error, flags) in [
            (ERRORS[0], Flags::NONE),
            (ERRORS[0], Flags::EPSILON_INSIDE),
            (ERRORS[1], Flags::NONE),
            (ERRORS[1], Flags::EPSILON_INSIDE),
            (ERRORS[2], Flags::NONE),
            (ERRORS[2], Flags::EPSILON_INSIDE),
        ] {
            for number in 0..count {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let x = f32::from_bits(1.0_f32.to_bits() + (state >> 40) as u32);
                let scaled = f32::from_bits(1.0_f32.to_bits() + (state >> 17) as u32 % (1 << 23));
                let inside = flags.any(Flags::EPSILON_INSIDE);
                // From nothing to the guard, which the estimate may just pass.
                let u = [0.0, 1.0, 0.3, (state % 4096) as f64 / 4096.0][number / 4 % 4] / 512.0;
                let part = [-1.0, 1.0, 0.0, (state % 1024) as f64 / 512.0 - 1.0][number % 4];
                let y = ((1.0 + error * part) / f64::from(x).sqrt()) as f32;
                let epsilon = if inside { -0.0 } else { (u / f64::from(y)) as f32 };
                let is_usable = error <= f64::from(USABLE);
                let (y, error) = if is_usable { (y, error as f32) } else { (Scalar.refined(x, y), FINE) };
                let opt = Adagrad::new(1.0);
                let rule = Rule { epsilon_outside: epsilon, flags, ..opt.rule };
                let [fast] = corrected_products(Scalar, &rule, [scaled], [x], [y], error);
                let exact = scaled / (x.sqrt() + epsilon);
                let far = fast.to_bits().abs_diff(exact.to_bits());
                assert!(
                    far <= Arithmetic::FAST_ULPS,
                    "{scaled:e}/(√{x:e} + {epsilon:e}) from {y:e}: {fast:e}, {exact:e}"
                );
            }
        }
    }

    /// The bound is attained, so it cannot be less: the estimate is as much too large as it may be, `√x` and its sum with ε are
    /// rounded down, `p` as well, and so on.
    #[test]
    fn quotients_as_far_as_they_may_be() {
        let [x, epsilon, y, scaled] = [0x3F80_333A, 0x3879_BF87, 0x3F7F_E4D0, 0x4000_17A8].map(f32::from_bits);
        let opt = Adagrad::new(1.0);
        let rule = Rule { epsilon_outside: epsilon, ..opt.rule };
        let [fast] = corrected_products(Scalar, &rule, [scaled], [x], [y], ERRORS[1] as f32);
        assert_eq!((scaled / (x.sqrt() + epsilon)).to_bits() - fast.to_bits(), Arithmetic::FAST_ULPS);
    }

    #[test]
    fn quotients_from_any_estimate() {
        quotients_are_near(1_250_000);
    }

    #[test]
    #[ignore = "10⁹ quotients: minutes; .ci/exhaustive"]
    fn many_quotients_from_any_estimate() {
        quotients_are_near(250_000_000);
    }
}
