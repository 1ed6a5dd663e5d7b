//! What is done to rows between steps: norms are limited, and decay is caught up on.

use adagrad::{Adagrad, Error, Table, WeightDecay, sum_of_squares};

#[path = "inputs/mod.rs"]
mod inputs;
#[path = "reference/mod.rs"]
mod reference;

use inputs::{Random, one_of};
use reference::assert_same;

const ROWS: usize = 7;
const PADDING: usize = 3;

/// Calls `f` with tables of all layouts that hold the parameters and accumulators of `-1`, and returns the parameters, row by
/// row, that each leaves. Values between the rows are NaN.
fn on_layouts(params: &[f32], dim: usize, mut f: impl FnMut(Table<'_>)) -> Vec<Vec<f32>> {
    let mut results = Vec::new();
    for (interleaved, row_wise, padding) in [
        (false, false, 0),
        (false, true, 0),
        (true, false, 0),
        (true, true, 0),
        (false, false, 2),
        (false, true, 1),
        (true, false, 3),
        (true, true, 4),
    ] {
        let width = dim + padding;
        let stride = if interleaved { width + if row_wise { 1 } else { width } } else { width };
        let mut memory = vec![f32::NAN; ROWS * stride];
        let mut accumulator = vec![f32::NAN; ROWS * if row_wise { 1 } else { width }];
        fn fill<'a>(mut table: Table<'a>, params: &[f32]) -> Table<'a> {
            for (row, params) in params.chunks(table.dim()).enumerate() {
                let (w, a) = table.row_mut(row).expect("a row of the table");
                w.copy_from_slice(params);
                a.fill(-1.0);
            }
            table
        }
        let layout = (interleaved, row_wise);
        f(fill(table(layout, &mut memory, &mut accumulator, [width, dim]), params));
        let table = table(layout, &mut memory, &mut accumulator, [width, dim]);
        let rows = (0..ROWS).map(|row| table.row(row).expect("a row of the table"));
        assert!(rows.clone().all(|(_, a)| a.iter().all(|a| *a == -1.0)), "an accumulator was written");
        results.push(rows.flat_map(|(w, _)| w).copied().collect());
        let padded = memory.iter().filter(|value| value.is_nan()).count();
        let of_params = params.iter().filter(|value| value.is_nan()).count();
        assert_eq!(padded, ROWS * if interleaved && !row_wise { 2 * padding } else { padding } + of_params);
    }
    results
}

/// A table that is interleaved or not, and row-wise or not.
fn table<'a>(layout: (bool, bool), memory: &'a mut [f32], accumulator: &'a mut [f32], dims: [usize; 2]) -> Table<'a> {
    let [width, dim] = dims;
    let table = match layout {
        (false, false) => Table::new(memory, accumulator, width),
        (false, true) => Table::row_wise(memory, accumulator, width),
        (true, false) => Table::interleaved(memory, width),
        (true, true) => Table::interleaved_row_wise(memory, width),
    };
    table.and_then(|table| table.with_columns(dim)).expect("its shape fits").with_padding_row(PADDING)
}

#[test]
fn norms() {
    for dim in (1..20).chain([31, 64, 100, 5000]).step_by(one_of(8)) {
        for (max_norm, size) in
            [(1.0, 1.0), (0.0, 1.0), (1e-3, 1e-30), (1e20, 1e30), (f32::INFINITY, 1e36), (2.5, 1e-2)]
        {
            let mut random = Random(dim as u64);
            let mut params: Vec<f32> = (0..ROWS * dim).map(|_| size * random.ordinary()).collect();
            params[2 * dim] = f32::NAN;
            params[5 * dim + dim / 2] = f32::INFINITY;
            let mut expected = params.clone();
            for row in [0, 1, 4] {
                let w = &mut expected[row * dim..][..dim];
                let norm = sum_of_squares(w).sqrt();
                if norm > f64::from(max_norm) {
                    let factor = (f64::from(max_norm) / (norm + 1e-7)) as f32;
                    w.iter_mut().for_each(|w| *w *= factor);
                    assert!(sum_of_squares(w).sqrt() <= f64::from(max_norm) * (1.0 + 2e-7), "{dim} {max_norm}");
                }
            }
            let results = on_layouts(&params, dim, |table| {
                let rows = [4, 2, 0, 5, PADDING as i64, 1, -1, i64::MIN, ROWS as i64];
                let mut table = table.with_out_of_range_skipped(true);
                let report = table.limit_norms(&rows, max_norm).expect("valid");
                assert_eq!((report.skipped, report.out_of_range), (2, 3));
            });
            for result in results {
                assert_same(&result, &expected, format!("{dim} columns, {max_norm}"));
            }
        }
    }
}

/// The closed form is that of decays one by one, but for their roundings, of which each is half a unit.
#[test]
fn decay() {
    for (learning_rate, weight_decay) in [(0.1, 0.01), (0.5, 0.5), (1.0, 1.0), (0.0, 3.0), (1e-3, 0.1), (1e-20, 1e-20)]
    {
        for steps in [0, 1, 2, 3, 10, if cfg!(miri) { 20 } else { 1000 }] {
            let mut random = Random(steps);
            let params: Vec<f32> = (0..ROWS * 5).map(|_| random.ordinary()).collect();
            let mut dense = params.clone();
            let decay = WeightDecay::Decoupled(weight_decay);
            let opt = Adagrad::new(learning_rate).with_weight_decay(decay);
            for _ in 0..steps {
                opt.step(&mut dense, &[0.0; ROWS * 5], &mut [1.0; ROWS * 5]).expect("valid");
            }
            let results = on_layouts(&params, 5, |mut table| {
                let mut last_steps = [4; ROWS];
                last_steps[0] = 4 + steps as u32 / 3;
                last_steps[PADDING] = u32::MAX;
                let step = 4 + steps as u32;
                let rows = [6, 4, 5, 4, 1, 2, PADDING as u32];
                table.decay_rows(&rows, learning_rate, weight_decay, &mut last_steps, step).expect("valid");
                assert_eq!(last_steps, [4 + steps as u32 / 3, step, step, u32::MAX, step, step, step]);
            });
            for result in results {
                for (k, ((new, old), dense)) in result.iter().zip(&params).zip(&dense).enumerate() {
                    if [0, PADDING].contains(&(k / 5)) {
                        assert_eq!(new.to_bits(), old.to_bits());
                    } else {
                        let bound = f64::from(dense.abs()) * (steps as f64 + 2.0) * f64::from(f32::EPSILON);
                        let bound = bound.max(steps as f64 * 1e-44);
                        assert!((f64::from(*new) - f64::from(*dense)).abs() <= bound, "{new} {dense} after {steps}");
                    }
                }
            }
        }
    }
}

/// Steps of rows with decay that is caught up on are, but for roundings, those of a table that decays as a whole.
#[test]
fn decay_with_steps() {
    let (rate, decay, steps) = (0.05, 0.02, 200);
    let mut random = Random(9);
    let (mut dense, mut dense_sums) = ([1.0_f32; ROWS], [0.0; ROWS]);
    let (mut params, mut sums, mut last_steps) = (dense, dense_sums, [0; ROWS]);
    let whole = Adagrad::new(rate).with_weight_decay(WeightDecay::Decoupled(decay));
    let opt = Adagrad::new(rate);
    for step in 1..=steps {
        let (row, gradient) = (random.below(ROWS), random.ordinary());
        let mut grads = [0.0; ROWS];
        grads[row] = gradient;
        whole.step(&mut dense, &grads, &mut dense_sums).expect("valid");
        let mut table = Table::new(&mut params, &mut sums, 1).expect("its shape fits");
        table.decay_rows(&[row], rate, decay, &mut last_steps, step).expect("valid");
        opt.step_rows(&mut table, &[row], &[gradient]).expect("valid");
    }
    let all: Vec<usize> = (0..ROWS).collect();
    let mut table = Table::new(&mut params, &mut sums, 1).expect("its shape fits");
    table.decay_rows(&all, rate, decay, &mut last_steps, steps).expect("valid");
    assert_same(&sums, &dense_sums, "accumulators");
    for (lazy, dense) in params.iter().zip(dense) {
        assert!((lazy - dense).abs() < 1e-5, "{lazy} {dense}");
    }
}

#[test]
fn errors_of_upkeep() {
    let memory = &mut [1.0; 6];
    let (last_steps, sums) = (&mut [5; 3], &mut [1.0; 6]);
    let mut table = Table::new(memory, sums, 2).expect("3 rows");
    for max_norm in [-1.0, f32::NAN] {
        let error = table.limit_norms(&[0_u32], max_norm).expect_err("out of range");
        assert!(matches!(error, Error::Hyperparameter { what: "max_norm", .. }));
    }
    assert_eq!(table.limit_norms(&[0_u32, 3], 0.0), Err(Error::Row { position: 1, row: 3, rows: 3 }));
    let mut decay = |rows: &[i32], rate, decay, len: usize, step| {
        table.decay_rows(rows, rate, decay, &mut last_steps[..len], step).expect_err("something is wrong")
    };
    for bad in [-1.0, f32::NAN, f32::INFINITY] {
        assert!(matches!(decay(&[0], bad, 0.1, 3, 9), Error::Hyperparameter { what: "learning_rate", .. }));
        assert!(matches!(decay(&[0], 0.1, bad, 3, 9), Error::Hyperparameter { what: "weight_decay", .. }));
    }
    let error = decay(&[0], 0.5, 2.1, 3, 9);
    assert_eq!(error, Error::Hyperparameter { what: "weight_decay", value: 2.1, expected: "at most 1/learning_rate" });
    assert_eq!(decay(&[0], 0.1, 0.1, 2, 9), Error::Length { what: "last_steps", expected: 3, actual: 2 });
    assert_eq!(decay(&[0, -1], 0.1, 0.1, 3, 9), Error::Row { position: 1, row: -1, rows: 3 });
    let error = decay(&[0, 2], 0.1, 0.1, 3, 4);
    assert_eq!(error, Error::Step { position: 0, last: 5, step: 4 });
    assert_eq!(error.to_string(), "rows[0] was last seen in step 5, expected at most 4, the step");
    assert_eq!((*memory, *last_steps), ([1.0; 6], [5; 3]));
}
