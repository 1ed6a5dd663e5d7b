//! Arithmetic in software, for processors without the instruction.

mod fma;
mod sqrt;

pub(super) use fma::mul_add;
pub(super) use sqrt::sqrt;
