//! The step for rows of few columns, whose number the compiler knows.

use core::array::from_ref;
use core::slice::from_mut;

use super::blocks::{Blocks, Halves, Pass};
use super::dense::Step;
use super::rounding::Nearest;
use super::row_wise::step_row;
use super::rows::{Ahead, Rows, each_chunk};
use super::{Flags, Rule};
use crate::backend::lanes::{Kernel, Lanes};

/// The step by a usual rule, with an accumulator per element.
pub(crate) struct NarrowRows<'s, 'a>(pub(crate) &'s mut Rows<'a>);

/// The row-wise step by a usual rule.
pub(crate) struct NarrowRowWise<'s, 'a>(pub(crate) &'s mut Rows<'a>);

impl Rows<'_> {
    /// Whether [`NarrowRows`] and [`NarrowRowWise`] are for them.
    #[inline(always)]
    pub(crate) fn are_narrow(&self) -> bool {
        self.are_plain() && matches!(self.shape.dim, 1..=8 | 16)
    }
}

impl Kernel for NarrowRows<'_, '_> {
    type Output = usize;

    const LEAST_LANES: usize = 8;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let mut step = Step::new(self.0.rule, Flags::UNUSUAL.or(Flags::FAST));
        self.0.each_narrow(
            lanes,
            self.0.shape.dim,
            #[inline(always)]
            |dim, rows| {
                let step = &mut step;
                match dim {
                    1 => lanes.on_half(Together::<1, 4> { step, rows: rows.of_columns() }),
                    2 => lanes.on_half(Together::<2, 2> { step, rows: rows.of_columns() }),
                    3 => lanes.on_half(Singly::<3> { step, rows: rows.of_columns() }),
                    4 => in_pairs(lanes, step, rows.of_columns()),
                    5 => in_blocks::<W, L, 5>(lanes, step, rows.of_columns()),
                    6 => in_blocks::<W, L, 6>(lanes, step, rows.of_columns()),
                    7 => in_blocks::<W, L, 7>(lanes, step, rows.of_columns()),
                    8 => in_blocks::<W, L, 8>(lanes, step, rows.of_columns()),
                    16 => in_blocks::<W, L, 16>(lanes, step, rows.of_columns()),
                    _ => never!("one of these numbers of columns"),
                }
            },
        );
        0
    }
}

impl Kernel for NarrowRowWise<'_, '_> {
    type Output = usize;

    const LEAST_LANES: usize = 8;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let rule = self.0.rule;
        self.0.each_narrow(
            lanes,
            1,
            #[inline(always)]
            |dim, rows| match dim {
                1 => row_wise::<W, L, 1>(lanes, rule, rows),
                2 => row_wise::<W, L, 2>(lanes, rule, rows),
                3 => row_wise::<W, L, 3>(lanes, rule, rows),
                4 => row_wise::<W, L, 4>(lanes, rule, rows),
                5 => row_wise::<W, L, 5>(lanes, rule, rows),
                6 => row_wise::<W, L, 6>(lanes, rule, rows),
                7 => row_wise::<W, L, 7>(lanes, rule, rows),
                8 => row_wise::<W, L, 8>(lanes, rule, rows),
                16 => row_wise::<W, L, 16>(lanes, rule, rows),
                _ => never!("one of these numbers of columns"),
            },
        );
        0
    }
}

/// Some rows of a table, and the table.
struct Chunk<'s> {
    params: &'s mut [f32],
    accumulator: &'s mut [f32],
    places: &'s [usize],
    grads: &'s [f32],
}

/// The same where the number of columns is a constant.
struct Columns<'s, const D: usize> {
    params: &'s mut [[f32; D]],
    accumulator: &'s mut [[f32; D]],
    places: &'s [usize],
    grads: &'s [[f32; D]],
}

impl<'s> Chunk<'s> {
    #[inline(always)]
    fn of_columns<const D: usize>(self) -> Columns<'s, D> {
        Columns {
            params: self.params.as_chunks_mut().0,
            accumulator: self.accumulator.as_chunks_mut().0,
            places: self.places,
            grads: self.grads.as_chunks().0,
        }
    }
}

impl Rows<'_> {
    /// Calls `f` with the number of columns, and some rows after the other. It is asked for the number of columns each
    /// time, so that there is one loop for all of them.
    #[inline(always)]
    fn each_narrow<const W: usize, L: Lanes<W>>(
        &mut self,
        lanes: L,
        accumulators: usize,
        mut f: impl FnMut(usize, Chunk<'_>),
    ) {
        let Rows { first_row, padding, rows, .. } = *self;
        let dim = self.shape.dim;
        let ahead = Ahead { rows, first_row, padding, dim, accumulators };
        let mut grads = self.grads.of_rows();
        each_chunk(
            rows,
            first_row,
            padding,
            #[inline(always)]
            |position, places| {
                let (params, accumulator) = (&mut *self.params, &mut *self.accumulator);
                if const { L::CAN_PREFETCH } {
                    ahead.ask(lanes, position, params, accumulator);
                }
                let (now, rest) = grads.split_at_checked(places.len().wrapping_mul(dim)).unwrap_or_default();
                grads = rest;
                f(dim, Chunk { params, accumulator, places, grads: now });
            },
        );
    }
}

/// One row after the other, row-wise.
#[inline(always)]
fn row_wise<const W: usize, L: Lanes<W>, const D: usize>(lanes: L, rule: &Rule<f32>, rows: Chunk<'_>) {
    let (params, accumulators) = (rows.params.as_chunks_mut::<D>().0, rows.accumulator);
    for (place, g) in rows.places.iter().zip(rows.grads.as_chunks::<D>().0) {
        // A row that is not here has no slice.
        if let (Some(w), Some(a)) = (params.get_mut(*place), accumulators.get_mut(*place)) {
            step_row(rule, Flags::UNUSUAL, lanes, w, g, from_mut(a), Nearest);
        }
    }
}

/// One row after the other, as blocks.
#[inline(always)]
fn in_blocks<const W: usize, L: Lanes<W>, const D: usize>(lanes: L, step: &mut Step<'_>, rows: Columns<'_, D>) {
    for (place, g) in rows.places.iter().zip(rows.grads) {
        // A row that is not here has no slice.
        if let (Some(w), Some(a)) = (rows.params.get_mut(*place), rows.accumulator.get_mut(*place)) {
            Blocks { w, g, a, pass: step }.run(lanes);
        }
    }
}

/// Two rows of four columns at once, on lanes of eight, if they are different ones.
#[inline(always)]
fn in_pairs<const W: usize, L: Lanes<W>>(lanes: L, step: &mut Step<'_>, rows: Columns<'_, 4>) {
    let Columns { params, accumulator, places, grads } = rows;
    if params.len() != accumulator.len() {
        never!("an accumulator for each parameter");
    }
    let ((pairs, last), (grads, last_grad)) = (places.as_chunks::<2>(), grads.as_chunks::<2>());
    for (places, g) in pairs.iter().zip(grads) {
        let Some(block) = g.as_flattened().first_chunk::<W>() else { never!("lanes of eight") };
        if let (Ok([w0, w1]), Ok([a0, a1])) = (params.get_disjoint_mut(*places), accumulator.get_disjoint_mut(*places))
        {
            step.blocks::<W, L, 1>(lanes, &mut Halves(w0, w1), from_ref(block), &mut Halves(a0, a1));
        } else {
            lanes.on_half(Singly { step, rows: Columns { params, accumulator, places, grads: g } });
        }
    }
    lanes.on_half(Singly { step, rows: Columns { params, accumulator, places: last, grads: last_grad } });
}

/// Rows one after the other.
struct Singly<'s, 'a, const D: usize> {
    step: &'s mut Step<'a>,
    rows: Columns<'s, D>,
}

impl<const D: usize> Kernel for Singly<'_, '_, D> {
    type Output = ();

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) {
        let Self { step, rows } = self;
        for (place, g) in rows.places.iter().zip(rows.grads) {
            // A row that is not here has no slice.
            if let (Some(w), Some(a)) = (rows.params.get_mut(*place), rows.accumulator.get_mut(*place)) {
                step.blocks::<W, L, 1>(lanes, w.as_mut_slice(), g.as_slice(), a.as_mut_slice());
            }
        }
    }
}

/// Rows `K` at once, where these are a block, and one after the other where a row comes twice or is not here.
struct Together<'s, 'a, const D: usize, const K: usize> {
    step: &'s mut Step<'a>,
    rows: Columns<'s, D>,
}

impl<const D: usize, const K: usize> Kernel for Together<'_, '_, D, K> {
    type Output = ();

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) {
        let Self { step, rows: Columns { params, accumulator, places, grads } } = self;
        if params.len() != accumulator.len() {
            never!("an accumulator for each parameter");
        }
        let ((groups, last), (grads, last_grads)) = (places.as_chunks::<K>(), grads.as_chunks::<K>());
        for (places, g) in groups.iter().zip(grads) {
            if let (Ok(mut w), Ok(mut a), Some(g)) = (
                params.get_disjoint_mut(*places),
                accumulator.get_disjoint_mut(*places),
                g.as_flattened().first_chunk::<W>(),
            ) {
                let (mut w_block, mut a_block) = ([gathered::<D, K, W>(&w)], [gathered::<D, K, W>(&a)]);
                step.blocks::<W, L, 1>(lanes, &mut w_block, from_ref(g), &mut a_block);
                scatter(w_block.as_flattened(), &mut w);
                scatter(a_block.as_flattened(), &mut a);
            } else {
                Singly { step, rows: Columns { params, accumulator, places, grads: g } }.run(lanes);
            }
        }
        Singly { step, rows: Columns { params, accumulator, places: last, grads: last_grads } }.run(lanes);
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
