//! Layouts of tables: padded, with gradients that lie apart, interleaved. A step has the bits of one in plain slices, and
//! padding is neither read nor written.

use adagrad::{Adagrad, Counter, Error, MixedTable, Report, Rounding};
use half::{bf16, f16};

use crate::backends;
use crate::inputs::{Random, State};
use crate::reference::mixed::Stored;
use crate::{assert_same_values, stored};

const TABLE_ROWS: usize = 6;
const ROWS: [i64; 9] = [2, 5, 2, 0, -3, 4, 3, 2, 6];
const BY_CHANCE: Rounding = Rounding::Stochastic(Counter::new(1, 2).with_first(3).with_position(4));

/// Rows of `dim` values, each of them followed by as many NaNs as make it `stride` long.
fn spread<T: Stored>(values: &[T], dim: usize, stride: usize) -> Vec<T> {
    let padding = vec![T::nearest(f32::NAN); stride - dim];
    values.chunks(dim).flat_map(|row| [row, &padding].concat()).collect()
}

fn two_slices<'a, P: Stored, A: Stored>(
    w: &'a mut [P],
    a: &'a mut [A],
    dim: usize,
    row_wise: bool,
) -> MixedTable<'a, P, A> {
    if row_wise { MixedTable::row_wise(w, a, dim) } else { MixedTable::new(w, a, dim) }.expect("its shape fits")
}

fn one_slice<T: Stored>(memory: &mut [T], dim: usize, row_wise: bool) -> MixedTable<'_, T, T> {
    if row_wise { MixedTable::interleaved_row_wise(memory, dim) } else { MixedTable::interleaved(memory, dim) }
        .expect("its shape fits")
}

/// Row 3 is padding, and rows that are not in the table are passed over.
fn step<P: Stored, A: Stored>(opt: &Adagrad, table: MixedTable<'_, P, A>, grads: &[f16], by: Rounding) -> Report {
    let mut table = table.with_padding_row(3).with_out_of_range_skipped(true);
    opt.step_mixed_rows(&mut table, &ROWS, grads, by).expect("valid and available")
}

fn check<P: Stored, A: Stored>(dim: usize, row_wise: bool, [padding, apart]: [usize; 2]) {
    let state = State::new(TABLE_ROWS * dim, 1, Random::sprinkled);
    let count = if row_wise { 1 } else { dim };
    let (params, accumulator) = (stored::<P>(&state.params), stored::<A>(&state.accumulator[..TABLE_ROWS * count]));
    let grads: Vec<f16> = stored(&State::new(ROWS.len() * dim, 2, Random::sprinkled).grads);
    let (width, stride) = (dim + padding, dim + apart);
    let sums_width = if row_wise { 1 } else { width };
    for &backend in backends() {
        let opt = Adagrad::pytorch(0.1).with_backend(backend);
        for rounding in [Rounding::Nearest, BY_CHANCE] {
            let (mut plain_w, mut plain_a) = (params.clone(), accumulator.clone());
            let report = step(&opt, two_slices(&mut plain_w, &mut plain_a, dim, row_wise), &grads, rounding);
            assert_eq!(report.out_of_range, 2);
            let (mut w, mut a) = (spread(&params, dim, width), spread(&accumulator, count, sums_width));
            let table = two_slices(&mut w, &mut a, width, row_wise);
            let table = table.with_columns(dim).expect("as many").with_gradient_stride(stride).expect("no less");
            let context = format!("{dim} columns, row-wise {row_wise}, {rounding:?}, {opt:?}");
            assert_eq!(step(&opt, table, &spread(&grads, dim, stride), rounding), report, "{context}");
            assert_same_values(&w, &spread(&plain_w, dim, width), &context);
            assert_same_values(&a, &spread(&plain_a, count, sums_width), &context);
        }
    }
}

#[test]
fn padded_rows_and_gradients_that_lie_apart() {
    for dim in [1, 3, 8, 19, 64, 150] {
        for row_wise in [false, true] {
            for padding in [[0, 2], [3, 0], [5, 1]] {
                check::<bf16, f32>(dim, row_wise, padding);
            }
        }
    }
}

#[test]
fn interleaved() {
    for dim in [1, 3, 8, 19, 64, 150] {
        for (row_wise, padding) in [(false, 0), (false, 3), (true, 0), (true, 3)] {
            let (count, width) = (if row_wise { 1 } else { dim }, dim + padding);
            let state = State::new(TABLE_ROWS * dim, 1, Random::sprinkled);
            let (params, accumulator) =
                (stored::<bf16>(&state.params), stored::<bf16>(&state.accumulator[..TABLE_ROWS * count]));
            let grads: Vec<f16> = stored(&State::new(ROWS.len() * dim, 2, Random::sprinkled).grads);
            let joined = |params: &[bf16], accumulator: &[bf16]| {
                let sums = spread(accumulator, count, if row_wise { 1 } else { width });
                let rows = spread(params, dim, width);
                let rows = rows.chunks(width).zip(sums.chunks(sums.len() / TABLE_ROWS));
                rows.flat_map(|(w, a)| [w, a].concat()).collect::<Vec<_>>()
            };
            for &backend in backends() {
                let opt = Adagrad::pytorch(0.1).with_backend(backend);
                let (mut w, mut a) = (params.clone(), accumulator.clone());
                let report = step(&opt, two_slices(&mut w, &mut a, dim, row_wise), &grads, BY_CHANCE);
                let mut memory = joined(&params, &accumulator);
                let table = one_slice(&mut memory, width, row_wise).with_columns(dim).expect("as many");
                assert_eq!(step(&opt, table, &grads, BY_CHANCE), report);
                assert_same_values(&memory, &joined(&w, &a), format!("{dim} columns, row-wise {row_wise}, {opt:?}"));
                let mut table = one_slice(&mut memory, width, row_wise).with_columns(dim).expect("as many");
                for row in 0..TABLE_ROWS {
                    let (row_w, row_a) = table.row(row).expect("a row");
                    assert_same_values(row_w, &w[row * dim..][..dim], "params");
                    assert_same_values(row_a, &a[row * count..][..count], "accumulators");
                    let places = (row_w.as_ptr(), row_a.as_ptr(), row_a.len());
                    let (row_w, row_a) = table.row_mut(row).expect("a row");
                    assert_eq!(places, (row_w.as_ptr(), row_a.as_ptr(), row_a.len()));
                }
                assert!(table.row(TABLE_ROWS).is_none() && table.row_mut(TABLE_ROWS).is_none());
                assert!(table.params().is_none() && table.params_mut().is_none());
                assert!(table.accumulator().is_none() && table.accumulator_mut().is_none());
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let (mut w, mut a) = ([bf16::ONE; 6], [f16::ONE; 6]);
    let stride = |what, stride, dim| Some(Error::Stride { what, stride, dim });
    assert_eq!(two_slices(&mut w, &mut a, 3, false).with_columns(4).err(), stride("columns", 3, 4));
    assert_eq!(two_slices(&mut w, &mut a, 3, false).with_columns(0).err(), Some(Error::ZeroDim));
    assert_eq!(two_slices(&mut w, &mut a, 3, false).with_gradient_stride(2).err(), stride("stride", 2, 3));
    assert_eq!(MixedTable::interleaved(&mut w, 2).err(), Some(Error::NotRows { what: "memory", len: 6, row: 4 }));
    assert_eq!(
        MixedTable::interleaved_row_wise(&mut w, 3).err(),
        Some(Error::NotRows { what: "memory", len: 6, row: 4 })
    );
    assert_eq!(
        MixedTable::interleaved(&mut w, usize::MAX).err().map(|error| error.to_string().is_empty()),
        Some(false)
    );
}
