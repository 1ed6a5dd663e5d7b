//! The dense step.

use crate::backend::{Scalar, run_detected};
use crate::error::check_length;
use crate::kernel::{Dense, Flags, Long, Short, never};
use crate::{Adagrad, Backend, Error, Report};

/// Steps.
impl Adagrad {
    /// One step for every parameter: the three slices have one length, and may be empty.
    ///
    /// Splitting a call into several changes no bit.
    ///
    /// ```
    /// use adagrad::Adagrad;
    ///
    /// let mut params = [1.0, 2.0, 3.0];
    /// let mut accumulator = [0.0; 3];
    /// Adagrad::new(0.5).step(&mut params, &[1.0, -1.0, 0.0], &mut accumulator)?;
    /// assert_eq!(params, [0.5, 2.5, 3.0]);
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Hyperparameter`]; [`Error::Length`] if `grads` or `accumulator` differs in length from `params`;
    /// [`Error::Unavailable`].
    #[inline]
    pub fn step(&self, params: &mut [f32], grads: &[f32], accumulator: &mut [f32]) -> Result<Report, Error> {
        self.check_dense(params, grads, accumulator)?;
        self.report(run_dense(self.backend, &mut Dense { rule: &self.rule, params, grads, accumulator }))
    }

    /// [`Adagrad::step`], which leaves 0 in each gradient, ready for the next accumulation. The gradients are cleared
    /// while they are in the cache, so memory is passed over once.
    ///
    /// ```
    /// use adagrad::Adagrad;
    ///
    /// let (mut params, mut grads, mut accumulator) = ([0.0], [2.0], [0.0]);
    /// Adagrad::new(0.1).step_and_zero(&mut params, &mut grads, &mut accumulator)?;
    /// assert_eq!((params, grads, accumulator), ([-0.1], [0.0], [4.0]));
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Adagrad::step`].
    pub fn step_and_zero(
        &self,
        params: &mut [f32],
        grads: &mut [f32],
        accumulator: &mut [f32],
    ) -> Result<Report, Error> {
        /// 12 kB of the three slices: they fit in any first-level cache.
        const PART: usize = 1024;

        self.check_dense(params, grads, accumulator)?;
        self.check_available()?;
        let mut skipped = 0;
        for ((params, grads), accumulator) in
            params.chunks_mut(PART).zip(grads.chunks_mut(PART)).zip(accumulator.chunks_mut(PART))
        {
            skipped += self.step(params, grads, accumulator)?.skipped;
            grads.fill(0.0);
        }
        Ok(Report { skipped })
    }

    /// All that a dense step checks, but for the backend.
    #[inline(always)]
    pub(super) fn check_dense(&self, params: &[f32], grads: &[f32], accumulator: &[f32]) -> Result<(), Error> {
        self.validate()?;
        check_length("grads", params.len(), grads.len())?;
        check_length("accumulator", params.len(), accumulator.len())
    }

    /// Whether the backend that was asked for, if one was, is there.
    #[inline]
    pub(super) fn check_available(&self) -> Result<(), Error> {
        match self.backend {
            Some(backend) if !backend.is_available() => Err(Error::Unavailable { backend }),
            _ => Ok(()),
        }
    }

    /// What a step did, or that its backend is not there.
    #[inline(always)]
    pub(super) fn report(&self, skipped: Option<usize>) -> Result<Report, Error> {
        match (skipped, self.backend) {
            (Some(skipped), _) => Ok(Report { skipped }),
            (None, Some(backend)) => Err(Error::Unavailable { backend }),
            (None, None) => never!("the detected backend is there", Ok(Report::default())),
        }
    }
}

/// On bare metal this is inlined, so that the compiler drops what constant hyper-parameters turn off. Elsewhere it is
/// compiled with this crate, and not with each that calls it. It takes a reference: a structure that is copied before its
/// parts have left the store buffer waits for them, as long as a short slice takes.
#[cfg_attr(target_os = "none", inline(always))]
#[cfg_attr(not(target_os = "none"), inline(never))]
pub(super) fn run_dense(backend: Option<Backend>, step: &mut Dense<'_>) -> Option<usize> {
    let len = step.params.len();
    match (backend, step.is_usual()) {
        (None, true) if len < FEW && !step.rule.flags.any(Flags::FUSED) => Some(Scalar.enter(Short::<true>(step))),
        (None, true) if len < Dense::SHORT => Some(run_detected(Short::<true>(step), false)),
        (None, true) => Some(run_detected(Long::<true>(step), len >= Dense::LONG)),
        (None, false) if len < Dense::SHORT => Some(run_detected(Short::<false>(step), false)),
        (None, false) => Some(run_detected(Long::<false>(step), len >= Dense::LONG)),
        (Some(backend), true) => backend.run(Long::<true>(step)),
        (Some(backend), false) => backend.run(Long::<false>(step)),
    }
}

/// Fewer elements are stepped one by one: a vector of so few saves nothing, and finding out which is possible takes longer.
/// None on processors without vectors.
const FEW: usize = if cfg!(target_os = "none") { 0 } else { 4 };
