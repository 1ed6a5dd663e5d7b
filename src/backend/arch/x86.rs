//! AVX2 and AVX-512: for each a module of ordinary functions, and here what makes them lanes.
#![expect(unsafe_code, reason = "functions of CPUs that were asked, slices of addresses, prefetching; see each proof")]

#[cfg(target_arch = "x86")]
use core::arch::x86 as intrinsics;
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64 as intrinsics;

use core::sync::atomic::{AtomicU8, Ordering};

/// A function compiled for the listed features, and with the feature `half` for F16C.
macro_rules! with_features {
    ([$($feature:tt),+] $($function:tt)+) => {
        $(#[target_feature(enable = $feature)])+
        #[cfg_attr(feature = "half", target_feature(enable = "f16c"))]
        $($function)+
    };
}

/// A token for the listed features, and its lanes.
///
/// The list stands once, here. It feeds the detection, which is the only way to a token but for one from a token of more
/// features, and the functions that the operations are called in. Those are safe calls, so the compiler checks that an
/// operation, and whatever it calls, asks for no more.
macro_rules! lanes_of_features {
    (
        $Token:ident, $features:tt, $(level $level:ident detected by $detection:ident,)? lanes $W:literal, $Vector:ty, $Mask:ty;
        $(const $CONSTANT:ident: $Constant:ty = $value:expr;)*
        $($(#[$attribute:meta])* fn $operation:ident($($argument:ident: $Argument:ty),*) -> $Result:ty;)*
        calls on $Narrower:ident;
        $(half $Half:ident;)?
        $(runs other kernels by $enter:ident;)?
    ) => {
        $(
            detection!($detection, $features);

            impl $Token {
                /// The token, if the CPU and its operating system have the features.
                #[inline(always)]
                pub(in crate::backend) fn detect() -> Option<Self> {
                    // SAFETY: it is safe but for its features, which have been detected.
                    $detection::get().then(|| unsafe { Self::with_features() })
                }

                /// The token, if it is known already that there is one: a load and a comparison. The first answers are
                /// no, until [`remember`] has been called.
                #[inline(always)]
                pub(in crate::backend) fn known() -> Option<Self> {
                    // SAFETY: it is safe but for its features, which have been detected if the level says so.
                    (LEVEL.load(Ordering::Relaxed) >= $level).then(|| unsafe { Self::with_features() })
                }

                /// Runs a kernel over slices, compiled for the features: all of it is inlined here.
                #[inline(always)]
                pub(in crate::backend) fn enter_slices<K: SliceKernel>(
                    self,
                    rule: &Rule<f32>,
                    w: &mut [f32],
                    g: &[f32],
                    a: &mut [f32],
                ) -> usize {
                    with_features! { $features
                        #[inline(never)]
                        unsafe fn inside<K: SliceKernel>(
                            lanes: $Token,
                            rule: *const Rule<f32>,
                            w: *mut f32,
                            g: *const f32,
                            a: *mut f32,
                            len: usize,
                        ) -> usize {
                            // SAFETY: see the call, which the borrows of the slices and of the rule last for.
                            let ((w, g, a), rule) = unsafe { (slices(w, g, a, len), &*rule) };
                            K::run(lanes, rule, w, g, a)
                        }
                    }
                    let len = w.len();
                    if g.len() != len || a.len() != len {
                        $crate::kernel::never!("the slices have one length");
                    }
                    // SAFETY: by the token's invariant the CPU has the features, all three slices have this length, and the
                    // rule's address is that of a reference. It is an address, lest the compiler load more of the rule at
                    // once than was stored at once: see docs/decisions.md, "Options that are copied".
                    unsafe { inside::<K>(self, rule, w.as_mut_ptr(), g.as_ptr(), a.as_mut_ptr(), len) }
                }
            }
        )?

        $(
            impl $Token {
                /// Runs a kernel, compiled for the features: all of it is inlined here.
                #[inline(always)]
                pub(in crate::backend) fn $enter<K: Kernel>(self, kernel: K) -> K::Output {
                    with_features! { $features
                        #[inline(never)]
                        fn inside<K: Kernel>(lanes: $Token, kernel: K) -> K::Output {
                            kernel.run(lanes)
                        }
                    }
                    // SAFETY: `inside` is safe but for its features, and by the token's invariant the CPU has them.
                    unsafe { inside(self, kernel) }
                }
            }
        )?

        impl $Token {
            with_features! { $features
                /// The token, for who has the features already.
                #[inline]
                pub(super) fn with_features() -> Self {
                    Self(())
                }
            }
        }

        impl $crate::backend::lanes::Lanes<$W> for $Token {
            type Vector = $Vector;
            type Mask = $Mask;

            $(const $CONSTANT: $Constant = $value;)*
            const CAN_PREFETCH: bool = true;

            #[inline(always)]
            fn load(self, from: &[f32; $W]) -> $Vector {
                bytemuck::must_cast(*from)
            }

            #[inline(always)]
            fn store(self, v: $Vector, to: &mut [f32; $W]) {
                *to = bytemuck::must_cast(v);
            }

            #[inline(always)]
            fn splat(self, x: f32) -> $Vector {
                bytemuck::must_cast([x; $W])
            }

            #[inline(always)]
            fn prefetch<T>(self, values: &[T]) {
                $crate::backend::arch::x86::prefetch(values);
            }

            #[cfg(feature = "half")]
            #[inline(always)]
            fn splat_bits(self, x: u32) -> $Vector {
                bytemuck::must_cast([x; $W])
            }

            $(
                $(#[$attribute])*
                #[inline(always)]
                fn $operation(self, $($argument: $Argument),*) -> $Result {
                    with_features! { $features
                        #[inline]
                        fn inside($($argument: $Argument),*) -> $Result {
                            $operation($($argument),*)
                        }
                    }
                    // SAFETY: `inside` is safe but for its features, and by the token's invariant the CPU has them.
                    unsafe { inside($($argument),*) }
                }
            )*

            #[inline(always)]
            fn call_slices<K: SliceKernel>(self, rule: &Rule<f32>, w: &mut [f32], g: &[f32], a: &mut [f32]) -> usize {
                with_features! { $features
                    #[inline]
                    fn narrower() -> $Narrower {
                        $Narrower::with_features()
                    }
                }
                // SAFETY: `narrower` is safe but for its features, and by the token's invariant the CPU has them.
                unsafe { narrower() }.enter_slices::<K>(rule, w, g, a)
            }

            $(
                #[inline(always)]
                fn call<K: Kernel>(self, kernel: K) -> K::Output {
                    with_features! { $features
                        #[inline]
                        fn narrower() -> $Narrower {
                            $Narrower::with_features()
                        }
                    }
                    // SAFETY: `narrower` is safe but for its features, and by the token's invariant the CPU has them.
                    unsafe { narrower() }.$enter(kernel)
                }

                #[inline(always)]
                fn call_wide<K: SliceKernel>(self, rule: &Rule<f32>, w: &mut [f32], g: &[f32], a: &mut [f32]) -> usize {
                    self.enter_slices::<K>(rule, w, g, a)
                }
            )?

            $(
                const HAS_HALF: bool = true;

                #[inline(always)]
                fn on_half<K: Kernel>(self, kernel: K) -> K::Output {
                    with_features! { $features
                        #[inline]
                        fn half() -> $Half {
                            $Half::with_features()
                        }
                    }
                    // SAFETY: `half` is safe but for its features, and by the token's invariant the CPU has them.
                    kernel.run(unsafe { half() })
                }
            )?
        }
    };
}

/// A module whose `get` says whether the CPU has the listed features.
#[cfg(not(feature = "half"))]
macro_rules! detection {
    ($module:ident, [$($feature:tt),+]) => {
        cpufeatures::new!($module, $($feature),+);
    };
}

/// The same, and F16C, which `cpufeatures` does not know.
///
/// Every CPU with AVX2 and FMA has it. A hypervisor can hide it nevertheless: then the backend is not there, which is simpler
/// than two ways to convert `f16`. F16C uses the registers of AVX, so what the operating system saves has been asked
/// with that.
#[cfg(feature = "half")]
macro_rules! detection {
    ($module:ident, [$($feature:tt),+]) => {
        mod $module {
            use core::sync::atomic::{AtomicU8, Ordering};

            cpufeatures::new!(others, $($feature),+);

            const UNKNOWN: u8 = 0;
            const ABSENT: u8 = 1;
            const PRESENT: u8 = 2;

            /// The answer, once it is known.
            static STORAGE: AtomicU8 = AtomicU8::new(UNKNOWN);

            #[inline(always)]
            pub(super) fn get() -> bool {
                if cfg!(all(target_feature = "f16c", $(target_feature = $feature),+)) {
                    return true;
                }
                match STORAGE.load(Ordering::Relaxed) {
                    UNKNOWN => ask(),
                    known => known == PRESENT,
                }
            }

            #[cold]
            fn ask() -> bool {
                let has_all = others::get() && crate::backend::arch::x86::has_f16c();
                STORAGE.store(if has_all { PRESENT } else { ABSENT }, Ordering::Relaxed);
                has_all
            }
        }
    };
}

/// Whether the CPU has F16C. It may be asked only where it has AVX, and so the instruction that tells.
#[cfg(feature = "half")]
fn has_f16c() -> bool {
    // The function is unsafe in older versions of Rust only.
    let cpuid: unsafe fn(u32) -> intrinsics::CpuidResult = intrinsics::__cpuid;
    // SAFETY: the CPU has AVX, and every one with it has the instruction.
    unsafe { cpuid(1).ecx & 1 << 29 != 0 }
}

mod avx2;
mod avx2_half;
mod avx512;

pub(in crate::backend) use avx2::Avx2;
pub(in crate::backend) use avx512::Avx512;

/// The highest level that the CPU has, once that is known. Each includes those below it.
static LEVEL: AtomicU8 = AtomicU8::new(UNKNOWN);
const UNKNOWN: u8 = 0;
const NONE: u8 = 1;
const AVX2: u8 = 2;
const AVX512: u8 = 3;

/// Detects the level, if that has not been done, and remembers it for [`Avx2::known`].
pub(in crate::backend) fn remember() {
    if LEVEL.load(Ordering::Relaxed) != UNKNOWN {
        return;
    }
    let level = match (Avx2::detect(), Avx512::detect()) {
        (Some(_), Some(_)) => AVX512,
        (Some(_), None) => AVX2,
        (None, _) => NONE,
    };
    LEVEL.store(level, Ordering::Relaxed);
}

/// Asks for the lines of 64 bytes that a slice is in.
#[inline(always)]
fn prefetch<T>(values: &[T]) {
    use intrinsics::{_MM_HINT_T0, _mm_prefetch};

    for line in values.chunks(64 / size_of::<T>()) {
        // SAFETY: a prefetch changes nothing but the caches, and whatever the address it does not fail. It belongs to
        // SSE, without which this module is not compiled.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    if let Some(last) = values.last() {
        // SAFETY: as above. This line is another one if the slice begins in the midst of one.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(core::ptr::from_ref(last).cast()) };
    }
}
