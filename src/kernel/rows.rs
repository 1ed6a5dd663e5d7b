//! The step for some rows of a table.

use core::array::from_ref;
use core::mem::take;
use core::slice::from_mut;

use super::blocks::{Blocks, Halves, Pass};
use super::dense::{SHORT, Step};
use super::gradients::Gradients;
use super::row_wise::step_row;
use super::{Flags, Long, Rule, Short};
use crate::backend::lanes::{Kernel, Lanes};
use crate::table::Indices;

/// Rows of tables with fewer parameters are in the cache, or soon there.
const PREFETCH_FROM: usize = 1 << 17;

/// How many parameters ahead rows are asked for: enough for the memory to answer in time, and few enough for the cache to
/// hold. See docs/decisions.md, "Prefetching".
const PREFETCH_AHEAD: usize = 384;

/// Below how many columns the step of a row is inlined in the loop over rows: see docs/decisions.md, "Loops for the number of
/// columns".
const INLINED: usize = 32;

/// A step for some rows of a table, with one accumulator per element or, if `ROW_WISE`, one per row.
///
/// `params` is a multiple of `dim` long, `accumulator` holds `dim` values per row or, row-wise, one, `grads` has `dim` values
/// for each of `rows`, and each row is in the table.
///
/// `params` and `accumulator` may be a part of the table, from `first_row` on. Then other rows are passed over.
pub(crate) struct Rows<'a, const ROW_WISE: bool> {
    pub(crate) rule: &'a Rule<f32>,
    pub(crate) params: &'a mut [f32],
    pub(crate) accumulator: &'a mut [f32],
    pub(crate) first_row: usize,
    pub(crate) dim: usize,
    pub(crate) rows: Indices<'a>,
    pub(crate) grads: Gradients<'a>,
}

// Each of the following is a function of its own, which fits the registers. All return the number of elements or,
// row-wise, rows skipped.

/// The step by a rule that is `USUAL` or any. Each row is a call of a dense step, or a row-wise step. Only with `BAGS` the
/// rows may lie in bags, which costs a row-wise step time: see docs/decisions.md, "Bags".
pub(crate) struct AnyRows<'s, 'a, const ROW_WISE: bool, const USUAL: bool, const BAGS: bool>(
    pub(crate) &'s mut Rows<'a, ROW_WISE>,
);

/// The step by a usual rule, with an accumulator per element and few columns.
pub(crate) struct ShortRows<'s, 'a>(pub(crate) &'s mut Rows<'a, false>);

/// The same with a number of columns that the compiler knows.
pub(crate) struct NarrowRows<'s, 'a>(pub(crate) &'s mut Rows<'a, false>);

impl Rows<'_, false> {
    /// Whether the step of a row is to be inlined, and whether there is a [`Narrow`] for the number of columns. Both need a
    /// usual rule; tables that are large, and bags, need [`AnyRows`].
    #[inline(always)]
    pub(crate) fn are_short(&self) -> (bool, bool) {
        let inlined = !self.rule.flags.any(Flags::UNUSUAL)
            && !self.grads.are_of_bags()
            && self.params.len() < PREFETCH_FROM
            && self.dim < INLINED;
        (inlined, matches!(self.dim, 1 | 2 | 3 | 4 | 8 | 16))
    }
}

impl<const ROW_WISE: bool> Rows<'_, ROW_WISE> {
    /// Goes over the rows that are here, with their gradients, parameters and accumulators.
    #[inline(always)]
    fn each<const W: usize, L: Lanes<W>, const PREFETCHED: bool, const BAGS: bool>(
        &mut self,
        lanes: L,
        mut row_step: impl FnMut(&mut [f32], &[f32], &mut [f32]),
    ) {
        let Self { first_row, dim, rows, .. } = *self;
        let mut grads = take(&mut self.grads);
        // At least one, or there would be a panic to link.
        let mut grads_in_order = if BAGS { &[] } else { grads.of_rows() }.chunks_exact(dim.max(1));
        let accumulators = if ROW_WISE { 1 } else { dim };
        // No row has 0 columns.
        let rows_here = self.params.len().checked_div(dim).unwrap_or(0);
        if self.accumulator.len() != rows_here.wrapping_mul(accumulators) {
            never!("accumulators for each row");
        }
        let ahead = match PREFETCH_AHEAD.checked_div(dim) {
            Some(rows) if PREFETCHED && L::CAN_PREFETCH && self.params.len() >= PREFETCH_FROM => 1 + rows,
            _ => usize::MAX,
        };
        each_chunk(
            rows,
            first_row,
            #[inline(always)]
            |position, places| {
                let mut offset = 0;
                for place in places {
                    let next = if BAGS {
                        &[]
                    } else if let Some(next) = grads_in_order.next() {
                        next
                    } else {
                        break;
                    };
                    let position = position.saturating_add(offset);
                    offset = offset.wrapping_add(1);
                    if PREFETCHED && let Some(row) = rows.get(position.saturating_add(ahead)) {
                        self.prefetch(lanes, row.wrapping_sub(first_row));
                    }
                    if *place >= rows_here {
                        continue;
                    }
                    let (Some(w), Some(a)) =
                        (row_of(self.params, *place, dim), row_of(self.accumulator, *place, accumulators))
                    else {
                        never!("the row is here")
                    };
                    row_step(w, if BAGS { grads.of(lanes, position, dim) } else { next }, a);
                }
            },
        );
    }

    /// Asks for a row's parameters and accumulators, if they are here.
    #[inline(always)]
    fn prefetch<const W: usize, L: Lanes<W>>(&mut self, lanes: L, place: usize) {
        if let Some(params) = row_of(self.params, place, self.dim) {
            lanes.prefetch(params);
        }
        if let Some(accumulators) = row_of(self.accumulator, place, if ROW_WISE { 1 } else { self.dim }) {
            lanes.prefetch(accumulators);
        }
    }
}

/// Calls `f` with the places of some rows after the other, and the position of the first of them: so no loop over rows
/// asks for the size of each index, nor has a copy for each size.
#[inline(always)]
fn each_chunk(rows: Indices<'_>, first_row: usize, mut f: impl FnMut(usize, &[usize])) {
    let mut room = [0; CHUNK];
    let mut position = 0;
    while position < rows.len() {
        let places = rows.places(position, first_row, &mut room);
        f(position, places);
        position += places.len();
    }
}

/// How many places are in memory at a time.
const CHUNK: usize = 64;

/// What belongs to a row, of which there is so much, if it is here.
#[inline(always)]
fn row_of(table: &mut [f32], place: usize, dim: usize) -> Option<&mut [f32]> {
    let start = place.wrapping_mul(dim);
    table.get_mut(start..start.wrapping_add(dim))
}

impl<const ROW_WISE: bool, const USUAL: bool, const BAGS: bool> Kernel for AnyRows<'_, '_, ROW_WISE, USUAL, BAGS> {
    type Output = usize;

    const LEAST_LANES: usize = 4;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let (rule, mut skipped) = (self.0.rule, 0);
        // Each row is a call; a longer one has more of its own to do before it begins.
        let is_short = self.0.dim < if rule.flags.is_fast() { SHORT } else { 2 * SHORT };
        self.0.each::<W, L, true, BAGS>(
            lanes,
            #[inline(always)]
            |w, g, a| {
                skipped += if ROW_WISE {
                    step_row(rule, if USUAL { Flags::UNUSUAL } else { Flags::NONE }, lanes, w, g, a)
                } else if is_short {
                    lanes.call_slices::<Short<USUAL>>(rule, w, g, a)
                } else {
                    lanes.call_slices::<Long<USUAL>>(rule, w, g, a)
                };
            },
        );
        skipped
    }
}

/// The step by any rule, in one loop, where code must be small.
pub(crate) struct ScalarRows<'s, 'a, const ROW_WISE: bool>(pub(crate) &'s mut Rows<'a, ROW_WISE>);

impl<const ROW_WISE: bool> Kernel for ScalarRows<'_, '_, ROW_WISE> {
    type Output = usize;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let Rows { rule, dim, first_row, rows, .. } = *self.0;
        let mut grads = take(&mut self.0.grads);
        let rows_here = self.0.params.len().checked_div(dim).unwrap_or(0);
        let accumulators = if ROW_WISE { 1 } else { dim };
        let mut step = Step::new(rule, Flags::NONE);
        for position in 0..rows.len() {
            let Some(row) = rows.get(position) else { never!("each row fits usize") };
            let place = row.wrapping_sub(first_row);
            if place >= rows_here {
                continue;
            }
            let (Some(w), Some(a)) =
                (row_of(self.0.params, place, dim), row_of(self.0.accumulator, place, accumulators))
            else {
                never!("the row is here")
            };
            let g = grads.of(lanes, position, dim);
            if ROW_WISE {
                step.skipped += step_row(rule, Flags::NONE, lanes, w, g, a);
            } else {
                Blocks { w, g, a, pass: &mut step }.run(lanes);
            }
        }
        step.skipped
    }
}

impl Kernel for ShortRows<'_, '_> {
    type Output = usize;

    const LEAST_LANES: usize = 4;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let mut step = Step::new(self.0.rule, Flags::UNUSUAL_OR_FAST);
        self.0.each::<W, L, false, false>(
            lanes,
            #[inline(always)]
            |w, g, a| Blocks { w, g, a, pass: &mut step }.run(lanes),
        );
        0
    }
}

impl Kernel for NarrowRows<'_, '_> {
    type Output = usize;

    const LEAST_LANES: usize = 8;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        match self.0.dim {
            1 => Narrow::<1>::of(self.0).singly(lanes),
            2 => Narrow::<2>::of(self.0).singly(lanes),
            3 => Narrow::<3>::of(self.0).singly(lanes),
            4 => Narrow::<4>::of(self.0).in_pairs(lanes),
            8 => Narrow::<8>::of(self.0).in_blocks(lanes),
            16 => Narrow::<16>::of(self.0).in_blocks(lanes),
            _ => never!("one of these numbers of columns"),
        }
        0
    }
}

/// The row-wise step by a usual rule with a number of columns that the compiler knows.
pub(crate) struct NarrowRowWise<'s, 'a>(pub(crate) &'s mut Rows<'a, true>);

impl Rows<'_, true> {
    /// Whether [`NarrowRowWise`] is for them.
    #[inline(always)]
    pub(crate) fn are_narrow(&self) -> bool {
        !self.rule.flags.any(Flags::UNUSUAL)
            && !self.grads.are_of_bags()
            && self.params.len() < PREFETCH_FROM
            && matches!(self.dim, 1 | 2 | 3 | 4 | 8 | 16)
    }
}

impl Kernel for NarrowRowWise<'_, '_> {
    type Output = usize;

    const LEAST_LANES: usize = 8;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        match self.0.dim {
            1 => self.columns::<W, L, 1>(lanes),
            2 => self.columns::<W, L, 2>(lanes),
            3 => self.columns::<W, L, 3>(lanes),
            4 => self.columns::<W, L, 4>(lanes),
            8 => self.columns::<W, L, 8>(lanes),
            16 => self.columns::<W, L, 16>(lanes),
            _ => never!("one of these numbers of columns"),
        }
        0
    }
}

impl NarrowRowWise<'_, '_> {
    #[inline(always)]
    fn columns<const W: usize, L: Lanes<W>, const D: usize>(self, lanes: L) {
        let Rows { rule, first_row, rows, .. } = *self.0;
        let grads = self.0.grads.of_rows();
        let (params, accumulators) = (self.0.params.as_chunks_mut::<D>().0, &mut *self.0.accumulator);
        let mut grads = grads.as_chunks::<D>().0.iter();
        each_chunk(
            rows,
            first_row,
            #[inline(always)]
            |_, places| {
                for (place, g) in places.iter().zip(&mut grads) {
                    // A row that is not here has no slice.
                    if let (Some(w), Some(a)) = (params.get_mut(*place), accumulators.get_mut(*place)) {
                        step_row(rule, Flags::UNUSUAL, lanes, w, g, from_mut(a));
                    }
                }
            },
        );
    }
}

/// A step of rows whose number of columns is a constant: the fewest, and those that tables often have.
struct Narrow<'a, const D: usize> {
    step: Step<'a>,
    params: &'a mut [[f32; D]],
    accumulator: &'a mut [[f32; D]],
    grads: &'a [[f32; D]],
    rows: Indices<'a>,
    first_row: usize,
}

impl<'a, const D: usize> Narrow<'a, D> {
    #[inline(always)]
    fn of(rows: &'a mut Rows<'_, false>) -> Self {
        Self {
            step: Step::new(rows.rule, Flags::UNUSUAL_OR_FAST),
            params: rows.params.as_chunks_mut().0,
            accumulator: rows.accumulator.as_chunks_mut().0,
            grads: rows.grads.of_rows().as_chunks().0,
            rows: rows.rows,
            first_row: rows.first_row,
        }
    }

    /// Calls `f` with the places and the gradients of some rows after the other.
    #[inline(always)]
    fn each_chunk(mut self, mut f: impl FnMut(&mut Self, &[usize], &[[f32; D]])) {
        each_chunk(
            self.rows,
            self.first_row,
            #[inline(always)]
            |position, places| {
                let grads = self.grads.get(position..).and_then(|grads| grads.get(..places.len()));
                f(&mut self, places, grads.unwrap_or_default());
            },
        );
    }

    /// One row after the other, on lanes of four.
    #[inline(always)]
    fn singly<const W: usize, L: Lanes<W>>(self, lanes: L) {
        self.each_chunk(
            #[inline(always)]
            |narrow, places, grads| lanes.on_half(Singly { narrow, places, grads }),
        );
    }

    /// One row after the other, as blocks.
    #[inline(always)]
    fn in_blocks<const W: usize, L: Lanes<W>>(self, lanes: L) {
        self.each_chunk(
            #[inline(always)]
            |narrow, places, grads| {
                for (place, g) in places.iter().zip(grads) {
                    // A row that is not here has no slice.
                    if let (Some(w), Some(a)) = (narrow.params.get_mut(*place), narrow.accumulator.get_mut(*place)) {
                        Blocks { w, g, a, pass: &mut narrow.step }.run(lanes);
                    }
                }
            },
        );
    }
}

impl Narrow<'_, 4> {
    /// Two rows at once, on lanes of eight, if they are different ones.
    #[inline(always)]
    fn in_pairs<const W: usize, L: Lanes<W>>(self, lanes: L) {
        if self.params.len() != self.accumulator.len() {
            never!("an accumulator for each parameter");
        }
        self.each_chunk(
            #[inline(always)]
            |narrow, places, grads| {
                let ((pairs, last), (grads, last_grad)) = (places.as_chunks::<2>(), grads.as_chunks::<2>());
                for (places, g) in pairs.iter().zip(grads) {
                    let Some(block) = g.as_flattened().first_chunk::<W>() else { never!("lanes of eight") };
                    if let (Ok([w0, w1]), Ok([a0, a1])) =
                        (narrow.params.get_disjoint_mut(*places), narrow.accumulator.get_disjoint_mut(*places))
                    {
                        narrow.step.blocks::<W, L, 1>(lanes, &mut Halves(w0, w1), from_ref(block), &mut Halves(a0, a1));
                    } else {
                        lanes.on_half(Singly { narrow, places, grads: g });
                    }
                }
                lanes.on_half(Singly { narrow, places: last, grads: last_grad });
            },
        );
    }
}

/// Rows one after the other.
struct Singly<'s, 'a, const D: usize> {
    narrow: &'s mut Narrow<'a, D>,
    places: &'s [usize],
    grads: &'s [[f32; D]],
}

impl<const D: usize> Kernel for Singly<'_, '_, D> {
    type Output = ();

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) {
        let Self { narrow, places, grads } = self;
        for (place, g) in places.iter().zip(grads) {
            // A row that is not here has no slice.
            if let (Some(w), Some(a)) = (narrow.params.get_mut(*place), narrow.accumulator.get_mut(*place)) {
                narrow.step.blocks::<W, L, 1>(lanes, w.as_mut_slice(), g.as_slice(), a.as_mut_slice());
            }
        }
    }
}
