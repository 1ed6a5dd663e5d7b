//! The dense step: three slices of one length.

use super::blocks::{GROUP, Pass, Place, Source, each_block, each_group, each_single};
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

/// From how many elements on the slices, 12 bytes an element, are beyond a second-level cache.
const IN_TURN_FROM: usize = 1 << 17;

/// A step of slices that may be long, by a rule that is `USUAL` or any. Each kind is a function of its own, so that a
/// short slice pays for nothing that another one needs.
pub(crate) struct Long<'s, 'a, const USUAL: bool>(pub(crate) &'s mut Dense<'a>);

/// The same for slices of less than a group.
pub(crate) struct Short<'s, 'a, const USUAL: bool>(pub(crate) &'s mut Dense<'a>);

impl Dense<'_> {
    /// Below how many elements lanes of eight have no group.
    pub(crate) const SHORT: usize = 8 * GROUP;

    /// From how many elements on lanes wider than eight pay.
    pub(crate) const LONG: usize = 128;

    /// Whether the rule is a usual one.
    #[inline(always)]
    pub(crate) fn is_usual(&self) -> bool {
        !self.rule.flags.any(Flags::UNUSUAL)
    }

    #[inline(always)]
    fn step<const W: usize, L: Lanes<W>, const USUAL: bool>(&self, lanes: L) -> Step<L::Vector> {
        let rule = self.rule.splat(lanes);
        Step { rule: if USUAL { rule.usual() } else { rule }, skipped: 0 }
    }
}

impl<const USUAL: bool> Kernel for Long<'_, '_, USUAL> {
    /// The number of elements skipped.
    type Output = usize;

    const MAX_LANES: usize = 16;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        if W == 1 {
            return Short::<USUAL>(self.0).run(lanes);
        }
        let mut step = self.0.step::<W, L, USUAL>(lanes);
        let Dense { rule, params, grads, accumulator } = self.0;
        let len = params.len();
        let begin = if len < ALIGN_FROM { 0 } else { params.as_ptr().align_offset(W * size_of::<f32>()).min(len) };
        let (Some((w_head, w)), Some((g_head, g)), Some((a_head, a))) =
            (params.split_at_mut_checked(begin), grads.split_at_checked(begin), accumulator.split_at_mut_checked(begin))
        else {
            never!("the slices have one length")
        };
        let (w, g, a) = each_group(lanes, w, g, a, len >= IN_TURN_FROM, &mut step);
        let mut skipped = step.skipped;
        let mut short = |params, grads, accumulator| {
            skipped += lanes.call(Short::<USUAL>(&mut Dense { rule, params, grads, accumulator }));
        };
        if begin > 0 {
            short(w_head, g_head, a_head);
        }
        if !w.is_empty() {
            short(w, g, a);
        }
        skipped
    }
}

impl<const USUAL: bool> Kernel for Short<'_, '_, USUAL> {
    /// The number of elements skipped.
    type Output = usize;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let mut step = self.0.step::<W, L, USUAL>(lanes);
        let Dense { params, grads, accumulator, .. } = self.0;
        if W == 1 {
            each_block(lanes, params, grads, accumulator, &mut step);
        } else {
            each_single(lanes, params, grads, accumulator, &mut step);
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
