//! The step for some rows of a table of any element types.

use core::marker::PhantomData;

use super::Rule;
use super::class::Class;
use super::dense::SHORT;
use super::mixed::{MixedStep, ShortMixedStep};
use super::rounding::Rounding;
use super::row_wise::step_row;
use super::rows::{row_of, rows_ahead};
use super::storage::Storage;
use crate::backend::lanes::{Kernel, Lanes};
use crate::table::{Indices, Layout};

/// A step for some rows of a table, by a rule of a class. The result is the number of elements or, row-wise,
/// rows skipped.
///
/// `params` is a multiple of `dim` long, `accumulator` has as many values as the layout says, `grads` has `dim` for each of
/// `rows`, and a row that is not in the table is passed over.
pub(crate) struct MixedRows<'a, P, G, A, R, C> {
    pub(crate) rule: &'a Rule<f32>,
    pub(crate) class: PhantomData<C>,
    pub(crate) params: &'a mut [P],
    pub(crate) accumulator: &'a mut [A],
    pub(crate) dim: usize,
    pub(crate) layout: Layout,
    /// The row that is passed over.
    pub(crate) padding: usize,
    pub(crate) rows: Indices<'a>,
    pub(crate) grads: &'a [G],
    pub(crate) rounding: R,
    /// The index of the table's first row in the whole table, and of the first gradient among those of the step, if positions
    /// count.
    pub(crate) first_row: u64,
    pub(crate) first_position: Option<u64>,
}

impl<P: Storage, G: Storage, A: Storage, R: Rounding, C: Class> Kernel for MixedRows<'_, P, G, A, R, C> {
    type Output = usize;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let Self { rule, class, params, accumulator, dim, layout, padding, rows, grads, .. } = self;
        let accumulators = if layout == Layout::RowWise { 1 } else { dim };
        let ahead = rows_ahead::<W, L>(params.len(), dim);
        let rows_here = params.len().checked_div(dim).unwrap_or(0);
        let mut skipped = 0;
        for position in 0..rows.len() {
            if let Some(row) = rows.get(position.saturating_add(ahead))
                && let (Some(w), Some(a)) = (row_of(params, row, dim), row_of(accumulator, row, accumulators))
            {
                lanes.prefetch(w);
                lanes.prefetch(a);
            }
            // What does not fit is in no table.
            let Some(row) = rows.get(position) else { continue };
            if row >= rows_here || row == padding {
                continue;
            }
            let (Some(w), Some(a)) = (row_of(params, row, dim), row_of(accumulator, row, accumulators)) else {
                never!("the row is here")
            };
            let from = position.wrapping_mul(dim);
            let Some(g) = grads.get(from..from.wrapping_add(dim)) else { never!("a gradient for each row") };
            let position = match self.first_position {
                Some(first) => first.wrapping_add(position as u64),
                None => 0,
            };
            let rounding = self.rounding.of_row(self.first_row.wrapping_add(row as u64), position);
            skipped += if layout == Layout::RowWise {
                step_row::<C, W, L, _, _, _, _>(rule, lanes, w, g, a, rounding)
            } else {
                let step = MixedStep { rule, class, params: w, grads: g, accumulator: a, rounding };
                if W == 1 {
                    ShortMixedStep(step).run(lanes)
                } else if dim < SHORT {
                    lanes.call(ShortMixedStep(step))
                } else {
                    lanes.call(step)
                }
            };
        }
        skipped
    }
}
