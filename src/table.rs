//! Parameters in rows, with their accumulators.

mod bags;
mod coalesce;
mod index;
mod partition;

pub use bags::Bags;
pub use coalesce::coalesce;
pub use index::RowIndex;
pub(crate) use index::{Indices, IndicesMut};
pub use partition::{Owners, partition};

use crate::Error;
use crate::error::check_length;

/// How many accumulators a table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One per element.
    ElementWise,
    /// One per row.
    RowWise,
}

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
/// assert_eq!(table.params()[3..6], [0.0; 3]); // row 1 had no gradient
/// assert_eq!(table.params()[6..9], [-0.1; 3]);
/// # Ok::<(), adagrad::Error>(())
/// ```
#[derive(Debug)]
pub struct Table<'a> {
    pub(crate) params: &'a mut [f32],
    pub(crate) accumulator: &'a mut [f32],
    pub(crate) dim: usize,
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
    pub fn new(params: &'a mut [f32], accumulator: &'a mut [f32], dim: usize) -> Result<Self, Error> {
        Self::with_layout(params, accumulator, dim, Layout::ElementWise)
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
    /// assert_eq!(table.accumulator(), [0.0, 0.0, 0.0, 25.0]); // (1² + 7²)/2
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`]; [`Error::NotRows`] if the length of `params` is not a multiple of `dim`; [`Error::Length`]
    /// if `accumulator` does not have one value per row.
    pub fn row_wise(params: &'a mut [f32], accumulator: &'a mut [f32], dim: usize) -> Result<Self, Error> {
        Self::with_layout(params, accumulator, dim, Layout::RowWise)
    }

    fn with_layout(
        params: &'a mut [f32],
        accumulator: &'a mut [f32],
        dim: usize,
        layout: Layout,
    ) -> Result<Self, Error> {
        let len = params.len();
        let (Some(rows), Some(remainder)) = (len.checked_div(dim), len.checked_rem(dim)) else {
            return Err(Error::ZeroDim);
        };
        if remainder != 0 {
            return Err(Error::NotRows { len, dim });
        }
        let expected = match layout {
            Layout::ElementWise => len,
            Layout::RowWise => rows,
        };
        check_length("accumulator", expected, accumulator.len())?;
        Ok(Self { params, accumulator, dim, rows, layout, padding: NOWHERE, skips_outside: false })
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
        self.dim
    }

    /// The parameters, row by row.
    #[must_use]
    pub fn params(&self) -> &[f32] {
        self.params
    }

    /// The accumulators: one per element, or one per row.
    #[must_use]
    pub fn accumulator(&self) -> &[f32] {
        self.accumulator
    }

    /// The parameters, to change them other than by a step, such as to normalize rows.
    #[must_use]
    pub fn params_mut(&mut self) -> &mut [f32] {
        self.params
    }

    /// The accumulators, to change them other than by a step.
    ///
    /// ```
    /// # let (mut params, mut accumulator) = ([0.0; 6], [1.0; 6]);
    /// let mut table = adagrad::Table::new(&mut params, &mut accumulator, 2)?;
    /// table.accumulator_mut().fill(0.0); // a restart: forgets all history
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    #[must_use]
    pub fn accumulator_mut(&mut self) -> &mut [f32] {
        self.accumulator
    }

    /// Checks every row index, and that `grads` has a row for each. The result is how many rows are to be passed over,
    /// because they are not in the table.
    #[cfg_attr(not(debug_assertions), inline)]
    pub(crate) fn check_rows<I: RowIndex>(&self, rows: &[I], grads: &[f32]) -> Result<usize, Error> {
        check_gradient_rows(rows.len(), grads.len(), self.dim)?;
        self.check_indices(rows)
    }

    /// Checks every row index, with the same result.
    #[cfg_attr(not(debug_assertions), inline)]
    pub(crate) fn check_indices<I: RowIndex>(&self, rows: &[I]) -> Result<usize, Error> {
        // A negative index, as the kernels take it, is at least as great as the type's end.
        let end = (self.rows as u64).min(I::END.wrapping_sub(1));
        if I::indices(rows).are_below(end) {
            Ok(0)
        } else if self.padding == NOWHERE && !self.skips_outside {
            first_outside(rows, self.rows)
        } else {
            self.outside(rows)
        }
    }

    /// How many rows are not in the table, nor its padding; or the error for the first one, where they are refused.
    #[cold]
    fn outside<I: RowIndex>(&self, indices: &[I]) -> Result<usize, Error> {
        // Kernels would take a negative index for a row of a table that is so long.
        let skips = self.skips_outside && self.rows as u64 <= I::END.wrapping_sub(1);
        let (allowed, mut outside) = (if skips { usize::MAX } else { 0 }, 0);
        for (position, index) in indices.iter().enumerate() {
            if I::to_usize(*index).is_some_and(|row| row < self.rows || row == self.padding && row != NOWHERE) {
                continue;
            }
            if outside == allowed {
                return Err(Error::Row { position, row: I::to_i128(*index), rows: self.rows });
            }
            outside += 1;
        }
        Ok(outside)
    }
}

/// The error for the first row that is not in a table of so many, or 0.
#[cold]
fn first_outside<I: RowIndex>(indices: &[I], rows: usize) -> Result<usize, Error> {
    for (position, index) in indices.iter().enumerate() {
        if I::to_usize(*index).is_none_or(|row| row >= rows) {
            return Err(Error::Row { position, row: I::to_i128(*index), rows });
        }
    }
    Ok(0)
}

/// `grads` has `dim` values for each of `rows` row indices.
pub(crate) fn check_gradient_rows(rows: usize, grads: usize, dim: usize) -> Result<(), Error> {
    let expected = rows.checked_mul(dim).ok_or(Error::Overflow { rows, dim })?;
    check_length("grads", expected, grads)
}
