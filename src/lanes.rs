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
