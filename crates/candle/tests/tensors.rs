//! The step as operations of tensors, beside the step in place and beside plain loops in `f64`.

mod common;

use adagrad_candle::adagrad::{Accumulation, Arithmetic, Epsilon, NonFinite, Order, WeightDecay};
use adagrad_candle::{Adagrad, Config};
use candle_core::{DType, Tensor};
use common::{all_options, assert_same, f32s, special_values, stepped, tensor, values};

fn by_tensors(opt: Adagrad) -> Config {
    Config::new(opt).with_tensor_operations(true)
}

/// The units in the last place that `Arithmetic::Separate` may differ by, on the CPU: none. Both do IEEE 754 operations in one
/// order, and each rounds once.
const SEPARATE_ULPS: u32 = 0;

#[test]
fn separate_has_the_bits_of_the_step_in_place() {
    assert_eq!(SEPARATE_ULPS, 0, "bits are compared below");
    for opt in all_options() {
        for dtype in [DType::F32, DType::BF16, DType::F16] {
            for len in [0, 1, 100] {
                let start = tensor(&special_values(len, 1), dtype);
                let grads = [special_values(len, 2), values(len, 3)].map(|g| tensor(&g, dtype));
                let expected = stepped(Config::new(opt), &start, &grads);
                let actual = stepped(by_tensors(opt), &start, &grads);
                assert_same(&f32s(&actual.0), &f32s(&expected.0), &(dtype, opt, len));
                assert_same(&f32s(&actual.1), &f32s(&expected.1), &(dtype, opt, len));
                assert_eq!(actual.2, expected.2, "{dtype:?} {opt:?} {len}");
            }
        }
    }
}

/// How far a parameter and its accumulator may be from those of the kernels, where these do not round like `Separate`, which
/// operations of tensors always do.
fn allowed(opt: &Adagrad, [w, g, before]: [f32; 3], [new, sum]: [f32; 2]) -> [f64; 2] {
    // A rounding changes a value by at most half of this share, and a value that is rounded twice, or another way, by at most
    // all of it.
    const ULP: f64 = f32::EPSILON as f64;
    let [w, g, before, new, sum] = [w, g, before, new, sum].map(f64::from);
    let rate = f64::from(opt.learning_rate());
    let mut g = g * f64::from(opt.gradient_scale());
    if let Some(clip) = opt.clip_value() {
        g = g.clamp(-f64::from(clip), f64::from(clip));
    }
    // The product in g + λ·w is rounded or not.
    let mut error_of_g = 0.0;
    if let WeightDecay::L2(lambda) = opt.weight_decay() {
        error_of_g = ULP * (g.abs() + (f64::from(lambda) * w).abs());
        g = g.abs() + (f64::from(lambda) * w).abs();
    }
    // So is that in G + g·g. `Fast` leaves G alone.
    let fused = opt.arithmetic() == Arithmetic::Fused;
    let error_of_sum = if fused { 2.0 * g.abs() * error_of_g + 2.0 * ULP * sum } else { 0.0 };
    let under = if opt.order() == Order::StepFirst { before } else { sum };
    let d = under.sqrt();
    let quotient = if d == 0.0 { 0.0 } else { rate * g.abs() / d };
    // A root halves the relative error; root, sum, product and quotient round after that. Or the quotient is an estimate.
    let relative =
        if fused { error_of_sum / sum.max(1e-30) / 2.0 + 4.0 * ULP } else { f64::from(Arithmetic::FAST_ULPS) * ULP };
    let error_of_quotient = quotient * relative + if d == 0.0 { 0.0 } else { rate * error_of_g / d };
    [error_of_quotient + ULP * new.abs(), error_of_sum]
}

#[test]
fn fused_and_fast_are_near_the_step_in_place() {
    let (mut differ, mut worst) = (0, 0.0_f64);
    for opt in all_options() {
        for arithmetic in [Arithmetic::Fused, Arithmetic::Fast] {
            let opt = opt.with_arithmetic(arithmetic);
            let (w, g) = (values(1000, 1), values(1000, 2));
            let [start, grad] = [&w, &g].map(|x| tensor(x, DType::F32));
            let (params, sums, skipped) = stepped(Config::new(opt), &start, core::slice::from_ref(&grad));
            let actual = stepped(by_tensors(opt), &start, &[grad]);
            assert_eq!(actual.2, skipped);
            let (new_params, new_sums) = (f32s(&actual.0), f32s(&actual.1));
            for (i, (new, sum)) in f32s(&params).into_iter().zip(f32s(&sums)).enumerate() {
                let limits = allowed(&opt, [w[i], g[i], opt.initial_accumulator()], [new, sum]);
                for ((actual, expected), limit) in [new_params[i], new_sums[i]].into_iter().zip([new, sum]).zip(limits)
                {
                    let difference = (f64::from(actual) - f64::from(expected)).abs();
                    assert!(difference <= limit, "[{i}] is {actual:e}, expected {expected:e} ± {limit:e}: {opt:?}");
                    differ += usize::from(actual.to_bits() != expected.to_bits());
                    worst = worst.max(if limit > 0.0 { difference / limit } else { 0.0 });
                }
            }
        }
    }
    println!("{differ} values differ, by at most {worst:.2} of what is allowed");
}

/// The formula in `f64`, as plainly as it can be.
fn step_f64(opt: &Adagrad, rate: f64, w: f64, g: f64, before: f64) -> (f64, f64, bool) {
    let mut g = g * f64::from(opt.gradient_scale());
    if opt.maximize() {
        g = -g;
    }
    if let Some(clip) = opt.clip_value() {
        g = g.clamp(-f64::from(clip), f64::from(clip));
    }
    let mut kept = w;
    match opt.weight_decay() {
        WeightDecay::L2(lambda) => g += f64::from(lambda) * w,
        WeightDecay::Decoupled(lambda) => kept = w - (w * f64::from(lambda)) * rate,
        _ => {}
    }
    let sum = match opt.accumulation() {
        Accumulation::Leaky(rho) => f64::from(rho) * before + g * g,
        Accumulation::Ema(rho) => f64::from(rho) * before + (1.0 - f64::from(rho)) * (g * g),
        _ => before + g * g,
    };
    let under = if opt.order() == Order::StepFirst { before } else { sum };
    let d = match opt.epsilon() {
        Epsilon::InsideSqrt(epsilon) => (under + f64::from(epsilon)).sqrt(),
        Epsilon::OutsideSqrt(epsilon) => under.sqrt() + f64::from(epsilon),
        other => panic!("a place of ε that is not known here: {other:?}"),
    };
    let new = if d == 0.0 { kept } else { kept - (rate * g) / d };
    let skip = opt.non_finite() == NonFinite::Skip && !(before >= 0.0 && sum.is_finite() && new.is_finite());
    if skip { (w, before, true) } else { (new, sum, false) }
}

#[test]
fn f64_has_the_bits_of_the_formula_in_f64() -> candle_core::Result<()> {
    for opt in all_options().into_iter().flat_map(|opt| [opt, opt.with_initial_accumulator(0.0)]) {
        let numbers = |seed| -> Vec<f64> { special_values(200, seed).iter().map(|x| f64::from(*x) * 1.1).collect() };
        let (start, grads) = (numbers(1), [numbers(2), numbers(3)]);
        let tensors = grads.each_ref().map(|g| Tensor::new(g.as_slice(), &candle_core::Device::Cpu).expect("a tensor"));
        let start_tensor = Tensor::new(start.as_slice(), &candle_core::Device::Cpu)?;
        let (params, sums, skipped) = stepped(Config::new(opt), &start_tensor, &tensors);
        assert_eq!((params.dtype(), sums.dtype()), (DType::F64, DType::F64));

        let (mut expected, rate) = (0, f64::from(opt.learning_rate()));
        let (params, sums) = (params.to_vec1::<f64>()?, sums.to_vec1::<f64>()?);
        for (i, w) in start.into_iter().enumerate() {
            let mut state = (w, f64::from(opt.initial_accumulator()));
            for grads in &grads {
                let (w, a, skips) = step_f64(&opt, rate, state.0, grads[i], state.1);
                state = (w, a);
                expected += usize::from(skips);
            }
            for (actual, expected) in [(params[i], state.0), (sums[i], state.1)] {
                let same = actual.to_bits() == expected.to_bits() || actual.is_nan() && expected.is_nan();
                assert!(same, "[{i}] is {actual:e}, expected {expected:e}: {opt:?}");
            }
        }
        assert_eq!(skipped, expected, "{opt:?}");
    }
    Ok(())
}

/// A type that has neither a kernel nor, in candle, a root.
#[test]
fn eight_bits_are_rounded_once() -> candle_core::Result<()> {
    for opt in [Adagrad::new(0.1), Adagrad::keras(0.1).with_non_finite(NonFinite::Skip)] {
        let start = tensor(&values(100, 1), DType::F8E4M3);
        let grad = tensor(&values(100, 2), DType::F32);
        let wide = stepped(Config::new(opt), &start.to_dtype(DType::F32)?, core::slice::from_ref(&grad));
        let (params, sums, _) = stepped(Config::new(opt), &start, &[grad]);
        assert_eq!((params.dtype(), sums.dtype()), (DType::F8E4M3, DType::F32));
        assert_same(&f32s(&params), &f32s(&wide.0.to_dtype(DType::F8E4M3)?), &opt);
        assert_same(&f32s(&sums), &f32s(&wide.1), &opt);
    }
    Ok(())
}
