//! Guards: whether all gradients are finite, their norm, and the check of a state.

use crate::backend::run_detected;
use crate::kernel::{AllFinite, SumOfSquares};
use crate::{Backend, Error};

/// Whether all values are finite: none is infinite or NaN. It tells whether to take a step under loss scaling, and
/// returns soon after the first value that is not finite.
///
/// ```
/// assert!(adagrad::all_finite(&[1.0, -0.0, f32::MAX]));
/// assert!(!adagrad::all_finite(&[1.0, f32::NAN]));
/// ```
#[must_use]
pub fn all_finite(values: &[f32]) -> bool {
    run_detected(AllFinite(values))
}

/// The sum of the squares, `Σ x²`. For the norm of several slices, add their sums and pass the total to
/// [`clip_norm_scale`].
///
/// The order of the sum is fixed, so all backends give the same bits. Squares are added to 32 sums in `f32`, element
/// `j` to sum `j mod 32`. After each 4,096 elements these are added to 32 sums in `f64`, and at the end those are added
/// as a tree of neighbours. If the 32 sums of 4,096 elements come to less than 2⁻⁹⁰, or are not finite, the elements
/// are added up again in the same order, all in `f64`. So the sum of finite values is finite, and small values are not
/// lost.
///
/// ```
/// assert_eq!(adagrad::sum_of_squares(&[3.0, 4.0]), 25.0);
/// assert!((adagrad::sum_of_squares(&[3e19, 1.0]) / 9e38 - 1.0).abs() < 1e-7); // beyond f32
/// ```
#[must_use]
pub fn sum_of_squares(values: &[f32]) -> f64 {
    run_detected(SumOfSquares(values))
}

/// The factor that limits the norm of all gradients to `max_norm`, for
/// [`Adagrad::with_gradient_scale`](crate::Adagrad::with_gradient_scale). With the sum of squares `Σ` it is
/// `max_norm/√Σ` where `√Σ > max_norm`, and 1 elsewhere (Pascanu, Mikolov and Bengio, *On the difficulty of training
/// recurrent neural networks*, 2013).
///
/// If `Σ` or `max_norm` is negative or NaN, the factor is NaN, and a step with it returns an error. If `Σ` is infinite
/// and `max_norm` is not, the factor is 0: a step then drops finite gradients and makes NaN of infinite ones. `Σ` is
/// infinite only if a gradient is; [`all_finite`] finds those, and [`NonFinite::Skip`](crate::NonFinite::Skip) leaves
/// them out.
///
/// ```
/// use adagrad::{Adagrad, clip_norm_scale, sum_of_squares};
///
/// let (weight_grads, bias_grads) = ([3.0, 0.0], [4.0]);
/// let scale = clip_norm_scale(sum_of_squares(&weight_grads) + sum_of_squares(&bias_grads), 1.0);
/// assert_eq!(scale, 0.2); // the norm is 5
/// let opt = Adagrad::new(0.1).with_gradient_scale(scale);
/// # assert!(opt.validate().is_ok());
/// ```
#[must_use]
pub fn clip_norm_scale(sum_of_squares: f64, max_norm: f32) -> f32 {
    let (norm, max_norm) = (libm::sqrt(sum_of_squares), f64::from(max_norm));
    if max_norm.is_nan() || max_norm < 0.0 {
        f32::NAN
    } else if norm <= max_norm {
        1.0
    } else {
        (max_norm / norm) as f32
    }
}

/// Checks that each accumulator is finite and not negative (−0 is fine). Call it on a checkpoint that was loaded, or on
/// a state that was made by hand: no step checks the accumulators, and none can repair them.
///
/// ```
/// let error = adagrad::check_accumulator(&[1.0, -0.1]).unwrap_err();
/// assert_eq!(error.to_string(), "accumulator[1] is -0.1, expected finite and at least 0");
/// ```
///
/// # Errors
///
/// [`Error::Accumulator`] for the first accumulator that is negative, infinite or NaN.
pub fn check_accumulator(accumulator: &[f32]) -> Result<(), Error> {
    match accumulator.iter().enumerate().find(|(_, value)| !(**value >= 0.0 && **value <= f32::MAX)) {
        None => Ok(()),
        Some((position, value)) => Err(Error::Accumulator { position, value: *value }),
    }
}

/// Functions of values on a backend of your choice, for tests, benchmarks and bug reports.
impl Backend {
    /// [`all_finite`](crate::all_finite()) on this backend.
    ///
    /// ```
    /// assert_eq!(adagrad::Backend::Scalar.all_finite(&[1.0]), Ok(true));
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub fn all_finite(self, values: &[f32]) -> Result<bool, Error> {
        self.run(AllFinite(values)).ok_or(Error::Unavailable { backend: self })
    }

    /// [`sum_of_squares`](crate::sum_of_squares()) on this backend.
    ///
    /// ```
    /// assert_eq!(adagrad::Backend::Scalar.sum_of_squares(&[3.0, 4.0]), Ok(25.0));
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub fn sum_of_squares(self, values: &[f32]) -> Result<f64, Error> {
        self.run(SumOfSquares(values)).ok_or(Error::Unavailable { backend: self })
    }
}
