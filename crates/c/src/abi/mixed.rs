//! Steps of 16-bit types with pointers, for the functions that C calls in `bf16` and `f16`.

use adagrad_rs::{Element, RowIndex};

use super::{array, array_mut, done, read, table};
use crate::calls::{self, Report};
use crate::options::Options;
use crate::pointers::{apart, span};
use crate::rounding::Rounding;
use crate::status::Status;
use crate::table::{Bags, Behind, Table};

/// # Safety
/// C's promise for all arguments.
#[inline(always)]
pub unsafe fn step<P: Element, G: Element, A: Element>(
    options: *const Options,
    arrays: (*mut P, *const G, *mut A, usize),
    rounding: *const Rounding,
    report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe {
        let rounding = read(rounding);
        super::step(options, arrays, report, |options, w, g, a| {
            Ok(calls::outcome(options.step_mixed(w, g, a, rounding?.decoded()?)))
        })
    }
}

/// # Safety
/// C's promise for all arguments.
#[inline(always)]
pub unsafe fn step_rows<P: Behind<A>, A: Element, G: Element, I: RowIndex>(
    options: *const Options,
    table: *const Table<P, A>,
    gradients: (*const I, *const G, usize),
    rounding: *const Rounding,
    report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe {
        let rounding = read(rounding);
        table::step(options, table, gradients, report, |options, table, (w, a), r, g| {
            Ok(calls::outcome(options.step_mixed_rows(&mut table.mixed(w, a)?, r, g, rounding?.decoded()?)))
        })
    }
}

/// # Safety
/// C's promise for all arguments.
#[inline(always)]
pub unsafe fn step_bags<P: Behind<A>, A: Element, G: Element, I: RowIndex>(
    options: *const Options,
    table: *const Table<P, A>,
    gradients: (*const Bags<I>, *const G, *mut f32),
    rounding: *const Rounding,
    report: *mut Report,
) -> Status {
    let room = |table: &Table<P, A>, _: &Bags<I>| table.columns;
    // SAFETY: by C's promise.
    unsafe {
        let rounding = read(rounding);
        table::step_bags(options, table, gradients, report, room, |options, table, (w, a), bags, g, s| {
            Ok(calls::outcome(options.step_mixed_bags(&mut table.mixed(w, a)?, bags, g, s, rounding?.decoded()?)))
        })
    }
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
