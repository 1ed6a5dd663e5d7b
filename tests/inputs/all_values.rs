//! All 2³² values of `f32`, in parts, on all cores, for tests that take minutes.

extern crate std; // for the tests in the library, which has none

use core::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;
use std::{eprintln, thread, vec::Vec};

/// Calls `check` with all values, in parts of 2²⁰, each of which a thread takes when it has done another. Says how far it is.
pub(super) fn all_values(name: &str, check: impl Fn(&[f32]) + Sync) {
    const BITS: u32 = 20;
    const PARTS: u32 = 1 << (32 - BITS);
    let (next, done, start) = (AtomicU32::new(0), AtomicU32::new(0), Instant::now());
    let worker = || {
        loop {
            let part = next.fetch_add(1, Ordering::Relaxed);
            if part >= PARTS {
                return;
            }
            let values: Vec<f32> = (0..1 << BITS).map(|low| f32::from_bits(part << BITS | low)).collect();
            check(&values);
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            if done.is_multiple_of(PARTS / 8) {
                eprintln!("{name}: {} of 8, {} s", done / (PARTS / 8), start.elapsed().as_secs());
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(worker);
        }
    });
}

/// Fails unless two slices have the same bits, or NaN at the same places.
#[track_caller]
pub(super) fn assert_same(actual: &[f32], expected: &[f32], values: &[f32], name: &str) {
    for ((actual, expected), value) in actual.iter().zip(expected).zip(values) {
        assert!(
            actual.to_bits() == expected.to_bits() || actual.is_nan() && expected.is_nan(),
            "{name}, of {value:e}: {actual:e}, expected {expected:e}"
        );
    }
}
