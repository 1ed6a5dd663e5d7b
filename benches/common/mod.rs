//! The loops that steps are measured beside, and the values that they all run on.
//!
//! - `naive` is the step as one would write it in a loop, compiled for the default target.
//! - `traffic` reads and writes the same memory and computes next to nothing: no step can be faster than it where memory
//!   is the limit. It too is compiled for the default target.
//!
//! The values are chosen so that a step leaves every parameter and accumulator as it was (what is added is less than
//! half a unit in their last place), however often it runs: nothing drifts into denormals or infinity, and the work is
//! the same each time. The slices are plain `Vec`s, and so are aligned to 16 bytes, not to a cache line.

use adagrad::Adagrad;

const LEARNING_RATE: f32 = 1e-4;
pub(crate) const EPSILON: f32 = 1e-8;
/// With the naive loops' hyper-parameters; ε is outside the root.
pub(crate) const OPT: Adagrad = Adagrad::new(LEARNING_RATE);

/// A loop over parameters, their gradients, and their accumulators or their one accumulator.
pub(crate) trait Loop: Copy + Fn(&mut [f32], &[f32], &mut [f32]) {}
impl<F: Copy + Fn(&mut [f32], &[f32], &mut [f32])> Loop for F {}

#[inline(never)]
pub(crate) fn whole(params: &mut [f32], grads: &[f32], accumulator: &mut [f32], run: impl Loop) {
    run(params, grads, accumulator);
}

#[inline(never)]
pub(crate) fn each_row(
    params: &mut [f32],
    accumulator: &mut [f32],
    dim: usize,
    rows: &[u32],
    grads: &[f32],
    run: impl Loop,
) {
    let accumulators = accumulator.len() / (params.len() / dim);
    for (row, g) in rows.iter().zip(grads.chunks_exact(dim)) {
        let row = *row as usize;
        let w = &mut params[row * dim..][..dim];
        run(w, g, &mut accumulator[row * accumulators..][..accumulators]);
    }
}

/// [`each_row`], which asks for the beginnings of rows some way ahead: the faster one where rows are not in a cache. To
/// ask for all of their lines is no faster; the processor goes on by itself.
#[inline(never)]
pub(crate) fn each_row_ahead(
    params: &mut [f32],
    accumulator: &mut [f32],
    dim: usize,
    rows: &[u32],
    grads: &[f32],
    run: impl Loop,
) {
    const AHEAD: usize = 8;
    let accumulators = accumulator.len() / (params.len() / dim);
    for (i, (row, g)) in rows.iter().zip(grads.chunks_exact(dim)).enumerate() {
        if let Some(row) = rows.get(i + AHEAD) {
            let row = *row as usize;
            prefetch(&params[row * dim]);
            prefetch(&accumulator[row * accumulators]);
        }
        let row = *row as usize;
        let w = &mut params[row * dim..][..dim];
        run(w, g, &mut accumulator[row * accumulators..][..accumulators]);
    }
}

/// Asks for a value's cache line, where Rust has an instruction for it.
#[inline(always)]
#[cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "there is no safe function for it"))]
fn prefetch(value: &f32) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every x86-64 has SSE, whose instruction this is, and it takes any address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(core::ptr::from_ref(value).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}

#[inline(always)]
pub(crate) fn naive(params: &mut [f32], grads: &[f32], accumulator: &mut [f32]) {
    for ((w, g), a) in params.iter_mut().zip(grads).zip(accumulator) {
        *a += g * g;
        *w -= LEARNING_RATE * g / (a.sqrt() + EPSILON);
    }
}

/// With ε inside the root.
#[inline(always)]
pub(crate) fn naive_inside(params: &mut [f32], grads: &[f32], accumulator: &mut [f32]) {
    for ((w, g), a) in params.iter_mut().zip(grads).zip(accumulator) {
        *a += g * g;
        *w -= LEARNING_RATE * g / (*a + EPSILON).sqrt();
    }
}

#[inline(always)]
pub(crate) fn naive_row_wise(params: &mut [f32], grads: &[f32], accumulator: &mut [f32]) {
    accumulator[0] += grads.iter().map(|g| g * g).sum::<f32>() / grads.len() as f32;
    let rate = LEARNING_RATE / (accumulator[0].sqrt() + EPSILON);
    for (w, g) in params.iter_mut().zip(grads) {
        *w -= rate * g;
    }
}

/// An exclusive or with the gradient's mantissa: a second one undoes it, so that no value leaves its binade.
#[inline(always)]
fn mix(x: &mut f32, g: f32) {
    *x = f32::from_bits(x.to_bits() ^ (g.to_bits() & 0x007F_FFFF));
}

#[inline(always)]
pub(crate) fn traffic(params: &mut [f32], grads: &[f32], accumulator: &mut [f32]) {
    let both = |((w, g), a): ((&mut f32, &f32), &mut f32)| {
        mix(a, *g);
        mix(w, *g);
    };
    // The compiler makes vectors of it, but by eight: four columns of a narrow row would be left to a slower loop.
    if let (Ok(w), Ok(g), Ok(a)) = (
        <&mut [f32; 4]>::try_from(&mut *params),
        <&[f32; 4]>::try_from(grads),
        <&mut [f32; 4]>::try_from(&mut *accumulator),
    ) {
        return w.iter_mut().zip(g).zip(a).for_each(both);
    }
    params.iter_mut().zip(grads).zip(accumulator).for_each(both);
}

#[inline(always)]
pub(crate) fn traffic_row_wise(params: &mut [f32], grads: &[f32], accumulator: &mut [f32]) {
    mix(&mut accumulator[0], grads[0]);
    if let (Ok(w), Ok(g)) = (<&mut [f32; 4]>::try_from(&mut *params), <&[f32; 4]>::try_from(grads)) {
        return w.iter_mut().zip(g).for_each(|(w, g)| mix(w, *g));
    }
    params.iter_mut().zip(grads).for_each(|(w, g)| mix(w, *g));
}

/// Random numbers (xorshift64) from a fixed seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Between 1 and 2.
    pub(crate) fn numbers(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| f32::from_bits(1.0_f32.to_bits() | (self.next() >> 41) as u32)).collect()
    }

    /// Of either sign, and between 2⁻¹⁴ and 2⁻¹³: neither `g²` nor `η·g` reaches half a unit in the last place of 1.
    pub(crate) fn gradients(&mut self, len: usize) -> Vec<f32> {
        const SMALL: f32 = 1.0 / 16384.0;
        let mut gradients = self.numbers(len);
        for g in &mut gradients {
            *g *= if self.next().is_multiple_of(2) { SMALL } else { -SMALL };
        }
        gradients
    }

    /// `count` rows of a table that has so many.
    pub(crate) fn rows(&mut self, rows: usize, count: usize) -> Vec<u32> {
        (0..count).map(|_| (((self.next() >> 32) * rows as u64) >> 32) as u32).collect()
    }
}
