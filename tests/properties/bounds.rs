//! How far a step moves, and what becomes of accumulators: the guarantee of a bounded update, over all exponents.

use adagrad::{Accumulation, Arithmetic, Epsilon};
use proptest::prelude::*;

use crate::inputs::Random;
use crate::reference::Options;
use crate::{Element, any_options, on_each, plain, row_wise, state, stepped, ulp};

/// The least normal number, as a bound of what loses bits.
const NORMAL: f64 = f32::MIN_POSITIVE as f64;

/// A magnitude of a given biased exponent: 0 stands for 0 and the denormals, 254 for the greatest.
fn magnitude(random: &mut Random, exponent: u32) -> f32 {
    f32::from_bits(random.bits() as u32 & 0x007F_FFFF | exponent << 23)
}

/// η with every sixteenth of the 255 exponents of finite values, so that some cases go over all of them; ε with any or 0,
/// in both places; and both arithmetics.
fn each_rate(random: &mut Random, mut test: impl FnMut(&mut Random, Options)) {
    for exponent in (random.below(16)..255).step_by(16) {
        let epsilon = match random.below(3) {
            0 => 0.0,
            1 => 1e-8,
            _ => random.any_exponent().abs(),
        };
        let rate = magnitude(random, exponent as u32);
        for epsilon in [Epsilon::OutsideSqrt(epsilon), Epsilon::InsideSqrt(epsilon)] {
            for arithmetic in [Arithmetic::Separate, Arithmetic::Fused] {
                test(random, Options { arithmetic, ..Options::new(rate, epsilon) });
            }
        }
    }
}

/// A gradient of each exponent, with parameters and accumulators of any.
fn each_gradient(random: &mut Random) -> Vec<Element> {
    (0..255)
        .map(|exponent| {
            let g = magnitude(random, exponent) * if random.below(2) == 0 { 1.0 } else { -1.0 };
            let w = [0.0, random.ordinary(), random.any_exponent()][random.below(3)];
            let accumulator = [0.0, (g * g).min(f32::MAX), random.any_exponent().abs()][random.below(3)];
            (w, g, accumulator)
        })
        .chain([(1.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, -0.0, 0.0)])
        .collect()
}

proptest! {
    /// The sentence: with `Accumulation::Sum`, no weight decay, G ≥ 0, g = 0 or |g| ≥ 2⁻⁶³, η·g = 0 or |η·g| ≥ 2⁻¹²⁶, and
    /// no overflow, what is subtracted from w is at most η·(1 + 2⁻²²); w itself is rounded once more.
    #[test]
    fn no_parameter_moves_by_more_than_the_rate(seed in any::<u64>()) {
        let mut bounded = 0;
        each_rate(&mut Random(seed), |random, options| {
            let state = each_gradient(random);
            let rate = f64::from(options.learning_rate);
            for opt in on_each(options) {
                let (params, accumulator, _) = stepped(opt, &state);
                for ((after, sum), (before, g, _)) in params.iter().zip(&accumulator).zip(&state) {
                    let product = rate * f64::from(g.abs());
                    let tiny = *g != 0.0 && (g.abs() < 2.0_f32.powi(-63) || product != 0.0 && product < NORMAL);
                    let overflow = !sum.is_finite() || !after.is_finite() || (product as f32).is_infinite();
                    if tiny || overflow {
                        continue;
                    }
                    // From 0, what is subtracted is the parameter, and nothing is rounded.
                    let rounding = if *before == 0.0 { 0.0 } else { ulp(*after) / 2.0 };
                    let moved = (f64::from(*after) - f64::from(*before)).abs();
                    let bound = (rate * (1.0 + 2.0_f64.powi(-22)) + rounding) * (1.0 + 2.0_f64.powi(-50));
                    assert!(moved <= bound, "{before:e} to {after:e} by {g:e}, G = {sum:e}, {opt:?}");
                    bounded += 1;
                }
            }
        });
        // The sentence is about many of them.
        prop_assert!(bounded > 3000, "{bounded}");
    }

    /// Row-wise: at most η·√dim·(1 + (dim/8 + 8)·2⁻²⁴) + 2⁻¹⁴⁹ for each element, where the mean of squares is normal,
    /// nothing overflows, and the row's rate η/d is normal: one that is denormal is rounded by any share of itself.
    #[test]
    fn no_row_moves_by_more_than_the_rate_times_the_root_of_its_length(seed in any::<u64>()) {
        let mut bounded = 0;
        each_rate(&mut Random(seed), |random, options| {
            let dim = [1, 2, 3, 8, 9, 17, 64, 200][random.below(8)];
            // Gradients of a row are of all magnitudes up to one.
            let greatest = 127 - 63 + random.below(127) as u32;
            let g: Vec<f32> = (0..dim)
                .map(|_| {
                    let exponent = greatest.saturating_sub([0, 1, random.below(150) as u32][random.below(3)]);
                    magnitude(random, exponent) * if random.below(2) == 0 { 1.0 } else { -1.0 }
                })
                .collect();
            let before = if random.below(2) == 0 { 0.0 } else { random.any_exponent().abs() };
            let mean = g.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>() / dim as f64;
            let length = dim as f64;
            let bound = f64::from(options.learning_rate)
                * length.sqrt()
                * (1.0 + (length / 8.0 + 8.0) * 2.0_f64.powi(-24))
                + 2.0_f64.powi(-149);
            for opt in on_each(options) {
                let (params, sum, _) = row_wise(opt, &vec![0.0; dim], &g, before);
                let rate = f64::from(options.learning_rate) / f64::from(options.denominator(sum));
                let in_range = mean >= NORMAL && sum.is_finite() && rate >= NORMAL && params.iter().all(|w| w.is_finite());
                if in_range {
                    for w in &params {
                        let moved = f64::from(w.abs());
                        assert!(moved <= bound, "by {moved:e}, bound {bound:e}, G = {sum:e} after {before:e}, {g:?}, {opt:?}");
                    }
                    bounded += 1;
                }
            }
        });
        prop_assert!(bounded > 10, "{bounded}");
    }

    /// Finite gradients, parameters and accumulators give no NaN in a row-wise table, whatever η and ε.
    #[test]
    fn row_wise_makes_no_nan_of_finite_input(seed in any::<u64>()) {
        each_rate(&mut Random(seed), |random, options| {
            for _ in 0..4 {
                let dim = [1, 2, 7, 8, 19][random.below(5)];
                let value = [Random::any_exponent, Random::ordinary, Random::with_zeros][random.below(3)];
                let scale = [1.0, 0.0, 1e-10, 1e-30][random.below(4)];
                let g: Vec<f32> = (0..dim).map(|_| value(random) * scale).collect();
                let w: Vec<f32> = (0..dim).map(|_| random.any_exponent()).collect();
                let before = if random.below(2) == 0 { 0.0 } else { random.any_exponent().abs() };
                for opt in on_each(options) {
                    let (params, sum, _) = row_wise(opt, &w, &g, before);
                    assert!(params.iter().all(|w| !w.is_nan()) && !sum.is_nan(), "{params:?}, G = {sum:e}, {g:?}, {opt:?}");
                }
            }
        });
    }
}

proptest! {
    #[test]
    fn the_accumulator_never_decreases(options in any_options(), state in state()) {
        for opt in on_each(options) {
            let (_, accumulator, _) = stepped(opt, &state);
            for (after, (_, _, before)) in accumulator.iter().zip(&state) {
                prop_assert!(after >= before);
            }
        }
    }

    #[test]
    fn leaky_settles_and_moves_by_no_more_than_the_rate(options in plain(), rho in 0.0_f32..0.99, g in 1e-3_f32..10.0) {
        let opt = Options { accumulation: Accumulation::Leaky(rho), ..options }.adagrad();
        let (mut params, mut accumulator) = ([0.0], [0.0]);
        for _ in 0..2000 {
            let before = params;
            opt.step(&mut params, &[g], &mut accumulator).expect("valid");
            let bound = options.learning_rate * (1.0 + 1e-6) + ulp(params[0]) as f32;
            prop_assert!((params[0] - before[0]).abs() <= bound);
        }
        // Where it settles, each step rounds ρ·G and the sum: their errors add up to (1 + ρ)/(1−ρ)·2⁻²⁴ at most.
        let limit = f64::from(g) * f64::from(g) / (1.0 - f64::from(rho));
        let tolerance = limit * (2.0 / (1.0 - f64::from(rho)) + 2.0) * 2.0_f64.powi(-24);
        prop_assert!((f64::from(accumulator[0]) - limit).abs() <= tolerance, "{} for {limit}", accumulator[0]);
    }
}

/// The rate of a row that overflows is the greatest finite one.
#[test]
fn a_row_rate_that_overflows() {
    for epsilon in [Epsilon::OutsideSqrt(0.0), Epsilon::InsideSqrt(0.0)] {
        for opt in on_each(Options::new(1e30, epsilon)) {
            let (params, sum, _) = row_wise(opt, &[5.0, 7.0, 9.0], &[1e-10, 0.0, -0.0], 0.0);
            assert!(sum > 0.0 && 1e30_f64 / f64::from(sum).sqrt() > f64::from(f32::MAX), "{sum:e}");
            assert_eq!(params, [5.0 - f32::MAX * 1e-10, 7.0, 9.0], "{opt:?}");
        }
    }
}

/// The first step moves by η where |g| is well above ε, and by less where it is not.
#[test]
fn the_first_step() {
    let first = |g: f32| {
        let (mut params, mut accumulator) = ([0.0], [0.0]);
        adagrad::Adagrad::new(0.1).step(&mut params, &[g], &mut accumulator).expect("valid");
        params[0]
    };
    assert_eq!(first(4.0), -0.1);
    assert_eq!(first(-1000.0), 0.1);
    assert!((first(1e-10) + 0.00099).abs() < 1e-5, "{}", first(1e-10));
}
