//! The dense step on every backend against the naive one.
#![no_main]

mod input;
#[path = "../../tests/reference/mod.rs"]
mod reference;

use input::{Expected, Input, fault_of, length_fault, on_every_backend};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let options = input.options();
    let len = if input.one_in(16) { input.below(3000) } else { input.below(200) }; // `step_and_zero` works in parts of 1024
    let (g_len, a_len) = (input.length(len), input.length(len));
    let (mut w, mut g, mut a) = (input.numbers(len), input.numbers(g_len), input.accumulators(a_len, &options));

    let faults: Vec<_> =
        [fault_of(&options), length_fault("grads", len, g_len), length_fault("accumulator", len, a_len)]
            .into_iter()
            .flatten()
            .collect();
    let mut expected = Expected { params: w.given().to_vec(), accumulator: a.given().to_vec(), skipped: 0 };
    if faults.is_empty() {
        expected.skipped = options.step(&mut expected.params, g.given(), &mut expected.accumulator);
    }
    let opt = options.adagrad();
    on_every_backend(&faults, &mut w, &mut a, &expected, |backend, w, a| opt.step_on(backend, w, g.given(), a));
    on_every_backend(&faults, &mut w, &mut a, &expected, |backend, w, a| {
        let result = opt.step_and_zero_on(backend, w, g.fresh(), a);
        if result.is_ok() {
            assert!(g.written().iter().all(|g| g.to_bits() == 0), "a gradient that is not 0");
        } else {
            g.assert_untouched();
        }
        result
    });
});
