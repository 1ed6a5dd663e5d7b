//! Every backend gives the bits of the naive reference, over lengths, offsets, options, dims and special values.
//!
//! Each test goes through `Backend::ALL`, see `backends`. A backend that this CPU or this build lacks is skipped with a line that says
//! so. If the environment variable `ADAGRAD_REQUIRE_BACKENDS` names some (comma-separated), they are the ones that are
//! tested, and one that is missing fails.

mod absent;
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

use std::sync::LazyLock;

use adagrad::Backend;

/// The backends to test. Says once which ones are not.
fn backends() -> &'static [Backend] {
    static BACKENDS: LazyLock<Vec<Backend>> = LazyLock::new(|| {
        let required = std::env::var("ADAGRAD_REQUIRE_BACKENDS").ok();
        let names: Vec<&str> = required.iter().flat_map(|names| names.split(',')).collect();
        for name in &names {
            assert!(Backend::ALL.iter().any(|backend| backend.to_string() == *name), "there is no backend {name}");
        }
        let tested = |backend: &Backend| {
            let named = names.iter().any(|name| backend.to_string() == *name);
            if !named && required.is_some() {
                println!("SKIPPED: ADAGRAD_REQUIRE_BACKENDS does not name {backend}");
            } else if !backend.is_available() {
                assert!(!named, "ADAGRAD_REQUIRE_BACKENDS names {backend}, which this machine or build does not have");
                println!("SKIPPED: no {backend} on this machine or in this build");
            }
            backend.is_available() && (named || required.is_none())
        };
        Backend::ALL.iter().copied().filter(tested).collect()
    });
    &BACKENDS
}

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
