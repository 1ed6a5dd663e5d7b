//! Passes over one or two slices: effective rates, whether all is finite, sums of squares.

use super::Rule;
use super::blocks::{Pass, Place, Source, each_block, nothing};
use super::class::Any;
use super::rule::finite;
use crate::backend::lanes::{Kernel, Lanes, map};

/// Effective learning rates, `η/d`. The two slices have one length.
pub(crate) struct EffectiveRates<'a> {
    pub(crate) rule: &'a Rule<f32>,
    pub(crate) accumulator: &'a [f32],
    pub(crate) rates: &'a mut [f32],
}

impl Kernel for EffectiveRates<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) {
        each_block(lanes, self.rates, self.accumulator, nothing!(self.accumulator.len()), &mut Rates(*self.rule));
    }
}

struct Rates(Rule<f32>);

impl Pass for Rates {
    #[inline(always)]
    fn blocks<const W: usize, L: Lanes<W>, const N: usize>(
        &mut self,
        lanes: L,
        rates: &mut (impl Place<W, L, N> + ?Sized),
        accumulator: &(impl Source<W, L, N> + ?Sized),
        _: &mut (impl Place<W, L, N> + ?Sized),
    ) {
        let rule = self.0.splat(lanes);
        let d = rule.denominators::<Any, W, L, N>(lanes, accumulator.load(lanes));
        rates.store(
            lanes,
            map(
                d,
                #[inline(always)]
                |d| lanes.div(rule.learning_rate, d),
            ),
        );
    }
}

/// Whether all values are finite.
pub(crate) struct AllFinite<'a>(pub(crate) &'a [f32]);

impl Kernel for AllFinite<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> bool {
        /// How many values are looked at before the answer so far is.
        const STRIDE: usize = 1024;

        let (strides, rest) = self.0.as_chunks::<STRIDE>();
        for stride in strides.iter().map(<[f32; STRIDE]>::as_slice).chain([rest]) {
            let (blocks, rest) = stride.as_chunks::<W>();
            let mut good = finite(lanes, [lanes.load_first(rest)]);
            for block in blocks {
                good = lanes.and(good, finite(lanes, [lanes.load(block)]));
            }
            if !lanes.all(good) {
                return false;
            }
        }
        true
    }
}

/// The running sums of [`SumOfSquares`], and how many elements go to them before they are added up.
const SUMS: usize = 32;
const STRIDE: usize = 4096;

/// The least sum of a stride that is taken from `f32`: squares that underflow are then too small to matter.
const LEAST: f64 = f64::from_bits((1023 - 90) << 52);

/// `Σ x²`, in the order that `sum_of_squares` documents.
pub(crate) struct SumOfSquares<'a>(pub(crate) &'a [f32]);

impl Kernel for SumOfSquares<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> f64 {
        let mut totals = [0.0_f64; SUMS];
        for stride in self.0.chunks(STRIDE) {
            let sums = squares(lanes, stride);
            let mut wide = [0.0; SUMS];
            for (wide, sum) in wide.iter_mut().zip(sums) {
                *wide = f64::from(sum);
            }
            let sum = tree(&wide);
            if !(LEAST..f64::INFINITY).contains(&sum) {
                add_squares_in_f64(stride, &mut totals);
            } else if self.0.len() <= STRIDE {
                return sum;
            } else {
                for (total, sum) in totals.iter_mut().zip(wide) {
                    *total += sum;
                }
            }
        }
        tree(&totals)
    }
}

/// The same for a stride whose squares, or their sums, overflow or underflow `f32`.
#[cold]
fn add_squares_in_f64(stride: &[f32], totals: &mut [f64; SUMS]) {
    let mut sums = [0.0_f64; SUMS];
    for group in stride.chunks(SUMS) {
        for (sum, x) in sums.iter_mut().zip(group) {
            *sum += f64::from(*x) * f64::from(*x);
        }
    }
    for (total, sum) in totals.iter_mut().zip(sums) {
        *total += sum;
    }
}

/// The sum of all, as a tree of neighbours.
#[inline(always)]
fn tree(values: &[f64; SUMS]) -> f64 {
    let sums: [f64; 16] = add_neighbours(values);
    let sums: [f64; 8] = add_neighbours(&sums);
    let sums: [f64; 4] = add_neighbours(&sums);
    let [a, b] = add_neighbours(&sums);
    a + b
}

/// One level of a tree: the sums of pairs. `N` is twice `HALF`.
#[inline(always)]
fn add_neighbours<const N: usize, const HALF: usize>(values: &[f64; N]) -> [f64; HALF] {
    let mut sums = [0.0; HALF];
    let (pairs, _) = values.as_chunks();
    for (sum, [a, b]) in sums.iter_mut().zip(pairs) {
        *sum = a + b;
    }
    sums
}

/// The sums of squares of every 32nd value, in `f32`.
#[inline(always)]
fn squares<const W: usize, L: Lanes<W>>(lanes: L, values: &[f32]) -> [f32; SUMS] {
    let mut sums = [0.0; SUMS];
    let (groups, rest) = values.as_chunks::<SUMS>();
    for group in groups {
        for (sum, block) in sums.as_chunks_mut::<W>().0.iter_mut().zip(group.as_chunks::<W>().0) {
            add_square(lanes, lanes.load(block), sum);
        }
    }
    let (blocks, rest) = rest.as_chunks::<W>();
    let mut places = sums.as_chunks_mut::<W>().0.iter_mut();
    for (block, sum) in blocks.iter().zip(&mut places) {
        add_square(lanes, lanes.load(block), sum);
    }
    // The lanes behind the last value are 0, and adding their squares changes no sum.
    if let Some(sum) = places.next() {
        add_square(lanes, lanes.load_first(rest), sum);
    }
    sums
}

#[inline(always)]
fn add_square<const W: usize, L: Lanes<W>>(lanes: L, x: L::Vector, sum: &mut [f32; W]) {
    lanes.store(lanes.add(lanes.load(sum), lanes.mul(x, x)), sum);
}
