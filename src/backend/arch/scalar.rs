//! Square root and fused multiply-add where there is an operating system, or a processor without instructions for them.

/// Whether there is a floating-point unit.
pub(in crate::backend) const HAS_FPU: bool = true;

/// `√a`, correctly rounded, if there is a better way than [`soft`](crate::backend::soft).
#[inline(always)]
pub(in crate::backend) fn sqrt(a: f32) -> Option<f32> {
    Some(libm::sqrtf(a))
}

/// `a·b + c`, rounded once, if there is a better way than [`soft`](crate::backend::soft).
#[inline(always)]
pub(in crate::backend) fn mul_add(_a: f32, _b: f32, _c: f32) -> Option<f32> {
    None
}
