//! Layouts of tables: interleaved, padded, with gradients that lie apart. A step has the bits of one in plain slices, and
//! padding is neither read nor written.

use adagrad::{Adagrad, Bags, Error, NonFinite, Report, Table};

use crate::backends;
use crate::inputs::{Random, State, dims, options, plain_options};
use crate::reference::{Options, assert_same};

/// A step of a table with gradients, and the report.
type Step<'a> = &'a dyn Fn(&Adagrad, &mut Table<'_>, &[f32]) -> Report;

/// Takes steps of tables whose rows have `padding` values more than columns, and gradients `apart` more, on every backend.
fn check(
    options: &Options,
    [table_rows, dim]: [usize; 2],
    [padding, apart]: [usize; 2],
    gradients: usize,
    step: Step<'_>,
) {
    let mut random = Random(dim as u64);
    let plain_grads: Vec<f32> = (0..gradients * dim).map(|_| random.sprinkled()).collect();
    let grads = spread(&plain_grads, dim, dim + apart);
    let (width, stride) = (dim + padding, dim + apart);
    for row_wise in [false, true] {
        let count = if row_wise { 1 } else { dim };
        let mut before = State::new(table_rows * dim, 1, Random::sprinkled);
        before.accumulator.truncate(table_rows * count);
        for &backend in backends() {
            let opt = options.on(backend);
            let mut expected = before.clone();
            let table = two_slices(&mut expected.params, &mut expected.accumulator, dim, row_wise);
            let mut table = table.with_padding_row(table_rows / 2).with_out_of_range_skipped(true);
            let report = step(&opt, &mut table, &plain_grads);

            for interleaved in [false, true] {
                let context = format_args!(
                    "interleaved {interleaved}, {table_rows} rows of {dim}, {padding} of padding, row-wise {row_wise}, {opt:?}"
                );
                let params = spread(&before.params, dim, width);
                let accumulator_width = if row_wise { 1 } else { width };
                let accumulator = spread(&before.accumulator, count, accumulator_width);
                let expected_params = spread(&expected.params, dim, width);
                let expected_accumulator = spread(&expected.accumulator, count, accumulator_width);
                let joined = |params: &[f32], accumulator: &[f32]| -> Vec<f32> {
                    let rows = params.chunks(width).zip(accumulator.chunks(accumulator_width));
                    rows.flat_map(|(w, a)| w.iter().chain(a)).copied().collect()
                };
                let (mut params, mut accumulator) =
                    if interleaved { (joined(&params, &accumulator), Vec::new()) } else { (params, accumulator) };
                let table = match (interleaved, row_wise) {
                    (false, _) => two_slices(&mut params, &mut accumulator, width, row_wise),
                    (true, false) => Table::interleaved(&mut params, width).expect("its shape fits"),
                    (true, true) => Table::interleaved_row_wise(&mut params, width).expect("its shape fits"),
                };
                // Each of them by itself, too.
                let table = if padding > 0 { table.with_columns(dim).expect("not more than there are") } else { table };
                let table = if apart > 0 { table.with_gradient_stride(stride).expect("at least dim") } else { table };
                let mut table = table.with_padding_row(table_rows / 2).with_out_of_range_skipped(true);
                assert_eq!((table.rows(), table.dim()), (table_rows, dim), "{context}");
                assert_eq!(step(&opt, &mut table, &grads), report, "{context}");
                for row in 0..table_rows {
                    let (w, a) = table.row(row).expect("a row of the table");
                    let w = (w.as_ptr(), w.len(), a.as_ptr(), a.len());
                    let (u, b) = table.row_mut(row).expect("a row of the table");
                    assert_eq!(w, (u.as_ptr(), dim, b.as_ptr(), count), "{context}");
                    assert_same(u, &expected.params[row * dim..][..dim], context);
                    assert_same(b, &expected.accumulator[row * count..][..count], context);
                }
                assert!(table.row(table_rows).is_none() && table.row_mut(usize::MAX).is_none());
                let slices = [table.params().is_some(), table.accumulator().is_some()];
                assert_eq!(slices, [table.params_mut().is_some(), table.accumulator_mut().is_some()]);
                assert_eq!(slices, [!interleaved; 2]);
                if interleaved {
                    assert_same(&params, &joined(&expected_params, &expected_accumulator), context);
                } else {
                    assert_same(&params, &expected_params, context);
                    assert_same(&accumulator, &expected_accumulator, context);
                }
            }
        }
    }
}

fn two_slices<'a>(params: &'a mut [f32], accumulator: &'a mut [f32], dim: usize, row_wise: bool) -> Table<'a> {
    let table = if row_wise { Table::row_wise } else { Table::new };
    table(params, accumulator, dim).expect("its shape fits")
}

/// Rows at a stride, with NaN between them.
fn spread(values: &[f32], row: usize, stride: usize) -> Vec<f32> {
    let padding = vec![f32::NAN; stride - row];
    values.chunks(row).flat_map(|row| row.iter().chain(&padding)).copied().collect()
}

/// Some rows, one of which in a while is not in the table.
fn rows(count: usize, table_rows: usize, seed: u64) -> Vec<u32> {
    let mut random = Random(seed);
    (0..count).map(|_| random.below(table_rows + 1) as u32).collect()
}

/// Steps of rows.
fn check_rows(options: &Options, table_rows: usize, dim: usize, lengths: [usize; 2], count: usize) {
    let rows = rows(count, table_rows, dim as u64);
    let step: Step<'_> = &|opt, table, grads| opt.step_rows(table, &rows, grads).expect("valid");
    check(options, [table_rows, dim], lengths, count, step);
}

#[test]
fn over_dims() {
    for dim in dims() {
        check_rows(&plain_options()[0], 11, dim, [0, 0], 30);
        check_rows(&plain_options()[0], 11, dim, [3, 0], 30);
        check_rows(&plain_options()[0], 11, dim, [0, 2], 30);
        let options = Options { non_finite: NonFinite::Skip, ..plain_options()[3] };
        check_rows(&options, 7, dim, [1, 5], 20);
    }
}

#[test]
fn over_options() {
    for options in options() {
        for dim in [3, 16, 33] {
            check_rows(&options, 7, dim, [2, 1], 12);
        }
    }
}

/// Tables that are prefetched, and more rows than are looked up at a time.
#[test]
#[cfg_attr(miri, ignore = "it takes too long there")]
fn large_tables() {
    check_rows(&plain_options()[0], (1 << 17) / 17 + 1, 17, [3, 0], 700);
    check_rows(&plain_options()[0], (1 << 17) / 64 + 1, 64, [0, 64], 700);
}

#[test]
fn bags() {
    for dim in [1, 4, 7, 40] {
        let rows = rows(20, 9, 1);
        let weights: Vec<f32> = (0..20).map(|k| k as f32 / 8.0).collect();
        let bags = Bags::new(&[0_u32, 3, 3, 11, 20], &rows).expect("in order");
        for bags in [bags, bags.mean(), bags.weighted(&weights).expect("one a row")] {
            let step: Step<'_> =
                &|opt, table, grads| opt.step_bags(table, &bags, grads, &mut vec![0.0; dim]).expect("valid");
            check(&plain_options()[0], [9, dim], [2, 3], 4, step);
        }
    }
}

/// Steps that are divided among threads.
#[cfg(feature = "rayon")]
#[test]
fn on_threads() {
    let (table_rows, dim, count) = (1000, 48, (1 << 18) / 60);
    let rows = rows(count, table_rows, 3);
    let step: Step<'_> = &|opt, table, grads| opt.par_step_rows(table, &rows, grads).expect("valid");
    check(&plain_options()[0], [table_rows, dim], [0, 0], count, step);
    check(&plain_options()[0], [table_rows, dim], [5, 2], count, step);
}

#[test]
fn errors() {
    let room = &mut [0.0; 12];
    let error = |table: Result<Table<'_>, Error>| table.expect_err("it does not fit");
    assert_eq!(error(Table::interleaved(room, 0)), Error::ZeroDim);
    assert_eq!(error(Table::interleaved_row_wise(room, 0)), Error::ZeroDim);
    let not_rows = error(Table::interleaved(room, 4));
    assert_eq!(not_rows, Error::NotRows { what: "memory", len: 12, row: 8 });
    assert_eq!(not_rows.to_string(), "memory has length 12, expected a multiple of 8, the length of a row");
    assert_eq!(error(Table::interleaved_row_wise(room, 4)), Error::NotRows { what: "memory", len: 12, row: 5 });
    for dim in [usize::MAX, usize::MAX / 2 + 1] {
        error(Table::interleaved(room, dim));
        error(Table::interleaved_row_wise(room, dim));
    }

    fn table(room: &mut [f32; 12]) -> Table<'_> {
        Table::interleaved_row_wise(room, 3).expect("3 rows")
    }
    assert_eq!(error(table(room).with_columns(0)), Error::ZeroDim);
    let columns = error(table(room).with_columns(4));
    assert_eq!(columns, Error::Stride { what: "columns", stride: 3, dim: 4 });
    assert_eq!(columns.to_string(), "columns: rows are 3 apart, expected at least the 4 columns");
    assert_eq!(error(table(room).with_gradient_stride(2)), Error::Stride { what: "stride", stride: 2, dim: 3 });

    // Gradients are as many as the stride says.
    let opt = Adagrad::new(0.1);
    let mut strided = table(room).with_gradient_stride(5).expect("enough");
    let error = opt.step_rows(&mut strided, &[0_u32, 1], &[1.0; 8]).expect_err("they are 10");
    assert_eq!(error, Error::Length { what: "grads", expected: 10, actual: 8 });
    let mut strided = table(room).with_gradient_stride(usize::MAX).expect("enough");
    let error = opt.step_rows(&mut strided, &[0_u32, 1], &[1.0; 8]).expect_err("no memory is so large");
    assert_eq!(error, Error::Overflow { rows: 2, dim: usize::MAX });
    assert_eq!(*room, [0.0; 12]);

    // Tables without a row.
    assert_eq!(Table::interleaved(&mut [], 7).expect("empty").rows(), 0);
    assert!(Table::interleaved(&mut [], 7).expect("empty").row(0).is_none());
}
