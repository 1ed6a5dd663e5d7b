//! The step for rows with one accumulator per row, with options that are known at run time only.
#![no_std]
#![no_main]

use adagrad::Table;
use footprint::{Memory, Outcome};

#[unsafe(no_mangle)]
#[inline(never)]
fn call(memory: &mut Memory) -> Outcome {
    let mut table = Table::row_wise(memory.params, memory.accumulator, memory.dim)?;
    memory.options.step_rows(&mut table, memory.rows, memory.grads)
}
