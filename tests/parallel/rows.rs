//! Rows and bags that are divided among threads: shapes, options, and lists that a sample may misjudge.

use adagrad::{Adagrad, NonFinite, Table, WeightDecay};

use super::inputs::{Random, State, bags, options, plain_options};
use super::reference::{Options, assert_same};
use super::{MIN_ROWS, Rows, indices, pool, pools};

/// Bags that are divided among threads, with room for all of them, for one and for some.
#[test]
fn bags_have_the_bits_of_the_reference() {
    let pools = [pool(2), pool(5)];
    for (row_wise, dim) in [(false, 24), (true, 100)] {
        for bags in bags(MIN_ROWS / dim, 1500, 3) {
            let options = Options { non_finite: NonFinite::Skip, ..plain_options()[0] };
            let grads = Rows::new(
                bags.offsets.len() - 1,
                dim,
                row_wise,
                vec![0_u32; bags.offsets.len() - 1],
                Random::sprinkled,
            );
            let state = Rows::new(1500, dim, row_wise, vec![0_u32], Random::sprinkled);
            let grads = &grads.state.grads;
            let mut expected = state.state.clone();
            let both = [&mut expected.params[..], &mut expected.accumulator[..]];
            let skipped = options.step_bags(both, dim, row_wise, &bags, grads);
            for pool in &pools {
                for room in [1, 2, 5, 9] {
                    let mut actual = state.state.clone();
                    let mut table = state.table(&mut actual);
                    let mut scratch = vec![f32::NAN; room * dim + 3];
                    let (opt, view) = (options.adagrad(), bags.view());
                    let report = pool.install(|| opt.par_step_bags(&mut table, &view, grads, &mut scratch));
                    let context = format!("room {room}, {dim} columns, {}, {:?}", bags.mean, bags.weights.is_some());
                    assert_eq!(report.expect("valid").skipped, skipped, "{context}");
                    assert_same(&actual.params, &expected.params, &context);
                    assert_same(&actual.accumulator, &expected.accumulator, &context);
                }
            }
        }
    }
}

#[test]
fn rows_over_shapes() {
    let pools = pools();
    let opt = Adagrad::new(0.1).with_non_finite(NonFinite::Skip);
    for (table_rows, dim, row_wise) in
        [(1, 300, false), (2, 1000, true), (5, 64, false), (1000, 16, true), (1000, 37, false), (30_000, 1, false)]
    {
        let least = MIN_ROWS.div_ceil(dim + 16);
        for count in [0, 1, least - 1, least, 4 * least] {
            for skewed in [false, true] {
                let rows = indices(count, table_rows, skewed, count as u64);
                let rows = Rows::new(table_rows, dim, row_wise, rows, Random::any);
                rows.check(&pools, opt, if skewed { "skewed" } else { "" });
            }
        }
    }
}

/// Few columns by rules that never skip, which have loops of their own, in parts of a table; with weight decay, too.
#[test]
fn rows_of_few_columns() {
    let pools = [pool(2), pool(5)];
    for dim in (1..=9).chain([16, 17, 31]) {
        for row_wise in [false, true] {
            for (table_rows, value) in [(7, Random::ordinary as fn(&mut _) -> _), (5000, Random::sprinkled)] {
                let rows = indices(MIN_ROWS / (dim + 16) + 1, table_rows, table_rows > 100, dim as u64);
                let rows = Rows::new(table_rows, dim, row_wise, rows, value);
                for weight_decay in [WeightDecay::None, WeightDecay::L2(0.01), WeightDecay::Decoupled(0.01)] {
                    rows.check(&pools, Adagrad::new(0.1).with_weight_decay(weight_decay), "");
                }
            }
        }
    }
}

#[test]
fn rows_over_options() {
    let pools = [pool(3)];
    for row_wise in [false, true] {
        let rows = Rows::new(700, 48, row_wise, indices(MIN_ROWS / 64 + 1, 700, true, 5), Random::any);
        for options in options().into_iter().step_by(7) {
            rows.check(&pools, options.adagrad(), "");
        }
    }
}

/// Lists that a sample may misjudge: one row, rows in order, and a period that a sample may fall in step with.
#[test]
fn rows_over_lists() {
    const COUNT: i64 = 1 << 16;
    let pools = pools();
    let check = |name: &str, row: fn(i64) -> i64| {
        for row_wise in [false, true] {
            let rows = Rows::new(100, 9, row_wise, (0..COUNT).map(row).collect(), Random::ordinary);
            rows.check(&pools, Adagrad::pytorch(0.1), name);
        }
    };
    check("the first row", |_| 0);
    check("the last row", |_| 99);
    check("ascending", |k| k * 100 / COUNT);
    check("descending", |k| 99 - k * 100 / COUNT);
    check("periodic", |k| k % 4 * 25);
}

/// Few rows, but long: each part of the table has fewer than are read in chunks. Some are not in it.
#[test]
fn few_long_rows() {
    let pool = pool(3);
    for row_wise in [false, true] {
        let dim = 50_000;
        let (index, grads) = ([5_i64, -1, 2, 5, i64::MAX, 0], State::new(6 * dim, 3, Random::sprinkled).grads);
        let before = State::new(7 * dim, 4, Random::sprinkled);
        let opt = Adagrad::new(0.1).with_non_finite(NonFinite::Skip);
        let stepped = |in_parallel: bool| {
            let (mut params, mut accumulator) = (before.params.clone(), before.accumulator.clone());
            let new = if row_wise { Table::row_wise } else { Table::new };
            let len = if row_wise { 7 } else { 7 * dim };
            let table = new(&mut params, &mut accumulator[..len], dim).expect("its shape fits");
            let mut table = table.with_padding_row(2).with_out_of_range_skipped(true);
            let report = match in_parallel {
                true => pool.install(|| opt.par_step_rows(&mut table, &index, &grads)),
                false => opt.step_rows(&mut table, &index, &grads),
            };
            (params, accumulator, report.expect("valid"))
        };
        let (actual, expected) = (stepped(true), stepped(false));
        assert_same(&actual.0, &expected.0, "params");
        assert_same(&actual.1, &expected.1, "accumulator");
        assert_eq!(actual.2, expected.2);
    }
}
