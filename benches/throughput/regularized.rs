//! Steps with L1, FTRL-Proximal and proximal Adagrad: dense, and on random rows of a table in the cache.

use core::hint::black_box;
use core::iter::Cycle;
use core::slice::ChunksExact;

use adagrad::{Ftrl, Proximal, Table};
use adagrad_benches::loops::{each_row, each_row_ftrl, naive_proximal, whole, whole_ftrl};
use adagrad_benches::memory::Random;
use adagrad_benches::{L1, LEARNING_RATE};

use crate::measure::{Contender, Meter, Times, Who};
use crate::plan::TABLE_IN_CACHE;
use crate::text::{self, binary, cell};

const NAIVE_FTRL: Who = Who::Option("FTRL: naive");
const FTRL: Who = Who::Option("FTRL");
const NAIVE_PROXIMAL: Who = Who::Option("proximal: naive");
const PROXIMAL: Who = Who::Option("proximal");

/// What a call steps: all elements as slices, or random rows of so many columns.
pub(crate) const CASES: [Option<usize>; 4] = [None, Some(1), Some(8), Some(64)];

/// A table, its linear terms, and what its calls take. The linear terms are so large that no gradient changes them.
struct Calls<'a> {
    params: Vec<f32>,
    accumulator: Vec<f32>,
    linear: Vec<f32>,
    batches: Cycle<ChunksExact<'a, u32>>,
    grads: &'a [f32],
}

/// Times per element on the detected backend.
pub(crate) fn measure(meter: &Meter, case: Option<usize>) -> Times {
    const N: usize = TABLE_IN_CACHE;
    let mut random = Random(7);
    let dim = case.unwrap_or(1);
    let rows = random.rows(N / dim, 16 * N / dim);
    let grads = random.gradients(N);
    let mut calls = Calls {
        params: random.numbers(N),
        accumulator: random.numbers(N),
        linear: random.numbers(N).iter().map(|z| 4096.0 * z).collect(),
        batches: rows.chunks_exact(N / dim).cycle(),
        grads: &grads,
    };
    let ftrl = Ftrl::new(LEARNING_RATE).with_l1(L1);
    let proximal = Proximal::new(LEARNING_RATE).with_l1(L1);
    let contenders = if case.is_none() {
        [
            Contender::new(NAIVE_FTRL, |calls: &mut Calls<'_>| {
                whole_ftrl(&mut calls.params, calls.grads, &mut calls.accumulator, &mut calls.linear);
            }),
            Contender::new(FTRL, move |calls: &mut Calls<'_>| {
                let Calls { params, accumulator, linear, grads, .. } = calls;
                black_box(&ftrl).step(params, grads, accumulator, linear).expect("the lengths are the same");
            }),
            Contender::new(NAIVE_PROXIMAL, |calls: &mut Calls<'_>| {
                whole(&mut calls.params, calls.grads, &mut calls.accumulator, naive_proximal);
            }),
            Contender::new(PROXIMAL, move |calls: &mut Calls<'_>| {
                let Calls { params, accumulator, grads, .. } = calls;
                black_box(&proximal).step(params, grads, accumulator).expect("the lengths are the same");
            }),
        ]
    } else {
        [
            Contender::new(NAIVE_FTRL, move |calls: &mut Calls<'_>| {
                let rows = calls.batches.next().expect("it cycles");
                each_row_ftrl(&mut calls.params, &mut calls.accumulator, &mut calls.linear, dim, rows, calls.grads);
            }),
            Contender::new(FTRL, move |calls: &mut Calls<'_>| {
                let rows = calls.batches.next().expect("it cycles");
                let mut table = Table::new(&mut calls.params, &mut calls.accumulator, dim).expect("the shapes fit");
                let done = black_box(&ftrl).step_rows(&mut table, &mut calls.linear, rows, calls.grads);
                done.expect("each row is in it");
            }),
            Contender::new(NAIVE_PROXIMAL, move |calls: &mut Calls<'_>| {
                let rows = calls.batches.next().expect("it cycles");
                each_row(&mut calls.params, &mut calls.accumulator, dim, rows, calls.grads, naive_proximal);
            }),
            Contender::new(PROXIMAL, move |calls: &mut Calls<'_>| {
                let rows = calls.batches.next().expect("it cycles");
                let mut table = Table::new(&mut calls.params, &mut calls.accumulator, dim).expect("the shapes fit");
                let done = black_box(&proximal).step_rows(&mut table, rows, calls.grads);
                done.expect("each row is in it");
            }),
        ]
    };
    let what = format!("L1, {} parameters, {}", binary(N), name(case));
    meter.measure(&what, 1.2, &contenders, core::slice::from_mut(&mut calls)).per(N)
}

fn name(case: Option<usize>) -> String {
    case.map_or_else(|| "dense".into(), |dim| format!("rows of {dim}"))
}

/// A line for each case.
pub(crate) fn table(series: &[(Option<usize>, Times)]) -> text::Table {
    let columns = [NAIVE_FTRL, FTRL, NAIVE_PROXIMAL, PROXIMAL];
    let mut table = text::Table::new(["step".to_owned()].into_iter().chain(columns.iter().map(Who::to_string)));
    for (case, times) in series {
        table.push([name(*case)].into_iter().chain(columns.iter().map(|who| cell(times.of(*who)))));
    }
    table
}
