//! The SIMD of the build's target, through `wide`.

use wide::f32x4;
#[cfg(feature = "half")]
use wide::u32x4;

use super::lanes::{Kernel, Lanes, SliceKernel};
use super::scalar::Scalar;
use crate::kernel::Rule;

/// Four `f32`: a register of SSE2, NEON and WebAssembly.
#[derive(Clone, Copy)]
pub(crate) struct Portable(());

/// Whether `wide` has instructions on this target. Elsewhere its square root is software.
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

    /// The same.
    #[inline(never)]
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

impl Lanes<4> for Portable {
    type Vector = f32x4;
    type Mask = f32x4;

    #[inline(always)]
    fn call_slices<K: SliceKernel>(self, rule: &Rule<f32>, w: &mut [f32], g: &[f32], a: &mut [f32]) -> usize {
        self.enter_slices::<K>(rule, w, g, a)
    }

    #[inline(always)]
    fn call<K: Kernel>(self, kernel: K) -> K::Output {
        self.enter(kernel)
    }

    #[inline(always)]
    fn splat(self, x: f32) -> f32x4 {
        f32x4::splat(x)
    }

    #[inline(always)]
    fn load(self, from: &[f32; 4]) -> f32x4 {
        bytemuck::must_cast(*from)
    }

    #[inline(always)]
    fn store(self, v: f32x4, to: &mut [f32; 4]) {
        *to = bytemuck::must_cast(v);
    }

    /// Two at once and one, each as it was stored, so that what a step stored can be forwarded to the next one: see
    /// docs/decisions.md, "Three floats are loaded as two and one".
    #[inline(always)]
    fn load_first(self, from: &[f32]) -> f32x4 {
        let pair = |a, b| bytemuck::must_cast::<[f32; 2], u64>([a, b]);
        let halves = if let [a] = *from {
            [pair(a, 0.0), 0]
        } else if let [a, b] = *from {
            [pair(a, b), 0]
        } else if let [a, b, c] = *from {
            [pair(a, b), pair(c, 0.0)]
        } else {
            let Some(block) = from.first_chunk() else { return f32x4::ZERO };
            return self.load(block);
        };
        bytemuck::must_cast(halves)
    }

    /// Three are put together apart from others that are loaded by the same branches. The compiler would make one vector of
    /// the last of each, and all would wait for all: see docs/decisions.md, "Weight decay has short loops of its own".
    #[inline(always)]
    fn load_first_apart(self, from: &[f32]) -> f32x4 {
        let [a, b, c] = *from else { return self.load_first(from) };
        let pair = bytemuck::must_cast::<[f32; 2], u64>([a, b]);
        bytemuck::must_cast::<[u64; 2], f32x4>([pair, 0]) | f32x4::new([0.0, 0.0, c, 0.0])
    }

    #[inline(always)]
    fn store_first(self, v: f32x4, to: &mut [f32]) {
        let [low, high] = bytemuck::must_cast::<f32x4, [u64; 2]>(v);
        let [x, y] = bytemuck::must_cast::<u64, [f32; 2]>(low);
        let [z, _] = bytemuck::must_cast::<u64, [f32; 2]>(high);
        if let [a] = to {
            *a = x;
        } else if let [a, b] = to {
            [*a, *b] = [x, y];
        } else if let [a, b, c] = to {
            [*a, *b, *c] = [x, y, z];
        } else if let Some(block) = to.first_chunk_mut() {
            self.store(v, block);
        }
    }

    #[inline(always)]
    fn add(self, a: f32x4, b: f32x4) -> f32x4 {
        a + b
    }

    #[inline(always)]
    fn sub(self, a: f32x4, b: f32x4) -> f32x4 {
        a - b
    }

    #[inline(always)]
    fn mul(self, a: f32x4, b: f32x4) -> f32x4 {
        a * b
    }

    #[inline(always)]
    fn div(self, a: f32x4, b: f32x4) -> f32x4 {
        a / b
    }

    #[inline(always)]
    fn sqrt(self, a: f32x4) -> f32x4 {
        a.sqrt()
    }

    #[inline(always)]
    fn mul_add(self, a: f32x4, b: f32x4, c: f32x4) -> f32x4 {
        if HAS_FMA {
            a.mul_add(b, c)
        } else {
            let (a, b, c) = (a.to_array(), b.to_array(), c.to_array());
            let mut sums = [0.0; 4];
            for (((sum, a), b), c) in sums.iter_mut().zip(a).zip(b).zip(c) {
                *sum = Scalar.mul_add(a, b, c);
            }
            f32x4::new(sums)
        }
    }

    #[inline(always)]
    fn min(self, a: f32x4, b: f32x4) -> f32x4 {
        a.simd_lt(b).select(a, b)
    }

    #[inline(always)]
    fn max(self, a: f32x4, b: f32x4) -> f32x4 {
        a.simd_gt(b).select(a, b)
    }

    #[inline(always)]
    fn at_most(self, a: f32x4, b: f32x4) -> f32x4 {
        a.simd_le(b)
    }

    #[inline(always)]
    fn and(self, a: f32x4, b: f32x4) -> f32x4 {
        a & b
    }

    #[inline(always)]
    fn select(self, mask: f32x4, yes: f32x4, no: f32x4) -> f32x4 {
        mask.select(yes, no)
    }

    #[inline(always)]
    fn all(self, mask: f32x4) -> bool {
        mask.all()
    }

    #[inline(always)]
    fn count(self, mask: f32x4) -> usize {
        mask.to_bitmask().count_ones() as usize
    }

    #[cfg(feature = "half")]
    #[inline(always)]
    fn splat_bits(self, x: u32) -> f32x4 {
        bytemuck::must_cast([x; 4])
    }

    #[cfg(feature = "half")]
    #[inline(always)]
    fn add_bits(self, a: f32x4, b: f32x4) -> f32x4 {
        of_bits(bits(a) + bits(b))
    }

    #[cfg(feature = "half")]
    #[inline(always)]
    fn mul_bits(self, a: f32x4, b: f32x4) -> f32x4 {
        of_bits(bits(a) * bits(b))
    }

    #[cfg(feature = "half")]
    #[inline(always)]
    fn and_bits(self, a: f32x4, b: f32x4) -> f32x4 {
        a & b
    }

    #[cfg(feature = "half")]
    #[inline(always)]
    fn xor_bits(self, a: f32x4, b: f32x4) -> f32x4 {
        a ^ b
    }

    #[cfg(feature = "half")]
    #[inline(always)]
    fn shift_left(self, a: f32x4, places: u32) -> f32x4 {
        of_bits(bits(a) << places)
    }

    #[cfg(feature = "half")]
    #[inline(always)]
    fn shift_right(self, a: f32x4, places: u32) -> f32x4 {
        of_bits(bits(a) >> places)
    }
}

#[cfg(feature = "half")]
#[inline(always)]
fn bits(v: f32x4) -> u32x4 {
    bytemuck::must_cast(v)
}

#[cfg(feature = "half")]
#[inline(always)]
fn of_bits(bits: u32x4) -> f32x4 {
    bytemuck::must_cast(bits)
}
