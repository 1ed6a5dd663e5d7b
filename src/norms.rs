use crate::kernel::{AllFinite, SumOfSquares};
use crate::{Backend, Error};

/// Whether no value is infinite or NaN, to decide on a step under loss scaling. It stops early where one is.
///
/// ```
/// assert!(adagrad::all_finite(&[1.0, -0.0, f32::MAX]));
/// assert!(!adagrad::all_finite(&[1.0, f32::NAN]));
/// ```
#[must_use]
pub fn all_finite(values: &[f32]) -> bool {
    // The detected backend is available.
    all_finite_on(Backend::detected(), values).unwrap_or_default()
}

/// [`all_finite`] on a given backend, for tests, benchmarks and bug reports.
///
/// ```
/// assert_eq!(adagrad::all_finite_on(adagrad::Backend::Scalar, &[1.0]), Ok(true));
/// ```
///
/// # Errors
///
/// [`Error::Unavailable`].
pub fn all_finite_on(backend: Backend, values: &[f32]) -> Result<bool, Error> {
    backend.run(AllFinite(values)).ok_or(Error::Unavailable { backend })
}

/// `Σ x²`, for norms over several slices: add up the sums of all slices and give the total to [`clip_norm_scale`].
///
/// The order of the sum is fixed, so all backends give the same bits: the squares, in `f32`, go to 32 sums in `f32`,
/// element `j` to sum `j mod 32`; after each 4,096 elements these go to 32 sums in `f64`, which at the end are added as a
/// tree of neighbours. A square beyond the range of `f32` makes it infinite.
///
/// ```
/// assert_eq!(adagrad::sum_of_squares(&[3.0, 4.0]), 25.0);
/// ```
#[must_use]
pub fn sum_of_squares(values: &[f32]) -> f64 {
    // The detected backend is available.
    sum_of_squares_on(Backend::detected(), values).unwrap_or_default()
}

/// [`sum_of_squares`] on a given backend, for tests, benchmarks and bug reports.
///
/// ```
/// assert_eq!(adagrad::sum_of_squares_on(adagrad::Backend::Scalar, &[3.0, 4.0]), Ok(25.0));
/// ```
///
/// # Errors
///
/// [`Error::Unavailable`].
pub fn sum_of_squares_on(backend: Backend, values: &[f32]) -> Result<f64, Error> {
    backend.run(SumOfSquares(values)).ok_or(Error::Unavailable { backend })
}

/// The factor for [`Adagrad::with_gradient_scale`](crate::Adagrad::with_gradient_scale) that limits the global norm of
/// the gradients: `max_norm/√Σ` where `√Σ > max_norm`, else 1 (Pascanu, Mikolov and Bengio, *On the difficulty of
/// training recurrent neural networks*, 2013).
///
/// It is NaN, which the step refuses, for a sum or `max_norm` that is NaN or negative. It is 0 for an infinite sum and a
/// finite `max_norm`: finite gradients are then dropped, and infinite ones become NaN, against which there are
/// [`all_finite`] and [`NonFinite::Skip`](crate::NonFinite::Skip).
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
