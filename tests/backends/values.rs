//! Functions of values: effective rates, finiteness, sums of squares.

use adagrad::{Adagrad, Epsilon};

use crate::backends;
use crate::inputs::{LENGTHS, LONG, Random, SPECIAL, State, one_of};
use crate::reference::{Options, assert_same, sum_of_squares};

#[test]
fn effective_rates() {
    for &backend in backends() {
        for epsilon in
            [Epsilon::OutsideSqrt(1e-8), Epsilon::InsideSqrt(1e-8), Epsilon::OutsideSqrt(0.0), Epsilon::InsideSqrt(0.0)]
        {
            let options = Options::new(0.1, epsilon);
            for length in LENGTHS {
                for value in [Random::any, Random::sprinkled] {
                    let accumulator = State::new(length, 5, value).accumulator;
                    let expected: Vec<f32> = accumulator.iter().map(|a| 0.1 / options.denominator(*a)).collect();
                    let mut rates = vec![7.0; length];
                    options.on(backend).effective_rates(&accumulator, &mut rates).expect("valid");
                    assert_same(&rates, &expected, format!("{backend}: rates of {length}, {epsilon:?}"));
                }
            }
        }
    }
}

/// The sign of a zero must not show: an ε of −0 is one of 0, and a root of −0 gets it added.
#[test]
fn effective_rates_of_zeros_of_either_sign() {
    for &backend in backends() {
        for epsilon in [0.0, -0.0] {
            for epsilon in [Epsilon::OutsideSqrt(epsilon), Epsilon::InsideSqrt(epsilon)] {
                for length in [1, 4, 8, 16, 33, 100] {
                    for zero in [0.0, -0.0] {
                        let opt = Adagrad::new(0.1).with_epsilon(epsilon).with_backend(backend);
                        let mut rates = vec![7.0; length];
                        opt.effective_rates(&vec![zero; length], &mut rates).expect("valid");
                        let expected = vec![f32::INFINITY; length];
                        assert_same(&rates, &expected, format!("{backend}: {epsilon:?}, G = {zero:?}"));
                    }
                }
            }
        }
    }
}

#[test]
fn finiteness() {
    for &backend in backends() {
        for length in LENGTHS {
            let mut values = State::new(length, 6, Random::ordinary).params;
            assert_eq!(backend.all_finite(&values), Ok(true), "{length}");
            // Of long slices some places, and all of the end.
            for at in (0..length).step_by(1 + length / 300).chain(length.saturating_sub(70)..length).step_by(one_of(17))
            {
                for bad in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN, -f32::NAN] {
                    let good = core::mem::replace(&mut values[at], bad);
                    assert_eq!(backend.all_finite(&values), Ok(false), "{backend}: {bad} at {at} of {length}");
                    values[at] = good;
                }
            }
        }
        let finite: Vec<f32> = SPECIAL.into_iter().filter(|x| x.is_finite()).collect();
        assert_eq!(backend.all_finite(&finite), Ok(true));
    }
    assert!(adagrad::all_finite(&[1.0, -0.0, f32::MAX]) && !adagrad::all_finite(&[f32::NAN]));
}

/// A sum has the bits of the documented order, and is near the exact one, whatever the exponents.
#[test]
fn sums_of_squares() {
    let tiny = |random: &mut Random| random.ordinary() * 1e-20; // most squares are below the normal numbers
    let huge = |random: &mut Random| random.ordinary() * 1e18; // some squares overflow
    let values: [fn(&mut Random) -> f32; 5] = [Random::ordinary, Random::with_zeros, Random::any_exponent, tiny, huge];
    for &backend in backends() {
        for length in LENGTHS.into_iter().chain([8192 / one_of(8), 10_000 / one_of(2), LONG[0] + 5]) {
            for (seed, value) in values.into_iter().enumerate() {
                let values = State::new(length, seed as u64, value).params;
                let sum = backend.sum_of_squares(&values).expect("available");
                let context = || format!("{backend}: {length} values of kind {seed}");
                assert_eq!(sum.to_bits(), sum_of_squares(&values).to_bits(), "{}", context());
                assert_eq!(adagrad::sum_of_squares(&values).to_bits(), sum.to_bits(), "{}", context());
                let exact: f64 = values.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
                // 128 additions and a product in f32, each with a relative error of 2⁻²⁴ at most.
                assert!((sum - exact).abs() <= exact * 129.5 * 2.0_f64.powi(-24), "{}: {sum} for {exact}", context());
            }
        }
    }
}

/// Where `f32` overflows or underflows, `f64` must not, and what is infinite or NaN must show, in any stride.
#[test]
fn sums_of_squares_beyond_f32() {
    for &backend in backends() {
        let sum = |values: &[f32]| backend.sum_of_squares(values).expect("available");
        let square = |x: f32| f64::from(x) * f64::from(x);
        assert_eq!(sum(&[3e19, 1.0, 1.0]), square(3e19) + 1.0 + 1.0);
        assert_eq!(sum(&[1e-30, 0.0, 1e-30]), 2.0 * square(1e-30));
        assert_eq!(sum(&[f32::MAX; 2]), 2.0 * square(f32::MAX));
        assert_eq!(sum(&[f32::from_bits(1); 4]), 4.0 * square(f32::from_bits(1)));
        assert_eq!(sum(&[]).to_bits(), 0);
        assert_eq!(sum(&[-0.0; 40]).to_bits(), 0);
        for length in [1, 31, 100, 4096, 4097, 20_000] {
            for at in [0, length / 2, length - 1] {
                let with = |x: f32| {
                    let mut values = vec![1.0; length];
                    values[at] = x;
                    sum(&values)
                };
                let context = format!("{backend}: at {at} of {length}");
                let others = length as f64 - 1.0;
                assert_eq!(with(f32::INFINITY), f64::INFINITY, "{context}");
                assert_eq!(with(f32::NEG_INFINITY), f64::INFINITY, "{context}");
                assert!(with(f32::NAN).is_nan(), "{context}");
                assert!((with(3e19) - (square(3e19) + others)).abs() <= 1e-15 * square(3e19), "{context}");
                assert!((with(1e-30) - others).abs() <= 1e-5 * others + square(1e-30), "{context}");
            }
        }
    }
}
