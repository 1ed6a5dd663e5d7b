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
