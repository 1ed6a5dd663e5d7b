//! Adagrad with one accumulator a number, in `f32` and in `bf16`.

use std::time::Instant;

use adagrad::{Adagrad, Counter, Element, Error, MixedTable, Rounding, Table};
use half::bf16;

use crate::common::random::SplitMix64;
use crate::corpus::{Corpus, Pair};
use crate::glove::{COLUMNS, Method, PASSES, Pass, Run, gradients, mean_cost, rows, start};
use crate::shuffle::shuffle;

const ROUNDING_SEED: u64 = 1;

/// What a table holds.
trait Number: Element {
    fn nearest(value: f32) -> Self;

    fn value(self) -> f32;
}

impl Number for f32 {
    fn nearest(value: f32) -> Self {
        value
    }

    fn value(self) -> f32 {
        self
    }
}

impl Number for bf16 {
    fn nearest(value: f32) -> Self {
        Self::from_f32(value)
    }

    fn value(self) -> f32 {
        self.to_f32()
    }
}

/// Parameters and accumulators of a table.
struct Numbers<T> {
    params: Vec<T>,
    accumulator: Vec<T>,
}

/// The runs, the first of them in `f32`. Their passes take turns, so that other work on the machine slows down all of them.
pub(crate) fn runs(rate: f32, corpus: &Corpus<'_>) -> Result<[(&'static str, Run); 3], Error> {
    let opt = Adagrad::new(rate);
    let mut f32 = Learner::<f32>::new(rate, corpus);
    let mut chance = Learner::<bf16>::new(rate, corpus);
    let mut nearest = Learner::<bf16>::new(rate, corpus);
    for _ in 0..PASSES {
        f32.pass(corpus, |Numbers { params, accumulator }, _, rows, grads| {
            opt.step_rows(&mut Table::new(params, accumulator, COLUMNS)?, &rows, grads).map(|_| ())
        })?;
        let mixed = |numbers: &mut Numbers<bf16>, rows: [usize; 2], grads: &[f32; 2 * COLUMNS], rounding| {
            let mut table = MixedTable::new(&mut numbers.params, &mut numbers.accumulator, COLUMNS)?;
            opt.step_mixed_rows(&mut table, &rows, grads, rounding).map(|_| ())
        };
        chance.pass(corpus, |numbers, step, rows, grads| {
            mixed(numbers, rows, grads, Rounding::Stochastic(Counter::new(ROUNDING_SEED, step)))
        })?;
        nearest.pass(corpus, |numbers, _, rows, grads| mixed(numbers, rows, grads, Rounding::Nearest))?;
    }
    Ok([("f32", f32.run()), ("bf16, by chance", chance.run()), ("bf16, nearest", nearest.run())])
}

/// A row's values.
fn row_of<T: Number>(params: &[T], row: usize) -> [f32; COLUMNS] {
    params.as_chunks::<COLUMNS>().0[row].map(T::value)
}

struct Learner<T> {
    rate: f32,
    numbers: Numbers<T>,
    random: SplitMix64,
    pairs: Vec<Pair>,
    passes: Vec<Pass>,
    /// How many steps there were.
    steps: u64,
}

impl<T: Number> Learner<T> {
    fn new(rate: f32, corpus: &Corpus<'_>) -> Self {
        let mut random = SplitMix64(1);
        let len = 2 * corpus.vocabulary.len() * COLUMNS;
        let params = (0..len).map(|_| T::nearest(start(&mut random))).collect();
        let numbers = Numbers { params, accumulator: vec![T::nearest(0.0); len] };
        Self { rate, numbers, random, pairs: corpus.training.clone(), passes: Vec::new(), steps: 0 }
    }

    /// Goes through the pairs. The step is given how many there were before it.
    fn pass(
        &mut self,
        corpus: &Corpus<'_>,
        mut step: impl FnMut(&mut Numbers<T>, u64, [usize; 2], &[f32; 2 * COLUMNS]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let words = corpus.vocabulary.len();
        let (mut sum, mut grads) = (0.0, [0.0; 2 * COLUMNS]);
        let clock = Instant::now();
        shuffle(&mut self.random, &mut self.pairs);
        for pair in &self.pairs {
            let both = rows(pair, words);
            let [w, c] = both.map(|row| row_of(&self.numbers.params, row));
            sum += gradients(pair, &w, &c, &mut grads);
            step(&mut self.numbers, self.steps, both, &grads)?;
            self.steps += 1;
        }
        let seconds = clock.elapsed().as_secs_f64();
        let rows = self.rows();
        let validation = mean_cost(|row| &rows[row * COLUMNS..][..COLUMNS], words, &corpus.validation);
        self.passes.push(Pass { cost: sum / self.pairs.len() as f64, validation, seconds });
        Ok(())
    }

    fn rows(&self) -> Vec<f32> {
        self.numbers.params.iter().map(|w| w.value()).collect()
    }

    fn run(self) -> Run {
        let rows = self.rows();
        let Self { rate, numbers: Numbers { params, accumulator }, passes, .. } = self;
        let bytes = size_of_val(&params[..]) + size_of_val(&accumulator[..]);
        Run { method: Method::Adagrad, rate, best: passes.len() - 1, passes, rows, effective_rates: Vec::new(), bytes }
    }
}
