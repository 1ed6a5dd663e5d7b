//! The functions that C calls with values only: presets, schedules, and what statuses and backends are.
#![expect(unsafe_code, reason = "names are exported")]

use core::ffi::c_char;

use adagrad_rs::{Adagrad, clip_norm_scale};

use crate::options::{self, Options};
use crate::regularized::Regularized;
use crate::schedule::{Schedule, ScheduleBase};
use crate::status;
use crate::table::{Layout, Table};

/// Adagrad with epsilon 1e-8 outside the root, and all else off. A step from G = 0 moves a parameter by learning_rate.
#[unsafe(no_mangle)]
pub extern "C" fn adagrad_new(learning_rate: f32) -> Options {
    Adagrad::new(learning_rate).into()
}

/// torch.optim.Adagrad(fused=True), the same bits: epsilon 1e-10 outside the root, ADAGRAD_ARITHMETIC_FUSED. Its
/// weight_decay is ADAGRAD_DECAY_L2.
#[unsafe(no_mangle)]
pub extern "C" fn adagrad_pytorch(learning_rate: f32) -> Options {
    Adagrad::pytorch(learning_rate).into()
}

/// TensorFlow's ApplyAdagradV2, the same bits: epsilon 1e-7 outside the root; accumulators start at 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn adagrad_tensorflow(learning_rate: f32) -> Options {
    Adagrad::tensorflow(learning_rate).into()
}

/// keras.optimizers.Adagrad of Keras 3, the same bits: epsilon 1e-7 inside the root; accumulators start at 0.1. Its
/// weight_decay is ADAGRAD_DECAY_DECOUPLED.
#[unsafe(no_mangle)]
pub extern "C" fn adagrad_keras(learning_rate: f32) -> Options {
    Adagrad::keras(learning_rate).into()
}

/// FBGEMM's sparse and row-wise Adagrad, the same bits: epsilon 1e-8 outside the root.
#[unsafe(no_mangle)]
pub extern "C" fn adagrad_fbgemm(learning_rate: f32) -> Options {
    Adagrad::fbgemm(learning_rate).into()
}

/// optax.adagrad, but for its approximate reciprocal root: epsilon 1e-7 inside the root; accumulators start at 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn adagrad_optax(learning_rate: f32) -> Options {
    Adagrad::optax(learning_rate).into()
}

/// The step of GloVe's glove.c at this rate, in float. It multiplies gradients by the rate first, so that is the
/// gradient_scale here, and learning_rate is 1: ADAGRAD_ORDER_STEP_FIRST, epsilon 0; accumulators start at 1.
#[unsafe(no_mangle)]
pub extern "C" fn adagrad_glove(learning_rate: f32) -> Options {
    Adagrad::glove(learning_rate).into()
}

/// What a status says, in English. Any number may be given. Do not free it.
#[unsafe(no_mangle)]
pub extern "C" fn adagrad_status_message(status: i32) -> *const c_char {
    status::message(status).as_ptr()
}

/// The adagrad_backend that steps run on unless the options name one.
#[unsafe(no_mangle)]
pub extern "C" fn adagrad_detected_backend() -> u8 {
    options::detected()
}

/// A schedule with the same rate at every step.
#[unsafe(no_mangle)]
pub extern "C" fn adagrad_schedule_constant(rate: f64) -> Schedule {
    Schedule::constant(rate)
}

/// A schedule of rate/(1 + (t - 1)*decay).
#[unsafe(no_mangle)]
pub extern "C" fn adagrad_schedule_inverse_time(rate: f64, decay: f64) -> Schedule {
    Schedule { base: ScheduleBase::InverseTime as u8, decay, ..Schedule::constant(rate) }
}

/// A schedule of rate/sqrt(t).
#[unsafe(no_mangle)]
pub extern "C" fn adagrad_schedule_inverse_sqrt(rate: f64) -> Schedule {
    Schedule { base: ScheduleBase::InverseSqrt as u8, ..Schedule::constant(rate) }
}

/// The gradient_scale that limits the norm of all gradients to max_norm: max_norm/sqrt(sum) where that is below 1, and 1
/// elsewhere. NaN, which every step refuses, if an argument is negative or NaN.
#[unsafe(no_mangle)]
pub extern "C" fn adagrad_clip_norm_scale(sum_of_squares: f64, max_norm: f32) -> f32 {
    clip_norm_scale(sum_of_squares, max_norm)
}

/// A table with one accumulator per element: params and accumulator have rows*dim values, row by row.
#[unsafe(no_mangle)]
pub extern "C" fn adagrad_table_new(
    params: *mut f32,
    accumulator: *mut f32,
    rows: usize,
    dim: usize,
) -> Table<f32, f32> {
    Table::of(params, accumulator, rows, dim, Layout::ElementWise)
}

/// A table with one accumulator per row, FBGEMM's row-wise Adagrad: params has rows*dim values, accumulator has rows. A
/// row's G grows by the mean of its squared gradients.
#[unsafe(no_mangle)]
pub extern "C" fn adagrad_table_row_wise(
    params: *mut f32,
    accumulator: *mut f32,
    rows: usize,
    dim: usize,
) -> Table<f32, f32> {
    Table::of(params, accumulator, rows, dim, Layout::RowWise)
}

/// A table in one array of rows*2*dim values: each row has dim parameters, and behind them their accumulators.
#[unsafe(no_mangle)]
pub extern "C" fn adagrad_table_interleaved(memory: *mut f32, rows: usize, dim: usize) -> Table<f32, f32> {
    Table::of(memory, core::ptr::null_mut(), rows, dim, Layout::Interleaved)
}

/// A table in one array of rows*(dim + 1) values: each row has dim parameters, and behind them its one accumulator.
#[unsafe(no_mangle)]
pub extern "C" fn adagrad_table_interleaved_row_wise(memory: *mut f32, rows: usize, dim: usize) -> Table<f32, f32> {
    Table::of(memory, core::ptr::null_mut(), rows, dim, Layout::InterleavedRowWise)
}

/// Steps with L1 and L2, see adagrad_regularized. Each strength must be finite and at least 0.
#[unsafe(no_mangle)]
pub extern "C" fn adagrad_regularized_new(learning_rate: f32, l1: f32, l2: f32) -> Regularized {
    Regularized { learning_rate, l1, l2, backend: options::BackendKind::Detected as u8, reserved: [0; 3] }
}
