//! Steps of bags of rows on both kinds of tables, on one thread and on several, on every backend, against copies of the
//! gradients and the naive step.
#![no_main]

mod input;
#[path = "../../tests/reference/mod.rs"]
mod reference;
mod tables;

use adagrad::{Bags, Error};
use input::{Buffer, Input, accepted, length_fault};
use libfuzzer_sys::fuzz_target;
use tables::{Kind, Step};

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let options = input.options();
    let dim = 1 + input.below(40);
    // Now and then a table that is prefetched, and a step that is divided.
    let large = input.one_in(128);
    let table_rows = if large { (1 << 17) / dim + 1 } else { input.below(12) };
    let count = if large { (1 << 18) / (dim + 16) + input.below(64) } else { input.below(48) };
    let hostile = input.one_in(4);

    let mut bounds = vec![0_i64];
    while *bounds.last().expect("one") < count as i64 {
        let size = [0, 1, 1, 2, 5, 20, 3000][input.below(7)];
        bounds.push((bounds.last().expect("one") + size).min(count as i64));
    }
    bounds.resize(bounds.len() + input.below(3), count as i64);
    if hostile && !large {
        for bound in &mut bounds {
            if input.one_in(8) {
                *bound = if input.any() { input.any() } else { input.below(count + 3) as i64 - 1 };
            }
        }
        let len = input.length(bounds.len());
        bounds.resize(len, count as i64);
    }
    let rows: Vec<i64> = (0..count)
        .map(|_| match hostile && input.one_in(16) {
            true => input.any(),
            false => input.below(table_rows.max(1)) as i64,
        })
        .collect();
    let Some(bags) = made(&bounds, &rows) else { return };

    let weights_len = input.length(count);
    let weights = if input.any() { Some(input.numbers(weights_len)) } else { None };
    let mean = input.any();
    let mut bags = if mean { bags.mean() } else { bags };
    if let Some(weights) = &weights {
        let faults = Vec::from_iter(length_fault("weights", count, weights_len));
        let result = bags.weighted(weights.given());
        if !accepted(&result, &faults) {
            return;
        }
        bags = result.expect("accepted");
    }
    let grads_len = input.length(bags.len() * dim);
    let grads = input.numbers(grads_len);
    let reference = reference::Bags {
        offsets: bounds.iter().map(|bound| *bound as usize).collect(),
        rows: rows.iter().map(|row| *row as usize).collect(),
        mean,
        weights: weights.as_ref().map(|weights| weights.given().to_vec()),
    };
    for row_wise in [false, true] {
        step(&mut input, &options, dim, table_rows, row_wise, (&bags, &rows), &grads, &reference);
    }
});

/// The bags, if their offsets are in order. Whether they are is asked here in another way.
fn made<'a>(bounds: &'a [i64], rows: &'a [i64]) -> Option<Bags<'a, i64>> {
    let in_order = bounds.first() == Some(&0)
        && bounds.last() == Some(&(rows.len() as i64))
        && bounds.windows(2).all(|pair| pair[0] <= pair[1]);
    match Bags::new(bounds, rows) {
        Ok(bags) => {
            assert!(in_order, "{bounds:?} of {} rows", rows.len());
            assert_eq!(bags.len(), bounds.len() - 1);
            Some(bags)
        }
        Err(error) => {
            let named = matches!(error, Error::Offset { .. } | Error::TooShort { .. } | Error::Length { .. });
            assert!(!in_order && named, "{bounds:?} of {} rows: {error}", rows.len());
            None
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "all of a call")]
fn step(
    input: &mut Input,
    options: &reference::Options,
    dim: usize,
    table_rows: usize,
    row_wise: bool,
    (bags, rows): (&Bags<'_, i64>, &[i64]),
    grads: &Buffer<f32>,
    reference: &reference::Bags,
) {
    let mut params = input.numbers(table_rows * dim);
    let kind = Kind::new(input, dim, row_wise, table_rows, i64::MAX as u128);
    let needed = if reference.mean || reference.weights.is_some() { dim } else { 0 };
    let room = if input.one_in(8) { input.below(dim + 1) } else { dim * (1 + input.below(3)) };
    let grads_fault = length_fault("grads", bags.len() * dim, grads.given().len());
    let room_fault = (room < needed).then_some(Error::TooShort { what: "scratch", minimum: needed, actual: room });
    let step = Step {
        options,
        kind,
        rows: rows.iter().map(|row| i128::from(*row)).collect(),
        grads: if grads_fault.is_none() { reference.expanded(grads.given(), dim) } else { Vec::new() },
        faults: grads_fault.into_iter().chain(room_fault).collect(),
    };
    let pool = input.pool();
    let scratch = || vec![f32::NAN; room];
    step.check(
        input,
        &mut params,
        &mut [&mut |opt, table| opt.step_bags(table, bags, grads.given(), &mut scratch()), &mut |opt, table| {
            pool.install(|| opt.par_step_bags(table, bags, grads.given(), &mut scratch()))
        }],
    );
}
