//! What holds for all input, on every backend.

mod inputs;
mod reference;

use adagrad::{
    Accumulation, Adagrad, Arithmetic, Backend, Epsilon, LearningRate, NonFinite, Summary, Table, WeightDecay,
    clip_norm_scale, coalesce, sum_of_squares,
};
use proptest::prelude::*;
use reference::{Options, assert_same};

/// Hyper-parameters of a descent without decay.
fn plain() -> impl Strategy<Value = Options> {
    let epsilon = prop_oneof![
        (1e-10_f32..1e-3).prop_map(Epsilon::OutsideSqrt),
        (1e-10_f32..1e-3).prop_map(Epsilon::InsideSqrt),
        Just(Epsilon::OutsideSqrt(0.0)),
        Just(Epsilon::InsideSqrt(0.0)),
    ];
    let arithmetic = prop_oneof![Just(Arithmetic::Separate), Just(Arithmetic::Fused)];
    (1e-6_f32..10.0, epsilon, arithmetic)
        .prop_map(|(rate, epsilon, arithmetic)| Options { arithmetic, ..Options::new(rate, epsilon) })
}

/// Hyper-parameters with any of the options.
fn any_options() -> impl Strategy<Value = Options> {
    let decay = prop_oneof![
        Just(WeightDecay::None),
        (0.0_f32..0.1).prop_map(WeightDecay::L2),
        (0.0_f32..0.1).prop_map(WeightDecay::Decoupled),
    ];
    (plain(), decay, -4.0_f32..4.0, proptest::option::of(1e-3_f32..10.0), any::<bool>()).prop_map(
        |(plain, weight_decay, gradient_scale, clip_value, maximize)| Options {
            weight_decay,
            gradient_scale,
            clip_value,
            maximize,
            ..plain
        },
    )
}

/// [`any_options`], forgetting and guarded or not.
fn forgetful_options() -> impl Strategy<Value = Options> {
    let accumulation = prop_oneof![
        Just(Accumulation::Sum),
        (0.0_f32..1.0).prop_map(Accumulation::Leaky),
        (0.0_f32..1.0).prop_map(Accumulation::Ema),
    ];
    let non_finite = prop_oneof![Just(NonFinite::Propagate), Just(NonFinite::Skip)];
    (any_options(), accumulation, non_finite).prop_map(|(options, accumulation, non_finite)| Options {
        accumulation,
        non_finite,
        ..options
    })
}

/// A finite value over the whole range of exponents that leaves squares and sums finite.
fn value() -> impl Strategy<Value = f32> {
    prop_oneof![
        4 => -10.0_f32..10.0,
        1 => (any::<bool>(), -30.0_f32..30.0).prop_map(|(negative, e)| if negative { -e.exp2() } else { e.exp2() }),
        1 => Just(0.0_f32),
        1 => Just(-0.0_f32),
    ]
}

/// Parameters, gradients and accumulators of one length.
fn state() -> impl Strategy<Value = Vec<(f32, f32, f32)>> {
    proptest::collection::vec((value(), value(), value().prop_map(f32::abs)), 0..80)
}

fn split((params, (grads, accumulator)): (Vec<f32>, (Vec<f32>, Vec<f32>))) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    (params, grads, accumulator)
}

fn unzip(state: &[(f32, f32, f32)]) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    split(state.iter().map(|&(w, g, a)| (w, (g, a))).unzip())
}

/// The state after a step.
fn stepped(backend: Backend, opt: Adagrad, state: &[(f32, f32, f32)]) -> (Vec<f32>, Vec<f32>) {
    let (mut params, grads, mut accumulator) = unzip(state);
    opt.step_on(backend, &mut params, &grads, &mut accumulator).expect("valid");
    (params, accumulator)
}

/// The distance from a value to the next greater one of the same exponent.
fn ulp(x: f32) -> f64 {
    let x = x.abs().max(f32::MIN_POSITIVE);
    f64::from(f32::from_bits(x.to_bits() + 1)) - f64::from(x)
}

proptest! {
    #[test]
    fn equal_to_the_naive_reference(options in forgetful_options(), state in state()) {
        let (mut params, grads, mut accumulator) = unzip(&state);
        options.step(&mut params, &grads, &mut accumulator);
        for backend in Backend::available() {
            let (w, a) = stepped(backend, options.adagrad(), &state);
            assert_same(&a, &accumulator, backend);
            assert_same(&w, &params, backend);
        }
    }

    #[test]
    fn near_the_naive_f64_reference(options in any_options(), state in state()) {
        let (params, accumulator) = stepped(Backend::detected(), options.adagrad(), &state);
        for (i, &(w, g, a)) in state.iter().enumerate() {
            // From the gradient that was rounded to f32: with cancellation in g + λ·w its error has no bound in terms
            // of itself.
            let g = options.gradient(w, g);
            let rest = Options {
                gradient_scale: 1.0,
                clip_value: None,
                maximize: false,
                weight_decay: match options.weight_decay {
                    WeightDecay::L2(_) => WeightDecay::None,
                    other => other,
                },
                ..options
            };
            let (w64, a64) = rest.step_f64(w.into(), g.into(), a.into());
            // Two roundings in G; two in the decay; in the update half that of G's, then one each in the root, ε, η·g
            // and the quotient, and the difference: 6 half-ulps of the update's relative error, with a margin to 8.
            let g_error = (f64::from(accumulator[i]) - a64).abs();
            prop_assert!(g_error <= 1.01 * ulp(accumulator[i]), "G: {} for {a64}", accumulator[i]);
            if a64 > 1e-30 {
                let update = (w64 - f64::from(w)).abs();
                let bound = 2.0 * ulp(w.abs().max(params[i].abs())) + update * 8.0 * f64::from(f32::EPSILON) + 1e-44;
                prop_assert!((f64::from(params[i]) - w64).abs() <= bound, "w: {} for {w64}", params[i]);
            }
        }
    }

    #[test]
    fn the_accumulator_never_decreases(options in any_options(), state in state()) {
        for backend in Backend::available() {
            let (_, accumulator) = stepped(backend, options.adagrad(), &state);
            for (after, (_, _, before)) in accumulator.iter().zip(&state) {
                prop_assert!(after >= before);
            }
        }
    }

    #[test]
    fn no_parameter_moves_by_more_than_the_rate(options in plain(), state in state()) {
        for backend in Backend::available() {
            let (params, accumulator) = stepped(backend, options.adagrad(), &state);
            for ((after, a), (before, g, _)) in params.iter().zip(&accumulator).zip(&state) {
                // |g| ≤ √G up to the roundings of g² and G (half an ulp each, halved by the root), of the root, of η·g
                // and of the quotient: less than 3 ulp of η. The new parameter is rounded once more. A square that
                // underflows says nothing about g.
                if *a >= 1e-30 || *g == 0.0 {
                    let rate = f64::from(options.learning_rate);
                    let bound = rate + 3.0 * ulp(options.learning_rate) + ulp(after.abs().max(before.abs()));
                    prop_assert!((f64::from(*after) - f64::from(*before)).abs() <= bound, "{before} to {after}");
                }
            }
        }
    }

    #[test]
    fn a_zero_gradient_changes_nothing(options in plain(), state in state()) {
        let state: Vec<_> = state.into_iter().map(|(w, _, a)| (w, 0.0, a)).collect();
        let (params, _, accumulator) = unzip(&state);
        for backend in Backend::available() {
            let (w, a) = stepped(backend, options.adagrad(), &state);
            assert_same(&w, &params, backend);
            assert_same(&a, &accumulator, backend);
        }
    }

    #[test]
    fn splitting_changes_nothing(options in forgetful_options(), state in state(), at in any::<prop::sample::Index>()) {
        let at = at.index(state.len() + 1);
        for backend in Backend::available() {
            let (params, accumulator) = stepped(backend, options.adagrad(), &state);
            let (first, second) = state.split_at(at);
            let (mut w, mut a) = stepped(backend, options.adagrad(), first);
            let (w2, a2) = stepped(backend, options.adagrad(), second);
            w.extend(w2);
            a.extend(a2);
            assert_same(&w, &params, backend);
            assert_same(&a, &accumulator, backend);
        }
    }

    #[test]
    fn permuting_permutes(
        options in forgetful_options(),
        (state, order) in state().prop_flat_map(|state| {
            let order = Just((0..state.len()).collect::<Vec<_>>()).prop_shuffle();
            (Just(state), order)
        }),
    ) {
        let permuted: Vec<_> = order.iter().map(|&i| state[i]).collect();
        for backend in Backend::available() {
            let (params, accumulator) = stepped(backend, options.adagrad(), &state);
            let (w, a) = stepped(backend, options.adagrad(), &permuted);
            assert_same(&w, &order.iter().map(|&i| params[i]).collect::<Vec<_>>(), backend);
            assert_same(&a, &order.iter().map(|&i| accumulator[i]).collect::<Vec<_>>(), backend);
        }
    }

    #[test]
    fn an_error_changes_nothing(
        options in forgetful_options(),
        state in state(),
        rows in proptest::collection::vec(-1_i64..4, 1..9),
        bad in any::<prop::sample::Index>(),
        hostile in prop_oneof![Just(-1), Just(4), Just(i64::MIN), Just(i64::MAX)],
    ) {
        let mut rows = rows;
        let at = bad.index(rows.len());
        rows[at] = hostile;
        let dim = state.len() / 4;
        prop_assume!(dim > 0);
        let state = &state[..dim * 4];
        let (params, grads, accumulator) = unzip(state);
        let grads: Vec<f32> = grads.iter().copied().cycle().take(rows.len() * dim).collect();
        for backend in Backend::available() {
            for row_wise in [false, true] {
                let (mut w, mut a) = (params.clone(), accumulator.clone());
                let new = if row_wise { Table::row_wise } else { Table::new };
                let accumulators = if row_wise { 4 } else { a.len() };
                let mut table = new(&mut w, &mut a[..accumulators], dim).expect("valid");
                prop_assert!(options.adagrad().step_rows_on(backend, &mut table, &rows, &grads).is_err());
                assert_same(&w, &params, backend);
                assert_same(&a, &accumulator, backend);
            }
        }
    }

    #[test]
    fn coalesce_sums_in_order_of_occurrence(
        dim in 1_usize..20,
        rows in proptest::collection::vec(prop_oneof![0_usize..6, any::<usize>()], 0..60),
        values in proptest::collection::vec(value(), 60 * 19),
        spare in 0_usize..70,
    ) {
        let grads = &values[..rows.len() * dim];
        let (expected_rows, expected_grads) = reference::coalesce(&rows, grads, dim);
        let (mut distinct, mut sums) = (rows.clone(), grads.to_vec());
        let n = coalesce(&mut distinct, &mut sums, dim, &mut vec![7; rows.len() + spare]).expect("valid");
        prop_assert_eq!(&distinct[..n], &expected_rows);
        assert_same(&sums[..n * dim], &expected_grads, "sums");
    }

    #[test]
    fn coalesce_then_step_is_the_coalesced_step(
        options in forgetful_options(),
        dim in 1_usize..20,
        rows in proptest::collection::vec(0_usize..6, 0..20),
        values in proptest::collection::vec((value(), value(), value().prop_map(f32::abs)), 20 * 19),
    ) {
        let (params, grads, accumulator) = unzip(&values);
        let (params, accumulator) = (&params[..6 * dim], &accumulator[..6 * dim]);
        let grads = &grads[..rows.len() * dim];
        let (mut expected_params, mut expected_accumulator) = (params.to_vec(), accumulator.to_vec());
        let (distinct, sums) = reference::coalesce(&rows, grads, dim);
        options.step_rows(&mut expected_params, &mut expected_accumulator, dim, &distinct, &sums);
        for backend in Backend::available() {
            let (mut w, mut a) = (params.to_vec(), accumulator.to_vec());
            let (mut rows, mut grads) = (rows.clone(), grads.to_vec());
            let mut scratch = vec![0; rows.len()];
            let n = coalesce(&mut rows, &mut grads, dim, &mut scratch).expect("valid");
            let mut table = Table::new(&mut w, &mut a, dim).expect("valid");
            options.adagrad().step_rows_on(backend, &mut table, &rows[..n], &grads[..n * dim]).expect("valid");
            assert_same(&w, &expected_params, backend);
            assert_same(&a, &expected_accumulator, backend);
        }
    }

    #[test]
    fn rarer_gradients_keep_the_higher_rate(
        options in plain(),
        rho in prop_oneof![Just(None), (0.5_f32..1.0).prop_map(Some)],
        g in 1e-3_f32..10.0,
        every in 2_usize..20,
        cycles in 1_usize..20,
    ) {
        // One parameter sees the gradient at each step, the other one at every few. Compared just before a rare one.
        let accumulation = rho.map_or(Accumulation::Sum, Accumulation::Leaky);
        for accumulation in [accumulation, rho.map_or(Accumulation::Sum, Accumulation::Ema)] {
            let opt = Options { accumulation, ..options }.adagrad();
            let (mut params, mut accumulator, mut rates) = ([0.0; 2], [0.0; 2], [0.0; 2]);
            for step in 0..cycles * every {
                let rare = if step % every == 0 { g } else { 0.0 };
                opt.step(&mut params, &[g, rare], &mut accumulator).expect("valid");
            }
            opt.effective_rates(&accumulator, &mut rates).expect("valid");
            prop_assert!(rates[1] > rates[0] || rates[1] == f32::INFINITY, "{rates:?}");
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

    #[test]
    fn skipping_leaves_nothing_non_finite(
        options in forgetful_options(),
        state in state(),
        bad in proptest::collection::vec((any::<prop::sample::Index>(), prop_oneof![
            Just(f32::NAN), Just(f32::INFINITY), Just(f32::NEG_INFINITY), Just(f32::MAX), Just(f32::MIN),
        ]), 1..5),
    ) {
        prop_assume!(!state.is_empty());
        let options = Options { non_finite: NonFinite::Skip, ..options };
        let mut state = state;
        for (at, value) in bad {
            let at = at.index(state.len());
            state[at].1 = value;
        }
        for backend in Backend::available() {
            let (params, accumulator) = stepped(backend, options.adagrad(), &state);
            for (i, &(w, g, a)) in state.iter().enumerate() {
                prop_assert!(params[i].is_finite() && accumulator[i].is_finite());
                let g = options.gradient(w, g);
                if (options.weight_decay, options.accumulation) == (WeightDecay::None, Accumulation::Sum) && accumulator[i] >= 1e-30 {
                    // The bound of `no_parameter_moves_by_more_than_the_rate`.
                    let bound = options.learning_rate * (1.0 + 4e-7) + ulp(w.abs().max(params[i].abs())) as f32;
                    prop_assert!((params[i] - w).abs() <= bound, "{w} to {}", params[i]);
                }
                if !(options.learning_rate * g).is_finite() {
                    prop_assert_eq!((params[i].to_bits(), accumulator[i].to_bits()), (w.to_bits(), a.to_bits()));
                }
            }
        }
    }

    #[test]
    fn a_summary_counts_every_rate(options in plain(), values in proptest::collection::vec(value(), 0..300), threshold in 1e-6_f32..10.0) {
        let accumulator: Vec<f32> = values.iter().map(|x| x.abs()).collect();
        let mut rates = vec![0.0; accumulator.len()];
        let opt = options.adagrad();
        opt.effective_rates(&accumulator, &mut rates).expect("valid");
        let summary = opt.summary(&accumulator, threshold).expect("valid");
        let finite: Vec<f32> = rates.into_iter().filter(|rate| rate.is_finite()).collect();
        prop_assert_eq!(summary.count, finite.len());
        prop_assert_eq!(summary.count + summary.non_finite, accumulator.len());
        prop_assert_eq!(summary.below, finite.iter().filter(|rate| **rate < threshold).count());
        prop_assert_eq!(summary.min, finite.iter().copied().fold(f32::INFINITY, f32::min));
        prop_assert_eq!(summary.max, finite.iter().copied().fold(0.0, f32::max));
        let sum: f64 = finite.iter().map(|rate| f64::from(*rate)).sum();
        prop_assert_eq!(summary.mean, if finite.is_empty() { 0.0 } else { sum / finite.len() as f64 });
        for (bin, count) in summary.histogram.iter().enumerate() {
            let (lower, upper) = Summary::decade(bin).expect("a bin");
            prop_assert_eq!(*count, finite.iter().filter(|rate| (lower..upper).contains(*rate)).count());
        }
    }

    #[test]
    fn clipping_by_global_norm_limits_it(
        a in proptest::collection::vec(value(), 0..100),
        b in proptest::collection::vec(value(), 0..100),
        max_norm in 1e-3_f32..100.0,
    ) {
        let scale = clip_norm_scale(sum_of_squares(&a) + sum_of_squares(&b), max_norm);
        prop_assert!(scale > 0.0 && scale <= 1.0);
        let norm: f64 = a.iter().chain(&b).map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        let clipped = norm * f64::from(scale);
        prop_assert!(clipped <= f64::from(max_norm) * (1.0 + 1e-5));
        prop_assert!(scale == 1.0 || clipped >= f64::from(max_norm) * (1.0 - 1e-5));
    }

    #[test]
    fn schedules_stay_between_floor_and_rate(
        rate in 1e-3_f64..10.0,
        warm_up in 0_u64..50,
        start in 0_u64..200,
        steps in 0_u64..200,
        floor in 0.0_f64..1.0,
        step in 1_u64..500,
        far in any::<u64>(),
    ) {
        let bases = [LearningRate::constant(rate), LearningRate::inverse_time(rate, 0.01), LearningRate::inverse_sqrt(rate)];
        for base in bases {
            let base = base.with_warm_up(warm_up);
            for schedule in [base.with_linear_cool_down(start, steps, floor), base.with_cosine_cool_down(start, steps, floor)] {
                let (whole, now) = (f64::from(base.at(step)), f64::from(schedule.at(step)));
                prop_assert!(now <= whole * (1.0 + 1e-6) && now >= whole * floor * (1.0 - 1e-6) - 1e-9);
                if step <= start {
                    prop_assert_eq!(now, whole);
                } else if step >= start + steps {
                    prop_assert!((now - whole * floor).abs() <= 1e-6 * whole);
                }
                // Falling once it is warm, wherever the step.
                let later = f64::from(schedule.at(step.max(warm_up).saturating_add(far)));
                prop_assert!(later <= f64::from(schedule.at(step.max(warm_up))) * (1.0 + 1e-6));
                prop_assert!(later.is_finite() && later >= 0.0);
            }
            prop_assert!(step >= warm_up || base.at(step) >= base.at(1));
            prop_assert_eq!(base.at(0), base.at(1));
        }
    }
}

#[test]
fn a_saturated_accumulator_recovers_when_it_leaks() {
    let guarded = Adagrad::new(0.1).with_accumulation(Accumulation::Leaky(0.5)).with_non_finite(NonFinite::Skip);
    for (opt, recovers) in [(guarded, true), (guarded.with_non_finite(NonFinite::Propagate), false)] {
        let (mut params, mut accumulator) = ([0.0], [0.0]);
        opt.step(&mut params, &[f32::MAX], &mut accumulator).expect("valid");
        assert_eq!(params, [0.0]);
        for _ in 0..200 {
            opt.step(&mut params, &[1.0], &mut accumulator).expect("valid");
        }
        assert_eq!(accumulator[0] < 3.0, recovers);
    }
}
