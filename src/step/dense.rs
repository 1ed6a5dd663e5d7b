//! The dense step.

use crate::backend::{IS_SCALAR, detected, few, few_decayed, run_slices_detected, run_slices_undetected};
use crate::error::check_length;
use crate::kernel::{
    Any, Class, Decayed, Few, Flags, LONG_IF_FAST, Long, Rule, SHORT, SHORT_OF_ANY, Short, Usual, never,
};
use crate::{Adagrad, Backend, Error, Report};

/// Steps.
impl Adagrad {
    /// One step for every parameter, by the formula at [`Adagrad`]. The three slices have the same length, which may be
    /// 0.
    ///
    /// Splitting a call into several, over parts of the slices, gives the same bits.
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
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn step(&self, params: &mut [f32], grads: &[f32], accumulator: &mut [f32]) -> Result<Report, Error> {
        check_length("grads", params.len(), grads.len())?;
        check_length("accumulator", params.len(), accumulator.len())?;
        let skipped = if !IS_SCALAR && params.len() < FEW && !self.rule.flags.any(Flags::NOT_FOR_FEW) {
            few(&self.rule, params, grads, accumulator)
        } else {
            self.validate()?;
            match self.backend {
                Some(backend) if !IS_SCALAR => {
                    forced(backend, &self.rule, params, grads, accumulator).ok_or(Error::Unavailable { backend })?
                }
                Some(backend) if !backend.is_available() => return Err(Error::Unavailable { backend }),
                _ => detected(&self.rule, params, grads, accumulator),
            }
        };
        Ok(Report { skipped, out_of_range: 0 })
    }

    /// [`Adagrad::step`], and then sets every gradient to 0, ready to accumulate the next ones. Gradients are cleared
    /// while they are in the cache, so the step goes through memory only once.
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
        check_available(self.backend)?;
        let (w_parts, w_rest) = params.as_chunks_mut::<PART>();
        let (g_parts, g_rest) = grads.as_chunks_mut::<PART>();
        let (a_parts, a_rest) = accumulator.as_chunks_mut::<PART>();
        let mut skipped = 0;
        for ((w, g), a) in w_parts.iter_mut().zip(g_parts).zip(a_parts) {
            skipped += self.step(w, g, a)?.skipped;
            g.fill(0.0);
        }
        skipped += self.step(w_rest, g_rest, a_rest)?.skipped;
        g_rest.fill(0.0);
        Ok(Report { skipped, out_of_range: 0 })
    }

    /// All that a dense step checks, but for the backend.
    #[inline(always)]
    pub(super) fn check_dense(&self, params: &[f32], grads: &[f32], accumulator: &[f32]) -> Result<(), Error> {
        check_length("grads", params.len(), grads.len())?;
        check_length("accumulator", params.len(), accumulator.len())?;
        self.validate()
    }
}

/// Whether the backend that was asked for, if one was, is there.
#[cfg_attr(not(debug_assertions), inline)]
pub(super) fn check_available(backend: Option<Backend>) -> Result<(), Error> {
    match backend {
        Some(backend) if !backend.is_available() => Err(Error::Unavailable { backend }),
        _ => Ok(()),
    }
}

/// The step on the detected backend. It is called by way of [`detected`].
#[inline(always)]
pub(crate) fn dense_detected(rule: &Rule<f32>, w: &mut [f32], g: &[f32], a: &mut [f32]) -> usize {
    let len = w.len();
    if !rule.flags.any(Usual::WITHOUT) {
        if IS_SCALAR || len < SHORT && !(rule.flags.is_fast() && len >= LONG_IF_FAST) {
            run_slices_detected::<Short<Usual>>(rule, w, g, a)
        } else {
            run_slices_detected::<Long<Usual>>(rule, w, g, a)
        }
    } else if !IS_SCALAR && len < SHORT && !rule.flags.any(Decayed::WITHOUT) {
        run_slices_detected::<Short<Decayed>>(rule, w, g, a)
    } else if !IS_SCALAR && len < SHORT_OF_ANY {
        run_slices_detected::<Short<Any>>(rule, w, g, a)
    } else {
        run_slices_detected::<Long<Any>>(rule, w, g, a)
    }
}

/// The step of a few elements. It is called by way of [`few`].
#[inline(always)]
pub(crate) fn dense_few(rule: &Rule<f32>, w: &mut [f32], g: &[f32], a: &mut [f32]) -> usize {
    if rule.flags.any(Flags::DECAY) {
        few_decayed(rule, w, g, a)
    } else {
        run_slices_undetected::<Few<Usual>>(rule, w, g, a)
    }
}

/// The same with weight decay. It is called by way of [`few_decayed`].
#[inline(always)]
pub(crate) fn dense_few_decayed(rule: &Rule<f32>, w: &mut [f32], g: &[f32], a: &mut [f32]) -> usize {
    run_slices_undetected::<Few<Decayed>>(rule, w, g, a)
}

/// Not inlined: it is compiled with this crate, and not with each that calls it.
#[inline(never)]
fn forced(backend: Backend, rule: &Rule<f32>, w: &mut [f32], g: &[f32], a: &mut [f32]) -> Option<usize> {
    if rule.flags.any(Flags::UNUSUAL) {
        backend.run_slices::<Long<Any>>(rule, w, g, a)
    } else {
        backend.run_slices::<Long<Usual>>(rule, w, g, a)
    }
}

/// The step of a row of a table, on the backend that was asked for, which is available.
#[inline(always)]
pub(super) fn dense_row(backend: Option<Backend>, rule: &Rule<f32>, w: &mut [f32], g: &[f32], a: &mut [f32]) -> usize {
    let Some(backend) = backend else {
        return if w.len() < FEW && !rule.flags.any(Flags::NOT_FOR_FEW) {
            few(rule, w, g, a)
        } else {
            detected(rule, w, g, a)
        };
    };
    let Some(skipped) = forced(backend, rule, w, g, a) else { never!("it is available") };
    skipped
}

/// Fewer elements are stepped without asking for the CPU's features: see docs/decisions.md, "Up to 7 elements without
/// detection".
const FEW: usize = 8;
