//! No step: what all images have in common.
#![no_std]
#![no_main]

use footprint::{Memory, Outcome};

#[unsafe(no_mangle)]
#[inline(never)]
fn call(memory: &mut Memory) -> Outcome {
    core::hint::black_box(memory);
    Ok(Default::default())
}
