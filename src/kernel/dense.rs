//! The dense step: three slices of one length.

use super::blocks::{Pass, Place, Source, each_block, each_group, each_single};
use super::{Flags, Rule};
use crate::backend::lanes::{Kernel, Lanes};

/// The dense step. The three slices have one length.
pub(crate) struct Dense<'a> {
    pub(crate) rule: &'a Rule<f32>,
    pub(crate) params: &'a mut [f32],
    pub(crate) grads: &'a [f32],
    pub(crate) accumulator: &'a mut [f32],
}

/// From how many elements on groups begin where a vector may.
const ALIGN_FROM: usize = 512;

/// From how many elements on the slices, 12 bytes an element, are beyond a second-level cache, and how many parts of them
/// are then taken in turn.
const PARTS_FROM: usize = 1 << 17;
const PARTS: usize = 3;

impl Kernel for &mut Dense<'_> {
    /// The number of elements skipped.
    type Output = usize;

    const MAX_LANES: usize = 16;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let rule = self.rule.splat(lanes);
        if rule.flags.any(Flags::UNUSUAL) { self.apply(lanes, rule) } else { self.apply(lanes, rule.usual()) }
    }
}

impl Dense<'_> {
    /// From how many elements on lanes wider than eight pay.
    pub(crate) const LONG: usize = 128;

    #[inline(always)]
    fn apply<const W: usize, L: Lanes<W>>(&mut self, lanes: L, rule: Rule<L::Vector>) -> usize {
        let mut step = Step { rule, skipped: 0 };
        let (w, g, a) = (&mut *self.params, self.grads, &mut *self.accumulator);
        if W == 1 {
            each_block(lanes, w, g, a, &mut step);
            return step.skipped;
        }
        let begin = if w.len() < ALIGN_FROM { 0 } else { w.as_ptr().align_offset(W * size_of::<f32>()).min(w.len()) };
        let parts = if w.len() < PARTS_FROM { 1 } else { PARTS };
        let (Some((w_head, w)), Some((g_head, g)), Some((a_head, a))) =
            (w.split_at_mut_checked(begin), g.split_at_checked(begin), a.split_at_mut_checked(begin))
        else {
            never!("the slices have one length")
        };
        let (w, g, a) = each_group(lanes, w, g, a, parts, &mut step);
        for (params, grads, accumulator) in [(w_head, g_head, a_head), (w, g, a)] {
            if L::HAS_NARROWER {
                step.skipped += lanes.on_narrower(&mut Dense { rule: self.rule, params, grads, accumulator });
            } else {
                each_single(lanes, params, grads, accumulator, &mut step);
            }
        }
        step.skipped
    }
}

/// The element-wise step of each group.
pub(super) struct Step<V> {
    pub(super) rule: Rule<V>,
    pub(super) skipped: usize,
}

impl<const W: usize, L: Lanes<W>> Pass<W, L> for Step<L::Vector> {
    #[inline(always)]
    fn blocks<const N: usize>(
        &mut self,
        lanes: L,
        w: &mut (impl Place<W, L, N> + ?Sized),
        g: &(impl Source<W, L, N> + ?Sized),
        a: &mut (impl Place<W, L, N> + ?Sized),
    ) {
        self.skipped += self.rule.step(lanes, w, g, a);
    }
}
