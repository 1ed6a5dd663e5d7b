//! The dense step over slices of any element types.

use core::marker::PhantomData;

use super::Rule;
use super::blocks::{Blocks, GROUP, HALF_GROUP, Pass, each_group};
use super::class::{Class, Converting};
use super::dense::{IN_TURN_FROM, Step, fits_registers};
use super::pairs::InPairs;
use super::rounding::Rounding;
use super::storage::Storage;
use crate::backend::lanes::{Kernel, Lanes};

/// The dense step of slices of one length, by a rule of a class. The result is the number of elements skipped.
pub(crate) struct MixedStep<'a, P, G, A, R, C> {
    pub(crate) rule: &'a Rule<f32>,
    pub(crate) class: PhantomData<C>,
    pub(crate) params: &'a mut [P],
    pub(crate) grads: &'a [G],
    pub(crate) accumulator: &'a mut [A],
    pub(crate) rounding: R,
}

/// From how many elements on lanes wider than eight are faster.
const LONG: usize = 128;

impl<P: Storage, G: Storage, A: Storage, R: Rounding, C: Class> Kernel for MixedStep<'_, P, G, A, R, C> {
    type Output = usize;

    const HAS_WIDE: bool = true;

    #[inline(always)]
    fn is_long(&self) -> bool {
        self.params.len() >= LONG
    }

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(mut self, lanes: L) -> usize {
        if W == 1 {
            return ShortMixedStep(&mut self).run(lanes);
        }
        if const { P::CONVERTS || A::CONVERTS || R::BY_CHANCE } {
            self.run_as::<Converting<C>, W, L>(lanes)
        } else {
            self.run_as::<C, W, L>(lanes)
        }
    }
}

impl<P: Storage, G: Storage, A: Storage, R: Rounding, C: Class> MixedStep<'_, P, G, A, R, C> {
    /// The step of groups by a rule of the class, as one of another.
    #[inline(always)]
    fn run_as<As: Class, const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let Self { rule, class, params: w, grads: g, accumulator: a, rounding } = self;
        let (len, own) = (w.len(), *rule);
        let mut step = Step::<As>::new(&own);
        let mut pass = rounding.wrap(&mut step);
        let in_turn = !R::BY_CHANCE && len >= IN_TURN_FROM;
        let (w, g, a) = if const { L::HAS_PAIRS && are_mostly_in_pairs::<P, G, A>() } {
            groups::<C, W, L, P, G, A>(lanes, w, g, a, in_turn, &mut InPairs(&mut pass))
        } else {
            groups::<C, W, L, P, G, A>(lanes, w, g, a, in_turn, &mut pass)
        };
        drop(pass);
        let rounding = rounding.after(len.wrapping_sub(w.len()));
        let mut skipped = step.skipped;
        if !w.is_empty() {
            let mut rest = MixedStep { rule, class, params: w, grads: g, accumulator: a, rounding };
            skipped += lanes.call(ShortMixedStep(&mut rest));
        }
        skipped
    }
}

/// Whether at least two of three slices are loaded fastest as pairs.
const fn are_mostly_in_pairs<P: Storage, G: Storage, A: Storage>() -> bool {
    P::LIES_IN_PAIRS as u8 + G::LIES_IN_PAIRS as u8 + A::LIES_IN_PAIRS as u8 >= 2
}

/// The groups, which have an even number of blocks, and what is left.
#[inline(always)]
fn groups<'s, C: Class, const W: usize, L: Lanes<W>, P: Storage, G: Storage, A: Storage>(
    lanes: L,
    w: &'s mut [P],
    g: &'s [G],
    a: &'s mut [A],
    in_turn: bool,
    pass: &mut impl Pass,
) -> (&'s mut [P], &'s [G], &'s mut [A]) {
    if fits_registers::<C, W, L>() {
        each_group::<W, L, P, G, A, GROUP>(lanes, w, g, a, in_turn, pass)
    } else {
        each_group::<W, L, P, G, A, HALF_GROUP>(lanes, w, g, a, in_turn, pass)
    }
}

/// The same for short slices: a function of its own, so that the state of a loop stays in registers. It gets an address, since
/// a structure that was just made cannot be copied before its fields are stored: see docs/decisions.md, "A few rows".
pub(crate) struct ShortMixedStep<'s, 'a, P, G, A, R, C>(pub(crate) &'s mut MixedStep<'a, P, G, A, R, C>);

impl<P: Storage, G: Storage, A: Storage, R: Rounding, C: Class> Kernel for ShortMixedStep<'_, '_, P, G, A, R, C> {
    type Output = usize;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let MixedStep { rule, params: w, grads: g, accumulator: a, rounding, .. } = self.0;
        let (w, g, a) = (&mut **w, *g, &mut **a);
        let mut step = Step::<C>::new(rule);
        Blocks { w, g, a, pass: &mut rounding.wrap(&mut step) }.run(lanes);
        step.skipped
    }
}
