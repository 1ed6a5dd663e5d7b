//! The SIMD of the build's target, through `wide`.

use wide::f32x8;

use super::scalar;
use crate::lanes::{Kernel, Lanes};

/// Eight `f32`, in as many registers as the target needs for them.
#[derive(Clone, Copy)]
pub(crate) struct Portable(());

/// Whether `wide` has instructions on this target. Elsewhere its square root is software, and slow.
pub(super) const HAS_SIMD: bool = cfg!(any(
    target_feature = "sse2",
    all(target_arch = "aarch64", target_feature = "neon"),
    target_feature = "simd128",
));

/// Whether `wide`'s `mul_add` rounds once. Elsewhere it rounds twice.
pub(super) const HAS_FMA: bool = cfg!(any(
    all(target_feature = "avx", target_feature = "fma"),
    all(target_arch = "aarch64", target_feature = "neon"),
));

impl Portable {
    /// The token, where there are instructions.
    #[inline(always)]
    pub(crate) fn detect() -> Option<Self> {
        HAS_SIMD.then_some(Self(()))
    }

    /// Runs a kernel. Not inlined, or callers that run on other backends save registers and stack for it.
    #[inline(never)]
    pub(crate) fn enter<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }
}

impl Lanes<8> for Portable {
    type Vector = f32x8;

    #[inline(always)]
    fn splat(self, x: f32) -> f32x8 {
        f32x8::splat(x)
    }

    #[inline(always)]
    fn load(self, from: &[f32; 8]) -> f32x8 {
        bytemuck::must_cast(*from)
    }

    #[inline(always)]
    fn store(self, v: f32x8, to: &mut [f32; 8]) {
        *to = bytemuck::must_cast(v);
    }

    #[inline(always)]
    fn add(self, a: f32x8, b: f32x8) -> f32x8 {
        a + b
    }

    #[inline(always)]
    fn sub(self, a: f32x8, b: f32x8) -> f32x8 {
        a - b
    }

    #[inline(always)]
    fn mul(self, a: f32x8, b: f32x8) -> f32x8 {
        a * b
    }

    #[inline(always)]
    fn div(self, a: f32x8, b: f32x8) -> f32x8 {
        a / b
    }

    #[inline(always)]
    fn sqrt(self, a: f32x8) -> f32x8 {
        a.sqrt()
    }

    #[inline(always)]
    fn mul_add(self, a: f32x8, b: f32x8, c: f32x8) -> f32x8 {
        if HAS_FMA {
            a.mul_add(b, c)
        } else {
            let (a, b, c) = (a.to_array(), b.to_array(), c.to_array());
            f32x8::new(core::array::from_fn(|j| scalar::mul_add(a[j], b[j], c[j])))
        }
    }

    #[inline(always)]
    fn min(self, a: f32x8, b: f32x8) -> f32x8 {
        a.simd_lt(b).select(a, b)
    }

    #[inline(always)]
    fn max(self, a: f32x8, b: f32x8) -> f32x8 {
        a.simd_gt(b).select(a, b)
    }

    #[inline(always)]
    fn if_zero(self, test: f32x8, zero: f32x8, other: f32x8) -> f32x8 {
        test.simd_eq(f32x8::ZERO).select(zero, other)
    }

    #[inline(always)]
    fn if_finite(self, test: f32x8, finite: f32x8, other: f32x8) -> f32x8 {
        test.is_finite().select(finite, other)
    }

    #[inline(always)]
    fn count_non_finite(self, a: f32x8) -> usize {
        (!a.is_finite()).to_bitmask().count_ones() as usize
    }
}
