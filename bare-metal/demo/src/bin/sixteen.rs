//! The same in half of the memory: parameters, gradients and accumulators are `f16`. It learns twice, first with results that
//! are rounded by chance, then to the nearest.
//!
//! Arguments: as those of the other program.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[path = "../board.rs"]
mod board;
#[path = "../training.rs"]
mod training;

use adagrad::{Counter, Error, Rounding};
use board::println;
use demo::Learner;
use half::f16;
use static_cell::ConstStaticCell;

const SEED: u64 = 1;
/// A way to round: its name, what it is in each step, and the hash of the weights after the last epoch.
type Way = (&'static str, fn(u64) -> Rounding, u32);
const WAYS: [Way; 2] = [
    ("Rounded by chance", |step| Rounding::Stochastic(Counter::new(SEED, step)), 0xAFB5_9B8C),
    ("Rounded to the nearest", |_| Rounding::Nearest, 0xD892_1A5D),
];

static LEARNER: ConstStaticCell<Learner<f16>> = ConstStaticCell::new(Learner::new());

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    let bits = std::env::args().any(|argument| argument == "bits");
    if run(bits, false) { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE }
}

/// Whether all is as it must be.
fn run(bits: bool, count: bool) -> bool {
    training::introduce::<f16>();
    println!("Adagrad::step_mixed runs on: {}", adagrad::Backend::detected());
    let learner = LEARNER.take();
    let mut good = true;
    for way in WAYS {
        match learn(learner, way, bits, count) {
            Ok(its) => good &= its,
            Err(error) => {
                println!("{error}");
                return false;
            }
        }
    }
    good
}

/// Whether all is as it must be.
fn learn(learner: &mut Learner<f16>, (name, rounding, expected): Way, bits: bool, count: bool) -> Result<bool, Error> {
    println!("{name}");
    *learner = Learner::new();
    let trained = training::train(learner, |learner, step| learner.step(rounding(step)))?;
    if count {
        trained.print_instructions();
    }
    if bits {
        for row in learner.bits() {
            println!("bits {row:04x?}");
        }
    }
    let accurate = trained.is_accurate();
    Ok(training::is_expected(learner, expected) && accurate)
}
