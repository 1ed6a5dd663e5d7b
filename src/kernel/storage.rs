//! What slices hold: `f32`, or nothing, in loops that have no third slice.

use crate::backend::lanes::Lanes;

/// A value as it lies in memory.
pub(crate) trait Storage: Sized {
    fn load<const W: usize, L: Lanes<W>>(lanes: L, from: &[Self; W]) -> L::Vector;
    fn store<const W: usize, L: Lanes<W>>(lanes: L, value: L::Vector, to: &mut [Self; W]);

    /// At most `W` values.
    fn load_first<const W: usize, L: Lanes<W>>(lanes: L, from: &[Self]) -> L::Vector;

    /// At most `W` values.
    fn store_first<const W: usize, L: Lanes<W>>(lanes: L, value: L::Vector, to: &mut [Self]);
}

impl Storage for f32 {
    #[inline(always)]
    fn load<const W: usize, L: Lanes<W>>(lanes: L, from: &[Self; W]) -> L::Vector {
        lanes.load(from)
    }

    #[inline(always)]
    fn store<const W: usize, L: Lanes<W>>(lanes: L, value: L::Vector, to: &mut [Self; W]) {
        lanes.store(value, to);
    }

    #[inline(always)]
    fn load_first<const W: usize, L: Lanes<W>>(lanes: L, from: &[Self]) -> L::Vector {
        lanes.load_first(from)
    }

    #[inline(always)]
    fn store_first<const W: usize, L: Lanes<W>>(lanes: L, value: L::Vector, to: &mut [Self]) {
        lanes.store_first(value, to);
    }
}

impl Storage for () {
    #[inline(always)]
    fn load<const W: usize, L: Lanes<W>>(lanes: L, _: &[Self; W]) -> L::Vector {
        lanes.splat(0.0)
    }

    #[inline(always)]
    fn store<const W: usize, L: Lanes<W>>(_: L, _: L::Vector, _: &mut [Self; W]) {}

    #[inline(always)]
    fn load_first<const W: usize, L: Lanes<W>>(lanes: L, _: &[Self]) -> L::Vector {
        lanes.splat(0.0)
    }

    #[inline(always)]
    fn store_first<const W: usize, L: Lanes<W>>(_: L, _: L::Vector, _: &mut [Self]) {}
}
