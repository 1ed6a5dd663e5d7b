//! Adagrad written as plainly as it can be, in `f32` to compare bits with and in `f64` to compare accuracy with.
//!
//! It shares nothing with the crate's kernels: one element at a time, `std`'s square root and fused multiply-add.
#![allow(dead_code, reason = "each test uses its own part of this file")]

#[cfg(feature = "half")]
pub mod mixed;

use adagrad::{Accumulation, Adagrad, Arithmetic, Backend, Epsilon, NonFinite, Order, WeightDecay};

/// Hyper-parameters that each function here reads, and no code of the crate.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub learning_rate: f32,
    pub epsilon: Epsilon,
    pub weight_decay: WeightDecay,
    pub gradient_scale: f32,
    pub clip_value: Option<f32>,
    pub maximize: bool,
    pub arithmetic: Arithmetic,
    pub accumulation: Accumulation,
    pub non_finite: NonFinite,
    pub order: Order,
}

impl Options {
    /// All off.
    pub fn new(learning_rate: f32, epsilon: Epsilon) -> Self {
        Self {
            learning_rate,
            epsilon,
            weight_decay: WeightDecay::None,
            gradient_scale: 1.0,
            clip_value: None,
            maximize: false,
            arithmetic: Arithmetic::Separate,
            accumulation: Accumulation::Sum,
            non_finite: NonFinite::Propagate,
            order: Order::AccumulateFirst,
        }
    }

    /// The same hyper-parameters for the crate.
    pub fn adagrad(&self) -> Adagrad {
        let opt = Adagrad::new(self.learning_rate)
            .with_epsilon(self.epsilon)
            .with_weight_decay(self.weight_decay)
            .with_gradient_scale(self.gradient_scale)
            .with_maximize(self.maximize)
            .with_arithmetic(self.arithmetic)
            .with_accumulation(self.accumulation)
            .with_non_finite(self.non_finite)
            .with_order(self.order);
        match self.clip_value {
            Some(clip) => opt.with_clip_value(clip),
            None => opt,
        }
    }

    /// The same for the crate on a given backend.
    pub fn on(&self, backend: Backend) -> Adagrad {
        self.adagrad().with_backend(backend)
    }

    fn product_plus(&self, a: f32, b: f32, c: f32) -> f32 {
        match self.arithmetic {
            Arithmetic::Fused => a.mul_add(b, c),
            _ => c + a * b,
        }
    }

    /// The gradient that the accumulator sees.
    pub fn gradient(&self, w: f32, mut g: f32) -> f32 {
        if self.gradient_scale != 1.0 {
            g *= self.gradient_scale;
        }
        if self.maximize {
            g = -g;
        }
        if let Some(clip) = self.clip_value {
            g = g.clamp(-clip, clip);
        }
        match self.weight_decay {
            WeightDecay::L2(lambda) if lambda != 0.0 => self.product_plus(lambda, w, g),
            _ => g,
        }
    }

    fn kept(&self, accumulator: f32) -> f32 {
        match self.accumulation {
            Accumulation::Leaky(rho) | Accumulation::Ema(rho) => rho * accumulator,
            _ => accumulator,
        }
    }

    pub fn accumulate(&self, accumulator: f32, g: f32) -> f32 {
        let kept = self.kept(accumulator);
        match self.accumulation {
            Accumulation::Ema(rho) => self.product_plus(1.0 - rho, g * g, kept),
            _ => self.product_plus(g, g, kept),
        }
    }

    fn accumulate_mean(&self, accumulator: f32, mean: f32) -> f32 {
        let kept = self.kept(accumulator);
        match self.accumulation {
            Accumulation::Ema(rho) => self.product_plus(1.0 - rho, mean, kept),
            _ => kept + mean,
        }
    }

    /// Whether an update is to be left out: of an accumulator that no step can repair, or to values that are not finite.
    fn skips(&self, accumulator: f32, new_accumulator: f32, new_params: &[f32]) -> bool {
        let good = accumulator >= 0.0 && new_accumulator.is_finite() && new_params.iter().all(|w| w.is_finite());
        self.non_finite == NonFinite::Skip && !good
    }

    /// What stands under the root: the accumulator from before the step, or the new one.
    fn under(&self, before: f32, new: f32) -> f32 {
        if self.order == Order::StepFirst { before } else { new }
    }

    pub fn denominator(&self, accumulator: f32) -> f32 {
        match self.epsilon {
            Epsilon::OutsideSqrt(epsilon) => accumulator.sqrt() + epsilon,
            Epsilon::InsideSqrt(epsilon) => (accumulator + epsilon).sqrt(),
            other => panic!("a place of ε that is not known here: {other:?}"),
        }
    }

    fn decay(&self, w: f32) -> f32 {
        match self.weight_decay {
            WeightDecay::Decoupled(lambda) if lambda != 0.0 => w - (w * lambda) * self.learning_rate,
            _ => w,
        }
    }

    /// The dense step: how many elements were skipped.
    pub fn step(&self, params: &mut [f32], grads: &[f32], accumulator: &mut [f32]) -> usize {
        let mut skipped = 0;
        for i in 0..params.len() {
            let g = self.gradient(params[i], grads[i]);
            let sum = self.accumulate(accumulator[i], g);
            let d = self.denominator(self.under(accumulator[i], sum));
            let mut w = self.decay(params[i]);
            if d != 0.0 {
                w -= (self.learning_rate * g) / d;
            }
            if self.skips(accumulator[i], sum, &[w]) {
                skipped += 1;
            } else {
                params[i] = w;
                accumulator[i] = sum;
            }
        }
        skipped
    }

    /// The parameters that a dense step may make of one with `Arithmetic::Fast`, and what becomes of the accumulator
    /// unless the element is skipped: a quotient may be so many `f32` from the exact one.
    pub fn step_fast(&self, w: f32, g: f32, accumulator: f32, units: i32) -> (Vec<f32>, f32) {
        let g = self.gradient(w, g);
        let sum = self.accumulate(accumulator, g);
        let d = self.denominator(self.under(accumulator, sum));
        let quotient = (self.learning_rate * g) / d;
        let w = self.decay(w);
        if d == 0.0 {
            return (vec![w], sum);
        }
        let near = |units: i32| {
            let mut x = quotient;
            for _ in 0..units.abs() {
                x = if units < 0 { x.next_down() } else { x.next_up() };
            }
            // A quotient that underflows may be 0 of either sign.
            [w - x, if x == 0.0 { w + x } else { w - x }]
        };
        ((-units..=units).flat_map(near).collect(), sum)
    }

    /// Fails unless a dense step with `Arithmetic::Fast` may have made these of the state before it.
    #[track_caller]
    pub fn assert_fast(&self, before: [&[f32]; 3], after: [&[f32]; 2], skipped: usize) {
        let [params, grads, accumulator] = before;
        let (mut least, mut most) = (0, 0);
        for i in 0..params.len() {
            let (w, g, a) = (params[i], grads[i], accumulator[i]);
            let (candidates, sum) = self.step_fast(w, g, a, Arithmetic::FAST_ULPS as i32);
            let stays = |candidate: &f32| self.skips(a, sum, &[*candidate]);
            let may_step = candidates.iter().any(|c| !stays(c) && same(*c, after[0][i])) && same(sum, after[1][i]);
            let may_stay = candidates.iter().any(stays) && same(w, after[0][i]) && same(a, after[1][i]);
            assert!(
                may_step || may_stay,
                "[{i}]: w = {w:e}, g = {g:e}, G = {a:e} became {:e} and {:e}, expected {sum:e} and one of {candidates:?}, {self:?}",
                after[0][i],
                after[1][i],
            );
            least += usize::from(candidates.iter().all(stays));
            most += usize::from(candidates.iter().any(stays));
        }
        assert!((least..=most).contains(&skipped), "{skipped} skipped, expected {least} to {most}, {self:?}");
    }

    /// The step for rows, with one accumulator per element: how many elements were skipped.
    pub fn step_rows(
        &self,
        params: &mut [f32],
        accumulator: &mut [f32],
        dim: usize,
        rows: &[usize],
        grads: &[f32],
    ) -> usize {
        let mut skipped = 0;
        for (k, &row) in rows.iter().enumerate() {
            let elements = row * dim..(row + 1) * dim;
            let grads = &grads[k * dim..(k + 1) * dim];
            skipped += self.step(&mut params[elements.clone()], grads, &mut accumulator[elements]);
        }
        skipped
    }

    /// The step for rows, with one accumulator per row: how many rows were skipped.
    pub fn step_row_wise(
        &self,
        params: &mut [f32],
        accumulator: &mut [f32],
        dim: usize,
        rows: &[usize],
        grads: &[f32],
    ) -> usize {
        let mut skipped = 0;
        for (k, &row) in rows.iter().enumerate() {
            let params = &mut params[row * dim..(row + 1) * dim];
            let g: Vec<f32> = (0..dim).map(|j| self.gradient(params[j], grads[k * dim + j])).collect();
            let mut p = [0.0; 8];
            for j in 0..dim {
                p[j % 8] = self.product_plus(g[j], g[j], p[j % 8]);
            }
            let sum = ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]));
            let sum = self.accumulate_mean(accumulator[row], sum / dim as f32);
            let d = self.denominator(self.under(accumulator[row], sum));
            let mut rate = self.learning_rate / d;
            if rate > f32::MAX {
                rate = f32::MAX;
            }
            let mut w: Vec<f32> = params.iter().map(|w| self.decay(*w)).collect();
            for j in 0..dim {
                if d != 0.0 {
                    w[j] -= rate * g[j];
                }
            }
            if self.skips(accumulator[row], sum, &w) {
                skipped += 1;
            } else {
                params.copy_from_slice(&w);
                accumulator[row] = sum;
            }
        }
        skipped
    }

    /// The step for bags as copies of their gradients and a step for rows: how many elements or rows were skipped.
    pub fn step_bags(&self, state: [&mut [f32]; 2], dim: usize, row_wise: bool, bags: &Bags, grads: &[f32]) -> usize {
        let [params, accumulator] = state;
        let step = if row_wise { Self::step_row_wise } else { Self::step_rows };
        step(self, params, accumulator, dim, &bags.rows, &bags.expanded(grads, dim))
    }

    /// The dense step of one element in `f64`: the new parameter and accumulator.
    pub fn step_f64(&self, w: f64, g: f64, accumulator: f64) -> (f64, f64) {
        let mut g = g * f64::from(self.gradient_scale) * if self.maximize { -1.0 } else { 1.0 };
        if let Some(clip) = self.clip_value {
            g = g.clamp(-f64::from(clip), f64::from(clip));
        }
        let (mut w, rate) = (w, f64::from(self.learning_rate));
        match self.weight_decay {
            WeightDecay::L2(lambda) => g += f64::from(lambda) * w,
            WeightDecay::Decoupled(lambda) => w -= w * f64::from(lambda) * rate,
            _ => {}
        }
        let before = accumulator;
        let accumulator = match self.accumulation {
            Accumulation::Leaky(rho) => f64::from(rho) * accumulator + g * g,
            Accumulation::Ema(rho) => f64::from(rho) * accumulator + (1.0 - f64::from(rho)) * g * g,
            _ => accumulator + g * g,
        };
        let under = if self.order == Order::StepFirst { before } else { accumulator };
        let d = match self.epsilon {
            Epsilon::OutsideSqrt(epsilon) => under.sqrt() + f64::from(epsilon),
            Epsilon::InsideSqrt(epsilon) => (under + f64::from(epsilon)).sqrt(),
            other => panic!("a place of ε that is not known here: {other:?}"),
        };
        (if d == 0.0 { w } else { w - rate * g / d }, accumulator)
    }
}

/// Rows in bags.
#[derive(Clone, Debug)]
pub struct Bags {
    pub offsets: Vec<usize>,
    pub rows: Vec<usize>,
    pub mean: bool,
    pub weights: Option<Vec<f32>>,
}

impl Bags {
    /// The same for the crate.
    pub fn view(&self) -> adagrad::Bags<'_, usize> {
        let bags = adagrad::Bags::new(&self.offsets, &self.rows).expect("in order");
        let bags = if self.mean { bags.mean() } else { bags };
        match &self.weights {
            Some(weights) => bags.weighted(weights).expect("one for each row"),
            None => bags,
        }
    }

    /// A gradient for each row.
    pub fn expanded(&self, grads: &[f32], dim: usize) -> Vec<f32> {
        let mut expanded = Vec::new();
        for (bag, ends) in self.offsets.windows(2).enumerate() {
            for position in ends[0]..ends[1] {
                for g in &grads[bag * dim..(bag + 1) * dim] {
                    let g = if self.mean { g / (ends[1] - ends[0]) as f32 } else { *g };
                    expanded.push(self.weights.as_ref().map_or(g, |weights| g * weights[position]));
                }
            }
        }
        expanded
    }
}

/// Sums duplicate rows in order of occurrence; the distinct rows are in order of their first.
pub fn coalesce(rows: &[usize], grads: &[f32], dim: usize) -> (Vec<usize>, Vec<f32>) {
    let (mut distinct, mut sums) = (Vec::new(), Vec::<f32>::new());
    for (k, row) in rows.iter().enumerate() {
        let g = &grads[k * dim..(k + 1) * dim];
        match distinct.iter().position(|seen| seen == row) {
            Some(at) => {
                for j in 0..dim {
                    sums[at * dim + j] += g[j];
                }
            }
            None => {
                distinct.push(*row);
                sums.extend_from_slice(g);
            }
        }
    }
    (distinct, sums)
}

/// `Σ x²` in the documented order: strides of 4,096, each into 32 sums in `f32`, or in `f64` where those leave the range
/// of `f32`; then 32 totals in `f64`, added as a tree of neighbours.
pub fn sum_of_squares(values: &[f32]) -> f64 {
    let mut totals = vec![0.0; 32];
    for stride in values.chunks(4096) {
        let mut narrow = [0.0_f32; 32];
        let mut wide = [0.0_f64; 32];
        for (j, x) in stride.iter().enumerate() {
            narrow[j % 32] += x * x;
            wide[j % 32] += f64::from(*x) * f64::from(*x);
        }
        let total: f64 = narrow.iter().map(|sum| f64::from(*sum)).fold(0.0, |a, b| a + b);
        let in_range = narrow.iter().all(|sum| sum.is_finite()) && total >= 2.0_f64.powi(-90);
        for j in 0..32 {
            totals[j] += if in_range { f64::from(narrow[j]) } else { wide[j] };
        }
    }
    while totals.len() > 1 {
        totals = totals.chunks(2).map(|pair| pair[0] + pair[1]).collect();
    }
    totals[0]
}

/// Whether two values are the same bits, or both NaN (the payload is the CPU's).
pub fn same(a: f32, b: f32) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

/// Fails at the first place where two slices differ in bits.
#[track_caller]
pub fn assert_same(actual: &[f32], expected: &[f32], context: impl core::fmt::Display) {
    assert_eq!(actual.len(), expected.len(), "{context}: length");
    for (i, (a, e)) in actual.iter().zip(expected).enumerate() {
        assert!(same(*a, *e), "{context}: [{i}] is {a:e} ({:08x}), expected {e:e} ({:08x})", a.to_bits(), e.to_bits());
    }
}
