//! The step for bags of rows of 16-bit types.

use crate::error::check_room;
use crate::kernel::{BagGradients, OfBags};
use crate::{Adagrad, Bags, Element, Error, MixedTable, Report, Rounding, RowIndex};

/// Steps for bags of `bf16`, `f16` and `f32`, with the feature `half`.
impl Adagrad {
    /// [`Adagrad::step_bags`] of parameters, gradients and accumulators that are each `f32`, `bf16` or `f16`.
    ///
    /// Gradients are divided and multiplied in `f32`, and not rounded to their type. So the bits are those of
    /// [`step_mixed_rows`](Self::step_mixed_rows) with a copy of the gradient for each row, in `f32` where the bags are
    /// [`mean`](Bags::mean) or [`weighted`](Bags::weighted). The position of a [`Counter`](crate::Counter) is that of the row
    /// among the rows of all bags.
    ///
    /// `scratch` is room for one gradient, `dim` values, always. What is in it before does not matter.
    ///
    /// ```
    /// use adagrad::{Adagrad, Bags, MixedTable, Rounding};
    /// use half::bf16;
    ///
    /// let (mut params, mut accumulator) = ([bf16::ZERO; 8], [0.0_f32; 8]);
    /// let mut table = MixedTable::new(&mut params, &mut accumulator, 2)?;
    /// // Rows 3 and 0 were pooled to one vector, and row 1 is another.
    /// let bags = Bags::new(&[0_u32, 2, 3], &[3, 0, 1])?.mean();
    /// let grads = [2.0, -2.0, 1.0, 1.0].map(bf16::from_f32);
    /// Adagrad::new(0.1).step_mixed_bags(&mut table, &bags, &grads, &mut [0.0; 2], Rounding::Nearest)?;
    /// assert_eq!(accumulator, [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0]);
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Adagrad::step_bags`]; [`Error::TooShort`] if `scratch` is, also for bags that are a sum.
    pub fn step_mixed_bags<P: Element, G: Element, A: Element, I: RowIndex>(
        &self,
        table: &mut MixedTable<'_, P, A>,
        bags: &Bags<'_, I>,
        grads: &[G],
        scratch: &mut [f32],
        rounding: Rounding,
    ) -> Result<Report, Error> {
        let out_of_range = self.check_mixed_bags(table, bags, grads.len(), scratch.len())?;
        let (layout, grads) = (table.like.layout, mixed_bag_gradients(table, bags, grads, scratch));
        let skipped =
            self.run_mixed_rows(layout, &mut self.mixed_rows(table, I::indices(bags.rows), grads), rounding)?;
        Ok(Report { skipped, out_of_range })
    }

    /// Checks all of a call. The result is how many rows are to be passed over, because they are not in the table.
    pub(super) fn check_mixed_bags<P: Element, A: Element, I: RowIndex>(
        &self,
        table: &MixedTable<'_, P, A>,
        bags: &Bags<'_, I>,
        grads: usize,
        scratch: usize,
    ) -> Result<usize, Error> {
        let out_of_range = self.check_mixed_rows(table, bags.len(), bags.rows, grads)?;
        check_room("scratch", table.dim(), scratch)?;
        Ok(out_of_range)
    }
}

pub(super) fn mixed_bag_gradients<'a, P, G, A, I: RowIndex>(
    table: &MixedTable<'_, P, A>,
    bags: &Bags<'a, I>,
    grads: &'a [G],
    scratch: &'a mut [f32],
) -> OfBags<'a, G> {
    let bags = BagGradients::new(I::indices(bags.offsets), bags.mean, bags.weights, scratch);
    OfBags::new(grads, table.like.shape.gradients, bags)
}
