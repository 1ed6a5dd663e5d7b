//! What functions for several types have in common.

use adagrad_rs::Element;

use super::{array, array_mut, done, finished, read, without_report};
use crate::calls::Report;
use crate::options::Options;
use crate::pointers::{apart, optional, span};
use crate::rounding::Rounding;
use crate::status::Status;
use crate::steps::{Rounded, Steps};
use crate::table::{Over, Table};

/// A step of three arrays.
///
/// # Safety
/// C's promise for all arguments.
#[inline(always)]
pub unsafe fn step<P: Element, G, A: Element>(
    options: *const Options,
    (params, grads, accumulator, n): (*mut P, *const G, *mut A, usize),
    steps: Result<impl Steps<P, G, A>, Status>,
    report: *mut Report,
) -> Status
where
    Table<P, A>: Over<P, A>,
{
    let call = || {
        // SAFETY: by C's promise.
        let options = unsafe { read(options) }?;
        options.check()?;
        optional(report)?;
        let (w, g, a) = (span(params, n)?, span(grads, n)?, span(accumulator, n)?);
        apart(w, g)?;
        apart(w, a)?;
        apart(a, g)?;
        // SAFETY: the arrays have been checked, and against each other; the rest is C's promise.
        let (w, g, a) = unsafe { (array_mut(params, n), array(grads, n), array_mut(accumulator, n)) };
        Ok(steps?.dense(&options.decoded(), w, g, a))
    };
    // SAFETY: by C's promise; the slices are gone.
    unsafe { finished(call().unwrap_or_else(|status| Err(without_report(status))), report) }
}

/// # Safety
/// As [`read`].
#[inline(always)]
pub unsafe fn rounded(rounding: *const Rounding) -> Result<Rounded, Status> {
    // SAFETY: by C's promise.
    unsafe { read(rounding) }?.decoded().map(Rounded)
}

/// # Safety
/// C's promise for both arrays.
#[inline(always)]
pub unsafe fn converted<S: Copy, T>(from: *const S, to: *mut T, n: usize, convert: impl Fn(S) -> T) -> Status {
    let call = || {
        apart(span(from, n)?, span(to, n)?)?;
        // SAFETY: the arrays have been checked, and against each other; the rest is C's promise.
        let (from, to) = unsafe { (array(from, n), array_mut(to, n)) };
        for (from, to) in from.iter().zip(to) {
            *to = convert(*from);
        }
        Ok(())
    };
    done(call())
}
