//! Trains, and checks what came out: the same program on a board and on the host.
//!
//! Arguments: `bits` prints the bits of all weights; `count` prints how many instructions a step took, for a board whose
//! clock the emulator advances by one nanosecond an instruction (`-icount shift=0`).
#![cfg_attr(target_os = "none", no_std, no_main)]

mod board;

use board::println;
use demo::{BATCH, HELD_OUT, Learner, TRAINING};
use static_cell::ConstStaticCell;

const EPOCHS: u32 = 5;
/// Of 1,000 held-out digits so many must be told right.
const ENOUGH: usize = 880;
/// [`fnv_1a`] of the weights after the last epoch.
const EXPECTED: u32 = 0x4DB0_0D86;

static LEARNER: ConstStaticCell<Learner> = ConstStaticCell::new(Learner::new());

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    let bits = std::env::args().any(|argument| argument == "bits");
    if run(bits, false) { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE }
}

/// Whether all is as it must be.
fn run(bits: bool, count: bool) -> bool {
    let learner = LEARNER.take();
    println!("{} parameters, {} bytes with accumulators and gradients", Learner::PARAMETERS, size_of::<Learner>());
    println!("{} images to learn from, {BATCH} a step; {} held out", TRAINING.len(), HELD_OUT.len());
    println!("Adagrad::step runs on: {}", adagrad::Backend::detected());

    println!("epoch  loss    held-out accuracy");
    let (mut right, mut steps, mut instructions) = (0, 0, 0);
    for epoch in 1..=EPOCHS {
        let mut losses = 0.0;
        for batch in TRAINING.chunks(BATCH) {
            losses += learner.look_at(batch);
            let (done, took) = board::counted(|| learner.step());
            if let Err(error) = done {
                println!("{error}");
                return false;
            }
            steps += 1;
            instructions += took;
        }
        right = learner.right(HELD_OUT);
        let (loss, percent) = (losses / TRAINING.len() as f32, 100.0 * right as f32 / HELD_OUT.len() as f32);
        println!("{epoch:5}  {loss:.4}  {percent:.1} % ({right} of {})", HELD_OUT.len());
    }
    if count {
        let each = instructions as f32 / (steps * Learner::PARAMETERS) as f32;
        println!("{} instructions a step, {each:.1} a parameter (mean of {steps} steps)", instructions / steps as u64);
    }
    if bits {
        for row in learner.bits() {
            println!("bits {row:08x?}");
        }
    }

    let hash = fnv_1a(learner.bits().flatten());
    let (accurate, same) = (right * 1000 >= HELD_OUT.len() * ENOUGH, hash == EXPECTED);
    println!("accuracy {}", if accurate { "is high enough" } else { "IS TOO LOW" });
    println!("weights' hash {hash:08x} {}", if same { "is the expected one" } else { "IS NOT THE EXPECTED ONE" });
    accurate && same
}

/// The hash FNV-1a of the words' bytes, the least significant first.
fn fnv_1a(words: impl Iterator<Item = u32>) -> u32 {
    words.flat_map(u32::to_le_bytes).fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
