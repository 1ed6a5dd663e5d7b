//! Every backend gives the bits of the naive reference, over lengths, offsets, options, dims and special values.
//!
//! Each test goes through `Backend::ALL`, see `backends`.

mod absent;
#[path = "../inputs/backends.rs"]
mod available;
mod bags;
mod dense;
#[path = "../inputs/mod.rs"]
mod inputs;
mod layouts;
#[path = "../reference/mod.rs"]
mod reference;
mod regularized;
#[path = "../reference/regularized.rs"]
mod regularized_reference;
mod rows;
mod values;

use adagrad::Backend;
use available::backends;

#[test]
fn the_detected_backend_is_the_last_available() {
    assert_eq!(Backend::available().last(), Some(Backend::detected()));
    let available: Vec<Backend> = Backend::ALL.iter().copied().filter(|backend| backend.is_available()).collect();
    assert_eq!(Backend::available().collect::<Vec<_>>(), available);
}

/// Without `with_backend`, a step has the bits of every backend, as it must.
#[test]
fn the_detected_backend_gives_the_same_bits() {
    let options = reference::Options::new(0.1, adagrad::Epsilon::InsideSqrt(1e-7));
    for length in inputs::LENGTHS {
        let state = inputs::State::new(length, 8, inputs::Random::any);
        dense::Case::new(options, &state).check(options.adagrad(), [0; 3]);
    }
}

/// A backend that is named has no short cuts for few elements, which the detected one has for some options.
#[test]
fn the_detected_backend_gives_the_same_bits_over_options() {
    for (i, options) in inputs::options().into_iter().enumerate() {
        for length in [1, 2, 3, 4, 5, 7, 8, 9, 15, 31, 127, 130] {
            let value = if i % 2 == 0 { inputs::Random::any } else { inputs::Random::ordinary };
            let state = inputs::State::new(length, i as u64, value);
            dense::Case::new(options, &state).check(options.adagrad(), [0; 3]);
        }
    }
}

/// A backend that is missing without a reason would only be skipped by the other tests.
#[test]
#[cfg(all(any(target_arch = "x86", target_arch = "x86_64"), not(miri)))]
fn what_the_cpu_has_is_available() {
    let has_f16c = !cfg!(feature = "half") || is_x86_feature_detected!("f16c");
    let has_avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && has_f16c;
    assert_eq!(Backend::Avx2.is_available(), has_avx2);
    assert_eq!(Backend::Avx512.is_available(), has_avx2 && is_x86_feature_detected!("avx512f"));
}
