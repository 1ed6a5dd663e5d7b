//! Logistic regression with one weight a word, learnt message by message.

use std::time::Instant;

use adagrad::{Adagrad, Error, Ftrl, Proximal, Table};

use crate::common::random::SplitMix64;
use crate::data::Sample;
use crate::shuffle::shuffle;

/// How often training goes through the messages, each time in another order.
pub(crate) const EPOCHS: usize = 5;

#[derive(Clone, Copy)]
pub(crate) enum Method {
    /// `w ← w − η·g`.
    Sgd,
    /// `start` is what each accumulator starts at.
    Adagrad { start: f32 },
}

impl Method {
    /// Plain SGD; Adagrad from 0, as `PyTorch` starts it; Adagrad from 0.1, as TensorFlow and Keras do.
    pub(crate) const ALL: [Self; 3] = [Self::Sgd, Self::Adagrad { start: 0.0 }, Self::Adagrad { start: 0.1 }];

    pub(crate) fn name(self) -> String {
        match self {
            Self::Sgd => "SGD".into(),
            Self::Adagrad { start } => format!("Adagrad, G₀ = {start}"),
        }
    }
}

/// What is learnt: a weight for each row, and Adagrad's accumulators.
pub(crate) struct Model {
    pub(crate) method: Method,
    pub(crate) learning_rate: f32,
    pub(crate) weights: Vec<f32>,
    pub(crate) accumulator: Vec<f32>,
    /// What a small gradient of each row is multiplied by: η with SGD, η/(√G + ε) with Adagrad.
    pub(crate) effective_rates: Vec<f32>,
}

/// Learns from `samples` with SGD or Adagrad.
pub(crate) fn train(
    method: Method,
    learning_rate: f32,
    rows: usize,
    samples: &[Sample],
    watch: impl FnMut(usize, &[f32]),
) -> Result<Model, Error> {
    let start = if let Method::Adagrad { start } = method { start } else { 0.0 };
    let opt = Adagrad::new(learning_rate).with_initial_accumulator(start);
    let mut weights = vec![0.0; rows];
    let mut accumulator = vec![opt.initial_accumulator(); rows];
    let mut learner = match method {
        Method::Sgd => Learner::Sgd { learning_rate, weights: &mut weights },
        // A row for each word, with one column.
        Method::Adagrad { .. } => Learner::Adagrad { opt, table: Table::new(&mut weights, &mut accumulator, 1)? },
    };

    learn(&mut learner, samples, watch)?;
    let mut effective_rates = vec![learning_rate; rows];
    if let Method::Adagrad { .. } = method {
        opt.effective_rates(&accumulator, &mut effective_rates)?;
    }
    Ok(Model { method, learning_rate, weights, accumulator, effective_rates })
}

/// Goes through the samples `EPOCHS` times. Calls `watch` with the number of updates and the weights after each update.
pub(crate) fn learn(
    learner: &mut Learner<'_>,
    samples: &[Sample],
    mut watch: impl FnMut(usize, &[f32]),
) -> Result<(), Error> {
    let mut order: Vec<usize> = (0..samples.len()).collect();
    let mut random = SplitMix64(0);
    let mut grads = Vec::new();
    let mut updates = 0;
    for _ in 0..EPOCHS {
        shuffle(&mut random, &mut order);
        for &i in &order {
            let Sample { rows, spam } = &samples[i];
            // The log-loss has the same gradient for each word of the message: p − y.
            let gradient = probability(score(learner.weights(), rows)) - f32::from(*spam);
            grads.clear();
            grads.resize(rows.len(), gradient);
            learner.update(rows, &grads)?;
            updates += 1;
            watch(updates, learner.weights());
        }
    }
    Ok(())
}

/// The nanoseconds that one `step_rows` takes for a message, and for one of its rows: the median of some passes over
/// all messages, with gradients that are small but not zero.
pub(crate) fn time_steps(model: &Model, samples: &[Sample]) -> Result<(f64, f64), Error> {
    const PASSES: usize = 15;
    let (mut weights, mut accumulator) = (model.weights.clone(), model.accumulator.clone());
    let opt = Adagrad::new(model.learning_rate);
    let mut table = Table::new(&mut weights, &mut accumulator, 1)?;
    let grads: Vec<Vec<f32>> = samples.iter().map(|sample| vec![1e-3; sample.rows.len()]).collect();
    let mut passes = [0.0; PASSES];
    for pass in &mut passes {
        let start = Instant::now();
        for (sample, grads) in samples.iter().zip(&grads) {
            opt.step_rows(&mut table, &sample.rows, grads)?;
        }
        *pass = start.elapsed().as_nanos() as f64;
    }
    passes.sort_by(f64::total_cmp);
    let rows: usize = grads.iter().map(Vec::len).sum();
    let median = passes[PASSES / 2];
    Ok((median / samples.len() as f64, median / rows as f64))
}

/// The weights while they are learnt.
pub(crate) enum Learner<'a> {
    Sgd { learning_rate: f32, weights: &'a mut [f32] },
    Adagrad { opt: Adagrad, table: Table<'a> },
    Proximal { opt: Proximal, table: Table<'a> },
    Ftrl { opt: Ftrl, table: Table<'a>, linear: &'a mut [f32] },
}

impl Learner<'_> {
    pub(crate) fn weights(&self) -> &[f32] {
        match self {
            Self::Sgd { weights, .. } => weights,
            Self::Adagrad { table, .. } | Self::Proximal { table, .. } | Self::Ftrl { table, .. } => {
                table.params().unwrap_or_default()
            }
        }
    }

    fn update(&mut self, rows: &[u32], grads: &[f32]) -> Result<(), Error> {
        match self {
            Self::Sgd { learning_rate, weights } => {
                for (&row, gradient) in rows.iter().zip(grads) {
                    weights[row as usize] -= *learning_rate * gradient;
                }
                Ok(())
            }
            Self::Adagrad { opt, table } => opt.step_rows(table, rows, grads).map(|_| ()),
            Self::Proximal { opt, table } => opt.step_rows(table, rows, grads).map(|_| ()),
            Self::Ftrl { opt, table, linear } => opt.step_rows(table, linear, rows, grads).map(|_| ()),
        }
    }
}

/// The sum of a message's weights: the logarithm of its odds of being spam.
pub(crate) fn score(weights: &[f32], rows: &[u32]) -> f32 {
    rows.iter().map(|&row| weights[row as usize]).sum()
}

/// The probability of spam.
pub(crate) fn probability(score: f32) -> f32 {
    1.0 / (1.0 + (-score).exp())
}

/// How well weights tell spam from ham. A message counts as spam from a probability of one half on.
#[derive(Clone, Copy)]
pub(crate) struct Metrics {
    pub(crate) log_loss: f64,
    pub(crate) accuracy: f64,
    pub(crate) precision: f64,
    pub(crate) recall: f64,
    pub(crate) f1: f64,
}

impl Metrics {
    pub(crate) fn new(weights: &[f32], samples: &[Sample]) -> Self {
        let (mut found, mut missed, mut false_alarms) = (0.0, 0.0, 0.0);
        for sample in samples {
            match (sample.spam, score(weights, &sample.rows) >= 0.0) {
                (true, true) => found += 1.0,
                (true, false) => missed += 1.0,
                (false, true) => false_alarms += 1.0,
                (false, false) => {}
            }
        }
        Self {
            log_loss: log_loss(weights, samples),
            accuracy: 1.0 - (missed + false_alarms) / samples.len() as f64,
            precision: found / f64::max(found + false_alarms, 1.0),
            recall: found / f64::max(found + missed, 1.0),
            f1: 2.0 * found / f64::max(2.0 * found + missed + false_alarms, 1.0),
        }
    }
}

/// The mean of −ln p(what the message is), from the scores: ln(1 + eᶻ) − y·z, which does not overflow in this form.
pub(crate) fn log_loss(weights: &[f32], samples: &[Sample]) -> f64 {
    let sum: f64 = samples
        .iter()
        .map(|sample| {
            let z = f64::from(score(weights, &sample.rows));
            z.max(0.0) + (-z.abs()).exp().ln_1p() - if sample.spam { z } else { 0.0 }
        })
        .sum();
    sum / samples.len() as f64
}
