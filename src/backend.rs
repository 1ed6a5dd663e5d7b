//! Which instructions run a step: detection and dispatch.

mod arch;
pub(crate) mod lanes;
mod portable;
mod scalar;
mod soft;

use core::fmt;

use arch::aarch64::Neon;
pub(crate) use arch::thin::{detected, few, few_decayed};
use arch::x86::{Avx2, Avx512, remember};
use lanes::{Kernel, SliceKernel};
use portable::Portable;
pub(crate) use scalar::Scalar;
#[cfg(feature = "half")]
pub(crate) use soft::{GREATEST_F16, LEAST_NORMAL_F16};

use crate::kernel::{Rule, never};

/// Whether there is no backend but the scalar one: on bare metal, where one loop must serve all slices, inlined, so
/// that the compiler drops what constant hyper-parameters turn off.
pub(crate) const IS_SCALAR: bool = cfg!(target_os = "none") && !portable::HAS_SIMD;

/// The instructions that run a step. All give the same bits, except with [`Arithmetic::Fast`](crate::Arithmetic::Fast).
/// So the choice changes only the speed.
///
/// ```
/// use adagrad::Backend;
///
/// println!("steps run on {}", Backend::detected());
/// assert!(Backend::available().any(|backend| backend == Backend::Scalar));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// One element at a time. It is available everywhere.
    Scalar,
    /// The SIMD that every CPU of the build's target has, through `wide`: SSE2, NEON on 64-bit Arm, WebAssembly's
    /// simd128, or more if `-C target-feature` says so.
    Portable,
    /// AVX2 and FMA, where the CPU has them.
    Avx2,
    /// AVX-512F, where the CPU has it. It runs long dense steps, and steps of long rows; everything else runs on AVX2 under
    /// this name, too.
    Avx512,
    /// NEON on little-endian 64-bit Arm, with its estimates of reciprocal roots.
    Neon,
}

impl Backend {
    /// All backends, slowest first, whether this build and this CPU have them or not.
    pub const ALL: &'static [Self] = &[Self::Scalar, Self::Portable, Self::Neon, Self::Avx2, Self::Avx512];

    /// The backend that steps run on unless [`Adagrad::with_backend`](crate::Adagrad::with_backend) names one: the
    /// fastest that is available. The first call asks the CPU, later calls only load the answer.
    #[must_use]
    #[inline]
    pub fn detected() -> Self {
        if Avx512::detect().is_some() {
            Self::Avx512
        } else if Avx2::detect().is_some() {
            Self::Avx2
        } else if Neon::detect().is_some() {
            Self::Neon
        } else if Portable::detect().is_some() {
            Self::Portable
        } else {
            Self::Scalar
        }
    }

    /// The backends that are available, slowest first.
    pub fn available() -> impl Iterator<Item = Self> + Clone {
        Self::ALL.iter().copied().filter(|backend| backend.is_available())
    }

    /// Whether this build has the backend and this CPU can run it.
    ///
    /// ```
    /// assert!(adagrad::Backend::Scalar.is_available());
    /// ```
    #[must_use]
    #[inline]
    pub fn is_available(self) -> bool {
        match self {
            Self::Scalar => true,
            Self::Portable => Portable::detect().is_some(),
            Self::Avx2 => Avx2::detect().is_some(),
            Self::Avx512 => Avx512::detect().is_some(),
            Self::Neon => Neon::detect().is_some(),
        }
    }

    /// How many lanes it has, whether it is available or not.
    #[inline(always)]
    pub(crate) fn lanes(self) -> usize {
        match self {
            Self::Scalar => 1,
            Self::Portable | Self::Neon => 4,
            Self::Avx2 => 8,
            Self::Avx512 => 16,
        }
    }

    /// Runs a kernel on this backend, if it is available.
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> Option<K::Output> {
        match self {
            Self::Scalar if const { is_for::<K>(1) } => Some(Scalar.enter(kernel)),
            Self::Portable if const { is_for::<K>(4) } => Some(Portable::detect()?.enter(kernel)),
            Self::Neon if const { is_for::<K>(4) } => Some(Neon::detect()?.enter(kernel)),
            Self::Avx2 if const { is_for::<K>(8) } => Some(Avx2::detect()?.enter(kernel)),
            Self::Avx512 if const { K::HAS_WIDE } && kernel.is_long() => Some(Avx512::detect()?.enter(kernel)),
            Self::Avx512 if const { is_for::<K>(8) } => {
                // Whoever has AVX-512 has AVX2, which is wide enough for this.
                Avx512::detect()?;
                Some(Avx2::detect()?.enter(kernel))
            }
            Self::Scalar | Self::Portable | Self::Neon | Self::Avx2 | Self::Avx512 => {
                never!("a kernel for its lanes", None)
            }
        }
    }

    /// Runs a kernel over slices on this backend, if it is available.
    pub(crate) fn run_slices<K: SliceKernel>(
        self,
        rule: &Rule<f32>,
        w: &mut [f32],
        g: &[f32],
        a: &mut [f32],
    ) -> Option<usize> {
        match self {
            Self::Scalar => Some(Scalar.enter_slices::<K>(rule, w, g, a)),
            Self::Portable => Some(Portable::detect()?.enter_slices::<K>(rule, w, g, a)),
            Self::Avx2 => Some(Avx2::detect()?.enter_slices::<K>(rule, w, g, a)),
            Self::Avx512 => Some(Avx512::detect()?.enter_slices::<K>(rule, w, g, a)),
            Self::Neon => Some(Neon::detect()?.enter_slices::<K>(rule, w, g, a)),
        }
    }
}

/// Whether a kernel has a copy for so many lanes. Asked in a `const` block, so that the compiler makes no other copy: where
/// it only finds the answer later, dead copies are compiled, and some stay.
const fn is_for<K: Kernel>(lanes: usize) -> bool {
    K::LEAST_LANES <= lanes && lanes <= K::MOST_LANES
}

// On the path of the detected backend there are `if`s. A `match` of four arms would become a jump through a table,
// which costs as much as the step of a short slice: see docs/decisions.md, "Dispatch by `if`s".

/// Runs a kernel on the detected backend.
#[inline(always)]
pub(crate) fn run_detected<K: Kernel<Output: Default>>(kernel: K) -> K::Output {
    if const { K::HAS_WIDE }
        && kernel.is_long()
        && let Some(avx512) = Avx512::detect()
    {
        avx512.enter(kernel)
    } else if const { is_for::<K>(8) }
        && let Some(avx2) = Avx2::detect()
    {
        avx2.enter(kernel)
    } else if const { is_for::<K>(4) }
        && let Some(neon) = Neon::detect()
    {
        neon.enter(kernel)
    } else if const { is_for::<K>(4) }
        && let Some(portable) = Portable::detect()
    {
        portable.enter(kernel)
    } else if const { is_for::<K>(1) } {
        Scalar.enter(kernel)
    } else {
        never!("a kernel for its lanes")
    }
}

/// Runs a kernel over slices on the detected backend.
///
/// What is not known to have AVX2 is not in the way of what is: nothing has to be saved for a call.
#[inline(always)]
pub(crate) fn run_slices_detected<K: SliceKernel>(rule: &Rule<f32>, w: &mut [f32], g: &[f32], a: &mut [f32]) -> usize {
    if K::HAS_WIDE
        && let Some(avx512) = Avx512::known()
    {
        avx512.enter_slices::<K>(rule, w, g, a)
    } else if let Some(avx2) = Avx2::known() {
        avx2.enter_slices::<K>(rule, w, g, a)
    } else if let Some(neon) = Neon::detect() {
        neon.enter_slices::<K>(rule, w, g, a)
    } else {
        arch::thin::first_or_portable::<K>(rule, w, g, a)
    }
}

/// Runs the kernel where AVX2 is not known to be there, if only because it is the first one.
#[inline(always)]
fn first_or_portable<K: SliceKernel>(rule: &Rule<f32>, w: &mut [f32], g: &[f32], a: &mut [f32]) -> usize {
    remember();
    if let Some(avx2) = Avx2::known() {
        avx2.enter_slices::<K>(rule, w, g, a)
    } else if let Some(portable) = Portable::detect() {
        portable.enter_slices::<K::Elsewhere>(rule, w, g, a)
    } else {
        Scalar.enter_slices::<K::Elsewhere>(rule, w, g, a)
    }
}

/// Runs a kernel, inlined, on lanes that need no detection.
#[inline(always)]
pub(crate) fn run_slices_undetected<K: SliceKernel>(
    rule: &Rule<f32>,
    w: &mut [f32],
    g: &[f32],
    a: &mut [f32],
) -> usize {
    match Portable::detect() {
        Some(portable) => K::run(portable, rule, w, g, a),
        None => K::run(Scalar, rule, w, g, a),
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Scalar => "scalar",
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Neon => "neon",
        })
    }
}
