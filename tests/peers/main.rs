//! Replays steps that other implementations of Adagrad recorded, on every backend. `recordings/README.md` says what
//! the files hold and where they come from.
//!
//! Each case is replayed twice: each step from the state that the peer recorded before it, and all steps in a chain
//! from the first state. This file has a test for each peer.

mod files;
mod json;
mod near;
mod norms;
#[path = "../reference/mod.rs"]
mod reference;
mod regularized;
mod replay;

use adagrad::{Adagrad, Arithmetic, Epsilon, Schedule, WeightDecay};
use files::Case;
use json::parse;

/// The rates that `PyTorch` used, recorded as `clr`.
#[test]
fn learning_rates() {
    let mut rates = 0;
    let files = [include_str!("recordings/inputs_dense.jsonl"), include_str!("recordings/inputs_rows.jsonl")];
    for line in files.into_iter().flat_map(str::lines) {
        let case = Case::new(&parse(line));
        let schedule = Schedule::inverse_time(case.learning_rate, case.lr_decay);
        for (step, rate) in (1..).zip(&case.rates) {
            assert_eq!(schedule.at(step).to_bits(), rate.to_bits(), "{}: step {step}", case.name);
            rates += 1;
        }
    }
    assert!(rates > 1000, "{rates}");
}

/// How a file's cases are replayed.
#[derive(Clone, Copy)]
struct Peer {
    file: &'static str,
    text: &'static str,
    inputs: &'static str,
    layout: Layout,
    /// Whether gradients of equal rows are summed before the step.
    coalesced: bool,
    preset: fn(f32) -> Adagrad,
    epsilon: fn(f32) -> Epsilon,
    weight_decay: fn(f32) -> WeightDecay,
    rate: fn(&Case, usize) -> f32,
    agreement: Agreement,
    flushes_denormals: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Layout {
    Dense,
    Rows,
    RowWise,
}

/// What a peer's results have in common with the crate's.
#[derive(Clone, Copy, PartialEq)]
enum Agreement {
    /// All bits.
    Exact,
    /// The accumulator's bits; the parameter up to [`ULPS_OF_UPDATE`].
    Ulps,
    /// The peer computes in `f64`, and the crate is as near as [`Near`] says.
    F64,
}

/// The peer takes its square root, or its reciprocal, from an approximation that is up to 1 ulp off (`torch_sparse`,
/// optax), or computes the last line in `f64` (ONNX); besides, it multiplies and divides in another order. So the
/// updates differ by a few roundings. 2 ulp is enough for all that was recorded. The parameter itself is rounded
/// once by the peer and once here, half an ulp of the parameter each; that comes on top.
const ULPS_OF_UPDATE: f64 = 2.0;

/// A bound that is wider than this share of `|w| + |Δ|` would not test anything: such a value is counted as unbounded.
const WIDEST_BOUND: f64 = 1e-4;

/// The one case in which a gradient, an accumulator and ε are all 0: 0/0. The peers but optax make NaN of it, and this
/// crate makes no update.
const ZERO_OVER_ZERO: &str = "special_zero_grad_eps0_acc0";

/// What a replay did, on one backend, both from recorded states and chained. A value is a parameter or an accumulator.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Counts {
    cases: usize,
    /// Steps that were taken, with each type of row index.
    steps: usize,
    /// Values that were compared.
    compared: usize,
    /// Values that were not compared because the peer flushes denormals and one was involved.
    denormal: usize,
    /// Parameters that are NaN in [`ZERO_OVER_ZERO`] and were left as they are by the crate.
    zero_over_zero: usize,
    /// Values for which there is no useful bound, as where `f32` overflows and `f64` does not.
    unbounded: usize,
}

macro_rules! file {
    ($file:literal, $inputs:literal) => {
        Peer {
            file: $file,
            text: include_str!(concat!("recordings/", $file, ".jsonl")),
            inputs: include_str!(concat!("recordings/", $inputs, ".jsonl")),
            layout: Layout::Dense,
            coalesced: false,
            preset: Adagrad::new,
            epsilon: Epsilon::OutsideSqrt,
            weight_decay: WeightDecay::L2,
            rate: |case, step| case.rates[step],
            agreement: Agreement::Exact,
            flushes_denormals: false,
        }
    };
}

/// A file of dense cases. Unless it says otherwise: ε outside the root, L2, equal bits.
macro_rules! dense {
    ($file:literal) => {
        file!($file, "inputs_dense")
    };
}

/// A file of cases with rows. Unless it says otherwise: one accumulator per element, one step per occurrence.
macro_rules! rows {
    ($file:literal) => {
        Peer { layout: Layout::Rows, ..file!($file, "inputs_rows") }
    };
}

#[test]
fn torch_fused() {
    let peer = Peer { preset: Adagrad::pytorch, ..dense!("torch_fused") };
    peer.replay(Counts { cases: 270, steps: 1734, compared: 70326, zero_over_zero: 54, ..Counts::default() });
}

#[test]
fn torch_fused_nofma() {
    let preset = |rate| Adagrad::pytorch(rate).with_arithmetic(Arithmetic::Separate);
    let peer = Peer { preset, ..dense!("torch_fused_nofma") };
    peer.replay(Counts { cases: 270, steps: 1734, compared: 70326, zero_over_zero: 54, ..Counts::default() });
}

#[test]
fn torch_sparse() {
    let preset = |rate| Adagrad::pytorch(rate).with_arithmetic(Arithmetic::Separate);
    let peer = Peer { preset, coalesced: true, agreement: Agreement::Ulps, ..rows!("torch_sparse") };
    peer.replay(Counts { cases: 46, steps: 620, compared: 159840, ..Counts::default() });
}

#[test]
fn keras() {
    let peer = Peer {
        preset: Adagrad::keras,
        epsilon: Epsilon::InsideSqrt,
        weight_decay: WeightDecay::Decoupled,
        flushes_denormals: true,
        ..dense!("keras")
    };
    peer.replay(Counts {
        cases: 143,
        steps: 1030,
        compared: 47440,
        denormal: 3414,
        zero_over_zero: 54,
        ..Counts::default()
    });
}

#[test]
fn tf_apply_adagrad_v2() {
    let peer = Peer { preset: Adagrad::tensorflow, flushes_denormals: true, ..dense!("tf_apply_adagrad_v2") };
    peer.replay(Counts {
        cases: 110,
        steps: 836,
        compared: 36966,
        denormal: 2748,
        zero_over_zero: 54,
        ..Counts::default()
    });
}

#[test]
fn tf_sparse_apply_adagrad_v2() {
    let peer = Peer { preset: Adagrad::tensorflow, ..rows!("tf_sparse_apply_adagrad_v2") };
    peer.replay(Counts { cases: 46, steps: 1480, compared: 369600, ..Counts::default() });
}

#[test]
fn fbgemm_cpp_sparse() {
    let peer = Peer { preset: Adagrad::fbgemm, ..rows!("fbgemm_cpp_sparse") };
    peer.replay(Counts { cases: 46, steps: 1480, compared: 369600, ..Counts::default() });
}

#[test]
fn fbgemm_cpp_rowwise() {
    let peer = Peer { preset: Adagrad::fbgemm, layout: Layout::RowWise, ..rows!("fbgemm_cpp_rowwise") };
    peer.replay(Counts { cases: 46, steps: 1480, compared: 193680, ..Counts::default() });
}

#[test]
fn fbgemm_tbe_rowwise_adagrad() {
    let peer = Peer {
        preset: Adagrad::fbgemm,
        layout: Layout::RowWise,
        coalesced: true,
        ..rows!("fbgemm_tbe_rowwise_adagrad")
    };
    peer.replay(Counts { cases: 22, steps: 680, compared: 114480, ..Counts::default() });
}

#[test]
fn onnx_backend_node_tests() {
    let peer = Peer { agreement: Agreement::Ulps, ..dense!("onnx_backend_node_tests") };
    peer.replay(Counts { cases: 3, steps: 3, compared: 8, ..Counts::default() });
}

#[test]
fn optax() {
    let peer = Peer {
        preset: Adagrad::optax,
        epsilon: Epsilon::InsideSqrt,
        // Its schedule is computed in f32, unlike the others'.
        rate: |case, step| case.learning_rate as f32 / (1.0 + step as f32 * case.lr_decay as f32),
        agreement: Agreement::Ulps,
        flushes_denormals: true,
        ..dense!("optax")
    };
    peer.replay(Counts { cases: 134, steps: 459, compared: 22316, denormal: 846, ..Counts::default() });
}

#[test]
fn numpy_f64() {
    let peer = Peer { agreement: Agreement::F64, ..dense!("numpy_f64") };
    peer.replay(Counts {
        cases: 196,
        steps: 920,
        compared: 37436,
        zero_over_zero: 36,
        unbounded: 4,
        ..Counts::default()
    });
}

#[test]
fn numpy_f64_eps_inside() {
    let peer = Peer { epsilon: Epsilon::InsideSqrt, agreement: Agreement::F64, ..dense!("numpy_f64_eps_inside") };
    peer.replay(Counts {
        cases: 140,
        steps: 696,
        compared: 30140,
        zero_over_zero: 36,
        unbounded: 4,
        ..Counts::default()
    });
}

#[test]
fn numpy_f64_sparse_sequential() {
    let peer = Peer { agreement: Agreement::F64, ..rows!("numpy_f64_sparse_sequential") };
    peer.replay(Counts { cases: 38, steps: 540, compared: 83040, ..Counts::default() });
}

#[test]
fn numpy_f64_sparse_coalesce() {
    let peer = Peer { coalesced: true, agreement: Agreement::F64, ..rows!("numpy_f64_sparse_coalesce") };
    peer.replay(Counts { cases: 38, steps: 540, compared: 83040, ..Counts::default() });
}

#[test]
fn numpy_f64_sparse_rowwise() {
    let peer = Peer {
        layout: Layout::RowWise,
        coalesced: true,
        agreement: Agreement::F64,
        ..rows!("numpy_f64_sparse_rowwise")
    };
    peer.replay(Counts { cases: 38, steps: 540, compared: 44760, ..Counts::default() });
}
