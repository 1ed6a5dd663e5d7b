//! Keras: <https://github.com/keras-team/keras>, `keras/src/optimizers/adagrad_test.py`, 3422977a (3.16.0).
//!
//! What Keras has and this crate leaves to the caller: which variables are excluded from weight decay (a step without decay
//! is taken for them), and serialization of the configuration (the options can be read back).

use adagrad::{Adagrad, Backend, Epsilon, WeightDecay, clip_norm_scale, sum_of_squares};

use crate::{assert_bits, assert_close};

#[test]
fn test_config() {
    let opt = Adagrad::keras(0.5).with_initial_accumulator(0.2).with_epsilon(Epsilon::InsideSqrt(1e-5));
    let again = Adagrad::keras(opt.learning_rate())
        .with_initial_accumulator(opt.initial_accumulator())
        .with_epsilon(opt.epsilon());
    assert_eq!(opt, again);
    assert_eq!((again.learning_rate(), again.initial_accumulator()), (0.5, 0.2));
}

#[test]
fn test_single_step() {
    for backend in Backend::available() {
        let opt = Adagrad::keras(0.5).with_backend(backend);
        let (mut w, mut a) = ([1.0, 2.0, 3.0, 4.0], [opt.initial_accumulator(); 4]);
        opt.step(&mut w, &[1.0, 6.0, 7.0, 2.0], &mut a).expect("valid");
        for (w, wanted) in w.into_iter().zip([0.5233, 1.5007, 2.5005, 3.5061]) {
            assert_close(w, wanted, 1e-4, 1e-4);
            assert_close(w, wanted, 0.0, HALF_A_DIGIT);
        }
    }
}

/// The numbers are given with four digits. With half a unit of the last one, and what `f32` rounds, there is no room for a
/// wrong result.
const HALF_A_DIGIT: f64 = 0.5e-4 + 1e-6;

#[test]
fn test_weight_decay() {
    for backend in Backend::available() {
        let plain = Adagrad::keras(1.0).with_backend(backend);
        let decayed = plain.with_weight_decay(WeightDecay::Decoupled(0.004));
        let mut a = [plain.initial_accumulator(); 3];
        let mut w = [2.0; 3];
        // Three optimizers there step the first variable; the other two are excluded from decay.
        for _ in 0..3 {
            decayed.step(&mut w[..1], &[0.0], &mut a[..1]).expect("valid");
        }
        plain.step(&mut w[1..], &[0.0; 2], &mut a[1..]).expect("valid");
        // `decimal=6` allows 1.5·10⁻⁶.
        assert_close(w[0], 1.976_095_9, 0.0, 1.5e-6);
        assert_close(w[1], 2.0, 0.0, 1.5e-6);
        assert_close(w[2], 2.0, 0.0, 1.5e-6);
        // The bits: three times 2·0.996, rounded as Keras does; 2 as it was.
        let mut wanted = 2.0_f32;
        for _ in 0..3 {
            wanted -= wanted * 0.004;
        }
        assert_bits(&w, &[wanted, 2.0, 2.0]);
    }
}

#[test]
fn test_correctness_with_golden() {
    const GOLDEN: [[f64; 10]; 5] = [
        [0.9963; 10],
        [0.9604, 0.9278, 0.9003, 0.8784, 0.8615, 0.8487, 0.8388, 0.8313, 0.8255, 0.8209],
        [0.9251, 0.8629, 0.8137, 0.7768, 0.7497, 0.7298, 0.7151, 0.704, 0.6956, 0.6891],
        [0.8903, 0.8012, 0.7342, 0.6862, 0.6521, 0.6277, 0.6099, 0.5967, 0.5867, 0.579],
        [0.856, 0.7422, 0.6604, 0.6037, 0.5644, 0.5367, 0.5168, 0.5021, 0.491, 0.4825],
    ];
    let grads: [f32; 10] = core::array::from_fn(|i| 0.1 * (i + 1) as f32);
    for backend in Backend::available() {
        let opt = Adagrad::keras(0.2)
            .with_initial_accumulator(0.3)
            .with_epsilon(Epsilon::InsideSqrt(1e-6))
            .with_backend(backend);
        let (mut w, mut a) = ([1.0; 10], [opt.initial_accumulator(); 10]);
        opt.step(&mut w, &[0.01; 10], &mut a).expect("valid");
        for golden in GOLDEN {
            for (w, wanted) in w.into_iter().zip(golden) {
                assert_close(w, wanted, 5e-4, 5e-4);
                assert_close(w, wanted, 0.0, HALF_A_DIGIT);
            }
            opt.step(&mut w, &grads, &mut a).expect("valid");
        }
    }
}

/// Keras clips before the optimizer; here the norm's factor is an option of the step.
#[test]
fn test_clip_norm() {
    let grads = [100.0_f32; 2];
    let scale = clip_norm_scale(sum_of_squares(&grads), 1.0);
    for g in grads {
        assert_close(scale * g, 0.5_f64.sqrt(), 1e-6, 1e-6);
    }
    same_step(Adagrad::keras(0.1).with_gradient_scale(scale), &grads, &grads.map(|g| scale * g));
}

#[test]
fn test_clip_value() {
    same_step(Adagrad::keras(0.1).with_clip_value(1.0), &[100.0; 2], &[1.0; 2]);
}

/// Asserts that a step changes its gradients to `clipped` first.
fn same_step(opt: Adagrad, grads: &[f32], clipped: &[f32]) {
    for backend in Backend::available() {
        let step = |opt: Adagrad, grads: &[f32]| {
            let (mut w, mut a) = (vec![0.5; grads.len()], vec![opt.initial_accumulator(); grads.len()]);
            opt.with_backend(backend).step(&mut w, grads, &mut a).expect("valid");
            w.extend(a);
            w
        };
        assert_bits(&step(opt, grads), &step(Adagrad::keras(opt.learning_rate()), clipped));
    }
}
