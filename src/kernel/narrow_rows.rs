//! The step for rows of few columns, whose number the compiler knows.

use core::array;
use core::slice::from_mut;

use super::Flags;
use super::blocks::{Blocks, Halves, Pass};
use super::dense::Step;
use super::rounding::Nearest;
use super::row_wise::step_row;
use super::rows::{CHUNK, PREFETCH_FROM, Rows, each_chunk};
use crate::backend::lanes::{Kernel, Lanes};
use crate::table::Indices;

/// The step by a usual rule, with an accumulator per element.
pub(crate) struct NarrowRows<'s, 'a>(pub(crate) &'s mut Rows<'a>);

impl Kernel for NarrowRows<'_, '_> {
    type Output = usize;

    const LEAST_LANES: usize = 8;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        match self.0.shape.dim {
            1 => Narrow::<1>::of(self.0).together::<W, L, 4>(lanes),
            2 => Narrow::<2>::of(self.0).together::<W, L, 2>(lanes),
            3 => Narrow::<3>::of(self.0).singly(lanes),
            4 => Narrow::<4>::of(self.0).in_pairs(lanes),
            5 => Narrow::<5>::of(self.0).in_blocks(lanes),
            6 => Narrow::<6>::of(self.0).in_blocks(lanes),
            7 => Narrow::<7>::of(self.0).in_blocks(lanes),
            8 => Narrow::<8>::of(self.0).in_blocks(lanes),
            16 => Narrow::<16>::of(self.0).in_blocks(lanes),
            _ => never!("one of these numbers of columns"),
        }
        0
    }
}

/// The row-wise step by a usual rule with a number of columns that the compiler knows.
pub(crate) struct NarrowRowWise<'s, 'a>(pub(crate) &'s mut Rows<'a>);

impl Kernel for NarrowRowWise<'_, '_> {
    type Output = usize;

    const LEAST_LANES: usize = 8;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        match self.0.shape.dim {
            1 => self.columns::<W, L, 1>(lanes),
            2 => self.columns::<W, L, 2>(lanes),
            3 => self.columns::<W, L, 3>(lanes),
            4 => self.columns::<W, L, 4>(lanes),
            5 => self.columns::<W, L, 5>(lanes),
            6 => self.columns::<W, L, 6>(lanes),
            7 => self.columns::<W, L, 7>(lanes),
            8 => self.columns::<W, L, 8>(lanes),
            16 => self.columns::<W, L, 16>(lanes),
            _ => never!("one of these numbers of columns"),
        }
        0
    }
}

impl NarrowRowWise<'_, '_> {
    #[inline(always)]
    fn columns<const W: usize, L: Lanes<W>, const D: usize>(self, lanes: L) {
        let Rows { rule, first_row, padding, rows, .. } = *self.0;
        let grads = self.0.grads.of_rows();
        let is_large = self.0.params.len() >= PREFETCH_FROM;
        let (params, accumulators) = (self.0.params.as_chunks_mut::<D>().0, &mut *self.0.accumulator);
        let mut grads = grads.as_chunks::<D>().0.iter();
        each_chunk(
            rows,
            first_row,
            padding,
            #[inline(always)]
            |position, places| {
                if L::CAN_PREFETCH && is_large {
                    let mut room = [0; CHUNK];
                    for place in rows.places(position.saturating_add(places.len()), first_row, padding, &mut room) {
                        if let (Some(w), Some(a)) = (params.get(*place), accumulators.get(*place)) {
                            lanes.prefetch(w);
                            lanes.prefetch(array::from_ref(a));
                        }
                    }
                }
                for (place, g) in places.iter().zip(&mut grads) {
                    // A row that is not here has no slice.
                    if let (Some(w), Some(a)) = (params.get_mut(*place), accumulators.get_mut(*place)) {
                        step_row(rule, Flags::UNUSUAL, lanes, w, g, from_mut(a), Nearest);
                    }
                }
            },
        );
    }
}

/// A step of rows whose number of columns is a constant: the fewest, and those that tables often have.
struct Narrow<'a, const D: usize> {
    step: Step<'a>,
    params: &'a mut [[f32; D]],
    accumulator: &'a mut [[f32; D]],
    grads: &'a [[f32; D]],
    rows: Indices<'a>,
    first_row: usize,
    padding: usize,
    /// Whether rows are asked for ahead.
    is_large: bool,
}

impl<'a, const D: usize> Narrow<'a, D> {
    #[inline(always)]
    fn of(rows: &'a mut Rows<'_>) -> Self {
        let is_large = rows.params.len() >= PREFETCH_FROM;
        Self {
            step: Step::new(rows.rule, Flags::UNUSUAL.or(Flags::FAST)),
            params: rows.params.as_chunks_mut().0,
            accumulator: rows.accumulator.as_chunks_mut().0,
            grads: rows.grads.of_rows().as_chunks().0,
            rows: rows.rows,
            first_row: rows.first_row,
            padding: rows.padding,
            is_large,
        }
    }

    /// Calls `f` with the places and the gradients of some rows after the other.
    #[inline(always)]
    fn each_chunk<const W: usize, L: Lanes<W>>(
        mut self,
        lanes: L,
        mut f: impl FnMut(&mut Self, &[usize], &[[f32; D]]),
    ) {
        each_chunk(
            self.rows,
            self.first_row,
            self.padding,
            #[inline(always)]
            |position, places| {
                if L::CAN_PREFETCH && self.is_large {
                    let (next, mut room) = (position.saturating_add(places.len()), [0; CHUNK]);
                    for place in self.rows.places(next, self.first_row, self.padding, &mut room) {
                        if let (Some(w), Some(a)) = (self.params.get(*place), self.accumulator.get(*place)) {
                            lanes.prefetch(w);
                            lanes.prefetch(a);
                        }
                    }
                }
                let grads = self.grads.get(position..).and_then(|grads| grads.get(..places.len()));
                f(&mut self, places, grads.unwrap_or_default());
            },
        );
    }

    /// One row after the other, on lanes of four.
    #[inline(always)]
    fn singly<const W: usize, L: Lanes<W>>(self, lanes: L) {
        self.each_chunk(
            lanes,
            #[inline(always)]
            |narrow, places, grads| lanes.on_half(Singly { narrow, places, grads }),
        );
    }

    /// `K` rows at once, on lanes of four, if they are different ones.
    #[inline(always)]
    fn together<const W: usize, L: Lanes<W>, const K: usize>(self, lanes: L) {
        self.each_chunk(
            lanes,
            #[inline(always)]
            |narrow, places, grads| lanes.on_half(Together::<D, K> { narrow, places, grads }),
        );
    }

    /// One row after the other, as blocks.
    #[inline(always)]
    fn in_blocks<const W: usize, L: Lanes<W>>(self, lanes: L) {
        self.each_chunk(
            lanes,
            #[inline(always)]
            |narrow, places, grads| {
                for (place, g) in places.iter().zip(grads) {
                    // A row that is not here has no slice.
                    if let (Some(w), Some(a)) = (narrow.params.get_mut(*place), narrow.accumulator.get_mut(*place)) {
                        Blocks { w, g, a, pass: &mut narrow.step }.run(lanes);
                    }
                }
            },
        );
    }
}

impl Narrow<'_, 4> {
    /// Two rows at once, on lanes of eight, if they are different ones.
    #[inline(always)]
    fn in_pairs<const W: usize, L: Lanes<W>>(self, lanes: L) {
        if self.params.len() != self.accumulator.len() {
            never!("an accumulator for each parameter");
        }
        self.each_chunk(
            lanes,
            #[inline(always)]
            |narrow, places, grads| {
                let ((pairs, last), (grads, last_grad)) = (places.as_chunks::<2>(), grads.as_chunks::<2>());
                for (places, g) in pairs.iter().zip(grads) {
                    let Some(block) = g.as_flattened().first_chunk::<W>() else { never!("lanes of eight") };
                    if let (Ok([w0, w1]), Ok([a0, a1])) =
                        (narrow.params.get_disjoint_mut(*places), narrow.accumulator.get_disjoint_mut(*places))
                    {
                        narrow.step.blocks::<W, L, 1>(
                            lanes,
                            &mut Halves(w0, w1),
                            array::from_ref(block),
                            &mut Halves(a0, a1),
                        );
                    } else {
                        lanes.on_half(Singly { narrow, places, grads: g });
                    }
                }
                lanes.on_half(Singly { narrow, places: last, grads: last_grad });
            },
        );
    }
}

/// Rows one after the other.
struct Singly<'s, 'a, const D: usize> {
    narrow: &'s mut Narrow<'a, D>,
    places: &'s [usize],
    grads: &'s [[f32; D]],
}

impl<const D: usize> Kernel for Singly<'_, '_, D> {
    type Output = ();

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) {
        let Self { narrow, places, grads } = self;
        for (place, g) in places.iter().zip(grads) {
            // A row that is not here has no slice.
            if let (Some(w), Some(a)) = (narrow.params.get_mut(*place), narrow.accumulator.get_mut(*place)) {
                narrow.step.blocks::<W, L, 1>(lanes, w.as_mut_slice(), g.as_slice(), a.as_mut_slice());
            }
        }
    }
}

/// Rows `K` at once, where these are a block, and one after the other where a row comes twice or is not here.
struct Together<'s, 'a, const D: usize, const K: usize> {
    narrow: &'s mut Narrow<'a, D>,
    places: &'s [usize],
    grads: &'s [[f32; D]],
}

impl<const D: usize, const K: usize> Kernel for Together<'_, '_, D, K> {
    type Output = ();

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) {
        let Self { narrow, places, grads } = self;
        if narrow.params.len() != narrow.accumulator.len() {
            never!("an accumulator for each parameter");
        }
        let ((groups, last), (grads, last_grads)) = (places.as_chunks::<K>(), grads.as_chunks::<K>());
        for (places, g) in groups.iter().zip(grads) {
            if let (Ok(mut w), Ok(mut a), Some(g)) = (
                narrow.params.get_disjoint_mut(*places),
                narrow.accumulator.get_disjoint_mut(*places),
                g.as_flattened().first_chunk::<W>(),
            ) {
                let (mut w_block, mut a_block) = ([gathered::<D, K, W>(&w)], [gathered::<D, K, W>(&a)]);
                narrow.step.blocks::<W, L, 1>(lanes, &mut w_block, array::from_ref(g), &mut a_block);
                scatter(w_block.as_flattened(), &mut w);
                scatter(a_block.as_flattened(), &mut a);
            } else {
                Singly { narrow, places, grads: g }.run(lanes);
            }
        }
        Singly { narrow, places: last, grads: last_grads }.run(lanes);
    }
}

/// The rows as a block. Value by value: a copy of two would wait until it can be loaded as four.
#[inline(always)]
fn gathered<const D: usize, const K: usize, const W: usize>(rows: &[&mut [f32; D]; K]) -> [f32; W] {
    let mut block = [0.0; W];
    for (to, row) in block.as_chunks_mut::<D>().0.iter_mut().zip(rows) {
        for (to, from) in to.iter_mut().zip(row.iter()) {
            *to = *from;
        }
    }
    block
}

/// The inverse.
#[inline(always)]
fn scatter<const D: usize, const K: usize>(block: &[f32], rows: &mut [&mut [f32; D]; K]) {
    for (from, row) in block.as_chunks::<D>().0.iter().zip(rows) {
        for (from, to) in from.iter().zip(row.iter_mut()) {
            *to = *from;
        }
    }
}
