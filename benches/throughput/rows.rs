//! Steps of random rows of a table.

use core::hint::black_box;
use core::iter::Cycle;
use core::slice::ChunksExact;

use adagrad::{Adagrad, Backend, NonFinite, Table, WeightDecay};
use adagrad_benches::limit::{Ahead, loops_over_rows};
use adagrad_benches::loops::{Loop, each_row, naive, naive_l2, naive_row_wise};
use adagrad_benches::memory::Random;
use adagrad_benches::{DECAY, LEARNING_RATE, OPT};

use crate::measure::{Contender, Kind, Meter, Times, Who};
use crate::text::{self, binary, cell};

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

const SCALE: Who = Who::Option("scale");
const SKIP: Who = Who::Option("skip");
const GLOVE: Who = Who::Option("GloVe");
const L2: Who = Who::Option("L2");
const INTERLEAVED: Who = Who::Option("interleaved");

/// Steps with an option, which are measured in the cache, each beside its naive loop. A plain loop row-wise with L2 would be
/// one more; there it is beside the one without.
fn steps_with_options(layout: Layout) -> [(Who, Who, Adagrad); 4] {
    let l2 = if layout == Layout::RowWise { Who::Naive } else { Who::NaiveL2 };
    [
        (SCALE, Who::Naive, OPT.with_gradient_scale(0.5)),
        (SKIP, Who::Naive, OPT.with_non_finite(NonFinite::Skip)),
        (GLOVE, Who::Naive, Adagrad::glove(LEARNING_RATE)),
        (L2, l2, OPT.with_weight_decay(WeightDecay::L2(DECAY))),
    ]
}

/// Who is compared with whom.
pub(crate) fn pairs_with_options(layout: Layout) -> [(Who, Who); 4] {
    steps_with_options(layout).map(|(step, naive, _)| (step, naive))
}

/// Times per element over the columns, for each layout.
pub(crate) type Measured = Vec<(Layout, Vec<(usize, Times)>)>;

/// Tables of one size, in turn with different columns.
pub(crate) struct Memory {
    params: Vec<f32>,
    accumulator: Vec<f32>,
    /// Parameters and accumulators side by side: nothing where both are in the cache, which has room for them once.
    interleaved: Vec<f32>,
    grads: Vec<f32>,
}

impl Memory {
    /// How many bytes [`Memory::new`] fills, and the rows.
    pub(crate) fn bytes(parameters: usize) -> usize {
        4 * (4 * parameters + BATCH + ROWS)
    }

    pub(crate) fn new(parameters: usize) -> Self {
        let mut random = Random(2);
        let mut numbers = |count| random.numbers(count);
        Self {
            params: numbers(parameters),
            accumulator: numbers(parameters),
            interleaved: numbers(if parameters <= BATCH { 0 } else { 2 * parameters }),
            grads: random.gradients(BATCH.min(parameters)),
        }
    }
}

/// A table and what its calls take.
struct Calls<'a> {
    params: &'a mut [f32],
    accumulator: &'a mut [f32],
    interleaved: &'a mut [f32],
    dim: usize,
    batches: Cycle<ChunksExact<'a, u32>>,
    grads: &'a [f32],
}

impl Calls<'_> {
    fn each_row(&mut self, run: impl Loop) {
        let rows = self.batches.next().expect("it cycles");
        each_row(self.params, self.accumulator, self.dim, rows, self.grads, run);
    }
}

/// Times per element of the detected backend.
pub(crate) fn measure(meter: &Meter, seconds: f64, memory: &mut Memory, dim: usize, layout: Layout) -> Times {
    let Memory { params, accumulator, interleaved, grads } = memory;
    let what = format!("table of {} parameters, {dim} columns, {}", binary(params.len()), layout.name());
    // What is left over where `dim` is no power of two.
    let rows = params.len() / dim;
    let accumulators = if layout == Layout::RowWise { rows } else { rows * dim };
    let joined = interleaved.len().min(rows * dim + accumulators);
    let a_call = grads.len() / dim;
    let random_rows = Random(3).rows(rows, rows.min(ROWS).max(a_call));
    let mut calls = Calls {
        params: &mut params[..rows * dim],
        accumulator: &mut accumulator[..accumulators],
        interleaved: &mut interleaved[..joined],
        dim,
        batches: random_rows.chunks_exact(a_call).cycle(),
        grads: &grads[..a_call * dim],
    };

    let mut contenders = vec![Contender::new(Who::Naive, |calls: &mut Calls<'_>| match layout {
        Layout::ElementWise => calls.each_row(naive),
        Layout::RowWise => calls.each_row(naive_row_wise),
    })];
    // Row-wise both kinds are the same: they divide once for a row.
    let kinds: &[Kind] = if layout == Layout::RowWise { &[Kind::EXACT] } else { &[Kind::EXACT, Kind::FAST] };
    let kinds = kinds.iter().filter(|kind| kind.is_on(Backend::detected()));
    let mut steps: Vec<(Who, Adagrad)> = kinds.map(|kind| (Who::detected(*kind), kind.options())).collect();
    if rows * dim <= BATCH {
        steps.extend(steps_with_options(layout).map(|(step, _, options)| (step, options)));
        if layout == Layout::ElementWise {
            contenders.push(Contender::new(Who::NaiveL2, |calls: &mut Calls<'_>| calls.each_row(naive_l2)));
        }
    }
    for (who, options) in steps {
        contenders.push(Contender::new(who, move |calls: &mut Calls<'_>| {
            let table = match layout {
                Layout::ElementWise => Table::new(calls.params, calls.accumulator, dim),
                Layout::RowWise => Table::row_wise(calls.params, calls.accumulator, dim),
            };
            let rows = calls.batches.next().expect("it cycles");
            let done = black_box(&options).step_rows(&mut table.expect("the shapes fit"), rows, calls.grads);
            done.expect("each row is in it");
        }));
    }
    if joined > 0 {
        contenders.push(Contender::new(INTERLEAVED, move |calls: &mut Calls<'_>| {
            let table = match layout {
                Layout::ElementWise => Table::interleaved(calls.interleaved, dim),
                Layout::RowWise => Table::interleaved_row_wise(calls.interleaved, dim),
            };
            let rows = calls.batches.next().expect("it cycles");
            let done = black_box(&OPT).step_rows(&mut table.expect("the shapes fit"), rows, calls.grads);
            done.expect("each row is in it");
        }));
    }
    for (ahead, run) in loops_over_rows(layout == Layout::RowWise) {
        // In the cache nothing is asked for ahead.
        if ahead == Ahead::Nothing || rows * dim > BATCH {
            contenders.push(Contender::new(Who::OneStream, move |calls: &mut Calls<'_>| {
                let rows = calls.batches.next().expect("it cycles");
                run(calls.params, calls.accumulator, dim, rows, calls.grads);
            }));
        }
    }
    meter.measure(&what, seconds, &contenders, core::slice::from_mut(&mut calls)).per(a_call * dim)
}

fn has_interleaved(series: &[(usize, Times)]) -> bool {
    series.iter().any(|(_, times)| times.of(INTERLEAVED).is_some())
}

/// A line for each number of columns, with both layouts.
pub(crate) fn table(layouts: &Measured) -> text::Table {
    let exact = Who::detected(Kind::EXACT);
    let mut head = vec!["columns".to_owned()];
    for (layout, series) in layouts {
        head.push(format!("{}: naive", layout.name()));
        head.push("exact".into());
        if *layout == Layout::ElementWise {
            head.push("fast".into());
        }
        head.push("limit".into());
        if has_interleaved(series) {
            head.push("interleaved".into());
        }
    }
    let mut table = text::Table::new(head);
    for i in 0..layouts[0].1.len() {
        let mut cells = vec![layouts[0].1[i].0.to_string()];
        for (layout, series) in layouts {
            let times = &series[i].1;
            cells.extend([cell(times.of(Who::Naive)), cell(times.of(exact))]);
            if *layout == Layout::ElementWise {
                cells.push(cell(times.of(Who::detected(Kind::FAST))));
            }
            cells.push(cell(times.limit()));
            if has_interleaved(series) {
                cells.push(cell(times.of(INTERLEAVED)));
            }
        }
        table.push(cells);
    }
    table
}

/// The steps with options: a line for each number of columns.
pub(crate) fn table_of_options(layouts: &Measured) -> text::Table {
    let mut head = vec!["columns".to_owned()];
    let mut columns = Vec::new();
    for (index, (layout, _)) in layouts.iter().enumerate() {
        let mut all = Vec::new();
        for (step, naive) in pairs_with_options(*layout) {
            all.extend([naive, step].into_iter().filter(|who| !all.contains(who)).collect::<Vec<_>>());
        }
        let names = all.iter().enumerate().map(|(place, who)| match place {
            0 => format!("{}: {who}", layout.name()),
            _ => who.to_string(),
        });
        head.extend(names);
        columns.extend(all.into_iter().map(|who| (index, who)));
    }
    let mut table = text::Table::new(head);
    for i in 0..layouts[0].1.len() {
        let times = columns.iter().map(|(index, who)| cell(layouts[*index].1[i].1.of(*who)));
        table.push([layouts[0].1[i].0.to_string()].into_iter().chain(times));
    }
    table
}
