//! The steps with L1 and L2: bits of every backend, dense and by rows.

use adagrad::{Ftrl, Proximal, Report, Table};

use crate::backends;
use crate::inputs::{LENGTHS, Random, State};
use crate::reference::assert_same;
use crate::regularized_reference::{Rates, ftrl, proximal};

/// L1 and L2 off and on, and hyper-parameters at which products and quotients overflow or are denormal.
const RATES: [Rates; 7] = [
    Rates(0.1, 0.0, 0.0),
    Rates(0.1, 0.5, 0.0),
    Rates(0.5, 0.0, 0.1),
    Rates(1.0, 0.01, 2.0),
    Rates(1e-30, 1e30, f32::MAX),
    Rates(f32::MAX, f32::MAX, 1e-45),
    Rates(1e-45, 1e-45, 0.0),
];

#[test]
fn dense() {
    for &backend in backends() {
        for rates in RATES {
            for length in LENGTHS {
                for value in [Random::any, Random::ordinary, Random::sprinkled] {
                    let State { params, grads, accumulator } = State::new(length, 3, value);
                    let linear = State::new(length, 4, value).params;
                    let context = format!("{backend}: {length}, {rates:?}");

                    let mut expected = [params.clone(), accumulator.clone(), linear.clone()];
                    let mut actual = expected.clone();
                    let Rates(rate, l1, l2) = rates;
                    {
                        let [w, a, z] = &mut expected;
                        for i in 0..length {
                            ftrl(rates, grads[i], &mut w[i], &mut a[i], &mut z[i]);
                        }
                    }
                    let [w, a, z] = &mut actual;
                    let step = Ftrl::new(rate).with_l1(l1).with_l2(l2).with_backend(backend);
                    step.step(w, &grads, a, z).expect("valid");
                    for (actual, expected) in actual.iter().zip(&expected) {
                        assert_same(actual, expected, &context);
                    }

                    let (mut w, mut a) = (params.clone(), accumulator.clone());
                    for i in 0..length {
                        proximal(rates, grads[i], &mut w[i], &mut a[i]);
                    }
                    let (mut params, mut accumulator) = (params, accumulator);
                    let step = Proximal::new(rate).with_l1(l1).with_l2(l2).with_backend(backend);
                    step.step(&mut params, &grads, &mut accumulator).expect("valid");
                    assert_same(&params, &w, &context);
                    assert_same(&accumulator, &a, &context);
                }
            }
        }
    }
}

/// Where a table's rows lie: values of padding behind its columns, and between gradients; or all in one slice.
#[derive(Clone, Copy, Debug)]
struct Lie {
    padding: usize,
    apart: usize,
    interleaved: bool,
}

/// In two slices, with nothing between rows.
const PLAIN: Lie = Lie { padding: 0, apart: 0, interleaved: false };

/// Rows of a table, their gradients, and what the table is like.
struct Case<'a> {
    table_rows: usize,
    dim: usize,
    rows: &'a [i64],
    /// The row that no step touches.
    padding_row: Option<usize>,
    lie: Lie,
}

impl Case<'_> {
    /// Takes both steps on every backend, and compares with the naive ones. Each has its own table; what lies between rows
    /// is NaN, before and after.
    fn check(&self, rates: Rates) {
        let Self { table_rows, dim, rows, padding_row, lie } = *self;
        let len = table_rows * dim;
        let State { params: w, accumulator: a, .. } = State::new(len, 5, Random::sprinkled);
        let State { params: z, .. } = State::new(len, 6, Random::sprinkled);
        let grads = State::new(rows.len() * dim, 7, Random::sprinkled).grads;
        let inside = |row: i64| (0..table_rows as i64).contains(&row);
        let is_padding = |row: i64| padding_row.is_some_and(|padding| i64::try_from(padding) == Ok(row));
        let outside = rows.iter().filter(|row| !inside(**row) && !is_padding(**row)).count();

        let mut with_linear = [w.clone(), a.clone(), z.clone()];
        let mut without = [w.clone(), a.clone()];
        for (row, g) in rows.iter().zip(grads.chunks(dim)).filter(|(row, _)| inside(**row) && !is_padding(**row)) {
            for (column, g) in g.iter().enumerate() {
                let at = *row as usize * dim + column;
                let [w, a, z] = &mut with_linear;
                ftrl(rates, *g, &mut w[at], &mut a[at], &mut z[at]);
                let [w, a] = &mut without;
                proximal(rates, *g, &mut w[at], &mut a[at]);
            }
        }

        let (width, gradient) = (dim + lie.padding, dim + lie.apart);
        let spread = |values: &[f32], stride: usize| -> Vec<f32> {
            values.chunks(dim).flat_map(|row| [row, &vec![f32::NAN; stride - dim][..]].concat()).collect()
        };
        let laid = |w: &[f32], a: &[f32]| -> [Vec<f32>; 2] {
            let (w, a) = (spread(w, width), spread(a, width));
            let joined = || w.chunks(width).zip(a.chunks(width)).flat_map(|(w, a)| [w, a].concat()).collect();
            if lie.interleaved { [joined(), Vec::new()] } else { [w, a] }
        };
        let grads = spread(&grads, gradient);
        let Rates(rate, l1, l2) = rates;
        for &backend in backends() {
            let context = format!("{backend}: {dim} columns, {lie:?}, padding row {padding_row:?}");
            let table = |memory: &mut [Vec<f32>; 2], step: &mut dyn FnMut(&mut Table<'_>) -> Report| {
                let [w, a] = memory;
                let table = if lie.interleaved { Table::interleaved(w, width) } else { Table::new(w, a, width) };
                let mut table = table.expect("its shape fits").with_out_of_range_skipped(outside > 0);
                if lie.padding > 0 {
                    table = table.with_columns(dim).expect("not more than there are");
                }
                if lie.apart > 0 {
                    table = table.with_gradient_stride(gradient).expect("at least the columns");
                }
                if let Some(row) = padding_row {
                    table = table.with_padding_row(row);
                }
                let report = step(&mut table);
                assert_eq!((report.out_of_range, report.skipped), (outside, 0), "{context}");
            };
            let step = Ftrl::new(rate).with_l1(l1).with_l2(l2).with_backend(backend);
            let (mut memory, mut linear) = (laid(&w, &a), spread(&z, width));
            table(&mut memory, &mut |table| step.step_rows(table, &mut linear, rows, &grads).expect("valid"));
            let expected = laid(&with_linear[0], &with_linear[1]);
            assert_same(&memory.concat(), &expected.concat(), &context);
            assert_same(&linear, &spread(&with_linear[2], width), &context);

            let step = Proximal::new(rate).with_l1(l1).with_l2(l2).with_backend(backend);
            let mut memory = laid(&w, &a);
            table(&mut memory, &mut |table| step.step_rows(table, rows, &grads).expect("valid"));
            assert_same(&memory.concat(), &laid(&without[0], &without[1]).concat(), &context);
        }
    }
}

/// Rows get the dense step each, duplicates one after the other. Of the others some fill a block together.
#[test]
fn rows() {
    let rows: Vec<i64> = [3, 0, 3, 4].into_iter().chain((0..20).map(|k| k * 7 % 23)).chain([5, 5, 6]).collect();
    for rates in RATES {
        for dim in (1..=40).chain([64, 129]) {
            Case { table_rows: 23, dim, rows: &rows, padding_row: None, lie: PLAIN }.check(rates);
        }
    }
}

/// Padding and rows outside are passed over: alone, first and last in a block, and in more than one chunk of 64 rows.
#[test]
fn rows_passed_over() {
    let all: Vec<i64> = (0..150).map(|k| k * 11 % 31 - 3).collect();
    let some: Vec<i64> = all.iter().copied().filter(|row| (0..23).contains(row)).collect();
    for rates in &RATES[1..4] {
        for dim in (1..=9).chain([16, 33, 64]) {
            for padding_row in [None, Some(0), Some(7), Some(22), Some(23), Some(usize::MAX - 1)] {
                for rows in [&all[..], &some, &[-1, 23, i64::MAX, i64::MIN], &[7, 7, 7, 7, 7, 7, 7, 7, 1], &[]] {
                    Case { table_rows: 23, dim, rows, padding_row, lie: PLAIN }.check(*rates);
                }
            }
        }
    }
    Case { table_rows: 0, dim: 3, rows: &[0, -1, 5], padding_row: Some(5), lie: PLAIN }.check(RATES[1]);
}

/// Every layout with one accumulator per element.
#[test]
fn layouts() {
    let rows: Vec<i64> = (0..100).map(|k| k * 5 % 13 - 1).collect();
    for dim in (1..=9).chain([16, 33]) {
        for (padding, apart) in [(0, 0), (3, 0), (0, 2), (1, 5)] {
            for interleaved in [false, true] {
                let lie = Lie { padding, apart, interleaved };
                for padding_row in [None, Some(4)] {
                    Case { table_rows: 11, dim, rows: &rows, padding_row, lie }.check(RATES[3]);
                }
            }
        }
    }
}
