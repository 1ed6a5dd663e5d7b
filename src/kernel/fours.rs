//! The row-wise step of rows four at a time, if they are different ones, and of others one after the other.

use core::marker::PhantomData;

use super::blocks::Source;
use super::class::Class;
use super::row_wise::{Loaded, OneRow, TOGETHER, moved, rates_of};
use super::rows::{Chunk, Rows, each_chunk, row_of, rows_ahead};
use super::{Flags, Rule};
use crate::backend::lanes::{Kernel, Lanes, zip};

/// The row-wise step by a rule of a class.
pub(crate) struct Fours<'s, 'a, C>(pub(crate) &'s mut Rows<'a>, pub(crate) PhantomData<C>);

impl<C: Class> Kernel for Fours<'_, '_, C> {
    type Output = usize;

    const LEAST_LANES: usize = 8;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let Rows { rule, first_row, padding, rows, .. } = *self.0;
        let dim = self.0.shape.dim;
        let (mut grads, mut skipped) = (self.0.grads.of_rows(), 0);
        let ahead = rows_ahead::<W, L>(self.0.params.len(), dim);
        each_chunk(
            rows,
            first_row,
            padding,
            #[inline(always)]
            |position, places| {
                let Some((now, rest)) = grads.split_at_checked(places.len().wrapping_mul(dim)) else {
                    never!("a gradient for each row")
                };
                grads = rest;
                let (params, accumulator) = (&mut *self.0.params, &mut *self.0.accumulator);
                let chunk = Chunk::<C> { rule, params, accumulator, places, grads: now, class: PhantomData };
                skipped += each_four::<C, W, L>(
                    lanes,
                    chunk,
                    dim,
                    #[inline(always)]
                    |params, accumulator, done| {
                        if !L::CAN_PREFETCH || ahead == usize::MAX {
                            return;
                        }
                        for offset in 0..TOGETHER {
                            let position = position.saturating_add(ahead).saturating_add(done).saturating_add(offset);
                            let Some(row) = rows.get(position) else { return };
                            let place = row.wrapping_sub(first_row);
                            if let (Some(w), Some(a)) = (row_of(params, place, dim), row_of(accumulator, place, 1)) {
                                lanes.prefetch(w);
                                lanes.prefetch(a);
                            }
                        }
                    },
                );
            },
        );
        skipped
    }
}

/// Goes over some rows. Four that are different ones, and here, share the tests of options and the instructions for the root
/// and the quotient, and none waits for the one before: see docs/decisions.md, "Row-wise rows share a root". `ask` gets the
/// table before each four, and how many rows were before these.
#[inline(always)]
fn each_four<C: Class, const W: usize, L: Lanes<W>>(
    lanes: L,
    chunk: Chunk<'_, C>,
    dim: usize,
    mut ask: impl FnMut(&mut [f32], &mut [f32], usize),
) -> usize {
    let Chunk { rule, params, accumulator, places, mut grads, class } = chunk;
    let ((fours, last), mut done, mut skipped) = (places.as_chunks::<TOGETHER>(), 0, 0_usize);
    for places in fours {
        let Some((now, rest)) = grads.split_at_checked(TOGETHER.wrapping_mul(dim)) else {
            never!("a gradient for each row")
        };
        grads = rest;
        ask(params, accumulator, done);
        done = done.wrapping_add(TOGETHER);
        if !four::<C, W, L>(rule, lanes, params, accumulator, *places, now, dim) {
            let chunk = Chunk { rule, params, accumulator, places, grads: now, class };
            skipped += lanes.call(&mut OneByOne { chunk, dim });
        }
    }
    if !last.is_empty() {
        let chunk = Chunk { rule, params, accumulator, places: last, grads, class };
        skipped += lanes.call(&mut OneByOne { chunk, dim });
    }
    skipped
}

/// Rows one after the other.
pub(crate) struct OneByOne<'s, C> {
    pub(crate) chunk: Chunk<'s, C>,
    pub(crate) dim: usize,
}

// By its address: see docs/decisions.md, "A few rows".
impl<C: Class> Kernel for &mut OneByOne<'_, C> {
    type Output = usize;

    const LEAST_LANES: usize = 8;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let OneByOne { chunk: Chunk { rule, params, accumulator, places, grads, class }, dim } = self;
        let (rule, class, dim, mut grads, mut skipped) = (*rule, *class, *dim, *grads, 0);
        for place in *places {
            let Some((g, rest)) = grads.split_at_checked(dim) else { never!("a gradient for each row") };
            grads = rest;
            // A row that is not here has no slice.
            if let (Some(w), Some(a)) = (row_of(params, *place, dim), row_of(accumulator, *place, 1)) {
                skipped += OneRow::<C> { rule, w, g, a, class }.run(lanes);
            }
        }
        skipped
    }
}

/// Four rows, if they are different ones that are here, and none is to be skipped. Says whether it was done.
#[inline(always)]
fn four<C: Class, const W: usize, L: Lanes<W>>(
    rule: &Rule<f32>,
    lanes: L,
    params: &mut [f32],
    accumulator: &mut [f32],
    places: [usize; TOGETHER],
    grads: &[f32],
    dim: usize,
) -> bool {
    let rule = rule.without(C::WITHOUT);
    let rules = rule.splat(lanes);
    let zero = lanes.splat(0.0);
    let ranges = places.map(
        #[inline(always)]
        |place| {
            let start = place.wrapping_mul(dim);
            start..start.wrapping_add(dim)
        },
    );
    let (Ok(w), Ok(sums)) = (params.get_disjoint_mut(ranges), accumulator.get_disjoint_mut(places)) else {
        return false;
    };
    let (Some((g0, g)), [s0, s1, s2, s3]) = (grads.split_at_checked(dim), sums) else {
        never!("a gradient for each row", true)
    };
    let (Some((g1, g)), old) = (g.split_at_checked(dim), [*s0, *s1, *s2, *s3]) else {
        never!("a gradient for each row", true)
    };
    let Some((g2, g3)) = g.split_at_checked(dim) else { never!("a gradient for each row", true) };
    let [w0, w1, w2, w3] = w;
    let ((w0, w0_rest), (w1, w1_rest)) = (w0.as_chunks_mut::<W>(), w1.as_chunks_mut::<W>());
    let ((w2, w2_rest), (w3, w3_rest)) = (w2.as_chunks_mut::<W>(), w3.as_chunks_mut::<W>());
    let ((g0, g0_rest), (g1, g1_rest)) = (g0.as_chunks::<W>(), g1.as_chunks::<W>());
    let ((g2, g2_rest), (g3, g3_rest)) = (g2.as_chunks::<W>(), g3.as_chunks::<W>());

    let mut squares = [zero; TOGETHER];
    let ws = w0.iter().zip(w1.iter()).zip(w2.iter()).zip(w3.iter());
    let gs = g0.iter().zip(g1).zip(g2).zip(g3);
    for ((((w0, w1), w2), w3), (((g0, g1), g2), g3)) in ws.zip(gs) {
        let g = rules.gradient(lanes, &[w0, w1, w2, w3], &[g0, g1, g2, g3]);
        squares = rules.product_plus(lanes, g, g, squares);
    }
    let (mut rest_g, mut rest_w) = ([zero; TOGETHER], [zero; TOGETHER]);
    let rests = [w0_rest, w1_rest, w2_rest, w3_rest];
    let has_rest = !g0_rest.is_empty();
    if has_rest {
        // The lanes behind the last element are 0, and adding their squares changes no sum.
        for (to, w) in rest_w.iter_mut().zip(&rests) {
            *to = load_rest(lanes, w);
        }
        for (to, g) in rest_g.iter_mut().zip([g0_rest, g1_rest, g2_rest, g3_rest]) {
            *to = load_rest(lanes, g);
        }
        rest_g = rules.gradient(lanes, &Loaded(rest_w), &Loaded(rest_g));
        squares = rules.product_plus(lanes, rest_g, rest_g, squares);
    }
    let mut all = [[0.0; 8]; TOGETHER];
    let ([q0, q1, q2, q3], [p0, p1, p2, p3]) = (squares, &mut all);
    for (square, p) in [(q0, p0), (q1, p1), (q2, p2), (q3, p3)] {
        if let Some(p) = p.first_chunk_mut() {
            lanes.store(square, p);
        }
    }
    let mut before = [0.0; W];
    if let Some(first) = before.first_chunk_mut() {
        *first = old;
    }
    let [sum, d, rate] = rates_of::<C, W, L>(&rules, lanes, &all, &before, dim);
    let (Some(&[a0, a1, a2, a3]), Some(&[d0, d1, d2, d3]), Some(&[r0, r1, r2, r3])) =
        (sum.first_chunk(), d.first_chunk(), rate.first_chunk())
    else {
        never!("lanes of eight", true)
    };
    let ds = [lanes.splat(d0), lanes.splat(d1), lanes.splat(d2), lanes.splat(d3)];
    let rates = [lanes.splat(r0), lanes.splat(r1), lanes.splat(r2), lanes.splat(r3)];
    if const { !C::WITHOUT.any(Flags::SKIP) } && rules.flags.any(Flags::SKIP) {
        let mut bad = [zero; TOGETHER];
        if has_rest {
            bad = differences(lanes, bad, moved(&rules, lanes, rest_w, rest_g, rates, ds));
        }
        let ws = w0.iter().zip(w1.iter()).zip(w2.iter()).zip(w3.iter());
        let gs = g0.iter().zip(g1).zip(g2).zip(g3);
        for ((((w0, w1), w2), w3), (((g0, g1), g2), g3)) in ws.zip(gs) {
            let w = [w0, w1, w2, w3];
            let g = rules.gradient(lanes, &w, &[g0, g1, g2, g3]);
            bad = differences(lanes, bad, moved(&rules, lanes, w.load(lanes), g, rates, ds));
        }
        let [b0, b1, b2, b3] = bad;
        let all = lanes.add(lanes.add(b0, b1), lanes.add(b2, b3));
        let sums =
            lanes.and(lanes.at_most(zero, lanes.load(&before)), lanes.at_most(lanes.load(&sum), lanes.splat(f32::MAX)));
        if !lanes.all(lanes.and(sums, lanes.at_most(all, zero))) {
            return false;
        }
    }
    (*s0, *s1, *s2, *s3) = (a0, a1, a2, a3);
    let ws = w0.iter_mut().zip(w1.iter_mut()).zip(w2.iter_mut()).zip(w3.iter_mut());
    let gs = g0.iter().zip(g1).zip(g2).zip(g3);
    for ((((w0, w1), w2), w3), (((g0, g1), g2), g3)) in ws.zip(gs) {
        let w = [&*w0, &*w1, &*w2, &*w3];
        let g = rules.gradient(lanes, &w, &[g0, g1, g2, g3]);
        let moved = moved(&rules, lanes, w.load(lanes), g, rates, ds);
        for (moved, w) in moved.into_iter().zip([w0, w1, w2, w3]) {
            lanes.store(moved, w);
        }
    }
    if has_rest {
        let moved = moved(&rules, lanes, rest_w, rest_g, rates, ds);
        for (moved, w) in moved.into_iter().zip(rests) {
            store_rest(lanes, moved, w);
        }
    }
    true
}

/// What is left of a row, less than a block. Half a block, the most frequent, takes one branch.
#[inline(always)]
fn load_rest<const W: usize, L: Lanes<W>>(lanes: L, from: &[f32]) -> L::Vector {
    if let Some((half, [])) = from.split_first_chunk() {
        lanes.load_halves(half, &[0.0; 4])
    } else {
        lanes.load_first(from)
    }
}

/// The inverse.
#[inline(always)]
fn store_rest<const W: usize, L: Lanes<W>>(lanes: L, value: L::Vector, to: &mut [f32]) {
    if let Some((half, [])) = to.split_first_chunk_mut() {
        lanes.store_halves(value, half, &mut [0.0; 4]);
    } else {
        lanes.store_first(value, to);
    }
}

/// Adds what is 0 where a value is finite, and NaN elsewhere.
#[inline(always)]
fn differences<const W: usize, L: Lanes<W>>(
    lanes: L,
    sums: [L::Vector; TOGETHER],
    values: [L::Vector; TOGETHER],
) -> [L::Vector; TOGETHER] {
    zip(
        sums,
        values,
        #[inline(always)]
        |sum, value| lanes.add(sum, lanes.sub(value, value)),
    )
}
