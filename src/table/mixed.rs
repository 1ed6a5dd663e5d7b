//! Parameters in rows of 16-bit types, with their accumulators.

use super::{Layout, NOWHERE, Shape, Table, rows_of};
use crate::error::check_length;
use crate::{Element, Error};

/// A [`Table`] in two slices of parameters and accumulators that are each `f32`, `bf16` or `f16`, for
/// [`Adagrad::step_mixed_rows`](crate::Adagrad::step_mixed_rows).
///
/// ```
/// use adagrad::{Adagrad, MixedTable, Rounding};
/// use half::bf16;
///
/// let (mut params, mut accumulator) = ([bf16::ONE; 4 * 2], [0.0_f32; 4]);
/// let mut table = MixedTable::row_wise(&mut params, &mut accumulator, 2)?;
/// Adagrad::new(0.5).step_mixed_rows(&mut table, &[3_u32], &[1.0_f32, 7.0], Rounding::Nearest)?;
/// assert_eq!(table.accumulator(), [0.0, 0.0, 0.0, 25.0]);
/// # Ok::<(), adagrad::Error>(())
/// ```
#[derive(Debug)]
pub struct MixedTable<'a, P, A> {
    pub(crate) params: &'a mut [P],
    pub(crate) accumulator: &'a mut [A],
    /// A table of the same shape, without memory.
    pub(crate) like: Table<'a>,
}

impl<'a, P: Element, A: Element> MixedTable<'a, P, A> {
    /// A table with one accumulator per element, as [`Table::new`].
    ///
    /// # Errors
    ///
    /// Those of [`Table::new`].
    pub fn new(params: &'a mut [P], accumulator: &'a mut [A], dim: usize) -> Result<Self, Error> {
        Self::of(params, accumulator, dim, Layout::ElementWise)
    }

    /// A table with one accumulator per row, as [`Table::row_wise`].
    ///
    /// # Errors
    ///
    /// Those of [`Table::row_wise`].
    pub fn row_wise(params: &'a mut [P], accumulator: &'a mut [A], dim: usize) -> Result<Self, Error> {
        Self::of(params, accumulator, dim, Layout::RowWise)
    }

    fn of(params: &'a mut [P], accumulator: &'a mut [A], dim: usize, layout: Layout) -> Result<Self, Error> {
        // As in `Table`. A function for both makes programs for bare metal with both kinds of `Table` 2,400 bytes larger,
        // since the compiler no longer knows that all are plain.
        let rows = rows_of("params", params.len(), dim, dim)?;
        let (accumulators, expected) = match layout {
            Layout::ElementWise => (dim, params.len()),
            Layout::RowWise => (1, rows),
        };
        check_length("accumulator", expected, accumulator.len())?;
        let shape = Shape { dim, params: dim, accumulators, inside: 0, gradients: dim, is_plain: true };
        let (none, padding) = (&mut [][..], NOWHERE);
        let like = Table { params: none, accumulator: &mut [], shape, rows, layout, padding, skips_outside: false };
        Ok(Self { params, accumulator, like })
    }

    /// Names a row that no step touches, as [`Table::with_padding_row`].
    #[must_use]
    pub fn with_padding_row(self, row: usize) -> Self {
        Self { like: self.like.with_padding_row(row), ..self }
    }

    /// Sets whether rows that are not in the table are passed over, as [`Table::with_out_of_range_skipped`].
    #[must_use]
    pub fn with_out_of_range_skipped(self, skipped: bool) -> Self {
        Self { like: self.like.with_out_of_range_skipped(skipped), ..self }
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.like.rows()
    }

    /// The number of columns.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.like.dim()
    }

    /// The parameters, row by row.
    #[must_use]
    pub fn params(&self) -> &[P] {
        self.params
    }

    /// The accumulators: one per element, or one per row.
    #[must_use]
    pub fn accumulator(&self) -> &[A] {
        self.accumulator
    }

    /// The parameters, to change them other than by a step.
    #[must_use]
    pub fn params_mut(&mut self) -> &mut [P] {
        self.params
    }

    /// The accumulators, to change them other than by a step.
    #[must_use]
    pub fn accumulator_mut(&mut self) -> &mut [A] {
        self.accumulator
    }
}
