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
    fn load_first(from: &[f32]) -> __m128;
    fn store_first(v: __m128, to: &mut [f32]) -> ();
    #[cfg(feature = "half")]
    fn add_bits(a: __m128, b: __m128) -> __m128;
    #[cfg(feature = "half")]
    fn mul_bits(a: __m128, b: __m128) -> __m128;
    #[cfg(feature = "half")]
    fn and_bits(a: __m128, b: __m128) -> __m128;
    #[cfg(feature = "half")]
    fn xor_bits(a: __m128, b: __m128) -> __m128;
    #[cfg(feature = "half")]
    fn shift_left(a: __m128, places: u32) -> __m128;
    #[cfg(feature = "half")]
    fn shift_right(a: __m128, places: u32) -> __m128;
    #[cfg(feature = "half")]
    fn load_bits(from: &[u16; 4]) -> __m128;
    #[cfg(feature = "half")]
    fn store_bits(v: __m128, to: &mut [u16; 4]) -> ();
    #[cfg(feature = "half")]
    fn load_f16(from: &[u16; 4]) -> __m128;
    #[cfg(feature = "half")]
    fn store_f16(v: __m128, to: &mut [u16; 4]) -> ();
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

// Operations on bits.

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx2")]
fn add_bits(a: __m128, b: __m128) -> __m128 {
    _mm_castsi128_ps(_mm_add_epi32(_mm_castps_si128(a), _mm_castps_si128(b)))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx2")]
fn mul_bits(a: __m128, b: __m128) -> __m128 {
    _mm_castsi128_ps(_mm_mullo_epi32(_mm_castps_si128(a), _mm_castps_si128(b)))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx2")]
fn and_bits(a: __m128, b: __m128) -> __m128 {
    _mm_castsi128_ps(_mm_and_si128(_mm_castps_si128(a), _mm_castps_si128(b)))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx2")]
fn xor_bits(a: __m128, b: __m128) -> __m128 {
    _mm_castsi128_ps(_mm_xor_si128(_mm_castps_si128(a), _mm_castps_si128(b)))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx2")]
fn shift_left(a: __m128, places: u32) -> __m128 {
    _mm_castsi128_ps(_mm_sllv_epi32(_mm_castps_si128(a), _mm_set1_epi32(places.cast_signed())))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx2")]
fn shift_right(a: __m128, places: u32) -> __m128 {
    _mm_castsi128_ps(_mm_srlv_epi32(_mm_castps_si128(a), _mm_set1_epi32(places.cast_signed())))
}

// 16-bit types.

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx2")]
fn load_bits(from: &[u16; 4]) -> __m128 {
    _mm_castsi128_ps(_mm_cvtepu16_epi32(_mm_set_epi64x(0, bytemuck::must_cast(*from))))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx2")]
fn store_bits(v: __m128, to: &mut [u16; 4]) {
    let bits = _mm_castps_si128(v);
    let [low, _] = bytemuck::must_cast::<__m128i, [u64; 2]>(_mm_packus_epi32(bits, bits));
    *to = bytemuck::must_cast(low);
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx,f16c")]
fn load_f16(from: &[u16; 4]) -> __m128 {
    _mm_cvtph_ps(_mm_set_epi64x(0, bytemuck::must_cast(*from)))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "avx,f16c")]
fn store_f16(v: __m128, to: &mut [u16; 4]) {
    let v = _mm_blendv_ps(v, _mm_set1_ps(f32::NAN), _mm_cmpunord_ps(v, v));
    let [low, _] = bytemuck::must_cast::<__m128i, [u64; 2]>(_mm_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(v));
    *to = bytemuck::must_cast(low);
}
