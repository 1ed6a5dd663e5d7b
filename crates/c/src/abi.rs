//! The functions that C calls with pointers, here and in `abi/`: all `unsafe` blocks of this package. Each checks its pointers,
//! makes slices of them, and hands these to safe code. What C promises, because no check can tell, is that a pointer that is
//! not null leads to as many initialized values as the call says, which nothing else writes meanwhile.
#![expect(unsafe_code, reason = "pointers become slices here, and names are exported")]

#[cfg(feature = "half")]
mod bf16;
#[cfg(feature = "half")]
mod f16;
mod generic;
mod regularized;
#[cfg(feature = "half")]
mod sixteen;
mod table;

use core::ffi::{CStr, c_char};
use core::{ptr, slice};

use adagrad_rs::{RowIndex, Table, all_finite, coalesce, sum_of_squares};

use crate::calls::{self, Outcome, Report, Summary};
use crate::options::Options;
use crate::pointers::{apart, optional, span};
use crate::schedule::Schedule;
use crate::status::Status;
use crate::steps::Floats;

/// # Safety
/// [`span`] has accepted the array, it holds `len` initialized values, and nothing writes them while the slice lives.
#[inline(always)]
unsafe fn array<'a, T>(start: *const T, len: usize) -> &'a [T] {
    // SAFETY: where `len` is not 0, `span` has seen that the pointer is not null, that it is aligned, and that the array
    // does not wrap around the address space; the rest is the caller's.
    if len == 0 { &[] } else { unsafe { slice::from_raw_parts(start, len) } }
}

/// # Safety
/// As [`array`], and nothing reads the values either: [`apart`] has accepted the array and each other one of the call.
#[inline(always)]
unsafe fn array_mut<'a, T>(start: *mut T, len: usize) -> &'a mut [T] {
    // SAFETY: as in `array`.
    if len == 0 { &mut [] } else { unsafe { slice::from_raw_parts_mut(start, len) } }
}

/// # Safety
/// A pointer that is neither null nor misaligned leads to an initialized value.
#[inline(always)]
unsafe fn read<T: Copy>(pointer: *const T) -> Result<T, Status> {
    span(pointer, 1)?;
    // SAFETY: `span` has seen that it is neither null nor misaligned.
    Ok(unsafe { ptr::read(pointer) })
}

/// # Safety
/// A pointer that [`span`] accepts leads to memory for a value, and no slice of it lives.
#[inline(always)]
unsafe fn write<T>(pointer: *mut T, value: T) -> Result<(), Status> {
    span(pointer, 1)?;
    // SAFETY: `span` has seen that it is neither null nor misaligned.
    unsafe { ptr::write(pointer, value) };
    Ok(())
}

/// The status of a call whose slices live no more; its report goes where C wants it, if anywhere.
///
/// # Safety
/// As [`write`].
#[inline(always)]
unsafe fn finished(outcome: Outcome, report: *mut Report) -> Status {
    let (status, value) = match outcome {
        Ok(value) => (Status::Ok, value),
        Err(error) => error,
    };
    if !report.is_null() && report.is_aligned() {
        // SAFETY: it is neither null nor misaligned; the rest is the caller's.
        unsafe { ptr::write(report, value) };
    }
    status
}

fn without_report(status: Status) -> (Status, Report) {
    (status, Report::NONE)
}

fn done(result: Result<(), Status>) -> Status {
    result.err().unwrap_or(Status::Ok)
}

/// The name of the first field of the options that is out of its range; null if there is none, or if options is null or
/// misaligned. Do not free it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn adagrad_bad_option(options: *const Options) -> *const c_char {
    // SAFETY: by C's promise.
    let options = unsafe { read(options) };
    options.ok().and_then(|options| options.bad()).map_or(ptr::null(), CStr::as_ptr)
}

/// One step for each of n parameters, by the formula at adagrad_options. All three arrays have n values. report may be
/// null. Several calls over parts of the arrays give the same bits as one.
///
/// Errors: NULL, MISALIGNED, OVERLAP, LENGTH, OPTION, UNAVAILABLE.
#[unsafe(no_mangle)]
#[rustfmt::skip] // a line each would be long
pub unsafe extern "C" fn adagrad_step(
    options: *const Options, params: *mut f32, grads: *const f32, accumulator: *mut f32, n: usize, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { generic::step(options, (params, grads, accumulator, n), Ok(Floats), report) }
}

/// adagrad_step, and then sets all gradients to 0 while they are in the cache.
///
/// Errors: those of adagrad_step.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_step_and_zero(
    options: *const Options, params: *mut f32, grads: *mut f32, accumulator: *mut f32, n: usize, report: *mut Report,
) -> Status {
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
        let (w, g, a) = unsafe { (array_mut(params, n), array_mut(grads, n), array_mut(accumulator, n)) };
        Ok(calls::step_and_zero(&options.decoded(), w, g, a))
    };
    // SAFETY: by C's promise; the slices are gone.
    unsafe { finished(call().unwrap_or_else(|status| Err(without_report(status))), report) }
}

/// A table and the gradients of some of its rows, as C gives them.
struct Rows<I> {
    params: *mut f32,
    accumulator: *mut f32,
    table_rows: usize,
    dim: usize,
    rows: *const I,
    grads: *const f32,
    count: usize,
}

impl<I: RowIndex> Rows<I> {
    /// # Safety
    /// C's promise for `options`, `report` and all arrays.
    #[inline(always)]
    unsafe fn step<const ROW_WISE: bool>(self, options: *const Options, report: *mut Report) -> Status {
        let Self { params, accumulator, table_rows, dim, rows, grads, count } = self;
        let call = || {
            // SAFETY: by C's promise.
            let options = unsafe { read(options) }?;
            options.check()?;
            optional(report)?;
            let len = table_rows.checked_mul(dim).ok_or(Status::Length)?;
            let sums = if ROW_WISE { table_rows } else { len };
            let values = count.checked_mul(dim).ok_or(Status::Length)?;
            if dim == 0 {
                return Err(Status::Dim);
            }
            let (w, a) = (span(params, len)?, span(accumulator, sums)?);
            let (r, g) = (span(rows, count)?, span(grads, values)?);
            apart(w, a)?;
            for written in [w, a] {
                apart(written, r)?;
                apart(written, g)?;
            }
            // SAFETY: the arrays have been checked, and those that are written against each other one.
            let (w, a) = unsafe { (array_mut(params, len), array_mut(accumulator, sums)) };
            // SAFETY: the same.
            let (r, g) = unsafe { (array(rows, count), array(grads, values)) };
            let table = if ROW_WISE { Table::row_wise(w, a, dim) } else { Table::new(w, a, dim) };
            Ok(calls::step_rows(&options.decoded(), table, r, g))
        };
        // SAFETY: by C's promise; the slices are gone.
        unsafe { finished(call().unwrap_or_else(|status| Err(without_report(status))), report) }
    }
}

/// One step for each of count rows of a table, in their order. params and accumulator have table_rows*dim values, rows
/// has count, grads has count*dim. A row that appears twice gets two steps: see adagrad_coalesce_u32. report may be null.
///
/// Errors: NULL, MISALIGNED, OVERLAP, LENGTH, DIM, ROW, OPTION, UNAVAILABLE.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_step_rows_u32(
    options: *const Options, params: *mut f32, accumulator: *mut f32, table_rows: usize, dim: usize,
    rows: *const u32, grads: *const f32, count: usize, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { Rows { params, accumulator, table_rows, dim, rows, grads, count }.step::<false>(options, report) }
}

/// adagrad_step_rows_u32 with indices of 64 bits.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_step_rows_u64(
    options: *const Options, params: *mut f32, accumulator: *mut f32, table_rows: usize, dim: usize,
    rows: *const u64, grads: *const f32, count: usize, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { Rows { params, accumulator, table_rows, dim, rows, grads, count }.step::<false>(options, report) }
}

/// adagrad_step_rows_u32 with one accumulator per row, FBGEMM's row-wise Adagrad: accumulator has table_rows values, and
/// the mean of a row's squared gradients stands for g*g.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_step_row_wise_u32(
    options: *const Options, params: *mut f32, accumulator: *mut f32, table_rows: usize, dim: usize,
    rows: *const u32, grads: *const f32, count: usize, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { Rows { params, accumulator, table_rows, dim, rows, grads, count }.step::<true>(options, report) }
}

/// adagrad_step_row_wise_u32 with indices of 64 bits.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_step_row_wise_u64(
    options: *const Options, params: *mut f32, accumulator: *mut f32, table_rows: usize, dim: usize,
    rows: *const u64, grads: *const f32, count: usize, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { Rows { params, accumulator, table_rows, dim, rows, grads, count }.step::<true>(options, report) }
}

/// # Safety
/// C's promise for all arrays.
#[inline(always)]
unsafe fn coalesced<I: RowIndex>(
    rows: *mut I,
    grads: *mut f32,
    (count, dim): (usize, usize),
    scratch: *mut usize,
    scratch_len: usize,
    distinct: *mut usize,
) -> Result<(), Status> {
    let values = count.checked_mul(dim).ok_or(Status::Length)?;
    span(distinct, 1)?;
    let (r, g, s) = (span(rows, count)?, span(grads, values)?, span(scratch, scratch_len)?);
    apart(r, g)?;
    apart(r, s)?;
    apart(g, s)?;
    // SAFETY: the arrays have been checked, and against each other; the rest is C's promise.
    let (r, g, s) = unsafe { (array_mut(rows, count), array_mut(grads, values), array_mut(scratch, scratch_len)) };
    let n = coalesce(r, g, dim, s)?;
    // SAFETY: by C's promise; the slices are gone.
    unsafe { write(distinct, n) }
}

/// Sums the gradients of rows that appear more than once, in place, as PyTorch does before a step. rows has count
/// values, grads has count*dim, scratch has scratch_len: at least count, and better 2*count. distinct is then the number of
/// rows, which come first in rows and grads, in order of their first occurrence. What follows them is unspecified.
///
/// Errors: NULL, MISALIGNED, OVERLAP, LENGTH, DIM.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_coalesce_u32(
    rows: *mut u32, grads: *mut f32, count: usize, dim: usize,
    scratch: *mut usize, scratch_len: usize, distinct: *mut usize,
) -> Status {
    // SAFETY: by C's promise.
    done(unsafe { coalesced(rows, grads, (count, dim), scratch, scratch_len, distinct) })
}

/// adagrad_coalesce_u32 with indices of 64 bits.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_coalesce_u64(
    rows: *mut u64, grads: *mut f32, count: usize, dim: usize,
    scratch: *mut usize, scratch_len: usize, distinct: *mut usize,
) -> Status {
    // SAFETY: by C's promise.
    done(unsafe { coalesced(rows, grads, (count, dim), scratch, scratch_len, distinct) })
}

/// The learning rate of a step, for the options' learning_rate. Steps count from 1. NaN, which every step refuses, if
/// schedule is null or misaligned, or one of its numbers has no meaning.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn adagrad_schedule_at(schedule: *const Schedule, step: u64) -> f32 {
    // SAFETY: by C's promise.
    unsafe { read(schedule) }.map_or(f32::NAN, |schedule| schedule.at(step))
}

/// The sum of the squares of n values. For a norm of several arrays, add their sums.
///
/// Errors: NULL, MISALIGNED, LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn adagrad_sum_of_squares(values: *const f32, n: usize, sum: *mut f64) -> Status {
    done(span(values, n).and_then(|_| span(sum, 1)).and_then(|_| {
        // SAFETY: the array has been checked, and the slice is gone when the sum is written; the rest is C's promise.
        unsafe { write(sum, sum_of_squares(array(values, n))) }
    }))
}

/// Whether none of n values is infinite or NaN.
///
/// Errors: NULL, MISALIGNED, LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn adagrad_all_finite(values: *const f32, n: usize, answer: *mut bool) -> Status {
    done(span(values, n).and_then(|_| {
        // SAFETY: the array has been checked, and the slice is gone when the answer is written; the rest is C's promise.
        unsafe { write(answer, all_finite(array(values, n))) }
    }))
}

/// Checks that each of n accumulators is finite and not negative: for a state that was loaded. report may be null.
///
/// Errors: ACCUMULATOR, with the position in the report; NULL, MISALIGNED, LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn adagrad_check_accumulator(accumulator: *const f32, n: usize, report: *mut Report) -> Status {
    let outcome = match optional(report).and_then(|()| span(accumulator, n)) {
        // SAFETY: the array has been checked; the rest is C's promise.
        Ok(_) => calls::state(unsafe { array(accumulator, n) }),
        Err(status) => Err(without_report(status)),
    };
    // SAFETY: by C's promise; the slice is gone.
    unsafe { finished(outcome, report) }
}

/// The effective learning rates of n accumulators: learning_rate/d, infinite where d is 0. rates has n values.
///
/// Errors: those of adagrad_step.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_effective_rates(
    options: *const Options, accumulator: *const f32, rates: *mut f32, n: usize,
) -> Status {
    let call = || {
        // SAFETY: by C's promise.
        let options = unsafe { read(options) }?;
        options.check()?;
        apart(span(accumulator, n)?, span(rates, n)?)?;
        // SAFETY: the arrays have been checked, and against each other; the rest is C's promise.
        let (accumulator, rates) = unsafe { (array(accumulator, n), array_mut(rates, n)) };
        Ok(options.decoded().effective_rates(accumulator, rates)?)
    };
    done(call())
}

/// A summary of the effective learning rates of n accumulators: how many are below the threshold, and how many
/// accumulators a gradient of the given size no longer changes.
///
/// Errors: NULL, MISALIGNED, LENGTH, OPTION, UNAVAILABLE.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_summarize(
    options: *const Options, accumulator: *const f32, n: usize, threshold: f32, gradient: f32, summary: *mut Summary,
) -> Status {
    let call = || {
        // SAFETY: by C's promise.
        let options = unsafe { read(options) }?;
        options.check()?;
        span(accumulator, n)?;
        // SAFETY: the array has been checked; the rest is C's promise.
        let values = unsafe { array(accumulator, n) };
        let result = options.decoded().summary(values, threshold, gradient)?;
        // SAFETY: by C's promise; the slice is not used any more.
        unsafe { write(summary, result.into()) }
    };
    done(call())
}

/// No panic is reachable, which linking proves: this function, if it is linked, calls one that does not exist.
#[cfg(not(test))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: nothing that is linked calls it, because it is nowhere defined.
    unsafe extern "C" {
        safe fn adagrad_a_panic_is_reachable() -> !;
    }
    adagrad_a_panic_is_reachable()
}
