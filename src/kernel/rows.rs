//! The step for some rows of a table.

use super::blocks::each_block;
use super::dense::Step;
use super::row_wise::step_row;
use super::{Flags, Rule};
use crate::backend::lanes::{Kernel, Lanes};
use crate::table::Indices;

/// Rows of tables with fewer parameters are in the cache, or soon there.
const PREFETCH_FROM: usize = 1 << 17;

/// How many parameters ahead rows are asked for: enough for the memory to answer in time, and few enough for the cache to
/// hold.
const PREFETCH_AHEAD: usize = 384;

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

impl<const ROW_WISE: bool> Kernel for &mut Rows<'_, ROW_WISE> {
    /// The number of elements or, row-wise, rows skipped.
    type Output = usize;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        if self.rule.flags.any(Flags::UNUSUAL) {
            self.apply::<W, L, false>(lanes)
        } else {
            self.apply::<W, L, true>(lanes)
        }
    }
}

impl<const ROW_WISE: bool> Rows<'_, ROW_WISE> {
    /// One row after the other.
    #[inline(always)]
    fn apply<const W: usize, L: Lanes<W>, const USUAL: bool>(&mut self, lanes: L) -> usize {
        // No row has 0 columns.
        let ahead = match PREFETCH_AHEAD.checked_div(self.dim) {
            Some(rows) if L::CAN_PREFETCH && self.params.len() >= PREFETCH_FROM => 1 + rows,
            _ => usize::MAX,
        };
        let prefetched = self.rows.len().saturating_sub(ahead);
        let rows_here = self.params.len().checked_div(self.dim).unwrap_or(0);
        let Self { first_row, dim, rows, mut grads, .. } = *self;
        let mut step = Step::new(self.rule, if USUAL { Flags::UNUSUAL } else { Flags::NONE });
        for position in 0..self.rows.len() {
            if position < prefetched
                && let Some(row) = self.rows.get(position.wrapping_add(ahead))
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
            let accumulators = if ROW_WISE { 1 } else { dim };
            let (Some(w), Some(a)) = (row_of(self.params, row, dim), row_of(self.accumulator, row, accumulators))
            else {
                never!("the row is in the table")
            };
            if ROW_WISE {
                step.skipped += step_row::<W, L, USUAL>(self.rule, lanes, w, g, a);
            } else {
                each_block(lanes, w, g, a, &mut step);
            }
        }
        step.skipped
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
