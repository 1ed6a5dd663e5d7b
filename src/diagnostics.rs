//! How far the effective learning rates have fallen.

use crate::backend::{Scalar, run_detected};
use crate::error::check_length;
use crate::kernel::EffectiveRates;
use crate::{Adagrad, Error};

/// How far the effective learning rates of some accumulators have fallen.
///
/// Rates that are infinite or NaN, as where ε and `G` are both 0, are counted in `non_finite` only.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// The number of finite rates.
    pub count: usize,
    /// The number of rates that are infinite or NaN.
    pub non_finite: usize,
    /// The least finite rate; infinite if there is none.
    pub min: f32,
    /// The greatest finite rate; 0 if there is none.
    pub max: f32,
    /// The mean of the finite rates, which are added up in order in `f64`; 0 if there is none.
    pub mean: f64,
    /// The number of finite rates below the threshold.
    pub below: usize,
    /// The number of accumulators that a gradient of the given size no longer changes: see
    /// [`Accumulation`](crate::Accumulation).
    pub stalled: usize,
    /// How many rates lie in each decade: see [`Summary::decade`].
    pub histogram: [usize; Summary::BINS],
}

impl Summary {
    /// The number of bins of the histogram.
    pub const BINS: usize = 16;

    /// The lower edges of all bins but the first.
    const EDGES: [f32; Self::BINS - 1] =
        [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6];

    /// The range of rates that a bin counts: from the first value on, and below the second. Bin 0 counts all rates
    /// below 1e-8, bin `b` the decade from `10^(b−9)` on, and the last bin all from 1e6 on. `None` if there is no such
    /// bin.
    ///
    /// ```
    /// assert_eq!(adagrad::Summary::decade(7), Some((1e-2, 1e-1)));
    /// assert_eq!(adagrad::Summary::decade(16), None);
    /// ```
    #[must_use]
    pub fn decade(bin: usize) -> Option<(f32, f32)> {
        let lower = if bin == 0 { 0.0 } else { *Self::EDGES.get(bin - 1)? };
        Some((lower, Self::EDGES.get(bin).copied().unwrap_or(f32::INFINITY)))
    }

    /// The share of the finite rates that are below the threshold, from 0 to 1. If there are no finite rates it is 0.
    ///
    /// ```
    /// let summary = adagrad::Adagrad::new(1.0).summary(&[1.0, 1e8, 1e10, 4.0], 1e-3, 1.0)?;
    /// assert_eq!(summary.share_below(), 0.5);
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    #[must_use]
    pub fn share_below(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.below as f64 / self.count as f64 }
    }

    fn add(&mut self, rate: f32, threshold: f32) {
        if !rate.is_finite() {
            self.non_finite += 1;
            return;
        }
        self.count += 1;
        self.min = if rate < self.min { rate } else { self.min };
        self.max = if rate > self.max { rate } else { self.max };
        self.mean += f64::from(rate);
        self.below += usize::from(rate < threshold);
        let bin = Self::EDGES.iter().filter(|edge| rate >= **edge).count();
        if let Some(count) = self.histogram.get_mut(bin) {
            *count += 1;
        }
    }
}

/// Diagnostics of accumulators, element-wise or row-wise.
impl Adagrad {
    /// Writes the effective learning rates, one per accumulator, to `rates`: `η/d` with `d = √G + ε` or `√(G + ε)`. The
    /// next gradient would be multiplied by that if its own square were not added to `G` first. Where `d` is 0 the rate
    /// is infinite.
    ///
    /// ```
    /// let mut rates = [0.0; 2];
    /// adagrad::Adagrad::new(0.5).effective_rates(&[4.0, 25.0], &mut rates)?;
    /// assert_eq!(rates, [0.25, 0.1]);
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Hyperparameter`]; [`Error::Length`] if `rates` differs in length from `accumulator`;
    /// [`Error::Unavailable`].
    pub fn effective_rates(&self, accumulator: &[f32], rates: &mut [f32]) -> Result<(), Error> {
        self.validate()?;
        check_length("rates", accumulator.len(), rates.len())?;
        let kernel = EffectiveRates { rule: &self.rule, accumulator, rates };
        match self.backend {
            None => {
                run_detected(kernel);
                Ok(())
            }
            Some(backend) => backend.run(kernel).ok_or(Error::Unavailable { backend }),
        }
    }

    /// A summary of the effective learning rates of some accumulators. It counts the rates below `threshold`, and the
    /// accumulators that a gradient of the size `gradient` no longer changes. That is the gradient that the accumulator
    /// sees: scaled, clipped, and with its L2 decay. For a row-wise table, where there is one accumulator and one rate
    /// per row, it is the root of the mean of a row's squares.
    ///
    /// Together with the norm of the gradient this tells "frozen" from "converged". Where the rates are tiny and the
    /// gradient is not, the parameters are frozen; where the gradient is tiny, they have converged. What is tiny
    /// depends on the problem.
    ///
    /// ```
    /// let summary = adagrad::Adagrad::new(0.5).summary(&[1.0, 4.0, 1e8], 1e-3, 1.0)?;
    /// assert_eq!((summary.min, summary.max, summary.below), (0.000_05, 0.5, 1));
    /// assert_eq!(summary.stalled, 1); // 1e8 + 1 is 1e8
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Hyperparameter`]; [`Error::Unavailable`].
    pub fn summary(&self, accumulator: &[f32], threshold: f32, gradient: f32) -> Result<Summary, Error> {
        /// How many rates are in memory at a time.
        const PART: usize = 64;
        self.validate()?;
        let mut summary = Summary {
            count: 0,
            non_finite: 0,
            min: f32::INFINITY,
            max: 0.0,
            mean: 0.0,
            below: 0,
            stalled: 0,
            histogram: [0; Summary::BINS],
        };
        let (parts, rest) = accumulator.as_chunks::<PART>();
        for part in parts.iter().map(<[f32; PART]>::as_slice).chain([rest]) {
            let mut rates = [0.0; PART];
            if let Some(rates) = rates.get_mut(..part.len()) {
                self.effective_rates(part, rates)?;
                for (rate, accumulator) in rates.iter().zip(part) {
                    summary.add(*rate, threshold);
                    let [after] = self.rule.accumulated(Scalar, [*accumulator], [gradient]);
                    summary.stalled += usize::from(after == *accumulator);
                }
            }
        }
        if summary.count > 0 {
            summary.mean /= summary.count as f64;
        }
        Ok(summary)
    }
}
