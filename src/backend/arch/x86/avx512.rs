//! AVX-512F: sixteen lanes, for long slices. What is shorter than a group of blocks goes to AVX2.

use super::intrinsics::*;
use super::{AVX512, Avx2, LEVEL};
use core::sync::atomic::Ordering;

use crate::backend::arch::thin::slices;
use crate::backend::lanes::SliceKernel;
use crate::kernel::Rule;

/// AVX-512F, and AVX2 and FMA, which every CPU with it has.
///
/// Invariant: it exists only if the CPU, and the operating system, have the features.
#[derive(Clone, Copy)]
pub(in crate::backend) struct Avx512(());

lanes_of_features! {
    Avx512, ["avx512f", "avx2", "fma"], level AVX512 detected by cpu_has_avx512, lanes 16, __m512, __mmask16;
    const REGISTERS: usize = 32;
    const ESTIMATE_ERROR: f32 = 1.0 / 16384.0;
    const ROOTS_OF_PRODUCTS: usize = 3;
    fn add(a: __m512, b: __m512) -> __m512;
    fn sub(a: __m512, b: __m512) -> __m512;
    fn mul(a: __m512, b: __m512) -> __m512;
    fn div(a: __m512, b: __m512) -> __m512;
    fn sqrt(a: __m512) -> __m512;
    fn mul_add(a: __m512, b: __m512, c: __m512) -> __m512;
    fn min(a: __m512, b: __m512) -> __m512;
    fn max(a: __m512, b: __m512) -> __m512;
    fn at_most(a: __m512, b: __m512) -> __mmask16;
    fn and(a: __mmask16, b: __mmask16) -> __mmask16;
    fn select(mask: __mmask16, yes: __m512, no: __m512) -> __m512;
    fn all(mask: __mmask16) -> bool;
    fn count(mask: __mmask16) -> usize;
    fn rsqrt(a: __m512) -> __m512;
    fn half(a: __m512) -> __m512;
    calls on Avx2;
}

#[inline]
#[target_feature(enable = "avx512f")]
fn add(a: __m512, b: __m512) -> __m512 {
    _mm512_add_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn sub(a: __m512, b: __m512) -> __m512 {
    _mm512_sub_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn mul(a: __m512, b: __m512) -> __m512 {
    _mm512_mul_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn div(a: __m512, b: __m512) -> __m512 {
    _mm512_div_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn sqrt(a: __m512) -> __m512 {
    _mm512_sqrt_ps(a)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn mul_add(a: __m512, b: __m512, c: __m512) -> __m512 {
    _mm512_fmadd_ps(a, b, c)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn min(a: __m512, b: __m512) -> __m512 {
    _mm512_min_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn max(a: __m512, b: __m512) -> __m512 {
    _mm512_max_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn at_most(a: __m512, b: __m512) -> __mmask16 {
    _mm512_cmp_ps_mask::<_CMP_LE_OQ>(a, b)
}

#[inline]
fn and(a: __mmask16, b: __mmask16) -> __mmask16 {
    a & b
}

#[inline]
#[target_feature(enable = "avx512f")]
fn select(mask: __mmask16, yes: __m512, no: __m512) -> __m512 {
    _mm512_mask_blend_ps(mask, no, yes)
}

#[inline]
fn all(mask: __mmask16) -> bool {
    mask == 0xFFFF
}

#[inline]
fn count(mask: __mmask16) -> usize {
    mask.count_ones() as usize
}

#[inline]
#[target_feature(enable = "avx512f")]
fn rsqrt(a: __m512) -> __m512 {
    _mm512_rsqrt14_ps(a)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn half(a: __m512) -> __m512 {
    _mm512_castsi512_ps(_mm512_sub_epi32(_mm512_castps_si512(a), _mm512_set1_epi32(1 << 23)))
}
