//! All 2³² values as accumulators, through exact and fast steps of every backend. Minutes: `.ci/exhaustive` runs it, and the
//! same for square roots.

#[path = "inputs/all_values.rs"]
mod all_values;

use adagrad::{Adagrad, Arithmetic, Backend, Epsilon};
use all_values::{all_values, assert_same};

const RATE: f32 = 0.1;

/// Some that `G` absorbs, whose quotients show the root of every `G`; and one that changes most of them.
const GRADIENTS: [f32; 3] = [1e-30, 1e-3, -1.7];

const EPSILONS: [Epsilon; 2] = [Epsilon::OutsideSqrt(1e-8), Epsilon::InsideSqrt(1e-8)];

/// The step of a parameter that is 0, as plainly as it can be.
fn plain(epsilon: Epsilon, gradient: f32, params: &mut [f32], accumulator: &mut [f32]) {
    let (inside, outside) = match epsilon {
        Epsilon::InsideSqrt(epsilon) => (epsilon, 0.0),
        Epsilon::OutsideSqrt(epsilon) => (0.0, epsilon),
        other => panic!("a place of ε that is not known here: {other:?}"),
    };
    for (w, sum) in params.iter_mut().zip(accumulator) {
        *sum += gradient * gradient;
        *w = 0.0 - RATE * gradient / ((*sum + inside).sqrt() + outside);
    }
}

/// The step of the crate. The results are the new parameters and accumulators.
fn step(opt: Adagrad, gradient: f32, accumulator: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let (mut params, mut sums) = (vec![0.0; accumulator.len()], accumulator.to_vec());
    opt.step(&mut params, &vec![gradient; sums.len()], &mut sums).expect("valid");
    (params, sums)
}

/// How many `f32` two values are apart, across 0, too: 0 for NaN and NaN, and much for a NaN and another one.
fn units_apart(a: f32, b: f32) -> u32 {
    let magnitudes = [a, b].map(|x| x.to_bits() & 0x7FFF_FFFF);
    if a.is_nan() && b.is_nan() {
        0
    } else if a.is_sign_negative() == b.is_sign_negative() {
        magnitudes[0].abs_diff(magnitudes[1])
    } else {
        magnitudes[0] + magnitudes[1]
    }
}

#[test]
#[ignore = "all values: minutes; .ci/exhaustive"]
fn all_accumulators_through_steps() {
    for epsilon in EPSILONS {
        for gradient in GRADIENTS {
            let name = format!("steps with g = {gradient:e}, {epsilon:?}");
            all_values(&name, |accumulator| {
                let (mut params, mut sums) = (vec![0.0; accumulator.len()], accumulator.to_vec());
                plain(epsilon, gradient, &mut params, &mut sums);
                for backend in Backend::available() {
                    let opt = Adagrad::new(RATE).with_epsilon(epsilon).with_backend(backend);
                    let (exact, exact_sums) = step(opt, gradient, accumulator);
                    assert_same(&exact, &params, accumulator, &name);
                    assert_same(&exact_sums, &sums, accumulator, &name);
                    if matches!(backend, Backend::Scalar | Backend::Portable) {
                        continue; // without estimates, and so exact
                    }
                    let (fast, fast_sums) = step(opt.with_arithmetic(Arithmetic::Fast), gradient, accumulator);
                    assert_same(&fast_sums, &sums, accumulator, &name);
                    for ((fast, exact), sum) in fast.iter().zip(&params).zip(accumulator) {
                        let far = units_apart(*fast, *exact);
                        assert!(far <= Arithmetic::FAST_ULPS, "{backend}, {name}, G = {sum:e}: {far} from {exact:e}");
                    }
                }
            });
        }
    }
}
