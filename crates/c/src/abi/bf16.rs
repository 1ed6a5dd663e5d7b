//! The functions that C calls for `bf16`. Those for `f16` are made of this file by `header/`, as a copy with that name.

use core::ptr;

use half::bf16;

use super::generic::step;
use super::sixteen::{converted, rounded};
use super::table::{step as step_rows, step_bags};
use crate::calls::Report;
use crate::options::Options;
use crate::rounding::Rounding;
use crate::status::Status;
use crate::table::{Bags, Layout, Table};

/// adagrad_step of 16-bit params, grads and accumulator, with n values each. The arithmetic is that of adagrad_step, in float:
/// each result is rounded once, as rounding says, to be stored. d is made of G before that. ADAGRAD_NON_FINITE_SKIP looks at
/// values as they would be stored, and ADAGRAD_ARITHMETIC_FAST is exact here. report may be null. A call over a part of the
/// arrays gives the same bits if rounding.first says where it begins.
///
/// Errors: NULL, MISALIGNED, OVERLAP, LENGTH, OPTION, UNAVAILABLE; UNKNOWN for a number in rounding.
#[unsafe(no_mangle)]
#[rustfmt::skip] // a line each would be long
pub unsafe extern "C" fn adagrad_step_bf16(
    options: *const Options, params: *mut bf16, grads: *const bf16, accumulator: *mut bf16, n: usize,
    rounding: *const Rounding, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { step(options, (params, grads, accumulator, n), rounded(rounding), report) }
}

/// adagrad_step_bf16 with grads in float.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_step_bf16_grads_f32(
    options: *const Options, params: *mut bf16, grads: *const f32, accumulator: *mut bf16, n: usize,
    rounding: *const Rounding, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { step(options, (params, grads, accumulator, n), rounded(rounding), report) }
}

/// adagrad_step_bf16 with an accumulator in float.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_step_bf16_accumulator_f32(
    options: *const Options, params: *mut bf16, grads: *const bf16, accumulator: *mut f32, n: usize,
    rounding: *const Rounding, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { step(options, (params, grads, accumulator, n), rounded(rounding), report) }
}

/// adagrad_table_new of 16-bit params and accumulator.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub extern "C" fn adagrad_table_new_bf16(
    params: *mut bf16, accumulator: *mut bf16, rows: usize, dim: usize,
) -> Table<bf16, bf16> {
    Table::of(params, accumulator, rows, dim, Layout::ElementWise)
}

/// adagrad_table_new of 16-bit params and an accumulator in float.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub extern "C" fn adagrad_table_new_bf16_accumulator_f32(
    params: *mut bf16, accumulator: *mut f32, rows: usize, dim: usize,
) -> Table<bf16, f32> {
    Table::of(params, accumulator, rows, dim, Layout::ElementWise)
}

/// adagrad_table_row_wise of 16-bit params and accumulator.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub extern "C" fn adagrad_table_row_wise_bf16(
    params: *mut bf16, accumulator: *mut bf16, rows: usize, dim: usize,
) -> Table<bf16, bf16> {
    Table::of(params, accumulator, rows, dim, Layout::RowWise)
}

/// adagrad_table_row_wise of 16-bit params and an accumulator in float.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub extern "C" fn adagrad_table_row_wise_bf16_accumulator_f32(
    params: *mut bf16, accumulator: *mut f32, rows: usize, dim: usize,
) -> Table<bf16, f32> {
    Table::of(params, accumulator, rows, dim, Layout::RowWise)
}

/// adagrad_table_interleaved of 16-bit values.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub extern "C" fn adagrad_table_interleaved_bf16(memory: *mut bf16, rows: usize, dim: usize) -> Table<bf16, bf16> {
    Table::of(memory, ptr::null_mut(), rows, dim, Layout::Interleaved)
}

/// adagrad_table_interleaved_row_wise of 16-bit values.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub extern "C" fn adagrad_table_interleaved_row_wise_bf16(memory: *mut bf16, rows: usize, dim: usize) -> Table<bf16, bf16> {
    Table::of(memory, ptr::null_mut(), rows, dim, Layout::InterleavedRowWise)
}

/// adagrad_table_step_u32 of a 16-bit table and 16-bit grads, rounded as in adagrad_step_bf16. A row that appears twice gets two
/// steps, each with random bits of its own.
///
/// Errors: those of adagrad_table_step_u32; UNKNOWN for a number in rounding, too.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_table_step_bf16_u32(
    options: *const Options, table: *const Table<bf16, bf16>, rows: *const u32, grads: *const bf16, count: usize,
    rounding: *const Rounding, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { step_rows(options, table, (rows, grads, count), rounded(rounding), report) }
}

/// adagrad_table_step_bf16_u32 with indices of 64 bits.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_table_step_bf16_u64(
    options: *const Options, table: *const Table<bf16, bf16>, rows: *const u64, grads: *const bf16, count: usize,
    rounding: *const Rounding, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { step_rows(options, table, (rows, grads, count), rounded(rounding), report) }
}

/// adagrad_table_step_bf16_u32 with grads in float.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_table_step_bf16_grads_f32_u32(
    options: *const Options, table: *const Table<bf16, bf16>, rows: *const u32, grads: *const f32, count: usize,
    rounding: *const Rounding, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { step_rows(options, table, (rows, grads, count), rounded(rounding), report) }
}

/// adagrad_table_step_bf16_grads_f32_u32 with indices of 64 bits.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_table_step_bf16_grads_f32_u64(
    options: *const Options, table: *const Table<bf16, bf16>, rows: *const u64, grads: *const f32, count: usize,
    rounding: *const Rounding, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { step_rows(options, table, (rows, grads, count), rounded(rounding), report) }
}

/// adagrad_table_step_bf16_u32 with an accumulator in float, which cannot be interleaved.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_table_step_bf16_accumulator_f32_u32(
    options: *const Options, table: *const Table<bf16, f32>, rows: *const u32, grads: *const bf16, count: usize,
    rounding: *const Rounding, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { step_rows(options, table, (rows, grads, count), rounded(rounding), report) }
}

/// adagrad_table_step_bf16_accumulator_f32_u32 with indices of 64 bits.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_table_step_bf16_accumulator_f32_u64(
    options: *const Options, table: *const Table<bf16, f32>, rows: *const u64, grads: *const bf16, count: usize,
    rounding: *const Rounding, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { step_rows(options, table, (rows, grads, count), rounded(rounding), report) }
}

/// adagrad_table_step_bags_u32 of a 16-bit table and 16-bit grads, rounded as in adagrad_step_bf16. Gradients are divided and
/// multiplied in float, without being rounded to 16 bits. scratch has columns values of float, always: it is needed for bags
/// that are a sum, too. The position of a row is that among the rows of all bags.
///
/// Errors: those of adagrad_table_step_bags_u32; UNKNOWN for a number in rounding, too.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_table_step_bags_bf16_u32(
    options: *const Options, table: *const Table<bf16, bf16>, bags: *const Bags<u32>, grads: *const bf16,
    scratch: *mut f32, rounding: *const Rounding, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { step_bags(options, table, (bags, grads, scratch), rounded(rounding), report) }
}

/// adagrad_table_step_bags_bf16_u32 with indices of 64 bits.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_table_step_bags_bf16_u64(
    options: *const Options, table: *const Table<bf16, bf16>, bags: *const Bags<u64>, grads: *const bf16,
    scratch: *mut f32, rounding: *const Rounding, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { step_bags(options, table, (bags, grads, scratch), rounded(rounding), report) }
}

/// adagrad_table_step_bags_bf16_u32 with grads in float.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_table_step_bags_bf16_grads_f32_u32(
    options: *const Options, table: *const Table<bf16, bf16>, bags: *const Bags<u32>, grads: *const f32,
    scratch: *mut f32, rounding: *const Rounding, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { step_bags(options, table, (bags, grads, scratch), rounded(rounding), report) }
}

/// adagrad_table_step_bags_bf16_grads_f32_u32 with indices of 64 bits.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_table_step_bags_bf16_grads_f32_u64(
    options: *const Options, table: *const Table<bf16, bf16>, bags: *const Bags<u64>, grads: *const f32,
    scratch: *mut f32, rounding: *const Rounding, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { step_bags(options, table, (bags, grads, scratch), rounded(rounding), report) }
}

/// adagrad_table_step_bags_bf16_u32 with an accumulator in float, which cannot be interleaved.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_table_step_bags_bf16_accumulator_f32_u32(
    options: *const Options, table: *const Table<bf16, f32>, bags: *const Bags<u32>, grads: *const bf16,
    scratch: *mut f32, rounding: *const Rounding, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { step_bags(options, table, (bags, grads, scratch), rounded(rounding), report) }
}

/// adagrad_table_step_bags_bf16_accumulator_f32_u32 with indices of 64 bits.
#[unsafe(no_mangle)]
#[rustfmt::skip]
pub unsafe extern "C" fn adagrad_table_step_bags_bf16_accumulator_f32_u64(
    options: *const Options, table: *const Table<bf16, f32>, bags: *const Bags<u64>, grads: *const bf16,
    scratch: *mut f32, rounding: *const Rounding, report: *mut Report,
) -> Status {
    // SAFETY: by C's promise.
    unsafe { step_bags(options, table, (bags, grads, scratch), rounded(rounding), report) }
}

/// The nearest 16-bit values of n floats, of two the one whose last bit is 0. NaN stays NaN.
///
/// Errors: NULL, MISALIGNED, OVERLAP, LENGTH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn adagrad_bf16_from_f32(values: *const f32, converted: *mut bf16, n: usize) -> Status {
    // SAFETY: by C's promise.
    unsafe { self::converted(values, converted, n, bf16::from_f32) }
}

/// The floats that n 16-bit values are, exactly. NaN stays NaN.
///
/// Errors: those of adagrad_bf16_from_f32.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn adagrad_f32_from_bf16(values: *const bf16, converted: *mut f32, n: usize) -> Status {
    // SAFETY: by C's promise.
    unsafe { self::converted(values, converted, n, bf16::to_f32) }
}
