//! The dense step with default options, which are constants.
#![no_std]
#![no_main]

use adagrad::Adagrad;
use footprint::{Memory, Outcome};

#[unsafe(no_mangle)]
#[inline(never)]
fn call(memory: &mut Memory) -> Outcome {
    Adagrad::new(0.1).step(memory.params, memory.grads, memory.accumulator)
}
