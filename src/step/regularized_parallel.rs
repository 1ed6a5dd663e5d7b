//! Steps with L1 and L2 on several threads, with rayon.

use super::dense::check_available;
use super::parallel::{Parts, dense_tasks, in_halves, in_ranges, tasks_for_rows};
use crate::kernel::{Regularized, RegularizedSlices};
use crate::regularized::{kernel, run_dense, run_rows};
use crate::{Error, Ftrl, Proximal, Report, RowIndex, Table};

/// Steps on several threads, with the feature `rayon`. The results are the same bits as those of the serial steps, for any
/// number of threads.
impl Ftrl {
    /// [`Ftrl::step`] on several threads, with the same result, as [`Adagrad::par_step`](crate::Adagrad::par_step).
    ///
    /// ```
    /// use adagrad::Ftrl;
    ///
    /// let (mut params, grads) = (vec![0.0; 1 << 20], vec![3.0; 1 << 20]);
    /// let (mut accumulator, mut linear) = (vec![0.0; 1 << 20], vec![0.0; 1 << 20]);
    /// Ftrl::new(0.5).with_l1(1.0).par_step(&mut params, &grads, &mut accumulator, &mut linear)?;
    /// assert!(params.iter().all(|w| *w == -2.0 / 6.0));
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Ftrl::step`], before anything is written.
    ///
    /// # Panics
    ///
    /// If rayon needs its global pool and cannot start it. Nothing has been written then.
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn par_step(
        &self,
        params: &mut [f32],
        grads: &[f32],
        accumulator: &mut [f32],
        linear: &mut [f32],
    ) -> Result<(), Error> {
        self.check_dense(params, grads, accumulator, linear)?;
        check_available(self.backend)?;
        let (rates, tasks) = (self.rates, dense_tasks(params.len()));
        let run = |slices| run_dense::<true>(self.backend, slices).map(|()| Report::default());
        in_halves(&run, RegularizedSlices { rates, params, grads, accumulator, linear }, tasks).map(|_| ())
    }

    /// [`Ftrl::step_rows`] on several threads, with the same result, as
    /// [`Adagrad::par_step_rows`](crate::Adagrad::par_step_rows).
    ///
    /// ```
    /// use adagrad::{Ftrl, Table};
    ///
    /// let (mut params, mut accumulator, mut linear) = (vec![0.0; 1000 * 64], vec![0.0; 1000 * 64], vec![0.0; 1000 * 64]);
    /// let mut table = Table::new(&mut params, &mut accumulator, 64)?;
    /// let rows: Vec<u32> = (0..5000).map(|k| k * 7 % 1000).collect();
    /// Ftrl::new(0.1).with_l1(6.0).par_step_rows(&mut table, &mut linear, &rows, &vec![1.0; 5000 * 64])?;
    /// assert!(linear.iter().all(|z| *z == 5.0)); // each row appears five times, and 5 is less than 6
    /// assert!(params.iter().all(|w| *w == 0.0));
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Ftrl::step_rows`], before anything is written.
    ///
    /// # Panics
    ///
    /// As [`Ftrl::par_step`].
    pub fn par_step_rows<I: RowIndex>(
        &self,
        table: &mut Table<'_>,
        linear: &mut [f32],
        rows: &[I],
        grads: &[f32],
    ) -> Result<Report, Error> {
        let out_of_range = self.check_rows(table, linear, rows, grads)?;
        check_available(self.backend)?;
        let run = |rows| run_rows::<true>(self.backend, rows).map(|()| 0);
        divided(&run, kernel(self.rates, table, linear, I::indices(rows), grads))?;
        Ok(Report { skipped: 0, out_of_range })
    }
}

/// Steps on several threads, with the feature `rayon`. The results are the same bits as those of the serial steps, for any
/// number of threads.
impl Proximal {
    /// [`Proximal::step`] on several threads, with the same result, as [`Adagrad::par_step`](crate::Adagrad::par_step).
    ///
    /// ```
    /// use adagrad::Proximal;
    ///
    /// let (mut params, grads, mut accumulator) = (vec![0.25; 1 << 20], vec![1.0; 1 << 20], vec![0.0; 1 << 20]);
    /// Proximal::new(0.5).with_l1(1.0).par_step(&mut params, &grads, &mut accumulator)?;
    /// assert!(params.iter().all(|w| *w == 0.0));
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Proximal::step`], before anything is written.
    ///
    /// # Panics
    ///
    /// As [`Ftrl::par_step`].
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn par_step(&self, params: &mut [f32], grads: &[f32], accumulator: &mut [f32]) -> Result<(), Error> {
        self.check_dense(params, grads, accumulator)?;
        check_available(self.backend)?;
        let (rates, tasks, linear) = (self.rates, dense_tasks(params.len()), &mut [][..]);
        let run = |slices| run_dense::<false>(self.backend, slices).map(|()| Report::default());
        in_halves(&run, RegularizedSlices { rates, params, grads, accumulator, linear }, tasks).map(|_| ())
    }

    /// [`Proximal::step_rows`] on several threads, with the same result, as
    /// [`Adagrad::par_step_rows`](crate::Adagrad::par_step_rows).
    ///
    /// ```
    /// use adagrad::{Proximal, Table};
    ///
    /// let (mut params, mut accumulator) = (vec![0.0; 1000 * 64], vec![0.0; 1000 * 64]);
    /// let mut table = Table::new(&mut params, &mut accumulator, 64)?;
    /// let rows: Vec<u32> = (0..5000).map(|k| k * 7 % 1000).collect();
    /// Proximal::new(0.1).with_l1(2.0).par_step_rows(&mut table, &rows, &vec![1.0; 5000 * 64])?;
    /// assert!(accumulator.iter().all(|a| *a == 5.0)); // each row appears five times
    /// assert!(params.iter().all(|w| *w == 0.0));
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Proximal::step_rows`], before anything is written.
    ///
    /// # Panics
    ///
    /// As [`Ftrl::par_step`].
    pub fn par_step_rows<I: RowIndex>(
        &self,
        table: &mut Table<'_>,
        rows: &[I],
        grads: &[f32],
    ) -> Result<Report, Error> {
        let out_of_range = self.check_rows(table, rows, grads)?;
        check_available(self.backend)?;
        let run = |rows| run_rows::<false>(self.backend, rows).map(|()| 0);
        divided(&run, kernel(self.rates, table, &mut [], I::indices(rows), grads))?;
        Ok(Report { skipped: 0, out_of_range })
    }
}

fn divided<'a, const FTRL: bool>(
    run: &(impl Fn(Regularized<'a, FTRL>) -> Result<usize, Error> + Sync),
    step: Regularized<'a, FTRL>,
) -> Result<usize, Error> {
    let (indices, table_rows) = (step.rows, step.rows_here);
    let tasks = tasks_for_rows(indices.len(), step.grads.len());
    in_ranges(run, step, indices, table_rows, tasks)
}

impl<const FTRL: bool> Parts for RegularizedSlices<'_, FTRL> {
    fn len(&self) -> usize {
        self.params.len()
    }

    fn split_at(self, at: usize, _: usize) -> (Self, Self) {
        let Self { rates, params, grads, accumulator, linear } = self;
        let (w, w_rest) = params.split_at_mut(at);
        let (g, g_rest) = grads.split_at(at);
        let (a, a_rest) = accumulator.split_at_mut(at);
        let (z, z_rest) = linear.split_at_mut(if FTRL { at } else { 0 });
        (
            Self { rates, params: w, grads: g, accumulator: a, linear: z },
            Self { rates, params: w_rest, grads: g_rest, accumulator: a_rest, linear: z_rest },
        )
    }
}

impl<const FTRL: bool> Parts for Regularized<'_, FTRL> {
    fn len(&self) -> usize {
        self.rows_here
    }

    fn split_at(self, at: usize, _: usize) -> (Self, Self) {
        let Self { rates, params, accumulator, linear, shape, first_row, rows_here, padding, rows, grads } = self;
        let (w, params) = params.split_at_mut(at * shape.params);
        let (a, accumulator) = accumulator.split_at_mut(at * shape.accumulators);
        let (z, linear) = linear.split_at_mut(if FTRL { at * shape.linear() } else { 0 });
        let before =
            Self { rates, params: w, accumulator: a, linear: z, shape, first_row, rows_here: at, padding, rows, grads };
        let (first_row, rows_here) = (first_row + at, rows_here - at);
        (before, Self { rates, params, accumulator, linear, shape, first_row, rows_here, padding, rows, grads })
    }
}
