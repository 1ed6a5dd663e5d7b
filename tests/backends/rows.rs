//! Steps for rows of tables, element-wise and row-wise.

use adagrad::{Adagrad, NonFinite, RowIndex, Table};

use crate::backends;
use crate::inputs::{Random, State, dims, options, plain_options};
use crate::reference::{Options, assert_same};

/// A table, and the rows to step.
struct Shape {
    table_rows: usize,
    dim: usize,
    row_wise: bool,
    /// The number of rows to step; two more are the same one.
    count: usize,
}

/// Takes one step for rows, duplicates among them, on every backend and with the reference.
#[track_caller]
fn check(options: &Options, shape: &Shape, value: fn(&mut Random) -> f32) {
    let Shape { table_rows, dim, row_wise, count } = *shape;
    let mut random = Random(dim as u64);
    let twice = table_rows / 3;
    let rows: Vec<usize> = (0..count).map(|_| random.below(table_rows)).chain([twice, twice]).collect();
    let grads: Vec<f32> = (0..rows.len() * dim).map(|_| value(&mut random)).collect();
    let mut before = State::new(table_rows * dim, dim as u64 + 1, value);
    if row_wise {
        before.accumulator.truncate(table_rows);
    }

    let mut expected = before.clone();
    let reference = if row_wise { Options::step_row_wise } else { Options::step_rows };
    let skipped = reference(options, &mut expected.params, &mut expected.accumulator, dim, &rows, &grads);

    let named = backends().iter().map(|backend| options.on(*backend));
    // Without a name few elements are stepped by a function of their own.
    for opt in named.chain([options.adagrad()]) {
        let (mut params, mut accumulator) = (before.params.clone(), before.accumulator.clone());
        let new = if row_wise { Table::row_wise } else { Table::new };
        let mut table = new(&mut params, &mut accumulator, dim).expect("its shape fits");
        let report = opt.step_rows(&mut table, &rows, &grads).expect("valid and available");
        let context = format_args!("{table_rows} rows of {dim}, row-wise {row_wise}, {opt:?}");
        assert_same(&accumulator, &expected.accumulator, format_args!("accumulator, {context}"));
        assert_same(&params, &expected.params, format_args!("params, {context}"));
        assert_eq!(report.skipped, skipped, "skipped, {context}");
    }
}

#[test]
fn over_dims() {
    for dim in dims() {
        for row_wise in [false, true] {
            // Four different ones in a row, and fewer rows than are read in chunks.
            for (table_rows, count) in [(60, 12), (11, 1)] {
                let shape = Shape { table_rows, dim, row_wise, count };
                for options in plain_options() {
                    check(&options, &shape, Random::ordinary);
                }
            }
            let shape = Shape { table_rows: 11, dim, row_wise, count: 7 };
            for non_finite in [NonFinite::Propagate, NonFinite::Skip] {
                let options = Options { non_finite, ..plain_options()[0] };
                check(&options, &shape, Random::sprinkled);
                check(&options, &shape, Random::any_exponent);
            }
        }
    }
}

#[test]
fn over_options() {
    for options in options() {
        for dim in [1, 2, 3, 8, 12, 19, 36] {
            for row_wise in [false, true] {
                let shape = Shape { table_rows: 40, dim, row_wise, count: 7 };
                check(&options, &shape, Random::ordinary);
                check(&options, &shape, Random::any);
                check(&options, &Shape { count: 1, ..shape }, Random::any);
            }
        }
    }
}

/// Tables large enough to be prefetched, just and by far, and small enough not to be, over the columns that change how
/// many rows ahead that is.
#[test]
#[cfg_attr(miri, ignore = "it takes too long there")]
fn large_tables() {
    const PREFETCHED: usize = 1 << 17;
    for dim in [1, 2, 3, 4, 5, 7, 8, 16, 31, 37, 64, 100, 192, 383, 384, 385, 500, 1000, 4099] {
        for table_rows in [PREFETCHED / dim, PREFETCHED.div_ceil(dim), 2 * PREFETCHED / dim + 5] {
            for row_wise in [false, true] {
                let shape = Shape { table_rows, dim, row_wise, count: 20_000 / (dim + 16) };
                check(&plain_options()[0], &shape, Random::sprinkled);
            }
            let shape = Shape { table_rows, dim, row_wise: true, count: 20_000 / (dim + 16) };
            let options = Options { non_finite: NonFinite::Skip, ..plain_options()[0] };
            check(&options, &shape, Random::sprinkled);
        }
    }
}

/// Fewer rows, and as many, as are asked for ahead.
#[test]
#[cfg_attr(miri, ignore = "it takes too long there")]
fn few_rows_of_large_tables() {
    for (dim, counts) in [(1, [1, 384, 385]), (16, [0, 23, 26]), (100, [2, 3, 4]), (400, [0, 1, 2])] {
        for count in counts {
            for row_wise in [false, true] {
                let shape = Shape { table_rows: (1 << 17) / dim + 1, dim, row_wise, count };
                check(&plain_options()[3], &shape, Random::ordinary);
            }
        }
    }
}

#[test]
fn index_types() {
    fn params<I: RowIndex>(opt: Adagrad, rows: [I; 3]) -> Vec<f32> {
        let (mut params, mut accumulator) = (vec![0.0; 4 * 5], vec![0.0; 4 * 5]);
        let mut table = Table::new(&mut params, &mut accumulator, 5).expect("its shape fits");
        let grads: Vec<f32> = (0..15).map(|j| j as f32 - 7.0).collect();
        opt.step_rows(&mut table, &rows, &grads).expect("valid and available");
        params
    }
    for &backend in backends() {
        let opt = Adagrad::new(0.1).with_backend(backend);
        let expected = params(opt, [3_usize, 0, 3]);
        assert_eq!(params(opt, [3_u32, 0, 3]), expected);
        assert_eq!(params(opt, [3_u64, 0, 3]), expected);
        assert_eq!(params(opt, [3_i32, 0, 3]), expected);
        assert_eq!(params(opt, [3_i64, 0, 3]), expected);
    }
}
