//! The calls: checks, then a kernel.

mod bags;
mod dense;
#[cfg(feature = "half")]
mod mixed;
#[cfg(feature = "half")]
mod mixed_bags;
#[cfg(all(feature = "half", feature = "rayon"))]
mod mixed_parallel;
#[cfg(feature = "half")]
mod mixed_rows;
#[cfg(feature = "rayon")]
mod parallel;
#[cfg(feature = "rayon")]
mod regularized_parallel;
mod rows;

pub(crate) use dense::{dense_detected, dense_few, dense_few_decayed};
pub(crate) use rows::run;

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The number of elements, or of rows of a row-wise table, that were left as they were by
    /// [`NonFinite::Skip`](crate::NonFinite::Skip).
    pub skipped: usize,
    /// The number of rows that were passed over because they are not in the table, where
    /// [`Table::with_out_of_range_skipped`](crate::Table::with_out_of_range_skipped) allows that.
    pub out_of_range: usize,
}
