//! What the targets with tables share: rows that a step passes over, and what a fast step may make of the others.

use adagrad::{Adagrad, Arithmetic, Error, Report, Table};

use crate::input::{Buffer, Expected, Input, fault_of, length_fault, on_every_backend};
use crate::reference::{Options, assert_same};

/// A kind of table: its shape, and what becomes of rows that are not in it.
#[derive(Clone, Copy)]
pub struct Kind {
    pub dim: usize,
    pub row_wise: bool,
    pub padding: Option<usize>,
    pub skips_outside: bool,
    /// The greatest index of the type of indices.
    pub greatest: u128,
}

impl Kind {
    pub fn new(input: &mut Input, dim: usize, row_wise: bool, table_rows: usize, greatest: u128) -> Self {
        let padding = match input.below(8) {
            0..=5 => None,
            6 => Some(input.below(table_rows + 2)),
            _ => Some(usize::MAX >> (4 * input.below(9))), // no table has so many rows
        };
        Self { dim, row_wise, padding, skips_outside: input.one_in(4), greatest }
    }

    /// How many accumulators so many parameters have.
    pub fn accumulators(&self, params: usize) -> usize {
        if self.row_wise { params.checked_div(self.dim).unwrap_or(0) } else { params }
    }

    fn table<'a>(&self, params: &'a mut [f32], accumulator: &'a mut [f32]) -> Result<Table<'a>, Error> {
        let new = if self.row_wise { Table::row_wise } else { Table::new };
        let table = new(params, accumulator, self.dim)?.with_out_of_range_skipped(self.skips_outside);
        Ok(match self.padding {
            Some(row) => table.with_padding_row(row),
            None => table,
        })
    }

    /// The row that each index names, `None` where it is passed over; how many of these are not in the table; and the error
    /// where one may not be passed over.
    pub fn places(&self, rows: &[i128], table_rows: usize) -> (Vec<Option<usize>>, usize, Option<Error>) {
        let skips = self.skips_outside && table_rows as u128 <= self.greatest;
        let padding = self.padding.filter(|padding| *padding != usize::MAX);
        let (mut places, mut out_of_range, mut error) = (Vec::new(), 0, None);
        for (position, row) in rows.iter().enumerate() {
            let is_padding = padding.is_some_and(|padding| padding as i128 == *row);
            let is_inside = (0..table_rows as i128).contains(row);
            places.push((is_inside && !is_padding).then_some(*row as usize));
            if !is_inside && !is_padding {
                out_of_range += 1;
                if !skips {
                    error = error.or(Some(Error::Row { position, row: *row, rows: table_rows }));
                }
            }
        }
        (places, out_of_range, error)
    }
}

/// A step for rows: its hyper-parameters, its table, each row's index and gradient.
pub struct Step<'a> {
    pub options: &'a Options,
    pub kind: Kind,
    pub rows: Vec<i128>,
    /// A gradient for each row, or fewer values, where the call must be refused.
    pub grads: Vec<f32>,
    /// What is wrong with the call apart from its table, its rows and its hyper-parameters.
    pub faults: Vec<Error>,
}

/// What must become of a step: the row of each gradient, where it has one; how many are not in the table; and the errors
/// of which there must be one, if there are any.
pub struct Expectation {
    pub places: Vec<Option<usize>>,
    pub out_of_range: usize,
    pub faults: Vec<Error>,
}

impl Step<'_> {
    /// Takes the step by each of the calls on every backend.
    pub fn check(
        self,
        input: &mut Input,
        params: &mut Buffer<f32>,
        calls: &mut [&mut dyn FnMut(&Adagrad, &mut Table<'_>) -> Result<Report, Error>],
    ) {
        let Self { options, kind, .. } = self;
        let (dim, len) = (kind.dim, params.given().len());
        let accumulator_len = input.length(kind.accumulators(len));
        let mut accumulator = input.accumulators(accumulator_len, options);

        let Expectation { places, out_of_range, faults } = self.expectation(len, accumulator_len);
        let mut expected = Expected {
            params: params.given().to_vec(),
            accumulator: accumulator.given().to_vec(),
            skipped: 0,
            out_of_range,
        };
        let (mut rows, mut grads) = (Vec::new(), Vec::new());
        if faults.is_empty() {
            for (place, g) in places.iter().zip(self.grads.chunks_exact(dim)) {
                if let Some(row) = place {
                    rows.push(*row);
                    grads.extend_from_slice(g);
                }
            }
            let naive = if kind.row_wise { Options::step_row_wise } else { Options::step_rows };
            expected.skipped = naive(options, &mut expected.params, &mut expected.accumulator, dim, &rows, &grads);
        }
        // Row-wise steps are exact.
        let fast = options.arithmetic == Arithmetic::Fast && !kind.row_wise;
        let check = |(w, a): (&[f32], &[f32]), after: (&[f32], &[f32]), report: Report| {
            if fast {
                assert_fast_rows(options, [w, a], [after.0, after.1], dim, &rows, &grads, report.skipped);
                assert_eq!(report.out_of_range, out_of_range, "out of range");
            } else {
                expected.assert(after, report);
            }
        };
        for call in calls {
            let mut step = |opt: &Adagrad, w: &mut [f32], a: &mut [f32]| call(opt, &mut kind.table(w, a)?);
            on_every_backend(&options.adagrad(), &faults, params, &mut accumulator, &mut step, check);
        }
    }

    /// What must become of a call with so many parameters and accumulators.
    pub fn expectation(&self, len: usize, accumulators: usize) -> Expectation {
        let Self { options, kind, .. } = self;
        let dim = kind.dim;
        let (places, out_of_range, outside) = kind.places(&self.rows, len.checked_div(dim).unwrap_or(0));
        let faults: Vec<Error> = if dim == 0 {
            vec![Error::ZeroDim]
        } else if len % dim != 0 {
            vec![Error::NotRows { what: "params", len, row: dim }]
        } else {
            let shape = length_fault("accumulator", kind.accumulators(len), accumulators);
            shape.into_iter().chain(fault_of(options)).chain(self.faults.iter().copied()).chain(outside).collect()
        };
        Expectation { places, out_of_range, faults }
    }
}

/// Fails unless a fast step for rows may have made these. A row that is there twice starts its second step from an
/// unknown state, so only those that are there once, or not at all, are looked at.
fn assert_fast_rows(
    options: &Options,
    [w, a]: [&[f32]; 2],
    [new_w, new_a]: [&[f32]; 2],
    dim: usize,
    rows: &[usize],
    grads: &[f32],
    skipped: usize,
) {
    let mut times = vec![0; w.len() / dim];
    for row in rows {
        times[*row] += 1;
    }
    if times.iter().all(|times| *times < 2) {
        // Elements in the order of `rows`, so that all skips are counted at once.
        let gathered = |table: &[f32]| -> Vec<f32> {
            rows.iter().flat_map(|row| &table[row * dim..(row + 1) * dim]).copied().collect()
        };
        let before = [&gathered(w)[..], grads, &gathered(a)[..]];
        options.assert_fast(before, [&gathered(new_w), &gathered(new_a)], skipped);
    }
    for (row, times) in times.iter().enumerate() {
        let elements = row * dim..(row + 1) * dim;
        if *times == 0 {
            assert_same(&new_w[elements.clone()], &w[elements.clone()], "a row without a gradient");
            assert_same(&new_a[elements.clone()], &a[elements], "a row without a gradient");
        }
    }
}
