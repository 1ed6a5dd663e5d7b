//! One element at a time.

use wide::f32x4;

use super::portable::{HAS_FMA, HAS_SIMD};
use crate::lanes::Lanes;

/// Lanes of one `f32`, on every target.
#[derive(Clone, Copy)]
pub(crate) struct Scalar;

impl Lanes<1> for Scalar {
    type Vector = f32;

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

    #[inline(always)]
    fn sqrt(self, a: f32) -> f32 {
        if HAS_SIMD { f32x4::splat(a).sqrt().to_array()[0] } else { libm::sqrtf(a) }
    }

    #[inline(always)]
    fn mul_add(self, a: f32, b: f32, c: f32) -> f32 {
        if HAS_FMA {
            f32x4::splat(a).mul_add(f32x4::splat(b), f32x4::splat(c)).to_array()[0]
        } else {
            libm::fmaf(a, b, c)
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
    fn if_zero(self, test: f32, zero: f32, other: f32) -> f32 {
        if test == 0.0 { zero } else { other }
    }

    #[inline(always)]
    fn if_finite(self, test: f32, finite: f32, other: f32) -> f32 {
        if test.is_finite() { finite } else { other }
    }

    #[inline(always)]
    fn count_non_finite(self, a: f32) -> usize {
        usize::from(!a.is_finite())
    }
}
