//! The dense step on every backend against the naive one.
#![no_main]

mod input;
#[path = "../../tests/reference/mod.rs"]
mod reference;

use input::{Input, fault_of, length_fault, on_every_backend};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let options = input.options();
    let len = input.below(200);
    let (g_len, a_len) = (input.length(len), input.length(len));
    let (mut w, g, mut a) = (input.numbers(len), input.numbers(g_len), input.accumulators(a_len, &options));

    let faults: Vec<_> =
        [fault_of(&options), length_fault("grads", len, g_len), length_fault("accumulator", len, a_len)]
            .into_iter()
            .flatten()
            .collect();
    let (mut expected_w, mut expected_a) = (w.given().to_vec(), a.given().to_vec());
    if faults.is_empty() {
        options.step(&mut expected_w, g.given(), &mut expected_a);
    }
    let opt = options.adagrad();
    on_every_backend(&faults, &mut w, &mut a, (&expected_w, &expected_a), |backend, w, a| {
        opt.step_on(backend, w, g.given(), a)
    });
});
