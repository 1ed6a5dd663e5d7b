//! The calls: checks, then a kernel.

mod bags;
mod dense;
#[cfg(feature = "rayon")]
mod parallel;
mod rows;

pub(crate) use dense::{dense_detected, dense_few};
pub(crate) use rows::run;

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The number of elements, or of rows of a row-wise table, that were left as they were by
    /// [`NonFinite::Skip`](crate::NonFinite::Skip).
    pub skipped: usize,
}
