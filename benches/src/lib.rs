//! What the benchmarks share: the loops that steps are measured beside, and the memory that they all run on.
//!
//! The values are chosen so that a step leaves every parameter and accumulator as it was (what is added is less than
//! half a unit in their last place), however often it runs: nothing drifts into denormals or infinity, and the work is
//! the same each time.

pub mod limit;
pub mod loops;
pub mod memory;

use adagrad::Adagrad;

pub const LEARNING_RATE: f32 = 1e-4;
pub const EPSILON: f32 = 1e-8;
/// A weight decay so small that it changes no value.
pub const DECAY: f32 = 1e-9;
/// A strength of L1 so small that it changes no value.
pub const L1: f32 = 1e-4;
/// With the naive loops' hyper-parameters; ε is outside the root.
pub const OPT: Adagrad = Adagrad::new(LEARNING_RATE);
