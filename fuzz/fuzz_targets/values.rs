//! What stands beside the steps: norms, checks of a state, diagnostics and schedules, on every backend, against naive ones.
#![no_main]

#[allow(dead_code, reason = "the other targets use the rest")]
mod input;
#[path = "../../tests/reference/mod.rs"]
mod reference;

use adagrad::{Backend, Error, Schedule, Summary, all_finite, check_accumulator, clip_norm_scale};
use input::{Buffer, Input, accepted, count, fault_of, length_fault};
use libfuzzer_sys::fuzz_target;
use reference::{Options, assert_same, same};

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let len = match input.below(64) {
        0 => 4096 * input.below(4) + input.below(70), // a sum is in strides of 4,096
        1..8 => input.below(1000),
        _ => input.below(100),
    };
    let values = input.numbers(len);
    norms(&mut input, values.given());
    diagnostics(&mut input, &values);
    schedules(&mut input);
});

fn norms(input: &mut Input, values: &[f32]) {
    let finite = values.iter().all(|x| x.is_finite());
    let sum = reference::sum_of_squares(values);
    let same_sum = |actual: f64| actual.to_bits() == sum.to_bits() || actual.is_nan() && sum.is_nan();
    for backend in Backend::available() {
        count(values.len());
        assert_eq!(backend.all_finite(values), Ok(finite), "{backend}");
        let actual = backend.sum_of_squares(values).expect("available");
        assert!(same_sum(actual), "{backend}: {actual:e}, expected {sum:e}");
    }
    assert_eq!(all_finite(values), finite);
    assert!(same_sum(adagrad::sum_of_squares(values)));

    let bad = values.iter().position(|a| !a.is_finite() || *a < 0.0);
    match (check_accumulator(values), bad) {
        (Ok(()), None) => {}
        (Err(Error::Accumulator { position, value }), Some(at)) if position == at && same(value, values[at]) => {}
        (result, _) => panic!("{result:?}, the first bad one is {bad:?}"),
    }

    let max_norm = input.hyperparameter();
    let sum = if input.one_in(8) { f64::from_bits(input.any()) } else { sum };
    let scale = clip_norm_scale(sum, max_norm);
    let expected = if sum < 0.0 || sum.is_nan() || max_norm < 0.0 || max_norm.is_nan() {
        f32::NAN
    } else if sum.sqrt() > f64::from(max_norm) {
        (f64::from(max_norm) / sum.sqrt()) as f32
    } else {
        1.0
    };
    assert!(same(scale, expected), "{scale:e} for {sum:e} and {max_norm:e}, expected {expected:e}");
}

fn diagnostics(input: &mut Input, accumulator: &Buffer<f32>) {
    let options = input.options();
    let rates_len = input.length(accumulator.given().len());
    let mut rates = input.numbers(rates_len);
    let (threshold, gradient) = (input.hyperparameter(), input.hyperparameter());
    let expected: Vec<f32> =
        accumulator.given().iter().map(|a| options.learning_rate / positive(options.denominator(*a))).collect();
    let hyper: Vec<Error> = fault_of(&options).into_iter().collect();
    for backend in Backend::ALL.iter().copied().map(Some).chain([None]) {
        count(expected.len());
        let mut opt = options.adagrad();
        let mut faults = hyper.clone();
        if let Some(backend) = backend {
            opt = opt.with_backend(backend);
            if !backend.is_available() {
                faults.push(Error::Unavailable { backend });
            }
        }
        let summary = opt.summary(accumulator.given(), threshold, gradient);
        // Without values there is nothing to run on a backend.
        if !expected.is_empty() && accepted(&summary, &faults) {
            check(&summary.expect("accepted"), &options, accumulator.given(), &expected, threshold, gradient);
        }
        faults.extend(length_fault("rates", expected.len(), rates_len));
        if accepted(&opt.effective_rates(accumulator.given(), rates.fresh()), &faults) {
            assert_same(rates.written(), &expected, "rates");
        } else {
            rates.assert_untouched();
        }
    }
}

/// 0 for −0, since a rate where nothing is divided by is infinite, whatever the sign.
fn positive(d: f32) -> f32 {
    if d == 0.0 { 0.0 } else { d }
}

fn check(summary: &Summary, options: &Options, accumulator: &[f32], rates: &[f32], threshold: f32, gradient: f32) {
    let finite: Vec<f32> = rates.iter().copied().filter(|rate| rate.is_finite()).collect();
    assert_eq!((summary.count, summary.non_finite), (finite.len(), rates.len() - finite.len()));
    assert_eq!(summary.min, finite.iter().copied().fold(f32::INFINITY, f32::min));
    assert_eq!(summary.max, finite.iter().copied().fold(0.0, f32::max));
    let sum = finite.iter().fold(0.0, |sum, rate| sum + f64::from(*rate));
    assert_eq!(summary.mean, if finite.is_empty() { 0.0 } else { sum / finite.len() as f64 });
    assert_eq!(summary.below, finite.iter().filter(|rate| **rate < threshold).count());
    let stalled = accumulator.iter().filter(|a| options.accumulate(**a, gradient) == **a).count();
    assert_eq!(summary.stalled, stalled);
    for (bin, count) in summary.histogram.iter().enumerate() {
        let (lower, upper) = Summary::decade(bin).expect("a bin");
        assert_eq!(*count, finite.iter().filter(|rate| lower <= **rate && **rate < upper).count(), "bin {bin}");
    }
    assert!((0.0..=1.0).contains(&summary.share_below()));
}

/// A number of any size, mostly one that a schedule may have.
fn number(input: &mut Input) -> f64 {
    match input.below(16) {
        0 => f64::from_bits(input.any()),
        1 => f64::from(input.hyperparameter()),
        n => f64::from(input.any::<u16>()) / 10.0_f64.powi(n as i32 / 3),
    }
}

fn steps(input: &mut Input) -> u64 {
    let bits = input.below(65) as u32;
    input.any::<u64>().checked_shr(bits).unwrap_or(0)
}

fn schedules(input: &mut Input) {
    let (rate, decay, floor) = (number(input), number(input), number(input));
    let (warm_up, start, span, at) = (steps(input), steps(input), steps(input), steps(input));
    let (base, shape) = (input.below(3), input.below(3));
    let mut schedule = match base {
        0 => Schedule::constant(rate),
        1 => Schedule::inverse_time(rate, decay),
        _ => Schedule::inverse_sqrt(rate),
    }
    .with_warm_up(warm_up);
    let t = at.max(1);
    let mut expected = match base {
        0 => rate,
        1 => rate / (1.0 + (t - 1) as f64 * decay),
        _ => rate / (t as f64).sqrt(),
    };
    if t < warm_up {
        expected *= t as f64 / warm_up as f64;
    }
    let passed = if t <= start {
        0.0
    } else if t - start >= span {
        1.0
    } else {
        (t - start) as f64 / span as f64
    };
    let mut uncertain = 0.0;
    match shape {
        0 => {}
        1 => {
            schedule = schedule.with_linear_cool_down(start, span, floor);
            expected *= 1.0 - (1.0 - floor) * passed;
        }
        _ => {
            schedule = schedule.with_cosine_cool_down(start, span, floor);
            // `std`'s cosine may differ from that of `libm` in its last bits.
            uncertain = expected.abs() * (1.0 + floor.abs()) * 1e-15;
            expected *= floor + (1.0 - floor) * ((1.0 + (core::f64::consts::PI * passed).cos()) / 2.0);
        }
    }
    count(1);
    let actual = schedule.at(at);
    let near = || (expected - uncertain) as f32 <= actual && actual <= (expected + uncertain) as f32;
    assert!(
        same(actual, expected as f32) || shape == 2 && (near() || !expected.is_finite()),
        "{schedule:?} at {at} is {actual:e}, expected {expected:e}"
    );
}
