//! Every public function of the crate, on every backend by name, with nothing known before run time: it links only if
//! none of them can panic. `.ci/bare-metal` checks that each stands here or in `decode.rs`.
//!
//! Left out is formatting. `Display` of an `f32`, which `Error` has in it, links panics of `core`'s own; that of an integer
//! or a text does not.
#![no_std]
#![no_main]

use core::hint::black_box;

use adagrad::{
    Backend, Bags, Counter, Element, Ftrl, MixedTable, Owners, Proximal, Rounding, RowIndex, Summary, Table,
    all_finite, check_accumulator, clip_norm_scale, coalesce, partition, sum_of_squares,
};
use footprint::{Memory, Outcome, Plain, Words, decode};
use half::{bf16, f16};

#[unsafe(no_mangle)]
#[inline(never)]
fn call(memory: &mut Memory) -> Outcome {
    let detected = decode::options(&mut memory.words);
    let backend = decode::backend(&mut memory.words);
    let forced = detected.with_backend(backend);
    black_box(detected == forced);
    for options in [detected, forced] {
        memory.options = options;
        getters(memory);
        black_box(options.validate()?);
        black_box(options.step(memory.params, memory.grads, memory.accumulator)?);
        black_box(options.step_and_zero(memory.params, memory.grads, memory.accumulator)?);
        rows::<u32>(memory)?;
        rows::<u64>(memory)?;
        rows::<usize>(memory)?;
        rows::<i32>(memory)?;
        rows::<i64>(memory)?;
        mixed::<bf16, f32, f16>(memory)?;
        mixed::<f16, bf16, f32>(memory)?;
        mixed::<f32, f16, bf16>(memory)?;
        mixed_tables(memory)?;
        regularized(memory)?;
        options.effective_rates(memory.accumulator, memory.grads)?;
        let summary = options.summary(memory.accumulator, memory.words.float(), memory.words.float())?;
        black_box((summary.share_below(), summary));
    }
    black_box(Summary::decade(memory.words.word() as usize));
    check_accumulator(memory.accumulator)?;

    black_box((all_finite(memory.grads), backend.all_finite(memory.grads)?));
    let squares = sum_of_squares(memory.grads) + backend.sum_of_squares(memory.grads)?;
    black_box(clip_norm_scale(squares, memory.words.float()));

    let schedule = decode::schedule(&mut memory.words);
    let step = u64::from(memory.words.word()) << 32 | u64::from(memory.words.word());
    black_box((schedule, schedule.at(step)));

    black_box((Backend::detected(), backend.is_available(), Backend::available().count()));
    Ok(Default::default())
}

#[inline(never)]
fn getters(memory: &mut Memory) {
    let options = &memory.options;
    black_box((options.learning_rate(), options.epsilon(), options.weight_decay(), options.gradient_scale()));
    black_box((options.clip_value(), options.maximize(), options.arithmetic(), options.accumulation()));
    black_box((options.order(), options.non_finite(), options.initial_accumulator(), options.backend()));
}

#[inline(never)]
fn rows<I: RowIndex + Plain>(memory: &mut Memory) -> Outcome {
    let options = memory.options;
    let rows: &mut [I] = memory.words.slice();
    let n = black_box(coalesce(rows, memory.grads, memory.dim, memory.words.slice())?);
    let rows = rows.get(..n).unwrap_or_default();
    let owners = if memory.words.flag() {
        Owners::Ranges(memory.words.slice())
    } else {
        Owners::Modulo { owners: memory.words.word() as usize, rows: memory.words.word() as usize }
    };
    black_box((owners.count(), owners.rows(), owners.local(memory.words.word() as usize)));
    let (to_rows, counts) = (memory.words.slice(), memory.words.slice());
    partition(rows, memory.grads, memory.dim, owners, to_rows, memory.params, counts)?;
    let table = match memory.words.word() {
        0 => Table::new(memory.params, memory.accumulator, memory.dim)?,
        1 => Table::row_wise(memory.params, memory.accumulator, memory.dim)?,
        2 => Table::interleaved(memory.params, memory.dim)?,
        _ => Table::interleaved_row_wise(memory.params, memory.dim)?,
    };
    let table = table.with_columns(memory.words.word() as usize)?.with_gradient_stride(memory.words.word() as usize)?;
    let mut table = table.with_padding_row(memory.words.word() as usize).with_out_of_range_skipped(memory.words.flag());
    black_box(options.step_rows(&mut table, rows, memory.grads)?);
    let [rate, l1, l2] = [memory.words.float(), memory.words.float(), memory.words.float()];
    let backend = decode::backend(&mut memory.words);
    let ftrl = Ftrl::new(rate).with_l1(l1).with_l2(l2);
    for ftrl in [ftrl, ftrl.with_backend(backend)] {
        black_box(ftrl.step_rows(&mut table, memory.words.slice(), rows, memory.grads)?);
    }
    let proximal = Proximal::new(rate).with_l1(l1).with_l2(l2);
    black_box(proximal.with_backend(backend).step_rows(&mut table, rows, memory.grads)?);
    black_box(proximal.step_rows(&mut table, rows, memory.grads)?);
    let bags = Bags::new(memory.words.slice(), rows)?;
    let bags = if memory.words.flag() { bags.mean() } else { bags.weighted(memory.grads)? };
    black_box((bags.len(), bags.is_empty()));
    let mut scratch = [0.0; 64];
    let room = scratch.get_mut(..memory.words.word() as usize).unwrap_or_default();
    black_box(options.step_bags(&mut table, &bags, memory.grads, room)?);
    black_box((table.rows(), table.dim(), table.params(), table.accumulator()));
    black_box(table.row(memory.words.word() as usize));
    black_box(table.limit_norms(rows, memory.words.float())?);
    let (rate, decay, step) = (memory.words.float(), memory.words.float(), memory.words.word());
    black_box(table.decay_rows(rows, rate, decay, memory.words.slice(), step)?);
    black_box(table.row_mut(memory.words.word() as usize));
    black_box(table.params_mut());
    black_box(table.accumulator_mut());
    Ok(Default::default())
}

#[inline(never)]
fn regularized(memory: &mut Memory) -> Outcome {
    let [rate, l1, l2] = [memory.words.float(), memory.words.float(), memory.words.float()];
    let backend = decode::backend(&mut memory.words);
    let (ftrl, proximal) = (Ftrl::new(rate).with_l1(l1).with_l2(l2), Proximal::new(rate).with_l1(l1).with_l2(l2));
    let linear: &mut [f32] = memory.words.slice();
    let Memory { params, grads, accumulator, .. } = memory;
    for ftrl in [ftrl, ftrl.with_backend(backend)] {
        ftrl.validate()?;
        ftrl.step(params, grads, accumulator, linear)?;
    }
    for proximal in [proximal, proximal.with_backend(backend)] {
        proximal.validate()?;
        proximal.step(params, grads, accumulator)?;
    }
    Ok(Default::default())
}

/// How results are rounded, known only at run time.
fn rounding(words: &mut Words) -> Rounding {
    let mut long = || u64::from(words.word()) << 32 | u64::from(words.word());
    let counter = Counter::new(long(), long()).with_first(long()).with_position(long());
    let counter = if words.flag() { counter } else { counter.without_positions() };
    if words.flag() { Rounding::Nearest } else { Rounding::Stochastic(counter) }
}

#[inline(never)]
fn mixed<P: Element + Plain, G: Element + Plain, A: Element + Plain>(memory: &mut Memory) -> Outcome {
    let Memory { options, dim, rows, words, .. } = memory;
    let rounding = rounding(words);
    let (params, grads, accumulator): (&mut [P], &mut [G], &mut [A]) = (words.slice(), words.slice(), words.slice());
    black_box(options.step_mixed(params, grads, accumulator, rounding)?);
    let mut table = if words.flag() {
        MixedTable::new(params, accumulator, *dim)?
    } else {
        MixedTable::row_wise(params, accumulator, *dim)?
    };
    options.step_mixed_rows(&mut table, rows, grads, rounding)
}

/// Layouts and bags: of one type, since each takes a loop of its own.
#[inline(never)]
fn mixed_tables(memory: &mut Memory) -> Outcome {
    let Memory { options, dim, rows, words, .. } = memory;
    let (slice, grads): (&mut [f16], &mut [bf16]) = (words.slice(), words.slice());
    let table = if words.flag() {
        MixedTable::interleaved(slice, *dim)?
    } else {
        MixedTable::interleaved_row_wise(slice, *dim)?
    };
    let table = table.with_columns(words.word() as usize)?.with_gradient_stride(words.word() as usize)?;
    let mut table = table.with_padding_row(words.word() as usize).with_out_of_range_skipped(words.flag());
    let bags = Bags::new(words.slice(), rows)?;
    let bags = if words.flag() { bags.mean() } else { bags };
    let rounding = rounding(words);
    black_box(options.step_mixed_bags(&mut table, &bags, grads, words.slice(), rounding)?);
    black_box((table.rows(), table.dim(), table.params(), table.accumulator()));
    black_box(table.row(words.word() as usize));
    black_box(table.row_mut(words.word() as usize));
    black_box(table.params_mut());
    black_box(table.accumulator_mut());
    Ok(Default::default())
}
