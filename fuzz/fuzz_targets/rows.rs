//! Steps on rows of both kinds of tables, on one thread and on several, on every backend, `coalesce` and
//! `partition`, against the naive ones.
#![no_main]

mod input;
#[path = "../../tests/reference/mod.rs"]
mod reference;
mod tables;

use adagrad::{Error, Owners, RowIndex, coalesce, partition};
use bytemuck::Pod;
use input::{Buffer, Input, accepted, count, length_fault};
use libfuzzer_sys::fuzz_target;
use reference::{Options, assert_same};
use tables::{Kind, Step};

/// The longest slice of parameters or gradients; and the longest where steps are to be prefetched and divided.
const MAX_LEN: usize = 4096;
const MAX_LONG: usize = 1 << 19;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    macro_rules! with {
        ($Index:ty) => {
            test(&mut input, |raw| raw as $Index, |row| row as i128, <$Index>::MAX as u128)
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

fn test<I: RowIndex + Pod + Sync + From<u8>>(
    input: &mut Input,
    of_raw: fn(u64) -> I,
    to_i128: fn(I) -> i128,
    greatest: u128,
) {
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
    let mut case = Case { options, dim, params, grads, rows, to_i128, greatest };
    case.step(input, false, table_rows);
    case.step(input, true, table_rows);
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
    greatest: u128,
}

impl<I: RowIndex + Pod + Sync> Case<I> {
    fn step(&mut self, input: &mut Input, row_wise: bool, table_rows: usize) {
        let Self { options, dim, .. } = *self;
        let kind = Kind::new(input, dim, row_wise, table_rows, self.greatest);
        let (rows, grads) = (self.rows.given(), self.grads.given());
        let step = Step {
            options: &options,
            kind,
            rows: rows.iter().map(|row| (self.to_i128)(*row)).collect(),
            grads: grads.to_vec(),
            faults: Vec::from_iter(gradient_fault(rows.len(), dim, grads.len())),
        };
        let pool = input.pool();
        step.check(
            input,
            &mut self.params,
            &mut [&mut |opt, table| opt.step_rows(table, rows, grads), &mut |opt, table| {
                pool.install(|| opt.par_step_rows(table, rows, grads))
            }],
        );
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

        count(self.grads.given().len());
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
        count(given_grads.len());
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
