//! The step for rows of 16-bit types.

use core::marker::PhantomData;

use super::rows::run;
use crate::kernel::{self, Any, Class, MixedRows, Nearest, Stream, Usual};
use crate::table::{Indices, check_gradient_rows};
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
        self.validate()?;
        check_gradient_rows(rows.len(), grads.len(), table.dim())?;
        let out_of_range = table.like.check_indices(rows)?;
        let rows = I::indices(rows);
        let skipped = match rounding {
            Rounding::Nearest => self.mixed_rows(table, rows, grads, Nearest, 0, None)?,
            Rounding::Stochastic(counter) => {
                let stream = Stream::new(counter.seed, counter.step);
                self.mixed_rows(table, rows, grads, stream, counter.first, counter.position)?
            }
        };
        Ok(Report { skipped, out_of_range })
    }

    /// The step of checked rows.
    fn mixed_rows<P: Element, G: Element, A: Element, R: kernel::Rounding>(
        &self,
        table: &mut MixedTable<'_, P, A>,
        rows: Indices<'_>,
        grads: &[G],
        rounding: R,
        first_row: u64,
        first_position: Option<u64>,
    ) -> Result<usize, Error> {
        let MixedTable { params, accumulator, like } = table;
        let (rule, dim, layout, padding) = (&self.rule, like.dim(), like.layout, like.padding);
        macro_rules! run {
            ($Class:ty) => {
                run(
                    self.backend,
                    MixedRows {
                        rule,
                        class: PhantomData::<$Class>,
                        params,
                        accumulator,
                        dim,
                        layout,
                        padding,
                        rows,
                        grads,
                        rounding,
                        first_row,
                        first_position,
                    },
                )
            };
        }
        if R::BY_CHANCE || rule.flags.any(Usual::WITHOUT) { run!(Any) } else { run!(Usual) }
    }
}
