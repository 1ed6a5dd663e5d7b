//! The dense step.

use adagrad::{Adagrad, Epsilon, NonFinite};

use crate::backends;
use crate::inputs::{LENGTHS, LONG, OFFSETS, Random, SPECIAL, State, one_of, options, plain_options};
use crate::reference::{Options, assert_same};

/// A state, with what the reference makes of it.
pub struct Case<'a> {
    options: Options,
    state: &'a State,
    params: Vec<f32>,
    accumulator: Vec<f32>,
    skipped: usize,
}

impl<'a> Case<'a> {
    pub fn new(options: Options, state: &'a State) -> Self {
        let State { mut params, grads, mut accumulator } = state.clone();
        let skipped = options.step(&mut params, &grads, &mut accumulator);
        Self { options, state, params, accumulator, skipped }
    }

    /// Takes the step on every backend. The slices of parameters, gradients and accumulators begin so many elements into
    /// their allocations.
    #[track_caller]
    pub fn check_all(&self, offsets: [usize; 3]) {
        for backend in backends() {
            self.check(self.options.on(*backend), offsets);
        }
    }

    /// Takes the step with these hyper-parameters.
    #[track_caller]
    pub fn check(&self, opt: Adagrad, offsets: [usize; 3]) {
        let length = self.params.len();
        let shifted = |values: &[f32], offset: usize| [&vec![7.0; offset], values].concat();
        let [w_from, g_from, a_from] = offsets;
        let mut params = shifted(&self.state.params, w_from);
        let grads = shifted(&self.state.grads, g_from);
        let mut accumulator = shifted(&self.state.accumulator, a_from);
        let report =
            opt.step(&mut params[w_from..], &grads[g_from..], &mut accumulator[a_from..]).expect("valid and available");

        // Text is made if there is a failure, as it takes longer than the rest.
        let context = format_args!("{length} elements from {offsets:?}, {opt:?}");
        assert_same(&accumulator[a_from..], &self.accumulator, format_args!("accumulator of {context}"));
        assert_same(&params[w_from..], &self.params, format_args!("params of {context}"));
        assert_eq!(report.skipped, self.skipped, "skipped of {context}");
        let before = params[..w_from].iter().chain(&accumulator[..a_from]);
        assert!(before.into_iter().all(|x| *x == 7.0), "what is before the slice of {context}");
    }
}

#[test]
fn over_lengths_and_offsets() {
    for length in LENGTHS {
        let state = State::new(length, length as u64, Random::ordinary);
        for options in plain_options() {
            let case = Case::new(options, &state);
            for offset in OFFSETS {
                case.check_all([offset; 3]);
            }
            // Each slice with an alignment of its own.
            for offsets in [[0, 1, 2], [1, 0, 3], [5, 9, 0], [2, 0, 13], [15, 4, 11]] {
                case.check_all(offsets);
            }
        }
    }
}

/// Special values amid ordinary ones, so that a guard that a group of blocks shares takes its other path in the midst of
/// a slice, at each place of the group.
#[test]
fn over_lengths_with_special_values_amid_ordinary_ones() {
    let values = [Random::sprinkled, Random::with_zeros, Random::any, Random::any_exponent];
    for (seed, value) in values.into_iter().enumerate() {
        for length in LENGTHS {
            let state = State::new(length, (1000 * seed + length) as u64, value);
            for options in plain_options() {
                for non_finite in [NonFinite::Propagate, NonFinite::Skip] {
                    Case::new(Options { non_finite, ..options }, &state).check_all([3, 0, 1]);
                }
            }
        }
    }
}

/// One value that is not ordinary, at each place of groups of blocks.
#[test]
fn one_special_value_anywhere() {
    let ordinary = State::new(300, 4, Random::ordinary);
    for options in plain_options() {
        for at in (0..300).step_by(one_of(143)) {
            for special in [0.0, 1e-45, 1e-25, 1e30, f32::INFINITY, f32::NAN] {
                let mut state = ordinary.clone();
                state.accumulator[at] = special;
                state.grads[at] = if at % 2 == 0 { 0.0 } else { special };
                Case::new(options, &state).check_all([0; 3]);
            }
        }
    }
}

/// Accumulators of each exponent, whole groups of blocks of one: where estimates of roots lose bits, no guard may let
/// them in. Parameters of 0 show each bit of the quotient.
#[test]
fn over_exponents_of_accumulators() {
    let mut random = Random(11);
    let mut options = plain_options();
    options.push(Options::new(0.1, Epsilon::OutsideSqrt(0.0)));
    options.push(Options::new(0.1, Epsilon::InsideSqrt(0.0)));
    for exponent in (0..255).step_by(one_of(51)) {
        let mut state = State::new(600, 0, Random::ordinary);
        state.params.fill(0.0);
        for (g, a) in state.grads.iter_mut().zip(&mut state.accumulator) {
            *a = f32::from_bits(random.bits() as u32 & 0x007F_FFFF | exponent << 23);
            // Too small to change G, and large enough to be seen.
            *g = a.sqrt() * 1e-5;
        }
        for options in &options {
            Case::new(*options, &state).check_all([0; 3]);
        }
    }
}

/// Slices that a step takes in several parts.
#[test]
fn over_long_slices() {
    for length in LONG {
        let state = State::new(length, length as u64, Random::sprinkled);
        for options in plain_options() {
            Case::new(options, &state).check_all([1, 0, 2]);
        }
        let options = Options { non_finite: NonFinite::Skip, gradient_scale: 0.5, ..plain_options()[0] };
        Case::new(options, &state).check_all([0; 3]);
    }
}

#[test]
fn over_options() {
    let states = [Random::ordinary, Random::sprinkled, Random::any].map(|value| State::new(1031, 1, value));
    for options in options() {
        for state in &states {
            Case::new(options, state).check_all([0; 3]);
        }
    }
}

/// Every special parameter with every special gradient and every special accumulator. Of the negative ones, which give
/// NaN, only those that cannot become −ε, for which `d` would be 0.
#[test]
fn over_special_values() {
    let mut state = State { params: Vec::new(), grads: Vec::new(), accumulator: Vec::new() };
    for w in SPECIAL.into_iter().step_by(one_of(7)) {
        for g in SPECIAL {
            for a in SPECIAL.into_iter().filter(|a| a.is_nan() || *a >= 0.0 || *a <= -1.0) {
                state.params.push(w);
                state.grads.push(g);
                state.accumulator.push(a);
            }
        }
    }
    for options in options() {
        Case::new(options, &state).check_all([0; 3]);
    }
}

#[test]
fn split_anywhere() {
    let state = State::new(331, 3, Random::any);
    for &backend in backends() {
        let opt = Adagrad::pytorch(0.1).with_backend(backend);
        let mut whole = state.clone();
        opt.step(&mut whole.params, &state.grads, &mut whole.accumulator).expect("valid");
        for at in (0..=331).step_by(one_of(83)) {
            let mut split = state.clone();
            for part in [0..at, at..331] {
                let (w, a) = (&mut split.params[part.clone()], &mut split.accumulator[part.clone()]);
                opt.step(w, &state.grads[part], a).expect("valid");
            }
            assert_same(&split.params, &whole.params, format!("{backend}: params split at {at}"));
            assert_same(&split.accumulator, &whole.accumulator, format!("{backend}: accumulator split at {at}"));
        }
    }
}

#[test]
fn stepping_and_zeroing() {
    for &backend in backends() {
        let opt = Adagrad::new(0.1).with_non_finite(NonFinite::Skip).with_backend(backend);
        for length in LENGTHS.into_iter().chain([5000 / one_of(9), LONG[0] + 3]) {
            let state = State::new(length, 4, Random::any);
            let mut expected = state.clone();
            let expected_report =
                opt.step(&mut expected.params, &state.grads, &mut expected.accumulator).expect("valid");
            let mut actual = state.clone();
            let report =
                opt.step_and_zero(&mut actual.params, &mut actual.grads, &mut actual.accumulator).expect("valid");
            assert_eq!(report, expected_report);
            assert_same(&actual.params, &expected.params, format!("{backend}: params of {length}"));
            assert_same(&actual.accumulator, &expected.accumulator, format!("{backend}: accumulator of {length}"));
            assert_same(&actual.grads, &vec![0.0; length], format!("{backend}: gradients of {length}"));
        }
    }
}
