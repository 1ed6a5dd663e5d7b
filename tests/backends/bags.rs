//! Steps for bags of rows, element-wise and row-wise.

use adagrad::{Bags, NonFinite, Table};

use crate::backends;
use crate::inputs::{Random, State, bags, dims, options, plain_options};
use crate::reference::{Options, assert_same};

/// Takes one step for bags on every backend and with the reference, which copies gradients.
#[track_caller]
fn check(options: &Options, table_rows: usize, dim: usize, count: usize, value: fn(&mut Random) -> f32) {
    for row_wise in [false, true] {
        for bags in bags(count, table_rows, dim as u64) {
            let bag_count = bags.offsets.len() - 1;
            let mut random = Random(dim as u64);
            let grads: Vec<f32> = (0..bag_count * dim).map(|_| value(&mut random)).collect();
            let mut before = State::new(table_rows * dim, dim as u64 + 1, value);
            if row_wise {
                before.accumulator.truncate(table_rows);
            }
            let mut expected = before.clone();
            let state = [&mut expected.params[..], &mut expected.accumulator[..]];
            let skipped = options.step_bags(state, dim, row_wise, &bags, &grads);

            for &backend in backends() {
                let (mut params, mut accumulator) = (before.params.clone(), before.accumulator.clone());
                let new = if row_wise { Table::row_wise } else { Table::new };
                let mut table = new(&mut params, &mut accumulator, dim).expect("its shape fits");
                let opt = options.on(backend);
                let mut scratch = vec![f32::NAN; dim];
                let report = opt.step_bags(&mut table, &bags.view(), &grads, &mut scratch).expect("valid");
                let context = format_args!("{dim} columns, row-wise {row_wise}, {bags:?}, {opt:?}");
                assert_same(&accumulator, &expected.accumulator, format_args!("accumulator, {context}"));
                assert_same(&params, &expected.params, format_args!("params, {context}"));
                assert_eq!(report.skipped, skipped, "skipped, {context}");
            }
        }
    }
}

#[test]
fn over_dims() {
    for dim in dims() {
        check(&plain_options()[0], 11, dim, 30, Random::ordinary);
        let options = Options { non_finite: NonFinite::Skip, ..plain_options()[3] };
        check(&options, 5, dim, 20, Random::sprinkled);
    }
}

#[test]
fn over_options() {
    for options in options() {
        for dim in [3, 19, 33] {
            check(&options, 7, dim, 12, Random::any);
        }
    }
}

/// More rows than are looked up at a time, in tables that are prefetched and not.
#[test]
#[cfg_attr(miri, ignore = "it takes too long there")]
fn many_rows() {
    for (table_rows, dim) in [(1000, 1), (1000, 24), ((1 << 17) / 24 + 1, 24), (300, 500)] {
        check(&plain_options()[0], table_rows, dim, 700, Random::sprinkled);
    }
}

/// Bags without a row do not read their gradients, and no bag needs a table with rows.
#[test]
fn empty_bags() {
    for &backend in backends() {
        let opt = plain_options()[0].on(backend);
        let mut table = Table::new(&mut [], &mut [], 3).expect("its shape fits");
        for offsets in [&[0_i64][..], &[0, 0], &[0, 0, 0]] {
            let bags = Bags::new(offsets, &[]).expect("in order").mean();
            let grads = vec![1.0; 3 * bags.len()];
            assert_eq!(bags.is_empty(), offsets.len() == 1);
            assert_eq!(opt.step_bags(&mut table, &bags, &grads, &mut [0.0; 3]).map(|report| report.skipped), Ok(0));
        }
    }
}
