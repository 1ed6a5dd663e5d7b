//! The step as one would write it in a loop, compiled for the default target: as a function for Rust, and in a shared library
//! for Python.

use core::slice;

/// One step with ε outside the root.
#[inline]
pub fn step(params: &mut [f32], grads: &[f32], accumulator: &mut [f32], learning_rate: f32, epsilon: f32) {
    for ((w, g), a) in params.iter_mut().zip(grads).zip(accumulator) {
        *a += g * g;
        *w -= learning_rate * g / (a.sqrt() + epsilon);
    }
}

/// One step for each of some rows, in turn.
#[inline(never)]
pub fn rows(
    params: &mut [f32],
    accumulator: &mut [f32],
    dim: usize,
    rows: &[u64],
    grads: &[f32],
    (learning_rate, epsilon): (f32, f32),
) {
    for (row, g) in rows.iter().zip(grads.chunks_exact(dim)) {
        let start = *row as usize * dim;
        step(&mut params[start..][..dim], g, &mut accumulator[start..][..dim], learning_rate, epsilon);
    }
}

/// One step for each of some rows with one accumulator, in turn.
#[inline(never)]
pub fn row_wise(
    params: &mut [f32],
    accumulator: &mut [f32],
    dim: usize,
    rows: &[u64],
    grads: &[f32],
    (learning_rate, epsilon): (f32, f32),
) {
    for (row, g) in rows.iter().zip(grads.chunks_exact(dim)) {
        let row = *row as usize;
        let a = &mut accumulator[row];
        *a += g.iter().map(|g| g * g).sum::<f32>() / dim as f32;
        let rate = learning_rate / (a.sqrt() + epsilon);
        for (w, g) in params[row * dim..][..dim].iter_mut().zip(g) {
            *w -= rate * g;
        }
    }
}

/// [`step`] for Python.
///
/// # Safety
///
/// All three arrays have `n` values.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn naive_step(
    params: *mut f32,
    grads: *const f32,
    accumulator: *mut f32,
    n: usize,
    learning_rate: f32,
    epsilon: f32,
) {
    // SAFETY: by the caller's promise; NumPy's arrays are aligned and do not overlap.
    let (w, g, a) = unsafe {
        (
            slice::from_raw_parts_mut(params, n),
            slice::from_raw_parts(grads, n),
            slice::from_raw_parts_mut(accumulator, n),
        )
    };
    step(w, g, a, learning_rate, epsilon);
}

/// A table, the rows of it that are stepped, and their gradients.
#[repr(C)]
pub struct Rows {
    params: *mut f32,
    accumulator: *mut f32,
    table_rows: usize,
    dim: usize,
    rows: *const u64,
    grads: *const f32,
    count: usize,
    learning_rate: f32,
    epsilon: f32,
    row_wise: u32,
}

/// [`rows`] or [`row_wise`] for Python.
///
/// # Safety
///
/// The arrays have the lengths that the table and its rows need.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn naive_rows(call: &Rows) {
    let Rows { table_rows, dim, count, learning_rate, epsilon, .. } = *call;
    let sums = if call.row_wise == 0 { table_rows * dim } else { table_rows };
    // SAFETY: by the caller's promise; NumPy's arrays are aligned and do not overlap.
    let (w, a, r, g) = unsafe {
        (
            slice::from_raw_parts_mut(call.params, table_rows * dim),
            slice::from_raw_parts_mut(call.accumulator, sums),
            slice::from_raw_parts(call.rows, count),
            slice::from_raw_parts(call.grads, count * dim),
        )
    };
    let loop_over = if call.row_wise == 0 { rows } else { row_wise };
    loop_over(w, a, dim, r, g, (learning_rate, epsilon));
}
