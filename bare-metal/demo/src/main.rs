//! Trains, and checks what came out: the same program on a board and on the host.
//!
//! Arguments: `bits` prints the bits of all weights; `count` prints how many instructions a step took, for a board whose
//! clock the emulator advances by one nanosecond an instruction (`-icount shift=0`).
#![cfg_attr(target_os = "none", no_std, no_main)]

mod board;
mod training;

use board::println;
use demo::Learner;
use static_cell::ConstStaticCell;

/// The hash of the weights after the last epoch.
const EXPECTED: u32 = 0x4DB0_0D86;

static LEARNER: ConstStaticCell<Learner<f32>> = ConstStaticCell::new(Learner::new());

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    let bits = std::env::args().any(|argument| argument == "bits");
    if run(bits, false) { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE }
}

/// Whether all is as it must be.
fn run(bits: bool, count: bool) -> bool {
    let learner = LEARNER.take();
    training::introduce::<f32>();
    println!("Adagrad::step runs on: {}", adagrad::Backend::detected());
    let trained = match training::train(learner, |learner, _| learner.step()) {
        Ok(trained) => trained,
        Err(error) => {
            println!("{error}");
            return false;
        }
    };
    if count {
        trained.print_instructions();
    }
    if bits {
        for row in learner.bits() {
            println!("bits {row:08x?}");
        }
    }
    let accurate = trained.is_accurate();
    training::is_expected(learner, EXPECTED) && accurate
}
