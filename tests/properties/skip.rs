//! `NonFinite::Skip`: what it is given is stepped or counted, and it stores nothing that is not finite.

use adagrad::{Accumulation, Adagrad, Backend, Epsilon, Error, NonFinite, check_accumulator};
use proptest::prelude::*;

use crate::reference::{Options, assert_same, same};
use crate::{any_state, anything, forgetful_options, on_each, row_wise, stepped, unzip};

fn skipping(options: Options) -> Options {
    Options { non_finite: NonFinite::Skip, ..options }
}

proptest! {
    /// An element is stepped, with the bits of `Propagate`, if its accumulator was fit and what comes of it is finite.
    /// If not it is left as it was and counted. There is no third way.
    #[test]
    fn an_element_is_stepped_or_counted(options in forgetful_options(), rate in prop_oneof![Just(None), (0.0_f32..f32::MAX).prop_map(Some)], state in any_state()) {
        let options = Options { learning_rate: rate.unwrap_or(options.learning_rate), ..options };
        let (before, _, sums_before) = unzip(&state);
        for opt in on_each(skipping(options)) {
            let (params, sums, report) = stepped(opt, &state);
            let (wanted, wanted_sums, _) = stepped(opt.with_non_finite(NonFinite::Propagate), &state);
            let mut skipped = 0;
            for i in 0..state.len() {
                let stepped = sums_before[i] >= 0.0 && wanted_sums[i].is_finite() && wanted[i].is_finite();
                let (w, sum) = if stepped { (wanted[i], wanted_sums[i]) } else { (before[i], sums_before[i]) };
                skipped += usize::from(!stepped);
                prop_assert!(
                    same(params[i], w) && same(sums[i], sum),
                    "{:?} became w = {:e}, G = {:e}; expected {w:e}, {sum:e}, {opt:?}", state[i], params[i], sums[i],
                );
            }
            prop_assert_eq!(report.skipped, skipped);
        }
    }

    /// The same of a row as a whole.
    #[test]
    fn a_row_is_stepped_or_counted(
        options in forgetful_options(),
        rate in prop_oneof![Just(None), (0.0_f32..f32::MAX).prop_map(Some)],
        state in any_state().prop_filter("a row", |state| !state.is_empty()),
        few in 0..6_usize,
        accumulator in anything(),
    ) {
        let options = Options { learning_rate: rate.unwrap_or(options.learning_rate), ..options };
        let (mut before, mut grads, _) = unzip(&state);
        if few < 5 {
            // Finite but for a few, or else no long row would be stepped.
            for x in before.iter_mut().chain(&mut grads).skip(few) {
                *x = if x.abs() < 1e6 { *x } else { 0.5 };
            }
        }
        for opt in on_each(skipping(options)) {
            let (params, sum, report) = row_wise(opt, &before, &grads, accumulator);
            let propagate = opt.with_non_finite(NonFinite::Propagate);
            let (wanted, wanted_sum, _) = row_wise(propagate, &before, &grads, accumulator);
            let stepped = accumulator >= 0.0 && wanted_sum.is_finite() && wanted.iter().all(|w| w.is_finite());
            if stepped {
                assert_same(&params, &wanted, format_args!("params, {opt:?}"));
                assert_same(&[sum], &[wanted_sum], format_args!("G, {opt:?}"));
            } else {
                assert_same(&params, &before, format_args!("params, {opt:?}"));
                assert_same(&[sum], &[accumulator], format_args!("G, {opt:?}"));
            }
            prop_assert_eq!(report.skipped, usize::from(!stepped));
        }
    }

    /// From a state that is fit, no input makes one that is not.
    #[test]
    fn a_fit_state_stays_fit(options in forgetful_options(), state in any_state(), grads in any_state()) {
        let mut state: Vec<_> = state
            .into_iter()
            .map(|(w, g, a)| {
                let finite = |x: f32| if x.is_finite() { x } else { 1.0 };
                (finite(w), g, finite(a).abs())
            })
            .collect();
        for (element, (g, ..)) in state.iter_mut().zip(grads) {
            element.1 = g;
        }
        for opt in on_each(skipping(options)) {
            let (params, sums, _) = stepped(opt, &state);
            prop_assert!(params.iter().all(|w| w.is_finite()));
            prop_assert_eq!(check_accumulator(&sums), Ok(()));
            let (params, _, sums) = unzip(&state);
            if !params.is_empty() {
                let grads: Vec<f32> = state.iter().map(|(_, g, _)| *g).collect();
                let (params, sum, _) = row_wise(opt, &params, &grads, sums[0]);
                prop_assert!(params.iter().all(|w| w.is_finite()));
                prop_assert_eq!(check_accumulator(&[sum]), Ok(()));
            }
        }
    }

    /// The check of a state finds the first accumulator that no step can repair, and no other.
    #[test]
    fn the_check_finds_what_no_step_can_repair(accumulator in proptest::collection::vec(anything(), 0..300), wild in 0..3_usize) {
        let mut accumulator = accumulator;
        if wild > 0 {
            // Fit up to somewhere.
            let fit = accumulator.len() * wild / 2;
            for a in accumulator.iter_mut().take(fit) {
                *a = if a.is_finite() { a.abs() } else { -0.0 };
            }
        }
        let bad = accumulator.iter().position(|a| a.is_nan() || a.is_infinite() || *a < 0.0);
        match (check_accumulator(&accumulator), bad) {
            (Ok(()), None) => {}
            (Err(Error::Accumulator { position, value }), Some(at)) => {
                prop_assert_eq!(position, at);
                prop_assert!(same(value, accumulator[at]));
            }
            (result, bad) => prop_assert!(false, "{result:?}, but the first is {bad:?}"),
        }
    }
}

/// One huge gradient leaves no trace but in the report, and the next step is as if it had not been.
#[test]
fn a_huge_gradient_freezes_nothing() {
    for accumulation in [Accumulation::Sum, Accumulation::Leaky(0.5), Accumulation::Ema(0.5)] {
        for backend in Backend::available() {
            let opt = Adagrad::new(0.1).with_accumulation(accumulation).with_non_finite(NonFinite::Skip);
            let opt = opt.with_backend(backend);
            for huge in [1e20, -1e20, f32::MAX, f32::INFINITY, f32::NAN] {
                let (params, sums, report) = stepped(opt, &[(1.0, huge, 0.0), (1.0, 0.5, 0.0)]);
                assert_eq!((params[0], sums[0], report.skipped), (1.0, 0.0, 1), "{huge:e}, {opt:?}");
                assert!(params[1] < 1.0 && sums[1] > 0.0, "the other element is stepped");
                let (params, sum, report) = row_wise(opt, &[1.0; 4], &[huge, 1.0, 1.0, 1.0], 0.0);
                assert_eq!((params, sum, report.skipped), (vec![1.0; 4], 0.0, 1), "{huge:e}, {opt:?}");
            }
        }
    }
}

/// An accumulator that is negative or NaN is left alone and counted, where its gradient would make it fit again, too.
#[test]
fn a_damaged_accumulator_is_left_alone() {
    for backend in Backend::available() {
        let opt = Adagrad::new(0.1).with_non_finite(NonFinite::Skip).with_backend(backend);
        for (bad, g) in [(-0.1, 0.1), (-0.1, 1.0), (f32::NAN, 0.1), (f32::NEG_INFINITY, 1.0), (-1e-45, 0.0)] {
            let (params, sums, report) = stepped(opt, &[(1.0, g, bad)]);
            assert!(same(params[0], 1.0) && same(sums[0], bad), "{bad}: {params:?}, {sums:?}");
            assert_eq!(report.skipped, 1, "{bad}");
            let (params, sum, report) = row_wise(opt, &[1.0; 3], &[g; 3], bad);
            assert!(params == [1.0; 3] && same(sum, bad), "{bad}: {params:?}, {sum:?}");
            assert_eq!(report.skipped, 1, "{bad}");
            assert!(check_accumulator(&[0.0, bad]).is_err());
        }
        let (_, sums, report) = stepped(opt, &[(1.0, 0.5, -0.0)]);
        assert_eq!((sums[0], report.skipped), (0.25, 0), "−0 is fine");
    }
    assert_eq!(check_accumulator(&[-0.0, 0.0, f32::MAX, 1e-45]), Ok(()));
}

/// η·g may overflow where g² does not, and a large G does not hide it.
#[test]
fn an_update_that_overflows_is_counted() {
    for backend in Backend::available() {
        let opt = Adagrad::new(f32::MAX).with_epsilon(Epsilon::OutsideSqrt(0.0)).with_non_finite(NonFinite::Skip);
        let (params, sums, report) = stepped(opt.with_backend(backend), &[(1.0, 1e10, 1e30), (1.0, 1e-10, 1e30)]);
        assert_eq!((params[0], sums[0], report.skipped), (1.0, 1e30, 1), "{backend}");
        assert!(params[1] < -1e10, "{backend}: {params:?}");
    }
}
