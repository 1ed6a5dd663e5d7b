//! Checks of row indices and their gradients.

use super::{NOWHERE, Table};
use crate::error::check_length;
use crate::{Error, RowIndex};

impl Table<'_> {
    /// Checks every row index, and that `grads` has a row for each. The result is how many rows are to be passed over,
    /// because they are not in the table.
    #[cfg_attr(not(debug_assertions), inline)]
    pub(crate) fn check_rows<I: RowIndex>(&self, rows: &[I], grads: &[f32]) -> Result<usize, Error> {
        check_gradient_rows(rows.len(), grads.len(), self.shape.gradients)?;
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
pub(crate) fn first_outside<I: RowIndex>(indices: &[I], rows: usize) -> Result<usize, Error> {
    for (position, index) in indices.iter().enumerate() {
        if I::to_usize(*index).is_none_or(|row| row >= rows) {
            return Err(Error::Row { position, row: I::to_i128(*index), rows });
        }
    }
    Ok(0)
}

/// `grads` has so many values for each of `rows` row indices or bags.
pub(crate) fn check_gradient_rows(rows: usize, grads: usize, dim: usize) -> Result<(), Error> {
    let expected = rows.checked_mul(dim).ok_or(Error::Overflow { rows, dim })?;
    check_length("grads", expected, grads)
}
