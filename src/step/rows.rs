//! The step for rows of a table.

use crate::backend::lanes::Kernel;
use crate::backend::{IS_SCALAR, run_detected};
use crate::kernel::{AnyRows, Flags, Gradients, NarrowRowWise, NarrowRows, Rows, ScalarRows, ShortRows};
use crate::table::{Indices, Layout, RowIndex};
use crate::{Adagrad, Backend, Error, Report, Table};

/// Steps for rows.
impl Adagrad {
    /// One step for each of `rows`, in that order. `grads` has `dim` values for each. A row that appears twice gets two
    /// steps, as in TensorFlow and FBGEMM. For one step with the sum, call [`coalesce`](crate::coalesce()) first.
    ///
    /// In a table with one accumulator per element, each row gets the dense step. In a [row-wise](Table::row_wise)
    /// table a row gets this one, where scale, clipping and L2 decay change `g` as in the dense step:
    ///
    /// ```text
    /// G ← G + (Σ g²)/dim        p[j mod 8] += g[j]², then ((p0+p1)+(p2+p3)) + ((p4+p5)+(p6+p7));
    ///                           the mean stands for g·g in Accumulation
    /// d ← √G + ε   or   √(G + ε)
    /// s ← min(η/d, f32::MAX)     so that a gradient of 0 never makes NaN
    /// w ← w − (w·λ)·η           WeightDecay::Decoupled
    /// w ← w − s·g               nothing where d = 0
    /// ```
    ///
    /// ```
    /// use adagrad::{Adagrad, Table};
    ///
    /// let (mut params, mut accumulator) = ([0.0; 6], [0.0; 6]);
    /// let mut table = Table::new(&mut params, &mut accumulator, 2)?;
    /// Adagrad::new(0.1).step_rows(&mut table, &[2_i64, 0], &[1.0, 1.0, -1.0, -1.0])?;
    /// assert_eq!(params, [0.1, 0.1, 0.0, 0.0, -0.1, -0.1]);
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Hyperparameter`]; [`Error::Length`] unless `grads` has `rows.len()·dim` values; [`Error::Overflow`] if
    /// that number overflows `usize`; [`Error::Row`] for the first row that is not in the table;
    /// [`Error::Unavailable`].
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn step_rows<I: RowIndex>(&self, table: &mut Table<'_>, rows: &[I], grads: &[f32]) -> Result<Report, Error> {
        self.validate()?;
        let out_of_range = table.check_rows(rows, grads)?;
        let (rows, grads) = (I::indices(rows), Gradients::for_rows(grads));
        let skipped = match table.layout {
            Layout::ElementWise => run_rows(self.backend, &mut self.rows(table, rows, grads))?,
            Layout::RowWise => run_row_wise(self.backend, &mut self.rows(table, rows, grads))?,
        };
        Ok(Report { skipped, out_of_range })
    }

    /// A kernel for checked rows.
    #[cfg_attr(not(debug_assertions), inline)]
    pub(super) fn rows<'a, const ROW_WISE: bool>(
        &'a self,
        table: &'a mut Table<'_>,
        rows: Indices<'a>,
        grads: Gradients<'a>,
    ) -> Rows<'a, ROW_WISE> {
        let Table { params, accumulator, dim, padding, .. } = table;
        Rows { rule: &self.rule, params, accumulator, first_row: 0, padding: *padding, dim: *dim, rows, grads }
    }
}

// On bare metal inlined, elsewhere compiled with this crate and not with each that calls it.

#[cfg_attr(target_os = "none", inline(always))]
#[cfg_attr(not(target_os = "none"), inline(never))]
pub(super) fn run_rows(backend: Option<Backend>, step: &mut Rows<'_, false>) -> Result<usize, Error> {
    let lanes = lanes(backend);
    if lanes == 1 {
        return run_scalar(backend, step);
    }
    let is_usual = !step.rule.flags.any(Flags::UNUSUAL);
    match step.are_short() {
        (true, true) if lanes >= 8 => run(backend, NarrowRows(step)),
        (true, _) => run(backend, ShortRows(step)),
        _ if is_usual => run(backend, AnyRows::<false, true, true>(step)),
        _ => run(backend, AnyRows::<false, false, true>(step)),
    }
}

#[cfg_attr(target_os = "none", inline(always))]
#[cfg_attr(not(target_os = "none"), inline(never))]
pub(super) fn run_row_wise(backend: Option<Backend>, step: &mut Rows<'_, true>) -> Result<usize, Error> {
    let lanes = lanes(backend);
    if lanes == 1 {
        run_scalar(backend, step)
    } else if step.rule.flags.any(Flags::UNUSUAL) {
        run(backend, AnyRows::<true, false, false>(step))
    } else if lanes >= 8 && step.are_narrow() {
        run(backend, NarrowRowWise(step))
    } else {
        run(backend, AnyRows::<true, true, false>(step))
    }
}

/// The row-wise step where the rows may lie in bags. Compiled where it is used, but in debug builds, which then have it at this
/// crate's level of optimization.
#[cfg_attr(not(debug_assertions), inline)]
pub(super) fn run_row_wise_bags(backend: Option<Backend>, step: &mut Rows<'_, true>) -> Result<usize, Error> {
    if lanes(backend) == 1 {
        run_scalar(backend, step)
    } else if step.rule.flags.any(Flags::UNUSUAL) {
        run(backend, AnyRows::<true, false, true>(step))
    } else {
        run(backend, AnyRows::<true, true, true>(step))
    }
}

#[inline(always)]
fn run_scalar<const ROW_WISE: bool>(backend: Option<Backend>, step: &mut Rows<'_, ROW_WISE>) -> Result<usize, Error> {
    if step.grads.are_of_bags() {
        run(backend, ScalarRows::<ROW_WISE, true>(step))
    } else {
        run(backend, ScalarRows::<ROW_WISE, false>(step))
    }
}

#[inline(always)]
fn lanes(backend: Option<Backend>) -> usize {
    if IS_SCALAR { 1 } else { backend.unwrap_or_else(Backend::detected).lanes() }
}

#[inline(always)]
pub(crate) fn run<K: Kernel<Output: Default>>(backend: Option<Backend>, kernel: K) -> Result<K::Output, Error> {
    match backend {
        Some(backend) if !IS_SCALAR => backend.run(kernel).ok_or(Error::Unavailable { backend }),
        Some(backend) if !backend.is_available() => Err(Error::Unavailable { backend }),
        _ => Ok(run_detected(kernel)),
    }
}
