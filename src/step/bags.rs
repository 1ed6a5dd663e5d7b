//! The step for bags of rows.

use super::rows::run_rows;
use crate::backend::IS_SCALAR;
use crate::error::check_room;
use crate::kernel::{BagGradients, Gradients};
use crate::table::check_gradient_rows;
use crate::{Adagrad, Bags, Error, Report, RowIndex, Table};

/// Steps for bags.
impl Adagrad {
    /// One step for each row of each bag, in that order. `grads` has `dim` values for each bag.
    ///
    /// Has the bits of [`step_rows`](Self::step_rows) with a copy of the bag's gradient for each row, except with
    /// [`Arithmetic::Fast`](crate::Arithmetic::Fast), but needs no copies:
    ///
    /// ```text
    /// g ← g / size              with Bags::mean: the number of rows in the bag, as f32
    /// g ← g · weight            with Bags::weighted
    /// then the step of step_rows
    /// ```
    ///
    /// `scratch` is room for one gradient, `dim` values, where the bags are [`mean`](Bags::mean) or
    /// [`weighted`](Bags::weighted). Otherwise it may be empty. What is in it before does not matter.
    ///
    /// A row that is in a bag twice, or in several bags, gets a step each time.
    ///
    /// ```
    /// use adagrad::{Adagrad, Bags, Table};
    ///
    /// let (mut params, mut accumulator) = ([0.0; 8], [0.0; 8]);
    /// let mut table = Table::new(&mut params, &mut accumulator, 2)?;
    /// // Rows 3 and 0 were pooled to one vector, and row 1 is another.
    /// let bags = Bags::new(&[0_u32, 2, 3], &[3, 0, 1])?.mean();
    /// Adagrad::new(0.1).step_bags(&mut table, &bags, &[2.0, -2.0, 1.0, 1.0], &mut [0.0; 2])?;
    /// assert_eq!(accumulator, [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0]);
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Hyperparameter`]; [`Error::Length`] unless `grads` has `bags.len()·dim` values; [`Error::Overflow`] if
    /// that number overflows `usize`; [`Error::Row`] for the first row that is not in the table; [`Error::TooShort`] if
    /// `scratch` is; [`Error::Unavailable`].
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn step_bags<I: RowIndex>(
        &self,
        table: &mut Table<'_>,
        bags: &Bags<'_, I>,
        grads: &[f32],
        scratch: &mut [f32],
    ) -> Result<Report, Error> {
        let out_of_range = self.check_bags(table, bags, grads, scratch)?;
        let (layout, grads) = (table.layout, bag_gradients(table, bags, grads, scratch));
        let are_plain = !IS_SCALAR && table.shape.is_plain && !grads.are_of_bags();
        let skipped = run_rows(self.backend, layout, are_plain, &mut self.rows(table, I::indices(bags.rows), grads))?;
        Ok(Report { skipped, out_of_range })
    }

    /// Checks all of a call. The result is how many rows are to be passed over, because they are not in the table.
    #[cfg_attr(not(debug_assertions), inline)]
    pub(super) fn check_bags<I: RowIndex>(
        &self,
        table: &Table<'_>,
        bags: &Bags<'_, I>,
        grads: &[f32],
        scratch: &[f32],
    ) -> Result<usize, Error> {
        self.validate()?;
        check_gradient_rows(bags.len(), grads.len(), table.shape.gradients)?;
        let out_of_range = table.check_indices(bags.rows)?;
        check_room("scratch", if bags.are_scaled() { table.dim() } else { 0 }, scratch.len())?;
        Ok(out_of_range)
    }
}

#[cfg_attr(not(debug_assertions), inline)]
pub(super) fn bag_gradients<'a, I: RowIndex>(
    table: &Table<'_>,
    bags: &Bags<'a, I>,
    grads: &'a [f32],
    scratch: &'a mut [f32],
) -> Gradients<'a> {
    if !IS_SCALAR && bags.are_single && bags.weights.is_none() {
        // A gradient for each row, and a division by 1 changes nothing.
        return Gradients::for_rows(grads, table.shape.gradients);
    }
    let bags = BagGradients::new(I::indices(bags.offsets), bags.mean, bags.weights, scratch);
    Gradients::for_bags(grads, table.shape.gradients, bags)
}
