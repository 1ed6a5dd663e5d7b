//! What functions for several types have in common.

use super::{array, array_mut, finished, read, without_report};
use crate::calls::Report;
use crate::options::Options;
use crate::pointers::{apart, optional, span};
use crate::status::Status;
use crate::steps::Steps;
use crate::table::{Over, Table, Value};

/// A step of three arrays.
///
/// # Safety
/// C's promise for all arguments.
#[inline(always)]
pub unsafe fn step<P: Value, G, A: Value>(
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
