//! The dense step of 16-bit types.

use core::marker::PhantomData;

use super::rows::run;
use crate::backend::IS_SCALAR;
use crate::error::check_length;
use crate::kernel::{self, Any, Class, MixedStep, Nearest, Rounding as _, SHORT, ShortMixedStep, Stream, Usual, never};
use crate::{Adagrad, Element, Error, Report, Rounding};

/// Steps of `bf16`, `f16` and `f32`, with the feature `half`.
impl Adagrad {
    /// [`Adagrad::step`] of parameters, gradients and accumulators that are each `f32`, `bf16` or `f16`.
    ///
    /// The arithmetic is that of `step`, in `f32`. Each result is rounded once to be stored. The denominator is made of the
    /// accumulator before that: if a small `G` becomes 0 in the slice, the step is no larger for it.
    ///
    /// [`NonFinite::Skip`](crate::NonFinite::Skip) looks at the values as they would be stored: one that overflows its
    /// type is left out and counted. [`Arithmetic::Fast`](crate::Arithmetic::Fast) is exact here. With `f32` for all
    /// three and [`Rounding::Nearest`], the bits are those of `step`.
    ///
    /// ```
    /// use adagrad::{Adagrad, Rounding};
    /// use half::bf16;
    ///
    /// let mut params = [1.0, 2.0].map(bf16::from_f32);
    /// let mut accumulator = [0.0_f32; 2];
    /// Adagrad::new(0.5).step_mixed(&mut params, &[1.0, -1.0_f32], &mut accumulator, Rounding::Nearest)?;
    /// assert_eq!(params.map(f32::from), [0.5, 2.5]);
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Adagrad::step`].
    pub fn step_mixed<P: Element, G: Element, A: Element>(
        &self,
        params: &mut [P],
        grads: &[G],
        accumulator: &mut [A],
        rounding: Rounding,
    ) -> Result<Report, Error> {
        self.check_mixed(params, grads, accumulator)?;
        let skipped = match rounding {
            Rounding::Nearest => self.mixed(params, grads, accumulator, Nearest)?,
            Rounding::Stochastic(counter) => {
                let stream = Stream::new(counter.seed, counter.step).of_row(0, 0);
                let (mut w, mut g, mut a) = (params, grads, accumulator);
                let (mut first, mut skipped) = (counter.first, 0);
                loop {
                    let stream = stream.at_column(first);
                    let room = stream.room(w.len());
                    let (Some((w_now, w_next)), Some((g_now, g_next)), Some((a_now, a_next))) =
                        (w.split_at_mut_checked(room), g.split_at_checked(room), a.split_at_mut_checked(room))
                    else {
                        never!("the slices have one length", Ok(Report::default()))
                    };
                    skipped += self.mixed(w_now, g_now, a_now, stream)?;
                    if w_next.is_empty() {
                        break skipped;
                    }
                    (w, g, a) = (w_next, g_next, a_next);
                    first = first.wrapping_add(room as u64);
                }
            }
        };
        Ok(Report { skipped, out_of_range: 0 })
    }

    /// All that a dense step checks, but for the backend.
    pub(super) fn check_mixed<P, G, A>(&self, params: &[P], grads: &[G], accumulator: &[A]) -> Result<(), Error> {
        check_length("grads", params.len(), grads.len())?;
        check_length("accumulator", params.len(), accumulator.len())?;
        self.validate()
    }

    /// The step of checked slices.
    fn mixed<P: Element, G: Element, A: Element, R: kernel::Rounding>(
        &self,
        params: &mut [P],
        grads: &[G],
        accumulator: &mut [A],
        rounding: R,
    ) -> Result<usize, Error> {
        let (rule, is_short) = (&self.rule, !IS_SCALAR && params.len() < SHORT);
        macro_rules! run {
            ($Class:ty) => {{
                let class = PhantomData::<$Class>;
                let mut step = MixedStep { rule, class, params, grads, accumulator, rounding };
                if is_short { run(self.backend, ShortMixedStep(&mut step)) } else { run(self.backend, step) }
            }};
        }
        // By chance there is one copy, for any rule.
        if R::BY_CHANCE || rule.flags.any(Usual::WITHOUT) { run!(Any) } else { run!(Usual) }
    }
}
