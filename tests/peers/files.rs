//! The files of recordings: inputs and states.

use core::iter::zip;

use serde_json::Value;

use crate::json::{patterns, text};
use crate::{Layout, Peer};

/// Parameters and accumulators.
#[derive(Clone)]
pub struct State<T> {
    pub params: Vec<T>,
    pub accumulator: Vec<T>,
}

impl<T: Copy> State<T> {
    pub fn map<U>(&self, f: impl Fn(T) -> U) -> State<U> {
        let map = |values: &[T]| values.iter().map(|&x| f(x)).collect();
        State { params: map(&self.params), accumulator: map(&self.accumulator) }
    }
}

/// The inputs of a case.
pub struct Case {
    pub name: String,
    pub learning_rate: f64,
    pub lr_decay: f64,
    pub epsilon: f64,
    pub weight_decay: f64,
    pub maximize: bool,
    pub dim: usize,
    /// Each step's learning rate.
    pub rates: Vec<f32>,
    pub params: Vec<f32>,
    /// The accumulators before the first step; or one, for all.
    pub accumulator: Vec<f32>,
    /// Each step's rows: the one row 0 in a dense case.
    pub rows: Vec<Vec<usize>>,
    pub grads: Vec<Vec<f32>>,
}

impl Case {
    pub fn new(value: &Value) -> Self {
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
    pub fn start(&self, layout: Layout) -> State<f32> {
        let len = if layout == Layout::RowWise { self.params.len() / self.dim } else { self.params.len() };
        let accumulator = match self.accumulator[..] {
            [all] => vec![all; len],
            _ => self.accumulator.clone(),
        };
        State { params: self.params.clone(), accumulator }
    }

    /// The state after each step, of which a recording holds the rows that the step names, each once, in order of
    /// their first occurrence.
    pub fn after_each_step(&self, peer: &Peer, recording: &Value) -> Vec<State<f64>> {
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

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn indices(value: &Value) -> Vec<usize> {
    list(value).iter().map(|index| index.as_u64().expect("a row index") as usize).collect()
}

pub fn words(value: &Value) -> Vec<f32> {
    patterns(value, 8).map(|bits| f32::from_bits(bits as u32)).collect()
}
