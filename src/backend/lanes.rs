//! What the kernels ask of an instruction set, and nothing more.

#[cfg(feature = "half")]
use super::soft;
use crate::kernel::Rule;

/// Operations on `W` `f32` values at once.
///
/// `Self` is a zero-sized token. A backend that needs CPU features makes it only after it has detected them, so
/// whoever holds the token may use the instructions.
///
/// Every operation is IEEE 754's, lane by lane, rounded once to nearest even.
pub(crate) trait Lanes<const W: usize>: Copy {
    /// `W` values in registers.
    type Vector: Copy;
    /// `W` answers to a comparison.
    type Mask: Copy;

    fn splat(self, x: f32) -> Self::Vector;
    fn load(self, from: &[f32; W]) -> Self::Vector;
    fn store(self, v: Self::Vector, to: &mut [f32; W]);
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn sub(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn div(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn sqrt(self, a: Self::Vector) -> Self::Vector;
    /// `a·b + c`, rounded once.
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// `if a < b { a } else { b }`: `b` where either is NaN.
    fn min(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `if a > b { a } else { b }`: `b` where either is NaN.
    fn max(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a ≤ b`: false where either is NaN.
    fn at_most(self, a: Self::Vector, b: Self::Vector) -> Self::Mask;
    fn and(self, a: Self::Mask, b: Self::Mask) -> Self::Mask;
    fn select(self, mask: Self::Mask, yes: Self::Vector, no: Self::Vector) -> Self::Vector;
    fn all(self, mask: Self::Mask) -> bool;
    /// How many lanes are true.
    fn count(self, mask: Self::Mask) -> usize;

    /// The first lanes from at most `W` values, the others 0.
    #[inline(always)]
    fn load_first(self, from: &[f32]) -> Self::Vector {
        let mut block = [0.0; W];
        for (to, from) in block.iter_mut().zip(from) {
            *to = *from;
        }
        self.load(&block)
    }

    /// The same, of what is loaded long before it is needed.
    #[inline(always)]
    fn load_first_apart(self, from: &[f32]) -> Self::Vector {
        self.load_first(from)
    }

    /// The inverse of [`Lanes::load_first`].
    #[inline(always)]
    fn store_first(self, v: Self::Vector, to: &mut [f32]) {
        let mut block = [0.0; W];
        self.store(v, &mut block);
        for (to, from) in to.iter_mut().zip(block) {
            *to = from;
        }
    }

    // Operations on the bits of each value, as unsigned integers that wrap around.

    #[cfg(feature = "half")]
    fn splat_bits(self, x: u32) -> Self::Vector;
    #[cfg(feature = "half")]
    fn add_bits(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    #[cfg(feature = "half")]
    fn mul_bits(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    #[cfg(feature = "half")]
    fn and_bits(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    #[cfg(feature = "half")]
    fn xor_bits(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// By at most 31 places.
    #[cfg(feature = "half")]
    fn shift_left(self, a: Self::Vector, places: u32) -> Self::Vector;
    /// By at most 31 places.
    #[cfg(feature = "half")]
    fn shift_right(self, a: Self::Vector, places: u32) -> Self::Vector;

    /// 16 bits to the lower half of each value's.
    #[cfg(feature = "half")]
    #[inline(always)]
    fn load_bits(self, from: &[u16; W]) -> Self::Vector {
        let mut block = [0.0; W];
        for (to, from) in block.iter_mut().zip(from) {
            *to = f32::from_bits(u32::from(*from));
        }
        self.load(&block)
    }

    /// The lower half of each value's bits. The upper half is 0.
    #[cfg(feature = "half")]
    #[inline(always)]
    fn store_bits(self, v: Self::Vector, to: &mut [u16; W]) {
        let mut block = [0.0; W];
        self.store(v, &mut block);
        for (to, from) in to.iter_mut().zip(block) {
            *to = from.to_bits() as u16;
        }
    }

    /// The values of some `f16`, given as their bits.
    #[cfg(feature = "half")]
    #[inline(always)]
    fn load_f16(self, from: &[u16; W]) -> Self::Vector {
        soft::f16_to_f32(self, from)
    }

    /// The bits of the nearest `f16`, that of an even last bit of two. A NaN is the one without sign and payload.
    #[cfg(feature = "half")]
    #[inline(always)]
    fn store_f16(self, v: Self::Vector, to: &mut [u16; W]) {
        soft::f32_to_f16(self, v, to);
    }

    /// Whether the following are fast.
    #[cfg_attr(not(feature = "half"), expect(dead_code, reason = "the 16-bit steps ask"))]
    const HAS_PAIRS: bool = false;

    /// Of two blocks, the elements with an even place in both, and the others. Asked only where [`Lanes::HAS_PAIRS`] holds.
    #[cfg(feature = "half")]
    #[inline(always)]
    fn pair(self, low: Self::Vector, high: Self::Vector) -> [Self::Vector; 2] {
        [low, high]
    }

    /// The inverse of [`Lanes::pair`].
    #[cfg(feature = "half")]
    #[inline(always)]
    fn unpair(self, even: Self::Vector, odd: Self::Vector) -> [Self::Vector; 2] {
        [even, odd]
    }

    /// The 16 bits with an even place in both blocks, and the others, to the upper half of each value's bits; the lower half
    /// is 0. Asked only where [`Lanes::HAS_PAIRS`] holds.
    #[cfg(feature = "half")]
    #[inline(always)]
    fn load_halves_of_bits(self, [low, high]: &[[u16; W]; 2]) -> [Self::Vector; 2] {
        self.pair(self.shift_left(self.load_bits(low), 16), self.shift_left(self.load_bits(high), 16))
    }

    /// The inverse of [`Lanes::load_halves_of_bits`], where the lower halves are 0.
    #[cfg(feature = "half")]
    #[inline(always)]
    fn store_halves_of_bits(self, even: Self::Vector, odd: Self::Vector, to: &mut [[u16; W]; 2]) {
        let ([low, high], [to_low, to_high]) = (self.unpair(even, odd), to);
        self.store_bits(self.shift_right(low, 16), to_low);
        self.store_bits(self.shift_right(high, 16), to_high);
    }

    /// Whether additions are instructions.
    const CAN_ADD: bool = true;

    /// The greatest relative error of [`Lanes::rsqrt`]; 0 on lanes without estimates.
    const ESTIMATE_ERROR: f32 = 0.0;

    /// How many vectors the registers hold.
    const REGISTERS: usize = 16;

    /// How many roots of a group of blocks are made of products, the others by the divider, so that the two share the
    /// work. Measured for each instruction set: see docs/decisions.md, "Roots of a group share the work".
    const ROOTS_OF_PRODUCTS: usize = 0;

    /// An estimate of `1/√a` where `a` is a normal number: infinite for 0 and, it may be, for denormals; 0 for infinity;
    /// NaN for NaN and below 0. Asked only where [`Lanes::ESTIMATE_ERROR`] is not 0.
    #[inline(always)]
    fn rsqrt(self, a: Self::Vector) -> Self::Vector {
        self.div(self.splat(1.0), self.sqrt(a))
    }

    /// A better estimate `y` of `1/√a`: `y·(3 − a·y·y)/2`, a step of Newton, with a few roundings; 0 where `y` is 0. Asked only
    /// where `a` and `y` are normal numbers, or `y` is 0 and `a` is 1 or infinite.
    #[inline(always)]
    fn refined(self, a: Self::Vector, y: Self::Vector) -> Self::Vector {
        let minus_half = self.sub(self.splat(-0.0), self.mul(self.half(a), y));
        self.mul_add(y, self.mul_add(minus_half, y, self.splat(0.5)), y)
    }

    /// `a/2` by one less in the exponent, where `a` and the result are normal numbers; for infinity something finite;
    /// for NaN and 0 anything. Asked only where [`Lanes::ESTIMATE_ERROR`] is not 0.
    #[inline(always)]
    fn half(self, a: Self::Vector) -> Self::Vector {
        self.mul(self.splat(0.5), a)
    }

    /// `((p0+p1)+(p2+p3)) + ((p4+p5)+(p6+p7))`.
    #[inline(always)]
    fn tree(self, p: &[f32; 8]) -> f32 {
        ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]))
    }

    /// The same of four.
    #[inline(always)]
    fn trees(self, p: &[[f32; 8]; 4]) -> [f32; 4] {
        let mut sums = [0.0; 4];
        for (sum, p) in sums.iter_mut().zip(p) {
            *sum = self.tree(p);
        }
        sums
    }

    /// Two halves of a block, which may lie anywhere. Asked only where [`Lanes::HAS_HALF`] holds.
    #[inline(always)]
    fn load_halves(self, low: &[f32; 4], high: &[f32; 4]) -> Self::Vector {
        let mut block = [0.0; W];
        for (to, from) in block.iter_mut().zip(low.iter().chain(high)) {
            *to = *from;
        }
        self.load(&block)
    }

    /// The inverse of [`Lanes::load_halves`].
    #[inline(always)]
    fn store_halves(self, v: Self::Vector, low: &mut [f32; 4], high: &mut [f32; 4]) {
        let mut block = [0.0; W];
        self.store(v, &mut block);
        for (to, from) in low.iter_mut().chain(high).zip(block) {
            *to = from;
        }
    }

    /// Whether there are lanes of half the width, for what is less than a block.
    const HAS_HALF: bool = false;

    /// Runs a kernel on lanes of half the width, inlined here.
    #[inline(always)]
    fn on_half<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    /// Runs another kernel, as a function of its own: on narrower lanes, if these have some, else on these. What is short
    /// then has only its own registers and stack to set up: see docs/decisions.md, "Functions of their own".
    fn call_slices<K: SliceKernel>(self, rule: &Rule<f32>, w: &mut [f32], g: &[f32], a: &mut [f32]) -> usize;

    /// [`Lanes::call_slices`], but on these lanes.
    #[inline(always)]
    fn call_wide<K: SliceKernel>(self, rule: &Rule<f32>, w: &mut [f32], g: &[f32], a: &mut [f32]) -> usize {
        self.call_slices::<K>(rule, w, g, a)
    }

    /// Runs a kernel as a function of its own, on narrower lanes if these have some, but on lanes where that would cost more
    /// than it saves.
    #[inline(always)]
    fn call<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    /// Whether [`Lanes::prefetch`] does anything.
    const CAN_PREFETCH: bool = false;

    /// Asks for values that will be used soon to be brought into the cache, where there is an instruction for that.
    #[inline(always)]
    fn prefetch<T>(self, _values: &[T]) {}
}

/// A computation written once for all instruction sets.
///
/// `run` and all that it calls are `#[inline(always)]`, closures included, so that the whole computation is compiled
/// inside the backend's entry function, with that backend's instructions.
pub(crate) trait Kernel {
    type Output;

    /// How many lanes it is for: it has no copy for others, and the caller takes another kernel there.
    const LEAST_LANES: usize = 1;
    const MOST_LANES: usize = usize::MAX;

    /// Whether lanes wider than eight are faster if [`Kernel::is_long`]: see docs/decisions.md, "Only long slices and long rows
    /// run on AVX-512".
    const HAS_WIDE: bool = false;

    #[inline(always)]
    fn is_long(&self) -> bool {
        false
    }

    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> Self::Output;
}

/// A [`Kernel`] over three slices, whose arguments are no structure: they stay in registers from the call to the loop,
/// which a step of a few elements is too short to hide.
pub(crate) trait SliceKernel {
    /// Whether it runs on lanes wider than eight: see docs/decisions.md, "Only long slices and long rows run on AVX-512".
    const HAS_WIDE: bool = false;

    /// The kernel that stands for it on portable lanes and on one, where a copy would not be worth its size.
    type Elsewhere: SliceKernel;

    fn run<const W: usize, L: Lanes<W>>(lanes: L, rule: &Rule<f32>, w: &mut [f32], g: &[f32], a: &mut [f32]) -> usize;
}

/// `f` of each value.
#[inline(always)]
pub(crate) fn map<V: Copy, const N: usize>(mut values: [V; N], f: impl Fn(V) -> V) -> [V; N] {
    for value in &mut values {
        *value = f(*value);
    }
    values
}

/// `f` of each pair of values.
#[inline(always)]
pub(crate) fn zip<V: Copy, const N: usize>(mut a: [V; N], b: [V; N], f: impl Fn(V, V) -> V) -> [V; N] {
    for (a, b) in a.iter_mut().zip(b) {
        *a = f(*a, b);
    }
    a
}
