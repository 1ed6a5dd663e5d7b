//! Row indices of several types, and how the kernels read them.

/// An integer that names a row: `u32`, `u64`, `usize`, `i32` or `i64`.
///
/// The trait is sealed.
pub trait RowIndex: Index {}

pub(crate) mod sealed {
    use super::Indices;

    /// What a row index can do. It is not in [`RowIndex`](super::RowIndex), so that no method of it is in a user's way.
    pub trait Index: Copy + Eq {
        /// The index, or `None` where it is negative or does not fit.
        fn to_usize(self) -> Option<usize>;

        /// The index as it is, for an error.
        fn to_i128(self) -> i128;

        /// The index as a number to hash.
        fn to_bits(self) -> u64;

        /// Checked indices, as the kernels take them.
        fn indices(rows: &[Self]) -> Indices<'_>;
    }
}

use sealed::Index;

/// Row indices of any type, so that the kernels are compiled once for all types: no negative ones, which leaves two sizes.
#[derive(Clone, Copy, Debug)]
pub enum Indices<'a> {
    U32(&'a [u32]),
    U64(&'a [u64]),
}

impl Indices<'_> {
    #[inline(always)]
    pub(crate) fn len(self) -> usize {
        match self {
            Self::U32(rows) => rows.len(),
            Self::U64(rows) => rows.len(),
        }
    }

    /// The index at a position, if there is one that fits.
    #[inline(always)]
    pub(crate) fn get(self, position: usize) -> Option<usize> {
        match self {
            Self::U32(rows) => rows.get(position)?.to_usize(),
            Self::U64(rows) => rows.get(position)?.to_usize(),
        }
    }
}

macro_rules! row_index {
    ($($integer:ty as $Variant:ident),*) => {$(
        impl RowIndex for $integer {}
        impl Index for $integer {
            #[inline(always)]
            fn to_usize(self) -> Option<usize> {
                usize::try_from(self).ok()
            }

            #[inline(always)]
            fn to_i128(self) -> i128 {
                self as i128
            }

            #[inline(always)]
            fn to_bits(self) -> u64 {
                self as u64
            }

            #[inline(always)]
            fn indices(rows: &[Self]) -> Indices<'_> {
                Indices::$Variant(bytemuck::must_cast_slice(rows))
            }
        }
    )*};
}
row_index!(u32 as U32, i32 as U32, u64 as U64, i64 as U64);
#[cfg(target_pointer_width = "64")]
row_index!(usize as U64);
#[cfg(not(target_pointer_width = "64"))]
row_index!(usize as U32);
