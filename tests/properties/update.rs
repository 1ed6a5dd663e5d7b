//! The update itself: its bits, its accuracy, and that elements do not see each other.

use adagrad::{Accumulation, Backend, NonFinite, Table, WeightDecay, coalesce};
use proptest::prelude::*;

use crate::inputs::{Random, State};
use crate::reference::{self, Options, assert_same};
use crate::{any_options, forgetful_options, on_each, plain, state, stepped, ulp, unzip, value};

proptest! {
    #[test]
    fn equal_to_the_naive_reference(options in forgetful_options(), state in state()) {
        let (mut params, grads, mut accumulator) = unzip(&state);
        let skipped = options.step(&mut params, &grads, &mut accumulator);
        for opt in on_each(options) {
            let (w, a, report) = stepped(opt, &state);
            assert_same(&a, &accumulator, format_args!("{opt:?}"));
            assert_same(&w, &params, format_args!("{opt:?}"));
            prop_assert_eq!(report.skipped, skipped);
        }
    }

    /// Longer slices, of values that are all ordinary, all but a few, or anything.
    #[test]
    fn long_slices_are_equal_to_the_naive_reference(
        options in forgetful_options(),
        length in 0..2000_usize,
        offset in 0..16_usize,
        kind in 0..5_usize,
        seed in any::<u64>(),
    ) {
        let kinds =
            [Random::ordinary, Random::with_zeros, Random::sprinkled, Random::any_exponent, Random::any];
        let state = State::new(offset + length, seed, kinds[kind]);
        let mut expected = state.clone();
        let (w, g, a) = (&mut expected.params[offset..], &state.grads[offset..], &mut expected.accumulator[offset..]);
        let skipped = options.step(w, g, a);
        for opt in on_each(options) {
            let mut actual = state.clone();
            let (w, a) = (&mut actual.params[offset..], &mut actual.accumulator[offset..]);
            let report = opt.step(w, g, a).expect("valid");
            assert_same(&actual.accumulator, &expected.accumulator, format_args!("{opt:?}"));
            assert_same(&actual.params, &expected.params, format_args!("{opt:?}"));
            prop_assert_eq!(report.skipped, skipped);
        }
    }

    #[test]
    fn near_the_naive_f64_reference(options in any_options(), state in state()) {
        let (params, accumulator, _) = stepped(options.adagrad(), &state);
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
            let normal_ulp = |x: f32| ulp(x.abs().max(f32::MIN_POSITIVE));
            let g_error = (f64::from(accumulator[i]) - a64).abs();
            prop_assert!(g_error <= 1.01 * normal_ulp(accumulator[i]), "G: {} for {a64}", accumulator[i]);
            if a64 > 1e-30 {
                // What decays and what is added may nearly cancel.
                let decay = match rest.weight_decay {
                    WeightDecay::Decoupled(decay) => f64::from(w * decay * rest.learning_rate).abs(),
                    _ => 0.0,
                };
                let update = (w64 - f64::from(w)).abs() + 2.0 * decay;
                let largest = w.abs().max(params[i].abs());
                let bound = 2.0 * normal_ulp(largest) + update * 8.0 * f64::from(f32::EPSILON) + 1e-44;
                prop_assert!((f64::from(params[i]) - w64).abs() <= bound, "w: {} for {w64}", params[i]);
            }
        }
    }

    #[test]
    fn a_zero_gradient_changes_nothing(options in plain(), state in state()) {
        let state: Vec<_> = state.into_iter().map(|(w, _, a)| (w, 0.0, a)).collect();
        let (params, _, accumulator) = unzip(&state);
        for opt in on_each(options) {
            let (w, a, _) = stepped(opt, &state);
            assert_same(&w, &params, format_args!("{opt:?}"));
            assert_same(&a, &accumulator, format_args!("{opt:?}"));
        }
    }

    #[test]
    fn splitting_changes_nothing(options in forgetful_options(), state in state(), at in any::<prop::sample::Index>()) {
        let at = at.index(state.len() + 1);
        for opt in on_each(options) {
            let (params, accumulator, report) = stepped(opt, &state);
            let (first, second) = state.split_at(at);
            let (mut w, mut a, first) = stepped(opt, first);
            let (w2, a2, second) = stepped(opt, second);
            w.extend(w2);
            a.extend(a2);
            assert_same(&w, &params, format_args!("{opt:?}"));
            assert_same(&a, &accumulator, format_args!("{opt:?}"));
            prop_assert_eq!(first.skipped + second.skipped, report.skipped);
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
        for opt in on_each(options) {
            let (params, accumulator, _) = stepped(opt, &state);
            let (w, a, _) = stepped(opt, &permuted);
            assert_same(&w, &order.iter().map(|&i| params[i]).collect::<Vec<_>>(), format_args!("{opt:?}"));
            assert_same(&a, &order.iter().map(|&i| accumulator[i]).collect::<Vec<_>>(), format_args!("{opt:?}"));
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
        for opt in on_each(options) {
            for row_wise in [false, true] {
                let (mut w, mut a) = (params.clone(), accumulator.clone());
                let new = if row_wise { Table::row_wise } else { Table::new };
                let accumulators = if row_wise { 4 } else { a.len() };
                let mut table = new(&mut w, &mut a[..accumulators], dim).expect("its shape fits");
                prop_assert!(opt.step_rows(&mut table, &rows, &grads).is_err());
                assert_same(&w, &params, format_args!("{opt:?}"));
                assert_same(&a, &accumulator, format_args!("{opt:?}"));
            }
        }
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
        for opt in on_each(options) {
            let (mut w, mut a) = (params.to_vec(), accumulator.to_vec());
            let (mut rows, mut grads) = (rows.clone(), grads.to_vec());
            let mut scratch = vec![0; rows.len()];
            let n = coalesce(&mut rows, &mut grads, dim, &mut scratch).expect("valid");
            let mut table = Table::new(&mut w, &mut a, dim).expect("its shape fits");
            opt.step_rows(&mut table, &rows[..n], &grads[..n * dim]).expect("valid");
            assert_same(&w, &expected_params, format_args!("{opt:?}"));
            assert_same(&a, &expected_accumulator, format_args!("{opt:?}"));
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
}

/// A step with `with_backend` runs there, and is otherwise the same.
#[test]
fn a_forced_backend_changes_nothing_else() {
    for backend in Backend::available() {
        let options = Options { non_finite: NonFinite::Skip, ..Options::new(0.1, adagrad::Epsilon::InsideSqrt(1e-7)) };
        let opt = options.on(backend);
        assert_eq!(opt.backend(), Some(backend));
        assert_ne!(opt, options.adagrad());
        assert_eq!(opt.with_learning_rate(0.2), Options { learning_rate: 0.2, ..options }.on(backend));
    }
}
