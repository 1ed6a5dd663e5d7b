//! The row-wise step for rows of few columns: four at a time, which share the root and the tests of options.

use core::marker::PhantomData;

use super::class::Class;
use super::narrow_rows::each_narrow;
use super::row_wise::{TOGETHER, step_group, step_together};
use super::rows::{Chunk, Rows};
use crate::backend::lanes::{Kernel, Lanes};

/// The row-wise step by a rule of a class.
pub(crate) struct NarrowRowWise<'s, 'a, C>(pub(crate) &'s mut Rows<'a>, pub(crate) PhantomData<C>);

impl Rows<'_> {
    /// Whether [`NarrowRowWise`] are for them: all rules have loops for 4 and 8 columns, and usual ones for all numbers up to 8
    /// and for 16.
    #[inline(always)]
    pub(crate) fn are_narrow_row_wise(&self, is_usual: bool) -> bool {
        let dim = self.shape.dim;
        self.are_plain() && (matches!(dim, 4 | 8) || is_usual && (dim <= 8 || dim == 16))
    }
}

impl<C: Class> Kernel for NarrowRowWise<'_, '_, C> {
    type Output = usize;

    const LEAST_LANES: usize = 8;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let dim = self.0.shape.dim;
        each_narrow::<W, L, C>(
            lanes,
            self.0,
            1,
            #[inline(always)]
            |rows| match dim {
                1 if const { C::IS_USUAL } => lanes.call(RowWise::<C, 1>(rows)),
                2 if const { C::IS_USUAL } => lanes.call(RowWise::<C, 2>(rows)),
                3 if const { C::IS_USUAL } => lanes.call(RowWise::<C, 3>(rows)),
                4 => lanes.call(RowWise::<C, 4>(rows)),
                5 if const { C::IS_USUAL } => lanes.call(RowWise::<C, 5>(rows)),
                6 if const { C::IS_USUAL } => lanes.call(RowWise::<C, 6>(rows)),
                7 if const { C::IS_USUAL } => lanes.call(RowWise::<C, 7>(rows)),
                8 => lanes.call(RowWise::<C, 8>(rows)),
                16 if const { C::IS_USUAL } => lanes.call(RowWise::<C, 16>(rows)),
                _ => never!("one of these numbers of columns"),
            },
        )
    }
}

/// Some rows together, row-wise, as far as they are different ones.
struct RowWise<'s, C, const D: usize>(Chunk<'s, C>);

impl<C: Class, const D: usize> Kernel for RowWise<'_, C, D> {
    type Output = usize;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let Chunk { rule, accumulator, mut places, .. } = self.0;
        let (params, mut grads) = (self.0.params.as_chunks_mut::<D>().0, self.0.grads.as_chunks::<D>().0);
        let (own, mut skipped) = (*rule, 0); // as in `Chunk::step`
        while let (Some(place), Some(grad)) = (places.first(), grads.first()) {
            // The last rows come one at a time, each together with what is no row.
            let (mut count, mut together) = (1, [*place, usize::MAX, usize::MAX, usize::MAX]);
            // What is not here, such as padding, is not worth a root.
            if *place < accumulator.len() {
                let mut their_grads = [grad; TOGETHER];
                if let (Some(places), Some(grads)) = (places.first_chunk(), grads.first_chunk::<TOGETHER>()) {
                    (together, their_grads) = (*places, grads.each_ref());
                    count = different(&mut together);
                }
                if const { D > W } {
                    step_together::<C, W, L, D>(&own, lanes, params, accumulator, together, &their_grads);
                } else {
                    skipped += step_group::<C, W, L, D>(&own, lanes, params, accumulator, together, &their_grads);
                }
            }
            (places, grads) = (places.get(count..).unwrap_or_default(), grads.get(count..).unwrap_or_default());
        }
        skipped
    }
}

/// How many rows, from the first on, are different ones. The others are replaced by what is no row.
#[inline(always)]
fn different(places: &mut [usize; TOGETHER]) -> usize {
    let [p0, p1, p2, p3] = *places;
    if p3 != p0 && p3 != p1 && p3 != p2 && p2 != p0 && p2 != p1 && p1 != p0 {
        return 4;
    }
    places[3] = usize::MAX;
    if p2 != p0 && p2 != p1 && p1 != p0 {
        return 3;
    }
    places[2] = usize::MAX;
    if p1 != p0 {
        return 2;
    }
    places[1] = usize::MAX;
    1
}
