//! `PyTorch`'s C++ optimizers: <https://github.com/pytorch/pytorch>, `test/cpp/api/optim.cpp`, 87dd4af9, and its baseline
//! `test/cpp/api/optim_baseline.h`, 58dd0f53: parameters of a small network that `torch.optim.Adagrad` trained in `f64`.
//!
//! The other tests of that file are about groups of parameters, which are the caller's slices here, and other optimizers.

use adagrad::{Adagrad, Backend, Schedule, WeightDecay};

use crate::assert_close;
use crate::inputs::Random;

/// 2 inputs, 3 sigmoids, a sigmoid: six weights and three biases, three weights and one bias.
const START: [f32; 13] =
    [-0.2109, -0.4976, -0.1413, -0.3420, -0.2524, 0.6976, -0.1085, -0.2979, 0.6892, -0.0508, -0.3941, -0.2843, -0.0711];

/// How far from the baseline, relatively: it began with values of more digits than the four that it gives for the start,
/// which is 9·10⁻⁵ of one parameter.
const OF_BASELINE: f64 = 1e-4;

/// How far from the same training in `f64`: a step rounds each parameter, of at most 4, by 2⁻²³, and each update by a few
/// 2⁻²⁴, and there are 1001 steps. Most of it averages out: a sixteenth is allowed of what could add up.
const OF_F64: f64 = 1001.0 * 2.0 / (1 << 23) as f64 / 16.0;

/// What a test of the baseline trains with.
struct Training {
    name: &'static str,
    weight_decay: f64,
    lr_decay: f64,
}

/// `ProducesPyTorchValues_Adagrad`, `…_AdagradWithWeightDecay` and `…_AdagradWithWeightDecayAndLRDecay`.
#[test]
fn produces_pytorch_values() {
    for training in [
        Training { name: "adagrad", weight_decay: 0.0, lr_decay: 0.0 },
        Training { name: "adagrad_with_weight_decay", weight_decay: 1e-2, lr_decay: 0.0 },
        Training { name: "adagrad_with_weight_decay_and_lr_decay", weight_decay: 1e-6, lr_decay: 1e-3 },
    ] {
        for backend in Backend::available() {
            training.check(backend);
        }
    }
}

impl Training {
    fn check(&self, backend: Backend) {
        let rate = Schedule::inverse_time(1.0, self.lr_decay);
        let opt =
            Adagrad::pytorch(1.0).with_weight_decay(WeightDecay::L2(self.weight_decay as f32)).with_backend(backend);
        let (mut params, mut accumulator) = (START, [opt.initial_accumulator(); 13]);
        let (mut exact, mut exact_sums) = (START.map(f64::from), [0.0; 13]);
        let mut baseline = include_str!("pytorch_baseline.txt").lines().skip_while(|line| *line != self.name).skip(1);
        for step in 1..=1001 {
            let grads = gradients(&params.map(f64::from)).map(|g| g as f32);
            opt.with_learning_rate(rate.at(step)).step(&mut params, &grads, &mut accumulator).expect("valid");
            self.step_exact(step, &mut exact, &mut exact_sums);
            if step % 100 == 1 {
                let expected = baseline.next().expect("a line of the baseline");
                let expected: Vec<f64> = expected.split(' ').map(|x| x.parse().expect("a number")).collect();
                assert_eq!(expected.len(), params.len());
                for ((w, wanted), exact) in params.iter().zip(expected).zip(exact) {
                    assert_close(*w, wanted, 1e-3, 5e-4);
                    assert_close(*w, wanted, OF_BASELINE, 0.0);
                    assert_close(*w, exact, 0.0, OF_F64);
                }
            }
        }
    }

    /// The textbook's step.
    fn step_exact(&self, step: u64, params: &mut [f64; 13], sums: &mut [f64; 13]) {
        let rate = 1.0 / (1.0 + (step - 1) as f64 * self.lr_decay);
        let grads = gradients(params);
        for ((w, sum), g) in params.iter_mut().zip(sums).zip(grads) {
            let g = g + self.weight_decay * *w;
            *sum += g * g;
            *w -= rate * g / (sum.sqrt() + 1e-10);
        }
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The gradients of the sum of the outputs for three inputs.
fn gradients(p: &[f64; 13]) -> [f64; 13] {
    let mut grads = [0.0; 13];
    for input in [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]] {
        let hidden: [f64; 3] =
            core::array::from_fn(|j| sigmoid(p[2 * j] * input[0] + p[2 * j + 1] * input[1] + p[6 + j]));
        let output = sigmoid(p[12] + (0..3).map(|j| p[9 + j] * hidden[j]).sum::<f64>());
        let d_output = output * (1.0 - output);
        grads[12] += d_output;
        for (j, h) in hidden.into_iter().enumerate() {
            grads[9 + j] += d_output * h;
            let d_hidden = d_output * p[9 + j] * h * (1.0 - h);
            grads[6 + j] += d_hidden;
            grads[2 * j] += d_hidden * input[0];
            grads[2 * j + 1] += d_hidden * input[1];
        }
    }
    grads
}

/// `XORConvergence_Adagrad`: a network with 8 sigmoids learns exclusive or within 3000 steps, by the measure of that test. Its
/// random numbers are others here, three sets of them.
#[test]
fn xor_convergence() {
    const HIDDEN: usize = 8;
    const BATCH: usize = 200;
    let rate = Schedule::inverse_time(1.0, 1e-3);
    for seed in 1..=3 {
        for backend in Backend::available() {
            let opt = Adagrad::pytorch(1.0).with_weight_decay(WeightDecay::L2(1e-6)).with_backend(backend);
            let mut random = Random(seed);
            // Uniform up to 1/√inputs, the default of its layers: 2·8 weights and 8 biases, 8 weights and a bias.
            let mut params: [f32; 4 * HIDDEN + 1] = core::array::from_fn(|i| {
                let inputs = if i < 3 * HIDDEN { 2.0 } else { HIDDEN as f64 };
                ((random.below(1 << 24) as f64 / f64::from(1 << 23) - 1.0) / inputs.sqrt()) as f32
            });
            let mut accumulator = [opt.initial_accumulator(); 4 * HIDDEN + 1];
            let (mut running_loss, mut step) = (1.0, 0);
            while running_loss > 0.1 {
                step += 1;
                assert!(step <= 3000, "seed {seed}: the loss is {running_loss} after 3000 steps");
                let mut grads = [0.0_f64; 4 * HIDDEN + 1];
                let mut loss = 0.0;
                let p = params.map(f64::from);
                for _ in 0..BATCH {
                    let bits = random.bits();
                    let (x, y) = ((bits & 1) as f64, (bits >> 1 & 1) as f64);
                    let label = (bits ^ bits >> 1) & 1;
                    let hidden: [f64; HIDDEN] =
                        core::array::from_fn(|j| sigmoid(p[2 * j] * x + p[2 * j + 1] * y + p[2 * HIDDEN + j]));
                    let weights = &p[3 * HIDDEN..4 * HIDDEN];
                    let sum: f64 = weights.iter().zip(hidden).map(|(w, h)| w * h).sum();
                    let output = sigmoid(sum + p[4 * HIDDEN]);
                    // The mean of the binary cross-entropy.
                    loss -= (if label == 1 { output } else { 1.0 - output }).ln() / BATCH as f64;
                    let d_output = (output - label as f64) / BATCH as f64;
                    grads[4 * HIDDEN] += d_output;
                    for (j, h) in hidden.into_iter().enumerate() {
                        grads[3 * HIDDEN + j] += d_output * h;
                        let d_hidden = d_output * weights[j] * h * (1.0 - h);
                        grads[2 * HIDDEN + j] += d_hidden;
                        grads[2 * j] += d_hidden * x;
                        grads[2 * j + 1] += d_hidden * y;
                    }
                }
                let opt = opt.with_learning_rate(rate.at(step));
                opt.step(&mut params, &grads.map(|g| g as f32), &mut accumulator).expect("valid");
                running_loss = running_loss * 0.99 + loss * 0.01;
            }
        }
    }
}
