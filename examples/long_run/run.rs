//! Several ways of training, side by side.

use adagrad::{Accumulation, Adagrad, Error, Schedule, Summary, sum_of_squares};

use crate::common::progress::Progress;
use crate::problems::Problem;

/// ρ: what is left of a squared gradient after 1/(1 − ρ) = 1,000 steps is 1/e of it.
pub(crate) const RETAINED: f32 = 0.999;
/// A gradient counts as small if at most this share of its norm at the start is left.
pub(crate) const SMALL_GRADIENT: f64 = 0.01;
/// How many points a curve has, after the first step.
const POINTS: u64 = 400;

/// A way of training.
#[derive(Clone, Copy)]
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    /// Its learning rate comes from the schedule.
    opt: Adagrad,
    schedule: Schedule,
    /// The number of steps after which the accumulator is emptied, again and again.
    restart: Option<u64>,
}

impl Variant {
    pub(crate) const COUNT: usize = 5;
    /// The position of the one that forgets, with a constant η.
    pub(crate) const LEAKY: usize = 3;

    /// All of them, for so many steps with the learning rate η.
    pub(crate) fn all(eta: f64, steps: u64) -> [Self; Self::COUNT] {
        let sum = Adagrad::new(0.0);
        let leaky = sum.with_accumulation(Accumulation::Leaky(RETAINED));
        let constant = Schedule::constant(eta);
        let cooling = constant.with_warm_up(steps / 100).with_cosine_cool_down(steps / 2, steps / 2, 0.01);
        let bare = Self { name: "bare", opt: sum, schedule: constant, restart: None };
        [
            bare,
            Self { name: "cool-down", schedule: cooling, ..bare },
            Self { name: "restarts", restart: Some(Self::restart(steps)), ..bare },
            Self { name: "leaky", opt: leaky, ..bare },
            Self { name: "leaky, cool-down", opt: leaky, schedule: cooling, ..bare },
        ]
    }

    /// Its hyper-parameters at a step.
    fn at(&self, step: u64) -> Adagrad {
        self.opt.with_learning_rate(self.schedule.at(step))
    }

    /// The steps between two restarts.
    pub(crate) const fn restart(steps: u64) -> u64 {
        steps / 8
    }
}

/// What is recorded now and then.
pub(crate) struct Point {
    pub(crate) step: u64,
    pub(crate) loss: f64,
    /// The median of the effective rates.
    pub(crate) rate: f64,
}

/// A training, and what came of it.
pub(crate) struct Run {
    pub(crate) variant: Variant,
    params: Vec<f32>,
    accumulator: Vec<f32>,
    pub(crate) points: Vec<Point>,
    /// The norm of the exact gradient at the start and at the end.
    norms: [f64; 2],
}

/// What a run's gradient, rates and loss say about it.
#[derive(Clone, Copy)]
pub(crate) enum Verdict {
    /// The gradient has become small.
    Converged,
    /// It has not, most rates are tiny, and the loss hardly falls.
    Frozen,
    /// It has not, most rates are tiny, but the loss falls.
    Slow,
    /// It has not, most rates are not tiny, and the loss falls.
    Learning,
    /// It has not, most rates are not tiny, and the loss does not fall.
    Hovering,
}

/// Trains all variants on the same samples.
pub(crate) fn run<P: Problem>(
    problem: &mut P,
    variants: impl IntoIterator<Item = Variant>,
    progress: &mut Progress,
) -> Result<Vec<Run>, Error> {
    const REPORT: u64 = 1000;

    let start = problem.start();
    let mut values = vec![0.0; start.len()];
    problem.exact_gradient(&start, &mut values);
    let norms = [sum_of_squares(&values).sqrt(); 2];
    let new = |variant| Run {
        variant,
        params: start.clone(),
        accumulator: vec![0.0; start.len()],
        points: Vec::new(),
        norms,
    };
    let mut runs: Vec<Run> = variants.into_iter().map(new).collect();
    for step in 1..=P::STEPS {
        problem.draw(step);
        let record = step == 1 || step.is_multiple_of(P::STEPS / POINTS);
        for Run { variant, params, accumulator, points, .. } in &mut runs {
            if variant.restart.is_some_and(|restart| step > 1 && step % restart == 1) {
                accumulator.fill(0.0);
            }
            problem.gradient(params, &mut values);
            let opt = variant.at(step);
            opt.step(params, &values, accumulator)?;
            if record {
                opt.effective_rates(accumulator, &mut values)?;
                values.sort_by(f32::total_cmp);
                let rate = f64::from(values[values.len() / 2]);
                points.push(Point { step, loss: problem.loss(params), rate });
            }
        }
        if step.is_multiple_of(REPORT) {
            progress.advance(REPORT as usize);
        }
    }
    for Run { params, norms, .. } in &mut runs {
        problem.exact_gradient(params, &mut values);
        norms[1] = sum_of_squares(&values).sqrt();
    }
    Ok(runs)
}

impl Run {
    pub(crate) fn params(&self) -> usize {
        self.params.len()
    }

    fn steps(&self) -> u64 {
        self.points.last().map_or(0, |point| point.step)
    }

    /// The mean of the recorded losses after step `from`, up to step `to`, and the variance of that mean, as if the
    /// points were independent.
    fn mean_and_variance(&self, [from, to]: [u64; 2]) -> [f64; 2] {
        let points = || self.points.iter().filter(|point| from < point.step && point.step <= to);
        let count = points().count() as f64;
        let mean = points().map(|point| point.loss).sum::<f64>() / count;
        [mean, points().map(|point| (point.loss - mean).powi(2)).sum::<f64>() / (count * (count - 1.0))]
    }

    pub(crate) fn mean_loss(&self, stage: [u64; 2]) -> f64 {
        self.mean_and_variance(stage)[0]
    }

    /// How many steps it takes to halve the loss, if it falls on as from the last but one twentieth of the run to the
    /// last. None if it did not fall by more than two standard errors.
    pub(crate) fn halving(&self) -> Option<f64> {
        let twentieths = |n| self.steps() / 20 * n;
        let [before, before_variance] = self.mean_and_variance([twentieths(18), twentieths(19)]);
        let [after, after_variance] = self.mean_and_variance([twentieths(19), twentieths(20)]);
        let falls = before - after > 2.0 * (before_variance + after_variance).sqrt();
        falls.then(|| twentieths(1) as f64 / (before / after).log2())
    }

    /// The norm of the exact gradient at the end, as a share of that at the start.
    pub(crate) fn gradient_left(&self) -> f64 {
        self.norms[1] / self.norms[0]
    }

    /// The effective rates at the end; how many are below `tiny`; and how many accumulators no longer change with a
    /// gradient as large as its elements are now, by root mean square.
    pub(crate) fn rates(&self, tiny: f32) -> Result<Summary, Error> {
        let gradient = self.norms[1] / (self.params.len() as f64).sqrt();
        self.variant.at(self.steps()).summary(&self.accumulator, tiny, gradient as f32)
    }

    pub(crate) fn verdict(&self, tiny: f32) -> Result<Verdict, Error> {
        let tiny = self.rates(tiny)?.share_below() > 0.5;
        let halving = self.halving();
        Ok(if self.gradient_left() <= SMALL_GRADIENT {
            Verdict::Converged
        } else if tiny && halving.is_none_or(|steps| steps > self.steps() as f64) {
            Verdict::Frozen
        } else if tiny {
            Verdict::Slow
        } else if halving.is_some() {
            Verdict::Learning
        } else {
            Verdict::Hovering
        })
    }
}

impl Verdict {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::Frozen => "frozen",
            Self::Slow => "slow",
            Self::Learning => "learning",
            Self::Hovering => "hovering",
        }
    }
}
