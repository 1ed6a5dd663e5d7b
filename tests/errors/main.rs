//! Bad input gives an error that says which argument, what it was and what was expected, and writes nothing.

mod backends;
mod lists;

use adagrad::{
    Accumulation, Adagrad, Backend, Epsilon, Error, Report, RowIndex, Table, WeightDecay, check_accumulator, coalesce,
};

const PARAMS: [f32; 6] = [1.0, -2.0, 3.0, -4.0, 5.0, -6.0];
const ACCUMULATOR: [f32; 6] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5];

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

/// The error of a dense step, after which nothing may have changed.
fn dense(opt: Adagrad, grads: usize, accumulator_len: usize) -> Error {
    let mut error = None;
    for backend in Backend::available() {
        let (mut params, mut accumulator) = (PARAMS, ACCUMULATOR);
        let opt = opt.with_backend(backend);
        error = opt.step(&mut params, &[1.0; 9][..grads], &mut accumulator[..accumulator_len]).err();
        assert!(error.is_some());
        assert_eq!(bits(&params), bits(&PARAMS));
        assert_eq!(bits(&accumulator), bits(&ACCUMULATOR));
    }
    error.expect("an error on each backend")
}

/// The error of a step for rows of a table of 3 × 2, after which nothing may have changed.
fn rows<I: RowIndex>(opt: Adagrad, rows: &[I], grads: &[f32]) -> Error {
    let mut error = None;
    for backend in Backend::available() {
        let (mut params, mut accumulator) = (PARAMS, ACCUMULATOR);
        let mut table = Table::new(&mut params, &mut accumulator, 2).expect("valid");
        let opt = opt.with_backend(backend);
        error = opt.step_rows(&mut table, rows, grads).err();
        let mut row_accumulator = [0.5; 3];
        let mut other_params = PARAMS;
        let mut row_wise = Table::row_wise(&mut other_params, &mut row_accumulator, 2).expect("valid");
        // As text, in which NaN equals NaN.
        assert_eq!(format!("{:?}", opt.step_rows(&mut row_wise, rows, grads).err()), format!("{error:?}"));
        assert!(error.is_some());
        assert_eq!(bits(&params), bits(&PARAMS));
        assert_eq!(bits(&accumulator), bits(&ACCUMULATOR));
        assert_eq!(bits(&other_params), bits(&PARAMS));
        assert_eq!(row_accumulator, [0.5; 3]);
    }
    error.expect("an error on each backend")
}

#[test]
fn lengths() {
    let opt = Adagrad::new(0.1);
    for grads in [0, 5, 7] {
        assert_eq!(dense(opt, grads, 6), Error::Length { what: "grads", expected: 6, actual: grads });
    }
    for accumulator in [0, 5] {
        let expected = Error::Length { what: "accumulator", expected: 6, actual: accumulator };
        assert_eq!(dense(opt, 6, accumulator), expected);
    }
    for grads in [0, 3, 5, 6] {
        let expected = Error::Length { what: "grads", expected: 4, actual: grads };
        assert_eq!(rows(opt, &[0_u32, 1], &[1.0; 6][..grads]), expected);
    }
}

#[test]
fn hyper_parameters() {
    let new = Adagrad::new(0.1);
    let at_least_0 = [-1.0, -1e-45, f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
    let mut cases = Vec::new();
    for value in at_least_0 {
        cases.push((Adagrad::new(value), "learning_rate", value));
        cases.push((new.with_learning_rate(value), "learning_rate", value));
        cases.push((new.with_epsilon(Epsilon::InsideSqrt(value)), "epsilon", value));
        cases.push((new.with_epsilon(Epsilon::OutsideSqrt(value)), "epsilon", value));
        cases.push((new.with_weight_decay(WeightDecay::L2(value)), "weight_decay", value));
        cases.push((new.with_weight_decay(WeightDecay::Decoupled(value)), "weight_decay", value));
        cases.push((new.with_clip_value(value), "clip_value", value));
        cases.push((new.with_initial_accumulator(value), "initial_accumulator", value));
    }
    cases.push((new.with_clip_value(0.0), "clip_value", 0.0));
    for value in [-0.1, 1.0, 1.5, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        cases.push((new.with_accumulation(Accumulation::Leaky(value)), "accumulation", value));
        cases.push((new.with_accumulation(Accumulation::Ema(value)), "accumulation", value));
    }
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        cases.push((new.with_gradient_scale(value), "gradient_scale", value));
    }
    for (opt, name, value) in cases {
        for error in [dense(opt, 6, 6), rows(opt, &[0_i64], &[1.0; 2])] {
            let Error::Hyperparameter { what, value: found, .. } = error else { panic!("{name}: {error:?}") };
            // Bits of a NaN that went through arithmetic are nobody's promise.
            assert!(found.to_bits() == value.to_bits() || found.is_nan() && value.is_nan(), "{name}: {found}, {value}");
            assert_eq!(what, name);
        }
    }
    for fine in [
        new.with_learning_rate(0.0),
        new.with_learning_rate(f32::MAX),
        new.with_gradient_scale(-1.0),
        new.with_gradient_scale(0.0),
        new.with_epsilon(Epsilon::InsideSqrt(0.0)),
        new.with_epsilon(Epsilon::OutsideSqrt(-0.0)),
        new.with_weight_decay(WeightDecay::L2(0.0)),
        new.with_clip_value(f32::from_bits(1)),
        new.with_accumulation(Accumulation::Ema(0.0)),
        new.with_initial_accumulator(0.0),
        new.with_initial_accumulator(f32::MAX),
    ] {
        assert_eq!(fine.validate(), Ok(()), "{fine:?}");
        assert!(fine.step(&mut [1.0], &[1.0], &mut [1.0]).is_ok(), "{fine:?}");
    }
}

#[test]
fn row_indices() {
    let opt = Adagrad::new(0.1);
    let at_1 = |row| Error::Row { position: 1, row, rows: 3 };
    assert_eq!(rows(opt, &[0_u32, 3, 7], &[1.0; 6]), at_1(3));
    assert_eq!(rows(opt, &[0_u32, u32::MAX], &[1.0; 4]), at_1(u32::MAX.into()));
    assert_eq!(rows(opt, &[0_u64, u64::MAX], &[1.0; 4]), at_1(u64::MAX.into()));
    assert_eq!(rows(opt, &[0, usize::MAX], &[1.0; 4]), at_1(usize::MAX as i128));
    assert_eq!(rows(opt, &[0_i32, -1], &[1.0; 4]), at_1(-1));
    assert_eq!(rows(opt, &[0_i32, i32::MIN], &[1.0; 4]), at_1(i32::MIN.into()));
    assert_eq!(rows(opt, &[0_i64, i64::MIN], &[1.0; 4]), at_1(i64::MIN.into()));
    let half = usize::MAX / 2 + 1; // twice this wraps to 0
    assert_eq!(rows(opt, &[2, half], &[1.0; 4]), at_1(half as i128));
}

#[test]
fn tables() {
    let mut params = PARAMS;
    let mut accumulator = ACCUMULATOR;
    let mut new = |params_len: usize, accumulator_len: usize, dim| {
        Table::new(&mut params[..params_len], &mut accumulator[..accumulator_len], dim).err()
    };
    assert_eq!(new(6, 6, 0), Some(Error::ZeroDim));
    assert_eq!(new(0, 0, 0), Some(Error::ZeroDim));
    assert_eq!(new(6, 6, 4), Some(Error::NotRows { what: "params", len: 6, row: 4 }));
    assert_eq!(new(6, 6, usize::MAX), Some(Error::NotRows { what: "params", len: 6, row: usize::MAX }));
    assert_eq!(new(6, 3, 2), Some(Error::Length { what: "accumulator", expected: 6, actual: 3 }));
    assert_eq!(new(6, 6, 2), None);
    assert_eq!(new(0, 0, 2), None);
    let mut row_wise =
        |accumulator_len: usize, dim| Table::row_wise(&mut params, &mut accumulator[..accumulator_len], dim).err();
    assert_eq!(row_wise(3, 0), Some(Error::ZeroDim));
    assert_eq!(row_wise(3, 5), Some(Error::NotRows { what: "params", len: 6, row: 5 }));
    assert_eq!(row_wise(6, 2), Some(Error::Length { what: "accumulator", expected: 3, actual: 6 }));
    assert_eq!(row_wise(3, 2), None);
}

#[test]
fn a_product_beyond_usize() {
    let opt = Adagrad::new(0.1);
    let overflow = Error::Overflow { rows: 2, dim: usize::MAX };
    // A table without rows may have any number of columns.
    let mut table = Table::new(&mut [], &mut [], usize::MAX).expect("valid");
    assert_eq!(opt.step_rows(&mut table, &[0_u32, 0], &[]), Err(overflow));
    assert_eq!(coalesce(&mut [0_u32, 0], &mut [], usize::MAX, &mut [0; 2]), Err(overflow));
}

#[test]
fn empty_input_does_nothing() {
    let opt = Adagrad::new(0.1);
    assert_eq!(opt.step(&mut [], &[], &mut []), Ok(Report::default()));
    let (mut params, mut accumulator) = (PARAMS, ACCUMULATOR);
    let mut table = Table::new(&mut params, &mut accumulator, 3).expect("valid");
    assert_eq!(opt.step_rows::<u32>(&mut table, &[], &[]), Ok(Report::default()));
    assert_eq!(bits(&params), bits(&PARAMS));
    assert_eq!(coalesce::<u32>(&mut [], &mut [], 5, &mut []), Ok(0));
}

#[test]
fn stepping_and_zeroing_checks_before_it_writes() {
    for (opt, grads_len, accumulator_len) in
        [(Adagrad::new(0.1), 5, 6), (Adagrad::new(0.1), 6, 5), (Adagrad::new(-1.0), 6, 6)]
    {
        let (mut params, mut grads, mut accumulator) = (PARAMS, [2.0; 6], ACCUMULATOR);
        let result = opt.step_and_zero(&mut params, &mut grads[..grads_len], &mut accumulator[..accumulator_len]);
        assert!(result.is_err());
        assert_eq!((bits(&params), grads, bits(&accumulator)), (bits(&PARAMS), [2.0; 6], bits(&ACCUMULATOR)));
    }
}

#[test]
fn diagnostics() {
    let mut rates = [7.0; 3];
    let error = Error::Length { what: "rates", expected: 2, actual: 3 };
    assert_eq!(Adagrad::new(0.1).effective_rates(&[1.0; 2], &mut rates), Err(error));
    assert!(Adagrad::new(-0.1).effective_rates(&[1.0; 3], &mut rates).is_err());
    assert!(Adagrad::new(-0.1).summary(&[1.0; 3], 0.0, 1.0).is_err());
    assert_eq!(rates, [7.0; 3]);
}

/// The check of a state names the first accumulator that is negative, infinite or NaN, wherever it is.
#[test]
fn a_state_that_no_step_can_repair() {
    let lengths = if cfg!(miri) { &[1, 2, 17, 40][..] } else { &[1, 2, 15, 16, 17, 64, 100, 1025, 5000] };
    for &length in lengths {
        let fine = vec![-0.0, 0.0, 1e-45, 0.1, f32::MAX].into_iter().cycle().take(length).collect::<Vec<f32>>();
        assert_eq!(check_accumulator(&fine), Ok(()));
        for at in (0..length).step_by(1 + length / 100).chain([length - 1]) {
            for bad in [-0.1, -1e-45, f32::MIN, f32::NEG_INFINITY, f32::INFINITY, f32::NAN, -f32::NAN] {
                let mut state = fine.clone();
                state[at] = bad;
                state[length - 1] = if at < length - 1 { f32::NAN } else { bad };
                let Err(Error::Accumulator { position, value }) = check_accumulator(&state) else {
                    panic!("{bad} at {at} of {length} is not found");
                };
                assert_eq!((position, value.to_bits()), (at, bad.to_bits()), "{length}");
            }
        }
    }
    assert_eq!(check_accumulator(&[]), Ok(()));
}

#[test]
fn messages_name_argument_value_and_expectation() {
    let cases = [
        (Error::Length { what: "grads", expected: 6, actual: 5 }, "grads has length 5, expected 6"),
        (Error::TooShort { what: "scratch", minimum: 3, actual: 2 }, "scratch has length 2, expected at least 3"),
        (Error::ZeroDim, "dim is 0, expected at least 1"),
        (
            Error::NotRows { what: "params", len: 6, row: 4 },
            "params has length 6, expected a multiple of 4, the length of a row",
        ),
        (
            Error::Row { position: 1, row: -1, rows: 3 },
            "rows[1] is -1, expected 0 or more and less than 3, the table's rows",
        ),
        (Error::Offset { position: 2, offset: -1, least: 1, greatest: 3 }, "offsets[2] is -1, expected 1 to 3"),
        (Error::NoOwners, "there are 0 owners, expected at least 1"),
        (Error::Range { position: 2, end: 3, start: 4 }, "ends[2] is 3, expected at least 4, where its range begins"),
        (Error::Overflow { rows: 2, dim: 9 }, "2 rows of 9 columns overflow usize"),
        (
            Error::Hyperparameter { what: "epsilon", value: f32::NAN, expected: "finite and at least 0" },
            "epsilon is NaN, expected finite and at least 0",
        ),
        (Error::Accumulator { position: 3, value: -0.1 }, "accumulator[3] is -0.1, expected finite and at least 0"),
        (
            Error::Unavailable { backend: Backend::Avx512 },
            "the avx512 backend is not available on this CPU or in this build",
        ),
    ];
    for (error, message) in cases {
        assert_eq!(error.to_string(), message);
        let _: &dyn core::error::Error = &error;
    }
}
