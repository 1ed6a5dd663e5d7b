//! Every backend gives the bits of the naive reference, over lengths, offsets, options, dims and special values.
//!
//! A backend that this CPU lacks is skipped with a line that says so, or, if `ADAGRAD_REQUIRE_BACKENDS` names it
//! (comma-separated), fails.

mod inputs;
mod reference;

use adagrad::{Adagrad, Arithmetic, Backend, Epsilon, NonFinite, Table};
use inputs::{LENGTHS, OFFSETS, Random, SPECIAL, State, options};
use reference::{Options, assert_same};

/// Stamps each test for each backend.
macro_rules! for_each_backend {
    ($($test:ident),+ $(,)?) => {
        for_each_backend!(@ scalar Scalar $($test)+);
        for_each_backend!(@ portable Portable $($test)+);
        for_each_backend!(@ avx2 Avx2 $($test)+);
        for_each_backend!(@ avx512 Avx512 $($test)+);
    };
    (@ $module:ident $backend:ident $($test:ident)+) => {
        mod $module {
            $(
                #[test]
                fn $test() {
                    super::on(adagrad::Backend::$backend, super::$test);
                }
            )+
        }
    };
}

for_each_backend!(
    dense_over_lengths_and_offsets,
    dense_over_options,
    dense_over_special_values,
    dense_split_anywhere,
    rows_over_dims,
    row_wise_over_dims,
    rows_over_options,
    index_types,
    stepping_and_zeroing,
    effective_rates,
    finiteness,
    sums_of_squares,
);

fn on(backend: Backend, test: fn(Backend)) {
    let required = std::env::var("ADAGRAD_REQUIRE_BACKENDS").unwrap_or_default();
    if backend.is_available() {
        test(backend);
    } else if required.split(',').any(|name| name == backend.to_string()) {
        panic!("ADAGRAD_REQUIRE_BACKENDS names {backend}, which this machine or build does not have");
    } else {
        println!("SKIPPED: no {backend} on this machine or in this build");
    }
}

/// Runs one dense step on the backend and in the reference, `offset` elements into the allocations.
fn check_dense(backend: Backend, options: &Options, state: &State, offset: usize) {
    let mut expected = state.clone();
    let skipped =
        options.step(&mut expected.params[offset..], &state.grads[offset..], &mut expected.accumulator[offset..]);
    let mut actual = state.clone();
    let report = options
        .adagrad()
        .step_on(backend, &mut actual.params[offset..], &state.grads[offset..], &mut actual.accumulator[offset..])
        .expect("valid");
    let context = |what| format!("{backend}: {what} of {} elements from {offset}, {options:?}", state.params.len());
    assert_same(&actual.accumulator, &expected.accumulator, context("accumulator"));
    assert_same(&actual.params, &expected.params, context("params"));
    assert_eq!(report.skipped, skipped, "{}", context("elements skipped"));
}

fn dense_over_lengths_and_offsets(backend: Backend) {
    for length in LENGTHS {
        for offset in OFFSETS {
            for epsilon in [Epsilon::OutsideSqrt(1e-10), Epsilon::InsideSqrt(1e-7)] {
                for arithmetic in [Arithmetic::Separate, Arithmetic::Fused] {
                    let options = Options { arithmetic, ..Options::new(0.1, epsilon) };
                    check_dense(
                        backend,
                        &options,
                        &State::new(offset + length, length as u64, Random::ordinary),
                        offset,
                    );
                }
            }
        }
    }
}

fn dense_over_options(backend: Backend) {
    let ordinary = State::new(1031, 1, Random::ordinary);
    let any = State::new(1031, 2, Random::any);
    for options in options() {
        check_dense(backend, &options, &ordinary, 0);
        check_dense(backend, &options, &any, 0);
    }
}

/// Every special parameter with every special gradient and every special accumulator that is not negative.
fn dense_over_special_values(backend: Backend) {
    let mut state = State { params: Vec::new(), grads: Vec::new(), accumulator: Vec::new() };
    for w in SPECIAL {
        for g in SPECIAL {
            for a in SPECIAL.into_iter().filter(|a| a.is_nan() || *a >= 0.0) {
                state.params.push(w);
                state.grads.push(g);
                state.accumulator.push(a);
            }
        }
    }
    for options in options() {
        check_dense(backend, &options, &state, 0);
    }
}

fn dense_split_anywhere(backend: Backend) {
    let opt = Adagrad::pytorch(0.1);
    let state = State::new(83, 3, Random::any);
    let mut whole = state.clone();
    opt.step_on(backend, &mut whole.params, &state.grads, &mut whole.accumulator).expect("valid");
    for at in 0..=83 {
        let mut split = state.clone();
        for part in [0..at, at..83] {
            opt.step_on(
                backend,
                &mut split.params[part.clone()],
                &state.grads[part.clone()],
                &mut split.accumulator[part],
            )
            .expect("valid");
        }
        assert_same(&split.params, &whole.params, format!("{backend}: params split at {at}"));
        assert_same(&split.accumulator, &whole.accumulator, format!("{backend}: accumulator split at {at}"));
    }
}

const ROWS: usize = 11;

/// Runs one step for rows, duplicates among them, on the backend and in the reference.
fn check_rows(backend: Backend, options: &Options, dim: usize, row_wise: bool, value: fn(&mut Random) -> f32) {
    let mut random = Random(dim as u64);
    let rows: Vec<usize> = (0..7).map(|_| random.below(ROWS)).chain([3, 3]).collect();
    let grads: Vec<f32> = (0..rows.len() * dim).map(|_| value(&mut random)).collect();
    let mut expected = State::new(ROWS * dim, dim as u64 + 1, value);
    if row_wise {
        expected.accumulator.truncate(ROWS);
    }
    let mut actual = expected.clone();

    let reference = if row_wise { Options::step_row_wise } else { Options::step_rows };
    let skipped = reference(options, &mut expected.params, &mut expected.accumulator, dim, &rows, &grads);

    let new = if row_wise { Table::row_wise } else { Table::new };
    let mut table = new(&mut actual.params, &mut actual.accumulator, dim).expect("valid");
    let report = options.adagrad().step_rows_on(backend, &mut table, &rows, &grads).expect("valid");

    let context = |what| format!("{backend}: {what}, dim {dim}, row-wise {row_wise}, {options:?}");
    assert_same(&actual.accumulator, &expected.accumulator, context("accumulator"));
    assert_same(&actual.params, &expected.params, context("params"));
    assert_eq!(report.skipped, skipped, "{}", context("skipped"));
}

fn over_dims(backend: Backend, row_wise: bool) {
    for dim in (1..=130).chain([255, 256, 257, 1000, 1024, 1025, 2048, 4099]) {
        for arithmetic in [Arithmetic::Separate, Arithmetic::Fused] {
            let options = Options { arithmetic, ..Options::new(0.1, Epsilon::OutsideSqrt(1e-8)) };
            check_rows(backend, &options, dim, row_wise, Random::ordinary);
            check_rows(backend, &options, dim, row_wise, Random::any);
        }
    }
}

fn rows_over_dims(backend: Backend) {
    over_dims(backend, false);
}

fn row_wise_over_dims(backend: Backend) {
    over_dims(backend, true);
}

fn rows_over_options(backend: Backend) {
    for options in options() {
        for dim in [1, 7, 8, 16, 37] {
            for row_wise in [false, true] {
                check_rows(backend, &options, dim, row_wise, Random::ordinary);
                check_rows(backend, &options, dim, row_wise, Random::any);
            }
        }
    }
}

fn index_types(backend: Backend) {
    fn params<I: adagrad::RowIndex>(backend: Backend, rows: [I; 3]) -> Vec<f32> {
        let (mut params, mut accumulator) = (vec![0.0; 4 * 5], vec![0.0; 4 * 5]);
        let mut table = Table::new(&mut params, &mut accumulator, 5).expect("valid");
        let grads: Vec<f32> = (0..15).map(|j| j as f32 - 7.0).collect();
        Adagrad::new(0.1).step_rows_on(backend, &mut table, &rows, &grads).expect("valid");
        params
    }
    let expected = params(backend, [3_usize, 0, 3]);
    assert_eq!(params(backend, [3_u32, 0, 3]), expected);
    assert_eq!(params(backend, [3_u64, 0, 3]), expected);
    assert_eq!(params(backend, [3_i32, 0, 3]), expected);
    assert_eq!(params(backend, [3_i64, 0, 3]), expected);
}

fn stepping_and_zeroing(backend: Backend) {
    let opt = Adagrad::new(0.1).with_non_finite(NonFinite::Skip);
    for length in [0, 1, 17, 1023, 1024, 1025, 5000] {
        let state = State::new(length, 4, Random::any);
        let mut expected = state.clone();
        let expected_report =
            opt.step_on(backend, &mut expected.params, &state.grads, &mut expected.accumulator).expect("valid");
        let mut actual = state.clone();
        let report = opt
            .step_and_zero_on(backend, &mut actual.params, &mut actual.grads, &mut actual.accumulator)
            .expect("valid");
        assert_eq!(report, expected_report);
        assert_same(&actual.params, &expected.params, format!("{backend}: params of {length}"));
        assert_same(&actual.accumulator, &expected.accumulator, format!("{backend}: accumulator of {length}"));
        assert_same(&actual.grads, &vec![0.0; length], format!("{backend}: gradients of {length}"));
    }
}

fn effective_rates(backend: Backend) {
    for length in LENGTHS {
        let state = State::new(length, 5, Random::any);
        for epsilon in [Epsilon::OutsideSqrt(1e-8), Epsilon::InsideSqrt(1e-8), Epsilon::InsideSqrt(0.0)] {
            let options = Options::new(0.1, epsilon);
            let expected: Vec<f32> = state.accumulator.iter().map(|a| 0.1 / options.denominator(*a)).collect();
            let mut rates = vec![7.0; length];
            options.adagrad().effective_rates_on(backend, &state.accumulator, &mut rates).expect("valid");
            assert_same(&rates, &expected, format!("{backend}: rates of {length}, {epsilon:?}"));
        }
    }
}

fn finiteness(backend: Backend) {
    for length in LENGTHS.into_iter().chain([1024, 4097]) {
        let mut values = State::new(length, 6, Random::ordinary).params;
        assert_eq!(adagrad::all_finite_on(backend, &values), Ok(true), "{length}");
        for at in 0..length {
            for bad in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN, -f32::NAN] {
                let good = core::mem::replace(&mut values[at], bad);
                assert_eq!(adagrad::all_finite_on(backend, &values), Ok(false), "{bad} at {at} of {length}");
                values[at] = good;
            }
        }
    }
    let finite: Vec<f32> = SPECIAL.into_iter().filter(|x| x.is_finite()).collect();
    assert_eq!(adagrad::all_finite_on(backend, &finite), Ok(true));
}

/// The documented order, written plainly.
fn plain_sum_of_squares(values: &[f32]) -> f64 {
    let mut totals = vec![0.0; 32];
    for stride in values.chunks(4096) {
        let mut sums = [0.0_f32; 32];
        for (j, x) in stride.iter().enumerate() {
            sums[j % 32] += x * x;
        }
        for (total, sum) in totals.iter_mut().zip(sums) {
            *total += f64::from(sum);
        }
    }
    while totals.len() > 1 {
        totals = totals.chunks(2).map(|pair| pair[0] + pair[1]).collect();
    }
    totals[0]
}

fn sums_of_squares(backend: Backend) {
    for length in LENGTHS.into_iter().chain([4095, 4096, 4097, 8192, 10_000]) {
        let values = State::new(length, 7, Random::ordinary).params;
        let sum = adagrad::sum_of_squares_on(backend, &values).expect("available");
        assert_eq!(sum.to_bits(), plain_sum_of_squares(&values).to_bits(), "{backend}: {length}");
        let exact: f64 = values.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
        // 128 additions and a product in f32, each with a relative error of 2⁻²⁴ at most.
        assert!((sum - exact).abs() <= exact * 129.0 * 2.0_f64.powi(-24), "{sum} for {exact}");
    }
}

#[test]
fn the_detected_backend_is_the_last_available() {
    assert_eq!(Backend::available().last(), Some(Backend::detected()));
}
