//! Steps of random rows of a table.

use core::iter::Cycle;
use core::slice::ChunksExact;

use adagrad::{Backend, Table};

use crate::common::{Loop, Random, each_row, each_row_ahead, naive, naive_row_wise, traffic, traffic_row_wise};
use crate::measure::{Contender, KINDS, Meter, Times, Who};
use crate::text::binary;

/// Gradient values of a call, at most: 128 KiB.
const BATCH: usize = 1 << 15;
/// Random rows, at most, before they come again: where a row is two cache lines these are 512 MiB, so that none is
/// left in a cache.
const ROWS: usize = 1 << 22;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Layout {
    ElementWise,
    RowWise,
}

impl Layout {
    pub(crate) const ALL: [Self; 2] = [Self::ElementWise, Self::RowWise];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ElementWise => "element-wise",
            Self::RowWise => "row-wise",
        }
    }
}

/// Times per element over the columns, for each layout.
pub(crate) type Measured = Vec<(Layout, Vec<(usize, Times)>)>;

/// Tables of one size, in turn with different columns.
pub(crate) struct Memory {
    params: Vec<f32>,
    accumulator: Vec<f32>,
    grads: Vec<f32>,
}

impl Memory {
    /// How many bytes [`Memory::new`] fills.
    pub(crate) fn bytes(parameters: usize) -> usize {
        4 * (2 * parameters + BATCH + ROWS)
    }

    pub(crate) fn new(parameters: usize) -> Self {
        let mut random = Random(2);
        let mut numbers = || random.numbers(parameters);
        Self { params: numbers(), accumulator: numbers(), grads: random.gradients(BATCH.min(parameters)) }
    }
}

/// A table and what its calls take.
struct Calls<'a> {
    params: &'a mut [f32],
    accumulator: &'a mut [f32],
    dim: usize,
    batches: Cycle<ChunksExact<'a, u32>>,
    grads: &'a [f32],
}

impl Calls<'_> {
    fn each_row(&mut self, run: impl Loop) {
        let rows = self.batches.next().expect("it cycles");
        each_row(self.params, self.accumulator, self.dim, rows, self.grads, run);
    }

    fn each_row_ahead(&mut self, run: impl Loop) {
        let rows = self.batches.next().expect("it cycles");
        each_row_ahead(self.params, self.accumulator, self.dim, rows, self.grads, run);
    }
}

/// Times per element of the detected backend.
pub(crate) fn measure(meter: &Meter, memory: &mut Memory, dim: usize, layout: Layout) -> Times {
    let Memory { params, accumulator, grads } = memory;
    let what = format!("table of {} parameters, {dim} columns, {}", binary(params.len()), layout.name());
    // What is left over where `dim` is no power of two.
    let rows = params.len() / dim;
    let accumulators = if layout == Layout::RowWise { rows } else { rows * dim };
    let a_call = grads.len() / dim;
    let random_rows = Random(3).rows(rows, rows.min(ROWS).max(a_call));
    let mut calls = Calls {
        params: &mut params[..rows * dim],
        accumulator: &mut accumulator[..accumulators],
        dim,
        batches: random_rows.chunks_exact(a_call).cycle(),
        grads: &grads[..a_call * dim],
    };

    let mut contenders = vec![Contender::new(Who::Naive, |calls: &mut Calls<'_>| match layout {
        Layout::ElementWise => calls.each_row(naive),
        Layout::RowWise => calls.each_row(naive_row_wise),
    })];
    let backend = Backend::detected();
    // Row-wise all kinds are the same: they divide once for a row.
    let kinds = if layout == Layout::RowWise { &KINDS[..1] } else { KINDS };
    for kind in kinds.iter().filter(|kind| kind.is_on(backend)) {
        contenders.push(Contender::new(Who::Step(backend, *kind), move |calls: &mut Calls<'_>| {
            let table = match layout {
                Layout::ElementWise => Table::new(calls.params, calls.accumulator, dim),
                Layout::RowWise => Table::row_wise(calls.params, calls.accumulator, dim),
            };
            let rows = calls.batches.next().expect("it cycles");
            let done = kind.options.step_rows_on(backend, &mut table.expect("the shapes fit"), rows, calls.grads);
            done.expect("each row is in it");
        }));
    }
    contenders.push(Contender::new(Who::Limit, |calls: &mut Calls<'_>| match layout {
        Layout::ElementWise => calls.each_row(traffic),
        Layout::RowWise => calls.each_row(traffic_row_wise),
    }));
    contenders.push(Contender::new(Who::Limit, |calls: &mut Calls<'_>| match layout {
        Layout::ElementWise => calls.each_row_ahead(traffic),
        Layout::RowWise => calls.each_row_ahead(traffic_row_wise),
    }));
    meter.measure(&what, &contenders, core::slice::from_mut(&mut calls)).per(a_call * dim)
}
