//! The step for rows on one lane.

use core::mem::take;

use super::blocks::Blocks;
use super::class::Any;
use super::dense::Step;
use super::gradients::{Gradients, RowGradients};
use super::rounding::Nearest;
use super::row_wise::step_row;
use super::rows::Rows;
use crate::backend::lanes::{Kernel, Lanes};

/// The step by any rule, in one loop, where code must be small.
pub(crate) struct ScalarRows<'s, 'a, const ROW_WISE: bool, const PLAIN: bool>(pub(crate) &'s mut Rows<'a>);

impl<const ROW_WISE: bool, const PLAIN: bool> Kernel for ScalarRows<'_, '_, ROW_WISE, PLAIN> {
    type Output = usize;

    const MOST_LANES: usize = 1;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        // Not by way of `each_singly`, which takes 180 bytes more: see docs/decisions.md, "Rows on one lane".
        let Rows { rule, shape, first_row, padding, rows, .. } = *self.0;
        let (dim, stride) = (shape.dim, if PLAIN { shape.dim } else { shape.params });
        let mut grads_in_order = if PLAIN { self.0.grads.of_rows() } else { &[] };
        let mut grads = if PLAIN { Gradients::default() } else { take(&mut self.0.grads) };
        let rows_here = self.0.params.len().checked_div(stride).unwrap_or(0);
        let mut step = Step::<Any>::new(rule);
        for position in 0..rows.len() {
            let mut next: &[f32] = &[];
            if PLAIN {
                let Some((g, rest)) = grads_in_order.split_at_checked(dim) else { never!("a gradient for each row") };
                (next, grads_in_order) = (g, rest);
            }
            // What does not fit is in no table.
            let Some(row) = rows.get(position) else { continue };
            let place = row.wrapping_sub(first_row);
            if place >= rows_here || row == padding {
                continue;
            }
            let Some((w, a)) = self.0.row::<ROW_WISE, PLAIN>(place) else { never!("the row is here") };
            let g = if PLAIN { next } else { grads.of(lanes, position, dim) };
            if ROW_WISE {
                step.skipped += step_row::<Any, W, L, _, _, _, _>(rule, lanes, w, g, a, Nearest);
            } else {
                Blocks { w, g, a, pass: &mut step }.run(lanes);
            }
        }
        step.skipped
    }
}
