//! NEON: four lanes.

use core::arch::aarch64::*;

use crate::backend::lanes::{Kernel, SliceKernel};
use crate::kernel::Rule;

/// NEON, which every CPU of the build's target has.
#[derive(Clone, Copy)]
pub(in crate::backend) struct Neon(());

impl Neon {
    /// The token. There is nothing to detect.
    #[inline(always)]
    pub(in crate::backend) fn detect() -> Option<Self> {
        Some(Self(()))
    }

    /// Runs a kernel. Not inlined, so that a caller does not save what the kernel needs.
    #[inline(never)]
    pub(in crate::backend) fn enter<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    /// The same. All seven words are passed in registers.
    #[inline(never)]
    pub(in crate::backend) fn enter_slices<K: SliceKernel>(
        self,
        rule: &Rule<f32>,
        w: &mut [f32],
        g: &[f32],
        a: &mut [f32],
    ) -> usize {
        K::run(self, rule, w, g, a)
    }
}

lanes_of_target! {
    Neon, "neon", lanes 4, float32x4_t, uint32x4_t;
    const REGISTERS: usize = 32;
    const ESTIMATE_ERROR: f32 = 1.0 / 256.0;
    fn add(a: float32x4_t, b: float32x4_t) -> float32x4_t;
    fn sub(a: float32x4_t, b: float32x4_t) -> float32x4_t;
    fn mul(a: float32x4_t, b: float32x4_t) -> float32x4_t;
    fn div(a: float32x4_t, b: float32x4_t) -> float32x4_t;
    fn sqrt(a: float32x4_t) -> float32x4_t;
    fn mul_add(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t;
    fn min(a: float32x4_t, b: float32x4_t) -> float32x4_t;
    fn max(a: float32x4_t, b: float32x4_t) -> float32x4_t;
    fn at_most(a: float32x4_t, b: float32x4_t) -> uint32x4_t;
    fn and(a: uint32x4_t, b: uint32x4_t) -> uint32x4_t;
    fn select(mask: uint32x4_t, yes: float32x4_t, no: float32x4_t) -> float32x4_t;
    fn all(mask: uint32x4_t) -> bool;
    fn count(mask: uint32x4_t) -> usize;
    fn rsqrt(a: float32x4_t) -> float32x4_t;
    fn refined(a: float32x4_t, y: float32x4_t) -> float32x4_t;
    fn half(a: float32x4_t) -> float32x4_t;
    fn tree(p: &[f32; 8]) -> f32;
    fn load_first(from: &[f32]) -> float32x4_t;
    fn store_first(v: float32x4_t, to: &mut [f32]) -> ();
    #[cfg(feature = "half")]
    fn add_bits(a: float32x4_t, b: float32x4_t) -> float32x4_t;
    #[cfg(feature = "half")]
    fn mul_bits(a: float32x4_t, b: float32x4_t) -> float32x4_t;
    #[cfg(feature = "half")]
    fn and_bits(a: float32x4_t, b: float32x4_t) -> float32x4_t;
    #[cfg(feature = "half")]
    fn xor_bits(a: float32x4_t, b: float32x4_t) -> float32x4_t;
    #[cfg(feature = "half")]
    fn shift_left(a: float32x4_t, places: u32) -> float32x4_t;
    #[cfg(feature = "half")]
    fn shift_right(a: float32x4_t, places: u32) -> float32x4_t;
    #[cfg(feature = "half")]
    fn load_bits(from: &[u16; 4]) -> float32x4_t;
    #[cfg(feature = "half")]
    fn store_bits(v: float32x4_t, to: &mut [u16; 4]) -> ();
}

#[inline]
#[target_feature(enable = "neon")]
fn add(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    vaddq_f32(a, b)
}

#[inline]
#[target_feature(enable = "neon")]
fn sub(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    vsubq_f32(a, b)
}

#[inline]
#[target_feature(enable = "neon")]
fn mul(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    vmulq_f32(a, b)
}

#[inline]
#[target_feature(enable = "neon")]
fn div(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    vdivq_f32(a, b)
}

#[inline]
#[target_feature(enable = "neon")]
fn sqrt(a: float32x4_t) -> float32x4_t {
    vsqrtq_f32(a)
}

#[inline]
#[target_feature(enable = "neon")]
fn mul_add(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
    vfmaq_f32(c, a, b)
}

/// By a comparison: `FMIN` and `FMINNM` have other results for NaN and for zeros of both signs.
#[inline]
#[target_feature(enable = "neon")]
fn min(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    vbslq_f32(vcltq_f32(a, b), a, b)
}

#[inline]
#[target_feature(enable = "neon")]
fn max(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    vbslq_f32(vcgtq_f32(a, b), a, b)
}

#[inline]
#[target_feature(enable = "neon")]
fn at_most(a: float32x4_t, b: float32x4_t) -> uint32x4_t {
    vcleq_f32(a, b)
}

#[inline]
#[target_feature(enable = "neon")]
fn and(a: uint32x4_t, b: uint32x4_t) -> uint32x4_t {
    vandq_u32(a, b)
}

#[inline]
#[target_feature(enable = "neon")]
fn select(mask: uint32x4_t, yes: float32x4_t, no: float32x4_t) -> float32x4_t {
    vbslq_f32(mask, yes, no)
}

#[inline]
#[target_feature(enable = "neon")]
fn all(mask: uint32x4_t) -> bool {
    vminvq_u32(mask) != 0
}

#[inline]
#[target_feature(enable = "neon")]
fn count(mask: uint32x4_t) -> usize {
    vaddvq_u32(vshrq_n_u32::<31>(mask)) as usize
}

/// The architecture states each bit of it: of `x` in `[¼, 1)` the first eight bits give one of 384 values, the worst of
/// which is wrong by 0.0033, below 2⁻⁸.
#[inline]
#[target_feature(enable = "neon")]
fn rsqrt(a: float32x4_t) -> float32x4_t {
    vrsqrteq_f32(a)
}

/// `FMULX` makes 2 of infinity times 0.
#[inline]
#[target_feature(enable = "neon")]
fn refined(a: float32x4_t, y: float32x4_t) -> float32x4_t {
    vmulq_f32(y, vrsqrtsq_f32(vmulxq_f32(a, y), y))
}

#[inline]
#[target_feature(enable = "neon")]
fn half(a: float32x4_t) -> float32x4_t {
    vreinterpretq_f32_u32(vsubq_u32(vreinterpretq_u32_f32(a), vdupq_n_u32(1 << 23)))
}

#[inline]
#[target_feature(enable = "neon")]
fn tree(p: &[f32; 8]) -> f32 {
    let [low, high]: [float32x4_t; 2] = bytemuck::must_cast(*p);
    let pairs = vpaddq_f32(low, high);
    let fours = vpaddq_f32(pairs, pairs);
    vpadds_f32(vget_low_f32(fours))
}

/// Two at once and one, each as it was stored, so that what a step stored can be forwarded to the next one: see
/// docs/decisions.md, "Three floats are loaded as two and one".
#[inline]
#[target_feature(enable = "neon")]
fn load_first(from: &[f32]) -> float32x4_t {
    let zero = vdup_n_f32(0.0);
    let one = |a| vset_lane_f32::<0>(a, zero);
    if let [a] = *from {
        vcombine_f32(one(a), zero)
    } else if let [a, b] = *from {
        vcombine_f32(bytemuck::must_cast([a, b]), zero)
    } else if let [a, b, c] = *from {
        vcombine_f32(bytemuck::must_cast([a, b]), one(c))
    } else if let Some(block) = from.first_chunk::<4>() {
        bytemuck::must_cast(*block)
    } else {
        vdupq_n_f32(0.0)
    }
}

/// The inverse.
#[inline]
#[target_feature(enable = "neon")]
fn store_first(v: float32x4_t, to: &mut [f32]) {
    let [x, y] = bytemuck::must_cast(vget_low_f32(v));
    if let [a] = to {
        *a = x;
    } else if let [a, b] = to {
        [*a, *b] = [x, y];
    } else if let [a, b, c] = to {
        [*a, *b, *c] = [x, y, vgetq_lane_f32::<2>(v)];
    } else if let Some(block) = to.first_chunk_mut::<4>() {
        *block = bytemuck::must_cast(v);
    }
}

// Operations on bits.

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "neon")]
fn add_bits(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    vreinterpretq_f32_u32(vaddq_u32(vreinterpretq_u32_f32(a), vreinterpretq_u32_f32(b)))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "neon")]
fn mul_bits(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    vreinterpretq_f32_u32(vmulq_u32(vreinterpretq_u32_f32(a), vreinterpretq_u32_f32(b)))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "neon")]
fn and_bits(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(a), vreinterpretq_u32_f32(b)))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "neon")]
fn xor_bits(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    vreinterpretq_f32_u32(veorq_u32(vreinterpretq_u32_f32(a), vreinterpretq_u32_f32(b)))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "neon")]
fn shift_left(a: float32x4_t, places: u32) -> float32x4_t {
    vreinterpretq_f32_u32(vshlq_u32(vreinterpretq_u32_f32(a), vdupq_n_s32(places.cast_signed())))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "neon")]
fn shift_right(a: float32x4_t, places: u32) -> float32x4_t {
    vreinterpretq_f32_u32(vshlq_u32(vreinterpretq_u32_f32(a), vdupq_n_s32(places.cast_signed().wrapping_neg())))
}

// 16-bit types.

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "neon")]
fn load_bits(from: &[u16; 4]) -> float32x4_t {
    vreinterpretq_f32_u32(vmovl_u16(bytemuck::must_cast(*from)))
}

#[cfg(feature = "half")]
#[inline]
#[target_feature(enable = "neon")]
fn store_bits(v: float32x4_t, to: &mut [u16; 4]) {
    *to = bytemuck::must_cast(vmovn_u32(vreinterpretq_u32_f32(v)));
}

#[cfg(test)]
mod tests {
    use super::Neon;
    use crate::backend::lanes::Lanes;

    /// The estimates of four values.
    fn estimates(x: [f32; 4]) -> ([f32; 4], [f32; 4]) {
        let lanes = Neon(());
        let (mut estimates, mut refined) = ([0.0; 4], [0.0; 4]);
        let y = lanes.rsqrt(lanes.load(&x));
        lanes.store(y, &mut estimates);
        lanes.store(lanes.refined(lanes.load(&x), y), &mut refined);
        (estimates, refined)
    }

    /// How wrong an estimate of `1/√x` is.
    fn error(x: f32, y: f32) -> f64 {
        (f64::from(y) * f64::from(x).sqrt() - 1.0).abs()
    }

    /// An estimate depends on the first eight bits of the mantissa and on whether the exponent is odd. So its error is
    /// greatest at one of the ends of such an interval, and these are looked at with each exponent.
    #[test]
    fn estimates_are_within_the_error() {
        for start in (f32::MIN_POSITIVE.to_bits()..f32::INFINITY.to_bits()).step_by(1 << 15) {
            let x = [start, start + 1, start + 0x3FFF, start + 0x7FFF].map(f32::from_bits);
            let (estimates, refined) = estimates(x);
            for (x, (y, better)) in x.into_iter().zip(estimates.into_iter().zip(refined)) {
                assert!(error(x, y) <= f64::from(<Neon as Lanes<4>>::ESTIMATE_ERROR), "{x:e}: {y:e}");
                assert!(error(x, better) <= 1.0 / 16384.0, "{x:e}: {better:e}");
            }
        }
    }

    /// A step of Newton from any estimate within the error.
    #[test]
    fn refined_estimates_are_fine() {
        let lanes = Neon(());
        for bits in (1.0_f32.to_bits()..4.0_f32.to_bits()).step_by(61) {
            let x = f32::from_bits(bits);
            let y = [-1.0, -0.5, 0.5, 1.0].map(|part| ((1.0 + part / 256.0) / f64::from(x).sqrt()) as f32);
            let mut refined = [0.0; 4];
            lanes.store(lanes.refined(lanes.splat(x), lanes.load(&y)), &mut refined);
            for better in refined {
                assert!(error(x, better) <= 1.0 / 16384.0, "{x:e} from {y:?}: {better:e}");
            }
        }
    }

    #[test]
    fn estimates_of_special_values() {
        let (estimates, _) = estimates([0.0, f32::INFINITY, f32::NAN, -1.0]);
        assert_eq!(estimates[..2], [f32::INFINITY, 0.0]);
        assert!(estimates[2].is_nan() && estimates[3].is_nan());
        // What a fast step puts where an estimate is not to be used.
        let lanes = Neon(());
        for x in [1.0, f32::INFINITY] {
            let mut refined = [1.0; 4];
            lanes.store(lanes.refined(lanes.splat(x), lanes.splat(0.0)), &mut refined);
            assert_eq!(refined, [0.0; 4]);
        }
    }
}
