//! What holds for all input, on every backend.

mod bounds;
mod diagnostics;
#[path = "../inputs/mod.rs"]
mod inputs;
#[path = "../reference/mod.rs"]
mod reference;
mod skip;
mod update;

use adagrad::{Accumulation, Adagrad, Arithmetic, Backend, Epsilon, NonFinite, Report, Table, WeightDecay};
use proptest::prelude::*;
use reference::Options;

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

/// Any value at all.
fn anything() -> impl Strategy<Value = f32> {
    let special = proptest::sample::select(&inputs::SPECIAL[..]);
    prop_oneof![2 => -10.0_f32..10.0, 1 => special, 1 => any::<u32>().prop_map(f32::from_bits)]
}

/// A parameter, its gradient and its accumulator.
type Element = (f32, f32, f32);

/// Parameters, gradients and accumulators of one length.
fn state() -> impl Strategy<Value = Vec<Element>> {
    proptest::collection::vec((value(), value(), value().prop_map(f32::abs)), 0..80)
}

/// The same of any values, such as a damaged checkpoint may hold.
fn any_state() -> impl Strategy<Value = Vec<Element>> {
    proptest::collection::vec((anything(), anything(), anything()), 0..80)
}

fn unzip(state: &[Element]) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let column = |get: fn(&Element) -> f32| state.iter().map(get).collect();
    (column(|e| e.0), column(|e| e.1), column(|e| e.2))
}

/// Parameters and accumulators after a dense step, with its report.
fn stepped(opt: Adagrad, state: &[Element]) -> (Vec<f32>, Vec<f32>, Report) {
    let (mut params, grads, mut accumulator) = unzip(state);
    let report = opt.step(&mut params, &grads, &mut accumulator).expect("valid");
    (params, accumulator, report)
}

/// Parameters and accumulator of one row after a row-wise step, with its report. Among other rows, which are stepped by other
/// loops, it is the same.
fn row_wise(opt: Adagrad, params: &[f32], grads: &[f32], accumulator: f32) -> (Vec<f32>, f32, Report) {
    let stepped = |rows: &[u32]| {
        let (mut params, mut accumulator) = (params.repeat(rows.len()), vec![accumulator; rows.len()]);
        let mut table = Table::row_wise(&mut params, &mut accumulator, grads.len()).expect("its shape fits");
        let report = opt.step_rows(&mut table, rows, &grads.repeat(rows.len())).expect("valid");
        (params, accumulator, report.skipped)
    };
    let (one, eight) = (stepped(&[0]), stepped(&[0, 1, 2, 3, 4, 5, 6, 7]));
    // Which NaN it is may differ.
    let same =
        |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan());
    assert!(same(&one.0.repeat(8), &eight.0) && same(&one.1.repeat(8), &eight.1) && 8 * one.2 == eight.2);
    let mut report = Report::default();
    report.skipped = one.2;
    (one.0, one.1[0], report)
}

/// The distance from the magnitude of a finite value to the next greater one.
fn ulp(x: f32) -> f64 {
    f64::from(x.abs().next_up()) - f64::from(x.abs())
}

/// [`Options::on`] for each backend that there is.
fn on_each(options: Options) -> impl Iterator<Item = Adagrad> {
    Backend::available().map(move |backend| options.on(backend))
}
