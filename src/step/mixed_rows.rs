//! The step for rows of 16-bit types.

use core::marker::PhantomData;

use super::rows::run;
use crate::kernel::{
    self, Any, Class, Counted, MixedRows, Nearest, OfRows, RowGradients, Rows, Storage, Stream, Usual,
};
use crate::table::{Indices, Layout, check_gradient_rows};
use crate::{Adagrad, Element, Error, MixedTable, Report, Rounding, RowIndex};

/// Steps for rows of `bf16`, `f16` and `f32`, with the feature `half`.
impl Adagrad {
    /// [`Adagrad::step_rows`] of parameters, gradients and accumulators that are each `f32`, `bf16` or `f16`.
    ///
    /// Each result is rounded as in [`step_mixed`](Self::step_mixed). A row that appears twice gets two steps, each with
    /// random bits of its own.
    ///
    /// ```
    /// use adagrad::{Adagrad, MixedTable, Rounding};
    /// use half::{bf16, f16};
    ///
    /// let (mut params, mut accumulator) = ([bf16::ZERO; 6], [f16::ZERO; 6]);
    /// let mut table = MixedTable::new(&mut params, &mut accumulator, 2)?;
    /// let grads = [1.0, 1.0, -1.0, -1.0].map(bf16::from_f32);
    /// Adagrad::new(0.5).step_mixed_rows(&mut table, &[2_i64, 0], &grads, Rounding::Nearest)?;
    /// assert_eq!(params.map(f32::from), [0.5, 0.5, 0.0, 0.0, -0.5, -0.5]);
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Adagrad::step_rows`].
    pub fn step_mixed_rows<P: Element, G: Element, A: Element, I: RowIndex>(
        &self,
        table: &mut MixedTable<'_, P, A>,
        rows: &[I],
        grads: &[G],
        rounding: Rounding,
    ) -> Result<Report, Error> {
        let out_of_range = self.check_mixed_rows(table, rows.len(), rows, grads.len())?;
        let (layout, grads) = (table.like.layout, OfRows::new(grads, table.like.shape.gradients));
        let skipped = self.run_mixed_rows(layout, &mut self.mixed_rows(table, I::indices(rows), grads), rounding)?;
        Ok(Report { skipped, out_of_range })
    }

    /// Checks all of a call with so many gradients, of so many values together. The result is how many rows are to be passed
    /// over, because they are not in the table.
    pub(super) fn check_mixed_rows<P: Element, A: Element, I: RowIndex>(
        &self,
        table: &MixedTable<'_, P, A>,
        gradients: usize,
        rows: &[I],
        values: usize,
    ) -> Result<usize, Error> {
        self.validate()?;
        check_gradient_rows(gradients, values, table.like.shape.gradients)?;
        table.like.check_indices(rows)
    }

    /// A kernel for checked rows.
    pub(super) fn mixed_rows<'a, P, A, G>(
        &'a self,
        table: &'a mut MixedTable<'_, P, A>,
        rows: Indices<'a>,
        grads: G,
    ) -> Rows<'a, P, A, G> {
        let MixedTable { params, accumulator, like } = table;
        let (shape, padding) = (like.shape, like.padding);
        Rows { rule: &self.rule, params, accumulator, shape, first_row: 0, padding, rows, grads }
    }

    /// The step for rows of a table or of a part of it.
    pub(super) fn run_mixed_rows<'a, P: Storage, A: Storage, G: RowGradients<'a>>(
        &self,
        layout: Layout,
        rows: &mut Rows<'a, P, A, G>,
        rounding: Rounding,
    ) -> Result<usize, Error> {
        match rounding {
            Rounding::Nearest => {
                self.rounded_rows(layout, rows, Counted { rounding: Nearest, first_row: 0, first_position: None })
            }
            Rounding::Stochastic(counter) => {
                let rounding = Stream::new(counter.seed, counter.step);
                let (first_row, first_position) = (counter.first, counter.position);
                self.rounded_rows(layout, rows, Counted { rounding, first_row, first_position })
            }
        }
    }

    fn rounded_rows<'a, P: Storage, A: Storage, G: RowGradients<'a>, R: kernel::Rounding>(
        &self,
        layout: Layout,
        rows: &mut Rows<'a, P, A, G>,
        by: Counted<R>,
    ) -> Result<usize, Error> {
        macro_rules! run {
            ($Class:ty) => {{
                let class = PhantomData::<$Class>;
                match layout {
                    Layout::ElementWise => run(self.backend, MixedRows::<_, _, _, _, _, false>(rows, by, class)),
                    Layout::RowWise => run(self.backend, MixedRows::<_, _, _, _, _, true>(rows, by, class)),
                }
            }};
        }
        // By chance there is one copy, for any rule.
        if R::BY_CHANCE || rows.rule.flags.any(Usual::WITHOUT) { run!(Any) } else { run!(Usual) }
    }
}
