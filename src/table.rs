//! Parameters in rows, with their accumulators.

mod bags;
mod check;
mod coalesce;
mod index;
#[cfg(feature = "half")]
mod mixed;
mod partition;
mod shape;
mod upkeep;

pub use bags::Bags;
pub(crate) use check::{check_gradient_rows, first_outside};
pub use coalesce::coalesce;
pub use index::RowIndex;
pub(crate) use index::{Indices, IndicesMut};
#[cfg(feature = "half")]
pub use mixed::MixedTable;
pub use partition::{Owners, partition};
pub(crate) use shape::{Layout, Shape};

use crate::Error;
use crate::error::{check_length, check_stride};

/// Parameters in rows of `dim` columns, such as an embedding table, with their accumulators. A table borrows the
/// caller's memory. Its shape is checked once, when it is made.
///
/// ```
/// use adagrad::{Adagrad, Table};
///
/// let mut params = [0.0; 4 * 3]; // 4 rows, 3 columns
/// let mut accumulator = [0.0; 4 * 3];
/// let mut table = Table::new(&mut params, &mut accumulator, 3)?;
///
/// // A gradient for row 2 and one for row 0.
/// Adagrad::new(0.1).step_rows(&mut table, &[2_u32, 0], &[1.0, 1.0, 1.0, 2.0, 2.0, 2.0])?;
/// assert_eq!(params[3..6], [0.0; 3]); // row 1 had no gradient
/// assert_eq!(params[6..9], [-0.1; 3]);
/// # Ok::<(), adagrad::Error>(())
/// ```
#[derive(Debug)]
pub struct Table<'a> {
    /// All of the memory, if the table is interleaved. Then `accumulator` is empty.
    pub(crate) params: &'a mut [f32],
    pub(crate) accumulator: &'a mut [f32],
    pub(crate) shape: Shape,
    pub(crate) rows: usize,
    pub(crate) layout: Layout,
    /// The row that no step touches; no table has so many rows that this one is in it where there is none.
    pub(crate) padding: usize,
    pub(crate) skips_outside: bool,
}

/// No row.
const NOWHERE: usize = usize::MAX;

impl<'a> Table<'a> {
    /// A table with one accumulator per element: `params` and `accumulator` both have `rows·dim` values, row by row.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`]; [`Error::NotRows`] if the length of `params` is not a multiple of `dim`; [`Error::Length`]
    /// if `accumulator` differs in length from `params`.
    #[cfg_attr(target_os = "none", inline(always))]
    #[cfg_attr(all(not(target_os = "none"), not(debug_assertions)), inline)]
    pub fn new(params: &'a mut [f32], accumulator: &'a mut [f32], dim: usize) -> Result<Self, Error> {
        Self::in_two_slices(params, accumulator, dim, Layout::ElementWise).map(Self::plain)
    }

    /// A table with one accumulator per row: `params` has `rows·dim` values, `accumulator` has `rows`.
    ///
    /// This is FBGEMM's row-wise Adagrad: a row's accumulator grows by the mean of its squared gradients, and the whole
    /// row has one rate. The accumulators take a `dim`th of the memory.
    ///
    /// ```
    /// use adagrad::{Adagrad, Table};
    ///
    /// let mut params = [0.0; 4 * 2];
    /// let mut accumulator = [0.0; 4];
    /// let mut table = Table::row_wise(&mut params, &mut accumulator, 2)?;
    /// Adagrad::fbgemm(0.1).step_rows(&mut table, &[3_u32], &[1.0, 7.0])?;
    /// assert_eq!(accumulator, [0.0, 0.0, 0.0, 25.0]); // (1² + 7²)/2
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`]; [`Error::NotRows`] if the length of `params` is not a multiple of `dim`; [`Error::Length`]
    /// if `accumulator` does not have one value per row.
    #[cfg_attr(target_os = "none", inline(always))]
    #[cfg_attr(all(not(target_os = "none"), not(debug_assertions)), inline)]
    pub fn row_wise(params: &'a mut [f32], accumulator: &'a mut [f32], dim: usize) -> Result<Self, Error> {
        Self::in_two_slices(params, accumulator, dim, Layout::RowWise).map(Self::plain)
    }

    /// A table with one accumulator per element, in one slice: each row has `dim` parameters, and behind them their `dim`
    /// accumulators. `memory` has `rows·2·dim` values.
    ///
    /// A step has the same bits as in [`Table::new`]. The rows lie in one place, and not in two. Measured on one CPU, that
    /// pays where the table is larger than the caches and a row is about a cache line: 8 columns took 0.7 of the time.
    /// With more columns it took as long. In the caches rows of less than 32 columns take up to four times as long.
    /// Parameters and accumulators are read by [`Table::row`].
    ///
    /// ```
    /// use adagrad::{Adagrad, Table};
    ///
    /// let mut memory = [0.0; 2 * 6]; // 2 rows, 3 columns
    /// let mut table = Table::interleaved(&mut memory, 3)?;
    /// Adagrad::new(0.1).step_rows(&mut table, &[1_u32], &[2.0, 2.0, 2.0])?;
    /// assert_eq!(table.row(1), Some((&[-0.1; 3][..], &[4.0; 3][..])));
    /// assert_eq!(memory[6..], [-0.1, -0.1, -0.1, 4.0, 4.0, 4.0]);
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`]; [`Error::NotRows`] if the length of `memory` is not a multiple of `2·dim`.
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn interleaved(memory: &'a mut [f32], dim: usize) -> Result<Self, Error> {
        Self::in_one_slice(memory, dim, dim, Layout::ElementWise)
    }

    /// A table with one accumulator per row, in one slice: each row has `dim` parameters, and behind them its accumulator.
    /// `memory` has `rows·(dim + 1)` values.
    ///
    /// A step has the same bits as in [`Table::row_wise`]. Where the table is larger than the caches, rows of 8 and 16
    /// columns took 0.7 to 0.8 of the time, measured on one CPU; in the caches it does not pay.
    ///
    /// ```
    /// use adagrad::{Adagrad, Table};
    ///
    /// let mut memory = [0.0; 2 * 3]; // 2 rows, 2 columns
    /// let mut table = Table::interleaved_row_wise(&mut memory, 2)?;
    /// Adagrad::fbgemm(0.1).step_rows(&mut table, &[1_u32], &[1.0, 7.0])?;
    /// assert_eq!(memory[3 + 2], 25.0); // (1² + 7²)/2
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`]; [`Error::NotRows`] if the length of `memory` is not a multiple of `dim + 1`.
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn interleaved_row_wise(memory: &'a mut [f32], dim: usize) -> Result<Self, Error> {
        Self::in_one_slice(memory, dim, 1, Layout::RowWise)
    }

    /// Inlined in the constructors, so that the compiler knows it where they are called.
    #[inline(always)]
    fn plain(self) -> Self {
        Self { shape: Shape { is_plain: true, ..self.shape }, ..self }
    }

    // Inlined but on bare metal, or the table would be copied: see docs/decisions.md, "A few rows".
    #[cfg_attr(all(not(target_os = "none"), not(debug_assertions)), inline)]
    fn in_two_slices(
        params: &'a mut [f32],
        accumulator: &'a mut [f32],
        dim: usize,
        layout: Layout,
    ) -> Result<Self, Error> {
        let rows = rows_of("params", params.len(), dim, dim)?;
        let (accumulators, expected) = match layout {
            Layout::ElementWise => (dim, params.len()),
            Layout::RowWise => (1, rows),
        };
        check_length("accumulator", expected, accumulator.len())?;
        let shape = Shape { dim, params: dim, accumulators, inside: 0, gradients: dim, is_plain: false };
        Ok(Self { params, accumulator, shape, rows, layout, padding: NOWHERE, skips_outside: false })
    }

    #[cfg_attr(not(debug_assertions), inline)]
    fn in_one_slice(memory: &'a mut [f32], dim: usize, accumulators: usize, layout: Layout) -> Result<Self, Error> {
        let (shape, rows) = Shape::in_one_slice(memory.len(), dim, accumulators)?;
        let accumulator = &mut [];
        Ok(Self { params: memory, accumulator, shape, rows, layout, padding: NOWHERE, skips_outside: false })
    }

    /// Uses only the first `columns` values of each row. The rest of a row is padding, for example for alignment: no step
    /// reads it, writes it, or counts it in the row's mean. Where there is one accumulator per element, they are padded
    /// like the parameters.
    ///
    /// Gradients then have `columns` values a row, unless [`with_gradient_stride`](Self::with_gradient_stride) is called
    /// afterwards.
    ///
    /// ```
    /// use adagrad::{Adagrad, Table};
    ///
    /// // 2 rows of 3 columns and one value of padding.
    /// let (mut params, mut accumulator) = ([0.0; 8], [0.0; 2]);
    /// let mut table = Table::row_wise(&mut params, &mut accumulator, 4)?.with_columns(3)?;
    /// Adagrad::fbgemm(0.1).step_rows(&mut table, &[1_u32], &[1.0, 2.0, 2.0])?;
    /// assert_eq!(accumulator, [0.0, 3.0]); // (1² + 2² + 2²)/3
    /// assert_eq!(params[7], 0.0);
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`]; [`Error::Stride`] if the rows have fewer columns.
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn with_columns(self, columns: usize) -> Result<Self, Error> {
        check_stride("columns", self.shape.dim, columns)?;
        let shape = Shape { dim: columns, gradients: columns, is_plain: false, ..self.shape };
        Ok(Self { shape, ..self })
    }

    /// Sets how many values lie between the beginnings of two gradients: [`Table::dim`] if this is not called. What is
    /// behind a gradient's columns is not read, but has to be there, for the last one too.
    ///
    /// ```
    /// use adagrad::{Adagrad, Table};
    ///
    /// let (mut params, mut accumulator) = ([0.0; 2], [0.0; 2]);
    /// let mut table = Table::new(&mut params, &mut accumulator, 1)?.with_gradient_stride(3)?;
    /// Adagrad::new(0.5).step_rows(&mut table, &[0_u32, 1], &[1.0, 9.0, 9.0, -1.0, 9.0, 9.0])?;
    /// assert_eq!(params, [-0.5, 0.5]);
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Stride`] if `stride` is less than [`Table::dim`].
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn with_gradient_stride(self, stride: usize) -> Result<Self, Error> {
        check_stride("stride", stride, self.shape.dim)?;
        let shape = Shape { gradients: stride, is_plain: false, ..self.shape };
        Ok(Self { shape, ..self })
    }

    /// Names a row that no step touches, as `padding_idx` does in `PyTorch`: its gradients are passed over. It need not be
    /// in the table; so an index such as [`Table::rows`] can stand for "no row". [`usize::MAX`] names none.
    ///
    /// In bags that are a [`mean`](crate::Bags::mean) it counts as one of the bag's rows.
    ///
    /// ```
    /// use adagrad::{Adagrad, Table};
    ///
    /// let (mut params, mut accumulator) = ([0.0; 3], [0.0; 3]);
    /// let mut table = Table::new(&mut params, &mut accumulator, 1)?.with_padding_row(0);
    /// Adagrad::new(0.5).step_rows(&mut table, &[2_u32, 0, 0], &[1.0, 7.0, 7.0])?;
    /// assert_eq!(params, [0.0, 0.0, -0.5]);
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    #[must_use]
    pub fn with_padding_row(self, row: usize) -> Self {
        Self { padding: row, ..self }
    }

    /// Sets whether rows that are not in the table are passed over, and counted in
    /// [`Report::out_of_range`](crate::Report::out_of_range), instead of refused.
    ///
    /// Where the table has more rows than the type of the indices can name, they are refused all the same.
    ///
    /// ```
    /// use adagrad::{Adagrad, Table};
    ///
    /// let (mut params, mut accumulator) = ([0.0; 3], [0.0; 3]);
    /// let mut table = Table::new(&mut params, &mut accumulator, 1)?.with_out_of_range_skipped(true);
    /// let report = Adagrad::new(0.5).step_rows(&mut table, &[2_i32, -1, 3], &[1.0, 7.0, 7.0])?;
    /// assert_eq!(report.out_of_range, 2);
    /// assert_eq!(params, [0.0, 0.0, -0.5]);
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    #[must_use]
    pub fn with_out_of_range_skipped(self, skipped: bool) -> Self {
        Self { skips_outside: skipped, ..self }
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.shape.dim
    }

    /// A row's parameters and accumulators, of which there are [`Table::dim`], or one in a row-wise table; or `None` if
    /// there is no such row.
    #[must_use]
    pub fn row(&self, row: usize) -> Option<(&[f32], &[f32])> {
        if row >= self.rows {
            return None;
        }
        let (params, accumulators) = self.shape.parts(row, self.layout);
        let memory = if self.shape.is_interleaved() { &self.params } else { &self.accumulator };
        Some((self.params.get(params)?, memory.get(accumulators)?))
    }

    /// The same, to change them other than by a step, such as to set rows to their first values.
    ///
    /// ```
    /// use adagrad::Table;
    ///
    /// let mut memory = [0.0; 3 * 2];
    /// let mut table = Table::interleaved(&mut memory, 1)?;
    /// for row in 0..table.rows() {
    ///     if let Some((params, accumulators)) = table.row_mut(row) {
    ///         params.fill(row as f32);
    ///         accumulators.fill(0.1);
    ///     }
    /// }
    /// assert_eq!(memory, [0.0, 0.1, 1.0, 0.1, 2.0, 0.1]);
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    #[must_use]
    pub fn row_mut(&mut self, row: usize) -> Option<(&mut [f32], &mut [f32])> {
        if row >= self.rows {
            return None;
        }
        self.shape.row_mut(self.params, self.accumulator, row, self.layout)
    }

    /// The parameters, row by row, with their padding; `None` if the table is interleaved.
    #[must_use]
    pub fn params(&self) -> Option<&[f32]> {
        if self.shape.is_interleaved() { None } else { Some(self.params) }
    }

    /// The accumulators, one per element or one per row; `None` if the table is interleaved.
    #[must_use]
    pub fn accumulator(&self) -> Option<&[f32]> {
        if self.shape.is_interleaved() { None } else { Some(self.accumulator) }
    }

    /// The parameters, to change them other than by a step.
    #[must_use]
    pub fn params_mut(&mut self) -> Option<&mut [f32]> {
        if self.shape.is_interleaved() { None } else { Some(self.params) }
    }

    /// The accumulators, to change them other than by a step.
    ///
    /// ```
    /// # let (mut params, mut accumulator) = ([0.0; 6], [1.0; 6]);
    /// let mut table = adagrad::Table::new(&mut params, &mut accumulator, 2)?;
    /// if let Some(accumulator) = table.accumulator_mut() {
    ///     accumulator.fill(0.0); // a restart: forgets all history
    /// }
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    #[must_use]
    pub fn accumulator_mut(&mut self) -> Option<&mut [f32]> {
        if self.shape.is_interleaved() { None } else { Some(self.accumulator) }
    }
}

/// How many rows, each of so many values, `len` values are.
fn rows_of(what: &'static str, len: usize, dim: usize, stride: usize) -> Result<usize, Error> {
    if dim == 0 {
        return Err(Error::ZeroDim);
    }
    match (len.checked_div(stride), len.checked_rem(stride)) {
        (Some(rows), Some(0)) => Ok(rows),
        _ => Err(Error::NotRows { what, len, row: stride }),
    }
}
