//! What C does with an `adagrad_table`.

use adagrad_rs::{Bags as RustBags, RowIndex, partition};

use super::{array, array_mut, finished, read, without_report};
use crate::calls::{self, Outcome, Report};
use crate::options::Options;
use crate::pointers::{Span, apart, optional, span};
use crate::status::Status;
use crate::steps::{Floats, Steps};
use crate::table::{Bags, Over, Owners, Table, Value};

/// The crate's form of a table, apart from the other arrays of the call.
///
/// # Safety
/// C's promise for the table's arrays.
#[inline(always)]
pub(super) unsafe fn opened<'a, P: Value, A: Value, const N: usize>(
    table: &Table<P, A>,
    others: [Span; N],
) -> Result<<Table<P, A> as Over<P, A>>::Rust<'a>, Status>
where
    Table<P, A>: Over<P, A>,
{
    let (params, sums) = table.lengths()?;
    // An interleaved table has no second array, and its pointer is not followed.
    let (w, a) = (span(table.params, params)?, span(table.accumulator, sums)?);
    apart(w, a)?;
    for other in others {
        apart(w, other)?;
        apart(a, other)?;
    }
    // SAFETY: the arrays have been checked, and against each other one; the rest is C's promise.
    let (w, a) = unsafe { (array_mut(table.params, params), array_mut(table.accumulator, sums)) };
    Ok(table.over(w, a)?)
}

/// What a call returns, once its slices are gone.
///
/// # Safety
/// C's promise for the report.
#[inline(always)]
pub(super) unsafe fn ended(outcome: Result<Outcome, Status>, report: *mut Report) -> Status {
    // SAFETY: by C's promise.
    unsafe { finished(outcome.unwrap_or_else(|status| Err(without_report(status))), report) }
}

/// A step for rows of a table.
///
/// # Safety
/// C's promise for all arguments.
#[inline(always)]
pub unsafe fn step<P: Value, G, A: Value, I: RowIndex>(
    options: *const Options,
    table: *const Table<P, A>,
    (rows, grads, count): (*const I, *const G, usize),
    steps: Result<impl Steps<P, G, A>, Status>,
    report: *mut Report,
) -> Status
where
    Table<P, A>: Over<P, A>,
{
    let call = || {
        // SAFETY: by C's promise.
        let (options, table) = unsafe { (read(options)?, read(table)?) };
        options.check()?;
        optional(report)?;
        let values = table.gradients(count)?;
        let (r, g) = (span(rows, count)?, span(grads, values)?);
        // SAFETY: by C's promise; the arrays have been checked.
        let (mut table, r, g) = unsafe { (opened(&table, [r, g])?, array(rows, count), array(grads, values)) };
        Ok(steps?.rows(&options.decoded(), &mut table, r, g))
    };
    // SAFETY: by C's promise; the slices are gone.
    unsafe { ended(call(), report) }
}

/// One step for each of count rows of a table, in their order: adagrad_step_rows_u32 for all layouts. rows has count values,
/// grads has count*gradient_stride. A row that appears twice gets two steps. report may be null.
///
/// Errors: NULL, MISALIGNED, OVERLAP, LENGTH, UNKNOWN, DIM, ROW, OPTION, UNAVAILABLE.
#[unsafe(no_mangle)]
#[rustfmt::skip] // a line each would be long
pub unsafe extern "C" fn adagrad_table_step_u32(
    options: *const Options, table: *const Table<f32, f32>, rows: *const u32, grads: *const f32, count: usize, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { step(options, table, (rows, grads, count), Ok(Floats), report) }
}

/// adagrad_table_step_u32 with indices of 64 bits.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_table_step_u64(
    options: *const Options, table: *const Table<f32, f32>, rows: *const u64, grads: *const f32, count: usize, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { step(options, table, (rows, grads, count), Ok(Floats), report) }
}

/// A step for bags of rows.
///
/// # Safety
/// C's promise for all arguments.
#[inline(always)]
pub unsafe fn step_bags<P: Value, G, A: Value, I: RowIndex, S: Steps<P, G, A>>(
    options: *const Options,
    table: *const Table<P, A>,
    (bags, grads, scratch): (*const Bags<I>, *const G, *mut f32),
    steps: Result<S, Status>,
    report: *mut Report,
) -> Status
where
    Table<P, A>: Over<P, A>,
{
    let call = || {
        // SAFETY: by C's promise.
        let (options, table, bags) = unsafe { (read(options)?, read(table)?, read(bags)?) };
        options.check()?;
        optional(report)?;
        let (offsets, values) = (bags.offsets()?, table.gradients(bags.bags)?);
        let room = S::room(&table, &bags);
        let weights = if bags.weights.is_null() { 0 } else { bags.count };
        let (o, r, f) = (span(bags.offsets, offsets)?, span(bags.rows, bags.count)?, span(bags.weights, weights)?);
        let (g, s) = (span(grads, values)?, span(scratch, room)?);
        for other in [o, r, f, g] {
            apart(s, other)?;
        }
        // SAFETY: by C's promise; the arrays have been checked.
        let mut table = unsafe { opened(&table, [o, r, f, g, s]) }?;
        // SAFETY: the same.
        let (o, r, f) =
            unsafe { (array(bags.offsets, offsets), array(bags.rows, bags.count), array(bags.weights, weights)) };
        // SAFETY: the same.
        let (g, s) = unsafe { (array(grads, values), array_mut(scratch, room)) };
        let all = RustBags::new(o, r);
        let all = if bags.mean == 1 { all.map(RustBags::mean) } else { all };
        let all = if bags.weights.is_null() { all } else { all.and_then(|all| all.weighted(f)) };
        Ok(steps?.bags(&options.decoded(), &mut table, all, g, s))
    };
    // SAFETY: by C's promise; the slices are gone.
    unsafe { ended(call(), report) }
}

/// One step for each row of each bag, in that order, with the gradient of its bag: the bits of adagrad_table_step_u32 with a
/// copy of it for each row. With mean a row's gradient is the bag's, divided by the number of its rows; with weights it is
/// then multiplied by the row's. grads has bags*gradient_stride values. scratch has columns values; it may be null where
/// there is neither mean nor weights. report may be null.
///
/// Errors: those of adagrad_table_step_u32, and OFFSET.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_table_step_bags_u32(
    options: *const Options, table: *const Table<f32, f32>, bags: *const Bags<u32>, grads: *const f32, scratch: *mut f32,
    report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { step_bags(options, table, (bags, grads, scratch), Ok(Floats), report) }
}

/// adagrad_table_step_bags_u32 with indices of 64 bits.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_table_step_bags_u64(
    options: *const Options, table: *const Table<f32, f32>, bags: *const Bags<u64>, grads: *const f32, scratch: *mut f32,
    report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { step_bags(options, table, (bags, grads, scratch), Ok(Floats), report) }
}

/// # Safety
/// C's promise for all arguments.
#[inline(always)]
unsafe fn limit_norms<I: RowIndex>(
    table: *const Table<f32, f32>,
    rows: *const I,
    count: usize,
    max_norm: f32,
    report: *mut Report,
) -> Status {
    let call = || {
        // SAFETY: by C's promise.
        let table = unsafe { read(table) }?;
        optional(report)?;
        let r = span(rows, count)?;
        // SAFETY: by C's promise; the arrays have been checked.
        let (mut table, r) = unsafe { (opened(&table, [r])?, array(rows, count)) };
        Ok(calls::outcome(table.limit_norms(r, max_norm)))
    };
    // SAFETY: by C's promise; the slices are gone.
    unsafe { ended(call(), report) }
}

/// Scales back each of count rows whose norm, the root of its sum of squares, is more than max_norm: by max_norm/(norm +
/// 1e-7), as max_norm of torch.nn.Embedding does. Call it after a step. A row that is not finite is left as it is and counted
/// in the report, which may be null.
///
/// Errors: NULL, MISALIGNED, OVERLAP, LENGTH, UNKNOWN, DIM, ROW; OPTION if max_norm is negative or NaN.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_table_limit_norms_u32(
    table: *const Table<f32, f32>, rows: *const u32, count: usize, max_norm: f32, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { limit_norms(table, rows, count, max_norm, report) }
}

/// adagrad_table_limit_norms_u32 with indices of 64 bits.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_table_limit_norms_u64(
    table: *const Table<f32, f32>, rows: *const u64, count: usize, max_norm: f32, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { limit_norms(table, rows, count, max_norm, report) }
}

/// # Safety
/// C's promise for all arguments.
#[inline(always)]
unsafe fn decay_rows<I: RowIndex>(
    table: *const Table<f32, f32>,
    rows: *const I,
    count: usize,
    (learning_rate, weight_decay): (f32, f32),
    last_steps: *mut u32,
    step: u32,
    report: *mut Report,
) -> Status {
    let call = || {
        // SAFETY: by C's promise.
        let table = unsafe { read(table) }?;
        optional(report)?;
        let (r, l) = (span(rows, count)?, span(last_steps, table.rows)?);
        apart(r, l)?;
        let steps = table.rows;
        // SAFETY: by C's promise; the arrays have been checked.
        let (mut table, r) = unsafe { (opened(&table, [r, l])?, array(rows, count)) };
        // SAFETY: the same.
        let l = unsafe { array_mut(last_steps, steps) };
        Ok(calls::outcome(table.decay_rows(r, learning_rate, weight_decay, l, step)))
    };
    // SAFETY: by C's promise; the slices are gone.
    unsafe { ended(call(), report) }
}

/// Takes the decoupled decay that each of count rows owes since the step in which it was last seen: w = w*(1 -
/// learning_rate*weight_decay)^(step - last), the power rounded to float, and last = step. Call it before each step, with its
/// rows and its number, from 1 on, and at the end with all rows; the steps themselves are without decay. last_steps has a
/// value for each row of the table, and begins as 0. report may be null.
///
/// Errors: NULL, MISALIGNED, OVERLAP, LENGTH, UNKNOWN, DIM, ROW; OPTION if the rate or the decay is negative or not finite, or
/// their product is more than 1; STEP for a row that was last seen after step.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_table_decay_rows_u32(
    table: *const Table<f32, f32>, rows: *const u32, count: usize, learning_rate: f32, weight_decay: f32, last_steps: *mut u32,
    step: u32, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { decay_rows(table, rows, count, (learning_rate, weight_decay), last_steps, step, report) }
}

/// adagrad_table_decay_rows_u32 with indices of 64 bits.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_table_decay_rows_u64(
    table: *const Table<f32, f32>, rows: *const u64, count: usize, learning_rate: f32, weight_decay: f32, last_steps: *mut u32,
    step: u32, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { decay_rows(table, rows, count, (learning_rate, weight_decay), last_steps, step, report) }
}

/// # Safety
/// C's promise for all arguments.
#[inline(always)]
unsafe fn partitioned<I: RowIndex>(
    (rows, grads, count, dim): (*const I, *const f32, usize, usize),
    owners: *const Owners,
    (to_rows, to_grads): (*mut I, *mut f32),
    counts: *mut usize,
    report: *mut Report,
) -> Status {
    let call = || {
        // SAFETY: by C's promise.
        let owners = unsafe { read(owners) }?;
        optional(report)?;
        let values = count.checked_mul(dim).ok_or(Status::Length)?;
        let ends = if owners.ends.is_null() { 0 } else { owners.owners };
        let (r, g, e) = (span(rows, count)?, span(grads, values)?, span(owners.ends, ends)?);
        let written = [span(to_rows, count)?, span(to_grads, values)?, span(counts, owners.owners)?];
        for (i, array) in written.into_iter().enumerate() {
            for other in [r, g, e].into_iter().chain(written.into_iter().skip(i + 1)) {
                apart(array, other)?;
            }
        }
        // SAFETY: the arrays have been checked, and those that are written against each other one.
        let (r, g, e) = unsafe { (array(rows, count), array(grads, values), array(owners.ends, ends)) };
        // SAFETY: the same.
        let (to_rows, to_grads) = unsafe { (array_mut(to_rows, count), array_mut(to_grads, values)) };
        // SAFETY: the same.
        let counts = unsafe { array_mut(counts, owners.owners) };
        Ok(calls::done(partition(r, g, dim, owners.over(e), to_rows, to_grads, counts)))
    };
    // SAFETY: by C's promise; the slices are gone.
    unsafe { ended(call(), report) }
}

/// Sorts the gradients of count rows by who owns the rows. rows has count values, grads count*dim; to_rows and to_grads are as
/// long, and get those for owner 0 first, then those for owner 1, and so on, each in the order that it had. to_rows has the
/// row's index in its owner's own table: the row less the first of the range, or the row divided by the number of owners.
/// counts has a value for each owner: how many rows it got. report may be null. The owners' steps then give the bits that one
/// call gives for the whole table.
///
/// Errors: NULL, MISALIGNED, OVERLAP, LENGTH, DIM, ROW, OWNERS.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_partition_u32(
    rows: *const u32, grads: *const f32, count: usize, dim: usize, owners: *const Owners,
    to_rows: *mut u32, to_grads: *mut f32, counts: *mut usize, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { partitioned((rows, grads, count, dim), owners, (to_rows, to_grads), counts, report) }
}

/// adagrad_partition_u32 with indices of 64 bits.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_partition_u64(
    rows: *const u64, grads: *const f32, count: usize, dim: usize, owners: *const Owners,
    to_rows: *mut u64, to_grads: *mut f32, counts: *mut usize, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { partitioned((rows, grads, count, dim), owners, (to_rows, to_grads), counts, report) }
}
