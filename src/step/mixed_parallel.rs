//! Steps of 16-bit types on several threads, with rayon.

use super::dense::check_available;
use super::mixed_bags::mixed_bag_gradients;
use super::parallel::{Slices, dense_tasks, in_halves, in_ranges, tasks_for_rows};
use crate::kernel::{OfRows, RowGradients, Rows};
use crate::table::Indices;
use crate::{Adagrad, Bags, Element, Error, MixedTable, Report, Rounding, RowIndex};

/// Steps of `bf16`, `f16` and `f32` on several threads, with the features `half` and `rayon`. The results are the same bits
/// as those of the serial steps, for any number of threads, also where they are rounded by chance.
impl Adagrad {
    /// [`Adagrad::step_mixed`] on several threads, with the same result, as [`par_step`](Self::par_step).
    ///
    /// ```
    /// use adagrad::{Adagrad, Counter, Rounding};
    /// use half::bf16;
    ///
    /// let mut params = vec![bf16::ONE; 1 << 20];
    /// let grads = vec![3.0_f32; 1 << 20];
    /// let mut accumulator = vec![bf16::ZERO; 1 << 20];
    /// let rounding = Rounding::Stochastic(Counter::new(1, 1));
    /// Adagrad::new(0.5).par_step_mixed(&mut params, &grads, &mut accumulator, rounding)?;
    /// assert!(params.iter().all(|w| *w == bf16::from_f32(0.5)));
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Adagrad::step_mixed`], before anything is written.
    ///
    /// # Panics
    ///
    /// As [`Adagrad::par_step`].
    pub fn par_step_mixed<P: Element, G: Element, A: Element>(
        &self,
        params: &mut [P],
        grads: &[G],
        accumulator: &mut [A],
        rounding: Rounding,
    ) -> Result<Report, Error> {
        self.check_mixed(params, grads, accumulator)?;
        check_available(self.backend)?;
        let run = |Slices { first, params, grads, accumulator }: Slices<'_, P, G, A>| {
            self.step_mixed(params, grads, accumulator, rounding.after(first))
        };
        let tasks = dense_tasks(params.len());
        in_halves(&run, Slices { first: 0, params, grads, accumulator }, tasks)
    }

    /// [`Adagrad::step_mixed_rows`] on several threads, with the same result, as [`par_step_rows`](Self::par_step_rows).
    ///
    /// ```
    /// use adagrad::{Adagrad, MixedTable, Rounding};
    /// use half::bf16;
    ///
    /// let (mut params, mut accumulator) = (vec![bf16::ZERO; 1000 * 64], vec![0.0_f32; 1000]);
    /// let mut table = MixedTable::row_wise(&mut params, &mut accumulator, 64)?;
    /// let rows: Vec<u32> = (0..5000).map(|k| k * 7 % 1000).collect();
    /// Adagrad::new(0.1).par_step_mixed_rows(&mut table, &rows, &vec![bf16::ONE; 5000 * 64], Rounding::Nearest)?;
    /// assert!(accumulator.iter().all(|a| *a == 5.0)); // each row appears five times
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Adagrad::step_mixed_rows`], before anything is written.
    ///
    /// # Panics
    ///
    /// As [`Adagrad::par_step`].
    pub fn par_step_mixed_rows<P: Element, G: Element, A: Element, I: RowIndex>(
        &self,
        table: &mut MixedTable<'_, P, A>,
        rows: &[I],
        grads: &[G],
        rounding: Rounding,
    ) -> Result<Report, Error> {
        let out_of_range = self.check_mixed_rows(table, rows.len(), rows, grads.len())?;
        check_available(self.backend)?;
        let tasks = tasks_for_rows(rows.len(), grads.len());
        let grads = OfRows::new(grads, table.like.shape.gradients);
        self.divided_mixed_rows(table, I::indices(rows), grads, rounding, out_of_range, tasks)
    }

    /// [`Adagrad::step_mixed_bags`] on several threads, with the same result, as [`par_step_bags`](Self::par_step_bags).
    ///
    /// Each thread needs `dim` values of `scratch`. One with room for fewer gradients than there are threads keeps the others
    /// idle.
    ///
    /// ```
    /// use adagrad::{Adagrad, Bags, MixedTable, Rounding};
    /// use half::bf16;
    ///
    /// let (mut params, mut accumulator) = (vec![bf16::ZERO; 1000 * 64], vec![0.0_f32; 1000]);
    /// let mut table = MixedTable::row_wise(&mut params, &mut accumulator, 64)?;
    /// let offsets: Vec<u32> = (0..=250).map(|bag| 20 * bag).collect();
    /// let rows: Vec<u32> = (0..5000).map(|k| k * 7 % 1000).collect();
    /// let (bags, grads) = (Bags::new(&offsets, &rows)?, vec![bf16::ONE; 250 * 64]);
    /// let scratch = &mut [0.0; 2 * 64]; // for two threads
    /// Adagrad::new(0.1).par_step_mixed_bags(&mut table, &bags, &grads, scratch, Rounding::Nearest)?;
    /// assert!(accumulator.iter().all(|a| *a == 5.0)); // each row appears five times
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Adagrad::step_mixed_bags`], before anything is written.
    ///
    /// # Panics
    ///
    /// As [`Adagrad::par_step`].
    pub fn par_step_mixed_bags<P: Element, G: Element, A: Element, I: RowIndex>(
        &self,
        table: &mut MixedTable<'_, P, A>,
        bags: &Bags<'_, I>,
        grads: &[G],
        scratch: &mut [f32],
        rounding: Rounding,
    ) -> Result<Report, Error> {
        let out_of_range = self.check_mixed_bags(table, bags, grads.len(), scratch.len())?;
        check_available(self.backend)?;
        let (rows, room) = (I::indices(bags.rows), scratch.len() / table.dim());
        let tasks = tasks_for_rows(rows.len(), rows.len().saturating_mul(table.dim())).min(room);
        let grads = mixed_bag_gradients(table, bags, grads, scratch);
        self.divided_mixed_rows(table, rows, grads, rounding, out_of_range, tasks)
    }

    fn divided_mixed_rows<'a, P: Element, A: Element, G: RowGradients<'a> + Send>(
        &'a self,
        table: &'a mut MixedTable<'_, P, A>,
        rows: Indices<'a>,
        grads: G,
        rounding: Rounding,
        out_of_range: usize,
        tasks: usize,
    ) -> Result<Report, Error> {
        let (layout, table_rows) = (table.like.layout, table.rows());
        let run = |mut rows: Rows<'a, P, A, G>| self.run_mixed_rows(layout, &mut rows, rounding);
        let skipped = in_ranges(&run, self.mixed_rows(table, rows, grads), rows, table_rows, tasks)?;
        Ok(Report { skipped, out_of_range })
    }
}
