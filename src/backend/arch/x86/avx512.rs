//! AVX-512F: sixteen lanes, for long slices and long rows. What is left of them goes to AVX2.

use super::intrinsics::*;
use super::{AVX512, Avx2, LEVEL};
use core::sync::atomic::Ordering;

use crate::backend::arch::thin::slices;
use crate::backend::lanes::{Kernel, SliceKernel};
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
    const HAS_PAIRS: bool = true;
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
    #[cfg(feature = "half")]
    fn add_bits(a: __m512, b: __m512) -> __m512;
    #[cfg(feature = "half")]
    fn mul_bits(a: __m512, b: __m512) -> __m512;
    #[cfg(feature = "half")]
    fn and_bits(a: __m512, b: __m512) -> __m512;
    #[cfg(feature = "half")]
    fn xor_bits(a: __m512, b: __m512) -> __m512;
    #[cfg(feature = "half")]
    fn shift_left(a: __m512, places: u32) -> __m512;
    #[cfg(feature = "half")]
    fn shift_right(a: __m512, places: u32) -> __m512;
    #[cfg(feature = "half")]
    fn load_bits(from: &[u16; 16]) -> __m512;
    #[cfg(feature = "half")]
    fn store_bits(v: __m512, to: &mut [u16; 16]) -> ();
    #[cfg(feature = "half")]
    fn load_f16(from: &[u16; 16]) -> __m512;
    #[cfg(feature = "half")]
    fn store_f16(v: __m512, to: &mut [u16; 16]) -> ();
    #[cfg(feature = "half")]
    fn pair(low: __m512, high: __m512) -> [__m512; 2];
    #[cfg(feature = "half")]
    fn unpair(even: __m512, odd: __m512) -> [__m512; 2];
    #[cfg(feature = "half")]
    fn load_halves_of_bits(from: &[[u16; 16]; 2]) -> [__m512; 2];
    #[cfg(feature = "half")]
    fn store_halves_of_bits(even: __m512, odd: __m512, to: &mut [[u16; 16]; 2]) -> ();
    calls on Avx2;
    runs other kernels by enter;
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

// Operations on bits.

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx512f")]
fn add_bits(a: __m512, b: __m512) -> __m512 {
    _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b)))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx512f")]
fn mul_bits(a: __m512, b: __m512) -> __m512 {
    _mm512_castsi512_ps(_mm512_mullo_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b)))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx512f")]
fn and_bits(a: __m512, b: __m512) -> __m512 {
    _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(a), _mm512_castps_si512(b)))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx512f")]
fn xor_bits(a: __m512, b: __m512) -> __m512 {
    _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(a), _mm512_castps_si512(b)))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx512f")]
fn shift_left(a: __m512, places: u32) -> __m512 {
    _mm512_castsi512_ps(_mm512_sllv_epi32(_mm512_castps_si512(a), _mm512_set1_epi32(places.cast_signed())))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx512f")]
fn shift_right(a: __m512, places: u32) -> __m512 {
    _mm512_castsi512_ps(_mm512_srlv_epi32(_mm512_castps_si512(a), _mm512_set1_epi32(places.cast_signed())))
}

// 16-bit types.

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx512f")]
fn load_bits(from: &[u16; 16]) -> __m512 {
    _mm512_castsi512_ps(_mm512_cvtepu16_epi32(bytemuck::must_cast(*from)))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx512f")]
fn store_bits(v: __m512, to: &mut [u16; 16]) {
    *to = bytemuck::must_cast(_mm512_cvtepi32_epi16(_mm512_castps_si512(v)));
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx512f")]
fn load_f16(from: &[u16; 16]) -> __m512 {
    _mm512_cvtph_ps(bytemuck::must_cast(*from))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx512f")]
fn store_f16(v: __m512, to: &mut [u16; 16]) {
    let is_nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(v, v);
    let v = _mm512_mask_blend_ps(is_nan, v, _mm512_set1_ps(f32::NAN));
    *to = bytemuck::must_cast(_mm512_cvtps_ph::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(v));
}

// Pairs.

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx512f")]
fn pair(low: __m512, high: __m512) -> [__m512; 2] {
    let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    let odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
    [_mm512_permutex2var_ps(low, even, high), _mm512_permutex2var_ps(low, odd, high)]
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx512f")]
fn unpair(even: __m512, odd: __m512) -> [__m512; 2] {
    let low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    let high = _mm512_add_epi32(low, _mm512_set1_epi32(8));
    [_mm512_permutex2var_ps(even, low, odd), _mm512_permutex2var_ps(even, high, odd)]
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx512f")]
fn load_halves_of_bits(from: &[[u16; 16]; 2]) -> [__m512; 2] {
    let both: __m512i = bytemuck::must_cast(*from);
    let upper = _mm512_set1_epi32(0xFFFF_0000_u32.cast_signed());
    [_mm512_castsi512_ps(_mm512_slli_epi32::<16>(both)), _mm512_castsi512_ps(_mm512_and_si512(both, upper))]
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx512f")]
fn store_halves_of_bits(even: __m512, odd: __m512, to: &mut [[u16; 16]; 2]) {
    let (even, odd) = (_mm512_srli_epi32::<16>(_mm512_castps_si512(even)), _mm512_castps_si512(odd));
    *to = bytemuck::must_cast(_mm512_or_si512(even, odd));
}
