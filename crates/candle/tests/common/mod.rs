//! What the tests share: hyper-parameters with each option on and off, values, and comparison of bits.
#![allow(dead_code, reason = "each test uses its own part of this file")]

use adagrad_candle::adagrad::{Accumulation, Epsilon, NonFinite, Order, WeightDecay};
use adagrad_candle::{Adagrad, AdagradOptimizer, Config, Optimizer};
use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor, Var};

/// No block, one, a block of the 16-bit step and its neighbours, and several.
pub const LENGTHS: [usize; 8] = [0, 1, 7, 100, 1023, 1024, 1025, 5000];

/// All sets of options but `Arithmetic`.
pub fn all_options() -> Vec<Adagrad> {
    let mut all = Vec::new();
    for epsilon in [Epsilon::OutsideSqrt(1e-3), Epsilon::InsideSqrt(1e-3), Epsilon::OutsideSqrt(0.0)] {
        for decay in [WeightDecay::None, WeightDecay::L2(0.01), WeightDecay::Decoupled(0.1)] {
            for accumulation in [Accumulation::Sum, Accumulation::Leaky(0.9), Accumulation::Ema(0.9)] {
                for order in [Order::AccumulateFirst, Order::StepFirst] {
                    for non_finite in [NonFinite::Propagate, NonFinite::Skip] {
                        let opt = Adagrad::new(0.1)
                            .with_epsilon(epsilon)
                            .with_weight_decay(decay)
                            .with_accumulation(accumulation)
                            .with_order(order)
                            .with_non_finite(non_finite)
                            .with_initial_accumulator(0.25);
                        all.extend([opt, opt.with_gradient_scale(0.3).with_clip_value(0.4).with_maximize(true)]);
                    }
                }
            }
        }
    }
    all
}

/// `f32` of either sign over some orders of magnitude, the same everywhere.
pub fn values(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 24) as f32
    };
    (0..len).map(|_| (next() - 0.5) * 8.0_f32.powi((next() * 6.0) as i32 - 3)).collect()
}

/// [`values`] with zeros, infinities, NaN, and what overflows 16 bits, a square, or nothing.
pub fn special_values(len: usize, seed: u64) -> Vec<f32> {
    const SPECIAL: [f32; 13] = [
        0.0,
        -0.0,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        f32::MAX,
        -65519.0,
        1e3,
        3.39e38,
        1e-40,
        6e-8,
        1e30,
        1.0,
    ];
    let mut values = values(len, seed);
    for (i, value) in values.iter_mut().enumerate().filter(|(i, _)| i % 3 == 0) {
        *value = SPECIAL[(i / 3 + seed as usize) % SPECIAL.len()];
    }
    values
}

pub fn tensor(values: &[f32], dtype: DType) -> Tensor {
    Tensor::new(values, &Device::Cpu).and_then(|tensor| tensor.to_dtype(dtype)).expect("a tensor")
}

pub fn var(values: &[f32], dtype: DType) -> Var {
    Var::from_tensor(&tensor(values, dtype)).expect("a variable")
}

/// As `f32`, exactly but for `F64`.
pub fn f32s(tensor: &Tensor) -> Vec<f32> {
    let flat = tensor.to_dtype(DType::F32).and_then(|tensor| tensor.flatten_all());
    flat.and_then(|tensor| tensor.to_vec1()).expect("values")
}

/// Gradients for variables, which do not come from a loss.
pub fn gradients(of: &[(&Var, &Tensor)]) -> GradStore {
    let mut store = Tensor::new(0_f32, &Device::Cpu).and_then(|zero| zero.backward()).expect("a store");
    for (var, grad) in of {
        store.insert(var, (*grad).clone());
    }
    store
}

/// Parameters and accumulator after steps by these gradients, one a step, and how many were skipped in all.
pub fn stepped(config: Config, params: &Tensor, grads: &[Tensor]) -> (Tensor, Tensor, usize) {
    let var = Var::from_tensor(params).expect("a variable");
    let mut optimizer = AdagradOptimizer::new(vec![var.clone()], config).expect("an optimizer");
    let mut skipped = 0;
    for grad in grads {
        optimizer.step(&gradients(&[(&var, grad)])).expect("a step");
        skipped += optimizer.skipped();
    }
    let accumulator = optimizer.accumulator(&var).expect("an accumulator").as_detached_tensor();
    (var.as_detached_tensor(), accumulator, skipped)
}

/// Fails where bits differ, and not both are NaN.
#[track_caller]
pub fn assert_same(actual: &[f32], expected: &[f32], context: &dyn core::fmt::Debug) {
    assert_eq!(actual.len(), expected.len(), "{context:?}");
    for (i, (a, e)) in actual.iter().zip(expected).enumerate() {
        assert!(a.to_bits() == e.to_bits() || a.is_nan() && e.is_nan(), "[{i}] is {a:e}, expected {e:e}: {context:?}");
    }
}
