//! AVX2 and FMA: eight lanes.

use super::avx2_half::{self, Avx2Half};
use super::intrinsics::*;
use super::{AVX2, LEVEL};
use core::sync::atomic::Ordering;

use crate::backend::arch::thin::slices;
use crate::backend::lanes::{Kernel, SliceKernel};
use crate::kernel::Rule;

/// AVX2 and FMA.
///
/// Invariant: it exists only if the CPU, and the operating system, have the features.
#[derive(Clone, Copy)]
pub(in crate::backend) struct Avx2(());

lanes_of_features! {
    Avx2, ["avx2", "fma"], level AVX2 detected by cpu_has_avx2, lanes 8, __m256, __m256;
    const ESTIMATE_ERROR: f32 = 1.5 / 4096.0;
    const ROOTS_OF_PRODUCTS: usize = 1;
    const HAS_PAIRS: bool = true;
    fn add(a: __m256, b: __m256) -> __m256;
    fn sub(a: __m256, b: __m256) -> __m256;
    fn mul(a: __m256, b: __m256) -> __m256;
    fn div(a: __m256, b: __m256) -> __m256;
    fn sqrt(a: __m256) -> __m256;
    fn mul_add(a: __m256, b: __m256, c: __m256) -> __m256;
    fn min(a: __m256, b: __m256) -> __m256;
    fn max(a: __m256, b: __m256) -> __m256;
    fn at_most(a: __m256, b: __m256) -> __m256;
    fn and(a: __m256, b: __m256) -> __m256;
    fn select(mask: __m256, yes: __m256, no: __m256) -> __m256;
    fn all(mask: __m256) -> bool;
    fn count(mask: __m256) -> usize;
    fn rsqrt(a: __m256) -> __m256;
    fn half(a: __m256) -> __m256;
    fn load_first(from: &[f32]) -> __m256;
    fn store_first(v: __m256, to: &mut [f32]) -> ();
    fn tree(p: &[f32; 8]) -> f32;
    fn trees(p: &[[f32; 8]; 4]) -> [f32; 4];
    fn load_halves(low: &[f32; 4], high: &[f32; 4]) -> __m256;
    fn store_halves(v: __m256, low: &mut [f32; 4], high: &mut [f32; 4]) -> ();
    #[cfg(feature = "half")]
    fn add_bits(a: __m256, b: __m256) -> __m256;
    #[cfg(feature = "half")]
    fn mul_bits(a: __m256, b: __m256) -> __m256;
    #[cfg(feature = "half")]
    fn and_bits(a: __m256, b: __m256) -> __m256;
    #[cfg(feature = "half")]
    fn xor_bits(a: __m256, b: __m256) -> __m256;
    #[cfg(feature = "half")]
    fn shift_left(a: __m256, places: u32) -> __m256;
    #[cfg(feature = "half")]
    fn shift_right(a: __m256, places: u32) -> __m256;
    #[cfg(feature = "half")]
    fn load_bits(from: &[u16; 8]) -> __m256;
    #[cfg(feature = "half")]
    fn store_bits(v: __m256, to: &mut [u16; 8]) -> ();
    #[cfg(feature = "half")]
    fn load_f16(from: &[u16; 8]) -> __m256;
    #[cfg(feature = "half")]
    fn store_f16(v: __m256, to: &mut [u16; 8]) -> ();
    #[cfg(feature = "half")]
    fn pair(low: __m256, high: __m256) -> [__m256; 2];
    #[cfg(feature = "half")]
    fn unpair(even: __m256, odd: __m256) -> [__m256; 2];
    #[cfg(feature = "half")]
    fn load_halves_of_bits(from: &[[u16; 8]; 2]) -> [__m256; 2];
    #[cfg(feature = "half")]
    fn store_halves_of_bits(even: __m256, odd: __m256, to: &mut [[u16; 8]; 2]) -> ();
    calls on Avx2;
    half Avx2Half;
    runs other kernels by enter;
}

#[inline]
#[target_feature(enable = "avx")]
fn add(a: __m256, b: __m256) -> __m256 {
    _mm256_add_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx")]
fn sub(a: __m256, b: __m256) -> __m256 {
    _mm256_sub_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx")]
fn mul(a: __m256, b: __m256) -> __m256 {
    _mm256_mul_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx")]
fn div(a: __m256, b: __m256) -> __m256 {
    _mm256_div_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx")]
fn sqrt(a: __m256) -> __m256 {
    _mm256_sqrt_ps(a)
}

#[inline]
#[target_feature(enable = "avx,fma")]
fn mul_add(a: __m256, b: __m256, c: __m256) -> __m256 {
    _mm256_fmadd_ps(a, b, c)
}

#[inline]
#[target_feature(enable = "avx")]
fn min(a: __m256, b: __m256) -> __m256 {
    _mm256_min_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx")]
fn max(a: __m256, b: __m256) -> __m256 {
    _mm256_max_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx")]
fn at_most(a: __m256, b: __m256) -> __m256 {
    _mm256_cmp_ps::<_CMP_LE_OQ>(a, b)
}

#[inline]
#[target_feature(enable = "avx")]
fn and(a: __m256, b: __m256) -> __m256 {
    _mm256_and_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx")]
fn select(mask: __m256, yes: __m256, no: __m256) -> __m256 {
    _mm256_blendv_ps(no, yes, mask)
}

#[inline]
#[target_feature(enable = "avx")]
fn all(mask: __m256) -> bool {
    _mm256_movemask_ps(mask) == 0xFF
}

#[inline]
#[target_feature(enable = "avx")]
fn count(mask: __m256) -> usize {
    _mm256_movemask_ps(mask).count_ones() as usize
}

#[inline]
#[target_feature(enable = "avx")]
fn rsqrt(a: __m256) -> __m256 {
    _mm256_rsqrt_ps(a)
}

#[inline]
#[target_feature(enable = "avx2")]
fn half(a: __m256) -> __m256 {
    _mm256_castsi256_ps(_mm256_sub_epi32(_mm256_castps_si256(a), _mm256_set1_epi32(1 << 23)))
}

#[inline]
#[target_feature(enable = "avx")]
fn load_halves(low: &[f32; 4], high: &[f32; 4]) -> __m256 {
    _mm256_set_m128(bytemuck::must_cast(*high), bytemuck::must_cast(*low))
}

#[inline]
#[target_feature(enable = "avx")]
fn store_halves(v: __m256, low: &mut [f32; 4], high: &mut [f32; 4]) {
    *low = bytemuck::must_cast(_mm256_castps256_ps128(v));
    *high = bytemuck::must_cast(_mm256_extractf128_ps::<1>(v));
}

#[inline]
#[target_feature(enable = "avx")]
fn tree(p: &[f32; 8]) -> f32 {
    let p = bytemuck::must_cast(*p);
    let pairs = _mm256_hadd_ps(p, p);
    let fours = _mm256_hadd_ps(pairs, pairs);
    _mm_cvtss_f32(_mm_add_ss(_mm256_castps256_ps128(fours), _mm256_extractf128_ps::<1>(fours)))
}

#[inline]
#[target_feature(enable = "avx")]
fn trees(p: &[[f32; 8]; 4]) -> [f32; 4] {
    let [p0, p1, p2, p3] = bytemuck::must_cast(*p);
    let fours = _mm256_hadd_ps(_mm256_hadd_ps(p0, p1), _mm256_hadd_ps(p2, p3));
    bytemuck::must_cast(_mm_add_ps(_mm256_castps256_ps128(fours), _mm256_extractf128_ps::<1>(fours)))
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn load_first(from: &[f32]) -> __m256 {
    if let Some((low, high)) = from.split_first_chunk::<4>() {
        _mm256_set_m128(avx2_half::load_first(high), bytemuck::must_cast(*low))
    } else {
        _mm256_zextps128_ps256(avx2_half::load_first(from))
    }
}

/// The inverse.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn store_first(v: __m256, to: &mut [f32]) {
    if let Some((low, high)) = to.split_first_chunk_mut::<4>() {
        *low = bytemuck::must_cast(_mm256_castps256_ps128(v));
        avx2_half::store_first(_mm256_extractf128_ps::<1>(v), high);
    } else {
        avx2_half::store_first(_mm256_castps256_ps128(v), to);
    }
}

// Operations on bits.

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx2")]
fn add_bits(a: __m256, b: __m256) -> __m256 {
    _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b)))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx2")]
fn mul_bits(a: __m256, b: __m256) -> __m256 {
    _mm256_castsi256_ps(_mm256_mullo_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b)))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx2")]
fn and_bits(a: __m256, b: __m256) -> __m256 {
    _mm256_castsi256_ps(_mm256_and_si256(_mm256_castps_si256(a), _mm256_castps_si256(b)))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx2")]
fn xor_bits(a: __m256, b: __m256) -> __m256 {
    _mm256_castsi256_ps(_mm256_xor_si256(_mm256_castps_si256(a), _mm256_castps_si256(b)))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx2")]
fn shift_left(a: __m256, places: u32) -> __m256 {
    _mm256_castsi256_ps(_mm256_sllv_epi32(_mm256_castps_si256(a), _mm256_set1_epi32(places.cast_signed())))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx2")]
fn shift_right(a: __m256, places: u32) -> __m256 {
    _mm256_castsi256_ps(_mm256_srlv_epi32(_mm256_castps_si256(a), _mm256_set1_epi32(places.cast_signed())))
}

// 16-bit types.

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx2")]
fn load_bits(from: &[u16; 8]) -> __m256 {
    _mm256_castsi256_ps(_mm256_cvtepu16_epi32(bytemuck::must_cast(*from)))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx2")]
fn store_bits(v: __m256, to: &mut [u16; 8]) {
    let bits = _mm256_castps_si256(v);
    *to = bytemuck::must_cast(_mm_packus_epi32(_mm256_castsi256_si128(bits), _mm256_extracti128_si256::<1>(bits)));
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx,f16c")]
fn load_f16(from: &[u16; 8]) -> __m256 {
    _mm256_cvtph_ps(bytemuck::must_cast(*from))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx,f16c")]
fn store_f16(v: __m256, to: &mut [u16; 8]) {
    let nan = _mm256_set1_ps(f32::NAN);
    let v = _mm256_blendv_ps(v, nan, _mm256_cmp_ps::<_CMP_UNORD_Q>(v, v));
    *to = bytemuck::must_cast(_mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(v));
}

// Pairs.

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx2")]
fn pair(low: __m256, high: __m256) -> [__m256; 2] {
    let even = _mm256_castps_pd(_mm256_shuffle_ps::<0b10_00_10_00>(low, high));
    let odd = _mm256_castps_pd(_mm256_shuffle_ps::<0b11_01_11_01>(low, high));
    let even = _mm256_permute4x64_pd::<0b11_01_10_00>(even);
    let odd = _mm256_permute4x64_pd::<0b11_01_10_00>(odd);
    [_mm256_castpd_ps(even), _mm256_castpd_ps(odd)]
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx")]
fn unpair(even: __m256, odd: __m256) -> [__m256; 2] {
    let (a, b) = (_mm256_unpacklo_ps(even, odd), _mm256_unpackhi_ps(even, odd));
    [_mm256_permute2f128_ps::<0x20>(a, b), _mm256_permute2f128_ps::<0x31>(a, b)]
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx2")]
fn load_halves_of_bits(from: &[[u16; 8]; 2]) -> [__m256; 2] {
    let both: __m256i = bytemuck::must_cast(*from);
    let upper = _mm256_set1_epi32(0xFFFF_0000_u32.cast_signed());
    [_mm256_castsi256_ps(_mm256_slli_epi32::<16>(both)), _mm256_castsi256_ps(_mm256_and_si256(both, upper))]
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx2")]
fn store_halves_of_bits(even: __m256, odd: __m256, to: &mut [[u16; 8]; 2]) {
    let (even, odd) = (_mm256_srli_epi32::<16>(_mm256_castps_si256(even)), _mm256_castps_si256(odd));
    *to = bytemuck::must_cast(_mm256_or_si256(even, odd));
}
