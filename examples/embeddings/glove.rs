//! `GloVe`: a vector and a bias for each word, and others for it as the context of a word, learnt pair by pair.
//!
//! Pennington, Socher and Manning, *`GloVe`: Global Vectors for Word Representation*, 2014. What is made small is the mean of
//! f(X)·(w·c + b + b' − ln X)²/2 over all pairs, the cost that `GloVe`'s own program prints.

use std::time::Instant;

use adagrad::{Adagrad, Error, Table};

use crate::common::random::SplitMix64;
use crate::corpus::{Corpus, Pair};
use crate::shuffle::shuffle;

/// How often training goes through the pairs, each time in another order.
pub(crate) const PASSES: usize = 25;
/// The numbers of a vector, and the bias behind them.
pub(crate) const DIM: usize = 50;
pub(crate) const COLUMNS: usize = DIM + 1;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Method {
    /// `w ← w − η·g`.
    Sgd,
    /// An accumulator for each number, from 0.
    Adagrad,
    /// An accumulator for each number, from 1, which grows after the step and by (η·g)²: as `GloVe`'s own program.
    Glove,
    /// An accumulator for each row, from 0.
    RowWise,
}

impl Method {
    pub(crate) const COUNT: usize = 4;
    pub(crate) const ALL: [Self; Self::COUNT] = [Self::Sgd, Self::Adagrad, Self::Glove, Self::RowWise];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sgd => "SGD",
            Self::Adagrad => "Adagrad",
            Self::Glove => "Adagrad::glove",
            Self::RowWise => "row-wise",
        }
    }

    /// The step, which SGD does without, and the number of accumulators of a row.
    fn step(self, rate: f32) -> (Adagrad, usize) {
        match self {
            Self::Sgd => (Adagrad::new(rate), 0),
            Self::Adagrad => (Adagrad::new(rate), COLUMNS),
            Self::Glove => (Adagrad::glove(rate), COLUMNS),
            Self::RowWise => (Adagrad::new(rate), 1),
        }
    }
}

/// What a pass came to.
#[derive(Clone, Copy)]
pub(crate) struct Pass {
    /// The mean cost of the training pairs, each as it was just before its step.
    pub(crate) cost: f64,
    pub(crate) validation: f64,
    /// The time of this pass, without that for `validation`.
    pub(crate) seconds: f64,
}

/// A training run.
pub(crate) struct Run {
    pub(crate) method: Method,
    pub(crate) rate: f32,
    /// `PASSES` of them, or fewer if the cost did not stay finite.
    pub(crate) passes: Vec<Pass>,
    /// The position in `passes` of the least validation cost, and the rows after that pass.
    pub(crate) best: usize,
    pub(crate) rows: Vec<f32>,
    /// What a small gradient is multiplied by after the last pass: the median of each row, those of words first.
    pub(crate) effective_rates: Vec<f32>,
    /// The bytes of parameters and accumulators.
    pub(crate) bytes: usize,
}

impl Run {
    /// The cost of the last pass.
    pub(crate) fn cost(&self) -> f64 {
        if self.passes.len() < PASSES { f64::INFINITY } else { self.passes[PASSES - 1].cost }
    }

    pub(crate) fn validation(&self) -> f64 {
        self.passes.get(self.best).map_or(f64::INFINITY, |pass| pass.validation)
    }

    /// The least time of a pass.
    pub(crate) fn seconds(&self) -> f64 {
        self.passes.iter().map(|pass| pass.seconds).fold(f64::INFINITY, f64::min)
    }

    /// How many passes it takes until one has this.
    pub(crate) fn passes_to(&self, end: impl Fn(&Pass) -> bool) -> f64 {
        self.passes.iter().position(end).map_or(f64::INFINITY, |position| (position + 1) as f64)
    }
}

/// Learns from the training pairs.
pub(crate) fn train(
    method: Method,
    rate: f32,
    corpus: &Corpus<'_>,
    mut advance: impl FnMut(usize),
) -> Result<Run, Error> {
    let words = corpus.vocabulary.len();
    let mut random = SplitMix64(1);
    let (opt, accumulators) = method.step(rate);
    // A row is its parameters and, behind them, its accumulators.
    let mut memory = Vec::new();
    for row in 1..=2 * words {
        memory.extend((0..COLUMNS).map(|_| start(&mut random)));
        memory.resize(row * (COLUMNS + accumulators), opt.initial_accumulator());
    }
    let bytes = size_of_val(&memory[..]);
    let mut learner = match method {
        Method::Sgd => Learner::Sgd { rate, params: &mut memory },
        Method::RowWise => Learner::Adagrad { opt, table: Table::interleaved_row_wise(&mut memory, COLUMNS)? },
        _ => Learner::Adagrad { opt, table: Table::interleaved(&mut memory, COLUMNS)? },
    };

    let mut pairs = corpus.training.clone();
    let mut passes: Vec<Pass> = Vec::new();
    let (mut best, mut rows) = (0, Vec::new());
    for pass in 0..PASSES {
        let start = Instant::now();
        shuffle(&mut random, &mut pairs);
        let cost = learner.pass(&pairs, words)?;
        let seconds = start.elapsed().as_secs_f64();
        let validation = mean_cost(|row| learner.row(row), words, &corpus.validation);
        advance(1);
        if !(cost.is_finite() && validation.is_finite()) {
            // The passes that are left out.
            advance(PASSES - 1 - pass);
            break;
        }
        passes.push(Pass { cost, validation, seconds });
        if validation <= passes[best].validation {
            best = pass;
            rows = (0..2 * words).flat_map(|row| learner.row(row)).copied().collect();
        }
    }
    let effective_rates = learner.effective_rates(2 * words)?;
    Ok(Run { method, rate, passes, best, rows, effective_rates, bytes })
}

/// What a number starts from. As in `GloVe`: −1/2 to 1/2, divided by the size of a vector.
pub(crate) fn start(random: &mut SplitMix64) -> f32 {
    (random.below(1 << 24) as f32 / (1 << 24) as f32 - 0.5) / DIM as f32
}

/// The rows while they are learnt: first those of words, then those of contexts.
enum Learner<'a> {
    Sgd { rate: f32, params: &'a mut [f32] },
    Adagrad { opt: Adagrad, table: Table<'a> },
}

impl Learner<'_> {
    fn row(&self, row: usize) -> &[f32] {
        match self {
            Self::Sgd { params, .. } => &params[row * COLUMNS..][..COLUMNS],
            Self::Adagrad { table, .. } => table.row(row).unwrap_or_default().0,
        }
    }

    /// Goes through the pairs; the result is their mean cost.
    fn pass(&mut self, pairs: &[Pair], words: usize) -> Result<f64, Error> {
        let mut sum = 0.0;
        let mut grads = [0.0; 2 * COLUMNS];
        for pair in pairs {
            let [word, context] = rows(pair, words);
            sum += gradients(pair, self.row(word), self.row(context), &mut grads);
            self.step([word, context], &grads)?;
        }
        Ok(sum / pairs.len() as f64)
    }

    fn step(&mut self, rows: [usize; 2], grads: &[f32; 2 * COLUMNS]) -> Result<(), Error> {
        match self {
            Self::Sgd { rate, params } => {
                for (row, grads) in rows.into_iter().zip(grads.as_chunks::<COLUMNS>().0) {
                    for (w, g) in params[row * COLUMNS..][..COLUMNS].iter_mut().zip(grads) {
                        *w -= *rate * g;
                    }
                }
                Ok(())
            }
            Self::Adagrad { opt, table } => opt.step_rows(table, &rows, grads).map(|_| ()),
        }
    }

    /// The median effective rate of each row.
    fn effective_rates(&self, rows: usize) -> Result<Vec<f32>, Error> {
        match self {
            Self::Sgd { rate, .. } => Ok(vec![*rate; rows]),
            Self::Adagrad { opt, table } => {
                let median = |row| {
                    let accumulator = table.row(row).unwrap_or_default().1;
                    let mut rates = vec![0.0; accumulator.len()];
                    opt.effective_rates(accumulator, &mut rates)?;
                    let (_, median, _) = rates.select_nth_unstable_by(accumulator.len() / 2, f32::total_cmp);
                    // GloVe's rate is in the gradient.
                    Ok(*median * opt.gradient_scale())
                };
                (0..rows).map(median).collect()
            }
        }
    }
}

/// The gradients of a pair's two rows; the result is its cost.
pub(crate) fn gradients(pair: &Pair, w: &[f32], c: &[f32], grads: &mut [f32; 2 * COLUMNS]) -> f64 {
    let error = error(pair, w, c);
    // f(X)·error times the other vector, and times 1 for the bias.
    let gradient = pair.weight * error;
    let (of_word, of_context) = grads.split_at_mut(COLUMNS);
    for (((of_word, of_context), w), c) in of_word.iter_mut().zip(of_context).zip(w).zip(c) {
        (*of_word, *of_context) = (gradient * c, gradient * w);
    }
    (grads[DIM], grads[COLUMNS + DIM]) = (gradient, gradient);
    cost(pair, error)
}

/// The mean cost of pairs.
pub(crate) fn mean_cost<'a>(row: impl Fn(usize) -> &'a [f32], words: usize, pairs: &[Pair]) -> f64 {
    let each = |pair: &Pair| {
        let [word, context] = rows(pair, words);
        cost(pair, error(pair, row(word), row(context)))
    };
    pairs.iter().map(each).sum::<f64>() / pairs.len() as f64
}

pub(crate) fn rows(pair: &Pair, words: usize) -> [usize; 2] {
    [pair.word as usize, words + pair.context as usize]
}

/// w·c + b + b' − ln X.
fn error(pair: &Pair, w: &[f32], c: &[f32]) -> f32 {
    dot(&w[..DIM], &c[..DIM]) + w[DIM] + c[DIM] - pair.log_count
}

fn cost(pair: &Pair, error: f32) -> f64 {
    f64::from(pair.weight) * f64::from(error).powi(2) / 2.0
}

/// The scalar product, as eight sums, which the compiler keeps in one register.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        sums.iter_mut().zip(a).zip(b).for_each(|((sum, a), b)| *sum += a * b);
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}
