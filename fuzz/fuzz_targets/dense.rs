//! The dense steps, on one thread and on several, on every backend against the naive one.
#![no_main]

mod input;
#[path = "../../tests/reference/mod.rs"]
mod reference;

use adagrad::Arithmetic;
use input::{Expected, Input, Step, fault_of, length_fault, on_every_backend};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let options = input.options();
    let len = match input.below(256) {
        0 => (1 << 19) - 8 + input.below(1 << 12), // from 2¹⁹ on `par_step` divides
        1..16 => input.below(3000),                // a step may take slices in parts
        _ => input.below(200),
    };
    let (g_len, a_len) = (input.length(len), input.length(len));
    let (mut w, mut g, mut a) = (input.numbers(len), input.numbers(g_len), input.accumulators(a_len, &options));
    let pool = input.pool();

    let faults: Vec<_> =
        [fault_of(&options), length_fault("grads", len, g_len), length_fault("accumulator", len, a_len)]
            .into_iter()
            .flatten()
            .collect();
    let mut expected =
        Expected { params: w.given().to_vec(), accumulator: a.given().to_vec(), skipped: 0, out_of_range: 0 };
    if faults.is_empty() {
        expected.skipped = options.step(&mut expected.params, g.given(), &mut expected.accumulator);
    }
    let grads = g.given().to_vec();
    let mut check = |step: Step<'_>| {
        on_every_backend(&options.adagrad(), &faults, &mut w, &mut a, step, |(w, a), after, report| {
            if options.arithmetic == Arithmetic::Fast {
                options.assert_fast([w, &grads, a], [after.0, after.1], report.skipped);
            } else {
                expected.assert(after, report);
            }
        });
    };
    check(&mut |opt, w, a| opt.step(w, &grads, a));
    check(&mut |opt, w, a| pool.install(|| opt.par_step(w, &grads, a)));
    check(&mut |opt, w, a| {
        let result = opt.step_and_zero(w, g.fresh(), a);
        if result.is_ok() {
            assert!(g.written().iter().all(|g| g.to_bits() == 0), "a gradient that is not 0");
        } else {
            g.assert_untouched();
        }
        result
    });
});
