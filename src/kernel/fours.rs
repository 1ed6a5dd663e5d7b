//! The row-wise step of rows of any number of columns, four at a time.

use core::marker::PhantomData;

use super::Rule;
use super::blocks::Source;
use super::class::Class;
use super::row_wise::{Loaded, OneRow, TOGETHER, rates_of};
use super::rows::{Rows, each_chunk, row_of, rows_ahead};
use crate::backend::lanes::{Kernel, Lanes};

/// The row-wise step by a rule of a class. Four rows that are different ones, and here, share the tests of options and the
/// instructions for the root and the quotient, and none waits for the one before: see docs/decisions.md, "Row-wise rows share a
/// root".
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
                let (params, accumulator) = (&mut *self.0.params, &mut *self.0.accumulator);
                if L::CAN_PREFETCH && ahead != usize::MAX {
                    for offset in 0..places.len() {
                        if let Some(row) = rows.get(position.saturating_add(ahead).saturating_add(offset)) {
                            let place = row.wrapping_sub(first_row);
                            if let (Some(w), Some(a)) = (row_of(params, place, dim), row_of(accumulator, place, 1)) {
                                lanes.prefetch(w);
                                lanes.prefetch(a);
                            }
                        }
                    }
                }
                let (fours, last) = places.as_chunks::<TOGETHER>();
                for places in fours {
                    let Some((now, rest)) = grads.split_at_checked(TOGETHER.wrapping_mul(dim)) else {
                        never!("a gradient for each row")
                    };
                    grads = rest;
                    if dim % 4 != 0 || !four::<C, W, L>(rule, lanes, params, accumulator, *places, now, dim) {
                        skipped += lanes.call(Singly::<C> {
                            rule,
                            params,
                            accumulator,
                            places,
                            grads: now,
                            dim,
                            class: PhantomData,
                        });
                    }
                }
                if !last.is_empty() {
                    let Some((now, rest)) = grads.split_at_checked(last.len().wrapping_mul(dim)) else {
                        never!("a gradient for each row")
                    };
                    grads = rest;
                    skipped += lanes.call(Singly::<C> {
                        rule,
                        params,
                        accumulator,
                        places: last,
                        grads: now,
                        dim,
                        class: PhantomData,
                    });
                }
            },
        );
        skipped
    }
}

/// Rows one after the other.
struct Singly<'a, C> {
    rule: &'a Rule<f32>,
    params: &'a mut [f32],
    accumulator: &'a mut [f32],
    places: &'a [usize],
    grads: &'a [f32],
    dim: usize,
    class: PhantomData<C>,
}

impl<C: Class> Kernel for Singly<'_, C> {
    type Output = usize;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let Self { rule, params, accumulator, places, grads, dim, .. } = self;
        let mut skipped = 0;
        for (place, g) in places.iter().zip(grads.chunks_exact(dim.max(1))) {
            // A row that is not here has no slice.
            if let (Some(w), Some(a)) = (row_of(params, *place, dim), row_of(accumulator, *place, 1)) {
                skipped += OneRow::<C> { rule, w, g, a, class: PhantomData }.run(lanes);
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
    let mut rests =
        (w0_rest.first_chunk_mut(), w1_rest.first_chunk_mut(), w2_rest.first_chunk_mut(), w3_rest.first_chunk_mut());
    if let (Some(w0), Some(w1), Some(w2), Some(w3)) = &rests
        && let (Some(g0), Some(g1), Some(g2), Some(g3)) =
            (g0_rest.first_chunk(), g1_rest.first_chunk(), g2_rest.first_chunk(), g3_rest.first_chunk())
    {
        rest_w = [w0, w1, w2, w3].map(
            #[inline(always)]
            |w| lanes.load_halves(w, &[0.0; 4]),
        );
        rest_g = [g0, g1, g2, g3].map(
            #[inline(always)]
            |g| lanes.load_halves(g, &[0.0; 4]),
        );
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
    (*s0, *s1, *s2, *s3) = (a0, a1, a2, a3);
    let ds = [lanes.splat(d0), lanes.splat(d1), lanes.splat(d2), lanes.splat(d3)];
    let rates = [lanes.splat(r0), lanes.splat(r1), lanes.splat(r2), lanes.splat(r3)];
    let ws = w0.iter_mut().zip(w1.iter_mut()).zip(w2.iter_mut()).zip(w3.iter_mut());
    let gs = g0.iter().zip(g1).zip(g2).zip(g3);
    for ((((w0, w1), w2), w3), (((g0, g1), g2), g3)) in ws.zip(gs) {
        let mut g = rules.gradient(lanes, &[&*w0, &*w1, &*w2, &*w3], &[g0, g1, g2, g3]);
        for (g, rate) in g.iter_mut().zip(rates) {
            *g = lanes.mul(rate, *g);
        }
        let w = [&*w0, &*w1, &*w2, &*w3].load(lanes);
        let moved = rules.moved(lanes, rules.decayed(lanes, w), g, ds);
        for (moved, w) in moved.into_iter().zip([w0, w1, w2, w3]) {
            lanes.store(moved, w);
        }
    }
    if let (Some(w0), Some(w1), Some(w2), Some(w3)) = &mut rests {
        for (g, rate) in rest_g.iter_mut().zip(rates) {
            *g = lanes.mul(rate, *g);
        }
        let moved = rules.moved(lanes, rules.decayed(lanes, rest_w), rest_g, ds);
        for (moved, w) in moved.into_iter().zip([w0, w1, w2, w3]) {
            lanes.store_halves(moved, w, &mut [0.0; 4]);
        }
    }
    true
}
