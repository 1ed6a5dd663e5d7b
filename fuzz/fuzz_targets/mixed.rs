//! The steps of 16-bit types, dense, on rows and on bags of rows, rounding to the nearest and by chance, on one thread and on
//! several, on every backend, against the naive ones.
#![no_main]

#[allow(dead_code, reason = "the other targets use the rest")]
mod input;
#[path = "../../tests/reference/mod.rs"]
mod reference;
#[allow(dead_code, reason = "the other targets use the rest")]
mod tables;

use adagrad::{Adagrad, Bags, Counter, Epsilon, Error, MixedTable, Report, Rounding};
use bytemuck::Pod;
use half::{bf16, f16};
use input::{Buffer, Input, fault_of, length_fault, on_every_backend};
use libfuzzer_sys::fuzz_target;
use reference::mixed::{Stored, Words, words};
use reference::{Options, assert_same};
use tables::{Expectation, Kind, Step};

/// What a slice holds.
trait Element: Stored + Pod + From<u8> {}
impl<T: Stored + Pod + From<u8>> Element for T {}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    // Each type in each place, and slices that are gone over in pairs of blocks.
    match input.below(5) {
        0 => test::<bf16, f16, f32>(&mut input),
        1 => test::<f16, f32, bf16>(&mut input),
        2 => test::<f32, bf16, f16>(&mut input),
        3 => test::<bf16, bf16, bf16>(&mut input),
        _ => test::<f32, f32, f32>(&mut input),
    }
});

fn test<P: Element, G: Element, A: Element>(input: &mut Input) {
    let options = input.options();
    match input.below(3) {
        0 => dense::<P, G, A>(input, &options),
        1 => rows::<P, G, A>(input, &options, false),
        _ => rows::<P, G, A>(input, &options, true),
    }
}

/// A way to round, and what it is a function of.
#[derive(Clone, Copy)]
struct Chance {
    rounding: Rounding,
    key: Option<[u64; 2]>,
    first: u64,
    position: Option<u64>,
}

impl Chance {
    fn new(input: &mut Input) -> Self {
        let key: [u64; 2] = [input.any(), input.any()];
        let first: u64 = match input.below(3) {
            0 => input.any(),
            1 => 0,
            _ => (u64::from(input.any::<u32>()) << 32).wrapping_sub(input.below(200) as u64), // an upper half ends
        };
        let position: u64 = if input.any() { input.any() } else { 0 };
        let counter = Counter::new(key[0], key[1]).with_first(first);
        let (rounding, key, position) = match input.below(4) {
            0 => (Rounding::Nearest, None, None),
            1 => (Rounding::Stochastic(counter.without_positions()), Some(key), None),
            _ => (Rounding::Stochastic(counter.with_position(position)), Some(key), Some(position)),
        };
        Self { rounding, key, first, position }
    }

    /// Those of an element of a dense step.
    fn of_element(self, element: u64) -> Words {
        words(self.key?, [0, 0, self.first.wrapping_add(element)])
    }

    /// Those of a column of a row, for the gradient at a position.
    fn of_row(self, row: usize, position: usize, column: u64) -> Words {
        let position = self.position.map_or(0, |first| first.wrapping_add(position as u64));
        words(self.key?, [self.first.wrapping_add(row as u64), position, column])
    }
}

/// Numbers, of which in some slices every second one has any bits. Accumulators are not below 0 where that is not for tests,
/// see `Input::accumulators`.
fn values<T: Element>(input: &mut Input, len: usize, accumulators_of: Option<&Options>) -> Buffer<T> {
    let numbers = input.numbers(len);
    let (any_bits, mut at) = (input.one_in(3), 0);
    let not_negative = accumulators_of.is_some_and(|options| matches!(options.epsilon, Epsilon::InsideSqrt(_)));
    input.buffer(len, |input| {
        at += 1;
        let value = if any_bits && input.any() {
            bytemuck::pod_read_unaligned(&input.any::<u32>().to_ne_bytes()[..size_of::<T>()])
        } else {
            T::nearest(numbers.given()[at - 1])
        };
        if not_negative && value.value() < 0.0 { T::nearest(-value.value()) } else { value }
    })
}

fn dense<P: Element, G: Element, A: Element>(input: &mut Input, options: &Options) {
    let len = match input.below(64) {
        0 if input.one_in(4) => (1 << 19) + input.below(1 << 10), // from 2¹⁹ on threads get parts
        0 => (1 << 17) - 8 + input.below(1 << 10),                // from 2¹⁷ on parts are stepped in turn
        1..8 => input.below(3000),
        _ => input.below(200),
    };
    let [g_len, a_len] = [(); 2].map(|()| input.length(len));
    let mut w = values::<P>(input, len, None);
    let g = values::<G>(input, g_len, None);
    let mut a = values::<A>(input, a_len, Some(options));
    let chance = Chance::new(input);

    let faults = [fault_of(options), length_fault("grads", len, g_len), length_fault("accumulator", len, a_len)];
    let faults: Vec<Error> = faults.into_iter().flatten().collect();
    let mut expected =
        Expected { params: w.given().to_vec(), accumulator: a.given().to_vec(), report: Report::default() };
    if faults.is_empty() {
        let Expected { params, accumulator, report } = &mut expected;
        report.skipped = options.step_mixed(params, g.given(), accumulator, |i| chance.of_element(i));
    }
    let pool = input.any::<bool>().then(|| input.pool());
    let mut step = |opt: &Adagrad, w: &mut [P], a: &mut [A]| match pool {
        Some(pool) => pool.install(|| opt.par_step_mixed(w, g.given(), a, chance.rounding)),
        None => opt.step_mixed(w, g.given(), a, chance.rounding),
    };
    let check = |_: (&[P], &[A]), after: (&[P], &[A]), report| expected.assert(after, report);
    on_every_backend(&options.adagrad(), &faults, &mut w, &mut a, &mut step, check);
}

/// Rows, each of which has its gradient, or which are in bags that have one each.
fn rows<P: Element, G: Element, A: Element>(input: &mut Input, options: &Options, row_wise: bool) {
    let widest = if input.one_in(8) { 300 } else { 40 };
    let dim = if input.one_in(32) { 0 } else { 1 + input.below(widest) };
    // Now and then a table that is prefetched, and a step that is divided.
    let large = input.one_in(128);
    let table_rows = if large { (1 << 17) / dim.max(1) + 1 } else { input.below(12) };
    let count = if large && input.any() { (1 << 18) / (dim + 16) + input.below(64) } else { input.below(24) };
    let (len, hostile) = (input.length(table_rows * dim), input.one_in(4) && !large);
    let index: Vec<i64> = (0..count)
        .map(|_| match hostile && input.one_in(8) {
            true => input.any(),
            false => input.below(table_rows.max(1)) as i64,
        })
        .collect();
    let kind = Kind::new(input, dim, row_wise, table_rows, i64::MAX as u128);
    let bags = input.any::<bool>().then(|| bags(input, &index));
    let gradients = bags.as_ref().map_or(count, |bags| bags.offsets.len() - 1);
    let (g_len, a_len) = (input.length(gradients * dim), input.length(kind.accumulators(len)));
    let mut w = values::<P>(input, len, None);
    let g = values::<G>(input, g_len, None);
    let mut a = values::<A>(input, a_len, Some(options));
    let chance = Chance::new(input);

    let room = if input.one_in(16) { input.below(dim + 1) } else { dim * (1 + input.below(3)) };
    let short = Error::TooShort { what: "scratch", minimum: dim, actual: room };
    let faults = [length_fault("grads", gradients * dim, g_len), (bags.is_some() && room < dim).then_some(short)];
    let step = Step {
        options,
        kind,
        rows: index.iter().map(|row| i128::from(*row)).collect(),
        grads: Vec::new(),
        faults: faults.into_iter().flatten().collect(),
    };
    let Expectation { places, out_of_range, faults } = step.expectation(len, a_len);
    let mut report = Report::default();
    report.out_of_range = out_of_range;
    let mut expected = Expected { params: w.given().to_vec(), accumulator: a.given().to_vec(), report };
    let grads: Vec<f32> = g.given().iter().map(|g| g.value()).collect();
    let grads = match &bags {
        Some(bags) if faults.is_empty() => bags.expanded(&grads, dim),
        _ => grads,
    };
    for (position, place) in places.into_iter().enumerate().filter(|_| faults.is_empty()) {
        let Some(row) = place else { continue };
        let words = |column| chance.of_row(row, position, column);
        let (elements, g) = (row * dim..(row + 1) * dim, &grads[position * dim..(position + 1) * dim]);
        let w = &mut expected.params[elements.clone()];
        expected.report.skipped += if row_wise {
            usize::from(options.step_mixed_row(w, g, &mut expected.accumulator[row], words))
        } else {
            options.step_mixed(w, g, &mut expected.accumulator[elements], words)
        };
    }
    let offsets: Vec<i64> = bags.iter().flat_map(|bags| &bags.offsets).map(|offset| *offset as i64).collect();
    let view = bags.as_ref().map(|bags| {
        let view = Bags::new(&offsets, &index).expect("in order");
        let view = if bags.mean { view.mean() } else { view };
        bags.weights.as_ref().map_or(view, |weights| view.weighted(weights).expect("one for each row"))
    });
    let (pool, rounding) = (input.any::<bool>().then(|| input.pool()), chance.rounding);
    let mut step = |opt: &Adagrad, w: &mut [P], a: &mut [A]| {
        let new = if row_wise { MixedTable::row_wise } else { MixedTable::new };
        let table = new(w, a, dim)?.with_out_of_range_skipped(kind.skips_outside);
        let mut table = match kind.padding {
            Some(row) => table.with_padding_row(row),
            None => table,
        };
        let (g, scratch) = (g.given(), &mut vec![f32::NAN; room][..]);
        match (pool, &view) {
            (None, None) => opt.step_mixed_rows(&mut table, &index, g, rounding),
            (None, Some(bags)) => opt.step_mixed_bags(&mut table, bags, g, scratch, rounding),
            (Some(pool), None) => pool.install(|| opt.par_step_mixed_rows(&mut table, &index, g, rounding)),
            (Some(pool), Some(bags)) => {
                pool.install(|| opt.par_step_mixed_bags(&mut table, bags, g, scratch, rounding))
            }
        }
    };
    let check = |_: (&[P], &[A]), after: (&[P], &[A]), report| expected.assert(after, report);
    on_every_backend(&options.adagrad(), &faults, &mut w, &mut a, &mut step, check);
}

/// Bags of all rows, in order.
fn bags(input: &mut Input, rows: &[i64]) -> reference::Bags {
    let mut offsets = vec![0];
    while *offsets.last().expect("one") < rows.len() {
        let size = [0, 1, 1, 2, 5, 20, 3000][input.below(7)];
        offsets.push((offsets.last().expect("one") + size).min(rows.len()));
    }
    offsets.resize(offsets.len() + input.below(3), rows.len());
    let weights = input.any::<bool>().then(|| input.numbers(rows.len()).given().to_vec());
    let rows = rows.iter().map(|row| *row as usize).collect();
    reference::Bags { offsets, rows, mean: input.any(), weights }
}

/// What a step must make.
struct Expected<P, A> {
    params: Vec<P>,
    accumulator: Vec<A>,
    report: Report,
}

impl<P: Element, A: Element> Expected<P, A> {
    fn assert(&self, (params, accumulator): (&[P], &[A]), report: Report) {
        fn same<T: Element>(actual: &[T], expected: &[T], what: &str) {
            let [actual, expected] = [actual, expected].map(|x| x.iter().map(|x| x.value()).collect::<Vec<_>>());
            assert_same(&actual, &expected, what);
        }
        same(params, &self.params, "params");
        same(accumulator, &self.accumulator, "accumulator");
        assert_eq!(report, self.report);
    }
}
