//! The dense step in `f16`, to the nearest, with default options, which are constants.
#![no_std]
#![no_main]

use adagrad::{Adagrad, Rounding};
use footprint::{Memory, Outcome};
use half::f16;

#[unsafe(no_mangle)]
#[inline(never)]
fn call(memory: &mut Memory) -> Outcome {
    let words = &mut memory.words;
    let (params, grads, accumulator): (&mut [f16], &mut [f16], &mut [f16]) =
        (words.slice(), words.slice(), words.slice());
    Adagrad::new(0.1).step_mixed(params, grads, accumulator, Rounding::Nearest)
}
