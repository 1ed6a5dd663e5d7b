//! The dense step: three slices of one length.

use core::array::{from_mut, from_ref};
use core::marker::PhantomData;

use super::blocks::{Blocks, Early, GROUP, HALF_GROUP, Pass, Place, Source, each_group};
use super::class::{Class, MaybeFast, Usual};
use super::{Flags, Rule};
use crate::backend::lanes::{Kernel, Lanes, SliceKernel};

/// From how many elements on groups begin where a vector may: see docs/decisions.md, "Where groups begin".
const fn align_from(lanes: usize) -> usize {
    if lanes <= 8 { 512 } else { 1280 }
}

/// From how many elements on the slices, 12 bytes an element, are beyond a second-level cache.
pub(super) const IN_TURN_FROM: usize = 1 << 17;

/// Below how many elements single blocks are as fast as groups: see docs/decisions.md, "`Fast` is exact for few elements, and
/// for many".
pub(crate) const SHORT: usize = 128;

/// The same by rules with options other than weight decay: see docs/decisions.md, "Other options".
pub(crate) const SHORT_OF_ANY: usize = 48;

/// Whether fast steps gain nothing: with so many elements, on lanes wider than eight. See the same place.
pub(crate) const fn is_exact(lanes: usize, len: usize) -> bool {
    lanes > 8 && len >= 1 << 22
}

/// Below how many elements fast steps by usual rules are exact.
pub(crate) const LONG_IF_FAST: usize = 64;

/// Whether so many elements go block by block, on lanes wider than eight: see docs/decisions.md, "Only long slices and long rows
/// run on AVX-512".
#[inline(always)]
pub(super) fn in_wide_blocks<C: Class, const W: usize>(rule: &Rule<f32>, len: usize) -> bool {
    let is_for_all = const { W > 8 && !C::IS_USUAL };
    is_for_all && len < if rule.flags.is_fast() { SHORT } else { 512 }
}

// Each of the following is a function of its own, so that a short slice does not save registers that only a long one needs:
// see docs/decisions.md, "Functions of their own". All take three slices of one length, and return the number of elements
// skipped.

/// The step of slices that may be long, by a rule of a class.
pub(crate) struct Long<C>(PhantomData<C>);

/// The same for what is short, block by block.
pub(crate) struct Short<C>(PhantomData<C>);

/// The same for a few elements, less than two blocks, and a rule that is not fused.
pub(crate) struct Few<C>(PhantomData<C>);

impl<C: Class> SliceKernel for Long<C> {
    const HAS_WIDE: bool = true;

    type Elsewhere = Self;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(lanes: L, rule: &Rule<f32>, w: &mut [f32], g: &[f32], a: &mut [f32]) -> usize {
        if W == 1 {
            return Short::<C>::run(lanes, rule, w, g, a);
        }
        let len = w.len();
        if in_wide_blocks::<C, W>(rule, len) {
            return lanes.call_wide::<Short<C>>(rule, w, g, a);
        }
        let begin =
            if len < const { align_from(W) } { 0 } else { w.as_ptr().align_offset(W * size_of::<f32>()).min(len) };
        let (Some((w_head, w)), Some((g_head, g)), Some((a_head, a))) =
            (w.split_at_mut_checked(begin), g.split_at_checked(begin), a.split_at_mut_checked(begin))
        else {
            never!("the slices have one length")
        };
        let in_turn = len >= IN_TURN_FROM;
        let own = *rule; // see docs/decisions.md, "Long loops have a rule of their own"
        let mut step = Step::<MaybeFast<C>>::new(&own);
        let (w, g, a) = if L::ESTIMATE_ERROR == 0.0 || !rule.flags.is_fast() || is_exact(W, len) {
            if fits_registers::<C, W, L>() {
                each_group::<W, L, f32, f32, f32, GROUP>(lanes, w, g, a, in_turn, &mut step)
            } else {
                each_group::<W, L, f32, f32, f32, HALF_GROUP>(lanes, w, g, a, in_turn, &mut step)
            }
        } else {
            step.hurry();
            each_group::<W, L, f32, f32, f32, GROUP>(lanes, w, g, a, in_turn, &mut step)
        };
        let mut skipped = step.skipped;
        if begin > 0 {
            skipped += lanes.call_slices::<Short<C>>(rule, w_head, g_head, a_head);
        }
        if !w.is_empty() {
            skipped += lanes.call_slices::<Short<C>>(rule, w, g, a);
        }
        skipped
    }
}

impl<C: Class> SliceKernel for Short<C> {
    type Elsewhere = Short<C::Elsewhere>;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(lanes: L, rule: &Rule<f32>, w: &mut [f32], g: &[f32], a: &mut [f32]) -> usize {
        // Exact: see docs/decisions.md, "`Fast` is exact for few elements, and for many".
        let mut step = Step::<C>::new(rule);
        if const { W <= 8 } {
            Blocks { w, g, a, pass: &mut step }.run(lanes);
            return step.skipped;
        }
        // What is less than a block is for narrower lanes.
        let ((w, w_rest), (g, g_rest), (a, a_rest)) =
            (w.as_chunks_mut::<W>(), g.as_chunks::<W>(), a.as_chunks_mut::<W>());
        for ((w, g), a) in w.iter_mut().zip(g).zip(a) {
            step.blocks::<W, L, 1>(lanes, from_mut(w), from_ref(g), from_mut(a));
        }
        if w_rest.is_empty() {
            return step.skipped;
        }
        step.skipped + lanes.call_slices::<Self>(rule, w_rest, g_rest, a_rest)
    }
}

impl<C: Class> SliceKernel for Few<C> {
    type Elsewhere = Self;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(lanes: L, rule: &Rule<f32>, w: &mut [f32], g: &[f32], a: &mut [f32]) -> usize {
        const { assert!(C::WITHOUT.any(Flags::SKIP), "nothing is counted") };
        let mut step = Step::<C>::new(rule);
        step.flags = step.flags.set(Flags::FUSED, false);
        if W == 1 {
            Blocks { w, g, a, pass: &mut step }.run(lanes);
            return 0;
        }
        let (w_blocks, w) = w.as_chunks_mut::<W>();
        let (g_blocks, g) = g.as_chunks::<W>();
        let (a_blocks, a) = a.as_chunks_mut::<W>();
        if w_blocks.len() > 1 {
            never!("less than two blocks");
        }
        if let ([w], [g], [a]) = (w_blocks, g_blocks, a_blocks) {
            step.blocks::<W, L, 1>(lanes, from_mut(w), from_ref(g), from_mut(a));
        }
        if !w.is_empty() {
            part_of_block::<W, L, C>(lanes, w, g, a, &mut step);
        }
        0
    }
}

/// At most a block.
#[inline(always)]
fn part_of_block<const W: usize, L: Lanes<W>, C: Class>(
    lanes: L,
    w: &mut [f32],
    g: &[f32],
    a: &mut [f32],
    step: &mut Step<'_, C>,
) {
    if C::WITHOUT.any(Flags::DECAY) {
        step.blocks::<W, L, 1>(lanes, w, g, a);
    } else {
        step.blocks::<W, L, 1>(lanes, &mut Early::load(lanes, w), g, a);
    }
}

/// Whether a group of steps by a rule of the class fits the registers.
#[inline(always)]
pub(super) fn fits_registers<C: Class, const W: usize, L: Lanes<W>>() -> bool {
    C::WITHOUT == Usual::WITHOUT || L::REGISTERS >= 32
}

/// The element-wise step.
pub(super) struct Step<'a, C> {
    rule: &'a Rule<f32>,
    class: PhantomData<C>,
    /// Those of the rule, less what the compiler is to know that its class lacks, and estimates.
    flags: Flags,
    /// How many elements were skipped.
    pub(super) skipped: usize,
}

impl<C: Class> Step<'_, MaybeFast<C>> {
    /// Makes quotients of estimates, on lanes that have them.
    #[inline(always)]
    pub(super) fn hurry(&mut self) {
        self.flags = self.flags.fast();
    }
}

impl<'a, C: Class> Step<'a, C> {
    #[inline(always)]
    pub(super) fn new(rule: &'a Rule<f32>) -> Self {
        Self { rule, class: PhantomData, flags: rule.flags.set(C::WITHOUT.or(Flags::FAST), false), skipped: 0 }
    }
}

impl<C: Class> Pass for Step<'_, C> {
    const IN_HALVES: bool = C::IN_HALVES;

    #[inline(always)]
    fn blocks<const W: usize, L: Lanes<W>, const N: usize>(
        &mut self,
        lanes: L,
        w: &mut (impl Place<W, L, N> + ?Sized),
        g: &(impl Source<W, L, N> + ?Sized),
        a: &mut (impl Place<W, L, N> + ?Sized),
    ) {
        self.skipped += Rule { flags: self.flags, ..self.rule.splat(lanes) }.step::<C, W, L, N>(lanes, w, g, a);
    }
}
