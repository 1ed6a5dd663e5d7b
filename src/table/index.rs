//! Row indices of several types, and how the kernels read them.

use sealed::Index;

use crate::kernel::never;

/// An integer that names a row, counted from 0: `u32`, `u64`, `usize`, `i32` or `i64`.
///
/// This trait is sealed: it cannot be implemented for other types.
pub trait RowIndex: Index {}

pub(crate) mod sealed {
    use super::{Indices, IndicesMut};

    /// What a row index can do. None of these is a method, so that no name clashes with a method of another trait.
    pub trait Index: Copy + Eq {
        /// One more than the greatest of those that are not negative, or 0 for that of `u64`.
        const END: u64;

        /// The index, or `None` where it is negative or does not fit.
        fn to_usize(row: Self) -> Option<usize>;

        /// The index as it is, for an error.
        fn to_i128(row: Self) -> i128;

        /// The indices as the kernels take them.
        fn indices(rows: &[Self]) -> Indices<'_>;

        /// The same, to change them.
        fn indices_mut(rows: &mut [Self]) -> IndicesMut<'_>;
    }
}

/// Row indices of any type, so that the kernels are compiled once for all types: without negative ones, which leaves
/// two sizes.
#[derive(Clone, Copy, Debug)]
pub enum Indices<'a> {
    U32(&'a [u32]),
    U64(&'a [u64]),
}

/// [`Indices`] to change.
#[derive(Debug)]
pub enum IndicesMut<'a> {
    U32(&'a mut [u32]),
    U64(&'a mut [u64]),
}

impl Default for Indices<'_> {
    #[inline(always)]
    fn default() -> Self {
        Self::U32(&[])
    }
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
            Self::U32(rows) => Index::to_usize(*rows.get(position)?),
            Self::U64(rows) => Index::to_usize(*rows.get(position)?),
        }
    }

    /// The places, counted from `first_row`, of the next rows from a position on, as many as there is room for; those
    /// before it wrap around, and what does not fit, and the padding, is [`usize::MAX`]. The result is what was filled.
    #[inline(always)]
    pub(crate) fn places(self, position: usize, first_row: usize, padding: usize, room: &mut [usize]) -> &[usize] {
        let len = room.len().min(self.len().saturating_sub(position));
        let Some(places) = room.get_mut(..len) else { never!("no more than the room", &[]) };
        match self {
            Self::U32(rows) => fill(places, rows.get(position..).unwrap_or_default(), first_row, padding),
            Self::U64(rows) => fill(places, rows.get(position..).unwrap_or_default(), first_row, padding),
        }
        places
    }

    /// Whether each index is below the end. It does not stop at the first that is not, and so is compiled to vectors:
    /// see docs/decisions.md, "Indices are checked without stopping".
    #[cfg_attr(target_os = "none", inline)]
    #[cfg_attr(not(target_os = "none"), inline(never))]
    pub(crate) fn are_below(self, end: u64) -> bool {
        match self {
            Self::U32(rows) => match u32::try_from(end) {
                Ok(end) => !rows.iter().fold(false, |outside, row| outside | (*row >= end)),
                Err(_) => true,
            },
            Self::U64(rows) => !rows.iter().fold(false, |outside, row| outside | (*row >= end)),
        }
    }
}

#[inline(always)]
fn fill<I: Index>(places: &mut [usize], rows: &[I], first_row: usize, padding: usize) {
    for (place, row) in places.iter_mut().zip(rows) {
        let row = I::to_usize(*row).unwrap_or(usize::MAX);
        *place = if row == padding { usize::MAX } else { row.wrapping_sub(first_row) };
    }
}

macro_rules! row_index {
    ($($integer:ty as $Variant:ident),*) => {$(
        impl RowIndex for $integer {}
        impl Index for $integer {
            const END: u64 = (<$integer>::MAX as u64).wrapping_add(1);

            #[inline(always)]
            fn to_usize(row: Self) -> Option<usize> {
                usize::try_from(row).ok()
            }

            #[inline(always)]
            fn to_i128(row: Self) -> i128 {
                row as i128
            }

            #[inline(always)]
            fn indices(rows: &[Self]) -> Indices<'_> {
                Indices::$Variant(bytemuck::must_cast_slice(rows))
            }

            #[inline(always)]
            fn indices_mut(rows: &mut [Self]) -> IndicesMut<'_> {
                IndicesMut::$Variant(bytemuck::must_cast_slice_mut(rows))
            }
        }
    )*};
}
row_index!(u32 as U32, i32 as U32, u64 as U64, i64 as U64);
#[cfg(target_pointer_width = "64")]
row_index!(usize as U64);
#[cfg(not(target_pointer_width = "64"))]
row_index!(usize as U32);
