//! Where a table's rows lie in memory.

use core::ops::Range;

use super::rows_of;
use crate::Error;
use crate::kernel::{Exclusive, Storage};

/// How many accumulators a table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One per element.
    ElementWise,
    /// One per row.
    RowWise,
}

/// Where a table's rows lie in memory, and the gradients for them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// The number of columns.
    pub(crate) dim: usize,
    /// From where a row's parameters begin to where the next row's do.
    pub(crate) params: usize,
    /// The same for the accumulators, if they have a slice of their own.
    pub(crate) accumulators: usize,
    /// Where in a row its accumulators begin, if they lie behind the parameters; else 0.
    pub(crate) inside: usize,
    /// From where a gradient begins to where the next one does.
    pub(crate) gradients: usize,
    /// Whether there are two slices, and nothing lies between rows. It is not derived of the others, so that the compiler
    /// knows it where it sees the constructor.
    pub(crate) is_plain: bool,
}

impl Shape {
    /// That of a table in one slice, and the number of its rows, each with so many accumulators.
    #[cfg_attr(not(debug_assertions), inline)]
    pub(super) fn in_one_slice(len: usize, dim: usize, accumulators: usize) -> Result<(Self, usize), Error> {
        let stride = dim.saturating_add(accumulators);
        let rows = rows_of("memory", len, dim, stride)?;
        Ok((Self { dim, params: stride, accumulators: 0, inside: dim, gradients: dim, is_plain: false }, rows))
    }

    #[inline(always)]
    pub(crate) fn is_interleaved(&self) -> bool {
        self.inside != 0
    }

    /// From where a row's linear terms begin to where the next row's do, in FTRL's third slice: it is as long as that of
    /// the parameters would be without accumulators in it.
    #[inline(always)]
    pub(crate) fn linear(&self) -> usize {
        if self.is_interleaved() { self.inside } else { self.params }
    }

    /// Where a row's parameters lie, and its accumulators in their slice or, if they are interleaved, in the same one.
    /// Anywhere, if the table has no such row.
    #[inline(always)]
    pub(crate) fn parts(&self, row: usize, layout: Layout) -> (Range<usize>, Range<usize>) {
        let count = match layout {
            Layout::ElementWise => self.dim,
            Layout::RowWise => 1,
        };
        let params = row.wrapping_mul(self.params);
        let accumulators =
            if self.is_interleaved() { params.wrapping_add(self.inside) } else { row.wrapping_mul(self.accumulators) };
        (params..params.wrapping_add(self.dim), accumulators..accumulators.wrapping_add(count))
    }

    /// A row's parameters and accumulators.
    #[inline(always)]
    pub(crate) fn row_mut<'a, P: Storage, A: Storage>(
        &self,
        params: &'a mut [P],
        accumulator: &'a mut [A],
        row: usize,
        layout: Layout,
    ) -> Option<(&'a mut [P], &'a mut [A])> {
        let (w, a) = self.parts(row, layout);
        if self.is_interleaved() {
            let (before, behind) = params.split_at_mut_checked(a.start)?;
            Some((before.get_mut(w)?, P::same::<Exclusive<'a>, A>(behind.get_mut(..a.len())?)?))
        } else {
            Some((params.get_mut(w)?, accumulator.get_mut(a)?))
        }
    }
}
