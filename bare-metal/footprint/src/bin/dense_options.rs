//! The dense step with options that are known at run time only.
#![no_std]
#![no_main]

use footprint::{Memory, Outcome};

#[unsafe(no_mangle)]
#[inline(never)]
fn call(memory: &mut Memory) -> Outcome {
    memory.options.step(memory.params, memory.grads, memory.accumulator)
}
