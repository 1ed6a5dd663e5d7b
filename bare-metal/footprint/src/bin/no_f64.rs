//! All that computes in `f32` only: with options that are known at run time, it must link no function for `f64`.
#![no_std]
#![no_main]

use core::hint::black_box;

use adagrad::{Backend, Bags, Counter, Rounding, RowIndex, Table, check_accumulator, coalesce};
use footprint::{Memory, Outcome, Plain, decode};
use half::{bf16, f16};

#[unsafe(no_mangle)]
#[inline(never)]
fn call(memory: &mut Memory) -> Outcome {
    memory.options = decode::options(&mut memory.words);
    black_box(memory.options.step(memory.params, memory.grads, memory.accumulator)?);
    black_box(memory.options.step_and_zero(memory.params, memory.grads, memory.accumulator)?);
    for rounding in [Rounding::Nearest, Rounding::Stochastic(Counter::new(0, 0))] {
        let (params, grads) = (memory.words.slice::<f16>(), memory.words.slice::<bf16>());
        black_box(memory.options.step_mixed(params, grads, memory.accumulator, rounding)?);
    }
    memory.options.effective_rates(memory.accumulator, memory.grads)?;
    black_box(adagrad::all_finite(memory.grads));
    check_accumulator(memory.accumulator)?;
    black_box(Backend::detected());
    rows::<u32>(memory)?;
    rows::<u64>(memory)?;
    rows::<usize>(memory)?;
    rows::<i32>(memory)?;
    rows::<i64>(memory)
}

fn rows<I: RowIndex + Plain>(memory: &mut Memory) -> Outcome {
    let rows: &mut [I] = memory.words.slice();
    black_box(coalesce(rows, memory.grads, memory.dim, memory.words.slice())?);
    let mut table = Table::new(memory.params, memory.accumulator, memory.dim)?;
    black_box(memory.options.step_rows(&mut table, rows, memory.grads)?);
    let mut table = Table::row_wise(memory.params, memory.accumulator, memory.dim)?;
    let bags = Bags::new(memory.words.slice(), rows)?.mean();
    black_box(memory.options.step_bags(&mut table, &bags, memory.grads, &mut [0.0; 64])?);
    memory.options.step_rows(&mut table, rows, memory.grads)
}
