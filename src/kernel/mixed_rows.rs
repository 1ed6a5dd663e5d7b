//! The step for some rows of a table of any element types.

use core::marker::PhantomData;

use super::class::Class;
use super::dense::SHORT;
use super::gradients::RowGradients;
use super::mixed::{MixedStep, ShortMixedStep};
use super::rounding::Rounding;
use super::row_wise::step_row;
use super::rows::{Rows, Visit};
use super::storage::Storage;
use crate::backend::lanes::{Kernel, Lanes};

/// A step for some rows of a table, by a rule of a class. The result is the number of elements or, row-wise, rows skipped.
pub(crate) struct MixedRows<'s, 'a, P, A, G, R, C, const ROW_WISE: bool>(
    pub(crate) &'s mut Rows<'a, P, A, G>,
    pub(crate) Counted<R>,
    pub(crate) PhantomData<C>,
);

/// A way to round, and from where rows and gradients are counted.
#[derive(Clone, Copy)]
pub(crate) struct Counted<R> {
    pub(crate) rounding: R,
    /// The index of the table's first row in the whole table, and of the first of these rows among those of the step, if positions
    /// count.
    pub(crate) first_row: u64,
    pub(crate) first_position: Option<u64>,
}

impl<R: Rounding> Counted<R> {
    #[inline(always)]
    fn at(self, visit: Visit) -> R {
        let position = match self.first_position {
            Some(first) => first.wrapping_add(visit.position as u64),
            None => 0,
        };
        self.rounding.of_row(self.first_row.wrapping_add(visit.row as u64), position)
    }
}

impl<'a, P, A, G, R, C, const ROW_WISE: bool> Kernel for MixedRows<'_, 'a, P, A, G, R, C, ROW_WISE>
where
    P: Storage,
    A: Storage,
    G: RowGradients<'a>,
    R: Rounding,
    C: Class,
{
    type Output = usize;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let Self(rows, counted, class) = self;
        let (rule, is_short, mut skipped) = (rows.rule, rows.shape.dim < SHORT, 0);
        rows.each_singly::<W, L, ROW_WISE>(
            lanes,
            #[inline(always)]
            |params, grads, accumulator, visit| {
                let rounding = counted.at(visit);
                skipped += if ROW_WISE {
                    step_row::<C, W, L, _, _, _, _>(rule, lanes, params, grads, accumulator, rounding)
                } else {
                    let mut step = MixedStep { rule, class, params, grads, accumulator, rounding };
                    if W == 1 {
                        ShortMixedStep(&mut step).run(lanes)
                    } else if is_short {
                        lanes.call(ShortMixedStep(&mut step))
                    } else {
                        lanes.call(step)
                    }
                };
            },
        );
        skipped
    }
}
