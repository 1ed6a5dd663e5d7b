//! Rows that no step touches: a table's padding, and rows that are not in it.

use adagrad::{Bags, Error, NonFinite, Table};

use crate::backends;
use crate::inputs::{Random, State, plain_options};
use crate::reference::{Options, assert_same};

/// Takes steps whose rows are partly the padding and partly outside, on every backend, as rows and as bags, on one thread
/// and on several. They are those of the reference without these rows.
fn check(table_rows: usize, dim: usize, count: usize, padding: usize) {
    let mut random = Random(dim as u64);
    let outside = [-1, i64::MIN, table_rows as i64, i64::MAX, table_rows as i64 + 3];
    let rows: Vec<i64> = (0..count)
        .map(|_| match random.below(4) {
            0 => padding as i64,
            1 => outside[random.below(outside.len())],
            _ => random.below(table_rows) as i64,
        })
        .collect();
    let grads: Vec<f32> = (0..count * dim).map(|_| random.sprinkled()).collect();
    let is_outside = |row: i64| !(0..table_rows as i64).contains(&row) && row != padding as i64;
    let out_of_range = rows.iter().filter(|row| is_outside(**row)).count();
    let present = |row: i64| !is_outside(row) && row != padding as i64;
    let (kept, kept_grads): (Vec<usize>, Vec<&[f32]>) =
        rows.iter().zip(grads.chunks(dim)).filter(|(row, _)| present(**row)).map(|(row, g)| (*row as usize, g)).unzip();

    for row_wise in [false, true] {
        let options = Options { non_finite: NonFinite::Skip, ..plain_options()[0] };
        for options in [plain_options()[0], options] {
            let mut before = State::new(table_rows * dim, 1, Random::sprinkled);
            if row_wise {
                before.accumulator.truncate(table_rows);
            }
            let mut expected = before.clone();
            let reference = if row_wise { Options::step_row_wise } else { Options::step_rows };
            let (w, a) = (&mut expected.params, &mut expected.accumulator);
            let skipped = reference(&options, w, a, dim, &kept, &kept_grads.concat());

            let offsets: Vec<i64> = (0..=count as i64).collect();
            let bags = Bags::new(&offsets, &rows).expect("in order").mean();
            for &backend in backends() {
                let opt = options.on(backend);
                for call in 0..4 {
                    let (mut params, mut accumulator) = (before.params.clone(), before.accumulator.clone());
                    let new = if row_wise { Table::row_wise } else { Table::new };
                    let table = new(&mut params, &mut accumulator, dim).expect("its shape fits");
                    let mut table = table.with_padding_row(padding);
                    if out_of_range > 0 {
                        let error = opt.step_rows(&mut table, &rows, &grads).expect_err("a row is outside");
                        assert!(matches!(error, Error::Row { .. }), "{error}");
                    }
                    let mut table = table.with_out_of_range_skipped(true);
                    let mut scratch = vec![0.0; 3 * dim];
                    let report = match call {
                        0 => opt.step_rows(&mut table, &rows, &grads),
                        1 => opt.step_bags(&mut table, &bags, &grads, &mut scratch),
                        #[cfg(feature = "rayon")]
                        2 => opt.par_step_rows(&mut table, &rows, &grads),
                        #[cfg(feature = "rayon")]
                        3 => opt.par_step_bags(&mut table, &bags, &grads, &mut scratch),
                        _ => continue,
                    };
                    let context = format_args!("call {call}, {table_rows} rows of {dim}, row-wise {row_wise}, {opt:?}");
                    let report = report.expect("valid");
                    assert_eq!((report.skipped, report.out_of_range), (skipped, out_of_range), "{context}");
                    assert_same(&accumulator, &expected.accumulator, context);
                    assert_same(&params, &expected.params, context);
                }
            }
        }
    }
}

#[test]
fn over_dims() {
    for dim in (1..=20).chain([31, 32, 33, 64, 100]) {
        // A padding row in the table, and one that is not.
        check(11, dim, 200, 3);
        check(11, dim, 200, 11);
    }
}

/// Tables that are prefetched, and steps that are divided among threads.
#[test]
#[cfg_attr(miri, ignore = "it takes too long there")]
fn large_tables() {
    check((1 << 17) / 16 + 1, 16, (1 << 18) / 32 + 7, 0);
    check((1 << 17) / 100 + 1, 100, 3000, 5);
}

/// A table whose rows are all absent, or that has none.
#[test]
fn nothing_is_left() {
    for &backend in backends() {
        let opt = plain_options()[0].on(backend);
        let table = Table::new(&mut [], &mut [], 2).expect("its shape fits");
        let mut table = table.with_out_of_range_skipped(true).with_padding_row(0);
        let report = opt.step_rows(&mut table, &[0_u32, 1, 0], &[1.0; 6]).expect("valid");
        assert_eq!((report.skipped, report.out_of_range), (0, 1));
    }
}

/// The greatest number is the index of no row, and names no padding.
#[test]
fn the_greatest_index() {
    let rows = [0, usize::MAX, 1, usize::MAX];
    for &backend in backends() {
        let opt = plain_options()[0].on(backend);
        for (row_wise, named) in [(false, false), (false, true), (true, false), (true, true)] {
            let (mut params, mut accumulator) = ([0.0; 2], [0.0; 2]);
            let new = if row_wise { Table::row_wise } else { Table::new };
            let mut table = new(&mut params, &mut accumulator, 1).expect("its shape fits");
            if named {
                table = table.with_padding_row(usize::MAX);
            }
            let error = Error::Row { position: 1, row: usize::MAX as i128, rows: 2 };
            assert_eq!(opt.step_rows(&mut table, &rows, &[1.0; 4]), Err(error));
            let mut table = table.with_out_of_range_skipped(true);
            let report = opt.step_rows(&mut table, &rows, &[1.0; 4]).expect("valid");
            assert_eq!((report.skipped, report.out_of_range), (0, 2));
            assert_eq!(accumulator, [1.0; 2]);
        }
    }
}

/// Each of the two options without the other.
#[test]
fn one_without_the_other() {
    for &backend in backends() {
        let opt = plain_options()[0].on(backend);
        let grads = [1.0; 6];
        let (mut params, mut accumulator) = ([0.0_f32; 4], [0.0; 4]);
        let table = Table::new(&mut params, &mut accumulator, 2).expect("its shape fits");
        let mut skips = table.with_out_of_range_skipped(true);
        let report = opt.step_rows(&mut skips, &[1_i32, -1, 2], &grads).expect("valid");
        assert_eq!(report.out_of_range, 2);
        let w = |table: &Table<'_>, row| table.row(row).map(|(params, _)| params[0]);
        assert!(w(&skips, 0) == Some(0.0) && w(&skips, 1) < Some(0.0));

        let mut pads = skips.with_out_of_range_skipped(false).with_padding_row(7);
        let report = opt.step_rows(&mut pads, &[0_i32, 7, 7], &grads).expect("valid");
        assert_eq!(report.out_of_range, 0);
        assert!(w(&pads, 0) < Some(0.0));
        let error = opt.step_rows(&mut pads, &[0_i32, 7, 2], &grads).expect_err("a row is outside");
        assert_eq!(error, Error::Row { position: 2, row: 2, rows: 2 });
    }
}
