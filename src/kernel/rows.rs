//! The step for some rows of a table.

use core::array::from_ref;

use super::blocks::{Blocks, Halves, Pass};
use super::dense::{SHORT, Step};
use super::row_wise::step_row;
use super::{Flags, Long, Rule, Short};
use crate::backend::lanes::{Kernel, Lanes};
use crate::table::Indices;

/// Rows of tables with fewer parameters are in the cache, or soon there.
const PREFETCH_FROM: usize = 1 << 17;

/// How many parameters ahead rows are asked for: enough for the memory to answer in time, and few enough for the cache to
/// hold.
const PREFETCH_AHEAD: usize = 384;

/// Below how many columns the step of a row is inlined in the loop over rows.
const INLINED: usize = 32;

/// A step for some rows of a table, with one accumulator per element or, if `ROW_WISE`, one per row.
///
/// `params` is a multiple of `dim` long, `accumulator` holds `dim` values per row or, row-wise, one, `grads` is as
/// long as `rows` times `dim`, and each row is in the table.
///
/// `params` and `accumulator` may be a part of the table, from `first_row` on. Then other rows are passed over.
pub(crate) struct Rows<'a, const ROW_WISE: bool> {
    pub(crate) rule: &'a Rule<f32>,
    pub(crate) params: &'a mut [f32],
    pub(crate) accumulator: &'a mut [f32],
    pub(crate) first_row: usize,
    pub(crate) dim: usize,
    pub(crate) rows: Indices<'a>,
    pub(crate) grads: &'a [f32],
}

// Each of the following is a function of its own, which fits the registers. All return the number of elements or,
// row-wise, rows skipped.

/// The step by a rule that is `USUAL` or any. Each row is a call of a dense step, or a row-wise step.
pub(crate) struct AnyRows<'s, 'a, const ROW_WISE: bool, const USUAL: bool>(pub(crate) &'s mut Rows<'a, ROW_WISE>);

/// The step by a usual rule, with an accumulator per element and few columns.
pub(crate) struct ShortRows<'s, 'a>(pub(crate) &'s mut Rows<'a, false>);

/// The same with at most four columns.
pub(crate) struct NarrowRows<'s, 'a>(pub(crate) &'s mut Rows<'a, false>);

impl Rows<'_, false> {
    /// Whether the step of a row is to be inlined, and whether the rows are of at most four columns. Both need a usual
    /// rule, and tables that are large need [`AnyRows`], which prefetches.
    #[inline(always)]
    pub(crate) fn are_short(&self) -> (bool, bool) {
        let inlined = !self.rule.flags.any(Flags::UNUSUAL) && self.params.len() < PREFETCH_FROM && self.dim < INLINED;
        (inlined, self.dim <= 4)
    }
}

impl<const ROW_WISE: bool> Rows<'_, ROW_WISE> {
    /// Goes over the rows that are here, with their gradients, parameters and accumulators.
    #[inline(always)]
    fn each<const W: usize, L: Lanes<W>>(&mut self, lanes: L, mut row_step: impl FnMut(&mut [f32], &[f32], &mut [f32])) {
        // No row has 0 columns.
        let ahead = match PREFETCH_AHEAD.checked_div(self.dim) {
            Some(rows) if L::CAN_PREFETCH && self.params.len() >= PREFETCH_FROM => 1 + rows,
            _ => usize::MAX,
        };
        let prefetched = self.rows.len().saturating_sub(ahead);
        let rows_here = self.params.len().checked_div(self.dim).unwrap_or(0);
        let accumulators = if ROW_WISE { 1 } else { self.dim };
        let Self { first_row, dim, rows, mut grads, .. } = *self;
        for position in 0..rows.len() {
            if position < prefetched
                && let Some(row) = rows.get(position.wrapping_add(ahead))
            {
                self.prefetch(lanes, row);
            }
            let (Some(row), Some((g, rest))) = (rows.get(position), grads.split_at_checked(dim)) else {
                never!("a gradient for each row, each of which fits usize")
            };
            grads = rest;
            // A row before this part wraps around to more rows than there are.
            let row = row.wrapping_sub(first_row);
            if row >= rows_here {
                continue;
            }
            let (Some(w), Some(a)) = (row_of(self.params, row, dim), row_of(self.accumulator, row, accumulators))
            else {
                never!("the row is in the table")
            };
            row_step(w, g, a);
        }
    }

    /// Asks for a row's parameters and accumulators, if they are here.
    #[inline(always)]
    fn prefetch<const W: usize, L: Lanes<W>>(&self, lanes: L, row: usize) {
        let row = row.wrapping_sub(self.first_row);
        let start = row.wrapping_mul(self.dim);
        let end = start.wrapping_add(self.dim);
        // A row that is not here has no slice.
        if let Some(params) = self.params.get(start..end) {
            lanes.prefetch(params);
        }
        let accumulators = if ROW_WISE { row..row.wrapping_add(1) } else { start..end };
        if let Some(accumulators) = self.accumulator.get(accumulators) {
            lanes.prefetch(accumulators);
        }
    }
}

/// What belongs to a row, of which there is so much.
#[inline(always)]
fn row_of(table: &mut [f32], row: usize, dim: usize) -> Option<&mut [f32]> {
    let start = row.wrapping_mul(dim);
    table.get_mut(start..start.wrapping_add(dim))
}

impl<const ROW_WISE: bool, const USUAL: bool> Kernel for AnyRows<'_, '_, ROW_WISE, USUAL> {
    type Output = usize;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let (rule, dim, mut skipped) = (self.0.rule, self.0.dim, 0);
        self.0.each(
            lanes,
            #[inline(always)]
            |w, g, a| {
                skipped += if ROW_WISE {
                    step_row(rule, if USUAL { Flags::UNUSUAL } else { Flags::NONE }, lanes, w, g, a)
                } else if dim < SHORT {
                    lanes.call_slices::<Short<USUAL>>(rule, w, g, a)
                } else {
                    lanes.call_slices::<Long<USUAL>>(rule, w, g, a)
                };
            },
        );
        skipped
    }
}

impl Kernel for ShortRows<'_, '_> {
    type Output = usize;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let mut step = Step::new(self.0.rule, Flags::UNUSUAL_OR_FAST);
        self.0.each(
            lanes,
            #[inline(always)]
            |w, g, a| Blocks { w, g, a, pass: &mut step }.run(lanes),
        );
        0
    }
}

impl Kernel for NarrowRows<'_, '_> {
    type Output = usize;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        match self.0.dim {
            1 => Narrow::<1>::of(self.0).on_half(lanes),
            2 => Narrow::<2>::of(self.0).on_half(lanes),
            3 => Narrow::<3>::of(self.0).on_half(lanes),
            4 if L::HAS_HALF => Narrow::<4>::of(self.0).pairs(lanes),
            4 => Narrow::<4>::of(self.0).on_half(lanes),
            _ => never!("at most four columns"),
        }
        0
    }
}

/// A step of rows whose number of columns, at most four, is a constant.
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
            grads: rows.grads.as_chunks().0,
            rows: rows.rows,
            first_row: rows.first_row,
        }
    }

    /// The index, in this part of the table, of the row at a position of the list.
    #[inline(always)]
    fn row(&self, position: usize) -> usize {
        self.rows.get(position).unwrap_or(usize::MAX).wrapping_sub(self.first_row)
    }

    #[inline(always)]
    fn on_half<const W: usize, L: Lanes<W>>(mut self, lanes: L) {
        let grads = self.grads;
        let singly = Singly(&mut self, 0, grads);
        if L::HAS_HALF { lanes.on_half(singly) } else { singly.run(lanes) }
    }
}

impl Narrow<'_, 4> {
    /// Two rows at once, on lanes of eight, if they are different ones.
    #[inline(always)]
    fn pairs<const W: usize, L: Lanes<W>>(mut self, lanes: L) {
        let (pairs, rest) = self.grads.as_chunks::<2>();
        let mut position = 0_usize;
        for pair in pairs {
            let rows = [self.row(position), self.row(position.wrapping_add(1))];
            let Some(g) = pair.as_flattened().first_chunk::<W>() else { never!("lanes of eight") };
            if let (Ok([w0, w1]), Ok([a0, a1])) =
                (self.params.get_disjoint_mut(rows), self.accumulator.get_disjoint_mut(rows))
            {
                self.step.blocks::<W, L, 1>(lanes, &mut Halves(w0, w1), from_ref(g), &mut Halves(a0, a1));
            } else {
                lanes.on_half(Singly(&mut self, position, pair));
            }
            position = position.wrapping_add(2);
        }
        lanes.on_half(Singly(&mut self, position, rest));
    }
}

/// Rows from a position of the list on, for so many gradients, one after the other.
struct Singly<'s, 'a, const D: usize>(&'s mut Narrow<'a, D>, usize, &'s [[f32; D]]);

impl<const D: usize> Kernel for Singly<'_, '_, D> {
    type Output = ();

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) {
        let Self(narrow, first, grads) = self;
        for (offset, g) in grads.iter().enumerate() {
            let row = narrow.row(first.wrapping_add(offset));
            // A row that is not here has no slice.
            if let (Some(w), Some(a)) = (narrow.params.get_mut(row), narrow.accumulator.get_mut(row)) {
                narrow.step.blocks::<W, L, 1>(lanes, w.as_mut_slice(), g.as_slice(), a.as_mut_slice());
            }
        }
    }
}
