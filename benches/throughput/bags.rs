//! Steps of bags of rows, beside copies of their gradients and a step of the rows.

use core::hint::black_box;

use adagrad::{Bags, Table};
use adagrad_benches::OPT;
use adagrad_benches::memory::Random;

use crate::measure::{Contender, Meter, Times, Who};
use crate::rows::Layout;
use crate::text::{self, cell};

/// Parameters of the table.
pub(crate) const TABLE: usize = 1 << 20;
/// Rows of a call.
pub(crate) const ROWS: usize = 102_400;

pub(crate) const BAGS: Who = Who::Option("bags");
const MEAN: Who = Who::Option("mean");
const WEIGHTED: Who = Who::Option("weighted");
/// Copies of the gradients, then a step of the rows.
pub(crate) const COPIES: Who = Who::Option("copies and a step of rows");
/// The step of the rows alone.
pub(crate) const ALONE: Who = Who::Option("that step alone");

/// Rows of a bag, columns and layouts.
pub(crate) struct Case {
    pub(crate) size: usize,
    pub(crate) dim: usize,
    pub(crate) layout: Layout,
}

impl Case {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let sizes = [1, 20].into_iter();
        let dims = sizes.flat_map(|size| [16, 64, 128].map(|dim| (size, dim)));
        dims.flat_map(|(size, dim)| Layout::ALL.map(|layout| Self { size, dim, layout }))
    }
}

/// Tables of one size, and gradients.
struct Memory {
    params: Vec<f32>,
    accumulator: Vec<f32>,
    expanded: Vec<f32>,
    scratch: Vec<f32>,
}

impl Memory {
    fn table(&mut self, dim: usize, layout: Layout) -> (Table<'_>, &mut [f32], &mut [f32]) {
        let table = match layout {
            Layout::ElementWise => Table::new(&mut self.params, &mut self.accumulator, dim),
            Layout::RowWise => Table::row_wise(&mut self.params, &mut self.accumulator[..TABLE / dim], dim),
        };
        (table.expect("the shapes fit"), &mut self.expanded, &mut self.scratch)
    }
}

/// Times per element.
pub(crate) fn measure(meter: &Meter, case: &Case) -> Times {
    let Case { size, dim, layout } = *case;
    let mut random = Random(6);
    let rows = random.rows(TABLE / dim, ROWS);
    let offsets: Vec<u32> = (0..=ROWS / size).map(|bag| (bag * size) as u32).collect();
    let grads = random.gradients(ROWS / size * dim);
    let weights = random.numbers(ROWS);
    let bags = Bags::new(&offsets, &rows).expect("in order");
    let weighted = bags.weighted(&weights).expect("one for each row");
    let mut memory = Memory {
        params: random.numbers(TABLE),
        accumulator: random.numbers(TABLE),
        expanded: random.gradients(ROWS * dim),
        scratch: vec![0.0; dim],
    };

    let mut contenders = Vec::new();
    for (who, bags) in [(BAGS, bags), (MEAN, bags.mean()), (WEIGHTED, weighted)] {
        let grads = &grads;
        contenders.push(Contender::new(who, move |memory: &mut Memory| {
            let (mut table, _, scratch) = memory.table(dim, layout);
            black_box(&OPT).step_bags(&mut table, &bags, grads, scratch).expect("each row is in it");
        }));
    }
    let (rows, grads) = (&rows, &grads);
    for (who, copies) in [(COPIES, true), (ALONE, false)] {
        contenders.push(Contender::new(who, move |memory: &mut Memory| {
            let (mut table, expanded, _) = memory.table(dim, layout);
            if copies {
                for (g, bag) in grads.chunks_exact(dim).zip(expanded.chunks_exact_mut(size * dim)) {
                    bag.chunks_exact_mut(dim).for_each(|row| row.copy_from_slice(g));
                }
            }
            // Bags of one row have the gradients that the step alone has, and so the same memory.
            let grads = if size == 1 && !copies { &grads[..] } else { expanded };
            black_box(&OPT).step_rows(&mut table, rows, grads).expect("each row is in it");
        }));
    }
    let what = format!("bags of {size} rows, {dim} columns, {}", layout.name());
    meter.measure(&what, 0.7, &contenders, core::slice::from_mut(&mut memory)).per(ROWS * dim)
}

/// A line for each case.
pub(crate) fn table(series: &[(Case, Times)]) -> text::Table {
    let all = [BAGS, MEAN, WEIGHTED, COPIES, ALONE];
    let head = ["rows of a bag", "columns", "table"].map(str::to_owned);
    let mut table = text::Table::new(head.into_iter().chain(all.map(|who| who.to_string())));
    for (case, times) in series {
        let what = [case.size.to_string(), case.dim.to_string(), case.layout.name().to_owned()];
        table.push(what.into_iter().chain(all.map(|who| cell(times.of(who)))));
    }
    table
}
