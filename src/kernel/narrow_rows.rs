//! The step for rows of few columns, whose number the compiler knows.

use core::array::{from_mut, from_ref};
use core::marker::PhantomData;

use super::Rule;
use super::blocks::{Halves, Pass};
use super::class::{Class, Decayed};
use super::dense::Step;
use super::rows::{Ahead, Chunk, PREFETCH_FROM, Rows, each_chunk};
use crate::backend::lanes::{Kernel, Lanes};

/// The step by a rule of a class, with an accumulator per element.
pub(crate) struct NarrowRows<'s, 'a, C>(pub(crate) &'s mut Rows<'a>, pub(crate) PhantomData<C>);

impl Rows<'_> {
    /// Whether [`NarrowRows`] are for them: all rules have loops for powers of two, and usual ones for all numbers up to 8.
    #[inline(always)]
    pub(crate) fn are_narrow(&self, is_usual: bool) -> bool {
        let dim = self.shape.dim;
        self.are_plain() && (matches!(dim, 1 | 2 | 4 | 8 | 16) || is_usual && matches!(dim, 3 | 5..=7))
    }

    /// Whether [`NarrowRows`] are for them, since they have 32 columns and the table is small: see docs/decisions.md, "Rows of 32
    /// columns".
    #[inline(always)]
    pub(crate) fn are_of_32(&self, is_usual: bool) -> bool {
        let has_loop = is_usual || self.rule.flags.any(Decayed::WITHOUT);
        has_loop && self.shape.dim == 32 && self.are_plain() && self.params.len() < PREFETCH_FROM
    }
}

// Each number of columns is a function of its own, called for a chunk of rows: in one function with all of them, which is
// as fast, the compiler takes twice as long over all of the crate.

impl<C: Class> Kernel for NarrowRows<'_, '_, C> {
    type Output = usize;

    const LEAST_LANES: usize = 8;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let dim = self.0.shape.dim;
        each_narrow::<W, L, C>(
            lanes,
            self.0,
            dim,
            #[inline(always)]
            |rows| match dim {
                1 => lanes.call(OnHalf(Together::<C, 1, 4>(rows))),
                2 => lanes.call(OnHalf(Together::<C, 2, 2>(rows))),
                3 if const { C::IS_USUAL } => lanes.call(OnHalf(InSingles::<C, 3>(rows))),
                4 => lanes.call(TwoRows::<C>(rows)),
                5 if const { C::IS_USUAL } => lanes.call(InSingles::<C, 5>(rows)),
                6 if const { C::IS_USUAL } => lanes.call(InSingles::<C, 6>(rows)),
                7 if const { C::IS_USUAL } => lanes.call(InSingles::<C, 7>(rows)),
                8 => lanes.call(InBlocks::<C, 8>(rows)),
                16 => lanes.call(InBlocks::<C, 16>(rows)),
                32 => lanes.call(InBlocks::<C, 32>(rows)),
                _ => never!("one of these numbers of columns"),
            },
        )
    }
}

/// Calls `f` with some rows after the other, which have so many accumulators each. `f` returns how many elements, or rows,
/// were skipped, and so does this.
#[inline(always)]
pub(super) fn each_narrow<const W: usize, L: Lanes<W>, C: Class>(
    lanes: L,
    table: &mut Rows<'_>,
    accumulators: usize,
    mut f: impl FnMut(Chunk<'_, C>) -> usize,
) -> usize {
    let Rows { rule, first_row, padding, rows, .. } = *table;
    let dim = table.shape.dim;
    let ahead = Ahead { rows, first_row, padding, dim, accumulators };
    let (mut grads, mut skipped) = (table.grads.of_rows(), 0);
    each_chunk(
        rows,
        first_row,
        padding,
        #[inline(always)]
        |position, places| {
            let (params, accumulator) = (&mut *table.params, &mut *table.accumulator);
            if const { L::CAN_PREFETCH } {
                ahead.ask(lanes, position, params, accumulator);
            }
            let Some((now, rest)) = grads.split_at_checked(places.len().wrapping_mul(dim)) else {
                never!("a gradient for each row")
            };
            grads = rest;
            skipped += f(Chunk { rule, params, accumulator, places, grads: now, class: PhantomData });
        },
    );
    skipped
}

/// Rows of a constant number of columns, with an accumulator per element.
struct Columns<'s, const D: usize> {
    params: &'s mut [[f32; D]],
    accumulator: &'s mut [[f32; D]],
    places: &'s [usize],
    grads: &'s [[f32; D]],
}

impl<'s, C: Class> Chunk<'s, C> {
    /// The step, of which the compiler knows what it lacks, and the rows. No row needs an estimate. `own` is a copy of the rule:
    /// see docs/decisions.md, "Long loops have a rule of their own".
    #[inline(always)]
    fn step<'r, const D: usize>(self, own: &'r Rule<f32>) -> (Step<'r, C>, Columns<'s, D>) {
        let places = self.places;
        let (params, accumulator) = (self.params.as_chunks_mut().0, self.accumulator.as_chunks_mut().0);
        let grads = self.grads.as_chunks().0;
        (Step::new(own), Columns { params, accumulator, places, grads })
    }
}

/// One row after the other, each some whole blocks.
struct InBlocks<'s, C, const D: usize>(Chunk<'s, C>);

impl<C: Class, const D: usize> Kernel for InBlocks<'_, C, D> {
    type Output = usize;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let own = *self.0.rule;
        let (mut step, rows) = self.0.step::<D>(&own);
        for (place, g) in rows.places.iter().zip(rows.grads) {
            // A row that is not here has no slice.
            if let (Some(w), Some(a)) = (rows.params.get_mut(*place), rows.accumulator.get_mut(*place)) {
                let blocks = w.as_chunks_mut::<W>().0.iter_mut().zip(a.as_chunks_mut::<W>().0);
                for ((w, a), g) in blocks.zip(g.as_chunks::<W>().0) {
                    step.blocks::<W, L, 1>(lanes, from_mut(w), from_ref(g), from_mut(a));
                }
            }
        }
        step.skipped
    }
}

/// Two rows of four columns at once, on lanes of eight, if they are different ones that are here.
struct TwoRows<'s, C>(Chunk<'s, C>);

impl<C: Class> Kernel for TwoRows<'_, C> {
    type Output = usize;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let own = *self.0.rule;
        let (mut step, Columns { params, accumulator, places, grads }) = self.0.step::<4>(&own);
        let step = &mut step;
        if params.len() != accumulator.len() {
            never!("an accumulator for each parameter");
        }
        let ((pairs, last), (grads, last_grad)) = (places.as_chunks::<2>(), grads.as_chunks::<2>());
        for (places, g) in pairs.iter().zip(grads) {
            let Some(block) = g.as_flattened().first_chunk::<W>() else { never!("lanes of eight") };
            if let (Ok([w0, w1]), Ok([a0, a1])) =
                (params.get_disjoint_mut(*places), accumulator.get_disjoint_mut(*places))
            {
                step.blocks::<W, L, 1>(lanes, &mut Halves(w0, w1), from_ref(block), &mut Halves(a0, a1));
            } else {
                lanes.on_half(Singly { step, rows: Columns { params, accumulator, places, grads: g } });
            }
        }
        lanes.on_half(Singly { step, rows: Columns { params, accumulator, places: last, grads: last_grad } });
        step.skipped
    }
}

/// One row after the other, each at most a block.
struct InSingles<'s, C, const D: usize>(Chunk<'s, C>);

impl<C: Class, const D: usize> Kernel for InSingles<'_, C, D> {
    type Output = usize;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let own = *self.0.rule;
        let (mut step, rows) = self.0.step::<D>(&own);
        Singly { step: &mut step, rows }.run(lanes);
        step.skipped
    }
}

/// A kernel on lanes of half the width.
struct OnHalf<K>(K);

impl<K: Kernel> Kernel for OnHalf<K> {
    type Output = K::Output;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> K::Output {
        lanes.on_half(self.0)
    }
}

/// Rows `K` at once, where these are a block of four lanes, and one after the other where a row comes twice or is not here.
struct Together<'s, C, const D: usize, const K: usize>(Chunk<'s, C>);

impl<C: Class, const D: usize, const K: usize> Kernel for Together<'_, C, D, K> {
    type Output = usize;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let own = *self.0.rule;
        let (mut step, rows) = self.0.step::<D>(&own);
        Gathered::<C, D, K> { step: &mut step, rows }.run(lanes);
        step.skipped
    }
}

/// Rows one after the other, each at most a block.
struct Singly<'s, 'a, C, const D: usize> {
    step: &'s mut Step<'a, C>,
    rows: Columns<'s, D>,
}

impl<C: Class, const D: usize> Kernel for Singly<'_, '_, C, D> {
    type Output = ();

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) {
        let Self { step, rows } = self;
        for (place, g) in rows.places.iter().zip(rows.grads) {
            // A row that is not here has no slice.
            if let (Some(w), Some(a)) = (rows.params.get_mut(*place), rows.accumulator.get_mut(*place)) {
                step.blocks::<W, L, 1>(lanes, w.as_mut_slice(), g.as_slice(), a.as_mut_slice());
            }
        }
    }
}

/// See [`Together`].
struct Gathered<'s, 'a, C, const D: usize, const K: usize> {
    step: &'s mut Step<'a, C>,
    rows: Columns<'s, D>,
}

impl<C: Class, const D: usize, const K: usize> Kernel for Gathered<'_, '_, C, D, K> {
    type Output = ();

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) {
        let Self { step, rows: Columns { params, accumulator, places, grads } } = self;
        if params.len() != accumulator.len() {
            never!("an accumulator for each parameter");
        }
        let ((groups, last), (grads, last_grads)) = (places.as_chunks::<K>(), grads.as_chunks::<K>());
        for (places, g) in groups.iter().zip(grads) {
            if let (Ok(mut w), Ok(mut a), Some(g)) = (
                params.get_disjoint_mut(*places),
                accumulator.get_disjoint_mut(*places),
                g.as_flattened().first_chunk::<W>(),
            ) {
                let (mut w_block, mut a_block) = ([gathered::<D, K, W>(&w)], [gathered::<D, K, W>(&a)]);
                step.blocks::<W, L, 1>(lanes, &mut w_block, from_ref(g), &mut a_block);
                scatter(w_block.as_flattened(), &mut w);
                scatter(a_block.as_flattened(), &mut a);
            } else {
                Singly { step, rows: Columns { params, accumulator, places, grads: g } }.run(lanes);
            }
        }
        Singly { step, rows: Columns { params, accumulator, places: last, grads: last_grads } }.run(lanes);
    }
}

/// The rows as a block. Value by value: a copy of two would wait until it can be loaded as four.
#[inline(always)]
pub(super) fn gathered<const D: usize, const K: usize, const W: usize>(rows: &[&mut [f32; D]; K]) -> [f32; W] {
    let mut block = [0.0; W];
    for (to, row) in block.as_chunks_mut::<D>().0.iter_mut().zip(rows) {
        for (to, from) in to.iter_mut().zip(row.iter()) {
            *to = *from;
        }
    }
    block
}

/// The inverse.
#[inline(always)]
pub(super) fn scatter<const D: usize, const K: usize>(block: &[f32], rows: &mut [&mut [f32; D]; K]) {
    for (from, row) in block.as_chunks::<D>().0.iter().zip(rows) {
        for (from, to) in from.iter().zip(row.iter_mut()) {
            *to = *from;
        }
    }
}
