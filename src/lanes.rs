//! What the kernels ask of an instruction set, and nothing more.

/// Operations on `W` `f32` values at once.
///
/// `Self` is a zero-sized token. A backend that needs CPU features makes it only after it has detected them, so
/// whoever holds the token may use the instructions.
///
/// Every operation is IEEE 754's, lane by lane, rounded once to nearest even.
pub(crate) trait Lanes<const W: usize>: Copy {
    /// `W` values in registers.
    type Vector: Copy;

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
    /// `if test is finite { finite } else { other }`.
    fn if_finite(self, test: Self::Vector, finite: Self::Vector, other: Self::Vector) -> Self::Vector;
    /// How many lanes are infinite or NaN.
    fn count_non_finite(self, a: Self::Vector) -> usize;
    /// `if test == 0.0 { zero } else { other }`: `other` where `test` is NaN.
    fn if_zero(self, test: Self::Vector, zero: Self::Vector, other: Self::Vector) -> Self::Vector;

    /// The first lanes from fewer than `W` values, the others 0. The loop is over the lanes, whose number is known, so
    /// that it becomes a handful of moves; over the values it becomes a call of `memcpy`, which costs four times as much.
    #[inline(always)]
    fn load_first(self, from: &[f32]) -> Self::Vector {
        let mut block = [0.0; W];
        for (j, to) in block.iter_mut().enumerate() {
            if let Some(from) = from.get(j) {
                *to = *from;
            }
        }
        self.load(&block)
    }

    /// The inverse of [`Lanes::load_first`].
    #[inline(always)]
    fn store_first(self, v: Self::Vector, to: &mut [f32]) {
        let mut block = [0.0; W];
        self.store(v, &mut block);
        for (j, from) in block.iter().enumerate() {
            if let Some(to) = to.get_mut(j) {
                *to = *from;
            }
        }
    }

    /// The greatest relative error of the estimates below.
    const ESTIMATE_ERROR: f32 = 0.0;

    /// Whether a square root made of products is faster than the instruction.
    const ROOT_OF_PRODUCTS: bool = false;

    /// An estimate of `1/√a`, and `a/2`, where both `a` and its half are normal numbers. For infinity 0 and something
    /// finite; for NaN and below 0 NaN and anything. `None` on lanes without such an instruction.
    #[inline(always)]
    fn rsqrt_and_half(self, _a: Self::Vector) -> Option<(Self::Vector, Self::Vector)> {
        None
    }

    /// An estimate of `1/a` for values between 2⁻¹⁰⁰ and 2¹⁰⁰, 0 for infinity, NaN for NaN. `None` on lanes without such
    /// an instruction.
    #[inline(always)]
    fn reciprocal(self, _a: Self::Vector) -> Option<Self::Vector> {
        None
    }

    /// Whether all lanes are finite, and 0 or at least `least`. Asked only where [`Lanes::ROOT_OF_PRODUCTS`] holds.
    #[inline(always)]
    fn all_zero_or_at_least(self, _a: Self::Vector, _least: f32) -> bool {
        false
    }

    /// Whether there are narrower lanes for slices that are shorter than these.
    const HAS_NARROWER: bool = false;

    /// Runs a kernel on the narrower lanes, with the same instructions.
    #[inline(always)]
    fn on_narrower<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    /// Whether [`Lanes::prefetch`] does anything.
    const CAN_PREFETCH: bool = false;

    /// Asks for values that will be used soon to be brought into the cache, where there is an instruction for that.
    #[inline(always)]
    fn prefetch(self, _values: &[f32]) {}
}

/// A computation written once for all instruction sets.
///
/// `run` and all that it calls are `#[inline(always)]`, so that the whole computation is compiled inside the backend's
/// entry function, with that backend's instructions. Closures cannot be marked so, and have no place in it.
pub(crate) trait Kernel {
    type Output;

    /// The widest lanes that the computation can use.
    const MAX_LANES: usize = usize::MAX;

    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> Self::Output;
}
