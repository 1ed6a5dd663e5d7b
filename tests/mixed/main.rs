//! Steps of 16-bit types on every backend, against the naive reference; what rounding by chance promises.
#![cfg(feature = "half")]

#[expect(dead_code, reason = "its comparison is for f32")]
#[path = "../inputs/all_values.rs"]
mod all_values;
#[path = "../inputs/backends.rs"]
mod available;
mod bags;
mod conversions;
mod dense;
#[path = "../inputs/mod.rs"]
mod inputs;
#[path = "../peers/json.rs"]
mod json;
mod layouts;
#[cfg(feature = "rayon")]
mod parallel;
#[path = "../reference/mod.rs"]
mod reference;
mod rows;
mod stochastic;
mod torch;

use core::fmt::Display;

use available::backends;
use reference::mixed::Stored;

/// Fails unless both have the same bits; NaNs may differ in theirs, where they were loaded and not computed.
#[track_caller]
fn assert_same_values<T: Stored>(actual: &[T], expected: &[T], context: impl Display) {
    let values = |x: &[T]| x.iter().map(|x| x.value()).collect::<Vec<_>>();
    reference::assert_same(&values(actual), &values(expected), context);
}

/// Values as they are stored.
fn stored<T: Stored>(values: &[f32]) -> Vec<T> {
    values.iter().map(|x| T::nearest(*x)).collect()
}
