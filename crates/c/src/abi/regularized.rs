//! Steps with L1 and L2, as C calls them.

use adagrad_rs::RowIndex;

use super::table::{ended, opened};
use super::{array, array_mut, read};
use crate::calls::{self, Outcome, Report};
use crate::pointers::{apart, optional, span};
use crate::regularized::Regularized;
use crate::status::Status;
use crate::table::Table;

/// What a call returns, without a report.
fn status(outcome: Result<Outcome, Status>) -> Status {
    match outcome {
        Ok(Ok(_)) => Status::Ok,
        Ok(Err((status, _))) | Err(status) => status,
    }
}

/// One step of FTRL-Proximal (McMahan et al., Ad Click Prediction, 2013) for each of n parameters w with gradient g,
/// accumulator G and linear term z, the same bits as TensorFlow's ApplyFtrl with a power of -1/2. z starts at 0. All four
/// arrays have n values. Each operation rounds once, and what overflows stays at FLT_MAX, but for z and w:
///
///     H = G + g*g
///     s = (sqrt(H) - sqrt(G))/learning_rate
///     z = z + (g - s*w)
///     d = sqrt(H)/learning_rate + 2*l2
///     w = (clamp(z, -l1, l1) - z)/d      so 0 where |z| is at most l1; nothing where d is 0
///     G = H
///
/// Errors: NULL, MISALIGNED, OVERLAP, LENGTH, OPTION, UNAVAILABLE.
#[unsafe(no_mangle)]
#[rustfmt::skip] // a line each would be long
pub unsafe extern "C" fn adagrad_ftrl_step(
    options: *const Regularized, params: *mut f32, grads: *const f32, accumulator: *mut f32, linear: *mut f32, n: usize,
) -> Status {
    let call = || {
        // SAFETY: by C's promise.
        let ftrl = unsafe { read(options) }?.ftrl()?;
        let (w, g) = (span(params, n)?, span(grads, n)?);
        let (a, z) = (span(accumulator, n)?, span(linear, n)?);
        for (one, other) in [(w, g), (w, a), (w, z), (a, g), (a, z), (z, g)] {
            apart(one, other)?;
        }
        // SAFETY: the arrays have been checked, and against each other; the rest is C's promise.
        let (w, g, a, z) =
            unsafe { (array_mut(params, n), array(grads, n), array_mut(accumulator, n), array_mut(linear, n)) };
        Ok(calls::done(ftrl.step(w, g, a, z)))
    };
    status(call())
}

/// One step of proximal Adagrad (Duchi, Hazan and Singer, 2011) for each of n parameters, as TensorFlow's
/// ApplyProximalAdagrad. All three arrays have n values. Each operation rounds once, and what overflows stays at FLT_MAX, but
/// for v and w:
///
///     G = G + g*g
///     r = learning_rate/sqrt(G)
///     v = w - r*g
///     w = (v - clamp(v, -r*l1, r*l1))/(1 + r*l2)      nothing where G is 0
///
/// Errors: those of adagrad_ftrl_step.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_proximal_step(
    options: *const Regularized, params: *mut f32, grads: *const f32, accumulator: *mut f32, n: usize,
) -> Status {
    let call = || {
        // SAFETY: by C's promise.
        let proximal = unsafe { read(options) }?.proximal()?;
        let (w, g, a) = (span(params, n)?, span(grads, n)?, span(accumulator, n)?);
        for (one, other) in [(w, g), (w, a), (a, g)] {
            apart(one, other)?;
        }
        // SAFETY: the arrays have been checked, and against each other; the rest is C's promise.
        let (w, g, a) = unsafe { (array_mut(params, n), array(grads, n), array_mut(accumulator, n)) };
        Ok(calls::done(proximal.step(w, g, a)))
    };
    status(call())
}

/// The gradients of some rows of a table, as C gives them. Without `linear` the step is a proximal one.
struct Rows<I> {
    table: *const Table<f32, f32>,
    linear: Option<*mut f32>,
    rows: *const I,
    grads: *const f32,
    count: usize,
}

impl<I: RowIndex> Rows<I> {
    /// # Safety
    /// C's promise for `options`, `report`, the table and all arrays.
    #[inline(always)]
    unsafe fn step(self, options: *const Regularized, report: *mut Report) -> Status {
        let Self { table, linear, rows, grads, count } = self;
        let call = || {
            // SAFETY: by C's promise.
            let (options, table) = unsafe { (read(options)?, read(table)?) };
            optional(report)?;
            let values = table.gradients(count)?;
            let terms = table.rows.checked_mul(table.dim).ok_or(Status::Length)?;
            let (r, g) = (span(rows, count)?, span(grads, values)?);
            let z = linear.map_or(Ok((0, 0)), |linear| span(linear, terms))?;
            apart(z, r)?;
            apart(z, g)?;
            // SAFETY: by C's promise; the arrays have been checked, and those that are written against each other one.
            let (mut table, r, g) = unsafe { (opened(&table, [r, g, z])?, array(rows, count), array(grads, values)) };
            Ok(calls::outcome(match linear {
                Some(linear) => {
                    // SAFETY: the same.
                    let z = unsafe { array_mut(linear, terms) };
                    options.ftrl()?.step_rows(&mut table, z, r, g)
                }
                None => options.proximal()?.step_rows(&mut table, r, g),
            }))
        };
        // SAFETY: by C's promise; the slices are gone.
        unsafe { ended(call(), report) }
    }
}

/// adagrad_ftrl_step for each of count rows of a table, in their order. The table has one accumulator per element, in any
/// layout. linear has rows*dim values of the table, laid out as params in adagrad_table_new. rows has count values, grads has
/// count*gradient_stride. A row that appears twice gets two steps; rows that the table passes over are passed over in linear,
/// too. report may be null.
///
/// Errors: those of adagrad_ftrl_step, UNKNOWN, DIM, ROW; LENGTH also for one accumulator per row.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_ftrl_step_rows_u32(
    options: *const Regularized, table: *const Table<f32, f32>, linear: *mut f32,
    rows: *const u32, grads: *const f32, count: usize, report: *mut Report,
) -> Status {
    let linear = Some(linear);
    // SAFETY: by C's promise.
    unsafe { Rows { table, linear, rows, grads, count }.step(options, report) }
}

/// adagrad_ftrl_step_rows_u32 with indices of 64 bits.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_ftrl_step_rows_u64(
    options: *const Regularized, table: *const Table<f32, f32>, linear: *mut f32,
    rows: *const u64, grads: *const f32, count: usize, report: *mut Report,
) -> Status {
    let linear = Some(linear);
    // SAFETY: by C's promise.
    unsafe { Rows { table, linear, rows, grads, count }.step(options, report) }
}

/// adagrad_proximal_step for each of count rows of a table, in their order: adagrad_ftrl_step_rows_u32 without linear.
///
/// Errors: those of adagrad_ftrl_step_rows_u32.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_proximal_step_rows_u32(
    options: *const Regularized, table: *const Table<f32, f32>,
    rows: *const u32, grads: *const f32, count: usize, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { Rows { table, linear: None, rows, grads, count }.step(options, report) }
}

/// adagrad_proximal_step_rows_u32 with indices of 64 bits.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_proximal_step_rows_u64(
    options: *const Regularized, table: *const Table<f32, f32>,
    rows: *const u64, grads: *const f32, count: usize, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { Rows { table, linear: None, rows, grads, count }.step(options, report) }
}
