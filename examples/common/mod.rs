//! What the examples have in common: charts, progress, numbers as text, random numbers.

pub(crate) mod charts;
pub(crate) mod progress;
pub(crate) mod random;
pub(crate) mod text;
