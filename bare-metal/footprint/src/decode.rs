//! Hyper-parameters made of words, so that the compiler knows none of them.

use adagrad::{Accumulation, Adagrad, Arithmetic, Backend, Epsilon, NonFinite, Order, Schedule, WeightDecay};

use crate::Words;

/// Any preset with any options.
pub fn options(words: &mut Words) -> Adagrad {
    let rate = words.float();
    let preset = match words.word() {
        0 => Adagrad::new(rate),
        1 => Adagrad::pytorch(rate),
        2 => Adagrad::tensorflow(rate),
        3 => Adagrad::keras(rate),
        4 => Adagrad::fbgemm(rate),
        5 => Adagrad::glove(rate),
        _ => Adagrad::optax(rate),
    };
    let mut options = preset
        .with_epsilon(if words.flag() {
            Epsilon::OutsideSqrt(words.float())
        } else {
            Epsilon::InsideSqrt(words.float())
        })
        .with_weight_decay(match words.word() {
            0 => WeightDecay::None,
            1 => WeightDecay::L2(words.float()),
            _ => WeightDecay::Decoupled(words.float()),
        })
        .with_gradient_scale(words.float())
        .with_maximize(words.flag())
        .with_arithmetic(match words.word() {
            0 => Arithmetic::Separate,
            1 => Arithmetic::Fused,
            _ => Arithmetic::Fast,
        })
        .with_accumulation(match words.word() {
            0 => Accumulation::Sum,
            1 => Accumulation::Leaky(words.float()),
            _ => Accumulation::Ema(words.float()),
        })
        .with_order(if words.flag() { Order::AccumulateFirst } else { Order::StepFirst })
        .with_non_finite(if words.flag() { NonFinite::Propagate } else { NonFinite::Skip })
        .with_initial_accumulator(words.float())
        .with_learning_rate(words.float());
    if words.flag() {
        options = options.with_clip_value(words.float());
    }
    options
}

/// Any backend, also those that a processor without an operating system never has.
pub fn backend(words: &mut Words) -> Backend {
    Backend::ALL.get(words.word() as usize).copied().unwrap_or(Backend::Scalar)
}

/// Any schedule.
pub fn schedule(words: &mut Words) -> Schedule {
    let mut double = || f64::from_bits(u64::from(words.word()) << 32 | u64::from(words.word()));
    let (rate, decay, floor) = (double(), double(), double());
    let mut long = || u64::from(words.word()) << 32 | u64::from(words.word());
    let (warm_up, start, steps) = (long(), long(), long());
    let base = match words.word() {
        0 => Schedule::constant(rate),
        1 => Schedule::inverse_time(rate, decay),
        _ => Schedule::inverse_sqrt(rate),
    };
    let base = base.with_warm_up(warm_up);
    match words.word() {
        0 => base,
        1 => base.with_linear_cool_down(start, steps, floor),
        _ => base.with_cosine_cool_down(start, steps, floor),
    }
}
