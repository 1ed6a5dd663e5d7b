//! Parameters in rows of 16-bit types, with their accumulators.

use super::{Layout, NOWHERE, Shape, Table, rows_of};
use crate::error::check_length;
use crate::kernel::Shared;
use crate::{Element, Error};

/// A [`Table`] of parameters and accumulators that are each `f32`, `bf16` or `f16`, for
/// [`Adagrad::step_mixed_rows`](crate::Adagrad::step_mixed_rows) and
/// [`step_mixed_bags`](crate::Adagrad::step_mixed_bags).
///
/// ```
/// use adagrad::{Adagrad, MixedTable, Rounding};
/// use half::bf16;
///
/// let (mut params, mut accumulator) = ([bf16::ONE; 4 * 2], [0.0_f32; 4]);
/// let mut table = MixedTable::row_wise(&mut params, &mut accumulator, 2)?;
/// Adagrad::new(0.5).step_mixed_rows(&mut table, &[3_u32], &[1.0_f32, 7.0], Rounding::Nearest)?;
/// assert_eq!(table.accumulator(), Some(&[0.0, 0.0, 0.0, 25.0][..]));
/// # Ok::<(), adagrad::Error>(())
/// ```
#[derive(Debug)]
pub struct MixedTable<'a, P, A> {
    /// All of the memory, if the table is interleaved. Then `accumulator` is empty.
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
        let shape = Shape { dim, params: dim, accumulators, inside: 0, gradients: dim, is_plain: false };
        Ok(Self { params, accumulator, like: like(shape, rows, layout) })
    }

    /// The same table, of whose rows only the first `columns` are used, as [`Table::with_columns`].
    ///
    /// # Errors
    ///
    /// Those of [`Table::with_columns`].
    pub fn with_columns(self, columns: usize) -> Result<Self, Error> {
        Ok(Self { like: self.like.with_columns(columns)?, ..self })
    }

    /// Sets how many values lie between the beginnings of two gradients, as [`Table::with_gradient_stride`].
    ///
    /// # Errors
    ///
    /// Those of [`Table::with_gradient_stride`].
    pub fn with_gradient_stride(self, stride: usize) -> Result<Self, Error> {
        Ok(Self { like: self.like.with_gradient_stride(stride)?, ..self })
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

    /// A row's parameters and accumulators, as [`Table::row`].
    #[must_use]
    pub fn row(&self, row: usize) -> Option<(&[P], &[A])> {
        if row >= self.rows() {
            return None;
        }
        let (params, accumulators) = self.like.shape.parts(row, self.like.layout);
        let accumulators = match self.like.shape.is_interleaved() {
            true => P::same::<Shared<'_>, A>(self.params.get(accumulators)?)?,
            false => self.accumulator.get(accumulators)?,
        };
        Some((self.params.get(params)?, accumulators))
    }

    /// The same, to change them other than by a step.
    #[must_use]
    pub fn row_mut(&mut self, row: usize) -> Option<(&mut [P], &mut [A])> {
        if row >= self.rows() {
            return None;
        }
        self.like.shape.row_mut(self.params, self.accumulator, row, self.like.layout)
    }

    /// The parameters, row by row, with their padding; `None` if the table is interleaved.
    #[must_use]
    pub fn params(&self) -> Option<&[P]> {
        if self.like.shape.is_interleaved() { None } else { Some(self.params) }
    }

    /// The accumulators, one per element or one per row; `None` if the table is interleaved.
    #[must_use]
    pub fn accumulator(&self) -> Option<&[A]> {
        if self.like.shape.is_interleaved() { None } else { Some(self.accumulator) }
    }

    /// The parameters, to change them other than by a step.
    #[must_use]
    pub fn params_mut(&mut self) -> Option<&mut [P]> {
        if self.like.shape.is_interleaved() { None } else { Some(self.params) }
    }

    /// The accumulators, to change them other than by a step.
    #[must_use]
    pub fn accumulator_mut(&mut self) -> Option<&mut [A]> {
        if self.like.shape.is_interleaved() { None } else { Some(self.accumulator) }
    }
}

impl<'a, T: Element> MixedTable<'a, T, T> {
    /// A table with one accumulator per element, in one slice, as [`Table::interleaved`]: a row's accumulators lie behind its
    /// parameters, and are of the same type.
    ///
    /// ```
    /// use adagrad::{Adagrad, MixedTable, Rounding};
    /// use half::bf16;
    ///
    /// let mut memory = [bf16::ZERO; 2 * 4]; // 2 rows, 2 columns
    /// let mut table = MixedTable::interleaved(&mut memory, 2)?;
    /// Adagrad::new(0.5).step_mixed_rows(&mut table, &[1_u32], &[2.0_f32, -2.0], Rounding::Nearest)?;
    /// assert_eq!(memory[4..].iter().map(|x| x.to_f32()).collect::<Vec<_>>(), [-0.5, 0.5, 4.0, 4.0]);
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Table::interleaved`].
    pub fn interleaved(memory: &'a mut [T], dim: usize) -> Result<Self, Error> {
        Self::in_one_slice(memory, dim, dim, Layout::ElementWise)
    }

    /// A table with one accumulator per row, in one slice, as [`Table::interleaved_row_wise`].
    ///
    /// # Errors
    ///
    /// Those of [`Table::interleaved_row_wise`].
    pub fn interleaved_row_wise(memory: &'a mut [T], dim: usize) -> Result<Self, Error> {
        Self::in_one_slice(memory, dim, 1, Layout::RowWise)
    }

    fn in_one_slice(memory: &'a mut [T], dim: usize, accumulators: usize, layout: Layout) -> Result<Self, Error> {
        let (shape, rows) = Shape::in_one_slice(memory.len(), dim, accumulators)?;
        Ok(Self { params: memory, accumulator: &mut [], like: like(shape, rows, layout) })
    }
}

/// A table without memory.
fn like<'a>(shape: Shape, rows: usize, layout: Layout) -> Table<'a> {
    Table { params: &mut [], accumulator: &mut [], shape, rows, layout, padding: NOWHERE, skips_outside: false }
}
