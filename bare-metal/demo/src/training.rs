//! Learning, printed epoch by epoch: what both programs have in common.

use adagrad::Error;
use demo::{BATCH, HELD_OUT, Learner, Number, PARAMETERS, TRAINING};

use crate::board::{counted, println};

const EPOCHS: u32 = 5;
/// Of 1,000 held-out digits so many must be told right.
const ENOUGH: usize = 880;

pub fn introduce<T: Number>() {
    println!("{PARAMETERS} parameters, {} bytes with accumulators and gradients", size_of::<Learner<T>>());
    println!("{} images to learn from, {BATCH} a step; {} held out", TRAINING.len(), HELD_OUT.len());
}

/// What learning came to.
pub struct Trained {
    right: usize,
    steps: u64,
    instructions: u64,
}

/// Learns by this step, which is given how many there were before it.
///
/// # Errors
///
/// Those of the step.
pub fn train<T: Number>(
    learner: &mut Learner<T>,
    mut step: impl FnMut(&mut Learner<T>, u64) -> Result<(), Error>,
) -> Result<Trained, Error> {
    println!("epoch  loss    held-out accuracy");
    let mut trained = Trained { right: 0, steps: 0, instructions: 0 };
    for epoch in 1..=EPOCHS {
        let mut losses = 0.0;
        for batch in TRAINING.chunks(BATCH) {
            losses += learner.look_at(batch);
            let (done, took) = counted(|| step(learner, trained.steps));
            done?;
            trained.steps += 1;
            trained.instructions += took;
        }
        trained.right = learner.right(HELD_OUT);
        let (right, all) = (trained.right, HELD_OUT.len());
        let (loss, percent) = (losses / TRAINING.len() as f32, 100.0 * right as f32 / all as f32);
        println!("{epoch:5}  {loss:.4}  {percent:.1} % ({right} of {all})");
    }
    Ok(trained)
}

impl Trained {
    pub fn print_instructions(&self) {
        let Self { steps, instructions, .. } = *self;
        let each = instructions as f32 / (steps as usize * PARAMETERS) as f32;
        println!("{} instructions a step, {each:.1} a parameter (mean of {steps} steps)", instructions / steps);
    }

    /// Whether the accuracy is high enough.
    pub fn is_accurate(&self) -> bool {
        let accurate = self.right * 1000 >= HELD_OUT.len() * ENOUGH;
        println!("accuracy {}", if accurate { "is high enough" } else { "IS TOO LOW" });
        accurate
    }
}

/// Whether the weights have this hash.
pub fn is_expected<T: Number>(learner: &Learner<T>, expected: u32) -> bool {
    let hash = fnv_1a(learner.bits().flatten());
    let same = hash == expected;
    println!("weights' hash {hash:08x} {}", if same { "is the expected one" } else { "IS NOT THE EXPECTED ONE" });
    same
}

/// The hash FNV-1a of the words' bytes, the least significant first.
fn fnv_1a(words: impl Iterator<Item = u32>) -> u32 {
    words.flat_map(u32::to_le_bytes).fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
