//! How a pass rounds what it stores.

use super::blocks::{Pass, Place, Source};
use super::storage::Storage;
use crate::backend::Scalar;
use crate::backend::lanes::Lanes;

/// A way to round: what it makes of a pass.
pub(crate) trait Rounding: Copy {
    type Pass<'p, P: Pass + 'p>: Pass;

    /// Whether random bits decide. Then a pass counts the elements, and slices are gone over from the first to the last.
    const BY_CHANCE: bool;

    fn wrap<P: Pass>(self, pass: &mut P) -> Self::Pass<'_, P>;

    /// The same for what comes after so many elements.
    #[cfg(feature = "half")]
    fn after(self, elements: usize) -> Self;

    /// The same for a row, at a position among the step's rows.
    #[cfg(feature = "half")]
    fn of_row(self, row: u64, position: u64) -> Self;

    /// What of a row's accumulator can be stored. `remainder` is by how much what it stands for is more, or less.
    fn one<A: Storage>(self, sum: f32, remainder: f32) -> f32;
}

/// To the nearest, as places round by themselves.
#[derive(Clone, Copy)]
pub(crate) struct Nearest;

impl Rounding for Nearest {
    type Pass<'p, P: Pass + 'p> = &'p mut P;

    const BY_CHANCE: bool = false;

    #[inline(always)]
    fn wrap<P: Pass>(self, pass: &mut P) -> &mut P {
        pass
    }

    #[cfg(feature = "half")]
    #[inline(always)]
    fn after(self, _: usize) -> Self {
        self
    }

    #[cfg(feature = "half")]
    #[inline(always)]
    fn of_row(self, _: u64, _: u64) -> Self {
        self
    }

    #[inline(always)]
    fn one<A: Storage>(self, sum: f32, _: f32) -> f32 {
        if A::must_round(true) { A::round(Scalar, sum) } else { sum }
    }
}

impl<P: Pass> Pass for &mut P {
    #[inline(always)]
    fn blocks<const W: usize, L: Lanes<W>, const N: usize>(
        &mut self,
        lanes: L,
        w: &mut (impl Place<W, L, N> + ?Sized),
        g: &(impl Source<W, L, N> + ?Sized),
        a: &mut (impl Place<W, L, N> + ?Sized),
    ) {
        (**self).blocks(lanes, w, g, a);
    }
}
