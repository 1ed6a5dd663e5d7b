//! The step for some rows of a table.

use core::marker::PhantomData;
use core::mem::take;

use super::blocks::Blocks;
use super::class::{Any, Class, Decayed, Usual};
use super::dense::{LONG_IF_FAST, SHORT, Step, in_wide_blocks};
use super::gradients::{Gradients, RowGradients};
use super::rounding::Nearest;
use super::row_wise::{OneRow, step_row};
use super::storage::Storage;
use super::{Flags, Long, Rule, Short};
use crate::backend::lanes::{Kernel, Lanes};
use crate::table::{Indices, Layout, Shape};

/// Rows of tables with fewer parameters are in the cache, or soon there.
pub(super) const PREFETCH_FROM: usize = 1 << 17;

/// How many parameters ahead rows are asked for: enough for the memory to answer in time, and few enough for the cache to
/// hold. See docs/decisions.md, "Prefetching".
const PREFETCH_AHEAD: usize = 384;

/// Below how many columns the step of a row is inlined in the loop over rows: see docs/decisions.md, "Loops for the number of
/// columns".
const INLINED: usize = 32;

/// The same in large tables, where a chunk of longer rows is too far ahead: see docs/decisions.md, "Prefetching".
const INLINED_OF_LARGE: usize = 17;

/// From how many columns on rows are stepped on lanes wider than eight: see docs/decisions.md, "Only long
/// slices and long rows run on AVX-512".
const WIDE_FROM: usize = 128;

/// A step for some rows of a table.
///
/// `params` and `accumulator` have the shape, `grads` has values for each of `rows`, and a row that is not in the table is
/// passed over.
///
/// `params` and `accumulator` may be a part of the table, from `first_row` on. Then other rows are passed over.
pub(crate) struct Rows<'a, P = f32, A = f32, G = Gradients<'a>> {
    pub(crate) rule: &'a Rule<f32>,
    pub(crate) params: &'a mut [P],
    pub(crate) accumulator: &'a mut [A],
    pub(crate) shape: Shape,
    pub(crate) first_row: usize,
    /// The row, of the whole table, that is passed over.
    pub(crate) padding: usize,
    pub(crate) rows: Indices<'a>,
    pub(crate) grads: G,
}

/// Which row it is of the whole table, and at which position of the indices.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "half"), expect(dead_code, reason = "only random bits depend on it"))]
pub(super) struct Visit {
    pub(super) row: usize,
    pub(super) position: usize,
}

// Each of the following is a function of its own, which fits the registers. All return the number of elements or,
// row-wise, rows skipped.

/// The step by any rule, with an accumulator per element: each row is a call of a dense step.
pub(crate) struct AnyRows<'s, 'a>(pub(crate) &'s mut Rows<'a>);

/// The row-wise step by a rule of a class. If `PLAIN`, the rows are; otherwise they may be any, which costs time: see
/// docs/decisions.md, "Bags".
pub(crate) struct AnyRowWise<'s, 'a, C, const PLAIN: bool>(pub(crate) &'s mut Rows<'a>, pub(crate) PhantomData<C>);

/// The step by a rule of a class, with an accumulator per element and few columns.
pub(crate) struct ShortRows<'s, 'a, C>(pub(crate) &'s mut Rows<'a>, pub(crate) PhantomData<C>);

impl Rows<'_> {
    /// Whether the step of a row is to be inlined: see [`ShortRows`]. Bags need [`AnyRows`].
    #[inline(always)]
    pub(crate) fn are_short(&self) -> bool {
        let below = if self.params.len() < PREFETCH_FROM { INLINED } else { INLINED_OF_LARGE };
        self.are_plain() && self.shape.dim < below
    }
}

impl Rows<'_> {
    /// Whether each row has its gradient, and nothing lies between rows.
    #[inline(always)]
    pub(crate) fn are_plain(&self) -> bool {
        self.shape.is_plain && !self.grads.are_of_bags()
    }

    /// All rows, as far as there is room for them.
    #[inline(always)]
    pub(crate) fn few<'s, C>(&'s mut self, room: &'s mut [usize]) -> Chunk<'s, C> {
        let Self { rule, first_row, padding, rows, .. } = *self;
        let (places, grads) = (rows.places(0, first_row, padding, room), self.grads.of_rows());
        Chunk { rule, params: self.params, accumulator: self.accumulator, places, grads, class: PhantomData }
    }

    /// Goes over the rows that are here, with their parameters, gradients and accumulators.
    #[inline(always)]
    pub(super) fn each<const W: usize, L: Lanes<W>, const ROW_WISE: bool, const ROWS_AHEAD: bool, const PLAIN: bool>(
        &mut self,
        lanes: L,
        mut row_step: impl FnMut(&mut [f32], &[f32], &mut [f32]),
    ) {
        let Self { shape, first_row, padding, rows, .. } = *self;
        let (dim, stride) = (shape.dim, if PLAIN { shape.dim } else { shape.params });
        let mut grads = take(&mut self.grads);
        // At least one, or there would be a panic to link.
        let mut grads_in_order = if PLAIN { grads.of_rows() } else { &[] }.chunks_exact(dim.max(1));
        let accumulators = if ROW_WISE { 1 } else { dim };
        // No row has 0 columns.
        let rows_here = self.params.len().checked_div(stride).unwrap_or(0);
        if PLAIN && self.accumulator.len() != rows_here.wrapping_mul(accumulators) {
            never!("accumulators for each row");
        }
        let ahead = if ROWS_AHEAD { rows_ahead::<W, L>(self.params.len(), dim) } else { usize::MAX };
        each_chunk(
            rows,
            first_row,
            padding,
            #[inline(always)]
            |position, places| {
                if const { !ROWS_AHEAD && PLAIN && L::CAN_PREFETCH } {
                    Ahead { rows, first_row, padding, dim, accumulators }.ask(
                        lanes,
                        position,
                        self.params,
                        self.accumulator,
                    );
                }
                let mut offset = 0;
                for place in places {
                    let next = if !PLAIN {
                        &[]
                    } else if let Some(next) = grads_in_order.next() {
                        next
                    } else {
                        break;
                    };
                    let position = position.saturating_add(offset);
                    offset = offset.wrapping_add(1);
                    if ROWS_AHEAD
                        && let Some(row) = rows.get(position.saturating_add(ahead))
                        && let Some((params, accumulators)) = self.row::<ROW_WISE, PLAIN>(row.wrapping_sub(first_row))
                    {
                        lanes.prefetch(params);
                        lanes.prefetch(accumulators);
                    }
                    if *place >= rows_here {
                        continue;
                    }
                    let Some((w, a)) = self.row::<ROW_WISE, PLAIN>(*place) else { never!("the row is here") };
                    row_step(w, if PLAIN { next } else { grads.of(lanes, position, dim) }, a);
                }
            },
        );
    }
}

impl<'a, P: Storage, A: Storage, G: RowGradients<'a>> Rows<'a, P, A, G> {
    /// Goes over the rows that are here, with their places, too: in a loop that stays small, since each index is read by
    /// itself.
    #[cfg(feature = "half")]
    #[inline(always)]
    pub(super) fn each_singly<const W: usize, L: Lanes<W>, const ROW_WISE: bool>(
        &mut self,
        lanes: L,
        mut row_step: impl FnMut(&mut [P], &[G::Element], &mut [A], Visit),
    ) {
        let Self { shape, first_row, padding, rows, .. } = *self;
        let mut grads = take(&mut self.grads);
        let rows_here = self.params.len().checked_div(shape.params).unwrap_or(0);
        let ahead = rows_ahead::<W, L>(self.params.len(), shape.dim);
        for position in 0..rows.len() {
            if L::CAN_PREFETCH
                && let Some(row) = rows.get(position.saturating_add(ahead))
                && let Some((params, accumulators)) = self.row::<ROW_WISE, false>(row.wrapping_sub(first_row))
            {
                lanes.prefetch(params);
                lanes.prefetch(accumulators);
            }
            // What does not fit is in no table.
            let Some(row) = rows.get(position) else { continue };
            let place = row.wrapping_sub(first_row);
            if place >= rows_here || row == padding {
                continue;
            }
            let Some((w, a)) = self.row::<ROW_WISE, false>(place) else { never!("the row is here") };
            row_step(w, grads.of(lanes, position, shape.dim), a, Visit { row, position });
        }
    }

    /// The parameters and accumulators of a row, if it is here.
    #[inline(always)]
    pub(super) fn row<const ROW_WISE: bool, const PLAIN: bool>(
        &mut self,
        place: usize,
    ) -> Option<(&mut [P], &mut [A])> {
        if PLAIN {
            let dim = self.shape.dim;
            let accumulators = if ROW_WISE { 1 } else { dim };
            Some((row_of(self.params, place, dim)?, row_of(self.accumulator, place, accumulators)?))
        } else {
            let layout = if ROW_WISE { Layout::RowWise } else { Layout::ElementWise };
            self.shape.row_mut(self.params, self.accumulator, place, layout)
        }
    }
}

/// How many rows ahead one is asked for, in a table of so many parameters; in a small one, none that is there.
#[inline(always)]
pub(super) fn rows_ahead<const W: usize, L: Lanes<W>>(parameters: usize, dim: usize) -> usize {
    match PREFETCH_AHEAD.checked_div(dim) {
        Some(rows) if L::CAN_PREFETCH && parameters >= PREFETCH_FROM => 1 + rows,
        _ => usize::MAX,
    }
}

/// Calls `f` with the places of some rows after the other, and the position of the first of them: so no loop over rows
/// asks for the size of each index, nor has a copy for each size.
#[inline(always)]
pub(super) fn each_chunk(rows: Indices<'_>, first_row: usize, padding: usize, mut f: impl FnMut(usize, &[usize])) {
    let mut room = [0; CHUNK];
    let mut position = 0;
    while position < rows.len() {
        let places = rows.places(position, first_row, padding, &mut room);
        f(position, places);
        position += places.len();
    }
}

/// Some rows of a table, and the table.
pub(crate) struct Chunk<'s, C> {
    pub(crate) rule: &'s Rule<f32>,
    pub(crate) params: &'s mut [f32],
    pub(crate) accumulator: &'s mut [f32],
    pub(crate) places: &'s [usize],
    pub(crate) grads: &'s [f32],
    pub(crate) class: PhantomData<C>,
}

/// Rows that are asked for a chunk ahead, where they are short.
pub(super) struct Ahead<'a> {
    pub(super) rows: Indices<'a>,
    pub(super) first_row: usize,
    pub(super) padding: usize,
    /// How many parameters and accumulators a row has.
    pub(super) dim: usize,
    pub(super) accumulators: usize,
}

impl Ahead<'_> {
    /// Asks for the rows of the chunk after the one at `position`, if the table is large.
    #[inline(always)]
    pub(super) fn ask<const W: usize, L: Lanes<W>>(&self, lanes: L, position: usize, w: &[f32], a: &[f32]) {
        if w.len() >= PREFETCH_FROM {
            self.ask_of_large(lanes, position, w, a);
        }
    }

    /// Compiled once for all loops.
    #[inline(never)]
    fn ask_of_large<const W: usize, L: Lanes<W>>(&self, lanes: L, position: usize, w: &[f32], a: &[f32]) {
        let mut room = [0; CHUNK];
        for place in self.rows.places(position.saturating_add(CHUNK), self.first_row, self.padding, &mut room) {
            for (values, dim) in [(w, self.dim), (a, self.accumulators)] {
                let start = place.wrapping_mul(dim);
                lanes.prefetch(values.get(start..start.wrapping_add(dim)).unwrap_or_default());
            }
        }
    }
}

/// How many places are in memory at a time.
const CHUNK: usize = 64;

/// Of fewer rows the indices are read at once, and not in chunks: see docs/decisions.md, "A few rows".
pub(crate) const FEW_ROWS: usize = 7;

/// What belongs to a row, of which there is so much, if it is here.
#[inline(always)]
pub(crate) fn row_of<T>(table: &mut [T], place: usize, dim: usize) -> Option<&mut [T]> {
    let start = place.wrapping_mul(dim);
    table.get_mut(start..start.wrapping_add(dim))
}

impl Kernel for AnyRows<'_, '_> {
    type Output = usize;

    const LEAST_LANES: usize = 4;
    const HAS_WIDE: bool = true;

    #[inline(always)]
    fn is_long(&self) -> bool {
        self.0.shape.dim >= if self.0.rule.flags.any(Usual::WITHOUT) { INLINED } else { WIDE_FROM }
    }

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let (rule, dim, mut skipped) = (self.0.rule, self.0.shape.dim, 0);
        let (is_usual, is_fast) = (!rule.flags.any(Usual::WITHOUT), rule.flags.is_fast());
        // A long step has more to do before it begins: see docs/decisions.md, "Other options".
        let in_wide_blocks = in_wide_blocks::<Any, W>(rule, dim);
        let is_short = dim
            < if const { W > 8 } {
                0
            } else if rule.flags.any(Flags::SKIP) {
                SHORT / 2
            } else if !is_usual {
                INLINED
            } else if is_fast {
                LONG_IF_FAST
            } else {
                2 * SHORT
            };
        let is_decayed =
            dim < if const { W > 8 } || is_fast { SHORT } else { 2 * SHORT } && !rule.flags.any(Decayed::WITHOUT);
        self.0.each::<W, L, false, true, false>(
            lanes,
            #[inline(always)]
            |w, g, a| {
                skipped += if is_usual && is_short {
                    lanes.call_slices::<Short<Usual>>(rule, w, g, a)
                } else if is_usual {
                    lanes.call_wide::<Long<Usual>>(rule, w, g, a)
                } else if const { W >= Decayed::LEAST_LANES } && is_decayed {
                    lanes.call_slices::<Short<Decayed>>(rule, w, g, a)
                } else if in_wide_blocks {
                    lanes.call_wide::<Short<Any>>(rule, w, g, a)
                } else if is_short {
                    lanes.call_slices::<Short<Any>>(rule, w, g, a)
                } else {
                    lanes.call_wide::<Long<Any>>(rule, w, g, a)
                };
            },
        );
        skipped
    }
}

impl<C: Class, const PLAIN: bool> Kernel for AnyRowWise<'_, '_, C, PLAIN> {
    type Output = usize;

    const LEAST_LANES: usize = 4;
    const MOST_LANES: usize = if PLAIN { 4 } else { usize::MAX };

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let (rule, mut skipped) = (self.0.rule, 0);
        self.0.each::<W, L, true, true, PLAIN>(
            lanes,
            #[inline(always)]
            |w, g, a| {
                skipped += if const { C::IS_USUAL } {
                    step_row::<C, W, L, _, _, _, _>(rule, lanes, w, g, a, Nearest)
                } else {
                    lanes.call(&mut OneRow::<C> { rule, w, g, a, class: PhantomData })
                };
            },
        );
        skipped
    }
}

impl<C: Class> Kernel for ShortRows<'_, '_, C> {
    type Output = usize;

    const LEAST_LANES: usize = C::LEAST_LANES;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let own = *self.0.rule;
        let mut step = Step::<C>::new(&own);
        self.0.each::<W, L, false, false, true>(
            lanes,
            #[inline(always)]
            |w, g, a| Blocks { w, g, a, pass: &mut step }.run(lanes),
        );
        step.skipped
    }
}
