//! AVX2 and FMA on half a register: four lanes, for what is less than eight.

use super::Avx2;
use super::intrinsics::*;
use crate::backend::lanes::SliceKernel;
use crate::kernel::Rule;

/// AVX2 and FMA, on half a register.
///
/// Invariant: as of [`Avx2`].
#[derive(Clone, Copy)]
pub(super) struct Avx2Half(());

lanes_of_features! {
    Avx2Half, ["avx2", "fma"], lanes 4, __m128, __m128;
    const ESTIMATE_ERROR: f32 = 1.5 / 4096.0;
    fn add(a: __m128, b: __m128) -> __m128;
    fn sub(a: __m128, b: __m128) -> __m128;
    fn mul(a: __m128, b: __m128) -> __m128;
    fn div(a: __m128, b: __m128) -> __m128;
    fn sqrt(a: __m128) -> __m128;
    fn mul_add(a: __m128, b: __m128, c: __m128) -> __m128;
    fn min(a: __m128, b: __m128) -> __m128;
    fn max(a: __m128, b: __m128) -> __m128;
    fn at_most(a: __m128, b: __m128) -> __m128;
    fn and(a: __m128, b: __m128) -> __m128;
    fn select(mask: __m128, yes: __m128, no: __m128) -> __m128;
    fn all(mask: __m128) -> bool;
    fn count(mask: __m128) -> usize;
    fn rsqrt(a: __m128) -> __m128;
    fn half(a: __m128) -> __m128;
    fn load_first(from: &[f32]) -> __m128;
    fn store_first(v: __m128, to: &mut [f32]) -> ();
    calls on Avx2;
}

#[inline]
#[target_feature(enable = "avx")]
fn add(a: __m128, b: __m128) -> __m128 {
    _mm_add_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx")]
fn sub(a: __m128, b: __m128) -> __m128 {
    _mm_sub_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx")]
fn mul(a: __m128, b: __m128) -> __m128 {
    _mm_mul_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx")]
fn div(a: __m128, b: __m128) -> __m128 {
    _mm_div_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx")]
fn sqrt(a: __m128) -> __m128 {
    _mm_sqrt_ps(a)
}

#[inline]
#[target_feature(enable = "avx,fma")]
fn mul_add(a: __m128, b: __m128, c: __m128) -> __m128 {
    _mm_fmadd_ps(a, b, c)
}

#[inline]
#[target_feature(enable = "avx")]
fn min(a: __m128, b: __m128) -> __m128 {
    _mm_min_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx")]
fn max(a: __m128, b: __m128) -> __m128 {
    _mm_max_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx")]
fn at_most(a: __m128, b: __m128) -> __m128 {
    _mm_cmple_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx")]
fn and(a: __m128, b: __m128) -> __m128 {
    _mm_and_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx")]
fn select(mask: __m128, yes: __m128, no: __m128) -> __m128 {
    _mm_blendv_ps(no, yes, mask)
}

#[inline]
#[target_feature(enable = "avx")]
fn all(mask: __m128) -> bool {
    _mm_movemask_ps(mask) == 0xF
}

#[inline]
#[target_feature(enable = "avx")]
fn count(mask: __m128) -> usize {
    _mm_movemask_ps(mask).count_ones() as usize
}

#[inline]
#[target_feature(enable = "avx")]
fn rsqrt(a: __m128) -> __m128 {
    _mm_rsqrt_ps(a)
}

#[inline]
#[target_feature(enable = "avx2")]
fn half(a: __m128) -> __m128 {
    _mm_castsi128_ps(_mm_sub_epi32(_mm_castps_si128(a), _mm_set1_epi32(1 << 23)))
}

/// Two at once and one, each as it was stored, so that what a step stored can be forwarded to the next one: see
/// docs/decisions.md, "Three floats are loaded as two and one".
#[inline]
#[target_feature(enable = "sse2")]
pub(super) fn load_first(from: &[f32]) -> __m128 {
    if let Some(block) = from.first_chunk::<4>() {
        bytemuck::must_cast(*block)
    } else if let [a] = *from {
        _mm_set_ss(a)
    } else if let [a, b] = *from {
        pair([a, b])
    } else if let [a, b, c] = *from {
        _mm_movelh_ps(pair([a, b]), _mm_set_ss(c))
    } else {
        _mm_setzero_ps()
    }
}

/// Two values, which are loaded at once.
#[inline]
#[target_feature(enable = "sse2")]
fn pair(values: [f32; 2]) -> __m128 {
    _mm_castpd_ps(_mm_set_sd(bytemuck::must_cast(values)))
}

/// The inverse.
#[inline]
#[target_feature(enable = "sse2")]
pub(super) fn store_first(v: __m128, to: &mut [f32]) {
    let [x, y] = bytemuck::must_cast(_mm_cvtsd_f64(_mm_castps_pd(v)));
    if let Some(block) = to.first_chunk_mut::<4>() {
        *block = bytemuck::must_cast(v);
    } else if let [a] = to {
        *a = x;
    } else if let [a, b] = to {
        [*a, *b] = [x, y];
    } else if let [a, b, c] = to {
        [*a, *b, *c] = [x, y, _mm_cvtss_f32(_mm_movehl_ps(v, v))];
    }
}
