//! What is done to rows between steps, on random rows of a table in the cache: norms that are limited, and decay that is
//! caught up on.

use core::hint::black_box;
use core::iter::Cycle;
use core::slice::ChunksExact;

use adagrad::Table;
use adagrad_benches::loops::{decay_each_row, limit_each_norm};
use adagrad_benches::memory::Random;
use adagrad_benches::{DECAY, LEARNING_RATE};

use crate::measure::{Contender, Meter, Times, Who};
use crate::plan::TABLE_IN_CACHE;
use crate::text::{self, cell};

const NAIVE_LIMIT: Who = Who::Option("norms: naive");
const LIMIT: Who = Who::Option("norms");
const NAIVE_DECAY: Who = Who::Option("decay: naive");
const DECAYED: Who = Who::Option("decay");

/// Columns of the table.
pub(crate) const COLUMNS: [usize; 4] = [1, 8, 20, 64];

struct Calls<'a> {
    params: Vec<f32>,
    accumulator: Vec<f32>,
    last_steps: Vec<u32>,
    batches: Cycle<ChunksExact<'a, u32>>,
    /// Less from call to call, so that each row's norm is more than it.
    max_norm: f32,
    step: u32,
}

impl<'a> Calls<'a> {
    fn next(&mut self) -> &'a [u32] {
        self.max_norm *= 0.99999;
        self.step = self.step.saturating_add(1);
        self.batches.next().expect("it cycles")
    }
}

/// Times per element.
pub(crate) fn measure(meter: &Meter, dim: usize) -> Times {
    const N: usize = TABLE_IN_CACHE;
    let mut random = Random(8);
    let (count, a_call) = (N / dim, N / dim / 4);
    let rows = random.rows(count, 16 * count);
    let mut calls = Calls {
        params: random.numbers(count * dim),
        accumulator: random.numbers(count * dim),
        last_steps: vec![0; count],
        batches: rows.chunks_exact(a_call).cycle(),
        max_norm: 0.5,
        step: 0,
    };
    let contenders = [
        Contender::new(NAIVE_LIMIT, move |calls: &mut Calls<'_>| {
            let rows = calls.next();
            limit_each_norm(&mut calls.params, dim, rows, calls.max_norm);
        }),
        Contender::new(LIMIT, move |calls: &mut Calls<'_>| {
            let rows = calls.next();
            let table = Table::new(&mut calls.params, &mut calls.accumulator, dim);
            let done = table.expect("the shapes fit").limit_norms(rows, black_box(calls.max_norm));
            done.expect("each row is in it");
        }),
        Contender::new(NAIVE_DECAY, move |calls: &mut Calls<'_>| {
            let rows = calls.next();
            let kept = 1.0 - black_box(LEARNING_RATE * DECAY);
            decay_each_row(&mut calls.params, dim, rows, kept, &mut calls.last_steps, calls.step);
        }),
        Contender::new(DECAYED, move |calls: &mut Calls<'_>| {
            let rows = calls.next();
            let mut table = Table::new(&mut calls.params, &mut calls.accumulator, dim).expect("the shapes fit");
            let rate = black_box(LEARNING_RATE);
            let done = table.decay_rows(rows, rate, DECAY, &mut calls.last_steps, calls.step);
            done.expect("each row is in it, and was seen before");
        }),
    ];
    let what = format!("between steps, {dim} columns");
    meter.measure(&what, 1.2, &contenders, core::slice::from_mut(&mut calls)).per(a_call * dim)
}

/// A line for each number of columns.
pub(crate) fn table(series: &[(usize, Times)]) -> text::Table {
    let columns = [NAIVE_LIMIT, LIMIT, NAIVE_DECAY, DECAYED];
    let mut table = text::Table::new(["columns".to_owned()].into_iter().chain(columns.iter().map(Who::to_string)));
    for (dim, times) in series {
        table.push([dim.to_string()].into_iter().chain(columns.iter().map(|who| cell(times.of(*who)))));
    }
    table
}
