//! candle-optimisers: <https://github.com/KGrewal1/optimisers>, `tests/adagrad_tests.rs`, 1f0ad045 (0.10.0-alpha.2). It was checked
//! against `PyTorch` by its author. candle itself has no Adagrad.
//!
//! Each test fits `3·x₁ + x₂ − 2` by 1000 steps, and compares what comes out, rounded to four digits, for equality. The tests in
//! `src/adagrad.rs` there set a learning rate and read it back, as does `tests/options.rs` here.

use adagrad::{Adagrad, Backend, Schedule, WeightDecay};

/// The gradients of the sum of squared errors, in `f32` as candle has them.
fn gradients([w1, w2, b]: [f32; 3]) -> [f32; 3] {
    let mut grads = [0.0; 3];
    for [x1, x2] in [[2.0_f32, 1.0], [7.0, 4.0], [-4.0, 12.0], [5.0, 8.0]] {
        let error = (w1 * x1 + w2 * x2 + b) - (3.0 * x1 + x2 - 2.0);
        for (g, x) in grads.iter_mut().zip([x1, x2, 1.0]) {
            *g += 2.0 * error * x;
        }
    }
    grads
}

fn fit(lr_decay: f64, weight_decay: WeightDecay, wanted: [f64; 3]) {
    let rate = Schedule::inverse_time(0.004, lr_decay);
    for backend in Backend::available() {
        let opt = Adagrad::pytorch(0.004).with_weight_decay(weight_decay).with_backend(backend);
        let (mut params, mut accumulator) = ([0.0; 3], [0.0; 3]);
        for step in 1..=1000 {
            let opt = opt.with_learning_rate(rate.at(step));
            let grads = gradients(params);
            opt.step(&mut params, &grads, &mut accumulator).expect("valid");
        }
        // Equal to four digits is their tolerance and ours: the numbers have no more.
        assert_eq!(params.map(|w| (f64::from(w) * 1e4).round() / 1e4), wanted, "{opt:?}");
    }
}

#[test]
fn adagrad_test() {
    fit(0.0, WeightDecay::None, [0.2424, 0.2341, 0.2379]);
}

#[test]
fn adagrad_lr_decay_test() {
    fit(0.2, WeightDecay::None, [0.0231, 0.0230, 0.0230]);
}

#[test]
fn adagrad_weight_decay_test() {
    fit(0.0, WeightDecay::L2(0.2), [0.2424, 0.2341, 0.2378]);
}

#[test]
fn adagrad_decoupled_weight_decay_test() {
    fit(0.0, WeightDecay::Decoupled(0.2), [0.1483, 0.1450, 0.1465]);
}
