//! What is done to rows between steps, on tables of all layouts, against naive forms of it: norms that are limited, and decay
//! that is caught up on. Accumulators and padding must stay as they were.
#![no_main]

#[allow(dead_code, reason = "the other targets use the rest")]
mod input;
#[allow(dead_code, reason = "the other targets use the rest")]
#[path = "../../tests/reference/mod.rs"]
mod reference;
#[allow(dead_code, reason = "the other targets use the rest")]
mod tables;

use core::iter::successors;

use adagrad::{Error, Report, Table, sum_of_squares};
use input::{Buffer, Input, accepted, count as counted, length_fault};
use libfuzzer_sys::fuzz_target;
use reference::assert_same;
use tables::Kind;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let widest = if input.one_in(8) { 300 } else { 40 };
    let (dim, table_rows, count) = (1 + input.below(widest), input.below(12), input.below(24));
    let (row_wise, interleaved) = (input.any(), input.any());
    let kind = Kind::new(&mut input, dim, row_wise, table_rows, i64::MAX as u128);
    let hostile = input.one_in(4);
    let index: Vec<i64> = (0..count)
        .map(|_| match hostile && input.one_in(8) {
            true => input.any(),
            false => input.below(table_rows.max(1)) as i64,
        })
        .collect();
    let (places, out_of_range, outside) =
        kind.places(&index.iter().map(|row| i128::from(*row)).collect::<Vec<_>>(), table_rows);
    let case = Case { kind, index, places, out_of_range, interleaved, width: dim + [0, 0, 1, 3, 16][input.below(5)] };

    let mut memory = case.memory(&mut input, table_rows);
    let sums = table_rows * if row_wise { 1 } else { case.width };
    let mut accumulator = input.numbers(if interleaved { 0 } else { sums });
    if input.any() {
        norms(&mut input, &case, outside, &mut memory, &mut accumulator);
    } else {
        decay(&mut input, &case, outside, &mut memory, &mut accumulator);
    }
});

struct Case {
    kind: Kind,
    index: Vec<i64>,
    places: Vec<Option<usize>>,
    out_of_range: usize,
    interleaved: bool,
    /// The columns with their padding.
    width: usize,
}

impl Case {
    /// From one row's parameters to the next one's.
    fn stride(&self) -> usize {
        match (self.interleaved, self.kind.row_wise) {
            (false, _) => self.width,
            (true, true) => self.width + 1,
            (true, false) => 2 * self.width,
        }
    }

    /// What holds the parameters, and all else is not a number.
    fn memory(&self, input: &mut Input<'_>, table_rows: usize) -> Buffer<f32> {
        let numbers = input.numbers(table_rows * self.kind.dim);
        let (dim, stride) = (self.kind.dim, self.stride());
        let mut at = 0;
        input.buffer(table_rows * stride, |_| {
            let (row, column) = (at / stride, at % stride);
            at += 1;
            if column < dim { numbers.given()[row * dim + column] } else { f32::NAN }
        })
    }

    fn table<'a>(&self, memory: &'a mut [f32], accumulator: &'a mut [f32]) -> Result<Table<'a>, Error> {
        let table = match (self.interleaved, self.kind.row_wise) {
            (false, false) => Table::new(memory, accumulator, self.width),
            (false, true) => Table::row_wise(memory, accumulator, self.width),
            (true, false) => Table::interleaved(memory, self.width),
            (true, true) => Table::interleaved_row_wise(memory, self.width),
        };
        let table = table?.with_columns(self.kind.dim)?.with_out_of_range_skipped(self.kind.skips_outside);
        Ok(match self.kind.padding {
            Some(row) => table.with_padding_row(row),
            None => table,
        })
    }

    /// A row's parameters.
    fn row<'a>(&self, memory: &'a mut [f32], row: usize) -> &'a mut [f32] {
        &mut memory[row * self.stride()..][..self.kind.dim]
    }

    /// Fails unless a call left what it must.
    fn check(
        &self,
        result: Result<Report, Error>,
        faults: &[Error],
        after: [&Buffer<f32>; 2],
        expected: (&[f32], usize),
    ) {
        let [memory, accumulator] = after;
        counted(memory.given().len());
        accumulator.assert_untouched();
        if accepted(&result, faults) {
            let report = result.unwrap_or_default();
            assert_same(memory.written(), expected.0, "the table's memory");
            assert_eq!((report.skipped, report.out_of_range), (expected.1, self.out_of_range));
        } else {
            memory.assert_untouched();
        }
    }
}

fn norms(input: &mut Input<'_>, case: &Case, outside: Option<Error>, memory: &mut Buffer<f32>, sums: &mut Buffer<f32>) {
    let max_norm = input.hyperparameter();
    let fault = (max_norm.is_nan() || max_norm < 0.0).then_some(Error::Hyperparameter {
        what: "max_norm",
        value: max_norm,
        expected: "",
    });
    let faults: Vec<Error> = fault.into_iter().chain(outside).collect();
    let mut expected = memory.given().to_vec();
    let mut skipped = 0;
    for row in case.places.iter().copied().flatten() {
        let row = case.row(&mut expected, row);
        let norm = sum_of_squares(row).sqrt();
        skipped += usize::from(!norm.is_finite());
        if norm.is_finite() && norm > f64::from(max_norm) {
            let factor = (f64::from(max_norm) / (norm + 1e-7)) as f32;
            row.iter_mut().for_each(|w| *w *= factor);
        }
    }
    let table = case.table(memory.fresh(), sums.fresh());
    let result = table.and_then(|mut table| table.limit_norms(&case.index, max_norm));
    case.check(result, &faults, [memory, sums], (&expected, skipped));
}

fn decay(input: &mut Input<'_>, case: &Case, outside: Option<Error>, memory: &mut Buffer<f32>, sums: &mut Buffer<f32>) {
    let [rate, decay] = [(); 2].map(|()| {
        let x = input.hyperparameter();
        if input.any() { x } else { x.abs().min(1.0) }
    });
    let bad = |x: f32| !(0.0..=f32::MAX).contains(&x);
    let kept = 1.0 - f64::from(rate) * f64::from(decay);
    let table_rows = memory.given().len() / case.stride();
    let step = if input.any() { u32::from(input.any::<u8>()) } else { input.any() };
    let len = input.length(table_rows);
    let before: Vec<u32> = (0..len)
        .map(|_| match input.below(16) {
            0 => input.any(),
            n => step.saturating_sub(n as u32 - 1),
        })
        .collect();
    let named = |what, value| Error::Hyperparameter { what, value, expected: "" };
    let late = case.places.iter().enumerate().find_map(|(position, row)| {
        let last = *before.get((*row)?)?;
        (last > step).then_some(Error::Step { position, last, step })
    });
    let mut faults = Vec::new();
    faults.extend(bad(rate).then_some(named("learning_rate", rate)));
    faults.extend((bad(decay) || kept < 0.0).then_some(named("weight_decay", decay)));
    faults.extend(length_fault("last_steps", table_rows, len));
    faults.extend(outside.into_iter().chain(late));

    let (mut expected, mut last_steps) = (memory.given().to_vec(), before.clone());
    if faults.is_empty() {
        for row in case.places.iter().copied().flatten() {
            let steps = step - last_steps[row];
            last_steps[row] = step;
            if steps > 0 {
                let factor = power(kept, steps) as f32;
                case.row(&mut expected, row).iter_mut().for_each(|w| *w *= factor);
            }
        }
    }
    let mut actual = before;
    let table = case.table(memory.fresh(), sums.fresh());
    let result = table.and_then(|mut table| table.decay_rows(&case.index, rate, decay, &mut actual, step));
    assert_eq!(actual, last_steps, "last steps");
    case.check(result, &faults, [memory, sums], (&expected, 0));
}

/// The product of the squares of squares of `base` whose bits `exponent` has.
fn power(base: f64, exponent: u32) -> f64 {
    let squares = successors(Some(base), |x| Some(x * x)).take(32).enumerate();
    squares.filter(|(bit, _)| exponent >> bit & 1 == 1).map(|(_, x)| x).product()
}
