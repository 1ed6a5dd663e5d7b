//! What is done to rows between steps: their norm is limited, and decay that they owe is caught up on.

use crate::backend::run_detected;
use crate::error::check_length;
use crate::kernel::SumOfSquares;
use crate::{Error, Report, RowIndex, Table};

/// Between steps.
impl Table<'_> {
    /// Scales back each of `rows` whose L2 norm is more than `max_norm`, as `max_norm` of `torch.nn.Embedding` does:
    ///
    /// ```text
    /// n ← √(Σ w²)               in f64, the sum in the order of sum_of_squares
    /// w ← w · (max_norm/(n + 10⁻⁷))     where n > max_norm, the factor rounded to f32
    /// ```
    ///
    /// Afterwards the norm is at most `max_norm`, but for the rounding of the products. A row that is not finite is left as
    /// it is, and counted in [`Report::skipped`]. Padding, and rows that are not in the table, are passed over as in a step.
    /// Call it after a step, with the same rows. The formula is that of `PyTorch`'s `embedding_renorm_`.
    ///
    /// ```
    /// use adagrad::Table;
    ///
    /// let (mut params, mut accumulator) = ([3.0, 4.0, 0.3, 0.4], [0.0; 4]);
    /// let mut table = Table::new(&mut params, &mut accumulator, 2)?;
    /// table.limit_norms(&[0_u32, 1], 1.0)?;
    /// assert_eq!(params, [0.6, 0.8, 0.3, 0.4]);
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Hyperparameter`] if `max_norm` is negative or NaN; [`Error::Row`] for the first row that is not in the table.
    pub fn limit_norms<I: RowIndex>(&mut self, rows: &[I], max_norm: f32) -> Result<Report, Error> {
        if max_norm.is_nan() || max_norm < 0.0 {
            return Err(Error::Hyperparameter { what: "max_norm", value: max_norm, expected: "at least 0" });
        }
        let mut report = Report { skipped: 0, out_of_range: self.check_indices(rows)? };
        let limit = f64::from(max_norm);
        for index in rows {
            let Some((params, _)) = self.present(*index) else { continue };
            let sum = run_detected(SumOfSquares(params));
            if !sum.is_finite() {
                report.skipped += 1;
            } else if sum > limit * limit {
                // The square is exact, and only beyond it is the root above the limit, to which it may be rounded.
                let norm = libm::sqrt(sum);
                if norm > limit {
                    scale(params, (limit / (norm + 1e-7)) as f32);
                }
            }
        }
        Ok(report)
    }

    /// Takes the decoupled decay that each of `rows` owes since the step in which it was last seen, at a constant rate:
    ///
    /// ```text
    /// w ← w · (1 − η·λ)^(step − last)     the power in f64, by squaring, and rounded to f32
    /// last ← step
    /// ```
    ///
    /// So rows that are seldom in a step decay like the others, and no step touches the whole table. Call it before each
    /// step, with its rows and its number, from 1 on. The step itself then is one without decay. At the end, or before the
    /// parameters are used, call it with all rows. `last_steps` has one value per row, and begins as 0.
    ///
    /// Dense steps round after each decay, and this once. Only decoupled decay at a constant rate has such a form: L2 decay
    /// changes the accumulators too, and a schedule has another factor for each step.
    ///
    /// ```
    /// use adagrad::{Adagrad, Table};
    ///
    /// let (mut params, mut accumulator, mut last_steps) = ([1.0, 1.0], [0.0; 2], [0; 2]);
    /// let mut table = Table::new(&mut params, &mut accumulator, 1)?;
    /// for step in 1..=3 {
    ///     table.decay_rows(&[0_u32], 0.5, 0.5, &mut last_steps, step)?;
    ///     Adagrad::new(0.5).step_rows(&mut table, &[0_u32], &[0.0])?;
    /// }
    /// assert_eq!(table.row(1).map(|(params, _)| params[0]), Some(1.0)); // not seen so far
    /// table.decay_rows(&[0_u32, 1], 0.5, 0.5, &mut last_steps, 3)?;
    /// assert_eq!(params, [0.421875; 2]); // 0.75³
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Hyperparameter`] if `learning_rate` or `weight_decay` is negative or not finite, or their product is more
    /// than 1; [`Error::Length`] unless `last_steps` has one value per row; [`Error::Row`] for the first row that is not in
    /// the table; [`Error::Step`] for the first row that was last seen after `step`.
    pub fn decay_rows<I: RowIndex>(
        &mut self,
        rows: &[I],
        learning_rate: f32,
        weight_decay: f32,
        last_steps: &mut [u32],
        step: u32,
    ) -> Result<Report, Error> {
        let bad = |what, value, expected| Err(Error::Hyperparameter { what, value, expected });
        if !(0.0..=f32::MAX).contains(&learning_rate) {
            return bad("learning_rate", learning_rate, "finite and at least 0");
        }
        if !(0.0..=f32::MAX).contains(&weight_decay) {
            return bad("weight_decay", weight_decay, "finite and at least 0");
        }
        // The product of two values of 24 bits is exact.
        let kept = 1.0 - f64::from(learning_rate) * f64::from(weight_decay);
        if kept < 0.0 {
            return bad("weight_decay", weight_decay, "at most 1/learning_rate");
        }
        check_length("last_steps", self.rows, last_steps.len())?;
        let out_of_range = self.check_indices(rows)?;
        for (position, index) in rows.iter().enumerate() {
            let row = I::to_usize(*index).filter(|row| *row != self.padding);
            if let Some(last) = row.and_then(|row| last_steps.get(row))
                && *last > step
            {
                return Err(Error::Step { position, last: *last, step });
            }
        }
        for index in rows {
            let Some((params, row)) = self.present(*index) else { continue };
            let Some(last) = last_steps.get_mut(row) else { continue };
            if step > *last {
                scale(params, power(kept, step.wrapping_sub(*last)) as f32);
            }
            *last = step;
        }
        Ok(Report { skipped: 0, out_of_range })
    }

    /// A row's parameters, and its number, unless it is the padding or not in the table.
    fn present<I: RowIndex>(&mut self, index: I) -> Option<(&mut [f32], usize)> {
        let row = I::to_usize(index)?;
        if row == self.padding { None } else { self.row_mut(row).map(|(params, _)| (params, row)) }
    }
}

fn scale(values: &mut [f32], factor: f32) {
    for value in values {
        *value *= factor;
    }
}

/// `base` to the power of `exponent`, the bits of which say by which of its squares the result is multiplied, from the least
/// on.
fn power(base: f64, exponent: u32) -> f64 {
    let (mut square, mut left, mut result) = (base, exponent, 1.0);
    while left > 0 {
        if left & 1 == 1 {
            result *= square;
        }
        square *= square;
        left >>= 1;
    }
    result
}
