//! Steps on rows of padded and of interleaved tables, in `f32` and in 16-bit types, with gradients that lie apart, on one thread
//! and on several, on every backend, against the naive step on plain rows. Padding must stay as it was.
#![no_main]

#[allow(dead_code, reason = "the other targets use the rest")]
mod input;
#[path = "../../tests/reference/mod.rs"]
mod reference;
#[allow(dead_code, reason = "the other targets use the rest")]
mod tables;

use adagrad::{Adagrad, Arithmetic, Bags, Counter, Error, MixedTable, Report, Rounding, Table};
use bytemuck::Pod;
use half::{bf16, f16};
use input::{Buffer, Input, length_fault, on_every_backend};
use libfuzzer_sys::fuzz_target;
use reference::Options;
use reference::mixed::{Stored, words};
use tables::{Expectation, Kind, Step};

/// What a slice holds.
trait Element: Stored + Pod + From<u8> {}
impl<T: Stored + Pod + From<u8>> Element for T {}

const ROUNDING: [Rounding; 2] =
    [Rounding::Nearest, Rounding::Stochastic(Counter::new(1, 2).with_first(3).with_position(4))];

/// A table, from its constructor on, and a call of a step on it.
macro_rules! call {
    ($case:ident, $table:expr, $opt:ident, $rows:ident, $par_rows:ident, $bags:ident, $par_bags:ident $(, $rounding:expr)?) => {{
        let table = $table?.with_columns($case.kind.dim)?.with_gradient_stride($case.stride)?;
        let table = table.with_out_of_range_skipped($case.kind.skips_outside);
        let mut table = match $case.kind.padding {
            Some(row) => table.with_padding_row(row),
            None => table,
        };
        let (grads, index, scratch) = ($case.grads.given(), &$case.index[..], &mut vec![f32::NAN; $case.kind.dim][..]);
        let Some(pool) = $case.pool else {
            return match $case.bags() {
                None => $opt.$rows(&mut table, index, grads $(, $rounding)?),
                Some(bags) => $opt.$bags(&mut table, &bags, grads, scratch $(, $rounding)?),
            };
        };
        pool.install(|| match $case.bags() {
            None => $opt.$par_rows(&mut table, index, grads $(, $rounding)?),
            Some(bags) => $opt.$par_bags(&mut table, &bags, grads, scratch $(, $rounding)?),
        })
    }};
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    match input.below(8) {
        0 | 1 => two_slices::<f32, f32>(&mut input, |case, opt, w, a| {
            let new = if case.kind.row_wise { Table::row_wise } else { Table::new };
            call!(case, new(w, a, case.width), opt, step_rows, par_step_rows, step_bags, par_step_bags)
        }),
        2 | 3 => one_slice::<f32>(&mut input, |case, opt, memory| {
            let new = if case.kind.row_wise { Table::interleaved_row_wise } else { Table::interleaved };
            call!(case, new(memory, case.width), opt, step_rows, par_step_rows, step_bags, par_step_bags)
        }),
        4 => two_slices::<bf16, f32>(&mut input, mixed_two_slices),
        5 => two_slices::<f16, bf16>(&mut input, mixed_two_slices),
        6 => one_slice::<bf16>(&mut input, mixed_one_slice),
        _ => one_slice::<f16>(&mut input, mixed_one_slice),
    }
});

fn mixed_two_slices<P: Element, A: Element>(
    case: &Case,
    opt: &Adagrad,
    w: &mut [P],
    a: &mut [A],
) -> Result<Report, Error> {
    let (new, rounding) = (if case.kind.row_wise { MixedTable::row_wise } else { MixedTable::new }, case.rounding());
    call!(
        case,
        new(w, a, case.width),
        opt,
        step_mixed_rows,
        par_step_mixed_rows,
        step_mixed_bags,
        par_step_mixed_bags,
        rounding
    )
}

fn mixed_one_slice<T: Element>(case: &Case, opt: &Adagrad, memory: &mut [T]) -> Result<Report, Error> {
    let new = if case.kind.row_wise { MixedTable::interleaved_row_wise } else { MixedTable::interleaved };
    let rounding = case.rounding();
    call!(
        case,
        new(memory, case.width),
        opt,
        step_mixed_rows,
        par_step_mixed_rows,
        step_mixed_bags,
        par_step_mixed_bags,
        rounding
    )
}

/// A call, but for what the table holds.
struct Case {
    options: Options,
    kind: Kind,
    table_rows: usize,
    /// The columns with their padding, and from one gradient to the next.
    width: usize,
    stride: usize,
    index: Vec<i64>,
    bags: Option<(reference::Bags, Vec<i64>)>,
    /// A gradient for each row or bag.
    plain_grads: Vec<f32>,
    grads: Buffer<f32>,
    by_chance: bool,
    pool: Option<&'static rayon::ThreadPool>,
}

impl Case {
    fn new(input: &mut Input) -> Self {
        let mut options = input.options();
        if options.arithmetic == Arithmetic::Fast {
            options.arithmetic = Arithmetic::Separate; // which bits a fast step has depends on the layout
        }
        let widest = if input.one_in(8) { 300 } else { 40 };
        let dim = 1 + input.below(widest);
        let (padding, apart) = ([0, 0, 1, 3, 16][input.below(5)], [0, 0, 1, 5][input.below(4)]);
        // Now and then a table that is prefetched, and a step that is divided.
        let large = input.one_in(128);
        let table_rows = if large { (1 << 17) / dim + 1 } else { input.below(12) };
        let count = if large && input.any() { (1 << 18) / (dim + 16) + input.below(64) } else { input.below(24) };
        let hostile = input.one_in(4) && !large;
        let index: Vec<i64> = (0..count)
            .map(|_| match hostile && input.one_in(8) {
                true => input.any(),
                false => input.below(table_rows.max(1)) as i64,
            })
            .collect();
        let row_wise = input.any();
        let kind = Kind::new(input, dim, row_wise, table_rows, i64::MAX as u128);
        let bags = input.any::<bool>().then(|| bags(input, &index));
        let gradients = bags.as_ref().map_or(count, |(bags, _)| bags.offsets.len() - 1);
        let plain_grads = input.numbers(gradients * dim).given().to_vec();
        let stride = dim + apart;
        let mut values = spread(&plain_grads, dim, stride);
        values.resize(input.length(values.len()), 1.0);
        let grads = filled(input, &values);
        let (by_chance, pool) = (input.any(), input.any::<bool>().then(|| input.pool()));
        Self {
            options,
            kind,
            table_rows,
            width: dim + padding,
            stride,
            index,
            bags,
            plain_grads,
            grads,
            by_chance,
            pool,
        }
    }

    fn rounding(&self) -> Rounding {
        ROUNDING[usize::from(self.by_chance)]
    }

    fn bags(&self) -> Option<Bags<'_, i64>> {
        let (bags, offsets) = self.bags.as_ref()?;
        let view = Bags::new(offsets, &self.index).expect("in order");
        let view = if bags.mean { view.mean() } else { view };
        Some(bags.weights.as_ref().map_or(view, |weights| view.weighted(weights).expect("one for each row")))
    }

    fn accumulators(&self) -> usize {
        if self.kind.row_wise { 1 } else { self.kind.dim }
    }

    /// The naive step on plain rows: what it reports, or what is wrong with the call.
    fn expect<P: Element, A: Element>(&self, w: &mut [P], a: &mut [A], by_chance: bool) -> (Report, Vec<Error>) {
        let (dim, count) = (self.kind.dim, self.accumulators());
        let gradients = self.plain_grads.len() / dim;
        let step = Step {
            options: &self.options,
            kind: self.kind,
            rows: self.index.iter().map(|row| i128::from(*row)).collect(),
            grads: Vec::new(),
            faults: Vec::from_iter(length_fault("grads", gradients * self.stride, self.grads.given().len())),
        };
        let Expectation { places, out_of_range, faults } = step.expectation(w.len(), a.len());
        let mut report = Report::default();
        report.out_of_range = out_of_range;
        if !faults.is_empty() {
            return (report, faults);
        }
        let grads = match &self.bags {
            Some((bags, _)) => bags.expanded(&self.plain_grads, dim),
            None => self.plain_grads.clone(),
        };
        for (position, row) in places.into_iter().enumerate() {
            let Some(row) = row else { continue };
            let words = |column| by_chance.then(|| words([1, 2], [3 + row as u64, 4 + position as u64, column]))?;
            let (w, g) = (&mut w[row * dim..][..dim], &grads[position * dim..][..dim]);
            let a = &mut a[row * count..][..count];
            report.skipped += if self.kind.row_wise {
                usize::from(self.options.step_mixed_row(w, g, &mut a[0], words))
            } else {
                self.options.step_mixed(w, g, a, words)
            };
        }
        (report, faults)
    }
}

/// What a table holds, plain: parameters and accumulators.
fn state<P: Element, A: Element>(input: &mut Input, case: &Case) -> (Vec<P>, Vec<A>) {
    let w = input.numbers(case.table_rows * case.kind.dim).given().iter().map(|x| P::nearest(*x)).collect();
    let a = input.accumulators(case.table_rows * case.accumulators(), &case.options);
    (w, a.given().iter().map(|x| A::nearest(*x)).collect())
}

fn two_slices<P: Element, A: Element>(
    input: &mut Input,
    step: impl Fn(&Case, &Adagrad, &mut [P], &mut [A]) -> Result<Report, Error>,
) {
    let case = &Case::new(input);
    let (mut w, mut a) = state::<P, A>(input, case);
    let (count, sums) = (case.accumulators(), if case.kind.row_wise { 1 } else { case.width });
    let mut params = filled(input, &spread(&w, case.kind.dim, case.width));
    let mut accumulator = filled(input, &spread(&a, count, sums));
    let is_mixed = size_of::<P>() + size_of::<A>() < 8;
    let (report, faults) = case.expect(&mut w, &mut a, is_mixed && case.by_chance);
    let expected = (spread(&w, case.kind.dim, case.width), spread(&a, count, sums));
    let mut step = |opt: &Adagrad, w: &mut [P], a: &mut [A]| step(case, opt, w, a);
    let check = |_: (&[P], &[A]), (w, a): (&[P], &[A]), actual| {
        assert_same(w, &expected.0);
        assert_same(a, &expected.1);
        assert_eq!(actual, report);
    };
    on_every_backend(&case.options.adagrad(), &faults, &mut params, &mut accumulator, &mut step, check);
}

fn one_slice<T: Element>(input: &mut Input, step: impl Fn(&Case, &Adagrad, &mut [T]) -> Result<Report, Error>) {
    let case = &Case::new(input);
    let (mut w, mut a) = state::<T, T>(input, case);
    let (count, sums) = (case.accumulators(), if case.kind.row_wise { 1 } else { case.width });
    let joined = |w: &[T], a: &[T]| -> Vec<T> {
        let (w, a) = (spread(w, case.kind.dim, case.width), spread(a, count, sums));
        w.chunks(case.width).zip(a.chunks(sums)).flat_map(|(w, a)| [w, a].concat()).collect()
    };
    let mut memory = filled(input, &joined(&w, &a));
    let (report, faults) = case.expect(&mut w, &mut a, size_of::<T>() < 4 && case.by_chance);
    let expected = joined(&w, &a);
    let mut step = |opt: &Adagrad, memory: &mut [T], _: &mut [u8]| step(case, opt, memory);
    let check = |_: (&[T], &[u8]), (memory, _): (&[T], &[u8]), actual| {
        assert_same(memory, &expected);
        assert_eq!(actual, report);
    };
    on_every_backend(&case.options.adagrad(), &faults, &mut memory, &mut filled(input, &[0]), &mut step, check);
}

/// Rows of `dim` values, each of them followed by as much as makes it `stride` long: values that are not numbers.
fn spread<T: Stored>(values: &[T], dim: usize, stride: usize) -> Vec<T> {
    let padding = vec![T::nearest(f32::NAN); stride - dim];
    values.chunks(dim).flat_map(|row| [row, &padding].concat()).collect()
}

fn filled<T: Pod + From<u8>>(input: &mut Input, values: &[T]) -> Buffer<T> {
    let mut next = values.iter();
    input.buffer(values.len(), |_| *next.next().expect("a value"))
}

fn assert_same<T: Stored>(actual: &[T], expected: &[T]) {
    let [actual, expected] = [actual, expected].map(|x| x.iter().map(|x| x.value()).collect::<Vec<_>>());
    reference::assert_same(&actual, &expected, "the table's memory");
}

/// Bags of all rows, in order, and where they begin.
fn bags(input: &mut Input, rows: &[i64]) -> (reference::Bags, Vec<i64>) {
    let mut offsets = vec![0];
    while *offsets.last().expect("one") < rows.len() {
        let size = [0, 1, 1, 2, 5, 20, 3000][input.below(7)];
        offsets.push((offsets.last().expect("one") + size).min(rows.len()));
    }
    offsets.resize(offsets.len() + input.below(3), rows.len());
    let weights = input.any::<bool>().then(|| input.numbers(rows.len()).given().to_vec());
    let starts = offsets.iter().map(|offset| *offset as i64).collect();
    let rows = rows.iter().map(|row| *row as usize).collect();
    (reference::Bags { offsets, rows, mean: input.any(), weights }, starts)
}
