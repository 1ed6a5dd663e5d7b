//! Steps of `bf16` beside those of `f32`: dense ones, and of random rows.

use core::hint::black_box;

use adagrad::{Counter, Element, MixedTable, Rounding, Table};
use adagrad_benches::OPT;
use adagrad_benches::memory::{Random, Vectors, apart};
use half::bf16;

use crate::machine;
use crate::measure::{Contender, Meter, Times, Who};
use crate::text::{self, binary, cell};

/// Columns of the rows, whose accumulators are one a row and `f32`.
const COLUMNS: usize = 64;
/// Random rows of a call, and before they come again.
const A_CALL: usize = 512;
const ROWS: usize = 1 << 22;

pub(crate) const F32: Who = Who::Option("f32");

/// What is `bf16`.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Types {
    /// Parameters and accumulators. Of rows only the parameters.
    State,
    /// Gradients, too.
    All,
}

/// Steps of `bf16`, by both ways to round.
pub(crate) const STEPS: [(Types, Rounding, Who); 4] = [
    (Types::State, Rounding::Nearest, Who::Option("bf16, gradients f32")),
    (Types::State, BY_CHANCE, Who::Option("the same by chance")),
    (Types::All, Rounding::Nearest, Who::Option("all bf16")),
    (Types::All, BY_CHANCE, Who::Option("all by chance")),
];
const BY_CHANCE: Rounding = Rounding::Stochastic(Counter::new(1, 2));

/// What a way to round is called in the goals.
pub(crate) fn name(rounding: Rounding) -> &'static str {
    if rounding == Rounding::Nearest { "to the nearest" } else { "by chance" }
}

/// The same values in both types.
pub(crate) struct Memory {
    wide: Vectors,
    narrow: (Vec<bf16>, Vec<bf16>, Vec<bf16>),
}

/// Those of one step.
struct Slices<'a> {
    wide: (&'a mut [f32], &'a [f32], &'a mut [f32]),
    narrow: (&'a mut [bf16], &'a [bf16], &'a mut [bf16]),
}

impl Memory {
    /// For steps of up to so many elements.
    pub(crate) fn new(elements: usize) -> Self {
        let wide = apart(elements);
        let narrow = (narrowed(&wide.0), narrowed(&wide.1), narrowed(&wide.2));
        Self { wide, narrow }
    }

    /// As `places` of [`adagrad_benches::memory`].
    fn places(&mut self, n: usize) -> Vec<Slices<'_>> {
        let Self { wide, narrow } = self;
        let distance = wide.0.len() / (wide.0.len() / n).clamp(1, 4);
        let wide = split(&mut wide.0, &wide.1, &mut wide.2, distance, n);
        let narrow = split(&mut narrow.0, &narrow.1, &mut narrow.2, distance, n);
        wide.zip(narrow).map(|(wide, narrow)| Slices { wide, narrow }).collect()
    }
}

fn narrowed(values: &[f32]) -> Vec<bf16> {
    values.iter().map(|x| bf16::from_f32(*x)).collect()
}

fn split<'a, T>(
    w: &'a mut [T],
    g: &'a [T],
    a: &'a mut [T],
    distance: usize,
    n: usize,
) -> impl Iterator<Item = (&'a mut [T], &'a [T], &'a mut [T])> {
    let (w, g, a) = (w.chunks_exact_mut(distance), g.chunks_exact(distance), a.chunks_exact_mut(distance));
    w.zip(g).zip(a).map(move |((w, g), a)| (&mut w[..n], &g[..n], &mut a[..n]))
}

/// Times per element of dense steps.
pub(crate) fn measure(meter: &Meter, memory: &mut Memory, n: usize) -> Times {
    let mut contenders = vec![Contender::new(F32, |slices: &mut Slices<'_>| {
        let (w, g, a) = &mut slices.wide;
        black_box(&OPT).step(w, g, a).expect("the lengths are the same");
    })];
    contenders.extend(STEPS.map(|(types, rounding, who)| {
        Contender::new(who, move |Slices { wide, narrow }: &mut Slices<'_>| match types {
            Types::State => step(narrow.0, wide.1, narrow.2, rounding),
            Types::All => step(narrow.0, narrow.1, narrow.2, rounding),
        })
    }));
    meter.measure(&format!("bf16, {} elements", binary(n)), 1.5, &contenders, &mut memory.places(n)).per(n)
}

fn step<G: Element>(w: &mut [bf16], g: &[G], a: &mut [bf16], rounding: Rounding) {
    black_box(&OPT).step_mixed(w, g, a, rounding).expect("the lengths are the same");
}

/// A line for each length.
pub(crate) fn table(series: &[(usize, Times)]) -> text::Table {
    let all = || [F32].into_iter().chain(STEPS.map(|(.., who)| who));
    let mut table = text::Table::new(["elements".to_owned()].into_iter().chain(all().map(|who| who.to_string())));
    for (n, times) in series {
        table.push([binary(*n)].into_iter().chain(all().map(|who| cell(times.of(who)))));
    }
    table
}

/// Random rows of a large table, whose parameters are `bf16`: what they are called, and how they are rounded.
pub(crate) const ROW_STEPS: [(Rounding, Who); 2] =
    [(Rounding::Nearest, Who::Option("bf16 parameters")), (BY_CHANCE, Who::Option("by chance"))];

/// Both tables, and the rows of the next call.
struct Tables<'a> {
    wide: (Vec<f32>, Vec<f32>),
    narrow: (Vec<bf16>, Vec<f32>),
    batches: core::iter::Cycle<core::slice::ChunksExact<'a, u32>>,
}

/// Times per element of random rows of a table of so many parameters; nothing where the memory is missing.
pub(crate) fn measure_rows(meter: &Meter, parameters: usize) -> Option<Times> {
    let rows = parameters / COLUMNS;
    if !machine::has_memory(6 * parameters + 8 * rows + 4 * ROWS) {
        return None;
    }
    meter.tell("filling memory");
    let mut random = Random(7);
    let params = random.numbers(rows * COLUMNS);
    let narrow = (narrowed(&params), random.numbers(rows));
    let wide = (params, random.numbers(rows));
    let grads = random.gradients(A_CALL * COLUMNS);
    let random_rows = random.rows(rows, ROWS.min(rows.max(A_CALL)));
    let mut tables = Tables { wide, narrow, batches: random_rows.chunks_exact(A_CALL).cycle() };
    let grads = &grads;
    let mut contenders = vec![Contender::new(F32, move |Tables { wide, batches, .. }: &mut Tables<'_>| {
        let mut table = Table::row_wise(&mut wide.0, &mut wide.1, COLUMNS).expect("the shapes fit");
        let rows = batches.next().expect("it cycles");
        black_box(&OPT).step_rows(&mut table, rows, grads).expect("each row is in it");
    })];
    contenders.extend(ROW_STEPS.map(|(rounding, who)| {
        Contender::new(who, move |Tables { narrow, batches, .. }: &mut Tables<'_>| {
            let mut table = MixedTable::row_wise(&mut narrow.0, &mut narrow.1, COLUMNS).expect("the shapes fit");
            let rows = batches.next().expect("it cycles");
            black_box(&OPT).step_mixed_rows(&mut table, rows, grads, rounding).expect("each row is in it");
        })
    }));
    let what = format!("bf16, rows of a table of {} parameters", binary(parameters));
    let times = meter.measure(&what, 1.5, &contenders, core::slice::from_mut(&mut tables));
    Some(times.per(A_CALL * COLUMNS))
}

pub(crate) fn table_of_rows(times: &Times) -> text::Table {
    let all = || [F32].into_iter().chain(ROW_STEPS.map(|(_, who)| who));
    let mut table = text::Table::new(["columns".to_owned()].into_iter().chain(all().map(|who| who.to_string())));
    table.push([COLUMNS.to_string()].into_iter().chain(all().map(|who| cell(times.of(who)))));
    table
}
