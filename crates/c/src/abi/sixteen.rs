//! What the functions of `bf16.rs` and `f16.rs` have in common.

use super::{array, array_mut, done, read};
use crate::pointers::{apart, span};
use crate::rounding::Rounding;
use crate::sixteen::Rounded;
use crate::status::Status;

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
