//! What is learnt: a linear regression whose truth drifts, and two spirals.

use core::f32::consts::{PI, SQRT_2};

use crate::common::random::SplitMix64;

/// A loss that is known from samples only. All runs see the same samples.
pub(crate) trait Problem {
    const STEPS: u64;

    /// Where the parameters start.
    fn start(&self) -> Vec<f32>;

    /// Draws the samples of a step.
    fn draw(&mut self, step: u64);

    /// The gradient of the mean loss over the samples that were drawn.
    fn gradient(&self, params: &[f32], grads: &mut [f32]);

    /// The loss that is to be made small.
    fn loss(&self, params: &[f32]) -> f64;

    /// The gradient of that loss, each element in the unit that suits its parameter.
    fn exact_gradient(&self, params: &[f32], grads: &mut [f32]);
}

/// A number from −1 to 1.
fn uniform(random: &mut SplitMix64) -> f32 {
    random.below(1 << 24) as f32 / (1 << 23) as f32 - 1.0
}

/// Least squares, `y = w*·x + noise`, on an endless stream of samples. The features are independent, with scales from
/// 1/4 to 4, and so that each has its share in `y`, `w*` is large where the scale is small. `w*` stands still, then
/// drifts, then stands still again.
pub(crate) struct Drift {
    random: SplitMix64,
    scales: [f32; Self::FEATURES],
    /// `w*` goes through these two and their opposites, times one over the scale.
    ends: [[f32; Self::FEATURES]; 2],
    truth: [f32; Self::FEATURES],
    samples: [([f32; Self::FEATURES], f32); Self::BATCH],
}

impl Drift {
    pub(crate) const FEATURES: usize = 32;
    pub(crate) const BATCH: usize = 4;
    /// The steps between which `w*` drifts.
    pub(crate) const DRIFT: [u64; 2] = [100_000, 200_000];
    /// How often it goes round in them.
    pub(crate) const TURNS: f32 = 2.5;
    /// The standard deviation of the noise.
    pub(crate) const NOISE: f32 = 1.0;

    pub(crate) fn new(seed: u64) -> Self {
        let mut random = SplitMix64(seed);
        let mut ends = [[0.0; Self::FEATURES]; 2];
        ends.as_flattened_mut().iter_mut().for_each(|end| *end = uniform(&mut random) * 3.0_f32.sqrt());
        let scales = core::array::from_fn(|i| 4.0_f32.powf(2.0 * i as f32 / (Self::FEATURES - 1) as f32 - 1.0));
        let mut problem = Self {
            random,
            scales,
            ends,
            truth: [0.0; Self::FEATURES],
            samples: [([0.0; Self::FEATURES], 0.0); Self::BATCH],
        };
        problem.draw(0);
        problem
    }
}

impl Problem for Drift {
    const STEPS: u64 = 300_000;

    fn start(&self) -> Vec<f32> {
        vec![0.0; Self::FEATURES]
    }

    fn draw(&mut self, step: u64) {
        let [from, to] = Self::DRIFT;
        let drifted = (step.clamp(from, to) - from) as f32 / (to - from) as f32;
        let (sin, cos) = (2.0 * PI * Self::TURNS * drifted).sin_cos();
        for (i, truth) in self.truth.iter_mut().enumerate() {
            *truth = (cos * self.ends[0][i] + sin * self.ends[1][i]) / self.scales[i];
        }
        for (x, y) in &mut self.samples {
            let deviation = 3.0_f32.sqrt(); // of a uniform number that has variance 1
            *y = deviation * Self::NOISE * uniform(&mut self.random);
            for ((x, scale), truth) in x.iter_mut().zip(&self.scales).zip(&self.truth) {
                *x = deviation * scale * uniform(&mut self.random);
                *y += *x * truth;
            }
        }
    }

    fn gradient(&self, params: &[f32], grads: &mut [f32]) {
        grads.fill(0.0);
        for (x, y) in &self.samples {
            let residual = x.iter().zip(params).map(|(x, w)| x * w).sum::<f32>() - y;
            let share = residual / Self::BATCH as f32;
            grads.iter_mut().zip(x).for_each(|(grad, x)| *grad += share * x);
        }
    }

    /// The expected loss beyond that of `w*` itself, `½ Σ (scale·(w − w*))²`.
    fn loss(&self, params: &[f32]) -> f64 {
        let mut errors = [0.0; Self::FEATURES];
        self.exact_gradient(params, &mut errors);
        0.5 * adagrad::sum_of_squares(&errors)
    }

    /// With respect to `scale·w`.
    fn exact_gradient(&self, params: &[f32], grads: &mut [f32]) {
        for (i, (grad, w)) in grads.iter_mut().zip(params).enumerate() {
            *grad = self.scales[i] * (w - self.truth[i]);
        }
    }
}

/// Which of two spirals a noisy point belongs to: logistic loss, and a network with a hidden layer of `z/(1 + |z|)`.
pub(crate) struct Spirals {
    random: SplitMix64,
    points: Vec<([f32; 2], f32)>,
    batch: [usize; Self::BATCH],
    start: Vec<f32>,
}

impl Spirals {
    pub(crate) const POINTS: usize = 400;
    pub(crate) const HIDDEN: usize = 24;
    /// For each hidden unit two weights, a bias, and its weight in the output, which has a bias.
    pub(crate) const PARAMS: usize = 4 * Self::HIDDEN + 1;
    pub(crate) const BATCH: usize = 8;
    pub(crate) const TURNS: f32 = 1.5;
    /// The standard deviation of the noise, where a spiral's last point is 1 from the centre.
    pub(crate) const NOISE: f32 = 0.1;

    pub(crate) fn new(seed: u64) -> Self {
        let mut random = SplitMix64(seed);
        let points = (0..Self::POINTS)
            .map(|i| {
                let (label, way) = ((i % 2) as f32, (i / 2) as f32 / (Self::POINTS / 2) as f32);
                let radius = 0.1 + 0.9 * way;
                let angle = PI * label + 2.0 * PI * Self::TURNS * way;
                let noise = Self::NOISE * 3.0_f32.sqrt();
                let mut at = |x: f32| radius * x + noise * uniform(&mut random);
                ([at(angle.cos()), at(angle.sin())], label)
            })
            .collect();
        let output = (3.0 / Self::HIDDEN as f32).sqrt();
        let mut start: Vec<f32> = (0..Self::PARAMS).map(|_| uniform(&mut random)).collect();
        for (i, w) in start.iter_mut().enumerate() {
            *w *= if i >= 3 * Self::HIDDEN { output } else { 2.0 * SQRT_2 };
        }
        Self { random, points, batch: [0; Self::BATCH], start }
    }

    /// The logarithm of the odds of the second spiral, and the hidden layer.
    fn forward(params: &[f32], [x, y]: [f32; 2]) -> (f32, [f32; Self::HIDDEN]) {
        let (units, output) = params.split_at(3 * Self::HIDDEN);
        let (wx, rest) = units.split_at(Self::HIDDEN);
        let (wy, bias) = rest.split_at(Self::HIDDEN);
        let hidden: [f32; Self::HIDDEN] = core::array::from_fn(|i| {
            let z = wx[i] * x + wy[i] * y + bias[i];
            z / (1.0 + z.abs())
        });
        (hidden.iter().zip(output).map(|(h, w)| h * w).sum::<f32>() + output[Self::HIDDEN], hidden)
    }

    /// Adds a point's gradient.
    fn backward(params: &[f32], (point, label): ([f32; 2], f32), share: f32, grads: &mut [f32]) {
        let (score, hidden) = Self::forward(params, point);
        let error = share * (1.0 / (1.0 + (-score).exp()) - label);
        let output = 3 * Self::HIDDEN;
        for (i, h) in hidden.iter().enumerate() {
            let back = error * params[output + i] * (1.0 - h.abs()) * (1.0 - h.abs());
            grads[i] += back * point[0];
            grads[Self::HIDDEN + i] += back * point[1];
            grads[2 * Self::HIDDEN + i] += back;
            grads[output + i] += error * h;
        }
        grads[output + Self::HIDDEN] += error;
    }
}

impl Problem for Spirals {
    const STEPS: u64 = 200_000;

    fn start(&self) -> Vec<f32> {
        self.start.clone()
    }

    fn draw(&mut self, _step: u64) {
        let random = &mut self.random;
        self.batch = core::array::from_fn(|_| random.below(Self::POINTS));
    }

    fn gradient(&self, params: &[f32], grads: &mut [f32]) {
        grads.fill(0.0);
        for i in self.batch {
            Self::backward(params, self.points[i], 1.0 / Self::BATCH as f32, grads);
        }
    }

    /// The mean logistic loss over all points.
    fn loss(&self, params: &[f32]) -> f64 {
        let losses = self.points.iter().map(|&(point, label)| {
            let score = f64::from(Self::forward(params, point).0);
            score.max(0.0) + (-score.abs()).exp().ln_1p() - f64::from(label) * score
        });
        losses.sum::<f64>() / Self::POINTS as f64
    }

    fn exact_gradient(&self, params: &[f32], grads: &mut [f32]) {
        grads.fill(0.0);
        for &point in &self.points {
            Self::backward(params, point, 1.0 / Self::POINTS as f32, grads);
        }
    }
}
