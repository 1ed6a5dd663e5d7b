//! Arithmetic in software, for processors without the instruction.

#[cfg(feature = "half")]
mod f16;
mod fma;
mod sqrt;

#[cfg(feature = "half")]
pub(crate) use f16::{GREATEST_F16, LEAST_NORMAL_F16};
#[cfg(feature = "half")]
pub(super) use f16::{f16_to_f32, f32_to_f16};
pub(super) use fma::mul_add;
pub(super) use sqrt::sqrt;
