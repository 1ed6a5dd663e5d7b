//! Steps on rows of both kinds of tables, on one thread and on several, on every backend, `coalesce` and
//! `partition`, against the naive ones.
#![no_main]

mod input;
#[path = "../../tests/reference/mod.rs"]
mod reference;

use adagrad::{Adagrad, Arithmetic, Error, Owners, Report, RowIndex, Table, coalesce, partition};
use bytemuck::Pod;
use input::{Buffer, Expected, Input, accepted, fault_of, length_fault, on_every_backend};
use libfuzzer_sys::fuzz_target;
use reference::{Options, assert_same};

/// The longest slice of parameters or gradients; and the longest where steps are to be prefetched and divided.
const MAX_LEN: usize = 4096;
const MAX_LONG: usize = 1 << 19;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    macro_rules! with {
        ($Index:ty) => {
            test(&mut input, |raw| raw as $Index, |row| row as i128)
        };
    }
    match input.below(5) {
        0 => with!(u32),
        1 => with!(u64),
        2 => with!(usize),
        3 => with!(i32),
        _ => with!(i64),
    }
});

fn test<I: RowIndex + Pod + Sync + From<u8>>(input: &mut Input, of_raw: fn(u64) -> I, to_i128: fn(I) -> i128) {
    let options = input.options();
    let dim = match input.below(32) {
        0 => 0,
        1 => usize::MAX >> input.below(8),
        _ => 1 + input.below(40),
    };
    // From 2¹⁷ parameters on a table is prefetched, and from 2¹⁸ elements of work on a step is divided.
    let (table_rows, k, max_len) = if input.one_in(256) {
        (input.below(20_000), (1 << 18) / (dim.min(64) + 16) + input.below(64) - 32, MAX_LONG)
    } else {
        (input.below(12), input.below(24), MAX_LEN)
    };
    let params_len = input.length(short_product(table_rows, dim, max_len));
    let grads_len = input.length(short_product(k, dim, max_len));
    let params = input.numbers(params_len);
    let grads = input.numbers(grads_len);
    let hostile = input.one_in(4);
    let rows = input.buffer(k, |input| {
        let hostile = hostile && input.one_in(8);
        of_raw(if hostile { hostile_row(input, table_rows, dim) } else { input.below(table_rows.max(1)) as u64 })
    });
    let mut case = Case { options, dim, params, grads, rows, to_i128 };
    case.step(input, false);
    case.step(input, true);
    case.coalesce(input);
    case.partition(input, table_rows);
}

/// The product, or 0 where that is too long for a test.
fn short_product(a: usize, b: usize, max: usize) -> usize {
    a.checked_mul(b).filter(|product| *product <= max).unwrap_or(0)
}

/// A row that is, but for some index types, not in the table.
fn hostile_row(input: &mut Input, table_rows: usize, dim: usize) -> u64 {
    match input.below(8) {
        0 => u64::MAX,
        1 => i64::MAX as u64,
        2 => i64::MIN as u64,
        3 => i32::MAX as u64,
        4 => 1 << 31,
        5 => (1 << 32) + input.below(table_rows.max(1)) as u64,
        6 => (usize::MAX / dim.max(2)) as u64 + 1, // times `dim` it wraps around to a small number
        _ => (table_rows + input.below(2)) as u64,
    }
}

/// What is wrong with the gradients of `k` rows.
fn gradient_fault(k: usize, dim: usize, grads: usize) -> Option<Error> {
    match k.checked_mul(dim) {
        None => Some(Error::Overflow { rows: k, dim }),
        Some(expected) => length_fault("grads", expected, grads),
    }
}

struct Case<I> {
    options: Options,
    dim: usize,
    params: Buffer<f32>,
    grads: Buffer<f32>,
    rows: Buffer<I>,
    to_i128: fn(I) -> i128,
}

impl<I: RowIndex + Pod + Sync> Case<I> {
    fn step(&mut self, input: &mut Input, row_wise: bool) {
        let Self { options, dim, .. } = *self;
        let len = self.params.given().len();
        let table_rows = len.checked_div(dim).unwrap_or(0);
        let expected_len = if row_wise { table_rows } else { len };
        let accumulator_len = input.length(expected_len);
        let mut accumulator = input.accumulators(accumulator_len, &options);

        let pool = input.pool();

        let faults = self.faults(expected_len, accumulator_len);
        let (rows, grads) = (self.rows.given(), self.grads.given());
        let mut expected =
            Expected { params: self.params.given().to_vec(), accumulator: accumulator.given().to_vec(), skipped: 0 };
        let mut places = Vec::new();
        if faults.is_empty() {
            places = rows.iter().map(|row| (self.to_i128)(*row) as usize).collect();
            let naive = if row_wise { Options::step_row_wise } else { Options::step_rows };
            expected.skipped = naive(&options, &mut expected.params, &mut expected.accumulator, dim, &places, grads);
        }
        // Row-wise steps are exact.
        let fast = options.arithmetic == Arithmetic::Fast && !row_wise;
        let check = |before: [&[f32]; 2], after: [&[f32]; 2], skipped| {
            if fast {
                assert_fast_rows(&options, before, after, dim, &places, grads, skipped);
            } else {
                expected.assert(after, skipped);
            }
        };
        type Call<I> = fn(&Adagrad, &mut Table<'_>, &[I], &[f32]) -> Result<Report, Error>;
        let calls: [Call<I>; 2] = [Adagrad::step_rows, Adagrad::par_step_rows];
        for call in calls {
            let mut step = |opt: &Adagrad, w: &mut [f32], a: &mut [f32]| {
                let mut table = if row_wise { Table::row_wise(w, a, dim) } else { Table::new(w, a, dim) }?;
                pool.install(|| call(opt, &mut table, rows, grads))
            };
            on_every_backend(&options.adagrad(), &faults, &mut self.params, &mut accumulator, &mut step, check);
        }
    }

    /// All that is wrong with a table or a step on it.
    fn faults(&self, expected_accumulator: usize, accumulator: usize) -> Vec<Error> {
        let (dim, len) = (self.dim, self.params.given().len());
        if dim == 0 {
            return vec![Error::ZeroDim];
        }
        if len % dim != 0 {
            return vec![Error::NotRows { what: "params", len, row: dim }];
        }
        let rows = len / dim;
        let in_table = 0..rows as i128;
        let mut indices = self.rows.given().iter().map(|row| (self.to_i128)(*row)).enumerate();
        let outside = indices.find(|(_, row)| !in_table.contains(row));
        [
            length_fault("accumulator", expected_accumulator, accumulator),
            fault_of(&self.options),
            gradient_fault(self.rows.given().len(), dim, self.grads.given().len()),
            outside.map(|(position, row)| Error::Row { position, row, rows }),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn coalesce(&mut self, input: &mut Input) {
        let (dim, k) = (self.dim, self.rows.given().len());
        let scratch_len = if input.one_in(16) { input.below(k + 1) } else { k + input.below(k + 2) };
        let mut scratch = input.buffer::<usize>(scratch_len, |input| input.any());
        let mut faults = Vec::from_iter(gradient_fault(k, dim, self.grads.given().len()));
        if dim == 0 {
            faults = vec![Error::ZeroDim];
        }
        if scratch_len < k {
            faults.push(Error::TooShort { what: "scratch", minimum: k, actual: scratch_len });
        }

        let result = coalesce(self.rows.fresh(), self.grads.fresh(), dim, scratch.fresh());
        if accepted(&result, &faults) {
            let rows: Vec<usize> = self.rows.given().iter().map(|row| (self.to_i128)(*row) as usize).collect();
            let (expected_rows, sums) = reference::coalesce(&rows, self.grads.given(), dim);
            let n = result.unwrap_or_default();
            let rows: Vec<usize> = self.rows.written()[..n].iter().map(|row| (self.to_i128)(*row) as usize).collect();
            assert_eq!(rows, expected_rows);
            assert_same(&self.grads.written()[..n * dim], &sums, "coalesce");
            scratch.written();
        } else {
            self.rows.assert_untouched();
            self.grads.assert_untouched();
            scratch.assert_untouched();
        }
    }
}

impl<I: RowIndex + Pod + Sync + From<u8>> Case<I> {
    fn partition(&mut self, input: &mut Input, table_rows: usize) {
        let (dim, k, grads) = (self.dim, self.rows.given().len(), self.grads.given().len());
        let mut ends: Vec<usize> = (0..input.below(5)).map(|_| input.below(table_rows + 1)).collect();
        if !input.one_in(8) {
            ends.sort_unstable();
            ends.push(table_rows);
        }
        let modulo = Owners::Modulo { owners: input.below(6), rows: table_rows };
        let owners = if input.any() { Owners::Ranges(&ends) } else { modulo };
        let lengths = [k, grads, owners.count()].map(|len| input.length(len));
        let mut to_rows = input.buffer::<I>(lengths[0], |_| I::from(9));
        let mut to_grads = input.numbers(lengths[1]);
        let mut counts = input.buffer::<usize>(lengths[2], |input| input.any());

        let rows: Vec<i128> = self.rows.given().iter().map(|row| (self.to_i128)(*row)).collect();
        let in_table = 0..owners.rows() as i128;
        let outside = rows.iter().enumerate().find(|(_, row)| !in_table.contains(row));
        let falls = match owners {
            Owners::Ranges(ends) => (1..ends.len()).find(|at| ends[*at] < ends[at - 1]),
            _ => None,
        };
        let faults: Vec<Error> = [
            (dim == 0).then_some(Error::ZeroDim),
            (owners.count() == 0).then_some(Error::NoOwners),
            falls.map(|at| Error::Range { position: at, end: ends[at], start: ends[at - 1] }),
            gradient_fault(k, dim, grads),
            length_fault("to_rows", k, lengths[0]),
            length_fault("to_grads", grads, lengths[1]),
            length_fault("counts", owners.count(), lengths[2]),
            outside.map(|(position, row)| Error::Row { position, row: *row, rows: owners.rows() }),
        ]
        .into_iter()
        .flatten()
        .collect();

        let (given, given_grads) = (self.rows.given(), self.grads.given());
        let result = partition(given, given_grads, dim, owners, to_rows.fresh(), to_grads.fresh(), counts.fresh());
        if !accepted(&result, &faults) {
            to_rows.assert_untouched();
            to_grads.assert_untouched();
            counts.assert_untouched();
            return;
        }
        let mut at = 0;
        for (owner, count) in counts.written().iter().enumerate() {
            for (position, row) in rows.iter().enumerate() {
                let Some((of, local)) = owners.local(*row as usize) else { panic!("{row} has no owner") };
                if of == owner {
                    assert_eq!((self.to_i128)(to_rows.written()[at]), local as i128);
                    let g = &given_grads[position * dim..][..dim];
                    assert_same(&to_grads.written()[at * dim..][..dim], g, "partition");
                    at += 1;
                }
            }
            assert_eq!(*count, rows.iter().filter(|row| owners.local(**row as usize).unwrap().0 == owner).count());
        }
        assert_eq!(at, k);
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
