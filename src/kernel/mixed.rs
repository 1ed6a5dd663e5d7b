//! The dense step over slices of any element types.

use super::blocks::{Blocks, GROUP, each_group};
use super::class::Any;
use super::dense::{IN_TURN_FROM, LONG, Step};
use super::rounding::Rounding;
use super::storage::Storage;
use super::{Flags, Rule};
use crate::backend::lanes::{Kernel, Lanes};

const HALF_GROUP: usize = GROUP / 2;

/// The dense step of slices of one length, by a rule that is `USUAL` or any. The result is the number of elements skipped.
pub(crate) struct MixedStep<'a, P, G, A, R, const USUAL: bool> {
    pub(crate) rule: &'a Rule<f32>,
    pub(crate) params: &'a mut [P],
    pub(crate) grads: &'a [G],
    pub(crate) accumulator: &'a mut [A],
    pub(crate) rounding: R,
}

impl<P: Storage, G: Storage, A: Storage, R: Rounding, const USUAL: bool> Kernel for MixedStep<'_, P, G, A, R, USUAL> {
    type Output = usize;

    const HAS_WIDE: bool = true;

    #[inline(always)]
    fn is_long(&self) -> bool {
        self.params.len() >= LONG
    }

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        if W == 1 {
            return ShortMixedStep(self).run(lanes);
        }
        let Self { rule, params: w, grads: g, accumulator: a, rounding } = self;
        let (len, mut step) = (w.len(), Step::<Any>::new(rule, without::<USUAL>()));
        let mut pass = rounding.wrap(&mut step);
        let in_turn = !R::BY_CHANCE && len >= IN_TURN_FROM;
        let (w, g, a) = if L::REGISTERS >= 32 || USUAL {
            each_group::<W, L, P, G, A, GROUP>(lanes, w, g, a, in_turn, &mut pass)
        } else {
            each_group::<W, L, P, G, A, HALF_GROUP>(lanes, w, g, a, in_turn, &mut pass)
        };
        drop(pass);
        let rounding = rounding.after(len.wrapping_sub(w.len()));
        let mut skipped = step.skipped;
        if !w.is_empty() {
            let rest: MixedStep<'_, P, G, A, R, USUAL> =
                MixedStep { rule, params: w, grads: g, accumulator: a, rounding };
            skipped += lanes.call(ShortMixedStep(rest));
        }
        skipped
    }
}

/// The same for slices of less than a group: a function of its own, so that the state of a loop stays in registers.
pub(super) struct ShortMixedStep<'a, P, G, A, R, const USUAL: bool>(pub(super) MixedStep<'a, P, G, A, R, USUAL>);

impl<P: Storage, G: Storage, A: Storage, R: Rounding, const USUAL: bool> Kernel
    for ShortMixedStep<'_, P, G, A, R, USUAL>
{
    type Output = usize;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let MixedStep { rule, params: w, grads: g, accumulator: a, rounding } = self.0;
        let mut step = Step::<Any>::new(rule, without::<USUAL>());
        Blocks { w, g, a, pass: &mut rounding.wrap(&mut step) }.run(lanes);
        step.skipped
    }
}

/// The terms that the compiler is to know that the rule lacks. `Arithmetic::Fast` is exact here.
#[inline(always)]
pub(super) const fn without<const USUAL: bool>() -> Flags {
    if USUAL { Flags::UNUSUAL.or(Flags::FAST) } else { Flags::FAST }
}
