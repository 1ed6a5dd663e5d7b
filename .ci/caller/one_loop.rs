//! Steps once by the loop that the arguments name, for `.ci/neon-estimates`, which follows the instructions.

use std::hint::black_box;

use adagrad::{Adagrad, Arithmetic, Backend, Epsilon, WeightDecay};

const EPSILON: f32 = 1e-8;
const LEARNING_RATE: f32 = 1e-3;

/// The loop that a user would write, the same as in the benchmarks.
#[inline(never)]
fn naive(params: &mut [f32], grads: &[f32], accumulator: &mut [f32]) {
    for ((w, g), a) in params.iter_mut().zip(grads).zip(accumulator) {
        *a += g * g;
        *w -= LEARNING_RATE * g / (a.sqrt() + EPSILON);
    }
}

fn main() -> Result<(), adagrad::Error> {
    let (mut params, mut accumulator) = (vec![1.0; 4096], vec![1.0; 4096]);
    let grads = black_box(vec![1e-3; 4096]);
    let mut opt = Adagrad::new(LEARNING_RATE).with_epsilon(Epsilon::OutsideSqrt(EPSILON));
    for argument in std::env::args().skip(1) {
        opt = match &*argument {
            "naive" => {
                naive(&mut params, &grads, &mut accumulator);
                return Ok(());
            }
            "portable" => opt.with_backend(Backend::Portable),
            "neon" => opt.with_backend(Backend::Neon),
            "fast" => opt.with_arithmetic(Arithmetic::Fast),
            "inside" => opt.with_epsilon(Epsilon::InsideSqrt(EPSILON)),
            "l2" => opt.with_weight_decay(WeightDecay::L2(1e-4)),
            "decoupled" => opt.with_weight_decay(WeightDecay::Decoupled(1e-4)),
            _ => panic!("{argument} is no loop"),
        };
    }
    opt.step(&mut params, &grads, &mut accumulator).map(drop)
}
