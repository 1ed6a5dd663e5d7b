//! The tests that other implementations have of their own Adagrad, asked of this crate: what each asserts, with the matching
//! preset, on every backend, within the tolerance that it uses and within a narrower one.
//!
//! Inputs and expected numbers are theirs, and so is the tolerance; each file names the repository, the path and the commit or
//! version. What they test that this crate does not have is named there, too.

mod burn;
mod candle_optimisers;
mod fbgemm;
mod fbgemm_fused;
#[path = "../inputs/mod.rs"]
mod inputs;
mod keras;
mod onnx;
mod pytorch;
#[path = "../reference/mod.rs"]
mod reference;

/// Asserts that `actual` is within `atol + rtol·|wanted|` of `wanted`, as `NumPy`'s `allclose` asks.
#[track_caller]
fn assert_close(actual: f32, wanted: f64, rtol: f64, atol: f64) {
    let far = (f64::from(actual) - wanted).abs();
    assert!(far <= atol + rtol * wanted.abs(), "{actual:e} is {far:e} from {wanted:e}");
}

/// Asserts that two slices have the same bits.
#[track_caller]
fn assert_bits(actual: &[f32], wanted: &[f32]) {
    assert_eq!(actual.len(), wanted.len());
    for (i, (actual, wanted)) in actual.iter().zip(wanted).enumerate() {
        assert_eq!(actual.to_bits(), wanted.to_bits(), "value {i} is {actual:e}, expected {wanted:e}");
    }
}
