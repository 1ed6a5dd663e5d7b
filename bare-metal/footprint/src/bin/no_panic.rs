//! Every public function of the crate, on every backend by name, with nothing known before run time: it links only if
//! none of them can panic.
//!
//! Left out is formatting. `Display` of an `f32`, which `Error` has in it, links panics of `core`'s own; that of an integer
//! or a text does not.
#![no_std]
#![no_main]

use core::hint::black_box;

use adagrad::{
    Backend, RowIndex, Summary, Table, all_finite, all_finite_on, clip_norm_scale, coalesce, sum_of_squares,
    sum_of_squares_on,
};
use footprint::{Memory, Outcome, Plain, decode};

#[unsafe(no_mangle)]
#[inline(never)]
fn call(memory: &mut Memory) -> Outcome {
    let options = decode::options(&mut memory.words);
    let backend = decode::backend(&mut memory.words);
    memory.options = options;
    black_box(options == memory.options);
    black_box(options.validate()?);
    {
        let Memory { params, grads, accumulator, .. } = &mut *memory;
        black_box(options.step(params, grads, accumulator)?);
        black_box(options.step_on(backend, params, grads, accumulator)?);
        black_box(options.step_and_zero(params, grads, accumulator)?);
        black_box(options.step_and_zero_on(backend, params, grads, accumulator)?);
    }
    rows::<u32>(memory, backend)?;
    rows::<u64>(memory, backend)?;
    rows::<usize>(memory, backend)?;
    rows::<i32>(memory, backend)?;
    rows::<i64>(memory, backend)?;

    options.effective_rates(memory.accumulator, memory.grads)?;
    options.effective_rates_on(backend, memory.accumulator, memory.grads)?;
    let summary = black_box(options.summary(memory.accumulator, memory.words.float())?);
    black_box((summary.share_below(), Summary::decade(memory.words.word() as usize)));

    black_box(all_finite(memory.grads));
    black_box(all_finite_on(backend, memory.grads)?);
    let squares = sum_of_squares(memory.grads) + sum_of_squares_on(backend, memory.grads)?;
    black_box(clip_norm_scale(squares, memory.words.float()));

    let schedule = decode::schedule(&mut memory.words);
    let step = u64::from(memory.words.word()) << 32 | u64::from(memory.words.word());
    black_box((schedule, schedule.at(step)));

    black_box((Backend::detected(), backend.is_available(), Backend::available().count()));
    Ok(Default::default())
}

#[inline(never)]
fn rows<I: RowIndex + Plain>(memory: &mut Memory, backend: Backend) -> Outcome {
    let options = memory.options;
    let rows: &mut [I] = memory.words.slice();
    let n = black_box(coalesce(rows, memory.grads, memory.dim, memory.words.slice())?);
    let rows = rows.get(..n).unwrap_or_default();
    let mut table = if memory.words.flag() {
        Table::new(memory.params, memory.accumulator, memory.dim)?
    } else {
        Table::row_wise(memory.params, memory.accumulator, memory.dim)?
    };
    black_box(options.step_rows(&mut table, rows, memory.grads)?);
    black_box(options.step_rows_on(backend, &mut table, rows, memory.grads)?);
    black_box((table.rows(), table.dim(), table.params(), table.accumulator()));
    Ok(Default::default())
}
