//! Which instructions run a step: detection and dispatch.

mod native;
mod portable;
mod scalar;

use core::fmt;

pub(crate) use scalar::Scalar;

use crate::lanes::Kernel;

/// The instructions that run a step, slowest first. All give the same bits, so the choice is one of speed only, but with
/// [`Arithmetic::Fast`](crate::Arithmetic::Fast).
///
/// ```
/// use adagrad::Backend;
///
/// println!("steps run on {}", Backend::detected());
/// assert!(Backend::available().any(|backend| backend == Backend::Scalar));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// One element at a time: everywhere.
    Scalar,
    /// The SIMD that the build's target is sure to have, through `wide`: SSE2, NEON on 64-bit Arm, WebAssembly's
    /// simd128, or more where the compiler is told so by `-C target-feature`.
    Portable,
    /// AVX2 and FMA, where the CPU has them.
    Avx2,
    /// AVX-512F, where the CPU has it. Row-wise tables, whose sums have eight lanes, run on AVX2 under it.
    Avx512,
}

impl Backend {
    /// All backends, slowest first.
    const ALL: [Self; 4] = [Self::Scalar, Self::Portable, Self::Avx2, Self::Avx512];

    /// The backend that steps run on: the fastest available one. The CPU is asked once, then it is a load.
    #[must_use]
    #[inline]
    pub fn detected() -> Self {
        if Self::Avx512.is_available() {
            Self::Avx512
        } else if Self::Avx2.is_available() {
            Self::Avx2
        } else if Self::Portable.is_available() {
            Self::Portable
        } else {
            Self::Scalar
        }
    }

    /// The backends that this build has and this CPU can run.
    pub fn available() -> impl Iterator<Item = Self> + Clone {
        Self::ALL.into_iter().filter(|backend| backend.is_available())
    }

    /// Whether this build has it and this CPU can run it.
    ///
    /// ```
    /// assert!(adagrad::Backend::Scalar.is_available());
    /// ```
    #[must_use]
    #[inline]
    pub fn is_available(self) -> bool {
        struct Nothing;
        impl Kernel for Nothing {
            type Output = ();

            #[inline(always)]
            fn run<const W: usize, L: crate::lanes::Lanes<W>>(self, _: L) {}
        }
        self.run(Nothing).is_some()
    }

    /// Runs a kernel, if the backend is available.
    #[inline]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> Option<K::Output> {
        // No `match`, which would become a jump through a table: that costs as much as the step of a short slice.
        if self > Self::Portable {
            if self == Self::Avx2 || K::MAX_LANES < 16 {
                let available = self == Self::Avx2 || native::Avx512::detect().is_some();
                native::Avx2::detect().filter(|_| available).map(|avx2| avx2.enter(kernel))
            } else {
                native::Avx512::detect().map(|avx512| avx512.enter(kernel))
            }
        } else if self == Self::Portable {
            portable::Portable::detect().map(|portable| portable.enter(kernel))
        } else {
            Some(Scalar.enter(kernel))
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Scalar => "scalar",
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        })
    }
}
