//! Replays steps that other implementations of Adagrad recorded, on every backend. `tests/vectors/README.md` says what
//! the files hold and where they come from.
//!
//! Each case is replayed twice: each step from the state that the peer recorded before it, and all steps in a chain
//! from the first state.

mod reference;

use core::fmt;
use core::iter::zip;
use core::ops::{Add, Div, Mul, Neg, Sub};
use std::collections::HashMap;

use adagrad::{
    Adagrad, Arithmetic, Backend, Epsilon, Error, LearningRate, Report, RowIndex, Table, WeightDecay, coalesce,
};
use reference::same;
use serde_json::Value;

// ---------------------------------------------------------------------------------------------------------------------
// Peers: one test each
// ---------------------------------------------------------------------------------------------------------------------

/// The rates that `PyTorch` used, recorded as `clr`.
#[test]
fn learning_rates() {
    let mut rates = 0;
    for line in
        include_str!("vectors/inputs_dense.jsonl").lines().chain(include_str!("vectors/inputs_rows.jsonl").lines())
    {
        let case = Case::new(&parse(line));
        let schedule = LearningRate::inverse_time(case.learning_rate, case.lr_decay);
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
            text: include_str!(concat!("vectors/", $file, ".jsonl")),
            inputs: include_str!(concat!("vectors/", $inputs, ".jsonl")),
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

// ---------------------------------------------------------------------------------------------------------------------
// Replay
// ---------------------------------------------------------------------------------------------------------------------

/// Where each step starts.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Start {
    /// From the state that the peer recorded after the step before, rounded to `f32`.
    Recorded,
    /// From the crate's own state after the step before.
    Chained,
}

/// How a step is taken: the name of the type of row index, and the call.
type Call = (&'static str, fn(&Peer, Adagrad, Backend, &Batch<'_>, &mut State<f32>) -> Result<Report, Error>);

const DENSE: &[Call] = &[("slices", step_dense)];
const ROWS: &[Call] = &[
    ("u32 rows", step_rows::<u32>),
    ("u64 rows", step_rows::<u64>),
    ("usize rows", step_rows::<usize>),
    ("i32 rows", step_rows::<i32>),
    ("i64 rows", step_rows::<i64>),
];

/// The gradients of one step. A dense case is a table of one row.
struct Batch<'a> {
    dim: usize,
    rows: &'a [usize],
    grads: &'a [f32],
}

fn step_dense(
    _: &Peer,
    opt: Adagrad,
    backend: Backend,
    batch: &Batch<'_>,
    state: &mut State<f32>,
) -> Result<Report, Error> {
    opt.step_on(backend, &mut state.params, batch.grads, &mut state.accumulator)
}

fn step_rows<I: RowIndex + TryFrom<usize>>(
    peer: &Peer,
    opt: Adagrad,
    backend: Backend,
    batch: &Batch<'_>,
    state: &mut State<f32>,
) -> Result<Report, Error> {
    let mut rows: Vec<I> =
        batch.rows.iter().map(|&row| I::try_from(row).ok().expect("a row index that fits")).collect();
    let mut grads = batch.grads.to_vec();
    let mut n = rows.len();
    if peer.coalesced {
        let mut scratch = vec![0; 2 * n];
        n = coalesce(&mut rows, &mut grads, batch.dim, &mut scratch)?;
    }
    let mut table = match peer.layout {
        Layout::RowWise => Table::row_wise(&mut state.params, &mut state.accumulator, batch.dim)?,
        _ => Table::new(&mut state.params, &mut state.accumulator, batch.dim)?,
    };
    opt.step_rows_on(backend, &mut table, &rows[..n], &grads[..n * batch.dim])
}

impl Peer {
    /// Replays every case on every backend, and expects these counts on each.
    fn replay(&self, expected: Counts) {
        let inputs: HashMap<String, Case> =
            self.inputs.lines().map(|line| Case::new(&parse(line))).map(|case| (case.name.clone(), case)).collect();
        let recordings: Vec<(&Case, Vec<State<f64>>)> = self
            .text
            .lines()
            .map(|line| {
                let recording = parse(line);
                let name = text(&recording["case"]);
                let case = inputs.get(name).unwrap_or_else(|| panic!("{}: {name} has no inputs", self.file));
                (case, case.after_each_step(self, &recording))
            })
            .collect();
        for backend in Backend::available() {
            let mut counts = Counts { cases: recordings.len(), ..Counts::default() };
            for (case, recorded) in &recordings {
                for call in if self.layout == Layout::Dense { DENSE } else { ROWS } {
                    for start in [Start::Recorded, Start::Chained] {
                        self.replay_case(case, recorded, backend, call, start, &mut counts);
                    }
                }
            }
            assert_eq!(counts, expected, "{}: {backend}: what was replayed", self.file);
        }
    }

    /// Values of this peer's own states.
    fn recorded(&self, value: &Value) -> Vec<f64> {
        match self.agreement {
            Agreement::F64 => patterns(value, 16).map(f64::from_bits).collect(),
            _ => words(value).into_iter().map(f64::from).collect(),
        }
    }

    fn replay_case(
        &self,
        case: &Case,
        recorded: &[State<f64>],
        backend: Backend,
        (call, run): &Call,
        start: Start,
        counts: &mut Counts,
    ) {
        // A difference in w comes back through the gradient, and then no tolerance in ulp of the update holds.
        if start == Start::Chained && self.agreement == Agreement::Ulps && case.weight_decay != 0.0 {
            return;
        }
        let opt = (self.preset)(case.learning_rate as f32)
            .with_epsilon((self.epsilon)(case.epsilon as f32))
            .with_weight_decay((self.weight_decay)(case.weight_decay as f32))
            .with_maximize(case.maximize);
        let mut state = case.start(self.layout);
        let mut near = state.map(|x| Near::exact(f64::from(x)));
        let mut ulps = vec![0.0; state.params.len()];
        let mut denormal = vec![false; state.params.len()];
        for (step, expected) in recorded.iter().enumerate() {
            if start == Start::Recorded && step > 0 {
                state = recorded[step - 1].map(|x| x as f32);
                near = recorded[step - 1].map(Near::stored);
                ulps.fill(0.0);
                denormal.fill(false);
            }
            let (before, near_before) = (state.clone(), near.clone());
            let place = Place { file: self.file, case: &case.name, step, backend, call, start };
            let rate = (self.rate)(case, step);
            let batch = Batch { dim: case.dim, rows: &case.rows[step], grads: &case.grads[step] };
            run(self, opt.at(rate), backend, &batch, &mut state).unwrap_or_else(|error| panic!("{place}: {error}"));
            if self.agreement != Agreement::Exact {
                self.step_near(case, step, &mut near);
            }
            counts.steps += 1;

            for (i, (&w, &wanted)) in zip(&state.params, &expected.params).enumerate() {
                let update = (near.params[i].value - near_before.params[i].value).abs();
                ulps[i] += ULPS_OF_UPDATE * ulp(update) + ulp(f64::from(w)).max(ulp(wanted));
                if self.flushes_denormals {
                    denormal[i] |= self.meets_denormals(case, rate, batch.grads[i], i, [&before, &state], expected);
                }
                let value = Compared { name: "params", i, actual: w, wanted };
                if denormal[i] {
                    counts.denormal += 1;
                } else if case.name == ZERO_OVER_ZERO && wanted.is_nan() && state.accumulator[i] == 0.0 {
                    let (bits, before) = (w.to_bits(), before.params[i]);
                    assert!(
                        same(w, before),
                        "{place}: params[{i}] is {bits:08x}, expected {:08x} as before",
                        before.to_bits()
                    );
                    counts.zero_over_zero += 1;
                } else {
                    let tolerance = match self.agreement {
                        Agreement::Exact => 0.0,
                        Agreement::Ulps => ulps[i],
                        Agreement::F64 => near.params[i].bound(wanted.abs() + update),
                    };
                    place.compare(value, tolerance, counts);
                }
            }
            for (i, (&sum, &wanted)) in zip(&state.accumulator, &expected.accumulator).enumerate() {
                if denormal[i] {
                    counts.denormal += 1;
                } else {
                    let tolerance = match self.agreement {
                        Agreement::Exact | Agreement::Ulps => 0.0,
                        Agreement::F64 => near.accumulator[i].bound(wanted),
                    };
                    place.compare(Compared { name: "accumulator", i, actual: sum, wanted }, tolerance, counts);
                }
            }
        }
    }

    /// Whether an operand or a result of any operation on element `i` of a dense case is denormal: before or after it,
    /// here or at the peer.
    fn meets_denormals(
        &self,
        case: &Case,
        rate: f32,
        g: f32,
        i: usize,
        [before, after]: [&State<f32>; 2],
        expected: &State<f64>,
    ) -> bool {
        let (w, sum, lambda) = (before.params[i], after.accumulator[i], case.weight_decay as f32);
        let decay = w * lambda;
        let decayed = match (self.weight_decay)(lambda) {
            WeightDecay::L2(_) => g + decay,
            _ => g,
        };
        let d = match (self.epsilon)(case.epsilon as f32) {
            Epsilon::OutsideSqrt(epsilon) => sum.sqrt() + epsilon,
            Epsilon::InsideSqrt(epsilon) => (sum + epsilon).sqrt(),
        };
        let inputs = [w, g, before.accumulator[i]];
        let between = [decay, decay * rate, decayed, decayed * decayed, rate * decayed, rate * decayed / d];
        let outputs = [sum, after.params[i], expected.params[i] as f32, expected.accumulator[i] as f32];
        inputs.iter().chain(&between).chain(&outputs).any(|x| x.is_subnormal())
    }

    /// The textbook's step, with the bound of what `f32` makes of it.
    fn step_near(&self, case: &Case, step: usize, state: &mut State<Near>) {
        let rate = Near::constant(case.learning_rate / (1.0 + step as f64 * case.lr_decay));
        let (epsilon, lambda) = (Near::constant(case.epsilon), Near::constant(case.weight_decay));
        let root_and_epsilon = |sum: Near| match (self.epsilon)(0.0) {
            Epsilon::OutsideSqrt(_) => sum.sqrt() + epsilon,
            Epsilon::InsideSqrt(_) => (sum + epsilon).sqrt(),
        };
        let dim = case.dim;
        for (row, grads) in self.near_gradients(case, step) {
            let params = &mut state.params[row * dim..][..dim];
            let g: Vec<Near> = zip(&grads, &*params)
                .map(|(&g, &w)| {
                    let g = if case.maximize { -g } else { g };
                    if case.weight_decay == 0.0 { g } else { g + lambda * w }
                })
                .collect();
            if self.layout == Layout::RowWise {
                let mut p = [Near::exact(0.0); 8];
                for (j, &g) in g.iter().enumerate() {
                    p[j % 8] = p[j % 8] + g * g;
                }
                let sum = ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]));
                let total = &mut state.accumulator[row];
                *total = *total + sum / Near::exact(dim as f64);
                let s = rate / root_and_epsilon(*total);
                for (w, g) in zip(params, g) {
                    *w = *w - s * g;
                }
            } else {
                for ((w, sum), g) in zip(zip(params, &mut state.accumulator[row * dim..]), g) {
                    *sum = *sum + g * g;
                    let d = root_and_epsilon(*sum);
                    if d.value != 0.0 {
                        *w = *w - rate * g / d;
                    }
                }
            }
        }
    }

    /// A step's rows and their gradients, coalesced if the peer does that.
    fn near_gradients(&self, case: &Case, step: usize) -> Vec<(usize, Vec<Near>)> {
        let mut gradients: Vec<(usize, Vec<Near>)> = Vec::new();
        for (&row, grads) in zip(&case.rows[step], case.grads[step].chunks(case.dim)) {
            let grads = grads.iter().map(|&g| Near::exact(f64::from(g)));
            match gradients.iter_mut().find(|(seen, _)| self.coalesced && *seen == row) {
                Some((_, sums)) => zip(sums, grads).for_each(|(sum, g)| *sum = *sum + g),
                None => gradients.push((row, grads.collect())),
            }
        }
        gradients
    }
}

/// One value, of the crate and of the peer.
struct Compared {
    name: &'static str,
    i: usize,
    actual: f32,
    wanted: f64,
}

/// What a failure names.
struct Place<'a> {
    file: &'a str,
    case: &'a str,
    step: usize,
    backend: Backend,
    call: &'a str,
    start: Start,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, case, step, backend, call, start } = self;
        write!(f, "{file}: {case}, step {step}, {backend}, {call}, {start:?}")
    }
}

impl Place<'_> {
    /// Fails if a value differs by more than `tolerance`: where that is 0 in any bit, but for the payload of a NaN.
    fn compare(&self, value: Compared, tolerance: f64, counts: &mut Counts) {
        let Compared { name, i, actual, wanted } = value;
        if wanted.is_finite() && !tolerance.is_finite() {
            counts.unbounded += 1;
            return;
        }
        counts.compared += 1;
        let equal = same(actual, wanted as f32);
        let near = tolerance > 0.0 && (f64::from(actual) - wanted).abs() <= tolerance;
        assert!(
            equal || near,
            "{self}: {name}[{i}] is {actual:e} ({:08x}), expected {wanted:e} ({:08x}, in f64 {:016x}) ± {tolerance:e}",
            actual.to_bits(),
            (wanted as f32).to_bits(),
            wanted.to_bits(),
        );
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// How near f32 is to f64
// ---------------------------------------------------------------------------------------------------------------------

/// A value in `f64`, and how far from it the same computation in `f32` may be (running error analysis: Higham, *Accuracy
/// and Stability of Numerical Algorithms*, 3.3).
///
/// Each operation passes on its operands' errors, in full, not only to first order. Then it rounds its result `x` once:
/// that adds at most [`Near::UNIT`]`·|x|`, and half the smallest denormal where it underflows.
#[derive(Clone, Copy)]
struct Near {
    value: f64,
    error: f64,
}

impl Near {
    /// Half an ulp of 1. The small excess is for the rounding of the `f64` computation itself.
    const UNIT: f64 = 0.5 * f32::EPSILON as f64 * (1.0 + 1e-6);
    /// Half the smallest denormal.
    const UNDERFLOW: f64 = 0.5 * f32::from_bits(1) as f64;

    fn exact(value: f64) -> Self {
        Self { value, error: 0.0 }
    }

    /// A hyper-parameter, which `f32` rounds.
    fn constant(value: f64) -> Self {
        Self::exact(value).rounded()
    }

    /// A value of which the `f32` computation starts from the rounded one.
    fn stored(value: f64) -> Self {
        Self { value, error: (value - f64::from(value as f32)).abs() }
    }

    fn rounded(self) -> Self {
        let largest = self.value.abs() + self.error;
        let overflows = largest > f64::from(f32::MAX);
        let error = self.error + Self::UNIT * largest + Self::UNDERFLOW;
        Self { value: self.value, error: if overflows { f64::INFINITY } else { error } }
    }

    fn sqrt(self) -> Self {
        let value = self.value.sqrt();
        let below = value - (self.value - self.error).max(0.0).sqrt();
        let above = (self.value + self.error).sqrt() - value;
        Self { value, error: below.max(above) }.rounded()
    }

    /// The error, or infinity if it is too large beside `scale` to say anything. Errors among the denormals are not.
    fn bound(self, scale: f64) -> f64 {
        let widest = WIDEST_BOUND * scale + f64::from(f32::MIN_POSITIVE);
        if self.error <= widest { self.error } else { f64::INFINITY }
    }
}

impl Neg for Near {
    type Output = Self;

    fn neg(self) -> Self {
        Self { value: -self.value, ..self }
    }
}

impl Add for Near {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { value: self.value + other.value, error: self.error + other.error }.rounded()
    }
}

impl Sub for Near {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Near {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let error = self.value.abs() * other.error + other.value.abs() * self.error + self.error * other.error;
        Self { value: self.value * other.value, error }.rounded()
    }
}

impl Div for Near {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        let smallest = other.value.abs() - other.error;
        let error = if smallest > 0.0 { (self.error + value.abs() * other.error) / smallest } else { f64::INFINITY };
        Self { value, error }.rounded()
    }
}

/// The distance from the `f32` nearest to `|x|` to the next one.
fn ulp(x: f64) -> f64 {
    let x = (x as f32).abs();
    f64::from(x.next_up()) - f64::from(x)
}

// ---------------------------------------------------------------------------------------------------------------------
// Files
// ---------------------------------------------------------------------------------------------------------------------

/// Parameters and accumulators.
#[derive(Clone)]
struct State<T> {
    params: Vec<T>,
    accumulator: Vec<T>,
}

impl<T: Copy> State<T> {
    fn map<U>(&self, f: impl Fn(T) -> U) -> State<U> {
        let map = |values: &[T]| values.iter().map(|&x| f(x)).collect();
        State { params: map(&self.params), accumulator: map(&self.accumulator) }
    }
}

/// The inputs of a case.
struct Case {
    name: String,
    learning_rate: f64,
    lr_decay: f64,
    epsilon: f64,
    weight_decay: f64,
    maximize: bool,
    dim: usize,
    /// Each step's learning rate.
    rates: Vec<f32>,
    params: Vec<f32>,
    /// The accumulators before the first step; or one, for all.
    accumulator: Vec<f32>,
    /// Each step's rows: the one row 0 in a dense case.
    rows: Vec<Vec<usize>>,
    grads: Vec<Vec<f32>>,
}

impl Case {
    fn new(value: &Value) -> Self {
        let hyper = &value["hyper"];
        let number = |name: &str| hyper[name].as_f64().unwrap_or(0.0); // a hyper-parameter that is off is left out
        let params = words(&value["w0"]);
        let (rows, grads) = match value["indices"].as_array() {
            Some(steps) => (steps.iter().map(indices).collect(), &value["values"]),
            None => (vec![vec![0]; list(&value["grads"]).len()], &value["grads"]),
        };
        Self {
            name: text(&value["case"]).to_owned(),
            learning_rate: hyper["lr"].as_f64().expect("a learning rate"),
            lr_decay: number("lr_decay"),
            epsilon: hyper["eps"].as_f64().expect("an epsilon"),
            weight_decay: number("weight_decay"),
            maximize: hyper["maximize"].as_bool().unwrap_or(false),
            dim: value["dim"].as_u64().map_or(params.len(), |dim| dim as usize),
            rates: words(&value["clr"]),
            params,
            accumulator: words(&value["acc0"]),
            rows,
            grads: list(grads).iter().map(words).collect(),
        }
    }

    /// The state before the first step.
    fn start(&self, layout: Layout) -> State<f32> {
        let len = if layout == Layout::RowWise { self.params.len() / self.dim } else { self.params.len() };
        let accumulator = match self.accumulator[..] {
            [all] => vec![all; len],
            _ => self.accumulator.clone(),
        };
        State { params: self.params.clone(), accumulator }
    }

    /// The state after each step, of which a recording holds the rows that the step names, each once, in order of
    /// their first occurrence.
    fn after_each_step(&self, peer: &Peer, recording: &Value) -> Vec<State<f64>> {
        let mut state = self.start(peer.layout).map(f64::from);
        let (params, accumulators) = (list(&recording["w"]), list(&recording["acc"]));
        assert_eq!(params.len(), accumulators.len(), "{}: {}: steps", peer.file, self.name);
        zip(params, accumulators)
            .enumerate()
            .map(|(step, (params, accumulator))| {
                let mut rows: Vec<usize> = Vec::new();
                for &row in &self.rows[step] {
                    if !rows.contains(&row) {
                        rows.push(row);
                    }
                }
                let width = if peer.layout == Layout::RowWise { 1 } else { self.dim };
                replace_rows(&mut state.params, &rows, self.dim, &peer.recorded(params));
                replace_rows(&mut state.accumulator, &rows, width, &peer.recorded(accumulator));
                state.clone()
            })
            .collect()
    }
}

fn replace_rows(table: &mut [f64], rows: &[usize], dim: usize, values: &[f64]) {
    assert_eq!(values.len(), rows.len() * dim, "a value for each column of each row");
    for (row, values) in zip(rows, values.chunks(dim)) {
        table[row * dim..][..dim].copy_from_slice(values);
    }
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).expect("a line of JSON")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn indices(value: &Value) -> Vec<usize> {
    list(value).iter().map(|index| index.as_u64().expect("a row index") as usize).collect()
}

/// The bit patterns in a string, of `digits` hexadecimal digits each.
fn patterns(value: &Value, digits: usize) -> impl Iterator<Item = u64> {
    let text = text(value);
    assert_eq!(text.len() % digits, 0, "{digits} digits each");
    (0..text.len() / digits).map(move |i| {
        let word = &text[i * digits..][..digits];
        u64::from_str_radix(word, 16).expect("hexadecimal digits")
    })
}

fn words(value: &Value) -> Vec<f32> {
    patterns(value, 8).map(|bits| f32::from_bits(bits as u32)).collect()
}
