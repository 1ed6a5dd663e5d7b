//! Takes the steps of a recording with the crate, and compares what comes of them.

use core::fmt;
use core::iter::zip;
use std::collections::HashMap;

use adagrad::{Adagrad, Backend, Epsilon, Error, Report, RowIndex, Table, WeightDecay, coalesce};
use serde_json::Value;

use crate::files::{Case, State, words};
use crate::json::{parse, patterns, text};
use crate::near::{Near, ulp};
use crate::reference::same;
use crate::{Agreement, Counts, Layout, Peer, ULPS_OF_UPDATE, ZERO_OVER_ZERO};

/// Where each step starts.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Start {
    /// From the state that the peer recorded after the step before, rounded to `f32`.
    Recorded,
    /// From the crate's own state after the step before.
    Chained,
}

/// How a step is taken: the name of the type of row index, and the call.
type Call = (&'static str, fn(&Peer, Adagrad, &Batch<'_>, &mut State<f32>) -> Result<Report, Error>);

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

fn step_dense(_: &Peer, opt: Adagrad, batch: &Batch<'_>, state: &mut State<f32>) -> Result<Report, Error> {
    opt.step(&mut state.params, batch.grads, &mut state.accumulator)
}

fn step_rows<I: RowIndex + TryFrom<usize>>(
    peer: &Peer,
    opt: Adagrad,
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
    opt.step_rows(&mut table, &rows[..n], &grads[..n * batch.dim])
}

impl Peer {
    /// Replays every case on every backend, and expects these counts on each.
    pub fn replay(&self, expected: Counts) {
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
    pub fn recorded(&self, value: &Value) -> Vec<f64> {
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
            .with_maximize(case.maximize)
            .with_backend(backend);
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
            run(self, opt.with_learning_rate(rate), &batch, &mut state)
                .unwrap_or_else(|error| panic!("{place}: {error}"));
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
            other => panic!("a place of ε that is not known here: {other:?}"),
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
            other => panic!("a place of ε that is not known here: {other:?}"),
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
