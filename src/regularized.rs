//! Adagrad with L1 and L2: FTRL-Proximal and proximal Adagrad, whose parameters become exactly 0.

use crate::error::check_length;
use crate::kernel::{Rates, Regularized, RegularizedSlices};
use crate::step::run;
use crate::table::{Indices, Layout};
use crate::{Backend, Error, Report, RowIndex, Table};

/// FTRL-Proximal (*Ad Click Prediction: a View from the Trenches*, KDD 2013), as TensorFlow's `ApplyFtrl` with a
/// learning-rate power of −1/2. Each element has a parameter `w`, an accumulator `G` and a linear term `z`, which start at
/// 0, at 0 or above (TensorFlow: 0.1) and at 0. A step does this; each operation rounds once:
///
/// ```text
/// H ← min(G + g·g, f32::MAX)
/// σ ← min((√H − √G)/η, f32::MAX)
/// z ← z + (g − σ·w)
/// d ← min(√H/η + 2·l2, f32::MAX)
/// w ← (clamp(z, −l1, l1) − z)/d      so 0 where |z| ≤ l1; nothing where d = 0, which needs H = 0 and l2 = 0
/// G ← H
/// ```
///
/// Finite input never makes NaN. What overflows stays at the greatest finite value, but for `z` and `w`, which become
/// infinite. The next step from an infinite `z` or `w`, or from a NaN or a negative `G`, may give NaN.
///
/// ```
/// use adagrad::Ftrl;
///
/// let (mut params, mut accumulator, mut linear) = ([0.0; 2], [0.0; 2], [0.0; 2]);
/// let ftrl = Ftrl::new(0.5).with_l1(1.0);
/// ftrl.step(&mut params, &[3.0, 0.5], &mut accumulator, &mut linear)?;
/// assert_eq!(linear, [3.0, 0.5]);
/// assert_eq!(params, [-2.0 / 6.0, 0.0]); // (1 − 3)/(3/0.5), and |z| ≤ l1
/// # Ok::<(), adagrad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ftrl {
    pub(crate) rates: Rates,
    pub(crate) backend: Option<Backend>,
}

/// Proximal Adagrad (Duchi, Hazan and Singer, *Adaptive Subgradient Methods for Online Learning and Stochastic Optimization*,
/// 2011), as TensorFlow's `ApplyProximalAdagrad`: the step without regularization, then the least of the regularizer
/// and the distance to it. Each operation rounds once:
///
/// ```text
/// G ← min(G + g·g, f32::MAX)
/// r ← min(η/√G, f32::MAX)
/// v ← w − r·g
/// t ← min(r·l1, f32::MAX)
/// w ← (v − clamp(v, −t, t))/min(1 + r·l2, f32::MAX)      nothing where G = 0
/// ```
///
/// `v − clamp(v, −t, t)` is `sign(v)·max(|v| − t, 0)`. Finite input never makes NaN. What overflows stays at the greatest
/// finite value, but for `v` and `w`, which become infinite.
///
/// L1 is compared with one gradient, and not with the sum of them as by [`Ftrl`]. Of a model that is stepped a sample at a
/// time it makes few weights 0, or all of them.
///
/// ```
/// use adagrad::Proximal;
///
/// let (mut params, mut accumulator) = ([1.0, 0.25], [0.0; 2]);
/// Proximal::new(0.5).with_l1(1.0).step(&mut params, &[1.0, 1.0], &mut accumulator)?;
/// assert_eq!(params, [0.0, 0.0]); // |1 − 0.5| ≤ 0.5·1, and |0.25 − 0.5| is less
/// # Ok::<(), adagrad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Proximal {
    pub(crate) rates: Rates,
    pub(crate) backend: Option<Backend>,
}

macro_rules! options {
    ($Type:ident, $positive:literal, $expected:literal) => {
        impl $Type {
            /// The step with this learning rate, without L1 and L2, on the detected backend.
            #[must_use]
            pub const fn new(learning_rate: f32) -> Self {
                Self { rates: Rates { learning_rate, l1: 0.0, l2: 0.0 }, backend: None }
            }

            /// The strength of L1, finite and at least 0.
            #[must_use]
            pub const fn with_l1(mut self, l1: f32) -> Self {
                self.rates.l1 = l1;
                self
            }

            /// The strength of L2, finite and at least 0.
            #[must_use]
            pub const fn with_l2(mut self, l2: f32) -> Self {
                self.rates.l2 = l2;
                self
            }

            /// Steps on this backend; elsewhere they return [`Error::Unavailable`].
            #[must_use]
            pub const fn with_backend(mut self, backend: Backend) -> Self {
                self.backend = Some(backend);
                self
            }

            /// Checks every hyper-parameter.
            ///
            /// # Errors
            ///
            /// [`Error::Hyperparameter`] for the first that is out of its range.
            #[doc = concat!("The learning rate must be ", $expected, "; L1 and L2 finite and at least 0.")]
            pub const fn validate(&self) -> Result<(), Error> {
                let Rates { learning_rate, l1, l2 } = self.rates;
                let (what, value, expected) = if !in_range(learning_rate) || ($positive && learning_rate == 0.0) {
                    ("learning_rate", learning_rate, $expected)
                } else if !in_range(l1) {
                    ("l1", l1, "finite and at least 0")
                } else if !in_range(l2) {
                    ("l2", l2, "finite and at least 0")
                } else {
                    return Ok(());
                };
                Err(Error::Hyperparameter { what, value, expected })
            }
        }
    };
}
options!(Ftrl, true, "finite and above 0");
options!(Proximal, false, "finite and at least 0");

const fn in_range(x: f32) -> bool {
    x >= 0.0 && x <= f32::MAX
}

impl Ftrl {
    /// One step. The four slices have one length.
    ///
    /// # Errors
    ///
    /// [`Error::Hyperparameter`]; [`Error::Length`]; [`Error::Unavailable`].
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn step(
        &self,
        params: &mut [f32],
        grads: &[f32],
        accumulator: &mut [f32],
        linear: &mut [f32],
    ) -> Result<(), Error> {
        self.check_dense(params, grads, accumulator, linear)?;
        let rates = self.rates;
        run_dense(self.backend, RegularizedSlices::<true> { rates, params, grads, accumulator, linear })
    }

    /// One step for each of `rows`, in that order. `grads` has `dim` values for each. A row that appears twice gets two
    /// steps. `linear` has as many values as the parameters of a [`Table::new`] with these rows, padding included, and they lie
    /// alike.
    ///
    /// The table has one accumulator per element, in any layout. Rows that it [names as padding](Table::with_padding_row),
    /// or that are not in it and [skipped](Table::with_out_of_range_skipped), are passed over, those of `linear` too.
    ///
    /// ```
    /// use adagrad::{Ftrl, Table};
    ///
    /// let (mut w, mut g2, mut z) = ([0.0; 4], [0.0; 4], [0.0; 4]);
    /// let mut table = Table::new(&mut w, &mut g2, 2)?.with_out_of_range_skipped(true);
    /// let report = Ftrl::new(0.5).step_rows(&mut table, &mut z, &[1_u32, 2], &[1.0, -1.0, 7.0, 7.0])?;
    /// assert_eq!(report.out_of_range, 1);
    /// assert_eq!(w, [0.0, 0.0, -0.5, 0.5]);
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Hyperparameter`]; [`Error::Length`], also where a row of more than one column has one accumulator;
    /// [`Error::Overflow`]; [`Error::Row`]; [`Error::Unavailable`].
    pub fn step_rows<I: RowIndex>(
        &self,
        table: &mut Table<'_>,
        linear: &mut [f32],
        rows: &[I],
        grads: &[f32],
    ) -> Result<Report, Error> {
        let out_of_range = self.check_rows(table, linear, rows, grads)?;
        run_rows::<true>(self.backend, kernel(self.rates, table, linear, I::indices(rows), grads))?;
        Ok(Report { skipped: 0, out_of_range })
    }

    #[inline(always)]
    pub(crate) fn check_dense(&self, w: &[f32], grads: &[f32], accumulator: &[f32], z: &[f32]) -> Result<(), Error> {
        self.validate()?;
        check_length("grads", w.len(), grads.len())?;
        check_length("accumulator", w.len(), accumulator.len())?;
        check_length("linear", w.len(), z.len())
    }

    /// How many rows are to be passed over, because they are not in the table.
    pub(crate) fn check_rows<I: RowIndex>(
        &self,
        table: &Table<'_>,
        linear: &[f32],
        rows: &[I],
        grads: &[f32],
    ) -> Result<usize, Error> {
        self.validate()?;
        check_element_wise(table)?;
        check_length("linear", table.rows.wrapping_mul(table.shape.linear()), linear.len())?;
        table.check_rows(rows, grads)
    }
}

impl Proximal {
    /// One step. The three slices have one length.
    ///
    /// # Errors
    ///
    /// [`Error::Hyperparameter`]; [`Error::Length`]; [`Error::Unavailable`].
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn step(&self, params: &mut [f32], grads: &[f32], accumulator: &mut [f32]) -> Result<(), Error> {
        self.check_dense(params, grads, accumulator)?;
        let (rates, linear) = (self.rates, &mut [][..]);
        run_dense(self.backend, RegularizedSlices::<false> { rates, params, grads, accumulator, linear })
    }

    /// One step for each of `rows`, in that order. `grads` has `dim` values for each. A row that appears twice gets two
    /// steps.
    ///
    /// The table has one accumulator per element, in any layout. Rows that it [names as padding](Table::with_padding_row),
    /// or that are not in it and [skipped](Table::with_out_of_range_skipped), are passed over.
    ///
    /// ```
    /// use adagrad::{Proximal, Table};
    ///
    /// let (mut params, mut accumulator) = ([0.25; 3], [0.0; 3]);
    /// let mut table = Table::new(&mut params, &mut accumulator, 1)?.with_padding_row(0);
    /// Proximal::new(0.5).with_l1(1.0).step_rows(&mut table, &[0_u32, 2, 0], &[7.0, 1.0, 7.0])?;
    /// assert_eq!(params, [0.25, 0.25, 0.0]); // |0.25 − 0.5| ≤ 0.5·1
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Hyperparameter`]; [`Error::Length`], also where a row of more than one column has one accumulator;
    /// [`Error::Overflow`]; [`Error::Row`]; [`Error::Unavailable`].
    pub fn step_rows<I: RowIndex>(&self, table: &mut Table<'_>, rows: &[I], grads: &[f32]) -> Result<Report, Error> {
        let out_of_range = self.check_rows(table, rows, grads)?;
        run_rows::<false>(self.backend, kernel(self.rates, table, &mut [], I::indices(rows), grads))?;
        Ok(Report { skipped: 0, out_of_range })
    }

    #[inline(always)]
    pub(crate) fn check_dense(&self, params: &[f32], grads: &[f32], accumulator: &[f32]) -> Result<(), Error> {
        self.validate()?;
        check_length("grads", params.len(), grads.len())?;
        check_length("accumulator", params.len(), accumulator.len())
    }

    /// How many rows are to be passed over, because they are not in the table.
    pub(crate) fn check_rows<I: RowIndex>(&self, table: &Table<'_>, rows: &[I], grads: &[f32]) -> Result<usize, Error> {
        self.validate()?;
        check_element_wise(table)?;
        table.check_rows(rows, grads)
    }
}

/// Each element has an accumulator. In a row-wise table that is so only with one column.
fn check_element_wise(table: &Table<'_>) -> Result<(), Error> {
    match table.layout {
        Layout::ElementWise => Ok(()),
        Layout::RowWise => check_length("accumulator", table.rows.wrapping_mul(table.shape.dim), table.rows),
    }
}

/// A kernel for checked rows.
pub(crate) fn kernel<'a, const FTRL: bool>(
    rates: Rates,
    table: &'a mut Table<'_>,
    linear: &'a mut [f32],
    rows: Indices<'a>,
    grads: &'a [f32],
) -> Regularized<'a, FTRL> {
    let Table { params, accumulator, shape, rows: rows_here, padding, .. } = table;
    let (shape, rows_here, padding) = (*shape, *rows_here, *padding);
    Regularized { rates, params, accumulator, linear, shape, first_row: 0, rows_here, padding, rows, grads }
}

/// Compiled where it is used, but in debug builds, which then have it at this crate's level of optimization.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn run_dense<const FTRL: bool>(
    backend: Option<Backend>,
    mut step: RegularizedSlices<'_, FTRL>,
) -> Result<(), Error> {
    run(backend, &mut step)
}

/// Compiled where it is used, also in debug builds, since its callers are generic: see docs/decisions.md, "FTRL and proximal steps".
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn run_rows<const FTRL: bool>(
    backend: Option<Backend>,
    mut step: Regularized<'_, FTRL>,
) -> Result<(), Error> {
    run(backend, &mut step)
}
