//! The dense step.

use adagrad::{Counter, Rounding};
use half::{bf16, f16};

use crate::backends;
use crate::inputs::{LENGTHS, Random, State, options, plain_options};
use crate::reference::Options;
use crate::reference::mixed::{Stored, words};
use crate::{assert_same_values, stored};

/// Takes the step on every backend, rounding to the nearest and by chance.
#[track_caller]
fn check<P: Stored, G: Stored, A: Stored>(options: Options, state: &State, [from_w, from_g, from_a]: [usize; 3]) {
    let params: Vec<P> = stored(&state.params);
    let grads: Vec<G> = stored(&state.grads);
    let accumulator: Vec<A> = stored(&state.accumulator);
    let counter = Counter::new(5, 6).with_first(1 << 40);
    for rounding in [Rounding::Nearest, Rounding::Stochastic(counter)] {
        let (mut expected_w, mut expected_a) = (params.clone(), accumulator.clone());
        let skipped = options.step_mixed(&mut expected_w, &grads, &mut expected_a, |i| match rounding {
            Rounding::Stochastic(_) => words([5, 6], [0, 0, (1 << 40) + i]),
            _ => None,
        });
        for &backend in backends() {
            let context = || {
                let types = [P::NAME, G::NAME, A::NAME];
                format!("{types:?} of {}, {rounding:?}, {:?}", params.len(), options.on(backend))
            };
            let before = |len| vec![7.0; len];
            let mut w = [stored(&before(from_w)), params.clone()].concat();
            let g = [stored(&before(from_g)), grads.clone()].concat();
            let mut a = [stored(&before(from_a)), accumulator.clone()].concat();
            let report = options
                .on(backend)
                .step_mixed(&mut w[from_w..], &g[from_g..], &mut a[from_a..], rounding)
                .expect("valid and available");
            assert_same_values(&w[from_w..], &expected_w, context());
            assert_same_values(&a[from_a..], &expected_a, context());
            assert_eq!(report.skipped, skipped, "{}", context());
            assert_same_values(&w[..from_w], &stored::<P>(&before(from_w)), context());
            assert_same_values(&a[..from_a], &stored::<A>(&before(from_a)), context());
        }
    }
}

/// Each type in each place, and slices that are gone over in pairs of blocks.
fn check_types(options: Options, state: &State, offsets: [usize; 3]) {
    check::<bf16, f16, f32>(options, state, offsets);
    check::<f16, f32, bf16>(options, state, offsets);
    check::<f32, bf16, f16>(options, state, offsets);
    check::<f32, f32, f32>(options, state, offsets);
    check::<bf16, f32, bf16>(options, state, offsets);
    check::<bf16, bf16, bf16>(options, state, offsets);
}

#[test]
fn over_lengths_and_offsets() {
    for length in LENGTHS {
        for value in [Random::ordinary, Random::sprinkled] {
            let state = State::new(length, length as u64, value);
            for (number, options) in plain_options().into_iter().enumerate() {
                let offsets = [[0; 3], [1, 2, 3], [7, 0, 5], [3, 1, 0]][number % 4];
                check_types(options, &state, offsets);
            }
        }
    }
}

#[test]
fn over_options() {
    for (number, options) in options().into_iter().enumerate() {
        let value = [Random::sprinkled, Random::any, Random::any_exponent, Random::ordinary][number % 4];
        let state = State::new(83, number as u64, value);
        check_types(options, &state, [0; 3]);
        if number % 10 == 0 {
            check_types(options, &State::new(391, number as u64, Random::sprinkled), [1, 0, 2]);
        }
    }
}

/// Long enough for parts in turn.
#[test]
fn long_slices() {
    let state = State::new((1 << 17) + 77, 3, Random::ordinary);
    check_types(plain_options()[0], &state, [0, 1, 0]);
}
