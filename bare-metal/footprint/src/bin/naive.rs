//! The loop that one would write by hand, with the square root of `libm`.
#![no_std]
#![no_main]

use footprint::{Memory, Outcome};

#[unsafe(no_mangle)]
#[inline(never)]
fn call(memory: &mut Memory) -> Outcome {
    for ((w, g), a) in memory.params.iter_mut().zip(&*memory.grads).zip(&mut *memory.accumulator) {
        *a += g * g;
        *w -= 0.1 * g / (libm::sqrtf(*a) + 1e-8);
    }
    Ok(Default::default())
}
