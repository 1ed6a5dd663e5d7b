//! The mathematics of the step, written once over [`Lanes`](crate::backend::lanes::Lanes).
//!
//! A *block* is what the lanes of a backend hold. The kernel's unit is a *group* of blocks: their operations overlap in
//! time, and they share the tests of options and the guard of estimates.

/// A case that cannot happen, for the stated reason: fails where debug assertions are on, and otherwise leaves the
/// function with the value, or what is empty of it. So no panic is linked, and no half-written slice goes unnoticed.
macro_rules! never {
    ($reason:literal) => {
        $crate::kernel::never!($reason, Default::default())
    };
    ($reason:literal, $value:expr) => {{
        debug_assert!(false, $reason);
        return $value;
    }};
}
pub(crate) use never;

#[cfg(test)]
#[path = "../tests/inputs/all_values.rs"]
mod all_values;
mod blocks;
mod class;
mod dense;
#[cfg(feature = "half")]
mod dither;
mod fast_rows;
mod flags;
mod fours;
mod gradients;
#[cfg(feature = "half")]
mod mixed;
#[cfg(feature = "half")]
mod mixed_rows;
mod narrow_row_wise;
mod narrow_rows;
#[cfg(feature = "half")]
mod pairs;
mod quotients;
mod reduce;
mod regularized;
mod roots;
mod rounding;
mod row_wise;
mod rows;
mod rule;
mod scalar_rows;
#[cfg(feature = "half")]
mod sixteen;
mod storage;

pub(crate) use class::{Any, Class, Decayed, Usual};
#[cfg(feature = "rayon")]
pub(crate) use dense::is_exact;
pub(crate) use dense::{Few, LONG_IF_FAST, Long, SHORT, SHORT_OF_ANY, Short};
#[cfg(feature = "half")]
pub(crate) use dither::Stream;
pub(crate) use fast_rows::FastRows;
pub(crate) use flags::Flags;
pub(crate) use fours::{Fours, OneByOne};
#[cfg(any(feature = "half", feature = "rayon"))]
pub(crate) use gradients::RowGradients;
pub(crate) use gradients::{BagGradients, Gradients};
#[cfg(feature = "half")]
pub(crate) use gradients::{OfBags, OfRows};
#[cfg(feature = "half")]
pub(crate) use mixed::{MixedStep, ShortMixedStep};
#[cfg(feature = "half")]
pub(crate) use mixed_rows::{Counted, MixedRows};
pub(crate) use narrow_row_wise::NarrowRowWise;
pub(crate) use narrow_rows::NarrowRows;
pub(crate) use quotients::greatest_estimate;
pub(crate) use reduce::{AllFinite, EffectiveRates, SumOfSquares};
pub(crate) use regularized::{Rates, Regularized, RegularizedSlices};
#[cfg(feature = "half")]
pub(crate) use rounding::{Nearest, Rounding};
pub(crate) use rows::{AnyRowWise, AnyRows, Chunk, FEW_ROWS, Rows, ShortRows, row_of};
pub(crate) use rule::Rule;
pub(crate) use scalar_rows::ScalarRows;
#[cfg(feature = "half")]
pub(crate) use storage::Shared;
pub(crate) use storage::{Exclusive, Storage};
