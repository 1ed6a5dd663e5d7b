//! The step for rows.

use adagrad::{Adagrad, Counter, Error, MixedTable, Rounding};
use half::{bf16, f16};

use crate::backends;
use crate::inputs::{Random, State, options, plain_options};
use crate::reference::Options;
use crate::reference::mixed::{Stored, words};
use crate::{assert_same_values, stored};

const TABLE_ROWS: usize = 9;
const FIRST_ROW: u64 = 1 << 33;
const FIRST_POSITION: u64 = 1000;

/// Steps some rows, several of them twice, on every backend, rounding to the nearest and by chance.
#[track_caller]
fn check<P: Stored, G: Stored, A: Stored>(options: Options, dim: usize, row_wise: bool, value: fn(&mut Random) -> f32) {
    let mut random = Random(dim as u64);
    let rows: Vec<usize> = (0..14).map(|_| random.below(TABLE_ROWS)).collect();
    let state = State::new(TABLE_ROWS * dim, 1, value);
    let params: Vec<P> = stored(&state.params);
    let sums = if row_wise { TABLE_ROWS } else { TABLE_ROWS * dim };
    let accumulator: Vec<A> = stored(&state.accumulator[..sums]);
    let grads: Vec<G> = stored(&State::new(rows.len() * dim, 2, value).grads);
    let counter = Counter::new(5, 6).with_first(FIRST_ROW).with_position(FIRST_POSITION);
    for rounding in [Rounding::Nearest, Rounding::Stochastic(counter)] {
        let (mut expected_w, mut expected_a, mut skipped) = (params.clone(), accumulator.clone(), 0);
        for (position, row) in rows.iter().enumerate() {
            let words = |column| match rounding {
                Rounding::Stochastic(_) => {
                    words([5, 6], [FIRST_ROW + *row as u64, FIRST_POSITION + position as u64, column])
                }
                _ => None,
            };
            let w = &mut expected_w[row * dim..(row + 1) * dim];
            let g = &grads[position * dim..(position + 1) * dim];
            skipped += if row_wise {
                usize::from(options.step_mixed_row(w, g, &mut expected_a[*row], words))
            } else {
                options.step_mixed(w, g, &mut expected_a[row * dim..(row + 1) * dim], words)
            };
        }
        for &backend in backends() {
            let (mut w, mut a) = (params.clone(), accumulator.clone());
            let mut table = if row_wise {
                MixedTable::row_wise(&mut w, &mut a, dim).expect("a table")
            } else {
                MixedTable::new(&mut w, &mut a, dim).expect("a table")
            };
            let report = options.on(backend).step_mixed_rows(&mut table, &rows, &grads, rounding).expect("valid");
            let types = [P::NAME, G::NAME, A::NAME];
            let context =
                format!("{types:?}, {dim} columns, row-wise {row_wise}, {rounding:?}, {:?}", options.on(backend));
            assert_same_values(&w, &expected_w, &context);
            assert_same_values(&a, &expected_a, &context);
            assert_eq!(report.skipped, skipped, "{context}");
        }
    }
}

fn check_types(options: Options, dim: usize, value: fn(&mut Random) -> f32) {
    for row_wise in [false, true] {
        check::<bf16, f16, f32>(options, dim, row_wise, value);
        check::<f16, f32, bf16>(options, dim, row_wise, value);
        check::<f32, bf16, f16>(options, dim, row_wise, value);
    }
}

#[test]
fn over_columns() {
    for dim in (1..=40).chain([63, 64, 65, 127, 128, 129, 200, 1000]) {
        for (number, options) in plain_options().into_iter().enumerate() {
            check_types(options, dim, [Random::ordinary, Random::sprinkled][number % 2]);
        }
    }
}

#[test]
fn over_options() {
    for (number, options) in options().into_iter().enumerate() {
        let value = [Random::sprinkled, Random::any, Random::any_exponent, Random::ordinary][number % 4];
        check_types(options, [5, 8, 19, 64][number / 4 % 4], value);
    }
}

/// With `f32` for all, and to the nearest, the bits are those of `step_rows`; a large table, which is asked for ahead.
#[test]
fn large_tables_have_the_bits_of_one_step_after_the_other() {
    let dim = 64;
    let mut random = Random(3);
    let rows: Vec<u32> = (0..3000).map(|_| random.below(4096) as u32).collect();
    let grads: Vec<bf16> = stored(&State::new(rows.len() * dim, 1, Random::ordinary).grads);
    let (mut w, mut a) = (vec![bf16::ONE; 4096 * dim], vec![0.0_f32; 4096]);
    let (mut w_one, mut a_one) = (w.clone(), a.clone());
    let opt = Adagrad::fbgemm(0.1);
    let counter = Counter::new(1, 2);
    let mut table = MixedTable::row_wise(&mut w, &mut a, dim).expect("a table");
    opt.step_mixed_rows(&mut table, &rows, &grads, Rounding::Stochastic(counter)).expect("valid");
    for (position, (row, g)) in rows.iter().zip(grads.chunks(dim)).enumerate() {
        // A part of the table, and of the step.
        let row = *row as usize;
        let (w, a) = (&mut w_one[row * dim..(row + 1) * dim], &mut a_one[row..=row]);
        let mut table = MixedTable::row_wise(w, a, dim).expect("a table");
        let rounding = Rounding::Stochastic(counter.with_first(row as u64).with_position(position as u64));
        opt.step_mixed_rows(&mut table, &[0_u64], g, rounding).expect("valid");
    }
    assert_same_values(&w, &w_one, "parameters");
    assert_same_values(&a, &a_one, "accumulators");
}

/// A row's two steps in one call, each in the middle between two values, do not go the same way.
#[test]
fn each_step_of_a_row_has_its_own_bits() {
    let dim = 4096;
    let (mut w, mut a) = (vec![bf16::ONE; dim], vec![0.0_f32]);
    let grads = vec![1.0_f32; 2 * dim];
    // From 1, by a quarter of the distance to the next value below, twice.
    let opt = Adagrad::fbgemm(1.0 / 1024.0);
    let mut table = MixedTable::row_wise(&mut w, &mut a, dim).expect("a table");
    let rounding = Rounding::Stochastic(Counter::new(1, 1));
    opt.step_mixed_rows(&mut table, &[0_u32, 0], &grads, rounding).expect("valid");
    let mean = w.iter().map(|w| f64::from(*w)).sum::<f64>() / dim as f64;
    let expected = 1.0 - (1.0 + 0.5_f64.sqrt()) / 1024.0;
    // The distance below 1 is 2⁻⁸, and each step's variance at most a quarter of its square.
    assert!((mean - expected).abs() < 5.0 / 256.0 * (0.5 / dim as f64).sqrt(), "{mean}, expected {expected}");
}

/// Rows that each have one gradient: in any order, in any number of calls, in parts of the table.
#[test]
fn without_positions_the_bits_do_not_depend_on_how_gradients_are_divided() {
    let (rows_in_all, dim) = (64, 19);
    let mut random = Random(5);
    let mut rows: Vec<u32> = (0..rows_in_all as u32).collect();
    let grads: Vec<f32> = State::new(rows_in_all * dim, 1, Random::ordinary).grads;
    let opt = Adagrad::new(0.01);
    let counter = Counter::new(3, 4).without_positions();
    let (mut w, mut a) = (vec![bf16::ONE; rows_in_all * dim], vec![bf16::ONE; rows_in_all * dim]);
    let (mut w_divided, mut a_divided) = (w.clone(), a.clone());
    let mut table = MixedTable::new(&mut w, &mut a, dim).expect("a table");
    opt.step_mixed_rows(&mut table, &rows, &grads, Rounding::Stochastic(counter)).expect("valid");
    for position in (1..rows_in_all).rev() {
        rows.swap(position, random.below(position + 1));
    }
    for calls in rows.chunks(7) {
        for first in [0, rows_in_all / 2] {
            let here = first..first + rows_in_all / 2;
            let of_half = here.start * dim..here.end * dim;
            let mine: Vec<usize> = calls.iter().map(|row| *row as usize).filter(|row| here.contains(row)).collect();
            let g: Vec<f32> = mine.iter().flat_map(|row| &grads[row * dim..(row + 1) * dim]).copied().collect();
            let local: Vec<u64> = mine.iter().map(|row| (row - first) as u64).collect();
            let (w, a) = (&mut w_divided[of_half.clone()], &mut a_divided[of_half]);
            let mut table = MixedTable::new(w, a, dim).expect("a table");
            let rounding = Rounding::Stochastic(counter.with_first(first as u64));
            opt.step_mixed_rows(&mut table, &local, &g, rounding).expect("valid");
        }
    }
    assert_same_values(&w, &w_divided, "parameters");
    assert_same_values(&a, &a_divided, "accumulators");
}

#[test]
fn padding_and_rows_out_of_range() {
    let opt = Adagrad::new(0.5);
    let (mut w, mut a) = ([bf16::ZERO; 3], [bf16::ZERO; 3]);
    let mut table = MixedTable::new(&mut w, &mut a, 1).expect("a table").with_padding_row(1);
    assert_eq!((table.rows(), table.dim()), (3, 1));
    opt.step_mixed_rows(&mut table, &[0_i32, 1], &[1.0_f32; 2], Rounding::Nearest).expect("valid");
    let error = opt.step_mixed_rows(&mut table, &[0_i32, -1], &[1.0_f32; 2], Rounding::Nearest);
    assert_eq!(error, Err(Error::Row { position: 1, row: -1, rows: 3 }));
    let mut table = table.with_out_of_range_skipped(true);
    let report = opt.step_mixed_rows(&mut table, &[2_i32, -1, 7], &[1.0_f32; 3], Rounding::Nearest).expect("valid");
    assert_eq!(report.out_of_range, 2);
    assert_eq!(w.map(f32::from), [-0.5, 0.0, -0.5]);
    assert_eq!(a.map(f32::from), [1.0, 0.0, 1.0]);
}

#[test]
fn a_table_shows_what_it_holds() {
    let (mut w, mut a) = ([1.0, 2.0, 3.0, 4.0].map(f16::from_f32), [5.0_f32, 6.0]);
    let mut table = MixedTable::row_wise(&mut w, &mut a, 2).expect("a table");
    assert_eq!(table.params(), Some(&[1.0, 2.0, 3.0, 4.0].map(f16::from_f32)[..]));
    assert_eq!(table.accumulator(), Some(&[5.0, 6.0][..]));
    table.params_mut().expect("two slices")[3] = f16::ZERO;
    table.accumulator_mut().expect("two slices")[0] = 7.0;
    assert_eq!((w[3], a), (f16::ZERO, [7.0, 6.0]));
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_written() {
    let opt = Adagrad::new(0.5);
    let (mut w, mut a) = ([f16::ONE; 4], [f16::ONE; 4]);
    let short = opt.step_mixed(&mut w, &[1.0_f32; 3], &mut a, Rounding::Nearest);
    assert_eq!(short, Err(Error::Length { what: "grads", expected: 4, actual: 3 }));
    let short = opt.step_mixed(&mut w, &[1.0_f32; 4], &mut a[..2], Rounding::Nearest);
    assert_eq!(short, Err(Error::Length { what: "accumulator", expected: 4, actual: 2 }));
    let bad = Adagrad::new(-1.0).step_mixed(&mut w, &[1.0_f32; 4], &mut a, Rounding::Nearest);
    assert!(matches!(bad, Err(Error::Hyperparameter { what: "learning_rate", .. })));
    assert!(matches!(MixedTable::new(&mut w, &mut a, 0), Err(Error::ZeroDim)));
    assert!(matches!(MixedTable::new(&mut w, &mut a, 3), Err(Error::NotRows { .. })));
    assert!(matches!(MixedTable::row_wise(&mut w, &mut a, 2), Err(Error::Length { what: "accumulator", .. })));
    let mut table = MixedTable::new(&mut w, &mut a, 2).expect("a table");
    let short = opt.step_mixed_rows(&mut table, &[0_u32], &[1.0_f32; 3], Rounding::Nearest);
    assert_eq!(short, Err(Error::Length { what: "grads", expected: 2, actual: 3 }));
    assert_eq!((w, a), ([f16::ONE; 4], [f16::ONE; 4]));
}
