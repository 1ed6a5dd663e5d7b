//! One element at a time.

use wide::f32x4;

use super::arch;
use super::lanes::{Kernel, Lanes, SliceKernel};
use super::portable::{HAS_FMA, HAS_SIMD};
use super::soft;
use crate::kernel::Rule;

/// Lanes of one `f32`, on every target.
#[derive(Clone, Copy)]
pub(crate) struct Scalar;

impl Scalar {
    /// Runs a kernel. On bare metal, where it is the only backend, it is inlined, so that the compiler drops what constant
    /// hyper-parameters turn off. Elsewhere it is not, or callers that run on other backends save registers for it.
    #[cfg_attr(target_os = "none", inline(always))]
    #[cfg_attr(not(target_os = "none"), inline(never))]
    pub(crate) fn enter<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    /// The same.
    #[cfg_attr(target_os = "none", inline(always))]
    #[cfg_attr(not(target_os = "none"), inline(never))]
    pub(crate) fn enter_slices<K: SliceKernel>(
        self,
        rule: &Rule<f32>,
        w: &mut [f32],
        g: &[f32],
        a: &mut [f32],
    ) -> usize {
        K::run(self, rule, w, g, a)
    }
}

impl Lanes<1> for Scalar {
    type Vector = f32;
    type Mask = bool;

    const CAN_ADD: bool = arch::scalar::HAS_FPU;

    #[inline(always)]
    fn call_slices<K: SliceKernel>(self, rule: &Rule<f32>, w: &mut [f32], g: &[f32], a: &mut [f32]) -> usize {
        K::run(self, rule, w, g, a)
    }

    #[inline(always)]
    fn splat(self, x: f32) -> f32 {
        x
    }

    #[inline(always)]
    fn load(self, &[x]: &[f32; 1]) -> f32 {
        x
    }

    #[inline(always)]
    fn store(self, v: f32, to: &mut [f32; 1]) {
        *to = [v];
    }

    #[inline(always)]
    fn add(self, a: f32, b: f32) -> f32 {
        a + b
    }

    #[inline(always)]
    fn sub(self, a: f32, b: f32) -> f32 {
        a - b
    }

    #[inline(always)]
    fn mul(self, a: f32, b: f32) -> f32 {
        a * b
    }

    #[inline(always)]
    fn div(self, a: f32, b: f32) -> f32 {
        a / b
    }

    /// By an instruction where there is one that stable Rust can reach, else in software.
    #[inline(always)]
    fn sqrt(self, a: f32) -> f32 {
        if HAS_SIMD {
            f32x4::splat(a).sqrt().to_array()[0]
        } else if let Some(root) = arch::scalar::sqrt(a) {
            root
        } else {
            soft::sqrt(a)
        }
    }

    /// By an instruction where there is one that stable Rust can reach, else in software.
    #[inline(always)]
    fn mul_add(self, a: f32, b: f32, c: f32) -> f32 {
        if HAS_FMA {
            f32x4::splat(a).mul_add(f32x4::splat(b), f32x4::splat(c)).to_array()[0]
        } else if let Some(sum) = arch::scalar::mul_add(a, b, c) {
            sum
        } else {
            soft::mul_add(a, b, c)
        }
    }

    #[inline(always)]
    fn min(self, a: f32, b: f32) -> f32 {
        if a < b { a } else { b }
    }

    #[inline(always)]
    fn max(self, a: f32, b: f32) -> f32 {
        if a > b { a } else { b }
    }

    #[inline(always)]
    fn at_most(self, a: f32, b: f32) -> bool {
        a <= b
    }

    #[inline(always)]
    fn and(self, a: bool, b: bool) -> bool {
        a && b
    }

    #[inline(always)]
    fn select(self, mask: bool, yes: f32, no: f32) -> f32 {
        if mask { yes } else { no }
    }

    #[inline(always)]
    fn all(self, mask: bool) -> bool {
        mask
    }

    #[inline(always)]
    fn count(self, mask: bool) -> usize {
        usize::from(mask)
    }

    #[cfg(feature = "half")]
    #[inline(always)]
    fn splat_bits(self, x: u32) -> f32 {
        f32::from_bits(x)
    }

    #[cfg(feature = "half")]
    #[inline(always)]
    fn add_bits(self, a: f32, b: f32) -> f32 {
        f32::from_bits(a.to_bits().wrapping_add(b.to_bits()))
    }

    #[cfg(feature = "half")]
    #[inline(always)]
    fn mul_bits(self, a: f32, b: f32) -> f32 {
        f32::from_bits(a.to_bits().wrapping_mul(b.to_bits()))
    }

    #[cfg(feature = "half")]
    #[inline(always)]
    fn and_bits(self, a: f32, b: f32) -> f32 {
        f32::from_bits(a.to_bits() & b.to_bits())
    }

    #[cfg(feature = "half")]
    #[inline(always)]
    fn xor_bits(self, a: f32, b: f32) -> f32 {
        f32::from_bits(a.to_bits() ^ b.to_bits())
    }

    #[cfg(feature = "half")]
    #[inline(always)]
    fn shift_left(self, a: f32, places: u32) -> f32 {
        f32::from_bits(a.to_bits().wrapping_shl(places))
    }

    #[cfg(feature = "half")]
    #[inline(always)]
    fn shift_right(self, a: f32, places: u32) -> f32 {
        f32::from_bits(a.to_bits().wrapping_shr(places))
    }
}
