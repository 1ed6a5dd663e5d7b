//! The fast step for rows that are whole blocks.

use core::array::{from_mut, from_ref};

use super::blocks::Pass;
use super::class::{Class, MaybeFast, Usual};
use super::dense::Step;
use super::rows::Rows;
use crate::backend::lanes::{Kernel, Lanes};

/// From how many columns on rows have fast steps: see docs/decisions.md, "`Fast` is exact for few elements, and for many".
const FAST_FROM: usize = 24;

/// The fast step by a usual rule, with an accumulator per element, of rows that are whole blocks.
pub(crate) struct FastRows<'s, 'a>(pub(crate) &'s mut Rows<'a>);

impl Rows<'_> {
    /// Whether [`FastRows`] are for them.
    #[inline(always)]
    pub(crate) fn are_fast(&self) -> bool {
        let (flags, dim) = (self.rule.flags, self.shape.dim);
        let is_fast = flags.is_fast() && !flags.any(Usual::WITHOUT);
        is_fast && self.are_plain() && dim >= FAST_FROM && dim.is_multiple_of(8)
    }
}

impl Kernel for FastRows<'_, '_> {
    type Output = usize;

    const LEAST_LANES: usize = 8;
    const HAS_WIDE: bool = true;

    #[inline(always)]
    fn is_long(&self) -> bool {
        self.0.shape.dim.is_multiple_of(16)
    }

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let own = *self.0.rule; // see docs/decisions.md, "Long loops have a rule of their own"
        let mut step = Step::<MaybeFast<Usual>>::new(&own);
        if const { L::ESTIMATE_ERROR > 0.0 } {
            step.hurry();
        }
        self.0.each::<W, L, false, true, true>(
            lanes,
            #[inline(always)]
            |w, g, a| {
                let (w, g, a) = (w.as_chunks_mut::<W>().0, g.as_chunks::<W>().0, a.as_chunks_mut::<W>().0);
                for ((w, g), a) in w.iter_mut().zip(g).zip(a) {
                    step.blocks::<W, L, 1>(lanes, from_mut(w), from_ref(g), from_mut(a));
                }
            },
        );
        step.skipped
    }
}
