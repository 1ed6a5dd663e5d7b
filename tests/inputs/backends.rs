//! The backends that tests go through.
//!
//! A backend that this CPU or this build lacks is skipped with a line that says so. If the environment variable
//! `ADAGRAD_REQUIRE_BACKENDS` names some (comma-separated), they are the ones that are tested, and one that is missing fails.

use std::sync::LazyLock;

use adagrad::Backend;

/// The backends to test. Says once which ones are not.
pub fn backends() -> &'static [Backend] {
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
