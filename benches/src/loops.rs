//! The step as one would write it in a loop, compiled for the default target: of slices and of rows, one for each option
//! that it is compared with.

use crate::{DECAY, EPSILON, L1, LEARNING_RATE};

/// A loop over parameters, their gradients, and their accumulators or their one accumulator.
pub trait Loop: Copy + Fn(&mut [f32], &[f32], &mut [f32]) {}
impl<F: Copy + Fn(&mut [f32], &[f32], &mut [f32])> Loop for F {}

/// One call, as one to another function would be: it is not compiled into the caller.
#[inline(never)]
pub fn whole(params: &mut [f32], grads: &[f32], accumulator: &mut [f32], run: impl Loop) {
    run(params, grads, accumulator);
}

#[inline(never)]
pub fn each_row(params: &mut [f32], accumulator: &mut [f32], dim: usize, rows: &[u32], grads: &[f32], run: impl Loop) {
    let accumulators = accumulator.len() / (params.len() / dim);
    for (row, g) in rows.iter().zip(grads.chunks_exact(dim)) {
        let row = *row as usize;
        let w = &mut params[row * dim..][..dim];
        run(w, g, &mut accumulator[row * accumulators..][..accumulators]);
    }
}

#[inline(always)]
pub fn naive(params: &mut [f32], grads: &[f32], accumulator: &mut [f32]) {
    for ((w, g), a) in params.iter_mut().zip(grads).zip(accumulator) {
        *a += g * g;
        *w -= LEARNING_RATE * g / (a.sqrt() + EPSILON);
    }
}

/// With ε inside the root.
#[inline(always)]
pub fn naive_inside(params: &mut [f32], grads: &[f32], accumulator: &mut [f32]) {
    for ((w, g), a) in params.iter_mut().zip(grads).zip(accumulator) {
        *a += g * g;
        *w -= LEARNING_RATE * g / (*a + EPSILON).sqrt();
    }
}

/// With L2 decay.
#[inline(always)]
pub fn naive_l2(params: &mut [f32], grads: &[f32], accumulator: &mut [f32]) {
    for ((w, g), a) in params.iter_mut().zip(grads).zip(accumulator) {
        let g = g + DECAY * *w;
        *a += g * g;
        *w -= LEARNING_RATE * g / (a.sqrt() + EPSILON);
    }
}

/// With one accumulator for the row.
#[inline(always)]
pub fn naive_row_wise(params: &mut [f32], grads: &[f32], accumulator: &mut [f32]) {
    accumulator[0] += grads.iter().map(|g| g * g).sum::<f32>() / grads.len() as f32;
    let rate = LEARNING_RATE / (accumulator[0].sqrt() + EPSILON);
    for (w, g) in params.iter_mut().zip(grads) {
        *w -= rate * g;
    }
}

/// Proximal Adagrad with L1.
#[inline(always)]
pub fn naive_proximal(params: &mut [f32], grads: &[f32], accumulator: &mut [f32]) {
    for ((w, g), a) in params.iter_mut().zip(grads).zip(accumulator) {
        *a += g * g;
        let rate = LEARNING_RATE / a.sqrt();
        let v = *w - rate * g;
        *w = v.signum() * (v.abs() - rate * L1).max(0.0);
    }
}

/// FTRL-Proximal with L1.
#[inline(always)]
pub fn naive_ftrl(params: &mut [f32], grads: &[f32], accumulator: &mut [f32], linear: &mut [f32]) {
    for (((w, g), a), z) in params.iter_mut().zip(grads).zip(accumulator).zip(linear) {
        let sum = *a + g * g;
        *z += g - (sum.sqrt() - a.sqrt()) / LEARNING_RATE * *w;
        *w = if z.abs() <= L1 { 0.0 } else { (z.signum() * L1 - *z) / (sum.sqrt() / LEARNING_RATE) };
        *a = sum;
    }
}

/// As [`whole`].
#[inline(never)]
pub fn whole_ftrl(params: &mut [f32], grads: &[f32], accumulator: &mut [f32], linear: &mut [f32]) {
    naive_ftrl(params, grads, accumulator, linear);
}

/// As [`each_row`].
#[inline(never)]
pub fn each_row_ftrl(
    params: &mut [f32],
    accumulator: &mut [f32],
    linear: &mut [f32],
    dim: usize,
    rows: &[u32],
    grads: &[f32],
) {
    for (row, g) in rows.iter().zip(grads.chunks_exact(dim)) {
        let row = *row as usize * dim..(*row as usize + 1) * dim;
        naive_ftrl(&mut params[row.clone()], g, &mut accumulator[row.clone()], &mut linear[row]);
    }
}

/// Each of `rows` whose norm is more than `max_norm` scaled to it.
#[inline(never)]
pub fn limit_each_norm(params: &mut [f32], dim: usize, rows: &[u32], max_norm: f32) {
    for row in rows {
        let row = &mut params[*row as usize * dim..][..dim];
        let norm = row.iter().map(|w| w * w).sum::<f32>().sqrt();
        if norm > max_norm {
            let factor = max_norm / norm;
            row.iter_mut().for_each(|w| *w *= factor);
        }
    }
}

/// Each of `rows` multiplied by what is left after the decays since it was last seen.
#[inline(never)]
pub fn decay_each_row(params: &mut [f32], dim: usize, rows: &[u32], kept: f32, last_steps: &mut [u32], step: u32) {
    for row in rows {
        let steps = step - last_steps[*row as usize];
        last_steps[*row as usize] = step;
        let factor = kept.powi(steps as i32);
        params[*row as usize * dim..][..dim].iter_mut().for_each(|w| *w *= factor);
    }
}
