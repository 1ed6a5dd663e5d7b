//! A small program with one `step`, whose compilation and size `.ci/budgets` measures. Built with `--cfg without_step`, it
//! is the same program without that step.

use std::hint::black_box;

fn main() {
    let mut params = black_box(vec![1.0_f32; 1000]);
    let grads = black_box(vec![0.5_f32; 1000]);
    let mut accumulator = black_box(vec![0.0_f32; 1000]);
    #[cfg(not(without_step))]
    let done = adagrad::Adagrad::new(0.1).step(&mut params, &grads, &mut accumulator).is_ok();
    #[cfg(without_step)]
    let done = true;
    black_box((&mut params, &grads, &mut accumulator));
    std::process::exit(i32::from(!done));
}
